"""A new cut: only the music around each change moves, and every hit still lands. Known answers, worked by hand."""

import csv
import io
import json

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.analysis import analyze
from rescore_music.cli import main
from rescore_music.cues import Cues, Hit, Span
from rescore_music.edits import Edit, EditList
from rescore_music.errors import SyncError
from rescore_music.io import read_score
from rescore_music.io.midi.write import midi_bytes
from rescore_music.io.picture import write_edits
from rescore_music.io.spotting import read_cues, write_cues
from rescore_music.resources import samples_dir
from rescore_music.score import Part, Score, note_rows
from rescore_music.syncing import conform, sync
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate

TPQ, BAR = 480, 1920
RATE = FrameRate.parse(24)
HOUR = 86400  # 01:00:00:00 at 24
SHOTS = [(name, 1000 * i, 1000 * i + 120) for i, name in enumerate("ABCDEFGHIJKL")]  # five seconds each


def music(quarters=120):
    """One minute of eighths at 120 a minute: a beat is 12 frames, a bar two seconds."""
    rows = [(i * TPQ // 2, TPQ // 2, 60 + i % 12, 80, 0) for i in range(2 * quarters)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(120, TPQ))


def cut(shots, at=HOUR, rate=RATE):
    edits = []
    for name, first, end in shots:
        edits.append(Edit(at, at + end - first, first, end, name))
        at += end - first
    return EditList("", rate, tuple(edits))


def hits(*seconds, kind="hard", **more):
    return [Hit(HOUR + round(24 * s), f"at {s:g}", kind=kind, **more) for s in seconds]


def spotted(found):
    return Cues.from_hits(found, 24, "01:00:00:00")


def change(k, start=0, end=0):
    shots = list(SHOTS)
    name, first, last = shots[k]
    shots[k] = (name, first - start, last + end)
    return cut(shots)


OLD = cut(SHOTS)
CUES = spotted(hits(6, 16, 26, 40, 52))
PLACES = [12, 32, 52, 80, 104]  # their quarters


def heard(score):
    """Note-ons as (seconds, key), by mido, which knows nothing of us."""
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    at, out = 0.0, []
    for message in file:
        at += message.time
        if message.type == "note_on" and message.velocity:
            out.append((at, message.note))
    return out


def test_the_same_cut_changes_nothing():
    score = music()
    done = conform(score, CUES, OLD, OLD)
    assert done.score.tempo == score.tempo
    assert np.array_equal(done.score.notes, score.notes)
    assert (done.changes, done.touched, done.skipped) == ((), (), ())
    assert all(h.landed for h in done.hits)


def test_a_quarter_of_a_second_more_is_tempo_between_the_two_hits():
    # shot C is at 10 to 15 s, between the hits at 6 and 16 s: ten seconds become ten and a quarter
    score = music()
    done = conform(score, CUES, OLD, change(2, end=6))
    assert np.array_equal(done.score.notes, score.notes)  # in ticks nothing moves
    assert [h.tick for h in done.hits] == [q * TPQ for q in PLACES]
    assert [h.target_s for h in done.hits] == [6, 16.25, 26.25, 40.25, 52.25]
    ticks = np.arange(0, 12 * TPQ + 1)
    assert np.array_equal(done.score.seconds(ticks), score.seconds(ticks))
    later = np.arange(32 * TPQ, 120 * TPQ)
    assert np.abs(done.score.seconds(later) - score.seconds(later) - 0.25).max() < 2e-7
    (touched,) = done.touched
    assert (touched.start, touched.end, touched.edit[2]) == (12 * TPQ, 32 * TPQ, 0)
    # the curve leaves and meets 120 a minute: its mean is 2.5 % slower, its middle up to half as much again
    assert 2.5 < touched.deviation_percent < 4.0
    assert touched.step_percent < 1.0


def test_two_bars_less_picture_is_two_bars_less_music():
    # shots of four seconds: C goes, two bars go, and no tempo changes at all
    shots = [(name, first, first + 96) for name, first, _ in SHOTS]
    cues = spotted(hits(4, 14, 24))
    done = conform(music(), cues, cut(shots), cut(shots[:2] + shots[3:]))
    assert done.score.tempo.us.tolist() == [500_000]
    assert done.score.length == 120 * TPQ - 2 * BAR
    assert [h.target_s for h in done.hits] == [4, 10, 20]
    assert [h.tick for h in done.hits] == [8 * TPQ, 20 * TPQ, 40 * TPQ]
    assert all(abs(h.residual_frames) < 1e-9 for h in done.hits)
    (first, _), (second, _) = done.spans
    assert first == 0
    assert done.spans[0][1] % BAR == 0
    assert second - done.spans[0][1] == 2 * BAR
    (row,) = done.changes
    assert row.music.startswith("bars ")
    assert row.music.endswith("taken out, the tempo stays")


def test_a_shot_of_one_bar_put_in_is_a_bar_played_again():
    done = conform(music(), CUES, OLD, cut([*SHOTS[:2], ("X", 0, 48), *SHOTS[2:]]))
    assert done.score.tempo.us.tolist() == [500_000]
    assert [h.target_s for h in done.hits] == [6, 18, 28, 42, 54]
    assert [h.tick for h in done.hits] == [(q + 4 * (q > 12)) * TPQ for q in PLACES]
    assert len(done.score.notes) == 248


def test_a_hit_whose_shot_is_gone_is_told():
    done = conform(music(), CUES, OLD, cut(SHOTS[:5] + SHOTS[6:]))  # F, 25 to 30 s, held the hit at 26
    assert [h.label for h in done.hits] == ["at 6", "at 16", "at 40", "at 52"]
    assert [(s.label, s.reason) for s in done.skipped] == [("at 26", "no longer in the picture")]
    assert [h.target_s for h in done.hits] == [6, 16, 35, 47]
    assert all(h.landed for h in done.hits)


def test_swapped_shots_take_their_hits_with_them():
    # B (5 to 10 s, the hit at 6) and C change places: the hit falls at 11 s, on beat 3 of bar 6, and nothing is bent
    done = conform(music(), CUES, OLD, cut([SHOTS[0], SHOTS[2], SHOTS[1], *SHOTS[3:]]))
    assert done.score.tempo.us.tolist() == [500_000]
    assert next((h.label, h.target_s, h.bar, h.beat) for h in done.hits) == ("at 6", 11.0, 6, 3.0)
    assert [c.kind for c in done.changes] == ["moved"]
    assert done.changes[0].music == "the tempo stays, 'at 6' falls on bar 6 beat 3 of the result"


def test_music_grows_to_reach_a_hard_hit_that_came_behind_its_end():
    # L (55 to 60 s) is ten seconds long now; the hit at 54 s goes with K behind it, to 64 s:
    # the music ends a beat later
    cues = spotted(hits(6, 16, 54))
    shots = [*SHOTS[:10], ("L", 11000, 11240), SHOTS[10]]
    done = conform(music(), cues, OLD, cut(shots))
    assert [(h.label, h.target_s, h.landed) for h in done.hits][-1] == ("at 54", 64.0, True)
    assert done.skipped == ()
    assert float(done.score.seconds(done.score.ends.max())) >= 64.4


def test_a_hit_that_came_before_the_start_takes_the_start_with_it():
    # B is four seconds now and was put before A, where the cue began: the cue begins with it, and has four seconds more
    shots = [("B", 1000, 1096), ("A", 0, 120), *SHOTS[2:]]
    old = [("A", 0, 120), ("B", 1000, 1096), *SHOTS[2:]]
    done = conform(music(), spotted(hits(6, 16, 26)), cut(old), cut(shots))
    assert str(done.cues.start) == "01:00:00:00"
    assert [(h.label, h.target_s, h.landed) for h in done.hits] == [
        ("at 6", 1.0, True),
        ("at 16", 16.0, True),
        ("at 26", 26.0, True),
    ]


def test_what_happens_before_the_cue_moves_only_its_start():
    cues = Cues.from_hits(hits(16, 26), 24, "01:00:10:00")
    done = conform(music(), cues, OLD, change(0, end=30))
    assert done.score.tempo == music().tempo
    assert str(done.cues.start) == "01:00:11:06"
    assert done.touched == ()
    assert done.changes[0].music == "none here: the cue starts later"


def test_a_change_that_cancels_itself_out_between_two_hits_leaves_the_music_alone():
    shots = list(SHOTS)
    shots[1], shots[2] = ("B", 1000, 1125), ("C", 2005, 2120)  # a roll of five frames, between 6 and 16 s
    done = conform(music(), CUES, OLD, cut(shots))
    assert done.score.tempo == music().tempo
    assert {c.music for c in done.changes} == {"stays as it is"}


def test_a_soft_hit_beside_a_hard_change_gives_way_a_little_rather_than_bend_everything():
    # 9 frames more in the second before a soft hit: between 14 and 15 s alone that is a third of the tempo
    cues = spotted([*hits(6), *hits(14, 15, kind="soft", tolerance=2), *hits(26, 40)])
    done = conform(music(), cues, OLD, change(2, start=0, end=0))
    assert done.touched == ()
    shots = list(SHOTS)
    shots[2:3] = [("C", 2000, 2106), ("X", 0, 9), ("C", 2106, 2120)]
    done = conform(music(), cues, OLD, cut(shots))
    (touched,) = done.touched
    assert (touched.start, touched.end) == (12 * TPQ, 52 * TPQ)
    assert touched.deviation_percent < 10
    assert [h.target_s for h in done.hits if h.kind == "hard"] == [6, 26.375, 40.375]
    assert all(h.landed for h in done.hits if h.kind == "hard")


def test_bars_are_cut_at_phrases():
    score = read_score(samples_dir() / "hero_theme.mid")
    analysis = analyze(score)
    starts = {p.start for p in analysis.phrases} | {score.length}
    shots = [(name, first, first + 480) for name, first, _ in SHOTS]
    done = conform(
        score, spotted(hits(0, 60, kind="soft", tolerance=30)), cut(shots), cut(shots[1:]), analysis=analysis
    )
    seams = [(a[1], b[0]) for a, b in zip(done.spans, done.spans[1:], strict=False)]
    assert len(seams) == 1
    assert set(seams[0]) <= starts


def test_markers_by_name_say_where_music_is_wanted():
    new = spotted([Hit(HOUR + f, f"at {s:g}") for s, f in ((6, 144), (16, 396), (26, 636), (40, 972), (52, 1260))])
    done = conform(music(), CUES, CUES, new)
    assert [h.target_s for h in done.hits] == [6, 16.5, 26.5, 40.5, 52.5]
    assert [(c.kind, c.frames) for c in done.changes] == [("lengthened", 12)]
    assert all(h.landed for h in done.hits)


def test_a_hit_that_only_the_new_list_has_is_met_too():
    new = spotted([*hits(6, 16, 26, 40, 52), Hit(HOUR + 24 * 33 + 5, "knock")])
    done = conform(music(), CUES, CUES, new)
    knock = next(h for h in done.hits if h.label == "knock")
    assert knock.landed
    assert abs(knock.residual_frames) < 1e-4
    assert [(t.start, t.end) for t in done.touched] == [(52 * TPQ, 80 * TPQ)]


def test_more_picture_than_there_is_music_for_is_a_vamp_and_told():
    done = conform(music(), CUES, OLD, cut([*SHOTS[:2], ("X", 0, 14400), *SHOTS[2:]]))  # ten minutes
    assert all(h.landed for h in done.hits)
    assert "which asks for new music" in done.changes[0].music


def test_hits_a_frame_apart_still_land():
    shots = [("A", 0, 120), ("B", 1000, 1025), ("D", 3023, 3120), *SHOTS[4:]]  # from the hit at 6 s to the one at 16 s
    done = conform(music(), CUES, OLD, cut(shots))
    assert [h.landed for h in done.hits] == [True] * 5
    assert done.hits[1].target_s - done.hits[0].target_s == pytest.approx(1 / 12)


def test_nothing_in_common_leaves_no_hit_and_says_so():
    done = conform(music(), CUES, OLD, cut([("Z", 0, 100)]))
    assert done.hits == ()
    assert [s.reason for s in done.skipped] == ["no longer in the picture"] * 5


def test_dialogue_moves_with_its_picture():
    cues = Cues(RATE, CUES.start, CUES.hits, (Span(HOUR + 250, HOUR + 300), Span(HOUR + 500, HOUR + 550)))
    done = conform(music(), cues, OLD, cut(SHOTS[:2] + SHOTS[3:]))
    assert [(s.start - HOUR, s.end - HOUR) for s in done.cues.spans] == [(380, 430)]


def test_what_cannot_be_is_refused_in_one_line():
    with pytest.raises(SyncError, match="hits are at 25"):
        conform(music(), Cues.from_hits([], 25), OLD, OLD)
    with pytest.raises(SyncError, match="no notes"):
        conform(Score(), CUES, OLD, OLD)


def test_the_report_reads_as_text_table_and_json():
    done = conform(music(), CUES, OLD, cut([*SHOTS[:2], ("=X", 0, 48), *SHOTS[2:6], *SHOTS[7:]]))
    text = done.to_text()
    assert "=X: inserted, +48 frames" in text
    assert "01:00:10:00 -> 01:00:10:00 - 01:00:12:00" in text
    assert "between 'at 6' and 'at 16', bars 4-8 -> 4-9" in text
    assert "G: removed, -120 frames" in text
    assert "5 of 5 hits land" in text
    rows = list(csv.DictReader(io.StringIO(done.to_csv())))
    # a spreadsheet takes no name for a formula
    assert [(r["kind"], r["what"], r["frames"]) for r in rows] == [("inserted", "'=X", "48"), ("removed", "G", "-120")]
    told = json.loads(done.to_json())
    assert [c["kind"] for c in told["changes"]] == ["inserted", "removed"]
    assert len(told["hits"]) == 5


KIND = st.tuples(st.sampled_from(["longer", "shorter", "out", "in", "swap"]), st.integers(0, 10), st.integers(1, 110))


@settings(max_examples=12, deadline=None)
@given(st.lists(KIND, min_size=1, max_size=2), st.sampled_from([(6, 16, 26, 40, 52), (3, 9.5, 12, 21, 33.5, 47, 58)]))
def test_whatever_the_change_hits_land_and_the_rest_keeps_still(edits, where):
    shots = list(SHOTS)
    for kind, k, frames in edits:
        k = min(k, len(shots) - 2)
        name, first, end = shots[k]
        if kind == "longer":
            shots[k] = (name, first, end + frames)
        elif kind == "shorter":
            shots[k] = (name, first, max(end - frames, first + 1))
        elif kind == "out":
            del shots[k]
        elif kind == "in":
            shots.insert(k, (f"N{frames}", 0, frames))
        else:
            shots[k], shots[k + 1] = shots[k + 1], shots[k]
    old, new = music(), cut(shots)
    shown = {(name, f): t for name, first, end, at in placed(new) for t, f in enumerate(range(first, end), at)}
    frames = [(name, f) for name, first, end, _ in placed(OLD) for f in range(first, end)]
    done = conform(old, spotted(hits(*where)), OLD, new)
    for second in where:
        image = shown.get(frames[round(second * 24)])
        if image is not None:
            hit = next(h for h in done.hits if h.label == f"at {second:g}")
            assert hit.landed
            wanted = image - (done.cues.start.frame - HOUR)  # what came in before its first frame delays the cue
            assert hit.target_s * 24 == pytest.approx(wanted, abs=1e-6)
            assert float(done.score.seconds(hit.tick)) * 24 == pytest.approx(wanted, abs=1e-4)
    # what no stretch touches lies where it lay, but for one offset: by mido, between neighbouring stretches
    a, b = heard(old), heard(done.score)
    edges = [0.0, *(float(old.seconds(t.start)) for t in done.touched)]
    for stretch, until in zip((None, *done.touched), (*edges[1:], 1e9), strict=True):
        start = 0 if stretch is None else stretch.end
        now = 0 if stretch is None else stretch.new_end
        shift = float(done.score.seconds(now) - old.seconds(start))
        low = float(old.seconds(start))
        was = [(t, key) for t, key in a if low - 1e-6 <= t < until - 1e-6]
        got = [(t - shift, key) for t, key in b if low - 1e-6 <= t - shift < until - 1e-6]
        assert [key for _, key in was] == [key for _, key in got]
        assert np.allclose([t for t, _ in was], [t for t, _ in got], rtol=0, atol=1e-6)


def placed(edits):
    return [(e.reel, e.source_start, e.source_end, e.record_start - HOUR) for e in edits.edits]


def test_a_synced_cue_of_real_music(tmp_path):
    score = read_score(samples_dir() / "chase.mid")
    cues = read_cues(samples_dir() / "chase_hits.csv", "24")
    synced = sync(score, cues)
    shots = [(f"S{i:02d}", 0, length) for i, length in enumerate((100, 49, 300, 120, 200, 253, 130, 178, 116, 104))]
    new = [*shots[:3], ("S03", 0, 131), *shots[4:6], *shots[7:]]
    done = conform(synced, cues, cut(shots, at=0), cut(new, at=0), analysis=analyze(score))
    assert [c.kind for c in done.changes] == ["lengthened", "removed"]
    assert all(h.landed for h in done.hits if h.kind == "hard")
    assert max(abs(h.residual_frames) for h in done.hits if h.kind == "hard") < 0.5
    assert len(done.touched) == 2


def test_the_command_writes_music_report_and_hits(tmp_path, capsys):
    write_cues(CUES, tmp_path / "hits.csv")
    write_edits(OLD, tmp_path / "old.edl")
    write_edits(cut([*SHOTS[:2], ("X", 0, 48), *SHOTS[2:]]), tmp_path / "new.edl")
    (tmp_path / "cue.mid").write_bytes(midi_bytes(music()))
    words = ["conform", "cue.mid", "--cues", "hits.csv", "--rate", "24", "--start", "01:00:00:00", "--old", "old.edl"]
    words += ["--new", "new.edl", "-o", "out.mid", "--new-cues", "new.csv"]
    paths = [str(tmp_path / w) if "." in w and not w.startswith("-") else w for w in words]
    for report, extra in (("change.txt", []), ("change.csv", []), ("change.json", ["--json"])):
        with pytest.raises(SystemExit) as stopped:
            main([*paths, "--report", str(tmp_path / report), *extra])
        assert stopped.value.code == 0
    told = json.loads(capsys.readouterr().out.split("hits land\n")[-1])
    assert [h["landed"] for h in told["hits"]] == [True] * 5
    assert "X: inserted" in (tmp_path / "change.txt").read_text()
    assert len((tmp_path / "change.csv").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "change.json").read_text()) == told
    again = read_cues(tmp_path / "new.csv", "24", "01:00:00:00")
    assert [h.frame - HOUR for h in again.hits] == [144, 432, 672, 1008, 1296]
    written = read_score(tmp_path / "out.mid")
    assert float(written.seconds(told["hits"][1]["tick"])) == pytest.approx(18, abs=1e-6)
