"""Doublings: free seats that reinforce a line at the unison or octave, as style and tradition wish.

Conventions: arrays run over (phrases, states, ...); a wish is one `Doubling` of one role. How many seats play at all
is the style's density times the phrase's intensity.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. II (melody in octaves, strings with woodwind); Piston,
Orchestration, part II (double basses an octave below the cellos).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.ensemble import Ensemble, matches
from rescore_music.orchestration.material import Material
from rescore_music.orchestration.placement import OCTAVES, TUTTI, Placement
from rescore_music.structure import Role
from rescore_music.template import Doubling, Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# what is done where the style says nothing about a role
TRADITION: Mapping[Role, tuple[Doubling, ...]] = {
    Role.MELODY: (
        Doubling(12, ("flute", "piccolo", "oboe", "violin"), 0.5, 0.55),
        Doubling(0, ("woodwind", "strings", "electronic"), 0.45, 0.65),
        Doubling(0, ("trumpet", "cornet"), 0.4, 0.85),
    ),
    Role.BASS: (
        Doubling(-12, ("contrabassoon",), 0.4, 0.7),
        Doubling(0, ("bassoon", "bass-clarinet", "tuba", "bass-trombone"), 0.45, 0.6),
    ),
    Role.HARMONY: (Doubling(0, ("horn", "clarinet", "bassoon", "viola"), 0.4, 0.6),),
}
# what is done whatever the style says, if its players are there
ALWAYS: Mapping[Role, tuple[Doubling, ...]] = {
    Role.BASS: (
        Doubling(-12, ("double-bass",), 0.9, 0.0),
        Doubling(0, ("double-bass",), 0.6, 0.0),
        Doubling(0, ("bassoon", "bass-trombone", "tuba"), 0.6, 0.68),
    ),
    Role.MELODY: (Doubling(0, ("trumpet", "cornet"), 0.75, 0.74), Doubling(0, ("woodwind", "violin"), 0.6, 0.68)),
    Role.HARMONY: (Doubling(0, ("horn", "trombone", "bassoon", "tenor-horn"), 0.45, 0.66),),
}
# what those who are left do in a tutti, in the octave that lies best for them (Rimsky-Korsakov, ch. IV: tutti chords)
FULL = 0.5  # intensity from which everybody may be asked; how many are, density says
FILLING: Mapping[Role, tuple[Doubling, ...]] = {
    Role.MELODY: tuple(Doubling(i, ("woodwind", "strings", "cornet"), 0.5, FULL) for i in (0, 12, -12)),
    Role.HARMONY: tuple(Doubling(i, ("brass", "woodwind", "strings"), 0.45, FULL) for i in (0, 12, -12)),
    Role.BASS: tuple(Doubling(i, ("trombone", "bassoon", "cello", "timpani"), 0.45, FULL) for i in (0, -12)),
}
_LEAST = 0.08  # a doubling worth less than this is not written


@dataclass(frozen=True, eq=False)
class Doublings:
    """Chosen doublings of every state, shape (phrases, states, seats).

    `column` is the strand's column in `Material.table` or -1, `octaves` where it goes against the source, `value`
    (phrases, states) what they are worth together.
    """

    column: Ints
    octaves: Ints
    value: Floats


def seats_wanted(m: Material, seats: Ensemble, style: Style) -> Floats:
    """How many pitched seats should play in each phrase."""
    fullness = np.minimum(0.5 * (m.dynamic + m.intensity) / 0.85, 1.0)
    return np.asarray(seats.pitched.sum() * style.density * (0.35 + 0.65 * fullness))


def _wishes(m: Material, seats: Ensemble, style: Style) -> tuple[Ints, Floats, Ints]:
    """Per wish: its column in each phrase (-1 where it does not apply), worth per seat, interval in octaves."""
    columns: list[Ints] = []
    worth: list[Floats] = []
    octaves: list[int] = []
    role = np.where(m.table >= 0, m.role[np.maximum(m.table, 0)], -1)
    outer = (m.table >= 0) & (m.rank[np.maximum(m.table, 0)] == 0) & (m.doubled[np.maximum(m.table, 0)] < 0)
    for want in (Role.MELODY, Role.BASS, Role.COUNTER_MELODY, Role.HARMONY, Role.FIGURATION):
        own = style.roles.get(want)
        rules = own.doublings if own is not None and own.doublings else TRADITION.get(want, ())
        is_role = (role == int(want)) & outer
        for nth in range(2 if want is Role.HARMONY else 1):
            nth_of = is_role & (np.cumsum(is_role, axis=1) == nth + 1)
            column = np.where(nth_of.any(axis=1), nth_of.argmax(axis=1), -1)
            for rule in (*rules, *ALWAYS.get(want, ()), *FILLING.get(want, ())):
                columns.append(np.where(m.intensity >= rule.from_intensity, column, -1))
                fits = [any(matches(seat, word) for word in rule.prefer) for seat in seats.seats]
                worth.append(rule.weight * (np.array(fits, np.float64) if rule.prefer else np.full(len(fits), 0.5)))
                octaves.append(round(rule.interval / 12))
    if not columns:
        return np.zeros((len(m.table), 0), np.int64), np.zeros((0, len(seats.seats))), np.zeros(0, np.int64)
    return np.stack(columns, axis=1), np.array(worth), np.array(octaves, np.int64)


def doublings(
    m: Material, seats: Ensemble, style: Style, place: Placement, choice: Ints, weight: Mapping[str, float]
) -> Doublings:
    """The best doublings of every state by seats that the state leaves free.

    `choice` holds the seat of each strand, shape (phrases, states, columns), the number of seats meaning nobody.
    """
    phrases, states, _ = choice.shape
    s = len(seats.seats)
    used = _used(choice, s)
    columns, worth, steps = _wishes(m, seats, style)
    best = np.full((phrases, states, s), -np.inf)
    column = np.full((phrases, states, s), -1, np.int64)
    octave = np.zeros((phrases, states, s), np.int64)
    burden = 0.4 * (place.terms["agility"] + place.terms["breath"]) + 0.15 * place.terms["wish"]
    row = np.arange(phrases)
    for d in range(columns.shape[1]):
        col = np.maximum(columns[:, d], 0)
        strand = np.maximum(m.table[row, col], 0)
        carrier = choice[row, :, col]  # (phrases, states)
        carried = (carrier < s) & (columns[:, d] >= 0)[:, None]
        home = place.octave[strand[:, None], np.minimum(carrier, s - 1)]
        there = home + steps[d]
        legal = carried & (there >= OCTAVES[0]) & (there <= OCTAVES[-1])
        # nobody doubles a bass above where the source has it: it would lie among the harmony
        legal &= (there <= 0) | (m.role[strand] != int(Role.BASS))[:, None]
        fit = place.fit[strand[:, None], :, np.clip(there - OCTAVES[0], 0, len(OCTAVES) - 1)]
        value = weight["doubling"] * worth[d][None, None, :] - 0.5 * fit - burden[strand][:, None, :]
        value = value - _overpowering(m, place, strand, np.minimum(carrier, s - 1))
        value = np.where(legal[:, :, None] & np.isfinite(place.total[strand])[:, None, :], value, -np.inf)
        value = np.where(worth[d][None, None, :] > 0, value, -np.inf)
        better = value > best
        best = np.where(better, value, best)
        column = np.where(better, columns[:, d][:, None, None], column)
        octave = np.where(better, there[:, :, None], octave)
    return _chosen(m, seats, style, used, best, column, octave)


def leads_in_tutti(m: Material, place: Placement, choice: Ints, added: Doublings) -> tuple[Ints, Doublings, Bools]:
    """Tutti: the tune is led by the better seat for it, where carrier and reinforcement play it at the unison.

    Returns the choice and doublings with the two exchanged, and the states in which another one now has the same
    cast, shape (phrases, states): they are no choice of their own.
    """
    phrases, states, columns = choice.shape
    same = np.zeros((phrases, states), bool)
    if not columns:
        return choice, added, same
    strand, seats = np.maximum(m.table[:, 0], 0), added.column.shape[2]
    tutti = (m.table[:, 0] >= 0) & (m.role[strand] == int(Role.MELODY)) & (m.intensity > FULL)
    carrier = choice[:, :, 0]
    held = np.minimum(carrier, seats - 1)
    home = place.octave[strand[:, None], held]
    unison = (added.column == 0) & (added.octaves == home[:, :, None])
    unison &= (place.octave[strand][:, None, :] == home[:, :, None]) & tutti[:, None, None]
    unison &= ((choice == carrier[:, :, None]).sum(axis=2) == 1)[:, :, None] & (carrier < seats)[:, :, None]
    cost = np.where(unison, place.total[strand][:, None, :], np.inf)
    p, q = np.nonzero(cost.min(axis=2) < place.total[strand[:, None], held])
    if not len(p):
        return choice, added, same
    better, before = cost[p, q].argmin(axis=1), carrier[p, q]
    choice, column, octaves = choice.copy(), added.column.copy(), added.octaves.copy()
    choice[p, q, 0] = better
    column[p, q, better], octaves[p, q, better] = -1, 0
    column[p, q, before], octaves[p, q, before] = 0, home[p, q]
    changed = np.zeros((phrases, states), bool)
    changed[p, q] = True
    order = np.arange(states)
    for phrase in np.unique(p).tolist():
        own = np.flatnonzero(changed[phrase])
        alike = (choice[phrase][own, None] == choice[phrase][None]).all(axis=2)
        others = (order[None, :] < own[:, None]) | ~changed[phrase][None, :]
        same[phrase, own] = (alike & others).any(axis=1)
    return choice, Doublings(column, octaves, added.value), same


def _overpowering(m: Material, place: Placement, strand: Ints, carrier: Ints) -> Floats:
    """Cost of a reinforcement that drowns the colour it reinforces: (phrases, states, seats). Basses and tutti may."""
    middle = (place.soft + place.loud)[strand] / 2  # (phrases, seats)
    mine = np.take_along_axis(middle, carrier, axis=1)
    over = np.clip((middle[:, None, :] - mine[:, :, None] - 4.0) / 5.0, 0.0, 1.5)
    tolerant = np.where(m.intensity > TUTTI, 0.25, 1.0) * (m.role[strand] != int(Role.BASS))
    return np.asarray(over * tolerant[:, None, None])


def _used(choice: Ints, seats: int) -> Bools:
    phrases, states, _ = choice.shape
    used = np.zeros((phrases, states, seats + 1), bool)
    np.put_along_axis(used, choice, True, axis=2)
    return used[:, :, :seats]


def _chosen(
    m: Material, seats: Ensemble, style: Style, used: Bools, best: Floats, column: Ints, octave: Ints
) -> Doublings:
    """The most valuable doublings while the phrase still wants players."""
    wanted = np.rint(seats_wanted(m, seats, style))[:, None] - (used & seats.pitched).sum(axis=2)
    value = np.where(used, -np.inf, best)
    order = np.argsort(-value, axis=2, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(value.shape[2]), value.shape), axis=2)
    take = (value > _LEAST) & (rank < wanted[:, :, None])
    return Doublings(
        column=np.where(take, column, -1),
        octaves=np.where(take, octave, 0),
        value=np.where(take, value, 0.0).sum(axis=2),
    )
