"""Time before the cue: free bars in the cue's first tempo, after as little silence as makes it whole frames.

Conventions: ticks of the score; frames of the picture. A session (click, MIDI, DAW) begins `frames` before the cue's
first sample, so that its own start is a timecode. The silence is one quarter long, between half a second and a frame
more, so that no program meets an absurd tempo. A pickup counts as the end of the last bar before the first full one:
the beats that it lacks are filled up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from rescore_music.elements import METER
from rescore_music.errors import SyncError
from rescore_music.score import Score
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate, Timecode

SILENCE = Fraction(1, 2)  # seconds before the first warning click, at least
MOST_BARS = 16


@dataclass(frozen=True, eq=False)
class Led:
    """A cue with time before it.

    Attributes
    ----------
    score : Score
        The cue moved back by `ticks`, under a tempo map of steps that holds the free bars too.
    ticks : int
        Where the cue begins.
    frames : int
        From the session's beginning to the cue's first sample.
    warning : int
        Where the free bars begin, in ticks.
    bars : int
        Bars before the cue's own first bar.
    first : int
        Printed number of that bar: 0 for an upbeat.
    """

    score: Score
    ticks: int
    frames: int
    warning: int
    bars: int
    first: int

    def origin(self, start: Timecode) -> Timecode:
        """Timecode of the session's beginning, for a cue whose first sample is at `start`; before midnight it wraps."""
        frame = start.frame - self.frames
        return Timecode(frame if frame >= 0 else frame + 24 * start.rate.frames_per_hour, start.rate)


def lead_in(score: Score, rate: FrameRate, free_bars: int = 2) -> Led:
    """Put free bars before a cue.

    Parameters
    ----------
    score : Score
    rate : FrameRate
        Of the picture: the time added is a whole number of its frames.
    free_bars : int
        0 to 16; 0 adds nothing.

    Returns
    -------
    Led

    Raises
    ------
    SyncError
        If there are to be fewer than 0 or more than 16 free bars.
    """
    if not 0 <= free_bars <= MOST_BARS:
        raise SyncError(f"there can be 0 to {MOST_BARS} free bars, not {free_bars}")
    stepped = score.replace(tempo=score.tempo.stepped(until=score.length))
    if not free_bars:
        return Led(stepped, 0, 0, 0, 0, int(score.numbered.number[0]))
    numerator, denominator = score.meter_at(0)
    quarter = score.ticks_per_quarter
    full = quarter * 4 * numerator // denominator
    lacking = int(score.numbered.before[0])  # of an upbeat
    pickup = lacking > 0
    counted = free_bars * full + lacking
    us = float(stepped.tempo.us[0])
    seconds = Fraction(us) * counted / quarter / 1_000_000
    frames = math.ceil((seconds + SILENCE) * rate.fps)
    silence = float((frames / rate.fps - seconds) * 1_000_000)
    ticks = quarter + counted
    tempo = TempoMap(
        np.concatenate([[0, quarter], stepped.tempo.ticks[1:] + ticks]),
        np.concatenate([[silence, us], stepped.tempo.us[1:]]),
        ticks_per_quarter=quarter,
    )
    own = score.bars[1 if pickup else 0 :] + ticks
    bars = np.concatenate([[0], quarter + full * np.arange(free_bars + (1 if pickup else 0)), own])
    meters = score.meters[score.meters["tick"] > 0].copy()
    meters["tick"] += ticks
    head = np.array([(0, 1, 4), (quarter, numerator, denominator)], METER)
    moved = _moved(stepped, ticks, tempo).replace(meters=np.concatenate([head, meters]), barlines=bars)
    return Led(moved, ticks, frames, quarter, 1 + free_bars, int(score.numbered.number[0]))


def _moved(score: Score, ticks: int, tempo: TempoMap) -> Score:
    """Everything later; what is set at the beginning (programs, controllers, keys) is set at the new beginning."""
    columns: dict[str, Any] = {}
    for name, key in (("notes", "onset"), ("controls", "tick"), ("bends", "tick"), ("programs", "tick")):
        columns[name] = getattr(score, name).copy()
        columns[name][key] += np.where((name == "notes") | (columns[name][key] > 0), ticks, 0)
    keys = score.keys.copy()
    keys["tick"] += np.where(keys["tick"] > 0, ticks, 0)
    marks = (replace(m, tick=m.tick + ticks, end=m.end + ticks if m.end >= 0 else -1) for m in score.marks)
    return score.replace(
        tempo=tempo,
        keys=keys,
        marks=tuple(marks),
        markers=tuple(replace(m, tick=m.tick + ticks) for m in score.markers),
        raw=tuple(replace(r, tick=r.tick + ticks if r.tick else 0) for r in score.raw),
        length=score.length + ticks,
        **columns,
    )
