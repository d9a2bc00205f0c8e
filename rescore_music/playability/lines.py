"""Rules of any line: range, notes at once, speed, leaps, repeated notes, breath."""

from __future__ import annotations

import numpy as np

from rescore_music.playability.player import Found, Player
from rescore_music.score import GRACE, Articulation

_WINDOW_S = 1.0  # over which speed is counted
_HURRY = 1.25  # times the comfortable speed that is still asked of players for a second
# a second: single-tongued or bowed repeats beyond this are tremolo or double tongue
_REPEATS_OF = {"brass": 9.0, "woodwind": 8.5, "strings": 14.0, "voice": 6.0, "folk": 8.5, "plucked": 12.0}
_STAGGER_PLAYERS = 2  # so many players of a wind part can breathe in turn
_GAP_S = 0.08  # a rest in which a player may snatch a breath
_LEAP_OF = {"brass": 16, "woodwind": 24, "strings": 28, "voice": 14, "folk": 20}
_LEAP_S = 0.16  # a leap is fast when the notes follow within this time


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


def agility(p: Player) -> Found:
    """Notes a second beyond the comfortable speed (Adler; Kennan & Grantham, The Technique of Orchestration).

    Counted over a second at every onset; repeated pitches of a flagged tremolo do not count.
    """
    at = np.unique(p.at[~p.flagged(int(Articulation.TREMOLO))])
    if len(at) < 4:
        return
    count = np.searchsorted(at, at + _WINDOW_S, side="left") - np.arange(len(at))
    limit = p.instrument.agility * _HURRY
    last = -np.inf
    for i in np.flatnonzero(count > limit * _WINDOW_S):
        if at[i] >= last + _WINDOW_S:
            last = float(at[i])
            tick = int(p.notes["onset"][np.searchsorted(p.at, at[i])])
            yield tick, f"{int(count[i])} notes in a second, comfortable are {p.instrument.agility:g}"


def breath(p: Player) -> Found:
    """A stretch without a rest that is longer than twice a breath (Adler, woodwind and brass chapters).

    Players of one part stagger their breathing, so only solo parts are judged.
    """
    if p.instrument.breath <= 0 or p.players >= _STAGGER_PLAYERS or not len(p.notes):
        return
    reached = np.maximum.accumulate(p.end)
    new = np.append(True, p.at[1:] - reached[:-1] > _GAP_S)
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(p.at)) - 1
    for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
        span = float(reached[b] - p.at[a])
        if span > 2 * p.instrument.breath:
            yield int(p.notes["onset"][a]), f"{span:.0f} s without a rest, one breath lasts {p.instrument.breath:g} s"


def leaps(p: Player) -> Found:
    """Very wide leaps between quick notes (Rimsky-Korsakov, Principles of Orchestration, ch. I: agility by family)."""
    widest = _LEAP_OF.get(p.instrument.family)
    if widest is None or p.divisi > 1 or len(p.notes) < 2:
        return
    plain = ~p.flagged(GRACE)
    notes, at = p.notes[plain], p.at[plain]
    step = np.abs(np.diff(notes["pitch"].astype(np.int64)))
    quick = (np.diff(at) < _LEAP_S) & (np.diff(at) > 0)
    for i in np.flatnonzero(quick & (step > widest)):
        yield int(notes["onset"][i + 1]), f"a leap of {int(step[i])} semitones in {at[i + 1] - at[i]:.2f} s"


def repeated_notes(p: Player) -> Found:
    """Four or more strokes of one pitch faster than tongue or bow allow (Piston, Orchestration: tonguing, bowing)."""
    fastest = min(_REPEATS_OF.get(p.instrument.family, np.inf), max(p.instrument.agility * _HURRY, 4.0))
    if not np.isfinite(fastest) or p.divisi > 2 or len(p.notes) < 4:
        return
    order = np.lexsort((p.at, p.notes["pitch"]))
    pitch, at, tick = p.notes["pitch"][order], p.at[order], p.notes["onset"][order]
    quick = (np.diff(pitch.astype(np.int64)) == 0) & (np.diff(at) > 0) & (np.diff(at) < 1 / fastest)
    run = 0
    for i, one in enumerate(quick.tolist()):
        run = run + 1 if one else 0
        if run == 3:
            yield int(tick[i - 2]), f"{p.name(int(pitch[i]))} repeated faster than {fastest:g} times a second"
