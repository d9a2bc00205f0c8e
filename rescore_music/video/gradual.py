"""Fades and dissolves: the changes of shot that take time.

A fade is a ramp of the picture's contrast that ends (or begins) in a flat picture. A dissolve is a stretch whose
pictures are mixtures of its first and its last one, in shares that rise evenly from 0 to 1, with nothing of the kind
going on before and after it: a pan changes the picture before and after, and its pictures are no mixtures.

Conventions: pictures are counted as decoded; spans are half-open; luma only, dissolves on COARSE thumbnails.
References: mixtures of the two ends are the definition of a dissolve in video production; the test by projection on
their difference follows from it by least squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.video.motion import FAR, Floats, unexplained

Numbers = npt.NDArray[np.float64]
Spans = list[tuple[int, int]]

COARSE = (9, 16)
EMPTY = 2.0  # spread of luma of black, white or a colour
FULL = 6.0  # spread of luma that a picture which fades has at least
SHORTEST = 4  # pictures
LENGTHS = (0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.6, 2.0)  # seconds of a dissolve
APART = 8.0  # levels of luma between the two shots
ASTRAY = 0.06  # share of the difference that no mixture explains
OTHER = 0.4  # texture of one end that the other, moved, does not show: another shot
EVERY = 8  # of the pictures is kept to tell that
EVEN, STEADY = 0.17, 0.12  # how far shares may be from an even rise; and from 0 and 1 before and after


def fades(spread: Sequence[float], cuts: Iterable[int]) -> tuple[Spans, Spans]:
    """Fades in and fades out.

    Parameters
    ----------
    spread : sequence of float
        Spread of the luma of each picture.
    cuts : iterable of int

    Returns
    -------
    fades_in, fades_out : lists of (start, end)
    """
    values = np.asarray(spread, np.float64)
    borders = sorted({0, len(values), *cuts})
    coming, going = [], []
    for start, end in pairwise(borders):
        shot = values[start:end]
        going += [(start + a, start + b) for a, b in _ramps_down(shot)]
        coming += [(end - b, end - a) for a, b in _ramps_down(shot[::-1])]
    return sorted(coming), sorted(going)


def _ramps_down(spread: Numbers) -> Spans:
    """Where contrast sinks evenly to nothing: [first picture of the ramp, first empty one)."""
    found: Spans = []
    empty = np.flatnonzero((spread[1:] < EMPTY) & (spread[:-1] >= EMPTY)) + 1
    for end in empty.tolist():
        k = end - 1
        while k > 0 and spread[k - 1] > spread[k] * 1.003:
            k -= 1
        k += int(np.flatnonzero(spread[k:end] >= 0.97 * spread[k])[-1])  # what was before the ramp drifts too
        if end - k < SHORTEST or spread[k] < FULL:
            continue
        if 0.25 < spread[k + (end - k) // 2] / spread[k] < 0.75:
            found.append((k, end))
    return found


def dissolves(coarse: Floats, kept: npt.NDArray[np.uint8], cuts: Iterable[int], taken: Spans, fps: float) -> Spans:
    """Dissolves.

    Parameters
    ----------
    coarse : float32 array, shape (n, 9, 16)
        Luma.
    kept : uint8 array, shape (ceil(n / EVERY), HIGH, WIDE)
        Luma of every EVERYth picture.
    cuts : iterable of int
    taken : list of (start, end)
        Fades, which are mixtures too.
    fps : float
    """
    flat = coarse.reshape(len(coarse), -1)
    closed = np.zeros(len(flat) + 1)
    for cut in cuts:
        closed[cut] = 1
    for start, end in taken:
        closed[start : end + 1] = 1
    barred = np.cumsum(closed)
    found: list[tuple[float, int, int]] = []
    for seconds in LENGTHS:
        found += _mixtures(flat, max(round(seconds * fps), SHORTEST), barred)
    chosen: Spans = []
    for _, start, end in sorted(found):
        if all(end <= a or b <= start for a, b in chosen) and _other_shot(kept, start, end):
            chosen.append((start, end))
    return sorted(chosen)


def _other_shot(kept: npt.NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether the two ends cannot be the same shot, moved."""
    one, other = (kept[k : k + 1].astype(np.float32) for k in (start // EVERY, min(-(-end // EVERY), len(kept) - 1)))
    return bool(max(unexplained(one, other, FAR)[0], unexplained(other, one, FAR)[0]) > OTHER)


def _mixtures(flat: Floats, length: int, barred: Numbers) -> list[tuple[float, int, int]]:
    """(how far from a mixture, start, end) of stretches of one length."""
    edge = max(length // 3, 2)
    starts = np.arange(edge, len(flat) - length - edge)
    if not len(starts):
        return []
    starts = starts[barred[starts + length + edge - 1] == barred[starts - edge]]
    starts = starts[np.abs(flat[starts + length] - flat[starts]).mean(1) > APART]
    if not len(starts):
        return []
    first = flat[starts]
    way = flat[starts + length] - first
    size = np.square(way).sum(1)

    def share(at: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        gone = flat[at] - first
        part = (gone * way).sum(1) / size
        return part, np.square(gone - part[:, None] * way).sum(1) / size

    good = np.ones(len(starts), bool)
    astray = np.zeros(len(starts))
    for quarter in (0.25, 0.5, 0.75):
        step = round(quarter * length)
        part, lost = share(starts + step)
        good &= (np.abs(part - step / length) < EVEN) & (lost < ASTRAY)
        astray += lost + np.square(part - step / length)
    before, lost_before = share(starts - edge)
    after, lost_after = share(starts + length + edge)
    good &= (
        (np.abs(before) < STEADY) & (np.abs(after - 1) < STEADY) & (np.maximum(lost_before, lost_after) < 3 * ASTRAY)
    )
    astray += np.square(before) + np.square(after - 1)
    return [(float(astray[i]), int(starts[i]), int(starts[i]) + length) for i in np.flatnonzero(good)]
