"""Names beside the staves: short enough for the margin, with an abbreviation for every system but the first.

MIDI files name their tracks at length or not at all; a printed score has "Violin I" once and "Vln. I" from then on.

References
----------
Gould, E. (2011). Behind Bars, "Score layout": instrument names and their abbreviations.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from rescore_music.instruments import guess_instrument, instruments
from rescore_music.score import Part, Score

WIDEST = 22  # letters that the margin takes
_NUMBER = re.compile(r"\b(\d+|[IVX]+)\s*$")
_SEAM = re.compile(r"\s*[:;/|(\[,]\s*|\s+-\s+")


def with_labels(score: Score) -> Score:
    """The score with printed names: cut to the margin's width, abbreviations where the parts have none.

    Equal names of several parts are numbered ("Piano 1", "Piano 2"). Nothing else changes.
    """
    names = [_name(part) for part in score.parts]
    short = [part.abbreviation or _short(part, name) for part, name in zip(score.parts, names, strict=True)]
    names, short = _numbered(names, names), _numbered(short, names)
    parts = (
        replace(part, name=name, abbreviation=brief)
        for part, name, brief in zip(score.parts, names, short, strict=True)
    )
    return score.replace(parts=tuple(parts))


def _name(part: Part) -> str:
    name = " ".join(part.name.split())
    if not name:
        row = instruments().get(part.instrument)
        return row.name if row else guess_instrument("", part.program, part.percussion).name
    if len(name) <= WIDEST:
        return name
    # "track: instrument" is how the MIDI reader names what it has split
    for piece in (name.rpartition(": ")[2], _SEAM.split(name)[0].strip()):
        if 0 < len(piece) <= WIDEST:
            return piece
    return f"{name[: WIDEST - 1].rstrip()}…"


def _short(part: Part, name: str) -> str:
    """The instrument table's abbreviation with the name's own number; nothing shorter for short names."""
    row = instruments().get(part.instrument) or guess_instrument(part.name, part.program, part.percussion)
    number = _NUMBER.search(name)
    brief = f"{row.abbreviation} {number.group(1)}" if number else row.abbreviation
    return brief if len(brief) < len(name) else name


def _numbered(texts: list[str], names: list[str]) -> list[str]:
    """Texts with a number where parts share both text and name."""
    several = Counter(zip(texts, names, strict=True))
    seen: Counter[tuple[str, str]] = Counter()
    out = []
    for pair in zip(texts, names, strict=True):
        seen[pair] += 1
        out.append(f"{pair[0]} {seen[pair]}" if several[pair] > 1 and pair[0] else pair[0])
    return out
