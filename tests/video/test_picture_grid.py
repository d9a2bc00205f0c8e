"""Picture times to frames: the exact rate from the times alone, and the frame at which a picture is first seen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore_music.timecode import RATES, FrameRate, Timecode
from rescore_music.video.grid import first_timecode, frame_rate, frames_at

TICKS = (Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 12288))


def rounded(rate: Fraction, count: int, tick: Fraction) -> np.ndarray:
    return np.array([round(k / rate / tick) for k in range(count)], np.int64)


@pytest.mark.parametrize("rate", sorted({r.fps for r in RATES}))
@pytest.mark.parametrize("tick", TICKS)
def test_the_rate_is_in_the_times(rate: Fraction, tick: Fraction) -> None:
    found, steadiness = frame_rate(rounded(rate, 2000, tick), tick, [])
    assert found == rate
    assert steadiness > 0.95


@pytest.mark.parametrize("rate", sorted({r.fps for r in RATES}))
@pytest.mark.parametrize("tick", TICKS)
def test_rounded_times_are_still_their_frames(rate: Fraction, tick: Fraction) -> None:
    times = rounded(rate, 5000, tick) + 777
    assert frames_at(times, 777, tick, rate).tolist() == list(range(5000))


def test_rounded_claims_of_containers_mean_the_exact_rate() -> None:
    times = rounded(Fraction(60000, 1001), 10, Fraction(1, 1000))
    assert frame_rate(times, Fraction(1, 1000), [Fraction(19001, 317)])[0] == Fraction(60000, 1001)


def test_what_is_left_out_does_not_change_the_rate() -> None:
    times = rounded(Fraction(24000, 1001), 3000, Fraction(1, 90000))
    kept = times[np.random.default_rng(1).random(len(times)) > 0.3]
    assert frame_rate(kept, Fraction(1, 90000), [Fraction(17)]) == (Fraction(24000, 1001), pytest.approx(1, abs=1e-3))


@given(
    late=st.lists(st.fractions(0, Fraction(99, 100)), min_size=2, max_size=30),
    rate=st.sampled_from([r.fps for r in RATES]),
)
def test_a_frame_shows_the_latest_picture_whose_time_has_come(late: list[Fraction], rate: Fraction) -> None:
    tick = Fraction(1, 1_000_000)
    times = [0, *(int((k + share) / rate / tick) for k, share in enumerate(late, 1))]
    frames = frames_at(times, 0, tick, rate).tolist()
    for time, frame in zip(times, frames, strict=True):
        assert frame / rate >= (time - 1) * tick
        assert (frame - 1) / rate < time * tick


@pytest.mark.parametrize("rate", RATES)
def test_labels_become_the_first_frame(rate: FrameRate) -> None:
    start = Timecode(rate.frames_per_hour + 5, rate)
    assert first_timecode([start.label, "00:00:00:00"], rate.fps) == (start, "")


def test_labels_that_do_not_exist_are_told() -> None:
    start, remark = first_timecode(["01:00:00:99"], Fraction(24))
    assert start.frame == 0
    assert "01:00:00:99" in remark
    start, remark = first_timecode(["01:00:00;05"], Fraction(25))
    assert start.label == "01:00:00:05"
    assert "drop" in remark
