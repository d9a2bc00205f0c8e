"""Sums of a score over spans of time, without a loop over notes.

Conventions: ticks; spans are half-open and given by their edges (spans + 1 rising ticks).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_FRAMES = 64  # a note is followed through so many frames when looking for the highest and lowest


def coverage(onset: Ints, end: Ints, group: Ints, groups: int, edges: Ints, weight: Floats | None = None) -> Floats:
    """Sounding time of each group of notes in each span.

    The time sounded before t is the sum over begun notes of t - onset less the sum over ended notes of t - end: two
    sorted cumulative sums, read at the edges.

    Parameters
    ----------
    onset, end, group : int64 arrays, shape (notes,)
    groups : int
    edges : int64 array, shape (spans + 1,)
    weight : float64 array, shape (notes,), optional

    Returns
    -------
    float64 array, shape (spans, groups), in ticks
    """
    out = np.zeros((max(len(edges) - 1, 0), groups))
    if not len(onset) or not len(out):
        return out
    weights = np.ones(len(onset)) if weight is None else weight
    order = np.argsort(group, kind="stable")
    cuts = np.searchsorted(group[order], np.arange(groups + 1))
    for g in range(groups):
        here = order[cuts[g] : cuts[g + 1]]
        if len(here):
            begun = _ramp(onset[here], weights[here], edges)
            out[:, g] = np.diff(begun - _ramp(end[here], weights[here], edges))
    return np.maximum(out, 0)


def _ramp(times: Ints, weight: Floats, edges: Ints) -> Floats:
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    total = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * times)])
    begun = np.searchsorted(times, edges, side="right")
    return np.asarray(edges * total[begun] - moment[begun], np.float64)


def span_of(ticks: Ints, edges: Ints) -> Ints:
    """Index of the span that holds each tick, clipped to the first and last."""
    return np.clip(np.searchsorted(edges, ticks, side="right") - 1, 0, max(len(edges) - 2, 0)).astype(np.int64)


def spread(onset: Ints, end: Ints, edges: Ints) -> tuple[Ints, Ints]:
    """Every (note, span) in which the note sounds, at most `MOST_FRAMES` a note."""
    first = span_of(onset, edges)
    last = span_of(np.maximum(end - 1, onset), edges)
    many = np.minimum(last - first + 1, MOST_FRAMES)
    note = np.repeat(np.arange(len(onset)), many)
    step = np.arange(len(note)) - np.repeat(np.cumsum(many) - many, many)
    return note, first[note] + step


def beats(score: Score) -> Ints:
    """Edges of the beats, bar by bar (a pickup bar's beats are counted from its end); at least two."""
    bars = score.bars
    starts = bars[:-1]
    row = np.searchsorted(score.meters["tick"], starts, side="right") - 1
    beat = np.full(len(starts), score.beat_ticks(-1), np.int64)
    for r in np.unique(row[row >= 0]):
        beat[row == r] = score.beat_ticks(int(score.meters["tick"][r]))
    length = np.diff(bars)
    many = np.clip(-(-length // np.maximum(beat, 1)), 1, 64)
    bar = np.repeat(np.arange(len(starts)), many)
    back = np.repeat(np.cumsum(many), many) - np.arange(len(bar))  # beats to the end of the bar, 1 = last
    edges = np.where(back == many[bar], starts[bar], bars[bar + 1] - back * beat[bar])
    return np.unique(np.append(edges, bars[-1])).astype(np.int64)
