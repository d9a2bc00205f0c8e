"""Notes that an instrument is not tuned to in time: the kettles of the timpani, the pedals of the harp.

Conventions: ticks; seconds where a name says so. What may go and what may not is told by `Needed`.

Method: a timpanist's reinforcement keeps to the notes of drums that are tuned; a line of the timpani's own of which
many notes cannot be had goes whole to a free seat that has them, of another only those notes do, and what is spare is
left out. The harp leaves out spare notes that no setting of the pedals has, or that come before a foot can move.

Sources: Adler, The Study of Orchestration ("Timpani", "The harp"); Del Mar, Anatomy of the Orchestra.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.needed import LEADING, Needed
from rescore_music.orchestration.polyphony import rescue
from rescore_music.playability.drums import untunable
from rescore_music.playability.harp import classes, late_moves, together
from rescore_music.score import GRACE, Score
from rescore_music.structure import Analysis

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MANY = 0.3  # share of a line's notes from which it is no line for timpani
_ROUNDS = 6  # of leaving out what the pedals are late for


def tuned(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with timpani and harp playing only what they can be tuned to in time."""
    for seat, known in enumerate(seats.seats):
        if known.instrument.id == "timpani":
            draft = _kettles(draft, seat, score, analysis, seats, ledger)
        elif known.instrument.id == "harp" and known.players == 1:
            draft = _harp(draft, seat, score, analysis, seats, ledger)
    return draft


def _late(draft: Rows, own: Ints, score: Score, players: int) -> Ints:
    at = score.seconds(draft["onset"][own]).tolist()
    return own[untunable(draft["pitch"][own].tolist(), at, players)]


def _kettles(draft: Rows, seat: int, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    own = np.flatnonzero(draft["seat"] == seat)
    own = own[np.lexsort((draft["pitch"][own], draft["onset"][own]))]
    keep = np.ones(len(draft), bool)
    late = _late(draft, own, score, seats.seats[seat].players)
    keep[late[draft["doubling"][late]]] = False
    ledger.change("left out of the timpani's reinforcement: no drum tuned in time", draft[~keep])
    late = late[keep[late]]
    if not len(late):
        return np.asarray(draft[keep])
    draft = draft.copy()
    phrases = len(analysis.phrases) + 1
    cell = draft["line"].astype(np.int64) * phrases + draft["phrase"]
    for one in np.unique(cell[late]).tolist():
        mine = own[(cell[own] == one) & ~draft["doubling"][own]]
        if np.count_nonzero(cell[late] == one) > _MANY * len(mine):
            other = _free_seat(draft[keep], draft[mine], seats)
            if other is not None:
                draft["seat"][mine] = other
                ledger.change("taken over from the timpani: the drums cannot be tuned to the line", draft[mine])
    own = own[(draft["seat"][own] == seat) & keep[own]]
    late = _late(draft, own, score, seats.seats[seat].players)
    lost = draft[late].copy()
    keep[late] = False
    # background goes to free players, melody and bass to whoever can take them
    lost["rank"] = np.where(np.isin(lost["role"], LEADING), lost["rank"], np.maximum(lost["rank"], 1))
    pitched = seats.pitched.copy()
    pitched[seat] = False
    ledger.lose(lost["source"], Loss.KETTLES)
    return rescue(draft[keep], lost, replace(seats, pitched=pitched), ledger)


def _free_seat(draft: Rows, line: Rows, seats: Ensemble) -> int | None:
    """The seat that has a line best in its register and nothing else to do meanwhile."""
    pitch = line["pitch"].astype(np.int64)
    start, stop = int(line["onset"].min()), int((line["onset"] + line["duration"]).max())
    sounding = (draft["onset"] < stop) & (draft["onset"] + draft["duration"] > start)
    busy = np.zeros(len(seats.seats), bool)
    busy[draft["seat"][sounding]] = True
    able = seats.pitched & ~busy & (seats.low <= pitch.min()) & (pitch.max() <= seats.high)
    able &= np.array([seat.instrument.family not in ("percussion", "plucked") for seat in seats.seats], bool)
    if not able.any():
        return None
    beyond = np.maximum(seats.comfortable_low[:, None] - pitch, 0) + np.maximum(
        pitch - seats.comfortable_high[:, None], 0
    )
    middle = np.abs(pitch.mean() - (seats.comfortable_low + seats.comfortable_high) / 2)
    return int(np.argmin(np.where(able, beyond.mean(axis=1) + 0.1 * middle, np.inf)))


def _harp(draft: Rows, seat: int, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    own = np.flatnonzero((draft["seat"] == seat) & ((draft["articulation"] & GRACE) == 0))
    own = own[np.lexsort((draft["priority"][own], draft["onset"][own]))]  # the least important first
    keep = np.ones(len(draft), bool)
    needed: Needed | None = None
    for _ in range(_ROUNDS):
        own = own[keep[own]]
        ticks, first = np.unique(draft["onset"][own], return_index=True)
        groups = np.split(own, first[1:]) if len(own) else []
        at = score.seconds(ticks).tolist()
        needs = [classes(draft["pitch"][group]) for group in groups]
        where = {int(tick): group for tick, group in zip(ticks, groups, strict=True)}
        unwanted = [(int(tick), -1) for tick, need in zip(ticks, needs, strict=True) if not together(need)]
        moves = late_moves(list(zip(ticks.tolist(), at, needs, strict=True)))
        unwanted += [(move.tick, move.tone) for move in moves]
        if not unwanted:
            break
        needed = needed or Needed(draft, score, analysis, seats)
        if not sum(_leave_out(draft, where[tick], tone, needed, keep) for tick, tone in unwanted):
            break
    ledger.lose(draft["source"][~keep], Loss.PEDALS)
    ledger.change("left out of the harp: no time for its pedals", draft[~keep])
    return np.asarray(draft[keep])


def _leave_out(draft: Rows, chord: Ints, tone: int, needed: Needed, keep: Bools) -> bool:
    """Drop the spare notes of a pitch class from a chord, or its least important one (tone -1); whether any went."""
    able = [i for i in chord.tolist() if keep[i] and needed.spare(i)]
    chosen = able[:1] if tone < 0 else [i for i in able if draft["pitch"][i] % 12 == tone]
    for i in chosen:
        if needed.spare(i):
            needed.drop(i)
            keep[i] = False
    return bool(chosen)
