"""One constant tempo for the whole cue, as notation programs and sequencers search it: the peer of the joint curve.

Conventions: tempi in quarters a minute of the score's first tempo; `factor` is new over source tempo. A hit is measured
against the nearest of its own landing places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import ConstantTempo

Floats = npt.NDArray[np.float64]


def constant_tempi(
    score: Score, cues: Cues, *, spread: float = 0.1, top: int = 10, analysis: Analysis | None = None
) -> tuple[ConstantTempo, ...]:
    """The best constant tempi within `spread` of the score's own, best first.

    Every tempo is tried that moves the last hit by a quarter of a frame. The list holds local optima only: neighbours
    of a better tempo are left out.
    """
    grid = Grid(score, analysis)
    frame = float(1 / cues.rate.fps)
    inside = [(hit, t) for hit, t in zip(cues.hits, cues.seconds, strict=True) if t >= 0]
    last = max((t for _, t in inside), default=0.0)
    count = int(np.clip(2 * spread * last / (frame / 4), 200, 20_000))
    factors = np.geomspace(1 - spread, 1 + spread, count)
    off = np.empty((len(inside), count))
    for k, (hit, t) in enumerate(inside):
        places = score.seconds(grid.places(hit.lands))
        wanted = t * factors  # where in the source the hit falls
        right = np.clip(np.searchsorted(places, wanted), 1, max(len(places) - 1, 1))
        near = np.minimum(
            np.abs(places[right - 1] - wanted), np.abs(places[min(1, len(places) - 1) and right] - wanted)
        )
        off[k] = near / factors / frame
    hard = np.array([hit.hard for hit, _ in inside], bool)
    weights = np.array([hit.weight for hit, _ in inside])
    first, other = (hard, ~hard) if hard.any() else (~hard, hard)
    important, rest = _mean(off, weights, first), _mean(off, weights, other)
    key = important + 1e-3 * rest
    lows = np.flatnonzero((key <= np.roll(key, 1)) & (key <= np.roll(key, -1)))
    best = lows[np.argsort(key[lows], kind="stable")][:top]
    bpm = float(score.tempo.bpm(0))
    share = (off <= 1).mean(axis=0) if len(inside) else np.ones(count)
    return tuple(
        ConstantTempo(bpm * float(factors[k]), float(factors[k]), float(important[k]), float(rest[k]), float(share[k]))
        for k in best
    )


def _mean(off: Floats, weights: Floats, which: npt.NDArray[np.bool_]) -> Floats:
    if not which.any():
        return np.zeros(off.shape[1])
    return np.asarray(weights[which] @ off[which] / weights[which].sum())
