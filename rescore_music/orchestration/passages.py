"""Passages of a draft that are faster than their players: where they stand, who could help, what may go.

Conventions: ticks; seconds where a name says so. The limits are those of the rules "agility" and "repeated-notes" of
`playability`. A *stretch* is a run of notes of one seat that break them, by beats. A row is *spare* as `needed` says.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.needed import Needed
from rescore_music.playability.lines import hurried, quick_repeats, repeat_limit, speed_limit
from rescore_music.playability.streams import at_once, streams
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Analysis, Role

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STRIDES = (2, 3, 4, 6, 8, 12, 16)  # every so manieth onset of a beat is kept
_BARS = 2  # a stretch is no longer, so that what cannot be eased stays short
_SPLIT = 60  # keyboards: from here on the upper staff, as the score is written
SHORT = int(Articulation.STACCATO | Articulation.STACCATISSIMO | Articulation.MARCATO | Articulation.PIZZICATO)
TREMOLO = np.uint32(Articulation.TREMOLO)
SLURRED = np.uint32(Articulation.SLURRED)
_TOGETHER = 2  # a seat of more voices than this is not judged for repeats
_BACKGROUND = (int(Role.HARMONY), int(Role.FIGURATION))
GIVEN_WAY = "background given up: its player is needed for a quick leading line"
LIGHTER = "every second note or fewer: too fast for its player"


class Passages:
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
        self.reinforces = self.rows["doubling"].copy()
        if analysis.doubles.size:
            self.reinforces |= analysis.doubles[self.rows["line"], self.rows["phrase"]] >= 0
        known = [seat.instrument for seat in seats.seats]
        self.most = np.array([speed_limit(row, seat.players) for row, seat in zip(known, seats.seats, strict=True)])
        self.fastest = np.array([repeat_limit(row) for row in known])
        self.fastest[seats.divisi > _TOGETHER] = np.inf
        self.hands = np.array([len(row.clefs) > 1 for row in known], bool)
        self.rolls = np.array([bool({"tremolo", "roll"} & set(row.articulations)) for row in known], bool)
        self.several = np.where(seats.pitched, np.minimum(seats.players, seats.divisi), 1)
        self.told: dict[str, list[Ints]] = {}

    def own(self, seat: int) -> Ints:
        """The rows of a seat that are still played, by onset."""
        return np.flatnonzero((self.rows["seat"] == seat) & self.keep)

    def trouble(self, rows: Ints, seat: int) -> Bools:
        """Which of these rows, as notes of a seat, stand in a second too full or in a run of repeats too quick."""
        out = np.zeros(len(rows), bool)
        sounding = (self.rows["articulation"][rows] & TREMOLO) == 0
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

    def stretches(self, seat: int) -> Iterator[Ints]:
        """Whole beats with trouble, joined within two bars where they follow each other."""
        own = self.own(seat)
        bad = np.unique(self.beat[own[self.trouble(own, seat)]])
        if not len(bad):
            return
        mine = own[np.isin(self.beat[own], bad)]
        beats = np.searchsorted(bad, self.beat[mine])
        apart = np.append(False, np.diff(self.at[_first_of(mine, beats)]) > 1.0)
        apart |= np.append(False, np.diff(bad // (64 * _BARS)) != 0)
        yield from np.split(mine, np.searchsorted(beats, np.flatnonzero(apart)))

    def leads(self, rows: Ints) -> Bools:
        """Which rows melody or bass cannot do without."""
        return np.array([not self.needed.spare(i) for i in rows.tolist()], bool)

    def off_stride(self, rows: Ints, stride: int) -> Ints:
        """Rows at onsets that are not each `stride`-th of their beat."""
        onset, place = np.unique(self.onset[rows], return_inverse=True)
        _, first = np.unique(self.onset[rows], return_index=True)
        beat = self.beat[rows[first]]
        start = np.flatnonzero(np.append(True, np.diff(beat) != 0))
        nth = np.arange(len(onset)) - np.repeat(start, np.diff(np.append(start, len(onset))))
        return np.asarray(rows[(nth % stride != 0)[place.reshape(-1)]], np.int64)

    def thinnest(self, rows: Ints, seat: int) -> Ints:
        """As many of the rows, by strides of the beat, as the seat can play; none if that is not one a beat."""
        for stride in STRIDES:
            rest = np.setdiff1d(rows, self.off_stride(rows, stride))
            if not self.trouble(rest, seat).any():
                return rest
        return rows[:0]

    def within(self, other: int, rows: Ints) -> bool:
        """Whether a seat has all these notes in its range."""
        pitch = self.rows["pitch"][rows]
        return bool(self.seats.low[other] <= pitch.min() and pitch.max() <= self.seats.high[other])

    def partners(self, seat: int, rows: Ints, *, family: bool) -> list[int]:
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

    def clear(self, other: int, rows: Ints, *, ousting: bool = False) -> bool:
        """Whether a seat is free for these rows, but for what it only reinforces; if so, that is dropped.

        With `ousting` background gives way too, where melody and bass need none of it. Where a seat has players
        enough, one of them takes the rows and the others go on.
        """
        own = self.own(other)
        gives = self.reinforces | (ousting & np.isin(self.rows["role"], _BACKGROUND))
        close = own[(self.at[own] > self.at[rows[0]] - 1.0) & (self.at[own] < self.at[rows[-1]] + 1.0)]
        start, stop = int(self.onset[rows].min()), int(self.end[rows].max())
        own = own[(self.onset[own] < stop) & (self.end[own] > start)]
        if self.several[other] > 1 and self._beside(other, own, close, rows):
            return True
        near = close[~gives[close] | ~np.isin(self.beat[close], np.unique(self.beat[rows]))]
        if self.trouble(np.sort(np.concatenate([near, rows])), other).any():
            return False
        if at_once(self.onset[rows], self.end[rows]) > self.seats.divisi[other]:
            return False
        sounding = (self.onset[own][:, None] >= self.onset[rows]) & (self.onset[own][:, None] < self.end[rows])
        inside = sounding.any(axis=1)
        struck, before = own[inside], own[~inside]
        later = np.where(self.onset[rows] > self.onset[before][:, None], self.onset[rows], np.iinfo(np.int64).max)
        until = later.min(axis=1, initial=np.iinfo(np.int64).max)
        held = self.end[before] > until
        if not gives[struck].all() or not gives[before[held]].all():
            return False
        if not all(self.needed.spare(i) for i in struck.tolist()):
            return False
        self.drop(struck, GIVEN_WAY if ousting else LIGHTER)
        for i, end in zip(before[held].tolist(), until[held].tolist(), strict=True):
            self.hold(i, end)
        return True

    def _beside(self, other: int, sounding: Ints, close: Ints, rows: Ints) -> bool:
        """Whether one of a seat's players can take the rows while the others go on with what they have."""
        both = np.sort(np.concatenate([sounding, rows]))
        if at_once(self.onset[both], self.end[both]) > self.several[other]:
            return False
        same = self.onset[sounding] * 128 + self.rows["pitch"][sounding]
        if np.isin(same, self.onset[rows] * 128 + self.rows["pitch"][rows]).any():
            return False
        return not bool(self.trouble(np.sort(np.concatenate([close, rows])), other).any())

    def drop(self, rows: Ints, what: str) -> None:
        """Rows out of the draft, as far as they are spare."""
        gone = []
        for i in rows.tolist():
            if self.needed.spare(i):
                self.needed.drop(i)
                self.keep[i] = False
                gone.append(i)
        index = np.array(gone, np.int64)
        self.ledger.lose(self.rows["source"][index], Loss.HASTE)
        self.tell(what, index)

    def hold(self, i: int, end: int) -> None:
        """Row i sounds until `end`."""
        self.rows["duration"][i] = max(end - int(self.onset[i]), 0)
        self.end[i] = end

    def hold_on(self, kept: Ints, stretch: Ints) -> None:
        """What is kept sounds on where notes are gone that touched it."""
        plain = (self.rows["articulation"][kept] & np.uint32(SHORT | GRACE)) == 0
        for i in kept[plain].tolist():
            later = kept[self.onset[kept] > self.onset[i]]
            until = int(self.onset[later].min()) if len(later) else int(self.end[stretch].max())
            gone = stretch[~self.keep[stretch] & (self.onset[stretch] > self.onset[i]) & (self.onset[stretch] < until)]
            if len(gone) and self.beat[i] == self.beat[gone].max():
                self.hold(i, max(min(until, int(self.end[gone].max())), int(self.end[i])))
                self.rows["articulation"][i] &= ~SLURRED

    def tell(self, what: str, rows: Ints) -> None:
        """What was done, for the ledger."""
        if len(rows):
            self.told.setdefault(what, []).append(rows)


def _first_of(rows: Ints, group: Ints) -> Ints:
    """The first row of each group, groups numbered in order."""
    return rows[np.flatnonzero(np.append(True, np.diff(group) != 0))]
