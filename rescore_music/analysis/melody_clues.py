"""Clues that a line carries the melody: a row of numbers for each span and line.

The clues are those that listeners and orchestrators go by: it lies on top, moves more and by small steps, seldom
repeats pitches, varies its rhythm, has tones and onsets of its own, is slurred or marked "dolce", is louder, enters
after a rest, comes back elsewhere and in other instruments, and is given to those that are used to lead. Most are told
relative to what else sounds in the span, and at three reaches: the span, its neighbours, the phrase around.

Conventions: arrays of shape (spans, lines); each clue about -5 to 5; what a line does not do counts 0.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.clues import part_clues
from rescore_music.analysis.features import Texture
from rescore_music.analysis.frames import span_of
from rescore_music.analysis.melody_net import smoothed
from rescore_music.analysis.patterns import Patterns, in_pairs, others_alike, recurrence
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Line

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, Floats]

REACHES = (0, 2, 6)  # spans to either side
PRESENT = 0.06  # share of the others' sound that a pitch class needs to count as theirs
FADE = 0.8  # a mark like "dolce" counts so much less with every span
LONG_REST = 8.0  # spans
WHO_PLAYS = slice(-11, -1)  # the clues that tell a line's instrument and desk, and its place in the score
MARKED = re.compile(r"dolce|cantab|espr|\bsolo\b|canto|\bI\.|marcato|melod", re.IGNORECASE)
_SUMS = ("onsets", "notes", "quarters", "variety", "repeated", "steps", "motion", "moves", "values", "most_value")
_SHARES = {
    "slurred": Articulation.SLURRED,
    "staccato": Articulation.STACCATO | Articulation.STACCATISSIMO,
    "pizzicato": Articulation.PIZZICATO,
    "tremolo": Articulation.TREMOLO,
    "ornament": Articulation.TRILL | Articulation.TURN | Articulation.MORDENT | GRACE,
}
_AROUND = (
    *("tones apart", "foreign", "highest", "sounding", "alone", "same rhythm", "doubled", "slurred", "staccato"),
    *("exact again", "steps in lines", "rhythm in spans", "marked", "loudness"),
)
_BEYOND = (
    *("rate 2", "pitches 2", "variety 2", "values 2", "steps 2", "sounding", "sounding around", "loudness", "slurred"),
    *("leaps 2", "own register", "range", "longest", "same rhythm", "steps in lines", "pair again", "repeated 2"),
    *("pitches 6", "marked"),
)
_OVER_MEAN = ("pitch", "rate 2", "pitches 2", "loudness", "values 2")


def melody_clues(
    score: Score,
    lines: tuple[Line, ...],
    line_of: npt.NDArray[np.int32],
    texture: Texture,
    patterns: Patterns,
    tops: Ints,
    active: Flags,
    beat_edges: Ints,
) -> npt.NDArray[np.float32]:
    """The clues of every line in every bar.

    Parameters
    ----------
    score : Score
    lines : tuple of Line
    line_of : int32 array, shape (notes,)
    texture : Texture
        Over the bars.
    patterns : Patterns
    tops : int64 array
        `features.top_notes`.
    active : bool array, shape (bars, lines)
        Pitched lines that have an onset in the bar.
    beat_edges : int64 array
        `frames.beats`.

    Returns
    -------
    float32 array, shape (bars, lines, clues)
    """
    cells = _Cells(score, line_of, len(lines))
    columns = _motion(texture, active)
    columns |= _place(texture, active)
    columns |= cells.shares()
    columns["marked"] = _marks(score, lines, cells.edges)
    columns |= cells.of_tops(tops, beat_edges)
    columns |= cells.of_tones(active)
    columns |= _recurrences(patterns, active & (texture.onsets >= 3), active)
    columns |= _entrances(active)
    share = active.astype(np.float64)
    for name in _AROUND:
        columns[f"{name} around"] = smoothed(columns[name] * share, 3) / np.maximum(smoothed(share, 3), 1e-9)
    ones = np.ones_like(share)
    for reach in (2, 8):
        columns[f"plays around {reach}"] = smoothed(share, reach) / smoothed(ones, reach)
    top = columns.pop("top pitch")
    columns["height"] = _beyond_others(texture.pitch / 12, patterns, active)
    columns["height of top"] = _beyond_others(top / 12, patterns, active)
    for name in _BEYOND:
        columns[f"{name} beyond others"] = _beyond_others(columns[name], patterns, active)
    for name in _OVER_MEAN:
        columns[f"{name} over mean"] = columns[name] - _mean(columns[name], active)
    columns |= _setting(score, lines, texture, active)
    return np.stack([np.where(active, c, 0) for c in columns.values()], axis=-1).astype(np.float32)


def _mean(values: Floats, active: Flags) -> Floats:
    """Mean over the active lines of each span."""
    count = np.maximum(active.sum(axis=1, keepdims=True), 1)
    return np.asarray((values * active).sum(axis=1, keepdims=True) / count, np.float64)


def _of_line(values: Floats, active: Flags) -> Floats:
    """Mean over the spans in which each line is active: shape (lines,)."""
    return np.asarray((values * active).sum(axis=0) / np.maximum(active.sum(axis=0), 1), np.float64)


def _motion(texture: Texture, active: Flags) -> Columns:
    """Rhythm and intervals at three reaches."""
    out: Columns = {}
    for reach in REACHES:
        t = {name: smoothed(getattr(texture, name) * active, reach) for name in _SUMS}
        onsets, moves, quarters = (np.maximum(t[name], 1e-9) for name in ("onsets", "moves", "quarters"))
        found = {
            "rate": np.log2(1 + t["onsets"] / quarters),
            "repeated": t["repeated"] / moves,
            "steps": t["steps"] / moves,
            "leaps": np.clip(t["motion"] / moves, 0, 15) / 6,
            "variety": np.minimum(t["variety"] / onsets, 1),
            "pitches": np.log2(1 + 3 * t["variety"] / quarters),
            "one value": np.minimum(t["most_value"] / moves, 1),  # after a rest there are values and no moves
            "values": np.log2(1 + t["values"]),
            "chords": np.clip(t["notes"] / onsets - 1, 0, 3),
        }
        out |= {f"{name} {reach}": value for name, value in found.items()}
    return out


def _place(texture: Texture, active: Flags) -> Columns:
    """Where the line lies and how loud it is, among the others and for itself."""
    usual = _of_line(texture.pitch, active)
    spread = np.sqrt(_of_line((texture.pitch - usual) ** 2, active)) + 1
    above = (texture.pitch[:, None, :] > texture.pitch[:, :, None] + 0.01) & active[:, None, :]
    return {
        "own register": (texture.pitch - usual) / spread,
        "pitch": texture.pitch / 12 - 5,
        "rank": np.minimum(above.sum(axis=2), 10) / 5,
        "highest": texture.highest,
        "lowest": texture.lowest,
        "sounding": texture.sounding,
        "alone": 1 / (1 + texture.same_onset),
        "doubled": np.log2(1 + texture.same_tone),
        "shared rhythm": np.log2(1 + np.maximum(texture.same_onset - texture.same_tone, 0)),
        "loudness": (texture.velocity - _mean(texture.velocity, active)) / 20,
        "own loudness": (texture.velocity - _of_line(texture.velocity, active)) / 20,
    }


def _marks(score: Score, lines: tuple[Line, ...], edges: Ints) -> Floats:
    """1 where a part is marked solo, dolce and the like, fading from span to span."""
    spans, owner = len(edges) - 1, np.array([line.part for line in lines], np.int64)
    out = np.zeros((spans, len(lines)))
    told = [m for m in score.marks if m.kind == "text" and m.part >= 0 and MARKED.search(m.text)]
    for span, mark in zip(span_of(np.array([m.tick for m in told], np.int64), edges).tolist(), told, strict=True):
        out[span, owner == mark.part] = 1
    for span in range(1, spans):
        out[span] = np.maximum(out[span], FADE * out[span - 1])
    return out


class _Cells:
    """Sums over the notes of each bar and line."""

    def __init__(self, score: Score, line_of: npt.NDArray[np.int32], lines: int) -> None:
        self.score, self.edges, self.lines = score, score.bars, lines
        self.shape = (len(self.edges) - 1, lines)
        self.cells = self.shape[0] * lines
        self.cell = span_of(score.notes["onset"], self.edges) * lines + line_of

    def _total(self, cell: Ints, values: npt.NDArray[np.generic]) -> Floats:
        total = np.bincount(cell, values.astype(np.float64), minlength=self.cells)
        return np.asarray(total.reshape(self.shape), np.float64)

    def shares(self) -> Columns:
        """Share of notes under each kind of articulation."""
        flags = self.score.notes["articulation"]
        many = np.maximum(self._total(self.cell, np.ones(len(flags))), 1)
        return {name: self._total(self.cell, flags & int(bits) > 0) / many for name, bits in _SHARES.items()}

    def of_tops(self, tops: Ints, beat_edges: Ints) -> Columns:
        """Range, highest pitch, longest note and share of onsets on a beat of the line's top notes."""
        notes, cell = self.score.notes[tops], self.cell[tops]
        high, low, longest = np.full(self.cells, -1.0), np.full(self.cells, 200.0), np.zeros(self.cells)
        np.maximum.at(high, cell, notes["pitch"].astype(np.float64))
        np.minimum.at(low, cell, notes["pitch"].astype(np.float64))
        np.maximum.at(longest, cell, notes["duration"] / self.score.ticks_per_quarter)
        many = np.maximum(self._total(cell, np.ones(len(cell))), 1)
        return {
            "range": np.clip(high - low, 0, 24).reshape(self.shape) / 12,
            "top pitch": high.reshape(self.shape),
            "longest": np.log2(1 + longest).reshape(self.shape),
            "on beat": self._total(cell, np.isin(notes["onset"], beat_edges)) / many,
        }

    def of_tones(self, active: Flags) -> Columns:
        """How far a line's pitch classes, by sounding time, are its own."""
        notes = self.score.notes
        weight = np.where(self.score.pitched, np.maximum(notes["duration"], 1), 0).astype(np.float64)
        own = np.bincount(self.cell * 12 + notes["pitch"] % 12, weight, minlength=self.cells * 12)
        own = own.reshape(*self.shape, 12)
        others = own.sum(axis=1, keepdims=True) - own
        own = own / np.maximum(own.sum(axis=2, keepdims=True), 1e-9)
        others = others / np.maximum(others.sum(axis=2, keepdims=True), 1e-9)
        return {
            "foreign": np.where(active, (own * (others < PRESENT)).sum(axis=2), 0),
            "tones apart": np.where(active, 1 - np.minimum(own, others).sum(axis=2), 0),
            "tone variety": np.where(active, (own > 0).sum(axis=2) / 6, 0),
        }


def _recurrences(patterns: Patterns, rich: Flags, active: Flags) -> Columns:
    """Who plays the same at the same time, and where else the same comes."""
    out: Columns = {
        "same rhythm": np.log2(1 + others_alike(patterns.rhythm, active)),
        "same tones": np.log2(1 + others_alike(patterns.tones, active)),
        "parallel": np.log2(1 + others_alike(patterns.steps, active)),
    }
    for name in ("exact", "steps", "rhythm"):
        near, spans, lines = recurrence(getattr(patterns, name), active)
        out |= {f"{name} again": near, f"{name} in spans": spans, f"{name} in lines": lines}
    pairs, there = in_pairs(patterns.exact, active)
    begun = there & rich
    _, spans, _ = recurrence(pairs, begun)
    spans[1:] = np.maximum(spans[1:], spans[:-1])
    out["pair again"] = spans
    return out


def _entrances(active: Flags) -> Columns:
    """How long the line has played, how long it rested before, how long it will go on; in spans, scaled."""
    since, rested, left = (np.zeros(active.shape) for _ in range(3))
    played = np.zeros(active.shape[1])
    silent, before = np.full(active.shape[1], LONG_REST), np.full(active.shape[1], LONG_REST)
    for span, plays in enumerate(active):
        before = np.where(plays & (played == 0), silent, before)
        played = np.where(plays, played + 1, 0)
        silent = np.where(plays, 0, np.minimum(silent + 1, 2 * LONG_REST))
        since[span], rested[span] = played, np.where(plays, before, 0)
    ahead = np.zeros(active.shape[1])
    for span in range(len(active) - 1, -1, -1):
        ahead = np.where(active[span], ahead + 1, 0)
        left[span] = ahead
    return {
        "since rest": np.minimum(since, 16) / 16,
        "rest before": rested / LONG_REST,
        "to rest": np.minimum(left, 16) / 16,
    }


def _beyond_others(values: Floats, patterns: Patterns, active: Flags) -> Floats:
    """The value less the largest among lines that do not play the same; less -3 where there is no other."""
    if not values.size:
        return values
    heard = np.where(active, values, -1e9)
    rows = np.arange(len(values))
    best = heard.argmax(axis=1)
    same = patterns.tones == patterns.tones[rows, best][:, None]
    second = np.where(same, -1e9, heard).max(axis=1)
    other = np.where(same, second[:, None], heard[rows, best][:, None])
    return np.clip(np.where(other < -1e8, 3 + values, values - other), -5, 5)


def _setting(score: Score, lines: tuple[Line, ...], texture: Texture, active: Flags) -> Columns:
    """What holds for the whole span or the whole line; who plays where `WHO_PLAYS` says."""

    def wide(values: npt.NDArray[np.generic]) -> Floats:
        return np.broadcast_to(values.astype(np.float64), active.shape)

    return {
        "lines": wide(np.log2(1 + active.sum(axis=1, keepdims=True))),
        "bar length": texture.quarters / 4,
        **{name: wide(value) for name, value in part_clues(lines, score.parts).items()},
        "order": wide(np.arange(len(lines)) / max(len(lines) - 1, 1)),
        "plays": wide(active.sum(axis=0) / max(len(active), 1)),
    }
