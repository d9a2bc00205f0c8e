"""CMX3600 edit lists, written: events, counts, speeds and names as `edl` reads them back, markers as `LOC` comments."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from rescore_music.edits import DISSOLVE, WIPE, Edit, EditList, told
from rescore_music.elements import LogItem
from rescore_music.io.files import atomic_write
from rescore_music.io.picture.common import Remarks, check_labels, label_of
from rescore_music.io.picture.edl import CHANNELS, COLORS
from rescore_music.io.picture.edl_speed import frames_a_second, speed_of
from rescore_music.timecode import FrameRate

_CODES = {frozenset(tracks.split()): code for code, tracks in reversed(CHANNELS.items()) if code not in ("12", "A/V")}


def write(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write the list; what it cannot keep comes back."""
    last = max([e.record_end for e in edits.edits] + [m.frame + 1 for m in edits.markers], default=0)
    check_labels(last, edits.rate, path)
    remarks: Remarks = []
    lines = [f"TITLE: {_line(edits.title)}", f"FCM: {_fcm(edits.rate)}", ""]
    count = edits.rate
    ends = {(edit.track, edit.record_end): edit for edit in edits.edits}
    for number, (edit, tracks) in enumerate(_events(edits), 1):
        before = ends.get((tracks[0], edit.record_start))
        count = _write_event(lines, number, edit, tracks, count, edits.rate, remarks, before)
    for marker in edits.markers:
        color = (marker.color or "none").upper()
        if color.lower() not in COLORS:
            remarks.append((label_of(marker.frame, edits.rate), "marker colour that edit lists do not know", True))
            color = "NONE"
        if marker.length > 1:
            remarks.append((label_of(marker.frame, edits.rate), "length of a marker", True))
        lines.append(f"* LOC: {label_of(marker.frame, edits.rate)} {color:<7} {marker.text}".rstrip())
    atomic_write(path, "".join(line + "\r\n" for line in lines).encode("utf-8"))
    return told(remarks)


def _fcm(rate: FrameRate) -> str:
    return "DROP FRAME" if rate.drop else "NON-DROP FRAME"


def _events(edits: EditList) -> list[tuple[Edit, list[str]]]:
    """Edits that differ only in their track as one event."""
    grouped: dict[Edit, list[str]] = {}
    for edit in edits.edits:
        grouped.setdefault(replace(edit, track="NONE"), []).append(edit.track)
    events: list[tuple[Edit, list[str]]] = []
    for edit, tracks in grouped.items():
        if frozenset(tracks) in _CODES and len(set(tracks)) == len(tracks):
            events.append((edit, tracks))
        else:
            events += [(edit, [track]) for track in tracks]
    return events


def _line(text: str) -> str:
    return " ".join(text.split())


def _reel(reel: str) -> str:
    """The reel's field: a name that fits it, or AX (auxiliary source)."""
    fits = re.fullmatch(r"[!-~]{1,32}", reel) and not reel.startswith("*") and reel.upper() != "AX"
    return reel if fits else "AX"


def _write_event(
    lines: list[str],
    number: int,
    edit: Edit,
    tracks: list[str],
    count: FrameRate,
    rate: FrameRate,
    remarks: Remarks,
    before: Edit | None,
) -> FrameRate:
    """Add an event's lines; return the count that holds after them. `before` is the shot that a transition leaves."""
    own = edit.source_rate or rate
    listed = FrameRate(rate.fps, own.drop) if own.fps == rate.fps else rate
    if listed != count:
        lines.append(f"FCM: {_fcm(listed)}")
    channels = _CODES.get(frozenset(tracks), tracks[0])
    record = [label_of(frame, rate) for frame in (edit.record_start, edit.record_end)]
    source = [label_of(frame, own) for frame in (edit.source_start, edit.source_end)]
    head, reel = f"{number:03d}  ", _reel(edit.reel)
    kind = "C"
    if edit.transition_length:
        kind = "D" if edit.transition == DISSOLVE else f"W{edit.wipe:>03}"
        if edit.transition == WIPE and not re.fullmatch(r"\d{1,3}", edit.wipe):
            kind = "W001"
            remarks.append((record[0], f"name of the wipe '{edit.wipe[:40]}'", True))
        left = _reel(edit.outgoing)
        left_at = 0
        if before is not None and before.source_rate == listed and before.reel == edit.outgoing:
            left_at = before.source_start if before.speed < 0 else before.source_end
        label = label_of(left_at, listed)
        lines.append(f"{head}{left:<8} {channels:<5} C        {label} {label} {record[0]} {record[0]}")
    length = f"{edit.transition_length:03d}" if edit.transition_length else ""
    lines.append(f"{head}{reel:<8} {channels:<5} {kind:<4} {length:<3} {' '.join(source)} {' '.join(record)}")
    if edit.speed != 1:
        value = frames_a_second(edit.speed, rate)
        lines.append(f"M2   {reel:<8} {value:<8} {source[0]}")
        if speed_of(value, rate) != edit.speed:
            lines.append(f"* SPEED: {edit.speed}")
    said = {
        "TO CLIP NAME" if edit.transition_length else "FROM CLIP NAME": edit.clip,
        "SOURCE FILE": edit.file,
        "REEL": edit.reel if _reel(edit.reel) != edit.reel else "",
        "OUTGOING": edit.outgoing if edit.transition_length and _reel(edit.outgoing) != edit.outgoing else "",
        "SOURCE RATE": own.name if own.fps != rate.fps else "",
    }
    lines += [f"* {name}: {_line(value)}" for name, value in said.items() if value]
    return listed
