"""Main melody: who leads, where it is handed over, and which notes it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_builders import TUNE, Q, cadence, corpus, piled, read, score_of, sketch, tune

from rescore_music.analysis import main_melody, melody_notes
from rescore_music.analysis.clues import PRIOR, part_clues, prior
from rescore_music.analysis.features import describe
from rescore_music.analysis.frames import beats
from rescore_music.analysis.melody import Evidence, melody_evidence, melody_path, together
from rescore_music.analysis.melody_clues import WHO_PLAYS
from rescore_music.analysis.melody_context import NEAR, context_scores, places_of
from rescore_music.analysis.melody_net import HOPELESS, load_stages, save_stages, shipped_stages
from rescore_music.analysis.patterns import Patterns, find_patterns, others_alike, pooled, recurrence
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.elements import Mark
from rescore_music.score import Part, Score

BAR = 4 * Q
BASS = [(i * Q, Q, 36 + 5 * (i % 2)) for i in range(32)]


def test_a_tune_over_chords_leads_whatever_its_place_in_the_score() -> None:
    for parts in ((tune() * 1, cadence(1)), (cadence(1), tune())):
        score = score_of(*parts)
        leader = next(i for i, notes in enumerate(parts) if len(notes) == len(TUNE) and notes[0][2] == TUNE[0])
        assert {s.part for s in main_melody(score)} == {leader}


def test_a_tune_is_followed_into_the_tenor() -> None:
    """The same tune first above held chords, then an octave below in another part under them."""
    high = tune(tuple(p + 12 for p in TUNE))
    low = tune(tuple(p - 7 for p in TUNE), 4 * BAR)
    chords = [(bar * BAR, BAR, p) for bar in range(8) for p in (60, 64, 67)]
    score = score_of(high, chords, low, BASS, names=("Oboe", "Strings", "Cello", "Bass"))
    found = main_melody(score)
    assert [s.part for s in found] == [0, 2]
    assert found[1].onset == 4 * BAR


def test_a_hand_over_is_where_the_new_line_comes_in() -> None:
    """An upbeat of one beat belongs to the line that it opens."""
    chords = [(bar * BAR, BAR, p) for bar in range(8) for p in (48, 52, 55)]
    first = tune(TUNE[:15])
    second = tune((67, *TUNE, 72), 4 * BAR - Q)
    found = main_melody(score_of(first, second, chords, names=("Oboe", "Flute", "Strings")))
    assert [s.part for s in found] == [0, 1]
    assert found[1].onset == 4 * BAR - Q


def test_segments_follow_each_other_and_transposition_changes_nothing() -> None:
    score = score_of(cadence(2), tune(), tune(tuple(p + 5 for p in TUNE), 16 * Q), names=("Strings", "Oboe", "Horn"))
    found = main_melody(score)
    assert all(a.end == b.onset for a, b in pairwise(found))
    assert main_melody(score.transposed(12))[0].part == found[0].part


@pytest.mark.parametrize("leader", [0, 1])
def test_words_and_names_weigh(leader: int) -> None:
    """Of two that play the same, the one with words leads; so does the one that is called the melody."""
    plain = score_of(tune(), tune())
    words = tuple(Mark(i * Q, "lyric", ("Freu-", "de")[i % 2], part=leader) for i in range(len(TUNE)))
    assert {s.part for s in main_melody(plain.replace(marks=words))} == {leader}
    named = tuple(Part("Melody" if i == leader else "Backing") for i in range(2))
    assert {s.part for s in main_melody(plain.replace(parts=named))} == {leader}


def test_a_choir_sings_whatever_its_parts_are_called() -> None:
    """A bass with words is a singer, not an accompaniment; an instrument known by name is not weighed by its sound."""
    names = ("Bass", "Soprano", "Flute", "Piano")
    score = score_of(tune(), tune(), tune(), tune(), names=names)
    score = score.replace(parts=tuple(Part(name, program=73 if name == "Flute" else 0) for name in names))
    words = tuple(Mark(i * Q, "lyric", text, part=part) for part in (0, 1) for i, text in enumerate(("Freu-", "de")))
    lines, _ = lines_of(score, separate_voices(score))
    assert prior(lines, score.replace(marks=words)).tolist() == [PRIOR["sung"], PRIOR["sung"], 0.0, 0.0]


@pytest.mark.parametrize("syllables", [("Ah",), ("Ooh", "Aah,"), ("Mm", "hm-", "ah"), ("La-", "la,", "dah", "doo")])
def test_a_choir_without_words_may_lie_under_the_tune(syllables: tuple[str, ...]) -> None:
    chords = cadence(2)
    score = score_of(tune(tuple(p + 12 for p in TUNE * 2)), chords, names=("Violin", "Choir"))
    ticks = sorted({on for on, _, _ in chords})
    marks = tuple(Mark(t, "lyric", syllables[i % len(syllables)], part=1) for i, t in enumerate(ticks))
    assert {s.part for s in main_melody(score.replace(marks=marks))} == {0}
    lines, _ = lines_of(score, separate_voices(score))
    found = prior(lines, score.replace(marks=marks))[[line.part == 1 for line in lines]]
    assert found.max() == PRIOR["sung without words"]


def test_a_bass_among_singers_is_no_string() -> None:
    score = score_of(tune(), tune(), names=("Bass", "Bass"))
    lines, _ = lines_of(score, separate_voices(score))
    found = part_clues(lines, (Part("Bass", program=52), Part("Bass", program=43)))
    assert found["low string"].tolist() == [0.0, 1.0]


def test_drums_never_lead() -> None:
    score = score_of(tune(), tune((36, 38) * 16, long=Q // 2))
    score = score.replace(parts=(Part("Piano"), Part("Drums", percussion=True)))
    assert {s.part for s in main_melody(score)} == {0}
    assert not melody_notes(score)[score.notes["part"] == 1].any()


def test_the_melody_of_a_piano_sketch_is_its_upper_line() -> None:
    score = sketch()
    found = melody_notes(score)
    sung = (score.notes["onset"] % Q == 0) & (score.notes["pitch"] >= 64)
    assert np.mean(found[sung]) > 0.95
    assert np.mean(sung[found]) > 0.95


def test_the_melody_of_chorales_in_one_pile_is_the_soprano() -> None:
    right = sung = told = 0
    for path in corpus("bach/*.mxl")[::40]:
        score = read(path)
        if len(score.parts) == 4:
            pile, part = piled(score)
            found = melody_notes(pile)
            right += int(np.count_nonzero(found & (part == 0)))
            sung += int(np.count_nonzero(part == 0))
            told += int(np.count_nonzero(found))
    assert sung > 300
    assert right / sung > 0.95
    assert right / told > 0.95


def test_a_score_without_notes_has_no_melody() -> None:
    assert main_melody(Score(parts=(Part("Flute"),))) == ()
    assert not len(melody_notes(Score(parts=(Part("Flute"),))))


def test_patterns_name_equal_music() -> None:
    """Two bars of a tune, then the same a fourth higher; doubled at the octave throughout."""
    line = tune(TUNE[:8]) + tune(tuple(p + 5 for p in TUNE[:8]), 2 * BAR)
    score = score_of(line, [(on, long, p - 12) for on, long, p in line])
    line_of = score.notes["part"].astype(np.int32)
    tops = np.lexsort((score.notes["onset"], line_of))
    active = np.ones((4, 2), bool)
    found = find_patterns(score, line_of, 2, score.bars, tops, active)
    assert np.array_equal(found.exact[:2], found.exact[2:])
    assert np.array_equal(found.tones[:, 0], found.tones[:, 1])
    assert not np.any(found.tones[:2] == found.tones[2:])
    assert np.array_equal(others_alike(found.tones, active), np.ones((4, 2)))
    _, bars, lines = recurrence(found.exact, active)
    assert np.array_equal(bars, np.ones((4, 2)))
    assert np.array_equal(lines, np.ones((4, 2)))


def test_pooling_leaves_out_the_place_itself() -> None:
    names = np.array([[1], [0], [0], [0], [1]], np.uint64)
    active = names > 0
    chance = np.array([[0.9], [0], [0], [0], [0.1]])
    mean, count = pooled(chance, names, active, doubt=0.0 + 1e-9)
    assert mean[[0, 4], 0] == pytest.approx([0.1, 0.9])
    assert count[[0, 4], 0].tolist() == [1, 1]


def test_lines_that_play_the_same_lead_together() -> None:
    """Two that share a tune are together likelier than the third; what is said of the third stays."""
    tones = np.array([[7, 7, 9]], np.uint64)
    patterns, all_play = Patterns(tones, tones, tones, tones), np.ones((1, 3), bool)
    evidence = Evidence(np.zeros((1, 3, 0), np.float32), patterns, (), all_play)
    odds = np.log(np.array([[0.3, 0.3, 0.4]]))
    assert melody_path(odds).tolist() == [2]
    shared = together(odds, evidence)
    assert melody_path(shared).tolist() == [0]
    assert shared[0, 2] == pytest.approx(odds[0, 2])
    alone = Evidence(evidence.clues, evidence.patterns, (), np.array([[True, False, True]]))
    silent = np.array([[np.log(0.6), HOPELESS - 3, np.log(0.4)]])
    assert together(silent, alone) == pytest.approx(silent)


def test_a_line_is_read_with_its_neighbours_alone() -> None:
    """Rows of a texture with rests: each finds its own line two bars around, bars are told apart."""
    active = np.array([[1, 1], [0, 1], [0, 0], [1, 0]], bool)  # rows: (0, 0) (0, 1) (1, 1) (3, 0)
    places = places_of(active)
    assert places.starts.tolist() == [0, 2, 3]
    assert places.bar.tolist() == [0, 0, 1, 2]
    assert dict(zip(NEAR, (rows.tolist() for rows in places.near), strict=True)) == {
        -2: [-1, -1, -1, -1],
        -1: [-1, -1, 1, -1],
        1: [-1, 2, -1, -1],
        2: [-1, -1, -1, -1],
    }


def test_the_order_of_the_lines_changes_no_score_and_far_bars_neither() -> None:
    rng = np.random.default_rng(4)
    network = shipped_stages()[1].networks[0]
    active = rng.random((24, 5)) < 0.7
    x = rng.standard_normal((24, 5, len(network.clues))).astype(np.float32)
    scores = np.zeros(active.shape)
    scores[active] = context_scores(network, x[active], places_of(active))
    order = np.array([3, 0, 4, 1, 2])
    other = np.zeros(active.shape)
    other[active[:, order]] = context_scores(network, x[:, order][active[:, order]], places_of(active[:, order]))
    assert other == pytest.approx(scores[:, order], abs=1e-4)
    first = np.zeros((14, 5))
    first[active[:14]] = context_scores(network, x[:14][active[:14]], places_of(active[:14]))
    reach = 2 * max(NEAR) + 1
    assert first[: 14 - reach] == pytest.approx(scores[: 14 - reach], abs=1e-4)
    assert not len(context_scores(network, np.zeros((0, len(network.clues)), np.float32), places_of(active[:0])))


def test_clues_stay_small_where_a_line_enters_after_a_rest() -> None:
    """A bar with one onset after a long silence has note values and no moves."""
    late = [(12 * Q, Q, 72), (30 * Q, Q, 74)]
    score = score_of(late, cadence(4))
    lines, line_of = lines_of(score, separate_voices(score))
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    clues = melody_evidence(score, lines, line_of, texture).clues
    assert np.abs(clues).max() < 20


def test_names_and_instruments_are_read_in_the_clues_of_who_plays_alone() -> None:
    def clues(names: tuple[str, ...]) -> np.ndarray[Any, np.dtype[np.float32]]:
        score = score_of(tune(), tune((60, 62, 64, 65) * 4, Q), cadence(8), names=names)
        lines, line_of = lines_of(score, separate_voices(score))
        texture = describe(score, line_of, len(lines), score.bars, beats(score))
        return melody_evidence(score, lines, line_of, texture).clues

    told, hidden = clues(("Violin 1", "Violin 2", "Horn")), clues(("", "", ""))
    assert not np.array_equal(told[..., WHO_PLAYS], hidden[..., WHO_PLAYS])
    told[..., WHO_PLAYS] = hidden[..., WHO_PLAYS]
    assert np.array_equal(told, hidden)


def test_weights_survive_the_file(tmp_path: Path) -> None:
    stages = shipped_stages()
    save_stages(tmp_path / "weights.npz", stages)
    read = load_stages(tmp_path / "weights.npz")
    for old, new in zip(stages, read, strict=True):
        assert np.array_equal(old.scale.mean, new.scale.mean)
        assert np.array_equal(old.scale.spread, new.scale.spread)
        for a, b in zip(old.networks, new.networks, strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
