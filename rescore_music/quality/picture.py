"""Whether the music meets the picture: residuals of the hits.

Conventions: frames at the picture's rate; a residual is music minus picture. Given the result of syncing, its own
hits are measured again on the score's tempo map; given bare cues, a hit is held against the nearest marker of kind
"hit", or the nearest note onset where the score has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
from rescore_music.quality.report import Measure, first_few
from rescore_music.score import Score


def residuals(score: Score, cues: Cues) -> npt.NDArray[np.float64]:
    """Frames between every hit and the music's nearest hit marker (or note onset)."""
    marks = [m.tick for m in score.markers if m.kind == "hit"] or np.unique(score.notes["onset"]).tolist()
    if not marks or not len(cues.seconds):
        return np.full(len(cues.seconds), np.inf)
    places = score.seconds(np.array(sorted(marks)))
    right = np.clip(np.searchsorted(places, cues.seconds), 1, max(len(places) - 1, 1))
    near = places[np.minimum(right, len(places) - 1)] - cues.seconds
    left = places[right - 1] - cues.seconds
    return np.asarray(np.where(np.abs(left) <= np.abs(near), left, near) * float(cues.rate.fps), np.float64)


def picture(score: Score, cues: Any) -> list[Measure]:
    """Hits landed, and how far off they are.

    Parameters
    ----------
    cues : Cues, or the result of syncing (anything with `.hits` that have residual_frames, landed, kind, label)
    """
    if isinstance(cues, Cues):
        off = residuals(score, cues)
        hard = np.array([h.hard for h in cues.hits], bool)
        landed = np.abs(off) <= np.array([max(h.tolerance, 0.5) for h in cues.hits])
        names = [h.label or cues.timecode(h) for h in cues.hits]
        skipped: list[str] = []
    else:
        off = np.array([h.residual_frames for h in cues.hits], np.float64)
        hard = np.array([h.kind == "hard" for h in cues.hits], bool)
        landed = np.array([h.landed for h in cues.hits], bool)
        names = [h.label or h.timecode for h in cues.hits]
        skipped = [str(item) for item in cues.skipped]
    if not len(off):
        return []
    missed = [f"{name}: {o:+.2f} frames" for name, o, ok in zip(names, off, landed, strict=True) if not ok]
    measures = [
        Measure(
            "hits_landed",
            float(landed.mean()),
            "share",
            "Hits within half a frame or their tolerance.",
            (1.0, None),
            first_few(missed),
        ),
        Measure("hits_mean_off", float(np.abs(off).mean()), "frames", "Mean distance of the hits."),
        Measure("hits_max_off", float(np.abs(off).max()), "frames", "Largest distance of a hit."),
        Measure(
            "hits_skipped", len(skipped), "hits", "Hits that the music does not reach.", (None, 0), first_few(skipped)
        ),
    ]
    if hard.any():
        meaning = "Hard hits within half a frame or their tolerance."
        measures.insert(1, Measure("hard_hits_landed", float(landed[hard].mean()), "share", meaning, (1.0, None)))
    return measures
