"""What is heard against what is written: librosa hears the notes that the renderer was given."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.audio import Audio
from rescore_music.quality import measure
from rescore_music.quality.heard import heard, onsets
from rescore_music.rendering import render
from rescore_music.score import Part, Score, note_rows

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


@pytest.fixture(scope="module")
def score() -> Score:
    """A C major scale in quarters on the piano, 120 to the minute."""
    rows = [(480 * i, 440, pitch, 90, 0) for i, pitch in enumerate(SCALE)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),))


def test_every_note_of_a_piano_scale_is_heard(score: Score) -> None:
    found = {m.name: m.value for m in heard(score, render(score))}
    assert found["onsets_heard"] == 1.0
    assert found["onsets_written"] == 1.0
    assert found["harmony_heard"] > 0.8


def test_a_delayed_recording_is_not_in_time(score: Score) -> None:
    rendering = render(score)
    late = np.concatenate([np.zeros((rendering.rate // 5, 2), np.float32), rendering.mix])
    found = {m.name: m.value for m in heard(score, Audio(late, rendering.rate))}
    assert found["onsets_heard"] < 0.2


def test_another_harmony_is_told_apart(score: Score) -> None:
    up = render(score.transposed(6))
    same = {m.name: m.value for m in heard(score, render(score))}
    other = {m.name: m.value for m in heard(score, up)}
    assert other["harmony_heard"] < same["harmony_heard"] - 0.3


def test_onsets_move_with_the_sound(score: Score) -> None:
    rendering = render(score)
    mono = rendering.mix.mean(axis=1)
    first = onsets(mono, rendering.rate)
    later = onsets(np.concatenate([np.zeros(rendering.rate, np.float32), mono]), rendering.rate)
    assert later[-len(SCALE) :] - first[-len(SCALE) :] == pytest.approx(1.0, abs=0.02)


def test_listening_is_asked_for(score: Score) -> None:
    rendering = render(score)
    assert "onsets_heard" not in measure(score, audio=rendering)
    assert "onsets_heard" in measure(score, audio=rendering, listen=True)
