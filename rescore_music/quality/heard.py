"""Is what is written heard? Onsets and harmony of a sound against its score, by librosa.

Conventions: an onset is heard if the detector finds one within 50 ms of it, as MIREX counts; score onsets closer than
that are one. Harmony is compared bar by bar, as the cosine between the sound's chroma and the score's pitch classes
weighted by length and loudness. Slow attacks and dense textures hide onsets from any detector: compare two takes of
one cue, do not judge one by itself. librosa takes seconds to start, so this is asked for, not always done.

Sources: Böck and Widmer 2013 (spectral flux, as `librosa.onset.onset_strength`); Müller, Fundamentals of Music
Processing, ch. 3 (chroma).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Audio, Rendering
from rescore_music.quality.report import Measure
from rescore_music.score import Score

Floats = npt.NDArray[np.float64]
WINDOW = 0.05  # seconds
_HOP = 512


def heard(score: Score, audio: Rendering | Audio) -> list[Measure]:
    """Share of onsets that are heard, share of heard onsets that are written, and agreement of the harmony."""
    sound = audio.mix if isinstance(audio, Rendering) else audio.samples
    mono = np.ascontiguousarray(sound.mean(axis=1))
    if not len(score.notes) or not np.any(mono):
        return []
    written, found = _apart(score.seconds(np.unique(score.sounding()["onset"]))), onsets(mono, audio.rate)
    return [
        Measure("onsets_heard", _near(written, found), "share", "Written onsets that a detector hears within 50 ms."),
        Measure("onsets_written", _near(found, written), "share", "Heard onsets that are written within 50 ms."),
        Measure(
            "harmony_heard", harmony(score, mono, audio.rate), "", "Likeness of heard and written pitch classes by bar."
        ),
    ]


def onsets(mono: npt.NDArray[np.float32], rate: int) -> Floats:
    """Times of the onsets heard, in seconds.

    Parameters
    ----------
    mono : float32 array, shape (frames,)
    rate : int
        Hz.
    """
    from librosa.onset import onset_detect, onset_strength

    strength = onset_strength(y=mono, sr=rate, hop_length=_HOP)
    return np.asarray(onset_detect(onset_envelope=strength, sr=rate, hop_length=_HOP, units="time"), np.float64)


def harmony(score: Score, mono: npt.NDArray[np.float32], rate: int) -> float:
    """Mean cosine between heard and written pitch classes over the bars that have notes."""
    from librosa.feature import chroma_stft

    chroma = chroma_stft(y=mono, sr=rate, hop_length=_HOP, n_fft=8192, tuning=0.0, norm=None)
    edges = score.seconds(score.bars)
    frame = np.clip(np.searchsorted(edges, np.arange(chroma.shape[1]) * _HOP / rate, side="right") - 1, 0, None)
    bars = len(edges) - 1
    sound = np.zeros((12, bars))
    np.add.at(sound.T, np.minimum(frame, bars - 1), chroma.T)
    notes = score.notes[score.pitched]
    music = np.zeros((12, bars))
    weight = notes["duration"] * (notes["velocity"] / 127.0) ** 2
    np.add.at(music, (notes["pitch"] % 12, score.bar_of(notes["onset"])), weight)
    both = (sound.any(axis=0)) & (music.any(axis=0))
    if not both.any():
        return 0.0
    a, b = sound[:, both], music[:, both]
    return float(np.mean((a * b).sum(axis=0) / (np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0))))


def _apart(times: Floats) -> Floats:
    """Times with those within the window of an earlier one taken out."""
    kept: list[float] = []
    for time in times.tolist():
        if not kept or time - kept[-1] > WINDOW:
            kept.append(time)
    return np.array(kept)


def _near(wanted: Floats, given: Floats) -> float:
    """Share of the wanted times that have a given one within the window."""
    if not len(wanted) or not len(given):
        return 0.0
    at = np.searchsorted(given, wanted)
    before, after = given[np.maximum(at - 1, 0)], given[np.minimum(at, len(given) - 1)]
    return float(np.mean(np.minimum(np.abs(wanted - before), np.abs(after - wanted)) <= WINDOW))
