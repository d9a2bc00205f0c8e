"""What hangs on a part's notes and above its staves: slurs and syllables by note, directions by bar and place.

Where a part has no dynamics, they are derived from its velocities; where notes carry a technique that no word
announces, the word is added; where notes are flagged as slurred but no slur is marked, slurs are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from rescore_music.io.musicxml.graces import AFTER, group_of
from rescore_music.io.musicxml.signs import DIRECTION_SIGNS, TECHNICAL_SIGNS, figures_of, sign_name, sign_xml
from rescore_music.io.musicxml.slurs import Slurs
from rescore_music.io.musicxml.spanners import ends_of, numbered
from rescore_music.io.musicxml.tables import GRADUAL, STANDING, TECHNIQUE_WORDS, TECHNIQUES
from rescore_music.io.musicxml.wording import (
    DYNAMIC,
    HARMONY,
    START,
    STOP,
    WORDS,
    clean,
    dynamic_direction,
    harmony,
    joined,
    program_sound,
    words_direction,
)
from rescore_music.io.notation.dynamics import derived_dynamics, velocities
from rescore_music.io.notation.snap import Snapped
from rescore_music.quantizing.evidence import ENGRAVED
from rescore_music.score import GRACE, Articulation, Mark, Score


class Attachments:
    """Everything of one part that is no note: `starts`, `stops`, `lyrics` by note index, `directions` by bar."""

    def __init__(self, score: Score, snapped: Snapped, part: int, marks: list[Mark], staves: int) -> None:
        self.score, self.snapped, self.part, self.staves = score, snapped, part, staves
        self.index = score.part_notes(part)
        self.lyrics: dict[int, list[str]] = defaultdict(list)
        self.signs: dict[int, list[str]] = defaultdict(list)
        self.tied: dict[int, dict[tuple[int, int], tuple[list[str], list[str]]]] = {}  # note -> place -> lyrics, signs
        self.cuts: dict[int, set[tuple[int, int]]] = defaultdict(set)  # bar -> (voice, place) of what hangs inside ties
        self.rest_lyrics: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)  # bar -> at, voice, staff
        self.tremolo: dict[int, tuple[int, str]] = {}
        self.breath: dict[int, list[str]] = defaultdict(list)
        self.grace_order: dict[int, list[int]] = {}
        self.grace_kind: dict[int, str] = {}  # note values that are not the usual
        self.after: set[int] = set()  # grace notes that end the note before them
        self.rest_fermatas: dict[int, list[tuple[int, int, int]]] = defaultdict(list)  # bar -> at, voice, staff
        self.bar_fermatas: set[int] = set()  # bars
        self.directions: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
        self.clefs: dict[int, list[tuple[int, int, str]]] = defaultdict(list)  # bar -> place, staff, clef
        self.figures: dict[int, list[tuple[int, str]]] = defaultdict(list)  # bar -> place, figured bass
        notes = score.notes[self.index]
        self._onset, self._voice, self._staff = notes["onset"], notes["voice"], notes["staff"]
        self._flags, self._pitch = notes["articulation"], notes["pitch"]
        self._end = notes["onset"] + notes["duration"]
        self.lost = 0
        self.octaves = any(m.kind == "octave" for m in marks)  # somebody drew octave lines
        self._marks(marks)
        for rows in self.directions.values():
            rows[:] = joined(rows)
        self._programs()

    # -- places --------------------------------------------------------------------------------------------------

    def place(self, tick: int, *, closing: bool = False) -> tuple[int, int]:
        """(bar, ticks into it) of a score position; closing marks at a bar line stand before it."""
        bars = self.snapped.bars
        at = int(self.snapped.place(tick, self.score))
        before = np.searchsorted(bars, at, side="left") if closing else np.searchsorted(bars, at, side="right")
        bar = min(max(int(before) - 1, 0), len(bars) - 2)
        return bar, at - int(bars[bar])

    def add(self, tick: int, order: int, xml: str, *, staff: int = 0, closing: bool = False) -> None:
        """One direction (or harmony), staff element added where there are several."""
        bar, at = self.place(tick, closing=closing)
        self.directions[bar].append((at, order, self._with_staff(xml, staff)))

    def octave_line(self, start: int, end: int, text: str, staff: int) -> None:
        """An octave line between two places in notated ticks."""
        first, last = ends_of("octave", text, staff + 1)
        bars = self.snapped.bars
        for at, order, xml, bar in (
            (start, START, first, int(np.searchsorted(bars, start, side="right")) - 1),
            (end, STOP, last, int(np.searchsorted(bars, end, side="left")) - 1),
        ):
            bar = min(max(bar, 0), len(bars) - 2)
            self.directions[bar].append((at - int(bars[bar]), order, self._with_staff(xml, staff)))

    def _with_staff(self, xml: str, staff: int) -> str:
        """A direction with its staff told where there are several; of octave lines always: without it verovio prints
        and plays the notes below them an octave off in every part but the first.
        """
        told = self.staves > 1 or "<octave-shift" in xml
        tag = f"<staff>{min(staff, self.staves - 1) + 1}</staff>" if told else ""
        return xml.replace("{staff}", "{offset}" + tag)

    def _at(self, mark: Mark) -> int | None:
        """Index of the note a mark hangs on: at its tick, in its voice and staff where there is such a one."""
        a, b = np.searchsorted(self._onset, [mark.tick, mark.tick + 1])
        for grace in (False, True):
            best = None
            for i in range(a, b):
                if bool(self._flags[i] & GRACE) != grace or self.snapped.dropped[self.index[i]]:
                    continue
                rank = (self._voice[i] == mark.voice, self._staff[i] == mark.staff)
                if best is None or rank > best[0]:
                    best = (rank, i)
            if best is not None:
                return int(self.index[best[1]])
        return None

    def _programs(self) -> None:
        """Changes of sound, which print nothing."""
        part = self.score.parts[self.part]
        now = part.program, part.bank
        for row in self.score.programs[self.score.programs["part"] == self.part]:
            new = int(row["program"]), int(row["bank"])
            if new != now and not part.percussion:
                bar, at = self.place(int(row["tick"]))
                self.directions[bar].append((at, STOP, program_sound(self.part, *new)))
            now = new

    # -- marks ---------------------------------------------------------------------------------------------------

    def _marks(self, marks: list[Mark]) -> None:
        groups = [m for m in marks if m.kind == "grace"]
        for m in sorted(groups, key=lambda m: -m.value):  # stable: at a bar line the group before it comes first
            self._grace_order(m)
        slurs = [m for m in marks if m.kind == "slur"]
        under = Slurs(self.score, self.snapped, self.part, slurs, self.grace_order)
        self.slur_starts, self.slur_stops, self.lost = under.starts, under.stops, under.lost
        self._lyrics([m for m in marks if m.kind == "lyric"])
        dynamics = [m for m in marks if m.kind in ("dynamic", "hairpin")]
        self.derived: list[Mark] = []
        if not dynamics and not self._unmarked([m for m in marks if m.kind == "text"]):
            self.derived = derived_dynamics(
                self._onset, self.score.notes["velocity"][self.index], self.score.bars, self.part
            )
        for m in [*dynamics, *self.derived]:
            if m.kind == "dynamic":
                self.add(m.tick, DYNAMIC, dynamic_direction(m.text), staff=m.staff)
        self._spanners([m for m in marks if m.kind in ("hairpin", "pedal", "octave") and m.end > m.tick])
        for m in marks:
            if m.kind == "sign":
                self._sign(m)
        techniques = [m for m in marks if m.kind == "technique"]
        for m in [*techniques, *self._missing_techniques(techniques)]:
            self.add(m.tick, WORDS, words_direction(m.text, "above"), staff=m.staff)
        voicing: dict[tuple[int, int], list[str]] = {}
        for m in marks:
            if m.kind == "voicing":
                voicing.setdefault((m.tick, m.staff), []).append(m.text)
        for m in marks:
            if m.kind == "text":
                self._text(m)
            elif m.kind == "chord":
                self.add(m.tick, HARMONY, harmony(m.text, voicing.pop((m.tick, m.staff), ())), staff=m.staff)
            elif m.kind == "figured-bass":
                self._figures(m)
            elif m.kind == "clef":
                bar, at = self.place(m.tick)
                self.clefs[bar].append((at, min(m.staff, self.staves - 1), m.text))
            elif m.kind == "direction":
                self._direction(m)
            elif m.kind == "fermata":
                bar, at = self.place(m.tick, closing=m.text == "barline")
                if m.text == "barline":
                    self.bar_fermatas.add(bar)
                else:
                    self.rest_fermatas[bar].append((at, m.voice, m.staff))
            elif m.kind == "tremolo" and self._at(m) is None:
                if (held := self._held_over(m)) is not None:
                    self._tied(held, m)[1].append(f"tremolo[type single]={int(m.value) or 3}")
            elif m.kind in ("tremolo", "breath") and (note := self._at(m)) is not None:
                if m.kind == "tremolo":
                    self.tremolo[note] = int(m.value) or 3, m.text if m.text in ("start", "stop") else "single"
                else:
                    self.breath[note].append("caesura" if m.text == "caesura" else "breath-mark")

    def _unmarked(self, words: list[Mark]) -> bool:
        """Whether an engraved part is as loud as its accents and words alone say: then no dynamics are derived."""
        if self.score.metadata.source_format not in ENGRAVED:
            return False
        notes = self.score.notes[self.index]
        said = velocities(notes, words, len(self.score.parts), self.score.ticks_per_quarter, self.score.bars)
        return np.array_equal(said, notes["velocity"])

    def _grace_order(self, mark: Mark) -> None:
        """Ranks and values of a grace group's notes, as the mark lists them; those of the note before come first."""
        a, b = np.searchsorted(self._onset, [mark.tick, mark.tick + 1])
        left = [
            i for i in range(a, b)
            if self._flags[i] & GRACE and self._voice[i] == mark.voice and self._staff[i] == mark.staff
            and int(self.index[i]) not in self.grace_order
        ]  # fmt: skip
        after = mark.value == AFTER
        for rank, (kind, pitches) in enumerate(group_of(mark.text)):
            for pitch in pitches:
                found = next((i for i in left if self._pitch[i] == pitch), None)
                if found is None:
                    continue
                left.remove(found)
                note = int(self.index[found])
                self.grace_order[note] = [rank - len(self.index) * after]
                if kind:
                    self.grace_kind[note] = kind
                if after:
                    self.after.add(note)

    def _text(self, m: Mark) -> None:
        if m.end > m.tick:
            dashes = '<direction-type><dashes type="start" number="1"/></direction-type>'
            self.add(m.tick, WORDS, words_direction(m.text, "below", dashes), staff=m.staff)
            stop = '<direction><direction-type><dashes type="stop" number="1"/></direction-type>{staff}</direction>'
            self.add(m.end, STOP, stop, staff=m.staff, closing=True)
        else:
            place = "below" if GRADUAL.search(m.text) else "above"
            self.add(m.tick, WORDS, words_direction(m.text, place, boxed=m.value == 1), staff=m.staff)

    def _direction(self, m: Mark) -> None:
        """An element above or below the staff that has no kind of its own."""
        if xml := sign_xml(m.text, DIRECTION_SIGNS):
            stop = "type stop" in m.text
            body = f"<direction><direction-type>{xml}</direction-type>{{staff}}</direction>"
            self.add(m.tick, STOP if stop else START, body, staff=m.staff, closing=stop)
        else:
            self.lost += 1

    def _figures(self, m: Mark) -> None:
        bar, at = self.place(m.tick)
        figures = [sign_xml(text, ("figure",)) for text in figures_of(m.text)]
        stop = int(self.snapped.place(m.end, self.score)) if m.end > m.tick else 0
        start = int(self.snapped.bars[bar]) + at
        length = f"<duration>{stop - start}</duration>" if stop > start else ""
        if any(figures):
            self.figures[bar].append((at, f"<figured-bass>{''.join(figures)}{length}</figured-bass>"))
        else:
            self.lost += 1

    def _sign(self, m: Mark) -> None:
        """What stands at one note of a chord, or at a later note of its tie."""
        a, b = np.searchsorted(self._onset, [m.tick, m.tick + 1])
        pitch, grace = int(m.value), m.value != int(m.value)
        found = [
            i
            for i in range(a, b)
            if self._pitch[i] == pitch and bool(self._flags[i] & GRACE) == grace and self._voice[i] == m.voice
        ]
        if found:
            best = next((i for i in found if self._staff[i] == m.staff), found[0])
            self.signs[int(self.index[best])].append(m.text)
        elif (note := self._held_over(m, pitch)) is not None:
            self._tied(note, m)[1].append(m.text)
        else:
            self.lost += 1

    def _held_over(self, m: Mark, pitch: int = -1) -> int | None:
        """Index of the note of a mark's voice that sounds on at its tick; the lowest, or that of a pitch."""
        until = int(np.searchsorted(self._onset, m.tick))
        mine = np.flatnonzero(
            (self._voice[:until] == m.voice)
            & (self._end[:until] > m.tick)
            & ((self._pitch[:until] == pitch) if pitch >= 0 else True)
        )
        return int(self.index[mine[0]]) if len(mine) else None

    def _tied(self, note: int, m: Mark) -> tuple[list[str], list[str]]:
        """Where a mark inside a tie is gathered: its lyrics and signs."""
        bar, at = self.place(m.tick)
        self.cuts[bar].add((m.voice, at))
        return self.tied.setdefault(note, {}).setdefault((bar, at), ([], []))

    def _spanners(self, marks: list[Mark]) -> None:
        for kind in ("hairpin", "pedal", "octave"):
            for number, m in numbered([m for m in marks if m.kind == kind]):
                start, stop = ends_of(kind, m.text, number, niente=m.value == 1)
                self.add(m.tick, START, start, staff=m.staff)
                self.add(m.end, STOP, stop, staff=m.staff, closing=True)

    def _missing_techniques(self, techniques: list[Mark]) -> Iterable[Mark]:
        """Words for standing techniques that the notes have and no mark announces."""
        state = 0
        pending = sorted(techniques, key=lambda m: m.tick)
        k = 0
        standing = (self._flags & STANDING).tolist()
        if not pending and not any(standing):
            return
        onsets = self._onset.tolist()
        done = -1
        said = [self._said(int(i)) for i in self.index] if self.signs else [0] * len(onsets)
        for tick, asked, own in zip(onsets, standing, said, strict=True):
            while k < len(pending) and pending[k].tick <= tick:
                for pattern, on, off in TECHNIQUES:
                    if pattern.search(pending[k].text):
                        state = (state & ~off) | on
                k += 1
            want = (asked & ~own) | (state & own)
            if want == state or tick == done:
                continue
            for bit, begin, end in TECHNIQUE_WORDS:
                if (want ^ state) & bit and not (end == "arco" and not want & bit and want & (STANDING & ~bit)):
                    yield Mark(tick, "technique", begin if want & bit else end, self.part)
            state, done = want, tick

    def _said(self, note: int) -> int:
        """Standing techniques that a note's own sign says (a snap pizzicato)."""
        return int(sum(TECHNICAL_SIGNS.get(sign_name(text), 0) & STANDING for text in self.signs.get(note, ())))

    # -- lyrics ----------------------------------------------------------------------------------------

    def _lyrics(self, lyrics: list[Mark]) -> None:
        open_words: set[tuple[int, int, int]] = set()
        for m in lyrics:
            key = (m.voice, m.staff, int(m.value))
            hyphen = m.text.endswith("-") and len(m.text) > 1
            text = m.text[:-1] if hyphen else m.text
            kind = ("middle" if hyphen else "end") if key in open_words else ("begin" if hyphen else "single")
            (open_words.add if hyphen else open_words.discard)(key)
            parts = clean(text).split("‿")
            body = "<elision>‿</elision>".join(f"<text>{part}</text>" for part in parts)
            number = int(m.value) or 1
            note = self._at(m)
            extend = self._extend(m, note, hyphen, number)
            xml = f'<lyric number="{number}"><syllabic>{kind}</syllabic>{body}{extend}</lyric>'
            if note is not None and (not m.voice or self.score.notes["voice"][note] == m.voice):
                self.lyrics[note].append(xml)
            elif m.voice and (held := self._held_over(m)) is not None:
                self._tied(held, m)[0].append(xml)
            elif m.voice and self.score.metadata.source_format in ENGRAVED:
                bar, at = self.place(m.tick)
                self.rest_lyrics[bar].append((at, m.voice, m.staff, xml))
            elif note is not None:
                self.lyrics[note].append(xml)
            else:
                self.lost += 1

    def _extend(self, m: Mark, note: int | None, hyphen: bool, number: int) -> str:
        """The line that draws a syllable out: as the mark has it, else under slurs where nobody has said."""
        if m.end > m.tick:
            mine = np.flatnonzero((self._end == m.end) & (self._voice == m.voice) & (self._flags & GRACE == 0))
            if len(mine) and int(self.index[mine[0]]) != note:
                self.lyrics[int(self.index[mine[0]])].append(f'<lyric number="{number}"><extend type="stop"/></lyric>')
                return '<extend type="start"/>'
        if m.end >= 0:
            return "<extend/>"
        engraved = self.score.metadata.source_format in ENGRAVED
        if engraved or hyphen or note is None:
            return ""
        slurred = bool(self.score.notes["articulation"][note] & int(Articulation.SLURRED))
        return "<extend/>" if slurred else ""
