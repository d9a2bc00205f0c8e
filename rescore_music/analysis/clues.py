"""What a part's name, instrument and sound say about who leads.

Two kinds of knowledge: which instrument it is, and whether the first or a later desk of it, go to the scorer as clues
(`part_clues`); what names and General MIDI sounds promise (a part called "Melody", a pad) is a prior set by hand
(`prior`), because the scores that the scorer was fitted to hold next to none of it.

Conventions: log odds; lines as in `Analysis.lines`.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from rescore_music.score import Part, Score
from rescore_music.structure import Line

Floats = npt.NDArray[np.float64]

PRIOR = {
    "named melody": 2.0,
    "sung": 8.0,  # who has words is listened to: no sung bar of songs is lost (`bench_melody.py --songs`)
    "sung without words": 1.0,  # a tune on "la" or a colour on "ah"
    "named accompaniment": -1.0,
    "lead sound": 1.0,
    "backing sound": -1.0,
    "bass sound": -2.0,
    "under a voice of its part": -1.5,
}

_KINDS = (
    ("violin", r"violin(?!cell)|\bvln|\bvl\b|fiddle|geige|violino"),
    ("viola", r"viola|\bvla|bratsche"),
    ("low string", r"cello|\bvc\b|contrab|double ?bass|kontrab|violone|\bcb\b|bass(?!oon|et|o? cl| cl)"),
    ("high wind", r"flut|flaut|piccolo|oboe|\bob\b|clarinet|klarinett|recorder|\bfl\b|\bcl\b|ocarina|whistle"),
    ("low wind", r"bassoon|fagott|\bbsn\b|bass clarinet|baritone sax|tuba|trombone|\btbn"),
    ("horn", r"\bhorn|\bhn\b|corno"),
    ("brass", r"trumpet|tromba|trompete|\btpt|timpani|\btimp"),
)
# General MIDI programs, for files that name no instrument
_PROGRAMS = {
    "violin": (40, 110),
    "viola": (41,),
    "low string": (42, 43),
    "high wind": (68, 71, 72, 73, 74, 75),
    "low wind": (57, 58, 67, 70),
    "horn": (60,),
    "brass": (47, 56, 59),
}
_CHOIR_SOUNDS = (52, 53, 54)
_LEAD_SOUNDS = (22, 40, 64, 65, 66, 68, 69, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 110)
_BACKING_SOUNDS = (44, 45, 48, 49, 50, 51, 55, *range(88, 104))
_BASS_SOUNDS = (*range(32, 40), 43, 87)
_LEADS = re.compile(r"melod|lead|solo|vocal|voice|theme|singer|soprano|cantus|tune", re.IGNORECASE)
_FOLLOWS = re.compile(
    r"accomp|\bpads?\b|chord|rhythm|harmon|backing|comp\b|bass\b|fx\b|\bleft\b|\bl\.?h\b", re.IGNORECASE
)


_WORDLESS = re.compile(r"[aeiouäöü]*h*|h*[aeiouäöü]+h*|h*u*m+|n+g?|[bdln][aou]+[hm]?|do+[mnp]|[mw][aou]+h*")
WORDS = 2  # different syllables that are no mere vowel, hum or la


def part_clues(lines: tuple[Line, ...], parts: tuple[Part, ...]) -> dict[str, Floats]:
    """Instrument family and desk of each line, 0 or 1: arrays of shape (lines,)."""
    kinds = [_kind(part) for part in parts]
    stems = [re.sub(r"[\d\s.,()]+|\b[IVX]+\b|\b[A-G](b|♭|#|♯|flat|sharp)?\b", "", p.name).lower() for p in parts]
    several = [bool(stem) and stems.count(stem) > 1 for stem in stems]
    first = [stems.index(stem) == i for i, stem in enumerate(stems)]
    of_part = {
        "first of its kind": [s and f for s, f in zip(several, first, strict=True)],
        "later of its kind": [s and not f for s, f in zip(several, first, strict=True)],
        **{name: [kind == name for kind in kinds] for name, _ in _KINDS},
    }
    owner = np.array([line.part for line in lines], np.int64)
    return {name: np.asarray(values, np.float64)[owner] for name, values in of_part.items()}


def prior(lines: tuple[Line, ...], score: Score) -> Floats:
    """Log odds that each line leads before a note is heard: shape (lines,)."""
    sung = _sung(score)
    worth = np.zeros(len(score.parts))
    for i, part in enumerate(score.parts):
        if i in sung:
            worth[i] = PRIOR[sung[i]]  # whatever it is called: a choir's bass sings as its soprano does
            continue
        unnamed = not part.instrument and not part.percussion
        unknown = unnamed and not _told_kind(part)  # a known instrument goes to the scorer: not counted twice
        worth[i] += PRIOR["named melody"] * bool(_LEADS.search(part.name))
        worth[i] += PRIOR["named accompaniment"] * bool(_FOLLOWS.search(part.name))
        worth[i] += PRIOR["lead sound"] * (unknown and part.program in _LEAD_SOUNDS)
        worth[i] += PRIOR["backing sound"] * (unknown and part.program in _BACKING_SOUNDS)
        worth[i] += PRIOR["bass sound"] * (unnamed and part.program in _BASS_SOUNDS)
    under = np.array([line.voice > 0 for line in lines], bool)
    return worth[np.array([line.part for line in lines], np.int64)] + PRIOR["under a voice of its part"] * under


def _sung(score: Score) -> dict[int, str]:
    """The parts that sing, and whether they sing words: the names of `PRIOR`."""
    syllables: dict[int, set[str]] = {}
    for mark in score.marks:
        if mark.kind == "lyric":
            syllable = "".join(letter for letter in mark.text.lower() if letter.isalpha())
            told = syllables.setdefault(mark.part, set())
            if not _WORDLESS.fullmatch(syllable):
                told.add(syllable)
    return {part: "sung" if len(told) >= WORDS else "sung without words" for part, told in syllables.items()}


def bass_instruments(lines: tuple[Line, ...], parts: tuple[Part, ...]) -> npt.NDArray[np.bool_]:
    """Which lines are played by an instrument whose trade is the bass: shape (lines,)."""
    trade = [
        bool(re.search(r"bass\b|contrab|kontrab|violone|tuba|\bcb\b", f"{p.name} {p.instrument}", re.IGNORECASE))
        or (not p.instrument and not p.percussion and p.program in _BASS_SOUNDS)
        for p in parts
    ]
    return np.array([trade[line.part] for line in lines], bool)


def _told_kind(part: Part) -> str:
    """The instrument family that the names of a part tell, or nothing."""
    for text in (part.instrument.replace("-", " ").replace("_", " "), part.name, part.abbreviation):
        for kind, pattern in _KINDS:
            if text and re.search(pattern, text, re.IGNORECASE):
                return kind
    return ""


def _kind(part: Part) -> str:
    if part.program in _CHOIR_SOUNDS and not part.instrument:
        return ""  # a bass among singers is no string
    told = _told_kind(part)
    if told:
        return told
    for kind, programs in _PROGRAMS.items():
        if part.program in programs:
            return kind
    return ""
