"""The published measure against cases worked out by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from mv2h import Music, f1, mv2h


def music(rows, spans=((0.0, 2.0), (0.0, 1.0), (1.0, 2.0))) -> Music:
    """Rows of (pitch, played onset, notated start, notated end, voice)."""
    columns = np.array(rows, float).T
    return Music(
        columns[0].astype(int), columns[1], columns[2], columns[3], columns[4].astype(int), np.array(spans, float)
    )


TWO_VOICES = [
    (60, 0.0, 0.0, 1.0, 0),
    (62, 1.0, 1.0, 2.0, 0),
    (48, 0.0, 0.0, 1.0, 1),
    (50, 1.0, 1.0, 2.0, 1),
]


def test_a_perfect_transcription_scores_one():
    assert mv2h(music(TWO_VOICES), music(TWO_VOICES)) == {"pitch": 1, "voice": 1, "meter": 1, "value": 1, "MV2H": 1}


def test_a_missed_note_and_an_invented_one():
    found = [*TWO_VOICES[:3], (51, 1.0, 1.0, 2.0, 1)]
    # three of four on each side; the link 48-50 is gone from both, which leaves one right link of one
    result = mv2h(music(TWO_VOICES), music(found))
    assert result["pitch"] == pytest.approx(0.75)
    assert result["voice"] == 1
    # 60 and 62 go on rightly; 48 should go on to 50 and does not, so its value is not asked for
    assert result["value"] == 1


def test_an_onset_may_be_50_ms_off():
    near = [(60, 0.05, 0.0, 1.0, 0), *TWO_VOICES[1:]]
    far = [(60, 0.051, 0.0, 1.0, 0), *TWO_VOICES[1:]]
    assert mv2h(music(TWO_VOICES), music(near))["pitch"] == 1
    assert mv2h(music(TWO_VOICES), music(far))["pitch"] == pytest.approx(0.75)


def test_crossed_voices_have_no_right_link():
    crossed = [(p, o, s, e, v if s == 0 else 1 - v) for p, o, s, e, v in TWO_VOICES]
    result = mv2h(music(TWO_VOICES), music(crossed))
    assert result["voice"] == 0
    assert result["value"] == 1  # of the last notes, whose voices rightly end


def test_voices_run_together_keep_half_of_their_links():
    one = [(p, o, s, e, 0) for p, o, s, e, _ in TWO_VOICES]
    # both first notes lead to both second ones: of each note's two links one is right, one wrong, none missed,
    # weighed by (2 + 1) / 2 links and a chord of two: right 1/3 a note, wrong 1/3 a note; F1 = 2/3
    assert mv2h(music(TWO_VOICES), music(one))["voice"] == pytest.approx(2 / 3)


def test_spans_match_at_any_level_once():
    found = music(TWO_VOICES, [(0.0, 2.0), (0.0, 0.5), (0.5, 1.0), (1.0, 2.04), (1.0, 2.0)])
    # right: the bar and one of the two that end at 2; of three true ones two, of five found ones two
    assert mv2h(music(TWO_VOICES), found)["meter"] == pytest.approx(f1(2, 3, 1))


def test_values_lose_by_their_relative_error():
    short = [(60, 0.0, 0.0, 0.5, 0), (62, 1.0, 1.0, 1.9, 0), *TWO_VOICES[2:]]
    # half a value short: 0.5; a tenth of a second short: nothing; two right ones
    assert mv2h(music(TWO_VOICES), music(short))["value"] == pytest.approx((0.5 + 1 + 1 + 1) / 4)
