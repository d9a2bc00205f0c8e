"""Articulation: the source's is kept; the style speaks where the source is silent.

Conventions: a note under an articulation flag keeps its notated duration (`Score.sounding` shortens it); a style's
`duration` below 1 shortens notes that carry no such flag as they are played, never as they are written (`cut`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Role
from rescore_music.template import Style

Bools = npt.NDArray[np.bool_]

_SHORT = int(Articulation.STACCATO | Articulation.STACCATISSIMO | Articulation.MARCATO)
_SAID = _SHORT | int(
    Articulation.TENUTO | Articulation.ACCENT | Articulation.TRILL | Articulation.TREMOLO | Articulation.PIZZICATO
    | Articulation.FERMATA | Articulation.HARMONIC | Articulation.COL_LEGNO | Articulation.SLURRED | GRACE
)  # fmt: skip
# a style's word -> flag, and the ability of the instrument it needs
_FLAGS: dict[str, tuple[Articulation, str]] = {
    "staccato": (Articulation.STACCATO, ""),
    "spiccato": (Articulation.STACCATO, ""),
    "tenuto": (Articulation.TENUTO, ""),
    "accent": (Articulation.ACCENT, ""),
    "marcato": (Articulation.MARCATO, ""),
    "pizzicato": (Articulation.PIZZICATO, "pizzicato"),
    "tremolo": (Articulation.TREMOLO, "tremolo"),
}
# playing techniques of the source that only some instruments have
_NEEDS: dict[Articulation, tuple[str, ...]] = {
    Articulation.PIZZICATO: ("pizzicato",),
    Articulation.TREMOLO: ("tremolo", "roll", "flutter"),
    Articulation.MUTED: ("mute",),
    Articulation.HARMONIC: ("harmonic",),
    Articulation.SUL_PONTICELLO: ("tremolo",),
    Articulation.COL_LEGNO: ("pizzicato",),
    Articulation.UP_BOW: ("pizzicato",),
    Articulation.DOWN_BOW: ("pizzicato",),
    Articulation.TRILL: ("trill", "roll"),
    Articulation.GLISSANDO: ("glissando",),
    Articulation.SLURRED: ("legato",),
}
_BY_FAMILY = (Articulation.SUL_PONTICELLO, Articulation.COL_LEGNO, Articulation.UP_BOW, Articulation.DOWN_BOW)


def articulate(draft: Rows, score: Score, style: Style, seats: Ensemble, ledger: Ledger) -> Rows:
    """Flags and lengths."""
    out = _playable_flags(draft, seats, ledger)
    silent = (out["articulation"] & _SAID) == 0
    beat = score.ticks_per_quarter
    for role in Role:
        own = style.roles.get(role)
        if own is None or role in (Role.REST, Role.PERCUSSION):
            continue
        mine = (out["role"] == int(role)) & silent & seats.pitched[out["seat"]]
        if own.articulation in _FLAGS:
            flag, ability = _FLAGS[own.articulation]
            can = np.array([not ability or ability in s.instrument.articulations for s in seats.seats], bool)
            fits = can[out["seat"]]
            if flag is Articulation.TREMOLO:
                fits &= out["duration"] >= beat
            elif flag in (Articulation.STACCATO, Articulation.PIZZICATO):
                fits &= out["duration"] <= 2 * beat  # a long note is not detached but held
            out["articulation"] |= np.where(mine & fits, np.uint32(flag), np.uint32(0))
        elif own.articulation == "legato":
            bound = np.array(["legato" in seat.instrument.articulations for seat in seats.seats], bool)
            _slur(out, mine & bound[out["seat"]], score)
        if 0 < own.duration < 1:
            long = mine & ((out["articulation"] & _SHORT) == 0) & (out["duration"] > 1)
            out["cut"] = np.where(long, round(100 * (1 - own.duration)), out["cut"])
    return out


def _playable_flags(draft: Rows, seats: Ensemble, ledger: Ledger) -> Rows:
    """Techniques taken off where the instrument does not have them."""
    out = draft.copy()
    removed = np.zeros(len(out), bool)
    for flag, needs in _NEEDS.items():
        able = [any(n in seat.instrument.articulations for n in needs) for seat in seats.seats]
        if flag in _BY_FAMILY:
            able = [seat.instrument.family == "strings" for seat in seats.seats]
        bad = ((out["articulation"] & int(flag)) != 0) & ~np.array(able, bool)[out["seat"]]
        removed |= bad
        out["articulation"][bad] &= ~np.uint32(flag)
    ledger.change("playing technique left out: the instrument does not have it", out[removed])
    return out


def _slur(rows: Rows, mine: Bools, score: Score) -> None:
    """Notes joined to the next within a bar where they touch, in place; breath and bow change at the bar line."""
    index = np.flatnonzero(mine)
    order = index[np.lexsort((rows["onset"][index], rows["line"][index], rows["doubling"][index], rows["seat"][index]))]
    a, b = rows[order][:-1], rows[order][1:]
    joined = np.ones(len(a), bool)
    for name in ("seat", "doubling", "line", "phrase"):
        joined &= a[name] == b[name]
    joined &= (b["onset"] > a["onset"]) & (b["onset"] - (a["onset"] + a["duration"]) <= score.ticks_per_quarter // 8)
    joined &= (score.bar_of(a["onset"]) == score.bar_of(b["onset"])) & (a["pitch"] != b["pitch"])
    chord = np.zeros(len(order), bool)
    if len(order) > 1:
        together = (a["onset"] == b["onset"]) & (a["seat"] == b["seat"])
        chord[1:] |= together
        chord[:-1] |= together
    joined &= ~chord[:-1] & ~chord[1:]
    rows["articulation"][order[:-1][joined]] |= np.uint32(Articulation.SLURRED)
