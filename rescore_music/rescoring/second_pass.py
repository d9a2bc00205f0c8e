"""The second pass: hear the best few candidates where they differ, and rank them again.

Method: the first `top` candidates are written out; `excerpt` finds the seconds in which they differ most; each is
rendered there with its melody apart (`features`), described by features of sound and of fidelity, and scored by the
linear model of `weighing`. The others follow in the first pass's order.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from rescore_music.audio import Rendering
from rescore_music.candidate import Candidate
from rescore_music.rescoring.excerpt import SECONDS, Excerpt, choose_excerpt
from rescore_music.rescoring.features import Renderer, against_targets, heard, written
from rescore_music.rescoring.weighing import Weights, read_weights
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.template import Template

log = logging.getLogger(__name__)

RATE = 32000  # Hz: 15 kHz are enough for the critical bands
TAIL = 1.0  # seconds rung out after the excerpt


@dataclass(frozen=True, eq=False)
class SecondPass:
    """What the second pass heard and decided.

    Attributes
    ----------
    candidates : tuple of Candidate
        Re-ranked; those that were heard first, with `features` and `rescored`.
    first_order, second_order : tuple of int
        First-pass ranks of the heard candidates, before and after.
    excerpt : Excerpt or None
        What was listened to; None where there was nothing to choose between.
    features : mapping of first-pass rank to features
    terms : mapping of first-pass rank to what each feature added to the score
    seconds : mapping of first-pass rank to seconds spent on it
    weights : Weights or None
    """

    candidates: tuple[Candidate, ...]
    first_order: tuple[int, ...] = ()
    second_order: tuple[int, ...] = ()
    excerpt: Excerpt | None = None
    features: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    terms: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    seconds: Mapping[int, float] = field(default_factory=dict)
    weights: Weights | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "first_order": list(self.first_order),
            "second_order": list(self.second_order),
            "excerpt": None if self.excerpt is None else asdict(self.excerpt),
            "weights": "" if self.weights is None else self.weights.source,
            "heard": [
                {
                    "first_rank": c.rank,
                    "score": c.rescored,
                    "features": dict(self.features[c.rank]),
                    "terms": dict(self.terms[c.rank]),
                    "seconds": round(self.seconds[c.rank], 4),
                }
                for c in self.candidates
                if c.rank in self.features
            ],
        }


def second_pass(
    candidates: Sequence[Candidate],
    source: Score,
    *,
    analysis: Analysis,
    template: Template | None = None,
    top: int = 4,
    render: Renderer | None = None,
    weights: str | Path | Weights | None = None,
    sounds: str | Path | None = None,
    seconds: float = SECONDS,
    sample_rate: int = RATE,
) -> SecondPass:
    """Listen to the best few candidates and rank them again.

    Parameters
    ----------
    candidates : sequence of Candidate
        In the first pass's order.
    source : Score
        What they orchestrate.
    analysis : Analysis
        Of the source.
    template : Template, optional
        Its style's targets are held against the sound.
    top : int
        How many are heard.
    render : callable (score) -> Rendering, optional
        How excerpts are played; by the embedded sounds unless told.
    weights : path or Weights, optional
        The linear model; the shipped one unless told.
    sounds : path, optional
        A SoundFont for the excerpts.
    seconds : float
        Length of the excerpt.
    sample_rate : int
        Of the excerpts (Hz).

    Returns
    -------
    SecondPass

    Raises
    ------
    ReadError
        If the weights file says something it may not.
    RenderError
        If an excerpt cannot be played.
    """
    model = weights if isinstance(weights, Weights) else read_weights(weights)
    chosen = list(candidates[: max(top, 0)])
    if len(chosen) < 2:
        return SecondPass(tuple(candidates), weights=model)
    play = render or _player(sounds, sample_rate)
    targets = template.style.targets if template is not None else {}
    excerpt = choose_excerpt(chosen, source, analysis, seconds=seconds)
    best = min(c.cost for c in chosen)
    features: dict[int, dict[str, float]] = {}
    spent: dict[int, float] = {}
    for candidate in chosen:
        begin = perf_counter()
        found = heard(candidate, source, analysis, excerpt, play)
        features[candidate.rank] = found | against_targets(found, targets) | written(candidate, source, analysis, best)
        spent[candidate.rank] = perf_counter() - begin
    scores = {rank: model.score(values) for rank, values in features.items()}
    told = [replace(c, features=features[c.rank] | {"seconds": spent[c.rank]}, rescored=scores[c.rank]) for c in chosen]
    for old, new in zip(chosen, told, strict=True):
        _hand_over(old, new)
    ranked = sorted(told, key=lambda c: (-scores[c.rank], c.rank))
    order = tuple(c.rank for c in ranked)
    log.info("second pass: %s became %s", [c.rank for c in chosen], list(order))
    return SecondPass(
        (*ranked, *candidates[len(chosen) :]),
        tuple(c.rank for c in chosen),
        order,
        excerpt,
        features,
        {rank: model.terms(values) for rank, values in features.items()},
        spent,
        model,
    )


def rescore_candidates(candidates: Sequence[Candidate], source: Score, **options: Any) -> tuple[Candidate, ...]:
    """The candidates re-ranked by `second_pass`, which has the options; the heard ones carry features and score."""
    return second_pass(candidates, source, **options).candidates


def _hand_over(old: Candidate, new: Candidate) -> None:
    """The realization was written out already: the copy need not do it again."""
    if "realization" in vars(old):
        vars(new)["realization"] = old.realization


def _player(sounds: str | Path | None, sample_rate: int) -> Renderer:
    from rescore_music.rendering import render

    def play(score: Score) -> Rendering:
        return render(score, sample_rate=sample_rate, sounds=sounds, tail=TAIL)

    return play
