"""Who of several players on one staff plays what, where nobody has said so.

Conventions: ticks and MIDI pitches. A note falls to the player who is free and whose last note lies nearest; one who
has not played yet counts as an octave away. A line alone is so one player's, two lines at once are two players'.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_FRESH = 12  # semitones: how far away a player is who has not played yet


def streams(onset: Ints, end: Ints, pitch: Ints, players: int) -> Ints:
    """The player of every note.

    Parameters
    ----------
    onset, end, pitch : int64 arrays, shape (n,)
        By onset, then pitch.
    players : int

    Returns
    -------
    int64 array, shape (n,)
        0 .. players - 1.
    """
    until, last = [-1] * players, [-1] * players
    out = np.zeros(len(onset), np.int64)
    for i, (start, stop, note) in enumerate(zip(onset.tolist(), end.tolist(), pitch.tolist(), strict=True)):
        free = [k for k in range(players) if until[k] <= start] or list(range(players))
        k = min(free, key=lambda k: (abs(note - last[k]) if last[k] >= 0 else _FRESH, k))
        out[i], until[k], last[k] = k, stop, note
    return out


def at_once(onset: Ints, end: Ints) -> int:
    """The most notes that sound together; notes by onset."""
    if not len(onset):
        return 0
    ticks = np.unique(onset)
    active = np.searchsorted(onset, ticks, side="right") - np.searchsorted(np.sort(end), ticks, side="right")
    return int(active.max())
