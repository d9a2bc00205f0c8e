"""OTIO: rates and times exact although the format holds floats; what other programs write is read as it lies."""

import builtins
from fractions import Fraction

import pytest

from rescore_music.edits import BLACK, Edit, EditList
from rescore_music.errors import MissingExtra, ReadError
from rescore_music.io.picture import read_edits, write_edits
from rescore_music.timecode import RATES, FrameRate

otio = pytest.importorskip("opentimelineio")
schema, Time, Range = otio.schema, otio.opentime.RationalTime, otio.opentime.TimeRange


def span(start, frames, fps=24.0):
    return Range(Time(start, fps), Time(frames, fps))


def clip(name, start, frames, fps=24.0, **more):
    return schema.Clip(name, schema.ExternalReference(f"file:///{name}.mov"), span(start, frames, fps), **more)


def saved(tmp_path, *tracks, fps=24.0, start=86400, markers=()):
    timeline = schema.Timeline("reel", global_start_time=Time(start, fps))
    for items in tracks:
        track = schema.Track()
        track.extend(items)
        timeline.tracks.append(track)
    timeline.tracks.markers.extend(markers)
    path = tmp_path / "cut.otio"
    otio.adapters.write_to_file(timeline, str(path))
    return path


@pytest.mark.parametrize("number", [23.976, 23.98, 24000 / 1001, 23.976023976023978])
def test_rounded_rates_are_the_exact_one(tmp_path, number):
    edits = read_edits(saved(tmp_path, [clip("a", 10, 20, number)], fps=number))
    assert edits.rate.fps == Fraction(24000, 1001)
    assert (edits.edits[0].record_start, edits.edits[0].source_start) == (86400, 10)


def test_transitions_retimes_gaps_and_markers_of_other_programs(tmp_path):
    dissolve = schema.Transition("", "SMPTE_Dissolve", Time(5, 24), Time(7, 24))
    wipe = schema.Transition("", "Custom_Transition", Time(0, 24), Time(4, 24))
    fast = clip("c", 0, 50, effects=[schema.LinearTimeWarp("", 2.0)])
    back = clip("d", 100, 50, effects=[schema.LinearTimeWarp("", -1.0)])
    still = clip("e", 33, 10, effects=[schema.FreezeFrame()])
    mark = schema.Marker("turn", Range(Time(15, 24), Time(0, 24)), "RED")
    a = clip("a", 10, 100, markers=[mark])
    gap = schema.Gap(duration=Time(6, 24))
    last = schema.Transition("", "SMPTE_Dissolve", Time(2, 24), Time(2, 24))
    path = saved(tmp_path, [a, dissolve, clip("b", 200, 100), wipe, fast, gap, back, still, last])
    edits = read_edits(path)
    a, b, c, d, e, black = edits.edits
    assert (a.record_start, a.record_end, a.source_end) == (86400, 86495, 105)
    assert (b.record_start, b.source_start, b.transition_length, b.outgoing) == (86495, 195, 12, "a")
    assert (c.transition, c.transition_length, c.speed, c.source_end) == ("wipe", 4, 2, 100)
    assert d.record_start == c.record_end + 6
    assert (d.speed, d.source_start, d.source_end) == (-1, 100, 150)
    assert (e.speed, e.source_start, e.source_end, e.frames) == (0, 33, 34, 8)
    assert (black.reel, black.frames, black.outgoing) == (BLACK, 4, "e")
    assert edits.markers[0].frame == 86405
    assert edits.markers[0].color == "red"


def test_a_fade_to_a_gap_is_black(tmp_path):
    fade = schema.Transition("", "SMPTE_Dissolve", Time(12, 24), Time(12, 24))
    path = saved(tmp_path, [clip("a", 0, 100), fade, schema.Gap(duration=Time(50, 24)), clip("b", 0, 10)])
    a, black, b = read_edits(path).edits
    assert (a.record_end, black.record_start, black.record_end) == (86488, 86488, 86550)
    assert (black.reel, black.transition_length) == (BLACK, 24)
    assert b.record_start == 86550


def test_nested_stacks_show_their_topmost_shot(tmp_path):
    """Below, one long shot; above it a gap, a short shot; of the whole only the middle is used."""
    low, high = schema.Track(), schema.Track()
    low.append(clip("low", 0, 100))
    high.extend([schema.Gap(duration=Time(30, 24)), clip("high", 500, 20)])
    stack = schema.Stack(children=[low, high], source_range=span(10, 60))
    edits = read_edits(saved(tmp_path, [clip("a", 0, 10), stack, clip("z", 0, 5)]))
    told = [(e.reel, e.record_start - 86400, e.record_end - 86400, e.source_start) for e in edits.edits]
    assert told == [("a", 0, 10, 0), ("low", 10, 30, 10), ("high", 30, 50, 500), ("low", 50, 70, 50), ("z", 70, 75, 0)]
    assert [item.what for item in edits.log] == ["nested composition flattened"]


def test_sources_at_their_own_rate(tmp_path):
    path = saved(tmp_path, [schema.Clip("x", None, Range(Time(250, 25.0), Time(48, 24.0)))])
    edit = read_edits(path).edits[0]
    assert (edit.source_rate, edit.frames) == (FrameRate.parse(25), 48)
    assert (edit.source_start, edit.source_end) == (250, 300)


def test_the_count_is_the_callers_unless_we_wrote_it(tmp_path):
    path = saved(tmp_path, [clip("a", 0, 10, 30000 / 1001)], fps=30000 / 1001)
    assert read_edits(path).rate == FrameRate.parse("29.97ndf")
    assert read_edits(path, "29.97df").rate == FrameRate.parse("29.97df")
    with pytest.raises(ReadError, match=r"the file is at 29\.97ndf, not at 30"):
        read_edits(path, 30)
    own = tmp_path / "own.otio"
    write_edits(EditList("", RATES[3], (Edit(0, 10),)), own)
    assert read_edits(own).rate == RATES[3]
    with pytest.raises(ReadError, match=r"the file is at 29\.97df, not at 29\.97ndf"):
        read_edits(own, "29.97ndf")


def test_our_own_note_of_the_source_gives_way_to_another_programs_trim(tmp_path):
    path = tmp_path / "own.otio"
    write_edits(EditList("", RATES[1], (Edit(0, 10, 100, 999, "A"),)), path)
    assert read_edits(path).edits[0].source_end == 999
    timeline = otio.adapters.read_from_file(str(path))
    timeline.tracks[0][0].source_range = span(105, 5)
    otio.adapters.write_to_file(timeline, str(path))
    edit = read_edits(path).edits[0]
    assert (edit.source_start, edit.source_end, edit.frames) == (105, 110, 5)


def test_what_is_no_timeline(tmp_path):
    path = tmp_path / "x.otio"
    for text, message in [
        ("{}", "not an OTIO file|not a timeline"),
        ("[" * 5000, "nested more than"),
        ('{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "not an OTIO file"),
        ("\xff", "not an OTIO file"),
        ('{"OTIO_SCHEMA": "Clip.NaN"}', "no OTIO schema"),  # the package's own parser ends the process at some of these
        ('{"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "SerializableObjectRef.1"}}', "refers to another"),
        ('{"OTIO_SCHEMA": "RationalTime.1", "rate": NaN, "value": 1}', "NaN is no number"),
        ('{"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 99999999999999999999}', "a number of 20 digits"),
    ]:
        path.write_text(text)
        with pytest.raises(ReadError, match=message) as caught:
            read_edits(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ReadError, match="not UTF-8"):
        read_edits(path)
    with pytest.raises(ReadError, match="without a length"):
        read_edits(saved(tmp_path, [schema.Clip("x")]))


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path, [clip("a", 0, 10)])
    real = builtins.__import__

    def missing(name, *args, **more):
        if name in ("opentimelineio", "openpyxl"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"pip install rescore-music\[picture\]"):
        read_edits(path)
    with pytest.raises(MissingExtra):
        write_edits(EditList("", RATES[0]), path)
