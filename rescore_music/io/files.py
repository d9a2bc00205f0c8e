"""Bytes from and to disk: whole files within a limit, and writes that either happen or do not.

A write goes to a temporary file beside its target and is moved over it in one step, so that a reader never sees half
a file and a failed run leaves what was there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import threading
from pathlib import Path

from rescore_music.errors import ReadError, WriteError
from rescore_music.io.limits import FILE_BYTES


def read_bytes(path: str | Path, limit: int = FILE_BYTES) -> bytes:
    """The whole file.

    Parameters
    ----------
    path : path
    limit : int
        Most bytes that are read.

    Raises
    ------
    ReadError
        If it is missing, no plain file, empty, unreadable or larger than `limit`.
    """
    data = _begun(Path(path), limit + 1)
    if len(data) > limit:
        raise ReadError(f"the file is larger than {limit / (1 << 20):,g} MiB, the limit for its kind", file=path)
    return data


def read_head(path: str | Path, count: int) -> bytes:
    """The first `count` bytes of a file that others read; errors as for `read_bytes`, but for its size."""
    return _begun(Path(path), count)


def _begun(path: Path, count: int) -> bytes:
    """The first bytes of a plain file that is not empty."""
    try:
        if path.is_dir():
            raise ReadError("this is a folder, not a file", file=path, cure="name one file in it")
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a device has no end
            raise ReadError("this is a pipe or a device, not a file", file=path, cure="name a file")
        with path.open("rb") as file:
            data = file.read(count)
    except FileNotFoundError:
        raise ReadError("there is no such file", file=path, cure="check the name") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(f"the file cannot be read: {reason}", file=path, cure="check its permissions") from None
    if not data:
        raise ReadError("the file is empty", file=path)
    return data


def atomic_write(path: str | Path, data: bytes) -> Path:
    """Write a file whole or not at all, and return its path.

    Raises
    ------
    WriteError
        If the folder does not exist or cannot be written, or the disk is full. What was there before stays.
    """
    path = Path(path)
    # one name a process and thread, so that two runs into one folder do not meet
    temporary = path.with_name(f".{path.name[:60]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        if path.is_dir():
            raise WriteError("this is a folder, not a file", file=path, cure="name a file in it")
        temporary.write_bytes(data)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except FileNotFoundError:
        raise WriteError("the folder does not exist", file=path, cure=f"make {path.parent} first") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        cure = f"choose a folder you may write to instead of {path.parent}"
        raise WriteError(f"the file cannot be written: {reason}", file=path, cure=cure) from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink()  # only there when the move did not happen
    return path
