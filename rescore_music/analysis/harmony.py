"""Keys and chords: hidden Markov models over duration-weighted pitch classes.

Keys: one frame a bar, 24 states. A bar's pitch classes are seen as drawn from the key's pitch-class distribution
(Albrecht and Shanahan's profiles); moving to another key costs more the further it lies on the circle of fifths. A key
signature of the file is a mild prior, milder where it says no sharps or flats, which MIDI files write unasked.

Chords: one frame a beat, 132 chords and silence. A frame prefers the chord that explains its pitch classes with few
foreign and few missing tones, above its root, of tones that belong to the key; a change costs less on strong beats.

Conventions: pitch classes 0..11 from C; ticks. Both are equivariant: a transposed score has the transposed keys and
chords.

Sources: J. Albrecht and D. Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm", Music
Perception 31 (2013), the two profiles; C. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), for the method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import beats, coverage, spread
from rescore_music.score import Score
from rescore_music.structure import Chord, KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])
BAR_WEIGHT = 12.0  # draws a full bar counts for
CHORD_ENTROPY, SCALE_ENTROPY = 1.0, 1.8  # of a bar of a triad, of most of a scale (nats)
NEAR_KEY, KEY_STEP = 2.5, 1.5  # cost of any change of key, and of each fifth it moves
SIGNATURE, NO_SIGNATURE, SAID_MINOR = 0.4, 0.2, 1.0  # a bar's gain for the keys of the signature

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "min7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "dim": (0, 3, 6),
    "hdim7": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "5": (0, 7),
}
# how much rarer than a triad each quality is, and what a tone of the chord that does not sound costs
RARE = {"maj": 0.0, "min": 0.0, "7": 0.1, "min7": 0.16, "maj7": 0.18, "dim": 0.12, "hdim7": 0.18, "dim7": 0.16}
RARE |= {"aug": 0.25, "sus4": 0.2, "5": 0.22}
MISSING, FOREIGN, ROOT_BASS, CHORD_BASS, OUT_OF_KEY = 0.12, 0.9, 0.22, 0.08, 0.12
CHANGE_STRONG, CHANGE_WEAK = 0.25, 0.5


def key_spans(score: Score) -> tuple[KeySpan, ...]:
    """Local keys, one after the other over [0, score.length).

    Returns
    -------
    tuple of KeySpan
        Empty where the score has no pitched note. `confidence` is the share of probability that the span's key holds
        against the other 23 over the span.
    """
    bars = score.bars
    classes = pitch_classes(score, bars)
    if not classes.sum():
        return ()
    share = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1)
    fullness = np.minimum(classes.sum(axis=1) / np.maximum(np.diff(bars), 1), 1.0)
    profiles = np.log(np.stack([np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]))  # 0..11 major, 12..23 minor
    seen = BAR_WEIGHT * (fullness * _telling(share))[:, None] * (share @ profiles.T)
    path = _viterbi(seen + _signature_gain(score, bars[:-1]), -_key_distances())
    starts = np.flatnonzero(np.concatenate([[True], np.diff(path) != 0]))
    edges = np.append(bars[starts], max(score.length, int(bars[-1])))
    edges[0], edges[-1] = 0, max(score.length, int(edges[-2]) + 1)
    total = np.add.reduceat(seen, starts, axis=0)
    spans = []
    for i, first in enumerate(starts):
        k = int(path[first])
        odds = np.exp(np.clip(total[i] - total[i, k], -50, 50))
        spans.append(
            KeySpan(int(edges[i]), int(edges[i + 1]), k % 12, "minor" if k >= 12 else "major", float(1 / odds.sum()))
        )
    return tuple(spans)


def _telling(share: Floats) -> Floats:
    """How much a bar says about the key: a bar of one chord fits several keys, a bar of a scale few."""
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(axis=1)
    return np.asarray(np.clip((entropy - CHORD_ENTROPY) / (SCALE_ENTROPY - CHORD_ENTROPY), 0.1, 1.0), np.float64)


def pitch_classes(score: Score, edges: Ints) -> Floats:
    """Sounding ticks of each pitch class in each span: shape (spans, 12)."""
    pitched = score.pitched
    notes = score.notes[pitched]
    return coverage(
        notes["onset"], score.ends[pitched], notes["pitch"].astype(np.int64) % 12, 12, edges, _loudness(notes)
    )


def _loudness(notes: npt.NDArray[np.void]) -> Floats:
    return np.asarray(0.5 + notes["velocity"] / 254.0, np.float64)


def _key_distances() -> Floats:
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


def _viterbi(seen: Floats, move: Floats) -> Ints:
    """The best path through frames with gains `seen` (frames, states) and moves `move` (from, to)."""
    frames, states = seen.shape
    back = np.zeros((frames, states), np.int64)
    best = seen[0].copy()
    for t in range(1, frames):
        reach = best[:, None] + move
        back[t] = reach.argmax(axis=0)
        best = reach.max(axis=0) + seen[t]
    path = np.zeros(frames, np.int64)
    path[-1] = int(best.argmax())
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def chord_spans(score: Score, keys: tuple[KeySpan, ...]) -> tuple[Chord, ...]:
    """Chords on the beat grid, broken at bar lines, over all bars of the score.

    Parameters
    ----------
    score : Score
    keys : tuple of KeySpan

    Returns
    -------
    tuple of Chord
        Quality "" where nothing or a single pitch class sounds.
    """
    edges = beats(score)
    classes = pitch_classes(score, edges)
    if not classes.sum():
        return ()
    lowest = lowest_pitches(score, edges)
    share = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-9)
    templates, rare = _templates()
    bass = np.where(lowest >= 0, lowest % 12, 0)
    gain = _chord_gain(share, templates, rare, bass)
    gain -= OUT_OF_KEY * ((1 - _scales(keys, edges[:-1])) @ templates.T)
    silent = (classes.sum(axis=1) <= 0) | (np.count_nonzero(share > 0.02, axis=1) < 2)
    gain[silent] = 0
    bars = score.bars
    strong = np.isin(edges[:-1], bars)
    path = _best_chords(gain, np.where(strong, CHANGE_STRONG, CHANGE_WEAK))
    return _as_spans(score, edges, strong, path, silent, classes, lowest, gain)


def _templates() -> tuple[Floats, Floats]:
    rows, rare = [], []
    for root in range(12):
        for name, steps in QUALITIES.items():
            row = np.zeros(12)
            row[[(root + s) % 12 for s in steps]] = 1
            rows.append(row)
            rare.append(RARE[name])
    return np.array(rows), np.array(rare)


def _chord_gain(share: Floats, templates: Floats, rare: Floats, bass: Ints) -> Floats:
    """How well each chord explains each frame: shape (frames, chords)."""
    inside = share @ templates.T
    present = np.minimum(share / 0.08, 1.0)
    missing = templates.sum(axis=1) - present @ templates.T
    gain = inside - FOREIGN * (1 - inside) - MISSING * missing - rare
    root = np.repeat(np.arange(12), len(QUALITIES))
    gain += ROOT_BASS * (bass[:, None] == root) + CHORD_BASS * templates[:, bass].T
    return np.asarray(gain, np.float64)


def _scales(keys: tuple[KeySpan, ...], ticks: Ints) -> Floats:
    """Pitch classes of the key in force at each tick: shape (ticks, 12); a minor key has both sixths and sevenths."""
    major = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1.0])
    minor = np.array([1, 0, 1, 1, 0, 1, 0, 1, 1, 0.5, 0.7, 1.0])
    scales = np.array([np.roll(minor if k.mode == "minor" else major, k.tonic) for k in keys])
    starts = np.array([k.start for k in keys])
    return np.asarray(scales[np.maximum(np.searchsorted(starts, ticks, side="right") - 1, 0)], np.float64)


def _best_chords(gain: Floats, change: Floats) -> Ints:
    """Viterbi where every change costs the same: the best predecessor is oneself or the best of all."""
    frames, states = gain.shape
    back = np.zeros((frames, states), np.int64)
    own = np.arange(states)
    best = gain[0].copy()
    for t in range(1, frames):
        top = int(best.argmax())
        moved = best[top] - change[t]
        back[t] = np.where(best >= moved, own, top)
        best = np.maximum(best, moved) + gain[t]
        best -= best.max()
    path = np.zeros(frames, np.int64)
    path[-1] = int(best.argmax())
    for t in range(frames - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def lowest_pitches(score: Score, edges: Ints) -> Ints:
    """The lowest pitch that sounds in each span, -1 in silence."""
    pitched = score.pitched
    note, span = spread(score.notes["onset"][pitched], score.ends[pitched], edges)
    lowest = np.full(len(edges) - 1, 128, np.int64)
    np.minimum.at(lowest, span, score.notes["pitch"][pitched].astype(np.int64)[note])
    return np.where(lowest == 128, -1, lowest)


def _as_spans(
    score: Score,
    edges: Ints,
    strong: npt.NDArray[np.bool_],
    path: Ints,
    silent: npt.NDArray[np.bool_],
    classes: Floats,
    lowest: Ints,
    gain: Floats,
) -> tuple[Chord, ...]:
    state = np.where(silent, -1, path)
    starts = np.flatnonzero(strong | np.concatenate([[True], np.diff(state) != 0]))
    stops = np.append(starts[1:], len(state))
    total = np.add.reduceat(classes, starts, axis=0)
    names = list(QUALITIES)
    end = max(score.length, int(edges[-1]))
    chords = []
    for i, (a, b) in enumerate(zip(starts, stops, strict=True)):
        start, stop = int(edges[a]), int(edges[b]) if b < len(state) else end
        low = lowest[a:b][lowest[a:b] >= 0]
        if state[a] < 0:
            single = int(total[i].argmax()) if total[i].sum() else 0
            chords.append(Chord(start, stop, single, "", single, 0.0))
            continue
        root, quality = divmod(int(state[a]), len(names))
        bass = int(low[0]) % 12 if len(low) else root
        sure = float(np.clip(gain[a:b, state[a]].mean(), 0, 1))
        chords.append(Chord(start, stop, root, names[quality], bass, sure))
    return tuple(chords)
