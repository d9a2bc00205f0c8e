"""Chords cut into the steps of a figure: which of their notes sounds when.

Conventions: ticks. A *chord* is what one seat strikes together; its voices are counted from the lowest. A *piece* is
one step of the figure inside one note; the first that sounds stands for the source's note, the others are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.grid import bar_list, laid
from rescore_music.score import Score
from rescore_music.template.pattern import MAX_VOICES, Figure, Pattern, Play, Step

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_EASE = 1.25  # a figure asks for this share less than the instrument's agility


class Chords:
    """Rows of a draft by chord: which chord, which voice of how many."""

    def __init__(self, rows: Rows, *, broken: bool) -> None:
        order = np.lexsort((rows["pitch"], rows["onset"], rows["doubling"], rows["seat"]))
        self.rows = rows[order].copy()
        new = np.ones(len(order), bool)
        same = np.ones(max(len(order) - 1, 0), bool)
        for name in ("seat", "doubling", "onset"):
            same &= self.rows[name][1:] == self.rows[name][:-1]
        new[1:] = ~same
        self.chord = np.cumsum(new) - 1
        starts = np.flatnonzero(new)
        higher = np.zeros(len(order), np.int64)
        higher[1:] = same & (np.diff(self.rows["pitch"]) > 0)
        rank = np.cumsum(higher)
        self.voice = np.minimum(rank - rank[starts][self.chord], MAX_VOICES - 1)
        self.count = (np.maximum.reduceat(self.voice, starts) + 1)[self.chord] if len(starts) else self.voice
        self.broken = broken
        # a voice that borrowed its chord begins with its own note
        own = np.where(self.rows["source"] >= 0, self.voice, MAX_VOICES)
        self.first = np.minimum.reduceat(own, starts)[self.chord] % MAX_VOICES if len(starts) else own


@dataclass(frozen=True, eq=False)
class Pieces:
    """Steps inside notes: row, which of the row's pieces, from, to, token (an index into `steps`)."""

    origin: Ints
    nth: Ints
    onset: Ints
    end: Ints
    token: Ints
    steps: Figure


def _need(chords: Chords, seats: Ensemble) -> npt.NDArray[np.float64]:
    """Seconds a step takes at least on each row's seat."""
    return np.asarray(_EASE / seats.agility[chords.rows["seat"]], np.float64)


def by_cycle(chords: Chords, pattern: Pattern, quarters: float, score: Score, seats: Ensemble) -> Pieces:
    """The pattern's cycle from each chord on, its unit doubled until the seat plays it with ease."""
    rows = chords.rows
    unit = max(1, round(quarters * score.ticks_per_quarter))
    seconds = score.tempo.us_at(rows["onset"]) * 1e-6 * unit / score.ticks_per_quarter
    octaves = np.ceil(np.log2(np.maximum(_need(chords, seats) / np.maximum(seconds, 1e-6), 1.0)) - 1e-9)
    units = np.asarray(unit * 2 ** octaves.astype(np.int64), np.int64)
    into = rows["onset"] - score.bars[score.bar_of(rows["onset"])]
    left = -into % units  # up to the bar's grid, so that late notes do not shift the pattern
    first = np.where(left == 0, units, np.where(left * 2 < units, left + units, left))
    # threes are not laid across what begins or ends in twos
    slack = np.maximum(units // 12, 1)
    across = np.minimum(left, units - left) > slack
    rest = (into + rows["duration"]) % units
    across |= np.minimum(rest, units - rest) > slack
    first = np.where(across & _in_threes(unit, score.ticks_per_quarter), rows["duration"] + 1, first)
    count = 1 + np.maximum((rows["duration"] - first) // units, 0)
    origin = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(origin)) - np.repeat(np.cumsum(count) - count, count)
    onset = rows["onset"][origin] + np.where(nth > 0, first[origin] + (nth - 1) * units[origin], 0)
    last = nth == count[origin] - 1
    stop = (rows["onset"] + rows["duration"])[origin]
    end = np.where(last, stop, onset + np.where(nth > 0, units[origin], np.minimum(first, rows["duration"])[origin]))
    lengths = np.array([len(figure) for figure in pattern.figures], np.int64)
    base = np.cumsum(lengths) - lengths
    steps = tuple(step for figure in pattern.figures for step in figure)
    begin = _beginnings(pattern, chords)
    row = chords.count[origin] - 1
    token = base[row] + (nth + begin[origin]) % lengths[row]
    return Pieces(origin, nth, onset, end, token, steps)


def _in_threes(unit: int, quarter: int) -> bool:
    """Whether a unit is a third of a dyadic note value."""
    share = max(unit * 3 / quarter, 1e-9)
    return bool(abs(share - 2.0 ** round(float(np.log2(share)))) < 0.05)


def _beginnings(pattern: Pattern, chords: Chords) -> Ints:
    """Where in the cycle each row's chord begins: with the note that stands in the source."""
    table = np.zeros((MAX_VOICES + 1, MAX_VOICES), np.int64)
    for count, figure in enumerate(pattern.figures, 1):
        for voice in range(count):
            places = [k for k, step in enumerate(figure) if _has(step, voice, count)[0]]
            table[count, voice] = places[0] if places else 0
    lone = chords.broken & (chords.first > 0)
    return np.where(lone, table[chords.count, chords.first], 0)


def by_bar(chords: Chords, pattern: Pattern, score: Score, seats: Ensemble, grounded: Bools) -> Pieces:
    """The pattern's figures laid on the bars, thinned where the seat could not play them with ease.

    `grounded` tells of each phrase whether a bass sounds in it; without one a bar's first step is struck by the chord.
    """
    rows = chords.rows
    grid = laid(bar_list(score), pattern.bars, pattern.groups)
    kept = np.flatnonzero([token.play is not Play.HOLD for token in grid.tokens])
    if not len(kept):
        none = np.zeros(0, np.int64)
        return Pieces(none, none, none, none, none, ())
    onset, stops = grid.onset[kept], np.maximum.reduceat(grid.end, kept)  # a step lasts through its holds
    stop = rows["onset"] + rows["duration"]
    first = np.maximum(np.searchsorted(onset, rows["onset"], side="right") - 1, 0)
    # a note that comes a little before its step belongs to it
    early = (stops[first] - rows["onset"]) * 2 < stops[first] - onset[first]
    first = np.where(early & (stops[first] < stop) & (first + 1 < len(onset)), first + 1, first)
    count = np.maximum(np.searchsorted(onset, stop, side="left") - first, 1)
    origin = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(origin)) - np.repeat(np.cumsum(count) - count, count)
    step = first[origin] + nth
    begin = np.where(nth == 0, rows["onset"][origin], onset[step])
    end = np.where(nth == count[origin] - 1, stop[origin], stops[step])
    end = np.where(nth == count[origin] - 1, np.minimum(end, np.maximum(stops[step], begin + 1)), end)
    seconds = score.seconds(grid.end) - score.seconds(grid.onset)
    weak = _weak(grid.place[kept][step], grid.size[kept][step], seconds[kept][step], _need(chords, seats)[origin])
    weak |= (end - begin) * 4 < (stops - onset)[step]  # a note that goes on a little into the next step
    alive = ~weak | (nth == 0)
    origin, nth, step, begin, end = (x[alive] for x in (origin, nth, step, begin, end))
    skipped = np.append((origin[1:] == origin[:-1]) & (step[1:] > step[:-1] + 1), False)
    end = np.where(skipped, np.append(begin[1:], 0), end)
    distinct = tuple(dict.fromkeys([Step(Play.ALL), *grid.tokens]))
    number = {token: i for i, token in enumerate(distinct)}
    token = np.array([number[grid.tokens[i]] for i in kept.tolist()], np.int64)[step]
    silent = np.array([one.play is Play.REST for one in distinct], bool)[token]
    bare = ~grounded[rows["phrase"][origin]] & np.isin(onset[step], score.bars)
    return Pieces(origin, nth, begin, end, np.where(bare & silent, 0, token), distinct)


def _weak(place: Ints, size: Ints, seconds: npt.NDArray[np.float64], need: npt.NDArray[np.float64]) -> Bools:
    """Steps that a player leaves out who needs longer: every second of a figure, three of four, all but the first."""
    out = np.zeros(len(place), bool)
    for level in (2, 4, 8):
        between = np.where(size % level == 0, place % level > 0, place > 0)
        out |= between & (seconds * level / 2 < need)
    return out


def _has(step: Step, voice: int, count: int) -> tuple[bool, int]:
    """Whether a step sounds a voice of a chord of `count`, and how many octaves higher."""
    if step.play is Play.UPPER:
        return voice > 0 or count == 1, step.octave
    if step.play is not Play.VOICES:
        return step.play is Play.ALL or (step.play > Play.VOICES and voice == 0), step.octave
    for asked in step.voices:
        turn, index = divmod(asked - 1, count) if asked > 0 else (0, count - 1 - (-asked - 1) % count)
        if index == voice:
            return True, step.octave + turn
    return False, 0


@dataclass(frozen=True, eq=False)
class Sounding:
    """Which pieces sound (indices into `Pieces`), octaves higher, and the rows that stay as they are or fall silent."""

    piece: Ints
    octave: Ints
    untouched: Bools
    silent: Bools


def sounding_pieces(chords: Chords, pieces: Pieces, *, bass: bool) -> Sounding:
    """The pieces that sound. A bass begins with its own note, whatever the figure says.

    A chord stays as the source has it where it is no longer than one step, where the figure would leave it silent, and
    where it has more voices to play in turn than steps to play them in.
    """
    rows = len(chords.rows)
    shape = (max(len(pieces.steps), 1), MAX_VOICES + 1, MAX_VOICES)
    asked, higher = np.zeros(shape, bool), np.zeros(shape, np.int64)
    for t, step in enumerate(pieces.steps):
        for count in range(1, MAX_VOICES + 1):
            for voice in range(count):
                asked[t, count, voice], higher[t, count, voice] = _has(step, voice, count)
    where = (pieces.token, chords.count[pieces.origin], chords.voice[pieces.origin])
    opens = bass & (pieces.nth == 0)
    plays, octave = asked[where] | opens, np.where(opens, 0, higher[where])
    size = int(chords.chord[-1]) + 1 if rows else 0
    heard, most = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.add.at(heard, chords.chord[pieces.origin[plays]], 1)
    np.maximum.at(most, chords.chord, np.bincount(pieces.origin, minlength=rows))
    stays = (heard == 0) | (most <= 1)
    untouched = stays[chords.chord] | (chords.broken & (most[chords.chord] < chords.count))
    piece = np.flatnonzero(plays & ~untouched[pieces.origin])
    silent = ~untouched
    silent[pieces.origin[piece]] = False
    return Sounding(piece, octave[piece], untouched, silent)
