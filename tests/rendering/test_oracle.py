"""FluidSynth, dry and with the same sounds, hears what the embedded engine plays."""

from __future__ import annotations

import numpy as np
import pytest
from hearing import controls, envelope, score

from rescore_music.errors import MissingExtra
from rescore_music.io import read_score
from rescore_music.rendering import render
from rescore_music.rendering.fluidsynth import fluidsynth_command
from rescore_music.score import BEND, Part

needs_fluidsynth = pytest.mark.skipif(fluidsynth_command() is None, reason="the fluidsynth command is not installed")
PROGRAMS = {"Flute": 73, "Oboe": 68, "Clarinet": 71, "Horn": 60, "Trumpet": 56, "Piano": 0, "Harp": 46, "Bass": 43}


def piece():
    """Two bars a part in turn, then all together; swells, panning, pedal and a bend."""
    rows = []
    for p in range(len(PROGRAMS)):
        low = 40 if p == 7 else 57
        rows += [((p * 8 + k) * 240, 200, low + (k * 5 + p) % 19, 50 + 9 * k, p) for k in range(8)]
        rows += [(16000 + k * 480, 440, low + (k * 7 + 2 * p) % 19, 96, p) for k in range(8)]
    rows += [(16000 + k * 240, 120, (36, 42, 38, 46)[k % 4], 100, len(PROGRAMS)) for k in range(16)]
    who = [*(Part(name, program=program) for name, program in PROGRAMS.items()), Part("Kit", percussion=True)]
    events = [(16000 + k * 120, p, 11, 60 + 2 * k) for k in range(32) for p in (0, 3)]
    events += [(0, 1, 10, 0), (0, 4, 10, 127), (0, 2, 7, 80), (16000, 5, 64, 127), (17920, 5, 64, 0)]
    bends = np.array([(7 * 480, 1, 0), (17000, 1, 4000), (18000, 1, 0)], BEND)
    return score(rows, who=tuple(who), controls=controls(*events), bends=bends)


def agreement(a, b):
    """(correlation of the 100 ms level envelopes, level of b over a in dB)"""
    x, y = envelope(a), envelope(b)
    return float(np.corrcoef(x, y)[0, 1]), float(20 * np.log10(y.mean() / x.mean()))


@needs_fluidsynth
def test_every_part_is_as_fluidsynth_plays_it():
    ours, theirs = render(piece(), tail=2.0), render(piece(), tail=2.0, backend="fluidsynth")
    assert list(ours.stems) == list(theirs.stems)
    correlation, gain = agreement(ours.mix, theirs.mix)
    assert correlation > 0.99
    assert gain == pytest.approx(1.25, abs=0.4)  # FluidSynth's filter lifts every voice by half its 3 dB of damping
    for name, stem in ours.stems.items():
        correlation, own = agreement(stem, theirs.stems[name])
        assert correlation > 0.98, name
        assert own == pytest.approx(gain, abs=0.7), name
        sides = [np.std(s, axis=0) / np.std(s) for s in (stem, theirs.stems[name])]
        assert np.allclose(sides[0], sides[1], atol=0.08), name  # left and right


@needs_fluidsynth
def test_a_real_cue_is_as_fluidsynth_plays_it(shared_data):
    cue = read_score(shared_data / "game_midi" / "freedoom__d_dm09.mid")
    cue = cue.slice(0, int(cue.tempo.ticks_at(15.0)))
    ours, theirs = render(cue, tail=1.0), render(cue, tail=1.0, backend="fluidsynth")
    assert agreement(ours.mix, theirs.mix)[0] > 0.98


def test_without_fluidsynth_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtra, match="FluidSynth is not installed"):
        render(piece(), backend="fluidsynth")
