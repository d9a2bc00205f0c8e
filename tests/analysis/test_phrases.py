"""Phrases: they tile the music, breathe where it breathes, and know what comes back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analysis_builders import TUNE, Q, corpus, delayed, read, score_of, tune

from rescore_music.analysis.frames import beats
from rescore_music.analysis.harmony import key_spans
from rescore_music.analysis.intensity import intensity
from rescore_music.analysis.phrases import find_phrases
from rescore_music.analysis.seams import in_bars
from rescore_music.score import METER, Articulation, Mark, Part, Score, note_rows

BAR = 4 * Q


def song(form: str) -> Score:
    """Four-bar phrases, each ending on a long note: A and B differ in tune and rhythm."""
    notes = []
    for i, letter in enumerate(form):
        start = i * 4 * BAR
        if letter == "A":
            notes += [*tune(TUNE[:14], start), (start + 14 * Q, 2 * Q, 67)]
        else:
            notes += tune((72, 76, 79, 76, 74, 77, 81, 77, 72, 71) * 2 + (69, 67, 65, 64), start, Q // 2)
            notes += [(start + 3 * BAR, BAR, 62)]
    return score_of(notes)


def spans(score: Score) -> list[tuple[int, int]]:
    return [(p.start, p.end) for p in find_phrases(score, key_spans(score))]


def test_four_bar_phrases_are_found_and_labelled() -> None:
    score = song("AABA")
    phrases = find_phrases(score)
    assert [p.start for p in phrases] == [0, 4 * BAR, 8 * BAR, 12 * BAR]
    assert [p.label for p in phrases] == ["A", "A", "B", "A"]


def test_a_transposed_return_is_a_variant() -> None:
    score = song("AAB")
    moved = score.transposed(5)
    rows = np.concatenate([score.notes, moved.notes[moved.notes["onset"] < 4 * BAR]])
    rows["onset"][len(score.notes) :] += 12 * BAR
    assert [p.label for p in find_phrases(score.replace(notes=rows))] == ["A", "A", "B", "A'"]


def test_a_rest_is_a_seam() -> None:
    """Six bars, a bar of rest, five bars: the second phrase group starts with the second entry."""
    score = score_of(tune(TUNE + TUNE[:8]) + tune(tuple(p + 2 for p in TUNE), 7 * BAR))
    assert 7 * BAR in [p.start for p in find_phrases(score)]


def test_a_rehearsal_mark_is_a_seam() -> None:
    plain = score_of(tune((60, 62) * 32))
    marked = plain.replace(marks=(Mark(6 * BAR, "rehearsal", "A"),))
    assert 6 * BAR in [p.start for p in find_phrases(marked)]


def test_phrases_move_with_time_and_ignore_transposition() -> None:
    score = song("ABAB")
    assert spans(score) == spans(score.transposed(-7))
    later = find_phrases(delayed(score, 8 * BAR))
    assert {p.start for p in find_phrases(score)} <= {p.start - 8 * BAR for p in later}
    twice = score.rescaled(Q * 2)
    assert [p.start for p in find_phrases(twice)] == [2 * p.start for p in find_phrases(score)]


def test_a_pickup_belongs_to_its_phrase() -> None:
    """An upbeat of a quarter before every phrase: seams lie a quarter before the bar line."""
    notes = []
    for i in range(4):
        start = Q + i * 4 * BAR
        notes += [(start - Q, Q, 62), *tune(TUNE[:13], start), (start + 13 * Q, 2 * Q, 67)]
    bars = np.concatenate([[0], Q + BAR * np.arange(17)])
    phrases = find_phrases(score_of(notes, barlines=bars))
    assert [p.start for p in phrases] == [0, 4 * BAR, 8 * BAR, 12 * BAR]
    assert {p.label for p in phrases} == {"A"}


@pytest.mark.parametrize("name", ["bach/bwv66.6.mxl", "bach/bwv269.mxl", "beethoven/opus18no1/movement1.mxl"])
def test_phrases_tile_the_score_and_begin_with_a_note(name: str) -> None:
    score = read(corpus(name)[0])
    phrases = find_phrases(score, key_spans(score))
    assert phrases[0].start == 0
    assert phrases[-1].end == score.length
    assert all(a.end == b.start for a, b in pairwise(phrases))
    starts = np.array([p.start for p in phrases])
    assert np.all(np.isin(starts, score.notes["onset"]) | np.isin(starts, beats(score)))
    lengths = np.diff(in_bars(np.append(starts, score.length), score.bars))
    assert lengths.max() <= 8.5
    assert lengths.min() >= 0.5
    assert 2 <= np.median(lengths) <= 8


def test_a_phrase_may_end_inside_a_bar() -> None:
    """Two phrases of a chorale in 4/4 whose last note is a half note on the third beat, the next upbeat after it."""
    one = [*tune((60, 62, 64, 65, 67, 65), 0), (6 * Q, 2 * Q, 64)]
    two = [*tune((64, 65, 67, 69, 67, 65), 8 * Q), (14 * Q, 2 * Q, 60)]
    upbeat = [(on + Q, long, p) for on, long, p in one + two]
    score = score_of([(0, Q, 55), *upbeat], barlines=np.array([0, *range(2 * Q, 19 * Q, 4 * Q)]))
    assert [p.start for p in find_phrases(score)] == [0, 9 * Q]


def test_a_fermata_closes_a_phrase() -> None:
    score = score_of(tune((60, 62) * 16))
    rows = score.notes.copy()
    rows["articulation"][9] |= int(Articulation.FERMATA)
    assert 10 * Q in [p.start for p in find_phrases(score.replace(notes=rows))]


def test_chorale_phrases_end_under_their_fermatas() -> None:
    """Every eighth chorale, the fermatas taken out: F1 over .75 within a beat (four bars always: under .45)."""
    right = theirs = ours = bars = fours = 0
    for path in corpus("bach/*.mxl")[1::8]:
        score = read(path)
        top = score.part_notes(0)
        marked = (score.notes["articulation"][top] & int(Articulation.FERMATA)) != 0
        if len(score.parts) != 4 or np.count_nonzero(marked) < 2:
            continue
        truth = np.unique(score.ends[top][marked])[:-1]
        rows = score.notes.copy()
        rows["articulation"] = 0
        found = np.array([p.start for p in find_phrases(score.replace(notes=rows, marks=()))[1:]])
        every = score.bars[4::4]
        for places, count in ((found, "ours"), (every, "fours")):
            hits = int(
                np.count_nonzero(
                    np.abs(truth[:, None] - places[None, :]).min(axis=1, initial=1 << 40) <= score.ticks_per_quarter
                )
            )
            if count == "ours":
                right, theirs, ours = right + hits, theirs + len(truth), ours + len(places)
            else:
                bars, fours = bars + hits, fours + len(places)
    assert 2 * right / (theirs + ours) > 0.75
    assert 2 * bars / (theirs + fours) < 0.45


def test_the_opening_of_op_18_no_1_comes_back_in_the_recapitulation() -> None:
    score = read(corpus("beethoven/opus18no1/movement1.mxl")[0])
    labels = [p.label.rstrip("'") for p in find_phrases(score, key_spans(score))]
    assert labels.count(labels[0]) >= 2


def test_intensity_rises_with_density_loudness_and_parts() -> None:
    quiet = [(0, BAR, 60, 30, 0)]
    loud = [(BAR, BAR, 60, 110, 0)]
    dense = [(2 * BAR + i * Q // 4, Q // 4, 60 + i % 12, 110, 0) for i in range(16)]
    full = [(3 * BAR + i * Q // 4, Q // 4, 60 + i % 12 - 24 * p, 110, p) for i in range(16) for p in range(2)]
    score = score_of([], []).replace(notes=note_rows(quiet + loud + dense + full))
    found = intensity(score.replace(length=5 * BAR))
    assert len(found) == 5
    assert 0 < found[0] < found[1] < found[2] < found[3] <= 1
    assert found[4] == 0


def test_intensity_has_one_value_a_bar_in_any_meter() -> None:
    score = score_of(tune(), meters=np.array([(0, 3, 4), (6 * Q, 5, 8)], METER))
    assert len(intensity(score)) == len(score.bars) - 1


def test_a_theme_that_returns_higher_over_another_accompaniment_is_a_variant() -> None:
    tune = [(0, 60), (480, 64), (720, 65), (960, 67), (1440, 72), (1920, 71), (2400, 69), (2880, 67), (3360, 64)]
    tune += [(3840, 65), (4320, 62), (4800, 64), (5280, 60), (5760, 62), (6240, 59), (6720, 60)]
    rows = [(t, 200, p + 12, 90, 0) for t, p in tune] + [(t, 1900, 48, 60, 1) for t in range(0, 7680, 1920)]
    rows += [(7680 + 240 * i, 200, 80 - (7 * i) % 12, 70, 0) for i in range(32)]
    rows += [(15360 + t, 200, p + 17, 90, 0) for t, p in tune]
    rows += [(15360 + 240 * i, 200, (41, 48, 53, 57)[i % 4], 60, 1) for i in range(32)]
    score = Score(notes=note_rows(rows), parts=(Part("tune"), Part("left hand")))
    labels = [p.label for p in find_phrases(score)]
    assert labels[0] == "A"
    assert "A'" in labels[1:]
    assert any(not label.startswith("A") for label in labels)
