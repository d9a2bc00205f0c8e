"""Meta messages into tempo, meters, keys, markers and text; system exclusive ones are kept, and asked for drums.

Sources: Standard MIDI Files 1.0 (RP-001), lyric conventions (RP-017), device names (RP-019), tags of code page and
contents in lyrics (RP-026: "{@JP}", "{#Title=...}").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rescore_music.io.encoding import Encodings
from rescore_music.io.midi.chunks import Repairs
from rescore_music.io.midi.drums import DrumChannels
from rescore_music.io.midi.events import SystemMessage
from rescore_music.io.midi.keyswitches import keyswitch_keys
from rescore_music.io.midi.meter import unusual_meter
from rescore_music.io.midi.ports import Ports
from rescore_music.score import Marker, RawEvent

T = TypeVar("T")

LYRIC_TAG = re.compile(r"\{[@#][^{}]*\}")

TEXT, COPYRIGHT, TRACK_NAME, INSTRUMENT_NAME, LYRIC, MARKER, CUE = range(1, 8)
SEQUENCE_NUMBER, SMPTE_OFFSET = 0x00, 0x54
DEVICE_NAME, CHANNEL_PREFIX, PORT, END_OF_TRACK, TEMPO, METER, KEY = 9, 0x20, 0x21, 0x2F, 0x51, 0x58, 0x59
_TEXTS = frozenset((TEXT, LYRIC))
_STRINGS = range(1, 10)
_TAGS = ((b"{@LATIN}", "cp1252"), (b"{@JP}", "cp932"))  # RP-026: the code page of what follows
_PACKETS = 1 << 16  # bytes of one system exclusive message in several packets


@dataclass
class Sheet:
    """What the system messages of a file say.

    Tempo, meters and keys are keyed by tick; keys that contradict each other are all kept. Names and texts are
    (track, channel) keyed, channel -1 without a channel prefix. Raw messages wait for their part: (track, channel,
    event).
    """

    tempo: dict[int, int] = field(default_factory=dict)
    meters: dict[int, tuple[int, int]] = field(default_factory=dict)
    clicks: dict[int, RawEvent | None] = field(default_factory=dict)  # of meters whose click is not the usual one
    keys: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # of several the last counts
    markers: list[Marker] = field(default_factory=list)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    renamed: list[tuple[int, int, int, str]] = field(
        default_factory=list
    )  # track, channel, tick, a name beside the one
    instruments: dict[tuple[int, int], str] = field(default_factory=dict)
    rights: list[str] = field(default_factory=list)
    texts: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)  # track, channel, tick, kind, data
    raw: list[tuple[int, int, RawEvent]] = field(default_factory=list)
    ports: Ports = field(default_factory=Ports)
    ported: list[tuple[int, int, RawEvent]] = field(default_factory=list)  # track, port beyond the first, sysex
    drums: DrumChannels = field(default_factory=DrumChannels)
    keyswitches: dict[int, frozenset[int]] = field(default_factory=dict)  # track -> keys that are no music
    encodings: Encodings = field(default_factory=Encodings)


def read_system(
    messages: Sequence[SystemMessage],
    repairs: Repairs,
    firsts: Sequence[int] = (0,),
    ports: Sequence[tuple[int, int]] = (),
) -> Sheet:
    """Gather all messages; where tracks contradict each other at a tick, the first track counts.

    `firsts` tells the `order` of each track's first message, `ports` where (by order) a port is known beforehand.
    """
    strings = [m.data for m in messages if m.status == 0xFF and m.kind in _STRINGS]
    encodings = Encodings(
        strings, said=next((said for s in strings for tag, said in _TAGS if s[:8].startswith(tag)), "")
    )
    sheet = Sheet(encodings=encodings, ports=Ports(firsts, list(ports)))
    channel = -1
    for message in messages:
        if not message.follows:
            channel = -1
        if message.status != 0xFF:
            continue
        elif message.kind == CHANNEL_PREFIX and message.data:
            channel = message.data[0] & 15
        elif message.kind in (TEMPO, METER, KEY):
            continue
        else:
            _meta(sheet, message, channel, repairs)
    _system_exclusive(sheet, [m for m in messages if m.status != 0xFF])
    # later entries overwrite earlier ones, so the first track and in it the last message come last
    timed = [m for m in messages if m.status == 0xFF and m.kind in (TEMPO, METER, KEY)]
    for message in sorted(timed, key=lambda m: (m.tick, -m.track, m.order)):
        _timed(sheet, message, repairs)
    sheet.raw += [(-1, -1, click) for click in sheet.clicks.values() if click is not None]
    sheet.markers.sort(key=lambda m: m.tick)
    return sheet


def _system_exclusive(sheet: Sheet, messages: Sequence[SystemMessage]) -> None:
    """Keep them, with the port they are sent to, and listen to what they declare."""
    begun: dict[int, bytes] = {}  # track -> a message that goes on in further packets
    ports = sheet.ports.of([m.order for m in messages]).tolist()
    for message, port in zip(messages, ports, strict=True):
        event = RawEvent(message.tick, bytes((message.status,)) + message.data)
        if port:
            sheet.ported.append((message.track, port, event))
        else:
            sheet.raw.append((-1, -1, event))
        if message.status == 0xF7 and message.track not in begun:
            continue  # bytes of any kind, sent as they are
        whole = begun.pop(message.track, b"") + message.data if message.status == 0xF7 else message.data
        if not whole.endswith(b"\xf7") and len(whole) < _PACKETS:
            begun[message.track] = whole
        sheet.drums.hear(message.tick, whole, port)


def _timed(sheet: Sheet, message: SystemMessage, repairs: Repairs) -> None:
    data, where = message.data, f"track {message.track + 1}"
    if message.kind == TEMPO:
        tempo = int.from_bytes(data[:3])
        if len(data) < 3 or tempo == 0:
            repairs.add(where, "impossible tempo ignored", 1, message.tick)
        else:
            _put(sheet.tempo, message.tick, tempo, "tempi", repairs)
    elif message.kind == METER:
        if len(data) < 2 or data[0] == 0 or data[1] > 7:
            text = f"{data[0]}/2^{data[1]}" if len(data) > 1 else "without numbers"
            repairs.add(where, f"impossible meter {text} ignored", 1, message.tick)
        else:
            _put(sheet.meters, message.tick, (data[0], 1 << data[1]), "meters", repairs)
            sheet.clicks[message.tick] = unusual_meter(message.tick, data)
    else:
        fifths = int.from_bytes(data[:1], signed=True)
        if len(data) < 2 or not -7 <= fifths <= 7:
            repairs.add(where, "impossible key signature ignored", 1, message.tick)
        else:
            if data[1] > 1:
                what = f"key signature with the unknown mode {data[1]}: neither major nor minor"
                repairs.add(where, what, 1, message.tick)
            key = (fifths, data[1] if data[1] < 2 else -1)
            others = [other for other in sheet.keys.get(message.tick, []) if other != key]
            sheet.keys[message.tick] = [*others, key]


def _put(table: dict[int, T], tick: int, value: T, what: str, repairs: Repairs) -> None:
    repairs.add("file", f"two {what} at one tick: one of the first track kept", table.get(tick, value) != value, tick)
    table[tick] = value


def _meta(sheet: Sheet, message: SystemMessage, channel: int, repairs: Repairs) -> None:
    place, data, kind = (message.track, channel), message.data, message.kind
    if kind == TEXT and (keys := keyswitch_keys(data)):
        sheet.keyswitches[message.track] = keys
        sheet.raw.append((*place, RawEvent(message.tick, bytes((0xFF, kind)) + data)))
    elif kind in _TEXTS:
        sheet.texts.append((message.track, channel, message.tick, kind, data))
    elif kind == COPYRIGHT:
        text = sheet.encodings.line(data)
        if text and text not in sheet.rights:
            sheet.rights.append(text)
    elif kind == TRACK_NAME:
        _name(sheet, place, message.tick, sheet.encodings.line(data))
    elif kind in (MARKER, CUE):
        sheet.markers.append(Marker(message.tick, sheet.encodings.line(data), "marker" if kind == MARKER else "cue"))
    elif kind == PORT and data:
        sheet.ports.ports.append((message.order, data[0]))
        if data[0] > 15:
            repairs.add(f"track {message.track + 1}", f"port {data[0]} taken as {data[0] & 15}")
    elif kind not in (END_OF_TRACK, PORT, CHANNEL_PREFIX):
        if kind == DEVICE_NAME:
            sheet.ports.devices.append((message.order, sheet.encodings.line(data)))
        if kind == INSTRUMENT_NAME:
            sheet.instruments.setdefault(place, sheet.encodings.line(data))
        whole = kind in (SEQUENCE_NUMBER, SMPTE_OFFSET)  # of the file, whichever parts its first track has
        sheet.raw.append((*((-1, -1) if whole else place), RawEvent(message.tick, bytes((0xFF, kind)) + data)))


def _name(sheet: Sheet, place: tuple[int, int], tick: int, name: str) -> None:
    """A track's name: the last at its head, for there the sequence's own comes first, else the first one."""
    if place in sheet.names:
        late = tick > 0
        other = name if late else sheet.names[place]
        if other and name != sheet.names[place]:
            sheet.renamed.append((*place, tick, other))
        if late:
            return
    sheet.names[place] = name


def syllables(events: Sequence[tuple[int, bytes]], decode: Callable[[bytes], str]) -> list[tuple[int, str, str]]:
    r"""Lyric events as (tick, syllable, break before it).

    A syllable that its word goes on after ends in "-". The break is "/" before a new line, "\" before a new verse,
    else "". Files mark the end of words with spaces, new lines with "/" or a carriage return, new verses with "\" or a
    line feed; a file without a single space between syllables holds whole words or its own hyphens.
    """
    texts = [(tick, LYRIC_TAG.sub("", decode(data))) for tick, data in events]
    spaced = any(text[:1] == " " or text[-1:] == " " for _, text in texts)
    out: list[tuple[int, str, str]] = []
    pending = ""
    open_word = False
    for tick, text in texts:
        lead = text[: len(text) - len(text.lstrip("/\\\r\n "))]
        breaks = pending + lead
        pause = "\\" if "\\" in breaks or "\n" in breaks else "/" if "/" in breaks or "\r" in breaks else ""
        body = text.strip("/\\\r\n ")
        if not body:
            pending += text
            continue
        if open_word and spaced and not pause and not breaks and out and not out[-1][1].endswith("-"):
            out[-1] = (out[-1][0], out[-1][1] + "-", out[-1][2])
        out.append((tick, " ".join(body.split()), pause))
        pending = text[len(text.rstrip("\r\n ")) :]
        open_word = not pending
    return out
