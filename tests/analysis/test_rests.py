"""Long rests: what lies on either side of thousands of silent bars is heard as if they were a few."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analysis_builders import Q, cadence, score_of, tune
from test_analyze import check

from rescore_music.analysis import analyze
from rescore_music.analysis.rests import GROUP, long_rests, without
from rescore_music.elements import METER
from rescore_music.score import Mark, Score
from rescore_music.structure import Analysis


def apart(bars: int, **more: object) -> Score:
    """A tune and its cadence, so many bars of silence, and the same again."""
    first = score_of(tune(), cadence())
    notes = first.notes
    again = notes.copy()
    again["onset"] += first.bars[-1] + bars * 4 * Q
    return first.replace(notes=np.concatenate([notes, again]), length=0, **more)


def near(found: Analysis, tick: int) -> tuple[list[object], ...]:
    """What is said of the music before a tick."""
    return (
        [(c.start, c.root, c.quality) for c in found.chords if c.start < tick and c.quality],
        [(p.start, p.label) for p in found.phrases if p.start < tick],
        [(c.tick, c.kind) for c in found.cadences if c.tick < tick],
        found.intensity[: tick // (4 * Q)].tolist(),
    )


@pytest.mark.parametrize("bars", [48, 600, 5000])
def test_the_music_beside_a_long_rest_is_heard_as_beside_a_short_one(bars: int) -> None:
    short, long = apart(40), apart(bars)
    end = int(score_of(tune(), cadence()).bars[-1])
    assert long_rests(short) is not None
    one, other = analyze(short), analyze(long)
    check(long, other)
    assert near(one, end) == near(other, end)
    shift = (bars - 40) * 4 * Q
    late = int(short.notes["onset"][len(short.notes) // 2])
    assert [(c.start + shift, c.root, c.quality) for c in one.chords if c.start >= late and c.quality] == [
        (c.start, c.root, c.quality) for c in other.chords if c.start >= late + shift and c.quality
    ]
    assert [(c.tick + shift, c.kind) for c in one.cadences if c.tick >= late] == [
        (c.tick, c.kind) for c in other.cadences if c.tick >= late + shift
    ]
    assert other.voices.tolist() == one.voices.tolist()


def test_what_was_taken_out_is_put_back_bar_by_bar() -> None:
    score = apart(1000, meters=np.array([(0, 4, 4), (500 * 4 * Q, 3, 4), (700 * 4 * Q, 4, 4)], METER))
    found = analyze(score)
    check(score, found)
    edges = {int(t) for t in score.bars}
    for spans in (found.chords, found.keys, found.phrases, found.sections, found.hypermeter):
        assert all(a.end == b.start for a, b in pairwise(spans))
    assert found.chords[-1].end == score.bars[-1]
    assert edges <= {c.start for c in found.chords} | {found.chords[-1].end}
    assert np.all(found.intensity[200:400] == 0)


def test_a_short_rest_stays_and_a_long_one_loses_groups_of_bars() -> None:
    assert long_rests(apart(38)) is None
    score = apart(1003, marks=(Mark(500 * 4 * Q, "rehearsal", "A"), Mark(0, "tempo", "Andante")))
    rests = long_rests(score)
    assert rests is not None
    shorter = without(score, rests)
    gone = (len(score.bars) - len(shorter.bars)) % GROUP
    assert gone == 0
    assert np.array_equal(shorter.bars, rests.shortened(score.bars[np.append(rests.bars, -1)]))
    assert [m.kind for m in shorter.marks] == ["tempo"]
    ticks = np.unique(score.notes["onset"])
    assert np.array_equal(rests.restored(rests.shortened(ticks)), ticks)


def test_the_cost_of_silence_does_not_grow_with_its_length() -> None:
    def frames(bars: int) -> int:
        score = apart(bars)
        rests = long_rests(score)
        return len(without(score, rests).bars) if rests else len(score.bars)

    assert frames(20_000) - frames(40) < GROUP
