"""Clues that a line carries the melody: a row of numbers for each span and line.

The clues are those that listeners and orchestrators go by: it lies on top, moves more and by small steps, seldom
repeats pitches, varies its rhythm, is doubled or left alone, is louder, enters anew, and is given to instruments that
are used to lead. All are relative to what else sounds in the span, so they carry over between scores.

Conventions: arrays of shape (spans, lines, clues); each clue about -3 to 3.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.features import Texture
from rescore_music.score import Part
from rescore_music.structure import Line

Floats = npt.NDArray[np.float64]

CLUES = (
    "height",  # octaves below the highest line
    "over mean",  # octaves above the mean of the active lines
    "highest",  # share of beats on top
    "lowest",
    "activity",  # log of onsets a quarter
    "activity over mean",
    "repeated",  # share of moves that repeat the pitch
    "steps",
    "leaps",  # semitones a move beyond a third
    "variety",  # different pitches an onset
    "pitches",  # log of different pitches
    "one value",  # share of the commonest note length
    "values",  # log of different note lengths
    "chords",  # notes an onset beyond one
    "loudness",
    "sounding",
    "alone",  # strikes that no other line shares
    "doubled",  # octave or unison doublings
    "shared rhythm",  # lines that strike with it but with other tones
    "entry",  # was silent in the span before
    "around",  # share of the spans around in which it plays
    "first of its kind",  # the first of two or more parts of one instrument
    "later of its kind",
    "violin",
    "viola",
    "low string",
    "high wind",
    "low wind",
    "horn",
    "brass",
    "named melody",
    "named accompaniment",
    "lead sound",
    "backing sound",
    "bass sound",
    "under a voice of its part",
)

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
_LEAD_SOUNDS = (22, 40, 64, 65, 66, 68, 69, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84, 85, 86, 110)
_BACKING_SOUNDS = (44, 45, 48, 49, 50, 51, 55, *range(88, 104))
_BASS_SOUNDS = (*range(32, 40), 43, 87)
_LEADS = re.compile(r"melod|lead|solo|vocal|voice|theme|singer|soprano|cantus|tune", re.IGNORECASE)
_FOLLOWS = re.compile(
    r"accomp|\bpads?\b|chord|rhythm|harmon|backing|comp\b|bass\b|fx\b|\bleft\b|\bl\.?h\b", re.IGNORECASE
)


def _smoothed(values: Floats, reach: int) -> Floats:
    """Sums over the spans around, nearer ones counting more."""
    if reach == 0 or len(values) < 2:
        return values
    out = values.copy()
    for d in range(1, reach + 1):
        weight = 1 - d / (reach + 1)
        if d < len(values):
            out[d:] += weight * values[:-d]
            out[:-d] += weight * values[d:]
    return out


def melody_clues(texture: Texture, lines: tuple[Line, ...], parts: tuple[Part, ...], *, reach: int = 2) -> Floats:
    """The clues of every line in every span.

    Parameters
    ----------
    texture : Texture
    lines : tuple of Line
    parts : tuple of Part
    reach : int
        How many spans before and after a span are heard with it.

    Returns
    -------
    float64 array, shape (spans, lines, len(CLUES))
    """
    active = texture.active
    t = {
        name: _smoothed(getattr(texture, name) * active, reach)
        for name in ("onsets", "notes", "quarters", "variety", "repeated", "steps", "motion", "moves", "values")
    }
    most = _smoothed(texture.most_value * active, reach)
    onsets, moves = np.maximum(t["onsets"], 1e-9), np.maximum(t["moves"], 1e-9)
    count = np.maximum(active.sum(axis=1, keepdims=True), 1)

    def mean(values: Floats) -> Floats:
        return np.asarray((values * active).sum(axis=1, keepdims=True) / count, np.float64)

    rate = np.log2(1 + t["onsets"] / np.maximum(t["quarters"], 1e-9))
    top = np.where(active, texture.pitch, -1e3).max(axis=1, keepdims=True)
    shared = np.maximum(texture.same_onset - texture.same_tone, 0)
    before = np.concatenate([np.zeros((1, active.shape[1]), bool), active[:-1]]) if len(active) else active
    ones = _smoothed(np.ones_like(texture.onsets), reach)
    columns: dict[str, Floats] = {
        "height": (texture.pitch - top) / 12,
        "over mean": (texture.pitch - mean(texture.pitch)) / 12,
        "highest": texture.highest,
        "lowest": texture.lowest,
        "activity": rate,
        "activity over mean": rate - mean(rate),
        "repeated": t["repeated"] / moves,
        "steps": t["steps"] / moves,
        "leaps": np.clip(t["motion"] / moves - 3, 0, 12) / 6,
        "variety": np.minimum(t["variety"] / onsets, 1),
        "pitches": np.log2(1 + t["variety"]) / 3,
        "one value": most / moves,
        "values": np.log2(1 + t["values"]) / 3,
        "chords": np.clip(t["notes"] / onsets - 1, 0, 3),
        "loudness": (texture.velocity - mean(texture.velocity)) / 20,
        "sounding": texture.sounding,
        "alone": 1 / (1 + texture.same_onset),
        "doubled": np.minimum(np.log2(1 + texture.same_tone), 3),
        "shared rhythm": np.log2(1 + shared) / 2,
        "entry": (active & ~before).astype(np.float64),
        "around": _smoothed(active.astype(np.float64), reach) / ones,
    }
    clues = np.zeros((*active.shape, len(CLUES)))
    for i, name in enumerate(CLUES):
        if name in columns:
            clues[..., i] = columns[name]
    clues[..., len(columns) :] = _of_parts(lines, parts)[None]
    return np.clip(np.where(active[..., None], clues, 0), -4, 4)


def _of_parts(lines: tuple[Line, ...], parts: tuple[Part, ...]) -> Floats:
    """The clues that the part's name and instrument give: shape (lines, clues)."""
    names = CLUES[CLUES.index("first of its kind") :]
    kinds = [_kind(part) for part in parts]
    stems = [re.sub(r"[\d\s.,()]+|\b[IVX]+\b|\b[A-G](b|#|flat|sharp)?\b", "", p.name).lower() for p in parts]
    rows = np.zeros((len(parts), len(names)))
    for i, part in enumerate(parts):
        if stems[i] and stems.count(stems[i]) > 1:
            first = stems.index(stems[i]) == i
            rows[i, names.index("first of its kind" if first else "later of its kind")] = 1
        if kinds[i]:
            rows[i, names.index(kinds[i])] = 1
        unnamed = not part.instrument and not part.percussion
        rows[i, names.index("lead sound")] = unnamed and part.program in _LEAD_SOUNDS
        rows[i, names.index("backing sound")] = unnamed and part.program in _BACKING_SOUNDS
        rows[i, names.index("bass sound")] = unnamed and part.program in _BASS_SOUNDS
        rows[i, names.index("named melody")] = bool(_LEADS.search(part.name))
        rows[i, names.index("named accompaniment")] = bool(_FOLLOWS.search(part.name))
    if not lines:
        return np.zeros((0, len(names)))
    out = np.asarray(rows[[line.part for line in lines]], np.float64)
    out[:, names.index("under a voice of its part")] = [line.voice > 0 for line in lines]
    return out


def bass_instruments(lines: tuple[Line, ...], parts: tuple[Part, ...]) -> npt.NDArray[np.bool_]:
    """Which lines are played by an instrument whose trade is the bass: shape (lines,)."""
    trade = [
        bool(re.search(r"bass\b|contrab|kontrab|violone|tuba|\bcb\b", f"{p.name} {p.instrument}", re.IGNORECASE))
        or (not p.instrument and not p.percussion and p.program in _BASS_SOUNDS)
        for p in parts
    ]
    return np.array([trade[line.part] for line in lines], bool)


def _kind(part: Part) -> str:
    for text in (part.instrument.replace("-", " ").replace("_", " "), part.name, part.abbreviation):
        for kind, pattern in _KINDS:
            if text and re.search(pattern, text, re.IGNORECASE):
                return kind
    for kind, programs in _PROGRAMS.items():
        if part.program in programs:
            return kind
    return ""
