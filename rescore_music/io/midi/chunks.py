"""The container of a standard MIDI file: header and tracks, whatever stands before, between and after them.

Sources: Standard MIDI Files 1.0 (MMA RP-001), RIFF MIDI (RMID). Files in the wild have bytes before the header, chunks
of other kinds, wrong track counts and wrong chunk lengths; each is mended and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rescore_music.errors import ReadError
from rescore_music.io.limits import MIDI_JUNK, MIDI_TRACKS
from rescore_music.score import LogItem

_END = b"\xff\x2f\x00"
_INFO = (b"INAM", b"IART", b"ICOP")


@dataclass
class Repairs:
    """What was mended while reading, gathered by place and kind."""

    items: dict[tuple[str, str], int] = field(default_factory=dict)
    ticks: dict[tuple[str, str], int] = field(default_factory=dict)  # the first of each, where it has one

    def add(self, where: str, what: str, count: int = 1, tick: int = -1) -> None:
        """Count a repair, at a tick or later; none when `count` is 0."""
        if not count:
            return
        self.items[where, what] = self.items.get((where, what), 0) + int(count)
        if tick >= 0:
            self.ticks[where, what] = min(tick, self.ticks.get((where, what), tick))

    def log(self, bar_of: Callable[[list[int]], npt.NDArray[np.int64]] | None = None) -> tuple[LogItem, ...]:
        """The repairs in the order in which they were first met; `bar_of` tells the bars (0 = first) of ticks."""
        bars = {}
        if self.ticks and bar_of is not None:
            bars = dict(zip(self.ticks, bar_of(list(self.ticks.values())).tolist(), strict=True))
        out = []
        for key, count in self.items.items():
            where, what = key
            if key in self.ticks:
                bar = f" (bar {bars[key] + 1})" if key in bars else ""
                where = f"{where}, {'from ' if count > 1 else ''}tick {self.ticks[key]}{bar}"
            out.append(LogItem(where, what, count))
        return tuple(out)


@dataclass(frozen=True)
class Container:
    """A MIDI file's header and where its tracks lie in `data`.

    Attributes
    ----------
    data : bytes
    format : int
        0 one track, 1 simultaneous tracks, 2 independent patterns.
    ticks_per_quarter : int
    real_time_us : float
        Microseconds per quarter that real-time ticks (SMPTE division) stand for; 0 where ticks are musical.
    tracks : tuple of (start, stop)
        Byte positions in `data`.
    cut : int
        Bytes that are missing at the end of the last track, by its own length; 0 where it ends as a track ends.
    info : tuple of (name, text)
        What the RIFF wrapper says of the piece: INAM its name, IART who made it, ICOP whose it is.
    """

    data: bytes
    format: int
    ticks_per_quarter: int
    real_time_us: float
    tracks: tuple[tuple[int, int], ...]
    cut: int = 0
    info: tuple[tuple[str, bytes], ...] = ()


def open_container(data: bytes, repairs: Repairs, file: str | None = None) -> Container:
    """Find header and tracks.

    Raises
    ------
    ReadError
        If there is no MIDI header, or there are more than `limits.MIDI_TRACKS` tracks.
    """
    data, info = _unwrapped(data, repairs)
    start = data.find(b"MThd", 0, MIDI_JUNK + 4)
    if start < 0:
        kind = "text" if data[:512].isascii() and b"\0" not in data[:512] else "something else"
        raise ReadError(f"not a MIDI file: {kind} without a MIDI header", file=file, cure="export it again as MIDI")
    repairs.add("header", f"{start} bytes before the header skipped", start > 0)
    head = data[start : start + 14]
    if len(head) < 14:
        raise ReadError("the MIDI header is cut off", file=file, cure="fetch or export the file again")
    length, midi_format, count, division = (int.from_bytes(head[a:b]) for a, b in ((4, 8), (8, 10), (10, 12), (12, 14)))
    if not 6 <= length <= 1024:
        repairs.add("header", f"header length {length} taken as 6")
        length = 6
    tracks = _find_tracks(data, start + 8 + length, repairs, file)
    if midi_format > 2:
        repairs.add("header", f"unknown format {midi_format} read as {min(1, len(tracks) - 1) if tracks else 1}")
        midi_format = min(1, max(len(tracks) - 1, 0))
    if midi_format == 0 and len(tracks) > 1:
        repairs.add("header", f"format 0 with {len(tracks)} tracks read as format 1")
        midi_format = 1
    if count != len(tracks):
        repairs.add("header", f"the header says {count} tracks, the file has {len(tracks)}")
    resolution, real_time = _division(division, repairs)
    return Container(data, midi_format, resolution, real_time, tracks, _missing(data, tracks), info)


def _missing(data: bytes, tracks: tuple[tuple[int, int], ...]) -> int:
    """Bytes the last track lacks: its length reaches past the file, and no end-of-track message closes it."""
    if not tracks:
        return 0
    start, _ = tracks[-1]
    missing = start + int.from_bytes(data[start - 4 : start]) - len(data)
    return 0 if data.endswith((_END, _END[:2])) else max(missing, 0)


def _unwrapped(data: bytes, repairs: Repairs) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """The MIDI file inside a RIFF-RMID file and what the wrapper says of it; else the data as they are."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data, ()
    inside, info, place = b"", [], 12
    for name, start, stop in _riff_chunks(data, 12, len(data)):
        place = stop + (stop - start) % 2
        if name == b"data" and not inside:
            inside = data[start:stop]
        elif name == b"LIST" and data[start : start + 4] == b"INFO":
            for key, first, last in _riff_chunks(data, start + 4, min(stop, len(data))):
                if key in _INFO:
                    info.append((key.decode("ascii"), data[first:last].rstrip(b"\0")))
                else:
                    repairs.add("file", f"{_name(key)} of the RIFF wrapper ignored")
        else:
            repairs.add("file", f"chunk {_name(name)} of the RIFF wrapper, which is no MIDI, skipped")
    if inside and place < len(data):
        repairs.add("file", f"{len(data) - place} bytes after the RIFF wrapper skipped")
    return inside or data, tuple(info)


def _riff_chunks(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, stop) of the chunks between two places; a stop may lie behind the end."""
    for _ in range(MIDI_TRACKS):
        if place + 8 > end:
            return
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], place + 8, place + 8 + size
        place += 8 + size + size % 2


def _name(chunk: bytes) -> str:
    return repr(chunk.decode("ascii", "replace"))


def _division(division: int, repairs: Repairs) -> tuple[int, float]:
    """Ticks per quarter, and microseconds per quarter if ticks are real time."""
    if division == 0:
        repairs.add("header", "division 0 taken as 480 ticks a quarter")
        return 480, 0.0
    if division < 0x8000:
        return division, 0.0
    nominal, per_frame = 256 - (division >> 8), division & 0xFF
    if nominal not in (24, 25, 29, 30) or per_frame == 0:
        repairs.add("header", f"impossible division {division:#06x} taken as 25 frames of 40 ticks")
        nominal, per_frame = 25, 40
    # 29 stands for 30 drop frame, whose ticks run at 30000/1001 frames a second
    rate = Fraction(30000, 1001) if nominal == 29 else Fraction(nominal)
    ticks = (30 if nominal == 29 else nominal) * per_frame
    quarter = ticks // 2 if ticks % 2 == 0 else ticks  # half a second a quarter, or a whole one
    return quarter, float(quarter / (rate * per_frame) * 1_000_000)


def _is_chunk(data: bytes, place: int) -> bool:
    name = data[place : place + 4]
    return len(name) == 4 and all(0x20 <= byte < 0x7F for byte in name)


def _find_tracks(data: bytes, place: int, repairs: Repairs, file: str | None) -> tuple[tuple[int, int], ...]:
    tracks: list[tuple[int, int]] = []
    while place + 8 <= len(data):
        start, stop = place + 8, place + 8 + int.from_bytes(data[place + 4 : place + 8])
        if data[place : place + 4] == b"MTrk":
            whole = stop <= len(data) and (
                stop > len(data) - 8 or data[stop - 3 : stop] == _END or _is_chunk(data, stop)
            )
            if not whole:
                following = data.find(b"MTrk", start)
                stop = following if following >= 0 else len(data)
                repairs.add(f"track {len(tracks) + 1}", "wrong track length: read up to its end")
            tracks.append((start, stop))
            if len(tracks) > MIDI_TRACKS:
                raise ReadError(f"the file has more than {MIDI_TRACKS} tracks", file=file)
        elif tracks and data[place : place + 4] == b"MThd":
            repairs.add("file", "a further MIDI file behind the first left out")
            return tuple(tracks)
        elif _is_chunk(data, place) and stop <= len(data):
            name = data[place : place + 4].decode("ascii")
            repairs.add("file", f"chunk {name!r}, which is no track, skipped")
        else:
            stop = data.find(b"MTrk", place)
            if stop < 0:
                break
            repairs.add("file", f"{stop - place} bytes between the tracks skipped")
        place = stop
    repairs.add("file", f"{len(data) - place} bytes after the last track skipped", place < len(data))
    return tuple(tracks)
