"""Spotting notes as spreadsheets: headers found, cells as text or Excel's times, hostile archives refused."""

import io
import zipfile
from datetime import datetime, time, timedelta

import pytest

from rescore_music.cues import Hit, Span
from rescore_music.errors import LONGEST, ReadError
from rescore_music.io.limits import SHEET_ROWS
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import Timecode

openpyxl = pytest.importorskip("openpyxl")


def saved(tmp_path, *sheets, name="notes.xlsx"):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for k, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {k + 1}")
        for row in rows:
            sheet.append(list(row))
    path = tmp_path / name
    book.save(path)
    return path


def frame(label, rate="24"):
    return Timecode.parse(label, rate).frame


def test_notes_as_a_music_editor_writes_them(tmp_path):
    cover = [["Reel 3 - spotting notes"], ["please call"]]
    notes = [
        ["Reel 3"],
        [],
        ["TC", "Description", "Weight", "Type", "Tol", "Lands on", "Out", "Initials"],
        ["01:00:10:12", "Door, slams", 2.5, "Soft", 3, "downbeat", None, "jk"],
        ["1:00:20:00", "she turns", None, None, None, "motif:Love Theme", None, None],
        ["01:00:30:00", "He says no", None, None, None, None, "01:00:34:12", None],
        ["01:00:40:00", None, None, "avoid", None, None, "01:00:41:00", None],
        [None, "second scene"],
        ["01:01:00:00", "hit with an end", "1,5", "HARD", None, None, "01:01:01:00", None],
    ]
    cues = read_cues(saved(tmp_path, cover, notes), 24, "01:00:00:00")
    assert cues.hits == (
        Hit(frame("01:00:10:12"), "Door, slams", 2.5, "soft", 3.0, "downbeat"),
        Hit(frame("01:00:20:00"), "she turns", lands="motif:Love Theme"),
        Hit(frame("01:01:00:00"), "hit with an end", 1.5),
    )
    assert cues.spans == (
        Span(frame("01:00:30:00"), frame("01:00:34:12"), "dialogue", "He says no"),
        Span(frame("01:00:40:00"), frame("01:00:41:00"), "avoid"),
    )


def test_left_out_columns_and_rows_are_told(tmp_path, caplog):
    rows = [["Timecode", "Hit", "Mood"], ["00:00:01:00", "x", "sad"], [None, "heading", None], ["00:00:02", "y", ""]]
    cues = read_cues(saved(tmp_path, rows), 24)
    assert [hit.frame for hit in cues.hits] == [24, 48]
    said = caplog.text
    assert "column 'mood': column not understood" in said
    assert "row 3: row without a timecode left out" in said
    assert "row 4: time without frames" in said


@pytest.mark.parametrize(
    ("cell", "rate", "label"),
    [
        ("00:01:10;02", "29.97df", "00:01:10;02"),
        (time(0, 1, 10), "24", "00:01:10:00"),
        (time(1, 0, 0, 500_000), "24", "01:00:00:12"),
        (time(0, 0, 1, 999_000), "24", "00:00:02:00"),
        (timedelta(hours=1, seconds=2), "25", "01:00:02:00"),
        (datetime(2024, 5, 1, 0, 0, 3), "25", "00:00:03:00"),
        (1 / 24, "24", "01:00:00:00"),
        (time(0, 1, 0), "29.97df", "00:01:00;02"),  # ;00 does not exist: the first frame of that minute
        (time(0, 10, 0), "29.97df", "00:10:00;00"),
    ],
)
def test_cells_of_every_kind(tmp_path, cell, rate, label):
    cues = read_cues(saved(tmp_path, [["time", "note"], [cell, "x"]]), rate)
    assert cues.timecode(cues.hits[0]) == label


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["when", "what"]], "no sheet has a header with a timecode column"),
        ([["tc", "hit"], ["01:00:00:24", "x"]], "sheet 'Sheet 1', cell A2: '01:00:00:24': frames go"),
        ([["hit", "tc"], ["x", "soon"]], "cell B2: 'soon' is not a timecode"),
        ([["hit", "tc"], ["x", 42]], "cell B2: '42' is not a timecode"),
        ([["tc", "weight"], ["00:00:01:00", "heavy"]], "cell B2: 'heavy' is not a number"),
        ([["tc", "weight"], ["00:00:01:00", 0]], "cell B2: a weight must be positive"),
        ([["tc", "kind"], ["00:00:01:00", "firm"]], "cell B2: a hit is hard or soft"),
        ([["tc", "lands"], ["00:00:01:00", "third beat"]], "cell B2: 'third beat' is no place"),
        ([["in", "out"], ["00:00:02:00", "00:00:01:00"]], "cell B2: a span must end after it starts"),
        ([["in", "out", "kind"], ["00:00:01:00", "00:00:02:00", "kiss"]], "cell C2: 'kiss' is no kind"),
    ],
)
def test_errors_name_sheet_and_cell(tmp_path, rows, message):
    path = saved(tmp_path, rows)
    with pytest.raises(ReadError) as caught:
        read_cues(path, 24)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def _packed(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/") + ".xml", data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"timecode\n", "no .xlsx spreadsheet"),
        (_packed(a=b" " * (5 << 20)), "unpacks to more than"),
        (_packed(**{f"x{i}": b"" for i in range(5000)}), "holds 5000 files"),
        (_packed(xl__workbook=b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"), "declares a document type"),
        (_packed(xl__workbook="<x/>".encode("utf-16")), "declares a document type"),
        (_packed(xl__workbook=b"<x/>"), "damaged"),
    ],
)
def test_hostile_archives_are_refused(tmp_path, data, message):
    path = tmp_path / "x.xlsx"
    path.write_bytes(data)
    with pytest.raises(ReadError) as caught:
        read_cues(path, 24)
    assert message in str(caught.value)
    assert len(str(caught.value)) <= LONGEST


def test_more_rows_than_any_film_has(tmp_path):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["tc", "hit"])
    for _ in range(SHEET_ROWS + 5):
        sheet.append(["00:00:01:00", "x"])
    book.save(tmp_path / "long.xlsx")
    with pytest.raises(ReadError, match="more than 20,000 rows"):
        read_cues(tmp_path / "long.xlsx", 24)
