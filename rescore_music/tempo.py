"""TempoMap: ticks to seconds and back, through tempo steps and linear ramps. The only module that knows both.

Conventions: a tempo is held as microseconds per quarter, as in standard MIDI files, so integer tempi are exact:
sums of ticks x microseconds stay below 2**53 for days of music. A ramp moves the *beats per minute* linearly over
score position (as notation programs draw an accelerando), which has a closed form both ways:

    with r = us/us_end - 1 and f = (tick - start)/(length):  elapsed = us * length * log1p(r f) / r
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rescore_music.errors import ScoreError

Ticks = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DEFAULT_US = 500_000  # 120 quarters a minute, the standard MIDI file's default
US_MIN, US_MAX = 1.0, 6e8  # 60 million to 0.1 quarters a minute
STEP_ERROR = 0.8e-6  # seconds that whole-microsecond tempi may be off: 2e-5 frame at 24 frames a second


@dataclass(frozen=True, eq=False)
class TempoMap:
    """Tempo as a function of score position.

    Parameters
    ----------
    ticks : int64 array, shape (segments,)
        Where each segment starts; the first at 0, strictly rising.
    us : float64 array, shape (segments,)
        Microseconds per quarter at the segment's start.
    us_end : float64 array, shape (segments,), optional
        Microseconds per quarter at the segment's end; equal to `us` for a step. The last segment is always a step.
    ticks_per_quarter : int
        Resolution.

    Raises
    ------
    ScoreError
        If the columns differ in length, do not start at 0, do not rise, or hold an impossible tempo.
    """

    ticks: Ticks
    us: Floats
    us_end: Floats = field(default_factory=lambda: np.zeros(0))
    ticks_per_quarter: int = 480

    def __post_init__(self) -> None:
        ticks = np.array(self.ticks, np.int64).reshape(-1)
        us = np.array(self.us, np.float64).reshape(-1)
        us_end = np.array(self.us_end, np.float64).reshape(-1)
        if not len(us_end):
            us_end = us.copy()
        if not (len(ticks) == len(us) == len(us_end) > 0):
            raise ScoreError("a tempo map needs as many tempi as places")
        if ticks[0] != 0 or np.any(np.diff(ticks) <= 0):
            raise ScoreError("tempo changes must start at tick 0 and rise")
        if not (np.all((us >= US_MIN) & (us <= US_MAX)) and np.all((us_end >= US_MIN) & (us_end <= US_MAX))):
            raise ScoreError("a tempo is outside 0.1 to 60,000,000 quarters a minute")
        if self.ticks_per_quarter <= 0:
            raise ScoreError("ticks per quarter must be positive")
        us_end[-1] = us[-1]
        for name, column in (("ticks", ticks), ("us", us), ("us_end", us_end)):
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    @classmethod
    def constant(cls, bpm: float = 120.0, ticks_per_quarter: int = 480) -> TempoMap:
        """One tempo throughout, in quarters a minute."""
        return cls(np.array([0]), np.array([6e7 / bpm]), ticks_per_quarter=ticks_per_quarter)

    @classmethod
    def from_events(cls, events: Iterable[tuple[int, float]], ticks_per_quarter: int) -> TempoMap:
        """Steps from (tick, microseconds per quarter) pairs in any order; the last of several at a tick counts.

        Before the first event the MIDI default of 120 quarters a minute holds.
        """
        steps = {0: float(DEFAULT_US)}
        for tick, tempo in sorted(events, key=lambda e: e[0]):
            steps[int(tick)] = float(tempo)
        ticks = np.array(sorted(steps), np.int64)
        us = np.array([steps[int(t)] for t in ticks])
        keep = np.concatenate([[True], np.diff(us) != 0])
        return cls(ticks[keep], us[keep], ticks_per_quarter=ticks_per_quarter)

    @cached_property
    def _elapsed(self) -> Floats:
        """Microsecond-ticks before each segment."""
        lengths = np.diff(self.ticks).astype(np.float64)
        return np.concatenate([[0.0], np.cumsum(self._integral(np.arange(len(lengths)), lengths))])

    def _ratio(self, i: npt.NDArray[np.intp]) -> Floats:
        return self.us[i] / self.us_end[i] - 1.0

    def _length(self, i: npt.NDArray[np.intp]) -> Floats:
        return np.append(np.diff(self.ticks), 1)[i].astype(np.float64)

    def _integral(self, i: npt.NDArray[np.intp], into: Floats) -> Floats:
        """Microsecond-ticks from segment i's start to `into` ticks later."""
        r, length = self._ratio(i), self._length(i)
        ramp = r != 0
        safe = np.where(ramp, r, 1.0)
        inside = np.maximum(np.where(ramp, safe * into / length, 0.0), -0.999999999)
        return np.where(ramp, self.us[i] * length * np.log1p(inside) / safe, self.us[i] * into)

    def seconds(self, ticks: npt.ArrayLike) -> Floats:
        """Time of score positions.

        Parameters
        ----------
        ticks : array of ticks, any shape (fractions allowed; before 0 the first tempo is extended)

        Returns
        -------
        float64 array of the same shape, in seconds
        """
        t = np.asarray(ticks)
        i = np.maximum(np.searchsorted(self.ticks, t, side="right") - 1, 0)
        out = self._elapsed[i] + self._integral(i, (t - self.ticks[i]).astype(np.float64))
        return out / (self.ticks_per_quarter * 1e6)

    def ticks_at(self, seconds: npt.ArrayLike) -> Floats:
        """Score position of times: the inverse of `seconds`, as fractional ticks (round to the nearest for events)."""
        goal = np.asarray(seconds, np.float64) * (self.ticks_per_quarter * 1e6)
        i = np.maximum(np.searchsorted(self._elapsed, goal, side="right") - 1, 0)
        rest, r, length, us = goal - self._elapsed[i], self._ratio(i), self._length(i), self.us[i]
        ramp = r != 0
        safe = np.where(ramp, r, 1.0)
        into = np.where(ramp, length * np.expm1(np.where(ramp, rest * safe / (us * length), 0.0)) / safe, rest / us)
        return np.asarray(self.ticks[i] + into, np.float64)

    def us_at(self, ticks: npt.ArrayLike) -> Floats:
        """Microseconds per quarter at score positions."""
        t = np.asarray(ticks)
        i = np.maximum(np.searchsorted(self.ticks, t, side="right") - 1, 0)
        f = np.clip((t - self.ticks[i]) / self._length(i), 0.0, 1.0)
        return np.asarray(self.us[i] / (1.0 + self._ratio(i) * f), np.float64)

    def bpm(self, ticks: npt.ArrayLike) -> Floats:
        """Quarters a minute at score positions."""
        return 6e7 / self.us_at(ticks)

    @property
    def is_stepped(self) -> bool:
        """Whether no segment is a ramp."""
        return bool(np.all(self.us == self.us_end))

    def stepped(self, every: int | None = None, until: int | None = None) -> TempoMap:
        """The same map as steps of whole microseconds, as MIDI can write it, at most `STEP_ERROR` off at any tick.

        Ramps are sampled every `every` ticks, or, unless told, as finely as their slope needs and at least every 32nd
        note; each step is rounded so that its *end* falls as near as possible to the exact time, so rounding never
        accumulates. A constant tempo between whole microseconds alternates between its two neighbours; in the last
        segment, which has no end, it does so up to the tick `until`.
        """
        ticks: list[int] = []
        us: list[int] = []
        done = 0.0  # microsecond-ticks written so far
        stops = [*(int(t) for t in self.ticks[1:]), until if until is not None else -1]
        for i, (start, stop) in enumerate(zip(self.ticks.tolist(), stops, strict=True)):
            if self.us[i] != self.us_end[i]:
                edges = np.append(np.arange(start, stop, every or self._fineness(i)), stop)
                exact = self.seconds(edges) * (self.ticks_per_quarter * 1e6)
                for place, length, goal in zip(edges, np.diff(edges).tolist(), exact[1:].tolist(), strict=False):
                    ticks.append(int(place))
                    us.append(max(1, round((goal - done) / length)))
                    done += us[-1] * length
                continue
            steps = self._alternating(start, stop, float(self.us[i]), done - float(self._elapsed[i]))
            ends = [place for place, _ in steps[1:]] + [max(stop, steps[-1][0])]
            for (place, tempo), end in zip(steps, ends, strict=True):
                ticks.append(place)
                us.append(tempo)
                done += tempo * (end - place)
        keep = np.concatenate([[True], np.diff(us) != 0])
        return TempoMap(np.array(ticks)[keep], np.array(us)[keep], ticks_per_quarter=self.ticks_per_quarter)

    def _fineness(self, i: int) -> int:
        """Ticks between samples of ramp i: straight lines between them stay within `STEP_ERROR` of the curve."""
        fast, slow = sorted((float(self.us[i]), float(self.us_end[i])))
        # microseconds a quarter, gained a quarter, where the curve is steepest
        slope = (slow - fast) * slow / fast * self.ticks_per_quarter / int(self.ticks[i + 1] - self.ticks[i])
        quarters = (6e6 * STEP_ERROR / slope) ** 0.5  # a chord's sagitta is slope * quarters**2 / 8; the rest rounds
        return max(1, min(self.ticks_per_quarter // 8, int(quarters * self.ticks_per_quarter)))

    def _alternating(self, start: int, stop: int, us: float, error: float) -> list[tuple[int, int]]:
        """Steps of a constant tempo as (tick, whole microseconds), `error` microsecond-ticks off at the start."""
        nearest = round(us)
        out = [(start, nearest)]
        if abs(us - nearest) * max(stop - start, 0) / self.ticks_per_quarter < 0.01:
            return out
        bound = STEP_ERROR * 1e6 * self.ticks_per_quarter
        place = start
        while place < stop:
            tempo = out[-1][1]
            drift = tempo - us  # microseconds a quarter gained on the exact time
            room = (bound if drift > 0 else -bound) - error
            length = max(1, int(room / drift))
            place += length
            error += drift * length
            if place < stop:
                out.append((place, int(np.floor(us)) if drift > 0 else int(np.ceil(us))))
        return out

    def rescaled(self, ticks_per_quarter: int) -> TempoMap:
        """The same tempi at a multiple of the resolution."""
        if ticks_per_quarter % self.ticks_per_quarter:
            raise ScoreError(f"{ticks_per_quarter} is no multiple of {self.ticks_per_quarter} ticks per quarter")
        factor = ticks_per_quarter // self.ticks_per_quarter
        return TempoMap(self.ticks * factor, self.us, self.us_end, ticks_per_quarter)

    def slice(self, start: int, end: int) -> TempoMap:
        """The tempi of [start, end), moved to begin at 0; a ramp that is cut keeps its slope up to the cut."""
        inside = self.ticks[(self.ticks > start) & (self.ticks < end)]
        edges = np.concatenate([[start], inside, [max(end, start + 1)]])
        source = np.maximum(np.searchsorted(self.ticks, edges[:-1], side="right") - 1, 0)
        us = self.us_at(edges)
        ramp = self.us[source] != self.us_end[source]
        natural = np.append(self.ticks, np.iinfo(np.int64).max)[source + 1]
        us_end = np.where(ramp, np.where(edges[1:] < natural, us[1:], self.us_end[source]), us[:-1])
        if not ramp[-1]:
            return TempoMap(edges[:-1] - start, us[:-1], us_end, self.ticks_per_quarter)
        # the last segment of a map is a step, so a ramp at the cut needs one more row to end on
        last = us_end[-1]
        return TempoMap(edges - start, np.append(us[:-1], last), np.append(us_end, last), self.ticks_per_quarter)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TempoMap) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __reduce__(self) -> tuple[object, ...]:
        # through the constructor: numpy drops the read-only flag in unpickling
        return (TempoMap, (self.ticks, self.us, self.us_end, self.ticks_per_quarter))

    def to_bytes(self) -> bytes:
        """The content, for digests and equality."""
        head = np.array([self.ticks_per_quarter, len(self.ticks)], "<i8").tobytes()
        columns = (self.ticks.astype("<i8"), self.us.astype("<f8"), self.us_end.astype("<f8"))
        return head + b"".join(column.tobytes() for column in columns)
