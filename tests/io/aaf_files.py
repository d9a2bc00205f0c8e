"""AAF files for the tests of `io.picture.aaf`, built by pyaaf2 from its own objects; the reader is not used here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from rescore_music.edits import Edit, EditList
from rescore_music.timecode import FrameRate

DISSOLVE = "0c3bea40-fc05-11d2-8a29-0050040ef7d2"
WIPE = "0c3bea44-fc05-11d2-8a29-0050040ef7d2"
LINEAR = "5b6c85a4-0ede-11d3-80a9-006008143e6f"


class Aaf:
    """One file being built; lengths are in edit units of its rate."""

    def __init__(self, path: Path, rate: FrameRate, start: int, *, name: str = "reel 3", code: bool = True) -> None:
        import aaf2

        self.package, self.rate, self.path = aaf2, rate, path
        self.file = aaf2.open(str(path), "w")
        self.reel = self.file.create.CompositionMob(name)
        self.reel.name = name  # the package calls a nameless one "Mob"
        self.reel.usage = "Usage_TopLevel"
        self.file.content.mobs.append(self.reel)
        if code:
            self.timecode(self.reel, rate, start)
        self._known: dict[str, Any] = {}

    def timecode(self, mob: Any, rate: FrameRate, start: int, *, labels: int = 0) -> Any:
        """A timecode slot."""
        slot = mob.create_timeline_slot(str(rate.fps))
        slot.segment = self.file.create.Timecode(labels or rate.nominal, drop=rate.drop, length=10_000_000)
        slot.segment.start = start
        slot["PhysicalTrackNumber"].value = 1
        return slot

    def source(self, tape: str, rate: FrameRate, start: int, *, clip: str = "", url: str = "", shift: int = 0) -> Any:
        """A master clip of a file from a tape with a timecode; the file begins `shift` frames into the tape."""
        create, mobs = self.file.create, self.file.content.mobs
        reel, file, master = create.SourceMob(tape), create.SourceMob(), create.MasterMob(clip or tape)
        for mob in (reel, file, master):
            mobs.append(mob)
        reel.descriptor = create.TapeDescriptor()
        reel.create_empty_slot(str(rate.fps), slot_id=1).segment.length = 10_000_000
        self.timecode(reel, rate, start)
        file.descriptor = create.CDCIDescriptor()
        for name, value in (("ComponentWidth", 8), ("HorizontalSubsampling", 2), ("StoredWidth", 16), ("Length", 9)):
            file.descriptor[name].value = value
        file.descriptor["StoredHeight"].value = 9
        file.descriptor["SampleRate"].value = str(rate.fps)
        file.descriptor["FrameLayout"].value = "FullFrame"
        file.descriptor["VideoLineMap"].value = [0, 0]
        file.descriptor["ImageAspectRatio"].value = "16/9"
        if url:
            locator = create.NetworkLocator()
            locator["URLString"].value = url
            file.descriptor["Locator"].append(locator)
        slot = file.create_timeline_slot(str(rate.fps))
        slot.segment = reel.create_source_clip(1, start=shift, length=9_000_000, media_kind="picture")
        slot = master.create_timeline_slot(str(rate.fps))
        slot.segment = file.create_source_clip(1, start=0, length=9_000_000, media_kind="picture")
        return master

    def clip(self, master: Any, start: int, length: int, kind: str = "picture") -> Any:
        """A stretch of a master clip."""
        return master.create_source_clip(1, start=start, length=length, media_kind=kind)

    def gap(self, length: int, kind: str = "picture") -> Any:
        return self.file.create.Filler(kind, length)

    def hole(self, length: int) -> Any:
        made = self.file.create.ScopeReference("picture", length)
        made["RelativeScope"].value, made["RelativeSlot"].value = 0, 1
        return made

    def operation(self, name: str, key: str = "", *, warp: bool = False, inputs: int = 1) -> Any:
        """An operation's definition, made once."""
        from aaf2.auid import AUID

        if name not in self._known:
            made = self.file.create.OperationDef(AUID(key or str(uuid5(UUID(DISSOLVE), name))), name)
            self.file.dictionary.register_def(made)
            made.media_kind = "picture"
            made["IsTimeWarp"].value = warp
            made["NumberInputs"].value = inputs
            self._known[name] = made
        return self._known[name]

    def parameter(self, name: str, kind: str = "Rational") -> Any:
        from aaf2.auid import AUID

        if name not in self._known:
            made = self.file.create.ParameterDef(
                AUID(str(uuid5(UUID(WIPE), name))), name, "", self.file.dictionary.lookup_typedef(kind)
            )
            self.file.dictionary.register_def(made)
            self._known[name] = made
        return self._known[name]

    def constant(self, name: str, value: Any, kind: str = "Rational") -> Any:
        parameter = self.parameter(name, kind)
        return self.file.create.ConstantValue(parameter, value)

    def curve(self, name: str, *points: tuple[Any, Any]) -> Any:
        """A parameter that moves in straight lines."""
        from aaf2.auid import AUID

        if LINEAR not in self._known:
            self._known[LINEAR] = self.file.create.InterpolationDef(AUID(LINEAR), "LinearInterp", "")
            self.file.dictionary.register_def(self._known[LINEAR])
        made = self.file.create.VaryingValue()
        made.parameterdef = self.parameter(name)
        made["Interpolation"].value = self._known[LINEAR]
        for time, value in points:
            point = self.file.create.ControlPoint()
            point["ControlPointSource"].value = 2
            point["Time"].value = self.package.rational.AAFRational(Fraction(time))
            point["Value"].add_pid_entry()
            number = self.package.rational.AAFRational(Fraction(value))
            point["Value"].data = point["Value"].typedef.encode(number, made.typedef)
            made["PointList"].append(point)
        return made

    def group(self, name: str, length: int, segments: Sequence[Any], *parameters: Any, **more: Any) -> Any:
        """An effect, or with `warp` a change of speed."""
        operation = self.operation(name, **more)  # first: the package's factory makes one thing at a time
        made = self.file.create.OperationGroup(operation, length, "picture")
        made.segments.extend(segments)
        for parameter in parameters:
            made.parameters.append(parameter)
        return made

    def transition(self, length: int, cut: int, name: str = "Video Dissolve", *parameters: Any, key: str = "") -> Any:
        made = self.file.create.Transition("picture", length)
        made["OperationGroup"].value = self.group(name, length, (), *parameters, key=key, inputs=2)
        made["CutPoint"].value = cut
        return made

    def sequence(self, items: Sequence[Any], kind: str = "picture") -> Any:
        made = self.file.create.Sequence(kind)
        made.components.extend(items)
        lengths = [-i.length if type(i).__name__ == "Transition" else i.length for i in items]
        made.length = sum(lengths)
        return made

    def track(self, items: Sequence[Any], kind: str = "picture", rate: str = "") -> Any:
        """A slot of the reel."""
        slot = self.reel.create_timeline_slot(rate or str(self.rate.fps))
        slot.segment = self.sequence(items, kind)
        return slot

    def markers(self, *marks: tuple[int, str, dict[str, int] | str, int | None]) -> None:
        """Events of (position, text, colour, length)."""
        slot = self.file.create.EventMobSlot()
        slot["EditRate"].value = str(self.rate.fps)
        slot["SlotID"].value = 1000 + len(self.reel.slots)
        slot["PhysicalTrackNumber"].value = 1
        made = []
        for position, text, color, length in marks:
            mark = self.file.create.DescriptiveMarker()
            mark["Position"].value = position
            mark["Comment"].value = text
            if length is not None:
                mark.length = length
            if isinstance(color, dict):
                mark["CommentMarkerColor"].value = color
            elif color:
                attribute = self.file.create.TaggedValue("_ATN_CRM_COLOR", color)
                mark["CommentMarkerAttributeList"].append(attribute)
            made.append(mark)
        slot.segment = self.file.create.Sequence("DescriptiveMetadata")
        slot.segment.components.extend(made)
        self.reel.slots.append(slot)

    def save(self) -> Path:
        self.file.close()
        return self.path


def written(edits: EditList, path: Path) -> Path:
    """An edit list as an AAF file: sources at the list's own rate, each shot a master clip of its own tape."""
    first = min((e.record_start for e in edits.edits), default=0)
    made = Aaf(path, edits.rate, first, name=edits.title)
    for name in edits.tracks:
        kind = "picture" if name.startswith("V") else "sound"
        items: list[Any] = []
        at = first
        for edit in edits.on(name):
            gap, length = edit.record_start - at, edit.transition_length
            if gap:
                items.append(made.gap(gap, kind))
            if length:  # what goes out lasts as long as the transition does
                if not items:
                    items.append(made.gap(0, kind))
                items[-1].length += length
                wipe = made.constant("WipeNumber", int(edit.wipe), "aafUInt16") if edit.wipe else None
                items.append(
                    made.transition(length, length // 2, "SMPTE Video Wipe", wipe, key=WIPE)
                    if wipe
                    else made.transition(length, length // 2)
                )
            items.append(_shot(made, edit, kind))
            at = edit.record_end
        made.track(items, kind)["PhysicalTrackNumber"].value = int(name[1:])
    made.markers(*((m.frame - first, m.text, m.color, m.length) for m in edits.markers if m.frame >= first))
    return made.save()


def _shot(made: Aaf, edit: Edit, kind: str) -> Any:
    if edit.black:
        return made.gap(edit.frames, kind)
    backwards = edit.speed < 0
    enters = edit.source_end if backwards else edit.source_start
    zero = 90_000  # where the tape begins
    master = made.source(edit.reel, made.rate, zero, clip=edit.clip, url=edit.file)
    master.name = edit.clip
    if edit.speed == 1:
        return made.clip(master, enters - zero, edit.frames, kind)
    used = edit.source_end - edit.source_start
    offset = used - 1 if backwards else 0
    curve = made.curve("PARAM_SPEED_OFFSET_MAP_U", (0, offset), (edit.frames, offset + edit.frames * edit.speed))
    clip = made.clip(master, enters - zero - (used if backwards else 0), used, kind)
    return made.group("Motion Control", edit.frames, [clip], curve, warp=True)
