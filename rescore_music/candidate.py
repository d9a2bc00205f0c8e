"""Candidate: one orchestration of a cue, with every term of its score and who got which line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rescore_music.score import LogItem, Score


@dataclass(frozen=True)
class Assignment:
    """In phrase `phrase`, line `line` is played by seat `seat` (index into the template's seats), moved by `octaves`.

    `doubling` is False for the seat that carries the line and True for those that reinforce it.
    """

    phrase: int
    line: int
    seat: int
    octaves: int = 0
    doubling: bool = False


@dataclass(frozen=True, eq=False)
class Realization:
    """A written-out orchestration.

    Attributes
    ----------
    score : Score
        One part a seat that plays.
    origin : int64 array, one a note of `score.notes`
        Index of the source note it realizes; -1 for notes the style added.
    log : tuple of LogItem
        What was moved by octaves, thinned, dropped or added, and where.
    """

    score: Score
    origin: npt.NDArray[np.int64]
    log: tuple[LogItem, ...] = ()


@dataclass(frozen=True, eq=False)
class Candidate:
    """One of the N best orchestrations. It is written out on first use: most candidates never need to be.

    Attributes
    ----------
    rank : int
        Place in the first pass, 0 = best.
    cost : float
        First-pass cost, the weighted sum of `terms`; lower is better.
    terms : mapping of cost name to weighted cost
    assignments : tuple of Assignment
    template : str
        "forces/style".
    features : mapping of feature name to value
        What the second pass heard; empty before it.
    rescored : float or None
        Second-pass score, higher is better.
    path : tuple of int
        The state of the lattice in each phrase, by which the choice can be explained.
    """

    rank: int
    cost: float
    terms: Mapping[str, float]
    assignments: tuple[Assignment, ...]
    template: str
    realize: Callable[[tuple[Assignment, ...]], Realization] = field(repr=False)
    features: Mapping[str, float] = field(default_factory=dict)
    rescored: float | None = None
    path: tuple[int, ...] = ()

    @cached_property
    def realization(self) -> Realization:
        """The written-out music."""
        return self.realize(self.assignments)

    @property
    def score(self) -> Score:
        """The orchestrated score."""
        return self.realization.score

    @property
    def origin(self) -> npt.NDArray[np.int64]:
        """Per note of `score.notes` the source note it realizes, or -1."""
        return self.realization.origin

    @property
    def log(self) -> tuple[LogItem, ...]:
        """What was changed or dropped."""
        return self.realization.log
