"""The first pass: N orchestrations of a cue, cheap, best first, each with every term of its cost.

Stages: lines to strands (material), strands on seats (placement), whole-ensemble states a phrase (states), arcs
between phrases (lattice), diverse best paths (search). No note is written here: `Candidate.realization` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Assignment, Candidate, Realization
from rescore_music.errors import TemplateError
from rescore_music.orchestration.asked import asked
from rescore_music.orchestration.costs import NAMES, weights
from rescore_music.orchestration.drums import percussion_lines
from rescore_music.orchestration.ensemble import ensemble
from rescore_music.orchestration.kept import kept_parts, without_kept
from rescore_music.orchestration.lattice import Lattice, lattice
from rescore_music.orchestration.material import material
from rescore_music.orchestration.placement import placement
from rescore_music.orchestration.search import diverse_paths
from rescore_music.orchestration.states import states

if TYPE_CHECKING:
    from rescore_music.score import Score
    from rescore_music.structure import Analysis
    from rescore_music.template import Template

Ints = npt.NDArray[np.int64]

DISTANCE = 0.08  # two candidates differ in at least this share of the cue's (weighted) line time, where it can be had


@dataclass(frozen=True, eq=False)
class Realizer:
    """Writes out assignments of one cue for one template. A value, so candidates can be sent to other processes."""

    source: Score
    analysis: Analysis
    template: Template

    def __call__(self, assignments: tuple[Assignment, ...]) -> Realization:
        """The written-out music."""
        from rescore_music.orchestration.realize import realize

        return realize(self.source, self.analysis, self.template, assignments)


def build_lattice(score: Score, template: Template, analysis: Analysis, seed: int = 0) -> Lattice:
    """The lattice that `orchestrate` searches."""
    seats, style = ensemble(template), template.style
    weight = weights(style.weights)
    analysis = without_kept(analysis, kept_parts(score, template))
    m = material(score, analysis)
    place = placement(m, seats, style, weight, seed, asked(m, score, analysis, template))
    return lattice(m, place, states(m, place, seats, style, weight), seats, style, weight)


def orchestrate(
    score: Score, template: Template, *, analysis: Analysis, n: int = 16, seed: int = 0
) -> tuple[Candidate, ...]:
    """Propose the N best orchestrations of a score.

    Parameters
    ----------
    score : Score
        The source.
    template : Template
        Forces and style.
    analysis : Analysis
        Of the same score; `with_seams` of it where the template has wishes for sections.
    n : int
        How many candidates; fewer come back only where fewer exist.
    seed : int
        Feeds the small cost "chance": ties fall differently, another seed gives other takes.

    Returns
    -------
    tuple of Candidate
        Cheapest first. The first is the lattice's best path; the others are the best that differ from all before in
        who leads and who accompanies (at least `DISTANCE` of the weighted line time), not only in a desk.

    Raises
    ------
    TemplateError
        If the forces have no seats, or the cue has no part that is to be kept.
    """
    if not template.forces.seats:
        raise TemplateError(f"the forces of {template.name} have no seats", file=template.source, where="seats")
    analysis = without_kept(analysis, kept_parts(score, template))
    net = build_lattice(score, template, analysis, seed)
    paths = diverse_paths(net.states.total, net.arcs, max(n, 1), net.likeness, distance=DISTANCE)
    terms = [dict.fromkeys(NAMES, 0.0) | net.terms(path) for path in paths]
    costs = [sum(t.values()) for t in terms]
    # the first is the best path by construction; rounding must not let an equal one pass it
    order = sorted(range(len(paths)), key=lambda i: (costs[i] if i else min(costs), i))
    drums = percussion_lines(score, analysis, template.forces.seats, template.style.percussion)
    known: dict[tuple[int, int], tuple[Assignment, ...]] = {}
    realizer = Realizer(score, analysis, template)
    return tuple(
        Candidate(
            rank=rank,
            cost=costs[i],
            terms=terms[i],
            assignments=_assignments(net, paths[i], drums, known),
            template=template.name,
            realize=realizer,
            path=tuple(paths[i].tolist()),
        )
        for rank, i in enumerate(order)
    )


def _assignments(
    net: Lattice, path: Ints, drums: list[Ints], known: dict[tuple[int, int], tuple[Assignment, ...]]
) -> tuple[Assignment, ...]:
    out: list[Assignment] = []
    for p, q in enumerate(path.tolist()):
        if (p, q) not in known:
            known[p, q] = _phrase_assignments(net, p, q, drums[p])
        out += known[p, q]
    return tuple(out)


def _phrase_assignments(net: Lattice, p: int, q: int, drums: Ints) -> tuple[Assignment, ...]:
    """Carriers strand by strand (the k-th of a line takes its k-th chord note), then doublings, then percussion."""
    m, st, place = net.material, net.states, net.placement
    seats = st.doublings.column.shape[2]
    strands, chosen = m.table[p].tolist(), st.choice[p, q].tolist()
    lines = m.line[m.table[p]].tolist() if strands else []
    ranks = m.rank[m.table[p]].tolist() if strands else []
    columns = [k for k, strand in enumerate(strands) if strand >= 0 and chosen[k] < seats]
    columns.sort(key=lambda k: (lines[k], ranks[k]))
    home: dict[tuple[int, int], int] = {}
    out = []
    for k in columns:
        line, seat = lines[k], chosen[k]
        # a chord that stays on one seat moves as one
        octave = home.setdefault((line, seat), int(place.octave[strands[k], seat]))
        out.append(Assignment(p, line, seat, octave))
    doubled, octaves = st.doublings.column[p, q].tolist(), st.doublings.octaves[p, q].tolist()
    out += [Assignment(p, lines[k], s, octaves[s], doubling=True) for s, k in enumerate(doubled) if k >= 0]
    out += [Assignment(p, line, seat) for line, seat in drums.tolist()]
    return tuple(out)
