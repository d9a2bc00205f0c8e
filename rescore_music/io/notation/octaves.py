"""Octave lines: 8va and 8vb over passages on many ledger lines, for players who use them.

Keyboards, harps, tuned percussion and high strings do; wind players read ledger lines. The lines of one staff are the
cheapest path through its chords, as its clefs are: a chord costs its ledger lines beyond three, a chord under a line a
little, or much where it would do without, and a line the more the worse the places where it begins and ends.

Positions are staff steps above C of octave 0 (C4 = 28); times are notated ticks.

References
----------
Gould, E. (2011). Behind Bars, "Ground rules", octave signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import instruments
from rescore_music.io.notation.clefs import AFTER_REST, AT_BAR, Chord, change_cost, cheapest_path, ledger_lines

Ints = npt.NDArray[np.int64]

FREE = 3  # ledger lines that stay
UNDER, NEEDLESS = 0.4, 2.0  # what a chord under a line costs that has two ledger lines or more; that has fewer
LEAST = 3  # chords under a line
LINES = (("", 0), ("8va", 7), ("8vb", -7))
_FAMILIES = ("keyboard", "plucked", "percussion")
_PROGRAMS = frozenset({*range(16), 40, 46, 48, 49, 50, 51})  # keyboards, tuned percussion, violin, harp, strings


def uses_octave_lines(instrument: str, program: int, staves: int) -> bool:
    """Whether the players of an instrument are used to them; its General MIDI program decides where none is known."""
    row = instruments().get(instrument)
    if staves > 1:
        return True
    if row is None:
        return program in _PROGRAMS
    return row.family in _FAMILIES or instrument == "violin"


def octave_lines(
    chords: Sequence[Chord], clefs: Sequence[tuple[int, str]], bars: Ints, beat: int
) -> list[tuple[int, int, str]]:
    """The octave lines of one staff.

    Parameters
    ----------
    chords : sequence of Chord
        By start.
    clefs : sequence of (tick, clef)
        As `clef_path` gives them.
    bars : int64 array
        Bar starts in notated ticks.
    beat : int
        Ticks of a beat.

    Returns
    -------
    list of (start, end, text)
        In notated ticks, "8va" or "8vb"; none of them over fewer than three chords.
    """
    if not chords:
        return []
    places = [tick for tick, _ in clefs]
    names = [clefs[max(int(np.searchsorted(places, c.start, side="right")) - 1, 0)][1] for c in chords]
    bare = [max(ledger_lines(name, c.low, c.high) - FREE, 0) for name, c in zip(names, chords, strict=True)]
    if sum(bare) < AFTER_REST:
        return []
    costs = np.zeros((len(chords), len(LINES)))
    for row, name, c in zip(costs, names, chords, strict=True):
        under = UNDER if ledger_lines(name, c.low, c.high) >= 2 else NEEDLESS
        row[:] = [
            max(ledger_lines(name, c.low - move, c.high - move) - FREE, 0) + under * (move != 0) for _, move in LINES
        ]
    moves = np.array([0.0, *(change_cost(a, b, bars, beat) for a, b in pairwise(chords))])
    path = cheapest_path(costs, moves, AT_BAR)
    edges = [0, *(i for i in range(1, len(path)) if path[i] != path[i - 1]), len(path)]
    return [
        (chords[a].start, max(c.end for c in chords[a:b]), LINES[path[a]][0])
        for a, b in pairwise(edges)
        if path[a] and b - a >= LEAST
    ]
