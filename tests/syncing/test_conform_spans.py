"""A new cut with dialogue, frozen spans, holds and fermatas: each answer worked by hand.

Music of one minute at 120 a minute: a beat is 12 frames, a bar two seconds. Twelve shots of five seconds, A to L.
"""

import numpy as np
import pytest

from rescore_music.cues import Cues, Hit, Span
from rescore_music.edits import Edit, EditList
from rescore_music.score import Articulation, Part, Score, note_rows
from rescore_music.syncing import conform, sync
from rescore_music.syncing.conforming.spans import new_spans, pieces
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate

TPQ, BAR = 480, 1920
RATE = FrameRate.parse(24)
SHOTS = [(name, 1000 * i, 1000 * i + 120) for i, name in enumerate("ABCDEFGHIJKL")]


def music(quarters=120):
    rows = [(i * TPQ // 2, TPQ // 2, 60 + i % 12, 80, 0) for i in range(2 * quarters)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(120, TPQ))


def crotchets(held=(), quarters=120):
    """Crotchets; those at the beats `held` under fermatas."""
    notes = note_rows([(i * TPQ, TPQ, 60, 80, 0) for i in range(quarters)])
    notes["articulation"][list(held)] = int(Articulation.FERMATA)
    return Score(notes=notes, parts=(Part("Piano"),), tempo=TempoMap.constant(120, TPQ))


def cut(shots):
    edits, at = [], 0
    for name, first, end in shots:
        edits.append(Edit(at, at + end - first, first, end, name))
        at += end - first
    return EditList("", RATE, tuple(edits))


def longer(k, frames):
    shots = list(SHOTS)
    name, first, end = shots[k]
    shots[k] = (name, first, end + frames)
    return cut(shots)


def spotted(seconds, *spans):
    hits = [Hit(round(24 * s), f"at {s:g}") for s in seconds]
    made = tuple(Span(round(24 * a), round(24 * b), kind, kind) for a, b, kind in spans)
    return Cues(RATE, Cues.from_hits([], 24).start, tuple(hits), made)


def beats_of(done, first, last):
    """Seconds of each beat between two seconds of the new music."""
    ticks = np.arange(0, done.score.length + 1, TPQ)
    seconds = done.score.seconds(ticks)
    return np.diff(seconds)[(seconds[1:] > first + 1e-6) & (seconds[:-1] < last - 1e-6)]


OLD = cut(SHOTS)


@pytest.mark.parametrize("kind", ["dialogue", "avoid"])
def test_no_tempo_changes_where_someone_speaks_now(kind):
    # shot C (10 to 15 s) is half a second longer at its end; in E (20 to 25 s, now half a second later) someone speaks
    plain = conform(music(), spotted((8, 24)), OLD, longer(2, 12))
    done = conform(music(), spotted((8, 24), (20, 23, kind)), OLD, longer(2, 12))
    assert [h.residual_frames for h in done.hits] == pytest.approx([0, 0], abs=1e-4)
    (span,) = done.cues.spans
    assert (span.start / 24, span.end / 24) == (20.5, 23.5)
    assert np.ptp(beats_of(plain, 20.5, 23.5)) > 1e-3
    assert np.ptp(beats_of(done, 20.5, 23.5)) < 2e-6
    (passage,) = done.passages
    assert "steady" in passage.text
    # outside of the two hits nothing moves
    ticks = np.concatenate([np.arange(0, 16 * TPQ), np.arange(48 * TPQ, 120 * TPQ)])
    by = np.where(ticks < 40 * TPQ, 0, 0.5)
    assert np.abs(done.score.seconds(ticks) - ticks / TPQ / 2 - by).max() < 1e-6


def test_a_dialogue_that_goes_on_beyond_a_hit_keeps_the_tempo_it_had():
    # it begins before the first hit, in music that stays: so up to its end the tempo is as it was
    done = conform(music(), spotted((8, 24), (6, 12, "dialogue")), OLD, longer(2, 12))
    assert beats_of(done, 6, 12) == pytest.approx(0.5, abs=1e-6)
    assert done.hits[1].residual_frames == pytest.approx(0, abs=1e-4)


def test_hits_inside_a_dialogue_have_the_first_say():
    done = conform(music(), spotted((8, 11, 14, 24), (7, 16, "dialogue")), OLD, longer(2, 3))
    assert [h.residual_frames for h in done.hits] == pytest.approx([0] * 4, abs=1e-4)
    assert all(h.landed for h in done.hits)


def test_dialogue_on_both_sides_of_a_cut_does_not_move_what_is_outside_the_hits():
    # two frames more where nothing but a beat between two dialogues may bend, and each goes on beyond its hit
    score = music()
    done = conform(score, spotted((13, 17), (6, 14.9, "dialogue"), (15.1, 26, "dialogue")), OLD, longer(2, 2))
    ticks = np.concatenate([np.arange(0, 26 * TPQ), np.arange(34 * TPQ, 120 * TPQ)])
    by = np.where(ticks < 30 * TPQ, 0, 2 / 24)
    assert np.abs(done.score.seconds(ticks) - score.seconds(ticks) - by).max() < 1e-6
    assert [h.residual_frames for h in done.hits] == pytest.approx([0, 0], abs=1e-4)


def test_a_frozen_span_is_not_touched_by_the_change_beside_it():
    # shot C is longer at its end (15 s); frozen from 16 s: its music stays with its picture, beat for beat
    score = music()
    done = conform(score, spotted((8, 40), (16, 30, "frozen")), OLD, longer(2, 12))
    ticks = np.arange(32 * TPQ, 60 * TPQ + 1)
    assert np.abs(done.score.seconds(ticks) - score.seconds(ticks) - 0.5).max() < 1e-6
    (touched,) = done.touched
    assert (touched.start, touched.end) == (16 * TPQ, 32 * TPQ)
    assert touched.edit[2] == 0
    assert done.changes[0].before == "frozen 'frozen'"
    assert not done.skipped
    assert "own" in done.passages[0].text
    free = conform(score, spotted((8, 40)), OLD, longer(2, 12))
    assert np.abs(free.score.seconds(ticks) - score.seconds(ticks) - 0.5).max() > 0.05


def test_a_frozen_span_is_held_from_beat_to_beat():
    # 16.2 to 29.9 s: the whole beats that it touches, 16 to 30 s
    done = conform(music(), spotted((8, 40), (16.2, 29.9, "frozen")), OLD, longer(2, 12))
    (touched,) = done.touched
    assert touched.end == 32 * TPQ


def test_a_cut_through_a_frozen_span_is_told_and_its_outer_ends_are_held():
    score = music()
    shots = list(SHOTS)
    shots[3] = ("D", 3000, 3072)  # two seconds of D (15 to 20 s) go: from 18 to 20 s
    done = conform(score, spotted((8, 40), (16, 30, "frozen")), OLD, cut(shots))
    assert [(s.label, s.reason) for s in done.skipped] == [
        ("frozen (frozen)", "the cut goes through it: its music changes there")
    ]
    (touched,) = done.touched
    assert (touched.start, touched.end) == (32 * TPQ, 60 * TPQ)
    assert touched.edit[2] == -1  # a bar of two seconds, so the tempo is still the score's own
    assert touched.deviation_percent < 0.01
    (span,) = done.cues.spans
    assert (span.start / 24, span.end / 24) == (16, 28)


def test_a_frozen_span_whose_shot_is_gone_or_elsewhere_is_told():
    gone = conform(music(), spotted((8, 40), (16, 19, "frozen")), OLD, cut(SHOTS[:3] + SHOTS[4:]))
    assert [s.reason for s in gone.skipped] == ["no longer in the picture"]
    assert gone.cues.spans == ()
    swapped = [*SHOTS[:3], SHOTS[4], SHOTS[3], *SHOTS[5:]]
    moved = conform(music(), spotted((8, 40), (16, 19, "frozen")), OLD, cut(swapped))
    told = [s.reason for s in moved.skipped]
    assert told in ([], ["its shot was put elsewhere: the music there is as it was"])
    (span,) = moved.cues.spans
    assert (span.start / 24, span.end / 24) == (21, 24)


def test_a_hold_whose_shot_is_longer_is_held_longer_and_nothing_else_changes():
    score = music()
    cues = spotted((8, 40), (16, 18, "hold"))  # in the old cut the beat at 16 s waits for two seconds
    synced = sync(score, cues)
    (waits,) = [(p.tick, p.end_tick) for p in synced.passages]
    shots = list(SHOTS)
    shots[3:4] = [("D", 3000, 3036), ("CLOSE", 500, 524), ("D", 3036, 3120)]  # a second put in at 16.5 s
    done = conform(synced, cues, OLD, cut(shots))
    (touched,) = done.touched
    assert (touched.start, touched.end) == waits
    assert touched.deviation_percent == 0
    assert touched.edit[2] == 0
    held = done.score.seconds(np.array(waits))
    assert held == pytest.approx([16, 19], abs=1e-3)
    assert [h.residual_frames for h in done.hits] == pytest.approx([h.residual_frames for h in synced.hits], abs=1e-3)
    assert "3.00 s" in done.passages[0].text
    assert "lasts 3.00 s for 2.00" in done.changes[0].music


def test_a_hold_stays_where_it_is_while_the_music_before_it_changes():
    cues = spotted((8, 40), (26, 28, "hold"))
    synced = sync(music(), cues)
    (waits,) = [(p.tick, p.end_tick) for p in synced.passages]
    done = conform(synced, cues, OLD, longer(2, 12))
    assert done.score.seconds(np.array(waits)) == pytest.approx([26.5, 28.5], abs=1e-3)
    (touched,) = done.touched
    assert touched.end == waits[0]


def test_a_beat_that_waited_for_what_is_gone_gives_up_its_time():
    # the hold fills shot D but for a beat; without it five seconds less are needed, and the beat has four and a half
    cues = spotted((8, 40), (15, 20, "hold"))
    synced = sync(music(), cues)
    (waits,) = [(p.tick, p.end_tick) for p in synced.passages]
    done = conform(synced, cues, OLD, cut(SHOTS[:3] + SHOTS[4:]))
    assert [s.reason for s in done.skipped] == ["no longer in the picture"]
    assert float(np.diff(done.score.seconds(np.array(waits)))[0]) < 1.0
    assert done.max_deviation_percent < 6
    assert all(h.landed for h in done.hits)
    assert not done.touched[0].edit[2]


def test_a_fermata_takes_up_what_the_new_cut_asks_for():
    # half a second more between the hits at 8 and 24 s: the fermata over the beat at 14 s lasts a second, not a half
    score = crotchets(held=[28])
    done = conform(score, spotted((8, 24)), OLD, longer(2, 12))
    assert float(np.diff(done.score.seconds(np.array([28, 29]) * TPQ))[0]) == pytest.approx(1.0, abs=0.02)
    assert done.max_deviation_percent < 0.2
    assert done.touched[0].waits[0][1:] == pytest.approx((0.5, 1.0), abs=0.02)
    assert "waits in bar 8" in done.changes[0].music
    bare = conform(crotchets(), spotted((8, 24)), OLD, longer(2, 12))
    assert bare.max_deviation_percent > 3
    again = beats_of(done, 8, 24)
    assert np.sort(again)[:-1] == pytest.approx(0.5, abs=2e-3)


def test_no_fermata_lasts_for_ever_in_a_new_cut_either():
    # three seconds more: the fermata takes 0.75 s of them (two and a half times its length), bars or tempo the rest
    score = crotchets(held=[28])
    done = conform(score, spotted((8, 24)), OLD, longer(2, 72))
    ticks = list(range(0, done.score.length, TPQ))
    longest = max(np.diff(done.score.seconds(np.array(ticks))))
    assert longest <= 1.25 + 1e-3
    assert done.touched[0].edit[2] > 0
    assert [h.residual_frames for h in done.hits] == pytest.approx([0, 0], abs=1e-4)


def test_a_fermata_saves_a_bar():
    # 1.2 s less in ten seconds: too much for tempo alone; a long fermata has it to give
    shots = list(SHOTS)
    shots[2] = ("C", 2000, 2091)
    slow = crotchets(held=[28])
    tempo = TempoMap(np.array([0, 28 * TPQ, 29 * TPQ]), np.array([5e5, 25e5, 5e5]))  # it lasts 2.5 s
    slow = slow.replace(tempo=tempo)
    hits = (8, 18)
    done = conform(slow, spotted(hits), OLD, cut(shots))
    assert done.touched[0].edit[2] == 0
    assert done.max_deviation_percent < 1
    bare = conform(crotchets(), spotted(hits), OLD, cut(shots))
    assert bare.touched[0].edit[2] == -1


def test_pieces_follow_the_picture_through_cuts_and_moves():
    from rescore_music.syncing import picture_map

    span = Span(14 * 24, 22 * 24, "dialogue")  # the end of C, all of D, the beginning of E
    new = cut([SHOTS[0], SHOTS[1], SHOTS[2], SHOTS[4], SHOTS[3], *SHOTS[5:]])  # D and E swapped
    found = pieces(picture_map(OLD, new), span)
    assert sum(p.end - p.start for p in found) == span.end - span.start
    shown = {p.start: p.new for p in found}
    assert shown[14 * 24] == 14 * 24
    assert {p.new for p in found} >= {20 * 24}  # D begins five seconds later
    cues = spotted((8, 40), (14, 22, "dialogue"))
    # C's end and E's beginning now lie side by side, D follows E
    now = [(s.start / 24, s.end / 24) for s in new_spans(cues, picture_map(OLD, new))]
    assert now == [(14, 17), (20, 25)]
