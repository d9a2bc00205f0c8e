"""Periods: the phrases of instrumental music, told by its bars more than by its breaths.

In a score of many voices there is always somebody who waits, and the tune may breathe twice in a phrase. So every bar
line gets a strength as a seam: parts that stand still before it or begin after silence, a change of texture, key,
meter or tempo at it, a double bar or rehearsal mark, and the start of a passage heard before. The phrases are the cut
with the greatest sum of strengths less the cost of each length (4 and 8 bars cost least), by dynamic programming. Songs
and hymns are phrased by `seams`.

Conventions: a seam lies on a bar line, or the length of the piece's own pickup before it.

Source: F. Lerdahl and R. Jackendoff, "A Generative Theory of Tonal Music" (1983), chapter 3, grouping preference rules.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import coverage, span_of
from rescore_music.analysis.seams import busyness, returns, signs, texture_change
from rescore_music.score import Score
from rescore_music.structure import KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LENGTHS = np.array([1, 2, 3, 4, 5, 6, 7, 8])
LENGTH_COST = np.array([2.2, 0.9, 1.0, 0.0, 0.7, 0.4, 0.7, 0.1])
STILL, SILENCE, NOVELTY, KEY_CHANGE, MARK, TEMPO, RETURN = 1.4, 1.0, 0.8, 0.8, 1.2, 0.3, 0.7
_VOICES = 5  # parts of a hymn at most
_ALONE = 0.97  # share of a hymn's moments at which each part begins one note


def is_song(score: Score) -> bool:
    """Whether this is a song or hymn: few parts of one voice each, no percussion, about one moment a beat."""
    pitched = score.pitched
    part = score.notes["part"][pitched].astype(np.int64)
    parts = np.unique(part)
    if not len(part) or len(parts) > _VOICES or not pitched.all() or busyness(score) > 0.5:
        return False
    moments = np.unique(score.notes["onset"][pitched] * len(score.parts) + part)
    return len(moments) / len(part) >= _ALONE


def period_starts(
    score: Score, bars: Ints, pickup: int, pitch: Floats, rhythm: Floats, keys: tuple[KeySpan, ...]
) -> Ints:
    """Ticks at which the phrases begin, the first at 0.

    Parameters
    ----------
    bars : int64 array
        Bar starts and the last bar's end, without an upbeat bar.
    pickup : int
        Length of the piece's upbeat in ticks.
    pitch, rhythm : float64 arrays, by bar of `bars`
        See `phrases.contents`.
    keys : tuple of KeySpan
    """
    cuts = _best_cut(_strengths(score, bars, keys, pitch, rhythm))
    starts = bars[cuts[:-1]] - pickup
    starts[0] = 0
    return np.asarray(starts[starts < score.length], np.int64)


def _strengths(score: Score, bars: Ints, keys: tuple[KeySpan, ...], pitch: Floats, rhythm: Floats) -> Floats:
    """Strength of each bar line as a seam: shape (bars,), for the start of each bar."""
    count = len(bars) - 1
    strength = np.zeros(count)
    if count < 2:
        return strength
    strength[1:] += _stillness(score, bars)[1:]
    novelty = texture_change(pitch, rhythm)
    strength[1:] += NOVELTY * novelty / max(float(np.quantile(novelty, 0.9)), 0.2)
    strength += signs(score, bars, keys, (KEY_CHANGE, MARK, TEMPO))
    return strength + RETURN * returns(pitch, rhythm)


def _stillness(score: Score, bars: Ints) -> Floats:
    """How far the parts stand still before each bar line, against what is usual around, or begin after silence."""
    count = len(bars) - 1
    parts = len(score.parts)
    onset, part = score.notes["onset"], score.notes["part"].astype(np.int64)
    bar = span_of(onset, bars)
    last = np.full((count, parts), -1, np.int64)
    np.maximum.at(last, (bar, part), onset)
    length = np.diff(bars)[:, None]
    wait = np.where(last >= 0, (bars[1:, None] - last) / np.maximum(length, 1), 1.0)
    played = np.maximum.accumulate(last, axis=0) >= 0
    moving = (last >= 0) & (wait < 0.3)
    busy = moving.sum(axis=1) / np.maximum(played.sum(axis=1), 1)  # parts that run into the line
    usual = np.convolve(np.pad(busy, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    still = np.clip((usual - busy) / np.maximum(usual, 0.2), -0.5, 1.0)
    silence = coverage(onset, score.ends, np.zeros(len(onset), np.int64), 1, bars)[:, 0] <= 0
    out = np.zeros(count)
    out[1:] = STILL * still[:-1] + SILENCE * (silence[:-1] & ~silence[1:])
    return out


def _best_cut(strength: Floats) -> Ints:
    """Bar numbers at which phrases start, then the number of bars."""
    count = len(strength)
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(count + 1, np.int64)
    gain = np.append(strength, 0.0)
    for b in range(1, count + 1):
        lengths = LENGTHS[:b]
        value = best[b - lengths] - LENGTH_COST[:b]
        pick = int(value.argmax())
        best[b] = value[pick] + gain[b]
        back[b] = b - lengths[pick]
    cuts = [count]
    while cuts[-1] > 0:
        cuts.append(int(back[cuts[-1]]))
    return np.array(cuts[::-1], np.int64)
