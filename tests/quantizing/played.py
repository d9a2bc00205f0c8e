"""Small performances with known notation, for the tests of this folder. Times in quarters and seconds."""

from __future__ import annotations

import numpy as np

from rescore_music.elements import METER
from rescore_music.score import Part, Score, note_rows
from rescore_music.tempo import TempoMap

QUARTER = 480


def score_of(
    onsets, durations, pitches=None, *, meter=(4, 4), parts=None, bpm=120.0, barlines=(), velocity=80
) -> Score:
    """A written score from places in quarters."""
    onsets, durations = np.asarray(onsets, float), np.broadcast_to(np.asarray(durations, float), np.shape(onsets))
    pitches = np.broadcast_to(np.asarray(60 if pitches is None else pitches), np.shape(onsets))
    part = np.zeros(len(onsets), int) if parts is None else np.asarray(parts)
    rows = zip(
        np.rint(onsets * QUARTER).astype(int),
        np.rint(durations * QUARTER).astype(int),
        pitches,
        np.broadcast_to(velocity, np.shape(onsets)),
        part,
        strict=True,
    )
    return Score(
        notes=note_rows(rows),
        parts=(Part(),) * (int(part.max()) + 1),
        meters=np.array([(0, *meter)], METER),
        tempo=TempoMap.constant(bpm, QUARTER),
        barlines=np.array(barlines, np.int64),
    )


def jittered(score: Score, sigma_s: float, seed: int, *, held: float = 0.9) -> Score:
    """The score played with Gaussian timing noise, notes held for a share of their value; grid and meters kept."""
    rng = np.random.default_rng(seed)
    notes = score.notes.copy()
    start = score.seconds(notes["onset"])
    length = score.seconds(score.ends) - start
    start = np.maximum(start + rng.normal(0, sigma_s, len(notes)), 0)
    return _played(score, notes, start, start + length * held, score.tempo)


def recorded(score: Score, seconds_at, sigma_s: float = 0.0, seed: int = 0, *, held: float = 0.9) -> Score:
    """The score played without a click: `seconds_at(quarters)` says when; the file says 120, 4/4."""
    rng = np.random.default_rng(seed)
    notes = score.notes.copy()
    quarters = notes["onset"] / score.ticks_per_quarter
    ends = score.ends / score.ticks_per_quarter
    start = seconds_at(quarters) + rng.normal(0, sigma_s, len(notes))
    end = start + held * (seconds_at(ends) - seconds_at(quarters))
    nominal = TempoMap.constant(120.0, QUARTER)
    played = _played(score, notes, start, end, nominal)
    return played.replace(meters=np.array([(0, 4, 4)], METER), barlines=np.zeros(0, np.int64), length=0)


def _played(score, notes, start, end, tempo) -> Score:
    notes["onset"] = np.maximum(np.rint(tempo.ticks_at(start)), 0)
    notes["duration"] = np.maximum(np.rint(tempo.ticks_at(end)) - notes["onset"], 1)
    return score.replace(notes=notes, tempo=tempo)


def heard(score: Score) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pitches, and for each pitch in turn the onsets and the ends in seconds, rising."""
    notes = score.sounding()
    start = score.seconds(notes["onset"])
    end = score.seconds(notes["onset"] + notes["duration"])
    pitch = notes["pitch"]
    return np.sort(pitch), start[np.lexsort((start, pitch))], end[np.lexsort((end, pitch))]


def places(score: Score) -> np.ndarray:
    """Written onsets in quarters."""
    return score.notes["onset"] / score.ticks_per_quarter


def values(score: Score) -> np.ndarray:
    """Written durations in quarters."""
    return score.notes["duration"] / score.ticks_per_quarter
