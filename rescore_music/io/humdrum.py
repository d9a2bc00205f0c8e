"""What music21 passes over in Humdrum: slurs in **kern, hairpins in **dynam, words in **text, names of instruments.

Conventions: lines count as music21 counts them (it leaves each note the number of its line), spines by the column they
began in. A spine that splits keeps its number in both halves.

References
----------
Huron, D., The Humdrum Toolkit: Reference Manual, "kern" and "dynam": `(` and `)` open and close a slur; `<` and `[`
begin and end a crescendo, `>` and `]` a diminuendo.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

_PITCH = re.compile(r"(?<![a-gA-G])([a-gA-G])\1*(#+|-+)?")
_WORDS = ("**text", "**silbe", "**lyrics", "**Text")
_NATURAL = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


class Token(NamedTuple):
    """One cell of a data line."""

    spine: int
    kind: str
    text: str


class Spot(NamedTuple):
    """A note or chord as it was placed in the draft: its line, bar, place, duration, voice, grace or not, pitches."""

    line: int
    bar: int
    at: int
    duration: int
    voice: int
    grace: bool
    pitches: frozenset[int]


class Arch(NamedTuple):
    """A slur or hairpin from one spot to another."""

    first: Spot
    last: Spot
    text: str = ""


def tokens_of(text: str) -> dict[int, list[Token]]:
    """The cells of each data line, with the spine each belongs to."""
    spines: list[tuple[int, str]] = []
    out: dict[int, list[Token]] = {}
    for number, line in enumerate((line for line in text.splitlines() if line), 1):
        cells = line.split("\t")
        if line.startswith("!"):
            continue
        if line.startswith("**"):
            spines = list(enumerate(cells))
        elif line.startswith("*"):
            spines = _moved(spines, cells)
        elif not line.startswith("=") and len(cells) == len(spines):
            out[number] = [Token(*spine, cell) for spine, cell in zip(spines, cells, strict=True) if cell != "."]
    return out


def _moved(spines: list[tuple[int, str]], cells: list[str]) -> list[tuple[int, str]]:
    """The spines after a line that splits, joins, swaps or ends some."""
    if len(cells) != len(spines):
        return spines
    out: list[tuple[int, str]] = []
    joining = swapped = False
    for spine, cell in zip(spines, cells, strict=True):
        if cell == "*v" and joining and out and out[-1][0] == spine[0]:
            continue
        joining = cell == "*v"
        if cell == "*-":
            continue
        out += [spine, spine] if cell == "*^" else [spine]
        if cell == "*x":
            if swapped:
                out[-1], out[-2] = out[-2], out[-1]
            swapped = not swapped
    return out


def kern_spines(tokens: dict[int, list[Token]]) -> list[int]:
    """The **kern spines that hold data, from the left."""
    return sorted({t.spine for cells in tokens.values() for t in cells if t.kind == "**kern"})


def slurs(tokens: dict[int, list[Token]], spine: int, spots: list[Spot]) -> tuple[list[Arch], int]:
    """The slurs of one **kern spine, and how many have lost their other half."""
    found: list[Arch] = []
    open_: dict[int, list[Spot]] = {}
    half = 0
    for spot in sorted(spots, key=lambda s: s.line):
        waiting = open_.setdefault(spot.voice, [])
        cell = _cell(tokens.get(spot.line, ()), spine, spot)
        for _ in range(cell.count(")")):
            anywhere: list[Spot] = waiting or next((w for w in open_.values() if w), [])
            if not anywhere:
                half += 1
                continue
            first = anywhere.pop()
            if (first.bar, first.at, first.line) != (spot.bar, spot.at, spot.line):
                found.append(Arch(first, spot))
        waiting += [spot] * cell.count("(")
    return found, half + sum(len(waiting) for waiting in open_.values())


def _cell(cells: list[Token] | tuple[Token, ...], spine: int, spot: Spot) -> str:
    """The cell of a note: of several in a split spine, the one with its pitches."""
    mine = [t.text for t in cells if t.spine == spine and t.kind == "**kern"]
    return next((text for text in mine if pitches_of(text) & spot.pitches), mine[0] if len(mine) == 1 else "")


def pitches_of(cell: str) -> frozenset[int]:
    """MIDI pitches of a **kern cell: "CC" an octave below "C", "cc" one above "c" (middle C)."""
    out = set()
    for found in _PITCH.finditer(cell):
        letters = found.group().rstrip("#-")
        alter = (found.group(2) or "").count("#") - (found.group(2) or "").count("-")
        octave = 4 + len(letters) if letters[0].islower() else 5 - len(letters) - 1
        octave = octave - 1 if letters[0].islower() else octave
        out.add(12 * (octave + 1) + _NATURAL[letters[0].lower()] + alter)
    return frozenset(out)


def names_of(text: str) -> dict[int, str]:
    """The instrument's name (*I"...) of each spine."""
    spines: list[tuple[int, str]] = []
    out: dict[int, str] = {}
    for line in text.splitlines():
        if not line.startswith("*"):
            continue
        cells = line.split("\t")
        spines = list(enumerate(cells)) if line.startswith("**") else spines
        for (spine, _), cell in zip(spines, cells, strict=False):
            if cell.startswith('*I"'):
                out.setdefault(spine, cell[3:].strip(' "'))
        spines = spines if line.startswith("**") else _moved(spines, cells)
    return out


def _beside(tokens: dict[int, list[Token]], spine: int, kinds: tuple[str, ...]) -> list[list[tuple[int, str]]]:
    """(line, cell) of each spine of some kinds that stands between a **kern spine and the next."""
    columns = sorted({(t.spine, t.kind) for cells in tokens.values() for t in cells if t.spine > spine})
    following = next((number for number, kind in columns if kind == "**kern"), -1)
    out = []
    for after, kind in columns:
        if kind in kinds and (following < 0 or after < following):
            found = ((line, "".join(t.text for t in c if t.spine == after)) for line, c in sorted(tokens.items()))
            out.append([(line, text) for line, text in found if text])
    return out


def _dynam(tokens: dict[int, list[Token]], spine: int) -> list[tuple[int, str]]:
    """(line, cell) of the **dynam spine that follows a **kern spine; empty where none does."""
    return next(iter(_beside(tokens, spine, ("**dynam",))), [])


def words(tokens: dict[int, list[Token]], spine: int, spots: list[Spot]) -> list[list[tuple[Spot, str]]]:
    """The syllables beside a **kern spine, verse by verse; one that its word goes on after ends in "-"."""
    by_line: dict[int, Spot] = {}
    for spot in sorted(spots, key=lambda s: (s.grace, s.voice)):
        by_line.setdefault(spot.line, spot)
    out = []
    for cells in _beside(tokens, spine, _WORDS):
        sung = ((by_line.get(line), " ".join(text.split()).lstrip("-")) for line, text in cells)
        out.append([(spot, text) for spot, text in sung if spot is not None and text.strip("_|~")])
    return [line for line in out if line]


def levels(tokens: dict[int, list[Token]], spine: int, spots: list[Spot]) -> list[tuple[Spot, str]]:
    """The dynamics of the **dynam spine that follows a **kern spine, each at the note it stands at or before."""
    spots = sorted(spots, key=lambda s: s.line)
    lines = [spot.line for spot in spots]
    found = []
    for line, text in _dynam(tokens, spine):
        said = re.search(r"[pfmsrzn]+", text)
        if said and spots:
            found.append((spots[min(bisect_left(lines, line), len(spots) - 1)], said.group()))
    return found


def hairpins(tokens: dict[int, list[Token]], spine: int, spots: list[Spot]) -> tuple[list[Arch], int]:
    """The hairpins of the **dynam spine that follows a **kern spine, and how many have lost their other half."""
    spots = sorted(spots, key=lambda s: s.line)
    lines = [spot.line for spot in spots]
    cells_by_line = _dynam(tokens, spine)
    found: list[Arch] = []
    waiting: dict[str, Spot] = {}
    half = 0
    for line, text in cells_by_line:
        at = bisect_left(lines, line)  # the note at that line, or the next
        spot = spots[min(at, len(spots) - 1)] if spots else None
        for sign, end in (("<", "["), (">", "]")):
            if end in text:
                first = waiting.pop(sign, None)
                if first is None or spot is None:
                    half += 1
                else:
                    found.append(Arch(first, spot, sign))
            if sign in text:
                half += sign in waiting
                if spot is not None:
                    waiting[sign] = spot
                else:
                    half += 1
    return found, half + len(waiting)
