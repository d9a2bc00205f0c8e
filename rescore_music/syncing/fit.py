"""Places to a tempo map: the curve through the places of one assignment, and what is heard of it.

The music is cut into cells at beats, places and fermatas; spans of the picture and fermatas say which cells hold still
or give way (`spans`, `landing`); the curve is `curve.least_change`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
from rescore_music.score import Articulation, Score
from rescore_music.syncing.arcs import LONGEST, SHORTEST
from rescore_music.syncing.bars import BarEdit, edited, moved
from rescore_music.syncing.curve import ECONOMY, POLISH, PULL, Cells, Pins, even_stretch, least_change
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import felt_change
from rescore_music.syncing.spans import STEADY, steadied
from rescore_music.syncing.steps import microsecond_steps
from rescore_music.syncing.targets import HOLD, RELEASE, Target, span_seconds
from rescore_music.tempo import TempoMap

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SLOWEST = 0.15  # smallest stretch: over six times as fast is no tempo
MARGIN = 0.02  # frames kept free inside a tolerance, for the rounding to microseconds
STEP, DEVIATION = 0.75, 5.5  # percent: what solutions are measured against


@dataclass(frozen=True, eq=False)
class Solution:
    """Places for some targets and the tempo map that meets them.

    Attributes
    ----------
    grid : Grid
        Of the edited score under its own tempo; where it is not polished yet, of its bars and fermatas alone.
    targets : tuple of Target
    ticks : tuple of int
        Their places, in ticks of the source.
    edits : tuple of BarEdit
    tempo : TempoMap
        Of the edited score.
    step, deviation, rubato : float
        Percent, see `felt_change`.
    price : float
        Of the places in themselves, in units of the arcs' costs.
    firm : bool
        Whether soft hits were met like hard ones.
    """

    grid: Grid
    targets: tuple[Target, ...]
    ticks: tuple[int, ...]
    edits: tuple[BarEdit, ...]
    tempo: TempoMap
    step: float
    deviation: float
    rubato: float
    price: float = 0.0
    firm: bool = False

    @property
    def burden(self) -> float:
        """What ranks solutions: 1 = as much as passes unnoticed."""
        return max(self.step / STEP, self.deviation / DEVIATION)

    def moved(self, ticks: npt.ArrayLike) -> Ticks:
        """Ticks of the source in the edited score."""
        return moved(ticks, self.edits)

    @property
    def places(self) -> tuple[int, ...]:
        """The targets' places in the edited score."""
        return tuple(int(t) for t in self.moved(np.array(self.ticks, np.int64)))

    @property
    def holds(self) -> list[tuple[int, int]]:
        """Beats of the edited score that wait."""
        pairs = list(zip(self.targets, self.places, strict=True))
        starts = [tick for target, tick in pairs if target.role == HOLD]
        return list(zip(starts, [tick for target, tick in pairs if target.role == RELEASE], strict=True))

    def source_spans(self, cues: Cues, kind: str) -> list[tuple[int, int]]:
        """Spans of the picture in ticks of the source."""
        edges = np.array([e.tick for e in sorted(self.edits, key=lambda e: e.tick)], np.int64)
        gained = np.array([e.ticks for e in sorted(self.edits, key=lambda e: e.tick)], np.int64)
        after = edges + np.cumsum(gained)

        def back(second: float) -> int:
            tick = float(self.tempo.ticks_at(second))
            return round(tick - float(gained[: int(np.searchsorted(after, tick, side="right"))].sum()))

        return [(back(start), back(end)) for start, end in span_seconds(cues, kind)]

    def over(self, source: Score) -> Solution:
        """The same with another source, of the same ticks."""
        return replace(self, grid=replace(self.grid, score=edited(source, self.edits)))


@dataclass
class Fitter:
    """Fits curves over one score; keeps those it has made, and the edited scores: bands and prices find the same again.

    A curve asks of the music only bars, beats, tempo and fermatas: candidates are edited without all the rest.
    """

    grid: Grid
    cues: Cues
    grids: dict[tuple[BarEdit, ...], Grid] = field(default_factory=dict)
    known: dict[tuple[object, ...], Solution] = field(default_factory=dict)

    @cached_property
    def bare(self) -> Score:
        """The score without what no curve asks for."""
        score = self.grid.score
        under = score.notes["articulation"] & int(Articulation.FERMATA) > 0
        none = {name: getattr(score, name)[:0] for name in ("keys", "controls", "bends", "programs")}
        marks = tuple(mark for mark in score.marks if mark.kind == "fermata")
        return score.replace(notes=score.notes[under], marks=marks, markers=(), raw=(), import_log=(), **none)

    def _grid(self, edits: tuple[BarEdit, ...], whole: bool) -> Grid:
        if not edits:
            return self.grid
        if whole:
            return Grid(edited(self.grid.score, edits))
        if edits not in self.grids:
            self.grids[edits] = Grid(edited(self.bare, edits))
        return self.grids[edits]

    def polished(self, solution: Solution) -> Solution:
        """The same places with the curve worked out further, over the whole music."""
        return self.fitted(solution.targets, solution.ticks, solution.edits, POLISH, solution.firm)

    def fitted(
        self,
        targets: tuple[Target, ...],
        ticks: tuple[int, ...],
        edits: tuple[BarEdit, ...],
        polish: int = 0,
        firm: bool = False,
    ) -> Solution:
        """The curve through places (ticks of the source) and bar edits; soft hits pull, or are met too if `firm`."""
        key = targets, ticks, edits, polish, firm
        if key not in self.known:
            self.known[key] = self._fitted(*key)
        return self.known[key]

    def _fitted(
        self, targets: tuple[Target, ...], ticks: tuple[int, ...], edits: tuple[BarEdit, ...], polish: int, firm: bool
    ) -> Solution:
        grid = self._grid(edits, polish > 0)
        at = moved(np.array(ticks, np.int64), edits)
        places = np.unique(at[at > 0])  # a hit at the very start is met already; hits that share a place share one pin
        beats = np.append(grid.beats, grid.score.bars[-1])
        edges = np.unique(np.concatenate([beats, places, grid.waits.ravel()]))
        source = grid.score.seconds(edges)
        pins = _pins(self.cues, targets, at, places, edges, firm)
        waits = np.zeros(len(edges) - 1, bool)
        held = [
            [tick for t, tick in zip(targets, at.tolist(), strict=True) if t.role == role] for role in (HOLD, RELEASE)
        ]
        for start, end in grid.waits.tolist():
            waits[np.searchsorted(edges, start) : np.searchsorted(edges, end)] = True
        fermatas = waits.copy()
        for start, end in zip(*held, strict=True):
            cells = slice(*np.searchsorted(edges, [start, end]))
            waits[cells], fermatas[cells] = True, False
        stretch = self._curve(grid, edges, source, (waits, fermatas), pins, polish)
        times = np.concatenate([[0.0], np.cumsum(stretch * np.diff(source))])
        tempo = microsecond_steps(grid.score, edges, source, times, places)
        felt = np.diff(tempo.seconds(beats)) / np.diff(grid.score.seconds(beats))
        under = np.add.reduceat(waits.astype(int), np.searchsorted(edges, beats[:-1])) > 0
        price = sum(
            float(t.choices.price[np.searchsorted(t.ticks, tick)]) for t, tick in zip(targets, ticks, strict=True)
        )
        return Solution(grid, targets, ticks, edits, tempo, *felt_change(felt, under, grid.rubato), price, firm)

    def _curve(
        self, grid: Grid, edges: Ticks, source: Floats, elastic: tuple[Flags, Flags], pins: Pins, polish: int
    ) -> Floats:
        waits, fermatas = elastic
        cells = Cells.plain(np.diff(grid.beat_position(edges)), np.diff(source))
        beat = np.minimum(np.searchsorted(grid.beats, edges[:-1], side="right") - 1, len(grid.beats) - 1)
        cells = replace(cells, elastic=waits, easy=grid.rubato[beat])
        joined = waits.copy()
        joined[0] = False
        joined[1:] &= waits[:-1]
        cells = replace(cells, tied=joined)

        def curve(asked: Cells) -> Floats:
            return least_change(asked, pins, polish=polish)

        spans = span_seconds(self.cues, *STEADY), span_seconds(self.cues, "frozen")
        _, stretch = steadied(cells, pins, *spans, curve)
        far = fermatas & ((stretch < SHORTEST) | (stretch > LONGEST))
        if far.any():  # no fermata lasts for ever: at its bound the tempo takes the rest
            own = np.where(far, np.clip(stretch, SHORTEST, LONGEST), 1.0)
            cells = replace(cells, seconds=cells.seconds * own, frozen=far)
            stretch = own * steadied(cells, pins, *spans, curve)[1]
        if stretch.min() < SLOWEST:  # a smooth curve through hits this close would run backwards
            stretch = even_stretch(np.diff(source), pins)
        return stretch


def start_shift(grid: Grid, cues: Cues, targets: tuple[Target, ...], ticks: tuple[int, ...], give: int) -> int:
    """Frames by which the music had best start later, for these places."""
    at = np.array(ticks, np.int64)
    places = np.unique(at[at > 0])
    edges = np.union1d(np.append(grid.beats, grid.score.bars[-1]), places)
    pins = _pins(cues, targets, at, places, edges)
    if not len(places):
        return 0
    frame = float(1 / cues.rate.fps)
    cells = Cells.plain(np.diff(grid.beat_position(edges)), np.diff(grid.score.seconds(edges)))
    tried = np.unique(np.rint(np.linspace(-give, give, 41)).astype(int))
    return int(min(tried, key=lambda shift: (_roughness(cells, pins, shift * frame), abs(shift))))


def _roughness(cells: Cells, pins: Pins, shift: float) -> float:
    """Burden of the curve where the music starts so much later."""
    if pins.time[0] - shift <= 0:
        return np.inf
    stretch = least_change(cells, replace(pins, time=pins.time - shift), rounds=2, polish=0)
    return max(*felt_change(stretch, *(np.zeros(len(stretch), bool),) * 2)[:2])


def _pins(cues: Cues, targets: tuple[Target, ...], at: Ticks, places: Ticks, edges: Ticks, firm: bool = False) -> Pins:
    time, tolerance, pull = np.zeros(len(places)), np.full(len(places), np.inf), np.zeros(len(places))
    frame = float(1 / cues.rate.fps)
    for k, place in enumerate(places):
        here = [t for t, tick in zip(targets, at, strict=True) if tick == place]
        hard = [t for t in here if t.hard] or (here if firm else [])
        if hard:
            room = [t.hit.tolerance if t.hard else max(t.hit.tolerance, 0.5) for t in hard]
            slack = [max(frames - MARGIN, 0.0) * frame for frames in room]
            low = max(t.time - s for t, s in zip(hard, slack, strict=True))
            high = min(t.time + s for t, s in zip(hard, slack, strict=True))
            time[k], tolerance[k] = (low + high) / 2, max(high - low, 0.0) / 2
            pull[k] = ECONOMY
        else:
            # a soft hit with room around it pulls less
            weights = np.array([t.hit.weight / (1 + t.hit.tolerance) for t in here])
            time[k] = np.average([t.time for t in here], weights=weights)
            pull[k] = weights.sum() * PULL
    return Pins(np.searchsorted(edges, places), time, tolerance, pull)
