"""Modulators: what velocity and key do to a zone's generators, as the SoundFont file writes it over the defaults.

Conventions: amounts in the target generator's units; a source gives 0 to 1 (unipolar) or -1 to 1 (bipolar). Only what
is known as a note starts is worked in here (velocity, key, constants). Volume, expression, pan, bend and modulation
wheel follow their controllers while a note sounds, in `channel`; the wheel's depth is read here. Other continuous
controllers as sources are left out.

References: SoundFont 2.04, 8.2 (sources and curves), 8.4 (defaults), 9.5 (how modulators of zones combine). Not taken
over: the default from velocity to filter, which FluidSynth leaves out too and fonts that mean it write themselves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ATTENUATION, VIBRATO_TO_PITCH = 48, 6
_VELOCITY, _KEY = 2, 3
_WHEEL = 0x0081
_MODULATED = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 17, *range(21, 41), 48, 51, 52})

Floats = npt.NDArray[np.float64]


class Modulator(NamedTuple):
    """One modulator: its source, target generator, amount, amount source and transform, as in the file."""

    source: int
    target: int
    amount: int
    by: int
    transform: int

    @property
    def place(self) -> tuple[int, int, int, int]:
        """What makes two modulators the same one (specification 7.4)."""
        return self.source, self.target, self.by, self.transform


Modulators = tuple[Modulator, ...]
DEFAULTS: Modulators = (Modulator(0x0502, ATTENUATION, 960, 0, 0), Modulator(_WHEEL, VIBRATO_TO_PITCH, 50, 0, 0))


def combined(*layers: Modulators) -> Modulators:
    """Modulators of several levels, a later one in the place of an earlier one that is the same."""
    kept: dict[tuple[int, int, int, int], Modulator] = {}
    for layer in layers:
        for modulator in layer:
            kept[modulator.place] = modulator
    return tuple(kept.values())


def curve(source: int, values: Floats) -> Floats:
    """A source's curve (specification 8.2.1) over controller values 0 to 127."""
    x = np.clip(values / 127.0, 0.0, 1.0)
    if source & 0x100:
        x = 1.0 - x
    if source & 0x200:
        return np.asarray(np.sign(2.0 * x - 1.0) * _shape(source >> 10, np.abs(2.0 * x - 1.0)), np.float64)
    return _shape(source >> 10, x)


def _shape(kind: int, x: Floats) -> Floats:
    tiny = 10.0 ** (-96.0 / 40.0)  # both logarithmic curves span 96 dB
    if kind == 1:  # concave
        return np.asarray(-40.0 / 96.0 * np.log10(np.maximum(1.0 - x, tiny)), np.float64)
    if kind == 2:  # convex
        return np.asarray(1.0 + 40.0 / 96.0 * np.log10(np.maximum(x, tiny)), np.float64)
    return np.where(x >= 0.5, 1.0, 0.0) if kind == 3 else x


def _source(source: int, key: Floats, velocity: Floats) -> Floats | None:
    """Values of a source that is known as a note starts; None for all others."""
    index = source & 0xFF
    if index == 0:
        return np.ones_like(key)
    if index in (_VELOCITY, _KEY):
        return curve(source, velocity if index == _VELOCITY else key)
    return None


def effects(lists: tuple[Modulators, ...], zone: npt.NDArray[np.int64], key: Floats, velocity: Floats) -> Floats:
    """What the modulators of voices add to their generators.

    Parameters
    ----------
    lists : tuple of Modulators
        One a zone.
    zone : int64 array, shape (voices,)
    key, velocity : float64 arrays, shape (voices,)

    Returns
    -------
    float64 array, shape (voices, 61)
    """
    added = np.zeros((len(zone), 61))
    groups: dict[Modulators, list[int]] = {}
    for number in np.unique(zone):
        groups.setdefault(lists[number], []).append(int(number))
    for modulators, zones in groups.items():
        rows = np.flatnonzero(np.isin(zone, zones))
        for modulator in modulators:
            first = _source(modulator.source, key[rows], velocity[rows])
            second = _source(modulator.by, key[rows], velocity[rows])
            if first is None or second is None or modulator.target not in _MODULATED:
                continue
            value = modulator.amount * first * second
            added[rows, modulator.target] += np.abs(value) if modulator.transform == 2 else value
    return added


def wheel_depths(lists: tuple[Modulators, ...]) -> Floats:
    """Per zone: cents of vibrato at full modulation wheel."""
    depth = [sum(m.amount for m in one if m.source == _WHEEL and m.target == VIBRATO_TO_PITCH) for one in lists]
    return np.array(depth, np.float64)
