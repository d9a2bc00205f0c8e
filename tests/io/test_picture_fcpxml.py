"""FCPXML as Final Cut Pro and DaVinci Resolve write it: known answers worked out by hand."""

from fractions import Fraction

import pytest

from rescore_music.edits import BLACK, Edit, EditList, PictureMarker
from rescore_music.errors import ReadError, WriteError
from rescore_music.io.picture import read_edits, write_edits
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import FrameRate, Timecode

RESOURCES = """
<format id="r1" name="FFVideoFormat1080p2398" frameDuration="1001/24000s" width="1920" height="1080"/>
<format id="r2" frameDuration="100/2500s"/>
<format id="r3" name="FFVideoFormatRateUndefined"/>
<asset id="a1" name="Interview" start="3600s" duration="600s" hasVideo="1" hasAudio="1" format="r1">
  <media-rep kind="original-media" src="file:///interview.mov"/>
</asset>
<asset id="a2" name="Archive" start="0s" duration="600s" hasVideo="1" format="r2" src="file:///archive.mov"/>
<asset id="a3" name="Song" start="0s" duration="600s" hasAudio="1" src="file:///song.wav"/>
<asset id="a4" name="Still" start="0s" duration="0s" hasVideo="1" format="r3"/>
<media id="m1" name="Compound"><sequence format="r1"><spine>
<asset-clip ref="a1" duration="9s"/></spine></sequence></media>
<effect id="e1" name="Cross Dissolve"/>
"""


def project(spine, start="3600s", count="NDF", version="1.11", extra=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="{version}">'
        f"<resources>{RESOURCES}</resources><library><event><project name='Reel 1'>"
        f'<sequence format="r1" tcStart="{start}" tcFormat="{count}"><spine>{spine}</spine></sequence>'
        f"</project>{extra}</event></library></fcpxml>"
    )


def read(tmp_path, spine, rate=None, **options):
    path = tmp_path / "cut.fcpxml"
    path.write_text(project(spine, **options), encoding="utf-8")
    return read_edits(path, rate)


def frames(count):
    """So many frames at 23.976 as the format writes them."""
    return f"{count * 1001}/24000s"


def test_the_rate_is_exact_and_not_23(tmp_path):
    """1001/24000s is 23.976 frames a second; a reader that divides whole numbers makes it 23."""
    edits = read(tmp_path, f'<asset-clip ref="a1" name="x" offset="3600s" duration="{frames(100)}"/>', start="3600s")
    assert edits.rate == FrameRate.parse("23.976")
    assert edits.title == "Reel 1"
    with pytest.raises(ReadError, match=r"cut\.fcpxml: the file is at 23\.976, not at 24 \(give 23\.976, or no rate\)"):
        read_edits(tmp_path / "cut.fcpxml", 24)


def test_a_dissolve_centred_on_its_cut(tmp_path):
    """A plays 100 frames, B 100; a dissolve of 24 centred on the cut begins 12 before it, where B now begins."""
    spine = (
        f'<asset-clip ref="a1" name="A" offset="0s" start="3600s" duration="{frames(100)}"/>'
        f'<transition name="Cross Dissolve" offset="{frames(88)}" duration="{frames(24)}"/>'
        f'<asset-clip ref="a1" name="B" offset="{frames(100)}" start="{frames(90000)}" duration="{frames(100)}"/>'
        f'<transition name="Cross Dissolve" offset="{frames(188)}" duration="{frames(12)}"/>'
    )
    edits = read(tmp_path, spine, start="0s")
    a, b, black = edits.edits
    assert (a.record_start, a.record_end) == (0, 88)
    # 3600 s of 24000/1001 frames begin within frame 86313
    assert a.source_start == 86313
    assert (b.record_start, b.record_end, b.transition, b.transition_length) == (88, 188, "dissolve", 24)
    assert (b.source_start, b.source_end) == (90000 - 12, 90000 + 88)
    assert b.outgoing == "Interview"
    assert (black.record_start, black.record_end, black.reel, black.outgoing) == (188, 200, BLACK, "Interview")
    assert edits.cuts() == (0, 100, 194)


def test_connected_clips_and_their_nested_offsets(tmp_path):
    """A connected clip's offset is in its parent's own time; what it carries itself is in its own."""
    spine = f"""
    <gap name="Gap" offset="{frames(86400)}" start="3600s" duration="{frames(48)}">
      <title ref="e1" lane="1" offset="3600s" name="Opening" start="3600s" duration="{frames(24)}"/>
    </gap>
    <clip name="scene" offset="{frames(86448)}" start="{frames(500)}" duration="{frames(200)}" tcFormat="NDF">
      <video ref="a2" offset="10s" start="12s" duration="600s">
        <audio ref="a1" lane="-1" offset="0s" duration="600s"/>
      </video>
      <asset-clip ref="a2" lane="1" offset="{frames(510)}" start="10s" duration="{frames(100)}" name="over">
        <asset-clip ref="a3" lane="-2" offset="11s" start="0s" duration="{frames(48)}" name="song"/>
        <marker start="10s" duration="1001/24000s" value="on the over"/>
      </asset-clip>
      <marker start="{frames(530)}" duration="1001/24000s" value="turn" note="n"/>
      <chapter-marker start="{frames(531)}" duration="{frames(24)}" value="Chapter" posterOffset="11/30s"/>
      <keyword start="0s" duration="9s" value="x"/>
    </clip>
    <ref-clip ref="m1" offset="{frames(86648)}" name="Compound" duration="{frames(10)}"/>
    """
    edits = read(tmp_path, spine, start=frames(86400))
    scene, compound = edits.on("V1")
    assert (scene.record_start, scene.clip, scene.reel, scene.file) == (
        86448,
        "scene",
        "Archive",
        "file:///archive.mov",
    )
    # its own time 500 frames are 20.85 s, 2 s earlier than its media's
    assert scene.source_start == int((Fraction(500 * 1001, 24000) + 2) * 25)
    assert compound.record_start == 86648
    title, over = edits.on("V2")
    assert (title.record_start, title.record_end, title.clip, title.reel) == (86400, 86424, "Opening", "")
    assert over.record_start == 86448 + 10
    assert (over.source_rate, over.source_start) == (FrameRate.parse(25), 250)
    # 100 frames at 23.976 are 104.27 of the 25 fps source: 105 are touched
    assert over.source_end - over.source_start == 105
    song = edits.on("A2")[0]
    assert song.record_start == 86458 + round(Fraction(24000, 1001))
    assert [(m.frame, m.text, m.length) for m in edits.markers] == [
        (86458, "on the over", 1),
        (86448 + 30, "turn", 1),
        (86448 + 31, "Chapter", 24),
    ]
    assert {"compound clip taken as one shot", "<keyword> left out"} < {item.what for item in edits.log}
    assert "time between frames moved to the nearest" in {item.what for item in edits.log}


def test_retimes_reverse_and_freeze(tmp_path):
    def clip(at, points, own="0s"):
        told = "".join(f'<timept time="{t}" value="{v}" interp="linear"/>' for t, v in points)
        place = f'offset="{frames(at)}" start="{own}" duration="{frames(24)}"'
        return f'<asset-clip ref="a2" {place}><timeMap>{told}</timeMap></asset-clip>'

    second = Fraction(24 * 1001, 24000)  # 24 frames of the list
    edits = read(
        tmp_path,
        clip(0, [("0s", "10s"), ("10s", "30s")])
        + clip(24, [("0s", "20s"), ("20s", "0s")], own="4s")
        + clip(48, [("0s", "8s"), ("9s", "8s")])
        + clip(72, [("0s", "0s"), ("1/2s", "1s"), ("100s", "2s")]),
        start="0s",
    )
    fast, back, still, ramp = edits.edits
    assert (fast.speed, fast.source_start, fast.source_end) == (2, 250, 251 + int(second * 50))
    assert (back.speed, back.source_end) == (-1, 400)  # enters at 16 s and plays backwards
    assert back.source_start == (16 - second) * 25 // 1
    assert (still.speed, still.source_start, still.source_end) == (0, 200, 201)
    assert Fraction(1) < ramp.speed < 2
    assert [item.what for item in edits.log] == ["changing speed taken as its mean"]


def test_drop_frame_and_a_list_that_counts_from_its_beginning(tmp_path):
    text = project('<asset-clip ref="a1" offset="0s" duration="1001/30s"/>', start="1001/10s", count="DF")
    path = tmp_path / "cut.fcpxml"
    path.write_text(text.replace("1001/24000s", "1001/30000s"))
    edits = read_edits(path)
    assert edits.rate == FrameRate.parse("29.97df")
    # 100.1 s are 3000 frames: 00:01:40;02 in drop frame
    assert Timecode(edits.edits[0].record_start, edits.rate).label == "00:01:40;02"
    assert edits.log[0].what == "offsets counted from the sequence's start"


def test_transition_markers_count_from_the_hour(tmp_path):
    """Final Cut writes a transition's own time from 3600 s, as that of other generators."""
    spine = (
        '<transition name="Cross Dissolve" offset="3600s" duration="1001/1000s">'
        '<marker start="7201/2s" duration="1001/24000s" value="m"/></transition>'
        '<asset-clip ref="a1" offset="3600s" duration="1001/100s"/>'
        '<transition name="Band" offset="3605005/1000s" duration="1001/1000s"/>'
        '<asset-clip ref="a2" offset="361001/100s" start="5s" duration="1001/100s"/>'
    )
    edits = read(tmp_path, spine)
    assert edits.markers[0].frame == round(Fraction(7201, 2) * Fraction(24000, 1001))
    assert (edits.edits[0].transition, edits.edits[0].outgoing) == ("dissolve", BLACK)
    assert (edits.edits[1].transition, edits.edits[1].wipe) == ("wipe", "Band")


def test_bundles_auditions_disabled_and_further_projects(tmp_path):
    bundle = tmp_path / "reel.fcpxmld"
    bundle.mkdir()
    spine = (
        '<audition offset="3600s"><asset-clip ref="a1" name="pick" offset="3600s" duration="1001/100s"/>'
        '<asset-clip ref="a2" name="other" duration="1s"/></audition>'
        '<asset-clip ref="a2" name="off" enabled="0" offset="361001/100s" duration="1001/100s"/>'
        "<caption/>"
    )
    second = '<project name="2"><sequence format="r1"><spine/></sequence></project>'
    (bundle / "Info.fcpxml").write_text(project(spine, extra=second))
    edits = read_edits(bundle)
    assert [(e.clip, e.frames) for e in edits.edits] == [("pick", 240)]
    assert {(item.what, item.lost) for item in edits.log} >= {
        ("further projects left out", True),
        ("disabled clip left out", False),
        ("audition: its pick taken, the others left out", False),
    }
    assert read_cues(bundle, start="01:00:00:00").cuts == (86314,)


@pytest.mark.parametrize(
    ("spine", "message"),
    [
        ('<asset-clip ref="a1" offset="3.6.1s" duration="1s"/>', "line 22: offset '3.6.1s' is not a time"),
        ('<asset-clip ref="a1" offset="1/0s" duration="1s"/>', "offset '1/0s' is not a time"),
        (
            '<asset-clip ref="a1" offset="1s" duration="-9/1s"><marker start="-90000s"/></asset-clip>',
            "before 00:00:00:00",
        ),
        ('<asset-clip ref="a1" offset="9999999999999999s" duration="1s"/>', "too far away"),
        ("<gap>" * 70 + "</gap>" * 70, ""),
        ('<gap lane="1">' * 70 + "</gap>" * 70, "nested more than 32 deep"),
        ("<gap>", "malformed XML"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, spine, message):
    if not message:  # deep, but not as clips
        assert not read(tmp_path, spine).edits
        return
    with pytest.raises(ReadError) as caught:
        read(tmp_path, spine)
    assert message.removeprefix("line 22: ") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_entities_and_other_documents_are_refused(tmp_path):
    path = tmp_path / "x.fcpxml"
    path.write_text('<!DOCTYPE fcpxml [<!ENTITY a "b">]><fcpxml version="1.9">&a;</fcpxml>')
    with pytest.raises(ReadError, match="declares XML entities"):
        read_edits(path)
    for text, message in [("<x/>", "not FCPXML"), ("{}", "not XML"), ("<fcpxml/>", "no sequence")]:
        path.write_text(text)
        with pytest.raises(ReadError, match=message):
            read_edits(path)
    path.write_text("<fcpxml><project><sequence/></project></fcpxml>")
    with pytest.raises(ReadError, match="no frame duration"):
        read_edits(path)


def test_what_cannot_be_written_is_told_or_refused(tmp_path):
    rate = FrameRate.parse(24)
    odd = EditList("", rate, (Edit(0, 10, 0, 30, "A"),), (PictureMarker(3, "x", "red"),))
    log = write_edits(odd, tmp_path / "x.fcpxml")
    assert {item.what for item in log} == {"source length that the speed does not make", "colour of a marker"}
    over = EditList("", rate, (Edit(0, 10), Edit(5, 15)))
    for name in ("x.fcpxml", "x.otio"):
        if name.endswith("otio"):
            pytest.importorskip("opentimelineio")
        with pytest.raises(WriteError, match="V1, 00:00:00:05: two shots overlap"):
            write_edits(over, tmp_path / name)
