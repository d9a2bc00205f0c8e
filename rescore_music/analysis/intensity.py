"""Intensity: how much happens in each bar, 0 to 1, and what it is made of.

Five terms, each brought to 0..1 on a fixed scale, so that a lullaby stays below a battle: *density* (onsets a second,
logarithmic, `DENSEST` = 1), *texture* (share of the parts that play), *register* (half how far the top lies above
middle C up to four octaves, half the span from lowest to highest note, `WIDEST` = 1), *dynamics* (mean of the loudest
and the mean velocity) and *tension* (below). Their weighted sum makes three quarters of the intensity; the last quarter
is where the bar stands among the bars of the same score.

Tension is half the roughness of the pitch classes that sound together (minor seconds, tritones and major seconds among
all pairs, by time), a quarter the share of time of tones foreign to the key, a quarter the distance of the local key
from the home key on the circle of fifths; Lerdahl's surface dissonance, and pitch space reduced to keys.

Conventions: one value a bar of `score.bars`; a bar in which nothing sounds is 0 in every term.

Source: F. Lerdahl, "Tonal Pitch Space" (2001), chapter 4, for the kinds of tension; the weights are ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.chords import pitch_classes
from rescore_music.analysis.frames import coverage, span_of, spread
from rescore_music.score import Score
from rescore_music.structure import IntensityTerms, KeySpan, home_key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DENSEST = 40.0  # onsets a second that count as full
WIDEST = 60.0  # semitones between highest and lowest note
MIDDLE, HIGHEST = 60.0, 108.0  # register of the top note
WEIGHTS = {"density": 0.3, "texture": 0.18, "register": 0.14, "dynamics": 0.26, "tension": 0.12}
RELATIVE = 0.25  # weight of the bar's place among the score's own bars
ROUGH = {1: 1.0, 2: 0.35, 6: 0.6}  # of pairs of pitch classes by interval class
ROUGHEST = 0.35  # roughness that counts as full
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 9, 10, 11)}


def intensity(score: Score, keys: tuple[KeySpan, ...] = ()) -> Floats:
    """Intensity of each bar: shape (bars,). See `intensity_terms`."""
    return combined(intensity_terms(score, keys))


def combined(terms: IntensityTerms) -> Floats:
    """The weighted sum of the terms, a quarter of it replaced by each bar's place among all."""
    total = np.sum([weight * getattr(terms, name) for name, weight in WEIGHTS.items()], axis=0)
    sounding = terms.texture > 0
    ordered = np.sort(total[sounding])
    place = np.searchsorted(ordered, total, side="right") / max(len(ordered), 1)
    if len(ordered) and ordered[-1] - ordered[0] < 1e-9:
        place = np.full(len(total), 0.5)
    return np.where(sounding, np.clip((1 - RELATIVE) * total + RELATIVE * place, 0, 1), 0.0)


def intensity_terms(score: Score, keys: tuple[KeySpan, ...] = ()) -> IntensityTerms:
    """The terms of intensity of each bar.

    Parameters
    ----------
    score : Score
    keys : tuple of KeySpan, optional
        Without them tension is roughness alone.
    """
    bars = score.bars
    count = len(bars) - 1
    notes = score.notes
    if not len(notes):
        return IntensityTerms(*(np.zeros(count) for _ in range(5)))
    onset, ends = notes["onset"], score.ends
    seconds = np.maximum(np.diff(score.seconds(bars)), 1e-3)
    density = np.log1p(np.bincount(span_of(onset, bars), minlength=count) / seconds) / np.log1p(DENSEST)
    played = coverage(onset, ends, notes["part"].astype(np.int64), len(score.parts), bars) > 0
    note, where = spread(onset, ends, bars)
    loudest = np.zeros(count)
    np.maximum.at(loudest, where, notes["velocity"][note] / 127.0)
    mean = np.bincount(where, notes["velocity"][note], minlength=count) / 127.0
    mean /= np.maximum(np.bincount(where, minlength=count), 1)
    sounding = played.any(axis=1)
    return IntensityTerms(
        density=np.where(sounding, np.minimum(density, 1), 0.0),
        texture=played.sum(axis=1) / max(len(score.parts), 1),
        register=np.where(sounding, _register(score, note, where, count), 0.0),
        dynamics=np.where(sounding, (loudest + mean) / 2, 0.0),
        tension=np.where(sounding, _tension(score, bars, keys), 0.0),
    )


def _register(score: Score, note: Ints, where: Ints, count: int) -> Floats:
    """Height of the top and width of the span; 0 where nothing pitched sounds."""
    high, low = np.full(count, -1.0), np.full(count, 128.0)
    pitched = score.pitched[note]
    pitch = score.notes["pitch"][note][pitched].astype(np.float64)
    np.maximum.at(high, where[pitched], pitch)
    np.minimum.at(low, where[pitched], pitch)
    top = np.clip((high - MIDDLE) / (HIGHEST - MIDDLE), 0, 1)
    return np.asarray(np.where(high >= 0, (top + np.clip((high - low) / WIDEST, 0, 1)) / 2, 0.0), np.float64)


def _tension(score: Score, bars: Ints, keys: tuple[KeySpan, ...]) -> Floats:
    """Roughness, foreign tones and distance from home of each bar."""
    steps = np.arange(4) / 4
    inner = (bars[:-1, None] + np.rint(np.diff(bars)[:, None] * steps)).astype(np.int64)
    edges = np.append(inner.ravel(), bars[-1])
    edges = np.maximum.accumulate(edges)
    classes = pitch_classes(score, edges)
    share = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-9)
    rough = np.zeros(len(share))
    for step, worth in ROUGH.items():
        pairs = (share * np.roll(share, step, axis=1)).sum(axis=1) * (1 if step == 6 else 2)
        rough += worth * pairs
    by_bar = np.minimum(rough.reshape(-1, 4).mean(axis=1) / ROUGHEST, 1.0)
    if not keys:
        return np.asarray(by_bar, np.float64)
    foreign, far = _from_home(share, edges, keys)
    return np.asarray(
        0.5 * by_bar + 0.25 * foreign.reshape(-1, 4).mean(axis=1) + 0.25 * far.reshape(-1, 4).mean(axis=1), np.float64
    )


def _from_home(share: Floats, edges: Ints, keys: tuple[KeySpan, ...]) -> tuple[Floats, Floats]:
    """Share of tones foreign to the key in force, and the key's distance from the key of the whole, 0 to 1."""
    home = home_key(keys)
    signature = np.array([_fifths(k) for k in keys])
    around = np.abs(signature - (_fifths(home) if home is not None else 0))
    far = np.minimum(around, 12 - around) / 6
    inside = np.zeros((len(keys), 12))
    for row, key in zip(inside, keys, strict=True):
        row[[(key.tonic + s) % 12 for s in SCALES[key.mode]]] = 1
    at = np.maximum(np.searchsorted([k.start for k in keys], edges[:-1], side="right") - 1, 0)
    return (share * (1 - inside[at])).sum(axis=1), far[at]


def _fifths(key: KeySpan) -> int:
    """The key's signature on the circle of fifths, C major and A minor being 0."""
    return (7 * (key.tonic + 3 * (key.mode == "minor"))) % 12
