"""The timecode that is burnt into a picture: looked for while the video is read, and told only where it is certain.

Some bursts of pictures, each a little longer than a second, are searched for a row of figures that counts
(`burnt_rows`, `burnt_count`). Once it is found, single pictures up to the end are read in its own font: nearly all must
show the label that counting on predicts, so a clip whose shots each carry their own tape's timecode is told as such
and not believed. Where a minute passes, the labels themselves tell whether the count is drop frame; otherwise the sign
before the frames does.

Conventions: pictures are luma, at most WIDEST pixels wide; frames are counted on the grid of the picture rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RescoreError
from rescore_music.timecode import FrameRate, Timecode, fields_from_frames
from rescore_music.video.burnt_count import Count, alike, count_of, separator, window
from rescore_music.video.burnt_rows import FIGURES, Luma, Row, rows
from rescore_music.video.grid import frames_at

WIDEST = 1280  # pixels
PROBES = (1.5, 3.0, 4.5, 6.0, 9.0, 12.0, 20.0, 40.0, 80.0)  # seconds at which a row starts a burst, besides the first
BURSTS = 4  # at most, until a timecode is found
LONG = 1.3  # seconds of a burst
LOOKED_AT = 3  # pictures of a burst in which rows are looked for
OFTEN, CLOSE, SELDOM = 1.0, 200.0, 10.0  # seconds between later readings: up to CLOSE seconds, and after
RUNS = 0.9  # of the legible later pictures show what counting predicts
LEGIBLE = 0.4  # correlation of a figure with the nearest, and with the one that is expected ...
BEHIND = 0.12  # ... and by how much another may be ahead of it in a single picture
LEAST = 20  # pictures


@dataclass(frozen=True)
class Burnt:
    """A timecode read from the picture.

    Attributes
    ----------
    start : Timecode
        Of the first picture, at the picture rate.
    drop_known : bool
        Whether the picture tells that the count is, or is not, drop frame.
    read, agreed : int
        Pictures that were read, and those of them that show what counting predicts.
    halved : bool
        Whether each number stands for two pictures.
    runs : bool
        Whether the later pictures show what counting predicts, but for some that are hard to read.
    """

    start: Timecode
    drop_known: bool
    read: int
    agreed: int
    halved: bool = False
    runs: bool = True


@dataclass
class BurntReader:
    """Looks at pictures as they are decoded."""

    fps: Fraction
    tick: Fraction
    count: Count | None = None
    doubt: str = ""
    _row: Row | None = None
    _sign: str = ""
    _origin: int = 0  # grid frame of the first picture of the burst in which the count was read
    _length: int = 0  # its pictures
    _burst: list[Luma] = field(default_factory=list)
    _places: list[int] = field(default_factory=list)
    _tried: int = 0  # bursts
    _probed: int = 0
    _later: list[tuple[int, npt.NDArray[np.float32]]] = field(default_factory=list)
    _next: int = 0

    @property
    def labels(self) -> int:
        """A second's, at the picture rate."""
        return math.ceil(self.fps)

    def see(self, frame: Any, times: list[int]) -> None:
        """A decoded picture; `times` ends with its own."""
        place = len(times) - 1
        if self.count is not None:
            if place >= self._next:
                self._check(_luma(frame), times)
            return
        if not self._burst and not self._begins(frame, place):
            return
        self._burst.append(_luma(frame))
        self._places.append(place)
        if len(self._burst) >= math.ceil(LONG * self.labels) + 2:
            self._search(times)

    def _begins(self, frame: Any, place: int) -> bool:
        """Whether a burst begins here: with the first picture, and later where a row is seen."""
        if self._tried == 0:
            return True
        probed = next((k for k, at in enumerate(PROBES) if at * self.labels > place), len(PROBES))
        if self._tried >= BURSTS or probed <= self._probed:
            return False
        self._probed = probed
        return bool(rows([_luma(frame)]))

    def _grid(self, places: list[int], times: list[int]) -> npt.NDArray[np.int64]:
        return frames_at([times[k] for k in places], times[0], self.tick, self.fps)

    def _search(self, times: list[int]) -> None:
        pictures, places = self._burst, self._places
        self._burst, self._places, self._tried = [], [], self._tried + 1
        if len(pictures) < LEAST or pictures[0].shape != pictures[-1].shape:
            return
        frames = self._grid(places, times)
        step = max((len(pictures) - 1) // (LOOKED_AT - 1), 1)
        for row in rows(pictures[::step]):
            count, counts = count_of(window(pictures, row), frames, self.labels)
            if count is None:
                self.doubt = "cannot be read" if counts else self.doubt
                continue
            self.doubt = ""
            self.count, self._row, self._origin = count, row, int(frames[0])
            self._sign, self._length = separator(pictures, row), len(pictures)
            self._next = places[-1] + 1
            return

    def _check(self, picture: Luma, times: list[int]) -> None:
        """Read one more picture."""
        assert self.count is not None
        assert self._row is not None
        place = len(times) - 1
        self._next = place + round((OFTEN if place < CLOSE * self.labels else SELDOM) * self.labels)
        if self._row.bottom >= picture.shape[0] or self._row.middles()[-1] >= picture.shape[1]:
            return
        self._later.append(
            (int(self._grid([place], times)[0]), alike(window([picture], self._row)[0], self.count.shapes))
        )

    def finish(self, times: list[int], fps: Fraction, drop: bool | None) -> Burnt | None:
        """The timecode, if one is certain; `doubt` tells why not, where something was seen.

        Parameters
        ----------
        times : list of int
            Of all pictures.
        fps : Fraction
            The picture rate that was found in the end.
        drop : bool or None
            What else tells the count.
        """
        if self.count is None and self._burst:
            self._search(times)
        if self.count is None:
            return None
        if fps != self.fps:
            self.doubt = f"counts at {float(self.fps):.5g} pictures a second, which they do not keep"
            return None
        ways = [way for way in (self._counted(False), self._counted(True)) if way is not None]
        nearest = min((behind for behind, _ in ways), default=0.0)
        left = [way for behind, way in ways if behind == nearest]
        if not left or not left[0].runs:
            self.doubt = "does not run on through the whole picture"
            return None
        if len(left) == 1:  # there is no other count at this rate, or a minute has told
            return replace(left[0], drop_known=True)
        wanted = self._sign == ";" if self._sign else drop
        found = next((way for way in left if way.start.rate.drop == bool(wanted)), left[0])
        return replace(found, drop_known=bool(self._sign) or drop is not None)

    def _counted(self, drop: bool) -> tuple[float, Burnt] | None:
        """The timecode if its count is, or is not, drop frame, and how far later pictures are from showing it."""
        assert self.count is not None
        count = self.count
        try:
            whole = FrameRate(self.fps, drop)
            own = FrameRate(self.fps / 2, drop) if count.double else whole
            told = int(Timecode.parse(_label(count.fields, own), own).frame)
        except RescoreError:
            return None
        first = 2 * told + count.second if count.double else told
        start = (first - self._origin) % (24 * whole.frames_per_hour)
        behind, legible, shown = 0.0, 0, 0
        for frame, likeness in self._later:
            fields = fields_from_frames((start + frame) // 2 if count.double else start + frame, own)
            expected = likeness[np.arange(FIGURES), np.stack([fields // 10, fields % 10], axis=1).ravel()]
            short = likeness.max(1) - expected
            behind += float(short.sum())
            legible += bool(likeness.max(1).min() >= LEGIBLE)
            shown += bool(expected.min() >= LEGIBLE and short.max() <= BEHIND)
        runs = shown >= RUNS * legible and 2 * legible >= len(self._later)
        agreed = round(count.agree * self._length) + shown
        return behind, Burnt(Timecode(start, whole), False, self._length + legible, agreed, count.double, runs)


def _label(fields: tuple[int, int, int, int], rate: FrameRate) -> str:
    hours, minutes, seconds, frames = fields
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if rate.drop else ':'}{frames:02d}"


def _luma(frame: Any) -> Luma:
    wide, high = frame.width, frame.height
    if wide > WIDEST:
        wide, high = WIDEST, max(round(high * WIDEST / wide), 1)
    return np.asarray(frame.reformat(wide, high, format="gray", interpolation="AREA").to_ndarray(), np.uint8)
