"""Where every hit falls in a score as it is: for cues that were synced before, or never.

Conventions: as in `syncing.result`; a residual is music minus picture, in frames.
"""

from __future__ import annotations

import numpy as np

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Landing

_GRID = ("downbeat", "beat", "eighth", "end")


def landings(score: Score, cues: Cues) -> tuple[Landing, ...]:
    """Hold every hit against the nearest place of its kind, under the score's own tempo map.

    Parameters
    ----------
    score : Score
        Its first tick at `cues.start`.
    cues : Cues
        Hits that land on the climax or on a motif are held against the nearest note.

    Returns
    -------
    tuple of Landing
        One a hit, by time; `landed` where it is within its tolerance, or half a frame.
    """
    grid, fps = Grid(score), float(cues.rate.fps)
    onsets = np.unique(score.notes["onset"]).astype(np.int64)
    out = []
    for hit, target in zip(cues.hits, cues.seconds.tolist(), strict=True):
        places = grid.places(hit.lands) if hit.lands in _GRID else onsets
        if not len(places):
            places = grid.beats
        times = score.seconds(places)
        best = int(np.abs(times - target).argmin())
        tick, residual = int(places[best]), (float(times[best]) - target) * fps
        bar, beat = grid.bar_beat(tick)
        out.append(
            Landing(
                label=hit.label,
                timecode=cues.timecode(hit),
                target_s=target,
                tick=tick,
                bar=bar,
                beat=beat,
                residual_frames=residual,
                kind=hit.kind,
                landed=abs(residual) <= max(hit.tolerance, 0.5),
                lands=hit.lands,
                weight=hit.weight,
            )
        )
    return tuple(out)
