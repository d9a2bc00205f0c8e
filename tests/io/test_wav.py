"""Sound files: the same samples and the same bytes, or one true line."""

from __future__ import annotations

import logging
import time

import numpy as np
import pytest

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import ReadError, WriteError
from rescore_music.io.wav import read_audio, write_audio


def noise(channels=2, frames=4801):
    return np.random.default_rng(5).uniform(-0.9, 0.9, (frames, channels)).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "subtype", "error"),
    [
        (".wav", "PCM_24", 2**-23),
        (".wav", "PCM_16", 2**-15),
        (".wav", "FLOAT", 0),
        (".flac", "PCM_24", 2**-23),
        (".aiff", "PCM_24", 2**-23),
        (".WAV", "PCM_24", 2**-23),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_round_trip(tmp_path, suffix, subtype, error, channels):
    sound = Audio(noise(channels), 44100)
    path = write_audio(sound, tmp_path / f"a{suffix}", subtype=subtype)
    back = read_audio(path)
    assert back.rate == 44100
    assert back.samples.shape == (4801, channels)
    assert np.max(np.abs(back.samples - sound.samples)) <= error


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_same_sound_same_bytes(tmp_path, subtype):
    sound = Audio(noise())
    first = write_audio(sound, tmp_path / "a.wav", subtype=subtype).read_bytes()
    time.sleep(1.1)  # a time stamp would have moved on
    assert write_audio(sound, tmp_path / "b.wav", subtype=subtype).read_bytes() == first


def test_a_rendering_gives_its_mix(tmp_path):
    samples = noise()
    path = write_audio(Rendering(samples, {"all": samples}, 32000), tmp_path / "mix.wav")
    back = read_audio(path)
    assert back.rate == 32000
    assert np.allclose(back.samples, samples, atol=2**-23)


def test_peaks_over_full_scale_are_clipped_and_told(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        back = read_audio(write_audio(Audio(noise() * 2), tmp_path / "a.wav"))
    assert np.max(np.abs(back.samples)) <= 1.0
    assert np.min(back.samples) == pytest.approx(-1.0)
    assert "dB over full scale" in caplog.text


def test_empty_sound(tmp_path):
    assert read_audio(write_audio(Audio(np.zeros((0, 2))), tmp_path / "a.wav")).samples.shape == (0, 2)


def test_refusals(tmp_path):
    sound = Audio(noise())
    for name in ("a.mp3", "a", "nowhere/a.wav"):
        with pytest.raises(WriteError) as caught:
            write_audio(sound, tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(WriteError, match="FLOAT"):
        write_audio(sound, tmp_path / "a.flac", subtype="FLOAT")
    with pytest.raises(WriteError, match="no numbers"):
        write_audio(Audio(np.full((10, 2), np.nan)), tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.wav").write_text("no sound at all")
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("text.wav", "empty.wav", "absent.wav"):
        with pytest.raises(ReadError) as caught:
            read_audio(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ReadError):
        read_audio(tmp_path)
