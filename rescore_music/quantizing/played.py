"""What snapping works on: notes as played over known beats, and the beats themselves.

Units: places in ticks of the target resolution (fractions allowed), except where a name says seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """The beats of a score.

    Attributes
    ----------
    start : int64 array, shape (beats,)
        In ticks.
    length : int64 array, shape (beats,)
        In ticks; shorter where a bar line cuts a beat.
    compound : bool array, shape (beats,)
        Divided in three by nature (6/8, 9/8, 12/8).
    seconds : float64 array, shape (beats,)
        How long each beat lasts.
    end : int
        End of the last bar in ticks.
    quarter : int
        Ticks per quarter.
    """

    start: Ints
    length: Ints
    compound: Flags
    seconds: Floats
    end: int
    quarter: int

    def beat_of(self, places: npt.ArrayLike) -> Ints:
        """Index of the beat that holds each place."""
        at = np.searchsorted(self.start, np.asarray(places), side="right") - 1
        return np.asarray(np.clip(at, 0, len(self.start) - 1), np.int64)


@dataclass(frozen=True, eq=False)
class Played:
    """Notes of performed parts, in any order. `onset` and `end` are ticks, `drums` says which parts are percussion."""

    onset: Floats
    end: Floats
    pitch: Ints
    part: Ints
    drums: Flags

    def take(self, index: Ints) -> Played:
        """Some of the notes."""
        return Played(self.onset[index], self.end[index], self.pitch[index], self.part[index], self.drums)


def beat_grid(score: Score, source: Ints, bars: Ints, resolution: int) -> BeatGrid:
    """The beats of a score whose bars, at `source` in its own ticks, are written at `bars` in those of `resolution`."""
    starts: list[Ints] = []
    lengths: list[Ints] = []
    compound: list[Flags] = []
    for i in range(len(bars) - 1):
        numerator, denominator = score.meter_at(int(source[i]))
        triple = denominator >= 8 and numerator > 3 and numerator % 3 == 0
        beat = max(4 * resolution // denominator * 3 if triple else resolution // (1 if denominator < 8 else 2), 1)
        length = int(bars[i + 1] - bars[i])
        nominal = 4 * resolution * numerator // denominator
        # the first bar of a piece is a pickup where it is short: it is counted back from its end
        late = -(nominal - length) % beat if i == 0 and length < nominal else 0
        at = np.arange(bars[i] - (beat - late if late else 0), bars[i + 1], beat, dtype=np.int64)
        at[0] = bars[i]
        starts.append(at)
        lengths.append(np.minimum(np.append(at[1:], bars[i + 1]) - at, beat))
        # a beat cut short by its bar is divided like a simple one
        compound.append(np.full(len(at), triple) & (lengths[-1] == beat))
    start, length_ = np.concatenate(starts), np.concatenate(lengths)
    ratio = (source[-1] - source[0]) / max(bars[-1] - bars[0], 1)
    place = np.interp(np.append(start, bars[-1]), bars, source) if ratio else np.append(start, bars[-1])
    seconds = np.maximum(np.diff(score.seconds(place)), 1e-3)
    return BeatGrid(start, length_, np.concatenate(compound), seconds, int(bars[-1]), resolution)
