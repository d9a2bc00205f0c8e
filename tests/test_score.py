"""The score value: order, identity, slices, merges, bars, transposition, and how notes sound."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.errors import ScoreError
from rescore_music.score import (
    BEND,
    CONTROL,
    KEY,
    METER,
    PROGRAM,
    Articulation,
    LogItem,
    Mark,
    Marker,
    Metadata,
    Part,
    RawEvent,
    Rows,
    Score,
    note_rows,
)
from rescore_music.tempo import TempoMap

QUARTER = 480
COLUMNS = ("notes", "controls", "bends", "programs", "meters", "keys")


def phrase(**changes: Any) -> Score:
    """Eight quarters of C major over a bass, in two parts, with everything a score can hold."""
    melody = [(i * QUARTER, QUARTER, pitch, 80, 0) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
    bass = [(0, 4 * QUARTER, 48, 70, 1), (4 * QUARTER, 4 * QUARTER, 43, 70, 1)]
    values: dict[str, Any] = {
        "notes": note_rows(melody + bass),
        "parts": (Part("Violin", program=40), Part("Cello", program=42, channel=1)),
        "tempo": TempoMap(np.array([0, 4 * QUARTER]), np.array([5e5, 6e5]), np.array([6e5, 6e5])),
        "meters": np.array([(0, 4, 4)], METER),
        "keys": np.array([(0, 0, 0), (4 * QUARTER, 1, 0)], KEY),
        "controls": np.array([(0, 0, 7, 100), (QUARTER, 0, 7, 90), (0, 1, 7, 64)], CONTROL),
        "bends": np.array([(QUARTER, 0, 512)], BEND),
        "programs": np.array([(0, 0, 40, 0), (0, 1, 42, 0)], PROGRAM),
        "marks": (Mark(0, "dynamic", "mf", 0), Mark(2 * QUARTER, "slur", "", 1, end=6 * QUARTER)),
        "markers": (Marker(4 * QUARTER, "B"),),
        "raw": (RawEvent(0, b"\xf0\x7e\x7f\x09\x01\xf7"),),
    }
    return Score(**(values | changes))


@st.composite
def scores(draw: st.DrawFn) -> Score:
    parts = draw(st.integers(1, 4))
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 4000), st.integers(0, 2000), st.integers(24, 96), st.integers(1, 127), st.integers(0, 3)
            ),
            max_size=40,
        )
    )
    notes = note_rows((a, b, c, d, e % parts) for a, b, c, d, e in rows)
    resolution = draw(st.sampled_from([24, 96, 480]))
    names = tuple(Part(f"{i}", percussion=draw(st.booleans())) for i in range(parts))
    return Score(notes, names, TempoMap.constant(draw(st.integers(40, 200)), resolution), resolution)


def as_tuples(rows: Rows) -> list[tuple[Any, ...]]:
    return sorted(rows.tolist())


# -- order and identity --------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(scores(), st.randoms(use_true_random=False))
def test_notes_stand_by_onset_part_and_pitch_however_they_came(score: Score, random: Any) -> None:
    order = list(range(len(score.notes)))
    random.shuffle(order)
    shuffled = score.replace(notes=score.notes[order])
    keys = [(n["onset"], n["part"], n["pitch"]) for n in shuffled.notes]
    assert keys == sorted(keys)
    assert as_tuples(shuffled.notes) == as_tuples(score.notes)


def test_messages_at_one_tick_keep_their_order() -> None:
    # a registered parameter is three messages whose order is their meaning
    rpn = [(0, 0, 101, 0), (0, 0, 100, 0), (0, 0, 6, 12)]
    score = phrase(controls=np.array([(QUARTER, 0, 7, 1), *rpn], CONTROL))
    assert score.controls[:3].tolist() == rpn


def test_columns_are_read_only_and_stay_so_in_another_process() -> None:
    score = phrase()
    copy = pickle.loads(pickle.dumps(score))
    assert copy == score
    assert copy.digest() == score.digest()
    for value in (score, copy):
        for name in (*COLUMNS, "barlines"):
            assert not getattr(value, name).flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            value.notes["pitch"][0] = 1


def test_the_digest_is_the_music_and_not_where_it_came_from() -> None:
    score = phrase()
    assert score.digest() == phrase().digest()
    told = phrase(metadata=Metadata(title="x", source="a.mid"), import_log=(LogItem("track 1", "mended"),))
    assert told.digest() == score.digest()
    assert told != score


@pytest.mark.parametrize("name", [*COLUMNS, "tempo", "parts", "marks", "markers", "raw", "length", "barlines"])
def test_every_musical_change_changes_the_digest(name: str) -> None:
    score = phrase()
    value: Any = getattr(score, name)
    if name in COLUMNS:
        value = value.copy()
        last = value.dtype.names[-1] if name != "notes" else "pitch"
        value[last][0] += 1
    elif name == "tempo":
        value = TempoMap.constant(119)
    elif name == "length":
        value += 1
    elif name == "barlines":
        value = np.array([0, QUARTER, 9 * QUARTER])
    else:
        value = value[:-1] if name != "parts" else (*value, Part("Horn"))
    assert score.replace(**{name: value}).digest() != score.digest()


@pytest.mark.parametrize(
    "notes",
    [[(0, 1, 60, 80, 2)], [(0, 1, 128, 80, 0)], [(0, 1, 60, 128, 0)], [(-1, 1, 60, 80, 0)], [(0, -1, 60, 80, 0)]],
)
def test_impossible_notes_are_refused(notes: list[tuple[int, int, int, int, int]]) -> None:
    with pytest.raises(ScoreError):
        phrase(notes=note_rows(notes))


def test_score_and_tempo_must_agree_on_the_resolution() -> None:
    with pytest.raises(ScoreError, match="ticks per quarter"):
        phrase(ticks_per_quarter=96)


# -- bars ----------------------------------------------------------------------------------------------------------


def test_bars_follow_the_meters() -> None:
    meters = np.array([(0, 4, 4), (8 * QUARTER, 7, 8), (15 * QUARTER, 3, 2)], METER)
    score = Score(note_rows([(0, 21 * QUARTER, 60, 80, 0)]), (Part(),), meters=meters)
    assert (score.bars / QUARTER).tolist() == [0, 4, 8, 11.5, 15, 21]
    assert score.meter_at(12 * QUARTER) == (7, 8)
    assert score.bar_of([0, 4 * QUARTER - 1, 4 * QUARTER, 30 * QUARTER]).tolist() == [0, 0, 1, 4]


def test_a_meter_change_inside_a_bar_starts_a_bar() -> None:
    score = Score(meters=np.array([(0, 4, 4), (6 * QUARTER, 3, 4)], METER), length=9 * QUARTER)
    assert (score.bars / QUARTER).tolist() == [0, 4, 6, 9]


def test_a_pickup_is_a_short_first_bar() -> None:
    score = phrase(barlines=np.array([0, 1, 5, 9]) * QUARTER)
    assert score.bar_of(np.array([0, 1, 4, 5]) * QUARTER).tolist() == [0, 1, 1, 2]


def test_no_meter_is_four_four_and_no_music_is_one_bar() -> None:
    assert Score().bars.tolist() == [0, 4 * QUARTER]
    assert Score().meter_at(0) == (4, 4)


@pytest.mark.parametrize(
    ("meter", "quarters"), [((4, 4), 1), ((2, 2), 2), ((6, 8), 1.5), ((12, 8), 1.5), ((3, 8), 0.5), ((5, 8), 0.5)]
)
def test_the_beat_of_a_compound_meter_is_dotted(meter: tuple[int, int], quarters: float) -> None:
    score = Score(meters=np.array([(0, *meter)], METER))
    assert score.beat_ticks(0) == quarters * QUARTER


# -- transposition, slices, merges ---------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(scores(), st.integers(-24, 24))
def test_transposing_moves_pitches_only_and_not_drums(score: Score, semitones: int) -> None:
    moved = score.transposed(semitones)
    expected = score.notes["pitch"].astype(int) + np.where(score.pitched, semitones, 0)
    # sorting by pitch inside a part and onset is kept by a common shift
    assert moved.notes["pitch"].tolist() == expected.tolist()
    for name in ("onset", "duration", "velocity", "part"):
        assert np.array_equal(moved.notes[name], score.notes[name])
    assert moved.transposed(-semitones).notes["pitch"].tolist() == score.notes["pitch"].tolist()


def test_a_fifth_up_adds_a_sharp_and_an_octave_none() -> None:
    assert phrase().transposed(7).keys["fifths"].tolist() == [1, 2]
    assert phrase().transposed(12).keys["fifths"].tolist() == [0, 1]
    flat = phrase(keys=np.array([(0, 6, 0)], KEY))
    assert flat.transposed(0).keys["fifths"].tolist() == [6]
    assert all(-7 <= f <= 7 for n in range(-12, 13) for f in flat.transposed(n).keys["fifths"])


def test_leaving_the_midi_range_is_refused() -> None:
    with pytest.raises(ScoreError, match="0 to 127"):
        phrase().transposed(60)


@settings(max_examples=60, deadline=None)
@given(scores(), st.integers(0, 3000), st.integers(1, 3000))
def test_a_slice_holds_the_notes_that_begin_in_it(score: Score, start: int, length: int) -> None:
    end = start + length
    cut = score.slice(start, end)
    inside = score.notes[(score.notes["onset"] >= start) & (score.notes["onset"] < end)]
    assert (cut.notes["onset"] + start).tolist() == inside["onset"].tolist()
    assert cut.notes["pitch"].tolist() == inside["pitch"].tolist()
    assert np.array_equal(cut.ends + start, np.minimum(inside["onset"] + inside["duration"], end))
    assert cut.length == length
    assert cut.duration == pytest.approx(float(score.seconds(end) - score.seconds(start)))


def test_a_slice_starts_with_what_was_in_force() -> None:
    cut = phrase().slice(4 * QUARTER, 8 * QUARTER)
    assert as_tuples(cut.controls) == [(0, 0, 7, 90), (0, 1, 7, 64)]
    assert cut.bends.tolist() == [(0, 0, 512)]
    assert as_tuples(cut.programs) == [(0, 0, 40, 0), (0, 1, 42, 0)]
    assert cut.keys.tolist() == [(0, 1, 0)]
    assert cut.meters.tolist() == [(0, 4, 4)]
    assert cut.markers == (Marker(0, "B"),)
    assert cut.tempo.us.tolist() == [6e5]


def test_a_slice_of_one_part_renumbers_it() -> None:
    cut = phrase().slice(0, 8 * QUARTER, parts=[1])
    assert [p.name for p in cut.parts] == ["Cello"]
    assert cut.notes["pitch"].tolist() == [48, 43]
    assert set(cut.notes["part"].tolist()) == {0}
    assert cut.controls.tolist() == [(0, 0, 7, 64)]
    assert [m.kind for m in cut.marks] == ["slur"]
    assert cut.marks[0].part == 0


def test_slicing_in_two_and_counting_loses_no_note() -> None:
    score = phrase()
    halves = [score.slice(0, 4 * QUARTER), score.slice(4 * QUARTER, 8 * QUARTER)]
    assert sum(len(h.notes) for h in halves) == len(score.notes)
    assert sum(h.duration for h in halves) == pytest.approx(score.duration)


@settings(max_examples=40, deadline=None)
@given(scores(), st.integers(1, 5))
def test_rescaling_changes_no_time(score: Score, factor: int) -> None:
    finer = score.rescaled(score.ticks_per_quarter * factor)
    assert np.allclose(finer.seconds(finer.notes["onset"]), score.seconds(score.notes["onset"]))
    assert np.allclose(finer.seconds(finer.ends), score.seconds(score.ends))
    assert finer.duration == pytest.approx(score.duration)


def test_rescaling_moves_everything_that_has_a_place() -> None:
    twice = phrase(barlines=np.array([0, 4, 8]) * QUARTER).rescaled(2 * QUARTER)
    assert twice.bars.tolist() == [0, 8 * QUARTER, 16 * QUARTER]
    assert twice.markers[0].tick == 8 * QUARTER
    assert (twice.marks[1].tick, twice.marks[1].end) == (4 * QUARTER, 12 * QUARTER)
    assert twice.marks[0].end == -1
    assert twice.controls["tick"].tolist() == [0, 0, 2 * QUARTER]
    with pytest.raises(ScoreError, match="multiple"):
        phrase().rescaled(500)


@settings(max_examples=40, deadline=None)
@given(scores(), scores())
def test_merging_keeps_all_notes_of_all_parts(one: Score, two: Score) -> None:
    both = one.merged(two)
    assert len(both.parts) == len(one.parts) + len(two.parts)
    factor_one = both.ticks_per_quarter // one.ticks_per_quarter
    factor_two = both.ticks_per_quarter // two.ticks_per_quarter
    below = both.notes["part"] >= len(one.parts)
    assert (both.notes["onset"][~below]).tolist() == (one.notes["onset"] * factor_one).tolist()
    assert (both.notes["onset"][below]).tolist() == (two.notes["onset"] * factor_two).tolist()
    assert both.tempo.seconds(both.ticks_per_quarter) == pytest.approx(float(one.seconds(one.ticks_per_quarter)))


def test_merging_moves_marks_and_controls_to_their_part() -> None:
    both = phrase().merged(phrase())
    assert sorted(m.part for m in both.marks) == [0, 1, 2, 3]
    assert sorted(both.controls["part"].tolist()) == [0, 0, 1, 2, 2, 3]
    assert len(both.raw) == 1


# -- how notes sound -----------------------------------------------------------------------------------------------


def with_flags(rows: list[tuple[int, int, int, int, int]], *flags: int) -> Rows:
    notes = note_rows(rows)
    notes["articulation"] = flags
    return notes


def test_staccato_sounds_half_and_staccatissimo_a_quarter() -> None:
    rows = [(i * QUARTER, QUARTER, 60, 80, 0) for i in range(4)]
    flags = (0, Articulation.STACCATO, Articulation.STACCATISSIMO, Articulation.STACCATO | Articulation.STACCATISSIMO)
    score = Score(with_flags(rows, *flags), (Part(),))
    assert score.sounding()["duration"].tolist() == [480, 240, 120, 120]
    assert score.notes["duration"].tolist() == [480] * 4


def test_a_short_note_never_vanishes_and_an_empty_one_stays_empty() -> None:
    score = Score(with_flags([(0, 1, 60, 80, 0), (5, 0, 60, 80, 0)], *[Articulation.STACCATISSIMO] * 2), (Part(),))
    assert score.sounding()["duration"].tolist() == [1, 0]


def test_grace_notes_stand_before_the_beat_in_their_order() -> None:
    grace = int(Articulation.ACCIACCATURA)
    rows = [(0, 480, 60, 80, 0), (480, 0, 62, 80, 0), (480, 0, 64, 80, 0), (480, 480, 65, 80, 0)]
    sounding = Score(with_flags(rows, 0, grace, grace, 0), (Part(),)).sounding()
    assert sounding["onset"].tolist() == [0, 360, 420, 480]
    assert sounding["duration"].tolist() == [480, 60, 60, 480]


def test_grace_notes_share_the_room_before_the_beat() -> None:
    grace = int(Articulation.APPOGGIATURA)
    rows = [(0, 60, 60, 80, 0), *[(60, 0, 62 + i, 80, 0) for i in range(3)], (60, 60, 70, 80, 0)]
    sounding = Score(with_flags(rows, 0, grace, grace, grace, 0), (Part(),)).sounding()
    assert sounding["onset"].tolist() == [0, 30, 40, 50, 60]
    at_start = Score(with_flags([(0, 0, 62, 80, 0), (0, 480, 64, 80, 0)], grace, 0), (Part(),)).sounding()
    assert at_start["onset"].tolist() == [0, 0]
    assert at_start["duration"][0] == 1


def test_another_part_leaves_a_grace_note_its_room() -> None:
    grace = int(Articulation.ACCIACCATURA)
    rows = [(0, 480, 60, 80, 0), (470, 480, 40, 80, 1), (480, 0, 62, 80, 0), (480, 480, 65, 80, 0)]
    sounding = Score(with_flags(rows, 0, 0, grace, 0), (Part(), Part())).sounding()
    assert sounding["onset"][sounding["pitch"] == 62].tolist() == [420]


def test_a_score_full_of_grace_notes_sounds_in_milliseconds() -> None:
    rows = [(i // 2 * 60, 0 if i % 2 == 0 else 60, 60 + i % 2, 80, i % 7) for i in range(20_000)]
    flags = [int(Articulation.ACCIACCATURA) if i % 2 == 0 else 0 for i in range(20_000)]
    score = Score(with_flags(rows, *flags), (Part(),) * 7)
    start = time.process_time()
    sounding = score.sounding()
    assert time.process_time() - start < 0.2
    assert np.all(sounding["duration"] > 0)
    assert np.all(sounding["onset"] <= score.notes["onset"])
