"""The tempo of one stretch between two fixed points: bent as little as can be, and met by the old tempo at both ends.

A beat outside either end is held at its own tempo, so that the curve leaves it and comes back to it without a jump.
Hits that have come into the stretch are given places first, all of them jointly (`assign.choose`). Fermatas and holds
take up time before the tempo does, and under dialogue the tempo does not change: what lies in a span that goes on
outside the stretch keeps its tempo, unless a hit inside the span asks for another.

Conventions: ticks of the score as spliced; `source` is seconds under its tempo map, times are seconds of the new music.
Burden 1 is what tempo bears: `STEP` a beat or `DEVIATION` in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Hit
from rescore_music.errors import SyncError
from rescore_music.score import Score
from rescore_music.syncing.assign import Choices, DeadEnd, choose
from rescore_music.syncing.conforming.waits import room, waited, waiting
from rescore_music.syncing.curve import ECONOMY, PULL, Cells, Pins, even_stretch, least_change
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import felt_change
from rescore_music.syncing.spans import steadied
from rescore_music.syncing.steps import microsecond_steps
from rescore_music.tempo import TempoMap

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# percent: a changed tempo of a sequence is heard from 1.5 to 6 %, one displaced tone from 2.5 % of its interval
STEP, DEVIATION = 2.0, 6.0
BANDS = (0.06, 0.14, 0.33, 0.6)  # mean tempo changes between hits that are tried
SLOWEST = 0.15  # smallest stretch: over six times as fast is no tempo
FINER = {"downbeat": "beat", "beat": "eighth"}  # what a hit may land on where its own kind has no place
EXACT = 1e-7  # seconds by which a curve may miss a hit
SILENT = 6.0  # price of landing where no note starts
MARGIN = 0.02  # frames kept free inside a tolerance


@dataclass(frozen=True)
class Target:
    """A hit inside a stretch: when it must fall, and, where it keeps its place in the music, the tick."""

    hit: Hit
    time: float
    tick: int = -1


@dataclass(frozen=True, eq=False)
class Bend:
    """One stretch solved: tempo steps in [start, end), the ticks of its hits, and what it costs.

    `waits` tells fermatas and holds that last longer or shorter: tick, seconds before, seconds now.
    """

    start: int
    end: int
    tempo: TempoMap
    places: tuple[tuple[Target, int], ...]
    step: float
    deviation: float
    waits: tuple[tuple[int, float, float], ...] = ()

    @property
    def burden(self) -> float:
        """1 = as much as tempo bears."""
        return max(self.step / STEP, self.deviation / DEVIATION)


def bend(
    score: Score,
    start: int,
    end: int,
    times: tuple[float, float],
    targets: Sequence[Target],
    frame: float,
    grid: Grid,
    steady: Sequence[tuple[float, float]] = (),
) -> Bend | None:
    """Solve one stretch.

    Parameters
    ----------
    score : Score
    start, end : int
        Ticks.
    times : (float, float)
        Seconds at which they must fall.
    targets : sequence of Target
        Hits between them, by time.
    frame : float
        Seconds.
    grid : Grid
        Of the score; fermatas and holds are its `waits`.
    steady : sequence of (start, end)
        Seconds in which no tempo may change.

    Returns
    -------
    Bend, or None where the hits find no places
    """
    placed = _placed(grid, start, end, times, targets, frame)
    if placed is None:
        return None
    inner = np.unique(np.array([tick for _, tick in placed], np.int64))
    edges, first, last = _edges(score, grid, start, end, inner)
    source = score.seconds(edges)
    pins = _pins(edges, source, (start, end), times, placed, first, last, frame)
    a, b = int(np.searchsorted(edges, start)), int(np.searchsorted(edges, end))
    origin = times[0] - (source[a] - source[0])
    spans = [(s - origin, e - origin) for s, e in steady if e > times[0] and s < times[1]]
    stretch = _curve(grid, edges, source, (a, b), pins, spans)
    waits = waiting(grid, edges, a, b)[a:b]
    stretch, edges, source = stretch[a:b], edges[a : b + 1], source[a : b + 1]
    new = times[0] + np.concatenate([[0.0], np.cumsum(stretch * np.diff(source))])
    part = Score(tempo=score.tempo.slice(start, end), ticks_per_quarter=score.ticks_per_quarter)
    marks = np.append(inner, end) - start
    tempo = microsecond_steps(part, edges - start, source - source[0], new - new[0], marks)
    change = _change(part.tempo, tempo, edges - start, waits, (first, last))
    return Bend(start, end, tempo, tuple(placed), *change, waited(grid, part.tempo, tempo, start, end))


def _curve(
    grid: Grid, edges: Ticks, source: Floats, span: tuple[int, int], pins: Pins, steady: Sequence[tuple[float, float]]
) -> Floats:
    """Stretch of every cell: with what the spans ask if hits leave room for it; steps where no smooth curve will do."""
    seconds = np.diff(source)
    first, last = pins.time[pins.cell == span[0]].max(initial=0.0), float(pins.time[pins.cell == span[1]][0])
    inside = [(max(s, float(first)), min(e, last)) for s, e in steady]  # the tempo may change at both ends after all
    for asked in (steady, inside, ()) if steady else ((),):
        stretch = _smooth(grid, edges, seconds, span, pins, asked)
        if stretch is not None:
            return stretch
    if len(grid.waits):
        plain = least_change(Cells.plain(np.diff(grid.beat_position(edges)), seconds), pins)
        if plain.min() >= SLOWEST:
            return plain
    return even_stretch(seconds, pins)


def _smooth(
    grid: Grid,
    edges: Ticks,
    seconds: Floats,
    span: tuple[int, int],
    pins: Pins,
    steady: Sequence[tuple[float, float]],
) -> Floats | None:
    """The curve with these steady spans and with fermatas that give way; None where there is none."""
    waits = waiting(grid, edges, *span)
    joined = waits.copy()
    joined[1:] &= waits[:-1]
    cells = replace(Cells.plain(np.diff(grid.beat_position(edges)), seconds), elastic=waits, tied=joined)
    _, stretch = steadied(cells, pins, steady, (), lambda asked: least_change(asked, pins))
    low, high = room(grid, edges, seconds)
    far = waits & ((stretch < low) | (stretch > high))
    if far.any() and not waits[slice(*span)].all():  # no fermata lasts for ever: at its bound the tempo takes the rest
        own = np.where(far, np.clip(stretch, low, high), 1.0)
        cells = replace(cells, seconds=seconds * own, frozen=far)
        stretch = own * steadied(cells, pins, steady, (), lambda asked: least_change(asked, pins))[1]
    met = np.concatenate([[0.0], np.cumsum(stretch * seconds)])[pins.cell]
    missed = np.abs(met - pins.time) > pins.tolerance + EXACT
    good = np.where(waits, 1.0, stretch).min() >= SLOWEST and stretch.min() > 0 and not missed.any()
    return stretch if good else None


def _change(
    own: TempoMap, new: TempoMap, edges: Ticks, waits: Flags, outside: tuple[bool, bool]
) -> tuple[float, float]:
    """Largest step and deviation in percent, fermatas left out; the seams to fixed music count where there are some."""
    stretch = np.diff(new.seconds(edges)) / np.diff(own.seconds(edges))
    step, deviation, _ = felt_change(stretch, waits, np.zeros(len(stretch), bool))
    for k, counts in zip((0, -1), outside, strict=True):
        value = stretch[k]
        if counts and not waits[k]:
            step = max(step, float(np.expm1(abs(np.log(value)))) * 100)
    return step, deviation


def _edges(score: Score, grid: Grid, start: int, end: int, inner: Ticks) -> tuple[Ticks, bool, bool]:
    """Cell edges: the beats of the stretch, its hits, and one beat outside where there is one."""
    beats = grid.beats
    beats = np.concatenate([beats, grid.waits.ravel()])
    inside = beats[(beats > start) & (beats < end)]
    before, after = start - score.beat_ticks(max(start - 1, 0)), end + score.beat_ticks(end)
    first, last = before >= 0, after <= int(score.bars[-1])
    outside = [x for x, there in ((before, first), (after, last)) if there]
    return np.unique(np.concatenate([inside, inner, [start, end], outside]).astype(np.int64)), first, last


def _pins(
    edges: Ticks,
    source: Floats,
    span: tuple[int, int],
    times: tuple[float, float],
    placed: Sequence[tuple[Target, int]],
    first: bool,
    last: bool,
    frame: float,
) -> Pins:
    a, b = (int(np.searchsorted(edges, x)) for x in span)
    origin = times[0] - (source[a] - source[0])
    rows = [(a, times[0], 0.0, 0.0)] if first else []
    for k in np.unique([tick for _, tick in placed]) if placed else ():
        here = [t for t, tick in placed if tick == k]
        hard = [t for t in here if t.hit.hard]
        cell = int(np.searchsorted(edges, k))
        if hard:
            slack = [max(t.hit.tolerance - MARGIN, 0.0) * frame for t in hard]
            low = max(t.time - s for t, s in zip(hard, slack, strict=True))
            high = min(t.time + s for t, s in zip(hard, slack, strict=True))
            rows.append((cell, (low + high) / 2, max(high - low, 0.0) / 2, ECONOMY))
        else:
            weights = np.array([t.hit.weight for t in here])
            mean = float(np.average([t.time for t in here], weights=weights))
            rows.append((cell, mean, np.inf, float(weights.sum()) * PULL))
    rows.append((b, times[1], 0.0, 0.0))
    if last:
        rows.append((b + 1, times[1] + float(source[b + 1] - source[b]), 0.0, 0.0))
    table = np.array(rows, np.float64)
    return Pins(table[:, 0].astype(np.int64), table[:, 1] - origin, table[:, 2], table[:, 3])


def _placed(
    grid: Grid, start: int, end: int, times: tuple[float, float], targets: Sequence[Target], frame: float
) -> list[tuple[Target, int]] | None:
    """Every hit with its tick: hard ones jointly, soft ones at the nearest place left; None where there is no way."""
    placed = [(t, t.tick) for t in targets if start < t.tick < end]
    fixed = {id(t) for t, _ in placed}
    free = [t for t in targets if t.hit.hard and id(t) not in fixed]
    while free:
        ticks = [_places(grid, t.hit.lands, start, end) for t in free]
        found = _chosen(grid, (start, end), times, free, ticks, frame)
        if not isinstance(found, DeadEnd):
            placed += [(t, int(place)) for t, place in zip(free, found, strict=True)]
            break
        stuck = min(found.hit, len(free) - 1)
        coarse = next((k for k in (stuck, *range(len(free))) if free[k].hit.lands in FINER), None)
        if coarse is None:
            return None
        hit = free[coarse].hit
        free[coarse] = replace(free[coarse], hit=replace(hit, lands=FINER[hit.lands]))
    taken = {tick for _, tick in placed}
    source = grid.score.seconds(np.array([start, end]))
    for target in (t for t in targets if not t.hit.hard and id(t) not in fixed):
        places = np.setdiff1d(_places(grid, target.hit.lands, start, end), list(taken))
        if len(places):
            natural = np.interp(grid.score.seconds(places), source, times)
            tick = int(places[np.abs(natural - target.time).argmin()])
            placed.append((target, tick))
            taken.add(tick)
    return _in_order(placed)


def _in_order(placed: list[tuple[Target, int]]) -> list[tuple[Target, int]]:
    """By tick; soft hits that would have to pass another are left out."""
    placed.sort(key=lambda p: (p[1], p[0].time))
    kept: list[tuple[Target, int]] = []
    hard = [(tick, t.time) for t, tick in placed if t.hit.hard]
    for target, tick in placed:
        crossed = any((tick - other) * (target.time - time) <= 0 and tick != other for other, time in hard)
        late = kept and not target.hit.hard and target.time <= kept[-1][0].time
        if target.hit.hard or not (crossed or late):
            kept.append((target, tick))
    return kept


def _places(grid: Grid, lands: str, start: int, end: int) -> Ticks:
    try:
        ticks = grid.places(lands)
    except SyncError:
        ticks = grid.beats
    return ticks[(ticks > start) & (ticks < end)]


def _chosen(
    grid: Grid,
    span: tuple[int, int],
    times: tuple[float, float],
    free: Sequence[Target],
    ticks: Sequence[Ticks],
    frame: float,
) -> Ticks | DeadEnd:
    """A tick for every hit, within the narrowest band of tempi that has room for all."""
    score = grid.score
    zero, beat = float(score.seconds(span[0])), float(grid.steady_position(span[0]))
    before = float(grid.waited(span[0]))

    def choice(time: float, slack: float, places: Ticks, price: Floats) -> Choices:
        elastic = grid.waited(places) - before if len(grid.waits) else None
        beats = grid.steady_position(places) - beat
        return Choices(time - times[0], slack, score.seconds(places) - zero, beats, price, elastic)

    accents = np.unique(score.notes["onset"])
    choices: list[Choices] = []
    for target, places in zip(free, ticks, strict=True):
        if not len(places):
            return DeadEnd(len(choices))
        price = np.where(np.isin(places, accents), 0.0, SILENT)
        choices.append(choice(target.time, target.hit.tolerance * frame, places, price))
    end = choice(times[1], 0.0, np.array([span[1]]), np.zeros(1))
    found: object = DeadEnd(0)
    for band in BANDS:
        found = choose([*choices, end], band)
        if isinstance(found, list) and found:
            chosen = found[0].places[:-1]
            return np.array([places[k] for places, k in zip(ticks, chosen, strict=True)], np.int64)
    return found if isinstance(found, DeadEnd) else DeadEnd(0)
