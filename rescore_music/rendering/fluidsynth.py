"""FluidSynth as a back end: the installed command plays one part at a time, so that there are stems.

Conventions: dry (no reverb, no chorus) and at the embedded engine's gain. Each part goes in as a MIDI file of constant
tempo whose ticks are half milliseconds, because FluidSynth's own player drifts where the tempo changes often (its
issue 1288). It starts events on 64-frame blocks, so onsets are late by up to some 3 ms: the embedded engine is exact.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Rendering
from rescore_music.errors import MissingExtra, RenderError
from rescore_music.rendering.channel import held_ends
from rescore_music.rendering.engine import mixed
from rescore_music.rendering.render import stem_names
from rescore_music.rendering.voices import GAIN
from rescore_music.score import CHANNEL_PRESSURE, Score

Rows = npt.NDArray[np.void]

_TICKS_PER_SECOND = 2000
_DIVISION = 1000  # ticks a quarter, at the default tempo of half a second a quarter
_TIME_LIMIT = 600.0  # seconds for one part


def fluidsynth_command() -> str | None:
    """Path of the FluidSynth command, or None where it is not installed."""
    return shutil.which("fluidsynth")


def render_fluidsynth(score: Score, sounds: Path, rate: int, tail: float) -> Rendering:
    """Play a score with the FluidSynth command. See `render`.

    Raises
    ------
    MissingExtra
        If the command is not installed.
    RenderError
        If it fails.
    """
    command = fluidsynth_command()
    if command is None:
        raise MissingExtra("FluidSynth is not installed", cure="install the system package fluidsynth")
    if not sounds.is_file():
        raise RenderError("cannot be read: no such file", file=sounds)
    frames = int(np.ceil(score.duration * rate)) + round(tail * rate)
    played = score.sounding()
    stems: list[npt.NDArray[np.float32]] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in range(len(score.parts)):
            stem = np.zeros((frames, 2), np.float32)
            if len(score.part_notes(part)):
                midi, wave = Path(folder, f"{part}.mid"), Path(folder, f"{part}.wav")
                midi.write_bytes(part_midi(score, part, played, frames / rate))
                sound = _played(command, sounds, midi, wave, rate)[:frames]
                stem[: len(sound)] = sound
            stems.append(stem)
    return Rendering(
        mixed(stems, frames),
        dict(zip(stem_names(score), stems, strict=True)),
        rate,
        np.flatnonzero(score.notes["velocity"] == 0),
        f"FluidSynth command, {sounds.name}",
    )


def _played(command: str, sounds: Path, midi: Path, wave: Path, rate: int) -> npt.NDArray[np.float32]:
    import soundfile

    options = ["-ni", "-q", "-R", "0", "-C", "0", "-g", str(GAIN), "-r", str(rate), "-O", "float", "-T", "wav"]
    call = [command, *options, "-F", str(wave), str(sounds), str(midi)]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=_TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            f"FluidSynth took over {_TIME_LIMIT:.0f} s for one part", cure="use the embedded engine"
        ) from error
    if done.returncode or not wave.is_file():
        told = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise RenderError(f"FluidSynth failed: {told[-1]}", file=sounds, cure="use the embedded engine")
    sound, _ = soundfile.read(str(wave), dtype="float32", always_2d=True)
    return np.asarray(sound, np.float32)


def part_midi(score: Score, part: int, played: Rows, seconds: float) -> bytes:
    """One part as a standard MIDI file of constant tempo, on channel 1, or 10 for percussion.

    Pedals are worked into the note ends; the file lasts `seconds`.
    """
    who = score.parts[part]
    channel = 9 if who.percussion else 0
    index = score.part_notes(part)
    onsets = played["onset"][index].astype(np.int64)
    keys, velocities = played["pitch"][index].astype(np.int64), played["velocity"][index]
    ends = held_ends(score, part, onsets, onsets + played["duration"][index].astype(np.int64), keys)
    on, off = _ticks(score, onsets), np.maximum(_ticks(score, ends), _ticks(score, onsets) + 1)
    # (tick, order at the tick, message): notes end, then settings change, then notes start
    events: list[tuple[int, int, bytes]] = []
    for kind, tick, program, bank in _programs(score, part):
        events.append((tick, kind, bytes([0xB0 | channel, 0, bank >> 7, 0xB0 | channel, 32, bank & 127])))
        events.append((tick, kind, bytes([0xC0 | channel, program])))
    for event, tick in _timed(score, score.controls, part):
        number, value = int(event["number"]), int(event["value"])
        if number == CHANNEL_PRESSURE:
            events.append((tick, 1, bytes([0xD0 | channel, value])))
        elif number not in (0, 32, 64, 66):
            events.append((tick, 1, bytes([0xB0 | channel, number & 127, value])))
    for event, tick in _timed(score, score.bends, part):
        value = int(event["value"]) + 8192
        events.append((tick, 2, bytes([0xE0 | channel, value & 127, value >> 7])))
    for i in range(len(index)):
        if velocities[i]:
            events.append((int(on[i]), 3, bytes([0x90 | channel, int(keys[i]), int(velocities[i])])))
            events.append((int(off[i]), 0, bytes([0x80 | channel, int(keys[i]), 64])))
    return _file(events, round(seconds * _TICKS_PER_SECOND))


def _programs(score: Score, part: int) -> list[tuple[int, int, int, int]]:
    who = score.parts[part]
    rows = [(1, 0, who.program, who.bank)]
    rows += [(1, tick, int(e["program"]), int(e["bank"])) for e, tick in _timed(score, score.programs, part)]
    return rows


def _ticks(score: Score, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.rint(score.seconds(ticks) * _TICKS_PER_SECOND).astype(np.int64)


def _timed(score: Score, rows: Rows, part: int) -> list[tuple[np.void, int]]:
    own = rows[rows["part"] == part]
    return list(zip(own, (int(t) for t in _ticks(score, own["tick"])), strict=True))


def _file(events: list[tuple[int, int, bytes]], length: int) -> bytes:
    track, now = bytearray(), 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        size = 2 if message[0] >> 4 in (0xC, 0xD) else 3
        for at in range(0, len(message), size):
            track += _variable(tick - now) + message[at : at + size]
            now = tick
    track += _variable(max(length - now, 0)) + b"\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (0, 1, _DIVISION))
    return head + b"MTrk" + len(track).to_bytes(4, "big") + bytes(track)


def _variable(number: int) -> bytes:
    out = [number & 127]
    while number := number >> 7:
        out.append(number & 127 | 128)
    return bytes(reversed(out))
