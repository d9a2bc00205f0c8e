"""The key model: known answers, and what must hold of its probabilities."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from analysis_builders import Q, corpus, read, score_of

from rescore_music.analysis import keys
from rescore_music.analysis.chords import frames_of, read_chords
from rescore_music.analysis.harmony import find_harmony, key_spans
from rescore_music.analysis.key_clues import key_clues
from rescore_music.score import Articulation, Score
from rescore_music.structure import KeySpan, home_key

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

ONE, IV, V, V7 = (48, 64, 67, 72), (53, 65, 69, 72), (55, 62, 67, 71), (55, 65, 71, 74)


def chords(progression: list[tuple[int, ...]], long: int = Q) -> Score:
    return score_of([(i * long, long, p) for i, chord in enumerate(progression) for p in chord])


def up(chord: tuple[int, ...], semitones: int) -> tuple[int, ...]:
    return tuple(p + semitones for p in chord)


def named(score: Score) -> list[tuple[int, str]]:
    return [(k.tonic, k.mode) for k in key_spans(score)]


def phrases() -> list[tuple[int, ...]]:
    """Eight chords in C, eight that close in G, eight in C again."""
    home = [ONE, IV, V, ONE, IV, V, V7, ONE]
    away = [up(chord, 7 - 12 * (chord[0] > 50)) for chord in home]
    return [*home, *away, *home]


def test_a_phrase_that_closes_in_the_dominant_is_in_the_dominant() -> None:
    found = key_spans(chords(phrases()))
    assert [(k.tonic, k.mode) for k in found] == [(0, "major"), (7, "major"), (0, "major")]
    assert 8 * Q <= found[1].start <= 10 * Q  # the first two chords, G and C, belong to both keys
    assert abs(found[2].start - 16 * Q) <= Q


def test_one_secondary_dominant_is_no_modulation() -> None:
    """D7 to G in the middle of a phrase that closes in C."""
    score = chords([ONE, IV, V7, ONE, up(V7, 7), V, V7, ONE])
    assert named(score) == [(0, "major")]


def test_slow_harmony_modulates_as_quick_harmony_does() -> None:
    """The same chords in notes of four times the length: the same keys at four times the places."""
    quick, slow = key_spans(chords(phrases())), key_spans(chords(phrases(), 4 * Q))
    assert [(k.tonic, k.mode) for k in slow] == [(k.tonic, k.mode) for k in quick]
    assert [k.start for k in slow] == pytest.approx([4 * k.start for k in quick], abs=2 * 4 * Q)


def test_a_key_lasts_two_beats_at_least() -> None:
    for path in corpus("bach/bwv27*.mxl"):
        score = read(path)
        spans = key_spans(score)
        assert all(k.end - k.start >= 2 * score.beat_ticks(k.start) for k in spans[1:-1])


def test_the_key_of_the_whole_is_where_it_stays_and_ends() -> None:
    assert home_key(()) is None
    spans = (KeySpan(0, 40, 0, "major"), KeySpan(40, 90, 7, "major"), KeySpan(90, 100, 0, "major"))
    whole = home_key(spans)
    assert whole is not None
    assert (whole.start, whole.end, whole.tonic, whole.mode) == (0, 100, 0, "major")
    assert 0.5 < whole.confidence < 1
    alone = home_key(spans[:1])
    assert alone is not None
    assert alone.confidence == pytest.approx(1.0)


def test_probabilities_are_those_of_all_paths() -> None:
    """Three frames and their 13,824 paths, one by one."""
    rng = np.random.default_rng(1)
    gain, move, change = rng.normal(0, 1, (3, 24)), rng.normal(-1, 1, (24, 24)), rng.normal(0, 1, 3)
    np.fill_diagonal(move, 0)
    expected = np.zeros((3, 24))
    for path in product(range(24), repeat=3):
        total = gain[np.arange(3), path].sum()
        for t in (1, 2):
            total += move[path[t - 1], path[t]] + change[t] * (path[t - 1] != path[t])
        expected[np.arange(3), path] += np.exp(total)
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.allclose(keys.marginals(gain, move, change), expected)


def test_confidence_is_the_mean_probability_of_the_key() -> None:
    score = read(corpus("bach/bwv66.6.mxl")[0])
    frames = frames_of(score)
    path, chance = keys.read_keys(key_clues(score, frames, read_chords(frames)[0]), frames.share_of_beat)
    assert np.allclose(chance.sum(axis=1), 1)
    for span in find_harmony(score).keys:
        inside = (frames.edges[:-1] >= span.start) & (frames.edges[:-1] < span.end)
        key = span.tonic + 12 * (span.mode == "minor")
        assert set(path[inside].tolist()) == {key}
        assert span.confidence == pytest.approx(chance[inside, key].mean())


def test_fermatas_open_the_way_to_another_key() -> None:
    """Where a phrase has ended under a fermata the clue of a change is set on the next chord, and only there."""
    score = chords([ONE, V, ONE, IV, V, ONE])
    rows = score.notes.copy()
    rows["articulation"][rows["onset"] == 2 * Q] |= int(Articulation.FERMATA)
    marked = score.replace(notes=rows)
    frames = frames_of(marked)
    places = key_clues(marked, frames, read_chords(frames)[0]).places
    assert frames.edges[np.flatnonzero(places[:, 5])].tolist() == [3 * Q]
    assert not key_clues(score, frames, read_chords(frames)[0]).places[:, 5].any()


def test_the_fit_descends_along_its_own_slope() -> None:
    """The gradient of `fit_keys.loss` is the slope measured by small steps."""
    import fit_keys

    score = chords(phrases())
    frames = frames_of(score)
    clues = key_clues(score, frames, read_chords(frames)[0])
    truth = np.where((frames.edges[:-1] >= 8 * Q) & (frames.edges[:-1] < 16 * Q), 7, 0)
    reference = fit_keys.Reference("made", Path(), np.zeros((0, 7)), ())
    work = fit_keys.Work(reference, clues, truth, frames.edges, frames.share_of_beat, Q, score.length)
    size = sum(int(np.prod(shape)) for shape in fit_keys.SHAPES.values())
    at = np.random.default_rng(0).normal(0, 0.1, size)
    worth = np.ones(1)
    _, slope = fit_keys.loss(at, [work], worth)
    for i in [int(np.abs(slope[: 12 * 12 * 8]).argmax()), size - 60, size - 50, size - 20, size - 6, size - 1]:
        step = np.zeros(size)
        step[i] = 1e-5
        rise = fit_keys.loss(at + step, [work], worth)[0] - fit_keys.loss(at - step, [work], worth)[0]
        assert slope[i] == pytest.approx(rise / 2e-5, rel=1e-3, abs=1e-6)
