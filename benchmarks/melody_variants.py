"""Variants of the annotated movements, so that the melody scorer learns from more textures than a few works hold.

In a variant some parts are left out, so that the others are heard against thinner textures and a theme is led by who
doubled it; and note values may count for half or double, as another composer would have notated the same music. Who
plays is hidden: other composers give the melody to others. The annotations hold as they are: where no right part is
left a bar teaches nothing. Few parts are left out: with more, scorers take running scales under a tune for the melody,
having so often heard them without it.

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
from rescore_music.analysis.melody_clues import WHO_PLAYS
from rescore_music.analysis.voices import lines_of
from rescore_music.score import Score
from rescore_music.tempo import TempoMap

VARIANTS = 2  # of each movement
LEFT_OUT = 0.15  # share of parts, on average; from none to twice as many
VALUES = (1.0, 1.0, 0.5, 2.0)  # how long a quarter becomes, one drawn


def with_variants(examples: list[Example]) -> list[Example]:
    """The movements, and `VARIANTS` of each: always the same ones of the same movement."""
    found = [_variant(e, np.random.default_rng([k, *e.name.encode()])) for e in examples for k in range(VARIANTS)]
    return [*examples, *(e for e in found if has_answer(e).any())]


def _variant(e: Example, random: np.random.Generator) -> Example:
    out = random.random(len(e.score.parts)) < LEFT_OUT * 2 * random.random()
    out &= not out.all()
    kept = ~out[e.score.notes["part"]]
    score = _renotated(e.score, kept, float(random.choice(VALUES)))
    lines, line_of = lines_of(score, np.array([line.voice for line in e.lines], np.int16)[e.line_of[kept]])
    texture = describe(score, line_of, len(lines), score.bars, beats(score))
    evidence = melody_evidence(score, lines, line_of, texture)
    clues = evidence.clues.copy()
    clues[..., WHO_PLAYS] = 0
    right = right_in_bars(e.by_bar, np.array([line.part for line in lines], np.int64), score.bars)
    return replace(
        e, score=score, lines=lines, line_of=line_of, evidence=replace(evidence, clues=clues), right=right,
        onsets=texture.onsets, highest=texture.highest,
    )  # fmt: skip


def _renotated(score: Score, kept: Array, longer: float) -> Score:
    """The kept notes on the same ticks and in the same bars, with another number of ticks in a quarter."""
    quarter = round(score.ticks_per_quarter / longer)
    tempo = TempoMap(np.array([0]), np.array([500_000.0]), ticks_per_quarter=quarter)
    notes = score.notes[kept]
    return score.replace(notes=notes, tempo=tempo, ticks_per_quarter=quarter, barlines=score.bars)
