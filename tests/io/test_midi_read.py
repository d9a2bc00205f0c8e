"""Reading MIDI: what files say, what damaged files still say, and that nothing is trusted."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from midi_files import END, SCALE, SEEDS, meta, midi, sysex, track

from rescore_music.errors import ReadError
from rescore_music.io import read_score, read_scores
from rescore_music.io.encoding import decode_name, decode_text
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import CHANNEL_PRESSURE, Marker, Score

SCALE_PITCHES = [60, 62, 64, 65, 67, 69, 71, 72]


def repairs(score: Score) -> list[str]:
    return [item.what for item in score.import_log]


def is_scale(score: Score) -> bool:
    return (
        score.notes["pitch"].tolist() == SCALE_PITCHES
        and score.notes["onset"].tolist() == [96 * i for i in range(8)]
        and score.notes["duration"].tolist() == [96] * 8
        and set(score.notes["velocity"].tolist()) == {80}
    )


# -- real files ----------------------------------------------------------------------------------------------------


def test_every_game_file_reads_with_the_notes_its_manifest_counts(shared_data: Path) -> None:
    folder = shared_data / "game_midi"
    with (folder / "MANIFEST.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) > 150
    wrong = {}
    for row in rows:
        score = read_score(folder / row["file"])
        if len(score.notes) != int(row["notes"]):
            wrong[row["file"]] = (len(score.notes), row["notes"])
        assert score.metadata.source == row["file"]
        assert score.notes["duration"].max() < score.length
        assert all(part.name for part in score.parts)
    assert wrong == {}


def test_every_conformance_file_reads_or_is_refused_in_one_true_line(shared_data: Path) -> None:
    refused = {}
    notes = {}
    for path in sorted((shared_data / "midi_conformance").glob("*.mid")):
        try:
            notes[path.stem.removeprefix("test-")] = len(read_score(path).notes)
        except ReadError as error:
            refused[path.name] = str(error)
    assert set(refused) == {"test-empty-file.mid", "test-not-a-midi-file.mid"}
    assert all("\n" not in line for line in refused.values())
    assert "empty" in refused["test-empty-file.mid"]
    assert "text, not MIDI" in refused["test-not-a-midi-file.mid"]
    for name, count in notes.items():
        # files of one feature play a C major scale unless their feature is another
        scale = name.startswith(("illegal", "corrupt", "running", "vlq", "c-major", "non-midi", "smpte"))
        assert count == 8 or not scale, name
        # 'silence' and 'enable' files hold no note and say so by being empty scores
        assert count > 0 or name.startswith(("silence", "sysex-7e", "control-7", "empty")), name


@pytest.mark.parametrize("name", ["running-status-metaevent", "running-status-sysex", "illegal-message-all"])
def test_a_scale_stays_a_scale_across_interruptions(shared_data: Path, name: str) -> None:
    score = read_score(shared_data / "midi_conformance" / f"test-{name}.mid")
    assert score.notes["pitch"].tolist() == SCALE_PITCHES
    assert score.notes["onset"].tolist() == [96 * i for i in range(8)]
    assert score.notes["duration"].tolist() == [96] * 8


def test_drum_parts_are_found_where_messages_declare_them(shared_data: Path) -> None:
    folder = shared_data / "midi_conformance"
    gs = read_score(folder / "test-sysex-gs-40-1x-15-drum-part-change.mid")
    assert [(p.channel, p.percussion) for p in gs.parts] == [(0, True), (9, False)]
    assert read_score(folder / "test-gm2-doggy-78-00-38-4c.mid").parts[0].percussion
    assert read_score(folder / "test-xg-doggy-7e-00-00-54.mid").parts[0].percussion
    assert not read_score(folder / "test-xg-doggy-40-00-30.mid").parts[0].percussion


def test_karaoke_words_are_sung_by_the_part_that_has_their_notes(shared_data: Path) -> None:
    score = read_score(shared_data / "midi_conformance" / "test-karaoke-kar.mid")
    words = [m for m in score.marks if m.kind == "lyric"]
    assert [m.text for m in words][:7] == ["Ma-", "ry", "was", "a", "lit-", "tle", "lame,"]
    assert {m.part for m in words} == {0}
    sung = np.isin([m.tick for m in words], score.notes["onset"])
    assert sung.sum() >= len(words) - 1  # one syllable falls inside a held chord


# -- what a file says ----------------------------------------------------------------------------------------------


def test_format_zero_is_split_by_channel() -> None:
    body = b"".join(bytes((0, 0x90 | c, 60 + c, 80)) for c in (0, 3, 9)) + b"\x60\x80\x3c\0\0\x83\x3f\0\0\x89\x45\0"
    score = read_midi(midi(track(meta(3, b"Title") + body), kind=0))
    assert [(p.channel, p.percussion) for p in score.parts] == [(0, False), (3, False), (9, True)]
    assert [p.name for p in score.parts] == ["Acoustic Grand Piano", "Acoustic Grand Piano", "Percussion"]
    assert score.metadata.title == "Title"
    assert score.metadata.source_format == "midi0"


def test_parts_are_track_and_channel_and_named_by_their_track() -> None:
    conductor = track(meta(3, b"Suite") + meta(0x51, b"\x07\xa1\x20"))
    score = read_midi(midi(conductor, track(meta(3, b"Flute") + SCALE), track(meta(4, b"Oboe") + SCALE)))
    assert [p.name for p in score.parts] == ["Flute", "Oboe"]
    assert score.metadata.title == "Suite"
    assert len(score.notes) == 16


def test_a_part_keeps_its_program_changes_and_starts_with_its_first() -> None:
    body = b"\x00\xb0\x00\x02\x00\xb0\x20\x01\x00\xc0\x28" + SCALE[:8] + b"\x00\xc0\x2d" + SCALE[8:]
    score = read_midi(midi(track(body)))
    assert score.programs.tolist() == [(0, 0, 40, 257), (96, 0, 45, 257)]
    assert (score.parts[0].program, score.parts[0].bank) == (40, 257)
    assert score.parts[0].name == "Violin"


def changing(*programs: int, name: bytes = b"") -> Score:
    """One channel that plays a note with each program."""
    body = b"".join(bytes((0, 0xC0, program)) + SCALE[8 * i : 8 * i + 8] for i, program in enumerate(programs))
    return read_midi(midi(track((meta(3, name) if name else b"") + body)))


def by_instrument(score: Score) -> list[tuple[str, int, list[int]]]:
    return [
        (part.name, part.program, score.notes["pitch"][score.part_notes(i)].tolist())
        for i, part in enumerate(score.parts)
    ]


def test_a_channel_that_changes_its_instrument_is_split_by_instrument() -> None:
    score = changing(40, 73, 40, name=b"Tune")
    assert by_instrument(score) == [("Tune", 40, [60, 64]), ("Flute (Tune)", 73, [62])]
    assert {(p.channel, p.port) for p in score.parts} == {(0, 0)}
    # both hold all that happens on their channel
    assert score.programs["part"].tolist() == [0, 1] * 3
    assert [i.what for i in score.import_log] == ["program changes: a part for each instrument"]
    again = read_midi(midi_bytes(score))
    assert by_instrument(again) == by_instrument(score)
    assert again.import_log == ()


def test_a_player_who_changes_technique_stays_one_part() -> None:
    assert len(changing(40, 45, 44, 40).parts) == 1  # arco, pizzicato, tremolo
    assert len(changing(48, 45, 49).parts) == 1  # a section
    assert len(changing(56, 59, 56).parts) == 1  # a trumpet and its mute
    assert len(changing(29, 30, 27).parts) == 1  # an electric guitar and its pedals
    assert [n for _, _, n in by_instrument(changing(42, 45, 40, 44))] == [[60, 62], [64, 65]]  # each keeps its own


def test_programs_that_no_note_is_played_with_split_nothing() -> None:
    body = b"\x00\xc0\x28\x00\xc0\x49" + SCALE + b"\x00\xc0\x10"
    assert [(p.program, p.name) for p in read_midi(midi(track(body))).parts] == [(73, "Flute")]


def test_drum_kits_are_one_player() -> None:
    drums = SCALE.replace(b"\x90", b"\x99").replace(b"\x80", b"\x89")
    body = b"\x00\xc9\x00" + drums[:16] + b"\x00\xc9\x10" + drums[16:]
    assert [p.percussion for p in read_midi(midi(track(body))).parts] == [True]


def test_a_channel_that_turns_to_drums_is_split_there() -> None:
    xg = sysex(b"\x43\x10\x4c\x00\x00\x7e\x00\xf7")
    body = xg + b"\x00\xc0\x28" + SCALE[:16] + b"\x00\xb0\x00\x7f\x00\xc0\x00" + SCALE[16:]
    score = read_midi(midi(track(body)))
    assert [(p.percussion, len(score.part_notes(i))) for i, p in enumerate(score.parts)] == [(False, 2), (True, 6)]
    again = read_midi(midi_bytes(score))
    assert [(p.percussion, p.channel) for p in again.parts] == [(False, 0), (True, 0)]


def test_key_pressure_goes_to_the_instrument_that_plays() -> None:
    body = b"\x00\xc0\x28" + SCALE[:8] + b"\x00\xc0\x49\x00\xa0\x3e\x40" + SCALE[8:16]
    score = read_midi(midi(track(body)))
    assert [(r.tick, r.part) for r in score.raw] == [(96, 1)]


def test_a_tour_of_more_sounds_than_parts_can_be_is_left_whole() -> None:
    body = b"".join(bytes((0, 0xC0, i % 128)) + SCALE[:8] for i in range(128))
    score = read_midi(midi(*[track(body.replace(b"\xc0", bytes((0xC0 | c,)))) for c in range(9)]))
    assert len(score.parts) <= 1024


def test_a_set_up_track_without_notes_speaks_to_its_channels_parts() -> None:
    setup = track(b"\x00\xc2\x38\x00\xb2\x07\x50\x00\xe2\x00\x50\x00\xd2\x11")
    notes = track(SCALE.replace(b"\x90", b"\x92").replace(b"\x80", b"\x82"))
    score = read_midi(midi(setup, notes, notes))
    assert [p.program for p in score.parts] == [56, 56]
    volume, pressure = (0, 7, 80), (0, CHANNEL_PRESSURE, 17)
    assert [(r["tick"], r["number"], r["value"]) for r in score.controls] == [volume, pressure, volume, pressure]
    assert score.bends["value"].tolist() == [2048, 2048]


def test_tempo_meter_and_key_come_from_every_track() -> None:
    later = meta(0x51, b"\x06\x1a\x80", 96) + meta(0x58, b"\x06\x03\x18\x08") + meta(0x59, b"\xfd\x01")
    score = read_midi(midi(track(meta(0x58, b"\x03\x02\x18\x08") + meta(0x59, b"\x02\x00")), track(later + SCALE)))
    assert list(zip(score.tempo.ticks.tolist(), score.tempo.us.tolist(), strict=True)) == [(0, 500000), (96, 400000)]
    assert score.meters.tolist() == [(0, 3, 4), (96, 6, 8)]
    assert score.keys.tolist() == [(0, 2, 0), (96, -3, 1)]


def test_markers_cues_lyrics_and_texts() -> None:
    body = meta(6, b"loopStart") + meta(7, b"door slams", 96) + meta(5, b"A-") + meta(5, b"men ", 48) + SCALE
    score = read_midi(midi(track(body + meta(1, b"molto"))))
    assert score.markers == (Marker(0, "loopStart"), Marker(96, "door slams", "cue"))
    assert [(m.tick, m.kind, m.text) for m in score.marks] == [
        (96, "lyric", "A-"),
        (144, "lyric", "men"),
        (144 + 768, "text", "molto"),
    ]


@pytest.mark.parametrize(
    ("message", "percussion"),
    [
        (b"\x41\x10\x42\x12\x40\x11\x15\x01\x19\xf7", True),  # GS: part 1 for rhythm
        (b"\x43\x10\x4c\x08\x00\x07\x02\xf7", True),  # XG: part 1 in drum mode
        (b"\x43\x10\x4c\x08\x01\x07\x02\xf7", False),  # XG: part 2
    ],
)
def test_messages_declare_drum_channels_and_a_reset_takes_it_back(message: bytes, percussion: bool) -> None:
    assert [p.percussion for p in read_midi(midi(track(sysex(message) + SCALE))).parts] == [percussion]
    packets = sysex(message[:4]) + b"\x00\xf7" + bytes((len(message) - 4,)) + message[4:]
    score = read_midi(midi(track(packets + SCALE)))
    assert [p.percussion for p in score.parts] == [percussion]
    assert [p.percussion for p in read_midi(midi_bytes(score)).parts] == [percussion]
    for reset in (b"\x7e\x7f\x09\x01\xf7", b"\x41\x10\x42\x12\x40\x00\x7f\x00\x41\xf7"):
        assert not read_midi(midi(track(sysex(message) + sysex(reset) + SCALE))).parts[0].percussion


@pytest.mark.parametrize(("system", "bank", "percussion"), [("xg", 127, True), ("xg", 64, False), ("gm2", 120, True)])
def test_banks_mean_drums_only_where_their_system_is_on(system: str, bank: int, percussion: bool) -> None:
    on = {"xg": b"\x43\x10\x4c\x00\x00\x7e\x00\xf7", "gm2": b"\x7e\x7f\x09\x03\xf7"}[system]
    body = bytes((0, 0xB0, 0, bank, 0, 0xC0, 0)) + SCALE
    assert read_midi(midi(track(sysex(on) + body))).parts[0].percussion == percussion
    assert not read_midi(midi(track(body))).parts[0].percussion
    off = sysex(b"\x7e\x7f\x09\x01\xf7")
    assert not read_midi(midi(track(sysex(on) + off + body))).parts[0].percussion


def test_device_names_are_ports_where_no_port_is_numbered() -> None:
    one, two = (track(meta(9, name) + SCALE) for name in (b"Synth A", b"Synth B"))
    score = read_midi(midi(one, two))
    assert [(p.port, p.channel) for p in score.parts] == [(0, 0), (1, 0)]
    assert [(r.data, r.part) for r in score.raw] == [(b"\xff\x09Synth A", 0), (b"\xff\x09Synth B", 1)]
    back = read_midi(midi_bytes(score))
    assert (back.parts, back.raw) == (score.parts, score.raw)


def test_ports_double_the_channels() -> None:
    score = read_midi(midi(track(SCALE), track(meta(0x21, b"\x01") + SCALE)))
    assert [(p.port, p.channel) for p in score.parts] == [(0, 0), (1, 0)]


def test_messages_without_a_place_are_kept_byte_for_byte() -> None:
    body = sysex(b"\x7e\x7f\x09\x01\xf7") + b"\x00\xa0\x3c\x40" + meta(0x7F, b"\x43\x00") + SCALE
    score = read_midi(midi(track(body + b"\x00\xb5\x07\x10")))
    kept = [(r.data, r.part) for r in score.raw]
    assert (b"\xf0\x7e\x7f\x09\x01\xf7", -1) in kept
    assert (b"\xa0\x3c\x40", 0) in kept
    assert (b"\xff\x7f\x43\x00", 0) in kept
    assert (b"\xb5\x07\x10", -1) in kept


def test_patterns_of_format_two_follow_one_another() -> None:
    score = read_midi(midi(track(SCALE), track(meta(0x51, b"\x06\x1a\x80") + SCALE), kind=2))
    assert score.notes["onset"].tolist() == [96 * i for i in range(16)]
    assert score.tempo.us.tolist() == [500000, 400000]
    assert score.length == 2 * 768


def test_patterns_of_format_two_are_scores_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "patterns.mid"
    second = track(meta(3, b"Oboe") + meta(0x51, b"\x06\x1a\x80") + b"\x00\xc0\x44" + SCALE)
    path.write_bytes(midi(track(SCALE), second, track(meta(1, b"a remark")), kind=2))
    first, other = read_scores(path)
    assert is_scale(first)
    assert is_scale(other)
    assert (first.tempo.us.tolist(), other.tempo.us.tolist()) == ([500000], [400000])
    assert [p.program for p in other.parts] == [68]
    assert [i.what for i in other.import_log] == ["pattern 2 of 3 (format 2)"]
    assert other.length == 768
    path.write_bytes(midi(track(SCALE), second))
    assert read_scores(path) == (read_score(path),)


@pytest.mark.parametrize(
    ("division", "seconds_a_tick"),
    [(0xE728, 1 / 1000), (0xE808, 1 / 192), (0xE350, 1001 / 30000 / 80), (0xE250, 1 / 2400), (0xE703, 1 / 75)],
)
def test_real_time_ticks_keep_their_seconds(division: int, seconds_a_tick: float) -> None:
    score = read_midi(midi(track(meta(0x51, b"\x06\x1a\x80") + SCALE), division=division))
    assert np.allclose(score.seconds(score.notes["onset"]), np.arange(8) * 96 * seconds_a_tick, atol=1e-6)


def test_silence_after_the_last_note_is_part_of_the_piece() -> None:
    assert read_midi(midi(track(SCALE, end=b"\x60\xff\x2f\x00"))).length == 768 + 96


def test_a_file_without_notes_is_an_empty_score() -> None:
    score = read_midi(midi(track(meta(0x51, b"\x06\x1a\x80"))))
    assert len(score.notes) == 0
    assert score.tempo.us.tolist() == [400000]
    assert score.import_log == ()


# -- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Violin", "ascii"),
        ("Flöte 1", "utf-8"),
        ("Flöte 1", "latin-1"),
        ("Träume", "latin-1"),
        ("Percussão", "latin-1"),
        ("Spår “4”", "cp1252"),
        ("ÅÄÖ", "latin-1"),
        ("piano…", "cp1252"),
        ("ピアノ", "shift_jis"),
        ("弦楽器", "shift_jis"),
        ("ストリングス 2", "shift_jis"),
        ("尺八ソロ", "utf-8"),
        ("ﾋﾟｱﾉ", "cp932"),
    ],
)
def test_names_are_never_mojibake(text: str, encoding: str) -> None:
    assert decode_name(text.encode(encoding)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_some_printable_text(data: bytes) -> None:
    text = decode_text(data)
    assert all(c in "\n\r\t" or ord(c) >= 32 for c in text)
    text.encode("utf-8")


# -- damage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (midi(track(SCALE), count=9), "the header says 9 tracks"),
        (midi(track(SCALE, length=3)), "wrong track length"),
        (midi(track(SCALE, length=9999)), "wrong track length"),
        (midi(track(SCALE, end=b"")), "no end-of-track"),
        (midi(track(SCALE, end=b"\x00\xff\x2f")), "end-of-track message cut off"),
        (midi(track(SCALE, end=b"\x00\xff")), "cut off in the middle of a message"),
        (midi(track(SCALE)) + b"*" * 30, "30 bytes after the last track"),
        (midi(b"XFIH\0\0\0\4abcd", track(SCALE)), "chunk 'XFIH'"),
        (midi(b"\0\0\0junk", track(SCALE)), "7 bytes between the tracks"),
        (b"\0" * 128 + midi(track(SCALE)), "128 bytes before the header"),
        (midi(track(SCALE), division=0), "division 0"),
        (midi(track(SCALE), kind=7), "unknown format 7"),
        (midi(track(SCALE + b"\x00\x80\x3c\x00")), "note-off without a note-on"),
        (midi(track(meta(0x51, b"\0\0\0") + SCALE)), "impossible tempo"),
        (midi(track(meta(0x51, b"\7") + SCALE)), "impossible tempo"),
        (midi(track(meta(0x58, b"\0\2\x18\x08") + SCALE)), "impossible meter 0/2^2"),
        (midi(track(meta(0x58, b"\4\x40\x18\x08") + SCALE)), "impossible meter 4/2^64"),
        (midi(track(meta(0x59, b"\x20\x00") + SCALE)), "impossible key"),
        (midi(track(meta(0x59, b"\x02\xff") + SCALE)), "unknown mode 255"),
        (midi(track(b"\x00\xf4" + SCALE)), "message F4"),
        (midi(track(SCALE + END + b"\x00\x90\x40\x40")), "8 bytes after the end"),
        (midi(track(b"\x00\x45\x45" + SCALE)), "without a status"),
        (midi(track(SCALE + b"\xff\xff\xff\xff\x7f\x90\x40\x40")), "more than four bytes"),
        (midi(track(b"\x00\xf0\x70\x7e\x09\xf7" + SCALE)), "system exclusive message with a wrong length"),
    ],
)
def test_damage_is_mended_and_told(data: bytes, told: str) -> None:
    score = read_midi(data)
    assert any(told in what for what in repairs(score)), repairs(score)
    assert is_scale(score) or "without a status" in told


def test_a_track_length_that_swallows_the_next_track_loses_neither() -> None:
    score = read_midi(midi(track(SCALE, length=len(SCALE) + 30), track(SCALE)))
    assert np.bincount(score.notes["part"]).tolist() == [8, 8]


def test_a_riff_wrapper_is_opened() -> None:
    inner = midi(track(SCALE))
    body = b"RMIDdata" + len(inner).to_bytes(4, "little") + inner + b"LIST\4\0\0\0INFO"
    score = read_midi(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert is_scale(score)
    assert score.import_log == ()


def test_data_bytes_over_127_count_as_127() -> None:
    score = read_midi(midi(track(b"\x00\x90\x3c\xff\x60\x80\x3c\x00")))
    assert score.notes["velocity"].tolist() == [127]
    assert repairs(score) == ["data byte over 127 taken as 127"]


def test_a_cut_file_is_refused_unless_it_is_to_be_salvaged() -> None:
    whole = midi(track(SCALE), track(SCALE))
    with pytest.raises(ReadError, match=r"track 2: cut off at byte \d+: 20 bytes are missing"):
        read_midi(whole[:-20])
    assert len(read_midi(whole[:-20], salvage=True).notes) > len(SCALE_PITCHES)


def test_a_cut_file_keeps_what_is_whole() -> None:
    whole = midi(track(SCALE))
    counts = []
    for size in range(30, len(whole)):
        score = read_midi(whole[:size], salvage=True)
        counts.append(len(score.notes))
        assert score.import_log
        assert score.notes["pitch"].tolist() == SCALE_PITCHES[: counts[-1]]
    assert counts == sorted(counts)
    assert set(counts) == set(range(1, 9))


# -- pairing -------------------------------------------------------------------------------------------------------


def played(*messages: tuple[int, bool, int]) -> list[tuple[int, int, int]]:
    """(onset, end, velocity) read from (tick, on or off, velocity) of one pitch."""
    body, before = b"", 0
    for tick, on, velocity in messages:
        body += bytes((tick - before, 0x90 if on else 0x80, 60, velocity))
        before = tick
    score = read_midi(midi(track(body)))
    return list(zip(score.notes["onset"].tolist(), score.ends.tolist(), score.notes["velocity"].tolist(), strict=True))


def test_overlapping_equal_pitches_end_first_in_first_out() -> None:
    assert played((0, True, 1), (10, True, 2), (20, False, 0), (30, False, 0)) == [(0, 20, 1), (10, 30, 2)]
    assert played((0, True, 1), (0, True, 2), (20, False, 0), (30, False, 0)) == [(0, 20, 1), (0, 30, 2)]


def test_a_note_without_its_end_stops_at_the_next_stroke_and_shifts_no_other() -> None:
    events = [(0, True, 1), (10, True, 2), (20, False, 0), (30, True, 3), (40, False, 0)]
    assert played(*events) == [(0, 10, 1), (10, 20, 2), (30, 40, 3)]


def test_a_last_note_without_its_end_is_held_to_the_end_of_its_part() -> None:
    body = b"\x00\x90\x3c\x50\x00\x90\x40\x50\x60\x80\x40\x00"
    score = read_midi(midi(track(body)))
    assert score.ends.tolist() == [96, 96]
    assert any("never ends" in what for what in repairs(score))


def test_a_stray_end_before_a_note_ends_nothing() -> None:
    assert played((0, False, 0), (0, True, 1), (10, False, 0), (20, False, 0)) == [(0, 10, 1)]


def test_each_repair_tells_where_it_began_and_how_many_there_were() -> None:
    stray, twice = b"\x00\x80\x3c\x40", b"\x00\x90\x3c\x50\x00\x90\x3c\x50\x10\x80\x3c\x40\x00\x80\x3c\x40"
    score = read_midi(midi(track(SCALE + stray + twice), track(SCALE + stray + stray + b"\x00\x90\x3c\x50")))
    assert [(i.where, i.what, i.count) for i in score.import_log] == [
        ("track 1, channel 1, tick 768 (bar 3)", "note-off without a note-on dropped", 1),
        ("track 2, channel 1, from tick 768 (bar 3)", "note-off without a note-on dropped", 2),
        ("track 1, channel 1, tick 768 (bar 3)", "the same note struck twice at one tick: both kept", 1),
        ("track 2, channel 1, tick 768 (bar 3)", "note-on that never ends: closed", 1),
        ("track 2, channel 1, tick 768 (bar 3)", "note without length kept", 1),
    ]


def test_notes_without_length_and_twice_the_same_note_are_kept() -> None:
    assert played((5, True, 1), (5, False, 0)) == [(5, 5, 1)]
    assert played((0, True, 1), (0, True, 1), (9, False, 0), (9, False, 0)) == [(0, 9, 1), (0, 9, 1)]


def test_all_notes_off_ends_what_sounds() -> None:
    body = b"\x00\x90\x3c\x50\x30\xb0\x7b\x00\x30\x80\x3c\x00\x00\x90\x3c\x50\x30\x80\x3c\x00"
    score = read_midi(midi(track(body)))
    assert list(zip(score.notes["onset"].tolist(), score.ends.tolist(), strict=True)) == [(0, 48), (96, 144)]


# -- hostile input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "no bytes"),
        (b"MThd", "cut off"),
        (b"not music", "not a MIDI file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a MIDI file"),
        (midi(), "no track"),
        (midi(track(b"\x00\x90\x3c", end=b"")), "before its first note"),
        (midi(track(b"\xff\xff\xff\x7f\x90\x3c\x50" * 40), division=1), "bars long"),
        (midi(*[track(b"")] * 5000), "more than 4096 tracks"),
        (midi(track(meta(1, b"") * 200_001)), "more messages"),
    ],
)
def test_what_is_no_music_is_refused_in_one_line(data: bytes, line: str) -> None:
    with pytest.raises(ReadError, match=line) as caught:
        read_midi(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (b"\x00\xf8", "more messages than any music"),
        (b"\x00\xff\x01\x00", "more messages than any music"),
        (b"\x00\xa0\x3c\x40", "key pressure"),
        (b"\x00\xb0\x07", "more messages than any music"),
    ],
)
def test_floods_are_refused_in_time(message: bytes, line: str) -> None:
    body = message + b"\x00\x07\x01" * 4_100_000 if message[1] == 0xB0 else message * 210_000
    start = time.process_time()
    with pytest.raises(ReadError, match=line):
        read_midi(midi(track(body + SCALE)))
    assert time.process_time() - start < 5


def test_a_huge_file_costs_seconds_and_not_minutes() -> None:
    # half a million notes of one pitch, never ended
    body = bytes((0, 0x90, 60, 80)) + bytes((1, 60, 80)) * 500_000
    start = time.process_time()
    score = read_midi(midi(track(body)))
    assert len(score.notes) == 500_001
    assert time.process_time() - start < 5


def reads_or_refuses(data: bytes) -> None:
    start = time.process_time()
    line, score = "", Score()
    try:
        score = read_midi(data)
    except ReadError as error:
        line = str(error)
    assert "\n" not in line
    assert np.all(score.ends <= score.length)
    assert len(score.bars) >= 2
    assert time.process_time() - start < 3


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
    st.integers(0, 400),
    st.binary(max_size=6),
)
def test_mutated_bytes_read_or_are_refused(
    seed: bytes, changes: list[tuple[int, int]], cut: int, inserted: bytes
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    place = cut % len(data)
    reads_or_refuses(bytes(data[:place]) + inserted + bytes(data[place:]))
    reads_or_refuses(bytes(data[:place]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([0, 1, 24, 480, 0x7FFF, 0xE728, 0xFF00]))
def test_random_tracks_read_or_are_refused(body: bytes, division: int) -> None:
    reads_or_refuses(midi(track(body, end=b""), track(body), division=division))


def test_inspect_prints_every_repair_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rescore_music.cli import main

    path = tmp_path / "worn.mid"
    path.write_bytes(midi(track(SCALE + b"\x00\x80\x3c\x40"), count=3) + b"junk at the end")
    with pytest.raises(SystemExit) as done:
        main(["inspect", str(path), "--json"])
    assert not done.value.code
    told = json.loads(capsys.readouterr().out)["import_log"]
    assert [(i["where"], i["count"]) for i in told] == [
        ("file", 1),
        ("header", 1),
        ("track 1, channel 1, tick 768 (bar 2)", 1),
    ]
    assert told[2]["what"] == "note-off without a note-on dropped"


def test_registered_parameters_pedals_and_pressure_read_and_write_in_their_order() -> None:
    controls = [(101, 0), (100, 0), (6, 12), (38, 0), (101, 0), (100, 1), (6, 70), (38, 5), (101, 0), (100, 2), (6, 63)]
    controls += [(101, 127), (100, 127), (64, 127), (66, 127), (67, 90)]
    body = (
        b"".join(bytes((0, 0xB3, *c)) for c in controls)
        + b"\x00\xd3\x21\x00\x93\x3c\x50\x10\xa3\x3c\x31\x10\x83\x3c\x07"
    )
    score = read_midi(midi(track(body)))
    read = [(int(r["number"]), int(r["value"])) for r in score.controls]
    assert read == [*controls, (CHANNEL_PRESSURE, 0x21)]
    assert [r.data for r in score.raw] == [b"\xa3\x3c\x31"]
    again = read_midi(midi_bytes(score))
    assert again.controls.tolist() == score.controls.tolist()
    assert again.raw == score.raw
    assert np.array_equal(again.notes, score.notes)
