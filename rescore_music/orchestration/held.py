"""Notes that sound on while the harmony allows, and chords struck again and again gathered into one.

Conventions: ticks. A note may sound until the harmony moves to a chord that does not hold its pitch class, until its
line moves on, and two quarters beyond its own end at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.score import Score
from rescore_music.structure import CHORD_TONES, Analysis

Ints = npt.NDArray[np.int64]

_BEYOND = 2  # quarters a note may outlast itself


def held_on(rows: Rows, score: Score, analysis: Analysis, ledger: Ledger, *, merge: bool, extend: bool = True) -> Rows:
    """Notes held on while the harmony allows.

    With `merge` repeats of a pitch become one note; without `extend` notes only bridge the gaps between such repeats
    and end where they ended.
    """
    rows = rows[np.lexsort((rows["onset"], rows["line"], rows["doubling"], rows["seat"]))]
    group = np.zeros(len(rows), np.int64)
    same = np.ones(max(len(rows) - 1, 0), bool)
    for name in ("seat", "doubling", "line", "phrase"):
        same &= rows[name][1:] == rows[name][:-1]
    group[1:] = np.cumsum(~same)
    reach, limit = _limits(rows, group, same, score, analysis)
    end = reach.copy() if extend else np.asarray(rows["onset"] + rows["duration"], np.int64)
    keep = np.ones(len(rows), bool)
    running: dict[tuple[int, int], int] = {}
    onset = rows["onset"]
    for i, key in enumerate(zip(group.tolist(), rows["pitch"].tolist(), strict=True)) if merge else ():
        j = running.get(key)
        if j is not None and reach[j] >= onset[i] > onset[j] and limit[j] >= onset[i]:
            end[j] = max(end[j], end[i])
            reach[j], limit[j] = max(reach[j], reach[i]), limit[i]
            keep[i] = False
        else:
            running[key] = i
    out = rows.copy()
    out["duration"] = end - onset
    ledger.lose(out["source"][~keep], Loss.SUSTAINED)
    return out[keep]


def _limits(
    rows: Rows, group: Ints, same: npt.NDArray[np.bool_], score: Score, analysis: Analysis
) -> tuple[Ints, Ints]:
    """Where each note ends, held on, and where it would have to end at the latest."""
    fresh = np.ones(len(rows), bool)
    fresh[1:] = ~(same & (np.diff(rows["onset"]) == 0))
    at = np.flatnonzero(fresh)
    which = np.cumsum(fresh) - 1
    ends = np.array([p.end for p in analysis.phrases], np.int64)[rows["phrase"]]
    following = np.append(rows["onset"][at][1:], 0)
    alone = np.append(group[at][1:] != group[at][:-1], True)
    limit = np.where(alone[which], ends, following[which])
    end = rows["onset"] + rows["duration"]
    limit = np.minimum(limit, _chord_bounds(analysis, rows["onset"], rows["pitch"].astype(np.int64)))
    limit = np.minimum(limit, end + _BEYOND * score.ticks_per_quarter)
    return np.maximum(end, np.minimum(limit, score.length)), limit


def _chord_bounds(analysis: Analysis, onset: Ints, pitch: Ints) -> Ints:
    """Where the harmony moves to one that does not hold the note's pitch class: it may sound until there."""
    chords = analysis.chords
    if not chords:
        return np.full(len(onset), np.iinfo(np.int64).max)
    starts = np.array([c.start for c in chords], np.int64)
    members = [{(c.root + t) % 12 for t in CHORD_TONES.get(c.quality, ())} for c in chords]
    holds = np.array([[not c.quality or pc in own for pc in range(12)] for c, own in zip(chords, members, strict=True)])
    limit = np.full((len(chords) + 1, 12), np.iinfo(np.int64).max)
    for i in range(len(chords) - 1, -1, -1):
        limit[i] = np.where(holds[i], limit[i + 1], starts[i])
    row = np.searchsorted(starts, onset, side="right")
    return limit[row, pitch % 12]
