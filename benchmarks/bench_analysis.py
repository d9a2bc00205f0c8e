"""What analysis costs and how right it is, each figure beside its peer, in one run.

    python benchmarks/bench_analysis.py              cost per note for growing scores; music21's key and chord finding
    python benchmarks/bench_analysis.py --voices     part separation on the music21 corpus against published figures
    python benchmarks/bench_analysis.py --melody     main melody on the annotated orchestral scores, leaving works out
    python benchmarks/bench_analysis.py --keys       keys and chord roots against the corpus's Roman numerals
    python benchmarks/bench_analysis.py --fit        the weights for rescore_music/analysis/melody.py

The orchestral scores are those beside the checkout (RESCORE_SHARED_DATA names another folder).
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis import analyze, main_melody, separate_voices
from rescore_music.analysis.clues import CLUES, melody_clues
from rescore_music.analysis.features import describe
from rescore_music.analysis.frames import beats
from rescore_music.analysis.harmony import chord_spans, key_spans
from rescore_music.analysis.melody import HAND_OVER, HOPELESS, WEIGHTS, melody_path
from rescore_music.analysis.voices import lines_of
from rescore_music.io import read_score
from rescore_music.score import NOTE, Part, Score

DATA = Path(os.environ.get("RESCORE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
BY_HAND = ("named accompaniment", "lead sound", "backing sound", "bass sound", "under a voice of its part")
RIDGE = 1e-3


def corpus(folder: str) -> list[Path]:
    import music21

    return sorted((Path(music21.__file__).parent / "corpus" / folder).rglob("*.mxl"))


# -- cost ------------------------------------------------------------------------------------------------------------


def repeated(score: Score, notes: int) -> Score:
    """The score end to end until it has about so many notes; at most it is cut."""
    if len(score.notes) >= notes:
        return score.slice(0, int(score.notes["onset"][notes - 1]) + 1)
    length = int(score.bars[-1])
    times = round(notes / len(score.notes))
    rows = np.concatenate([np.array(score.notes, NOTE)] * times)
    rows["onset"] += np.repeat(np.arange(times) * length, len(score.notes))
    rows["pitch"] = np.where(np.arange(len(rows)) % 97 == 0, np.maximum(rows["pitch"], 1) - 1, rows["pitch"])
    bars = np.concatenate([score.bars[:-1] + k * length for k in range(times)] + [[times * length]])
    return score.replace(notes=rows, barlines=bars, length=times * length, marks=(), markers=())


def cost() -> None:
    source = read_score(DATA / "openscore_orchestra" / "Beethoven_Op.55_1.mxl")
    piano = source.replace(
        notes=_one_part(source.notes[np.isin(source.notes["part"], (13, 14, 16))]), parts=(Part("Piano"),), marks=()
    )
    print("notes      parts lines   CPU s   us/note   one-part piano texture: CPU s   us/note")
    for size in (1_000, 5_700, 20_000, 60_000, 200_000):
        row = []
        for score in (repeated(source, size), repeated(piano, size)):
            start = time.process_time()
            found = analyze(score)
            spent = time.process_time() - start
            row.append((len(score.notes), len(score.parts), len(found.lines), spent, 1e6 * spent / len(score.notes)))
        (n, parts, lines, spent, each), (_, _, _, alone, alone_each) = row
        print(f"{n:8d} {parts:7d} {lines:5d} {spent:8.3f} {each:8.1f} {alone:33.3f} {alone_each:9.1f}")
    import music21

    path = next(p for p in corpus("bach") if p.name == "bwv66.6.mxl")
    score, stream = read_score(path), music21.converter.parse(path)
    start = time.process_time()
    for _ in range(10):
        keys = key_spans(score)
        chord_spans(score, keys)
    ours = (time.process_time() - start) / 10
    start = time.process_time()
    stream.analyze("key")
    for chord in stream.chordify().recurse().getElementsByClass("Chord"):
        chord.root()
    theirs = time.process_time() - start
    print(f"keys and chords of BWV 66.6: {ours * 1e3:.1f} ms; music21 {theirs * 1e3:.0f} ms: {theirs / ours:.0f} times")


def _one_part(notes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    rows = notes.copy()
    rows["part"] = rows["voice"] = rows["staff"] = 0
    return rows


# -- voices ----------------------------------------------------------------------------------------------------------


def piled(score: Score) -> tuple[Score, np.ndarray[Any, Any]]:
    """All parts thrown into one, unisons shuffled; and the part each note came from."""
    shuffled = np.random.default_rng(0).permutation(len(score.notes))
    order = shuffled[np.lexsort((score.notes["pitch"][shuffled], score.notes["onset"][shuffled]))]
    rows = _one_part(score.notes[order])
    return score.replace(notes=rows, parts=(Part("all"),), marks=(), markers=()), score.notes["part"][order]


def same_labels(pile: Score, found: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whether each label is right; of notes that nothing tells apart (unisons of one length) the labels are a set."""
    notes = pile.notes
    alike = [notes[name].astype(np.int64) for name in ("duration", "pitch", "onset")]
    return np.asarray(np.asarray(found, np.int64)[np.lexsort((found, *alike))] == truth[np.lexsort((truth, *alike))])[
        np.argsort(np.lexsort(tuple(alike)), kind="stable")
    ]


def accuracy(paths: list[Path], voices: int | None) -> tuple[float, int, int, float]:
    right = total = works = 0
    spent = 0.0
    for path in paths:
        score = read_score(path)
        if len(score.parts) != 4 or not len(score.notes):
            continue
        pile, truth = piled(score)
        start = time.process_time()
        found = separate_voices(pile, voices=voices)
        spent += time.process_time() - start
        counted = pile.notes["duration"] > 0
        right += int(np.count_nonzero(same_labels(pile, found, truth)[counted]))
        total += int(np.count_nonzero(counted))
        works += 1
    return right / max(total, 1), total, works, spent


def voices_table() -> None:
    print("part separation, share of notes with the right label (labels are the parts from the top;")
    print("unisons of equal length are shuffled first and told apart by nothing, so their labels count as a set)")
    print("Dong et al. 2021: chorales zones .731, closest pitch .898, BiLSTM .971, with entry hints .974;")
    print("                  quartets (another set) zones .589, closest pitch .428, BiLSTM .744")
    sets = {"Bach chorales": corpus("bach"), "Haydn": corpus("haydn"), "Mozart": corpus("mozart")}
    sets["Beethoven"] = corpus("beethoven")
    for name, paths in sets.items():
        for voices in (4, None):
            share, notes, works, spent = accuracy(paths, voices)
            told = "voices=4" if voices else "unknown "
            print(f"{name:14s} {told}  {share:.4f}   {works} works, {notes} notes, {1e6 * spent / notes:.0f} us/note")


# -- melody ----------------------------------------------------------------------------------------------------------


def annotated() -> list[Path]:
    return sorted((DATA / "openscore_orchestra").glob("*.mxl"))


def leaders(path: Path, score: Score) -> list[tuple[int, int, set[int]]]:
    """(onset, end, parts that carry or double the melody): the annotated part and what plays the same line."""
    named: dict[int, set[int]] = {}
    with path.with_name(path.stem + "_annotations.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tick = round(float(row["qstamp"]) * score.ticks_per_quarter)
            named.setdefault(tick, set()).add(int(row["part_num"]))
    starts = sorted(named)
    out = []
    key = score.notes["onset"] * 12 + score.notes["pitch"] % 12
    for a, b in zip(starts, [*starts[1:], score.length], strict=True):
        lo, hi = np.searchsorted(score.notes["onset"], [a, b])
        tones = {
            int(p): set(key[lo:hi][score.notes["part"][lo:hi] == p].tolist()) for p in set(score.notes["part"][lo:hi])
        }
        good = set(named[a])
        for model in [tones[p] for p in named[a] if p in tones]:
            good |= {p for p, other in tones.items() if len(model & other) >= 0.9 * len(model | other)}
        out.append((a, b, good))
    return out


def share_right(truth: list[tuple[int, int, set[int]]], found: list[tuple[int, int, int]]) -> tuple[int, int]:
    """Ticks in which the found part is a right one, and all ticks."""
    right = 0
    for a, b, good in truth:
        right += sum(max(0, min(b, y) - max(a, x)) for x, y, part in found if part in good)
    return right, sum(b - a for a, b, _ in truth)


def examples(path: Path) -> dict[str, Any]:
    """Clues and right answers of every bar of one movement."""
    score = read_score(path)
    lines, line_of = lines_of(score, separate_voices(score))
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    pitched = np.array([not score.parts[line.part].percussion for line in lines])
    part = np.array([line.part for line in lines])
    truth, bars = leaders(path, score), score.bars
    right = np.zeros(texture.onsets.shape)
    for a, b, good in truth:
        span = np.clip(np.minimum(b, bars[1:]) - np.maximum(a, bars[:-1]), 0, None)
        right += span[:, None] * np.isin(part, list(good))
    return {
        "clues": melody_clues(texture, lines, score.parts),
        "active": texture.active & pitched,
        "right": right / np.diff(bars)[:, None],
        "bars": bars,
        "part": part,
        "truth": truth,
        "work": path.stem.rsplit("_", 1)[0],
        "quarter": score.ticks_per_quarter,
        "highest": texture.highest,
        "violin": next((i for i, p in enumerate(score.parts) if "iolin" in p.name), 0),
        "onsets": texture.onsets,
    }


def fit(movements: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Weights of a conditional logit with several right answers, by penalized maximum likelihood."""
    from scipy.optimize import minimize

    lines = max(m["active"].shape[1] for m in movements)
    clues, active, right, weight = [], [], [], []
    for m in movements:
        chosen = (m["right"] * m["active"]).sum(axis=1) > 0
        room = ((0, 0), (0, lines - m["active"].shape[1]))
        clues.append(np.pad(m["clues"], (*room, (0, 0)))[chosen])
        active.append(np.pad(m["active"], room)[chosen])
        right.append(np.pad(m["right"] * m["active"], room)[chosen])
        weight.append(np.full(int(chosen.sum()), 1 / np.sqrt(len(chosen))))  # long movements count, but not in full
    x, on, y, w = (np.concatenate(a) for a in (clues, active, right, weight))
    fixed = np.array([name in BY_HAND for name in CLUES])
    start = np.where(fixed, [WEIGHTS[name] for name in CLUES], 0.0)
    w = w / w.sum()

    def loss(free: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        weights = start.copy()
        weights[~fixed] = free
        z = np.where(on, x @ weights, -1e9)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        q = p * y
        total = q.sum(axis=1) + 1e-9
        slope = -np.einsum("fl,flk->k", (q / total[:, None] - p) * w[:, None], x)[~fixed] + 2 * RIDGE * free
        return float(-(w * np.log(total)).sum() + RIDGE * free @ free), slope

    weights = start.copy()
    weights[~fixed] = minimize(loss, np.zeros(int((~fixed).sum())), jac=True, method="L-BFGS-B").x
    return weights


def led(m: dict[str, Any], weights: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    """The leading part of each bar by some weights."""
    value = np.where(m["active"], m["clues"] @ weights, -np.inf)
    any_ = m["active"].any(axis=1)
    odds = np.full(value.shape, -np.inf)
    v = value[any_] - value[any_].max(axis=1, keepdims=True)
    odds[any_] = np.maximum(v - np.log(np.exp(v).sum(axis=1, keepdims=True)), HOPELESS)
    return _segments(m, melody_path(odds))


def _segments(m: dict[str, Any], path: np.ndarray[Any, Any]) -> list[tuple[int, int, int]]:
    bars = m["bars"]
    return [(int(bars[i]), int(bars[i + 1]), int(m["part"][k])) for i, k in enumerate(path) if k >= 0]


def melody_table() -> None:
    movements = [examples(path) for path in annotated()]
    works = sorted({m["work"] for m in movements})
    print("main melody, share of time in a right part (the annotated one or one that plays its line)")
    print(f"{'work':20s} {'ours*':>7s} {'highest':>8s} {'violin 1':>9s} {'busiest':>8s}   *fitted without this work")
    sums = {"Beethoven": np.zeros(5), "all": np.zeros(5)}
    for work in works:
        weights = fit([m for m in movements if m["work"] != work])
        row = np.zeros(5)
        for m in (m for m in movements if m["work"] == work):
            first = np.flatnonzero(m["part"] == m["violin"])[0]
            guesses = (
                led(m, weights),
                _segments(m, m["highest"].argmax(axis=1)),
                _segments(m, np.full(len(m["bars"]) - 1, first)),
                _segments(m, np.where(m["active"], m["onsets"], -1).argmax(axis=1)),
            )
            for i, guess in enumerate(guesses):
                right, all_ = share_right(m["truth"], guess)
                row[i] += right / m["quarter"]
            row[4] += all_ / m["quarter"]
        sums["all"] += row
        if work.startswith("Beethoven"):
            sums["Beethoven"] += row
        print(f"{work:20s} " + " ".join(f"{v:8.3f}" for v in row[:4] / row[4]))
    for name, row in sums.items():
        print(f"{name:20s} " + " ".join(f"{v:8.3f}" for v in row[:4] / row[4]))
    right = np.array(
        [share_right(m["truth"], list(main_melody(read_score(p)))) for m, p in zip(movements, annotated(), strict=True)]
    )
    print(f"as shipped (fitted on all of them): {(right[:, 0] / right[:, 1]).mean():.3f} a movement")


def fitted() -> None:
    weights = fit([examples(path) for path in annotated()])
    print(f"HAND_OVER = {HAND_OVER}")
    for name, value in zip(CLUES, weights, strict=True):
        print(f'    "{name}": {value:.2f},')


# -- keys and chords -------------------------------------------------------------------------------------------------


def keys_table() -> None:
    """Agreement with the chorales' Roman-numeral analyses: key and chord root at each analysed chord, by duration."""
    import music21

    folder = Path(music21.__file__).parent / "corpus" / "bach"
    ours, peer = np.zeros(4), np.zeros(2)
    works = left_out = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted((folder / "choraleAnalyses").glob("*.rntxt")):
            number = re.search(r"^BWV: *([\d.]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            source = folder / f"bwv{number[1] if number else ''}.mxl"
            if not source.exists():
                continue
            numerals = list(music21.converter.parse(path).flatten().getElementsByClass("RomanNumeral"))
            score = read_score(source)
            if not same_piece(score, numerals):  # another key, or repeats written out in one of the two
                left_out += 1
                continue
            _agree(score, numerals, ours)
            found = music21.converter.parse(source).analyze("key")
            for numeral in numerals:
                right = numeral.key.tonic.pitchClass == found.tonic.pitchClass and numeral.key.mode == found.mode
                peer += float(numeral.quarterLength) * np.array([right, 1.0])
            works += 1
    left = f"{left_out} that do not lie alike left out"
    print(f"{works} chorales against their Roman numerals, share of time right ({left})")
    print(
        f"local key {ours[0] / ours[3]:.3f} (music21's one key a piece: {peer[0] / peer[1]:.3f}), tonic alone "
        f"{ours[1] / ours[3]:.3f}, chord root {ours[2] / ours[3]:.3f}"
    )


def same_piece(score: Score, numerals: list[Any]) -> bool:
    """Whether the numerals' chord tones are what sounds at their places: three notes in five, by onset."""
    starts = np.array([float(n.offset) * score.ticks_per_quarter for n in numerals])
    tones = np.zeros((len(numerals), 12), bool)
    for row, numeral in zip(tones, numerals, strict=True):
        row[list(numeral.pitchClasses)] = True
    at = np.maximum(np.searchsorted(starts, score.notes["onset"], side="right") - 1, 0)
    return bool(tones[at, score.notes["pitch"] % 12].mean() > 0.6)


def _agree(score: Score, numerals: list[Any], sums: np.ndarray[Any, Any]) -> None:
    keys = key_spans(score)
    chords = chord_spans(score, keys)
    key_at, chord_at = np.array([k.start for k in keys]), np.array([c.start for c in chords])
    for numeral in numerals:
        tick = int(numeral.offset * score.ticks_per_quarter)
        if tick >= score.length:
            continue
        key = keys[int(np.searchsorted(key_at, tick, side="right")) - 1]
        chord = chords[int(np.searchsorted(chord_at, tick, side="right")) - 1]
        weight = float(numeral.quarterLength)
        tonic = numeral.key.tonic.pitchClass == key.tonic
        sums += weight * np.array(
            [tonic and numeral.key.mode == key.mode, tonic, numeral.root().pitchClass == chord.root, 1.0]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("voices", "melody", "keys", "fit"):
        parser.add_argument(f"--{name}", action="store_true")
    chosen = parser.parse_args()
    tables = {"voices": voices_table, "melody": melody_table, "keys": keys_table, "fit": fitted}
    picked = [table for name, table in tables.items() if getattr(chosen, name)]
    for table in picked or [cost]:
        table()


if __name__ == "__main__":
    main()
