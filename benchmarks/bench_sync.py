"""Random hit lists: the joint tempo curve against one constant tempo, in the same run.

Class: 40 hits in 420 s at 24 frames a second, eighth notes at 120 a minute, hits at least GAP seconds apart.
Usage: python benchmarks/bench_sync.py [LISTS]
"""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np

from rescore_music.cues import Cues, Hit
from rescore_music.score import Part, Score, note_rows
from rescore_music.syncing import constant_tempi, sync
from rescore_music.tempo import TempoMap

LENGTH, COUNT, RATE = 420.0, 40, 24


def score(bpm: float) -> Score:
    quarters = int((LENGTH * 1.05) * bpm / 60)
    rows = [(i * 240, 240, 60 + i % 12, 80, 0) for i in range(2 * quarters)]
    return Score(notes=note_rows(rows), parts=(Part("Piano"),), tempo=TempoMap.constant(bpm, 480))


def hit_list(rng: np.random.Generator, gap: float, tolerance: float, lands: str) -> Cues:
    slack = np.sort(rng.uniform(0, LENGTH - gap * (COUNT + 1), COUNT))
    seconds = slack + gap * np.arange(1, COUNT + 1)
    return Cues.from_hits([Hit(round(s * RATE), tolerance=tolerance, lands=lands) for s in seconds], RATE)


def main() -> None:
    lists = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{lists} lists a row; columns: median / 95th percentile")
    print(
        "  gap  tol  lands   | on frame  worst off | step % a beat   deviation %   seconds     | constant: <= 1 frame"
    )
    for gap, tolerance, lands in (
        (3.0, 0.5, "eighth"),
        (3.0, 0.0, "eighth"),
        (2.0, 0.5, "eighth"),
        (2.0, 0.0, "eighth"),
        (6.0, 0.0, "beat"),
    ):
        rng = np.random.default_rng(20240501)
        music = score(120.0)
        rows = []
        for _ in range(lists):
            cues = hit_list(rng, gap, tolerance, lands)
            begin = perf_counter()
            synced = sync(music, cues)
            seconds = perf_counter() - begin
            off = np.array([abs(h.residual_frames) for h in synced.hits if h.kind == "hard"])
            peer = constant_tempi(music, cues)[0].within_a_frame
            change = synced.max_step_percent, synced.max_deviation_percent
            rows.append(((off <= 0.5).mean(), off.max(), *change, seconds, peer))
        table = np.array(rows)
        mid, high = np.percentile(table, 50, axis=0), np.percentile(table, 95, axis=0)
        cells = "   ".join(f"{mid[k]:5.2f} / {high[k]:5.2f}" for k in (2, 3, 4))
        print(
            f"  {gap:3.0f}  {tolerance:3.1f}  {lands:7} | {table[:, 0].mean():7.1%}  {table[:, 1].max():9.5f} | {cells}"
            f" | {mid[5]:.0%}"
        )


if __name__ == "__main__":
    main()
