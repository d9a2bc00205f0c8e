"""What rhythm is like: counts over scores, as log probabilities.

`rhythm.npz` beside this file is written by `benchmarks/fit_rhythm.py` from notated scores, none of which is among the
scores that `benchmarks/bench_quantize.py` tests on. Positions are twelfths of a quarter from the bar line.

Sources: a Markov chain over metrical positions as rhythm model: Takeda et al. 2002; Raphael 2002; Nakamura, Yoshii and
Sagayama, IEEE TASLP 25(4), 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PER_QUARTER = 12
METERS = ((2, 4), (3, 4), (4, 4), (6, 8), (9, 8))
LEVELS = 5  # downbeat, other strong beat, beat, half a beat (a third of a compound one), anything else
SLOTS = 24  # of a beat, in onset patterns


@dataclass(frozen=True, eq=False)
class MeterModel:
    """One meter's rhythm model; `size` positions a bar.

    `step[p, q]` is the log probability that the next attack stands at q after one at p; `start[p]` the same of the
    first attack; `seen[k][level, class]` the log likelihood of an attack's observation k; `level[p]` 0..4.
    """

    numerator: int
    denominator: int
    size: int
    beat: int
    step: Floats
    start: Floats
    seen: tuple[Floats, ...]
    level: Ints


@dataclass(frozen=True, eq=False)
class PatternModel:
    """How often the onsets of one part fall on which places of a beat: bit masks of SLOTS and their cost in nats."""

    mask: Ints
    cost: Floats
    unknown: float

    def costs(self, masks: Ints) -> Floats:
        """Cost of each mask; one never seen costs `unknown` and half a nat for each onset."""
        at = np.minimum(np.searchsorted(self.mask, masks), len(self.mask) - 1)
        bits = np.bitwise_count(masks.astype(np.uint64)) if hasattr(np, "bitwise_count") else _bits(masks)
        return np.asarray(np.where(self.mask[at] == masks, self.cost[at], self.unknown + 0.5 * bits), np.float64)


def _bits(masks: Ints) -> Ints:
    return np.asarray(((masks[:, None] >> np.arange(SLOTS)) & 1).sum(axis=1), np.int64)


def levels(numerator: int, denominator: int) -> tuple[Ints, int]:
    """Metrical level of each position of a bar, and the positions in a beat."""
    size = numerator * 4 * PER_QUARTER // denominator
    beat = PER_QUARTER * 3 // 2 if denominator == 8 else PER_QUARTER
    place = np.arange(size)
    level = np.full(size, 4, np.int64)
    level[place % (beat // 3 if denominator == 8 else beat // 2) == 0] = 3
    level[place % beat == 0] = 2
    if size // beat == 4:
        level[size // 2] = 1
    level[0] = 0
    return level, beat


@cache
def _tables() -> dict[str, npt.NDArray[np.float64]]:
    with np.load(Path(__file__).with_name("rhythm.npz")) as file:
        return {name: file[name].astype(np.float64) for name in file.files}


@cache
def meter_model(numerator: int, denominator: int) -> MeterModel:
    """The model of one of METERS."""
    tables = _tables()
    level, beat = levels(numerator, denominator)
    name = f"{numerator}_{denominator}"
    step = _smoothed(tables[f"step_{name}"], level)
    start = tables[f"start_{name}"] + np.array([8.0, 1.0, 2.0, 0.5, 0.05])[level]
    seen = tuple(_log_share(tables[f"seen_{k}"] + 20.0) for k in range(4))
    seen = (*seen, np.log(_LOUD))
    return MeterModel(numerator, denominator, len(level), beat, step, np.log(start / start.sum()), seen, level)


# how loud attacks are by level: not fitted (the scores say nothing of it), a mild accent on beats
_LOUD = np.array(
    [[0.25, 0.35, 0.40], [0.28, 0.37, 0.35], [0.30, 0.38, 0.32], [0.35, 0.38, 0.27], [0.36, 0.38, 0.26]], np.float64
)


def _log_share(counts: Floats) -> Floats:
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)), np.float64)


def _smoothed(counts: Floats, level: Ints) -> Floats:
    """Transition counts with a share of what any place leads to, and a little for what was never seen."""
    arrivals = counts.sum(axis=0) + np.array([8.0, 6.0, 6.0, 2.0, 0.05])[level]
    arrivals = arrivals / arrivals.sum()
    total = counts.sum(axis=1, keepdims=True)
    weight = 30.0
    return np.asarray(np.log((counts + weight * arrivals) / (total + weight)), np.float64)


@cache
def pattern_model(compound: bool) -> PatternModel:
    """Onset patterns of a simple or a compound beat."""
    tables = _tables()
    name = "compound" if compound else "simple"
    count = tables[f"patterns_{name}_count"]
    total = count.sum()
    cost = -np.log(count / total)
    return PatternModel(tables[f"patterns_{name}_mask"].astype(np.int64), cost, float(-np.log(0.5 / total)))
