"""Final Cut Pro 7 XML: integer rates, clips that say -1 inside transitions, speeds, markers."""

from fractions import Fraction

import pytest

from rescore_music.edits import PictureMarker
from rescore_music.errors import ReadError
from rescore_music.io.picture import read_edits
from rescore_music.timecode import FrameRate

RATE = "<rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>"
FILE = (
    '<file id="{id}"><name>{id}.mov</name><pathurl>file:///{id}.mov</pathurl>' + RATE +
    "<timecode>" + RATE + "<frame>{frame}</frame><displayformat>DF</displayformat>"
    "<reel><name>{reel}</name></reel></timecode></file>"
)  # fmt: skip
SPEED = (
    "<filter><effect><effectid>timeremap</effectid>"
    "<parameter><parameterid>variablespeed</parameterid><value>0</value></parameter>"
    "<parameter><parameterid>speed</parameterid><value>{}</value></parameter>"
    "<parameter><parameterid>reverse</parameterid><value>{}</value></parameter></effect></filter>"
)


def clip(name, start, end, first, last, file, more=""):
    times = f"<start>{start}</start><end>{end}</end><in>{first}</in><out>{last}</out>"
    return f"<clipitem><name>{name}</name>{RATE}{times}{file}{more}</clipitem>"


def mix(start, end, name="Cross Dissolve"):
    effect = f"<effect><name>{name}</name></effect>"
    place = f"<start>{start}</start><end>{end}</end><alignment>center</alignment>"
    return f"<transitionitem>{RATE}{place}{effect}</transitionitem>"


def saved(tmp_path, video, audio="", markers=""):
    path = tmp_path / "cut.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml><xmeml version="5"><project><children>'
        f'<sequence id="s"><name>Reel 2</name>{RATE}<timecode>{RATE}<frame>107892</frame>'
        f"<displayformat>DF</displayformat></timecode><media><video><track>{video}</track></video>"
        f"<audio><track>{audio}</track></audio></media>{markers}</sequence></children></project></xmeml>"
    )
    return path


def test_a_sequence_with_a_dissolve_a_wipe_and_retimes(tmp_path):
    tape = FILE.format(id="f1", frame=1000, reel="T7")
    video = (
        clip("one", 0, -1, 10, 122, tape)  # plays to the dissolve's end at 112
        + mix(88, 112)
        + clip("two", -1, 200, 500, 612, '<file id="f1"/>')  # from the dissolve's start at 88
        + clip("fast", 200, 230, 60, 120, '<file id="f1"/>', SPEED.format(200, "FALSE"))
        + clip("back", 230, 260, 60, 90, '<file id="f1"/>', SPEED.format(100, "TRUE"))
        + mix(250, 270, "Clock Wipe")
        + clip("three", 260, 300, 40, 80, '<file id="f1"/>')  # says its cut although it enters earlier
        + mix(290, 300)
    )
    marks = "<marker><name>hit</name><comment>door</comment><in>24</in><out>-1</out></marker>"
    marks += "<marker><name>zone</name><in>50</in><out>80</out></marker>"
    edits = read_edits(saved(tmp_path, video, clip("song", 0, 300, 0, 300, "<file id='none'/>"), marks))
    hour = 107892  # 01:00:00;00
    assert edits.rate == FrameRate.parse("29.97df")
    assert edits.title == "Reel 2"
    one, two, fast, back, three, black = edits.on("V1")
    assert (one.record_start, one.record_end) == (hour, hour + 88)
    assert (one.source_start, one.source_end, one.reel) == (1010, 1098, "T7")
    assert (two.record_start, two.record_end) == (hour + 88, hour + 200)
    assert (two.source_start, two.source_end) == (1500, 1612)
    assert (two.transition, two.transition_length, two.outgoing) == ("dissolve", 24, "T7")
    assert (fast.speed, fast.source_end - fast.source_start) == (2, 60)
    assert (back.speed, back.record_end) == (Fraction(-1), hour + 250)
    assert (three.record_start, three.source_start, three.transition, three.wipe) == (
        hour + 250,
        1030,
        "wipe",
        "Clock Wipe",
    )
    assert three.record_end == black.record_start == hour + 290
    assert (black.reel, black.transition_length) == ("BL", 10)
    assert edits.on("A1")[0].frames == 300
    assert edits.markers == (PictureMarker(hour + 24, "hit: door"), PictureMarker(hour + 50, "zone", length=30))


def test_rates_are_a_base_and_a_flag(tmp_path):
    path = saved(tmp_path, "")
    for base, flag, count, rate in [
        (24, "TRUE", "NDF", "23.976"),
        (60, "TRUE", "DF", "59.94df"),
        (25, "FALSE", "NDF", "25"),
    ]:
        text = path.read_text().replace("<timebase>30", f"<timebase>{base}").replace("<ntsc>TRUE", f"<ntsc>{flag}")
        other = tmp_path / "other.xml"
        other.write_text(text.replace(">DF<", f">{count}<"))
        assert read_edits(other).rate == FrameRate.parse(rate)
    with pytest.raises(ReadError, match=r"the file is at 29\.97df, not at 25"):
        read_edits(path, 25)


def test_what_is_wrong_or_left_out(tmp_path):
    edits = read_edits(
        saved(tmp_path, clip("lost", -1, -1, 0, 9, "") + "<clipitem><enabled>FALSE</enabled></clipitem>")
    )
    assert {item.what for item in edits.log} == {
        "clip without a place in the sequence left out",
        "disabled clip left out",
    }
    more = "<marker><in>1</in></marker><filter><effect><effectid>blur</effectid></effect></filter>"
    told = read_edits(saved(tmp_path, clip("x", 0, 9, 0, 9, "", more))).log
    assert [(i.what, i.lost) for i in told] == [("markers inside a clip left out", True), ("effect left out", False)]
    with pytest.raises(ReadError, match=r"start '1\.5' is no frame number"):
        read_edits(saved(tmp_path, clip("x", "1.5", 9, 0, 9, "")))
    with pytest.raises(ReadError, match="a speed of 'fast' per cent"):
        read_edits(saved(tmp_path, clip("x", 1, 9, 0, 9, "", SPEED.format("fast", ""))))
    path = tmp_path / "x.xml"
    for text, message in [("<score-partwise/>", "no edit list"), ("<xmeml/>", "no sequence")]:
        path.write_text(text)
        with pytest.raises(ReadError, match=message):
            read_edits(path)


def test_fcpxml_under_this_suffix_is_read_as_what_it_is(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(
        '<fcpxml version="1.9"><resources><format id="r" frameDuration="1/25s"/></resources>'
        '<project><sequence format="r"><spine><gap duration="1s"/></spine></sequence></project></fcpxml>'
    )
    assert read_edits(path).rate == FrameRate.parse(25)
