"""Three ways to meet the same hits, side by side: one constant tempo, tempo steps from hit to hit, the joint curve.

The first is what notation programs and sequencers search; the second what a musician does by hand with a tempo track:
hit by hit, the place nearest at the score's own tempo, and a tempo step that meets it. All are measured alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
from rescore_music.errors import SyncError
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.syncing.constant import constant_tempi
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Synced, Way

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def compared(synced: Synced, score: Score, *, analysis: Analysis | None = None, top: int = 10) -> Synced:
    """The result with three ways to meet its hits ("constant", "piecewise", "joint") and a list of constant tempi.

    Parameters
    ----------
    synced : Synced
    score : Score
        The source, as it was given to `sync`.
    analysis : Analysis, optional
        As it was given to `sync`.
    top : int
        Length of the list.

    Raises
    ------
    SyncError
        If the result does not tell what was asked.
    """
    cues = synced.cues
    if cues is None:
        raise SyncError("the result does not tell what was asked", cure="sync again")
    ranked = constant_tempi(score, cues, analysis=analysis, top=top)
    rows = []
    for best in ranked[:1]:
        means = best.mean_frames_off, best.mean_frames_off_other, best.within_a_frame
        rows.append(Way("constant", best.bpm, *means, 0.0, abs(best.factor - 1) * 100))
    rows.append(_piecewise(Grid(score, analysis), cues, float(score.tempo.bpm(0))))
    means = _means(
        np.array([h.kind == "hard" for h in synced.hits], bool),
        np.array([h.weight for h in synced.hits]),
        np.array([abs(h.residual_frames) for h in synced.hits]),
    )
    change = synced.max_step_percent, synced.max_deviation_percent
    rows.append(Way("joint", float(synced.score.tempo.bpm(0)), *means, *change))
    return replace(synced, ways=tuple(rows), constant=ranked)


def _means(hard: Flags, weight: Floats, off: Floats) -> tuple[float, float, float]:
    """Weighted mean frames off of hard and of soft hits (of all as hard where none is), share within a frame."""
    if not len(off):
        return 0.0, 0.0, 1.0
    first = hard if hard.any() else ~hard
    other = ~first
    rest = float(np.average(off[other], weights=weight[other])) if other.any() else 0.0
    return float(np.average(off[first], weights=weight[first])), rest, float((off <= 1).mean())


def _piecewise(grid: Grid, cues: Cues, bpm: float) -> Way:
    frame = float(1 / cues.rate.fps)
    time, source, stretches, off = 0.0, 0.0, [], []
    inside = [(h, t) for h, t in zip(cues.hits, cues.seconds.tolist(), strict=True) if t >= 0]
    for hit, at in inside:
        places = grid.score.seconds(grid.places(hit.lands))
        near = float(places[np.abs(places - (source + at - time)).argmin()])
        if near > source + 1e-9 and at > time + 1e-9:
            stretches.append((at - time) / (near - source))
            time, source = at, near
            off.append(0.0)
        else:  # no place of its own: it stays where the music is
            off.append(abs(near - (source + at - time)) / frame)
    ratio = np.array(stretches)
    step = float(np.expm1(np.abs(np.log(ratio[1:] / ratio[:-1])).max(initial=0.0))) * 100
    away = float(np.abs(1 / ratio - 1).max(initial=0.0)) * 100
    first = bpm / stretches[0] if stretches else bpm
    hard, weight = np.array([h.hard for h, _ in inside], bool), np.array([h.weight for h, _ in inside])
    return Way("piecewise", first, *_means(hard, weight, np.array(off)), step, away)
