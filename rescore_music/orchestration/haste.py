"""Lines faster than their players: dovetailed between two, taken over by a nimbler one, or lightened.

Conventions: ticks; seconds where a name says so. The limits are those of the rules "agility" and "repeated-notes" of
`playability`. A *stretch* is a run of notes of one seat that break them, by beats.

Method, stretch by stretch: quick repeats that a bow or a roll can make are written as tremolo; what a free or merely
reinforcing player of the same instrument (or family) can share is dovetailed beat by beat; a leading line whose seat
cannot go so fast goes to the nearest player who can, and the seat keeps every second note below it; accompaniment and
reinforcement keep every second, third ... note of the beat, held on. No tick loses a pitch class that melody or bass
begins there; what of a leading line nobody can ease is left to its player and told.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. III (distribution of rapid passages); Adler, The Study of
Orchestration ("dovetailing"); Piston, Orchestration (simplified doublings, measured and unmeasured tremolo).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import DOUBLES, Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.needed import Needed
from rescore_music.playability.lines import hurried, quick_repeats, repeat_limit, speed_limit
from rescore_music.playability.streams import at_once, streams
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Analysis

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_STRIDES = (2, 3, 4, 6, 8, 12, 16)  # every so manieth onset of a beat is kept
_ROUNDS = 2
_BARS = 2  # a stretch is no longer, so that what cannot be eased stays short
_SPLIT = 60  # keyboards: from here on the upper staff, as the score is written
_SHORT = int(Articulation.STACCATO | Articulation.STACCATISSIMO | Articulation.MARCATO | Articulation.PIZZICATO)
_TREMOLO = np.uint32(Articulation.TREMOLO)
_SLURRED = np.uint32(Articulation.SLURRED)
_TOGETHER = 2  # a seat of more voices than this is not judged for repeats
_SHARED = "dovetailed with another player: too fast for one"
_TAKEN = "taken over by a nimbler player: too fast where it was"
_HALVED = "every second note or fewer of a line that a nimbler player has whole"
_BOWED = "quick repeats written as tremolo"
_LIGHTER = "every second note or fewer: too fast for its player"
_LEFT = "faster than is comfortable: a leading line, and no other player is free"


def unhurried(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with lines eased that are faster than their players."""
    if not len(draft):
        return draft
    return _Haste(draft, score, analysis, seats, ledger).eased()


class _Haste:
    """The draft by onset, who still plays what, and the limits of each seat."""

    def __init__(self, draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> None:
        self.rows = draft[np.lexsort((draft["pitch"], draft["onset"]))]
        self.seats, self.ledger = seats, ledger
        self.at = np.asarray(score.seconds(self.rows["onset"]), np.float64)
        self.onset = self.rows["onset"].astype(np.int64)
        self.end = self.onset + self.rows["duration"]
        self.keep = np.ones(len(self.rows), bool)
        self.added: list[Rows] = []
        bar = score.bar_of(self.onset)
        beat = np.array([score.beat_ticks(int(tick)) for tick in score.bars[:-1]], np.int64)
        self.beat = bar * 64 + (self.onset - score.bars[bar]) // np.maximum(beat[bar], 1)
        self.needed = Needed(self.rows, score, analysis, seats)
        known = [seat.instrument for seat in seats.seats]
        self.most = np.array([speed_limit(row, seat.players) for row, seat in zip(known, seats.seats, strict=True)])
        self.fastest = np.array([repeat_limit(row) for row in known])
        self.fastest[seats.divisi > _TOGETHER] = np.inf
        self.hands = np.array([len(row.clefs) > 1 for row in known], bool)
        self.rolls = np.array([bool({"tremolo", "roll"} & set(row.articulations)) for row in known], bool)
        self.several = np.where(seats.pitched, np.minimum(seats.players, seats.divisi), 1)
        self.told: dict[str, list[Ints]] = {}

    def eased(self) -> Rows:
        """What is left of the draft, and what was added; the ledger is told."""
        for _ in range(_ROUNDS):  # who has taken over may have something to pass on
            for seat in np.unique(self.rows["seat"]).tolist():
                for stretch in list(self._stretches(seat)):
                    self._ease(seat, stretch)
        for seat in np.unique(self.rows["seat"][self.keep]).tolist():
            own = self._own(seat)
            self._tell(_LEFT, own[self._trouble(own, seat)])
        for what, rows in self.told.items():
            self.ledger.change(what, self.rows[np.concatenate(rows)])
        return np.concatenate([self.rows[self.keep], *self.added])

    def _own(self, seat: int) -> Ints:
        return np.flatnonzero((self.rows["seat"] == seat) & self.keep)

    def _trouble(self, rows: Ints, seat: int) -> Bools:
        """Which of these rows, as notes of a seat, stand in a second too full or in a run of repeats too quick."""
        out = np.zeros(len(rows), bool)
        sounding = (self.rows["articulation"][rows] & _TREMOLO) == 0
        group = ((self.rows["pitch"][rows] < _SPLIT) & self.hands[seat]).astype(np.int64)
        if not len(hurried(np.unique(self.at[rows[sounding]]), float(self.most[seat]))):
            group[:] = -1
        elif self.several[seat] > 1:
            end = self.end[rows]
            voices = min(int(self.several[seat]), max(at_once(self.onset[rows], end), 1))
            group = streams(self.onset[rows], end, self.rows["pitch"][rows].astype(np.int64), voices)
        for one in np.unique(group[group >= 0]).tolist():
            index = np.flatnonzero(sounding & (group == one))
            at, place = np.unique(self.at[rows[index]], return_inverse=True)
            late = hurried(at, float(self.most[seat]))
            if len(late):
                edge = np.zeros(len(at) + 1, np.int64)
                np.add.at(edge, late, 1)
                np.add.at(edge, np.searchsorted(at, at[late] + 1.0, side="left"), -1)
                out[index] |= (np.cumsum(edge)[:-1] > 0)[place.reshape(-1)]
        if np.isfinite(self.fastest[seat]):
            index = np.flatnonzero(sounding)
            at, pitch = self.at[rows[index]], self.rows["pitch"][rows[index]]
            out[index] |= quick_repeats(at, pitch, float(self.fastest[seat]))[1]
        return out

    def _stretches(self, seat: int) -> Iterator[Ints]:
        """Whole beats with trouble, joined within two bars where they follow each other."""
        own = self._own(seat)
        bad = np.unique(self.beat[own[self._trouble(own, seat)]])
        if not len(bad):
            return
        mine = own[np.isin(self.beat[own], bad)]
        beats = np.searchsorted(bad, self.beat[mine])
        apart = np.append(False, np.diff(self.at[_first_of(mine, beats)]) > 1.0)
        apart |= np.append(False, np.diff(bad // (64 * _BARS)) != 0)
        yield from np.split(mine, np.searchsorted(beats, np.flatnonzero(apart)))

    def _ease(self, seat: int, stretch: Ints) -> None:
        if self.rolls[seat]:
            self._tremolo(seat, stretch)
        for step in (self._dovetail, self._take_over, self._lighten):
            stretch = stretch[self.keep[stretch] & (self.rows["seat"][stretch] == seat)]
            if not self._trouble(stretch, seat).any():
                return
            step(seat, stretch)

    # what can be done

    def _tremolo(self, seat: int, stretch: Ints) -> None:
        """Quick repeats of a beat, none of them leading, as one note with strokes."""
        at, pitch = self.at[stretch], self.rows["pitch"][stretch]
        fast = quick_repeats(at, pitch, min(float(self.fastest[seat]), float(self.most[seat])))[1]
        key = self.beat[stretch[fast]] * 128 + pitch[fast]
        for one in np.unique(key).tolist():
            run = stretch[fast][key == one]
            if len(run) > 1 and all(self.needed.spare(i) for i in run[1:].tolist()):
                until = int(self.end[run].max())
                self._drop(run[1:], _BOWED)
                self._hold(run[0], until)
                self.rows["articulation"][run[0]] = (self.rows["articulation"][run[0]] & ~np.uint32(_SHORT)) | _TREMOLO

    def _dovetail(self, seat: int, stretch: Ints) -> None:
        """Every second beat to a player of the same instrument or family who is free."""
        if self.rows["doubling"][stretch].all():
            return
        beat, pitch = self.beat[stretch], self.rows["pitch"][stretch]
        for other in self._partners(seat, stretch, family=True):
            outside = (pitch < self.seats.low[other]) | (pitch > self.seats.high[other])
            for side in (1, 0):
                theirs = stretch[(beat % 2 == side) & ~np.isin(beat, beat[outside])]
                rest = np.setdiff1d(stretch, theirs)
                if len(theirs) and not self._trouble(rest, seat).any() and self._clear(other, theirs):
                    self.rows["seat"][theirs] = other
                    self._tell(_SHARED, theirs)
                    return

    def _take_over(self, seat: int, stretch: Ints) -> None:
        """The whole stretch of a leading line to whoever can play it; what the seat can keep of it stays below."""
        leads = stretch[self._leads(stretch)]
        if not len(leads) or not self._trouble(leads, seat).any():
            return
        whole = leads if self.hands[seat] else stretch
        for other in self._partners(seat, whole, family=False):
            if not self._within(other, whole) or not self._clear(other, whole):
                continue
            echo = self.rows[self._thinnest(whole, seat)].copy()
            self.rows["seat"][whole] = other
            self._tell(_TAKEN, whole)
            if len(echo):
                echo["priority"] += np.where(echo["doubling"], 0, DOUBLES).astype(np.int16)
                echo["doubling"] = True
                echo["articulation"] &= ~_SLURRED
                self.added.append(echo)
                self.ledger.change(_HALVED, echo)
            return

    def _lighten(self, seat: int, stretch: Ints) -> None:
        """Every second onset of the beat, or every third ..., of what is not a leading line's only statement."""
        for stride in _STRIDES:
            gone = self._off_stride(stretch, stride)
            gone = gone[[self.needed.spare(i) for i in gone.tolist()]] if len(gone) else gone
            rest = np.setdiff1d(stretch, gone)
            # two notes of one pitch class may each be spare, but not both
            if len(gone) and (not self._trouble(rest, seat).any() or stride == _STRIDES[-1]):
                self._drop(gone, _LIGHTER)
                self._hold_on(stretch[self.keep[stretch]], stretch)
                return

    # helpers

    def _leads(self, rows: Ints) -> Bools:
        return np.array([not self.needed.spare(i) for i in rows.tolist()], bool)

    def _only_background(self, rows: Ints) -> bool:
        return not self.rows["doubling"][rows].all()

    def _off_stride(self, rows: Ints, stride: int) -> Ints:
        """Rows at onsets that are not each `stride`-th of their beat."""
        onset, place = np.unique(self.onset[rows], return_inverse=True)
        _, first = np.unique(self.onset[rows], return_index=True)
        beat = self.beat[rows[first]]
        start = np.flatnonzero(np.append(True, np.diff(beat) != 0))
        nth = np.arange(len(onset)) - np.repeat(start, np.diff(np.append(start, len(onset))))
        return np.asarray(rows[(nth % stride != 0)[place.reshape(-1)]], np.int64)

    def _thinnest(self, rows: Ints, seat: int) -> Ints:
        """As many of the rows, by strides of the beat, as the seat can play; none if that is not one a beat."""
        for stride in _STRIDES:
            rest = np.setdiff1d(rows, self._off_stride(rows, stride))
            if not self._trouble(rest, seat).any():
                return rest
        return rows[:0]

    def _within(self, other: int, rows: Ints) -> bool:
        """Whether a seat has all these notes in its range."""
        pitch = self.rows["pitch"][rows]
        return bool(self.seats.low[other] <= pitch.min() and pitch.max() <= self.seats.high[other])

    def _partners(self, seat: int, rows: Ints, *, family: bool) -> list[int]:
        """Other seats that have half of these notes or more where they sit well, the likest first."""
        pitch = self.rows["pitch"][rows].astype(np.int64)
        mine = self.seats.seats[seat].instrument
        able: list[tuple[float, int]] = []
        for other, known in enumerate(self.seats.seats):
            row = known.instrument
            if other == seat or not self.seats.pitched[other] or row.family == "percussion" or row.id == "harp":
                continue
            kin = row.family == mine.family
            low, high = self.seats.comfortable_low[other] - 7, self.seats.comfortable_high[other] + 7
            sits = float(((pitch >= low) & (pitch <= high)).mean())
            if sits >= 0.5 and (kin or not family):
                able.append((1 - sits + 0.5 * (not kin) - (row.id == mine.id), other))
        return [other for _, other in sorted(able)]

    def _clear(self, other: int, rows: Ints) -> bool:
        """Whether a seat is free for these rows, but for what it only reinforces; if so, that is dropped."""
        near = self._own(other)
        near = near[~self.rows["doubling"][near] | ~np.isin(self.beat[near], np.unique(self.beat[rows]))]
        near = near[(self.at[near] > self.at[rows[0]] - 1.0) & (self.at[near] < self.at[rows[-1]] + 1.0)]
        if self._trouble(np.sort(np.concatenate([near, rows])), other).any():
            return False
        start, stop = int(self.onset[rows].min()), int(self.end[rows].max())
        if at_once(self.onset[rows], self.end[rows]) > self.seats.divisi[other]:
            return False
        own = self._own(other)
        own = own[(self.onset[own] < stop) & (self.end[own] > start)]
        sounding = (self.onset[own][:, None] >= self.onset[rows]) & (self.onset[own][:, None] < self.end[rows])
        inside = sounding.any(axis=1)
        struck, before = own[inside], own[~inside]
        later = np.where(self.onset[rows] > self.onset[before][:, None], self.onset[rows], np.iinfo(np.int64).max)
        until = later.min(axis=1, initial=np.iinfo(np.int64).max)
        held = self.end[before] > until
        if not self.rows["doubling"][struck].all() or not self.rows["doubling"][before[held]].all():
            return False
        if not all(self.needed.spare(i) for i in struck.tolist()):
            return False
        self._drop(struck, _LIGHTER)
        for i, end in zip(before[held].tolist(), until[held].tolist(), strict=True):
            self._hold(i, end)
        return True

    def _drop(self, rows: Ints, what: str) -> None:
        """Rows out of the draft, as far as they are spare."""
        gone = []
        for i in rows.tolist():
            if self.needed.spare(i):
                self.needed.drop(i)
                self.keep[i] = False
                gone.append(i)
        index = np.array(gone, np.int64)
        self.ledger.lose(self.rows["source"][index], Loss.HASTE)
        self._tell(what, index)

    def _hold(self, i: int, end: int) -> None:
        self.rows["duration"][i] = max(end - int(self.onset[i]), 0)
        self.end[i] = end

    def _hold_on(self, kept: Ints, stretch: Ints) -> None:
        """What is kept sounds on where notes are gone that touched it."""
        plain = (self.rows["articulation"][kept] & np.uint32(_SHORT | GRACE)) == 0
        for i in kept[plain].tolist():
            later = kept[self.onset[kept] > self.onset[i]]
            until = int(self.onset[later].min()) if len(later) else int(self.end[stretch].max())
            gone = stretch[~self.keep[stretch] & (self.onset[stretch] > self.onset[i]) & (self.onset[stretch] < until)]
            if len(gone) and self.beat[i] == self.beat[gone].max():
                self._hold(i, max(min(until, int(self.end[gone].max())), int(self.end[i])))
                self.rows["articulation"][i] &= ~_SLURRED

    def _tell(self, what: str, rows: Ints) -> None:
        if len(rows):
            self.told.setdefault(what, []).append(rows)


def _first_of(rows: Ints, group: Ints) -> Ints:
    """The first row of each group, groups numbered in order."""
    return rows[np.flatnonzero(np.append(True, np.diff(group) != 0))]
