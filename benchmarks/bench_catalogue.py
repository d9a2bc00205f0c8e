"""The whole catalogue at work: every forces x style pair orchestrates a cue and is heard.

Twenty varied cues (game MIDI, the music21 corpus, the shipped samples) rotate over the pairs, so that every forces
meets about every cue and no two styles of the same forces see the same order. Of each pair: whether it failed, notes
outside the range of their seats, melody and bass onsets present (same tick and pitch class; lines that only double
another left out), source notes lost without a line in the log, and of an excerpt of some seconds, rendered: notes that
made no sound and the peak level (below -50 dBFS counts as silent).

Then how far styles are apart: every style orchestrates the same cues for the same forces, and each pair of styles is
compared in four ways, each 0 (same) to 1: colour (who has which role for how long, total variation), rhythm (where in
the bar the accompaniment strikes, total variation, and how much it strikes), touch (articulations and lengths, total
variation) and loudness (mean and spread of velocity, a third of the scale = 1). A distance is their mean. The yardstick
is one style against itself with another seed. There is no peer: the largest catalogue of a notation program is closed.

    python benchmarks/bench_catalogue.py [--data ../shared/data] [--every 1] [--seconds 6] [--cues 2] [--no-sound]

--every k takes each k-th pair. Exit code 1 if any pair falls short.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from time import process_time

import numpy as np

import rescore_music as rm
from rescore_music.analysis import analyze
from rescore_music.orchestration import orchestrate
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Template, load_template, templates

GAME = (
    "freedoom__d_dm02.mid", "freedoom__d_dm04.mid", "freedoom__d_dm12.mid", "freedoom__d_e1m1.mid",
    "freedoom__d_e2m3.mid", "simutrans__18-Ride-that-train.mid", "tannerhelland__Dark Knight.mid",
)  # fmt: skip
MORE_GAME = ("openmsx", "simutrans", "tannerhelland")
CORPUS = (
    "bach/bwv66.6.mxl", "bach/bwv846.mxl", "beethoven/opus18no1/movement1.mxl", "haydn/opus74no1/movement3.mxl",
    "mozart/k80/movement1.mxl", "schumann_robert/opus48no2.mxl", "joplin/maple_leaf_rag.mxl",
)  # fmt: skip
SAMPLES = ("chase.mid", "hero_theme.mid", "love_theme.musicxml", "pixel_loop.mid")
CUES = 20
MOST_S = 90.0  # of a cue
SILENT_DB = -50.0
SLOTS = 24  # of a bar, for rhythm
KINDS = ("colour", "rhythm", "touch", "loudness")
VELOCITY = 127 / 3


@dataclass
class Row:
    """What a pair, or all pairs of some forces, did."""

    pairs: int = 0
    failures: list[str] = field(default_factory=list)
    outside: int = 0
    melody: float = 1.0
    bass: float = 1.0
    unlogged: int = 0
    silent: int = 0
    notes: int = 0
    peak: float = 0.0
    seconds: float = 0.0

    def add(self, other: Row) -> None:
        """Another pair's figures into these."""
        first = self.pairs == 0
        self.pairs += other.pairs
        self.failures += other.failures
        self.melody, self.bass = min(self.melody, other.melody), min(self.bass, other.bass)
        self.peak = other.peak if first else min(self.peak, other.peak)
        for name in ("outside", "unlogged", "silent", "notes", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def well(self) -> bool:
        """Whether every promise is kept."""
        kept = self.melody == self.bass == 1.0 and not (self.outside or self.unlogged or self.silent)
        return kept and not self.failures and self.peak > SILENT_DB


def cue_paths(data: Path) -> list[Path]:
    """Twenty cues: as many of the corpus and the samples as there are, game MIDI for the rest."""
    from music21 import corpus

    found = [Path(__file__).resolve().parent.parent / "samples" / name for name in SAMPLES]
    for name in CORPUS:
        try:
            found.append(Path(str(corpus.getWork(name))))
        except Exception:  # a corpus without the work: a game cue stands in
            print(f"not in this music21 corpus: {name}", file=sys.stderr)
    game = data / "game_midi"
    found += [game / name for name in GAME if (game / name).is_file()]
    rest = [path for kind in MORE_GAME for path in sorted(game.glob(f"{kind}__*.mid"))[1:40:9] if path not in found]
    return [path for path in found + rest if path.is_file()][:CUES]


@lru_cache(maxsize=CUES)
def cue(path: Path) -> tuple[Score, Analysis]:
    """A cue (its first minute and a half) and what is found in it."""
    score = rm.read_score(path)
    end = int(score.tempo.ticks_at(MOST_S))
    if end < score.length:
        score = score.slice(0, int(score.bars[max(int(score.bar_of(end)), 1)]))
    return score, analyze(score)


def kept(source: Score, result: Score, of: np.ndarray) -> float:
    """Share of the source notes `of` whose onset and pitch class the result has."""

    def keys(notes: np.ndarray) -> np.ndarray:
        return notes["onset"].astype(np.int64) * 12 + notes["pitch"] % 12

    return float(np.isin(keys(source.notes[of]), keys(result.notes[result.pitched])).mean()) if of.any() else 1.0


def outside(score: Score, template: Template) -> int:
    """Notes outside the range of the seat that plays them."""
    seats = {seat.name: seat for seat in template.forces.seats}
    low = np.array([0 if p.percussion else seats[p.name].low for p in score.parts])
    high = np.array([127 if p.percussion else seats[p.name].high for p in score.parts])
    part = score.notes["part"]
    return int(((score.notes["pitch"] < low[part]) | (score.notes["pitch"] > high[part])).sum())


def heard(score: Score, seconds: float) -> tuple[int, float]:
    """Silent notes and peak level (dBFS) of an excerpt from the middle on."""
    start = int(score.bars[(len(score.bars) - 1) // 3])
    end = int(score.tempo.ticks_at(float(score.seconds(start)) + seconds))
    part = score.slice(start, max(min(end, score.length), start + 1))
    if not len(part.notes):
        part = score.slice(0, max(int(score.tempo.ticks_at(seconds)), 1))
    audio = rm.render(part, sample_rate=22050, tail=0.5)
    peak = float(np.abs(audio.mix).max()) if len(audio.mix) else 0.0
    return len(audio.silent), 20 * float(np.log10(max(peak, 1e-9)))


def one(name: str, path: Path, seconds: float) -> Row:
    """One pair on one cue."""
    begin = process_time()
    try:
        template = load_template(name)
        source, analysis = cue(path)
        take = orchestrate(source, template, analysis=analysis, n=4)[0]
        score = take.score
        lost = len(source.notes) - len(np.unique(take.origin[take.origin >= 0]))
        row = Row(
            pairs=1,
            outside=outside(score, template),
            melody=kept(source, score, analysis.leading(source.notes, Role.MELODY)),
            bass=kept(source, score, analysis.leading(source.notes, Role.BASS)),
            unlogged=max(lost - sum(item.count for item in take.log if item.lost), 0),
            notes=len(score.notes),
        )
        if seconds > 0:
            row.silent, row.peak = heard(score, seconds)
    except Exception as error:  # one broken pair must not hide the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{name} on {path.name}: {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
        row = Row(pairs=1, failures=[told], melody=0.0, bass=0.0, peak=-180.0)
    row.seconds = process_time() - begin
    return row


@dataclass(frozen=True)
class Portrait:
    """What an orchestration is like: distributions that sum to 1, and two figures of loudness."""

    colour: np.ndarray
    rhythm: np.ndarray
    strokes: float
    touch: np.ndarray
    loudness: tuple[float, float]


def portrait(name: str, path: Path, seed: int = 0) -> Portrait:
    """One pair's portrait on one cue."""
    template = load_template(name)
    source, analysis = cue(path)
    take = orchestrate(source, template, analysis=analysis, n=1, seed=seed)[0]
    score, origin = take.score, take.origin
    notes = score.notes
    role = np.where(origin >= 0, analysis.note_roles(source.notes["onset"])[np.maximum(origin, 0)], int(Role.HARMONY))
    seats = {seat.name: i for i, seat in enumerate(template.forces.seats)}
    seat = np.array([seats[p.name] for p in score.parts])[notes["part"]]
    roles = len(Role)
    colour = np.bincount(seat * roles + np.clip(role, 0, roles - 1), notes["duration"], len(seats) * roles)
    bar = score.bar_of(notes["onset"])
    place = (notes["onset"] - score.bars[bar]) / np.maximum(score.bars[bar + 1] - score.bars[bar], 1)
    behind = role != int(Role.MELODY)
    slot = np.minimum((place * SLOTS + 0.5).astype(int), SLOTS - 1)
    rhythm = np.bincount(slot[behind], minlength=SLOTS)
    quarters = np.clip(np.rint(np.log2(np.maximum(notes["duration"], 1) / score.ticks_per_quarter)), -4, 3) + 4
    flags = notes["articulation"] & 0x7FF
    kinds = np.array([0, *(1 << i for i in range(11))])
    kind = np.searchsorted(kinds, flags & ~flags + 1) if len(flags) else flags
    touch = np.bincount(kind.astype(int) * 8 + quarters.astype(int), minlength=8 * (len(kinds) + 1))
    velocity = notes["velocity"].astype(float)
    return Portrait(
        colour / max(colour.sum(), 1),
        rhythm / max(rhythm.sum(), 1),
        float(behind.sum()),
        touch / max(touch.sum(), 1),
        (float(velocity.mean()), float(velocity.std())),
    )


def apart(a: Portrait, b: Portrait) -> np.ndarray:
    """The four distances."""
    fewer = min(a.strokes, b.strokes) / max(a.strokes, b.strokes, 1.0)
    return np.array(
        [
            np.abs(a.colour - b.colour).sum() / 2,
            (np.abs(a.rhythm - b.rhythm).sum() / 2 + 1 - fewer) / 2,
            np.abs(a.touch - b.touch).sum() / 2,
            min(np.abs(np.subtract(a.loudness, b.loudness)).sum() / VELOCITY, 1.0),
        ]
    )


def works(paths: list[Path], every: int, seconds: float) -> bool:
    """The first table; whether all is well."""
    found = templates()
    forces, styles = list(found.forces), list(found.styles)
    pairs = [(f, s, paths[(i * 7 + j) % len(paths)]) for i, f in enumerate(forces) for j, s in enumerate(styles)]
    table = {f: Row() for f in forces}
    for f, s, path in pairs[::every]:
        table[f].add(one(f"{f}/{s}", path, seconds))
    print("| forces | pairs | failures | outside | melody | bass | lost unlogged | silent notes | lowest peak, dBFS |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    total = Row()
    for name, row in table.items():
        if row.pairs:
            total.add(row)
            print(_line(name, row, seconds))
    print(_line("all", total, seconds))
    print(f"\n{total.notes} notes written, {total.seconds:.0f} s of processor time")
    for told in total.failures:
        print(told, file=sys.stderr)
    return total.well


def _line(name: str, row: Row, seconds: float) -> str:
    sound = (str(row.silent), f"{row.peak:.1f}") if seconds > 0 else ("-", "-")
    cells = (
        name,
        row.pairs,
        len(row.failures),
        row.outside,
        f"{row.melody:.1%}",
        f"{row.bass:.1%}",
        row.unlogged,
        *sound,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def distances(paths: list[Path]) -> None:
    """The second table: how far styles are apart, forces by forces."""
    found = templates()
    styles = list(found.styles)
    print("\n| forces | mean distance | " + " | ".join(KINDS) + " | nearest styles | theirs | same style, other seed |")
    print("| --- | --: | --: | --: | --: | --: | --- | --: | --: |")
    sums = np.zeros((len(styles), len(styles)))
    for f in found.forces:
        table = np.zeros((len(styles), len(styles), len(KINDS)))
        chance = 0.0
        for path in paths:
            seen = [portrait(f"{f}/{s}", path) for s in styles]
            for i, j in combinations(range(len(styles)), 2):
                table[i, j] += apart(seen[i], seen[j]) / len(paths)
            again = portrait(f"{f}/{styles[0]}", path, seed=1)
            chance += float(apart(seen[0], again).mean()) / len(paths)
        upper = np.triu_indices(len(styles), 1)
        mean = table.mean(axis=2)
        sums += mean
        near = int(np.argmin(mean[upper]))
        a, b = upper[0][near], upper[1][near]
        kinds = " | ".join(f"{v:.2f}" for v in table[upper].mean(axis=0))
        told = f"{styles[a]}, {styles[b]} | {mean[a, b]:.2f} | {chance:.2f} |"
        print(f"| {f} | {mean[upper].mean():.2f} | {kinds} | {told}", flush=True)
    sums /= len(found.forces)
    upper = np.triu_indices(len(styles), 1)
    order = np.argsort(sums[upper])
    print(f"\nover all forces: mean {sums[upper].mean():.2f}; nearest pairs of styles:")
    for k in order[:5].tolist():
        print(f"  {styles[upper[0][k]]}, {styles[upper[1][k]]}: {sums[upper][k]:.2f}")


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parent.parent.parent / "shared" / "data")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--cues", type=int, default=2, help="cues of the second table")
    parser.add_argument("--no-sound", action="store_true")
    args = parser.parse_args()
    paths = cue_paths(args.data)
    print(f"{len(paths)} cues: {', '.join(path.stem for path in paths)}\n", flush=True)
    well = works(paths, args.every, 0.0 if args.no_sound else args.seconds)
    if args.cues:
        distances(paths[1 :: max(len(paths) // args.cues, 1)][: args.cues])
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
