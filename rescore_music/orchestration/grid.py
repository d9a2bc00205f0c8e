"""Figures laid on the bars of a score: when each step of a pattern comes.

Conventions: ticks. A bar is measured by the meter at its start. Simple meters are groups of two and three beats (4 =
2 + 2, 5 = 3 + 2, 7 = 2 + 2 + 3), a beat being the denominator's note, in x/2 and x/1 the quarter; compound meters are
dotted beats. A pickup is the end of a bar, a bar longer than its meter goes on from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Part = TypeVar("Part")
Meter = tuple[int, int]


@dataclass(frozen=True)
class Bar:
    """One bar: where it begins and ends, where its meter would have it begin, how long that meter's bar is."""

    start: int
    end: int
    nominal: int
    length: int
    meter: Meter


def bar_list(score: Score) -> list[Bar]:
    """The bars of a score."""
    edges = score.bars.tolist()
    whole = 4 * score.ticks_per_quarter
    out = []
    for number, (start, end) in enumerate(pairwise(edges)):
        meter = score.meter_at(start)
        length = max(whole * meter[0] // meter[1], 1)
        pickup = number == 0 and end - start < length
        out.append(Bar(start, end, end - length if pickup else start, length, meter))
    return out


def beat_groups(meter: Meter) -> list[tuple[str, float]]:
    """What a meter is built of: ("two" | "three" | "compound", share of the bar), in order."""
    numerator, denominator = meter
    if denominator >= 8 and numerator > 3 and numerator % 3 == 0:
        return [("compound", 3 / numerator)] * (numerator // 3)
    beats = numerator * max(4 // denominator, 1)
    if beats % 2 == 0 and beats != 6:
        sizes = [2] * (beats // 2)
    elif beats % 3 == 0:
        sizes = [3] * (beats // 3)
    elif beats == 1:
        return [("two", 1.0)]
    elif beats == 7:
        sizes = [2, 2, 3]
    else:
        sizes = [3] + [2] * ((beats - 3) // 2)
    return [("two" if size == 2 else "three", size / beats) for size in sizes]


def spans(bar: Bar, bars: Mapping[Meter, Part], groups: Mapping[str, Part]) -> list[tuple[float, float, Part]]:
    """What fills a bar of the nominal length: (start, length in ticks, its part of the pattern)."""
    if bar.meter in bars:
        return [(0.0, float(bar.length), bars[bar.meter])]
    out, at = [], 0.0
    for name, share in beat_groups(bar.meter):
        if name in groups:
            out.append((at * bar.length, share * bar.length, groups[name]))
        at += share
    return out


@dataclass(frozen=True, eq=False)
class Laid(Generic[Part]):
    """Steps over a whole score, in time: from, to, place in its figure, the figure's size, and its token."""

    onset: Ints
    end: Ints
    place: Ints
    size: Ints
    tokens: list[Part]


def laid(
    bars: list[Bar], by_meter: Mapping[Meter, tuple[Part, ...]], groups: Mapping[str, tuple[Part, ...]]
) -> Laid[Part]:
    """A pattern's figures over all bars; steps outside a cut bar are left out."""
    known: dict[tuple[Meter, int], tuple[Ints, list[Part]]] = {}
    columns: list[Ints] = [np.zeros((4, 0), np.int64)]
    tokens: list[Part] = []
    for bar in bars:
        key = (bar.meter, bar.length)
        if key not in known:
            known[key] = _one(spans(bar, by_meter, groups))
        table, what = known[key]
        start = bar.nominal
        while start < bar.end and table.size:
            here = table.copy()
            here[0], here[1] = np.maximum(table[0] + start, bar.start), np.minimum(table[1] + start, bar.end)
            inside = here[1] > here[0]
            columns.append(here[:, inside])
            tokens += [token for token, there in zip(what, inside.tolist(), strict=True) if there]
            start += bar.length
    onset, end, place, size = np.concatenate(columns, axis=1)
    return Laid(onset, end, place, size, tokens)


def _one(pieces: list[tuple[float, float, tuple[Part, ...]]]) -> tuple[Ints, list[Part]]:
    rows: list[tuple[int, int, int, int]] = []
    tokens: list[Part] = []
    for start, length, figure in pieces:
        edges = [round(start + length * i / len(figure)) for i in range(len(figure) + 1)]
        rows += [(edges[i], edges[i + 1], i, len(figure)) for i in range(len(figure))]
        tokens += figure
    return np.array(rows, np.int64).reshape(-1, 4).T, tokens
