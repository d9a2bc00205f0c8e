"""No seat sounds more notes than its divisi: unisons merged, overlaps trimmed, chords divided, handed on, thinned.

Method, seat by seat in time order: a note that would be one too many trims the oldest sounding note of no higher
priority; if all that sound matter more, or started with it, it is handed to another seat that plays in the phrase and
is free and in range; if there is none it is thinned. Melody and bass that no seat could take then displace
background: of these lines nothing is lost while any seat can play the pitch class.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.structure import Role

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def merge_unisons(draft: Rows, ledger: Ledger) -> Rows:
    """One note where a seat has the same pitch at the same time twice; the more important line's stays, held longest.

    A pitch struck again while it sounds ends where it is struck.
    """
    order = np.lexsort(
        (draft["source"], -draft["priority"].astype(np.int64), draft["pitch"], draft["onset"], draft["seat"])
    )
    rows = draft[order]
    same = np.zeros(len(rows), bool)
    if len(rows) > 1:
        same[1:] = True
        for name in ("seat", "onset", "pitch"):
            same[1:] &= rows[name][1:] == rows[name][:-1]
        grace = (rows["duration"] == 0)[1:] != (rows["duration"] == 0)[:-1]
        same[1:] &= ~grace
    starts = np.flatnonzero(~same)
    if len(rows):
        rows["duration"][starts] = np.maximum.reduceat(rows["duration"], starts)
    ledger.lose(rows["source"][same], Loss.UNISON)
    rows = rows[~same]
    order = np.lexsort((rows["onset"], rows["pitch"], rows["seat"]))
    rows = rows[order]
    again = np.flatnonzero((rows["seat"][1:] == rows["seat"][:-1]) & (rows["pitch"][1:] == rows["pitch"][:-1]))
    over = again[(rows["onset"] + rows["duration"])[again] > rows["onset"][again + 1]]
    rows["duration"][over] = rows["onset"][over + 1] - rows["onset"][over]
    ledger.change("shortened where the same pitch is struck again", rows[over])
    return rows


_LEADING = (int(Role.MELODY), int(Role.BASS))


class _Floor:
    """Who sounds when, on a grid of slots: counts per seat, for finding free players fast."""

    def __init__(self, draft: Rows, seats: Ensemble, length: int, grid: int) -> None:
        self.grid = max(grid, 1)
        self.capacity = seats.divisi
        self.busy = np.zeros((len(seats.seats), length // self.grid + 3), np.int16)
        a, b = self._slots(draft["onset"], draft["onset"] + draft["duration"])
        np.add.at(self.busy, (draft["seat"], a), 1)
        np.add.at(self.busy, (draft["seat"], b), -1)
        np.cumsum(self.busy, axis=1, out=self.busy)

    def _slots(self, onset: Ints, end: Ints) -> tuple[Ints, Ints]:
        a = onset // self.grid
        return a, np.maximum(-(-end // self.grid), a + 1)

    def free(self, onset: int, end: int) -> Bools:
        """Seats with a player free from onset to end."""
        a, b = onset // self.grid, max(-(-end // self.grid), onset // self.grid + 1)
        return np.asarray(self.busy[:, a:b].max(axis=1) < self.capacity)

    def take(self, seat: int, onset: int, end: int) -> None:
        """A player is busy from now on."""
        self.busy[seat, onset // self.grid : max(-(-end // self.grid), onset // self.grid + 1)] += 1


def limit(draft: Rows, seats: Ensemble, score_length: int, grid: int, ledger: Ledger) -> Rows:
    """The draft with no more notes at once than each seat may sound."""
    rows = draft[np.lexsort((draft["pitch"], -draft["priority"].astype(np.int64), draft["onset"], draft["seat"]))]
    keep = np.ones(len(rows), bool)
    trimmed = np.zeros(len(rows), bool)
    for seat in np.unique(rows["seat"]).tolist():
        _sweep(rows, np.flatnonzero(rows["seat"] == seat), int(seats.divisi[seat]), keep, trimmed)
    ledger.change("shortened to the next note (one player, overlapping notes)", rows[trimmed & keep])
    over, rows = rows[~keep], rows[keep]
    handed = _hand_over(over, rows, seats, score_length, grid, ledger)
    return np.concatenate([rows, handed])


def crowded(rows: Rows, capacity: int) -> bool:
    """Whether some note sounds with more than `capacity` others of these rows (one seat, sorted by onset)."""
    sounding = rows[rows["duration"] > 0]
    onset = sounding["onset"]
    ends = np.sort(onset + sounding["duration"])
    active = np.searchsorted(onset, onset, side="right") - np.searchsorted(ends, onset, side="right")
    return bool(np.any(active > capacity))


def _sweep(rows: Rows, own: Ints, capacity: int, keep: Bools, trimmed: Bools) -> None:
    """Trim and set aside on one seat, in place."""
    if not crowded(rows[own], capacity):
        return
    onset, duration, priority = (rows[name][own].tolist() for name in ("onset", "duration", "priority"))
    end = [a + b for a, b in zip(onset, duration, strict=True)]
    sounding: list[int] = []
    for i, at in enumerate(onset):
        if not duration[i]:
            continue
        sounding = [j for j in sounding if end[j] > at]
        if len(sounding) >= capacity:
            yielding = [j for j in sounding if onset[j] < at and priority[j] <= priority[i] + 4]
            if not yielding:
                keep[own[i]] = False
                continue
            victim = min(yielding, key=lambda j: (priority[j] // 10, onset[j]))
            end[victim] = at
            rows["duration"][own[victim]] = at - onset[victim]
            trimmed[own[victim]] = True
            sounding.remove(victim)
        sounding.append(i)


def _hand_over(over: Rows, rows: Rows, seats: Ensemble, length: int, grid: int, ledger: Ledger) -> Rows:
    """Notes that found no player at their own seat, at another that plays in the phrase; the rest is thinned."""
    if not len(over):
        return over
    over = over[np.lexsort((over["pitch"], over["onset"], -over["priority"].astype(np.int64)))]
    floor = _Floor(rows, seats, length, grid)
    phrases = int(max(rows["phrase"].max() if len(rows) else 0, over["phrase"].max())) + 1
    plays = np.zeros((phrases, len(seats.seats)), bool)
    plays[rows["phrase"], rows["seat"]] = True
    pairs = set(zip(rows["seat"].tolist(), rows["onset"].tolist(), rows["pitch"].tolist(), strict=True))
    keep = np.zeros(len(over), bool)
    for i in range(len(over)):
        if over["doubling"][i] or not seats.pitched[over["seat"][i]]:
            continue
        pitch, onset, end = int(over["pitch"][i]), int(over["onset"][i]), int(over["onset"][i] + over["duration"][i])
        may = plays[over["phrase"][i]] & seats.pitched & floor.free(onset, end)
        seat = _nearest_seat(may, pitch, int(over["seat"][i]), seats)
        if seat is None or (seat, onset, pitch) in pairs:
            continue
        keep[i] = True
        over["seat"][i] = seat
        floor.take(seat, onset, end)
        pairs.add((seat, onset, pitch))
    ledger.change("taken over from another seat (chord wider than its players)", over[keep])
    ledger.lose(over["source"][~keep], Loss.THINNED)
    return over[keep]


def _nearest_seat(may: Bools, pitch: int, home: int, seats: Ensemble) -> int | None:
    """The free seat that fits a pitch best: in range, in its comfortable register, of the home seat's family."""
    may = may & (seats.low <= pitch) & (pitch <= seats.high)
    if not may.any():
        return None
    beyond = np.maximum(seats.comfortable_low - pitch, 0) + np.maximum(pitch - seats.comfortable_high, 0)
    cost = beyond / 12.0 + (seats.family != seats.family[home]) * 0.5 + np.abs(np.arange(len(may)) - home) * 0.01
    return int(np.argmin(np.where(may, cost, np.inf)))


def rescue(draft: Rows, lost: Rows, seats: Ensemble, ledger: Ledger) -> Rows:
    """Melody and bass notes of `lost` whose pitch class no seat plays at their onset, put where they can be played.

    Every octave on every pitched seat is tried: a free player first, else the seat whose sounding note matters
    least (it is trimmed, or thinned where it starts with the note). The outer notes of melody and bass yield only to
    each other, and only by being cut short; inner chord notes of theirs yield to outer ones.
    """
    tuned = seats.pitched[draft["seat"]]
    have = set(zip(draft["onset"][tuned].tolist(), (draft["pitch"][tuned] % 12).tolist(), strict=True))
    lost = lost[np.lexsort((lost["pitch"], lost["onset"], -lost["priority"].astype(np.int64), lost["rank"] > 0))]
    needed = {(int(row["onset"]), int(row["pitch"]) % 12) for row in lost if row["rank"] == 0}
    rows = np.concatenate([draft, np.zeros(len(lost), draft.dtype)])
    alive = np.arange(len(rows)) < len(draft)
    count = len(draft)
    for row in lost:
        onset, pc = int(row["onset"]), int(row["pitch"]) % 12
        if (onset, pc) in have:
            ledger.lose(np.array([row["source"]]), Loss.DOUBLED)
            continue
        option = _place(row, rows, alive, seats, needed)
        if option is None:
            ledger.lose(np.array([row["source"]]), Loss.THINNED)
            continue
        seat, pitch, until, victim = option
        if victim >= 0 and rows["onset"][victim] < onset:
            rows["duration"][victim] = onset - rows["onset"][victim]
        elif victim >= 0:
            alive[victim] = False
            gone = int(rows["pitch"][victim]) % 12
            start = rows[:count][alive[:count] & (rows["onset"][:count] == onset)]
            if not np.any((start["pitch"] % 12 == gone) & seats.pitched[start["seat"]]):
                have.discard((onset, gone))
            ledger.lose(rows["source"][victim : victim + 1], Loss.THINNED)
        rows[count] = row
        rows["seat"][count], rows["pitch"][count] = seat, pitch
        rows["duration"][count] = until - onset if row["duration"] > 0 else 0
        alive[count] = True
        count += 1
        have.add((onset, pc))
    if count > len(draft):
        ledger.change("melody or bass taken over, no player free where it belongs", rows[len(draft) : count])
    return np.asarray(rows[alive])


def _protected(rows: Rows) -> Bools:
    """Outer notes of melody and bass."""
    return np.asarray(np.isin(rows["role"], _LEADING) & (rows["rank"] == 0) & ~rows["doubling"])


def _place(
    row: np.void, rows: Rows, alive: Bools, seats: Ensemble, needed: set[tuple[int, int]]
) -> tuple[int, int, int, int] | None:
    """The cheapest place for a note: seat, pitch, end, and the row that yields to it (-1 for none)."""
    onset, end, pitch = int(row["onset"]), int(row["onset"] + max(row["duration"], 1)), int(row["pitch"])
    near = np.flatnonzero(alive & (rows["onset"] < end) & (rows["onset"] + rows["duration"] > onset))
    outer = int(row["rank"]) == 0
    start = near[(rows["onset"][near] == onset) & seats.pitched[rows["seat"][near]]]
    struck = np.bincount(rows["pitch"][start] % 12, minlength=12)
    best: tuple[float, int, int, int, int] | None = None
    for seat in np.flatnonzero(seats.pitched).tolist():
        octaves = np.arange(pitch % 12, 128, 12)
        octaves = octaves[(octaves >= seats.low[seat]) & (octaves <= seats.high[seat])]
        if not len(octaves):
            continue
        there = int(octaves[np.argmin(np.abs(octaves - pitch))])
        busy = near[rows["seat"][near] == seat]
        later = busy[rows["onset"][busy] > onset]
        until = int(min(end, rows["onset"][later].min())) if len(later) else end
        sounding = busy[rows["onset"][busy] <= onset]
        cost = abs(there - pitch) / 12.0 + 0.5 * (seats.family[seat] != seats.family[row["seat"]]) + 0.5 * (until < end)
        victim = -1
        if len(sounding) >= seats.divisi[seat]:
            own = rows[sounding]
            mine = np.isin(own["role"], _LEADING) & ~own["doubling"]
            # a background note may happen to sound the pitch class that an outer note needs
            wanted = np.array([(onset, pc) in needed for pc in (own["pitch"] % 12).tolist()], bool)
            guarded = _protected(own) | (wanted & (own["onset"] == onset))
            # a pitch class that another seat strikes too is not lost with one of them
            guarded &= ~((own["onset"] == onset) & (struck[own["pitch"] % 12] > 1))
            # the last resort for an outer note: one that has sounded is cut short, which keeps both onsets
            yields = ~guarded & (outer | ~mine) | (outer & (own["onset"] < onset))
            if not yields.any():
                continue
            price = own["priority"] + np.where(guarded, 300, 0)
            weakest = int(np.argmin(np.where(yields, price, 9999)))
            victim = int(sounding[weakest])
            cost += 10 + int(price[weakest]) / 10
        if best is None or cost < best[0]:
            best = (cost, seat, there, until, victim)
    return None if best is None else best[1:]
