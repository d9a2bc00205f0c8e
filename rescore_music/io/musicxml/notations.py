"""What is attached to the notes of one MusicXML part: articulations, ornaments, slurs, fermatas and lyrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.limits import TEXT
from rescore_music.io.musicxml.parts import child_of, number_of, text_of
from rescore_music.io.musicxml.signs import (
    ARTICULATION_SIGNS,
    NOTATION_SIGNS,
    ORNAMENT_SIGNS,
    TECHNICAL_SIGNS,
    sign_text,
)
from rescore_music.io.musicxml.tables import ARTICULATIONS, ORNAMENTS, TECHNICAL
from rescore_music.io.notation.draft import ENDS_ON_GRACE, STARTS_ON_GRACE, TIE_START, TIE_STOP, MarkDraft
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.directions import DirectionReader
    from rescore_music.io.musicxml.note_element import NoteDetails
    from rescore_music.io.musicxml.place import PartPlace

_ALL_FLAGS = {**ARTICULATIONS, **ORNAMENTS, **TECHNICAL}
# names whose flag says less than they do
_FINER = frozenset({*ARTICULATION_SIGNS, *TECHNICAL_SIGNS, *ORNAMENT_SIGNS} - {"harmonic", *ORNAMENTS}) | frozenset(
    {"shake", "inverted-turn", "delayed-turn", "delayed-inverted-turn", "vertical-turn", "inverted-vertical-turn"}
)
_PLAIN = {name: int(flag) for name, flag in _ALL_FLAGS.items() if name not in _FINER}
_SIGNS: dict[str, dict[str, int]] = {
    "articulations": ARTICULATION_SIGNS,
    "ornaments": ORNAMENT_SIGNS,
    "technical": TECHNICAL_SIGNS,
}


class NotationReader:
    """Notations and lyrics of one part: flags of the note, or marks in the draft."""

    def __init__(self, place: PartPlace, directions: DirectionReader) -> None:
        self.place, self.directions = place, directions
        self.slurs: dict[str, MarkDraft] = {}
        self.early_stops: dict[str, tuple[int, int, int]] = {}  # a stop met before its start: bar, at, value
        self.last_tremolo: tuple[int, int, str, int] | None = None
        self.tremolo_place = (-1, 0)
        self.verses: dict[str, int] = {}
        self.extends: dict[tuple[int, int], MarkDraft] = {}  # verse, voice -> the syllable that is drawn out

    def notations(self, element: _Element, note: NoteDetails) -> tuple[int, int]:
        """Flags of one `notations`, and its tie bits."""
        flags = tie = 0
        for child in element:
            tag = child.tag
            if tag in _SIGNS:
                flags |= self._held(child, _SIGNS[tag], note)
            elif tag == "slur":
                self._slur(child, note)
            elif tag == "tied":
                kind = child.get("type")
                if kind == "let-ring":
                    self._sign(child, note)
                tie |= TIE_START if kind in ("start", "continue") else 0
                tie |= TIE_STOP if kind in ("stop", "continue") else 0
            elif tag == "fermata":
                flags |= Articulation.FERMATA
            elif tag == "arpeggiate":
                flags |= Articulation.ARPEGGIO
            elif tag in NOTATION_SIGNS:
                self._sign(child, note)
                if tag in ("glissando", "slide") and child.get("type") == "start":
                    flags |= Articulation.GLISSANDO
            elif tag == "dynamics":
                self.directions.notation_dynamics(child, self.place.bar, note.onset, note.staff)
            elif tag != "tuplet":
                self.place.log(f"<{tag}> at notes, ignored")
        return int(flags), tie

    def rest(self, note: NoteDetails) -> None:
        """Of what hangs on a rest, fermatas and words are kept."""
        for one in note.notations:
            for child in one:
                if child.tag == "fermata":
                    self._mark(note, "fermata", "rest")
                elif child.tag == "dynamics":
                    self.directions.notation_dynamics(child, self.place.bar, note.onset, note.staff)
                elif child.tag != "tuplet":
                    self.place.log(f"<{child.tag}> at rests, ignored")
        self.lyrics(note)

    def lyrics(self, note: NoteDetails) -> None:
        """The syllables under one note, a mark for each verse."""
        for lyric in note.lyrics:
            verse = self._verse(lyric.get("number", lyric.get("name", "1")))
            text = syllabic = extend = ""
            for child in lyric:
                if child.tag == "text":
                    text += (child.text or "").strip()
                elif child.tag == "elision":
                    text += "‿"
                elif child.tag == "syllabic":
                    syllabic = text_of(child)
                elif child.tag == "extend":
                    extend = child.get("type", "unsaid")
                elif child.tag in ("humming", "laughing"):
                    self.place.log(f"<{child.tag}> under notes, ignored")
            if extend in ("stop", "continue") and (drawn := self.extends.get((verse, note.number))) is not None:
                drawn.end_bar, drawn.end_at = self.place.bar, note.onset + note.duration
            if not text:
                continue
            text = text[:TEXT] + ("-" if syllabic in ("begin", "middle") else "")
            mark = self._mark(note, "lyric", text, float(verse))
            if extend in ("start", "unsaid"):
                mark.end_bar, mark.end_at = mark.bar, mark.at
                self.extends[verse, note.number] = mark
            else:
                self.extends.pop((verse, note.number), None)

    def finish(self) -> None:
        """Drop the slurs that are still open where the part ends."""
        for _ in self.slurs:
            self.place.log("a slur that never ends, dropped")
        for mark in self.slurs.values():
            mark.drop()
        for _ in self.early_stops:
            self.place.log("a slur that ends without beginning, ignored")

    def _mark(self, note: NoteDetails, kind: str, text: str, value: float = 0.0) -> MarkDraft:
        mark = self.directions.mark(self.place.bar, note.onset, kind, text, staff=note.staff)
        mark.voice, mark.value = note.number, value
        return mark

    def sign(self, text: str, note: NoteDetails) -> None:
        """An element of a note as a mark, by its text."""
        self._mark(note, "sign", text, note.pitch + (0.5 if note.grace else 0.0))

    def _sign(self, element: _Element, note: NoteDetails) -> None:
        """An element that no flag says in full, as a mark."""
        if text := sign_text(element):
            self.sign(text, note)
        else:
            self.place.log(f"<{element.tag}> of impossible length or depth, ignored")

    def _held(self, holder: _Element, signs: dict[str, int], note: NoteDetails) -> int:
        """Flags of one `articulations`, `ornaments` or `technical`; what flags do not say becomes signs."""
        flags = 0
        # an accidental belongs to the ornament before it: keep their order
        hung = holder.tag == "ornaments" and child_of(holder, "accidental-mark") is not None
        for element in holder:
            name = element.tag
            if name in _PLAIN and not hung and not len(element):
                flags |= _PLAIN[name]
                continue
            if name in ("tremolo", "breath-mark", "caesura"):
                flags |= self._tremolo(element, note) if name == "tremolo" else 0
                if name != "tremolo":
                    self._mark(note, "breath", name)
                continue
            flags |= int(_ALL_FLAGS.get(name, 0)) | int(signs.get(name, 0))
            if name in signs:
                self._sign(element, note)
            elif name not in _ALL_FLAGS:
                self.place.log(f"<{name}> at notes, ignored")
        return flags

    def _tremolo(self, element: _Element, note: NoteDetails) -> int:
        strokes, kind = number_of(element, 3), element.get("type", "single")
        here = (note.number, note.staff, kind, strokes)
        place = (self.place.bar, note.onset)
        again = self.last_tremolo == here and (note.tie & TIE_STOP or place == self.tremolo_place)
        self.last_tremolo, self.tremolo_place = here, place
        if again:  # on each note of a chord and of a tie: said once
            return int(Articulation.TREMOLO)
        if kind in ("start", "stop"):
            self._mark(note, "tremolo", kind, float(min(max(strokes, 1), 8)))
        elif strokes != 3 and strokes > 0:
            self._mark(note, "tremolo", "", float(min(strokes, 8)))
        return int(Articulation.TREMOLO)

    def _slur(self, element: _Element, note: NoteDetails) -> None:
        bar, onset, grace = self.place.bar, note.onset, note.grace
        number = element.get("number", "1")
        kind = element.get("type")
        if kind == "start":
            mark = self._mark(note, "slur", "", float(STARTS_ON_GRACE if grace else 0))
            early = self.early_stops.pop(number, None)
            if early is not None and early[:2] > (bar, onset):  # its end stood in a voice written before
                mark.end_bar, mark.end_at = early[:2]
                mark.value += early[2]
                return
            if number in self.slurs:
                self.place.log("a slur that never ends, dropped")
                self.slurs[number].drop()
            self.slurs[number] = mark
        elif kind == "stop":
            value = ENDS_ON_GRACE if grace else 0
            started = self.slurs.pop(number, None)
            if started is None:
                self.early_stops[number] = (bar, onset + note.duration, value)
            else:
                started.end_bar, started.end_at = bar, onset + note.duration
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
