"""Pictures to film: places, and cameras that stand still or pan over them."""

from __future__ import annotations

import numpy as np

WIDE, HIGH = 128, 72


def texture(seed: int, wide: int = WIDE * 2, high: int = HIGH * 2) -> np.ndarray:
    """A place to film: patches of several sizes, uint8 (high, wide, 3)."""
    rng = np.random.default_rng(seed)
    out = np.zeros((high, wide, 3))
    for size in (24, 8, 4):
        cells = rng.uniform(0, 255, (-(-high // size), -(-wide // size), 3))
        out += np.kron(cells, np.ones((size, size, 1)))[:high, :wide]
    return (out / 3).astype(np.uint8)


def still(seed: int, count: int) -> list[np.ndarray]:
    return [texture(seed)[:HIGH, :WIDE]] * count


def pan(seed: int, count: int, step: int = 2) -> list[np.ndarray]:
    place = texture(seed, WIDE * 2 + step * count)
    return [place[:HIGH, k * step : k * step + WIDE] for k in range(count)]
