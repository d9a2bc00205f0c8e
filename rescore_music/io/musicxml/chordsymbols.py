"""Chord symbols of MusicXML as lead sheets print them: root, kind, degrees, bass ("F#m7b5(addb9)/A").

`wording.harmony` writes them; the suffixes of kinds are in `tables`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.signs import sign_text
from rescore_music.io.musicxml.tables import ACCIDENTALS, CHORD_KINDS

if TYPE_CHECKING:
    from lxml.etree import _Element

_KIND_SUFFIX = dict(CHORD_KINDS)
_DEGREES = {"add": "add", "alter": "alt", "subtract": "no"}


@dataclass
class ChordSymbols:
    """What a `harmony` holds: its chords as text, inversions and fretboards as signs, names of what is left out."""

    texts: list[str] = field(default_factory=list)
    voicings: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def chord_symbols(element: _Element) -> ChordSymbols:
    """The chords of one `harmony`."""
    out = ChordSymbols()
    texts, basses = out.texts, list[str]()
    for child in element:
        tag = child.tag
        if tag == "root":
            texts.append(_note_name(child, "root"))
            basses.append("")
        elif tag == "kind" and texts:
            name = text_of(child)
            texts[-1] = "N.C." if name == "none" else texts[-1] + _KIND_SUFFIX.get(name, name)
        elif tag == "degree" and texts:
            alter = ACCIDENTALS.get(number_of(child.find("degree-alter"), 0), "")
            what = _DEGREES.get(text_of(child.find("degree-type")), "add")
            texts[-1] += f"({what}{alter}{text_of(child.find('degree-value'))})"
        elif tag == "bass" and texts:
            basses[-1] = "/" + _note_name(child, "bass")  # the degrees follow, and are printed before it
        elif tag in ("frame", "inversion"):
            if texts and (said := sign_text(child)):
                out.voicings.append(said)
        elif tag in ("function", "numeral"):
            out.ignored.append(tag)
    out.texts = [text + bass for text, bass in zip(texts, basses, strict=True) if text]
    return out


def _note_name(element: _Element, name: str) -> str:
    return text_of(element.find(f"{name}-step")) + ACCIDENTALS.get(number_of(element.find(f"{name}-alter"), 0), "")
