"""Timecode: labels <-> frames <-> seconds, exactly. The only module that knows frames.

Conventions: a frame is an integer counted from 00:00:00:00; its time is `frame / fps` with `fps` a Fraction, so
01:00:00:00 at 23.976 is 3603.6 s. Labels are `hh:mm:ss:ff`, `hh:mm:ss;ff` for drop frame; they wrap at 24 hours, as
the code on a tape does. Drop frame skips *labels*, never pictures: 2 (at 30) or 4 (at 60) at the start of each minute
that is not a multiple of ten.

Decisions where usage differs: a rate is drop frame only if it says so ("29.97df"; plain "29.97" is non-drop). A `;`
before the frames at a non-drop rate is an error, because the label claims a count that the rate does not have. A `:`
at a drop-frame rate is read as drop frame: many edit lists print it so, and the rate has already told the count.

Sources: SMPTE ST 12-1 (time and control code), section on drop-frame compensation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering

import numpy as np
import numpy.typing as npt

from rescore_music.errors import TimecodeError

Frames = npt.NDArray[np.int64]

_LABEL = re.compile(r"(\d\d)([:;])(\d\d)([:;])(\d\d)([:;])(\d{2,3})")
_RATE = re.compile(r"(?P<number>\d+(?:\.\d+)?|\d+/\d+)\s*(?:fps)?\s*(?P<count>df|ndf|drop|non-drop)?")


_IN_USE = (24, 25, 30, 48, 50, 60, 96, 100, 120)  # nominal frames a second


@dataclass(frozen=True)
class FrameRate:
    """Frames a second, exactly, and how they are labelled.

    Attributes
    ----------
    fps : Fraction
        Pictures a second.
    drop : bool
        Whether labels are dropped to keep up with the clock.

    Raises
    ------
    TimecodeError
        If the rate is not positive, or drop frame where no drop-frame count exists.
    """

    fps: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "fps", Fraction(self.fps))
        if not 1 <= self.fps <= 1000:
            raise TimecodeError(f"a frame rate of {self.fps} does not exist", cure="use 1 to 1000 frames a second")
        if self.drop and (self.fps.denominator != 1001 or self.nominal % 30):
            raise TimecodeError(f"there is no drop-frame count at {self.fps} frames a second", cure="use 29.97df")

    @property
    def nominal(self) -> int:
        """Labels a second: 24 at 23.976."""
        return -(-self.fps.numerator // self.fps.denominator)

    @property
    def dropped(self) -> int:
        """Labels dropped at a dropping minute: 2 at 29.97, 4 at 59.94, otherwise 0."""
        return self.nominal // 15 if self.drop else 0

    @property
    def frames_per_hour(self) -> int:
        """Labels (so frames) from one hour's label to the next."""
        return self.nominal * 3600 - self.dropped * 54

    @property
    def name(self) -> str:
        """As `parse` reads it: "23.976", "29.97df"."""
        if self.fps.denominator == 1:
            return str(self.fps)
        if self.fps.denominator != 1001:
            return f"{self.fps.numerator}/{self.fps.denominator}"
        short = f"{float(self.fps):.{2 if self.nominal % 30 == 0 else 3}f}"
        return short + (("df" if self.drop else "ndf") if self.nominal % 30 == 0 else "")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, text: str | float | Fraction | FrameRate) -> FrameRate:
        """A rate as people write it.

        Parameters
        ----------
        text : str, number or FrameRate
            "24", "23.976", "23.98", "29.97df", "29.97ndf", "59.94 drop", "24000/1001", 25.

        Raises
        ------
        TimecodeError
            If it is not a rate, or none that film, television or games use ("23" is a slip for 23.976).
        """
        if isinstance(text, FrameRate):
            return text
        found = _RATE.fullmatch(str(text).strip().lower())
        if not found:
            raise TimecodeError(f"'{text}' is not a frame rate", cure="such as 24, 23.976, 25, 29.97df, 29.97ndf")
        number = found["number"]
        if "/" in number and int(number.split("/")[1]) == 0:
            raise TimecodeError(f"'{text}' is not a frame rate", cure="such as 24000/1001")
        fps = _exact(Fraction(number))
        nominal = -(-fps.numerator // fps.denominator)
        if nominal not in _IN_USE:
            raise TimecodeError(f"{text} frames a second is not in use", cure="such as 23.976, 24, 25, 29.97df, 30")
        return cls(fps, found["count"] in ("df", "drop"))

    def frame_at(self, seconds: float | Fraction) -> int:
        """The frame whose start is nearest to a time."""
        return round(Fraction(seconds) * self.fps)

    def seconds(self, frames: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Start times of frames in seconds, any shape."""
        return np.asarray(frames, np.float64) * self.fps.denominator / self.fps.numerator


def _exact(number: Fraction) -> Fraction:
    """The rate meant by a rounded one: 23.976, 23.98 and 24/1.001 are all 24000/1001."""
    nominal = -(-number.numerator // number.denominator)
    ntsc = Fraction(nominal * 1000, 1001)
    return ntsc if number != nominal and abs(number - ntsc) < Fraction(1, 100) else number


RATES = tuple(
    FrameRate.parse(text) for text in ("23.976", "24", "25", "29.97df", "29.97ndf", "30", "48", "50", "59.94df", "60")
)


# -- arrays ------------------------------------------------------------------------------------------------------


def frames_from_fields(fields: npt.ArrayLike, rate: FrameRate) -> Frames:
    """Frame counts of (hours, minutes, seconds, frames).

    Parameters
    ----------
    fields : int array, shape (..., 4)
    rate : FrameRate

    Returns
    -------
    int64 array, shape (...)

    Raises
    ------
    TimecodeError
        If a field is out of range or its label is dropped.
    """
    values = np.asarray(fields, np.int64)
    hours, minutes, seconds, frames = np.moveaxis(values, -1, 0)
    bad = (hours < 0) | (hours > 23) | (minutes < 0) | (minutes > 59) | (seconds < 0) | (seconds > 59)
    bad |= (frames < 0) | (frames >= rate.nominal)
    bad |= (frames < rate.dropped) & (seconds == 0) & (minutes % 10 != 0)
    if np.any(bad):
        _refuse(tuple(int(v) for v in values[bad][0]), rate)
    total_minutes = hours * 60 + minutes
    count = (total_minutes * 60 + seconds) * rate.nominal + frames
    return np.asarray(count - rate.dropped * (total_minutes - total_minutes // 10), np.int64)


def fields_from_frames(frames: npt.ArrayLike, rate: FrameRate) -> Frames:
    """(hours, minutes, seconds, frames) of frame counts; the inverse of `frames_from_fields`, wrapping at 24 hours.

    Returns
    -------
    int64 array, shape (..., 4)
    """
    count = np.asarray(frames, np.int64) % (24 * rate.frames_per_hour)
    if rate.dropped:
        # the first minute of ten has all its labels, the other nine lack `dropped`
        tens, rest = np.divmod(count, rate.nominal * 600 - 9 * rate.dropped)
        later = np.maximum(rest - rate.dropped, 0) // (rate.nominal * 60 - rate.dropped)
        count = count + rate.dropped * (9 * tens + later)
    seconds, frame = np.divmod(count, rate.nominal)
    minutes, second = np.divmod(seconds, 60)
    hour, minute = np.divmod(minutes, 60)
    return np.stack([hour, minute, second, frame], axis=-1)


def labels(frames: npt.ArrayLike, rate: FrameRate) -> npt.NDArray[np.str_]:
    """Labels of frame counts, any shape."""
    fields = fields_from_frames(frames, rate)
    digits = 3 if rate.nominal > 100 else 2
    text = np.empty((*fields.shape[:-1], 9 + digits), np.uint8)
    for k, place in enumerate((0, 3, 6)):
        text[..., place], text[..., place + 1] = 48 + fields[..., k] // 10, 48 + fields[..., k] % 10
    for k in range(digits):
        text[..., 9 + k] = 48 + fields[..., 3] // 10 ** (digits - 1 - k) % 10
    text[..., (2, 5)] = ord(":")
    text[..., 8] = ord(";" if rate.drop else ":")
    return text.view(f"S{9 + digits}")[..., 0].astype(f"U{9 + digits}")


def frames_from_labels(texts: Sequence[str] | npt.NDArray[np.str_], rate: FrameRate) -> Frames:
    """Frame counts of labels `hh:mm:ss:ff` or `hh:mm:ss;ff`.

    Parameters
    ----------
    texts : array of str, any shape
    rate : FrameRate

    Returns
    -------
    int64 array of the same shape

    Raises
    ------
    TimecodeError
        If a label is malformed, names a dropped frame, or says drop frame at a non-drop rate.
    """
    given = np.asarray(texts, np.str_)
    width = 12 if rate.nominal > 100 else 11
    # fixed-width labels are read column by column; anything else goes through the parser, which says what is wrong
    if given.size == 0 or int(np.char.str_len(given).min()) != width or int(np.char.str_len(given).max()) != width:
        return np.array([_parse(str(t), rate) for t in given.ravel()], np.int64).reshape(given.shape)
    code = np.ascontiguousarray(given.astype(f"U{width}")).view(np.uint32).reshape(*given.shape, width).astype(np.int64)
    number = code - 48
    separators = code[..., (2, 5, 8)]
    is_digit = np.delete((number >= 0) & (number <= 9), (2, 5, 8), axis=-1).all(axis=-1)
    bad = ~is_digit | ~((separators == ord(":")) | (separators == ord(";"))).all(axis=-1)
    if not rate.drop:
        bad |= (separators == ord(";")).any(axis=-1)
    if np.any(bad):
        _parse(str(given[bad][0]), rate)
    fields = [number[..., k] * 10 + number[..., k + 1] for k in (0, 3, 6)]
    fields.append(sum((number[..., k] * 10 ** (width - 1 - k) for k in range(9, width)), np.zeros_like(number[..., 0])))
    return frames_from_fields(np.stack(fields, axis=-1), rate)


def _parse(text: str, rate: FrameRate) -> int:
    found = _LABEL.fullmatch(text.strip())
    if not found:
        raise TimecodeError(f"'{text}' is not a timecode", cure="write hh:mm:ss:ff, with ; before ff for drop frame")
    if not rate.drop and ";" in (found[2], found[4], found[6]):
        raise TimecodeError(
            f"'{text}' says drop frame, but the rate {rate} is not", cure="use : before the frames, or a df rate"
        )
    return int(frames_from_fields([int(found[k]) for k in (1, 3, 5, 7)], rate))


def _refuse(fields: tuple[int, ...], rate: FrameRate) -> None:
    hours, minutes, seconds, frames = fields
    text = f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if rate.drop else ':'}{frames:02d}"
    for name, value, limit in (("hours", hours, 24), ("minutes", minutes, 60), ("seconds", seconds, 60)):
        if not 0 <= value < limit:
            raise TimecodeError(f"'{text}': {name} go from 00 to {limit - 1}")
    if not 0 <= frames < rate.nominal:
        raise TimecodeError(f"'{text}': frames go from 00 to {rate.nominal - 1:02d} at {rate}")
    raise TimecodeError(
        f"'{text}' does not exist: {rate} drops frames 00 to {rate.dropped - 1:02d} at this minute",
        cure=f"the next label is {text[:9]}{rate.dropped:02d}",
    )


# -- one value ---------------------------------------------------------------------------------------------------


@total_ordering
@dataclass(frozen=True)
class Timecode:
    """One frame of a film.

    Attributes
    ----------
    frame : int
        Frames since 00:00:00:00, not negative.
    rate : FrameRate
    """

    frame: int
    rate: FrameRate

    def __post_init__(self) -> None:
        if self.frame < 0:
            raise TimecodeError(f"frame {self.frame} lies before 00:00:00:00")

    @classmethod
    def parse(cls, label: str, rate: FrameRate | str | float) -> Timecode:
        """The frame of a label; raises `TimecodeError` if there is no such label."""
        known = FrameRate.parse(rate)
        return cls(_parse(label, known), known)

    @classmethod
    def from_seconds(cls, seconds: float | Fraction, rate: FrameRate | str | float) -> Timecode:
        """The frame that starts nearest to a time."""
        known = FrameRate.parse(rate)
        return cls(known.frame_at(seconds), known)

    @property
    def label(self) -> str:
        """`hh:mm:ss:ff`, with `;` for drop frame; wraps at 24 hours."""
        return str(labels(self.frame, self.rate))

    @property
    def seconds(self) -> Fraction:
        """Exact time of the frame's start."""
        return self.frame / self.rate.fps

    def __add__(self, frames: int) -> Timecode:
        return Timecode(self.frame + frames, self.rate)

    def __lt__(self, other: Timecode) -> bool:
        return self.seconds < other.seconds

    def __str__(self) -> str:
        return self.label
