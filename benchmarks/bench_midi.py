"""MIDI in and out against mido: microseconds a note and ratios, one run, CPU time.

    python benchmarks/bench_midi.py [FOLDER]

FOLDER holds MIDI files (default: the shared game files where they lie beside the checkout, else cues made up here).
Peers: mido's parse alone (no notes paired, no seconds), and mido given one message object a message to write.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import mido

from rescore_music.errors import ReadError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import Part, Score, note_rows

ROUNDS = 3


def cue(notes: int, parts: int = 12, seed: int = 0) -> Score:
    """A made-up cue: random notes over a steady beat."""
    dice = random.Random(seed)
    rows = [
        (i // parts * 120, dice.randrange(60, 480), dice.randrange(36, 84), dice.randrange(40, 120), i % parts)
        for i in range(notes)
    ]
    return Score(note_rows(rows), tuple(Part(f"Part {i + 1}", program=i) for i in range(parts)))


def cpu(work: Callable[[], object]) -> float:
    """Least CPU seconds of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def mido_write(score: Score) -> None:
    """What a straightforward writer does: one object a message, mido sorts out bytes."""
    file = mido.MidiFile(type=1, ticks_per_beat=score.ticks_per_quarter)
    for number in range(len(score.parts)):
        events: list[tuple[int, int, mido.Message]] = []
        for n in score.notes[score.notes["part"] == number]:
            pitch, onset = int(n["pitch"]), int(n["onset"])
            events.append(
                (onset, 1, mido.Message("note_on", note=pitch, velocity=int(n["velocity"]), channel=number % 16))
            )
            end = onset + int(n["duration"])
            events.append((end, 0, mido.Message("note_off", note=pitch, channel=number % 16)))
        track, before = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda e: e[:2]):
            track.append(message.copy(time=tick - before))
            before = tick
        file.tracks.append(track)
    file.save(file=io.BytesIO())


def row(name: str, notes: int, seconds: float, peer: float = 0.0) -> None:
    """One line of the table."""
    ratio = f"{peer / seconds:8.1f}" if peer else "        "
    print(f"{name:<44}{notes:>9}{seconds / max(notes, 1) * 1e6:>10.2f}{ratio}")


def corpus(folder: Path) -> list[bytes]:
    """The bytes of all MIDI files that both readers can open."""
    out = []
    for path in sorted(folder.glob("*.mid")):
        data = path.read_bytes()
        try:
            read_midi(data)
            mido.MidiFile(file=io.BytesIO(data), clip=True)
        except (ReadError, OSError, EOFError, ValueError, KeyError, mido.KeySignatureError):
            continue
        out.append(data)
    return out


def main() -> None:
    """Print the table."""
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("RESCORE_SHARED_DATA", root.parent / "shared" / "data")) / "game_midi"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else shared
    files = corpus(folder) if folder.is_dir() else []
    files = files or [midi_bytes(cue(4000, seed=i)) for i in range(20)]
    scores = [read_midi(data) for data in files]
    notes = sum(len(s.notes) for s in scores)
    print(f"{len(files)} files, {notes} notes; least CPU time of {ROUNDS} rounds; ratio = peer / ours\n")
    print(f"{'':<44}{'notes':>9}{'us/note':>10}{'ratio':>8}")
    sample = files[:: max(1, len(files) // 20)]
    few = sum(len(read_midi(data).notes) for data in sample)
    peer = cpu(lambda: [mido.MidiFile(file=io.BytesIO(data), clip=True) for data in sample])
    ours = cpu(lambda: [read_midi(data) for data in sample])
    row("mido.MidiFile (parse alone)", few, peer)
    row("read_midi (whole score), same files", few, ours, peer)
    ratio = peer / ours
    row("read_midi, all files", notes, cpu(lambda: [read_midi(data) for data in files]))
    some = [read_midi(data) for data in sample]
    peer = cpu(lambda: [mido_write(s) for s in some])
    ours = cpu(lambda: [midi_bytes(s) for s in some])
    row("mido, one object a message (notes only)", few, peer)
    row("midi_bytes (whole score), same files", few, ours, peer)
    print(f"\nour import of a whole score is {ratio:.1f} times as fast as mido's parse alone (goal: 3)")
    print("\nby size, 12 parts; memory beside what is held before, as tracemalloc counts it")
    print(f"{'':<44}{'notes':>9}{'us/note':>10}{'peak MB':>9}{'bytes/note':>12}")
    for size in (1_000, 10_000, 100_000, 200_000):
        score = cue(size)
        data = midi_bytes(score)
        sized(f"read_midi  {len(data) / 1e6:.2f} MB", size, lambda data=data: read_midi(data))
        sized("midi_bytes", size, lambda score=score: midi_bytes(score))


def sized(name: str, notes: int, work: Callable[[], object]) -> None:
    """One line of the second table: cost and peak memory of a size."""
    seconds = cpu(work)
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{name:<44}{notes:>9}{seconds / notes * 1e6:>10.2f}{peak / 1e6:>9.1f}{peak / notes:>12.0f}")


if __name__ == "__main__":
    main()
