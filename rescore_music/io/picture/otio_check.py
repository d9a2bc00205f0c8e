"""JSON of OTIO files, looked at before the package's own parser gets it.

That parser (0.18) ends the process at some malformed files, follows parts that hold themselves, and calls itself for
each level; so the text is parsed here, its numbers, schema names and depth are checked, and only what is sound goes on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from rescore_music.errors import ReadError
from rescore_music.io.limits import EDIT_DEPTH, EDIT_NODES


def checked(text: str, path: Path) -> str:
    """The document written anew from its parsed values.

    Raises
    ------
    ReadError
        If it is no JSON, too large or too deep, or holds what no timeline does.
    """
    if text.count("{") + text.count("[") + text.count(",") > EDIT_NODES:
        raise ReadError(f"more than {EDIT_NODES:,} values, too much for one list", file=path)
    _check_nesting(text, path)
    return json.dumps(_parsed(text, path))


def _check_nesting(text: str, path: Path) -> None:
    """Refuse values nested deeper than a parser that calls itself can go."""
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        if found[0] in "[{":
            depth += 1
            if depth > 4 * EDIT_DEPTH:
                raise ReadError(f"values nested more than {4 * EDIT_DEPTH} deep", file=path, cure="export it again")
        elif found[0] in "]}":
            depth -= 1


def _parsed(text: str, path: Path) -> Any:
    """The document, parsed: the package's own parser ends the process at some malformed ones (0.18 does)."""

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        schema = found.get("OTIO_SCHEMA")
        if schema is not None and not (isinstance(schema, str) and re.fullmatch(r"[A-Za-z]\w{0,80}\.\d{1,4}", schema)):
            raise ValueError(f"'{str(schema)[:40]}' is no OTIO schema")
        if str(schema).startswith("SerializableObjectRef"):  # a part that holds itself has no end
            raise ValueError("a part refers to another")
        return found

    def number(word: str) -> int:
        value = int(word) if len(word) < 20 else 1 << 64
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError(f"a number of {len(word)} digits")
        return value

    def no_number(word: str) -> float:
        raise ValueError(f"{word} is no number of frames")

    try:
        return json.loads(text, object_pairs_hook=object_of, parse_int=number, parse_constant=no_number)
    except (ValueError, RecursionError) as problem:
        said = " ".join(str(problem).split())[:200]
        raise ReadError(f"not an OTIO file: {said}", file=path, cure="export it again") from problem
