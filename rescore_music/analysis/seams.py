"""Seams: where a listener hears one phrase end and the next begin, and the best cut of a piece into phrases.

A seam may lie on any beat, or on any note that begins after all others have stopped or waited. Its strength is the
breath that the parts take before it (a long note or a rest, against what is usual around; the uppermost part counts
most; a note held across speaks against it), and what comes at it: a change of texture, key, meter or tempo, a double
bar or rehearsal mark, a fermata before it, the start of a passage heard before. The cut maximizes the sum of strengths
less the cost of each phrase's length, by dynamic programming: Lerdahl and Jackendoff's grouping preference rules 2
(proximity), 3 (change), 5 (symmetry) and 6 (parallelism) are the model, Temperley's Grouper the form.

Conventions: ticks; places in bars are bar number + fraction, a pickup bar lying before 0. Parameters were chosen on
half of the chorales and of the Essen songs of the music21 corpus (`benchmarks/bench_form.py --tuned`).

Sources: F. Lerdahl and R. Jackendoff, "A Generative Theory of Tonal Music" (1983), chapter 3; D. Temperley, "The
Cognition of Basic Musical Structures" (2001), chapter 3; E. Cambouropoulos, "The Local Boundary
Detection Model" (2001).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import beats, span_of
from rescore_music.analysis.likeness import MOST_BARS as COMPARED
from rescore_music.analysis.likeness import bar_likeness, repetition, unit
from rescore_music.score import Articulation, Score
from rescore_music.structure import KeySpan

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WAIT, REST, HELD, UPPER = 3.9, 3.0, 0.8, 0.7  # a doubled wait; a beat of rest; a held note; weight of the top part
NOVELTY, RETURN, KEY_CHANGE, MARK, TEMPO, FERMATA = 0.55, 1.75, 0.7, 3.0, 0.3, 5.0
# costs: of any phrase, of halving and of doubling the usual length, of odd bars, of part of a bar
PHRASE, SHORT, LONG, ODD, BROKEN = 0.2, 3.1, 0.85, 0.55, 0.7
USUAL_BEATS = (7.5, 15.0)  # lengths that cost least
NOTES = 0.85  # how far a length is one of notes, not of beats
BUSY_STRENGTH, BUSY_PHRASE, BUSY_BROKEN, BUSY_ODD = 0.5, 0.6, 3.0, 0.6  # what changes where much moves
PASSAGE, PASSAGE_BARS = 3.0, 16.0  # the ends of a passage heard again, and how long it is to tell all it can
LEAST_BEATS, MOST_BARS = 2.0, 8.5
MARKED = ("rehearsal", "barline", "jump", "tempo")
BESIDE = 0.96  # of the waits just before and after, that a wait must exceed, whatever is usual
AROUND = 60  # moments to either side that say what is usual


def candidates(score: Score) -> Ints:
    """Places at which a phrase may begin: beats, and onsets after a rest or a longer wait in all parts."""
    grid = beats(score)
    onset = np.unique(score.notes["onset"])
    if len(onset) < 2:
        return grid[:-1]
    last_end = np.maximum.accumulate(score.ends)[np.searchsorted(score.notes["onset"], onset[1:]) - 1]
    wait = np.diff(onset)
    waited = (wait > np.append(wait[1:], 0)) | (last_end < onset[1:])
    return np.unique(np.concatenate([grid[:-1], onset[1:][waited]])).astype(np.int64)


def breaths(score: Score, places: Ints) -> Floats:
    """How far the parts breathe before each place, about -0.3 to 2."""
    total, weight = np.zeros(len(places)), np.full(len(places), 1e-9)
    top, top_value = np.full(len(places), -1.0), np.zeros(len(places))
    grid = beats(score)
    beat = np.diff(grid)[span_of(places, grid)].astype(np.float64)
    for part in range(len(score.parts)):
        rows = score.part_notes(part)
        if not len(rows):
            continue
        value, counts, pitch = _part_breath(score, rows, places, beat)
        total += np.where(counts, value, 0.0)
        weight += counts
        if score.parts[part].percussion:
            continue
        higher = counts & (pitch > top)
        top, top_value = np.where(higher, pitch, top), np.where(higher, value, top_value)
    upper = UPPER * weight * (top >= 0)
    return np.asarray((total + upper * top_value) / (weight + upper), np.float64)


def _part_breath(score: Score, rows: Ints, places: Ints, beat: Floats) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """One part: its breath before each place, whether it has a say there, and the pitch it plays."""
    onset, first = np.unique(score.notes["onset"][rows], return_index=True)
    ends = np.maximum.accumulate(score.ends[rows])
    stop = ends[np.append(first[1:], len(rows)) - 1]  # when everything begun by each moment has ended
    high = np.maximum.reduceat(score.notes["pitch"][rows].astype(np.float64), first)
    wait = np.diff(onset).astype(np.float64)
    usual = np.maximum(_usual(wait), BESIDE * _neighbours(wait))
    before = np.searchsorted(onset, places, side="left") - 1
    known = before >= 0
    i = np.maximum(before, 0)
    begins = known & (i + 1 < len(onset)) & (onset[np.minimum(i + 1, len(onset) - 1)] == places)
    gap = np.where(begins, (places - onset[i]) / np.maximum(usual[np.minimum(i, len(usual) - 1)], 1), 1.0)
    rest = np.clip((places - stop[i]) / beat, 0, 1)
    held = known & ~begins & (stop[i] > places)
    value = np.where(begins, WAIT * np.clip(np.log2(np.maximum(gap, 1e-3)), -0.5, 2.0), 0.0)
    value += np.where(begins, REST * rest, 0.0) - HELD * held
    return value, begins | held, high[i]


def _usual(wait: Floats) -> Floats:
    """The mean wait around each wait, without itself."""
    if not len(wait):
        return np.ones(1)
    total = np.concatenate([[0.0], np.cumsum(wait)])
    at = np.arange(len(wait))
    lo, hi = np.maximum(at - AROUND, 0), np.minimum(at + AROUND + 1, len(wait))
    return np.asarray((total[hi] - total[lo] - wait) / np.maximum(hi - lo - 1, 1) + (hi - lo == 1) * wait, np.float64)


def _neighbours(wait: Floats) -> Floats:
    """The mean of the wait before and the wait after each wait."""
    if len(wait) < 2:
        return np.ones(max(len(wait), 1))
    before, after = np.concatenate([wait[:1], wait[:-1]]), np.concatenate([wait[1:], wait[-1:]])
    return np.asarray((before + after) / 2, np.float64)


def bar_evidence(score: Score, bars: Ints, keys: tuple[KeySpan, ...], pitch: Floats, rhythm: Floats) -> Floats:
    """What speaks for a seam about the beginning of each bar: change, marks, returns. Shape (bars,)."""
    count = len(bars) - 1
    out = np.zeros(count)
    if count < 2:
        return out
    novelty = texture_change(pitch, rhythm)
    middle, most = np.quantile(novelty, [0.5, 0.9])
    out[1:] += NOVELTY * np.maximum(novelty - middle, 0) / max(float(most - middle), 0.1)
    out += signs(score, bars, keys, (KEY_CHANGE, MARK, TEMPO))
    group = -(-count // COMPARED)
    passages = np.repeat(repetition(bar_likeness(pitch, rhythm, group), PASSAGE_BARS / group), group)[:count]
    return out + RETURN * returns(pitch, rhythm) + PASSAGE * passages


def texture_change(pitch: Floats, rhythm: Floats) -> Floats:
    """How far the two bars after each inner bar line differ from the two before: 0..2, shape (bars - 1,)."""
    texture = np.concatenate([unit(rhythm) * 0.7, unit(pitch.sum(axis=1))], axis=1)
    before = unit(texture[:-1] + np.concatenate([texture[:1], texture[:-2]]))
    after = unit(texture[1:] + np.concatenate([texture[2:], texture[-1:]]))
    return np.asarray(1 - (before * after).sum(axis=1), np.float64)


def signs(score: Score, bars: Ints, keys: tuple[KeySpan, ...], weights: tuple[float, float, float]) -> Floats:
    """What keys and meters, marks, and tempi (in this order of weights) say at the beginning of each bar."""
    count = len(bars) - 1
    out = np.zeros(count)
    starts = np.array([k.start for k in keys[1:]] + [int(t) for t in score.meters["tick"][1:]], np.int64)
    marked = np.array([m.tick for m in score.marks if m.kind in MARKED], np.int64)
    for ticks, worth, most in zip((starts, marked, score.tempo.ticks[1:]), weights, (1.0, 1.25, 1.3), strict=True):
        near = np.searchsorted(bars, ticks - score.ticks_per_quarter // 4)
        near = near[(near > 0) & (near < count)]
        out += np.minimum(np.bincount(near, minlength=count) * worth, most * worth)
    return out


def returns(pitch: Floats, rhythm: Floats) -> Floats:
    """Where a passage begins that was, or will be, heard elsewhere: 1 at its first bar."""
    count = len(pitch)
    content = np.concatenate([pitch.reshape(count, -1) / np.maximum(pitch.max(), 1), rhythm], axis=1)
    name = np.unique(np.round(content, 3), axis=0, return_inverse=True)[1].reshape(-1)
    empty = rhythm.sum(axis=1) == 0
    pair = name[:-1] * (int(name.max()) + 1) + name[1:]
    which, many = np.unique(pair, return_inverse=True, return_counts=True)[1:]
    which = which.reshape(-1)
    again = (many[which] > 1) & ~empty[:-1]
    previous = np.concatenate([[-1], name[:-1]])[: len(pair)]
    order = np.lexsort((previous, which))
    new = np.concatenate([[True], (np.diff(which[order]) != 0) | (np.diff(previous[order]) != 0)])
    different = np.bincount(which[order][new], minlength=len(many))  # ways a pair of bars is led into
    out = np.zeros(count)
    out[: len(pair)] = again & (different[which] > 1)
    return out


def strengths(score: Score, bars: Ints, places: Ints, evidence: Floats) -> Floats:
    """Strength of each place as a seam: its breath, and the evidence of the bar it leads into.

    What is told of a bar goes to the place of the greatest breath in the half bar before its line, or on the line.
    """
    breath = breaths(score, places)
    out = breath.copy()
    length = np.diff(bars)
    pickup = pickup_of(bars)
    shift = np.minimum(pickup, length)
    for bar in np.flatnonzero(evidence > 0).tolist():
        line = int(bars[bar])
        lo, hi = np.searchsorted(places, [line - int(length[max(bar - 1, 0)]) // 2 + 1, line + 1])
        if hi > lo:
            near = places[lo:hi]
            liking = breath[lo:hi] + 0.05 * (near == line) + 0.1 * (near == line - shift[bar])
            out[lo + int(liking.argmax())] += evidence[bar]
    out[_after_fermata(score, places)] += FERMATA
    return out


def _after_fermata(score: Score, places: Ints) -> Ints:
    """The place at which the notes under fermatas end."""
    notes = score.notes
    marked = (notes["articulation"] & int(Articulation.FERMATA)) != 0
    ends = np.concatenate([score.ends[marked], [m.tick for m in score.marks if m.kind == "fermata"]]).astype(np.int64)
    if not len(ends):
        return np.zeros(0, np.int64)
    at = np.unique(np.searchsorted(places, ends))
    return np.asarray(at[at < len(places)], np.int64)


def pickup_of(bars: Ints) -> int:
    """Length of the upbeat: a first bar shorter than the second."""
    if len(bars) < 3:
        return 0
    first, second = int(bars[1] - bars[0]), int(bars[2] - bars[1])
    return first if first < second else 0


def in_bars(ticks: Ints, bars: Ints) -> Floats:
    """Places as bar number + fraction; of a pickup bar as counted back from its end."""
    bar = span_of(ticks, bars)
    length = np.diff(bars).astype(np.float64)
    place = bar + (ticks - bars[bar]) / np.maximum(length[bar], 1)
    if pickup_of(bars):
        place = np.where(bar == 0, 1 - (bars[1] - ticks) / length[1], place)
    return np.asarray(place, np.float64)


def best_cut(score: Score, bars: Ints, places: Ints, strength: Floats, end: int) -> Ints:
    """The places at which the phrases of the best cut begin; the first is places[0].

    Pieces differ in how long their phrases are, as two bars to a chorale's line are four to a symphony's: each of the
    usual lengths is tried, and the cut that pays best is taken.
    """
    busy = busyness(score)
    strength = strength * (1 - BUSY_STRENGTH * busy)
    tried = [_cut(score, bars, places, strength, end, usual, busy) for usual in USUAL_BEATS]
    return max(tried, key=lambda cut: cut[0])[1]


def _cut(
    score: Score, bars: Ints, places: Ints, strength: Floats, end: int, usual: float, busy: float
) -> tuple[float, Ints]:
    """What the best cut into phrases of about so many beats is worth, and where its phrases begin."""
    stops = np.append(places[1:], end)
    where = in_bars(np.append(places, end), bars)
    beat = np.array([score.beat_ticks(int(t)) for t in (places[0], *score.meters["tick"])], np.float64)
    beat = beat[np.searchsorted(score.meters["tick"], places, side="right")]
    notes = NOTES * (1 - busy)
    sung = _sung(score, np.append(places, end))
    gain = np.append(strength[1:], 0.0)
    best = np.full(len(places) + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(len(places) + 1, np.int64)
    first = np.minimum(np.searchsorted(where, where - MOST_BARS), np.arange(len(where)) - 1)
    for j in range(1, len(places) + 1):
        lo = first[j]
        size = (stops[j - 1] - places[lo:j]) / beat[lo:j]
        size = size ** (1 - notes) * np.maximum(sung[j] - sung[lo:j], size / 2) ** notes
        value = best[lo:j] - _length_cost(where[j] - where[lo:j], size, usual, bool(lo == 0), busy)
        pick = int(value.argmax())
        best[j] = value[pick] + gain[j - 1]
        back[j] = lo + pick
    cuts = [int(back[-1])]
    while cuts[-1] > 0:
        cuts.append(int(back[cuts[-1]]))
    return float(best[-1]), places[np.array(cuts[::-1], np.int64)]


def busyness(score: Score) -> float:
    """0 for a song or hymn (at most two moments a beat at which a note begins), 1 from two and three quarters on.

    Where much moves, waits abound and phrases are told more by their bars than by their breaths.
    """
    onset = score.notes["onset"][score.pitched]
    filled = len(np.unique(span_of(onset, beats(score))))
    return float(np.clip((len(np.unique(onset)) / max(filled, 1) - 2.0) / 0.75, 0.0, 1.0))


def _sung(score: Score, places: Ints) -> Floats:
    """How many moments of the highest part come before each place."""
    pitched = score.pitched
    part = score.notes["part"][pitched].astype(np.int64)
    if not len(part):
        return np.zeros(len(places))
    many = np.bincount(part)
    mean = np.bincount(part, score.notes["pitch"][pitched]) / np.maximum(many, 1)
    moments = np.unique(score.notes["onset"][pitched][part == int(np.where(many >= many.mean() / 4, mean, 0).argmax())])
    return np.searchsorted(moments, places).astype(np.float64)


def _length_cost(bars: Floats, size: Floats, usual: float, opening: bool, busy: float) -> Floats:
    """Cost of phrases of so many bars and beats."""
    octaves = np.log2(np.maximum(size, 0.1) / usual)
    cost = PHRASE + BUSY_PHRASE * busy + np.where(octaves < 0, -SHORT, LONG) * octaves
    whole = np.rint(bars)
    broken = np.minimum(np.abs(bars - whole) * 4, 1.0)
    if opening:
        broken[0] = min(float(broken[0]), 0.5)  # a piece may begin without the upbeat that its phrases have
    cost += (BROKEN + BUSY_BROKEN * busy) * broken + (ODD + BUSY_ODD * busy) * (whole % 2 == 1) * (1 - broken)
    return np.asarray(cost + 6.0 * np.maximum(LEAST_BEATS - size, 0), np.float64)
