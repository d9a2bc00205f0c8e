"""Recordings without a click: beats, bars, pickups and tempo are found, and nothing is heard to change."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.elements import CONTROL, Mark, Marker
from rescore_music.quantizing import quantize
from rescore_music.quantizing.evidence import grid_is_real
from rescore_music.score import Score

from .played import heard, places, recorded, score_of

# a bar each: a bass note and its chord
CHORDS = ((48, 64, 67, 72), (43, 65, 67, 71), (48, 64, 67, 72), (41, 65, 69, 72))
TUNE = (1.5, 0.5, 1, 1, 0.5, 0.5, 0.5, 0.5, 2)


def song(bars: int = 16, pickup: bool = False) -> Score:
    """A tune in eighths and quarters over a bass note and a chord in turn, in 4/4."""
    shift = 1.0 if pickup else 0.0
    durations = np.resize(TUNE, 9 * (bars // 2))
    onsets = np.concatenate([[0.0], np.cumsum(durations)[:-1]]) + shift
    tune = np.resize((72, 74, 76, 77, 79, 77, 76, 74, 72), len(onsets))
    rows = [(o, d, p, 0) for o, d, p in zip(onsets, durations, tune, strict=True)]
    if pickup:
        rows.append((0.0, 1.0, 67, 0))
    for half in range(bars * 2):
        bass, *chord = CHORDS[(half // 2) % 4]
        rows.append((half * 2 + shift, 1.0, bass - 12 + (7 if half % 2 else 0), 1))
        rows += [(half * 2 + 1 + shift, 1.0, pitch - 12, 1) for pitch in chord]
    columns = list(zip(*rows, strict=True))
    barlines = [0, *(480 + 1920 * np.arange(bars + 1))] if pickup else ()
    return score_of(columns[0], columns[1], columns[2], parts=columns[3], barlines=barlines)


def rubato(quarters, *, bpm=92.0, depth=0.12, lead=0.8):
    """Seconds at places: every four bars hurry and linger by `depth`."""
    q = np.asarray(quarters, float)
    return lead + 60 / bpm * (q - depth * 16 / (2 * np.pi) * np.sin(2 * np.pi * q / 16))


def shift_of(found: Score, written: Score) -> float:
    """The one distance between two notations, in quarters; fails where it is not one."""
    distance = distances_of(found, written)
    assert len(np.unique(distance)) == 1
    return float(distance[0])


def distances_of(found: Score, written: Score) -> np.ndarray:
    """How far each note stands from where it is written, in quarters."""
    order = [np.lexsort((s.sounding()["onset"], s.notes["pitch"], s.notes["part"])) for s in (found, written)]
    return np.round(places(found)[order[0]] - places(written)[order[1]], 6)


def test_a_recording_with_rubato_is_notated_as_it_was_written():
    written = song()
    played = recorded(written, rubato, 0.012, 4)
    assert not grid_is_real(played)
    found = quantize(played)
    assert found.meter_at(int(found.notes["onset"][0])) == (4, 4)
    first = shift_of(found, written) * found.ticks_per_quarter
    assert first in found.bars  # the first note stands on a bar line
    np.testing.assert_allclose(heard(found)[1], heard(played)[1], atol=0.0015)
    np.testing.assert_allclose(heard(found)[2], heard(played)[2], atol=0.0015)
    beats = found.tempo.seconds(first + np.arange(48) * found.ticks_per_quarter)
    np.testing.assert_allclose(beats, rubato(np.arange(48)), atol=0.025)


def test_a_pickup_stands_before_the_first_bar_line():
    written = song(pickup=True)
    found = quantize(recorded(written, lambda q: rubato(q, depth=0.06), 0.01, 2))
    first = shift_of(found, written) * found.ticks_per_quarter
    assert first + 480 in found.bars
    assert first not in found.bars[1:]


def test_a_short_fermata_is_a_slow_beat_not_more_beats():
    written = song()

    def held(quarters):
        q = np.asarray(quarters, float)
        return rubato(q, depth=0.03) + np.where(q >= 32, 0.25, 0.0)

    found = quantize(recorded(written, held, 0.01, 3))
    distances = distances_of(found, written)
    assert np.mean(distances == distances[0]) >= 0.98  # but for the beat that lingers itself


def test_strict_playing_at_another_tempo_is_found():
    written = song()
    found = quantize(recorded(written, lambda q: 0.35 + np.asarray(q) * 60 / 101, 0.0))
    first = shift_of(found, written) * found.ticks_per_quarter
    np.testing.assert_allclose(found.tempo.bpm(first + np.arange(4, 50) * 480), 101, rtol=0.02)


def test_a_jig_is_found_in_six_eight():
    eighths = np.arange(6 * 24) * 0.5
    pattern = np.tile([1, 1, 1, 1, 0, 1], 24).astype(bool)
    onsets = eighths[pattern]
    durations = np.diff(np.append(onsets, 72.0))
    bass = np.arange(48) * 1.5
    written = score_of(
        np.concatenate([onsets, bass]),
        np.concatenate([durations, np.full(48, 1.5)]),
        np.concatenate([np.resize((74, 76, 77, 79, 81, 79, 77, 76), len(onsets)), np.tile([38, 45], 24)]),
        meter=(6, 8),
        parts=np.repeat([0, 1], [len(onsets), 48]),
    )
    found = quantize(recorded(written, lambda q: rubato(q, bpm=150, depth=0.02), 0.01, 7))
    shift_of(found, written)
    assert found.meter_at(0) == (6, 8)


def test_everything_else_moves_with_the_music():
    written = song()
    played = recorded(written, rubato, 0.01, 1)
    places_s = np.array([1.0, 7.3, 20.11])
    ticks = np.rint(places_s * 960).astype(int)
    played = played.replace(
        controls=np.array([(t, 0, 64, 127) for t in ticks], CONTROL),
        markers=tuple(Marker(int(t), "hit") for t in ticks),
        marks=(Mark(int(ticks[0]), "text", "dolce", 0), Mark(int(ticks[1]), "hairpin", "<", 0, end=int(ticks[2]))),
    )
    found = quantize(played)
    np.testing.assert_allclose(found.seconds(found.controls["tick"]), places_s, atol=0.0015)
    np.testing.assert_allclose(found.seconds([m.tick for m in found.markers]), places_s, atol=0.0015)
    hairpin = next(m for m in found.marks if m.kind == "hairpin")
    np.testing.assert_allclose(found.seconds([hairpin.tick, hairpin.end]), places_s[1:], atol=0.0015)
    assert found.bars[-1] >= found.length


def test_what_was_found_is_told():
    log = [item.what for item in quantize(recorded(song(), rubato, 0.01, 1)).import_log]
    assert any(text.startswith("beats found") for text in log)
    assert any(text.startswith("bars found in 4/4") for text in log)


@pytest.mark.parametrize("beats", ["file", "find"])
def test_the_source_of_beats_can_be_told(beats):
    played = recorded(song(8), lambda q: 0.35 + np.asarray(q) * 60 / 101, 0.004)
    found = quantize(played, beats=beats)
    assert (found.tempo == played.tempo) == (beats == "file")


def test_a_few_notes_are_not_tracked():
    score = score_of([0.013, 0.97, 2.11], [0.4, 0.5, 0.7])
    assert quantize(score).tempo == score.tempo
