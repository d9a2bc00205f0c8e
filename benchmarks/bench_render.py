"""How fast the embedded engine plays a long cue, against the FluidSynth command with the same sounds, in one run.

    python benchmarks/bench_render.py [--seconds 180] [--sounds FILE.sf2] [--no-cold]

The cue: 12 parts, 180 s, about 5,700 notes of 1.25 s, built here and always the same. FluidSynth (where installed)
plays all of it from one MIDI file, dry, and writes float samples; both are timed with their start-up apart.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rescore_music.rendering import default_sounds, render
from rescore_music.score import Part, Score, note_rows

RATE = 48000
BAND = [
    ("Flute", 73, 72, 1), ("Oboe", 68, 67, 1), ("Clarinet", 71, 62, 1), ("Bassoon", 70, 48, 1),
    ("Horns", 60, 53, 2), ("Trumpets", 56, 62, 2), ("Trombones", 57, 48, 2), ("Timpani", 47, 40, 1),
    ("Violins", 48, 67, 3), ("Violas", 48, 60, 2), ("Cellos", 48, 48, 2), ("Basses", 43, 36, 1),
]  # fmt: skip


def cue(seconds: float = 180.0) -> Score:
    """The benchmark's cue: half-second steps, notes of 1.25 s that overlap, chords in brass and strings."""
    random = np.random.default_rng(7)
    rows, step, length = [], 480, 1200
    for part, (_, _, low, chord) in enumerate(BAND):
        until: dict[int, int] = {}  # key to the tick it sounds to: MIDI cannot hold one key twice
        for onset in range(0, (int(seconds * 2) - 3) * step, step * (2 if chord > 2 else 1)):
            if random.random() < 0.91:
                shapes = [[base + 4 * voice for voice in range(chord)] for base in range(low, low + 13)]
                free = [shape for shape in shapes if all(until.get(key, 0) <= onset for key in shape)]
                for key in free[int(random.integers(len(free)))]:
                    rows.append((onset, length, key, int(random.integers(50, 110)), part))
                    until[key] = onset + length
    parts = [Part(name, program=program) for name, program, _, _ in BAND]
    return Score(notes=note_rows(rows), parts=tuple(parts), length=int(seconds * 2) * step)


def whole_midi(score: Score) -> bytes:
    """The cue as one MIDI file, a channel a part (drums' channel left out)."""
    import mido

    file = mido.MidiFile(ticks_per_beat=score.ticks_per_quarter)
    for i, part in enumerate(score.parts):
        channel = i if i < 9 else i + 1
        notes = score.notes[score.notes["part"] == i]
        events = [(0, 0, mido.Message("program_change", channel=channel, program=part.program))]
        for n in notes:
            on, off = int(n["onset"]), int(n["onset"] + n["duration"])
            key, velocity = int(n["pitch"]), int(n["velocity"])
            events.append((on, 2, mido.Message("note_on", channel=channel, note=key, velocity=velocity)))
            events.append((off, 1, mido.Message("note_off", channel=channel, note=key)))
        track, now = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda e: e[:2]):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    with tempfile.TemporaryFile() as out:
        file.save(file=out)
        out.seek(0)
        return out.read()


def timed(call, repeats: int = 3) -> float:
    """Least seconds of some runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def fluidsynth_seconds(midi: bytes, sounds: Path, folder: Path) -> float:
    path, wave = folder / "cue.mid", folder / "cue.wav"
    path.write_bytes(midi)
    call = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.2", "-r", str(RATE), "-O", "float", "-T", "wav"]
    call += ["-F", str(wave), str(sounds), str(path)]
    return timed(lambda: subprocess.run(call, check=True, capture_output=True), 2)


COLD = """
import time; start = time.perf_counter()
from rescore_music.rendering import render
from rescore_music.score import Part, Score, note_rows
render(Score(notes=note_rows([(0, 480, 60, 90, 0)]), parts=(Part("Piano"),)))
print(time.perf_counter() - start)
"""


def first_run(cache: Path) -> float:
    """Seconds of a new process from its first line to the first note rendered."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", COLD], env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=180.0)
    options.add_argument("--sounds", type=Path, default=None)
    options.add_argument("--no-cold", action="store_true", help="leave out the start-up figures")
    chosen = options.parse_args()
    sounds = chosen.sounds or default_sounds()
    score = cue(chosen.seconds)
    excerpt = score.slice(48 * 480, 64 * 480)
    render(excerpt, sounds=sounds)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rows = [
        ("engine, 1 thread", score.duration, timed(lambda: render(score, sounds=sounds, threads=1))),
        (f"engine, {threads} threads", score.duration, timed(lambda: render(score, sounds=sounds, threads=threads))),
        ("engine, 8 s excerpt, 1 thread", 8.0, timed(lambda: render(excerpt, sounds=sounds, threads=1), 5)),
    ]
    reference = None
    if shutil.which("fluidsynth"):
        with tempfile.TemporaryDirectory() as folder:
            reference = fluidsynth_seconds(whole_midi(score), sounds, Path(folder))
        rows.append(("fluidsynth command, dry", score.duration, reference))
    else:
        print("fluidsynth is not installed: no peer in this table")
    print(f"{len(score.notes)} notes, {len(score.parts)} parts, {score.duration:.0f} s, {RATE} Hz, {sounds.name}")
    print(f"{'':32}{'seconds':>9}{'x real time':>13}{'x fluidsynth':>14}")
    for name, length, seconds in rows:
        ratio = f"{reference / seconds * length / score.duration:14.2f}" if reference else f"{'-':>14}"
        print(f"{name:32}{seconds:9.2f}{length / seconds:13.1f}{ratio}")
    if not chosen.no_cold:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = first_run(Path(folder)), first_run(Path(folder))
        print(
            f"first note of a new process: {cold:.2f} s with an empty compilation cache, {warm:.2f} s with a full one"
        )


if __name__ == "__main__":
    main()
