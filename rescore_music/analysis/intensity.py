"""Intensity: how much happens in each bar, 0 to 1.

Density (onsets a second), how many parts play, the register they span and how loud they are, each brought to 0..1 on a
fixed scale, so that a lullaby stays below a battle; a quarter of the weight goes to where the bar stands among the
bars of the same score.

Conventions: one value a bar of `score.bars`; a bar in which nothing sounds is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import coverage, span_of, spread
from rescore_music.score import Score

Floats = npt.NDArray[np.float64]

DENSEST = 40.0  # onsets a second that count as full
WIDEST = 60.0  # semitones between highest and lowest note
WEIGHTS = {"density": 0.35, "parts": 0.2, "span": 0.15, "loudness": 0.3}
RELATIVE = 0.25  # weight of the bar's place among the score's own bars


def intensity(score: Score) -> Floats:
    """Intensity of each bar.

    Returns
    -------
    float64 array, shape (bars,)
    """
    bars = score.bars
    count = len(bars) - 1
    notes = score.notes
    if not len(notes):
        return np.zeros(count)
    onset, ends = notes["onset"], score.ends
    bar = span_of(onset, bars)
    seconds = np.maximum(np.diff(score.seconds(bars)), 1e-3)
    density = np.log1p(np.bincount(bar, minlength=count) / seconds) / np.log1p(DENSEST)
    played = coverage(onset, ends, notes["part"].astype(np.int64), len(score.parts), bars) > 0
    parts = played.sum(axis=1) / max(len(score.parts), 1)
    note, where = spread(onset, ends, bars)
    loud = np.zeros(count)
    np.maximum.at(loud, where, notes["velocity"][note] / 127.0)
    mean = np.bincount(where, notes["velocity"][note], minlength=count) / np.maximum(
        np.bincount(where, minlength=count), 1
    )
    loudness = (loud + mean / 127.0) / 2
    high, low = np.full(count, -1.0), np.full(count, 128.0)
    pitched = score.pitched[note]
    np.maximum.at(high, where[pitched], notes["pitch"][note][pitched].astype(float))
    np.minimum.at(low, where[pitched], notes["pitch"][note][pitched].astype(float))
    span = np.clip((high - low) / WIDEST, 0, 1)
    total = (
        WEIGHTS["density"] * np.minimum(density, 1)
        + WEIGHTS["parts"] * parts
        + WEIGHTS["span"] * span
        + WEIGHTS["loudness"] * loudness
    )
    sounding = played.any(axis=1)
    total[~sounding] = 0
    ordered = np.sort(total[sounding])
    place = np.searchsorted(ordered, total, side="right") / max(len(ordered), 1)
    if len(ordered) and ordered[-1] - ordered[0] < 1e-9:
        place = np.full(count, 0.5)
    return np.where(sounding, np.clip((1 - RELATIVE) * total + RELATIVE * place, 0, 1), 0.0)
