"""What is wrong where the melody is wrong, and how well it could be told at all.

`kinds` sorts the time of a movement by how the told part stands to the annotated one; `oracle` is the share that the
best choice of one part a bar would reach; `agreement` asks the annotations themselves: where some bars come again with
the same notes in every part, how often the part named at one place is right at the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from melody_data import Array, Example, Truth

HALF, MOST = 0.5, 0.8  # shares of tones or onsets in common
FAR = 8  # bars between a passage and its return


def kinds(e: Example, found: list[tuple[int, int, int]]) -> Counter[str]:
    """Quarters of the annotated time by kind."""
    out: Counter[str] = Counter()
    truth, by_bar = _at(e.truth), _at(e.by_bar)
    bars, notes = e.score.bars, e.score.notes
    cuts = {t for a, b, _ in [*e.truth, *e.by_bar, *found] for t in (a, b)} | set(bars.tolist())
    for x, y in pairwise(sorted(cuts)):
        span = truth(x)
        if span is None:
            continue
        part = next((p for a, b, p in found if a <= x < b), -1)
        here = by_bar(x)
        if part in e.truth[span][2]:
            kind = "right"
        elif here is not None and part in e.by_bar[here][2]:
            kind = "1 plays the annotated line in that bar, not in the whole span"
        else:
            bar = int(np.searchsorted(bars, x, side="right")) - 1
            lo, hi = np.searchsorted(notes["onset"], bars[bar : bar + 2])
            kind = _kind(e, span, part, x, notes[lo:hi], int(bars[bar + 1] - bars[bar]))
        out[kind] += (y - x) / e.score.ticks_per_quarter
    return out


def _kind(e: Example, span: int, part: int, at: int, notes: Array, bar: int) -> str:
    around = e.truth[max(span - 3, 0) : span + 4]
    if any(part in good and a - bar <= at < b + bar for a, b, good in around):
        return "2 right within a bar before or after"
    own = notes[notes["part"] == part]
    named = max((notes[notes["part"] == p] for p in e.named[span][2]), key=lambda n: _in_common(_tones(own), _tones(n)))
    if not len(named):
        return "3 the annotated part has no onset in the bar"
    a, b = _tones(own), _tones(named)
    if _in_common(a, b) >= HALF or len(a & b) >= MOST * min(len(a), len(b)):
        return "4 doubles the annotated part in half of the notes"
    if _in_common(set(own["onset"].tolist()), set(named["onset"].tolist())) >= MOST:
        return "5 same rhythm, other tones"
    if np.mean(own["pitch"]) > np.mean(named["pitch"]):
        return "6 other music, higher than the annotated"
    return "7 other music, lower than the annotated"


def _at(truth: Truth) -> Callable[[int], int | None]:
    starts = np.array([a for a, _, _ in truth])

    def find(tick: int) -> int | None:
        i = int(np.searchsorted(starts, tick, side="right")) - 1
        return i if i >= 0 and truth[i][0] <= tick < truth[i][1] else None

    return find


def _tones(notes: Array) -> set[int]:
    return set((notes["onset"] * 12 + notes["pitch"] % 12).tolist())


def _in_common(a: set[int], b: set[int]) -> float:
    return len(a & b) / max(len(a | b), 1)


def _per_bar(e: Example, truth: Truth) -> Array:
    """Quarters of each bar in which each part is right: shape (bars, parts)."""
    bars = e.score.bars
    out = np.zeros((len(bars) - 1, len(e.score.parts)))
    for a, b, good in truth:
        i, j = int(np.searchsorted(bars, a, side="right")) - 1, int(np.searchsorted(bars, b))
        span = np.clip(np.minimum(b, bars[i + 1 : j + 1]) - np.maximum(a, bars[i:j]), 0, None)
        for part in good:
            out[i:j, part] += span / e.score.ticks_per_quarter
    return out


def oracle(examples: list[Example]) -> float:
    """Share of time that the best part of every bar is right."""
    right = sum(_per_bar(e, e.truth).max(axis=1).sum() for e in examples)
    return float(right / sum((b - a) / e.score.ticks_per_quarter for e in examples for a, b, _ in e.truth))


def agreement(examples: list[Example], bars: int) -> tuple[float, float]:
    """Share of time in which the part named at another place of equal music is right here; and quarters compared."""
    right = compared = 0.0
    for e in examples:
        good, named, patterns = _per_bar(e, e.truth), _per_bar(e, e.named), e.evidence.patterns
        names = np.where(e.evidence.active, patterns.exact * np.uint64(31) + patterns.tones, np.uint64(0))
        places: dict[bytes, list[int]] = {}
        for bar in range(bars // 2, len(names) - bars // 2):
            if e.evidence.active[bar].any():
                places.setdefault(names[bar - bars // 2 : bar + bars // 2 + 1].tobytes(), []).append(bar)
        for alike in places.values():
            for bar in alike:
                other = next((o for o in alike if abs(o - bar) > FAR), -1)
                if other >= 0:
                    right += good[bar, named[other].argmax()]
                    compared += (e.score.bars[bar + 1] - e.score.bars[bar]) / e.score.ticks_per_quarter
    return right / max(compared, 1e-9), compared
