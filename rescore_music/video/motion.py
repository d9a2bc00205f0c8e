"""How much of a picture cannot have come from another one by moving: the evidence for a cut.

A picture is a thumbnail of HIGH x WIDE, split into 4 x 8 blocks. For each block the best normalized correlation with
the other picture, over all shifts within reach, tells which share of its texture is explained; blocks count by their
texture. Correlation ignores brightness and contrast, so a lamp that is switched on explains itself; what has moved
within reach explains itself too; a block of another scene does not.

Conventions: luma as float32, 0 to 255; arrays (n, HIGH, WIDE). Pictures at the border of reach are continued by their
edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HIGH, WIDE = 36, 64
ROWS, COLUMNS = 4, 8  # blocks
NEAR = (6, 8)  # rows and columns that a block may move between two pictures: an eighth of the width
FAR = (10, 16)  # over some pictures
NOISE = 1.0  # variance of grain and coding in a thumbnail, which explains nothing and asks for nothing
_TALL, _BROAD = HIGH // ROWS, WIDE // COLUMNS
_SIZE = _TALL * _BROAD


def unexplained(pictures: Floats, others: Floats, reach: tuple[int, int] = NEAR) -> Floats:
    """The share of the texture of each picture that the other one, moved, does not show.

    Parameters
    ----------
    pictures, others : float32 array, shape (n, HIGH, WIDE)
    reach : (rows, columns)

    Returns
    -------
    float32 array, shape (n,)
        0: all of it is there; 1: nothing. A flat picture asks for nothing, so it is 0.
    """
    n = len(pictures)
    rows, columns = reach
    wide = np.pad(others, ((0, 0), (rows, rows), (columns, columns)), mode="edge")
    total, squares = _windows(wide), _windows(np.square(wide))
    mean = total / _SIZE
    spread = np.sqrt(np.maximum(squares / _SIZE - np.square(mean), 0) + NOISE)
    own_mean = _blocks(pictures) / _SIZE
    own = np.maximum(_blocks(np.square(pictures)) / _SIZE - np.square(own_mean), 0)
    own_spread = np.sqrt(own + NOISE)
    centred = pictures - np.repeat(np.repeat(own_mean, _TALL, 1), _BROAD, 2)
    best = np.zeros((n, ROWS, COLUMNS), np.float32)
    product = np.empty_like(pictures)
    for dy in range(2 * rows + 1):
        for dx in range(2 * columns + 1):
            np.multiply(centred, wide[:, dy : dy + HIGH, dx : dx + WIDE], out=product)
            there = spread[:, dy : dy + HIGH : _TALL, dx : dx + WIDE : _BROAD][:, :ROWS, :COLUMNS]
            np.maximum(best, _blocks(product) / (_SIZE * own_spread * there), out=best)
    weight = own_spread * np.sqrt(own)
    lost = (weight * (1 - np.square(np.minimum(best, 1)))).sum((1, 2))
    return np.asarray(lost / (weight.sum((1, 2)) + NOISE * ROWS * COLUMNS), np.float32)


def _blocks(values: Floats) -> Floats:
    """Sums over the blocks, (n, ROWS, COLUMNS)."""
    tall = values.reshape(len(values), ROWS, _TALL, WIDE).sum(2)
    return np.asarray(tall.reshape(len(values), ROWS, COLUMNS, _BROAD).sum(3))


def _windows(values: Floats) -> Floats:
    """Sums over every window of a block's size, by its upper left corner."""
    added = np.pad(np.cumsum(np.cumsum(values.astype(np.float64), 1), 2), ((0, 0), (1, 0), (1, 0)))
    tall = added[:, _TALL:] - added[:, :-_TALL]
    return np.asarray(tall[:, :, _BROAD:] - tall[:, :, :-_BROAD], np.float32)
