"""The tempo curve through given landing places: the least change from the score's own tempo that meets the hits.

Conventions: the music is cut into cells (one a beat, cut again at hits). `stretch` is new over source duration of a
cell: 1 keeps the tempo, 1.02 is 2 % slower. The curve minimizes

    sum (difference of neighbouring stretches)^2 / distance  +  sum (stretch - 1)^2 * length / RELAX^2   (beats)

subject to hit times: with no second term and one cell a beat its time function is the natural cubic spline through
the hits. Hard hits are boxes target +- tolerance, soft hits a quadratic pull towards their time. Both terms are
reweighted towards high powers, which lowers the largest step and the largest deviation at the cost of many small ones:
what a listener notices is the largest. `STEP` and `DEVIATION` say how the two compare.

Cells may be tied (one stretch for a run of them: no tempo change there), frozen (stretch 1), elastic (a fermata or a
hold: it takes what time is left, and the tempo goes on behind it as it was before) or easy (where the score itself
changes its tempo, a change of ours is heard less).

Method: the quadratic form is banded in the stretches, so hit times are eliminated with one banded solve; what is
left is a box-constrained least-squares problem in as many unknowns as hits, solved by a primal-dual active set.

Sources: de Boor, A Practical Guide to Splines (1978), ch. IV-V, for the minimum-curvature property; Hintermueller,
Ito and Kunisch, The primal-dual active set strategy as a semismooth Newton method (SIAM J. Optim. 13, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

RELAX = 60.0  # beats over which the tempo finds its way back to the source's where no hit holds it
STEP, DEVIATION = 0.0075, 0.055  # a change per beat and a distance from the own tempo that weigh the same
# what a squared second of distance costs, in squared stretch per beat: tuned so that bends of about 0.3 % a beat, which
# begin to be heard, use up half a frame at 24 frames a second
ECONOMY = 0.01  # of a hard hit inside its tolerance: the tolerance is used only as far as it pays
PULL = 0.05  # of a soft hit of weight 1
ROUNDS, POLISH = 4, 40  # reweightings towards fourth powers, and then towards higher ones
HIGH, HIGHER, EARLY = 7.0, 12.0, 15  # the power of the first of the latter, that of the rest, how many are the first
HOME = RELAX**2 * (STEP / DEVIATION) ** 2  # so that both terms weigh the same at their limits
FLOOR, BASE = 0.05, 0.1  # of the weights, so that what does not matter is not left to chance
UNHEARD = 0.3  # of the limits: below it the plain form is as good as any
ELASTIC = 40.0  # how much more freely a fermata changes than a beat
EASY = 0.05  # weight of a tempo change where the score changes its own


@dataclass(frozen=True, eq=False)
class Pins:
    """Times the curve must or should meet.

    Attributes
    ----------
    cell : int array, shape (pins,)
        The hit falls at the end of this many cells; strictly rising.
    time : float array
        Wanted seconds.
    tolerance : float array
        Seconds either side; infinite for soft pins.
    pull : float array
        Cost of a squared second of distance from the wanted time.
    """

    cell: Ints
    time: Floats
    tolerance: Floats
    pull: Floats


@dataclass(frozen=True, eq=False)
class Cells:
    """The music cut into cells.

    Attributes
    ----------
    beats, seconds : float arrays, shape (cells,)
        Length of each in beats and in source seconds.
    tied : bool array
        Whether it has the stretch of the cell before.
    frozen, elastic, easy : bool arrays
    """

    beats: Floats
    seconds: Floats
    tied: Flags
    frozen: Flags
    elastic: Flags
    easy: Flags

    @classmethod
    def plain(cls, beats: Floats, seconds: Floats) -> Cells:
        """Cells that ask for nothing."""
        return cls(beats, seconds, *(np.zeros(len(beats), bool) for _ in range(4)))

    @cached_property
    def groups(self) -> Ints:
        """Per cell the number of its stretch."""
        new = ~self.tied | self.frozen
        new[1:] |= self.frozen[:-1] | (self.elastic[1:] != self.elastic[:-1])
        return np.asarray(np.cumsum(new) - int(new[0]) if len(new) else np.zeros(0, int), np.int64)

    @cached_property
    def links(self) -> tuple[Ints, Ints, Floats, Floats]:
        """Neighbouring stretches (i, j), the beats between them and how much a change counts; none with elastic."""
        groups = self.groups
        rigid = np.flatnonzero(~self.elastic)
        before, after = rigid[:-1], rigid[1:]
        apart = groups[before] != groups[after]
        before, after = before[apart], after[apart]
        weight = np.where(self.easy[before] | self.easy[after] | (after > before + 1), EASY, 1.0)
        return groups[before], groups[after], (self.beats[before] + self.beats[after]) / 2, weight


def least_change(cells: Cells, pins: Pins, rounds: int = ROUNDS, polish: int = POLISH) -> Floats:
    """Stretch of every cell.

    Parameters
    ----------
    cells : Cells
    pins : Pins
    rounds, polish : int
        How often to reweight towards fourth powers and then towards higher ones; with none of either the solution is
        that of the plain quadratic form. Of all rounds the curve with the least largest change is kept.

    Returns
    -------
    float array, shape (cells,)
    """
    count = len(cells.beats)
    if not len(pins.cell):
        return np.ones(count)
    form = _Form(cells, pins)
    i, j, distance, ease = cells.links
    stretch = form.solve(np.ones(len(i)), np.ones(form.count))
    best, least = stretch, np.inf
    for power in (2.0,) * rounds + (HIGH - 2,) * min(polish, EARLY) + (HIGHER - 2,) * (polish - EARLY) + (0.0,):
        steps = np.abs(stretch[j] - stretch[i]) / distance / STEP * ease
        away = np.where(form.elastic, 0.0, np.abs(stretch - 1) / DEVIATION)
        top = max(float(steps.max(initial=0.0)), float(away.max(initial=0.0)))
        if top < least:
            best, least = stretch, top
        if top < UNHEARD or not power:
            break
        step_weight = np.maximum(steps / top, FLOOR) ** power
        home_weight = BASE + HOME * (away / top) ** power
        stretch = stretch + (form.solve(step_weight, home_weight) - stretch) / (power + 1)
    return np.asarray(best[cells.groups], np.float64)


class _Form:
    """The quadratic form of one problem, its pins, and the active set that the next round starts from."""

    def __init__(self, cells: Cells, pins: Pins) -> None:
        groups = cells.groups
        self.count = int(groups[-1]) + 1
        starts = np.searchsorted(groups, np.arange(self.count))
        self.frozen, self.elastic = cells.frozen[starts], cells.elastic[starts]
        self.links, self.pins = cells.links, pins
        beats = np.add.reduceat(cells.beats, starts)
        self.home = np.where(self.elastic, beats / (ELASTIC * RELAX) ** 2, beats / RELAX**2)
        # rows of B: source seconds between one pin and the next; increments keep the system well conditioned
        rows = np.zeros((len(cells.beats), len(pins.cell)))
        edges = np.concatenate([[0], pins.cell])
        for k, (a, b) in enumerate(pairwise(edges)):
            rows[a:b, k] = cells.seconds[a:b]
        self.natural = rows.sum(axis=0)
        self.rows = np.add.reduceat(rows, starts, axis=0)
        self.rows[self.frozen] = 0.0
        last = int(edges[-1])
        self.seconds = np.where(cells.frozen, 0.0, cells.seconds)[:last]
        self.of, self.starts = groups[:last], edges[:-1]
        self.exact = np.diff(np.concatenate([[0.0], pins.time]))
        self.offset: Floats | None = None

    def solve(self, step_weight: Floats, home_weight: Floats) -> Floats:
        """Stretches for these weights."""
        from scipy.linalg import cho_factor, cho_solve, solveh_banded

        i, j, distance, ease = self.links
        weight = step_weight * ease / distance
        band = np.zeros((3, self.count))
        band[2] = self.home * home_weight
        np.add.at(band[2], i, weight)
        np.add.at(band[2], j, weight)
        apart = j - i
        loose = ~(self.frozen[i] | self.frozen[j])
        for k in (1, 2):
            at = loose & (apart == k)
            band[2 - k, j[at]] = -weight[at]
        band[2, self.frozen] = 1.0
        influence = solveh_banded(band, self.rows)
        # B A^-1 B' by sums over cells: a threaded matrix product costs more than it saves at this size
        gram = np.add.reduceat(self.seconds[:, None] * influence[self.of], self.starts, axis=0)
        gram = (gram + gram.T) / 2
        gram[np.diag_indices_from(gram)] += 1e-12 * gram.trace() / len(gram)
        factor = cho_factor(gram)
        # not by the factor: solving for many sides at once is spread over threads that spin, far dearer at this size
        self.offset = self._offsets(np.asarray(np.linalg.inv(gram), np.float64))
        goal = self.exact + np.diff(np.concatenate([[0.0], self.offset])) - self.natural
        return np.asarray(1.0 + influence @ cho_solve(factor, goal), np.float64)

    def _offsets(self, inverse: Floats) -> Floats:
        """Displacement of each pin from its wanted time: 0 where tolerances are nil, else as far as it pays."""
        tolerance = self.pins.tolerance
        free = np.flatnonzero(tolerance > 0)
        out = np.zeros(len(tolerance))
        if not len(free):
            return out
        none = np.zeros((1, len(out)))
        half = inverse - np.vstack([inverse[1:], none])  # differences of neighbours, and below along the other axis
        matrix = (half - np.hstack([half[:, 1:], none.T]))[np.ix_(free, free)] + np.diag(self.pins.pull[free])
        linear = (half @ (self.natural - self.exact))[free]
        start = None if self.offset is None else self.offset[free]
        out[free] = boxed(matrix, linear, tolerance[free], start)
        return out


def boxed(matrix: Floats, linear: Floats, bound: Floats, start: Floats | None = None) -> Floats:
    """The x in [-bound, bound] that minimizes x'Mx/2 - b'x, by a primal-dual active set.

    Parameters
    ----------
    matrix : float array, shape (n, n)
        Positive definite.
    linear, bound : float arrays, shape (n,)
        Bounds may be infinite.
    start : float array, optional
        A solution of a similar problem.
    """
    from scipy.optimize import lsq_linear

    x = np.clip(np.zeros(len(linear)) if start is None else start, -bound, bound)
    scale = np.diag(matrix)
    force = linear - matrix @ x
    seen = set()
    for _ in range(40):
        wanted = x + force / scale
        side = np.sign(wanted) * (np.abs(wanted) >= bound * (1 - 1e-12))
        key = side.tobytes()
        x = np.where(side != 0, side * np.where(np.isfinite(bound), bound, 0.0), 0.0)
        loose = np.flatnonzero(side == 0)
        if len(loose):
            rest = linear[loose] - matrix[np.ix_(loose, np.flatnonzero(side))] @ x[side != 0]
            x[loose] = np.linalg.solve(matrix[np.ix_(loose, loose)], rest)
        force = np.where(side == 0, 0.0, linear - matrix @ x)
        if key in seen:
            break
        seen.add(key)
    if np.all(np.abs(x) <= bound * (1 + 1e-9)) and np.all(force * side >= -1e-9 * np.abs(linear).max(initial=1.0)):
        return x
    lower = np.linalg.cholesky(matrix)  # the active set went round in circles
    goal = np.linalg.solve(lower, linear)
    return np.asarray(lsq_linear(lower.T, goal, (-bound, bound), method="bvls").x, np.float64)


def even_stretch(seconds: Floats, pins: Pins) -> Floats:
    """One tempo from pin to pin: steps at the hits, but never backwards. The fallback where hits are too dense."""
    stretch = np.ones(len(seconds))
    hard = np.isfinite(pins.tolerance)
    starts = np.concatenate([[0], pins.cell[hard][:-1]]).astype(np.int64)
    times = np.concatenate([[0.0], pins.time[hard]])
    for a, b, t0, t1 in zip(starts, pins.cell[hard], times[:-1], times[1:], strict=True):
        stretch[a:b] = (t1 - t0) / seconds[a:b].sum()
    if hard.any():
        last = int(pins.cell[hard][-1])
        stretch[last:] = stretch[last - 1]
    return stretch
