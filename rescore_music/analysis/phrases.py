"""Phrases: where the music breathes, and which phrases are the same.

Every bar line gets a strength as a seam: a rest or long note before it, a change of texture, key, meter or tempo at it,
a double bar or rehearsal mark, and the start of a passage heard before. The phrases are the cut with the greatest sum
of strengths and of a preference for lengths (4 and 8 bars first), found by dynamic programming; Lerdahl and
Jackendoff's grouping preference rules 2 (proximity), 3 (change), 5 (symmetry) and 6 (parallelism) are the model.

Two phrases with the same length in bars share a label if their pitch classes lie alike in the bars ("A"); if only
rhythm and the transposition-free content agree, or part of it, or their upper lines agree at some transposition (the
theme comes back in another key or over another accompaniment), the later one is a variant ("A'").

Conventions: ticks; a seam lies on a bar line, or the length of the piece's own pickup before it.

Source: F. Lerdahl and R. Jackendoff, "A Generative Theory of Tonal Music" (1983), chapter 3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.frames import coverage, span_of
from rescore_music.score import Score
from rescore_music.structure import KeySpan, Phrase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LENGTHS = np.array([1, 2, 3, 4, 5, 6, 7, 8])
LENGTH_COST = np.array([2.2, 0.9, 1.0, 0.0, 0.7, 0.4, 0.7, 0.1])
SLOTS = 16  # places in a bar at which rhythm is compared
CELLS = 4  # parts of a bar in which pitch classes are compared
SAME, VARIED = 0.93, 0.80  # likeness of two phrases with the same label; with a prime
TUNE = 0.75  # share of the notes of the sparser of two upper lines at which they agree, for a prime
TUNE_NOTES = 6  # that a tune has at least
MARKED = ("rehearsal", "barline", "jump", "tempo")


def find_phrases(score: Score, keys: tuple[KeySpan, ...] = ()) -> tuple[Phrase, ...]:
    """Phrases that tile [0, score.length), about 2 to 8 bars each, labelled by material.

    Parameters
    ----------
    score : Score
    keys : tuple of KeySpan, optional
        A change of key is a seam.

    Returns
    -------
    tuple of Phrase
        Empty where the score has no notes and no length.
    """
    bars = score.bars
    length = score.length
    if length <= 0:
        return (Phrase(0, max(int(bars[-1]), 1), "A"),) if len(score.notes) else ()
    bars = bars[: max(int(np.searchsorted(bars, length)), 1) + 1]
    pickup = _pickup(bars)
    if pickup:
        bars = bars[1:]  # the upbeat belongs to the first phrase, and every later seam has room for its own
    pitch, rhythm = _contents(score, bars)
    cuts = _best_cut(_strengths(score, bars, keys, pitch, rhythm))
    starts = bars[cuts[:-1]] - pickup
    starts[0] = 0
    starts = starts[starts < length]
    labels = _labels(cuts[: len(starts)], pitch, rhythm, _upper_line(score, bars))
    edges = np.append(starts, length)
    return tuple(Phrase(int(edges[i]), int(edges[i + 1]), labels[i]) for i in range(len(starts)))


def _pickup(bars: Ints) -> int:
    """Length of the upbeat: a first bar shorter than the second."""
    if len(bars) < 3:
        return 0
    first, second = int(bars[1] - bars[0]), int(bars[2] - bars[1])
    return first if first < second else 0


def _contents(score: Score, bars: Ints) -> tuple[Floats, Floats]:
    """Per bar: pitch classes by quarter of the bar, (bars, CELLS, 12); onsets by slot, (bars, SLOTS)."""
    count = len(bars) - 1
    steps = np.arange(CELLS) / CELLS
    edges = np.append((bars[:-1, None] + np.rint(np.diff(bars)[:, None] * steps)).astype(np.int64).ravel(), bars[-1])
    pitched = score.pitched
    notes = score.notes[pitched]
    classes = coverage(notes["onset"], score.ends[pitched], notes["pitch"].astype(np.int64) % 12, 12, edges)
    onset = score.notes["onset"]
    bar = span_of(onset, bars)
    place = (onset - bars[bar]) / np.maximum(np.diff(bars)[bar], 1)
    slot = np.clip(np.floor(place * SLOTS + 1e-9), 0, SLOTS - 1).astype(np.int64)
    rhythm = np.bincount(bar * SLOTS + slot, minlength=count * SLOTS).reshape(count, SLOTS)
    return classes.reshape(count, CELLS, 12), np.sqrt(rhythm.astype(np.float64))


def _upper_line(score: Score, bars: Ints) -> Ints:
    """Highest pitch that begins in each slot of each bar, shape (bars, SLOTS); 0 where none does."""
    notes = score.notes[score.pitched]
    bar = span_of(notes["onset"], bars)
    place = (notes["onset"] - bars[bar]) / np.maximum(np.diff(bars)[bar], 1)
    slot = np.clip(np.floor(place * SLOTS + 1e-9), 0, SLOTS - 1).astype(np.int64)
    line = np.zeros((len(bars) - 1, SLOTS), np.int64)
    np.maximum.at(line, (bar, slot), notes["pitch"].astype(np.int64))
    return line


def _same_tune(line: Ints, earlier: Ints) -> Floats:
    """How far an upper line and each earlier one agree, at the best transposition.

    The share is of the sparser line's notes, for an accompaniment may show through the rests of a tune.

    Parameters
    ----------
    line : int array, shape (places,)
    earlier : int array, shape (phrases, places)
    """
    struck = (earlier > 0) & (line > 0)
    interval = np.where(struck, (line - earlier) % 12, -1)
    most = np.max([(interval == i).sum(axis=1) for i in range(12)], axis=0)
    fewer = np.minimum((earlier > 0).sum(axis=1), int((line > 0).sum()))
    return np.where(most >= TUNE_NOTES, most / np.maximum(fewer, 1), 0.0)


def _unit(rows: Floats) -> Floats:
    flat = rows.reshape(len(rows), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9), np.float64)


def _strengths(score: Score, bars: Ints, keys: tuple[KeySpan, ...], pitch: Floats, rhythm: Floats) -> Floats:
    """Strength of each bar line as a seam: shape (bars,), for the start of each bar."""
    count = len(bars) - 1
    strength = np.zeros(count)
    if count < 2:
        return strength
    strength[1:] += _breaths(score, bars)[1:]
    texture = np.concatenate([_unit(rhythm) * 0.7, _unit(pitch.sum(axis=1))], axis=1)
    before = _unit(texture[:-1] + np.concatenate([texture[:1], texture[:-2]]))
    after = _unit(texture[1:] + np.concatenate([texture[2:], texture[-1:]]))
    novelty = 1 - (before * after).sum(axis=1)
    strength[1:] += 0.8 * novelty / max(float(np.quantile(novelty, 0.9)), 0.2)
    starts = np.array([k.start for k in keys[1:]] + [int(t) for t in score.meters["tick"][1:]], np.int64)
    marked = np.array([m.tick for m in score.marks if m.kind in MARKED], np.int64)
    tempi = score.tempo.ticks[1:]
    for ticks, worth, most in ((starts, 0.8, 0.8), (marked, 1.2, 1.5), (tempi, 0.3, 0.4)):
        near = np.searchsorted(bars, ticks - score.ticks_per_quarter // 4)
        near = near[(near > 0) & (near < count)]
        strength += np.minimum(np.bincount(near, minlength=count) * worth, most)
    strength += 0.7 * _returns(pitch, rhythm)
    return strength


def _breaths(score: Score, bars: Ints) -> Floats:
    """How long the music waits before each bar line: from the last onset of each part to the line, in bars."""
    count = len(bars) - 1
    parts = len(score.parts)
    onset, part = score.notes["onset"], score.notes["part"].astype(np.int64)
    bar = span_of(onset, bars)
    last = np.full((count, parts), -1, np.int64)
    np.maximum.at(last, (bar, part), onset)
    length = np.diff(bars)[:, None]
    wait = np.where(last >= 0, (bars[1:, None] - last) / np.maximum(length, 1), 1.0)
    played = np.maximum.accumulate(last, axis=0) >= 0
    moving = (last >= 0) & (wait < 0.3)
    busy = moving.sum(axis=1) / np.maximum(played.sum(axis=1), 1)  # parts that run into the line
    usual = np.convolve(np.pad(busy, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    still = np.clip((usual - busy) / np.maximum(usual, 0.2), -0.5, 1.0)
    silence = coverage(onset, score.ends, np.zeros(len(onset), np.int64), 1, bars)[:, 0] <= 0
    out = np.zeros(count)
    out[1:] = 1.4 * still[:-1]
    out[1:] += 1.0 * (silence[:-1] & ~silence[1:])
    return out


def _returns(pitch: Floats, rhythm: Floats) -> Floats:
    """Where a passage begins that was, or will be, heard elsewhere: 1 at its first bar."""
    count = len(pitch)
    content = np.concatenate([pitch.reshape(count, -1) / np.maximum(pitch.max(), 1), rhythm], axis=1)
    name = np.unique(np.round(content, 3), axis=0, return_inverse=True)[1].reshape(-1)
    empty = rhythm.sum(axis=1) == 0
    pair = name[:-1] * (int(name.max()) + 1) + name[1:]
    known, which, many = np.unique(pair, return_inverse=True, return_counts=True)
    del known
    again = (many[which] > 1) & ~empty[:-1]
    previous = np.concatenate([[-1], name[:-1]])
    out = np.zeros(count)
    for group in np.flatnonzero(many > 1):
        places = np.flatnonzero((which == group) & again)
        if len(places) > 1 and len(np.unique(previous[places])) > 1:
            out[places] = 1.0
    return out


def _best_cut(strength: Floats) -> Ints:
    """Bar numbers at which phrases start, then the number of bars."""
    count = len(strength)
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(count + 1, np.int64)
    gain = np.append(strength, 0.0)
    for b in range(1, count + 1):
        lengths = LENGTHS[:b]
        value = best[b - lengths] - LENGTH_COST[:b]
        pick = int(value.argmax())
        best[b] = value[pick] + gain[b]
        back[b] = b - lengths[pick]
    cuts = [count]
    while cuts[-1] > 0:
        cuts.append(int(back[cuts[-1]]))
    return np.array(cuts[::-1], np.int64)


def _labels(starts: Ints, pitch: Floats, rhythm: Floats, upper: Ints) -> list[str]:
    """Letters by material: the first phrase of a kind names it, a variant has a prime."""
    lengths = np.diff(np.append(starts, len(pitch)))
    cells = pitch / np.maximum(np.linalg.norm(pitch, axis=2, keepdims=True), 1e-9)
    free = np.abs(np.fft.rfft(cells, axis=2))[:, :, 1:]
    beat = _unit(rhythm)
    labels = [""] * len(starts)
    letters: list[int] = []  # first phrase of each letter
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        rows = starts[members][:, None] + np.arange(length)
        exact = _unit(cells[rows])
        loose = np.concatenate([_unit(free[rows]) * 0.6, _unit(beat[rows]) * 0.8], axis=1)
        like, vary = exact @ exact.T, loose @ loose.T
        tune = _unit(beat[rows]) @ _unit(beat[rows]).T
        lines = upper[rows].reshape(len(members), -1)
        for i, member in enumerate(members):
            earlier = np.arange(i)
            same = earlier[(like[i, :i] >= SAME) & (tune[i, :i] >= SAME)]
            alike = (like[i, :i] >= VARIED) & (tune[i, :i] >= VARIED) | (vary[i, :i] >= 0.97)
            variant = earlier[alike | (_same_tune(lines[i], lines[:i]) >= TUNE)]
            if len(same):
                labels[member] = f"={members[same[0]]}"
            elif len(variant):
                labels[member] = f"~{members[variant[int(np.argmax(like[i, variant]))]]}"
    for i, name in enumerate(labels):
        if not name:
            labels[i] = _letter(len(letters))
            letters.append(i)
        else:
            model = labels[int(name[1:])]
            labels[i] = model if name[0] == "=" else model.rstrip("'") + "'"
    return labels


def _letter(number: int) -> str:
    """A..Z, AA, AB ..."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
