"""Writing MIDI: what is written reads back equal, here and in two independent readers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from midi_files import SCALE, SEEDS, meta, midi, sysex, track

from rescore_music.errors import ReadError, RescoreError, WriteError
from rescore_music.io import read_score
from rescore_music.io.midi.channels import assign_channels
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes, write_midi
from rescore_music.score import (
    BEND,
    CONTROL,
    KEY,
    METER,
    PROGRAM,
    Articulation,
    Mark,
    Marker,
    Metadata,
    Part,
    RawEvent,
    Score,
    note_rows,
)
from rescore_music.tempo import STEP_ERROR, TempoMap

QUARTER = 480
MIDI = Metadata(source_format="midi1")


def again(score: Score) -> Score:
    return read_midi(midi_bytes(score))


def rows(score: Score, name: str) -> list[tuple[Any, ...]]:
    return sorted(getattr(score, name).tolist())


def real_files(folder: Path) -> Iterator[tuple[str, Score]]:
    for path in sorted(folder.glob("*/*.mid")):
        try:
            yield path.name, read_midi(path)
        except ReadError:
            continue


# -- round trips ---------------------------------------------------------------------------------------------------


def test_every_real_file_reads_back_equal(shared_data: Path) -> None:
    different: dict[str, list[str]] = {}
    count = 0
    for name, score in real_files(shared_data):
        back = again(score)
        count += 1
        fields = [f for f in ("controls", "bends", "programs", "meters", "keys") if rows(score, f) != rows(back, f)]
        same = ("tempo", "parts", "markers", "marks", "raw", "length")
        fields += [f for f in same if getattr(score, f) != getattr(back, f)]
        if not np.array_equal(score.notes, back.notes):
            fields.append("notes")
        for field in ("title", "rights", "extra"):
            if getattr(score.metadata, field) != getattr(back.metadata, field):
                fields.append(field)
        if any("struck" not in i.what and "length" not in i.what for i in back.import_log):
            fields.append("import_log")
        if fields:
            different[name] = fields
    assert count > 200
    assert different == {}


def messages(file: mido.MidiFile) -> set[tuple[Any, ...]]:
    """What a file says, as mido understands it: notes struck, channel messages, meters, keys, markers."""
    out: set[tuple[Any, ...]] = set()
    kept = {"control_change", "program_change", "pitchwheel", "aftertouch", "polytouch"}
    kept |= {"time_signature", "key_signature", "marker", "cue_marker"}
    for messages in file.tracks:
        tick = 0
        for message in messages:
            tick += message.time
            values = message.dict()
            values.pop("time")
            if message.type == "note_on" and message.velocity:
                out.add((tick, "on", message.channel, message.note, message.velocity))
            elif message.type == "time_signature":
                out.add((tick, "meter", message.numerator, message.denominator))
            elif message.type in kept:
                out.add((tick, *values.items()))
    return out


def tempo_of(file: mido.MidiFile) -> list[tuple[int, int]]:
    steps = {0: 500_000}
    for messages in reversed(file.tracks):
        tick = 0
        for message in messages:
            tick += message.time
            if message.type == "set_tempo":
                steps[tick] = message.tempo
    changes = sorted(steps.items())
    return [c for i, c in enumerate(changes) if i == 0 or c[1] != changes[i - 1][1]]


def test_mido_finds_in_our_file_what_it_finds_in_the_source(shared_data: Path) -> None:
    paths = sorted((shared_data / "game_midi").glob("*.mid"))[::9]
    compared = 0
    for path in paths:
        try:
            source = mido.MidiFile(path, clip=True)
        except (KeyError, OSError, ValueError, mido.KeySignatureError):
            continue
        score = read_midi(path)
        ours = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
        assert ours.ticks_per_beat == source.ticks_per_beat
        missing = messages(source) - messages(ours)
        added = messages(ours) - messages(source)
        assert (path.name, missing, added) == (path.name, set(), set())
        assert tempo_of(ours) == tempo_of(source)
        compared += 1
    assert compared > 12


def test_pretty_midi_hears_our_notes_at_our_seconds(shared_data: Path) -> None:
    import pretty_midi

    for path in sorted((shared_data / "game_midi").glob("*.mid"))[::30]:
        score = read_midi(path)
        heard = pretty_midi.PrettyMIDI(io.BytesIO(midi_bytes(score)))
        ours = score.notes[score.notes["duration"] > 0]
        theirs = [(n.start, n.pitch, n.velocity) for i in heard.instruments for n in i.notes]
        expected = list(zip(score.seconds(ours["onset"]), ours["pitch"], ours["velocity"], strict=True))
        close = np.array(sorted(theirs)) - np.array(sorted(expected), np.float64)
        assert float(np.abs(close[:, 0]).max()) < 1e-6
        assert sorted(n[1] for n in theirs) == sorted(ours["pitch"].tolist())


@st.composite
def scores(draw: st.DrawFn) -> Score:
    parts = draw(st.integers(1, 5))
    row = st.tuples(
        st.integers(0, 3000), st.integers(1, 900), st.integers(36, 84), st.integers(1, 127), st.integers(0, 4)
    )
    notes = [(a, b, c, d, e % parts) for a, b, c, d, e in draw(st.lists(row, min_size=1, max_size=60))]
    tick, part = st.integers(0, 3000), st.integers(0, parts - 1)
    number = st.integers(0, 127).filter(lambda n: n < 120)  # the others end notes
    control = draw(st.lists(st.tuples(tick, part, number, st.integers(0, 127)), max_size=20))
    bend = draw(st.lists(st.tuples(tick, part, st.integers(-8192, 8191)), max_size=10))
    program = draw(st.lists(st.tuples(tick, part, st.integers(0, 127), st.sampled_from([0, 1, 128, 1025])), max_size=6))
    return Score(
        note_rows(notes),
        tuple(Part(f"P{i}", percussion=draw(st.booleans()), program=draw(st.integers(0, 127))) for i in range(parts)),
        controls=np.array(control, CONTROL),
        bends=np.array(bend, BEND),
        programs=np.array(program, PROGRAM),
    )


def strokes(score: Score, places: list[tuple[int, int]]) -> list[tuple[Any, ...]]:
    columns = (score.notes[name].tolist() for name in ("part", "pitch", "onset", "velocity"))
    return sorted((places[part], *rest) for part, *rest in zip(*columns, strict=True))


def ends(score: Score, places: list[tuple[int, int]]) -> list[tuple[Any, ...]]:
    columns = (score.notes["part"].tolist(), score.notes["pitch"].tolist(), score.ends.tolist())
    return sorted((places[part], *rest) for part, *rest in zip(*columns, strict=True))


def on_channels(score: Score, name: str, places: list[tuple[int, int]]) -> set[tuple[Any, ...]]:
    return {(tick, places[part], *rest) for tick, part, *rest in getattr(score, name).tolist()}


@settings(max_examples=120, deadline=None)
@given(scores())
def test_any_score_keeps_its_strokes_ends_bends_and_banks(score: Score) -> None:
    assume(len(set(score.notes["part"].tolist())) == len(score.parts))  # a part that never plays is no part in MIDI
    back = again(score)
    here, there = assign_channels(score), [(p.port, p.channel) for p in back.parts]
    assert len(set(here)) == len(here)
    assert strokes(back, there) == strokes(score, here)
    assert ends(back, there) == ends(score, here)
    kits = {place for place, part in zip(there, back.parts, strict=True) if part.percussion}
    assert kits == {place for place, part in zip(here, score.parts, strict=True) if part.percussion}
    assert on_channels(back, "bends", there) == on_channels(score, "bends", here)
    assert on_channels(score, "programs", here) <= on_channels(back, "programs", there)
    plain = {c for c in on_channels(score, "controls", here) if c[2] not in (0, 32)}
    assert {c for c in on_channels(back, "controls", there) if c[2] not in (0, 32)} == plain
    # from here on nothing changes any more
    assert midi_bytes(again(back)) == midi_bytes(back)


def test_a_note_inside_an_equal_one_swaps_ends_with_it() -> None:
    # MIDI cannot say which of two equal pitches a note-off ends
    score = Score(note_rows([(0, 900, 60, 80, 0), (100, 100, 60, 70, 0)]), (Part("A"),))
    back = again(score)
    assert list(zip(back.notes["onset"].tolist(), back.ends.tolist(), strict=True)) == [(0, 200), (100, 900)]


def test_equal_scores_give_equal_bytes(tmp_path: Path) -> None:
    score = Score(note_rows([(0, 480, 60, 80, 0)]), (Part("A"),))
    assert midi_bytes(score) == midi_bytes(Score(note_rows([(0, 480, 60, 80, 0)]), (Part("A"),)))
    write_midi(score, tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == midi_bytes(score)


# -- tempo, bars, keys ---------------------------------------------------------------------------------------------


def test_a_ritardando_reads_back_within_two_hundred_thousandths_of_a_frame() -> None:
    tempo = TempoMap(np.array([0, 8, 16]) * QUARTER, np.array([5e5, 5e5, 9e5]), np.array([5e5, 9e5, 9e5]), QUARTER)
    score = Score(note_rows([(i * 40, 40, 60, 80, 0) for i in range(240)]), (Part("A"),), tempo=tempo)
    back = again(score)
    ticks = np.arange(0, 20 * QUARTER, 7)
    assert float(np.abs(back.seconds(ticks) - score.seconds(ticks)).max()) < STEP_ERROR
    assert np.array_equal(back.notes, score.notes)


def test_a_metronome_mark_of_66_does_not_drift() -> None:
    score = Score(note_rows([(0, 1000 * QUARTER, 60, 80, 0)]), (Part("A"),), tempo=TempoMap.constant(66))
    back = again(score)
    assert abs(back.duration - score.duration) < STEP_ERROR
    assert len(back.tempo.ticks) < 150


def test_a_pickup_and_a_split_bar_stay_bars() -> None:
    bars = np.array([0, 1, 5, 7, 9, 13, 16]) * QUARTER
    score = Score(note_rows([(0, 16 * QUARTER, 60, 80, 0)]), (Part("A"),), barlines=bars)
    back = again(score)
    assert back.bars.tolist() == bars.tolist()
    assert back.meters.tolist() == [(0, 1, 4), (480, 4, 4), (2400, 2, 4), (4320, 4, 4), (6240, 3, 4)]


def test_keys_and_meters_read_back() -> None:
    keys = np.array([(i * 960, f, m) for i, (f, m) in enumerate((f, m) for f in range(-7, 8) for m in (0, 1))], KEY)
    meters = np.array([(i * 3840, n, d) for i, (n, d) in enumerate([(4, 4), (7, 8), (3, 2), (15, 16), (1, 32)])], METER)
    score = Score(note_rows([(0, 40_000, 60, 80, 0)]), (Part("A"),), keys=keys, meters=meters)
    back = again(score)
    assert rows(back, "keys") == rows(score, "keys")
    assert rows(back, "meters") == rows(score, "meters")


def test_a_resolution_beyond_the_header_is_reduced_without_loss_where_it_can_be() -> None:
    fine = 480 * 1001
    rows_ = [(i * fine // 2, fine // 4, 60 + i, 80, 0) for i in range(8)]
    score = Score(note_rows(rows_), (Part("A"),), TempoMap.constant(100, fine), fine, markers=(Marker(fine, "B"),))
    back = again(score)
    assert back.ticks_per_quarter <= 0x7FFF
    assert np.allclose(back.seconds(back.notes["onset"]), score.seconds(score.notes["onset"]), atol=1e-6)
    assert np.allclose(back.seconds(back.ends), score.seconds(score.ends), atol=1e-6)
    assert back.markers[0].tick == back.ticks_per_quarter


def test_a_rest_longer_than_midi_can_say_is_refused() -> None:
    with pytest.raises(WriteError, match="longer than MIDI can say"):
        midi_bytes(Score(note_rows([(1 << 28, 10, 60, 80, 0)]), (Part("A"),)))


# -- text and marks ------------------------------------------------------------------------------------------------


def test_text_of_every_script_reads_back() -> None:
    score = Score(
        note_rows([(0, 480, 60, 80, 0), (480, 480, 62, 80, 0)]),
        (Part("Флейта"),),
        marks=(
            Mark(0, "lyric", "Hal-", 0, value=1.0),
            Mark(480, "lyric-break", "/", 0),
            Mark(480, "lyric", "喜び", 0, value=1.0),
            Mark(480, "text", "très doux", 0),
        ),
        markers=(Marker(0, "loopStart"), Marker(480, "Tür", "cue")),
        metadata=Metadata(title="Ständchen", rights="© Nobody", source_format="midi1"),
    )
    back = again(score)
    assert back.parts[0].name == "Флейта"
    assert [(m.kind, m.text) for m in back.marks if m.kind != "text"] == [
        ("lyric", "Hal-"),
        ("lyric-break", "/"),
        ("lyric", "喜び"),
    ]
    assert [m.text for m in back.marks if m.kind == "text"] == ["très doux"]
    assert back.markers == score.markers
    assert (back.metadata.title, back.metadata.rights) == ("Ständchen", "© Nobody")


def test_a_printed_pedal_is_held() -> None:
    score = Score(note_rows([(0, 960, 60, 80, 0)]), (Part("Piano"),), marks=(Mark(0, "pedal", "", 0, end=960),))
    assert rows(again(score), "controls") == [(0, 0, 64, 127), (960, 0, 64, 0)]


def test_staccato_and_grace_notes_are_written_as_they_sound() -> None:
    notes = note_rows([(0, 480, 60, 80, 0), (480, 0, 64, 80, 0), (480, 480, 65, 80, 0)])
    notes["articulation"] = [0, Articulation.ACCIACCATURA, Articulation.STACCATO]
    back = again(Score(notes, (Part("A"),)))
    assert list(zip(back.notes["onset"].tolist(), back.notes["duration"].tolist(), strict=True)) == [
        (0, 480),
        (420, 60),
        (480, 240),
    ]


def test_raw_messages_read_back() -> None:
    body = (
        sysex(b"\x7e\x7f\x09\x01\xf7") + b"\x00\xa0\x3c\x40" + meta(0x7F, b"\x43\x00") + b"\x00\x90\x3c\x50\x60\x3c\x00"
    )
    score = read_midi(midi(track(body)))
    assert sorted((r.tick, r.data) for r in again(score).raw) == sorted((r.tick, r.data) for r in score.raw)


# -- channels ------------------------------------------------------------------------------------------------------


def ensemble(*parts: Part, **changes: Any) -> Score:
    notes = note_rows((i * 10, 480, 60, 80, i) for i in range(len(parts)))
    return Score(notes, parts, **changes)


def test_pitched_parts_keep_off_the_drum_channel_and_drums_on_it() -> None:
    score = ensemble(*(Part(f"{i}", program=i) for i in range(12)), Part("Drums", percussion=True))
    places = assign_channels(score)
    assert places[-1] == (0, 9)
    assert len(set(places)) == 13
    assert [p.percussion for p in again(score).parts] == [False] * 12 + [True]


def test_more_than_sixteen_sounds_take_a_second_port() -> None:
    score = ensemble(*(Part(f"{i}", program=i) for i in range(40)), Part("Drums", percussion=True))
    places = assign_channels(score)
    assert len(set(places)) == 41
    assert {port for port, _ in places} == {0, 1, 2}
    back = again(score)
    assert [p.program for p in back.parts[:40]] == list(range(40))
    assert [(p.port, p.channel) for p in back.parts] == places


def test_notation_s_ports_do_not_scatter_a_small_ensemble() -> None:
    score = ensemble(*(Part(f"{i}", program=i, port=i % 3, channel=i // 3) for i in range(6)))
    assert {port for port, _ in assign_channels(score)} == {0}
    from_midi = ensemble(*score.parts, metadata=MIDI)
    assert assign_channels(from_midi) == [(p.port, p.channel) for p in score.parts]


def test_a_symphony_movement_reads_back_note_for_note_and_bar_for_bar(shared_data: Path) -> None:
    score = read_score(next((shared_data / "openscore_orchestra").rglob("Beethoven_Op.21_3.mxl")))
    back = again(score)
    sounding = score.sounding()
    for name in ("part", "pitch", "onset"):
        assert np.bincount(back.notes[name]).tolist() == np.bincount(sounding[name]).tolist()
    assert back.bars.tolist() == score.bars.tolist()
    assert [p.name for p in back.parts] == [p.name for p in score.parts]
    assert abs(back.duration - score.duration) < STEP_ERROR


def test_like_sounds_share_before_a_second_port_is_opened() -> None:
    score = ensemble(*(Part(f"{i}", program=i % 8) for i in range(24)))
    assert {port for port, _ in assign_channels(score)} == {0}
    assert [p.program for p in again(score).parts] == [i % 8 for i in range(24)]


def test_two_hands_on_one_channel_stay_on_it_if_they_came_so() -> None:
    hands = (Part("Right", channel=3), Part("Left", channel=3))
    pedal = np.array([(0, 0, 64, 127), (0, 1, 64, 127)], CONTROL)
    score = ensemble(*hands, controls=pedal, metadata=MIDI)
    assert assign_channels(score) == [(0, 3), (0, 3)]
    assert rows(again(score), "controls") == rows(score, "controls")
    louder = ensemble(*hands, controls=np.array([(0, 0, 7, 127), (0, 1, 7, 10)], CONTROL), metadata=MIDI)
    assert len(set(assign_channels(louder))) == 2
    assert rows(again(louder), "controls") == rows(louder, "controls")


def test_each_new_part_says_its_sound_and_a_silent_source_stays_silent() -> None:
    assert rows(again(ensemble(Part("Piano"))), "programs") == [(0, 0, 0, 0)]
    assert rows(again(ensemble(Part("Piano"), metadata=MIDI)), "programs") == []
    kit = ensemble(Part("Bells", program=14, bank=257))
    assert rows(again(kit), "programs") == [(0, 0, 14, 257)]


def test_a_program_that_comes_after_another_tracks_first_note_leaves_the_channel_shared() -> None:
    score = read_midi(midi(track(SCALE), track(b"\x30\xc0\x49" + SCALE)))
    # the first note of the first track sounds before the channel has its program
    assert [(p.program, p.channel) for p in score.parts] == [(0, 0), (73, 0), (73, 0)]
    back = again(score)
    assert back.parts == score.parts
    assert rows(back, "programs") == rows(score, "programs")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(40, 400), st.integers(0, 255)), max_size=6))
def test_what_is_left_of_a_damaged_file_reads_back_equal(seed: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        score = read_midi(bytes(data))
        back = again(score)
    except RescoreError:
        return
    assert np.array_equal(back.notes, score.notes)
    assert back.tempo == score.tempo
    assert [p.name for p in back.parts] == [p.name for p in score.parts]


def test_key_pressure_follows_its_part_to_another_channel() -> None:
    parts = (Part("A", program=1), Part("B", program=2))
    score = ensemble(*parts, raw=(RawEvent(5, b"\xa0\x3c\x40", 1),))
    place = assign_channels(score)[1]
    assert [r.data for r in again(score).raw] == [bytes((0xA0 | place[1], 0x3C, 0x40))]


@pytest.mark.parametrize(
    "order",
    [
        [("c", 0, 48), ("p", 5), ("c", 0, 0)],
        [("p", 5), ("c", 0, 48)],
        [("c", 0, 1), ("c", 32, 2), ("p", 5), ("c", 0, 3), ("p", 6)],
        [("p", 5), ("c", 0, 1), ("p", 6), ("c", 0, 2), ("p", 7)],
    ],
)
def test_programs_keep_the_bank_they_had_among_selects_at_their_tick(order: list[tuple[Any, ...]]) -> None:
    body = b"".join(bytes((0, 0xB0, m[1], m[2]) if m[0] == "c" else (0, 0xC0, m[1])) for m in order)
    score = read_midi(midi(track(body + b"\x00\x90\x3c\x50\x60\x3c\x00")))
    back = again(score)
    assert back.programs.tolist() == score.programs.tolist()
    assert rows(back, "controls") == rows(score, "controls")


def test_a_prime_resolution_beyond_midi_is_rounded_finely() -> None:
    prime = 99_991
    notes = note_rows([(0, prime, 60, 64, 0), (prime // 3, prime, 64, 64, 0), (prime * 2, prime, 67, 64, 0)])
    score = Score(
        notes=notes, parts=(Part("P"),), tempo=TempoMap.constant(120, prime), ticks_per_quarter=prime, length=3 * prime
    )
    back = read_midi(midi_bytes(score))
    assert back.seconds(back.notes["onset"]) == pytest.approx(score.seconds(score.notes["onset"]), abs=2e-5)


def test_a_second_verse_is_sung_by_the_part_that_sings_the_first() -> None:
    words = [(0, "Freu-", 1), (0, "Dei-", 2), (480, "de", 1), (480, "ne", 2)]
    marks = tuple(Mark(t, "lyric", text, 1, value=float(verse)) for t, text, verse in words)
    parts = (Part("Piano"), Part("Soprano", program=52))
    score = Score(
        note_rows([(0, 480, 60, 80, 0), (480, 480, 60, 80, 0), (0, 480, 72, 80, 1), (480, 480, 72, 80, 1)]),
        parts,
        marks=(Mark(480, "lyric-break", "/", 1, value=2.0), *marks),
    )
    back = again(score)
    lyrics = [(m.tick, m.text, m.part, m.value) for m in back.marks if m.kind == "lyric"]
    assert sorted(lyrics) == sorted((t, text, 1, float(verse)) for t, text, verse in words)
    assert [(m.tick, m.value) for m in back.marks if m.kind == "lyric-break"] == [(480, 2.0)]
    assert back.metadata.extra == ()
    assert again(back).marks == back.marks


def test_release_velocity_reads_and_writes_and_the_default_stays_unsaid() -> None:
    body = b"\x00\x90\x3c\x50\x60\x80\x3c\x21\x00\x90\x3e\x50\x60\x80\x3e\x40\x00\x90\x40\x50\x60\x90\x40\x00"
    score = read_midi(midi(track(body)))
    assert score.notes["release"].tolist() == [33, 0, 0]
    assert np.array_equal(again(score).notes, score.notes)
    offs = [m.velocity for m in mido.MidiFile(file=io.BytesIO(midi_bytes(score))).tracks[1] if m.type == "note_off"]
    assert offs == [33, 64, 64]
