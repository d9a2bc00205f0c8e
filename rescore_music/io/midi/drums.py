"""Which channels play drum keys, as a file's own system exclusive messages declare it.

Channel 10 does unless told otherwise. Roland GS declares any channel with "use for rhythm part", Yamaha XG with a
part's mode or the bank 127 (126 for effects), General MIDI 2 with the bank 120 (121 for melody). A reset, to whichever
system, puts channel 10 back and ends what the system before it meant by its banks.

Sources: Roland SC-88 owner's manual (MIDI implementation), Yamaha XG specifications 1.35, General MIDI 2 (RP-024).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]

_GS_BLOCKS = (9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)
_ALL = -1
_SYSTEMS = ("", "gm", "gm2", "gs", "xg")


@dataclass
class DrumChannels:
    """What the messages heard so far declare; `hear` all of them before asking.

    Attributes
    ----------
    declared : list of (tick, channel, percussion or not)
        Channel -1: a reset of all.
    systems : list of (tick, system)
        "gm", "gm2", "gs" or "xg", from that tick on.
    """

    declared: list[tuple[int, int, bool]] = field(default_factory=list)
    systems: list[tuple[int, str]] = field(default_factory=list)

    def hear(self, tick: int, data: bytes) -> None:
        """Take note of a system exclusive message (without its first byte, F0)."""
        system = _reset(data)
        if system:
            self.systems.append((tick, system))
            self.declared.append((tick, _ALL, False))
        elif data[:1] == b"\x41" and data[2:5] == b"\x42\x12\x40" and data[6:7] == b"\x15" and len(data) > 7:
            if data[5] >> 4 == 1:  # GS: 40 1x 15, use for rhythm part
                self.declared.append((tick, _GS_BLOCKS[data[5] & 15], data[7] > 0))
        elif data[:1] == b"\x43" and data[2:4] == b"\x4c\x08" and data[5:6] == b"\x07" and len(data) > 6:
            channel = data[4]  # XG: 08 nn 07, part mode
            self.declared.extend([(tick, channel, data[6] > 0)] if channel < 16 else [])

    @cached_property
    def _systems(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        ordered = sorted(self.systems, key=lambda s: s[0])
        ticks = np.array([tick for tick, _ in ordered], np.int64)
        return ticks, np.array([0, *(_SYSTEMS.index(name) for _, name in ordered)], np.int64)

    @cached_property
    def _channels(self) -> dict[int, tuple[npt.NDArray[np.int64], Flags]]:
        ordered = sorted(self.declared, key=lambda d: d[0])
        out = {}
        for channel in {number for _, number, _ in ordered} | {9}:
            own = [(tick, value) for tick, number, value in ordered if number in (channel, _ALL)]
            resets = [number == _ALL for _, number, _ in ordered if number in (channel, _ALL)]
            values = [channel == 9 if reset else value for (_, value), reset in zip(own, resets, strict=True)]
            out[channel] = np.array([tick for tick, _ in own], np.int64), np.array([channel == 9, *values], bool)
        return out

    def at(self, ticks: npt.ArrayLike, channel: int, banks: npt.ArrayLike) -> Flags:
        """Whether a channel plays drum keys.

        Parameters
        ----------
        ticks : int array, shape (n,)
        channel : int
            From 0.
        banks : int array, shape (n,)
            The bank that the channel has there, MSB * 128 + LSB.

        Returns
        -------
        bool array, shape (n,)
        """
        tick, most = np.asarray(ticks, np.int64), np.asarray(banks, np.int64) >> 7
        places, values = self._channels.get(channel, (np.zeros(0, np.int64), np.zeros(1, bool)))
        drums = values[np.searchsorted(places, tick, side="right")]
        places, systems = self._systems
        system = systems[np.searchsorted(places, tick, side="right")]
        drums = np.where((system == _SYSTEMS.index("xg")) & ((most == 126) | (most == 127)), True, drums)
        second = (system == _SYSTEMS.index("gm2")) & ((most == 120) | (most == 121))
        return np.asarray(np.where(second, most == 120, drums), bool)

    def is_drums(self, tick: int, channel: int, bank: int) -> bool:
        """The same at one tick."""
        return bool(self.at([tick], channel, [bank])[0])


def _reset(data: bytes) -> str:
    """The system that a message switches on, or ""."""
    if data[:1] == b"\x7e" and data[2:3] == b"\x09":
        return {b"\x01": "gm", b"\x03": "gm2"}.get(data[3:4], "")
    if data[:1] == b"\x41" and data[2:4] == b"\x42\x12" and data[4:7] in (b"\x40\x00\x7f", b"\x00\x00\x7f"):
        return "gs"
    return "xg" if data[:1] == b"\x43" and data[2:7] == b"\x4c\x00\x00\x7e\x00" else ""
