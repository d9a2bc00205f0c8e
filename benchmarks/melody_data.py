"""The annotated orchestral scores as examples for the melody scorer: what it reads, and which parts are right.

A part is right at a moment if the annotations name it there, or if it plays the named part's line in unison or octave:
over the whole annotated span it shares nine tenths of the onsets and pitch classes (of both together), or
`_part_relations.csv` says so. That file goes through the annotated spans in playing order, repeats and all, so its
rows are followed by main part and length. `by_bar` widens that to parts that play the named part's line in
just that bar.

The files carry the annotations' theme labels as syllables under the leading notes, and who has words is taken to lead:
labels are taken out before anything is read, or the parts that ever lead would be known.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis.clues import prior
from rescore_music.analysis.features import describe
from rescore_music.analysis.frames import beats
from rescore_music.analysis.melody import Evidence, melody_evidence
from rescore_music.analysis.voices import lines_of, separate_voices
from rescore_music.io import read_score
from rescore_music.score import Score
from rescore_music.structure import Line

DATA = Path(os.environ.get("RESCORE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ALIKE = 0.9
JUMP = 4.0  # what it costs to leave the order of the annotations, in spans of another length
SAME_LENGTH = 0.01  # quarters
Array = np.ndarray[Any, Any]
Truth = list[tuple[int, int, set[int]]]  # onset, end, right parts


@dataclass(eq=False)
class Example:
    """One movement: shapes (bars, lines) and (bars, lines, clues)."""

    name: str
    score: Score
    lines: tuple[Line, ...]
    line_of: Array
    evidence: Evidence
    prior: Array
    named: Truth
    truth: Truth
    by_bar: Truth
    right: Array  # share of the bar in which the line's part is right, by bar
    onsets: Array
    highest: Array

    @property
    def work(self) -> str:
        return self.name.rsplit("_", 1)[0]

    @property
    def part(self) -> Array:
        return np.array([line.part for line in self.lines])


def annotated() -> list[Path]:
    return sorted((DATA / "openscore_orchestra").glob("*.mxl"))


def read_example(path: Path) -> Example:
    score = without_labels(path, read_score(path))
    lines, line_of = lines_of(score, separate_voices(score))
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    named = _named(path, score)
    truth = leaders(path, score)
    by_bar = _with_doublings(score, *_cut_at_bars(score, named, truth))
    right = right_in_bars(by_bar, np.array([line.part for line in lines], np.int64), score.bars)
    return Example(
        path.stem, score, lines, line_of, melody_evidence(score, lines, line_of, texture), prior(lines, score),
        named, truth, by_bar, right, texture.onsets, texture.highest,
    )  # fmt: skip


def right_in_bars(truth: Truth, part: Array, bars: Array) -> Array:
    """Share of each bar in which the part of each line is right: shape (bars, lines)."""
    right = np.zeros((len(bars) - 1, len(part)))
    for a, b, good in truth:
        i = max(int(np.searchsorted(bars, a, side="right")) - 1, 0)
        j = min(int(np.searchsorted(bars, b)), len(right))
        span = np.clip(np.minimum(b, bars[i + 1 : j + 1]) - np.maximum(a, bars[i:j]), 0, None)
        right[i:j] += span[:, None] * np.isin(part, list(good)) / np.diff(bars[i : j + 1])[:, None]
    return right


def without_labels(path: Path, score: Score) -> Score:
    """The score without the annotations' own theme labels, which the files carry as syllables under the notes."""
    told = {(tick, part) for tick, _, parts in _named(path, score) for part in parts}
    return score.replace(marks=tuple(m for m in score.marks if m.kind != "lyric" or (m.tick, m.part) not in told))


def leaders(path: Path, score: Score) -> Truth:
    """(onset, end, right parts) of each annotated span of a movement."""
    named = _named(path, score)
    return _with_doublings(score, named, _related(path, score, named))


def _named(path: Path, score: Score) -> Truth:
    """The annotations: from each moment, the parts named."""
    named: dict[int, set[int]] = {}
    with path.with_name(path.stem + "_annotations.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            named.setdefault(round(float(row["qstamp"]) * score.ticks_per_quarter), set()).add(int(row["part_num"]))
    starts = sorted(named)
    return [(a, b, named[a]) for a, b in zip(starts, [*starts[1:], score.length], strict=True)]


def _related(path: Path, score: Score, named: Truth) -> list[set[int]]:
    """Parts that the relations name as unison or octave doublings of the main one, for each annotated span."""
    out: list[set[int]] = [set() for _ in named]
    for at, _, told in _told(path, score, named):
        out[at] |= {i for i, words in told.items() if words & {"U", "P8"}}
    return out


def relations(path: Path, score: Score) -> list[tuple[int, int, int, dict[int, set[str]]]]:
    """(onset, end, main part, relations of other parts to it: "U", "P8", "P3" ...) of the spans the file tells of."""
    named = _named(path, score)
    return [(*named[at][:2], main, told) for at, main, told in _told(path, score, named)]


def _told(path: Path, score: Score, named: Truth) -> list[tuple[int, int, dict[int, set[str]]]]:
    """Annotated span, main part, and relations of parts to it, of each row that tells of such a span."""
    with path.with_name(path.stem + "_part_relations.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parts = [name for name in rows[0] if not name.startswith("qstamp")]
    mains = [{i for i, name in enumerate(parts) if row[name] == "Main Part"} for row in rows]
    long = [float(row["qstamp_end"]) - float(row["qstamp_start"]) for row in rows]
    length = np.array([b - a for a, b, _ in named]) / score.ticks_per_quarter
    followed = _followed(length, [parts for _, _, parts in named], mains, np.array(long))
    out = []
    for row, main, quarters, at in zip(rows, mains, long, followed, strict=True):
        if main & named[at][2] and abs(quarters - length[at]) <= SAME_LENGTH:
            said = {i: set(re.findall(r"(\w+)\(Main\)", row[name] or "")) for i, name in enumerate(parts)}
            out.append((at, min(main & named[at][2]), {i: words for i, words in said.items() if words}))
    return out


def _followed(length: Array, named: list[set[int]], mains: list[set[int]], long: Array) -> list[int]:
    """The annotated span of each row: the path of fewest jumps on which main parts and lengths agree."""
    best, back = np.zeros(len(named)), []
    for main, quarters in zip(mains, long, strict=True):
        on = np.concatenate([[np.inf], best[:-1]])
        jump = best.min() + JUMP
        back.append(np.where(on <= jump, np.arange(len(named)) - 1, best.argmin()))
        other = np.array([not main & parts for parts in named])
        best = np.minimum(on, jump) + 2.0 * other + (np.abs(length - quarters) > SAME_LENGTH)
    path = [int(best.argmin())]
    for step in back[:0:-1]:
        path.append(int(step[path[-1]]))
    return path[::-1]


def _with_doublings(score: Score, named: Truth, more: list[set[int]]) -> Truth:
    """The named parts, those of `more`, and those that share the onsets and pitch classes of a named one."""
    key = score.notes["onset"] * 12 + score.notes["pitch"] % 12
    out = []
    for (a, b, main), extra in zip(named, more, strict=True):
        lo, hi = np.searchsorted(score.notes["onset"], [a, b])
        parts = score.notes["part"][lo:hi]
        tones = {int(p): set(key[lo:hi][parts == p].tolist()) for p in set(parts.tolist())}
        good = main | extra
        for model in [tones[p] for p in main if p in tones]:
            good = good | {p for p, other in tones.items() if len(model & other) >= ALIKE * len(model | other)}
        out.append((a, b, good))
    return out


def _cut_at_bars(score: Score, named: Truth, truth: Truth) -> tuple[Truth, list[set[int]]]:
    pieces, more = [], []
    for (a, b, main), (_, _, good) in zip(named, truth, strict=True):
        cuts = [a, *(int(t) for t in score.bars if a < t < b), b]
        for x, y in pairwise(cuts):
            pieces.append((x, y, main))
            more.append(good)
    return pieces, more


def share_right(truth: Truth, found: list[tuple[int, int, int]]) -> tuple[int, int]:
    """Ticks in which the found part is a right one, and all ticks."""
    right, at = 0, 0
    for a, b, good in truth:
        while at and found[at - 1][1] > a:
            at -= 1
        while at < len(found) and found[at][0] < b:
            x, y, part = found[at]
            right += max(0, min(b, y) - max(a, x)) if part in good else 0
            at += 1
    return right, sum(b - a for a, b, _ in truth)
