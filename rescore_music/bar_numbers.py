"""Bars as a printed score counts them: an upbeat is bar 0, and the two halves of a bar cut at a repeat are one bar.

Conventions: lengths in ticks of any resolution.

References
----------
MusicXML 4.0, `measure`, attribute `implicit`: pickups and the last half of a bar with a repeat in it are not counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Numbered(NamedTuple):
    """Of each bar its number and how much of the printed bar lies before it: shape (bars,).

    Attributes
    ----------
    number : int64 array
        From 1 (an upbeat 0) or as the first bar says; never falling.
    before : int64 array
        Ticks: 0 but in an upbeat and in the second half of a bar.
    """

    number: Ints
    before: Ints


def numbered(lengths: npt.ArrayLike, meters: npt.ArrayLike, whole: int, first: int = 1) -> Numbered:
    """Numbers of the bars of a score.

    Parameters
    ----------
    lengths : int array, shape (bars,)
    meters : int array, shape (bars, 2)
        Numerator and denominator in force at each bar.
    whole : int
        Ticks of a whole note.
    first : int
        Number of the first bar that is no upbeat.

    Returns
    -------
    Numbered
    """
    length = np.asarray(lengths, np.int64).reshape(-1)
    meter = np.asarray(meters, np.int64).reshape(-1, 2)
    full = whole * meter[:, 0] // np.maximum(meter[:, 1], 1)
    upbeat = len(length) > 1 and bool(length[0] < full[0])
    halves = np.zeros(len(length), bool)  # bars that could end the bar before them
    halves[1:] = (length[:-1] < full[:-1]) & (length[:-1] + length[1:] == full[1:])
    halves[1:] &= np.all(meter[1:] == meter[:-1], axis=1)
    if upbeat:
        halves[1] = False
    place = np.arange(len(length))
    run = place - np.maximum.accumulate(np.where(halves, -1, place))  # of halves in a row, the odd ones end a bar
    second = halves & (run % 2 == 1)
    number = np.cumsum(~second) - int(upbeat) + first - 1
    before = np.where(second, np.concatenate([[0], length[:-1]]), 0)
    if upbeat:
        before[0] = full[0] - length[0]
    return Numbered(number.astype(np.int64), before.astype(np.int64))
