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
from rescore_music.view.counting import counted, without_multiple_rests
from rescore_music.view.paper import Paper

Notation = Score | bytes | str
PAGE = (2100, 2970)  # verovio units of a tenth of a millimetre: A4
PAPER = '<rect class="paper" width="100%" height="100%" fill="#fff" style="stroke:none"/>'
STAFF = 235  # vertical room of one staff in a full system, in the same units at scale 100

_COMMON = {
    "scale": 100,
    "breaks": "auto",
    "footer": "none",
    "header": "auto",
    "svgViewBox": True,
    "svgRemoveXlink": True,
    "xmlIdSeed": 1,
}
ORCHESTRA = 6  # staves from which on those that rest may be left out
_STAFF = re.compile(r'<staffDef [^>]*n="(\d+)"')
_PRINT = {**_COMMON, "minLastJustification": 0.5, "smuflTextFont": "none"}

# the engraver prints the names of bracket groups over the names of the parts inside
_GROUP_NAME = re.compile(r"<group-(?:name|abbreviation)[^>]*>[^<]*</group-(?:name|abbreviation)>")
# inside a group without a symbol the engraver forgets the brace of a harp or piano
_NO_SYMBOL = re.compile(
    r'<part-group type="start" number="(\d+)"><group-symbol>none</group-symbol>.*?</part-group>(.*?)'
    r'<part-group type="stop" number="\1"/>',
    re.DOTALL,
)


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


def engraved(notation: Notation, paper: Paper, *, part: bool = False) -> list[str]:
    """Engrave all pages for printing, margins and all.

    Parameters
    ----------
    notation : Score, or MusicXML as bytes or str
    paper : Paper
    part : bool
        A player's part, its empty bars counted together. In the score of more than a chamber group, staves that rest
        through a system are left out of it, save in the first.

    Returns
    -------
    list of str, an SVG element a page

    Raises
    ------
    RenderError
        If the notation cannot be engraved.
    """
    options = {**_PRINT, **paper.options(), "condense": "encoded"}
    toolkit = _loaded(notation, options)
    mei = str(toolkit.getMEI({}))
    if part:
        toolkit = _toolkit(counted(mei), options)
    elif len(set(_STAFF.findall(mei))) >= ORCHESTRA:
        toolkit = _toolkit(mei.replace("<scoreDef ", '<scoreDef optimize="true" ', 1), options)
    return [str(toolkit.renderToSVG(page)) for page in range(1, int(toolkit.getPageCount()) + 1)]


def pages(notation: Notation) -> int:
    """How many pages the score has.

    Raises
    ------
    RenderError
        If the notation cannot be engraved.
    """
    return int(_loaded(notation).getPageCount())


def _loaded(notation: Notation, options: dict[str, Any] | None = None) -> Any:
    musicxml = _musicxml(notation)
    return _toolkit(musicxml, _options(musicxml) if options is None else options)


def _toolkit(data: str, options: dict[str, Any]) -> Any:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)  # it writes to the process's stderr; getLog stays empty in this binding
    toolkit = verovio.toolkit(False)
    toolkit.setResourcePath(_resources())
    toolkit.setOptions(options)
    if not toolkit.loadData(data) or not toolkit.getPageCount():
        raise RenderError("the score cannot be engraved: no page came out")
    return toolkit


@lru_cache(maxsize=1)
def _resources() -> str:
    return str(files("verovio") / "data")


def _musicxml(notation: Notation) -> str:
    if isinstance(notation, Score):
        from rescore_music.io.musicxml.write import musicxml_bytes

        notation = musicxml_bytes(notation)
    text = notation.decode("utf-8") if isinstance(notation, bytes) else notation
    return without_multiple_rests(_NO_SYMBOL.sub(r"\2", _GROUP_NAME.sub("", text)))


def _options(musicxml: str) -> dict[str, Any]:
    staves = musicxml.count("<score-part ") + musicxml.count("<staves>2</staves>")
    wanted = STAFF * staves + 700
    grown = max(1.0, wanted / PAGE[1])
    return {
        "pageWidth": int(PAGE[0] * grown),
        "pageHeight": int(PAGE[1] * grown),
        "adjustPageHeight": True,
        "justifyVertically": False,
        "condense": "none",
        **_COMMON,
    }
