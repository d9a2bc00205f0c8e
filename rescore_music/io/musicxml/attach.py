"""What hangs on a part's notes and above its staves: slurs and syllables by note, directions by bar and place.

Where a part has no dynamics, they are derived from its velocities; where notes carry a technique that no word
announces, the word is added; where notes are flagged as slurred but no slur is marked, slurs are drawn.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import numpy as np

from rescore_music.io.musicxml.signs import DIRECTION_SIGNS, TECHNICAL_SIGNS, figures_of, sign_name, sign_xml
from rescore_music.io.musicxml.spanners import ends_of
from rescore_music.io.musicxml.tables import (
    ACCIDENTALS,
    BEAT_UNITS,
    CHORD_KINDS,
    CHORD_TEXT,
    DEGREE,
    GRADUAL,
    METRONOME,
    STANDING,
    TECHNIQUE_WORDS,
    TECHNIQUES,
)
from rescore_music.io.notation.draft import ENDS_ON_GRACE, STARTS_ON_GRACE
from rescore_music.io.notation.dynamics import LEVELS, derived_dynamics, velocities
from rescore_music.io.notation.snap import Snapped
from rescore_music.score import GRACE, Articulation, Mark, Score

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DYNAMIC_TAGS = frozenset({*LEVELS, "sf", "sfp", "sfpp", "fp", "rf", "rfz", "sfz", "sffz", "fz", "pf", "sfzp"})
_ALTER = {text: alter for alter, text in ACCIDENTALS.items()}
_KIND_OF_SUFFIX = {suffix: kind for kind, suffix in reversed(CHORD_KINDS)}
_UNIT_NAMES = {glyph: name for glyph, name, _ in BEAT_UNITS}
ENGRAVED = ("musicxml", "abc", "humdrum")  # source formats that say themselves what is printed
MOST_NUMBERS = 16  # MusicXML's limit on slurs or wedges open at once
# order of directions at one place
TEMPO, REHEARSAL, DYNAMIC, STOP, START, WORDS, HARMONY, JUMP = 2, 1, 4, 0, 5, 3, 6, 7


def clean(text: str) -> str:
    """Text as XML may hold it."""
    return escape(_ILLEGAL.sub("", text))


class Attachments:
    """Everything of one part that is no note: `starts`, `stops`, `lyrics` by note index, `directions` by bar."""

    def __init__(self, score: Score, snapped: Snapped, part: int, marks: list[Mark], staves: int) -> None:
        self.score, self.snapped, self.part, self.staves = score, snapped, part, staves
        self.index = score.part_notes(part)
        self.slur_starts: dict[int, list[int]] = defaultdict(list)
        self.slur_stops: dict[int, list[int]] = defaultdict(list)
        self.lyrics: dict[int, list[str]] = defaultdict(list)
        self.signs: dict[int, list[str]] = defaultdict(list)
        self.tied: dict[int, dict[tuple[int, int], tuple[list[str], list[str]]]] = {}  # note -> place -> lyrics, signs
        self.cuts: dict[int, set[tuple[int, int]]] = defaultdict(set)  # bar -> (voice, place) of what hangs inside ties
        self.rest_lyrics: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)  # bar -> at, voice, staff
        self.tremolo: dict[int, tuple[int, str]] = {}
        self.breath: dict[int, list[str]] = defaultdict(list)
        self.grace_order: dict[int, list[int]] = {}
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
        self.directions[bar].append((at, order, xml.replace("{staff}", "{offset}" + self._staff_tag(staff))))

    def octave_line(self, start: int, end: int, text: str, staff: int) -> None:
        """An octave line between two places in notated ticks."""
        first, last = ends_of("octave", text, staff + 1)
        bars = self.snapped.bars
        for at, order, xml, bar in (
            (start, START, first, int(np.searchsorted(bars, start, side="right")) - 1),
            (end, STOP, last, int(np.searchsorted(bars, end, side="left")) - 1),
        ):
            bar = min(max(bar, 0), len(bars) - 2)
            filled = xml.replace("{staff}", "{offset}" + self._staff_tag(staff))
            self.directions[bar].append((at - int(bars[bar]), order, filled))

    def _staff_tag(self, staff: int) -> str:
        return f"<staff>{min(staff, self.staves - 1) + 1}</staff>" if self.staves > 1 else ""

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

    # -- marks ---------------------------------------------------------------------------------------------------

    def _marks(self, marks: list[Mark]) -> None:
        slurs = [m for m in marks if m.kind == "slur"]
        self._slurs(slurs or self._derived_slurs())
        self._lyrics([m for m in marks if m.kind == "lyric"])
        dynamics = [m for m in marks if m.kind in ("dynamic", "hairpin")]
        self.derived: list[Mark] = []
        if not dynamics and not self._unmarked([m for m in marks if m.kind == "text"]):
            self.derived = derived_dynamics(
                self._onset, self.score.notes["velocity"][self.index], self.score.bars, self.part
            )
        for m in [*dynamics, *self.derived]:
            if m.kind == "dynamic":
                self.add(m.tick, DYNAMIC, _dynamic(m.text), staff=m.staff)
        self._spanners([m for m in marks if m.kind in ("hairpin", "pedal", "octave") and m.end > m.tick])
        for m in marks:
            if m.kind == "sign":
                self._sign(m)
        techniques = [m for m in marks if m.kind == "technique"]
        for m in [*techniques, *self._missing_techniques(techniques)]:
            self.add(m.tick, WORDS, _words(m.text, "above"), staff=m.staff)
        voicing: dict[tuple[int, int], list[str]] = {}
        for m in marks:
            if m.kind == "voicing":
                voicing.setdefault((m.tick, m.staff), []).append(m.text)
        for m in marks:
            if m.kind == "text":
                self._text(m)
            elif m.kind == "chord":
                self.add(m.tick, HARMONY, _harmony(m.text, voicing.pop((m.tick, m.staff), ())), staff=m.staff)
            elif m.kind == "figured-bass":
                self._figures(m)
            elif m.kind == "clef":
                bar, at = self.place(m.tick)
                self.clefs[bar].append((at, min(m.staff, self.staves - 1), m.text))
            elif m.kind == "grace":
                self._grace_order(m)
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
        """Ranks of a grace group's notes, as the mark lists their pitches."""
        chords = [chord.split("+") for chord in mark.text.split()]
        want = [(rank, int(p)) for rank, chord in enumerate(chords) for p in chord if p.isdigit() and len(p) < 4]
        a, b = np.searchsorted(self._onset, [mark.tick, mark.tick + 1])
        left = [
            i for i in range(a, b)
            if self._flags[i] & GRACE and self._voice[i] == mark.voice and self._staff[i] == mark.staff
        ]  # fmt: skip
        for rank, pitch in want:
            found = next((i for i in left if self._pitch[i] == pitch), None)
            if found is not None:
                left.remove(found)
                self.grace_order[int(self.index[found])] = [rank]

    def _text(self, m: Mark) -> None:
        if m.end > m.tick:
            dashes = '<direction-type><dashes type="start" number="1"/></direction-type>'
            self.add(m.tick, WORDS, _words(m.text, "below", dashes), staff=m.staff)
            stop = '<direction><direction-type><dashes type="stop" number="1"/></direction-type>{staff}</direction>'
            self.add(m.end, STOP, stop, staff=m.staff, closing=True)
        else:
            place = "below" if GRADUAL.search(m.text) else "above"
            self.add(m.tick, WORDS, _words(m.text, place, boxed=m.value == 1), staff=m.staff)

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
            for number, m in _numbered([m for m in marks if m.kind == kind]):
                start, stop = ends_of(kind, m.text, number)
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

    # -- slurs and lyrics ----------------------------------------------------------------------------------------

    def _derived_slurs(self) -> list[Mark]:
        """Slurs over runs of notes flagged SLURRED and the note after each run, voice by voice."""
        flags = self._flags
        if not np.any(flags & int(Articulation.SLURRED)):
            return []
        ends = self._onset + self.score.notes["duration"][self.index]
        out = []
        for key in np.unique(self._voice.astype(np.int64) * 256 + self._staff):
            mine = np.flatnonzero((self._voice.astype(np.int64) * 256 + self._staff == key) & (flags & GRACE == 0))
            onsets, first = np.unique(self._onset[mine], return_index=True)
            joined = [bool(f & int(Articulation.SLURRED)) for f in np.bitwise_or.reduceat(flags[mine], first)]
            start = -1
            for i, tick in enumerate(onsets):
                if joined[i] and start < 0:
                    start = int(tick)
                elif not joined[i] and start >= 0:
                    end = int(ends[mine[first[i]]])
                    out.append(Mark(start, "slur", "", self.part, end, int(key % 256), int(key // 256)))
                    start = -1
        return out

    def _slurs(self, slurs: list[Mark]) -> None:
        usable = []
        for m in slurs:
            first, last = self._slur_ends(m)
            if first is None or last is None or first == last:
                self.lost += 1
            else:
                usable.append((m, first, last))
        for number, (_, first, last) in self._slur_numbers(usable):
            self.slur_starts[first].append(number)
            self.slur_stops[last].append(number)

    def _slur_numbers(self, usable: list[tuple[Mark, int, int]]) -> Iterable[tuple[int, tuple[Mark, int, int]]]:
        """A number for each slur: free for its own voice when it has ended, for the others from the next bar on.

        Voices are written one after the other, bar by bar: a reader meets a slur of another voice out of time.
        """
        edges = self.score.bars
        holders: list[tuple[int, int, int]] = []  # voice, end, end of its last bar
        for item in sorted(usable, key=lambda u: (u[0].tick, u[0].end)):
            m = item[0]
            free = (
                k
                for k, (voice, end, bar) in enumerate(holders)
                if bar <= m.tick or (voice == m.voice and end <= m.tick)
            )
            number = next(free, len(holders))
            if number >= MOST_NUMBERS:
                self.lost += 1
                continue
            bar = int(edges[min(int(np.searchsorted(edges, m.end)), len(edges) - 1)])
            holders[number : number + 1] = [(m.voice, m.end, max(bar, m.tick + 1))]
            yield number + 1, item

    def _slur_ends(self, m: Mark) -> tuple[int | None, int | None]:
        """First and last note under a slur."""
        a, b = np.searchsorted(self._onset, [m.tick, max(m.end, m.tick) + 1])
        span = np.arange(a, b)
        span = span[~self.snapped.dropped[self.index[span]]]
        mine = span[self._voice[span] == m.voice]
        if len(mine) < 2:
            mine = span[self._staff[span] == m.staff]
        if len(mine) < 2:
            mine = span
        grace = (self._flags[mine] & GRACE) != 0
        value = int(m.value)
        heads = mine[grace == bool(value & STARTS_ON_GRACE)]
        if value & ENDS_ON_GRACE:
            tails = mine[grace & (self._onset[mine] <= m.end)]
        else:
            tails = mine[~grace & (self._onset[mine] < m.end)]
        if not len(heads) or not len(tails):
            return None, None
        head = self._first_grace(heads) if value & STARTS_ON_GRACE else int(heads[0])
        tail = int(tails[-1])
        if value & ENDS_ON_GRACE:
            tail = self._last_grace(tails)
        if self._onset[head] == self._onset[tail] and not value:
            return None, None
        return int(self.index[head]), int(self.index[tail])

    def _first_grace(self, heads: np.ndarray) -> int:
        same = heads[self._onset[heads] == self._onset[heads[0]]]
        return int(min(same, key=lambda i: (self.grace_order.get(int(self.index[i]), [99])[0], i)))

    def _last_grace(self, tails: np.ndarray) -> int:
        same = tails[self._onset[tails] == self._onset[tails[-1]]]
        return int(max(same, key=lambda i: (self.grace_order.get(int(self.index[i]), [-1])[0], i)))

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


def _numbered(items: list, key=lambda item: item):  # type: ignore[no-untyped-def, type-arg]
    """(number, item): the lowest number that no overlapping item has; beyond MusicXML's limit items are left out."""
    busy: list[int] = []
    for item in sorted(items, key=lambda i: (key(i).tick, key(i).end)):
        m = key(item)
        # an item that starts where another ends takes another number: their order at that place is then free
        number = next((n for n in range(len(busy)) if busy[n] < m.tick), len(busy))
        if number >= MOST_NUMBERS:
            continue
        if number == len(busy):
            busy.append(0)
        busy[number] = m.end
        yield number + 1, item


def _dynamic(text: str) -> str:
    name = text.strip()
    body = f"<{name}/>" if name in _DYNAMIC_TAGS else f"<other-dynamics>{clean(text)}</other-dynamics>"
    level = LEVELS.get(name)
    sound = f'<sound dynamics="{level / 0.9:.2f}"/>' if level else ""
    head = '<direction placement="below"><direction-type><dynamics>'
    return f"{head}{body}</dynamics></direction-type>{{staff}}{sound}</direction>"


def _words(text: str, placement: str, more: str = "", *, boxed: bool = False) -> str:
    look = 'enclosure="rectangle"' if boxed else 'font-style="italic"'
    body = f"<direction-type><words {look}>{clean(text)}</words></direction-type>{more}"
    return f'<direction placement="{placement}">{body.replace("{", "(").replace("}", ")")}{{staff}}</direction>'


def tempo_direction(text: str, sound: str) -> str:
    """A tempo mark: words, metronome mark, and the tempo that sounds."""
    found = METRONOME.match(text)
    words = found["words"] if found else text
    body = ""
    if words:
        body += f'<direction-type><words font-weight="bold">{clean(words)}</words></direction-type>'
    if found:
        unit = f"<beat-unit>{_UNIT_NAMES[found['unit']]}</beat-unit>" + "<beat-unit-dot/>" * len(found["dots"])
        brackets = ' parentheses="yes"' if found["open"] else ""
        number = f"<per-minute>{found['number']}</per-minute>"
        body += f"<direction-type><metronome{brackets}>{unit}{number}</metronome></direction-type>"
    if not body:
        return ""
    return f'<direction placement="above" system="only-top">{body}{{offset}}{sound}</direction>'


def _harmony(text: str, voicing: Sequence[str] = ()) -> str:
    """A chord symbol, its inversion and fretboard; words where it is none."""
    inversion = "".join(sign_xml(said, ("inversion",)) for said in voicing)
    frame = "".join(sign_xml(said, ("frame",)) for said in voicing)
    found = CHORD_TEXT.match(text)
    if text == "N.C.":
        return '<harmony><root><root-step text="">C</root-step></root><kind text="N.C.">none</kind>{staff}</harmony>'
    if not found:
        return _words(text, "above")
    step, alter, rest, bass, bass_alter = found.groups()
    degrees = DEGREE.findall(rest)
    suffix = DEGREE.sub("", rest)
    root = f"<root-step>{step}</root-step>" + (f"<root-alter>{_ALTER[alter]}</root-alter>" if alter else "")
    out = f"<root>{root}</root>"
    kind = _KIND_OF_SUFFIX.get(suffix)
    if kind is None:
        out += f'<kind text="{clean(suffix).replace(chr(34), "")}">other</kind>'
    else:
        out += f'<kind text="{clean(suffix)}">{kind}</kind>'
    out += inversion
    if bass:
        low = f"<bass-alter>{_ALTER[bass_alter]}</bass-alter>" if bass_alter else ""
        out += f"<bass><bass-step>{bass}</bass-step>{low}</bass>"
    names = {"add": "add", "alt": "alter", "no": "subtract"}
    for what, accidental, value in degrees:
        out += (
            f"<degree><degree-value>{value}</degree-value><degree-alter>{_ALTER[accidental]}</degree-alter>"
            f"<degree-type>{names[what]}</degree-type></degree>"
        )
    return f"<harmony>{out}{frame}{{staff}}</harmony>"
