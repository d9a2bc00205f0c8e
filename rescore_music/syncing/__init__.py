"""Hits to tempo: the score's tempo map bent, as little as can be, so that its beats fall on the picture's frames."""

from rescore_music.syncing.conforming import Conformed, conform, picture_map
from rescore_music.syncing.constant import constant_tempi
from rescore_music.syncing.result import (
    Alternative,
    ConstantTempo,
    Landing,
    Passage,
    Skipped,
    Synced,
    TempoRow,
    Way,
)
from rescore_music.syncing.solve import needs_analysis, sync
from rescore_music.syncing.ways import compared

__all__ = [
    "Alternative",
    "Conformed",
    "ConstantTempo",
    "Landing",
    "Passage",
    "Skipped",
    "Synced",
    "TempoRow",
    "Way",
    "compared",
    "conform",
    "constant_tempi",
    "needs_analysis",
    "picture_map",
    "sync",
]
