"""Conforming: music that met the old cut to music that meets the new one, only around what changed."""

from rescore_music.syncing.conforming.conform import conform
from rescore_music.syncing.conforming.cuts import picture_map
from rescore_music.syncing.conforming.result import Conformed

__all__ = ["Conformed", "conform", "picture_map"]
