"""Which hit lands where: the joint choice of landing places, and of bar edits between them, for all hits at once.

The nearest beat of each hit, taken alone, gives neighbours that ask for opposite tempo changes. Here dynamic
programming runs over hits; a state is a landing place together with the stretch (new over source duration) there, and
the arc between two states costs what the cubic between them costs (`arcs`).

A first pass with few stretches keeps, for every hit, the places through which a good path goes; a second pass with many
decides among these. Forward and backward costs together tell the best path through every place: the runners-up.

Conventions: time in seconds, length in beats, stretch 1 = the score's own tempo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rescore_music.syncing.arcs import START, Change, Choices, Costs, Indices, costs_of, links_of, window

__all__ = ["Assignment", "Change", "Choices", "DeadEnd", "choose", "dead_end"]

COARSE, LEVELS = 11, 31  # stretches tried at a hit in the first and in the second pass
BEAM, KEPT = 64, 10  # places a hit may still have in the first pass, and in the second


@dataclass(frozen=True)
class Assignment:
    """One place (index into the choices) per hit, the change made before it (-1: none), and what it all costs."""

    places: tuple[int, ...]
    cost: float
    changes: tuple[int, ...] = ()


@dataclass(frozen=True)
class DeadEnd:
    """No place is left for hit `hit`, whatever the earlier ones do."""

    hit: int


class _Ways(NamedTuple):
    """Arcs that were kept: earlier place, place (sorted by it), change."""

    a: Indices
    b: Indices
    change: Indices


@dataclass(frozen=True, eq=False)
class _Stage:
    """One hit in a pass: the places kept, the arcs that lead there with their costs, and the cost of getting there."""

    places: Indices
    links: _Ways
    arcs: Costs  # (arcs, levels, levels)
    forward: Costs  # (places, levels)


def choose(
    hits: Sequence[Choices], limit: float, count: int = 8, changes: Sequence[Change] = (), *, slack: float = 0.0
) -> list[Assignment] | DeadEnd:
    """The best joint assignments, best first: the best of all, then the best through other places.

    Parameters
    ----------
    hits : sequence of Choices
        By time.
    limit : float
        Largest mean deviation of the stretch between two hits (0.06 = 6 %).
    count : int
        How many to return at most.
    changes : sequence of Change
        Bar edits that may be made, at most one between two hits.
    slack : float
        Seconds by which the music may start earlier or later.

    Returns
    -------
    list of Assignment, or DeadEnd naming the first hit that cannot be placed
    """
    stages = _forward(hits, limit, COARSE, changes, slack)
    if isinstance(stages, DeadEnd):
        return stages
    near = [np.sort(np.argsort(m, kind="stable")[:KEPT]) for m in _marginals(stages, _backward(stages))]
    which = [stage.places[k] for stage, k in zip(stages, near, strict=True)]
    for k in range(1, len(hits)):
        if hits[k].bound:  # its places are numbered like those of the hit before
            which[k] = which[k - 1]
    fine = _forward([h.at(w) for h, w in zip(hits, which, strict=True)], limit, LEVELS, changes, slack)
    if isinstance(fine, DeadEnd):  # not possible: the best path of the first pass is still there
        return fine
    found = _ranked(fine, count)
    return [replace(a, places=tuple(int(w[p]) for w, p in zip(which, a.places, strict=True))) for a in found]


def dead_end(
    hits: Sequence[Choices], limit: float, anchored: bool = True, changes: Sequence[Change] = ()
) -> DeadEnd | None:
    """The first hit that no place is left for, looking at mean tempi alone; None if all can be placed.

    Parameters
    ----------
    anchored : bool
        Whether the music starts at time 0; otherwise the first hit may take any of its places.
    """
    before: Choices = START if anchored or not hits else hits[0]
    reached = np.arange(len(before.source))
    for number in range(0 if anchored else 1, len(hits)):
        hit = hits[number]
        if hit.bound:
            before = hit
            continue
        open_ = np.zeros(len(hit.source) + 1, np.int64)
        for change in (None, *changes):
            low, high = window(before.at(reached), hit, limit, change)
            np.add.at(open_, low[low < high], 1)
            np.add.at(open_, high[low < high], -1)
        reached = np.flatnonzero(np.cumsum(open_[:-1]) > 0)
        if not len(reached):
            return DeadEnd(number)
        before = hit
    return None


# -- passes --------------------------------------------------------------------------------------------------------


def _forward(
    hits: Sequence[Choices], limit: float, levels: int, changes: Sequence[Change], slack: float
) -> list[_Stage] | DeadEnd:
    stretch = np.linspace(1 - limit * 1.25, 1 + limit * 1.25, levels)
    before, cost = replace(START, slack=slack), np.zeros((1, levels), np.float32)
    stages: list[_Stage] = []
    for number, hit in enumerate(hits):
        links = links_of(before, hit if not hit.bound else hit.at(stages[-1].places), limit, changes)
        if not len(links.a):
            return DeadEnd(number)
        arcs = costs_of(links, stretch)
        best = (cost[links.a][:, :, None] + arcs).min(axis=1)
        ends, first = np.unique(links.b, return_index=True)
        reached = np.minimum.reduceat(best, first, axis=0)
        order = np.sort(np.argsort(reached.min(axis=1), kind="stable")[:BEAM])
        position = np.full(int(ends[-1]) + 1, -1)
        position[ends[order]] = np.arange(len(order))
        keep = position[links.b] >= 0
        ways = _Ways(links.a[keep], position[links.b[keep]], links.change[keep])
        places = stages[-1].places[ends[order]] if hit.bound else ends[order]
        stages.append(_Stage(places, ways, arcs[keep], reached[order]))
        before, cost = hit.at(places), reached[order]
    return stages


def _backward(stages: Sequence[_Stage]) -> list[Costs]:
    """Cost from each place and stretch of every hit to the last."""
    out = [np.zeros_like(stages[-1].forward)]
    for stage, earlier in zip(stages[:0:-1], stages[-2::-1], strict=True):
        best = (stage.arcs + out[-1][stage.links.b][:, None, :]).min(axis=2)
        cost = np.full(earlier.forward.shape, np.inf, np.float32)
        np.minimum.at(cost, stage.links.a, best)
        out.append(cost)
    return out[::-1]


def _marginals(stages: Sequence[_Stage], after: Sequence[Costs]) -> list[Costs]:
    """Cost of the best path through each place of every hit."""
    return [(stage.forward + rest).min(axis=1) for stage, rest in zip(stages, after, strict=True)]


def _ranked(stages: Sequence[_Stage], count: int) -> list[Assignment]:
    """The best path, then the best paths through other places, by cost."""
    after = _backward(stages)
    marginals = _marginals(stages, after)
    nodes = [(float(c), i, k) for i, m in enumerate(marginals) for k, c in enumerate(m) if np.isfinite(c)]
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], Assignment] = {}
    nodes.sort()
    ends = [node for node in nodes if node[1] == len(stages) - 1]  # another last place is another tempo: slower, faster
    sides = [next((n for n in ends if side * (n[2] - ends[0][2]) > 0), None) for side in (-1, 1)]
    met: set[tuple[int, int]] = set()  # by cost, so the best path through a place met before is known
    for cost, i, k in [nodes[0], *(n for n in sides if n is not None), *nodes]:
        if (i, k) in met:
            continue
        through, steps = _trace(stages, after, i, k)
        if (cost, i, k) not in sides:  # those are out of turn
            met.update(enumerate(steps))
        found.setdefault((through.places, through.changes), replace(through, cost=cost))
        if len(found) == count:
            break
    return sorted(found.values(), key=lambda a: a.cost)


def _trace(stages: Sequence[_Stage], after: Sequence[Costs], hit: int, place: int) -> tuple[Assignment, list[int]]:
    """The best path through one place, and the places as numbered in each stage."""
    start = (stages[hit].forward[place] + after[hit][place]).argmin()
    places, changes = [place], []
    k, level = place, start
    for i in range(hit, -1, -1):
        links = stages[i].links
        rows = np.arange(*np.searchsorted(links.b, [k, k + 1]))  # sorted by it
        before = stages[i - 1].forward if i else np.zeros((1, after[0].shape[1]), np.float32)
        cost = before[links.a[rows]] + stages[i].arcs[rows][:, :, level]
        row, level = np.unravel_index(int(cost.argmin()), cost.shape)
        k = int(links.a[rows[row]])
        changes.append(int(links.change[rows[row]]))
        if i:
            places.append(k)
    places.reverse()
    changes.reverse()
    k, level = place, start
    for i in range(hit + 1, len(stages)):
        links = stages[i].links
        rows = np.flatnonzero(links.a == k)
        cost = stages[i].arcs[rows][:, level, :] + after[i][links.b[rows]]
        row, level = np.unravel_index(int(cost.argmin()), cost.shape)
        k = int(links.b[rows[row]])
        places.append(k)
        changes.append(int(links.change[rows[row]]))
    numbered = tuple(int(stage.places[p]) for stage, p in zip(stages, places, strict=True))
    return Assignment(numbered, 0.0, tuple(changes)), places
