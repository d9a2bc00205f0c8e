"""The forces as columns, one row a seat: ranges, power by pitch, divisi, wishes. Made once per orchestration.

Conventions: pitches are sounding MIDI numbers, levels dB relative to a violin section's mf at A4. A seat's level
holds its players, +10 log10(n): independent sources add in power (Meyer, Acoustics and the Performance of Music).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import Instrument
from rescore_music.structure import Role
from rescore_music.template import Seat, Style, Template

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

ROLES = (Role.MELODY, Role.COUNTER_MELODY, Role.BASS, Role.HARMONY, Role.FIGURATION, Role.PERCUSSION)

# 0 = what tradition gives the role to, 1 = against it. Rows: role; columns: family.
_IDIOM: dict[Role, dict[str, float]] = {
    Role.MELODY: {"brass": 0.3, "plucked": 0.6, "keyboard": 0.35, "percussion": 1.2, "woodwind": 0.05, "folk": 0.2},
    Role.COUNTER_MELODY: {"brass": 0.25, "plucked": 0.5, "keyboard": 0.3, "percussion": 1.2, "woodwind": 0.05},
    Role.BASS: {"brass": 0.25, "plucked": 0.35, "keyboard": 0.3, "percussion": 1.5, "woodwind": 0.2, "voice": 0.2},
    Role.HARMONY: {"brass": 0.2, "plucked": 0.3, "keyboard": 0.1, "percussion": 1.5, "woodwind": 0.15},
    Role.FIGURATION: {"brass": 0.7, "voice": 0.6, "woodwind": 0.15, "percussion": 0.5},
    Role.PERCUSSION: {},
}
# instruments that stand out of their family
_IDIOM_OF: dict[str, dict[Role, float]] = {
    "horn": {Role.HARMONY: 0.0, Role.COUNTER_MELODY: 0.05, Role.MELODY: 0.2, Role.BASS: 0.5},
    "timpani": dict.fromkeys(ROLES, 2.0),
    "harp": {Role.FIGURATION: 0.0, Role.HARMONY: 0.25, Role.BASS: 1.0, Role.MELODY: 0.9},
    "celesta": {Role.MELODY: 0.7, Role.BASS: 1.5, Role.FIGURATION: 0.1, Role.HARMONY: 0.4},
    "glockenspiel": {Role.MELODY: 0.9, Role.BASS: 2.0, Role.HARMONY: 1.5, Role.FIGURATION: 0.5},
    "piccolo": {Role.MELODY: 0.5, Role.HARMONY: 0.8, Role.COUNTER_MELODY: 0.6},
    "trumpet": {Role.HARMONY: 0.3},
    "tuba": {Role.BASS: 0.45, Role.MELODY: 1.0, Role.COUNTER_MELODY: 0.8, Role.HARMONY: 0.6},
    "contrabassoon": {Role.BASS: 0.4, Role.MELODY: 1.5, Role.HARMONY: 1.2, Role.COUNTER_MELODY: 1.2},
    "double-bass": {
        Role.BASS: 0.3,
        Role.FIGURATION: 0.7,
        Role.MELODY: 1.5,
        Role.HARMONY: 1.0,
        Role.COUNTER_MELODY: 1.2,
    },
    "bass-guitar": {Role.BASS: 0.0, Role.MELODY: 1.2, Role.HARMONY: 1.0},
    "electric-bass": {Role.BASS: 0.0, Role.MELODY: 1.2, Role.HARMONY: 1.0},
}
# basses that ground the chord; nimble or high basses belong to the cello, the bassoon, the euphonium (Adler, Piston)
_DEEP = ("double-bass", "tuba", "contrabass-tuba", "contrabassoon", "contrabass", "bb-bass", "eb-bass", "sousaphone")
_DESK = 0.12  # second violins: a step from the melody, a step towards the harmony


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Seats as columns; shapes (seats,), (seats, 128) by pitch, (seats, roles) by role."""

    seats: tuple[Seat, ...]
    low: Ints
    high: Ints
    comfortable_low: Ints
    comfortable_high: Ints
    soft: Floats  # (seats, 128): dB at pp
    loud: Floats  # (seats, 128): dB at ff
    divisi: Ints
    players: Ints
    pitched: Bools
    keyboard: Bools  # plays whole textures: sharing lines is natural
    sustains_pedal: Bools
    agility: Floats
    deep: Bools  # sixteen-foot instruments: foundations, slow to speak
    breath: Floats
    family: Ints
    families: tuple[str, ...]
    wish: Floats
    idiom: Floats
    kettle: Floats  # what it costs a seat to play the source's kettledrums
    reference: float  # dB: what mf is for these forces


def matches(seat: Seat, name: str) -> bool:
    """Whether a style's word means a seat: its family, instrument, own id, or its instrument's stem ("trumpet")."""
    instrument = seat.instrument
    return name in (instrument.family, instrument.id, seat.id) or instrument.id.startswith(name + "-")


def _wish(seat: Seat, prefer: dict[str, float]) -> float:
    """The style's wish for a seat; the most particular word counts."""
    instrument = seat.instrument
    for name in (seat.id, instrument.id):
        if name in prefer:
            return prefer[name]
    stems = [value for name, value in sorted(prefer.items()) if instrument.id.startswith(name + "-")]
    return stems[0] if stems else prefer.get(instrument.family, 0.0)


def _idiom(seat: Seat, role: Role, desk: int) -> float:
    instrument = seat.instrument
    own = next(
        (row for stem, row in _IDIOM_OF.items() if instrument.id == stem or instrument.id.startswith(stem + "-")), {}
    )
    base = own.get(role, _IDIOM[role].get(instrument.family, 0.0))
    if role is Role.MELODY:
        return base + _DESK * desk
    return base + (_DESK if desk == 0 and role in (Role.HARMONY, Role.FIGURATION) else 0.0)


def _is_deep(instrument: Instrument) -> bool:
    return any(instrument.id == stem or instrument.id.startswith(stem + "-") for stem in _DEEP)


def power(instrument: Instrument) -> tuple[Floats, Floats]:
    """Level in dB at pp and ff for MIDI pitches 0..127, interpolated between the table's registers."""
    rows = np.array(instrument.power or ((60, -12.0, 12.0),), np.float64)
    pitches = np.arange(128)
    return np.interp(pitches, rows[:, 0], rows[:, 1]), np.interp(pitches, rows[:, 0], rows[:, 2])


def has_pedal(instrument: Instrument) -> bool:
    """Whether the instrument has a sustaining pedal of its own."""
    return instrument.family == "keyboard" and not any(
        word in instrument.id for word in ("organ", "harpsichord", "accordion", "clavichord", "harmonium")
    )


def ensemble(template: Template) -> Ensemble:
    """The template's forces as columns, with its style's wishes."""
    seats, style = template.forces.seats, template.style
    powers = [power(seat.instrument) for seat in seats]
    gain = np.array([10 * np.log10(max(seat.players, 1)) + seat.gain for seat in seats])
    soft = np.array([p[0] for p in powers]).reshape(-1, 128) + gain[:, None]
    loud = np.array([p[1] for p in powers]).reshape(-1, 128) + gain[:, None]
    pitched = np.array([not seat.instrument.percussion for seat in seats], bool)
    families = tuple(sorted({seat.instrument.family for seat in seats}))
    middle = [
        (soft[i, p] + loud[i, p]) / 2
        for i, seat in enumerate(seats)
        if pitched[i]
        for p in [(seat.instrument.comfortable_low + seat.instrument.comfortable_high) // 2]
    ]
    desks = [sum(s.instrument.id == seat.instrument.id for s in seats[:i]) for i, seat in enumerate(seats)]

    def column(name: str) -> Ints:
        return np.array([getattr(seat.instrument, name) for seat in seats], np.int64)

    return Ensemble(
        seats=seats,
        low=np.array([seat.low for seat in seats], np.int64),
        high=np.array([seat.high for seat in seats], np.int64),
        comfortable_low=column("comfortable_low"),
        comfortable_high=column("comfortable_high"),
        soft=soft,
        loud=loud,
        divisi=np.array([max(seat.divisi, 1) for seat in seats], np.int64),
        players=np.array([max(seat.players, 1) for seat in seats], np.int64),
        pitched=pitched,
        keyboard=np.array([s.instrument.polyphony >= 4 and s.divisi >= 4 for s in seats], bool) & pitched,
        sustains_pedal=np.array([has_pedal(seat.instrument) for seat in seats], bool),
        agility=np.array([max(seat.instrument.agility, 0.5) for seat in seats]),
        deep=np.array([_is_deep(seat.instrument) for seat in seats], bool),
        breath=np.array([seat.instrument.breath for seat in seats]),
        family=np.array([families.index(seat.instrument.family) for seat in seats], np.int64),
        families=families,
        wish=_wishes(seats, style),
        idiom=np.array([[_idiom(s, role, d) for role in ROLES] for s, d in zip(seats, desks, strict=True)]).reshape(
            -1, 6
        ),
        kettle=np.array([0.0 if seat.instrument.id == "timpani" else 0.6 for seat in seats]),
        reference=float(np.median(middle)) if middle else 0.0,
    )


def _wishes(seats: tuple[Seat, ...], style: Style) -> Floats:
    prefer = [dict(style.roles[role].prefer) if role in style.roles else {} for role in ROLES]
    return np.array([[_wish(seat, words) for words in prefer] for seat in seats]).reshape(-1, len(ROLES))
