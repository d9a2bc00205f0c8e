"""Which few seconds to listen to: where the candidates differ most and a melody is playing.

Conventions: ticks of the source; the difference of two candidates in a phrase is 1 minus the overlap (Jaccard) of who
plays which line in which octave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Candidate
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

SECONDS = 10.0  # wanted length
QUIET = 0.1  # worth of a second without melody against one with it


@dataclass(frozen=True)
class Excerpt:
    """A stretch [start, end) of the source in ticks, whole bars where they are not longer than the excerpt.

    `first_bar` and `last_bar` are printed numbers, both included.
    """

    start: int
    end: int
    start_s: float
    end_s: float
    first_bar: int
    last_bar: int


def differences(candidates: Sequence[Candidate], phrases: int) -> npt.NDArray[np.float64]:
    """How much each pair of candidates differs in each phrase.

    Returns
    -------
    float array, shape (pairs, phrases)
        0 = all the same, 1 = nothing in common; pairs as in `itertools.combinations`.
    """
    playing: list[list[frozenset[tuple[int, int, int]]]] = []
    for candidate in candidates:
        by_phrase: list[set[tuple[int, int, int]]] = [set() for _ in range(phrases)]
        for a in candidate.assignments:
            if 0 <= a.phrase < phrases:
                by_phrase[a.phrase].add((a.line, a.seat, a.octaves))
        playing.append([frozenset(s) for s in by_phrase])
    pairs = list(combinations(playing, 2))
    out = np.zeros((len(pairs), phrases))
    for row, (one, other) in enumerate(pairs):
        for phrase in range(phrases):
            either = len(one[phrase] | other[phrase])
            out[row, phrase] = 1 - len(one[phrase] & other[phrase]) / either if either else 0.0
    return out


def choose_excerpt(
    candidates: Sequence[Candidate], source: Score, analysis: Analysis, *, seconds: float = SECONDS
) -> Excerpt:
    """The window of about `seconds` that tells the candidates apart best; the earliest of equals.

    Windows begin at bars and hold whole bars, at least one. To a pair of candidates a bar is worth its seconds, times
    the difference of its phrase, times the share of it in which a melody note sounds. A window is worth the sum of the
    square roots over pairs: telling all pairs apart a little beats telling one pair apart very well.
    """
    bars = source.bars
    times = source.seconds(bars)
    apart = np.zeros((1, len(bars) - 1))
    if analysis.phrases and len(candidates) > 1:
        apart = differences(candidates, len(analysis.phrases))[:, analysis.phrase_of(bars[:-1])]
    share = _melody_share(source, analysis, bars)
    worth = (1e-3 + apart) * np.diff(times) * (QUIET + share)
    value = np.concatenate([np.zeros((len(worth), 1)), np.cumsum(worth, axis=1)], axis=1)
    # the last bar line within `seconds` of each bar's start, a quarter of a second over being no matter
    last = np.maximum(np.searchsorted(times, times[:-1] + seconds + 0.25, side="right") - 1, np.arange(1, len(bars)))
    windows = np.sqrt(np.maximum(value[:, last] - value[:, :-1], 0.0)).sum(axis=0)
    first = int(np.argmax(np.round(windows, 9)))
    stop = int(last[first])
    start, end = int(bars[first]), int(bars[stop])
    if times[stop] - times[first] > 2 * seconds:  # one bar longer than the excerpt: cut it
        end = int(source.tempo.ticks_at(times[first] + seconds))
    numbers = source.bar_number([start, end - 1]).tolist()
    return Excerpt(start, end, float(times[first]), float(source.seconds(end)), *numbers)


def _melody_share(source: Score, analysis: Analysis, bars: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Per bar the share in which a melody note sounds."""
    notes = source.notes
    if not len(notes) or not len(analysis.roles):
        return np.ones(len(bars) - 1)
    melody = analysis.note_roles(notes["onset"]) == Role.MELODY
    onset, end = notes["onset"][melody], source.ends[melody]
    covered = np.maximum.accumulate(np.concatenate([[0], end]))[:-1]  # what earlier notes already fill
    begin = np.maximum(onset, covered)
    # time covered up to a tick, as a piecewise linear function of the notes' begins and ends
    real = end > begin
    edges = np.stack([begin[real], end[real]], axis=-1).ravel()
    filled = np.stack([np.zeros(int(real.sum())), (end - begin)[real]], axis=-1).ravel().cumsum()
    if not len(edges):
        return np.zeros(len(bars) - 1)
    return np.asarray(np.diff(np.interp(bars, edges, filled, left=0.0)) / np.diff(bars), np.float64)
