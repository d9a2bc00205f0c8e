"""Edit lists as values: what they refuse, where cuts are, what cues they give."""

from dataclasses import replace
from fractions import Fraction

import pytest

from rescore_music.cues import SOFT
from rescore_music.edits import Edit, EditList, PictureMarker, source_span, told
from rescore_music.errors import TimecodeError
from rescore_music.timecode import FrameRate, Timecode

RATE = FrameRate.parse(24)


def shots(*edits: Edit) -> EditList:
    return EditList("", RATE, edits)


def test_a_cut_is_where_something_else_is_seen():
    a = Edit(100, 200, 1000, 1100, "A")
    assert shots(a, Edit(200, 300, 50, 150, "B")).cuts() == (100, 200)
    # the same take going on is no cut, the same reel from elsewhere is one
    assert shots(a, Edit(200, 300, 1100, 1200, "A")).cuts() == (100,)
    assert shots(a, Edit(200, 300, 1101, 1201, "A")).cuts() == (100, 200)
    # a hole is seen as black, and so is its end
    assert shots(a, Edit(250, 300, 1100, 1150, "A")).cuts() == (100, 200, 250)
    assert shots(a, Edit(200, 250, 0, 50, "BL"), Edit(250, 300, 50, 100, "BL")).cuts() == (100, 200)
    assert shots(a, replace(a, track="A1", record_start=150)).cuts("A1") == (150,)
    assert shots(a).cuts("V2") == ()


def test_a_retimed_take_goes_on_at_its_speed():
    slow = Edit(0, 100, 1000, 1050, "A", speed=Fraction(1, 2))
    assert shots(slow, Edit(100, 150, 1050, 1075, "A", speed=Fraction(1, 2))).cuts() == (0,)
    assert shots(slow, Edit(100, 150, 1050, 1100, "A")).cuts() == (0, 100)  # the change of speed is seen
    back = Edit(0, 100, 1000, 1100, "A", speed=Fraction(-1))
    assert shots(back, Edit(100, 150, 950, 1000, "A", speed=Fraction(-1))).cuts() == (0,)
    still = Edit(0, 100, 7, 8, "A", speed=Fraction(0))
    assert shots(still, Edit(100, 150, 7, 8, "A", speed=Fraction(0))).cuts() == (0,)


def test_a_dissolve_is_a_cut_at_its_start_middle_or_end():
    mixed = Edit(100, 200, 0, 100, "B", transition="dissolve", transition_length=25, outgoing="A")
    pair = shots(Edit(0, 100, 0, 100, "A"), mixed)
    assert pair.cuts(transition="start") == (0, 100)
    assert pair.cuts() == (0, 112)
    assert pair.cuts(transition="end") == (0, 125)
    with pytest.raises(TimecodeError, match="no place in a transition"):
        pair.cuts(transition="centre")


def test_cues_of_an_edit_list():
    """01:00:00:00 at 23.976 is 3603.6 s after midnight's frame."""
    rate = FrameRate.parse("23.976")
    edits = EditList("", rate, (Edit(86400, 86500, 0, 100, "A"),), (PictureMarker(86448, "door"),), source="x.edl")
    cues = edits.cues()
    assert cues.seconds_of(86400) == Fraction("3603.6")
    assert cues.hits[0].label == "door"
    assert cues.hits[0].kind == SOFT
    assert cues.cuts == (86400,)
    assert cues.source == "x.edl"
    reel = edits.cues("01:00:00:00")
    assert reel.seconds.tolist() == [48 * 1001 / 24000]
    assert edits.cues(Timecode(86400, rate)) == reel
    with pytest.raises(TimecodeError):
        edits.cues("01:00:00:24")


@pytest.mark.parametrize(
    "wrong",
    [
        {"record_end": 0},
        {"record_start": -1},
        {"source_start": 9, "source_end": 8},
        {"track": "X1"},
        {"transition": "dissolve"},
        {"transition_length": 3},
        {"transition": "fade", "transition_length": 3},
        {"transition": "wipe", "transition_length": 11},
        {"speed": Fraction(10_001)},
    ],
)
def test_edits_that_contradict_themselves(wrong):
    with pytest.raises(TimecodeError):
        replace(Edit(0, 10), **wrong)
    with pytest.raises(TimecodeError):
        PictureMarker(-1)
    with pytest.raises(TimecodeError):
        PictureMarker(0, length=0)


def test_values_are_ordered_whole_and_on_one_line():
    late, sound = Edit(10, 20, clip=" a\n b\x00 "), Edit(0, 10, track="A1")
    edits = EditList("t\tt", RATE, (late, sound, Edit(0, 10)), (PictureMarker(5), PictureMarker(2, "x\ny", "RED")))
    assert [e.track for e in edits.edits] == ["V1", "A1", "V1"]
    assert edits.edits[2].clip == "a b"
    assert edits.edits[0].source_rate == RATE
    assert edits.markers[0] == PictureMarker(2, "x y", "red")
    assert edits.title == "t t"
    assert edits.tracks == ("V1", "A1")


def test_source_frames_that_a_shot_touches():
    assert source_span(Fraction(10), Fraction(5), Fraction(1)) == (10, 15)
    assert source_span(Fraction(10), Fraction(5), Fraction(-1)) == (5, 10)
    assert source_span(Fraction(10), Fraction(0), Fraction(0)) == (10, 11)
    assert source_span(Fraction(21, 2), Fraction(1, 3), Fraction(1)) == (10, 11)
    assert Edit(0, 10, speed=Fraction(-3, 2)).source_used(RATE) == 15
    assert Edit(0, 24, source_rate=FrameRate.parse(25)).source_used(RATE) == 25


def test_remarks_of_one_kind_are_one_item():
    log = told([("line 1", "moved", False), ("line 3", "moved", False), ("line 2", "lost", True)])
    assert [(item.where, item.what, item.count, item.lost) for item in log] == [
        ("from line 1", "moved", 2, False),
        ("line 2", "lost", 1, True),
    ]
