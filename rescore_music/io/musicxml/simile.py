"""Bars that a repeat sign stands for: what they repeat is played, and written.

MusicXML asks that the music under a `measure-repeat` be written out; notation programs that draw the sign over a rest
leave the bar silent. Such a bar is given the notes of the bar it repeats. What hangs on the notes (words, slurs,
dynamics) is not repeated, as the sign does not print it; articulations are.

Convention: ticks from the bar's start; rows are those of the draft (`notation.draft.ROW`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rescore_music.io.limits import NOTES
from rescore_music.io.notation.draft import ROW, TIE_START, TIE_STOP, Draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rescore_music.score import Rows

_WIDTH = len(ROW.names or ())


def fill_repeats(draft: Draft, begin: int, repeats: Sequence[tuple[int, int, int]], bars: int) -> int:
    """Fill the silent bars of one part that stand under repeat signs.

    Parameters
    ----------
    draft : Draft
    begin : int
        Where the part's rows begin in `draft.rows`.
    repeats : sequence of (bar, staff, count)
        From that bar on the last `count` bars are repeated, none where it is 0; staff -1: all staves.
    bars : int
        Of the part.

    Returns
    -------
    int
        How many bars were filled.
    """
    rows = np.frombuffer(draft.rows[begin:], ROW)
    edges = np.searchsorted(rows["bar"], np.arange(bars + 1))  # a part is read bar by bar, so its rows are in order
    by_bar = {bar: rows[edges[bar] : edges[bar + 1]] for bar in range(bars)}
    filled = 0
    for staff, start, stop, count in _spans(repeats, bars):
        for bar in range(max(start, count), stop):
            source = _of_staff(by_bar[bar - count], staff)
            if not len(source) or len(_of_staff(by_bar[bar], staff)):
                continue
            copied = _moved(source, bar, draft.filled.get(bar - count, 0))
            by_bar[bar] = np.concatenate([by_bar[bar], copied])
            draft.rows.frombytes(copied.tobytes())
            for reach in (draft.filled, draft.sounded):
                reach[bar] = max(reach.get(bar, 0), reach.get(bar - count, 0))
            filled += 1
            if len(draft.rows) > NOTES * _WIDTH:
                return filled  # too many notes for a score, as will be told
    return filled


def _spans(repeats: Sequence[tuple[int, int, int]], bars: int) -> list[tuple[int, int, int, int]]:
    """(staff, first bar, bar after the last, count) of each run of repeat signs."""
    out = []
    for i, (bar, staff, count) in enumerate(repeats):
        stop = next((at for at, other, _ in repeats[i + 1 :] if other == staff), bars)
        if count:
            out.append((staff, bar, stop, count))
    return out


def _of_staff(rows: Rows, staff: int) -> Rows:
    return rows if staff < 0 else rows[rows["staff"] == staff]


def _moved(rows: Rows, bar: int, length: int) -> Rows:
    """The rows in another bar, without the ties that join them to its neighbours."""
    out = rows.copy()
    out["bar"] = bar
    out["tie"] &= np.where(out["at"] == 0, ~TIE_STOP, -1)
    out["tie"] &= np.where(out["at"] + out["duration"] >= length, ~TIE_START, -1)
    return out
