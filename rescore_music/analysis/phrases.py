"""Phrases: the spans between seams, and which of them are the same.

Where the seams lie is found in `seams` for songs and hymns, which breathe together, and in `periods` for all other
music. Two phrases with the same length in bars share a label if their pitch classes
lie alike in the bars ("A"); if only rhythm and the transposition-free content agree, or part of it, or their upper
lines agree at some transposition (the theme comes back in another key or over another accompaniment), the later one is
a variant ("A'").

Conventions: ticks; a phrase counts its bars from its first bar line, an upbeat of up to three quarters of a bar being
left to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis import seams
from rescore_music.analysis.frames import coverage, span_of
from rescore_music.analysis.likeness import unit
from rescore_music.analysis.periods import is_song, period_starts
from rescore_music.score import Score
from rescore_music.structure import KeySpan, Phrase

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UPBEAT = 0.25  # of a bar may go by before a phrase is counted from the next bar line
SLOTS = 16  # places in a bar at which rhythm is compared
CELLS = 4  # parts of a bar in which pitch classes are compared
SAME, VARIED = 0.93, 0.80  # likeness of two phrases with the same label; with a prime
TUNE = 0.75  # share of the notes of the sparser of two upper lines at which they agree, for a prime
MODELS = 400  # phrases before one, of its length, that it is held against
TUNE_NOTES = 6  # that a tune has at least


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
    pitch, rhythm = contents(score, bars)
    if is_song(score):
        places = seams.candidates(score)
        places = places[places < length]
        evidence = seams.bar_evidence(score, bars, keys, pitch, rhythm)
        strength = seams.strengths(score, bars, places, evidence)
        starts = seams.best_cut(score, bars, places, strength, length)
    else:
        pickup = seams.pickup_of(bars)
        skip = int(pickup > 0)  # the upbeat belongs to the first phrase, and every later seam has room for its own
        starts = period_starts(score, bars[skip:], pickup, pitch[skip:], rhythm[skip:], keys)
    return _labelled(score, starts, bars, pitch, rhythm)


def cut_phrases(score: Score, phrases: tuple[Phrase, ...], ticks: tuple[int, ...]) -> tuple[Phrase, ...]:
    """The phrases cut at further ticks and labelled anew; the same ones where there are none."""
    if not ticks:
        return phrases
    bars = score.bars
    bars = bars[: max(int(np.searchsorted(bars, score.length)), 1) + 1]
    starts = np.unique([*(p.start for p in phrases), *ticks])
    return _labelled(score, starts, bars, *contents(score, bars))


def _labelled(score: Score, starts: Ints, bars: Ints, pitch: Floats, rhythm: Floats) -> tuple[Phrase, ...]:
    """The phrases that begin at some ticks, with their labels; `pitch` and `rhythm` as `contents` gives them."""
    first = np.ceil(seams.in_bars(starts, bars) - UPBEAT).astype(np.int64)
    first[0] = min(1, len(bars) - 2) if seams.pickup_of(bars) else 0
    labels = _labels(np.minimum(first, len(bars) - 2), pitch, rhythm, upper_line(score, bars))
    edges = np.append(starts, score.length)
    return tuple(Phrase(int(edges[i]), int(edges[i + 1]), labels[i]) for i in range(len(starts)))


def contents(score: Score, bars: Ints) -> tuple[Floats, Floats]:
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


def upper_line(score: Score, bars: Ints) -> Ints:
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
    here = line > 0
    old = earlier[:, here]  # only where the line has a note can the two agree
    row, at = np.nonzero(old)
    interval = (line[here][at] - old[row, at]) % 12
    most = np.bincount(row * 12 + interval, minlength=12 * len(earlier)).reshape(-1, 12).max(axis=1)
    fewer = np.minimum((earlier > 0).sum(axis=1), int(here.sum()))
    return np.where(most >= TUNE_NOTES, most / np.maximum(fewer, 1), 0.0)


def _labels(starts: Ints, pitch: Floats, rhythm: Floats, upper: Ints) -> list[str]:
    """Letters by material: the first phrase of a kind names it, a variant has a prime."""
    lengths = np.maximum(np.diff(np.append(starts, len(pitch))), 1)
    cells = pitch / np.maximum(np.linalg.norm(pitch, axis=2, keepdims=True), 1e-9)
    free = np.abs(np.fft.rfft(cells, axis=2))[:, :, 1:]
    beat = unit(rhythm)
    labels = [""] * len(starts)
    letters: list[int] = []  # first phrase of each letter
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        rows = np.minimum(starts[members][:, None] + np.arange(length), len(pitch) - 1)
        exact = unit(cells[rows])
        loose = np.concatenate([unit(free[rows]) * 0.6, unit(beat[rows]) * 0.8], axis=1)
        tune = unit(beat[rows])
        lines = upper[rows].reshape(len(members), -1)
        for i, member in enumerate(members):
            earlier = np.arange(max(0, i - MODELS), i)
            like, beats_alike = exact[earlier] @ exact[i], tune[earlier] @ tune[i]
            same = earlier[(like >= SAME) & (beats_alike >= SAME)]
            if not len(same):
                alike = (like >= VARIED) & (beats_alike >= VARIED) | (loose[earlier] @ loose[i] >= 0.97)
                variant = earlier[alike | (_same_tune(lines[i], lines[earlier]) >= TUNE)]
            if len(same):
                labels[member] = f"={members[same[0]]}"
            elif len(variant):
                labels[member] = f"~{members[variant[int(np.argmax(exact[variant] @ exact[i]))]]}"
    for i, name in enumerate(labels):
        if not name:
            labels[i] = letter(len(letters))
            letters.append(i)
        else:
            model = labels[int(name[1:])]
            labels[i] = model if name[0] == "=" else model.rstrip("'") + "'"
    return labels


def letter(number: int) -> str:
    """A..Z, AA, AB ..."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
