"""Directions and chord symbols as MusicXML text, their staff and offset left as `{staff}` and `{offset}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from rescore_music.io.musicxml.signs import sign_xml
from rescore_music.io.musicxml.tables import ACCIDENTALS, BEAT_UNITS, CHORD_KINDS, CHORD_TEXT, DEGREE, METRONOME
from rescore_music.io.notation.dynamics import LEVELS

# order of directions at one place
TEMPO, REHEARSAL, DYNAMIC, STOP, START, WORDS, HARMONY, JUMP = 2, 1, 4, 0, 5, 3, 6, 7
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DYNAMIC_TAGS = frozenset({*LEVELS, "sf", "sfp", "sfpp", "fp", "rf", "rfz", "sfz", "sffz", "fz", "pf", "sfzp"})
_ALTER = {text: alter for alter, text in ACCIDENTALS.items()}
_KIND_OF_SUFFIX = {suffix: kind for kind, suffix in reversed(CHORD_KINDS)}
_BELOW = '<direction placement="below">'
_WORDS_BEGIN = re.compile("<words[^>]*>")
_UNIT_NAMES = {glyph: name for glyph, name, _ in BEAT_UNITS}


def clean(text: str) -> str:
    """Text as XML may hold it."""
    return escape(_ILLEGAL.sub("", text))


def dynamic_direction(text: str) -> str:
    """A dynamic and how loud it sounds."""
    name = text.strip()
    body = f"<{name}/>" if name in _DYNAMIC_TAGS else f"<other-dynamics>{clean(text)}</other-dynamics>"
    level = LEVELS.get(name)
    sound = f'<sound dynamics="{level / 0.9:.2f}"/>' if level else ""
    head = '<direction placement="below"><direction-type><dynamics>'
    return f"{head}{body}</dynamics></direction-type>{{staff}}{sound}</direction>"


def words_direction(text: str, placement: str, more: str = "", *, boxed: bool = False) -> str:
    """Words above or below a staff, in a box where they are a sign of their own."""
    look = 'enclosure="rectangle"' if boxed else 'font-style="italic"'
    body = f"<direction-type><words {look}>{clean(text)}</words></direction-type>{more}"
    return f'<direction placement="{placement}">{body.replace("{", "(").replace("}", ")")}{{staff}}</direction>'


def joined(directions: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The directions (place, order, XML) of a bar; a dynamic and the words below the staff there ("p cresc.") as one.

    Apart they are printed on one another.
    """
    out: list[tuple[int, int, str]] = []
    words: dict[tuple[int, str], str] = {}
    dynamics = {(at, _staff_tag(xml)) for at, order, xml in directions if order == DYNAMIC}
    last = {(at, _staff_tag(xml)): i for i, (at, order, xml) in enumerate(directions) if order == WORDS}
    for i, (at, order, xml) in enumerate(directions):
        place = at, _staff_tag(xml)
        # only the last of several words: what stands at one place keeps its order
        if order == WORDS and xml.startswith(_BELOW) and place in dynamics and last[place] == i:
            words[place] = xml[len(_BELOW) : xml.index("{offset}")]
        else:
            out.append((at, order, xml))
    for i, (at, order, xml) in enumerate(out):
        if order == DYNAMIC and (more := words.pop((at, _staff_tag(xml)), "")):
            spaced = _WORDS_BEGIN.sub(r"\g<0> ", more, count=1)  # a blank between, which readers strip
            out[i] = at, order, xml.replace("{offset}", spaced + "{offset}")
    return out


def _staff_tag(direction: str) -> str:
    """The staff that a direction names, "" where it names none."""
    return direction[direction.find("<staff>") :].partition("</staff>")[0] if "<staff>" in direction else ""


def tempo_direction(text: str, sound: str) -> str:
    """A tempo mark: words, metronome mark, and the tempo that sounds."""
    found = METRONOME.match(text)
    words = found["words"] if found else text
    body = ""
    if words:
        body += f'<direction-type><words font-weight="bold">{clean(words)}</words></direction-type>'
    if found:
        unit = f"<beat-unit>{_UNIT_NAMES[found['unit']]}</beat-unit>" + "<beat-unit-dot/>" * len(found["dots"])
        brackets = ' parentheses="yes"' if found["open"] else ""
        number = f"<per-minute>{clean(found['number'])}</per-minute>"
        body += f"<direction-type><metronome{brackets}>{unit}{number}</metronome></direction-type>"
    if not body:
        return ""
    return f'<direction placement="above" system="only-top">{body}{{offset}}{sound}</direction>'


def program_sound(part: int, program: int, bank: int) -> str:
    """A change of a part's sound; programs count from 0."""
    more = f"<midi-bank>{bank + 1}</midi-bank>" if bank else ""
    sound = f'<midi-instrument id="P{part + 1}-I1">{more}<midi-program>{program + 1}</midi-program></midi-instrument>'
    return f"<sound>{sound}{{offset}}</sound>"


def harmony(text: str, voicing: Sequence[str] = ()) -> str:
    """A chord symbol, its inversion and fretboard; words where it is none."""
    inversion = "".join(sign_xml(said, ("inversion",)) for said in voicing)
    frame = "".join(sign_xml(said, ("frame",)) for said in voicing)
    found = CHORD_TEXT.match(text)
    if text == "N.C.":
        return '<harmony><root><root-step text="">C</root-step></root><kind text="N.C.">none</kind>{staff}</harmony>'
    if not found:
        return words_direction(text, "above")
    step, alter, rest, bass, bass_alter = found.groups()
    degrees = DEGREE.findall(rest)
    suffix = DEGREE.sub("", rest)
    root = f"<root-step>{step}</root-step>" + (f"<root-alter>{_ALTER[alter]}</root-alter>" if alter else "")
    out = f"<root>{root}</root>"
    kind = _KIND_OF_SUFFIX.get(suffix)
    if kind is None:
        out += f'<kind text="{clean(suffix).replace(chr(34), "")}">other</kind>'
    else:
        out += f'<kind text="{clean(suffix)}">{kind}</kind>'
    out += inversion
    if bass:
        low = f"<bass-alter>{_ALTER[bass_alter]}</bass-alter>" if bass_alter else ""
        out += f"<bass><bass-step>{bass}</bass-step>{low}</bass>"
    names = {"add": "add", "alt": "alter", "no": "subtract"}
    for what, accidental, value in degrees:
        out += (
            f"<degree><degree-value>{value}</degree-value><degree-alter>{_ALTER[accidental]}</degree-alter>"
            f"<degree-type>{names[what]}</degree-type></degree>"
        )
    return f"<harmony>{out}{frame}{{staff}}</harmony>"
