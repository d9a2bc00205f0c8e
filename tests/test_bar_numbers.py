"""Bars as a printed score counts them, and every place that tells of a bar."""

from __future__ import annotations

import numpy as np
import pytest
from lxml import etree

from rescore_music.bar_numbers import numbered
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Role
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.splice import spliced
from rescore_music.template import SectionWish

Q = 480
FULL = 4 * Q
FOUR = (4, 4)


def of_lengths(*quarters: int) -> Score:
    """A note a quarter, in bars of so many quarters."""
    count = sum(quarters)
    return Score(
        notes=note_rows([(i * Q, Q, 60 + i % 12, 80, 0) for i in range(count)]),
        parts=(Part("Flute"),),
        barlines=np.concatenate([[0], np.cumsum(quarters)]) * Q,
    )


@pytest.mark.parametrize(
    ("lengths", "numbers", "before"),
    [
        ((4, 4, 4), (1, 2, 3), (0, 0, 0)),
        ((1, 4, 4, 3), (0, 1, 2, 3), (3, 0, 0, 0)),
        ((1, 4, 3, 1, 4), (0, 1, 2, 2, 3), (3, 0, 0, 3, 0)),
        ((4, 2, 2, 2, 2, 4), (1, 2, 2, 3, 3, 4), (0, 0, 2, 0, 2, 0)),
        ((4, 2, 4), (1, 2, 3), (0, 0, 0)),
        ((2, 2, 4), (0, 1, 2), (2, 0, 0)),  # an upbeat has no second half
        ((4, 5, 4), (1, 2, 3), (0, 0, 0)),
        ((3,), (1,), (0,)),
    ],
)
def test_an_upbeat_is_bar_0_and_a_cut_bar_is_one(lengths, numbers, before) -> None:
    found = numbered(np.array(lengths) * Q, [FOUR] * len(lengths), FULL)
    assert found.number.tolist() == list(numbers)
    assert (found.before // Q).tolist() == list(before)


def test_halves_of_unlike_meters_are_two_bars() -> None:
    found = numbered([FULL, 2 * Q, 2 * Q], [FOUR, FOUR, (2, 4)], FULL)
    assert found.number.tolist() == [1, 2, 3]


def test_beats_are_counted_to_the_bar_line_and_on_after_a_repeat() -> None:
    score = of_lengths(1, 4, 3, 1, 4)
    places = [score.bar_beat(i * Q) for i in range(10)]
    assert places == [
        (0, 4.0),
        *((1, b) for b in (1.0, 2.0, 3.0, 4.0)),
        *((2, b) for b in (1.0, 2.0, 3.0, 4.0)),
        (3, 1),
    ]
    assert [Grid(score).bar_beat(i * Q) for i in range(10)] == places
    assert score.bar_number([0, Q, 5 * Q, 8 * Q, 9 * Q]).tolist() == [0, 1, 2, 2, 3]


def test_a_span_of_printed_bars_holds_both_halves() -> None:
    score = of_lengths(1, 4, 3, 1, 4)
    assert score.bar_span(2, 2) == (5 * Q, 9 * Q)
    assert score.bar_span(0, 1) == (0, 5 * Q)
    assert score.bar_span(3, 99) == (9 * Q, 13 * Q)
    assert score.bar_span(8, 9) == (13 * Q, 13 * Q)


def test_written_bars_bear_the_numbers_that_are_told() -> None:
    score = of_lengths(1, 4, 3, 1, 4)
    root = etree.fromstring(musicxml_bytes(score))
    written = [m.get("number") for m in root.iter("measure")]
    assert written == ["0", "1", "2", "X3", "3"]
    printed = [int(n) for n in written if not n.startswith("X")]
    assert printed == sorted(set(score.numbered.number.tolist()))


def test_a_wish_for_bars_means_printed_ones() -> None:
    from rescore_music.orchestration.asked import span

    score = of_lengths(1, 4, 4, 4)
    assert span(score, SectionWish(1, 2, Role.MELODY, ("flute",))) == (Q, 9 * Q)
    assert span(score, SectionWish(0, 1, Role.MELODY, ("flute",))) == (0, 5 * Q)


@pytest.mark.parametrize("pickup", [False, True])
def test_an_excerpt_keeps_its_numbers(pickup: bool) -> None:
    score = of_lengths(*([1] if pickup else []), 4, 4).replace(first_bar=57)
    assert score.numbered.number.tolist() == ([56] if pickup else []) + [57, 58]
    written = musicxml_bytes(score)
    assert [m.get("number") for m in etree.fromstring(written).iter("measure")] == [
        *(["56"] if pickup else []),
        "57",
        "58",
    ]
    back = read_musicxml(written)
    assert back.first_bar == 57
    assert back.numbered.number.tolist() == score.numbered.number.tolist()
    assert musicxml_bytes(back) == written


def test_an_upbeat_that_a_file_numbers_1_is_followed_by_what_the_file_says() -> None:
    written = musicxml_bytes(of_lengths(1, 4, 4))
    usual = written.replace(b'<measure number="0"', b'<measure number="1"')
    assert read_musicxml(usual).first_bar == 1  # the bar after it says 1
    other = written
    for old, new in ((b'measure number="2"', b'measure number="3"'), (b'measure number="1"', b'measure number="2"')):
        other = other.replace(old, new)
    other = other.replace(b'measure number="0"', b'measure number="1"')
    assert read_musicxml(other).numbered.number.tolist() == [1, 2, 3]


@pytest.mark.parametrize("number", ["X1", "", "-3", "9999999", "٣"])
def test_what_is_no_number_is_not_taken_for_one(number: str) -> None:
    written = musicxml_bytes(of_lengths(4, 4)).replace(b'measure number="1"', f'measure number="{number}"'.encode())
    assert read_musicxml(written).first_bar == 1


def test_numbers_are_part_of_the_music_and_a_slice_counts_anew() -> None:
    score = of_lengths(4, 4, 4)
    other = score.replace(first_bar=9)
    assert score.digest() != other.digest()
    assert other.slice(FULL, 3 * FULL).first_bar == 1
    assert other.slice(0, FULL).first_bar == 9
    assert other.transposed(2).first_bar == 9


def test_an_orchestration_is_numbered_as_its_source_is() -> None:
    import rescore_music as rm
    from rescore_music.repeats import unfold

    source = of_lengths(1, 4, 4, 4, 4).replace(first_bar=57)
    result = rm.orchestrate(source, "string-quartet/baroque", n=1)[0].score
    assert result.numbered.number.tolist() == [56, 57, 58, 59, 60]
    assert unfold(source).first_bar == 57


def test_bars_put_one_after_the_other_go_on_from_the_first_number() -> None:
    source = of_lengths(4, 4, 4, 4).replace(first_bar=57)
    made = spliced(source, [(0, FULL), (2 * FULL, 4 * FULL)]).score
    assert made.numbered.number.tolist() == [57, 58, 59]
