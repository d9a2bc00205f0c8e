"""Keys and chords: known answers, and equivariance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from analysis_builders import Q, cadence, corpus, delayed, read, score_of, sketch, tune

from rescore_music.analysis.frames import beats, coverage
from rescore_music.analysis.harmony import chord_spans, key_spans
from rescore_music.score import KEY, METER, Part

C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)
A_MINOR = (57, 59, 60, 62, 64, 65, 68, 69)


def test_a_scale_gives_its_key() -> None:
    for scale, tonic, mode in ((C_MAJOR, 0, "major"), (A_MINOR, 9, "minor")):
        for shift in range(12):
            keys = key_spans(score_of(tune(tuple(p + shift for p in scale + scale[::-1]))))
            assert [(k.tonic, k.mode) for k in keys] == [((tonic + shift) % 12, mode)]


def test_a_cadence_gives_its_chords() -> None:
    score = score_of(cadence())
    keys = key_spans(score)
    assert [(k.tonic, k.mode) for k in keys] == [(0, "major")]
    chords = chord_spans(score, keys)
    assert [(c.root, c.quality, c.bass) for c in chords] == [(0, "maj", 0), (5, "maj", 5), (7, "maj", 7), (0, "maj", 0)]
    assert [c.start for c in chords] == [0, 4 * Q, 8 * Q, 12 * Q]


def test_seventh_diminished_and_minor_chords() -> None:
    chords = ((55, 59, 62, 65), (59, 62, 65, 68), (57, 60, 64), (50, 53, 57, 60), (53, 57, 60, 64))
    score = score_of([(i * 4 * Q, 4 * Q, p) for i, chord in enumerate(chords) for p in chord])
    found = chord_spans(score, key_spans(score))
    assert [(c.root, c.quality) for c in found] == [(7, "7"), (11, "dim7"), (9, "min"), (2, "min7"), (5, "maj7")]


def test_a_broken_chord_is_a_chord_and_a_turn_in_unison_is_none() -> None:
    """C E G E in quavers; then the head of Beethoven's op. 18 no. 1, octaves and all, after a full chord."""
    broken = score_of([(i * Q // 2, Q // 2, p) for i, p in enumerate((60, 64, 67, 64) * 2)])
    assert [(c.root, c.quality) for c in chord_spans(broken, key_spans(broken))] == [(0, "maj")]
    turn = ((65, 3), (67, 1), (65, 1), (64, 1), (65, 2))  # pitch, quarters of a beat
    notes, at = [(0, 4 * Q, p) for p in (53, 60, 65, 69)], 4 * Q
    for pitch, length in turn:
        notes += [(at, length * Q // 2, pitch), (at, length * Q // 2, pitch - 12)]
        at += length * Q // 2
    found = chord_spans(score_of(notes), key_spans(score_of(notes)))
    assert [(c.root, c.quality) for c in found] == [(5, "maj"), (5, "")]


def test_an_inverted_chord_keeps_its_root() -> None:
    score = score_of([(0, 4 * Q, p) for p in (64, 67, 72)])
    chord = chord_spans(score, key_spans(score))[0]
    assert (chord.root, chord.quality, chord.bass) == (0, "maj", 4)


def test_a_modulation_is_found_near_its_bar() -> None:
    run = C_MAJOR + C_MAJOR[::-1] + C_MAJOR + C_MAJOR[::-1]
    first, second = tune(run), tune(tuple(p + 3 for p in run), 32 * Q)
    keys = key_spans(score_of(first + second))
    assert [(k.tonic, k.mode) for k in keys] == [(0, "major"), (3, "major")]
    assert abs(keys[1].start - 32 * Q) <= 4 * Q


def test_keys_and_chords_move_with_transposition_and_time() -> None:
    for path in corpus("bach/bwv66.6.mxl", "bach/bwv269.mxl"):
        score = read(path)
        keys = key_spans(score)
        chords = chord_spans(score, keys)
        moved = score.transposed(5)
        assert [((k.tonic + 5) % 12, k.mode, k.start) for k in keys] == [
            (k.tonic, k.mode, k.start) for k in key_spans(moved)
        ]
        assert [((c.root + 5) % 12, c.quality, (c.bass + 5) % 12, c.start) for c in chords] == [
            (c.root, c.quality, c.bass, c.start) for c in chord_spans(moved, key_spans(moved))
        ]
    score = sketch()
    later = delayed(score, 8 * 4 * Q)
    shifted = [(c.start - 32 * Q, c.root, c.quality) for c in chord_spans(later, key_spans(later)) if c.start >= 32 * Q]
    assert shifted == [(c.start, c.root, c.quality) for c in chord_spans(score, key_spans(score))]


def test_keys_and_chords_tile_the_music_and_every_bar_has_a_chord() -> None:
    score = read(corpus("bach/bwv66.6.mxl")[0])
    keys = key_spans(score)
    chords = chord_spans(score, keys)
    for spans in (keys, chords):
        assert spans[0].start == 0
        assert all(a.end == b.start for a, b in pairwise(spans))
        assert spans[-1].end >= score.length
        assert all(0 <= s.confidence <= 1 for s in spans)
    assert set(score.bars[:-1].tolist()) <= {c.start for c in chords}


def test_a_key_signature_decides_between_relatives() -> None:
    """C, E, G and A say nothing about major or minor; the signature does."""
    score = score_of([(i * Q, Q, p) for i, p in enumerate((60, 64, 67, 69) * 4)])
    for mode, name in enumerate(("major", "minor")):
        keys = key_spans(score.replace(keys=np.array([(0, 0, mode)], KEY)))
        assert [k.mode for k in keys] == [name]


def test_drums_have_no_harmony() -> None:
    score = score_of(tune()).replace(parts=(Part("Drums", percussion=True),))
    assert key_spans(score) == ()
    assert chord_spans(score, ()) == ()


def test_coverage_is_the_time_each_group_sounds() -> None:
    rng = np.random.default_rng(3)
    onset = np.sort(rng.integers(0, 900, 60))
    end = onset + rng.integers(0, 200, 60)
    group = rng.integers(0, 5, 60)
    edges = np.array([0, 100, 130, 400, 1200])
    expected = np.zeros((4, 5))
    for a, b, g in zip(onset, end, group, strict=True):
        for s in range(4):
            expected[s, g] += max(0, min(b, edges[s + 1]) - max(a, edges[s]))
    assert np.allclose(coverage(onset, end, group, 5, edges), expected)


def test_beats_follow_the_meter() -> None:
    waltz = score_of(tune(), meters=np.array([(0, 3, 4)], METER))
    assert np.array_equal(np.diff(beats(waltz)), np.full(len(beats(waltz)) - 1, Q))
    jig = score_of(tune(), meters=np.array([(0, 6, 8)], METER))
    assert set(np.diff(beats(jig)).tolist()) == {Q * 3 // 2}
