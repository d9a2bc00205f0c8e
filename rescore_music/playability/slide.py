"""The trombone's slide: positions, and what one sweep of it can join; gaps in the ranges of trombone and harp.

Conventions: positions 1 (drawn in) to 7; a position lowers every partial by a semitone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rescore_music.playability.player import Found, Player
from rescore_music.score import GRACE, Articulation

# the first partial in first position, and semitones that the valves add where there are some
_TUBES = {"trombone": (34, (5,)), "trombone-bb": (34, (5,)), "bass-trombone": (34, (5, 8)), "alto-trombone": (39, ())}
_WIRES = ((23, 24), (25, 26))  # the harp's C1 and D1 strings, flat or natural: no pedal changes them
_PARTIALS = (0, 12, 19, 24, 28, 31, 34, 36, 38, 40, 43, 46)  # semitones above the first, rounded
_LONG_WAY = 5  # positions
_QUICK_S = 0.14


@lru_cache(maxsize=512)
def slide_positions(instrument: str, pitch: int) -> tuple[int, ...]:
    """Positions in which a trombone sounds a pitch, with or without its valve; empty where it has none."""
    first, valves = _TUBES[instrument]
    out = {first + partial - pitch + 1 for partial in _PARTIALS}
    for valve in valves:  # a longer tube has longer positions, and fewer of them
        stretch = 2 ** (valve / 12)
        out |= {round((first - valve + partial - pitch) * stretch) + 1 for partial in _PARTIALS[1:]}
    return tuple(sorted(position for position in out if 1 <= position <= 7))


def gaps(p: Player) -> Found:
    """Notes inside the range that the instrument has not: a trombone's between its pedal notes and seventh position,
    and the harp's lowest two strings, which no pedal reaches, in a second tuning (Adler, "The trombone", "The harp").
    """
    if p.instrument.id in _TUBES:
        for row in p.notes:
            if p.low <= row["pitch"] <= p.high and not slide_positions(p.instrument.id, int(row["pitch"])):
                yield int(row["onset"]), f"{p.name(int(row['pitch']))} has no position"
    elif p.instrument.id == "harp":
        for string in _WIRES:
            tuning = -1
            for row in p.notes[np.isin(p.notes["pitch"], string)]:
                tuning = int(row["pitch"]) if tuning < 0 else tuning
                if row["pitch"] != tuning:
                    yield int(row["onset"]), f"{p.name(int(row['pitch']))}: the string is tuned to {p.name(tuning)}"


def positions(p: Player) -> Found:
    """Quick notes for which the slide must go five or more positions, whatever alternate positions are taken
    (Adler, "The trombone"; Kennan & Grantham, positions and partials).
    """
    if p.instrument.id not in _TUBES or (p.players > 1 and p.divisi > p.players):
        return
    plain = ~p.flagged(GRACE)
    notes, at = p.notes[plain], p.at[plain]
    costs: dict[int, float] = {}
    last_at, trouble = -np.inf, 0.0
    for row, second in zip(notes, at.tolist(), strict=True):
        here = slide_positions(p.instrument.id, int(row["pitch"]))
        if not here:
            continue
        if second <= last_at:  # two players' notes at once
            continue
        quick = second - last_at < _QUICK_S

        def way(a: int, b: int, quick: bool = quick) -> float:
            return abs(a - b) * 0.001 + (quick and abs(a - b) >= _LONG_WAY)

        new = {b: min((cost + way(a, b) for a, cost in costs.items()), default=0.0) for b in here}
        least = min(new.values())
        if np.floor(least) > trouble:
            trouble = float(np.floor(least))
            yield int(row["onset"]), f"the slide cannot reach {p.name(int(row['pitch']))} in {second - last_at:.2f} s"
        costs, last_at = new, second


def glissandi(p: Player) -> Found:
    """Glissandi that do not lie on one partial, within the slide's seven positions (Adler, "The trombone")."""
    if p.instrument.id not in _TUBES or len(p.notes) < 2:
        return
    flagged = np.flatnonzero(p.flagged(int(Articulation.GLISSANDO)))
    first, _ = _TUBES[p.instrument.id]
    for i in flagged[flagged < len(p.notes) - 1].tolist():
        pair = p.notes["pitch"][i : i + 2].astype(int)
        joined = any(first + n - 6 <= pair.min() and pair.max() <= first + n for n in _PARTIALS[1:])
        if not joined:
            where = f"{p.name(int(pair[0]))} to {p.name(int(pair[1]))}"
            yield int(p.notes["onset"][i]), f"no one sweep of the slide goes from {where}"
