"""What a broadcast wave file says beside its samples: who made it, where on the reel it lies, and its markers.

Conventions: the time reference counts samples since midnight, that is since timecode 00:00:00:00: a frame's number over
the exact frame rate, times the sample rate. At the pulled-down rates an hour of timecode is 3603.6 seconds, so
01:00:00:00 at 23.976 and 48 kHz is sample 172,972,800. Where a frame is no whole number of samples (44.1 kHz, or
29.97) the nearest is taken, at most half a sample off. Nothing is taken from the clock of the machine: the date is the
caller's, or fixed, so the same sound gives the same bytes.

Chunks: `bext` (EBU Tech 3285, version 1) and `iXML` before the samples; `cue ` and `LIST adtl` (labels) after them.

References
----------
EBU Tech 3285 (2011), Specification of the Broadcast Wave Format; IBM and Microsoft (1991), Multimedia Programming
Interface and Data Specifications 1.0, "Waveform Audio File Format"; iXML specification 2.10.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from xml.sax.saxutils import escape

from rescore_music.timecode import Timecode

FIXED_DATE = "2000-01-01"  # of files whose maker tells none: EBU asks for a date, the same input for the same bytes
DAY = 1 << 64


@dataclass(frozen=True)
class Broadcast:
    """Where a sound lies on the reel, and what it is.

    Attributes
    ----------
    start : Timecode
        Of the frame that the first sample falls on.
    description, originator : str
        At most 256 and 32 letters of ASCII are kept in `bext`; others become "?" there and stay whole in iXML.
    markers : tuple of (float, str)
        Seconds after the first sample, and a label.
    date : str
        yyyy-mm-dd.
    """

    start: Timecode
    description: str = ""
    originator: str = "rescore-music"
    markers: tuple[tuple[float, str], ...] = ()
    date: str = FIXED_DATE


def time_reference(start: Timecode, sample_rate: int) -> int:
    """Samples since midnight of a frame's start, to the nearest sample."""
    return round(start.seconds * sample_rate)


def broadcast_wave(data: bytes, said: Broadcast, sample_rate: int) -> bytes:
    """A WAV file with the chunks of a broadcast wave.

    Parameters
    ----------
    data : bytes
        A whole RIFF WAVE file of PCM samples.
    said : Broadcast
    sample_rate : int
        Hz.
    """
    frames = _samples(data)
    cues = sorted((min(round(seconds * sample_rate), frames), label) for seconds, label in said.markers)
    body = b"WAVE" + _chunk(b"bext", _bext(said, sample_rate)) + _chunk(b"iXML", _ixml(said, sample_rate)) + data[12:]
    if len(data) % 2:
        body += b"\0"
    if cues:
        body += _chunk(b"cue ", _cue(cues)) + _chunk(b"LIST", _labels(cues))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _samples(data: bytes) -> int:
    """How many frames of samples a WAV file holds."""
    at, align = 12, 1
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            align = max(int.from_bytes(data[at + 20 : at + 22], "little"), 1)
        if name == b"data":
            return size // align
        at += 8 + size + size % 2
    return 0


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _ascii(text: str, size: int) -> bytes:
    return " ".join(text.split()).encode("ascii", "replace")[:size].ljust(size, b"\0")


def _bext(said: Broadcast, sample_rate: int) -> bytes:
    reference = time_reference(said.start, sample_rate)
    return (
        _ascii(said.description, 256)
        + _ascii(said.originator, 32)
        + _ascii(said.start.label, 32)  # originator's reference
        + _ascii(said.date, 10)
        + b"00:00:00"
        + struct.pack("<QH", reference % DAY, 1)
        + bytes(64 + 190)  # no UMID; reserved
    )


def _ixml(said: Broadcast, sample_rate: int) -> bytes:
    rate, reference = said.start.rate, time_reference(said.start, sample_rate)
    fps, flag = f"{rate.fps.numerator}/{rate.fps.denominator}", "DF" if rate.drop else "NDF"
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<BWFXML><IXML_VERSION>2.10</IXML_VERSION>",
        f"<PROJECT>{escape(_plain(said.description))}</PROJECT>",
        f"<NOTE>{escape(said.start.label)} at {rate}</NOTE>",
        f"<SPEED><MASTER_SPEED>{fps}</MASTER_SPEED><CURRENT_SPEED>{fps}</CURRENT_SPEED>",
        f"<TIMECODE_RATE>{fps}</TIMECODE_RATE><TIMECODE_FLAG>{flag}</TIMECODE_FLAG>",
        f"<FILE_SAMPLE_RATE>{sample_rate}</FILE_SAMPLE_RATE>",
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>{reference >> 32}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>",
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{reference & 0xFFFFFFFF}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>",
        f"<TIMESTAMP_SAMPLE_RATE>{sample_rate}</TIMESTAMP_SAMPLE_RATE></SPEED></BWFXML>",
    )
    return "\n".join(lines).encode("utf-8")


def _plain(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(c if c.isprintable() else " " for c in text)


def _cue(cues: list[tuple[int, str]]) -> bytes:
    points = (struct.pack("<II4sIII", n, place, b"data", 0, 0, place) for n, (place, _) in enumerate(cues, 1))
    return struct.pack("<I", len(cues)) + b"".join(points)


def _labels(cues: list[tuple[int, str]]) -> bytes:
    texts = (struct.pack("<I", n) + label.encode("utf-8") + b"\0" for n, (_, label) in enumerate(cues, 1))
    return b"adtl" + b"".join(_chunk(b"labl", text) for text in texts)
