"""What moving explains, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.video.motion import HIGH, NEAR, WIDE, unexplained


@pytest.fixture
def places() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.kron(rng.uniform(0, 255, (6, 40, 60)), np.ones((1, 3, 3))).astype(np.float32)


def test_a_picture_explains_itself(places: np.ndarray) -> None:
    pictures = places[:, :HIGH, :WIDE]
    assert unexplained(pictures, pictures).max() < 0.02


def test_another_place_does_not(places: np.ndarray) -> None:
    pictures = places[:, :HIGH, :WIDE]
    assert unexplained(pictures, np.roll(pictures, 1, axis=0)).min() > 0.4


@pytest.mark.parametrize(("down", "right"), [(0, 8), (6, 0), (5, 7)])
def test_a_move_within_reach_is_explained(places: np.ndarray, down: int, right: int) -> None:
    assert down <= NEAR[0]
    assert right <= NEAR[1]
    before = places[:, 10 : 10 + HIGH, 10 : 10 + WIDE]
    after = places[:, 10 + down : 10 + down + HIGH, 10 + right : 10 + right + WIDE]
    one, other = unexplained(after, before), unexplained(before, after)
    assert max(one.max(), other.max()) < 0.3  # the new edge is not there
    assert one.mean() < unexplained(after, np.roll(before, 1, axis=0)).mean() / 2


def test_light_does_not_matter(places: np.ndarray) -> None:
    pictures = places[:, :HIGH, :WIDE]
    assert unexplained(pictures * 0.4 + 30, pictures).max() < 0.05


def test_flat_pictures_ask_for_nothing(places: np.ndarray) -> None:
    flat = np.full((6, HIGH, WIDE), 16, np.float32)
    assert unexplained(flat, places[:, :HIGH, :WIDE]).max() == 0
    assert unexplained(places[:, :HIGH, :WIDE], flat).min() > 0.9
