"""Roles: what every line does in every phrase.

The melody of a phrase is the line that leads most of its bars (`melody`); lines that play the same notes at the unison
or octave double it (`doubling`). The bass is a bass instrument near the bottom, or else the line that lies lowest where
it plays, below the melody. What is left is weighed by a small table of evidence: figuration is quick, even and keeps to
few pitches, or shows a figure (`figures`); a counter-melody is a single line that moves by step, varies its rhythm and
has onsets of its own; harmony is slow, repeated or in chords.

Conventions: arrays of shape (phrases, lines) inside, (lines, phrases) in the result, as in `Analysis`. A line that
doubles another has that line's role and names it in `doubles`: exactly one line with the role MELODY doubles none. A
line that follows another at thirds or sixths keeps a role of its own and names it in `parallels`. The melody's
confidence is the chance that the tune is heard in it, which `benchmarks/bench_melody.py` holds against how often it is;
that of the others is the weight of the chosen role against the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.clues import bass_instruments
from rescore_music.analysis.doubling import (
    DOUBLES_OTHER,
    DOUBLES_OWN,
    Moments,
    doubling_pairs,
    following_pairs,
    interval,
    moments_of,
)
from rescore_music.analysis.features import Texture
from rescore_music.analysis.figures import line_patterns
from rescore_music.analysis.melody import Odds
from rescore_music.score import Score
from rescore_music.structure import Line, Pattern, Phrase, Role

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BASS_SHARE, BASS_PITCH = 0.4, 64  # lies lowest in so many of the beats it plays in; mean pitch at most (E4)
FIFTH = 7
COUNTERS = 2  # counter-melodies a listener follows beside the melody
FIGURES = (Pattern.ARPEGGIO, Pattern.OSTINATO, Pattern.TREMOLO)
FIGURE, STATIC = 1.0, 0.8  # what a figure says for figuration, and held or repeated notes for harmony


@dataclass(frozen=True, eq=False)
class Roles:
    """What `assign_roles` finds; every array has shape (lines, phrases). See `Analysis`."""

    roles: npt.NDArray[np.int8]
    confidence: npt.NDArray[np.float32]
    doubles: npt.NDArray[np.int32]
    parallels: npt.NDArray[np.int32]
    intervals: npt.NDArray[np.int16]
    patterns: npt.NDArray[np.int8]


def assign_roles(
    score: Score,
    lines: tuple[Line, ...],
    line_of: npt.NDArray[np.int32],
    phrases: tuple[Phrase, ...],
    texture: Texture,
    odds: Odds,
    tops: Ints,
) -> Roles:
    """Role, confidence, pattern, doubled and followed line of every line in every phrase.

    Parameters
    ----------
    score : Score
    lines : tuple of Line
    line_of : int32 array, shape (notes,)
    phrases : tuple of Phrase
    texture : Texture
        Over the phrases.
    odds : Odds
        Of each line in each bar, from `melody_odds`.
    tops : int64 array
        `top_notes(score, line_of)`.
    """
    shape = (len(phrases), len(lines))
    percussion = np.array([score.parts[line.part].percussion for line in lines], bool)
    active = texture.active
    pitched = active & ~percussion
    roles = np.where(active, int(Role.HARMONY), int(Role.REST)).astype(np.int8)
    roles[active & percussion] = int(Role.PERCUSSION)
    sure = np.where(active, 1.0, 0.0)
    lead = leading(score, phrases, odds.own, pitched)
    heard = leading(score, phrases, odds.shared, pitched)
    patterns = line_patterns(score, len(lines), line_of, phrases, texture, tops)
    doubles, parallels = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    intervals = np.zeros(shape, np.int16)
    evidence, weights = _evidence(texture, lead, patterns)
    trade = bass_instruments(lines, score.parts)
    edges = np.array([p.start for p in phrases] + [np.iinfo(np.int64).max])
    for p, m in enumerate(moments_of(score, line_of, edges)):
        here = m.lines
        if not len(here):
            continue
        melody = int(here[heard[p, here].argmax()])
        bass, low = _bass(texture, p, m, melody, trade)
        _name_pairs(m, [melody] + ([bass] if bass >= 0 else []), doubles[p], parallels[p], intervals[p])
        roles[p, here] = evidence[p, here]
        sure[p, here] = weights[p, here]
        _limit_counters(roles[p], evidence[p], lead[p], here, melody, doubles[p])
        roles[p, melody], sure[p, melody] = int(Role.MELODY), heard[p, melody]
        if bass >= 0:
            roles[p, bass], sure[p, bass] = int(Role.BASS), low
        for i, line in enumerate(here.tolist()):
            if doubles[p, line] >= 0:
                model = int(doubles[p, line])
                roles[p, line] = roles[p, model]
                sure[p, line] = m.shared[i, int(np.searchsorted(here, model))] / max(m.shared[i, i], 1)
    return Roles(
        roles=roles.T.copy(),
        confidence=np.clip(sure, 0, 1).astype(np.float32).T.copy(),
        doubles=doubles.T.copy(),
        parallels=parallels.T.copy(),
        intervals=intervals.T.copy(),
        patterns=patterns.T.copy(),
    )


def leading(score: Score, phrases: tuple[Phrase, ...], odds: Floats, pitched: Flags) -> Floats:
    """Mean probability of each line to lead over the bars of each phrase."""
    starts = np.array([p.start for p in phrases])
    middle = (score.bars[:-1] + score.bars[1:]) // 2
    phrase = np.clip(np.searchsorted(starts, middle, side="right") - 1, 0, len(phrases) - 1)
    chance = np.where(np.isfinite(odds), np.exp(np.clip(odds, -30, 0)), 0.0)
    total = np.zeros(pitched.shape)
    np.add.at(total, phrase, chance)
    total /= np.maximum(np.bincount(phrase, minlength=len(phrases)), 1)[:, None]
    return np.where(pitched, total + 1e-6, 0.0)


def _bass(texture: Texture, p: int, m: Moments, melody: int, trade: Flags) -> tuple[int, float]:
    """The bass line of a phrase and how sure it is, or -1."""
    tune = m.pitch[int(np.searchsorted(m.lines, melody))]
    struck = m.pitch >= 0
    along = (struck & (tune >= 0) & ((m.pitch - tune) % 12 == 0)).sum(axis=1)
    # the tune itself; a bass may share the chords that are struck with it, or a few of its tones
    follows = (along >= DOUBLES_OWN * struck.sum(axis=1)) & (along >= DOUBLES_OTHER * np.count_nonzero(tune >= 0))
    rest = m.lines[(m.lines != melody) & ~follows]
    if not len(rest):
        return -1, 0.0
    low, pitch = texture.lowest[p, rest], texture.pitch[p, rest]
    present = np.maximum(texture.present[p, rest], 1e-9)
    worth = low + 0.5 * low / present - 0.02 * (pitch - pitch.min())
    near = trade[rest] & (present >= 0.3) & (pitch <= pitch.min() + FIFTH)
    if near.any():  # a bass player plays the bass, even where another hand touches lower notes
        best = int(rest[near][int(worth[near].argmax())])
        return best, 0.6 + 0.4 * float(min(texture.lowest[p, best] / texture.present[p, best], 1))
    best = int(rest[int(worth.argmax())])
    share = float(texture.lowest[p, best] / texture.present[p, best]) if texture.present[p, best] > 0 else 0.0
    deep = texture.pitch[p, best] <= BASS_PITCH and texture.pitch[p, best] < texture.pitch[p, melody]
    enough = share >= BASS_SHARE and texture.lowest[p, best] >= BASS_SHARE / 2
    return (best, 0.5 + share / 2) if enough and deep else (-1, 0.0)


def _name_pairs(
    m: Moments,
    first: list[int],
    doubles: npt.NDArray[np.int32],
    parallels: npt.NDArray[np.int32],
    intervals: npt.NDArray[np.int16],
) -> None:
    """Enters for each line of a span the line it doubles or follows: the melody before the bass before the others."""
    alike, parallel = doubling_pairs(m), following_pairs(m)
    at = {int(line): i for i, line in enumerate(m.lines)}
    leaders = [at[line] for line in first]
    for i in [i for i in range(len(m.lines)) if i not in leaders]:
        model = next((leader for leader in leaders if alike[i, leader]), -1)
        if model < 0:
            leaders.append(i)
        else:
            doubles[m.lines[i]] = m.lines[model]
            intervals[m.lines[i]] = interval(m, i, model, True)
    for rank, i in enumerate(leaders):
        model = next((leader for leader in leaders[:rank] if parallel[i, leader]), -1)
        if model >= 0:
            parallels[m.lines[i]] = m.lines[model]
            intervals[m.lines[i]] = interval(m, i, model, False)


def _evidence(texture: Texture, lead: Floats, patterns: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], Floats]:
    """Figuration, counter-melody or harmony by weight of evidence, and the share of the winner."""
    t = texture
    onsets, moves = np.maximum(t.onsets, 1), np.maximum(t.moves, 1)
    rate = t.onsets / np.maximum(t.quarters * np.maximum(t.sounding, 0.25), 1e-9)
    even = t.most_value / moves
    few = 1 - np.minimum(t.variety / onsets, 1)
    repeated, steps = t.repeated / moves, t.steps / moves
    chords = np.clip(t.notes / onsets - 1, 0, 2)
    alone = 1 / (1 + t.same_onset)
    best = np.maximum(lead.max(axis=1, keepdims=True), 1e-9)
    tune = np.clip(1 + np.log10(np.maximum(lead / best, 1e-4)) / 2, 0, 1)  # 1 like the melody, 0 at a hundredth
    quick = np.clip(rate - 1.5, -1.5, 1.5)
    figuration = 1.1 * quick + 1.5 * (even - 0.6) + 1.5 * (few - 0.4) - 0.8 * chords
    counter = 1.6 * tune + 1.2 * steps + 0.9 * alone - 1.5 * repeated - 1.2 * chords + 0.5 * (t.values >= 2) - 1.2
    harmony = 0.9 * repeated * (rate < 2.5) + 0.9 * chords - 0.7 * np.clip(rate - 1, -1, 1) + 0.3
    figuration += FIGURE * np.isin(patterns, FIGURES)
    harmony += STATIC * np.isin(patterns, (Pattern.SUSTAINED, Pattern.REPEATED)) * (1 - tune)
    stack = np.stack([counter, harmony, figuration])
    chance = np.exp(stack - stack.max(axis=0))
    chance /= chance.sum(axis=0)
    names = np.array([Role.COUNTER_MELODY, Role.HARMONY, Role.FIGURATION], np.int8)
    return names[chance.argmax(axis=0)], np.asarray(chance.max(axis=0), np.float64)


def _limit_counters(
    roles: npt.NDArray[np.int8],
    evidence: npt.NDArray[np.int8],
    lead: Floats,
    here: Ints,
    melody: int,
    doubles: npt.NDArray[np.int32],
) -> None:
    """Leaves the two likeliest counter-melodies; further ones are harmony."""
    counters = here[(evidence[here] == Role.COUNTER_MELODY) & (here != melody) & (doubles[here] < 0)]
    for line in counters[np.argsort(-lead[counters], kind="stable")][COUNTERS:]:
        roles[line] = int(Role.HARMONY)
