"""The sustaining pedal as note lengths: how long the source's notes sound under controller 64.

Conventions: values of 64 and above hold (MIDI 1.0). A held note ends with the pedal or where its pitch is struck again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]

SUSTAIN = 64


def pedalled_ends(score: Score) -> Ints:
    """End of each note in ticks as the sustaining pedal makes it sound."""
    ends = np.array(score.ends, np.int64)
    pedal = score.controls[score.controls["number"] == SUSTAIN]
    for part in np.unique(pedal["part"]):
        own = pedal[pedal["part"] == part]
        if not np.any(own["value"] >= 64):
            continue
        notes = score.part_notes(int(part))
        row = np.searchsorted(own["tick"], ends[notes], side="right") - 1
        held = (row >= 0) & (own["value"][np.maximum(row, 0)] >= 64)
        lifts = np.append(own["tick"][own["value"] < 64], score.length)
        release = lifts[np.searchsorted(lifts[:-1], ends[notes], side="left")]
        ends[notes] = np.where(held, np.maximum(release, ends[notes]), ends[notes])
        ends[notes] = _until_struck_again(score, notes, ends[notes])
    return ends


def _until_struck_again(score: Score, notes: Ints, ends: Ints) -> Ints:
    onset, pitch = score.notes["onset"][notes], score.notes["pitch"][notes]
    order = np.lexsort((onset, pitch))
    following = np.full(len(notes), np.iinfo(np.int64).max)
    same = np.flatnonzero((pitch[order][1:] == pitch[order][:-1]) & (onset[order][1:] > onset[order][:-1]))
    following[order[same]] = onset[order[same + 1]]
    return np.asarray(np.where(ends > following, np.maximum(following, score.ends[notes]), ends), np.int64)
