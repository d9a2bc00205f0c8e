"""XML of edit lists, never trusted: no entities, no network, limited in size, depth and number of tags.

The settings are those of `io.musicxml.archive`; the messages speak of edit lists.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.errors import ReadError
from rescore_music.io.limits import EDIT_DEPTH, EDIT_NODES
from rescore_music.io.markup import parsed

if TYPE_CHECKING:
    from lxml.etree import _Element


def parse_xml(data: bytes, path: Path) -> _Element:
    """The root element of an XML document.

    Raises
    ------
    ReadError
        If it is no XML, declares entities, or holds more than an edit list does.
    """
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not (wide or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")):
        raise ReadError("this is not XML: it does not begin with '<'", file=path, cure="export it again")
    if data.count(b"<") + 2 * data.count(b"=") > EDIT_NODES:  # a tree is twenty times its file: before it is built
        raise ReadError(f"more than {EDIT_NODES:,} tags and attributes, too much for one list", file=path)
    root, entities = parsed(data, path)
    if entities:
        raise ReadError("the document declares XML entities, which edit lists have no use for", file=path)
    return root


def place(element: _Element) -> str:
    """Where an element stands, for messages."""
    return f"line {element.sourceline}" if element.sourceline else str(element.tag)


def child_text(element: _Element | None, path: str) -> str:
    """The text of a descendant, stripped; empty where there is none."""
    found = None if element is None else element.find(path)
    return "" if found is None or found.text is None else found.text.strip()


def check_depth(depth: int, path: Path, element: _Element) -> None:
    """Refuse clips nested deeper than any editor nests them."""
    if depth > EDIT_DEPTH:
        what = f"clips nested more than {EDIT_DEPTH} deep"
        raise ReadError(what, file=path, where=place(element), cure="break the compounds apart")
