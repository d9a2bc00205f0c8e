"""Standard MIDI files into a Score: formats 0, 1 and 2, RIFF MIDI, karaoke, and what is left of damaged ones.

Conventions: a part is one (track, port, channel) that plays notes. Controllers, bends and programs belong to the
channel, so parts that share one all hold them, from whichever track they came. Parts of format 2 patterns follow one
another. Every repair is an item of `Score.import_log`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from rescore_music.errors import ReadError
from rescore_music.io.encoding import decode_name
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import BARS, MIDI_BYTES
from rescore_music.io.midi.chunks import Container, Repairs, open_container
from rescore_music.io.midi.events import Events, read_events
from rescore_music.io.midi.meta import read_system
from rescore_music.io.midi.parts import Reading
from rescore_music.io.midi.texts import extra, marks, part_name, title
from rescore_music.score import BEND, CONTROL, KEY, METER, PROGRAM, Metadata, Part, RawEvent, Rows, Score
from rescore_music.tempo import TempoMap


def read_midi(source: str | Path | bytes, *, salvage: bool = False) -> Score:
    """Read a MIDI file.

    Parameters
    ----------
    source : path or bytes
    salvage : bool
        Take what is whole of a file that was cut off (an interrupted download, a full disk) instead of refusing it.

    Returns
    -------
    Score
        Without notes if the file is whole and has none.

    Raises
    ------
    ReadError
        If this is no MIDI file, it is cut off, nothing of it can be read, or it exceeds the limits of `io.limits`.
    """
    return _read(source, salvage=salvage, apart=False)[0]


def read_patterns(source: str | Path | bytes, *, salvage: bool = False) -> tuple[Score, ...]:
    """Read a MIDI file whose tracks may be independent pieces (format 2): a score for each.

    A file of format 0 or 1 is one score; parameters and errors are those of `read_midi`. Tracks without notes are
    left out where others have some.
    """
    return _read(source, salvage=salvage, apart=True)


def _read(source: str | Path | bytes, *, salvage: bool, apart: bool) -> tuple[Score, ...]:
    file = None if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else read_bytes(source, MIDI_BYTES)
    if not data or len(data) > MIDI_BYTES:
        raise ReadError("no bytes" if not data else "more bytes than the limit for MIDI", file=file)
    repairs = Repairs()
    container = open_container(data, repairs, file)
    if not container.tracks:
        raise ReadError("the MIDI file has no track", file=file, cure="fetch or export the file again")
    if container.cut and not salvage:
        raise ReadError(
            f"cut off at byte {len(data)}: {container.cut} bytes are missing",
            file=file,
            where=f"track {len(container.tracks)}",
            cure="fetch or export it again, or salvage what is whole",
        )
    digest = hashlib.sha256(data).hexdigest()
    if container.format == 2 and apart and len(container.tracks) > 1:
        scores = []
        for i, place in enumerate(container.tracks):
            own = Repairs(dict(repairs.items))
            own.add("header", f"pattern {i + 1} of {len(container.tracks)} (format 2)")
            scores.append(_score(replace(container, tracks=(place,)), own, digest, file))
        return tuple(score for score in scores if len(score.notes)) or tuple(scores[:1])
    return (_score(container, repairs, digest, file),)


def _score(container: Container, repairs: Repairs, digest: str, file: str | None) -> Score:
    events = read_events(container, repairs, file)
    if container.format == 2 and len(container.tracks) > 1:
        events = _in_a_row(events, repairs)
    sheet = read_system(events.system, repairs, events.firsts[:-1].tolist())
    reading = Reading(events, sheet, repairs, container.format, file)
    score = _assembled(reading, container.ticks_per_quarter, container.real_time_us)
    if not len(score.notes) and any("lost" in what for _, what in repairs.items):
        raise ReadError("the file is cut off before its first note", file=file, cure="fetch or export it again")
    info = {name: decode_name(text) for name, text in container.info}
    metadata = Metadata(
        title=title(reading) or info.get("INAM", ""),
        composer=info.get("IART", ""),
        rights="; ".join(sheet.rights) or info.get("ICOP", ""),
        source="" if file is None else Path(file).name,
        source_digest=digest,
        source_format=f"midi{container.format}",
        extra=extra(reading),
    )
    return score.replace(metadata=metadata, import_log=repairs.log(score.bar_of))


def _in_a_row(events: Events, repairs: Repairs) -> Events:
    """Patterns of a format 2 file one after the other."""
    offsets = np.concatenate([[0], np.cumsum(events.ends)])
    repairs.add("header", "independent patterns (format 2) put one after the other", len(events.ends))
    system = [replace(m, tick=m.tick + int(offsets[m.track])) for m in events.system]
    return replace(events, tick=events.tick + offsets[events.track], system=system, ends=offsets[1:])


def _assembled(reading: Reading, ticks_per_quarter: int, real_time_us: float) -> Score:
    notes = reading.notes()
    reading.split(notes)
    sheet, events = reading.sheet, reading.events
    parts: list[Part] = [Part()] * len(reading.part_keys)
    gathered: tuple[list[Rows], ...] = ([], [], [])
    raw = reading.beside()
    onsets = np.full(len(parts), np.iinfo(np.int64).max)
    np.minimum.at(onsets, notes["part"].astype(np.int64), notes["onset"])
    for number, bus in sorted(reading.buses().items()):
        if not bus.parts:
            raw += reading.raw_of_idle(number, bus.rows)
            continue
        columns = reading.channel_rows(bus)
        for part in bus.parts:
            for rows, out in zip(columns, gathered, strict=True):
                own = rows.copy()
                own["part"] = part
                out.append(own)
            parts[part] = _part(reading, part, number, columns[2], int(onsets[part]))
    raw += [
        RawEvent(r.tick, r.data, reading.first_part(track, channel) if track >= 0 else -1)
        for track, channel, r in sheet.raw
    ]
    raw += [RawEvent(r.tick, r.data, reading.part_on(track, port)) for track, port, r in sheet.ported]
    meters = np.array([(t, n, d) for t, (n, d) in sorted(sheet.meters.items())], METER)
    length = int(max(events.ends.max(initial=0), (notes["onset"] + notes["duration"]).max(initial=0)))
    _check_length(length, meters, ticks_per_quarter, reading.file)
    if real_time_us:
        reading.repairs.add("header", "ticks are real time (SMPTE): tempo messages do not apply", len(sheet.tempo))
        tempo = TempoMap.from_events([(0, real_time_us)], ticks_per_quarter)
    else:
        tempo = TempoMap.from_events(sheet.tempo.items(), ticks_per_quarter)
    controls, bends, programs = (
        np.concatenate(rows) if rows else np.zeros(0, dtype)
        for rows, dtype in zip(gathered, (CONTROL, BEND, PROGRAM), strict=True)
    )
    return Score(
        notes=notes,
        parts=tuple(parts),
        tempo=tempo,
        ticks_per_quarter=ticks_per_quarter,
        meters=meters,
        keys=np.array([(t, f, m) for t, keys in sorted(sheet.keys.items()) for f, m in keys], KEY),
        controls=controls,
        bends=bends,
        programs=programs,
        marks=tuple(marks(reading, notes)),
        markers=tuple(sheet.markers),
        raw=tuple(sorted(raw, key=lambda r: (r.tick, r.part))),
        length=length,
    )


def _part(reading: Reading, part: int, bus: int, programs: Rows, onset: int) -> Part:
    """The part's sound is the one in force at its first note."""
    row = int(np.searchsorted(programs["tick"], onset, side="right")) - 1
    program, bank = (int(programs["program"][row]), int(programs["bank"][row])) if row >= 0 else (0, 0)
    channel, port = bus % 16, bus // 16 % 16
    percussion = reading.sheet.drums.is_drums(onset, bus % 256, bank)
    return Part(
        name=part_name(reading, part, program, percussion),
        program=program,
        bank=bank,
        channel=channel,
        port=port,
        percussion=percussion,
    )


def _check_length(length: int, meters: Rows, ticks_per_quarter: int, file: str | None) -> None:
    """A wrong delta time can make a file a million years long; such bars cannot even be counted."""
    ticks = np.concatenate([[0], meters["tick"], [length]]).astype(np.int64)
    numerator = np.concatenate([[4], meters["numerator"]]).astype(np.int64)
    denominator = np.concatenate([[4], meters["denominator"]]).astype(np.int64)
    bars = np.maximum(np.diff(ticks), 0) / np.maximum(ticks_per_quarter * 4 * numerator // denominator, 1)
    if bars.sum() > BARS:
        what = f"the music would be {int(bars.sum())} bars long"
        raise ReadError(what, file=file, cure="a time in the file is wrong; open it in a sequencer and save it again")
