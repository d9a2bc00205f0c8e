"""Edit lists and marker lists of the picture: one module a format, and the suffix table.

Formats, and what each keeps, are described in docs/picture.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from rescore_music.edits import EditList
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, TimecodeError, WriteError
from rescore_music.timecode import FrameRate

__all__ = ["read_edits", "suffixes", "write_edits"]

_READERS = {
    ".edl": ("edl", "read_edl"),
    ".fcpxml": ("fcpxml", "read_fcpxml"),
    ".fcpxmld": ("fcpxml", "read_fcpxml"),
    ".xml": ("xmeml", "read_xmeml"),
    ".otio": ("otio", "read_otio"),
    ".aaf": ("aaf", "read_aaf"),
    ".csv": ("markers", "read_reaper_list"),
    ".tsv": ("markers", "read_reaper_list"),
    ".txt": ("markers", "read_session_text"),
    ".rpp": ("markers", "read_reaper_project"),
    **dict.fromkeys((".mid", ".midi"), ("midi", "read_midi_markers")),
}
_WRITERS = {
    ".edl": ("edl", "write_edl"),
    ".fcpxml": ("fcpxml", "write_fcpxml"),
    ".otio": ("otio", "write_otio"),
    ".csv": ("markers", "write_reaper_list"),
    ".txt": ("markers", "write_session_text"),
}


def suffixes() -> tuple[str, ...]:
    """The suffixes that `read_edits` knows."""
    return tuple(_READERS)


def _function(table: dict[str, tuple[str, str]], suffix: str) -> Callable[..., Any]:
    module, name = table[suffix]
    function: Callable[..., Any] = getattr(import_module(f"{__name__}.{module}"), name)
    return function


def read_edits(path: str | Path, rate: FrameRate | str | float | None = None) -> EditList:
    """Read an edit list or a list of markers.

    Parameters
    ----------
    path : path
        .edl (CMX3600), .fcpxml and .fcpxmld (Final Cut Pro), .xml (Final Cut Pro 7, or FCPXML), .otio, .aaf,
        .csv .tsv (REAPER region and marker list), .rpp (REAPER project), .txt (Pro Tools session info), .mid (MIDI
        markers).
    rate : FrameRate, str or number, optional
        Frame rate of the picture; needed where the file does not tell it (.edl, .csv, .rpp, .mid).

    Returns
    -------
    EditList
        Its `log` tells what was rounded, guessed or left out.

    Raises
    ------
    ReadError
        With file and place, if it cannot be read, says what it may not, or tells another rate than the one given.
    TimecodeError
        If the rate given does not exist.
    MissingExtra
        If reading .otio or .aaf needs a package that is not installed.
    """
    path = Path(path)
    known = None if rate is None else FrameRate.parse(rate)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        what = f"an edit list's suffix is one of {' '.join(_READERS)}, not {path.suffix!r}"
        raise ReadError(what, file=path, cure="name its format")
    try:
        edits: EditList = _function(_READERS, suffix)(path, known)
    except TimecodeError as problem:  # values that a format's reader had no place for
        raise ReadError(problem.what, file=path, cure=problem.cure) from problem
    return edits


def write_edits(edits: EditList, path: str | Path) -> tuple[LogItem, ...]:
    """Write an edit list as its suffix says: .edl, .fcpxml, .otio; its markers alone as .csv (REAPER) or .txt.

    Returns
    -------
    tuple of LogItem
        What the format cannot keep.

    Raises
    ------
    WriteError
        If the suffix names no format that can be written, or the format cannot hold the list.
    MissingExtra
        If writing .otio needs a package that is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        what = f"an edit list cannot be written as {path.suffix or 'a file without suffix'}"
        raise WriteError(what, file=path, cure=f"write {', '.join(_WRITERS)}")
    log: tuple[LogItem, ...] = _function(_WRITERS, suffix)(edits, path)
    return log
