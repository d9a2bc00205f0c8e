"""Part separation: notes of all parts thrown into one pile, sorted into voices again, beside published figures.

    python benchmarks/bench_voices.py            chorales and quartets of the music21 corpus

Labels are the parts from the top; no permutation of labels is tried. Unisons of equal length are shuffled first and
told apart by nothing, so their labels count as a set.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis import separate_voices
from rescore_music.io import read_score
from rescore_music.score import Part, Score


def corpus(folder: str) -> list[Path]:
    import music21

    return sorted((Path(music21.__file__).parent / "corpus" / folder).rglob("*.mxl"))


def piled(score: Score) -> tuple[Score, np.ndarray[Any, Any]]:
    """All parts thrown into one, unisons shuffled; and the part each note came from."""
    shuffled = np.random.default_rng(0).permutation(len(score.notes))
    order = shuffled[np.lexsort((score.notes["pitch"][shuffled], score.notes["onset"][shuffled]))]
    rows = score.notes[order].copy()
    rows["part"] = rows["voice"] = rows["staff"] = 0
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


if __name__ == "__main__":
    voices_table()
