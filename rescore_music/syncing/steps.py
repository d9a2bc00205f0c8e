"""The tempo curve as MIDI can hold it: steps of whole microseconds per quarter, with the rounding fed forward.

Each step is rounded so that its *end* is as near as can be, so rounding never accumulates; a short step before each
hit takes up what is left, so that a hit reads back within 2e-5 frame at any of the usual frame rates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.tempo import TempoMap

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]


def microsecond_steps(score: Score, edges: Ticks, source: Floats, times: Floats, places: Ticks) -> TempoMap:
    """A curve as tempo steps of whole microseconds.

    Parameters
    ----------
    score : Score
        Its own tempo changes are kept inside each cell.
    edges : int array, shape (cells + 1,)
        Cell edges in ticks, from 0.
    source, times : float arrays, shape (cells + 1,)
        Old and new seconds of the edges; between them new time runs evenly with old.
    places : int array
        Ticks whose time must be met best.
    """
    own = _own_ticks(score.tempo)
    close = places - max(1, score.ticks_per_quarter // 8)  # a short step before a hit takes up what rounding left
    ticks = np.union1d(np.union1d(edges, own), close[close > 0])
    end = int(edges[-1])
    inner = ticks[ticks <= end]
    wanted = np.interp(score.seconds(inner), source, times) * 1e6 * score.ticks_per_quarter
    us: list[int] = []
    at = 0
    lengths = np.diff(inner)
    for length, goal in zip(lengths.tolist(), wanted[1:].tolist(), strict=True):
        us.append(max(1, round((goal - at) / length)))
        at += us[-1] * length
    # beyond the last bar the score's own tempo goes on, stretched like the last beat
    last = (times[-1] - times[-2]) / (source[-1] - source[-2])
    beyond = np.append(end, ticks[ticks > end])
    us += [max(1, round(float(u) * last)) for u in score.tempo.us_at(beyond)]
    starts = np.append(inner[:-1], beyond)
    keep = np.concatenate([[True], np.diff(us) != 0])
    return TempoMap(starts[keep], np.array(us, np.float64)[keep], ticks_per_quarter=score.ticks_per_quarter)


def _own_ticks(tempo: TempoMap) -> Ticks:
    """Where the score's own tempo changes, ramps sampled every 32nd."""
    step = max(1, tempo.ticks_per_quarter // 8)
    ramps = np.flatnonzero(tempo.us != tempo.us_end)
    runs = [np.arange(tempo.ticks[i], tempo.ticks[i + 1], step) for i in ramps]
    return np.asarray(np.union1d(tempo.ticks, np.concatenate(runs)) if runs else tempo.ticks, np.int64)
