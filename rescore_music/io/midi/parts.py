"""A MIDI file on its way from messages to a score's columns: which messages are whose.

Conventions: a part is one (track, port, channel) that plays notes; a *bus* is one channel of one port (of one track in
format 2, whose tracks do not know each other), and parts on one bus share all that happens to the channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rescore_music.errors import ReadError
from rescore_music.io.limits import MIDI_EVENTS, MIDI_MESSAGES, NOTES, PARTS
from rescore_music.io.midi.chunks import Repairs
from rescore_music.io.midi.events import Events
from rescore_music.io.midi.meta import Sheet
from rescore_music.io.midi.notes import pair_notes, silenced
from rescore_music.io.midi.split import told_apart
from rescore_music.score import BEND, CHANNEL_PRESSURE, CONTROL, NOTE, PROGRAM, RawEvent, Rows

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass
class Bus:
    """One channel of one port, and what happens on it: rows of `Events`, by tick."""

    parts: list[int]
    rows: Ints


class Reading:
    """One file on its way from messages to columns: the parts, and which messages are whose."""

    def __init__(self, events: Events, sheet: Sheet, repairs: Repairs, midi_format: int, file: str | None) -> None:
        self.events, self.sheet, self.repairs, self.format, self.file = events, sheet, repairs, midi_format, file
        kind = events.status >> 4
        channel = (events.status & 15).astype(np.int64)
        bus = sheet.ports.of(events.order) * 16 + channel
        if midi_format == 2:
            bus += events.track * 256
        self.bus = bus
        self.is_on = (kind == 9) & (events.data2 > 0)
        self.is_note = (kind == 8) | (kind == 9)
        self.is_beside = kind == 10  # key pressure, and keyswitch notes: messages of a part that are no notes
        for track, keys in sheet.keyswitches.items():
            struck = (events.track == track) & self.is_note & np.isin(events.data1, list(keys))
            repairs.add(
                f"track {track + 1}", "keyswitch notes kept apart from the music", int(np.sum(struck & self.is_on))
            )
            self.is_beside |= struck
        self.is_note &= ~self.is_beside
        self.is_on &= ~self.is_beside
        if int(self.is_beside.sum()) > MIDI_MESSAGES:
            raise ReadError("the file has more key pressure or keyswitch messages than any music", file=file)
        key = events.track << 20 | bus
        self.part_keys = np.unique(key[self.is_on])
        if len(self.part_keys) > PARTS:
            raise ReadError(f"the file has more than {PARTS} parts", file=file)
        if int(self.is_on.sum()) > NOTES:
            raise ReadError(f"the file has more than {NOTES} notes", file=file)
        self.part = np.searchsorted(self.part_keys, key)
        known = self.part < len(self.part_keys)
        known[known] = self.part_keys[self.part[known]] == key[known]
        self.known = known
        self.part_track = self.part_keys >> 20
        self.part_bus = self.part_keys & 0xFFFFF
        self.part_player = np.zeros(len(self.part_keys), np.int64)

    def place(self, part: int) -> str:
        """What a part is called in the log."""
        return f"track {int(self.part_track[part]) + 1}, channel {int(self.part_bus[part]) % 16 + 1}"

    def first_part(self, track: int, channel: int = -1) -> int:
        """The part a track's (or a channel's) text and raw messages belong to, or -1."""
        low, high = (int(i) for i in np.searchsorted(self.part_track, [track, track + 1]))
        for part in range(low, high):
            if channel < 0 or int(self.part_bus[part]) % 16 == channel:
                return part
        return low if high > low else -1

    def part_on(self, track: int, port: int) -> int:
        """The part that what a track sends to a port belongs to: the track's own, else the port's first; or -1."""
        on_port = np.flatnonzero(self.part_bus // 16 % 16 == port)
        own = on_port[self.part_track[on_port] == track]
        return int(own[0]) if len(own) else int(on_port[0]) if len(on_port) else -1

    # -- notes ---------------------------------------------------------------------------------------------------

    def notes(self) -> Rows:
        """The NOTE array."""
        events = self.events
        rows = np.flatnonzero(self.is_note & self.known)
        places = [self.place(i) for i in range(len(self.part_keys))]
        part, tick = self.part[rows], events.tick[rows]
        orphans = self.is_note & ~self.known
        self.repairs.add("file", "note-off on a channel that plays no note dropped", int(orphans.sum()))
        ends = np.zeros(len(places), np.int64)
        np.maximum.at(ends, part, tick)
        on, end, off = pair_notes(tick, part, events.data1[rows], self.is_on[rows], ends, places, self.repairs)
        notes = np.zeros(len(on), NOTE)
        notes["onset"] = tick[on]
        silence = (events.status >> 4 == 11) & ((events.data1 == 120) | (events.data1 >= 123))
        buses = self.part_bus[part[on]]
        end = silenced(tick[on], end, buses, events.tick[silence], self.bus[silence])
        notes["duration"] = end - tick[on]
        notes["pitch"], notes["velocity"] = events.data1[rows[on]], events.data2[rows[on]]
        notes["part"], notes["step"] = part[on], -1
        notes["release"] = self._releases(rows[off[off >= 0]], off >= 0)
        zero = notes["duration"] == 0
        for number in np.unique(part[on][zero]).tolist():
            ticks = tick[on][zero & (part[on] == number)]
            self.repairs.add(places[number], "note without length kept", len(ticks), int(ticks.min()))
        return notes

    def _releases(self, offs: Ints, ended: npt.NDArray[np.bool_]) -> Bytes:
        """Release velocity of each note; 0 where its end says none (a note-on of velocity 0), or MIDI's default, 64."""
        events, out = self.events, np.zeros(len(ended), np.uint8)
        value = events.data2[offs]
        out[ended] = np.where((events.status[offs] >> 4 == 8) & (value != 64), value, 0)
        return out

    def split(self, notes: Rows) -> None:
        """Divide parts whose channel changes to another player's program: renumbers `notes` and all parts."""
        groups: dict[int, tuple[Ints, Ints, Ints]] = {}  # part -> its notes, their players, players by program change
        buses = self.buses()
        first = int(notes["onset"].min()) if len(notes) else 0
        for bus in buses.values():
            if not bus.parts or not len(programs := self.channel_rows(bus)[2]):
                continue
            if len(programs) == 1 and programs["tick"][0] <= first:
                continue
            kits = self._kits(int(self.part_bus[bus.parts[0]]) % 256, programs)
            for part in bus.parts:
                own = np.flatnonzero(notes["part"] == part)
                number, by_change = told_apart(notes["onset"][own], programs, kits)
                if number.max(initial=0) > 0:
                    groups[part] = own, number, by_change
        size = np.ones(len(self.part_keys), np.int64)
        for part, (_, number, _) in groups.items():
            size[part] = int(number.max()) + 1
        rows = sum(int(size[bus.parts].sum()) * len(bus.rows) for bus in buses.values())
        if not groups or int(size.sum()) > PARTS or rows > MIDI_EVENTS:
            return
        for part in groups:
            self.repairs.add(self.place(part), "program changes: a part for each instrument", int(size[part]))
        base = np.cumsum(size) - size
        notes["part"] = base[notes["part"]]
        for own, number, _ in groups.values():
            notes["part"][own] += number.astype(np.uint16)
        self._renumber(base, size, groups)

    def _kits(self, place: int, programs: Rows) -> npt.NDArray[np.bool_]:
        """Whether a channel of a port is percussion before its first program change, and with each."""
        ticks, banks = np.append(0, programs["tick"]), np.append(0, programs["bank"].astype(np.int64))
        return self.sheet.drums.at(ticks, place, banks)

    def _renumber(self, base: Ints, size: Ints, groups: dict[int, tuple[Ints, Ints, Ints]]) -> None:
        """The parts after a division; key pressure goes to whoever plays at its tick."""
        pressed = np.flatnonzero(self.is_beside & self.known)
        part = self.part[pressed]
        self.part = np.where(self.known, base[np.minimum(self.part, len(base) - 1)], self.part)
        buses = self.buses()
        for old, (_, _, by_change) in groups.items():
            own = pressed[part == old]
            programs = self.channel_rows(buses[int(self.part_bus[old])])[2]
            at = np.searchsorted(programs["tick"], self.events.tick[own], side="right")
            self.part[own] += by_change[at]
        self.part_keys = np.repeat(self.part_keys, size)
        self.part_track, self.part_bus = self.part_keys >> 20, self.part_keys & 0xFFFFF
        self.part_player = np.arange(len(self.part_keys)) - np.repeat(base, size)

    # -- channels ------------------------------------------------------------------------------------------------

    def buses(self) -> dict[int, Bus]:
        """What happens on every channel, by tick; at one tick in the order of the tracks."""
        out = {bus: Bus([], span) for bus, span in self._spans.items()}
        for part, bus in enumerate(self.part_bus.tolist()):
            out.setdefault(bus, Bus([], np.zeros(0, np.int64))).parts.append(part)
        if sum(len(b.parts) * len(b.rows) for b in out.values()) > MIDI_EVENTS:
            raise ReadError("the file has more controllers than any music", file=self.file)
        return out

    @cached_property
    def _spans(self) -> dict[int, Ints]:
        rows = np.flatnonzero(~self.is_note & ~self.is_beside)
        rows = rows[np.lexsort((self.events.tick[rows], self.bus[rows]))]
        used, first = np.unique(self.bus[rows], return_index=True)
        return dict(zip(used.tolist(), np.split(rows, first[1:]), strict=True)) if len(used) else {}

    def channel_rows(self, bus: Bus) -> tuple[Rows, Rows, Rows]:
        """CONTROL, BEND and PROGRAM rows of one channel, without their part."""
        events, rows = self.events, bus.rows
        kind, data1, data2 = events.status[rows] >> 4, events.data1[rows], events.data2[rows]
        change, bend, program = (kind == 11) | (kind == 13), kind == 14, kind == 12
        controls = np.zeros(int(change.sum()), CONTROL)
        controls["tick"] = events.tick[rows[change]]
        controls["number"] = np.where(kind == 13, CHANNEL_PRESSURE, data1.astype(np.int64))[change]
        controls["value"] = np.where(kind == 13, data1, data2)[change]
        bends = np.zeros(int(bend.sum()), BEND)
        bends["tick"] = events.tick[rows[bend]]
        bends["value"] = (data2[bend].astype(np.int64) << 7 | data1[bend]) - 8192
        programs = np.zeros(int(program.sum()), PROGRAM)
        programs["tick"], programs["program"] = events.tick[rows[program]], data1[program]
        place = np.arange(len(rows))
        for number, shift in ((0, 7), (32, 0)):
            select = np.flatnonzero((kind == 11) & (data1 == number))
            before = np.searchsorted(select, place[program]) - 1
            value = data2[select[np.maximum(before, 0)]] if len(select) else np.zeros(len(before), np.uint8)
            programs["bank"] += np.where(before >= 0, value.astype(np.int64) << shift, 0).astype(np.uint16)
        return controls, bends, programs

    def raw_of_idle(self, bus: int, rows: Ints) -> list[RawEvent]:
        """Messages of a channel that plays no note, kept byte for byte."""
        if bus % 256 >= 16:  # a raw message cannot say its port
            self.repairs.add("file", "controller on a channel of a further port that plays no note dropped", len(rows))
            return []
        events = self.events
        most = MIDI_MESSAGES // 16
        beyond = max(len(rows) - most, 0)
        self.repairs.add("file", f"controller on a channel that plays no note dropped: only {most} are kept", beyond)
        return [RawEvent(int(events.tick[i]), _message(events, i)) for i in rows[:most].tolist()]

    def beside(self) -> list[RawEvent]:
        """Polyphonic pressure and keyswitch notes."""
        owner: dict[int, int] = {}
        for part, bus in enumerate(self.part_bus.tolist()):
            owner.setdefault(bus, part)
        out = []
        for i in np.flatnonzero(self.is_beside).tolist():
            part = int(self.part[i]) if self.known[i] else owner.get(int(self.bus[i]), -1)
            out.append(RawEvent(int(self.events.tick[i]), _message(self.events, i), part))
        return out


def _message(events: Events, i: int) -> bytes:
    status = int(events.status[i])
    body = (int(events.data1[i]),) if status >> 4 in (12, 13) else (int(events.data1[i]), int(events.data2[i]))
    return bytes((status, *body))
