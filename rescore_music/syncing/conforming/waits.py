"""Fermatas and holds inside a stretch that is solved anew: which cells wait, how far they may give way, what they did.

Conventions: as in `bend`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.syncing.arcs import LONGEST, SHORTEST
from rescore_music.syncing.landing import Grid
from rescore_music.tempo import TempoMap

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

HEARD = 0.01  # change of a fermata's length that is told


def waiting(grid: Grid, edges: Ticks, a: int, b: int) -> Flags:
    """Cells under fermatas and holds; the beats outside [a, b) keep their tempo."""
    flags = np.zeros(len(edges) - 1, bool)
    for start, end in grid.waits.tolist():
        flags |= (edges[:-1] >= start) & (edges[1:] <= end)
    flags[:a] = flags[b:] = False
    return flags


def room(grid: Grid, edges: Ticks, seconds: Floats) -> tuple[Floats, Floats]:
    """Least and greatest stretch of cells that wait: of their length in the tempo before, or as they are now."""
    score = grid.score
    low, high = np.full(len(seconds), SHORTEST), np.full(len(seconds), LONGEST)
    held = {start for start, _ in grid.holds}
    for start, end in grid.waits.tolist():
        inside = (edges[:-1] >= start) & (edges[1:] <= end)
        beat = score.beat_ticks(max(start - 1, 0))
        around = (start - beat, start) if start >= beat else (end, end + beat)
        own = float(np.diff(score.seconds(np.array(around)))[0]) / beat * (end - start)
        now = float(score.seconds(end) - score.seconds(start))
        # a hold that the picture asks for no more goes back to what it was
        low[inside] = SHORTEST * own / now if start in held else min(SHORTEST * own / now, 1.0)
        high[inside] = max(LONGEST * own / now, 1.0)
    return low, high


def waited(grid: Grid, own: TempoMap, new: TempoMap, start: int, end: int) -> tuple[tuple[int, float, float], ...]:
    """Fermatas and holds of [start, end) that last longer or shorter: tick, seconds before, seconds now.

    Both tempo maps begin at `start`.
    """
    rows = []
    for pair in grid.waits[(grid.waits[:, 0] >= start) & (grid.waits[:, 1] <= end)]:
        before, now = (float(np.diff(tempo.seconds(pair - start))[0]) for tempo in (own, new))
        if abs(now - before) > HEARD * before:
            rows.append((int(pair[0]), before, now))
    return tuple(rows)
