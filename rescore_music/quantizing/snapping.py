"""Played notes to written places over known beats: ornaments, swing, onsets, ends, duplicates, staccato."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.durations import written_ends
from rescore_music.quantizing.onsets import seconds_of, snap_onsets
from rescore_music.quantizing.ornaments import find_ornaments, gathered
from rescore_music.quantizing.played import BeatGrid, Played
from rescore_music.quantizing.swing import Swing, find_swing

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_AT_ONCE = 0.006  # seconds: two strokes of one pitch that are one
_SHARED = 0.05  # seconds: the same where the first stroke still sounds at the second
_STACCATO = 0.62  # share of its value that a short note sounds at most
_RUN = 3  # attacks in a row that make a staccato


@dataclass(frozen=True, eq=False)
class Placed:
    """Where played notes are written, in ticks; arrays of one entry a note.

    `grace` notes stand on the onset of the note they lead to and last nothing; `dropped` notes repeat one that stands
    there already; `rolled` ones belong to a rolled chord; `staccato` ones were played short in a row.
    """

    onset: Ints
    end: Ints
    grace: Flags
    dropped: Flags
    rolled: Flags
    staccato: Flags
    swing: Swing | None


def place(played: Played, beats: BeatGrid, swing: bool | None = None) -> Placed:
    """Written places of the notes of performed parts.

    Parameters
    ----------
    played : Played
    beats : BeatGrid
    swing : bool, optional
        Whether the beats swing; found by itself unless told.
    """
    n = len(played.onset)
    if not n:
        none = np.zeros(0, bool)
        return Placed(np.zeros(0, np.int64), np.zeros(0, np.int64), none, none, none, none, None)
    found = find_swing(played, beats, swing)
    even = played
    if found is not None:
        even = Played(
            found.straightened(played.onset, beats),
            found.straightened(played.end, beats),
            played.pitch,
            played.part,
            played.drums,
        )
    ornaments = find_ornaments(even, beats)
    struck = gathered(even, ornaments, beats)
    main = np.flatnonzero(~ornaments.grace)
    onset = np.zeros(n, np.int64)
    unit = np.ones(n, np.int64)
    onset[main], unit[main] = snap_onsets(struck.take(main), beats)
    end = onset.copy()
    end[main] = written_ends(struck.take(main), onset[main], unit[main], beats)
    grace = ornaments.grace.copy()
    onset[grace] = onset[ornaments.main[grace]]
    dropped = _repeats(even, onset, end, grace, beats)
    end[grace] = onset[grace]
    staccato = _short(struck, onset, end, grace | dropped)
    return Placed(onset, end, grace, dropped, ornaments.rolled >= 0, staccato, found)


def _repeats(played: Played, onset: Ints, end: Ints, grace: Flags, beats: BeatGrid) -> Flags:
    """Notes on one place and pitch: all but one become grace notes (in place) or, struck at once, are dropped."""
    dropped = np.zeros(len(onset), bool)
    index = np.flatnonzero(~grace)
    if len(index) < 2:
        return dropped
    time = seconds_of(played.onset, beats)
    late = np.round(time[index] / _AT_ONCE)
    order = index[np.lexsort((-end[index], -late, played.pitch[index], onset[index], played.part[index]))]
    a, b = order[:-1], order[1:]
    same = (played.part[a] == played.part[b]) & (onset[a] == onset[b]) & (played.pitch[a] == played.pitch[b])
    gap = time[a] - time[b]
    # a key that is down cannot be struck: two strokes within it are one note that two voices share
    shared = (played.end[b] > played.onset[a]) & ~played.drums[played.part[a]]
    apart = np.abs(gap) > np.where(shared, _SHARED, _AT_ONCE)
    dropped[b[same & ~apart]] = True
    grace[b[same & apart]] = True
    return dropped


def _short(played: Played, onset: Ints, end: Ints, without: Flags) -> Flags:
    """Notes that sound for little of their value, several attacks of their part in a row."""
    out = np.zeros(len(onset), bool)
    index = np.flatnonzero(~without & ~played.drums[played.part])
    if not len(index):
        return out
    share = (played.end[index] - played.onset[index]) / np.maximum(end[index] - onset[index], 1)
    key = played.part[index] * (int(onset.max()) + 1) + onset[index]
    attack, of_note = np.unique(key, return_inverse=True)
    longest = np.zeros(len(attack))
    np.maximum.at(longest, of_note, share)
    owner = attack // (int(onset.max()) + 1)
    brief = longest < _STACCATO
    edges = np.concatenate([[True], (np.diff(owner) != 0) | (brief[1:] != brief[:-1])])
    run = np.cumsum(edges) - 1
    length = np.bincount(run)
    out[index] = (brief & (length[run] >= _RUN))[of_note]
    return out
