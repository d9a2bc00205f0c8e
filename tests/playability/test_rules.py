"""The rules of playability: each catches its fault, and lets good playing pass."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rescore_music.instruments import instrument
from rescore_music.playability import RULES, violations
from rescore_music.playability.fingerboard import stoppable
from rescore_music.playability.hands import two_hands
from rescore_music.playability.slide import slide_positions
from rescore_music.playability.strings import FINGERBOARDS
from rescore_music.score import Articulation, Part, Score, note_rows


def solo(name: str, rows: list[tuple[int, int, int, int, int]], players: int = 1) -> Score:
    return Score(notes=note_rows(rows), parts=(Part(name, instrument=name, players=players),))


def rules_broken(score: Score) -> set[str]:
    return {v.rule for v in violations(score)}


def test_an_easy_part_breaks_no_rule() -> None:
    rows = [(i * 480, 400, 69 + i % 5, 80, 0) for i in range(32)]
    assert rules_broken(solo("oboe", rows)) == set()


@pytest.mark.parametrize(
    ("rule", "name", "rows"),
    [
        ("range", "flute", [(0, 480, 50, 80, 0)]),
        ("polyphony", "trumpet-c", [(0, 480, 60, 80, 0), (0, 480, 64, 80, 0)]),
        ("agility", "tuba", [(i * 30, 30, 40 + i % 7, 80, 0) for i in range(64)]),
        ("breath", "trumpet-c", [(i * 480, 480, 67, 80, 0) for i in range(80)]),
        ("leap", "horn-f", [(i * 100, 100, (48, 72)[i % 2], 80, 0) for i in range(8)]),
        ("repeated-notes", "trombone", [(i * 60, 60, 55, 80, 0) for i in range(8)]),
    ],
)
def test_each_rule_catches_its_fault(rule: str, name: str, rows: list[tuple[int, int, int, int, int]]) -> None:
    assert rule in RULES
    assert rule in rules_broken(solo(name, rows))


def test_two_players_breathe_in_turn() -> None:
    rows = [(i * 480, 480, 67, 80, 0) for i in range(80)]
    assert "breath" not in rules_broken(solo("trumpet-c", rows, players=2))


def test_rules_have_sources_and_unknown_instruments_are_not_judged() -> None:
    assert all("(" in (rule.__doc__ or "") for rule in RULES.values())
    assert violations(Score(notes=note_rows([(0, 1, 5, 1, 0)]), parts=(Part("?"),))) == ()
    assert instrument("flute").lowest == 60


def chords(name: str, *pitches: tuple[int, ...], every: int = 960, players: int = 1) -> Score:
    rows = [(i * every, every, pitch, 80, 0) for i, chord in enumerate(pitches) for pitch in chord]
    return solo(name, rows, players)


def flagged(name: str, flags: list[Articulation], pitches: list[int], every: int) -> Score:
    score = chords(name, *((pitch,) for pitch in pitches), every=every)
    notes = score.notes.copy()
    notes["articulation"] = [int(flag) for flag in flags]
    return score.replace(notes=notes)


@pytest.mark.parametrize(
    ("name", "chord", "can"),
    [
        ("violin", (64, 72), True),  # a sixth on D and A
        ("violin", (62, 74), True),  # an octave with an open string
        ("violin", (55, 62, 71, 79), True),  # G major over four strings
        ("violin", (55, 58), False),  # both lie on the G string
        ("violin", (56, 76), False),  # G string and E string do not lie side by side
        ("cello", (36, 43, 52, 60), True),  # C major, as in Dvorak's concerto
        ("cello", (36, 38), False),
        ("guitar", (40, 47, 52, 56, 59, 64), True),  # open E major
        ("guitar", (41, 48, 53, 57, 60, 65), True),  # the same a semitone up, barred
        ("guitar", (40, 41), False),
        ("guitar", (40, 64, 76), True),  # one stopped note, two open strings
        ("guitar", (41, 46, 63, 76), False),  # first and twelfth fret together
    ],
)
def test_chords_that_a_hand_can_stop(name: str, chord: tuple[int, ...], can: bool) -> None:
    assert stoppable(chord, FINGERBOARDS[name]) is can
    assert ("stops" in rules_broken(chords(name, chord))) is not can


def test_a_section_divides_what_one_hand_cannot_stop() -> None:
    assert "stops" not in rules_broken(chords("violin", (55, 58), players=2))


def test_a_held_note_counts_in_a_double_stop() -> None:
    held = solo("violin", [(0, 1920, 55, 80, 0), (960, 480, 58, 80, 0)])
    assert "stops" in rules_broken(held)
    let_go = solo("violin", [(0, 960, 55, 80, 0), (960, 480, 58, 80, 0)])
    assert "stops" not in rules_broken(let_go)


def test_two_hands_take_a_tenth_each() -> None:
    assert "hand-span" not in rules_broken(chords("piano", (36, 52, 60, 76)))
    assert "hand-span" in rules_broken(chords("piano", (36, 53, 60, 78)))
    assert "hand-span" not in rules_broken(chords("organ", (36, 53, 60, 76)))  # the pedals take the bass
    assert two_hands([60, 62, 64, 65, 67], 16, 5)
    assert not two_hands(list(range(60, 71)), 16, 5)


def test_a_rolled_chord_may_be_wide() -> None:
    wide = chords("piano", (36, 53, 60, 78))
    notes = wide.notes.copy()
    notes["articulation"] = int(Articulation.ARPEGGIO)
    assert "hand-span" not in rules_broken(wide.replace(notes=notes))


def test_four_mallets() -> None:
    assert "mallets" not in rules_broken(chords("vibraphone", (55, 62, 67, 74)))
    assert "mallets" in rules_broken(chords("vibraphone", (53, 62, 67, 86)))


def test_harp_chords_have_eight_fingers_and_seven_pedals() -> None:
    assert rules_broken(chords("harp", (36, 43, 48, 52, 60, 64, 67, 72))) == set()
    assert "harp-hands" in rules_broken(chords("harp", (36, 40, 43, 45, 48, 52, 60, 64, 67, 72)))
    # five neighbouring semitones stand on five letters (B sharp, C sharp, D, E flat, F flat), six do not
    assert "harp-pedals" not in rules_broken(chords("harp", (60, 61, 62, 63, 64)))
    assert "harp-pedals" in rules_broken(chords("harp", (60, 61, 62, 63, 64, 65)))


def test_pedals_need_time() -> None:
    c_major, e_flat_minor = [(p,) for p in (60, 62, 64, 65, 67, 69, 71)], [(p,) for p in (63, 65, 66, 68, 70, 71, 73)]
    slowly = chords("harp", *c_major, *e_flat_minor, every=960)
    at_once = chords("harp", tuple(p for (p,) in c_major), tuple(p for (p,) in e_flat_minor), every=240)
    assert "harp-pedals" not in rules_broken(slowly)
    assert "harp-pedals" in rules_broken(at_once)
    assert "harp-pedals" not in rules_broken(chords("harp", *c_major, *c_major, every=60))


def test_every_note_of_the_trombones_has_a_position() -> None:
    for name in ("trombone", "bass-trombone", "alto-trombone"):
        known = instrument(name)
        assert all(slide_positions(name, pitch) for pitch in range(known.lowest, known.highest + 1)), name
    assert slide_positions("trombone", 58)[0] == 1
    assert slide_positions("alto-trombone", 45) == (7,)


def test_the_slide_needs_time() -> None:
    there_and_back = [(45,), (51,)] * 4
    assert "slide" in rules_broken(chords("alto-trombone", *there_and_back, every=110))
    assert "slide" not in rules_broken(chords("alto-trombone", *there_and_back, every=480))
    assert "slide" not in rules_broken(chords("trombone", *there_and_back, every=110))  # the valve has alternates


def test_a_glissando_lies_on_one_partial() -> None:
    flags = [Articulation.GLISSANDO, Articulation(0)]
    assert "slide-glissando" not in rules_broken(flagged("trombone", flags, [52, 58], 480))
    assert "slide-glissando" in rules_broken(flagged("trombone", flags, [52, 60], 480))


def test_four_drums_stand_ready_and_a_fifth_note_needs_a_pedal() -> None:
    ready = [(40,), (45,), (48,), (53,)]
    assert "timpani-tuning" not in rules_broken(chords("timpani", *ready * 3, every=120))
    assert "timpani-tuning" in rules_broken(chords("timpani", *ready, (47,), *ready, every=120))
    assert "timpani-tuning" not in rules_broken(chords("timpani", *ready, (47,), *ready, every=1920))


def test_changes_take_time() -> None:
    plain, plucked, muted = Articulation(0), Articulation.PIZZICATO, Articulation.MUTED
    assert "technique-change" in rules_broken(flagged("violin", [plain, plucked, plain], [67, 69, 71], 120))
    assert "technique-change" not in rules_broken(flagged("violin", [plain, plucked, plain], [67, 69, 71], 480))
    assert "mute-change" in rules_broken(flagged("trumpet-c", [plain, muted], [67, 69], 480))
    rested = [(0, 480, 67, 80, 0), (1920, 480, 69, 80, 0)]
    notes = note_rows(rested)
    notes["articulation"] = [0, int(muted)]
    assert "mute-change" not in rules_broken(Score(notes=notes, parts=(Part("t", instrument="trumpet-c"),)))


def test_trills_that_do_not_work() -> None:
    trill = [Articulation.TRILL]
    assert "trill" in rules_broken(flagged("oboe", trill, [instrument("oboe").lowest], 960))
    assert "trill" not in rules_broken(flagged("oboe", trill, [72], 960))
    assert "trill" in rules_broken(flagged("trombone", trill, [50], 960))


def test_registers_have_their_dynamics() -> None:
    def note(name: str, pitch: int, velocity: int) -> Score:
        return solo(name, [(0, 960, pitch, velocity, 0)])

    assert "weak-register" in rules_broken(note("flute", 60, 115))
    assert "weak-register" not in rules_broken(note("flute", 60, 60))
    assert "weak-register" not in rules_broken(note("flute", 86, 115))
    assert "loud-register" in rules_broken(note("piccolo", instrument("piccolo").highest, 30))
    assert "loud-register" not in rules_broken(note("clarinet-bb", 60, 30))


def test_transposed_in_time_the_same_rules_are_broken() -> None:
    score = chords("harp", (60, 61, 62, 63, 64, 65), (36, 53, 60, 90), (61, 63), (60, 62), every=100)
    later = score.replace(notes=_moved(score.notes, 4800))
    first, second = violations(score), violations(later)
    assert [(v.rule, v.tick + 4800, v.what) for v in first] == [tuple(v[i] for i in (0, 2, 3)) for v in second]
    assert [a.tick for a, b in pairwise(first) if a.rule == b.rule and a.tick > b.tick] == []


def _moved(notes: np.ndarray, ticks: int) -> np.ndarray:
    out = notes.copy()
    out["onset"] += ticks
    return out
