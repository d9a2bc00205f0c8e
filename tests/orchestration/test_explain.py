"""Every decision told: its costs, and an exact runner-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.orchestration import build_lattice, explain, orchestrate
from rescore_music.structure import Role


@pytest.fixture(scope="module")
def told():
    score, analysis = builders.cue()
    forces = builders.template()
    takes = orchestrate(score, forces, analysis=analysis, n=4)
    return score, analysis, forces, takes, explain(takes[0], score, forces, analysis)


def test_every_line_of_every_phrase_has_its_decision_and_it_is_the_one_taken(told) -> None:
    _, analysis, _, takes, decisions = told
    carriers = {(a.phrase, a.line): a for a in reversed(takes[0].assignments) if not a.doubling}
    pitched = [d for d in decisions if d.role != Role.PERCUSSION]
    assert {(d.phrase, d.line) for d in pitched} == {
        (p, line) for line in range(5) for p in range(6) if analysis.roles[line, p] != int(Role.REST)
    }
    for d in pitched:
        carrier = carriers.get((d.phrase, d.line))
        assert d.seat == (carrier.seat if carrier else -1)
        assert carrier is None or d.octaves == carrier.octaves
        doubled = {a.seat for a in takes[0].assignments if (a.phrase, a.line) == (d.phrase, d.line) and a.doubling}
        assert {seat for seat, _ in d.doubled} == doubled


def test_the_best_path_has_no_cheaper_runner_up_and_the_terms_add_up(told) -> None:
    *_, decisions = told
    known = [d for d in decisions if d.runner_up is not None]
    assert len(known) > 10
    assert all(d.extra > -1e-9 and d.runner_up != d.seat for d in known)
    assert all(sum(d.differences.values()) == pytest.approx(d.extra, abs=0.06) for d in known)


def test_the_runner_up_is_what_the_lattice_says(told) -> None:
    score, analysis, forces, takes, decisions = told
    net = build_lattice(score, forces, analysis)
    path = list(takes[0].path)
    cost = sum(net.terms(path_of(path)).values())
    d = next(d for d in decisions if d.role == Role.MELODY and d.runner_up is not None)
    column = next(
        k for k in range(net.material.table.shape[1]) if net.material.line[net.material.table[d.phrase, k]] == d.line
    )
    others = []
    for state in range(net.states.total.shape[1]):
        if net.states.choice[d.phrase, state, column] != d.seat and net.states.total[d.phrase, state] < 1e9:
            changed = [*path[: d.phrase], state, *path[d.phrase + 1 :]]
            others.append(sum(net.terms(path_of(changed)).values()))
    assert min(others) - cost == pytest.approx(d.extra, abs=1e-6)


def path_of(states: list[int]) -> np.ndarray:
    return np.array(states, np.int64)


def test_a_candidate_of_another_cue_is_refused(told) -> None:
    score, analysis, forces, takes, _ = told
    with pytest.raises(ValueError, match="was not made"):
        explain(replace(takes[0], path=(0,)), score, forces, analysis)
