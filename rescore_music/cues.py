"""Cues: what the picture asks of the music, in frames. Hit points, spans, cuts, and where the cue starts and ends.

Conventions: frames are absolute (counted from 00:00:00:00) at `rate`; the cue's first sample is at frame `start`.
Seconds are relative to that first sample. A hit's tolerance is in frames either side.

What a span asks of the music: "dialogue" and "avoid" no tempo change inside (dialogue also a thinner, softer texture);
"hold" that the music waits from its start to its end, as under a fermata; "frozen" the music's own tempo. "silence"
asks nothing: the picture makes no sound there, so the music is alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rescore_music.errors import TimecodeError
from rescore_music.timecode import FrameRate, Timecode

HARD, SOFT = "hard", "soft"
LANDINGS = ("downbeat", "beat", "eighth", "climax", "end")
SPANS = ("dialogue", "avoid", "hold", "frozen", "silence")
_LANDING = re.compile(r"(downbeat|beat|eighth|climax|end|motif:.+)")


@dataclass(frozen=True)
class Hit:
    """A moment of the picture that the music must (hard) or should (soft) mark.

    Attributes
    ----------
    frame : int
        Absolute frame.
    label : str
        What is seen.
    weight : float
        Importance; between soft hits a heavier one pulls harder.
    kind : str
        "hard" or "soft".
    tolerance : float
        Frames either side within which the hit may fall.
    lands : str
        What of the music falls there: "downbeat", "beat", "eighth", "motif:<name>" (an entry of it), "climax" (where
        the music is most intense) or "end".
    """

    frame: int
    label: str = ""
    weight: float = 1.0
    kind: str = HARD
    tolerance: float = 0.0
    lands: str = "beat"

    def __post_init__(self) -> None:
        if self.kind not in (HARD, SOFT):
            raise TimecodeError(f"a hit is hard or soft, not '{self.kind}'")
        if not _LANDING.fullmatch(self.lands):
            raise TimecodeError(
                f"'{self.lands}' is no place for a hit", cure="downbeat, beat, eighth, climax, motif:<name>, end"
            )
        if not 0 < self.weight < 1e6:
            raise TimecodeError(f"a weight must be positive, not {self.weight:g}")
        if not 0 <= self.tolerance < 1e6:
            raise TimecodeError(f"a tolerance is a number of frames from 0, not {self.tolerance:g}")

    @property
    def hard(self) -> bool:
        """Whether it must be met."""
        return self.kind == HARD


@dataclass(frozen=True)
class Span:
    """A stretch of picture [start, end) in frames; `kind` is one of `SPANS`."""

    start: int
    end: int
    kind: str = "dialogue"
    label: str = ""

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise TimecodeError(f"a span must end after it starts, not at frame {self.end}")


@dataclass(frozen=True)
class Cues:
    """What the picture asks of one cue.

    Attributes
    ----------
    rate : FrameRate
    start : Timecode
        The cue's first sample.
    hits : tuple of Hit
        Sorted by frame.
    spans : tuple of Span
    cuts : tuple of int
        Absolute frames at which a new shot starts.
    source : str
        The file it was read from, for messages.
    start_give : int
        Frames by which the first sample may come earlier or later; 0 where it is fixed.
    """

    rate: FrameRate
    start: Timecode
    hits: tuple[Hit, ...] = ()
    spans: tuple[Span, ...] = ()
    cuts: tuple[int, ...] = ()
    source: str = ""
    start_give: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.start_give < 1_000_000:
            raise TimecodeError(f"the start may give a number of frames from 0, not {self.start_give}")
        if self.start.rate != self.rate:
            raise TimecodeError(f"the start is at {self.start.rate}, the hits at {self.rate}")
        object.__setattr__(self, "hits", tuple(sorted(self.hits, key=lambda hit: hit.frame)))
        object.__setattr__(self, "spans", tuple(sorted(self.spans, key=lambda span: (span.start, span.end))))
        object.__setattr__(self, "cuts", tuple(sorted(self.cuts)))

    @classmethod
    def from_hits(
        cls, hits: Iterable[Hit | str], rate: FrameRate | str | float, start: Timecode | str = "00:00:00:00"
    ) -> Cues:
        """Cues from hits, or from bare timecodes.

        Raises
        ------
        TimecodeError
            If a timecode or the rate does not exist.
        """
        known = FrameRate.parse(rate)
        first = start if isinstance(start, Timecode) else Timecode.parse(start, known)
        made = (h if isinstance(h, Hit) else Hit(Timecode.parse(h, known).frame) for h in hits)
        return cls(known, first, tuple(made))

    @cached_property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Each hit's time after the cue's first sample."""
        return np.array([float(self.seconds_of(hit.frame)) for hit in self.hits], np.float64)

    def seconds_of(self, frame: int) -> Fraction:
        """Exact time of an absolute frame after the cue's first sample."""
        return (frame - self.start.frame) / self.rate.fps

    def timecode(self, hit: Hit) -> str:
        """A hit's label as timecode."""
        return Timecode(hit.frame, self.rate).label

    def ending(self, end: Timecode | str, label: str = "End of cue") -> Cues:
        """The same cue with a fixed end: a hard hit for the music's last moment; earlier end hits give way.

        Raises
        ------
        TimecodeError
            If the timecode does not exist at this rate or does not lie after the start.
        """
        last = end if isinstance(end, Timecode) else Timecode.parse(end, self.rate)
        if last.rate != self.rate or last.frame <= self.start.frame:
            raise TimecodeError(f"a cue from {self.start} cannot end at {last}")
        others = (hit for hit in self.hits if hit.lands != "end")
        return replace(self, hits=(*others, Hit(last.frame, label, lands="end")))

    def shifted(self, frames: int) -> Cues:
        """The same cue elsewhere on the reel."""
        return replace(
            self,
            start=self.start + frames,
            hits=tuple(replace(hit, frame=hit.frame + frames) for hit in self.hits),
            spans=tuple(replace(span, start=span.start + frames, end=span.end + frames) for span in self.spans),
            cuts=tuple(cut + frames for cut in self.cuts),
        )
