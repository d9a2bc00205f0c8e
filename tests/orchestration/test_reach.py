"""Chords brought within reach of hands, strings and kettles; the tune and the bass stay."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.analysis import analyze
from rescore_music.candidate import Assignment, Realization
from rescore_music.orchestration.realize import realize
from rescore_music.playability import violations
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role

BAR, TPQ = builders.BAR, builders.TPQ


def texture(*lines: tuple[Role, list[tuple[int, int]]]) -> tuple[Score, Analysis]:
    """Lines of (role, (onset in quarters, pitch) of half notes), one phrase."""
    rows, owner = [], []
    for number, (_, notes) in enumerate(lines):
        for quarter, pitch in notes:
            rows.append((quarter * TPQ, 2 * TPQ, pitch, 70, number))
            owner.append(number)
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], rows[i][4], rows[i][2]))
    rows, owner = [rows[i] for i in order], [owner[i] for i in order]
    score = Score(notes=note_rows(rows), parts=tuple(Part(str(i)) for i in range(len(lines))), length=4 * BAR)
    line_of = np.array(owner, np.int32)
    analysis = Analysis(
        voices=np.zeros(len(rows), np.int16),
        line_of=line_of,
        lines=tuple(Line(i, i, np.flatnonzero(line_of == i)) for i in range(len(lines))),
        phrases=(Phrase(0, 4 * BAR, "A"),),
        roles=np.array([[int(role)] for role, _ in lines], np.int8),
        confidence=np.ones((len(lines), 1), np.float32),
        doubles=np.full((len(lines), 1), -1, np.int32),
        intensity=np.full(4, 0.5),
    )
    return score, analysis


def all_on(seat: tuple[str, int, int], lines: list[tuple[Role, list[tuple[int, int]]]]) -> tuple[Score, Realization]:
    score, analysis = texture(*lines)
    forces = builders.template((seat,))
    return score, realize(score, analysis, forces, tuple(Assignment(0, i, 0) for i in range(len(lines))))


def test_the_middle_of_a_wide_texture_goes_to_a_hand_that_reaches_it() -> None:
    lines = [(Role.MELODY, [(0, 88)]), (Role.BASS, [(0, 36)]), (Role.HARMONY, [(0, 60), (0, 64)])]
    source, made = all_on(("piano", 1, 8), lines)
    assert not violations(made.score, rules=("hand-span",))
    pitch = sorted(made.score.notes["pitch"].tolist())
    assert len(pitch) == 4
    assert (pitch[0], pitch[-1]) == (36, 88)  # bass and tune where they were
    assert {p % 12 for p in pitch} == {0, 4}
    assert any("within the reach" in item.what and item.count == 2 for item in made.log)
    assert violations(source.replace(parts=(Part("p", instrument="piano"),) * 3), rules=("hand-span",)) == ()


def test_what_no_octave_brings_near_is_thinned_and_told() -> None:
    cluster = [(0, p) for p in range(52, 66)]  # fourteen neighbours: ten fingers at the most
    _, made = all_on(("piano", 1, 14), [(Role.MELODY, [(0, 88)]), (Role.BASS, [(0, 36)]), (Role.HARMONY, cluster)])
    assert not violations(made.score, rules=("hand-span",))
    gone = sum(item.count for item in made.log if item.lost)
    assert gone == 16 - len(made.score.notes) > 0
    assert {36, 88} <= set(made.score.notes["pitch"].tolist())


def test_a_guitar_lets_go_of_what_its_hand_cannot_hold_on_to() -> None:
    _, made = all_on(("guitar", 1, 3), [(Role.MELODY, [(0, 40), (1, 41)])])  # E and F on the lowest string
    assert not violations(made.score, rules=("stops",))
    assert made.score.notes["duration"].tolist() == [TPQ, 2 * TPQ]


def test_a_section_of_strings_divides_and_nothing_moves() -> None:
    lines = [(Role.HARMONY, [(0, 55), (0, 58)])]
    _, made = all_on(("violin", 8, 2), lines)
    assert made.score.notes["pitch"].tolist() == [55, 58]
    _, alone = all_on(("violin", 1, 2), lines)
    assert not violations(alone.score, rules=("stops",))


@pytest.mark.parametrize("seat", [("harp", 1, 8), ("vibraphone", 1, 4), ("organ", 1, 10), ("mandolin", 1, 4)])
def test_hands_of_every_kind(seat: tuple[str, int, int]) -> None:
    lines = [(Role.HARMONY, [(bar * 4, p) for bar in range(4) for p in (50, 57, 65, 72, 76, 81, 86)[bar : bar + 4]])]
    _, made = all_on(seat, lines)
    assert not violations(made.score, rules=("hand-span", "stops", "mallets", "harp-hands"))
    assert len(made.score.notes)


def test_timpani_reinforce_only_what_they_can_be_tuned_to() -> None:
    scale = [(i, 40 + p) for i, p in enumerate((0, 1, 2, 3, 5, 6, 7, 8, 10, 11))]
    score, analysis = texture((Role.BASS, scale))
    quick = score.replace(tempo=score.tempo.constant(300, score.ticks_per_quarter))
    forces = builders.template((("cello", 8, 1), ("timpani", 1, 1)))
    made = realize(quick, analysis, forces, (Assignment(0, 0, 0), Assignment(0, 0, 1, doubling=True)))
    assert not violations(made.score, rules=("timpani-tuning",))
    assert np.count_nonzero(made.score.notes["part"] == 0) == len(scale)  # the cellos have the whole line
    assert any("no drum tuned in time" in item.what for item in made.log)
    alone = realize(quick, analysis, forces, (Assignment(0, 0, 1),))
    assert len(alone.score.notes) == len(scale)  # a line of their own is kept, and the measure tells


def test_an_analysed_cue_for_piano_keeps_its_leading_lines(shared_data) -> None:
    from rescore_music.io import read_score
    from rescore_music.orchestration import orchestrate
    from rescore_music.template import load_template

    path = sorted((shared_data / "game_midi").rglob("*.mid"))[7]
    score = read_score(path)
    analysis = analyze(score)
    take = orchestrate(score, load_template("piano-solo/romantic-film"), analysis=analysis, n=1)[0]
    for role in (Role.MELODY, Role.BASS):
        lead = analysis.leading(score.notes, role)
        want = {(int(n["onset"]), int(n["pitch"]) % 12) for n in score.notes[lead]}
        have = {(int(n["onset"]), int(n["pitch"]) % 12) for n in take.score.notes}
        assert want <= have
