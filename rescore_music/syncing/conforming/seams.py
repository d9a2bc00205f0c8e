"""Where bars may be taken out or played again: every way to change a stretch's length by whole beats, best first.

A stretch whose length tempo bears stays whole. Otherwise each pair of beats inside it is a possible deletion or
repetition, and its price is what is heard of it: how far from a phrase's end and beginning the music leaves and goes
on, how many notes are cut, whether the two harmonies ever followed each other in the source, an odd bar, and how much
tempo is still to bend. Finer places than beats are looked at only where no beat will do.

Conventions: ticks. Prices are in units of `bend`'s burden: 1 = all that tempo bears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.syncing.arcs import LONGEST, SHORTEST
from rescore_music.syncing.conforming.bend import DEVIATION, STEP
from rescore_music.syncing.landing import Grid

Floats = npt.NDArray[np.float64]
Ticks = npt.NDArray[np.int64]

EDIT = 1.0  # any bar edit
UNPHRASED = 0.4  # either end of a seam that is no phrase's
SHIFTED, ODD = 0.3, 0.8  # whole bars that do not begin at a bar line; a bar of another length
CUT = 0.6  # all notes cut at either end of a seam
UNHEARD = 0.4  # a progression that the source does not have
AGAIN, MOST_AGAIN = 0.25, 2.0  # each further repetition, at most
HELD = 4.0  # notes struck anew on a hit
FINE = 0.5  # each halving below a beat
MOST_PLACES = 700
MOST_TIMES = 64


@dataclass(frozen=True)
class BarEdit:
    """[start, end) taken out (`times` -1), left alone (0) or played so many times more."""

    start: int = 0
    end: int = 0
    times: int = 0
    seam: float = 0.0
    burden: float = 0.0

    @property
    def price(self) -> float:
        """What is heard of seam and tempo together."""
        return self.seam + self.burden

    def spans(self, first: int, last: int) -> list[tuple[int, int]]:
        """What of [first, last) is played, in order."""
        if self.times == 0:
            return [(first, last)]
        if self.times < 0:
            return [(first, self.start), (self.end, last)]
        return [(first, self.end), *[(self.start, self.end)] * (self.times - 1), (self.start, last)]


@dataclass(frozen=True, eq=False)
class _Places:
    """Points of a stretch at which the music may leave or go on."""

    tick: Ticks
    second: Floats
    waited: Floats
    beat: Floats
    phrase: npt.NDArray[np.bool_]
    bar: npt.NDArray[np.bool_]
    cut: Floats  # share of the parts that hold a note over it
    before: Ticks  # chord that ends here and chord that begins here, as numbers
    after: Ticks


def bar_edits(
    grid: Grid,
    start: int,
    end: int,
    seconds: float,
    analysis: Analysis | None,
    *,
    most: int = 8,
    strained: bool = False,
) -> list[BarEdit]:
    """The best ways to bring [start, end) near to a length, best first; leaving it alone is always among them.

    Parameters
    ----------
    grid : Grid
    start, end : int
        Music at `start` stays, so that what is heard there is.
    seconds : float
        The length wanted.
    analysis : Analysis, optional
        For phrases and chords; without one only bars and notes speak.
    strained : bool
        Look at edits even where tempo alone seems to do.
    """
    score = grid.score
    own = float(score.seconds(end) - score.seconds(start))
    waits = float(grid.waited(end) - grid.waited(start))
    beats = float(grid.steady_position(end) - grid.steady_position(start))
    whole = BarEdit(burden=float(_burden(_ratio(seconds, np.array([own]), np.array([waits])), np.array([beats]))[0]))
    if whole.price <= 1 and not strained:
        return [whole]
    length = _Length(own, waits, beats, seconds)
    found = [whole]
    for level, ticks in enumerate(_levels(grid, start, end)):
        places = _describe(score, grid, ticks, analysis)
        found += _deletions(score, places, length, level)
        found += _repeats(score, places, length, level)
        found = sorted(found, key=lambda e: (e.price, e.start, e.end))[:most]
        if found[0].price < 4 + level * 4:
            break
    return found if whole in found else [*found, whole]


@dataclass(frozen=True)
class _Length:
    """What a stretch lasts: seconds, those of fermatas among them, beats without these, and the seconds wanted."""

    own: float
    waits: float
    beats: float
    wanted: float

    def burden(self, seconds: Floats, waits: Floats, beats: Floats) -> Floats:
        """Of bending the stretch with so much more (or less) of each."""
        left = np.maximum(self.own + seconds, 1e-9)
        return _burden(_ratio(self.wanted, left, np.maximum(self.waits + waits, 0.0)), self.beats + beats)


def _ratio(wanted: float, own: Floats, waits: Floats) -> Floats:
    """New over old length of what is no fermata, where these have taken up what they can."""
    rigid = np.maximum(own - waits, 1e-9)
    ratio = (wanted - np.clip(wanted - rigid, SHORTEST * waits, LONGEST * waits)) / rigid
    return np.asarray(np.where(own - waits < 1e-6, 1.0, np.maximum(ratio, 1e-6)), np.float64)


def _burden(ratio: Floats, beats: Floats) -> Floats:
    """Of a cubic that leaves and meets the tempo without a step: 1.5 times the mean at its top, 6 / beats a beat."""
    off = np.abs(np.where(ratio < 1, 1 / np.maximum(ratio, 1e-6), ratio) - 1) * 100
    return np.asarray(off * np.maximum(6 / np.maximum(beats, 1e-3) / STEP, 1.5 / DEVIATION), np.float64)


def _levels(grid: Grid, start: int, end: int) -> list[Ticks]:
    """Beats inside the stretch, then eighths, then 32nds."""
    score = grid.score
    fine = max(1, score.ticks_per_quarter // 8)
    near = np.arange(start + fine, min(end, start + fine * MOST_PLACES), fine)
    levels = []
    for ticks in (grid.beats, grid.eighths, near):
        inside = ticks[(ticks > start) & (ticks < end)]
        if len(inside) > MOST_PLACES:
            inside = np.intersect1d(inside, grid.downbeats)
            inside = inside[:: -(-len(inside) // MOST_PLACES)]
        levels.append(np.append(inside, end).astype(np.int64))
    return levels


def _describe(score: Score, grid: Grid, ticks: Ticks, analysis: Analysis | None) -> _Places:
    notes = score.notes[score.pitched]
    ends = notes["onset"] + notes["duration"]
    cut = np.zeros(len(ticks))
    for k, tick in enumerate(ticks.tolist()):
        over = (notes["onset"] < tick) & (ends > tick)
        cut[k] = len(np.unique(notes["part"][over])) / max(len(score.parts), 1)
    phrase = np.isin(ticks, grid.downbeats) if analysis is None else _phrase_seams(score, analysis, ticks)
    before, after = np.full(len(ticks), -1), np.full(len(ticks), -1)
    if analysis is not None and analysis.chords:
        names = sorted({(c.root, c.quality) for c in analysis.chords})
        kinds = np.array([names.index((c.root, c.quality)) for c in analysis.chords])
        starts = np.array([c.start for c in analysis.chords])
        before = kinds[np.maximum(np.searchsorted(starts, ticks, side="left") - 1, 0)]
        after = kinds[np.maximum(np.searchsorted(starts, ticks, side="right") - 1, 0)]
    return _Places(
        ticks,
        score.seconds(ticks),
        grid.waited(ticks),
        grid.steady_position(ticks),
        phrase,
        np.isin(ticks, score.bars),
        cut,
        before,
        after,
    )


def _phrase_seams(score: Score, analysis: Analysis, ticks: Ticks) -> npt.NDArray[np.bool_]:
    starts = np.array([p.start for p in analysis.phrases] + [score.length])
    return np.isin(ticks, starts)


def _junction(places: _Places, x: Ticks, y: Ticks) -> Floats:
    """What is heard of leaving at places x and going on at places y."""
    price = EDIT + UNPHRASED * (~places.phrase[x]).astype(float) + UNPHRASED * (~places.phrase[y]).astype(float)
    price += CUT * (places.cut[x] + places.cut[y]) / 2
    known = (places.before[x] < 0) | (places.before[x] == places.before[y]) | (places.after[x] == places.after[y])
    price += np.where(known, 0.0, UNHEARD)
    return np.asarray(price, np.float64)


def _metric(score: Score, places: _Places, a: Ticks, b: Ticks) -> Floats:
    """What is heard in the meter of a length [a, b) taken out or added."""
    bar_before = score.bars[score.bar_of(places.tick)]
    place = places.tick - bar_before
    at_lines = places.bar[a] & places.bar[b]
    same = place[a] == place[b]
    return np.where(at_lines, 0.0, np.where(same, SHIFTED, ODD))


def _best(
    places: _Places, a: Ticks, b: Ticks, times: Ticks, seam: Floats, burden: Floats, most: int = 24
) -> list[BarEdit]:
    order = np.lexsort((places.tick[b], places.tick[a], seam + burden))[:most]
    return [
        BarEdit(int(places.tick[a[k]]), int(places.tick[b[k]]), int(times[k]), float(seam[k]), float(burden[k]))
        for k in order
        if np.isfinite(burden[k])
    ]


def _deletions(score: Score, places: _Places, length: _Length, level: int) -> list[BarEdit]:
    a, b = np.triu_indices(len(places.tick), k=1)
    burden = length.burden(*(x[a] - x[b] for x in (places.second, places.waited, places.beat)))
    seam = _junction(places, a, b) + _metric(score, places, a, b) + level * FINE
    # notes held into the hit that ends the stretch would be struck anew on it
    seam += np.where((b == len(places.tick) - 1) & (places.cut[b] > 0), HELD, 0.0)
    return _best(places, a, b, np.full(len(a), -1), seam, burden)


def _repeats(score: Score, places: _Places, length: _Length, level: int) -> list[BarEdit]:
    if length.wanted <= length.own:
        return []
    a, b = np.triu_indices(len(places.tick), k=1)
    span = places.second[b] - places.second[a]
    times = np.clip(np.rint((length.wanted - length.own) / span), 1, MOST_TIMES)
    burden = length.burden(*(times * (x[b] - x[a]) for x in (places.second, places.waited, places.beat)))
    seam = _junction(places, b, a) + _metric(score, places, a, b) + level * FINE
    seam += np.minimum(AGAIN * (times - 1), MOST_AGAIN)
    return _best(places, a, b, times.astype(np.int64), seam, burden)
