"""The harp: four fingers a hand, and seven pedals that two feet move.

Conventions: letters C D E F G A B; a pedal is flat, natural or sharp and holds for all octaves. The left foot has the
pedals of D, C and B, the right foot those of E, F, G and A.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rescore_music.playability.hands import HARP_FINGERS, two_hands
from rescore_music.playability.player import Found, Player
from rescore_music.score import STEP_SEMITONES, Articulation

_SPAN = 16  # a tenth
_LEFT = (True, True, False, False, False, False, True)  # C D . . . . B
_FAR = 200  # changes: a setting that lacks a tone
_MOVE_S = 0.35  # one foot moves one pedal in this time
_PITCH_NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def hands(p: Player) -> Found:
    """Chords that four fingers a hand do not reach (Adler, "The harp": four fingers, a tenth; Salzedo)."""
    if p.instrument.id != "harp" or p.players > 1:
        return
    for tick, _, rows in p.chords:
        pitches = sorted(set(rows["pitch"].tolist()))
        rolled = bool((rows["articulation"] & int(Articulation.ARPEGGIO)).any())
        if len(pitches) > 1 and not two_hands(pitches, 99 if rolled else _SPAN, HARP_FINGERS):
            yield (
                tick,
                f"{len(pitches)} notes from {p.name(pitches[0])} to {p.name(pitches[-1])}: four fingers a hand",
            )


class _Move(NamedTuple):
    """One change of a pedal: free from, wanted by (seconds), the tick and pitch class that want it, the letter."""

    free: float
    wanted: float
    tick: int
    letter: int
    tone: int


def pedals(p: Player) -> Found:
    """Notes that no setting of the pedals has together, and changes that come faster than two feet move them
    (Adler, "The harp"; Inglefield & Neill, Writing for the Pedal Harp).

    The settings are those with the fewest changes; a pedal may move as soon as its string is no longer needed.
    """
    if p.instrument.id != "harp" or not len(p.notes):
        return
    events = [(tick, second, classes(rows["pitch"])) for tick, second, rows in p.chords]
    for tick, _, need in events:
        if not together(need):
            names = ", ".join(_PITCH_NAMES[i] for i in range(12) if need >> i & 1)
            yield tick, f"no setting of the pedals has {names} together"
    for move in late_moves(events):
        yield move.tick, f"the {'CDEFGAB'[move.letter]} pedal cannot be changed in time"


def classes(pitches: npt.NDArray[np.generic]) -> int:
    """Pitch classes as bits."""
    return int(np.bitwise_or.reduce(1 << (pitches.astype(np.int64) % 12)))


def together(need: int) -> bool:
    """Whether some setting of the pedals has all these pitch classes (bits)."""
    return bool((_settings()[1] & need == need).any())


def late_moves(events: list[tuple[int, float, int]]) -> list[_Move]:
    """Changes of pedals that come faster than two feet move them.

    Parameters
    ----------
    events : list of (tick, second, pitch classes as bits)
        In time; what no setting has together is passed over.
    """
    moves = _moves([event for event in events if together(event[2])])
    late = [move for foot in (True, False) for move in _late(moves, foot)]
    return sorted(late, key=lambda m: (m.tick, m.letter))


@lru_cache(maxsize=1)
def _settings() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All 3^7 settings: letters' alterations (2187, 7), and the pitch classes of each as bits (2187,)."""
    digits = np.stack(np.unravel_index(np.arange(3**7), (3,) * 7), axis=1).astype(np.int64) - 1
    classes = (STEP_SEMITONES + digits) % 12
    return digits, np.bitwise_or.reduce(1 << classes, axis=1)


def _moves(events: list[tuple[int, float, int]]) -> list[_Move]:
    """The pedal changes of a path through the settings with the fewest of them."""
    if not events:
        return []
    digits, classes = _settings()
    kept = _telling([need for _, _, need in events])
    reached: list[npt.NDArray[np.uint8]] = []
    best = np.zeros(3**7, np.uint8)  # changes above the fewest so far: never more than seven apart
    for i in kept:
        need = events[i][2]
        if reached:
            best = _one_change_more(best)
        best = np.where(classes & need == need, best, _FAR).astype(np.uint8)
        best -= best.min()
        reached.append(best)
    path = [int(reached[-1].argmin())]
    for best in reached[-2::-1]:
        after = path[-1]
        same = best[after] == 0  # nothing is nearer than to stay
        path.append(after if same else int((best + (digits != digits[after]).sum(axis=1)).argmin()))
    chosen = np.searchsorted(kept, np.arange(len(events)), side="right") - 1
    later = np.minimum(chosen + 1, len(kept) - 1)
    needs = np.array([need for _, _, need in events], np.int64)
    path.reverse()
    at = np.where(needs & ~needs[np.array(kept)[np.maximum(chosen, 0)]] == 0, chosen, later)
    return _changes(events, digits[np.array(path)[np.maximum(at, 0)]])


def _telling(needs: list[int]) -> list[int]:
    """Numbers of the events that decide: not those whose tones the one before or after them has too.

    The setting of that neighbour serves them, so that leaving them out changes no path's number of changes.
    """
    kept: list[int] = []
    for i, need in enumerate(needs):
        while kept and needs[kept[-1]] & ~need == 0:
            kept.pop()
        if not kept or need & ~needs[kept[-1]]:
            kept.append(i)
    return kept


def _one_change_more(best: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The fewest changes to each setting, from those to all others: Hamming distance, one letter at a time."""
    out = best.copy()
    for letter in range(7):
        flat, natural, sharp = out.reshape(3**letter, 3, -1).transpose(1, 0, 2)
        moved = np.minimum(np.minimum(flat, natural), sharp) + np.uint8(1)
        for held in (flat, natural, sharp):
            np.minimum(held, moved, out=held)
    return out


def _changes(events: list[tuple[int, float, int]], settings: npt.NDArray[np.int64]) -> list[_Move]:
    moves: list[_Move] = []
    played = np.full(7, -10.0)  # when each string was last needed; the harp is tuned before the piece
    pending: dict[int, float] = {}  # letter -> since when its pedal may move
    before = settings[0]
    for (tick, second, need), now in zip(events, settings, strict=True):
        for letter in np.flatnonzero(now != before).tolist():
            pending.setdefault(letter, float(played[letter]))
        sounding = (1 << ((STEP_SEMITONES + now) % 12)) & need != 0
        for letter in np.flatnonzero(sounding).tolist():
            if letter in pending:
                tone = int(STEP_SEMITONES[letter] + now[letter]) % 12
                moves.append(_Move(pending.pop(letter), second, tick, letter, tone))
            played[letter] = second
        before = now
    return moves


def _late(moves: list[_Move], left: bool) -> list[_Move]:
    """Moves of one foot that come too late when each takes `_MOVE_S`, the most urgent first."""
    clock, late = -np.inf, []
    for move in sorted((m for m in moves if _LEFT[m.letter] == left), key=lambda m: m.wanted):
        done = max(clock, move.free) + _MOVE_S
        if done > move.wanted + 1e-9:
            late.append(move)
        else:
            clock = done
    return late
