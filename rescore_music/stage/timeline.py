"""An OpenTimelineIO timeline of the cue for the picture editor: the video, the sounds at their timecode, the hits.

Conventions: the timeline begins with the session or with the picture, whichever is first; markers stand on whole
frames. A sound's own time is its samples' (its broadcast time reference); on the timeline it begins on the frame
nearest to it. Files are named relative to the timeline.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from rescore_music.cues import Cues
from rescore_music.io.files import atomic_write
from rescore_music.io.picture.otio import KEY, package
from rescore_music.stage.session import Item, Session


def write_timeline(session: Session, cues: Cues, path: str | Path) -> None:
    """Write a .otio.

    Raises
    ------
    MissingExtra
        If opentimelineio is not installed.
    WriteError
        If the file cannot be written.
    """
    otio = package()
    schema, rate = otio.schema, session.start.rate
    items = [*([session.video] if session.video else []), *session.sounds]
    base = min([Fraction(0), *(item.position for item in items)])
    first = round((session.origin_seconds + base) * rate.fps)
    while first < 0:  # free bars before midnight belong to the day before
        first += 24 * rate.frames_per_hour
    fps = float(rate.fps)
    timeline = schema.Timeline(session.title, global_start_time=otio.opentime.RationalTime(first, fps))
    timeline.metadata[KEY] = {"drop": rate.drop, "rate": rate.name}
    sounds = 0
    for item in items:
        sounds += bool(item.rate)
        kind = schema.TrackKind.Audio if item.rate else schema.TrackKind.Video
        track = schema.Track(f"A{sounds}" if item.rate else "V1", kind=kind)
        track.metadata[KEY] = {"track": track.name}
        _fill(otio, track, item, session, base)
        timeline.tracks.append(track)
    zero = round((session.origin_seconds + base) * rate.fps)
    for number, hit in enumerate(cues.hits, 1):
        span = otio.opentime.TimeRange(
            otio.opentime.RationalTime(hit.frame - zero, fps), otio.opentime.RationalTime(1, fps)
        )
        colour = schema.MarkerColor.RED if hit.hard else schema.MarkerColor.YELLOW
        timeline.tracks.markers.append(schema.Marker(hit.label or f"hit {number}", span, colour))
    text = otio.adapters.write_to_string(timeline, "otio_json")
    atomic_write(path, text.encode("utf-8"))


def _fill(otio: Any, track: Any, item: Item, session: Session, base: Fraction) -> None:
    """One gap and one clip."""
    time, rate = otio.opentime.RationalTime, session.start.rate
    fps = float(rate.fps)
    lead = round((item.position - base) * rate.fps)
    frames = max(round(item.seconds * rate.fps), 1)
    at = session.origin_seconds + item.position
    if item.rate:
        start, length = time(round(at * item.rate), item.rate), time(round(item.seconds * item.rate), item.rate)
    else:
        start, length = time(round(at * rate.fps), fps), time(frames, fps)
    media = otio.schema.ExternalReference(item.file, otio.opentime.TimeRange(start, length))
    media.name = item.name
    if lead:
        track.append(otio.schema.Gap(duration=time(lead, fps)))
    source = otio.opentime.TimeRange(time(round(at * rate.fps), fps), time(frames, fps))
    track.append(otio.schema.Clip(item.name, media, source))
