"""A row of figures read as a running timecode, in the row's own font.

Letter shapes come from the clip itself (those of a usual font only help a little where both are blurred). The last
figure of a timecode changes with every picture, the one before it every ten, and both fall back when a second is full:
so *when* figures change tells which is which. Every way of counting that the picture rate allows is tried: the pictures
of one figure must look alike and differ from the others'. The way that explains most gives the shape of each figure
from 0 to 9, and with these the seconds, minutes and hours are read. A row that counts nothing has no such way, and is
no timecode.

Conventions: a window is float32 (pictures, 8, HIGH, WIDE), luma scaled to its own spread; `frames` counts pictures on
the grid of the picture rate from the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.video.burnt_rows import FIGURES, Luma, Row

Window = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

HIGH, WIDE = 28, 20
MARGIN = 0.14  # of a figure's height, above and below
EXPLAINED = 0.45  # of what changes in the last three figures, by a way of counting
AHEAD = 0.02  # of it, before every other way
DOWN, ACROSS = 2, 3  # places by which a figure may lie elsewhere
CLEAR = 0.06  # of correlation, by which the best shape is ahead of the next
PRIOR = 0.3  # weight of the figures' usual shapes beside their own
ALIKE = 0.5  # correlation of a figure with its own shape
BAND = 0.07  # of a figure's height, either side of a sign's middle ...
SHIFTS = (-0.08, 0.0, 0.08)  # ... which may lie beside the one expected
UNDER = ((1.08, 1.14), (1.14, 1.2), (1.2, 1.26))
DOT = 12  # levels of luma between a dot and its ground
STILL = 5  # levels, within which that ground may change: more is a moving picture, in which no sign is legible
TAIL = 0.25  # of a dot's contrast, under the line
CERTAIN = 0.75  # of the pictures must read as counted
DIGITS = np.arange(10)


@dataclass(frozen=True)
class Count:
    """A timecode that runs: its fields in the first picture of the window, and the shapes of its figures.

    `double` tells that every number stands for two pictures, and `second` that the first picture is the second of
    its two. `agree` is the share of pictures whose last figures read as counted.
    """

    hours: int
    minutes: int
    seconds: int
    frames: int
    labels: int
    double: bool
    second: bool
    agree: float
    shapes: Window

    @property
    def fields(self) -> tuple[int, int, int, int]:
        """Hours, minutes, seconds, frames."""
        return self.hours, self.minutes, self.seconds, self.frames


def window(pictures: Sequence[Luma], row: Row) -> Window:
    """The figures of a row in each picture, all of one size."""
    edge = MARGIN * row.height
    down = _sampling(row.top - edge, row.bottom + edge, HIGH, pictures[0].shape[0])
    half = row.step / 2
    across = [_sampling(x - half, x + half, WIDE, pictures[0].shape[1]) for x in row.middles()]
    (top, vertical), out = down, np.empty((len(pictures), FIGURES, HIGH, WIDE), np.float32)
    for k, picture in enumerate(pictures):
        band = vertical @ picture[top : top + vertical.shape[1]].astype(np.float32)
        for j, (left, horizontal) in enumerate(across):
            out[k, j] = band[:, left : left + horizontal.shape[1]] @ horizontal.T
    return out / np.float32(max(float(out.std()), 1.0))


def _sampling(start: float, end: float, count: int, size: int) -> tuple[int, npt.NDArray[np.float32]]:
    """(first pixel, weights (count, pixels)) that average or interpolate [start, end) in `count` places."""
    places = start + (np.arange(count) + 0.5) * (end - start) / count - 0.5
    first, last = max(int(np.floor(places[0])) - 1, 0), min(int(np.ceil(places[-1])) + 2, size)
    wide = max((end - start) / count, 1.0)
    pixels = np.arange(first, max(last, first + 1))
    weights = np.maximum(1 - np.abs(pixels[None] - np.clip(places, first, last - 1)[:, None]) / wide, 0)
    return first, (weights / np.maximum(weights.sum(1, keepdims=True), 1e-6)).astype(np.float32)


def count_of(figures: Window, frames: Numbers, labels: int) -> tuple[Count | None, bool]:
    """The way a window counts, or None where it is not certain; and whether anything counts there.

    Parameters
    ----------
    figures : Window
    frames : int array
        Of each picture, on the grid; rising.
    labels : int
        A second, at the picture rate: 24, 25, 30, 48, 50, 60.
    """
    ways = [(labels, False, False)]
    if labels > 30:
        ways += [(labels // 2, True, False), (labels // 2, True, True)]
    since = frames - frames[0]
    tried: list[tuple[float, int, int, bool, bool]] = []
    for nominal, double, second in ways:
        along = (since + second) // 2 if double else since
        for first in range(nominal):
            tried.append((_explained(figures, first + along, nominal), first, nominal, double, second))
    tried.sort(key=lambda way: -way[0])
    explained, first, nominal, double, second = tried[0]
    if explained < EXPLAINED:
        return None, False
    if explained - tried[1][0] < AHEAD:
        return None, True
    along = (since + second) // 2 if double else since
    return _read(figures, first + along, nominal, double, second), True


def _explained(figures: Window, numbers: Numbers, nominal: int) -> float:
    """The share of what changes in the last three figures that a count explains, beyond what any grouping would."""
    field, rest, whole = numbers % nominal, 0.0, 0.0
    for place, groups in ((5, numbers // nominal), (6, field // 10), (7, field % 10)):
        images = figures[:, place].reshape(len(figures), -1)
        values, at = np.unique(groups, return_inverse=True)
        means = np.zeros((len(values), images.shape[1]), np.float32)
        np.add.at(means, at, images)
        means /= np.bincount(at)[:, None]
        free = max(len(images) - len(values), 1)
        rest += float(np.square(images - means[at]).sum()) / free
        whole += float(np.square(images - images.mean(0)).sum()) / max(len(images) - 1, 1)
    return 1 - rest / max(whole, 1e-9)


def _read(figures: Window, numbers: Numbers, nominal: int, double: bool, second: bool) -> Count | None:
    """All fields, in the shapes that the count gives; None where they do not fit each other."""
    units = (numbers % nominal) % 10
    if len(np.unique(units)) < 10:
        return None
    shapes = np.stack([figures[units == digit, 7].mean(0) for digit in DIGITS])
    usual = _usual(shapes)
    seconds = numbers // nominal
    first = int(seconds[0])
    told = []
    ahead = np.zeros(6)
    for value in np.unique(seconds):
        likeness = alike(figures[seconds == value, :6].mean(0), shapes)
        if likeness.max(1).min() < ALIKE:
            return None
        likeness += PRIOR * alike(figures[seconds == value, :6].mean(0), usual)
        digits = likeness.argmax(1)
        ahead = np.maximum(ahead, np.diff(np.sort(likeness, axis=1)[:, -2:], axis=1)[:, 0])
        fields = digits[::2] * 10 + digits[1::2]
        if fields[0] > 23 or fields[1] > 59 or fields[2] > 59:
            return None
        told.append((int(fields @ [3600, 60, 1]) - (int(value) - first)) % 86400)
    if len(set(told)) > 1 or ahead.min() < CLEAR:
        return None
    tens = (alike(figures[:, 6], shapes) + PRIOR * alike(figures[:, 6], usual)).argmax(1) == (numbers % nominal) // 10
    ones = (alike(figures[:, 7], shapes) + PRIOR * alike(figures[:, 7], usual)).argmax(1) == units
    agree = float((tens & ones).mean())
    if agree < CERTAIN:
        return None
    clock = told[0]
    frame = int(numbers[0] % nominal)
    return Count(clock // 3600, clock // 60 % 60, clock % 60, frame, nominal, double, second, agree, shapes)


def _usual(shapes: Window) -> Window:
    """Figures as most fonts draw them, bright or dark as these are; the same as these where they cannot be drawn."""
    drawn = _drawn()
    if drawn is None:
        return shapes
    alike_these = float(np.trace(alike(shapes, drawn)) - np.trace(alike(shapes, -drawn)))
    return drawn if alike_these > 0 else -drawn


@lru_cache(maxsize=1)
def _drawn() -> Window | None:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        return None
    letters = ImageFont.load_default(40)
    boxes = [letters.getbbox(digit) for digit in "0123456789"]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    edge, wide = MARGIN * (bottom - top), round(0.8 * (bottom - top))
    out = []
    for digit, box in zip("0123456789", boxes, strict=True):
        image = Image.new("L", (wide, round(bottom - top + 2 * edge)))
        ImageDraw.Draw(image).text(((wide - box[0] - box[2]) / 2, edge - top), digit, font=letters, fill=255)
        out.append(np.asarray(image.resize((WIDE, HIGH)), np.float32))
    return np.stack(out)


def alike(images: Window, shapes: Window) -> Window:
    """Correlation of each image with each shape, wherever it fits best within a small shift; (images, shapes).

    Figures are drawn on whole pixels, so their places differ by parts of one from the row's even distances.
    """
    high, wide = HIGH - 2 * DOWN, WIDE - 2 * ACROSS
    core = _plain(shapes[:, DOWN : DOWN + high, ACROSS : ACROSS + wide].reshape(len(shapes), -1))
    best = np.full((len(images), len(shapes)), -1, np.float32)
    for y in range(2 * DOWN + 1):
        for x in range(2 * ACROSS + 1):
            part = images[:, y : y + high, x : x + wide].reshape(len(images), -1)
            np.maximum(best, _plain(part) @ core.T, out=best)
    return best


def _plain(vectors: Window) -> Window:
    centred = vectors - vectors.mean(1, keepdims=True)
    return np.asarray(centred / np.maximum(np.sqrt(np.square(centred).sum(1, keepdims=True)), 1e-6))


def separator(pictures: Sequence[Luma], row: Row) -> str:
    """What stands before the frames: ";" where it hangs below the line, ":" where it does not, "" where it is unclear.

    Dots are measured against the ground above them, over all the pictures, in a band narrower than any dot's
    surroundings; under the line a semicolon has its tail, a colon nothing.
    """
    tall = row.height
    mean: npt.NDArray[np.float32] = np.asarray(np.stack(pictures).mean(0, dtype=np.float32))
    hanging = []
    for x in row.separators():
        columns = (_column(mean, x + shift * tall, BAND * tall) for shift in SHIFTS)
        hanging.append(max((_hanging(column, row) for column in columns), key=lambda sign: sign[0]))
    if max(_moving(pictures, row, x) for x in row.separators()) > STILL:
        return ""
    contrasts = [contrast for contrast, _ in hanging]
    if min(contrasts) < max(DOT, max(contrasts) / 2):  # signs of one font and ink are alike there
        return ""
    first, second, last = (under for _, under in hanging)
    if last > TAIL and (max(first, second) < TAIL / 2 or min(first, second) > 2 * TAIL):
        return ";"
    return ":" if last < TAIL / 2 and max(first, second) < TAIL else ""


def _moving(pictures: Sequence[Luma], row: Row, x: float) -> float:
    """How much the ground of a sign, above its dots, changes from picture to picture: levels of luma."""
    rows = slice(round(row.top), max(round(row.top + 0.24 * row.height), round(row.top) + 1))
    half = max(BAND * row.height, 1)
    columns = slice(round(x - half), max(round(x + half), round(x - half) + 1))
    return float(np.std([float(picture[rows, columns].mean()) for picture in pictures]))


def _column(mean: npt.NDArray[Any], x: float, half: float) -> npt.NDArray[np.float32]:
    left, across = _sampling(x - half, x + half, 1, mean.shape[1])
    return np.asarray(mean[:, left : left + across.shape[1]] @ across[0])


def _hanging(column: npt.NDArray[np.float32], row: Row) -> tuple[float, float]:
    """(contrast of the lower dot, share of it that is seen below the line)."""
    spans = [(0.02, 0.24), (0.8, 1.0), *UNDER]  # of a figure's height: above the dots, the lower dot, below it
    ground, dot, *under = (_mean_of(column, row.top + a * row.height, row.top + b * row.height) for a, b in spans)
    contrast = dot - ground
    below = max((value - ground) / contrast for value in under) if contrast else 0.0
    return abs(contrast), below


def _mean_of(column: npt.NDArray[np.float32], start: float, end: float) -> float:
    first, weights = _sampling(start, end, 1, len(column))
    return float(weights[0] @ column[first : first + weights.shape[1]])
