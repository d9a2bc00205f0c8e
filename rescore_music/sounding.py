"""From notated to played: when each note of a score sounds.

Grace notes stand before the beat, at most an eighth of a quarter each and never longer than half the time since the
part's previous onset; a group shares that time. Short articulations shorten (Gould, Behind Bars, "Articulation").
Last comes what a performance was seen to do: `onset_shift` and `end_shift`.
"""

from __future__ import annotations

import numpy as np

from rescore_music.elements import GRACE, Articulation, Indices, Rows, Ticks

# share of the notated duration that sounds, shortest rule first
_SHARES = (
    (Articulation.STACCATISSIMO, 0.25),
    (Articulation.STACCATO, 0.5),
    (Articulation.MARCATO, 0.75),
)


def sounding(notated: Rows, ticks_per_quarter: int) -> Rows:
    """The notes as played, in the same order, their shifts used up (0).

    Parameters
    ----------
    notated : NOTE array, shape (n,)
        Sorted by onset, part, pitch.
    ticks_per_quarter : int

    Returns
    -------
    NOTE array, shape (n,)
        `onset` and `duration` as played, in ticks; no onset before 0, no duration under one tick that had one.
    """
    notes = notated.copy()
    duration = notes["duration"].astype(np.float64)
    for flag, share in reversed(_SHARES):
        duration = np.where(notes["articulation"] & int(flag), notes["duration"] * share, duration)
    notes["duration"] = np.maximum(np.rint(duration), np.minimum(notes["duration"], 1)).astype(np.int64)
    grace = np.flatnonzero(notes["articulation"] & GRACE)
    if len(grace):
        notes["onset"][grace], notes["duration"][grace] = _grace_times(notated, grace, ticks_per_quarter)
    moved = np.flatnonzero((notes["onset_shift"] != 0) | (notes["end_shift"] != 0))
    if len(moved):
        # a shift is measured from the notated place, so it replaces the rules above
        onset = np.maximum(notated["onset"][moved] + notes["onset_shift"][moved], 0)
        end = notated["onset"][moved] + notated["duration"][moved] + notes["end_shift"][moved]
        notes["onset"][moved], notes["duration"][moved] = onset, np.maximum(end - onset, 1)
        notes["onset_shift"][moved], notes["end_shift"][moved] = 0, 0
    return notes


def _grace_times(notes: Rows, grace: Indices, ticks_per_quarter: int) -> tuple[Ticks, Ticks]:
    """Onset and duration of the grace notes at these indices as played."""
    own = notes[grace]
    order = np.lexsort([grace, own["voice"], own["staff"], own["part"], own["onset"]])
    row = own[order]
    same = np.ones(len(order), bool)
    for name in ("onset", "part", "staff", "voice"):
        same[1:] &= row[name][1:] == row[name][:-1]
    same[0] = False
    first = np.flatnonzero(~same)
    size = np.diff(np.append(first, len(order)))
    left = np.repeat(first + size, size) - np.arange(len(order))  # grace notes from this one to the main note
    span = int(notes["onset"].max()) + 1
    places = np.unique(notes["part"].astype(np.int64) * span + notes["onset"])
    part, onset = row["part"].astype(np.int64), row["onset"]
    before = places[np.maximum(np.searchsorted(places, part * span + onset) - 1, 0)]
    earlier = (before // span == part) & (before % span < onset)
    room = np.where(earlier, (onset - before % span) // 2, onset)
    step = np.minimum(max(1, ticks_per_quarter // 8), room // np.repeat(size, size))
    onsets, durations = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    onsets[order], durations[order] = onset - step * left, np.maximum(step, 1)
    return onsets, durations
