"""What the picture itself shows and sounds: cuts, flashes, dialogue, silence, start timecode."""
