"""Bars of rest that a part counts as one: the "multiple rest" of a player's part.

A run is broken by everything a counting player must see: a new meter or key, a rehearsal mark, a word, a tempo mark, a
double or repeat bar line, a fermata. What stands at the first bar of a run opens it, what stands at the last bar's
right line closes it.

References
----------
Gould, E. (2011). Behind Bars, "Preparing materials": grouping bars' rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from rescore_music.io.musicxml.attach import Attachments
    from rescore_music.io.musicxml.plan import BarPlan

_PLAIN = ("", "{fermata}")


def merged_rests(
    bars: list[BarPlan], hang: Attachments, played: Collection[int], changes: Collection[int]
) -> dict[int, int]:
    """How many bars each run of two or more empty bars counts.

    Parameters
    ----------
    bars : list of BarPlan
    hang : Attachments
        Of the one part that is written.
    played : collection of int
        Bars with notes.
    changes : collection of int
        Bars with a change of key.

    Returns
    -------
    dict of int to int
        First bar of the run (from 0) to its number of bars.
    """
    out: dict[int, int] = {}
    start = -1
    for i, plan in enumerate(bars):
        empty = i not in played and not plan.implicit and not plan.middle and not hang.rest_fermatas.get(i)
        said = [d for d in (*plan.directions, *hang.directions.get(i, ())) if not d[2].startswith("<sound")]
        inside = any(at > 0 for at, _, _ in said) or any(at > 0 for at, _, _ in hang.clefs.get(i, ()))
        opens = bool(said) or plan.meter is not None or bool(plan.left) or bool(hang.clefs.get(i)) or i in changes
        if not empty or inside:
            start = -1
            continue
        if start < 0 or opens:
            start = i
        else:
            out[start] = i - start + 1
        if plan.right not in _PLAIN or i in hang.bar_fermatas:
            start = -1
    return out
