"""Variants of the annotated movements, so that the melody scorer learns from more textures than a few works hold.

In a variant some parts are left out, so that the others are heard against thinner textures and a theme is led by who
doubled it; note values may count for half or double, as another composer would have notated the same music; and bars
may be joined in pairs. The annotations hold as they are: where no right part is left a bar teaches nothing.

Variants go to training alone, and under the name of their movement, so a work held out is held out with its variants.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from fit_melody import has_answer
from melody_data import Array, Example, right_in_bars

from rescore_music.analysis.features import describe
from rescore_music.analysis.frames import beats
from rescore_music.analysis.melody import melody_evidence
from rescore_music.analysis.voices import lines_of
from rescore_music.score import Score
from rescore_music.tempo import TempoMap

VARIANTS = 3  # of each movement
LEFT_OUT = 0.3  # share of parts, on average; from none to twice as many
VALUES = (1.0, 1.0, 0.5, 2.0)  # how long a quarter becomes, one drawn
JOINED = 0.2  # share of variants with bars joined in pairs
FEW_BARS = 8  # that are never joined


def with_variants(examples: list[Example]) -> list[Example]:
    """The movements, and `VARIANTS` of each: always the same ones of the same movement."""
    found = [_variant(e, np.random.default_rng([k, *e.name.encode()])) for e in examples for k in range(VARIANTS)]
    return [*examples, *(e for e in found if has_answer(e).any())]


def _variant(e: Example, random: np.random.Generator) -> Example:
    out = random.random(len(e.score.parts)) < LEFT_OUT * 2 * random.random()
    out &= not out.all()
    kept = ~out[e.score.notes["part"]]
    score = _renotated(e.score, kept, float(random.choice(VALUES)), random.random() < JOINED)
    lines, line_of = lines_of(score, np.array([line.voice for line in e.lines], np.int16)[e.line_of[kept]])
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    evidence = melody_evidence(score, lines, line_of, texture)
    right = right_in_bars(e.by_bar, np.array([line.part for line in lines], np.int64), score.bars)
    return replace(
        e, score=score, lines=lines, line_of=line_of, evidence=evidence, right=right,
        onsets=texture.onsets, highest=texture.highest,
    )  # fmt: skip


def _renotated(score: Score, kept: Array, longer: float, joined: bool) -> Score:
    """The kept notes on the same ticks, with another number of ticks in a quarter, and every second bar line."""
    quarter = round(score.ticks_per_quarter / longer)
    bars = score.bars
    if joined and len(bars) > FEW_BARS:
        bars = np.unique(np.append(bars[::2], bars[-1]))
    tempo = TempoMap(np.array([0]), np.array([500_000.0]), ticks_per_quarter=quarter)
    return score.replace(notes=score.notes[kept], tempo=tempo, ticks_per_quarter=quarter, barlines=bars)
