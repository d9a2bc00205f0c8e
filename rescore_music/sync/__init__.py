"""Hits to tempo: the score's tempo map bent, as little as can be, so that its beats fall on the picture's frames."""

from rescore_music.sync.constant import ConstantTempo, constant_tempi
from rescore_music.sync.result import Alternative, Landing, Skipped, Synced, TempoRow
from rescore_music.sync.solve import sync

__all__ = ["Alternative", "ConstantTempo", "Landing", "Skipped", "Synced", "TempoRow", "constant_tempi", "sync"]
