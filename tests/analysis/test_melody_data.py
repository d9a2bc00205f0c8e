"""What the melody scorer is fitted to: annotated movements without their labels, and variants of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import melody_data
from melody_variants import VARIANTS, with_variants

from rescore_music.analysis.melody_clues import WHO_PLAYS


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


def test_variants_are_the_same_music_in_fewer_parts(minuet: melody_data.Example) -> None:
    whole, *variants = with_variants([minuet])
    assert whole is minuet
    assert len(variants) == VARIANTS
    parts = [set(e.score.notes["part"].tolist()) for e in variants]
    assert any(p < set(minuet.score.notes["part"].tolist()) for p in parts)
    for e in variants:
        assert e.work == minuet.work
        assert np.isin(e.score.notes, minuet.score.notes).all()
        assert np.array_equal(e.score.bars, minuet.score.bars)
        assert e.right.shape == e.evidence.active.shape
        assert 0 < e.right.max() <= 1
        assert not e.evidence.clues[..., WHO_PLAYS].any()
    assert minuet.evidence.clues[..., WHO_PLAYS].any()


def test_a_variant_comes_again(minuet: melody_data.Example) -> None:
    once, again = with_variants([minuet])[1], with_variants([minuet])[1]
    assert once.score.digest() == again.score.digest()
    assert np.array_equal(once.evidence.clues, again.evidence.clues)


def test_relations_are_told_of_the_spans_they_are_true_of(minuet: melody_data.Example, shared_data: Path) -> None:
    """The minuet is played with its repeats: told parts share the main part's onsets, whichever time it is played."""
    path = shared_data / "openscore_orchestra" / f"{minuet.name}.mxl"
    told = melody_data.relations(path, minuet.score)
    assert len(told) > 20
    notes, alike = minuet.score.notes, []
    for a, b, main, kinds in told:
        tones = {
            part: {(int(n["onset"]), int(n["pitch"]) % 12) for n in notes if n["part"] == part and a <= n["onset"] < b}
            for part in (main, *(p for p, kind in kinds.items() if kind & {"U", "P8"}))
        }
        alike += [len(tones[p] & tones[main]) / max(len(tones[p] | tones[main]), 1) for p in tones if p != main]
    assert np.mean(alike) > 0.8
