"""The tempo curve as SVG: quarters a minute over seconds, the score's own tempo behind it, hits as flags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from rescore_music.score import Score

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1200, 240, 46, 12, 58, 24
ROWS = 4  # of labels


def tempo_curve(score: Score, *, own: Score | None = None, hits: Sequence[tuple[float, str, bool]] = ()) -> str:
    """Draw a score's tempo.

    Parameters
    ----------
    score : Score
        With the new tempo map.
    own : Score, optional
        The same bars with the old one: a thin line behind, drawn where its bars now lie.
    hits : sequence of (seconds, label, landed)

    Returns
    -------
    str, an SVG element
    """
    seconds, ticks = _sampled(score)
    lines = [("var(--accent,#d55e00)", 2.0, score.tempo.bpm(ticks))]
    if own is not None:
        scaled = ticks * (own.ticks_per_quarter / score.ticks_per_quarter)
        lines.insert(0, ("var(--faint,#777)", 1.2, own.tempo.bpm(scaled)))
    every = np.concatenate([bpm for _, _, bpm in lines])
    low, high = float(every.min()), float(every.max())
    pad = max((high - low) * 0.15, 2.0)
    low, high = low - pad, high + pad
    whole = max(float(seconds[-1]), 0.1)

    def x(s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * s / whole

    def y(b: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - b) / (high - low)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="tempo-curve" role="img"'
        f' aria-label="Tempo from {every.min():.1f} to {every.max():.1f} quarters a minute"'
        ' font-family="system-ui,sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="var(--paper,#fff)"/>',
    ]
    for value in np.linspace(low + pad / 2, high - pad / 2, 4):
        out.append(
            f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="var(--ink,#222)" stroke-opacity=".12"/>'
            f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" fill="var(--faint,#666)">{value:.1f}</text>'
        )
    for colour, width, bpm in lines:
        path = "".join(
            f"{'L' if i else 'M'}{x(s):.1f} {y(b):.1f}" for i, (s, b) in enumerate(zip(seconds, bpm, strict=True))
        )
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>')
    out += _flags(hits, x)
    step = next((n for n in (1, 2, 5, 10, 15, 30, 60, 120, 300) if n * (WIDTH - LEFT) / whole >= 60), 600)
    for second in range(0, int(whole) + 1, step):
        out.append(
            f'<text x="{x(second):.1f}" y="{HEIGHT - 6}" text-anchor="middle" fill="var(--faint,#666)">'
            f"{second // 60}:{second % 60:02d}</text>"
        )
    return "".join([*out, "</svg>"])


def _sampled(score: Score) -> tuple[np.ndarray, np.ndarray]:
    """Places where the curve is drawn: every tempo change twice (before and after), and every eighth of a quarter."""
    end = max(score.length, 1)
    regular = np.linspace(0, end, min(1200, max(2, end * 2 // score.ticks_per_quarter)))
    changes = score.tempo.ticks[score.tempo.ticks < end].astype(float)
    ticks = np.unique(np.concatenate([regular, changes, np.maximum(changes - 1e-3, 0)]))
    return score.seconds(ticks), ticks


def _flags(hits: Sequence[tuple[float, str, bool]], x: Callable[[float], float]) -> list[str]:
    """A dashed line a hit, green where it landed; labels in rows where they do not run into each other."""
    out, row_end = [], [0.0] * ROWS
    for seconds, label, landed in sorted(hits):
        place = x(seconds)
        colour = "var(--good,#00796b)" if landed else "var(--bad,#c62828)"
        line = f"M{place:.1f} {TOP - 6}V{HEIGHT - BOTTOM}"
        out.append(f'<path d="{line}" stroke="{colour}" stroke-width="1.2" stroke-dasharray="3 3"/>')
        text = label if len(label) <= 30 else label[:29] + "…"
        long = 5.9 * len(text)
        left = place + 3 if place + 3 + long < WIDTH else place - 3 - long
        row = next((i for i, end in enumerate(row_end) if end <= left), None)
        if row is not None:
            row_end[row] = left + long + 6
            at = f'x="{left:.1f}" y="{12 + 13 * row}"'
            out.append(f'<text {at} fill="var(--ink,#222)">{escape(text)}</text>')
    return out
