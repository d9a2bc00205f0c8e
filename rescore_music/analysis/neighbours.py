"""Neighbours: what is played around a note, as a sparse picture and, by a table of weights, as a few numbers.

The picture of a note has a cell for every interval up to an octave and a fifth and every distance in time up to four
quarters, earlier and later: a neighbour that begins there fills it. A second picture holds only the neighbours that are
as long as the note itself, a third those that are still held when it begins, a fourth tells time by onsets instead of
quarters. So a figure that goes on, a pattern that returns after a beat or a tune in another register can be seen by
a network that has learned what they look like.

Conventions: notes numbered by group, the highest of a group first; time in quarters, pitch in semitones. Nothing
depends on key, or on where the note stands in the bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH, Passage

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

WIDE = 19  # semitones up and down
FAR = 32  # notes before and after that are looked at
# distances in time that are told apart, in quarters: at once, 1/8, 1/4, 1/3, 1/2, 2/3, 3/4, 1, 3/2, 2, 5/2, 3, 4
TIMES = np.array([0.05, 0.19, 0.29, 0.4, 0.6, 0.71, 0.87, 1.15, 1.75, 2.25, 2.75, 3.25, 4.25], np.float32)
ONSETS = 8  # groups before and after that are told apart
SAME, JOINED, SHORTEST = 0.1, 0.05, 1 / 16
PITCHES = 2 * WIDE + 1
SPANS = 2 * len(TIMES) - 1
CELLS = PITCHES * (2 * SPANS + 1 + 2 * ONSETS)
AT_ONCE = 256  # notes looked at together: what the table says of their cells stays in the cache


@dataclass(frozen=True, eq=False)
class Columns:
    """The notes of a passage that last, each column (notes,): group, onset, end, pitch, length as log2 of quarters."""

    group: Ints
    onset: Floats
    end: Floats
    pitch: Floats
    length: Floats


def columns(passage: Passage) -> Columns:
    """The notes of a passage, by group and place."""
    group, place = np.nonzero(np.arange(passage.note.shape[1]) < passage.count[:, None])
    onset, end = passage.onset[group], passage.note[group, place, NOTE_END]
    length = np.log2(np.maximum(end - onset, SHORTEST)).astype(np.float32)
    return Columns(group, onset, end, passage.note[group, place, NOTE_PITCH], length)


def seen(passage: Passage, table: Floats, lift: Floats) -> Floats:
    """What a table (cells, numbers) makes of each note's picture: shape (notes, numbers), none below 0."""
    notes = columns(passage)
    out = np.tile(lift, (len(notes.group), 1)).astype(np.float32)
    for a in range(0, len(out), AT_ONCE):
        here = np.arange(a, min(a + AT_ONCE, len(out)))
        owner, cell = cells(notes, here)
        if len(owner):
            first = np.flatnonzero(np.diff(owner, prepend=-1))
            out[owner[first]] += np.add.reduceat(table[cell], first, axis=0)
    return np.asarray(np.maximum(out, 0), np.float32)


def cells(notes: Columns, here: Ints) -> tuple[Ints, npt.NDArray[np.int16]]:
    """The filled cells of some notes: the note and the number of each, by note."""
    steps = np.concatenate([np.arange(-FAR, 0), np.arange(1, FAR + 1)])
    other = here[:, None] + steps
    real = (other >= 0) & (other < len(notes.group))
    other = np.clip(other, 0, len(notes.group) - 1)
    rise = np.rint(notes.pitch[other] - notes.pitch[here][:, None]).astype(np.int64)
    since = notes.onset[other] - notes.onset[here][:, None]
    real &= (np.abs(rise) <= WIDE) & (np.abs(since) <= TIMES[-1])
    row, column = np.nonzero(real)
    i, j, rise, since = here[row], other[row, column], rise[row, column] + WIDE, since[row, column]
    far = np.searchsorted(TIMES, np.abs(since))
    cell = (len(TIMES) - 1 + np.where(since < 0, -far, far)) * PITCHES + rise
    alike = np.abs(notes.length[j] - notes.length[i]) < SAME
    held = (since < -JOINED) & (notes.end[j] > notes.onset[i] + JOINED)
    groups = notes.group[j] - notes.group[i]
    near = (groups != 0) & (np.abs(groups) <= ONSETS)
    line = np.where(groups < 0, groups + ONSETS, groups + ONSETS - 1) * PITCHES
    pictures = (
        (i, cell),
        (i[alike], cell[alike] + SPANS * PITCHES),
        (i[held], rise[held] + 2 * SPANS * PITCHES),
        (i[near], line[near] + rise[near] + (2 * SPANS + 1) * PITCHES),
    )
    owner = np.concatenate([a for a, _ in pictures])
    order = np.argsort(owner, kind="stable")
    return owner[order], np.concatenate([b for _, b in pictures])[order].astype(np.int16)
