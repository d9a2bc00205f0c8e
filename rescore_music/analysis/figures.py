"""Figures: how a line moves in a phrase. Held, repeated, arpeggio, ostinato, tremolo, running.

A line is read by its top notes. *Tremolo*: marked so, or one tone or two in alternation at eight a second or more.
*Repeated*: most moves repeat the pitch. *Sustained*: notes of a bar and a half of beats or more that fill the time.
*Ostinato*: a figure of 2 to 16 notes, with its rhythm, that comes back exactly again and again and is no mere broken
chord. *Arpeggio*: even notes that leap from tone to tone of a chord. *Running*: quick even notes otherwise.

Conventions: results have shape (phrases, lines) and hold `Pattern` values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.features import Texture
from rescore_music.analysis.frames import span_of
from rescore_music.score import Articulation, Score
from rescore_music.structure import Pattern, Phrase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TREMOLO_RATE = 8.0  # strokes a second
LONG = 1.5  # beats a held note lasts
FILLED = 0.6  # share of the phrase in which a sustained line sounds
MOSTLY = 0.6  # share of moves that a pattern needs
RETURNS = 0.75  # share of notes that equal the one a period later
LONGEST_PERIOD = 16
QUICK = 1.4  # onsets a beat at least, for arpeggios and runs
EVEN = 0.7  # share of equal waits
LEAP = 3  # semitones


def line_patterns(
    score: Score, lines: int, line_of: npt.NDArray[np.int32], phrases: tuple[Phrase, ...], texture: Texture, tops: Ints
) -> npt.NDArray[np.int8]:
    """The pattern of each line in each phrase.

    Parameters
    ----------
    score : Score
    lines : int
        Number of lines.
    line_of : int32 array, shape (notes,)
    phrases : tuple of Phrase
    texture : Texture
        Over the phrases.
    tops : int64 array
        `top_notes(score, line_of)`.

    Returns
    -------
    int8 array, shape (phrases, lines)
    """
    t = texture
    cells = t.onsets.size
    edges = np.array([p.start for p in phrases] + [phrases[-1].end], np.int64)
    cell = span_of(score.notes["onset"][tops], edges) * lines + line_of[tops]
    leaps, periodic, alternating, leaping_period = _moves(score, tops, cell, cells)
    shape = t.onsets.shape
    moves = np.maximum(t.moves, 1)
    beat = np.array([score.beat_ticks(p.start) for p in phrases], np.float64)[:, None] / score.ticks_per_quarter
    rate = t.onsets * beat / np.maximum(t.quarters * np.maximum(t.sounding, 0.25), 1e-9)
    seconds = np.maximum(np.diff(score.seconds(edges)), 1e-6)[:, None]
    strokes = t.onsets / np.maximum(seconds * np.maximum(t.sounding, 0.25), 1e-9)
    even = t.most_value / moves >= EVEN
    same = t.repeated / moves
    enough = t.onsets >= 3
    marked = _share(cell, (score.notes["articulation"][tops] & int(Articulation.TREMOLO)) != 0, cells).reshape(shape)
    wave = (alternating.reshape(shape) >= MOSTLY) | (same >= MOSTLY)
    length = t.quarters * t.sounding / beat / np.maximum(t.onsets, 1)
    out = np.full(shape, int(Pattern.NONE), np.int8)

    def put(where: npt.NDArray[np.bool_], pattern: Pattern) -> None:
        out[where & (out == int(Pattern.NONE)) & t.active] = int(pattern)

    put((marked >= 0.5) | (enough & wave & (strokes >= TREMOLO_RATE)), Pattern.TREMOLO)
    put((length >= LONG) & (t.sounding >= FILLED), Pattern.SUSTAINED)
    put(enough & (same >= MOSTLY), Pattern.REPEATED)
    quick = enough & even & (rate >= QUICK)
    chordal = leaps.reshape(shape) >= MOSTLY
    back = (periodic.reshape(shape) >= RETURNS) & (t.onsets >= 6)
    put(back & ~(quick & chordal & (leaping_period.reshape(shape) >= 0.99)), Pattern.OSTINATO)
    put(quick & chordal, Pattern.ARPEGGIO)
    put(quick & (rate >= 1.9) & (t.onsets >= 6), Pattern.RUNNING)
    return out


def _share(cell: Ints, flag: npt.NDArray[np.bool_], cells: int) -> Floats:
    return np.asarray(
        np.bincount(cell, flag.astype(np.float64), cells) / np.maximum(np.bincount(cell, minlength=cells), 1),
        np.float64,
    )


def _moves(score: Score, tops: Ints, cell: Ints, cells: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Per cell: share of leaps among the moves; the best share of notes that equal the one a period later; the share
    that alternate (equal two later, different from the next); the share of leaps or repeats among the moves.
    """
    pitch, onset = score.notes["pitch"][tops].astype(np.int64), score.notes["onset"][tops]
    many = np.bincount(cell, minlength=cells)
    if len(tops) < 2:
        none = np.zeros(cells)
        return none, none, none, none
    together = cell[1:] == cell[:-1]
    move = np.abs(np.diff(pitch))
    count = np.maximum(np.bincount(cell[:-1][together], minlength=cells), 1)
    leaps = np.bincount(cell[:-1][together & (move >= LEAP)], minlength=cells) / count
    stepless = np.bincount(cell[:-1][together & ((move >= LEAP) | (move == 0))], minlength=cells) / count
    wait = np.append(np.diff(onset), 0)
    best, alternating = np.zeros(cells), np.zeros(cells)
    flat = np.bincount(cell[:-1][together & (move == 0)], minlength=cells) / count > 0.9
    for lag in range(2, LONGEST_PERIOD + 1):
        if lag + 1 >= len(tops):
            break
        inside = cell[lag:] == cell[:-lag]
        equal = inside & (pitch[lag:] == pitch[:-lag])
        if lag == 2:
            other = equal & (pitch[1:-1] != pitch[:-2])
            alternating = np.bincount(cell[:-lag][other], minlength=cells) / np.maximum(many - lag, 1)
        equal[:-1] &= (wait[lag:-1] == wait[: -lag - 1]) | (cell[lag + 1 :] != cell[lag:-1])  # the last wait leads out
        share = np.bincount(cell[:-lag][equal], minlength=cells) / np.maximum(many - lag, 1)
        best = np.maximum(best, np.where((many >= 3 * lag) & ~flat, share, 0.0))  # three times at least
    return leaps, best, alternating, stepless
