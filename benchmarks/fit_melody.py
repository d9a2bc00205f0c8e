"""Training of the melody scorer: two stages of small networks, by gradient descent in numpy.

The loss is that of a choice with several right answers: minus the log of the chance that is given to the right lines
of a bar, bars weighted by their length and movements by the root of theirs. Stage two is trained on what stage one says
of works it was not trained on (groups of works held out in turn), so it learns how far to trust it. Its networks read
whole movements, a movement a step, and are held to a right guess of who leads (`Network.guess`) as well.
Variants of a movement (`melody_variants`) bear its name, so they are held out with it. Half of stage two's networks
read the movements alone: they err elsewhere than those that read variants too, and the mean of both errs less.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from melody_data import Example
from tape import (
    Value,
    backward,
    bar_max,
    bar_mean,
    beside,
    chances,
    moved,
    plus,
    positive,
    scaled,
    taken,
    times,
    to_rows,
    weighted_sum,
)

from rescore_music.analysis.melody_context import NEAR, Network, Places, places_of
from rescore_music.analysis.melody_net import ContextStage, Layers, Scale, Stage, Stages, second_look

Array = np.ndarray[Any, Any]
HIDDEN = (64, 32)
EPOCHS, RATE, DECAY, DROPPED, DROPPED_INPUT = 4, 2e-3, 2e-3, 0.2, 0.1
BATCH = 256  # bars
NETWORKS = (2, 6)  # of stage one and two
GROUPS = 4  # of works, for what stage two is trained on
FEATURES, CONTEXT, AGAIN = 48, 40, 24  # sizes of stage two
ROUNDS, FIRST_STEP, SHRINK, LEFT_OUT, GUESS = 5, 4e-3, 4e-3, 0.25, 0.5  # epochs, rate, decay, drop-out, weight


class _Bars:
    """The rows of all bars that have a right answer among their lines: rows of one bar lie together."""

    def __init__(self, examples: list[Example], inputs: list[Array], scale: Scale) -> None:
        rows, right, lengths, weight = [], [], [], []
        for e, x in zip(examples, inputs, strict=True):
            chosen = has_answer(e)
            where = e.evidence.active & chosen[:, None]
            rows.append(scale.normal(x[where]))
            right.append(e.right[where])
            lengths.append(where.sum(axis=1)[chosen])
            quarters = np.diff(e.score.bars)[chosen] / e.score.ticks_per_quarter
            weight.append(quarters / np.sqrt(max(quarters.sum(), 1e-9)))
        self.rows, self.right = np.concatenate(rows), np.concatenate(right).astype(np.float32)
        self.lengths, self.weight = np.concatenate(lengths), np.concatenate(weight)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.weight = (self.weight / self.weight.mean()).astype(np.float32)


def has_answer(e: Example) -> Array:
    """Bars in which a line that plays is right."""
    return np.asarray((e.right * e.evidence.active).sum(axis=1) > 0)


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


def _scale(examples: list[Example], inputs: list[Array]) -> Scale:
    x = np.concatenate([i[e.evidence.active] for e, i in zip(examples, inputs, strict=True)])
    return Scale(x.mean(axis=0).astype(np.float32), (x.std(axis=0) + 1e-3).astype(np.float32))


def fit_stage(examples: list[Example], inputs: list[Array], networks: int) -> Stage:
    scale = _scale(examples, inputs)
    bars = _Bars(examples, inputs, scale)
    return Stage(scale, tuple(_network(bars, seed) for seed in range(networks)))


class _Movement:
    """The rows of a movement for stage two: all bars with a line, those without a right answer at no weight."""

    def __init__(self, e: Example, inputs: Array, scale: Scale) -> None:
        active = e.evidence.active
        self.x, self.places = scale.normal(inputs[active]), places_of(active)
        self.right = e.right[active].astype(np.float32)
        quarters = np.diff(e.score.bars) / e.score.ticks_per_quarter
        weight = quarters * has_answer(e) / np.sqrt(quarters.sum())
        self.weight = weight[active.any(axis=1)].astype(np.float32)


def _start(inputs: int, random: np.random.Generator) -> dict[str, Value]:
    f, c, g = FEATURES, CONTEXT, AGAIN
    shapes = {
        "clues": (inputs, f, 1.5), "clues_bias": (f,), "own": (f, c, 1.5), "own_bias": (c,), "bar": (2 * f, c, 0.5),
        "before_2": (f, c, 0.5), "before_1": (f, c, 0.5), "after_1": (f, c, 0.5), "after_2": (f, c, 0.5),
        "guess": (c, 1, 0.1), "again": (c + 1 + len(NEAR), g, 1.5), "again_bias": (g,), "lead": (4 * c, g, 0.5),
        "score": (g, 1, 0.1),
    }  # fmt: skip
    out = {}
    for name in Network._fields:
        *shape, last = shapes[name]
        if shape:
            out[name] = Value((random.standard_normal(shape) * np.sqrt(last / shape[0])).astype(np.float32))
        else:
            out[name] = Value(np.zeros(last, np.float32))
    return out


def _read(w: dict[str, Value], x: Array, places: Places, random: np.random.Generator | None) -> tuple[Value, Value]:
    """The guess and the score, as `context_scores` has them, with drop-out if `random` is given."""

    def dropped(value: Value, share: float) -> Value:
        if random is None:
            return value
        kept = random.random(value.array.shape, dtype=np.float32) > share
        return scaled(value, kept.astype(np.float32) / np.float32(1 - share))

    def rows(value: Value) -> Value:
        return to_rows(value, places)

    if random is not None:
        x = x * (random.random((1, x.shape[1])) > DROPPED_INPUT).astype(np.float32)
    h = dropped(positive(plus(times(Value(x), w["clues"]), w["clues_bias"])), LEFT_OUT)
    around = times(beside(bar_mean(h, places), bar_max(h, places)), w["bar"])
    near = [
        taken(times(h, w[name]), i)
        for name, i in zip(("before_2", "before_1", "after_1", "after_2"), places.near, strict=True)
    ]
    context = dropped(positive(plus(times(h, w["own"]), rows(around), *near, w["own_bias"])), LEFT_OUT)
    guess = times(context, w["guess"])
    chance = chances(guess, places)
    leader = weighted_sum(chance, context, places)
    around = times(beside(leader, moved(leader, 1), moved(leader, -1), bar_max(context, places)), w["lead"])
    again = times(beside(context, chance, *(taken(chance, i) for i in places.near)), w["again"])
    last = dropped(positive(plus(again, rows(around), w["again_bias"])), LEFT_OUT / 2)
    return guess, times(last, w["score"])


def _context_network(movements: list[_Movement], seed: int) -> Network:
    """One network of stage two, by Adam as in `_network`."""
    random = np.random.default_rng(seed)
    w = _start(movements[0].x.shape[1], random)
    first, second = ({name: np.zeros_like(value.array) for name, value in w.items()} for _ in range(2))
    usual = np.mean([m.weight.sum() for m in movements])
    steps, step = ROUNDS * len(movements), 0
    for _ in range(ROUNDS):
        for i in random.permutation(len(movements)):
            m = movements[i]
            guess, score = _read(w, m.x, m.places, random)
            many = np.bincount(m.places.bar)
            slopes = [
                _slope(value.array[:, 0], m.right, m.weight / usual, many) * np.float32(len(many))
                for value in (guess, score)
            ]
            backward((guess, np.float32(GUESS) * slopes[0]), (score, slopes[1]))
            step += 1
            rate = FIRST_STEP * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1, step / 20)
            for name, value in w.items():
                slope = value.slope
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.99 * second[name] + 0.01 * slope * slope
                move = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.99**step)) + 1e-8)
                shrunk = SHRINK * (value.array.ndim > 1) * value.array
                value.array, value.slope = (value.array - rate * (move + shrunk)).astype(np.float32), None
    return Network(**{name: value.array for name, value in w.items()})


def fit_context(examples: list[Example], inputs: list[Array], networks: int, plain: int) -> ContextStage:
    """Stage two: its networks in turn from all examples and from the first `plain` of them, the movements."""
    scale = _scale(examples, inputs)
    movements = [_Movement(e, x, scale) for e, x in zip(examples, inputs, strict=True)]
    read = (movements, movements[:plain])
    return ContextStage(scale, tuple(_context_network(read[seed % 2], seed // 2) for seed in range(networks)))


def fit_stages(movements: list[Example], variants: list[Example]) -> Stages:
    """Both stages, from movements with right answers and variants of them."""
    examples = [*movements, *variants]
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
                read = e.evidence
                scores = stage.scores(clues[i], read.active)
                looked[i] = second_look(clues[i], scores, read.active, read.patterns, read.runs)
    return fit_stage(examples, clues, NETWORKS[0]), fit_context(examples, looked, NETWORKS[1], len(movements))
