"""Phrases that change hands are cut where they do, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analysis_builders import Q, corpus, delayed, read, score_of

from rescore_music.analysis import analyze
from rescore_music.analysis.hand_overs import CUT, hand_overs
from rescore_music.analysis.phrases import cut_phrases
from rescore_music.analysis.voices import lines_of
from rescore_music.score import Score
from rescore_music.structure import Phrase, Role

BAR = 4 * Q
SCALE = (72, 74, 76, 77, 79, 77, 76, 74)


def held(bars: int, pitch: int) -> list[tuple[int, int, int]]:
    return [(i * BAR, BAR, pitch) for i in range(bars)]


def quartet(bars: int) -> Score:
    """Two parts that play all the time, in eighths."""
    return score_of(*([(i * Q // 2, Q // 2, p + i % 5) for i in range(8 * bars)] for p in (72, 60)))


def cut_at(score: Score, first: list[float], length: int) -> list[float]:
    """Bars at which phrases of so many bars are cut, the first line's chance to lead being given a bar."""
    chance = np.array([[p, 1 - p] for p in first])
    phrases = tuple(Phrase(i * BAR, (i + length) * BAR) for i in range(0, len(first), length))
    lines, _ = lines_of(score, np.zeros(len(score.notes), np.int64))
    return [t / BAR for t in hand_overs(score, lines, phrases, np.log(np.maximum(chance, 1e-9)))]


@pytest.mark.parametrize(
    ("first", "cuts"),
    [
        ([0.9, 0.9, 0.1, 0.1], [2]),
        ([0.9, 0.9, 0.9, 0.9], []),
        ([0.9, 0.9, 0.9, 0.4], []),  # a doubtful bar is no hand-over
        ([0.95, 0.95, 0.95, 0.05], [3]),
        ([0.6, 0.6, 0.4, 0.4], []),
        ([0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1], []),  # two phrases, each in one hand
    ],
)
def test_a_phrase_is_cut_where_that_gains_enough_of_the_tune(first: list[float], cuts: list[float]) -> None:
    assert cut_at(quartet(len(first)), first, 4) == cuts


def test_a_long_phrase_may_change_hands_often() -> None:
    assert cut_at(quartet(8), [0.95, 0.95, 0.05, 0.05] * 2, 8) == [2, 4, 6]


def test_each_cut_gains_its_cost() -> None:
    """Over random chances the pieces hold more of the melody than the phrase in one hand, by the cost of the cuts."""
    rng = np.random.default_rng(1)
    score = quartet(8)
    for _ in range(40):
        first = rng.random(8)
        cuts = [0, *(int(c) for c in cut_at(score, first.tolist(), 8)), 8]
        pieces = list(pairwise(cuts))
        held_ = sum(max(first[a:b].sum(), (1 - first[a:b]).sum()) for a, b in pieces)
        assert held_ - CUT * (len(pieces) - 1) >= max(first.sum(), (1 - first).sum()) - 1e-9


def test_the_seam_lies_where_the_new_line_comes_in() -> None:
    """The second part rests until the upbeat to bar 3: its last quarter belongs to what it begins."""
    one = [(i * Q, Q, SCALE[i % 8]) for i in range(8)]
    two = [(2 * BAR - Q, Q, 67), *((2 * BAR + i * Q, Q, 60 + i) for i in range(8))]
    assert cut_at(score_of(one, two), [0.95, 0.95, 0.05, 0.05], 4) == [1.75]


def test_cut_phrases_tile_the_score_and_likes_keep_one_label() -> None:
    notes = [(i * Q, Q, SCALE[i % 8]) for i in range(32)]  # eight bars, two and two alike
    score = score_of(notes)
    whole = (Phrase(0, 4 * BAR, "A"), Phrase(4 * BAR, 8 * BAR, "A"))
    assert cut_phrases(score, whole, ()) is whole
    cut = cut_phrases(score, whole, (2 * BAR, 6 * BAR))
    assert [(p.start // BAR, p.end // BAR) for p in cut] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert {p.label for p in cut} == {"A"}


def dialogue() -> Score:
    """Flute and bassoon take two bars of tune each in turn, over a held bass; who does not lead rests."""
    turns = [(i, n) for i in range(8) for n in range(8)]
    tunes: tuple[list[tuple[int, int, int]], ...] = ([], [])
    for i, n in turns:
        low = 0 if i % 2 == 0 else -24
        tunes[i % 2].append((2 * i * BAR + n * Q, Q, SCALE[(n + i // 2) % 8] + low))
    return score_of(*tunes, held(16, 36), names=("Flute", "Bassoon", "Contrabass"))


def test_a_dialogue_has_one_melody_at_a_time() -> None:
    score = dialogue()
    found = analyze(score)
    for i, phrase in enumerate(found.phrases):
        turns = {int(t) // (2 * BAR) % 2 for t in range(phrase.start, phrase.end, Q)}
        assert len(turns) == 1, phrase
        leads = [line.part for k, line in enumerate(found.lines) if found.roles[k, i] == Role.MELODY]
        assert leads == list(turns)
    assert found.phrases[0].start == 0
    assert found.phrases[-1].end == score.length
    later = analyze(delayed(score, 4 * BAR))
    assert {p.start + 4 * BAR for p in found.phrases} <= {p.start for p in later.phrases}
    up = analyze(score.transposed(2))
    assert [p.start for p in up.phrases] == [p.start for p in found.phrases]


def test_a_chorale_stays_in_the_sopranos_hands() -> None:
    for path in corpus("bach/bwv26*.mxl")[:6]:
        score = read(path)
        if len(score.parts) == 4:
            found = analyze(score)
            soprano = [k for k, line in enumerate(found.lines) if line.part == 0]
            assert np.isin(found.roles[soprano], (Role.MELODY, Role.REST)).mean() > 0.9
