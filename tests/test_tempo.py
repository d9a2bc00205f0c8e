"""Ticks and seconds: steps and ramps, exact both ways, and what MIDI can write of them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.errors import ScoreError
from rescore_music.tempo import DEFAULT_US, STEP_ERROR, TempoMap


def integrated(tempo: TempoMap, tick: float, slices: int = 20_000) -> float:
    """Seconds at a tick by the midpoint rule: beats a minute move linearly inside a ramp."""
    total = 0.0
    edges = [*tempo.ticks.tolist(), np.inf]
    for i, start in enumerate(tempo.ticks.tolist()):
        stop = min(edges[i + 1], tick)
        if stop <= start:
            break
        x = start + (np.arange(slices) + 0.5) * (stop - start) / slices
        share = (x - start) / (edges[i + 1] - start) if np.isfinite(edges[i + 1]) else np.zeros(slices)
        bpm = 6e7 / tempo.us[i] + share * (6e7 / tempo.us_end[i] - 6e7 / tempo.us[i])
        total += float(np.mean(60.0 / bpm)) * (stop - start) / tempo.ticks_per_quarter
    return total


@st.composite
def maps(draw: st.DrawFn, whole: bool = False) -> TempoMap:
    """Tempo maps of a few segments, steps and ramps between 10 and 600 quarters a minute."""
    resolution = draw(st.sampled_from([1, 24, 89, 480, 1024, 10080]))
    lengths = draw(st.lists(st.integers(1, 40 * resolution), max_size=6))
    ticks = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    tempo = st.integers(100_000, 6_000_000).map(float) if whole else st.floats(100_000, 6_000_000)
    us = np.array([draw(tempo) for _ in ticks])
    us_end = us if whole else np.array([draw(st.one_of(st.just(float(u)), tempo)) for u in us])
    return TempoMap(ticks, us, us_end, resolution)


def test_a_quarter_at_120_lasts_half_a_second() -> None:
    tempo = TempoMap.constant(120, 480)
    assert tempo.seconds([0, 480, 960]).tolist() == [0.0, 0.5, 1.0]
    assert tempo.ticks_at([0.0, 0.25, 2.0]).tolist() == [0.0, 240.0, 1920.0]


def test_an_accelerando_from_60_to_120_over_four_quarters_takes_four_log_two_seconds() -> None:
    # the mean of 1/bpm over a linear ramp is ln(b/a)/(b-a): 240 s/min * ln 2 / 60
    tempo = TempoMap(np.array([0, 1920]), np.array([1e6, 5e5]), np.array([5e5, 5e5]), 480)
    assert tempo.seconds(1920) == pytest.approx(4 * np.log(2), abs=1e-12)
    assert tempo.bpm(960) == pytest.approx(90.0)


@settings(max_examples=60, deadline=None)
@given(maps(), st.floats(0, 1))
def test_time_is_the_integral_of_the_tempo(tempo: TempoMap, share: float) -> None:
    tick = share * (float(tempo.ticks[-1]) + 4 * tempo.ticks_per_quarter)
    assert float(tempo.seconds(tick)) == pytest.approx(integrated(tempo, tick), rel=1e-6, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(maps())
def test_there_and_back(tempo: TempoMap) -> None:
    ticks = np.linspace(0, float(tempo.ticks[-1]) + 4 * tempo.ticks_per_quarter, 301)
    back = tempo.ticks_at(tempo.seconds(ticks))
    assert np.allclose(back, ticks, rtol=1e-9, atol=1e-6 * tempo.ticks_per_quarter)
    assert np.all(np.diff(tempo.seconds(ticks)) > 0)


@settings(max_examples=200, deadline=None)
@given(maps())
def test_midi_steps_stay_within_two_hundred_thousandths_of_a_frame(tempo: TempoMap) -> None:
    end = int(tempo.ticks[-1]) + 40 * tempo.ticks_per_quarter
    steps = tempo.stepped(until=end)
    assert steps.is_stepped
    assert np.all(steps.us == np.rint(steps.us))
    ticks = np.arange(0, end + 1, max(1, end // 4000))
    # one tick of a coarse resolution is the finest that a step can be placed
    bound = STEP_ERROR * 1.01 + 1e-6 / tempo.ticks_per_quarter
    assert float(np.max(np.abs(steps.seconds(ticks) - tempo.seconds(ticks)))) <= bound


@settings(max_examples=60, deadline=None)
@given(maps(whole=True))
def test_whole_microseconds_are_written_as_they_are(tempo: TempoMap) -> None:
    steps = tempo.stepped(until=int(tempo.ticks[-1]) + 1000)
    keep = np.concatenate([[True], np.diff(tempo.us) != 0])
    assert steps.ticks.tolist() == tempo.ticks[keep].tolist()
    assert steps.us.tolist() == tempo.us[keep].tolist()


def test_a_constant_tempo_does_not_drift_in_seven_minutes() -> None:
    tempo = TempoMap.constant(140.3, 480)
    end = int(tempo.ticks_at(420.0))
    steps = tempo.stepped(until=end)
    assert abs(float(steps.seconds(end)) - float(tempo.seconds(end))) <= STEP_ERROR
    assert abs(float(tempo.stepped().seconds(end)) - float(tempo.seconds(end))) > 10 * STEP_ERROR
    assert len(steps.ticks) < 200


@settings(max_examples=100, deadline=None)
@given(maps(), st.floats(0, 1), st.floats(0, 1))
def test_a_slice_keeps_its_pace(tempo: TempoMap, a: float, b: float) -> None:
    end = int(tempo.ticks[-1]) + 4 * tempo.ticks_per_quarter
    start, stop = sorted((int(a * end), int(b * end)))
    if stop <= start:
        return
    ticks = np.linspace(start, stop, 50)
    cut = tempo.slice(start, stop).seconds(ticks - start)
    assert np.allclose(cut, tempo.seconds(ticks) - tempo.seconds(start), rtol=1e-9, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(maps(), st.integers(1, 7))
def test_a_finer_resolution_changes_no_time(tempo: TempoMap, factor: int) -> None:
    finer = tempo.rescaled(tempo.ticks_per_quarter * factor)
    ticks = np.arange(0, int(tempo.ticks[-1]) + 10)[:500]
    assert np.allclose(finer.seconds(ticks * factor), tempo.seconds(ticks), rtol=1e-12, atol=1e-12)


def test_midi_tempo_events_come_in_any_order_and_the_last_at_a_tick_counts() -> None:
    tempo = TempoMap.from_events([(960, 400_000), (480, 600_000), (480, 700_000)], 480)
    assert tempo.ticks.tolist() == [0, 480, 960]
    assert tempo.us.tolist() == [DEFAULT_US, 700_000, 400_000]


def test_pickling_keeps_columns_read_only() -> None:
    tempo = TempoMap(np.array([0, 480]), np.array([5e5, 4e5]), np.array([4e5, 4e5]), 480)
    copy = pickle.loads(pickle.dumps(tempo))
    assert copy == tempo
    assert hash(copy) == hash(tempo)
    assert not any(column.flags.writeable for column in (copy.ticks, copy.us, copy.us_end))


@pytest.mark.parametrize(
    ("ticks", "us"),
    [([0, 0], [5e5, 5e5]), ([1], [5e5]), ([0, 480], [5e5]), ([0], [0.0]), ([0], [1e12]), ([0], [float("nan")])],
)
def test_impossible_maps_are_refused(ticks: list[int], us: list[float]) -> None:
    with pytest.raises(ScoreError):
        TempoMap(np.array(ticks), np.array(us))
