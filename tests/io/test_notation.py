"""Time to note values: what a copyist would write."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.io.notation.dynamics import nearest_level, velocities
from rescore_music.io.notation.snap import snap
from rescore_music.io.notation.spelling import named, spell
from rescore_music.io.notation.values import layout, note_value
from rescore_music.score import KEY, METER, STEP_SEMITONES, Mark, Part, Score, note_rows

Q = 480


def written(durations, rests=(), meter=(4, 4), shift=0):
    """What is printed for durations in quarters: 'quarter.', '(eighth)' for rests, 'eighth/3' in triplets."""
    events, at = [], 0
    for i, d in enumerate(durations):
        ticks = Fraction(d).limit_denominator(1000) * Q
        assert ticks.denominator == 1
        events.append((at, at + int(ticks), i in rests))
        at += int(ticks)
    pieces = layout(tuple(events), at, *meter, Q, shift * Q)
    assert pieces is not None
    out = []
    for p in pieces:
        text = p.kind + "." * p.dots + (f"/{p.actual}" if p.actual > 1 else "")
        out.append(f"({text})" if events[p.event][2] else text)
    return out


def test_syncopation_about_the_beat_and_the_middle():
    assert written([1, 2, 1]) == ["quarter", "half", "quarter"]
    assert written([0.5, 1, 0.5, 2]) == ["eighth", "quarter", "eighth", "half"]
    assert written([1.5, 1, 1.5]) == ["quarter.", "eighth", "eighth", "quarter."]  # the middle of the bar is shown


def test_values_no_single_note_has_are_tied_at_the_strongest_place():
    assert written([2.5, 1.5]) == ["half", "eighth", "quarter."]
    assert written([1.5, 2.5]) == ["quarter.", "eighth", "half"]


def test_rests_show_the_beats():
    assert written([1, 3], rests=(1,)) == ["quarter", "(quarter)", "(half)"]
    assert written([2, 1], rests=(0,), meter=(3, 4)) == ["(quarter)", "(quarter)", "quarter"]
    assert written([0.5, 1, 1.5], rests=(1,), meter=(6, 8)) == ["eighth", "(eighth)", "(eighth)", "quarter."]


def test_compound_beats_are_not_bridged():
    assert written([2, 1], meter=(6, 8)) == ["quarter.", "eighth", "quarter"]
    assert written([3], meter=(6, 8)) == ["half."]


@pytest.mark.parametrize(("n", "unit"), [(3, "eighth"), (5, "16th"), (6, "16th"), (7, "16th")])
def test_tuplets_of_a_quarter(n, unit):
    per = 3 if n == 6 else n  # a sextuplet is two triplets here
    events = (*((i * 3360 // n, (i + 1) * 3360 // n, False) for i in range(n)), (3360, 4 * 3360, True))
    pieces = layout(events, 4 * 3360, 4, 4, 3360)
    assert [(p.kind, p.actual) for p in pieces[:n]] == [(unit, per)] * n
    assert pieces[0].bracket == "start"
    assert pieces[n - 1].bracket == "stop"


def test_quarter_triplet_spans_two_beats():
    third = Fraction(2, 3)
    assert written([third, third, third, 2]) == ["quarter/3"] * 3 + ["half"]
    assert written([third, third, third, 1], meter=(3, 4)) == ["quarter/3"] * 3 + ["quarter"]


def test_eighths_are_beamed_by_half_bars_sixteenths_by_beats():
    pieces = layout(tuple((i * 240, i * 240 + 240, False) for i in range(8)), 1920, 4, 4, Q)
    assert [p.beams[0] for p in pieces] == ["begin", "continue", "continue", "end"] * 2
    pieces = layout(tuple((i * 120, i * 120 + 120, False) for i in range(16)), 1920, 4, 4, Q)
    assert [p.beams for p in pieces[:4]] == [
        ("begin", "begin"),
        ("continue", "continue"),
        ("continue", "continue"),
        ("end", "end"),
    ]
    dotted = layout(((0, 360, False), (360, 480, False), (480, 1920, True)), 1920, 4, 4, Q)
    assert [p.beams for p in dotted[:2]] == [("begin",), ("end", "backward hook")]


def test_note_value_knows_dots():
    assert note_value(Q, Q) == ("quarter", 0)
    assert note_value(Q * 3 // 2, Q) == ("quarter", 1)
    assert note_value(Q * 7 // 4, Q) == ("quarter", 2)
    assert note_value(Q * 5 // 4, Q) is None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (7, 8), (2, 2), (12, 8), (3, 8)]),
    st.lists(st.integers(1, 24), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_pieces_tile_the_bar_and_mean_their_ticks(meter, steps, rests):
    """Whatever the rhythm in sixteenths or thirty-seconds: every piece lasts what its symbol says."""
    length = Q * 4 * meter[0] // meter[1]
    cuts = sorted({0, length, *(c for c in np.cumsum(steps) * 60 if c < length)})
    events = tuple((int(a), int(b), rests[i % 12]) for i, (a, b) in enumerate(pairwise(cuts)))
    pieces = layout(events, length, *meter, Q)
    assert pieces is not None
    at = 0
    for p in pieces:
        assert p.start == at
        at += p.ticks
        value = note_value(p.ticks * p.actual // p.normal, Q)
        assert value == (p.kind, p.dots)
    assert at == length


# -- snapping --------------------------------------------------------------------------------------------------------


def performed(onsets, ends, *, quarter=480, percussion=False, **fields) -> Score:
    rows = [
        (round(a * quarter), max(round((b - a) * quarter), 1), 60 + i % 12, 80, 0)
        for i, (a, b) in enumerate(zip(onsets, ends, strict=True))
    ]
    return Score(notes=note_rows(rows), parts=(Part(percussion=percussion),), **fields)


def test_humanized_eighths_land_on_eighths_without_rests():
    rng = np.random.default_rng(3)
    exact = np.arange(64) / 2
    onsets = np.maximum(exact + rng.normal(0, 0.02, 64), 0)
    score = performed(onsets, onsets + 0.31)
    snapped = snap(score)
    assert snapped.performed.all()
    np.testing.assert_array_equal(snapped.onset / snapped.resolution, exact)
    np.testing.assert_array_equal((snapped.end - snapped.onset)[:-1] / snapped.resolution, 0.5)
    assert 0 < snapped.moved_mean < 0.05
    np.testing.assert_array_equal(score.notes["onset"], np.rint(onsets * 480))  # the score is not changed


def test_triplets_and_sixteenths_are_told_apart():
    rng = np.random.default_rng(5)
    exact = np.concatenate([b + np.arange(n) / n for b, n in enumerate([3, 4] * 8)])
    onsets = np.maximum(exact + rng.normal(0, 0.012, len(exact)), 0)
    snapped = snap(performed(onsets, onsets + 0.2))
    np.testing.assert_allclose(snapped.onset / snapped.resolution, exact, atol=1e-9)


def test_notated_parts_are_taken_as_they_are():
    score = performed([0, 1, 1.5, 2 + 1 / 3], [0.5, 1.25, 2, 2 + 2 / 3])
    snapped = snap(score)
    assert not snapped.performed.any()
    assert snapped.moved_max == 0
    np.testing.assert_array_equal(snapped.end, score.ends)


def test_drum_hits_last_to_the_next_hit_or_the_beats_end():
    score = performed([0.01, 0.51, 1.0, 3.02], [0.05, 0.55, 1.06, 3.1], percussion=True)
    snapped = snap(score)
    assert (snapped.onset / snapped.resolution).tolist() == [0, 0.5, 1, 3]
    assert (snapped.end / snapped.resolution).tolist() == [0.5, 1, 2, 4]


def test_a_flick_before_the_beat_is_a_grace_note():
    score = performed([0, 0.95, 1.0, 2.0, 3.003], [0.9, 0.99, 1.97, 2.9, 3.8])
    snapped = snap(score)
    assert snapped.grace.tolist() == [False, True, False, False, False]


def test_bars_off_the_grid_are_rounded_and_hold_their_notes():
    meters = np.array([(0, 4, 4), (1927, 3, 4)], METER)
    score = performed([0, 1, 2, 3, 1927 / 480, 1927 / 480 + 1], [1, 2, 3, 4, 5, 6], meters=meters)
    snapped = snap(score)
    assert np.all(np.diff(snapped.bars) * 8 % snapped.resolution == 0)
    assert snapped.bars[1] == snapped.onset[4]


# -- spelling --------------------------------------------------------------------------------------------------------


def test_spelling_of_chorales_agrees_with_the_print():
    """ps13 stage 1 against the printed names of Bach chorales: at least 99 of 100 notes."""
    from music21 import corpus

    right = total = 0
    for number in ("bwv66.6", "bwv269", "bwv7.7", "bwv57.8", "bwv253"):
        rows = []
        chorale = corpus.parse(number)
        for index, part in enumerate(chorale.parts):
            for n in part.flatten().notes:
                rows.append(
                    (
                        round(float(n.offset) * Q),
                        Q,
                        n.pitch.midi,
                        80,
                        index,
                        "CDEFGAB".index(n.pitch.step),
                        int(n.pitch.alter),
                    )
                )
        rows.sort(key=lambda r: (r[0], r[4], r[2]))
        sharps = chorale.parts[0].recurse().getElementsByClass("KeySignature").first().sharps
        score = Score(
            notes=note_rows([r[:5] for r in rows]), parts=(Part(),) * 4, keys=np.array([(0, sharps, -1)], KEY)
        )
        step, alter = spell(score)
        right += int(np.sum((step == [r[5] for r in rows]) & (alter == [r[6] for r in rows])))
        total += len(rows)
    assert right / total > 0.99


@pytest.mark.parametrize("shift", range(12))
def test_a_transposed_scale_is_spelled_in_its_key(shift):
    fifths = (7 * shift + 5) % 12 - 5
    scale = [60 + shift + p for p in (0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0)]
    score = Score(
        notes=note_rows([(i * Q, Q, p, 80, 0) for i, p in enumerate(scale)]),
        parts=(Part(),),
        keys=np.array([(0, fifths, 0)], KEY),
    )
    step, alter = spell(score)
    assert len({(int(s), int(a)) for s, a in zip(step, alter, strict=True)}) == 7
    assert len(set(step.tolist())) == 7
    assert int(np.abs(alter[:7]).sum()) == abs(fifths)


def test_known_spelling_is_kept():
    notes = note_rows([(0, Q, 61, 80, 0), (Q, Q, 66, 80, 0)])
    notes["step"], notes["alter"] = [1, 3], [-1, 1]
    step, alter = spell(Score(notes=notes, parts=(Part(),)))
    assert (step.tolist(), alter.tolist()) == ([1, 3], [-1, 1])


# -- dynamics --------------------------------------------------------------------------------------------------------


def test_dynamics_hold_for_their_own_part_only():
    notes = note_rows([(i * Q, Q, 60, 80, p) for i in range(4) for p in (0, 1)])
    notes = np.sort(notes, order=["onset", "part"])
    marks = [Mark(Q, "dynamic", "pp", 0), Mark(2 * Q, "dynamic", "ff", 1)]
    loud = velocities(notes, marks, 2, Q, np.array([0, 4 * Q]))
    assert loud[notes["part"] == 0].tolist() == [80, 33, 33, 33]
    assert loud[notes["part"] == 1].tolist() == [80, 80, 112, 112]


def test_fortepiano_is_loud_then_soft():
    notes = note_rows([(i * Q, Q, 60, 80, 0) for i in range(3)])
    loud = velocities(notes, [Mark(Q, "dynamic", "fp", 0)], 1, Q, np.array([0, 4 * Q]))
    assert loud.tolist() == [80, 96, 49]


def test_levels_are_their_own_nearest():
    assert [nearest_level(v) for v in (16, 33, 49, 64, 80, 96, 112, 120)] == [
        "ppp",
        "pp",
        "p",
        "mp",
        "mf",
        "f",
        "ff",
        "fff",
    ]


def test_names_far_out_on_the_line_of_fifths_turn_until_a_double_sign_says_them():
    fifths = np.arange(-80, 81)
    step, alter = named(fifths)
    assert np.all(np.abs(alter) <= 2)
    assert np.array_equal((STEP_SEMITONES[step] + alter) % 12, 7 * fifths % 12)
    assert [int(named(np.array([f]))[1][0]) for f in (-15, -8, 0, 19)] == [-2, -1, 0, 2]  # written as they are
