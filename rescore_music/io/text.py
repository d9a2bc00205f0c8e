"""Read ABC and Humdrum (kern) into a Score, through music21's parsers.

music21 reads the text; its stream is walked once, straight into the draft that the MusicXML reader fills too, so no
note passes through a second file format. Offsets are exact fractions of a quarter; ticks are their least common
multiple with 480. Pitches sound, spelling is kept.

References
----------
The ABC music standard 2.1 (Walshaw, 2011); Humdrum User Guide, "**kern" (Huron, 1999).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from rescore_music.errors import ReadError
from rescore_music.io.abc import Tune, Voice, arranged, syllables
from rescore_music.io.files import read_bytes
from rescore_music.io.humdrum import Spot, hairpins, kern_spines, levels, names_of, slurs, tokens_of, words
from rescore_music.io.limits import NOTATION_BYTES, PARTS, TEXT
from rescore_music.io.notation.draft import ENDS_ON_GRACE, STARTS_ON_GRACE, Draft, MarkDraft, assemble
from rescore_music.io.streams import Walker, resolution
from rescore_music.score import Articulation, Metadata, Score

_FORMATS = {".abc": "abc", ".krn": "humdrum"}
_ABC_ABOVE = re.compile(r'"[\^_<>@][^"]*"')
_ABC_ROLL = re.compile(r"~(?=[\^_=]*[A-Ga-g])")
_ABC_FLAGS = {
    **dict.fromkeys(("accent", ">", "emphasis"), Articulation.ACCENT),
    **dict.fromkeys(("lowermordent", "mordent"), Articulation.MORDENT),
    **dict.fromkeys(("uppermordent", "pralltriller"), Articulation.INVERTED_MORDENT),
    **dict.fromkeys(("fermata", "invertedfermata"), Articulation.FERMATA),
    "marcato": Articulation.MARCATO,
    "staccato": Articulation.STACCATO,
    "wedge": Articulation.STACCATISSIMO,
    "tenuto": Articulation.TENUTO,
    "trill": Articulation.TRILL,
    "turn": Articulation.TURN,
    "arpeggio": Articulation.ARPEGGIO,
    "upbow": Articulation.UP_BOW,
    "downbow": Articulation.DOWN_BOW,
    "snap": Articulation.PIZZICATO,
}
_ABC_DYNAMIC = re.compile(r"p{1,4}|f{1,4}|m[pf]|sfz|fp")
_ABC_HAIRPIN = re.compile(r"(?P<kind>[<>]|crescendo|diminuendo)(?P<way>[()])")


def read_text(path: str | Path) -> Score:
    """Read an ABC tune (.abc) or a Humdrum kern score (.krn).

    Parameters
    ----------
    path : path
        Of a file with several tunes the first is read; `import_log` counts the others.

    Returns
    -------
    Score

    Raises
    ------
    ReadError
        If it is missing, malformed, or has no notes.
    """
    path = Path(path)
    data = read_bytes(path, NOTATION_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    kind = _FORMATS.get(path.suffix.lower()) or ("humdrum" if text.lstrip().startswith(("**", "!!")) else "abc")
    tune, others = _first_tune(text) if kind == "abc" else (text, 0)
    ready = arranged(tune) if kind == "abc" else Tune(text, [], Counter())
    if len(ready.voices) > PARTS:
        raise ReadError(f"{len(ready.voices)} voices, more than {PARTS}", file=path, cure="split the file")
    stream, more = _parsed(ready.text, kind, str(path))
    parts = list(stream.parts) or [stream]
    draft = Draft(resolution(stream), str(path))
    if others or more:
        draft.note("tunes", "further tunes in the file, left out", max(others, more))
    walked = [Walker(draft, i, part) for i, part in enumerate(parts)]
    for walker in walked:
        walker.walk()
    names = [voice.name for voice in ready.voices]
    if kind == "abc":
        _tell_passed_over(draft, tune, ready)
        for walker, voice in zip(walked, ready.voices, strict=False):
            _add_counted(draft, walker, voice)
    if kind == "humdrum":
        names = _add_spines(draft, walked, text)
    if not draft.rows and not any(draft.filled.values()):
        raise ReadError("the score has no notes", file=path, cure="export a score with music in it")
    metadata = Metadata(
        title=_said(stream.metadata, "title"),
        composer=_said(stream.metadata, "composer"),
        source=path.name,
        source_digest=hashlib.sha256(data).hexdigest(),
        source_format=kind,
    )
    found = [walker.part() for walker in walked]
    if len(names) == len(found):
        found = [replace(part, name=name[:TEXT] or part.name) for part, name in zip(found, names, strict=True)]
    return assemble(draft, found, metadata)


def _tell_passed_over(draft: Draft, tune: str, ready: Tune) -> None:
    """What music21 leaves out of ABC without a word."""
    lines = tune.splitlines()
    music = [re.sub(r'"[^"]*"|%.*', "", line) for line in lines if not re.match(r"[A-Za-z]:|%", line)]
    if rolls := sum(len(_ABC_ROLL.findall(line)) for line in music):
        draft.note("tune", "rolls (~) of ABC, ignored", rolls)
    if said := sum(len(_ABC_ABOVE.findall(line)) for line in lines if not re.match(r"[A-Za-z]:|%", line)):
        draft.note("tune", 'words above and below ("^...") of ABC, ignored', said)
    for name, count in sorted(ready.left_out.items()):
        draft.note("tune", f"fields {name}: inside a tune of ABC, ignored", count)


def _add_counted(draft: Draft, walker: Walker, voice: Voice) -> None:
    """The words and decorations of a voice, where its notes are those that were counted."""
    spots = sorted((spot for spot in walker.spots if not spot.grace), key=lambda s: (s.bar, s.at))
    if len(spots) != voice.notes:
        for what, lost in (("lines of words (w:)", voice.sung), ("decorations (!...!)", voice.signs)):
            if lost:
                draft.note("tune", f"{what} of ABC whose notes cannot be counted, ignored", len(lost))
        return
    _add_decorations(draft, walker, [(spots[number], sign) for number, sign in voice.signs])
    for line in voice.sung:
        for number, text in syllables(line):
            walker.sing(spots[number], text, line.verse)


def _add_decorations(draft: Draft, walker: Walker, signs: list[tuple[Spot, str]]) -> None:
    """What stands between exclamation marks in ABC: articulations, ornaments, dynamics, hairpins, jumps, fingerings."""
    open_: dict[str, Spot] = {}
    for spot, name in signs:
        if name in _ABC_FLAGS:
            walker.flag(spot, int(_ABC_FLAGS[name]))
        elif _ABC_DYNAMIC.fullmatch(name):
            walker.sign(spot, "dynamic", name)
        elif found := _ABC_HAIRPIN.fullmatch(name):
            kind = {"crescendo": "<", "diminuendo": ">"}.get(found["kind"], found["kind"])
            if found["way"] == "(":
                open_[kind] = spot
            elif kind in open_:
                walker.sign(open_.pop(kind), "hairpin", kind, until=spot)
        elif name in ("segno", "coda", "fine", "D.C.", "D.S."):
            walker.jump(spot, "Fine" if name == "fine" else name)
        elif re.fullmatch(r"[0-5]", name):
            walker.sign(spot, "sign", f"fingering={name}", value=float(min(spot.pitches, default=0)))
        else:
            draft.note("tune", "decorations (!...!) of ABC that are not known, ignored")


def _add_spines(draft: Draft, walked: list[Walker], text: str) -> list[str]:
    """Slurs, hairpins, words and names, which music21 passes over; its parts are the kern spines from the right.

    Returns the parts' names, none where spines are not one part each.
    """
    tokens = tokens_of(text)
    spines = kern_spines(tokens)
    if len(spines) != len(walked):
        if "(" in text:
            draft.note("slurs", "slurs of spines that are not one part each, ignored")
        return []
    heard = {mark.part for mark in draft.marks if mark.kind == "dynamic"}
    for walker, spine in zip(walked, reversed(spines), strict=True):
        for verse, line in enumerate(words(tokens, spine, walker.spots), 1):
            for spot, syllable in line:
                walker.sing(spot, syllable, verse)
        if walker.index not in heard:  # music21 hears them only where staves are numbered
            for spot, level in levels(tokens, spine, walker.spots):
                draft.marks.append(MarkDraft(spot.bar, spot.at, "dynamic", level, walker.index))
        for kind, find in (("slur", slurs), ("hairpin", hairpins)):
            found, half = find(tokens, spine, walker.spots)
            for arch in found:
                mark = MarkDraft(arch.first.bar, arch.first.at, kind, arch.text, walker.index)
                mark.end_bar, mark.end_at = arch.last.bar, arch.last.at + (arch.last.duration if kind == "slur" else 0)
                if kind == "slur":
                    mark.voice = arch.first.voice
                    mark.value = STARTS_ON_GRACE * arch.first.grace + ENDS_ON_GRACE * arch.last.grace
                draft.marks.append(mark)
            if half:
                draft.note(f"part {walker.index + 1}", f"a {kind} without its other half, dropped", half)
    if sections := sum(line.startswith("*>[") or "\t*>[" in line for line in text.splitlines()):
        draft.note("form", "orders of sections (*>[...]) ignored: each section stands once", sections)
    named = names_of(text)
    return [named.get(spine, "") for spine in reversed(spines)]


def _said(metadata: Any, name: str) -> str:
    value = getattr(metadata, name, None) if metadata is not None else None
    return " ".join(str(value).split())[:TEXT] if value and str(value) != "None" else ""


def _parsed(text: str, kind: str, file: str) -> tuple[Any, int]:
    """The first score in a text at sounding pitch, and how many more there are."""
    from music21 import converter, stream

    others = 0
    name = {"abc": "ABC notation", "humdrum": "Humdrum"}[kind]
    if kind == "humdrum" and "**" not in text:
        raise ReadError("this is not Humdrum: no interpretation (**kern) is named", file=file, cure="check the suffix")
    if kind == "abc" and "K:" not in text:
        raise ReadError("this is not ABC notation: it has no K: field", file=file, cure="check the suffix")
    try:
        found = converter.parse(text, format=kind, forceSource=True)
    except Exception as error:  # music21's parsers raise whatever the text provokes
        what = f"malformed {name}: {type(error).__name__}: {str(error)[:200]}"
        raise ReadError(what, file=file, cure="check the file") from None
    if isinstance(found, stream.Opus):
        scores = list(found.scores)
        if not scores:
            raise ReadError("the score has no notes", file=file)
        found, others = scores[0], max(len(scores) - 1, others)
    try:
        found.toSoundingPitch(inPlace=True)
    except Exception as error:
        what = f"malformed {name}: {type(error).__name__}: {str(error)[:200]}"
        raise ReadError(what, file=file, cure="check the file") from None
    return found, others


def _first_tune(text: str) -> tuple[str, int]:
    """A tune book's header and first tune, and how many tunes follow: music21 would parse them all."""
    starts = [match.start() for match in re.finditer(r"^X:", text, re.MULTILINE)]
    return (text[: starts[1]], len(starts) - 1) if len(starts) > 1 else (text, 0)
