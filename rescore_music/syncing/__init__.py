"""Hits to tempo: the score's tempo map bent, as little as can be, so that its beats fall on the picture's frames."""

from rescore_music.syncing.conform import conform
from rescore_music.syncing.conform_cuts import picture_map
from rescore_music.syncing.conform_result import Conformed
from rescore_music.syncing.constant import ConstantTempo, constant_tempi
from rescore_music.syncing.result import Alternative, Landing, Skipped, Synced, TempoRow
from rescore_music.syncing.solve import sync

__all__ = [
    "Alternative",
    "Conformed",
    "ConstantTempo",
    "Landing",
    "Skipped",
    "Synced",
    "TempoRow",
    "conform",
    "constant_tempi",
    "picture_map",
    "sync",
]
