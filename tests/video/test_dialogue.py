"""Dialogue and silence: talk is found where it is, music and noise are not talk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from films import pan

import rescore_music as rm
from rescore_music.video.dialogue import Listener
from rescore_music.video.reading import SOUND_RATE

RATE = 48000


def talk(seconds: float, rate: int, seed: int = 1) -> np.ndarray:
    """Syllables of vowels (pulses through two moving resonances) and hiss, four a second."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    t = np.arange(n) / rate
    pitch = 130 * (1 + 0.15 * np.sin(2 * np.pi * 0.4 * t) + 0.05 * np.sin(2 * np.pi * 2.3 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    first, second = 500 + 250 * np.sin(2 * np.pi * 2.1 * t), 1600 + 600 * np.sin(2 * np.pi * 1.3 * t)
    voice = np.zeros(n)
    for k in range(1, 25):
        tone = k * pitch
        gain = 1 / (1 + ((tone - first) / 90) ** 2) + 0.5 / (1 + ((tone - second) / 120) ** 2)
        voice += gain * np.sin(k * phase)
    syllable = np.clip(np.sin(2 * np.pi * 4 * t) + 0.3, 0, 1)
    hiss = np.diff(rng.standard_normal(n + 1)) * np.clip(-np.sin(2 * np.pi * 4 * t) - 0.5, 0, 1)
    return 0.1 * (voice * syllable + 0.8 * hiss)


def chord(seconds: float, rate: int) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return 0.02 * sum(np.sin(2 * np.pi * f * k * t) / k for f in (220, 277.2, 329.6) for k in range(1, 6))


def listened(sound: np.ndarray) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    listener = Listener()
    for start in range(0, len(sound), 70_001):
        listener.hear(sound[start : start + 70_001].astype(np.float32))
    return listener.finish()


def test_talk_in_a_film_is_a_span_of_frames(film: Callable[..., Path]) -> None:
    sound = np.concatenate([np.zeros(4 * RATE), talk(5, RATE), np.zeros(3 * RATE)])
    seen = rm.watch(film(pan(1, 12 * 24, 1), 24, name="film.mov", timecode="01:00:00:00", sound=sound))
    (span,) = seen.dialogue
    assert abs(span.start - (86400 + 4 * 24)) <= 18
    assert abs(span.end - (86400 + 9 * 24)) <= 18
    assert {s.kind for s in seen.silence} == {"silence"}
    assert seen.silence[0].start == 86400
    assert [s.kind for s in seen.to_cues().spans] == ["silence", "dialogue", "silence"]
    assert rm.watch(film(pan(1, 10, 1), name="b.mov", sound=sound), sound=False).dialogue == ()


@pytest.mark.parametrize("kind", ["chord", "noise", "hum", "beat"])
def test_music_and_noise_are_not_talk(kind: str) -> None:
    rng = np.random.default_rng(4)
    t = np.arange(10 * SOUND_RATE) / SOUND_RATE
    sounds = {
        "chord": chord(10, SOUND_RATE),
        "noise": 0.05 * rng.standard_normal(len(t)),
        "hum": 0.1 * np.sin(2 * np.pi * 50 * t) + 0.05 * np.sin(2 * np.pi * 150 * t),
        "beat": 0.2 * np.sin(2 * np.pi * 60 * t) * np.exp(-8 * (t % 0.5)),
    }
    assert listened(sounds[kind])[0] == []


@pytest.mark.parametrize("gain", [0.02, 1.0, 5.0])
def test_talk_over_a_chord_at_any_level(gain: float) -> None:
    sound = chord(12, SOUND_RATE)
    sound[4 * SOUND_RATE : 8 * SOUND_RATE] += talk(4, SOUND_RATE)
    ((start, end),) = listened(gain * sound)[0]
    assert start == pytest.approx(4, abs=0.8)
    assert end == pytest.approx(8, abs=0.8)


def test_digital_silence_and_no_sound_at_all() -> None:
    assert listened(np.zeros(3 * SOUND_RATE)) == ([], [(0.0, pytest.approx(2.97, abs=0.05))])
    assert listened(np.zeros(10)) == ([], [])
    assert Listener().finish() == ([], [])


def test_sound_that_begins_late_or_breaks_off_keeps_its_place(film: Callable[..., Path]) -> None:
    """The sound's own times count: half a minute of nothing before it moves what is said in it."""
    import av

    path = film(pan(1, 240, 1), 24, name="late.mov", sound=talk(4, RATE))
    late = path.with_name("moved.mov")
    with av.open(str(path)) as source, av.open(str(late), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams if s.type in ("video", "audio")}
        for packet in source.demux(*(source.streams[i] for i in streams)):
            if packet.dts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts += 5 * RATE
                packet.dts += 5 * RATE
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    (span,) = rm.watch(late).dialogue
    assert abs(span.start - 5 * 24) <= 18
    assert abs(span.end - 9 * 24) <= 18


def test_a_hole_too_long_to_be_one_is_told(film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from rescore_music.video import reading

    monkeypatch.setattr(reading, "SOUND_LONGEST", 1)
    seen = rm.watch(film(pan(1, 96, 1), 24, name="long.mov", sound=talk(4, RATE)))
    assert [(item.where, item.lost) for item in seen.log] == [("sound", True)]
