"""Small scores and the music21 corpus for the analysis tests."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from rescore_music.io import read_score
from rescore_music.score import Part, Score, note_rows

Q = 480  # ticks a quarter
TUNE = (67, 69, 71, 72, 74, 72, 71, 67, 64, 65, 67, 69, 67, 65, 64, 62)
CADENCE = ((60, 64, 67), (60, 65, 69), (59, 62, 67), (60, 64, 67))  # I IV V I in C major


def corpus(*names: str) -> list[Path]:
    """Files of the music21 corpus, found without importing it."""
    from importlib.util import find_spec

    found = find_spec("music21")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "corpus"
    return sorted(p for name in names for p in folder.glob(name))


@cache
def read(path: Path) -> Score:
    return read_score(path)


def score_of(*parts: list[tuple[int, int, int]], names: tuple[str, ...] = (), **fields: object) -> Score:
    """A score from one list of (onset, duration, pitch) a part."""
    rows = [(on, long, pitch, 80, i) for i, notes in enumerate(parts) for on, long, pitch in notes]
    described = tuple(Part(names[i] if i < len(names) else f"part {i + 1}") for i in range(len(parts)))
    return Score(notes=note_rows(rows), parts=described, **fields)  # type: ignore[arg-type]


def tune(pitches: tuple[int, ...] = TUNE, start: int = 0, long: int = Q) -> list[tuple[int, int, int]]:
    return [(start + i * long, long, p) for i, p in enumerate(pitches)]


def cadence(times: int = 1, start: int = 0) -> list[tuple[int, int, int]]:
    """I IV V I, a bar each, root in the bass."""
    roots = (48, 53, 55, 48)
    chords = [(root, *chord) for root, chord in zip(roots, CADENCE, strict=True)] * times
    return [(start + i * 4 * Q, 4 * Q, p) for i, chord in enumerate(chords) for p in chord]


def sketch() -> Score:
    """A one-track piano piece of 8 bars: a tune, chords off the beat, a bass on the beat."""
    notes = []
    roots = (48, 53, 55, 48)
    for bar in range(8):
        start = bar * 4 * Q
        melody = TUNE[(bar % 4) * 4 : (bar % 4) * 4 + 4]
        notes += [(start + i * Q, Q, p + 5) for i, p in enumerate(melody)]
        notes += [(start + b * 2 * Q, 2 * Q, roots[bar % 4] - 12 * (b == 1)) for b in range(2)]
        for b in range(4):
            notes += [(start + b * Q + Q // 2, Q // 2, p) for p in CADENCE[bar % 4][:2]]
    return score_of(notes, names=("Piano",))


def delayed(score: Score, ticks: int) -> Score:
    """The score after so many ticks of silence (whole bars)."""
    rows = score.notes.copy()
    rows["onset"] += ticks
    bars = np.concatenate([np.arange(0, ticks, 4 * Q), score.bars + ticks])
    return score.replace(notes=rows, barlines=bars, length=score.length + ticks)


def piled(score: Score) -> tuple[Score, np.ndarray]:
    """All parts in one, unisons shuffled, and the part each note came from."""
    shuffled = np.random.default_rng(0).permutation(len(score.notes))
    order = shuffled[np.lexsort((score.notes["pitch"][shuffled], score.notes["onset"][shuffled]))]
    rows = score.notes[order].copy()
    rows["part"] = rows["voice"] = rows["staff"] = 0
    return score.replace(notes=rows, parts=(Part("all"),), marks=()), score.notes["part"][order]


def right_labels(pile: Score, found: np.ndarray, truth: np.ndarray) -> int:
    """Right labels; among notes that nothing tells apart (same onset, pitch, duration) labels are a set."""
    alike = [pile.notes[name].astype(np.int64) for name in ("duration", "pitch", "onset")]
    found = np.asarray(found, np.int64)
    return int(np.sum(found[np.lexsort((found, *alike))] == truth[np.lexsort((truth, *alike))]))


def annotated_leaders(path: Path, score: Score) -> list[tuple[int, int, set[int]]]:
    """(onset, end, parts that carry the main melody or play its line in unison or octaves), from the annotations."""
    named: dict[int, set[int]] = {}
    with path.with_name(path.stem + "_annotations.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tick = round(float(row["qstamp"]) * score.ticks_per_quarter)
            named.setdefault(tick, set()).add(int(row["part_num"]))
    starts = sorted(named)
    key = score.notes["onset"] * 12 + score.notes["pitch"] % 12
    out = []
    for a, b in zip(starts, [*starts[1:], score.length], strict=True):
        lo, hi = np.searchsorted(score.notes["onset"], [a, b])
        part = score.notes["part"][lo:hi]
        tones = {p: set(key[lo:hi][part == p].tolist()) for p in np.unique(part).tolist()}
        good = set(named[a])
        for model in [tones[p] for p in named[a] if p in tones]:
            good |= {p for p, other in tones.items() if len(model & other) >= 0.9 * len(model | other)}
        out.append((a, b, good))
    return out
