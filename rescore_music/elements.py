"""What a score is made of: the dtypes of its columns, and the frozen values beside them.

Conventions: ticks, sounding pitch, parts numbered from 0. `Score` (score.py) holds these and tells the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

Ticks = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
Indices = npt.NDArray[np.int64]

NOTE = np.dtype(
    [
        ("onset", "<i8"),
        ("duration", "<i8"),
        ("pitch", "u1"),  # sounding; on a percussion part the General MIDI drum key
        ("velocity", "u1"),
        ("part", "<u2"),
        ("voice", "u1"),  # as the source numbers it; 0 where it does not
        ("staff", "u1"),  # 0 = the part's upper staff
        ("step", "i1"),  # sounding spelling: 0..6 = C..B, -1 unknown
        ("alter", "i1"),
        ("articulation", "<u4"),
        ("release", "u1"),  # MIDI's release velocity; 0 = unsaid
        ("onset_shift", "<i4"),  # performed minus notated onset, in ticks; 0 = as notated
        ("end_shift", "<i4"),  # the same of the end
    ]
)
CONTROL = np.dtype([("tick", "<i8"), ("part", "<u2"), ("number", "<u2"), ("value", "u1")])
BEND = np.dtype([("tick", "<i8"), ("part", "<u2"), ("value", "<i2")])  # -8192..8191; range by RPN 0, else 2 semitones
PROGRAM = np.dtype([("tick", "<i8"), ("part", "<u2"), ("program", "u1"), ("bank", "<u2")])  # bank = MSB*128 + LSB
METER = np.dtype([("tick", "<i8"), ("numerator", "<u2"), ("denominator", "<u2")])
# of several keys at one tick, as MIDI tracks may have them, the last counts
KEY = np.dtype([("tick", "<i8"), ("fifths", "i1"), ("mode", "i1")])  # concert pitch; mode: see MODES; -1 unsaid

MODES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian")  # KEY.mode counts them from 0
CHANNEL_PRESSURE = 128  # CONTROL.number of channel aftertouch
STEP_SEMITONES = np.array([0, 2, 4, 5, 7, 9, 11])


class Articulation(IntFlag):
    """Bits of NOTE.articulation: what is written at a note, and the playing technique it is under."""

    STACCATO = 1 << 0
    STACCATISSIMO = 1 << 1
    TENUTO = 1 << 2
    ACCENT = 1 << 3
    MARCATO = 1 << 4
    FERMATA = 1 << 5
    TRILL = 1 << 6
    MORDENT = 1 << 7
    INVERTED_MORDENT = 1 << 8
    TURN = 1 << 9
    TREMOLO = 1 << 10  # unmeasured, three strokes
    ARPEGGIO = 1 << 11
    ACCIACCATURA = 1 << 12  # grace note with a slashed stem; duration 0
    APPOGGIATURA = 1 << 13  # grace note without; duration 0
    PIZZICATO = 1 << 14
    MUTED = 1 << 15
    SUL_PONTICELLO = 1 << 16
    COL_LEGNO = 1 << 17
    HARMONIC = 1 << 18
    UP_BOW = 1 << 19
    DOWN_BOW = 1 << 20
    GLISSANDO = 1 << 21  # towards the next note of the voice
    SLURRED = 1 << 22  # joined to the next note of the voice
    GHOST = 1 << 23
    CUE = 1 << 24


GRACE = int(Articulation.ACCIACCATURA | Articulation.APPOGGIATURA)


@dataclass(frozen=True)
class Part:
    """One part of the score: who plays it and how it is written.

    `instrument` is an id of the instrument table, or "" where unknown. `transposition` is the sounding minus the
    written pitch in semitones (clarinet in B flat: -2); `diatonic` the same in staff steps. `lines` counts staff
    lines; `clefs` are the initial clefs, one a staff from the top ("G2", "F4", "C3", "G2-8", "percussion").
    """

    name: str = ""
    abbreviation: str = ""
    instrument: str = ""
    program: int = 0
    bank: int = 0
    channel: int = 0
    port: int = 0
    percussion: bool = False
    transposition: int = 0
    diatonic: int = 0
    staves: int = 1
    clefs: tuple[str, ...] = ()
    lines: int = 5
    players: int = 1
    group: str = ""  # bracket group: "woodwind", "strings" ...


@dataclass(frozen=True)
class Mark:
    """One notation mark. `part` is -1 for the whole score; `end` is -1 for marks at a point.

    Kinds: dynamic ("mf"), hairpin ("<" or ">"), slur, lyric (text; `value` = verse; a trailing "-" joins syllables),
    text, technique ("pizz."), tempo ("Allegro"), rehearsal, chord ("Am7"), clef ("F4"), pedal, octave ("8va"), barline
    ("repeat-start", "repeat-end", "double", "final", "ending-start:1", "ending-stop:1"), jump ("D.C. al Fine"), fermata
    (over a rest or bar line), breath, tremolo (`value` = strokes, where not 3), grace (order and note values of a grace
    group where they are not the usual, see io.musicxml.graces; `value` 1 where it ends the note before), direction
    (another element above or below a staff), sign (what stands at one note and no Articulation says in full:
    "fingering=3", "bend(bend-alter=2)"; `value` = the note's pitch, and a half more on a grace note), voicing
    (inversion or fretboard of the chord symbol at its tick), figured-bass, attribute (at the head of a staff: a key
    signature of its own, a printed meter, a change of transposition or staff lines, a multi-measure rest). From
    direction on they hold MusicXML elements as text (io.musicxml.signs). A text's `value` is 1 where it stands in a
    box. A tremolo's text is "start" or "stop" between two notes. A lyric's `end` is where the line that draws it out
    ends, its own tick where that is unsaid. A slur's `end` is the end of its last note; its `value` has bit 1 where it
    starts on a grace note and bit 2 where it ends on one. Tempo text holds its metronome mark ("Allegro ♩ = 88").
    """

    tick: int
    kind: str
    text: str = ""
    part: int = -1
    end: int = -1
    staff: int = 0
    voice: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class Marker:
    """A named point in time: a MIDI marker or cue point, a hit, a loop point."""

    tick: int
    text: str
    kind: str = "marker"


@dataclass(frozen=True)
class RawEvent:
    """A message kept byte for byte: system exclusive, polyphonic pressure, an unknown meta event."""

    tick: int
    data: bytes
    part: int = -1


@dataclass(frozen=True)
class LogItem:
    """One kind of repair or change: where, what, how many; `lost` if the counted notes are gone from the result."""

    where: str
    what: str
    count: int = 1
    lost: bool = False


@dataclass(frozen=True)
class Metadata:
    """Whose music it is and where it came from."""

    title: str = ""
    composer: str = ""
    rights: str = ""
    source: str = ""
    source_digest: str = ""
    source_format: str = ""
    extra: tuple[tuple[str, str], ...] = ()
