"""ABC made ready for music21, and what music21 passes over: voices, changes inside a tune, words, decorations.

music21 parts a tune by its V: fields only where their names are numbers and each comes once, leaves out the first field
after a bar line, takes fields in brackets for chords and loses a note under a fermata (H). Here every voice's lines are
gathered under one number, and fields stand on lines of their own where it reads them. Words (w:) and decorations
(!...!, H L M P T) are counted against the notes.

Source: the ABC music standard 2.1 (Walshaw, 2011), sections 3.2, 4.14, 5.1 and 7.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_INLINE = re.compile(r"\[([A-Za-z]):([^\]\n]*)\]")
_BARE = re.compile(r"(?<=[\s|])([MKLQ]):(\w\S*)")  # what should stand in brackets, and often does not
_NAME = re.compile(r'\b(?:name|nm)\s*=\s*(?:"([^"]*)"|(\S+))')
_NO_NOTE = re.compile(r'"[^"]*"|![^!\s]*!|\{[^}]*\}|\[\d[\d,.-]*')
_CHORD = re.compile(r"\[[^\]|]*\]")
_NOTE = re.compile(r"[A-Ga-g]")
_LETTERS = {
    "H": "fermata",
    "L": "accent",
    "M": "lowermordent",
    "O": "coda",
    "P": "uppermordent",
    "S": "segno",
    "T": "trill",
}
_LETTER = re.compile(r'"[^"]*"|![^!\s]*!|([HLMOPST])')
_SIGN = re.compile(
    r'"[^"]*"|!(?P<name>[^!\s]+)!|\{[^}]*\}|\[\d[\d,.-]*|(?P<letter>[HLMOPST])|(?P<note>\[[^\]|]*\]|[A-Ga-gzx])'
)
_WORD = re.compile(r"\||\*|_|-|\s+|(?:\\-|[^\s|*_-])+")
_BAR = re.compile(r"[|\]:]*\|[|\]:]*")


@dataclass
class Sung:
    """A line of words under notes: its verse, the number of the first note above it, and how many each bar has."""

    verse: int
    first: int
    bars: tuple[int, ...]
    text: str


@dataclass
class Voice:
    """The lines of one voice as music21 is to read them; `notes` counts those so far, `line` those of the last line."""

    name: str = ""
    lines: list[str] = field(default_factory=list)
    signs: list[tuple[int, str]] = field(default_factory=list)  # number of the note, name of the decoration
    sung: list[Sung] = field(default_factory=list)
    notes: int = 0
    line: tuple[int, ...] = ()
    verse: int = 0


@dataclass
class Tune:
    """A tune: the text for music21, its voices in the order of its parts, and how often a field was left out."""

    text: str
    voices: list[Voice]
    left_out: Counter[str]


def arranged(text: str) -> Tune:
    """A tune as music21 reads it whole."""
    header, voices, left_out = [], dict[str, Voice](), Counter[str]()
    body, at = False, ""
    for line in text.splitlines():
        found = _FIELD.match(line)
        if line.startswith("%") or not line.strip():
            continue
        if found and found[1] == "V":
            at = _switch(voices, found[2], at)
        elif not body:
            header.append(line)
            body = bool(found and found[1] == "K")
        elif found:
            _take_field(voices.setdefault(at, Voice()), found[1], found[2], left_out)
        else:
            at = _take_music(voices, line, at, left_out)
    played = [voice for voice in voices.values() if voice.lines]
    if len(played) < 2:
        return Tune("\n".join([*header, *(line for voice in played for line in voice.lines)]), played, left_out)
    again = _reset(header)
    lines = [line for i, v in enumerate(played, 1) for line in (f"V:{i}", *(again if i > 1 else ()), *v.lines)]
    return Tune("\n".join([*header, *lines]), played, left_out)


def _switch(voices: dict[str, Voice], said: str, before: str) -> str:
    """The voice that a V: field names, with what it says of its name."""
    number = (said.split() or [before])[0]
    voice = voices.setdefault(number, Voice())
    if name := _NAME.search(said):
        voice.name = name[1] if name[1] is not None else name[2]
    return number


def _take_field(voice: Voice, name: str, said: str, left_out: Counter[str]) -> None:
    if name == "w":
        voice.verse += 1
        voice.sung.append(Sung(voice.verse, voice.notes - sum(voice.line), voice.line, said))
    elif name in "MKQ":
        voice.lines += ["R:", f"{name}:{said}"]  # the first field after a bar line would be left out
    elif name == "L":
        voice.lines.append(f"L:{said}")
    elif name not in "NRr":  # remarks, and the kind of dance
        left_out[name] += 1


def _take_music(voices: dict[str, Voice], line: str, at: str, left_out: Counter[str]) -> str:
    """A line of music and the fields inside it; returns the voice at its end."""
    pieces = _INLINE.split(_BARE.sub(r"[\1:\2]", line.partition("%")[0].rstrip("\\ ")))
    for i in range(0, len(pieces), 3):
        if i:
            name, said = pieces[i - 2], pieces[i - 1]
            if name == "V":
                at = _switch(voices, said, at)
            else:
                _take_field(voices.setdefault(at, Voice()), name, said, left_out)
        if music := pieces[i].strip():
            voice = voices.setdefault(at, Voice())
            voice.signs += [(voice.notes + number, sign) for number, sign in _decorations(music)]
            voice.lines.append(_LETTER.sub(lambda found: "" if found[1] else found[0], music))
            voice.line, voice.verse = _notes_by_bar(music), 0
            voice.notes += sum(voice.line)
    return at


def _notes_by_bar(music: str) -> tuple[int, ...]:
    """How many notes each bar of a line has; a chord is one, grace notes and rests are none."""
    plain = _CHORD.sub("C", _NO_NOTE.sub(" ", music))
    return tuple(len(_NOTE.findall(bar)) for bar in _BAR.split(plain))


def _decorations(music: str) -> Iterator[tuple[int, str]]:
    """(number of the note, name) of the decorations of a line; those of rests are left out."""
    waiting: list[str] = []
    number = 0
    for found in _SIGN.finditer(music):
        if sign := found["name"] or _LETTERS.get(found["letter"] or ""):
            waiting.append(sign)
        elif found["note"]:
            if found["note"] not in ("z", "x"):
                yield from ((number, sign) for sign in waiting)
                number += 1
            waiting.clear()


def _reset(header: list[str]) -> list[str]:
    """Key and note length of the header, said again where another voice may have changed them."""
    fields = {found[1]: found[2].strip() for line in header if (found := _FIELD.match(line))}
    length = fields.get("L", "")
    if not length:
        found = re.match(r"(\d+)/(\d+)$", fields.get("M", ""))
        short = found is not None and int(found[2]) > 0 and Fraction(int(found[1]), int(found[2])) < Fraction(3, 4)
        length = "1/16" if short else "1/8"
    return [f"L:{length}", f"K:{fields.get('K', 'C')}"]


def syllables(line: Sung) -> Iterator[tuple[int, str]]:
    """(number of the note, syllable) of a line of words; a syllable that its word goes on after ends in "-"."""
    edges = [0]
    for count in line.bars:
        edges.append(edges[-1] + count)
    notes, place, waiting, apart = edges[-1], 0, "", True
    for found in _WORD.finditer(line.text):
        token = found.group()
        if token == "-" and waiting and not apart:
            waiting += "-"
        if token.isspace():
            apart = True
            continue
        if waiting:
            yield line.first + place - 1, waiting
            waiting = ""
        if token == "|":
            place = next((edge for edge in edges if edge >= max(place, 1)), notes)
        elif token in "*_" or (token == "-" and apart):
            place += 1
        elif token != "-" and place < notes:
            waiting, place = token.replace("\\-", "‑").replace("~", " ").strip(), place + 1
        apart = token == "-"  # a second hyphen stands for a note
    if waiting:
        yield line.first + place - 1, waiting
