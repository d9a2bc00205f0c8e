"""Against human orchestrators: reduce symphony movements to their lines, orchestrate them anew, compare.

A movement of openscore_orchestra is analysed, lines that only double another are taken out, and the rest is written as
nameless parts: what is left tells pitches, rhythms and dynamics, not who played them (timpani keep their sound). The
reduction is orchestrated for the movement's own forces, in a style without wishes but one (at full intensity everybody
plays), and held against the human score:

- melody: share of the time in which some instrument that the human score gives the main melody (annotated part and
  what plays the same line) also has it in ours; bass likewise, bar by bar, for the lowest notes
- parts: distance of the distributions of active parts per beat (Wasserstein, in parts)
- doublings: distance of the distributions of doubling intervals (total variation, 0..1)
- register: mean distance of an instrument's median pitch, in semitones

Baselines: random legal seats, for every line the seat whose middle is nearest, and with `--before` this product as it
was at that commit (its analysis and orchestration, this file's measures). The yardstick for the last three is human to
human: a movement against the next of the same work.

    python benchmarks/bench_human.py [--data ../shared/data] [--every 1] [--seed 0] [--before COMMIT]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import rescore_music as rm
from rescore_music.candidate import Assignment
from rescore_music.instruments import Instrument, guess_instrument
from rescore_music.orchestration import orchestrate, realize
from rescore_music.score import Part, Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Forces, RoleStyle, Seat, Style, Template

SECTION, DIVISI = 10, 2
HAS_IT = 0.7  # an instrument has a line where it plays this share of its onsets
METHODS = ("ours", "nearest", "random")
FIGURES = ("melody", "bass", "parts", "doublings", "register")


@dataclass(frozen=True)
class Movement:
    """A human score, its forces as a template, and who carries the melody when."""

    name: str
    score: Score
    template: Template
    leaders: list[tuple[int, int, set[int]]]


def movement(path: Path) -> Movement:
    """Read one movement."""
    score = rm.read_score(path)
    leaders = _leaders(path, score)
    # the files carry the annotations' labels as syllables under the notes that lead
    told = {(start, part) for start, _, named in leaders for part in named}
    score = score.replace(marks=tuple(m for m in score.marks if m.kind != "lyric" or (m.tick, m.part) not in told))
    seats = []
    for i, part in enumerate(score.parts):
        row = guess_instrument(part.name, part.program, part.percussion)
        seats.append(
            Seat(
                f"{row.id}.{i}",
                row,
                f"{i} {part.name}",
                str(i),
                SECTION if row.family == "strings" else 1,
                _divisi(row),
            )
        )
    roles = {role: RoleStyle() for role in Role if role >= 0}
    plain = Style("plain", "Plain", "", roles, density=1.0)
    template = Template("human/plain", Forces("human", "", "", tuple(seats)), plain)
    return Movement(path.stem, score, template, leaders)


def _divisi(row: Instrument) -> int:
    if row.family == "strings":
        return 1 if row.id == "double-bass" else DIVISI
    return max(row.polyphony, 1)


def _leaders(path: Path, score: Score) -> list[tuple[int, int, set[int]]]:
    named: dict[int, set[int]] = {}
    with path.with_name(path.stem + "_annotations.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            named.setdefault(round(float(row["qstamp"]) * score.ticks_per_quarter), set()).add(int(row["part_num"]))
    starts = sorted(named)
    return [(a, b, named[a]) for a, b in zip(starts, [*starts[1:], score.length], strict=True)]


def reduction(score: Score, analysis: Analysis) -> Score:
    """The lines without those that double another, as nameless parts."""
    notes = score.notes
    phrase = analysis.phrase_of(notes["onset"])
    kept = analysis.doubles[analysis.line_of, phrase] < 0
    key = notes["onset"] * 128 + notes["pitch"]
    order = np.flatnonzero(kept)
    _, first = np.unique(key[order], return_index=True)
    index = np.sort(order[first])
    out = notes[index].copy()
    lines = np.unique(analysis.line_of[index])
    out["part"] = np.searchsorted(lines, analysis.line_of[index])
    out["articulation"], out["voice"], out["staff"] = 0, 0, 0
    parts = []
    for number, line in enumerate(lines.tolist()):
        own = score.parts[analysis.lines[line].part]
        kettle = "timpani" in guess_instrument(own.name, own.program, own.percussion).id
        parts.append(Part(f"Line {number + 1}", program=47 if kettle else 48, percussion=own.percussion))
    return Score(
        notes=out,
        parts=tuple(parts),
        tempo=score.tempo,
        ticks_per_quarter=score.ticks_per_quarter,
        meters=score.meters,
        keys=score.keys,
        barlines=score.barlines,
        length=score.length,
    )


def rivals(m: Movement, source: Score, analysis: Analysis, seed: int) -> dict[str, Score]:
    """The reduction orchestrated by each method, one part a seat of the forces."""
    take = orchestrate(source, m.template, analysis=analysis, n=1, seed=seed)[0]
    made = {"ours": take.assignments}
    rng = np.random.default_rng(seed)
    for method in ("nearest", "random"):
        made[method] = tuple(
            Assignment(p, line, seat)
            for p in range(len(analysis.phrases))
            for line in range(len(analysis.lines))
            if (seat := _seat(m, source, analysis, p, line, method, rng)) >= 0
        )
    return {method: _on_all_seats(m, realize(source, analysis, m.template, who).score) for method, who in made.items()}


def _seat(
    m: Movement, source: Score, analysis: Analysis, p: int, line: int, method: str, rng: np.random.Generator
) -> int:
    phrase = analysis.phrases[p]
    notes = source.notes[analysis.lines[line].notes]
    pitch = notes["pitch"][(notes["onset"] >= phrase.start) & (notes["onset"] < phrase.end)].astype(int)
    if not len(pitch):
        return -1
    seats = m.template.forces.seats
    legal = [
        i
        for i, s in enumerate(seats)
        if not s.instrument.percussion and np.mean((pitch >= s.low) & (pitch <= s.high)) >= 0.9
    ]
    if not legal:
        return -1
    if method == "random":
        return int(rng.choice(legal))
    middle = [(seats[i].instrument.comfortable_low + seats[i].instrument.comfortable_high) / 2 for i in legal]
    return legal[int(np.argmin(np.abs(np.array(middle) - pitch.mean())))]


def _on_all_seats(m: Movement, score: Score) -> Score:
    """The same with a part for every seat, so that part numbers are those of the human score."""
    number = {seat.name: i for i, seat in enumerate(m.template.forces.seats)}
    notes = score.notes.copy()
    notes["part"] = np.array([number[p.name] for p in score.parts])[notes["part"]]
    return score.replace(notes=notes, parts=m.score.parts, controls=[], bends=[], programs=[], marks=(), raw=())


def _has(notes: np.ndarray, key: np.ndarray, parts: int) -> set[int]:
    """Parts that play at least `HAS_IT` of these onsets and pitch classes."""
    own = notes["onset"] * 12 + notes["pitch"] % 12
    return {p for p in range(parts) if len(key) and np.isin(key, own[notes["part"] == p]).mean() >= HAS_IT}


def _between(score: Score, a: int, b: int) -> np.ndarray:
    lo, hi = np.searchsorted(score.notes["onset"], [a, b])
    return score.notes[lo:hi]


def same_colour(m: Movement, rival: Score) -> tuple[float, float]:
    """Shares of the time in which melody and bass are in an instrument that the human used for them."""
    ids = [seat.instrument.id for seat in m.template.forces.seats]
    parts = len(ids)

    def agree(human: np.ndarray, ours: np.ndarray, key: np.ndarray) -> bool:
        return bool({ids[p] for p in _has(human, key, parts)} & {ids[p] for p in _has(ours, key, parts)})

    hit = total = 0
    for a, b, named in m.leaders:
        human, ours = _between(m.score, a, b), _between(rival, a, b)
        lead = human[np.isin(human["part"], list(named))]
        key = np.unique(lead["onset"] * 12 + lead["pitch"] % 12)
        if len(key):
            total += b - a
            hit += (b - a) * agree(human, ours, key)
    low = bars = 0
    for a, b in zip(m.score.bars[:-1].tolist(), m.score.bars[1:].tolist(), strict=True):
        human, ours = _between(m.score, a, b), _between(rival, a, b)
        pitched = human[m.score.pitched[np.searchsorted(m.score.notes["onset"], a) :][: len(human)]]
        if not len(pitched):
            continue
        order = np.lexsort((pitched["pitch"], pitched["onset"]))
        lowest = pitched[order][np.unique(pitched["onset"][order], return_index=True)[1]]
        under = lowest[lowest["pitch"] <= np.quantile(pitched["pitch"], 0.35)]
        key = np.unique(under["onset"] * 12 + under["pitch"] % 12)
        if len(key):
            bars += b - a
            low += (b - a) * agree(human, ours, key)
    return hit / max(total, 1), low / max(bars, 1)


def _activity(score: Score) -> np.ndarray:
    """Active parts at every beat."""
    beats = np.arange(0, score.length, score.ticks_per_quarter)
    active = np.zeros((len(score.parts), len(beats)), bool)
    first = score.notes["onset"] // score.ticks_per_quarter
    last = np.minimum((score.ends - 1) // score.ticks_per_quarter, len(beats) - 1)
    for part, a, b in zip(score.notes["part"], first, last, strict=True):
        active[part, a : b + 1] = True
    return np.sort(active.sum(axis=0))


def _doublings(score: Score) -> np.ndarray:
    """Share of doublings at the unison, one, two, three octaves among all pairs of equal onset and pitch class."""
    key = score.notes["onset"] * 12 + score.notes["pitch"] % 12
    order = np.argsort(key, kind="stable")
    out = np.zeros(5)
    for step in (1, 2, 3):
        a, b = order[:-step], order[step:]
        same = (key[a] == key[b]) & (score.notes["part"][a] != score.notes["part"][b])
        gap = np.abs(score.notes["pitch"][a].astype(int) - score.notes["pitch"][b].astype(int))[same] // 12
        out += np.bincount(np.minimum(gap, 4), minlength=5)
    return out / max(out.sum(), 1)


def _register(score: Score) -> dict[int, float]:
    part = score.notes["part"]
    return {p: float(np.median(score.notes["pitch"][part == p])) for p in np.unique(part).tolist()}


def distances(one: Score, other: Score) -> tuple[float, float, float]:
    """Active parts, doubling intervals, registers: how far two scores for the same forces are apart."""
    share = np.linspace(0, 1, 201)
    parts = float(np.abs(np.quantile(_activity(one), share) - np.quantile(_activity(other), share)).mean())
    doubled = float(np.abs(_doublings(one) - _doublings(other)).sum() / 2)
    a, b = _register(one), _register(other)
    both = sorted(a.keys() & b.keys())
    return parts, doubled, float(np.mean([abs(a[p] - b[p]) for p in both])) if both else 0.0


def as_it_was(commit: str, args: argparse.Namespace) -> list[list[float]]:
    """The figures of this file's "ours" by the package of an earlier commit."""
    here = Path(__file__).resolve()
    packed = subprocess.run(["git", "archive", commit], cwd=here.parent.parent, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
        asked = ["--data", str(args.data.resolve()), "--every", str(args.every), "--seed", str(args.seed), "--json"]
        told = subprocess.run(
            [sys.executable, str(here), *asked],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found: dict[str, list[list[float]]] = json.loads(told.splitlines()[-1])
    return found["ours"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--before", default="", metavar="COMMIT")
    parser.add_argument("--json", action="store_true", help="every movement's figures as the last line")
    args = parser.parse_args()
    table: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    yardstick: list[tuple[float, float, float]] = []
    before: Movement | None = None
    for path in sorted((args.data / "openscore_orchestra").glob("*.mxl"))[:: args.every]:
        m = movement(path)
        source = reduction(m.score, rm.analyze(m.score))
        if len(source.notes) < 100:
            continue
        for method, rival in rivals(m, source, rm.analyze(source), args.seed).items():
            table[method].append((*same_colour(m, rival), *distances(m.score, rival)))
        if before is not None and [p.name for p in before.score.parts] == [p.name for p in m.score.parts]:
            yardstick.append(distances(before.score, m.score))
        before = m
        told = " ".join(f"{method} {table[method][-1][0]:.2f}/{table[method][-1][1]:.2f}" for method in METHODS)
        print(f"{m.name}: {len(m.score.notes)} notes, {len(source.notes)} left; melody/bass {told}", flush=True)
    print(f"\n{len(table['ours'])} movements, means | " + " | ".join(FIGURES))
    if args.before:
        table[args.before] += [tuple(row) for row in as_it_was(args.before, args)]
    for method in table:
        print(f"{method:10s} | " + " | ".join(f"{v:.3f}" for v in np.mean(table[method], axis=0)))
    if yardstick:
        print("human-human |  |  | " + " | ".join(f"{v:.3f}" for v in np.mean(yardstick, axis=0)))
    if args.json:
        print(json.dumps(table))


if __name__ == "__main__":
    main()
