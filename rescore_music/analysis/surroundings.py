"""Surroundings: which voice a note is likely to be, judged by where it stands, before any line is followed.

For every note and voice: how many notes sound above and below, at the onset and at the nearest notes just before, just
after and at the note's end; how many sound on the whole near by; where the note lies between the highest and the lowest
that sound near by, and to the voices' registers, near by and over all; and what is played around it (`neighbours`). A
small network, the same for every voice, turns these clues into a score; scores of a note's voices are compared
(softmax).

The weights (`voice_weights.npz`, half precision) are made by `benchmarks/fit_voices.py`; inference is numpy alone.

Conventions: clues of about unit size; time in quarters, pitch in semitones, voice 0 the highest.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.neighbours import seen
from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH, Passage, boxed

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
# w1 (hidden, clues), b1 (hidden, 1), w2 (hidden, hidden), b2 (hidden, 1), w3 (hidden,); of the neighbours: table
# (cells, numbers), lift (numbers,), seen (hidden, numbers)
Net = dict[str, Floats]

WEIGHTS_FILE = Path(__file__).with_name("voice_weights.npz")
REACHES = (3, 12, 48, 192)  # groups to each side
OCTAVE, THIRD = 12.0, 4.0
PRIOR = 2.0  # groups that the register of the whole weighs in a neighbourhood's
MOST_LEARNED = 6  # voices of the largest works learned from
SHORTEST, JOINED = 1 / 16, 0.05
LEAST = -6.0  # log of the smallest chance: none is ruled out
AT_ONCE = 20_000  # notes x voices looked at together


@cache
def net() -> Net:
    """The shipped weights."""
    with np.load(WEIGHTS_FILE) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def unlikely(passage: Passage, weights: Net | None = None) -> Floats:
    """Minus the log of the chance of each voice for each note: shape (groups, most notes, voices), 0 past a count."""
    voices = len(passage.register)
    out = np.zeros((*passage.note.shape[:2], voices), np.float32)
    if len(passage.height):
        weights = weights or net()
        found, group, place = clues(passage)
        around = seen(passage, weights["table"], weights["lift"])
        step = max(1, AT_ONCE // voices)
        for a in range(0, len(group), step):
            here = slice(a, a + step)
            out[group[here], place[here]] = -np.maximum(chances(found[:, here], around[here], weights), LEAST)
    return out


def chances(found: Floats, around: Floats, weights: Net) -> Floats:
    """Log of the chance of each voice: clues (clues, notes, voices), neighbours (notes, numbers) to (notes, voices)."""
    hidden = (weights["w1"] @ found.reshape(len(found), -1) + weights["b1"]).reshape(-1, *found.shape[1:])
    hidden += (weights["seen"] @ around.T)[:, :, None]
    hidden = np.maximum(hidden, 0).reshape(len(hidden), -1)
    hidden = np.maximum(weights["w2"] @ hidden + weights["b2"], 0)
    score = (weights["w3"] @ hidden).reshape(found.shape[1:])
    score -= score.max(axis=1, keepdims=True)
    return np.asarray(score - np.log(np.exp(score).sum(axis=1, keepdims=True)), np.float32)


def clues(passage: Passage) -> tuple[Floats, Ints, Ints]:
    """Clues of each note to each voice, shape (clues, notes, voices); and the group and place of each note."""
    voices = len(passage.register)
    group, place = np.nonzero(np.arange(passage.note.shape[1]) < passage.count[:, None])
    pitch, end = passage.note[group, place, NOTE_PITCH], passage.note[group, place, NOTE_END]
    sounding = Sounding(passage)
    whole, registers = _around(passage, sounding, group, pitch)
    same = [passage.count[group] / voices, np.log2(np.maximum(end - passage.onset[group], SHORTEST)) / 4, *whole]
    at_end = np.searchsorted(passage.onset, end - JOINED)
    for other in (group - 1, group + 1, at_end):
        near = np.clip(other, 0, len(passage.onset) - 1)
        nearest = sounding.nearest(near, pitch)
        same += [sounding.above(near, nearest) / voices, sounding.below(near, nearest) / voices]
        same += [sounding.count[near] / voices, np.clip((nearest - pitch) / OCTAVE, -1, 1)]
    above, below, count = sounding.above(group, pitch), sounding.below(group, pitch), sounding.count[group]
    same += [above / voices, below / voices, count / voices, count == voices]
    same += sounding.intervals(group, pitch, above.astype(np.int64), below.astype(np.int64))
    own = _of_voices(passage, pitch, above, below, registers)
    out = np.empty((len(same) + len(own), len(group), voices), np.float32)
    for k, clue in enumerate(same):
        out[k] = clue[:, None]
    for k, clue in enumerate(own):
        out[len(same) + k] = clue
    return out, group, place


class Sounding:
    """Counts among the notes that sound at each group's onset."""

    def __init__(self, passage: Passage) -> None:
        self.pitch = passage.height
        self.key = passage.of * 1000 - passage.height  # rising
        self.count = np.bincount(passage.of, minlength=len(passage.onset))
        self.start = np.cumsum(self.count) - self.count

    def above(self, group: Ints, pitch: Floats) -> npt.NDArray[np.float64]:
        """How many sound higher than a pitch."""
        before = np.searchsorted(self.key, group * 1000 - pitch - 0.25)
        return np.clip(before - self.start[group], 0, self.count[group]).astype(np.float64)

    def below(self, group: Ints, pitch: Floats) -> npt.NDArray[np.float64]:
        """How many sound lower than a pitch."""
        before = np.searchsorted(self.key, group * 1000 - pitch + 0.25)
        return np.clip(self.count[group] - (before - self.start[group]), 0, self.count[group]).astype(np.float64)

    def nearest(self, group: Ints, pitch: Floats) -> Floats:
        """The pitch that sounds nearest to a pitch."""
        at, last = np.searchsorted(self.key, group * 1000 - pitch), np.maximum(self.count[group] - 1, 0)
        first = np.minimum(self.start[group], len(self.pitch) - 1)
        last = np.minimum(first + last, len(self.pitch) - 1)
        a, b = self.pitch[np.clip(at - 1, first, last)], self.pitch[np.clip(at, first, last)]
        return np.where(np.abs(a - pitch) <= np.abs(b - pitch), a, b)

    def intervals(self, group: Ints, pitch: Floats, above: Ints, below: Ints) -> list[Floats]:
        """Octaves up to the nearest and next notes above, and down to those below, 2 where there is none."""
        out = []
        for k in (1, 2):
            up = self.pitch[np.clip(self.start[group] + above - k, 0, len(self.pitch) - 1)] - pitch
            out.append(np.where(above >= k, np.minimum(up / OCTAVE, 2), 2))
            low = self.start[group] + self.count[group] - below + k - 1
            down = pitch - self.pitch[np.clip(low, 0, len(self.pitch) - 1)]
            out.append(np.where(below >= k, np.minimum(down / OCTAVE, 2), 2))
        return out

    def outer(self) -> tuple[Floats, Floats]:
        """The highest and the lowest that sound at each group."""
        first = np.minimum(self.start, len(self.pitch) - 1)
        last = np.clip(self.start + self.count - 1, 0, len(self.pitch) - 1)
        return self.pitch[first], self.pitch[last]


def _around(
    passage: Passage, sounding: Sounding, group: Ints, pitch: Floats
) -> tuple[list[npt.NDArray[np.float64]], list[npt.NDArray[np.float64]]]:
    """Clues of the texture near by; and the voices' registers (notes, voices) near by: narrowest reach first."""
    voices = len(passage.register)
    full = sounding.count == voices
    ranked = np.zeros((len(full), voices))
    ranked[full] = sounding.pitch[sounding.start[full][:, None] + np.arange(voices)]
    top, bottom = sounding.outer()
    crowd = np.minimum(sounding.count / voices, 1.5)
    series = np.stack([crowd, full, sounding.count > voices, top, bottom], axis=1).astype(np.float64)
    texture, registers = [], []
    for reach in REACHES:
        near = boxed(series, reach)[group]
        texture += [near[:, 0], near[:, 1], near[:, 2]]
        texture += [np.clip((pitch - near[:, 3]) / OCTAVE, -2, 1), np.clip((pitch - near[:, 4]) / OCTAVE, -1, 2)]
        weight = near[:, 1:2] * reach
        mean = boxed(ranked, reach)[group] * reach
        registers.append((mean + PRIOR * passage.register) / (weight + PRIOR))
    return texture, registers


def _of_voices(
    passage: Passage,
    pitch: Floats,
    above: npt.NDArray[np.float64],
    below: npt.NDArray[np.float64],
    registers: list[npt.NDArray[np.float64]],
) -> list[npt.NDArray[np.floating]]:
    """Clues that differ by voice, each (notes, voices) or (voices,)."""
    voices = len(passage.register)
    index = np.arange(voices)
    out: list[npt.NDArray[np.floating]] = [
        (index == 0) * 1.0,
        (index == voices - 1) * 1.0,
        index / max(voices - 1, 1),
        np.full(voices, min(voices, MOST_LEARNED) / 8),
        np.clip((above[:, None] - index) / 2, -1, 1),
        np.clip((below[:, None] - (voices - 1 - index)) / 2, -1, 1),
        np.clip((passage.low - pitch[:, None]) / THIRD, -1.5, 1.5),
        np.clip((pitch[:, None] - passage.high) / THIRD, -1.5, 1.5),
    ]
    usually: list[npt.NDArray[np.floating]] = [passage.register[None], *registers]
    for usual in usually:
        away = (pitch[:, None] - usual) / OCTAVE
        out += [np.clip(away, -2, 2), np.minimum(np.abs(away), 2)]
    off = np.abs(pitch[:, None] - registers[2]) / OCTAVE
    others: npt.NDArray[np.floating] = np.stack([np.delete(off, v, axis=1).min(axis=1) for v in range(voices)], axis=1)
    out.append(np.clip(off - others, -2, 2))
    return out
