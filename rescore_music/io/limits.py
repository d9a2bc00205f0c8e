"""How much of a file is believed: every limit on input, in one place.

A cue of three minutes has some 10,000 notes; the limits are two orders above what music needs and keep a hostile file
within about 10 seconds and 1 GiB.
"""

from __future__ import annotations

MIB = 1 << 20

FILE_BYTES = 64 * MIB  # any file that is read whole
MIDI_BYTES = 16 * MIB
MIDI_TRACKS = 4096
MIDI_EVENTS = 4_000_000  # messages of every kind in one file
MIDI_MESSAGES = 200_000  # messages that become values of their own: meta, system, key pressure
MIDI_JUNK = 64 * 1024  # bytes before the header that are searched for one
NOTES = 1_000_000
PARTS = 1024
BARS = 1_000_000  # a score this long is a wrong number in a file, not music
TEXT = 4096  # characters of one name, lyric or marker
SNIFF = 64 * 1024  # bytes looked at to tell what a file is
