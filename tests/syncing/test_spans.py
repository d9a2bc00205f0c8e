"""Spans of the picture: steady under dialogue, held, frozen; fermatas and ritardandi of the score; start and end."""

import numpy as np
import pytest

from rescore_music.cues import Cues, Hit, Span
from rescore_music.errors import SyncError
from rescore_music.score import Articulation, Mark, Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.syncing import sync
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate, Timecode

TPQ, RATE = 480, 24


def music(quarters=240, bpm=120.0, **fields):
    rows = [(i * TPQ // 2, TPQ // 2, 60 + i % 12, 80, 0) for i in range(2 * quarters)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(bpm, TPQ), **fields)


def asked(seconds, *spans, start="00:00:00:00", give=0, **fields):
    rate = FrameRate.parse(RATE)
    first = Timecode.parse(start, rate)
    hits = tuple(Hit(first.frame + round(s * RATE), **fields) for s in seconds)
    moved = tuple(Span(first.frame + round(a * RATE), first.frame + round(b * RATE), kind) for a, b, kind in spans)
    return Cues(rate, first, hits, moved, start_give=give)


def changes_inside(synced, a, b):
    """Largest change of the tempo (percent) between beats of which both touch [a, b) seconds."""
    rows = synced.tempo
    ends = [*(r.seconds for r in rows[1:]), synced.score.duration]
    inside = [r.stretch_percent for r, end in zip(rows, ends, strict=True) if r.seconds < b and end > a]
    return float(np.ptp(inside))


@pytest.mark.parametrize("kind", ["dialogue", "avoid"])
def test_no_tempo_change_under_dialogue_whatever_is_around_it(kind):
    hits, spans = (10.2, 25.4, 41.1, 50.3), ((37, 40.5), (51, 55))
    plain = sync(music(), asked(hits))
    synced = sync(music(), asked(hits, *((a, b, kind) for a, b in spans)))
    assert all(abs(h.residual_frames) < 1e-4 for h in synced.hits)
    for a, b in spans:
        assert changes_inside(plain, a, b) > 0.2
        assert changes_inside(synced, a, b) < 0.002  # whole microseconds a quarter
    assert [p.text.endswith("the tempo is steady") for p in synced.passages] == [True, True]
    assert synced.passages[0].start == "00:00:37:00"
    assert synced.passages[0].notes == len(
        [n for n in synced.score.notes["onset"] if 37 <= synced.score.seconds(n) < 40.5]
    )


def test_one_hit_in_a_dialogue_keeps_it_steady_and_two_distances_cannot():
    one = sync(music(), asked((10.2, 25.4, 34.1, 50.3), (30, 40, "dialogue")))
    assert changes_inside(one, 30, 40) < 0.002
    assert all(abs(h.residual_frames) < 1e-4 for h in one.hits)
    three = sync(music(), asked((10.2, 25.4, 33.1, 36.2, 38.9, 50.3), (30, 40, "dialogue")))
    assert all(abs(h.residual_frames) < 1e-4 for h in three.hits)
    assert "because hits inside ask for it" in three.passages[0].text


def test_a_frozen_span_has_the_scores_own_tempo():
    tempo = TempoMap(np.array([0, 80 * TPQ]), np.array([5e5, 6e5]), ticks_per_quarter=TPQ)
    synced = sync(music().replace(tempo=tempo), asked((10.2, 25.4, 61.3), (30, 50, "frozen")))
    own, new = tempo, synced.score.tempo
    edges = new.ticks_at(np.array([30.0, 35.0, 41.0, 50.0]))
    assert np.diff(own.seconds(edges)) == pytest.approx(np.diff(new.seconds(edges)), abs=2e-5)
    assert all(abs(h.residual_frames) < 1e-4 for h in synced.hits)
    assert synced.passages[0].text == "the tempo is the score's own"


def test_hits_that_a_frozen_span_makes_impossible_are_named():
    with pytest.raises(SyncError, match=r"00:00:33:02 and 00:00:33:11 conflict.*shorten the frozen span"):
        sync(music(), asked((10.2, 33.1, 33.45, 50.3), (30, 40, "frozen")))


def test_a_hold_waits_on_one_beat_from_its_start_to_its_end():
    score = music()
    synced = sync(score, asked((10.2, 25.4, 31, 50.3), (30, 33, "hold")))
    assert [h.landed for h in synced.hits] == [True] * 3
    assert synced.skipped[0].reason == "the music holds then"
    (held,) = synced.passages
    assert held.end_tick - held.tick == TPQ
    at = synced.score.seconds(np.array([held.tick, held.end_tick]))
    assert np.abs(at - [30, 33]).max() * RATE <= 0.5
    # the tempo goes on behind it as it was before: a hold is no tempo change
    assert synced.max_deviation_percent < 3
    assert synced.max_step_percent < 0.75


def test_a_hold_takes_a_long_note_rather_than_a_moving_beat():
    rows = [(i * TPQ // 2, TPQ // 2, 60, 80, 0) for i in range(480) if i // 2 % 8 != 5]
    rows += [((8 * k + 5) * TPQ, TPQ, 60, 80, 0) for k in range(30)]  # one crotchet every two bars
    score = Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(120.0, TPQ))
    (held,) = sync(score, asked((), (30, 33, "hold"))).passages
    assert held.tick // TPQ % 8 == 5


def test_silence_asks_nothing():
    plain, silent = sync(music(), asked((10.2, 30.4))), sync(music(), asked((10.2, 30.4), (15, 20, "silence")))
    assert plain.score == silent.score
    assert silent.passages[0].text == "the picture is silent: the music is alone"


def fermata_music(bars=40, every=8):
    """Crotchets; each `every`-th bar ends with a minim under a fermata."""
    rows, flags = [], []
    for bar in range(bars):
        last = bar % every == every - 1
        for beat in range(3 if last else 4):
            hold = last and beat == 2
            rows.append(((bar * 4 + beat) * TPQ, TPQ * (2 if hold else 1), 60, 80, 0))
            flags.append(int(Articulation.FERMATA) if hold else 0)
    notes = note_rows(rows)
    notes["articulation"] = flags
    return Score(notes=notes, parts=(Part("Piano"),), tempo=TempoMap.constant(120, TPQ))


def test_a_fermata_takes_up_time_and_the_tempo_stays():
    score = fermata_music()
    # the hit asks for a second more than the music has; one fermata lies before it
    late = asked((20 * 2 + 1.0,), lands="downbeat")
    synced = sync(score, late)
    (hit,) = synced.hits
    assert hit.landed
    if hit.bar == 21:  # the fermatas of bars 8 and 16 were held
        rows = {(r.bar, r.beat): r.stretch_percent for r in synced.tempo}
        assert rows[8, 3.0] < -5
    assert synced.max_step_percent < 0.2
    bare = score.notes.copy()
    bare["articulation"] = 0
    without = sync(score.replace(notes=bare), late)
    assert synced.max_deviation_percent < 0.5 * without.max_deviation_percent


def test_no_fermata_lasts_for_ever():
    score = fermata_music(bars=16)
    synced = sync(score, asked((36.0,), lands="end"))
    (held,) = [r for r in synced.tempo if (r.bar, r.beat) == (8, 3.0)]
    assert held.stretch_percent >= 100 / 2.5 - 100 - 0.1
    assert abs(synced.hits[0].residual_frames) < 1e-4


def test_a_fermata_over_a_rest_waits_too():
    rows = [(i * TPQ, TPQ, 60, 80, 0) for i in range(160) if i != 31]
    marks = (Mark(31 * TPQ, "fermata", part=0),)
    score = Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(120, TPQ), marks=marks)
    synced = sync(score, asked((30.4,), lands="downbeat"))
    rests = [r.stretch_percent for r in synced.tempo if r.tick == 31 * TPQ]
    assert abs(rests[0]) > 5
    assert synced.max_deviation_percent < 1


def test_a_change_falls_where_the_score_changes_its_own_tempo():
    # 120, then over two bars down to 100, then 100; the second half is asked to be 1.5 % slower
    tempo = TempoMap(np.array([0, 112 * TPQ, 120 * TPQ]), np.array([5e5, 5e5, 6e5]), np.array([5e5, 6e5, 6e5]), TPQ)
    score = music().replace(tempo=tempo)
    times = [float(tempo.seconds(b * TPQ)) for b in (40, 80, 108)]
    middle = float(tempo.seconds(124 * TPQ))
    times += [middle + 1.015 * float(tempo.seconds(b * TPQ) - middle) for b in (152, 180, 220)]
    synced = sync(score, asked(times, tolerance=0.5, lands="downbeat"))
    assert all(h.landed for h in synced.hits)
    assert synced.max_rubato_step_percent > synced.max_step_percent


def test_a_start_that_may_move_moves_in_whole_frames_where_that_serves_the_hits():
    seconds = (10.3, 20.3, 30.3, 41.3)  # all 0.3 s late of the beat, and the tempo is the score's own
    fixed = sync(music(), asked(seconds, start="01:00:00:00"))
    free = sync(music(), asked(seconds, start="01:00:00:00", give=12))
    assert fixed.cues.start.label == "01:00:00:00"
    assert free.cues.start.frame - fixed.cues.start.frame in (6, 7, 8)
    assert free.max_deviation_percent < 0.3 * fixed.max_deviation_percent
    shift = (free.cues.start.frame - fixed.cues.start.frame) / RATE
    assert [h.target_s + shift for h in free.hits] == pytest.approx([h.target_s for h in fixed.hits])
    assert [h.timecode for h in free.hits] == [h.timecode for h in fixed.hits]


def test_a_fixed_end_and_a_free_end():
    cues = asked((30.2,))
    assert sync(music(), cues).score.duration == pytest.approx(120, abs=1)
    ended = sync(music(), cues.ending("00:02:03:12"))
    assert ended.score.duration == pytest.approx(123.5, abs=1e-6)


def climbing(score):
    bars = len(score.bars) - 1
    intensity = np.concatenate([np.linspace(0, 1, 30), np.linspace(0.9, 0.1, bars - 30)])
    count = len(score.notes)
    return Analysis(np.zeros(count, np.int16), np.zeros(count, np.int32), (), (), intensity=intensity)


def test_the_climax_lands_on_its_frame():
    score = music()
    (hit,) = sync(score, asked((57.3,), lands="climax"), analysis=climbing(score)).hits
    assert (hit.bar, hit.beat) == (30, 1.0)
    assert abs(hit.residual_frames) < 1e-4
    with pytest.raises(SyncError, match="only an analysis tells"):
        sync(score, asked((57.3,), lands="climax"))


def test_the_accompaniment_is_lowered_under_dialogue_and_nothing_else():
    tune = [(i * TPQ, TPQ, 76, 90, 0) for i in range(240)]
    chords = [(i * TPQ, TPQ, 50, 80, 1) for i in range(240)]
    notes = note_rows(tune + chords)
    score = Score(notes=notes, parts=(Part("Oboe"), Part("Strings")), tempo=TempoMap.constant(120, TPQ))
    part = score.notes["part"]
    lines = tuple(Line(p, 0, np.flatnonzero(part == p)) for p in (0, 1))
    roles = np.array([[Role.MELODY], [Role.HARMONY]], np.int8)
    analysis = Analysis(np.zeros(480, np.int16), part.astype(np.int32), lines, (Phrase(0, score.length),), roles=roles)
    cues = asked((10.2, 50.4), (30, 40, "dialogue"))
    synced = sync(score, cues, analysis=analysis, lower=6.0)
    passage = synced.passages[0]
    after = synced.score.notes
    under = (after["onset"] >= passage.tick) & (after["onset"] < passage.end_tick)
    changed = after["velocity"] != score.notes["velocity"]
    assert np.array_equal(changed, under & (part == 1))
    assert set(after["velocity"][changed]) == {57}  # 40 log10(57/80) = -5.9 dB
    assert ("notes under dialogue made 6 dB softer", int(changed.sum())) in [
        (item.what, item.count) for item in synced.score.import_log
    ]
    assert np.array_equal(sync(score, cues, analysis=analysis).score.notes, score.notes)
