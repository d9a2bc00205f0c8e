"""Leaps too wide for their speed: reinforcement and background come nearer by octaves.

Conventions: how wide and how quick is said by `playability.lines`. Only seats of one voice are judged, as the rule
judges them; basses and the rest keep their pitch classes, a melody its octaves too, but for a note that lies off the
figure on both sides: it joins its neighbours.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. I (agility by family).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.playability.lines import LEAP_S, LEAPS
from rescore_music.score import GRACE, Score
from rescore_music.structure import Role


def nearer(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft without leaps that are too wide for their speed, as far as octaves mend them."""
    out = draft.copy()
    moved = np.zeros(len(out), bool)
    for seat, known in enumerate(seats.seats):
        widest = LEAPS.get(known.instrument.family)
        if widest is None or seats.divisi[seat] > 1:
            continue
        own = np.flatnonzero((out["seat"] == seat) & ((out["articulation"] & GRACE) == 0))
        own = own[np.lexsort((out["pitch"][own], out["onset"][own]))]
        at = score.seconds(out["onset"][own])
        step = np.abs(np.diff(out["pitch"][own].astype(np.int64)))
        quick = (np.diff(at) < LEAP_S) & (np.diff(at) > 0)
        if not (quick & (step > widest)).any():
            continue
        tune = (out["role"][own] == int(Role.MELODY)) & ~out["doubling"][own] & (out["rank"][own] == 0)
        pitch = out["pitch"][own].tolist()
        span = range(int(seats.low[seat]), int(seats.high[seat]) + 1)
        for i in np.flatnonzero(quick & (step > widest)).tolist():
            for j, other in ((i + 1, i), (i, i + 1)):
                if abs(pitch[i + 1] - pitch[i]) > widest and not tune[j]:
                    there = pitch[j] + (12 if pitch[j] < pitch[other] else -12)
                    if there in span:
                        pitch[j] = there
                        moved[own[j]] = True
            for j in _joining(pitch, i, quick, widest, span):
                pitch[j] += 12 if pitch[j] < pitch[2 * i + 1 - j] else -12
                moved[own[j]] = True
        out["pitch"][own] = pitch
    ledger.change("an octave nearer: too wide a leap for its speed", out[moved])
    return out


def _joining(pitch: list[int], i: int, quick: npt.NDArray[np.bool_], widest: int, span: range) -> list[int]:
    """Which note of a leap from i to i + 1 moves an octave towards the other without a new leap; none if neither."""
    able: list[tuple[int, int]] = []
    for j, other in ((i, i + 1), (i + 1, i)):
        if abs(pitch[i + 1] - pitch[i]) <= widest:
            break
        there = pitch[j] + (12 if pitch[j] < pitch[other] else -12)
        near = [abs(there - pitch[other])]
        beyond = 2 * j - other
        if 0 <= beyond < len(pitch) and quick[min(j, beyond)]:
            near.append(abs(there - pitch[beyond]))
        if there in span and max(near) <= widest:
            able.append((max(near), j))
    return [j for _, j in sorted(able)][:1]
