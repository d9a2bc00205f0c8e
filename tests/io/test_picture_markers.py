"""Marker lists of REAPER, Pro Tools and MIDI, and the one door that reads them all as cues."""

import pytest
from midi_files import meta, midi, track

from rescore_music.cues import Hit
from rescore_music.edits import PictureMarker
from rescore_music.errors import ReadError, TimecodeError
from rescore_music.io.picture import read_edits
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import FrameRate, Timecode

REAPER = """\
#,Name,Start,End,Length,Color
M1,"Door, slams",01:00:10:12,,,FF0000
R1,Chase,1:00:20:00,01:00:30:00,00:00:10:00,
M2,,01:00:40:00
"""
PROJECT = """\
<REAPER_PROJECT 0.1 "7.0/linux" 1700000000
  PROJOFFS 3600 0 0
  TEMPO 120 4 4
  MARKER 1 10.5 "Door slams" 0 0 1 B {1} 0
  MARKER 2 20 Chase 1 0 1 R {2} 0
  MARKER 2 30.0000000001 "" 1
  MARKER 3 40.02 'odd "name"' 8 0 1 R
  MARKER 4 50 open 1
>
"""
SESSION = """\
SESSION NAME:\tReel 4
SAMPLE RATE:\t48000.000000
BIT DEPTH:\t24-bit
SESSION START TIMECODE:\t01:00:00;00
TIMECODE FORMAT:\t29.97 Drop Frame
# OF AUDIO TRACKS:\t2


T R A C K  L I S T I N G
TRACK NAME:\tDX: one


M A R K E R S  L I S T I N G
#   \tLOCATION     \tTIME REFERENCE    \tUNITS    \tNAME                             \tCOMMENTS
1   \t01:01:00;02  \t2882880           \tSamples  \tDoor slams                       \tloud
2   \t01:10:00;00  \t28800000          \tSamples  \tTenth                            \t
3   \t7|1|000      \t48048             \tSamples  \tBars told, samples counted       \t
"""


def saved(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def frame(label, rate="24"):
    return Timecode.parse(label, rate).frame


def test_reapers_region_and_marker_list(tmp_path):
    path = saved(tmp_path, "list.csv", REAPER)
    edits = read_edits(path, 24)
    assert edits.markers == (
        PictureMarker(frame("01:00:10:12"), "Door, slams", "ff0000"),
        PictureMarker(frame("01:00:20:00"), "Chase", length=240),
        PictureMarker(frame("01:00:40:00")),
    )
    cues = read_cues(path, 24, "01:00:00:00")  # told from spotting notes by its first line
    assert cues.seconds.tolist() == [10.5, 20, 40]
    assert {hit.kind for hit in cues.hits} == {"soft"}


@pytest.mark.parametrize(
    ("time", "what"),
    [
        ("0:10.500", "'0:10.500' is in seconds, not frames"),
        ("5.1.00", "'5.1.00' is in bars and beats"),
        ("10.5", "is in seconds"),
        ("soon", "'soon' is no timecode"),
        ("01:00:00:24", "frames go from 00 to 23"),
        ("", "'' is no timecode"),
    ],
)
def test_rulers_that_name_no_frame_are_refused_with_a_cure(tmp_path, time, what):
    path = saved(tmp_path, "list.csv", f"#,Name,Start,End,Length\nM1,x,{time},,\n")
    with pytest.raises(ReadError) as caught:
        read_edits(path, 24)
    assert "line 2, column Start" in str(caught.value)
    assert what in str(caught.value)
    assert "frames go" in what or "set the ruler to Hours:Minutes:Seconds:Frames" in str(caught.value)


def test_a_reaper_project(tmp_path):
    edits = read_edits(saved(tmp_path, "reel.rpp", PROJECT), 24)
    assert edits.markers == (
        PictureMarker(86400 + 252, "Door slams"),
        PictureMarker(86400 + 480, "Chase", length=240),
        PictureMarker(86400 + 960, 'odd "name"'),
        PictureMarker(86400 + 1200, "open"),
    )
    assert {item.what for item in edits.log} == {
        "marker between frames moved to the nearest",
        "region without an end taken as a marker",
    }
    with pytest.raises(ReadError, match="does not say its frame rate"):
        read_edits(tmp_path / "reel.rpp")
    with pytest.raises(ReadError, match="no REAPER project"):
        read_edits(saved(tmp_path, "x.rpp", "MARKER 1 2 x"), 24)
    with pytest.raises(ReadError, match="line 2: 'x' is no number of seconds"):
        read_edits(saved(tmp_path, "x.rpp", "<REAPER_PROJECT\nMARKER 1 x y"), 24)


def test_pro_tools_session_info(tmp_path):
    path = saved(tmp_path, "session.txt", SESSION)
    edits = read_edits(path)
    assert edits.rate == FrameRate.parse("29.97df")
    assert edits.title == "Reel 4"
    assert [(m.frame, m.text) for m in edits.markers] == [
        (107892 + 30, "Bars told, samples counted"),
        (107892 + 1800, "Door slams: loud"),
        (107892 + 17982, "Tenth"),
    ]
    cues = read_cues(path, start="01:00:00;00")
    assert cues.hits[1].label == "Door slams: loud"
    with pytest.raises(ReadError, match=r"the file is at 29\.97df, not at 30"):
        read_cues(path, 30)
    beats = SESSION.replace("48048             \tSamples", "123               \tTicks  ")
    with pytest.raises(ReadError, match=r"line 17: '7\|1\|000' is no timecode \(export session info with times in"):
        read_edits(saved(tmp_path, "beats.txt", beats))
    with pytest.raises(ReadError, match="this is no session info"):
        read_edits(saved(tmp_path, "x.txt", "hello"))
    with pytest.raises(ReadError, match="tells no TIMECODE FORMAT"):
        read_edits(saved(tmp_path, "x.txt", SESSION.replace("TIMECODE FORMAT", "FORMAT")))


def test_midi_markers_through_the_tempo_map(tmp_path):
    """120 a minute for 4 quarters, then 60: the markers are at 1 s and at 2 + 3 s."""
    events = [
        meta(0x51, (500_000).to_bytes(3, "big")),
        b"\x81\x40" + meta(6, b"one")[1:],  # tick 192 of 96 a quarter
        b"\x81\x40" + meta(0x51, (1_000_000).to_bytes(3, "big"))[1:],
        b"\x82\x20" + meta(7, b"two")[1:],  # 288 ticks later
    ]
    path = saved(tmp_path, "hits.mid", midi(track(b"".join(events)), division=96))
    cues = read_cues(path, "23.976", "01:00:00:00")
    assert [hit.label for hit in cues.hits] == ["one", "two"]
    assert [hit.frame - 86400 for hit in cues.hits] == [round(1 * 24 / 1.001), round(5 * 24 / 1.001)]
    assert cues.start.label == "01:00:00:00"
    assert "marker between frames moved to the nearest" in {item.what for item in read_edits(path, "23.976").log}
    assert not [item for item in read_edits(path, 24).log if "between" in item.what]


def test_one_door_for_every_list(tmp_path):
    assert read_cues(saved(tmp_path, "hits.csv", "timecode\n00:00:01:00\n")).hits == (Hit(24),)  # 24 unless told
    assert read_cues(saved(tmp_path, "hits.tsv", "timecode\tlabel\n00:00:01:00\ta,b\n"), 25).hits == (Hit(25, "a,b"),)
    assert read_cues(saved(tmp_path, "hits.txt", "timecode;label\n00:00:01:00;x\n"), 25).hits == (Hit(25, "x"),)
    with pytest.raises(TimecodeError):
        read_cues(saved(tmp_path, "session.txt", SESSION), start="01:01:00;00")
    with pytest.raises(ReadError, match="no such file"):
        read_cues(tmp_path / "none.edl", 24)
    with pytest.raises(ReadError, match="no such file"):
        read_cues(tmp_path / "none.csv", 24)
