"""Where a part changes its clef: for passages that would stand on ledger lines, not for single notes.

A cellist reads bass, tenor and treble clef, a violist alto and treble, a bassoonist or trombonist bass and tenor, a
pianist treble and bass on either staff. The clefs of one staff are the cheapest path through its chords: a chord costs
its ledger lines beyond two, a chord under a clef that is not the instrument's own a little, a change of clef much, and
the more the worse its place: after a rest it disturbs least, then at a bar line, on a beat, off it, and inside a slur.

Positions are staff steps above C of octave 0 (C4 = 28); times are notated ticks.

References
----------
Gould, E. (2011). Behind Bars, "Ground rules", clefs; "Strings", "Woodwind and brass": which clefs players read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

# position of the bottom line; the top line is eight steps higher
BOTTOM = {"G2": 30, "F4": 18, "C3": 24, "C4": 22, "G2-8": 23, "G2+8": 37, "F4-8": 11}
FREE = 2  # ledger lines that every player reads at sight
STRANGE = 0.25  # what a chord costs under a clef that is not the staff's own
AFTER_REST, AT_BAR, ON_BEAT, OFF_BEAT, UNDER_SLUR = 3.0, 5.0, 8.0, 12.0, 8.0

_READS = {
    "viola": ("C3", "G2"),
    "cello": ("F4", "C4", "G2"),
    "double-bass": ("F4", "C4"),
    "bassoon": ("F4", "C4"),
    "trombone": ("F4", "C4"),
    "euphonium": ("F4", "C4"),
}
_BY_PROGRAM = {41: "viola", 42: "cello", 43: "double-bass", 70: "bassoon", 57: "trombone"}
_TREBLE = frozenset({40, 56, 59, 60, *range(64, 67), 68, 69, 71, 72, 73, 74, 75, 79, 105, 110})
_OCTAVES = frozenset({9, 13, *range(24, 40), 43, 47, 58})  # read one clef at the octave, or low brass and timpani


class Chord(NamedTuple):
    """What stands at one place of a staff: its span in ticks, its lowest and highest position, if a slur leads on."""

    start: int
    end: int
    low: int
    high: int
    slurred: bool


def clefs_read(instrument: str, program: int, home: str, staves: int) -> tuple[str, ...]:
    """The clefs that a staff of this instrument may change to, its own first.

    Parameters
    ----------
    instrument : str
        Id of the instrument table, or "".
    program : int
        General MIDI program, which decides where no instrument is known.
    home : str
        The staff's own clef.
    staves : int
        Of the part.

    Returns
    -------
    tuple of str
        Only `home` where its players read no other.
    """
    if staves > 1:
        others: tuple[str, ...] = ("G2", "F4")
    elif instrument or program in _BY_PROGRAM:
        others = _READS.get(instrument or _BY_PROGRAM[program], ())
    elif program in _TREBLE or program in _OCTAVES:
        others = ()
    else:
        others = ("G2", "F4")
    return (home, *(c for c in others if c != home)) if home in others else (home,)


def ledger_lines(clef: str, low: int, high: int) -> int:
    """Ledger lines that a chord between two positions needs at its worse end."""
    bottom = BOTTOM[clef]
    return max((bottom - low) // 2, (high - bottom - 8) // 2, 0)


def clef_path(chords: Sequence[Chord], clefs: tuple[str, ...], bars: Ints, beat: int) -> list[tuple[int, str]]:
    """The clefs of one staff.

    Parameters
    ----------
    chords : sequence of Chord
        By start.
    clefs : tuple of str
        The staff's own first.
    bars : int64 array
        Bar starts in notated ticks.
    beat : int
        Ticks of a beat.

    Returns
    -------
    list of (tick, clef)
        The first at 0; later ones where a chord begins (or its bar, where it begins one) under another clef.
    """
    home = clefs[0]
    if not chords or len(clefs) == 1:
        return [(0, home)]
    own = [max(ledger_lines(home, c.low, c.high) - FREE, 0) for c in chords]
    if sum(own) < AFTER_REST:
        return [(0, home)]
    costs = np.array(
        [[max(ledger_lines(k, c.low, c.high) - FREE, 0) + STRANGE * (k != home) for k in clefs] for c in chords]
    )
    moves = np.array([0.0, *(change_cost(a, b, bars, beat) for a, b in pairwise(chords))])
    path = cheapest_path(costs, moves, AT_BAR)
    out = [(0, clefs[path[0]])]
    for i in range(1, len(path)):
        if path[i] != path[i - 1]:
            out.append((_place(chords[i - 1], chords[i], bars), clefs[path[i]]))
    return out


def cheapest_path(costs: npt.NDArray[np.float64], moves: npt.NDArray[np.float64], first: float) -> list[int]:
    """The state of each chord on the cheapest way through them.

    Parameters
    ----------
    costs : float64 array, shape (chords, states)
    moves : float64 array, shape (chords,)
        What a change of state costs before each chord.
    first : float
        What it costs to begin in another state than 0.
    """
    states = costs.shape[1]
    best = costs[0] + np.where(np.arange(states) == 0, 0.0, first)
    back = np.zeros(costs.shape, np.int64)
    for i in range(1, len(costs)):
        cheapest = int(best.argmin())
        change = best[cheapest] + moves[i]
        back[i] = np.where(best <= change, np.arange(states), cheapest)
        best = np.minimum(best, change) + costs[i]
    state = int(best.argmin())
    path = [state]
    for i in range(len(costs) - 1, 0, -1):
        state = int(back[i, state])
        path.append(state)
    return path[::-1]


def change_cost(before: Chord, after: Chord, bars: Ints, beat: int) -> float:
    """What a change of clef costs between two chords."""
    if after.start - before.end >= beat:
        return AFTER_REST
    bar = int(np.searchsorted(bars, after.start, side="right")) - 1
    into = after.start - int(bars[bar])
    cost = AT_BAR if into == 0 else ON_BEAT if into % beat == 0 else OFF_BEAT
    return cost + (UNDER_SLUR if before.slurred else 0.0)


def _place(before: Chord, after: Chord, bars: Ints) -> int:
    """Where the new clef stands: at the bar line where only rests are between it and the chord, else at the chord."""
    line = int(bars[int(np.searchsorted(bars, after.start, side="right")) - 1])
    return line if line >= before.end else after.start
