"""Hand-outs: the ways in which the notes of one onset can be given to voices.

Notes stand in order of height, the highest first, and so do voices. A way keeps that order, but for one exchange of
neighbours; a voice may take several neighbouring notes as a chord. What a way costs is linear in three tables of
prices, so all ways of all hypotheses are priced by three products of matrices:

- what voice v pays for note j (a chord pays the mean over its notes),
- what voice v pays for holding notes j and j + 1 at once,
- what the exchange of notes j and j + 1 costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, combinations_with_replacement

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CHORD_WIDTH = {2: 6, 3: 6, 4: 6, 5: 5}  # most notes of an onset that are handed out, chords included, by voices


def most_notes(voices: int) -> int:
    """How many notes of one onset are told apart; more than five voices hold no chords."""
    return CHORD_WIDTH.get(voices, voices)


@dataclass(frozen=True, eq=False)
class HandOuts:
    """The ways to give n notes to V voices.

    Shapes: voice (ways, n), the voice of each note; single (V * n, ways), chord (V * (n - 1), ways) and exchange
    (n - 1, ways), the shares of the prices in each way's cost.
    """

    voice: Ints
    single: Floats
    chord: Floats
    exchange: Floats


@cache
def hand_outs(notes: int, voices: int) -> HandOuts:
    """All ways to hand `notes` notes to `voices` voices; needs 1 <= notes <= most_notes(voices)."""
    ways: list[tuple[tuple[int, ...], int]] = []  # voice of each note, upper of the two notes exchanged (or -1)
    for chosen in combinations(range(voices), notes):
        ways.append((chosen, -1))
        for i in range(notes - 1):
            swapped = list(chosen)
            swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
            ways.append((tuple(swapped), i))
    if voices in CHORD_WIDTH:
        chords = combinations_with_replacement(range(voices), notes)
        ways += [(chosen, -1) for chosen in chords if len(set(chosen)) < notes]
    single = np.zeros((voices, notes, len(ways)), np.float32)
    chord = np.zeros((voices, max(notes - 1, 0), len(ways)), np.float32)
    exchange = np.zeros((max(notes - 1, 0), len(ways)), np.float32)
    for a, (way, upper) in enumerate(ways):
        for j, v in enumerate(way):
            single[v, j, a] = 1 / way.count(v)
            if j and way[j - 1] == v:
                chord[v, j - 1, a] = 1
        if upper >= 0:
            exchange[upper, a] = 1
    voice = np.array([way for way, _ in ways], np.int64).reshape(len(ways), notes)
    return HandOuts(voice, single.reshape(voices * notes, -1), chord.reshape(-1, len(ways)), exchange)
