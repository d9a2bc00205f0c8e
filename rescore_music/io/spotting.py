"""Spotting notes: CSV, one hit a line; and the one door to every other list that asks something of the music.

The suffix says which: .xlsx (sheet), the edit and marker lists of `io.picture`, and otherwise CSV. A .csv may also be
REAPER's region and marker list, a .txt Pro Tools' session info; their first lines tell.

Columns of the CSV: `timecode` (needed), `label`, `weight`, `kind` (hard, soft), `tolerance` (frames), `lands`
(downbeat, beat, eighth, climax, motif:<name>, end); an empty field takes `Hit`'s default. Text is UTF-8, with or
without a byte-order mark; fields may be separated by commas, semicolons or tabs (the header tells), as spreadsheets of
different countries write them. Lines that are empty or start with `#` are skipped. Frame rate and start are not in the
file: the caller says.

Rows of other kinds are no hits: `dialogue`, `avoid`, `hold`, `frozen` and `silence` are spans from `timecode` to the
timecode under `lands`; `cut` is a cut of the picture; `start` is the cue's first sample, which may come `tolerance`
frames earlier or later. Such a start counts where the caller leaves the start at 00:00:00:00.
"""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rescore_music.cues import SPANS, Cues, Hit, Span
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.files import atomic_write, read_bytes
from rescore_music.io.limits import CSV_BYTES, SNIFF, TEXT
from rescore_music.timecode import FrameRate, Timecode

_log = logging.getLogger(__name__)
DEFAULT_RATE = "24"  # of spotting notes, which do not tell their rate, where the caller does not either

COLUMNS = ("timecode", "label", "weight", "kind", "tolerance", "lands")
_BESIDES = (*SPANS, "cut", "start")  # kinds of rows that are no hits


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
        .csv .tsv (spotting notes, REAPER markers), .xlsx (spotting notes), .edl, .fcpxml .fcpxmld, .xml, .otio, .aaf,
        .txt (Pro Tools session info), .rpp, .mid. The cuts and markers of an edit list become cuts and soft hits.
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
    return _Table(file, columns, known, first).cues(rows[1:])


_LISTS = (".edl", ".fcpxml", ".fcpxmld", ".xml", ".otio", ".aaf", ".rpp", ".mid", ".midi")


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


def write_cues(cues: Cues, path: str | Path, *, notes: Sequence[str] = ()) -> None:
    """Write hits, spans and cuts as CSV, with every column; `read_cues` reads them back equal.

    A start that may move has a row of its own; a fixed one is the caller's to tell, as ever.

    Parameters
    ----------
    cues : Cues
    path : path
    notes : sequence of str
        Lines for people, behind `#` before the columns.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    atomic_write(path, cues_text(cues, notes).encode("utf-8"))


def cues_text(cues: Cues, notes: Sequence[str] = ()) -> str:
    """What `write_cues` writes."""
    text = io.StringIO()
    text.writelines(f"# {' '.join(note.split())}\n" for note in notes)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    rows: list[tuple[int, tuple[str, ...]]] = []
    for hit in cues.hits:
        lands = (_plain(hit.weight), hit.kind, _plain(hit.tolerance), hit.lands)
        rows.append((hit.frame, (cues.timecode(hit), hit.label, *lands)))
    for span in cues.spans:
        end = Timecode(span.end, cues.rate).label
        rows.append((span.start, (Timecode(span.start, cues.rate).label, span.label, "", span.kind, "", end)))
    rows += [(cut, (Timecode(cut, cues.rate).label, "", "", "cut", "", "")) for cut in cues.cuts]
    if cues.start_give:
        table.writerow((cues.start.label, "", "", "start", str(cues.start_give), ""))
    table.writerows(row for _, row in sorted(rows, key=lambda pair: pair[0]))
    return text.getvalue()


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


@dataclass(frozen=True)
class _Table:
    """The rows below a header, as cues."""

    file: Path
    columns: list[str]
    rate: FrameRate
    start: Timecode

    def cues(self, rows: list[tuple[int, list[str]]]) -> Cues:
        hits: list[Hit] = []
        spans: list[Span] = []
        cuts: list[int] = []
        start, give, begins = self.start, 0, 0
        for line, row in rows:
            fields = self._fields(row, line)
            kind = fields.get("kind", "").lower()
            if kind not in _BESIDES:
                hits.append(self._hit(fields, line))
                continue
            self._nothing_else(fields, kind, line)
            frame = self._frame(fields, "timecode", line)
            if kind == "cut":
                cuts.append(frame)
            elif kind == "start":
                if begins:
                    raise self._error(f"the cue starts twice, here and in line {begins}", line, "kind")
                start, give, begins = self._started(fields, frame, line), self._give(fields, line), line
            else:
                spans.append(self._span(fields, frame, kind, line))
        return Cues(self.rate, start, tuple(hits), tuple(spans), tuple(cuts), str(self.file), give)

    def _error(self, what: str, line: int, column: str = "", cure: str = "") -> ReadError:
        where = f"line {line}, column {column}" if column else f"line {line}"
        return ReadError(what, file=self.file, where=where, cure=cure)

    def _fields(self, row: list[str], line: int) -> dict[str, str]:
        columns = self.columns
        if len(row) > len(columns) and any(row[len(columns) :]):
            cure = 'quote text that holds commas: "door, slams"'
            raise self._error(f"{len(row)} fields for {len(columns)} columns", line, cure=cure)
        fields = dict(zip(columns, row, strict=False))
        for name, text in fields.items():
            if len(text) > TEXT and name != "timecode":
                raise self._error(f"longer than {TEXT} characters", line, name, "shorten it")
        return fields

    def _nothing_else(self, fields: dict[str, str], kind: str, line: int) -> None:
        """What a row of this kind cannot say is refused, not dropped."""
        unused = {"cut": ("weight", "tolerance", "lands", "label"), "start": ("weight", "lands", "label")}
        for name in unused.get(kind, ("weight", "tolerance")):
            if fields.get(name):
                raise self._error(f"a row of kind {kind} has no {name}", line, name, "leave it empty")

    def _frame(self, fields: dict[str, str], name: str, line: int) -> int:
        try:
            return Timecode.parse(fields.get(name, ""), self.rate).frame
        except RescoreError as problem:
            raise self._error(problem.what, line, name, problem.cure) from problem

    def _started(self, fields: dict[str, str], frame: int, line: int) -> Timecode:
        if self.start.frame not in (0, frame):
            what = f"the cue starts at {fields['timecode']} here, but at {self.start} as asked"
            raise self._error(what, line, "timecode", "ask for the same start, or none")
        return Timecode(frame, self.rate)

    def _give(self, fields: dict[str, str], line: int) -> int:
        text = fields.get("tolerance") or "0"
        if not (text.isdecimal() and len(text) < 7):
            raise self._error(f"'{text}' is not a whole number of frames", line, "tolerance")
        return int(text)

    def _span(self, fields: dict[str, str], frame: int, kind: str, line: int) -> Span:
        if not fields.get("lands"):
            cure = "its last timecode goes there"
            raise self._error(f"a span of {kind} does not say where it ends", line, "lands", cure)
        end = self._frame(fields, "lands", line)
        try:
            return Span(frame, end, kind, fields.get("label", ""))
        except RescoreError as problem:
            raise self._error(problem.what, line, "lands", problem.cure) from problem

    def _hit(self, fields: dict[str, str], line: int) -> Hit:
        frame = self._frame(fields, "timecode", line)
        name = "timecode"
        try:
            values: dict[str, Any] = {}
            for name in self.columns:
                if name != "timecode" and fields.get(name):
                    values[name] = _CONVERT[name](fields[name])
                    Hit(frame, **{name: values[name]})  # checked one by one, so that the message names the column
            return Hit(frame, **values)
        except RescoreError as problem:
            raise self._error(problem.what, line, name, problem.cure) from problem
        except ValueError as problem:
            raise self._error(f"'{fields[name]}' is not {_WANTED.get(name, 'text')}", line, name) from problem
