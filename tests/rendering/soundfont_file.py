"""SoundFont files made for tests: known samples, known generators, every byte from the specification's layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

KEY_RANGE, VEL_RANGE, INSTRUMENT, SAMPLE = 43, 44, 41, 53
Generators = dict[int, int]


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


def _generators(zone: Generators, last: tuple[int, int] | None) -> list[tuple[int, int]]:
    # specification 8.1.2: key range first, then velocity range, the terminal generator last
    order = sorted(zone.items(), key=lambda item: {KEY_RANGE: 0, VEL_RANGE: 1}.get(item[0], 2))
    return order + ([last] if last else [])


def _bags(zones: list[list[tuple[int, int]]], bags: list[int], rows: list[tuple[int, int]]) -> None:
    for zone in zones:
        bags.append(len(rows))
        rows.extend(zone)


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
    pbag, ibag, pgen, igen = [], [], [], []
    for number, preset in enumerate(presets):
        heads += struct.pack("<20sHHHIII", f"preset {number}".encode(), preset.program, preset.bank, len(pbag), 0, 0, 0)
        outer = [_generators(preset.over_common, None)] if preset.over_common else []
        _bags([*outer, _generators(preset.over, (INSTRUMENT, number))], pbag, pgen)
        instruments += struct.pack("<20sH", f"instrument {number}".encode(), len(ibag))
        inner = [_generators(preset.common, None)] if preset.common else []
        inner += [_generators(zone, (SAMPLE, sample)) for sample, zone in preset.zones]
        _bags(inner, ibag, igen)
    heads += struct.pack("<20sHHHIII", b"EOP", 0, 0, len(pbag), 0, 0, 0)
    instruments += struct.pack("<20sH", b"EOI", len(ibag))
    tables = [(b"phdr", bytes(heads))]
    for letter, bags, rows, between in ((b"p", pbag, pgen, instruments), (b"i", ibag, igen, headers)):
        tables.append((letter + b"bag", b"".join(struct.pack("<HH", n, 0) for n in [*bags, len(rows)])))
        tables.append((letter + b"mod", bytes(10)))
        packed = [struct.pack("<HH", kind, amount & 0xFFFF) for kind, amount in [*rows, (0, 0)]]
        tables.append((letter + b"gen", b"".join(packed)))
        tables.append((b"inst" if letter == b"p" else b"shdr", bytes(between)))
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
