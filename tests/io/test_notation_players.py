"""How many play: "a 2", "div.", "unis." where it changes, and nowhere else."""

from __future__ import annotations

import re

from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.notation.players import player_texts
from rescore_music.score import Part, Score, note_rows

Q = 480
BAR = 4 * Q
FLUTES = Part("Flutes", instrument="flute", players=2, clefs=("G2",))
VIOLINS = Part("Violins I", instrument="violin", players=16, clefs=("G2",))


def told(part: Part, *bars: tuple[int, ...]) -> list[tuple[int, str]]:
    """(bar, word) for bars that hold one whole note, a chord, or nothing."""
    rows = [(i * BAR, BAR, pitch, 80, 0) for i, pitches in enumerate(bars) for pitch in pitches]
    return [(m.tick // BAR, m.text) for m in player_texts(Score(note_rows(rows), (part,)), 0)]


def test_two_flutes_on_one_line_play_a_due_until_they_part():
    assert told(FLUTES, (72,), (74,), (72, 76), (74,), (72,)) == [(0, "a 2"), (3, "a 2")]
    assert told(FLUTES, (72, 76), (74, 77)) == []


def test_winds_are_told_again_after_long_rests():
    assert told(FLUTES, (72,), *[()] * 3, (74,)) == [(0, "a 2")]
    assert told(FLUTES, (72,), *[()] * 9, (74,)) == [(0, "a 2"), (10, "a 2")]


def test_a_section_divides_and_comes_together_when_the_chords_are_over():
    assert told(VIOLINS, (72,), (72, 76), (74, 77), (72,)) == [(1, "div."), (3, "unis.")]
    assert told(VIOLINS, (72,), (72, 76), (74,), (74, 77), (72,), (72,)) == [(1, "div."), (4, "unis.")]
    assert told(VIOLINS, (72,), (74,)) == []


def test_a_held_note_under_a_moving_one_divides_too():
    rows = [(0, BAR, 60, 80, 0), (Q, Q, 67, 80, 0), (2 * Q, Q, 69, 80, 0), (BAR, BAR, 60, 80, 0)]
    words = [m.text for m in player_texts(Score(note_rows(rows), (VIOLINS,)), 0)]
    assert words[0] == "div."


def test_soloists_pianos_and_notated_parts_are_left_alone():
    assert told(Part("Flute", instrument="flute"), (72,), (72, 76)) == []
    assert told(Part("Pianos", instrument="piano", players=2), (72,), (72, 76), (70,)) == []
    notes = note_rows([(0, BAR, 72, 80, 0)])
    notes["voice"] = 1
    assert player_texts(Score(notes, (FLUTES,)), 0) == []


def test_the_words_stand_over_the_staff():
    score = Score(note_rows([(0, BAR, 72, 80, 0)]), (FLUTES,))
    assert re.search(r'placement="above"[^/]*<words[^>]*>a 2</words>', musicxml_bytes(score).decode())
