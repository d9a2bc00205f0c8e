"""One part as the rules of playability see it: notes by onset, their times, who plays, how many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import Instrument, guess_instrument, instruments, pitch_name
from rescore_music.playability.strings import FINGERBOARDS
from rescore_music.score import GRACE, Part, Score

if TYPE_CHECKING:
    from rescore_music.template import Seat

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]
Found = Iterator[tuple[int, str]]  # tick, what in a musician's words


class Violation(NamedTuple):
    """One place where a rule is broken: rule, part index, tick, what in a musician's words."""

    rule: str
    part: int
    tick: int
    what: str


@dataclass(frozen=True, eq=False)
class Player:
    """One part and its player or section.

    Attributes
    ----------
    part : int
    notes : NOTE array
        The part's notes by onset, then pitch.
    at, end : float64 arrays, one a note
        Seconds, as notated.
    instrument : Instrument
    players : int
        Heads in the section.
    divisi : int
        Notes that the seat may sound at once.
    low, high : int
        Sounding range of the seat.
    programs : tuple of (tick, program)
        Where the part goes over to another sound.
    """

    part: int
    notes: Rows
    at: Floats
    end: Floats
    instrument: Instrument
    players: int
    divisi: int
    low: int
    high: int
    programs: tuple[tuple[int, int], ...] = ()

    def name(self, pitch: int) -> str:
        """A pitch, or a drum key, as a musician says it."""
        return f"drum key {pitch}" if self.instrument.percussion else pitch_name(pitch)

    def flagged(self, flag: int) -> npt.NDArray[np.bool_]:
        """Per note: whether it has any of these articulation bits."""
        return np.asarray((self.notes["articulation"] & flag) != 0)

    @cached_property
    def chords(self) -> tuple[tuple[int, float, Rows], ...]:
        """(tick, second, notes) of notes struck together, grace notes left out."""
        plain = ~self.flagged(GRACE)
        notes, at = self.notes[plain], self.at[plain]
        ticks, first = np.unique(notes["onset"], return_index=True)
        stops = np.append(first[1:], len(notes))
        rows = zip(ticks.tolist(), first.tolist(), stops.tolist(), strict=True)
        return tuple((tick, float(at[a]), notes[a:b]) for tick, a, b in rows)


def player_of(score: Score, part: int, seat: Seat | None) -> Player | None:
    """A part as its rules see it; None where it is silent or its instrument is not known."""
    own = score.parts[part]
    instrument = seat.instrument if seat is not None else _known(own)
    notes = score.notes[score.notes["part"] == part]
    if instrument is None or not len(notes):
        return None
    players = own.players if seat is None else seat.players
    return Player(
        part=part,
        notes=notes,
        at=np.asarray(score.seconds(notes["onset"]), np.float64),
        end=np.asarray(score.seconds(notes["onset"] + notes["duration"]), np.float64),
        instrument=instrument,
        players=players,
        divisi=max(players, 1) * _at_once(instrument) if seat is None else max(seat.divisi, 1),
        low=instrument.lowest if seat is None else seat.low,
        high=instrument.highest if seat is None else seat.high,
        programs=tuple((int(e["tick"]), int(e["program"])) for e in score.programs[score.programs["part"] == part]),
    )


def _at_once(instrument: Instrument) -> int:
    """Notes one player can sound: on a fingerboard as many as strings (the rule of stops sees to the rest)."""
    board = FINGERBOARDS.get(instrument.id)
    return len(board.strings) if board is not None else max(instrument.polyphony, 1)


def _known(part: Part) -> Instrument | None:
    """The instrument of a part by id, else by what its name says; None where the name says nothing."""
    if part.instrument:
        return instruments().get(part.instrument)
    guess = guess_instrument(part.name, None, part.percussion)
    # a piano is also what an unknown name falls back to
    return guess if guess.id != "piano" or "pian" in part.name.casefold() or "klavier" in part.name.casefold() else None


def instrument_of(part: Part) -> Instrument:
    """The instrument a part plays; where nothing says so, what its name and program point to."""
    return _known(part) or guess_instrument(part.name, part.program, part.percussion)
