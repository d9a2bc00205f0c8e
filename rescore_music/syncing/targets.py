"""What the picture asks, as the solver takes it: every hit with its time and the places it may take.

A hold is two targets: the beat that waits, and the beat after it, bound to the first. Hits that the music cannot reach
are told, not met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues, Hit, Span
from rescore_music.errors import SyncError
from rescore_music.syncing.arcs import Choices
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Skipped
from rescore_music.timecode import Timecode

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]

SILENT = 6.0  # price of landing where no note starts, in units of the arcs' costs
OFFBEAT = 1.0  # price of landing on an eighth between beats
MOVING = 60.0  # price of holding a beat in which more notes start
HOLD, RELEASE = "hold", "release"


@dataclass(frozen=True, eq=False)
class Target:
    """A hit that the music reaches: its time, the places it may take; `role` tells the two ends of a hold."""

    hit: Hit
    time: float
    ticks: Ticks
    choices: Choices
    role: str = ""

    @property
    def hard(self) -> bool:
        """Whether it must be met."""
        return self.hit.hard


def name_of(cues: Cues, hit: Hit) -> str:
    """A hit as messages call it."""
    return f"'{hit.label}' ({cues.timecode(hit)})" if hit.label else cues.timecode(hit)


def skip(cues: Cues, hit: Hit, reason: str) -> Skipped:
    """A hit left out, and why."""
    return Skipped(hit.label, cues.timecode(hit), reason)


def targets_of(grid: Grid, cues: Cues) -> tuple[list[Target], list[Skipped]]:
    """Hits and holds by time, and what is left out.

    Raises
    ------
    SyncError
        If a hit lies before the start or lands on what the music does not have.
    """
    early = [hit for hit in cues.hits if hit.frame < cues.start.frame]
    if early:
        names = ", ".join(name_of(cues, hit) for hit in early[:3]) + (" ..." if len(early) > 3 else "")
        raise SyncError(
            f"{names}: before the cue's start at {cues.start}",
            file=cues.source or None,
            cure="set --start to the timecode of the cue's first sample",
        )
    ends = [float(cues.seconds_of(hit.frame)) for hit in cues.hits if hit.lands == "end"]
    last = min(ends) if ends else float(grid.score.seconds(grid.end))
    what = "the cue's end hit" if ends else "the end of the music"
    holds, skipped = _holds(grid, cues, last, what)
    waiting = [(t.time, u.time) for t, u in zip(holds[::2], holds[1::2], strict=True)]
    targets: list[Target] = []
    kinds: dict[str, tuple[Ticks, Choices]] = {}
    for hit, time in zip(cues.hits, cues.seconds.tolist(), strict=True):
        if time > last + 1e-9:
            skipped.append(skip(cues, hit, f"{time - last:.2f} s after {what}"))
        elif any(a + 1e-9 < time < b - 1e-9 for a, b in waiting):
            skipped.append(skip(cues, hit, "the music holds then"))
        else:
            if hit.lands not in kinds:
                kinds[hit.lands] = _kind(grid, hit.lands)
            ticks, places = kinds[hit.lands]
            slack = hit.tolerance / float(cues.rate.fps)
            targets.append(Target(hit, time, ticks, replace(places, time=time, slack=slack)))
    order = {RELEASE: 0, "": 1, HOLD: 2}
    targets = sorted([*targets, *holds], key=lambda t: (t.time, order[t.role]))
    return with_frozen(targets, cues), skipped


def with_frozen(targets: Sequence[Target], cues: Cues) -> list[Target]:
    """The same targets; each knows how much of the time since the one before is frozen."""
    spans = [(s, e) for s, e in _seconds(cues, "frozen")]
    out: list[Target] = []
    before = 0.0
    for target in targets:
        frozen = sum(max(min(e, target.time) - max(s, before), 0.0) for s, e in spans)
        same = frozen == target.choices.frozen
        out.append(target if same else replace(target, choices=replace(target.choices, frozen=frozen)))
        before = target.time
    return out


def _seconds(cues: Cues, *kinds: str) -> list[tuple[float, float]]:
    """Spans of these kinds in seconds after the first sample, those that overlap joined."""
    out: list[tuple[float, float]] = []
    for span in cues.spans:
        start, end = (max(float(cues.seconds_of(frame)), 0.0) for frame in (span.start, span.end))
        if span.kind not in kinds or end <= start:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def span_seconds(cues: Cues, *kinds: str) -> list[tuple[float, float]]:
    """Spans of these kinds in seconds after the first sample, those that overlap joined."""
    return _seconds(cues, *kinds)


def _kind(grid: Grid, lands: str) -> tuple[Ticks, Choices]:
    """The places of one kind, with no time yet."""
    ticks = grid.places(lands)
    accents = np.unique(grid.score.notes["onset"])
    price = np.where(np.isin(ticks, accents) | (ticks == grid.end), 0.0, SILENT)
    price = price + np.where(np.isin(ticks, grid.beats) | (lands != "eighth"), 0.0, OFFBEAT)
    return ticks, _choices(grid, ticks, 0.0, 0.0, price)


def _choices(grid: Grid, ticks: Ticks, time: float, slack: float, price: Floats) -> Choices:
    elastic = grid.waited(ticks) if len(grid.waits) else None
    return Choices(time, slack, grid.score.seconds(ticks), grid.steady_position(ticks), price, elastic)


def _holds(grid: Grid, cues: Cues, last: float, what: str) -> tuple[list[Target], list[Skipped]]:
    targets: list[Target] = []
    skipped: list[Skipped] = []
    beats = grid.beats[grid.beats < grid.end]
    after = np.append(grid.beats, grid.score.bars[-1])[np.searchsorted(grid.beats, beats) + 1]
    onsets = np.unique(grid.score.notes["onset"])
    moving = np.searchsorted(onsets, after) > np.searchsorted(onsets, beats, side="right")
    price = np.where(np.isin(beats, onsets), 0.0, SILENT) + np.where(moving, MOVING, 0.0)
    until = -1.0
    for span in (s for s in cues.spans if s.kind == "hold"):
        start, end = (float(cues.seconds_of(frame)) for frame in (span.start, span.end))
        hits = [_end_of(span, frame) for frame in (span.start, span.end)]
        reason = f"after {what}" if end > last else "before the cue's start" if start < 0 else ""
        reason = reason or ("inside another hold" if start < until else "")
        if reason:
            skipped.append(Skipped(f"{span.label} (hold)".strip(), Timecode(span.start, cues.rate).label, reason))
            continue
        slack = 0.5 / float(cues.rate.fps)
        held = _choices(grid, beats, start, slack, price)
        let_go = replace(_choices(grid, after, end, slack, np.zeros(len(after))), bound=True)
        targets += [Target(hits[0], start, beats, held, HOLD), Target(hits[1], end, after, let_go, RELEASE)]
        until = end
    return targets, skipped


def _end_of(span: Span, frame: int) -> Hit:
    return Hit(frame, span.label or "hold", tolerance=0.5)
