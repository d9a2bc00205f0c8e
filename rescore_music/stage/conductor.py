"""MIDI for a session: the score with its tempo map and markers, and the SMPTE offset of its first tick.

MIDI's offset message knows four counts: 24, 25, 30 drop and 30. Every other count is written as the one whose labels it
shares: 23.976 as 24, 29.97 non-drop as 30; the doubled rates by their half, the odd frame as 50 of 100 subframes (so 48
as 24, 59.94 drop as 29.97 drop). The label stays the same hours, minutes, seconds; how fast it runs the receiving
program must be told, which the log item says.

References
----------
MIDI Manufacturers Association (2001), Standard MIDI Files 1.1, RP-019: meta event FF 54.
"""

from __future__ import annotations

from rescore_music.elements import LogItem, Marker, RawEvent
from rescore_music.errors import TimecodeError
from rescore_music.score import Score
from rescore_music.timecode import FrameRate, Timecode, fields_from_frames

OFFSET = b"\xff\x54"
_COUNTS = {24: 0, 25: 1, 30: 3}  # bits 5 and 6 of the hours' byte
_DROP = 2


def smpte_offset(start: Timecode) -> tuple[bytes, LogItem | None]:
    """The offset message of a timecode, and what it cannot say of the rate.

    Returns
    -------
    bytes
        Meta event FF 54 with its five bytes, without a length.
    LogItem or None

    Raises
    ------
    TimecodeError
        If no count of MIDI's divides the rate's (none of the rates in use).
    """
    rate = start.rate
    count = next((n for n in (24, 25, 30) if rate.nominal % n == 0), 0)
    if not count:
        raise TimecodeError(
            f"MIDI has no timecode of {rate} frames a second", cure="use 24, 25, 29.97df, 30 or twice it"
        )
    parts = rate.nominal // count
    hours, minutes, seconds, frames = (int(v) for v in fields_from_frames(start.frame, rate))
    kind = _DROP if rate.drop else _COUNTS[count]
    data = bytes((kind << 5 | hours, minutes, seconds, frames // parts, frames % parts * 100 // parts))
    written = FrameRate.parse("29.97df") if rate.drop else FrameRate.parse(count)
    if written == rate:
        return OFFSET + data, None
    what = f"MIDI knows no {rate} frames a second: the offset {start.label} is written at {written}; set the rate there"
    return OFFSET + data, LogItem("SMPTE offset", what)


def with_offset(score: Score, start: Timecode) -> tuple[Score, tuple[LogItem, ...]]:
    """The score with the timecode of its first tick; an offset that it had gives way."""
    data, item = smpte_offset(start)
    kept = tuple(r for r in score.raw if r.data[:2] != OFFSET)
    return score.replace(raw=(RawEvent(0, data), *kept)), (item,) if item else ()


def with_hit_markers(score: Score, places: list[tuple[int, str]]) -> Score:
    """The score with a marker at every hit, in place of those that syncing left."""
    kept = tuple(m for m in score.markers if m.kind != "hit")
    return score.replace(markers=(*kept, *(Marker(tick, text, "hit") for tick, text in places)))
