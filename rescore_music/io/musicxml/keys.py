"""Key signatures and transpositions of one part: where they are the score's, and where the part has its own.

The score holds one concert key. A part that is written otherwise (horns without a signature, a staff with its own, a
signature of single alterations) says so in marks of kind "attribute", which hold until its next signature agrees with
the score's; changes of transposition are such marks too. Fifths are places on the line of fifths, positive for sharps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rescore_music.io.musicxml.signs import sign_name, sign_xml
from rescore_music.io.musicxml.staff import diatonic_of, key_xml, transpose_xml, written_key
from rescore_music.io.musicxml.tables import DIATONIC_OF_CHROMATIC, STEPS, transposition_fifths
from rescore_music.score import Mark, Part, Score

if TYPE_CHECKING:
    from rescore_music.io.musicxml.place import PartPlace
    from rescore_music.io.notation.snap import Snapped

Ints = npt.NDArray[np.int64]
_SHARPS = (3, 0, 4, 1, 5, 2, 6)  # F C G D A E B


def concert_of(fifths: int, chromatic: int, diatonic: int) -> int:
    """The concert key of a written signature."""
    concert = fifths + transposition_fifths(chromatic, diatonic)
    return concert - (12 * round(concert / 12) if abs(concert) > 7 else 0)


def whole_transposition(chromatic: int, diatonic: int | None, octaves: int) -> tuple[int, int]:
    """Semitones and staff steps of a transposition, octaves added; the steps from the semitones where unsaid."""
    if diatonic is None:
        sign = 1 if chromatic >= 0 else -1
        diatonic = sign * (DIATONIC_OF_CHROMATIC[abs(chromatic) % 12] + 7 * (abs(chromatic) // 12))
    return chromatic + 12 * octaves, diatonic + 7 * octaves


# -- reading ---------------------------------------------------------------------------------------------------------


def own_keys(score: Score, places: list[PartPlace]) -> list[Mark]:
    """Marks for the signatures in which parts differ from the score's keys."""
    starts = score.bars
    out: list[Mark] = []
    ticks, fifths = score.keys["tick"].tolist(), score.keys["fifths"].tolist()
    for place in places:
        if score.parts[place.index].percussion or not (place.signatures or place.moves or len(ticks) > 1):
            continue
        said = {int(starts[bar]) + at: (moved, text) for bar, at, moved, text in place.signatures}
        moved = {int(starts[bar]) + at for bar, at in place.moves}
        out += _differing(score.parts[place.index], place.index, said, moved, dict(zip(ticks, fifths, strict=True)))
    return out


def _differing(
    part: Part, number: int, said: dict[int, tuple[tuple[int, int], str]], moved: set[int], keys: dict[int, int]
) -> list[Mark]:
    out: list[Mark] = []
    joined, last = True, ""
    now: int | None = None
    for tick in sorted({*said, *moved, *keys}):
        now = keys.get(tick, now)
        if tick in said:
            by, last = said[tick]
            same = by == (part.transposition, part.diatonic)
            agrees = _agrees(last, now, part if same else replace(part, transposition=by[0], diatonic=by[1]))
            if not agrees or not joined:
                out.append(Mark(tick, "attribute", last, number))
            joined = agrees
        elif joined and now is not None and (last or written_key(now, part)):
            # the score's key or the transposition changes, and this part goes on in the signature it has
            out.append(Mark(tick, "attribute", last or "key(fifths=0)", number))
            joined = False
    return out


def _agrees(text: str, concert: int | None, part: Part) -> bool:
    """Whether a signature is the one that the writer gives a part under the score's key."""
    return concert is not None and _fifths(text) == written_key(concert, part)


# -- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """A key signature as a part writes it: tick, place on paper, XML, how far its notes are respelled, alterations.

    `respelled` is in fifths (an enharmonic change by 12), `alters` by staff step; `staff` -1 for all staves.
    """

    tick: int
    at: int
    xml: str
    respelled: int
    alters: tuple[int, ...]
    staff: int = -1


class Heading:
    """Signatures and transpositions of one part, in the order of time."""

    def __init__(self, score: Score, snapped: Snapped, number: int, marks: list[Mark]) -> None:
        self.part = part = score.parts[number]
        self.marks = [m for m in marks if m.kind == "attribute"]
        changes = [(m.tick, *_transposition(m.text)) for m in self.marks if sign_name(m.text) == "transpose"]
        first = (0, 0, 0) if part.percussion else (0, part.transposition, diatonic_of(part))
        self.transpositions: list[tuple[int, int, int]] = [first, *(() if part.percussion else changes)]
        self.moves = [
            (int(snapped.place(tick, score)), transpose_xml(chromatic, diatonic))
            for tick, chromatic, diatonic in self.transpositions[1:]
        ]
        self.details, self.styles = (self._placed(score, snapped, name) for name in ("staff-details", "measure-style"))
        self.signatures = self._signatures(score, snapped)

    @property
    def places(self) -> list[int]:
        """Where something changes that a counting player must see."""
        return [*(s.at for s in self.signatures), *(at for at, _ in (*self.moves, *self.details, *self.styles))]

    def _placed(self, score: Score, snapped: Snapped, name: str) -> list[tuple[int, str]]:
        """(place on paper, XML) of the marks of one kind of element."""
        found = [(int(snapped.place(m.tick, score)), sign_xml(m.text, (name,))) for m in self.marks]
        return [(at, xml) for at, xml in found if xml]

    def transposed(self, ticks: Ints) -> tuple[Ints, Ints]:
        """Semitones and staff steps by which what is written at these ticks sounds otherwise."""
        table = np.array(self.transpositions, np.int64)
        row = np.maximum(np.searchsorted(table[:, 0], ticks, side="right") - 1, 0)
        return table[row, 1], table[row, 2]

    def respelled(self, ticks: Ints) -> Ints:
        """How far what is written at these ticks is respelled, in fifths."""
        whole = [s for s in self.signatures if s.staff < 0]
        if not whole:
            return np.zeros(len(ticks), np.int64)
        row = np.maximum(np.searchsorted([s.tick for s in whole], ticks, side="right") - 1, 0)
        return np.array([s.respelled for s in whole], np.int64)[row]

    def alters(self, at: int, staff: int) -> tuple[int, ...]:
        """What the signature in force at a place on paper does to each staff step."""
        found: tuple[int, ...] = (0,) * 7
        for signature in self.signatures:
            if signature.at > at:
                break
            if signature.staff in (-1, staff):
                found = signature.alters
        return found

    def _signatures(self, score: Score, snapped: Snapped) -> list[Signature]:
        def place(tick: int) -> int:
            return int(snapped.place(tick, score))

        keys = {int(k["tick"]): (int(k["fifths"]), int(k["mode"])) for k in score.keys}
        if self.part.percussion:
            return [Signature(t, place(t), key_xml(0, -1, True), 0, (0,) * 7) for t in sorted(keys)]
        own = {m.tick: m for m in self.marks if m.staff == 0 and sign_name(m.text) == "key"}
        moves = {tick: (chromatic, diatonic) for tick, chromatic, diatonic in self.transpositions}
        staves = [m for m in self.marks if m.staff > 0 and sign_name(m.text) == "key"]
        shared = {m.tick for m in staves}
        out: list[Signature] = []
        joined, now, part = True, None, self.part
        for tick in sorted({*keys, *own, *moves}):
            now = keys.get(tick, now)
            chromatic, diatonic = moves.get(tick, (part.transposition, part.diatonic))
            part = replace(part, transposition=chromatic, diatonic=diatonic)
            away = transposition_fifths(chromatic, diatonic)
            if tick in own and (xml := sign_xml(own[tick].text, ("key",))):
                fifths = _fifths(own[tick].text)
                joined = now is not None and _agrees(own[tick].text, now[0], part)
                turned = fifths - (now[0] - away) if joined and fifths is not None and now is not None else 0
                out.append(Signature(tick, place(tick), xml, turned, _alters(own[tick].text)))
            elif joined and now is not None and (tick in keys or tick in moves):
                fifths = written_key(now[0], part)
                xml = key_xml(fifths, now[1], False)
                out.append(Signature(tick, place(tick), xml, fifths - (now[0] - away), key_alters(fifths)))
        out = [replace(s, xml=_numbered(s.xml, 1)) if s.tick in shared else s for s in out]
        for m in staves:
            if xml := sign_xml(m.text, ("key",)):
                xml = _numbered(xml, m.staff + 1)
                out.append(Signature(m.tick, place(m.tick), xml, 0, _alters(m.text), m.staff))
        return sorted(out, key=lambda s: (s.tick, s.staff))


def _numbered(xml: str, staff: int) -> str:
    return re.sub(r"^<key(?: number=\"\d+\")?", f'<key number="{staff}"', xml)


def _transposition(text: str) -> tuple[int, int]:
    said = {name: int(value) for name, value in re.findall(r"([a-z-]+)=(-?\d{1,3})(?=[;)])", text)}
    return whole_transposition(said.get("chromatic", 0), said.get("diatonic"), said.get("octave-change", 0))


def _fifths(text: str) -> int | None:
    found = re.search(r"\bfifths=(-?\d{1,2})(?=[;)])", text)
    return int(found.group(1)) if found else None


def _alters(text: str) -> tuple[int, ...]:
    fifths = _fifths(text)
    if fifths is not None:
        return key_alters(fifths)
    alters = [0] * 7
    for step, alter in re.findall(r"key-step=([A-G]);key-alter=(-?\d)(?=[;)])", text):
        alters[STEPS.index(step)] = int(alter)
    return tuple(alters)


def key_alters(fifths: int) -> tuple[int, ...]:
    """What a signature does to each staff step, C first."""
    alters = [0] * 7
    for i in range(abs(fifths)):
        alters[_SHARPS[i % 7] if fifths > 0 else _SHARPS[6 - i % 7]] += 1 if fifths > 0 else -1
    return tuple(alters)
