"""Techniques for which there is no time: what is too quick for a plucking finger is bowed, and where there is no time
to change, the player goes on as before until there is.

Conventions: what counts as a change and how long it takes is said by `playability.changes`; times are seconds.

Sources: Adler, The Study of Orchestration ("Pizzicato", "Mutes"); Piston, Orchestration.
"""

from __future__ import annotations

import numpy as np

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.playability.changes import HAND_S, MUTE_S, STROKES
from rescore_music.playability.fingerboard import PLUCKS
from rescore_music.playability.lines import hurried
from rescore_music.score import GRACE, Articulation, Score

_MUTED = int(Articulation.MUTED)
_PIZZICATO = np.uint32(int(Articulation.PIZZICATO))
_APART_S = 1.0  # a rest after which another passage begins


def steady(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft without changes of bow, fingers and mutes for which no hand is free in time."""
    out = bowed(draft, score, seats, ledger)
    changed = np.zeros(len(out), bool)
    for seat, known in enumerate(seats.seats):
        family = known.instrument.family
        if family not in ("strings", "brass"):
            continue
        own = np.flatnonzero((out["seat"] == seat) & ((out["articulation"] & GRACE) == 0))
        own = own[np.argsort(out["onset"][own], kind="stable")]
        rules = [(_MUTED, MUTE_S, True)] + [(STROKES, HAND_S, False)] * (family == "strings")
        for flags, least, from_end in rules:
            state = out["articulation"][own] & np.uint32(flags)
            # divided desks each go on in their own way
            mixed = (np.diff(out["onset"][own]) == 0) & (np.diff(state.astype(np.int64)) != 0)
            if (state[1:] != state[:-1]).any() and not (known.players > 1 and mixed.any()):
                now = _kept_on(state.tolist(), *_times(out[own], score, from_end), least)
                new = np.array(now, np.uint32)
                out["articulation"][own] = (out["articulation"][own] & ~np.uint32(flags)) | new
                changed[own] |= new != state
    ledger.change("played on in the same way: no time to change", out[changed])
    return out


def bowed(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """A copy of the draft whose plucked passages are bowed where they are quicker than a finger plucks."""
    out = draft.copy()
    changed = np.zeros(len(out), bool)
    for seat, known in enumerate(seats.seats):
        if known.instrument.family != "strings":
            continue
        own = np.flatnonzero((out["seat"] == seat) & ((out["articulation"] & _PIZZICATO) != 0))
        own = own[np.argsort(out["onset"][own], kind="stable")]
        at = score.seconds(out["onset"][own])
        quick = hurried(np.unique(at), PLUCKS)
        if len(quick):
            passage = np.cumsum(np.diff(at, prepend=at[0]) >= _APART_S)
            taken = np.unique(passage[np.searchsorted(at, np.unique(at)[quick])])
            changed[own[np.isin(passage, taken)]] = True
    out["articulation"][changed] &= ~_PIZZICATO
    ledger.change("bowed: too quick for pizzicato", out[changed])
    return out


def _times(rows: Rows, score: Score, from_end: bool) -> tuple[list[float], list[float]]:
    """When each note begins, and since when the hand is free for it."""
    at = score.seconds(rows["onset"])
    since = score.seconds(np.maximum.accumulate(rows["onset"] + rows["duration"])) if from_end else at
    return at.tolist(), since.tolist()


def _kept_on(state: list[int], at: list[float], since: list[float], least: float) -> list[int]:
    out = state[:1]
    for i in range(1, len(state)):
        late = state[i] != out[-1] and at[i] - since[i - 1] < least
        out.append(out[-1] if late else state[i])
    return out
