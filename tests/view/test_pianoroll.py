"""The piano roll: every note once, at its place in time, in its colour; two rolls on one scale compare."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.score import Score, note_rows
from rescore_music.structure import Role
from rescore_music.view.palette import ADDED_NAME, ROLE_COLOURS, Colouring, by_origin, by_part, by_role
from rescore_music.view.pianoroll import RollScale, piano_roll

STROKE = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)")


def strokes(svg: str) -> list[tuple[float, float, float, str]]:
    """(x, y, length, colour) of every note drawn."""
    out = []
    for path in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        for x, y, length in STROKE.findall(path.get("d", "")):
            out.append((float(x), float(y), float(length), path.get("stroke", "")))
    return out


def tune(*pitches: int, part: int = 0) -> Score:
    parts = tuple(rm.Part(name=f"P{i}") for i in range(part + 1))
    rows = note_rows([(480 * i, 480, p, 80, part) for i, p in enumerate(pitches)])
    return Score(notes=rows, parts=parts, tempo=rm.TempoMap.constant(120, 480), ticks_per_quarter=480)


def test_every_note_is_drawn_once(chase):
    assert len(strokes(piano_roll(chase))) == len(chase.notes)


def test_higher_is_higher_and_later_is_further_right():
    (x0, y0, *_), (x1, y1, *_), (x2, y2, *_) = strokes(piano_roll(tune(60, 72, 48)))
    assert y1 < y0 < y2
    assert x0 < x1 < x2


def test_length_is_time_not_ticks():
    score = tune(60, 60)
    slow = score.replace(tempo=rm.TempoMap.from_events([(0, 500_000), (480, 1_000_000)], 480))
    first, second = strokes(piano_roll(slow))
    assert second[2] == pytest.approx(2 * first[2], rel=0.01)


def test_rolls_on_one_scale_put_equal_notes_at_equal_places():
    short, long = tune(60, 64), tune(60, 64, 90, 30, 67, 67, 67)
    scale = RollScale.of(short, long)
    assert strokes(piano_roll(short, scale=scale))[0][:2] == strokes(piano_roll(long, scale=scale))[0][:2]
    alone = strokes(piano_roll(short))
    assert alone[1][0] > strokes(piano_roll(short, scale=scale))[1][0]


def test_scale_holds_everything_in_whole_octaves(chase):
    scale = RollScale.of(chase)
    pitches = chase.notes["pitch"][chase.pitched]
    assert scale.low <= pitches.min()
    assert pitches.max() <= scale.high
    assert scale.low % 12 == 0
    assert (scale.high + 1) % 12 == 0
    assert set(scale.drums) == set(chase.notes["pitch"][~chase.pitched].tolist())


def test_melody_has_the_melodys_colour(hero):
    analysis = rm.analyze(hero)
    drawn = strokes(piano_roll(hero, by_role(hero, analysis)))
    melody = int((analysis.note_roles(hero.notes["onset"]) == Role.MELODY).sum())
    assert sum(colour == ROLE_COLOURS[Role.MELODY] for *_, colour in drawn) == melody > 100


def test_a_result_is_coloured_by_where_its_notes_come_from(quintet):
    colouring = by_origin(quintet.source, quintet.analysis, quintet.chosen.origin)
    roles = quintet.analysis.note_roles(quintet.source.notes["onset"])
    origin = quintet.chosen.origin
    assert np.array_equal(colouring.groups[origin >= 0], roles[origin[origin >= 0]])
    assert all(colouring.names[g] == ADDED_NAME for g in colouring.groups[origin < 0])


def test_parts_have_colours_of_their_own(chase):
    colouring = by_part(chase)
    assert len(set(colouring.colours)) == len(chase.parts)
    legend = piano_roll(chase)
    assert all(f">{part.name}</text>" in legend for part in chase.parts)


def test_six_thousand_notes_stay_below_400_kilobytes():
    rng = np.random.default_rng(7)
    rows = note_rows(
        [
            (int(t), int(d), int(p), int(v), 0)
            for t, d, p, v in rng.integers([0, 60, 30, 20], [400_000, 960, 100, 120], (6000, 4))
        ]
    )
    tempo = rm.TempoMap.constant(120, 480)
    score = Score(notes=rows, parts=(rm.Part("Tutti"),), tempo=tempo, ticks_per_quarter=480)
    groups = Colouring(rng.integers(0, 6, 6000), tuple("abcdef"), tuple(ROLE_COLOURS.values()))
    assert len(piano_roll(score, groups).encode()) < 400_000


def test_an_empty_score_gives_an_empty_field():
    tempo = rm.TempoMap.constant(120, 480)
    svg = piano_roll(Score(notes=note_rows([]), parts=(), tempo=tempo, ticks_per_quarter=480))
    assert strokes(svg) == []


def test_names_are_escaped():
    score = tune(60).replace(parts=(rm.Part('<b>"Tuba" & Co</b>'),))
    ET.fromstring(piano_roll(score, title='A "quoted" <title>'))


def test_same_score_same_bytes(chase):
    assert piano_roll(chase) == piano_roll(chase)
