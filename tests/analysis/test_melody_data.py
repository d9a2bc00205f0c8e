"""What the melody scorer is fitted to: annotated movements without their labels."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import melody_data


@pytest.fixture(scope="module")
def minuet(shared_data: Path) -> melody_data.Example:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(melody_data, "DATA", shared_data)
        return melody_data.read_example(next(p for p in melody_data.annotated() if p.stem == "Beethoven_Op.21_3"))


def test_labels_of_the_annotations_are_not_read(minuet: melody_data.Example) -> None:
    assert "lyric" not in {m.kind for m in minuet.score.marks}


def test_the_right_lines_of_a_bar_are_those_of_the_right_parts() -> None:
    truth = [(0, 6, {0}), (6, 12, {1, 2})]
    right = melody_data.right_in_bars(truth, np.array([0, 1, 2, 2, 3]), np.array([0, 4, 8, 12]))
    assert np.allclose(right, [[1, 0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5, 0], [0, 1, 1, 1, 0]])
