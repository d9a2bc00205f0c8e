"""Unpitched percussion: which seat plays which General MIDI drum key.

Conventions: drum keys are MIDI notes of channel 10 (General MIDI level 1 percussion map, 35..81, GS below and above).
A key goes to the first seat that has it; else to the nearest key of the same kind that a seat has; else of a related
kind; else it is left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Seat

Ints = npt.NDArray[np.int64]

# kinds of sound, and the kinds that may stand in, nearest first
KINDS: dict[str, tuple[int, ...]] = {
    "bass drum": (35, 36),
    "snare": (38, 40, 37, 39),
    "tom": (41, 43, 45, 47, 48, 50),
    "hi-hat": (42, 44, 46),
    "ride": (51, 53, 59),
    "crash": (49, 57, 55, 52),
    "shaken": (54, 69, 70, 82, 83),
    "metal": (56, 80, 81, 67, 68, 84, 34),
    "wood": (75, 76, 77, 85, 31, 32, 33),
    "hand drum": (60, 61, 62, 63, 64, 65, 66, 78, 79, 86, 87),
    "scraped": (73, 74, 58, 29, 30, 71, 72, 27, 28),
}
_RELATED: dict[str, tuple[str, ...]] = {
    "bass drum": ("tom",),
    "snare": ("tom", "hand drum", "wood"),
    "tom": ("hand drum", "bass drum", "snare"),
    "hi-hat": ("shaken", "ride"),
    "ride": ("hi-hat", "crash"),
    "crash": ("ride",),
    "shaken": ("hi-hat",),
    "metal": ("ride", "wood"),
    "wood": ("snare",),
    "hand drum": ("tom", "snare"),
    "scraped": ("shaken", "wood"),
}
_KIND_OF = {key: kind for kind, keys in KINDS.items() for key in keys}


def drum_map(seats: tuple[Seat, ...]) -> tuple[Ints, Ints]:
    """Per drum key 0..127: the seat that plays it (-1 for nobody) and the key it plays there."""
    have: dict[int, int] = {}
    for i, seat in enumerate(seats):
        if seat.instrument.percussion:
            for key in seat.instrument.keys or range(27, 88):
                have.setdefault(key, i)
    seat_of, key_of = np.full(128, -1, np.int64), np.arange(128)
    for key in range(128):
        stand_in = _nearest(key, have)
        if stand_in is not None:
            seat_of[key], key_of[key] = have[stand_in], stand_in
    return seat_of, key_of


def _nearest(key: int, have: dict[int, int]) -> int | None:
    if key in have:
        return key
    kind = _KIND_OF.get(key)
    for other in (kind, *_RELATED[kind]) if kind else ():
        known = [k for k in KINDS[other] if k in have]
        if known:
            return min(known, key=lambda k: (abs(k - key) if other == kind else 0, KINDS[other].index(k)))
    return None


def percussion_lines(score: Score, analysis: Analysis, seats: tuple[Seat, ...], style_percussion: str) -> list[Ints]:
    """Per phrase the (line, seat) pairs of unpitched percussion, shape (pairs, 2), sorted."""
    phrases = len(analysis.phrases)
    out: list[Ints] = [np.zeros((0, 2), np.int64) for _ in range(phrases)]
    if style_percussion == "drop":
        return out
    drums = np.flatnonzero(~score.pitched)
    if not len(drums):
        return out
    seat = drum_map(seats)[0][score.notes["pitch"][drums]]
    phrase = analysis.phrase_of(score.notes["onset"][drums])
    line = analysis.line_of[drums].astype(np.int64)
    kept = (seat >= 0) & (analysis.roles[line, phrase] != int(Role.REST))
    rows = np.unique(np.stack([phrase[kept], line[kept], seat[kept]], axis=1), axis=0)
    for p in np.unique(rows[:, 0]):
        out[int(p)] = rows[rows[:, 0] == p, 1:]
    return out
