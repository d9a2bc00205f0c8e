"""Grace notes and rolled chords: attacks that stand on no place of their own.

A grace note is very short, ends where a longer note of its part begins, and stands alone: neither before nor after it
does the part move as fast, else it is a run. Two or three may follow each other if they are faster still. Notes that
come in one direction, a few hundredths of a second apart, and sound on together are a rolled chord: one attack.

Seconds for what the ear decides by time, shares of a beat for what it decides by rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.onsets import seconds_of
from rescore_music.quantizing.played import BeatGrid, Played

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_SAME = 0.012  # seconds: struck at once
_SHORT, _GAP, _FAST = 0.13, 0.11, 0.055  # longest grace note; longest way to its main note; the same of a group
_SHARE = 0.17  # of a beat: nothing that could be a written sixteenth
_SLOWER = 1.8  # how much slower the part moves around a grace note
_LONGER = 2.0  # how much longer its main note sounds
_ROLL, _ROLLED = 0.095, 0.5  # seconds between notes of a rolled chord; of a whole one


@dataclass(frozen=True, eq=False)
class Ornaments:
    """What of the notes is ornament.

    Attributes
    ----------
    grace : bool array, shape (notes,)
    main : int64 array, shape (notes,)
        Index of the note a grace note leads to, -1 elsewhere.
    rolled : int64 array, shape (notes,)
        Number of the rolled chord a note belongs to, -1 elsewhere.
    """

    grace: Flags
    main: Ints
    rolled: Ints


def find_ornaments(played: Played, beats: BeatGrid) -> Ornaments:
    """Grace notes and rolled chords of all parts; percussion has only grace notes (flams, drags)."""
    n = len(played.onset)
    out = Ornaments(np.zeros(n, bool), np.full(n, -1, np.int64), np.full(n, -1, np.int64))
    onset, end = seconds_of(played.onset, beats), seconds_of(played.end, beats)
    pace = beats.seconds[beats.beat_of(played.onset)]
    chords = 0
    for part in np.unique(played.part):
        index = np.flatnonzero(played.part == part)
        index = index[np.argsort(onset[index], kind="stable")]
        times = _Times(onset[index], end[index], pace[index], played.pitch[index])
        _graces(times, index, out)
        if not played.drums[part]:
            chords = _rolls(times, index, out, chords)
    return out


class _Times:
    """One part's notes by onset, and its attacks: first note, onset, longest sounding, last end."""

    def __init__(self, onset: Floats, end: Floats, pace: Floats, pitch: Ints) -> None:
        self.onset, self.end, self.pitch = onset, end, pitch
        new = np.concatenate([[True], np.diff(onset) > _SAME])
        self.first = np.flatnonzero(new)
        self.group = np.cumsum(new) - 1
        self.size = np.bincount(self.group)
        self.start = onset[self.first]
        self.longest = np.maximum.reduceat(end - onset, self.first)
        self.last_end = np.maximum.reduceat(end, self.first)
        self.pace = pace[self.first]
        self.gap = np.append(np.diff(self.start), np.inf)  # to the next attack
        self.before = np.concatenate([[np.inf], np.diff(self.start)])


def _graces(t: _Times, index: Ints, out: Ornaments) -> None:
    if len(t.start) < 2:
        return
    nearly = np.append(t.start[1:], np.inf) + 0.03
    short = (t.longest < _SHORT) & (t.gap < _GAP) & (t.gap < _SHARE * t.pace) & (t.last_end < nearly) & (t.size < 3)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], short, [False]]).astype(np.int8)))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        gap = float(t.gap[a:b].max())
        if b >= len(t.start) or b - a > 3 or (b - a > 1 and gap > _FAST):
            continue
        alone = t.before[a] > _SLOWER * gap and t.gap[b] > _SLOWER * gap
        if not alone or t.longest[b] < _LONGER * float(t.longest[a:b].max()):
            continue
        main = index[t.first[b] + int(np.argmax(t.end[t.group == b])) if t.size[b] > 1 else t.first[b]]
        members = index[t.first[a] : t.first[b]]
        out.grace[members] = True
        out.main[members] = main


def _rolls(t: _Times, index: Ints, out: Ornaments, chords: int) -> int:
    close = t.gap[:-1] < _ROLL
    edges = np.flatnonzero(np.diff(np.concatenate([[False], close, [False]]).astype(np.int8)))
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        notes = np.arange(t.first[a], t.first[b] + t.size[b])  # attacks a..b
        if b - a < 2 or t.start[b] - t.start[a] > _ROLLED or np.any(out.grace[index[notes]]):
            continue
        steps = np.diff(t.pitch[notes])
        gap = float(t.gap[a:b].max())
        lasts = t.end[notes].min() > t.start[b] + 0.08 and t.end[notes].max() - t.end[notes].min() < 0.35
        if (np.all(steps > 0) or np.all(steps < 0)) and lasts and min(t.before[a], t.gap[b]) > 2 * gap:
            out.rolled[index[notes]] = chords
            chords += 1
    return chords


def gathered(played: Played, ornaments: Ornaments, beats: BeatGrid) -> Played:
    """The notes with each rolled chord struck at once: where its last or its first note is, the nearer to an eighth."""
    member = np.flatnonzero(ornaments.rolled >= 0)
    if not len(member):
        return played
    chord = ornaments.rolled[member]
    onset = played.onset.copy()
    first = np.full(int(chord.max()) + 1, np.inf)
    last = np.full(int(chord.max()) + 1, -np.inf)
    np.minimum.at(first, chord, onset[member])
    np.maximum.at(last, chord, onset[member])

    def astray(places: Floats) -> Floats:
        beat = beats.beat_of(places)
        into = (places - beats.start[beat]) / beats.length[beat] * np.where(beats.compound[beat], 3, 2)
        return np.abs(into - np.rint(into))

    onset[member] = np.where(astray(last) <= astray(first), last, first)[chord]
    return Played(onset, played.end, played.pitch, played.part, played.drums)
