"""The scorer of melody lines: small networks, the same for every line, that look at clues and then once more around.

Stage one reads a line's clues in a bar and gives it a score; scores of a bar's lines are compared (softmax). Stage two
reads the clues again with what stage one said: about this line before and after, about the other lines, and about the
other places where the same bar or the same few notes come (`patterns`, `runs`), so that a theme recognized once is
recognized in thicker textures too; and it reads every line together with its surroundings (`melody_context`). Each
stage is the mean of a few networks that differ in their random start and, in stage two, in what they learned from.

The weights (`melody_weights.npz`, half precision) are made by `benchmarks/bench_melody.py --fit` from the OpenScore
Hauptstimme annotations; inference is numpy alone.

Conventions: arrays of shape (spans, lines, ...); lines that are not active score -inf.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.melody_context import Network, context_scores, places_of
from rescore_music.analysis.patterns import Names, Patterns, in_pairs, others_alike, pooled
from rescore_music.analysis.runs import Runs, run_clues

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Layers = list[npt.NDArray[np.float32]]  # weight, bias, weight, bias ...

FAR_OUT = 4.0  # standard deviations beyond which a clue counts no more
HOPELESS = -12.0  # log probability of a line that does not play while others do
USUAL = 0.15  # chance to lead of a line that nothing is known of
WEIGHTS_FILE = Path(__file__).with_name("melody_weights.npz")


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and spread of a stage's inputs, shape (inputs,)."""

    mean: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]

    def normal(self, rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Inputs in standard deviations, cut off at `FAR_OUT`."""
        return np.asarray(np.clip((rows - self.mean) / self.spread, -FAR_OUT, FAR_OUT), np.float32)


@dataclass(frozen=True, eq=False)
class Stage:
    """Stage one: the scale of its inputs, and the layers of each of its networks."""

    scale: Scale
    networks: tuple[Layers, ...]

    def scores(self, inputs: npt.NDArray[np.floating], active: Flags) -> Floats:
        """Score of each active line: shape (spans, lines), -inf elsewhere."""
        out = np.full(active.shape, -np.inf)
        x = self.scale.normal(inputs[active])
        if len(x):
            out[active] = np.mean([forward(layers, x) for layers in self.networks], axis=0)
        return out


@dataclass(frozen=True, eq=False)
class ContextStage:
    """Stage two: the scale of its inputs, and its networks."""

    scale: Scale
    networks: tuple[Network, ...]

    def scores(self, inputs: npt.NDArray[np.floating], active: Flags) -> Floats:
        """Score of each active line: shape (spans, lines), -inf elsewhere."""
        out = np.full(active.shape, -np.inf)
        x, places = self.scale.normal(inputs[active]), places_of(active)
        if len(x):
            out[active] = np.mean([context_scores(network, x, places) for network in self.networks], axis=0)
        return out


Stages = tuple[Stage, ContextStage]


def forward(layers: Layers, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Output of one network for rows of inputs: shape (rows,)."""
    for i in range(0, len(layers) - 2, 2):
        x = np.maximum(x @ layers[i] + layers[i + 1], 0)
    return np.asarray((x @ layers[-2] + layers[-1])[:, 0], np.float32)


@cache
def shipped_stages() -> Stages:
    """The two stages with the shipped weights."""
    return load_stages(WEIGHTS_FILE)


def load_stages(path: Path) -> Stages:
    """The two stages of a file that `save_stages` wrote."""
    with np.load(path) as data:
        held = {name: data[name].astype(np.float32) for name in data.files}
    counts = [int(held[f"{s}_networks"]) for s in ("one", "two")]
    one = [[held[f"one_{n}_{k}"] for k in range(int(held["one_layers"]))] for n in range(counts[0])]
    two = [Network(*(held[f"two_{n}_{name}"] for name in Network._fields)) for n in range(counts[1])]
    scales = [Scale(held[f"{s}_mean"], held[f"{s}_spread"]) for s in ("one", "two")]
    return Stage(scales[0], tuple(one)), ContextStage(scales[1], tuple(two))


def save_stages(path: Path, stages: Stages) -> None:
    """Writes both stages to a file that `load_stages` reads."""
    out: dict[str, npt.NDArray[np.generic]] = {"one_layers": np.array(len(stages[0].networks[0]))}
    for name, scale, count in (
        ("one", stages[0].scale, len(stages[0].networks)),
        ("two", stages[1].scale, len(stages[1].networks)),
    ):
        out[f"{name}_mean"], out[f"{name}_spread"] = scale.mean, scale.spread
        out[f"{name}_networks"] = np.array(count)
    for n, layers in enumerate(stages[0].networks):
        out |= {f"one_{n}_{k}": layer.astype(np.float16) for k, layer in enumerate(layers)}
    for n, network in enumerate(stages[1].networks):
        out |= {f"two_{n}_{name}": layer.astype(np.float16) for name, layer in network._asdict().items()}
    with path.open("wb") as file:
        np.savez_compressed(file, **out)  # type: ignore[arg-type]


def log_chances(scores: Floats) -> Floats:
    """Log probability of each line to lead its span, at least `HOPELESS`; -inf in spans where no line is active."""
    out = np.full(scores.shape, -np.inf)
    spans = np.isfinite(scores).any(axis=1) if scores.size else np.zeros(len(scores), bool)
    value = scores[spans]
    if len(value):
        value = value - value.max(axis=1, keepdims=True)
        out[spans] = np.maximum(value - np.log(np.exp(value).sum(axis=1, keepdims=True)), HOPELESS)
    return out


def smoothed(values: Floats, reach: int) -> Floats:
    """Sums over the spans around, nearer ones counting more (a triangle that ends past `reach`)."""
    out = values.astype(np.float64).copy()
    for d in range(1, min(reach, len(values) - 1) + 1):
        weight = 1 - d / (reach + 1)
        out[d:] += weight * values[:-d]
        out[:-d] += weight * values[d:]
    return out


def second_look(
    clues: npt.NDArray[np.float32], scores: Floats, active: Flags, patterns: Patterns, runs: tuple[Runs, ...]
) -> Floats:
    """The inputs of stage two: the clues, and what stage one's scores say around."""
    logs = log_chances(scores)
    chance = np.where(active, np.exp(np.where(np.isfinite(logs), logs, -30.0)), 0.0)
    columns = [np.where(active, np.maximum(logs, -8), -8) / 4, chance]
    columns += _before_and_after(chance)
    columns += _around(chance, active)
    for names in (patterns.steps, patterns.exact, patterns.rhythm):
        mean, count = pooled(chance, names, active, usual=USUAL)
        columns += [mean, count, mean - np.where(active, mean, 0).max(axis=1, keepdims=True, initial=0)]
    for names in (patterns.exact, patterns.rhythm, patterns.steps):
        columns += _pooled_pairs(chance, names, active)
    for names in (patterns.tones, patterns.steps, patterns.rhythm):
        columns.append(np.where(active, chance + others_alike(names, active, chance), 0))
    for kind in runs:
        columns += [np.where(active, column, 0) for column in run_clues(kind, chance, active)]
    doubt = -(chance * np.log(chance + 1e-9)).sum(axis=1, keepdims=True)
    columns.append(np.broadcast_to(doubt, chance.shape))
    columns.append(chance - _best_other(chance))
    return np.concatenate([clues, np.stack(columns, axis=-1)], axis=-1)


def _before_and_after(chance: Floats) -> list[Floats]:
    out = []
    for d in (1, 2, 3):
        before, after = np.zeros_like(chance), np.zeros_like(chance)
        if d < len(chance):
            before[d:], after[:-d] = chance[:-d], chance[d:]
        out += [before, after]
    return out


def _around(chance: Floats, active: Flags) -> list[Floats]:
    """The chance over nearer and wider surroundings and the whole score: by time, and by the time the line plays."""
    ones, out = np.ones_like(chance), []
    for reach in (3, 8, 24):
        total = smoothed(chance, reach)
        out += [total / smoothed(ones, reach), total / np.maximum(smoothed(active.astype(float), reach), 0.3)]
    playing = chance.sum(axis=0) / np.maximum(active.sum(axis=0), 1)
    whole = chance.sum(axis=0) / max(len(chance), 1)
    return [*out, np.broadcast_to(playing, chance.shape), np.broadcast_to(whole, chance.shape)]


def _pooled_pairs(chance: Floats, names: Names, active: Flags) -> list[Floats]:
    """What is said of the same two spans elsewhere: of this span with the next, and with the one before."""
    pairs, there = in_pairs(names, active)
    mean, count = pooled(np.where(there, chance, 0.0), pairs, there, usual=USUAL)
    before = np.full_like(mean, USUAL)
    before[1:] = mean[:-1]
    return [mean, count, before]


def _best_other(chance: Floats) -> Floats:
    """The largest value among the other lines of the span."""
    if chance.shape[1] < 2:
        return np.zeros_like(chance)
    ranked = np.sort(chance, axis=1)
    return np.where(chance == ranked[:, -1:], ranked[:, -2:-1], ranked[:, -1:])
