"""Re-ranking: what was heard decides, and everything is told."""

import json

import numpy as np
import pytest

from rescore_music.candidate import Assignment, Candidate, Realization
from rescore_music.errors import ReadError
from rescore_music.rendering import render
from rescore_music.rescoring import read_weights, rescore_candidates, second_pass
from rescore_music.rescoring.excerpt import choose_excerpt, differences
from rescore_music.rescoring.features import melody_notes, split_excerpt
from rescore_music.rescoring.weighing import Weight, Weights
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.tempo import TempoMap

TPQ = 480
VIOLIN = Part("Violin", instrument="violin", program=40)
HORN = Part("Horn", instrument="horn-f", program=60, channel=1)
TRUMPET = Part("Trumpet", instrument="trumpet-bb", program=56, channel=2)
BASSOON = Part("Bassoon", instrument="bassoon", program=70, channel=3)


@pytest.fixture(scope="module")
def source():
    """Sixteen bars: melody in quarters over a chord in half notes; bars 9 to 16 are the second phrase."""
    rows = [(TPQ * i, TPQ, 67 + (0, 2, 4, 5, 7, 5, 4, 2)[i % 8], 80, 0) for i in range(64)]
    rows += [(2 * TPQ * i, 2 * TPQ, p, 64, 1) for i in range(32) for p in (55, 60, 64)]
    return Score(notes=note_rows(rows), parts=(Part("Melody"), Part("Chords")), tempo=TempoMap.constant(120, TPQ))


@pytest.fixture(scope="module")
def analysis(source):
    part = source.notes["part"].astype(np.int32)
    half = 32 * TPQ
    return Analysis(
        np.zeros(len(part), np.int16),
        part,
        tuple(Line(i, 0, np.flatnonzero(part == i)) for i in (0, 1)),
        (Phrase(0, half, "A"), Phrase(half, 2 * half, "B")),
        np.array([[Role.MELODY] * 2, [Role.HARMONY] * 2], np.int8),
    )


def candidate(source, rank, melody, chords, cost=1.0, velocity=80):
    """Line 0 by the parts `melody`, line 1 by the parts `chords`, all through; parts are numbered in that order."""
    players = [(0, p) for p in melody] + [(1, p) for p in chords]

    def realize(assignments):
        pieces, origins = [], []
        for number, (line, _) in enumerate(players):
            index = np.flatnonzero(source.notes["part"] == line)
            notes = source.notes[index].copy()
            notes["part"] = number
            if line == 0:
                notes["velocity"] = velocity
            pieces.append(notes)
            origins.append(index)
        notes, origin = np.concatenate(pieces), np.concatenate(origins)
        order = np.lexsort((notes["pitch"], notes["part"], notes["onset"]))
        score = source.replace(notes=notes[order], parts=tuple(p for _, p in players))
        return Realization(score, origin[order])

    seats = {part.name: k for k, part in enumerate((VIOLIN, HORN, TRUMPET, BASSOON))}
    who = tuple(Assignment(ph, line, seats[p.name]) for ph in (0, 1) for line, p in players)
    return Candidate(rank, cost, {"range": cost}, who, "test/test", realize)


@pytest.fixture(scope="module")
def takes(source):
    return (
        candidate(source, 0, [BASSOON], [HORN], velocity=50),
        candidate(source, 1, [VIOLIN], [HORN]),
        candidate(source, 2, [VIOLIN, TRUMPET], [HORN], velocity=110),
        candidate(source, 3, [VIOLIN], [BASSOON], cost=2.0),
    )


@pytest.fixture(scope="module")
def heard(source, analysis, takes):
    return second_pass(takes, source, analysis=analysis, top=3, seconds=4.0, sample_rate=16000)


def test_trumpets_on_the_melody_make_it_heard(heard):
    margin = [heard.features[rank]["melody_margin"] for rank in (0, 1, 2)]
    assert margin[2] > margin[1] > margin[0]
    assert heard.features[2]["doubling"] > heard.features[1]["doubling"]
    assert heard.second_order[0] == 2
    assert heard.second_order[-1] == 0


def test_both_orders_and_every_term_are_told(heard, takes):
    assert heard.first_order == (0, 1, 2)
    assert sorted(heard.second_order) == [0, 1, 2]
    assert [c.rank for c in heard.candidates] == [*heard.second_order, 3]
    for c in heard.candidates[:3]:
        assert c.rescored == pytest.approx(sum(heard.terms[c.rank].values()))
        assert c.features["seconds"] > 0
        assert c.features["melody_kept"] == 1
    assert heard.candidates[3].rescored is None
    assert heard.candidates[3].features == {}
    told = json.loads(json.dumps(heard.as_dict(), allow_nan=False))
    assert [row["first_rank"] for row in told["heard"]] == list(heard.second_order)
    assert told["excerpt"]["end_s"] - told["excerpt"]["start_s"] == pytest.approx(4)
    assert takes[0].rescored is None  # the given candidates stay as they were


def test_the_same_twice(source, analysis, takes, heard):
    again = second_pass(takes, source, analysis=analysis, top=3, seconds=4.0, sample_rate=16000)
    assert again.second_order == heard.second_order
    assert again.features == heard.features
    assert [
        c.rank for c in rescore_candidates(takes, source, analysis=analysis, top=3, seconds=4.0, sample_rate=16000)
    ] == [c.rank for c in again.candidates]


def test_weights_decide(source, analysis, takes, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"version": 1, "features": {"melody_margin": {"mean": 0, "scale": 1, "weight": -1}}}')
    quiet = second_pass(takes, source, analysis=analysis, top=3, seconds=4.0, sample_rate=16000, weights=path)
    assert quiet.second_order == (0, 1, 2)
    flat = second_pass(takes, source, analysis=analysis, top=3, seconds=4.0, sample_rate=16000, weights=Weights({}))
    assert flat.second_order == (0, 1, 2)  # equals stay in the first pass's order


def test_one_candidate_or_none_needs_no_ears(source, analysis, takes):
    def deaf(score):
        raise AssertionError("nothing to choose between")

    assert second_pass((), source, analysis=analysis, render=deaf).candidates == ()
    assert second_pass(takes[:1], source, analysis=analysis, render=deaf).candidates == takes[:1]
    assert second_pass(takes, source, analysis=analysis, top=1, render=deaf).candidates == takes


def test_the_excerpt_is_where_they_differ(source, analysis, takes):
    one = takes[1]
    moved = tuple(
        Assignment(a.phrase, a.line, a.seat + (10 if a.phrase == 1 else 0), a.octaves) for a in one.assignments
    )
    other = Candidate(1, 1.0, {}, moved, "test/test", one.realize)
    assert differences([one, other], 2).tolist() == [[0, 1]]
    excerpt = choose_excerpt([one, other], source, analysis, seconds=8)
    assert excerpt.start >= 32 * TPQ
    assert excerpt.end_s - excerpt.start_s == pytest.approx(8)
    # without melody in the second half of phrase B, its first half is taken
    silent = source.replace(notes=source.notes[(source.notes["part"] == 1) | (source.notes["onset"] < 48 * TPQ)])
    lines = silent.notes["part"].astype(np.int32)
    part_analysis = Analysis(np.zeros(len(lines), np.int16), lines, analysis.lines, analysis.phrases, analysis.roles)
    assert choose_excerpt([one, other], silent, part_analysis, seconds=8).start == 32 * TPQ


def test_an_excerpt_of_a_short_or_slow_cue(source, analysis, takes):
    short = source.slice(0, 4 * TPQ)
    excerpt = choose_excerpt(takes, short, Analysis(np.zeros(0, np.int16), np.zeros(0, np.int32), (), ()))
    assert (excerpt.start, excerpt.end) == (0, 4 * TPQ)
    slow = source.replace(tempo=TempoMap.constant(5, TPQ))
    excerpt = choose_excerpt(takes, slow, analysis, seconds=10)
    assert excerpt.end_s - excerpt.start_s == pytest.approx(10, abs=0.1)


def test_taken_apart_the_stems_are_still_the_mix(source, analysis, takes):
    take = takes[2]
    melody = melody_notes(take, source, analysis)
    assert melody.sum() == 2 * 64  # violin and trumpet
    split, is_melody, families = split_excerpt(take.score, melody, 0, 8 * TPQ)
    assert is_melody == (False, True, True)
    assert families == ("brass", "strings", "brass")
    whole = render(take.score.slice(0, 8 * TPQ), sample_rate=16000, tail=0.5)
    apart = render(split, sample_rate=16000, tail=0.5)
    assert np.abs(whole.mix - apart.mix).max() < 1e-4
    assert np.abs(sum(apart.stems.values()) - apart.mix).max() < 1e-5


def test_weights_files():
    shipped = read_weights()
    assert shipped.features["melody_short"].weight < 0
    model = Weights({"a": Weight(1.0, 2.0, 3.0), "b": Weight(0.0, 1.0, 5.0)})
    assert model.score({"a": 2.0, "unknown": 9.0}) == 1.5
    assert model.terms({"a": 2.0}) == {"a": 1.5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a weights file"),
        ('{"version": 2, "features": {}}', "not a weights file"),
        (
            '{"version": 1, "features": {"x": {"mean": 0, "scale": 0, "weight": 1}}}',
            "features.x: scale must be positive",
        ),
        ('{"version": 1, "features": {"x": {"mean": 0, "scale": 1}}}', "features.x: needs mean, scale and weight"),
        ('{"version": 1, "features": {"x": {"mean": true, "scale": 1, "weight": 1}}}', "mean is not a number"),
        ('{"version": 1, "features": {"x": {"mean": NaN, "scale": 1, "weight": 1}}}', "mean is not a number"),
    ],
)
def test_bad_weights_are_refused(tmp_path, text, message):
    path = tmp_path / "w.json"
    path.write_text(text)
    with pytest.raises(ReadError) as caught:
        read_weights(path)
    assert message in str(caught.value)
    with pytest.raises(ReadError):
        read_weights(tmp_path / "missing.json")
