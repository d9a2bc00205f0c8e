"""Attacks: which notes were struck together, and how strongly each attack speaks for a beat.

A performer's chord is spread over some hundredths of a second. Notes whose onsets follow each other within `CHAIN`
seconds, and not more than `SPREAD` after the first, are one attack; its time is their mean. Four observations of an
attack, each in few classes, say how likely it is to be a downbeat, a beat or less (Lerdahl and Jackendoff 1983,
metrical preference rules 3 to 6; Temperley, The Cognition of Basic Musical Structures, 2001, ch. 2): how long it is
until the part's next attack, whether it holds a (new) bass note, how many notes it has, whether the harmony changes.
A fifth is how loud it is.

Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CHAIN, SPREAD = 0.032, 0.09
CLASSES = (4, 4, 3, 4, 3)  # length, bass, size, new harmony, loudness
_NEAR = 4  # attacks either side that one is compared with
_WINDOW = 0.8  # seconds before and after an attack whose harmony is compared


@dataclass(frozen=True, eq=False)
class Attacks:
    """The attacks of a performance.

    Attributes
    ----------
    time : float64 array, shape (attacks,)
        Seconds, rising.
    of_note : int64 array, shape (notes,)
        Which attack each note belongs to.
    classes : int64 array, shape (attacks, 5)
        The class of each observation, below `CLASSES`.
    """

    time: Floats
    of_note: Ints
    classes: Ints


def grouped(time: Floats) -> Ints:
    """Attack number of each note, given rising onsets in seconds."""
    if not len(time):
        return np.zeros(0, np.int64)
    new = np.concatenate([[True], np.diff(time) > CHAIN])
    group = np.cumsum(new) - 1
    first = time[new]
    late = np.flatnonzero(time - first[group] > SPREAD)
    if len(late):  # a trill or run without gaps: cut it every SPREAD seconds
        part = np.floor((time - first[group]) / SPREAD)
        new |= np.concatenate([[False], (np.diff(group) == 0) & (np.diff(part) > 0)])
        group = np.cumsum(new) - 1
    return np.asarray(group, np.int64)


def attacks(onset: Floats, pitch: Ints, part: Ints, velocity: Ints) -> Attacks:
    """The attacks of notes given in any order (onsets in seconds)."""
    order = np.argsort(onset, kind="stable")
    group = grouped(onset[order])
    count = int(group[-1]) + 1
    size = np.bincount(group)
    time = np.bincount(group, weights=onset[order]) / size
    pitch, part, loud = pitch[order], part[order], velocity[order]
    low = np.full(count, 127, np.int64)
    np.minimum.at(low, group, pitch)
    columns = [
        _length_class(time, group, part),
        _bass_class(low),
        _relative_class(size.astype(np.float64), 0.8, 1.25),
        _harmony_class(time, group, pitch % 12, np.minimum(np.append(np.diff(time), 0.5), 1.0)),
        _relative_class(np.bincount(group, weights=loud) / size, 0.94, 1.06),
    ]
    of_note = np.empty(len(onset), np.int64)
    of_note[order] = group
    return Attacks(time, of_note, np.stack(columns, axis=1).astype(np.int64))


def _length_class(time: Floats, group: Ints, part: Ints) -> Ints:
    """How long until the next attack of the same part, the longest of an attack's parts, against the usual."""
    key = np.unique(part * (int(group[-1]) + 1) + group)
    owner, at = key // (int(group[-1]) + 1), key % (int(group[-1]) + 1)
    until = np.full(len(key), np.nan)
    same = owner[1:] == owner[:-1]
    until[:-1][same] = (time[at[1:]] - time[at[:-1]])[same]
    longest = np.zeros(len(time))
    np.maximum.at(longest, at, np.where(np.isnan(until), 0.0, until))
    usual = np.median(longest[longest > 0]) if np.any(longest > 0) else 1.0
    ratio = np.where(longest > 0, longest, usual) / usual
    return np.asarray(np.digitize(ratio, (0.75, 1.5, 3.0)), np.int64)


def _windows(values: Floats) -> Floats:
    """The values within _NEAR attacks of each, shape (attacks, 2 _NEAR + 1), NaN beyond the ends."""
    padded = np.pad(values, _NEAR, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1)


def _bass_class(low: Ints) -> Ints:
    near = _windows(low.astype(np.float64)).copy()
    near[:, _NEAR] = np.nan
    with np.errstate(all="ignore"):
        floor = np.nanmin(np.where(np.isnan(near), np.inf, near), axis=1)
    kind = np.where(low < floor, 2, np.where(low == floor, 1, 0))
    bass = np.flatnonzero(kind)  # a bass note that differs from the last one says more than a repeated one
    changed = np.concatenate([[True], np.diff(low[bass]) != 0]) if len(bass) else np.zeros(0, bool)
    kind[bass[changed]] = np.where(kind[bass[changed]] == 2, 3, 2)
    kind[bass[~changed]] = 1
    return np.asarray(kind, np.int64)


def _relative_class(value: Floats, less: float, more: float) -> Ints:
    near = _windows(value)
    known = ~np.isnan(near)
    mean = np.where(known, near, 0.0).sum(axis=1) / known.sum(axis=1)
    return np.asarray(np.digitize(value / np.maximum(mean, 1e-9), (less, more)), np.int64)


def _harmony_class(time: Floats, group: Ints, pitch_class: Ints, long: Floats) -> Ints:
    """How far the pitch classes from an attack on differ from those before it: a cosine over windows of time."""
    chroma = np.zeros((len(time), 12))
    np.add.at(chroma, (group, pitch_class), long[group])
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(chroma, axis=0)])
    here = np.arange(len(time))
    before = total[here] - total[np.searchsorted(time, time - _WINDOW)]
    after = total[np.searchsorted(time, time + _WINDOW)] - total[here]
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike = np.where(size > 0, (before * after).sum(axis=1) / np.maximum(size, 1e-12), 0.0)
    return np.asarray(np.digitize(alike, (0.2, 0.45, 0.7)), np.int64)
