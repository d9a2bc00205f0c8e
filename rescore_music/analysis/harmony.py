"""Harmony: keys and chords of a score, each read with the help of the other.

Chords are read without a key first; the keys are then read from pitch classes and chords (`keys`), and the chords once
more within their keys (`chords`).

Conventions: pitch classes 0..11 from C; ticks. All of it is equivariant: a transposed score has the transposed keys and
chords.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis import chords as _chords
from rescore_music.analysis import keys as _keys
from rescore_music.analysis.key_clues import key_clues
from rescore_music.score import Score
from rescore_music.structure import Chord, KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAJOR_SCALE = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1.0])
MINOR_SCALE = np.array([1, 0, 1, 1, 0, 1, 0, 1, 1, 0.5, 0.7, 1.0])  # it has both sixths and both sevenths


@dataclass(frozen=True, eq=False)
class Harmony:
    """Keys and chords, each tiling the music; both empty where nothing pitched sounds."""

    keys: tuple[KeySpan, ...] = ()
    chords: tuple[Chord, ...] = ()


def find_harmony(score: Score) -> Harmony:
    """Keys and chords of a score.

    Returns
    -------
    Harmony
        Keys over [0, score.length), chords over all bars, broken at bar lines. A key's `confidence` is its mean
        probability over its span; a chord's how well it explains what sounds.
    """
    frames = _chords.frames_of(score)
    if not frames.classes.sum():
        return Harmony()
    plain = _chords.chord_gains(frames)
    first, _ = _chords.read_chords(frames, plain=plain.copy())
    path, chance = _keys.read_keys(key_clues(score, frames, first), frames.share_of_beat)
    keys = _keys.as_spans(path, chance, frames.edges, score.length)
    chosen, fit = _chords.read_chords(frames, _scales(path), plain)
    chosen = _chords.stated(frames, chosen)
    bass = _chords.bass_tones(score, frames, chosen)
    return Harmony(keys, _chords.as_spans(score, frames, chosen, bass, fit))


def key_spans(score: Score) -> tuple[KeySpan, ...]:
    """Local keys, one after the other over [0, score.length); empty where the score has no pitched note."""
    return find_harmony(score).keys


def chord_spans(score: Score, keys: tuple[KeySpan, ...]) -> tuple[Chord, ...]:
    """Chords over all bars of the score, within the keys given.

    Parameters
    ----------
    score : Score
    keys : tuple of KeySpan

    Returns
    -------
    tuple of Chord
        Quality "" where nothing or a single pitch class sounds; empty where nothing pitched sounds.
    """
    frames = _chords.frames_of(score)
    if not frames.classes.sum():
        return ()
    starts = np.array([k.start for k in keys])
    states = np.array([k.tonic + 12 * (k.mode == "minor") for k in keys])
    at = np.maximum(np.searchsorted(starts, frames.edges[:-1], side="right") - 1, 0)
    chosen, fit = _chords.read_chords(frames, _scales(states[at]) if len(keys) else None)
    chosen = _chords.stated(frames, chosen)
    return _chords.as_spans(score, frames, chosen, _chords.bass_tones(score, frames, chosen), fit)


def _scales(keys: Ints) -> Floats:
    """How far each pitch class belongs to the key of each frame: shape (frames, 12)."""
    table = np.array([np.roll(scale, k) for scale in (MAJOR_SCALE, MINOR_SCALE) for k in range(12)])
    return np.asarray(table[keys], np.float64)
