"""Bars' rest of a player's part drawn as one, in the engraver's own language (MEI).

The engraver's reading of MusicXML loses rehearsal marks and words at bars that `multiple-rest` merges (and forgets the
lower staves), so the merging is done on what it has read: bars that hold rests alone and that nothing stands over.

References
----------
Music Encoding Initiative, Guidelines 5.0: `measure`, `mRest`, `multiRest`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_MEI = "{http://www.music-encoding.org/ns/mei}"
_MULTIPLE_REST = re.compile(r"<measure-style><multiple-rest>\d+</multiple-rest></measure-style>")


def without_multiple_rests(musicxml: str) -> str:
    """The same bars, each for itself."""
    return _MULTIPLE_REST.sub("", musicxml).replace("<attributes></attributes>", "")


def counted(mei: str) -> str:
    """Runs of two or more bars of rest as one `multiRest` each, and no names beside the staves.

    Parameters
    ----------
    mei : str
        A single player's part.

    Returns
    -------
    str
    """
    from lxml import etree

    root = etree.fromstring(mei.encode())
    for label in list(root.iter(f"{_MEI}label", f"{_MEI}labelAbbr")):
        label.text = "\u00a0"  # the player's name stands over the part; where no label is, no bar number is drawn
    run: list[_Element] = []
    for element in [e for e in root.iter() if isinstance(e.tag, str)]:
        name = element.tag.removeprefix(_MEI)
        if name in ("scoreDef", "section", "ending", "pb", "sb"):
            _merge(run)
            run = []
        elif name == "measure":
            rests = _rests_alone(element)
            if not rests or _said(element) or (run and element.getparent() is not run[-1].getparent()):
                _merge(run)
                run = []
            if rests and element.get("left") is None and element.get("metcon") is None:
                run.append(element)
                if element.get("right") not in (None, "single"):
                    _merge(run)
                    run = []
    _merge(run)
    return etree.tostring(root, encoding="unicode")


def _rests_alone(measure: _Element) -> bool:
    """Whether every layer of every staff holds one whole-bar rest."""
    layers = list(measure.iter(f"{_MEI}layer"))
    return bool(layers) and all([child.tag for child in layer] == [f"{_MEI}mRest"] for layer in layers)


def _said(measure: _Element) -> bool:
    """Whether something stands over or under the bar."""
    return any(child.tag != f"{_MEI}staff" for child in measure)


def _merge(run: list[_Element]) -> None:
    """Write a run of bars as its first one (in place)."""
    if len(run) < 2:
        return
    for rest in list(run[0].iter(f"{_MEI}mRest")):
        rest.tag = f"{_MEI}multiRest"
        rest.set("num", str(len(run)))
    if last := run[-1].get("right"):
        run[0].set("right", last)
    for measure in run[1:]:
        parent = measure.getparent()
        if parent is not None:
            parent.remove(measure)
