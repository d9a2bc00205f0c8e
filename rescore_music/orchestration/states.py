"""The states of the lattice: for every phrase the few dozen cheapest ways to hand its strands to the seats.

A state is an assignment of the whole ensemble. The two leading strands (melody and bass, where there are) are seated
first, in the best pairs of seats; from every pair a narrow beam seats the rest, most important first, each strand
judged beside those already seated (masking, crossing, sharing). All phrases are searched at once, as arrays of shape
(phrases, pairs, width). A seat number equal to the number of seats means that nobody plays the strand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.doublings import Doublings, doublings, leads_in_tutti, seats_wanted
from rescore_music.orchestration.ensemble import ROLES, Ensemble
from rescore_music.orchestration.material import Material
from rescore_music.orchestration.patterns import in_turn
from rescore_music.orchestration.placement import Placement
from rescore_music.structure import Role
from rescore_music.template import Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PAIRS = 14  # leading pairs kept a phrase
PER_LEAD = 3  # of these at most so many with the same first seat
WIDTH = 3  # beam width from each pair
NEVER = 1e4  # dropping a melody or bass: only where no seat can play it
_BESIDE = ("masking", "crossing", "polyphony")
_MARGIN = 3.0  # dB that the accompaniment should be able to stay below the melody
# how much it matters that a role lies above the melody or below the bass
_CROSSING = {Role.HARMONY: 1.0, Role.COUNTER_MELODY: 0.5, Role.FIGURATION: 0.4, Role.BASS: 1.5, Role.MELODY: 0.5}


@dataclass(frozen=True, eq=False)
class States:
    """The lattice's nodes.

    Attributes
    ----------
    choice : int64 array, shape (phrases, states, columns)
        Seat of each strand of `Material.table`.
    doublings : Doublings
    terms : mapping of cost name to float64 array, shape (phrases, states)
    total : float64 array, shape (phrases, states)
        Their sum; infinite for padding.
    """

    choice: Ints
    doublings: Doublings
    terms: Mapping[str, Floats]
    total: Floats


class _Bench:
    """Padded views of material and placement that the beam steps share."""

    def __init__(
        self, m: Material, place: Placement, seats: Ensemble, style: Style, weight: Mapping[str, float]
    ) -> None:
        self.m, self.place, self.seats, self.weight = m, place, seats, weight
        # roles whose chords are played note after note
        self.broken = np.array([in_turn(style, role) for role in ROLES], bool)
        self.phrases, self.columns = m.table.shape
        self.s = len(seats.seats)
        self.valid = m.table >= 0
        self.strand = np.maximum(m.table, 0)
        self.importance = np.where(self.valid, m.importance[self.strand], 0.0) if len(m.phrase) else self.valid * 0.0
        self.role = m.role[self.strand]
        self.line = m.line[self.strand]
        self.rank = m.rank[self.strand]
        main = np.isin(self.role, (int(Role.MELODY), int(Role.BASS))) & (m.rank[self.strand] == 0)
        main &= m.doubled[self.strand] < 0
        thin = np.where(m.rank[self.strand] > 0, 0.5, 1.0)
        self.drop = np.where(main, NEVER, weight["dropped"] * self.importance * thin)
        self.bass = np.where(self.role[:, 0] == int(Role.BASS), 0, 1) if self.columns else np.zeros(0, np.int64)

    def base(self, k: int) -> Floats:
        """Cost of strand k alone on each seat, and of dropping it: (phrases, seats + 1)."""
        valid = self.valid[:, k, None]
        own = np.where(
            valid, np.where(valid, self.importance[:, k, None], 1.0) * self.place.total[self.strand[:, k]], np.inf
        )
        return np.concatenate([own, np.where(valid, self.drop[:, k, None], 0.0)], axis=1)

    def seated(self, column: Ints | int, seat: Ints, what: Floats) -> Floats:
        """A (strands, seats) table at the seats taken by a column: shape of `seat` (phrases, ...)."""
        strand = self.strand[np.arange(self.phrases), column]
        shape = (self.phrases,) + (1,) * (seat.ndim - 1)
        return np.asarray(what[strand.reshape(shape), np.minimum(seat, self.s - 1)])

    def beside_melody(self, k: int, lead: Ints) -> tuple[Floats, Floats]:
        """Masking of and crossing over the melody on seats `lead` (phrases, pairs): (phrases, pairs, seats)."""
        is_melody = (self.role[:, 0] == int(Role.MELODY)) & self.valid[:, 0] & self.valid[:, k]
        sounds = (lead < self.s) & is_melody[:, None]
        together = self.m.overlap[:, k, 0] if self.columns else np.zeros(self.phrases)
        pitch = self.seated(0, lead, self.place.pitch)[:, :, None]
        loud = np.minimum(self.seated(0, lead, self.place.loud), self.place.target[self.strand[:, 0]][:, None] + 6)
        mine = self.strand[:, k]
        gap = pitch - self.place.pitch[mine][:, None, :]
        near = np.exp(-np.maximum(gap - 4, 0) / 12)
        over = np.clip((self.place.soft[mine][:, None, :] - loud[:, :, None] + _MARGIN) / 10, 0, 2)
        allowed = np.maximum(self.m.mean[mine] - self.m.mean[self.strand[:, 0]], 0)[:, None, None]
        above = np.clip((-gap - allowed) / 12, 0, 2) * self._crossing(k)[:, None, None]
        factor = (self.importance[:, k] * together)[:, None, None] * sounds[:, :, None]
        floor = 0.3 * sounds[:, :, None] * self.importance[:, k][:, None, None]
        return over * near * (factor + floor), above * (factor + floor)

    def beside_bass(self, k: int, seat: Ints) -> Floats:
        """Crossing below the bass on seats `seat` (phrases, pairs): (phrases, pairs, seats)."""
        rows = np.arange(self.phrases)
        column = np.minimum(self.bass, self.columns - 1)
        is_bass = (self.role[rows, column] == int(Role.BASS)) & self.valid[rows, column] & (column != k)
        pitch = self.seated(column, seat, self.place.pitch)[:, :, None]
        mine = self.strand[:, k]
        source = self.m.mean[self.strand[rows, column]] - self.m.mean[mine]
        below = pitch - self.place.pitch[mine][:, None, :] - np.maximum(source, 0)[:, None, None]
        cost = np.clip(below / 12, 0, 2) * self._crossing(k)[:, None, None] * self.importance[:, k][:, None, None]
        return np.asarray(cost * ((seat < self.s) & is_bass[:, None] & self.valid[:, k, None])[:, :, None])

    def _crossing(self, k: int) -> Floats:
        table = np.array([_CROSSING.get(Role(r), 0.0) for r in range(6)])
        lone = np.where(self.m.doubled[self.strand[:, k]] < 0, 1.0, 0.5)
        return np.asarray(table[self.role[:, k]] * lone)

    def voicing(self, k: int, choice: Ints) -> Floats:
        """Raw cost of giving an inner note of a chord to a higher instrument than the outer one: (..., seats)."""
        earlier = choice.shape[-1]
        same = (self.line[:, :earlier] == self.line[:, k, None]) & self.valid[:, :earlier] & self.valid[:, k, None]
        same &= self.rank[:, :earlier] == self.rank[:, k, None] - 1
        outer = np.take_along_axis(choice, same.argmax(axis=1)[:, None, None, None], axis=3)
        middle = np.append(self.seats.comfortable_low + self.seats.comfortable_high, 0) / 2
        upward = np.where(self.role[:, k] == int(Role.BASS), -1.0, 1.0)[:, None, None, None]
        gap = (middle[None, None, None, : self.s] - middle[outer]) * upward
        known = same.any(axis=1)[:, None, None, None] & (outer < self.s)
        return np.asarray(np.where(known, np.clip(gap - 2, 0, 12) / 8, 0.0))

    def sharing(self, k: int, choice: Ints) -> Floats:
        """Raw cost of joining strands already seated, (..., seats); `choice` is (phrases, ..., earlier columns)."""
        inner = choice.shape[1:-1]
        cells = int(np.prod(inner, dtype=np.int64)) * self.phrases
        flat = (np.arange(cells)[:, None] * (self.s + 1) + choice.reshape(cells, -1)).reshape(-1)
        repeat = cells // max(self.phrases, 1)

        def gathered(values: npt.NDArray[Any]) -> Floats:
            spread = np.repeat(values.astype(np.float64), repeat, axis=0).reshape(-1)
            counted = np.bincount(flat, spread, cells * (self.s + 1)).reshape(self.phrases, *inner, self.s + 1)
            return np.asarray(counted[..., : self.s], np.float64)

        earlier = np.arange(choice.shape[-1])
        valid = self.valid[:, earlier] & self.valid[:, k, None]
        other = valid & (self.line[:, earlier] != self.line[:, k, None])
        in_turn = ~other & self.broken[self.role[:, k]][:, None]
        load = gathered(self.m.overlap[:, k, earlier] * (valid & ~in_turn))
        strange = gathered(other) > 0
        lead = gathered(other & (self.role[:, earlier] == int(Role.MELODY))) > 0
        excess = np.clip(1 + load - self.seats.divisi, 0, 1.2) * (load > 0)
        untidy = np.where(self.seats.keyboard, 0.0, 0.25 * strange + 0.35 * lead)
        return np.asarray(2.2 * excess + untidy)


def _leading_pairs(bench: _Bench) -> tuple[Ints, Floats, Floats]:
    """Best seats of the two leading strands: choice (phrases, pairs, 2), cost, and its beside-terms (..., 3)."""
    w, s = bench.weight, bench.s
    first = bench.base(0)
    every = np.broadcast_to(np.arange(s + 1), (bench.phrases, s + 1))
    beside = np.zeros((bench.phrases, s + 1, s + 1, 3))
    if bench.columns > 1:
        second = bench.base(1)
        mask, cross = bench.beside_melody(1, every)
        shared = bench.sharing(1, every[:, :, None]) * bench.importance[:, 1, None, None]
        for i, (name, raw) in enumerate(zip(_BESIDE, (mask, cross, shared), strict=True)):
            beside[:, :, :s, i] = w[name] * raw
    else:
        second = np.full((bench.phrases, s + 1), np.inf)
        second[:, s] = 0.0
    cost = first[:, :, None] + second[:, None, :] + beside.sum(axis=3)
    per_lead = min(PER_LEAD, s + 1)
    inner = np.argsort(cost, axis=2, kind="stable")[:, :, :per_lead]
    flat = np.take_along_axis(cost, inner, axis=2).reshape(bench.phrases, -1)
    order = np.argsort(flat, axis=1, kind="stable")[:, :PAIRS]
    a = order // per_lead
    b = np.take_along_axis(inner.reshape(bench.phrases, -1), order, axis=1)
    rows = np.arange(bench.phrases)[:, None]
    return np.stack([a, b], axis=2), np.take_along_axis(flat, order, axis=1), beside[rows, a, b]


def _beam(bench: _Bench) -> tuple[Ints, Floats, Floats]:
    """Whole states: choice (phrases, states, columns), cost (phrases, states), beside-terms (phrases, states, 3)."""
    pairs, pair_cost, pair_beside = _leading_pairs(bench)
    p, g = pair_cost.shape
    s, w = bench.s, bench.weight
    choice = np.broadcast_to(pairs[:, :, None, :], (p, g, 1, 2)).astype(np.int64)
    cost, beside = pair_cost[:, :, None], pair_beside[:, :, None, :]
    lead, low = pairs[:, :, 0], np.take_along_axis(pairs, np.minimum(bench.bass, 1)[:, None, None], axis=2)[:, :, 0]
    for k in range(2, bench.columns):
        mask, cross = bench.beside_melody(k, lead)
        cross = cross + bench.beside_bass(k, low)
        shared = bench.sharing(k, choice) * bench.importance[:, k, None, None, None]
        width = choice.shape[2]
        step = np.zeros((p, g, width, s + 1, 3))
        step[..., :s, 0] = (w["masking"] * mask)[:, :, None, :]
        voicing = bench.voicing(k, choice) * bench.importance[:, k, None, None, None]
        step[..., :s, 1] = w["crossing"] * (cross[:, :, None, :] + voicing)
        step[..., :s, 2] = w["polyphony"] * shared
        reach = cost[..., None] + bench.base(k)[:, None, None, :] + step.sum(axis=4)
        flat = reach.reshape(p, g, -1)
        order = np.argsort(flat, axis=2, kind="stable")[:, :, :WIDTH]
        rows, cols = np.arange(p)[:, None, None], np.arange(g)[None, :, None]
        parent, seat = order // (s + 1), order % (s + 1)
        choice = np.concatenate([choice[rows, cols, parent], seat[..., None]], axis=3)
        beside = beside[rows, cols, parent] + step[rows, cols, parent, seat]
        cost = np.take_along_axis(flat, order, axis=2)
    choice = choice[..., : max(bench.columns, 1)]
    choice = _desks(bench, choice.reshape(p, -1, choice.shape[3]))
    return choice, cost.reshape(p, -1), beside.reshape(p, -1, 3)


def _desks(bench: _Bench, choice: Ints) -> Ints:
    """First and second violins (any seats alike) put in order: the tune, else the higher lines, to the first."""
    seats = bench.seats.seats
    pitch = np.where(bench.valid, bench.m.mean[bench.strand], -1.0)[:, None, :]
    tune = (bench.valid & (bench.role == int(Role.MELODY)) & (bench.rank == 0))[:, None, :]
    for second in range(1, len(seats)):
        for first in range(second):
            a, b = seats[first], seats[second]
            if a.instrument.id != b.instrument.id or a.divisi != b.divisi or a.instrument.percussion:
                continue
            on_first, on_second = choice == first, choice == second
            leads, waits = (on_first & tune).any(axis=2), (on_second & tune).any(axis=2)
            higher = np.where(on_second, pitch, -1).max(axis=2) > np.where(on_first, pitch, -1).max(axis=2)
            swap = on_first.any(axis=2) & on_second.any(axis=2) & ((waits & ~leads) | ((waits == leads) & higher))
            swapped = np.where(on_first, second, np.where(on_second, first, choice))
            choice = np.where(swap[:, :, None], swapped, choice)
    return choice


def states(m: Material, place: Placement, seats: Ensemble, style: Style, weight: Mapping[str, float]) -> States:
    """The nodes of the lattice with every term of their cost."""
    phrases, columns = m.table.shape
    s = len(seats.seats)
    if not columns:
        none = Doublings(np.full((phrases, 1, s), -1), np.zeros((phrases, 1, s), np.int64), np.zeros((phrases, 1)))
        return States(np.zeros((phrases, 1, 0), np.int64), none, {}, np.zeros((phrases, 1)))
    bench = _Bench(m, place, seats, style, weight)
    choice, cost, beside = _beam(bench)
    added = doublings(m, seats, style, place, choice, weight)
    choice, added, same = leads_in_tutti(m, place, choice, added)
    dead = ~np.isfinite(cost) | same
    taken = (choice < s) & bench.valid[:, None, :]
    at = (bench.strand[:, None, :], np.minimum(choice, s - 1))
    share = np.where(taken, bench.importance[:, None, :], 0.0)
    terms = {name: (table[at] * share).sum(axis=2) for name, table in place.terms.items()}
    terms |= {name: beside[:, :, i] for i, name in enumerate(_BESIDE)}
    terms["dropped"] = np.where(~taken & bench.valid[:, None, :], bench.drop[:, None, :], 0.0).sum(axis=2)
    terms["blend"] = weight["blend"] * _families_in_harmony(bench, choice, taken)
    terms["doubling"] = -added.value
    playing = _playing(choice, added, s)
    wanted = np.maximum(seats_wanted(m, seats, style), 1.0)[:, None]
    short = (playing.sum(axis=2) - wanted) / wanted
    terms["density"] = weight["density"] * np.minimum(np.where(short > 0, 0.6 * short, -short), 1.5)
    total = np.sum(list(terms.values()), axis=0)
    return States(choice, added, terms, np.where(dead, np.inf, total))


def _families_in_harmony(bench: _Bench, choice: Ints, taken: npt.NDArray[np.bool_]) -> Floats:
    """Families beyond the first that share the harmony, halved: two blend, four do not."""
    harmony = taken & (bench.role == int(Role.HARMONY))[:, None, :]
    family = bench.seats.family[np.minimum(choice, bench.s - 1)]
    count = np.zeros(choice.shape[:2])
    for f in range(len(bench.seats.families)):
        count += (harmony & (family == f)).any(axis=2)
    return np.maximum(count - 1, 0) * 0.5


def _playing(choice: Ints, added: Doublings, seats: int) -> npt.NDArray[np.bool_]:
    """Which seats play in each state, shape (phrases, states, seats)."""
    playing = np.zeros((*choice.shape[:2], seats + 1), bool)
    np.put_along_axis(playing, choice, True, axis=2)
    return playing[:, :, :seats] | (added.column >= 0)


def playing(st: States) -> npt.NDArray[np.bool_]:
    """Which seats play in each state, shape (phrases, states, seats)."""
    return _playing(st.choice, st.doublings, st.doublings.column.shape[2])
