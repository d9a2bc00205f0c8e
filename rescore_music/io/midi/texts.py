"""The words of a MIDI file: lyrics, texts, the title, and the names of its parts.

Conventions: lyrics belong to the part on their track or channel; those of a track without notes to the part whose
onsets they fall on. A track without notes whose name ends in "verse 2" holds a second verse. The bytes are read in the
encoding of the whole file (`Sheet.encodings`).
"""

from __future__ import annotations

import re

import numpy as np

from rescore_music.io.midi.meta import LYRIC, LYRIC_TAG, TEXT, Sheet, syllables
from rescore_music.io.midi.names import sound_name
from rescore_music.io.midi.parts import Reading
from rescore_music.score import Mark, Rows

VERSE = re.compile(r"(?:(.*), )?verse (\d{1,2})", re.IGNORECASE | re.DOTALL)


def marks(reading: Reading, notes: Rows) -> list[Mark]:
    """Lyrics and texts."""
    sheet = reading.sheet
    lyrics: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    out: list[Mark] = []
    words = _karaoke_tracks(sheet)
    for track, channel, tick, kind, data in sheet.texts:
        if kind == LYRIC or (track in words and data[:1] != b"@"):
            lyrics.setdefault((track, max(channel, 0)), []).append((tick, data))
            out += [Mark(tick, "text", tag, reading.first_part(track, channel)) for tag in _tags(sheet, data)]
        elif text := sheet.encodings.line(data):
            out.append(Mark(tick, "text", text, reading.first_part(track, channel)))
    out += _other_names(reading)
    for (track, channel), events in lyrics.items():
        part, verse = _singer(reading, notes, track, channel, [tick for tick, _ in events])
        for tick, text, pause in syllables(events, sheet.encodings.text):
            if pause:
                out.append(Mark(tick, "lyric-break", pause, part, value=verse if verse > 1 else 0.0))
            out.append(Mark(tick, "lyric", text, part, value=verse))
    return sorted(out, key=lambda m: (m.tick, m.part, m.kind != "text", m.value if m.value > 1 else 0))


def _tags(sheet: Sheet, data: bytes) -> list[str]:
    """What lyrics say in tags that no one sings; the code page is not said again, for all text is written in UTF-8."""
    if b"{#" not in data:
        return []
    return [tag for tag in LYRIC_TAG.findall(sheet.encodings.line(data)) if tag[1] == "#"]


def title(reading: Reading) -> str:
    """The name of the piece: the first track's, where that is not a part's own; of a karaoke file its first @T."""
    name = _sequence(reading)[0]
    if name.casefold() in ("", "soft karaoke") and _karaoke_tracks(reading.sheet):
        said = [data for _, _, _, kind, data in reading.sheet.texts if kind == TEXT and data[:2] == b"@T"]
        name = reading.sheet.encodings.line(said[0][2:]) if said else name
    return name


def _sequence(reading: Reading) -> tuple[str, str]:
    """The sequence's name, where the first track has one that is not a part's, and a further name at its head."""
    if reading.format != 0 and reading.first_part(0) >= 0:
        return "", ""
    own = reading.sheet.names.get((0, -1), "")
    earlier = [name for *place, tick, name in reading.sheet.renamed if place == [0, -1] and tick == 0]
    return (earlier[0], own) if earlier else (own, "")


def _other_names(reading: Reading) -> list[Mark]:
    """What tracks are called besides their names, as texts."""
    name, further = _sequence(reading)
    found = list(reading.sheet.renamed)
    if further:
        found[found.index((0, -1, 0, name))] = 0, -1, 0, further
    return [Mark(tick, "text", text, reading.first_part(track, channel)) for track, channel, tick, text in found]


def extra(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Names of further tracks without notes: often remarks of whoever made the file."""
    sung = {track for track, _, _, kind, _ in reading.sheet.texts if kind == LYRIC}
    return tuple(
        ("track name", name)
        for (track, channel), name in sorted(reading.sheet.names.items())
        if track > 0 and channel < 0 and name and reading.first_part(track) < 0
        if not (track in sung and VERSE.fullmatch(name))
    )


def part_name(reading: Reading, part: int, program: int, percussion: bool) -> str:
    """Name of a part: its channel's or its track's, else its instrument's, else its sound's.

    A further player of the same channel is named by the sound, with that name behind.
    """
    sound = sound_name(program, percussion)
    name, own = _given_name(reading, part)
    if not name or reading.part_player[part]:
        return f"{sound} ({name})" if name else sound
    return name if own else f"{name}: {sound}"


def _given_name(reading: Reading, part: int) -> tuple[str, bool]:
    """The name that the file gives a part's channel or track, and whether no other channel shares it."""
    track, channel = int(reading.part_track[part]), int(reading.part_bus[part]) % 16
    names, instruments = reading.sheet.names, reading.sheet.instruments
    for table in (names, instruments):
        if table.get((track, channel)):
            return table[track, channel], True
    name = instruments.get((track, -1), "")
    if reading.format != 0:
        name = names.get((track, -1), "") or name
    return name, len(np.unique(reading.part_keys[reading.part_track == track])) == 1


def _singer(reading: Reading, notes: Rows, track: int, channel: int, ticks: list[int]) -> tuple[int, float]:
    """The part that sings a track's lyrics, or -1, and which verse they are."""
    part = reading.first_part(track, channel)
    if part >= 0:
        return part, 1.0
    verse = VERSE.fullmatch(reading.sheet.names.get((track, -1), ""))
    if verse is None:
        return _sung_by(notes, ticks), 1.0
    named = [i for i in range(len(reading.part_keys)) if verse[1] and _given_name(reading, i)[0] == verse[1]]
    return (named[0] if named else _sung_by(notes, ticks)), float(max(int(verse[2]), 1))


def _sung_by(notes: Rows, ticks: list[int]) -> int:
    """The part whose onsets fall on most of these syllables, or -1."""
    sung = notes["part"][np.isin(notes["onset"], np.array(ticks, np.int64))]
    if not len(sung):
        return -1
    # a part that plays all the time meets every syllable, so misses count as well
    hits = np.bincount(sung)
    total = np.bincount(notes["part"], minlength=len(hits))[: len(hits)]
    return int(np.argmax(hits / np.sqrt(np.maximum(total, 1))))


def _karaoke_tracks(sheet: Sheet) -> frozenset[int]:
    """Tracks of a .kar file that hold its words as plain text."""
    texts = [t for t in sheet.texts if t[3] == TEXT]
    if len(texts) < len(sheet.texts) or not any(data[:2] in (b"@K", b"@L", b"@T") for *_, data in texts):
        return frozenset()
    counts: dict[int, int] = {}
    for track, _, _, _, data in texts:
        if data[:1] != b"@":
            counts[track] = counts.get(track, 0) + 1
    named = [t for t in counts if sheet.names.get((t, -1), "").lower() in ("words", "lyrics", "melody words")]
    return frozenset(named or [t for t in counts if counts[t] == max(counts.values())][:1])
