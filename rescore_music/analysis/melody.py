"""Which line leads: the main melody, bar by bar, and which notes it is.

Each bar's lines are scored by `melody_net` on the clues of `melody_clues`, the score turned into log probabilities with
the prior that names and sounds give (`clues`). Lines that play the same in a bar share what is said of each of them,
and the choice is smoothed by a Viterbi path that pays for handing the melody over. A hand-over is then moved from the
bar line to where the new line really comes in.

`benchmarks/bench_melody.py` prints how often that is what the OpenScore Hauptstimme annotations say, with the works
held out, and fits the shipped weights (`--fit`).

Conventions: ticks; log probabilities; lines as in `Analysis.lines`.

Sources: D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior" (1974), for choosing among lines; the
OpenScore Hauptstimme corpus (scores CC0, annotations CC BY-SA) for the answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.clues import prior
from rescore_music.analysis.features import Texture, describe, top_notes
from rescore_music.analysis.frames import beats
from rescore_music.analysis.melody_clues import melody_clues
from rescore_music.analysis.melody_net import HOPELESS, Stages, log_chances, second_look, shipped_stages
from rescore_music.analysis.patterns import Patterns, find_patterns, others_alike
from rescore_music.analysis.runs import Runs, find_runs
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.score import Score
from rescore_music.structure import Line

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TRUST = 0.85  # how far the scorer's log odds count: it is surer of what it says than it is right
HAND_OVER = 0.12  # what it costs to give the melody to another line, in log probability
SHARED = 0.9  # share in which a line counts for leading when another that plays the same in the bar leads
UPBEAT = 0.5  # share of the bar before a hand-over in which the new line's upbeat may lie


class Segment(NamedTuple):
    """The part that carries the main melody from `onset` to `end`."""

    onset: int
    end: int
    part: int


class Odds(NamedTuple):
    """Log probabilities, shape (bars, lines).

    Attributes
    ----------
    own : float64 array
        That a line carries the melody: -inf for percussion everywhere, and in bars in which no pitched line has an
        onset.
    shared : float64 array
        That it carries the melody or plays the same tones as the line that does (`together`): how sure one may be that
        the tune is heard in it.
    """

    own: Floats
    shared: Floats


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the scorer reads: clues, shape (bars, lines, clues); patterns; runs; where which pitched lines play."""

    clues: npt.NDArray[np.float32]
    patterns: Patterns
    runs: tuple[Runs, ...]
    active: npt.NDArray[np.bool_]


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
    lines, line_of, path = _led(score)
    return segments_of(score, lines, line_of, path)


def melody_notes(score: Score) -> npt.NDArray[np.bool_]:
    """The notes that carry the main melody: of the leading line, the top note of each chord.

    In a piano texture this tells the melody from what lies in the same part.

    Parameters
    ----------
    score : Score

    Returns
    -------
    bool array, shape (notes,)
    """
    lines, line_of, path = _led(score)
    out = np.zeros(len(score.notes), bool)
    if not len(lines):
        return out
    tops = top_notes(score, line_of)
    out[tops] = path[score.bar_of(score.notes["onset"][tops])] == line_of[tops]
    return out


def _led(score: Score) -> tuple[tuple[Line, ...], npt.NDArray[np.int32], Ints]:
    lines, line_of = lines_of(score, separate_voices(score))
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    return lines, line_of, melody_path(melody_odds(score, lines, line_of, texture).shared)


def melody_evidence(
    score: Score,
    lines: tuple[Line, ...],
    line_of: npt.NDArray[np.int32],
    texture: Texture,
    tops: Ints | None = None,
    beat_edges: Ints | None = None,
) -> Evidence:
    """What the scorer reads of a score; `texture` over the bars, the others as in `melody_odds`."""
    pitched = np.array([not score.parts[line.part].percussion for line in lines], bool)
    active = texture.active & pitched
    tops = top_notes(score, line_of) if tops is None else tops
    grid = beats(score) if beat_edges is None else beat_edges
    patterns = find_patterns(score, line_of, len(lines), score.bars, tops, active)
    clues = melody_clues(score, lines, line_of, texture, patterns, tops, active, grid)
    return Evidence(clues, patterns, find_runs(score, line_of, len(lines), tops, active), active)


def evidence_scores(evidence: Evidence, stages: Stages) -> Floats:
    """Score of each line in each bar, -inf where it does not play: shape (bars, lines)."""
    first = stages[0].scores(evidence.clues, evidence.active)
    again = second_look(evidence.clues, first, evidence.active, evidence.patterns, evidence.runs)
    return stages[1].scores(again, evidence.active)


def melody_odds(
    score: Score,
    lines: tuple[Line, ...],
    line_of: npt.NDArray[np.int32],
    texture: Texture,
    tops: Ints | None = None,
    beat_edges: Ints | None = None,
    stages: Stages | None = None,
) -> Odds:
    """How likely each line carries the melody in each bar.

    Parameters
    ----------
    score : Score
    lines : tuple of Line
    line_of : int32 array, shape (notes,)
    texture : Texture
        Over the bars.
    tops, beat_edges : int64 arrays, optional
        `features.top_notes` and `frames.beats`, if they are at hand.
    stages : pair of Stage, optional
        The scorer; the shipped one by default.

    Returns
    -------
    Odds
    """
    if not texture.active.any():
        nothing = np.full(texture.onsets.shape, -np.inf)
        return Odds(nothing, nothing)
    evidence = melody_evidence(score, lines, line_of, texture, tops, beat_edges)
    own = odds_of(evidence, prior(lines, score), stages or shipped_stages())
    return Odds(own, together(own, evidence))


def odds_of(evidence: Evidence, before: Floats, stages: Stages) -> Floats:
    """`Odds.own` of the evidence and of the log odds of each line before a note is heard, shape (lines,)."""
    active = evidence.active
    playing: npt.NDArray[np.bool_] = np.asarray(active.any(axis=1), np.bool_)
    odds = np.full(active.shape, -np.inf)
    if not active.any():
        return odds
    odds = log_chances(TRUST * evidence_scores(evidence, stages) + before)
    odds[~np.isfinite(odds)] = HOPELESS
    odds[playing[:, None] & ~active] = HOPELESS - 3
    odds[~playing] = -np.inf
    odds[:, ~active.any(axis=0)] = -np.inf
    return odds


def together(odds: Floats, evidence: Evidence) -> Floats:
    """Log probability that a line or another that plays the same tones in the bar leads; the others' count `SHARED`."""
    chance = np.where(evidence.active, np.exp(np.maximum(odds, HOPELESS)), 0.0)
    whole = chance + SHARED * others_alike(evidence.patterns.tones, evidence.active, chance)
    return np.where(evidence.active, np.log(np.maximum(whole, np.exp(HOPELESS))), odds)


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


def segments_of(
    score: Score, lines: tuple[Line, ...], line_of: npt.NDArray[np.int32], path: Ints
) -> tuple[Segment, ...]:
    """Segments of equal leading part, of a path over the bars; hand-overs moved to the new line's entry."""
    starts = np.flatnonzero(path >= 0)
    if not len(starts):
        return ()
    part = np.array([lines[i].part for i in path[starts]])
    new = np.concatenate([[True], part[1:] != part[:-1]])
    bars = score.bars
    onsets = bars[starts[new]].astype(np.int64)
    for i, bar in enumerate(starts[new].tolist()):
        if i:
            onsets[i] = max(entry(score, lines[path[bar]].notes, bar), int(onsets[i - 1]) + 1)
    last = min(int(bars[starts[-1] + 1]), max(score.length, int(onsets[-1]) + 1))
    ends = np.append(onsets[1:], max(last, int(onsets[-1]) + 1))
    return tuple(Segment(int(a), int(b), int(p)) for a, b, p in zip(onsets, ends, part[new], strict=True))


def entry(score: Score, notes: Ints, bar: int) -> int:
    """Where a line that takes over in a bar comes in: after a rest, in the bar or as its upbeat; else the bar line."""
    start, stop = int(score.bars[bar]), int(score.bars[bar + 1])
    early = start - int(UPBEAT * (start - int(score.bars[bar - 1])))
    onset = score.notes["onset"][notes]
    lo, hi = int(np.searchsorted(onset, early)), int(np.searchsorted(onset, stop))
    gap = max(score.beat_ticks(start) // 2, 1)
    sounded = int(score.ends[notes[max(lo - 8, 0) : lo]].max(initial=0)) if lo else -gap
    found = -1
    for note in notes[lo:hi]:
        at = int(score.notes["onset"][note])
        if at - sounded >= gap and (found < 0 or abs(at - start) < abs(found - start)):
            found = at
        sounded = max(sounded, at + int(score.notes["duration"][note]))
    return start if found < 0 else found
