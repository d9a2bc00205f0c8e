"""What the readers of edit lists share: limits, text, rates and places in messages."""

from __future__ import annotations

from pathlib import Path

from rescore_music.edits import LONGEST
from rescore_music.errors import ReadError, RescoreError, WriteError
from rescore_music.io.encoding import Encodings
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import EDIT_BYTES, EDITS, TEXT
from rescore_music.timecode import FrameRate, Timecode, labels

Remarks = list[tuple[str, str, bool]]  # where, what, lost


def text_lines(path: Path) -> list[str]:
    """The lines of a text file in any of the usual encodings, each cut at `limits.TEXT` characters."""
    raw = read_bytes(path, EDIT_BYTES)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", "replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode(Encodings(raw.splitlines()).name or "cp1252", "replace")
    if "\0" in text:
        raise ReadError("not a text file", file=path, cure="check that the suffix names what is inside")
    return [line[:TEXT] for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def frame_of(label: str, rate: FrameRate, path: Path, where: str) -> int:
    """The frame of a label, or one line that names its place."""
    try:
        return Timecode.parse(label, rate).frame
    except RescoreError as problem:
        raise ReadError(problem.what, file=path, where=where, cure=problem.cure) from problem


def label_of(frame: int, rate: FrameRate) -> str:
    """A frame's label."""
    return str(labels(frame, rate))


def wanted_rate(given: FrameRate | None, path: Path, kind: str) -> FrameRate:
    """The rate given for a format that does not tell one."""
    if given is None:
        raise ReadError(f"{kind} does not say its frame rate", file=path, cure="give it, such as 23.976 or 29.97df")
    return given


def agreed_rate(told: FrameRate, given: FrameRate | None, path: Path) -> FrameRate:
    """The rate that a file tells, which must be the one given, if one was."""
    if given is not None and given != told:
        raise ReadError(f"the file is at {told}, not at {given}", file=path, cure=f"give {told}, or no rate")
    return told


def check_count(count: int, path: Path, limit: int = EDITS) -> None:
    """Refuse a list of more entries than any film has."""
    if count > limit:
        raise ReadError(f"more than {limit:,} entries, too many for one list", file=path, cure="split it")


def check_frame(frame: int, path: Path, where: str) -> int:
    """A frame that lies in the picture."""
    if not 0 <= frame <= LONGEST:
        what = "lies before 00:00:00:00" if frame < 0 else "lies too far away for a picture"
        raise ReadError(f"a time {what}", file=path, where=where, cure="check the start of the list")
    return frame


def check_labels(last: int, rate: FrameRate, path: Path) -> None:
    """Refuse to write labels that would wrap at 24 hours."""
    if last > 24 * rate.frames_per_hour:
        raise WriteError("the list goes past 24:00:00:00, which timecode cannot say", file=path, cure="move it back")
