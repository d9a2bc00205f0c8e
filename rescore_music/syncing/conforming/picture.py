"""Where the picture went from one cut to the next, as values.

Conventions: absolute frames of the old and the new cut at one rate; spans are half-open. What *stays* keeps its order,
each stretch with one offset; *gap* k lies between the kept stretches k and k + 1: only there something changed. Before
the first shot and after the last the picture is taken to go on.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from rescore_music.edits import LONGEST
from rescore_music.timecode import FrameRate

FAR = LONGEST << 1  # frames: beyond any picture


@dataclass(frozen=True, order=True)
class Kept:
    """Picture of the old cut, [start, end), that is seen at `new` in the new one, in the same order as all others."""

    start: int
    end: int
    new: int

    @property
    def offset(self) -> int:
        """Frames by which it comes later."""
        return self.new - self.start

    @property
    def new_end(self) -> int:
        """Where it ends in the new cut."""
        return self.end + self.offset


@dataclass(frozen=True)
class Moved:
    """Picture of the old cut that is found elsewhere: old frame f is seen at new + (f - start) * scale."""

    start: int
    end: int
    new: int
    scale: Fraction = Fraction(1)
    guessed: bool = False  # between markers that moved apart: nobody knows

    def image(self, frame: int) -> int:
        """Where a frame of it is seen."""
        return self.new + round((frame - self.start) * self.scale)

    @property
    def new_end(self) -> int:
        """Where it ends in the new cut."""
        return self.image(self.end)


@dataclass(frozen=True)
class PictureChange:
    """One thing an editor did.

    Attributes
    ----------
    kind : str
        "lengthened", "shortened", "inserted", "removed", "moved", "retimed".
    what : str
        The shot or markers it was done to, and at which end.
    old_start, old_end, new_start, new_end : int
        Frames; a span is empty at the place where nothing of it is.
    gap : int
        The gap it belongs to.
    """

    kind: str
    what: str
    old_start: int
    old_end: int
    new_start: int
    new_end: int
    gap: int

    @property
    def frames(self) -> int:
        """By how much the picture is longer (+) or shorter (-) here."""
        if self.kind == "moved":
            return 0
        return (self.new_end - self.new_start) - (self.old_end - self.old_start)


@dataclass(frozen=True)
class PictureMap:
    """Where every frame of the old cut is in the new one.

    Attributes
    ----------
    kept : tuple of Kept
        Rising in both cuts; the first begins and the last ends `FAR` outside.
    moved : tuple of Moved
    changes : tuple of PictureChange
        By old place.
    rate : FrameRate
    """

    kept: tuple[Kept, ...]
    moved: tuple[Moved, ...]
    changes: tuple[PictureChange, ...]
    rate: FrameRate

    def kept_at(self, frame: int) -> Kept | None:
        """The kept stretch that holds an old frame."""
        k = bisect_right(self.kept, frame, key=lambda kept: kept.start) - 1
        return self.kept[k] if k >= 0 and frame < self.kept[k].end else None

    def image(self, frame: int) -> int | None:
        """The new frame that shows what the old one showed; None where it is gone."""
        kept = self.kept_at(frame)
        if kept is not None:
            return frame + kept.offset
        moved = self.moved_at(frame)
        return None if moved is None else moved.image(frame)

    def moved_at(self, frame: int) -> Moved | None:
        """The moved stretch that holds an old frame."""
        return next((m for m in self.moved if m.start <= frame < m.end), None)

    def guessed(self, frame: int) -> bool:
        """Whether an old frame's place is only estimated."""
        return self.kept_at(frame) is None and any(m.guessed and m.start <= frame < m.end for m in self.moved)

    def carried(self, frame: float) -> float:
        """A new place for any old one: its image where that is kept, else as near to its seam as it was."""
        k = max(bisect_right(self.kept, frame, key=lambda kept: kept.start) - 1, 0)
        kept = self.kept[k]
        if frame < kept.end or k + 1 == len(self.kept):
            return frame + kept.offset
        return min(kept.new_end + (frame - kept.end), self.kept[k + 1].new)

    def gap_of(self, frame: int) -> int:
        """The gap at or before an old frame, -1 before the first."""
        return bisect_right(self.kept, frame, key=lambda kept: kept.start) - 2
