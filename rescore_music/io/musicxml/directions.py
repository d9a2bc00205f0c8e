"""Directions, chord symbols and bar lines of one MusicXML part, as marks, tempi and jumps.

Spanners (hairpins, pedals, octave lines, dashes) are joined by their number; the text of a metronome mark is kept in
the tempo mark as it is printed: "Allegro ♩ = 120".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rescore_music.errors import ReadError
from rescore_music.io.limits import MARKS, TEXT
from rescore_music.io.musicxml.chordsymbols import chord_symbols
from rescore_music.io.musicxml.parts import number_of, text_of
from rescore_music.io.musicxml.signs import DIRECTION_SIGNS, sign_text
from rescore_music.io.musicxml.tables import (
    BEAT_UNITS,
    JUMP_WORDS,
    PER_MINUTE,
    PICTURE,
    TECHNIQUES,
    TEMPO_WORDS,
)
from rescore_music.io.notation.draft import BAR_END, Draft, MarkDraft

if TYPE_CHECKING:
    from lxml.etree import _Element

_UNITS = {name: (glyph, quarters) for glyph, name, quarters in BEAT_UNITS}
_BOXES = ("rectangle", "square")
_OCTAVES = {("down", "8"): "8va", ("up", "8"): "8vb", ("down", "15"): "15ma", ("up", "15"): "15mb"}
_STYLES = {
    "light-light": "double",
    "light-heavy": "final",
    "dashed": "dashed",
    "dotted": "dotted",
    "heavy": "heavy",
    "tick": "tick",
    "short": "short",
    "none": "none",
    "heavy-heavy": "heavy-heavy",
    "heavy-light": "heavy-light",
}
_SOUND_JUMPS = {"dacapo": "D.C.", "dalsegno": "D.S.", "fine": "Fine", "tocoda": "To Coda"}
_POINTS = {"segno": "segno", "coda": "coda"}


class DirectionReader:
    """What stands above and below one part's staff, gathered into the draft."""

    def __init__(self, draft: Draft, part: int) -> None:
        self.draft, self.part = draft, part
        self.open: dict[tuple[str, str], MarkDraft] = {}
        self.first_bar_of_ending = ""

    def mark(self, bar: int, at: int, kind: str, text: str, *, whole: bool = False, staff: int = 0) -> MarkDraft:
        """Add one mark; `whole` for those of the whole score."""
        made = MarkDraft(bar, at, kind, text[:TEXT], -1 if whole else self.part, 0 if whole else staff)
        self.draft.marks.append(made)
        if len(self.draft.marks) > MARKS:
            raise ReadError(f"more than {MARKS:,} marks beside the notes", file=self.draft.file, cure="split the file")
        return made

    def direction(self, element: _Element, bar: int, at: int) -> bool:
        """One `direction`; `at` has its offset added. Whether it says words."""
        staff, sound, kinds = 0, None, []
        for child in element:
            tag = child.tag
            if tag == "direction-type":
                kinds.append(child)
            elif tag == "sound":
                sound = child if sound is None else sound
            elif tag == "staff":
                staff = max(number_of(child, 1) - 1, 0)
        words: list[str] = []
        metronome = ""
        bpm = 0.0
        spoken = boxed = False
        before = 0  # words that stand before the metronome mark
        points: list[str] = []
        for kind in kinds:
            for child in kind:
                tag = child.tag
                if tag == "words" or tag == "symbol":
                    spoken = True
                    if text := text_of(child):
                        words.append(text)
                        boxed |= child.get("enclosure") in _BOXES
                elif tag == "metronome":
                    metronome, bpm = self._metronome(child)
                    before = len(words)
                    if not metronome and not bpm:
                        self._as_mark(child, bar, at, staff)
                elif tag == "dynamics":
                    self._dynamics(child, bar, at, staff)
                elif tag == "rehearsal":
                    self.mark(bar, at, "rehearsal", text_of(child), whole=True)
                elif tag in _POINTS:
                    points.append(tag)
                    if tag == "coda" and sound is not None and sound.get("tocoda"):
                        self.mark(bar, BAR_END, "jump", "To Coda", whole=True)
                    else:
                        self.mark(bar, at, "jump", _POINTS[tag], whole=True)
                elif tag in ("wedge", "octave-shift", "pedal", "dashes"):
                    self._spanner(tag, child, bar, at, staff, words)
                elif tag in DIRECTION_SIGNS:
                    self._as_mark(child, bar, at, staff)
                else:
                    self.draft.note("directions", f"<{tag}>, ignored")
        if bpm:
            self.draft.tempi.append((bar, at, bpm, 1))
        if metronome and 0 < before < len(words) and words[before - 1][-1:] == "(" and words[before][:1] == ")":
            words[before - 1], words[before] = words[before - 1][:-1].rstrip(), words[before][1:].lstrip()
            metronome = f"({metronome})"
        text = " ".join(word for word in words if word)
        self._words(text, metronome, bpm, sound, bar, at, staff, boxed)
        if sound is not None:
            self.sound(sound, bar, at)
            self._jumps(sound, bar, at, "" if metronome else text, points)
            self._plucked(sound, bar, at, text, staff)
        return spoken

    def _dynamics(self, element: _Element, bar: int, at: int, staff: int) -> None:
        for one in element:
            text = text_of(one) if one.tag == "other-dynamics" else str(one.tag)
            if text:
                self.mark(bar, at, "dynamic", text, staff=staff)

    def notation_dynamics(self, element: _Element, bar: int, at: int, staff: int) -> None:
        """Dynamics attached to a note."""
        self._dynamics(element, bar, at, staff)

    def _metronome(self, element: _Element) -> tuple[str, float]:
        units = [child for child in element if child.tag == "beat-unit"]
        said = text_of(element.find("per-minute"))
        number = re.search(r"\d+([.,]\d+)?", said)
        if len(units) != 1 or number is None or text_of(units[0]) not in _UNITS:
            return "", 0.0
        dots = len(element.findall("beat-unit-dot"))
        glyph, quarters = _UNITS[text_of(units[0])]
        text = f"{glyph}{'.' * dots} = {said if PER_MINUTE.fullmatch(said) else number.group()}"
        if element.get("parentheses") == "yes":
            text = f"({text})"
        if element.get("print-object") == "no":
            text = ""
        return text, float(number.group().replace(",", ".")) * quarters * (2 - 0.5**dots)

    def _words(
        self, text: str, metronome: str, bpm: float, sound: _Element | None, bar: int, at: int, staff: int, boxed: bool
    ) -> None:
        if not text and not metronome:
            return
        jump = sound is not None and any(sound.get(name) for name in _SOUND_JUMPS)
        if metronome or (sound is not None and sound.get("tempo") and not jump):
            made = self.mark(bar, at, "tempo", f"{text} {metronome}".strip(), whole=True)
            made.value = round(bpm, 6)
        elif PICTURE.match(text):
            self.mark(bar, at, "text", text, whole=True).value = float(boxed)
        elif JUMP_WORDS.match(text):
            self.mark(bar, BAR_END, "jump", text, whole=True)  # it acts when its bar has been played
        elif any(pattern.search(text) for pattern, _, _ in TECHNIQUES):
            self.mark(bar, at, "technique", text, staff=staff)
        elif TEMPO_WORDS.match(text):
            self.mark(bar, at, "tempo", text, whole=True)
        else:
            made = self.mark(bar, at, "text", text, staff=staff)
            made.value = float(boxed)
            waiting = self.open.get(("dashes", ""))
            if waiting is not None and waiting.kind == "dashes":
                self.open[("dashes", "")] = made
            self.last_text = made

    last_text: MarkDraft | None = None

    def sound(self, element: _Element, bar: int, at: int) -> None:
        """The tempo of a `sound` element, and the instruments it changes to."""
        try:
            tempo = float(element.get("tempo", "0"))
        except ValueError:
            tempo = 0.0
        if element.get("tempo") is not None:
            if tempo > 0:
                self.draft.tempi.append((bar, at, tempo, 0))
            else:
                self.draft.note("tempo", "impossible tempi, ignored")
        for child in element:
            if child.tag == "midi-instrument":
                program = number_of(child.find("midi-program")) - 1
                if 0 <= program <= 127:
                    bank = max(number_of(child.find("midi-bank"), 1) - 1, 0)
                    self.draft.programs.append((bar, at, self.part, program, min(bank, 16383)))
            elif child.tag == "swing" and child.find("straight") is None:
                self.draft.note("tempo", "swing that a player is to add, left to the player")

    def _plucked(self, element: _Element, bar: int, at: int, text: str, staff: int) -> None:
        """Pizzicato or its end, where no words say it in a language that is understood."""
        said = {"yes": "pizz.", "no": "arco"}.get(element.get("pizzicato", ""))
        if said and not any(pattern.search(text) for pattern, _, _ in TECHNIQUES):
            self.mark(bar, at, "technique", said, staff=staff)

    def measure_sound(self, element: _Element, bar: int, at: int) -> None:
        """A `sound` that stands in the measure itself."""
        self.sound(element, bar, at)
        self._jumps(element, bar, at)

    def _jumps(self, element: _Element, bar: int, at: int, text: str = "", points: Sequence[str] = ()) -> None:
        """Jumps of a `sound` that no words say in a language that is understood, and no sign."""
        said = bool(JUMP_WORDS.match(text))
        for name, jump in _SOUND_JUMPS.items():
            if element.get(name) and not said and not (name == "tocoda" and "coda" in points):
                self.mark(bar, BAR_END, "jump", jump, whole=True)
        for name in ("segno", "coda"):
            if element.get(name) and name not in points:
                self.mark(bar, at, "jump", name, whole=True)

    def _spanner(self, tag: str, element: _Element, bar: int, at: int, staff: int, words: list[str]) -> None:
        kind = element.get("type", "")
        key = (tag, element.get("number", "1") if tag != "pedal" else str(staff))
        if tag == "dashes":
            if not self._dashes(kind, element.get("number", "1"), bar, at, staff, words):
                self._as_mark(element, bar, at, staff)
            return
        if kind in ("stop", "change"):
            started = self.open.pop(key, None)
            if started is None:
                self.draft.note("directions", f"<{tag}> that ends without beginning, ignored")
            else:
                started.end_bar, started.end_at = bar, at
                self._niente(started, element)
        if tag == "wedge" and kind in ("crescendo", "diminuendo"):
            self._start(key, self.mark(bar, at, "hairpin", "<" if kind == "crescendo" else ">", staff=staff))
            self._niente(self.open[key], element)
        elif tag == "octave-shift" and kind in ("up", "down"):
            text = _OCTAVES.get((kind, element.get("size", "8")))
            if text is None:
                self.draft.note("directions", f"octave shift of size {element.get('size')}, ignored")
            else:
                self._start(key, self.mark(bar, at, "octave", text, staff=staff))
        elif tag == "pedal" and kind in ("start", "change", "sostenuto"):
            text = "sostenuto" if kind == "sostenuto" else "line" if element.get("line") == "yes" else ""
            self._start(key, self.mark(bar, at, "pedal", text, staff=staff))

    def _niente(self, made: MarkDraft, element: _Element) -> None:
        """A hairpin from or to nothing has a circle at its point."""
        if made.kind == "hairpin" and element.get("niente") == "yes":
            made.value = 1.0

    def _start(self, key: tuple[str, str], made: MarkDraft) -> None:
        if key in self.open:
            self._unended(self.open[key])
        self.open[key] = made

    def _as_mark(self, element: _Element, bar: int, at: int, staff: int) -> None:
        """What has no kind of mark of its own."""
        if text := sign_text(element):
            self.mark(bar, at, "direction", text, staff=staff)
        else:
            self.draft.note("directions", f"<{element.tag}> of impossible length or depth, ignored")

    def _dashes(self, kind: str, number: str, bar: int, at: int, staff: int, words: list[str]) -> bool:
        """Dashes prolong the words before them: `end` of that mark. False where there are none."""
        if kind == "stop":
            started = self.open.pop(("dashes", number), None)
            if started is not None:
                started.end_bar, started.end_at = bar, at
            return started is not None
        if words:  # the words of this very direction become a mark at its end
            made = self.mark(bar, at, "text", " ".join(words), staff=staff)
            words.clear()
            self.open[("dashes", number)] = made
        elif self.last_text is not None and (self.last_text.bar, self.last_text.at) == (bar, at):
            self.open[("dashes", number)] = self.last_text
        else:
            return False
        return True

    def _unended(self, mark: MarkDraft) -> None:
        self.draft.note("directions", f"a {mark.kind} that never ends, dropped")
        mark.drop()

    def finish(self) -> None:
        """Drop what never ended."""
        for (tag, _), mark in self.open.items():
            if tag != "dashes":
                self._unended(mark)

    def harmony(self, element: _Element, bar: int, at: int, staff: int) -> None:
        """One chord symbol (a `harmony` may hold several chords)."""
        found = chord_symbols(element)
        for kind, texts in (("voicing", found.voicings), ("chord", found.texts)):
            for text in texts:
                self.mark(bar, at, kind, text, staff=staff)
        for tag in found.ignored:
            self.draft.note("chord symbols", f"<{tag}>, ignored")

    def barline(self, element: _Element, bar: int, at: int) -> None:
        """One `barline`; `at` is where it stands in the bar."""
        repeat, ending = element.find("repeat"), element.find("ending")
        style = text_of(element.find("bar-style"))
        if repeat is not None:
            forward = repeat.get("direction") == "forward"
            made = self.mark(bar, at, "barline", "repeat-start" if forward else "repeat-end", whole=True)
            times = repeat.get("times", "")
            made.value = float(times) if times.isdigit() and not forward else 0.0
        elif style in _STYLES:
            self.mark(bar, at, "barline", _STYLES[style], whole=True)
        if ending is not None:
            number = ending.get("number", "").strip() or text_of(ending)
            kind = ending.get("type", "start")
            self.mark(bar, at, "barline", f"ending-{kind}:{number}", whole=True)
        for name in ("segno", "coda"):
            if element.find(name) is not None or element.get(name):
                self.mark(bar, at, "jump", name, whole=True)
        if element.find("fermata") is not None:
            self.mark(bar, at, "fermata", "barline")
