"""What analysis finds in a score, as values: lines, roles, form, keys, chords, cadences, motifs, intensity.

Conventions: places are ticks, spans are half-open [start, end), note numbers are indices into `score.notes`, pitch
classes are 0..11 from C. A *line* is what one voice of one part carries through the whole cue; a line's role may
change from phrase to phrase. Confidences go from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


class Role(IntEnum):
    """What a line does in a phrase."""

    REST = -1
    MELODY = 0
    COUNTER_MELODY = 1
    BASS = 2
    HARMONY = 3
    FIGURATION = 4
    PERCUSSION = 5


class Pattern(IntEnum):
    """How a line moves in a phrase, where its role leaves that open (harmony, figuration, bass, percussion)."""

    NONE = 0
    SUSTAINED = 1  # held tones or chords
    REPEATED = 2  # a tone or chord struck again
    ARPEGGIO = 3  # a chord's tones in turn
    OSTINATO = 4  # a short figure over and over
    TREMOLO = 5  # very quick repetition of a tone or alternation of two
    RUNNING = 6  # quick and even, but none of the above: scales, passage work


# semitones of each chord quality's tones above the root
CHORD_TONES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "5": (0, 7),
}


@dataclass(frozen=True, eq=False)
class Line:
    """One musical line: voice `voice` (0 = highest) of part `part`; `notes` by onset. A chordal voice holds chords."""

    part: int
    voice: int
    notes: Indices


@dataclass(frozen=True)
class Phrase:
    """A span between seams. Equal labels mean the same material ("A", "A'", "B")."""

    start: int
    end: int
    label: str = ""


@dataclass(frozen=True)
class KeySpan:
    """A key: tonic pitch class and mode ("major" or "minor")."""

    start: int
    end: int
    tonic: int
    mode: str
    confidence: float = 1.0


CLOSE, OPENING = 0.3, 0.15  # what the last and the first key count for in `home_key`, beside all the time there is


def home_key(keys: tuple[KeySpan, ...]) -> KeySpan | None:
    """The key of the whole: the one that rules longest, the last key and the first counting for more than their time.

    Returns
    -------
    KeySpan or None
        Over all of the music; its confidence is that key's share. None where there are no keys.
    """
    if not keys:
        return None
    share: dict[tuple[int, str], float] = {}
    whole = max(sum(k.end - k.start for k in keys), 1)
    told = [((k.tonic, k.mode), (k.end - k.start) / whole) for k in keys]
    for name, worth in [*told, (told[-1][0], CLOSE), (told[0][0], OPENING)]:
        share[name] = share.get(name, 0.0) + worth
    (tonic, mode), most = max(share.items(), key=lambda item: item[1])
    return KeySpan(keys[0].start, keys[-1].end, tonic, mode, most / (1 + CLOSE + OPENING))


@dataclass(frozen=True)
class Chord:
    """A chord: root and bass pitch classes, quality (a name of `CHORD_TONES`); quality "" means no chord (silence or a
    single pitch class).
    """

    start: int
    end: int
    root: int
    quality: str
    bass: int
    confidence: float = 1.0

    @property
    def inversion(self) -> int:
        """0 = root position, 1 = third (or what stands for it) in the bass, 2 = fifth, 3 = seventh; -1 = no chord, or
        a bass that is no chord tone.
        """
        tones = CHORD_TONES.get(self.quality, ())
        above = (self.bass - self.root) % 12
        return tones.index(above) if above in tones else -1


@dataclass(frozen=True)
class Cadence:
    """A close: `tick` is where its last chord comes, `start` where the chord before it began.

    `kind` is "perfect authentic" (V-I, both in root position, the tonic on top), "imperfect authentic", "half" (rests
    on V), "plagal" (IV-I) or "deceptive" (V to another chord than I, mostly VI).
    """

    tick: int
    kind: str
    tonic: int
    mode: str
    start: int = 0
    confidence: float = 1.0


@dataclass(frozen=True)
class Section:
    """A part of the form, of one phrase or more: "A", "B", "A'" (varied return)."""

    start: int
    end: int
    label: str
    confidence: float = 1.0


@dataclass(frozen=True)
class Hypermeter:
    """A span whose bars come in groups of `bars` (1 = ungrouped, 2, 3, 4, 8), counted from `start`."""

    start: int
    end: int
    bars: int
    confidence: float = 1.0


def _none() -> npt.NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class IntensityTerms:
    """What intensity is made of: float64 arrays of shape (bars,), each 0..1 on a fixed scale, 0 where nothing sounds.

    Attributes
    ----------
    density : how many onsets a second
    texture : share of the parts that play
    register : how high the top and how wide the span
    dynamics : how loud
    tension : how dissonant, chromatic and far from the home key
    """

    density: npt.NDArray[np.float64] = field(default_factory=_none)
    texture: npt.NDArray[np.float64] = field(default_factory=_none)
    register: npt.NDArray[np.float64] = field(default_factory=_none)
    dynamics: npt.NDArray[np.float64] = field(default_factory=_none)
    tension: npt.NDArray[np.float64] = field(default_factory=_none)


@dataclass(frozen=True, eq=False)
class Occurrence:
    """One statement of a motif.

    `relation` is "first", "exact" (same pitches or octave), "transposed" (equal semitones), "diatonic" (equal scale
    steps), "inverted", "augmented", "diminished" or "varied"; `interval` the transposition in semitones.
    """

    notes: Indices
    start: int
    end: int
    relation: str = "exact"
    interval: int = 0


@dataclass(frozen=True, eq=False)
class Motif:
    """A repeated pattern, its first statement first."""

    name: str
    occurrences: tuple[Occurrence, ...]
    weight: float = 1.0


def _no_roles() -> npt.NDArray[np.int8]:
    return np.zeros((0, 0), np.int8)


def _no_lines() -> npt.NDArray[np.int32]:
    return np.zeros((0, 0), np.int32)


def _no_intervals() -> npt.NDArray[np.int16]:
    return np.zeros((0, 0), np.int16)


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything `analyze` found.

    Attributes
    ----------
    voices : int16 array, one a note
        Voice inside its part, 0 = highest; -1 on percussion parts.
    line_of : int32 array, one a note
        Index into `lines`.
    lines : tuple of Line
    phrases : tuple of Phrase
        They tile [0, score.length).
    roles : int8 array, shape (lines, phrases)
        `Role` values; REST where a line has no onset in the phrase.
    confidence : float32 array, shape (lines, phrases)
    doubles : int32 array, shape (lines, phrases)
        The line this one doubles at the unison or octave, else -1.
    keys, chords, motifs : tuples
        Keys and chords tile the music; chords one or more a bar.
    intensity : float64 array, shape (bars,)
        0..1 per bar of `score.bars`: the weighted sum of `intensity_terms`.
    cadences : tuple of Cadence
        By tick.
    sections : tuple of Section
        They tile [0, score.length); each begins and ends with a phrase.
    hypermeter : tuple of Hypermeter
        They tile the bars.
    patterns : int8 array, shape (lines, phrases)
        `Pattern` values.
    parallels : int32 array, shape (lines, phrases)
        The line that this one follows at a steady interval other than the octave (thirds, sixths), else -1.
    intervals : int16 array, shape (lines, phrases)
        Semitones from the line doubled or followed up to this one, the commonest of the phrase: 0 unison, -12 octave
        below, -4 or -3 thirds below. 0 where nothing is doubled or followed.
    intensity_terms : IntensityTerms
    """

    voices: npt.NDArray[np.int16]
    line_of: npt.NDArray[np.int32]
    lines: tuple[Line, ...]
    phrases: tuple[Phrase, ...]
    roles: npt.NDArray[np.int8] = field(default_factory=_no_roles)
    confidence: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    doubles: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    keys: tuple[KeySpan, ...] = ()
    chords: tuple[Chord, ...] = ()
    motifs: tuple[Motif, ...] = ()
    intensity: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    cadences: tuple[Cadence, ...] = ()
    sections: tuple[Section, ...] = ()
    hypermeter: tuple[Hypermeter, ...] = ()
    patterns: npt.NDArray[np.int8] = field(default_factory=_no_roles)
    parallels: npt.NDArray[np.int32] = field(default_factory=_no_lines)
    intervals: npt.NDArray[np.int16] = field(default_factory=_no_intervals)
    intensity_terms: IntensityTerms = field(default_factory=IntensityTerms)

    @property
    def home_key(self) -> KeySpan | None:
        """The key of the whole (see `home_key`); None where nothing pitched sounds."""
        return home_key(self.keys)

    def phrase_of(self, ticks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Index of the phrase that holds each tick."""
        starts = np.array([p.start for p in self.phrases], np.int64)
        return np.maximum(np.searchsorted(starts, np.asarray(ticks), side="right") - 1, 0).astype(np.int64)

    def note_roles(self, onsets: npt.ArrayLike) -> npt.NDArray[np.int8]:
        """`Role` of each note, given `score.notes["onset"]`."""
        return np.asarray(self.roles[self.line_of, self.phrase_of(onsets)], np.int8)

    def leading(self, notes: npt.NDArray[np.void], role: Role) -> npt.NDArray[np.bool_]:
        """Which notes a role is heard by: of each chord of its line the top note, in the bass the lowest.

        Lines that double another are left out: what they double is in.

        Parameters
        ----------
        notes : NOTE array, shape (n,)
            `score.notes` of the analysed score.
        role : Role

        Returns
        -------
        bool array, shape (n,)
        """
        mask = self.note_roles(notes["onset"]) == role
        if self.doubles.size:
            mask &= self.doubles[self.line_of, self.phrase_of(notes["onset"])] < 0
        index = np.flatnonzero(mask)
        line, onset = self.line_of[index], notes["onset"][index]
        height = notes["pitch"][index].astype(np.int64) * (1 if role == Role.BASS else -1)
        order = np.lexsort((height, onset, line))
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(line[order]) != 0) | (np.diff(onset[order]) != 0)
        mask[index[order[~first]]] = False
        return np.asarray(mask, np.bool_)
