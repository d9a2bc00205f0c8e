"""XML that is not trusted: parsed without entities, external files or network. The one parser of every XML format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.errors import ReadError

if TYPE_CHECKING:
    from lxml.etree import _Element


def parsed(data: bytes, file: str | Path) -> tuple[_Element, bool]:
    """The root element, and whether the document declares entities of its own (never resolved: the caller refuses).

    The caller limits the size first, for a tree is twenty times its file.

    Raises
    ------
    ReadError
        If it is malformed.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,  # the indentation, half of all nodes; a text that is only a blank stays
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        what = f"malformed XML: {(error.msg or 'no element found').split(', line')[0]}"
        raise ReadError(what, file=file, where=f"line {line}, column {column}", cure="export it again") from None
    except (ValueError, LookupError) as error:
        raise ReadError(f"malformed XML: {error}", file=file, cure="export it again") from None
    dtd = root.getroottree().docinfo.internalDTD
    entities = dtd is not None and any(True for _ in dtd.iterentities())  # type: ignore[union-attr]
    return root, entities
