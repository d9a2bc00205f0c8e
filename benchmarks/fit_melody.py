"""Training of the melody scorer: two stages of small networks, by gradient descent in numpy.

The loss is that of a choice with several right answers: minus the log of the chance that is given to the right lines
of a bar, bars weighted by their length and movements by the root of theirs. Stage two is trained on what stage one says
of works it was not trained on (groups of works held out in turn), so it learns how far to trust it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from melody_data import Example

from rescore_music.analysis.melody_net import Layers, Stage, second_look

Array = np.ndarray[Any, Any]
HIDDEN = (64, 32)
EPOCHS, RATE, DECAY, DROPPED, DROPPED_INPUT = 8, 2e-3, 2e-3, 0.2, 0.1
BATCH = 256  # bars
NETWORKS = (2, 3)  # of stage one and two
GROUPS = 4  # of works, for what stage two is trained on


class _Bars:
    """The rows of all bars that have a right answer among their lines: rows of one bar lie together."""

    def __init__(self, examples: list[Example], inputs: list[Array], stage: Stage) -> None:
        rows, right, lengths, weight = [], [], [], []
        for e, x in zip(examples, inputs, strict=True):
            chosen = (e.right * e.evidence.active).sum(axis=1) > 0
            where = e.evidence.active & chosen[:, None]
            rows.append(stage.normal(x[where]))
            right.append(e.right[where])
            lengths.append(where.sum(axis=1)[chosen])
            quarters = np.diff(e.score.bars)[chosen] / e.score.ticks_per_quarter
            weight.append(quarters / np.sqrt(max(quarters.sum(), 1e-9)))
        self.rows, self.right = np.concatenate(rows), np.concatenate(right).astype(np.float32)
        self.lengths, self.weight = np.concatenate(lengths), np.concatenate(weight)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.weight = (self.weight / self.weight.mean()).astype(np.float32)


def _slope(scores: Array, right: Array, weight: Array, lengths: Array) -> Array:
    """Slope of the loss by the scores."""
    starts = np.cumsum(lengths) - lengths
    bar = np.repeat(np.arange(len(lengths)), lengths)
    chance = np.exp(scores - np.maximum.reduceat(scores, starts)[bar])
    chance /= np.add.reduceat(chance, starts)[bar]
    good = chance * right
    total = np.add.reduceat(good, starts) + 1e-6
    return ((chance - good / total[bar]) * weight[bar] / len(lengths)).astype(np.float32)[:, None]


def _gradients(layers: Layers, x: Array, slope_of: Any, random: np.random.Generator) -> Layers:
    """Forward with drop-out, and back."""
    keep = np.float32(1 - DROPPED)
    hidden, masks = [x * (random.random((1, x.shape[1])) > DROPPED_INPUT).astype(np.float32)], []
    for k in range(0, len(layers) - 2, 2):
        h = np.maximum(hidden[-1] @ layers[k] + layers[k + 1], 0)
        masks.append((random.random(h.shape, dtype=np.float32) > DROPPED) / keep)
        hidden.append(h * masks[-1])
    back = slope_of((hidden[-1] @ layers[-2] + layers[-1])[:, 0])
    out: Layers = [np.zeros(0, np.float32)] * len(layers)
    for k in range(len(layers) - 2, -1, -2):
        out[k], out[k + 1] = hidden[k // 2].T @ back, back.sum(axis=0)
        if k:
            back = (back @ layers[k].T) * (hidden[k // 2] > 0) * masks[k // 2 - 1]
    return out


def _network(bars: _Bars, seed: int) -> Layers:
    """One network, by Adam with decoupled weight decay and a cosine schedule."""
    random = np.random.default_rng(seed)
    sizes = (bars.rows.shape[1], *HIDDEN, 1)
    layers: Layers = []
    for i, o in pairwise(sizes):
        scale = np.sqrt(1.5 / i) * (1 if o > 1 else 0.3)
        layers += [(random.standard_normal((i, o)) * scale).astype(np.float32), np.zeros(o, np.float32)]
    first, second = [np.zeros_like(w) for w in layers], [np.zeros_like(w) for w in layers]
    many, step = len(bars.lengths), 0
    steps = EPOCHS * (many // BATCH + 1)
    for _ in range(EPOCHS):
        order = random.permutation(many)
        for i in range(0, many, BATCH):
            chosen = order[i : i + BATCH]
            lengths = bars.lengths[chosen]
            begin = np.cumsum(lengths) - lengths
            rows = np.repeat(bars.starts[chosen] - begin, lengths) + np.arange(lengths.sum())
            right, weight = bars.right[rows], bars.weight[chosen]
            found = _gradients(
                layers, bars.rows[rows], lambda z, y=right, w=weight, n=lengths: _slope(z, y, w, n), random
            )
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, g in enumerate(found):
                first[k] = 0.9 * first[k] + 0.1 * g
                second[k] = 0.99 * second[k] + 0.01 * g * g
                move = first[k] / (1 - 0.9**step) / (np.sqrt(second[k] / (1 - 0.99**step)) + 1e-8)
                layers[k] = (layers[k] - rate * (move + DECAY * (layers[k].ndim > 1) * layers[k])).astype(np.float32)
    return layers


def fit_stage(examples: list[Example], inputs: list[Array], networks: int) -> Stage:
    x = np.concatenate([i[e.evidence.active] for e, i in zip(examples, inputs, strict=True)])
    plain = Stage(x.mean(axis=0).astype(np.float32), (x.std(axis=0) + 1e-3).astype(np.float32), ())
    bars = _Bars(examples, inputs, plain)
    return Stage(plain.mean, plain.spread, tuple(_network(bars, seed) for seed in range(networks)))


def fit_stages(examples: list[Example]) -> tuple[Stage, Stage]:
    """Both stages, from movements with right answers."""
    clues = [e.evidence.clues for e in examples]
    works = sorted({e.work for e in examples})
    works = [works[i] for i in np.random.default_rng(0).permutation(len(works))]
    looked: list[Array] = [np.zeros(0)] * len(examples)
    for group in range(GROUPS):
        out = set(works[group::GROUPS])
        seen = [i for i, e in enumerate(examples) if e.work not in out]
        stage = fit_stage([examples[i] for i in seen], [clues[i] for i in seen], 1)
        for i, e in enumerate(examples):
            if e.work in out:
                scores = stage.scores(clues[i], e.evidence.active)
                looked[i] = second_look(clues[i], scores, e.evidence.active, e.evidence.patterns)
    return fit_stage(examples, clues, NETWORKS[0]), fit_stage(examples, looked, NETWORKS[1])
