"""Keys, global and local, with the place of each modulation: a hidden Markov model over beats.

One frame a beat, 24 states. What speaks for a key is its pitch classes (those of the beat are seen as drawn from
Albrecht and Shanahan's distribution of the key) and its chords (its tonic and its dominant most, chords outside it
against it). Moving to another key costs more the further it lies on the circle of fifths, and more off the bar line. A
key signature of the file is a mild prior, milder where it says no sharps or flats, which MIDI files write unasked.

Conventions: pitch classes 0..11 from C; states 0..11 the major keys, 12..23 the minor ones; ticks. Equivariant: a
transposed score has the transposed keys. Parameters were chosen on the odd-numbered Riemenschneider chorales and
Monteverdi's third book (`benchmarks/bench_harmony.py --tuned`).

Sources: J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm", Music
Perception 31 (2013), the two profiles; C. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), for the method;
C. Raphael and J. Stoddard, "Functional Harmonic Analysis Using Probabilistic Models", CMJ 28 (2004), for reading key
and chords together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import CHORD_TONES, KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])
BEAT_WEIGHT, ALONE = 1.2, 0.8  # draws that a beat counts for, of two notes or more and of one line
TONIC, DOMINANT, SEVENTH, DIATONIC, FOREIGN = 1.0, 1.0, 0.33, 0.14, -0.6  # what a beat of each chord says for a key
LINE = 1.0  # sounding notes at which chords begin to speak: one line alone makes none
NEAR_KEY, KEY_STEP, OFF_BAR = 3.3, 2.0, 0.6  # cost of any change of key, of each fifth it moves, and off the bar line
SIGNATURE, NO_SIGNATURE, SAID_MINOR = 0.1, 0.05, 0.25  # a beat's gain for the keys of the signature


def read_keys(
    score: Score,
    edges: Ints,
    classes: Floats,
    thickness: Floats,
    chords: Ints,
    strong: npt.NDArray[np.bool_],
) -> tuple[Ints, Floats]:
    """The key of each frame.

    Parameters
    ----------
    score : Score
        For its key signatures.
    edges : int64 array, shape (frames + 1,)
    classes : float64 array, shape (frames, 12)
        Sounding ticks of each pitch class.
    thickness : float64 array, shape (frames,)
        How many different pitch classes sound at a time.
    chords : int64 array, shape (frames,)
        12 * quality + root, qualities as `CHORD_TONES` lists them; -1 for none.
    strong : bool array, shape (frames,)
        Frames at a bar line.

    Returns
    -------
    path : int64 array, shape (frames,)
    seen : float64 array, shape (frames, 24)
        What speaks for each key in each frame (nats).
    """
    total = classes.sum(axis=1, keepdims=True)
    share = classes / np.maximum(total, 1e-9)
    length = np.diff(edges)
    beats = length / np.maximum([score.beat_ticks(int(t)) for t in edges[:-1]], 1)
    full = np.minimum(total[:, 0] / np.maximum(length, 1), 1.0) * beats
    profiles = np.log(np.stack([np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]))
    profiles -= profiles.mean()
    thick = np.clip(thickness - LINE, 0.0, 1.0)
    seen = (full * (ALONE + (BEAT_WEIGHT - ALONE) * thick))[:, None] * (share @ profiles.T)
    seen += np.where(chords >= 0, beats * thick, 0.0)[:, None] * function_table()[np.maximum(chords, 0)]
    path = best_path(
        seen + _signature_gain(score, edges[:-1]) * beats[:, None], key_distances(), np.where(strong, 0, OFF_BAR)
    )
    return path, seen


def function_table() -> Floats:
    """What each chord says for each key: shape (chords, 24), chords as 12 * quality + root."""
    names = list(CHORD_TONES)
    table = np.zeros((12 * len(names), 24))
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


def key_distances() -> Floats:
    """Cost of moving from key to key: shape (24, 24)."""
    fifths = np.array([(7 * k) % 12 for k in range(12)] + [(7 * (k + 3)) % 12 for k in range(12)])
    around = np.abs(fifths[:, None] - fifths[None, :])
    cost: Floats = NEAR_KEY + KEY_STEP * np.minimum(around, 12 - around).astype(np.float64)
    np.fill_diagonal(cost, 0)
    return cost


def _signature_gain(score: Score, starts: Ints) -> Floats:
    gain = np.zeros((len(starts), 24))
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


def best_path(seen: Floats, cost: Floats, extra: Floats) -> Ints:
    """The best path through frames with gains `seen` (frames, states); moves cost `cost` (from, to) and `extra`."""
    frames, states = seen.shape
    back = np.zeros((frames, states), np.int64)
    best = seen[0].copy()
    stay = np.arange(states)
    for t in range(1, frames):
        reach = best[:, None] - cost
        came = reach.argmax(axis=0)
        moved = reach[came, stay] - extra[t] * (came != stay)
        here = best >= moved
        back[t] = np.where(here, stay, came)
        best = np.where(here, best, moved) + seen[t]
    path = np.zeros(frames, np.int64)
    path[-1] = int(best.argmax())
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def as_spans(path: Ints, seen: Floats, edges: Ints, end: int) -> tuple[KeySpan, ...]:
    """Key spans over [0, end). Confidence: the key's share of probability against the other 23 over its span."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(path) != 0]))
    total = np.add.reduceat(seen, starts, axis=0)
    places = [0, *edges[starts[1:]].tolist(), max(end, int(edges[starts[-1]]) + 1)]
    spans = []
    for i, first in enumerate(starts):
        k = int(path[first])
        odds = np.exp(np.clip(total[i] - total[i, k], -50, 50))
        mode = "minor" if k >= 12 else "major"
        spans.append(KeySpan(int(places[i]), int(places[i + 1]), k % 12, mode, float(1 / odds.sum())))
    return tuple(spans)
