"""Hostile edit lists: whatever comes, a value or one line, soon. Whole files are mutated: bytes, lines, numbers."""

from __future__ import annotations

import io
import os
import random
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_picture_edl import REEL_3
from test_picture_fcpxml import project
from test_picture_markers import PROJECT, REAPER, SESSION
from test_picture_xmeml import FILE, SPEED, clip, mix
from test_picture_xmeml import saved as saved_xmeml

from rescore_music.cli import main
from rescore_music.edits import Edit, EditList, PictureMarker
from rescore_music.errors import LONGEST, RescoreError
from rescore_music.io import limits
from rescore_music.io.picture import read_edits, write_edits
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import RATES

TIMES = max(int(os.environ.get("RESCORE_FUZZ", "0")), 1)
SECONDS = 20.0  # of processor time for one file: bombs take hours
ABSURD = ("", "0", "-1", "1e9", "9" * 400, "nan", "1/0", "1/0s", "-5s", "1001/0s", "99:99:99:99", "24:00:00:00")
ABSURD += ("00:00:00;00", "٣", "\x00", "NULL", "9" * 18 + "s", "1/999999999999s", "true", "[]", "{}", "M2", "FCM: DROP")


def _sheet() -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["tc", "hit", "out", "weight"], ["00:00:01:00", "x", "00:00:02:00", 1], ["00:00:03:00", "y", None, 2]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One good file a format."""
    folder = tmp_path_factory.mktemp("seeds")
    shots = (
        Edit(86400, 86500, 10, 110, "A"),
        Edit(86500, 86600, 5, 205, "B", speed=2, transition="dissolve", transition_length=24, outgoing="A"),
        Edit(86600, 86700, 0, 100, "C", track="V2", transition="wipe", transition_length=5, wipe="001", outgoing="BL"),
    )
    whole = EditList("x", RATES[1], shots, (PictureMarker(86450, "m", "red"),))
    pytest.importorskip("opentimelineio")
    for name in ("x.otio", "x.fcpxml"):
        write_edits(whole, folder / name)
    video = clip("a", 0, -1, 0, 90, FILE.format(id="f", frame=9, reel="T"), SPEED.format(50, "")) + mix(80, 90)
    nested = (
        '<gap offset="3600s" start="0s" duration="9s"><asset-clip ref="a1" lane="1" offset="1s" duration="2s"/></gap>'
    )
    return {
        "a.edl": REEL_3.encode(),
        "a.fcpxml": (folder / "x.fcpxml").read_bytes(),
        "b.fcpxml": project(nested).encode(),
        "a.xml": saved_xmeml(folder, video + clip("b", -1, 200, 0, 120, "")).read_bytes(),
        "a.otio": (folder / "x.otio").read_bytes(),
        "a.csv": REAPER.encode(),
        "a.rpp": PROJECT.encode(),
        "a.txt": SESSION.encode(),
        "a.xlsx": _sheet(),
    }


def _mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with changed bytes, numbers or words, with lines doubled, moved or cut off."""
    out = bytearray(data)
    kind = rng.randrange(6)
    if kind == 0:
        for _ in range(rng.randrange(1, 8)):
            out[rng.randrange(len(out))] = rng.randrange(256)
    elif kind == 1:
        del out[rng.randrange(len(out)) :]
    elif kind in (2, 3):
        places = list(re.finditer(rb"-?\d+(?:[/:;.]\d+)*s?" if kind == 2 else rb"[A-Za-z#_]+", data))
        for place in sorted(rng.sample(places, min(len(places), rng.randrange(1, 4))), key=lambda m: -m.start()):
            out[place.start() : place.end()] = rng.choice(ABSURD).encode()
    elif kind == 4:
        lines = data.splitlines(keepends=True)
        for _ in range(rng.randrange(1, 4)):
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
        out = bytearray(b"".join(lines))
    else:
        first, last = sorted(rng.randrange(len(out)) for _ in range(2))
        del out[first:last]
    return bytes(out)


def _survives(read: Callable[..., Any], path: Path, *options: Any) -> None:
    start = time.process_time()
    try:
        read(path, *options)
    except RescoreError as error:
        line = str(error)
        assert line.startswith(str(path)), line
        assert "\n" not in line
        assert len(line) <= LONGEST
    assert time.process_time() - start < SECONDS


NAMES = ("a.edl", "a.fcpxml", "b.fcpxml", "a.xml", "a.otio", "a.csv", "a.rpp", "a.txt", "a.xlsx")


@pytest.mark.parametrize("name", NAMES)
def test_mutated_lists_read_or_are_refused(name: str, seeds: dict[str, bytes], tmp_path: Path) -> None:
    rng = random.Random(name if TIMES == 1 else None)
    path = tmp_path / name
    for _ in range(150 * TIMES):
        path.write_bytes(_mutated(seeds[name], rng))
        if name.endswith("xlsx"):
            _survives(read_cues, path, rng.choice((24, "29.97df")))
        else:
            _survives(read_edits, path, rng.choice((None, 24, "29.97df", "23.976")))
            _survives(read_cues, path, 24, "00:00:01:00")


def _deep(count: int) -> str:
    return '<asset-clip ref="a1" offset="3600s" duration="1s">' * count + "</asset-clip>" * count


def _bombs() -> dict[str, bytes]:
    event = "001 A V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n"
    tracks = '{"OTIO_SCHEMA": "Track.1", "children": [' * 60 + "]}" * 60
    sheet = io.BytesIO()
    span = ('"source_range": {"OTIO_SCHEMA": "TimeRange.1", "start_time": %s, "duration": %s}'
            % (('{"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 2}',) * 2))  # fmt: skip
    shots = ",".join([f'{{"OTIO_SCHEMA": "Clip.1", {span}}}', f'{{"OTIO_SCHEMA": "Gap.1", {span}}}'] * 6000)
    layer = f'{{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [{shots}]}}'
    lowest = f'{{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [{{"OTIO_SCHEMA": "Clip.1", {span}}}]}}'
    inside = f'{{"OTIO_SCHEMA": "Stack.1", "children": [{lowest.replace("2}}}", "24000}}}")}, {layer}, {layer}]}}'
    nest = '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1", "children": ['
    nest += '{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [' * 20 + inside + "]}" * 21 + "}"
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<x>" + b" " * (80 << 20))
    return {
        "events.edl": (event * 200_000).encode(),
        "words.edl": b"001 " + b"a " * 4_000_000,
        "line.edl": b"TITLE: " + b"x" * 8_000_000,
        "markers.edl": b"* LOC: 01:00:00:00 RED x\n" * 300_000,
        "deep.fcpxml": project(_deep(200)).encode(),
        "tags.fcpxml": project("<gap/>" * 1_100_000).encode(),
        "points.fcpxml": project(
            '<gap offset="0s" duration="9s"><timeMap>'
            + "".join(f'<timept time="{i}/7s" value="{i * i}/{i + 1}s"/>' for i in range(50_000))
            + "</timeMap></gap>"
        ).encode(),
        "entities.xml": b'<!DOCTYPE xmeml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xmeml>&b;</xmeml>',
        "deep.otio": b"[" * 1_000_000,
        "tracks.otio": tracks.encode(),
        "nested.otio": nest.encode(),
        "values.otio": b"[" + b"1," * 1_100_000 + b"1]",
        "wide.csv": b"#,Name,Start\n" + b"," * 5_000_000,
        "quote.csv": b'#,Name,Start\nM1,"' + b"x" * 5_000_000,
        "many.rpp": b"<REAPER_PROJECT\n" + b"MARKER 1 1 x\n" * 200_000,
        "quotes.rpp": b"<REAPER_PROJECT\n" + b"'\"`" * 1_000_000,
        "many.txt": SESSION.encode() + b"1\t01:00:00;00\t1\tSamples\tx\t\n" * 200_000,
        "blanks.xlsx": sheet.getvalue(),
    }


def test_bombs_end_soon(tmp_path: Path) -> None:
    for name, data in _bombs().items():
        path = tmp_path / name
        path.write_bytes(data)
        _survives(read_cues, path, "29.97df" if name.endswith(".txt") else 24)
        path.unlink()


@pytest.mark.parametrize("name", ["x.edl", "x.fcpxml", "x.xml", "x.otio", "x.rpp", "x.xlsx"])
def test_the_command_says_one_line_and_ends_with_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b"<REAPER_PROJECT")
        file.truncate(limits.EDIT_BYTES + 1)
    cue = Path(__file__).parents[2] / "samples" / "hero_theme.mid"
    for text in ("the file is larger than 16 MiB, the limit for its kind", ""):
        if not text:
            path.write_bytes(b"\x00\x01nothing")
        with pytest.raises(SystemExit) as ended:
            main(["sync", str(cue), "--cues", str(path), "--rate", "24", "-o", str(tmp_path / "out.mid")])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1
        assert said.err.startswith(f"error: {path}: ")
        assert text in said.err
