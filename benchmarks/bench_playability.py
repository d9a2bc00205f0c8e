"""Playability: how often good human parts break each rule, and how often ours do.

Human parts are the peer: a rule that masters break often is a wrong rule, and the table shows it. Orchestra: the
openscore_orchestra movements, their string sections taken as eight players. Quartets and keyboard: MusicXML of the
music21 corpus, every part one player. Ours: varied cues, every forces, several styles, first-pass best.

    python benchmarks/bench_playability.py [--data ../shared/data] [--cues 20] [--styles 3] [--forces NAME ...]
        [--human-only] [--show RULE]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import rescore_music as rm
from rescore_music.playability import RULES, violations
from rescore_music.playability.player import player_of
from rescore_music.score import Score

SECTION = 8
STYLES = ("romantic-film", "epic-hybrid", "jazz", "minimalist", "tango", "horror")
CORPUS = {
    "quartets": ("haydn/opus", "mozart/k155", "mozart/k156", "mozart/k080", "beethoven/opus18", "beethoven/opus59"),
    "keyboard": ("joplin", "schumann_clara", "schumann_robert", "chopin", "beach", "cpebach"),
}


def orchestra(data: Path) -> Iterator[tuple[str, Score]]:
    """The orchestral movements, string parts as sections."""
    for file in sorted((data / "openscore_orchestra").rglob("*.mxl")):
        score = rm.read_score(file)
        parts = list(score.parts)
        for i, part in enumerate(parts):
            player = player_of(score, i, None)
            if player is not None and player.instrument.family == "strings":
                parts[i] = replace(part, players=SECTION)
        yield file.stem, score.replace(parts=tuple(parts))


def corpus(starts: tuple[str, ...]) -> Iterator[tuple[str, Score]]:
    """Works of the music21 corpus."""
    from music21 import corpus as works

    for file in sorted(map(str, works.getCorePaths())):
        name = file.replace("\\", "/").split("/corpus/")[-1]
        if name.startswith(starts) and name.endswith((".mxl", ".xml", ".musicxml")):
            yield name, rm.read_score(file)


def cues(data: Path, most: int) -> list[Path]:
    """Varied cues: samples, then game cues at even distances."""
    samples = sorted(p for p in Path("samples").iterdir() if p.suffix in (".mid", ".musicxml"))
    games = sorted((data / "game_midi").rglob("*.mid"))
    step = max(len(games) // max(most - len(samples), 1), 1)
    return (samples + games[::step])[:most]


def ours(data: Path, most: int, styles: int, names: list[str]) -> Iterator[tuple[str, Score, str]]:
    """First-pass best of every cue for every forces, the styles taken in turn."""
    forces = names or list(rm.templates().forces)
    for file in cues(data, most):
        score = rm.read_score(file)
        analysis = rm.analyze(score)
        turn = cycle(STYLES)
        for name in forces:
            for style in islice(turn, styles):
                take = rm.orchestrate(score, f"{name}/{style}", n=1, analysis=analysis)[0]
                yield f"{file.stem} {name}/{style}", take.score, name


class Count:
    """Violations by rule, and notes."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self.notes = self.works = 0

    def add(self, name: str, score: Score, show: str) -> None:
        found = violations(score)
        self.rules.update(v.rule for v in found)
        self.notes += len(score.notes)
        self.works += 1
        for v in [v for v in found if v.rule == show][:2]:
            print(f"  {name}: {score.parts[v.part].name}, bar {int(score.bar_of(v.tick)) + 1}: {v.what}")

    def rate(self, rule: str) -> float:
        return 1000 * self.rules[rule] / max(self.notes, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cues", type=int, default=20)
    parser.add_argument("--styles", type=int, default=3)
    parser.add_argument("--forces", nargs="*", default=[])
    parser.add_argument("--human-only", action="store_true")
    parser.add_argument("--show", default="")
    args = parser.parse_args()
    columns: dict[str, Count] = {"orchestra": Count(), **{name: Count() for name in CORPUS}}
    for name, score in orchestra(args.data):
        columns["orchestra"].add(name, score, args.show)
    for column, starts in CORPUS.items():
        for name, score in corpus(starts):
            columns[column].add(name, score, args.show)
    by_forces: dict[str, Count] = {}
    if not args.human_only:
        columns["ours"] = Count()
        for name, score, forces in ours(args.data, args.cues, args.styles, args.forces):
            columns["ours"].add(name, score, args.show)
            by_forces.setdefault(forces, Count()).add(name, score, "")
    print(
        f"violations per 1,000 notes: {', '.join(f'{k} {c.works} works {c.notes} notes' for k, c in columns.items())}"
    )
    print("| rule | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for rule in RULES:
        print(f"| {rule} | " + " | ".join(f"{c.rate(rule):.3f}" for c in columns.values()) + " |")
    total = (sum(1000 * n for r, n in c.rules.items() if r != "range") / max(c.notes, 1) for c in columns.values())
    print("| all but range | " + " | ".join(f"{t:.3f}" for t in total) + " |")
    for forces, count in by_forces.items():
        worst = ", ".join(f"{n} {rule}" for rule, n in count.rules.most_common(6))
        print(f"{forces}: {count.notes} notes; {worst or 'none'}")


if __name__ == "__main__":
    main()
