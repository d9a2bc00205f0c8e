"""Music under dialogue: the accompaniment made softer where someone speaks.

The tune stays as it is; what accompanies it is lowered. Velocities follow the law of MIDI synthesizers, 40 log10(v/127)
decibels, so `decibels` is what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rescore_music.elements import LogItem
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

SOFTEST = 12  # a velocity below which nothing is lowered


def lowered(
    score: Score, stretches: Sequence[tuple[int, int]], decibels: float, analysis: Analysis | None = None
) -> Score:
    """The score with its accompaniment lowered in some stretches.

    Parameters
    ----------
    score : Score
    stretches : sequence of (start, end)
        Ticks.
    decibels : float
        How much softer, from 0.
    analysis : Analysis, optional
        Of this score: tells the tune. Without one all notes are lowered.

    Returns
    -------
    Score
        `import_log` tells how many notes were lowered.
    """
    notes = score.notes.copy()
    inside = np.zeros(len(notes), bool)
    for start, end in stretches:
        inside |= (notes["onset"] >= start) & (notes["onset"] < end)
    if analysis is not None and analysis.roles.size:
        inside &= analysis.note_roles(notes["onset"]) != Role.MELODY
    soft = np.maximum(np.rint(notes["velocity"] * 10 ** (-decibels / 40)), SOFTEST)
    changed = inside & (soft < notes["velocity"])
    if not changed.any():
        return score
    notes["velocity"][changed] = soft[changed]
    what = f"notes under dialogue made {decibels:g} dB softer"
    log = LogItem("sync", what, int(np.count_nonzero(changed)))
    return score.replace(notes=notes, import_log=(*score.import_log, log))
