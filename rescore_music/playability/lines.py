"""Rules of any line: range, notes at once, speed, leaps, repeated notes, breath, endurance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import Instrument
from rescore_music.playability.player import Found, Player
from rescore_music.playability.streams import at_once, streams
from rescore_music.score import GRACE, Articulation

Floats = npt.NDArray[np.float64]

_WINDOW_S = 1.0  # over which speed is counted
_HURRY = 1.25  # times the comfortable speed that is still asked of players for a second
# a second: single-tongued or bowed repeats beyond this are tremolo or double tongue
_REPEATS_OF = {"brass": 9.0, "woodwind": 8.5, "strings": 14.0, "voice": 6.0, "folk": 8.5, "plucked": 12.0}
_HIGH_S = 8.0  # so long lips stand a register above the comfortable one
_REST_S = 0.5  # a rest in which they recover
_GAP_S = 0.08  # a rest in which a player may snatch a breath
LEAPS = {"brass": 16, "woodwind": 24, "strings": 28, "voice": 14, "folk": 20}
_STROKES = 4  # so many quick strokes of one pitch are a run
LEAP_S = 0.16  # a leap is fast when the notes follow within this time


def in_range(p: Player) -> Found:
    """Notes outside the instrument (Adler, The Study of Orchestration, range tables) or the drum set of a seat."""
    if p.instrument.percussion:
        bad = ~np.isin(p.notes["pitch"], p.instrument.keys) if p.instrument.keys else np.zeros(len(p.notes), bool)
    else:
        bad = (p.notes["pitch"] < p.low) | (p.notes["pitch"] > p.high)
    for row in p.notes[bad]:
        yield int(row["onset"]), f"{p.name(int(row['pitch']))} is outside its range"


def polyphony(p: Player) -> Found:
    """More notes at once than the seat's players and strings can sound (Gould, Behind Bars, "Divisi")."""
    sounding = p.notes[p.notes["duration"] > 0]
    onset = sounding["onset"].astype(np.int64)
    ends = np.sort(onset + sounding["duration"])
    ticks = np.unique(onset)
    active = np.searchsorted(onset, ticks, side="right") - np.searchsorted(ends, ticks, side="right")
    for i in np.flatnonzero(active > p.divisi):
        yield int(ticks[i]), f"{int(active[i])} notes at once for {p.divisi}"


def speed_limit(instrument: Instrument, players: int = 1) -> float:
    """Notes in a second that may still be asked for; players of a percussion section share its instruments."""
    return instrument.agility * _HURRY * (max(players, 1) if instrument.percussion else 1)


def repeat_limit(instrument: Instrument) -> float:
    """Strokes of one pitch in a second that tongue, bow or finger still give; infinite where nothing limits them."""
    return min(_REPEATS_OF.get(instrument.family, np.inf), max(instrument.agility * _HURRY, 4.0))


def hurried(at: Floats, limit: float) -> npt.NDArray[np.int64]:
    """Where a second begins that holds more onsets than `limit`.

    Parameters
    ----------
    at : float64 array
        Different onsets in seconds, rising.
    limit : float

    Returns
    -------
    int64 array
        Indices into `at`.
    """
    count = np.searchsorted(at, at + _WINDOW_S, side="left") - np.arange(len(at))
    return np.flatnonzero(count > limit * _WINDOW_S)


def agility(p: Player) -> Found:
    """Notes a second beyond the comfortable speed (Adler; Kennan & Grantham, The Technique of Orchestration).

    Counted over a second at every onset, for each player of a staff that several share, and for each staff of a
    keyboard, marimba or harp, for a hand has one (Gould, Behind Bars, "Keyboard"); repeated pitches of a flagged
    tremolo do not count.
    """
    limit = speed_limit(p.instrument, p.players)
    plain = ~p.flagged(int(Articulation.TREMOLO))
    if not len(hurried(np.unique(p.at[plain]), limit)):
        return
    onset, pitch = p.notes["onset"].astype(np.int64), p.notes["pitch"].astype(np.int64)
    group = p.notes["staff"].astype(np.int64) if len(p.instrument.clefs) > 1 else np.zeros(len(pitch), np.int64)
    if not p.instrument.percussion and min(p.players, p.divisi) > 1:
        end = onset + p.notes["duration"]
        group = streams(onset, end, pitch, max(min(p.players, p.divisi, at_once(onset, end)), 1))
    for one in np.unique(group).tolist():
        at = np.unique(p.at[plain & (group == one)])
        last = -np.inf
        for i in hurried(at, limit).tolist():
            if at[i] >= last + _WINDOW_S:
                last = float(at[i])
                count = int(np.count_nonzero((at >= last) & (at < last + _WINDOW_S)))
                tick = int(p.notes["onset"][np.searchsorted(p.at, at[i])])
                yield tick, f"{count} notes in a second, comfortable are {p.instrument.agility:g}"


def breath(p: Player) -> Found:
    """A stretch without a rest that is longer than twice a breath (Adler, woodwind and brass chapters).

    Where there are more players than notes at once, they stagger their breathing; else each is judged by himself.
    """
    if p.instrument.breath <= 0 or not len(p.notes):
        return
    onset = p.notes["onset"].astype(np.int64)
    end = onset + p.notes["duration"]
    voices = at_once(onset, end)
    if p.players > voices:
        return
    player = streams(onset, end, p.notes["pitch"].astype(np.int64), max(voices, 1))
    for own in (np.flatnonzero(player == one) for one in np.unique(player)):
        at, reached = p.at[own], np.maximum.accumulate(p.end[own])
        new = np.append(True, at[1:] - reached[:-1] > _GAP_S)
        starts = np.flatnonzero(new)
        stops = np.append(starts[1:], len(at)) - 1
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
            span = float(reached[b] - at[a])
            if span > 2 * p.instrument.breath:
                yield int(onset[own[a]]), f"{span:.0f} s without a rest, one breath lasts {p.instrument.breath:g} s"


def endurance(p: Player) -> Found:
    """A brass player kept above his comfortable register for too long without a rest (Adler, "Endurance"; Piston)."""
    if p.instrument.family != "brass" or not len(p.notes):
        return
    high = p.notes["pitch"] > p.instrument.comfortable_high
    reached = np.maximum.accumulate(p.end)
    fresh = np.append(True, (p.at[1:] - reached[:-1] > _REST_S) | (high[1:] != high[:-1]))
    starts = np.flatnonzero(fresh)
    for a, b in zip(starts.tolist(), np.append(starts[1:], len(high)).tolist(), strict=True):
        span = float(p.end[a:b].max() - p.at[a])
        if high[a] and span > _HIGH_S:
            yield int(p.notes["onset"][a]), f"{span:.0f} s above {p.name(p.instrument.comfortable_high)} without a rest"


def leaps(p: Player) -> Found:
    """Very wide leaps between quick notes (Rimsky-Korsakov, Principles of Orchestration, ch. I: agility by family)."""
    widest = LEAPS.get(p.instrument.family)
    if widest is None or p.divisi > 1 or len(p.notes) < 2:
        return
    plain = ~p.flagged(GRACE)
    notes, at = p.notes[plain], p.at[plain]
    step = np.abs(np.diff(notes["pitch"].astype(np.int64)))
    quick = (np.diff(at) < LEAP_S) & (np.diff(at) > 0)
    for i in np.flatnonzero(quick & (step > widest)):
        yield int(notes["onset"][i + 1]), f"a leap of {int(step[i])} semitones in {at[i + 1] - at[i]:.2f} s"


def repeated_notes(p: Player) -> Found:
    """Four or more strokes of one pitch faster than tongue or bow allow (Piston, Orchestration: tonguing, bowing).

    A flagged tremolo is the bow's or the tongue's own way of it.
    """
    fastest = repeat_limit(p.instrument)
    if not np.isfinite(fastest) or p.divisi > 2 or len(p.notes) < 4:
        return
    plain = ~p.flagged(int(Articulation.TREMOLO))
    notes, at = p.notes[plain], p.at[plain]
    for first in quick_repeats(at, notes["pitch"], fastest)[0].tolist():
        name = p.name(int(notes["pitch"][first]))
        yield int(notes["onset"][first]), f"{name} repeated faster than {fastest:g} times a second"


def quick_repeats(
    at: Floats, pitch: npt.NDArray[np.generic], fastest: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Runs of four or more strokes of one pitch, each sooner than 1 / `fastest` after the one before.

    Parameters
    ----------
    at : float64 array, shape (n,)
        Seconds.
    pitch : integer array, shape (n,)
    fastest : float
        Strokes a second.

    Returns
    -------
    int64 array
        The first note of each run.
    bool array, shape (n,)
        Whether a note belongs to a run.
    """
    order = np.lexsort((at, pitch))
    gap = np.diff(at[order])
    quick = (np.diff(pitch[order].astype(np.int64)) == 0) & (gap > 0) & (gap < 1 / fastest)
    edges = np.diff(np.concatenate([[False], quick, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)  # of quick gaps; notes are one more
    long = stops - starts >= _STROKES - 1
    inside = np.zeros(len(at) + 1, np.int64)
    np.add.at(inside, starts[long], 1)
    np.add.at(inside, stops[long] + 1, -1)
    member = np.zeros(len(at), bool)
    member[order] = np.cumsum(inside)[: len(at)] > 0
    return np.sort(order[starts[long]]), member
