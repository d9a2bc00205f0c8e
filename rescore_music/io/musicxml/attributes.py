"""The `attributes` of one MusicXML part: divisions, keys, meters, clefs, staves and transposition.

Keys are kept at concert pitch: the written signature plus the transposition in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.elements import MODES
from rescore_music.io.limits import STAVES
from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.tables import DIATONIC_OF_CHROMATIC, transposition_fifths

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

    def attributes(self, element: _Element, cursor: int) -> None:
        """One `attributes` at a tick of the bar."""
        for child in element:
            tag = child.tag
            if tag == "divisions":
                self._divisions(child)
            elif tag == "transpose":
                if child.get("number", "1") == "1":
                    self._transpose(child)
            elif tag == "time":
                self._time(child, cursor)
            elif tag == "clef":
                self._clef(child, cursor)
            elif tag == "staves":
                self.staves = max(1, min(number_of(child, 1), STAVES))
            elif tag == "staff-details":
                lines = number_of(child.find("staff-lines"), 0)
                if child.get("number", "1") == "1" and 1 <= lines <= 16 and self.place.bar == 0:
                    self.lines = lines
        key = element.find("key")  # after transpose, which stands behind it
        if key is not None:
            self._key(key, cursor)

    def _divisions(self, element: _Element) -> None:
        try:
            divisions = float(text_of(element))
        except ValueError:
            divisions = 0.0
        if not divisions > 0:
            self.place.log("divisions that are no positive number, ignored")
            return
        scale = self.place.quarter / divisions
        self.place.scale = int(scale) if scale == int(scale) else scale

    def _key(self, element: _Element, cursor: int) -> None:
        place = self.place
        fifths = number_of(element.find("fifths"), -99)
        if not -11 <= fifths <= 11:
            place.log("key signatures that are not traditional, ignored")
            return
        concert = fifths + transposition_fifths(place.chromatic, place.diatonic)
        concert -= 12 * round(concert / 12) if abs(concert) > 7 else 0
        mode = _MODES.get(text_of(element.find("mode")), -1)
        place.draft.keys.append((place.bar, cursor, place.index, concert, mode))

    def _transpose(self, element: _Element) -> None:
        place = self.place
        octaves = number_of(element.find("octave-change"), 0)
        chromatic = number_of(element.find("chromatic"), 0)
        if element.find("diatonic") is not None:
            diatonic = number_of(element.find("diatonic"), 0)
        else:
            diatonic = (1 if chromatic >= 0 else -1) * DIATONIC_OF_CHROMATIC[abs(chromatic) % 12]
            diatonic += 7 * (1 if chromatic >= 0 else -1) * (abs(chromatic) // 12)
        new = chromatic, diatonic = chromatic + 12 * octaves, diatonic + 7 * octaves
        if abs(chromatic) > 48 or abs(diatonic) > 28:
            place.log("an impossible transposition, ignored")
            return
        before = (place.chromatic, place.diatonic)
        if self.first_transposition is None:
            self.first_transposition = before if place.pitched else new
        if place.pitched and new != before:
            place.log("transposition changes: all is written in the first one")
        place.chromatic, place.diatonic = new

    def _time(self, element: _Element, cursor: int) -> None:
        if element.get("number", "1") != "1":
            return
        log = self.place.log
        beats = [text_of(child) for child in element.iterfind("beats")]
        types = [number_of(child, 0) for child in element.iterfind("beat-type")]
        try:
            counts = [sum(int(part) for part in text.split("+")) for text in beats]
        except ValueError:
            counts = []
        if not counts or len(counts) != len(types) or any(t not in _NOTE_VALUES for t in types):
            log("no meter or one that cannot be, the one before kept")
            return
        finest = max(types)
        numerator = sum(count * finest // kind for count, kind in zip(counts, types, strict=True))
        if not 1 <= numerator <= 255:
            log("no meter or one that cannot be, the one before kept")
            return
        if len(types) > 1:
            log("compound meters, written as one")
        if cursor:
            log("a meter change inside a bar, moved to its start")
        self.place.draft.meters.setdefault(self.place.bar, (numerator, finest))

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
