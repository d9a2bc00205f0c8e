"""Two hands on two staves: which hand has which note, and slurs that stay in one hand.

Method: at each stroke the notes are divided into a low and a high hand; over the whole part the cheapest way through
is taken (Viterbi): a hand's span beyond an octave costs, beyond a tenth it costs dearly, likewise more than five notes
a hand, the tune in the left or the bass in the right hand, a place far from middle C, and moving the border between
the hands. An organ's bass line goes to its third staff, for the feet, where it is one note at a time.

Conventions: ticks, sounding MIDI pitches; staff 0 is the upper one. Source: Gould, Behind Bars, "Keyboard" (a tenth is
the widest that is written unrolled).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import GRACE, Mark
from rescore_music.structure import Role

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MIDDLE = 60
_OCTAVE, _TENTH, _FINGERS = 12, 16, 5
_MOST = 16  # notes of one stroke that are told apart
_FEET = (36, 67)  # C2..G4, an organ's pedals


def staves(draft: Rows, seats: Ensemble) -> Ints:
    """Staff of each row; 0 on seats with one staff."""
    out = np.zeros(len(draft), np.int64)
    for seat in np.unique(draft["seat"]).tolist():
        clefs = len(seats.seats[seat].instrument.clefs)
        if clefs < 2:
            continue
        own = np.flatnonzero(draft["seat"] == seat)
        own = own[np.lexsort((draft["pitch"][own], draft["onset"][own]))]
        feet = _feet(draft[own]) if clefs > 2 else np.zeros(len(own), bool)
        out[own[feet]] = 2
        hands = own[~feet]
        out[hands] = _left(draft[hands])
    return out


def _feet(rows: Rows) -> npt.NDArray[np.bool_]:
    """A bass line that feet can play: one note at a time, within the pedals, below everything else struck with it."""
    may = (rows["role"] == int(Role.BASS)) & (rows["pitch"] >= _FEET[0]) & (rows["pitch"] <= _FEET[1])
    place = np.flatnonzero(np.append(True, np.diff(rows["onset"]) > 0)) if len(rows) else np.zeros(0, np.int64)
    lowest = np.zeros(len(rows), bool)
    lowest[place] = True
    may &= lowest
    onset, end = rows["onset"][may], (rows["onset"] + rows["duration"])[may]
    if len(onset) and np.any(np.maximum.accumulate(end)[:-1] > onset[1:]):
        may[:] = False
    return np.asarray(may)


def _left(rows: Rows) -> Ints:
    """1 for each row of the left hand; rows by onset, then pitch."""
    if not len(rows):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.append(True, np.diff(rows["onset"]) > 0))
    stops = np.append(starts[1:], len(rows))
    total: Floats = np.zeros(1)
    borders: Floats = np.array([float(_MIDDLE)])
    back: list[Ints] = []
    for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
        cost, here = _divisions(rows[a:b])
        moved = np.minimum(np.abs(here[:, None] - borders[None, :]), 24.0) / 8.0
        way = total[None, :] + moved
        best = np.argmin(way, axis=1)
        back.append(best)
        total, borders = way[np.arange(len(here)), best] + cost, here
    out = np.zeros(len(rows), np.int64)
    split = int(np.argmin(total))
    for k in range(len(starts) - 1, -1, -1):
        out[starts[k] : min(starts[k] + split, stops[k])] = 1
        split = int(back[k][split])
    return out


def _divisions(chord: Rows) -> tuple[Floats, Floats]:
    """Cost of giving the lowest 0, 1, 2 ... notes to the left hand, and the border between the hands each time."""
    pitch = chord["pitch"][:_MOST].astype(np.int64)
    size = len(pitch)
    melody = chord["role"][:_MOST] == int(Role.MELODY)
    bass = chord["role"][:_MOST] == int(Role.BASS)
    cost, border = np.zeros(size + 1), np.zeros(size + 1)
    for k in range(size + 1):
        left, right = pitch[:k], pitch[k:]
        for hand in (left, right):
            if len(hand):
                span = int(hand[-1] - hand[0])
                cost[k] += (
                    0.3 * max(span - _OCTAVE, 0) + 4.0 * max(span - _TENTH, 0) + 5.0 * max(len(hand) - _FINGERS, 0)
                )
        cost[k] += 2.0 * melody[:k].sum() + 2.0 * bass[k:].sum()
        # ledger lines: notes far below middle C in the right hand, far above it in the left
        cost[k] += 0.15 * np.maximum(_MIDDLE - 4 - right, 0).sum() + 0.15 * np.maximum(left - _MIDDLE - 4, 0).sum()
        if not k:
            border[k] = min(float(_MIDDLE), float(pitch[0]) - 1)
        elif k == size:
            border[k] = max(float(_MIDDLE), float(pitch[-1]) + 1)
        else:
            border[k] = (pitch[k - 1] + pitch[k]) / 2
    return cost, border


def in_one_hand(marks: list[Mark], draft: Rows, staff: Ints, seats: Ensemble) -> list[Mark]:
    """Marks with slurs on the staff of their notes; those between hands and over a figure's repeats are left out."""
    out = []
    for mark in marks:
        if mark.kind != "slur" or mark.part < 0:
            out.append(mark)
            continue
        inside = (
            (draft["seat"] == mark.part)
            & (draft["onset"] >= mark.tick)
            & (draft["onset"] < max(mark.end, mark.tick + 1))
        )
        if np.any((draft["source"][inside] < 0) & ((draft["articulation"][inside] & GRACE) == 0)):
            continue
        where = np.unique(staff[inside])
        several = len(seats.seats[mark.part].instrument.clefs) > 1
        if several and len(where) == 1:
            out.append(replace(mark, staff=int(where[0])))
        elif not several:
            out.append(mark)
    return out
