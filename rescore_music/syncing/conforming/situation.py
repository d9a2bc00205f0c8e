"""What plans are made from: the music that met the old cut, the anchors that hold it to the picture, stretches between.

Conventions: ticks of the source, seconds of the old and of the new music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rescore_music.cues import Cues, Hit
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.syncing.conforming.bend import Target
from rescore_music.syncing.conforming.picture import PictureMap
from rescore_music.syncing.conforming.seams import BarEdit
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.splice import Spliced

SAME = 1e-7  # seconds: less is no change of length


@dataclass(frozen=True)
class Anchor:
    """A place where music and picture are held together.

    `kept` is the kept stretch of picture (its number) that it stands in; `hit` is None at start and end, and at the
    ends of frozen spans and holds, which have a `name`.
    """

    tick: int
    old: float
    new: float
    kept: int
    hit: Hit | None = None
    name: str = ""

    @property
    def soft(self) -> bool:
        """Whether it may give way."""
        return self.hit is not None and not self.hit.hard


@dataclass(frozen=True)
class Stretch:
    """The music between two anchors, the hits that fall into it, and what is done to it."""

    left: Anchor
    right: Anchor
    targets: tuple[Target, ...] = ()
    edit: BarEdit = BarEdit()

    @property
    def longer(self) -> float:
        """Seconds by which it is longer in the new cut."""
        return (self.right.new - self.left.new) - (self.right.old - self.left.old)

    @property
    def touched(self) -> bool:
        """Whether anything has to be done."""
        return abs(self.longer) > SAME or any(t.tick < 0 for t in self.targets)


@dataclass(frozen=True, eq=False)
class Situation:
    """Everything that plans are made from.

    Attributes
    ----------
    score : Score
        As it met the old cut.
    grid : Grid
        Of the score; its `holds` are the beats that wait for the old cut's holds.
    cues : Cues
        Of the old cut.
    picture : PictureMap
    analysis : Analysis or None
    steady : tuple of (start, end)
        Seconds of the new music in which no tempo may change.
    """

    score: Score
    grid: Grid
    cues: Cues
    picture: PictureMap
    analysis: Analysis | None
    steady: tuple[tuple[float, float], ...] = ()

    @property
    def frame(self) -> float:
        """Seconds."""
        return float(1 / self.cues.rate.fps)

    def kept_number(self, frame: int) -> int:
        """The kept stretch at or before a frame of the old cut."""
        return self.picture.gap_of(frame) + 1

    def asks(self, stretch: Stretch) -> bool:
        """Whether a steady span or a fermata lies in a stretch, so that its tempo must be worked out to be priced."""
        waits = self.grid.waits
        inside = bool(np.any((waits[:, 0] < stretch.right.tick) & (waits[:, 1] > stretch.left.tick)))
        return inside or any(a < stretch.right.new and b > stretch.left.new for a, b in self.steady)

    def spliced_grid(self, made: Spliced) -> Grid:
        """The grid of the score with bars taken out or played again."""
        if made.score is self.score:
            return self.grid
        pairs = [(made.new_tick(a), made.new_tick(b)) for a, b in self.grid.holds]
        holds = tuple((a, b) for a, b in pairs if a is not None and b is not None and a < b)
        return Grid(made.score, self.analysis, holds)
