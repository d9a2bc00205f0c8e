"""Values of analysis: which notes a role is heard by."""

from __future__ import annotations

import numpy as np

from rescore_music.score import note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role


def test_a_chordal_tune_is_heard_by_its_top_notes_and_a_bass_by_its_lowest() -> None:
    notes = note_rows(
        [(0, 10, 60, 64, 0), (0, 10, 64, 64, 0), (0, 10, 36, 64, 1), (0, 10, 48, 64, 1), (10, 5, 62, 64, 0)]
    )
    notes = notes[np.lexsort((notes["pitch"], notes["part"], notes["onset"]))]
    line_of = notes["part"].astype(np.int32)
    lines = tuple(Line(p, 0, np.flatnonzero(line_of == p)) for p in (0, 1))
    roles = np.array([[Role.MELODY], [Role.BASS]], np.int8)
    analysis = Analysis(np.zeros(5, np.int16), line_of, lines, (Phrase(0, 20),), roles)
    assert notes["pitch"][analysis.leading(notes, Role.MELODY)].tolist() == [64, 62]
    assert notes["pitch"][analysis.leading(notes, Role.BASS)].tolist() == [36]
    assert not analysis.leading(notes, Role.HARMONY).any()


def test_a_line_that_doubles_is_not_asked_for_twice() -> None:
    notes = note_rows([(0, 10, 72, 64, 0), (0, 10, 60, 64, 1)])
    lines = tuple(Line(p, 0, np.array([p])) for p in (0, 1))
    roles = np.array([[Role.MELODY], [Role.MELODY]], np.int8)
    doubles = np.array([[-1], [0]], np.int32)
    analysis = Analysis(
        np.zeros(2, np.int16), np.array([0, 1], np.int32), lines, (Phrase(0, 10),), roles, doubles=doubles
    )
    assert analysis.leading(notes, Role.MELODY).tolist() == [True, False]
