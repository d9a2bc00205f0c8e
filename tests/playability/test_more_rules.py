"""Rules of endurance, gaps, held stops, plucking, changing instruments, shared staves and hands."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.elements import PROGRAM
from rescore_music.instruments import instrument
from rescore_music.playability import RULES, violations
from rescore_music.playability.streams import at_once, streams
from rescore_music.score import Articulation, Part, Score, note_rows

TPQ = 480  # two quarters a second


def score_of(name: str, rows: list[tuple[int, int, int]], players: int = 1, flag: int = 0) -> Score:
    notes = note_rows([(onset, duration, pitch, 80, 0) for onset, duration, pitch in rows])
    notes["articulation"] = flag
    return Score(notes=notes, parts=(Part(name, instrument=name, players=players),))


def broken(score: Score) -> set[str]:
    return {v.rule for v in violations(score)}


def test_lips_tire_above_the_comfortable_register() -> None:
    high = instrument("trumpet-c").comfortable_high + 2
    steady = [(i * TPQ, TPQ, high) for i in range(20)]
    rested = [(i * TPQ, TPQ // 2 if i % 4 == 3 else TPQ, high) for i in range(20) if i % 4 != 0]
    assert "endurance" in broken(score_of("trumpet-c", steady))
    assert "endurance" not in broken(score_of("trumpet-c", rested))
    assert "endurance" not in broken(score_of("trumpet-c", [(on, off, pitch - 7) for on, off, pitch in steady]))
    assert "endurance" not in broken(score_of("flute", steady))


def test_the_harps_lowest_strings_keep_their_tuning() -> None:
    assert "gap" not in broken(score_of("harp", [(0, TPQ, 24), (TPQ * 8, TPQ, 24)]))
    assert "gap" in broken(score_of("harp", [(0, TPQ, 24), (TPQ * 8, TPQ, 23)]))  # C, then C flat
    assert "gap" not in broken(score_of("harp", [(0, TPQ, 36), (TPQ * 8, TPQ, 35)]))


@pytest.mark.parametrize(("length", "flag", "held"), [(4, 0, True), (1, 0, False), (4, Articulation.PIZZICATO, False)])
def test_one_bow_holds_two_strings(length: int, flag: int, held: bool) -> None:
    chord = [(0, TPQ * 2 * length, pitch) for pitch in (55, 62, 71)]
    assert ("held-stops" in broken(score_of("violin", chord, flag=int(flag)))) is held
    assert "held-stops" not in broken(score_of("violin", chord[:2], flag=int(flag)))
    assert "held-stops" not in broken(score_of("violin", chord, players=8, flag=int(flag)))


def test_a_finger_plucks_only_so_fast() -> None:
    quick = [(i * 90, 90, 67 + i % 5) for i in range(24)]  # 10.7 a second
    assert "pizzicato-speed" in broken(score_of("violin", quick, flag=int(Articulation.PIZZICATO)))
    assert "pizzicato-speed" not in broken(score_of("violin", quick))


def test_another_instrument_is_not_taken_up_in_no_time() -> None:
    def with_change(rest: int, program: int) -> Score:
        rows = [(0, TPQ, 79), (TPQ + rest, TPQ, 81)]
        change = np.array([(TPQ + rest, 0, program, 0)], PROGRAM)
        return score_of("flute", rows).replace(programs=change)

    piccolo, oboe_to_strings = 72, 48
    assert "instrument-change" in broken(with_change(TPQ, piccolo))
    assert "instrument-change" not in broken(with_change(TPQ * 8, piccolo))
    assert "instrument-change" not in broken(with_change(TPQ, oboe_to_strings))  # a sound, not an instrument


def test_there_is_no_trill_on_the_harp() -> None:
    assert "trill" in broken(score_of("harp", [(0, TPQ, 60)], flag=int(Articulation.TRILL)))
    assert "trill" not in broken(score_of("violin", [(0, TPQ, 60)], flag=int(Articulation.TRILL)))


def test_two_players_without_a_rest_cannot_stagger_their_breaths() -> None:
    tune = [(i * TPQ, TPQ, 72) for i in range(80)]
    second = [(i * TPQ, TPQ, 67) for i in range(80)]
    assert "breath" not in broken(score_of("oboe", tune, players=2))
    assert "breath" in broken(score_of("oboe", sorted(tune + second), players=2))
    assert "breath" not in broken(score_of("oboe", sorted(tune + second), players=3))


def test_two_lines_of_one_staff_are_two_players() -> None:
    limit = instrument("oboe").agility * 1.25
    step = int(TPQ * 2 / (limit * 0.8))  # each alone is slow enough
    upper = [(i * step, 2 * step, 79 + i % 2) for i in range(0, 32, 1)]
    both = sorted([(on, step, pitch) for on, _, pitch in upper] + [(on + step // 2, step, 65) for on, _, _ in upper])
    assert "agility" not in broken(score_of("oboe", both, players=2))
    assert "agility" in broken(score_of("oboe", [(on, 10, pitch) for on, _, pitch in both]))
    onset, duration, pitch = np.array(both).T
    assert at_once(onset, onset + duration) == 2
    who = streams(onset, onset + duration, pitch, 2)
    assert set(pitch[who == who[0]] < 70) != set(pitch[who != who[0]] < 70)


def test_each_hand_has_its_own_speed() -> None:
    step = 24  # forty onsets a second in all, twenty in each hand are too many, ten are not
    rows = [(i * 2 * step, step, 72 + i % 5) for i in range(40)] + [(i * 2 * step + step, step, 48) for i in range(40)]
    score = score_of("piano", sorted((on * 2, off, pitch) for on, off, pitch in rows))
    assert "agility" in broken(score)
    notes = score.notes.copy()
    notes["staff"] = notes["pitch"] < 60
    assert "agility" not in broken(score.replace(notes=notes))


def test_a_voice_has_no_fortissimo_at_the_bottom() -> None:
    low, high = score_of("soprano", [(0, TPQ, 60)]), score_of("soprano", [(0, TPQ, 79)])
    for score, weak in ((low, True), (high, False)):
        notes = score.notes.copy()
        notes["velocity"] = 115
        assert ("weak-register" in broken(score.replace(notes=notes))) is weak


def test_every_rule_is_named_and_sourced() -> None:
    assert {"gap", "endurance", "held-stops", "pizzicato-speed", "instrument-change"} <= set(RULES)
    assert all("(" in (rule.__doc__ or "") for rule in RULES.values())
