"""What a video shows and sounds, as a value: the rate, the start, the cuts, and what lies between them.

Conventions: frames are absolute (counted from 00:00:00:00) at `rate`, as in `cues`; spans are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rescore_music.cues import SOFT, Cues, Hit, Span
from rescore_music.elements import LogItem
from rescore_music.timecode import FrameRate, Timecode, labels

CUT_WEIGHT, FLASH_WEIGHT = 1.0, 1.5  # of the soft hits proposed
CUT_TOLERANCE = 2.0  # frames


@dataclass(frozen=True)
class Footage:
    """What was found in a video.

    Attributes
    ----------
    rate : FrameRate
        Exactly; drop frame where the file's timecode is.
    start : Timecode
        Of the first picture: the timecode track, otherwise what the file says elsewhere, otherwise 00:00:00:00.
    frames : int
        Length.
    cuts : tuple of int
        The first frame of every new shot, but for the first.
    flashes : tuple of Span
        Of kind "flash": sudden brightness that is over within a fifth of a second.
    fades : tuple of Span
        Of kind "fade in" or "fade out", from or to black, white or another colour; no cuts.
    dissolves : tuple of Span
        Of kind "dissolve": one shot melts into the next; no cuts.
    dialogue, silence : tuple of Span
        Of the sound.
    steady : bool
        Whether every picture lies on the grid of a constant rate.
    log : tuple of LogItem
        What could not be read or is uncertain; no part of equality.
    source : str
        The file; no part of equality.
    """

    rate: FrameRate
    start: Timecode
    frames: int
    cuts: tuple[int, ...] = ()
    flashes: tuple[Span, ...] = ()
    fades: tuple[Span, ...] = ()
    dissolves: tuple[Span, ...] = ()
    dialogue: tuple[Span, ...] = ()
    silence: tuple[Span, ...] = ()
    steady: bool = True
    log: tuple[LogItem, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)

    @property
    def end(self) -> int:
        """The first frame after it."""
        return self.start.frame + self.frames

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans by time."""
        every = (*self.flashes, *self.fades, *self.dissolves, *self.dialogue, *self.silence)
        return tuple(sorted(every, key=lambda span: (span.start, span.end, span.kind)))

    def to_cues(self) -> Cues:
        """What the picture asks of the music: a soft hit for each cut and flash, dialogue and silence as spans.

        A flash that begins with a shot is that shot's hit. The music begins with the first picture.
        """
        flashes = {span.start for span in self.flashes}
        hits = [
            Hit(cut, f"cut {n}", CUT_WEIGHT, SOFT, CUT_TOLERANCE)
            for n, cut in enumerate(self.cuts, 1)
            if cut not in flashes
        ]
        hits += [
            Hit(frame, f"flash {n}", FLASH_WEIGHT, SOFT, CUT_TOLERANCE) for n, frame in enumerate(sorted(flashes), 1)
        ]
        return Cues(self.rate, self.start, tuple(hits), (*self.dialogue, *self.silence), self.cuts, self.source)

    def notes(self) -> tuple[str, ...]:
        """What spotting notes as CSV have no row for, a line each: rate, start, length, flashes, fades, dissolves."""
        head = (
            f"rate {self.rate}, start {self.start.label}, {self.frames} frames",
            f"read it with --rate {self.rate} --start '{self.start.label}'",
        )
        spans = [span for span in self.spans if span.kind not in ("dialogue", "silence")]
        ends = labels([[span.start, span.end] for span in spans], self.rate) if spans else ()
        return (*head, *(f"{span.kind} {first} {last}" for span, (first, last) in zip(spans, ends, strict=True)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; frames are absolute."""
        return {
            "source": self.source,
            "rate": self.rate.name,
            "fps": [self.rate.fps.numerator, self.rate.fps.denominator],
            "drop": self.rate.drop,
            "start": self.start.label,
            "frames": self.frames,
            "steady": self.steady,
            "cuts": [{"frame": cut, "timecode": str(labels(cut, self.rate))} for cut in self.cuts],
            "spans": [
                {
                    "kind": span.kind,
                    "start": span.start,
                    "end": span.end,
                    "timecode": str(labels(span.start, self.rate)),
                }
                for span in self.spans
            ],
            "log": [{"where": item.where, "what": item.what, "count": item.count} for item in self.log],
        }
