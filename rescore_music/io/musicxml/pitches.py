"""Written pitches of a part, and the accidentals its bars print.

An accidental is printed where the key and the bar so far do not give it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rescore_music.io.musicxml.staff import diatonic_of
from rescore_music.io.musicxml.tables import DRUMS, STEPS, transposition_fifths
from rescore_music.io.notation.spelling import line_of_fifths, named
from rescore_music.io.notation.voices import TIE_IN
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Keys = list[tuple[int, int, int]]  # tick, fifths, mode
WrittenPitch = tuple[str, int, int, int]  # XML, staff step (-1 for drums), alter, octave
_SHARPS = (3, 0, 4, 1, 5, 2, 6)  # F C G D A E B
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def pitches_of(
    score: Score, number: int, spelling: tuple[Ints, Ints], keys: Keys, concert: Keys
) -> dict[int, WrittenPitch]:
    """Per note of a part, under its own keys: its pitch as XML, and (staff step, alter, octave) for accidentals."""
    part = score.parts[number]
    index = score.part_notes(number)
    if part.percussion:
        return {int(i): (_drum_xml(int(p)), -1, 0, 0) for i, p in zip(index, score.notes["pitch"][index], strict=True)}
    pitch = score.notes["pitch"][index].astype(np.int64)
    step, alter = spelling[0][index], spelling[1][index]
    natural = (pitch - alter) % 12
    safe = np.where(np.isin(natural, (0, 2, 4, 5, 7, 9, 11)) & (step >= 0), step, 0)
    fifths = line_of_fifths(pitch, safe)
    away = transposition_fifths(part.transposition, diatonic_of(part))
    own = fifths - away
    ticks = np.array([k[0] for k in keys] or [0])
    shift = np.array([k[1] for k in keys] or [0]) - np.array([k[1] for k in concert] or [0])
    shift += away if keys else 0
    row = np.maximum(np.searchsorted(ticks, score.notes["onset"][index], side="right") - 1, 0)
    w_step, w_alter = named(own + (shift[row] if keys else 0))
    written = pitch - part.transposition
    octave = (written - w_alter) // 12 - 1
    rows = np.stack([index, w_step, w_alter, octave], axis=1).tolist()
    return {i: (_pitch_xml(s, a, o), s, a, o) for i, s, a, o in rows}


def accidentals_of(
    line: list[tuple[int, int, int, int, int]], pitches: dict[int, WrittenPitch], fifths: int
) -> dict[int, str]:
    """The accidental of each note of a bar that needs one, in the order of time.

    `line` holds (place, 0 for grace notes and 1 for others, note, tie bits, staff); `fifths` is the key in force.
    """
    state: dict[tuple[int, int, int], int] = {}
    basis = _key_alters(fifths)
    out: dict[int, str] = {}
    for _, _, note, ties, staff in sorted(line):
        _, step, alter, octave = pitches[note]
        place = (staff, step, octave)
        if ties & TIE_IN:
            continue
        if alter != state.get(place, basis[step]):
            out[note] = f"<accidental>{_ACCIDENTALS[alter]}</accidental>"
            state[place] = alter
    return out


@lru_cache(maxsize=4096)
def _pitch_xml(step: int, alter: int, octave: int) -> str:
    change = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{STEPS[step]}</step>{change}<octave>{octave}</octave></pitch>"


@lru_cache(maxsize=256)
def _drum_xml(key: int) -> str:
    place = DRUMS.get(key, ("", "C5", ""))[1]
    step, octave = place[0], place[1:]
    return f"<unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"


@lru_cache(maxsize=32)
def _key_alters(fifths: int) -> tuple[int, ...]:
    alters = [0] * 7
    for i in range(abs(fifths)):
        alters[_SHARPS[i % 7] if fifths > 0 else _SHARPS[6 - i % 7]] += 1 if fifths > 0 else -1
    return tuple(alters)
