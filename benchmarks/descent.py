"""Gradient descent in numpy, for the small networks of voice separation; and the pictures of notes as sparse rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rescore_music.analysis import neighbours
from rescore_music.analysis.passages import Passage

Array = np.ndarray[Any, Any]
Net = dict[str, Array]
Shapes = dict[str, tuple[tuple[int, ...], float]]  # of each array of a net: shape, scale of its first values

RATE, DECAY = 3e-3, 1e-4
LOST = 0.3  # share of the cells of a picture, and of the numbers made of it, that are left out in each step
SLOW, QUICK = 0.002, 0.1  # shares of a step's slopes in their running squares and means


def descend(
    shapes: Shapes,
    batches: Callable[[np.random.Generator], list[Any]],
    gradients: Callable[[Net, Any, np.random.Generator], tuple[Net, float]],
    epochs: int,
    seed: int = 0,
) -> Net:
    """The network, by Adam with weight decay and a rate that falls to nothing as a cosine does.

    `batches` divides what is learned from anew in each epoch, into as many as before; `gradients` gives the slopes of
    the mean loss of a batch, and that loss.
    """
    random = np.random.default_rng(seed)
    net = {k: (random.standard_normal(shape) * scale).astype(np.float32) for k, (shape, scale) in shapes.items()}
    mean, power = {k: np.zeros_like(v) for k, v in net.items()}, {k: np.zeros_like(v) for k, v in net.items()}
    step = 0
    for epoch in range(epochs):
        some, total = batches(random), 0.0
        for batch in some:
            slopes, loss = gradients(net, batch, random)
            rate = RATE * (1 + np.cos(np.pi * step / (epochs * len(some)))) / 2
            step, total = step + 1, total + loss
            for k, slope in slopes.items():
                mean[k] += QUICK * (slope - mean[k])
                power[k] += SLOW * (slope * slope - power[k])
                moved = mean[k] / (1 - (1 - QUICK) ** step)
                moved /= np.sqrt(power[k] / (1 - (1 - SLOW) ** step)) + 1e-8
                net[k] -= (rate * (moved + DECAY * net[k])).astype(np.float32)
        print(f"epoch {epoch + 1} of {epochs}: loss {total / len(some):.4f}", flush=True)
    return net


def pictures(heard: Passage) -> tuple[Array, Array]:
    """How many cells each note fills, and which, note by note."""
    notes = neighbours.columns(heard)
    number = len(notes.group)
    found = [neighbours.cells(notes, np.arange(a, min(a + 4096, number))) for a in range(0, number, 4096)]
    owner = np.concatenate([a for a, _ in found])
    return np.bincount(owner, minlength=number), np.concatenate([b for _, b in found])


def sparse(some: list[tuple[Array, Array]]) -> Any:
    """Pictures of many works as one sparse matrix of notes by cells."""
    from scipy.sparse import csr_matrix

    counts, cell = (np.concatenate(columns) for columns in zip(*some, strict=True))
    start = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((np.ones(len(cell), np.float32), cell.astype(np.int32), start), (len(counts), neighbours.CELLS))


class Seen:
    """What the table makes of some notes' pictures, some cells and numbers left out; and the slopes back to it."""

    def __init__(self, net: Net, rows: Any, random: np.random.Generator) -> None:
        rows.data = (random.random(len(rows.data), np.float32) > LOST).astype(np.float32) / (1 - LOST)
        self.rows = rows
        numbers = np.maximum(rows @ net["table"] + net["lift"], 0)
        self.open = (numbers > 0) * (random.random(numbers.shape, np.float32) > LOST).astype(np.float32) / (1 - LOST)
        self.numbers = (numbers * self.open).astype(np.float32)

    def back(self, slope: Array) -> Net:
        """Slopes of table and lift from those of the numbers."""
        slope = slope * self.open
        return {"table": self.rows.T @ slope, "lift": slope.sum(axis=0)}
