"""Cadences, sections, hypermeter and intensity: known answers a musician can check by eye."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analysis_builders import Q, corpus, delayed, read, score_of, tune

from rescore_music.analysis import analyze
from rescore_music.analysis.cadences import find_cadences
from rescore_music.analysis.form import find_sections
from rescore_music.analysis.harmony import find_harmony
from rescore_music.analysis.intensity import intensity, intensity_terms
from rescore_music.analysis.meter import find_hypermeter, metric_accent
from rescore_music.analysis.phrases import find_phrases
from rescore_music.repeats import unfold
from rescore_music.score import METER, Mark, Score, note_rows
from rescore_music.structure import Hypermeter, KeySpan, Phrase

BAR = 4 * Q
I_ROOT, I6, IV, V, V7, VI = (48, 67, 72), (52, 67, 72), (53, 69, 72), (55, 71, 74), (55, 65, 71, 74), (57, 64, 72)
I_THIRD = (48, 67, 76)
VIIO6, II6, IV_TOP = (50, 65, 71), (53, 69, 74), (53, 65, 69)


def bars_of(*chords: tuple[int, ...]) -> Score:
    """A chord a bar, in C."""
    return score_of([(i * BAR, BAR, p) for i, chord in enumerate(chords) for p in chord])


def close(*chords: tuple[int, ...]) -> list[str]:
    """Kinds of cadence where the chords make one phrase in C major."""
    score = bars_of(*chords)
    keys = (KeySpan(0, score.length, 0, "major"),)
    phrases = (Phrase(0, score.length, "A"),)
    return [c.kind for c in find_cadences(score, phrases, keys, find_harmony(score).chords)]


@pytest.mark.parametrize(
    ("chords", "kind"),
    [
        ((I_ROOT, IV, V, I_ROOT), "perfect authentic"),
        ((I_ROOT, II6, V7, I_ROOT), "perfect authentic"),
        ((I_ROOT, IV, V, I_THIRD), "imperfect authentic"),
        ((I_ROOT, IV, V, I6), "imperfect authentic"),
        ((I_ROOT, IV, VIIO6, I_ROOT), "imperfect authentic"),
        ((I_ROOT, VI, IV, V), "half"),
        ((I_ROOT, V, I_ROOT, IV_TOP, I_ROOT), "plagal"),
        ((I_ROOT, IV, V, VI), "deceptive"),
        ((I_ROOT, IV, V7, VI), "deceptive"),
    ],
)
def test_each_cadence_has_its_name(chords: tuple[tuple[int, ...], ...], kind: str) -> None:
    assert close(*chords) == [kind]


@pytest.mark.parametrize("goal", [V7, (62, 67, 71, 79), (47, 62, 67, 79)])
def test_no_phrase_rests_on_a_seventh_chord_or_on_an_inverted_dominant(goal: tuple[int, ...]) -> None:
    """Caplin's half cadence: the goal is a triad in root position."""
    assert close(I_ROOT, VI, IV, goal) == []


V7_LOW = (43, 65, 71, 74)


def two_phrases(*chords: tuple[int, ...], turn: int) -> list[tuple[int, str]]:
    """(bar, kind) of the cadences of a chord a bar in C, the second phrase beginning at bar `turn`."""
    score = bars_of(*chords)
    keys = (KeySpan(0, score.length, 0, "major"),)
    phrases = (Phrase(0, turn * BAR, "A"), Phrase(turn * BAR, score.length, "B"))
    return [(c.tick // BAR, c.kind) for c in find_cadences(score, phrases, keys, find_harmony(score).chords)]


def test_a_seventh_at_the_end_of_a_phrase_closes_where_the_next_begins() -> None:
    """Elision: the goal of one phrase is the first chord of the next, as in Beethoven's op. 18/1, bar 84."""
    closes = two_phrases(I_ROOT, IV, V7_LOW, I_ROOT, VI, IV, V7_LOW, I_ROOT, turn=3)
    assert closes == [(3, "perfect authentic"), (7, "perfect authentic")]


@pytest.mark.parametrize("following", [I_THIRD, VI, I6])
def test_a_seventh_that_the_tune_does_not_close_makes_no_elision(following: tuple[int, ...]) -> None:
    assert two_phrases(I_ROOT, IV, V7_LOW, following, VI, IV, V7_LOW, I_ROOT, turn=3) == [(7, "perfect authentic")]


def test_a_bare_octave_is_a_goal_after_the_dominant_only() -> None:
    octave = (48, 60, 72)
    assert close(I_ROOT, IV, V7_LOW, octave) == ["perfect authentic"]
    assert close(I_ROOT, IV, V, octave) == ["perfect authentic"]
    assert close(I_ROOT, V, I_ROOT, octave) == close(I_ROOT, V, I_ROOT)
    assert close(I_ROOT, IV, octave) == []
    assert two_phrases(I_ROOT, IV, V7_LOW, octave, VI, IV, V7_LOW, I_ROOT, turn=3)[0] == (3, "perfect authentic")


def test_one_goal_closes_one_phrase() -> None:
    found = two_phrases(I_ROOT, IV, V7_LOW, I_ROOT, turn=3)
    assert found == [(3, "perfect authentic")]


def test_a_triad_at_the_end_of_a_phrase_is_a_half_cadence_whatever_follows() -> None:
    closes = two_phrases(I_ROOT, IV, V, I_ROOT, VI, IV, V7_LOW, I_ROOT, turn=3)
    assert closes == [(2, "half"), (7, "perfect authentic")]


@pytest.mark.parametrize(
    ("top", "kind"),
    [
        ((74, 72), "perfect authentic"),  # D to C
        ((71, 72), "perfect authentic"),  # B to C
        ((77, 76), "imperfect authentic"),  # F to E
        ((74, 76), "imperfect authentic"),  # D to E
        ((72, 76), "perfect authentic"),  # the tune goes on from its C
        ((74, 67), "imperfect authentic"),  # left by leap: no suspension
    ],
)
def test_a_suspension_at_the_goal_counts_as_what_it_resolves_to(top: tuple[int, int], kind: str) -> None:
    score = bars_of(I_ROOT, IV, V7_LOW)
    goal = [(3 * BAR, BAR, 48), (3 * BAR, BAR, 64), (3 * BAR, BAR, 67)]
    goal += [(3 * BAR, Q, top[0]), (3 * BAR + Q, 3 * Q, top[1])]
    notes = np.concatenate([score.notes, score_of(goal).notes])
    score = score.replace(notes=notes)
    keys = (KeySpan(0, score.length, 0, "major"),)
    found = find_cadences(score, (Phrase(0, score.length, "A"),), keys, find_harmony(score).chords)
    assert [c.kind for c in found] == [kind]


def test_op_18_no_1_closes_where_a_musician_hears_it() -> None:
    """Perfect cadences of the first movement, in F (20, 29) and C (84, 92, 101), and those in F of the reprise."""
    score = read(corpus("beethoven/opus18no1/movement1.mxl")[0])
    closes = {
        (int(score.bar_number(c.tick)), c.tonic) for c in analyze(score).cadences if c.kind == "perfect authentic"
    }
    assert closes >= {(20, 5), (29, 5), (84, 0), (92, 0), (101, 0), (245, 5), (253, 5), (262, 5)}


def test_a_cadence_stands_where_its_goal_begins_and_moves_with_the_key() -> None:
    score = bars_of(I_ROOT, IV, V, I_ROOT)
    found = analyze(score).cadences
    assert [(c.tick, c.start, c.tonic, c.mode) for c in found] == [(3 * BAR, 2 * BAR, 0, "major")]
    moved = analyze(score.transposed(5)).cadences
    assert [(c.tick, c.kind, c.tonic) for c in moved] == [(3 * BAR, "perfect authentic", 5)]


def test_chorales_close_with_authentic_cadences() -> None:
    """Every chorale ends on its tonic after a dominant, but for a few that close plagally or on the dominant."""
    last = []
    for path in corpus("bach/*.mxl")[::24]:
        score = read(path)
        if len(score.parts) == 4:
            found = analyze(score)
            assert len(found.cadences) <= len(found.phrases)
            assert all(a.tick < b.tick for a, b in pairwise(found.cadences))
            last.append(found.cadences[-1].kind if found.cadences else "")
    assert len(last) >= 10
    assert sum("authentic" in kind for kind in last) >= 0.7 * len(last)


def strain(number: int, start: int, bars: int = 8) -> list[tuple[int, int, int]]:
    """A strain with a bass, unlike any other number's."""
    rng = np.random.default_rng(number)
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    notes = []
    for bar in range(bars):
        at = start + bar * BAR
        cell = (Q, Q // 2, Q // 2, Q, Q) if number % 2 else (Q // 2, Q // 2, Q, 2 * Q)
        place = at
        for long in cell if bar % 4 != 3 else (4 * Q,):
            notes.append((place, long, 60 + 5 * number + int(rng.choice(scale))))
            place += long
        notes.append((at, BAR, 36 + 5 * number + int(rng.choice((0, 5, 7)))))
    return notes


def test_a_rondo_is_heard_as_one() -> None:
    form = "ABACA"
    score = score_of([n for i, name in enumerate(form) for n in strain("ABC".index(name), i * 8 * BAR)])
    found = analyze(score)
    assert [s.label for s in found.sections] == list(form)
    assert [s.start for s in found.sections] == [i * 8 * BAR for i in range(5)]
    assert found.sections[0].start == 0
    assert found.sections[-1].end == score.length


def test_a_varied_return_has_a_prime() -> None:
    def varied(on: int) -> bool:  # the second and the sixth bar go another way
        return on // BAR in (1, 5)

    again = [(on + 16 * BAR, long, p + 2 * varied(on)) for on, long, p in strain(0, 0)]
    score = score_of(strain(0, 0) + strain(1, 8 * BAR) + again)
    assert [s.label for s in analyze(score).sections] == ["A", "B", "A'"]


def test_sections_begin_with_phrases_and_follow_a_delay() -> None:
    score = score_of([n for i, k in enumerate((0, 1, 0)) for n in strain(k, i * 8 * BAR)])
    found = analyze(score)
    assert {s.start for s in found.sections} <= {p.start for p in found.phrases}
    assert all(a.end == b.start for a, b in pairwise(found.sections))
    later = analyze(delayed(score, 8 * BAR))
    assert {s.start for s in found.sections} <= {s.start - 8 * BAR for s in later.sections}


def test_the_rag_has_its_strains() -> None:
    """Maple Leaf Rag, signs taken out: A at the first bar, B, A again after the repeats, C."""
    score = read(corpus("joplin/maple_leaf_rag.mxl")[0]).replace(marks=())
    labels = "".join(s.label.rstrip("'") for s in analyze(score).sections)
    assert labels.startswith("ABAC")


def starts_of_sections(name: str) -> dict[int, str]:
    """Printed bar and letter of each section of a score of the corpus, signs and all."""
    score = read(corpus(name)[0])
    bars = score.bar_number([s.start + score.ticks_per_quarter for s in analyze(score).sections])
    return dict(zip(bars.tolist(), [s.label for s in analyze(score).sections], strict=True))


def test_repeat_signs_and_double_bars_are_believed() -> None:
    """The rag's trio and last strain (bar 68), K. 458's development (91, after the repeat) and its return (137)."""
    assert "".join(starts_of_sections("joplin/maple_leaf_rag.mxl").values()) == "ABACD"
    sonata = starts_of_sections("mozart/k458/movement1.mxl")
    assert any(abs(bar - 90) <= 1 for bar in sonata)
    assert any(abs(bar - 137) <= 1 and label == "A" for bar, label in sonata.items())
    minuet = starts_of_sections("beethoven/opus18no1/movement3.mxl")
    assert {11, 86, 102} <= set(minuet)


def test_a_double_bar_at_the_ends_cuts_nothing() -> None:
    score = score_of(strain(0, 0))
    ends = tuple(Mark(t, "barline", "double") for t in (0, int(score.bars[-1])))
    assert [s.start for s in analyze(score.replace(marks=ends)).sections] == [0]


def test_a_minuet_comes_back_after_its_trio() -> None:
    score = unfold(read(corpus("beethoven/opus59no3/movement3.mxl")[0])).replace(marks=())
    harmony = find_harmony(score)
    sections = find_sections(score, find_phrases(score, harmony.keys), harmony.keys)
    labels = [s.label for s in sections]
    again = [a for a, b in pairwise(labels) if a == b]  # parts that are repeated at once
    assert len(set(again)) >= 2
    assert any(labels.count(name) >= 3 for name in again)  # and come again da capo


def test_bars_come_in_fours() -> None:
    score = score_of([n for i, k in enumerate((0, 1, 0, 1)) for n in strain(k, i * 8 * BAR)])
    spans = analyze(score).hypermeter
    assert [(s.start, s.end) for s in spans] == [(0, 32 * BAR)]
    assert spans[0].bars in (4, 8)


def test_hypermeter_starts_anew_after_an_extra_bar() -> None:
    """Two phrases of four bars, a bar's extension, then fours again: the groups follow the phrases."""
    starts = (0, 4, 8, 12, 17, 21, 25, 29)
    phrases = tuple(Phrase(a * BAR, b * BAR, "A") for a, b in zip(starts, (*starts[1:], 33), strict=True))
    score = score_of(tune((60,) * 33, long=BAR))
    spans = find_hypermeter(score, phrases, (), ())
    firsts = {bar for s in spans for bar in range(s.start // BAR, s.end // BAR, s.bars) if s.bars == 4}
    assert {0, 4, 8, 17, 21, 25, 29} <= firsts
    assert spans[0].start == 0
    assert spans[-1].end == int(score.bars[-1])
    assert all(a.end == b.start for a, b in pairwise(spans))


def test_metric_accents() -> None:
    score = score_of(tune((60, 62) * 16))
    places = [0, Q // 2, Q, 2 * Q, 3 * Q, BAR, 4 * BAR]
    assert metric_accent(score, places).tolist() == [3, 0, 1, 2, 1, 3, 3]
    grouped = metric_accent(score, places, (Hypermeter(0, 8 * BAR, 4),))
    assert grouped.tolist() == [4, 0, 1, 2, 1, 3, 4]
    jig = score_of(tune((60, 62) * 16), meters=np.array([(0, 6, 8)], METER))
    assert metric_accent(jig, [0, Q // 2, 3 * Q // 2, 3 * Q]).tolist() == [3, 0, 1, 3]


# -- intensity -------------------------------------------------------------------------------------------------------

TERMS = ("density", "texture", "register", "dynamics", "tension")
PLAIN = [(b * BAR + i * Q, Q, (60, 64, 67, 64)[i], 64, 0) for b in range(4) for i in range(4)]


def with_rows(rows: list[tuple[int, int, int, int, int]]) -> Score:
    return score_of([], []).replace(notes=note_rows(rows), length=4 * BAR)


@pytest.mark.parametrize(
    ("term", "change"),
    [
        (
            "density",
            lambda r: [x for on, long, p, v, k in r for x in ((on, Q // 2, p, v, k), (on + Q // 2, Q // 2, p, v, k))],
        ),
        ("texture", lambda r: [*r, *((on, long, p, v, 1) for on, long, p, v, _ in r)]),
        ("register", lambda r: [(on, long, p + 24, v, k) for on, long, p, v, k in r]),
        ("dynamics", lambda r: [(on, long, p, v + 30, k) for on, long, p, v, k in r]),
        ("tension", lambda r: [*r, *((on, long, p + 1, v, k) for on, long, p, v, k in r)]),
    ],
)
def test_each_term_rises_with_what_it_stands_for(term: str, change: object) -> None:
    before, after = intensity_terms(with_rows(PLAIN)), intensity_terms(with_rows(change(PLAIN)))  # type: ignore[operator]
    assert np.all(getattr(after, term) > getattr(before, term))
    for name in TERMS:
        for terms in (before, after):
            assert np.all((getattr(terms, name) >= 0) & (getattr(terms, name) <= 1))


def test_a_crescendo_rises_bar_by_bar() -> None:
    score = with_rows([(on, long, p, 30 + 25 * (on // BAR), k) for on, long, p, _, k in PLAIN])
    assert np.all(np.diff(intensity(score)) > 0)


def test_silence_is_nothing_in_every_term() -> None:
    score = with_rows(PLAIN[:8])
    terms = intensity_terms(score)
    for name in TERMS:
        assert np.all(getattr(terms, name)[2:] == 0)
    assert np.all(intensity(score)[2:] == 0)


def test_a_foreign_key_is_tenser_than_home() -> None:
    score = with_rows([(on, long, p + 6 * (on // BAR == 3), v, k) for on, long, p, v, k in PLAIN])
    keys = (KeySpan(0, 3 * BAR, 0, "major"), KeySpan(3 * BAR, 4 * BAR, 6, "major"))
    tension = intensity_terms(score, keys).tension
    assert tension[3] > tension[0]
    assert np.allclose(tension[:3], tension[0])
