"""Hypermeter and metric accent: how bars group into twos, threes, fours and eights, and how strong each place is.

A bar that begins a phrase, brings a new harmony, a new texture or a return is a strong bar. A hidden Markov model whose
states are the places in groups of 2, 3, 4 or 8 bars follows them: strong bars want to be first (and, in groups of four
and eight, the middle is the next strongest); to begin a group anew before it is full, or to change the size of the
group, costs.

Conventions: bars are those of `score.bars` (a pickup bar before the first group belongs to none and is counted with
it); `Hypermeter` spans tile the bars, and within one the groups are counted from its start.

Source: F. Lerdahl and R. Jackendoff, "A Generative Theory of Tonal Music" (1983), chapter 4; D. Temperley,
"Hypermetrical Transitions", Music Theory Spectrum 30 (2008).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.seams import in_bars, pickup_of
from rescore_music.score import Score
from rescore_music.structure import Chord, Hypermeter, Phrase, Section

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIZES = (1, 2, 3, 4, 8)
FAVOUR = {1: 0.0, 2: 0.05, 3: -0.1, 4: 0.15, 8: 0.1}  # gain of a bar in a group of each size
PHRASE, SECTION, CHORD = 1.0, 0.7, 0.3  # what makes a bar strong
RESET, CHANGE = 2.5, 3.5  # cost of breaking a group off, of another size


def find_hypermeter(
    score: Score, phrases: tuple[Phrase, ...], sections: tuple[Section, ...], chords: tuple[Chord, ...]
) -> tuple[Hypermeter, ...]:
    """How the bars group, over all of them."""
    bars = score.bars
    count = len(bars) - 1
    if not len(score.notes) or not phrases:
        return ()
    strong = bar_strength(score, phrases, sections, chords)
    skip = 1 if pickup_of(bars) else 0
    if count - skip < 4:
        return (Hypermeter(int(bars[0]), int(bars[-1]), 1, 0.0),)
    size, place = _follow(strong[skip:])
    starts = np.flatnonzero(
        np.concatenate([[True], (np.diff(size) != 0) | (place[1:] != (place[:-1] + 1) % size[:-1])])
    )
    ends = np.append(starts[1:], count - skip)
    spans = []
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        n = int(size[a])
        here = strong[skip:][a:b]
        first = np.arange(b - a) % n == 0
        apart = float(here[first].mean() - here[~first].mean()) if n > 1 and (~first).any() else 0.0
        begin = int(bars[0]) if a == 0 else int(bars[a + skip])
        spans.append(Hypermeter(begin if a else int(bars[skip]), int(bars[b + skip]), n, float(np.clip(apart, 0, 1))))
    if skip:
        spans.insert(0, Hypermeter(int(bars[0]), int(bars[1]), 1, 0.0))
    return tuple(spans)


def bar_strength(
    score: Score, phrases: tuple[Phrase, ...], sections: tuple[Section, ...], chords: tuple[Chord, ...]
) -> Floats:
    """How strong each bar is as the first of a group, 0 to 1: shape (bars,)."""
    bars = score.bars
    count = len(bars) - 1
    out = np.zeros(count)
    for spans, worth in ((phrases, PHRASE), (sections, SECTION)):
        starts = np.array([s.start for s in spans], np.int64)
        at = np.ceil(in_bars(starts, bars) - 0.25).astype(np.int64)
        np.maximum.at(out, np.clip(at, 0, count - 1), worth)
    if chords:
        starts = np.array([c.start for c in chords])
        root = np.array([c.root if c.quality else -1 for c in chords])
        at = np.searchsorted(starts, bars[:-1], side="right") - 1
        new = (root[at] >= 0) & (root[at] != root[np.maximum(at - 1, 0)])
        out += CHORD * new
    return out / (PHRASE + CHORD)


def _follow(strong: Floats) -> tuple[Ints, Ints]:
    """Size of the group and place in it of each bar."""
    size = np.concatenate([np.full(n, n) for n in SIZES])
    place = np.concatenate([np.arange(n) for n in SIZES])
    z = strong - strong.mean()
    weight = np.zeros(len(size))
    for i, (n, k) in enumerate(zip(size.tolist(), place.tolist(), strict=True)):
        if n > 1:
            weight[i] = 1.0 if k == 0 else (0.2 if n in (4, 8) and k == n // 2 else -1.0 / (n - 1))
    gain = z[:, None] * weight[None, :] * np.sqrt(np.maximum(size - 1, 0))[None, :]
    gain += np.array([FAVOUR[int(n)] for n in size])[None, :] * 0.2
    cost = np.full((len(size), len(size)), np.inf)
    for i in range(len(size)):
        for j in range(len(size)):
            if size[i] == size[j] and place[j] == (place[i] + 1) % size[i]:
                cost[i, j] = 0.0
            elif place[j] == 0:
                full = place[i] == size[i] - 1
                cost[i, j] = RESET if size[i] == size[j] else CHANGE + RESET * (not full)
    best = gain[0] - np.where(place == 0, 0.0, np.where((size == 1), 0.0, RESET / 2))
    back = np.zeros(gain.shape, np.int64)
    for t in range(1, len(gain)):
        reach = best[:, None] - cost
        back[t] = reach.argmax(axis=0)
        best = reach.max(axis=0) + gain[t]
    path = np.zeros(len(gain), np.int64)
    path[-1] = int(best.argmax())
    for t in range(len(gain) - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return size[path].astype(np.int64), place[path].astype(np.int64)


def metric_accent(score: Score, ticks: npt.ArrayLike, hypermeter: tuple[Hypermeter, ...] = ()) -> Ints:
    """How strong each place is in the meter.

    Parameters
    ----------
    score : Score
    ticks : int array_like, shape (n,)
    hypermeter : tuple of Hypermeter, optional

    Returns
    -------
    int64 array, shape (n,)
        0 off the beat, 1 on a beat, 2 on the middle beat of a bar of four, six or eight beats (two beats: none), 3 on a
        bar line, 4 on the first bar of a group.
    """
    places = np.atleast_1d(np.asarray(ticks, np.int64))
    bars = score.bars
    bar = score.bar_of(places)
    beat = np.array([score.beat_ticks(int(t)) for t in bars[:-1]], np.int64)[bar]
    length = np.diff(bars)[bar]
    back = bars[bar + 1] - places  # counted from the end of the bar, as a pickup is
    out = np.where(back % np.maximum(beat, 1) == 0, 1, 0)
    many = length // np.maximum(beat, 1)
    out[(many >= 4) & (many % 2 == 0) & (back * 2 == length) & (out == 1)] = 2
    line = (places == bars[bar]) & ((bar > 0) | (pickup_of(bars) == 0))
    out[line] = 3
    for span in hypermeter:
        if span.bars > 1:
            first = int(score.bar_of(span.start))
            inside = line & (places >= span.start) & (places < span.end)
            out[inside & ((bar - first) % span.bars == 0)] = 4
    return out.astype(np.int64)
