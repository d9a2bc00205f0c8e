"""Marker lists: REAPER's region and marker list (CSV), REAPER projects (.rpp), Pro Tools session info as text.

REAPER writes times as its ruler shows them; only `hours:minutes:seconds:frames` names a frame, so a list in seconds or
bars is refused with what to do. A project holds seconds as decimals, which are taken to the nearest frame (told where
they are further than a thousandth of a frame from it). Pro Tools tells rate and start of the session in its header.
Regions and selections become markers with a length.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from rescore_music.edits import EditList, PictureMarker, told
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.files import atomic_write
from rescore_music.io.limits import TEXT
from rescore_music.io.picture.common import (
    Remarks,
    agreed_rate,
    check_count,
    check_frame,
    check_labels,
    frame_of,
    label_of,
    text_lines,
    wanted_rate,
)
from rescore_music.timecode import FrameRate

REAPER_COLUMNS = ("#", "Name", "Start", "End", "Length", "Color")
_LABEL = re.compile(r"\d{1,2}[:;]\d\d[:;]\d\d[:;]\d{2,3}")
_RULER = "set the ruler to Hours:Minutes:Seconds:Frames and export again"


# -- REAPER --------------------------------------------------------------------------------------------------------


def is_reaper_list(first: str) -> bool:
    """Whether a first line is the header of REAPER's region and marker list."""
    names = [name.strip().strip('"').lower() for name in re.split(r"[,;\t]", first.lstrip("\ufeff"))]
    return len(names) > 2 and names[0] == "#" and "name" in names and "start" in names


def read_reaper_list(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read REAPER's region and marker list as CSV; see `read_edits`."""
    known = wanted_rate(rate, path, "a marker list")
    lines = text_lines(path)
    first = next((line for line in lines if line.strip()), "")
    if not is_reaper_list(first):
        cure = f"first line: {','.join(REAPER_COLUMNS)}"
        raise ReadError("this is no region and marker list of REAPER", file=path, cure=cure)
    separator = max(",;\t", key=first.count)
    table = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=separator)
    columns: list[str] = []
    markers: list[PictureMarker] = []
    try:
        for row in table:
            if not columns:
                columns = [name.strip().lower() for name in row] if any(row) else []
                continue
            if any(field.strip() for field in row):
                markers.append(_row(dict(zip(columns, row, strict=False)), known, path, f"line {table.line_num}"))
                check_count(len(markers), path)
    except csv.Error as problem:
        raise ReadError(str(problem), file=path, where=f"line {table.line_num}") from problem
    return EditList("", known, (), tuple(markers), source=str(path))


def _row(fields: dict[str, str], rate: FrameRate, path: Path, where: str) -> PictureMarker:
    start = _ruler(fields.get("start", ""), rate, path, f"{where}, column Start")
    end = fields.get("end", "").strip()
    length = _ruler(end, rate, path, f"{where}, column End") - start if end else 1
    color = fields.get("color", "").strip().lower()
    return PictureMarker(start, fields.get("name", "")[:TEXT], color[:TEXT], max(length, 1))


def _ruler(text: str, rate: FrameRate, path: Path, where: str) -> int:
    said = text.strip()
    if not _LABEL.fullmatch(said):
        kind = "bars and beats" if re.fullmatch(r"-?\d+\.\d+\.\d+", said) else "seconds, not frames"
        what = f"'{said[:40]}' is in {kind}" if re.fullmatch(r"-?[\d:.]+", said) else f"'{said[:40]}' is no timecode"
        raise ReadError(what, file=path, where=where, cure=_RULER)
    return frame_of(said if said[2] in ":;" else f"0{said}", rate, path, where)


def write_reaper_list(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write the markers as REAPER's region and marker list; see `write_edits`."""
    rate = edits.rate
    check_labels(max((m.frame + m.length for m in edits.markers), default=0), rate, path)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(REAPER_COLUMNS)
    for number, marker in enumerate(edits.markers, 1):
        region = marker.length > 1
        times = [label_of(marker.frame, rate), "", ""]
        if region:
            times[1:] = [label_of(marker.frame + marker.length, rate), label_of(marker.length, rate)]
        table.writerow([f"{'R' if region else 'M'}{number}", marker.text, *times, marker.color.upper()])
    atomic_write(path, text.getvalue().encode("utf-8"))
    return _without_edits(edits)


def _without_edits(edits: EditList) -> tuple[LogItem, ...]:
    count = len(edits.edits)
    return (LogItem("list", "edits, which a marker list cannot hold", count, True),) if count else ()


def read_reaper_project(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read the markers and regions of a REAPER project; see `read_edits`."""
    known = wanted_rate(rate, path, "a REAPER project")
    lines = text_lines(path)
    if not next((line for line in lines if line.strip()), "").lstrip().startswith("<REAPER_PROJECT"):
        raise ReadError("this is no REAPER project", file=path, cure="save it in REAPER")
    remarks: Remarks = []
    offset = Fraction(0)
    markers: list[PictureMarker] = []
    regions: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(lines, 1):
        where, words = f"line {number}", list(_words(line))
        if words[:1] == ["PROJOFFS"] and len(words) > 1:
            offset = _seconds(words[1], path, where)
        elif words[:1] == ["MARKER"] and len(words) > 2:
            frame = _nearest((_seconds(words[2], path, where) + offset) * known.fps, path, where, remarks)
            name = words[3] if len(words) > 3 else ""
            if len(words) > 4 and words[4].isdecimal() and int(words[4][:9]) & 1:  # a region: one line a side
                if words[1] in regions:
                    start, text, _ = regions.pop(words[1])
                    markers.append(PictureMarker(min(start, frame), text, length=max(abs(frame - start), 1)))
                else:
                    regions[words[1]] = (frame, name, where)
            else:
                markers.append(PictureMarker(frame, name[:TEXT]))
            check_count(len(markers) + len(regions), path)
    for frame, name, where in regions.values():
        remarks.append((where, "region without an end taken as a marker", False))
        markers.append(PictureMarker(frame, name[:TEXT]))
    return EditList("", known, (), tuple(markers), told(remarks), source=str(path))


def _words(line: str) -> Iterator[str]:
    """The fields of a project's line, which may be quoted by any of three signs."""
    for found in re.finditer(r'"([^"]*)"|\'([^\']*)\'|`([^`]*)`|(\S+)', line):
        yield next((group for group in found.groups() if group is not None), "")


def _seconds(text: str, path: Path, where: str) -> Fraction:
    if not re.fullmatch(r"-?\d{1,12}(\.\d{0,20})?", text):
        raise ReadError(f"'{text[:40]}' is no number of seconds", file=path, where=where)
    return Fraction(text)


def _nearest(exact: Fraction, path: Path, where: str, remarks: Remarks) -> int:
    frame = round(exact)
    if abs(exact - frame) > Fraction(1, 1000):
        remarks.append((where, "marker between frames moved to the nearest", False))
    return check_frame(frame, path, where)


# -- Pro Tools -----------------------------------------------------------------------------------------------------

_SECTION = "M A R K E R S  L I S T I N G"


def read_session_text(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read the markers of a Pro Tools session info text; see `read_edits`."""
    lines = text_lines(path)
    header: dict[str, str] = {}
    columns: list[str] = []
    inside = False
    found: list[tuple[str, dict[str, str]]] = []
    for number, line in enumerate(lines, 1):
        squeezed = re.sub(r"\s+", "", line).upper()
        if squeezed == "MARKERSLISTING":
            inside = True
        elif not inside and ":" in line:
            name, _, value = line.partition(":")
            header.setdefault(name.strip().upper(), value.strip())
        elif inside and squeezed.endswith("LISTING"):
            inside = False
        elif inside and line.strip():
            fields = [field.strip() for field in line.split("\t")]
            if not columns:
                columns = [name.upper() for name in fields]
            else:
                found.append((f"line {number}", dict(zip(columns, fields, strict=False))))
                check_count(len(found), path)
    if "LOCATION" not in columns and not ("SESSION NAME" in header and inside):
        cure = "export session info as text with markers, times in timecode"
        raise ReadError("no MARKERS LISTING: this is no session info of Pro Tools", file=path, cure=cure)
    known = agreed_rate(_session_rate(header, path), rate, path)
    start = frame_of(header.get("SESSION START TIMECODE", "00:00:00:00"), known, path, "SESSION START TIMECODE")
    remarks: Remarks = []
    markers = [_session_marker(row, known, start, header, path, where, remarks) for where, row in found]
    title = header.get("SESSION NAME", "")
    return EditList(title, known, (), tuple(markers), told(remarks), source=str(path))


def _session_rate(header: dict[str, str], path: Path) -> FrameRate:
    text = header.get("TIMECODE FORMAT", "")
    number, _, rest = text.partition(" ")
    if not number:
        raise ReadError("the session tells no TIMECODE FORMAT", file=path, cure="export it again")
    try:
        rate = FrameRate.parse(number)
        return FrameRate(rate.fps, "DROP" in rest.upper() and "NON" not in rest.upper())
    except RescoreError as problem:
        raise ReadError(problem.what, file=path, where="TIMECODE FORMAT", cure=problem.cure) from problem


def _session_marker(
    row: dict[str, str], rate: FrameRate, start: int, header: dict[str, str], path: Path, where: str, remarks: Remarks
) -> PictureMarker:
    location, reference = row.get("LOCATION", ""), row.get("TIME REFERENCE", "")
    text = ": ".join(part for part in (row.get("NAME", ""), row.get("COMMENTS", "")) if part)
    if _LABEL.fullmatch(location):
        frame = frame_of(location if location[2] in ":;" else f"0{location}", rate, path, where)
        return PictureMarker(frame, text[:TEXT])
    sample_rate = header.get("SAMPLE RATE", "")
    samples = row.get("UNITS", "").upper().startswith("SAMPLE") and re.fullmatch(r"\d{1,15}", reference)
    if not samples or not re.fullmatch(r"\d{4,7}(\.\d{1,9})?", sample_rate):
        what = f"'{location[:40]}' is no timecode"
        raise ReadError(what, file=path, where=where, cure="export session info with times in timecode")
    exact = int(reference) / Fraction(sample_rate) * rate.fps + start
    return PictureMarker(_nearest(exact, path, where, remarks), text[:TEXT])


def write_session_text(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write the markers as Pro Tools' session info text lists them; see `write_edits`."""
    rate, remarks = edits.rate, list[tuple[str, str, bool]]()
    check_labels(max((m.frame + 1 for m in edits.markers), default=0), rate, path)
    first = min((m.frame for m in edits.markers), default=0)
    kind = "Drop Frame" if rate.drop else "Frame"
    lines = [
        f"SESSION NAME:\t{edits.title}",
        "SAMPLE RATE:\t48000.000000",
        "BIT DEPTH:\t24-bit",
        f"SESSION START TIMECODE:\t{label_of(first, rate)}",
        f"TIMECODE FORMAT:\t{rate.name.removesuffix('ndf').removesuffix('df')} {kind}",
        "# OF AUDIO TRACKS:\t0",
        "",
        "",
        _SECTION,
        "#   \tLOCATION     \tTIME REFERENCE    \tUNITS    \tNAME                             \tCOMMENTS",
    ]
    for number, marker in enumerate(edits.markers, 1):
        if marker.length > 1 or marker.color:
            remarks.append((label_of(marker.frame, rate), "length or colour of a marker", True))
        samples = round((marker.frame - first) / rate.fps * 48000)
        label = label_of(marker.frame, rate)
        lines.append(f"{number:<4}\t{label:<13}\t{samples:<18}\tSamples  \t{marker.text:<33}\t")
    atomic_write(path, ("\n".join(lines) + "\n").encode("utf-8"))
    return (*_without_edits(edits), *told(remarks))
