"""Mean and spread of every second-pass feature over the shipped cues: where weights.json's means and scales come from.

Usage: python benchmarks/survey_features.py
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np

from rescore_music.analysis import analyze
from rescore_music.io import read_score
from rescore_music.pipeline import orchestrate
from rescore_music.rescoring import second_pass
from rescore_music.template import load_template

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TEMPLATES = ("symphony/romantic-film", "string-orchestra/baroque", "brass-band/epic-hybrid", "chiptune/eight-bit")


def main() -> None:
    rows: list[dict[str, float]] = []
    within: list[dict[str, float]] = []
    moved = cues = 0
    seconds = []
    for path in sorted([*SAMPLES.glob("*.mid"), *SAMPLES.glob("*.musicxml")]):
        score = read_score(path)
        analysis = analyze(score)
        for name in TEMPLATES:
            template = load_template(name)
            candidates = orchestrate(score, name, 8, analysis=analysis)
            begin = perf_counter()
            heard = second_pass(candidates, score, analysis=analysis, template=template)
            seconds.append(perf_counter() - begin)
            found = [dict(f) for f in heard.features.values()]
            rows += found
            within.append({k: float(np.std([f[k] for f in found if k in f])) for k in found[0]} if found else {})
            moved += heard.first_order[:1] != heard.second_order[:1]
            cues += 1
    print(f"{cues} cue/template pairs, {len(rows)} candidates heard; another first choice in {moved}")
    print(f"seconds a second pass: median {np.median(seconds):.2f}, most {max(seconds):.2f}")
    print(f"{'feature':16} {'mean':>9} {'std':>9} {'std within a cue':>17}")
    for name in sorted({key for row in rows for key in row}):
        values = [row[name] for row in rows if name in row]
        inside = [row[name] for row in within if name in row]
        print(f"{name:16} {np.mean(values):9.3f} {np.std(values):9.3f} {np.mean(inside):17.3f}")


if __name__ == "__main__":
    main()
