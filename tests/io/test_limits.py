"""Every limit of `io.limits`: what lies above it is one true line and exit code 2, or cut and told."""

from __future__ import annotations

import contextlib
import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from midi_files import SCALE, meta, midi, track

from rescore_music.cli import main
from rescore_music.errors import LONGEST, ReadError, WriteError
from rescore_music.io import bounded, limits, read_score, write_score
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.spotting import read_cues

HEAD = '<score-partwise><part-list><score-part id="P"><part-name/></score-part></part-list><part id="P"><measure>'
NOTE = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>{}</duration></note>"
TAIL = "</measure></part></score-partwise>"
WORDS = "<direction><direction-type><words>a</words></direction-type></direction>"
FAR = b"\xff\xff\xff\x7f\x90\x3c\x40\x60\x80\x3c\x40"  # a note after 2**28 - 1 ticks


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line that the command says of a cue it refuses."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("error: ")
    assert len(lines[0]) <= LONGEST + 12
    return lines[0]


def sparse(path: Path, head: bytes, size: int) -> Path:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


@pytest.mark.parametrize(
    ("name", "head", "limit"),
    [
        ("x.musicxml", b"<score-partwise>", limits.FILE_BYTES),
        ("x.mid", b"MThd", limits.MIDI_BYTES),
        ("x.abc", b"X:1\n", limits.NOTATION_BYTES),
        ("x.krn", b"**kern\n", limits.NOTATION_BYTES),
    ],
)
def test_bytes(name: str, head: bytes, limit: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "inspect", sparse(tmp_path / name, head, limit + 1))
    assert f"{name}: the file is larger than {limit >> 20} MiB, the limit for its kind" in line


def test_bytes_and_texts_of_spotting_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cue, out = tmp_path / "cue.mid", tmp_path / "out.mid"
    cue.write_bytes(midi(track(SCALE)))
    large = sparse(tmp_path / "x.csv", b"timecode\n", limits.CSV_BYTES + 1)
    assert "x.csv: the file is larger than 4 MiB" in refused(capsys, "sync", cue, "--cues", large, "-o", out)
    said = tmp_path / "y.csv"
    said.write_text("timecode,label\n00:00:01:00,fine\n00:00:02:00," + "x" * (limits.TEXT + 1))
    line = refused(capsys, "sync", cue, "--cues", said, "-o", out)
    assert "y.csv: line 3, column label: longer than 4096 characters" in line
    said.write_text("timecode,label\n00:00:02:00," + "x" * limits.TEXT)
    assert len(read_cues(said, 24).hits[0].label) == limits.TEXT
    assert not out.exists()


def archive(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members:
            out.writestr(name, data)
    return buffer.getvalue()


REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "BARS": ("x.mid", lambda: midi(track(FAR * 2), division=96), "bars long"),
    "BARS in notation": (
        "x.xml",
        lambda: (HEAD + NOTE.format(1) + "</measure>" + "<measure/>" * limits.BARS + TAIL[10:]).encode(),
        "or 20,000 bars",
    ),
    "BAR_QUARTERS": ("x.xml", lambda: (HEAD + NOTE.format(limits.BAR_QUARTERS + 1) + TAIL).encode(), "cannot be"),
    "PARTS": (
        "x.xml",
        lambda: (
            "<score-partwise><part-list/>"
            + "".join(f'<part id="P{i}"><measure>{NOTE.format(1)}</measure></part>' for i in range(limits.PARTS + 1))
            + "</score-partwise>"
        ).encode(),
        "1025 parts, more than 1024",
    ),
    "MIDI_TRACKS": ("x.mid", lambda: midi(*[b"MTrk\0\0\0\0"] * (limits.MIDI_TRACKS + 1)), "more than 4096 tracks"),
    "MIDI_JUNK": ("x.mid", lambda: bytes(limits.MIDI_JUNK + 8) + midi(track(SCALE)), "not"),
    "XML_DEPTH": ("x.xml", lambda: (HEAD + "<a>" * limits.XML_DEPTH).encode(), "malformed XML"),
    "XML_TEXT": (
        "x.xml",
        lambda: HEAD.encode() + b"<a>" + b"x" * (limits.XML_TEXT + 1000) + b"</a>" + TAIL.encode(),
        "malformed XML",
    ),
    "XML_NODES, tags": (
        "x.xml",
        lambda: HEAD.encode() + b"<a/>" * limits.XML_NODES + TAIL.encode(),
        "more than 4,000,000 tags and attributes",
    ),
    "XML_NODES, attributes": (
        "x.xml",
        lambda: HEAD.encode() + (b"<a " + b'b="" ' * 9 + b"/>") * (limits.XML_NODES // 18) + TAIL.encode(),
        "more than 4,000,000 tags and attributes",
    ),
    "ARCHIVE_BYTES": (
        "x.mxl",
        lambda: archive(
            ("x.xml", b"<score-partwise>" + b" " * limits.ARCHIVE_BYTES),
            ("noise", random.Random(0).randbytes(1 << 19)),
        ),
        "unpacks to more than 64 MiB",
    ),
    "ARCHIVE_RATIO": (
        "x.mxl",
        lambda: archive(("x.xml", b"<score-partwise>" + b" " * (limits.ARCHIVE_RATIO_FREE * 4))),
        "too much for its size",
    ),
    "ARCHIVE_ENTRIES": (
        "x.mxl",
        lambda: archive(*((f"{i}", b"") for i in range(limits.ARCHIVE_ENTRIES + 1))),
        "more than 4096",
    ),
}


@pytest.mark.parametrize("limit", REFUSED)
def test_above_the_limit_is_one_line(limit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, make, words = REFUSED[limit]
    (tmp_path / name).write_bytes(make())
    line = refused(capsys, "inspect", tmp_path / name)
    assert f"{name}: " in line
    assert words in line


@pytest.mark.parametrize(
    ("place", "limit", "name", "words"),
    [
        ("notation.draft", "NOTES", "x.xml", "more than 4 notes or"),
        ("musicxml.directions", "MARKS", "marks.xml", "more than 4 marks beside the notes"),
        ("midi.parts", "NOTES", "x.mid", "notes"),
        ("midi.parts", "PARTS", "parts.mid", "parts"),
        ("midi.events", "MIDI_EVENTS", "x.mid", "messages"),
        ("midi.events", "MIDI_MESSAGES", "meta.mid", "messages"),
    ],
)
def test_counts_above_the_limit_are_one_line(
    place: str, limit: str, name: str, words: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # the true limits take seconds to reach; test_hostile.py's bombs meet some of them in full
    files = {
        "x.xml": (HEAD + NOTE.format(1) * 5 + TAIL).encode(),
        "marks.xml": (HEAD + NOTE.format(4) + WORDS * 5 + TAIL).encode(),
        "x.mid": midi(track(SCALE)),
        "parts.mid": midi(*(track(SCALE) for _ in range(5))),
        "meta.mid": midi(track(meta(5, b"la") * 5 + SCALE)),
    }
    (tmp_path / name).write_bytes(files[name])
    monkeypatch.setattr(f"rescore_music.io.{place}.{limit}", 4)
    line = refused(capsys, "inspect", tmp_path / name)
    assert words in line


def test_a_part_has_few_staves_whatever_a_clef_says() -> None:
    clef = '<attributes><clef number="{}"><sign>G</sign><line>2</line></clef></attributes>'
    for number in (17, 2**31, 10**18):
        assert (
            read_musicxml((HEAD + clef.format(number) + NOTE.format(1) + TAIL).encode()).parts[0].staves
            <= limits.STAVES
        )


def test_long_scores_are_not_written_as_notation(tmp_path: Path) -> None:
    far = b"\x82\xf6\xcc\x00" + SCALE[1:]  # some 16,000 bars of nothing first
    path = tmp_path / "x.mid"
    path.write_bytes(
        midi(
            *(track(bytes((0, 0xC0 + i, 0)) + far.replace(b"\x90", bytes([0x90 + i]))) for i in range(15)), division=96
        )
    )
    score = read_score(path)
    many = limits.WRITTEN_BARS // len(score.parts) // len(score.bars) + 1
    score = score.replace(length=score.length * many)
    assert len(score.bars) * len(score.parts) > limits.WRITTEN_BARS
    with pytest.raises(WriteError, match=r"bars of \d+ parts are too many to be written as notation"):
        write_score(score, tmp_path / "x.musicxml")
    assert not (tmp_path / "x.musicxml").exists()


def test_long_texts_are_cut(tmp_path: Path) -> None:
    long = "x" * (limits.TEXT + 100)
    words = f"<direction><direction-type><words>{long}</words></direction-type></direction>"
    score = read_musicxml(
        (HEAD + words + NOTE.format(1) + TAIL).replace("<part-name/>", f"<part-name>{long}</part-name>").encode()
    )
    assert len(score.parts[0].name) == limits.TEXT
    assert max(len(mark.text) for mark in score.marks) == limits.TEXT
    (tmp_path / "x.abc").write_text(f"X:1\nT:{long}\nM:4/4\nL:1/8\nK:C\nCDEF|\n")
    assert len(read_score(tmp_path / "x.abc").metadata.title) == limits.TEXT


@pytest.mark.parametrize("bpm", ["1e99", "1e-99", "-1", "0", "1e9"])
def test_tempi_that_cannot_be_are_ignored_and_told(
    bpm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.xml").write_text(HEAD + f'<sound tempo="{bpm}"/>' + NOTE.format(4) + TAIL)
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(tmp_path / "x.xml"), "--json"])
    assert ended.value.code == 0
    log = json.loads(capsys.readouterr().out)["import_log"]
    assert "impossible tempi, ignored" in [item["what"] for item in log]


# -- ABC and Humdrum, in a process of their own ----------------------------------------------------------------------

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processor time and memory are limited by POSIX")
TUNE = "X:1\nT:A tune\nM:4/4\nL:1/8\nK:C\n" + "CDEF GABc|\n" * 400


@LINUX
@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("NOTATION_SECONDS", 0.0, "time limit: not done after 0 s of processor time"),
        ("NOTATION_SECONDS_CLOCK", 0.01, "time limit: not done after 0.01 s"),
        ("NOTATION_MEMORY", limits.MIB, "memory limit: more than 1 MiB are needed"),
    ],
)
def test_what_takes_music21_too_long_is_one_line(
    limit: str, value: float, words: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = tmp_path / "x.abc"
    path.write_text(TUNE)
    bounded._worker.stop()  # a process that has read larger files has memory at hand, and needs no more
    with monkeypatch.context() as patched:
        patched.setattr(bounded, limit, value)
        assert words in refused(capsys, "inspect", path)
    path.write_text(TUNE[:60])
    assert len(read_score(path).notes), "the next file is read as ever"


def test_bars_without_end_do_not_stop_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "NOTATION_SECONDS", 1.0)
    for name, text in {
        "x.abc": "X:1\nM:1/64\nL:64/1\nK:C\nC999999999|\n",
        "y.krn": "**kern\n*M4/4\n" + "0000000000000000c\n" * 9 + "*-\n",
    }.items():
        path = tmp_path / name
        path.write_text(text)
        with contextlib.suppress(ReadError):
            assert len(read_score(path).notes) < 100


def test_what_music21_says_of_a_file_is_counted_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.abc"
    path.write_text("X:1\nM:4/4\nL:1/8\nK:C\nCD J\x1b[2J EF|\n")
    code = "import sys; from rescore_music.io import read_score; print(read_score(sys.argv[1]).import_log)"
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert "music21 did not understand" in run.stdout


# -- what is no file -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices")
def test_devices_and_pipes_are_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import os

    pipe = tmp_path / "pipe.mid"
    os.mkfifo(pipe)
    (tmp_path / "zero.mid").symlink_to("/dev/zero")
    for path in (pipe, tmp_path / "zero.mid"):
        assert "this is a pipe or a device, not a file" in refused(capsys, "inspect", path)


# -- terminals -------------------------------------------------------------------------------------------------------

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\u202etxt\u2028\x7f\x00"


def test_errors_hold_nothing_that_a_terminal_obeys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a\x1b[2J\u202e\udcff.mid"
    path.write_bytes(b"not music")
    line = refused(capsys, "inspect", path)
    assert line.isprintable()
    assert r"\x1b[2J\u202e\udcff.mid" in line
    with pytest.raises(ReadError) as caught:
        raise ReadError(f"what {ESCAPES}", file="x", where=ESCAPES, cure=ESCAPES)
    assert str(caught.value).isprintable()


def test_names_from_files_reach_the_terminal_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cue, hits, out = tmp_path / "cue.xml", tmp_path / "hits.csv", tmp_path / "out.mid"
    name = "\x9b31m\u202eabc"  # XML allows these
    cue.write_text((HEAD + NOTE.format(4) * 8 + TAIL).replace("<part-name/>", f"<part-name>{name}</part-name>"))
    hits.write_text("timecode,label\n00:00:01:00,\x1b[2J\x1b]0;title\x07\u202eHit\n", encoding="utf-8")
    meet = ["sync", cue, "--cues", hits, "-o", out]
    for words in (["inspect", cue], ["inspect", cue, "--json"], ["motifs", cue], meet, [*meet, "--json"]):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert ended.value.code == 0
        said = capsys.readouterr()
        for text in (said.out, said.err):
            assert all(c.isprintable() or c == "\n" for c in text), words
        if words[0] == "sync":
            assert "Hit" in said.out
    label = json.loads(said.out)["hits"][0]["label"]
    assert label == "\x1b[2J\x1b]0;title\x07\u202eHit", "what is escaped is the same to a program"


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.musicxml"
    path.write_bytes((HEAD + NOTE.format(1) + "</measure>" + "<measure/>" * 9 + TAIL[10:]).encode())
    score = read_score(path)
    monkeypatch.setattr("rescore_music.io.musicxml.write.XML_NODES", 60)
    with pytest.raises(WriteError, match=r"1 notes in 10 bars are too many for one MusicXML file"):
        write_score(score, tmp_path / "y.musicxml")
    assert not (tmp_path / "y.musicxml").exists()
