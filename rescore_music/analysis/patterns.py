"""Patterns of a span: a name for what a line plays in a bar, so that equal music can be found, counted and pooled.

A name is a 64-bit hash of a set of (place in the span, property) pairs; equal names mean equal rhythm, equal rhythm and
melody up to transposition, and so on. Nothing is compared pair by pair, so cost grows with the notes.

Conventions: spans by edges in ticks; arrays of shape (spans, lines); places in 24ths of a quarter; a name of 0 stands
where the line has no onset.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import span_of
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

GRID = 24  # places a quarter
NEAR = 3  # spans closer than this are one statement carried on, not a return


@dataclass(frozen=True, eq=False)
class Patterns:
    """Names of what each line plays in each span.

    Attributes
    ----------
    rhythm : places of the onsets
    exact : places and semitones from the span's first note: equal up to transposition
    steps : places and moves in rough scale steps: equal up to the mode
    tones : places and pitch classes: equal where one line doubles the other at the unison or octave
    """

    rhythm: Names
    exact: Names
    steps: Names
    tones: Names


def mixed(values: Ints) -> Names:
    """Numbers spread over 64 bits (the finalizer of splitmix64)."""
    x = values.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def _summed(cell: Ints, values: Names, shape: tuple[int, int]) -> Names:
    out = np.zeros(shape[0] * shape[1], np.uint64)
    np.add.at(out, cell, values)
    return out.reshape(shape)


def find_patterns(
    score: Score, line_of: npt.NDArray[np.int32], lines: int, edges: Ints, tops: Ints, active: Flags
) -> Patterns:
    """The patterns of a score.

    Parameters
    ----------
    score : Score
    line_of : int32 array, shape (notes,)
    lines : int
    edges : int64 array, shape (spans + 1,)
    tops : int64 array
        `features.top_notes`.
    active : bool array, shape (spans, lines)
        Where a pitched line has an onset; names elsewhere are 0.
    """
    notes, quarter, shape = score.notes, score.ticks_per_quarter, (len(edges) - 1, lines)
    span = span_of(notes["onset"], edges)
    cell = span * lines + line_of
    place = (notes["onset"] - edges[span]) * GRID // quarter
    pitch = notes["pitch"].astype(np.int64)
    top_cell, at, height = cell[tops], place[tops] + 1, pitch[tops]
    first = np.ones(len(tops), bool)
    first[1:] = top_cell[1:] != top_cell[:-1]
    start = np.flatnonzero(first)
    from_first = height - height[start][np.cumsum(first) - 1] if len(tops) else height
    move = np.where(first, 0, np.diff(height, prepend=height[:1]))
    steps = np.sign(move) * ((np.abs(move) + 1) // 2)
    tone = np.unique(np.stack([cell, place * 12 + pitch % 12]), axis=1)
    found = (
        _summed(top_cell, mixed(at), shape),
        _summed(top_cell, mixed(at * 1000 + from_first + 500), shape),
        _summed(top_cell, mixed(at * 1000 + steps + 7_000_500), shape),
        _summed(tone[0], mixed(tone[1] + 99), shape),
    )
    return Patterns(*(np.where(active, names, np.uint64(0)) for names in found))


def in_pairs(names: Names, active: Flags) -> tuple[Names, Flags]:
    """Names of every span together with the next, and where there are such pairs."""
    out, there = np.zeros_like(names), np.zeros_like(active)
    if len(names) > 1:
        out[:-1] = names[:-1] * np.uint64(31) + names[1:] * np.uint64(17)
        there[:-1] = active[:-1] & active[1:]
    return out, there


def others_alike(names: Names, active: Flags, weight: Floats | None = None) -> Floats:
    """How many other lines have the same name in the span (or the sum of their weights)."""
    out = np.zeros(names.shape)
    values = active.astype(np.float64) if weight is None else np.where(active, weight, 0.0)
    for line in range(names.shape[1]):
        same = names == names[:, [line]]
        same[:, line] = False
        out[:, line] = (same * values).sum(axis=1)
    return np.where(active, out, 0.0)


def recurrence(names: Names, active: Flags) -> tuple[Floats, Floats, Floats]:
    """How often a pattern comes: among the four spans around, in how many spans, in how many lines (both log2)."""
    near, spans, lines = (np.zeros(names.shape) for _ in range(3))
    for d in (1, 2):
        same = _same(names, active, d)
        near[d:] += same
        near[: len(near) - d] += same
    if active.any():
        _, which = np.unique(names[active], return_inverse=True)
        row, column = np.nonzero(active)
        for out, index, wide in ((spans, row, len(names)), (lines, column, names.shape[1])):
            pairs = np.unique(which * wide + index)
            out[active] = np.log2(np.bincount(pairs // wide)[which])
    return near / 4, spans, lines


def pooled(
    chance: Floats, names: Names, active: Flags, doubt: float = 2.0, usual: float = 0.15
) -> tuple[Floats, Floats]:
    """Mean of `chance` over the other places where the same pattern comes, and log2 of one more than how many.

    Places of the same line less than `NEAR` spans away are left out; the mean is drawn to `usual` as if `doubt` places
    more had it.
    """
    total, count = np.zeros(names.shape), np.zeros(names.shape)
    if active.any():
        _, which = np.unique(names[active], return_inverse=True)
        total[active] = np.bincount(which, chance[active])[which] - chance[active]
        count[active] = np.bincount(which)[which] - 1.0
    for d in range(1, min(NEAR, len(names))):
        same = _same(names, active, d)
        total[d:] -= same * chance[:-d]
        count[d:] -= same
        total[:-d] -= same * chance[d:]
        count[:-d] -= same
    mean = (total + usual * doubt) / (count + doubt)
    return np.where(active, mean, usual), np.log2(1 + np.maximum(count, 0))


def _same(names: Names, active: Flags, distance: int) -> Flags:
    """Where a line plays in a span what it played `distance` spans before: shape (spans - distance, lines)."""
    late = slice(distance, None)
    early = slice(None, max(len(names) - distance, 0))
    return np.asarray((names[late] == names[early]) & active[late] & active[early], np.bool_)
