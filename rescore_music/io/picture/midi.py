"""MIDI markers and cue points as picture markers: their seconds through the tempo map, to the nearest frame.

The first tick is at 00:00:00:00; a SMPTE offset in the file is not looked at. Cues read from it begin at the start that
the caller gives.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from rescore_music.edits import EditList, PictureMarker, told
from rescore_music.io.midi.read import read_midi
from rescore_music.io.picture.common import Remarks, check_count, check_frame, wanted_rate
from rescore_music.timecode import FrameRate


def read_midi_markers(path: Path, rate: FrameRate | None = None, start: int = 0) -> EditList:
    """Read the markers and cue points of a MIDI file; `start` is the frame of its first tick. See `read_edits`."""
    known = wanted_rate(rate, path, "a MIDI file")
    score = read_midi(path)
    check_count(len(score.markers), path)
    seconds = score.tempo.seconds([marker.tick for marker in score.markers] or [0])
    remarks: Remarks = []
    markers = []
    for marker, time in zip(score.markers, seconds.tolist(), strict=False):
        exact = Fraction(time) * known.fps
        frame = round(exact)
        where = f"tick {marker.tick}"
        if abs(exact - frame) > Fraction(1, 1000):
            remarks.append((where, "marker between frames moved to the nearest", False))
        markers.append(PictureMarker(check_frame(frame + start, path, where), marker.text))
    log = (*score.import_log, *told(remarks))
    return EditList(score.metadata.title, known, (), tuple(markers), log, source=str(path))
