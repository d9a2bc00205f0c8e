"""Dissonance of the voicing: how rough chords are by the way they are spaced, before any sound is made.

Conventions: tones are six harmonics with amplitudes falling by 0.88; the roughness of two partials is Plomp and
Levelt's curve as Sethares fitted it. The figure is the mean over onsets of the roughness of the pitches that sound
then, relative to a close root-position C major triad at middle C (1.0). Spacing lower makes it grow, doubling at the
octave hardly.

References: Sethares, "Local consonance and the relationship between timbre and scale", JASA 94 (1993), eq. 1-4.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from rescore_music.quality.report import Measure
from rescore_music.score import Score

HARMONICS, FALL = 6, 0.88
AT_MOST = 2000  # onsets looked at, evenly spread
Floats = npt.NDArray[np.float64]


@cache
def pair_roughness() -> Floats:
    """Roughness of two tones.

    Returns
    -------
    float array, shape (128, 128)
        Symmetric; the diagonal (a tone's own partials) is 0.
    """
    f0 = 440.0 * 2.0 ** ((np.arange(128) - 69) / 12)
    number = np.arange(1, HARMONICS + 1)
    frequency = f0[:, None] * number
    amplitude = FALL ** (number - 1)
    low = np.minimum(frequency[:, None, :, None], frequency[None, :, None, :])
    apart = np.abs(frequency[:, None, :, None] - frequency[None, :, None, :])
    scaled = 0.24 / (0.0207 * low + 18.96) * apart
    weight = np.minimum(amplitude[:, None], amplitude[None, :])
    rough = (weight * (5.0 * np.exp(-3.51 * scaled) - 5.0 * np.exp(-5.75 * scaled))).sum(axis=(2, 3))
    np.fill_diagonal(rough, 0.0)
    rough.flags.writeable = False
    return np.asarray(rough, np.float64)


def chord_roughness(pitches: npt.ArrayLike) -> float:
    """Roughness of pitches sounding together, relative to a close C major triad at middle C."""
    held = np.unique(np.asarray(pitches, np.int64))
    table = pair_roughness()
    triad = table[np.ix_([60, 64, 67], [60, 64, 67])].sum()
    return float(table[np.ix_(held, held)].sum() / triad)


def dissonance(score: Score) -> Floats:
    """Roughness at every onset (at most `AT_MOST` of them), in score order."""
    notes = score.notes[score.pitched]
    onsets = np.unique(notes["onset"])
    onsets = (
        onsets[np.linspace(0, len(onsets) - 1, min(len(onsets), AT_MOST)).astype(np.int64)] if len(onsets) else onsets
    )
    if not len(onsets):
        return np.zeros(0)
    first = np.searchsorted(onsets, notes["onset"])
    last = np.searchsorted(onsets, notes["onset"] + np.maximum(notes["duration"], 1))
    # +1 where a note begins to sound, -1 where it has ended: the running sum counts who sounds
    change = np.zeros((len(onsets) + 1, 128))
    np.add.at(change, (first, notes["pitch"]), 1)
    np.add.at(change, (last, notes["pitch"]), -1)
    sounding = (np.cumsum(change, axis=0)[:-1] > 0).astype(np.float64)
    table = pair_roughness()
    triad = table[np.ix_([60, 64, 67], [60, 64, 67])].sum()
    return np.asarray(((sounding @ table) * sounding).sum(axis=1) / triad, np.float64)


def voicing(score: Score, source: Score | None = None) -> list[Measure]:
    """Mean dissonance of the voicing, with the source's for comparison."""
    values = dissonance(score)
    if not len(values):
        return []
    before = dissonance(source) if source is not None else np.zeros(0)
    detail = (f"source {before.mean():.2f}",) if len(before) else ()
    meaning = "Roughness of the chords by their spacing; a close C major triad at middle C is 1."
    return [Measure("voicing_dissonance", float(values.mean()), "", meaning, None, detail)]
