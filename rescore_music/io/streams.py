"""A music21 stream into a draft: one part walked once, note by note.

Conventions: music21's offsets are quarters, exact fractions; a draft's places are (bar index, ticks into the bar).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import Any

from rescore_music.io.humdrum import Spot
from rescore_music.io.limits import TEXT
from rescore_music.io.musicxml.tables import NATURAL, STEPS, TECHNIQUES, TEMPO_WORDS, program_of
from rescore_music.io.notation.draft import BAR_END, ROW, TIE_START, TIE_STOP, Draft, MarkDraft
from rescore_music.score import Articulation, Part

_TIES = {"start": TIE_START, "stop": TIE_STOP, "continue": TIE_START | TIE_STOP}
_FLAGS = {
    "Staccato": Articulation.STACCATO,
    "Spiccato": Articulation.STACCATISSIMO,
    "Staccatissimo": Articulation.STACCATISSIMO,
    "Tenuto": Articulation.TENUTO,
    "DetachedLegato": Articulation.TENUTO | Articulation.STACCATO,
    "Accent": Articulation.ACCENT,
    "StrongAccent": Articulation.MARCATO,
    "Pizzicato": Articulation.PIZZICATO,
    "UpBow": Articulation.UP_BOW,
    "DownBow": Articulation.DOWN_BOW,
    "Harmonic": Articulation.HARMONIC,
    "StringHarmonic": Articulation.HARMONIC,
    "Fermata": Articulation.FERMATA,
    "Trill": Articulation.TRILL,
    "HalfStepTrill": Articulation.TRILL,
    "WholeStepTrill": Articulation.TRILL,
    "Mordent": Articulation.MORDENT,
    "HalfStepMordent": Articulation.MORDENT,
    "WholeStepMordent": Articulation.MORDENT,
    "InvertedMordent": Articulation.INVERTED_MORDENT,
    "HalfStepInvertedMordent": Articulation.INVERTED_MORDENT,
    "WholeStepInvertedMordent": Articulation.INVERTED_MORDENT,
    "Turn": Articulation.TURN,
    "InvertedTurn": Articulation.TURN,
    "Tremolo": Articulation.TREMOLO,
    "ArpeggioMark": Articulation.ARPEGGIO,
}
_DENOMINATORS = (1, 2, 4, 8, 16, 32, 64, 128)
_FLAGS_COLUMN = (ROW.names or ()).index("flags")
_BARLINES = {"double": "double", "final": "final", "dashed": "dashed", "dotted": "dotted", "heavy": "heavy"}


def _fraction(quarters: Any) -> Fraction:
    return Fraction(quarters).limit_denominator(10080)


def resolution(stream: Any) -> int:
    """Ticks per quarter in which every offset and duration is whole."""
    result = 480
    for element in stream.recurse().notesAndRests:
        for quarters in (element.offset, element.duration.quarterLength):
            wanted = lcm(result, _fraction(quarters).denominator)
            if wanted <= 1_000_000:
                result = wanted
    return result


class Walker:
    """Walks one music21 part."""

    def __init__(self, draft: Draft, index: int, part: Any) -> None:
        from music21 import stream

        self.draft, self.index, self.source = draft, index, part
        self.clef = ""
        self.standing = 0
        self.spots: list[Spot] = []
        self.rows: dict[Spot, tuple[int, int]] = {}  # where a note or chord stands in the draft's rows
        self.places: dict[int, tuple[int, int, int, int]] = {}  # id of a note -> bar, at, duration, voice
        measures = list(part.getElementsByClass(stream.Measure))
        if not measures:
            measures = list(part.makeMeasures().getElementsByClass(stream.Measure))
        self.measures = measures
        self.instrument = part.getInstrument(returnDefault=True)

    def _ticks(self, quarters: Any) -> int:
        return round(_fraction(quarters) * self.draft.ticks_per_quarter)

    def _mark(self, bar: int, at: int, kind: str, text: str, *, whole: bool = False) -> MarkDraft:
        mark = MarkDraft(bar, at, kind, " ".join(text.split())[:TEXT], -1 if whole else self.index)
        self.draft.marks.append(mark)
        return mark

    def walk(self) -> None:
        """All measures, then what spans several notes."""
        for bar, measure in enumerate(self.measures):
            self._attributes(bar, measure)
            reach = sounded = 0
            for voice, at, element in self._elements(measure):
                end = at + self._ticks(element.duration.quarterLength)
                reach = max(reach, end)
                if not element.isRest:
                    sounded = max(sounded, end)
                    self._note(bar, at, voice, element)
            self.draft.filled[bar] = max(reach, self.draft.filled.get(bar, 0))
            self.draft.sounded[bar] = max(sounded, self.draft.sounded.get(bar, 0))
            self.draft.bars = max(self.draft.bars, bar + 1)
        self._spanners()

    def _elements(self, measure: Any) -> Iterator[tuple[int, int, Any]]:
        """(voice, place in the bar, note, chord or rest); chord symbols become marks elsewhere."""
        voices = list(measure.voices)
        for number, holder in enumerate(voices or [measure], 1):
            shift = self._ticks(holder.offset) if voices else 0
            for element in holder.notesAndRests:
                if "ChordSymbol" not in element.classes:
                    yield number, shift + self._ticks(element.offset), element
        for element in measure.notesAndRests if voices else ():
            if "ChordSymbol" not in element.classes:
                yield 1, self._ticks(element.offset), element

    def _attributes(self, bar: int, measure: Any) -> None:
        """What a bar says beside its notes."""
        draft = self.draft
        for element in measure.recurse():
            at = self._ticks(element.getOffsetInHierarchy(measure))
            kinds = element.classSet
            if "TimeSignature" in kinds and element.numerator and element.denominator:
                if element.denominator in _DENOMINATORS and element.numerator < 256:
                    draft.meters.setdefault(bar, (int(element.numerator), int(element.denominator)))
                else:
                    draft.note("meter", f"{element.ratioString[:20]}, which no note value counts, ignored")
            elif "KeySignature" in kinds and element.sharps is not None and abs(element.sharps) <= 11:
                mode = {"major": 0, "minor": 1}.get(getattr(element, "mode", None) or "", -1)
                draft.keys.append((bar, at, self.index, int(element.sharps), mode))
            elif "Clef" in kinds and element.sign in ("G", "F", "C", "percussion"):
                text = "percussion" if element.sign == "percussion" else f"{element.sign}{element.line}"
                text += {1: "+8", -1: "-8", 2: "+15", -2: "-15"}.get(element.octaveChange, "")
                if not self.clef:
                    self.clef = text
                elif bar or at:
                    self._mark(bar, at, "clef", text)
            elif "TempoIndication" in kinds:
                self._tempo(bar, at, element)
            elif "Dynamic" in kinds:
                if level := re.match(r"[a-z]+", str(element.value)):  # the rest are ends of hairpins
                    self._mark(bar, at, "dynamic", level.group())
            elif "RepeatExpression" in kinds:
                self._jump(bar, at, element)
            elif "ChordSymbol" in kinds:
                self._mark(bar, at, "chord", str(element.figure).replace("-", "b"))
            elif "RehearsalMark" in kinds:
                self._mark(bar, at, "rehearsal", str(element.content), whole=True)
            elif "TextExpression" in kinds:
                self._text(bar, at, str(element.content))
        self._barlines(bar, measure)

    def _jump(self, bar: int, at: int, element: Any) -> None:
        """Signs stand where they are, words where they act: at the end of their bar."""
        name = type(element).__name__
        if name in ("Segno", "Coda"):
            self._mark(bar, at, "jump", name.lower(), whole=True)
        else:
            words = element.getTextExpression()
            text = str(words.content) if words is not None else name
            self._mark(bar, BAR_END, "jump", text, whole=True)

    def _tempo(self, bar: int, at: int, element: Any) -> None:
        # a metronome at 0 says nothing, and music21 divides by it
        said = "MetronomeMark" in element.classSet and (element.number or element.numberSounding)
        bpm = element.getQuarterBPM() if said else None
        if bpm:
            self.draft.tempi.append((bar, at, float(bpm), 0))
        words = "" if getattr(element, "textImplicit", True) else str(getattr(element, "text", "") or "")
        spoken = bpm and not getattr(element, "numberImplicit", True)
        text = " ".join(t for t in (words, f"♩ = {bpm:g}" if spoken else "") if t)
        if text:
            self._mark(bar, at, "tempo", text, whole=True).value = round(float(bpm), 6) if bpm and spoken else 0.0

    def _text(self, bar: int, at: int, text: str) -> None:
        kind = "tempo" if TEMPO_WORDS.match(text) else "text"
        for pattern, on, off in TECHNIQUES:
            if pattern.search(text):
                self.standing = (self.standing & ~off) | on
                kind = "technique"
        self._mark(bar, at, kind, text, whole=kind == "tempo")

    def _barlines(self, bar: int, measure: Any) -> None:
        for line, at in ((measure.leftBarline, 0), (measure.rightBarline, BAR_END)):
            if line is None:
                continue
            if "Repeat" in line.classSet:
                text = "repeat-start" if line.direction == "start" else "repeat-end"
                mark = self._mark(bar, at, "barline", text, whole=True)
                mark.value = float(line.times or 0) if text == "repeat-end" else 0.0
            elif line.type in _BARLINES:
                self._mark(bar, at, "barline", _BARLINES[line.type], whole=True)

    def _note(self, bar: int, at: int, voice: int, element: Any) -> None:
        """One note or chord."""
        grace = bool(element.duration.isGrace)
        duration = 0 if grace else self._ticks(element.duration.quarterLength)
        flags = self.standing
        if grace:
            slash = bool(getattr(element.duration, "slash", True))
            flags |= Articulation.ACCIACCATURA if slash else Articulation.APPOGGIATURA
        elif not duration:
            self.draft.note(f"part {self.index + 1}", "notes without duration, dropped")
            return
        for sign in [*element.articulations, *element.expressions]:
            bits = _FLAGS.get(type(sign).__name__)
            if bits is None:
                self.draft.note(f"part {self.index + 1}", f"{type(sign).__name__} at notes, ignored")
            else:
                flags |= bits
        self.places[id(element)] = (bar, at, duration, voice)
        heard = frozenset(round(p.ps) for p in element.pitches)
        self.spots.append(Spot(int(element.priority), bar, at, duration, voice, grace, heard))
        begin = len(self.draft.rows)
        for one in element.notes if element.isChord else [element]:
            pitch = getattr(one, "pitch", None)
            if pitch is None or not 0 <= round(pitch.ps) <= 127:
                self.draft.note(f"part {self.index + 1}", "notes without a pitch, dropped")
                continue
            midi, step = round(pitch.ps), STEPS.index(pitch.step)
            alter = (midi - NATURAL[step] + 6) % 12 - 6
            known = abs(alter) <= 2
            tie = one.tie or (element.tie if not element.isChord else None)
            self.draft.rows.extend(
                (
                    bar, at, duration, midi, self.index, voice, 0, step if known else -1, alter if known else 0,
                    int(flags), 0 if tie is None else _TIES.get(tie.type, 0), -1,
                )
            )  # fmt: skip
        self.rows[self.spots[-1]] = begin, len(self.draft.rows)
        for lyric in element.lyrics:
            if lyric.text:
                text = lyric.text + ("-" if lyric.syllabic in ("begin", "middle") else "")
                self.sing(self.spots[-1], text, lyric.number or 1)

    def flag(self, spot: Spot, bits: int) -> None:
        """Articulations of a note or chord."""
        for at in range(*self.rows[spot], len(ROW.names or ())):
            self.draft.rows[at + _FLAGS_COLUMN] |= bits

    def jump(self, spot: Spot, text: str) -> None:
        """A sign at a note, or words that act at the end of its bar."""
        self._mark(spot.bar, spot.at if text in ("segno", "coda") else BAR_END, "jump", text, whole=True)

    def sign(self, spot: Spot, kind: str, text: str, *, value: float = 0.0, until: Spot | None = None) -> None:
        """A mark at a note, or to the end of another."""
        mark = self._mark(spot.bar, spot.at, kind, text)
        mark.value, mark.voice = value, spot.voice if kind == "sign" else 0
        if until is not None:
            mark.end_bar, mark.end_at = until.bar, until.at + until.duration

    def sing(self, spot: Spot, text: str, verse: int) -> None:
        """A syllable under a note."""
        mark = self._mark(spot.bar, spot.at, "lyric", text)
        mark.voice, mark.value = spot.voice, float(verse)

    def _spanners(self) -> None:
        from music21 import dynamics, spanner

        number = {id(measure): bar for bar, measure in enumerate(self.measures)}
        for one in self.source.recurse().getElementsByClass(spanner.Spanner):
            first, last = one.getFirst(), one.getLast()
            if isinstance(one, spanner.RepeatBracket):
                if id(first) in number and id(last) in number:
                    self._mark(number[id(first)], 0, "barline", f"ending-start:{one.number}", whole=True)
                    self._mark(number[id(last)], BAR_END, "barline", f"ending-stop:{one.number}", whole=True)
                continue
            a, b = self.places.get(id(first)), self.places.get(id(last))
            if a is None or b is None:
                continue
            mark = None
            if isinstance(one, spanner.Slur):
                mark = self._mark(a[0], a[1], "slur", "")
                mark.voice = a[3]
            elif isinstance(one, dynamics.DynamicWedge):
                mark = self._mark(a[0], a[1], "hairpin", "<" if isinstance(one, dynamics.Crescendo) else ">")
            if mark is not None:
                mark.end_bar, mark.end_at = b[0], b[1] + b[2]

    def part(self) -> Part:
        """Who plays."""
        name = (
            _plain(self.source.partName) or _plain(self.instrument.partName) or _plain(self.instrument.instrumentName)
        )
        program = self.instrument.midiProgram
        interval = self.instrument.transposition
        return Part(
            name=name,
            abbreviation=_plain(self.source.partAbbreviation),
            program=program if program is not None else program_of(name),
            transposition=int(interval.semitones) if interval is not None else 0,
            diatonic=int(interval.generic.staffDistance) if interval is not None else 0,
            clefs=(self.clef,) if self.clef else (),
        )


def _plain(value: Any) -> str:
    return " ".join(str(value).split())[:TEXT] if value else ""
