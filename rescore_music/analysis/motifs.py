"""Motifs: short patterns that come back, transposed or in scale steps too.

A line is read as a melody: its highest note at each onset. A pattern is a run of 4 to 24 of these notes, named by its
diatonic intervals and its inter-onset times, and once more by its semitones, since a key may be misread; equal names
are statements of the same motif, whatever the key and octave. Runs of every length are named at once (ranks of length
2n from ranks of length n), so the cost is that of a few sorts. Candidates that a longer one explains are dropped, the
others are ranked by how many notes they hold, how often they come, how varied and how compact they are, and taken
greedily as long as they say something new.

Conventions: ticks; a note's scale step comes from its spelling, or from the key in force (a raised or lowered degree
keeps its step); inter-onset times are compared on a grid of a twelfth of a quarter; a wait of more than two quarters
without sound ends a run. Occurrences hold indices into `score.notes`.

Sources: D. Meredith, K. Lemström and G. Wiggins, "Algorithms for discovering repeated patterns in multidimensional
representations of polyphonic music" (2002), for translation in diatonic pitch; R. Karp, R. Miller and A. Rosenberg,
"Rapid identification of repeated patterns in strings, trees and arrays" (1972), for naming by doubling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.features import top_notes
from rescore_music.analysis.harmony import key_spans
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.score import Score
from rescore_music.structure import KeySpan, Motif, Occurrence

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LENGTHS = (4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24)
KEPT = 10  # motifs told
TRIED = 400  # candidates looked at closely, for each length
LONGEST_WAIT = 2.0  # quarters of silence inside a motif
BRIEF = 4.0  # quarters that a motif may last at no discount
NEW_SHARE = 0.5  # of its notes must not belong to motifs taken before
MAJOR_STEPS = np.array([0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])  # scale step of each semitone above the tonic
MINOR_STEPS = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])


@dataclass(frozen=True, eq=False)
class _Melodies:
    """All lines end to end: note index, line, onset, diatonic pitch, and the name of the move to the next note."""

    note: Ints
    line: Ints
    onset: Ints
    step: Ints
    move: Ints  # -1 where the run ends
    exact: Ints  # the same in semitones


def discover_motifs(
    score: Score,
    *,
    line_of: npt.NDArray[np.int32] | None = None,
    keys: tuple[KeySpan, ...] | None = None,
) -> tuple[Motif, ...]:
    """The patterns that come back, the weightiest first, at most ten.

    Parameters
    ----------
    score : Score
    line_of : int32 array, optional
        Line of each note, if it is at hand.
    keys : tuple of KeySpan, optional
        Keys of the score, if they are at hand.

    Returns
    -------
    tuple of Motif
        Occurrences by onset, the first with relation "first"; simultaneous statements in several lines count once.
    """
    if not np.any(score.pitched):
        return ()
    line_of = lines_of(score, separate_voices(score))[1] if line_of is None else line_of
    melodies = _melodies(score, line_of, key_spans(score) if keys is None else keys)
    candidates = _candidates(score, melodies)
    chosen = _choose(score, melodies, candidates)
    return tuple(_motif(score, melodies, i, *found) for i, found in enumerate(chosen))


def diatonic_pitch(score: Score, keys: tuple[KeySpan, ...]) -> Ints:
    """Scale steps above C-1 of every note, by its spelling or by the key in force."""
    notes = score.notes
    pitch = notes["pitch"].astype(np.int64)
    starts = np.array([k.start for k in keys] or [0])
    tonic = np.array([k.tonic for k in keys] or [0])
    minor = np.array([k.mode == "minor" for k in keys] or [False])
    at = np.maximum(np.searchsorted(starts, notes["onset"], side="right") - 1, 0)
    above = (pitch - tonic[at]) % 12
    degree = np.where(minor[at], MINOR_STEPS[above], MAJOR_STEPS[above])
    home = np.where(minor[at], tonic[at] + 3, tonic[at]) % 12  # the signature's major key
    letter = 4 * ((home * 7 + 5) % 12 - 5) % 7  # a fifth is four steps; at most six sharps, five flats
    letter = np.where(minor[at], (letter + 5) % 7, letter)
    by_key = 7 * ((pitch - above) // 12) + letter + degree
    spelled = notes["step"] >= 0
    octave = (pitch - notes["alter"] - np.array([0, 2, 4, 5, 7, 9, 11])[np.maximum(notes["step"], 0)]) // 12
    return np.asarray(np.where(spelled, 7 * octave + notes["step"], by_key), np.int64)


def _melodies(score: Score, line_of: npt.NDArray[np.int32], keys: tuple[KeySpan, ...]) -> _Melodies:
    top = top_notes(score, line_of)
    top = top[score.pitched[top] & (score.notes["duration"][top] > 0)]
    onset, end = score.notes["onset"][top], score.ends[top]
    line, step = line_of[top].astype(np.int64), diatonic_pitch(score, keys)[top]
    quarter = score.ticks_per_quarter
    wait, leap = np.diff(onset), np.diff(step)
    joined = (np.diff(line) == 0) & (onset[1:] - np.maximum(end[:-1], onset[:-1]) <= LONGEST_WAIT * quarter)
    joined &= wait <= 8 * quarter
    time = (wait * 12 + quarter // 2) // quarter
    pitch = score.notes["pitch"][top].astype(np.int64)
    names = [np.clip(x, -60, 60) + 64 + 128 * np.clip(time, 0, 100) for x in (leap, np.diff(pitch))]
    move, exact = (np.append(np.where(joined, name, -1), -1) for name in names)
    return _Melodies(top, line, onset, step, move, exact)


def _names(move: Ints) -> dict[int, Ints]:
    """For each length in moves, a name per place such that equal runs have equal names; -1 where the run ends."""
    single = np.where(move < 0, -1, np.unique(move, return_inverse=True)[1].reshape(-1))
    names = {1: single}
    wanted = [n - 1 for n in LENGTHS if n - 1 < len(move)]
    longest = 1
    for n in wanted:
        while longest < n:  # a run is named by a known run and another that ends where it ends; they may overlap
            shift = min(longest, n - longest)
            tail = np.full(len(move), -1, np.int64)
            tail[: len(move) - shift] = names[longest][shift:]
            names[longest + shift] = _pairs(names[longest], tail)
            longest += shift
    return {n: names[n] for n in wanted}


def _pairs(first: Ints, second: Ints) -> Ints:
    """A name for each pair of names, -1 where one of them is missing."""
    ok = (first >= 0) & (second >= 0)
    pair = first[ok] * (int(second.max(initial=0)) + 1) + second[ok]
    out = np.full(len(first), -1, np.int64)
    out[ok] = np.unique(pair, return_inverse=True)[1].reshape(-1)
    return out


def _candidates(score: Score, m: _Melodies) -> list[tuple[float, int, Ints]]:
    """(weight, notes, places) of patterns that come at least twice at different times, the weightiest first."""
    out: list[tuple[float, int, Ints]] = []
    quarter = score.ticks_per_quarter
    for moves, name in (*_names(m.move).items(), *_names(m.exact).items()):
        where = np.flatnonzero(name >= 0)
        if len(where) < 2:
            continue
        length = moves + 1
        counts = np.bincount(name[where])
        often = counts[name[where]] > 1
        where = where[often]
        if not len(where):
            continue
        order = np.lexsort((m.onset[where], name[where]))
        where = where[order]
        cuts = np.flatnonzero(np.concatenate([[True], np.diff(name[where]) != 0]))
        first = where[cuts]
        count = np.diff(np.append(cuts, len(where)))
        rough = _interest(m, first, length, quarter) * np.log2(count + 0.5)
        for k in np.argsort(-rough, kind="stable")[:TRIED]:
            out.append((float(rough[k]), length, where[cuts[k] : cuts[k] + count[k]]))
    out.sort(key=lambda c: (-c[0], -c[1], int(m.onset[c[2][0]]), int(m.line[c[2][0]])))
    return out


def _interest(m: _Melodies, first: Ints, length: int, quarter: int) -> Floats:
    """How much a pattern says: its notes, discounted for repeated pitches, for evenness and for spreading out."""
    rows = first[:, None] + np.arange(length)
    steps = m.step[rows]
    moved = np.count_nonzero(np.diff(steps, axis=1) != 0, axis=1) / (length - 1)
    moves = np.sort(m.move[rows[:, :-1]], axis=1)
    different = 1 + np.count_nonzero(np.diff(moves, axis=1), axis=1)
    span = (m.onset[rows[:, -1]] - m.onset[rows[:, 0]]) / quarter
    compact = 1 / (1 + np.maximum(span - BRIEF, 0) / 4)
    return np.asarray(np.sqrt(min(length, 12)) * (1 + moved) * np.cbrt(different) * compact, np.float64)


def _choose(score: Score, m: _Melodies, candidates: list[tuple[float, int, Ints]]) -> list[tuple[float, int, Ints]]:
    """Greedily the candidates that mostly cover notes that no motif covers yet."""
    taken = np.zeros(len(m.note), bool)
    chosen: list[tuple[float, int, Ints]] = []
    for weight, length, places in candidates:
        if chosen and weight < 0.05 * chosen[0][0]:
            break
        rows = places[:, None] + np.arange(length)
        if 1 - taken[rows].mean() < NEW_SHARE:
            continue
        places = _apart(m, places, length)
        if len(places) < 2:
            continue
        exact = _interest(m, places[:1], length, score.ticks_per_quarter)[0] * np.log2(len(places) + 0.5)
        if exact < 0.6 * weight and len(places) < 3:
            continue
        chosen.append((float(exact), length, places))
        taken[rows] = True
        if len(chosen) == KEPT:
            break
    chosen.sort(key=lambda c: -c[0])
    return chosen


def _apart(m: _Melodies, places: Ints, length: int) -> Ints:
    """Statements by onset: in a line one after the other, and of simultaneous ones the upper line's."""
    order = np.lexsort((m.line[places], m.onset[places]))
    free: dict[int, int] = {}
    kept: list[int] = []
    last = -1
    for place in places[order]:
        line, start = int(m.line[place]), int(m.onset[place])
        if start == last or place < free.get(line, 0):
            continue
        kept.append(int(place))
        last = start
        free[line] = int(place) + length - 1  # statements may share one note
    return np.array(kept, np.int64)


def _motif(score: Score, m: _Melodies, number: int, weight: float, length: int, places: Ints) -> Motif:
    rows = m.note[places[:, None] + np.arange(length)]
    pitch = score.notes["pitch"][rows].astype(np.int64)
    apart = pitch - pitch[0]
    occurrences = []
    for i, notes in enumerate(rows):
        equal = bool(np.all(apart[i] == apart[i, 0]))
        shift = int(apart[i, 0])
        relation = "first" if i == 0 else "diatonic" if not equal else "exact" if shift % 12 == 0 else "transposed"
        start, end = int(score.notes["onset"][notes[0]]), int(score.ends[notes].max())
        occurrences.append(Occurrence(notes.copy(), start, end, relation, shift))
    return Motif(f"motif {number + 1}", tuple(occurrences), weight)
