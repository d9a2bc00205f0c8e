"""What analysis costs and how right it is, each figure beside its peer, in one run.

    python benchmarks/bench_analysis.py              cost per note for growing scores; music21's key and chord finding
    python benchmarks/bench_analysis.py --keys       keys and chord roots against the corpus's Roman numerals

Part separation is in bench_voices.py, the main melody in bench_melody.py. The orchestral scores are those beside the
checkout (RESCORE_SHARED_DATA names another folder).
"""

from __future__ import annotations

import argparse
import os
import re
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis import analyze
from rescore_music.analysis.harmony import chord_spans, key_spans
from rescore_music.io import read_score
from rescore_music.score import NOTE, Part, Score

DATA = Path(os.environ.get("RESCORE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


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
    parser.add_argument("--keys", action="store_true")
    if parser.parse_args().keys:
        keys_table()
    else:
        cost()


if __name__ == "__main__":
    main()
