"""SoundFont files made for tests: known samples, known generators, every byte from the specification's layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

KEY_RANGE, VEL_RANGE, INSTRUMENT, SAMPLE = 43, 44, 41, 53
MODULATORS = -1  # in a zone: its modulators as rows of five
Generators = dict[int, Any]


@dataclass
class Sample:
    data: np.ndarray  # -1 to 1
    rate: int = 48000
    key: int = 60
    loop: tuple[int, int] = (0, 0)
    correction: int = 0


@dataclass
class Preset:
    zones: list[tuple[int, Generators]]  # (sample, generators)
    program: int = 0
    bank: int = 0
    common: Generators = field(default_factory=dict)  # the instrument's global zone
    over: Generators = field(default_factory=dict)  # the preset's zone
    over_common: Generators = field(default_factory=dict)  # the preset's global zone


def span(low: int, high: int) -> int:
    return low | high << 8


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


@dataclass
class Table:
    """Bags, generators and modulators of the presets or of the instruments."""

    bags: list[tuple[int, int]] = field(default_factory=list)
    generators: list[tuple[int, int]] = field(default_factory=list)
    modulators: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, zone: Generators, last: tuple[int, int] | None = None) -> None:
        self.bags.append((len(self.generators), len(self.modulators)))
        # specification 8.1.2: key range first, then velocity range, the terminal generator last
        own = [(kind, amount) for kind, amount in zone.items() if kind != MODULATORS]
        self.generators += sorted(own, key=lambda item: {KEY_RANGE: 0, VEL_RANGE: 1}.get(item[0], 2))
        self.generators += [last] if last else []
        self.modulators += zone.get(MODULATORS, [])

    def chunks(self, letter: bytes) -> list[tuple[bytes, bytes]]:
        bags = [*self.bags, (len(self.generators), len(self.modulators))]
        rows = [struct.pack("<HH", kind, amount & 0xFFFF) for kind, amount in [*self.generators, (0, 0)]]
        modulators = [struct.pack("<HHhHH", *row) for row in [*self.modulators, (0, 0, 0, 0, 0)]]
        bag = b"".join(struct.pack("<HH", *pair) for pair in bags)
        return [(letter + b"bag", bag), (letter + b"mod", b"".join(modulators)), (letter + b"gen", b"".join(rows))]


def write_soundfont(path: Path, samples: list[Sample], presets: list[Preset], *, wide: bool = False) -> Path:
    pool, low, headers = bytearray(), bytearray(), bytearray()
    for number, sample in enumerate(samples):
        start = len(pool) // 2
        whole = np.clip(np.rint(sample.data * 2**23), -(2**23), 2**23 - 1).astype(np.int64)
        if not wide:
            whole = np.clip(np.rint(sample.data * 2**15), -(2**15), 2**15 - 1).astype(np.int64) << 8
        pool += (whole >> 8).astype("<i2").tobytes() + b"\0" * 92
        low += (whole & 255).astype("u1").tobytes() + b"\0" * 46
        end = start + len(sample.data)
        headers += struct.pack(
            "<20s5IBbHH",
            f"sample {number}".encode(),
            start,
            end,
            start + sample.loop[0],
            start + sample.loop[1],
            sample.rate,
            sample.key,
            sample.correction,
            0,
            1,
        )
    headers += struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    heads, instruments = bytearray(), bytearray()
    outer, inner = Table(), Table()
    for number, preset in enumerate(presets):
        head = (f"preset {number}".encode(), preset.program, preset.bank, len(outer.bags), 0, 0, 0)
        heads += struct.pack("<20sHHHIII", *head)
        if preset.over_common:
            outer.add(preset.over_common)
        outer.add(preset.over, (INSTRUMENT, number))
        instruments += struct.pack("<20sH", f"instrument {number}".encode(), len(inner.bags))
        if preset.common:
            inner.add(preset.common)
        for sample, zone in preset.zones:
            inner.add(zone, (SAMPLE, sample))
    heads += struct.pack("<20sHHHIII", b"EOP", 0, 0, len(outer.bags), 0, 0, 0)
    instruments += struct.pack("<20sH", b"EOI", len(inner.bags))
    tables = [(b"phdr", bytes(heads)), *outer.chunks(b"p"), (b"inst", bytes(instruments)), *inner.chunks(b"i")]
    tables.append((b"shdr", bytes(headers)))
    sound = _chunk(b"smpl", bytes(pool)) + (_chunk(b"sm24", bytes(low)) if wide else b"")
    info = _chunk(b"ifil", struct.pack("<HH", 2, 4)) + _chunk(b"INAM", b"test\0\0")
    body = b"sfbk" + _chunk(b"LIST", b"INFO" + info) + _chunk(b"LIST", b"sdta" + sound)
    body += _chunk(b"LIST", b"pdta" + b"".join(_chunk(name, data) for name, data in tables))
    path.write_bytes(_chunk(b"RIFF", body))
    return path


def sine(key: int = 60, rate: int = 48000, seconds: float = 1.0) -> Sample:
    """A sine that loops over whole periods, its nominal key's pitch to within the rounding of a long loop."""
    frequency = 440.0 * 2 ** ((key - 69) / 12)
    frames = int(rate * seconds)
    periods = int(frames * frequency / rate)
    best = min(
        range(max(1, periods // 2), periods), key=lambda p: abs(p * rate / frequency - round(p * rate / frequency))
    )
    length = round(best * rate / frequency)
    data = 0.5 * np.sin(2 * np.pi * best / length * np.arange(frames + length))
    return Sample(data, rate, key, (length // 2, length // 2 + length))


def impulse(rate: int = 48000) -> Sample:
    """One full frame, then silence."""
    data = np.zeros(64)
    data[0] = 0.9
    return Sample(data, rate)


def steady(seconds: float = 0.1) -> Sample:
    """A constant level: what comes out is the gain itself."""
    data = np.full(int(48000 * seconds), 0.5)
    return Sample(data, loop=(100, len(data) - 100))
