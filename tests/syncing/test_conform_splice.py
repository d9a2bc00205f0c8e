"""Bars taken out and played again: ties, meters, controllers; known answers, worked by hand."""

import numpy as np

from rescore_music.elements import CONTROL, METER, Mark
from rescore_music.score import Part, Score, note_rows
from rescore_music.syncing.splice import ENDED, JOINED, STRUCK, spliced
from rescore_music.tempo import TempoMap

BAR = 1920


def music(*rows, bars=6, **more):
    pulse = [(i * BAR, BAR, 40 + i, 80, 0) for i in range(bars)]
    return Score(notes=note_rows([*pulse, *rows]), parts=(Part("Bass"), Part("Horn")), **more)


def horn(score):
    return [tuple(int(n[k]) for k in ("onset", "duration", "pitch")) for n in score.notes[score.notes["part"] == 1]]


def log(made):
    return {item.what: item.count for item in made.log}


def test_a_bar_taken_out():
    made = spliced(music(), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    bass = made.score.notes
    assert bass["pitch"].tolist() == [40, 41, 43, 44, 45]
    assert bass["onset"].tolist() == [0, BAR, 2 * BAR, 3 * BAR, 4 * BAR]
    assert made.score.bars.tolist() == [i * BAR for i in range(6)]
    assert [made.new_tick(t) for t in (0, BAR, 2 * BAR, 3 * BAR, 6 * BAR)] == [0, BAR, None, 2 * BAR, 5 * BAR]
    assert made.log == ()


def test_a_bar_played_again():
    made = spliced(music(), [(0, 3 * BAR), (2 * BAR, 6 * BAR)])
    assert made.score.notes["pitch"].tolist() == [40, 41, 42, 42, 43, 44, 45]
    assert (made.new_tick(2 * BAR), made.new_tick(2 * BAR, last=True)) == (2 * BAR, 3 * BAR)


def test_a_note_held_over_what_is_gone_stays_one_note():
    made = spliced(music((BAR, 3 * BAR, 60, 80, 1)), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    assert horn(made.score) == [(BAR, 2 * BAR, 60)]
    assert log(made) == {JOINED: 1}


def test_another_note_of_the_same_pitch_goes_on_with_it():
    rows = (BAR + 960, BAR, 60, 80, 1), (3 * BAR - 480, BAR, 60, 80, 1)
    made = spliced(music(*rows), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    assert horn(made.score) == [(BAR + 960, 960 + 1440, 60)]


def test_a_note_without_its_beginning_is_struck_anew_and_one_without_its_end_ends():
    rows = (BAR + 960, BAR, 60, 80, 1), (3 * BAR - 480, BAR, 65, 80, 1)
    made = spliced(music(*rows), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    assert horn(made.score) == [(BAR + 960, 960, 60), (2 * BAR, 1440, 65)]
    assert log(made) == {ENDED: 1, STRUCK: 1}


def test_little_of_a_note_is_not_struck_anew():
    made = spliced(music((3 * BAR - 480, 500, 65, 80, 1)), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    assert horn(made.score) == []
    assert sum(item.count for item in made.log) == 1


def test_a_tone_held_through_a_repeat_is_one_tone():
    # a pedal through bars 2 to 4; bar 3 comes three times
    made = spliced(music((BAR, 3 * BAR, 60, 80, 1)), [(0, 3 * BAR), (2 * BAR, 3 * BAR), (2 * BAR, 6 * BAR)])
    assert horn(made.score) == [(BAR, 5 * BAR, 60)]
    assert log(made) == {JOINED: 2}


def test_a_bar_cut_short_has_a_meter_of_its_own():
    made = spliced(music(), [(0, BAR + 1440), (2 * BAR, 6 * BAR)])  # the last beat of bar 2 is gone
    assert [tuple(row) for row in made.score.meters] == [(0, 4, 4), (BAR, 3, 4), (BAR + 1440, 4, 4)]
    assert made.score.bars.tolist() == [0, BAR, BAR + 1440, *(BAR + 1440 + i * BAR for i in range(1, 5))]


def test_two_beats_played_again_are_a_bar_of_two():
    made = spliced(music(), [(0, 2 * BAR), (2 * BAR - 960, 6 * BAR)])
    assert [tuple(row) for row in made.score.meters] == [(0, 4, 4), (2 * BAR, 2, 4), (2 * BAR + 960, 4, 4)]


def test_half_bars_that_meet_are_one_bar():
    made = spliced(music(), [(0, BAR + 960), (2 * BAR + 960, 6 * BAR)])
    assert made.score.bars.tolist() == [i * BAR for i in range(6)]
    assert [tuple(row) for row in made.score.meters] == [(0, 4, 4)]


def test_a_change_of_meter_inside_what_is_gone_is_kept_behind_it():
    meters = np.array([(0, 4, 4), (2 * BAR + 960, 3, 4)], METER)
    score = music(meters=meters, bars=4)
    bars = score.bars.tolist()
    assert bars[:5] == [0, BAR, 2 * BAR, 2 * BAR + 960, 2 * BAR + 960 + 1440]
    made = spliced(score, [(0, 2 * BAR), (bars[4], bars[-1])])
    assert tuple(made.score.meters[-1]) == (2 * BAR, 3, 4)


def test_controllers_and_tempo_stand_as_they_stood():
    controls = np.array([(0, 0, 7, 100), (2 * BAR + 10, 0, 7, 50), (4 * BAR, 0, 7, 90)], CONTROL)
    tempo = TempoMap(np.array([0, 2 * BAR, 3 * BAR]), np.array([500_000.0, 600_000.0, 400_000.0]))
    made = spliced(music(controls=controls, tempo=tempo), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    after = made.score.controls[made.score.controls["tick"] >= 2 * BAR]
    assert [tuple(int(x) for x in row) for row in after] == [(2 * BAR, 0, 7, 50), (3 * BAR, 0, 7, 90)]
    assert made.score.tempo.ticks.tolist() == [0, 2 * BAR]
    assert made.score.tempo.us.tolist() == [500_000, 400_000]


def test_every_message_away_from_the_seams_is_kept():
    # two values at the first tick, and one after the end
    rows = [(0, 0, 7, 100), (0, 0, 7, 90), (BAR, 0, 11, 60), (3 * BAR + 5, 0, 11, 70), (7 * BAR, 0, 7, 0)]
    made = spliced(music(controls=np.array(rows, CONTROL)), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    found = [tuple(int(x) for x in row) for row in made.score.controls]
    assert [r for r in found if r[0] < 2 * BAR] == rows[:3]
    assert [r for r in found if r[0] > 2 * BAR] == [(2 * BAR + 5, 0, 11, 70), (6 * BAR, 0, 7, 0)]


def test_repeat_signs_are_left_out_and_told():
    marks = (Mark(0, "barline", "repeat-start"), Mark(2 * BAR, "barline", "repeat-end"), Mark(4 * BAR, "text", "dolce"))
    made = spliced(music(marks=marks), [(0, 2 * BAR), (3 * BAR, 6 * BAR)])
    assert [(m.tick, m.text) for m in made.score.marks] == [(3 * BAR, "dolce")]
    assert any("repeat signs" in item.what for item in made.log)
