"""The notes and rests of one MusicXML part, as rows of the draft.

Pitches become sounding ones as they are met: written pitch plus the transposition in force, by staff steps and
semitones, so the spelling survives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rescore_music.io.musicxml.graces import AFTER, Grace, group_text, plain_text
from rescore_music.io.musicxml.notations import NotationReader
from rescore_music.io.musicxml.note_element import BAR_REST, CUE, REST, SOUND, NoteDetails, note_values
from rescore_music.io.musicxml.parts import drum_key, text_of
from rescore_music.io.musicxml.signs import sign_text
from rescore_music.io.musicxml.tables import DRUMS, NATURAL, PICTURE, STEPS, TECHNIQUES
from rescore_music.io.notation.draft import ROW
from rescore_music.score import Articulation

if TYPE_CHECKING:
    from lxml.etree import _Element

    from rescore_music.io.musicxml.directions import DirectionReader
    from rescore_music.io.musicxml.place import PartPlace, Written

_COLUMNS = ROW.names or ()
_FOLLOWING = ("at", "duration", "voice")  # what tells whether a note follows grace notes
_STEP = {name: i for i, name in enumerate(STEPS)}
_OCTAVE: dict[str | None, int] = {str(octave): octave for octave in range(10)}


class NoteReader:
    """Reads the notes of one part; keeps what lasts from note to note."""

    def __init__(self, place: PartPlace, directions: DirectionReader) -> None:
        self.place, self.directions = place, directions
        self.attached = NotationReader(place, directions)
        self.standing = 0  # flags of the techniques that hold until others are asked for
        self.graces: dict[tuple[int, int, int], list[Grace]] = {}  # of the bar, by onset, voice and staff
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
                self._technique(text)
        for sound in direction.iterchildren("sound"):
            if plucked := sound.get("pizzicato"):
                self._technique("pizz." if plucked == "yes" else "arco")

    def _technique(self, text: str) -> None:
        for pattern, on, off in TECHNIQUES:
            if pattern.search(text):
                self.standing = (self.standing & ~off) | on

    def note(self, element: _Element, cursor: int) -> tuple[int, int]:
        """One note or rest: the cursor after it, and what it was."""
        place = self.place
        duration, written, voice, chord, tie, staff, rest, details = note_values(element, place)
        if chord:
            onset = self.onset
        else:
            self.onset = onset = cursor
        number = self.voices.get(voice) or self._voice(voice)
        flags, velocity = self.standing, -1
        if rest or duration <= 0 or details is not None:
            details = details or NoteDetails()
            if duration < 0 or details.grace:
                duration = self._no_time(details)
            details.onset, details.duration, details.number, details.staff = onset, duration, number, staff
            details.tie, details.chord, details.written = tie, chord, written
            if rest:
                self._rest(details, rest)
                return onset + duration, rest
            if not duration and not details.grace:
                place.log("notes without duration, dropped")
                return cursor, REST
            pitch, step, alter = self._detailed(details)
            flags, tie, velocity = flags | details.flags, details.tie, details.velocity
        else:
            place.pitched += 1
            pitch, step, alter = place.heard.get(written) or self._sounding(written)
        if pitch >= 0:
            place.rows.extend(
                (place.bar, onset, duration, pitch, place.index, number, staff, step, alter, flags, tie, velocity)
            )
        return (cursor if chord else onset + duration), SOUND

    def _no_time(self, note: NoteDetails) -> int:
        if not note.grace:
            self.place.log("negative durations, taken as 0")
        return 0

    def _rest(self, note: NoteDetails, rest: int) -> None:
        if rest == BAR_REST:
            place = self.place
            end = note.onset + note.duration
            place.draft.rested[place.bar] = max(place.draft.rested.get(place.bar, 0), end)
        self.attached.rest(note)

    def _detailed(self, note: NoteDetails) -> tuple[int, int, int]:
        """How a note sounds that says more than the plain: pitch and spelling; its marks go to the draft.

        Its flags are made whole, and a `tied` counts where `tie` is unsaid.
        """
        place = self.place
        if note.unpitched:
            place.unpitched += 1
            sounding = (self._struck(note), -1, 0)
        else:
            place.pitched += 1
            sounding = place.heard.get(note.written) or self._sounding(note.written)
        note.pitch = sounding[0]
        if note.pitch < 0:
            return sounding
        if note.instrument and note.instrument != self.instrument:
            self._play_on(note)
        if note.flags & CUE:
            place.log("cue notes, kept for the page and silent")
        if note.head is not None:
            self._head(note)
        tied = 0
        for one in note.notations:
            more, bits = self.attached.notations(one, note)
            note.flags |= more
            tied = tied or bits
        if note.lyrics:
            self.attached.lyrics(note)
        if note.grace:
            group = self.graces.setdefault((note.onset, note.number, note.staff), [])
            group.append(Grace(note.pitch, note.kind, note.chord))
        note.tie = note.tie or tied
        return sounding

    def _head(self, note: NoteDetails) -> None:
        """A notehead that is not the one the writer draws of itself, as a sign."""
        usual = DRUMS.get(note.pitch, ("", "", ""))[2] if note.unpitched else ""
        brackets = "[parentheses yes]" if note.flags & Articulation.GHOST else ""
        text = sign_text(note.head) if note.head is not None else ""
        if text and text != f"notehead{brackets}={usual or 'normal'}":
            self.attached.sign(text, note)

    def _voice(self, text: str) -> int:
        """A number for a voice name: itself where it is one, else the next free."""
        clean = text.strip()
        number = int(clean) if clean.isdigit() and len(clean) < 4 and 0 < int(clean) < 256 else 0
        if not number:
            number = next((n for n in range(1, 256) if n not in self.voices.values()), 255)
        self.voices[text] = number
        return number

    def _struck(self, note: NoteDetails) -> int:
        """The drum key of an unpitched note, by its instrument or its place on the staff."""
        step, octave, _ = note.written
        line = f"{step}{_whole(octave)}" if step in _STEP else ""
        return drum_key(self.place.entry, note.instrument, line)

    def _sounding(self, written: Written) -> tuple[int, int, int]:
        """Sounding pitch and spelling of a written one, remembered; pitch -1 where there is none."""
        place = self.place
        step, octave, alter = _STEP.get((written[0] or "").strip(), -1), _whole(written[1]), _alter(written[2])
        if step < 0 or not -2 <= octave <= 12:
            place.log("notes without a pitch, dropped")
            return -1, -1, 0
        whole = round(alter)
        pitch = 12 * (octave + 1) + NATURAL[step] + whole
        if place.chromatic or place.diatonic:
            pitch += place.chromatic
            sounding = step + 7 * octave + place.diatonic
            step = sounding % 7
            whole = pitch - 12 * (sounding // 7 + 1) - NATURAL[step]
        found = (pitch, step, whole) if -2 <= whole <= 2 else (pitch, -1, 0)
        if alter != round(alter):
            place.log("microtones, rounded to the semitone")
        elif 0 <= pitch <= 127:  # what is told is told of each note
            place.remember(written, found)
        if not 0 <= pitch <= 127:
            place.log("notes outside MIDI's pitches 0 to 127, dropped")
            return -1, -1, 0
        return found

    def _play_on(self, note: NoteDetails) -> None:
        """A note names another instrument: a program change, if it sounds different."""
        place = self.place
        sounds = place.entry.sounds
        sound, before = sounds.get(note.instrument), sounds.get(self.instrument)
        program = place.entry.program if before is None or before.program < 0 else before.program
        if sound is not None and not note.unpitched and 0 <= sound.program != program:
            place.draft.programs.append((place.bar, note.onset, place.index, sound.program, max(sound.bank, 0)))
        self.instrument = note.instrument

    def end_bar(self, opened: int) -> None:
        """Keep of the bar's groups of grace notes what is not as usual; the bar's rows begin at `opened`."""
        if not self.graces:
            return
        columns = (self.place.rows[opened + _COLUMNS.index(name) :: len(_COLUMNS)] for name in _FOLLOWING)
        followed = {(at, voice) for at, length, voice in zip(*columns, strict=True) if length}
        for (onset, voice, staff), notes in self.graces.items():
            after = onset > 0 and (onset, voice) not in followed
            if text := group_text(notes) or (plain_text(notes) if after else ""):
                mark = self.directions.mark(self.place.bar, onset, "grace", text, staff=staff)
                mark.voice, mark.value = voice, AFTER if after else 0.0
        self.graces.clear()


def _whole(octave: str | None) -> int:
    """An octave's number; -1, the lowest that MIDI has, where it is none."""
    if octave in _OCTAVE:
        return _OCTAVE[octave]
    try:
        return int(min(max(float(octave or "-1"), -100.0), 100.0))
    except ValueError:
        return -1


def _alter(alter: str | None) -> float:
    if alter is None:
        return 0.0
    try:
        value = float(alter)
    except ValueError:
        return 0.0
    return value if abs(value) < 10 else 0.0
