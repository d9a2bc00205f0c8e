"""From one hit to the next: which places can follow which, through which bar edits, and what each way costs.

With mean stretch m over h beats and stretches v0, v1 at its ends, the cubic between two hits changes its stretch per
beat by (6m-4v0-2v1)/h at one end and (-6m+2v0+4v1)/h at the other, linear between. Large values are what is heard, so
arcs cost fourth powers of steps and of deviations.

Conventions: time in seconds, length in beats, stretch 1 = the score's own tempo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Costs = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating[Any]]

STEP = 0.003  # change of stretch per beat that begins to be heard as a drift (0.17-0.3 % a beat)
DEVIATION = 0.022  # change of tempo that weighs as much: the two limits that solutions are ranked by, in proportion
TAKEN = 0.8  # share of the tolerances that an arc counts on: a neighbour needs some of them
SHORTEST, LONGEST = 0.7, 2.5  # a fermata or hold may last so much of its own time


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
        Beats from the start, fermatas left out.
    price : float array
        What a place costs in itself.
    elastic : float array
        Source seconds of fermatas before each place.
    frozen : float
        Seconds since the hit before in which the source's tempo must hold.
    bound : bool
        Whether place k is reached from place k of the hit before alone (the end of a hold).
    """

    time: float
    slack: float
    source: Floats
    beat: Floats
    price: Floats
    elastic: Floats | None = None
    frozen: float = 0.0
    bound: bool = False

    def at(self, which: Indices) -> Choices:
        """Some of its places."""
        elastic = None if self.elastic is None else self.elastic[which]
        return replace(self, source=self.source[which], beat=self.beat[which], price=self.price[which], elastic=elastic)


@dataclass(frozen=True, eq=False)
class Change:
    """A length that the music may gain (or lose) between two hits, at seams between them.

    Attributes
    ----------
    beats : float
        Gained; negative where bars are left out.
    price : float
        In units of cost.
    seam : float array, shape (seams,)
        Source seconds of the seams where it may be made, rising.
    room : float array, shape (seams,)
        Source seconds from which nothing may have landed before that seam, rising.
    most : float array, shape (seams,)
        How many beats each seam can give.
    """

    beats: float
    price: float
    seam: Floats
    room: Floats
    most: Floats

    def fits(self, after: Floats, until: Floats) -> npt.NDArray[np.bool_]:
        """Whether the seams after one place and up to another (in source seconds) can give as much together."""
        total = np.concatenate([[0.0], np.cumsum(self.most)])
        first = np.searchsorted(self.room, after - 1e-9)
        last = np.searchsorted(self.seam, until + 1e-9, side="right")
        return np.asarray(total[np.maximum(last, first)] - total[first] >= abs(self.beats) - 1e-9, np.bool_)


START = Choices(0.0, 0.0, np.zeros(1), np.zeros(1), np.zeros(1))


@dataclass(frozen=True, eq=False)
class Links:
    """Arcs from the places of one hit to those of the next, sorted by the latter."""

    a: Indices
    b: Indices
    change: Indices
    length: Floats  # beats; 0 where one place serves both hits
    mean: Floats
    give: Floats  # how far the tolerances let the mean be off
    price: Floats


def arc_costs(h: Reals, m: Reals, stretch: Floats, give: Floats | None = None) -> Costs:
    """Cost of cubics of `h` beats with mean stretch `m` between all end stretches: shape (arcs, levels, levels).

    The mean may be `give` off, towards the straight line.
    """
    v = stretch.astype(np.float32)
    v0, v1 = v[None, :, None], v[None, None, :]
    m, h = m[:, None, None].astype(np.float32), h[:, None, None].astype(np.float32)
    if give is not None and give.any():
        g = give.astype(np.float32)[:, None, None]
        m = m + np.clip((v0 + v1) / 2 - m, -g, g)
    scale = 1 / (h * np.float32(STEP))
    first, last = (6 * m - (4 * v0 + 2 * v1)) * scale, ((2 * v0 + 4 * v1) - 6 * m) * scale
    product = first * last
    squares = first * first + last * last
    cost = (squares * (squares + product) - product * product) * (h / 5)  # integral of the fourth power of a line
    middle = ((1.5 * m - 1) - (0.25 * v0 + 0.25 * v1)) / np.float32(DEVIATION)
    middle *= middle
    ends = ((v - 1) / np.float32(DEVIATION)) ** 4
    cost += (h / 6) * (4 * (middle * middle) + (ends[None, :, None] + ends[None, None, :]))
    return np.asarray(cost, np.float32)


def _elastic(choices: Choices) -> Floats:
    return np.zeros(len(choices.source)) if choices.elastic is None else choices.elastic


def window(before: Choices, hit: Choices, limit: float, change: Change | None) -> tuple[Indices, Indices]:
    """Per earlier place the range of places that the mean stretch may reach; fermatas widen it."""
    gap, give = hit.time - before.time - hit.frozen, hit.slack + before.slack
    ahead = float(_elastic(hit)[-1] - _elastic(before)[0]) if len(hit.source) and len(before.source) else 0.0
    least = max(gap - give - (LONGEST - 1) * ahead, 0.0) / (1 + limit) + hit.frozen
    most = max(gap + give + (1 - SHORTEST) * ahead, 0.0) / (1 - limit) + hit.frozen
    if change is not None:
        pace = np.diff(hit.source) / np.maximum(np.diff(hit.beat), 1e-9) if len(hit.source) > 1 else np.ones(1)
        shifts = change.beats * np.array([pace.min(), pace.max()])
        least, most = least - shifts.max(), most - shifts.min()
    low = np.searchsorted(hit.source, before.source + least - 1e-9)
    high = np.searchsorted(hit.source, before.source + most + 1e-9, side="right")
    if hit.time - before.time <= give + 1e-9:
        low = np.minimum(low, np.searchsorted(hit.source, before.source - 1e-9))
    elif change is None:  # one place for two hits only where the tolerances (or the same frame) allow it
        low = np.maximum(low, np.searchsorted(hit.source, before.source + 1e-9, side="right"))
    return np.asarray(low, np.int64), np.asarray(high, np.int64)


def links_of(before: Choices, hit: Choices, limit: float, changes: Sequence[Change]) -> Links:
    """All ways from one hit's places to the next's that stay within the limit."""
    if hit.bound:
        k = np.arange(len(hit.source))
        return Links(k, k, np.full(len(k), -1), np.zeros(len(k)), np.ones(len(k)), np.zeros(len(k)), hit.price.copy())
    gathered = [_linked(before, hit, limit, change, k - 1) for k, change in enumerate((None, *changes))]
    a, b, which, length, mean, give, price = (np.concatenate([g[i] for g in gathered]) for i in range(7))
    order = np.lexsort((which, a, b))
    price = price + hit.price[b]
    return Links(*(column[order] for column in (a, b, which, length, mean, give, price)))


def _linked(before: Choices, hit: Choices, limit: float, change: Change | None, number: int) -> tuple[Any, ...]:
    """Columns of `Links` (earlier place, place, change ...) for which the mean stretch stays within the limit."""
    low, high = window(before, hit, limit, change)
    counts = np.maximum(high - low, 0)
    if not counts.any():
        return tuple(np.zeros(0, np.int64) if k < 3 else np.zeros(0) for k in range(7))
    a = np.repeat(np.arange(len(low)), counts)
    b = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    gap, give = hit.time - before.time, hit.slack + before.slack
    source, length = hit.source[b] - before.source[a], hit.beat[b] - before.beat[a]
    same = (source < 1e-9) & (change is None)
    price = np.zeros(len(a))
    if change is not None:
        fits = change.fits(before.source[a], hit.source[b]) & (source > 1e-9)
        source = source + change.beats * source / np.maximum(length, 1e-9)
        length = length + change.beats
        a, b, source, length, same = a[fits], b[fits], source[fits], length[fits], same[fits]
        price = np.full(len(a), change.price)
    # a fermata takes up what would otherwise change the tempo
    waits = _elastic(hit)[b] - _elastic(before)[a]
    rigid = source - waits - hit.frozen
    left = gap - hit.frozen
    held = np.clip(left - rigid, SHORTEST * waits, LONGEST * waits)
    mean = np.where(same, 1.0, (left - held) / np.where(rigid > 1e-6, rigid, 1.0))
    nothing = ~same & (rigid <= 1e-6)  # all of it frozen or held: it fits or it does not
    mean = np.where(nothing, 1.0, mean)
    fits = same | ((left - held + give) / np.maximum(rigid, 1e-9) >= 1 - limit - 1e-9)
    fits &= same | ((left - held - give) / np.maximum(rigid, 1e-9) <= 1 + limit + 1e-9)
    fits &= ~nothing | (np.abs(left - held - rigid) <= give + 1e-9)
    total = np.maximum(source, 1e-9)
    beats = np.where(same | nothing, 0.0, np.maximum(length * (source - hit.frozen) / total, 1e-3))
    slack = TAKEN * give / np.maximum(rigid, 0.1)
    columns = a, b, np.full(len(a), number), beats, mean, slack, price
    return tuple(np.asarray(column[fits]) for column in columns)


def costs_of(links: Links, stretch: Floats) -> Costs:
    """Costs of arcs between all stretches, prices included; where no music passes, the stretch stays."""
    still = links.length == 0
    arcs = arc_costs(np.where(still, 1.0, links.length), links.mean, stretch, links.give)
    arcs += links.price.astype(np.float32)[:, None, None]
    if still.any():
        stay = np.where(np.eye(len(stretch), dtype=bool), np.float32(0), np.float32(np.inf))
        arcs[still] = stay + links.price[still].astype(np.float32)[:, None, None]
    return arcs
