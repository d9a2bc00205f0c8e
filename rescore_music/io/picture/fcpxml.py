"""FCPXML, the interchange format of Final Cut Pro, versions 1.8 to 1.11: reading.

Conventions of the format: times are rational seconds (`1001/24000s`). A story element stands at `offset` in its
parent's time and plays its own time from `start` for `duration`; the sequence's own time begins at `tcStart`, a
storyline's at 0. A `timeMap` maps an element's own time to that of its media. A transition overlaps its neighbours and
is centred on their cut: here the incoming shot begins where the transition does, the outgoing one ends there
(see `edits`). Elements connected to others carry a `lane`: above the primary storyline it becomes V2, V3 ..., sound
becomes A1, A2 ... by its distance.

What is no shot (effects, keywords, roles, captions) is left out; what is a shot of another kind (compound, multicam,
synchronized clips, auditions) is taken as one shot, and told.

Sources: Apple, "FCPXML Reference" (story elements, resources, time values).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.edits import BLACK, CUT, DISSOLVE, WIPE, Edit, EditList, PictureMarker, source_span, told
from rescore_music.elements import LogItem
from rescore_music.errors import ReadError, RescoreError
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import EDIT_BYTES, TEXT
from rescore_music.io.picture.common import Remarks, agreed_rate, check_count, check_frame
from rescore_music.io.picture.xml import check_depth, parse_xml, place
from rescore_music.timecode import FrameRate

if TYPE_CHECKING:
    from lxml.etree import _Element

_TIME = re.compile(r"(-?\d{1,19})(?:/(\d{1,12})|(\.\d{1,12}))?s")
_SHOTS = ("asset-clip", "clip", "video", "audio", "ref-clip", "sync-clip", "mc-clip", "title", "audition", "gap")
_WHOLE = {"ref-clip": "compound clip", "mc-clip": "multicam clip", "sync-clip": "synchronized clip"}
_UNDERSTOOD = (*_SHOTS, "spine", "marker", "chapter-marker", "timeMap", "caption")
_HOUR = Fraction(3600)  # where the own time of generators and transitions begins, as Final Cut Pro writes it


def read_fcpxml(path: Path, rate: FrameRate | None = None) -> EditList:
    """Read an .fcpxml file or an .fcpxmld bundle; see `read_edits`."""
    inner = path / "Info.fcpxml" if path.is_dir() else path
    return from_element(parse_xml(read_bytes(inner, EDIT_BYTES), inner), path, rate)


def from_element(root: _Element, path: Path, rate: FrameRate | None = None) -> EditList:
    """The first project of a parsed document."""
    if root.tag != "fcpxml":
        raise ReadError(f"this is XML, but not FCPXML (its root is <{str(root.tag)[:40]}>)", file=path)
    sequences = [s for s in root.iter("sequence") if s.getparent() is None or s.getparent().tag != "media"]  # type: ignore[union-attr]
    if not sequences:
        raise ReadError("the document holds no sequence", file=path, cure="export a project, not an event or clip")
    return _Reader(root, sequences, path, rate).result()


@dataclass
class _Shot:
    """An element on a track: times in seconds, own time to media time by `points`."""

    element: _Element
    track: str
    start: Fraction  # in the sequence
    end: Fraction
    own: Fraction  # own time at `start`
    points: tuple[tuple[Fraction, Fraction], ...] = ()
    transition: _Element | None = None
    length: Fraction = Fraction(0)
    outgoing: str = ""
    black: bool = False
    inner: Fraction = Fraction(0)  # media time at the clip's time 0, where a clip holds its media

    def media(self, at: Fraction) -> Fraction:
        """Media time at a time of the sequence; beyond the map's points its outer lines go on."""
        own = self.own + at - self.start
        if len(self.points) < 2:
            return self.inner + (own if not self.points else self.points[0][1] + own - self.points[0][0])
        k = 1
        while k < len(self.points) - 1 and own > self.points[k][0]:
            k += 1
        (t0, v0), (t1, v1) = self.points[k - 1], self.points[k]
        return self.inner + v0 + (own - t0) * (v1 - v0) / (t1 - t0)


@dataclass
class _Reader:
    root: _Element
    sequences: list[_Element]
    path: Path
    given: FrameRate | None
    remarks: Remarks = field(default_factory=list)
    markers: list[PictureMarker] = field(default_factory=list)
    shots: list[_Shot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sequence = self.sequences[0]
        resources = self.root.find("resources")
        self.resources: Mapping[str, _Element] = (
            {} if resources is None else {e.get("id", ""): e for e in resources if isinstance(e.tag, str)}
        )
        found = self._rate(self.sequence.get("format", ""), self.sequence.get("tcFormat", ""))
        if found is None:
            where = place(self.sequence)
            raise ReadError("the sequence's format tells no frame duration", file=self.path, where=where)
        self.rate = agreed_rate(found, self.given, self.path)

    def result(self) -> EditList:
        if len(self.sequences) > 1:
            self.remarks.append(("resources", "further projects left out", True))
        start = self._time(self.sequence, "tcStart", Fraction(0))
        spine = self.sequence.find("spine")
        if spine is not None:
            shift = Fraction(0)
            first = next((e for e in spine if e.tag in _SHOTS or e.tag == "transition"), None)
            if first is not None and self._time(first, "offset", start) < start:
                shift = start  # some programs count from the sequence's beginning
                self.remarks.append(("spine", "offsets counted from the sequence's start", False))
            self._storyline(spine, shift, start - shift, 0, 0)
        project = self.sequence.getparent()
        title = "" if project is None else project.get("name", "")
        edits = tuple(edit for shot in self.shots if (edit := self._edit(shot)) is not None)
        return EditList(title[:TEXT], self.rate, edits, tuple(self.markers), told(self.remarks), source=str(self.path))

    # -- times and resources

    def _time(self, element: _Element, name: str, default: Fraction) -> Fraction:
        text = element.get(name)
        if text is None:
            return default
        found = _TIME.fullmatch(text.strip())
        if found is None or (found[2] is not None and int(found[2]) == 0):
            cure = "write rational seconds, such as 1001/24000s"
            what = f"{name} '{text[:40]}' is not a time"
            raise ReadError(what, file=self.path, where=place(element), cure=cure)
        return Fraction(int(found[1]), int(found[2])) if found[2] else Fraction(found[1] + (found[3] or ""))

    def _rate(self, format_id: str, count: str) -> FrameRate | None:
        element = self.resources.get(format_id)
        if element is None or element.get("frameDuration") is None:
            return None
        duration = self._time(element, "frameDuration", Fraction(0))
        try:
            fps = 1 / duration if duration > 0 else Fraction(0)
            drops = count.upper() == "DF" and fps.denominator == 1001
            return FrameRate(fps, drops)
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=place(element), cure=problem.cure) from problem

    def _frame(self, seconds: Fraction, element: _Element) -> int:
        exact = seconds * self.rate.fps
        frame = round(exact)
        if frame != exact:
            self.remarks.append((place(element), "time between frames moved to the nearest", False))
        return check_frame(frame, self.path, place(element))

    # -- the tree

    def _storyline(self, spine: _Element, shift: Fraction, at: Fraction, lane: int, depth: int) -> None:
        """The elements of a storyline; `shift` is the sequence's time at its own time 0, `at` where it begins."""
        check_depth(depth, self.path, spine)
        line: list[_Shot] = []
        pending: _Element | None = None
        for element in spine:
            if element.tag == "transition":
                begin = self._time(element, "offset", at) + shift
                self._trim(line, begin)
                self._marks(element, begin, _HOUR if self._late(element) else Fraction(0))
                pending = element
            elif element.tag in _SHOTS:
                at = self._time(element, "offset", at)
                shot = self._shot(element, at + shift, lane, depth)
                at += self._time(element, "duration", shot.end - shot.start)
                if pending is not None:
                    self._enter(shot, pending, line, shift)
                    pending = None
                line.append(shot)
            else:
                self.remarks.append((place(element), f"<{str(element.tag)[:30]}> in a storyline left out", True))
        if pending is not None:
            self._leave(pending, line, shift)
        self.shots += [shot for shot in line if shot.end > shot.start]
        check_count(len(self.shots), self.path)

    def _late(self, element: _Element) -> bool:
        return any(
            self._time(m, "start", Fraction(0)) >= _HOUR for m in element if m.tag in ("marker", "chapter-marker")
        )

    def _trim(self, line: list[_Shot], begin: Fraction) -> None:
        """End the outgoing shot where a transition begins."""
        if line and line[-1].end > begin:
            line[-1].end = max(begin, line[-1].start)

    def _enter(self, shot: _Shot, transition: _Element, line: list[_Shot], shift: Fraction) -> None:
        """Begin the incoming shot where its transition does."""
        begin = self._time(transition, "offset", shot.start - shift) + shift
        length = self._time(transition, "duration", Fraction(0))
        early = shot.start - begin
        if early < 0 or length < 0:
            self.remarks.append((place(transition), "transition after its cut taken to begin on it", False))
            begin, early = shot.start, Fraction(0)
        shot.start, shot.own = begin, shot.own - early
        shot.transition, shot.length = transition, min(length, shot.end - begin)
        shot.outgoing = BLACK
        if line and line[-1].end == begin and line[-1].element.tag != "gap":
            shot.outgoing = self._source(line[-1].element)[0]
        if shot.element.tag == "gap":
            shot.black = True  # the picture fades to it: that is black, not a hole

    def _leave(self, transition: _Element, line: list[_Shot], shift: Fraction) -> None:
        """A transition after the last shot: to black."""
        begin = self._time(transition, "offset", Fraction(0)) + shift
        end = begin + self._time(transition, "duration", Fraction(0))
        if line and end > begin:
            left = "" if line[-1].black else self._source(line[-1].element)[0]
            track = line[-1].track
            line.append(_Shot(transition, track, begin, end, Fraction(0), (), transition, end - begin, left, True))

    def _shot(self, element: _Element, start: Fraction, lane: int, depth: int) -> _Shot:
        check_depth(depth, self.path, element)
        if element.tag == "audition":  # its first clip is the one that plays
            self.remarks.append((place(element), "audition: its pick taken, the others left out", False))
            inner = next((e for e in element if e.tag in _SHOTS), None)
            if inner is not None:
                return self._shot(inner, start, lane, depth + 1)
        if element.tag in _WHOLE:
            self.remarks.append((place(element), f"{_WHOLE[str(element.tag)]} taken as one shot", False))
        asset = self._asset(element)
        natural = Fraction(0) if asset is None else self._time(asset, "start", Fraction(0))
        own = self._time(element, "start", natural if element.tag == "asset-clip" else Fraction(0))
        length = None if asset is None else asset.get("duration")
        known = self._time(asset, "duration", Fraction(0)) if asset is not None and length else Fraction(0)
        duration = self._time(element, "duration", known)
        if element.get("enabled") == "0":
            self.remarks.append((place(element), "disabled clip left out", False))
            duration = Fraction(0)
        track = self._track(element, asset, lane)
        shot = _Shot(element, track, start, start + duration, own, self._points(element))
        shot.inner = self._inner(element, natural)
        shot.black = element.tag == "gap" and (element.get("name") or "").upper() == BLACK
        self._marks(element, start, own)
        self._connected(element, start - own, depth)
        for child in element:
            if child.tag not in _UNDERSTOOD:
                self.remarks.append((place(child), f"<{str(child.tag)[:40]}> left out", False))
        return shot

    def _inner(self, element: _Element, natural: Fraction) -> Fraction:
        """Media time at the own time 0 of a clip that holds its media."""
        media = next(_media(element), None) if element.tag == "clip" else None
        if media is None or media.tag == "spine":
            return Fraction(0)
        return self._time(media, "start", natural) - self._time(media, "offset", Fraction(0))

    def _connected(self, element: _Element, shift: Fraction, depth: int) -> None:
        """What is connected to an element, in its own time."""
        for child in element:
            lane = child.get("lane")
            if lane is None or not re.fullmatch(r"-?\d{1,3}", lane):
                continue
            at = self._time(child, "offset", Fraction(0)) + shift
            if child.tag == "spine":
                self._storyline(child, at, Fraction(0), int(lane), depth + 1)
            elif child.tag in _SHOTS:
                shot = self._shot(child, at, int(lane), depth + 1)
                if shot.end > shot.start:
                    self.shots.append(shot)
            elif child.tag == "caption":
                self.remarks.append((place(child), "caption left out", False))

    def _marks(self, element: _Element, start: Fraction, own: Fraction) -> None:
        for child in element:
            if child.tag not in ("marker", "chapter-marker"):
                continue
            seconds = start + self._time(child, "start", own) - own
            frame = self._frame(seconds, child)
            length = max(round(self._time(child, "duration", Fraction(0)) * self.rate.fps), 1)
            text = child.get("value", "")[:TEXT]
            self.markers.append(PictureMarker(frame, text, length=min(length, 1 << 40)))
            check_count(len(self.markers), self.path)

    def _points(self, element: _Element) -> tuple[tuple[Fraction, Fraction], ...]:
        time_map = element.find("timeMap")
        if time_map is None:
            return ()
        zero = Fraction(0)
        found = {self._time(p, "time", zero): self._time(p, "value", zero) for p in time_map.iter("timept")}
        points = tuple(sorted(found.items()))
        slopes = {(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)}
        if len(slopes) > 1:
            self.remarks.append((place(element), "changing speed taken as its mean", True))
        return points

    # -- what is shown

    def _asset(self, element: _Element) -> _Element | None:
        found = self.resources.get(element.get("ref", ""))
        if found is None and element.tag in ("clip", "sync-clip"):
            for inner in _media(element):
                found = self.resources.get(inner.get("ref", ""))
                if found is not None:
                    break
        return found

    def _source(self, element: _Element) -> tuple[str, str]:
        """Reel and file of a shot."""
        asset = self._asset(element)
        if asset is None or element.tag in ("title", "gap"):
            return "", ""
        reel = asset.get("name", "")
        for data in asset.iter("md"):
            if data.get("key") == "com.apple.proapps.studio.reel":
                reel = data.get("value", "") or reel
        file = asset.get("src", "")
        media = asset.find("media-rep")
        return reel[:TEXT], (file or ("" if media is None else media.get("src", "")))[:TEXT]

    def _track(self, element: _Element, asset: _Element | None, lane: int) -> str:
        audio = element.tag == "audio" or element.get("srcEnable") == "audio" or (element.tag == "gap" and lane < 0)
        if asset is not None and asset.tag == "asset":
            audio = audio or (asset.get("hasVideo") != "1" and asset.get("hasAudio") == "1")
        if audio:
            return f"A{max(abs(lane), 1)}"
        if lane < 0:
            self.remarks.append((place(element), "picture under the primary storyline put on V0", False))
        return f"V{max(lane + 1, 0)}"

    def _edit(self, shot: _Shot) -> Edit | None:
        element = shot.element
        if element.tag == "gap" and not shot.black:
            return None
        start, end = self._frame(shot.start, element), self._frame(shot.end, element)
        if end <= start:
            self.remarks.append((place(element), "shot shorter than a frame left out", True))
            return None
        asset = self._asset(element)
        own_rate = None if asset is None else self._rate(asset.get("format", ""), element.get("tcFormat", ""))
        rate = own_rate or self.rate
        seconds = (end - start) / self.rate.fps
        enters, leaves = shot.media(shot.start), shot.media(shot.end)
        speed = (leaves - enters) / (shot.end - shot.start)
        if enters < 0 or leaves < 0:
            self.remarks.append((place(element), "shot that begins before its source", False))
        source = source_span(enters * rate.fps, seconds * abs(speed) * rate.fps, speed)
        reel, file = self._source(element)
        length = round(shot.length * self.rate.fps)
        kind, wipe = _transition(shot.transition) if length else (CUT, "")
        name = "" if shot.black else element.get("name", "")[:TEXT]
        if shot.black:
            reel = BLACK
        length = min(length, end - start)
        left = shot.outgoing if length else ""
        try:
            return Edit(start, end, *source, reel, name, file, shot.track, kind, length, left, wipe, speed, rate)
        except RescoreError as problem:
            raise ReadError(problem.what, file=self.path, where=place(element), cure=problem.cure) from problem


def _media(element: _Element) -> Iterator[_Element]:
    """The media of a clip, nearest first: not what is connected to it."""
    for child in element:
        if child.get("lane") is None and child.tag in ("video", "audio", "asset-clip", "clip", "spine"):
            yield child
            if child.tag == "spine":
                yield from (inner for inner in child if inner.get("ref"))


def _transition(element: _Element | None) -> tuple[str, str]:
    name = "" if element is None else element.get("name", "")[:TEXT]
    if name == "" or re.search("dissolve|fade|cross", name, re.IGNORECASE):
        return DISSOLVE, ""
    return WIPE, re.sub(r"^Wipe (?=\d{1,3}$)", "", name)


def write_fcpxml(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write FCPXML 1.9; see `write_edits`."""
    from rescore_music.io.picture.fcpxml_write import write

    return write(edits, path)
