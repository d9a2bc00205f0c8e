"""Bar edits at phrase seams: what moves, what is mended, what is told."""

from itertools import pairwise

import numpy as np
import pytest

from rescore_music.cues import Cues, Hit
from rescore_music.errors import SyncError
from rescore_music.score import CONTROL, METER, Mark, Marker, Part, Score, note_rows
from rescore_music.structure import Analysis, Phrase
from rescore_music.syncing import sync
from rescore_music.syncing.bars import BarEdit, edited, edits_of, moved, opened, options_of
from rescore_music.syncing.landing import Grid
from rescore_music.tempo import TempoMap

TPQ, BAR = 480, 1920


def crotchets(bars=16, **fields):
    """Four crotchets a bar, each bar on a pitch of its own."""
    rows = [((4 * bar + beat) * TPQ, TPQ, 40 + bar, 80, 0) for bar in range(bars) for beat in range(4)]
    fields.setdefault("tempo", TempoMap.constant(120, TPQ))
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), **fields)


def phrased(score, bars=4):
    edges = [*score.bars[:-1:bars].tolist(), score.length]
    phrases = tuple(Phrase(a, b) for a, b in pairwise(edges))
    count = len(score.notes)
    return Analysis(np.zeros(count, np.int16), np.zeros(count, np.int32), (), phrases)


def bars_of(score):
    """Pitch of each bar, by the bar lines."""
    return [int(score.notes["pitch"][score.notes["onset"] == bar][0]) for bar in score.bars[:-1]]


def test_a_bar_left_out_is_gone_and_all_else_follows():
    score = crotchets(markers=(Marker(9 * BAR, "Fight"),), marks=(Mark(8 * BAR, "dynamic", "f", 0),))
    made = edited(score, (BarEdit("delete", 8 * BAR, -BAR, 9),))
    assert bars_of(made) == [40 + k for k in range(16) if k != 7]
    assert made.markers == (Marker(8 * BAR, "Fight"),)
    assert made.marks[0].tick == 7 * BAR
    assert moved(np.array([6 * BAR, 8 * BAR, 9 * BAR]), (BarEdit("delete", 8 * BAR, -BAR, 9),)).tolist() == [
        6 * BAR,
        7 * BAR,
        8 * BAR,
    ]


def test_bars_played_again_follow_each_other():
    made = edited(crotchets(), (BarEdit("repeat", 8 * BAR, 2 * BAR, 9),))
    assert bars_of(made) == [*range(40, 48), 46, 47, *range(48, 56)]


def test_several_edits_count_in_bars_of_the_source():
    edits = (BarEdit("delete", 4 * BAR, -BAR, 5), BarEdit("repeat", 12 * BAR, BAR, 13))
    assert bars_of(edited(crotchets(), edits)) == [40, 41, 42, *range(44, 52), 51, *range(52, 56)]
    assert moved(np.array([12 * BAR]), edits).tolist() == [12 * BAR]


def test_a_tie_over_the_seam_is_mended():
    # a pedal point from bar 1 to bar 16 and one from the middle of the bar that goes to the middle of the next
    notes = note_rows([(0, 16 * BAR, 36, 80, 0), (7 * BAR + 960, BAR, 70, 80, 0), (6 * BAR, BAR, 60, 80, 0)])
    score = crotchets().replace(notes=notes)
    made = edited(score, (BarEdit("delete", 8 * BAR, -BAR, 9),))
    rows = [(int(n["onset"]), int(n["duration"]), int(n["pitch"])) for n in made.notes]
    assert rows == [(0, 15 * BAR, 36), (6 * BAR, BAR, 60), (7 * BAR, 960, 70)]
    again = edited(score, (BarEdit("repeat", 8 * BAR, BAR, 9),))
    rows = [(int(n["onset"]), int(n["duration"]), int(n["pitch"])) for n in again.notes]
    assert (0, 17 * BAR, 36) in rows
    assert [r for r in rows if r[2] == 70] == [(7 * BAR + 960, 960, 70), (8 * BAR + 960, BAR, 70)]


def test_a_bar_made_shorter_or_longer_has_its_meter_and_the_next_one_the_old():
    short = edited(crotchets(), (BarEdit("meter", 4 * BAR, -240, 5),))
    meters = [(int(m["tick"]), int(m["numerator"]), int(m["denominator"])) for m in short.meters]
    assert meters[-2:] == [(3 * BAR, 7, 8), (4 * BAR - 240, 4, 4)]
    assert bars_of(short) == list(range(40, 56))
    assert int(short.notes["duration"].sum()) == int(crotchets().notes["duration"].sum()) - 240
    long = edited(crotchets(), (BarEdit("meter", 4 * BAR, 480, 5),))
    meters = [(int(m["tick"]), int(m["numerator"]), int(m["denominator"])) for m in long.meters]
    assert meters[-2:] == [(3 * BAR, 5, 4), (4 * BAR + 480, 4, 4)]
    assert bars_of(long) == list(range(40, 56))
    held = long.notes[(long.notes["onset"] == 4 * BAR - 480)]
    assert held["duration"].tolist() == [960]


def test_time_let_in_moves_everything_behind_it():
    controls = np.array([(100, 0, 7, 90), (5 * BAR, 0, 7, 60)], CONTROL)
    tempo = TempoMap(np.array([0, 3 * BAR, 6 * BAR]), np.array([5e5, 5e5, 6e5]), np.array([5e5, 6e5, 6e5]), TPQ)
    meters = np.array([(0, 4, 4), (4 * BAR, 2, 4)], METER)
    score = crotchets(controls=controls, tempo=tempo, meters=meters, marks=(Mark(0, "slur", "", 0, 4 * BAR),))
    made = opened(score, 4 * BAR, BAR, new_bar=True)
    assert made.controls["tick"].tolist() == [100, 6 * BAR]
    assert made.marks[0].end == 5 * BAR
    assert made.bars[:8].tolist() == [0, BAR, 2 * BAR, 3 * BAR, 4 * BAR, 5 * BAR, 5 * BAR + 960, 6 * BAR]
    # the ramp stops where time is let in, holds, and goes on
    own = float(tempo.us_at(4 * BAR))
    assert made.tempo.us_at(np.array([4 * BAR + 5, 5 * BAR - 5])) == pytest.approx([own, own])
    inside, after = (float(score.seconds(b) - score.seconds(a)) for a, b in ((0, 4 * BAR), (4 * BAR, 10 * BAR)))
    assert float(made.seconds(4 * BAR)) == pytest.approx(inside)
    assert float(made.seconds(11 * BAR) - made.seconds(5 * BAR)) == pytest.approx(after)


def test_options_lie_at_phrase_seams_only_and_never_take_a_whole_phrase():
    grid = Grid(crotchets(), phrased(crotchets()))
    assert options_of(grid, "none") == ()
    meters, bars = options_of(grid, "meters"), options_of(grid, "bars")
    assert all(o.whole == 0 for o in meters)
    assert {o.whole for o in bars} >= {-2, -1, 0, 1, 2}
    for option in bars:
        assert set(option.seams.tolist()) <= {4 * BAR, 8 * BAR, 12 * BAR}
        if option.whole < 0:
            assert max(option.most) <= 2 * BAR
    with pytest.raises(SyncError, match="only an analysis tells"):
        options_of(Grid(crotchets()), "bars")
    with pytest.raises(SyncError, match=r"no bar edits 'some'.*none, meters, bars"):
        options_of(grid, "some")


def test_nothing_that_has_landed_is_cut():
    grid = Grid(crotchets(), phrased(crotchets()))
    (option,) = [o for o in options_of(grid, "bars") if o.whole == -2]
    # a hit in bar 7 forbids leaving out bars 7 and 8: the next seam serves
    assert [e.tick for e in edits_of(grid, option, 6 * BAR, 14 * BAR)] == [12 * BAR]
    assert [e.text for e in edits_of(grid, option, 5 * BAR, 9 * BAR)] == ["bars 7 to 8 left out"]


def test_a_held_end_is_lengthened_by_a_held_bar():
    rows = [(bar * BAR + beat * TPQ, TPQ, 40 + bar, 80, 0) for bar in range(16) if bar % 4 < 3 for beat in range(4)]
    rows += [(bar * BAR, BAR, 40 + bar, 80, 0) for bar in range(3, 16, 4)]
    score = crotchets().replace(notes=note_rows(rows))
    grid = Grid(score, phrased(score))
    (option,) = [o for o in options_of(grid, "bars") if o.whole == 1]
    (edit,) = edits_of(grid, option, 5 * BAR, 9 * BAR)
    assert edit.kind == "insert"
    assert edit.text == "a bar inserted before bar 9: the end of bar 8 held"
    made = edited(score, (edit,))
    assert made.notes["duration"][made.notes["onset"] == 7 * BAR].tolist() == [2 * BAR]
    assert len(made.bars) == len(score.bars) + 1


def asked(seconds, end, **fields):
    return Cues.from_hits([Hit(round(s * 24), **fields) for s in seconds], 24).ending(end)


def test_a_cue_too_long_for_its_picture_loses_bars_and_keeps_its_tempo():
    score = crotchets(64)  # 128 s
    analysis = phrased(score, 8)
    cues = asked((20.3, 45.2), "00:01:56:00")
    bent = sync(score, cues, analysis=analysis)
    cut = sync(score, cues, analysis=analysis, edits="bars")
    assert all(h.landed for h in cut.hits)
    assert bent.max_deviation_percent > 8
    assert cut.max_deviation_percent < 3
    assert cut.edits
    assert [item.what for item in cut.score.import_log] == list(cut.edits)
    assert cut.score.duration == pytest.approx(116, abs=0.03)
    kept, source = bars_of(cut.score), bars_of(score)
    assert len(kept) < len(source)
    assert [b for b in source if b in kept] == list(dict.fromkeys(kept))
    assert cut.base.notes.tobytes() == cut.score.notes.tobytes()
    assert {a.name for a in cut.alternatives} >= {"more bars"}
    for other in cut.alternatives:
        if other.name == "more bars":
            assert len(other.edits) < len(cut.edits) or other.edits != cut.edits


def test_without_need_no_bar_is_touched():
    score = crotchets(32)
    synced = sync(score, asked((10.2, 30.3), "00:01:04:06"), analysis=phrased(score), edits="bars")
    assert synced.edits == ()
    assert np.array_equal(synced.score.notes, score.notes)


def test_downbeats_in_dense_action_are_met_by_odd_bars():
    score = crotchets(64)
    analysis = phrased(score, 2)
    seconds = np.cumsum([5.3, 4.6, 5.9, 4.7, 6.2, 5.1, 4.4, 6.6, 5.7, 4.9])
    cues = Cues.from_hits([Hit(round(s * 24), tolerance=0.5, lands="downbeat") for s in seconds], 24)
    bent, odd = sync(score, cues), sync(score, cues, analysis=analysis, edits="meters")
    assert all(h.landed and h.beat == 1.0 for h in odd.hits)
    assert odd.max_deviation_percent < 0.3 * bent.max_deviation_percent
    names = {text.split(":")[1].split(" for ")[0].strip() for text in odd.edits}
    assert names <= {f"{n}/{d}" for n, d in ((2, 4), (3, 4), (5, 4), (6, 4), (3, 8), (5, 8), (7, 8), (9, 8), (11, 8))}
    # what is said of the meters is in the score
    ends = np.diff(odd.score.bars)
    assert len([e for e in ends[:-1] if e != BAR]) == len(odd.edits)


def test_edited_scores_survive_writing(tmp_path):
    from rescore_music.io import read_score, write_score

    score = crotchets(64)
    synced = sync(score, asked((20.3, 45.2), "00:01:57:00"), analysis=phrased(score, 8), edits="bars")
    for name in ("out.mid", "out.musicxml"):
        write_score(synced.score, tmp_path / name)
        again = read_score(tmp_path / name)
        ratio = again.ticks_per_quarter / synced.score.ticks_per_quarter
        assert again.notes["onset"].tolist() == (synced.score.notes["onset"] * ratio).astype(int).tolist()
        assert [(m["numerator"], m["denominator"]) for m in again.meters][:1] == [(4, 4)]


def test_a_real_cue_is_shortened_at_its_own_phrases():
    from rescore_music.analysis import analyze
    from rescore_music.io import read_score
    from rescore_music.resources import samples_dir

    score = read_score(samples_dir() / "hero_theme.mid")
    analysis = analyze(score)
    cues = Cues.from_hits([Hit(24 * 30, "Dawn", lands="downbeat")], 24).ending("00:01:20:00")
    synced = sync(score, cues, analysis=analysis, edits="bars")
    assert all(h.landed for h in synced.hits)
    assert synced.edits
    assert synced.max_deviation_percent < sync(score, cues, analysis=analysis).max_deviation_percent
    assert synced.score.duration == pytest.approx(80, abs=0.1)
    assert int(synced.score.ends.max()) <= synced.score.length


def test_a_runner_up_can_be_taken_instead_of_the_best():
    score = crotchets(40)
    cues = Cues.from_hits([Hit(round(s * 24), lands="downbeat", tolerance=0.5) for s in (9.1, 17.9, 31, 46.9)], 24)
    best = sync(score, cues, analysis=phrased(score), edits="bars")
    assert len(best.alternatives) > 2
    for number, told in enumerate(best.alternatives[:3], 1):
        taken = sync(score, cues, analysis=phrased(score), edits="bars", runner_up=number)
        assert tuple(h.tick for h in taken.hits) == told.ticks
        assert taken.edits == told.edits
        assert all(h.landed for h in taken.hits)
        assert tuple(h.tick for h in best.hits) in {other.ticks for other in taken.alternatives}


def test_soft_hits_pull_at_a_runner_up_too():
    score = crotchets(40)
    hard = [Hit(round(s * 24), lands="downbeat", tolerance=0.5) for s in (9.1, 31, 46.9)]
    soft = [Hit(round(s * 24), "soft", kind="soft", lands="downbeat") for s in (19, 20.2, 70)]
    cues = Cues.from_hits([*hard, *soft], 24)
    best = sync(score, cues)
    taken = sync(score, cues, runner_up=1)
    assert {h.label for h in taken.hits if h.kind == "soft"} == {"soft"}
    assert [h.tick for h in taken.hits if h.kind == "hard"] == [t for t in best.alternatives[0].ticks if t]


def test_a_runner_up_that_is_not_there_is_refused():
    with pytest.raises(SyncError, match="there is no runner-up 40"):
        sync(crotchets(), Cues.from_hits([Hit(200)], 24), runner_up=40)
