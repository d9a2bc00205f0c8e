"""Note-ons and note-offs into notes.

Convention: equal pitches that overlap end first-in first-out: the k-th note-off of a pitch ends the k-th note-on. A
note-off that finds no sounding note is dropped. A note-on without its note-off ends with the pitch's next note-off
(one message was meant for both), else where the pitch is struck again, else at the end of its part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.io.midi_chunks import Repairs

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
) -> tuple[Ints, Ints]:
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
    """
    key = part * 128 + pitch
    order = np.argsort(key, kind="stable")
    key, on = key[order], is_on[order]
    orphan, level = _levels(key, on)
    _tell(repairs, places, "note-off without a note-on dropped", part[order[orphan]])
    order, key, on, level = order[~orphan], key[~orphan], on[~orphan], level[~orphan]
    overlapping = part[order[on & (level > 1)]]
    _tell(repairs, places, "note struck while its pitch sounds: ended first in, first out", overlapping)
    ons, offs = np.flatnonzero(on), np.flatnonzero(~on)
    first_on = np.searchsorted(key[ons], key[ons])
    first_off = np.searchsorted(key[offs], key[ons])
    after_off = np.searchsorted(key[offs], key[ons], side="right")
    partner = first_off + np.arange(len(ons)) - first_on
    hangs = partner >= after_off
    ticks = tick[order]
    off_ticks = np.append(ticks[offs], 0)
    ends = off_ticks[np.where(hangs, len(offs), partner)]
    if np.any(hangs):
        ends[hangs] = _closed(ticks, key, part_ends, ons[hangs], ons, offs)
        _tell(repairs, places, "note-on that never ends: closed", part[order[ons[hangs]]])
    rank = np.argsort(order[ons], kind="stable")
    return order[ons][rank], ends[rank]


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


def _closed(ticks: Ints, key: Ints, part_ends: Ints, hanging: Ints, ons: Ints, offs: Ints) -> Ints:
    """Where the notes at positions `hanging` end."""
    own = key[hanging]
    ends = part_ends[own // 128]
    for others, shift in ((ons, 1), (offs, 0)):  # a note-off counts for more than a new stroke, so it comes last
        if not len(others):
            continue
        at = np.searchsorted(others, hanging + shift)
        following = others[np.minimum(at, len(others) - 1)]
        same = (at < len(others)) & (key[following] == own)
        ends = np.where(same, ticks[following], ends)
    return np.maximum(ends, ticks[hanging])


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


def _tell(repairs: Repairs, places: Sequence[str], what: str, parts: Ints) -> None:
    for place, count in zip(places, np.bincount(parts, minlength=len(places)), strict=True):
        repairs.add(place, what, int(count))
