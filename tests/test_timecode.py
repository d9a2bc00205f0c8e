"""Timecode: every label of a day, exact seconds, refusals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore_music.errors import TimecodeError
from rescore_music.timecode import (
    RATES,
    FrameRate,
    Timecode,
    fields_from_frames,
    frames_from_fields,
    frames_from_labels,
    labels,
)

names = pytest.mark.parametrize("rate", RATES, ids=str)


@names
def test_every_label_of_a_day_round_trips(rate):
    hour = rate.frames_per_hour
    last = -1
    for start in range(0, 24 * hour, hour):
        frames = np.arange(start, start + hour)
        fields = fields_from_frames(frames, rate)
        assert np.array_equal(frames_from_fields(fields, rate), frames)
        # labels rise strictly and stay legal, so no label occurs twice and none is illegal
        key = ((fields[:, 0] * 60 + fields[:, 1]) * 60 + fields[:, 2]) * 1000 + fields[:, 3]
        assert key[0] > last
        assert np.all(np.diff(key) > 0)
        last = key[-1]
        assert np.array_equal(frames_from_labels(labels(frames, rate), rate), frames)
    assert labels(24 * hour, rate) == labels(0, rate)
    assert last == (23 * 3600 + 59 * 60 + 59) * 1000 + rate.nominal - 1


@names
def test_every_label_that_may_be_written_is_a_frame_or_refused(rate):
    # all hh=00 labels with frames 0 .. nominal: exactly frames_per_hour of them exist
    minute, second, frame = (a.ravel() for a in np.mgrid[0:60, 0:60, 0 : rate.nominal])
    legal = ~((frame < rate.dropped) & (second == 0) & (minute % 10 != 0))
    assert legal.sum() == rate.frames_per_hour
    fields = np.stack([np.zeros_like(minute), minute, second, frame], axis=-1)
    assert np.array_equal(np.sort(frames_from_fields(fields[legal], rate)), np.arange(rate.frames_per_hour))
    for row in fields[~legal]:
        with pytest.raises(TimecodeError, match="does not exist"):
            frames_from_fields(row, rate)


def test_known_answers():
    assert Timecode.parse("01:00:00:00", "23.976").seconds == Fraction("3603.6")
    assert FrameRate.parse("29.97df").frames_per_hour == 107_892
    assert FrameRate.parse("59.94df").frames_per_hour == 215_784
    assert Timecode.parse("00:01:00;02", "29.97df").frame == 1800
    assert Timecode(1799, FrameRate.parse("29.97df")).label == "00:00:59;29"
    assert Timecode.parse("00:10:00;00", "29.97df").frame == 17982
    assert Timecode.parse("00:01:00;04", "59.94df").frame == 3600
    assert Timecode.parse("01:00:00;00", "29.97df").seconds == Fraction(107_892 * 1001, 30000)
    assert Timecode.parse("00:00:01:12", "24").seconds == Fraction(3, 2)


def test_drop_frame_keeps_time_of_day():
    # what drop frame is for; it gains 86.4 ms a day and is at most two frames late inside a minute
    rate = FrameRate.parse("29.97df")
    frames = np.arange(0, 24 * rate.frames_per_hour)
    fields = fields_from_frames(frames, rate)
    told = (fields[:, 0] * 3600 + fields[:, 1] * 60 + fields[:, 2]) + fields[:, 3] / 30
    assert np.abs(told - rate.seconds(frames)).max() < 0.0864 + 2 / 29.97
    whole = FrameRate.parse("29.97ndf")
    assert abs(float(Timecode.parse("23:59:59:29", whole).seconds) - 86400) > 80


def test_label_counts_agree_with_the_timecode_package():
    timecode = pytest.importorskip("timecode")
    for ours, theirs in (("29.97df", "29.97"), ("59.94df", "59.94"), ("25", "25"), ("24", "24"), ("30", "30")):
        for label in ("00:59:59:23", "00:09:59:10", "01:01:00:05", "10:00:00:00"):
            spelled = label[:8] + (";" if ours.endswith("df") else ":") + label[9:]
            assert Timecode.parse(spelled, ours).frame == timecode.Timecode(theirs, spelled).frames - 1


@pytest.mark.parametrize(
    ("label", "rate", "message"),
    [
        ("00:01:00;00", "29.97df", "does not exist"),
        ("00:01:00;01", "29.97df", "does not exist"),
        ("00:01:00;03", "59.94df", "does not exist"),
        ("00:00:00:24", "24", "frames go from"),
        ("00:00:00:24", "23.976", "frames go from"),
        ("00:60:00:00", "25", "minutes"),
        ("00:00:60:00", "25", "seconds"),
        ("24:00:00:00", "25", "hours"),
        ("00:00:10;00", "25", "says drop frame"),
        ("00:00:10;00", "29.97ndf", "says drop frame"),
        ("1:00:00:00", "25", "not a timecode"),
        ("00:00:0a:00", "25", "not a timecode"),
        ("00:00:00.500", "25", "not a timecode"),
        ("-0:00:00:00", "25", "not a timecode"),
        ("", "25", "not a timecode"),
    ],
)
def test_illegal_labels_are_refused(label, rate, message):
    with pytest.raises(TimecodeError, match=message):
        Timecode.parse(label, rate)
    with pytest.raises(TimecodeError, match=message):
        frames_from_labels(["00:00:01:00", label], FrameRate.parse(rate))


def test_colon_at_a_drop_rate_is_drop_frame():
    assert Timecode.parse("01:00:00:00", "29.97df") == Timecode.parse("01:00:00;00", "29.97df")
    with pytest.raises(TimecodeError):
        Timecode.parse("00:01:00:00", "29.97df")


@pytest.mark.parametrize(
    ("text", "fps", "drop", "nominal"),
    [
        ("23.976", Fraction(24000, 1001), False, 24),
        ("23.98", Fraction(24000, 1001), False, 24),
        ("24000/1001", Fraction(24000, 1001), False, 24),
        (23.976, Fraction(24000, 1001), False, 24),
        (25, Fraction(25), False, 25),
        ("25.0", Fraction(25), False, 25),
        ("29.97", Fraction(30000, 1001), False, 30),
        ("29.97ndf", Fraction(30000, 1001), False, 30),
        ("29.97 DF", Fraction(30000, 1001), True, 30),
        ("30000/1001 drop", Fraction(30000, 1001), True, 30),
        ("59.94df", Fraction(60000, 1001), True, 60),
        ("47.952", Fraction(48000, 1001), False, 48),
        ("120", Fraction(120), False, 120),
    ],
)
def test_rates_as_people_write_them(text, fps, drop, nominal):
    rate = FrameRate.parse(text)
    assert (rate.fps, rate.drop, rate.nominal) == (fps, drop, nominal)
    assert FrameRate.parse(rate.name) == rate


@pytest.mark.parametrize("text", ["", "abc", "0", "24df", "25df", "23.976df", "1/0", "-25", "5000", "nan", "23", "29"])
def test_rates_that_do_not_exist(text):
    with pytest.raises(TimecodeError):
        FrameRate.parse(text)


@given(st.integers(0, 10**9), st.sampled_from(RATES))
def test_seconds_and_frames_are_inverse(frame, rate):
    code = Timecode(frame, rate)
    assert Timecode.from_seconds(code.seconds, rate) == code
    assert Timecode.from_seconds(float(code.seconds), rate) == code


def test_order_and_arithmetic():
    code = Timecode.parse("00:00:59;29", "29.97df")
    assert (code + 1).label == "00:01:00;02"
    assert code < code + 1
    with pytest.raises(TimecodeError):
        code + -2000


def test_three_digit_frames():
    rate = FrameRate.parse("120")
    assert labels(119, rate) == "00:00:00:119"
    assert frames_from_labels(["00:00:00:119", "00:00:01:000"], rate).tolist() == [119, 120]
