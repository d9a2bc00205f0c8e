"""ABC and Humdrum within bounds: music21 reads them in a process of its own, with limits on time and memory.

music21's parsers are not written for hostile files: a duration of a billion bars is built bar by bar. They cannot be
stopped from outside, so they run where they can. The process is started by the first such file and kept for the next
ones (music21 takes over a second to import).
"""

from __future__ import annotations

import contextlib
import io
import threading
from pathlib import Path

from rescore_music.errors import LimitError, ReadError
from rescore_music.io.limits import NOTATION_MEMORY, NOTATION_SECONDS, NOTATION_SECONDS_CLOCK, NOTATION_SECONDS_START
from rescore_music.score import LogItem, Score
from rescore_music.workers import Worker

_worker = Worker()
_one_at_a_time = threading.Lock()


def read_text_bounded(path: str | Path) -> Score:
    """Read an ABC tune or a Humdrum kern score as `io.text.read_text` does, within the limits of `io.limits`.

    Parameters
    ----------
    path : path

    Returns
    -------
    Score

    Raises
    ------
    ReadError
        If it is missing, malformed, has no notes, or takes too much time or memory.
    """
    with _one_at_a_time:
        try:
            if _worker.pid is None:
                _worker.call(_prepare, seconds=NOTATION_SECONDS_START)
            return _worker.call(
                _read,
                path,
                seconds=NOTATION_SECONDS_CLOCK,
                processor_seconds=NOTATION_SECONDS,
                memory=NOTATION_MEMORY,
            )
        except LimitError as error:
            raise ReadError(error.what, file=path, cure="shorten it, or export the music as MusicXML") from None


def _read(path: str | Path) -> Score:
    """In the process: what music21 says on stderr quotes the file, so it is counted, not shown."""
    from rescore_music.io.text import read_text

    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            score = read_text(path)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # music21's objects raise whatever the text provokes, and so does what is made of them
            what = f"malformed notation: {type(error).__name__}: {str(error)[:200]}"
            raise ReadError(what, file=path, cure="check the file") from None
    warnings = sum("WARNING" in line for line in said.getvalue().splitlines())
    if not warnings:
        return score
    item = LogItem("notation", "things that music21 did not understand and guessed or left out", warnings)
    return score.replace(import_log=(*score.import_log, item))


def _prepare() -> None:
    """Import what reading needs, outside the file's own limits."""
    import music21.abcFormat.translate
    import music21.humdrum.spineParser  # noqa: F401
