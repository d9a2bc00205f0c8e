"""What syncing gives: the score with its new tempo map, and what became of every hit.

Conventions: `target_s` is seconds after the cue's first sample, `residual_frames` is music minus picture (positive:
the music is late), bars and beats count from 1. Percentages compare the new tempo with the score's own, beat by beat,
so a written ritardando counts as no change; where bars were edited, the score's own tempo is that of the edited score.
Fermatas and holds are no tempo change: beats under them are left out of both percentages, and steps where the score
changes its own tempo are told apart.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues
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


@dataclass(frozen=True)
class Passage:
    """What became of one span of the picture: where in the music it lies, and what to do there, in words.

    `tick` and `end_tick` are those of the synced score; `notes` counts its onsets in the span.
    """

    kind: str
    label: str
    start: str
    end: str
    tick: int
    end_tick: int
    bar: int
    beat: float
    end_bar: int
    end_beat: float
    notes: int
    text: str

    def __str__(self) -> str:
        name = f"{self.kind} '{self.label}'" if self.label else self.kind
        bars = f"bar {self.bar} beat {self.beat:.3g} to bar {self.end_bar} beat {self.end_beat:.3g}"
        return f"{self.start} to {self.end} {name}, {bars}: {self.text}"


@dataclass(frozen=True, eq=False)
class Alternative:
    """A runner-up: other landing places, with the bar edits and the tempo map that meet them.

    `name` tells it from the best: "slower", "faster", "more bars", "fewer bars" or "same length". Ticks are those of
    the edited score (of the score itself where no bar is edited).
    """

    name: str
    ticks: tuple[int, ...]
    tempo: TempoMap
    max_step_percent: float
    max_deviation_percent: float
    edits: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConstantTempo:
    """One constant tempo for the whole cue.

    Attributes
    ----------
    bpm : float
        Quarters a minute at the start.
    factor : float
        New over source tempo.
    mean_frames_off : float
        Weighted mean distance of the hard hits (of all, where none is hard).
    mean_frames_off_other : float
        The same for the soft hits; 0 where there are none.
    within_a_frame : float
        Share of all hits at most one frame off.
    """

    bpm: float
    factor: float
    mean_frames_off: float
    mean_frames_off_other: float
    within_a_frame: float


@dataclass(frozen=True)
class Way:
    """One way to meet the hits, measured: "constant", "piecewise" or "joint".

    Attributes
    ----------
    name : str
    bpm : float
        Quarters a minute at the start.
    mean_frames_off, mean_frames_off_other : float
        Weighted mean distance of the hard and of the soft hits.
    within_a_frame : float
        Share of all hits at most one frame off.
    max_step_percent, max_deviation_percent : float
    """

    name: str
    bpm: float
    mean_frames_off: float
    mean_frames_off_other: float
    within_a_frame: float
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
    edits : tuple of str
        What was done to bars, with bar numbers of the source.
    passages : tuple of Passage
        What became of the spans of the picture.
    cues : Cues or None
        What was asked; a start that may move stands where it came to lie.
    base : Score or None
        The score with its bars edited, under its own tempo.
    ways : tuple of Way
        The same hits met three ways; empty unless asked for.
    constant : tuple of ConstantTempo
        The best constant tempi, best first; empty unless asked for.
    max_rubato_step_percent : float
        Largest change of tempo from one beat to the next, beside the score's own, where the score changes its own.
    """

    score: Score
    hits: tuple[Landing, ...]
    alternatives: tuple[Alternative, ...] = ()
    tempo: tuple[TempoRow, ...] = ()
    max_step_percent: float = 0.0
    max_deviation_percent: float = 0.0
    skipped: tuple[Skipped, ...] = ()
    edits: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    cues: Cues | None = None
    base: Score | None = None
    max_rubato_step_percent: float = 0.0
    ways: tuple[Way, ...] = ()
    constant: tuple[ConstantTempo, ...] = ()

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
            "max_rubato_step_percent": self.max_rubato_step_percent,
            "skipped": [asdict(item) for item in self.skipped],
            "edits": list(self.edits),
            "passages": [asdict(item) for item in self.passages],
            "ways": [asdict(way) for way in self.ways],
            "constant": [asdict(tempo) for tempo in self.constant],
            "start": None if self.cues is None else self.cues.start.label,
            "alternatives": [
                {
                    "name": other.name,
                    "ticks": list(other.ticks),
                    "max_step_percent": other.max_step_percent,
                    "max_deviation_percent": other.max_deviation_percent,
                    "edits": list(other.edits),
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


Flags = npt.NDArray[np.bool_]


def felt_change(stretch: npt.NDArray[np.float64], waits: Flags, rubato: Flags) -> tuple[float, float, float]:
    """What is heard of a curve: largest step, deviation, and step where the score changes its own tempo, in percent.

    Parameters
    ----------
    stretch : float array, shape (beats,)
        New over source duration of each beat.
    waits, rubato : bool arrays, shape (beats,)
        Beats under a fermata or hold, which are left out; beats where the score's own tempo changes.
    """
    kept = np.flatnonzero(~waits)
    felt = stretch[kept]
    if felt.min(initial=1.0) <= 0:
        return np.inf, np.inf, np.inf
    steps = np.expm1(np.abs(np.log(felt[1:] / felt[:-1]))) * 100
    eased = rubato[kept][1:] | rubato[kept][:-1] | (np.diff(kept) > 1)
    deviation = float(np.abs(1 / felt - 1).max(initial=0.0)) * 100
    return float(steps[~eased].max(initial=0.0)), deviation, float(steps[eased].max(initial=0.0))
