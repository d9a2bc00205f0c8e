"""Sessions: where REAPER, a DAWproject and OTIO put music, markers, tempo and picture, reckoned anew from the files."""

from __future__ import annotations

import zipfile
from fractions import Fraction

import numpy as np
import opentimelineio as otio
import pytest
from cues_and_scores import bending, cue, spotting
from lxml import etree

from rescore_music.audio import Audio
from rescore_music.errors import WriteError
from rescore_music.io.picture import read_edits
from rescore_music.io.wav import write_audio
from rescore_music.score import METER
from rescore_music.stage.dawproject import EMBEDDED, write_dawproject
from rescore_music.stage.landings import landings
from rescore_music.stage.lead import lead_in
from rescore_music.stage.reaper import write_reaper
from rescore_music.stage.session import Item, Session, hit_places
from rescore_music.stage.timeline import write_timeline
from rescore_music.timecode import RATES, FrameRate, Timecode

FILM = FrameRate.parse("23.976")


def session(folder, rate=FILM, title="1m3 <Chase> & \"co\" 'x'", **changes):
    score = cue(tempo=bending())
    score = score.replace(
        meters=np.array([(0, 4, 4), (3840, 7, 8)], METER), barlines=np.array([0, 1920, 3840, 5520, 7200, 8880])
    )
    cues = spotting(rate)
    led = lead_in(score, rate)
    at = led.frames / rate.fps
    write_audio(Audio(np.zeros((4800, 1))), folder / "click.wav")
    (folder / "stems").mkdir(exist_ok=True)
    write_audio(Audio(np.full((96000, 2), 0.25)), folder / "stems" / "01-Flute.wav")
    sounds = (
        Item("Click", "click.wav", Fraction(0), Fraction(4800, 48000), 48000, 1),
        Item("Flute", "stems/01-Flute.wav", at, Fraction(2), 48000),
        Item("Mix", "mix.wav", at, Fraction(2), 48000, muted=True),
    )
    write_audio(Audio(np.full((96000, 2), 0.25)), folder / "mix.wav")
    video = Item("Picture", "picture.mov", Fraction(-48) / rate.fps, Fraction(480) / rate.fps, rate=0)
    places = hit_places(led, cues, landings(score, cues))
    return Session(title, led, cues.start, sounds, video, places, **changes), cues


def blocks(text: str) -> list:
    """A REAPER project as nested lists: [head, children ...]."""
    root: list = []
    stack = [root]
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("<"):
            stack[-1].append([line[1:]])
            stack.append(stack[-1][-1])
        elif line == ">":
            stack.pop()
        else:
            stack[-1].append(line)
    assert len(stack) == 1
    return root


def named(block: list, word: str) -> list:
    return [b for b in block if (b[0] if isinstance(b, list) else b).split()[0] == word]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_reaper_counts_the_same_bars_at_the_same_times(tmp_path, rate):
    made, cues = session(tmp_path, rate)
    log = write_reaper(made, tmp_path / "s.rpp")
    assert bool(log) == (rate.name == "59.94df")
    (project,) = blocks((tmp_path / "s.rpp").read_text())
    points = [line.split() for line in named(project, "TEMPOENVEX")[0] if line.startswith("PT ")]
    times, tempi = (np.array([float(p[k]) for p in points]) for k in (1, 2))
    quarters = np.concatenate([[0], np.cumsum(np.diff(times) * tempi[:-1] / 60)])
    score = made.led.score
    bars = score.seconds(score.bars[:-1])
    k = np.searchsorted(times, bars + 1e-9, side="right") - 1
    assert quarters[k] + (bars - times[k]) * tempi[k] / 60 == pytest.approx(score.bars[:-1] / 480, abs=1e-6)
    meters = {float(p[1]): (int(p[4]) & 0xFFFF, int(p[4]) >> 16) for p in points if len(p) > 4}
    assert list(meters.values()) == [(1, 4), (4, 4), (7, 8)]
    assert list(meters)[2] == pytest.approx(float(score.seconds(made.led.ticks + 3840)), abs=1e-9)
    offset = float(named(project, "PROJOFFS")[0].split()[1])
    assert offset + float(made.led.frames / rate.fps) == pytest.approx(float(cues.start.seconds), abs=1e-9)
    edits = read_edits(tmp_path / "s.rpp", rate)
    landed = [round(float(p.seconds + made.origin_seconds) * rate.fps) for p in made.places]
    assert [m.frame for m in edits.markers] == landed
    assert edits.markers[0].frame == cues.start.frame


def test_reaper_items_lie_where_they_should(tmp_path):
    made, _ = session(tmp_path)
    write_reaper(made, tmp_path / "s.rpp")
    (project,) = blocks((tmp_path / "s.rpp").read_text())
    found = {}
    for track in named(project, "TRACK"):
        (item,) = named(track, "ITEM")
        numbers = {word: float(named(item, word)[0].split()[1]) for word in ("POSITION", "LENGTH", "SOFFS")}
        (source,) = named(item, "SOURCE")
        found[named(track, "NAME")[0].split(" ", 1)[1]] = (numbers, source, named(track, "MUTESOLO")[0].split()[1])
    lead = float(made.led.frames / FILM.fps)
    assert found['"Flute"'][0] == {"POSITION": pytest.approx(lead, abs=1e-9), "LENGTH": 2.0, "SOFFS": 0.0}
    assert found['"Flute"'][1] == ["SOURCE WAVE", 'FILE "stems/01-Flute.wav"']
    assert (found['"Mix"'][2], found['"Flute"'][2]) == ("1", "0")
    levels = {named(t, "NAME")[0][6:-1]: named(t, "VOLPAN")[0].split()[1] for t in named(project, "TRACK")}
    assert levels == {"Click": "1", "Flute": "1", "Mix": "1", "Picture": "0"}
    picture, source, _ = found['"Picture"']
    assert source[0] == "SOURCE VIDEO"
    assert picture["POSITION"] == 0
    assert picture["SOFFS"] == pytest.approx(48 / float(FILM.fps), abs=1e-9)
    assert picture["LENGTH"] == pytest.approx(432 / float(FILM.fps), abs=1e-9)


def seconds_of(root, beats: float) -> float:
    """Time of a beat by a DAWproject's own tempo automation, which holds from point to point."""
    points = [(float(p.get("time")), float(p.get("value"))) for p in root.iterfind(".//TempoAutomation/RealPoint")]
    total = 0.0
    for (at, bpm), (end, _) in zip(points, [*points[1:], (1e9, 0.0)], strict=True):
        total += max(min(beats, end) - at, 0.0) * 60 / bpm
    return total


@pytest.mark.parametrize("rate", [FILM, FrameRate.parse("29.97df"), FrameRate.parse("25")], ids=str)
def test_dawproject_holds_music_markers_and_tempo(tmp_path, rate):
    made, _ = session(tmp_path, rate)
    log = write_dawproject(made, tmp_path / "s.dawproject")
    assert [(item.where, item.count) for item in log] == [("s.dawproject", 1)]
    with zipfile.ZipFile(tmp_path / "s.dawproject") as archive:
        assert archive.testzip() is None
        root = etree.fromstring(archive.read("project.xml"))
        told = etree.fromstring(archive.read("metadata.xml"))
        for item in made.sounds:
            assert archive.read(f"audio/{item.file}") == (tmp_path / item.file).read_bytes()
    assert told.findtext("Title") == made.title
    assert [child.tag for child in root] == ["Application", "Transport", "Structure", "Arrangement", "Scenes"]
    arrangement = root.find("Arrangement")
    order = ["Lanes", "Markers", "TempoAutomation", "TimeSignatureAutomation"]
    assert [child.tag for child in arrangement] == order
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    pointing = [e.get(name) for e in root.iter() for name in ("track", "destination", "parameter") if e.get(name)]
    assert pointing
    assert set(pointing) <= set(ids)
    lead = float(made.led.frames / rate.fps)
    clips = {clip.get("name"): clip for clip in root.iter("Clip")}
    for name, at, length in (("Click", 0.0, 0.1), ("Flute", lead, 2.0), ("Mix", lead, 2.0)):
        first = float(clips[name].get("time"))
        assert seconds_of(root, first) == pytest.approx(at, abs=1e-9)
        assert seconds_of(root, first + float(clips[name].get("duration"))) == pytest.approx(at + length, abs=1e-9)
        (audio,) = clips[name].iterfind("Audio")
        assert float(audio.get("duration")) == pytest.approx(length)
    video = clips["Picture"].find("Video/File")
    assert (video.get("path"), video.get("external")) == ("picture.mov", "true")
    marks = [(seconds_of(root, float(m.get("time"))), m.get("name")) for m in root.iter("Marker")]
    assert [name for _, name in marks] == [place.text for place in made.places]
    assert [at for at, _ in marks] == pytest.approx([place.seconds for place in made.places], abs=1e-9)
    meters = [(p.get("numerator"), p.get("denominator")) for p in root.iter("TimeSignaturePoint")]
    assert meters == [("1", "4"), ("4", "4"), ("7", "8")]
    mutes = {t.get("name"): t.find("Channel/Mute").get("value") for t in root.iter("Track")}
    assert (mutes["Mix"], mutes["Flute"]) == ("true", "false")
    levels = {t.get("name"): float(t.find("Channel/Volume").get("value")) for t in root.iter("Track")}
    assert levels == {"Click": 1, "Flute": 1, "Mix": 1, "Picture": 0, "Master": 1}


def test_dawproject_is_the_same_twice_and_leaves_large_sounds_outside(tmp_path, monkeypatch):
    made, _ = session(tmp_path)
    write_dawproject(made, tmp_path / "a.dawproject")
    write_dawproject(made, tmp_path / "b.dawproject")
    assert (tmp_path / "a.dawproject").read_bytes() == (tmp_path / "b.dawproject").read_bytes()
    assert EMBEDDED > 1 << 20
    monkeypatch.setattr("rescore_music.stage.dawproject.EMBEDDED", 1000)
    log = write_dawproject(made, tmp_path / "c.dawproject")
    assert [(item.where, item.count) for item in log] == [("c.dawproject", 4)]
    with zipfile.ZipFile(tmp_path / "c.dawproject") as archive:
        assert archive.namelist() == ["project.xml", "metadata.xml"]
        files = etree.fromstring(archive.read("project.xml")).iter("File")
        assert all((tmp_path / f.get("path")).exists() or f.get("path") == "picture.mov" for f in files)
    (tmp_path / "mix.wav").unlink()
    with pytest.raises(WriteError, match=r"mix\.wav"):
        write_dawproject(made, tmp_path / "d.dawproject")
    assert not (tmp_path / "d.dawproject").exists()


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_timeline_has_sounds_and_hits_on_their_frames(tmp_path, rate):
    made, cues = session(tmp_path, rate)
    write_timeline(made, cues, tmp_path / "s.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "s.otio"))
    first = timeline.global_start_time.to_frames()
    assert first == cues.start.frame - made.led.frames - 48  # the picture begins two seconds before the session
    stack = timeline.tracks
    assert [first + round(m.marked_range.start_time.value) for m in stack.markers] == [h.frame for h in cues.hits]
    clips = {clip.name: clip for clip in timeline.find_clips()}
    for name, start in (("Picture", first), ("Click", first + 48), ("Flute", cues.start.frame)):
        place = clips[name].transformed_time_range(clips[name].source_range, stack)
        assert first + round(place.start_time.value) == start
        assert round(clips[name].source_range.start_time.value) == start
    sound = clips["Flute"].media_reference.available_range
    assert (sound.start_time.value, sound.start_time.rate) == (round(cues.start.seconds * 48000), 48000)
    assert sound.duration.value == 96000
    edits = read_edits(tmp_path / "s.otio", rate)
    assert [m.frame for m in edits.markers] == [h.frame for h in cues.hits]


@pytest.mark.parametrize(("pickup", "first"), [(0, 1), (480, 0)])
def test_reapers_bar_1_is_the_printed_one(tmp_path, pickup, first):
    score, rate = cue(meter=(3, 4), pickup=pickup), FILM
    cues = spotting(rate, (0, 48))
    led = lead_in(score, rate, 2)
    made = Session("", led, cues.start, (), None, hit_places(led, cues, landings(score, cues)))
    write_reaper(made, tmp_path / "s.rpp")
    (project,) = blocks((tmp_path / "s.rpp").read_text())
    shift = int(named(project, "PROJOFFS")[0].split()[2])
    bars = int(np.searchsorted(led.score.bars, led.ticks, side="right"))  # the ruler's number without the shift
    assert bars + shift == first == led.first


def test_a_session_before_midnight_keeps_its_lengths(tmp_path):
    score, rate = cue(), FILM
    cues = spotting(rate, (0, 48), "00:00:00:00")
    led = lead_in(score, rate)
    made = Session("", led, Timecode(0, rate), (), None, hit_places(led, cues, landings(score, cues)))
    write_reaper(made, tmp_path / "s.rpp")
    assert f"PROJOFFS -{float(led.frames / rate.fps):.3f}"[:14] in (tmp_path / "s.rpp").read_text()
    write_timeline(made, cues, tmp_path / "s.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "s.otio"))
    assert timeline.global_start_time.to_frames() == 24 * rate.frames_per_hour - led.frames
    assert [round(m.marked_range.start_time.value) for m in timeline.tracks.markers] == [led.frames, led.frames + 48]
