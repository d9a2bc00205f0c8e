"""Playability: named rules that tell where a part cannot be played, or only with grief.

Conventions: a violation is (rule, part, tick, what); times in seconds come from the score's tempo map. The rules look
at each part's instrument (by id, else by the part's name) or at given seats; one whose instrument is not known is not
judged.
Every rule is meant to be one that good human parts break rarely; its docstring names where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import Instrument, guess_instrument, instruments, pitch_name
from rescore_music.score import GRACE, Articulation, Part, Score

if TYPE_CHECKING:
    from rescore_music.template import Seat

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]


class Violation(NamedTuple):
    """One place where a rule is broken: rule, part index, tick, what in a musician's words."""

    rule: str
    part: int
    tick: int
    what: str


@dataclass(frozen=True, eq=False)
class _Player:
    """One part as its rules see it: notes by onset, their times, who plays."""

    part: int
    notes: Rows
    at: Floats
    end: Floats
    instrument: Instrument
    players: int
    divisi: int
    low: int
    high: int


_WINDOW_S = 1.0  # over which speed is counted
_HURRY = 1.25  # times the comfortable speed that is still asked of players for a second
_REPEATS = 9.0  # a second: single-tongued or bowed repeats beyond this are tremolo or double tongue
_REPEATS_OF = {"brass": 9.0, "woodwind": 8.5, "strings": 14.0, "voice": 6.0, "folk": 8.5, "plucked": 12.0}
_STAGGER_PLAYERS = 2  # so many players of a wind part can breathe in turn
_GAP_S = 0.08  # a rest in which a player may snatch a breath
_LEAP_OF = {"brass": 16, "woodwind": 24, "strings": 28, "voice": 14, "folk": 20}
_LEAP_S = 0.16  # a leap is fast when the notes follow within this time


def _range(p: _Player) -> Iterator[tuple[int, str]]:
    """Notes outside the instrument (Adler, The Study of Orchestration, range tables) or the drum set of a seat."""
    if p.instrument.percussion:
        bad = ~np.isin(p.notes["pitch"], p.instrument.keys) if p.instrument.keys else np.zeros(len(p.notes), bool)
    else:
        bad = (p.notes["pitch"] < p.low) | (p.notes["pitch"] > p.high)
    for row in p.notes[bad]:
        yield int(row["onset"]), f"{_name(p, int(row['pitch']))} is outside its range"


def _polyphony(p: _Player) -> Iterator[tuple[int, str]]:
    """More notes at once than the seat's players and strings can sound (Gould, Behind Bars, "Divisi")."""
    sounding = p.notes[p.notes["duration"] > 0]
    onset = sounding["onset"].astype(np.int64)
    ends = np.sort(onset + sounding["duration"])
    ticks = np.unique(onset)
    active = np.searchsorted(onset, ticks, side="right") - np.searchsorted(ends, ticks, side="right")
    for i in np.flatnonzero(active > p.divisi):
        yield int(ticks[i]), f"{int(active[i])} notes at once for {p.divisi}"


def _agility(p: _Player) -> Iterator[tuple[int, str]]:
    """Notes a second beyond the comfortable speed (Adler; Kennan & Grantham, The Technique of Orchestration).

    Counted over a second at every onset; repeated pitches of a flagged tremolo do not count.
    """
    flagged = (p.notes["articulation"] & int(Articulation.TREMOLO)) != 0
    at = np.unique(p.at[~flagged])
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


def _breath(p: _Player) -> Iterator[tuple[int, str]]:
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


def _leaps(p: _Player) -> Iterator[tuple[int, str]]:
    """Very wide leaps between quick notes (Rimsky-Korsakov, Principles of Orchestration, ch. I: agility by family)."""
    widest = _LEAP_OF.get(p.instrument.family)
    if widest is None or p.divisi > 1 or len(p.notes) < 2:
        return
    plain = (p.notes["articulation"] & GRACE) == 0
    notes, at = p.notes[plain], p.at[plain]
    step = np.abs(np.diff(notes["pitch"].astype(np.int64)))
    quick = (np.diff(at) < _LEAP_S) & (np.diff(at) > 0)
    for i in np.flatnonzero(quick & (step > widest)):
        yield int(notes["onset"][i + 1]), f"a leap of {int(step[i])} semitones in {at[i + 1] - at[i]:.2f} s"


def _repeats(p: _Player) -> Iterator[tuple[int, str]]:
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
            yield int(tick[i - 2]), f"{_name(p, int(pitch[i]))} repeated faster than {fastest:g} times a second"


RULES: Mapping[str, Callable[[_Player], Iterator[tuple[int, str]]]] = {
    "range": _range,
    "polyphony": _polyphony,
    "agility": _agility,
    "breath": _breath,
    "leap": _leaps,
    "repeated-notes": _repeats,
}


def _name(p: _Player, pitch: int) -> str:
    return f"drum key {pitch}" if p.instrument.percussion else pitch_name(pitch)


def violations(
    score: Score, seats: Sequence[Seat] | None = None, *, rules: Sequence[str] | None = None
) -> tuple[Violation, ...]:
    """Where a score breaks the rules of playability.

    Parameters
    ----------
    score : Score
        `Part.instrument` names the instruments.
    seats : sequence of Seat, optional
        One a part, in order, where forces narrow a range or say how far a seat divides; else a part may sound as many
        notes as its players and their instrument's polyphony allow.
    rules : sequence of str, optional
        Names of `RULES`; all by default.

    Returns
    -------
    tuple of Violation
        By part, rule and tick.

    Raises
    ------
    KeyError
        If a rule does not exist.
    """
    chosen = list(RULES) if rules is None else list(rules)
    out: list[Violation] = []
    for part in range(len(score.parts)):
        player = _player(score, part, None if seats is None else seats[part])
        if player is None:
            continue
        for rule in chosen:
            out += [Violation(rule, part, tick, what) for tick, what in RULES[rule](player)]
    return tuple(out)


def _known(part: Part) -> Instrument | None:
    """The instrument of a part by id, else by what its name says; None where the name says nothing."""
    if part.instrument:
        return instruments().get(part.instrument)
    guess = guess_instrument(part.name, None, part.percussion)
    # a piano is also what an unknown name falls back to
    return guess if guess.id != "piano" or "pian" in part.name.casefold() or "klavier" in part.name.casefold() else None


def _player(score: Score, part: int, seat: Seat | None) -> _Player | None:
    own = score.parts[part]
    instrument = seat.instrument if seat is not None else _known(own)
    notes = score.notes[score.notes["part"] == part]
    if instrument is None or not len(notes):
        return None
    players = own.players if seat is None else seat.players
    return _Player(
        part=part,
        notes=notes,
        at=np.asarray(score.seconds(notes["onset"]), np.float64),
        end=np.asarray(score.seconds(notes["onset"] + notes["duration"]), np.float64),
        instrument=instrument,
        players=players,
        divisi=max(players, 1) * max(instrument.polyphony, 1) if seat is None else max(seat.divisi, 1),
        low=instrument.lowest if seat is None else seat.low,
        high=instrument.highest if seat is None else seat.high,
    )
