"""Joint assignment against brute force, and what the closed form says."""

import itertools

import numpy as np
import pytest

from rescore_music.syncing.arcs import Choices, arc_costs
from rescore_music.syncing.assign import DeadEnd, choose, dead_end


def cost_by_quadrature(h, m, v0, v1):
    """The arc's cost from the cubic itself, integrated numerically."""
    from rescore_music.syncing.arcs import DEVIATION, STEP

    x = (np.arange(20_000) + 0.5) / 20_000
    stretch = v0 * (1 - 4 * x + 3 * x**2) + v1 * (3 * x**2 - 2 * x) + 6 * m * (x - x**2)
    slope = np.gradient(stretch, x) / h
    middle = 1.5 * m - 0.25 * (v0 + v1)
    assert stretch[len(x) // 2] == pytest.approx(middle, abs=1e-4)
    deviation = np.array([v0, middle, middle, middle, middle, v1]) - 1  # Simpson, as the module says
    return h * np.mean((slope / STEP) ** 4) + h * np.mean((deviation / DEVIATION) ** 4)


def test_arc_cost_is_the_cubics():
    rng = np.random.default_rng(0)
    for _ in range(20):
        h, m, v0, v1 = rng.uniform(2, 40), *rng.uniform(0.95, 1.05, 3)
        ours = arc_costs(np.array([h]), np.array([m]), np.array([v0, v1]))[0, 0, 1]
        assert ours == pytest.approx(cost_by_quadrature(h, m, v0, v1), rel=1e-2)


def problem(rng, count):
    times = np.cumsum(rng.uniform(3.0, 5.0, count))
    source = np.arange(0, 40, 0.5)
    return [Choices(float(t), 0.0, source, source * 2, rng.uniform(0, 2, len(source))) for t in times]


@pytest.mark.parametrize("seed", range(8))
def test_equals_brute_force_on_small_problems(seed):
    hits = problem(np.random.default_rng(seed), 3)
    limit = 0.09
    found = choose(hits, limit, count=1)
    assert not isinstance(found, DeadEnd)

    from rescore_music.syncing.assign import LEVELS

    stretch = np.linspace(1 - limit * 1.25, 1 + limit * 1.25, LEVELS)
    best = np.inf
    near = [np.flatnonzero(np.abs(h.source / h.time - 1) < 0.2) for h in hits]
    for places in itertools.product(*near):
        cost, at, beat, time, legal = np.zeros(LEVELS), 0.0, 0.0, 0.0, True
        for hit, k in zip(hits, places, strict=True):
            mean = (hit.time - time) / (hit.source[k] - at) if hit.source[k] > at else np.inf
            if not 1 - limit - 1e-9 <= mean <= 1 + limit + 1e-9:
                legal = False
                break
            arc = arc_costs(np.array([hit.beat[k] - beat]), np.array([mean]), stretch)[0]
            cost = (cost[:, None] + arc).min(axis=0) + hit.price[k]
            at, beat, time = hit.source[k], hit.beat[k], hit.time
        if legal:
            best = min(best, cost.min())
    assert found[0].cost == pytest.approx(best, rel=1e-5)


def test_places_rise_with_time():
    hits = problem(np.random.default_rng(3), 6)
    found = choose(hits, 0.09)
    assert not isinstance(found, DeadEnd)
    assert [a.cost for a in found] == sorted(a.cost for a in found)
    for assignment in found:
        assert list(assignment.places) == sorted(set(assignment.places))


def test_dead_end_is_the_hit_that_cannot_be_placed():
    source = np.arange(0, 40, 2.0)
    hits = [Choices(t, 0.0, source, source, np.zeros(len(source))) for t in (4.0, 8.0, 9.0, 12.0)]
    assert dead_end(hits, 0.06) == DeadEnd(2)
    assert choose(hits, 0.06) == DeadEnd(2)
    assert dead_end(hits[:2], 0.06) is None
