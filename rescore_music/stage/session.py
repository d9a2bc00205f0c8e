"""A session as a value: what lies where on the timeline of a sequencer or an editor.

Conventions: seconds and ticks from the session's beginning, which is `led.frames` frames before the cue's first sample
(its free bars); beats are quarters. File names are relative to the folder that the session file lies in, with slashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rescore_music.cues import Cues
from rescore_music.stage.lead import Led
from rescore_music.syncing.result import Landing
from rescore_music.timecode import Timecode


@dataclass(frozen=True)
class Item:
    """One sound or video on a track of its own.

    Attributes
    ----------
    name, file : str
    position : Fraction
        Seconds from the session's beginning; below 0 where it begins before.
    seconds : Fraction
        Length.
    rate : int
        Samples a second of a sound; 0 of a video.
    channels : int
    muted : bool
        A mix beside its own stems is there to be compared, not to be added.
    """

    name: str
    file: str
    position: Fraction
    seconds: Fraction
    rate: int = 48000
    channels: int = 2
    muted: bool = False

    @property
    def hidden(self) -> Fraction:
        """Seconds of it that lie before the session."""
        return max(-self.position, Fraction(0))


@dataclass(frozen=True)
class Place:
    """A marker: the tick it stands at, and when that is."""

    tick: int
    seconds: float
    text: str
    kind: str = "hit"


@dataclass(frozen=True)
class Step:
    """A tempo (quarters a minute) and, where it changes, a meter."""

    tick: int
    seconds: float
    bpm: float
    meter: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Session:
    """A cue on a timeline.

    Attributes
    ----------
    title : str
    led : Led
        The cue with its free bars.
    start : Timecode
        Of the cue's first sample.
    sounds : tuple of Item
    video : Item or None
    places : tuple of Place
        Hits, and the cue's start and end.
    """

    title: str
    led: Led
    start: Timecode
    sounds: tuple[Item, ...] = ()
    video: Item | None = None
    places: tuple[Place, ...] = ()

    @property
    def origin_seconds(self) -> Fraction:
        """Time of the session's beginning on the reel; below 0 where the free bars begin before midnight."""
        return (self.start.frame - self.led.frames) / self.start.rate.fps

    @property
    def seconds(self) -> Fraction:
        """Length: to the end of the last item or of the music."""
        items = [*self.sounds, *([self.video] if self.video else [])]
        music = Fraction(float(self.led.score.seconds(int(self.led.score.bars[-1]))))
        return max([music, *(item.position + item.seconds for item in items)])

    def steps(self) -> tuple[Step, ...]:
        """Every change of tempo or meter, in order; bars of irregular length have a meter of their own."""
        from rescore_music.io.midi.meter import written_meters

        meters = {tick: (numerator, denominator) for tick, numerator, denominator in written_meters(self.led.score)}
        tempo = self.led.score.tempo
        ticks = np.union1d(tempo.ticks, np.array(sorted(meters), np.int64))
        rows = zip(ticks.tolist(), tempo.seconds(ticks).tolist(), tempo.bpm(ticks).tolist(), strict=True)
        return tuple(Step(tick, seconds, bpm, meters.get(tick)) for tick, seconds, bpm in rows)


def hit_places(led: Led, cues: Cues, hits: tuple[Landing, ...]) -> tuple[Place, ...]:
    """The cue's start and end and every hit, where the music lands."""
    score = led.score
    end = int(score.bars[-1])
    rows = [(led.ticks, f"START {cues.start.label}", "start")]
    rows += [(hit.tick + led.ticks, f"{hit.label} {hit.timecode}".strip(), "hit") for hit in hits]
    rows.append((end, "END", "end"))
    seconds = score.seconds(np.array([tick for tick, _, _ in rows], np.int64)).tolist()
    return tuple(Place(tick, at, text, kind) for (tick, text, kind), at in zip(rows, seconds, strict=True))
