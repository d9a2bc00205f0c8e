"""Keys for which a preset has no sample between those that it has."""

from __future__ import annotations

import numpy as np

from rescore_music.rendering import render
from rescore_music.rendering.voices import nearest_keys
from rescore_music.score import Part, Score, note_rows

ALTO_SAX = 65


def test_a_key_between_two_zones_takes_the_nearest_ones_sample() -> None:
    zones = np.array([(40, 50), (55, 60)], [("key_low", "u1"), ("key_high", "u1")])
    keys = np.array([39, 45, 51, 54, 60, 61])
    assert nearest_keys(zones, keys).tolist() == [39, 45, 50, 55, 60, 61]  # beyond the outer zones nothing is invented


def test_no_note_of_the_alto_saxophone_is_silent() -> None:
    rows = [(i * 240, 240, pitch, 80, 0) for i, pitch in enumerate(range(49, 81))]
    score = Score(notes=note_rows(rows), parts=(Part("Alto Saxophone", program=ALTO_SAX),))
    assert not len(render(score, sample_rate=8000).silent)
