"""Count the rhythm of notated scores: writes rescore_music/quantizing/rhythm.npz.

    python benchmarks/fit_rhythm.py --shared FOLDER

Scores: the tuning works of benchmarks/humanize.py; every eighth Bach chorale, every sixth Monteverdi madrigal and every
eighth tune of Ryan's Mammoth Collection in the music21 corpus; three late Beethoven quartets there; and the orchestral
movements of FOLDER/openscore_orchestra. None is among the tested works. The first 500 attacks of each count, so that
no work and no genre outweighs the others.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import humanize
import numpy as np

import rescore_music as rm
from rescore_music.elements import GRACE
from rescore_music.quantizing.clusters import CLASSES, attacks
from rescore_music.quantizing.priors import LEVELS, METERS, PER_QUARTER, SLOTS, levels
from rescore_music.score import Score

OUT = Path(__file__).resolve().parent.parent / "rescore_music" / "quantizing" / "rhythm.npz"
ALIKE = {(2, 2): (4, 4), (12, 8): (6, 8), (4, 2): (4, 4), (6, 4): (3, 4)}


ATTACKS = 500


def works(shared: Path) -> list[Path]:
    """The scores to count: none is tested."""
    root = humanize.corpus()
    out = [root / name for name in humanize.TUNING]
    for pattern, every in (("bach/bwv*.mxl", 8), ("monteverdi/madrigal.*.mxl", 6), ("ryansMammoth/*.abc", 8)):
        out += sorted(root.glob(pattern))[::every]
    out += [root / f"beethoven/opus{n}.mxl" for n in ("18no3", "132", "133")]
    out += sorted((shared / "openscore_orchestra").glob("*.mxl"))
    tested = {work_of(root / name) for name in humanize.TESTED}
    return [p for p in dict.fromkeys(out) if work_of(p) not in tested]


def work_of(path: Path) -> tuple[str, str]:
    """What tells a score from others: its folder and name, without the variants of a chorale."""
    return path.parent.name, path.stem.split("-")[0] if path.parent.name == "bach" else path.stem


def opening(score: Score) -> Score:
    """The bars of the first ATTACKS attacks."""
    onsets = np.unique(score.notes["onset"])
    if len(onsets) <= ATTACKS:
        return score
    end = int(score.bars[score.bar_of(int(onsets[ATTACKS])) + 1])
    return score.slice(0, end)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="the folder that holds openscore_orchestra")
    options = parser.parse_args()
    step = {m: np.zeros((levels(*m)[0].size,) * 2) for m in METERS}
    start = {m: np.zeros(levels(*m)[0].size) for m in METERS}
    seen = [np.zeros((LEVELS, n)) for n in CLASSES[:4]]
    patterns: dict[str, Counter[int]] = {"simple": Counter(), "compound": Counter()}
    pieces: Counter[tuple[int, int]] = Counter()
    for path in works(options.shared):
        try:
            score = opening(rm.read_score(path))
        except rm.RescoreError as error:
            print(f"left out: {error}")
            continue
        count(score, step, start, seen, patterns, pieces)
    tables: dict[str, np.ndarray] = {}
    for m in METERS:
        name = f"{m[0]}_{m[1]}"
        tables[f"step_{name}"], tables[f"start_{name}"] = step[m].astype(np.float32), start[m].astype(np.float32)
    for k, table in enumerate(seen):
        tables[f"seen_{k}"] = table.astype(np.float32)
    for kind, counts in patterns.items():
        kept = sorted((mask, n) for mask, n in counts.items() if n >= 2)
        tables[f"patterns_{kind}_mask"] = np.array([k for k, _ in kept], np.int64)
        tables[f"patterns_{kind}_count"] = np.array([n for _, n in kept], np.float32)
    np.savez_compressed(OUT, **tables)
    print(f"{sum(pieces.values())} scores; by meter {dict(pieces)}; {OUT.stat().st_size} bytes written to {OUT.name}")


def count(score: Score, step, start, seen, patterns, pieces) -> None:
    """Add one score's counts, meter by meter."""
    notes = score.notes[(score.notes["articulation"] & GRACE) == 0]
    score = score.replace(notes=notes)
    bars = score.bars
    meters = [score.meter_at(int(b)) for b in bars[:-1]]
    lengths = np.diff(bars)
    number = [notes[name].astype(np.int64) for name in ("pitch", "part", "velocity")]
    found = attacks(score.seconds(notes["onset"]), *number)
    tick = np.zeros(len(found.time), np.int64)
    tick[found.of_note] = notes["onset"]
    bar = score.bar_of(tick)
    quarter = score.ticks_per_quarter
    previous = None
    for i, b in enumerate(bar):
        written = meters[b]
        meter = ALIKE.get(written, written)
        if meter not in step:
            previous = None
            continue
        level, _ = levels(*meter)
        nominal = quarter * 4 * written[0] // written[1]
        late = nominal - lengths[b] if b == 0 and lengths[b] < nominal else 0
        place = round((tick[i] - bars[b] + late) * PER_QUARTER / quarter) % len(level)
        if lengths[b] != nominal and b > 0:
            previous = None
            continue
        for k, table in enumerate(seen):
            table[level[place], found.classes[i, k]] += 1
        if previous is not None and previous[0] == meter:
            step[meter][previous[1], place] += 1
        if i == 0:
            start[meter][place] += 1
            pieces[meter] += 1
        previous = (meter, place)
    beat_patterns(score, meters, patterns)


def beat_patterns(score, meters, patterns) -> None:
    """Which places of each beat of each part hold an onset."""
    quarter, bars, notes = score.ticks_per_quarter, score.bars, score.notes
    masks: dict[tuple[int, int, int, bool], int] = {}
    where = score.bar_of(notes["onset"])
    for note, b in zip(notes, where, strict=True):
        numerator, denominator = meters[b]
        compound = denominator >= 8 and numerator % 3 == 0
        beat = quarter * 12 // denominator if compound else (quarter if denominator < 8 else quarter // 2)
        nominal = quarter * 4 * numerator // denominator
        length = int(bars[b + 1] - bars[b])
        into = int(note["onset"] - bars[b]) + (nominal - length if b == 0 and length < nominal else 0)
        slot = (into % beat) * SLOTS / beat
        key = (int(note["part"]), int(b), into // beat, compound)
        masks[key] = masks.get(key, 0) | (1 << round(slot) % SLOTS)
    for (_, _, _, compound), mask in masks.items():
        patterns["compound" if compound else "simple"][mask] += 1


if __name__ == "__main__":
    main()
