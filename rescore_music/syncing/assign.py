"""Which hit lands where: the joint choice of landing places for all hits at once.

The nearest beat of each hit, taken alone, gives neighbours that ask for opposite tempo changes. Here dynamic
programming runs over hits; a state is a landing place together with the stretch (new over source duration) there, and
the arc between two states costs what the cubic between them costs in closed form: with mean stretch m over h beats and
stretches v0, v1 at its ends, the change of stretch per beat at the ends is (6m-4v0-2v1)/h and (-6m+2v0+4v1)/h, linear
between. Large values are what is heard, so arcs cost fourth powers of steps and of deviations.

Conventions: time in seconds, length in beats, stretch 1 = the score's own tempo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

STEP = 0.003  # change of stretch per beat that begins to be heard as a drift (0.17-0.3 % a beat)
DEVIATION = 0.03  # change of tempo that begins to be noticed against the score's own
LEVELS = 15  # stretches tried at a hit
WIDEST = 120  # places a hit may still have, best first


@dataclass(frozen=True, eq=False)
class Choices:
    """Where one hit may land.

    Attributes
    ----------
    time : float
        Seconds at which it must fall.
    slack : float
        Seconds either side.
    source : float array, shape (places,)
        Source seconds of each place, rising.
    beat : float array
        Beats from the start.
    price : float array
        What a place costs in itself.
    """

    time: float
    slack: float
    source: Floats
    beat: Floats
    price: Floats


@dataclass(frozen=True)
class Assignment:
    """One place (index into the choices) per hit, and what it costs."""

    places: tuple[int, ...]
    cost: float


@dataclass(frozen=True)
class DeadEnd:
    """No place is left for hit `hit`, whatever the earlier ones do."""

    hit: int


def _arcs(h: Floats, m: Floats, stretch: Floats) -> Floats:
    """Cost of cubics of `h` beats with mean stretch `m` between all end stretches: shape (arcs, levels, levels)."""
    v0, v1 = stretch[None, :, None], stretch[None, None, :]
    m, h = m[:, None, None], h[:, None, None]
    first, last = (6 * m - 4 * v0 - 2 * v1) / (h * STEP), (2 * v0 + 4 * v1 - 6 * m) / (h * STEP)
    a2, ab, b2 = first * first, first * last, last * last
    steps = h / 5 * (a2 * a2 + a2 * ab + ab * ab + ab * b2 + b2 * b2)  # integral of the fourth power of a line
    middle = (1.5 * m - 0.25 * v0 - 0.25 * v1 - 1) / DEVIATION
    ends = ((v0 - 1) / DEVIATION) ** 4 + ((v1 - 1) / DEVIATION) ** 4
    return steps + h / 6 * (ends + 4 * (middle * middle) ** 2)


def choose(hits: Sequence[Choices], limit: float, count: int = 8) -> list[Assignment] | DeadEnd:
    """The best joint assignments, best first, each with a different last place.

    Parameters
    ----------
    hits : sequence of Choices
        By time.
    limit : float
        Largest mean deviation of the stretch between two hits (0.06 = 6 %).
    count : int
        How many to return at most.

    Returns
    -------
    list of Assignment, or DeadEnd naming the first hit that cannot be placed
    """
    stretch = np.linspace(1 - limit * 1.25, 1 + limit * 1.25, LEVELS)
    cost = np.zeros((1, LEVELS))
    source, beat, time, slack = np.zeros(1), np.zeros(1), 0.0, 0.0
    kept = np.zeros(1, np.int64)
    history: list[tuple[Indices, Indices, Indices]] = []
    for number, hit in enumerate(hits):
        pairs = _pairs(source, hit, time, slack, limit)
        if not len(pairs):
            return DeadEnd(number)
        a, b = pairs.T
        same = hit.source[b] == source[a]  # two hits so near in time that one place serves both
        length = np.where(same, 1.0, hit.beat[b] - beat[a])
        mean = np.where(same, 1.0, (hit.time - time) / np.where(same, 1.0, hit.source[b] - source[a]))
        total = cost[a][:, :, None] + _arcs(length, mean, stretch)
        stay = np.where(np.eye(LEVELS, dtype=bool), 0.0, np.inf)
        total[same] = cost[a[same]][:, :, None] + stay
        before = total.argmin(axis=1)
        best = np.take_along_axis(total, before[:, None, :], axis=1)[:, 0, :]
        # reduce over arcs that end at the same place (pairs are sorted by it)
        ends, first = np.unique(b, return_index=True)
        low = np.minimum.reduceat(best, first, axis=0)
        which = _first_equal(best, low, first, len(b))
        arrived = low + hit.price[ends][:, None]
        order = np.sort(np.argsort(arrived.min(axis=1), kind="stable")[:WIDEST])
        history.append((ends[order], a[which[order]], np.take_along_axis(before, which, axis=0)[order]))
        cost, kept = arrived[order], ends[order]
        source, beat, time, slack = hit.source[kept], hit.beat[kept], hit.time, hit.slack
    lasts = np.argsort(cost.min(axis=1), kind="stable")[:count]
    return [_trace(history, int(k), int(cost[k].argmin()), float(cost[k].min())) for k in lasts]


def dead_end(hits: Sequence[Choices], limit: float, anchored: bool = True) -> DeadEnd | None:
    """The first hit that no place is left for, looking at mean tempi alone; None if all can be placed.

    Parameters
    ----------
    anchored : bool
        Whether the music starts at time 0; otherwise the first hit may take any of its places.
    """
    source, time, slack = np.zeros(1), 0.0, 0.0
    if not anchored and hits:
        source, time, slack = hits[0].source, hits[0].time, hits[0].slack
    for number in range(0 if anchored else 1, len(hits)):
        pairs = _pairs(source, hits[number], time, slack, limit)
        if not len(pairs):
            return DeadEnd(number)
        b = pairs[:, 1]  # sorted
        reached = hits[number].source[b[np.concatenate([[True], b[1:] != b[:-1]])]]
        source, time, slack = reached, hits[number].time, hits[number].slack
    return None


def _first_equal(best: Floats, low: Floats, first: Indices, arcs: int) -> Indices:
    """Per place and level the first arc that reaches the minimum."""
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, arcs)))
    index = np.where(best == low[group], np.arange(arcs)[:, None], arcs)
    return np.asarray(np.minimum.reduceat(index, first, axis=0), np.int64)


def _pairs(source: Floats, hit: Choices, time: float, slack: float, limit: float) -> Indices:
    """(earlier place, place) for which the mean stretch stays within the limit, sorted by place then earlier place."""
    gap, give = hit.time - time, hit.slack + slack
    low = np.searchsorted(hit.source, source + max(gap - give, 0.0) / (1 + limit) - 1e-9)
    high = np.searchsorted(hit.source, source + (gap + give) / (1 - limit) + 1e-9, side="right")
    if gap <= give + 1e-9:
        low = np.minimum(low, np.searchsorted(hit.source, source - 1e-9))
    counts = high - low
    a = np.repeat(np.arange(len(source)), counts)
    b = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    # one place for two hits only where the tolerances (or the same frame) allow it
    keep = (hit.source[b] > source[a] + 1e-9) | (gap <= give + 1e-9)
    a, b = a[keep], b[keep]
    order = np.lexsort((a, b))
    return np.stack([a[order], b[order]], axis=-1)


def _trace(history: Sequence[tuple[Indices, Indices, Indices]], last: int, level: int, cost: float) -> Assignment:
    places: list[int] = []
    k = last
    for ends, earlier, before in reversed(history):
        places.append(int(ends[k]))
        k, level = int(earlier[k, level]), int(before[k, level])
    return Assignment(tuple(reversed(places)), cost)
