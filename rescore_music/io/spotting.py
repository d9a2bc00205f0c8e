"""Spotting notes: CSV, one hit a line; and the one door to every other list that asks something of the music.

The suffix says which: .xlsx (sheet), the edit and marker lists of `io.picture`, and otherwise CSV. A .csv may also be
REAPER's region and marker list, a .txt Pro Tools' session info; their first lines tell.

Columns of the CSV: `timecode` (needed), `label`, `weight`, `kind` (hard, soft), `tolerance` (frames), `lands`
(downbeat, beat, eighth, motif:<name>, end); an empty field takes `Hit`'s default. Text is UTF-8, with or without a
byte-order mark; fields may be separated by commas, semicolons or tabs (the header tells), as spreadsheets of different
countries write them. Lines that are empty or start with `#` are skipped. Frame rate and start are not in the file: the
caller says.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rescore_music.cues import Cues, Hit
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.files import atomic_write, read_bytes
from rescore_music.io.limits import CSV_BYTES, SNIFF, TEXT
from rescore_music.timecode import FrameRate, Timecode

_log = logging.getLogger(__name__)
DEFAULT_RATE = "24"  # of spotting notes, which do not tell their rate, where the caller does not either

COLUMNS = ("timecode", "label", "weight", "kind", "tolerance", "lands")


def _number(text: str) -> float:
    return float(text.replace(",", "."))  # a semicolon file may hold decimal commas


_CONVERT: dict[str, Callable[[str], Any]] = {
    "label": str,
    "weight": _number,
    "kind": str.lower,
    "tolerance": _number,
    "lands": lambda text: text if text.startswith("motif:") else text.lower(),
}
_WANTED = {"weight": "a number", "tolerance": "a number of frames"}


def read_cues(
    path: str | Path, rate: FrameRate | str | float | None = None, start: Timecode | str = "00:00:00:00"
) -> Cues:
    """What the picture asks of the music, from spotting notes, an edit list or a list of markers.

    Parameters
    ----------
    path : path
        .csv .tsv (spotting notes, REAPER markers), .xlsx (spotting notes), .edl, .fcpxml .fcpxmld, .xml, .otio, .txt
        (Pro Tools session info), .rpp, .mid. The cuts and markers of an edit list become cuts and soft hits.
    rate : FrameRate, str or number, optional
        Frame rate of the picture: "24", "23.976", "29.97df". A file that tells its own needs none; spotting notes
        without one are at 24.
    start : Timecode or str
        Timecode of the cue's first sample. MIDI markers are counted from it.

    Returns
    -------
    Cues

    Raises
    ------
    ReadError
        With file and place, if the file cannot be read, a field says something it may not, or it tells another rate.
    TimecodeError
        If the rate or the start does not exist.
    MissingExtra
        If the format needs a package that is not installed.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix == ".xlsx":
        from rescore_music.io.picture.sheet import read_sheet

        known, first = _known(rate, start)
        cues, log = read_sheet(file, known, first)
        _tell(file, log)
        return cues
    if suffix in _LISTS or (suffix in (".csv", ".tsv", ".txt") and _is_marker_list(file)):
        return _from_list(file, rate, start)
    known, first = _known(rate, start)
    rows = _rows(file)
    if not rows:
        raise ReadError("no hits: the file is empty", file=file, cure="first line: " + ",".join(COLUMNS))
    columns = _header(rows[0][1], file, rows[0][0])
    hits = tuple(_hit(dict(zip(columns, row, strict=False)), row, columns, known, file, n) for n, row in rows[1:])
    return Cues(known, first, hits, source=str(file))


_LISTS = (".edl", ".fcpxml", ".fcpxmld", ".xml", ".otio", ".rpp", ".mid", ".midi")


def _known(rate: FrameRate | str | float | None, start: Timecode | str) -> tuple[FrameRate, Timecode]:
    known = FrameRate.parse(DEFAULT_RATE if rate is None else rate)
    return known, start if isinstance(start, Timecode) else Timecode.parse(start, known)


def _is_marker_list(file: Path) -> bool:
    """Whether the first lines are REAPER's or Pro Tools' and not those of spotting notes."""
    from rescore_music.io.picture.markers import is_reaper_list

    try:
        with file.open("rb") as opened:
            head = opened.read(SNIFF).decode("utf-8", "replace")
    except (OSError, ValueError):
        return False  # whoever reads it says why
    first = next((line for line in head.splitlines() if line.strip()), "")
    return is_reaper_list(first) or first.startswith("SESSION NAME:") or "M A R K E R S" in head


def _from_list(file: Path, rate: FrameRate | str | float | None, start: Timecode | str) -> Cues:
    from rescore_music.io.picture import read_edits

    edits = read_edits(file, rate)
    first = start if isinstance(start, Timecode) else Timecode.parse(start, edits.rate)
    _tell(file, edits.log)
    cues = edits.cues(first)
    if file.suffix.lower() in (".mid", ".midi"):  # counted from the music's own beginning
        cues = replace(cues.shifted(first.frame), start=first)
    return cues


def _tell(file: Path, log: tuple[LogItem, ...]) -> None:
    for item in log:
        _log.warning("%s: %s: %s (%d)", file, item.where, item.what, item.count)


def write_cues(cues: Cues, path: str | Path) -> None:
    """Write the hits as CSV, with every column; `read_cues` reads them back equal.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for hit in cues.hits:
        row = (cues.timecode(hit), hit.label, _plain(hit.weight), hit.kind, _plain(hit.tolerance), hit.lands)
        table.writerow(row)
    atomic_write(path, text.getvalue().encode("utf-8"))


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(float(number))


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """(line number, fields) of the rows that say something."""
    raw = read_bytes(file, CSV_BYTES)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise ReadError("not UTF-8 text", file=file, where=f"line {line}", cure="save it as CSV UTF-8") from problem
    if "\0" in text:
        raise ReadError("not a text file", file=file, cure="spotting notes are CSV")
    said = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    separator = max(",;\t", key=next(said, "").count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for row in table:
            fields = _mended([field.strip() for field in row], separator)
            if any(fields) and not fields[0].startswith("#"):
                rows.append((line, fields))
            line = table.line_num + 1
    except csv.Error as problem:
        raise ReadError(str(problem), file=file, where=f"line {line}") from problem
    return rows


def _mended(row: list[str], separator: str) -> list[str]:
    """Between semicolons an unquoted drop-frame timecode falls apart: put it together."""
    if separator == ";" and len(row) > 1 and re.fullmatch(r"\d\d:\d\d:\d\d", row[0]) and re.fullmatch(r"\d+", row[1]):
        return [f"{row[0]};{row[1]}", *row[2:]]
    return row


def _header(names: list[str], file: Path, line: int) -> list[str]:
    columns = [name.strip().lower() for name in names]
    place = f"line {line}"
    if "timecode" not in columns:
        raise ReadError("no column 'timecode'", file=file, where=place, cure="first line: " + ",".join(COLUMNS))
    for name in columns:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise ReadError(f"unknown column '{name}'", file=file, where=place, cure=f"columns are {known}")
        if columns.count(name) > 1:
            raise ReadError(f"column '{name}' occurs twice", file=file, where=place)
    return columns


def _hit(fields: dict[str, str], row: list[str], columns: list[str], rate: FrameRate, file: Path, line: int) -> Hit:
    if len(row) > len(columns) and any(row[len(columns) :]):
        cure = 'quote text that holds commas: "door, slams"'
        raise ReadError(f"{len(row)} fields for {len(columns)} columns", file=file, where=f"line {line}", cure=cure)
    for name, text in fields.items():
        if len(text) > TEXT and name != "timecode":
            where = f"line {line}, column {name}"
            raise ReadError(f"longer than {TEXT} characters", file=file, where=where, cure="shorten it")
    name = "timecode"
    try:
        frame = Timecode.parse(fields.get("timecode", ""), rate).frame
        values: dict[str, Any] = {}
        for name in columns:
            if name != "timecode" and fields.get(name):
                values[name] = _CONVERT[name](fields[name])
                Hit(frame, **{name: values[name]})  # checked one by one, so that the message names the column
        return Hit(frame, **values)
    except RescoreError as problem:
        where = f"line {line}, column {name}"
        raise ReadError(problem.what, file=file, where=where, cure=problem.cure) from problem
    except ValueError as problem:
        where = f"line {line}, column {name}"
        raise ReadError(f"'{fields[name]}' is not {_WANTED.get(name, 'text')}", file=file, where=where) from problem
