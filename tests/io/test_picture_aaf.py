"""AAF: shots, transitions, speeds and markers, frame for frame at every rate; hostile files are one line, soon."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from picture_lists import edit_lists

from rescore_music.cli import main
from rescore_music.edits import BLACK, Edit, EditList, PictureMarker
from rescore_music.errors import LONGEST, MissingExtra, ReadError, RescoreError
from rescore_music.io import limits
from rescore_music.io.picture import read_edits
from rescore_music.io.spotting import read_cues
from rescore_music.timecode import RATES, FrameRate, Timecode

pytest.importorskip("aaf2")
from aaf_files import Aaf, written

R24 = FrameRate.parse(24)


def stripped(edits: EditList) -> EditList:
    """What an AAF file can say of a list: black is a hole, or what a transition goes to."""
    kept = []
    for edit in edits.edits:
        if edit.black and not edit.transition_length:
            continue
        if edit.black:
            edit = replace(edit, source_start=0, source_end=edit.frames, reel=BLACK, source_rate=edits.rate)
        kept.append(edit)
    first = min((e.record_start for e in edits.edits), default=0)
    marks = tuple(m for m in edits.markers if m.frame >= first)
    return replace(edits, edits=tuple(kept), markers=marks)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(edits=edit_lists(plain=True))
def test_lists_come_back_equal(edits: EditList, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(edits, tmp_path_factory.mktemp("aaf") / "x.aaf")
    asked = None if edits.tracks and any(t.startswith("V") for t in edits.tracks) else edits.rate
    assert read_edits(path, asked) == stripped(edits)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_every_rate_to_the_frame(rate: FrameRate, tmp_path: Path) -> None:
    """Across the first minute, where labels drop: a dissolve, a wipe, slow and reverse motion, a freeze, markers."""
    start = Timecode.parse("10:00:58:00", rate).frame
    shots = (
        Edit(start, start + 100, 100_010, 100_110, "A001", "Slate 1", "file:///a.mov"),
        Edit(start + 100, start + 160, 95_000, 95_060, "B002", "b", "", "V1", "dissolve", 24, "A001"),
        Edit(start + 160, start + 200, 99_000, 99_020, "C", "c", "", "V1", "wipe", 7, "B002", "008", Fraction(1, 2)),
        Edit(start + 210, start + 250, 99_000, 99_060, "D", "d", speed=Fraction(-3, 2)),
        Edit(start + 250, start + 290, 99_000, 99_001, "E", "e", speed=Fraction(0)),
        Edit(start + 290, start + 330, 0, 40, BLACK, "", "", "V1", "dissolve", 30, "E"),
        Edit(start + 5, start + 50, 99_000, 99_045, "F", "f", track="A1"),
    )
    marks = (PictureMarker(start + 61, "glass", "red"), PictureMarker(start + 99, "Tür ☂", "cyan", 12))
    edits = EditList("reel 3", rate, shots, marks)
    path = written(edits, tmp_path / "x.aaf")
    back = read_edits(path)
    assert back == edits
    assert back.log == ()
    assert read_edits(path, rate) == edits
    cues = read_cues(path, start=Timecode(start, rate))
    assert [hit.frame for hit in cues.hits] == [start + 61, start + 99]
    assert cues.cuts == edits.cuts()
    if rate.nominal % 30 == 0 and rate.fps.denominator == 1001:
        with pytest.raises(ReadError, match=f"the file is at {rate}"):
            read_edits(path, FrameRate(rate.fps, not rate.drop))


def test_rounded_rates_are_the_exact_one(tmp_path: Path) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0, code=False)
    made.track([made.clip(made.source("A", R24, 0), 0, 48)], rate="2997/100")
    assert read_edits(made.save()).rate.fps == Fraction(30000, 1001)


def test_sources_at_another_rate_and_count_keep_their_timecode(tmp_path: Path) -> None:
    """A tape of 29.97 drop in a sequence of 23.976: 48 pictures shown are 60 of the tape."""
    rate, tape = FrameRate.parse("23.976"), FrameRate.parse("29.97df")
    made = Aaf(tmp_path / "x.aaf", rate, 86400)
    master = made.source("T7", tape, 107_892, shift=30)
    made.track([made.clip(master, 24, 48)])
    (edit,) = read_edits(made.save()).edits
    assert edit.source_rate == tape
    assert (edit.source_start, edit.source_end) == (107_892 + 30 + 30, 107_892 + 30 + 30 + 60)


def test_speed_by_ratio_is_length_shown_over_length_used(tmp_path: Path) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    master, control = made.source("A", R24, 0), {"key": "9d2ea890-0968-11d3-8a38-0050040ef7d2"}
    cases = [(50, 100, "1/2"), (90, 30, "3/1"), (40, 1, "40/1"), (20, 20, "-1/1")]
    groups = [
        made.group("Speed", shown, [made.clip(master, 10, used)], made.constant("SpeedRatio", ratio), **control)
        for shown, used, ratio in cases
    ]
    fitted = made.group("Speed", 30, [made.clip(master, 10, 15)], **control)  # no ratio: it fills its place
    bent = made.curve("PARAM_SPEED_OFFSET_MAP_U", (0, 0), (10, 40), (20, 50))
    made.track([*groups, fitted, made.group("Bent", 20, [made.clip(master, 10, 50)], bent, warp=True)])
    edits = read_edits(made.save())
    assert [e.speed for e in edits.edits] == [2, Fraction(1, 3), 0, -1, Fraction(1, 2), Fraction(5, 2)]
    assert [(e.source_start, e.source_end) for e in edits.edits] == [
        (10, 110), (10, 40), (10, 11), (10, 30), (10, 25), (10, 60)
    ]  # fmt: skip
    assert [(item.what, item.lost) for item in edits.log] == [("changing speed taken as its mean", True)]


def test_scopes_are_tracks_and_their_references_holes(tmp_path: Path) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    a, b = made.source("A", R24, 0), made.source("B", R24, 0)
    scope = made.file.create.NestedScope("picture", 100)
    low = made.sequence([made.clip(a, 0, 100)])
    high = made.sequence([made.hole(30), made.clip(b, 5, 20), made.hole(50)])
    scope.slots.extend([low, high])
    made.reel.create_timeline_slot("24").segment = scope
    told = [(e.track, e.reel, e.record_start, e.record_end) for e in read_edits(made.save()).edits]
    assert told == [("V1", "A", 0, 100), ("V2", "B", 30, 50)]


def test_effects_muted_clips_and_nested_layers(tmp_path: Path) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    a, b = made.source("A", R24, 0), made.source("B", R24, 0)
    muted = made.file.create.Selector("picture", 10)
    muted["Selected"].value = made.hole(10)
    muted["Alternates"].append(made.clip(a, 0, 10))
    blurred = made.group("Blur", 20, [made.clip(a, 100, 20)])
    low = made.sequence([made.clip(a, 200, 30)])
    high = made.sequence([made.hole(10), made.clip(b, 0, 5), made.hole(15)])
    layered = made.group("Submaster", 30, [low, high], inputs=-1)
    made.track([muted, blurred, layered])
    edits = read_edits(made.save())
    assert [(e.reel, e.record_start, e.record_end, e.source_start) for e in edits.edits] == [
        ("A", 10, 30, 100), ("A", 30, 40, 200), ("B", 40, 45, 0), ("A", 45, 60, 215)
    ]  # fmt: skip
    assert {item.what for item in edits.log} == {
        "disabled clip left out", "effect 'Blur' left out", "effect 'Submaster' left out",
        "nested composition flattened",
    }  # fmt: skip


def test_a_subclip_and_a_sequence_inside_the_sequence(tmp_path: Path) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    a, b = made.source("A", R24, 1000), made.source("B", R24, 5000)
    inner = []
    for name, items in (("sub", [made.clip(a, 50, 40)]), ("nest", [made.clip(a, 0, 20), made.clip(b, 0, 60)])):
        mob = made.file.create.CompositionMob(name)
        made.file.content.mobs.append(mob)
        mob.create_timeline_slot("24").segment = made.sequence(items)
        inner.append(mob)
    made.track([inner[0].create_source_clip(1, start=10, length=20), inner[1].create_source_clip(1, 30, 20)])
    edits = read_edits(made.save())
    assert [(e.reel, e.clip, e.source_start) for e in edits.edits] == [("A", "sub", 1060), ("B", "nest", 5010)]
    assert [item.what for item in edits.log] == ["nested sequence taken as one shot"]


def test_the_first_top_level_sequence_and_the_count_that_fits(tmp_path: Path) -> None:
    """Media Composer writes several counts beside each other; that of the picture is the one."""
    made = Aaf(tmp_path / "x.aaf", R24, 0, code=False)
    made.timecode(made.reel, R24, 90_000, labels=25)
    made.timecode(made.reel, R24, 86_400)
    made.track([made.clip(made.source("A", R24, 0), 0, 48)])
    other = made.file.create.CompositionMob("second")
    other.usage = "Usage_TopLevel"
    made.file.content.mobs.append(other)
    other.create_timeline_slot("24").segment = made.sequence([made.gap(5)])
    edits = read_edits(made.save())
    assert (edits.title, edits.edits[0].record_start) == ("reel 3", 86_400)
    assert [(item.what, item.lost) for item in edits.log] == [("further sequences left out", True)]


def test_no_timecode_is_told(tmp_path: Path) -> None:
    rate = FrameRate.parse("29.97ndf")
    made = Aaf(tmp_path / "x.aaf", rate, 0, code=False)
    made.track([made.clip(made.source("A", rate, 0), 0, 48)])
    path = made.save()
    assert read_edits(path).rate == rate
    assert read_edits(path, "29.97df").rate == FrameRate.parse("29.97df")  # the file does not tell the count
    assert [item.where for item in read_edits(path).log] == ["timecode"]


def test_markers_have_the_nearest_colour_by_name(tmp_path: Path) -> None:
    colors = {
        "red": (41471, 12134, 6564), "green": (13107, 52428, 13107), "yellow": (58981, 58981, 6553),
        "black": (0, 0, 900), "white": (65535, 65535, 60000),
    }  # fmt: skip
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    made.track([made.gap(100)])
    marks = [(k, name, dict(zip(("red", "green", "blue"), rgb, strict=True)), None)
             for k, (name, rgb) in enumerate(colors.items())]  # fmt: skip
    made.markers(*marks)
    assert [(m.text, m.color) for m in read_edits(made.save()).markers] == [(name, name) for name in colors]


# -- without the package, and files that are none --------------------------------------------------------------------


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aaf2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'rescore-music\[aaf\]'") as problem:
        read_edits(tmp_path / "x.aaf")
    assert "\n" not in problem.value.message


def test_the_command_says_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cue = Path(__file__).parents[2] / "samples" / "hero_theme.mid"
    path = tmp_path / "x.aaf"
    whole = written(EditList("x", R24, (Edit(0, 48, 100_000, 100_048, "A"),)), tmp_path / "whole.aaf").read_bytes()
    for data, words in [
        (b"nothing", "this is no AAF file"),
        (b"", "the file is empty"),
        (whole[:20_000], "not a sound AAF file"),
        (whole[:512] + bytes(len(whole) - 512), "AAF file"),
    ]:
        path.write_bytes(data)
        with pytest.raises(SystemExit) as ended:
            main(["sync", str(cue), "--cues", str(path), "-o", str(tmp_path / "out.mid")])
        assert ended.value.code == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 1, said
        assert said[0].startswith(f"error: {path}: ")
        assert words in said[0]
    for place, words in ((tmp_path, "folder"), (tmp_path / "none.aaf", "no such file"), (Path("/dev/zero.aaf"), "no")):
        with pytest.raises(ReadError, match=words):
            read_edits(place.with_suffix(".aaf") if place != tmp_path else _folder(tmp_path))


def _folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder.aaf"
    path.mkdir(exist_ok=True)
    return path


def test_mutated_files_are_lists_or_one_line(tmp_path: Path) -> None:
    rng = random.Random(6)
    mark = (PictureMarker(30, "m"),)
    shots = (Edit(0, 48, 100_000, 100_048, "A"), Edit(48, 96, 100_000, 100_096, "B", speed=2))
    whole = written(EditList("x", R24, shots, mark), tmp_path / "whole.aaf").read_bytes()
    path, read = tmp_path / "x.aaf", 0
    for k in range(40):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 60)):  # half of them where the file's own tables are
            data[rng.randrange(8, 6000 if k % 2 else len(data))] = rng.choice((0, 1, 255, rng.randrange(256)))
        path.write_bytes(data[: rng.randrange(len(data))] if k % 10 == 9 else data)
        try:
            read_edits(path)
            read += 1
        except RescoreError as error:
            line = str(error)
            assert line.startswith(str(path))
            assert "\n" not in line
            assert len(line) <= LONGEST
    assert 0 < read < 40


def test_a_sequence_that_holds_itself_and_one_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Aaf(tmp_path / "x.aaf", R24, 0)
    itself = made.clip(made.source("A", R24, 0), 0, 20)
    itself.mob_id, itself.slot_id = made.reel.mob_id, 2  # the slot that it stands in
    made.track([itself])
    edits = read_edits(made.save())
    assert [(e.record_start, e.record_end) for e in edits.edits] == [(0, 20)]
    deep = Aaf(tmp_path / "deep.aaf", R24, 0)
    item = deep.clip(deep.source("A", R24, 0), 0, 10)
    for _ in range(limits.EDIT_DEPTH + 2):
        item = deep.group("Blur", 10, [item])
    deep.track([item])
    with pytest.raises(ReadError, match="nested more than"):
        read_edits(deep.save())
    sparse = tmp_path / "large.aaf"
    with sparse.open("wb") as file:
        file.write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
        file.truncate(limits.AAF_BYTES + 1)
    with pytest.raises(ReadError, match="larger than 1,024 MiB"):
        read_edits(sparse)


def test_time_and_memory_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rescore_music.io.picture import aaf

    path = written(EditList("x", R24, (Edit(0, 48, 100_000, 100_048, "A"),)), tmp_path / "x.aaf")
    assert read_edits(path).edits
    monkeypatch.setattr(aaf, "AAF_SECONDS_CLOCK", 0.001)
    with pytest.raises(ReadError, match=r"time limit.*without media inside"):
        read_edits(path)
    monkeypatch.undo()
    assert read_edits(path).edits  # a new process takes the place of the one that was ended
