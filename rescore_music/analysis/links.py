"""Links: which note a note follows in its line, judged by the two notes and what stands between them.

For every note and each of the `REACH` notes that begin before it: rest or overlap between them, interval, lengths, how
many notes begin with each, how many sound above and below each, which other notes end where the later one begins, and
what is played around each of the two (`neighbours`). A small network turns these clues into two scores. One is compared
(softmax) over the notes that a note may follow, the other over the notes that may follow a note; in both, none of them
is a choice too. A running line is so heard as one even where it dives below a held note, which neither small steps nor
the order of the voices would tell.

The weights (`link_weights.npz`, half precision) are made by `benchmarks/fit_links.py`; inference is numpy alone.

Conventions: notes numbered by group, the highest of a group first; clues of about unit size; time in quarters, pitch in
semitones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.neighbours import seen
from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH, Passage
from rescore_music.analysis.surroundings import Sounding

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
# w1 (hidden, clues), b1 (hidden, 1), w2 (hidden, hidden), b2 (hidden, 1), w3 (2, hidden), none (2,); of the neighbours:
# table (cells, numbers), lift (numbers,), later and earlier (hidden, numbers)
Net = dict[str, Floats]

WEIGHTS_FILE = Path(__file__).with_name("link_weights.npz")
REACH = 24  # notes back that are told apart
BEFORE, AFTER = range(2)  # scores: of the note that is followed, of the note that follows
AFTER_SHARE = 0.85  # of the second in the price
LEAST, UNKNOWN = -8.0, -4.0  # log of the smallest chance, and of a link out of reach
JOINED, SHORTEST, SAME = 0.05, 1 / 16, 0.1
RESTS, HELD = 8.0, 4.0  # quarters of rest and overlap told apart
OCTAVE, STEP, FIFTH = 12.0, 2.5, 7.5
AT_ONCE = 2_000  # notes looked at together


@dataclass(frozen=True, eq=False)
class Notes:
    """The notes of a passage in columns, each (notes,): group and place; number of the first note of its group and of
    the next; number of its group's notes; group at which it ends; how many sound above and below it when it begins;
    length as log2 of quarters.
    """

    group: Ints
    place: Ints
    first: Ints
    following: Ints
    size: Ints
    ends_at: Ints
    onset: Floats
    end: Floats
    pitch: Floats
    above: Floats
    below: Floats
    length: Floats


@cache
def net() -> Net:
    """The shipped weights."""
    with np.load(WEIGHTS_FILE) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def unlikely_links(passage: Passage, weights: Net | None = None) -> Floats:
    """What it costs that a note follows another: shape (notes, REACH + 1), in minus logs of chances.

    Column k is for the note k + 1 before the first of the note's group, the last column for all before those.
    """
    weights = weights or net()
    notes = notes_of(passage)
    number = len(notes.group)
    around = seen(passage, weights["table"], weights["lift"])
    follows, followed = around @ weights["later"].T, around @ weights["earlier"].T
    price = np.full((number, REACH + 1), -(1 - AFTER_SHARE) * LEAST - AFTER_SHARE * UNKNOWN, np.float32)
    score = np.empty((number, REACH), np.float32)
    for a in range(0, number, AT_ONCE):
        here = np.arange(a, min(a + AT_ONCE, number))
        before, known = earlier(notes, here)
        both = scores(clues(notes, here, before), follows[here], followed[before], weights)
        score[here] = both[AFTER]
        log = np.maximum(compared(both[BEFORE], known, weights["none"][BEFORE]), LEAST)
        price[here] = -(1 - AFTER_SHARE) * log - AFTER_SHARE * UNKNOWN
    for a in range(0, number, AT_ONCE):
        here = np.arange(a, min(a + AT_ONCE, number))
        after, column, known = later(notes, here)
        log = np.maximum(compared(score[after, column], known, weights["none"][AFTER])[:, :-1], LEAST)
        price[after[known], column[known]] += AFTER_SHARE * (UNKNOWN - log[known])
    return price


def notes_of(passage: Passage) -> Notes:
    """The notes of a passage that last."""
    group, place = np.nonzero(np.arange(passage.note.shape[1]) < passage.count[:, None])
    pitch, end = passage.note[group, place, NOTE_PITCH], passage.note[group, place, NOTE_END]
    onset, sounding = passage.onset[group], Sounding(passage)
    first = np.searchsorted(group, group)
    return Notes(
        group=group,
        place=place,
        first=first,
        following=np.searchsorted(group, group, side="right"),
        size=passage.count[group],
        ends_at=np.searchsorted(passage.onset, end - np.float32(JOINED)),
        onset=onset,
        end=end,
        pitch=pitch,
        above=sounding.above(group, pitch).astype(np.float32),
        below=sounding.below(group, pitch).astype(np.float32),
        length=np.log2(np.maximum(end - onset, SHORTEST)).astype(np.float32),
    )


def earlier(notes: Notes, here: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The notes that some notes may follow, and whether they exist: shapes (some, REACH)."""
    before = notes.first[here][:, None] - 1 - np.arange(REACH)
    return np.maximum(before, 0), before >= 0


def later(notes: Notes, here: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """The notes that may follow some notes, their columns for these, and whether there are such: (some, REACH)."""
    after = notes.following[here][:, None] + np.arange(REACH)
    exists = after < len(notes.group)
    after = np.minimum(after, len(notes.group) - 1)
    column = notes.first[after] - 1 - here[:, None]
    return after, np.clip(column, 0, REACH - 1), exists & (column < REACH)


def scores(found: Floats, follows: Floats, followed: Floats, weights: Net) -> Floats:
    """The two scores of links, shape (2, some, REACH): from clues (clues, some, REACH) and what the neighbours of the
    later note (some, hidden) and of the earlier ones (some, REACH, hidden) add.
    """
    hidden = weights["w1"] @ found.reshape(len(found), -1) + weights["b1"]
    hidden += (follows[:, None] + followed).reshape(-1, len(hidden)).T
    hidden = np.maximum(hidden, 0)
    hidden = np.maximum(weights["w2"] @ hidden + weights["b2"], 0)
    return np.asarray((weights["w3"] @ hidden).reshape(2, *found.shape[1:]), np.float32)


def compared(score: Floats, known: npt.NDArray[np.bool_], none: np.floating) -> Floats:
    """Logs of chances: scores (some, REACH) and that of none to (some, REACH + 1)."""
    full = np.concatenate([np.where(known, score, -30), np.full((len(score), 1), none)], axis=1)
    full -= full.max(axis=1, keepdims=True)
    return np.asarray(full - np.log(np.exp(full).sum(axis=1, keepdims=True)), np.float32)


def clues(notes: Notes, here: Ints, before: Ints) -> Floats:
    """Clues of the links of some notes to those before them: shape (clues, some, REACH)."""
    j, i = before, here[:, None]
    gap, since = notes.onset[i] - notes.end[j], notes.onset[i] - notes.onset[j]
    rise = notes.pitch[j] - notes.pitch[i]
    longer = notes.length[i] - notes.length[j]
    exists = notes.first[i] > np.arange(REACH)
    joined, held, same = np.abs(gap) <= JOINED, gap < -JOINED, np.abs(longer) < SAME
    size_i, size_j = notes.size[i], notes.size[j]
    found = [
        *_of_time(gap, since, joined, held, np.exp2(notes.length[j])),
        *_of_pitch(rise, joined, held, exists),
        np.clip(longer / 2, -2, 2),
        np.minimum(np.abs(longer) / 2, 2),
        same,
        joined & same,
        np.minimum(notes.group[i] - notes.ends_at[j], 6) / 3,
        notes.group[i] == notes.ends_at[j],
        np.minimum(notes.group[i] - notes.group[j], 12) / 6,
        size_j / 4,
        size_i / 4,
        (size_i == 1) & (size_j == 1),
        size_i == size_j,
        (notes.above[j] - notes.above[i]) / 2,
        (notes.below[j] - notes.below[i]) / 2,
        *(column[k] / 4 for column in (notes.above, notes.below) for k in (j, i)),
        *((kind & exists).sum(axis=1, keepdims=True) / 4 for kind in (joined, joined & same, held)),
        notes.place[j] == notes.place[i],
        size_j - notes.place[j] == size_i - notes.place[i],
        np.clip(notes.length[j] / 3, -2, 2),
        np.clip(notes.length[i] / 3, -2, 2),
    ]
    out = np.empty((len(found), *j.shape), np.float32)
    for k, clue in enumerate(found):
        out[k] = clue
    return out


def _of_time(
    gap: Floats, since: Floats, joined: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_], length: Floats
) -> list[npt.NDArray[np.generic]]:
    """Clues of the time between two notes, short times told apart more finely than long ones."""
    rest = np.clip(gap, -HELD, RESTS)
    return [
        np.log2(1 + 4 * np.minimum(since, RESTS)) / 4,
        np.sign(rest) * np.log2(1 + 4 * np.abs(rest)) / 4,
        joined,
        held,
        np.where(held, np.minimum(-gap / length, 1), 0),
    ]


def _of_pitch(
    rise: Floats, joined: npt.NDArray[np.bool_], held: npt.NDArray[np.bool_], exists: npt.NDArray[np.bool_]
) -> list[npt.NDArray[np.generic]]:
    """Clues of the interval; whether it is the smallest to any note that is over, or that ends where this begins."""
    wide = np.abs(rise)
    over, ending = np.where(exists & ~held, wide, 99), np.where(exists & joined, wide, 99)
    return [
        np.clip(rise / OCTAVE, -2, 2),
        np.minimum(wide / OCTAVE, 2),
        wide < 0.5,
        (wide > 0.5) & (wide < STEP),
        (wide > STEP) & (wide < FIFTH),
        np.abs(wide - OCTAVE) < 0.5,
        over <= over.min(axis=1, keepdims=True) + SAME,
        joined & (ending <= ending.min(axis=1, keepdims=True) + SAME),
    ]
