"""A solution told: hits with their residuals, the tempo of every beat, spans, edits, runners-up by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rescore_music.cues import Cues
from rescore_music.elements import LogItem, Rows
from rescore_music.score import Marker
from rescore_music.syncing.fit import Solution
from rescore_music.syncing.result import Alternative, Landing, Skipped, Synced, TempoRow
from rescore_music.syncing.spans import passages_of
from rescore_music.tempo import TempoMap

RUNNERS = 7  # alternatives told


def synced_of(
    best: Solution, others: Sequence[Solution], cues: Cues, skipped: Sequence[Skipped], louder: Rows
) -> Synced:
    """The result of syncing; `louder` are its notes before any was lowered."""
    base = best.grid.score
    hits = tuple(_landing(best, cues, k) for k, target in enumerate(best.targets) if not target.role)
    markers = [Marker(h.tick, h.label or f"Hit {h.timecode}", "hit") for h in hits]
    told = tuple(LogItem("sync", edit.text) for edit in sorted(best.edits, key=lambda e: e.tick))
    return Synced(
        score=base.replace(
            tempo=best.tempo,
            markers=(*(m for m in base.markers if m.kind != "hit"), *markers),
            import_log=(*base.import_log, *told),
        ),
        hits=hits,
        alternatives=_named(best, others),
        tempo=_tempo_rows(best),
        max_step_percent=best.step,
        max_deviation_percent=best.deviation,
        skipped=tuple(skipped),
        edits=tuple(item.what for item in told),
        passages=passages_of(best.grid, cues, best.tempo, best.holds, louder),
        cues=cues,
        base=base,
        max_rubato_step_percent=best.rubato,
    )


def _landing(solution: Solution, cues: Cues, k: int) -> Landing:
    target, tick = solution.targets[k], solution.places[k]
    residual = (float(solution.tempo.seconds(tick)) - target.time) * float(cues.rate.fps)
    bar, beat = solution.grid.bar_beat(tick)
    landed = abs(residual) <= max(target.hit.tolerance, 0.5)
    hit = target.hit
    code = cues.timecode(hit)
    return Landing(hit.label, code, target.time, tick, bar, beat, residual, hit.kind, landed, hit.lands, hit.weight)


def _tempo_rows(solution: Solution) -> tuple[TempoRow, ...]:
    grid, tempo = solution.grid, solution.tempo
    edges = np.append(grid.beats, grid.score.bars[-1])
    stretch = np.diff(tempo.seconds(edges)) / np.diff(grid.score.seconds(edges))
    seconds = tempo.seconds(edges)
    bpm = 60 * np.diff(edges) / grid.score.ticks_per_quarter / np.diff(seconds)
    return tuple(
        TempoRow(int(t), *grid.bar_beat(int(t)), float(s), float(b), float(100 / x - 100))
        for t, s, b, x in zip(edges[:-1], seconds, bpm, stretch, strict=False)
    )


def runners_up(best: Solution, others: Sequence[Solution]) -> list[int]:
    """Which of the others are told, in this order: the best of each name come first."""
    names = [_name(best, other) for other in others]
    first = [k for k, name in enumerate(names) if names.index(name) == k]
    return [*first, *(k for k in range(len(names)) if k not in first)][:RUNNERS]


def _named(best: Solution, others: Sequence[Solution]) -> tuple[Alternative, ...]:
    named: list[Alternative] = []
    for other in (others[k] for k in runners_up(best, others)):
        edits = tuple(edit.text for edit in sorted(other.edits, key=lambda e: e.tick))
        tempo: TempoMap = other.tempo
        named.append(Alternative(_name(best, other), other.places, tempo, other.step, other.deviation, edits))
    return tuple(named)


def _name(best: Solution, other: Solution) -> str:
    """A runner-up is told apart by bars gained, else by where its last hit lands: later in the music is faster."""
    gained = sum(e.ticks for e in other.edits) - sum(e.ticks for e in best.edits)
    shift = _last(other) - _last(best)
    name = "more bars" if gained > 0 else "fewer bars" if gained < 0 else ""
    return name or ("faster" if shift > 0 else "slower" if shift < 0 else "same length")


def _last(solution: Solution) -> int:
    """Where the last hard hit lands (any hit where none is hard): soft ones may be met by one solution alone."""
    pairs = list(zip(solution.targets, solution.ticks, strict=True))
    return max([tick for t, tick in pairs if t.hard] or [tick for _, tick in pairs], default=0)
