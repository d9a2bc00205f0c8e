"""Grace notes are played by whoever plays the note they lead to, or the one they end; or by nobody."""

from __future__ import annotations

import numpy as np

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import GRACE, Score


def with_their_notes(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft without grace notes that stand alone: moved to where their note went, or left out with it.

    A grace note stands alone where its seat neither begins a note at its onset nor ends one there.
    """
    small = (draft["articulation"] & GRACE) != 0
    if not small.any():
        return draft
    span = int(draft["onset"].max() + draft["duration"].max()) + 1
    at = draft["seat"].astype(np.int64) * span + draft["onset"]
    full = draft[~small]
    edges = np.concatenate([at[~small], full["seat"].astype(np.int64) * span + full["onset"] + full["duration"]])
    lone = np.flatnonzero(small & ~np.isin(at, edges))
    if not len(lone):
        return draft
    homes = _homes(draft[lone], full, score)
    draft = draft.copy()
    taken = set(zip(at.tolist(), draft["pitch"].tolist(), strict=True))
    keep = np.ones(len(draft), bool)
    for row, home in zip(lone.tolist(), homes, strict=True):
        keep[row] = False
        if home is None or draft["doubling"][row]:
            continue
        seat = int(full["seat"][home])
        octave = int(full["pitch"][home]) - int(score.notes["pitch"][full["source"][home]])
        pitch = int(score.notes["pitch"][draft["source"][row]]) + octave
        place = seat * span + int(draft["onset"][row]), pitch
        if seats.low[seat] <= pitch <= seats.high[seat] and place not in taken:
            taken.add(place)
            keep[row] = True
            draft["seat"][row], draft["pitch"][row] = seat, pitch
    ledger.lose(draft["source"][~keep], Loss.GRACE)
    return np.asarray(draft[keep])


def _homes(lone: Rows, full: Rows, score: Score) -> list[int | None]:
    """Of each grace note: the row of the note it stands at in the source's own part and voice, carriers first."""
    rows_of: dict[int, int] = {}
    order = np.argsort(full["doubling"], kind="stable")
    for row, source in zip(order.tolist(), full["source"][order].tolist(), strict=True):
        rows_of.setdefault(source, row)
    notes = score.notes
    out = []
    for source, onset in zip(lone["source"].tolist(), lone["onset"].tolist(), strict=True):
        a, b = np.searchsorted(notes["onset"], [onset, onset + 1])
        same = [
            n for n in range(a, b)
            if source >= 0 and notes["duration"][n] and n in rows_of
            and notes["part"][n] == notes["part"][source] and notes["voice"][n] == notes["voice"][source]
        ]  # fmt: skip
        nearest = sorted(same, key=lambda n: abs(int(notes["pitch"][n]) - int(notes["pitch"][source])))
        out.append(rows_of[nearest[0]] if nearest else None)
    return out
