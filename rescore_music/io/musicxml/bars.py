"""One part as MusicXML measures: attributes, directions, voices, notes.

Every measure holds exactly its bar's ticks in each staff's first voice: rests fill it, later voices are reached by
`backup` and spaced by `forward` at their edges.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rescore_music.io.musicxml.attach import Attachments
from rescore_music.io.musicxml.chords import NoteWriter
from rescore_music.io.musicxml.emptybars import merged_rests
from rescore_music.io.musicxml.keys import Heading
from rescore_music.io.musicxml.pitches import accidentals_of, pitches_of
from rescore_music.io.musicxml.rhythm import Event, events_of, opened, single_values
from rescore_music.io.musicxml.staff import clef_xml, clefs_of, diatonic_of, transpose_xml
from rescore_music.io.notation.clefs import Chord, clef_path, clefs_read
from rescore_music.io.notation.drums import STEMS, drum_fragments
from rescore_music.io.notation.octaves import octave_lines, uses_octave_lines
from rescore_music.io.notation.snap import Snapped
from rescore_music.io.notation.values import Piece, layout
from rescore_music.io.notation.voices import MOST_VOICES, TIE_OUT, fragments, staves_of
from rescore_music.score import Articulation, Mark, Score

if TYPE_CHECKING:
    from rescore_music.io.musicxml.plan import Plan

Ints = npt.NDArray[np.int64]


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
        index = score.part_notes(part)
        self.notated = bool(len(index)) and bool(np.all(score.notes["voice"][index] > 0))  # somebody numbered voices
        if self.part.percussion and not self.notated:
            self.columns = drum_fragments(score, snapped, self.columns)
        self.clefs = clefs_of(score, part, self.staves, staff)
        self.heading = Heading(score, snapped, part, marks)
        self.pitches = pitches_of(score, part, spelling, self.heading)
        self._change_clefs()
        self.notes = NoteWriter(score, plan, part, self.hang, self.pitches, self.staves, self.staff_of)
        self.notes.stems = STEMS if self.part.percussion and not self.notated else {}
        self.graces = self._graces(staff)
        self.rests: dict[int, int] = {}
        if len(score.parts) == 1:  # a player's part
            changes = (np.searchsorted(snapped.bars, self.heading.places, side="right") - 1).tolist()
            played = {*self.columns.bar.tolist(), *self.graces}
            self.rests = merged_rests(plan.bars, self.hang, played, changes)
        self.unusual = 0

    def _change_clefs(self) -> None:
        """Clefs for passages on ledger lines, in parts that nobody has notated (no numbered voices, no clef marks)."""
        c = self.columns
        if self.part.percussion or self.hang.clefs or self.notated:
            return
        beat = max(self.snapped.resolution, 1)
        heights = np.array([7 * self.pitches[i][3] + self.pitches[i][1] for i in c.note.tolist()], np.int64)
        bars = self.snapped.bars
        chosen = []
        for staff, home in enumerate(self.clefs):
            clefs = clefs_read(self.part.instrument, self.part.program, home, self.staves)
            own = np.flatnonzero(c.staff == staff)
            changes = clef_path(self._chords(own, heights), clefs, bars, beat) if len(clefs) > 1 else [(0, home)]
            chosen.append(changes[0][1])
            if uses_octave_lines(self.part.instrument, self.part.program, self.staves) and not self.hang.octaves:
                for start, end, text in octave_lines(self._chords(own, heights), changes, bars, beat):
                    self.hang.octave_line(start, end, text, staff)
            for tick, clef in changes[1:]:
                bar = int(np.searchsorted(bars, tick, side="right")) - 1
                self.hang.clefs[bar].append((tick - int(bars[bar]), staff, clef))
        self.clefs = tuple(chosen)

    def _chords(self, own: Ints, heights: Ints) -> list[Chord]:
        """The chords of one staff, by start."""
        c = self.columns
        start = self.snapped.bars[c.bar[own]] + c.start[own]
        length = c.end[own] - c.start[own]
        slurred = (self.score.notes["articulation"][c.note[own]] & int(Articulation.SLURRED)) != 0
        slurred |= (c.ties[own] & TIE_OUT) != 0
        found: dict[int, Chord] = {}
        rows = zip(start.tolist(), length.tolist(), heights[own].tolist(), slurred.tolist(), strict=True)
        for at, ticks, height, joined in sorted(rows):
            old = found.get(at, Chord(at, at, height, height, False))
            low, high = min(old.low, height), max(old.high, height)
            found[at] = Chord(at, max(old.end, at + ticks), low, high, old.slurred or joined)
        return list(found.values())

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
            home = onset - (note in self.hang.after)  # at a bar line: in the bar of the note it ends
            bar = min(max(int(np.searchsorted(bars, home, side="right")) - 1, 0), len(bars) - 2)
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
        while marks and not marks[0][0]:
            out.append(marks.pop(0)[1])
        self.notes.bar = bar
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
            words = self._rest_words(bar, voice, staff, primary, voices)
            self.fermatas = {
                at
                for at, its, home in self.hang.rest_fermatas.get(bar, ())
                if its == voice or (primary and home == staff and its not in voices)
            }
            rests = {*words, *self.fermatas}
            inside = {at for v, at in self.hang.cuts.get(bar, ()) if v == voice}
            events = events_of(voices.get(voice, []), length)
            if grace or rests or inside:
                events = opened(events, {*grace, *rests, *inside}, {*grace, *rests})
            self.words = words
            waiting = [d for d in directions if _staff_of(d[2]) == staff] if primary else []
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
        heading = self.heading
        out += "".join(s.xml for s in heading.signatures if s.at == start)
        if plan.time:
            out += plan.time
        elif plan.meter is not None:
            out += f"<time><beats>{plan.meter[0]}</beats><beat-type>{plan.meter[1]}</beat-type></time>"
        if bar == 0:
            if self.staves > 1:
                out += f"<staves>{self.staves}</staves>"
            out += "".join(clef_xml(clef, s, self.staves) for s, clef in enumerate(self.clefs))
        for at, staff, clef in self.hang.clefs.get(bar, ()):
            if at == 0 and bar > 0:
                out += clef_xml(clef, staff, self.staves)
        details = "".join(xml for at, xml in heading.details if at == start)
        if bar == 0 and self.part.lines != 5 and "<staff-lines>" not in details:
            out += f"<staff-details><staff-lines>{self.part.lines}</staff-lines></staff-details>"
        out += details
        if bar == 0 and self.part.transposition and not self.part.percussion:
            out += transpose_xml(self.part.transposition, diatonic_of(self.part))
        out += "".join(xml for at, xml in heading.moves if at == start)
        out += "".join(xml for at, xml in heading.styles if at == start)
        if bar in self.rests:
            out += f"<measure-style><multiple-rest>{self.rests[bar]}</multiple-rest></measure-style>"
        return f"<attributes>{out}</attributes>" if out else ""

    def _inner_attributes(self, bar: int) -> list[tuple[int, str]]:
        """Bar lines, clef and key changes inside the bar: (place, XML)."""
        out = list(self.plan.bars[bar].middle)
        for at, staff, clef in self.hang.clefs.get(bar, ()):
            if at > 0 or bar == 0:
                out.append((at, f"<attributes>{clef_xml(clef, staff, self.staves)}</attributes>"))
        start, stop = int(self.snapped.bars[bar]), int(self.snapped.bars[bar + 1])
        heads = [(s.at, s.xml) for s in self.heading.signatures]
        for at, xml in (*heads, *self.heading.details, *self.heading.moves, *self.heading.styles):
            if start < at < stop:
                out.append((at - start, f"<attributes>{xml}</attributes>"))
        out += self.hang.figures.get(bar, ())
        return sorted(out, key=lambda item: item[0])

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
                voice = next(v for v in count(staff * MOST_VOICES + 1) if v not in taken)
                home[voice] = staff
                taken.add(voice)
        out = []
        seen: set[int] = set()
        for voice, staff in sorted(home.items(), key=lambda item: (item[1], item[0])):
            out.append((staff, voice, staff not in seen))
            seen.add(staff)
        return out

    def _rest_words(
        self, bar: int, voice: int, staff: int, primary: bool, voices: dict[int, list[list[int]]]
    ) -> dict[int, str]:
        """What is sung or said at rests of a voice: XML by place."""
        out: dict[int, str] = {}
        for at, its, home, xml in self.hang.rest_lyrics.get(bar, ()):
            if its == voice or (primary and home == staff and its not in voices):
                out[at] = out.get(at, "") + xml
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
        if self.part.percussion:
            return {}
        start = int(self.snapped.bars[bar])
        line = [(row[1], 1, row[3], row[4], row[5]) for row in rows]
        line += [(at, 0, note, 0, staff) for at, _, staff, note in self.graces.get(bar, ())]
        return accidentals_of(line, self.pitches, [self.heading.alters(start, s) for s in range(self.staves)])

    # -- one voice -----------------------------------------------------------------------------------------------

    def _pieces(self, events: list[Event], bar: int) -> tuple[Piece, ...]:
        plan = self.plan.bars[bar]
        key = tuple((a, b, not members) for a, b, members in events)
        found = layout(key, plan.length, *plan.in_force, self.snapped.resolution, plan.shift)
        if found is not None:
            return found
        self.unusual += 1
        return single_values(events, self.snapped.resolution)

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
        single_rest = len(events) == 1 and not events[0][2]
        pieces = (Piece(0, 0, length, "measure", 0),) if single_rest else self._pieces(events, bar)
        last_of = {piece.event: k for k, piece in enumerate(pieces)}
        done: set[int] = set()
        d = 0
        pending = sorted(graces.items())
        written = len(events)
        while written and not events[written - 1][2]:
            written -= 1  # rests from here on are the bar's end
        shown = primary
        for k, piece in enumerate(pieces):
            stop = piece.start + piece.ticks
            while marks and marks[0][0] == piece.start and piece.start > 0:
                out.append(marks.pop(0)[1])
            while d < len(directions) and directions[d][0] < min(stop, length):
                offset = directions[d][0] - piece.start
                tag = f"<offset>{offset}</offset>" if offset else ""
                out.append(directions[d][2].replace("{offset}", tag))
                d += 1
            while pending and pending[0][0] < stop and (pending[0][0] <= piece.start or k + 1 == len(pieces)):
                if pending[0][0] > piece.start and stop == length:
                    break
                out += self.notes.graces(pending.pop(0)[1], voice, accidentals)
            members = events[piece.event][2]
            if members:
                first = piece.event not in done
                last = last_of[piece.event] == k
                out += self.notes.chord(piece, members, first, last, voice, accidentals if first else {})
                done.add(piece.event)
                shown = True
            elif (
                not primary
                and (not shown or piece.event >= written)
                and piece.start not in (self.fermatas | self.words.keys())
            ):
                out.append(self.notes.forward(piece.ticks, voice, staff))
            else:
                words = self.words.get(piece.start, "")
                out.append(self.notes.rest(piece, voice, staff, piece.start in self.fermatas, words))
        for _, notes in pending:
            out += self.notes.graces(notes, voice, accidentals)
        for at, _, xml in directions[d:]:  # at the bar's end: behind the last note, where readers look for ends
            out.append(xml.replace("{offset}", f"<offset>{at - length}</offset>" if at != length else ""))
        return out


def _staff_of(direction: str) -> int:
    """The staff that a direction stands on, from 0."""
    at = direction.rfind("<staff>")
    return int(direction[at + 7 : direction.index("<", at + 7)]) - 1 if at >= 0 else 0


def _right_barline(xml: str, fermata: bool) -> str:
    sign = '<fermata type="upright"/>' if fermata else ""
    if xml == "{fermata}":
        return f'<barline location="right">{sign}</barline>' if fermata else ""
    return xml.replace("{fermata}", sign)
