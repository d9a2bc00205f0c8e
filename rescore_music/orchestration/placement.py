"""What it costs to give a strand to a seat: every strand x seat, each cost by name, with the best octave.

Conventions: arrays are (strands, seats); octaves are relative to the source. Levels as in `ensemble`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.costs import ROLE_LEVEL
from rescore_music.orchestration.ensemble import ROLES, Ensemble
from rescore_music.orchestration.material import Material
from rescore_music.structure import Role
from rescore_music.template import Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OCTAVES = np.arange(-3, 4)
LEVEL_SPAN = 22.0  # dB between a phrase that wants pp and one that wants ff, in the middle of the forces
TUTTI = 0.68  # intensity from which everybody plays out
_TUTTI_SHARE = {Role.MELODY: 1.0, Role.BASS: 0.5, Role.FIGURATION: 0.8, Role.COUNTER_MELODY: 0.5}
_UNARY = ("range", "tessitura", "register", "power", "agility", "breath", "wish", "idiom", "asked", "chance")


@dataclass(frozen=True, eq=False)
class Placement:
    """Costs of strands on seats.

    Attributes
    ----------
    terms : mapping of cost name to float64 array, shape (strands, seats)
        Weighted by the cost's weight, not yet by the strand's importance.
    total : float64 array, shape (strands, seats)
        Their sum; infinite where the seat cannot play the strand at all.
    octave : int64 array, shape (strands, seats)
        Where the strand sits best on the seat.
    fit : float64 array, shape (strands, seats, octaves)
        Weighted range, tessitura and power cost at every octave of `OCTAVES`.
    pitch, soft, loud : float64 arrays, shape (strands, seats)
        Mean pitch there, and the seat's softest and loudest level at it.
    target : float64 array, shape (strands,)
        Level in dB that the strand's role wants.
    """

    terms: Mapping[str, Floats]
    total: Floats
    octave: Ints
    fit: Floats
    pitch: Floats
    soft: Floats
    loud: Floats
    target: Floats


def role_level(style: Style, role: Role) -> float:
    """Level of a role against the melody in dB: the style's word, or tradition's where it says nothing."""
    own = style.roles.get(role)
    return own.dynamics if own is not None and own.dynamics else ROLE_LEVEL.get(role, -6.0)


def phrase_level(dynamic: npt.ArrayLike, reference: float, span: float) -> Floats:
    """Melody's level in dB of phrases that want `dynamic` (0..1): mf of the forces at 0.55."""
    return reference + (np.asarray(dynamic, np.float64) - 0.55) * LEVEL_SPAN * span


def _octave_tables(seats: Ensemble) -> tuple[Floats, Floats]:
    """Range and tessitura cost of every pitch on every seat at every octave: (128, seats * octaves)."""
    pitch = np.arange(128)[:, None, None] + 12 * OCTAVES[None, None, :]
    low, high = seats.low[None, :, None], seats.high[None, :, None]
    outside = np.maximum(low - pitch, 0) + np.maximum(pitch - high, 0)
    span = np.maximum(seats.comfortable_high - seats.comfortable_low, 1)[None, :, None]
    beyond = np.maximum(seats.comfortable_low[None, :, None] - pitch, 0)
    beyond = beyond + np.maximum(pitch - seats.comfortable_high[None, :, None], 0)
    range_cost = (outside > 0) * (1.0 + outside / 24.0)
    # a breath of preference for the middle of the comfortable register breaks ties between octaves
    middle = (seats.comfortable_low + seats.comfortable_high)[None, :, None] / 2
    tessitura = np.minimum(beyond, 18) / 6.0 + 0.04 * np.abs(pitch - middle) / span
    return range_cost.reshape(128, -1), tessitura.reshape(128, -1)


def _power_cost(target: Floats, soft: Floats, loud: Floats, leading: npt.NDArray[np.bool_]) -> Floats:
    """Tens of dB that the target lies outside what the seat can do there: too weak hurts a leading line most."""
    weak = np.maximum(target - loud, 0) / 10 * np.where(leading, 1.5, 0.8)
    strong = np.maximum(soft - target, 0) / 10 * np.where(leading, 0.7, 1.3)
    # playing at the edge of the dynamic range is a colour of its own: rather not in the softest tenth of a loud one
    return np.asarray(np.minimum(weak + strong, 3.0))


def _too_small(m: Material, seats: Ensemble, loud: Floats) -> Floats:
    """Tutti: voices that are weak among these forces, where everybody else plays out."""
    middle = (seats.comfortable_low + seats.comfortable_high) // 2
    strong = (
        float(np.quantile(seats.loud[np.arange(len(middle)), middle][seats.pitched], 0.7))
        if seats.pitched.any()
        else 0.0
    )
    share = np.array([_TUTTI_SHARE.get(role, 0.0) for role in ROLES])[m.role] * (m.intensity[m.phrase] > TUTTI)
    return np.asarray(np.clip((strong - loud) / 12.0, 0.0, 1.2) * share[:, None, None])


def placement(
    m: Material,
    seats: Ensemble,
    style: Style,
    weight: Mapping[str, float],
    seed: int,
    asked: Floats | None = None,
) -> Placement:
    """Every strand on every seat; `asked` is the raw cost of the user's wishes, (strands, seats)."""
    n, s, o = len(m.phrase), len(seats.seats), len(OCTAVES)
    range_table, tessitura_table = _octave_tables(seats)
    # a note of the tune folded by an octave breaks what everybody listens to
    broken = np.where(m.role == int(Role.MELODY), 3.0, np.where(m.role == int(Role.BASS), 1.5, 1.0))
    in_range = (m.histogram @ range_table).reshape(n, s, o) * broken[:, None, None]
    tessitura = (m.histogram @ tessitura_table).reshape(n, s, o)
    wished = np.array([style.roles[r].register if r in style.roles else 0 for r in ROLES])[m.role]
    # one octave changes the colour, two the function
    register = (np.abs(OCTAVES[None, :] - wished[:, None]).astype(np.float64) ** 1.8)[:, None, :]
    level = phrase_level(m.dynamic, seats.reference, style.dynamics_span)[m.phrase]
    offset = np.array([role_level(style, r) for r in ROLES])[m.role]
    # in a loud phrase the tune has to carry over everybody else
    tutti = np.where(m.role == int(Role.MELODY), 8.0 * np.maximum(m.dynamic - 0.55, 0.0)[m.phrase], 0.0)
    target = level + offset + tutti
    leading = ((m.role == int(Role.MELODY)) | (m.role == int(Role.BASS)))[:, None, None]
    pitch = np.clip(np.rint(m.mean[:, None] + 12 * OCTAVES), 0, 127).astype(np.int64)
    soft = seats.soft[np.arange(s)[None, :, None], pitch[:, None, :]]
    loud = seats.loud[np.arange(s)[None, :, None], pitch[:, None, :]]
    power = _power_cost(target[:, None, None], soft, loud, leading) + _too_small(m, seats, loud)
    fit = weight["range"] * in_range + weight["tessitura"] * tessitura + weight["power"] * power
    choice = np.argmin(fit + weight["register"] * register, axis=2)
    at = (np.arange(n)[:, None], np.arange(s)[None, :], choice)
    foundation = _foundation(m, seats, pitch[np.arange(n)[:, None], choice])
    raw = {
        "range": in_range[at],
        "tessitura": tessitura[at],
        "register": np.broadcast_to(register, (n, s, o))[at],
        "power": power[at],
        "agility": np.clip(m.rate[:, None] / seats.agility[None, :] - 0.85, 0, 2) * 2 + _repeats(m, seats),
        "breath": _breath(m, seats),
        "wish": -0.5 * seats.wish.T[m.role],
        "idiom": np.where(m.kettle[:, None], seats.kettle[None, :], seats.idiom.T[m.role]) + foundation,
        "asked": np.zeros((n, s)) if asked is None else asked,
        "chance": _chance(m, s, seed),
    }
    terms = {name: weight[name] * raw[name] for name in _UNARY}
    total = np.sum(list(terms.values()), axis=0) if terms else np.zeros((n, s))
    able = seats.pitched[None, :] & _reaches_all(m, seats)
    return Placement(
        terms=terms,
        total=np.where(able, total, np.inf),
        octave=OCTAVES[choice],
        fit=fit,
        pitch=np.clip(m.mean[:, None] + 12 * OCTAVES[choice], 0, 127),
        soft=soft[at],
        loud=loud[at],
        target=target,
    )


def _breath(m: Material, seats: Ensemble) -> Floats:
    """Breaths too long; two or more players stagger their breathing."""
    need = seats.breath[None, :]
    over = np.clip(m.run_s[:, None] / np.maximum(need, 0.1) - 1.0, 0.0, 1.5)
    return np.asarray(np.where(need > 0, over, 0.0) * np.where(seats.players > 1, 0.4, 1.0)[None, :])


def _foundation(m: Material, seats: Ensemble, pitch: Ints) -> Floats:
    """Broken chords and tenor lines on double bass, tuba, contrabassoon: theirs are the roots below.

    A broken-chord bass goes to strings before winds.
    """
    nimble = np.clip((m.broken - 0.35) / 0.4, 0.0, 1.0)[:, None]
    top = ((seats.low + 2 * seats.comfortable_high) // 3 + 2)[None, :]
    high = np.clip((pitch - top) / 8.0, 0.0, 1.0)
    bass = (m.role == int(Role.BASS))[:, None]
    blown = np.where(seats.breath[None, :] > 0, 0.5 * nimble * bass, 0.0)  # no place to breathe in a broken chord
    return np.asarray(np.where(seats.deep[None, :], 1.2 * nimble + 0.8 * high, blown))


def _repeats(m: Material, seats: Ensemble) -> Floats:
    """Quickly repeated pitches on instruments whose sound they cut off: harp, plucked strings, pedal timpani."""
    plucked = [s.instrument.family == "plucked" and s.instrument.id in ("harp", "lute") for s in seats.seats]
    return np.asarray((m.repeated * np.clip(m.rate / 4.0, 0, 1.5))[:, None] * np.array(plucked, np.float64)[None, :])


def _chance(m: Material, seats: int, seed: int) -> Floats:
    """A small preference per (line, seat), the same in every phrase, drawn from the seed."""
    lines = int(m.line.max()) + 1 if len(m.line) else 1
    return np.asarray(np.random.default_rng(seed).random((lines, seats))[m.line])


def _reaches_all(m: Material, seats: Ensemble) -> npt.NDArray[np.bool_]:
    """Whether every pitch class of a strand lies in the seat's range in some octave."""
    classes = np.zeros((len(seats.seats), 12), bool)
    for i in range(len(seats.seats)):
        classes[i, np.unique(np.arange(seats.low[i], seats.high[i] + 1) % 12)] = True
    used = (m.histogram > 0).reshape(-1, 128)
    needs = np.zeros((len(used), 12), bool)
    for pc in range(12):
        needs[:, pc] = used[:, pc::12].any(axis=1)
    return np.asarray(~(needs[:, None, :] & ~classes[None, :, :]).any(axis=2), bool)
