"""Modulators: the font's own velocity and key laws, over the specification's defaults."""

from __future__ import annotations

import numpy as np
import pytest
from hearing import cents, controls, db, level, pitch, score
from soundfont_file import MODULATORS, Preset, sine, steady, write_soundfont

from rescore_music.rendering import channel, kernel, render
from rescore_music.rendering import soundfont as sf
from rescore_music.rendering.modulators import DEFAULTS, Modulator, combined, curve

VELOCITY, KEY = 2, 3
NEGATIVE, BIPOLAR, CONCAVE, CONVEX, SWITCH = 0x100, 0x200, 1 << 10, 2 << 10, 3 << 10


def test_curves_run_from_end_to_end():
    values = np.arange(128.0)
    for shape in (0, CONCAVE, CONVEX):
        up, down = curve(VELOCITY | shape, values), curve(VELOCITY | NEGATIVE | shape, values)
        assert (up[0], up[-1]) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))
        assert np.all(np.diff(up) >= 0)
        assert np.allclose(down, up[::-1])
        both = curve(VELOCITY | BIPOLAR | shape, values)
        assert (both[0], both[-1]) == (pytest.approx(-1.0), pytest.approx(1.0))
        assert np.allclose(both, -both[::-1])
    assert np.all(curve(VELOCITY | CONCAVE, values) <= curve(VELOCITY, values) + 1e-12)
    assert np.all(curve(VELOCITY | CONVEX, values)[1:] >= curve(VELOCITY, values)[1:] - 1e-12)
    assert sorted(set(curve(VELOCITY | SWITCH, values).tolist())) == [0.0, 1.0]


def test_the_same_modulator_is_replaced_another_is_added():
    own = Modulator(DEFAULTS[0].source, DEFAULTS[0].target, 480, 0, 0)
    other = Modulator(KEY, 8, 100, 0, 0)
    assert combined(DEFAULTS, (own, other)) == (own, DEFAULTS[1], other)


def fall(tmp_path, zone, **preset):
    """Level of velocity 20 against 100 (dB)."""
    zone = {sf.SAMPLE_MODES: 1} | zone
    path = write_soundfont(tmp_path / "f.sf2", [steady()], [Preset([(0, zone)], **preset)])
    sound = render(score([(0, 480, 60, 100, 0), (960, 480, 60, 20, 0)]), sounds=path).mix
    return db(level(sound, 1.1, 1.4) / level(sound, 0.1, 0.4))


@pytest.mark.parametrize(("amount", "expected"), [(960, -27.96), (480, -13.98), (0, 0.0)])
def test_a_font_may_have_its_own_velocity_law(tmp_path, amount, expected):
    own = [(VELOCITY | NEGATIVE | CONCAVE, sf.ATTENUATION, amount, 0, 0)]
    assert fall(tmp_path, {MODULATORS: own}) == pytest.approx(expected, abs=0.05)
    assert fall(tmp_path, {}, common={MODULATORS: own}) == pytest.approx(expected, abs=0.05)


def test_a_preset_adds_to_the_instrument(tmp_path):
    own = [(VELOCITY | NEGATIVE | CONCAVE, sf.ATTENUATION, -480, 0, 0)]
    assert fall(tmp_path, {}, over={MODULATORS: own}) == pytest.approx(-13.98, abs=0.05)


def test_key_and_velocity_move_pitch(tmp_path):
    own = [(KEY, sf.FINE_TUNE, 127, 0, 0), (VELOCITY, sf.COARSE_TUNE, 12, VELOCITY | SWITCH, 0)]
    zone = {sf.SAMPLE_MODES: 1, sf.SCALE_TUNING: 0, MODULATORS: own}
    path = write_soundfont(tmp_path / "f.sf2", [sine(69)], [Preset([(0, zone)])])
    sound = render(score([(0, 960, 50, 40, 0), (960, 960, 80, 127, 0)]), sounds=path).mix
    assert cents(pitch(sound, 0.1, 0.9), 440.0) == pytest.approx(50.0, abs=0.2)
    assert cents(pitch(sound, 1.1, 1.9), 440.0) == pytest.approx(1280.0, abs=0.2)


def test_a_font_may_switch_the_wheels_vibrato_off(tmp_path):
    spread = []
    for own in ([], [(0x0081, sf.VIB_LFO_TO_PITCH, 0, 0, 0)]):
        zone = {sf.SAMPLE_MODES: 1, MODULATORS: own}
        path = write_soundfont(tmp_path / f"{len(own)}.sf2", [sine(69)], [Preset([(0, zone)])])
        sound = render(score([(0, 1440, 69, 127, 0)], controls=controls((0, 0, 1, 127))), sounds=path).mix
        spread.append(np.ptp([cents(pitch(sound, t, t + 0.04), 440.0) for t in np.arange(0.2, 1.3, 0.03)]))
    assert spread[0] > 50
    assert spread[1] < 1


def test_the_control_grid_is_one():
    assert kernel.BLOCK == channel.BLOCK
