"""Damaged videos and missing packages: a file or one line, never anything else."""

from __future__ import annotations

import sys
from fractions import Fraction

import clips
import numpy as np
import pytest
from cues_and_scores import cue, spotting

from rescore_music.audio import Audio
from rescore_music.errors import MissingExtra, RescoreError
from rescore_music.stage.burn import burn
from rescore_music.stage.deliver import stage_cue
from rescore_music.stage.mux import mux
from rescore_music.stage.settings import StageSettings
from rescore_music.stage.streamers import Overlay
from rescore_music.timecode import FrameRate, Timecode

RATE = FrameRate.parse("24")
SOUND = Audio(clips.bursts(48000, 0.3, (0.1,)))


@pytest.mark.parametrize("kind", ["cut", "flipped"])
def test_damaged_videos_are_a_file_or_one_line(tmp_path, kind):
    whole = clips.draw(tmp_path / "in.mp4", Fraction(24), 12, timecode="01:00:00:00", sound=True).read_bytes()
    rng, video = np.random.default_rng(11), tmp_path / "damaged.mp4"
    (tmp_path / "in.mp4").unlink()
    refused: list[str] = []
    for _ in range(25):
        data = bytearray(whole)
        if kind == "cut":
            del data[int(rng.integers(1, len(data))) :]
        else:
            for place in rng.integers(0, len(data), 12):
                data[int(place)] = int(rng.integers(256))
        video.write_bytes(data)
        for work in (
            lambda: mux(video, SOUND, tmp_path / "out.mov", own=0.0),
            lambda: burn(video, Overlay(RATE), tmp_path / "out.mp4", first=Timecode(0, RATE), audio=SOUND),
        ):
            try:
                work()
            except RescoreError as error:
                refused.append(error.message)
    assert refused
    assert not [line for line in refused if ".part" in line or len(line.splitlines()) != 1]
    assert {p.name for p in tmp_path.iterdir()} <= {"damaged.mp4", "out.mov", "out.mp4"}


def test_without_the_extra_all_but_the_video_is_written(tmp_path, monkeypatch):
    video = clips.draw(tmp_path / "in.mp4", Fraction(24), 5)
    for name in ("av", "opentimelineio"):
        monkeypatch.setitem(sys.modules, name, None)
    asked = StageSettings(pages=False)
    staged = stage_cue(cue(bars=1), spotting(RATE, (0, 20)), tmp_path / "a", settings=asked)
    assert {"score.mid", "click.wav", "session.rpp", "session.dawproject", "cue_sheet.html"} <= set(staged.files)
    assert [item.where for item in staged.log] == ["session.otio"]
    with pytest.raises(MissingExtra, match="picture"):
        stage_cue(cue(bars=1), spotting(RATE, (0, 20)), tmp_path / "b", video=video, settings=asked)
    assert not (tmp_path / "b").exists()
    with pytest.raises(MissingExtra, match="picture"):
        mux(video, SOUND, tmp_path / "o.mov")
