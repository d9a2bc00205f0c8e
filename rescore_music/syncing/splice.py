"""Bars taken out or played again: a score along stretches of itself, with ties and bars mended at the seams.

A note that sounds over a seam is joined to one of the same part and pitch that sounds into what follows; otherwise it
ends there, and what sounds into the stretch without its beginning is struck anew, unless little is left of it. Bars cut
or left over get a meter of their own.

Conventions: ticks of the source; a *span* is half-open. At a seam the music leaves at x (a span's end)
and goes on at y.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.elements import METER, LogItem, Rows
from rescore_music.repeats.joined import played
from rescore_music.score import Score

Ticks = npt.NDArray[np.int64]
Spans = Sequence[tuple[int, int]]

JOINED, STRUCK = "notes joined over a seam", "notes struck anew after a seam"
ENDED, DROPPED = "notes ended at a seam", "ends of notes left out after a seam"
SIGNS = "repeat signs left out: the picture hears the music straight"


@dataclass(frozen=True, eq=False)
class Spliced:
    """A score along its spans.

    Attributes
    ----------
    score : Score
    spans : tuple of (start, end)
        Of the source, in playing order, contiguous ones joined.
    log : tuple of LogItem
        What was mended.
    end : int
        Where the source ends.
    """

    score: Score
    spans: tuple[tuple[int, int], ...]
    log: tuple[LogItem, ...]
    end: int

    def new_tick(self, tick: int, *, last: bool = False) -> int | None:
        """Where a tick of the source is first (or last) heard; None where it was taken out."""
        at, found = 0, None
        if tick >= self.end:
            return sum(end - start for start, end in self.spans) + tick - self.end
        for start, end in self.spans:
            if start <= tick < end:
                found = at + tick - start
                if not last:
                    return found
            at += end - start
        return found


def spliced(score: Score, spans: Spans) -> Spliced:
    """The stretches of a score one after the other.

    Parameters
    ----------
    score : Score
    spans : sequence of (start, end)
        The first begins at 0, the last ends with the music.
    """
    joined, stop = _contiguous(spans), spans[-1][1]
    if len(joined) == 1:
        return Spliced(score, joined, (), stop)
    made = played(score, joined)
    notes, counted = _mended(score, joined)
    where = f"{len(joined) - 1} seam{'s' if len(joined) > 2 else ''}"
    log = [LogItem(where, what, count) for what, count in sorted(counted.items())]
    if any(m.kind == "jump" or (m.kind == "barline" and m.text.startswith(("repeat", "ending"))) for m in score.marks):
        log.append(LogItem(where, SIGNS))
    bars, meters = _bars(score, joined)
    length = int(sum(end - start for start, end in joined))
    events = {name: _events(score, made, joined, name) for name in ("controls", "bends", "programs")}
    made = made.replace(notes=notes, meters=meters, **events, barlines=np.zeros(0, np.int64), length=length)
    if not np.array_equal(made.bars, bars):
        made = made.replace(barlines=bars)
    return Spliced(made.replace(import_log=score.import_log), joined, tuple(log), stop)


def _events(score: Score, made: Score, spans: Spans, name: str) -> Rows:
    """Controllers, bends or programs: untouched before the first seam and after the last, even beyond the end.

    Between them they are as `played` has them, which brings in at a seam what is in force where the music goes on.
    """
    source, rows = getattr(score, name), getattr(made, name)
    stop, start = spans[0][1], spans[-1][0]
    last = sum(end - begin for begin, end in spans[:-1])
    head, middle = source[source["tick"] < stop], rows[(rows["tick"] >= stop) & (rows["tick"] <= last)]
    tail = source[source["tick"] > start].copy()
    tail["tick"] += last - start
    return np.concatenate([head, middle, tail])


def _contiguous(spans: Spans) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for start, end in spans:
        if end <= start:
            continue
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return tuple(out)


@dataclass
class _Mender:
    """Goes along the spans and keeps the notes that reach a span's end."""

    score: Score
    counted: Counter[str] = field(default_factory=Counter)
    rows: list[Rows] = field(default_factory=list)
    open: dict[tuple[int, int], Any] = field(default_factory=dict)  # (part, pitch) -> row that may go on
    done: list[Any] = field(default_factory=list)

    def enter(self, start: int, end: int, at: int, last: bool) -> None:
        notes, ends = self.score.notes, self.score.ends
        still: dict[tuple[int, int], Any] = {}
        for i in np.flatnonzero((notes["onset"] < start) & (ends > start)) if at else ():
            self._incoming(notes[i], int(ends[i]), start, end, at, still)
        self._close()
        inside = (notes["onset"] >= start) & (notes["onset"] < end)
        over = inside & (ends > end) & (not last)
        plain = notes[inside & ~over].copy()
        plain["onset"] += at - start
        self.rows.append(plain)
        for row in notes[over].copy():
            key = int(row["part"]), int(row["pitch"])
            row["duration"] = end - row["onset"]
            row["onset"] += at - start
            if key in still:  # two of one pitch: only one can be joined
                self._end(still.pop(key))
            still[key] = row
        self.open = still

    def _incoming(
        self, note: Any, note_end: int, start: int, end: int, at: int, still: dict[tuple[int, int], Any]
    ) -> None:
        key = int(note["part"]), int(note["pitch"])
        left = min(note_end, end) - start
        row = self.open.pop(key, None)
        if row is not None:
            row["duration"] += left
            self.counted[JOINED] += 1
        elif self.score.parts[key[0]].percussion or left * 2 < self.score.beat_ticks(start) or key in still:
            self.counted[DROPPED] += 1
            return
        else:
            row = note.copy()
            row["onset"], row["duration"], row["onset_shift"] = at, left, 0
            self.counted[STRUCK] += 1
        if note_end > end:
            still[key] = row
        else:
            self.done.append(row)

    def _close(self) -> None:
        for row in self.open.values():
            self._end(row)
        self.open = {}

    def _end(self, row: Any) -> None:
        row["end_shift"] = min(int(row["end_shift"]), 0)
        self.counted[ENDED] += 1
        self.done.append(row)


def _mended(score: Score, spans: Spans) -> tuple[Rows, Counter[str]]:
    mender, at = _Mender(score), 0
    for k, (start, end) in enumerate(spans):
        mender.enter(start, end, at, k == len(spans) - 1)
        at += end - start
    mender._close()
    single = np.array([tuple(row) for row in mender.done], score.notes.dtype)
    return np.concatenate([*mender.rows, single]), mender.counted


def _bars(score: Score, spans: Spans) -> tuple[Ticks, Rows]:
    """Bar starts along the spans, and meters that fit them."""
    old = score.bars
    known = set(old.tolist())
    starts: list[tuple[int, int]] = []  # (new tick, tick of the source whose meter counts)
    at, left = 0, 0
    for start, end in spans:
        if start in known or left in known:
            starts.append((at, start))
        inner = old[(old > start) & (old < end)]
        starts += [(at + int(b) - start, int(b)) for b in inner]
        at, left = at + end - start, end
    edges = np.array([new for new, _ in starts] + [at], np.int64)
    seams = {int(x) for x in np.cumsum([end - start for start, end in spans])[:-1]}
    rows: list[tuple[int, int, int]] = []
    lengths = dict(pairwise(old.tolist()))
    span_of = {a: b - a for a, b in lengths.items()}
    for (tick, source), end in zip(starts, edges[1:].tolist(), strict=True):
        meter = score.meter_at(source)
        whole = score.ticks_per_quarter * 4 * meter[0] // meter[1]
        touched = any(tick <= seam <= end for seam in seams)
        if touched and end - tick not in (whole, span_of.get(source, -1)):
            meter = _meter_of(end - tick, meter, score.ticks_per_quarter)
        if not rows or rows[-1][1:] != meter:
            rows.append((tick, *meter))
    return edges, np.array(rows, METER)


def _meter_of(length: int, meter: tuple[int, int], ticks_per_quarter: int) -> tuple[int, int]:
    """The meter of an odd bar, in the unit of the old one where that fits."""
    for unit in (meter[1], *(u for u in (8, 16, 32, 64) if u > meter[1])):
        count, rest = divmod(length * unit, ticks_per_quarter * 4)
        if rest == 0 and count:
            return int(count), unit
    return meter  # written with bar lines of its own
