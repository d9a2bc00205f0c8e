"""ABC and Humdrum."""

from __future__ import annotations

import pytest

from rescore_music.errors import ReadError
from rescore_music.io.humdrum import pitches_of
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.text import read_text
from rescore_music.repeats import unfold
from rescore_music.score import Articulation

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
    path.write_text('X:1\nM:4/4\nL:1/4\nK:C\n!odd!C ~D TE "^slow"F|\nP:B\nN:a remark\nC4|\n')
    told = {item.what: item.count for item in read_text(path).import_log}
    assert [count for what, count in told.items() if "decorations" in what] == [1]
    assert [count for what, count in told.items() if "rolls" in what] == [1]
    assert [count for what, count in told.items() if "words above" in what] == [1]
    assert [count for what, count in told.items() if "P:" in what] == [1]


QUARTET = """X:1
M:3/4
L:1/4
K:F
V:S nm="Soprano"
V:B nm="Bass" clef=bass
[V:S] A2 B | c3 |
w: Hel-lo my_ friend
[V:B] F,2 B,, | F,3 |
[V:S] [K:C] B2 c | d3 |
w: good~bye *| end
w: se-cond verse a
[V:B] B,,2 C, | D,3 |
"""


def abc(tmp_path, text):
    path = tmp_path / "tune.abc"
    path.write_text(text)
    return read_text(path)


def part(score, number, name="pitch"):
    return score.notes[name][score.part_notes(number)].tolist()


def sung(score):
    return [(m.tick / score.ticks_per_quarter, m.text, int(m.value)) for m in score.marks if m.kind == "lyric"]


def test_voices_of_abc_that_take_turns_are_parts_that_play_together(tmp_path):
    score = abc(tmp_path, QUARTET)
    assert [p.name for p in score.parts] == ["Soprano", "Bass"]
    assert part(score, 0) == [69, 70, 72, 71, 72, 74]  # B natural after [K:C]
    assert part(score, 1) == [53, 46, 53, 46, 48, 50]  # and B flat still where nobody said otherwise
    assert part(score, 0, "onset") == part(score, 1, "onset")
    assert len(score.bars) == 5


def test_more_voices_than_a_score_has_parts_are_refused(tmp_path):
    with pytest.raises(ReadError, match="1025 voices, more than 1024"):
        abc(tmp_path, "X:1\nM:4/4\nL:1/4\nK:C\n" + "".join(f"V:{i}\nCDEF|\n" for i in range(1025)))


def test_the_words_of_abc_stand_under_their_notes(tmp_path):
    score = abc(tmp_path, QUARTET)
    first = [(0, "Hel-"), (2, "lo"), (3, "my"), (6, "good bye"), (9, "end")]
    second = [(6, "se-"), (8, "cond"), (9, "verse")]
    assert sung(score) == sorted([(*word, 1) for word in first] + [(*word, 2) for word in second], key=lambda w: w[::2])
    assert {m.part for m in score.marks if m.kind == "lyric"} == {0}


@pytest.mark.parametrize(
    ("words", "syllables"),
    [
        ("a b c d", ["a", "b", "c", "d"]),
        ("glo--- ria", ["glo-", "", "", "ria"]),
        ("glo - - ria", ["glo", "", "", "ria"]),
        ("a * * d", ["a", "", "", "d"]),
        ("a|c", ["a", "", "c", ""]),
        (r"well\-known yes", ["well‑known", "yes", "", ""]),
        ("a b c d e f", ["a", "b", "c", "d"]),
    ],
)
def test_syllables_of_abc_skip_and_join_as_the_standard_says(tmp_path, words, syllables):
    score = abc(
        tmp_path,
        f'X:1\nM:2/4\nL:1/4\nK:C\n"Am"{{e}}[CE] D|!f!z/2E/2 F|\nw: {words}\n',
    )
    said = dict.fromkeys(score.notes["onset"][score.notes["duration"] > 0].tolist(), "")
    said |= {m.tick: m.text for m in score.marks if m.kind == "lyric"}
    assert list(said.values()) == syllables


def test_decorations_of_abc_are_signs_of_their_notes(tmp_path):
    score = abc(
        tmp_path,
        "X:1\nM:4/4\nL:1/4\nK:G\n!p!G TA !<(!B HG|!<)!!f!.c !trill![Gd] !segno!!3!e Lz|!fine!{a}PG2 !D.S.!MA2|\n",
    )
    a = Articulation
    flags = {
        (tick, pitch): bits for tick, pitch, bits in score.notes[["onset", "pitch", "articulation"]].tolist() if bits
    }
    quarter = score.ticks_per_quarter
    assert {(tick / quarter, pitch): bits for (tick, pitch), bits in flags.items()} == {
        (1, 69): a.TRILL,
        (3, 67): a.FERMATA,
        (4, 72): a.STACCATO,
        (5, 67): a.TRILL,
        (5, 74): a.TRILL,
        (8, 81): a.ACCIACCATURA,
        (8, 67): a.INVERTED_MORDENT,
        (10, 69): a.MORDENT,
    }
    marks = [(m.tick / quarter, m.kind, m.text) for m in score.marks if m.kind not in ("barline", "attribute")]
    assert marks == [
        (0, "dynamic", "p"),
        (2, "hairpin", "<"),
        (4, "dynamic", "f"),
        (6, "jump", "segno"),
        (6, "sign", "fingering=3"),
        (12, "jump", "Fine"),
        (12, "jump", "D.S."),
    ]
    again = read_musicxml(musicxml_bytes(score))
    assert [(m.kind, m.text) for m in again.marks if m.kind == "sign"] == [("sign", "fingering=3")]


def test_meter_key_and_note_length_of_abc_change_inside_a_tune(tmp_path):
    text = "X:1\nM:4/4\nL:1/4\nK:D\nfcde|\nM:3/4\nK:F\nfcd|[L:1/8]f4 d2|[M:2/4] c2 f2|M:3/8 c3|\n"
    score = abc(tmp_path, text)
    quarter = score.ticks_per_quarter
    assert score.notes["pitch"].tolist() == [78, 73, 74, 76, 77, 72, 74, 77, 74, 72, 77, 72]
    assert (score.notes["duration"] / quarter).tolist() == [1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1.5]
    meters = [(t / quarter, n, d) for t, n, d in score.meters.tolist()]
    assert meters == [(0, 4, 4), (4, 3, 4), (10, 2, 4), (12, 3, 8)]
    assert [(t / quarter, f) for t, f, _ in score.keys.tolist()] == [(0, 2), (4, -1)]


def test_a_meter_that_no_note_value_counts_is_told(tmp_path):
    score = abc(tmp_path, "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|\nM:3/46\nCDE|\n")
    assert score.meters["denominator"].tolist() == [4]
    assert {item.where for item in score.import_log if "no note value" in item.what} == {"meter"}


VOCAL = """**kern\t**text\t**kern\t**text\t**text\t**dynam
*I"Cello\t*\t*I"Soprano\t*\t*\t*
*M4/4\t*\t*M4/4\t*\t*\t*
4C\tone\t4cc\tAl-\tO\tf
4D\t.\t4dd\t-le-\t.\t.
4E\ttwo\t4ee\t-lu-\tmy\t<
4F\t.\t4ff\t-ja\t_\t[
*>[A,A]\t*\t*\t*\t*\t*
=\t=\t=\t=\t=\t=
1C\t.\t1cc\t.\t.\tp
*-\t*-\t*-\t*-\t*-\t*-
"""


def test_kern_has_names_words_and_dynamics_wherever_their_spines_stand(tmp_path):
    path = tmp_path / "song.krn"
    path.write_text(VOCAL)
    score = read_text(path)
    assert [p.name for p in score.parts] == ["Soprano", "Cello"]
    words = [(m.part, m.text, int(m.value)) for m in score.marks if m.kind == "lyric"]
    soprano = [(0, "Al-", 1), (0, "O", 2), (0, "le-", 1), (0, "lu-", 1), (0, "my", 2), (0, "ja", 1)]
    assert [w for w in words if w[0] == 0] == soprano
    assert [w for w in words if w[0] == 1] == [(1, "one", 1), (1, "two", 1)]
    assert [(m.part, m.text) for m in score.marks if m.kind in ("dynamic", "hairpin")] == [(0, "f"), (0, "<"), (0, "p")]
    assert [item.count for item in score.import_log if item.where == "form"] == [1]


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
