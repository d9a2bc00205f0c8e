"""What sequencers say beside the notes: clicks, names, timecode, titles of wrappers, tags of lyrics. Kept, or told."""

from __future__ import annotations

import io
import logging

import mido
import numpy as np
import pytest
from midi_files import SCALE, meta, midi, track

from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import KEY, METER, Mark, Part, RawEvent, Score, note_rows
from rescore_music.tempo import TempoMap

SONG = note_rows([(0, 480, 60, 80, 0)])


def told(data: bytes, kind: str) -> list[tuple[int, mido.MetaMessage]]:
    """Messages of a kind as mido finds them, with their ticks."""
    out = []
    for messages in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick = 0
        for message in messages:
            tick += message.time
            if message.type == kind:
                out.append((tick, message.copy(time=0)))
    return out


def words(score: Score) -> list[tuple[int, str, str]]:
    return [(m.tick, m.kind, m.text) for m in score.marks]


# -- the metronome -------------------------------------------------------------------------------------------------


def test_a_metronome_clicks_as_the_source_says() -> None:
    signs = meta(0x58, b"\x06\x03\x18\x08") + meta(0x58, b"\x04\x02\x60\x53", 96) + meta(0x58, b"\x03\x02\x18\x08", 96)
    data = midi(track(signs + SCALE))
    score = read_midi(data)
    assert score.meters.tolist() == [(0, 6, 8), (96, 4, 4), (192, 3, 4)]
    assert told(midi_bytes(score), "time_signature") == told(data, "time_signature")
    assert read_midi(midi_bytes(score)).raw == score.raw


@pytest.mark.parametrize(
    ("meter", "clocks"), [((4, 4), 24), ((2, 2), 48), ((6, 8), 36), ((7, 8), 12), ((3, 8), 12), ((9, 16), 18)]
)
def test_a_metronome_of_which_nothing_is_said_clicks_the_beat(meter: tuple[int, int], clocks: int) -> None:
    score = Score(SONG, (Part(),), meters=np.array([(0, *meter)], METER))
    [(_, sign)] = told(midi_bytes(score), "time_signature")
    assert (sign.numerator, sign.denominator, sign.clocks_per_click) == (*meter, clocks)
    assert score.beat_ticks(0) * 24 == clocks * score.ticks_per_quarter


def test_a_click_goes_with_its_meter() -> None:
    score = read_midi(midi(track(meta(0x58, b"\x04\x02\x60\x08") + SCALE)))
    changed = score.replace(meters=np.array([(0, 3, 4)], METER))
    [(_, sign)] = told(midi_bytes(changed), "time_signature")
    assert (sign.numerator, sign.clocks_per_click) == (3, 24)


# -- names and titles ----------------------------------------------------------------------------------------------


def test_a_conductor_track_with_two_names_has_the_first_as_title_and_the_other_as_text() -> None:
    score = read_midi(midi(track(meta(3, b"The Chase") + meta(3, b"mix 3")), track(SCALE)))
    assert score.metadata.title == "The Chase"
    assert words(score) == [(0, "text", "mix 3")]
    again = read_midi(midi_bytes(score))
    assert again.metadata.title == "The Chase"
    assert words(again) == words(score)


def test_a_track_that_is_named_again_loses_no_name() -> None:
    score = read_midi(midi(track(b""), track(meta(3, b"Song") + meta(3, b"Flute") + SCALE + meta(3, b"Solo"))))
    assert [part.name for part in score.parts] == ["Flute"]
    assert words(score) == [(0, "text", "Song"), (768, "text", "Solo")]


def test_the_name_of_a_karaoke_file_is_its_song() -> None:
    said = meta(3, b"Soft Karaoke") + meta(1, b"@KMIDI KARAOKE FILE") + meta(1, b"@V0100")
    sung = meta(3, b"Words") + meta(1, b"@LENGL") + meta(1, b"@TMy Song") + meta(1, b"@TA Singer") + meta(1, b"\\La")
    assert read_midi(midi(track(said), track(sung), track(SCALE))).metadata.title == "My Song"


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize("before", [True, False])
def test_a_riff_wrapper_says_title_composer_and_rights(before: bool) -> None:
    said = chunk(b"INAM", b"Night\0") + chunk(b"IART", "Björk".encode("latin-1")) + chunk(b"ICOP", b"1999")
    info, music = chunk(b"LIST", b"INFO" + said + chunk(b"ISFT", b"x")), chunk(b"data", midi(track(SCALE)))
    body = b"RMID" + (info + music if before else music + info) + chunk(b"DISP", b"abcd")
    score = read_midi(chunk(b"RIFF", body))
    assert (score.metadata.title, score.metadata.composer, score.metadata.rights) == ("Night", "Björk", "1999")
    assert len(score.notes) == 8
    assert [item.what for item in score.import_log] == [
        "'ISFT' of the RIFF wrapper ignored",
        "chunk 'DISP' of the RIFF wrapper, which is no MIDI, skipped",
    ]


def test_a_wrapper_of_very_many_chunks_is_not_walked_to_its_end() -> None:
    body = b"RMID" + b"".join(chunk(i.to_bytes(4), b"") for i in range(20_000)) + chunk(b"data", midi(track(SCALE)))
    assert len(read_midi(chunk(b"RIFF", body[:60_000] + body[-100:])).import_log) < 5000


def test_a_second_file_behind_the_first_does_not_play_along() -> None:
    score = read_midi(midi(track(SCALE)) + midi(track(SCALE), track(SCALE)))
    assert len(score.notes) == 8
    assert [item.what for item in score.import_log] == ["a further MIDI file behind the first left out"]


# -- lyrics --------------------------------------------------------------------------------------------------------


def test_tags_of_lyrics_are_not_sung() -> None:
    body = meta(5, b"{@JP}{#Title=\x89\xcc}") + b"\x00\x90\x3c\x50" + meta(5, b"\x82\xa0") + b"\x20\x80\x3c\x40"
    assert words(read_midi(midi(track(body)))) == [(0, "text", "{#Title=歌}"), (0, "lyric", "あ")]


def test_a_file_that_names_its_code_page_is_read_in_it() -> None:
    # two bytes that are as well two half-width kana as two Latin signs
    def lyric(tag: bytes) -> str:
        body = meta(5, tag) + b"\x00\x90\x3c\x50" + meta(5, b"\xb1\xc5") + b"\x20\x80\x3c\x40"
        return read_midi(midi(track(body))).marks[-1].text

    assert lyric(b"{@JP}") == "ｱﾅ"
    assert lyric(b"{@LATIN}") == "±Å"


# -- the whole file ------------------------------------------------------------------------------------------------


def test_timecode_belongs_to_the_file_whichever_parts_its_first_track_has() -> None:
    offset = bytes((0x21, 2, 3, 4, 5))
    score = read_midi(midi(track(meta(0x54, offset) + SCALE), kind=0))
    assert score.raw == (RawEvent(0, b"\xff\x54" + offset),)
    first = mido.MidiFile(file=io.BytesIO(midi_bytes(score))).tracks[0]
    assert [m.hours for m in first if m.type == "smpte_offset"] == [1]


@pytest.mark.parametrize(("fifths", "key"), [(7, "C#"), (8, "Ab"), (9, "Eb"), (-8, "E"), (-7, "Cb")])
def test_keys_of_more_than_seven_accidentals_are_written_as_their_twins(fifths: int, key: str) -> None:
    score = Score(SONG, (Part(),), keys=np.array([(0, fifths, 0)], KEY))
    assert [sign.key for _, sign in told(midi_bytes(score), "key_signature")] == [key]


def test_what_midi_has_no_number_for_is_told(caplog: pytest.LogCaptureFixture) -> None:
    slow = Score(SONG, (Part(),), tempo=TempoMap.from_events([(0, 20_000_000)], 480))
    crowd = note_rows([(i * 10, 480, 60, 80, i) for i in range(300)])
    players = tuple(Part(f"Part {i}", program=i % 128, bank=i // 128 * 128) for i in range(300))
    with caplog.at_level(logging.WARNING):
        midi_bytes(slow)
        midi_bytes(Score(crowd, players))
    assert [record.getMessage() for record in caplog.records] == [
        "tick 0: MIDI has no tempo under 3.58 quarters a minute; there were 3",
        "60 parts sound as others do: MIDI has 256 channels",
    ]


def test_a_mark_of_text_stays_a_text() -> None:
    score = Score(SONG, (Part("Flute"),), marks=(Mark(0, "text", "{#x=1}", 0),))
    assert words(read_midi(midi_bytes(score))) == [(0, "text", "{#x=1}")]
