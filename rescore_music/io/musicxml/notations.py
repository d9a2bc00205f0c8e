"""What is attached to the notes of one MusicXML part: articulations, ornaments, slurs, fermatas and lyrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rescore_music.io.limits import TEXT
from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.tables import ARTICULATIONS, ORNAMENTS, SAME_AS, TECHNICAL
from rescore_music.io.notation.draft import ENDS_ON_GRACE, STARTS_ON_GRACE, TIE_START, TIE_STOP, MarkDraft
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

    from rescore_music.io.musicxml.directions import DirectionReader
    from rescore_music.io.musicxml.place import PartPlace

_ALL_FLAGS = {**ARTICULATIONS, **ORNAMENTS, **TECHNICAL}
_SILENT = frozenset({"fingering", "string", "fret", "wavy-line", "accidental-mark", "other-articulation"})


class Anchor(NamedTuple):
    """The note that notations and lyrics hang on; onset and duration in ticks of its bar."""

    onset: int
    duration: int
    voice: int
    staff: int
    grace: bool


class NotationReader:
    """Notations and lyrics of one part: flags of the note, or marks in the draft."""

    def __init__(self, place: PartPlace, directions: DirectionReader) -> None:
        self.place, self.directions = place, directions
        self.slurs: dict[str, MarkDraft] = {}
        self.early_stops: dict[str, tuple[int, int, int]] = {}  # a stop met before its start: bar, at, value
        self.verses: dict[str, int] = {}

    def notations(self, element: _Element, anchor: Anchor) -> tuple[int, int]:
        """Flags of one `notations`, and its tie bits."""
        flags = tie = 0
        for child in element:
            tag = child.tag
            if tag in ("articulations", "ornaments", "technical"):
                for item in child:
                    flags |= self._flag(item, anchor)
            elif tag == "slur":
                self._slur(child, anchor)
            elif tag == "tied":
                kind = child.get("type")
                tie |= TIE_START if kind in ("start", "continue") else 0
                tie |= TIE_STOP if kind in ("stop", "continue") else 0
            elif tag == "fermata":
                flags |= Articulation.FERMATA
            elif tag == "arpeggiate":
                flags |= Articulation.ARPEGGIO
            elif tag in ("glissando", "slide"):
                if child.get("type") == "start":
                    flags |= Articulation.GLISSANDO
            elif tag == "dynamics":
                self.directions.notation_dynamics(child, self.place.bar, anchor.onset, anchor.staff)
            elif tag != "tuplet":
                self.place.log(f"<{tag}> at notes, ignored")
        return int(flags), tie

    def rest(self, notations: Iterable[_Element], onset: int, staff: int) -> None:
        """Of what hangs on a rest, the fermata is kept."""
        for one in notations:
            if one.find("fermata") is not None:
                self.directions.mark(self.place.bar, onset, "fermata", "rest", staff=staff)

    def lyrics(self, lyrics: Iterable[_Element], anchor: Anchor) -> None:
        """The syllables under one note, a mark for each verse."""
        for lyric in lyrics:
            verse = self._verse(lyric.get("number", lyric.get("name", "1")))
            text = ""
            syllabic = ""
            for child in lyric:
                if child.tag == "text":
                    text += (child.text or "").strip()
                elif child.tag == "elision":
                    text += "‿"
                elif child.tag == "syllabic":
                    syllabic = text_of(child)
            if not text:
                continue
            text = text[:TEXT] + ("-" if syllabic in ("begin", "middle") else "")
            self._mark(anchor, "lyric", text, float(verse))

    def finish(self) -> None:
        """Drop the slurs that are still open where the part ends."""
        for _ in self.slurs:
            self.place.log("a slur that never ends, dropped")
        for mark in self.slurs.values():
            self.place.draft.marks.remove(mark)

    def _mark(self, anchor: Anchor, kind: str, text: str, value: float = 0.0) -> MarkDraft:
        mark = self.directions.mark(self.place.bar, anchor.onset, kind, text, staff=anchor.staff)
        mark.voice, mark.value = anchor.voice, value
        return mark

    def _flag(self, element: _Element, anchor: Anchor) -> int:
        name = str(element.tag)
        if name in _ALL_FLAGS:
            if name in SAME_AS:
                self.place.log(f"<{name}>, read as its nearest kin")
            return int(_ALL_FLAGS[name])
        if name == "tremolo":
            strokes = number_of(element, 3)
            if element.get("type") in ("start", "stop"):
                self.place.log("tremolos between two notes, read as a tremolo on each")
            elif strokes != 3 and strokes > 0:
                self._mark(anchor, "tremolo", "", float(min(strokes, 8)))
            return int(Articulation.TREMOLO)
        if name in ("breath-mark", "caesura"):
            self._mark(anchor, "breath", name)
        elif name not in _SILENT:
            self.place.log(f"<{name}> at notes, ignored")
        return 0

    def _slur(self, element: _Element, anchor: Anchor) -> None:
        bar, onset, grace = self.place.bar, anchor.onset, anchor.grace
        number = element.get("number", "1")
        kind = element.get("type")
        if kind == "start":
            mark = self._mark(anchor, "slur", "", float(STARTS_ON_GRACE if grace else 0))
            early = self.early_stops.pop(number, None)
            if early is not None and early[:2] > (bar, onset):  # its end stood in a voice written before
                mark.end_bar, mark.end_at = early[:2]
                mark.value += early[2]
                return
            if number in self.slurs:
                self.place.log("a slur that never ends, dropped")
                self.place.draft.marks.remove(self.slurs[number])
            self.slurs[number] = mark
        elif kind == "stop":
            value = ENDS_ON_GRACE if grace else 0
            started = self.slurs.pop(number, None)
            if started is None:
                self.early_stops[number] = (bar, onset + anchor.duration, value)
            else:
                started.end_bar, started.end_at = bar, onset + anchor.duration
                started.value += value

    def _verse(self, number: str) -> int:
        """A number for a verse's name: itself where it is a free one, else the next free."""
        verse = self.verses.get(number)
        if verse is None:
            taken = self.verses.values()
            verse = int(number) if number.isdigit() and 0 < int(number[:6]) < 100 else 0
            verse = verse if verse and verse not in taken else next(n for n in range(1, 10000) if n not in taken)
            self.verses[number] = verse
        return verse
