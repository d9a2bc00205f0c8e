"""More of what a copyist would write: uneven meters, beams of three beats."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rescore_music.io.notation.values import layout

Q = 480


def pieces_of(durations, meter, rests=()):
    events, at = [], 0
    for i, d in enumerate(durations):
        ticks = int(Fraction(d) * Q)
        events.append((at, at + ticks, i in rests))
        at += ticks
    found = layout(tuple(events), at, *meter, Q)
    assert found is not None
    return found


def values(durations, meter, rests=()):
    return [p.kind + "." * p.dots for p in pieces_of(durations, meter, rests)]


def beams(durations, meter, rests=()):
    return [p.beams[0] if p.beams else "" for p in pieces_of(durations, meter, rests)]


@pytest.mark.parametrize(
    ("durations", "meter", "printed"),
    [
        ([3.5], (7, 8), ["half", "quarter."]),
        ([5], (5, 4), ["half.", "half"]),
        ([2.5], (5, 8), ["quarter.", "quarter"]),
        ([2, 2, 1], (5, 4), ["half", "quarter", "quarter", "quarter"]),
        ([3.5, 0.5], (4, 4), ["half..", "eighth"]),  # an even meter lets a doubly dotted value stand
    ],
)
def test_the_seam_of_an_uneven_meter_is_always_seen(durations, meter, printed):
    assert values(durations, meter) == printed


def test_six_eighths_in_three_four_share_a_beam():
    assert beams([0.5] * 6, (3, 4)) == ["begin", "continue", "continue", "continue", "continue", "end"]
    assert beams([1, 0.5, 0.5, 0.5, 0.5], (3, 4)) == ["", "begin", "continue", "continue", "end"]
    assert beams([0.5, 0.5, 0.5, 0.5, 1], (3, 4)) == ["begin", "continue", "continue", "end", ""]
    assert beams([0.5, 0.5, 1, 0.5, 0.5], (3, 4)) == ["begin", "end", "", "begin", "end"]


def test_a_rest_or_a_sixteenth_keeps_the_beats_apart():
    assert beams([0.5] * 6, (3, 4), rests=(1,)) == ["", "", "begin", "continue", "continue", "end"]
    assert beams([0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5], (3, 4))[:3] == ["begin", "continue", "end"]


def test_the_last_third_of_a_beat_belongs_to_a_triplet_of_the_whole_beat():
    third = Fraction(1, 3)
    pieces = pieces_of([2 * third, third, 3], (4, 4), rests=(0, 2))
    assert [(p.kind, p.actual) for p in pieces[:2]] == [("quarter", 3), ("eighth", 3)]
    pieces = pieces_of([third, 2 * third, 3], (4, 4), rests=(1, 2))
    assert [(p.kind, p.actual) for p in pieces[:2]] == [("eighth", 3), ("quarter", 3)]


def test_swung_syncopation_is_tied_over_the_beat_and_not_one_odd_tuplet():
    third = Fraction(1, 3)
    pieces = pieces_of([2 * third, 1, third, 2], (4, 4), rests=(0, 3))
    assert [(p.kind, p.actual) for p in pieces[:4]] == [("quarter", 3), ("eighth", 3), ("quarter", 3), ("eighth", 3)]
    assert [p.event for p in pieces[:4]] == [0, 1, 1, 2]
    over_three = pieces_of([2 * third, 1, third * 4, 1], (4, 4), rests=(0,))
    assert {p.actual for p in over_three} <= {1, 3}
