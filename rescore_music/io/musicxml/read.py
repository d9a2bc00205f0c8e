"""Read MusicXML (.musicxml, .xml, .mxl; score-partwise and score-timewise) into a Score.

Conventions: ticks are the least common multiple of all divisions in the file and 480, so tuplets are exact; pitches
sound, spelling is kept; a tied note is one note; repeats and jumps stay as they are written, as marks. What the score
cannot hold is counted in `import_log`.

Marks beyond the list in `score.Mark`: "fermata" (over a rest or bar line), "grace" (a grace group that is not as
usual, see `musicxml.graces`), "tremolo" (`value` = strokes where not three), "breath". A slur's `end` is the
end of its last note; its `value` has bit 1 where it starts, bit 2 where it ends on a grace note. A "text" mark with
an `end` is followed by dashes. A velocity comes from the printed dynamics (see `notation.dynamics`) unless the note
has a `dynamics` attribute of its own.

References
----------
MusicXML 4.0 (W3C Community Group Final Report, 2021).
"""

from __future__ import annotations

import gc
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rescore_music.errors import ReadError
from rescore_music.io.files import read_bytes
from rescore_music.io.limits import PARTS
from rescore_music.io.musicxml.archive import root_element, unpacked
from rescore_music.io.musicxml.keys import own_keys
from rescore_music.io.musicxml.parts import PartEntry, part_entries, text_of
from rescore_music.io.musicxml.staff import clefs_of
from rescore_music.io.musicxml.walk import PartWalker
from rescore_music.io.notation.draft import Draft, assemble, mark_order
from rescore_music.score import LogItem, Metadata, Score

if TYPE_CHECKING:
    from lxml.etree import _Element

RESOLUTION = 480  # ticks per quarter are a multiple of it, so that short things have room
RESOLUTION_MAX = 1_000_000
NUMBER_DIGITS = 5  # of a bar's number, at most
_DIVISIONS = b"<divisions>"
_HIDDEN = re.compile(rb'<note\b[^<>]*\bprint-object="no"[^<>]*>\s*<(?:grace|cue|chord|pitch|unpitched)\b')


def read_musicxml(source: str | Path | bytes) -> Score:
    """Read a MusicXML score.

    Parameters
    ----------
    source : path or bytes
        A file, packed or plain, or its content.

    Returns
    -------
    Score
        `import_log` tells what was mended or ignored.

    Raises
    ------
    ReadError
        If it is missing, no MusicXML, malformed, hostile, or has no bars.
    """
    if isinstance(source, bytes):
        data, file = source, "MusicXML"
        if not data:
            raise ReadError("the file is empty", file=file)
    else:
        data, file = read_bytes(source), str(source)
    with _without_collection():
        return _read(data, file, "" if isinstance(source, bytes) else Path(source).name)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No cyclic garbage is made in reading: the collector would only walk a heap that grows with the file."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _read(data: bytes, file: str, name: str) -> Score:
    plain = unpacked(data, file)
    told: Counter[str] = Counter()
    root = root_element(plain, file, told)
    entries = part_entries(root)
    parts = _measures_by_part(root, entries, file)
    draft = Draft(_resolution(root, plain), file)
    for what, count in {**told, **_unheld(root, plain)}.items():
        draft.note("file", what, count)
    printed = [measure.get("number", "") for measure in islice(root.iter("measure"), 2)]
    known = _known(draft, entries, [part_id for part_id, _ in parts])
    walkers = []
    for index, (part_id, measures) in enumerate(parts):
        entry = known.get(part_id)
        if entry is None:
            draft.note("part list", "parts that the part list does not name, read all the same")
            entry = PartEntry(part_id, part_id)
        walker = PartWalker(draft, index, entry)
        walker.walk(measures)
        walkers.append(walker)
    metadata = _metadata(root, data, name)
    score = assemble(draft, [walker.part() for walker in walkers], metadata)
    score = _as_printed(score, printed)
    own = own_keys(score, [walker.place for walker in walkers])
    ended = {(m.tick, m.text.partition(":")[2]) for m in score.marks if m.text.startswith("ending-stop:")}
    kept = [m for m in score.marks if (m.tick, m.text.removeprefix("ending-discontinue:")) not in ended]
    if own or len(kept) < len(score.marks):
        score = score.replace(marks=tuple(sorted((*kept, *own), key=mark_order)))
    return _with_staves(score)


def _known(draft: Draft, entries: list[PartEntry], parts: list[str]) -> dict[str, PartEntry]:
    """The entry of the part list for each part, by the part's id."""
    known = {entry.id: entry for entry in entries}
    ids = set(parts)
    strange, silent = [part for part in parts if part not in known], [e for e in entries if e.id not in ids]
    if strange and len(strange) == len(silent):
        draft.note("part list", "parts that the part list calls otherwise, taken in its order", len(strange))
        known.update(zip(strange, silent, strict=True))
    elif silent:
        draft.note("part list", "parts of which the score has no bar, left out", len(silent))
    return known


def _unheld(root: _Element, plain: bytes) -> dict[str, int]:
    """What no part's reader sees, or sees too often to be asked note by note."""
    hidden = len(_HIDDEN.findall(plain)) if b'print-object="no"' in plain else 0
    out = {"notes that the page does not show, shown where it is written anew": hidden}
    return {what: count for what, count in out.items() if count}


def _as_printed(score: Score, printed: list[str]) -> Score:
    """The score with the number of its first bar that is no upbeat, as the first bars of the file bear it."""
    bar = int(score.numbered.before[0] > 0)
    told = printed[bar] if bar < len(printed) else ""
    plain = told.isascii() and told.isdigit() and len(told) <= NUMBER_DIGITS
    return score.replace(first_bar=int(told)) if plain and int(told) != score.first_bar else score


def _with_staves(score: Score) -> Score:
    """Staves that notes stand on and nobody announced, and a clef for each that has none."""
    parts = list(score.parts)
    log: list[LogItem] = []
    for i, part in enumerate(parts):
        staff = score.notes["staff"][score.part_notes(i)].astype(np.int64)
        staves = max(part.staves, int(staff.max()) + 1 if len(staff) else 1)
        if staves == part.staves and len(part.clefs) >= staves:
            continue
        clefs = clefs_of(score, i, staves, staff)
        parts[i] = replace(part, staves=staves, clefs=(*part.clefs, *clefs[len(part.clefs) :]))
        log.append(LogItem(f"part {part.name or i + 1}", "staves without a clef, given one"))
    return score.replace(parts=tuple(parts), import_log=(*score.import_log, *log)) if log else score


def _measures_by_part(root: _Element, entries: list[PartEntry], file: str) -> list[tuple[str, Iterator[_Element]]]:
    """(part id, its measures) in the order of the part list; time-wise scores are turned part by part."""
    found: dict[str, list[_Element]] = {}
    if root.tag == "score-partwise":
        for part in root.iterchildren("part"):
            found.setdefault(part.get("id", ""), []).extend(part.iterchildren("measure"))
    else:
        for number, measure in enumerate(root.iterchildren("measure")):
            for part in measure.iterchildren("part"):
                measures = found.setdefault(part.get("id", ""), [])
                while len(measures) < number:  # a part may be missing in a measure
                    measures.append(measure.makeelement("measure", {}))
                measures.append(part)
    if not found:
        raise ReadError("the score has no parts", file=file, cure="export a score with music in it")
    if len(found) > PARTS:
        raise ReadError(f"{len(found)} parts, more than {PARTS}", file=file, cure="split the file")
    place = {entry.id: i for i, entry in reversed(list(enumerate(entries)))}
    order = sorted(found, key=lambda part: place.get(part, len(place)))
    return [(part, iter(found[part])) for part in order]


def _plain_divisions(plain: bytes) -> Iterator[bytes]:
    at = plain.find(_DIVISIONS)
    while at >= 0:
        end = plain.find(b"<", at + 1)
        yield plain[at + len(_DIVISIONS) : end]
        at = plain.find(_DIVISIONS, end)


def _resolution(root: _Element, plain: bytes) -> int:
    """Ticks per quarter in which every division is whole; a file that cannot be met is met as well as it can."""
    divisions = set()
    # a search of the bytes is ten times faster than one of the tree, where the bytes say it plainly
    found: set[bytes | str] = set(_plain_divisions(plain)) or {text_of(e) for e in root.iter("divisions")}
    for text in found:
        try:
            value = int(text)
        except ValueError:
            continue
        if 0 < value <= RESOLUTION_MAX:
            divisions.add(value)
    result = 1
    for value in sorted(divisions):
        if lcm(result, value) <= RESOLUTION_MAX:
            result = lcm(result, value)
    with_room = lcm(result, RESOLUTION)
    return with_room if with_room <= 32767 or result < 96 else result


def _metadata(root: _Element, data: bytes, name: str) -> Metadata:
    work = text_of(root.find("work/work-title"))
    movement = text_of(root.find("movement-title"))
    extra = []
    if work and movement and work != movement:
        extra.append(("movement-title", movement))
    for path in ("work/work-number", "movement-number"):
        if text := text_of(root.find(path)):
            extra.append((path.rpartition("/")[2], text))
    composer = ""
    for creator in root.iterfind("identification/creator"):
        if text := text_of(creator):
            kind = creator.get("type", "composer")
            if kind == "composer" and not composer:
                composer = text
            else:
                extra.append((kind, text))
    title = work or movement
    if not title:
        for credit in root.iterfind("credit"):
            if text_of(credit.find("credit-type")) == "title":
                title = text_of(credit.find("credit-words"))
                break
    rights = "; ".join(t for t in (text_of(r) for r in root.iterfind("identification/rights")) if t)
    return Metadata(
        title=title,
        composer=composer,
        rights=rights,
        source=name,
        source_digest=hashlib.sha256(data).hexdigest(),
        source_format="musicxml",
        extra=tuple(extra),
    )
