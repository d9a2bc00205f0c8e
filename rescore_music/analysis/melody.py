"""Which line leads: the main melody, bar by bar and phrase by phrase.

Each bar's line is chosen by a conditional logit over the clues of `clues` (the line with the largest weighted sum is
the likeliest), and the choice is smoothed by a Viterbi path that pays for handing the melody over. The weights were
fitted to the part that the OpenScore Hauptstimme annotations of Beethoven's symphonies and two Brandenburg concertos
name at each moment; `benchmarks/bench_analysis.py --fit` fits them anew, its table gives the cross-validated figure.
The weights of accompanying names, of General MIDI sounds and of lower voices of a part are set by hand: the annotated
scores hold none of them.

Conventions: ticks; log probabilities; lines as in `Analysis.lines`.

Sources: D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior" (1974); the OpenScore Hauptstimme
corpus (scores CC0, annotations CC BY-SA) for the answers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.clues import CLUES, melody_clues
from rescore_music.analysis.features import Texture, describe
from rescore_music.analysis.frames import beats
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.score import Score
from rescore_music.structure import Line

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEIGHTS: dict[str, float] = {
    "height": 0.43,
    "over mean": 0.45,
    "highest": 0.54,
    "lowest": 0.22,
    "activity": -0.07,
    "activity over mean": -0.07,
    "repeated": -1.34,
    "steps": 0.55,
    "leaps": -0.48,
    "variety": 0.69,
    "pitches": 2.36,
    "one value": -0.39,
    "values": 2.11,
    "chords": -0.15,
    "loudness": 0.36,
    "sounding": 2.59,
    "alone": -0.00,
    "doubled": -0.01,
    "shared rhythm": -0.25,
    "entry": 0.01,
    "around": 0.18,
    "first of its kind": 0.76,
    "later of its kind": -1.37,
    "violin": -0.32,
    "viola": -0.50,
    "low string": -0.37,
    "high wind": -0.88,
    "low wind": -0.41,
    "horn": -0.01,
    "brass": -0.23,
    "named melody": 2.04,
    "named accompaniment": -1.00,
    "lead sound": 1.00,
    "backing sound": -1.00,
    "bass sound": -2.00,
    "under a voice of its part": -1.50,
}
HAND_OVER = 0.5  # what it costs to give the melody to another line, in log probability
HOPELESS = -12.0  # log probability of a line that does not play while others do


class Segment(NamedTuple):
    """The part that carries the main melody from `onset` to `end`."""

    onset: int
    end: int
    part: int


def main_melody(score: Score) -> tuple[Segment, ...]:
    """The part that leads at each moment.

    Parameters
    ----------
    score : Score

    Returns
    -------
    tuple of Segment
        (onset, end, part) in ticks, rising, without gaps from the first bar with a pitched note to the last; bars
        without one belong to the segment before. Empty where there is no pitched note.
    """
    lines, line_of = lines_of(score, separate_voices(score))
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    path = melody_path(melody_odds(score, lines, texture))
    starts = np.flatnonzero(path >= 0)
    if not len(starts):
        return ()
    part = np.array([lines[i].part for i in path[starts]])
    new = np.concatenate([[True], part[1:] != part[:-1]])
    onsets = score.bars[starts[new]]
    last = min(int(score.bars[starts[-1] + 1]), max(score.length, int(onsets[-1]) + 1))
    ends = np.append(onsets[1:], last)
    return tuple(Segment(int(a), int(b), int(p)) for a, b, p in zip(onsets, ends, part[new], strict=True))


def melody_odds(score: Score, lines: tuple[Line, ...], texture: Texture) -> Floats:
    """Log probability that each line carries the melody in each span: shape (spans, lines).

    -inf for percussion everywhere, and in spans in which no pitched line has an onset.
    """
    odds = np.full(texture.onsets.shape, -np.inf)
    pitched = np.array([not score.parts[line.part].percussion for line in lines], bool)
    active = texture.active & pitched
    if not active.any():
        return odds
    weights = np.array([WEIGHTS[name] for name in CLUES])
    value = np.where(active, melody_clues(texture, lines, score.parts) @ weights, -np.inf)
    spans = active.any(axis=1)
    value = value[spans]
    top = value.max(axis=1, keepdims=True)
    logs = value - top - np.log(np.exp(value - top).sum(axis=1, keepdims=True))
    odds[spans] = np.where(pitched, np.maximum(logs, HOPELESS), -np.inf)
    odds[active.any(axis=1)[:, None] & ~active & pitched] = HOPELESS - 3
    return odds


def melody_path(odds: Floats) -> Ints:
    """The leading line of each span, -1 where no pitched line has an onset."""
    spans = np.flatnonzero(np.isfinite(odds).any(axis=1)) if odds.size else np.zeros(0, np.int64)
    path = np.full(len(odds), -1, np.int64)
    if not len(spans):
        return path
    back = np.zeros((len(spans), odds.shape[1]), np.int64)
    own = np.arange(odds.shape[1])
    best = odds[spans[0]].copy()
    for i, span in enumerate(spans[1:], start=1):
        top = int(best.argmax())
        moved = best[top] - HAND_OVER
        back[i] = np.where(best >= moved, own, top)
        best = np.maximum(best, moved) + odds[span]
    at = int(best.argmax())
    for i in range(len(spans) - 1, -1, -1):
        path[spans[i]] = at
        at = int(back[i, at])
    return path
