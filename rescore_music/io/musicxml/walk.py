"""One MusicXML part, measure by measure, into the draft.

The walk keeps a cursor in ticks that notes, `backup` and `forward` move; what the elements at it say is read by the
readers of attributes, directions and notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.limits import BAR_QUARTERS, TEXT
from rescore_music.io.musicxml.attributes import AttributeReader
from rescore_music.io.musicxml.directions import DirectionReader
from rescore_music.io.musicxml.note_element import BAR_REST, SOUND
from rescore_music.io.musicxml.notes import NoteReader
from rescore_music.io.musicxml.parts import PartEntry, child_of, number_of, text_of
from rescore_music.io.musicxml.place import PartPlace
from rescore_music.io.musicxml.signs import sign_text
from rescore_music.io.musicxml.simile import fill_repeats
from rescore_music.io.notation.draft import BAR_END, Draft
from rescore_music.score import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element


class PartWalker:
    """Reads one part; after `walk`, `part` tells who plays it."""

    def __init__(self, draft: Draft, index: int, entry: PartEntry) -> None:
        self.draft, self.entry = draft, entry
        self.place = PartPlace(draft, index, entry)
        self.directions = DirectionReader(draft, index)
        self.attributes = AttributeReader(self.place, self.directions)
        self.notes = NoteReader(self.place, self.directions)
        self.figured = (-1, 0, 0)  # bar, cursor, and how long the figures there last

    def walk(self, measures: Iterable[_Element]) -> None:
        """All measures of the part."""
        draft, begin, bar = self.draft, len(self.draft.rows), -1
        for bar, measure in enumerate(measures):
            self.place.bar, opened = bar, len(draft.rows)
            reach, sounded = self._measure(measure)
            self.notes.end_bar(opened)
            if reach > draft.filled.get(bar, 0):
                draft.filled[bar] = reach
            if sounded > draft.sounded.get(bar, 0):
                draft.sounded[bar] = sounded
            draft.bars = max(draft.bars, bar + 1)
        self.notes.attached.finish()
        self.directions.finish()
        if repeats := self.attributes.repeats:
            filled = fill_repeats(draft, begin, repeats, bar + 1)
            if filled:
                self.place.log("bars under a repeat sign, filled with the music they repeat", filled)

    def _measure(self, measure: _Element) -> tuple[int, int]:
        """One measure: how far it reaches, and how far its notes alone do."""
        limit = BAR_QUARTERS * self.place.quarter
        read_note = self.notes.note
        cursor = reach = sounded = 0
        for element in measure:
            tag = element.tag
            if tag == "note":
                cursor, kind = read_note(element, cursor)
                if kind != BAR_REST and cursor > reach:
                    reach = cursor
                if kind == SOUND and cursor > sounded:
                    sounded = cursor
            elif tag == "backup" or tag == "forward":
                step = self.place.ticks(text_of(child_of(element, "duration"), "0"))
                cursor += step if tag == "forward" else -step
                if cursor < 0:
                    self.place.log("backups beyond the start of the bar, stopped there")
                    cursor = 0
                reach = max(reach, cursor)
            else:
                self._at(element, cursor)
            if cursor > limit:
                raise self.place.error("the bar never ends: its durations cannot be", "mend its durations")
        return reach, sounded

    def _at(self, element: _Element, cursor: int) -> None:
        """An element that takes no time, at the cursor."""
        tag, bar = element.tag, self.place.bar
        if tag == "direction":
            if self.directions.direction(element, bar, self._shifted(element, cursor)):
                self.notes.techniques(element)
        elif tag == "attributes":
            self.attributes.attributes(element, cursor)
        elif tag == "harmony":
            at = self._shifted(element, cursor)
            staff = max(number_of(element.find("staff"), 1) - 1, 0)
            self.directions.harmony(element, bar, at, staff)
        elif tag == "barline":
            location = element.get("location", "right")
            place = 0 if location == "left" else (BAR_END if location == "right" else cursor)
            self.directions.barline(element, bar, place)
        elif tag == "sound":
            self.directions.measure_sound(element, bar, self._shifted(element, cursor))
        elif tag == "figured-bass":
            self._figures(element, cursor)

    def _shifted(self, element: _Element, cursor: int) -> int:
        """The cursor moved by the element's own `offset`."""
        offset = child_of(element, "offset")
        return max(cursor + self.place.ticks(text_of(offset, "0")), 0) if offset is not None else max(cursor, 0)

    def _figures(self, element: _Element, cursor: int) -> None:
        """Figured bass; figures that follow each other over one note begin where those before them end."""
        place = self.place
        if self.figured[:2] != (place.bar, cursor):
            self.figured = (place.bar, cursor, 0)
        at = cursor + self.figured[2]
        length = max(place.ticks(text_of(element.find("duration"), "0")), 0)
        text = ";".join(sign_text(figure) for figure in element.iterchildren("figure"))
        if not text or len(text) > TEXT or length > BAR_QUARTERS * place.quarter:
            place.log("figured bass without figures or of impossible length, ignored")
            return
        mark = self.directions.mark(place.bar, at, "figured-bass", text)
        if length:
            mark.end_bar, mark.end_at = place.bar, at + length
        self.figured = (place.bar, cursor, self.figured[2] + length)

    def part(self) -> Part:
        """Who plays, and how it is written."""
        entry, head, place = self.entry, self.attributes, self.place
        sounds = list(entry.sounds.values())
        channel = next((s.channel for s in sounds if s.channel >= 0), -1)
        percussion = place.unpitched > 0 and place.unpitched >= place.pitched
        if not place.unpitched and channel == 9 and head.clefs.get(0) == "percussion":
            percussion = True
        chromatic, diatonic = head.first_transposition or (0, 0)
        staves = max(head.staves, *(s + 1 for s in head.clefs), 1) if head.clefs else head.staves
        clefs = tuple(head.clefs.get(s, "percussion" if percussion else "G2") for s in range(staves))
        return Part(
            name=entry.name,
            abbreviation=entry.abbreviation,
            program=0 if percussion and entry.program not in range(1, 128) else entry.program,
            bank=next((s.bank for s in sounds if s.bank >= 0), 0),
            channel=channel if channel >= 0 else (9 if percussion else 0),
            port=entry.port,
            percussion=percussion,
            transposition=0 if percussion else chromatic,
            diatonic=0 if percussion else diatonic,
            staves=staves,
            clefs=clefs if head.clefs else (),
            lines=head.lines,
            group=entry.group,
        )
