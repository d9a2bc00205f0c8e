"""Which port each message of a file is for: more than sixteen channels.

A port message speaks for what follows in its track; each track begins on port 0. Files without a single one may name a
device instead (RP-019): then each device is a port, in the order in which they are first named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass
class Ports:
    """What a file says of ports, each with the order of its message; `firsts` are those of the tracks' first ones."""

    firsts: Sequence[int] = (0,)
    ports: list[tuple[int, int]] = field(default_factory=list)
    devices: list[tuple[int, str]] = field(default_factory=list)

    def of(self, order: npt.ArrayLike) -> Ints:
        """The port, 0 to 15, of each message, given by its order in the file."""
        ports, names = self.ports, list(dict.fromkeys(name for _, name in self.devices))
        if not ports and 1 < len(names) <= 16:
            ports = [(place, names.index(name)) for place, name in self.devices]
        orders = np.asarray(order, np.int64)
        if not ports:
            return np.zeros(len(orders), np.int64)
        # sorting is stable: a port message that opens a track comes after the track's own reset to port 0
        changes = sorted([(int(first), 0) for first in self.firsts] + ports, key=lambda c: c[0])
        at = np.searchsorted(np.array([place for place, _ in changes]), orders, side="right") - 1
        return np.array([port & 15 for _, port in changes], np.int64)[np.maximum(at, 0)]
