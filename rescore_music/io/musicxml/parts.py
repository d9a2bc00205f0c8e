"""The part list of a MusicXML file: names, bracket groups, sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rescore_music.io.limits import TEXT
from rescore_music.io.musicxml.tables import drum_key_of, program_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_ACCIDENTAL_TEXT = {"flat": "♭", "sharp": "♯", "natural": "♮"}


@dataclass
class Sound:
    """One `score-instrument` with its MIDI settings; programs, channels and keys count from 0, -1 = unsaid."""

    name: str = ""
    program: int = -1
    bank: int = -1
    channel: int = -1
    key: int = -1


@dataclass
class PartEntry:
    """One `score-part`."""

    id: str
    name: str = ""
    abbreviation: str = ""
    group: str = ""
    port: int = 0
    sounds: dict[str, Sound] = field(default_factory=dict)

    @property
    def program(self) -> int:
        """The first instrument's program, or what the part's name suggests."""
        said = next((s.program for s in self.sounds.values() if s.program >= 0), -1)
        names = " ".join([self.name, *(s.name for s in self.sounds.values())])
        return said if said >= 0 else program_of(names)


def text_of(element: _Element | None, default: str = "") -> str:
    """The stripped text of an element, on one line and of sane length."""
    if element is None or not element.text:
        return default
    return " ".join(element.text.split())[:TEXT]


def child_of(element: _Element, tag: str) -> _Element | None:
    """The first child with a tag: `find` without its search language, which costs more than all else."""
    for child in element.iterchildren(tag):
        return child
    return None


def number_of(element: _Element | None, default: int = -1) -> int:
    """The text of an element as a whole number."""
    text = element.text if element is not None else None
    if text and len(text) < 10:  # nearly all: the quick way
        try:
            return int(text)
        except ValueError:
            pass
    try:
        number = int(float(text_of(element)))
        return number if abs(number) < 10**9 else default  # no score means such a number, and no column holds it
    except (ValueError, OverflowError):
        return default


def part_entries(root: _Element) -> list[PartEntry]:
    """The parts in score order."""
    part_list = root.find("part-list")
    entries: list[PartEntry] = []
    named = {e.get("name", ""): text_of(e) for e in root.iterfind("identification/miscellaneous/miscellaneous-field")}
    groups: list[tuple[str, str, bool]] = []  # number, name, has a bracket
    count = 0
    for element in part_list if part_list is not None else ():
        if element.tag == "part-group":
            number = element.get("number", "1")
            if element.get("type") == "start":
                count += 1
                symbol = text_of(element.find("group-symbol"))
                name = text_of(element.find("group-name")) or named.get(f"part-group-{number}") or f"group-{count}"
                groups.append((number, name, symbol in ("bracket", "brace", "")))
            else:
                last = next((i for i in range(len(groups) - 1, -1, -1) if groups[i][0] == number), None)
                if last is not None:
                    del groups[last]
        elif element.tag == "score-part":
            entry = _entry(element)
            bracket = next((name for _, name, main in groups if main), "")  # the outermost bracket
            entry.group = bracket or (groups[0][1] if groups else "")
            entries.append(entry)
    return entries


def _entry(element: _Element) -> PartEntry:
    name = _display(element.find("part-name-display")) or text_of(element.find("part-name"))
    short = _display(element.find("part-abbreviation-display")) or text_of(element.find("part-abbreviation"))
    entry = PartEntry(element.get("id", ""), name, short)
    for child in element:
        if child.tag == "score-instrument":
            sound = entry.sounds.setdefault(child.get("id", ""), Sound())
            sound.name = text_of(child.find("instrument-name"))
            if (kind := text_of(child.find("instrument-sound"))) and not sound.name:
                sound.name = kind.replace(".", " ")
        elif child.tag == "midi-instrument":
            sound = entry.sounds.setdefault(child.get("id", ""), Sound())
            sound.program = _clip(number_of(child.find("midi-program")) - 1, 127)
            sound.bank = _clip(number_of(child.find("midi-bank")) - 1, 16383)
            sound.channel = _clip(number_of(child.find("midi-channel")) - 1, 15)
            sound.key = _clip(number_of(child.find("midi-unpitched")) - 1, 127)
        elif child.tag == "midi-device":
            try:
                entry.port = max(0, min(int(child.get("port", "1")) - 1, 255))
            except ValueError:
                entry.port = 0
    return entry


def _clip(value: int, top: int) -> int:
    return value if 0 <= value <= top else -1


def _display(element: _Element | None) -> str:
    if element is None or element.get("print-object") == "no":
        return ""
    texts = []
    for child in element:
        if child.tag == "display-text":
            texts.append((child.text or "")[:TEXT])
        elif child.tag == "accidental-text":
            texts.append(_ACCIDENTAL_TEXT.get(text_of(child), ""))
    return " ".join("".join(texts).split())


def drum_key(entry: PartEntry, instrument: str, position: str) -> int:
    """General MIDI drum key of an unpitched note: from its instrument, that one's name, the part's name, its place."""
    sound = entry.sounds.get(instrument) or (next(iter(entry.sounds.values())) if len(entry.sounds) == 1 else None)
    if sound is not None:
        if sound.key >= 0:
            return sound.key
        if found := drum_key_of(sound.name):
            return found
    if found := drum_key_of(entry.name):
        return found
    return _BY_PLACE.get(position, 38)


# where a drum kit's players expect each instrument on a five-line staff
_BY_PLACE = {
    "D4": 44, "E4": 35, "F4": 36, "G4": 41, "A4": 43, "B4": 45, "C5": 38, "D5": 48, "E5": 50, "F5": 51, "G5": 42,
    "A5": 49, "B5": 55,
}  # fmt: skip
