"""analyze: roles as a musician would name them, on scores of every kind."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from analysis_builders import TUNE, Q, annotated_leaders, cadence, corpus, delayed, read, score_of, sketch, tune

from rescore_music.analysis import analyze, main_melody
from rescore_music.io import read_score
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Role


def check(score: Score, found: Analysis) -> None:
    """What holds for every analysis."""
    lines, phrases = len(found.lines), len(found.phrases)
    assert len(found.voices) == len(found.line_of) == len(score.notes)
    together = np.concatenate([line.notes for line in found.lines]) if lines else np.zeros(0)
    assert sorted(together.tolist()) == list(range(len(score.notes)))
    for i, line in enumerate(found.lines):
        assert np.all(found.line_of[line.notes] == i)
        assert np.all(score.notes["part"][line.notes] == line.part)
        assert np.all(np.diff(score.notes["onset"][line.notes]) >= 0)
    assert [(line.part, line.voice) for line in found.lines] == sorted((line.part, line.voice) for line in found.lines)
    assert found.roles.shape == found.confidence.shape == found.doubles.shape == (lines, phrases)
    assert np.all((found.confidence >= 0) & (found.confidence <= 1))
    assert np.all((found.voices < 0) == ~score.pitched)
    if phrases:
        assert found.phrases[0].start == 0
        assert found.phrases[-1].end == max(score.length, found.phrases[-1].end)
        assert all(a.end == b.start for a, b in pairwise(found.phrases))
    percussion = np.array([score.parts[line.part].percussion for line in found.lines], bool)
    if lines and phrases:
        assert set(np.unique(found.roles[percussion])) <= {Role.PERCUSSION, Role.REST}
        assert not np.any(found.roles[~percussion] == Role.PERCUSSION)
        leads = (found.roles == Role.MELODY) & (found.doubles < 0)
        pitched = (found.roles[~percussion] != Role.REST).any(axis=0)
        assert np.array_equal(leads.sum(axis=0), pitched.astype(int))
        assert np.all(((found.roles == Role.BASS) & (found.doubles < 0)).sum(axis=0) <= 1)
        line, phrase = np.nonzero(found.doubles >= 0)
        model = found.doubles[line, phrase]
        assert np.all(found.roles[line, phrase] == found.roles[model, phrase])
        assert np.all(found.doubles[model, phrase] < 0)
        roles = found.note_roles(score.notes["onset"])
        assert np.all(roles != Role.REST)
    assert len(found.intensity) == len(score.bars) - 1
    assert np.all((found.intensity >= 0) & (found.intensity <= 1))


@pytest.mark.parametrize(
    "score",
    [
        Score(),
        Score(parts=(Part(),)),
        Score(length=9999),
        score_of([(0, Q, 60)]),
        score_of([(0, 0, 60)]),
        score_of([(10**7, Q, 60)]),
        score_of(tune((36, 38) * 8)).replace(parts=(Part(percussion=True),)),
        score_of([(0, Q, p) for p in range(20, 110)]),
        score_of([], tune()),
    ],
    ids=["empty", "no notes", "silence", "one note", "one grace note", "late note", "drums", "cluster", "empty part"],
)
def test_the_strangest_scores_have_a_valid_analysis(score: Score) -> None:
    check(score, analyze(score))
    assert all(a.end == b.onset for a, b in pairwise(main_melody(score)))


def test_song_with_bass_chords_and_drums() -> None:
    bars = 8
    bass = [(i * 2 * Q, 2 * Q, 36 + (0, 5, 7, 0)[i // 2 % 4]) for i in range(2 * bars)]
    alberti = [(i * Q // 2, Q // 2, 55 + (0, 7, 4, 7)[i % 4]) for i in range(8 * bars)]
    melody = tune(TUNE + tuple(p + 2 for p in TUNE))
    octave = [(on, long, p + 12) for on, long, p in melody]
    chords = [(on, long, p) for on, long, p in cadence(2) if p > 55]
    drums = tune((36, 38) * 16)
    score = score_of(
        chords, bass, alberti, melody, octave, drums, names=("Pad", "Bass", "Harp", "Oboe", "Flute", "Kit")
    )
    score = score.replace(parts=(*score.parts[:5], Part("Kit", percussion=True)))
    found = analyze(score)
    check(score, found)
    for phrase in range(len(found.phrases)):
        roles = {score.parts[line.part].name: Role(found.roles[i, phrase]) for i, line in enumerate(found.lines)}
        assert roles["Bass"] == Role.BASS
        assert roles["Harp"] == Role.FIGURATION
        assert roles["Pad"] == Role.HARMONY
        assert roles["Kit"] == Role.PERCUSSION
        assert roles["Oboe"] == roles["Flute"] == Role.MELODY
        pair = {i for i, line in enumerate(found.lines) if score.parts[line.part].name in ("Oboe", "Flute")}
        doubled = {int(d) for d in found.doubles[:, phrase] if d >= 0}
        assert len(doubled) == 1
        assert doubled < pair


def test_a_piano_sketch_has_melody_bass_and_something_between() -> None:
    score = sketch()
    found = analyze(score)
    check(score, found)
    assert np.all(found.roles[0] == Role.MELODY)
    assert np.all(found.roles[-1] == Role.BASS)
    assert set(found.roles[1:-1].ravel().tolist()) <= {Role.HARMONY, Role.FIGURATION, Role.COUNTER_MELODY, Role.REST}


def test_op_18_no_1_first_violin_leads_and_cello_is_the_bass() -> None:
    score = read(corpus("beethoven/opus18no1/movement1.mxl")[0])
    found = analyze(score)
    check(score, found)
    opening = found.roles[:, :20]
    assert np.mean(opening[0] == Role.MELODY) >= 0.75
    playing = (opening[3] != Role.REST) & (found.doubles[3, :20] != 0)  # unisons with the tune are no bass
    assert np.mean(opening[3][playing] == Role.BASS) >= 0.75


def test_chorales_have_the_melody_on_top_and_the_bass_below() -> None:
    top, low, phrases = 0, 0, 0
    for path in corpus("bach/*.mxl")[::40]:
        score = read(path)
        if len(score.parts) == 4:
            found = analyze(score)
            check(score, found)
            top += int(np.sum(found.roles[0] == Role.MELODY))
            low += int(np.sum(found.roles[-1] == Role.BASS))
            phrases += len(found.phrases)
    assert phrases > 20
    assert top / phrases > 0.8
    assert low / phrases > 0.9


def test_transposition_keeps_voices_roles_and_phrases() -> None:
    score = read(corpus("bach/bwv66.6.mxl")[0])
    plain, moved = analyze(score), analyze(score.transposed(3))
    assert np.array_equal(plain.voices, moved.voices)
    assert np.array_equal(plain.roles, moved.roles)
    assert plain.phrases == moved.phrases
    for name in ("density", "texture", "dynamics", "tension"):
        assert np.allclose(getattr(plain.intensity_terms, name), getattr(moved.intensity_terms, name))
    assert np.all(moved.intensity > plain.intensity)  # the same music higher up


def test_a_delay_moves_everything_by_itself() -> None:
    score = sketch()
    plain, later = analyze(score), analyze(delayed(score, 32 * Q))
    assert np.array_equal(plain.voices, later.voices)
    tail = [p for p in later.phrases if p.start >= 32 * Q]
    assert [p.start - 32 * Q for p in tail] == [p.start for p in plain.phrases]
    assert np.array_equal(later.roles[:, -len(tail) :], plain.roles)


def test_the_same_score_has_the_same_analysis() -> None:
    score = read(corpus("bach/bwv269.mxl")[0])
    a, b = analyze(score), analyze(score)
    for name in ("voices", "line_of", "roles", "confidence", "doubles", "intensity"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
    assert (a.keys, a.chords, a.phrases) == (b.keys, b.chords, b.phrases)


def test_game_midi_as_published(shared_data: Path) -> None:
    """Every sixth file: each note in one line, drums are percussion, lines stay few, a fraction of a second."""
    files = sorted((shared_data / "game_midi").glob("*.mid"))[::6]
    assert files
    lines = parts = 0
    for path in files:
        score = read_score(path)
        found = analyze(score)
        check(score, found)
        lines += len(found.lines)
        parts += len(np.unique(score.notes["part"]))
    assert lines < 1.6 * parts


@pytest.mark.parametrize("name", ["Beethoven_Op.21_3", "Beethoven_Op.67_2", "Beethoven_Op.92_4"])
def test_main_melody_of_symphonies(shared_data: Path, name: str) -> None:
    """Against the annotations, well over the first violins and the highest part, in each movement.

    The shipped weights saw these movements (`bench_melody.py` leaves each work out: .771 over the nine symphonies,
    first violins .490, highest part .577).
    """
    path = shared_data / "openscore_orchestra" / f"{name}.mxl"
    score = read_score(path)
    found = main_melody(score)
    assert all(a.end == b.onset for a, b in pairwise(found))
    truth = annotated_leaders(path, score)
    total = sum(b - a for a, b, _ in truth)
    right = sum(max(0, min(b, s.end) - max(a, s.onset)) for a, b, good in truth for s in found if s.part in good)
    violin = next(i for i, part in enumerate(score.parts) if part.name.startswith("Violin"))
    baseline = sum(b - a for a, b, good in truth if violin in good)
    assert right / total > 0.7
    assert right / total > baseline / total


def test_main_melody_follows_a_tune_from_part_to_part() -> None:
    chords = cadence(2)
    first, second = tune(TUNE), tune(tuple(p + 5 for p in TUNE), 16 * Q)
    score = score_of(chords, first, second, names=("Strings", "Oboe", "Horn"))
    assert [tuple(s) for s in main_melody(score)] == [(0, 16 * Q, 1), (16 * Q, 32 * Q, 2)]


def test_a_long_score_costs_what_its_notes_cost() -> None:
    """20,000 notes under three CPU-seconds, and no table of notes by notes."""
    rng = np.random.default_rng(1)
    rows = [
        (int(t) * Q // 2, Q // 2, int(p), 80, part)
        for part in range(5)
        for t, p in enumerate(rng.integers(48, 84, 4000))
    ]
    score = score_of(*([] for _ in range(5))).replace(notes=note_rows(rows))
    start = time.process_time()
    check(score, analyze(score))
    assert time.process_time() - start < 3.0
