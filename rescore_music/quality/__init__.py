"""One module a measure, one report: what a result keeps of its source, whether it can be played, how it sounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Audio, Rendering
from rescore_music.quality.report import Measure, Quality
from rescore_music.score import Score
from rescore_music.structure import Analysis

__all__ = ["Measure", "Quality", "measure"]


def measure(
    score: Score,
    source: Score | None = None,
    cues: Any = None,
    audio: Rendering | Audio | None = None,
    *,
    analysis: Analysis | None = None,
    origin: npt.NDArray[np.int64] | None = None,
    listen: bool = False,
) -> Quality:
    """Measure a result.

    Parameters
    ----------
    score : Score
        The result.
    source : Score, optional
        What it was made from: for what is kept.
    cues : Cues or Synced, optional
        Hits of the picture, or what syncing made of them.
    audio : Rendering or Audio, optional
        Its sound.
    analysis : Analysis, optional
        Of the source: tells melody, bass and motifs apart.
    origin : int64 array, one a note of `score`, optional
        The source note that each note realizes, or -1.
    listen : bool
        Also compare the sound's onsets and harmony with the score (librosa; some seconds to start).

    Returns
    -------
    Quality
    """
    from rescore_music.quality.fidelity import fidelity
    from rescore_music.quality.level import level
    from rescore_music.quality.picture import picture
    from rescore_music.quality.playing import playing
    from rescore_music.quality.voicing import voicing

    measures: list[Measure] = []
    if source is not None:
        measures += fidelity(score, source, analysis, origin)
    measures += playing(score)
    measures += voicing(score, source)
    if cues is not None:
        measures += picture(score, cues)
    if audio is not None:
        measures += level(score, audio)
    if audio is not None and listen:
        from rescore_music.quality.heard import heard

        measures += heard(score, audio)
    return Quality(tuple(measures))
