"""The same hits met three ways, measured alike."""

import json

import numpy as np
import pytest

from rescore_music.cues import Cues, Hit
from rescore_music.score import Part, Score, note_rows
from rescore_music.syncing import compared, constant_tempi, sync
from rescore_music.tempo import TempoMap


def music():
    rows = [(i * 240, 240, 60, 80, 0) for i in range(400)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(120, 480))


def at(*seconds, rate=60):
    return Cues.from_hits([Hit(round(s * rate)) for s in seconds], rate)


def test_hits_of_one_hidden_tempo_are_met_by_all_three():
    synced = sync(music(), at(*(np.array([20, 52, 77, 120, 160]) * 0.5 / 1.03)), compare=True)
    constant, piecewise, joint = synced.ways
    assert [w.name for w in synced.ways] == ["constant", "piecewise", "joint"]
    assert constant.bpm == pytest.approx(123.6, abs=0.1)
    assert [w.within_a_frame for w in synced.ways] == [1, 1, 1]
    assert piecewise.mean_frames_off == 0
    assert joint.max_step_percent < 0.75
    assert len(synced.constant) > 3
    assert [t.mean_frames_off for t in synced.constant] == sorted(t.mean_frames_off for t in synced.constant)


def test_hits_of_no_tempo_cost_the_constant_its_frames_and_the_steps_their_size():
    score, cues = music(), at(10.1, 21.3, 33.7, 41.2, 52.9, 61.4)
    synced = sync(score, cues, compare=True)
    constant, piecewise, joint = synced.ways
    assert constant.within_a_frame < 1
    assert constant.mean_frames_off == pytest.approx(constant_tempi(score, cues)[0].mean_frames_off)
    assert joint.mean_frames_off < 1e-3
    assert joint.max_step_percent < 0.5 * piecewise.max_step_percent
    told = json.loads(synced.to_json())
    assert [w["name"] for w in told["ways"]] == ["constant", "piecewise", "joint"]
    assert told["constant"][0]["bpm"] == pytest.approx(constant.bpm)
    assert sync(score, cues).ways == ()
    assert compared(sync(score, cues), score).ways == synced.ways
