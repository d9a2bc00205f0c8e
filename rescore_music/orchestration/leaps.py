"""Leaps too wide for their speed: reinforcement and background come nearer by octaves.

Conventions: how wide and how quick is said by `playability.lines`. Only seats of one voice are judged, as the rule
judges them; melodies keep their octaves, basses and the rest keep their pitch classes.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. I (agility by family).
"""

from __future__ import annotations

import numpy as np

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
        low, high = int(seats.low[seat]), int(seats.high[seat])
        for i in np.flatnonzero(quick & (step > widest)).tolist():
            for j, other in ((i + 1, i), (i, i + 1)):
                if abs(pitch[i + 1] - pitch[i]) > widest and not tune[j]:
                    there = pitch[j] + (12 if pitch[j] < pitch[other] else -12)
                    if low <= there <= high:
                        pitch[j] = there
                        moved[own[j]] = True
        out["pitch"][own] = pitch
    ledger.change("an octave nearer: too wide a leap for its speed", out[moved])
    return out
