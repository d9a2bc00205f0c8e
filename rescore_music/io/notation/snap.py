"""Where the notes of a performance stand on paper: onsets and ends snapped to a notational grid. The Score stays.

A part counts as *notated* when its source numbered its voices and is a notation file or keeps to exact divisions of
the quarter, or when nearly all its times lie on plain sixteenths and triplets: it is taken as it is. Any other part
counts as *performed*:

- Each beat of each part gets the grid that its onsets fit best: sixteenths, thirty-seconds, triplet eighths or triplet
  sixteenths (in compound meters sixteenths, thirty-seconds or a duplet); finer and rarer grids cost more, and a part
  that seldom plays triplets pays more for one. A lone attack just after a beat counts as late, not as a 32nd.
- An end goes to the next onset of the part where the gap is no more than half a beat (staccato playing does not make
  rests), back to the onset it overlaps by a quarter beat or less, or else to the nearest simple place of the beat.
- Notes struck together end together when they nearly do. A percussion note lasts to the next one, at most to the beat's
  end.
- A very short note that lands on the onset of a later one becomes a grace note, and so does one that lands on a later
  one of its own pitch (a drag on the drum). Of notes that start together on one pitch the longest stands for all; the
  others are left out of the notation (and counted).

Bars are snapped too: a bar whose length is no whole number of 32nds or triplets is written as the nearest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np
import numpy.typing as npt

from rescore_music.score import GRACE, Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

GRID = 96  # a performed part's resolution: 32nds, triplet 16ths, and both in dotted beats
_EXACT = (32, 24, 20, 28, 9, 11, 13, 15, 18)  # divisions of a quarter that a notated source may use
_PLAIN = (4, 6)
# (divisions of the beat, cost in beats)
_SIMPLE = ((4, 0.0), (8, 0.03), (3, 0.012), (6, 0.03))
_COMPOUND = ((6, 0.0), (12, 0.03), (2, 0.035))
_LONE = 0.1
_RARE = 0.03  # what a triplet costs more in a part with few


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
    performed = _performed(score)
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
    loose = performed[notes["part"]] if len(notes) else np.zeros(0, bool)
    raw = onset.copy()
    if loose.any():
        beats, lengths, compound = _beats(score, source, bars, resolution)
        index = np.flatnonzero(loose)
        _snap_performed(score, index, onset, end, grace, (beats, lengths, compound), bars, resolution)
    dropped = _duplicates(score, onset, end, grace, loose)
    real = ~grace
    end[real] = np.maximum(end[real], onset[real] + 1)
    moved = np.abs(onset - raw)[loose] / resolution if loose.any() else np.zeros(1)
    return Snapped(
        resolution, bars, source, onset, end, grace, dropped, performed, float(moved.max()), float(moved.mean())
    )


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


def _performed(score: Score) -> Flags:
    """Per part: whether it needs snapping."""
    notes, quarter = score.notes, score.ticks_per_quarter
    out = np.zeros(len(score.parts), bool)
    if not len(notes):
        return out
    bar = score.bar_of(notes["onset"])
    start = notes["onset"] - score.bars[bar]
    stop = score.ends - score.bars[score.bar_of(np.maximum(score.ends - 1, 0))]
    exact = np.zeros(len(notes), bool)
    exact_end = np.zeros(len(notes), bool)
    for divisions in _EXACT:
        exact |= start * divisions % quarter == 0
        exact_end |= stop * divisions % quarter == 0
    exact &= exact_end
    plain = np.zeros(len(notes), bool)
    plain_end = np.zeros(len(notes), bool)
    for divisions in _PLAIN:
        plain |= start * divisions % quarter == 0
        plain_end |= stop * divisions % quarter == 0
    plain &= plain_end
    engraved = score.metadata.source_format in ("musicxml", "abc", "humdrum")
    for part in range(len(score.parts)):
        mine = notes["part"] == part
        if not mine.any() or (engraved and np.all(notes["voice"][mine] > 0)):
            continue
        numbered = bool(np.all(notes["voice"][mine] > 0))
        out[part] = not exact[mine].all() or not (numbered or plain[mine].mean() >= 0.98)
    return out


def _beats(score: Score, source: Ints, bars: Ints, resolution: int) -> tuple[Ints, Ints, Flags]:
    """Beat starts of the whole score, their lengths, and whether they are compound."""
    starts: list[Ints] = []
    lengths: list[Ints] = []
    compound: list[Flags] = []
    for i in range(len(bars) - 1):
        numerator, denominator = score.meter_at(int(source[i]))
        triple = denominator >= 8 and numerator > 3 and numerator % 3 == 0
        beat = 4 * resolution // denominator * 3 if triple else (resolution if denominator < 8 else resolution // 2)
        at = np.arange(bars[i], bars[i + 1], max(beat, 1), dtype=np.int64)
        starts.append(at)
        lengths.append(np.minimum(np.append(at[1:], bars[i + 1]) - at, beat))
        compound.append(np.full(len(at), triple))
    length = np.concatenate(lengths)
    flags = np.concatenate(compound)
    # a beat cut short by its bar is divided like a simple one
    nominal = np.concatenate([np.full(len(a), a.max() if len(a) else 0) for a in lengths])
    return np.concatenate(starts), length, flags & (length == nominal)


def _snap_performed(
    score: Score,
    index: Ints,
    onset: Ints,
    end: Ints,
    grace: Flags,
    grid: tuple[Ints, Ints, Flags],
    bars: Ints,
    resolution: int,
) -> None:
    """Snap the notes of performed parts (in place)."""
    beats, lengths, compound = grid
    notes = score.notes
    beat = np.clip(np.searchsorted(beats, onset[index], side="right") - 1, 0, len(beats) - 1)
    into = (onset[index] - beats[beat]) / lengths[beat]
    divisions = _best_grids(into, notes["part"][index].astype(np.int64), beat, compound[beat])
    where = np.rint(into * divisions) / divisions
    early = onset[index].copy()
    late = end[index].copy()
    new = beats[beat] + np.rint(where * lengths[beat]).astype(np.int64)
    last = bars[-1] - max(resolution // 8, 1)
    new = np.minimum(new, last)
    onset[index] = new
    smallest = np.maximum(lengths[beat] // divisions.astype(np.int64), 1)
    drums = np.array([p.percussion for p in score.parts])[notes["part"][index]]
    parts = notes["part"][index]
    for part in np.unique(parts):
        mine = np.flatnonzero(parts == part)
        which = index[mine]
        ternary = compound.copy()
        ternary[beat[mine]] = divisions[mine] % 3 == 0
        chosen = _ends(late[mine], new[mine], smallest[mine], beats, lengths, ternary, bars, bool(drums[mine[0]]))
        if not drums[mine[0]]:
            _find_graces(early[mine], late[mine], new[mine], lengths[beat[mine]], which, grace)
            chosen = _together(new[mine], chosen, resolution)
            chosen = _no_overlap(notes["pitch"][which], new[mine], chosen)
        end[which] = chosen


def _best_grids(into: Floats, part: Ints, beat: Ints, compound: Flags) -> Floats:
    """Divisions of the beat for each onset: one choice per part and beat, by mean error plus cost."""
    key = part * (1 << 32) + beat
    _, group = np.unique(key, return_inverse=True)
    counts = np.bincount(group)
    out = np.full(len(into), 4.0)
    latest = np.zeros(len(counts))
    np.maximum.at(latest, group, into)
    earliest = np.ones(len(counts))
    np.minimum.at(earliest, group, into)
    late = (latest < 0.2) & (latest - earliest < 0.04)
    for flag, choices in ((False, _SIMPLE), (True, _COMPOUND)):
        here = compound == flag
        if not here.any():
            continue
        costs = []
        for divisions, cost in choices:
            error = np.abs(into * divisions - np.rint(into * divisions)) / divisions
            costs.append(np.bincount(group, weights=error, minlength=len(counts)) / counts + cost)
        table = np.stack(costs)
        # one lone attack just after the beat is a late one, not a 32nd or a sextuplet's second member
        fine = np.array([k > 0 and divisions in (6, 8, 12) for k, (divisions, _) in enumerate(choices)])
        table += _LONE * np.outer(fine, late)
        if not flag:
            first = table.argmin(axis=0)
            # shares are per part: a part that seldom plays triplets needs better evidence for one
            owner = np.zeros(len(counts), np.int64)
            owner[group] = part
            busy = np.bincount(group, weights=into > 1 / 16, minlength=len(counts)) > 0
            triple = (first >= 2) & busy
            for one in np.unique(owner):
                mine = (owner == one) & busy
                if mine.any() and triple[mine].mean() < 0.12:
                    table[2:, owner == one] += _RARE
        best = np.array([d for d, _ in choices], np.float64)[table.argmin(axis=0)]
        out[here] = best[group][here]
    return out


def _ends(
    late: Ints, new: Ints, smallest: Ints, beats: Ints, lengths: Ints, ternary: Flags, bars: Ints, drums: bool
) -> Ints:
    """Notated ends of one part's notes."""
    unique = np.unique(new)
    following = np.append(unique, bars[-1])[np.searchsorted(unique, new, side="right")]
    at = np.clip(np.searchsorted(beats, new, side="right") - 1, 0, len(beats) - 1)
    if drums:
        return np.asarray(np.maximum(np.minimum(following, beats[at] + lengths[at]), new + 1), np.int64)
    home = np.clip(np.searchsorted(beats, late, side="right") - 1, 0, len(beats) - 1)
    base, beat = beats[home], lengths[home].astype(np.float64)
    edge = np.append(unique, bars[-1])
    after = edge[np.minimum(np.searchsorted(edge, late, side="left"), len(edge) - 1)]
    before = edge[np.maximum(np.searchsorted(edge, late, side="right") - 1, 0)]
    into = (late - base) / beat
    candidates = [
        (after, 0.35 * (after - late) / beat, after - late <= 0.5 * beat),
        (before, 0.6 * (late - before) / beat, late - before <= 0.25 * beat),
    ]
    # the beat an end falls in is divided as its onsets are, so that one tuplet can hold both
    for divisions, cost in ((1, 0.08), (2, 0.12), (4, 0.2), (3, 0.2), (6, 0.25)):
        place = base + np.rint(np.rint(into * divisions) / divisions * beat).astype(np.int64)
        allowed = np.full(len(late), True) if divisions == 1 else ternary[home] == (divisions % 3 == 0)
        candidates.append((place, np.abs(place - late) / beat + cost, allowed))
    places = np.stack([c[0] for c in candidates])
    costs = np.stack([np.where(c[2] & (c[0] > new), c[1], np.inf) for c in candidates])
    best = costs.argmin(axis=0)
    rows = np.arange(len(new))
    chosen = np.where(np.isfinite(costs[best, rows]), places[best, rows], np.minimum(new + smallest, following))
    return np.asarray(np.minimum(np.maximum(chosen, new + 1), bars[-1]), np.int64)


def _find_graces(early: Ints, late: Ints, new: Ints, beat: Ints, which: Ints, grace: Flags) -> None:
    """Very short notes that land on a later note's onset become grace notes (in place)."""
    unique, group = np.unique(new, return_inverse=True)
    latest = np.full(len(unique), -1, np.int64)
    np.maximum.at(latest, group, early)
    short = (late - early) < 0.2 * beat
    grace[which[short & (latest[group] - early > 0.025 * beat)]] = True


def _together(new: Ints, chosen: Ints, resolution: int) -> Ints:
    """Notes struck together that end within half a quarter of their upper median end there."""
    order = np.lexsort((chosen, new))
    _, first, count = np.unique(new[order], return_index=True, return_counts=True)
    median = chosen[order][first + count // 2]
    goal = np.empty(len(new), np.int64)
    goal[order] = np.repeat(median, count)
    return np.where(np.abs(goal - chosen) <= resolution // 2, goal, chosen)


def _no_overlap(pitch: npt.NDArray[np.uint8], new: Ints, chosen: Ints) -> Ints:
    """A note ends, at the latest, where its own pitch is struck again."""
    order = np.lexsort((new, pitch))
    out = chosen.copy()
    a, b = order[:-1], order[1:]
    cut = (pitch[a] == pitch[b]) & (new[b] > new[a]) & (out[a] > new[b])
    out[a[cut]] = new[b[cut]]
    return out


def _duplicates(score: Score, onset: Ints, end: Ints, grace: Flags, loose: Flags) -> Flags:
    """Performed notes on one place and pitch: all but one become grace notes (in place) or, struck together, go."""
    notes = score.notes
    dropped = np.zeros(len(notes), bool)
    index = np.flatnonzero(loose & ~grace)
    if len(index) < 2:
        return dropped
    raw = notes["onset"][index]
    columns = (-end[index], -raw, notes["pitch"][index], onset[index], notes["part"][index])
    order = index[np.lexsort(columns)]  # the last one struck first, of several the longest
    a, b = order[:-1], order[1:]
    same = (notes["part"][a] == notes["part"][b]) & (onset[a] == onset[b]) & (notes["pitch"][a] == notes["pitch"][b])
    apart = (notes["onset"][a] - notes["onset"][b]) * 50 > score.ticks_per_quarter
    dropped[b[same & ~apart]] = True
    grace[b[same & apart]] = True
    return dropped
