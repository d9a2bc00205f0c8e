"""The video with its new score: the picture bit for bit, the sound on its sample."""

from __future__ import annotations

import logging
from fractions import Fraction

import av
import clips
import numpy as np
import pytest

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import ReadError, WriteError
from rescore_music.io.wav import read_audio, write_audio
from rescore_music.stage.mux import mux
from rescore_music.timecode import RATES, Timecode

FILM = Fraction(24000, 1001)


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_nine_rates_picture_bit_for_bit_and_sound_on_its_sample(tmp_path, rate, suffix):
    label = Timecode.parse("01:00:59:20", rate).label
    video = clips.draw(tmp_path / "in.mp4", rate.fps, 30, timecode=label)
    sound = Audio(clips.bursts(48000, 1.7, (0, 0.4, 1.5)), 48000)
    out = mux(video, sound, tmp_path / f"out{suffix}")
    assert clips.packets(out) == clips.packets(video)
    back, hz = clips.heard(out)
    assert hz == 48000
    assert len(back) - len(sound.samples) in (0, -len(sound.samples) % 1024)
    assert clips.lag(back[:, 0], sound.samples[:, 0]) == 0
    if suffix == ".mov":
        assert np.abs(back - sound.samples).max() <= 2**-24
    with av.open(str(out)) as file:
        assert file.streams.video[0].average_rate == rate.fps
        assert file.streams.video[0].metadata["timecode"] == label


def test_pcm_is_the_wav_sample_for_sample(tmp_path):
    video = clips.draw(tmp_path / "in.mov", FILM)
    samples = np.random.default_rng(1).uniform(-1, 1, (70001, 2)).astype(np.float32)
    wav = write_audio(Audio(samples, 44100), tmp_path / "a.wav")
    back, hz = clips.heard(mux(video, wav, tmp_path / "out.mov"))
    assert hz == 44100
    assert np.array_equal(back, read_audio(wav).samples.astype(np.float64))


@pytest.mark.parametrize("at", [Fraction(1001, 24000), 0.25, Fraction(-1, 10)])
@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_the_sound_starts_where_it_is_told(tmp_path, at, suffix, caplog):
    video = clips.draw(tmp_path / "in.mp4", FILM)
    samples = clips.bursts(48000, 1.0, (0.3, 0.7), channels=1)
    with caplog.at_level(logging.WARNING):
        back, _ = clips.heard(mux(video, Audio(samples), tmp_path / f"out{suffix}", at=at))
    assert clips.lag(back[:, 0], samples[:, 0]) == round(at * 48000)
    assert ("cut off" in caplog.text) == (at < 0)


def test_a_varying_frame_rate_keeps_its_times(tmp_path):
    steps = [0, 1, 2, 6, 7, 15, 16, 17, 30, 31]
    video = clips.draw(tmp_path / "in.mp4", Fraction(30), len(steps), steps=steps)
    times = [time for _, time in clips.packets(video)]
    out = mux(video, Audio(clips.bursts(48000, 1.0, (0.5,))), tmp_path / "out.mov")
    assert [time for _, time in clips.packets(out)] == times
    assert sorted(times) == [Fraction(step, 30) for step in steps]


@pytest.mark.parametrize(("name", "codec"), [("in.avi", "mpeg4"), ("in.mkv", "libx264"), ("in.mov", "prores_ks")])
def test_other_containers_start_at_the_first_picture(tmp_path, name, codec):
    pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    video = clips.draw(tmp_path / name, Fraction(25), codec=codec, pix_fmt=pix_fmt)
    out = mux(video, Audio(clips.bursts(48000, 1.0, (0.5,))), tmp_path / "out.mov")
    before, after = clips.packets(video), clips.packets(out)
    assert [data for data, _ in after] == [data for data, _ in before]
    assert sorted(time for _, time in after) == [Fraction(k, 25) for k in range(40)]


def test_the_old_sound_is_left_out_and_a_rendering_gives_its_mix(tmp_path, caplog):
    video = clips.draw(tmp_path / "in.mp4", FILM, sound=True)
    samples = clips.bursts(48000, 1.0, (0.2,))
    with caplog.at_level(logging.INFO):
        out = mux(video, Rendering(samples, {"all": samples}), tmp_path / "out.mov", timecode=Timecode(86400, RATES[0]))
    assert "left out" in caplog.text
    with av.open(str(out)) as file:
        assert len(file.streams.audio) == 1
        assert file.streams.video[0].metadata["timecode"] == "01:00:00:00"
    assert np.array_equal(clips.heard(out)[0], np.rint(samples.astype(np.float64) * 2**23) / 2**23)


@pytest.mark.parametrize("decibels", [0.0, -6.0])
def test_the_old_sound_stays_under_the_score_where_it_was(tmp_path, decibels):
    video = clips.draw(tmp_path / "in.mp4", FILM, sound=True)
    old, _ = clips.heard(video)
    samples = clips.bursts(48000, 0.5, (0.1, 0.3)) * np.float32(0.5)
    back, hz = clips.heard(mux(video, Audio(samples), tmp_path / "out.mov", own=decibels))
    assert hz == 48000
    assert len(back) == len(old)
    meant = old * 10 ** (decibels / 20)
    meant[: len(samples)] += samples
    assert np.abs(back - meant).max() < 2**-22
    silent = clips.draw(tmp_path / "silent.mp4", FILM)
    back, _ = clips.heard(mux(silent, Audio(samples), tmp_path / "out.mov", own=decibels))
    assert np.abs(back - samples).max() <= 2**-24
    mono = Audio(samples[:, :1], 44100)  # the video's own sound follows the score's rate
    back, hz = clips.heard(mux(video, mono, tmp_path / "out.mov", own=decibels))
    assert hz == 44100
    assert back.shape == (pytest.approx(len(old) * 44100 / 48000, abs=64), 2)


def test_refusals_are_one_line_and_leave_nothing(tmp_path):
    video = clips.draw(tmp_path / "in.mov", FILM, 5, codec="prores_ks", pix_fmt="yuv422p10le")
    sound = Audio(clips.bursts(48000, 0.2, (0.1,)))
    (tmp_path / "text.mp4").write_text("no video at all")
    write_audio(sound, tmp_path / "a.wav")
    before = sorted(tmp_path.iterdir())
    for source, heard, out, error in (
        (video, sound, "out.avi", WriteError),
        (video, sound, "out.mp4", WriteError),  # ProRes has no place in .mp4
        (video, Audio(sound.samples, 47999), "out.mp4", WriteError),
        (video, Audio(np.zeros((0, 2))), "out.mov", WriteError),
        (video, Audio(np.zeros((9, 6))), "out.mov", WriteError),
        (video, sound, "nowhere/out.mov", WriteError),
        (tmp_path / "text.mp4", sound, "out.mov", ReadError),
        (tmp_path / "a.wav", sound, "out.mov", ReadError),
        (tmp_path / "absent.mp4", sound, "out.mov", ReadError),
        (video, tmp_path / "absent.wav", "out.mov", ReadError),
    ):
        with pytest.raises(error) as caught:
            mux(source, heard, tmp_path / out)
        assert len(str(caught.value).splitlines()) == 1
        assert ".part" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before
