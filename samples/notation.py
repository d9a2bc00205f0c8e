"""MusicXML 4.0 from composed lines: measures, ties, beams, slurs, dynamics, hairpins, lyrics; plain text, no clock.

Conventions: `DIVISIONS` to the quarter; one meter throughout (`bar` quarters of quarter beats); every staff holds one
voice; chords share an onset and a length. Values that no single note can show are tied, at bar lines always.
Source: the MusicXML 4.0 definition of element order (W3C Music Notation Community Group, final report 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import escape

from composing import Note

DIVISIONS = 12
TYPES = {
    Fraction(4): ("whole", 0), Fraction(3): ("half", 1), Fraction(2): ("half", 0), Fraction(3, 2): ("quarter", 1),
    Fraction(1): ("quarter", 0), Fraction(3, 4): ("eighth", 1),
    Fraction(1, 2): ("eighth", 0), Fraction(1, 4): ("16th", 0),
}  # fmt: skip


@dataclass(frozen=True)
class Staff:
    """One staff: its clef ("G2") and its notes, one voice, chords allowed."""

    clef: str
    notes: Sequence[Note]


@dataclass(frozen=True)
class Sign:
    """A direction above or below a part: dynamic, hairpin ("<" or ">", to `end`), words, tempo (`value` a minute)."""

    at: Fraction
    kind: str
    text: str = ""
    end: Fraction | None = None
    value: float = 0.0


@dataclass(frozen=True)
class Printed:
    """One part of the printed score."""

    name: str
    short: str
    program: int
    staves: tuple[Staff, ...]
    signs: tuple[Sign, ...] = ()
    text: str = ""  # syllables in order, one a note that is not under a melisma; "-" at the end joins


@dataclass
class _Piece:
    """What one bar of a staff holds: a rest, note or chord of a writable length, with its ties."""

    start: Fraction
    length: Fraction
    notes: list[Note]
    tie_in: bool = False
    tie_out: bool = False
    syllable: str = ""
    beam: list[str] = field(default_factory=list)


def _values(start: Fraction, end: Fraction, bar: int) -> list[tuple[Fraction, Fraction]]:
    """Writable (start, length) pieces of a span: cut at bar lines, longest value first."""
    out = []
    now = start
    while now < end:
        room = min(end, (now // bar + 1) * Fraction(bar)) - now
        length = max(value for value in TYPES if value <= room)
        out.append((now, length))
        now += length
    return out


def _pieces(staff: Staff, end: Fraction, bar: int, syllables: list[str]) -> list[_Piece]:
    groups: dict[Fraction, list[Note]] = {}
    for n in sorted(staff.notes, key=lambda n: (n.onset, n.pitch)):
        groups.setdefault(n.onset, []).append(n)
    out: list[_Piece] = []
    now = Fraction(0)
    for onset, chord in [*groups.items(), (end, [])]:
        for start, length in _values(now, onset, bar):
            out.append(_Piece(start, length, []))
        if not chord:
            break
        values = _values(onset, chord[0].end, bar)
        for k, (start, length) in enumerate(values):
            piece = _Piece(start, length, chord, tie_in=k > 0, tie_out=k + 1 < len(values))
            if k == 0 and syllables and "_" not in chord[0].flags:
                piece.syllable = syllables.pop(0)
            out.append(piece)
        now = chord[0].end
    _beam(out, bar)
    return out


def _beam(pieces: list[_Piece], bar: int) -> None:
    """Join neighbouring eighths and sixteenths inside a beat; a bar that is all eighths takes one beam."""
    groups: dict[tuple[int, int], list[_Piece]] = {}
    for index in range(int(max(p.start for p in pieces) // bar) + 1):
        inside = [p for p in pieces if p.start // bar == index]
        plain = all(p.notes and p.length == Fraction(1, 2) for p in inside)
        for p in inside:
            if p.notes and p.length < 1:
                groups.setdefault((index, 0 if plain else 1 + int(p.start % bar)), []).append(p)
    for group in groups.values():
        runs: list[list[_Piece]] = [[]]
        for p in group:
            if runs[-1] and runs[-1][-1].start + runs[-1][-1].length != p.start:
                runs.append([])
            runs[-1].append(p)
        for run in runs:
            for k, p in enumerate(run if len(run) > 1 else []):
                p.beam = ["begin" if k == 0 else "end" if k == len(run) - 1 else "continue"]
                if p.length <= Fraction(1, 4):
                    left = k > 0 and run[k - 1].length <= Fraction(1, 4)
                    right = k + 1 < len(run) and run[k + 1].length <= Fraction(1, 4)
                    hook = "forward hook" if k == 0 else "backward hook"
                    p.beam.append("continue" if left and right else "end" if left else "begin" if right else hook)


def _lyrics(text: str) -> list[str]:
    """The `<lyric>` elements of a text of syllables."""
    out, inside = [], False
    for word in text.split():
        joined = word.endswith("-")
        kind = ("middle" if inside else "begin") if joined else ("end" if inside else "single")
        inside = joined
        content = escape(word[:-1] if joined else word)
        out.append(f'<lyric number="1"><syllabic>{kind}</syllabic><text>{content}</text></lyric>')
    return out


def _pitch(note: Note) -> str:
    letter, alter = note.name[0], note.name.count("#") - note.name[1:].count("b")
    octave = note.name.lstrip("ABCDEFG#b")
    middle = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{letter}</step>{middle}<octave>{octave}</octave></pitch>"


def _accidental(note: Note, shown: dict[str, int], fifths: int) -> str:
    """The accidental that must be printed, given the key and what this bar has shown."""
    alter = note.name.count("#") - note.name[1:].count("b")
    key = note.name.replace("#", "").replace("b", "")
    order = "FCGDAEB"
    signed = order[:fifths] if fifths > 0 else order[::-1][:-fifths]
    known = shown.get(key, (1 if fifths > 0 else -1) if note.name[0] in signed else 0)
    if alter == known:
        return ""
    shown[key] = alter
    return {0: "natural", 1: "sharp", -1: "flat", 2: "double-sharp", -2: "flat-flat"}[alter]


def _note_xml(piece: _Piece, staff: int, staves: int, shown: dict[str, int], fifths: int, bar: int) -> str:
    length = int(piece.length * DIVISIONS)
    voice = f"<voice>{1 + 4 * (staff - 1)}</voice>"
    kind, dots = TYPES[piece.length]
    shape = f"<type>{kind}</type>" + "<dot/>" * dots
    place = f"<staff>{staff}</staff>" if staves > 1 else ""
    if not piece.notes:
        if piece.length == bar:
            return f'<note><rest measure="yes"/><duration>{length}</duration>{voice}{place}</note>'
        return f"<note><rest/><duration>{length}</duration>{voice}{shape}{place}</note>"
    out = []
    flags = "".join(n.flags for n in piece.notes)
    for k, note in enumerate(piece.notes):
        accidental = "" if piece.tie_in else _accidental(note, shown, fifths)
        marks = ""
        if piece.tie_in:
            marks += '<tied type="stop"/>'
        if piece.tie_out:
            marks += '<tied type="start"/>'
        if k == 0 and ")" in flags and not piece.tie_out:
            marks += '<slur type="stop" number="1"/>'
        if k == 0 and "(" in flags and not piece.tie_in:
            marks += '<slur type="start" number="1"/>'
        sticks = "".join(
            f"<{tag}/>" for sign, tag in (("!", "accent"), ("'", "staccato"), ("-", "tenuto")) if sign in note.flags
        )
        if sticks and not piece.tie_in:
            marks += f"<articulations>{sticks}</articulations>"
        if k == 0 and "^" in flags and not piece.tie_out:
            marks += '<fermata type="upright"/>'
        out.append(
            "<note>"
            + ("<chord/>" if k else "")
            + _pitch(note)
            + f"<duration>{length}</duration>"
            + ('<tie type="stop"/>' if piece.tie_in else "")
            + ('<tie type="start"/>' if piece.tie_out else "")
            + voice
            + shape
            + (f"<accidental>{accidental}</accidental>" if accidental else "")
            + place
            + ("".join(f'<beam number="{i + 1}">{b}</beam>' for i, b in enumerate(piece.beam)) if k == 0 else "")
            + (f"<notations>{marks}</notations>" if marks else "")
            + (piece.syllable if k == 0 else "")
            + "</note>"
        )
    return "".join(out)


def _direction(kind: str, staff: str, sound: str = "", place: str = "below") -> str:
    return f'<direction placement="{place}"><direction-type>{kind}</direction-type>{staff}{sound}</direction>'


def _signs(part: Printed) -> list[tuple[Fraction, int, str]]:
    """The part's directions as (place, order, XML); hairpins become a start and a stop."""
    loud = {"pp": 36, "p": 54, "mp": 71, "mf": 89, "f": 107, "ff": 124}
    staff = "<staff>1</staff>" if len(part.staves) > 1 else ""
    out: list[tuple[Fraction, int, str]] = []
    for sign in part.signs:
        if sign.kind == "dynamic":
            sound = f'<sound dynamics="{loud[sign.text]}"/>'
            out.append((sign.at, 1, _direction(f"<dynamics><{sign.text}/></dynamics>", staff, sound)))
        elif sign.kind == "hairpin" and sign.end is not None:
            kind = "crescendo" if sign.text == "<" else "diminuendo"
            out.append((sign.at, 2, _direction(f'<wedge type="{kind}" number="1"/>', staff)))
            out.append((sign.end, 0, _direction('<wedge type="stop" number="1"/>', staff)))
        elif sign.kind == "words":
            text = f'<words font-style="italic">{escape(sign.text)}</words>'
            sound = f'<sound tempo="{sign.value:g}"/>' if sign.value else ""
            out.append((sign.at, 1, _direction(text, staff, sound, "above")))
        elif sign.kind == "sound":
            out.append((sign.at, 1, f'<sound tempo="{sign.value:g}"/>'))
        elif sign.kind == "rehearsal":
            out.append((sign.at, 0, _direction(f"<rehearsal>{escape(sign.text)}</rehearsal>", staff, "", "above")))
        elif sign.kind == "tempo":
            beat = f"<metronome><beat-unit>quarter</beat-unit><per-minute>{sign.value:g}</per-minute></metronome>"
            text = f'<words font-weight="bold">{escape(sign.text)}</words></direction-type><direction-type>{beat}'
            out.append((sign.at, 0, _direction(text, staff, f'<sound tempo="{sign.value:g}"/>', "above")))
    return sorted(out, key=lambda e: (e[0], e[1]))


def _part_xml(number: int, part: Printed, bars: int, bar: int, fifths: int) -> str:
    end = Fraction(bars * bar)
    lyrics = _lyrics(part.text)
    staves = [_pieces(s, end, bar, lyrics if i == 0 else []) for i, s in enumerate(part.staves)]
    signs = _signs(part)
    out = [f'<part id="P{number}">']
    for index in range(bars):
        out.append(f'<measure number="{index + 1}">')
        if index == 0:
            count = f"<staves>{len(staves)}</staves>" if len(staves) > 1 else ""
            clefs = "".join(
                f'<clef number="{k + 1}"><sign>{s.clef[0]}</sign><line>{s.clef[1]}</line></clef>'
                for k, s in enumerate(part.staves)
            )
            out.append(
                f"<attributes><divisions>{DIVISIONS}</divisions><key><fifths>{fifths}</fifths><mode>major</mode></key>"
                f"<time><beats>{bar}</beats><beat-type>4</beat-type></time>{count}{clefs}</attributes>"
            )
        for k, pieces in enumerate(staves):
            if k:
                out.append(f"<backup><duration>{bar * DIVISIONS}</duration></backup>")
            shown: dict[str, int] = {}
            for piece in (p for p in pieces if p.start // bar == index):
                while k == 0 and signs and signs[0][0] < piece.start + piece.length:
                    place, _, xml = signs.pop(0)
                    offset = int((place - piece.start) * DIVISIONS)
                    if offset and "</direction-type>" in xml:  # a direction inside a note's length is offset from it
                        cut = xml.rindex("</direction-type>") + len("</direction-type>")
                        xml = f"{xml[:cut]}<offset>{offset}</offset>{xml[cut:]}"
                    out.append(xml)
                out.append(_note_xml(piece, k + 1, len(staves), shown, fifths, bar))
        if index == bars - 1:
            out += [xml for _, _, xml in signs]
            out.append('<barline location="right"><bar-style>light-heavy</bar-style></barline>')
        out.append("</measure>")
    return "\n".join([*out, "</part>"])


def write_musicxml(
    path: Path, parts: Sequence[Printed], *, title: str, bars: int, bar: int, fifths: int, lyricist: str = ""
) -> None:
    """A MusicXML 4.0 file, score-partwise."""
    rights = "MIT licence, composed for rescore-music"
    names = "\n".join(
        f'<score-part id="P{k}"><part-name>{escape(p.name)}</part-name>'
        f"<part-abbreviation>{escape(p.short)}</part-abbreviation>"
        f'<score-instrument id="P{k}-I1"><instrument-name>{escape(p.name)}</instrument-name></score-instrument>'
        f'<midi-instrument id="P{k}-I1"><midi-channel>{k}</midi-channel><midi-program>{p.program + 1}</midi-program>'
        "</midi-instrument></score-part>"
        for k, p in enumerate(parts, 1)
    )
    body = "\n".join(_part_xml(k, p, bars, bar, fifths) for k, p in enumerate(parts, 1))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
        ' "http://www.musicxml.org/dtds/partwise.dtd">\n'
        f'<score-partwise version="4.0">\n<work><work-title>{escape(title)}</work-title></work>\n'
        '<identification><creator type="composer">rescore-music</creator>'
        f'<creator type="lyricist">{escape(lyricist)}</creator><rights>{rights}</rights></identification>\n'
        f"<part-list>\n{names}\n</part-list>\n{body}\n</score-partwise>\n"
    )
    path.write_text(text, encoding="utf-8", newline="\n")
