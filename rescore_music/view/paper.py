"""Paper: page sizes, staff sizes, and the engraver's options that make one fit the other.

Lengths are millimetres. A staff is as large as its kind of score asks (`CUSTOM`: 7 mm in a part, 5 in a score of six
staves, under that in a larger one) and smaller where one system of all staves would not fit the page, never under 3.5.
Parts are upright A4; a score of more than `SMALL` staves lies on A3, and stands on it where even that is too low.

References
----------
Gould, E. (2011). Behind Bars, "Preparing materials": staff sizes of parts (7 mm) and scores (from 3.7 mm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rescore_music.errors import WriteError

PAPERS = {
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "letter": (215.9, 279.4),
    "tabloid": (279.4, 431.8),
}
SMALL = 11  # staves that an upright A4 page takes in one system
STAFF_SIZES = (7.0, 6.5, 6.0, 5.5, 5.0, 4.5, 4.2, 4.0, 3.7, 3.5)
CUSTOM = ((2, 7.0), (5, 6.0), (9, 5.0), (14, 4.5))  # staves up to which a score is printed at this size; 4.2 beyond
MARGIN = 14.0
ROOM = 11.5  # staff spaces that a staff takes in a full system, with what stands above and below it
HEAD = 22.0  # what the title takes on the first page
_UNIT = 0.9  # the engraver's unit, half a staff space, at its scale 100: a staff of 7.2 mm


@dataclass(frozen=True)
class Paper:
    """A page: width and height as it lies before the reader, and the height of a staff."""

    width: float
    height: float
    staff: float

    def options(self) -> dict[str, Any]:
        """The engraver's options for this page."""
        scale = self.staff / (8 * _UNIT)
        margin = round(MARGIN * 10 / scale)
        return {
            "pageWidth": round(self.width * 10 / scale),
            "pageHeight": round(self.height * 10 / scale),
            "pageMarginLeft": margin,
            "pageMarginRight": margin,
            "pageMarginTop": margin,
            "pageMarginBottom": margin,
            "adjustPageHeight": False,
            "justifyVertically": True,
            "justificationMaxVertical": 0.3,
            "shrinkToFit": True,
        }


def paper(staves: int, name: str = "") -> Paper:
    """The page for a score of so many staves.

    Parameters
    ----------
    staves : int
    name : str
        "a4", "a3", "letter" or "tabloid", with " landscape" where it lies; "" chooses.

    Raises
    ------
    WriteError
        If there is no such paper.
    """
    if name:
        return _fitted(staves, *_size(name))
    if staves <= SMALL:
        return _fitted(staves, *_size("a4"))
    lying = _fitted(staves, *_size("a3 landscape"))
    return lying if _fits(staves, lying) else _fitted(staves, *_size("a3"))


def _size(name: str) -> tuple[float, float]:
    word, _, way = name.lower().strip().partition(" ")
    if word not in PAPERS or way not in ("", "portrait", "landscape"):
        known = ", ".join(sorted(PAPERS))
        raise WriteError(f"there is no paper {name!r}", cure=f"one of {known}, with 'landscape' after it to lay it")
    width, height = PAPERS[word]
    return (height, width) if way == "landscape" else (width, height)


def _fits(staves: int, page: Paper) -> bool:
    return staves * ROOM * page.staff / 4 + HEAD <= page.height - 2 * MARGIN


def _fitted(staves: int, width: float, height: float) -> Paper:
    largest = next((size for most, size in CUSTOM if staves <= most), 4.2)
    pages = [Paper(width, height, staff) for staff in STAFF_SIZES if staff <= largest]
    return next((page for page in pages if _fits(staves, page)), pages[-1])
