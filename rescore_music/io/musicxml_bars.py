"""One part as MusicXML measures: attributes, directions, voices, notes.

Every measure holds exactly its bar's ticks in each staff's first voice: rests fill it, later voices are reached by
`backup` and spaced by `forward` at their edges. Accidentals are printed where the key and the bar so far do not give
them.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rescore_music.io.musicxml_attach import Attachments
from rescore_music.io.musicxml_tables import (
    ARTICULATION_OUT,
    DRUMS,
    ORNAMENT_OUT,
    STEPS,
    TECHNICAL_OUT,
    transposition_fifths,
)
from rescore_music.io.notation import Piece, layout, note_value
from rescore_music.io.notation_snap import Snapped
from rescore_music.io.notation_spelling import line_of_fifths, named
from rescore_music.io.notation_voices import MOST_VOICES, TIE_IN, TIE_OUT, fragments, staves_of
from rescore_music.score import GRACE, Articulation, Mark, Part, Score

if TYPE_CHECKING:
    from rescore_music.io.musicxml_plan import Plan

Ints = npt.NDArray[np.int64]
_SHARPS = (3, 0, 4, 1, 5, 2, 6)  # F C G D A E B
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
# durations that no metrical layout holds: tuplet ratios tried on the single note
_RATIOS = (
    (1, 1),
    (3, 2),
    (5, 4),
    (7, 4),
    (9, 8),
    (6, 4),
    (7, 8),
    (5, 6),
    (11, 8),
    (13, 8),
    (15, 8),
    (9, 4),
    (5, 2),
    (9, 2),
)

# clefs with an 8 for instruments that are printed an octave from where they sound, by General MIDI program
_OCTAVE_CLEFS = {
    **dict.fromkeys(range(24, 32), (("G2-8", 48, 69),)),
    **dict.fromkeys((*range(32, 40), 43), (("F4-8", 28, 48),)),
    **dict.fromkeys((9, 72, 78), (("G2+8", 72, 93),)),
}

Event = tuple[int, int, list[tuple[int, int]]]  # start, end, (note, tie bits); an empty list is a rest


def diatonic_of(part: Part) -> int:
    """A part's transposition in staff steps, derived from the semitones where it is not said."""
    if part.diatonic or not part.transposition:
        return part.diatonic
    sign = 1 if part.transposition > 0 else -1
    size = abs(part.transposition)
    return sign * ((0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)[size % 12] + 7 * (size // 12))


def written_key(fifths: int, part: Part) -> int:
    """The key signature a part is given.

    A transposing part is spared seven accidentals where five do (a horn in concert F sharp reads D flat, not C sharp).
    """
    away = transposition_fifths(part.transposition, diatonic_of(part))
    own, most = fifths - away, 6 if away else 7
    while own > most:
        own -= 12
    while own < -most:
        own += 12
    return own


class PartWriter:
    """Writes one part; `measures` is its text."""

    def __init__(
        self, score: Score, snapped: Snapped, plan: Plan, part: int, spelling: tuple[Ints, Ints], marks: list[Mark]
    ) -> None:
        self.score, self.snapped, self.plan, self.number = score, snapped, plan, part
        self.part = score.parts[part]
        self.staves, staff = staves_of(score, snapped, part)
        self.hang = Attachments(score, snapped, part, marks, self.staves)
        self.staff_of = dict(zip(score.part_notes(part).tolist(), staff.tolist(), strict=True))
        self.columns = fragments(score, snapped, part, staff)
        self.clefs = self._clefs(staff)
        self.keys = [(tick, written_key(fifths, self.part), mode) for tick, fifths, mode in plan.keys]
        self.pitch_xml = self._pitches(spelling)
        self.flags = score.notes["articulation"]
        self.graces = self._graces(staff)
        self.unusual = 0

    # -- what the staff looks like -------------------------------------------------------------------------------

    def _clefs(self, staff: Ints) -> tuple[str, ...]:
        """The part's own clefs, or those that need the fewest ledger lines."""
        if len(self.part.clefs) >= self.staves:
            return self.part.clefs[: self.staves]
        if self.part.percussion:
            return ("percussion",) * self.staves
        if self.staves == 2:
            return ("G2", "F4")
        index = self.score.part_notes(self.number)
        pitch = self.score.notes["pitch"][index].astype(np.int64) - self.part.transposition
        out = []
        for s in range(self.staves):
            mine = pitch[staff == s]
            if self.part.program == 41:
                out.append("C3")
                continue
            choices = [("G2", 60, 81), ("F4", 40, 60), *_OCTAVE_CLEFS.get(self.part.program, ())]
            ledger = {
                clef: float(np.mean(np.maximum(low - mine, 0) + np.maximum(mine - high, 0))) if len(mine) else 0.0
                for clef, low, high in choices
            }
            out.append(min(ledger, key=lambda c: (ledger[c], c != "G2")))
        return tuple(out)

    def _pitches(self, spelling: tuple[Ints, Ints]) -> dict[int, tuple[str, int, int, int]]:
        """Per note: its pitch as XML, and (staff step, alter, octave) for accidentals."""
        index = self.score.part_notes(self.number)
        if self.part.percussion:
            return {
                int(i): (_drum_xml(int(p)), -1, 0, 0)
                for i, p in zip(index, self.score.notes["pitch"][index], strict=True)
            }
        pitch = self.score.notes["pitch"][index].astype(np.int64)
        step, alter = spelling[0][index], spelling[1][index]
        natural = (pitch - alter) % 12
        safe = np.where(np.isin(natural, (0, 2, 4, 5, 7, 9, 11)) & (step >= 0), step, 0)
        fifths = line_of_fifths(pitch, safe)
        own = fifths - transposition_fifths(self.part.transposition, diatonic_of(self.part))
        ticks = np.array([k[0] for k in self.keys] or [0])
        shift = np.array([k[1] for k in self.keys] or [0]) - np.array([k[1] for k in self.plan.keys] or [0])
        shift += transposition_fifths(self.part.transposition, diatonic_of(self.part)) if self.keys else 0
        row = np.maximum(np.searchsorted(ticks, self.score.notes["onset"][index], side="right") - 1, 0)
        w_step, w_alter = named(own + (shift[row] if self.keys else 0))
        written = pitch - self.part.transposition
        octave = (written - w_alter) // 12 - 1
        rows = np.stack([index, w_step, w_alter, octave], axis=1).tolist()
        return {i: (_pitch_xml(s, a, o), s, a, o) for i, s, a, o in rows}

    def _graces(self, staff: Ints) -> dict[int, list[tuple[int, int, int, int]]]:
        """Grace notes by bar: (place, voice, staff, note), in playing order."""
        out: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
        index = self.score.part_notes(self.number)
        chosen = np.flatnonzero(self.snapped.grace[index] & ~self.snapped.dropped[index])
        if not len(chosen):
            return out
        bars = self.snapped.bars
        for k in chosen.tolist():
            note = int(index[k])
            onset = int(self.snapped.onset[note])
            bar = min(max(int(np.searchsorted(bars, onset, side="right")) - 1, 0), len(bars) - 2)
            voice = int(self.score.notes["voice"][note]) if not self.snapped.performed[self.number] else 0
            out[bar].append((onset - int(bars[bar]), voice, int(staff[k]), note))
        for rows in out.values():
            rows.sort(
                key=lambda r: (
                    r[0],
                    self.hang.grace_order.get(r[3], [0])[0],
                    int(self.score.notes["onset"][r[3]]),
                    r[3],
                )
            )
        return out

    # -- measures ------------------------------------------------------------------------------------------------

    def measures(self) -> list[str]:
        """The part's measures."""
        c = self.columns
        cuts = np.searchsorted(c.bar, np.arange(len(self.plan.bars) + 1)).tolist()
        rows = np.stack([c.voice, c.start, c.end, c.note, c.ties, c.staff], axis=1).tolist()
        return [self._measure(bar, rows[cuts[bar] : cuts[bar + 1]]) for bar in range(len(self.plan.bars))]

    def _measure(self, bar: int, rows: list[list[int]]) -> str:
        plan = self.plan.bars[bar]
        implicit = ' implicit="yes"' if plan.implicit else ""
        out = [f'<measure number="{plan.number}"{implicit}>']
        out.append(self._attributes(bar))
        out.append(plan.left.replace("{fermata}", ""))
        directions = sorted(
            [*self.hang.directions.get(bar, ()), *(plan.directions if self.number == 0 else ())], key=lambda d: d[:2]
        )
        marks = self._inner_attributes(bar)
        self.fermatas = self.hang.rest_fermatas.get(bar, set())
        accidentals = self._accidentals(bar, rows)
        voices: dict[int, list[list[int]]] = {}
        for row in rows:
            voices.setdefault(row[0], []).append(row)
        graces = self._grace_homes(bar, voices)
        order = self._voice_order(voices, graces)
        length = plan.length
        first = True
        for staff, voice, primary in order:
            if not first:
                out.append(f"<backup><duration>{length}</duration></backup>")
            grace = graces.get(voice, {})
            events = _opened(self._events(voices.get(voice, []), length), grace)
            waiting = directions if first else []
            out += self._voice(events, bar, voice, staff, primary, waiting, marks, grace, accidentals)
            first = False
        cursor = length
        for at, xml in marks:  # clefs and keys inside a note
            if at != cursor:
                word = "backup" if at < cursor else "forward"
                out.append(f"<{word}><duration>{abs(at - cursor)}</duration></{word}>")
            cursor = at
            out.append(xml)
        if cursor != length:
            out.append(f"<forward><duration>{length - cursor}</duration></forward>")
        out.append(_right_barline(plan.right, bar in self.hang.bar_fermatas))
        out.append("</measure>\n")
        return "".join(out)

    def _attributes(self, bar: int) -> str:
        plan = self.plan.bars[bar]
        out = ""
        if bar == 0:
            out += f"<divisions>{self.snapped.resolution}</divisions>"
        start = int(self.snapped.bars[bar])
        key = next(((f, m) for (_, f, m), at in zip(self.keys, self.plan.key_places, strict=True) if at == start), None)
        if key is not None:
            out += _key_xml(0 if self.part.percussion else key[0], key[1], self.part.percussion)
        if plan.meter is not None:
            out += f"<time><beats>{plan.meter[0]}</beats><beat-type>{plan.meter[1]}</beat-type></time>"
        if bar == 0:
            if self.staves > 1:
                out += f"<staves>{self.staves}</staves>"
            out += "".join(_clef_xml(clef, s, self.staves) for s, clef in enumerate(self.clefs))
            if self.part.lines != 5:
                out += f"<staff-details><staff-lines>{self.part.lines}</staff-lines></staff-details>"
            if self.part.transposition and not self.part.percussion:
                out += _transpose_xml(self.part.transposition, diatonic_of(self.part))
        for at, staff, clef in self.hang.clefs.get(bar, ()):
            if at == 0 and bar > 0:
                out += _clef_xml(clef, staff, self.staves)
        return f"<attributes>{out}</attributes>" if out else ""

    def _inner_attributes(self, bar: int) -> list[tuple[int, str]]:
        """Bar lines, clef and key changes inside the bar: (place, XML)."""
        out = list(self.plan.bars[bar].middle)
        for at, staff, clef in self.hang.clefs.get(bar, ()):
            if at > 0 or bar == 0:
                out.append((at, f"<attributes>{_clef_xml(clef, staff, self.staves)}</attributes>"))
        start, stop = int(self.snapped.bars[bar]), int(self.snapped.bars[bar + 1])
        for (_, fifths, mode), at in zip(self.keys, self.plan.key_places, strict=True):
            if start < at < stop:
                out.append((at - start, f"<attributes>{_key_xml(fifths, mode, self.part.percussion)}</attributes>"))
        return sorted(out)

    def _voice_order(
        self, voices: dict[int, list[list[int]]], graces: dict[int, dict[int, list[int]]]
    ) -> list[tuple[int, int, bool]]:
        """(staff, voice, whether it fills the bar), staff by staff from the top."""
        home = {voice: min(row[5] for row in rows) for voice, rows in voices.items()}
        for voice, places in graces.items():
            home.setdefault(voice, self.staff_of[next(iter(places.values()))[0]])
        touched = {row[5] for rows in voices.values() for row in rows}
        taken = set(home)
        for staff in range(self.staves):
            if staff not in home.values() and staff not in touched:
                voice = next(v for v in range(staff * MOST_VOICES + 1, 256) if v not in taken)
                home[voice] = staff
                taken.add(voice)
        out = []
        seen: set[int] = set()
        for voice, staff in sorted(home.items(), key=lambda item: (item[1], item[0])):
            out.append((staff, voice, staff not in seen))
            seen.add(staff)
        return out

    def _grace_homes(self, bar: int, voices: dict[int, list[list[int]]]) -> dict[int, dict[int, list[int]]]:
        """Grace notes by voice and place: their own voice, or that of the note they lead to."""
        out: dict[int, dict[int, list[int]]] = {}
        for at, voice, staff, note in self.graces.get(bar, ()):
            if not voice or (self.snapped.performed[self.number] or voice not in voices):
                on_staff = [(abs(r[1] - at), r[0]) for rows in voices.values() for r in rows if r[5] == staff]
                fallback = voice or staff * MOST_VOICES + 1
                voice = (
                    fallback
                    if voice and voice not in voices and not on_staff
                    else (min(on_staff)[1] if on_staff else fallback)
                )
            out.setdefault(voice, {}).setdefault(at, []).append(note)
        return out

    def _accidentals(self, bar: int, rows: list[list[int]]) -> dict[int, str]:
        """Accidental of each note of the bar that needs one, in the order of time."""
        if self.part.percussion:
            return {}
        start = int(self.snapped.bars[bar])
        key = 0
        for (_, fifths, _mode), at in zip(self.keys, self.plan.key_places, strict=True):
            if at <= start:
                key = fifths
        state: dict[tuple[int, int, int], int] = {}
        basis = _key_alters(key)
        line = [(row[1], 1, row[3], row[4], row[5]) for row in rows]
        line += [(at, 0, note, 0, staff) for at, _, staff, note in self.graces.get(bar, ())]
        out: dict[int, str] = {}
        for _, _, note, ties, staff in sorted(line):
            _, step, alter, octave = self.pitch_xml[note]
            place = (staff, step, octave)
            if ties & TIE_IN:
                continue
            if alter != state.get(place, basis[step]):
                out[note] = f"<accidental>{_ACCIDENTALS[alter]}</accidental>"
                state[place] = alter
        return out

    # -- one voice -----------------------------------------------------------------------------------------------

    def _events(self, rows: list[list[int]], length: int) -> list[Event]:
        """A voice's notes as chords in a row, rests between; notes that overlap are cut and tied."""
        out: list[Event] = []
        cursor = 0
        i, n = 0, len(rows)
        while i < n:
            start, end = rows[i][1], rows[i][2]
            j = i
            members = []
            while j < n and rows[j][1] == start:
                if rows[j][2] != end:
                    return _cut_events(rows, length)
                members.append((rows[j][3], rows[j][4]))
                j += 1
            if start < cursor:
                return _cut_events(rows, length)
            if start > cursor:
                out.append((cursor, start, []))
            out.append((start, end, members))
            cursor = end
            i = j
        if cursor < length:
            out.append((cursor, length, []))
        return out

    def _pieces(self, events: list[Event], bar: int) -> tuple[Piece, ...]:
        plan = self.plan.bars[bar]
        key = tuple((a, b, not members) for a, b, members in events)
        found = layout(key, plan.length, *plan.in_force, self.snapped.resolution, plan.shift)
        if found is not None:
            return found
        self.unusual += 1
        out = []
        for i, (a, b, _) in enumerate(events):
            piece = Piece(i, a, b - a, "", 0)
            for actual, normal in _RATIOS:
                written = (b - a) * actual
                value = note_value(written // normal, self.snapped.resolution) if written % normal == 0 else None
                if value is not None and value[1] < 2:
                    piece = Piece(i, a, b - a, *value, actual, normal)
                    break
            out.append(piece)
        return tuple(out)

    def _voice(
        self,
        events: list[Event],
        bar: int,
        voice: int,
        staff: int,
        primary: bool,
        directions: list[tuple[int, int, str]],
        marks: list[tuple[int, str]],
        graces: dict[int, list[int]],
        accidentals: dict[int, str],
    ) -> list[str]:
        length = self.plan.bars[bar].length
        out: list[str] = []
        home = self._staff_xml(staff)
        single_rest = len(events) == 1 and not events[0][2]
        pieces = (Piece(0, 0, length, "measure", 0),) if single_rest else self._pieces(events, bar)
        last_of = {piece.event: k for k, piece in enumerate(pieces)}
        done: set[int] = set()
        d = 0
        pending = sorted(graces.items())
        written = len(events)
        while written and not events[written - 1][2]:
            written -= 1  # rests from here on are the bar's end
        opened = primary
        for k, piece in enumerate(pieces):
            stop = piece.start + piece.ticks
            while marks and marks[0][0] == piece.start and piece.start > 0:
                out.append(marks.pop(0)[1])
            while d < len(directions) and (directions[d][0] < stop or (k == len(pieces) - 1)):
                offset = directions[d][0] - piece.start
                tag = f"<offset>{offset}</offset>" if offset else ""
                out.append(directions[d][2].replace("{offset}", tag))
                d += 1
            while pending and pending[0][0] < stop and (pending[0][0] <= piece.start or k + 1 == len(pieces)):
                if pending[0][0] > piece.start and stop == length:
                    break
                out += self._grace_run(pending.pop(0)[1], voice, accidentals)
            members = events[piece.event][2]
            if members:
                first = piece.event not in done
                last = last_of[piece.event] == k
                out += self._chord(piece, members, first, last, voice, accidentals if first else {})
                done.add(piece.event)
                opened = True
            elif not primary and (not opened or piece.event >= written):
                out.append(_forward(piece.ticks, voice, home))
            else:
                out.append(self._rest(piece, voice, home, staff))
        for _, notes in pending:
            out += self._grace_run(notes, voice, accidentals)
        return out

    def _rest(self, piece: Piece, voice: int, home: str, staff: int) -> str:
        notations = _tuplet_xml(piece)
        if piece.start in self.fermatas:
            notations += '<fermata type="upright"/>'
        notations = f"<notations>{notations}</notations>" if notations else ""
        if piece.kind == "measure":
            body = f'<rest measure="yes"/><duration>{piece.ticks}</duration><voice>{voice}</voice>'
            return f"<note>{body}{home}{notations}</note>"
        body = f"<rest/><duration>{piece.ticks}</duration><voice>{voice}</voice>{_value_xml(piece)}"
        return f"<note>{body}{home}{notations}</note>"

    def _staff_xml(self, staff: int) -> str:
        return f"<staff>{staff + 1}</staff>" if self.staves > 1 else ""

    def _chord(
        self,
        piece: Piece,
        members: list[tuple[int, int]],
        first: bool,
        last: bool,
        voice: int,
        accidentals: dict[int, str],
    ) -> list[str]:
        """The notes of one piece of a chord; what hangs on the chord hangs on its first note."""
        value = _value_xml(piece)
        kind, dots, ratio = value.partition("<time-modification>")
        beams = "".join(f'<beam number="{i}">{b}</beam>' for i, b in enumerate(piece.beams, 1))
        hang, flags = self.hang, self.flags
        out = []
        for k, (note, ties) in enumerate(members):
            tie = (0 if first and not ties & TIE_IN else TIE_IN) | (0 if last and not ties & TIE_OUT else TIE_OUT)
            begins = first and not ties & TIE_IN
            ends = last and not ties & TIE_OUT
            notations = _TIED[tie]
            if note in hang.slur_stops and ends:
                notations += "".join(f'<slur type="stop" number="{n}"/>' for n in hang.slur_stops[note])
            if note in hang.slur_starts and begins:
                notations += "".join(f'<slur type="start" number="{n}"/>' for n in hang.slur_starts[note])
            if k == 0:
                notations += _tuplet_xml(piece)
            lyric = ""
            bits = int(flags[note])
            if bits or note in hang.breath:
                strokes = hang.tremolo.get(note, 3)
                extra = "".join(f"<{name}/>" for name in hang.breath.get(note, ())) if ends else ""
                notations += _flag_xml(bits if k == 0 else bits & _PER_NOTE, begins, ends, strokes, extra)
            if begins and note in hang.lyrics:
                lyric = "".join(hang.lyrics[note])
            chord = "<chord/>" if k else ""
            mark = "<cue/>" if bits & Articulation.CUE else ""
            accidental = accidentals.get(note, "")
            notehead = self._notehead(note, bits)
            home = self._staff_xml(self.staff_of[note])
            out.append(
                f"<note{self.plan.loud.get(note, '')}>{mark}{chord}{self.pitch_xml[note][0]}"
                f"<duration>{piece.ticks}</duration>{_TIE[tie]}{self._instrument(note)}<voice>{voice}</voice>"
                f"{kind}{accidental}{dots}{ratio}{notehead}{home}{beams if k == 0 else ''}"
                f"{f'<notations>{notations}</notations>' if notations else ''}{lyric}</note>"
            )
        return out

    def _instrument(self, note: int) -> str:
        if not self.part.percussion:
            return ""
        return f'<instrument id="P{self.number + 1}-I{int(self.score.notes["pitch"][note])}"/>'

    def _notehead(self, note: int, bits: int) -> str:
        ghost = bits & Articulation.GHOST
        shape = DRUMS.get(int(self.score.notes["pitch"][note]), ("", "", ""))[2] if self.part.percussion else ""
        if not ghost and not shape:
            return ""
        brackets = ' parentheses="yes"' if ghost else ""
        return f"<notehead{brackets}>{shape or 'normal'}</notehead>"

    def _grace_run(self, notes: list[int], voice: int, accidentals: dict[int, str]) -> list[str]:
        kind = "eighth" if len(notes) == 1 else "16th"
        out = []
        for k, note in enumerate(notes):
            bits = int(self.flags[note])
            slash = "" if bits & Articulation.APPOGGIATURA else ' slash="yes"'
            mark = "<cue/>" if bits & Articulation.CUE else ""
            beam = "begin" if k == 0 else "end" if k == len(notes) - 1 else "continue"
            beams = f'<beam number="1">{beam}</beam><beam number="2">{beam}</beam>' if len(notes) > 1 else ""
            notations = "".join(f'<slur type="stop" number="{n}"/>' for n in self.hang.slur_stops.get(note, ()))
            notations += "".join(f'<slur type="start" number="{n}"/>' for n in self.hang.slur_starts.get(note, ()))
            notations += _flag_xml(bits & ~GRACE, True, True, 3, "")
            lyric = "".join(self.hang.lyrics.get(note, ()))
            out.append(
                f"<note{self.plan.loud.get(note, '')}><grace{slash}/>{mark}{self.pitch_xml[note][0]}"
                f"{self._instrument(note)}<voice>{voice}</voice><type>{kind}</type>{accidentals.get(note, '')}"
                f"{self._notehead(note, bits)}{self._staff_xml(self.staff_of[note])}{beams}"
                f"{f'<notations>{notations}</notations>' if notations else ''}{lyric}</note>"
            )
        return out


# -- small pieces of XML -----------------------------------------------------------------------------------------------

_PER_NOTE = int(Articulation.ARPEGGIO | Articulation.GLISSANDO | Articulation.HARMONIC)
_TIE = ("", '<tie type="stop"/>', '<tie type="start"/>', '<tie type="stop"/><tie type="start"/>')
_TIED = tuple(text.replace("<tie ", "<tied ") for text in _TIE)


def _right_barline(xml: str, fermata: bool) -> str:
    sign = '<fermata type="upright"/>' if fermata else ""
    if xml == "{fermata}":
        return f'<barline location="right">{sign}</barline>' if fermata else ""
    return xml.replace("{fermata}", sign)


@lru_cache(maxsize=4096)
def _flag_xml(bits: int, begins: bool, ends: bool, strokes: int, extra: str) -> str:
    """What a note's flags print: most at its beginning, a fermata where it ends."""
    ornaments = technical = articulations = ""
    out = ""
    if begins:
        ornaments = "".join(f"<{name}/>" for bit, name in ORNAMENT_OUT if bits & bit)
        technical = "".join(f"<{name}/>" for bit, name in TECHNICAL_OUT if bits & bit)
        articulations = "".join(f"<{name}/>" for bit, name in ARTICULATION_OUT if bits & bit)
        if bits & Articulation.GLISSANDO:
            out += '<glissando type="start" number="1" line-type="wavy"/>'
    if bits & Articulation.TREMOLO:
        ornaments += f'<tremolo type="single">{strokes}</tremolo>'
    articulations += extra
    out += f"<ornaments>{ornaments}</ornaments>" if ornaments else ""
    out += f"<technical>{technical}</technical>" if technical else ""
    out += f"<articulations>{articulations}</articulations>" if articulations else ""
    if ends and bits & Articulation.FERMATA:
        out += '<fermata type="upright"/>'
    if begins and bits & Articulation.ARPEGGIO:
        out += "<arpeggiate/>"
    return out


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


def _forward(ticks: int, voice: int, home: str) -> str:
    return f"<forward><duration>{ticks}</duration><voice>{voice}</voice>{home}</forward>"


@lru_cache(maxsize=4096)
def _pitch_xml(step: int, alter: int, octave: int) -> str:
    change = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{STEPS[step]}</step>{change}<octave>{octave}</octave></pitch>"


@lru_cache(maxsize=256)
def _drum_xml(key: int) -> str:
    place = DRUMS.get(key, ("", "C5", ""))[1]
    step, octave = place[0], place[1:]
    return f"<unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"


@lru_cache(maxsize=32)
def _key_alters(fifths: int) -> tuple[int, ...]:
    alters = [0] * 7
    for i in range(abs(fifths)):
        alters[_SHARPS[i % 7] if fifths > 0 else _SHARPS[6 - i % 7]] += 1 if fifths > 0 else -1
    return tuple(alters)


def _key_xml(fifths: int, mode: int, percussion: bool) -> str:
    name = "" if percussion or mode < 0 else f"<mode>{'minor' if mode else 'major'}</mode>"
    return f"<key><fifths>{0 if percussion else fifths}</fifths>{name}</key>"


def _clef_xml(clef: str, staff: int, staves: int) -> str:
    number = f' number="{staff + 1}"' if staves > 1 else ""
    if clef[:1] in ("G", "F", "C") and clef[1:2].isdigit():
        octaves = {"8": 1, "15": 2, "22": 3}.get(clef[3:], 0) * (-1 if clef[2:3] == "-" else 1)
        change = f"<clef-octave-change>{octaves}</clef-octave-change>" if octaves else ""
        return f"<clef{number}><sign>{clef[0]}</sign><line>{clef[1]}</line>{change}</clef>"
    sign = {"percussion": "percussion", "tab": "TAB", "jianpu": "jianpu", "none": "none"}.get(clef.lower())
    line = "<line>5</line>" if sign == "TAB" else ""
    return f"<clef{number}><sign>{sign or 'G'}</sign>{line if sign else '<line>2</line>'}</clef>"


def _transpose_xml(chromatic: int, diatonic: int) -> str:
    octaves = int(chromatic / 12)
    change = f"<octave-change>{octaves}</octave-change>" if octaves else ""
    rest = f"<diatonic>{diatonic - 7 * octaves}</diatonic><chromatic>{chromatic - 12 * octaves}</chromatic>"
    return f"<transpose>{rest}{change}</transpose>"


def _opened(events: list[Event], places: dict[int, list[int]]) -> list[Event]:
    """Long notes cut (and tied) where grace notes stand inside them."""
    out: list[Event] = []
    for start, end, members in events:
        cuts = [p for p in sorted(places) if start < p < end] if members else []
        for a, b in pairwise([start, *cuts, end]):
            ties = [
                (note, (tie if a == start else tie | TIE_IN) if b == end else (tie if a == start else TIE_IN) | TIE_OUT)
                for note, tie in members
            ]
            out.append((a, b, ties))
    return out


def _cut_events(rows: list[list[int]], length: int) -> list[Event]:
    """Overlapping notes cut at every onset and end inside them, the pieces tied."""
    edges = sorted({0, length, *(r[1] for r in rows), *(r[2] for r in rows)})
    out: list[Event] = []
    for a, b in pairwise(edges):
        members = []
        for _, start, end, note, ties, _ in rows:
            if start < b and end > a:
                tie = (ties & TIE_IN if start == a else TIE_IN) | (ties & TIE_OUT if end == b else TIE_OUT)
                members.append((note, tie))
        out.append((a, b, members))
    return out
