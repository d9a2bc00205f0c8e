"""What grows slowly is begun early: known attacks, real sounds, and all that is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hearing import RATE, controls, score
from soundfont_file import Preset, Sample, steady, write_soundfont

from rescore_music.rendering import render
from rescore_music.rendering import soundfont as sf
from rescore_music.rendering.attack import BELOW, REACH, WINDOW, heard_after
from rescore_music.score import Articulation, Part

HIT = 1920  # two seconds


def growing(tmp_path, seconds, name="grow.sf2"):
    """A steady sound that takes so long to grow, evenly, to its full amplitude."""
    generators = {sf.SAMPLE_MODES: 1, sf.VOL_ATTACK: round(1200 * np.log2(seconds))}
    return write_soundfont(tmp_path / name, [steady()], [Preset([(0, generators)])])


def begins(sound):
    return int(np.flatnonzero(sound[:, 0])[0])


def heard(sound, about):
    """The onset in the sound, measured here: 10 ms of energy within 15 dB of the most in half a second."""
    energy = (sound.astype(float) ** 2).sum(axis=1)
    first = int(np.flatnonzero(energy[about - RATE // 2 :])[0]) + about - RATE // 2
    level = [energy[max(k - 480, 0) : k].sum() for k in range(first + 1, first + RATE // 2)]
    return first + int(np.argmax(np.array(level) >= max(level) * 10**-1.5))


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_an_even_growth_is_begun_as_much_earlier_as_its_fifth_and_half_the_window(tmp_path, seconds):
    # amplitude t / seconds is 15 dB under full at 0.178 of the way; the level looks back over 10 ms: 5 ms on average
    font = growing(tmp_path, seconds)
    piece = score([(HIT, 1920, 60, 127, 0)])
    assert begins(render(piece, sounds=font).mix) == 2 * RATE
    sound = render(piece, sounds=font, on_time=[HIT]).mix
    assert 2 * RATE - begins(sound) == pytest.approx(
        (10 ** (-BELOW / 20) * seconds + WINDOW / 2) * RATE, abs=0.002 * RATE
    )
    assert heard(sound, 2 * RATE) == pytest.approx(2 * RATE, abs=1)


def test_only_what_falls_on_the_ticks_moves(tmp_path):
    font = growing(tmp_path, 0.2)
    rows = [(0, 900, 60, 100, 0), (HIT, 900, 60, 100, 0), (HIT + 960, 900, 60, 100, 0), (HIT + 10, 900, 67, 100, 1)]
    piece = score(rows, parts=2)
    plain, early = render(piece, sounds=font), render(piece, sounds=font, on_time=[HIT])
    moved = np.flatnonzero(np.any(plain.mix != early.mix, axis=1))
    assert 1.9 * RATE < moved[0] < 2 * RATE
    assert moved[-1] < 2.3 * RATE  # full by then, and let go as before
    assert np.array_equal(plain.stems["P1"], early.stems["P1"])
    assert np.array_equal(render(piece, sounds=font, on_time=[5]).mix, plain.mix)


def test_a_short_note_is_measured_as_long_as_it_is(tmp_path):
    # 0.1 s of a growth of 0.4 s: never loud, and heard early in its own little way
    font = growing(tmp_path, 0.4)
    sound = render(score([(HIT, 96, 60, 127, 0)]), sounds=font, on_time=[HIT]).mix
    energy = (sound.astype(float) ** 2).sum(axis=1)
    level = np.convolve(energy, np.ones(480))[: len(energy)]
    assert np.argmax(level >= level.max() * 10**-1.5) == pytest.approx(2 * RATE, abs=0.001 * RATE)


def test_a_crescendo_counts(tmp_path):
    swell = controls(*[(HIT - 480 + 20 * i, 0, 11, min(10 + 2 * i, 127)) for i in range(60)])
    font = growing(tmp_path, 0.1)
    piece = score([(HIT, 1920, 60, 127, 0)], controls=swell)
    assert heard(render(piece, sounds=font, on_time=[HIT]).mix, 2 * RATE) == pytest.approx(2 * RATE, abs=0.001 * RATE)


def test_parts_of_different_growth_are_heard_together(tmp_path):
    generators = [{sf.SAMPLE_MODES: 1, sf.VOL_ATTACK: round(1200 * np.log2(s))} for s in (0.3, 0.03)]
    presets = [Preset([(0, g)], program=k) for k, g in enumerate(generators)]
    font = write_soundfont(tmp_path / "two.sf2", [steady()], presets)
    piece = score([(HIT, 1920, 60, 127, 0), (HIT, 1920, 60, 127, 1)], who=(Part("Slow"), Part("Quick", program=1)))
    done = render(piece, sounds=font, on_time=[HIT])
    for sound in (*done.stems.values(), done.mix):
        assert heard(sound, 2 * RATE) == pytest.approx(2 * RATE, abs=0.005 * RATE)
    assert [n for n in done.notices if "begin early" in n and "Slow 5" in n]


def test_grace_notes_keep_their_place_and_quick_sounds_theirs(tmp_path):
    struck = write_soundfont(tmp_path / "struck.sf2", [Sample(steady().data)], [Preset([(0, {})])])
    piece = score([(HIT, 1920, 60, 127, 0)])
    sound = render(piece, sounds=struck, on_time=[HIT])
    assert begins(sound.mix) == 2 * RATE
    assert not any("early" in n for n in sound.notices)
    notes = score([(HIT, 0, 67, 100, 0), (HIT, 960, 60, 100, 0)]).notes.copy()
    notes["articulation"][notes["pitch"] == 67] = int(Articulation.ACCIACCATURA)
    graced = score([(0, 10, 60, 1, 0)]).replace(notes=notes)
    font = growing(tmp_path, 0.05)
    plain, early = render(graced, sounds=font).mix, render(graced, sounds=font, on_time=[HIT]).mix
    assert begins(plain) == begins(early)


def test_what_would_begin_before_the_sound_does_is_told(tmp_path):
    done = render(score([(0, 1920, 60, 127, 0)]), sounds=growing(tmp_path, 0.2), on_time=[0])
    assert begins(done.mix) == 0
    late = render(score([(10, 1920, 60, 127, 0)]), sounds=growing(tmp_path, 0.2), on_time=[10])
    assert any("cannot begin early enough" in n for n in late.notices)


def test_silence_is_heard_at_once_and_a_step_too():
    assert heard_after(np.zeros((100, 2), np.float32), RATE) == 0
    step = np.zeros((RATE, 2), np.float32)
    step[1000:] = 0.5
    assert heard_after(step, RATE) == pytest.approx(1000 + 0.0316 * WINDOW * RATE, abs=2)
    assert REACH > WINDOW


def test_real_sounds_are_heard_on_the_hit():
    who = (
        Part("Flute", program=73),
        Part("Horn", program=60),
        Part("Strings", program=49),
        Part("Kit", percussion=True),
    )
    rows = [
        (HIT, 960, 72, 80, 0),
        (HIT, 960, 60, 80, 1),
        (HIT, 1920, 55, 80, 2),
        (HIT, 1920, 67, 80, 2),
        (HIT, 99, 38, 90, 3),
    ]
    done = render(score(rows, who=who), on_time=[HIT])
    for name, sound in done.stems.items():
        assert abs(heard(sound, 2 * RATE) - 2 * RATE) < 0.005 * RATE, name
    plain = render(score(rows, who=who))
    assert abs(heard(plain.stems["Strings"], 2 * RATE) - 2 * RATE) > 0.03 * RATE
