"""What a line does in a span of time, as numbers: the ground for melody and roles.

Conventions: spans are given by edges in ticks; `Texture` arrays have shape (spans, lines); rates are per quarter;
pitch in semitones. A line without an onset in a span is not `active` there and its numbers are 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import coverage, span_of, spread
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Texture:
    """Per span and line, shape (spans, lines).

    Attributes
    ----------
    onsets : different onsets
    notes : notes
    quarters : length of the span in quarters
    pitch : mean pitch, weighted by duration
    velocity : mean velocity
    variety : different pitches of the line's top notes
    repeated, steps, motion : among the moves from onset to onset in the line: how many repeat the pitch, how many go
        by one or two semitones, the sum of semitones
    moves : how many moves
    values : different lengths of time between onsets
    most_value : how many onsets have the commonest length
    sounding : share of the span in which the line sounds
    same_onset, same_tone : mean number of other lines that strike with it; that strike the same pitch class
    highest, lowest, present : share of the span's sounding beats in which the line has the highest note, the lowest,
        any note
    """

    onsets: Floats
    notes: Floats
    quarters: Floats
    pitch: Floats
    velocity: Floats
    variety: Floats
    repeated: Floats
    steps: Floats
    motion: Floats
    moves: Floats
    values: Floats
    most_value: Floats
    sounding: Floats
    same_onset: Floats
    same_tone: Floats
    highest: Floats
    lowest: Floats
    present: Floats

    @property
    def active(self) -> npt.NDArray[np.bool_]:
        """Whether the line has an onset in the span."""
        return np.asarray(self.onsets > 0)


def top_notes(score: Score, line_of: npt.NDArray[np.int32]) -> Ints:
    """The highest note of each line at each onset, by line then onset: the line as a melody would be sung."""
    pitch = score.notes["pitch"].astype(np.int64)
    order = np.lexsort((-pitch, score.notes["onset"], line_of))
    line, onset = line_of[order], score.notes["onset"][order]
    new = np.ones(len(order), bool)
    new[1:] = (line[1:] != line[:-1]) | (onset[1:] != onset[:-1])
    return np.asarray(order[new], np.int64)


def describe(
    score: Score, line_of: npt.NDArray[np.int32], lines: int, edges: Ints, beats: Ints, melodic: Ints | None = None
) -> Texture:
    """The texture of a score over spans.

    Parameters
    ----------
    score : Score
    line_of : int32 array, shape (notes,)
    lines : int
        Number of lines.
    edges : int64 array, shape (spans + 1,)
    beats : int64 array
        Beat edges, on which the highest and lowest line are looked for.
    melodic : int64 array, optional
        `top_notes(score, line_of)`, if it is at hand.
    """
    spans = len(edges) - 1
    cells = spans * lines
    notes, ends = score.notes, score.ends
    onset, pitch, line = notes["onset"], notes["pitch"].astype(np.int64), line_of.astype(np.int64)
    cell = span_of(onset, edges) * lines + line
    weight = np.maximum(notes["duration"], 1).astype(np.float64)

    def total(where: Ints, values: npt.NDArray[np.generic] | None = None) -> Floats:
        return np.bincount(where, None if values is None else values.astype(np.float64), minlength=cells).astype(float)

    many = total(cell)
    tops = top_notes(score, line_of) if melodic is None else melodic
    top_cell, top_pitch = cell[tops], pitch[tops]
    follows = line[tops][1:] == line[tops][:-1]
    move = np.abs(np.diff(top_pitch))
    wait = np.diff(onset[tops])
    follows &= wait <= 4 * score.ticks_per_quarter
    to = top_cell[1:][follows]
    move, wait = move[follows], wait[follows]
    grid = max(1, score.ticks_per_quarter // 12)
    values, most_value = _commonest(top_cell[:-1][follows], (wait + grid // 2) // grid, cells)
    strike, tone = _together(onset, pitch, line)
    highest, lowest, present = _extremes(score, ends, pitch, line, lines, edges, beats)
    shape = (spans, lines)
    fields = {
        "onsets": total(top_cell),
        "notes": many,
        "pitch": total(cell, pitch * weight) / np.maximum(total(cell, weight), 1e-9),
        "velocity": total(cell, notes["velocity"]) / np.maximum(many, 1),
        "variety": total(np.unique(top_cell * 128 + top_pitch) // 128),
        "repeated": total(to, move == 0),
        "steps": total(to, (move > 0) & (move <= 2)),
        "motion": total(to, move),
        "moves": total(to),
        "values": values,
        "most_value": most_value,
        "same_onset": total(cell, strike) / np.maximum(many, 1),
        "same_tone": total(cell, tone) / np.maximum(many, 1),
    }
    sounding = coverage(onset, ends, line, lines, edges) / np.maximum(np.diff(edges), 1)[:, None]
    quarters = np.repeat(np.diff(edges)[:, None] / score.ticks_per_quarter, lines, axis=1)
    return Texture(
        **{name: value.reshape(shape) for name, value in fields.items()},
        quarters=quarters,
        sounding=np.minimum(sounding, 1.0),
        highest=highest,
        lowest=lowest,
        present=present,
    )


def _commonest(cell: Ints, value: Ints, cells: int) -> tuple[Floats, Floats]:
    """Number of different values in each cell, and how often the commonest of them comes."""
    if not len(cell):
        return np.zeros(cells), np.zeros(cells)
    wide = int(value.max()) + 1
    pairs, counts = np.unique(cell * wide + value, return_counts=True)
    most = np.zeros(cells)
    np.maximum.at(most, pairs // wide, counts.astype(np.float64))
    return np.bincount(pairs // wide, minlength=cells).astype(np.float64), most


def _together(onset: Ints, pitch: Ints, line: Ints) -> tuple[Floats, Floats]:
    """For each note: how many other lines strike at its onset, and how many of them its pitch class."""
    if not len(onset):
        return np.zeros(0), np.zeros(0)
    moment = np.unique(onset, return_inverse=True)[1].reshape(-1)
    wide = int(line.max()) + 1
    struck = np.unique(moment * wide + line)
    strike = np.bincount(struck // wide, minlength=int(moment.max()) + 1)[moment] - 1
    tone_name = moment * 12 + pitch % 12
    tones = np.unique(tone_name * wide + line)
    same = np.bincount(tones // wide, minlength=int(tone_name.max()) + 1)[tone_name] - 1
    return strike.astype(np.float64), same.astype(np.float64)


def _extremes(
    score: Score, ends: Ints, pitch: Ints, line: Ints, lines: int, edges: Ints, beats: Ints
) -> tuple[Floats, Floats, Floats]:
    """Share of each span's sounding beats in which each line has the highest, the lowest, any pitched note."""
    spans = len(edges) - 1
    high, low, there = (np.zeros((spans, lines)) for _ in range(3))
    pitched = np.flatnonzero(score.pitched)
    if not len(pitched):
        return high, low, there
    note, beat = spread(score.notes["onset"][pitched], ends[pitched], beats)
    name = pitched[note]
    top = np.full(len(beats) - 1, -1, np.int64)
    bottom = np.full(len(beats) - 1, 1 << 40, np.int64)
    np.maximum.at(top, beat, pitch[name] * lines + (lines - 1 - line[name]))  # the upper line wins a tie
    np.minimum.at(bottom, beat, pitch[name] * lines + (lines - 1 - line[name]))
    sound = np.flatnonzero(top >= 0)
    span = span_of(beats[sound], edges)
    size = np.maximum(np.bincount(span, minlength=spans), 1)[:, None]
    np.add.at(high, (span, lines - 1 - top[sound] % lines), 1)
    np.add.at(low, (span, lines - 1 - bottom[sound] % lines), 1)
    plays = np.unique(beat * lines + line[name])
    np.add.at(there, (span_of(beats[plays // lines], edges), plays % lines), 1)
    return high / size, low / size, there / size
