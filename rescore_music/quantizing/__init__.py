"""From performance to notation: beats and bars found, notes on the grid, the performed timing kept beside them."""

from rescore_music.quantizing.quantize import quantize

__all__ = ["quantize"]
