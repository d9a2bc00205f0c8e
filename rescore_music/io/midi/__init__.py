"""Standard MIDI files, read tolerantly into columns and written through mido: `read.read_midi`, `write.write_midi`."""
