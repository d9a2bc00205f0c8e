"""More than sixteen channels: each port is a device of its own, and what is said to one is not said to the other."""

from __future__ import annotations

import io

import mido
import pytest
from midi_files import SCALE, meta, midi, sysex, track

from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import Score

GM_ON = sysex(b"\x7e\x7f\x09\x01\xf7")
XG_ON = sysex(b"\x43\x10\x4c\x00\x00\x7e\x00\xf7")


def rhythm_part(block: int, address: int = 0x40) -> bytes:
    """Roland GS: use for rhythm part, with its check sum."""
    said = (address, 0x10 | block, 0x15, 1)
    return sysex(bytes((0x41, 0x10, 0x42, 0x12, *said, -sum(said) % 128, 0xF7)))


def port(number: int) -> bytes:
    return meta(0x21, bytes((number,)))


def drums(score: Score) -> list[tuple[int, int, bool]]:
    return [(part.port, part.channel, part.percussion) for part in score.parts]


@pytest.mark.parametrize(
    ("first", "second", "kits"),
    [
        (b"", rhythm_part(1), [False, True]),  # a device hears what comes on its own port
        (rhythm_part(1), b"", [True, False]),
        (rhythm_part(1, 0x50), b"", [False, True]),  # the blocks 5x are the other part group
        (sysex(b"\x43\x10\x4c\x08\x10\x07\x02\xf7"), b"", [False, True]),  # XG part 17 is the second port's first
        (rhythm_part(1), GM_ON, [True, False]),  # a reset of the second device leaves the first as it is
        (rhythm_part(1) + GM_ON, b"", [False, False]),
    ],
)
def test_a_drum_channel_is_declared_on_one_port(first: bytes, second: bytes, kits: list[bool]) -> None:
    data = midi(track(port(0) + first + SCALE), track(port(1) + second + SCALE))
    score = read_midi(data)
    assert drums(score) == [(0, 0, kits[0]), (1, 0, kits[1])]
    assert drums(read_midi(midi_bytes(score))) == drums(score)


def test_one_device_with_two_ports_is_reset_through_either() -> None:
    bank = b"\x00\xb0\x00\x7f"  # XG: bank 127 is drums on any channel
    score = read_midi(midi(track(port(0) + XG_ON + SCALE), track(port(1) + bank + b"\x00\xc0\x00" + SCALE)))
    assert drums(score) == [(0, 0, False), (1, 0, True)]


def test_a_message_to_the_second_device_is_sent_to_it_again() -> None:
    data = midi(track(port(0) + SCALE), track(port(1) + XG_ON), track(port(1) + SCALE))
    written = mido.MidiFile(file=io.BytesIO(midi_bytes(read_midi(data))))
    sent = []
    for messages in written.tracks:
        at = 0
        for message in messages:
            at = message.port if message.type == "midi_port" else at
            if message.type == "sysex":
                sent.append(at)
    assert sent == [1]
