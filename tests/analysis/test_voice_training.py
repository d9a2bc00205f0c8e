"""The training of voice separation: slopes are those of the loss, right answers are the parts', folds keep an opus."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from analysis_builders import TUNE, Q, corpus, score_of, tune

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import bench_voices
import descent
import fit_links
import fit_voices

from rescore_music.analysis import links


def work() -> fit_voices.Work:
    """Two lines that cross: one rises by steps, the other repeats the tune."""
    rising = [(i * Q // 2, Q // 2, 55 + i % 24) for i in range(64)]
    return fit_voices.chosen_parts(score_of(tune(TUNE * 2), rising), [0, 1], "study", 1)


def caught(monkeypatch: pytest.MonkeyPatch, module: Any) -> tuple[dict[str, Any], Callable[..., Any], Any]:
    """A network's first values in double precision, its slopes, and the first batch of the work."""
    found: dict[str, Any] = {}

    def descend(shapes: Any, batches: Any, gradients: Any, epochs: int) -> None:
        random = np.random.default_rng(1)
        net = {k: random.standard_normal(shape) * (scale or 0.1) for k, (shape, scale) in shapes.items()}
        found.update(net=net, slopes=gradients, batch=batches(random)[0])

    monkeypatch.setattr(module, "descend", descend)
    monkeypatch.setattr(descent, "LOST", 0.0)
    module.fit([module.bundle(work())])
    return found["net"], found["slopes"], found["batch"]


@pytest.mark.parametrize("module", [fit_voices, fit_links])
def test_slopes_are_those_of_the_loss(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net, gradients, batch = caught(monkeypatch, module)
    random = np.random.default_rng(2)
    slopes, _ = gradients(net, batch, random)
    assert set(slopes) == set(net)
    for name, slope in slopes.items():
        at = np.unravel_index(np.argmax(np.abs(slope)), slope.shape)
        ends = []
        for step in (1e-3, -1e-3):
            moved = {k: v.copy() for k, v in net.items()}
            moved[name][at] += step
            ends.append(gradients(moved, batch, random)[1])
        assert slope[at] == pytest.approx((ends[0] - ends[1]) / 2e-3, rel=0.05, abs=1e-4), name


def test_right_answers_are_the_neighbours_in_the_same_part() -> None:
    one = work()
    heard = one.heard()
    notes = links.notes_of(heard)
    voice = fit_voices.true_places(heard, one.truth, one.pile.notes["duration"] > 0)[notes.group, notes.place]
    followed, follows = fit_links.right_answers(notes, voice)
    for i, columns in enumerate(followed[:, :-1]):
        for column in np.flatnonzero(columns):
            earlier = notes.first[i] - 1 - column
            assert voice[earlier] == voice[i]
            assert not np.any(voice[earlier + 1 : notes.first[i]] == voice[i])
    assert np.count_nonzero(followed[:, -1]) == np.count_nonzero(follows[:, -1]) == 2  # the parts' first and last notes
    assert followed.any(axis=1).all()
    assert follows.any(axis=1).all()


def test_descent_finds_the_lowest_point_and_the_same_one_again() -> None:
    def slopes(net: descent.Net, batch: float, random: np.random.Generator) -> tuple[descent.Net, float]:
        away = net["x"] - batch
        return {"x": 2 * away}, float((away**2).sum())

    ends = [descent.descend({"x": ((2,), 1.0)}, lambda _: [1.5] * 400, slopes, 10)["x"] for _ in range(2)]
    assert ends[0] == pytest.approx([1.5, 1.5], abs=0.01)
    assert np.array_equal(*ends)


def test_every_quartet_is_in_one_fold_and_no_work_in_two() -> None:
    names = [
        p.relative_to(next(q for q in p.parents if q.name == name).parent).as_posix()
        for name in bench_voices.QUARTETS
        for p in corpus(f"{name}/*.mxl", f"{name}/*/*.mxl")
        if "k545" not in p.parts  # a piano sonata
    ]
    of = [[k for k, fold in enumerate(bench_voices.FOLDS) if name.startswith(fold)] for name in names]
    assert len(names) == 46
    assert all(len(folds) == 1 for folds in of)
    opus: dict[str, set[int]] = {}
    for name, (fold,) in zip(names, of, strict=True):
        opus.setdefault(name.split("no")[0].split("/movement")[0], set()).add(fold)
    assert all(len(folds) == 1 for folds in opus.values())
