"""What goes to the recording stage and the dub: click, streamers, burnt-in counts, sessions, cue sheet, the video."""
