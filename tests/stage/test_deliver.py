"""The whole delivery: every file there, true and the same twice; failures leave nothing; the command."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from fractions import Fraction

import av
import clips
import mido
import numpy as np
import pytest
from cues_and_scores import bending, cue, spotting
from lxml import html
from wavinfo import WavInfoReader

from rescore_music.audio import Audio, Rendering
from rescore_music.cli import main
from rescore_music.cues import Cues, Hit
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io import read_score, write_score
from rescore_music.io.spotting import write_cues
from rescore_music.io.wav import read_audio, write_audio
from rescore_music.score import Metadata
from rescore_music.stage.cuesheet import COLUMNS, cue_csv, cue_page, cue_rows
from rescore_music.stage.deliver import stage_cue
from rescore_music.stage.folder import read_rescored
from rescore_music.stage.landings import landings
from rescore_music.stage.settings import StageSettings
from rescore_music.syncing.result import Passage, Skipped
from rescore_music.timecode import FrameRate, Timecode

FILM = FrameRate.parse("23.976")
ALL = {
    "score.mid", "session.mid", "click.mid", "click.wav", "mix.wav", "stems", "score.musicxml", "score.pdf",
    "cue_sheet.csv", "cue_sheet.html", "session.rpp", "session.dawproject", "session.otio", "picture.mov",
    "streamers.mp4",
}  # fmt: skip


def piece():
    score = cue(bars=2, tempo=bending()).replace(metadata=Metadata(title="1m3 Chase"))
    samples = clips.bursts(48000, 5.2, (0.0, 1.5, 4.0))
    return score, Rendering(samples, {"Flute": samples * 0.5, "Horn in F♯/G": samples * 0.5})


def video(folder, label="00:59:59:00", pictures=120):
    return clips.draw(folder / "clip.mp4", FILM.fps, pictures, timecode=label)


def content(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_everything_is_there_true_and_the_same_twice(tmp_path):
    score, sound = piece()
    cues, clip = spotting(FILM, (0, 36, 90)), video(tmp_path)
    staged = stage_cue(score, cues, tmp_path / "a", rendering=sound, video=clip)
    assert set(staged.files) == {p.name for p in (tmp_path / "a").iterdir()} == ALL
    stage_cue(score, cues, tmp_path / "b", rendering=sound, video=clip)
    first, second = content(tmp_path / "a"), content(tmp_path / "b")
    assert [name for name in first if first[name] != second[name]] == []
    stage_cue(score, cues, tmp_path / "b", rendering=sound, video=clip)  # over what is there
    assert content(tmp_path / "b").keys() == second.keys()
    for name, start in (("mix.wav", cues.start), ("click.wav", staged.led.origin(cues.start))):
        read = WavInfoReader(str(tmp_path / "a" / name))
        assert read.bext.time_reference == round(start.seconds * 48000)
    marks = WavInfoReader(str(tmp_path / "a" / "mix.wav")).cues
    exact = [round(float(score.seconds(hit.tick)) * 48000) for hit in staged.hits]
    assert [c.position for c in marks.cues] == exact
    stems = sorted((tmp_path / "a" / "stems").iterdir())
    assert [p.name for p in stems] == ["01-Flute.wav", "02-Horn-in-F-G.wav"]
    mixed = sum(read_audio(p).samples.astype(float) for p in stems)
    assert np.abs(mixed - read_audio(tmp_path / "a" / "mix.wav").samples).max() < 2**-21
    for name in ("picture.mov", "streamers.mp4"):
        back, _ = clips.heard(tmp_path / "a" / name)
        assert clips.lag(back[:, 0], np.asarray(sound.mix[:, 0], float)) == round(24 / FILM.fps * 48000)
    assert clips.packets(tmp_path / "a" / "picture.mov") == clips.packets(clip)


def test_midi_hits_and_markers_by_mido(tmp_path):
    score, _ = piece()
    cues = spotting(FILM, (0, 36, 90))
    staged = stage_cue(score, cues, tmp_path / "a", settings=StageSettings(pages=False))
    assert set(staged.files) == ALL - {"mix.wav", "stems", "score.pdf", "picture.mov", "streamers.mp4"}
    for name, start, lead in (
        ("score.mid", cues.start, 0),
        ("session.mid", staged.led.origin(cues.start), staged.led.frames),
    ):
        file = mido.MidiFile(tmp_path / "a" / name)
        tempo, now, marks, offset = 500000, Fraction(0), [], None
        for message in file.tracks[0]:
            now += Fraction(message.time * tempo, file.ticks_per_beat * 1_000_000)
            if message.type == "set_tempo":
                tempo = message.tempo
            elif message.type == "marker":
                marks.append(float(now))
            elif message.type == "smpte_offset":
                offset = f"{message.hours:02d}:{message.minutes:02d}:{message.seconds:02d}:{message.frames:02d}"
        exact = [float(score.seconds(hit.tick)) + float(lead / FILM.fps) for hit in staged.hits]
        assert np.abs(np.array(marks) - exact).max() * 24 < 1e-4
        assert offset == start.label
    names = [t.name for t in mido.MidiFile(tmp_path / "a" / "session.mid").tracks]
    assert "Click" in names


def test_the_written_score_has_hits_and_timecode(tmp_path):
    score, _ = piece()
    stage_cue(score, spotting(FILM, (0, 36)), tmp_path / "a", settings=StageSettings(pages=False))
    texts = [m.text for m in read_score(tmp_path / "a" / "score.musicxml").marks]
    assert any("hit 2" in text and "01:00:01:12" in text for text in texts)


def test_a_video_that_is_unsure_is_told(tmp_path):
    score, sound = piece()
    clip = clips.draw(tmp_path / "bare.mp4", Fraction(25), 50)
    asked = StageSettings(pages=False)
    staged = stage_cue(score, spotting(FILM), tmp_path / "a", rendering=sound, video=clip, settings=asked)
    told = " ".join(item.what for item in staged.log)
    assert "no timecode" in told
    assert "25.000 pictures" in told
    start = Timecode.parse("00:59:58:12", FILM)
    clip = video(tmp_path, "")
    stage_cue(score, spotting(FILM), tmp_path / "b", rendering=sound, video=clip, picture_start=start, settings=asked)
    with av.open(str(tmp_path / "b" / "streamers.mp4")) as file:
        assert file.streams.video[0].metadata["timecode"] == "00:59:58:12"
    back, _ = clips.heard(tmp_path / "b" / "streamers.mp4")
    assert clips.lag(back[:, 0], np.asarray(sound.mix[:, 0], float)) == round(36 / FILM.fps * 48000)


def test_the_videos_own_sound_is_told_or_kept(tmp_path):
    score, sound = piece()
    clip = clips.draw(tmp_path / "clip.mp4", FILM.fps, 40, timecode="01:00:00:00", sound=True)
    old, _ = clips.heard(clip)
    asked = StageSettings(pages=False)
    staged = stage_cue(score, spotting(FILM), tmp_path / "a", rendering=sound, video=clip, settings=asked)
    assert any("own sound is left out" in item.what for item in staged.log)
    asked = StageSettings(pages=False, own=-3.0)
    staged = stage_cue(score, spotting(FILM), tmp_path / "b", rendering=sound, video=clip, settings=asked)
    assert not any("own sound" in item.what for item in staged.log)
    back, _ = clips.heard(tmp_path / "b" / "picture.mov")
    meant = np.asarray(sound.mix, float).copy()
    meant[: len(old)] += old * 10 ** (-3 / 20)
    assert np.abs(back - meant).max() < 2**-21
    staged = stage_cue(score, spotting(FILM), tmp_path / "c", video=clip, settings=asked)
    assert set(staged.files) == ALL - {"mix.wav", "stems", "score.pdf", "picture.mov"}
    alone, _ = clips.heard(tmp_path / "c" / "streamers.mp4")
    assert clips.lag(alone[:, 0], old[:, 0]) == 0


@pytest.mark.parametrize("bad", ["text", "drop"])
def test_a_failure_leaves_nothing(tmp_path, bad):
    score, sound = piece()
    clip = tmp_path / "clip.mp4"
    if bad == "text":
        clip.write_text("no video")
    else:
        clips.draw(clip, Fraction(30000, 1001), 10, timecode="01:00:00;00")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    with pytest.raises(RescoreError) as caught:
        stage_cue(
            score, spotting(FILM), tmp_path / "a", rendering=sound, video=clip, settings=StageSettings(pages=False)
        )
    assert len(str(caught.value).splitlines()) == 1
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["notes.txt"]


def test_the_cue_sheet_says_what_is_and_hurts_no_page():
    score, _ = piece()
    first = Timecode.parse("01:00:00;00", "29.97df")
    nasty = '<script>alert(1)</script> "quoted", =SUM(A1)'
    hits = (Hit(first.frame + 10, nasty, lands="eighth"), Hit(first.frame + 60, "soft", kind="soft"))
    cues = Cues(first.rate, first, hits)
    found = landings(score, cues)
    rows = cue_rows(score, cues, found)
    assert tuple(rows[0]) == COLUMNS
    table = list(csv.DictReader(io.StringIO(cue_csv(rows))))
    assert table == rows
    assert table[0]["label"] == nasty
    for row, hit in zip(table, found, strict=True):
        assert float(row["residual_frames"]) == pytest.approx(hit.residual_frames, abs=5e-5)
        assert float(row["residual_ms"]) == pytest.approx(hit.residual_frames / 29.97 * 1000, abs=0.02)
        shown = Timecode.parse(row["music"], first.rate).frame - Timecode.parse(row["timecode"], first.rate).frame
        assert abs(shown - hit.residual_frames) <= 0.5
    page = html.fromstring(cue_page(score, cues, found, skipped=(Skipped("late", "01:09:00;00", "no music there"),)))
    assert not page.xpath("//script | //link | //*[@src]")
    assert page.xpath("//tr/td[@class='l']/text()") == [nasty, "soft"]
    assert "no music there" in page.text_content()
    bars = page.xpath("//h2[text()='Bars']/following-sibling::table//td[@class='t']/text()")
    assert next(text for text in bars if text.strip()) == "01:00:00;00"
    assert cue_page(score, Cues(first.rate, first), ()).count("0 of 0") == 1


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(w) for w in words])
    return int(stopped.value.code or 0)


def test_the_command_stages_a_cue_and_a_folder(tmp_path, capsys):
    score, sound = piece()
    cues = spotting(FILM, (0, 36, 90))
    write_score(score, tmp_path / "cue.mid")
    write_cues(cues, tmp_path / "hits.csv")
    asked = ("--cues", tmp_path / "hits.csv", "--rate", "23.976", "--start", "01:00:00:00", "--no-pages", "-q")
    code = run(
        "stage", tmp_path / "cue.mid", *asked, "--as-it-is", "--no-audio", "-o", tmp_path / "a", "--free-bars", 1
    )
    said = capsys.readouterr()
    assert code == 0
    assert "hits land; the session begins at 00:59:5" in said.out
    assert "SMPTE offset" in said.err
    folder = tmp_path / "rescored"
    (folder / "stems").mkdir(parents=True)
    write_score(score, folder / "score.mid")
    write_audio(sound, folder / "mix.wav")
    names = list(sound.stems)
    for number, name in enumerate(names, 1):
        write_audio(Audio(sound.stems[name]), folder / "stems" / f"{number:02d}-x.wav")
    found = landings(score, cues)
    passage = Passage("dialogue", "talk", "01:00:00:10", "01:00:01:10", 0, 960, 1, 1.0, 1, 3.0, 2, "keep it thin")
    sync = {
        "hits": [asdict(hit) for hit in found],
        "skipped": [],
        "passages": [asdict(passage)],
        "edits": ["bar 3 twice"],
        "start": "00:59:59:20",  # syncing moved it by four frames
    }
    told = {"sync": sync, "audio": {"stems": names}}
    (folder / "report.json").write_text(json.dumps(told))
    assert read_rescored(folder).hits == found
    assert list(read_rescored(folder).rendering.stems) == names
    assert read_rescored(folder).remarks == ("bar 3 twice", str(passage))
    clip = video(tmp_path)
    assert run("stage", folder, *asked, "--video", clip, "-o", tmp_path / "b", "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value["files"]) == ALL - {"score.pdf"}
    assert [hit["tick"] for hit in value["hits"]] == [hit.tick for hit in found]
    assert value["session_start"].startswith("00:59:5")
    moved = Timecode.parse("00:59:59:20", FILM)
    reference = WavInfoReader(value["files"]["mix.wav"]).bext.time_reference
    assert reference == round(moved.seconds * 48000)
    assert "keep it thin" in (tmp_path / "b" / "cue_sheet.html").read_text()
    assert run("stage", tmp_path, *asked, "-o", tmp_path / "c") == 2
    assert run("stage", folder, *asked, "--video", tmp_path / "none.mp4", "-o", tmp_path / "c") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert all(line.startswith("error: ") for line in errors)
    (folder / "report.json").write_text('{"sync": []}')
    with pytest.raises(ReadError, match="report"):
        read_rescored(folder)
