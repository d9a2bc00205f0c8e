"""Why a line went to a seat: the costs it was chosen by, and what the runner-up would have cost.

The lattice is built again (the same score, template and seed give the same one). For a line in a phrase the runner-up
is the cheapest other state of that phrase in which another seat, or nobody, has the line's leading note, all other
phrases staying as they were chosen; so the difference is exact, and each of its terms is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Candidate
from rescore_music.orchestration.first_pass import build_lattice
from rescore_music.orchestration.lattice import Lattice
from rescore_music.structure import Role

if TYPE_CHECKING:
    from rescore_music.score import Score
    from rescore_music.structure import Analysis
    from rescore_music.template import Template

Ints = npt.NDArray[np.int64]

NOBODY = -1
_SLIGHT = 0.005  # a difference of cost smaller than this is none


@dataclass(frozen=True)
class Decision:
    """Who got one line in one phrase, why, and who would have been next.

    Attributes
    ----------
    phrase, line : int
    role : Role
    seat, octaves : int
        Index into the template's seats, `NOBODY` where the line was left out.
    doubled : tuple of (seat, octaves)
        Who reinforces it.
    terms : mapping of cost name to float
        Of this line on this seat, weighted.
    runner_up : int or None
        The seat of the next best way, `NOBODY` for leaving it out; None where the lattice holds no other way.
    extra : float
        What the whole orchestration would have cost more; negative where the second pass chose against the costs.
    differences : mapping of cost name to float
        The terms of `extra`, the largest first: positive where the runner-up is worse.
    """

    phrase: int
    line: int
    role: Role
    seat: int
    octaves: int
    doubled: tuple[tuple[int, int], ...]
    terms: Mapping[str, float]
    runner_up: int | None
    extra: float
    differences: Mapping[str, float]

    def as_dict(self, seats: tuple[str, ...]) -> dict[str, Any]:
        """For JSON, seats by name."""

        def name(seat: int) -> str:
            return seats[seat] if seat >= 0 else "nobody"

        return {
            "phrase": self.phrase,
            "line": self.line,
            "role": self.role.name.lower(),
            "seat": name(self.seat),
            "octaves": self.octaves,
            "doubled": [{"seat": seats[seat], "octaves": octaves} for seat, octaves in self.doubled],
            "terms": {k: round(v, 4) for k, v in self.terms.items()},
            "runner_up": None if self.runner_up is None else name(self.runner_up),
            "extra": round(self.extra, 4),
            "differences": {k: round(v, 4) for k, v in self.differences.items()},
        }


def explain(
    candidate: Candidate, score: Score, template: Template, analysis: Analysis, seed: int = 0
) -> tuple[Decision, ...]:
    """Every decision of a candidate, by phrase, the most important line first.

    Parameters
    ----------
    candidate : Candidate
        Made by `orchestrate` of the same score, template, analysis and seed.

    Raises
    ------
    ValueError
        If the candidate was not made by `orchestrate` from these.
    """
    net = build_lattice(score, template, analysis, seed)
    path = np.array(candidate.path, np.int64)
    states = net.states.total.shape
    if len(path) != states[0] or (len(path) and not (path < states[1]).all()):
        raise ValueError("the candidate was not made from this score, template and seed")
    out: list[Decision] = []
    for p in range(len(path)):
        around = _around(net, path, p)
        columns = np.flatnonzero(net.material.table[p] >= 0)
        out += [
            _decision(net, path, p, k, around)
            for k in columns.tolist()
            if net.material.rank[net.material.table[p, k]] == 0
        ]
    return tuple(out)


def _around(net: Lattice, path: Ints, p: int) -> dict[str, npt.NDArray[np.float64]]:
    """Every term of each state of a phrase, between the chosen states of its neighbours: name -> (states,)."""
    out = {name: table[p].copy() for name, table in net.states.terms.items()}
    for name, table in net.arc_terms.items():
        into = table[p - 1, path[p - 1]] if p else np.zeros(len(net.states.total[p]))
        onward = table[p, :, path[p + 1]] if p + 1 < len(path) else np.zeros(len(net.states.total[p]))
        out[name] = out.get(name, 0.0) + into + onward
    return out


def _decision(net: Lattice, path: Ints, p: int, k: int, around: Mapping[str, npt.NDArray[np.float64]]) -> Decision:
    m, st, place = net.material, net.states, net.placement
    q, strand, nobody = int(path[p]), int(m.table[p, k]), st.doublings.column.shape[2]
    seat = int(st.choice[p, q, k])
    total = np.where(np.isfinite(st.total[p]), np.sum(list(around.values()), axis=0), np.inf)
    others = np.where(st.choice[p, :, k] != seat, total, np.inf)
    other = int(others.argmin())
    known = bool(np.isfinite(others[other]))
    gaps = {name: float(table[other] - table[q]) for name, table in around.items()} if known else {}
    telling = [name for name in sorted(gaps, key=lambda n: -abs(gaps[n])) if abs(gaps[name]) > _SLIGHT]
    doubled = [(s, int(st.doublings.octaves[p, q, s])) for s in np.flatnonzero(st.doublings.column[p, q] == k).tolist()]
    second = int(st.choice[p, other, k])
    return Decision(
        phrase=p,
        line=int(m.line[strand]),
        role=Role(int(m.role[strand])),
        seat=seat if seat < nobody else NOBODY,
        octaves=int(place.octave[strand, seat]) if seat < nobody else 0,
        doubled=tuple(doubled),
        terms={
            name: float(table[strand, seat] * m.importance[strand])
            for name, table in place.terms.items()
            if seat < nobody and abs(table[strand, seat]) > _SLIGHT
        },
        runner_up=(second if second < nobody else NOBODY) if known else None,
        extra=float(others[other] - total[q]) if known else 0.0,
        differences={name: gaps[name] for name in telling},
    )
