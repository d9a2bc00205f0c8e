"""Note values of lengths that a sequencer's gate cut short."""

from __future__ import annotations

import numpy as np
import pytest

from rescore_music.io.notation.gates import filled

QUARTER = 480
BARS = np.array([0, 4, 8]) * QUARTER


def written(*notes, parts=None, left=None):
    """Notated lengths of (onset, length) in ticks."""
    onset, length = np.array(notes, np.int64).T
    part = np.zeros(len(notes), np.int64) if parts is None else np.array(parts)
    kept = np.zeros(len(notes), bool) if left is None else np.array(left)
    return (filled(onset, onset + length, part, kept, BARS, QUARTER) - onset).tolist()


@pytest.mark.parametrize(
    ("played", "printed"),
    [
        (420, 480),  # seven eighths of a quarter
        (450, 480),
        (840, 960),  # of a half
        (680, 720),  # nearly a dotted quarter
        (180, 240),  # three quarters of an eighth: the 32nd rest is a trifle
        (90, 120),
        (360, 360),  # three quarters of a quarter: a dotted eighth and a rest may be meant
        (240, 240),
        (320, 320),  # a quarter in threes
        (384, 384),  # in fives
        (600, 600),  # a quarter tied to a sixteenth
        (1680, 1680),  # a double-dotted half: an eighth rest is no trifle
    ],
)
def test_a_gate_s_rest_is_not_printed(played, printed):
    assert written((0, played)) == [printed]


def test_a_longer_value_gives_way_to_the_next_note_and_to_the_bar_line():
    assert written((0, 420), (420, 60)) == [420, 60]
    assert written((0, 420), (480, 420)) == [480, 480]
    assert written((0, 420), (420, 60), parts=(0, 1)) == [480, 60]
    assert written((1500, 400)) == [400]  # 480 would cross the bar line at 1920
    assert written((1440, 420)) == [480]


def test_grace_notes_and_drums_keep_their_lengths():
    assert written((0, 420), (960, 420), left=(True, False)) == [420, 480]


def test_time_shifted_by_bars_nothing_else_changes():
    notes = [(0, 420), (480, 180), (720, 230), (960, 680)]
    later = [(onset + 4 * QUARTER, length) for onset, length in notes]
    assert written(*notes) == written(*later)
