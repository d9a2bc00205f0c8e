"""Fixtures of the orchestration tests: the shipped templates, a small cue, real cues, each read and analysed once."""

from __future__ import annotations

from pathlib import Path

import orchestration_builders as builders
import pytest

from rescore_music.analysis import analyze
from rescore_music.io import read_score
from rescore_music.score import Score
from rescore_music.structure import Analysis

GAME_CUES = ("freedoom__d_dm04.mid", "simutrans__18-Ride-that-train.mid", "tannerhelland__Dark Knight.mid")

Cue = tuple[Score, Analysis]


@pytest.fixture(scope="session")
def small_cue() -> Cue:
    return builders.cue()


@pytest.fixture(scope="session", params=GAME_CUES)
def game_cue(request: pytest.FixtureRequest, shared_data: Path) -> Cue:
    score = read_score(shared_data / "game_midi" / request.param)
    return score, analyze(score)


@pytest.fixture(scope="session")
def beethoven() -> Cue:
    """Op. 18 no. 1, first movement, for four strings."""
    from music21 import corpus

    score = read_score(Path(str(corpus.getWork("beethoven/opus18no1/movement1.mxl"))))
    return score, analyze(score)


@pytest.fixture(scope="session")
def symphony_movement(shared_data: Path) -> Cue:
    """Beethoven's seventh, second movement, in full score."""
    score = read_score(shared_data / "openscore_orchestra" / "Beethoven_Op.92_2.mxl")
    return score, analyze(score)
