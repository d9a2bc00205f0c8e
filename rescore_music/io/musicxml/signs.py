"""MusicXML elements that the score has no value for, as one line of text in a mark, and back.

A fingering is `fingering=3`, a bend `bend(bend-alter=2;release)`, a bracket `bracket[type start,line-end down]`: name,
attributes that mean something (none of place, color or font), text, children. Characters of the notation itself are
written %XX inside a text. Only the names listed here are read and written, so what is written is what the schema has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from rescore_music.io.limits import TEXT
from rescore_music.score import Articulation as A

if TYPE_CHECKING:
    from collections.abc import Container

    from lxml.etree import _Element

DEEPEST = 6  # how far elements may be nested; fretboards and scordaturas need three
_ATTRIBUTES = (
    "type", "number", "symbol", "separator", "bracket", "parentheses", "filled", "alternate", "substitution",
    "use-dots", "use-stems", "use-symbols", "slash", "slashes", "line-type", "line-end", "line-shape", "direction",
    "string", "text", "location", "octave", "print-object", "show-frets", "unplayed", "first-fret", "tip", "name",
)  # fmt: skip
_SPECIAL = re.compile(r"[%\[\](),;={}]")
_CODED = re.compile(r"%([0-9A-F]{2})")
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[a-z][a-z0-9-]*")

# what stands at a note, by the element that holds it; flags of the nearest kin where there is one
ARTICULATION_SIGNS: dict[str, int] = {
    "spiccato": A.STACCATISSIMO, "stress": A.ACCENT, "detached-legato": A.TENUTO | A.STACCATO, "soft-accent": 0,
    "unstress": 0, "scoop": 0, "plop": 0, "doit": 0, "falloff": 0, "other-articulation": 0,
}  # fmt: skip
ORNAMENT_SIGNS: dict[str, int] = {
    "shake": A.TRILL, "inverted-turn": A.TURN, "delayed-turn": A.TURN, "delayed-inverted-turn": A.TURN,
    "vertical-turn": A.TURN, "inverted-vertical-turn": A.TURN, "wavy-line": 0, "schleifer": 0, "haydn": 0,
    "other-ornament": 0, "accidental-mark": 0, "tremolo": A.TREMOLO,
    # those that flags say, where an accidental hangs on them
    "trill-mark": A.TRILL, "turn": A.TURN, "mordent": A.MORDENT, "inverted-mordent": A.INVERTED_MORDENT,
}  # fmt: skip
TECHNICAL_SIGNS: dict[str, int] = {
    "stopped": A.MUTED, "snap-pizzicato": A.PIZZICATO, "harmonic": A.HARMONIC,
    **dict.fromkeys(
        (
            "thumb-position", "fingering", "pluck", "double-tongue", "triple-tongue", "fret", "string", "hammer-on",
            "pull-off", "bend", "tap", "heel", "toe", "fingernails", "hole", "arrow", "handbell", "brass-bend", "flip",
            "smear", "open", "half-muted", "harmon-mute", "golpe", "open-string", "other-technical",
        ),
        A(0),
    ),
}  # fmt: skip
NOTATION_SIGNS: dict[str, int] = {
    "glissando": A.GLISSANDO, "slide": A.GLISSANDO, "non-arpeggiate": 0, "accidental-mark": 0, "other-notation": 0,
    "tied": 0,  # let ring: a tie that leads nowhere
}  # fmt: skip
HOLDERS: tuple[tuple[str, dict[str, int]], ...] = (
    ("ornaments", ORNAMENT_SIGNS),
    ("technical", TECHNICAL_SIGNS),
    ("articulations", ARTICULATION_SIGNS),
)
# what stands above or below a staff and has no kind of mark of its own
DIRECTION_SIGNS = frozenset(
    (
        "accordion-registration", "bracket", "damp", "damp-all", "dashes", "eyeglasses", "harp-pedals", "metronome",
        "other-direction", "percussion", "principal-voice", "scordatura", "staff-divide", "string-mute",
    )
)  # fmt: skip
_KNOWN = frozenset(
    {
        *ARTICULATION_SIGNS, *ORNAMENT_SIGNS, *TECHNICAL_SIGNS, *NOTATION_SIGNS, *DIRECTION_SIGNS, "notehead",
        "figure", "frame", "inversion", "key", "time", "transpose", "staff-details", "measure-style",
    }
)  # fmt: skip


def sign_text(element: _Element, *, without: tuple[str, ...] = ()) -> str:
    """An element as text; "" where it is nested too deep or too long to be held. `without` names children left out."""
    text = _text(element, without, DEEPEST)
    return text if len(text) <= TEXT else ""


def _text(element: _Element, without: tuple[str, ...], depth: int) -> str:
    name = element.tag
    if depth <= 0 or not isinstance(name, str) or not _NAME.fullmatch(name):
        return ""
    said = [f"{key} {_coded(value)}" for key in _ATTRIBUTES if (value := element.get(key)) is not None]
    own = " ".join((element.text or "").split())
    inner = [_text(child, (), depth - 1) for child in element if child.tag not in without]
    out = name + (f"[{','.join(said)}]" if said else "") + (f"={_coded(own)}" if own else "")
    return out + (f"({';'.join(text for text in inner if text)})" if any(inner) else "")


def sign_xml(text: str, allowed: Container[str] = _KNOWN) -> str:
    """The element of a text made by `sign_text`; "" where the text is none, or its name is not allowed."""
    name = sign_name(text)
    if name not in allowed or name not in _KNOWN:
        return ""
    reader = _Reader(text)
    try:
        xml = reader.element(DEEPEST)
    except ValueError:
        return ""
    return xml if reader.at == len(text) else ""


def figures_of(text: str) -> list[str]:
    """The elements of a text that holds several, one after the other."""
    out, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == ";" and depth == 0:
            out.append(text[start:at])
            start = at + 1
    return [*out, text[start:]]


def sign_name(text: str) -> str:
    """The name of the element that a text stands for."""
    found = _NAME.match(text)
    return found.group() if found else ""


def sign_content(text: str) -> str:
    """The text of the element that a text stands for, without its attributes and children."""
    found = re.match(r"[a-z][a-z0-9-]*(?:\[[^\]]*\])?=([^(\[;]*)", text)
    return _decoded(found.group(1)) if found else ""


class _Reader:
    """Reads the notation from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def element(self, depth: int) -> str:
        found = _NAME.match(self.text, self.at)
        if found is None or not depth:
            raise ValueError(self.text)
        name, self.at = found.group(), found.end()
        attributes = own = inner = ""
        if self._next("["):
            for item in self._until("]").split(","):
                key, _, value = item.partition(" ")
                if key not in _ATTRIBUTES:
                    raise ValueError(key)
                attributes += f" {key}={quoteattr(_decoded(value))}"
            self.at += 1
        if self._next("="):
            stop = re.compile(r"[;()]|$").search(self.text, self.at)
            end = stop.start() if stop else len(self.text)
            own, self.at = escape(_decoded(self.text[self.at : end])), end
        if self._next("("):
            inner = self.element(depth - 1)
            while self._next(";"):
                inner += self.element(depth - 1)
            if not self._next(")"):
                raise ValueError(self.text)
        return f"<{name}{attributes}>{own}{inner}</{name}>" if own or inner else f"<{name}{attributes}/>"

    def _next(self, sign: str) -> bool:
        if self.text.startswith(sign, self.at):
            self.at += 1
            return True
        return False

    def _until(self, sign: str) -> str:
        end = self.text.index(sign, self.at)
        found, self.at = self.text[self.at : end], end
        return found


def _coded(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"%{ord(found.group()):02X}", " ".join(text.split()))


def _decoded(text: str) -> str:
    plain = _CODED.sub(lambda found: chr(int(found.group(1), 16)), text)
    return _ILLEGAL.sub("", plain).replace("{", "(").replace("}", ")")
