"""What an AAF composition says, as an edit list: shots, transitions, speeds and markers.

Conventions of the format: times count edit units of the slot they stand in (frames for picture, samples or frames for
sound) from its beginning; a composition's own timecode is a slot beside the picture. A transition overlaps the two
shots it joins, so the later one begins where the transition does, as in `edits`. Picture tracks are slots of their own
or, as Media Composer writes them, the slots of a nested scope, the topmost last; a reference to a lower slot is a hole.
Speed is an operation group marked as time warp: a straight map of offsets tells it exactly, otherwise `SpeedRatio`,
which is length shown over length used. Markers are events in slots of their own.

What an effect does to a picture is left out and told; of several sequences the first top-level one is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rescore_music.edits import BLACK, DISSOLVE, WIPE, Edit, EditList, PictureMarker, source_span, told
from rescore_music.errors import ReadError
from rescore_music.io.limits import EDIT_DEPTH, EDITS
from rescore_music.io.picture.aaf_source import Sources, exact_rate, fraction, kind, text, timecode_rate, timecodes
from rescore_music.io.picture.aaf_speed import color_of, is_time_warp, speed_of, wipe_of
from rescore_music.io.picture.common import Remarks, agreed_rate, check_count, check_frame
from rescore_music.io.picture.crop import cropped, uncovered
from rescore_music.timecode import FrameRate

HOLES = ("Filler", "ScopeReference")


def read_composition(file: Any, path: Path, rate: FrameRate | None) -> EditList:
    """The first top-level composition of an open file."""
    every = list(file.content.compositionmobs())
    top = [mob for mob in every if mob.getvalue("UsageCode") == "Usage_TopLevel"] or every
    top = [mob for mob in top if _slots(mob, "Picture")] or top
    if not top:
        raise ReadError("the file holds no sequence", file=path, cure="export a sequence, not a bin")
    remarks: Remarks = [("file", "further sequences left out", True)] * (len(top) - 1)
    return _Reader(file, top[0], path, rate, remarks).result()


def _slots(mob: Any, media: str) -> list[Any]:
    """The timeline slots of a kind of media, by physical track where that is told."""
    found = []
    for slot in mob.slots:
        if kind(slot) == "TimelineMobSlot" and str(slot.media_kind or "").endswith(media):
            found.append(slot)
    return sorted(found, key=lambda slot: int(slot.getvalue("PhysicalTrackNumber") or 0))


def _is_edited(slot: Any) -> bool:
    """Whether a slot holds more than one clip."""
    segment = slot.segment
    return kind(segment) == "NestedScope" or (kind(segment) == "Sequence" and len(segment.components) > 1)


@dataclass
class _Reader:
    file: Any
    mob: Any
    path: Path
    given: FrameRate | None
    remarks: Remarks = field(default_factory=list)
    items: int = 0

    def result(self) -> EditList:
        self._find_rate()
        self.sources = Sources(self.file, self.rate)
        edits: list[Edit] = []
        for media, letter in (("Picture", "V"), ("Sound", "A")):
            last = 0
            for slot in _slots(self.mob, media):
                scale = self.rate.fps / self._edit_rate(slot)
                scoped = kind(slot.segment) == "NestedScope"
                first = max(last + 1, int(slot.getvalue("PhysicalTrackNumber") or 0))
                for last, segment in enumerate(slot.segment.slots if scoped else [slot.segment], first):
                    name = f"{letter}{min(last, 999)}"
                    edits += self._segment(segment, name, Fraction(self.zero), scale, 0)
                    check_count(len(edits), self.path)
        markers = [m for slot in self.mob.slots if kind(slot) == "EventMobSlot" for m in self._markers(slot)]
        title = text(self.mob.getvalue("Name"))
        return EditList(title, self.rate, tuple(edits), tuple(markers), told(self.remarks), source=str(self.path))

    # -- rate and times

    def _edit_rate(self, slot: Any) -> Fraction:
        rate = fraction(slot["EditRate"].value)
        if rate <= 0:
            raise ReadError(f"an edit rate of {rate}", file=self.path, cure="export it again")
        near = exact_rate(rate)
        return near.fps if near is not None else rate

    def _find_rate(self) -> None:
        """The picture's rate, and the timecode that counts at it."""
        codes = timecodes(self.mob)
        for slot in [*_slots(self.mob, "Picture"), *codes]:
            found = exact_rate(slot["EditRate"].value)
            if found is not None:
                break
        else:
            if self.given is None:
                raise ReadError("the sequence tells no frame rate", file=self.path, cure="give it, such as 23.976")
            found = self.given
        counts = [(slot, timecode_rate(slot)) for slot in codes]
        same = [(slot, count) for slot, count in counts if count is not None and count.fps == found.fps]
        if same:
            found = same[0][1]
            zero = int(same[0][0].segment.start) + int(same[0][0].getvalue("Origin") or 0)
        else:
            found, zero = self._uncounted(found, counts)
        self.rate = agreed_rate(found, self.given, self.path)
        self.zero = check_frame(zero, self.path, "timecode")

    def _uncounted(self, found: FrameRate, counts: list[tuple[Any, FrameRate | None]]) -> tuple[FrameRate, int]:
        """The start where no timecode counts the picture's frames: from another count, or 0."""
        if self.given is not None and self.given.fps == found.fps:
            found = self.given  # the file does not tell the count
        other = next(((slot, count) for slot, count in counts if count is not None), None)
        if other is None:
            self.remarks.append(("timecode", "no start timecode: counted from 00:00:00:00", False))
            return found, 0
        slot, count = other
        self.remarks.append(("timecode", f"counts at {count}, the picture runs at {found}", False))
        return found, round(int(slot.segment.start) * found.nominal / Fraction(count.nominal))

    def _whole(self, frames: Fraction, where: str) -> int:
        if frames.denominator != 1:
            self.remarks.append((where, "time between frames moved to the nearest", False))
        return check_frame(round(frames), self.path, where)

    # -- the tree

    def _segment(self, segment: Any, name: str, at: Fraction, scale: Fraction, depth: int) -> list[Edit]:
        """The edits of a segment that begins at `at`, in frames of the list; `scale` is frames an edit unit."""
        if depth > EDIT_DEPTH:
            raise ReadError(f"parts nested more than {EDIT_DEPTH} deep", file=self.path, cure="export one sequence")
        if kind(segment) != "Sequence":
            return self._item(segment, name, at, scale, depth, fades=False)
        line: list[Edit] = []
        pending: Any = None
        for component in segment.components:
            self.items += 1
            check_count(self.items, self.path)
            where = f"{name}, part {self.items}"
            if kind(component) == "Transition":
                at -= int(component.length or 0) * scale
                start = self._whole(max(at, Fraction(0)), where)
                while line and line[-1].record_end > start:
                    kept = cropped(line.pop(), self.rate, end=start)
                    if kept is not None:
                        line.append(kept)
                        break
                pending = component
                continue
            made = self._item(component, name, at, scale, depth, fades=pending is not None)
            if pending is not None:
                made = self._entered(made, pending, line[-1] if line else None, scale)
                pending = None
            line += made
            at += int(component.length or 0) * scale
        if pending is not None:
            self.remarks.append((name, "transition after the last shot left out", True))
        return line

    def _item(self, item: Any, name: str, at: Fraction, scale: Fraction, depth: int, *, fades: bool) -> list[Edit]:
        where = f"{name}, part {self.items}"
        length = int(item.length or 0)
        start, end = self._whole(at, where), self._whole(at + length * scale, where)
        what = kind(item)
        if what in HOLES:
            return [Edit(start, end, 0, end - start, BLACK, track=name)] if fades and end > start else []
        if end <= start:
            self.remarks.append((where, "shot shorter than a frame left out", True))
            return []
        if what == "Selector":
            chosen = item.getvalue("Selected")
            if kind(chosen) in HOLES:
                self.remarks.append((where, "disabled clip left out", False))
                return []
            return self._segment(chosen, name, at, scale, depth + 1)
        if what == "NestedScope":
            return self._layers(list(item.slots), name, at, scale, depth, (start, end))
        if what == "Sequence":
            made = (cropped(edit, self.rate, start, end) for edit in self._segment(item, name, at, scale, depth + 1))
            return [edit for edit in made if edit is not None]
        if what == "OperationGroup":
            return self._operation(item, name, at, scale, depth, (start, end))
        if what in ("EssenceGroup", "Pulldown"):
            chosen = next(iter(item.getvalue("Choices") or ()), None) or item.getvalue("InputSegment")
            return [] if chosen is None else self._segment(chosen, name, at, scale, depth + 1)
        if what == "SourceClip":
            return [self._clip(item, name, start, end, scale, Fraction(1), Fraction(0))]
        self.remarks.append((where, f"{what[:40]} left out", True))
        return []

    def _layers(
        self, layers: list[Any], name: str, at: Fraction, scale: Fraction, depth: int, bounds: tuple[int, int]
    ) -> list[Edit]:
        """What is seen of layers over each other, the topmost last."""
        self.remarks.append((f"{name}, part {self.items}", "nested composition flattened", False))
        seen: list[Edit] = []
        for layer in reversed(layers):
            above = sorted(seen, key=lambda edit: edit.record_start)
            for edit in self._segment(layer, name, at, scale, depth + 1):
                seen += uncovered(cropped(edit, self.rate, *bounds), above, self.rate)
                check_count(len(seen), self.path)
        return sorted(seen, key=lambda edit: edit.record_start)

    def _operation(
        self, group: Any, name: str, at: Fraction, scale: Fraction, depth: int, bounds: tuple[int, int]
    ) -> list[Edit]:
        where = f"{name}, part {self.items}"
        inputs = list(group.getvalue("InputSegments") or ())[:EDITS]
        title = text(group.operation.getvalue("Name"))[:40]
        if is_time_warp(group):
            speed, offset, remark = speed_of(group)
            if remark:
                self.remarks.append((where, remark, True))
            clip = self._warped(inputs, where)
            return [] if clip is None else [self._clip(clip, name, *bounds, scale, speed, offset)]
        if name.startswith("V"):
            self.remarks.append((where, f"effect '{title}' left out", False))
        if len(inputs) > 1 and title == "Submaster":
            return self._layers(inputs, name, at, scale, depth, bounds)
        if not inputs:
            return [Edit(*bounds, 0, bounds[1] - bounds[0], title, title, track=name)]  # a title or other generator
        return self._segment(inputs[0], name, at, scale, depth + 1)

    def _warped(self, inputs: list[Any], where: str) -> Any:
        """The clip under a change of speed; effects between them do not move it."""
        item = inputs[0] if inputs else None
        for _ in range(EDIT_DEPTH):
            if item is None or kind(item) == "SourceClip":
                break
            if kind(item) == "Sequence":
                parts = [c for c in item.components if kind(c) not in (*HOLES, "Transition")]
                if len(parts) > 1:
                    self.remarks.append((where, "change of speed over several shots: only the first is told", True))
                item = parts[0] if parts else None
            elif kind(item) == "OperationGroup":
                item = next(iter(item.getvalue("InputSegments") or ()), None)
            elif kind(item) == "Selector":
                item = item.getvalue("Selected")
            else:
                item = None
        if item is None or kind(item) != "SourceClip":
            self.remarks.append((where, "change of speed without a shot left out", True))
            return None
        return item

    def _clip(
        self, clip: Any, name: str, start: int, end: int, scale: Fraction, speed: Fraction, offset: Fraction
    ) -> Edit:
        where = f"{name}, part {self.items}"
        source = self.sources.find(clip, offset, self.rate.fps / scale)
        enters, used = source.at, (end - start) * abs(speed) * source.rate.fps / self.rate.fps
        mob = self.sources.mob_of(clip)
        if mob is None:
            self.remarks.append((where, "shot whose source the file does not hold", False))
        elif kind(mob) == "CompositionMob" and any(map(_is_edited, _slots(mob, "Picture") or _slots(mob, "Sound"))):
            self.remarks.append((where, "nested sequence taken as one shot", False))
        if enters < 0:
            self.remarks.append((where, "shot that begins before its source", False))
        return Edit(
            start, end, *source_span(enters, used, speed), source.reel, source.clip, source.file, name,
            speed=speed, source_rate=source.rate,
        )  # fmt: skip

    def _entered(self, made: list[Edit], transition: Any, before: Edit | None, scale: Fraction) -> list[Edit]:
        """The incoming shot with its transition, which begins where it does."""
        length = round(int(transition.length or 0) * scale)
        if not made or length <= 0:
            return made
        first = made[0]
        wipe = wipe_of(transition)
        left = BLACK if before is None or before.record_end != first.record_start else before.reel
        first = replace(
            first,
            transition=DISSOLVE if wipe is None else WIPE,
            transition_length=min(length, first.frames),
            outgoing=left,
            wipe=wipe or "",
        )
        return [first, *made[1:]]

    def _markers(self, slot: Any) -> list[PictureMarker]:
        scale = self.rate.fps / self._edit_rate(slot)
        segment = slot.segment
        events = segment.components if kind(segment) == "Sequence" else [segment]
        found: list[PictureMarker] = []
        for event in events:
            self.items += 1
            check_count(self.items, self.path)
            where = f"marker {self.items}"
            if kind(event) not in ("DescriptiveMarker", "CommentMarker"):
                continue
            said = text(event.getvalue("Comment") or event.getvalue("Annotation"))
            frame = self._whole(self.zero + int(event.getvalue("Position") or 0) * scale, where)
            length = max(round(int(event.getvalue("Length") or 1) * scale), 1)
            found.append(PictureMarker(frame, said, color_of(event), length))
        return found
