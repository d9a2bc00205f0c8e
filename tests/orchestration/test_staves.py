"""Two hands on two staves, lengths as they are written and as they are played, slurs in one hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.orchestration import orchestrate
from rescore_music.playability.hands import two_hands
from rescore_music.score import Mark, Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.template import RoleStyle, load_template

TPQ = builders.TPQ
PLAIN = {role: RoleStyle() for role in Role if role >= 0}
Cue = tuple[Score, Analysis]


def parts(rows: list[tuple[int, int, int, int, int]], roles: list[Role], **fields: object) -> Cue:
    """One part a role."""
    score = Score(notes=note_rows(rows), parts=tuple(Part(r.name) for r in roles), length=2 * builders.BAR, **fields)  # type: ignore[arg-type]
    line = score.notes["part"].astype(np.int32)
    return score, Analysis(
        voices=np.zeros(len(line), np.int16),
        line_of=line,
        lines=tuple(Line(i, 0, np.flatnonzero(line == i)) for i in range(len(roles))),
        phrases=(Phrase(0, score.length, "A"),),
        roles=np.array([[int(role)] for role in roles], np.int8),
        confidence=np.ones((len(roles), 1), np.float32),
        doubles=np.full((len(roles), 1), -1, np.int32),
        intensity=np.full(2, 0.5),
    )


def played(cue: Cue, rows: tuple[tuple[str, int, int], ...] = builders.PIANO, **role: object) -> Score:
    styles = PLAIN | {Role.MELODY: RoleStyle(**role)} if role else PLAIN  # type: ignore[arg-type]
    return orchestrate(cue[0], builders.template(rows, roles=styles), analysis=cue[1], n=1)[0].score


def test_a_low_tune_stays_in_the_right_hand_over_its_bass() -> None:
    tune = [(i * TPQ, TPQ, 55 + i % 4, 80, 0) for i in range(8)]
    bass = [(i * 2 * TPQ, 2 * TPQ, 36, 80, 1) for i in range(4)]
    notes = played(parts(tune + bass, [Role.MELODY, Role.BASS])).notes
    assert set(notes["staff"][notes["pitch"] < 48].tolist()) == {1}
    assert set(notes["staff"][notes["pitch"] > 48].tolist()) == {0}


def test_each_hand_can_take_what_it_is_given(small_cue: Cue) -> None:
    notes = orchestrate(small_cue[0], load_template("piano-solo/classical"), analysis=small_cue[1], n=1)[0].score.notes
    for onset in np.unique(notes["onset"]).tolist():
        for staff in (0, 1):
            hand = sorted(set(notes["pitch"][(notes["onset"] == onset) & (notes["staff"] == staff)].tolist()))
            if two_hands(sorted(set(notes["pitch"][notes["onset"] == onset].tolist())), 16, 5):
                assert not hand or (hand[-1] - hand[0] <= 16 and len(hand) <= 5)


def test_an_organists_feet_take_the_bass(small_cue: Cue) -> None:
    score = orchestrate(small_cue[0], builders.template((("organ", 1, 8),)), analysis=small_cue[1], n=1)[0]
    notes = score.score.notes
    feet = notes[notes["staff"] == 2]
    assert len(feet)
    assert feet["pitch"].max() <= 67
    sources = small_cue[0].notes["part"][score.origin[notes["staff"] == 2]]
    assert set(sources.tolist()) == {2}


@pytest.mark.parametrize("share", [0.9, 0.75, 0.5])
def test_a_styles_touch_is_played_and_not_written(share: float) -> None:
    cue = parts([(i * TPQ, TPQ, 72 + i % 3, 80, 0) for i in range(8)], [Role.MELODY])
    made = played(cue, (("oboe", 1, 1),), duration=share)
    assert made.notes["duration"].tolist() == [TPQ] * 8
    assert made.sounding()["duration"].tolist() == [round(TPQ * share)] * 8


def test_a_slur_lies_in_one_hand_and_never_over_a_figures_repeats() -> None:
    rows = [(i * TPQ, TPQ, 76 + i % 3, 80, 0) for i in range(8)] + [(0, 4 * TPQ, p, 70, 1) for p in (48, 52, 55)]
    marks = (Mark(0, "slur", part=0, end=4 * TPQ), Mark(0, "slur", part=1, end=4 * TPQ))
    cue = parts(rows, [Role.MELODY, Role.HARMONY], marks=marks)
    made = played(cue)
    lying = [m.staff for m in made.marks if m.kind == "slur"]
    assert set(lying) <= {0, 1}
    roles = PLAIN | {Role.HARMONY: RoleStyle(pattern="pulse")}
    template = builders.template((("oboe", 1, 1), ("viola", 4, 3)), roles=roles)
    pulsing = orchestrate(*cue[:1], template, analysis=cue[1], n=1)[0].score
    violas = next(i for i, p in enumerate(pulsing.parts) if p.instrument == "viola")
    assert not [m for m in pulsing.marks if m.kind == "slur" and m.part == violas]
    assert [m for m in pulsing.marks if m.kind == "slur" and m.part != violas]


def test_threes_are_not_laid_across_twos() -> None:
    held = [(0, 4 * TPQ, p, 70, 0) for p in (60, 64, 67)]
    late = [(4 * TPQ + TPQ // 2, TPQ, p, 70, 0) for p in (60, 64, 67)]
    cue = parts(held + late, [Role.HARMONY])
    roles = PLAIN | {Role.HARMONY: RoleStyle(pattern="repeat", pattern_unit=1 / 3)}
    score, analysis = cue
    made = orchestrate(score, builders.template(builders.PIANO, roles=roles), analysis=analysis, n=1)[0].score
    assert np.unique(made.notes["onset"]).tolist() == [*range(0, 4 * TPQ, TPQ // 3), 4 * TPQ + TPQ // 2]


def test_timpani_keep_the_rhythm_of_the_source(small_cue: Cue) -> None:
    score, analysis = small_cue
    parts_ = tuple(replace(p, instrument="timpani") if p.name == "Bass" else p for p in score.parts)
    roles = PLAIN | {Role.BASS: RoleStyle(pattern="repeat", pattern_unit=0.5)}
    template = builders.template((*builders.STRINGS, ("timpani", 1, 1)), roles=roles)
    take = orchestrate(score.replace(parts=parts_), template, analysis=analysis, n=1)[0]
    kettles = [i for i, p in enumerate(take.score.parts) if p.instrument == "timpani"]
    assert all(origin >= 0 for origin in take.origin[np.isin(take.score.notes["part"], kettles)])
