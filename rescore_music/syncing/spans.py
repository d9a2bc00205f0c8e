"""Spans of the picture as what they ask of the tempo: no change in it, the score's own in it, and the report of them.

A span is given in seconds; which cells it covers depends on the curve, so curve and cells are found in turns until they
agree (or all cells ever covered are kept). Cells are covered whole: no change falls inside the span.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues, Span
from rescore_music.elements import Rows
from rescore_music.syncing.curve import Cells, Pins
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Passage
from rescore_music.tempo import TempoMap
from rescore_music.timecode import Timecode

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TURNS = 6
STEADY = ("dialogue", "avoid")


def steadied(
    cells: Cells,
    pins: Pins,
    steady: Sequence[tuple[float, float]],
    frozen: Sequence[tuple[float, float]],
    curve: Callable[[Cells], Floats],
) -> tuple[Cells, Floats]:
    """Cells with what the spans ask of them, and the curve through them.

    Parameters
    ----------
    cells, pins : Cells, Pins
    steady, frozen : sequence of (start, end)
        Seconds after the first cell's start.
    curve : callable
        Stretches of cells.
    """
    stretch = curve(cells)
    if not steady and not frozen:
        return cells, stretch
    asked = cells
    tied, held = np.zeros(len(stretch), bool), np.zeros(len(stretch), bool)
    for turn in range(TURNS):
        times = np.concatenate([[0.0], np.cumsum(stretch * cells.seconds)])
        runs = [run for a, b in steady if (run := _covered(times, a, b))[1] - run[0] > 1]
        now, still = np.zeros(len(stretch), bool), np.zeros(len(stretch), bool)
        for first, last in runs:
            now[first + 1 : last] = True
            for pin in _broken(pins.cell, first, last):
                now[pin] = False
        for a, b in frozen:
            still[slice(*_covered(times, a, b))] = True
        if turn and np.array_equal(now, tied) and np.array_equal(still, held):
            break
        if turn > TURNS // 2:  # two answers in turns: what either covers
            now, still = now | tied, still | held
        tied, held = now, still
        asked = replace(cells, tied=tied | cells.tied, frozen=cells.frozen | (held & ~cells.elastic))
        stretch = curve(asked)
    return asked, stretch


def _covered(times: Floats, start: float, end: float) -> tuple[int, int]:
    """Range of cells that [start, end) touches."""
    first = int(np.searchsorted(times, start + 1e-6, side="right")) - 1
    last = int(np.searchsorted(times, end - 1e-6, side="left"))
    return max(first, 0), min(last, len(times) - 1)


def _broken(pins: Ints, first: int, last: int) -> list[int]:
    """Pins at which the tempo of a steady run must change after all: one tempo can meet one distance, not two."""
    inside: list[int] = [0] * (first == 0) + pins[(pins >= first) & (pins <= last) & (pins > 0)].tolist()
    return inside[1:-1]


# -- the report ----------------------------------------------------------------------------------------------------


def passages_of(
    grid: Grid, cues: Cues, tempo: TempoMap, holds: Sequence[tuple[int, int]], louder: Rows
) -> tuple[Passage, ...]:
    """What became of every span.

    Parameters
    ----------
    grid : Grid
        Of the score under its own tempo.
    cues : Cues
    tempo : TempoMap
        The new one.
    holds : sequence of (tick, tick)
        Beats that wait, in the order of the holds that were met.
    louder : NOTE array
        The notes before any was lowered, in the same order.
    """
    soft = grid.score.notes["velocity"] < louder["velocity"]
    waiting = {}
    for tick, until in holds:
        waiting[round(float(tempo.seconds(tick)) * float(cues.rate.fps)) + cues.start.frame] = (tick, until)
    out = []
    for span in cues.spans:
        start, end = (max(float(cues.seconds_of(frame)), 0.0) for frame in (span.start, span.end))
        a, b = (min(round(float(tempo.ticks_at(t))), grid.score.length) for t in (start, end))
        if end > 0 and a < grid.end and (span.kind != "hold" or span.start in waiting):
            a, b = waiting.get(span.start, (a, b)) if span.kind == "hold" else (a, b)
            out.append(_passage(grid, cues, tempo, span, a, b, soft))
    return tuple(out)


def _passage(grid: Grid, cues: Cues, tempo: TempoMap, span: Span, a: int, b: int, soft: Flags) -> Passage:
    notes = grid.score.notes
    inside = (notes["onset"] >= a) & (notes["onset"] < b)
    start, end = (Timecode(frame, cues.rate).label for frame in (span.start, span.end))
    text = _TEXTS[span.kind](grid, tempo, a, b, inside) if span.kind in _TEXTS else "nothing is asked of the music"
    if span.kind == "dialogue" and (count := int(np.count_nonzero(soft & inside))):
        text += f"; {count} notes lowered here"
    (bar, beat), (end_bar, end_beat) = grid.bar_beat(a), grid.bar_beat(b)
    count = int(np.count_nonzero(inside))
    beat, end_beat = round(beat, 3), round(end_beat, 3)
    return Passage(span.kind, span.label, start, end, a, b, bar, beat, end_bar, end_beat, count, text)


def _tempo_text(grid: Grid, tempo: TempoMap, a: int, b: int) -> str:
    beats = np.append(grid.beats, grid.score.bars[-1])
    edges = beats[(beats >= a) & (beats <= b)]
    if len(edges) < 3:
        return "the tempo is steady"
    stretch = np.diff(tempo.seconds(edges)) / np.diff(grid.score.seconds(edges))
    change = np.expm1(np.abs(np.diff(np.log(stretch)))) * 100
    if change.max() < 0.01:  # whole microseconds a quarter
        return "the tempo is steady"
    bar, beat = grid.bar_beat(int(edges[1:-1][change.argmax()]))
    return f"the tempo changes by {change.max():.2f} % at bar {bar} beat {beat:.3g}, because hits inside ask for it"


def _dialogue_text(grid: Grid, tempo: TempoMap, a: int, b: int, inside: Flags) -> str:
    parts = len(np.unique(grid.score.notes["part"][inside]))
    seconds = max(float(tempo.seconds(b) - tempo.seconds(a)), 1e-9)
    onsets = len(np.unique(grid.score.notes["onset"][inside]))
    what = (
        f"thin and lower the accompaniment ({parts} part{'s' if parts != 1 else ''}, {onsets / seconds:.1f} onsets/s)"
    )
    return f"{what}; {_tempo_text(grid, tempo, a, b)}"


def _hold_text(grid: Grid, tempo: TempoMap, a: int, b: int, _: Flags) -> str:
    new, own = (float(t.seconds(b) - t.seconds(a)) for t in (tempo, grid.score.tempo))
    return f"held {new:.2f} s (own length {own:.2f} s)"


def _frozen_text(grid: Grid, tempo: TempoMap, a: int, b: int, _: Flags) -> str:
    new, own = (float(t.seconds(b) - t.seconds(a)) for t in (tempo, grid.score.tempo))
    off = abs(new / own - 1) * 100 if own else 0.0
    return "the tempo is the score's own" if off < 0.01 else f"{off:.2f} % off the score's own tempo"


_TEXTS: dict[str, Callable[[Grid, TempoMap, int, int, Flags], str]] = {
    "dialogue": _dialogue_text,
    "avoid": lambda grid, tempo, a, b, _: _tempo_text(grid, tempo, a, b),
    "hold": _hold_text,
    "frozen": _frozen_text,
    "silence": lambda *_: "the picture is silent: the music is alone",
}
