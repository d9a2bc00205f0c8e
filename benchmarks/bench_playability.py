"""Playability: how often good human parts break each rule, and how often ours do; is the tune there, and heard.

Human parts are the peer: a rule that masters break often is a wrong rule, and the table shows it. Orchestra: the
openscore_orchestra movements, their string sections taken as eight players, a wind part as as many players as it has
notes at once. Quartets and keyboard: MusicXML of the music21 corpus, every part one player. Ours: varied cues, every
forces, several styles in turn, first-pass best.

Beside the rules stand, for ours, the share of melody and bass onsets that are in the result (same tick and pitch class;
of a chord the note it is heard by), notes for which the default sounds have no sample (silent), and the share of the
time in which the melody's lines are heard in the masking model of `playability.audibility`, doublings counted with
what they double. Human melodies are those of the published annotations, and, for a like comparison, those that our own
analysis finds in the same scores.

    python benchmarks/bench_playability.py [--data ../shared/data] [--cues 20] [--styles 3] [--forces NAME ...]
        [--human-only] [--ours-only] [--show RULE]
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

import rescore_music as rm
from rescore_music.candidate import Candidate
from rescore_music.playability import RULES, violations
from rescore_music.playability.audibility import heard
from rescore_music.playability.player import player_of
from rescore_music.playability.streams import at_once
from rescore_music.rendering.soundfont import open_soundfont
from rescore_music.rendering.sounds import default_sounds, find_preset
from rescore_music.rendering.voices import match_zones, nearest_keys
from rescore_music.score import GRACE, Score
from rescore_music.structure import Analysis, Role

Ints = npt.NDArray[np.int64]

SECTION = 8
OFTEN = 1.0  # violations per 1,000 notes of human orchestral scores from which a rule is told to be a wrong one
STYLES = ("romantic-film", "epic-hybrid", "jazz", "minimalist", "tango", "horror")
CORPUS = {
    "quartets": ("haydn/opus", "mozart/k155", "mozart/k156", "mozart/k080", "beethoven/opus18", "beethoven/opus59"),
    "keyboard": ("joplin", "schumann_clara", "schumann_robert", "chopin", "beach", "cpebach"),
}


def orchestra(data: Path) -> Iterator[tuple[str, Score, Path]]:
    """The orchestral movements, string parts as sections, wind parts as so many players as they have notes at once."""
    for file in sorted((data / "openscore_orchestra").rglob("*.mxl")):
        score = rm.read_score(file)
        parts = list(score.parts)
        for i, part in enumerate(parts):
            player = player_of(score, i, None)
            if player is not None and player.instrument.family == "strings":
                parts[i] = replace(part, players=SECTION)
            elif player is not None and player.instrument.polyphony == 1:
                onset = player.notes["onset"].astype(np.int64)
                parts[i] = replace(part, players=max(1, at_once(onset, onset + player.notes["duration"])))
        yield file.stem, score.replace(parts=tuple(parts)), file


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


def ours(data: Path, most: int, styles: int, names: list[str]) -> Iterator[tuple[str, Score, Analysis, Candidate, str]]:
    """First-pass best of every cue for every forces, the styles in turn; some forces alone meet the same pairs."""
    for file in cues(data, most):
        score = rm.read_score(file)
        analysis = rm.analyze(score)
        turn = cycle(STYLES)
        for name in rm.templates().forces:
            chosen = list(islice(turn, styles))
            for style in chosen if not names or name in names else ():
                take = rm.orchestrate(score, f"{name}/{style}", n=1, analysis=analysis)[0]
                yield f"{file.stem} {name}/{style}", score, analysis, take, name


def with_doublings(score: Score, lines: Ints) -> Ints:
    """Lines of notes (-1: none) with every pitched note that begins with one of them on its pitch class."""
    key = score.notes["onset"] * 12 + score.notes["pitch"] % 12
    led = np.flatnonzero((lines >= 0) & score.pitched)
    known, first = np.unique(key[led], return_index=True)
    at = np.minimum(np.searchsorted(known, key), max(len(known) - 1, 0))
    doubles = score.pitched & (known[at] == key) if len(known) else np.zeros(len(key), bool)
    return np.where(lines >= 0, lines, np.where(doubles, lines[led[first[at]]] if len(known) else -1, -1))


def annotated(score: Score, file: Path) -> Ints:
    """0 for notes of the parts that carry the melody by the published annotation, else -1."""
    named: dict[int, set[int]] = {}
    with file.with_name(file.stem + "_annotations.csv").open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            named.setdefault(round(float(row["qstamp"]) * score.ticks_per_quarter), set()).add(int(row["part_num"]))
    starts = sorted(named)
    out = np.full(len(score.notes), -1)
    for a, b in zip(starts, [*starts[1:], score.length], strict=True):
        now = (score.notes["onset"] >= a) & (score.notes["onset"] < b)
        out[now & np.isin(score.notes["part"], list(named[a]))] = 0
    return out


def found(score: Score, analysis: Analysis) -> Ints:
    """The line of every note by which our analysis hears a melody, else -1."""
    return np.where(analysis.leading(score.notes, Role.MELODY) & score.pitched, analysis.line_of, -1).astype(np.int64)


def kept(source: Score, analysis: Analysis, made: Score, role: Role) -> tuple[int, int]:
    """How many onsets of a role are in the result, of how many."""
    wanted = source.notes[analysis.leading(source.notes, role) & source.pitched]
    mine = made.notes[made.pitched]
    have = np.isin(wanted["onset"] * 12 + wanted["pitch"] % 12, mine["onset"] * 12 + mine["pitch"] % 12)
    return int(have.sum()), len(have)


@cache
def _sounds(program: int, bank: int, percussion: bool) -> npt.NDArray[np.bool_]:
    """Which (pitch, velocity) the default sounds have, shape (128, 128)."""
    font = open_soundfont(default_sounds())
    preset = find_preset(font, program, bank, percussion)
    out = np.zeros(128 * 128, bool)
    if preset is not None:
        pitch, velocity = np.divmod(np.arange(128 * 128), 128)
        zones = font.zones(*preset)
        out[match_zones(zones, pitch if percussion else nearest_keys(zones, pitch), velocity)[0]] = True
    return out.reshape(128, 128)


def silent(score: Score) -> int:
    """Notes that make no sound: not in the sounds, or without length that are no grace notes."""
    grace = score.notes["articulation"] & GRACE != 0
    mute = (score.notes["duration"] <= 0) & ~grace
    for i, part in enumerate(score.parts):
        own = score.part_notes(i)
        have = _sounds(part.program, part.bank, part.percussion)
        mute[own] |= ~have[score.notes["pitch"][own], score.notes["velocity"][own]]
    return int(mute.sum())


class Count:
    """Violations by rule, notes, onsets kept, silent notes, seconds heard."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self.notes = self.works = self.silent = 0
        self.onsets = {role: [0, 0] for role in (Role.MELODY, Role.BASS)}
        self.seconds = np.zeros(2)  # of melody: heard, sounding
        self.worst = (1.0, "")

    def add(self, name: str, score: Score, show: str) -> None:
        broken = violations(score)
        self.rules.update(v.rule for v in broken)
        self.notes += len(score.notes)
        self.works += 1
        for v in [v for v in broken if v.rule == show][:2]:
            print(f"  {name}: {score.parts[v.part].name}, bar {int(score.bar_of(v.tick)) + 1}: {v.what}")

    def hear(self, name: str, score: Score, lines: Ints) -> None:
        sounding, told = heard(score, with_doublings(score, lines))
        self.seconds += [told.sum(), sounding.sum()]
        if sounding.sum() > 0:
            self.worst = min(self.worst, (float(told.sum() / sounding.sum()), name))

    def keep(self, source: Score, analysis: Analysis, made: Score) -> None:
        for role, counts in self.onsets.items():
            have, of = kept(source, analysis, made, role)
            counts[0] += have
            counts[1] += of
        self.silent += silent(made)

    def rate(self, *rules: str) -> float:
        return 1000 * sum(self.rules[rule] for rule in rules) / max(self.notes, 1)

    def audible(self) -> str:
        return f"{100 * self.seconds[0] / self.seconds[1]:.2f} %" if self.seconds[1] else ""


def _table(columns: dict[str, Count]) -> None:
    print(
        f"violations per 1,000 notes: {', '.join(f'{k} {c.works} works {c.notes} notes' for k, c in columns.items())}"
    )
    print("| rule | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for rule in RULES:
        often = " (masters break it: more than 1 in 1,000 notes)" if columns["orchestra"].rate(rule) > OFTEN else ""
        print(f"| {rule}{often} | " + " | ".join(f"{c.rate(rule):.3f}" for c in columns.values()) + " |")
    others = [rule for rule in RULES if rule != "range"]
    seldom = [rule for rule in others if columns["orchestra"].rate(rule) <= OFTEN]
    print("| all but range | " + " | ".join(f"{c.rate(*others):.3f}" for c in columns.values()) + " |")
    print(
        "| of these, what masters seldom break | "
        + " | ".join(f"{c.rate(*seldom):.3f}" for c in columns.values())
        + " |"
    )
    print("| melody heard | " + " | ".join(c.audible() for c in columns.values()) + " |")


def _forces_table(by_forces: dict[str, Count]) -> None:
    print(
        "\n| forces | notes | per 1,000 | melody onsets | bass onsets | silent | melody heard | least | most broken |"
    )
    print("| --- |" + " ---: |" * 7 + " --- |")
    for forces, c in by_forces.items():
        shares = [f"{100 * have / max(of, 1):.2f} %" for have, of in c.onsets.values()]
        worst = ", ".join(f"{n} {rule}" for rule, n in c.rules.most_common(4)) or "none"
        rate = c.rate(*[rule for rule in RULES if rule != "range"])
        cells = (forces, c.notes, f"{rate:.3f}", *shares, c.silent, c.audible(), f"{100 * c.worst[0]:.1f} %", worst)
        print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cues", type=int, default=20)
    parser.add_argument("--styles", type=int, default=3)
    parser.add_argument("--forces", nargs="*", default=[])
    parser.add_argument("--human-only", action="store_true")
    parser.add_argument("--ours-only", action="store_true", help="no human scores: a part of the whole")
    parser.add_argument("--show", default="")
    args = parser.parse_args()
    columns: dict[str, Count] = {"orchestra": Count(), **{name: Count() for name in CORPUS}}
    analysed = Count()
    for name, score, file in () if args.ours_only else orchestra(args.data):
        columns["orchestra"].add(name, score, args.show)
        columns["orchestra"].hear(name, score, annotated(score, file))
        analysed.hear(name, score, found(score, rm.analyze(score)))
    for column, starts in CORPUS.items():
        for name, score in () if args.ours_only else corpus(starts):
            columns[column].add(name, score, args.show)
    by_forces: dict[str, Count] = {}
    if not args.human_only:
        columns["ours"] = Count()
        for name, source, analysis, take, forces in ours(args.data, args.cues, args.styles, args.forces):
            known = found(source, analysis)
            lines = np.where(take.origin >= 0, known[np.maximum(take.origin, 0)], -1)
            for count in (columns["ours"], by_forces.setdefault(forces, Count())):
                count.add(name, take.score, args.show if count is columns["ours"] else "")
                count.hear(name, take.score, lines)
                count.keep(source, analysis, take.score)
    _table(columns)
    print(f"melody of the orchestral scores as our analysis finds it: heard {analysed.audible()}")
    if by_forces:
        _forces_table(by_forces)
        low = sorted(count.worst for count in by_forces.values())[:4]
        print("least heard: " + ", ".join(f"{name} {100 * share:.1f} %" for share, name in low))


if __name__ == "__main__":
    main()
