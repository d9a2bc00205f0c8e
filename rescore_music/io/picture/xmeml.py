"""Final Cut Pro 7 XML (`xmeml`, versions 4 and 5), as Premiere and DaVinci Resolve write it too: reading.

Conventions of the format: a rate is an integer `timebase` and a flag `ntsc`, together exact (24 and TRUE are
24000/1001). `start` and `end` count frames of the sequence from its first; `in` and `out` frames of the media. A clip
that begins or ends inside a transition says -1 there, and its `in` (`out`) is that of the transition's start (end); the
transition's own `start` and `end` tell where. Speed is the filter `timeremap`.

Source: Apple, "Final Cut Pro XML Interchange Format" (2011).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.edits import BLACK, CUT, DISSOLVE, WIPE, Edit, EditList, PictureMarker, told
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import EDIT_BYTES, TEXT
from rescore_music.io.picture import fcpxml
from rescore_music.io.picture.common import Remarks, agreed_rate, check_count, check_frame
from rescore_music.io.picture.xml import child_text, parse_xml, place
from rescore_music.timecode import FrameRate

if TYPE_CHECKING:
    from lxml.etree import _Element


def read_xmeml(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read an .xml file, Final Cut Pro 7's or (by its root) FCPXML; see `read_edits`."""
    root = parse_xml(read_bytes(path, EDIT_BYTES), path)
    if root.tag == "fcpxml":
        return fcpxml.from_element(root, path, rate)
    if root.tag != "xmeml":
        what = f"this is XML, but no edit list (its root is <{str(root.tag)[:40]}>)"
        raise ReadError(what, file=path, cure="export Final Cut Pro XML")
    nested = {id(s) for item in root.iter("clipitem") for s in item.iter("sequence")}
    sequences = [s for s in root.iter("sequence") if id(s) not in nested]
    if not sequences:
        raise ReadError("the document holds no sequence", file=path, cure="export a sequence")
    return _Reader(root, sequences, path, rate).result()


@dataclass
class _Reader:
    root: _Element
    sequences: list[_Element]
    path: Path
    given: FrameRate | None
    remarks: Remarks = field(default_factory=list)

    def result(self) -> EditList:
        self.sequence = self.sequences[0]
        if len(self.sequences) > 1:
            self.remarks.append(("file", "further sequences left out", True))
        timecode = self.sequence.find("timecode")
        found = self._rate(self.sequence, timecode)
        if found is None:
            raise ReadError("the sequence tells no rate", file=self.path, where=place(self.sequence))
        self.rate = agreed_rate(found, self.given, self.path)
        self.zero = 0 if timecode is None else self._number(timecode, "frame", 0)
        # files are described once and then named by their id
        self.files = {f.get("id", ""): f for f in self.root.iter("file") if len(f)}
        edits: list[Edit] = []
        for medium, letter in (("video", "V"), ("audio", "A")):
            for number, track in enumerate(self.sequence.iterfind(f"media/{medium}/track"), 1):
                edits += self._track(track, f"{letter}{number}")
                check_count(len(edits), self.path)
        markers = tuple(self._marker(m) for m in self.sequence.iterfind("marker"))
        check_count(len(markers), self.path)
        title = child_text(self.sequence, "name")[:TEXT]
        return EditList(title, self.rate, tuple(edits), markers, told(self.remarks), source=str(self.path))

    def _number(self, element: _Element, name: str, default: int) -> int:
        text = child_text(element, name)
        if not text:
            return default
        if not re.fullmatch(r"-?\d{1,12}", text):
            raise ReadError(f"{name} '{text[:40]}' is no frame number", file=self.path, where=place(element))
        return int(text)

    def _rate(self, element: _Element, timecode: _Element | None) -> FrameRate | None:
        rate = element.find("rate")
        if rate is None:
            return None
        base = self._number(rate, "timebase", 0)
        ntsc = child_text(rate, "ntsc").upper() == "TRUE"
        drop = child_text(timecode, "displayformat").upper() == "DF"
        try:
            fps = Fraction(base * 1000, 1001) if ntsc else Fraction(base)
            return FrameRate(fps, drop and ntsc and base % 30 == 0)
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=place(rate), cure=problem.cure) from problem

    def _marker(self, marker: _Element) -> PictureMarker:
        first, last = self._number(marker, "in", 0), self._number(marker, "out", -1)
        frame = check_frame(first + self.zero, self.path, place(marker))
        name, comment = child_text(marker, "name"), child_text(marker, "comment")
        text = ": ".join(t for t in (name, comment) if t) if name != comment else name
        return PictureMarker(frame, text[:TEXT], length=max(last - first, 1))

    def _track(self, track: _Element, name: str) -> list[Edit]:
        edits: list[Edit] = []
        items = [e for e in track if e.tag in ("clipitem", "generatoritem", "transitionitem")]
        for k, item in enumerate(items):
            if item.tag == "transitionitem":
                if k + 1 == len(items):
                    edits += self._faded(item, name, edits)
                continue
            before = items[k - 1] if k and items[k - 1].tag == "transitionitem" else None
            after = items[k + 1] if k + 1 < len(items) and items[k + 1].tag == "transitionitem" else None
            if child_text(item, "enabled").upper() == "FALSE":
                self.remarks.append((place(item), "disabled clip left out", False))
                continue
            if item.find("marker") is not None:
                self.remarks.append((place(item), "markers inside a clip left out", True))
            edit = self._edit(item, name, before, after, edits[-1] if edits else None)
            if edit is not None:
                edits.append(edit)
        return edits

    def _faded(self, transition: _Element, name: str, edits: list[Edit]) -> list[Edit]:
        """A transition after the last shot: to black."""
        start = check_frame(self._number(transition, "start", 0) + self.zero, self.path, place(transition))
        length = self._number(transition, "end", 0) + self.zero - start
        if not edits or length <= 0 or edits[-1].record_end != start:
            return []
        kind, wipe = self._kind(transition)
        return [Edit(start, start + length, 0, length, BLACK, "", "", name, kind, length, edits[-1].reel, wipe)]

    def _kind(self, transition: _Element) -> tuple[str, str]:
        name = child_text(transition, "effect/name")
        if not name or re.search("dissolve|fade|cross", name, re.IGNORECASE):
            return DISSOLVE, ""
        return WIPE, name[:TEXT]

    def _edit(
        self, item: _Element, track: str, before: _Element | None, after: _Element | None, last: Edit | None
    ) -> Edit | None:
        where = place(item)
        start, end = self._number(item, "start", -1), self._number(item, "end", -1)
        enters, leaves = self._number(item, "in", 0), self._number(item, "out", 0)
        speed = self._speed(item)
        kind, wipe, length = CUT, "", 0
        if before is not None:
            begin, over = self._number(before, "start", 0), self._number(before, "end", 0)
            if start == -1 or begin <= start <= over:
                early = 0 if start == -1 else start - begin
                start, enters = begin, enters - round(early * speed)
                (kind, wipe), length = self._kind(before), over - begin
        if after is not None:
            begin, over = self._number(after, "start", 0), self._number(after, "end", 0)
            if end == -1 or begin < end <= over:
                late = (over if end == -1 else end) - begin
                end, leaves = begin, leaves - round(late * speed)
        if start < 0 or end <= start:
            self.remarks.append((where, "clip without a place in the sequence left out", True))
            return None
        start, end = (check_frame(t + self.zero, self.path, where) for t in (start, end))
        media = self._media(item)
        timecode = None if media is None else media.find("timecode")
        own = self._rate(media, timecode) if media is not None else None
        own = own or self._rate(item, None) or self.rate
        origin = 0 if timecode is None else self._number(timecode, "frame", 0)
        low, high = sorted((enters + origin, leaves + origin))
        if low < 0:
            self.remarks.append((where, "shot that begins before its source", False))
        reel = child_text(timecode, "reel/name") or child_text(media, "name") or child_text(item, "name")
        left = (last.reel if last is not None and last.record_end == start else BLACK) if length > 0 else ""
        length = max(min(length, end - start), 0)
        try:
            return Edit(
                start, end, max(low, 0), max(high, low, 0), reel[:TEXT], child_text(item, "name")[:TEXT],
                child_text(media, "pathurl")[:TEXT], track, kind if length else CUT, length, left if length else "",
                wipe if length else "", speed, own,
            )  # fmt: skip
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=where, cure=problem.cure) from problem

    def _media(self, item: _Element) -> _Element | None:
        file = item.find("file")
        if file is not None:
            return self.files.get(file.get("id", ""), file)
        nested = item.find("sequence")
        if nested is not None:
            self.remarks.append((place(item), "nested sequence taken as one shot", False))
        return nested

    def _speed(self, item: _Element) -> Fraction:
        for effect in item.iterfind("filter/effect"):
            if child_text(effect, "effectid") != "timeremap":
                self.remarks.append((place(effect), "effect left out", False))
                continue
            said = {child_text(p, "parameterid"): child_text(p, "value") for p in effect.iterfind("parameter")}
            text = said.get("speed", "100")
            if not re.fullmatch(r"-?\d{1,6}(\.\d{1,9})?", text):
                raise ReadError(f"a speed of '{text[:40]}' per cent", file=self.path, where=place(item))
            if said.get("variablespeed", "0") not in ("0", "FALSE"):
                self.remarks.append((place(item), "changing speed taken as told at its start", True))
            speed = Fraction(text) / 100
            return -abs(speed) if said.get("reverse", "").upper() == "TRUE" else speed
        return Fraction(1)
