"""Motifs: a planted pattern is found with its occurrences, wherever and however it comes back."""

from __future__ import annotations

import numpy as np
from analysis_builders import Q, corpus, delayed, read, score_of

from rescore_music.analysis import discover_motifs
from rescore_music.analysis.motifs import diatonic_pitch
from rescore_music.structure import KeySpan

PATTERN = ((0, Q, 67), (Q, Q // 2, 72), (3 * Q // 2, Q // 2, 71), (2 * Q, Q, 74), (3 * Q, Q, 69))


def planted(shifts: dict[int, int], bars: int = 12) -> list[tuple[int, int, int]]:
    """The pattern in some bars (bar: semitones), slow notes that repeat nothing in the others."""
    filler = (60, 63, 58, 66, 61, 59, 65, 57, 62, 68, 56, 64)
    notes = []
    for bar in range(bars):
        if bar in shifts:
            notes += [(bar * 4 * Q + on, long, p + shifts[bar]) for on, long, p in PATTERN]
        else:
            cut = (2 + bar % 2) * Q - bar * 10
            notes += [(bar * 4 * Q, cut, filler[bar]), (bar * 4 * Q + cut, 4 * Q - cut, filler[-bar])]
    return notes


def test_a_planted_motif_is_found_with_its_transpositions() -> None:
    shifts = {1: 0, 4: 5, 7: -3, 10: 12}
    score = score_of(planted(shifts))
    best = discover_motifs(score)[0]
    starts = {o.start: o for o in best.occurrences}
    assert set(starts) == {bar * 4 * Q for bar in shifts}
    relations = [o.relation for o in best.occurrences]
    assert relations == ["first", "transposed", "transposed", "exact"]
    assert [o.interval for o in best.occurrences] == [0, 5, -3, 12]
    for occurrence in best.occurrences:
        bar = occurrence.start // (4 * Q)
        assert score.notes["pitch"][occurrence.notes].tolist() == [p + shifts[bar] for _, _, p in PATTERN]
        assert np.all(np.diff(score.notes["onset"][occurrence.notes]) > 0)


def test_a_sequence_in_scale_steps_is_one_motif() -> None:
    """C E D F | D F E G | E G F A in C major: equal steps, unequal semitones."""
    cells = ((60, 64, 62, 65), (62, 65, 64, 67), (64, 67, 65, 69))
    scale = [(12 * Q + i * Q, Q, p) for i, p in enumerate((72, 71, 69, 67, 65, 64, 62, 60))]
    rhythm = ((0, Q), (Q, Q // 2), (3 * Q // 2, Q // 2), (2 * Q, 2 * Q))
    notes = [
        (bar * 4 * Q + on, long, p)
        for bar, cell in enumerate(cells)
        for (on, long), p in zip(rhythm, cell, strict=True)
    ]
    motifs = discover_motifs(score_of(notes + scale))
    found = next(m for m in motifs if m.occurrences[0].start == 0)
    assert [o.start for o in found.occurrences] == [0, 4 * Q, 8 * Q]
    assert [o.relation for o in found.occurrences] == ["first", "diatonic", "diatonic"]


def test_motifs_move_with_transposition_and_time() -> None:
    score = score_of(planted({1: 0, 4: 5, 7: -3}))
    plain = discover_motifs(score)
    for other in (score.transposed(-4), delayed(score, 16 * Q)):
        moved = discover_motifs(other)
        assert len(moved) == len(plain)
        for a, b in zip(plain, moved, strict=True):
            assert all(np.array_equal(x.notes, y.notes) for x, y in zip(a.occurrences, b.occurrences, strict=True))


def test_the_motif_of_op_18_no_1() -> None:
    """The turn that opens the movement: f' dotted, g f e f, heard dozens of times."""
    score = read(corpus("beethoven/opus18no1/movement1.mxl")[0])
    motifs = discover_motifs(score)
    assert len(motifs) <= 10
    turn = [m for m in motifs if score.notes["pitch"][m.occurrences[0].notes].tolist()[:5] == [65, 67, 65, 64, 65]]
    assert turn
    assert max(len(m.occurrences) for m in turn) > 40


def test_motifs_say_different_things() -> None:
    """No two motifs mostly cover the same notes."""
    score = read(corpus("beethoven/opus18no1/movement1.mxl")[0])
    covered = [set(np.concatenate([o.notes for o in m.occurrences]).tolist()) for m in discover_motifs(score)]
    for i, a in enumerate(covered):
        for b in covered[i + 1 :]:
            assert len(a & b) < 0.5 * len(a | b)


def test_unison_doublings_are_one_statement() -> None:
    line = planted({1: 0, 4: 5, 7: -3})
    motifs = discover_motifs(score_of(line, [(on, long, p - 12) for on, long, p in line]))
    assert [o.start for o in motifs[0].occurrences] == [4 * Q, 16 * Q, 28 * Q]


def test_music_that_never_repeats_has_no_motif() -> None:
    notes, at = [], 0
    for i in range(12):
        notes.append((at, 40 * (i + 3), 50 + (i * i) % 23))
        at += 40 * (i + 3)
    assert discover_motifs(score_of(notes)) == ()
    assert discover_motifs(score_of([])) == ()


def test_steps_by_key_agree_with_the_spelling() -> None:
    """Bach's spelling and the scale step by key: mostly equal, chromatic notes apart."""
    score = read(corpus("bach/bwv269.mxl")[0])
    spelled = diatonic_pitch(score, ())
    rows = score.notes.copy()
    rows["step"] = -1
    by_key = diatonic_pitch(score.replace(notes=rows), (KeySpan(0, score.length, 7, "major"),))
    assert np.mean(spelled == by_key) > 0.97
