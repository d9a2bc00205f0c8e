"""The messages of one track on their way to bytes: channel messages in columns, everything else byte for byte.

Convention: messages at one tick are ordered by phase, then as they were added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from rescore_music.errors import WriteError
from rescore_music.score import Rows

Ints = npt.NDArray[np.int64]
RELEASE = 64  # MIDI's default release velocity, written where a note says none


class Phase(IntEnum):
    """Order of messages at one tick."""

    HEAD = 0  # names, ports
    NOTE_OFF = 1
    PROGRAM = 2  # with bank select
    CONTROL = 3
    BEND = 4
    TEXT = 5  # lyrics, text, raw messages
    NOTE_ON = 6
    EMPTY_OFF = 7  # of notes without length


@dataclass
class Columns:
    """Messages of a track, in any order until `to_bytes`."""

    rows: list[npt.NDArray[np.int64]] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)

    def add(
        self, tick: npt.ArrayLike, phase: npt.ArrayLike, status: int, data1: npt.ArrayLike, data2: npt.ArrayLike = 0
    ) -> None:
        """Channel messages: arrays of equal length, or single numbers."""
        columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(c, np.int64)) for c in (tick, phase, data1, data2)))
        ticks, phases, one, two = columns
        self.rows.append(np.stack([ticks, phases, np.full(len(ticks), status), one, two, np.full(len(ticks), -1)]))

    def add_bytes(self, tick: int, phase: Phase, message: bytes) -> None:
        """Any message, as it stands in the file after its delta time."""
        self.rows.append(np.array([[tick], [phase], [0], [0], [0], [len(self.blobs)]]))
        self.blobs.append(message)

    def to_bytes(self, end: int) -> bytes:
        """The track's chunk, with its end at tick `end` or its last message, whichever is later.

        Raises
        ------
        WriteError
            If two messages are further apart than MIDI can say.
        """
        table = np.concatenate(self.rows, axis=1) if self.rows else np.zeros((6, 0), np.int64)
        last = max(end, int(table[0].max(initial=0)))
        table = table[:, np.lexsort((table[1], table[0]))]  # stable: as added within a phase
        ending = np.array([[last], [Phase.EMPTY_OFF], [0], [0], [0], [len(self.blobs)]])
        table = np.concatenate([table, ending], axis=1)
        body = _assembled(table, [*self.blobs, b"\xff\x2f\x00"])
        return b"MTrk" + len(body).to_bytes(4) + body


def _assembled(table: Ints, blobs: list[bytes]) -> bytes:
    tick, _, status, data1, data2, blob = table
    delta = np.diff(tick, prepend=0)
    if len(delta) and int(delta.max()) >= 1 << 28:
        raise WriteError(f"a rest of {int(delta.max())} ticks is longer than MIDI can say", cure="use fewer ticks")
    matrix = np.zeros((len(tick), 7), np.uint8)
    keep = np.zeros(matrix.shape, bool)
    for column, shift in enumerate((21, 14, 7, 0)):
        matrix[:, column] = (delta >> shift & 0x7F) | (0x80 if shift else 0)
        keep[:, column] = (delta >> shift > 0) | (shift == 0)
    message = blob < 0
    matrix[:, 4], matrix[:, 5], matrix[:, 6] = status, data1, data2
    keep[:, 4], keep[:, 5] = message, message
    keep[:, 6] = message & ~((status >= 0xC0) & (status < 0xE0))
    flat = matrix[keep].tobytes()
    ends = np.cumsum(keep.sum(axis=1))
    pieces = []
    done = 0
    for row in np.flatnonzero(~message).tolist():
        stop = int(ends[row])
        pieces += [flat[done:stop], blobs[blob[row]]]
        done = stop
    return b"".join([*pieces, flat[done:]])


def length_bytes(value: int) -> bytes:
    """A variable-length number."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def add_notes(track: Columns, notes: Rows, channel: int) -> None:
    """Note-ons and note-offs of one part; equal pitches that overlap end in the order in which they began."""
    onset, end = notes["onset"], notes["onset"] + notes["duration"]
    pitch = notes["pitch"].astype(np.int64)
    empty = notes["duration"] == 0
    # where equal pitches start together, the one that ends first comes first, so that it meets the first note-off
    order = np.lexsort((end, pitch, onset))
    velocity = np.maximum(notes["velocity"].astype(np.int64), 1)  # velocity 0 would be a note-off
    track.add(onset[order], Phase.NOTE_ON, 0x90 | channel, pitch[order], velocity[order])
    release = np.where(notes["release"] > 0, notes["release"], RELEASE)
    # in the order in which the note-offs will be taken: equal pitches that overlap and end together keep their own
    off = np.lexsort((onset, end))
    phase = np.where(empty, Phase.EMPTY_OFF, Phase.NOTE_OFF)
    track.add(end[off], phase[off], 0x80 | channel, pitch[off], release[off])
