"""Best paths through a lattice: the k best, and n good ones that differ.

Conventions: `nodes` is (stages, states), `arcs` (stages - 1, states, states); infinite cost means no such state or
step. All stages have the same number of states (pad with infinity). Ties go to the lower state number.

Sources: list Viterbi (Seshadri & Sundberg 1994, "List Viterbi decoding algorithms with applications"); diverse
solutions by penalizing likeness to those already taken (Batra et al. 2012, "Diverse M-Best Solutions in Markov Random
Fields").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def k_best_paths(nodes: Floats, arcs: Floats, k: int) -> tuple[Ints, Floats]:
    """The k cheapest paths, exactly.

    Returns
    -------
    paths : int64 array, shape (at most k, stages)
        Cheapest first; fewer where there are fewer finite paths.
    costs : float64 array, shape (at most k,)
    """
    stages, states = nodes.shape
    best = np.full((states, 1), np.inf)
    best[:, 0] = nodes[0]
    back: list[Ints] = []
    for stage in range(1, stages):
        width = best.shape[1]
        # flat predecessor number = state * width + rank, so ties fall to lower states and ranks
        reach = (best[:, :, None] + arcs[stage - 1][:, None, :]).reshape(states * width, states).T
        keep = min(k, states * width)
        if keep < reach.shape[1]:
            top = np.argpartition(reach, keep - 1, axis=1)[:, :keep]
            top.sort(axis=1)
        else:
            top = np.broadcast_to(np.arange(reach.shape[1]), (states, reach.shape[1]))
        cost = np.take_along_axis(reach, top, axis=1)
        order = np.argsort(cost, axis=1, kind="stable")
        back.append(np.take_along_axis(top, order, axis=1).astype(np.int64))
        best = np.take_along_axis(cost, order, axis=1) + nodes[stage][:, None]
    flat = best.reshape(-1)
    order = np.argsort(flat, kind="stable")[:k]
    order = order[np.isfinite(flat[order])]
    paths = np.zeros((len(order), stages), np.int64)
    at = order
    for stage in range(stages - 1, 0, -1):
        width = back[stage - 1].shape[1]
        paths[:, stage] = at // width
        at = back[stage - 1][at // width, at % width]
    paths[:, 0] = at
    return paths, flat[order]


def best_path(nodes: Floats, arcs: Floats) -> Ints | None:
    """The cheapest path (Viterbi), None where there is no finite one."""
    stages, states = nodes.shape
    cost = nodes[0]
    back = np.zeros((stages, states), np.int64)
    every = np.arange(states)
    for stage in range(1, stages):
        reach = cost[:, None] + arcs[stage - 1]
        back[stage] = reach.argmin(axis=0)
        cost = reach[back[stage], every] + nodes[stage]
    path = np.zeros(stages, np.int64)
    path[-1] = int(cost.argmin())
    if not np.isfinite(cost[path[-1]]):
        return None
    for stage in range(stages - 1, 0, -1):
        path[stage - 1] = back[stage, path[stage]]
    return path


def path_cost(nodes: Floats, arcs: Floats, path: Ints) -> float:
    """Cost of one path."""
    stage = np.arange(len(path))
    return float(nodes[stage, path].sum() + arcs[stage[:-1], path[:-1], path[1:]].sum())


def diverse_paths(
    nodes: Floats,
    arcs: Floats,
    n: int,
    likeness: Callable[[Ints], Floats],
    *,
    distance: float = 0.1,
    patience: int = 5,
) -> list[Ints]:
    """Up to n good paths that differ: the best one first, each next the best under penalties for likeness.

    Parameters
    ----------
    likeness : function of a path, returns float64 array, shape (stages, states)
        Share (of 1 over the whole path) that a state has in common with the path's state at that stage.
    distance : float
        A new path shares at most 1 - distance with any earlier one, if `patience` doublings of the penalty allow.
    """
    first = best_path(nodes, arcs)
    if first is None:
        return []
    taken = [first]
    maps = [likeness(first)]
    stage = np.arange(nodes.shape[0])
    finite = nodes[np.isfinite(nodes)]
    strength = max(float(np.ptp(finite)) if len(finite) else 1.0, 1.0) * 0.5 * nodes.shape[0] / 10
    while len(taken) < n:
        penalty = np.sum(maps, axis=0)
        found = None
        push = strength
        for _ in range(patience):
            path = best_path(nodes + push * penalty, arcs)
            if path is not None and max(float(m[stage, path].sum()) for m in maps) <= 1 - distance:
                found = path
                break
            push *= 2.0
        if found is None:
            break
        taken.append(found)
        maps.append(likeness(found))
    return _filled(nodes, arcs, taken, n)


def _filled(nodes: Floats, arcs: Floats, taken: list[Ints], n: int) -> list[Ints]:
    """Where no more distant paths exist, the next best of all that are new."""
    if len(taken) < n:
        seen = {tuple(path) for path in taken}
        for path in k_best_paths(nodes, arcs, 2 * n)[0]:
            if len(taken) < n and tuple(path) not in seen:
                taken.append(path)
                seen.add(tuple(path))
    return taken
