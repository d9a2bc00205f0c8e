"""The suffix table, content against suffix, and files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from midi_files import SCALE, midi, track

from rescore_music.errors import ReadError, WriteError
from rescore_music.io import atomic_write, read_bytes, read_score, sniff, suffixes, write_score
from rescore_music.score import Part, Score, note_rows

MUSICXML = b"""<?xml version="1.0"?>
<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>1</divisions></attributes>
<note><pitch><step>C</step><octave>5</octave></pitch><duration>4</duration><type>whole</type></note></measure></part>
</score-partwise>"""


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (midi(track(SCALE)), "midi"),
        (b"RIFF\0\0\0\0RMIDdata", "midi"),
        (bytes(128) + midi(track(SCALE)), "midi"),
        (MUSICXML, "musicxml"),
        (b"\xef\xbb\xbf" + MUSICXML, "musicxml"),
        (MUSICXML.decode().encode("utf-16"), "musicxml"),
        (b"PK\x03\x04rest of a zip", "musicxml"),
        (b"<html><body>", "text"),
        (b"X:1\nT:Tune\nK:G\n", "abc"),
        (b"%abc-2.1\n", "abc"),
        (b"% made by hand\nX:1\nK:C\n", "abc"),
        (b"**kern\n4c\n", "humdrum"),
        (b"!!!COM: Bach\n**kern\n", "humdrum"),
        (b"dear diary", "text"),
        (b"\x89PNG\r\n\x1a\n\0\0", ""),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize("suffix", [".mid", ".MID", ".midi", ".kar", ".rmi"])
def test_midi_has_many_suffixes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cue{suffix}"
    path.write_bytes(midi(track(SCALE)))
    score = read_score(path)
    assert len(score.notes) == 8
    assert score.metadata.source == path.name
    assert suffix.lower() in suffixes()


def test_midi_under_another_suffix_is_read_and_told(tmp_path: Path) -> None:
    for name in ("cue.xml", "cue.abc"):
        path = tmp_path / name
        path.write_bytes(midi(track(SCALE)))
        score = read_score(path)
        assert len(score.notes) == 8
        assert "but this is MIDI" in score.import_log[0].what


def test_midi_without_a_suffix_is_read_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "cue"
    path.write_bytes(midi(track(SCALE)))
    assert read_score(path).import_log == ()


def test_musicxml_called_mid_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "cue.mid"
    path.write_bytes(MUSICXML)
    score = read_score(path)
    assert score.notes["pitch"].tolist() == [72]
    assert "but this is MusicXML" in score.import_log[0].what


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("diary.mid", b"dear diary", "this is text, not MIDI"),
        ("tune.mid", b"X:1\nK:C\nCDEF|\n", "this is ABC notation, not MIDI"),
        ("picture.mid", b"\x89PNG\0\0\0", "this is not MIDI"),
        ("page.xml", b"<html><body></body></html>", "this is text, not MusicXML"),
        ("empty.mid", b"", "the file is empty"),
        ("cue.docx", b"dear diary", "a score's suffix is one of .mid"),
        ("cue", b"dear diary", "a score's suffix is one of .mid"),
    ],
)
def test_a_wrong_file_is_refused_in_one_true_line(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_score(path)
    assert line in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="folder"):
        read_score(tmp_path)
    with pytest.raises(ReadError, match="no such file"):
        read_score(tmp_path / "none.mid")
    (tmp_path / "big").write_bytes(bytes(100))
    with pytest.raises(ReadError, match="larger than"):
        read_bytes(tmp_path / "big", limit=99)
    assert read_bytes(tmp_path / "big", limit=100) == bytes(100)


def test_a_score_is_written_by_its_suffix(tmp_path: Path) -> None:
    score = Score(note_rows([(0, 480, 60, 80, 0)]), (Part("Flute"),))
    write_score(score, tmp_path / "a.mid")
    assert read_score(tmp_path / "a.mid").notes["pitch"].tolist() == [60]
    for name in ("a.kar", "a.pdf", "a", "a.abc"):
        with pytest.raises(WriteError, match="cannot be written as"):
            write_score(score, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]


def test_a_write_replaces_a_file_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    atomic_write(path, b"one")
    path.chmod(0o640)
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_file_cannot_be_written_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"make .* first"):
        atomic_write(tmp_path / "no" / "a.mid", b"x")
    with pytest.raises(WriteError, match="folder"):
        atomic_write(tmp_path, b"x")
    locked = tmp_path / "file"
    locked.write_bytes(b"")
    with pytest.raises(WriteError):
        atomic_write(locked / "a.mid", b"x")
    if os.geteuid():  # root may write anywhere
        tmp_path.chmod(0o500)
        with pytest.raises(WriteError, match="choose a folder"):
            atomic_write(tmp_path / "a.mid", b"x")
        tmp_path.chmod(0o700)


def test_opening_the_room_loads_no_format() -> None:
    code = "import sys, rescore_music.io; print([m for m in ('mido', 'lxml', 'music21', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
