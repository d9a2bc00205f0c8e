"""The learned part of the key model: a conditional random field, by gradient descent (L-BFGS) in numpy.

    python benchmarks/fit_keys.py              writes rescore_music/analysis/key_weights.npz
    python benchmarks/fit_keys.py --crossed    writes nothing: each work read by weights learned from the others

Learned from the Roman-numeral analyses that `bench_harmony.py --tuned` measures (odd-numbered chorales, Monteverdi's
third book), so that `bench_harmony.py` may be run on the others. What is learned is how much each progression, each
degree that the music rests on, each move between keys and each kind of place says (`keys.KeyWeights`); how hard the
weights are held to zero (`HOLD`) was chosen by `--crossed`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bench_harmony import TOLERANCES, Reference, changes, paired, references, samples

from rescore_music.analysis import keys
from rescore_music.analysis.chords import frames_of, read_chords
from rescore_music.analysis.key_clues import KEYS, PLACES, KeyClues, key_clues

Array = np.ndarray[Any, Any]
SHAPES = {"progression": (12, 12, 2, 2, 2), "rest": (12, 2, 2), "move": (12, 2, 2), "place": (PLACES,)}
HOLD = {"progression": 8.0, "rest": 8.0, "move": 4.0, "place": 1.6}  # nats a squared unit of weight, halved
STEPS, FOLDS = 40, 3


@dataclass(frozen=True, eq=False)
class Work:
    """One analysed piece: its clues, the key of each frame, edges of the frames in ticks and their lengths in beats."""

    ref: Reference
    clues: KeyClues
    truth: Array
    edges: Array
    beats: Array
    quarter: int
    length: int


def work_of(ref: Reference) -> Work:
    score = ref.score()
    frames = frames_of(score)
    clues = key_clues(score, frames, read_chords(frames)[0])
    middle = (frames.edges[:-1] + frames.edges[1:]) / 2 / score.ticks_per_quarter
    row = np.clip(np.searchsorted(ref.chords[:, 0], middle, side="right") - 1, 0, len(ref.chords) - 1)
    truth = (ref.chords[row, 2] + 12 * ref.chords[row, 3]).astype(int)
    return Work(ref, clues, truth, frames.edges, frames.share_of_beat, score.ticks_per_quarter, score.length)


def unpacked(flat: Array) -> keys.KeyWeights:
    sizes = [int(np.prod(shape)) for shape in SHAPES.values()]
    pieces = np.split(flat, np.cumsum(sizes)[:-1])
    return keys.KeyWeights(*(p.reshape(s) for p, s in zip(pieces, SHAPES.values(), strict=True)))


def loss(flat: Array, works: list[Work], worth: Array) -> tuple[float, Array]:
    """How unlikely the analysts' keys are (nats, held weights included), and its gradient."""
    w = unpacked(flat)
    slope = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    total = 0.0
    for work, share in zip(works, worth.tolist(), strict=True):
        total += share * _of_work(work, w, slope, share)
    hold = np.concatenate([np.full(int(np.prod(s)), HOLD[name]) for name, s in SHAPES.items()])
    gradient = np.concatenate([slope[name].ravel() for name in SHAPES])
    return total + 0.5 * float((hold * flat * flat).sum()), gradient + hold * flat


def _of_work(work: Work, w: keys.KeyWeights, slope: dict[str, Array], share: float) -> float:
    """Adds a work's share of the gradient; returns how unlikely its keys are."""
    clues, truth = work.clues, work.truth
    gain, move, change = keys.gains(clues, w), keys.moves(w), keys.changes(clues, w)
    chance, pairs, log_total = recursions(gain, move, change)
    at, turned = np.arange(len(truth)), truth[1:] != truth[:-1]
    score = gain[at, truth].sum() + (move[truth[:-1], truth[1:]] + change[1:] * turned).sum()
    wrong = chance.copy()
    wrong[at, truth] -= 1
    for (rows, index), name in ((keys.progressions(clues), "progression"), (keys.rests(clues), "rest")):
        np.add.at(slope[name].reshape(-1), index, share * wrong[rows] * clues.weight[rows, None])
    off = ~np.eye(KEYS, dtype=bool)
    moved = (pairs * off).sum(axis=(1, 2)) - turned
    slope["place"] += share * clues.places[1:].T @ moved
    surplus = pairs.sum(axis=0)
    np.add.at(surplus, (truth[:-1], truth[1:]), -1)
    np.add.at(slope["move"].reshape(-1), keys.kinds_of_move(), share * surplus * off)
    return float(log_total - score)


def recursions(gain: Array, move: Array, change: Array) -> tuple[Array, Array, float]:
    """Probability of each key in each frame, and of each two in a row; the logarithm of the sum of all paths."""
    frames = len(gain)
    top = gain.max(axis=1)
    likely = np.exp(gain - top[:, None])
    off = ~np.eye(KEYS, dtype=bool)
    step = np.exp(move) * off
    leave = np.exp(change)
    forward, backward, size = np.empty((frames, KEYS)), np.empty((frames, KEYS)), np.empty(frames)
    now = likely[0]
    for t in range(frames):
        if t:
            now = (now + leave[t] * (now @ step)) * likely[t]
        size[t] = now.sum()
        now = forward[t] = now / size[t]
    now = backward[-1] = np.ones(KEYS)
    for t in range(frames - 2, -1, -1):
        ahead = now * likely[t + 1] / size[t + 1]
        now = backward[t] = ahead + leave[t + 1] * (step @ ahead)
    ahead = backward[1:] * likely[1:] / size[1:, None]
    pairs = forward[:-1, :, None] * ahead[:, None, :] * (np.eye(KEYS) + leave[1:, None, None] * step)
    return forward * backward, pairs, float(np.log(size).sum() + top.sum())


def fitted(works: list[Work]) -> keys.KeyWeights:
    """Weights learned from some works; a long one counts for less than its length."""
    from scipy.optimize import minimize

    length = np.array([len(w.truth) for w in works], float)
    start = np.zeros(sum(int(np.prod(s)) for s in SHAPES.values()))
    worth = np.sqrt(length.mean() / length)
    found = minimize(loss, start, args=(works, worth), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    return unpacked(found.x)


def told(name: str, works: list[Work], paths: list[Array]) -> None:
    """Share of eighths with the right key; modulations."""
    right = many = 0
    turns = np.zeros((len(TOLERANCES), 3))
    for work, path in zip(works, paths, strict=True):
        places, rows = samples(work.ref.chords)
        inside = places * work.quarter < work.length
        places, rows = places[inside], rows[inside]
        frame = np.searchsorted(work.edges, places * work.quarter, side="right") - 1
        found = path[np.clip(frame, 0, len(path) - 1)]
        right += np.count_nonzero(found == rows[:, 2] + 12 * rows[:, 3])
        many += len(found)
        wanted, made = changes(places, rows[:, 2], rows[:, 3]), changes(places, found % 12, found // 12)
        turns += np.stack([paired(wanted, made, t) for _, t in TOLERANCES])
    named = zip(turns, TOLERANCES, strict=True)
    scores = "   ".join(f"{2 * h / max(a + b, 1):.2f} within {tolerance}" for (h, a, b), (tolerance, _) in named)
    print(f"{name}: {len(works)} works, local key {right / many:.3f}   modulations, F1: {scores}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crossed", action="store_true")
    crossed = parser.parse_args().crossed
    chorales, madrigals = ([work_of(ref) for ref in references(name)] for name in ("odd", "3"))
    works = chorales + madrigals
    if not crossed:
        weights = fitted(works)
        np.savez_compressed(
            Path(keys.__file__).with_name("key_weights.npz"),
            **{name: getattr(weights, name).astype(np.float32) for name in SHAPES},
        )
    paths: list[Array] = [np.zeros(0)] * len(works)
    for fold in range(FOLDS if crossed else 0):
        weights = fitted([work for i, work in enumerate(works) if i % FOLDS != fold])
        for i in range(fold, len(works), FOLDS):
            paths[i] = keys.read_keys(works[i].clues, works[i].beats, weights)[0]
    if not crossed:
        paths = [keys.read_keys(work.clues, work.beats, weights)[0] for work in works]
        print("the works learned from:")
    told("chorales", chorales, paths[: len(chorales)])
    told("madrigals", madrigals, paths[len(chorales) :])


if __name__ == "__main__":
    main()
