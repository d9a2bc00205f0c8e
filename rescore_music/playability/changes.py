"""Changes and the time they take: pizzicato and arco, mutes, instruments; and trills that do not work."""

from __future__ import annotations

import numpy as np

from rescore_music.instruments import guess_instrument
from rescore_music.playability.player import Found, Player
from rescore_music.score import GRACE, Articulation

HAND_S = 0.18  # from a plucked note to a bowed one, or back
MUTE_S = 1.0  # to put a mute on or take it off
STROKES = int(Articulation.PIZZICATO | Articulation.COL_LEGNO)  # what is not the plain bow
_INSTRUMENT_S = 3.0  # to put one instrument down and take up another that lies ready
_TROMBONES = frozenset(("trombone", "trombone-bb", "bass-trombone", "alto-trombone"))
_LIP_TRILL = 62  # D4: below it a trombone's neighbouring partials lie farther apart than a trill


def techniques(p: Player) -> Found:
    """Pizzicato, arco and col legno that follow each other without time for the hand
    (Adler, "Pizzicato"; Piston, Orchestration: a brief rest eases the change to arco).
    """
    if p.instrument.family != "strings" or (p.players > 1 and p.divisi > 1):
        return
    yield from _switches(p, STROKES, HAND_S, "from one way of playing to another", from_end=False)


def mutes(p: Player) -> Found:
    """Mutes put on or off without a rest for it (Adler, "Mutes"; Del Mar, Anatomy of the Orchestra)."""
    if p.instrument.family in ("strings", "brass"):
        yield from _switches(p, int(Articulation.MUTED), MUTE_S, "for the mute", from_end=True)


def _switches(p: Player, flags: int, least: float, what: str, *, from_end: bool) -> Found:
    plain = ~p.flagged(GRACE)
    state, tick = (p.notes["articulation"] & flags)[plain], p.notes["onset"][plain]
    since = np.maximum.accumulate(p.end[plain]) if from_end else p.at[plain]
    for i in np.flatnonzero(state[1:] != state[:-1]).tolist():
        time = float(p.at[plain][i + 1] - since[i])
        if time < least and tick[i + 1] > tick[i]:
            yield int(tick[i + 1]), f"{max(time, 0):.2f} s {what}"


def instruments(p: Player) -> Found:
    """Another instrument to be taken up without a rest for it (Adler, "Doubling"; Gould, Behind Bars, "Changing
    instruments").

    Program changes tell it, where they lead to another wind or percussion instrument.
    """
    held = p.instrument.id
    for tick, program in p.programs:
        row = guess_instrument("", program)
        if row.family not in ("woodwind", "brass", "percussion") or p.instrument.family != row.family:
            continue
        before, after = p.notes["onset"] < tick, p.notes["onset"] >= tick
        if row.id != held and before.any() and after.any():
            time = float(p.at[after].min() - p.end[before].max())
            if time < _INSTRUMENT_S:
                yield tick, f"{max(time, 0):.1f} s to take up the {row.name.lower()}"
        held = row.id


def trills(p: Player) -> Found:
    """Trills that cannot be played: on an instrument that has none, on a woodwind's lowest note, where one finger holds
    both keys, and lip trills low on the trombone (Adler, trill tables of the woodwinds; "The trombone", "The harp").
    """
    able = {"trill", "roll", "tremolo"} & set(p.instrument.articulations) or p.instrument.id in _TROMBONES
    for row in p.notes[p.flagged(int(Articulation.TRILL))]:
        pitch = int(row["pitch"])
        if not able:
            yield int(row["onset"]), f"no trill on the {p.instrument.name.lower()}"
        elif p.instrument.family == "woodwind" and pitch == p.instrument.lowest:
            yield int(row["onset"]), f"no trill on {p.name(pitch)}, the lowest note"
        elif p.instrument.id in _TROMBONES and pitch < _LIP_TRILL:
            yield int(row["onset"]), f"no lip trill on {p.name(pitch)}"
