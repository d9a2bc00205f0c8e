"""How loud it is, and what is wrong with the sound: loudness, range, true peak, clipping, silent notes.

Conventions and sources: see `rescore_music.loudness` (ITU-R BS.1770-4, EBU R 128, EBU Tech 3342). A sample clips at or
beyond full scale. A silent note is written but made no sound: the instrument's sounds do not reach it.
"""

from __future__ import annotations

import numpy as np

from rescore_music.audio import Audio, Rendering
from rescore_music.loudness import loudness
from rescore_music.quality.report import Measure, first_few
from rescore_music.score import Score


def level(score: Score, audio: Rendering | Audio) -> list[Measure]:
    """Loudness, loudness range, true peak, clipped samples, silent notes."""
    samples = audio.mix if isinstance(audio, Rendering) else audio.samples
    heard = loudness(samples, audio.rate)
    clipped = int(np.count_nonzero(np.abs(samples) >= 1.0))
    measures = [
        Measure("loudness", heard.integrated, "LUFS", "Integrated loudness of the mix.", (-30.0, -12.0)),
        Measure("loudness_range", heard.range, "LU", "Contrast between quiet and loud passages.", (1.0, 20.0)),
        Measure("true_peak", heard.true_peak, "dBTP", "Highest peak between the samples.", (None, -1.0)),
        Measure("clipped_samples", clipped, "samples", "Samples at or over full scale.", (None, 0)),
    ]
    if isinstance(audio, Rendering):
        measures.append(_silent(score, audio))
    return measures


def _silent(score: Score, audio: Rendering) -> Measure:
    silent = audio.silent[audio.silent < len(score.notes)]
    rows = score.notes[silent]
    told = [
        f"{score.parts[part].name or part}, bar {bar}"
        for part, bar in zip(rows["part"].tolist(), score.bar_number(rows["onset"]).tolist(), strict=True)
    ]
    meaning = "Notes that are written but do not sound."
    return Measure("silent_notes", len(silent), "notes", meaning, (None, 0), first_few(list(dict.fromkeys(told))))
