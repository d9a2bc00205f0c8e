"""Click and free bars: on the sample, on the beat, whole frames before the cue."""

from __future__ import annotations

import io
from fractions import Fraction

import mido
import numpy as np
import pytest
from cues_and_scores import bending, cue, spotting

from rescore_music.errors import SyncError
from rescore_music.io.midi.write import midi_bytes
from rescore_music.stage.click import BEAT, CLICK, DOWNBEAT, SUBDIVISION, click_audio, click_score, clicks
from rescore_music.stage.conductor import smpte_offset, with_offset
from rescore_music.stage.landings import landings
from rescore_music.stage.lead import lead_in
from rescore_music.tempo import TempoMap
from rescore_music.timecode import RATES, FrameRate, Timecode

FILM = FrameRate.parse("23.976")


def heard(score) -> list[tuple[Fraction, int]]:
    """(exact seconds, key) of every note-on, as mido reads the file."""
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    tempo, now, out = 500000, Fraction(0), []
    for message in mido.merge_tracks(file.tracks):
        now += Fraction(message.time * tempo, file.ticks_per_beat * 1_000_000)
        if message.type == "set_tempo":
            tempo = message.tempo
        elif message.type == "note_on" and message.velocity:
            out.append((now, message.note))
    return out


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_click_is_on_the_sample_that_the_midi_names(rate):
    led = lead_in(cue(tempo=bending()), rate)
    places = clicks(led.score, start=led.warning)
    sound = click_audio(places, led.score.duration, 48000)
    samples = np.abs(sound.samples[:, 0])
    onsets = np.flatnonzero((samples > 0.25) & (np.concatenate([np.zeros(1000), samples[:-1000]]) < 0.01))
    onsets = onsets[np.diff(onsets, prepend=-9999) > 2000]
    named = [time for time, _ in heard(click_score(led.score, places))]
    assert len(onsets) == len(named) == 4 * 10
    assert max(abs(int(at) - time * 48000) for at, time in zip(onsets, named, strict=True)) < Fraction(55, 100)


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("bars", [1, 2, 4])
def test_free_bars_are_whole_frames_in_the_first_tempo(rate, bars):
    score = cue(tempo=bending())
    led = lead_in(score, rate, bars)
    assert float(led.score.seconds(led.ticks)) == pytest.approx(float(led.frames / rate.fps), abs=1e-9)
    ticks = np.arange(0, score.length, 60)
    assert led.score.seconds(ticks + led.ticks) - float(led.frames / rate.fps) == pytest.approx(
        score.tempo.stepped(until=score.length).seconds(ticks), abs=1e-9
    )
    warning = float(led.score.seconds(led.ticks) - led.score.seconds(led.warning))
    assert warning == pytest.approx(bars * 4 * 0.612346, abs=1e-6)
    assert 0.5 <= float(led.score.seconds(led.warning)) < 0.5 + float(1 / rate.fps)
    assert led.bars == bars + 1
    assert np.array_equal(led.score.bars[led.bars :], score.bars + led.ticks)
    places = clicks(led.score, start=led.warning)
    assert np.sum(places["tick"] < led.ticks) == 4 * bars
    assert np.array_equal(places["tick"][places["level"] == DOWNBEAT], led.score.bars[1:-1])


def test_a_pickup_is_led_in_by_what_it_lacks():
    score = cue(meter=(3, 4), pickup=480)
    led = lead_in(score, FILM, 2)
    places = clicks(led.score, start=led.warning)
    before = places[places["tick"] < led.ticks]
    assert before["level"].tolist() == [DOWNBEAT, BEAT, BEAT] * 2 + [DOWNBEAT, BEAT]
    upbeat = places[places["tick"] >= led.ticks]
    assert upbeat["level"][:2].tolist() == [BEAT, DOWNBEAT]
    assert np.array_equal(led.score.bars[led.bars + 1 :], score.bars[1:] + led.ticks)


def test_an_upbeat_without_free_bars_is_no_downbeat():
    score = cue(meter=(3, 4), pickup=480)
    assert clicks(lead_in(score, FILM, 0).score)["level"][:3].tolist() == [BEAT, DOWNBEAT, BEAT]


def test_no_free_bars_leave_the_cue_where_it_is():
    score = cue()
    led = lead_in(score, FILM, 0)
    assert (led.ticks, led.frames, led.bars) == (0, 0, 0)
    assert led.origin(Timecode(10, FILM)) == Timecode(10, FILM)
    with pytest.raises(SyncError):
        lead_in(score, FILM, 17)
    early = lead_in(score, FILM, 2)
    assert early.origin(Timecode(0, FILM)).label.startswith("23:59:5")


@pytest.mark.parametrize(
    ("meter", "bpm", "subdivide", "beats", "in_between"),
    [
        ((4, 4), 100, "auto", 4, 0),
        ((4, 4), 50, "auto", 4, 4),  # slow: eighths
        ((6, 8), 120, "auto", 2, 0),  # dotted quarters at 80
        ((6, 8), 60, "auto", 2, 4),  # dotted quarters at 40: all eighths
        ((9, 8), 60, "auto", 3, 6),
        ((4, 4), 50, "off", 4, 0),
        ((3, 4), 140, "3", 3, 6),
        ((7, 8), 100, "auto", 7, 0),
        ((2, 2), 60, "auto", 2, 2),  # half notes at 30
    ],
)
def test_slow_beats_are_subdivided(meter, bpm, subdivide, beats, in_between):
    score = cue(bars=2, meter=meter, tempo=TempoMap.constant(bpm))
    places = clicks(score, subdivide=subdivide)
    levels = places["level"].tolist()
    assert levels.count(DOWNBEAT) == 2
    assert levels.count(DOWNBEAT) + levels.count(BEAT) == 2 * beats
    assert levels.count(SUBDIVISION) == 2 * in_between
    assert np.ptp(np.diff(places["tick"])) <= 1
    with pytest.raises(SyncError):
        clicks(score, subdivide="5")


def test_an_accent_is_louder_and_the_first_sample_is_the_loudest():
    places = np.array([(0, 0.0, DOWNBEAT), (0, 0.5, BEAT), (0, 1.0, SUBDIVISION)], CLICK)
    samples = np.abs(click_audio(places, 1.2, 44100).samples[:, 0])
    peaks = [samples[at] for at in (0, 22050, 44100)]
    assert peaks == sorted(peaks, reverse=True)
    for at in (0, 22050, 44100):
        assert samples[at] == samples[at : at + 2000].max()


OFFSETS = {  # rate -> what mido reads of 01:02:03 and the ninth frame
    "23.976": (24, 9, 0),
    "24": (24, 9, 0),
    "25": (25, 9, 0),
    "29.97df": (29.97, 9, 0),
    "29.97ndf": (30, 9, 0),
    "30": (30, 9, 0),
    "48": (24, 4, 50),
    "50": (25, 4, 50),
    "59.94df": (29.97, 4, 50),
    "60": (30, 4, 50),
}


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_smpte_offset_says_the_label_and_what_it_cannot_say(rate):
    count, frames, subframes = OFFSETS[rate.name]
    score, log = with_offset(cue(), Timecode.parse("01:02:03:09", rate))
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    said = [m for m in file.tracks[0] if m.type == "smpte_offset"]
    assert len(said) == 1
    assert (said[0].hours, said[0].minutes, said[0].seconds) == (1, 2, 3)
    assert (said[0].frame_rate, said[0].frames, said[0].sub_frames) == (count, frames, subframes)
    exact = rate.name in ("24", "25", "29.97df", "30")
    assert (not log) == exact
    if log:
        assert rate.name in log[0].what
    again, _ = with_offset(score, Timecode.parse("02:00:00:00", rate))
    assert again.raw[0].data == smpte_offset(Timecode.parse("02:00:00:00", rate))[0]
    assert len(again.raw) == 1


def test_the_click_part_keeps_the_offset_and_the_markers():
    score, _ = with_offset(cue(), Timecode.parse("01:00:00:00", "25"))
    made = click_score(score, clicks(score))
    assert made.raw == score.raw
    assert {note for _, note in heard(made)} == {76, 77}
    assert [p.name for p in made.parts] == ["Click"]


def test_landings_of_a_cue_as_it_is():
    score = cue(tempo=TempoMap.constant(120))  # eighths every quarter of a second
    rate = FrameRate.parse("24")
    found = landings(score, spotting(rate, (0, 6, 13, 17)))
    assert [hit.tick for hit in found] == [0, 240, 480, 720]
    assert [round(hit.residual_frames, 6) for hit in found] == [0, 0, -1, 1]
    assert [hit.landed for hit in found] == [True, True, False, False]
    assert [(hit.bar, hit.beat) for hit in found] == [(1, 1.0), (1, 1.5), (1, 2.0), (1, 2.5)]
