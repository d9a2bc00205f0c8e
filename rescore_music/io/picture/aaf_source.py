"""Where a clip of an AAF composition comes from: through master, file and tape to a reel, a file and its timecode.

A source clip names a mob, one of its slots and a place there, counted at the edit rate of the slot that the clip
itself stands in; the slot may name another mob again. The deepest mob that carries a timecode tells the source's times
(a tape, otherwise the file), the first master mob the clip's name, a tape's or film's name the reel, a locator the
file. Where no mob has a timecode, the place in the deepest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rescore_music.errors import RescoreError
from rescore_music.io.limits import EDIT_DEPTH, EDITS, TEXT
from rescore_music.timecode import FrameRate

TAPES = ("TapeDescriptor", "FilmDescriptor")


@dataclass(frozen=True)
class Source:
    """What a clip shows: names, and the place it is entered at, in frames of `rate`."""

    reel: str
    clip: str
    file: str
    at: Fraction
    rate: FrameRate


def fraction(number: Any) -> Fraction:
    """An AAF rational, which need not be reduced; refused where its denominator is 0."""
    return Fraction(int(number.numerator), int(number.denominator))


def kind(item: Any) -> str:
    """The AAF class of an object."""
    return type(item).__name__


def text(value: Any) -> str:
    """A text property, which may be missing."""
    return str(value or "")[:TEXT]


def exact_rate(edit_rate: Any, drop: bool = False) -> FrameRate | None:
    """The frame rate that an edit rate means (2997/100 is 30000/1001); None where it is none, as 48000."""
    number = fraction(edit_rate)
    try:
        found = FrameRate.parse(f"{number.numerator}/{number.denominator}")
        return FrameRate(found.fps, drop) if drop else found
    except RescoreError:
        return None


def timecode_rate(slot: Any) -> FrameRate | None:
    """The rate and count of a timecode slot: its labels a second, as fast as the slot's edit rate says."""
    code = slot.segment
    labels, drop = int(code["FPS"].value), bool(code["Drop"].value)
    near = exact_rate(slot["EditRate"].value)
    slow = near is not None and near.fps.denominator == 1001
    try:
        fps = Fraction(labels * 1000, 1001) if slow else Fraction(labels)
        return FrameRate(fps, drop and slow and labels % 30 == 0)
    except RescoreError:
        return None


def timecodes(mob: Any) -> list[Any]:
    """The slots that hold a plain timecode, the primary one (physical track 1) first."""
    found = [s for s in mob.slots if s.getvalue("EditRate") is not None and kind(s.segment) == "Timecode"]
    return sorted(found, key=lambda slot: slot.getvalue("PhysicalTrackNumber") not in (1, None))


class Sources:
    """Looks clips up in one file."""

    def __init__(self, file: Any, rate: FrameRate) -> None:
        self.mobs, self.rate = file.content.mobs, rate
        self._codes: dict[int, Any] = {}

    def mob_of(self, clip: Any) -> Any:
        """The mob that a source clip names, or None."""
        name = clip.mob_id
        return None if name is None or name.int == 0 else self.mobs.get(name, None)

    def find(self, clip: Any, offset: Fraction, edit_rate: Fraction) -> Source:
        """The source of a clip entered `offset` edit units after its beginning."""
        reel = name = file = ""
        place, rate, labelled = Fraction(int(clip.start)) + offset, edit_rate, False
        at, found = place, exact_rate(edit_rate)
        for _ in range(EDIT_DEPTH):
            mob = self.mob_of(clip)
            slot: Any = None if mob is None else _slot(mob, clip.slot_id)
            own = fraction(slot["EditRate"].value) if slot is not None else Fraction(0)
            if own <= 0 or rate <= 0:
                break
            place, rate = place * own / rate, own
            if kind(mob) == "SourceMob":
                reel, file = _reel(mob) or reel, file or _file(mob)
            else:  # a master clip, or a subclip or sequence inside the sequence
                name = name or text(mob.getvalue("Name"))
            told = self._labelled(mob, place, rate)
            if told is not None or not labelled:
                at, found, labelled = (*told, True) if told is not None else (place, exact_rate(rate), False)
            inner, late = inside(slot.segment, place + int(slot.getvalue("Origin") or 0))
            if inner is None:
                break
            clip, place = inner, Fraction(int(inner.start)) + late
        if found is None:  # sound that is counted in samples
            at, found = at / rate * self.rate.fps, self.rate
        return Source(reel or name, name, file, at, found)

    def _labelled(self, mob: Any, place: Fraction, edit_rate: Fraction) -> tuple[Fraction, FrameRate] | None:
        """A place in a mob as its timecode counts it."""
        key = mob.mob_id.int
        if key not in self._codes:
            code: Any = next(iter(timecodes(mob)), None)
            told = None if code is None else timecode_rate(code)
            start = 0 if code is None else int(code.segment.start) + int(code.getvalue("Origin") or 0)
            self._codes[key] = None if told is None else (start, told)
        if self._codes[key] is None:
            return None
        start, told = self._codes[key]
        near = exact_rate(edit_rate)
        seconds = place / (near.fps if near is not None else edit_rate)
        return start + seconds * told.fps, told


def inside(segment: Any, place: Fraction) -> tuple[Any, Fraction]:
    """The source clip that lies at a place of a segment, and how far into it; (None, 0) where there is none."""
    late = place
    for _ in range(EDIT_DEPTH):
        name = kind(segment)
        if name == "SourceClip":
            return segment, late
        if name == "Sequence":
            segment, late = _component(segment, late)
        elif name == "OperationGroup":
            segment = next(iter(segment.getvalue("InputSegments") or ()), None)
        elif name == "Selector":
            segment = segment.getvalue("Selected")
        elif name == "EssenceGroup":
            segment = next(iter(segment.getvalue("Choices") or ()), None)
        elif name == "Pulldown":
            segment = segment.getvalue("InputSegment")
        elif name == "NestedScope":
            segment = next(iter(reversed(list(segment.slots))), None)
        else:
            break
    return None, Fraction(0)


def _component(sequence: Any, place: Fraction) -> tuple[Any, Fraction]:
    """What of a sequence lies at a place, and how far into it."""
    at, found, late = 0, None, Fraction(0)
    for count, component in enumerate(sequence.components):
        if kind(component) == "Transition":
            at -= int(component.length or 0)
            continue
        if count > EDITS or (found is not None and at > place):
            break
        found, late = component, place - at
        at += int(component.length or 0)
    return found, late


def _slot(mob: Any, number: int) -> Any:
    return next((s for s in mob.slots if s.slot_id == number and s.getvalue("EditRate") is not None), None)


def _reel(mob: Any) -> str:
    return text(mob.getvalue("Name")) if kind(mob.getvalue("EssenceDescription")) in TAPES else ""


def _file(mob: Any) -> str:
    descriptor = mob.getvalue("EssenceDescription")
    places = [] if descriptor is None else descriptor.getvalue("Locator") or []
    return next((text(p.getvalue("URLString")) for p in places if p.getvalue("URLString")), "")
