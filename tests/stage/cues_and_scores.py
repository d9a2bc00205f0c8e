"""Small cues for tests: known notes, known tempi, known hits."""

from __future__ import annotations

import numpy as np

from rescore_music.cues import Cues, Hit
from rescore_music.score import METER, NOTE, Part, Score
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate, Timecode


def cue(
    bars: int = 8,
    meter: tuple[int, int] = (4, 4),
    tempo: TempoMap | None = None,
    pickup: int = 0,
    ticks_per_quarter: int = 480,
) -> Score:
    """One note a beat; `pickup` is the length of an incomplete first bar in ticks."""
    full = ticks_per_quarter * 4 * meter[0] // meter[1]
    starts = np.arange(bars + 1) * full
    barlines = np.concatenate([[0], starts + pickup]) if pickup else starts
    onsets = np.arange(0, barlines[-1], ticks_per_quarter)
    notes = np.zeros(len(onsets), NOTE)
    notes["onset"], notes["duration"], notes["pitch"] = onsets, ticks_per_quarter // 2, 60
    notes["velocity"], notes["step"] = 80, -1
    return Score(
        notes=notes,
        parts=(Part(name="Flute", instrument="flute", program=73),),
        tempo=tempo or TempoMap.constant(100, ticks_per_quarter),
        ticks_per_quarter=ticks_per_quarter,
        meters=np.array([(0, *meter)], METER),
        barlines=barlines,
    )


def bending(ticks_per_quarter: int = 480) -> TempoMap:
    """A tempo that steps and glides, none of it in whole microseconds."""
    places = np.array([0, 1920, 3840, 5760, 9600]) * ticks_per_quarter // 480
    us = np.array([612345.6, 587654.3, 500000.25, 701234.5, 633333.3])
    end = np.array([612345.6, 500000.25, 500000.25, 633333.3, 633333.3])
    return TempoMap(places, us, end, ticks_per_quarter)


def spotting(rate: FrameRate, frames: tuple[int, ...] = (0, 40, 101, 160), start: str = "01:00:00:00") -> Cues:
    """Hits so many frames after the start."""
    first = Timecode.parse(start, rate)
    hits = tuple(Hit(first.frame + f, f"hit {n}", lands="eighth") for n, f in enumerate(frames, 1))
    return Cues(rate, first, hits)
