"""Chords brought within reach of the hands that play them: keyboards, harp, mallets, guitars, solo strings.

Method, chord by chord on seats of one player: where the rules of `playability` find no way to take the notes struck
together, notes that are still held are let go, then the least important notes move by octaves inside the outer ones
(a line goes on as it was moved last), then the least important are thinned. The note a leading line is heard by stays;
a keyboard rolls the chord where such notes alone are too far apart.

Sources: Gould, Behind Bars, "Keyboard", "Guitar"; Adler, The Study of Orchestration (piano reduction, multiple stops).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.playability.fingerboard import stoppable
from rescore_music.playability.hands import takes_chord
from rescore_music.playability.strings import FINGERBOARDS
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Role
from rescore_music.template import Seat

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Feasible = Callable[[tuple[int, ...]], bool]

_HELD_S = 0.1  # what rings on for less is let go by the hand anyway
_SHIFTS = (12, -12, 24, -24, 36, -36)
_MOST = 3  # so many notes of a chord move together, before notes are thinned
_LEADING = (int(Role.MELODY), int(Role.BASS))


def within_reach(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with every chord of a single player one that hands can take; what moves or goes is in the ledger."""
    out = draft[np.lexsort((draft["pitch"], draft["onset"], draft["seat"]))]
    keep = np.ones(len(out), bool)
    moved, let_go, rolled = (np.zeros(len(out), bool) for _ in range(3))
    for seat in np.unique(out["seat"]).tolist():
        feasible = _feasible(seats.seats[seat])
        if feasible is None:
            continue
        own = np.flatnonzero((out["seat"] == seat) & ((out["articulation"] & GRACE) == 0) & (out["duration"] > 0))
        span = (int(seats.low[seat]), int(seats.high[seat]))
        # a pedal or the other hand holds what a key or a harp string sounds; a stopped string needs its finger
        stopped = seats.seats[seat].instrument.id in FINGERBOARDS
        rolls = "arpeggio" in seats.seats[seat].instrument.articulations and not stopped
        _Hand(out, own, score, span, feasible, stopped, rolls).mend(keep, moved, let_go, rolled)
    ledger.change("moved by octaves within the reach of the hands", out[moved & keep])
    ledger.change("let go for the next chord: not within the reach of the hand", out[let_go & keep])
    ledger.change("rolled: melody and bass lie farther apart than the hands reach", out[rolled & keep])
    ledger.lose(out["source"][~keep], Loss.REACH)
    return np.asarray(out[keep])


def _feasible(seat: Seat) -> Feasible | None:
    """How the rules of playability judge a chord of this seat; None where they do not."""
    if seat.players > 1:
        return None
    board = FINGERBOARDS.get(seat.instrument.id)
    if board is not None:
        return lambda pitches: len(pitches) < 2 or stoppable(pitches, board)
    return takes_chord(seat.instrument.id)


class _Hand:
    """One seat's rows, by onset, and the chords among them."""

    def __init__(
        self,
        rows: Rows,
        own: Ints,
        score: Score,
        span: tuple[int, int],
        feasible: Feasible,
        stopped: bool,
        rolls: bool,
    ) -> None:
        self.rows, self.own, self.feasible, self.stopped, self.rolls = rows, own, feasible, stopped, rolls
        self.low, self.high = span
        self.onset = rows["onset"][own].tolist()
        self.end = (rows["onset"][own] + rows["duration"][own]).tolist()
        self.pitch = rows["pitch"][own].tolist()
        self.at = score.seconds(rows["onset"][own]).tolist()
        self.until = score.seconds(rows["onset"][own] + rows["duration"][own]).tolist()
        lead = np.isin(rows["role"][own], _LEADING) & (rows["rank"][own] == 0) & ~rows["doubling"][own]
        self.fixed = lead.tolist()
        self.priority = rows["priority"][own].tolist()
        self.role = rows["role"][own].tolist()
        self.line = rows["line"][own].tolist()
        self.last: dict[int, int] = {}  # line -> the shift it took in the chord before

    def mend(self, keep: Bools, moved: Bools, let_go: Bools, rolled: Bools) -> None:
        for start, stop, held in self._chords():
            chord = list(range(start, stop))
            if self._fits(chord + held):
                continue
            for i in held:  # first let go of what is held
                self.rows["duration"][self.own[i]] = self.onset[start] - self.onset[i]
                self.end[i] = self.onset[start]
                let_go[self.own[i]] = True
            if self._fits(chord):
                continue
            if not self._move(chord, moved):
                self._thin(chord, keep, moved, rolled)

    def _chords(self) -> Iterator[tuple[int, int, list[int]]]:
        """(start, stop, rows still held) of the notes struck together, in time."""
        sounding: list[int] = []
        start = 0
        while start < len(self.onset):
            stop = start
            while stop < len(self.onset) and self.onset[stop] == self.onset[start]:
                stop += 1
            at = self.onset[start]
            sounding = [i for i in sounding if self.end[i] > at]
            held = [i for i in sounding if self.until[i] - self.at[start] > _HELD_S] if self.stopped else []
            yield start, stop, held
            sounding += range(start, stop)
            start = stop

    def _fits(self, chord: list[int]) -> bool:
        return self.feasible(tuple(sorted({self.pitch[i] for i in chord})))

    def _move(self, chord: list[int], moved: Bools) -> bool:
        """Octaves that bring a chord within reach: the fewest notes, the least important first; False if none do."""
        low, high = min(self.pitch[i] for i in chord), max(self.pitch[i] for i in chord)
        free = sorted((i for i in chord if not self.fixed[i]), key=lambda i: (self.priority[i], i))
        taken = {self.pitch[i] for i in chord}
        for many in range(1, min(_MOST, len(free)) + 1):
            for chosen in combinations(free, many):
                others = taken - {self.pitch[i] for i in chosen}
                for pitches in self._octaves(chosen, low, high):
                    apart = len(set(pitches)) == many and not others & set(pitches)
                    if apart and self.feasible(tuple(sorted(others | set(pitches)))):
                        for i, pitch in zip(chosen, pitches, strict=True):
                            self._set(i, pitch, moved)
                        return True
        return False

    def _octaves(self, chosen: tuple[int, ...], low: int, high: int) -> Iterator[tuple[int, ...]]:
        """Places for some notes inside the chord's outer ones, the same shift for all of them."""
        known = self.last.get(self.line[chosen[0]], 0)
        for shift in sorted(_SHIFTS, key=lambda s: (s != known, abs(s))):
            pitches = tuple(self.pitch[i] + shift for i in chosen)
            if all(max(low, self.low) <= pitch <= min(high, self.high) for pitch in pitches):
                yield pitches

    def _set(self, i: int, pitch: int, moved: Bools) -> None:
        self.last[self.line[i]] = pitch - self.pitch[i]
        self.pitch[i] = pitch
        self.rows["pitch"][self.own[i]] = pitch
        moved[self.own[i]] = True

    def _thin(self, chord: list[int], keep: Bools, moved: Bools, rolled: Bools) -> None:
        """The least important notes go, those first whose pitch class stays, until the rest fits or can be moved."""
        rest = list(chord)
        while not self._fits(rest):
            free = [i for i in rest if not self.fixed[i]]
            if not free:  # melody and bass stay: rolled where that is a way to play them, else the measure tells
                if self._lift(rest, moved):
                    return
                if self.rolls:
                    self.rows["articulation"][self.own[rest]] |= np.uint32(Articulation.ARPEGGIO)
                    rolled[self.own[rest]] = True
                return
            classes = [self.pitch[i] % 12 for i in rest]
            gone = min(free, key=lambda i: (classes.count(self.pitch[i] % 12) < 2, self.priority[i], i))
            rest.remove(gone)
            keep[self.own[gone]] = False
            self.end[gone] = self.onset[gone]
            if self._move(rest, moved):
                return

    def _lift(self, chord: list[int], moved: Bools) -> bool:
        """On a fingerboard a bass that no hand stops under its melody comes up by octaves; False if none helps."""
        bass = [i for i in chord if self.stopped and self.role[i] == int(Role.BASS)]
        for i in bass[:1]:
            others = {self.pitch[k] for k in chord if k != i}
            for there in range(self.pitch[i] + 12, min(max(others, default=0), self.high) + 1, 12):
                if there not in others and self.feasible(tuple(sorted(others | {there}))):
                    self._set(i, there, moved)
                    return True
        return False
