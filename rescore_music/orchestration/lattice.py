"""The lattice of a cue: states of every phrase, and what it costs to go from one to the next.

Conventions: `arcs` are (phrases - 1, states, states), each cost weighted and by name. First order: a step knows the
phrase before, so the form speaks through the labels (continuity inside a section, contrast between sections).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.material import Material
from rescore_music.orchestration.placement import TUTTI, Placement
from rescore_music.orchestration.states import States, playing
from rescore_music.structure import Role
from rescore_music.template import Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_VARIED = 0.4  # share of a change of form that a varied repeat (A to A') is
_PASSING = 0.25  # share of one that a new label inside a section is
_SECTION_S = 14.0  # a colour is given at least about this long before the next strong seam
_REST_S = 8.0  # seconds that a wind player may share between two phrases without thought


@dataclass(frozen=True, eq=False)
class Lattice:
    """Nodes and arcs with every term by name."""

    material: Material
    placement: Placement
    states: States
    arc_terms: Mapping[str, Floats]
    arcs: Floats
    kin: Ints  # per seat (and nobody): the first seat with the same instrument

    def terms(self, path: Ints) -> dict[str, float]:
        """Every term of a path's cost, summed over the cue."""
        stage = np.arange(len(path))
        out = {name: float(table[stage, path].sum()) for name, table in self.states.terms.items()}
        for name, table in self.arc_terms.items():
            out[name] = out.get(name, 0.0) + float(table[stage[:-1], path[:-1], path[1:]].sum())
        return out

    def likeness(self, path: Ints) -> Floats:
        """Share of the cue that each state has in common with a path: who leads and who accompanies.

        A line on the same seat counts whole, on another seat of the same instrument (second violins for first) nine
        tenths, so trading desks is hardly a difference. Lines count by importance squared and sounding time,
        doublings and the inner notes of chords not at all.
        """
        m, choice = self.material, self.states.choice
        phrases, _, columns = choice.shape
        strand = np.maximum(m.table, 0)
        outer = (m.table >= 0) & (m.rank[strand] == 0) if columns else m.table >= 0
        weight = np.where(outer, m.importance[strand] ** 2, 0.0) if columns else np.zeros((phrases, 0))
        mine = choice[np.arange(phrases), path][:, None, :]
        same = (choice == mine).astype(np.float64)
        kin = self.kin[choice] == self.kin[mine]
        like = (np.maximum(same, 0.9 * kin) * weight[:, None, :]).sum(axis=2)
        span = m.seconds / max(float(m.seconds.sum()), 1e-9)
        return np.asarray(like / np.maximum(weight.sum(axis=1), 1e-9)[:, None] * span[:, None])


def lattice(
    m: Material, place: Placement, st: States, seats: Ensemble, style: Style, weight: Mapping[str, float]
) -> Lattice:
    """Nodes and arcs."""
    phrases, states = st.total.shape
    zero = np.zeros((max(phrases - 1, 0), states, states))
    terms = {"continuity": zero, "contrast": zero, "leap": zero, "workload": zero}
    if phrases > 1 and m.table.shape[1]:
        continuity, leap = _lines_kept(m, place, st, seats, _change(m), style)
        terms["continuity"] = weight["continuity"] * continuity
        terms["leap"] = weight["leap"] * leap
        terms["contrast"] = weight["contrast"] * style.contrast * _contrast(m, st, seats)
        terms["workload"] = weight["workload"] * _workload(m, st, seats)
    ids = [seat.instrument.id for seat in seats.seats]
    kin = np.array([*(ids.index(i) for i in ids), len(ids)], np.int64)
    arcs = terms["continuity"] + terms["contrast"] + terms["leap"] + terms["workload"]
    return Lattice(m, place, st, terms, arcs, kin)


def _change(m: Material) -> Floats:
    """How far the form moves on at each seam: 0 the same label, part of 1 for a varied repeat, 1 another section.

    Short phrases may all have labels of their own; a section is then what has lasted long enough to be heard as one,
    or what comes back after something else.
    """
    out = np.zeros(len(m.form) - 1)
    since = float(m.seconds[0])
    seen = {int(m.form[0])}
    for p in range(1, len(m.form)):
        form = int(m.form[p])
        if form != m.form[p - 1]:
            returns = form in seen and since >= _SECTION_S / 2
            strong = since >= _SECTION_S or returns
            out[p - 1] = 1.0 if strong else _PASSING
            since = 0.0 if strong else since
        elif m.label[p] != m.label[p - 1]:
            out[p - 1] = _VARIED
        seen.add(form)
        since += float(m.seconds[p])
    return out


def _lines_kept(
    m: Material, place: Placement, st: States, seats: Ensemble, change: Floats, style: Style
) -> tuple[Floats, Floats]:
    """Raw continuity and leap costs: lines that change seats, and lines that jump octaves on their seat."""
    phrases, states = st.total.shape
    s = len(seats.seats)
    continuity = np.zeros((phrases - 1, states, states))
    leap = np.zeros_like(continuity)
    strand = np.maximum(m.table, 0)
    outer = (m.table >= 0) & (m.rank[strand] == 0)
    forgiving = 1 - (0.5 + 0.5 * style.contrast) * change
    for p in range(phrases - 1):
        here = {int(m.line[strand[p, k]]): k for k in np.flatnonzero(outer[p])}
        pairs = [
            (here[line], k) for k in np.flatnonzero(outer[p + 1]) if (line := int(m.line[strand[p + 1, k]])) in here
        ]
        if not pairs:
            continue
        i, j = np.array(pairs).T
        a, b = st.choice[p][:, i].T, st.choice[p + 1][:, j].T  # (lines, states)
        weigh = np.minimum(m.importance[strand[p, i]], m.importance[strand[p + 1, j]])
        # a line that takes on another role may well take another player
        role = m.role[strand[p, i]] == m.role[strand[p + 1, j]]
        both = ((a < s)[:, :, None] & (b < s)[:, None, :]).astype(np.float64)
        kept = (a[:, :, None] == b[:, None, :]) & (a < s)[:, :, None]
        continuity[p] = np.einsum("l,lab->ab", weigh * np.where(role, 1.0, 0.3), both * ~kept) * forgiving[p]
        low = np.minimum(a, s - 1), np.minimum(b, s - 1)
        from_octave = place.octave[strand[p, i][:, None], low[0]]
        to_octave = place.octave[strand[p + 1, j][:, None], low[1]]
        jump = np.minimum(np.abs(from_octave[:, :, None] - to_octave[:, None, :]), 2)
        leap[p] = np.einsum("l,lab->ab", weigh, kept * jump)
    return continuity, leap


def _contrast(m: Material, st: States, seats: Ensemble) -> Floats:
    """Raw contrast cost: the tune stays on its instrument (1), or in its family (0.4), where the form has moved on."""
    s = len(seats.seats)
    strand = np.maximum(m.table[:, 0], 0)
    tune = (m.table[:, 0] >= 0) & (m.role[strand] == int(Role.MELODY))
    lead = st.choice[:, :, 0]
    family = np.append(seats.family, -1)[np.minimum(lead, s)]
    ids = [seat.instrument.id for seat in seats.seats]
    kin_of = np.array([*(ids.index(i) for i in ids), len(ids)], np.int64)
    a, b = kin_of[lead[:-1, :, None]], kin_of[lead[1:, None, :]]
    same = (a == b) & (a < s)
    kin = (family[:-1, :, None] == family[1:, None, :]) & (a < s)
    # a tutti is a change of colour in itself, and wants its strongest voices on the tune
    tutti = np.where(m.intensity[1:] > TUTTI, 0.3, 1.0)
    weigh = _change(m) * (tune[1:] & tune[:-1]) * tutti
    return np.asarray(np.where(same, 1.0, np.where(kin, 0.4, 0.0)) * weigh[:, None, None])


def _workload(m: Material, st: States, seats: Ensemble) -> Floats:
    """Raw workload: wind and brass players who play on through two phrases, by how long that is."""
    busy = playing(st) * np.where((seats.breath > 0) & (seats.players < 3), 1.0, 0.0)[None, None, :]
    together = busy[:-1] @ busy[1:].transpose(0, 2, 1)
    span = np.clip((m.seconds[:-1] + m.seconds[1:]) / 2 / _REST_S, 0.2, 2.0)
    return np.asarray(together * span[:, None, None] * 0.12)
