"""What cannot be played is mended, the tune stays, and the log tells it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.candidate import Assignment, Realization
from rescore_music.orchestration.realize import realize
from rescore_music.playability import violations
from rescore_music.score import Articulation, Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role

TPQ, BAR = builders.TPQ, builders.BAR  # two quarters a second
Row = tuple[int, int, int, int, int]
QUICK = TPQ // 6  # twelve a second


def cue_of(rows: list[Row], roles: list[Role], bars: int = 4) -> tuple[Score, Analysis]:
    """One line a part, one phrase."""
    rows = sorted(rows, key=lambda row: (row[0], row[4], row[2]))
    part = np.array([row[4] for row in rows])
    score = Score(notes=note_rows(rows), parts=tuple(Part(f"Line {i}") for i in range(len(roles))), length=bars * BAR)
    n = len(roles)
    return score, Analysis(
        voices=np.zeros(len(rows), np.int16),
        line_of=part.astype(np.int32),
        lines=tuple(Line(i, 0, np.flatnonzero(part == i)) for i in range(n)),
        phrases=(Phrase(0, bars * BAR, "A"),),
        roles=np.array([[int(role)] for role in roles], np.int8),
        confidence=np.ones((n, 1), np.float32),
        doubles=np.full((n, 1), -1, np.int32),
        intensity=np.full(bars, 0.5),
    )


def made(rows: list[Row], roles: list[Role], seats: list[tuple[str, int, int]], *given: Assignment) -> Realization:
    score, analysis = cue_of(rows, roles)
    return realize(score, analysis, builders.template(tuple(seats)), given)


def run(bars: int = 2, low: int = 55, part: int = 0, at: int = 0) -> list[Row]:
    """A scale up and down, twelve notes a second."""
    wave = [0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5]
    return [(at + i * QUICK, QUICK, low + wave[i % 12], 80, part) for i in range(bars * 24)]


def onsets(made: Realization) -> set[int]:
    return set(made.score.notes["onset"].tolist())


def rules(made: Realization, *names: str) -> list[str]:
    return [v.rule for v in violations(made.score, rules=names or None)]


def told(made: Realization, words: str) -> int:
    return sum(item.count for item in made.log if words in item.what)


def test_a_tune_too_fast_for_one_is_dovetailed_with_his_neighbour() -> None:
    one = made(run(), [Role.MELODY], [("horn-f", 1, 1)], Assignment(0, 0, 0))
    two = made(run(), [Role.MELODY], [("horn-f", 1, 1), ("horn-f", 1, 1)], Assignment(0, 0, 0))
    assert onsets(one) == onsets(two) == {row[0] for row in run()}
    assert "agility" in rules(one)
    assert told(one, "faster than is comfortable") == 48
    assert "agility" not in rules(two)
    assert len(two.score.parts) == 2
    assert told(two, "dovetailed") == 24


def test_a_tune_too_fast_for_its_player_goes_to_a_nimbler_one_who_is_free() -> None:
    seats = [("trombone", 1, 1), ("clarinet-bb", 1, 1)]
    done = made(run(), [Role.MELODY], seats, Assignment(0, 0, 0))
    assert onsets(done) == {row[0] for row in run()}
    assert "agility" not in rules(done)
    names = [part.instrument for part in done.score.parts]
    leads = done.score.notes[done.score.notes["part"] == names.index("clarinet-bb")]
    assert len(leads) == 48
    below = done.score.notes[done.score.notes["part"] == names.index("trombone")]
    assert 0 < len(below) <= 24  # what he can play of it stays as reinforcement
    assert told(done, "nimbler") > 0


def test_accompaniment_too_fast_keeps_the_beats_and_the_log_counts_the_rest() -> None:
    tune = [(i * TPQ, TPQ, 79 + i % 3, 80, 0) for i in range(8)]
    seats = [("flute", 1, 1), ("trombone", 1, 1)]
    done = made(tune + run(part=1), [Role.MELODY, Role.FIGURATION], seats, Assignment(0, 0, 0), Assignment(0, 1, 1))
    assert "agility" not in rules(done)
    low = done.score.notes[done.score.notes["part"] == 1]
    assert {i * TPQ for i in range(8)} <= set(low["onset"].tolist())
    lost = [item for item in done.log if item.lost]
    assert sum(item.count for item in lost) == 48 + 8 - len(np.unique(done.origin[done.origin >= 0]))
    assert all("faster" in item.what for item in lost)
    ends = low["onset"] + low["duration"]
    assert np.all(ends[:-1] <= low["onset"][1:])


def test_reinforcement_too_slow_gives_way_and_nothing_is_lost() -> None:
    seats = [("clarinet-bb", 1, 1), ("trombone", 1, 1)]
    given = (Assignment(0, 0, 0), Assignment(0, 0, 1, doubling=True))
    done = made(run(), [Role.MELODY], seats, *given)
    assert "agility" not in rules(done)
    assert not any(item.lost for item in done.log)
    assert onsets(done) == {row[0] for row in run()}


def test_quick_repeats_of_accompanying_strings_are_a_tremolo() -> None:
    tune = [(i * TPQ, TPQ, 79 + i % 3, 80, 0) for i in range(8)]
    step = TPQ // 10  # twenty a second
    repeats = [(i * step, step, 60, 70, 1) for i in range(80)]
    seats = [("flute", 1, 1), ("viola", 1, 1)]
    done = made(tune + repeats, [Role.MELODY, Role.HARMONY], seats, Assignment(0, 0, 0), Assignment(0, 1, 1))
    assert not rules(done, "agility", "repeated-notes")
    low = done.score.notes[done.score.notes["part"] == 1]
    assert len(low) == 8
    assert np.all(low["articulation"] & int(Articulation.TREMOLO))
    assert np.all(low["duration"] == TPQ)


KETTLE_TUNE = [(i * TPQ // 2, TPQ // 2, (43, 45, 47, 48, 46, 44, 41, 50)[i % 8], 80, 0) for i in range(32)]


@pytest.mark.parametrize("role", [Role.BASS, Role.FIGURATION])
def test_a_line_that_no_drums_can_be_tuned_to_goes_to_a_free_seat(role: Role) -> None:
    seats = [("timpani", 1, 1), ("cello", 8, 1)]
    done = made(KETTLE_TUNE, [role], seats, Assignment(0, 0, 0))
    assert not rules(done, "timpani-tuning", "range")
    assert onsets(done) == {row[0] for row in KETTLE_TUNE}
    assert [part.instrument for part in done.score.parts] == ["cello"]
    assert told(done, "taken over from the timpani") == 32


def test_timpani_keep_what_they_are_tuned_to() -> None:
    two_notes = [(i * TPQ, TPQ, (43, 48)[i % 2], 80, 0) for i in range(16)]
    done = made(two_notes, [Role.BASS], [("timpani", 1, 1), ("cello", 8, 1)], Assignment(0, 0, 0))
    assert [part.instrument for part in done.score.parts] == ["timpani"]


def test_the_harp_leaves_out_what_its_pedals_are_late_for_and_the_tune_stays() -> None:
    tune = [(i * TPQ, TPQ, 79 + i % 3, 80, 0) for i in range(8)]
    chords = ((60, 64, 67, 71), (61, 66, 68, 70))  # two keys that share next to nothing, two chords a second
    harp = [(i * TPQ // 2, TPQ // 2, pitch, 70, 1) for i in range(16) for pitch in chords[i % 2]]
    seats = [("flute", 1, 1), ("harp", 1, 8)]
    done = made(tune + harp, [Role.MELODY, Role.HARMONY], seats, Assignment(0, 0, 0), Assignment(0, 1, 1))
    source = Score(notes=note_rows(sorted(harp)), parts=(Part("h"), Part("harp", instrument="harp")))
    assert len(violations(source, rules=("harp-pedals",))) > 10
    assert not rules(done, "harp-pedals")
    assert {row[0] for row in tune} <= onsets(done)
    assert any("pedals" in item.what for item in done.log)


def test_a_bow_is_not_laid_down_for_a_moment() -> None:
    score, analysis = cue_of([(i * TPQ // 4, TPQ // 4, 69 + i % 5, 80, 0) for i in range(32)], [Role.MELODY])
    notes = score.notes.copy()
    notes["articulation"][5] = int(Articulation.PIZZICATO)
    notes["articulation"][20:] = int(Articulation.PIZZICATO)
    for rest in (0, TPQ):
        notes["onset"][20:] = score.notes["onset"][20:] + rest
        template = builders.template((("violin", 1, 1),))
        done = realize(score.replace(notes=notes), analysis, template, (Assignment(0, 0, 0),))
        assert not rules(done, "technique-change")
        plucked = (done.score.notes["articulation"] & int(Articulation.PIZZICATO)) != 0
        assert np.array_equal(np.flatnonzero(plucked), np.arange(20, 32) if rest else np.zeros(0))


def test_a_bass_comes_nearer_where_it_leaps_too_far_too_fast() -> None:
    step = TPQ // 4
    rows = [(i * step, step, (36, 62)[i % 2], 80, 0) for i in range(32)]
    done = made(rows, [Role.BASS], [("bassoon", 1, 1)], Assignment(0, 0, 0))
    assert violations(Score(notes=note_rows(rows), parts=(Part("b", instrument="bassoon"),)), rules=("leap",))
    assert not rules(done, "leap")
    assert np.array_equal(done.score.notes["pitch"] % 12, np.array([row[2] for row in rows]) % 12)


def test_hands_roll_what_melody_and_bass_spread_too_far() -> None:
    rows = [(i * TPQ, TPQ, pitch, 80, part) for i in range(4) for part, pitch in ((0, 96), (1, 30), (2, 60))]
    roles = [Role.MELODY, Role.BASS, Role.MELODY]
    done = made(rows, roles, [("piano", 1, 10)], *(Assignment(0, line, 0) for line in range(3)))
    assert not rules(done, "hand-span")
    assert len(done.score.notes) == 12
    assert np.all(done.score.notes["articulation"] & int(Articulation.ARPEGGIO))


def test_two_wind_players_who_both_play_on_breathe() -> None:
    rows = [(i * TPQ, TPQ, pitch, 70, part) for i in range(96) for part, pitch in ((0, 72 + i % 3), (1, 65 + i % 3))]
    score, analysis = cue_of(rows, [Role.MELODY, Role.HARMONY], bars=24)
    template = builders.template((("oboe", 2, 2),))
    done = realize(score, analysis, template, (Assignment(0, 0, 0), Assignment(0, 1, 0)))
    assert "breath" not in rules(done)
    assert onsets(done) == {row[0] for row in rows}


def test_what_is_too_quick_for_a_plucking_finger_is_bowed() -> None:
    slow = [(i * TPQ, TPQ, 67 + i % 3, 80, 0) for i in range(4)]
    quick = [(2 * BAR + i * TPQ // 5, TPQ // 5, 67 + i % 5, 80, 0) for i in range(40)]  # ten a second
    score, analysis = cue_of(slow + quick, [Role.MELODY])
    notes = score.notes.copy()
    notes["articulation"] = int(Articulation.PIZZICATO)
    template = builders.template((("violin", 1, 1),))
    done = realize(score.replace(notes=notes), analysis, template, (Assignment(0, 0, 0),))
    plucked = (done.score.notes["articulation"] & int(Articulation.PIZZICATO)) != 0
    assert np.array_equal(plucked, done.score.notes["onset"] < 2 * BAR)
    assert not rules(done, "pizzicato-speed")
    assert told(done, "too quick for pizzicato") == len(quick)
    assert violations(score.replace(notes=notes, parts=(Part("v", instrument="violin"),)), rules=("pizzicato-speed",))


def test_a_quick_bass_goes_to_the_euphonium_and_the_tubas_mark_the_beats() -> None:
    step = TPQ // 4  # eight a second
    bass = [(i * step, step, (31, 43)[i % 2], 80, 0) for i in range(64)]
    chords = [(i * BAR, BAR, 55 + 2 * i, 70, 1) for i in range(4)]
    seats = [("bb-bass", 1, 1), ("euphonium-bb", 1, 1)]
    given = (Assignment(0, 0, 0), Assignment(0, 1, 1))
    done = made(bass + chords, [Role.BASS, Role.HARMONY], seats, *given)
    assert not rules(done, "agility", "repeated-notes", "range")
    by_name = {p.instrument: done.score.notes[done.score.notes["part"] == i] for i, p in enumerate(done.score.parts)}
    quick, beats = by_name["euphonium-bb"], by_name["bb-bass"]
    assert {(row[0], row[2] % 12) for row in bass} <= {(int(n["onset"]), int(n["pitch"]) % 12) for n in quick}
    assert {i * TPQ for i in range(16)} <= set(beats["onset"].tolist())
    assert 0 < len(beats) <= 32
    assert beats["pitch"].min() < quick["pitch"].min()  # the bass is still the lowest
    assert told(done, "background given up") == 4
    assert sum(item.count for item in done.log if item.lost) == 4


def test_a_second_player_takes_the_quick_line_beside_what_the_first_plays() -> None:
    tune = run(part=0)
    held = [(i * BAR, BAR, 60, 70, 1) for i in range(2)]
    seats = [("trombone", 1, 1), ("clarinet-bb", 2, 2)]
    given = (Assignment(0, 0, 0), Assignment(0, 1, 1))
    done = made(tune + held, [Role.MELODY, Role.COUNTER_MELODY], seats, *given)
    assert "agility" not in rules(done)
    names = [part.instrument for part in done.score.parts]
    clarinets = done.score.notes[done.score.notes["part"] == names.index("clarinet-bb")]
    assert len(clarinets) == len(tune) + len(held)
    assert not any(item.lost for item in done.log)


def test_of_two_lines_that_double_each_other_one_may_be_lightened() -> None:
    rows = [(i * TPQ // 5, TPQ // 5, 45 + i % 3, 80, part) for i in range(40) for part in (0, 1)]  # ten a second
    score, analysis = cue_of(rows, [Role.BASS, Role.BASS])
    seats = builders.template((("bassoon", 1, 1), ("bb-bass", 1, 1)))
    given = (Assignment(0, 0, 0), Assignment(0, 1, 1))
    alone = realize(score, analysis, seats, given)
    assert "agility" in rules(alone)
    known = replace(analysis, doubles=np.array([[-1], [0]], np.int32))
    done = realize(score, known, seats, given)
    assert "agility" not in rules(done)
    assert onsets(done) == {row[0] for row in rows}


def test_broken_octaves_stay_broken_octaves() -> None:
    step = TPQ // 4
    rows = [(i * step, step, (23, 35)[i % 2], 80, 0) for i in range(32)]
    done = made(rows, [Role.BASS], [("bassoon", 1, 1)], Assignment(0, 0, 0))
    assert np.array_equal(np.abs(np.diff(done.score.notes["pitch"].astype(int))), np.full(31, 12))


def test_a_note_far_off_a_quick_tune_joins_its_neighbours() -> None:
    step = TPQ // 4
    figure = (72, 67, 60, 78, 72, 78)  # the low note lies 18 semitones under the next
    rows = [(i * step, step, figure[i % 6], 80, 0) for i in range(24)]
    done = made(rows, [Role.MELODY], [("cornet", 1, 1)], Assignment(0, 0, 0))
    assert not rules(done, "leap")
    assert np.array_equal(done.score.notes["pitch"] % 12, np.array([row[2] for row in rows]) % 12)
    assert told(done, "too wide a leap") == 4


def test_a_bass_no_hand_can_stop_under_its_tune_comes_up() -> None:
    rows = [(i * TPQ, TPQ, pitch, 80, part) for i in range(4) for part, pitch in ((0, 77), (1, 41))]
    done = made(rows, [Role.MELODY, Role.BASS], [("guitar", 1, 2)], Assignment(0, 0, 0), Assignment(0, 1, 0))
    assert not rules(done, "stops")
    assert sorted(set(done.score.notes["pitch"].tolist())) in ([53, 77], [65, 77])
