"""What a copyist eases before the parts go out: breaths for soloists, roots for the double bass.

Conventions: ticks, seconds where a name says so. None loses a note of the source: a breath shortens the note before
it, and only reinforcement, whose line is played whole by its main voice, is reduced to roots.

Sources: Adler, The Study of Orchestration (breath in winds; double basses simplify the cellos' figures).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.material import broken_share
from rescore_music.playability.streams import at_once, streams
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Role

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_BROKEN = 0.5  # share of thirds and wider among a line's quick notes from which it is a broken chord
_GAP_S = 0.12  # a rest in which a player breathes
_BREATH_S = 0.16  # a breath that is written takes at least so long
_SNATCHED_S = 0.1  # or this where the notes are quick
_LONG_RUN = 1.5  # breaths without a rest from which one is written
_EARLY, _LATE = 0.45, 1.25  # breaths after the last, between which the best place is looked for
_SHORT = int(Articulation.STACCATO | Articulation.STACCATISSIMO | Articulation.MARCATO | Articulation.PIZZICATO)
_SLURRED = np.uint32(Articulation.SLURRED)


def ground(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with broken chords that a deep instrument only reinforces reduced to the lowest note of each.

    The root is held while the chord is broken, at most to the bar line.
    """
    chosen = draft["doubling"] & (draft["role"] == int(Role.BASS)) & seats.deep[draft["seat"]]
    if not chosen.any():
        return draft
    index = np.flatnonzero(chosen)
    index = index[
        np.lexsort((draft["onset"][index], draft["phrase"][index], draft["line"][index], draft["seat"][index]))
    ]
    rows = draft[index]
    _, cell = np.unique(
        np.stack([rows[n].astype(np.int64) for n in ("seat", "line", "phrase")]), axis=1, return_inverse=True
    )
    cell = cell.reshape(-1)
    broken = broken_share(score.seconds(rows["onset"]), rows["pitch"].astype(np.int64), cell, int(cell.max()) + 1)[cell]
    pitch, new = rows["pitch"].astype(np.int64), np.append(True, np.diff(cell) != 0)
    falls = new | np.append(True, pitch[1:] < pitch[:-1])
    # a phrase's last note is a root of its own where it is longer than the figure
    longer = np.append(False, np.diff(rows["duration"]) > 0)
    rises = np.where(np.append(new[1:], True), longer, np.append(pitch[1:] >= pitch[:-1], True))
    root = new | (falls & rises) | np.isin(rows["onset"], score.bars)
    figure = broken > _BROKEN
    kept = np.flatnonzero(root | ~figure)
    ends = np.maximum.reduceat(rows["onset"] + rows["duration"], kept)
    bar_end = score.bars[score.bar_of(rows["onset"][kept]) + 1]
    following = np.append(np.where(np.diff(cell[kept]) == 0, rows["onset"][kept][1:], ends[:-1]), ends[-1:])
    held = np.minimum(np.minimum(ends, bar_end), following) - rows["onset"][kept]
    out = draft.copy()
    plain = figure[kept] & ((rows["articulation"][kept] & (_SHORT | GRACE)) == 0)
    out["duration"][index[kept]] = np.where(plain, np.maximum(held, rows["duration"][kept]), rows["duration"][kept])
    out["articulation"][index[kept][figure[kept]]] &= ~_SLURRED
    gone = np.setdiff1d(index, index[kept])
    ledger.change("broken chords reduced to their lowest notes where the line is only reinforced", draft[gone])
    return np.asarray(np.delete(out, gone))


def breathe(draft: Rows, score: Score, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with short rests for wind and brass players who would play on for too long.

    The place is a seam of phrases, else a bar line or the end of a long note, never inside a slur. Where a seat has
    more players than notes at once, they breathe in turn and nothing is written.
    """
    out = draft.copy()
    placed: list[int] = []
    for seat in np.unique(draft["seat"]).tolist():
        if seats.breath[seat] <= 0 or not seats.pitched[seat]:
            continue
        own = np.flatnonzero(draft["seat"] == seat)
        own = own[np.lexsort((draft["pitch"][own], draft["onset"][own]))]
        onset = draft["onset"][own].astype(np.int64)
        end = onset + draft["duration"][own]
        voices = at_once(onset, end)
        if seats.players[seat] > voices:
            continue
        player = streams(onset, end, draft["pitch"][own].astype(np.int64), max(voices, 1))
        for one in np.unique(player).tolist():
            placed += _seat_breaths(out, own[player == one], score, float(seats.breath[seat]))
    ledger.change("breath placed: the note before it is shorter", draft[np.array(placed, np.int64)])
    return out


def _seat_breaths(out: Rows, own: Ints, score: Score, breath: float) -> list[int]:
    """Shorten notes of one player (rows `own` of `out`, by onset) before the breaths; the rows shortened."""
    onset = out["onset"][own]
    ends = onset + out["duration"][own]
    at, reached = score.seconds(onset), score.seconds(np.maximum.accumulate(ends))
    fresh = np.append(True, at[1:] - reached[:-1] > _GAP_S)
    starts = np.flatnonzero(fresh)
    stops = np.append(starts[1:], len(own))
    shortened: list[int] = []
    for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
        if reached[b - 1] - at[a] > _LONG_RUN * breath:
            cut, worth = _places(out, own[a:b], score)
            for i in _chosen(at[a:b], worth, float(reached[b - 1]), breath):
                row = own[a + i - 1]
                out["duration"][row] = int(onset[a + i]) - int(cut[i]) - int(onset[a + i - 1])
                shortened.append(int(row))
    return shortened


def _places(out: Rows, own: Ints, score: Score) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Before each note of a run: ticks of the rest that fits there, and how good the place is (-inf: none)."""
    rows = out[own]
    onset, duration = rows["onset"].astype(np.int64), rows["duration"].astype(np.int64)
    whole = np.append(0, np.diff(onset))
    cut = np.zeros(len(own), np.int64)
    quarter = score.ticks_per_quarter
    for least in (_SNATCHED_S, _BREATH_S):  # the longer one where the note before it can spare it
        for rest in (quarter, quarter // 2, quarter // 4):
            lasts = score.seconds(onset) - score.seconds(np.maximum(onset - rest, 0)) >= least
            cut = np.where(lasts & (rest > 0) & (whole >= 2 * rest), rest, cut)
    fits = (cut > 0) & (whole - np.append(0, duration[:-1]) >= 0)
    # one player, one note: nothing may be held over the breath
    fits &= np.append(False, np.maximum.accumulate(onset + duration)[:-1] <= onset[1:])
    fits &= np.append(False, (rows["articulation"][:-1] & (_SLURRED | np.uint32(GRACE))) == 0)
    seam = np.append(False, np.diff(rows["phrase"]) != 0)
    bar = np.isin(onset, score.bars)
    long = np.minimum(score.seconds(onset) - score.seconds(onset - whole), 2.0)
    worth = 3.0 * seam + 1.0 * bar + long
    return cut, np.where(fits, worth, -np.inf)


def _chosen(at: npt.NDArray[np.float64], worth: npt.NDArray[np.float64], end: float, breath: float) -> list[int]:
    """Where to breathe: the best place in each window, else the next there is."""
    out: list[int] = []
    last = float(at[0])
    while end - last > _LATE * breath:
        able = np.isfinite(worth) & (at > last + _EARLY * breath)
        window = np.flatnonzero(able & (at <= last + _LATE * breath))
        later = np.flatnonzero(able)
        if not len(later):
            break
        best = int(window[np.argmax(worth[window])]) if len(window) else int(later[0])
        out.append(best)
        last = float(at[best])
    return out
