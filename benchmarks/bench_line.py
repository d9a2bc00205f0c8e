"""The tables of the README's performance section: every stage of the line on one cue, with peers in the same run.

    python benchmarks/bench_line.py [--seconds 180]

The cue is bench_render's: 12 parts, three minutes, about 5,700 notes. Peers: music21's import of the same MIDI file and
the fluidsynth command's rendering (where installed) with the same sounds, dry. Times are the least of some runs in
one process, after imports and one warm-up.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench_help import main as help_table
from bench_render import cue, fluidsynth_seconds, timed

from rescore_music.analysis import analyze
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.pipeline import orchestrate
from rescore_music.rendering import default_sounds, render

TEMPLATE = "symphony/romantic-film"


def music21_import(data: bytes) -> None:
    import music21

    music21.converter.parseData(data, format="midi")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=180.0)
    score = cue(options.parse_args().seconds)
    data = midi_bytes(score)
    score = read_midi(data)
    analysis = analyze(score)

    def orchestrated():  # a new candidate each time: a candidate keeps its written-out score
        return orchestrate(score, TEMPLATE, 16, analysis=analysis)

    best = orchestrated()[0]
    stages = [
        ("import (MIDI)", timed(lambda: read_midi(data), 5)),
        ("analysis", timed(lambda: analyze(score), 3)),
        ("orchestration, N = 16", timed(orchestrated, 3)),
        ("writing out the best", timed(lambda: best.realize(best.assignments), 3)),
        ("writing MIDI", timed(lambda: midi_bytes(best.score), 3)),
        ("writing MusicXML", timed(lambda: musicxml_bytes(best.score), 3)),
    ]
    stages.append(("all of the above", sum(seconds for _, seconds in stages)))
    stages.append(("rendering, 1 thread", timed(lambda: render(score, threads=1), 3)))
    stages.append(("rendering, 2 threads", timed(lambda: render(score, threads=2), 3)))
    peers = [("music21: import (MIDI)", timed(lambda: music21_import(data), 1))]
    if shutil.which("fluidsynth"):
        with tempfile.TemporaryDirectory() as folder:
            peers.append(("fluidsynth: rendering", fluidsynth_seconds(data, default_sounds(), Path(folder))))
    else:
        print("fluidsynth is not installed: no peer for rendering", file=sys.stderr)
    thousand = len(score.notes) / 1000
    took = dict(stages)
    against = {"music21: import (MIDI)": took["import (MIDI)"], "fluidsynth: rendering": took["rendering, 1 thread"]}
    print(f"{len(score.notes)} notes, {len(score.parts)} parts, {score.duration:.0f} s, template {TEMPLATE}\n")
    print("| stage | seconds | ms per 1,000 notes | x real time | our time = 1 |\n| --- | --: | --: | --: | --: |")
    for name, seconds in [*stages, *peers]:
        ratio = f"{seconds / against[name]:.1f}" if name in against else ""
        print(
            f"| {name} | {seconds:.3f} | {1e3 * seconds / thousand:.1f} | {score.duration / seconds:,.0f} | {ratio} |"
        )
    print()
    help_table()


if __name__ == "__main__":
    main()
