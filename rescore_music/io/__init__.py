"""Formats in and out: the suffix table. Each format is one module with a reader, a writer, or both.

The suffix says what a file should be, its first bytes say what it is. Where they disagree and the content is MIDI or
MusicXML, the content wins and the import log says so; anything else is refused in one line.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rescore_music.errors import ReadError, WriteError
from rescore_music.io.files import atomic_write, read_bytes
from rescore_music.io.limits import SNIFF
from rescore_music.score import LogItem, Score

if TYPE_CHECKING:
    from rescore_music.audio import Audio, Rendering
    from rescore_music.io.midi.sound_map import SoundMap

__all__ = ["atomic_write", "read_bytes", "read_score", "read_scores", "sniff", "suffixes", "write_audio", "write_score"]

_SUFFIXES = {
    **dict.fromkeys((".mid", ".midi", ".kar", ".rmi", ".smf"), "midi"),
    **dict.fromkeys((".musicxml", ".xml", ".mxl"), "musicxml"),
    ".abc": "abc",
    ".krn": "humdrum",
}
_NAMES = {"midi": "MIDI", "musicxml": "MusicXML", "abc": "ABC notation", "humdrum": "Humdrum", "text": "text"}
_READERS = {
    "midi": ("rescore_music.io.midi.read", "read_midi"),
    "musicxml": ("rescore_music.io.musicxml.read", "read_musicxml"),
    "abc": ("rescore_music.io.bounded", "read_text_bounded"),
    "humdrum": ("rescore_music.io.bounded", "read_text_bounded"),
}
_PATTERNS = {"midi": ("rescore_music.io.midi.read", "read_patterns")}
_WRITERS = {
    "midi": ("rescore_music.io.midi.write", "write_midi"),
    "musicxml": ("rescore_music.io.musicxml.write", "write_musicxml"),
}


def _function(table: dict[str, tuple[str, str]], kind: str) -> Any:
    module, name = table[kind]
    return getattr(import_module(module), name)


def suffixes() -> tuple[str, ...]:
    """The suffixes that `read_score` knows."""
    return tuple(_SUFFIXES)


def sniff(head: bytes) -> str:
    """What the first bytes of a file are: "midi", "musicxml", "abc", "humdrum", "text", or "" for anything else."""
    if head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:12] == b"RMID"):
        return "midi"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head.decode("utf-16", errors="replace")
    else:
        text = head.decode("utf-8", errors="replace").removeprefix("\ufeff")
    start = text.lstrip()
    if start.startswith("<"):
        return "musicxml" if "<score-" in text or "<!DOCTYPE score-" in text else "text"
    if head[:4] == b"PK\x03\x04":
        return "musicxml"
    if b"MThd" in head:
        return "midi"
    if start.startswith("**") or (start.startswith("!!") and "\n**" in text):
        return "humdrum"
    if start.startswith(("%abc", "X:")) or ("\nX:" in text and "\nK:" in text):
        return "abc"
    control = sum(byte < 9 or 13 < byte < 32 for byte in head[:1024])
    return "text" if not control else ""


def read_score(path: str | Path, *, salvage: bool = False) -> Score:
    """Read a cue.

    Parameters
    ----------
    path : path
        .mid .midi .kar .rmi .smf (MIDI), .musicxml .xml .mxl (MusicXML), .abc (ABC), .krn (Humdrum).
    salvage : bool
        Take what is whole of a MIDI file that was cut off, instead of refusing it.

    Returns
    -------
    Score
        Its `import_log` tells what was mended or dropped.

    Raises
    ------
    ReadError
        If the file is missing, empty, too large, of an unknown kind, or not what its suffix says.
    """
    return _read(Path(path), salvage=salvage)[0]


def read_scores(path: str | Path, *, salvage: bool = False) -> tuple[Score, ...]:
    """Read a file that may hold several pieces: each pattern of a MIDI file of format 2 is a score of its own.

    Every other file is one score. Parameters and errors are those of `read_score`, which puts patterns one after the
    other.
    """
    return _read(Path(path), salvage=salvage, patterns=True)


def _read(path: Path, *, salvage: bool, patterns: bool = False) -> tuple[Score, ...]:
    expected = _SUFFIXES.get(path.suffix.lower(), "")
    head = _head(path)
    found = sniff(head)
    kind = found if found in ("midi", "musicxml") else expected or (found if found != "text" else "")
    if not kind:
        known = " ".join(suffixes())
        raise ReadError(f"a score's suffix is one of {known}, not {path.suffix!r}", file=path, cure="name its format")
    if kind == expected and found != kind and kind in ("midi", "musicxml"):
        what = f"this is {_NAMES[found]}, not {_NAMES[kind]}" if found in _NAMES else f"this is not {_NAMES[kind]}"
        raise ReadError(what, file=path, cure="check that the suffix names what is inside")
    options = {"salvage": True} if salvage and kind == "midi" else {}
    scores: tuple[Score, ...]
    if patterns and kind == "midi":
        scores = _function(_PATTERNS, kind)(path, **options)
    else:
        scores = (_function(_READERS, kind)(path, **options),)
    if expected and kind != expected:
        item = LogItem(path.suffix, f"the suffix says {_NAMES[expected]}, but this is {_NAMES[kind]}: read as that")
        scores = tuple(score.replace(import_log=(item, *score.import_log)) for score in scores)
    return scores


def _head(path: Path) -> bytes:
    # a first look at a file of any size; the reader of its format then sets its own limit
    head = b""
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(SNIFF)
    return head or read_bytes(path)


def write_score(score: Score, path: str | Path, *, sound_map: SoundMap | str | Path | None = None) -> Path:
    """Write a score as the suffix says: .mid .midi (MIDI), .musicxml .xml .mxl (MusicXML).

    Parameters
    ----------
    score : Score
    path : path
    sound_map : SoundMap, str or path, optional
        For MIDI: how a sample library is told to play articulations; a shipped map's name or a YAML file.

    Raises
    ------
    WriteError
        If the suffix names no format that can be written, or the file cannot be.
    TemplateError
        If there is no such sound map, or its file is wrong.
    """
    path = Path(path)
    kind = {".kar": "", ".rmi": ""}.get(path.suffix.lower(), _SUFFIXES.get(path.suffix.lower(), ""))
    if kind not in _WRITERS:
        cure = "write .mid, .musicxml or .mxl"
        raise WriteError(f"a score cannot be written as {path.suffix or 'a file without suffix'}", file=path, cure=cure)
    options = {"sound_map": sound_map} if sound_map is not None and kind == "midi" else {}
    _function(_WRITERS, kind)(score, path, **options)
    return path


def write_audio(audio: Audio | Rendering, path: str | Path) -> Path:
    """Write sound as a WAV file.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    _function({"wav": ("rescore_music.io.wav", "write_audio")}, "wav")(audio, path)
    return Path(path)
