"""Note-ons and note-offs into notes.

Convention: equal pitches that overlap end first-in first-out: the k-th note-off of a pitch ends the k-th note-on. A
note-off that finds no sounding note is dropped. A note-on without its note-off ends where its pitch is struck again,
else at the end of its part; it is the note-on that no note-off would end if the latest struck note ended first, so that
one missing message does not shift the ends of all notes after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.io.midi.chunks import Repairs

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def pair_notes(
    tick: Ints,
    part: Ints,
    pitch: npt.NDArray[Any],
    is_on: Flags,
    part_ends: Ints,
    places: Sequence[str],
    repairs: Repairs,
) -> tuple[Ints, Ints, Ints]:
    """Pair the note messages of all parts.

    Parameters
    ----------
    tick, part, pitch, is_on : arrays, shape (messages,)
        In the order of the file; by rising tick within a part.
    part_ends : int64 array, shape (parts,)
        Ticks where notes end that nothing else ends.
    places : sequence of str
        What each part is called in the log.
    repairs : Repairs

    Returns
    -------
    ons : int64 array, shape (notes,)
        Indices of the note-ons, rising.
    ends : int64 array, shape (notes,)
        The tick where each of them ends.
    offs : int64 array, shape (notes,)
        The index of the note-off that ends it, or -1.
    """
    key = part * 128 + pitch
    order = np.argsort(key, kind="stable")
    key, on = key[order], is_on[order]
    orphan, level = _levels(key, on)
    strays = order[orphan]
    _tell(repairs, places, "note-off without a note-on dropped", part[strays], tick[strays])
    again = _struck_again(key, tick[order], on)
    _tell(repairs, places, "the same note struck twice at one tick: both kept", part[order[again]], tick[order[again]])
    overlapping = order[on & (level > 1) & ~again]
    what = "note struck while its pitch sounds: ended first in, first out"
    _tell(repairs, places, what, part[overlapping], tick[overlapping])
    order, key, on = order[~orphan], key[~orphan], on[~orphan]
    # seen from the end of the file, a note-on that finds no open note-off is what a stray note-off is from the start
    hanging = _levels(key[::-1], ~on[::-1])[0][::-1]
    _tell(repairs, places, "note-on that never ends: closed", part[order[hanging]], tick[order[hanging]])
    ticks = tick[order]
    ends, offs = np.zeros(len(order), np.int64), np.full(len(order), -1)
    offs[on & ~hanging] = order[~on]
    ends[on & ~hanging] = ticks[~on]  # by key, and in a key both in order of time: first in, first out
    strokes = np.append(np.flatnonzero(on), len(order))
    following = strokes[np.searchsorted(strokes, np.flatnonzero(hanging), side="right")]
    struck = np.append(key, -1)[following] == key[hanging]
    closed = np.where(struck, np.append(ticks, 0)[following], part_ends[key[hanging] // 128])
    ends[hanging] = np.maximum(closed, ticks[hanging])
    rank = np.argsort(order[on], kind="stable")
    return order[on][rank], ends[on][rank], offs[on][rank]


def _struck_again(key: Ints, tick: Ints, on: Flags) -> Flags:
    """Per message sorted by key: a note-on at the tick of the note-on before it, that one not ended yet."""
    again = np.zeros(len(key), bool)
    again[1:] = on[1:] & on[:-1] & (key[1:] == key[:-1]) & (tick[1:] == tick[:-1])
    return again


def _levels(key: Ints, on: Flags) -> tuple[Flags, Ints]:
    """Per message sorted by key: whether it is a note-off that ends nothing, and how many notes sound after it."""
    if not len(key):
        return np.zeros(0, bool), np.zeros(0, np.int64)
    starts = np.concatenate([[True], key[1:] != key[:-1]])
    segment = np.cumsum(starts) - 1
    total = np.cumsum(np.where(on, 1, -1))
    first = np.flatnonzero(starts)
    base = np.where(first > 0, total[first - 1], 0)
    height = total - base[segment]
    # a running minimum per key: each key's heights are lowered below all of the key before it
    lower = segment * (len(key) + 1)
    floor = np.minimum(np.minimum.accumulate(height - lower) + lower, 0)
    before = np.where(starts, 0, np.concatenate([[0], floor[:-1]]))
    return floor < before, (height - floor).astype(np.int64)


def silenced(onsets: Ints, ends: Ints, channel: Ints, silence_tick: Ints, silence_channel: Ints) -> Ints:
    """Ends of notes, cut where an All Notes Off or All Sound Off of their channel comes first.

    Parameters
    ----------
    onsets, ends, channel : int64 arrays, shape (notes,)
    silence_tick, silence_channel : int64 arrays, shape (messages,)
        Controllers 120 and 123 to 127.
    """
    if not len(silence_tick):
        return ends
    span = int(max(ends.max(initial=0), silence_tick.max())) + 2
    places = np.sort(silence_channel * span + silence_tick)
    at = np.searchsorted(places, channel * span + onsets, side="right")
    following = places[np.minimum(at, len(places) - 1)]
    same = (at < len(places)) & (following // span == channel)
    return np.where(same, np.minimum(ends, following % span), ends).astype(np.int64)


def _tell(repairs: Repairs, places: Sequence[str], what: str, parts: Ints, ticks: Ints) -> None:
    for part in np.unique(parts).tolist():
        own = ticks[parts == part]
        repairs.add(places[part], what, len(own), int(own.min()))
