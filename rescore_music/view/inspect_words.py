"""A cue in plain words: what a colleague would say of it after one hearing with the score.

Bars are counted as a printed score does (an upbeat is bar 0). Each sentence says one thing and is left out where there
is nothing to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise

import numpy as np

from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.view.inspect_names import key_at, line_name, meters, part_name, spelled_keys
from rescore_music.view.inspect_roles import interval_words

MOST = 8  # items of a list before it is cut short
_FULLEST = 0.9  # share of the highest intensity that counts as a climax


def summary(score: Score, analysis: Analysis) -> list[str]:
    """Sentences about length, keys, form, melody, bass, cadences, intensity and motifs.

    Parameters
    ----------
    score : Score
    analysis : Analysis
        Of this score.

    Returns
    -------
    list of str, plain text
    """
    if not len(score.notes):
        return ["There is no note in this cue."]
    return [
        sentence
        for sentence in (
            " ".join(s for s in (_size(score), _upbeat(score), _tempo(score)) if s),
            _keys(score, analysis),
            _form(score, analysis),
            _role(score, analysis, Role.MELODY, "Melody"),
            _role(score, analysis, Role.BASS, "Bass"),
            _cadences(score, analysis),
            _climax(score, analysis),
            _motifs(score, analysis),
        )
        if sentence
    ]


def bars(score: Score, start: int, end: int) -> str:
    """A span as "bar 3" or "bars 3–8"."""
    first, last = bar(score, start), bar(score, max(end - 1, start))
    return f"bar {first}" if first == last else f"bars {first}–{last}"


def bar(score: Score, tick: int) -> int:
    """The bar that holds a tick, as a printed score counts."""
    return int(score.bar_number(tick))


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds: "2:07"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def tempo_range(score: Score) -> tuple[float, float]:
    """Slowest and fastest tempo that is kept for a fiftieth of the cue, in quarters a minute."""
    end = float(score.bars[-1])
    starts = np.append(score.tempo.ticks[score.tempo.ticks < end], end)
    kept = np.diff(score.seconds(starts)) >= score.duration / 50
    if not kept.any():
        kept[:] = True
    rows = np.flatnonzero(kept)
    us = np.concatenate([score.tempo.us[rows], score.tempo.us_end[rows]])
    return float(6e7 / us.max()), float(6e7 / us.min())


def _size(score: Score) -> str:
    found = meters(score)
    names = list(dict.fromkeys(f"{n}/{d}" for _, n, d in found))
    meter = names[0] if len(names) == 1 else f"meters {_listed(names, 4, joint=', ')}"
    playing = len(np.unique(score.notes["part"]))
    who = f"{playing} part{'s' if playing > 1 else ''}"
    silent = len(score.parts) - playing
    if silent:
        who += f" ({silent} more are silent)"
    count = len(score.bars) - 1
    length = f"{count} bar{'s' if count > 1 else ''} in {meter}, {clock(score.duration)} long"
    return f"{length}, for {who}; {len(score.notes):,} notes."


def _upbeat(score: Score) -> str:
    number, before = (int(column[0]) for column in score.numbered)
    return f"It begins with an upbeat, bar {number}." if before else ""


def _tempo(score: Score) -> str:
    slow, fast = tempo_range(score)
    if fast - slow < 0.5:
        return f"The tempo is ♩ = {slow:.3g} throughout."
    return f"The tempo moves between ♩ = {slow:.3g} and {fast:.3g}."


def _keys(score: Score, analysis: Analysis) -> str:
    if not analysis.keys:
        return ""
    signs = spelled_keys(score, analysis)
    names = [(key_at(analysis, signs, k.start), k) for k in analysis.keys]
    first = names[0][0]
    if len(names) == 1:
        return f"It is in {first} throughout."
    moves = [f"{name} at bar {bar(score, k.start)}" for name, k in names[1:]]
    if len(moves) <= MOST:
        return f"It begins in {first} and moves to {_listed(moves, joint=', ')}."
    shares = _shares((name, k.end - k.start) for name, k in names)
    return f"It begins in {first}, ends in {names[-1][0]} and changes key {len(moves)} times: {shares}."


def _shares(spans: Iterable[tuple[str, int]], most: int = 4) -> str:
    """What takes how much of the time: "D major 54 %, B♭ major 12 %"."""
    time: Counter[str] = Counter()
    for name, length in spans:
        time[name] += length
    total = max(sum(time.values()), 1)
    told = [f"{name} {length / total:.0%}" for name, length in time.most_common(most) if length * 50 >= total]
    return ", ".join(told) + (" of the time" if told else "")


def _form(score: Score, analysis: Analysis) -> str:
    spans: Sequence[tuple[int, int, str]] = [(s.start, s.end, s.label) for s in analysis.sections]
    phrases = [p.label for p in analysis.phrases if p.label]
    if len(spans) > 1:
        told = [f"{label} ({bars(score, a, b).split()[-1]})" for a, b, label in spans]
        return f"Its form: {_listed(told, 14, joint=', ')} (bars in brackets)."
    if len(phrases) > 24:
        return f"It falls into {len(phrases)} phrases."
    return f"Its phrases: {' '.join(phrases)}." if len(phrases) > 1 else ""


def _role(score: Score, analysis: Analysis, role: Role, title: str) -> str:
    """Who has a role when, neighbouring phrases of one line joined, with those who double it."""
    rows = [(_leader(analysis, p, role), p) for p in range(len(analysis.phrases))]
    runs: list[tuple[int, list[int]]] = []
    for line, group in groupby(rows, key=lambda row: row[0]):
        runs.append((line, [p for _, p in group]))
    heard = [run for run in runs if run[0] >= 0]
    if not heard:
        return ""
    if len(runs) == 1:
        return f"{title}: {line_name(score, analysis, heard[0][0])} throughout{_doubled(score, analysis, *heard[0])}."
    told = []
    for line, phrases in heard[: MOST if len(heard) <= MOST else 3]:
        where = bars(score, analysis.phrases[phrases[0]].start, analysis.phrases[phrases[-1]].end)
        told.append(f"{line_name(score, analysis, line)} ({where}){_doubled(score, analysis, line, phrases)}")
    if len(heard) <= MOST:
        return f"{title}: {'; '.join(told)}."
    length = [p.end - p.start for p in analysis.phrases]
    shares = _shares((line_name(score, analysis, line), sum(length[p] for p in own)) for line, own in heard)
    changes = sum(a != b for (a, _), (b, _) in pairwise(heard))
    passes = f"it changes hands {changes} times" if changes > 1 else "it rests between"
    return f"{title}: {shares}; {passes}, first {'; '.join(told)}."


def _leader(analysis: Analysis, phrase: int, role: Role) -> int:
    """The line that has a role in a phrase and doubles no other; -1 for none."""
    mask = analysis.roles[:, phrase] == role
    if analysis.doubles.shape == analysis.roles.shape:
        mask &= analysis.doubles[:, phrase] < 0
    lines = np.flatnonzero(mask)
    return int(lines[int(np.argmax(analysis.confidence[lines, phrase]))]) if len(lines) else -1


def _doubled(score: Score, analysis: Analysis, line: int, phrases: Sequence[int]) -> str:
    """Who doubles a line in most of these phrases."""
    if analysis.doubles.shape != analysis.roles.shape:
        return ""
    share = (analysis.doubles[:, phrases] == line).mean(axis=1)
    told = []
    for other in np.flatnonzero(share > 0.5).tolist():
        how = ""
        if analysis.intervals.shape == analysis.roles.shape:
            intervals = analysis.intervals[other, phrases][analysis.doubles[other, phrases] == line]
            values, counts = np.unique(intervals, return_counts=True)
            how = " " + interval_words(int(values[int(counts.argmax())]))
        told.append(line_name(score, analysis, other) + how)
    return f" with {_listed(told, 4, joint=', ')}" if told else ""


def _cadences(score: Score, analysis: Analysis) -> str:
    if not analysis.cadences:
        return ""
    signs = spelled_keys(score, analysis)
    told = [f"{c.kind} at bar {bar(score, c.tick)} in {key_at(analysis, signs, c.tick)}" for c in analysis.cadences]
    if len(told) <= MOST:
        return f"Cadences: {_listed(told)}."
    kinds = Counter(c.kind for c in analysis.cadences)
    return f"Cadences: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}; the last is {told[-1]}."


def _climax(score: Score, analysis: Analysis) -> str:
    curve = analysis.intensity
    sounding = np.flatnonzero(curve > 0)
    if len(sounding) < 4 or float(curve.max() - curve[sounding].min()) < 0.1:
        return ""
    top = curve >= _FULLEST * curve.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], top, [False]]).astype(np.int8)))
    spans = sorted(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True), key=lambda s: s[0] - s[1])[:1]
    a, b = spans[0]
    fullest = bars(score, int(score.bars[a]), int(score.bars[b]))
    low = int(sounding[int(np.argmin(curve[sounding]))])
    return f"It is fullest in {fullest} and calmest in bar {bar(score, int(score.bars[low]))}."


def _motifs(score: Score, analysis: Analysis) -> str:
    chosen = sorted(analysis.motifs, key=lambda m: -m.weight)[:1]
    if not chosen or not chosen[0].occurrences:
        return ""
    motif = chosen[0]
    first = motif.occurrences[0]
    part = part_name(score, int(score.notes["part"][first.notes[0]]))
    where = bars(score, first.start, first.end)
    return f"Its leading motif ({motif.name}), first in {part} ({where}), returns {len(motif.occurrences) - 1} times."


def _listed(texts: Iterable[str], most: int = MOST, *, joint: str = "; ") -> str:
    listed = list(texts)
    if len(listed) > most:
        return joint.join(listed[:most]) + f"{joint}and {len(listed) - most} more"
    return joint.join(listed)
