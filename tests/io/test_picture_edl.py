"""CMX3600 edit lists as systems print them: known answers, and what is refused with its line."""

from fractions import Fraction

import pytest

from rescore_music.edits import BLACK, EditList, PictureMarker
from rescore_music.errors import ReadError, WriteError
from rescore_music.io.picture import read_edits, write_edits
from rescore_music.io.picture.edl_speed import frames_a_second, speed_of
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import RATES, FrameRate, Timecode

REEL_3 = """\
TITLE: REEL 3 V12
FCM: NON-DROP FRAME

001  BL       V     C        00:00:00:00 00:00:00:00 01:00:00:00 01:00:00:00
001  A012C003 V     D    024 14:02:10:05 14:02:14:05 01:00:00:00 01:00:04:00
* TO CLIP NAME: 12A-3
* SOURCE FILE: A012C003_220114_R1XY
002  A012C004 AA/V  C        15:00:00:00 15:00:02:00 01:00:04:00 01:00:06:00
* FROM CLIP NAME: 12A-4
* LOC: 01:00:04:12 RED     she turns
* a note from the editor

003  a012c004 v     c        15:00:02:00 15:00:02:00 01:00:06:00 01:00:06:00
003  B003     v     d    012 10:00:00:00 10:00:04:00 01:00:06:00 01:00:08:00
m2   b003           048.0                10:00:00:00
* FROM CLIP NAME: 12A-4
* TO CLIP NAME: 14-1
004  B004     B     W019 010 11:00:00:00 11:00:01:00 01:00:08:00 01:00:09:00
005  B005     NONE  C        12:00:00:00 12:00:01:00 01:00:09:00 01:00:10:00
AUD  3    4
006  BL       V     C        00:00:00:00 00:00:01:00 01:00:10:00 01:00:11:00
"""


def saved(tmp_path, text, name="cut.edl"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def frame(label, rate="24"):
    return Timecode.parse(label, rate).frame


def test_a_reel_with_dissolves_a_wipe_and_a_motion_effect(tmp_path):
    edits = read_edits(saved(tmp_path, REEL_3), 24)
    assert edits.title == "REEL 3 V12"
    first, turn, mix, wipe, black = edits.on("V1")
    assert (first.transition, first.transition_length, first.outgoing) == ("dissolve", 24, BLACK)
    assert (first.clip, first.file) == ("12A-3", "A012C003_220114_R1XY")
    # record start is kept: the list begins at one hour, not at the sources' places
    assert (first.record_start, first.record_end) == (86400, 86400 + 96)
    assert (first.source_start, first.source_end) == (frame("14:02:10:05"), frame("14:02:14:05"))
    assert turn.clip == "12A-4"
    assert (mix.reel, mix.clip, mix.outgoing) == ("B003", "14-1", "a012c004")
    assert (mix.speed, mix.transition_length) == (2, 12)
    assert mix.source_end - mix.source_start == mix.frames * 2 == 96
    assert (wipe.transition, wipe.wipe, wipe.transition_length) == ("wipe", "019", 10)
    assert black.black
    assert [e.clip for e in edits.on("A2")] == ["12A-4"]
    assert [e.reel for e in edits.on("A1")] == ["A012C004", "B004"]
    assert [e.reel for e in edits.on("A3")] == [e.reel for e in edits.on("A4")] == ["B005"]
    assert edits.markers == (PictureMarker(86400 + 108, "she turns", "red"),)
    seconds = [0.5, 4, 6.25, 8 + 5 / 24, 9, 10]  # middles of the transitions, the hole after the wipe, black
    assert edits.cuts() == tuple(86400 + round(s * 24) for s in seconds)
    assert [(i.where, i.what) for i in edits.log] == [("line 11", "comment of no known kind left out")]


def test_cues_of_the_reel(tmp_path):
    cues = read_cues(saved(tmp_path, REEL_3), "24", "01:00:00:00")
    assert [(h.label, h.kind) for h in cues.hits] == [("she turns", "soft")]
    assert cues.seconds.tolist() == [4.5]
    assert len(cues.cuts) == 6
    with pytest.raises(ReadError, match="does not say its frame rate"):
        read_cues(saved(tmp_path, REEL_3))


def test_one_hour_at_23_976_is_3603_6_seconds(tmp_path):
    edits = read_edits(saved(tmp_path, REEL_3), "23.976")
    assert edits.edits[0].record_start / edits.rate.fps == Fraction("3603.6")


def test_the_count_of_sources_changes_midway(tmp_path):
    """The master is drop frame; FCM lines between the events tell the sources' own count."""
    text = (
        "TITLE: MIXED\nFCM: DROP FRAME\n"
        "001  T1 V C 01:00:59;29 01:01:00;03 10:00:59;28 10:01:00;02\n"
        "FCM: NON-DROP FRAME\n"
        "002  T2 V C 01:00:59:29 01:01:00:03 10:01:00;02 10:01:00;06\n"
        "FCM: DROP FRAME\n"
        "003  T1 V C 02:00:00:00 02:00:00:04 10:01:00:06 10:01:00:10\n"
    )
    edits = read_edits(saved(tmp_path, text), "29.97df")
    drop, full, again = edits.edits
    # 01:01:00;00 and ;01 do not exist, so ;29 to ;03 are two frames of drop-frame code and four of the other
    assert (drop.frames, drop.source_end - drop.source_start) == (2, 2)
    assert full.source_rate == FrameRate.parse("29.97ndf")
    assert full.source_end - full.source_start == 4
    assert again.source_rate == edits.rate
    assert drop.record_end == full.record_start
    assert full.record_end == again.record_start
    write_edits(edits, tmp_path / "again.edl")
    assert read_edits(tmp_path / "again.edl", "29.97df") == edits


@pytest.mark.parametrize(
    ("rate", "lines", "message"),
    [
        ("24", ["001 A V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:00:24"], "line 2: '01:00:00:24': frames go"),
        (
            "29.97df",
            ["001 A V C 00:00:00;00 00:00:01;00 01:01:00;00 01:01:01;00"],
            "line 2: '01:01:00;00' does not exist",
        ),
        (
            "25",
            ["", "001 A V C 00:00:00;00 00:00:01:00 01:01:00:00 01:01:01:00"],
            "line 3: '00:00:00;00' says drop frame",
        ),
        (
            "24",
            ["001 A V C 00:00:00:00 00:00:01:00 01:00:0x:00 01:00:01:00"],
            "line 2: '01:00:0x:00' is not a timecode",
        ),
        ("24", ["001 A V D 030 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00"], "line 2: a dissolve of 30 frames is"),
        ("24", ["001 A Q C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00"], "line 2: 'Q' names no channels"),
        ("24", ["* LOC: 01:00:00:30 RED x"], "line 2: '01:00:00:30': frames go"),
        (
            "29.97ndf",
            ["FCM: DROP FRAME"],
            "line 2: the list counts drop frame, but the rate 29.97ndf does not (give 29.97df)",
        ),
        ("29.97df", ["FCM: NON-DROP FRAME"], "line 2: the list counts non-drop frame"),
        ("24", ["FCM: DROP FRAME"], "give the list's own rate"),
    ],
)
def test_what_does_not_exist_is_refused_with_its_line(tmp_path, rate, lines, message):
    path = saved(tmp_path, "\n".join(["TITLE: X", *lines]))
    with pytest.raises(ReadError) as caught:
        read_edits(path, rate)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_is_not_understood_is_told(tmp_path):
    text = REEL_3 + "GPI RELAY 4\n007 K1 V K B 00:00:00:00 00:00:01:00 01:00:11:00 01:00:12:00\n* LOC: here RED x\n"
    log = {item.what: item for item in read_edits(saved(tmp_path, text), 24).log}
    assert "'GPI' line not understood" in log
    assert log["LOC marker without a timecode left out"].lost
    key = "001 K1 V K 000 00:00:00:00 00:00:01:00 01:00:11:00 01:00:12:00\n"
    assert [item.what for item in read_edits(saved(tmp_path, key), 24).log] == ["key taken as a cut"]


def test_markers_as_resolve_exports_them(tmp_path):
    text = (
        "TITLE: Timeline 1\nFCM: NON-DROP FRAME\n\n"
        "001  001      V     C        01:00:02:00 01:00:02:01 01:00:02:00 01:00:02:01  \n"
        " |C:ResolveColorBlue |M:Door slams |D:1\n\n"
        "002  001      V     C        01:00:05:12 01:00:05:13 01:00:05:12 01:00:05:13  \n"
        "he stays |C:ResolveColorRed |M:Marker 2 |D:48\n"
    )
    edits = read_edits(saved(tmp_path, text), 24)
    assert not edits.edits
    assert edits.markers == (
        PictureMarker(frame("01:00:02:00"), "Door slams", "blue"),
        PictureMarker(frame("01:00:05:12"), "Marker 2", "red", 48),
    )


def test_old_text_and_field_marks_are_read(tmp_path):
    path = tmp_path / "old.edl"
    text = "TITLE: Höhle\r\n001 005 A2/V C 01:00:00.00 01:00:01.00 10:00:00.00 10:00:01.00\r\n"
    path.write_bytes(text.encode("latin-1"))
    edits = read_edits(path, 25)
    assert edits.title == "Höhle"
    assert edits.tracks == ("V1", "A2")
    path.write_bytes(b"001 005 V C 01:00:00,00 01:00:01,00 10:00:00,00 10:00:01,00\n")
    assert read_edits(path, "29.97df").edits[0].frames == 30


def test_past_midnight(tmp_path):
    path = saved(tmp_path, "001 A V C 23:59:59:00 00:00:01:00 23:59:58:00 00:00:00:00\n")
    edit = read_edits(path, 24).edits[0]
    assert (edit.frames, edit.source_end - edit.source_start) == (48, 48)
    with pytest.raises(WriteError, match="24:00:00:00"):
        write_edits(EditList("", RATES[1], (), (PictureMarker(24 * 86400),)), tmp_path / "x.edl")


def test_what_the_list_cannot_keep_is_told(tmp_path):
    marks = (PictureMarker(10, "x", "mauve", 5),)
    log = write_edits(EditList("", RATES[1], (), marks), tmp_path / "x.edl")
    assert {item.what for item in log} == {"marker colour that edit lists do not know", "length of a marker"}
    assert all(item.lost for item in log)


def test_speeds_are_the_simplest_that_print_so():
    """Rounded or cut off to a tenth of a frame a second, each usual speed is found again at every rate."""
    for rate in RATES:
        for speed in {Fraction(n, d) for n in range(1, 13) for d in (1, 2, 3, 4)}:
            assert speed_of(frames_a_second(speed, rate), rate) == speed
            tenths = int(speed * rate.fps * 10)
            assert speed_of(f"{tenths // 10:03d}.{tenths % 10}", rate) == speed
    film = FrameRate.parse("23.976")
    assert speed_of("047.9", film) == speed_of("048.0", film) == 2
    assert speed_of("096.0", film) == 4  # systems that count 23.976 as 24
    assert speed_of("-024.0", film) == -1
    assert speed_of("000.0", film) == 0


def test_other_files_are_no_edit_lists(tmp_path):
    with pytest.raises(ReadError, match="not a CMX3600 list"):
        read_edits(saved(tmp_path, "Dear composer,\nhere is the reel.\n"), 24)
    with pytest.raises(ReadError, match="suffix is one of"):
        read_edits(saved(tmp_path, "x", "cut.prproj"), 24)
    with pytest.raises(WriteError, match="cannot be written as"):
        write_edits(EditList("", RATES[0]), tmp_path / "cut.prproj")
    with pytest.raises(ReadError, match="not a text file"):
        read_edits(saved(tmp_path, "TITLE: \0"), 24)
