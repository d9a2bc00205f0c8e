"""From picture times to frames: the exact rate, the timecode of the first picture, and where a time lies on the grid.

Conventions: frame k of the grid is the picture shown at k / fps after the first one, that is the latest whose time has
come; a picture that comes between two frames is first seen at the later one. Container times are rounded to their tick,
so a picture that is late by no more than one tick (and never by more than a quarter of a frame) is on time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RescoreError
from rescore_music.timecode import RATES, FrameRate, Timecode

Times = npt.NDArray[np.int64]

LATE = Fraction(1, 4)  # of a frame
STEADY = 0.9  # how far times must agree with a grid (1: all of them) before another rate is looked for
LOOKED_AT = 20_000  # pictures


def frame_rate(times: Times, tick: Fraction, told: Sequence[Fraction | None]) -> tuple[Fraction, float]:
    """The frame rate that picture times keep, and how well.

    Parameters
    ----------
    times : int array
        Rising, in ticks.
    tick : Fraction
        Seconds.
    told : sequence of Fraction or None
        What the container says, the most trusted first.

    Returns
    -------
    rate : Fraction
        The first of those told, and then of the rates in use, whose grid the times agree with best.
    steadiness : float
        1 where every picture lies on the grid, 0 where there is none.
    """
    claims = [_snapped(rate) for rate in told if rate is not None and 1 <= rate <= 1000]
    if len(times) < 3:
        return (claims[0] if claims else Fraction(24)), 1.0
    since = (times[:LOOKED_AT] - times[0]).astype(np.float64)
    best, best_fit = None, -1.0
    for rate in dict.fromkeys([*claims, *(r.fps for r in RATES)]):
        places = since * float(tick * rate)
        if not 0.6 < float(np.median(np.diff(places))) < 1.6:
            continue
        fit = float(np.abs(np.exp(2j * np.pi * places).mean()))
        if fit > best_fit + 0.02:
            best, best_fit = rate, fit
    if best is None:  # pictures so sparse that none fits: what the container says, or the mean
        mean = Fraction(len(since) - 1) / Fraction(int(since[-1])) / tick
        return (claims[0] if claims else min((r.fps for r in RATES), key=lambda r: abs(r - mean))), 0.0
    return best, max(best_fit, 0.0)


def _snapped(rate: Fraction) -> Fraction:
    """The rate in use that a rounded one means."""
    near = min((r.fps for r in RATES), key=lambda r: abs(r - rate))
    return near if abs(near - rate) < near / 5000 else rate


def frames_at(times: npt.ArrayLike, first: int, tick: Fraction, rate: Fraction) -> Times:
    """The grid frames at which pictures of these times are first seen, exactly.

    Examples
    --------
    >>> frames_at([0, 42, 83, 130], 0, Fraction(1, 1000), Fraction(24)).tolist()
    [0, 1, 2, 4]
    """
    late = min(tick * rate, LATE)
    given = np.asarray(times, np.int64).ravel().tolist()
    return np.array([-((late - (t - first) * tick * rate) // 1) for t in given], np.int64)


def first_timecode(labels: Sequence[str], fps: Fraction) -> tuple[Timecode, str]:
    """The timecode of the first picture from what a file says, and a remark if what it says does not exist.

    Parameters
    ----------
    labels : sequence of str
        The most trusted first; drop frame where the label says so (`;`).
    fps : Fraction

    Returns
    -------
    timecode : Timecode
        00:00:00:00 where there is none.
    remark : str
    """
    for label in labels:
        text = label.strip()
        for drop in (True, False) if ";" in text or "." in text else (False,):
            plain = text.replace(".", ";") if drop else text.replace(";", ":").replace(".", ":")
            try:
                found = Timecode.parse(plain, FrameRate(fps, drop))
            except RescoreError:
                continue
            told = "" if drop == (";" in text or "." in text) else f"'{text}' says drop frame, which {fps} has not"
            return found, told
    return Timecode(0, FrameRate(fps)), (f"the start '{labels[0].strip()}' does not exist at {fps}" if labels else "")
