"""Roles: what every line does in every phrase.

The melody of a phrase is the line that leads most of its bars (`melody`); lines that play the same notes at the unison
or octave double it. The bass is a bass instrument near the bottom, or else the line that lies lowest where it plays,
below the melody. What is left is weighed by a small table of evidence: figuration is quick, even and keeps to few
pitches; a counter-melody is a single line that moves by step, varies its rhythm and has onsets of its own; harmony is
slow, repeated or in chords.

Conventions: arrays of shape (phrases, lines) inside, (lines, phrases) in the result, as in `Analysis`. A line that
doubles another has that line's role and names it in `doubles`: exactly one line with the role MELODY doubles none.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.clues import bass_instruments
from rescore_music.analysis.features import Texture
from rescore_music.score import Score
from rescore_music.structure import Line, Phrase, Role

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DOUBLES_OWN, DOUBLES_OTHER = 0.8, 0.5  # share of its own, and of the other line's, notes that a doubling line shares
BASS_SHARE, BASS_PITCH = 0.4, 64  # lies lowest in so many of the beats it plays in; mean pitch at most (E4)
FIFTH = 7
COUNTERS = 2  # counter-melodies a listener follows beside the melody


def assign_roles(
    score: Score,
    lines: tuple[Line, ...],
    line_of: npt.NDArray[np.int32],
    phrases: tuple[Phrase, ...],
    texture: Texture,
    odds: Floats,
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Role, confidence and doubled line of every line in every phrase.

    Parameters
    ----------
    score : Score
    lines : tuple of Line
    line_of : int32 array, shape (notes,)
    phrases : tuple of Phrase
    texture : Texture
        Over the phrases.
    odds : float64 array, shape (bars, lines)
        Log probability of each line to lead in each bar, from `melody_odds`.

    Returns
    -------
    roles, confidence, doubles : int8, float32, int32 arrays, shape (lines, phrases)
    """
    shape = (len(phrases), len(lines))
    percussion = np.array([score.parts[line.part].percussion for line in lines], bool)
    active = texture.active
    pitched = active & ~percussion
    roles = np.where(active, int(Role.HARMONY), int(Role.REST)).astype(np.int8)
    roles[active & percussion] = int(Role.PERCUSSION)
    sure = np.where(active, 1.0, 0.0)
    lead = _leading(score, phrases, odds, pitched)
    shared = _shared_notes(score, line_of, phrases, shape)
    doubles = np.full(shape, -1, np.int32)
    evidence, weights = _evidence(texture, lead)
    trade = bass_instruments(lines, score.parts)
    for p in np.flatnonzero(pitched.any(axis=1)).tolist():
        here = np.flatnonzero(pitched[p])
        melody = int(here[lead[p, here].argmax()])
        bass, low = _bass(texture, p, here, melody, shared[p], trade)
        doubles[p] = _doubling(shared[p], here, [melody] + ([bass] if bass >= 0 else []))
        roles[p, here] = evidence[p, here]
        sure[p, here] = weights[p, here]
        _limit_counters(roles[p], evidence[p], lead[p], here, melody, doubles[p])
        roles[p, melody], sure[p, melody] = int(Role.MELODY), lead[p, melody] / max(lead[p, here].sum(), 1e-9)
        if bass >= 0:
            roles[p, bass], sure[p, bass] = int(Role.BASS), low
        for line in here[doubles[p, here] >= 0]:
            roles[p, line] = roles[p, doubles[p, line]]
            sure[p, line] = shared[p][line, doubles[p, line]] / max(shared[p][line, line], 1)
    return roles.T.copy(), np.clip(sure, 0, 1).astype(np.float32).T.copy(), doubles.T.copy()


def _leading(score: Score, phrases: tuple[Phrase, ...], odds: Floats, pitched: Flags) -> Floats:
    """Mean probability of each line to lead over the bars of each phrase."""
    starts = np.array([p.start for p in phrases])
    middle = (score.bars[:-1] + score.bars[1:]) // 2
    phrase = np.clip(np.searchsorted(starts, middle, side="right") - 1, 0, len(phrases) - 1)
    chance = np.where(np.isfinite(odds), np.exp(np.maximum(odds, -30)), 0.0)
    total = np.zeros(pitched.shape)
    np.add.at(total, phrase, chance)
    total /= np.maximum(np.bincount(phrase, minlength=len(phrases)), 1)[:, None]
    return np.where(pitched, total + 1e-6, 0.0)


def _shared_notes(
    score: Score, line_of: npt.NDArray[np.int32], phrases: tuple[Phrase, ...], shape: tuple[int, int]
) -> list[Ints]:
    """Per phrase a (lines, lines) table: notes of equal onset and pitch class that two lines have in common."""
    onset = score.notes["onset"]
    starts = np.array([p.start for p in phrases] + [np.iinfo(np.int64).max])
    notes = np.flatnonzero(score.pitched)
    notes = notes[np.argsort(onset[notes], kind="stable")]
    key = onset[notes] * 12 + score.notes["pitch"][notes] % 12
    cuts = np.searchsorted(onset[notes], starts)
    tables = []
    for p in range(shape[0]):
        a, b = cuts[p], cuts[p + 1]
        if a == b:
            tables.append(np.zeros((0, 0), np.int64))
            continue
        names, which = np.unique(key[a:b], return_inverse=True)
        table = np.zeros((shape[1], len(names)), np.float32)
        table[line_of[notes[a:b]], which.reshape(-1)] = 1
        tables.append(np.rint(table @ table.T).astype(np.int64))
    return tables


def _bass(texture: Texture, p: int, here: Ints, melody: int, shared: Ints, trade: Flags) -> tuple[int, float]:
    """The bass line of a phrase and how sure it is, or -1."""
    own = np.maximum(np.diag(shared), 1)
    follows = shared[:, melody] >= DOUBLES_OWN * own
    rest = here[(here != melody) & ~follows[here]]
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


def _doubling(shared: Ints, here: Ints, first: list[int]) -> npt.NDArray[np.int32]:
    """For each line the line it doubles, the melody before the bass before the others; -1 for none."""
    own = np.maximum(np.diag(shared), 1)
    alike = (shared >= DOUBLES_OWN * own[:, None]) & (shared >= DOUBLES_OTHER * own[None, :])
    doubles = np.full(len(own), -1, np.int32)
    leaders = list(first)
    for line in here:
        if line in first:
            continue
        model = next((leader for leader in leaders if alike[line, leader]), -1)
        if model >= 0:
            doubles[line] = model
        else:
            leaders.append(int(line))
    return doubles


def _evidence(texture: Texture, lead: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
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
