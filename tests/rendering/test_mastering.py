"""master: the loudness it promises, or the peak that forbids it."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.audio import Rendering
from rescore_music.errors import RenderError
from rescore_music.loudness import loudness
from rescore_music.rendering import PROFILES, Profile, master

RATE = 48000


def rendering(crest=1.0, level=0.05, seconds=4):
    """Two stems of noise, one of them with single peaks `crest` times as high."""
    random = np.random.default_rng(2)
    stems = {name: (random.uniform(-level, level, (RATE * seconds, 2))).astype(np.float32) for name in ("a", "b")}
    stems["a"][:: RATE // 2] *= crest
    return Rendering(stems["a"] + stems["b"], stems, RATE, notices=("first",))


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("level", [0.001, 0.05, 0.4])
def test_it_hits_the_target(profile, level):
    done = master(rendering(level=level), profile)
    heard = loudness(done.mix, RATE)
    assert heard.integrated == pytest.approx(PROFILES[profile].integrated, abs=0.2)
    assert heard.true_peak <= PROFILES[profile].true_peak + 0.05


def test_it_gives_way_to_the_peaks():
    done = master(rendering(crest=60.0), "streaming")
    heard = loudness(done.mix, RATE)
    assert heard.true_peak == pytest.approx(-1.0, abs=0.05)
    assert heard.integrated < -16.5
    assert "for the peaks" in done.notices[-1]


def test_mix_and_stems_move_alike():
    before = rendering()
    done = master(before, Profile(-30.0, -1.0, "here"))
    factor = done.mix[100, 0] / before.mix[100, 0]
    assert np.allclose(done.mix, before.mix * factor, atol=1e-7)
    total = np.sum([s.astype(np.float64) for s in done.stems.values()], axis=0)
    assert np.max(np.abs(total - done.mix)) < 1e-6
    assert done.notices[0] == "first"
    assert len(done.notices) == 2


def test_silence_stays():
    silent = Rendering(np.zeros((RATE, 2)), {"a": np.zeros((RATE, 2))}, RATE)
    done = master(silent)
    assert not np.any(done.mix)
    assert "silence" in done.notices[-1]


def test_too_short_to_measure_is_only_kept_from_clipping():
    short = Rendering(np.full((4800, 2), 2.0), {"a": np.full((4800, 2), 2.0)}, RATE)
    assert loudness(master(short).mix, RATE).true_peak <= -0.9
    quiet = Rendering(np.full((4800, 2), 0.01), {}, RATE)
    assert np.array_equal(master(quiet).mix, quiet.mix)


def test_unknown_profile():
    with pytest.raises(RenderError, match="cassette"):
        master(rendering(), "cassette")
