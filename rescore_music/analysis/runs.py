"""Runs of a few notes: where else in the score the same turn of melody comes, and what is said of it there.

A theme is what comes back: in other bars, in other parts, not always on the same beat. `patterns` finds bars that are
equal as a whole; here every few notes in a row of a line are a *run*, named by their moves in rough scale steps (and by
the time between their onsets), so a theme is known again wherever in the bar it starts, in any key and in either mode.

Conventions: arrays of shape (bars, lines); chances 0 to 1; counts as log2. Runs are equal if their 64-bit names are;
nothing is compared pair by pair, so cost grows with the notes.

Sources: J. S. Downie, "Evaluating a Simple Approach to Music Information Retrieval" (1999), for n-grams of intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import span_of
from rescore_music.analysis.patterns import GRID, mixed
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KINDS = ((4, True), (7, True), (5, False))  # notes in a run, and whether its rhythm must be the same
REACH = 8  # quarters that a run may last, for every three notes
APART = 3  # bars closer than this are one statement carried on, not a return
DOUBT, USUAL = 1.0, 0.15  # places that are thought to have the usual chance
LONGEST_WAIT = 9_999  # in places of the grid


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of one kind.

    Attributes
    ----------
    name : int64 array, shape (runs,)
        Numbered from 0, equal for equal runs.
    bar, line : int64 arrays, shape (runs,)
        Of the run's first note.
    cells : int64 array, shape (notes in a run, runs)
        bar * lines + line of each of its notes.
    """

    name: Ints
    bar: Ints
    line: Ints
    cells: Ints


def find_runs(score: Score, line_of: npt.NDArray[np.int32], lines: int, tops: Ints, active: Flags) -> tuple[Runs, ...]:
    """The runs of every kind of `KINDS`.

    Parameters
    ----------
    score : Score
    line_of : int32 array, shape (notes,)
    lines : int
    tops : int64 array
        `features.top_notes`.
    active : bool array, shape (bars, lines)
        Where a pitched line has an onset; runs start nowhere else.
    """
    onset, line = score.notes["onset"][tops], line_of[tops].astype(np.int64)
    bar = span_of(onset, score.bars)
    move = np.diff(score.notes["pitch"][tops].astype(np.int64))
    step = np.sign(move) * ((np.abs(move) + 1) // 2)
    wait = np.clip(np.diff(onset) * GRID // score.ticks_per_quarter, 0, LONGEST_WAIT)
    out = []
    for length, rhythm in KINDS:
        many = max(len(tops) - length + 1, 0)
        names = np.zeros(many, np.uint64)
        for k in range(length - 1 if many else 0):
            value = (step[k : k + many] + 200) * (LONGEST_WAIT + 1) + (wait[k : k + many] if rhythm else 0)
            names = names * np.uint64(0x100000001B3) + mixed(value)
        last = slice(length - 1, length - 1 + many)
        whole = line[last] == line[:many]
        whole &= onset[last] - onset[:many] <= REACH * score.ticks_per_quarter * (length // 3)
        first = np.flatnonzero(whole & active[bar[:many], line[:many]])
        cells = np.stack([bar[first + k] * lines + line[first + k] for k in range(length)])
        out.append(Runs(np.unique(names[first], return_inverse=True)[1].reshape(-1), bar[first], line[first], cells))
    return tuple(out)


def run_clues(runs: Runs, chance: Floats, active: Flags) -> list[Floats]:
    """What the runs of one kind say of each line in each bar.

    Parameters
    ----------
    runs : Runs
    chance : float64 array, shape (bars, lines)
        Of leading, as far as it is known.
    active : bool array, shape (bars, lines)

    Returns
    -------
    list of float64 arrays, shape (bars, lines)
        Over the line's notes in the bar, the mean of: the chance of the same runs in bars further off, whoever plays
        them (the best line of a bar); in how many such bars they come; how often in the same line nearby; in how many
        lines. And the first less the largest in the bar.
    """
    bars, lines = active.shape
    if not len(runs.name):
        return [np.full(active.shape, value) for value in (USUAL, 0.0, 0.0, 0.0, 0.0)]
    best, elsewhere = _elsewhere(runs, chance, bars)
    pooled = (np.maximum(best, 0) + USUAL * DOUBT) / (elsewhere + DOUBT)
    players = np.unique(runs.name * lines + runs.line)
    found = (
        (pooled, USUAL),
        (np.log2(1 + elsewhere), 0.0),
        (np.log2(_nearby(runs, bars, lines)), 0.0),
        (np.log2(np.bincount(players // lines)[runs.name]), 0.0),
    )
    out = [_over_notes(runs, values, usual, active.shape) for values, usual in found]
    return [*out, out[0] - np.where(active, out[0], 0).max(axis=1, keepdims=True, initial=0)]


def _elsewhere(runs: Runs, chance: Floats, bars: int) -> tuple[Floats, Floats]:
    """Of each run: the sum over other bars with the same run of the best chance there; how many such bars."""
    wide = bars + 2 * APART
    key = runs.name * wide + runs.bar + APART
    places, which = np.unique(key, return_inverse=True)
    best = np.zeros(len(places))
    np.maximum.at(best, which.reshape(-1), chance[runs.bar, runs.line])
    total: Floats = np.bincount(places // wide, best)[runs.name].astype(np.float64)
    count = np.bincount(places // wide)[runs.name].astype(np.float64)
    for d in range(1 - APART, APART):
        at = np.minimum(np.searchsorted(places, key + d), len(places) - 1)
        there = places[at] == key + d
        total -= np.where(there, best[at], 0)
        count -= there
    return total, count


def _nearby(runs: Runs, bars: int, lines: int) -> Floats:
    """How often the same line plays the same run in the bars around, this time counted."""
    wide = bars + 2 * APART
    key = (runs.name * lines + runs.line) * wide + runs.bar + APART
    places, many = np.unique(key, return_counts=True)
    out = np.zeros(len(key))
    for d in range(1 - APART, APART):
        at = np.minimum(np.searchsorted(places, key + d), len(places) - 1)
        out += np.where(places[at] == key + d, many[at], 0)
    return out


def _over_notes(runs: Runs, values: Floats, usual: float, shape: tuple[int, ...]) -> Floats:
    """Mean over the notes of each cell of the values of the runs they are in; `usual` where there is none."""
    cell = runs.cells.reshape(-1)
    many = np.bincount(cell, minlength=shape[0] * shape[1])
    total = np.bincount(cell, np.tile(values, len(runs.cells)), minlength=shape[0] * shape[1])
    return np.asarray(np.where(many > 0, total / np.maximum(many, 1), usual).reshape(shape), np.float64)
