"""Printing: seconds of CPU and bytes a page for a full score and its parts, beside what the engraver alone takes.

The shipped cues are orchestrated for symphony/romantic-film and set as PDF and as PNG (150 pixels an inch). The peer is
the engraver in the same run: pages as bare SVG, which no printer takes.

Run: python benchmarks/bench_print.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import process_time

import rescore_music as rm
from rescore_music.resources import samples_dir

CUES = ("hero_theme.mid", "chase.mid", "love_theme.musicxml")


def main() -> None:
    scores = [rm.orchestrate(rm.read_score(samples_dir() / cue), "symphony/romantic-film", 1)[0].score for cue in CUES]
    print("| cue | what | pages | CPU s | KB a page | SVG alone, CPU s |")
    print("| --- | --- | --: | --: | --: | --: |")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rm.write_score(scores[0], place / "warm.pdf")  # imports and fonts
        for cue, score in zip(CUES, scores, strict=True):
            begin = process_time()
            rm.write_score(score, place / f"{cue}.svg")
            alone = process_time() - begin
            pages = len(list(place.glob(f"{cue}*.svg")))
            for suffix in (".pdf", ".png"):
                begin = process_time()
                rm.write_score(score, place / f"{cue}{suffix}")
                spent = process_time() - begin
                size = sum(p.stat().st_size for p in place.glob(f"{cue}*{suffix}")) / 1024 / pages
                print(f"| {cue} | score{suffix} | {pages} | {spent:.2f} | {size:.0f} | {alone:.2f} |")
            begin = process_time()
            parts = rm.write_parts(score, place / f"{cue}-parts")
            spent = process_time() - begin
            size = sum(p.stat().st_size for p in parts) / 1024 / len(parts)
            print(f"| {cue} | {len(parts)} parts.pdf | {len(parts)}+ | {spent:.2f} | {size:.0f} |  |")


if __name__ == "__main__":
    main()
