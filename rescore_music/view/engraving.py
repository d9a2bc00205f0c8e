"""Engraved pages: a score as staff notation in SVG, through verovio.

verovio is bound to the thread that first imported it: in any other one its resources are not found and `loadData`
returns False. So each call makes a toolkit without resources and points it at them; that works in every thread.
Pages grow with the number of staves, so that one system always fits. Ids inside the SVG come from a fixed seed: the
same score gives the same bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rescore_music.errors import RenderError
from rescore_music.score import Score

Notation = Score | bytes | str
PAGE = (2100, 2970)  # verovio units of a tenth of a millimetre: A4
PAPER = '<rect class="paper" width="100%" height="100%" fill="#fff" style="stroke:none"/>'
STAFF = 235  # vertical room of one staff in a full system, in the same units at scale 100

# the engraver prints the names of bracket groups over the names of the parts inside
_GROUP_NAME = re.compile(r"<group-(?:name|abbreviation)[^>]*>[^<]*</group-(?:name|abbreviation)>")


def engrave(notation: Notation, page: int = 1) -> str:
    """Engrave one page.

    Parameters
    ----------
    notation : Score, or MusicXML as bytes or str
    page : int
        From 1.

    Returns
    -------
    str, an SVG element with a viewBox

    Raises
    ------
    RenderError
        If the notation cannot be engraved or has no such page.
    """
    toolkit = _loaded(notation)
    count = int(toolkit.getPageCount())
    if not 1 <= page <= count:
        raise RenderError(f"there is no page {page}: the score has {count}")
    drawn = str(toolkit.renderToSVG(page))
    # black notes need white paper, whatever the page around
    return drawn.replace("</desc>", f"</desc>\n   {PAPER}", 1)


def pages(notation: Notation) -> int:
    """How many pages the score has.

    Raises
    ------
    RenderError
        If the notation cannot be engraved.
    """
    return int(_loaded(notation).getPageCount())


def complaints(notation: Notation) -> str:
    """What the engraver warns of; empty when all is well."""
    return str(_loaded(notation).getLog()).strip()


def _loaded(notation: Notation) -> Any:
    import verovio

    musicxml = _musicxml(notation)
    toolkit = verovio.toolkit(False)
    toolkit.setResourcePath(_resources())
    toolkit.setOptions(_options(musicxml))
    if not toolkit.loadData(musicxml) or not toolkit.getPageCount():
        reason = str(toolkit.getLog()).strip().splitlines()
        raise RenderError(f"the score cannot be engraved: {reason[-1] if reason else 'no page came out'}")
    return toolkit


@lru_cache(maxsize=1)
def _resources() -> str:
    return str(files("verovio") / "data")


def _musicxml(notation: Notation) -> str:
    if isinstance(notation, Score):
        from rescore_music.io.musicxml.write import musicxml_bytes

        notation = musicxml_bytes(notation)
    text = notation.decode("utf-8") if isinstance(notation, bytes) else notation
    return _GROUP_NAME.sub("", text)


def _options(musicxml: str) -> dict[str, Any]:
    staves = musicxml.count("<score-part ") + musicxml.count("<staves>2</staves>")
    wanted = STAFF * staves + 700
    grown = max(1.0, wanted / PAGE[1])
    return {
        "pageWidth": int(PAGE[0] * grown),
        "pageHeight": int(PAGE[1] * grown),
        "scale": 100,
        "adjustPageHeight": True,
        "justifyVertically": False,
        "breaks": "auto",
        "condense": "none",
        "footer": "none",
        "header": "auto",
        "svgViewBox": True,
        "svgRemoveXlink": True,
        "xmlIdSeed": 1,
    }
