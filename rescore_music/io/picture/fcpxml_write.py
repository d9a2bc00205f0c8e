"""FCPXML, written: version 1.9, one project, V1 as the primary storyline, every other track a connected storyline.

A transition is centred on a cut: the outgoing shot is made longer and the incoming one begins later by half of it, so
that both have the handles it needs. Retimed shots get a `timeMap` whose own time begins at 0. Black is a gap named BL,
a hole a gap named Gap. Markers stand in the element of the primary storyline that plays at their frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.edits import BLACK, DISSOLVE, Edit, EditList, source_span, told
from rescore_music.elements import LogItem
from rescore_music.errors import WriteError
from rescore_music.io.files import atomic_write
from rescore_music.io.picture.common import Remarks, label_of
from rescore_music.timecode import FrameRate

if TYPE_CHECKING:
    from lxml.etree import _Element

VERSION = "1.9"


@dataclass(frozen=True)
class _Piece:
    """A stretch [start, end) of a storyline in frames; `edit` is None for a hole."""

    start: int
    end: int
    edit: Edit | None


def write(edits: EditList, path: Path) -> tuple[LogItem, ...]:
    """Write the document; what it cannot keep comes back."""
    from lxml import etree

    writer = _Writer(edits, path)
    tree = writer.document()
    etree.indent(tree, "    ")
    data = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", doctype="<!DOCTYPE fcpxml>")
    atomic_write(path, data + b"\n")
    return told(writer.remarks)


class _Writer:
    def __init__(self, edits: EditList, path: Path) -> None:
        from lxml import etree

        self.edits, self.path, self.rate = edits, path, edits.rate
        self.remarks: Remarks = []
        self.root = etree.Element("fcpxml", version=VERSION)
        self.resources = etree.SubElement(self.root, "resources")
        self.known: dict[object, str] = {}
        self.uses: dict[tuple[str, str, Fraction], list[Edit]] = {}
        for edit in edits.edits:
            self.uses.setdefault((edit.reel, edit.file, (edit.source_rate or self.rate).fps), []).append(edit)
        # the stubs take the attributes' own names for parameters
        self.sub: Callable[..., _Element] = etree.SubElement

    def time(self, frames: int | Fraction, rate: FrameRate | None = None) -> str:
        """Frames as rational seconds, over the rate's own denominator where they are whole."""
        fps = (rate or self.rate).fps
        seconds = Fraction(frames) / fps
        if seconds.denominator == 1:
            return f"{seconds.numerator}s"
        if Fraction(frames).denominator == 1:
            return f"{int(frames) * fps.denominator}/{fps.numerator}s"
        return f"{seconds.numerator}/{seconds.denominator}s"

    def document(self) -> _Element:
        shape = self.format(self.rate)
        pieces = self.storyline("V1")
        start, end = pieces[0].start, pieces[-1].end
        library = self.sub(self.root, "library")
        event = self.sub(library, "event", name=self.edits.title)
        project = self.sub(event, "project", name=self.edits.title)
        count = "DF" if self.rate.drop else "NDF"
        told_start = {"tcStart": self.time(start), "tcFormat": count}
        sequence = self.sub(project, "sequence", format=shape, duration=self.time(end - start), **told_start)
        spine = self.sub(sequence, "spine")
        elements = self.fill(spine, pieces, 0)
        self.connect(elements)
        self.mark(elements)
        return self.root

    def format(self, rate: FrameRate) -> str:
        key = ("format", rate.fps)
        if key not in self.known:
            self.known[key] = f"r{len(self.known) + 1}"
            fps = rate.fps
            frame = f"{fps.denominator}/{fps.numerator}s"
            self.sub(self.resources, "format", id=self.known[key], frameDuration=frame)
        return self.known[key]

    def asset(self, edit: Edit) -> str:
        rate = edit.source_rate or self.rate
        key = ("asset", edit.reel, edit.file, rate.fps)
        if key not in self.known:
            shape = self.format(rate)
            self.known[key] = f"r{len(self.known) + 1}"
            used = self.uses[edit.reel, edit.file, rate.fps]
            whole = max(e.source_end for e in used)
            media = {"hasAudio": "1"} | ({} if all(e.track.startswith("A") for e in used) else {"hasVideo": "1"})
            asset = self.sub(
                self.resources,
                "asset",
                id=self.known[key],
                name=edit.reel,
                start="0s",
                duration=self.time(max(whole, 1), rate),
                format=shape,
                **media,
            )
            self.sub(asset, "media-rep", kind="original-media", src=edit.file)
        return self.known[key]

    def storyline(self, track: str) -> list[_Piece]:
        """A track without holes: what is empty becomes a gap; the primary one covers every edit and marker."""
        pieces: list[_Piece] = []
        times = [(e.record_start, e.record_end) for e in self.edits.edits]
        times += [(m.frame, m.frame + 1) for m in self.edits.markers]
        own = self.edits.on(track)
        first = min((t[0] for t in times), default=0) if track == "V1" else own[0].record_start
        at = first
        for edit in own:
            if edit.record_start < at:
                where = label_of(edit.record_start, self.rate)
                raise WriteError("two shots overlap", file=self.path, where=f"{track}, {where}", cure="use two tracks")
            if edit.record_start > at:
                pieces.append(_Piece(at, edit.record_start, None))
            pieces.append(_Piece(edit.record_start, edit.record_end, edit))
            at = edit.record_end
        last = max((t[1] for t in times), default=first + 1) if track == "V1" else at
        if last > at or not pieces:
            pieces.append(_Piece(at, max(last, at + 1), None))
        return pieces

    def fill(self, spine: _Element, pieces: list[_Piece], origin: int) -> list[tuple[_Element, Fraction, int]]:
        """Write a storyline; give each piece's element, the sequence's time at its own time 0, and its end."""
        seams = [0] * (len(pieces) + 1)  # frames by which a piece begins after its transition does
        for k, piece in enumerate(pieces):
            if k and piece.edit is not None:
                seams[k] = piece.edit.transition_length // 2
        elements = []
        for k, piece in enumerate(pieces):
            edit = piece.edit
            if edit is not None and edit.transition_length:
                name = "Cross Dissolve" if edit.transition == DISSOLVE else _wipe_name(edit.wipe)
                place = self.time(piece.start - origin)
                self.sub(spine, "transition", name=name, offset=place, duration=self.time(edit.transition_length))
                self.check_outgoing(edit, pieces[k - 1].edit if k else None)
            begin, end = piece.start + seams[k], piece.end + seams[k + 1]
            elements.append((*self.element(spine, piece, begin, end, seams[k], origin), end))
        return elements

    def check_outgoing(self, edit: Edit, before: Edit | None) -> None:
        reel = BLACK if before is None or before.black else before.reel
        if edit.outgoing != reel:
            where = f"{edit.track}, {label_of(edit.record_start, self.rate)}"
            self.remarks.append((where, "outgoing source of a transition that is not the shot before it", True))

    def element(
        self, spine: _Element, piece: _Piece, begin: int, end: int, seam: int, origin: int
    ) -> tuple[_Element, Fraction]:
        edit = piece.edit
        place = {"offset": self.time(begin - origin), "duration": self.time(end - begin)}
        if edit is None or edit.black:
            base = 0 if edit is None else edit.source_start
            rate = self.rate if edit is None else edit.source_rate or self.rate
            own = Fraction(base) / rate.fps * self.rate.fps + seam
            name = "Gap" if edit is None else BLACK
            if edit is not None:
                self.check_kept(edit)
            return self.sub(spine, "gap", name=name, start=self.time(own), **place), begin - own
        rate = edit.source_rate or self.rate
        own = Fraction(edit.source_start) / rate.fps * self.rate.fps + seam if edit.speed == 1 else Fraction(seam)
        count = "DF" if rate.drop else "NDF"
        extra = {"srcEnable": "audio"} if edit.track.startswith("A") else {}
        clip = self.sub(
            spine,
            "asset-clip",
            ref=self.asset(edit),
            name=edit.clip,
            start=self.time(own),
            tcFormat=count,
            **place,
            **extra,
        )
        if edit.speed != 1:
            self.retime(clip, edit, end - begin + seam)
        self.check_kept(edit)
        return clip, begin - own

    def retime(self, clip: _Element, edit: Edit, frames: int) -> None:
        rate = edit.source_rate or self.rate
        enters = Fraction(edit.source_end if edit.speed < 0 else edit.source_start) / rate.fps
        leaves = enters + edit.speed * frames / self.rate.fps
        time_map = self.sub(clip, "timeMap")
        for at, value in ((0, enters), (frames, leaves)):
            seconds = f"{value.numerator}/{value.denominator}s"
            self.sub(time_map, "timept", time=self.time(at), value=seconds, interp="linear")

    def check_kept(self, edit: Edit) -> None:
        rate = edit.source_rate or self.rate
        where = f"{edit.track}, {label_of(edit.record_start, self.rate)}"
        enters = Fraction(edit.source_end if edit.speed < 0 else edit.source_start)
        if source_span(enters, edit.source_used(self.rate), edit.speed) != (edit.source_start, edit.source_end):
            self.remarks.append((where, "source length that the speed does not make", True))
        if edit.black and (edit.clip or edit.file or edit.speed != 1 or rate != self.rate):
            self.remarks.append((where, "name, speed or rate of black", True))

    def connect(self, elements: list[tuple[_Element, Fraction, int]]) -> None:
        for track in self.edits.tracks:
            if track == "V1":
                continue
            if track == "NONE":
                self.remarks.append((track, "events without picture and sound", True))
                continue
            story = self.storyline(track)
            anchor, zero, _ = next(one for one in elements if story[0].start < one[2])
            lane = str(int(track[1:]) - 1 if track.startswith("V") else -int(track[1:]))
            offset = self.time(story[0].start - zero)
            spine = self.sub(anchor, "spine", lane=lane, offset=offset)
            self.fill(spine, story, story[0].start)

    def mark(self, elements: list[tuple[_Element, Fraction, int]]) -> None:
        k = 0
        for marker in self.edits.markers:
            while marker.frame >= elements[k][2]:
                k += 1
            element, zero, _ = elements[k]
            if marker.color:
                self.remarks.append((label_of(marker.frame, self.rate), "colour of a marker", True))
            start, length = self.time(marker.frame - zero), self.time(marker.length)
            self.sub(element, "marker", start=start, duration=length, value=marker.text)


def _wipe_name(wipe: str) -> str:
    return f"Wipe {wipe}" if wipe.isdecimal() and len(wipe) <= 3 else wipe or "Wipe"
