"""Onsets on the grid: each beat of each part gets the division that explains it best.

The notes of a part that sound together are one attack. For every beat of a part, the attacks are tried on eighths,
sixteenths, thirty-seconds, triplets and sextuplets (a compound beat: eighths, sixteenths, thirty-seconds, a duplet);
a division costs how far it moves the attacks, in units of the part's own timing noise, how rare the rhythm it yields
is in notated music (priors.PatternModel), and every attack that it would merge with another. What neighbouring beats
and other parts play in the same beat is heard too: triplets come together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.clusters import CHAIN, SPREAD
from rescore_music.quantizing.played import BeatGrid, Played
from rescore_music.quantizing.priors import SLOTS, pattern_model

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SIMPLE = (2, 4, 8, 3, 6)
COMPOUND = (3, 6, 12, 2, 4)
_USUAL = 3  # divisions of each list that are the meter's own
_PASSES = 4
_OWN = 0.5  # how much the music's own patterns count against those of all music
_EMPTY = 0.7  # nats of a beat whose only attack belongs to the next
_MERGED = 4.0  # nats an attack merged with another costs
_FAR = 20.0  # most that one misplaced attack counts
_EARLY = 0.03  # seconds
_TOGETHER = 0.3  # share of the evidence of other parts and neighbouring beats
_MOST = 6.0


def attack_groups(played: Played, beats: BeatGrid) -> Ints:
    """Attack number of each note, numbered by part and time: notes of one part struck within some hundredths."""
    if not len(played.onset):
        return np.zeros(0, np.int64)
    time = seconds_of(played.onset, beats)
    order = np.lexsort((time, played.part))
    part, sorted_time = played.part[order], time[order]
    new = np.ones(len(order), bool)
    new[1:] = (part[1:] != part[:-1]) | (np.diff(sorted_time) > CHAIN)
    group = np.cumsum(new) - 1
    late = sorted_time - sorted_time[new][group] > SPREAD
    new[1:] |= late[1:] & ~late[:-1] & (group[1:] == group[:-1])
    out = np.empty(len(order), np.int64)
    out[order] = np.cumsum(new) - 1
    return out


def seconds_of(places: Floats, beats: BeatGrid) -> Floats:
    """Time of places by the beats' lengths in seconds (from the first beat)."""
    beat = beats.beat_of(places)
    start = np.concatenate([[0.0], np.cumsum(beats.seconds)])[beat]
    return np.asarray(start + (places - beats.start[beat]) / beats.length[beat] * beats.seconds[beat], np.float64)


def snap_onsets(played: Played, beats: BeatGrid) -> tuple[Ints, Ints]:
    """Notated onset of each note, and the ticks of the division its beat got."""
    group = attack_groups(played, beats)
    size = np.bincount(group)
    place = np.bincount(group, weights=played.onset) / size
    part = np.zeros(len(size), np.int64)
    part[group] = played.part
    snapped, unit = _snap_attacks(place, part, beats)
    return snapped[group], unit[group]


def _snap_attacks(place: Floats, part: Ints, beats: BeatGrid) -> tuple[Ints, Ints]:
    beat = beats.beat_of(place)
    slack = np.minimum(_EARLY / beats.seconds[beat], 0.05) * beats.length[beat]
    beat = beats.beat_of(place + slack)  # an attack just before a beat is meant on it
    into = np.maximum((place - beats.start[beat]) / beats.length[beat], -0.05)
    cells = _Cells(into, beat, part, beats)
    noise = np.full(int(part.max()) + 1, 0.02)
    heard = cells.prior
    for _ in range(_PASSES):
        cost = cells.misfit(noise) + heard
        heard = cells.adapted(cost)
        off = (into - cells.chosen(cost)[1]) * beats.seconds[beat]
        moved = np.bincount(part, weights=np.minimum(np.abs(off), 0.035) ** 2)
        # what each part's noise is, pulled to 20 ms where there is little evidence
        noise = np.clip(np.sqrt((moved + 8 * 0.02**2) / (np.bincount(part) + 8)), 0.004, 0.04)
    division, where = cells.chosen(cells.together(cells.misfit(noise) + heard))
    snapped = beats.start[beat] + np.rint(where * beats.length[beat]).astype(np.int64)
    unit = np.maximum(beats.length[beat] // division, 1)
    snapped = np.minimum(snapped, beats.end - np.minimum(unit, beats.quarter // 8))
    return snapped, unit


class _Cells:
    """The beats of all parts that hold attacks, and what each division of the beat makes of them.

    Arrays have the shape (cells, divisions) or (attacks, divisions).
    """

    def __init__(self, into: Floats, beat: Ints, part: Ints, beats: BeatGrid) -> None:
        keys, self.cell = np.unique(part * (len(beats.start) + 2) + beat, return_inverse=True)
        self.into, self.part, self.scale = into, part, beats.seconds[beat]
        self.owner, self.beat = keys // (len(beats.start) + 2), keys % (len(beats.start) + 2)
        self.compound = beats.compound[self.beat]
        self.count = len(keys)
        self.division = np.where(self.compound[:, None], np.array(COMPOUND), np.array(SIMPLE))
        each = self.division[self.cell]
        self.step = np.maximum(np.rint(into[:, None] * each), 0).astype(np.int64)
        self.off = into[:, None] - self.step / each
        self.mask, self.merged = self._masks(np.rint(self.step * SLOTS / each).astype(np.int64))
        self.prior = np.where(
            self.mask == 0,
            _EMPTY,
            np.where(
                self.compound[:, None],
                pattern_model(True).costs(self.mask.ravel()).reshape(self.mask.shape),
                pattern_model(False).costs(self.mask.ravel()).reshape(self.mask.shape),
            ),
        )

    def _masks(self, slot: Ints) -> tuple[Ints, Ints]:
        """Which slots of each cell hold attacks, and how many attacks share one with another."""
        mask = np.zeros(self.division.shape, np.int64)
        merged = np.zeros(self.division.shape, np.int64)
        attacks = np.bincount(self.cell, minlength=self.count)
        for k in range(slot.shape[1]):
            once = np.unique(self.cell * (SLOTS + 1) + slot[:, k])
            merged[:, k] = attacks - np.bincount(once // (SLOTS + 1), minlength=self.count)
            inside = once[once % (SLOTS + 1) < SLOTS]  # the next beat's start is none of this one's
            np.bitwise_or.at(mask[:, k], inside // (SLOTS + 1), np.int64(1) << (inside % (SLOTS + 1)))
        return mask, merged

    def misfit(self, noise: Floats) -> Floats:
        """How far the attacks are moved, in nats, and how many are merged."""
        far = 0.5 * (self.off * (self.scale / noise[self.part])[:, None]) ** 2
        out = _MERGED * self.merged.astype(np.float64)
        for k in range(far.shape[1]):
            out[:, k] += np.bincount(self.cell, weights=np.minimum(far[:, k], _FAR), minlength=self.count)
        return out

    def adapted(self, cost: Floats) -> Floats:
        """Cost of the patterns after hearing how often they come in this very music."""
        share = np.exp(cost.min(axis=1, keepdims=True) - cost)
        share /= share.sum(axis=1, keepdims=True)
        kind, number = np.unique(self.mask * 2 + self.compound[:, None], return_inverse=True)
        number = number.reshape(self.mask.shape)
        total = np.bincount(number.ravel(), weights=share.ravel(), minlength=len(kind))
        own = np.stack([(share * (number == number[:, [k]])).sum(axis=1) for k in range(share.shape[1])], axis=1)
        heard = np.maximum(total[number] - own, 0.0) / self.count  # a beat is no evidence for its own pattern
        weight = _OWN * self.count / (self.count + 30)
        return np.asarray(-np.log((1 - weight) * np.exp(-self.prior) + weight * heard), np.float64)

    def together(self, cost: Floats) -> Floats:
        """The costs after hearing neighbouring beats and other parts: triplets come together."""
        usual, unusual = cost[:, :_USUAL].min(axis=1), cost[:, _USUAL:].min(axis=1)
        evidence = np.clip(unusual - usual, -_MOST, _MOST)  # below 0: the unusual division
        pooled = np.bincount(self.beat, weights=evidence)[self.beat] - evidence
        follows = (np.diff(self.owner) == 0) & (np.diff(self.beat) == 1)
        pooled[1:] += np.where(follows, evidence[:-1], 0.0)
        pooled[:-1] += np.where(follows, evidence[1:], 0.0)
        out = cost.copy()
        out[:, _USUAL:] += _TOGETHER * np.clip(pooled, -_MOST, _MOST)[:, None]
        return out

    def chosen(self, cost: Floats) -> tuple[Ints, Floats]:
        """Division of the beat for each attack, and its place in the beat."""
        best = cost.argmin(axis=1)[self.cell]
        rows = np.arange(len(self.cell))
        division = self.division[self.cell, best]
        return np.asarray(division, np.int64), np.asarray(self.step[rows, best] / division, np.float64)
