"""ABC and Humdrum."""

from __future__ import annotations

import pytest

from rescore_music.errors import ReadError
from rescore_music.io.humdrum import pitches_of
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.text import read_text
from rescore_music.repeats import unfold

TUNE = """X:1
T:The Test
C:Trad.
M:4/4
L:1/8
Q:1/4=90
K:D
|:"D"D2F2 A2d2|(3ABc d2 A4|[DFA]4 z2 ^G2:|
"""


def test_abc_tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    score = read_text(path)
    quarter = score.ticks_per_quarter
    assert score.notes["pitch"].tolist() == [62, 66, 69, 74, 69, 71, 73, 74, 69, 62, 66, 69, 68]
    assert (score.notes["onset"][4:7] - 4 * quarter).tolist() == [0, quarter // 3, 2 * quarter // 3]
    assert score.keys["fifths"].tolist() == [2]
    assert score.tempo.bpm(0) == pytest.approx(90)
    assert (score.metadata.title, score.metadata.composer) == ("The Test", "Trad.")
    assert {(m.kind, m.text) for m in score.marks} >= {("barline", "repeat-start"), ("barline", "repeat-end")}
    again = read_musicxml(musicxml_bytes(score))
    assert again.notes["pitch"].tolist() == score.notes["pitch"].tolist()


KERN = """!!!COM: Nobody
!!!OTL: A test
**kern\t**kern
*clefF4\t*clefG2
*k[b-]\t*k[b-]
*M3/4\t*M3/4
=1\t=1
4F\t4a
4A\t[4cc
4C\t4ee
=2\t=2
2.FF\t2.ff;
==\t==
*-\t*-
"""


def test_kern_has_the_upper_part_first(tmp_path):
    path = tmp_path / "piece.krn"
    path.write_text(KERN)
    score = read_text(path)
    assert len(score.parts) == 2
    upper = score.notes[score.notes["part"] == 0]
    assert upper["pitch"].tolist() == [69, 72, 76, 77]
    assert score.keys["fifths"].tolist() == [-1]
    assert score.meters[["numerator", "denominator"]].tolist() == [(3, 4)]
    assert [p.clefs for p in score.parts] == [("G2",), ("F4",)]


def test_quartet_in_kern_and_in_musicxml_has_the_same_notes():
    from music21 import corpus

    paths = [p for p in corpus.getComposer("beethoven") if "opus18no1" in str(p) and "movement3" in str(p)]
    kern = read_text(next(p for p in paths if str(p).endswith(".krn")))
    score = read_musicxml(next(p for p in paths if str(p).endswith(".mxl")))

    def notes(s):
        return {(int(n["part"]), int(n["onset"]) * 480 // s.ticks_per_quarter, int(n["pitch"])) for n in s.notes}

    a, b = notes(kern), notes(score)
    assert len(a & b) / len(a | b) > 0.97


SLURRED = """**kern\t**dynam
*clefG2\t*
*M4/4\t*
=1\t=1
(4c\t<
4d\t.
4e)\t[
(8f\t>
8g)\t]
=2\t=2
*^\t*
(2cc\t2c\t.
2dd)\t2B\t.
*v\t*v\t*
=3\t=3
1c\tf
=\t=
*-\t*-
"""


def test_kern_slurs_and_hairpins_are_kept(tmp_path):
    path = tmp_path / "piece.krn"
    path.write_text(SLURRED)
    score = read_text(path)
    quarter = score.ticks_per_quarter
    arches = [(m.kind, m.text, m.tick / quarter, m.end / quarter) for m in score.marks if m.kind in ("slur", "hairpin")]
    assert sorted(arches) == [
        ("hairpin", "<", 0, 2),
        ("hairpin", ">", 3, 3.5),
        ("slur", "", 0, 3),
        ("slur", "", 3, 4),
        ("slur", "", 4, 8),
    ]
    assert [m.text for m in score.marks if m.kind == "dynamic"] == ["f"]


def test_a_quartets_slurs_are_those_of_its_musicxml_edition():
    from music21 import corpus

    paths = [p for p in corpus.getComposer("beethoven") if "opus18no1" in str(p) and "movement3" in str(p)]
    kern = next(p for p in paths if str(p).endswith(".krn"))
    written = sum(line.count("(") for line in kern.read_text().splitlines() if line[:1] not in "!*=")
    scores = [read_text(kern), read_musicxml(next(p for p in paths if str(p).endswith(".mxl")))]
    found = [
        {
            (m.part, m.tick * 480 // s.ticks_per_quarter, m.end * 480 // s.ticks_per_quarter)
            for m in s.marks
            if m.kind == "slur"
        }
        for s in scores
    ]
    assert len(found[0]) >= written - 3  # three have no other half
    assert len(found[0] & found[1]) / len(found[0]) > 0.8


@pytest.mark.parametrize(
    ("cell", "pitches"),
    [("4c", {60}), ("8cc#", {73}), ("2C", {48}), ("4BB-", {46}), ("(4a 4cc)", {69, 72}), ("4r", set())],
)
def test_kern_pitches(cell, pitches):
    assert pitches_of(cell) == pitches


def test_what_music21_leaves_out_of_abc_is_told(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\n!f!C ~D TE F|\nw: one two three four\n")
    told = {item.what: item.count for item in read_text(path).import_log}
    assert [count for what, count in told.items() if "decorations" in what] == [1]
    assert [count for what, count in told.items() if "trills" in what] == [2]
    assert [count for what, count in told.items() if "words" in what] == [1]


def test_abc_repeats_and_endings_are_played_out(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nM:4/4\nL:1/4\nK:C\n|:CDEF|1GGGG:|2cccc|]\n")
    score = read_text(path)
    assert [m.text for m in score.marks if m.text.startswith("ending-start")] == ["ending-start:1", "ending-start:2"]
    scale = [60, 62, 64, 65]
    assert unfold(score).notes["pitch"].tolist() == scale + [67] * 4 + scale + [72] * 4


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.abc", "hello world", "not ABC"),
        ("a.krn", "hello world", "not Humdrum"),
        ("a.abc", "X:1\nK:C\n", "no notes|malformed"),
    ],
)
def test_what_is_no_music_is_refused_in_one_line(tmp_path, name, text, says):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ReadError, match=says) as caught:
        read_text(path)
    assert "\n" not in str(caught.value)


def test_a_metronome_at_nothing_says_nothing(tmp_path) -> None:
    path = tmp_path / "still.abc"
    path.write_text("X:1\nT:Still\nM:4/4\nL:1/4\nQ:1/4=0\nK:C\nCDEF|GABc|\n")
    score = read_text(path)
    assert len(score.notes) == 8
    assert not [mark for mark in score.marks if mark.kind == "tempo" and mark.value]
