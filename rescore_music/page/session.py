"""What one reader of the page has: the request, the take that came of it, and the folder of its files."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

import rescore_music as rm


@dataclass
class Take:
    """One result, and what the page shows of it."""

    result: rm.Result
    folder: Path
    before: str
    after: str
    inspection: Path | None = None
    page_count: int = 0
    sheets: dict[int, str] = field(default_factory=dict)
    source_sound: Path | None = None
    result_sound: Path | None = None
    video: Path | None = None
    picture: Path | None = None
    picture_note: str = ""


@dataclass(frozen=True)
class Request:
    """What the reader asks for."""

    cue: Path | None
    template: str
    cues: Path | None
    rate: str
    start: str
    settings: rm.Settings
    video: Path | None = None


def workshop() -> Path:
    """This session's folder. It is removed when the session is forgotten or the server ends."""
    if "folder" not in st.session_state:
        st.session_state["folder"] = tempfile.TemporaryDirectory(prefix="rescore-page-", ignore_cleanup_errors=True)
    return Path(st.session_state["folder"].name)


def kept(upload: Any) -> Path:
    """An upload as a file under its own name."""
    folder = workshop() / "in"
    folder.mkdir(exist_ok=True)
    path = folder / safe_name(upload.name)
    path.write_bytes(upload.getbuffer())
    return path


def plain(text: str) -> str:
    """Text that the page shows as it is: a file cannot put pictures, links or formulas onto it."""
    return re.sub(r"([\\`*_\[\]<>$#|~])", r"\\\1", text)


def safe_name(name: str) -> str:
    r"""The file's own name as far as it is one: no folders, nothing that is not printed, no longer than disks allow.

    Examples
    --------
    >>> safe_name("my cue.mid"), safe_name("../../up.mid"), safe_name(".."), safe_name("a\\0b.mid")
    ('my cue.mid', 'up.mid', 'cue', 'a-b.mid')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    path = Path("".join(c if c.isprintable() else "-" for c in last))
    stem = path.stem.encode("utf-8", "replace")[:150].decode("utf-8", "ignore").strip(". ")
    return (stem or "cue") + (path.suffix if len(path.suffix) < 20 else "")
