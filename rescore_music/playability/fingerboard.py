"""Chords on strings: can one hand stop them, can one bow hold them; and how fast a finger plucks."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, permutations

import numpy as np

from rescore_music.playability.lines import hurried
from rescore_music.playability.player import Found, Player
from rescore_music.playability.strings import FINGERBOARDS, Fingerboard
from rescore_music.score import Articulation

_BROKEN_S = 2.0  # a broken chord's lower strings are let go at the latest after this
PLUCKS = 9.0  # a second
_OVERLAP_S = 0.1  # a note still held for less is let go, not stopped together with the next


def stops(p: Player) -> Found:
    """Notes at once that one player's hand cannot stop (Blatter, Instrumentation and Orchestration, "Multiple stops";
    Adler, ch. 2; for the guitar Gould, Behind Bars, "Guitar").

    Bowed strings must lie side by side; notes held into a chord count. A section divides such chords among its players.
    """
    board = FINGERBOARDS.get(p.instrument.id)
    if board is None:
        return
    last = -1
    onset, end, at = p.notes["onset"], p.notes["onset"] + p.notes["duration"], p.at
    for tick, second, rows in p.chords:
        held = (onset < tick) & (end > tick) & (p.end - second > _OVERLAP_S) & (at < second)
        pitches = tuple(sorted({*rows["pitch"].tolist(), *p.notes["pitch"][held].tolist()}))
        if len(pitches) > 1 and p.players < len(pitches) and not stoppable(pitches, board) and tick != last:
            last = tick
            yield tick, f"{', '.join(p.name(pitch) for pitch in pitches)} cannot be stopped together"


def held_stops(p: Player) -> Found:
    """Three or four strings to be held on by one bow, which sounds on two of them (Adler, "Multiple stops": triple
    stops are broken and two strings held; Piston).
    """
    board = FINGERBOARDS.get(p.instrument.id)
    if board is None or not board.bowed:
        return
    for tick, second, rows in p.chords:
        if len(rows) > max(2, p.players) and not (rows["articulation"] & int(Articulation.PIZZICATO)).any():
            end = p.end[(p.notes["onset"] == tick) & (p.notes["duration"] > 0)]
            third = float(np.sort(end)[-3]) - second if len(end) > 2 else 0.0
            if third > _BROKEN_S:
                yield tick, f"{len(rows)} strings for {third:.1f} s under one bow"


def plucked(p: Player) -> Found:
    """Pizzicato faster than one finger plucks for a second on end (Adler, "Pizzicato"; Rimsky-Korsakov, ch. I)."""
    if p.instrument.family != "strings" or p.instrument.id not in FINGERBOARDS:
        return
    at = np.unique(p.at[p.flagged(int(Articulation.PIZZICATO))])
    last = -np.inf
    for i in hurried(at, PLUCKS).tolist():
        if at[i] >= last + 1.0:
            last = float(at[i])
            yield (
                int(p.notes["onset"][np.searchsorted(p.at, at[i])]),
                f"more than {PLUCKS:g} plucked notes in a second",
            )


@lru_cache(maxsize=8192)
def stoppable(pitches: tuple[int, ...], board: Fingerboard) -> bool:
    """Whether one hand can stop these pitches, each on a string of its own.

    Parameters
    ----------
    pitches : tuple of int
        Rising, different.
    board : Fingerboard
    """
    if len(pitches) > len(board.strings):
        return False
    rising = all(np.diff(board.strings) > 0)
    for chosen in combinations(range(len(board.strings)), len(pitches)):
        if board.bowed and chosen[-1] - chosen[0] >= len(pitches):
            continue
        for order in [chosen] if rising else permutations(chosen):
            places = [pitch - board.strings[string] for pitch, string in zip(pitches, order, strict=True)]
            stopped = [place for place in places if place > 0]
            if min(places) >= 0 and (not stopped or max(stopped) - min(stopped) <= _span(min(stopped), board)):
                return True
    return False


def _span(place: int, board: Fingerboard) -> int:
    return board.high_span if place >= board.thumb else board.span
