"""The tempo curve: least change, tolerances, exactness."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from rescore_music.syncing import curve
from rescore_music.syncing.curve import Cells, Pins, boxed, even_stretch, least_change


def pins(cells, times, tolerance=0.0, pull=0.0):
    n = len(cells)
    return Pins(np.array(cells), np.array(times, float), np.full(n, tolerance), np.full(n, pull))


def plain(beats, seconds):
    return Cells.plain(np.asarray(beats, float), np.asarray(seconds, float))


def test_without_reweighting_or_homing_it_is_the_natural_cubic_spline(monkeypatch):
    monkeypatch.setattr(curve, "RELAX", 1e6)
    cells, knots = 400, [0, 90, 210, 400]
    seconds = np.full(cells, 0.5)
    times = np.array([0.0, 46.0, 103.0, 201.0])
    stretch = least_change(plain(np.ones(cells), seconds), pins(knots[1:], times[1:]), rounds=0, polish=0)
    spline = CubicSpline(np.array(knots) * 0.5, times, bc_type="natural")
    ours = np.concatenate([[0], np.cumsum(stretch * seconds)])
    # the cells' differences discretize the second derivative: agreement to a thousandth of a beat
    assert np.abs(ours - spline(np.arange(cells + 1) * 0.5)).max() < 5e-4


def test_hard_pins_are_met_exactly_and_no_pins_change_nothing():
    beats, seconds = np.ones(200), np.full(200, 0.5)
    assert np.array_equal(least_change(plain(beats, seconds), pins([], [])), np.ones(200))
    stretch = least_change(plain(beats, seconds), pins([40, 100, 180], [20.3, 49.0, 91.0]))
    at = np.cumsum(stretch * seconds)
    assert at[[39, 99, 179]] == pytest.approx([20.3, 49.0, 91.0], abs=1e-9)


def test_reweighting_lowers_what_is_heard_most():
    # the larger of step and deviation, each against its limit
    wanted = pins([40, 100, 180], [20.9, 49.0, 91.0])
    cells = plain(np.ones(200), np.full(200, 0.5))
    heard = []
    for rounds, polish in ((0, 0), (1, 0), (4, 0), (4, 15)):
        stretch = least_change(cells, wanted, rounds=rounds, polish=polish)
        steps, away = np.abs(np.diff(stretch)).max(), np.abs(stretch - 1).max()
        heard.append(max(steps / curve.STEP, away / curve.DEVIATION))
    assert heard == sorted(heard, reverse=True)
    assert heard[-1] < 0.8 * heard[0]


def test_box_least_squares_equals_the_general_solver():
    from scipy.optimize import lsq_linear

    rng = np.random.default_rng(4)
    for _ in range(30):
        n = int(rng.integers(1, 12))
        lower = np.tril(rng.normal(size=(n, n))) + 3 * np.eye(n)
        goal, bound = rng.normal(size=n) * 3, rng.uniform(0.05, 1, n)
        bound[rng.random(n) < 0.2] = np.inf
        ours = boxed(lower @ lower.T, lower @ goal, bound)
        theirs = lsq_linear(lower.T, goal, (-bound, bound), method="bvls", tol=1e-14).x
        assert ours == pytest.approx(theirs, abs=1e-7)


def test_a_tolerance_is_kept_and_lowers_the_change():
    beats, seconds = np.ones(120), np.full(120, 0.5)
    cells, times = [10, 20, 30, 80], [5.2, 9.9, 15.3, 40.0]
    exact = least_change(plain(beats, seconds), pins(cells, times))
    loose = least_change(plain(beats, seconds), pins(cells, times, tolerance=0.02, pull=curve.ECONOMY))
    off = np.cumsum(loose * seconds)[np.array(cells) - 1] - times
    assert np.abs(off).max() <= 0.02 + 1e-9
    assert np.abs(np.diff(loose)).max() < np.abs(np.diff(exact)).max()


def test_a_heavier_soft_pin_comes_nearer():
    beats, seconds = np.ones(60), np.full(60, 0.5)

    def off(weight):
        wanted = Pins(np.array([20, 26, 60]), np.array([10.0, 13.4, 30.0]), np.array([0, np.inf, 0]), np.zeros(3))
        wanted.pull[1] = weight
        return abs(float(np.cumsum(least_change(plain(beats, seconds), wanted) * seconds)[25]) - 13.4)

    distances = [off(w) for w in (1e-4, 1e-3, 1e-2, 1e-1, 1)]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 10 * distances[-1]


def test_even_stretch_meets_pins_with_one_tempo_between_them():
    stretch = even_stretch(np.full(10, 1.0), pins([2, 5], [3.0, 4.0]))
    assert stretch == pytest.approx([1.5, 1.5] + [1 / 3] * 8)
