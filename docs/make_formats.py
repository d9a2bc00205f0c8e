"""Write docs/formats.md from two conformance suites: run `python docs/make_formats.py [--data FOLDER]`.

Each file of the suites shows one feature or one defect. It is read, written in its own format and read again, and two
things are compared: the two scores, column by column; and the file with what was written for it, element by element
(MusicXML, lxml) or message by message (MIDI, mido), so that what the reader passed over in silence shows as well.

The MIDI suite is in the folder of shared data (`--data`, or RESCORE_SHARED_DATA), the MusicXML suite inside music21.
A difference that the table of reasons does not know is printed, stands in the page as unknown, and fails the command.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.errors import RescoreError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.io.musicxml.archive import root_element
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.score import Score

HERE = Path(__file__).parent
PAGE = HERE / "formats.md"
COLUMNS = ("notes", "meters", "keys", "controls", "bends", "programs")

# What differs -> why. Keys: "log: <words of the import log>", "<element>", "message: <kind>", "<column> <change>".
REASONS: tuple[tuple[str, str], ...] = (
    # the import log
    (r"log: bars shorter or longer", "told, not lost: the bar lines stay where the file has them"),
    (r"log: microtones", "pitch is held to the semitone"),
    (r"log: backups beyond", "there is no music before the bar"),
    (r"log: no meter or one that cannot be", "a meter is held as one fraction"),
    (r"log: parts with a key signature of their own", "told, not lost: a part keeps its own beside the score's key"),
    (r"log: staves without a clef", "mended: a staff without a clef is given one"),
    (r"log: parts that the part list does not name", "mended: they are read all the same"),
    (r"log: parts that the part list calls otherwise", "mended: they are the ones that the list misses"),
    (r"log: notes that the page does not show", "told, not lost: what sounds is shown"),
    (r"log: program changes: a part for each instrument", "told, not lost: a part has one instrument throughout"),
    (r"log: (octave.*|<octave-shift>.*), ignored", "a line without its other half, or of an impossible size"),
    (r"log: figured bass", "figures without a number or sign say nothing"),
    (r"log: a slur that never ends", "half a slur joins nothing"),
    (r"log: ties that", "half a tie joins nothing"),
    (r"log: format 0 with", "mended: more tracks than the format allows"),
    (r"log: independent patterns", "a score is one piece: patterns follow one another"),
    (r"log: .*bytes after the last track", "mended: no part of any track"),
    (r"log: (wrong track length|end-of-track message)", "mended"),
    (r"log: message F., which may not stand", "a message of live connections, with no meaning in a file"),
    (r"log: chunk .* which is no track", "no music in it"),
    # columns of the score
    (r"marks\.dynamic added", "notes that are louder or softer than any mark says get one"),
    (r"marks\.tempo added", "a tempo that sounds is printed"),
    # elements of MusicXML
    (r"<(encoding-date|software|supports)>", "about the program it came from, not about the music"),
    (r"<(print|stem)>", "layout is made anew"),
    (r"<(credit|defaults)>", "about the page, not about the music"),
    (r"<(movement-number|work-number)>", "an empty element says nothing"),
    (r"<rights>", "several are held, and written, as one text"),
    (r"<(measure-style|multiple-rest)>", "bars of rest are gathered anew, in a player's part"),
    (r"<staff-details>", "five lines are what a staff has unless told otherwise"),
    (r"<notehead>", "a normal notehead needs no saying"),
    (r"<(part-name-display|part-abbreviation-display|group-abbreviation|group-name)>", "one name is held, and printed"),
    (r"<(part-group|group-barline)>", "a part stands in one bracket at most"),
    (r"<(display-step|display-octave)>", "where a rest or drum stands is decided anew"),
    (r"<(cancel|key-octave)>", "how a key signature is printed is decided anew"),
    (r"<(tuplet-actual|tuplet-normal)>", "how a tuplet's number is printed is decided anew"),
    (r"<(normal-dot|normal-type)>", "a tuplet is written in undotted values"),
    (r"<(tie|tied)>", "a tie that joins nothing, or one that a longer note value does without"),
    (r"<slur>", "half a slur joins nothing"),
    (r"<(instruments|pan|volume)>", "the mix is decided anew"),
    (r"<offset>", "a direction is held, and written, at the time it applies"),
    (r"<syllabic>", "syllables sung on one note are held as one text"),
    (r"<mode>", "drums have no key; a mode is written where the key changes"),
    (r"<words>", "text of nothing but blanks"),
    (r"<octave-shift>", "a line without its other half, or of an impossible size"),
    (r"<grouping>", "an analyst's brackets, not music"),
    (r"<figured-bass>", "figures without a number or sign say nothing"),
    # messages of MIDI
    (
        r"message: (quarter_frame|songpos|song_select|tune_request|clock|start|continue|stop|active_sensing) lost",
        "a message of live connections, with no meaning in a file",
    ),
    (r"message: text as lyrics", "karaoke syllables are written as lyric messages"),
    (r"message: [a-z_]+ moved by format 2", "a score is one piece: patterns follow one another"),
    (r"message: track_name", "tracks are parts, and told by their own names"),
)

# Containers, and elements that say again what the notes say: written anew from the columns that are compared. A title
# is one text of two elements; what the suite says about a file (miscellaneous) is no music.
DERIVED = frozenset(
    (
        *("accidental", "actual-notes", "alter", "articulations", "attributes", "backup", "beam", "beat-type"),
        *("chromatic", "diatonic", "direction", "direction-type", "divisions", "dot", "duration", "encoding", "fifths"),
        *("forward", "group-symbol", "identification", "measure", "miscellaneous", "miscellaneous-field"),
        *("movement-title", "notations", "note", "normal-notes", "octave", "ornaments", "pitch", "rest", "staff"),
        *("staff-lines", "staves", "step", "technical", "text", "time-modification", "tuplet", "type", "unpitched"),
        *("voice", "work"),
    )
)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    file: str
    tests: str
    read: str
    kept: str = ""
    lost: str = ""


# -- comparing -------------------------------------------------------------------------------------------------------


def _changes(name: str, before: Counter[Any], after: Counter[Any]) -> Iterator[str]:
    if before - after:
        yield f"{name} lost: {(before - after).total()}"
    if after - before:
        yield f"{name} added: {(after - before).total()}"


def _kinds(values: Iterable[Any]) -> dict[str, Counter[Any]]:
    kinds: dict[str, Counter[Any]] = {}
    for value in values:
        kinds.setdefault(value.kind, Counter())[value] += 1
    return kinds


def _same_rows(a: Any, b: Any) -> list[str]:
    """Names of the fields in which two column arrays differ."""
    if len(a) != len(b):
        return [f"{len(a)} rows became {len(b)}"]
    return [field for field in a.dtype.names if not np.array_equal(a[field], b[field])]


def compared(a: Score, b: Score) -> tuple[list[str], list[str]]:
    """What a score has that came back the same, and what differs."""
    kept: list[str] = []
    lost: list[str] = []
    for name in COLUMNS:
        before, after = getattr(a, name), getattr(b, name)
        wrong = _same_rows(before, after)
        lost += [f"{name}.{field} changed" for field in wrong]
        if len(before) and not wrong:
            kept.append(f"{len(before)} {name if len(before) > 1 else name[:-1]}")
    for name, same in (
        ("tempo", a.tempo == b.tempo),
        ("bars", bool(np.array_equal(a.bars, b.bars))),
        ("length", a.length == b.length),
        ("resolution", a.ticks_per_quarter == b.ticks_per_quarter),
    ):
        if same:
            kept += [name] if name in ("tempo", "bars") else []
        else:
            lost.append(f"{name} changed")
    for title, left, right in (("marks", a.marks, b.marks), ("markers", a.markers, b.markers)):
        before_kinds, after_kinds = _kinds(left), _kinds(right)
        for kind in sorted(before_kinds.keys() | after_kinds.keys()):
            before, after = before_kinds.get(kind, Counter()), after_kinds.get(kind, Counter())
            lost += _changes(f"{title}.{kind}", before, after)
            if before and not before - after:
                kept.append(f"{before.total()} {kind}")
    raw = (Counter(a.raw), Counter(b.raw))
    lost += _changes("raw messages", *raw)
    kept += [f"{raw[0].total()} raw"] if raw[0] and raw[0] == raw[1] else []
    parts = list(_part_changes(a, b))
    lost += parts
    kept += [f"{len(a.parts)} part" + "s" * (len(a.parts) > 1)] if a.parts and not parts else []
    for name in ("title", "composer", "rights", "extra"):
        if getattr(a.metadata, name) != getattr(b.metadata, name):
            lost.append(f"metadata.{name} changed")
    return kept, lost


def _part_changes(a: Score, b: Score) -> Iterator[str]:
    if len(a.parts) != len(b.parts):
        yield f"parts changed: {len(a.parts)} became {len(b.parts)}"
        return
    for field in fields(a.parts[0]) if a.parts else ():
        pairs = [(getattr(p, field.name), getattr(q, field.name)) for p, q in zip(a.parts, b.parts, strict=True)]
        different = [pair for pair in pairs if pair[0] != pair[1]]
        if different:
            yield f"parts.{field.name} " + ("added" if all(not old for old, _ in different) else "changed")


def _elements(before: bytes, after: bytes) -> Iterator[str]:
    """Elements of a MusicXML file of which fewer stand in the written one, the outermost ones only."""
    root, written = root_element(before, ""), root_element(after, "")
    old, new = (Counter(e.tag for e in r.iter() if isinstance(e.tag, str)) for r in (root, written))
    fewer = {tag for tag in old if new[tag] < old[tag] and tag not in DERIVED}
    gone = {tag for tag in fewer if not new[tag]}
    for tag in sorted(fewer):
        inside = all(any(str(up.tag) in gone for up in e.iterancestors()) for e in root.iter(tag))
        if not inside:
            yield f"<{tag}> {new[tag]} of {old[tag]}"


def _messages(data: bytes) -> Counter[tuple[float, str, str]]:
    """(quarter, kind, content) of the messages of a MIDI file by mido; without channels and tracks, which may move."""
    import mido

    file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    found: Counter[tuple[float, str, str]] = Counter()
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            said = message.dict()
            kind = said.pop("type")
            del said["time"]
            said.pop("channel", None)
            if kind == "note_on" and not said["velocity"]:
                kind = "note_off"
            if kind == "note_off":
                said.pop("velocity")
            if kind != "end_of_track":
                content = "; ".join(f"{name} {' '.join(str(value).split())}" for name, value in sorted(said.items()))
                found[tick / file.ticks_per_beat, kind, content] += 1
    return found


def _heard(before: bytes, after: bytes, patterns: bool) -> Iterator[str]:
    """Kinds of messages of a MIDI file of which fewer stand in the written one; nothing where mido cannot read it."""
    try:
        old = _messages(before)
    except (OSError, ValueError, EOFError, KeyError, IndexError):
        yield "unread by mido"
        return
    new = _messages(after)
    kinds = Counter(kind for _, kind, _ in (old - new).elements())
    more = Counter(kind for _, kind, _ in (new - old).elements())
    for kind, count in sorted(kinds.items()):
        if kind == "text" and more["lyrics"]:
            yield f"message: text as lyrics: {count}"
        else:
            moved = "moved by format 2" if patterns else "changed"
            yield f"message: {kind} {moved if more[kind] >= count else 'lost'}: {count}"


# -- rows ------------------------------------------------------------------------------------------------------------


def reason(difference: str) -> str:
    """Why something is not kept; "" where nobody has said."""
    return next((why for pattern, why in REASONS if re.match(pattern, difference)), "")


def _logged(score: Score) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for item in score.import_log:
        counts[item.what] += item.count
    for what, count in sorted(counts.items()):
        yield f"log: {what}" + (f" ({count})" if count > 1 else "")


def row_of(path: Path, tests: str, unknown: list[str]) -> Row:
    """One file read, written, read again and compared."""
    read: Any
    write: Any
    midi = path.suffix == ".mid"
    read, write = (read_midi, midi_bytes) if midi else (read_musicxml, musicxml_bytes)
    try:
        score = read(path)
    except RescoreError as error:
        return Row(path.name, tests, "refused: " + str(error).replace(str(path), path.name))
    try:
        data = write(score)
    except RescoreError as error:
        return Row(path.name, tests, "yes", "nothing", f"cannot be written: {error}")
    kept, lost = compared(score, read(data))
    source, patterns = path.read_bytes(), score.metadata.source_format == "midi2"
    lost += [*_logged(score), *(_heard(source, data, patterns) if midi else _elements(source, data))]
    beside = [item for item in lost if item == "unread by mido"]
    grouped: dict[str, list[str]] = {}
    for item in lost:
        if item in beside:
            continue
        why = reason(item)
        if not why:
            unknown.append(f"{path.name}: {item}")
        grouped.setdefault(why or "unknown", []).append(item.removeprefix("log: ").removeprefix("message: "))
    told = [f"{', '.join(items)}: {why}" for why, items in grouped.items()]
    told += ["(mido cannot open the file: messages not compared)"] * bool(beside)
    return Row(path.name, tests, "yes", ", ".join(kept) or "nothing in it", "; ".join(told))


def _midi_tests(path: Path) -> str:
    return path.stem.removeprefix("test-").replace("-", " ")


def _xml_tests(path: Path) -> str:
    """The suite's own description of the feature, its first sentence."""
    root = root_element(path.read_bytes(), path.name)
    said = root.findtext(".//miscellaneous-field[@name='description']") or root.findtext("movement-title") or path.stem
    text = " ".join(said.split())
    end = re.search(r"[.:;](?= |$)", text[20:])
    short = text[: 20 + end.start()] if end else text
    return short if len(short) <= 140 else short[:140].rsplit(" ", 1)[0] + " ..."


def _line(cells: Iterable[str]) -> str:
    escaped = (
        cell.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;") for cell in cells
    )
    return "| " + " | ".join(escaped) + " |"


def line_of(row: Row) -> str:
    """A row of the table as it stands on the page."""
    return _line([f"`{row.file}`", row.tests, row.read, row.kept, row.lost])


def _section(title: str, where: str, rows: list[Row]) -> list[str]:
    read = [row for row in rows if row.read == "yes"]
    whole = [row for row in read if not row.lost]
    head = ["file", "what it tests", "read", "kept on write", "not kept, and why"]
    return [
        f"## {title}",
        "",
        f"{where} {len(rows)} files: {len(read)} are read, {len(rows) - len(read)} refused; {len(whole)} come "
        "back with nothing to tell.",
        "",
        _line(head),
        _line(["---"] * len(head)),
        *(line_of(row) for row in rows),
        "",
    ]


def suites(data: Path) -> tuple[list[Path], list[Path]]:
    """The files of the MIDI and the MusicXML suite, by name."""
    import music21

    folder = Path(music21.__file__).parent / "musicxml" / "lilypondTestSuite"
    midi = sorted((data / "midi_conformance").glob("*.mid"))
    return midi, sorted(p for p in folder.iterdir() if p.suffix in (".xml", ".mxl", ".musicxml"))


def musicxml_rows(unknown: list[str]) -> list[Row]:
    """The rows of the MusicXML suite; differences without a reason go to `unknown`."""
    return [row_of(p, _xml_tests(p), unknown) for p in suites(HERE)[1]]


def formats_page(data: Path) -> tuple[str, list[str]]:
    """The page, and the differences without a reason."""
    unknown: list[str] = []
    midi, xml = suites(data)
    lines = [
        "# Formats: what is read, kept and not kept",
        "",
        "Made by `python docs/make_formats.py`; do not edit by hand.",
        "",
        "Every file is read, written in its own format and read again. Kept: what the first reading found and the "
        "second found equal, every field of every row. Not kept: what the two readings differ in, what the import log "
        "tells, and what stands in the file but not in the written one (elements of MusicXML; messages of MIDI as mido "
        'reads them). "3 of 5" counts elements: five in the file, three in the written one. Voices, beams, rests, '
        "ties and accidentals are written anew from the notes; attributes of elements (color, place on the page, font) "
        "are not compared.",
        "",
        *_section(
            "MIDI",
            "jazz-soft's test files, one feature or defect each.",
            [row_of(p, _midi_tests(p), unknown) for p in midi],
        ),
        *_section(
            "MusicXML",
            "The LilyPond conformance suite as music21 carries it.",
            [row_of(p, _xml_tests(p), unknown) for p in xml],
        ),
    ]
    return "\n".join(lines), unknown


def main() -> int:
    """Write the page; 1 if a difference has no reason, 2 if the suites are not there."""
    parser = argparse.ArgumentParser(description="Write docs/formats.md from the conformance suites.")
    beside = os.environ.get("RESCORE_SHARED_DATA", HERE.parent.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(beside), help="folder that holds midi_conformance")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    options = parser.parse_args()
    if not suites(options.data)[0]:
        sys.stderr.write(
            f"no MIDI files in {options.data / 'midi_conformance'}: say where they are with --data FOLDER\n"
        )
        return 2
    page, unknown = formats_page(options.data)
    for item in unknown:
        sys.stderr.write(f"no reason known: {item}\n")
    if options.check:
        return 1 if unknown or page != PAGE.read_text(encoding="utf-8") else 0
    PAGE.write_text(page, encoding="utf-8")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
