"""Open strings of the instruments that have a fingerboard, and how far a hand spans on them.

Conventions: strings from low to high as sounding MIDI pitches, places on a string in semitones above the open one.
Source: Blatter, Instrumentation and Orchestration, "Multiple stops"; spans are those of a usual adult hand.
"""

from __future__ import annotations

from typing import NamedTuple


class Fingerboard(NamedTuple):
    """Open strings, and how many semitones the hand spans: near the nut, and from `thumb` (a place) on upwards."""

    strings: tuple[int, ...]
    span: int
    bowed: bool = False
    thumb: int = 99
    high_span: int = 0


_GUITAR = Fingerboard((40, 45, 50, 55, 59, 64), 4, thumb=9, high_span=5)
FINGERBOARDS = {
    "violin": Fingerboard((55, 62, 69, 76), 6, True, 7, 9),
    "fiddle": Fingerboard((55, 62, 69, 76), 6, True, 7, 9),
    "viola": Fingerboard((48, 55, 62, 69), 6, True, 7, 8),
    "cello": Fingerboard((36, 43, 50, 57), 5, True, 7, 8),
    "double-bass": Fingerboard((28, 33, 38, 43), 3, True, 10, 5),
    "viola-da-gamba": Fingerboard((38, 43, 48, 52, 57, 62), 5, True),
    "guitar": _GUITAR,
    "steel-guitar": _GUITAR,
    "electric-guitar": _GUITAR,
    "distortion-guitar": _GUITAR,
    "electric-bass": Fingerboard((28, 33, 38, 43), 4),
    "mandolin": Fingerboard((55, 62, 69, 76), 7),
    "ukulele": Fingerboard((60, 64, 67, 69), 5),  # the fourth string sounds above the third
}
