"""What syncing gives: the score with its new tempo map, and what became of every hit.

Conventions: `target_s` is seconds after the cue's first sample, `residual_frames` is music minus picture (positive:
the music is late), bars and beats count from 1. Percentages compare the new tempo with the score's own, beat by beat,
so a written ritardando counts as no change.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.tempo import TempoMap


@dataclass(frozen=True)
class Landing:
    """One hit and where it landed. `landed` means within its tolerance, and never more than half a frame beyond 0."""

    label: str
    timecode: str
    target_s: float
    tick: int
    bar: int
    beat: float
    residual_frames: float
    kind: str
    landed: bool
    lands: str = "beat"
    weight: float = 1.0


@dataclass(frozen=True)
class Skipped:
    """A hit that the music does not reach, and why."""

    label: str
    timecode: str
    reason: str

    def __str__(self) -> str:
        return f"{self.timecode} {self.label}: {self.reason}" if self.label else f"{self.timecode}: {self.reason}"


@dataclass(frozen=True)
class TempoRow:
    """The tempo of one beat: `bpm` in quarters a minute, `stretch_percent` the change from the score's own."""

    tick: int
    bar: int
    beat: float
    seconds: float
    bpm: float
    stretch_percent: float


@dataclass(frozen=True, eq=False)
class Alternative:
    """A runner-up: other landing places for the hard hits, with the tempo map that meets them."""

    name: str
    ticks: tuple[int, ...]
    tempo: TempoMap
    max_step_percent: float
    max_deviation_percent: float


@dataclass(frozen=True, eq=False)
class Synced:
    """A score that meets the picture.

    Attributes
    ----------
    score : Score
        The same notes under a new tempo map of whole-microsecond steps; a marker of kind "hit" at every landing place.
    hits : tuple of Landing
        By time.
    alternatives : tuple of Alternative
        Best first.
    tempo : tuple of TempoRow
        One a beat.
    max_step_percent : float
        Largest change of tempo from one beat to the next.
    max_deviation_percent : float
        Largest change of a beat's tempo from the score's own.
    skipped : tuple of Skipped
    """

    score: Score
    hits: tuple[Landing, ...]
    alternatives: tuple[Alternative, ...] = ()
    tempo: tuple[TempoRow, ...] = ()
    max_step_percent: float = 0.0
    max_deviation_percent: float = 0.0
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def mean_residual_frames(self) -> float:
        """Mean distance of the hits from their frames."""
        return float(np.mean([abs(hit.residual_frames) for hit in self.hits])) if self.hits else 0.0

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), ensure_ascii=False, allow_nan=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ticks are those of `score`."""
        return {
            "hits": [asdict(hit) for hit in self.hits],
            "tempo": [asdict(row) for row in self.tempo],
            "max_step_percent": self.max_step_percent,
            "max_deviation_percent": self.max_deviation_percent,
            "mean_residual_frames": self.mean_residual_frames,
            "skipped": [asdict(item) for item in self.skipped],
            "alternatives": [
                {
                    "name": other.name,
                    "ticks": list(other.ticks),
                    "max_step_percent": other.max_step_percent,
                    "max_deviation_percent": other.max_deviation_percent,
                }
                for other in self.alternatives
            ],
        }


def tempo_change(source: TempoMap, new: TempoMap, beats: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], float, float]:
    """Compare two tempo maps beat by beat.

    Parameters
    ----------
    source, new : TempoMap
    beats : int array, shape (beats + 1,)
        Beat edges in ticks.

    Returns
    -------
    stretch : float array, shape (beats,)
        New over source duration of each beat.
    step, deviation : float
        Largest change of tempo between neighbouring beats, and from the source's tempo, in percent.
    """
    edges = np.asarray(beats)
    stretch = np.diff(new.seconds(edges)) / np.diff(source.seconds(edges))
    ratio = stretch[1:] / stretch[:-1]
    step = float(np.abs(np.expm1(np.abs(np.log(ratio)))).max(initial=0.0)) * 100
    return stretch, step, float(np.abs(1 / stretch - 1).max(initial=0.0)) * 100
