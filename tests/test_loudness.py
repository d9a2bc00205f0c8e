"""Loudness on the test signals of EBU Tech 3341 and 3342, made here from their descriptions."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.loudness import loudness

RATE = 48000


def tones(*stretches, rate=RATE, frequency=1000.0):
    """Stereo sines: (dBFS peak, seconds) each, in phase on both channels."""
    levels = np.concatenate([np.full(round(s * rate), 10 ** (level / 20)) for level, s in stretches])
    wave = np.sin(2 * np.pi * frequency / rate * np.arange(len(levels))) * levels
    return np.column_stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(-23, 20)], -23.0),  # Tech 3341, case 1
        ([(-33, 20)], -33.0),  # case 2
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),  # case 3: the relative gate
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),  # case 4: the absolute gate too
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),  # case 5
    ],
)
def test_integrated_loudness(stretches, expected):
    assert loudness(tones(*stretches), RATE).integrated == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("low", "high", "expected"), [(-30, -20, 10), (-20, -15, 5), (-40, -20, 20)])
def test_loudness_range(low, high, expected):
    assert loudness(tones((high, 20), (low, 20)), RATE).range == pytest.approx(expected, abs=1.0)  # Tech 3342, 1 to 3


@pytest.mark.parametrize(("phase", "expected"), [(0, -6.0), (45, -6.0), (60, -6.0), (67.5, -6.0)])
def test_true_peak_between_samples(phase, expected):
    n = np.arange(RATE)
    wave = 0.5 * np.sin(2 * np.pi * n / 4 + np.radians(phase))  # a quarter of the rate: Tech 3341, cases 15 to 18
    assert loudness(np.column_stack([wave, wave]), RATE).true_peak == pytest.approx(expected, abs=0.4)


def test_momentary_maximum():
    sound = tones((-40, 3), (-20, 0.5), (-40, 3))
    assert loudness(sound, RATE).momentary_max == pytest.approx(-20.0, abs=0.15)


def test_mono_is_three_units_below_dual_mono():
    both = tones((-23, 5))
    assert loudness(both[:, 0], RATE).integrated == pytest.approx(-26.01, abs=0.05)


def test_louder_by_six_is_six_louder():
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, (RATE * 3, 2))
    quiet, loud = loudness(sound, RATE), loudness(sound * 2, RATE)
    assert loud.integrated - quiet.integrated == pytest.approx(6.02, abs=0.05)
    assert loud.true_peak - quiet.true_peak == pytest.approx(6.02, abs=0.01)


def test_other_rates():
    assert loudness(tones((-23, 5), rate=44100), 44100).integrated == pytest.approx(-23.0, abs=0.1)


def test_silence_and_shortness():
    for sound in (np.zeros((RATE, 2)), np.zeros((0, 2)), tones((-6, 0.3))):
        assert loudness(sound, RATE).integrated == -np.inf
    assert loudness(np.zeros((RATE, 2)), RATE).true_peak == -np.inf
    assert loudness(tones((-6, 0.3)), RATE).true_peak == pytest.approx(-6.0, abs=0.2)


def test_surround_is_refused():
    with pytest.raises(ValueError, match="channels"):
        loudness(np.zeros((RATE, 6)), RATE)
