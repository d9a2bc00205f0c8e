"""Which instrument a track name and a General MIDI program point to.

A name is cut into words without case, accents and punctuation; the longest name of the table found in it wins, at
equal length the one further right (German and English compounds end with their noun). Where several instruments share
a name, the key ("in F", "B flat") decides, then the program. The sixteen program groups are those of the General MIDI
System Level 1 specification.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rescore_music.instruments import Instrument, instruments

# one id a program, by groups of eight as in General MIDI System Level 1
_GENERAL_MIDI = (
    "piano piano electric-piano piano electric-piano electric-piano harpsichord clavinet "
    "celesta glockenspiel glockenspiel vibraphone marimba xylophone tubular-bells dulcimer "
    "rock-organ rock-organ rock-organ organ harmonium accordion harmonica bandoneon "
    "guitar steel-guitar electric-guitar electric-guitar electric-guitar distortion-guitar distortion-guitar "
    "electric-guitar "
    "double-bass electric-bass electric-bass electric-bass electric-bass electric-bass synth-bass synth-bass "
    "violin viola cello double-bass string-ensemble string-ensemble harp timpani "
    "string-ensemble string-ensemble synth-strings synth-strings choir choir choir string-ensemble "
    "trumpet-bb trombone tuba trumpet-bb horn-f trumpet-bb synth-brass synth-brass "
    "soprano-sax alto-sax tenor-sax baritone-sax oboe cor-anglais bassoon clarinet-bb "
    "piccolo flute recorder pan-flute shakuhachi shakuhachi tin-whistle ocarina "
    "square-lead saw-lead square-lead square-lead saw-lead choir-pad saw-lead saw-lead "
    "synth-pluck synth-pad synth-pad choir-pad synth-pad synth-pad synth-pad synth-pad "
    "synth-pad synth-pad synth-pluck synth-pad synth-pluck synth-pad synth-pad synth-pad "
    "sitar banjo shamisen koto kalimba bagpipes fiddle shawm "
    "glockenspiel steel-drum steel-drum melodic-toms melodic-toms melodic-toms melodic-toms synth-pad "
    "electric-guitar synth-pad synth-pad synth-pad synth-pad synth-pad synth-pad synth-pad"
)
_PROGRAMS = tuple(_GENERAL_MIDI.split())

# key of a transposing instrument -> (sounding minus written) modulo 12; "in B" is B flat, as in German parts
_KEYS = {"c": 0, "do": 0, "ut": 0, "des": 1, "db": 1, "d": 2, "re": 2, "es": 3, "eb": 3, "mib": 3, "e": 4, "mi": 4}
_KEYS |= {"f": 5, "fa": 5, "fis": 6, "g": 7, "sol": 7, "as": 8, "ab": 8, "lab": 8, "a": 9, "la": 9}
_KEYS |= {"b": 10, "bb": 10, "bes": 10, "sib": 10, "si": 10, "h": 11}
_JOINED = re.compile(
    r"\s+(?:e|ed|und|u\.|and|et|y)\s+|[&/+,;]"
)  # "Violoncello e Contrabasso": the first is printed on top
_FLATS = ("flat", "b", "bemol", "bemolle")
_FLATTENED = {"d": 1, "e": 3, "a": 8, "b": 10, "re": 1, "mi": 3, "la": 8, "si": 10}


def words(name: str) -> list[str]:
    """A name as plain lower-case words: "Flöten 1.2" -> ["floten", "1", "2"]."""
    text = name.replace("♭", "b").replace("œ", "oe").replace("Œ", "oe").casefold()
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    for digraph, vowel in (("oe", "o"), ("ue", "u"), ("ae", "a")):  # Floete, Haendel, and the table's own names alike
        text = text.replace(digraph, vowel)
    return re.findall(r"[a-z]+|\d+", text)


@lru_cache(maxsize=1)
def _aliases() -> dict[tuple[str, ...], list[tuple[Instrument, bool]]]:
    """Words of a name -> the instruments called so, and whether the program must agree."""
    table: dict[tuple[str, ...], list[tuple[Instrument, bool]]] = {}
    for row in instruments().values():
        printed = re.split(r" in |\(", row.name)[0]  # "Horn in F": its key is told by `_key_of`
        for alias in (*row.names, printed, row.id):
            singular = tuple(words(alias))
            for key in (singular, (*singular[:-1], singular[-1] + "s")):
                if alias != "+key" and all(row is not known for known, _ in table.get(key, [])):
                    table.setdefault(key, []).append((row, alias.endswith("?")))
    for row in instruments().values():  # abbreviations last: "Cor." is the French horn before it is the cornet
        key = tuple(words(row.abbreviation))
        if key not in table and len("".join(key)) > 1:
            table[key] = [(row, False)]
    return table


def _key_of(name: str, alias: tuple[str, ...]) -> int | None:
    """Transposition modulo 12 that a name's key tells: "in B", "en fa", "E flat", "Bb"."""
    spelled = words(name)
    for i, word in enumerate(spelled[:-1]):
        if word in ("in", "en") and spelled[i + 1] in _KEYS:
            flat = i + 2 < len(spelled) and spelled[i + 2] in _FLATS and spelled[i + 1] in _FLATTENED
            return _FLATTENED[spelled[i + 1]] if flat else _KEYS[spelled[i + 1]]
    rest = [word for word in spelled if word not in alias and not word.isdigit()]
    if len(rest) >= 2 and rest[0] in _FLATTENED and rest[1] in _FLATS:
        return _FLATTENED[rest[0]]
    # a bare letter is a key only as a capital at either end: "Clarinet A", "Bb Trumpet", not "clarinets a 2"
    capitals = re.findall(r"(?:^|\s)([A-H][b♭s]?)(?=\s|$)", re.sub(r"[\d.,()]", " ", name))
    return _KEYS.get(words(capitals[0])[0]) if capitals else None


def _choose(rows: list[tuple[Instrument, bool]], name: str, alias: tuple[str, ...], program: int | None) -> str | None:
    keyed = [row for row, _ in rows if "+key" in row.names]
    key = _key_of(name, alias) if keyed else None
    for row in keyed:
        if key is not None and row.transposition % 12 == key:
            return row.id
    if program is not None:
        expected = _PROGRAMS[program & 127]
        for row, _ in rows:
            if row.id == expected:
                return row.id
        for row, _ in rows:
            if len(rows) > 1 and row.program // 8 == program // 8:
                return row.id
        if program and any(unsure for _, unsure in rows):
            return None  # "Bass" on a brass program says less than the program
    sure = [row.id for row, unsure in rows if not unsure]
    return sure[0] if sure else None


def guess(name: str, program: int | None, percussion: bool) -> str:
    """Id of the likeliest instrument; see `instruments.guess_instrument`."""
    for piece in _JOINED.split(re.sub(r"\([^)]*\)", " ", name) or name):
        found = _named(piece, program, percussion)
        if found is not None:
            return found
    if percussion:
        return "percussion" if program == 48 else "drum-kit"  # program 48 on channel 10: the orchestra kit (GS)
    return _PROGRAMS[program & 127] if program is not None else "piano"


def _named(name: str, program: int | None, percussion: bool) -> str | None:
    spelled, table = words(name), _aliases()
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for start in range(len(spelled)):
        for end in range(start + 1, min(start + 5, len(spelled)) + 1):
            alias = tuple(spelled[start:end])
            letters = sum(map(len, alias))
            if alias in table and (letters > 2 or start == 0):
                found.append((letters, start, alias))
    spoken: set[int] = set()  # words of a longer name that means the other kind: no "bass" in "bass drum"
    for _, start, alias in sorted(found, reverse=True):
        if spoken & set(range(start, start + len(alias))):
            continue
        rows = [(row, unsure) for row, unsure in table[alias] if row.percussion == percussion]
        if not rows:
            spoken |= set(range(start, start + len(alias)))
            continue
        chosen = _choose(rows, name, alias, program)
        if chosen is not None:
            return chosen
    return None
