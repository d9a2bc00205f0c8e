"""What is asked of a delivery to the stage, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rescore_music.elements import LogItem
from rescore_music.io.broadcast import FIXED_DATE
from rescore_music.stage.lead import Led
from rescore_music.stage.streamers import SECONDS
from rescore_music.syncing.result import Landing


@dataclass(frozen=True)
class StageSettings:
    """How it is delivered.

    Attributes
    ----------
    free_bars : int
        Bars of warning clicks before the cue.
    subdivide : str
        Clicks inside beats: "auto", "off", "2", "3", "4"; see `click.clicks`.
    streamers, flutters : str
        What gets them; see `streamers.overlay`.
    seconds : float
        A streamer's length.
    date : str
        In broadcast waves, yyyy-mm-dd; fixed, unless told.
    pages : bool
        Whether the score is engraved as PDF.
    own : float or None
        Gain in dB of the video's own sound under the new score; None leaves it out.
    """

    free_bars: int = 2
    subdivide: str = "auto"
    streamers: str = "hard"
    flutters: str = "soft"
    seconds: float = SECONDS
    date: str = FIXED_DATE
    pages: bool = True
    own: float | None = None


@dataclass(frozen=True, eq=False)
class Staged:
    """What was written.

    Attributes
    ----------
    files : mapping of name to Path
        By their names in the folder; stems are one entry.
    hits : tuple of Landing
    led : Led
    log : tuple of LogItem
        What a format cannot say.
    """

    files: Mapping[str, Path]
    hits: tuple[Landing, ...]
    led: Led
    log: tuple[LogItem, ...] = ()
