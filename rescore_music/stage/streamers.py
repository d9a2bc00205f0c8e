"""What is drawn over the picture, and on which frames: streamers, punches, flutters, bar|beat and timecode.

Conventions: absolute frames at the picture's rate. A streamer is a vertical line that crosses the picture from left to
right in a fixed time and arrives on the hit's frame, where a punch (a bright disc, once a hole punched into the film)
flashes. A flutter is five punches on every other frame, the middle one on the beat: it shows where the beat is without
pulling at it. So hard hits get a streamer and a punch, soft hits a flutter. Green is the start of the cue, red its
end, yellow any other hit, as is usual on the stage. At 48 frames and more a punch lasts twice as many frames, so that
the eye meets the same flash at every rate.

A count is shown from the frame nearest to its beat on: the frame on which a hit lands shows the beat it lands on.

References
----------
Karlin, F. and Wright, R. (2004). On the Track, 2nd edition, chapters on synchronization: the Newman system.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
from rescore_music.errors import SyncError
from rescore_music.stage.lead import Led
from rescore_music.syncing.result import Landing
from rescore_music.timecode import FrameRate, labels

GREEN, YELLOW, RED, WHITE = (60, 220, 90), (250, 215, 60), (235, 60, 50), (255, 255, 255)
FLUTTER = (-4, -2, 0, 2, 4)  # in flashes from the beat
SECONDS = 3.0  # a streamer's usual length
STREAMS = ("hard", "all", "off")
FLUTTERS = ("soft", "downbeats", "off")

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Streamer:
    """A line that sets out at `frame - length` and arrives on `frame`."""

    frame: int
    length: int
    colour: Colour = YELLOW


@dataclass(frozen=True)
class Flash:
    """A disc on frames [start, stop): a punch, or (smaller) one of a flutter's."""

    start: int
    stop: int
    colour: Colour = WHITE
    small: bool = False


@dataclass(frozen=True, eq=False)
class Overlay:
    """Everything that is drawn.

    Attributes
    ----------
    rate : FrameRate
    streamers : tuple of Streamer
    flashes : tuple of Flash
    beats : int array, shape (n,)
        Frames on which the count changes, rising; `counts` names them.
    counts : tuple of str
    timecode : bool
        Whether the timecode is shown.
    """

    rate: FrameRate
    streamers: tuple[Streamer, ...] = ()
    flashes: tuple[Flash, ...] = ()
    beats: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: tuple[str, ...] = ()
    timecode: bool = True

    def count(self, frame: int) -> str:
        """Bar and beat on a frame; nothing before the first and after the last."""
        k = int(np.searchsorted(self.beats, frame, side="right")) - 1
        return self.counts[k] if 0 <= k < len(self.counts) else ""

    def label(self, frame: int) -> str:
        """Timecode of a frame."""
        return str(labels(frame, self.rate)) if self.timecode else ""

    def lines(self, frame: int) -> list[tuple[float, Colour]]:
        """Streamers on a frame: how far across (0 left, 1 right) and their colour."""
        near = (s for s in self.streamers if s.frame - s.length <= frame <= s.frame)
        return [(1.0 - (s.frame - frame) / s.length, s.colour) for s in near]

    def discs(self, frame: int) -> list[Flash]:
        """Punches on a frame."""
        return [flash for flash in self.flashes if flash.start <= frame < flash.stop]


def flash_frames(rate: FrameRate) -> int:
    """Frames of one flash: one, or two at 48 frames a second and more."""
    return max(1, round(rate.nominal / 30))


def overlay(
    led: Led,
    cues: Cues,
    hits: Sequence[Landing],
    *,
    streamers: str = "hard",
    flutters: str = "soft",
    seconds: float = SECONDS,
    bars: bool = True,
    timecode: bool = True,
) -> Overlay:
    """What to draw for a cue.

    Parameters
    ----------
    led : Led
        The cue with its free bars, which are counted -2, -1.
    cues : Cues
        Where the cue starts, and which frames are hit.
    hits : sequence of Landing
        What lands there; one a hit that is drawn.
    streamers : str
        "hard" (and the start), "all" hits, or "off".
    flutters : str
        "soft" hits, "downbeats" of every bar, or "off".
    seconds : float
        A streamer's length, 0.5 to 10.
    bars, timecode : bool
        Whether the count and the timecode are shown.

    Raises
    ------
    SyncError
        If an option is not one of these.
    """
    if streamers not in STREAMS or flutters not in FLUTTERS or not 0.5 <= seconds <= 10:
        cure = f"streamers {', '.join(STREAMS)}; flutters {', '.join(FLUTTERS)}; 0.5 to 10 seconds"
        raise SyncError("that is no way to draw streamers", cure=cure)
    rate, fps = cues.rate, cues.rate.fps
    length, unit = round(seconds * fps), flash_frames(rate)
    lines: list[Streamer] = []
    flashes: list[Flash] = []
    if streamers != "off":
        lines.append(Streamer(cues.start.frame, length, GREEN))
    for hit in hits:
        frame = cues.start.frame + round(hit.target_s * fps)
        if lines and frame == cues.start.frame:
            continue  # the start is the hit
        colour = RED if hit.lands == "end" else YELLOW
        if streamers == "all" or (streamers == "hard" and hit.kind == "hard"):
            lines.append(Streamer(frame, length, colour))
        elif flutters == "soft" and hit.kind == "soft":
            flashes += _flutter(frame, unit, colour)
    flashes += [Flash(line.frame, line.frame + 2 * unit, line.colour) for line in lines]
    beats, counts = _counts(led, cues)
    if flutters == "downbeats":
        taken = {line.frame for line in lines}
        downbeats = (int(f) for f, c in zip(beats, counts, strict=True) if c.endswith("|1"))
        flashes += [flash for f in downbeats if f not in taken for flash in _flutter(f, unit, WHITE)]
    return Overlay(rate, tuple(lines), tuple(flashes), beats, counts if bars else (), timecode)


def _flutter(frame: int, unit: int, colour: Colour) -> list[Flash]:
    return [Flash(frame + k * unit, frame + (k + 1) * unit, colour, small=True) for k in FLUTTER]


def _counts(led: Led, cues: Cues) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Frames of all beats from the first free bar on, and their names; the last is the end of the music."""
    score, names, ticks = led.score, list[str](), list[int]()
    printed = score.numbered.number - int(score.numbered.number[led.bars]) + led.first
    for index, (bar, end) in enumerate(zip(score.bars[:-1].tolist(), score.bars[1:].tolist(), strict=True)):
        if bar < led.warning:
            continue
        number = printed[index] if index >= led.bars else index - led.bars
        places = range(bar, end, score.beat_ticks(bar))
        before = int(score.numbered.before[index]) // places.step
        ticks += places
        names += [f"{number}|{beat}" for beat in range(before + 1, before + len(places) + 1)]
    seconds = score.seconds(np.array([*ticks, int(score.bars[-1])], np.int64))
    frames = np.rint(seconds * float(cues.rate.fps)).astype(np.int64) + cues.start.frame - led.frames
    return frames, (*names, "")
