"""Where the notes of a performance stand on paper: onsets and ends snapped to a notational grid. The Score stays.

What is snapped, and how, is the quantizing room's: parts that stand on a notational grid already are taken as they are
(`quantizing.evidence`), all others are placed by `quantizing.snapping` over the score's own bars and beats. A score
whose beats are not the music's wants `quantize` first. Here, bars are snapped too: a bar whose length is no whole
number of 32nds or triplets is written as the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np
import numpy.typing as npt

from rescore_music.io.notation.gates import filled
from rescore_music.quantizing.evidence import ENGRAVED, performed_parts
from rescore_music.quantizing.played import Played, beat_grid
from rescore_music.quantizing.snapping import place
from rescore_music.score import GRACE, Score

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GRID = 96  # a performed part's resolution: 32nds, triplet 16ths, and both in dotted beats


@dataclass(frozen=True, eq=False)
class Snapped:
    """Notated times of a score's notes.

    Attributes
    ----------
    resolution : int
        Ticks per quarter of everything here.
    bars : int64 array
        Notated bar starts and the end of the last bar.
    source : int64 array
        The same in the score's ticks: `score.bars` without slivers that no note fits in.
    onset, end : int64 arrays, one a note
    grace, dropped : bool arrays, one a note
        Written as a grace note; left out, because a note of the same pitch stands there already.
    performed : bool array, one a part
    moved_max, moved_mean : float
        How far onsets moved, in quarters.
    """

    resolution: int
    bars: Ints
    source: Ints
    onset: Ints
    end: Ints
    grace: Flags
    dropped: Flags
    performed: Flags
    moved_max: float
    moved_mean: float

    def place(self, ticks: npt.ArrayLike, score: Score) -> Ints:
        """Notated places of score positions that are no notes (marks, tempo changes): bar kept, nearest tick."""
        return _place(np.asarray(ticks, np.int64), self.source, self.bars, score.ticks_per_quarter, self.resolution)


def snap(score: Score) -> Snapped:
    """Notated times for every note of a score; see the module's text for the method."""
    notes, quarter = score.notes, score.ticks_per_quarter
    performed = performed_parts(score)
    source = _without_slivers(score)
    bar_lengths = np.diff(source)
    whole = (bar_lengths * 32 % quarter == 0) | (bar_lengths * 24 % quarter == 0)
    any_performed = bool(performed.any()) or not whole.all()
    resolution = quarter if not any_performed else (lcm(quarter, GRID) if lcm(quarter, GRID) <= 15360 else 480)
    step = max(resolution // 8, 1)
    exact = bar_lengths * resolution // quarter
    rounded = np.maximum(np.rint(bar_lengths * resolution / quarter / step).astype(np.int64) * step, step)
    bars = np.concatenate([[0], np.cumsum(np.where(whole, exact, rounded))]).astype(np.int64)
    onset = _place(notes["onset"], source, bars, quarter, resolution)
    end = np.maximum(_place(score.ends, source, bars, quarter, resolution), onset)
    grace = (notes["articulation"] & GRACE) != 0
    dropped = np.zeros(len(notes), bool)
    raw = onset.copy()
    index = np.flatnonzero(performed[notes["part"]] & ~grace) if len(notes) else np.zeros(0, np.int64)
    if len(index):
        drums = np.array([p.percussion for p in score.parts], bool)
        rows = notes[index]
        played = Played(
            onset[index].astype(np.float64),
            end[index].astype(np.float64),
            rows["pitch"].astype(np.int64),
            rows["part"].astype(np.int64),
            drums,
        )
        # what swings is not straightened here: the text that would say so is the score's, not the writer's
        placed = place(played, beat_grid(score, source, bars, resolution), swing=False)
        onset[index], end[index] = placed.onset, placed.end
        grace[index], dropped[index] = placed.grace, placed.dropped
    real = ~grace
    end[real] = np.maximum(end[real], onset[real] + 1)
    if score.metadata.source_format not in ENGRAVED:
        end = filled(onset, end, notes["part"], grace | np.isin(notes["part"], _drums(score)), bars, resolution)
    moved = np.abs(onset - raw)[index] / resolution if len(index) else np.zeros(1)
    return Snapped(
        resolution, bars, source, onset, end, grace, dropped, performed, float(moved.max()), float(moved.mean())
    )


def _drums(score: Score) -> list[int]:
    return [i for i, part in enumerate(score.parts) if part.percussion]


def _without_slivers(score: Score) -> Ints:
    """Bar starts; a bar shorter than a 32nd (a meter change some ticks late) goes to the bar before it."""
    bars = score.bars
    short = np.diff(bars) * 16 < score.ticks_per_quarter
    short[0] = False
    return np.asarray(np.append(bars[:-1][~short], bars[-1]), np.int64)


def _place(ticks: Ints, old: Ints, new: Ints, quarter: int, resolution: int) -> Ints:
    bar = np.clip(np.searchsorted(old, ticks, side="right") - 1, 0, len(old) - 2)
    into = np.rint((ticks - old[bar]) * (resolution / quarter)).astype(np.int64)
    if resolution % quarter == 0:
        into = (ticks - old[bar]) * (resolution // quarter)
    return np.asarray(np.minimum(new[bar] + into, np.where(ticks >= old[bar + 1], new[-1], new[bar + 1])), np.int64)
