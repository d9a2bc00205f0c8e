"""Rehearsal marks, hits and timecode: where the music says they are."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

import rescore_music as rm
from rescore_music.cues import Cues, Hit
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.resources import samples_dir
from rescore_music.score import Mark, Marker, Part, Score, note_rows
from rescore_music.tempo import TempoMap
from rescore_music.timecode import FrameRate, Timecode
from rescore_music.view.annotations import with_hits, with_rehearsal_marks

Q = 480
BAR = 4 * Q


def piece(bars: int, **more: object) -> Score:
    rows = [(i * Q, Q, 60 + i % 5, 80, 0) for i in range(4 * bars)]
    return Score(note_rows(rows), (Part("Flute"),), **more)


def rehearsals(score: Score) -> list[tuple[int, str]]:
    return [(m.tick // BAR, m.text) for m in score.marks if m.kind == "rehearsal"]


def test_letters_stand_at_markers_on_bar_lines_and_never_too_near():
    markers = tuple(Marker(b * BAR + 3, f"m{b}") for b in (0, 8, 9, 16, 24))
    assert rehearsals(with_rehearsal_marks(piece(32, markers=markers))) == [(8, "A"), (16, "B"), (24, "C")]
    assert rehearsals(with_rehearsal_marks(piece(32, markers=markers), style="bars"))[0] == (8, "9")


def test_after_z_come_double_letters():
    markers = tuple(Marker(4 * b * BAR, str(b)) for b in range(1, 30))
    texts = [text for _, text in rehearsals(with_rehearsal_marks(piece(120, markers=markers)))]
    assert texts[:2] == ["A", "B"]
    assert texts[25:28] == ["Z", "AA", "BB"]


def test_a_score_with_rehearsal_marks_keeps_its_own():
    score = piece(16, marks=(Mark(4 * BAR, "rehearsal", "Tutti"),))
    assert with_rehearsal_marks(score) is score
    with pytest.raises(rm.RescoreError, match="letters or bars"):
        with_rehearsal_marks(score, style="roman")


def test_sections_of_a_real_cue_get_letters_at_phrases():
    score = rm.read_score(samples_dir() / "hero_theme.mid")
    analysis = rm.analyze(score)
    marked = with_rehearsal_marks(score, analysis)
    found = rehearsals(marked)
    assert found
    seams = [s.start for s in (*analysis.sections, *analysis.phrases)]
    bars = [int(score.bar_of(m.tick)) for m in marked.marks if m.kind == "rehearsal"]
    assert all(min(abs(int(score.bars[bar]) - seam) for seam in seams) < BAR for bar in bars)
    assert all(b - a >= 4 for a, b in pairwise([0, *bars]))
    assert marked.notes.tobytes() == score.notes.tobytes()


def texts(score: Score) -> dict[int, str]:
    return {m.tick: m.text for m in score.marks if m.kind == "text"}


def test_a_hit_in_frames_stands_where_the_music_is_at_that_frame():
    rate = FrameRate.parse("24")
    start = Timecode.parse("01:00:00:00", rate)
    score = piece(8, tempo=TempoMap.constant(120.0, Q))  # a quarter is half a second: 12 frames
    cues = Cues(rate, start, (Hit(start.frame + 24, "door"), Hit(start.frame + 96, "")))
    marked = with_hits(score, cues, every=2)
    found = texts(marked)
    assert found[2 * Q] == "HIT 1: door 01:00:01:00"
    assert found[8 * Q] == "HIT 2: 01:00:04:00"
    assert found[0] == "01:00:00:00"
    assert found[4 * BAR] == "01:00:08:00"
    assert 2 * BAR in found  # where a hit stands, no second timecode
    assert len([t for t in marked.marks if t.tick == 2 * BAR]) == 1


def test_hits_in_frames_need_a_rate():
    with pytest.raises(rm.RescoreError, match="need a frame rate"):
        with_hits(piece(2), [Hit(24, "door")])


def test_synced_hits_are_written_over_the_system(synced):
    assert synced.cues is not None
    marked = with_hits(synced.score, synced.synced, rate=synced.cues.rate, start=synced.cues.start)
    text = musicxml_bytes(marked).decode()
    words = re.findall(r'<words enclosure="rectangle">(HIT \d+: [^<]*)</words>', text)
    assert len(words) == len(synced.synced.hits)
    assert all(re.search(r"\d\d:\d\d:\d\d[:;]\d\d$", w) for w in words)
    first_part = text.split("</part>")[0]
    assert all(w in first_part for w in words)


def test_numbers_join_the_words_of_a_new_tempo_and_leave_gradual_ones_alone():
    tempo = TempoMap.from_events([(0, 5e5), (4 * BAR, 4e5), (8 * BAR, 6e5)], Q)
    marks = (Mark(4 * BAR, "tempo", "Più mosso"), Mark(8 * BAR, "tempo", "rit."))
    text = musicxml_bytes(piece(12, tempo=tempo, marks=marks)).decode()
    assert re.findall(r"<per-minute>(\d+)", text) == ["120", "150"]
    assert re.search(r"Più mosso</words></direction-type><direction-type><metronome", text)


def test_the_delivered_score_has_its_hits_and_rehearsal_marks(synced, tmp_path):
    from rescore_music.delivery import delivering

    with delivering(tmp_path) as deliver:
        deliver(synced)
    back = rm.read_score(tmp_path / "score.musicxml")
    words = [m.text for m in back.marks if m.kind == "text"]
    assert sum(w.startswith("HIT ") for w in words) == len(synced.synced.hits)
    assert any(m.kind == "rehearsal" for m in back.marks)
    assert not any(m.text.startswith("HIT") for m in synced.score.marks)
