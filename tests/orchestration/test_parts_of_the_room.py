"""Small pieces: drum maps, chord ranks, pedal, playability rules."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders
import pytest

from rescore_music.orchestration.drums import drum_map
from rescore_music.orchestration.material import broken_share, chord_ranks, material
from rescore_music.score import Articulation, note_rows
from rescore_music.structure import Role


def test_drum_keys_go_to_the_seat_that_has_them_or_the_nearest_kin() -> None:
    seats = builders.forces((("snare-drum", 1, 1), ("bass-drum", 1, 1), ("triangle", 1, 1))).seats
    seat, key = drum_map(seats)
    assert (seat[38], key[38]) == (0, 38)
    assert (seat[36], key[36]) == (1, 36)
    assert seat[39] == 0  # hand clap: a snare stands in
    assert key[39] in seats[0].instrument.keys
    assert seat[81] == 2
    assert seat[49] == -1  # nobody has a cymbal


def test_chord_ranks_count_inwards_from_the_outer_note() -> None:
    chord, group = note_rows([(0, 480, p, 80, 0) for p in (60, 64, 67)]), np.zeros(3, np.int64)
    assert chord_ranks(chord, group, np.zeros(3, bool)).tolist() == [2, 1, 0]
    assert chord_ranks(chord, group, np.ones(3, bool)).tolist() == [0, 1, 2]


def test_grace_notes_stay_with_the_outer_note_and_push_nothing_inwards() -> None:
    notes = note_rows([(0, 480, 60, 80, 0), (0, 480, 67, 80, 0), (0, 0, 69, 80, 0), (0, 0, 66, 80, 0)])
    notes["articulation"][notes["duration"] == 0] = int(Articulation.ACCIACCATURA)
    ranks = chord_ranks(notes, np.zeros(4, np.int64), np.zeros(4, bool))
    assert dict(zip(notes["pitch"].tolist(), ranks.tolist(), strict=True)) == {60: 1, 66: 0, 67: 0, 69: 0}


def test_material_knows_melody_bass_and_chords() -> None:
    score, analysis = builders.cue()
    m = material(score, analysis)
    first = m.table[0]
    assert [Role(m.role[i]) for i in first[first >= 0]] == [Role.MELODY, Role.BASS, *[Role.HARMONY] * 3]
    assert m.rank[first[2:5]].tolist() == [0, 1, 2]
    assert m.dynamic[3] > m.dynamic[0]
    assert np.allclose(m.histogram.sum(axis=1), 1)


def test_a_broken_chord_is_told_from_a_scale_a_slow_bass_and_a_chord() -> None:
    at = np.arange(8) * 0.25
    arpeggio, scale = np.array([36, 43, 48, 52, 55, 52, 48, 43]), 36 + np.arange(8)
    one = np.zeros(8, np.int64)
    assert broken_share(at, arpeggio, one, 1)[0] == pytest.approx(7 / 8)
    assert broken_share(at, scale, one, 1)[0] == 0
    assert broken_share(4 * at, arpeggio, one, 1)[0] == 0
    assert broken_share(0 * at, arpeggio, one, 1)[0] == 0
    two = np.arange(8) % 2  # two voices in turn, each a half second from note to note
    assert np.all(broken_share(at, arpeggio, two, 2) == 0)
