"""How much of a file is believed: every limit on input, in one place, with its reason.

A cue of three minutes has some 10,000 notes, the longest movement of published orchestral MusicXML at hand 47,000 in
1,000 bars, 26 MB and half of XML_NODES; the limits are above what music needs and keep a hostile file within 10
seconds and 1 GiB.
What lies above a limit is refused in one line, or cut where that loses nothing (texts). Limits of what is read lower in
the house stand there: templates in `template.located` (256 KiB, 16 deep, 20,000 values, 40 digits), tempi in `tempo`
(`US_MIN` to `US_MAX` microseconds a quarter), frame rates in `timecode`. tests/io/test_limits.py meets each of them;
benchmarks/fuzz.py measures time and memory.
"""

from __future__ import annotations

MIB = 1 << 20

# any file
FILE_BYTES = 64 * MIB  # read whole, so it lies in memory once or twice
CSV_BYTES = 4 * MIB  # spotting notes: some 50,000 hits, where a feature film has 2,000
SNIFF = 64 * 1024  # bytes looked at to tell what a file is
TEXT = 4096  # characters of one name, lyric or marker: nobody reads more; longer ones are cut

# a score of any kind
NOTES = 1_000_000  # a hundred cues in one file
MARKS = 300_000  # dynamics, words, chord symbols, lyrics ... that notation places beside the notes
PARTS = 1024  # the largest scores have 60
STAVES = 16  # of one part
BARS = 20_000  # eleven hours of music; a longer score is a wrong number in a file
BAR_QUARTERS = 4096  # so is a longer bar
WRITTEN_BARS = 120_000  # bars times parts in MusicXML: 60 parts of 2,000 bars; some 80 us and 1 KB each

# picture: edit lists, marker lists and spotting sheets
EDIT_BYTES = 16 * MIB  # a feature film's edit list is 1 MB as text, 10 MB as XML
EDITS = 50_000  # shots or markers of one list, where a feature film has 2,000
EDIT_NODES = 1_000_000  # tags of one list
EDIT_DEPTH = 32  # of clips inside clips
AAF_BYTES = 1024 * MIB  # a file system in a file, often with media inside that is not read
AAF_SECONDS = 30.0  # of processor time: some 20,000 shots
AAF_SECONDS_CLOCK = 300.0  # by the clock, on a machine that does much else
AAF_MEMORY = 640 * MIB  # beside what the package itself takes
SHEET_ROWS = 20_000
SHEET_COLUMNS = 64

# MIDI
MIDI_BYTES = 16 * MIB
MIDI_TRACKS = 4096  # an empty track is 8 bytes, so bytes alone do not limit them
MIDI_EVENTS = 4_000_000  # messages of every kind; with running status and without time one takes 2 bytes
MIDI_MESSAGES = 200_000  # messages that become values of their own: meta, system, key pressure
MIDI_JUNK = 64 * 1024  # bytes before the header that are searched for one

# MusicXML
XML_DEPTH = 256  # libxml2's own, held by a test; MusicXML goes 8 deep
XML_TEXT = 10 * MIB  # characters in one element or attribute: libxml2's own too
XML_NODES = 4_000_000  # tags, and attributes twice: each takes some 120 bytes of memory and up to 2 us, from 4 bytes
XML_MENDED = 16 * MIB  # bytes of a document that is mended where it cannot be parsed: it lies in memory five times then
ARCHIVE_BYTES = FILE_BYTES  # of the score in an .mxl archive
ARCHIVE_RATIO = 250  # unpacked to packed; real orchestral scores reach 60
ARCHIVE_RATIO_FREE = 4 * MIB  # below this size no ratio is too high: silence packs well
ARCHIVE_ENTRIES = 4096

# ABC and Humdrum, which music21 reads, in a process of its own
NOTATION_BYTES = 8 * MIB
NOTATION_SECONDS = 9.0  # of processor time for one file: some 10,000 notes
NOTATION_SECONDS_CLOCK = 120.0  # by the clock, on a machine that does much else
NOTATION_SECONDS_START = 300.0  # to import music21 for the first time
NOTATION_MEMORY = 640 * MIB  # beside what music21 itself takes
