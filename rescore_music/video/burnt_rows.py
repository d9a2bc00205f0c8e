"""Rows of eight figures in pairs, as timecode is written: found in a picture by their shape, whatever the font.

A figure is a connected patch that is brighter, or darker, than what is around it, at any of some levels of luma. Eight
of one height on one line whose distances fit `dd:dd:dd:dd` are a row; what stands between the pairs is not asked. Rows
that are seen at one place in several pictures or levels are one.

Conventions: luma is uint8 (high, wide); places are pixels, x and y from the upper left; a row's `step` is the distance
of the two figures of a pair, its `leap` that of a pair's second figure to the next pair's first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.floating]  # (n, 4): x0, y0, x1, y1

LEVELS = (36, 64, 96, 128, 160, 192, 220)
LOWEST = 7  # pixels of height; in large pictures a SMALLESTth of theirs
SMALLEST = 72
SLACK = 0.14  # of a height, by which the figures of a row differ
LONGEST = 16  # heights, of a row
FIGURES = 8
PATCHES = 2500  # at one level: a picture of noise has no rows worth the time
PLACES = np.arange(FIGURES)
TOGETHER = 0.25  # of a height, between two sights of one row


@dataclass(frozen=True)
class Row:
    """Eight figures: the middle of the first, distances, and where they stand vertically."""

    x: float
    step: float
    leap: float
    top: float
    bottom: float
    seen: int = 1

    @property
    def height(self) -> float:
        """Of a figure."""
        return self.bottom - self.top

    def middles(self) -> npt.NDArray[np.float64]:
        """The figures' middles, x."""
        return self.x + self.step * PLACES + (self.leap - self.step) * (PLACES // 2)

    def separators(self) -> npt.NDArray[np.float64]:
        """The middles of what stands between the pairs, x."""
        middles = self.middles()
        return np.asarray((middles[1:-1:2] + middles[2::2]) / 2)


def rows(pictures: Iterable[Luma], most: int = 4) -> list[Row]:
    """The rows that several pictures show, the most often seen first."""
    sights = [row for picture in pictures for level in LEVELS for row in _rows_at(picture, level)]
    found: list[list[Row]] = []
    for row in sights:
        for group in found:
            if _one_place(group[0], row):
                group.append(row)
                break
        else:
            found.append([row])
    return [_middle(group) for group in sorted(found, key=len, reverse=True)[:most]]


def _one_place(a: Row, b: Row) -> bool:
    near = TOGETHER * max(a.height, b.height)
    ends = a.middles()[[0, -1]] - b.middles()[[0, -1]]
    return bool(np.abs(ends).max() < near and max(abs(a.top - b.top), abs(a.bottom - b.bottom)) < near)


def _middle(group: list[Row]) -> Row:
    values = [(r.x, r.step, r.leap, r.top, r.bottom) for r in group]
    x, step, leap, top, bottom = (float(v) for v in np.median(values, axis=0))
    return Row(x, step, leap, top, bottom, len(group))


def _rows_at(picture: Luma, level: int) -> list[Row]:
    bright = picture > level
    return [row for mask in (bright, ~bright) for row in rows_of(_patches(mask))]


def _patches(mask: npt.NDArray[np.bool_]) -> Boxes:
    """Boxes of connected patches that could be figures by size."""
    from scipy.ndimage import find_objects, label

    labelled, count = label(mask, structure=np.ones((3, 3), int))
    if not count:
        return np.zeros((0, 4), np.float32)
    edges = ((s[1].start, s[0].start, s[1].stop, s[0].stop) for s in find_objects(labelled) if s is not None)
    boxes = np.array(list(edges), np.float32)
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    tallest = mask.shape[0] / 4
    fits = (
        (high >= max(LOWEST, mask.shape[0] / SMALLEST))
        & (high <= tallest)
        & (wide >= 0.08 * high)
        & (wide <= 1.1 * high)
    )
    found = boxes[fits]
    return found if len(found) <= PATCHES else np.zeros((0, 4), np.float32)


def rows_of(boxes: Boxes) -> list[Row]:
    """The rows among boxes."""
    if len(boxes) < FIGURES:
        return []
    boxes = boxes[np.argsort(boxes[:, 0] + boxes[:, 2])]
    middle, top, bottom = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1], boxes[:, 3]
    high = bottom - top
    slack = (SLACK * high + 1)[:, None]
    line = (np.abs(top - top[:, None]) <= slack) & (np.abs(bottom - bottom[:, None]) <= slack)
    line &= (middle >= middle[:, None]) & (middle - middle[:, None] <= LONGEST * high[:, None])
    found: list[Row] = []
    taken = np.zeros(len(boxes), bool)
    for k in np.flatnonzero(line.sum(1) >= FIGURES):
        if taken[k]:
            continue
        after = np.flatnonzero(line[k])
        eight = after[after >= k][:FIGURES]
        row = None if len(eight) < FIGURES else _fitted(middle[eight], boxes[eight], top[eight], bottom[eight])
        if row is not None:
            found.append(row)
            taken[eight] = True
    return found


def _fitted(middle: Boxes, boxes: Boxes, top: Boxes, bottom: Boxes) -> Row | None:
    """The row that eight figures make, if their distances are those of pairs."""
    model = np.stack([np.ones(FIGURES), PLACES - PLACES // 2, PLACES // 2], axis=1)
    (x, step, leap), *_ = np.linalg.lstsq(model, middle, rcond=None)
    high = float(np.median(bottom - top))
    off = np.abs(model @ [x, step, leap] - middle).max()
    if not (0.35 * high <= step <= 1.5 * high and 1.12 * step <= leap <= 3 * step and off <= 0.28 * step):
        return None
    if np.median(boxes[:, 2] - boxes[:, 0]) > 1.05 * step:
        return None
    return Row(float(x), float(step), float(leap), float(np.median(top)), float(np.median(bottom)))
