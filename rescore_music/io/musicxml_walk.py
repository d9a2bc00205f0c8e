"""One MusicXML part, measure by measure, into the draft.

The walk keeps a cursor in ticks that notes, `backup` and `forward` move. Pitches become sounding ones as they are
met: written pitch plus the transposition in force, by staff steps and semitones, so the spelling survives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.errors import ReadError
from rescore_music.io.limits import TEXT
from rescore_music.io.musicxml_directions import DirectionReader
from rescore_music.io.musicxml_parts import PartEntry, drum_key, number_of, text_of
from rescore_music.io.musicxml_tables import (
    ARTICULATIONS,
    DIATONIC_OF_CHROMATIC,
    NATURAL,
    ORNAMENTS,
    SAME_AS,
    STEPS,
    TECHNICAL,
    TECHNIQUES,
    transposition_fifths,
)
from rescore_music.io.notation_draft import (
    BAR_END,
    BAR_QUARTERS,
    ENDS_ON_GRACE,
    STARTS_ON_GRACE,
    TIE_START,
    TIE_STOP,
    Draft,
    MarkDraft,
)
from rescore_music.score import Articulation, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

_STEP = {name: i for i, name in enumerate(STEPS)}
# children of a note that say how it looks, which the writer decides anew
_SKIP = frozenset({"stem", "beam", "dot", "accidental", "type", "time-modification", "footnote", "level", "play"})
_MODES = {"major": 0, "ionian": 0, "lydian": 0, "mixolydian": 0, "minor": 1, "aeolian": 1, "dorian": 1, "phrygian": 1}
_ALL_FLAGS = {**ARTICULATIONS, **ORNAMENTS, **TECHNICAL}
_BAR_REST, _REST, _SOUND = 0, 1, 2
_SILENT = frozenset({"fingering", "string", "fret", "wavy-line", "accidental-mark", "other-articulation"})


class PartWalker:
    """Reads one part; after `walk`, `part` tells who plays it."""

    def __init__(self, draft: Draft, index: int, entry: PartEntry) -> None:
        self.draft, self.index, self.entry = draft, index, entry
        self.quarter = draft.ticks_per_quarter
        self.scale: float = self.quarter
        self.chromatic = self.diatonic = 0
        self.first_transposition: tuple[int, int] | None = None
        self.staves, self.lines = 1, 5
        self.clefs: dict[int, str] = {}
        self.unpitched = self.pitched = 0
        self.directions = DirectionReader(draft, index)
        self.slurs: dict[str, MarkDraft] = {}
        self.early_stops: dict[str, tuple[int, int, int]] = {}  # a stop met before its start: bar, at, value
        self.grace_run: list[tuple[int, int, int, int]] = []
        self.voices: dict[str, int] = {}
        self.verses: dict[str, int] = {}
        self.instrument = ""
        self.onset = 0
        self.bar = 0

    def log(self, what: str, count: int = 1) -> None:
        """Count a repair or loss of this part."""
        self.draft.note(f"part {self.entry.name or self.entry.id or self.index + 1}", what, count)

    # -- measures ------------------------------------------------------------------------------------------------

    def walk(self, measures: Iterable[_Element]) -> None:
        """All measures of the part."""
        limit = BAR_QUARTERS * self.quarter
        filled = self.draft.filled
        for bar, measure in enumerate(measures):
            self.bar = bar
            cursor = reach = sounded = 0
            for element in measure:
                tag = element.tag
                if tag == "note":
                    cursor, kind = self._note(element, cursor)
                    if kind != _BAR_REST and cursor > reach:
                        reach = cursor
                    if kind == _SOUND and cursor > sounded:
                        sounded = cursor
                elif tag == "backup" or tag == "forward":
                    step = self._ticks(text_of(element.find("duration"), "0"))
                    cursor += step if tag == "forward" else -step
                    if cursor < 0:
                        self.log("backups beyond the start of the bar, stopped there")
                        cursor = 0
                    reach = max(reach, cursor)
                elif tag == "direction":
                    offset = element.find("offset")
                    shift = self._ticks(text_of(offset, "0")) if offset is not None else 0
                    self.directions.direction(element, bar, max(cursor + shift, 0))
                    self._standing(element)
                elif tag == "attributes":
                    self._attributes(element, cursor)
                elif tag == "harmony":
                    shift = self._ticks(text_of(element.find("offset"), "0"))
                    staff = max(number_of(element.find("staff"), 1) - 1, 0)
                    self.directions.harmony(element, bar, max(cursor + shift, 0), staff)
                elif tag == "barline":
                    location = element.get("location", "right")
                    at = 0 if location == "left" else (BAR_END if location == "right" else cursor)
                    self.directions.barline(element, bar, at)
                elif tag == "sound":
                    shift = self._ticks(text_of(element.find("offset"), "0"))
                    self.directions.sound(element, bar, max(cursor + shift, 0))
                    self._instrument_change(element, max(cursor + shift, 0))
                elif tag == "figured-bass":
                    self.log("figured bass, ignored")
                if cursor > limit:
                    what = "the bar never ends: its durations cannot be"
                    raise ReadError(what, file=self.draft.file, where=self._where(), cure="mend its durations")
            self._flush_graces()
            if reach > filled.get(bar, 0):
                filled[bar] = reach
            if sounded > self.draft.sounded.get(bar, 0):
                self.draft.sounded[bar] = sounded
            self.draft.bars = max(self.draft.bars, bar + 1)
        for _ in self.slurs:
            self.log("a slur that never ends, dropped")
        for mark in self.slurs.values():
            self.draft.marks.remove(mark)
        self.directions.finish()

    def _where(self) -> str:
        return f"part {self.entry.name or self.entry.id or self.index + 1}, bar {self.bar + 1}"

    def _ticks(self, text: str) -> int:
        try:
            value: float = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                self.log(f"durations that are no numbers ({text[:20]!r}), taken as 0")
                return 0
        ticks = value * self.scale
        if not abs(ticks) < 1e15:
            what = f"a duration of {text[:20]} divisions cannot be"
            raise ReadError(what, file=self.draft.file, where=self._where(), cure="mend it")
        return round(ticks)

    # -- attributes ----------------------------------------------------------------------------------------------

    def _attributes(self, element: _Element, cursor: int) -> None:
        draft, bar = self.draft, self.bar
        for child in element:
            tag = child.tag
            if tag == "divisions":
                try:
                    divisions = float(text_of(child))
                except ValueError:
                    divisions = 0.0
                if divisions > 0:
                    self.scale = self.quarter / divisions
                    if self.scale == int(self.scale):
                        self.scale = int(self.scale)
                else:
                    self.log("divisions that are no positive number, ignored")
            elif tag == "transpose":
                if child.get("number", "1") == "1":
                    self._transpose(child)
            elif tag == "time":
                self._time(child, cursor)
            elif tag == "clef":
                self._clef(child, cursor)
            elif tag == "staves":
                self.staves = max(1, min(number_of(child, 1), 16))
            elif tag == "staff-details":
                lines = number_of(child.find("staff-lines"), 0)
                if child.get("number", "1") == "1" and 1 <= lines <= 16 and bar == 0:
                    self.lines = lines
        key = element.find("key")  # after transpose, which stands behind it
        if key is not None:
            fifths = number_of(key.find("fifths"), -99)
            if -11 <= fifths <= 11:
                concert = fifths + transposition_fifths(self.chromatic, self.diatonic)
                concert -= 12 * round(concert / 12) if abs(concert) > 7 else 0
                mode = _MODES.get(text_of(key.find("mode")), -1)
                draft.keys.append((bar, cursor, self.index, concert, mode))
            else:
                self.log("key signatures that are not traditional, ignored")

    def _transpose(self, element: _Element) -> None:
        octaves = number_of(element.find("octave-change"), 0)
        chromatic = number_of(element.find("chromatic"), 0)
        if element.find("diatonic") is not None:
            diatonic = number_of(element.find("diatonic"), 0)
        else:
            diatonic = (1 if chromatic >= 0 else -1) * DIATONIC_OF_CHROMATIC[abs(chromatic) % 12]
            diatonic += 7 * (1 if chromatic >= 0 else -1) * (abs(chromatic) // 12)
        chromatic, diatonic = chromatic + 12 * octaves, diatonic + 7 * octaves
        if abs(chromatic) > 48 or abs(diatonic) > 28:
            self.log("an impossible transposition, ignored")
            return
        if self.first_transposition is None:
            self.first_transposition = (chromatic, diatonic) if not self.pitched else (self.chromatic, self.diatonic)
        if self.pitched and (chromatic, diatonic) != (self.chromatic, self.diatonic):
            self.log("transposition changes: all is written in the first one")
        self.chromatic, self.diatonic = chromatic, diatonic

    def _time(self, element: _Element, cursor: int) -> None:
        if element.get("number", "1") != "1":
            return
        beats = [text_of(child) for child in element.iterfind("beats")]
        types = [number_of(child, 0) for child in element.iterfind("beat-type")]
        try:
            counts = [sum(int(part) for part in text.split("+")) for text in beats]
        except ValueError:
            counts = []
        if not counts or len(counts) != len(types) or any(t not in (1, 2, 4, 8, 16, 32, 64, 128) for t in types):
            self.log("no meter or one that cannot be, the one before kept")
            return
        finest = max(types)
        numerator = sum(count * finest // kind for count, kind in zip(counts, types, strict=True))
        if not 1 <= numerator <= 255:
            self.log("no meter or one that cannot be, the one before kept")
            return
        if len(types) > 1:
            self.log("compound meters, written as one")
        if cursor:
            self.log("a meter change inside a bar, moved to its start")
        self.draft.meters.setdefault(self.bar, (numerator, finest))

    def _clef(self, element: _Element, cursor: int) -> None:
        sign = text_of(element.find("sign"), "G")
        line = number_of(element.find("line"), {"G": 2, "F": 4, "C": 3}.get(sign, 0))
        octave = number_of(element.find("clef-octave-change"), 0)
        if sign in ("G", "F", "C"):
            text = f"{sign}{line}" + (
                f"{8 * octave - (octave > 0) * (octave - 1) + (octave < 0) * (-octave - 1):+d}" if octave else ""
            )
        else:
            text = sign.lower() if sign in ("percussion", "TAB", "jianpu", "none") else "G2"
        try:
            staff = max(int(element.get("number", "1")) - 1, 0)
        except ValueError:
            staff = 0
        if self.bar == 0 and cursor == 0 and staff not in self.clefs:
            self.clefs[staff] = text
        else:
            self.directions.mark(self.bar, cursor, "clef", text, staff=staff)

    def _instrument_change(self, element: _Element, at: int) -> None:
        for midi in element.iterfind("midi-instrument"):
            program = number_of(midi.find("midi-program")) - 1
            if 0 <= program <= 127:
                bank = max(number_of(midi.find("midi-bank"), 1) - 1, 0)
                self.draft.programs.append((self.bar, at, self.index, program, min(bank, 16383)))

    # -- standing techniques -------------------------------------------------------------------------------------

    standing = 0

    def _standing(self, element: _Element) -> None:
        for words in element.iterfind("direction-type/words"):
            text = text_of(words)
            for pattern, on, off in TECHNIQUES:
                if pattern.search(text):
                    self.standing = (self.standing & ~off) | on

    # -- notes ---------------------------------------------------------------------------------------------------

    def _note(self, element: _Element, cursor: int) -> tuple[int, int]:
        """One note or rest: the cursor after it, and what it was."""
        duration = tie = 0
        step = octave = -1
        alter = 0.0
        voice_text = "1"
        staff = 0
        chord = grace = rest = unpitched = False
        whole_bar = False
        flags = self.standing
        instrument = ""
        notations: list[_Element] = []
        lyrics: list[_Element] = []
        for child in element:
            tag = child.tag
            if tag in _SKIP:
                continue
            if tag == "pitch":
                for item in child:
                    name = item.tag
                    if name == "step":
                        step = _STEP.get((item.text or "").strip(), -1)
                    elif name == "octave":
                        octave = number_of(item)
                    elif name == "alter":
                        alter = _float(item)
            elif tag == "duration":
                duration = self._ticks((child.text or "0").strip())
            elif tag == "voice":
                voice_text = child.text or "1"
            elif tag == "notations":
                notations.append(child)
            elif tag == "rest":
                rest = True
                whole_bar = child.get("measure") == "yes"
            elif tag == "tie":
                tie |= TIE_START if child.get("type") == "start" else TIE_STOP
            elif tag == "chord":
                chord = True
            elif tag == "staff":
                staff = max(number_of(child, 1) - 1, 0)
            elif tag == "lyric":
                lyrics.append(child)
            elif tag == "grace":
                grace = True
                flags |= Articulation.ACCIACCATURA if child.get("slash") == "yes" else Articulation.APPOGGIATURA
            elif tag == "cue":
                flags |= Articulation.CUE
            elif tag == "unpitched":
                unpitched = True
                step = _STEP.get(text_of(child.find("display-step")), -1)
                octave = number_of(child.find("display-octave"))
            elif tag == "instrument":
                instrument = child.get("id", "")
            elif tag == "notehead" and child.get("parentheses") == "yes":
                flags |= Articulation.GHOST
        if grace:
            duration = 0
        if duration < 0:
            self.log("negative durations, taken as 0")
            duration = 0
        onset = self.onset if chord else cursor
        if not chord:
            self.onset = cursor
        if rest:
            self._rest(notations, onset, duration, staff, whole_bar)
            return onset + duration, _BAR_REST if whole_bar else _REST
        voice = self.voices.get(voice_text)
        if voice is None:
            voice = self._voice(voice_text)
        if not grace and duration == 0:
            self.log("notes without duration, dropped")
            return cursor, _REST
        pitch, sounding_step, sounding_alter = self._pitch(step, octave, alter, unpitched, instrument)
        if pitch < 0:
            return (cursor if chord else onset + duration), _SOUND
        velocity = -1
        if (percent := element.get("dynamics")) is not None:
            velocity = _velocity(percent)
        if instrument and instrument != self.instrument:
            self._play_on(instrument, onset, unpitched)
        if notations or lyrics:
            place = (onset, duration, voice, staff, grace)
            for one in notations:
                more, tied = self._notations(one, place)
                flags |= more
                tie = tie or tied
            if lyrics:
                self._lyrics(lyrics, onset, voice, staff)
        if grace:
            self.grace_run.append((onset, voice, staff, pitch))
        self.draft.rows.append(
            (
                self.bar, onset, duration, pitch, self.index, voice, staff, sounding_step, sounding_alter, int(flags),
                tie, velocity,
            )
        )  # fmt: skip
        return (cursor if chord else onset + duration), _SOUND

    def _rest(self, notations: list[_Element], onset: int, duration: int, staff: int, whole_bar: bool) -> None:
        if whole_bar:
            rested = self.draft.rested
            rested[self.bar] = max(rested.get(self.bar, 0), onset + duration)
        for one in notations:
            if one.find("fermata") is not None:
                self.directions.mark(self.bar, onset, "fermata", "rest", staff=staff)

    def _voice(self, text: str) -> int:
        """A number for a voice name: itself where it is one, else the next free."""
        clean = text.strip()
        number = int(clean) if clean.isdigit() and len(clean) < 4 and 0 < int(clean) < 256 else 0
        if not number:
            number = next((n for n in range(1, 256) if n not in self.voices.values()), 255)
        self.voices[text] = number
        return number

    def _pitch(self, step: int, octave: int, alter: float, unpitched: bool, instrument: str) -> tuple[int, int, int]:
        """Sounding pitch and spelling; pitch -1 where there is none."""
        if unpitched:
            self.unpitched += 1
            place = f"{STEPS[step]}{octave}" if step >= 0 else ""
            return drum_key(self.entry, instrument, place), -1, 0
        self.pitched += 1
        if step < 0 or not -2 <= octave <= 12:
            self.log("notes without a pitch, dropped")
            return -1, -1, 0
        whole = round(alter)
        if whole != alter:
            self.log("microtones, rounded to the semitone")
        pitch = 12 * (octave + 1) + NATURAL[step] + whole
        if self.chromatic or self.diatonic:
            pitch += self.chromatic
            sounding = step + 7 * octave + self.diatonic
            step = sounding % 7
            whole = pitch - 12 * (sounding // 7 + 1) - NATURAL[step]
        if not 0 <= pitch <= 127:
            self.log("notes outside MIDI's pitches 0 to 127, dropped")
            return -1, -1, 0
        if not -2 <= whole <= 2:
            return pitch, -1, 0
        return pitch, step, whole

    def _play_on(self, instrument: str, onset: int, unpitched: bool) -> None:
        """A note names another instrument: a program change, if it sounds different."""
        sound = self.entry.sounds.get(instrument)
        before = self.entry.sounds.get(self.instrument)
        program = self.entry.program if before is None or before.program < 0 else before.program
        if sound is not None and not unpitched and 0 <= sound.program != program:
            self.draft.programs.append((self.bar, onset, self.index, sound.program, max(sound.bank, 0)))
        self.instrument = instrument

    def _flush_graces(self) -> None:
        """Keep the order of grace notes where it is not the score's own (by pitch)."""
        if not self.grace_run:
            return
        groups: dict[tuple[int, int, int], list[int]] = {}
        for onset, voice, staff, pitch in self.grace_run:
            groups.setdefault((onset, voice, staff), []).append(pitch)
        for (onset, voice, staff), pitches in groups.items():
            if pitches != sorted(pitches):
                mark = self.directions.mark(self.bar, onset, "grace", " ".join(map(str, pitches)), staff=staff)
                mark.voice = voice
        self.grace_run.clear()

    # -- what is attached to notes -------------------------------------------------------------------------------

    def _notations(self, element: _Element, place: tuple[int, int, int, int, bool]) -> tuple[int, int]:
        """Flags of one `notations`, and its tie bits."""
        flags = tie = 0
        onset, _, voice, staff, _ = place
        for child in element:
            tag = child.tag
            if tag in ("articulations", "ornaments", "technical"):
                for item in child:
                    flags |= self._flag(item, onset, voice, staff)
            elif tag == "slur":
                self._slur(child, place)
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
                self.directions.notation_dynamics(child, self.bar, onset, staff)
            elif tag != "tuplet":
                self.log(f"<{tag}> at notes, ignored")
        return int(flags), tie

    def _flag(self, element: _Element, onset: int, voice: int, staff: int) -> int:
        name = str(element.tag)
        if name in _ALL_FLAGS:
            if name in SAME_AS:
                self.log(f"<{name}>, read as its nearest kin")
            return int(_ALL_FLAGS[name])
        if name == "tremolo":
            strokes = number_of(element, 3)
            if element.get("type") in ("start", "stop"):
                self.log("tremolos between two notes, read as a tremolo on each")
            elif strokes != 3 and strokes > 0:
                mark = self.directions.mark(self.bar, onset, "tremolo", "", staff=staff)
                mark.voice, mark.value = voice, float(min(strokes, 8))
            return int(Articulation.TREMOLO)
        if name in ("breath-mark", "caesura"):
            mark = self.directions.mark(self.bar, onset, "breath", name, staff=staff)
            mark.voice = voice
        elif name not in _SILENT:
            self.log(f"<{name}> at notes, ignored")
        return 0

    def _slur(self, element: _Element, place: tuple[int, int, int, int, bool]) -> None:
        onset, duration, voice, staff, grace = place
        number = element.get("number", "1")
        kind = element.get("type")
        if kind == "start":
            mark = self.directions.mark(self.bar, onset, "slur", "", staff=staff)
            mark.voice, mark.value = voice, float(STARTS_ON_GRACE if grace else 0)
            early = self.early_stops.pop(number, None)
            if early is not None and early[:2] > (self.bar, onset):  # its end stood in a voice written before
                mark.end_bar, mark.end_at = early[:2]
                mark.value += early[2]
                return
            if number in self.slurs:
                self.log("a slur that never ends, dropped")
                self.draft.marks.remove(self.slurs[number])
            self.slurs[number] = mark
        elif kind == "stop":
            value = ENDS_ON_GRACE if grace else 0
            started = self.slurs.pop(number, None)
            if started is None:
                self.early_stops[number] = (self.bar, onset + duration, value)
            else:
                started.end_bar, started.end_at = self.bar, onset + duration
                started.value += value

    def _lyrics(self, lyrics: list[_Element], onset: int, voice: int, staff: int) -> None:
        for lyric in lyrics:
            number = lyric.get("number", lyric.get("name", "1"))
            verse = self.verses.get(number)
            if verse is None:
                taken = self.verses.values()
                verse = int(number) if number.isdigit() and 0 < int(number[:6]) < 100 else 0
                verse = verse if verse and verse not in taken else next(n for n in range(1, 10000) if n not in taken)
                self.verses[number] = verse
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
            mark = self.directions.mark(self.bar, onset, "lyric", text, staff=staff)
            mark.voice, mark.value = voice, float(verse)

    # -- the result ----------------------------------------------------------------------------------------------

    def part(self) -> Part:
        """Who plays, and how it is written."""
        entry = self.entry
        sounds = list(entry.sounds.values())
        channel = next((s.channel for s in sounds if s.channel >= 0), -1)
        percussion = self.unpitched > 0 and self.unpitched >= self.pitched
        if not self.unpitched and channel == 9 and self.clefs.get(0) == "percussion":
            percussion = True
        chromatic, diatonic = self.first_transposition or (0, 0)
        staves = max(self.staves, *(s + 1 for s in self.clefs), 1) if self.clefs else self.staves
        clefs = tuple(self.clefs.get(s, "percussion" if percussion else "G2") for s in range(staves))
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
            clefs=clefs if self.clefs else (),
            lines=self.lines,
            group=entry.group,
        )


def _float(element: _Element) -> float:
    try:
        value = float(element.text or "0")
    except ValueError:
        return 0.0
    return value if abs(value) < 10 else 0.0


def _velocity(percent: str) -> int:
    """The `dynamics` attribute is a percentage of velocity 90."""
    try:
        value = float(percent) * 0.9
    except ValueError:
        return -1
    return round(value) if 0 < value < 1000 else -1
