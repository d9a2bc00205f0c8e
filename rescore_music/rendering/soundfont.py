"""SoundFont files (.sf2, .sf3): presets, zones with their generators resolved, and the sampled sound itself.

Conventions: generator amounts stay in the file's units (timecents, centibels, cents, 0.1 %); sampled sound is float32
with full scale at 1.0. Files are mapped, not read whole, and parsed once a process.

References: SoundFont Technical Specification 2.04 (E-mu/Creative, 2006), sections 4 to 7 (file), 8 (generators and
modulators) and 9.4 (how zones combine). SF3 is MuseScore's variant whose samples are Ogg Vorbis streams.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RenderError
from rescore_music.rendering.modulators import DEFAULTS, Modulator, Modulators, combined
from rescore_music.rendering.riff import CURE, Rows, read_tables

Floats = npt.NDArray[np.float32]

GENERATORS = 61
# generator numbers that the engine reads (specification 8.1.2)
START, END, LOOP_START, LOOP_END, START_COARSE = 0, 1, 2, 3, 4
MOD_LFO_TO_PITCH, VIB_LFO_TO_PITCH, MOD_ENV_TO_PITCH = 5, 6, 7
FILTER_FC, FILTER_Q, MOD_LFO_TO_FC, MOD_ENV_TO_FC, END_COARSE, MOD_LFO_TO_VOLUME = 8, 9, 10, 11, 12, 13
PAN, MOD_LFO_DELAY, MOD_LFO_FREQ, VIB_LFO_DELAY, VIB_LFO_FREQ = 17, 21, 22, 23, 24
MOD_DELAY, MOD_ATTACK, MOD_HOLD, MOD_DECAY, MOD_SUSTAIN, MOD_RELEASE, KEY_TO_MOD_HOLD, KEY_TO_MOD_DECAY = range(25, 33)
VOL_DELAY, VOL_ATTACK, VOL_HOLD, VOL_DECAY, VOL_SUSTAIN, VOL_RELEASE, KEY_TO_VOL_HOLD, KEY_TO_VOL_DECAY = range(33, 41)
INSTRUMENT, KEY_RANGE, VEL_RANGE, LOOP_START_COARSE, FIXED_KEY, FIXED_VELOCITY, ATTENUATION = 41, 43, 44, 45, 46, 47, 48
LOOP_END_COARSE, COARSE_TUNE, FINE_TUNE, SAMPLE, SAMPLE_MODES = 50, 51, 52, 53, 54
SCALE_TUNING, EXCLUSIVE_CLASS, ROOT_KEY = 56, 57, 58

_DEFAULTS = {FILTER_FC: 13500, SCALE_TUNING: 100, FIXED_KEY: -1, FIXED_VELOCITY: -1, ROOT_KEY: -1}
for _times in ((21, 23), range(25, 29), (30,), range(33, 37), (38,)):
    _DEFAULTS.update(dict.fromkeys(_times, -12000))
# what a preset may not add to (specification 8.5: sample and substitution generators)
_INSTRUMENT_ONLY = [0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58]

_ROM, _VORBIS = 0x8000, 0x10
_PIECES_LIMIT = 1 << 28  # bytes of decoded sound kept a font
_GUARD = 8  # frames after a piece, so that interpolation needs no test

ZONES = np.dtype(
    [
        ("key_low", "u1"),
        ("key_high", "u1"),
        ("velocity_low", "u1"),
        ("velocity_high", "u1"),
        ("sample", "<i4"),
        ("generators", "<i4", (GENERATORS,)),
    ]
)


@dataclass(frozen=True, eq=False)
class Piece:
    """One stretch of sampled sound, ready to be interpolated.

    `sound` has `FRONT` silent frames before frame 0 and some after the end; where it loops, these continue the loop.
    """

    sound: Floats
    length: int
    loop_start: int
    loop_end: int
    FRONT = 2


@dataclass(eq=False)
class SoundFont:
    """A parsed SoundFont. Made by `open_soundfont`; its tables are never changed."""

    path: Path
    presets: dict[tuple[int, int], int]
    tables: dict[str, Rows]
    pulse: npt.NDArray[np.int16]
    low_bytes: npt.NDArray[np.uint8] | None
    stream: npt.NDArray[np.uint8]
    _pieces: dict[tuple[int, ...], Piece] = field(default_factory=dict)
    _zones: dict[tuple[int, int], tuple[Rows, tuple[Modulators, ...]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def samples(self) -> Rows:
        """Sample headers: start, end, loop_start, loop_end (frames of the pool), rate, key, correction (cents)."""
        return self.tables["shdr"]

    def preset_name(self, bank: int, program: int) -> str:
        """What the file calls a preset."""
        return bytes(self.tables["phdr"]["name"][self.presets[bank, program]]).decode("latin-1").strip("\0 ")

    def zones(self, bank: int, program: int) -> Rows:
        """A preset's sounding zones: every pair of preset zone and instrument zone, generators resolved.

        Returns
        -------
        ZONES array
            Instrument generators over the specification's defaults, the preset's added.
        """
        return self._resolved(bank, program)[0]

    def modulators(self, bank: int, program: int) -> tuple[Modulators, ...]:
        """The modulators of each of a preset's zones: the instrument's over the defaults, then the preset's."""
        return self._resolved(bank, program)[1]

    def _resolved(self, bank: int, program: int) -> tuple[Rows, tuple[Modulators, ...]]:
        key = (bank, program)
        if key not in self._zones:
            self._zones[key] = _resolve(self, self.presets[key])
        return self._zones[key]

    def piece(self, sample: int, generators: npt.NDArray[np.int32], looped: bool) -> Piece:
        """The sound of a zone between its start and its end (or its loop's end), as float32."""
        header = self.samples[sample]
        g = [int(x) for x in generators]
        shifts = (
            g[START] + 32768 * g[START_COARSE],
            g[END] + 32768 * g[END_COARSE],
            g[LOOP_START] + 32768 * g[LOOP_START_COARSE],
            g[LOOP_END] + 32768 * g[LOOP_END_COARSE],
        )
        key = (sample, int(looped), *shifts)
        with self._lock:
            if key in self._pieces:
                return self._pieces[key]
        piece = self._cut(header, shifts, looped)
        with self._lock:
            if sum(p.sound.nbytes for p in self._pieces.values()) > _PIECES_LIMIT:
                self._pieces.clear()
            self._pieces[key] = piece
        return piece

    def _cut(self, header: Any, shifts: tuple[int, ...], looped: bool) -> Piece:
        first, last = int(header["start"]), int(header["end"])
        loop = (int(header["loop_start"]), int(header["loop_end"]))
        if int(header["kind"]) & _VORBIS:
            source = self._decoded(first, last)
            first, last = 0, len(source)  # a compressed sample's loop counts from its own first frame
        else:
            source = None
        total = len(self.pulse) if source is None else len(source)
        start = min(max(first + shifts[0], 0), total)
        end = min(max(last + shifts[1], start), total)
        loop_start, loop_end = loop[0] + shifts[2], loop[1] + shifts[3]
        if looped and not start <= loop_start < loop_end <= total:
            loop_start, loop_end = start, end
        stop = loop_end if looped else end
        sound = self._frames(start, stop) if source is None else source[start:stop]
        guard = np.zeros(_GUARD, np.float32)
        if looped and len(sound):
            round_trip = np.arange(_GUARD) % (loop_end - loop_start)
            guard = sound[loop_start - start + round_trip]
        whole = np.concatenate([np.zeros(Piece.FRONT, np.float32), sound, guard]).astype(np.float32)
        return Piece(whole, len(sound), loop_start - start, loop_end - start)

    def _frames(self, start: int, stop: int) -> Floats:
        high = np.asarray(self.pulse[start:stop])
        if self.low_bytes is None:
            return high.astype(np.float32) * np.float32(2.0**-15)
        both = (high.astype(np.int32) << 8) | self.low_bytes[start:stop]
        return (both * 2.0**-23).astype(np.float32)

    def _decoded(self, start: int, stop: int) -> Floats:
        import soundfile

        try:
            sound, _ = soundfile.read(io.BytesIO(self.stream[start:stop].tobytes()), dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise RenderError("a compressed sample cannot be decoded", file=self.path, cure=CURE) from error
        return np.ascontiguousarray(sound[:, 0], dtype=np.float32)


def open_soundfont(path: str | Path) -> SoundFont:
    """Map and parse a SoundFont; the same unchanged file is parsed once a process.

    Raises
    ------
    RenderError
        If the file is absent, no SoundFont, truncated, or contradicts itself.
    """
    place = Path(path)
    try:
        status = place.stat()
        if not place.is_file():
            raise RenderError("is a folder, not a SoundFont file", file=place, cure=CURE)
        return _open(place.resolve(), status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise RenderError(f"cannot be read: {error.strerror or error}", file=place, cure=CURE) from error


@lru_cache(maxsize=4)
def _open(path: Path, modified: int, size: int) -> SoundFont:
    del modified, size  # they only key the cache
    data, chunks, tables = read_tables(path)
    stream = data[slice(*chunks.get("smpl", (0, 0)))]
    pulse = stream[: len(stream) // 2 * 2].view("<i2")
    low = data[slice(*chunks["sm24"])] if "sm24" in chunks else None
    if low is not None and len(low) < len(pulse):
        low = None  # specification 5.1: a 24-bit chunk of the wrong size is ignored
    heads = tables["phdr"]
    presets: dict[tuple[int, int], int] = {}
    for i in range(len(heads) - 1):
        presets.setdefault((int(heads["bank"][i]), int(heads["program"][i])), i)
    if not presets:
        raise RenderError("holds no presets", file=path, cure=CURE)
    return SoundFont(path, presets, tables, pulse, low, stream)


def _own(tables: dict[str, Rows], letter: str, first: int, last: int) -> list[tuple[dict[int, int], Modulators]]:
    """Generators and modulators of bags `first` to `last`, each over those of the global zone, if there is one."""
    bags, generators, modulators = (tables[letter + name] for name in ("bag", "gen", "mod"))
    terminal = INSTRUMENT if letter == "p" else SAMPLE
    common: dict[int, int] = {}
    common_modulators: Modulators = ()
    zones: list[tuple[dict[int, int], Modulators]] = []
    for bag in range(first, last):
        rows = generators[int(bags["gen"][bag]) : int(bags["gen"][bag + 1])]
        own = {int(kind): int(amount) for kind, amount in rows if kind < GENERATORS}
        more = modulators[int(bags["mod"][bag]) : int(bags["mod"][bag + 1])]
        own_modulators = tuple(Modulator(*(int(x) for x in row)) for row in more)
        if terminal in own:
            zones.append((common | own, combined(common_modulators, own_modulators)))
        elif bag == first:
            common, common_modulators = own, own_modulators
    return zones


def _span(zone: dict[int, int], kind: int) -> tuple[int, int]:
    amount = zone.get(kind, 127 << 8) & 0xFFFF
    return amount & 0xFF, min(amount >> 8, 127)


def _resolve(font: SoundFont, preset: int) -> tuple[Rows, tuple[Modulators, ...]]:
    tables = font.tables
    heads, instruments, samples = tables["phdr"], tables["inst"], tables["shdr"]
    rows: list[tuple[int, int, int, int, int, npt.NDArray[np.int32]]] = []
    modulators: list[Modulators] = []
    for outer, added in _own(tables, "p", int(heads["bag"][preset]), int(heads["bag"][preset + 1])):
        number = outer[INSTRUMENT] & 0xFFFF
        if number >= len(instruments) - 1:
            continue
        bags = (int(instruments["bag"][number]), int(instruments["bag"][number + 1]))
        for inner, own in _own(tables, "i", *bags):
            sample = inner[SAMPLE] & 0xFFFF
            if sample >= len(samples) - 1 or int(samples["kind"][sample]) & _ROM:
                continue
            keys = [_span(outer, KEY_RANGE), _span(inner, KEY_RANGE)]
            velocities = [_span(outer, VEL_RANGE), _span(inner, VEL_RANGE)]
            low, high = max(k[0] for k in keys), min(k[1] for k in keys)
            soft, loud = max(v[0] for v in velocities), min(v[1] for v in velocities)
            if low <= high and soft <= loud:
                rows.append((low, high, soft, loud, sample, _combined(outer, inner)))
                modulators.append(combined(DEFAULTS, own) + added)
    return np.array(rows, ZONES), tuple(modulators)


def _combined(outer: dict[int, int], inner: dict[int, int]) -> npt.NDArray[np.int32]:
    amounts = np.zeros(GENERATORS, np.int32)
    for kind, amount in (_DEFAULTS | inner).items():
        amounts[kind] = amount
    for kind, amount in outer.items():
        if kind not in _INSTRUMENT_ONLY and kind not in (INSTRUMENT, KEY_RANGE, VEL_RANGE, SAMPLE):
            amounts[kind] += amount
    return amounts
