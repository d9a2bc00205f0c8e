"""Form: sections with labels (A, B, A'), from what comes back and what changes.

Bars are compared with bars (pitch classes by quarter of the bar, and rhythm). A passage heard again shows as a run of
like bars at one distance: its ends are where sections begin and end. So do places where what goes before differs from
what comes after over some eight bars (Foote's novelty), changes of key, meter and tempo, marked seams, and most of all
repeat signs and double bars, where there are any. The sections are the cut, at phrase starts, with the greatest sum of
evidence less the cost of each length, by dynamic programming.

Two sections share a label if their bars are alike one by one ("A", "A"); where only part of them is, or at another
pitch, the later one has a prime ("A'").

Conventions: bars are those of `score.bars`; very long pieces are compared in groups of bars. Parameters were chosen on
half of the movements of `benchmarks/bench_form.py --sections`.

Sources: J. Foote, "Automatic Audio Segmentation Using a Measure of Audio Novelty" (2000); M. Goto, "A Chorus Section
Detection Method" (2006), for repeated sections as runs at one lag; J. Paulus and A. Klapuri (2009), for the cost view.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.likeness import LEAST_RUN, LIKE, MOST_BARS, RUN, bar_likeness, novelty, repetition
from rescore_music.analysis.phrases import contents, letter, upper_line
from rescore_music.analysis.seams import bar_evidence, in_bars
from rescore_music.score import Score
from rescore_music.structure import KeySpan, Phrase, Section

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AGAIN, CHANGE, LOCAL = 2.0, 0.77, 0.25  # weight of repetition, novelty, and what is told of single bars
SIGN = 1.5  # of a repeat sign or double bar, which the composer wrote
SIGNS = ("repeat-start", "repeat-end", "double")
SECTION, UNEVEN = 1.55, 0.2  # cost of a section, and of each octave of length from the usual
SHORT = 0.5  # of that cost in the shortest pieces
USUAL, FEWEST, PARTS = 20.0, 4.0, 3.5  # usual bars of a section, at least, and in pieces too short for so many of them
MODELS = 60  # earlier labels that a section is held against, the latest
SAME, VARIED = 0.9, 0.7  # mean likeness of two sections with one label; share of bars alike, for a prime


def find_sections(score: Score, phrases: tuple[Phrase, ...], keys: tuple[KeySpan, ...] = ()) -> tuple[Section, ...]:
    """Sections that tile the phrases.

    Parameters
    ----------
    score : Score
    phrases : tuple of Phrase
        Every section begins with one.
    keys : tuple of KeySpan, optional

    Returns
    -------
    tuple of Section
        `confidence` is how far the evidence at the section's start exceeds the cost of a section, 0 to 1.
    """
    if not phrases:
        return ()
    bars = score.bars
    bars = bars[: max(int(np.searchsorted(bars, score.length)), 1) + 1]
    starts = np.array([p.start for p in phrases], np.int64)
    first = np.clip(np.ceil(in_bars(starts, bars) - 0.25).astype(np.int64), 0, len(bars) - 2)
    first[0] = 0
    pitch, rhythm = contents(score, bars)
    group = -(-(len(bars) - 1) // MOST_BARS)
    alike = bar_likeness(pitch, rhythm, group)
    usual = float(np.clip((len(bars) - 1) / PARTS, FEWEST, USUAL))
    evidence = AGAIN * repetition(alike, min(usual, RUN)) + CHANGE * novelty(alike)
    evidence = np.repeat(evidence, group)[: len(bars) - 1]
    evidence += LOCAL * np.minimum(bar_evidence(score, bars, keys, pitch, rhythm), 2.0)
    evidence += SIGN * _signed(score, bars)
    gain = _near(evidence, first)
    cut = _best_cut(first, gain, len(bars) - 1, usual)
    edges = np.append(first[cut], len(bars) - 1) // group
    labels = _labels(alike, upper_line(score, bars), edges, group)
    ends = np.append(starts[cut][1:], phrases[-1].end)
    sure = 1 - np.exp(-np.maximum(gain[cut], 0) / SECTION)
    sure[0] = 1.0
    return tuple(Section(int(starts[c]), int(ends[i]), labels[i], float(sure[i])) for i, c in enumerate(cut.tolist()))


def _signed(score: Score, bars: Ints) -> Floats:
    """1 at each bar at whose beginning a repeat begins or ends, or a double bar stands."""
    ticks = np.array([m.tick for m in score.marks if m.kind == "barline" and m.text in SIGNS], np.int64)
    out = np.zeros(len(bars) - 1)
    out[np.searchsorted(bars[:-1], ticks[np.isin(ticks, bars[1:-1])])] = 1.0
    return out


def _near(evidence: Floats, first: Ints) -> Floats:
    """The evidence at each phrase start or a bar beside it, the latter counting somewhat less."""
    padded = np.pad(evidence, 1)
    beside = np.maximum(padded[first], padded[np.minimum(first + 2, len(padded) - 1)])
    return np.asarray(np.maximum(evidence[first], 0.8 * beside), np.float64)


def _best_cut(first: Ints, gain: Floats, end: int, usual: float) -> Ints:
    """Numbers of the phrases that begin the sections of the best cut."""
    edges = np.append(first, end).astype(np.float64)
    count = len(first)
    # in a short piece what comes back is short, and tells less
    section = SECTION * (1.0 if usual >= USUAL else max(usual / (1.2 * USUAL), SHORT))
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(count + 1, np.int64)
    for j in range(1, count + 1):
        lo = max(0, j - 64)
        length = np.maximum(edges[j] - edges[lo:j], 0.5)
        cost = section + UNEVEN * np.abs(np.log2(length / usual)) + 2.0 * (length < LEAST_RUN)
        value = best[lo:j] - cost
        pick = int(value.argmax())
        best[j] = value[pick] + (gain[j] if j < count else 0.0)
        back[j] = lo + pick
    cut = [int(back[-1])]
    while cut[-1] > 0:
        cut.append(int(back[cut[-1]]))
    return np.array(cut[::-1], np.int64)


def _labels(alike: Floats, upper: Ints, edges: Ints, group: int) -> list[str]:
    """Letters by material, a prime for a variant of an earlier section."""
    labels: list[str] = []
    models: list[int] = []  # the first section of each label
    letters = 0
    for i in range(len(edges) - 1):
        best, model = 0.0, -1
        here = (int(edges[i]), int(edges[i + 1]))
        for j in models[-MODELS:]:
            value = _match(alike, upper, (int(edges[j]), int(edges[j + 1])), here, group)
            if value > best:
                best, model = value, j
            if best >= SAME:
                break
        if best >= SAME:
            labels.append(labels[model])
        elif best >= VARIED:
            labels.append(labels[model].rstrip("'") + "'")
            models.append(i)
        else:
            labels.append(letter(letters))
            models.append(i)
            letters += 1
    return labels


def _match(alike: Floats, upper: Ints, one: tuple[int, int], two: tuple[int, int], group: int) -> float:
    """How far two sections are the same music: their bars one by one from the beginning, at most two bars shifted.

    Of sections of different length the shorter is laid along the longer, and the length they do not share counts
    against them by half.
    """
    a, b = one[1] - one[0], two[1] - two[0]
    best = 0.0
    for shift in (-2, -1, 0, 1, 2):
        x, y = one[0] + max(shift, 0), two[0] + max(-shift, 0)
        many = min(one[1] - x, two[1] - y)
        if many < max(1, LEAST_RUN // (2 * group)) or many < 0.4 * min(a, b):
            continue
        rows, columns = np.arange(x, x + many), np.arange(y, y + many)
        like = alike[rows, columns]
        share = float(np.mean(like >= LIKE))
        value = float(like.mean()) if share > 0.8 else share
        if group == 1:
            value = max(value, 0.85 * _tune(upper[rows], upper[columns]))
        best = max(best, value * (0.5 + 0.5 * many / max(a, b)))
    return best


def _tune(one: Ints, two: Ints) -> float:
    """Share of the notes of two upper lines that agree at the best transposition."""
    both = (one > 0) & (two > 0)
    if np.count_nonzero(both) < 12:
        return 0.0
    counts = np.bincount(((two - one)[both]) % 12, minlength=12)
    return float(counts.max() / max(min(int((one > 0).sum()), int((two > 0).sum())), 1))
