"""What the picture itself shows and sounds: cuts, flashes, dialogue, silence, start timecode."""

from rescore_music.video.footage import Footage
from rescore_music.video.watch import spot, watch

__all__ = ["Footage", "spot", "watch"]
