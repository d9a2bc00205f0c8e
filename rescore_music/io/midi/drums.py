"""Which channels play drum keys, as a file's own system exclusive messages declare it.

Channel 10 does unless told otherwise. Roland GS declares any channel with "use for rhythm part", Yamaha XG with a
part's mode or the bank 127 (126 for effects), General MIDI 2 with the bank 120 (121 for melody). A reset, to whichever
system, puts channel 10 back and ends what the system before it meant by its banks.

A message speaks to the device on its port: GS blocks 4x are that port's own channels and blocks 5x those of its
neighbour (the SC-88's part groups A and B), XG parts from 16 on are channels of further ports. A reset is for its own
port, and for all where every message of the file comes on one: then one device has all ports.

Sources: Roland SC-88 owner's manual (MIDI implementation), Yamaha XG specifications 1.35, General MIDI 2 (RP-024).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_GS_BLOCKS = (9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)
_ALL = -1
_SYSTEMS = ("", "gm", "gm2", "gs", "xg")


@dataclass
class DrumChannels:
    """What the messages heard so far declare; `hear` all of them before asking.

    A *place* is port * 16 + channel.

    Attributes
    ----------
    declared : list of (tick, port, place, percussion or not)
        As heard on that port; place -1: a reset of all channels.
    systems : list of (tick, port, system)
        "gm", "gm2", "gs" or "xg", from that tick on.
    """

    declared: list[tuple[int, int, int, bool]] = field(default_factory=list)
    systems: list[tuple[int, int, str]] = field(default_factory=list)
    _known: dict[int, tuple[Ints, Flags, Ints, Ints]] = field(default_factory=dict, repr=False)

    def hear(self, tick: int, data: bytes, port: int = 0) -> None:
        """Take note of a system exclusive message (without its first byte, F0) that comes on a port."""
        system = _reset(data)
        if system:
            self.systems.append((tick, port, system))
            self.declared.append((tick, port, _ALL, False))
        elif data[:1] == b"\x41" and data[2:4] == b"\x42\x12" and data[6:7] == b"\x15" and len(data) > 7:
            group = {0x40: port, 0x50: port ^ 1}.get(data[4])
            if group is not None and data[5] >> 4 == 1:  # GS: 40 1x 15, use for rhythm part
                self.declared.append((tick, port, group * 16 + _GS_BLOCKS[data[5] & 15], data[7] > 0))
        elif data[:1] == b"\x43" and data[2:4] == b"\x4c\x08" and data[5:6] == b"\x07" and len(data) > 6:
            part = data[4]  # XG: 08 nn 07, part mode
            self.declared.append((tick, port, part if part > 15 else port * 16 + part, data[6] > 0))

    @cached_property
    def _tables(self) -> tuple[Ints, Ints]:
        """`declared` and `systems` as rows by tick, systems by number."""
        declared = np.array(self.declared, np.int64).reshape(-1, 4)
        systems = np.array([(tick, port, _SYSTEMS.index(name)) for tick, port, name in self.systems], np.int64)
        systems = systems.reshape(-1, 3)
        return declared[np.argsort(declared[:, 0], kind="stable")], systems[np.argsort(systems[:, 0], kind="stable")]

    @cached_property
    def _one_device(self) -> bool:
        return len({port for _, port, _, _ in self.declared}) < 2

    def _of(self, place: int) -> tuple[Ints, Flags, Ints, Ints]:
        """Where a channel turns to drums or back, and whether it is drums before and after each; its systems alike."""
        found = self._known.get(place)
        if found is None:
            declared, systems = self._tables
            port, is_tenth = place // 16, place % 16 == 9
            resets = (declared[:, 2] == _ALL) & (self._one_device | (declared[:, 1] == port))
            declared = declared[resets | (declared[:, 2] == place)]
            systems = systems[self._one_device | (systems[:, 1] == port)]
            kits = np.where(declared[:, 2] == _ALL, is_tenth, declared[:, 3] > 0)
            found = declared[:, 0], np.append(is_tenth, kits), systems[:, 0], np.append(0, systems[:, 2])
            self._known[place] = found
        return found

    def at(self, ticks: npt.ArrayLike, place: int, banks: npt.ArrayLike) -> Flags:
        """Whether a channel plays drum keys.

        Parameters
        ----------
        ticks : int array, shape (n,)
        place : int
            port * 16 + channel, both from 0.
        banks : int array, shape (n,)
            The bank that the channel has there, MSB * 128 + LSB.

        Returns
        -------
        bool array, shape (n,)
        """
        tick, most = np.asarray(ticks, np.int64), np.asarray(banks, np.int64) >> 7
        changes, kits, turns, systems = self._of(place)
        drums = kits[np.searchsorted(changes, tick, side="right")]
        system = systems[np.searchsorted(turns, tick, side="right")]
        drums = np.where((system == _SYSTEMS.index("xg")) & ((most == 126) | (most == 127)), True, drums)
        second = (system == _SYSTEMS.index("gm2")) & ((most == 120) | (most == 121))
        return np.asarray(np.where(second, most == 120, drums), bool)

    def is_drums(self, tick: int, place: int, bank: int) -> bool:
        """The same at one tick."""
        return bool(self.at([tick], place, [bank])[0])


def _reset(data: bytes) -> str:
    """The system that a message switches on, or ""."""
    if data[:1] == b"\x7e" and data[2:3] == b"\x09":
        return {b"\x01": "gm", b"\x03": "gm2"}.get(data[3:4], "")
    if data[:1] == b"\x41" and data[2:4] == b"\x42\x12" and data[4:7] in (b"\x40\x00\x7f", b"\x00\x00\x7f"):
        return "gs"
    return "xg" if data[:1] == b"\x43" and data[2:7] == b"\x4c\x00\x00\x7e\x00" else ""
