"""Score: the central value. One read-only structured array of notes and its sibling arrays, in integer ticks.

Conventions: time is ticks (`ticks_per_quarter` to the quarter note), pitch is *sounding* MIDI pitch, a note tied over
bar lines is one note, parts are numbered from 0 in score order. Simultaneity is an equality test. Seconds are a view
through `tempo`. Edits return a new Score.

Velocity is how loud a note sounds; dynamics, hairpins, slurs and lyrics are `Mark`s: what is printed. A note with an
articulation flag keeps its *notated* duration; `Score.sounding` tells how long it sounds. A quantized performance is
written at its notated place and carries how it was played beside it (`onset_shift`, `end_shift`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.bar_numbers import Numbered, numbered
from rescore_music.cutting import cut, joined
from rescore_music.elements import (
    BEND,
    CHANNEL_PRESSURE,
    CONTROL,
    GRACE,
    KEY,
    METER,
    NOTE,
    PROGRAM,
    STEP_SEMITONES,
    Articulation,
    Indices,
    LogItem,
    Mark,
    Marker,
    Metadata,
    Part,
    RawEvent,
    Rows,
    Ticks,
)
from rescore_music.errors import ScoreError
from rescore_music.sounding import sounding
from rescore_music.tempo import TempoMap

__all__ = [
    "BEND",
    "CHANNEL_PRESSURE",
    "CONTROL",
    "GRACE",
    "KEY",
    "METER",
    "NOTE",
    "PROGRAM",
    "STEP_SEMITONES",
    "Articulation",
    "Indices",
    "LogItem",
    "Mark",
    "Marker",
    "Metadata",
    "Part",
    "RawEvent",
    "Rows",
    "Score",
    "Ticks",
    "note_rows",
]

_SORT = {
    "notes": ("onset", "part", "pitch"),
    "controls": ("tick",),
    "bends": ("tick",),
    "programs": ("tick",),
    "meters": ("tick",),
    "keys": ("tick",),
}
_DTYPES = {"notes": NOTE, "controls": CONTROL, "bends": BEND, "programs": PROGRAM, "meters": METER, "keys": KEY}


def _column(name: str) -> Any:
    return field(default_factory=lambda: np.zeros(0, _DTYPES[name]))


def _prepared(name: str, rows: npt.ArrayLike) -> Rows:
    array = np.asarray(rows, dtype=_DTYPES[name]).reshape(-1)
    if len(array) > 1:
        keys = [array[key].astype(np.int64) for key in _SORT[name]]
        if not _rising(keys):
            array = array[np.lexsort(keys[::-1])]  # stable, so messages at one tick keep their order
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _rising(keys: list[npt.NDArray[np.int64]]) -> bool:
    """Whether rows stand in the order of their keys, the first deciding: ten times cheaper than sorting them."""
    level = np.zeros(len(keys[0]) - 1, bool)
    for key in reversed(keys):
        before, after = key[:-1], key[1:]
        level = (before > after) | (before == after) & level
    return not level.any()


@dataclass(frozen=True, eq=False)
class Score:
    """A piece of music.

    Attributes
    ----------
    notes : NOTE array, shape (n,)
        Sorted by onset, part, pitch. Read-only.
    parts : tuple of Part
    tempo : TempoMap
    ticks_per_quarter : int
    meters, keys : METER, KEY arrays
        Rows without a meter mean 4/4.
    controls, bends, programs : CONTROL, BEND, PROGRAM arrays
        Sorted by tick, otherwise in the order of the source.
    marks : tuple of Mark
        Sorted by tick.
    markers : tuple of Marker
    raw : tuple of RawEvent
    barlines : int64 array
        Bar starts, the last entry the end of the last bar, where bars do not simply follow the meters (pickups, bars
        split at a repeat); empty otherwise. Use `bars`.
    length : int
        Ticks to the end of the music, at least the end of the last note.
    first_bar : int
        Printed number of the first bar that is no upbeat: more than 1 in an excerpt.
    metadata : Metadata
    import_log : tuple of LogItem
        What the reader mended or dropped.

    Raises
    ------
    ScoreError
        If a note names no part, lies before 0, or has an impossible pitch; if tempo and score differ in resolution.
    """

    notes: Rows = _column("notes")
    parts: tuple[Part, ...] = ()
    tempo: TempoMap = field(default_factory=TempoMap.constant)
    ticks_per_quarter: int = 480
    meters: Rows = _column("meters")
    keys: Rows = _column("keys")
    controls: Rows = _column("controls")
    bends: Rows = _column("bends")
    programs: Rows = _column("programs")
    marks: tuple[Mark, ...] = ()
    markers: tuple[Marker, ...] = ()
    raw: tuple[RawEvent, ...] = ()
    barlines: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    length: int = 0
    first_bar: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    import_log: tuple[LogItem, ...] = ()

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        for name in _DTYPES:
            put(name, _prepared(name, getattr(self, name)))
        for name in ("parts", "raw", "import_log"):
            put(name, tuple(getattr(self, name)))
        put("marks", tuple(sorted(self.marks, key=lambda m: m.tick)))
        put("markers", tuple(sorted(self.markers, key=lambda m: m.tick)))
        barlines = np.array(self.barlines, np.int64).reshape(-1)
        barlines.flags.writeable = False
        put("barlines", barlines)
        notes = self.notes
        if self.tempo.ticks_per_quarter != self.ticks_per_quarter:
            raise ScoreError("score and tempo map differ in ticks per quarter")
        if len(notes):
            if int(notes["part"].max()) >= len(self.parts):
                raise ScoreError(f"a note belongs to part {int(notes['part'].max())}, but there are {len(self.parts)}")
            if int(notes["pitch"].max()) > 127 or int(notes["velocity"].max()) > 127:
                raise ScoreError("pitch and velocity go from 0 to 127")
            if int(notes["onset"].min()) < 0 or int(notes["duration"].min()) < 0:
                raise ScoreError("a note starts before the beginning or ends before it starts")
        last = int((notes["onset"] + notes["duration"]).max()) if len(notes) else 0
        put("length", max(int(self.length), last, int(barlines[-1]) if len(barlines) else 0))

    # -- views ---------------------------------------------------------------------------------------------------

    @property
    def ends(self) -> Ticks:
        """End of each note in ticks."""
        return np.asarray(self.notes["onset"] + self.notes["duration"], np.int64)

    def seconds(self, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Time of score positions in seconds."""
        return self.tempo.seconds(ticks)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.seconds(self.length))

    @cached_property
    def bars(self) -> Ticks:
        """Bar starts in ticks, then the end of the last bar: at least two entries.

        A meter change inside a bar starts a new bar, as in notation.
        """
        if len(self.barlines) > 1:
            return self.barlines
        meters = self.meters
        if not len(meters) or meters["tick"][0] > 0:
            meters = np.concatenate([np.array([(0, 4, 4)], METER), meters])
        end = max(self.length, 1)
        lengths = np.maximum(
            self.ticks_per_quarter * 4 * meters["numerator"].astype(np.int64) // meters["denominator"], 1
        )
        stops = np.append(meters["tick"][1:], end)
        runs = [np.arange(a, max(b, a), n) for a, b, n in zip(meters["tick"], stops, lengths, strict=True)]
        starts = np.concatenate(runs) if runs else np.zeros(1, np.int64)
        starts = starts[starts < end] if np.any(starts < end) else np.zeros(1, np.int64)
        row = max(int(np.searchsorted(meters["tick"], starts[-1], side="right")) - 1, 0)
        return np.append(starts, starts[-1] + lengths[row]).astype(np.int64)

    def bar_of(self, ticks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Bar index (0 = first) of score positions."""
        last = len(self.bars) - 2
        return np.clip(np.searchsorted(self.bars, np.asarray(ticks), side="right") - 1, 0, last).astype(np.int64)

    @cached_property
    def numbered(self) -> Numbered:
        """Bars as a printed score counts them: see `bar_numbers`."""
        bars, meters = self.bars, self.meters
        named = np.concatenate([[[4, 4]], np.stack([meters["numerator"], meters["denominator"]], axis=1)])
        rows = np.searchsorted(meters["tick"], bars[:-1], side="right")
        return numbered(np.diff(bars), named[rows], 4 * self.ticks_per_quarter, self.first_bar)

    def bar_number(self, ticks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Printed number of the bar of score positions: mostly from 1, an upbeat 0."""
        return np.asarray(self.numbered.number[self.bar_of(ticks)], np.int64)

    def bar_span(self, first: int, last: int) -> tuple[int, int]:
        """Ticks of the bars with the printed numbers `first` to `last`, as far as the score goes."""
        a = int(np.searchsorted(self.numbered.number, first, side="left"))
        b = int(np.searchsorted(self.numbered.number, last, side="right"))
        return int(self.bars[a]), int(self.bars[max(a, b)])

    def bar_beat(self, tick: int) -> tuple[int, float]:
        """Printed number of the bar, and the beat in it from 1.0; an upbeat's beats are counted to its bar line."""
        bar = int(self.bar_of(tick))
        start = int(self.bars[bar])
        into = tick - start + int(self.numbered.before[bar])
        return int(self.numbered.number[bar]), 1.0 + into / self.beat_ticks(start)

    def meter_at(self, tick: int) -> tuple[int, int]:
        """(numerator, denominator) in force at a tick."""
        row = int(np.searchsorted(self.meters["tick"], tick, side="right")) - 1
        return (4, 4) if row < 0 else (int(self.meters["numerator"][row]), int(self.meters["denominator"][row]))

    def beat_ticks(self, tick: int) -> int:
        """Length of the beat in force at a tick: a dotted value in compound meters (6/8, 9/8, 12/8)."""
        numerator, denominator = self.meter_at(tick)
        unit = max(1, self.ticks_per_quarter * 4 // denominator)
        return unit * 3 if denominator >= 8 and numerator > 3 and numerator % 3 == 0 else unit

    def part_notes(self, part: int) -> Indices:
        """Indices of a part's notes, by onset."""
        return np.flatnonzero(self.notes["part"] == part)

    @cached_property
    def pitched(self) -> npt.NDArray[np.bool_]:
        """Per note: whether its part is pitched."""
        percussion = np.array([p.percussion for p in self.parts] or [False])
        return ~percussion[self.notes["part"]] if len(self.notes) else np.zeros(0, bool)

    def sounding(self) -> Rows:
        """The notes as played, in the same order: see `sounding.sounding`."""
        return sounding(self.notes, self.ticks_per_quarter)

    @cached_property
    def played(self) -> Score:
        """The score without cue notes, which stand in a part for its player's eyes and are another part's music."""
        cue = (self.notes["articulation"] & int(Articulation.CUE)) != 0
        return self.replace(notes=self.notes[~cue]) if cue.any() else self

    # -- edits ---------------------------------------------------------------------------------------------------

    def replace(self, **changes: Any) -> Score:
        """A new score with some fields changed; checked like any other."""
        return replace(self, **changes)

    def transposed(self, semitones: int) -> Score:
        """All pitched notes moved; spelling is dropped, keys follow.

        Raises
        ------
        ScoreError
            If a note would leave 0 to 127.
        """
        notes = self.notes.copy()
        moved = notes["pitch"].astype(np.int64) + np.where(self.pitched, semitones, 0)
        if len(moved) and (moved.min() < 0 or moved.max() > 127):
            raise ScoreError(f"transposing by {semitones} semitones leaves the MIDI pitches 0 to 127")
        notes["pitch"] = moved
        notes["step"][self.pitched], notes["alter"][self.pitched] = -1, 0
        keys = self.keys.copy()
        if semitones % 12:  # an octave leaves six sharps six sharps
            keys["fifths"] = (keys["fifths"].astype(int) + 7 * semitones + 6) % 12 - 6
        return self.replace(notes=notes, keys=keys)

    def slice(self, start: int, end: int, parts: Sequence[int] | None = None) -> Score:
        """The music of [start, end) moved to begin at 0, optionally of some parts only: see `cutting.cut`."""
        return cut(self, start, end, parts)

    def rescaled(self, ticks_per_quarter: int) -> Score:
        """The same music at a multiple of the resolution."""
        tempo = self.tempo.rescaled(ticks_per_quarter)
        factor = ticks_per_quarter // self.ticks_per_quarter
        columns: dict[str, Any] = {}
        for name in _DTYPES:
            rows = getattr(self, name).copy()
            for key in ("onset", "duration", "onset_shift", "end_shift", "tick"):
                if key in (rows.dtype.names or ()):
                    rows[key] *= factor
            columns[name] = rows
        return self.replace(
            tempo=tempo,
            ticks_per_quarter=ticks_per_quarter,
            marks=tuple(replace(m, tick=m.tick * factor, end=m.end * factor if m.end >= 0 else -1) for m in self.marks),
            markers=tuple(replace(m, tick=m.tick * factor) for m in self.markers),
            raw=tuple(replace(r, tick=r.tick * factor) for r in self.raw),
            barlines=self.barlines * factor,
            length=self.length * factor,
            **columns,
        )

    def merged(self, *others: Score) -> Score:
        """This score with the parts of others below: see `cutting.joined`."""
        return joined(self, *others)

    # -- identity ------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """SHA-256 of the music: everything but the metadata and the import log, which tell where it came from."""
        h = hashlib.sha256()
        h.update(self.tempo.to_bytes())
        for name in _DTYPES:
            rows = getattr(self, name)
            h.update(f"{name}:{len(rows)};".encode())
            h.update(np.ascontiguousarray(rows).tobytes())
        h.update(self.barlines.astype("<i8").tobytes())
        h.update(repr((self.parts, self.marks, self.markers, self.raw, self.length)).encode())
        if self.first_bar != 1:
            h.update(f"first_bar:{self.first_bar};".encode())
        return h.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        return self.digest() == other.digest() and self.metadata == other.metadata

    def __hash__(self) -> int:
        return hash(self.digest())

    def __reduce__(self) -> tuple[object, ...]:
        # through the constructor: numpy drops the read-only flag in unpickling
        return (_rebuild, (tuple(getattr(self, f.name) for f in fields(self)),))


def _rebuild(values: tuple[Any, ...]) -> Score:
    return Score(*values)


def note_rows(rows: Iterable[tuple[int, int, int, int, int]]) -> Rows:
    """A NOTE array from (onset, duration, pitch, velocity, part) tuples, the rest left at its default."""
    table = np.array(list(rows), np.int64).reshape(-1, 5)
    notes = np.zeros(len(table), NOTE)
    for i, name in enumerate(("onset", "duration", "pitch", "velocity", "part")):
        notes[name] = table[:, i]
    notes["step"] = -1
    return notes
