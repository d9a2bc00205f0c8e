"""Octave folding: every note into its seat's range with the contour kept.

Method: a line on a seat is cut into segments at rests, leaps and seams, but a quick figure of leaps no wider than an
octave is a whole; a whole segment moves by the fewest octaves that bring all of it into range (a tie keeps the shift of
the segment before). Where a segment is wider than the range, its notes are folded one by one by dynamic programming: a
change of octave inside a run costs more than staying displaced, and less at a leap than at a step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble

Ints = npt.NDArray[np.int64]

_OCTAVE = 12
_LEAP = 8  # semitones from which a change of octave is not heard as a break
_SHIFTS = np.arange(-8, 9)


def fold(draft: Rows, seats: Ensemble, ticks_per_quarter: int, ledger: Ledger) -> Rows:
    """All pitched notes within [seat.low, seat.high]; a pitch class the range does not hold is left out."""
    pitched = np.flatnonzero(seats.pitched[draft["seat"]])
    rows = draft[pitched]
    order = np.lexsort((-rows["pitch"].astype(np.int64), rows["onset"], rows["line"], rows["doubling"], rows["seat"]))
    rows, pitched = rows[order], pitched[order]
    pitch = rows["pitch"].astype(np.int64)
    low, high = seats.low[rows["seat"]], seats.high[rows["seat"]]
    least, most = -((pitch - low) // 12), (high - pitch) // 12
    reachable = least <= most
    starts = _segments(rows, pitch, ticks_per_quarter)
    shift = np.zeros(len(rows), np.int64)
    if len(rows):
        floor = np.maximum.reduceat(np.where(reachable, least, -99), starts)
        ceiling = np.minimum.reduceat(np.where(reachable, most, 99), starts)
        size = np.diff(np.append(starts, len(rows)))
        whole = floor <= ceiling
        shift = np.repeat(np.where(whole, np.clip(0, floor, ceiling), 0), size)
        for i in np.flatnonzero(~whole):
            part = slice(starts[i], starts[i] + size[i])
            shift[part] = _fold_notes(pitch[part], rows["onset"][part], least[part], most[part])
    out = draft.copy()
    out["pitch"][pitched] = pitch + 12 * shift
    ledger.change("moved by octaves into range", rows[(shift != 0) & reachable & ~rows["doubling"]])
    lost = pitched[~reachable]
    ledger.lose(draft["source"][lost], Loss.UNREACHABLE)
    keep = np.ones(len(draft), bool)
    keep[lost] = False
    return out[keep]


def _segments(rows: Rows, pitch: Ints, ticks_per_quarter: int) -> Ints:
    """Starts of segments in rows sorted by seat, line, onset (chords from the top)."""
    new = np.ones(len(rows), bool)
    if len(rows) > 1:
        same = np.ones(len(rows) - 1, bool)
        for name in ("seat", "doubling", "line", "phrase"):
            same &= rows[name][1:] == rows[name][:-1]
        chord = rows["onset"][1:] == rows["onset"][:-1]
        rest = rows["onset"][1:] - (rows["onset"] + rows["duration"])[:-1] >= ticks_per_quarter // 2
        leap = np.abs(np.diff(pitch)) >= _LEAP
        leap &= (np.diff(rows["onset"]) >= ticks_per_quarter // 2) | (np.abs(np.diff(pitch)) > _OCTAVE)
        new[1:] = ~(same & (chord | ~(rest | leap)))
    return np.flatnonzero(new)


def _fold_notes(pitch: Ints, onset: Ints, least: Ints, most: Ints) -> Ints:
    """Shift of each note of one segment by dynamic programming over octave shifts."""
    legal = (least[:, None] <= _SHIFTS) & (most[:, None] >= _SHIFTS)
    legal[~legal.any(axis=1)] = True  # unreachable notes are left out later
    own = np.where(legal, 0.25 * np.abs(_SHIFTS), np.inf)
    jump = np.abs(_SHIFTS[:, None] - _SHIFTS[None, :])
    cost = own[0]
    back = np.zeros((len(pitch), len(_SHIFTS)), np.int64)
    for i in range(1, len(pitch)):
        together = onset[i] == onset[i - 1]
        step = abs(int(pitch[i] - pitch[i - 1]))
        price = 1.0 if together else (2.0 if step <= 2 else 1.2 if step < _LEAP else 0.6)
        reach = cost[:, None] + price * jump
        back[i] = reach.argmin(axis=0)
        cost = reach.min(axis=0) + own[i]
    out = np.zeros(len(pitch), np.int64)
    at = int(cost.argmin())
    for i in range(len(pitch) - 1, -1, -1):
        out[i] = _SHIFTS[at]
        at = int(back[i, at])
    return out
