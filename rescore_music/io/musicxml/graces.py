"""Groups of grace notes, as the text of a "grace" mark: order, chords and note values, where they are not the usual.

Usual are: one note after the other, rising; an eighth alone, sixteenths in a group. The text lists the pitches, those
of a chord joined by "+", a note value before the first note that has it: "32nd 71 73", "74 71+72". The mark's `value`
is `AFTER` where no note of the voice follows at its tick: the group ends the note before it (the Nachschlag of a
trill), at a bar's end before the bar line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

AFTER = 1.0
FLAGS = {
    "1024th": 8, "512th": 7, "256th": 6, "128th": 5, "64th": 4, "32nd": 3, "16th": 2, "eighth": 1,
    "quarter": 0, "half": 0, "whole": 0,
}  # fmt: skip


class Grace(NamedTuple):
    """One grace note: sounding pitch, note value ("" = the usual), whether it stands in a chord with the one before."""

    pitch: int
    kind: str
    chord: bool


def usual_kind(heads: int) -> str:
    """The note value of a group of so many chords, where none is said."""
    return "eighth" if heads == 1 else "16th"


def group_text(notes: Iterable[Grace]) -> str:
    """The text of a group's mark, "" where all is as usual."""
    chords: list[list[int]] = []
    kinds: list[str] = []
    for note in notes:
        if note.chord and chords:
            chords[-1].append(note.pitch)
        else:
            chords.append([note.pitch])
            kinds.append(note.kind if note.kind in FLAGS else "")
    usual = usual_kind(len(chords))
    kinds = [kind or usual for kind in kinds]
    pitches = [pitch for chord in chords for pitch in sorted(chord)]
    if len(pitches) == len(chords) and pitches == sorted(pitches) and set(kinds) == {usual}:
        return ""
    words, last = [], usual
    for kind, chord in zip(kinds, chords, strict=True):
        if kind != last:
            words.append(kind)
        words.append("+".join(map(str, sorted(chord))))
        last = kind
    return " ".join(words)


def plain_text(notes: Iterable[Grace]) -> str:
    """The pitches of a group that is as usual."""
    return " ".join(str(note.pitch) for note in notes)


def group_of(text: str) -> list[tuple[str, list[int]]]:
    """What a mark's text says: note value ("" = the usual) and pitches of each chord. Other words count for nothing."""
    found: list[tuple[str, list[int]]] = []
    kind = ""
    for word in text.split():
        if word in FLAGS:
            kind = word
            continue
        pitches = [int(p) for p in word.split("+") if p.isascii() and p.isdigit() and len(p) < 4]
        if pitches:
            found.append((kind, pitches))
    return found
