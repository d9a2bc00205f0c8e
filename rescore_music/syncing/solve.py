"""sync(): hits to landing places to tempo curve to a tempo map that MIDI can hold.

Method: (1) every hit gets the places its `lands` allows; (2) `assign.choose` picks places for all hard hits jointly,
within the narrowest band of tempi that can hold them; (3) `curve.least_change` bends the score's own tempo through
them; the best of several assignments is the one whose curve has the smallest steps; (4) soft hits take the places
nearest to them under that curve and pull it; (5) the curve is written as tempo steps of whole microseconds whose
rounding error is fed forward, so that hits read back from MIDI within 2e-5 frame at 24 frames a second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues, Hit
from rescore_music.errors import SyncError
from rescore_music.score import Marker, Score
from rescore_music.structure import Analysis
from rescore_music.syncing.arcs import Choices
from rescore_music.syncing.assign import Assignment, DeadEnd, choose, dead_end
from rescore_music.syncing.curve import ECONOMY, PULL, Cells, Pins, even_stretch, least_change
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Alternative, Landing, Skipped, Synced, TempoRow, tempo_change
from rescore_music.syncing.steps import microsecond_steps
from rescore_music.tempo import TempoMap

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]

BANDS = (0.04, 0.06, 0.09, 0.14, 0.22, 0.33, 0.5)  # tempo changes tried, narrowest first
LIMIT = 0.75  # widest band that may be asked for
SLOWEST = 0.15  # smallest stretch: over six times as fast is no tempo
COMFORT = 1.0  # percent a beat up to which soft hits are met like hard ones
SILENT = 6.0  # price of landing where no note starts, in units of assign's costs
OFFBEAT = 1.0  # price of landing on an eighth between beats
MARGIN = 0.02  # frames kept free inside a tolerance, for the rounding to microseconds


@dataclass(frozen=True, eq=False)
class _Target:
    """A hit that the music reaches: its time, the places it may take."""

    hit: Hit
    time: float
    ticks: Ticks
    choices: Choices


@dataclass(frozen=True, eq=False)
class _Solution:
    """Places for some targets and the tempo map that meets them."""

    targets: tuple[_Target, ...]
    ticks: tuple[int, ...]
    tempo: TempoMap
    step: float
    deviation: float

    @property
    def burden(self) -> float:
        """What ranks solutions: steps count as much as deviations seven times their size."""
        return max(self.step / 0.75, self.deviation / 5.5)


def sync(score: Score, cues: Cues, *, analysis: Analysis | None = None, limit: float = BANDS[-1]) -> Synced:
    """Bend the tempo so that the music marks the picture's hits.

    Parameters
    ----------
    score : Score
        Its notes stay as they are: only the tempo map changes. Its own ritardandi and tempo steps are kept, relatively.
    cues : Cues
        Hits; the first sample of the music is at `cues.start`.
    analysis : Analysis, optional
        Where hits that land on "motif:<name>" find that motif's entries; markers of that name serve too.
    limit : float
        Largest mean tempo change between two hits: 0.5 = to half and to one and a half of the score's own durations.

    Returns
    -------
    Synced

    Raises
    ------
    SyncError
        If a hit lies before the start, or hard hits ask for places that the music does not have; the message names
        the hits that conflict.
    """
    if not 0 < limit <= LIMIT:
        raise SyncError(f"the limit of tempo change must lie between 0 and {LIMIT}, not {limit:g}")
    grid = Grid(score, analysis)
    targets, skipped = _targets(grid, cues)
    solutions = _solutions(grid, cues, targets, limit)
    best = solutions[0]
    hits = tuple(_landing(grid, cues, best, k) for k in range(len(best.targets)))
    told = {id(t.hit) for t in best.targets}
    skipped += [_skip(cues, t.hit, "no place of its kind is free near it") for t in targets if id(t.hit) not in told]
    markers = [Marker(h.tick, h.label or f"Hit {h.timecode}", "hit") for h in hits]
    synced = score.replace(tempo=best.tempo, markers=(*(m for m in score.markers if m.kind != "hit"), *markers))
    rows = _tempo_rows(grid, best.tempo)
    log.info("synced %d hits, %.2f %% a beat at most", len(hits), best.step)
    return Synced(synced, hits, _named(best, solutions[1:]), rows, best.step, best.deviation, tuple(skipped))


# -- hits and their places -----------------------------------------------------------------------------------------


def _skip(cues: Cues, hit: Hit, reason: str) -> Skipped:
    return Skipped(hit.label, cues.timecode(hit), reason)


def _name(cues: Cues, hit: Hit) -> str:
    return f"'{hit.label}' ({cues.timecode(hit)})" if hit.label else cues.timecode(hit)


def _targets(grid: Grid, cues: Cues) -> tuple[list[_Target], list[Skipped]]:
    early = [hit for hit in cues.hits if hit.frame < cues.start.frame]
    if early:
        names = ", ".join(_name(cues, hit) for hit in early[:3]) + (" ..." if len(early) > 3 else "")
        raise SyncError(
            f"{names}: before the cue's start at {cues.start}",
            file=cues.source or None,
            cure="set --start to the timecode of the cue's first sample",
        )
    ends = [float(cues.seconds_of(hit.frame)) for hit in cues.hits if hit.lands == "end"]
    last = min(ends) if ends else float(grid.score.seconds(grid.end))
    targets: list[_Target] = []
    skipped: list[Skipped] = []
    accents = np.unique(grid.score.notes["onset"])
    for hit, time in zip(cues.hits, cues.seconds, strict=True):
        if time > last + 1e-9:
            what = "the cue's end hit" if ends else "the end of the music"
            skipped.append(_skip(cues, hit, f"{time - last:.2f} s after {what}"))
            continue
        ticks = grid.places(hit.lands)
        price = np.where(np.isin(ticks, accents) | (ticks == grid.end), 0.0, SILENT)
        price = price + np.where(np.isin(ticks, grid.beats) | (hit.lands != "eighth"), 0.0, OFFBEAT)
        slack = hit.tolerance / float(cues.rate.fps)
        choices = Choices(float(time), slack, grid.score.seconds(ticks), grid.beat_position(ticks), price)
        targets.append(_Target(hit, float(time), ticks, choices))
    return targets, skipped


# -- solving -------------------------------------------------------------------------------------------------------


def _solutions(grid: Grid, cues: Cues, targets: list[_Target], limit: float) -> list[_Solution]:
    """Best first: all hits met if that costs little, else hard hits met and soft ones pulling."""
    hard = [t for t in targets if t.hit.hard]
    _refuse_conflicts(cues, hard, limit)
    if len(hard) < len(targets):
        easy = min(limit, BANDS[2])
        if dead_end([t.choices for t in targets], easy) is None:
            found = _assigned(grid, cues, targets, easy)
            if found and found[0].step <= COMFORT:
                return found
    found = _assigned(grid, cues, hard, limit)
    if len(hard) < len(targets):
        found[0] = _with_soft(grid, cues, found[0], [t for t in targets if not t.hit.hard])
    return found


def _assigned(grid: Grid, cues: Cues, targets: Sequence[_Target], limit: float) -> list[_Solution]:
    """Solutions that meet these hits, best first; tempi from the narrowest band that can and the next wider."""
    if not targets:
        return [_solved(grid, cues, (), ())]
    choices = [t.choices for t in targets]
    bands = [band for band in BANDS if band < limit] + [limit]
    bands = [band for band in bands if dead_end(choices, band) is None]
    seen: dict[tuple[int, ...], Assignment] = {}
    tried = 0
    for band in bands:
        found = choose(choices, band)
        if isinstance(found, DeadEnd):  # possible where hits are so dense that the best places were not kept
            continue
        for assignment in found:
            seen.setdefault(assignment.places, assignment)
        tried += 1
        if tried == 2 or band > BANDS[3]:  # the next wider band may be smoother, where it is still cheap to look
            break
    if not seen:
        raise SyncError("the hits lie too densely for any tempo", file=cues.source or None, cure="make some soft")
    ranked = sorted(seen.values(), key=lambda a: a.cost)[:8]
    solved = [
        _solved(grid, cues, tuple(targets), tuple(int(t.ticks[p]) for t, p in zip(targets, a.places, strict=True)))
        for a in ranked
    ]
    return sorted(solved, key=lambda s: s.burden)


def _with_soft(grid: Grid, cues: Cues, base: _Solution, soft: Iterable[_Target]) -> _Solution:
    """The same hard hits, and each soft hit pulling at the free place nearest to it."""
    taken = dict(zip(base.ticks, base.targets, strict=True))
    for target in sorted(soft, key=lambda t: (-t.hit.weight, t.time)):
        at = base.tempo.seconds(target.ticks)
        for k in np.argsort(np.abs(at - target.time), kind="stable")[:4]:
            tick = int(target.ticks[k])
            before = [t.time for place, t in taken.items() if place < tick]
            after = [t.time for place, t in taken.items() if place > tick]
            shared = taken.get(tick)
            if max(before, default=-1.0) < target.time < min(after, default=np.inf) and shared is None:
                taken[tick] = target
                break
    places = tuple(sorted(taken))
    return _solved(grid, cues, tuple(taken[p] for p in places), places)


def _solved(grid: Grid, cues: Cues, targets: tuple[_Target, ...], ticks: tuple[int, ...]) -> _Solution:
    score = grid.score
    beats = np.append(grid.beats, score.bars[-1])
    # a hit at the very start is met already; hits that share a place share one pin
    places = np.unique(np.array([t for t in ticks if t > 0], np.int64))
    edges = np.union1d(beats, places)
    source = score.seconds(edges)
    pins = _pins(cues, targets, ticks, places, edges)
    stretch = least_change(Cells.plain(np.diff(grid.beat_position(edges)), np.diff(source)), pins)
    if stretch.min() < SLOWEST:  # a smooth curve through hits this close would run backwards
        stretch = even_stretch(np.diff(source), pins)
    times = np.concatenate([[0.0], np.cumsum(stretch * np.diff(source))])
    tempo = microsecond_steps(score, edges, source, times, places)
    _, step, deviation = tempo_change(score.tempo, tempo, beats)
    return _Solution(targets, ticks, tempo, step, deviation)


def _pins(cues: Cues, targets: tuple[_Target, ...], ticks: tuple[int, ...], places: Ticks, edges: Ticks) -> Pins:
    time, tolerance, pull = np.zeros(len(places)), np.full(len(places), np.inf), np.zeros(len(places))
    frame = float(1 / cues.rate.fps)
    for k, place in enumerate(places):
        here = [t for t, tick in zip(targets, ticks, strict=True) if tick == place]
        hard = [t for t in here if t.hit.hard]
        if hard:
            slack = [max(t.hit.tolerance - MARGIN, 0.0) * frame for t in hard]
            low = max(t.time - s for t, s in zip(hard, slack, strict=True))
            high = min(t.time + s for t, s in zip(hard, slack, strict=True))
            time[k], tolerance[k] = (low + high) / 2, max(high - low, 0.0) / 2
            pull[k] = ECONOMY
        else:
            weights = np.array([t.hit.weight for t in here])
            time[k] = np.average([t.time for t in here], weights=weights)
            pull[k] = weights.sum() * PULL
    return Pins(np.searchsorted(edges, places), time, tolerance, pull)


# -- refusals and reports ------------------------------------------------------------------------------------------


def _refuse_conflicts(cues: Cues, hard: Sequence[_Target], limit: float) -> None:
    stuck = dead_end([t.choices for t in hard], limit)
    if stuck is None:
        return
    hit = hard[stuck.hit]
    first = stuck.hit
    while first > 0 and dead_end([t.choices for t in hard[first : stuck.hit + 1]], limit, anchored=False) is None:
        first -= 1
    alone = dead_end([t.choices for t in hard[first : stuck.hit + 1]], limit, anchored=False) is None
    names = [_name(cues, t.hit) for t in hard[first : stuck.hit + 1]]
    who = ["the start of the cue", *names] if alone else names
    listed = " and ".join([", ".join(who[:-1]), who[-1]]) if len(who) > 1 else who[0]
    kinds = sorted({t.hit.lands for t in hard[first : stuck.hit + 1]})
    raise SyncError(
        f"{listed} conflict: no {' or '.join(kinds)} can be there for each within {limit * 100:.0f} % of the tempo",
        file=cues.source or None,
        cure=f"make {_name(cues, hit.hit)} soft, give it a tolerance or let it land on a beat or eighth",
    )


def _landing(grid: Grid, cues: Cues, solution: _Solution, k: int) -> Landing:
    target, tick = solution.targets[k], solution.ticks[k]
    residual = (float(solution.tempo.seconds(tick)) - target.time) * float(cues.rate.fps)
    bar, beat = grid.bar_beat(tick)
    landed = abs(residual) <= max(target.hit.tolerance, 0.5)
    hit = target.hit
    code = cues.timecode(hit)
    return Landing(hit.label, code, target.time, tick, bar, beat, residual, hit.kind, landed, hit.lands, hit.weight)


def _tempo_rows(grid: Grid, tempo: TempoMap) -> tuple[TempoRow, ...]:
    edges = np.append(grid.beats, grid.score.bars[-1])
    stretch, _, _ = tempo_change(grid.score.tempo, tempo, edges)
    seconds = tempo.seconds(edges)
    bpm = 60 * np.diff(edges) / grid.score.ticks_per_quarter / np.diff(seconds)
    return tuple(
        TempoRow(int(t), *grid.bar_beat(int(t)), float(s), float(b), float(100 / x - 100))
        for t, s, b, x in zip(edges[:-1], seconds, bpm, stretch, strict=False)
    )


def _named(best: _Solution, others: Sequence[_Solution]) -> tuple[Alternative, ...]:
    """Runners-up, told apart by where their last hit lands: later in the music is a faster tempo."""
    named = []
    for other in others:
        shift = other.ticks[-1] - best.ticks[-1] if other.ticks else 0
        name = "faster" if shift > 0 else "slower" if shift < 0 else "same length"
        named.append(Alternative(name, other.ticks, other.tempo, other.step, other.deviation))
    return tuple(named)
