"""Two hands from one staff."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.io.notation.hands import hands
from rescore_music.score import Part, Score, note_rows

Q = 480


def parted(*chords: tuple[int, ...], step: int = Q) -> list[list[int]]:
    """What the left hand plays of each chord."""
    rows = [(i * step, p) for i, chord in enumerate(chords) for p in chord]
    onset = np.array([r[0] for r in rows])
    pitch = np.array([r[1] for r in rows])
    found = hands(onset, onset + step, pitch, Q)
    return [sorted(pitch[(onset == i * step) & (found == 1)].tolist()) for i in range(len(chords))]


def test_a_melody_over_chords_is_parted_at_the_gap():
    assert parted((48, 52, 55, 72), (48, 52, 55, 74), (47, 50, 55, 76)) == [[48, 52, 55], [48, 52, 55], [47, 50, 55]]


def test_a_broken_chord_that_climbs_over_middle_c_stays_in_one_hand():
    figure = [(43, 79), (50,), (55,), (59,), (62,), (59,), (55,), (50,)] * 2
    left = parted(*figure, step=Q // 2)
    assert all(left[i] == [p for p in chord if p < 70] for i, chord in enumerate(figure))


def test_no_hand_has_to_grasp_what_two_can_share():
    assert parted((36, 43, 60, 67, 76)) == [[36, 43]]


def test_all_high_is_the_right_hand_all_low_the_left():
    assert parted((72,), (74,), (76, 79)) == [[], [], []]
    assert parted((40,), (43,), (45, 36)) == [[40], [43], [36, 45]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(28, 100), min_size=1, max_size=6, unique=True), min_size=1, max_size=25))
def test_in_a_chord_the_left_hand_lies_below_the_right(chords):
    for chord, left in zip(chords, parted(*(tuple(c) for c in chords)), strict=True):
        right = sorted(set(chord) - set(left))
        assert not left or not right or max(left) < min(right)


def test_a_harp_s_figure_over_middle_c_is_not_torn_between_its_staves():
    figure = (45, 53, 57, 60, 57, 53)  # split at middle C the fourth note would stand alone on the upper staff
    rows = [(i * Q // 2, Q // 2, p, 80, 0) for i, p in enumerate(figure * 4)]
    notes = note_rows([*rows, (12 * Q, Q, 84, 80, 0)])
    notes["staff"] = np.where(notes["pitch"] < 60, 1, 0)
    score = Score(notes, (Part("Harp", instrument="harp", program=46, staves=2, clefs=("G2", "F4")),))
    back = read_musicxml(musicxml_bytes(score))
    assert back.notes["staff"].tolist() == [1] * len(rows) + [0]
