"""Percussion in two voices, and clefs that change for passages only."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rescore_music as rm
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.notation.clefs import FREE, Chord, clef_path, clefs_read, ledger_lines
from rescore_music.score import Articulation, Part, Score, note_rows

Q = 480
BAR = 4 * Q
KIT = Part("Drums", percussion=True, channel=9, clefs=("percussion",))


def bars_of(score: Score) -> list[str]:
    return re.findall(r"<measure .*?</measure>", musicxml_bytes(score).decode(), re.DOTALL)


def rests_in(bar: str) -> int:
    return bar.count("<rest")


def rock(ticks: int) -> Score:
    """A bar of rock: closed hi-hat in eighths, bass drum on 1 and 3, snare on 2 and 4, each stroke `ticks` long."""
    rows = [(i * Q // 2, ticks, 42, 80, 0) for i in range(8)]
    rows += [(0, ticks, 36, 80, 0), (2 * Q, ticks, 36, 80, 0), (Q, ticks, 38, 80, 0), (3 * Q, ticks, 38, 80, 0)]
    return Score(note_rows(rows), (KIT,))


@pytest.mark.parametrize("ticks", [1, 60, Q // 4, Q // 2])
def test_hands_go_up_and_feet_down_whatever_the_strokes_last(ticks):
    (bar,) = bars_of(rock(ticks))
    notes = re.findall(r"<note.*?</note>", bar)
    up = [n for n in notes if "<stem>up" in n]
    down = [n for n in notes if "<stem>down" in n]
    assert len(up) == 10
    assert len(down) == 2
    assert all("P1-I36" in n and "<voice>2<" in n and "<type>quarter" in n for n in down)
    assert all("<type>eighth" in n for n in up)
    assert rests_in(bar) <= 1  # the bass drum's second beat; its fourth is the bar's end


def test_cymbals_have_crosses_and_stand_where_drummers_look_for_them():
    (bar,) = bars_of(rock(Q // 4))
    hat = next(n for n in re.findall(r"<note.*?</note>", bar) if "P1-I42" in n)
    assert "<notehead>x</notehead>" in hat
    assert "<display-step>G</display-step><display-octave>5</display-octave>" in hat


def test_strokes_that_never_coincide_make_one_rhythm():
    rows = [(i * Q // 2, 60, 36 if i % 2 == 0 else 38, 80, 0) for i in range(7)] + [(7 * Q // 2, 60, 49, 80, 0)]
    (bar,) = bars_of(Score(note_rows(rows), (KIT,)))
    assert "<voice>2<" not in bar
    assert rests_in(bar) == 0


def test_a_roll_keeps_its_length_and_every_stroke_comes_back(tmp_path):
    notes = note_rows([(0, 2 * BAR, 38, 80, 0), *((2 * BAR + i * Q, Q // 4, 38, 80, 0) for i in range(4))])
    notes["articulation"][0] = int(Articulation.TREMOLO)
    score = Score(notes, (KIT,))
    back = rm.read_score(rm.write_score(score, tmp_path / "roll.musicxml"))
    assert back.notes["onset"].tolist() == score.notes["onset"].tolist()
    assert int(back.notes["duration"][0]) * Q == 2 * BAR * back.ticks_per_quarter
    assert rm.read_score(rm.write_score(back, tmp_path / "again.musicxml")) == back.replace(
        metadata=rm.read_score(tmp_path / "again.musicxml").metadata
    )


def test_one_drum_stands_on_its_one_line():
    score = Score(note_rows([(0, Q, 81, 80, 0)]), (Part("Triangle", percussion=True, lines=1),))
    (bar,) = bars_of(score)
    assert "<display-step>E</display-step><display-octave>4</display-octave>" in bar
    assert "<staff-lines>1</staff-lines>" in bar


# -- clefs -------------------------------------------------------------------------------------------------------------


def clefs_of(pitches: list[int], *, instrument: str, clef: str, rests: tuple[int, ...] = ()) -> list[tuple[int, str]]:
    """(bar, clef) of a part in quarters, as written; `rests` are the quarters without a note."""
    rows = [(i * Q, Q, p, 80, 0) for i, p in enumerate(pitches) if i not in rests]
    bars = bars_of(Score(note_rows(rows), (Part("Solo", instrument=instrument, clefs=(clef,)),)))
    return [
        (i, "".join(found))
        for i, bar in enumerate(bars)
        for found in re.findall(r"<sign>(\w)</sign><line>(\d)</line>", bar)
    ]


LOW, HIGH = [36, 38, 40, 41], [67, 69, 71, 69]


def test_a_cello_s_high_passage_is_written_in_tenor_clef_from_its_bar_and_back():
    found = clefs_of(LOW * 2 + HIGH * 4 + LOW * 2, instrument="cello", clef="F4")
    assert found == [(0, "F4"), (2, "C4"), (6, "F4")]


def test_a_single_high_note_changes_nothing():
    assert clefs_of(LOW * 2 + [67] + LOW * 2, instrument="cello", clef="F4") == [(0, "F4")]


def test_players_of_one_clef_keep_it():
    assert clefs_of([93] * 32, instrument="violin", clef="G2") == [(0, "G2")]
    assert clefs_read("flute", 73, "G2", 1) == ("G2",)
    assert clefs_read("tuba", 58, "F4", 1) == ("F4",)
    assert clefs_read("", 42, "F4", 1) == ("F4", "C4", "G2")


def test_a_clef_stands_at_the_bar_line_before_the_rests():
    found = clefs_of(LOW * 2 + HIGH * 4, instrument="cello", clef="F4", rests=(8, 9))
    assert found == [(0, "F4"), (2, "C4")]


def test_a_source_with_clefs_keeps_its_own(tmp_path):
    rows = [(i * Q, Q, 71, 80, 0) for i in range(32)]
    score = Score(note_rows(rows), (Part("Cello", instrument="cello", clefs=("F4",)),))
    notes = score.notes.copy()
    notes["voice"] = 1  # somebody has notated it
    assert b"<sign>C</sign>" not in musicxml_bytes(score.replace(notes=notes))
    assert b"<sign>C</sign>" in musicxml_bytes(score)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(8, 45), min_size=2, max_size=60))
def test_changing_never_costs_more_ledger_lines_than_staying(heights):
    chords = [Chord(i * Q, (i + 1) * Q, h, h, False) for i, h in enumerate(heights)]
    bars = np.arange(0, len(heights) * Q + BAR, BAR)
    path = clef_path(chords, ("F4", "C4", "G2"), bars, Q)
    ticks = [t for t, _ in path]
    assert ticks == sorted(set(ticks))
    assert all(a[1] != b[1] for a, b in pairwise(path))

    def lines(clef_at):
        return sum(max(ledger_lines(clef_at(c.start), c.low, c.high) - FREE, 0) for c in chords)

    assert lines(lambda t: next(k for at, k in reversed(path) if at <= t)) <= lines(lambda t: "F4")
