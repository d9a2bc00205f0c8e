"""Where hits may land: beats, downbeats, eighths, motif entries, the climax and the end of the music, as ticks.

Also where time gives way by itself: under fermatas, and where the score changes its own tempo.

Conventions: a *place* is a tick of the score. Distance along the music is measured in beats (dotted in compound
meters), because that is how a tempo change is heard; source seconds come from the score's own tempo map.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.errors import SyncError
from rescore_music.score import Articulation, Score
from rescore_music.structure import Analysis

Ticks = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RUBATO = 0.01  # change of the score's tempo from a beat to the next that counts as its own ritardando


@dataclass(frozen=True)
class Grid:
    """The places of one score.

    Attributes
    ----------
    score : Score
    analysis : Analysis or None
        For motif entries; markers of the same name serve too.
    holds : tuple of (start, end)
        Beats that wait besides the fermatas.
    """

    score: Score
    analysis: Analysis | None = None
    holds: tuple[tuple[int, int], ...] = ()

    @cached_property
    def downbeats(self) -> Ticks:
        """Bar starts."""
        return np.asarray(self.score.bars[:-1], np.int64)

    @cached_property
    def beats(self) -> Ticks:
        """Beats of every bar."""
        return self._divided(None)

    @cached_property
    def eighths(self) -> Ticks:
        """Eighth notes of every bar, and the beats."""
        return np.union1d(self._divided(max(1, self.score.ticks_per_quarter // 2)), self.beats)

    @cached_property
    def end(self) -> int:
        """Where the last note ends."""
        return int(self.score.ends.max()) if len(self.score.notes) else self.score.length

    @cached_property
    def climax(self) -> int:
        """Start of the bar that is most intense, the first of equals.

        Raises
        ------
        SyncError
            If there is no analysis to tell.
        """
        intensity = np.zeros(0) if self.analysis is None else self.analysis.intensity[: len(self.downbeats)]
        if not len(intensity) or not np.any(intensity > 0):
            raise SyncError("where the climax is, only an analysis tells", cure="sync with an analysis of music")
        return int(self.downbeats[int(np.argmax(intensity))])

    @cached_property
    def waits(self) -> Ticks:
        """Fermatas and holds as (start, end), shape (n, 2): from the last attack under them to the first release."""
        notes = self.score.notes
        under = notes["articulation"] & int(Articulation.FERMATA) > 0
        spans = list(zip(notes["onset"][under].tolist(), self.score.ends[under].tolist(), strict=True))
        spans += self.holds
        for mark in self.score.marks:
            if mark.kind == "fermata":
                beat = self.score.beat_ticks(max(mark.tick - 1, 0))
                before = mark.text == "barline"
                spans.append((max(mark.tick - beat, 0), mark.tick) if before else (mark.tick, mark.tick + beat))
        out: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if out and start < out[-1][1]:
                out[-1] = (max(out[-1][0], start), min(out[-1][1], end))
            elif end > start:
                out.append((start, end))
        last = int(self.score.bars[-1])
        kept = [(start, min(end, last)) for start, end in out if start < min(end, last)]
        return np.array(kept, np.int64).reshape(-1, 2)

    @cached_property
    def rubato(self) -> npt.NDArray[np.bool_]:
        """Per beat: whether the score's own tempo changes into it or out of it."""
        edges = np.append(self.beats, self.score.bars[-1])
        pace = np.diff(self.score.seconds(edges)) / np.diff(edges)
        change = np.abs(np.diff(np.log(pace))) > RUBATO
        out = np.zeros(len(pace), bool)
        out[1:] |= change
        out[:-1] |= change
        return out

    def waited(self, ticks: npt.ArrayLike) -> Floats:
        """Source seconds of fermatas before each place."""
        return self._inside(ticks, self.score.seconds)

    def steady_position(self, ticks: npt.ArrayLike) -> Floats:
        """Places counted in beats, fermatas left out."""
        return self.beat_position(ticks) - self._inside(ticks, self.beat_position)

    def _inside(self, ticks: npt.ArrayLike, measure: Callable[[npt.ArrayLike], Floats]) -> Floats:
        t = np.asarray(ticks)
        total = np.zeros(t.shape)
        for start, end in self.waits.tolist():
            total += measure(np.clip(t, start, end)) - measure(start)
        return total

    def _divided(self, step: int | None) -> Ticks:
        bars = self.score.bars
        runs = [np.arange(a, b, step or self.score.beat_ticks(int(a)), dtype=np.int64) for a, b in pairwise(bars)]
        return np.concatenate(runs)

    def places(self, lands: str) -> Ticks:
        """Ticks at which a hit of this kind may land, rising.

        Raises
        ------
        SyncError
            If a motif of that name is not in the music.
        """
        if lands == "end":
            return np.array([self.end], np.int64)
        if lands.startswith("motif:"):
            return self._entries(lands.removeprefix("motif:"))
        if lands == "climax":
            return np.array([self.climax], np.int64)
        ticks = {"downbeat": self.downbeats, "beat": self.beats, "eighth": self.eighths}[lands]
        return np.asarray(ticks[ticks <= self.end], np.int64)

    def _entries(self, name: str) -> Ticks:
        starts = [m.tick for m in self.score.markers if m.text == name and m.kind != "hit"]
        names = []
        if self.analysis is not None:
            names = [motif.name for motif in self.analysis.motifs]
            starts += [o.start for motif in self.analysis.motifs if motif.name == name for o in motif.occurrences]
        if not starts:
            cure = f"motifs here: {', '.join(names)}" if names else "name a marker, or sync with an analysis"
            raise SyncError(f"the music has no motif or marker named '{name}'", cure=cure)
        return np.unique(np.array(starts, np.int64))

    def beat_position(self, ticks: npt.ArrayLike) -> Floats:
        """Places counted in beats from the start; extended past the last bar."""
        edges = np.append(self.beats, self.score.bars[-1])
        t = np.asarray(ticks, np.float64)
        inside = np.interp(t, edges, np.arange(len(edges)))
        beyond = np.maximum(t - edges[-1], 0) / self.score.beat_ticks(int(edges[-1]) - 1)
        return np.asarray(inside + beyond, np.float64)

    def bar_beat(self, tick: int) -> tuple[int, float]:
        """Printed bar number and beat in it: see `Score.bar_beat`."""
        return self.score.bar_beat(tick)
