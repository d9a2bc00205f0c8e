"""Runs of notes: a theme is known again in another bar, key, mode and part; a figure stays where it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from analysis_builders import Q, score_of

from rescore_music.analysis.features import top_notes
from rescore_music.analysis.runs import KINDS, USUAL, Runs, find_runs, run_clues
from rescore_music.score import Score

BAR = 4 * Q
THEME = (0, 4, 7, 5, 2, 4)  # semitones over its first note
VALUES = (Q, Q // 2, Q // 2, Q, Q, Q)


def theme(at: int, pitch: int, intervals: tuple[int, ...] = THEME) -> list[tuple[int, int, int]]:
    onsets = np.cumsum((0, *VALUES[:-1])) + at
    return [(int(on), long, pitch + up) for on, long, up in zip(onsets, VALUES, intervals, strict=True)]


def of(score: Score) -> tuple[tuple[Runs, ...], npt.NDArray[np.bool_]]:
    line_of = score.notes["part"].astype(np.int32)
    active = np.zeros((len(score.bars) - 1, len(score.parts)), bool)
    active[score.bar_of(score.notes["onset"]), line_of] = True
    return find_runs(score, line_of, len(score.parts), top_notes(score, line_of), active), active


def test_a_theme_is_known_in_another_part_key_and_place_in_the_bar() -> None:
    """In bar 1 on the beat; in bar 11 a third lower, off the beat, in the other part: nowhere else."""
    score = score_of(theme(0, 72), theme(10 * BAR + Q // 2, 57))
    runs, active = of(score)
    assert [len(kind.cells) for kind in runs] == [length for length, _ in KINDS]
    chance = np.zeros(active.shape)
    chance[0, 0] = 1.0
    for kind in (runs[0], runs[2]):
        pooled, elsewhere, nearby, players, _ = run_clues(kind, chance, active)
        assert pooled[10, 1] == pytest.approx((1 + USUAL) / 2)  # as sure of it as of the other place, but for one doubt
        assert pooled[0, 0] == pytest.approx(USUAL / 2)
        assert elsewhere[0, 0] == elsewhere[10, 1] == 1
        assert players[0, 0] == players[10, 1] == 1
        assert nearby[0, 0] == 0


def test_a_theme_in_the_minor_is_the_same_and_one_of_other_moves_is_not() -> None:
    minor = theme(10 * BAR, 72, (0, 3, 7, 5, 2, 3))
    inverted = theme(20 * BAR, 72, tuple(-x for x in THEME))
    runs, active = of(score_of(theme(0, 72) + minor + inverted, [(0, Q, 40)]))
    _, elsewhere, _, _, _ = run_clues(runs[0], active.astype(float), active)
    assert elsewhere[[0, 10, 20], 0].tolist() == [1, 1, 0]


def test_an_ostinato_is_near_and_never_elsewhere_in_its_own_bars() -> None:
    figure = [(bar * BAR + i * Q, Q, p) for bar in range(3) for i, p in enumerate((48, 55, 52, 55))]
    runs, active = of(score_of(figure, [(0, Q, 72)]))
    _, elsewhere, nearby, players, _ = run_clues(runs[0], active.astype(float), active)
    assert np.all(elsewhere[:, 0] == 0)
    assert np.all(nearby[:, 0] > 0.5)
    assert np.all(players[:, 0] == 0)


def test_lines_of_few_notes_have_no_runs() -> None:
    runs, active = of(score_of([(0, Q, 60), (Q, Q, 62)], [(0, Q, 40)]))
    for kind in runs:
        assert not len(kind.name)
        pooled, *others = run_clues(kind, active.astype(float), active)
        assert np.all(pooled == USUAL)
        assert not np.any(others)
