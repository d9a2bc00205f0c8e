"""Shots as matching needs them, and what an editor did in the gaps between what stays.

Conventions: as in `picture`. Speeds are source frames a record frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePath

from rescore_music.edits import Edit
from rescore_music.syncing.conforming.picture import Kept, Moved, PictureChange
from rescore_music.timecode import FrameRate

NAMELESS = ("", "AX", "BL", "BLACK", "NONE")  # reels that name no source


@dataclass(frozen=True)
class Shot:
    """A shot with what matching needs: source frames a record frame, and where it enters its source."""

    edit: Edit
    start: int
    end: int
    speed: Fraction
    entry: Fraction
    names: tuple[str, str, str]

    @property
    def still(self) -> bool:
        """Whether it has no time of its own: a freeze frame, or black."""
        return self.speed == 0 or self.edit.black

    @property
    def low(self) -> Fraction:
        """First source position shown."""
        return self.entry if self.speed >= 0 else self.entry + self.speed * (self.end - self.start)

    @property
    def high(self) -> Fraction:
        """End of the source shown."""
        return self.low + max(abs(self.speed) * (self.end - self.start), Fraction(1))

    @property
    def label(self) -> str:
        """What an editor calls it."""
        if self.edit.black:
            return "black"
        reel = "" if self.edit.reel.upper() in NAMELESS else self.edit.reel
        return (
            " ".join(dict.fromkeys(t for t in (reel, self.edit.clip) if t)) or PurePath(self.edit.file).name or "a shot"
        )


def shots_of(edits: Sequence[Edit], rate: FrameRate) -> list[Shot]:
    """The shots in time, holes as black; where two overlap, the later one counts from its start."""
    shots: list[Shot] = []
    at = edits[0].record_start
    for number, edit in enumerate(edits):
        if edit.record_start > at:
            shots.append(_shot(Edit(at, edit.record_start, 0, 0, "BL"), edit.record_start, rate))
        until = edits[number + 1].record_start if number + 1 < len(edits) else edit.record_end
        end = min(edit.record_end, max(until, edit.record_start))
        if end > edit.record_start:
            shots.append(_shot(edit, end, rate))
        at = max(at, end)
    return shots


def _shot(edit: Edit, end: int, rate: FrameRate) -> Shot:
    reel = "" if edit.reel.upper() in NAMELESS else edit.reel.casefold()
    names = (reel, PurePath(edit.file).name.casefold(), edit.clip.casefold())
    speed = edit.speed * ((edit.source_rate or rate).fps / rate.fps)
    entry = Fraction(edit.source_start if speed >= 0 else edit.source_end)
    return Shot(edit, edit.record_start, end, speed, entry, names)


def free(spans: Iterable[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """What of some spans lies in [start, end)."""
    return [(max(a, start), min(b, end)) for a, b in spans if max(a, start) < min(b, end)]


def without(spans: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """What of some spans lies outside [start, end)."""
    out = []
    for a, b in spans:
        out += [(x, y) for x, y in ((a, min(b, start)), (max(a, end), b)) if x < y]
    return out


def changes(
    kept: Sequence[Kept], moved: Sequence[Moved], old: Sequence[Shot], new: Sequence[Shot]
) -> list[PictureChange]:
    """What was done in each gap, by old place."""
    found: list[PictureChange] = []
    for gap, (before, after) in enumerate(pairwise(kept)):
        for shot, start, end in _parts(old, before.end, after.start, [(m.start, m.end) for m in moved]):
            whole = (start, end) == (shot.start, shot.end)
            what = shot.label if whole else f"{shot.label} {_end_of(shot, start, end)}"
            seam = min(max(before.new_end, 0), after.new)
            found.append(PictureChange("removed" if whole else "shortened", what, start, end, seam, seam, gap))
        for shot, start, end in _parts(new, before.new_end, after.new, [(m.new, m.new_end) for m in moved]):
            whole = (start, end) == (shot.start, shot.end)
            what = shot.label if whole else f"{shot.label} {_end_of(shot, start, end)}"
            found.append(
                PictureChange("inserted" if whole else "lengthened", what, before.end, before.end, start, end, gap)
            )
        for m in moved:
            if before.end <= m.start and m.end <= after.start:
                label = next((s.label for s in old if s.start <= m.start < s.end), "a shot")
                kind = "moved" if m.scale == 1 else "retimed"
                found.append(PictureChange(kind, label, m.start, m.end, m.new, m.new_end, gap))
    return found


def _parts(
    shots: Sequence[Shot], start: int, end: int, claimed: Sequence[tuple[int, int]]
) -> list[tuple[Shot, int, int]]:
    """(shot, start, end) of what lies in a span, less what is claimed."""
    first = max(bisect_right(shots, start, key=lambda s: s.start) - 1, 0)
    out = []
    for shot in shots[first:]:
        if shot.start >= end:
            break
        spans = free([(shot.start, shot.end)], start, end)
        for a, b in claimed:
            spans = without(spans, a, b)
        out += [(shot, a, b) for a, b in spans]
    return out


def _end_of(shot: Shot, start: int, end: int) -> str:
    if end == shot.end:
        return "at its end"
    return "at its start" if start == shot.start else "inside"
