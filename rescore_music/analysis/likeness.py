"""Likeness of bars: which passages come back, and where the music changes.

Bars are compared with bars by their pitch classes (quarter by quarter of the bar) and their rhythm. A passage heard
again is a run of like bars at one distance; its ends are places where form is felt. Novelty is how much some bars
before a place differ from those after it.

Conventions: square tables of shape (bars, bars), 0 to 1; very long pieces are compared in groups of bars.

Sources: J. Foote, "Automatic Audio Segmentation Using a Measure of Audio Novelty" (2000); M. Goto, "A Chorus Section
Detection Method" (2006), for repeated sections as runs at one lag.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PITCH, RHYTHM = 0.65, 0.35  # shares in the likeness of two bars
LIKE, NEARLY = 0.95, 0.85  # likeness of bars in a passage heard again, and heard again varied
VARIED_WORTH = 0.6  # what the ends of the latter tell, against the former
LEAST_RUN, RUN = 4, 25.0  # bars: of a passage heard again, at least, and from which on it tells all it can
KERNEL = 8  # bars to either side of a change
MOST_BARS = 1200  # compared one by one


def unit(rows: Floats) -> Floats:
    """Rows brought to length 1."""
    flat = rows.reshape(len(rows), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9), np.float64)


def bar_likeness(pitch: Floats, rhythm: Floats, group: int) -> Floats:
    """How alike each two (groups of) bars are, 0 to 1; shape (groups, groups). Silent bars are like silent bars."""
    count = -(-len(pitch) // group)
    tones = np.zeros((count * group, pitch[0].size), np.float32)
    tones[: len(pitch)] = unit(pitch)
    beats = np.zeros((count * group, rhythm.shape[1]), np.float32)
    beats[: len(rhythm)] = unit(rhythm)
    a, b = (unit(x.reshape(count, -1).astype(np.float64)) for x in (tones, beats))
    out = PITCH * (a @ a.T) + RHYTHM * (b @ b.T)
    silent = ~a.any(axis=1) & ~b.any(axis=1)
    out[np.ix_(silent, silent)] = 1.0
    return np.asarray(out, np.float64)


def repetition(alike: Floats, full: float) -> Floats:
    """Evidence at each bar that a passage heard elsewhere begins or has ended there; 1 from `full` bars on."""
    count = len(alike)
    out = np.zeros(count + 1)
    for lag in range(LEAST_RUN, count - LEAST_RUN + 1):
        row = np.diagonal(alike, lag)
        for least, share in ((LIKE, 1.0), (NEARLY, VARIED_WORTH)):
            like = row >= least
            like[1:-1] |= like[:-2] & like[2:]  # one bar may differ
            turn = np.diff(np.concatenate([[0], like.astype(np.int8), [0]]))
            begin, end = np.flatnonzero(turn == 1), np.flatnonzero(turn == -1)
            long = end - begin
            worth = np.where(long >= LEAST_RUN, share * np.minimum(long / full, 1.0), 0.0)
            for place in (begin, end, begin + lag, end + lag):
                np.maximum.at(out, place, worth)
    out[0] = 0.0
    return out[:count]


def novelty(alike: Floats) -> Floats:
    """How much the bars before each bar differ from those after it, against the piece's own measure; 0 to 1."""
    count = len(alike)
    out = np.zeros(count)
    total = np.pad(alike.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))

    def mean(a: Ints, b: Ints, c: Ints, d: Ints) -> Floats:
        area = np.maximum((b - a) * (d - c), 1)
        return np.asarray((total[b, d] - total[a, d] - total[b, c] + total[a, c]) / area, np.float64)

    at = np.arange(1, count)
    lo, hi = np.maximum(at - KERNEL, 0), np.minimum(at + KERNEL, count)
    out[1:] = (mean(lo, at, lo, at) + mean(at, hi, at, hi)) / 2 - mean(lo, at, at, hi)
    if count < 4:
        return out * 0
    middle, most = np.quantile(out[1:], [0.5, 0.97])
    scaled = np.clip((out - middle) / max(float(most - middle), 0.08), 0, 1)
    peak = np.ones(count, bool)
    for step in (1, 2, 3):
        peak[step:] &= out[step:] >= out[:-step]
        peak[:-step] &= out[:-step] >= out[step:]
    return np.asarray(np.where(peak, scaled, 0.3 * scaled), np.float64)
