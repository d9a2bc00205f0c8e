"""One channel, several instruments: which notes of a part are played by whom.

A channel that changes its program mid-track stands for several players (a game cue with eight channels and twelve
instruments), or for one who changes technique (arco, pizzicato, tremolo; open and muted trumpet). The first are told
apart, the second are not. Program changes that no note follows, and banks of one program, change nothing; percussion
is one player with many drums.

Convention: a program change holds from its tick on, whichever message of that tick comes first in the file.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Rows

Ints = npt.NDArray[np.int64]

PERCUSSION = 128  # the class of every drum kit
_STRINGS = range(40, 52)
_TECHNIQUES = (44, 45)  # tremolo, pizzicato: of whichever strings the part has
# programs that one player changes between: General MIDI numbers from 0
_ONE_PLAYER = (
    (0, 1),  # grand and bright piano
    (4, 5),  # electric pianos
    (16, 17, 18),  # drawbars
    (26, 27, 28, 29, 30, 31),  # one electric guitar and its pedals
    (33, 34, 35, 36, 37),  # one electric bass: fingered, picked, fretless, slapped
    (48, 49, 44, 45),  # a string section
    (50, 51),
    (56, 59),  # trumpet, open and muted
    (62, 63),
)
_CLASS = np.arange(PERCUSSION + 1)
for _programs in _ONE_PLAYER:
    _CLASS[list(_programs)] = _programs[0]


def players(programs: npt.ArrayLike) -> Ints:
    """The player of each of a part's sounds, named by one of the programs they play.

    Parameters
    ----------
    programs : int array, shape (sounds,)
        Programs 0 to 127 that notes are played with, in order of time; `PERCUSSION` for drum kits.

    Returns
    -------
    int64 array, shape (sounds,)
    """
    row = np.asarray(programs, np.int64)
    out = _CLASS[row].astype(np.int64)
    bowed = np.isin(row, _STRINGS) & ~np.isin(row, _TECHNIQUES)
    places, techniques = np.flatnonzero(bowed), np.flatnonzero(np.isin(row, _TECHNIQUES))
    if len(places):  # the strings that played last, else the first that will
        out[techniques] = out[places[np.maximum(np.searchsorted(places, techniques) - 1, 0)]]
    return out


def told_apart(onsets: Ints, programs: Rows, is_kit: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Which player plays each note of a part.

    Parameters
    ----------
    onsets : int64 array, shape (notes,)
        Ticks, in any order.
    programs : PROGRAM array, shape (changes,)
        Of the part's channel, by tick.
    is_kit : bool array, shape (changes + 1,)
        Whether the channel is percussion before the first change, then with each.

    Returns
    -------
    number : int64 array, shape (notes,)
        Players in the order of their first notes, from 0.
    by_change : int64 array, shape (changes + 1,)
        The player in force before the first change, then after each: of a change that no note follows the one before.
    """
    row = np.searchsorted(programs["tick"], onsets, side="right")
    sound = np.append(0, programs["program"].astype(np.int64))
    sound[is_kit] = PERCUSSION
    used = np.unique(row)
    player = players(sound[used])
    _, first, label = np.unique(player, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers = rank[label]
    by_change = numbers[np.maximum(np.searchsorted(used, np.arange(len(sound)), side="right") - 1, 0)]
    return numbers[np.searchsorted(used, row)], by_change
