"""sync(): hits to landing places to tempo curve to a tempo map that MIDI can hold.

Method: (1) every hit gets the places its `lands` allows, every hold a beat that waits (`targets`); (2) `assign.choose`
picks places for all hard hits jointly, and bar edits between them where those are allowed and pay (`bars`), within the
narrowest band of tempi that can hold them; (3) `curve.least_change` bends the score's own tempo through them (`fit`);
the best of several assignments is the one whose curve has the smallest steps and deviations; (4) soft hits take the
places nearest to them under that curve and pull it; (5) the curve is written as tempo steps of whole microseconds whose
rounding error is fed forward, so that hits read back from MIDI within 2e-5 frame at 24 frames a second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rescore_music.cues import Cues
from rescore_music.errors import SyncError
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.syncing.arcs import Change
from rescore_music.syncing.assign import Assignment, DeadEnd, choose, dead_end
from rescore_music.syncing.bars import BarEdit, Option, edits_of, options_of
from rescore_music.syncing.dialogue import lowered
from rescore_music.syncing.fit import Fitter, Solution, start_shift
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.report import runners_up, synced_of
from rescore_music.syncing.result import Synced
from rescore_music.syncing.targets import HOLD, RELEASE, Target, name_of, skip, targets_of, with_frozen
from rescore_music.syncing.ways import compared

log = logging.getLogger(__name__)

BANDS = (0.04, 0.06, 0.09, 0.14, 0.22, 0.33, 0.5)  # tempo changes tried, narrowest first
LIMIT = 0.75  # widest band that may be asked for
COMFORT = 1.0  # burden up to which soft hits are met like hard ones
EASY = 0.8  # burden up to which no wider band is looked at
CALM = 0.5  # burden up to which no bar is edited
EDIT = 0.1  # burden that a bar edit must save
PRICE = 1 / 60  # burden that a unit of the places' prices must save
SCALES = (1.0, 10.0)  # of the prices of edits: many, few
RUNNERS = 7


@dataclass(frozen=True)
class _Asked:
    """One problem: the music, the picture, and what may be done."""

    grid: Grid
    cues: Cues
    limit: float
    options: tuple[Option, ...]
    fitter: Fitter
    firm: bool = False  # soft hits are met like hard ones

    def changes(self, scale: float) -> tuple[Change, ...]:
        """Bar edits, their prices scaled."""
        return tuple(replace(o.change, price=o.change.price * scale) for o in self.options)


def sync(
    score: Score,
    cues: Cues,
    *,
    analysis: Analysis | None = None,
    limit: float = BANDS[-1],
    edits: str = "none",
    lower: float = 0.0,
    compare: bool = False,
    runner_up: int = 0,
) -> Synced:
    """Bend the tempo so that the music marks the picture's hits.

    Parameters
    ----------
    score : Score
        Its notes stay as they are unless bars may be edited or dialogue asks for softer ones. Its own ritardandi and
        tempo steps are kept, relatively; its fermatas take up time.
    cues : Cues
        Hits and spans; the first sample of the music is at `cues.start`, or near it where that may move.
    analysis : Analysis, optional
        Of this score. Where hits that land on "motif:<name>" find that motif's entries (markers of that name serve
        too), "climax" the most intense bar, and bar edits the phrases.
    limit : float
        Largest mean tempo change between two hits: 0.5 = to half and to one and a half of the score's own durations.
    edits : str
        Bar edits at phrase seams: "none", "meters" (a bar made shorter or longer) or "bars" (also bars left out, played
        again or inserted). None is made where tempo alone does it unheard.
    lower : float
        Decibels by which the accompaniment is lowered under dialogue.
    compare : bool
        Whether to tell how the hits are met by one constant tempo and by tempo steps from hit to hit.
    runner_up : int
        0 takes the best solution; n takes the n-th of the `alternatives` that a call without it tells, and lists the
        best among its own.

    Returns
    -------
    Synced

    Raises
    ------
    SyncError
        If a hit lies before the start, there is no such runner-up, or hard hits ask for places that the music does not
        have; the message names the hits that conflict.
    """
    if not 0 < limit <= LIMIT:
        raise SyncError(f"the limit of tempo change must lie between 0 and {LIMIT}, not {limit:g}")
    if not 0 <= lower <= 40:
        raise SyncError(f"dialogue lowers the music by 0 to 40 dB, not {lower:g}")
    grid = Grid(score, analysis)
    options = options_of(grid, edits)
    if cues.start_give:
        cues = _started(grid, cues, limit)
    targets, skipped = targets_of(grid, cues)
    asked = _Asked(grid, cues, limit, options, Fitter(grid, cues))
    solutions = _solutions(asked, targets, runner_up)
    best = asked.fitter.polished(solutions[0])
    told = {id(t.hit) for t in best.targets}
    skipped += [skip(cues, t.hit, "no place of its kind is free near it") for t in targets if id(t.hit) not in told]
    made = best
    if lower and any(span.kind == "dialogue" for span in cues.spans):
        made = best.over(lowered(score, best.source_spans(cues, "dialogue"), lower, analysis))
    log.info("synced %d hits, %.2f %% a beat at most", len(best.targets), best.step)
    synced = synced_of(made, solutions[1:], cues, skipped, best.grid.score.notes)
    return compared(synced, score, analysis=analysis) if compare else synced


def _taken(solutions: list[Solution], number: int) -> list[Solution]:
    """The same with one of the runners-up in the lead, counted as they are told."""
    if not number:
        return solutions
    order = runners_up(solutions[0], solutions[1:])
    if not 0 < number <= len(order):
        cure = f"choose from 1 to {len(order)}, or 0 for the best" if order else "take the best"
        raise SyncError(f"there is no runner-up {number}", cure=cure)
    chosen = solutions[1 + order[number - 1]]
    return [chosen, *(s for s in solutions if s is not chosen)]


def needs_analysis(cues: Cues, edits: str = "none") -> bool:
    """Whether something is asked of the music that only an analysis of it tells."""
    asked = edits != "none" or any(hit.lands == "climax" or hit.lands.startswith("motif:") for hit in cues.hits)
    return asked or any(span.kind == "dialogue" for span in cues.spans)


def _started(grid: Grid, cues: Cues, limit: float) -> Cues:
    """The cue with its start where it serves the hits best, in whole frames."""
    first = min((hit.frame for hit in cues.hits), default=cues.start.frame)
    give = min(cues.start_give, cues.start.frame)
    fixed = replace(cues, start_give=0)
    targets = [t for t in targets_of(grid, fixed)[0] if t.hard]
    shift = 0
    for band in [band for band in BANDS if band < limit] + [limit]:
        found = choose([t.choices for t in targets], band, 1, slack=give / float(cues.rate.fps)) if targets else []
        if not isinstance(found, DeadEnd):
            ticks = tuple(int(t.ticks[p]) for a in found[:1] for t, p in zip(targets, a.places, strict=True))
            shift = start_shift(grid, fixed, tuple(targets), ticks, give) if targets else 0
            break
    return replace(fixed, start=cues.start + min(shift, max(first - cues.start.frame, 0)))


# -- solutions -----------------------------------------------------------------------------------------------------


def _solutions(asked: _Asked, targets: list[Target], runner_up: int = 0) -> list[Solution]:
    """The chosen one, then the others, best first: all hits met if that costs little, else soft ones pull."""
    hard = with_frozen([t for t in targets if t.hard], asked.cues)
    if len(hard) < len(targets):
        easy = min(asked.limit, BANDS[2])
        if dead_end([t.choices for t in targets], easy) is None:
            found = _assigned(replace(asked, limit=easy, options=(), firm=True), targets)
            if found and found[0].burden <= COMFORT:
                return _taken(found, runner_up)
    found = _assigned(asked, hard)
    if not found:
        _refuse_conflicts(asked, hard)
    found = _taken(found, runner_up)
    if len(hard) < len(targets):
        found[0] = _with_soft(asked, found[0], [t for t in targets if not t.hard])
    return found


def _assigned(asked: _Asked, targets: Sequence[Target]) -> list[Solution]:
    """Solutions that meet these hits, best first; with bar edits where tempo alone is heard."""
    if not targets:
        return [asked.fitter.fitted((), (), ())]
    plain = _searched(asked, targets, ())
    if not asked.options or (plain and plain[0].burden <= CALM):
        return plain
    edited: list[Solution] = []
    for scale in SCALES:
        edited += _searched(asked, targets, asked.changes(scale))
    both = {(s.ticks, s.edits): s for s in [*edited, *plain]}
    return sorted(both.values(), key=_rank)


def _rank(solution: Solution) -> float:
    """What is heard of the tempo, of bar edits, and of places where no note begins."""
    return solution.burden + EDIT * len(solution.edits) + PRICE * solution.price


def _searched(asked: _Asked, targets: Sequence[Target], changes: Sequence[Change]) -> list[Solution]:
    """Solutions by rank, from the narrowest band of tempi that has room for all; from the next too if that may help."""
    choices = [t.choices for t in targets]
    found: dict[tuple[tuple[int, ...], tuple[BarEdit, ...]], Solution] = {}
    for band in [band for band in BANDS if band < asked.limit] + [asked.limit]:
        if dead_end(choices, band, changes=changes) is not None:
            continue
        assignments = choose(choices, band, RUNNERS, changes)
        if isinstance(assignments, DeadEnd):  # possible where hits are so dense that the best places were not kept
            continue
        again = bool(found)
        for solution in _fitted(asked, targets, assignments):
            found.setdefault((solution.ticks, solution.edits), solution)
        if again or band > BANDS[3] or min(s.burden for s in found.values()) < EASY:
            break
    return sorted(found.values(), key=_rank)


def _fitted(asked: _Asked, targets: Sequence[Target], candidates: Iterable[Assignment]) -> list[Solution]:
    out = []
    for assignment in candidates:
        ticks = tuple(int(t.ticks[p]) for t, p in zip(targets, assignment.places, strict=True))
        edits: list[BarEdit] = []
        for before, tick, change in zip((0, *ticks), ticks, assignment.changes, strict=False):
            if change >= 0:
                edits += edits_of(asked.grid, asked.options[change], before, tick)
        out.append(asked.fitter.fitted(tuple(targets), ticks, tuple(edits), firm=asked.firm))
    return out


def _with_soft(asked: _Asked, base: Solution, soft: Iterable[Target]) -> Solution:
    """The same hard hits, and each soft hit pulling at the free place nearest to it."""
    taken = dict(zip(base.ticks, base.targets, strict=True))
    shared = [(t, tick) for t, tick in zip(base.targets, base.ticks, strict=True) if taken[tick] is not t]
    for target in sorted(soft, key=lambda t: (-t.hit.weight, t.time)):
        at = base.tempo.seconds(base.moved(target.ticks))
        for k in np.argsort(np.abs(at - target.time), kind="stable")[:4]:
            tick = int(target.ticks[k])
            before = [t.time for place, t in taken.items() if place < tick]
            after = [t.time for place, t in taken.items() if place > tick]
            if max(before, default=-1.0) < target.time < min(after, default=np.inf) and tick not in taken:
                taken[tick] = target
                break
    pairs = sorted([*((t, tick) for tick, t in taken.items()), *shared], key=lambda p: (p[1], p[0].time))
    return asked.fitter.fitted(tuple(t for t, _ in pairs), tuple(tick for _, tick in pairs), base.edits)


# -- refusals ------------------------------------------------------------------------------------------------------


def _refuse_conflicts(asked: _Asked, hard: Sequence[Target]) -> None:
    """Say which hits conflict: the fewest neighbours for which there is no way."""
    cues, limit = asked.cues, asked.limit
    dead = dead_end([t.choices for t in hard], limit)
    if dead is None:
        found = choose([t.choices for t in hard], limit, 1)
        dead = found if isinstance(found, DeadEnd) else DeadEnd(len(hard) - 1)
    last = first = dead.hit
    anchored = False
    while first > 0 and dead_end([t.choices for t in hard[first : last + 1]], limit, False) is None:
        first -= 1
    if first == 0:
        anchored = dead_end([t.choices for t in hard[: last + 1]], limit, False) is None
    hits = [t for t in hard[first : last + 1] if t.role != RELEASE]
    names = [("the hold " if t.role == HOLD else "") + name_of(cues, t.hit) for t in hits]
    who = ["the start of the cue", *names] if anchored else names
    listed = " and ".join([", ".join(who[:-1]), who[-1]]) if len(who) > 1 else who[0]
    kinds = sorted({t.hit.lands for t in hits})
    cure = f"make {name_of(cues, hard[last].hit)} soft, give it a tolerance or let it land on a beat or eighth"
    if any(span.kind == "frozen" for span in cues.spans):
        cure += ", or shorten the frozen span"
    raise SyncError(
        f"{listed} conflict: no {' or '.join(kinds)} can be there for each within {limit * 100:.0f} % of the tempo"
        + (", with bars edited or not" if asked.options else ""),
        file=cues.source or None,
        cure=cure,
    )
