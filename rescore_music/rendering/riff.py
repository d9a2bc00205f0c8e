"""The bytes of a SoundFont: its RIFF chunks and its nine tables, checked.

References: SoundFont Technical Specification 2.04, sections 3 (RIFF), 5 (sampled sound) and 7 (tables).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RenderError

Rows = npt.NDArray[np.void]
Bytes = npt.NDArray[np.uint8]

CURE = "use another SoundFont file, or none for the sounds that come with the installation"

_NAME = "S20"
_LAYOUT: dict[str, list[tuple[str, str]]] = {
    "phdr": [("name", _NAME), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")],
    "pbag": [("gen", "<u2"), ("mod", "<u2")],
    "pmod": [("source", "<u2"), ("target", "<u2"), ("amount", "<i2"), ("by", "<u2"), ("transform", "<u2")],
    "pgen": [("kind", "<u2"), ("amount", "<i2")],
    "inst": [("name", _NAME), ("bag", "<u2")],
    "shdr": [
        ("name", _NAME),
        *((field, "<u4") for field in ("start", "end", "loop_start", "loop_end", "rate")),
        ("key", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("kind", "<u2"),
    ],
}
_LAYOUT |= {"ibag": _LAYOUT["pbag"], "imod": _LAYOUT["pmod"], "igen": _LAYOUT["pgen"]}


def read_tables(path: Path) -> tuple[Bytes, dict[str, tuple[int, int]], dict[str, Rows]]:
    """Map a file; its bytes, where each chunk starts and stops, and its tables.

    Raises
    ------
    RenderError
        If it is no SoundFont, is cut short, or its tables point outside each other.
    """
    if path.stat().st_size < 12:
        raise RenderError("is no SoundFont: too short", file=path, cure=CURE)
    data: Bytes = np.memmap(path, np.uint8, "r")
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"sfbk":
        raise RenderError("is no SoundFont: it does not start with RIFF ... sfbk", file=path, cure=CURE)
    chunks = _chunks(path, data)
    tables = {name: _table(path, name, data, chunks) for name in _LAYOUT}
    _check(path, tables)
    return data, chunks, tables


def _chunks(path: Path, data: npt.NDArray[np.uint8]) -> dict[str, tuple[int, int]]:
    """Name to (start, stop) of every chunk, the members of LIST chunks included."""
    found: dict[str, tuple[int, int]] = {}
    todo = [(12, len(data))]
    while todo:
        at, stop = todo.pop(0)
        while at + 8 <= stop:
            name = bytes(data[at : at + 4]).decode("latin-1")
            end = at + 8 + int.from_bytes(bytes(data[at + 4 : at + 8]), "little")
            if end > stop:
                raise RenderError("is cut short", file=path, where=f"chunk {name.strip()!r} at byte {at}", cure=CURE)
            if name == "LIST":
                todo.append((at + 12, end))
            else:
                found.setdefault(name, (at + 8, end))
            at = end + (end - at) % 2
    return found


def _table(path: Path, name: str, data: npt.NDArray[np.uint8], chunks: dict[str, tuple[int, int]]) -> Rows:
    if name not in chunks:
        raise RenderError(f"has no {name!r} chunk", file=path, cure=CURE)
    start, stop = chunks[name]
    layout = np.dtype(_LAYOUT[name])
    if (stop - start) % layout.itemsize or stop == start:
        raise RenderError(
            f"{stop - start} bytes are no whole number of {layout.itemsize}-byte records",
            file=path,
            where=f"chunk {name!r}",
            cure=CURE,
        )
    return np.frombuffer(data[start:stop].tobytes(), layout)


def _check(path: Path, tables: dict[str, Rows]) -> None:
    """Every index rises and stays inside the table it points into."""
    points = [
        ("phdr", "bag", "pbag"),
        ("pbag", "gen", "pgen"),
        ("pbag", "mod", "pmod"),
        ("inst", "bag", "ibag"),
        ("ibag", "gen", "igen"),
        ("ibag", "mod", "imod"),
    ]
    for table, column, target in points:
        index = tables[table][column].astype(np.int64)
        if np.any(np.diff(index) < 0) or index[-1] >= len(tables[target]) + 1:
            raise RenderError(f"points outside {target!r}", file=path, where=f"chunk {table!r}", cure=CURE)
