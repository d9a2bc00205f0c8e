"""What speaks for each key in each frame, and what speaks for a change of key there.

Told of every frame: its pitch classes (seen as drawn from Albrecht and Shanahan's distribution of the key), its chord
(tonic and dominant most, chords outside the key against it), the progression that brings the chord in, whether the
music comes to rest on it, and where a phrase begins. Music whose chords change slowly says no more in a bar than music
whose chords change quickly says in a beat, so everything is weighed by the pace of the harmony. A key signature of the
file is a mild prior, milder where it says no sharps or flats, which MIDI files write unasked.

Conventions: pitch classes 0..11 from C; keys 0..11 the major ones, 12..23 the minor ones; ticks; gains in nats. All of
it is equivariant: a transposed score has the transposed clues.

Sources: J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm", Music
Perception 31 (2013), the two profiles; C. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), for the method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.chords import Frames
from rescore_music.analysis.frames import span_of
from rescore_music.score import Articulation, Score
from rescore_music.structure import CHORD_TONES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

KEYS = 24
TONIC_OF, MINOR_OF = np.arange(KEYS) % 12, (np.arange(KEYS) >= 12).astype(np.int64)
MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])
BEAT_WEIGHT, ALONE = 1.2, 0.8  # draws that a beat counts for, of two notes or more and of one line
TONIC, DOMINANT, SEVENTH, DIATONIC, FOREIGN = 1.0, 1.0, 0.33, 0.14, -0.6  # what a beat of each chord says for a key
LINE = 1.0  # sounding notes at which chords begin to speak: one line alone makes none
SIGNATURE, NO_SIGNATURE, SAID_MINOR = 0.1, 0.05, 0.25  # a beat's gain for the keys of the signature
SLOWEST, SLOW = 16.0, 2.0  # beats a chord lasts on average, at most; from which on a change of key is no less usual
REST = 2.0  # beats without a new note after which the music has come to rest
PLACES = 6  # clues of a change of key: bar line, beat, inside a beat, phrase, pace, after a fermata
DARK = np.array([name in ("min", "min7", "dim", "hdim7", "dim7", "minmaj7") for name in CHORD_TONES], np.int64)


@dataclass(frozen=True, eq=False)
class KeyClues:
    """Clues of all frames.

    Attributes
    ----------
    seen : float64 array, shape (frames, 24)
        What pitch classes, chords and signature say for each key.
    chords : int64 array, shape (frames,)
        12 * quality + root; -1 for none.
    before : int64 array, shape (frames,)
        Where a chord begins, the chord before it; -1 elsewhere.
    resting : bool array, shape (frames,)
        The music comes to rest on the frame's chord.
    weight : float64 array, shape (frames,)
        What a progression or a rest counts there: nothing in a single line.
    places : float64 array, shape (frames, PLACES)
        What speaks for a change of key.
    """

    seen: Floats
    chords: Ints
    before: Ints
    resting: Flags
    weight: Floats
    places: Floats


def key_clues(score: Score, frames: Frames, chords: Ints) -> KeyClues:
    """The clues of a score.

    Parameters
    ----------
    score : Score
    frames : Frames
    chords : int64 array, shape (frames,)
        12 * quality + root, qualities as `CHORD_TONES` lists them; -1 for none.
    """
    starts, length = frames.edges[:-1], np.diff(frames.edges)
    beat = length / np.maximum(frames.share_of_beat, 1e-9)  # ticks; frames lie within beats
    beats = frames.share_of_beat
    pace = chord_length(chords, beats)
    total = frames.classes.sum(axis=1, keepdims=True)
    share = frames.classes / np.maximum(total, 1e-9)
    full = np.minimum(total[:, 0] / np.maximum(length, 1), 1.0) * beats
    profiles = np.log(np.stack([np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]))
    profiles -= profiles.mean()
    thick = np.clip(frames.thickness - LINE, 0.0, 1.0)
    seen = (full * (ALONE + (BEAT_WEIGHT - ALONE) * thick))[:, None] * (share @ profiles.T)
    seen += np.where(chords >= 0, beats * thick, 0.0)[:, None] * function_table()[np.maximum(chords, 0)]
    struck, resting, fermata = _rests(score, frames, beat)
    seam, after = _after(struck, resting), _after(struck, fermata)
    seam[np.flatnonzero(struck)[:1]] = True
    on_beat = frames.on_beat & ~frames.on_bar
    flags = np.stack([frames.on_bar, on_beat, ~frames.on_beat, seam, np.zeros(len(seam), np.bool_), after], axis=1)
    places = flags.astype(np.float64)
    places[:, 4] = np.log(min(pace, SLOW))
    return KeyClues(
        seen=seen / pace + _signature_gain(score, starts) * beats[:, None],
        chords=chords,
        before=_chords_before(chords),
        resting=resting & (chords >= 0),
        weight=thick,
        places=places,
    )


def chord_length(chords: Ints, beats: Floats) -> float:
    """Beats that a chord lasts on average, 1 where there is none."""
    there = chords >= 0
    new = np.concatenate([[True], np.diff(chords) != 0]) & there
    return float(np.clip(beats[there].sum() / new.sum(), 0.5, SLOWEST)) if new.any() else 1.0


def function_table() -> Floats:
    """What each chord says for each key: shape (chords, 24), chords as 12 * quality + root."""
    names = list(CHORD_TONES)
    table = np.zeros((12 * len(names), KEYS))
    for q, name in enumerate(names):
        tones = CHORD_TONES[name]
        for minor in (0, 1):
            scale = {0, 2, 3, 5, 7, 8, 10, 11} if minor else {0, 2, 4, 5, 7, 9, 11}
            for above in range(12):
                inside = all((above + t) % 12 in scale for t in tones)
                value = DIATONIC if inside else FOREIGN
                home = (above == 0) and name == ("min" if minor else "maj")
                if home:
                    value = TONIC
                elif above == 7 and name in ("maj", "7"):
                    value = DOMINANT + SEVENTH * (name == "7")
                elif above == 11 and (name in ("dim", "dim7") or (name == "hdim7" and not minor)):
                    value = DOMINANT
                for tonic in range(12):
                    table[12 * q + (tonic + above) % 12, 12 * minor + tonic] = value
    return table


def degrees(chords: Ints) -> tuple[Ints, Ints]:
    """Of each chord, its root in semitones above the tonic of each key, (n, 24), and 1 where it is minor, (n,)."""
    return (chords[:, None] % 12 - TONIC_OF) % 12, DARK[np.maximum(chords, 0) // 12]


def _chords_before(chords: Ints) -> Ints:
    """Where another chord begins, the last chord that was different; -1 elsewhere and at the first."""
    there = np.flatnonzero(chords >= 0)
    out = np.full(len(chords), -1, np.int64)
    if len(there):
        told = chords[there]
        first = np.concatenate([[True], np.diff(told) != 0])
        run = np.cumsum(first) - 1
        earlier = np.concatenate([[-1], told[first][:-1]])
        new = np.concatenate([[True], np.diff(chords) != 0])[there]
        out[there] = np.where(new, earlier[run], -1)
    return out


def _rests(score: Score, frames: Frames, beat: Floats) -> tuple[Flags, Flags, Flags]:
    """Per frame: a note begins in it; the music then rests (nothing for `REST` beats, or a fermata); a fermata."""
    notes = score.notes[score.pitched]
    onset = np.unique(notes["onset"])
    count = len(frames.edges) - 1
    struck, fermata = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    last = np.full(count, -1, np.int64)
    frame = span_of(onset, frames.edges)
    struck[frame] = True
    last[frame] = onset  # rising, so the last one stays
    marked = (notes["articulation"] & int(Articulation.FERMATA)) != 0
    fermata[span_of(notes["onset"][marked], frames.edges)] = True
    following = np.searchsorted(onset, last, side="right")
    next_onset = np.append(onset, np.iinfo(np.int64).max // 2)[following]
    return struck, struck & ((next_onset - last >= REST * beat) | fermata), fermata


def _after(struck: Flags, ended: Flags) -> Flags:
    """The frames with notes that come next after the frames given (which have notes)."""
    out = np.zeros(len(struck), np.bool_)
    rows = np.flatnonzero(struck)
    out[rows[1:]] = ended[rows[:-1]]
    return out


def _signature_gain(score: Score, starts: Ints) -> Floats:
    gain = np.zeros((len(starts), KEYS))
    if len(score.keys):
        row = np.searchsorted(score.keys["tick"], starts, side="right") - 1
        fifths = score.keys["fifths"].astype(np.int64)[np.maximum(row, 0)]
        mode = score.keys["mode"][np.maximum(row, 0)]
        # files that never leave "no sharps or flats" mostly never said anything; "minor" nobody writes unasked
        strength = np.where(np.any(score.keys["fifths"] != 0), SIGNATURE, NO_SIGNATURE) * (row >= 0)
        strength = np.where((mode == 1) & (row >= 0), SAID_MINOR, strength)
        at = np.arange(len(starts))
        major = (7 * fifths) % 12
        gain[at, major] += strength * (mode != 1)
        gain[at, 12 + (major + 9) % 12] += strength * (mode != 0)
    return gain
