"""What analysis finds in a score, as values: lines, roles, phrases, keys, chords, motifs, intensity.

Conventions: places are ticks, spans are half-open [start, end), note numbers are indices into `score.notes`, pitch
classes are 0..11 from C. A *line* is what one voice of one part carries through the whole cue; a line's role may
change from phrase to phrase.
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


@dataclass(frozen=True)
class Chord:
    """A chord: root and bass pitch classes, quality ("maj", "min", "dim", "aug", "7", "maj7", "min7", "hdim7", "dim7",
    "sus4", "5"); quality "" means no chord (silence or a single pitch class).
    """

    start: int
    end: int
    root: int
    quality: str
    bass: int
    confidence: float = 1.0


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
        0..1 per bar of `score.bars`: density, register, loudness.
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
