"""Spans cut out of a score, and scores put below one another: what `Score.slice` and `Score.merged` do.

Conventions: ticks; spans are half-open [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rescore_music.elements import Rows

if TYPE_CHECKING:
    from rescore_music.score import Score


def cut(score: Score, start: int, end: int, parts: Sequence[int] | None = None) -> Score:
    """The music of [start, end) moved to begin at 0, optionally of some parts only (renumbered in that order).

    A note is in if its onset is; it is cut at `end`. Controllers, bends, programs, meters and keys in force at
    `start` are carried in. Bars are counted from 1 unless `start` is 0.
    """
    chosen = list(range(len(score.parts))) if parts is None else list(parts)
    number = np.full(max(len(score.parts), 1), -1)
    number[chosen] = np.arange(len(chosen))
    notes = score.notes[(score.notes["onset"] >= start) & (score.notes["onset"] < end)]
    notes = notes[number[notes["part"]] >= 0].copy()
    notes["duration"] = np.minimum(notes["duration"], end - notes["onset"])
    notes["onset"] -= start
    notes["part"] = number[notes["part"]]
    columns: dict[str, Any] = {}
    for name, same in (("controls", ("part", "number")), ("bends", ("part",)), ("programs", ("part",))):
        columns[name] = _cut_events(getattr(score, name), start, end, number, same)
    for name in ("meters", "keys"):
        rows = getattr(score, name)
        columns[name] = _cut_events(rows, start, end, None, ())
    marks = [
        replace(m, tick=m.tick - start, end=min(m.end, end) - start if m.end >= 0 else -1, part=_new(number, m.part))
        for m in score.marks
        if start <= m.tick < end and (m.part < 0 or number[m.part] >= 0)
    ]
    bars = score.bars
    inner = bars[(bars > start) & (bars < end)] - start
    return score.replace(
        notes=notes,
        parts=tuple(score.parts[i] for i in chosen),
        tempo=score.tempo.slice(start, end),
        marks=tuple(marks),
        markers=tuple(replace(m, tick=m.tick - start) for m in score.markers if start <= m.tick < end),
        raw=tuple(
            replace(r, tick=max(r.tick - start, 0), part=_new(number, r.part))
            for r in score.raw
            if r.tick < end and (r.part < 0 or number[r.part] >= 0)
        ),
        barlines=np.concatenate([[0], inner, [end - start]]) if end > start else np.zeros(0, np.int64),
        length=end - start,
        first_bar=1 if start else score.first_bar,
        **columns,
    )


def joined(first: Score, *others: Score) -> Score:
    """The first score with the parts of the others below; tempo, meters, keys and whole-score marks are its own."""
    resolution = int(np.lcm.reduce([first.ticks_per_quarter, *(o.ticks_per_quarter for o in others)]))
    scores = [s.rescaled(resolution) for s in (first, *others)]
    columns: dict[str, list[Rows]] = {name: [] for name in ("notes", "controls", "bends", "programs")}
    marks = list(scores[0].marks)
    raw = list(scores[0].raw)
    base = 0
    for i, score in enumerate(scores):
        for name, gathered in columns.items():
            rows = getattr(score, name).copy()
            rows["part"] += base
            gathered.append(rows)
        if i:
            marks += [replace(m, part=m.part + base) for m in score.marks if m.part >= 0]
            raw += [replace(r, part=r.part + base) for r in score.raw if r.part >= 0]
        base += len(score.parts)
    return scores[0].replace(
        parts=tuple(p for s in scores for p in s.parts),
        marks=tuple(marks),
        raw=tuple(raw),
        length=max(s.length for s in scores),
        import_log=tuple(item for s in scores for item in s.import_log),
        **{name: np.concatenate(gathered) for name, gathered in columns.items()},
    )


def _new(number: npt.NDArray[Any], part: int) -> int:
    return -1 if part < 0 else int(number[part])


def _cut_events(rows: Rows, start: int, end: int, number: npt.NDArray[Any] | None, same: Iterable[str]) -> Rows:
    """Events of [start, end) moved to 0, led by the last earlier one of each kind (`same` names what makes a kind)."""
    if number is not None:
        rows = rows[number[rows["part"]] >= 0].copy()
        rows["part"] = number[rows["part"]]
    before = rows[rows["tick"] <= start]
    kinds: dict[tuple[int, ...], int] = {}
    for i, row in enumerate(before):
        key = tuple(int(row[name]) for name in same)
        kinds.pop(key, None)  # re-insert: keeps the order in which the last of each kind came (RPN needs it)
        kinds[key] = i
    out = np.concatenate([before[list(kinds.values())], rows[(rows["tick"] > start) & (rows["tick"] < end)]])
    out["tick"] = np.maximum(out["tick"] - start, 0)
    return out
