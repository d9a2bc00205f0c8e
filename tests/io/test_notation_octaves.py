"""Octave lines: over high passages of players who use them, not for single notes, not against a source's own."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rescore_music as rm
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.notation.clefs import Chord, ledger_lines
from rescore_music.io.notation.octaves import LEAST, octave_lines
from rescore_music.score import Mark, Part, Score, note_rows

Q = 480
PIANO = Part("Piano", instrument="piano", program=0, staves=2, clefs=("G2", "F4"))
VIOLIN = Part("Violin", instrument="violin", program=40, clefs=("G2",))
FLUTE = Part("Flute", instrument="flute", program=73, clefs=("G2",))
HIGH = (91, 93, 95, 96, 98, 96, 95, 93)  # G6 to D7


def score(part: Part, *pitches: int) -> Score:
    return Score(note_rows([(i * Q, Q, p, 80, 0) for i, p in enumerate(pitches)]), (part,))


def shifts(one: Score) -> list[tuple[str, str]]:
    found = re.findall(r'<octave-shift type="(\w+)" size="(\d+)"', musicxml_bytes(one).decode())
    return [(way, size) for way, size in found]


@pytest.mark.parametrize("part", [PIANO, VIOLIN])
def test_a_high_passage_stands_under_8va(part):
    one = score(part, 72, 74, 76, 77, *HIGH, 72, 74, 76, 77)
    assert shifts(one) == [("down", "8"), ("stop", "8")]


def test_a_deep_passage_of_the_left_hand_stands_over_8vb():
    one = score(PIANO, 43, 45, 47, 48, *(24, 26, 28, 24, 26, 28, 24, 21), 43, 45, 47, 48)
    assert shifts(one) == [("up", "8"), ("stop", "8")]


def test_flutes_read_ledger_lines_and_single_high_notes_stay():
    assert shifts(score(FLUTE, 72, 74, *HIGH)) == []
    assert shifts(score(VIOLIN, 72, 74, 76, 96, 72, 74, 76, 72)) == []


def test_sound_and_second_writing_are_what_they_were(tmp_path):
    one = score(VIOLIN, 72, 74, 76, 77, *HIGH, 72, 74, 76, 77)
    back = rm.read_score(rm.write_score(one, tmp_path / "one.musicxml"))
    assert back.notes["pitch"].tolist() == one.notes["pitch"].tolist()
    (line,) = [m for m in back.marks if m.kind == "octave"]
    assert (line.text, line.tick / back.ticks_per_quarter, line.end / back.ticks_per_quarter) == ("8va", 4, 12)
    again = rm.read_score(rm.write_score(back, tmp_path / "two.musicxml"))
    assert again.marks == back.marks


def test_a_line_that_the_source_drew_is_the_only_one():
    one = score(VIOLIN, *HIGH, *HIGH).replace(marks=(Mark(0, "octave", "15ma", 0, end=4 * Q),))
    assert shifts(one) == [("down", "15"), ("stop", "15")]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(20, 60), min_size=1, max_size=40), st.integers(1, 4))
def test_lines_are_apart_long_enough_and_spare_ledger_lines(heights: list[int], every: int):
    chords = [Chord(i * Q * every, (i * every + 1) * Q, h, h, False) for i, h in enumerate(heights)]
    bars = np.arange(0, (len(heights) + 4) * every * Q + 4 * Q, 4 * Q)
    lines = octave_lines(chords, [(0, "G2")], bars, Q)
    assert all(a[1] <= b[0] for a, b in pairwise(lines))
    for start, end, text in lines:
        under = [c for c in chords if start <= c.start < end]
        move = 7 if text == "8va" else -7
        assert len(under) >= LEAST
        bare = sum(ledger_lines("G2", c.low, c.high) for c in under)
        assert sum(ledger_lines("G2", c.low - move, c.high - move) for c in under) < bare


def test_an_octave_line_counts_once_in_every_part():
    """As an engraver reads the file: printed an octave lower, sounding as written; not in the first part alone."""
    import verovio

    kit = verovio.toolkit()
    notes = [(i * Q, Q, p, 80, part) for part in range(2) for i, p in enumerate((72, 74, 76, 77, *HIGH))]
    assert kit.loadData(musicxml_bytes(Score(note_rows(notes), (VIOLIN, VIOLIN))).decode())
    printed = re.findall(r'<note [^>]*oct="(\d)" pname="(\w)"(?: [^>]*)?? oct\.ges="(\d)"', kit.getMEI())
    assert len(printed) == 2 * len(HIGH)
    assert all(int(sounding) == int(written) + 1 for written, _, sounding in printed)
