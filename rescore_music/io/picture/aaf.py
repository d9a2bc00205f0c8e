"""AAF (Advanced Authoring Format), through the package pyaaf2 (MIT, the extra `aaf`): reading.

An AAF file is a file system in a file, whose parts name each other; a malformed one may name itself, or ask for any
amount of memory. So it is read in a process of its own, within limits of time and memory, and what comes back is an
edit list or one line. Media inside the file is never touched: only what describes the edit is read.

Sources: AAF Object Specification v1.1 (AMWA) and AAF Edit Protocol (AMWA, 2005) for the meaning of the parts;
`aaf_reading` tells what becomes of them.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from pathlib import Path

from rescore_music.edits import EditList
from rescore_music.errors import LimitError, MissingExtra, ReadError, RescoreError
from rescore_music.io.files import read_head
from rescore_music.io.limits import AAF_BYTES, AAF_MEMORY, AAF_SECONDS, AAF_SECONDS_CLOCK
from rescore_music.timecode import FrameRate
from rescore_music.workers import Worker

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # of every compound file
EXPORT = "export it again"
_worker = Worker()
_one_at_a_time = threading.Lock()


def read_aaf(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read an .aaf file; see `read_edits`."""
    if importlib.util.find_spec("aaf2") is None:
        raise MissingExtra("AAF files need the package pyaaf2", file=path, cure="pip install 'rescore-music[aaf]'")
    _check(path)
    with _one_at_a_time:
        try:
            if _worker.pid is None:
                _worker.call(_prepare, seconds=AAF_SECONDS_CLOCK)
            return _worker.call(
                _read,
                path.absolute(),
                path,
                rate,
                seconds=AAF_SECONDS_CLOCK,
                processor_seconds=AAF_SECONDS,
                memory=AAF_MEMORY,
            )
        except LimitError as error:
            raise ReadError(error.what, file=path, cure="export one sequence, without media inside") from None


def _check(path: Path) -> None:
    """Refuse what is no plain file of a size that is believed, or no compound file."""
    head = read_head(path, len(MAGIC))
    if path.stat().st_size > AAF_BYTES:
        what = f"the file is larger than {AAF_BYTES >> 20:,} MiB, the limit for its kind"
        raise ReadError(what, file=path, cure="export it without media inside")
    if head != MAGIC:
        raise ReadError("this is no AAF file", file=path, cure="check that the suffix names what is inside")


def _prepare() -> None:
    """Import what reading needs, outside the file's own limits."""
    import aaf2  # noqa: F401

    logging.getLogger().addHandler(logging.NullHandler())  # the package tells its doubts to the root logger


def _read(place: Path, path: Path, rate: FrameRate | None) -> EditList:
    """In the process: the package raises whatever a malformed file provokes."""
    import aaf2

    from rescore_music.io.picture.aaf_reading import read_composition

    try:
        with aaf2.open(str(place), "r") as file:
            return read_composition(file, path, rate)
    except (RescoreError, MemoryError):
        raise
    except Exception as problem:
        said = " ".join(str(problem).split())[:120]
        what = f"not a sound AAF file: {type(problem).__name__}{f': {said}' if said else ''}"
        raise ReadError(what, file=path, cure=EXPORT) from None
