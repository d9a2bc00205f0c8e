"""Note values of what a sequencer's gate cut short: a quarter played for seven eighths of its time is one on paper.

A length that is no plain, dotted or tuplet value is printed as the next plain or dotted value where that is at most an
eighth of itself, and at most a sixteenth note, longer; any length but a tuplet's as the next plain one where at most a
quarter of it, and at most a 32nd, is missing. Neither reaches over the next note of the part or over the bar line. A
printed source says its values itself. The Score stays: only what is written changes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def filled(
    onset: Ints, end: Ints, part: npt.ArrayLike, left: npt.NDArray[np.bool_], bars: Ints, resolution: int
) -> Ints:
    """Notated ends.

    Parameters
    ----------
    onset, end : int64 arrays, shape (notes,)
        Notated times in ticks.
    part : int array, shape (notes,)
    left : bool array, shape (notes,)
        Notes that keep their ends.
    bars : int64 array
        Bar starts and the end of the last.
    resolution : int
        Ticks per quarter.
    """
    plain = _plain(resolution)
    dotted = np.union1d(plain, plain[plain % 2 == 0] * 3 // 2)
    length = end - onset
    value, gap = _next(length, dotted)
    short = (gap > 0) & (gap * 8 <= value) & (gap * 4 <= resolution)
    near, rest = _next(length, plain)
    trifle = ~short & (rest > 0) & (rest * 4 <= near) & (rest * 8 <= resolution)
    value = np.where(trifle, near, value)
    short = (short | trifle) & ~left & ~np.isin(length, _tuplets(dotted))
    if not short.any():
        return end
    part = np.asarray(part, np.int64)
    out = end.copy()
    for number in np.unique(part[short]).tolist():
        mine = np.flatnonzero(short & (part == number))
        starts = np.unique(onset[part == number])
        following = np.append(starts, bars[-1])[np.searchsorted(starts, end[mine])]
        line = bars[np.minimum(np.searchsorted(bars, end[mine]), len(bars) - 1)]
        reach = onset[mine] + value[mine]
        into = reach - bars[np.minimum(np.searchsorted(bars, end[mine], side="right") - 1, len(bars) - 1)]
        fits = (reach <= following) & (reach <= line)
        fits &= (reach == following) | (into % max(resolution // 8, 1) == 0)
        out[mine[fits]] = reach[fits]
    return out


def _plain(resolution: int) -> Ints:
    """Undotted values from a 64th to a long, in ticks."""
    return np.array([resolution * 16 >> k for k in range(8, -1, -1) if resolution * 16 % (1 << k) == 0], np.int64)


def _next(length: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The value that is as long or the next longer one, and what is missing to it (negative beyond the longest)."""
    value = values[np.minimum(np.searchsorted(values, length), len(values) - 1)]
    return value, value - length


def _tuplets(values: Ints) -> Ints:
    """Values in threes, fives and sevens."""
    return np.concatenate([values * normal // actual for actual, normal in ((3, 2), (5, 4), (7, 4), (7, 8))])
