"""Grace notes go with the note they lead to."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.orchestration.draft import DRAFT, Ledger, Loss
from rescore_music.orchestration.ensemble import ensemble
from rescore_music.orchestration.graces import with_their_notes
from rescore_music.score import Articulation, Part, Score, note_rows

Q = 480
FLUTE, OBOE = 0, 1


@pytest.fixture
def score() -> Score:
    """A quarter, then a grace note before another quarter."""
    notes = note_rows([(0, Q, 72, 80, 0), (Q, 0, 74, 80, 0), (Q, Q, 76, 80, 0)])
    notes["articulation"][1] = int(Articulation.ACCIACCATURA)
    return Score(notes, (Part("Tune"),))


def played(score: Score, seats: tuple[int, ...], octaves: tuple[int, ...] = (0, 0, 0), without: tuple[int, ...] = ()):
    """What stays of a draft in which the k-th note of the tune is on the k-th seat; and why notes are left out."""
    draft = np.zeros(3, DRAFT)
    draft["source"], draft["seat"] = np.arange(3), seats
    for name in ("onset", "duration", "articulation", "velocity"):
        draft[name] = score.notes[name]
    draft["pitch"] = score.notes["pitch"] + 12 * np.array(octaves)
    template = builders.template(builders.QUINTET)
    ledger = Ledger(np.zeros(3, np.int8), [], score, template.forces.seats)
    out = with_their_notes(np.delete(draft, without), score, ensemble(template), ledger)
    rows = zip(out["source"].tolist(), out["seat"].tolist(), out["pitch"].tolist(), strict=True)
    return list(rows), Loss(ledger.reason[1])


def test_they_stay_where_their_note_is(score: Score) -> None:
    rows, _ = played(score, (FLUTE, OBOE, OBOE))
    assert (1, OBOE, 74) in rows


def test_they_follow_a_note_that_another_plays_in_its_octave(score: Score) -> None:
    silent_before = (0,)
    rows, _ = played(score, (FLUTE, FLUTE, OBOE), (0, 0, 1), silent_before)
    assert rows == [(1, OBOE, 86), (2, OBOE, 88)]


def test_they_go_where_nobody_plays_their_note(score: Score) -> None:
    rows, reason = played(score, (OBOE, FLUTE, FLUTE), without=(2,))
    assert rows == [(0, OBOE, 72)]
    assert reason is Loss.GRACE


def test_they_may_end_the_note_before(score: Score) -> None:
    rows, _ = played(score, (FLUTE, FLUTE, OBOE))
    assert (1, FLUTE, 74) in rows
