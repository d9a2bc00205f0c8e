"""The lattice search against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rescore_music.orchestration.search import diverse_paths, k_best_paths, path_cost


def _brute(nodes: np.ndarray, arcs: np.ndarray) -> list[float]:
    stages, states = nodes.shape
    return sorted(path_cost(nodes, arcs, np.array(p)) for p in itertools.product(range(states), repeat=stages))


@pytest.mark.parametrize("seed", range(8))
def test_k_best_are_the_k_cheapest_of_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes, arcs = rng.random((5, 4)), rng.random((4, 4, 4)) * (seed % 3)
    paths, costs = k_best_paths(nodes, arcs, 40)
    assert np.allclose(costs, _brute(nodes, arcs)[:40])
    assert np.allclose(costs, [path_cost(nodes, arcs, p) for p in paths])
    assert len({tuple(p) for p in paths}) == 40


def test_fewer_paths_than_asked_for_and_forbidden_states() -> None:
    nodes = np.array([[0.0, np.inf], [1.0, 2.0]])
    paths, costs = k_best_paths(nodes, np.zeros((1, 2, 2)), 10)
    assert paths.tolist() == [[0, 0], [0, 1]]
    assert costs.tolist() == [1.0, 2.0]


def test_one_stage() -> None:
    paths, costs = k_best_paths(np.array([[3.0, 1.0, 2.0]]), np.zeros((0, 3, 3)), 2)
    assert paths.tolist() == [[1], [2]]
    assert costs.tolist() == [1.0, 2.0]


def test_diverse_paths_start_with_the_best_and_keep_their_distance() -> None:
    rng = np.random.default_rng(1)
    nodes, arcs = rng.random((12, 6)), rng.random((11, 6, 6)) * 0.2

    def likeness(path: np.ndarray) -> np.ndarray:
        return (np.arange(6)[None, :] == path[:, None]) / 12

    found = diverse_paths(nodes, arcs, 6, likeness, distance=0.25)
    assert found[0].tolist() == k_best_paths(nodes, arcs, 1)[0][0].tolist()
    for a, b in itertools.combinations(found, 2):
        assert np.mean(a == b) <= 0.75
