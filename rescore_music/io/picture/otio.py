"""OpenTimelineIO (.otio), through its own package (Apache-2.0, the extra `picture`).

OTIO counts frames as float values at float rates. Both are mapped back: the rate to the exact one it rounds, the value
to the whole frame (told where it is none), so that nothing drifts. What OTIO has no field for (drop count, exact speed,
reel, wipe number, source end) is kept in the metadata under `rescore_music`. A transition is written to begin on the
cut (`in_offset` 0) and read wherever it lies. Nested stacks and tracks are flattened into the track they stand in,
where the topmost shot is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rescore_music.edits import BLACK, DISSOLVE, WIPE, Edit, EditList, PictureMarker, source_span, told
from rescore_music.elements import LogItem
from rescore_music.errors import MissingExtra, ReadError, RescoreError
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import EDIT_BYTES, EDIT_DEPTH, TEXT
from rescore_music.io.picture.common import Remarks, agreed_rate, check_count, check_frame
from rescore_music.io.picture.crop import cropped, entered_earlier, uncovered
from rescore_music.io.picture.otio_check import checked
from rescore_music.timecode import FrameRate

KEY = "rescore_music"


def package() -> Any:
    """The package opentimelineio, or what to do to have it."""
    try:
        import opentimelineio
    except ImportError as error:
        what = "OTIO files need the package opentimelineio"
        raise MissingExtra(what, cure="pip install rescore-music[picture]") from error
    return opentimelineio


# -- reading -------------------------------------------------------------------------------------------------------


def read_otio(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read an .otio file; see `read_edits`."""
    otio = package()
    data = read_bytes(path, EDIT_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ReadError("not UTF-8 text", file=path, cure="export it again") from problem
    text = checked(text, path)
    try:
        timeline = otio.adapters.read_from_string(text, "otio_json")
    except Exception as problem:  # the package's errors derive from nothing in common
        said = " ".join(str(problem).split())[:200]
        raise ReadError(f"not an OTIO file: {said}", file=path, cure="export it again") from problem
    if isinstance(timeline, otio.schema.SerializableCollection):
        timeline = next(iter(timeline.find_children(otio.schema.Timeline)), timeline)
    if not isinstance(timeline, otio.schema.Timeline):
        what = f"the file holds a {type(timeline).__name__}, not a timeline"
        raise ReadError(what, file=path, cure="export a timeline")
    return _Reader(otio, timeline, path, rate).result()


def _exact(number: float, path: Path, where: str) -> Fraction:
    if not abs(number) < 1e15:
        raise ReadError(f"a time of {number:g} frames", file=path, where=where, cure="export it again")
    near = round(number)
    return Fraction(near) if abs(number - near) < 1e-6 * max(1, abs(number) * 1e-6) else Fraction(number)


@dataclass
class _Reader:
    otio: Any
    timeline: Any
    path: Path
    given: FrameRate | None
    remarks: Remarks = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    markers: list[PictureMarker] = field(default_factory=list)
    items: int = 0

    def result(self) -> EditList:
        start = self.timeline.global_start_time
        self.rate = self._list_rate(start)
        self.zero = self._frames(start, "global start") if start is not None else Fraction(0)
        counts = {"Video": 0, "Audio": 0}
        for track in self.timeline.tracks:
            kind = str(getattr(track, "kind", "Video"))
            letter = "A" if kind == "Audio" else "V"
            if kind not in counts:
                self.remarks.append((kind[:40], "track that is neither picture nor sound left out", True))
                continue
            counts[kind] += 1
            name = str(self._own(track).get("track", ""))
            known = name if re.fullmatch(r"[VA]\d{1,3}|NONE", name) else f"{letter}{counts[kind]}"
            if track.enabled:
                self._track(track, known, self.zero, 0)
        self._marks(self.timeline.tracks, self.zero, Fraction(0))
        return EditList(
            str(self.timeline.name or "")[:TEXT],
            self.rate,
            tuple(self.edits),
            tuple(self.markers),
            told(self.remarks),
            source=str(self.path),
        )

    # -- times

    def _own(self, item: Any) -> Mapping[str, Any]:
        found = item.metadata.get(KEY, {})
        return found if hasattr(found, "get") else {}

    def _rate(self, number: float, where: str) -> FrameRate:
        try:
            return FrameRate.parse(f"{number:.9f}".rstrip("0").rstrip("."))
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=where, cure=problem.cure) from problem

    def _list_rate(self, start: Any) -> FrameRate:
        time = start
        if time is None:
            clips = self.timeline.find_clips()
            ranges = (clip.source_range for clip in clips if clip.source_range is not None)
            time = next((r.duration for r in ranges), None)
        if time is None:
            if self.given is None:
                raise ReadError("the timeline tells no rate", file=self.path, cure="give it, such as 23.976")
            return self.given
        found = self._rate(time.rate, "global start")
        own = self._own(self.timeline)
        if "drop" in own:
            found = self._counted(found, bool(own["drop"]))
        elif self.given is not None and self.given.fps == found.fps:
            found = self.given  # the file does not tell the count
        return agreed_rate(found, self.given, self.path)

    def _counted(self, rate: FrameRate, drop: bool) -> FrameRate:
        try:
            return FrameRate(rate.fps, drop)
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where="metadata", cure=problem.cure) from problem

    def _frames(self, time: Any, where: str) -> Fraction:
        """A time in frames of the list, exactly."""
        value = _exact(time.value, self.path, where)
        if abs(time.rate - float(self.rate.fps)) < 1e-6:
            return value
        return value / self._rate(time.rate, where).fps * self.rate.fps

    def _whole(self, frames: Fraction, where: str) -> int:
        if frames.denominator != 1:
            self.remarks.append((where, "time between frames moved to the nearest", False))
        return check_frame(round(frames), self.path, where)

    # -- the tree

    def _track(self, track: Any, name: str, at: Fraction, depth: int) -> None:
        for edit in self._laid(track, name, at, depth):
            self.edits.append(edit)
            check_count(len(self.edits), self.path)
        self._marks(track, at, Fraction(0))

    def _laid(self, track: Any, name: str, at: Fraction, depth: int) -> Iterator[Edit]:
        """The edits of a track that begins at `at`, in frames of the list."""
        if depth > EDIT_DEPTH:
            raise ReadError(f"tracks nested more than {EDIT_DEPTH} deep", file=self.path, cure="flatten the timeline")
        pending: Any = None
        before: Edit | None = None
        line: list[Edit] = []
        schema = self.otio.schema
        for item in track:
            self.items += 1
            check_count(self.items, self.path)
            where = f"{name}, '{str(getattr(item, 'name', ''))[:40]}'"
            if isinstance(item, schema.Transition):
                pending = item
                begin = at - self._frames(item.in_offset, where)
                if line and line[-1].record_end > begin:
                    kept = cropped(line.pop(), self.rate, end=self._whole(begin, where))
                    line += [kept] if kept is not None else []
                continue
            length = self._frames(self._duration(item, where), where)
            made = self._item(item, name, at, length, where, depth, fades=pending is not None)
            if pending is not None:
                made = self._entered(made, pending, line[-1] if line else None, at, where)
                pending = None
            line += made
            before = made[-1] if made else None
            at += length
        if pending is not None and before is not None:
            line += self._faded(pending, before, name, at)
        yield from line

    def _duration(self, item: Any, where: str) -> Any:
        try:
            return item.trimmed_range().duration
        except Exception as problem:  # a clip that tells neither its range nor its media's
            raise ReadError(
                "an item without a length", file=self.path, where=where, cure="export it again"
            ) from problem

    def _item(
        self, item: Any, name: str, at: Fraction, length: Fraction, where: str, depth: int, *, fades: bool
    ) -> list[Edit]:
        schema = self.otio.schema
        start, end = self._whole(at, where), self._whole(at + length, where)
        if isinstance(item, schema.Gap):
            self._marks(item, at, self._frames(item.trimmed_range().start_time, where))
            black = fades and end > start
            return [Edit(start, end, 0, end - start, BLACK, track=name)] if black else []
        if isinstance(item, schema.Track | schema.Stack):
            return self._nested(item, name, at, start, end, where, depth)
        self._marks(item, at, self._frames(item.trimmed_range().start_time, where))
        if not item.enabled:
            self.remarks.append((where, "disabled clip left out", False))
            return []
        if end <= start:
            self.remarks.append((where, "shot shorter than a frame left out", True))
            return []
        return [self._clip(item, name, start, end, where)]

    def _nested(self, item: Any, name: str, at: Fraction, start: int, end: int, where: str, depth: int) -> list[Edit]:
        """What is seen of a nested composition: the topmost shot at each moment."""
        trimmed = item.trimmed_range().start_time
        inner = at - self._frames(trimmed, where)
        self.remarks.append((where, "nested composition flattened", False))
        schema = self.otio.schema
        layers = list(item) if isinstance(item, schema.Stack) else [item]
        seen: list[Edit] = []
        for layer in reversed(layers):  # from the top down: what lies under an edit is not seen
            if not isinstance(layer, schema.Track):
                holder = schema.Track()
                holder.append(layer.deepcopy())
                layer = holder
            if str(layer.kind) == "Audio" and name.startswith("V"):
                continue
            above = sorted(seen, key=lambda edit: edit.record_start)
            for edit in self._laid(layer, name, inner, depth + 1):
                seen += uncovered(cropped(edit, self.rate, start, end), above, self.rate)
                check_count(len(seen), self.path)
        return sorted(seen, key=lambda edit: edit.record_start)

    def _entered(self, made: list[Edit], transition: Any, before: Edit | None, at: Fraction, where: str) -> list[Edit]:
        """Begin the incoming shot where its transition does."""
        early = self._frames(transition.in_offset, where)
        length = self._whole(early + self._frames(transition.out_offset, where), where)
        if not made or not length:
            return made
        first, shift = made[0], self._whole(early, where)
        first = entered_earlier(first, self.rate, shift)
        start = first.record_start
        name = str(self._own(transition).get("wipe", ""))
        dissolve = transition.transition_type == "SMPTE_Dissolve" or not transition.transition_type
        left = BLACK if before is None or before.record_end != start else before.reel
        first = replace(
            first,
            transition=DISSOLVE if dissolve else WIPE,
            transition_length=min(length, first.record_end - start),
            outgoing=str(self._own(transition).get("outgoing", left))[:TEXT],
            wipe="" if dissolve else name[:TEXT],
        )
        return [first, *made[1:]]

    def _faded(self, transition: Any, before: Edit, name: str, at: Fraction) -> list[Edit]:
        """A transition after the last shot: to black."""
        where = f"{name}, last transition"
        start = self._whole(at - self._frames(transition.in_offset, where), where)
        length = self._whole(self._frames(transition.out_offset, where), where) + self._whole(at, where) - start
        if length <= 0:
            return []
        return [Edit(start, start + length, 0, length, BLACK, "", "", name, DISSOLVE, length, before.reel)]

    def _clip(self, clip: Any, name: str, start: int, end: int, where: str) -> Edit:
        own = self._own(clip)
        time = clip.trimmed_range().start_time
        rate = self._rate(time.rate, where)
        rate = self._counted(rate, bool(own.get("drop", self.rate.drop and rate.fps == self.rate.fps)))
        enters = _exact(time.value, self.path, where)
        speed = self._speed(clip, own, where)
        media = clip.media_reference
        file = str(getattr(media, "target_url", "") or "")
        black = getattr(media, "generator_kind", "") == "black"
        reel = BLACK if black else str(own.get("reel", getattr(media, "name", "") or clip.name or ""))
        if enters < 0:
            self.remarks.append((where, "shot that begins before its source", False))
        used = (end - start) * abs(speed) * rate.fps / self.rate.fps
        span = source_span(enters + used if speed < 0 else enters, used, speed)
        ours = (own.get("source_start"), own.get("frames"))  # valid until another program trims the clip
        if ours == (enters, end - start) and isinstance(own.get("source_end"), int):
            span = own["source_start"], own["source_end"]
        try:
            return Edit(start, end, *span, reel[:TEXT], str(own.get("clip", "" if black else clip.name or ""))[:TEXT],
                        file[:TEXT], name, speed=speed, source_rate=rate)  # fmt: skip
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=where, cure=problem.cure) from problem

    def _speed(self, clip: Any, own: Mapping[str, Any], where: str) -> Fraction:
        speed = Fraction(1)
        for effect in clip.effects:
            if isinstance(effect, self.otio.schema.LinearTimeWarp):
                scalar = float(effect.time_scalar)
                if not abs(scalar) < 1e6:
                    raise ReadError(f"a speed of {scalar:g}", file=self.path, where=where, cure="export it again")
                speed *= Fraction(scalar).limit_denominator(10_000)
            else:
                self.remarks.append((where, f"effect {type(effect).__name__} left out", False))
        exact = str(own.get("speed", ""))
        if re.fullmatch(r"-?\d{1,12}(/[1-9]\d{0,11})?", exact) and abs(float(Fraction(exact)) - float(speed)) < 1e-4:
            return Fraction(exact)
        return speed

    def _marks(self, item: Any, at: Fraction, own_start: Fraction) -> None:
        for marker in item.markers:
            where = f"marker '{str(marker.name)[:40]}'"
            frame = at + self._frames(marker.marked_range.start_time, where) - own_start
            length = max(round(self._frames(marker.marked_range.duration, where)), 1)
            color = str(self._own(marker).get("color", marker.color or ""))[:TEXT]
            self.markers.append(PictureMarker(self._whole(frame, where), str(marker.name)[:TEXT], color, length))
            check_count(len(self.markers), self.path)


def write_otio(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write an .otio file; see `write_edits`."""
    from rescore_music.io.picture.otio_write import write

    return write(edits, path)
