"""Keys, global and local, with the place of each modulation: a conditional random field over beats.

One frame a beat (or half of one), 24 states. The clues of `key_clues` speak for each key in each frame; moving to
another key costs more the further it lies on the circle of fifths, less at bar lines and where a phrase begins. Each
frame is given the key that is likeliest in the light of all frames, before and after it.

What a progression says for a key (V to I, IV to V ...), what it says that the music comes to rest on a degree, and what
each move between keys costs beside the circle of fifths is learned: `key_weights.npz`, written by
`benchmarks/fit_keys.py` from the odd-numbered Riemenschneider chorales and Monteverdi's third book.

Conventions: pitch classes 0..11 from C; states 0..11 the major keys, 12..23 the minor ones; ticks. Equivariant: a
transposed score has the transposed keys.

Sources: J. Lafferty, A. McCallum and F. Pereira, "Conditional Random Fields" (2001); C. Raphael and J. Stoddard,
"Functional Harmonic Analysis Using Probabilistic Models", CMJ 28 (2004), for reading keys from chords.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.key_clues import KEYS, MINOR_OF, PLACES, TONIC_OF, KeyClues, degrees
from rescore_music.structure import KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEAR_KEY, KEY_STEP, OFF_BAR = 3.3, 2.0, 0.6  # cost of any change of key, of each fifth it moves, and off the bar line
SHORTEST = 2.0  # beats that a key lasts
WEIGHTS_FILE = Path(__file__).with_name("key_weights.npz")


@dataclass(frozen=True, eq=False)
class KeyWeights:
    """What is learned, in nats.

    Attributes
    ----------
    progression : float64 array, shape (12, 12, 2, 2, 2)
        By the degree of the chord before, the degree of the chord, whether each is minor, and the mode of the key.
    rest : float64 array, shape (12, 2, 2)
        By the degree of the chord, whether it is minor, and the mode of the key.
    move : float64 array, shape (12, 2, 2)
        By the semitones between the tonics, and the modes of the two keys.
    place : float64 array, shape (PLACES,)
        For a change of key, by the clues of the place.
    """

    progression: Floats
    rest: Floats
    move: Floats
    place: Floats


NO_WEIGHTS = KeyWeights(np.zeros((12, 12, 2, 2, 2)), np.zeros((12, 2, 2)), np.zeros((12, 2, 2)), np.zeros(PLACES))


@cache
def key_weights() -> KeyWeights:
    """The shipped weights."""
    with np.load(WEIGHTS_FILE) as file:
        return KeyWeights(*(file[name].astype(np.float64) for name in ("progression", "rest", "move", "place")))


def read_keys(clues: KeyClues, beats: Floats, weights: KeyWeights | None = None) -> tuple[Ints, Floats]:
    """The key of each frame, and the probability of every key there.

    Parameters
    ----------
    clues : KeyClues
    beats : float64 array, shape (frames,)
        Length of each frame.
    weights : KeyWeights, optional
        The shipped ones if not given.

    Returns
    -------
    path : int64 array, shape (frames,)
    chance : float64 array, shape (frames, 24)
    """
    w = key_weights() if weights is None else weights
    chance = marginals(gains(clues, w), moves(w), changes(clues, w))
    return _settled(chance.argmax(axis=1).astype(np.int64), chance, beats), chance


def _settled(path: Ints, chance: Floats, beats: Floats) -> Ints:
    """The path without keys that last under `SHORTEST` beats: the likelier of the two beside one takes its place."""
    path = path.copy()
    total = np.concatenate([[0.0], np.cumsum(beats)])
    edges = np.concatenate([[0], np.flatnonzero(np.diff(path)) + 1, [len(path)]]).tolist()
    for a, b in pairwise(edges):
        beside = [int(path[i]) for i in (a - 1, b) if 0 <= i < len(path)]
        if total[b] - total[a] < SHORTEST and beside:
            path[a:b] = max(beside, key=lambda k: float(chance[a:b, k] @ beats[a:b]))
    return path


def gains(clues: KeyClues, w: KeyWeights) -> Floats:
    """What speaks for each key in each frame: shape (frames, 24)."""
    out = clues.seen.copy()
    for rows, index, table in ((*progressions(clues), w.progression), (*rests(clues), w.rest)):
        out[rows] += clues.weight[rows, None] * table.ravel()[index]
    return out


def progressions(clues: KeyClues) -> tuple[Ints, Ints]:
    """Frames with a progression, and for each key its place in `KeyWeights.progression` laid flat: (n,), (n, 24)."""
    rows = np.flatnonzero(clues.before >= 0)
    (before, dark), (now, dark_now) = degrees(clues.before[rows]), degrees(clues.chords[rows])
    return rows, (((before * 12 + now) * 2 + dark[:, None]) * 2 + dark_now[:, None]) * 2 + MINOR_OF


def rests(clues: KeyClues) -> tuple[Ints, Ints]:
    """Frames on which the music rests, and for each key its place in `KeyWeights.rest` laid flat: (n,), (n, 24)."""
    rows = np.flatnonzero(clues.resting)
    now, dark = degrees(clues.chords[rows])
    return rows, (now * 2 + dark[:, None]) * 2 + MINOR_OF


def kinds_of_move() -> Ints:
    """Place of each move in `KeyWeights.move` laid flat: shape (24, 24), from and to."""
    interval = (TONIC_OF[None, :] - TONIC_OF[:, None]) % 12
    return np.asarray((interval * 2 + MINOR_OF[:, None]) * 2 + MINOR_OF[None, :], np.int64)


def moves(w: KeyWeights) -> Floats:
    """What speaks for moving from key to key: shape (24, 24), 0 for staying."""
    out: Floats = w.move.ravel()[kinds_of_move()] - key_distances()
    np.fill_diagonal(out, 0)
    return out


def changes(clues: KeyClues, w: KeyWeights) -> Floats:
    """What speaks for a change of key, wherever to, at the start of each frame: shape (frames,)."""
    return np.asarray(clues.places @ w.place - OFF_BAR * (clues.places[:, 0] == 0), np.float64)


def key_distances() -> Floats:
    """Cost of moving from key to key by the circle of fifths alone: shape (24, 24)."""
    fifths = np.array([(7 * k) % 12 for k in range(12)] + [(7 * (k + 3)) % 12 for k in range(12)])
    around = np.abs(fifths[:, None] - fifths[None, :])
    cost: Floats = NEAR_KEY + KEY_STEP * np.minimum(around, 12 - around).astype(np.float64)
    np.fill_diagonal(cost, 0)
    return cost


def marginals(gain: Floats, move: Floats, change: Floats) -> Floats:
    """Probability of each key in each frame, by the forward and backward recursions: shape (frames, 24)."""
    frames = len(gain)
    likely = np.exp(gain - gain.max(axis=1, keepdims=True))
    step = np.exp(move)
    np.fill_diagonal(step, 0)
    back_step = np.ascontiguousarray(step.T)
    leave = np.exp(change)
    forward, backward = np.empty((frames, KEYS)), np.ones((frames, KEYS))
    now = likely[0] / likely[0].sum()
    forward[0] = now
    for t in range(1, frames):
        now = (now + leave[t] * (now @ step)) * likely[t]
        now /= now.sum()
        forward[t] = now
    now = backward[-1]
    for t in range(frames - 2, -1, -1):
        ahead = now * likely[t + 1]
        now = ahead + leave[t + 1] * (ahead @ back_step)
        now /= now.sum()
        backward[t] = now
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True), np.float64)


def as_spans(path: Ints, chance: Floats, edges: Ints, end: int) -> tuple[KeySpan, ...]:
    """Key spans over [0, end). Confidence: the mean probability of the key over the frames of its span."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(path) != 0]))
    stops = np.append(starts[1:], len(path))
    places = [0, *edges[starts[1:]].tolist(), max(end, int(edges[starts[-1]]) + 1)]
    spans = []
    for i, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        k = int(path[a])
        mode = "minor" if k >= 12 else "major"
        spans.append(KeySpan(int(places[i]), int(places[i + 1]), k % 12, mode, float(chance[a:b, k].mean())))
    return tuple(spans)
