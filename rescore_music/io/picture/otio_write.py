"""OpenTimelineIO (.otio), written: one track a track, transitions that begin on the cut, the rest in the metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rescore_music.edits import BLACK, DISSOLVE, Edit, EditList, PictureMarker
from rescore_music.elements import LogItem
from rescore_music.errors import WriteError
from rescore_music.io.files import atomic_write
from rescore_music.io.picture.common import label_of
from rescore_music.io.picture.otio import KEY, package
from rescore_music.timecode import FrameRate


def write(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write the timeline; OTIO's metadata keeps what it has no field for."""
    otio = package()
    schema, rate = otio.schema, edits.rate
    start = min((e.record_start for e in edits.edits), default=0)
    begin = otio.opentime.RationalTime(start, float(rate.fps))
    timeline = schema.Timeline(edits.title, global_start_time=begin)
    timeline.metadata[KEY] = {"drop": rate.drop, "rate": rate.name}
    for name in edits.tracks:
        kind = schema.TrackKind.Audio if name.startswith("A") else schema.TrackKind.Video
        track = schema.Track(name, kind=kind)
        track.metadata[KEY] = {"track": name}
        _fill(otio, track, edits, name, start, path)
        timeline.tracks.append(track)
    for marker in edits.markers:
        timeline.tracks.markers.append(_marker(otio, marker, start, rate))
    text = otio.adapters.write_to_string(timeline, "otio_json")
    atomic_write(path, text.encode("utf-8"))
    return ()


def _fill(otio: Any, track: Any, edits: EditList, name: str, start: int, path: Path) -> None:
    schema, time = otio.schema, otio.opentime.RationalTime
    fps, at = float(edits.rate.fps), start
    for edit in edits.on(name):
        if edit.record_start < at:
            where = f"{name}, {label_of(edit.record_start, edits.rate)}"
            raise WriteError("two shots overlap", file=path, where=where, cure="use two tracks")
        if edit.record_start > at:
            track.append(schema.Gap(duration=time(edit.record_start - at, fps)))
        if edit.transition_length:
            kind = "SMPTE_Dissolve" if edit.transition == DISSOLVE else "Custom_Transition"
            keep = {"outgoing": edit.outgoing, "wipe": edit.wipe}
            transition = schema.Transition("", kind, time(0, fps), time(edit.transition_length, fps))
            transition.metadata[KEY] = keep
            track.append(transition)
        track.append(_clip(otio, edit, edits.rate))
        at = edit.record_end


def _clip(otio: Any, edit: Edit, rate: FrameRate) -> Any:
    schema, time = otio.schema, otio.opentime.RationalTime
    own = edit.source_rate or rate
    media = schema.GeneratorReference(BLACK, "black") if edit.black else schema.ExternalReference(edit.file)
    if not edit.black:
        media.name = edit.reel
    span = otio.opentime.TimeRange(time(edit.source_start, float(own.fps)), time(edit.frames, float(rate.fps)))
    clip = schema.Clip(edit.clip or edit.reel, media, span)
    clip.metadata[KEY] = {
        "reel": edit.reel,
        "clip": edit.clip,
        "drop": own.drop,
        "speed": str(edit.speed),
        "source_start": edit.source_start,
        "source_end": edit.source_end,
        "frames": edit.frames,
    }
    if edit.speed == 0:
        clip.effects.append(schema.FreezeFrame())
    elif edit.speed != 1:
        clip.effects.append(schema.LinearTimeWarp("", float(edit.speed)))
    return clip


def _marker(otio: Any, marker: PictureMarker, start: int, rate: FrameRate) -> Any:
    schema, time, fps = otio.schema, otio.opentime.RationalTime, float(rate.fps)
    span = otio.opentime.TimeRange(time(marker.frame - start, fps), time(marker.length, fps))
    known = marker.color.upper() if hasattr(schema.MarkerColor, marker.color.upper()) else schema.MarkerColor.WHITE
    made = schema.Marker(marker.text, span, known)
    made.metadata[KEY] = {"color": marker.color}
    return made
