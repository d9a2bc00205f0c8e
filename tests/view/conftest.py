"""One small result, made once: the hero theme for wind quintet, without sound."""

from __future__ import annotations

import pytest

import rescore_music as rm
from rescore_music.resources import samples_dir


@pytest.fixture(scope="session")
def hero() -> rm.Score:
    return rm.read_score(samples_dir() / "hero_theme.mid")


@pytest.fixture(scope="session")
def chase() -> rm.Score:
    return rm.read_score(samples_dir() / "chase.mid")


@pytest.fixture(scope="session")
def quintet() -> rm.Result:
    settings = rm.Settings(n=4, audio=False)
    return rm.rescore(samples_dir() / "hero_theme.mid", template="wind-quintet/baroque", settings=settings)


@pytest.fixture(scope="session")
def synced() -> rm.Result:
    cues = samples_dir() / "chase_hits.csv"
    settings = rm.Settings(n=2, audio=False)
    return rm.rescore(samples_dir() / "chase.mid", template="symphony/epic-hybrid", cues=cues, settings=settings)
