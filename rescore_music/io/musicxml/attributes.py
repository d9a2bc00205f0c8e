"""The `attributes` of one MusicXML part: divisions, keys, meters, clefs, staves and transposition.

Keys are kept at concert pitch: the written signature plus the transposition in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.elements import MODES
from rescore_music.io.limits import STAVES
from rescore_music.io.musicxml.keys import concert_of, whole_transposition
from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.signs import sign_text

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.directions import DirectionReader
    from rescore_music.io.musicxml.place import PartPlace

_MODES = {**{name: mode for mode, name in enumerate(MODES)}, "ionian": 0, "aeolian": 1}
_NOTE_VALUES = (1, 2, 4, 8, 16, 32, 64, 128)


class AttributeReader:
    """What is said at the head of one part's staves, and where it changes."""

    def __init__(self, place: PartPlace, directions: DirectionReader) -> None:
        self.place, self.directions = place, directions
        self.first_transposition: tuple[int, int] | None = None
        self.staves, self.lines = 1, 5
        self.clefs: dict[int, str] = {}
        self.repeats: list[tuple[int, int, int]] = []  # from a bar on, of a staff (-1: all), the last so many bars

    def attributes(self, element: _Element, cursor: int) -> None:
        """One `attributes` at a tick of the bar."""
        for child in element:
            tag = child.tag
            if tag == "divisions":
                self._divisions(child)
            elif tag == "transpose":
                if child.get("number", "1") == "1":
                    self._transpose(child, cursor)
                else:
                    self.place.log("a transposition of one staff alone, ignored")
            elif tag == "time":
                self._time(child, cursor)
            elif tag == "clef":
                self._clef(child, cursor)
            elif tag == "staves":
                self.staves = max(1, min(number_of(child, 1), STAVES))
            elif tag == "staff-details":
                self._details(child, cursor)
            elif tag == "measure-style" and child.find("multiple-rest") is None:  # rests are gathered anew
                self._as_mark(child, cursor)
                self._repeated(child)
            elif tag == "for-part":
                self.place.log("how a part is written beside a concert score, ignored")
        for key in element.iterfind("key"):  # after transpose, which stands behind it
            self._key(key, cursor)

    def _as_mark(self, element: _Element, cursor: int) -> None:
        """What the score has no value for."""
        text = sign_text(element)
        if text:
            self.directions.mark(self.place.bar, cursor, "attribute", text, staff=_staff(element))

    def _repeated(self, element: _Element) -> None:
        """Bars that a repeat sign stands for, from this one on."""
        bars = element.find("measure-repeat")
        staff = _staff(element) if element.get("number") is not None else -1
        if bars is not None:
            count = number_of(bars, 1) if bars.get("type") == "start" else 0
            self.repeats.append((self.place.bar, staff, count if 0 < count < 64 else 0))
        elif element.find("beat-repeat[@type='start']") is not None:
            self.place.log("beats that only a repeat sign stands for, silent")

    def _details(self, element: _Element, cursor: int) -> None:
        """Staff lines: those of the first staff at the beginning are the part's."""
        lines = number_of(element.find("staff-lines"), 0)
        first = _staff(element) == 0 and self.place.bar == 0 and not cursor
        if first and 1 <= lines <= 16:
            self.lines = lines
            if len(element) == 1:
                return
        self._as_mark(element, cursor)

    def _divisions(self, element: _Element) -> None:
        try:
            divisions = float(text_of(element))
        except ValueError:
            divisions = 0.0
        if not 1e-6 < divisions < 1e9:
            self.place.log("divisions that are no number of divisions, ignored")
            return
        scale = self.place.quarter / divisions
        self.place.scale = int(scale) if scale == int(scale) else scale

    def _key(self, element: _Element, cursor: int) -> None:
        place = self.place
        if _staff(element):
            self._as_mark(element, cursor)
            return
        fifths = number_of(element.find("fifths"), -99)
        text, moved = sign_text(element), place.transposition
        if -11 <= fifths <= 11:
            concert = concert_of(fifths, place.chromatic, place.diatonic)
            mode = _MODES.get(text_of(element.find("mode")), -1)
            place.draft.keys.append((place.bar, cursor, place.index, concert, mode))
            place.signatures.append((place.bar, cursor, moved, text.replace("[number 1]", "")))
        elif text and element.find("key-step") is not None:
            place.signatures.append((place.bar, cursor, moved, text.replace("[number 1]", "")))
        else:
            place.log("key signatures that are not traditional, ignored")

    def _transpose(self, element: _Element, cursor: int) -> None:
        place = self.place
        said = element.find("diatonic")
        diatonic = number_of(said, 0) if said is not None else None
        octaves = number_of(element.find("octave-change"), 0)
        new = whole_transposition(number_of(element.find("chromatic"), 0), diatonic, octaves)
        if abs(new[0]) > 48 or abs(new[1]) > 28:
            place.log("an impossible transposition, ignored")
            return
        if element.find("double") is not None:
            place.log("a doubling at the octave that only its transposition tells, ignored")
        before = place.transposition
        if self.first_transposition is None:
            self.first_transposition = before if place.pitched else new
        if place.pitched and new != before:
            text = f"transpose(diatonic={new[1]};chromatic={new[0]})"
            self.directions.mark(place.bar, cursor, "attribute", text)
            place.moves.append((place.bar, cursor))
        place.transposition = new

    def _time(self, element: _Element, cursor: int) -> None:
        log = self.place.log
        if element.get("number", "1") != "1":
            log("a meter of one staff alone, ignored")
            return
        beats = [text_of(child) for child in element.iterfind("beats")]
        types = [number_of(child, 0) for child in element.iterfind("beat-type")]
        try:
            counts = [sum(int(part) for part in text.split("+")) for text in beats]
        except ValueError:
            counts = []
        if not beats and element.find("senza-misura") is not None:
            self._as_mark(element, cursor)
            return
        if not counts or len(counts) != len(types) or any(t not in _NOTE_VALUES for t in types):
            log("no meter or one that cannot be, the one before kept")
            return
        finest = max(types)
        numerator = sum(count * finest // kind for count, kind in zip(counts, types, strict=True))
        if not 1 <= numerator <= 255:
            log("no meter or one that cannot be, the one before kept")
            return
        if len(types) > 1 or "+" in beats[0] or element.get("symbol") or element.find("interchangeable") is not None:
            self.directions.mark(self.place.bar, 0, "attribute", sign_text(element), whole=True)
        meter = self.place.draft.meters.setdefault(self.place.bar, (numerator, finest))
        if meter != (numerator, finest):
            log("a second meter in a bar, ignored")
        elif cursor:
            log("a meter change inside a bar, moved to its start")

    def _clef(self, element: _Element, cursor: int) -> None:
        sign = text_of(element.find("sign"), "G")
        line = number_of(element.find("line"), {"G": 2, "F": 4, "C": 3}.get(sign, 0))
        octave = number_of(element.find("clef-octave-change"), 0)
        if sign in ("G", "F", "C"):
            text = f"{sign}{line}" + (
                f"{8 * octave - (octave > 0) * (octave - 1) + (octave < 0) * (-octave - 1):+d}" if octave else ""
            )
        else:
            text = sign.lower() if sign in ("percussion", "TAB", "jianpu", "none") else "G2"
        try:
            staff = min(max(int(element.get("number", "1")) - 1, 0), STAVES - 1)
        except ValueError:
            staff = 0
        if self.place.bar == 0 and cursor == 0 and staff not in self.clefs:
            self.clefs[staff] = text
        else:
            self.directions.mark(self.place.bar, cursor, "clef", text, staff=staff)


def _staff(element: _Element) -> int:
    """The staff an element is for, from 0."""
    number = element.get("number", "1")
    return max(int(number) - 1, 0) if number.isdigit() and len(number) < 4 else 0
