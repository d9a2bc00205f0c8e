"""Part separation: notes of all parts thrown into one pile, sorted into voices again, beside published figures.

    python benchmarks/bench_voices.py --held DATA   quartets that were not learned from: the figure to quote
    python benchmarks/bench_voices.py               chorales, quartets, madrigals and songs of the music21 corpus
    python benchmarks/bench_voices.py --errors      kinds of error in the quartets, learned from, and their share

Told: the number of voices is given. Untold: it is found, up to six. No chorale, madrigal or trecento work is learned
from; the shipped networks are learned from all quartets (`fit_voices.py`, `fit_links.py`), so the quartets' rows of the
table are not held out (marked *). With --held the networks are learned anew four times, each time without the works of
one fold (`FOLDS`: all movements, and all works of one opus, are in one fold), and the quartets of that fold are sorted
with what the other three, Schumann's quartets, the symphonies' strings of DATA (OpenScore orchestra files) and
Palestrina taught. The prices are those of `stream_prices.Weights`, the same for all folds.

Labels are the parts from the top; no permutation of labels is tried. Unisons of equal length are shuffled first and
told apart by nothing, so their labels count as a set.
"""

from __future__ import annotations

import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis import separate_voices
from rescore_music.io import read_score
from rescore_music.score import Part, Score


def corpus(folder: str, pattern: str = "*.mxl") -> list[Path]:
    import music21

    return sorted((Path(music21.__file__).parent / "corpus" / folder).rglob(pattern))


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


@cache
def works(folder: str, pattern: str = "*.mxl") -> list[Score]:
    """The scores of a folder of the corpus, read once."""
    return [score for score in map(read_score, corpus(folder, pattern)) if len(score.notes)]


def accuracy(scores: list[Score], parts: int, *, told: bool) -> tuple[float, int, int, int, float]:
    """Share of notes right; notes; works; works in which as many voices as parts were found; CPU seconds."""
    right = total = many = counted = 0
    spent = 0.0
    for score in scores:
        if len(score.parts) != parts:
            continue
        pile, truth = piled(score)
        start = time.process_time()
        found = separate_voices(pile, voices=parts if told else None)
        spent += time.process_time() - start
        notes = pile.notes["duration"] > 0
        right += int(np.count_nonzero(same_labels(pile, found, truth)[notes]))
        total += int(np.count_nonzero(notes))
        counted += len(np.unique(found[notes])) == parts
        many += 1
    return right / max(total, 1), total, many, counted, spent


SETS = (("bach", 4), ("haydn", 4), ("mozart", 4), ("beethoven", 4), ("schumann_robert", 4), ("monteverdi", 5),
        ("trecento", 3), ("trecento", 2))  # fmt: skip
PATTERNS = {"trecento": "*.[mx][xm]l"}  # most of its files are not compressed


QUARTETS = ("haydn", "mozart", "beethoven")
LEARNED = (*QUARTETS, "schumann_robert")  # that the shipped networks were learned from
FOLDS = (
    ("beethoven/opus18",),
    ("beethoven/opus59",),
    ("beethoven/opus132", "beethoven/opus133", "haydn/opus1no1", "mozart/k80"),
    ("beethoven/opus74", "haydn/opus74", "mozart/k155", "mozart/k156", "mozart/k458"),
)
KINDS = ("a double stop", "a double stop in another part", "parts are crossed", "a unison",
         "one part sounds", "two parts sound", "three parts sound", "four parts sound, in order")  # fmt: skip


def kinds(pile: Score, truth: np.ndarray[Any, Any], parts: int = 4) -> np.ndarray[Any, Any]:
    """What makes each note hard, as an index into `KINDS`: the first that is true at its onset."""
    notes = pile.notes
    out = np.zeros(len(notes), np.int64)
    end, pitch = np.full(parts, -1, np.int64), np.zeros(parts, np.int64)
    real = np.flatnonzero(notes["duration"] > 0)
    cuts = np.flatnonzero(np.diff(notes["onset"][real], prepend=-1)).tolist()
    for a, b in zip(cuts, [*cuts[1:], len(real)], strict=True):
        group = real[a:b]
        end[truth[group]] = notes["onset"][group] + notes["duration"][group]
        pitch[truth[group]] = notes["pitch"][group]
        heard = pitch[end > notes["onset"][group[0]]]
        many = np.bincount(truth[group], minlength=parts) > 1
        steps = np.diff(heard)
        kind = 1 if many.any() else 2 if np.any(steps > 0) else 3 if np.any(steps == 0) else 3 + len(heard)
        out[group] = np.where(many[truth[group]], 0, kind)
    return out


def error_table() -> None:
    print("where the labels of the quartets are wrong (number of voices told; by networks that learned them)")
    print(f"{'at the onset there is':30s} {'share of notes':>14s} {'share of errors':>15s} {'wrong':>6s}")
    all_kinds, all_wrong = [], []
    for score in [s for name in QUARTETS for s in works(name)]:
        if len(score.parts) == 4:
            pile, truth = piled(score)
            real = pile.notes["duration"] > 0
            all_wrong.append(~same_labels(pile, separate_voices(pile, voices=4), truth)[real])
            all_kinds.append(kinds(pile, truth)[real])
    kind, wrong = np.concatenate(all_kinds), np.concatenate(all_wrong)
    for k, name in enumerate(KINDS):
        here = kind == k
        row = f"{name:30s} {here.mean():14.3f} {np.mean(kind[wrong] == k):15.3f}"
        print(f"{row} {wrong[here].mean() if here.any() else 0:6.3f}")
    print(f"{'all':30s} {1:14.3f} {1:15.3f} {wrong.mean():6.3f}")


def main() -> None:
    print("part separation, share of notes with the right label; and in how many works as many voices were found")
    print("Dong et al. 2021: chorales zones .731, closest pitch .898, BiLSTM .971, with entry hints .974;")
    print("                  quartets (another set) zones .589, closest pitch .428, BiLSTM .744")
    print(
        f"{'corpus':16s} {'parts':>5s} {'works':>6s} {'notes':>7s} {'told':>7s} {'untold':>7s} {'number':>9s}  us/note"
    )
    quartets = [0.0, 0.0]
    for name, parts in SETS:
        scores = works(name, PATTERNS.get(name, "*.mxl"))
        share, notes, many, _, spent = accuracy(scores, parts, told=True)
        alone, _, _, counted, _ = accuracy(scores, parts, told=False)
        number = f"{counted}/{many}"
        marked = name + "*" * (name in LEARNED)
        row = f"{marked:16s} {parts:5d} {many:6d} {notes:7d} {share:7.4f} {alone:7.4f} {number:>9s}"
        print(f"{row} {1e6 * spent / max(notes, 1):8.0f}", flush=True)
        if name in QUARTETS:
            quartets = [quartets[0] + share * notes, quartets[1] + notes]
    print(f"quartets of Haydn, Mozart and Beethoven together, told: {quartets[0] / quartets[1]:.4f}")
    print("* learned from by the shipped networks; for the figure of quartets not learned from: --held DATA")


def held(data: Path) -> None:
    """Networks learned without each fold in turn, and what they make of its quartets."""
    import fit_links
    import fit_voices

    from rescore_music.analysis.stream_prices import Weights

    learned, ours = list(fit_voices.works(data)), list(fit_voices.quartets())
    named = [(w.name, fit_voices.bundle(w), fit_links.bundle(w)) for w in [*learned, *ours]]
    found: dict[str, list[int]] = {}
    for fold in FOLDS:
        rest = [(places, joins) for name, places, joins in named if not name.startswith(fold)]
        place_net, link_net = fit_voices.fit(p for p, _ in rest), fit_links.fit([j for _, j in rest])
        for work in ours:
            if work.name.startswith(fold) and work.voices == 4:
                good, total = fit_voices.figure([work], place_net, Weights(), link_net)
                print(f"{work.name:40s} {good / total:.4f} of {total:6d} notes", flush=True)
                for key in (work.name.split("/")[0], "all together", f"learned without {', '.join(fold)}"):
                    so_far = found.setdefault(key, [0, 0])
                    found[key] = [so_far[0] + good, so_far[1] + total]
    print("part separation, quartets not learned from, number of voices told: share of notes with the right label")
    for key, (good, total) in found.items():
        print(f"{key:75s} {good / total:.4f} of {total:6d} notes")
    shares = [found[name][0] / found[name][1] for name in QUARTETS]
    print(f"{'mean of the three composers':75s} {sum(shares) / len(shares):.4f}")


if __name__ == "__main__":
    if "--errors" in sys.argv[1:]:
        error_table()
    elif "--held" in sys.argv[1:]:
        held(Path(sys.argv[-1]))
    else:
        main()
