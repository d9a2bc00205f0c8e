"""The instrument table: what each instrument can do. The data are in instruments.csv beside this module.

Conventions: pitches are sounding MIDI numbers, levels are dB, transpositions are sounding minus written. Level 0 dB is
a section of 14 violins playing A4 at mf, 95 dB re 1 pW; the table's `power` is that of *one* player, and n players are
10 log10 n louder. Velocity is the score's loudness: 33 is pp, 80 mf, 112 ff, and levels are linear in it.

Sources, column by column, are told at the head of instruments.csv.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RescoreError
from rescore_music.resources import instruments_file

FAMILIES = ("woodwind", "brass", "percussion", "keyboard", "plucked", "voice", "folk", "electronic", "strings")
CLEFS = ("G2", "G2-8", "G2+8", "F4", "F4-8", "C3", "C4", "percussion")
PIANISSIMO, FORTISSIMO = 33, 112  # velocities at which the table's pp and ff hold
VIOLINS = 14  # players in the section that defines 0 dB


@dataclass(frozen=True)
class Instrument:
    """One row of the table. Pitches are sounding MIDI numbers.

    Attributes
    ----------
    id : str
        Key: "violin", "horn-f", "clarinet-bb", "timpani", "pulse-1".
    name, abbreviation : str
        As printed in a score ("Horn in F", "Hn.").
    family : str
        One of `FAMILIES`: woodwind, brass, strings, plucked, keyboard, voice, percussion, electronic or folk.
    score_order : int
        Place in a full score, low numbers on top.
    lowest, highest : int
        Playable range of a professional.
    comfortable_low, comfortable_high : int
        Tessitura: where long passages sit well.
    power : tuple of (pitch, pp dB, ff dB)
        Dynamic power by register at a few pitches, rising: the sound power level of one player at softest and loudest
        playing, relative to a violin section's mf at A4 = 0 dB; interpolated between.
    transposition, diatonic : int
        Sounding minus written pitch in semitones and in staff steps.
    clefs : tuple of str
        One a staff from the top: "G2", "F4", "C3", "G2-8", "percussion".
    agility : float
        Comfortable fastest notes a second.
    polyphony : int
        Notes one player can sound at once.
    breath : float
        Seconds one breath lasts at mf; 0 = none needed.
    articulations : tuple of str
        What it can do beyond plain notes: legato, staccato, pizzicato, tremolo, trill, mute, harmonic, glissando, roll.
    program, bank : int
        General MIDI program 0..127 and bank.
    percussion : bool
        Unpitched: plays General MIDI drum keys, listed in `keys`.
    keys : tuple of int
        Drum keys this instrument answers to, its usual one first; empty for pitched instruments.
    names : tuple of str
        Other names, for `guess_instrument`.
    """

    id: str
    name: str
    abbreviation: str
    family: str
    score_order: int
    lowest: int
    highest: int
    comfortable_low: int
    comfortable_high: int
    power: tuple[tuple[int, float, float], ...]
    transposition: int
    diatonic: int
    clefs: tuple[str, ...]
    agility: float
    polyphony: int
    breath: float
    articulations: tuple[str, ...]
    program: int
    bank: int = 0
    percussion: bool = False
    keys: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def power_at(self, pitch: float, velocity: float) -> float:
        """Level of one player in dB at a sounding pitch and velocity."""
        return float(power_db(self, pitch, velocity))

    def plays(self, pitch: int) -> bool:
        """Whether a sounding pitch (or drum key) is within reach."""
        return pitch in self.keys if self.percussion else self.lowest <= pitch <= self.highest


def power_db(
    instrument: Instrument, pitch: npt.ArrayLike, velocity: npt.ArrayLike, *, players: int = 1
) -> npt.NDArray[np.float64]:
    """How loud an instrument sounds.

    Parameters
    ----------
    instrument : Instrument
    pitch : array-like of MIDI pitches (sounding); outside the range the nearest register's level holds
    velocity : array-like, 1..127, broadcast against `pitch`
    players : int
        Players in unison.

    Returns
    -------
    float64 array
        dB relative to a section of 14 violins at mf on A4.
    """
    table = np.array(instrument.power, np.float64)
    place = np.asarray(pitch, np.float64)
    soft = np.interp(place, table[:, 0], table[:, 1])
    loud = np.interp(place, table[:, 0], table[:, 2])
    share = (np.asarray(velocity, np.float64) - PIANISSIMO) / (FORTISSIMO - PIANISSIMO)
    return np.asarray(soft + (loud - soft) * share + 10.0 * math.log10(max(players, 1)), np.float64)


def velocity_for(
    instrument: Instrument, pitch: npt.ArrayLike, level: npt.ArrayLike, *, players: int = 1
) -> npt.NDArray[np.int64]:
    """The velocity at which an instrument reaches a level: the inverse of `power_db`, rounded and kept in 1..127.

    Parameters
    ----------
    instrument : Instrument
    pitch : array-like of MIDI pitches
    level : array-like of dB
    players : int

    Returns
    -------
    int64 array
    """
    soft = power_db(instrument, pitch, PIANISSIMO, players=players)
    loud = power_db(instrument, pitch, FORTISSIMO, players=players)
    share = (np.asarray(level, np.float64) - soft) / (loud - soft)
    return np.clip(np.rint(PIANISSIMO + share * (FORTISSIMO - PIANISSIMO)), 1, 127).astype(np.int64)


_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch_number(name: str) -> int:
    """MIDI number of a pitch in scientific notation.

    Raises
    ------
    ValueError
        If the text is no pitch.

    Examples
    --------
    >>> pitch_number("A4"), pitch_number("Bb1"), pitch_number("C-1")
    (69, 34, 0)
    """
    letter, rest = name[:1].upper(), name[1:]
    alter = rest.count("#") - rest.count("b")
    octave = rest.lstrip("#b")
    if letter not in _STEPS or not octave.lstrip("-").isdigit():
        raise ValueError(f"no pitch: {name!r}")
    return _STEPS[letter] + alter + 12 * (int(octave) + 1)


def pitch_name(pitch: int) -> str:
    """A MIDI number in scientific notation, with sharps."""
    return ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")[pitch % 12] + str(pitch // 12 - 1)


def _split(cell: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in cell.split(";") if item.strip())


def _power(cell: str) -> tuple[tuple[int, float, float], ...]:
    points = (item.split() for item in _split(cell))
    return tuple((pitch_number(pitch), float(soft), float(loud)) for pitch, soft, loud in points)


def _instrument(row: Mapping[str, str]) -> Instrument:
    return Instrument(
        id=row["id"],
        name=row["name"],
        abbreviation=row["abbreviation"],
        family=row["family"],
        score_order=int(row["score_order"]),
        lowest=pitch_number(row["lowest"]),
        highest=pitch_number(row["highest"]),
        comfortable_low=pitch_number(row["comfortable_low"]),
        comfortable_high=pitch_number(row["comfortable_high"]),
        power=_power(row["power"]),
        transposition=int(row["transposition"]),
        diatonic=int(row["diatonic"]),
        clefs=_split(row["clefs"]),
        agility=float(row["agility"]),
        polyphony=int(row["polyphony"]),
        breath=float(row["breath"]),
        articulations=_split(row["articulations"]),
        program=int(row["program"]),
        bank=int(row["bank"]),
        percussion=row["percussion"] == "1",
        keys=tuple(int(key) for key in _split(row["keys"])),
        names=_split(row["names"]),
    )


@lru_cache(maxsize=1)
def instruments() -> Mapping[str, Instrument]:
    """The whole table: id -> Instrument, in the file's order. Read once, read-only."""
    with instruments_file().open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return MappingProxyType({row["id"]: _instrument(row) for row in rows})


def near(word: str, known: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
    """The cure for a misspelt name: "did you mean 'violin'?", or the first few that exist."""
    import difflib

    names = list(dict.fromkeys(known))
    close = difflib.get_close_matches(word.casefold(), names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{name}'" for name in close) + "?"
    return "known: " + ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")


def instrument(id: str) -> Instrument:
    """One instrument by id.

    Raises
    ------
    RescoreError
        If the table has no such row; the message lists near matches.
    """
    table = instruments()
    if id not in table:
        raise RescoreError(f"unknown instrument {id!r}", file="instruments.csv", cure=near(id, table))
    return table[id]


def guess_instrument(name: str = "", program: int | None = None, percussion: bool = False) -> Instrument:
    """The instrument that a track or part name and a General MIDI program point to.

    The name decides where it is understood (English, Italian, German, French; "Vl. I", "Corni in F", "Klarinette in
    A"); else the program; an unpitched part without a known name is a drum kit, a pitched one without either a piano.

    Parameters
    ----------
    name : str
        Track, part or instrument name.
    program : int or None
        General MIDI program 0..127.
    percussion : bool
        Whether the part plays drum keys: only unpitched instruments are then considered, else only pitched ones.
    """
    from rescore_music.instrument_names import guess

    return instruments()[guess(name, program, percussion)]
