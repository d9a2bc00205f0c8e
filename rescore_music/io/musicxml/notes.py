"""The notes and rests of one MusicXML part, as rows of the draft.

Pitches become sounding ones as they are met: written pitch plus the transposition in force, by staff steps and
semitones, so the spelling survives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.musicxml.notations import Anchor, NotationReader
from rescore_music.io.musicxml.parts import drum_key, number_of, text_of
from rescore_music.io.musicxml.signs import sign_text
from rescore_music.io.musicxml.tables import DRUMS, NATURAL, PICTURE, STEPS, TECHNIQUES
from rescore_music.io.notation.draft import TIE_START, TIE_STOP
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.directions import DirectionReader
    from rescore_music.io.musicxml.place import PartPlace

BAR_REST, REST, SOUND = 0, 1, 2  # what a note element was
_STEP = {name: i for i, name in enumerate(STEPS)}
_OCTAVE = {str(octave): octave for octave in range(10)}
_ALTER: dict[str | None, float] = {"-1": -1.0, "0": 0.0, "1": 1.0}
# children of a note that say how it looks, which the writer decides anew
_SKIP = frozenset({"stem", "beam", "dot", "accidental", "type", "time-modification", "footnote", "level", "play"})
_CUE = int(Articulation.CUE)  # a plain number: asking an enum costs a microsecond a note


class NoteElement:
    """What the children of one `note` say, before transposition; duration in ticks, -1 = no pitch.

    The defaults are the class's, so that a note costs only what it says.
    """

    duration = tie = flags = staff = 0
    step = octave = velocity = -1
    alter = 0.0
    voice = "1"
    instrument = ""
    chord = grace = rest = whole_bar = unpitched = False
    notations: tuple[_Element, ...] = ()
    lyrics: tuple[_Element, ...] = ()
    head: _Element | None = None

    def __init__(self, element: _Element, place: PartPlace) -> None:
        ticks, known = place.ticks, place.known
        for child in element:
            tag = child.tag
            if tag in _SKIP:
                continue
            if tag == "pitch":
                self._pitch(child)
            elif tag == "duration":
                text = child.text
                self.duration = known[text] if text in known else ticks((text or "0").strip())
            elif tag == "voice":
                self.voice = child.text or "1"
            elif tag == "notations":
                self.notations += (child,)
            elif tag == "rest":
                self.rest = True
                self.whole_bar = child.get("measure") == "yes"
            elif tag == "tie":
                self.tie |= TIE_START if child.get("type") == "start" else TIE_STOP
            elif tag == "chord":
                self.chord = True
            elif tag == "staff":
                self.staff = max(number_of(child, 1) - 1, 0)
            elif tag == "lyric":
                self.lyrics += (child,)
            else:
                self._rarer(child, tag)
        if (percent := element.get("dynamics")) is not None:
            self.velocity = _velocity(percent)

    def _pitch(self, element: _Element) -> None:
        for item in element:
            name = item.tag
            if name == "step":
                text = item.text or ""
                self.step = _STEP[text] if text in _STEP else _STEP.get(text.strip(), -1)
            elif name == "octave":
                text = item.text or ""
                self.octave = _OCTAVE[text] if text in _OCTAVE else number_of(item)
            elif name == "alter":
                self.alter = _ALTER[item.text] if item.text in _ALTER else _alter(item)

    def _rarer(self, child: _Element, tag: str) -> None:
        """Grace and cue notes, drums and heads."""
        if tag == "grace":
            self.grace = True
            slash = child.get("slash") == "yes"
            self.flags |= int(Articulation.ACCIACCATURA if slash else Articulation.APPOGGIATURA)
        elif tag == "cue":
            self.flags |= _CUE
        elif tag == "unpitched":
            self.unpitched = True
            self.step = _STEP.get(text_of(child.find("display-step")), -1)
            self.octave = number_of(child.find("display-octave"))
        elif tag == "instrument":
            self.instrument = child.get("id", "")
        elif tag == "notehead":
            self.head = child
            if child.get("parentheses") == "yes":
                self.flags |= int(Articulation.GHOST)


class NoteReader:
    """Reads the notes of one part; keeps what lasts from note to note."""

    def __init__(self, place: PartPlace, directions: DirectionReader) -> None:
        self.place, self.directions = place, directions
        self.attached = NotationReader(place, directions)
        self.standing = 0  # flags of the techniques that hold until others are asked for
        self.grace_run: list[tuple[int, int, int, int, bool]] = []
        self.voices: dict[str, int] = {}
        self.instrument = ""
        self.onset = 0

    def techniques(self, direction: _Element) -> None:
        """The words of a `direction` that change how the notes from here on are played."""
        for kind in direction.iterchildren("direction-type"):
            for words in kind.iterchildren("words"):
                text = text_of(words)
                if PICTURE.match(text):
                    continue
                for pattern, on, off in TECHNIQUES:
                    if pattern.search(text):
                        self.standing = (self.standing & ~off) | on

    def note(self, element: _Element, cursor: int) -> tuple[int, int]:
        """One note or rest: the cursor after it, and what it was."""
        note = NoteElement(element, self.place)
        if note.grace:
            note.duration = 0
        elif note.duration < 0:
            self.place.log("negative durations, taken as 0")
            note.duration = 0
        onset = self.onset if note.chord else cursor
        self.onset = onset
        end = onset + note.duration
        if note.rest:
            if note.whole_bar:
                rested = self.place.draft.rested
                rested[self.place.bar] = max(rested.get(self.place.bar, 0), end)
            if note.notations or note.lyrics:
                anchor = Anchor(onset, note.duration, self._number(note.voice), note.staff, False)
                self.attached.rest(note.notations, note.lyrics, anchor)
            return end, BAR_REST if note.whole_bar else REST
        voice = self._number(note.voice)
        if not note.grace and note.duration == 0:
            self.place.log("notes without duration, dropped")
            return cursor, REST
        self._sound(note, onset, voice)
        return (cursor if note.chord else end), SOUND

    def _sound(self, note: NoteElement, onset: int, voice: int) -> None:
        """A note that is no rest, as a row of the draft; none where it has no pitch."""
        place = self.place
        pitch, step, alter = self._sounding(note)
        if pitch < 0:
            return
        if note.instrument and note.instrument != self.instrument:
            self._play_on(note, onset)
        if note.flags & _CUE:
            place.log("cue notes, kept for the page and silent")
        flags, tie = note.flags | self.standing, note.tie
        if note.notations or note.lyrics or note.head is not None:
            anchor = Anchor(onset, note.duration, voice, note.staff, note.grace, pitch, bool(tie & TIE_STOP))
            if note.head is not None:
                self._head(note, anchor)
            for one in note.notations:
                more, tied = self.attached.notations(one, anchor)
                flags |= more
                tie = tie or tied
            if note.lyrics:
                self.attached.lyrics(note.lyrics, anchor)
        if note.grace:
            self.grace_run.append((onset, voice, note.staff, pitch, note.chord))
        place.draft.rows.append(
            (
                place.bar, onset, note.duration, pitch, place.index, voice, note.staff, step, alter, flags,
                tie, note.velocity,
            )
        )  # fmt: skip

    def _head(self, note: NoteElement, anchor: Anchor) -> None:
        """A notehead that is not the one the writer draws of itself, as a sign."""
        usual = DRUMS.get(anchor.pitch, ("", "", ""))[2] if note.unpitched else ""
        brackets = "[parentheses yes]" if note.flags & Articulation.GHOST else ""
        text = sign_text(note.head) if note.head is not None else ""
        if text and text != f"notehead{brackets}={usual or 'normal'}":
            self.attached.sign(text, anchor)

    def _number(self, text: str) -> int:
        return self.voices.get(text) or self._voice(text)

    def _voice(self, text: str) -> int:
        """A number for a voice name: itself where it is one, else the next free."""
        clean = text.strip()
        number = int(clean) if clean.isdigit() and len(clean) < 4 and 0 < int(clean) < 256 else 0
        if not number:
            number = next((n for n in range(1, 256) if n not in self.voices.values()), 255)
        self.voices[text] = number
        return number

    def _sounding(self, note: NoteElement) -> tuple[int, int, int]:
        """Sounding pitch and spelling; pitch -1 where there is none."""
        place, step, octave = self.place, note.step, note.octave
        if note.unpitched:
            place.unpitched += 1
            line = f"{STEPS[step]}{octave}" if step >= 0 else ""
            return drum_key(place.entry, note.instrument, line), -1, 0
        place.pitched += 1
        if step < 0 or not -2 <= octave <= 12:
            place.log("notes without a pitch, dropped")
            return -1, -1, 0
        whole = round(note.alter)
        if whole != note.alter:
            place.log("microtones, rounded to the semitone")
        pitch = 12 * (octave + 1) + NATURAL[step] + whole
        if place.chromatic or place.diatonic:
            pitch += place.chromatic
            sounding = step + 7 * octave + place.diatonic
            step = sounding % 7
            whole = pitch - 12 * (sounding // 7 + 1) - NATURAL[step]
        if not 0 <= pitch <= 127:
            place.log("notes outside MIDI's pitches 0 to 127, dropped")
            return -1, -1, 0
        if not -2 <= whole <= 2:
            return pitch, -1, 0
        return pitch, step, whole

    def _play_on(self, note: NoteElement, onset: int) -> None:
        """A note names another instrument: a program change, if it sounds different."""
        place = self.place
        sounds = place.entry.sounds
        sound, before = sounds.get(note.instrument), sounds.get(self.instrument)
        program = place.entry.program if before is None or before.program < 0 else before.program
        if sound is not None and not note.unpitched and 0 <= sound.program != program:
            place.draft.programs.append((place.bar, onset, place.index, sound.program, max(sound.bank, 0)))
        self.instrument = note.instrument

    def end_bar(self) -> None:
        """Keep the order of the bar's grace notes where it is not the score's own (by pitch)."""
        if not self.grace_run:
            return
        groups: dict[tuple[int, int, int], list[list[int]]] = {}
        for onset, voice, staff, pitch, chord in self.grace_run:
            group = groups.setdefault((onset, voice, staff), [])
            if chord and group:
                group[-1].append(pitch)
            else:
                group.append([pitch])
        for (onset, voice, staff), chords in groups.items():
            pitches = [pitch for chord in chords for pitch in sorted(chord)]
            if len(pitches) > len(chords) or pitches != sorted(pitches):
                text = " ".join("+".join(map(str, sorted(chord))) for chord in chords)
                mark = self.directions.mark(self.place.bar, onset, "grace", text, staff=staff)
                mark.voice = voice
        self.grace_run.clear()


def _alter(element: _Element) -> float:
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
