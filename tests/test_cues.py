"""Spotting notes: read, write, refuse with line and column."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore_music.cues import SPANS, Cues, Hit, Span
from rescore_music.errors import ReadError, TimecodeError, WriteError
from rescore_music.io.spotting import read_cues, write_cues
from rescore_music.timecode import RATES, Timecode


def saved(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "hits.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_every_column(tmp_path):
    path = saved(
        tmp_path,
        "timecode,label,weight,kind,tolerance,lands\n"
        '01:00:10:12,"Door, slams",2.5,soft,3,downbeat\n'
        "01:00:05:00,,,,,\n"
        "01:00:30:00,Tür,1,hard,0.5,motif:Theme A\n",
    )
    cues = read_cues(path, "24", start="01:00:00:00")
    assert [h.frame for h in cues.hits] == [86400 + 120, 86400 + 252, 86400 + 720]
    assert cues.hits[0] == Hit(86520)
    assert cues.hits[1] == Hit(86652, "Door, slams", 2.5, "soft", 3.0, "downbeat")
    assert cues.hits[2] == Hit(87120, "Tür", 1.0, "hard", 0.5, "motif:Theme A")
    assert cues.seconds.tolist() == [5.0, 10.5, 30.0]


def test_only_timecodes(tmp_path):
    cues = read_cues(saved(tmp_path, "timecode\n00:00:10;02\n\n# a note\n00:01:00;02\n"), "29.97df")
    assert [h.frame for h in cues.hits] == [302, 1800]
    assert cues.seconds_of(1800) == Fraction(1800 * 1001, 30000)


def test_spreadsheets_of_other_countries(tmp_path):
    text = "Timecode;Label;Weight;Kind\r\n00:00:10;02;Tür;1,5;HARD\r\n00:00:20;00;;;\r\n"
    cues = read_cues(saved(tmp_path, text, "utf-8-sig"), "29.97df")
    assert cues.hits == (Hit(302, "Tür", 1.5), Hit(600))
    tabbed = read_cues(saved(tmp_path, "timecode\tlabel\n00:00:01:00\ta, b; c\n"), "25")
    assert tabbed.hits == (Hit(25, "a, b; c"),)


def test_labels_of_several_lines(tmp_path):
    cues = Cues.from_hits([Hit(24, 'He says\n"no", twice'), Hit(48, "then")], 24)
    write_cues(cues, tmp_path / "hits.csv")
    assert read_cues(tmp_path / "hits.csv", 24).hits == cues.hits
    path = saved(tmp_path, 'timecode,label\n00:00:01:00,"two\nlines"\n00:00:99:00,b\n')
    with pytest.raises(ReadError, match="line 4, column timecode"):
        read_cues(path, 24)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "line 1: no column 'timecode'"),
        ("00:00:01:00,x\n", "line 1: no column 'timecode'"),
        ("timecode,wieght\n", "line 1: unknown column 'wieght'"),
        ("timecode,label,label\n", "occurs twice"),
        ("timecode,label\n00:00:01:00,a\n00:00:01:24,b\n", "line 3, column timecode: '00:00:01:24': frames go"),
        ("timecode,label\n,b\n", "line 2, column timecode"),
        ("timecode,weight\n00:00:01:00,heavy\n", "line 2, column weight: 'heavy' is not a number"),
        ("timecode,weight\n00:00:01:00,0\n", "line 2, column weight: a weight must be positive"),
        ("timecode,weight\n00:00:01:00,nan\n", "line 2, column weight"),
        ("timecode,tolerance\n00:00:01:00,-1\n", "line 2, column tolerance"),
        ("timecode,kind\n00:00:01:00,firm\n", "line 2, column kind: a hit is hard or soft"),
        ("timecode,lands\n00:00:01:00,third beat\n", "line 2, column lands"),
        ("timecode,label\n00:00:01:00,door, slams\n", "3 fields for 2 columns"),
        (
            "timecode,kind\n00:00:01:00,dialogue\n",
            "line 2, column lands: a span of dialogue does not say where it ends",
        ),
        ("timecode,kind,lands\n00:00:02:00,avoid,00:00:01:00\n", "line 2, column lands: a span must end after"),
        ("timecode,kind,lands\n00:00:02:00,hold,downbeat\n", "line 2, column lands: 'downbeat' is not a timecode"),
        ("timecode,kind,weight\n00:00:02:00,cut,2\n", "line 2, column weight: a row of kind cut has no weight"),
        ("timecode,kind,tolerance\n00:00:02:00,start,0.5\n", "column tolerance: '0.5' is not a whole number"),
        ("timecode,kind\n00:00:02:00,start\n00:00:03:00,start\n", "line 3, column kind: the cue starts twice"),
    ],
)
def test_errors_name_line_and_column(tmp_path, text, message):
    path = saved(tmp_path, text)
    with pytest.raises(ReadError) as caught:
        read_cues(path, "24")
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_files_that_are_not_spotting_notes(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read_cues(tmp_path / "missing.csv", "24")
    with pytest.raises(ReadError, match="line 2: not UTF-8"):
        read_cues(saved(tmp_path, "timecode,label\n00:00:01:00,Tür\n", "latin-1"), "24")
    with pytest.raises(TimecodeError):
        read_cues(saved(tmp_path, "timecode\n"), "fast")
    with pytest.raises(WriteError):
        write_cues(Cues.from_hits([], 24), tmp_path / "no" / "folder.csv")


hits = st.builds(
    Hit,
    frame=st.integers(0, 24 * 86_000),
    label=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), max_size=12),
    weight=st.floats(0.01, 100),
    kind=st.sampled_from(["hard", "soft"]),
    tolerance=st.floats(0, 50),
    lands=st.sampled_from(["downbeat", "beat", "eighth", "end", "climax", "motif:A'", "motif:Love, theme"]),
)


spans = st.builds(
    lambda start, length, kind, label: Span(start, start + length, kind, label),
    start=st.integers(0, 24 * 86_000),
    length=st.integers(1, 5_000),
    kind=st.sampled_from(SPANS),
    label=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), max_size=12),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(hits, max_size=5),
    st.lists(spans, max_size=3),
    st.lists(st.integers(0, 24 * 86_000), max_size=3),
    st.integers(0, 999),
    st.sampled_from(RATES),
)
def test_round_trip(tmp_path, rows, asked, cuts, give, rate):
    cues = Cues(rate, Timecode(0, rate), tuple(rows), tuple(asked), tuple(cuts), start_give=give)
    path = tmp_path / "out.csv"
    write_cues(cues, path)
    again = read_cues(path, rate)
    assert again == replace(cues, source=str(path))
    write_cues(again, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_a_cue_moved_along_the_reel_keeps_its_seconds():
    cues = Cues(
        RATES[3],
        Timecode.parse("01:00:00;00", RATES[3]),
        (Hit(108_100), Hit(108_000)),
        (Span(108_000, 108_050),),
        (108_020,),
    )
    moved = cues.shifted(5000)
    assert np.array_equal(cues.seconds, moved.seconds)
    assert moved.spans[0].start == 113_000
    assert moved.cuts == (113_020,)
    assert cues.timecode(cues.hits[0]) == "01:00:03;18"
    with pytest.raises(TimecodeError):
        Cues(RATES[0], Timecode(0, RATES[1]))
    with pytest.raises(TimecodeError):
        Span(5, 5)


def test_spans_cuts_and_a_start_that_may_move(tmp_path):
    path = saved(
        tmp_path,
        "timecode,label,weight,kind,tolerance,lands\n"
        "01:00:00:00,,,start,12,\n"
        "01:00:05:00,Door,,,,climax\n"
        "01:00:10:00,She speaks,,Dialogue,,01:00:14:12\n"
        "01:00:07:00,,,cut,,\n",
    )
    cues = read_cues(path, "24")
    assert (cues.start.label, cues.start_give) == ("01:00:00:00", 12)
    assert cues.hits == (Hit(86_520, "Door", lands="climax"),)
    assert cues.spans == (Span(86_640, 86_748, "dialogue", "She speaks"),)
    assert cues.cuts == (86_568,)
    assert read_cues(path, "24", "01:00:00:00") == cues
    with pytest.raises(ReadError, match=r"line 2, column timecode: the cue starts at 01:00:00:00 here"):
        read_cues(path, "24", "02:00:00:00")


def test_a_cue_with_a_fixed_end():
    cues = Cues.from_hits([Hit(240), Hit(480, lands="end")], 24, start="00:00:02:00")
    ended = cues.ending("00:00:30:00")
    assert [(h.frame, h.lands) for h in ended.hits] == [(240, "beat"), (720, "end")]
    with pytest.raises(TimecodeError, match="cannot end at 00:00:01:00"):
        cues.ending("00:00:01:00")
