"""Small MIDI files built byte by byte: each holds one thing that real files hold."""

from __future__ import annotations

END = b"\x00\xff\x2f\x00"
SCALE = b"".join(bytes((0, 0x90, p, 80, 96, 0x80, p, 64)) for p in (60, 62, 64, 65, 67, 69, 71, 72))


def track(body: bytes, *, end: bytes = END, length: int | None = None) -> bytes:
    """A track chunk; `length` lies about its size."""
    body += end
    return b"MTrk" + (len(body) if length is None else length).to_bytes(4) + body


def midi(*tracks: bytes, kind: int = 1, division: int = 96, count: int | None = None) -> bytes:
    """A file of whole track chunks."""
    number = len(tracks) if count is None else count
    return b"MThd\x00\x00\x00\x06" + b"".join(n.to_bytes(2) for n in (kind, number, division)) + b"".join(tracks)


def meta(kind: int, data: bytes, delta: int = 0) -> bytes:
    """A meta message after a delta time under 128."""
    assert len(data) < 128
    assert delta < 128
    return bytes((delta, 0xFF, kind, len(data))) + data


def sysex(data: bytes, delta: int = 0) -> bytes:
    """A system exclusive message; `data` without its first byte F0."""
    return bytes((delta, 0xF0, len(data))) + data


# whole files to damage
SEEDS = [
    midi(track(SCALE), track(meta(3, b"Flute") + b"\x00\xc0\x49" + SCALE)),
    midi(track(meta(0x51, b"\x07\xa1\x20") + meta(0x58, b"\x04\x02\x18\x08") + sysex(b"\x7e\x7f\x09\x01\xf7") + SCALE)),
    midi(track(b"\x00\x90\x3c\x50\x60\x3c\x00\x00\x40\x50\x60\x40\x00" * 4 + meta(5, b"la ")), kind=0),
    b"RIFF\0\0\0\0RMIDdata\0\4\0\0" + midi(track(SCALE)),
]
