"""Dynamics that a register does not have: fortissimo where an instrument is weak, pianissimo where it is loud."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import FORTISSIMO, PIANISSIMO, Instrument, power_db
from rescore_music.playability.player import Found, Player

FORTE, PIANO = 104, 41  # velocities from which ff, and up to which pp, is asked
_WEAKER = 12.0  # dB below the instrument's own strongest fortissimo
_LOUDER = 14.0  # dB above its own softest pianissimo
FAMILIES = frozenset(("woodwind", "brass", "voice"))


def weak(p: Player) -> Found:
    """Fortissimo asked of a wind instrument or a voice where it has none, the flute's lowest notes for example
    (Rimsky-Korsakov, Principles of Orchestration, ch. I; levels from the instrument table).
    """
    yield from _wrong(p, p.notes["velocity"] >= FORTE, without(p.instrument)[0], "is weak: no fortissimo there")


def loud(p: Player) -> Found:
    """Pianissimo asked of a wind instrument or a voice where it cannot be soft, the oboe's lowest notes for example
    (Rimsky-Korsakov, ch. I; Adler, "The oboe", "The bassoon").
    """
    yield from _wrong(p, p.notes["velocity"] <= PIANO, without(p.instrument)[1], "cannot be pianissimo")


@lru_cache(maxsize=256)
def without(instrument: Instrument) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Per MIDI pitch: whether there is no fortissimo worth the name, whether there is no pianissimo."""
    pitches = np.arange(128)
    inside = (pitches >= instrument.lowest) & (pitches <= instrument.highest)
    strong, soft = power_db(instrument, pitches, FORTISSIMO), power_db(instrument, pitches, PIANISSIMO)
    if not inside.any():
        return inside, inside
    return inside & (strong < strong[inside].max() - _WEAKER), inside & (soft > soft[inside].min() + _LOUDER)


def _wrong(p: Player, asked: npt.NDArray[np.bool_], where: npt.NDArray[np.bool_], what: str) -> Found:
    if p.instrument.family not in FAMILIES:
        return
    last = -1
    for row in p.notes[asked & where[p.notes["pitch"]]]:
        if int(row["onset"]) != last:
            last = int(row["onset"])
            yield last, f"{p.name(int(row['pitch']))} {what}"
