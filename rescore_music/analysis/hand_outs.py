"""Hand-outs: the ways in which the notes of one onset can be given to voices.

Notes stand in order of height, the highest first, and so do voices. A way keeps that order but for a few crossings,
counted as pairs of notes that stand in crossed voices; a voice may take several notes as a chord, between which notes
of other voices may stand. What a way costs is linear in three tables of prices, so all ways of all hypotheses are
priced by three products of matrices:

- what voice v pays for note j (a chord pays the mean over its notes),
- what voice v pays for holding notes j and k at once, with none of its own between them,
- what it costs that notes j and k stand in crossed voices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CHORD_WIDTH = {2: 6, 3: 6, 4: 6, 5: 5}  # most notes of an onset that are handed out, chords included, by voices
CROSSED = {2: 3, 3: 3, 4: 3}  # most pairs of notes in crossed voices, by voices; of more voices one
CROSSED_CHORDS = {2: 2, 3: 2, 4: 2}  # where a voice holds a chord


def most_notes(voices: int) -> int:
    """How many notes of one onset are told apart; more than five voices hold no chords."""
    return CHORD_WIDTH.get(voices, voices)


def pairs(notes: int) -> Ints:
    """Upper and lower note of every pair: shape (2, pairs)."""
    return np.stack(np.triu_indices(notes, 1))


@dataclass(frozen=True, eq=False)
class HandOuts:
    """The ways to give n notes to V voices.

    Shapes: voice (ways, n), the voice of each note; single (V * n, ways), chord (V * pairs, ways) and exchange
    (pairs, ways), the shares of the prices in each way's cost.
    """

    voice: Ints
    single: Floats
    chord: Floats
    exchange: Floats


@cache
def hand_outs(notes: int, voices: int) -> HandOuts:
    """All ways to hand `notes` notes to `voices` voices; needs 1 <= notes <= most_notes(voices)."""
    ways = [way for way in permutations(range(voices), notes) if _crossings(way) <= CROSSED.get(voices, 1)]
    if voices in CHORD_WIDTH:
        most = CROSSED_CHORDS.get(voices, 0)
        ways += [w for w in product(range(voices), repeat=notes) if len(set(w)) < notes and _crossings(w) <= most]
    upper, lower = pairs(notes)
    voice = np.array(ways, np.int64).reshape(len(ways), notes)
    holds = voice[:, None, :] == np.arange(voices)[:, None]  # (ways, voices, notes)
    so_far = np.cumsum(holds, axis=2)
    both = holds[..., upper] & holds[..., lower]
    single = holds / np.maximum(holds.sum(axis=2, keepdims=True), 1)
    chord = both & (so_far[..., lower] - so_far[..., upper] == 1)
    exchange = voice[:, upper] > voice[:, lower]
    flat = [table.reshape(len(ways), -1).T.astype(np.float32).copy() for table in (single, chord, exchange)]
    return HandOuts(voice, *flat)


def _crossings(way: tuple[int, ...]) -> int:
    return sum(a > b for a, b in combinations(way, 2))
