"""Chords, rests and grace notes of a part as MusicXML notes, with all that hangs on them."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from rescore_music.io.musicxml.attach import Attachments
from rescore_music.io.musicxml.graces import FLAGS, usual_kind
from rescore_music.io.musicxml.pitches import WrittenPitch
from rescore_music.io.musicxml.signs import HOLDERS, NOTATION_SIGNS, sign_name, sign_xml
from rescore_music.io.musicxml.tables import ARTICULATION_OUT, DRUMS, ORNAMENT_OUT, TECHNICAL_OUT
from rescore_music.io.notation.values import Piece, beam_types
from rescore_music.io.notation.voices import TIE_IN, TIE_OUT
from rescore_music.score import GRACE, Articulation, Score

if TYPE_CHECKING:
    from rescore_music.io.musicxml.plan import Plan

_PER_NOTE = int(Articulation.ARPEGGIO | Articulation.GLISSANDO | Articulation.HARMONIC)
_TIE = ("", '<tie type="stop"/>', '<tie type="start"/>', '<tie type="stop"/><tie type="start"/>')
STEMLESS = ("whole", "breve", "long")
_TIED = tuple(text.replace("<tie ", "<tied ") for text in _TIE)

_SINGLE = (3, "single")  # strokes of a tremolo of which no more is said, on one note
_KINDS = ("64th", "32nd", "16th", "eighth", "quarter", "half", "whole", "breve")
_DOUBLED = dict(pairwise(_KINDS))


class NoteWriter:
    """Writes the notes of one part; `staves` is how many it has, `staff_of` tells the staff of each note."""

    def __init__(
        self,
        score: Score,
        plan: Plan,
        number: int,
        hang: Attachments,
        pitches: dict[int, WrittenPitch],
        staves: int,
        staff_of: dict[int, int],
    ) -> None:
        self.score, self.plan, self.number, self.part = score, plan, number, score.parts[number]
        self.hang, self.pitch_xml, self.staves, self.staff_of = hang, pitches, staves, staff_of
        self.flags = score.notes["articulation"]
        self.bar = 0  # the one that is being written
        self.stems: dict[int, str] = {}  # by voice, where they are not left to the engraver

    def rest(self, piece: Piece, voice: int, staff: int, fermata: bool, words: str = "") -> str:
        """A rest, or the rest of a whole bar."""
        home = self.staff(staff)
        notations = _tuplet_xml(piece)
        if fermata:
            notations += '<fermata type="upright"/>'
        notations = f"<notations>{notations}</notations>" if notations else ""
        if piece.kind == "measure":
            body = f'<rest measure="yes"/><duration>{piece.ticks}</duration><voice>{voice}</voice>'
            return f"<note>{body}{home}{notations}{words}</note>"
        body = f"<rest/><duration>{piece.ticks}</duration><voice>{voice}</voice>{_value_xml(piece)}"
        return f"<note>{body}{home}{notations}{words}</note>"

    def forward(self, ticks: int, voice: int, staff: int) -> str:
        """Time in which a voice is silent and shows no rest."""
        return f"<forward><duration>{ticks}</duration><voice>{voice}</voice>{self.staff(staff)}</forward>"

    def staff(self, staff: int) -> str:
        """The staff as a child of a note; none where there is only one."""
        return f"<staff>{staff + 1}</staff>" if self.staves > 1 else ""

    def chord(
        self,
        piece: Piece,
        members: list[tuple[int, int]],
        first: bool,
        last: bool,
        voice: int,
        accidentals: dict[int, str],
    ) -> list[str]:
        """The notes of one piece of a chord; what hangs on the chord hangs on its first note."""
        if first and last and any(self.hang.tremolo.get(note, _SINGLE)[1] != "single" for note, _ in members):
            piece = _alternating(piece)
        kind, dots, ratio = _value_xml(piece).partition("<time-modification>")
        beams = "".join(f'<beam number="{i}">{b}</beam>' for i, b in enumerate(piece.beams, 1))
        hang = self.hang
        stem = f"<stem>{self.stems[voice]}</stem>" if voice in self.stems and piece.kind not in STEMLESS else ""
        out = []
        for k, (note, ties) in enumerate(members):
            tie = (0 if first and not ties & TIE_IN else TIE_IN) | (0 if last and not ties & TIE_OUT else TIE_OUT)
            begins, ends = first and not ties & TIE_IN, last and not ties & TIE_OUT
            bits = int(self.flags[note])
            signs = self._signs(note, begins, piece)
            notations = _TIED[tie] + self._hung(note, bits, piece, k, begins, ends, signs)
            lyric = "".join(hang.lyrics[note]) if begins and note in hang.lyrics else ""
            if not begins and note in hang.tied:
                lyric += "".join(hang.tied[note].get((self.bar, piece.start), ((), ()))[0])
            chord = "<chord/>" if k else ""
            mark = "<cue/>" if bits & Articulation.CUE else ""
            accidental = accidentals.get(note, "")
            notehead = self._notehead(note, bits, signs)
            home = self.staff(self.staff_of[note])
            out.append(
                f"<note{self.plan.loud.get(note, '')}>{mark}{chord}{self.pitch_xml[note][0]}"
                f"<duration>{piece.ticks}</duration>{_TIE[tie]}{self._instrument(note)}<voice>{voice}</voice>"
                f"{kind}{accidental}{dots}{ratio}{stem}{notehead}{home}{beams if k == 0 else ''}"
                f"{f'<notations>{notations}</notations>' if notations else ''}{lyric}</note>"
            )
        return out

    def _hung(
        self, note: int, bits: int, piece: Piece, k: int, begins: bool, ends: bool, signs: tuple[str, ...]
    ) -> str:
        """Slurs, tuplet and flags of the k-th note of a chord, where its sound begins or ends."""
        hang = self.hang
        out = ""
        if ends and note in hang.slur_stops:
            out += "".join(f'<slur type="stop" number="{n}"/>' for n in hang.slur_stops[note])
        if begins and note in hang.slur_starts:
            out += "".join(f'<slur type="start" number="{n}"/>' for n in hang.slur_starts[note])
        if k == 0:
            out += _tuplet_xml(piece)
        if bits or signs or note in hang.breath:
            extra = "".join(f"<{name}/>" for name in hang.breath.get(note, ())) if ends else ""
            out += _flag_xml(bits if k == 0 else bits & _PER_NOTE, begins, ends, self._tremolo(note), extra, signs)
        return out

    def _tremolo(self, note: int) -> str:
        strokes, kind = self.hang.tremolo.get(note, _SINGLE)
        return f'<tremolo type="{kind}">{strokes}</tremolo>'

    def _instrument(self, note: int) -> str:
        if not self.part.percussion:
            return ""
        return f'<instrument id="P{self.number + 1}-I{int(self.score.notes["pitch"][note])}"/>'

    def _signs(self, note: int, begins: bool, piece: Piece) -> tuple[str, ...]:
        """The signs of a note, or of a later note of its tie."""
        hang = self.hang
        if begins:
            return tuple(hang.signs[note]) if note in hang.signs else ()
        return tuple(hang.tied[note].get((self.bar, piece.start), ((), ()))[1]) if note in hang.tied else ()

    def _notehead(self, note: int, bits: int, signs: tuple[str, ...]) -> str:
        if signs:
            own = next((text for text in signs if sign_name(text) == "notehead"), "")
            if xml := sign_xml(own, ("notehead",)):
                return xml
        ghost = bits & Articulation.GHOST
        shape = DRUMS.get(int(self.score.notes["pitch"][note]), ("", "", ""))[2] if self.part.percussion else ""
        if not ghost and not shape:
            return ""
        brackets = ' parentheses="yes"' if ghost else ""
        return f"<notehead{brackets}>{shape or 'normal'}</notehead>"

    def graces(self, notes: list[int], voice: int, accidentals: dict[int, str]) -> list[str]:
        """Grace notes that follow each other, beamed."""
        ranks = self.hang.grace_order
        chorded = [k > 0 and n in ranks and ranks[n] == ranks.get(notes[k - 1]) for k, n in enumerate(notes)]
        heads = len(notes) - sum(chorded)
        usual = usual_kind(heads)
        kinds = [self.hang.grace_kind.get(n, usual) for n, joined in zip(notes, chorded, strict=True) if not joined]
        flags = [FLAGS[kind] for kind in kinds]
        out = []
        k = -1
        for note, joined in zip(notes, chorded, strict=True):
            k += not joined
            bits = int(self.flags[note])
            slash = "" if bits & Articulation.APPOGGIATURA else ' slash="yes"'
            mark = "<cue/>" if bits & Articulation.CUE else ""
            chord = "<chord/>" if joined else ""
            own = beam_types(flags, k) if heads > 1 and min(flags) and not joined else ()
            beams = "".join(f'<beam number="{i}">{b}</beam>' for i, b in enumerate(own, 1))
            notations = "".join(f'<slur type="stop" number="{n}"/>' for n in self.hang.slur_stops.get(note, ()))
            notations += "".join(f'<slur type="start" number="{n}"/>' for n in self.hang.slur_starts.get(note, ()))
            signs = tuple(self.hang.signs.get(note, ()))
            notations += _flag_xml(bits & ~GRACE, True, True, self._tremolo(note), "", signs)
            lyric = "".join(self.hang.lyrics.get(note, ()))
            out.append(
                f"<note{self.plan.loud.get(note, '')}><grace{slash}/>{mark}{chord}{self.pitch_xml[note][0]}"
                f"{self._instrument(note)}<voice>{voice}</voice><type>{kinds[k]}</type>{accidentals.get(note, '')}"
                f"{self._notehead(note, bits, signs)}{self.staff(self.staff_of[note])}{beams}"
                f"{f'<notations>{notations}</notations>' if notations else ''}{lyric}</note>"
            )
        return out


def _alternating(piece: Piece) -> Piece:
    """A note of a tremolo between two, which are both printed with the value of the pair, and a beam less."""
    if piece.actual > 1 or piece.kind not in _DOUBLED:
        return piece
    return piece._replace(kind=_DOUBLED[piece.kind], actual=2, normal=1, beams=piece.beams[1:])


@lru_cache(maxsize=4096)
def _flag_xml(bits: int, begins: bool, ends: bool, tremolo: str, extra: str, signs: tuple[str, ...]) -> str:
    """What a note's flags and signs print: most at its beginning, a fermata where it ends."""
    own = {holder: "" for holder, _ in HOLDERS}
    others = ""
    before = False  # an accidental after an ornament belongs to it
    for text in signs:
        name = sign_name(text)
        home, names = next(((h, n) for h, n in HOLDERS if name in n), ("", NOTATION_SIGNS))
        if name == "accidental-mark" and not before:
            home, names = "", NOTATION_SIGNS
        xml = sign_xml(text, names)
        if home:
            own[home] += xml
        else:
            others += xml
        bits &= ~int(names.get(name, 0))
        before = home == "ornaments"
    ornaments = technical = articulations = ""
    out = ""
    if begins:
        ornaments = "".join(f"<{name}/>" for bit, name in ORNAMENT_OUT if bits & bit)
        technical = "".join(f"<{name}/>" for bit, name in TECHNICAL_OUT if bits & bit)
        articulations = "".join(f"<{name}/>" for bit, name in ARTICULATION_OUT if bits & bit)
        if bits & Articulation.GLISSANDO:
            out += '<glissando type="start" number="1" line-type="wavy"/>'
    if bits & Articulation.TREMOLO:
        ornaments += tremolo
    ornaments, technical = ornaments + own["ornaments"], technical + own["technical"]
    articulations += own["articulations"] + extra
    out += f"<ornaments>{ornaments}</ornaments>" if ornaments else ""
    out += f"<technical>{technical}</technical>" if technical else ""
    out += f"<articulations>{articulations}</articulations>" if articulations else ""
    if ends and bits & Articulation.FERMATA:
        out += '<fermata type="upright"/>'
    if begins and bits & Articulation.ARPEGGIO:
        out += "<arpeggiate/>"
    return out + others


def _value_xml(piece: Piece) -> str:
    if not piece.kind:
        return ""
    out = f"<type>{piece.kind}</type>" + "<dot/>" * piece.dots
    if piece.actual > 1:
        unit = f"<normal-type>{piece.unit}</normal-type>" if piece.unit else ""
        out += (
            f"<time-modification><actual-notes>{piece.actual}</actual-notes><normal-notes>{piece.normal}</normal-notes>"
        )
        out += f"{unit}</time-modification>"
    return out


def _tuplet_xml(piece: Piece) -> str:
    return f'<tuplet type="{piece.bracket}" number="1"/>' if piece.bracket else ""
