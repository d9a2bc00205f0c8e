"""Doubling: which lines play the same notes, or move with another at a steady interval.

A line *doubles* another if most of its notes strike with the same pitch class as the other's, and a good part of the
other's are struck so: at the unison or at octaves. A line *follows* another if they strike together and lie most of the
time at one interval of the scale, thirds or sixths (also fourths and fifths), while both move.

Conventions: tables have shape (lines, lines), row = the line asked about, column = its model; intervals in semitones
from the model up to the line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DOUBLES_OWN, DOUBLES_OTHER = 0.8, 0.5  # share of its own, and of the other line's, notes that a doubling line shares
TOGETHER_OWN, TOGETHER_OTHER = 0.8, 0.6  # the same of onsets, for a line that follows
STEADY = 0.75  # share of common onsets at one interval
MOVES = 4  # common onsets that parallel motion needs
# scale intervals by semitones within the octave: third, fourth, fifth, sixth
SCALE_INTERVAL = np.array([-1, -1, -1, 3, 3, 4, -1, 5, 6, 6, -1, -1])


@dataclass(frozen=True, eq=False)
class Moments:
    """A span of music as a table: the top pitch of each line at each moment it strikes, -1 where it does not.

    Attributes
    ----------
    lines : int64 array
        The lines that strike in the span.
    pitch : int64 array, shape (lines, moments)
    shared : int64 array, shape (lines, lines)
        Notes of equal onset and pitch class that two lines have in common, chords and all.
    """

    lines: Ints
    pitch: Ints
    shared: Ints


def moments_of(score: Score, line_of: npt.NDArray[np.int32], edges: Ints) -> list[Moments]:
    """The table of each span [edges[i], edges[i + 1]); percussion left out."""
    rows = np.flatnonzero(score.pitched)
    onset, pitch = score.notes["onset"][rows], score.notes["pitch"][rows].astype(np.int64)
    line = line_of[rows].astype(np.int64)
    cuts = np.searchsorted(onset, edges)
    out = []
    for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        lines, which = np.unique(line[a:b], return_inverse=True)
        places, when = np.unique(onset[a:b], return_inverse=True)
        table = np.full((len(lines), len(places)), -1, np.int64)
        np.maximum.at(table, (which, when), pitch[a:b])
        tones, tone = np.unique(when * 12 + pitch[a:b] % 12, return_inverse=True)
        struck = np.zeros((len(lines), len(tones)), np.float32)
        struck[which, tone] = 1
        out.append(Moments(lines, table, np.rint(struck @ struck.T).astype(np.int64)))
    return out


def doubling_pairs(m: Moments) -> npt.NDArray[np.bool_]:
    """Whether each line doubles each other at the unison or octave."""
    own = np.maximum(np.diag(m.shared), 1)
    alike = (m.shared >= DOUBLES_OWN * own[:, None]) & (m.shared >= DOUBLES_OTHER * own[None, :])
    np.fill_diagonal(alike, False)
    return np.asarray(alike, np.bool_)


def following_pairs(m: Moments) -> npt.NDArray[np.bool_]:
    """Whether each line follows each other at a steady interval of the scale other than the octave."""
    struck = m.pitch >= 0
    together = struck[:, None, :] & struck[None, :, :]
    many = together.sum(axis=2)
    own = np.maximum(struck.sum(axis=1), 1)
    close = (many >= TOGETHER_OWN * own[:, None]) & (many >= TOGETHER_OTHER * own[None, :]) & (many >= MOVES)
    name = SCALE_INTERVAL[np.abs(m.pitch[:, None, :] - m.pitch[None, :, :]) % 12]
    most = np.max([((name == i) & together).sum(axis=2) for i in (3, 4, 5, 6)], axis=0)
    steady = most >= STEADY * np.maximum(many, 1)
    moving = np.array([len(np.unique(row[row >= 0])) >= 3 for row in m.pitch], bool)
    found = close & steady & moving[:, None] & moving[None, :]
    np.fill_diagonal(found, False)
    return np.asarray(found, np.bool_)


def interval(m: Moments, line: int, model: int, octaves: bool) -> int:
    """The commonest interval from the model up to the line; with `octaves` only unisons and octaves are looked at."""
    both = (m.pitch[line] >= 0) & (m.pitch[model] >= 0)
    apart = (m.pitch[line] - m.pitch[model])[both]
    if octaves:
        apart = apart[apart % 12 == 0]
    if not len(apart):
        return 0
    values, counts = np.unique(apart, return_counts=True)
    return int(values[counts.argmax()])
