"""Breaths for soloists, roots for the double bass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.analysis import analyze
from rescore_music.candidate import Assignment
from rescore_music.io import read_score
from rescore_music.orchestration import orchestrate
from rescore_music.orchestration.material import broken_share
from rescore_music.orchestration.realize import realize
from rescore_music.playability import violations
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.template import load_template

TPQ, BAR = builders.TPQ, builders.BAR
ROOTS = (43, 40, 45, 38)
FIGURE = (0, 7, 12, 16, 19, 16, 12, 7)


def alone(rows: list[tuple[int, int, int, int, int]], role: Role, phrases: int) -> tuple[Score, Analysis]:
    """One line in one role, in phrases of four bars."""
    score = Score(notes=note_rows(rows), parts=(Part("Line"),), length=phrases * 4 * BAR)
    return score, Analysis(
        voices=np.zeros(len(rows), np.int16),
        line_of=np.zeros(len(rows), np.int32),
        lines=(Line(0, 0, np.arange(len(rows))),),
        phrases=tuple(Phrase(p * 4 * BAR, (p + 1) * 4 * BAR, "A") for p in range(phrases)),
        roles=np.full((1, phrases), int(role), np.int8),
        confidence=np.ones((1, phrases), np.float32),
        doubles=np.full((1, phrases), -1, np.int32),
        intensity=np.full(4 * phrases, 0.5),
    )


def tune(bars: int) -> list[tuple[int, int, int, int, int]]:
    return [(i * TPQ, TPQ, 67 + i % 5, 70, 0) for i in range(4 * bars)]


def broken_bass(bars: int) -> list[tuple[int, int, int, int, int]]:
    half = TPQ // 2
    return [(i * half, half, ROOTS[i // 8 % 4] + FIGURE[i % 8], 70, 0) for i in range(8 * bars)]


def test_a_soloist_breathes_at_the_seams_of_phrases_and_the_log_counts_it() -> None:
    score, analysis = alone(tune(16), Role.MELODY, 4)  # 32 s without a rest
    forces = builders.template((("oboe", 1, 1), ("trumpet-bb", 1, 1)))
    made = realize(score, analysis, forces, tuple(Assignment(p, 0, 1) for p in range(4)))
    assert violations(score, [forces.forces.seats[1]], rules=("breath",))
    assert not violations(made.score, [forces.forces.seats[1]], rules=("breath",))
    notes = made.score.notes
    assert np.array_equal(notes["onset"], score.notes["onset"])
    ends = notes["onset"] + notes["duration"]
    rests = ends[:-1][notes["onset"][1:] > ends[:-1]]
    seams = [p.start for p in analysis.phrases[1:]]
    after = notes["onset"][1:][notes["onset"][1:] > ends[:-1]]
    assert len(rests)
    assert set(after.tolist()) <= set(seams)
    assert sum(item.count for item in made.log if "breath" in item.what) == len(rests)


@pytest.mark.parametrize(("name", "players"), [("trumpet-bb", 2), ("violin", 1)])
def test_desks_breathe_in_turn_and_strings_not_at_all(name: str, players: int) -> None:
    score, analysis = alone(tune(16), Role.MELODY, 4)
    made = realize(
        score, analysis, builders.template(((name, players, 1),)), tuple(Assignment(p, 0, 0) for p in range(4))
    )
    assert np.array_equal(made.score.notes["duration"], score.notes["duration"])


def test_a_short_solo_needs_no_written_breath() -> None:
    score, analysis = alone(tune(4), Role.MELODY, 1)
    made = realize(score, analysis, builders.template((("trumpet-bb", 1, 1),)), (Assignment(0, 0, 0),))
    assert np.array_equal(made.score.notes["duration"], score.notes["duration"])


def test_double_basses_play_the_roots_below_the_cellos_broken_chords() -> None:
    score, analysis = alone(broken_bass(4), Role.BASS, 1)
    forces = builders.template((("cello", 8, 1), ("double-bass", 4, 1)))
    made = realize(score, analysis, forces, (Assignment(0, 0, 0), Assignment(0, 0, 1, doubling=True)))
    part = made.score.notes["part"]
    assert np.array_equal(made.score.notes["pitch"][part == 0], score.notes["pitch"])
    low = made.score.notes[part == 1]
    assert [(int(n["onset"]), int(n["duration"]), int(n["pitch"])) for n in low] == [
        (bar * BAR, BAR, root) for bar, root in enumerate(ROOTS)
    ]


def test_a_scale_is_doubled_note_for_note() -> None:
    scale = [(i * TPQ // 2, TPQ // 2, 40 + i % 8, 70, 0) for i in range(32)]
    score, analysis = alone(scale, Role.BASS, 1)
    forces = builders.template((("cello", 8, 1), ("double-bass", 4, 1)))
    made = realize(score, analysis, forces, (Assignment(0, 0, 0), Assignment(0, 0, 1, doubling=True)))
    assert np.count_nonzero(made.score.notes["part"] == 1) == len(scale)


def test_the_love_theme_s_left_hand_is_not_the_double_bass_s() -> None:
    score = read_score(Path(__file__).parents[2] / "samples" / "love_theme.musicxml")
    analysis, nine = analyze(score), load_template("chamber-nine/romantic-film")
    candidate = orchestrate(score, nine, analysis=analysis, n=1)[0]
    checked = 0
    for p, phrase in enumerate(analysis.phrases):
        inside = (score.notes["onset"] >= phrase.start) & (score.notes["onset"] < phrase.end)
        for a in candidate.assignments:
            own = score.notes[inside & (analysis.line_of == a.line)]
            if a.phrase != p or a.doubling or analysis.roles[a.line, p] != int(Role.BASS) or not len(own):
                continue
            pitch = own["pitch"].astype(np.int64)
            one = np.zeros(len(own), np.int64)
            if broken_share(score.seconds(own["onset"]), pitch, one, 1)[0] > 0.6:
                checked += 1
                assert nine.forces.seats[a.seat].instrument.id == "cello"
    assert checked >= 3
