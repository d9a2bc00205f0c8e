"""Long notes of a tune on instruments that die away are struck again where the others would cover them."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders
import pytest
from orchestration_builders import BAR, TPQ

from rescore_music.candidate import Assignment, Realization
from rescore_music.orchestration.realize import realize
from rescore_music.playability import violations
from rescore_music.playability.audibility import heard
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role

BARS = 8


def cue(tempo_notes: int = 2) -> tuple[Score, Analysis]:
    """A tune of notes of that many bars over quavers close under it."""
    tune = [(i * BAR, tempo_notes * BAR, 64 + i % 3, 80, 0) for i in range(0, BARS, tempo_notes)]
    under = [(i * TPQ // 2, TPQ // 2, (57, 60, 62)[i % 3], 80, 1) for i in range(8 * BARS)]
    rows = sorted(tune + under, key=lambda row: (row[0], row[4], row[2]))
    part = np.array([row[4] for row in rows])
    score = Score(notes=note_rows(rows), parts=(Part("Tune"), Part("Under")), length=BARS * BAR)
    return score, Analysis(
        voices=np.zeros(len(rows), np.int16),
        line_of=part.astype(np.int32),
        lines=tuple(Line(i, 0, np.flatnonzero(part == i)) for i in range(2)),
        phrases=(Phrase(0, BARS * BAR, "A"),),
        roles=np.array([[int(Role.MELODY)], [int(Role.FIGURATION)]], np.int8),
        confidence=np.ones((2, 1), np.float32),
        doubles=np.full((2, 1), -1, np.int32),
        intensity=np.full(BARS, 0.5),
    )


def made(seats: tuple[tuple[str, int, int], ...], *doubled: int, bars: int = 2) -> Realization:
    score, analysis = cue(bars)
    given = (Assignment(0, 0, 0), Assignment(0, 1, 1), *(Assignment(0, 0, seat, doubling=True) for seat in doubled))
    return realize(score, analysis, builders.template(seats), given)


def tune_of(done: Realization, bars: int = 2) -> np.ndarray:
    score, _ = cue(bars)
    return (done.origin >= 0) & (score.notes["part"][np.maximum(done.origin, 0)] == 0)


@pytest.mark.parametrize("instrument", ["guitar", "piano"])
def test_a_tune_that_would_die_away_is_struck_again_on_beats(instrument: str) -> None:
    done = made(((instrument, 1, 4), ("viola", 8, 2)))
    tune = tune_of(done)
    notes = done.score.notes[tune]
    assert len(notes) > BARS // 2
    assert np.all(notes["onset"] % TPQ == 0)
    starts = np.arange(0, BARS * BAR, 2 * BAR)
    assert set(starts.tolist()) <= set(notes["onset"].tolist())
    # no gap and no overlap: the notes are cut, not lengthened
    assert np.array_equal(notes["onset"][1:], (notes["onset"] + notes["duration"])[:-1])
    assert int(notes["duration"].sum()) == BARS * BAR
    # strokes share their first one's pitch
    assert all(len(set(notes["pitch"][notes["onset"] // (2 * BAR) == i].tolist())) == 1 for i in range(BARS // 2))
    first = np.isin(notes["onset"], starts)
    assert notes["velocity"][~first].max() < notes["velocity"][first].max()
    sounding, told = heard(done.score, np.where(tune, 0, -1))
    assert told[0] / sounding[0] > 0.95
    assert any("struck again" in item.what for item in done.log)
    assert not any(item.lost for item in done.log)
    assert not violations(done.score)


def test_who_can_hold_a_note_is_not_asked_to_repeat_it() -> None:
    done = made((("clarinet-bb", 1, 1), ("viola", 8, 2)))
    assert int(tune_of(done).sum()) == BARS // 2
    doubled = made((("piano", 1, 4), ("viola", 8, 2), ("clarinet-bb", 1, 1)), 2)
    assert int(tune_of(doubled).sum()) == BARS  # a clarinet sustains what the piano strikes


def test_alone_or_short_notes_are_left_as_they_are() -> None:
    score, analysis = cue()
    alone = score.notes["part"] == 0
    lone = score.replace(notes=score.notes[alone])
    only = Analysis(
        voices=np.zeros(len(lone.notes), np.int16),
        line_of=np.zeros(len(lone.notes), np.int32),
        lines=(Line(0, 0, np.arange(len(lone.notes))),),
        phrases=analysis.phrases,
        roles=analysis.roles[:1],
        confidence=analysis.confidence[:1],
        doubles=analysis.doubles[:1],
        intensity=analysis.intensity,
    )
    done = realize(lone, only, builders.template((("guitar", 1, 4),)), (Assignment(0, 0, 0),))
    assert len(done.score.notes) == len(lone.notes)
