"""The tempo curve through given landing places: the least change from the score's own tempo that meets the hits.

Conventions: the music is cut into cells (one a beat, cut again at hits). `stretch` is new over source duration of a
cell: 1 keeps the tempo, 1.02 is 2 % slower. The curve minimizes

    sum (difference of neighbouring stretches)^2 / distance  +  sum (stretch - 1)^2 * length / RELAX^2   (beats)

subject to hit times: with no second term and one cell a beat its time function is the natural cubic spline through
the hits. Hard hits are boxes target +- tolerance, soft hits a quadratic pull towards their time. The first term is
reweighted towards its fourth power, which lowers the largest step at the cost of many small ones: what a listener
notices is the largest.

Method: the quadratic form is tridiagonal in the stretches, so hit times are eliminated with one banded solve; what is
left is a box-constrained least-squares problem in as many unknowns as hits.
Source: de Boor, A Practical Guide to Splines (1978), ch. IV-V, for the minimum-curvature property.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RELAX = 60.0  # beats over which the tempo finds its way back to the source's where no hit holds it
# what a squared second of distance costs, in squared stretch per beat: tuned so that bends of about 0.3 % a beat, which
# begin to be heard, use up half a frame at 24 frames a second
ECONOMY = 0.01  # of a hard hit inside its tolerance: the tolerance is used only as far as it pays
PULL = 0.05  # of a soft hit of weight 1
ROUNDS = 6  # reweightings towards the fourth power


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

    cell: npt.NDArray[np.int64]
    time: Floats
    tolerance: Floats
    pull: Floats


def least_change(beats: Floats, seconds: Floats, pins: Pins) -> Floats:
    """Stretch of every cell.

    Parameters
    ----------
    beats, seconds : float arrays, shape (cells,)
        Length of each cell in beats and in source seconds.
    pins : Pins

    Returns
    -------
    float array, shape (cells,)
    """
    distance = (beats[1:] + beats[:-1]) / 2
    weight = np.ones(len(distance))
    stretch = np.ones(len(beats))
    for _ in range(ROUNDS):
        stretch = _solve(beats, seconds, weight / distance, pins)
        slope = np.abs(np.diff(stretch)) / distance
        top = float(slope.max(initial=0.0))
        if top < 1e-9:
            break
        weight = np.sqrt(weight * np.maximum(slope / top, 0.05) ** 2)  # geometric mean: plain reweighting oscillates
        weight /= weight.max()
    return stretch


def even_stretch(seconds: Floats, pins: Pins) -> Floats:
    """One tempo from pin to pin: steps at the hits, but never backwards. The fallback where hits are too dense."""
    stretch = np.ones(len(seconds))
    hard = np.isfinite(pins.tolerance)
    starts = np.concatenate([[0], pins.cell[hard][:-1]]).astype(np.int64)
    times = np.concatenate([[0.0], pins.time[hard]])
    for a, b, gap in zip(starts, pins.cell[hard], np.diff(times), strict=True):
        stretch[a:b] = gap / seconds[a:b].sum()
    if hard.any():
        stretch[pins.cell[hard][-1] :] = stretch[pins.cell[hard][-1] - 1]
    return stretch


def _solve(beats: Floats, seconds: Floats, link: Floats, pins: Pins) -> Floats:
    from scipy.linalg import solveh_banded

    n = len(beats)
    home = beats / RELAX**2
    band = np.zeros((2, n))
    band[1] = home
    band[1, :-1] += link
    band[1, 1:] += link
    band[0, 1:] = -link
    if not len(pins.cell):
        return np.ones(n)
    # rows of B: source seconds between one pin and the next; increments keep the system well conditioned
    starts = np.concatenate([[0], pins.cell[:-1]])
    rows = np.zeros((n, len(pins.cell)))
    for k, (a, b) in enumerate(zip(starts, pins.cell, strict=True)):
        rows[a:b, k] = seconds[a:b]
    influence = solveh_banded(band, rows)  # A^-1 B'
    # B A^-1 B' by sums over cells: a threaded matrix product costs more than it saves at this size
    gram = np.add.reduceat(seconds[: pins.cell[-1], None] * influence[: pins.cell[-1]], starts, axis=0)
    gram = (gram + gram.T) / 2
    natural = rows.sum(axis=0)  # increments at stretch 1, which is the minimum without pins
    increments = _times(gram, natural, pins)
    forces = np.linalg.solve(gram, increments - natural)
    return np.asarray(1.0 + np.einsum("nk,k->n", influence, forces), np.float64)


def _times(gram: Floats, natural: Floats, pins: Pins) -> Floats:
    """Increments between pins: exact where tolerances are nil, else the box-constrained least change."""
    exact = np.diff(np.concatenate([[0.0], pins.time]))
    if not np.any(pins.tolerance > 0):
        return exact
    from scipy.linalg import solve_triangular
    from scipy.optimize import lsq_linear

    lower = np.linalg.cholesky(gram)
    count = len(exact)
    # unknown: displacement e of each pin from its wanted time; increments = exact + D e
    difference = np.eye(count) - np.eye(count, k=-1)
    matrix = solve_triangular(lower, difference, lower=True)
    goal = solve_triangular(lower, natural - exact, lower=True)
    matrix = np.vstack([matrix, np.diag(np.sqrt(pins.pull))])
    goal = np.concatenate([goal, np.zeros(count)])
    free = pins.tolerance > 0
    e = np.zeros(count)
    scale = 1e-3  # milliseconds: keeps the solver's tolerances meaningful
    bounds = (-pins.tolerance[free] / scale, pins.tolerance[free] / scale)
    if np.all(np.isinf(bounds[1])):
        e[free] = np.linalg.lstsq(matrix[:, free], goal, rcond=None)[0]
    else:
        e[free] = lsq_linear(matrix[:, free] * scale, goal, bounds, method="bvls").x * scale
    return exact + difference @ e
