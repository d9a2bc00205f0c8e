"""Speeds as edit lists print them: frames a second with one decimal, rounded or cut off, and the exact ratio meant.

`047.9` at 23.976 is twice the speed, `-024.0` at 24 reverse. The ratio meant is taken to be the simplest one that
prints so, by the exact rate or, where that is simpler, by the nominal one (some systems count 23.976 as 24).
"""

from __future__ import annotations

from fractions import Fraction

from rescore_music.timecode import FrameRate


def frames_a_second(speed: Fraction, rate: FrameRate) -> str:
    """A speed for an M2 line: sign, three digits, one decimal."""
    tenths = round(abs(speed) * rate.fps * 10)
    return f"{'-' if speed < 0 else ''}{tenths // 10:03d}.{tenths % 10}"


def speed_of(text: str, rate: FrameRate) -> Fraction:
    """The speed that an M2 line's frames a second mean.

    Examples
    --------
    >>> str(speed_of("047.9", FrameRate.parse("23.976"))), str(speed_of("-012.0", FrameRate.parse(24)))
    ('2', '-1/2')
    """
    number = Fraction(text)
    unit = Fraction(1, 10 ** len(text.partition(".")[2]))
    size = abs(number)
    if not size:
        return Fraction(0)
    # a rounded number lies half a unit either side of what was meant, one cut off up to a unit below it
    low, high = max(size - unit / 2, Fraction(0)), size + unit
    found = [_simplest(low / fps, high / fps) for fps in (rate.fps, Fraction(rate.nominal))]
    best = min(found, key=lambda ratio: ratio.denominator)
    return -best if number < 0 else best


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high), by continued fractions."""
    whole = low.__ceil__()
    if whole < high:
        return Fraction(max(whole, 1)) if whole or high > 1 else Fraction(whole)
    floor = low.__floor__()
    return floor + 1 / _below(1 / (high - floor), 1 / (low - floor))


def _below(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in (low, high]."""
    floor = low.__floor__()
    if floor + 1 <= high:
        return Fraction(floor + 1)
    if low == floor:  # the next one above a whole number: 1/n is needed, as large as fits
        return floor + Fraction(1, (1 / (high - floor)).__ceil__())
    return floor + 1 / _simplest(1 / (high - floor), 1 / (low - floor))
