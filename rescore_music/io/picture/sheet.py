"""Spotting notes as a spreadsheet (.xlsx), through openpyxl (MIT, the extra `picture`).

The header is the first row, among the first `HEADER_ROWS` of a sheet, that names a timecode column; columns are known
by the words people use (`COLUMNS`), others are left out and told. A row with an end (`out`) and no kind, or of a kind
that `cues.Span` knows, is a span of picture (dialogue unless it says otherwise); every other row is a hit. Cells are
text as in a CSV, or Excel's own times, which know no frames: `0:01:10` is that second's first frame.

The archive is looked through before it is opened: sizes as `io.limits` allows, and no document type in any part, since
spreadsheets have no use for entities.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from rescore_music.cues import HARD, SOFT, Cues, Hit, Span
from rescore_music.edits import told
from rescore_music.elements import LogItem
from rescore_music.errors import MissingExtra, ReadError, RescoreError
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import (
    ARCHIVE_BYTES,
    ARCHIVE_ENTRIES,
    ARCHIVE_RATIO,
    ARCHIVE_RATIO_FREE,
    EDIT_BYTES,
    SHEET_COLUMNS,
    SHEET_ROWS,
    TEXT,
)
from rescore_music.io.picture.common import Remarks, frame_of
from rescore_music.timecode import FrameRate, Timecode

HEADER_ROWS = 40
COLUMNS = {
    "timecode": ("timecode", "tc", "time", "time code", "timecode in", "tc in", "in", "start", "smpte", "position"),
    "out": ("out", "end", "tc out", "timecode out", "stop", "to"),
    "label": ("label", "description", "hit", "event", "action", "cue", "name", "note", "notes", "comment", "comments"),
    "weight": ("weight", "importance", "priority"),
    "kind": ("kind", "type", "hard/soft"),
    "tolerance": ("tolerance", "tol", "tolerance (frames)", "frames", "+/-", "±"),
    "lands": ("lands", "lands on", "landing", "on"),
}
_SPANS = ("dialogue", "silence", "avoid", "hold", "frozen")
_LABEL = re.compile(r"(\d{1,2})([:;.])(\d\d)([:;.])(\d\d)(?:([:;.])(\d{2,3}))?")


def read_sheet(path: Path, rate: FrameRate, start: Timecode) -> tuple[Cues, tuple[LogItem, ...]]:
    """Hits and spans of a spreadsheet, and what was left out or guessed.

    Parameters
    ----------
    path : Path
    rate : FrameRate
    start : Timecode
        Timecode of the cue's first sample.

    Raises
    ------
    ReadError
        With sheet and cell, if the file is no spreadsheet, hostile, or a cell says something it may not.
    MissingExtra
        If openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        what = "spreadsheets need the package openpyxl"
        raise MissingExtra(what, cure="pip install rescore-music[picture]") from error
    data = read_bytes(path, EDIT_BYTES)
    _check_archive(data, path)
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [(str(s.title)[:40], list(_cells(s))) for s in book.worksheets[:64]]
    except ReadError:
        raise
    except Exception as problem:  # the package's errors derive from nothing in common
        said = " ".join(str(problem).split())[:200]
        raise ReadError(f"the spreadsheet is damaged: {said}", file=path, cure="save it again as .xlsx") from None
    for title, rows in sheets:
        if (found := _header(rows)) is not None:
            return _Sheet(title, path, rate).cues(rows, *found, start)
    cure = "a row with the words timecode, label, weight, kind, tolerance, lands"
    raise ReadError("no sheet has a header with a timecode column", file=path, cure=cure)


def _check_archive(data: bytes, path: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > ARCHIVE_ENTRIES:
                raise ReadError(f"the archive holds {len(entries)} files, more than {ARCHIVE_ENTRIES}", file=path)
            limit = max(ARCHIVE_RATIO_FREE, min(ARCHIVE_BYTES, len(data) * ARCHIVE_RATIO))
            total = 0
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    what = f"{entry.filename[:80]!r} is packed by method {entry.compress_type}, not deflated"
                    raise ReadError(what, file=path, cure="save it again")
                total += entry.file_size  # zipfile never unpacks more than an entry declares
                if total > limit:
                    raise ReadError(f"it unpacks to more than {limit >> 20} MiB, too much for its size", file=path)
                _check_part(archive.read(entry), entry.filename, path)
    except ReadError:
        raise
    except Exception as problem:  # zipfile's and the codecs' errors derive from nothing in common
        said = " ".join(str(problem).split())[:200]
        raise ReadError(f"this is no .xlsx spreadsheet: {said}", file=path, cure="save it as .xlsx") from None


def _check_part(part: bytes, name: str, path: Path) -> None:
    if not name.lower().endswith((".xml", ".rels", ".vml")):
        return
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or part[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in part[:64]:
        what = f"{name[:80]!r} declares a document type, which spreadsheets have no use for"
        raise ReadError(what, file=path, cure="do not trust it")


def _cells(sheet: Any) -> Iterator[tuple[Any, ...]]:
    if hasattr(sheet, "iter_rows"):
        sheet.reset_dimensions()  # a file's own word on its size may be wrong
        yield from sheet.iter_rows(max_row=SHEET_ROWS + 1, max_col=SHEET_COLUMNS, values_only=True)


def _header(rows: list[tuple[Any, ...]]) -> tuple[int, dict[str, int], list[str]] | None:
    """Row number of the header, column number by name, and the headings that mean nothing here."""
    for number, row in enumerate(rows[:HEADER_ROWS]):
        words = [" ".join(str(cell).lower().split()).strip(" :") if isinstance(cell, str) else "" for cell in row]
        found: dict[str, int] = {}
        for name, synonyms in COLUMNS.items():
            places = [words.index(word) for word in synonyms if word in words]
            if places:
                found[name] = places[0]
        if ("timecode" in found and len(found) > 1) or (words.count("") == len(words) - 1 and "timecode" in found):
            unknown = [w[:40] for k, w in enumerate(words) if w and k not in found.values()]
            return number, found, unknown
    return None


@dataclass(frozen=True)
class _Sheet:
    title: str
    path: Path
    rate: FrameRate

    def cues(
        self, rows: list[tuple[Any, ...]], header: int, columns: dict[str, int], unknown: list[str], start: Timecode
    ) -> tuple[Cues, tuple[LogItem, ...]]:
        remarks: Remarks = [(f"column '{name}'", "column not understood, left out", False) for name in unknown]
        if len(rows) > SHEET_ROWS:
            raise ReadError(f"more than {SHEET_ROWS:,} rows", file=self.path, where=f"sheet '{self.title}'")
        hits: list[Hit] = []
        spans: list[Span] = []
        for number, row in enumerate(rows[header + 1 :], header + 2):
            said = {name: row[k] for name, k in columns.items() if k < len(row) and row[k] not in (None, "")}
            if "timecode" not in said:
                if said:
                    remarks.append((f"row {number}", "row without a timecode left out", True))
                continue
            frame = self._frame(said["timecode"], number, columns["timecode"], remarks)
            kind = self._text(said, "kind").lower()
            if "out" in said and kind not in (HARD, SOFT):
                spans.append(self._span(said, frame, kind, number, columns, remarks))
            else:
                if "out" in said:
                    remarks.append((f"row {number}", "end of a hit left out", False))
                hits.append(self._hit(said, frame, kind, number, columns))
        cues = Cues(self.rate, start, tuple(hits), tuple(spans), source=str(self.path))
        return cues, told(remarks)

    def _where(self, row: int, column: int) -> str:
        letters, rest = "", column + 1
        while rest:
            rest, digit = divmod(rest - 1, 26)
            letters = chr(65 + digit) + letters
        return f"sheet '{self.title}', cell {letters}{row}"

    def _text(self, said: dict[str, Any], name: str) -> str:
        return " ".join(str(said.get(name, "")).split())

    def _span(
        self, said: dict[str, Any], frame: int, kind: str, row: int, columns: dict[str, int], remarks: Remarks
    ) -> Span:
        end = self._frame(said["out"], row, columns["out"], remarks)
        where = self._where(row, columns.get("kind", columns["out"]))
        if kind and kind not in _SPANS:
            cure = f"hard, soft, {', '.join(_SPANS)}"
            raise ReadError(f"'{kind[:40]}' is no kind of hit or span", file=self.path, where=where, cure=cure)
        try:
            return Span(frame, end, kind or "dialogue", self._text(said, "label")[:TEXT])
        except RescoreError as problem:
            where = self._where(row, columns["out"])
            raise ReadError(problem.what, file=self.path, where=where, cure=problem.cure) from problem

    def _hit(self, said: dict[str, Any], frame: int, kind: str, row: int, columns: dict[str, int]) -> Hit:
        values: dict[str, Any] = {"label": self._text(said, "label")[:TEXT]}
        name = "timecode"
        try:
            for name in ("weight", "tolerance"):
                if name in said:
                    values[name] = float(self._text(said, name).replace(",", ".")[:40])
                    Hit(frame, **{name: values[name]})  # checked one by one, so that the message names the cell
            for name in ("kind", "lands"):
                if text := kind if name == "kind" else self._text(said, name)[:TEXT]:
                    values[name] = text if text.startswith("motif:") else text.lower()
                    Hit(frame, **{name: values[name]})
            return Hit(frame, **values)
        except RescoreError as problem:
            where = self._where(row, columns.get(name, 0))
            raise ReadError(problem.what, file=self.path, where=where, cure=problem.cure) from problem
        except ValueError as problem:
            where, text = self._where(row, columns.get(name, 0)), self._text(said, name)[:40]
            raise ReadError(f"'{text}' is not a number", file=self.path, where=where) from problem

    def _frame(self, cell: Any, row: int, column: int, remarks: Remarks) -> int:
        where = self._where(row, column)
        if isinstance(cell, str):
            found = _LABEL.fullmatch(cell.strip())
            if found and found[7]:
                mark = ";" if ";" in cell else ":"
                return self._labelled(f"{int(found[1]):02d}:{found[3]}:{found[5]}{mark}{found[7]}", where)
            if found is None or "." in (found[2], found[4]):
                cure = "write hh:mm:ss:ff, with ; before ff for drop frame"
                raise ReadError(f"'{cell.strip()[:40]}' is not a timecode", file=self.path, where=where, cure=cure)
            seconds = (int(found[1]) * 60 + int(found[3])) * 60 + int(found[5])
            milliseconds = seconds * 1000
        else:
            milliseconds = self._milliseconds(cell, where)
        remarks.append((f"row {row}", "time without frames taken as the nearest frame of its label", False))
        second, rest = divmod(milliseconds, 1000)
        frames = (rest * self.rate.nominal + 500) // 1000
        second, frames = (second + 1, 0) if frames >= self.rate.nominal else (second, frames)
        minute = second // 60
        if second % 60 == 0 and minute % 10 and frames < self.rate.dropped:
            frames = self.rate.dropped  # the label does not exist: the first of its minute does
        mark = ";" if self.rate.drop else ":"
        return self._labelled(f"{minute // 60:02d}:{minute % 60:02d}:{second % 60:02d}{mark}{frames:02d}", where)

    def _milliseconds(self, cell: Any, where: str) -> int:
        """An Excel time as milliseconds of its label: a time of day, a duration, or a fraction of a day."""
        if isinstance(cell, datetime):
            cell = cell.time()
        if isinstance(cell, time):
            seconds = (cell.hour * 60 + cell.minute) * 60 + cell.second
            return seconds * 1000 + round(cell.microsecond / 1000)
        if isinstance(cell, timedelta):
            return round(cell / timedelta(milliseconds=1))
        if isinstance(cell, int | float) and not isinstance(cell, bool) and 0 <= cell < 1:
            return round(cell * 86_400_000)
        cure = "write hh:mm:ss:ff as text"
        raise ReadError(f"'{str(cell)[:40]}' is not a timecode", file=self.path, where=where, cure=cure)

    def _labelled(self, label: str, where: str) -> int:
        return frame_of(label, self.rate, self.path, where)
