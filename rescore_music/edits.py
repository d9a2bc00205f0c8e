"""Edit lists: which shot of which source stands where in the picture, and the markers an editor set.

Conventions: record times are absolute frames at the list's rate, source times frames at the source's own rate; every
time is an integer, every speed a Fraction, nothing is a float. A transition *begins* at its edit's `record_start` and
lasts `transition_length` frames over the outgoing source, as edit lists for tape say it; where formats centre it on a
cut, their readers and writers move the seam. `[source_start, source_end)` is the stretch of source that is used; a
reverse shot plays it from its end backwards, a freeze frame shows its first frame. Tracks are "V1", "V2" ... for
picture and "A1", "A2" ... for sound; black has the reel "BL".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from rescore_music.cues import SOFT, Cues, Hit
from rescore_music.elements import LogItem
from rescore_music.errors import TimecodeError
from rescore_music.timecode import FrameRate, Timecode

CUT, DISSOLVE, WIPE = "cut", "dissolve", "wipe"
BLACK = "BL"
FASTEST = 10_000  # times the normal speed: nothing faster is a shot
LONGEST = 1 << 40  # frames: a thousand years at 30 a second, so that products stay far inside 64 bits
_TRACK = re.compile(r"[VA]\d{1,3}|NONE")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SEAMS = {"start": 0, "middle": 1, "end": 2}  # halves of the transition before the cut is counted


def one_line(text: str) -> str:
    """Text without line breaks, runs of blanks and control characters, which no edit list can hold."""
    return " ".join(_CONTROLS.sub("", " ".join(text.split())).split())


@dataclass(frozen=True)
class Edit:
    """One shot in the picture, or one sound beside it.

    Attributes
    ----------
    record_start, record_end : int
        Absolute frames at the list's rate; the end is the first frame after it.
    source_start, source_end : int
        Frames at `source_rate`.
    reel : str
        Reel or source name; "BL" is black.
    clip : str
        What the editor called the clip.
    file : str
        The source's file.
    track : str
        "V1", "A2"; "NONE" for an event that touches neither picture nor sound.
    transition : str
        "cut", "dissolve" or "wipe": how it is entered.
    transition_length : int
        Frames at the list's rate from `record_start`; 0 for a cut.
    outgoing : str
        The reel that the transition leaves.
    wipe : str
        Which wipe: its SMPTE number or its name.
    speed : Fraction
        1 as shot, 2 twice as fast, negative backwards, 0 a freeze frame.
    source_rate : FrameRate, optional
        The source's own rate and count; the list's where it is not told.

    Raises
    ------
    TimecodeError
        If times or transition contradict each other.
    """

    record_start: int
    record_end: int
    source_start: int = 0
    source_end: int = 0
    reel: str = ""
    clip: str = ""
    file: str = ""
    track: str = "V1"
    transition: str = CUT
    transition_length: int = 0
    outgoing: str = ""
    wipe: str = ""
    speed: Fraction = Fraction(1)
    source_rate: FrameRate | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "speed", Fraction(self.speed))
        for name in ("reel", "clip", "file", "outgoing", "wipe"):
            object.__setattr__(self, name, one_line(getattr(self, name)))
        if not 0 <= self.record_start < self.record_end <= LONGEST:
            raise TimecodeError(f"an edit must end after it starts, not run {self.record_start} to {self.record_end}")
        if not 0 <= self.source_start <= self.source_end <= LONGEST:
            raise TimecodeError(f"a source cannot run from frame {self.source_start} to {self.source_end}")
        if not _TRACK.fullmatch(self.track):
            raise TimecodeError(f"'{self.track}' is no track", cure="V1, V2, A1, A2")
        if self.transition not in (CUT, DISSOLVE, WIPE):
            raise TimecodeError(f"'{self.transition}' is no transition", cure="cut, dissolve, wipe")
        if (self.transition == CUT) != (self.transition_length == 0) or self.transition_length < 0:
            raise TimecodeError(f"a {self.transition} cannot last {self.transition_length} frames")
        if self.transition_length > self.frames:
            raise TimecodeError(f"a {self.transition} of {self.transition_length} frames is longer than its shot")
        if abs(self.speed) > FASTEST:
            raise TimecodeError(f"a shot cannot play at {float(self.speed):g} times its speed")

    @property
    def frames(self) -> int:
        """Its length in the picture, at the list's rate."""
        return self.record_end - self.record_start

    @property
    def black(self) -> bool:
        """Whether it is black and not a shot."""
        return self.reel.upper() in (BLACK, "BLACK")

    def source_used(self, rate: FrameRate) -> Fraction:
        """Source frames that its length and speed use, exactly, in a list at `rate`."""
        return self.frames * abs(self.speed) * _ratio(self.source_rate, rate)


def _ratio(source: FrameRate | None, rate: FrameRate) -> Fraction:
    return Fraction(1) if source is None else source.fps / rate.fps


def source_span(at: Fraction, used: Fraction, speed: Fraction) -> tuple[int, int]:
    """Whole source frames touched by a shot that enters its source at `at` and uses `used` frames of it.

    Parameters
    ----------
    at : Fraction
        Source position where the shot is entered; for a reverse shot the position after the first frame shown.
    used : Fraction
        Source frames used, not negative.
    speed : Fraction
        Only its sign counts.
    """
    low, high = (at - used, at) if speed < 0 else (at, at + used)
    first = max(low.__floor__(), 0)
    return first, max(high.__ceil__(), first + 1)


@dataclass(frozen=True)
class PictureMarker:
    """A named moment of the picture.

    Attributes
    ----------
    frame : int
        Absolute frame at the list's rate.
    text, color : str
        One line each; the colour in lower case, empty where none is told.
    length : int
        Frames, at least 1.
    """

    frame: int
    text: str = ""
    color: str = ""
    length: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", one_line(self.text))
        object.__setattr__(self, "color", one_line(self.color.lower()))
        if not 0 <= self.frame <= LONGEST or not 1 <= self.length <= LONGEST:
            raise TimecodeError(f"a marker cannot stand at frame {self.frame} for {self.length} frames")


@dataclass(frozen=True)
class EditList:
    """The picture as an editor cut it.

    Attributes
    ----------
    title : str
    rate : FrameRate
        Of the record times.
    edits : tuple of Edit
        By record start, picture before sound.
    markers : tuple of PictureMarker
        By frame.
    log : tuple of LogItem
        What the reader rounded, guessed or left out; no part of equality.
    source : str
        The file it was read from, for messages; no part of equality.
    """

    title: str
    rate: FrameRate
    edits: tuple[Edit, ...] = ()
    markers: tuple[PictureMarker, ...] = ()
    log: tuple[LogItem, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        known = (e if e.source_rate is not None else replace(e, source_rate=self.rate) for e in self.edits)
        object.__setattr__(self, "title", one_line(self.title))
        object.__setattr__(self, "edits", tuple(sorted(known, key=_order)))
        object.__setattr__(self, "markers", tuple(sorted(self.markers, key=lambda m: (m.frame, m.text))))

    @property
    def tracks(self) -> tuple[str, ...]:
        """The tracks in use, picture first."""
        return tuple(sorted({edit.track for edit in self.edits}, key=_track_order))

    def on(self, track: str) -> tuple[Edit, ...]:
        """The edits of one track, in time."""
        return tuple(edit for edit in self.edits if edit.track == track)

    def cuts(self, track: str = "V1", *, transition: str = "middle") -> tuple[int, ...]:
        """Frames at which something else is seen: a new shot, black, or nothing.

        A through edit (the same source going on) is no cut.

        Parameters
        ----------
        track : str
        transition : str
            Where a dissolve or wipe counts as the cut: at its "start", "middle" (the frame after its first half) or
            "end" (the first frame without the outgoing shot).

        Returns
        -------
        tuple of int
            Absolute frames, rising.
        """
        if transition not in _SEAMS:
            raise TimecodeError(f"'{transition}' is no place in a transition", cure="start, middle, end")
        found: set[int] = set()
        before: Edit | None = None
        for edit in self.on(track):
            if before is not None and before.record_end < edit.record_start and not before.black:
                found.add(before.record_end)
            if before is None or not _goes_on(before, edit, self.rate):
                found.add(edit.record_start + edit.transition_length * _SEAMS[transition] // 2)
            before = edit
        return tuple(sorted(found))

    def cues(self, start: Timecode | str | None = None, *, track: str = "V1", transition: str = "middle") -> Cues:
        """What the picture asks of the music: its cuts, and its markers as soft hits.

        Parameters
        ----------
        start : Timecode or str, optional
            Timecode of the cue's first sample; 00:00:00:00 unless told.
        track, transition : str
            As in `cuts`.

        Raises
        ------
        TimecodeError
            If the start does not exist at the list's rate.
        """
        first = Timecode.parse(start, self.rate) if isinstance(start, str) else start or Timecode(0, self.rate)
        hits = tuple(Hit(marker.frame, marker.text, kind=SOFT) for marker in self.markers)
        return Cues(self.rate, first, hits, cuts=self.cuts(track, transition=transition), source=self.source)


def _track_order(track: str) -> tuple[int, int]:
    return {"V": 0, "A": 1}.get(track[0], 2), int(track[1:]) if track[1:].isdecimal() else 0


def _order(edit: Edit) -> tuple[object, ...]:
    return edit.record_start, _track_order(edit.track), edit.record_end, edit.reel, edit.source_start


def _goes_on(before: Edit, after: Edit, rate: FrameRate) -> bool:
    """Whether a seam is a through edit: the same source goes on at the same speed without a transition."""
    same = (before.reel, before.file, before.speed, before.source_rate) == (
        after.reel,
        after.file,
        after.speed,
        after.source_rate,
    )
    if not same or before.record_end != after.record_start or after.transition != CUT:
        return False
    if before.black:
        return True
    if before.speed == 0:
        return before.source_start == after.source_start
    reached, entered = before.source_start, after.source_start
    if before.speed < 0:
        reached, entered = before.source_end, after.source_end
    step = before.source_used(rate) * (1 if before.speed > 0 else -1)
    return abs(reached + step - entered) < 1


def told(items: Sequence[tuple[str, str, bool]]) -> tuple[LogItem, ...]:
    """Log items of (where, what, lost) remarks: one for each kind, counted, at its first place."""
    counted: dict[str, tuple[str, int, bool]] = {}
    for where, what, lost in items:
        first, count, gone = counted.get(what, (where, 0, lost))
        counted[what] = (first, count + 1, gone or lost)
    return tuple(
        LogItem(where if count == 1 else f"from {where}", what, count, lost)
        for what, (where, count, lost) in counted.items()
    )
