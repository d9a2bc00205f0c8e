"""The piano roll: a score as one SVG picture, notes over seconds and bars.

Conventions: x is seconds, y is pitch, drums lie in a strip below; louder notes are more opaque. Every colour group is
a few paths (one stroke a note), so six thousand notes stay near a hundred kilobytes. Two rolls drawn with the same
`RollScale` compare note for note. Colours fall back to a light page where no CSS variables (`--ink`, `--paper`,
`--faint`) are set, so the picture also stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.view.palette import Colouring, by_part

LEFT, RIGHT, TOP, BOTTOM = 46, 10, 30, 24  # pixels round the field
LEGEND_ROW = 20
DRUM_ROW = 5
NICE = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200)
LOUDNESS = ((0, 0.45), (52, 0.7), (86, 1.0))  # velocity from, opacity


@dataclass(frozen=True)
class RollScale:
    """What the axes span, so that several rolls can share it.

    Attributes
    ----------
    seconds : float
    low, high : int
        Lowest and highest MIDI pitch drawn.
    drums : tuple of int
        The drum keys that get a row each, lowest first.
    """

    seconds: float
    low: int
    high: int
    drums: tuple[int, ...] = ()

    @classmethod
    def of(cls, *scores: Score) -> RollScale:
        """The scale that holds all these scores, whole octaves, at least two."""
        seconds = max([s.duration for s in scores], default=0.0)
        pitches = [s.notes["pitch"][s.pitched].astype(int) for s in scores]
        every = np.concatenate([*pitches, np.zeros(0, int)])
        low, high = (int(every.min()), int(every.max())) if len(every) else (60, 72)
        low, high = low - low % 12, high + 11 - high % 12
        while high - low < 24:
            low, high = max(low - 12, 0), min(high + 12, 131)
        keys = {int(k) for s in scores for k in s.notes["pitch"][~s.pitched]}
        return cls(max(seconds, 0.1), low, high, tuple(sorted(keys)))


def piano_roll(
    score: Score,
    colouring: Colouring | None = None,
    *,
    analysis: Analysis | None = None,
    scale: RollScale | None = None,
    title: str = "",
    width: int = 1200,
    row: float = 4.0,
) -> str:
    """Draw a score as SVG.

    Parameters
    ----------
    score : Score
    colouring : Colouring, optional
        Which colour each note has (`palette.by_role`, `by_origin`, `by_part`); by part unless given.
    analysis : Analysis, optional
        Its phrases are shaded and labelled.
    scale : RollScale, optional
        Shared axes; the score's own unless given.
    title : str
        Told to screen readers.
    width : int
        Pixels; the picture scales with its place.
    row : float
        Height of a semitone in pixels.

    Returns
    -------
    str, an SVG element with a viewBox
    """
    colouring = colouring or by_part(score)
    scale = scale or RollScale.of(score)
    used = [i for i in range(len(colouring.names)) if np.any(colouring.groups == i)]
    legend, legend_height = _legend(colouring, used, width)
    field = _Field(scale, width, row, legend_height)
    name = escape(title or score.metadata.title or "Piano roll", quote=True)
    told = (
        f"{len(score.notes)} notes, {len(score.parts)} parts, {len(score.bars) - 1} bars, {score.duration:.0f} seconds"
    )
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {field.height:.0f}" class="roll" role="img"',
            f' aria-label="{name}: {told}" font-family="system-ui,sans-serif" font-size="11">',
            f'<rect width="{width}" height="{field.height:.0f}" fill="var(--paper,#fff)"/>',
            legend,
            _phrases(score, analysis, field) if analysis is not None else "",
            _pitch_grid(field),
            _bars(score, field),
            _clock(field),
            _notes(score, colouring, used, field),
            "</svg>",
        )
    )


class _Field:
    """Where things are: pixels of seconds, pitches and drum keys."""

    def __init__(self, scale: RollScale, width: int, row: float, legend: int) -> None:
        self.scale, self.row = scale, row
        self.left, self.right = float(LEFT), float(width - RIGHT)
        self.top = float(TOP + legend)
        self.floor = self.top + row * (scale.high - scale.low + 1)
        self.drums = self.floor + 8
        self.bottom = self.drums + DRUM_ROW * len(scale.drums) + 2 if scale.drums else self.floor
        self.height = self.bottom + BOTTOM

    def x(self, seconds: np.ndarray) -> np.ndarray:
        return self.left + (self.right - self.left) * np.asarray(seconds, float) / self.scale.seconds

    def y(self, pitch: np.ndarray) -> np.ndarray:
        return self.floor - self.row * (np.asarray(pitch, float) - self.scale.low + 0.5)

    def drum_y(self, key: np.ndarray) -> np.ndarray:
        place = np.searchsorted(np.array(self.scale.drums), key)
        return self.drums + DRUM_ROW * (len(self.scale.drums) - place - 0.5)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _legend(colouring: Colouring, used: list[int], width: int) -> tuple[str, int]:
    out, x, y = [], float(LEFT), 14.0
    for i in used:
        wide = 26 + 5.9 * len(colouring.names[i])
        if x + wide > width - RIGHT and x > LEFT:
            x, y = float(LEFT), y + LEGEND_ROW
        out.append(f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="12" height="8" rx="2" fill="{colouring.colours[i]}"/>')
        out.append(f'<text x="{x + 17:.0f}" y="{y:.0f}" fill="var(--ink,#222)">{escape(colouring.names[i])}</text>')
        x += wide + 12
    return "".join(out), int(y) - 14 + LEGEND_ROW if used else 0


def _phrases(score: Score, analysis: Analysis, field: _Field) -> str:
    out = []
    starts = score.seconds(np.array([p.start for p in analysis.phrases], np.int64))
    ends = score.seconds(np.array([p.end for p in analysis.phrases], np.int64))
    for i, phrase in enumerate(analysis.phrases):
        a, b = (float(v) for v in field.x(np.array([starts[i], ends[i]])))
        if i % 2:
            shade = f'<rect x="{_number(a)}" y="{field.top:.0f}" width="{_number(b - a)}"'
            out.append(f'{shade} height="{field.bottom - field.top:.0f}" fill="var(--ink,#222)" opacity=".045"/>')
        if phrase.label and b - a > 7 * len(phrase.label):
            out.append(
                f'<text x="{_number((a + b) / 2)}" y="{field.top - 18:.0f}" text-anchor="middle" font-weight="600"'
                f' fill="var(--ink,#222)">{escape(phrase.label)}</text>'
            )
    return "".join(out)


def _pitch_grid(field: _Field) -> str:
    lines, labels = [], []
    for c in range(field.scale.low, field.scale.high + 1, 12):
        y = field.floor - field.row * (c - field.scale.low)
        lines.append(f"M{field.left:.0f} {_number(y)}H{field.right:.0f}")
        labels.append(f'<text x="{LEFT - 6}" y="{_number(y - 2)}" text-anchor="end">C{c // 12 - 1}</text>')
    if field.scale.drums:
        middle = (field.drums + field.bottom) / 2 + 4
        labels.append(f'<text x="{LEFT - 6}" y="{_number(middle)}" text-anchor="end">drums</text>')
    return f'<g fill="var(--faint,#666)">{"".join(labels)}</g><path d="{"".join(lines)}" {_HAIR}/>'


_HAIR = 'stroke="var(--ink,#222)" stroke-opacity=".16" fill="none"'


def _bars(score: Score, field: _Field) -> str:
    x = field.x(score.seconds(score.bars[:-1]))
    gap = (field.right - field.left) * score.duration / field.scale.seconds / max(len(x), 1)
    every = next((n for n in (1, 2, 4, 8, 16, 32, 64, 128) if gap * n >= 26), 256)
    lines = "".join(f"M{_number(v)} {field.top:.0f}V{_number(field.bottom)}" for v in x[::every])
    texts = "".join(
        f'<text x="{_number(v + 2)}" y="{field.top - 4:.0f}">{i * every + 1}</text>' for i, v in enumerate(x[::every])
    )
    word = f'<text x="{LEFT - 6}" y="{field.top - 4:.0f}" text-anchor="end">bar</text>'
    return f'<path d="{lines}" {_HAIR}/><g fill="var(--faint,#666)" font-size="10">{word}{texts}</g>'


def _clock(field: _Field) -> str:
    wide = (field.right - field.left) / field.scale.seconds
    step = next((n for n in NICE if n * wide >= 60), NICE[-1])
    out = []
    for second in range(0, int(field.scale.seconds) + 1, step):
        x = float(field.x(np.array(second)))
        text = f"{second // 60}:{second % 60:02d}"
        out.append(f'<text x="{_number(x)}" y="{field.bottom + 16:.0f}" text-anchor="middle">{text}</text>')
    return f'<g fill="var(--faint,#666)">{"".join(out)}</g>'


def _notes(score: Score, colouring: Colouring, used: list[int], field: _Field) -> str:
    notes, pitched = score.notes, score.pitched
    start = field.x(score.seconds(notes["onset"]))
    length = np.maximum(field.x(score.seconds(score.ends)) - start - 0.3, 0.8)
    length = np.where(pitched, length, np.minimum(length, 3.0))  # a drum has no length worth seeing
    y = field.y(notes["pitch"])
    if np.any(~pitched):
        y = np.where(pitched, y, field.drum_y(notes["pitch"]))
    level = np.searchsorted([v for v, _ in LOUDNESS], notes["velocity"], side="right") - 1
    out = []
    for group in used:
        for loud, (_, opacity) in enumerate(LOUDNESS):
            for drum, high in ((False, max(field.row - 0.5, 1.5)), (True, DRUM_ROW - 1.0)):
                rows = np.flatnonzero((colouring.groups == group) & (level == loud) & (pitched != drum))
                if len(rows):
                    path = "".join(
                        f"M{_number(a)} {_number(b)}h{_number(c)}"
                        for a, b, c in zip(start[rows], y[rows], length[rows], strict=True)
                    )
                    out.append(
                        f'<path d="{path}" stroke="{colouring.colours[group]}" stroke-width="{high}"'
                        f' stroke-opacity="{opacity}" fill="none"/>'
                    )
    return "".join(out)
