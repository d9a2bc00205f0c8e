"""Orchestration: seconds per 1,000 notes of both passes, against import and analysis in the same run.

Usage: python benchmarks/bench_orchestration.py [CUE ...] [--n 16] [--template forces/style ...]

Without cues a three-minute cue of 12 parts and 60 phrases is built in code. CPU time of one process, the least of
three runs. The last table tells how the first pass grows with phrases, lines, seats and N.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from rescore_music.analysis import analyze
from rescore_music.io import read_score, write_score
from rescore_music.orchestration import orchestrate
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.template import load_template
from rescore_music.tempo import TempoMap

TPQ = 480
# bars, lines, N, forces
GROWTH = (
    (120, 12, 20, "symphony"),
    (40, 12, 20, "symphony"),
    (240, 12, 20, "symphony"),
    (120, 6, 20, "symphony"),
    (120, 24, 20, "symphony"),
    (120, 12, 4, "symphony"),
    (120, 12, 40, "symphony"),
    (120, 12, 20, "string-quartet"),
    (120, 12, 20, "wind-quintet"),
    (120, 12, 20, "classical-orchestra"),
    (120, 12, 20, "symphonic-band"),
)
BAR = 4 * TPQ


def least(work: Callable[[], Any], runs: int = 3) -> tuple[float, Any]:
    best, value = np.inf, None
    for _ in range(runs):
        start = process_time()
        value = work()
        best = min(best, process_time() - start)
    return best, value


def built_cue(bars: int = 120, lines: int = 12, per_phrase: int = 2) -> tuple[Score, Analysis]:
    """A cue at 160 quarters a minute: tune, counter-tune, bass, then harmony, figuration and one drum part."""
    rows = []
    names = ("Tune", "Answer", "Bass", *(f"Inner {i}" for i in range(lines - 4)), "Drums")
    for bar in range(bars):
        t, root = bar * BAR, (0, 9, 5, 7)[bar % 4]
        loud = 50 + 15 * (bar * 4 // bars)
        rows += [(t + i * TPQ // 2, TPQ // 2, 72 + (root + i * 2) % 12, loud + 10, 0) for i in range(8)]
        rows += [(t + i * TPQ, TPQ, 64 + (root + i * 5) % 12, loud, 1) for i in range(1, 4)]
        rows += [(t + i * TPQ, TPQ, 36 + (root + i * 7 % 12) % 12, loud, 2) for i in range(4)]
        for inner in range(lines - 4):
            step, count = (TPQ // 2, 8) if inner % 3 == 2 else (TPQ * 2, 2)
            rows += [(t + i * step, step, 55 + (root + 4 * inner + i) % 17, loud - 5, 3 + inner) for i in range(count)]
        rows += [(t + i * TPQ // 2, TPQ // 4, (36, 42, 38, 42)[i % 4], loud, lines - 1) for i in range(8)]
    notes = note_rows(rows)
    parts = tuple(Part(n, percussion=n == "Drums", channel=9 if n == "Drums" else i % 9) for i, n in enumerate(names))
    score = Score(notes=notes, parts=parts, length=bars * BAR, tempo=TempoMap.constant(160.0, TPQ))
    inner_roles = [Role.FIGURATION if i % 3 == 2 else Role.HARMONY for i in range(lines - 4)]
    roles = [Role.MELODY, Role.COUNTER_MELODY, Role.BASS, *inner_roles, Role.PERCUSSION]
    phrases = bars // per_phrase
    analysis = Analysis(
        voices=np.zeros(len(notes), np.int16),
        line_of=score.notes["part"].astype(np.int32),
        lines=tuple(Line(i, 0, score.part_notes(i)) for i in range(lines)),
        phrases=tuple(
            Phrase(p * per_phrase * BAR, (p + 1) * per_phrase * BAR, "AABACADA"[p // 4 % 8]) for p in range(phrases)
        ),
        roles=np.repeat(np.array(roles, np.int8)[:, None], phrases, axis=1),
        confidence=np.ones((lines, phrases), np.float32),
        doubles=np.full((lines, phrases), -1, np.int32),
        intensity=np.linspace(0.2, 0.9, bars),
    )
    return score, analysis


def row(name: str, score: Score, analysis: Analysis, base: dict[str, float], template: str, n: int) -> None:
    chosen = load_template(template)
    first, takes = least(lambda: orchestrate(score, chosen, analysis=analysis, n=n))
    second, _ = least(lambda: takes[0].realize(takes[0].assignments))
    notes = max(len(score.notes), 1)
    ratios = "  ".join(f"{(first + second) / max(seconds, 1e-9):5.2f} x {peer}" for peer, seconds in base.items())
    print(
        f"{name[:24]:24} {template:24} {notes:6d} {len(analysis.phrases):4d} {len(analysis.lines):4d}"
        f" {first:7.3f} {second:7.3f} {1000 * first / notes:8.4f} {1000 * second / notes:8.4f}  {ratios}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cues", nargs="*", type=Path)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument(
        "--template", nargs="*", default=["symphony/romantic-film", "wind-quintet/baroque", "chiptune/eight-bit"]
    )
    args = parser.parse_args()
    print(f"CPU seconds, least of 3; first = {args.n} candidates, write = one written out; ratios of their sum")
    heads = f"{'notes':>6} {'phr':>4} {'line':>4} {'first':>7} {'write':>7} {'first/k':>8} {'write/k':>8}"
    print(f"{'cue':24} {'template':24} {heads}")
    cues: list[tuple[str, Score, Analysis, dict[str, float]]] = []
    score, analysis = built_cue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "built.mid"
        write_score(score, path)
        read_score(path)
        cues.append(("built, three minutes", score, analysis, timed(path)[2]))
    for path in args.cues:
        score, analysis, base = timed(path)
        cues.append((path.stem, score, analysis, base))
    for name, score, analysis, base in cues:
        for template in args.template:
            row(name, score, analysis, base, template, args.n)
    print("\nfirst pass against phrases, lines, seats and N; the first row is the standard")
    for bars, lines, n, forces in GROWTH:
        score, analysis = built_cue(bars, lines)
        chosen = load_template(f"{forces}/romantic-film")
        seconds, _ = least(lambda s=score, a=analysis, k=n, t=chosen: orchestrate(s, t, analysis=a, n=k))  # type: ignore[misc]
        print(
            f"{bars // 2:4d} phrases {lines:3d} lines {len(chosen.forces.seats):3d} seats ({forces}) N = {n:3d}: "
            f"{seconds:.3f} s"
        )


def timed(path: Path) -> tuple[Score, Analysis, dict[str, float]]:
    reading, score = least(lambda: read_score(path))
    analysing, analysis = least(lambda: analyze(score))
    return score, analysis, {"import": reading, "analysis": analysing}


if __name__ == "__main__":
    main()
