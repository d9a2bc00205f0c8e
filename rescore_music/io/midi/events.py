"""Messages of MIDI tracks into columns.

Where a message starts depends on where the one before it ended, so a track cannot be cut up in parallel. But from any
byte position the *next* start is a function of a few bytes and of how many data bytes running status takes; numpy
computes it for every position of a block at once, and one short loop then follows the chain. Everything after that
(delta times, running status, data bytes) is again columns. Meta and system messages break the chain and are read one
by one; they are few.

Conventions: ticks from the track's start; running status survives meta and system messages (the standard ends it
there, files do not); data bytes over 127 count as 127.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.errors import ReadError
from rescore_music.io.limits import MIDI_EVENTS, MIDI_MESSAGES
from rescore_music.io.midi.chunks import Container, Repairs

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_BLOCK = 1 << 15
_REGION = _BLOCK + 16  # positions after the block's end, all of which stop the chain
_SKIPPED = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of system messages that may not stand in a file


def _steps(running: int) -> npt.NDArray[np.int32]:
    """By status byte: how far the next message is, plus a region offset where it runs on one data byte."""
    step = np.full(256, -(1 << 24), np.int32)
    step[:128] = running if running == 2 else _REGION + 1
    step[0x80:0xF0] = 3
    step[0xC0:0xE0] = _REGION + 2
    return step


_STEP_TWO, _STEP_ONE = _steps(2), _steps(1)


@dataclass(frozen=True)
class SystemMessage:
    """A meta or system exclusive message: `status` 0xFF (then `kind` is the meta type), 0xF0 or 0xF7."""

    track: int
    tick: int
    order: int
    status: int
    kind: int
    data: bytes
    follows: bool  # directly after another system message: a channel prefix still holds


@dataclass(frozen=True)
class Events:
    """All messages of a file.

    Attributes
    ----------
    tick, track, order : int64 arrays, shape (channel messages,)
        `order` counts all messages of the file, so it also compares with `SystemMessage.order`.
    status, data1, data2 : uint8 arrays of the same shape
    system : list of SystemMessage
    firsts : int64 array, shape (tracks + 1,)
        `order` of each track's first message, then the number of messages.
    ends : int64 array, shape (tracks,)
        Tick of each track's end.
    """

    tick: Ints
    track: Ints
    order: Ints
    status: Bytes
    data1: Bytes
    data2: Bytes
    system: list[SystemMessage]
    firsts: Ints
    ends: Ints


class _Chain:
    """The starts of messages, found block by block."""

    def __init__(self, data: bytes) -> None:
        self.bytes: Bytes = np.frombuffer(data + bytes(_REGION + 16), np.uint8)
        self.size = len(data)
        self.base = -_BLOCK
        self.next: Any = None
        self.array: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self.starts: list[int] = []
        self.done: list[npt.NDArray[np.int32]] = []
        self.counted = 0
        self.skipped = 0
        self.fenced = -1

    @property
    def count(self) -> int:
        return self.counted + len(self.starts)

    def is_too_much(self, system: Sized) -> bool:
        """Whether the file already has more messages than the limits allow."""
        return self.count > MIDI_EVENTS or len(system) + self.skipped > MIDI_MESSAGES

    def flush(self) -> None:
        """Local starts to positions in the file."""
        if self.starts:
            local = np.array(self.starts, np.int32)
            self.done.append(np.where(local >= _REGION, local - _REGION, local) + np.int32(self.base))
            self.counted += len(local)
            self.starts.clear()

    def load(self, base: int) -> None:
        """Compute every successor in the block at `base`."""
        self.flush()
        self.base = base
        block = self.bytes[base : base + _REGION + 8]
        more = block >= 0x80
        n = _REGION
        place = np.arange(n, dtype=np.int32)
        run = more[:n].copy()
        end = place + 1
        for k in range(1, 4):
            end += run
            run &= more[k : k + n]
        status = block[end]
        table = np.empty((2, n), np.int32)
        np.add(end, _STEP_TWO[status], out=table[0])
        np.add(end, _STEP_ONE[status], out=table[1])
        table[:, run] = -1  # a delta time of more than four bytes
        table[:, min(_BLOCK, max(self.size - base, 0)) :] = -1
        self.array = table
        self.next = table.reshape(-1).data

    def follow(self, place: int, region: int, stop: int) -> tuple[int, int]:
        """Add the starts of channel messages from `place` on; returns where the chain broke, and its region there."""
        if not self.base <= place < self.base + _BLOCK:
            self.load(place)
            self.fenced = -1
        if self.fenced != stop:
            self._fence(stop)
            self.fenced = stop
        starts, successor = self.starts, self.next
        append = starts.append
        at = place - self.base + region
        while at >= 0:
            append(at)
            at = successor[at]
        at = starts.pop()
        region = _REGION if at >= _REGION else 0
        return self.base + at - region, region

    def _fence(self, stop: int) -> None:
        """No message of the block may reach over `stop`."""
        local = stop - self.base
        if local >= _REGION + 8:
            return
        low = max(local - 8, 0)
        view = self.array[:, low:local]
        view[np.where(view >= _REGION, view - _REGION, view) > local] = -1
        self.array[:, local : local + 8] = -1


def read_events(container: Container, repairs: Repairs, file: str | None = None) -> Events:
    """Read all tracks.

    Raises
    ------
    ReadError
        If there are more messages than the limits allow.
    """
    chain = _Chain(container.data)
    system: list[tuple[int, int, int, int, bytes, bool]] = []
    firsts = [0]
    for number, (start, stop) in enumerate(container.tracks):
        _read_track(chain, container.data, start, stop, number, system, repairs)
        firsts.append(chain.count)
        if chain.is_too_much(system):
            raise ReadError(f"track {number + 1} has more messages than any music", file=file)
    chain.flush()
    return _columns(chain, system, np.array(firsts, np.int64), repairs)


def _read_track(
    chain: _Chain,
    data: bytes,
    place: int,
    stop: int,
    number: int,
    system: list[tuple[int, int, int, int, bytes, bool]],
    repairs: Repairs,
) -> None:
    """Follow one track to its end; channel messages go to the chain, others to `system`."""
    where = f"track {number + 1}"
    running, region, last_system = False, 0, -1
    while place < stop:
        if not running:
            place = _at_status(data, place, stop, where, repairs)
            if place == stop:
                return
        before = chain.count
        place, region = chain.follow(place, region, stop)
        running |= chain.count > before
        if place >= stop:
            break
        if place >= chain.base + _BLOCK:
            continue
        if chain.is_too_much(system):
            return
        following, message = _system_message(data, place, stop, where, repairs)
        if following < 0:
            return
        order = chain.count
        chain.starts.append(place - chain.base + region)  # a skipped message too, for its delta time counts
        place = following
        if message is None:
            chain.skipped += 1
            continue
        status, kind, content = message
        system.append((number, order, status, kind, content, order == last_system + 1))
        last_system = order
        if status == 0xFF and kind == 0x2F:
            repairs.add(where, f"{stop - place} bytes after the end of the track skipped", stop > place)
            return
    repairs.add(where, "no end-of-track message: the track ends with its last message")


def _at_status(data: bytes, place: int, stop: int, where: str, repairs: Repairs) -> int:
    """`place`, or where to go on if the message there has data bytes that no status announces."""
    at = _after_delta(data, place, stop)
    if at >= stop or data[at] >= 0x80:
        return place
    following = next((i for i in range(at + 1, stop) if data[i] >= 0x80), stop)
    repairs.add(where, f"{following - at} bytes without a status skipped")
    # the byte before the next status can only be its delta time
    return following - 1 if following < stop else stop


def _after_delta(data: bytes, place: int, stop: int) -> int:
    last = min(place + 3, stop - 1)
    while place < last and data[place] >= 0x80:
        place += 1
    return place + 1


def _length(data: bytes, place: int, stop: int) -> tuple[int, int]:
    """A variable-length number and where it ends; (-1, stop) if it is cut off."""
    value = 0
    for i in range(place, min(place + 4, stop)):
        value = value << 7 | data[i] & 0x7F
        if data[i] < 0x80:
            return value, i + 1
    return -1, stop


def _system_message(
    data: bytes, place: int, stop: int, where: str, repairs: Repairs
) -> tuple[int, tuple[int, int, bytes] | None]:
    """The message that broke the chain: (next place, (status, kind, data)); next place -1 ends the track.

    None with a place means a message that is skipped.
    """
    at = _after_delta(data, place, stop)
    if at >= stop or (at - place == 4 and data[at - 1] >= 0x80):
        what = "cut off in the middle of a message" if at >= stop else "a delta time of more than four bytes"
        repairs.add(where, f"{what}: the rest of the track is lost")
        return -1, None
    status = data[at]
    if status in (0xF0, 0xF7, 0xFF):
        kind = data[at + 1] if status == 0xFF and at + 1 < stop else 0
        length, body = _length(data, at + (2 if status == 0xFF else 1), stop)
        if length >= 0 and body + length <= stop:
            return body + length, (status, kind, data[body : body + length])
        if status == 0xFF and kind == 0x2F:
            repairs.add(where, "end-of-track message cut off: completed")
            return stop, (0xFF, 0x2F, b"")
        end = data.find(b"\xf7", at + 1, stop) if status == 0xF0 else -1
        if end >= 0:
            repairs.add(where, "system exclusive message with a wrong length: read up to its end byte")
            return end + 1, (status, 0, data[min(body, end) : end + 1])
        repairs.add(where, "cut off in the middle of a message: the rest of the track is lost")
        return -1, None
    if status >= 0xF0:
        repairs.add(where, f"message {status:02X}, which may not stand in a file, skipped")
        place = at + 1
        for _ in range(_SKIPPED.get(status, 0)):
            place += place < stop and data[place] < 0x80
        return place, None
    repairs.add(where, "cut off in the middle of a message: the rest of the track is lost")
    return -1, None


def _columns(
    chain: _Chain, system: list[tuple[int, int, int, int, bytes, bool]], firsts: Ints, repairs: Repairs
) -> Events:
    """Decode delta times, running status and data bytes of all starts at once."""
    data = chain.bytes
    starts = np.concatenate(chain.done).astype(np.int64) if chain.done else np.zeros(0, np.int64)
    end = starts.copy()
    byte = data[end]
    delta = (byte & 0x7F).astype(np.int64)
    for _ in range(3):
        more = np.flatnonzero(byte >= 0x80)
        if not len(more):
            break
        end[more] += 1
        byte = np.where(byte >= 0x80, data[end], 0).astype(np.uint8)
        delta[more] = delta[more] << 7 | byte[more] & 0x7F
    end += 1
    lengths = np.diff(firsts)
    track = np.repeat(np.arange(len(lengths)), lengths)
    elapsed = np.concatenate([[0], np.cumsum(delta)])
    tick = elapsed[1:] - elapsed[firsts[:-1]][track]
    ends = np.where(lengths > 0, elapsed[firsts[1:]] - elapsed[firsts[:-1]], 0)
    messages = [
        SystemMessage(number, int(tick[order]), order, status, kind, content, follows)
        for number, order, status, kind, content, follows in system
    ]
    status = data[end]
    order = np.flatnonzero(status < 0xF0)
    end, status = end[order], status[order]
    explicit = status >= 0x80
    # the first channel message of a track always has a status, so filling forward never leaves its track
    source = np.maximum.accumulate(np.where(explicit, np.arange(len(order)), 0))
    status = status[source] if len(order) else status
    body = end + explicit
    data1, data2 = data[body], np.where((status >= 0xC0) & (status < 0xE0), 0, data[body + 1]).astype(np.uint8)
    track = track[order]
    for number, count in enumerate(np.bincount(track[(data1 > 127) | (data2 > 127)])):
        repairs.add(f"track {number + 1}", "data byte over 127 taken as 127", int(count))
    data1, data2 = np.minimum(data1, 127), np.minimum(data2, 127)
    return Events(tick[order], track, order, status, data1, data2, messages, firsts, ends.astype(np.int64))
