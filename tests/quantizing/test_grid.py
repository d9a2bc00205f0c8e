"""Performances over a real grid: the written score comes back, and the performance is kept beside it."""

from __future__ import annotations

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.elements import GRACE, METER, Articulation
from rescore_music.errors import ScoreError
from rescore_music.quantizing import quantize
from rescore_music.quantizing.evidence import grid_strength
from rescore_music.score import Part, Score, note_rows

from .played import heard, jittered, places, score_of, values


def line(durations, *, meter=(4, 4), bpm=110.0, pitches=(60, 62, 64, 65, 67, 65, 64, 62)) -> Score:
    durations = np.asarray(durations, float)
    onsets = np.concatenate([[0.0], np.cumsum(durations)[:-1]])
    return score_of(onsets, durations, np.resize(pitches, len(onsets)), meter=meter, bpm=bpm)


def texts(score: Score) -> list[str]:
    return [item.what for item in score.import_log if item.where == "quantize"]


RHYTHMS = {
    "quarters and eighths": [1, 0.5, 0.5, 1, 1] * 8,
    "sixteenths": [0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 1, 1] * 8,
    "dotted": [0.75, 0.25, 0.75, 0.25, 1.5, 0.5] * 8,
    "triplets among eighths": [1 / 3, 1 / 3, 1 / 3, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3, 1] * 8,
    "quarter triplets": [2 / 3, 2 / 3, 2 / 3, 1, 1] * 8,
    "syncopation": [0.5, 1, 0.5, 0.5, 1, 0.5] * 8,
}


@pytest.mark.parametrize("name", RHYTHMS)
def test_played_rhythms_are_written_as_they_were_meant(name):
    written = line(RHYTHMS[name])
    played = jittered(written, 0.015, 3)
    found = quantize(played)
    np.testing.assert_allclose(places(found), places(written), atol=1e-9)
    assert np.mean(np.abs(values(found) - values(written)) < 1e-9) > 0.97


def test_twelve_eight_stays_compound():
    written = line([1, 0.5, 0.5, 0.5, 0.5, 1.5, 1, 0.5] * 8, meter=(12, 8), bpm=100)
    found = quantize(jittered(written, 0.015, 5))
    np.testing.assert_array_equal(places(found), places(written))
    assert not found.marks  # long-short in a compound meter is no swing
    assert found.meter_at(0) == (12, 8)


def test_swung_eighths_are_written_even_and_keep_their_swing():
    even = line([0.5, 0.5, 0.5, 0.5, 1, 0.5, 0.5] * 16, bpm=140)
    notes = even.notes.copy()
    off = notes["onset"] % 480 == 240
    notes["onset"][off] += 80  # two to one
    notes["duration"] = np.maximum(np.diff(np.append(notes["onset"], notes["onset"][-1] + 480)) * 0.9, 1)
    played = jittered(even.replace(notes=notes), 0.012, 2, held=1.0)
    found = quantize(played)
    np.testing.assert_array_equal(places(found), places(even))
    assert [m.text for m in found.marks if m.kind == "text"] == ["Swing"]
    np.testing.assert_allclose(heard(found)[1], heard(played)[1], atol=0.001)
    strict = quantize(played, strength=1.0)
    late = (strict.sounding()["onset"] % 480)[off]
    assert np.all(np.abs(late - 320) < 25)  # what is written under "Swing" is played long-short, evenly
    assert len(np.unique(late)) == 1
    straight = quantize(played, swing="off")
    assert not straight.marks
    assert np.mean(np.isclose(places(straight)[off] % 1, 2 / 3)) > 0.9


def test_triplets_are_no_swing():
    written = line([1 / 3, 1 / 3, 1 / 3, 2 / 3, 1 / 3, 1, 1] * 10, bpm=90)
    found = quantize(jittered(written, 0.012, 4))
    assert not found.marks
    np.testing.assert_allclose(places(found), places(written), atol=1e-9)


def test_a_march_is_dotted_not_swung():
    written = line([0.75, 0.25, 0.75, 0.25, 0.5, 0.5, 1] * 10, bpm=112)
    found = quantize(jittered(written, 0.015, 6))
    assert not found.marks
    np.testing.assert_array_equal(places(found), places(written))


def test_strength_moves_the_performance_towards_the_written():
    written = line([0.5] * 64)
    played = jittered(written, 0.02, 1)
    error = {}
    for strength in (0.0, 0.5, 1.0):
        found = quantize(played, strength=strength)
        assert np.array_equal(found.notes["onset"], quantize(played).notes["onset"])
        error[strength] = np.abs(found.sounding()["onset"] - found.notes["onset"]).mean()
    assert error[1.0] == 0
    assert error[0.5] == pytest.approx(error[0.0] / 2, rel=0.05)
    np.testing.assert_allclose(heard(quantize(played))[1], heard(played)[1], atol=0.001)
    np.testing.assert_allclose(heard(quantize(played))[2], heard(played)[2], atol=0.001)


def test_impossible_options_are_refused():
    score = line([1] * 8)
    for options in ({"strength": 2.0}, {"beats": "tap"}, {"swing": "maybe"}, {"meter": (5, 4)}):
        with pytest.raises(ScoreError):
            quantize(score, **options)


def test_a_written_score_comes_back_unchanged():
    score = line([1, 0.5, 0.5, 1 / 3, 1 / 3, 1 / 3, 1] * 6)
    assert quantize(score) == score
    assert quantize(Score()) == Score()


def test_staccato_playing_makes_dots_not_rests():
    written = line([0.5] * 32)
    found = quantize(jittered(written, 0.01, 8, held=0.45))
    assert np.mean(values(found) == 0.5) > 0.95
    assert np.mean((found.notes["articulation"] & int(Articulation.STACCATO)) != 0) > 0.9
    legato = quantize(jittered(written, 0.01, 8, held=1.08))
    assert np.all(values(legato)[:-1] == 0.5)
    assert not np.any(legato.notes["articulation"])


def test_a_short_note_before_the_beat_is_a_grace_note():
    rows = []
    for beat in range(16):
        if beat % 4 == 2:
            rows.append((beat * 480 - 40, 36, 74, 70, 0))
        rows.append((beat * 480, 400, 72, 80, 0))
    found = quantize(Score(notes=note_rows(rows), parts=(Part(),)), beats="file")
    grace = (found.notes["articulation"] & GRACE) != 0
    assert grace.sum() == 4
    assert np.all(found.notes["pitch"][grace] == 74)
    assert places(found)[grace].tolist() == [2, 6, 10, 14]
    assert np.all(found.notes["duration"][grace] == 0)
    sound = found.sounding()
    assert sound["onset"][grace].tolist() == [b * 480 - 40 for b in (2, 6, 10, 14)]
    assert any("grace" in text for text in texts(found))


def test_a_rolled_chord_is_one_chord():
    rows = [
        (bar * 1920 + 24 * i, 1700 - 24 * i, pitch, 80, 0)
        for bar in range(8)
        for i, pitch in enumerate((48, 55, 60, 64))
    ]
    found = quantize(Score(notes=note_rows(rows), parts=(Part(),)), beats="file")
    assert places(found).tolist() == np.repeat(np.arange(8) * 4, 4).tolist()
    assert np.all(found.notes["articulation"] & int(Articulation.ARPEGGIO))


def test_doubled_strokes_are_merged_and_counted():
    rows = [(i * 480 + 3, 440, 60, 80, 0) for i in range(16)] + [(4 * 480, 200, 60, 60, 0)]
    found = quantize(Score(notes=note_rows(rows), parts=(Part(),)), beats="file")
    assert len(found.notes) == 16
    assert [i.count for i in found.import_log if "merged" in i.what] == [1]
    assert all(i.lost for i in found.import_log if "merged" in i.what)


def test_drums_get_no_short_values():
    rows = [(i * 240 + 4, 12, (36, 42)[i % 2], 90, 0) for i in range(64)]
    found = quantize(Score(notes=note_rows(rows), parts=(Part(percussion=True),)))
    assert np.all(values(found) == 0.5)


def test_other_events_stay_where_they_are_on_a_real_grid():
    played = jittered(line([0.5] * 64), 0.015, 2)
    played = played.replace(
        keys=np.array([(0, 2, 0)], played.keys.dtype),
        controls=np.array([(33, 0, 64, 127), (701, 0, 64, 0)], played.controls.dtype),
    )
    found = quantize(played)
    assert np.array_equal(found.keys, played.keys)
    assert np.array_equal(found.controls, played.controls)
    assert found.tempo == played.tempo


def test_odd_resolutions_are_made_divisible():
    meters = np.array([(0, 4, 4)], METER)
    rows = [(round(i * 44.5) + i % 3, 40, 60 + i % 5, 80, 0) for i in range(64)]
    from rescore_music.tempo import TempoMap

    played = Score(
        notes=note_rows(rows), parts=(Part(),), ticks_per_quarter=89, tempo=TempoMap.constant(100, 89), meters=meters
    )
    found = quantize(played)
    np.testing.assert_array_equal(places(found), np.arange(64) / 2)
    np.testing.assert_allclose(heard(found)[1], heard(played)[1], atol=0.004)


def test_the_grid_is_believed_where_onsets_keep_to_it():
    written = line([0.5, 0.25, 0.25, 1] * 20, bpm=97)
    assert grid_strength(written) > 0.9
    assert grid_strength(jittered(written, 0.018, 1)) > 0.5


def test_the_public_name():
    assert rm.quantize is quantize
