"""Which hand plays what: the two staves of a keyboard part that was recorded on one.

Each chord is parted into a lower and an upper hand, the parting chosen along the whole part (beam search over the
partings of each chord): a hand spans a ninth or so, stays near where it was, keeps a running figure to itself, does not
cross the other, and the left hand is at home below middle C, the right one above it. Pitches are MIDI numbers, times
ticks; costs are in semitones or so.

References
----------
Nakamura, E., Ono, N., & Sagayama, S. (2014). Merged-output HMM for piano fingering of both hands. Proc. ISMIR.
Gould, E. (2011). Behind Bars, "Keyboard": distribution between the staves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

REACH = 14  # semitones a hand grasps
WIDE = 3.0  # each semitone beyond
HOME_LEFT, HOME_RIGHT = 50.0, 70.0
AT_HOME = 0.12  # each semitone from home, a note
MOVE = 0.25  # each semitone a hand moves, at once; less after a rest
TAKE_OVER = 4.0  # a running figure changes hands
CROSS = 1.5  # each semitone over a note that the other hand holds
BEAM = 12


class _Way(NamedTuple):
    """One way to have come so far: its cost, where each hand is, when it last played, and the partings."""

    cost: float
    left: float
    right: float
    left_at: int
    right_at: int
    only: int  # the hand that alone played the last chord: 0 left, 1 right, -1 both
    cuts: tuple[int, tuple] | tuple  # type: ignore[type-arg]


def hands(onset: Ints, end: Ints, pitch: Ints, quarter: int) -> Ints:
    """The hand of each note.

    Parameters
    ----------
    onset, end, pitch : int64 arrays, shape (n,)
    quarter : int
        Ticks of a quarter.

    Returns
    -------
    int64 array, shape (n,)
        0 = right hand (upper staff), 1 = left.
    """
    out = np.zeros(len(onset), np.int64)
    if not len(onset):
        return out
    order = np.lexsort((pitch, onset))
    starts = np.flatnonzero(np.diff(onset[order], prepend=onset[order[0]] - 1))
    chords = np.split(order, starts[1:])
    ways = [_Way(0.0, HOME_LEFT, HOME_RIGHT, -(10**9), -(10**9), -1, ())]
    for chord in chords:
        heights, at = pitch[chord].tolist(), int(onset[chord[0]])
        grown = [_with(way, heights, cut, at, quarter) for way in ways for cut in range(len(heights) + 1)]
        grown.sort(key=lambda w: w.cost)
        ways = _unlike(grown)
    cuts = []
    link = ways[0].cuts
    while link:
        cuts.append(link[0])
        link = link[1]
    for chord, cut in zip(chords, reversed(cuts), strict=True):
        out[chord[:cut]] = 1
    return out


def _unlike(ways: list[_Way]) -> list[_Way]:
    """The best ways, one for each pair of places of the hands."""
    seen = set()
    out = []
    for way in ways:
        key = (round(way.left), round(way.right), way.only)
        if key not in seen:
            seen.add(key)
            out.append(way)
            if len(out) == BEAM:
                break
    return out


def _with(way: _Way, heights: list[int], cut: int, at: int, quarter: int) -> _Way:
    """A way with one more chord, its `cut` lowest notes for the left hand."""
    low, high = heights[:cut], heights[cut:]
    cost = way.cost
    left, right, left_at, right_at = way.left, way.right, way.left_at, way.right_at
    if low:
        middle = (low[0] + low[-1]) / 2
        cost += WIDE * max(low[-1] - low[0] - REACH, 0) + AT_HOME * sum(max(p - HOME_LEFT, 0) for p in low)
        cost += _move(middle - left, at - left_at, quarter)
        left, left_at = middle, at
    if high:
        middle = (high[0] + high[-1]) / 2
        cost += WIDE * max(high[-1] - high[0] - REACH, 0) + AT_HOME * sum(max(HOME_RIGHT - p, 0) for p in high)
        cost += _move(middle - right, at - right_at, quarter)
        right, right_at = middle, at
    if not low and heights[0] < left - 2 and at - left_at < 2 * quarter:
        cost += CROSS * min(left - heights[0], 8)
    if not high and heights[-1] > right + 2 and at - right_at < 2 * quarter:
        cost += CROSS * min(heights[-1] - right, 8)
    only = -1 if low and high else 0 if low else 1
    if way.only >= 0 and only >= 0 and only != way.only and at - max(way.left_at, way.right_at) < quarter:
        cost += TAKE_OVER
    return _Way(cost, left, right, left_at, right_at, only, (cut, way.cuts))


def _move(semitones: float, ticks: int, quarter: int) -> float:
    """What it costs a hand to have moved in that time."""
    return MOVE * min(abs(semitones), 24) / (1 + min(max(ticks - quarter, 0) / (2 * quarter), 4))
