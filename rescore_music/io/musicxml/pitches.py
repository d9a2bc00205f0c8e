"""Written pitches of a part, and the accidentals its bars print.

An accidental is printed where the key and the bar so far do not give it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rescore_music.io.musicxml.tables import DRUMS, STEPS
from rescore_music.io.notation.spelling import line_of_fifths, named
from rescore_music.io.notation.voices import TIE_IN
from rescore_music.score import Score

if TYPE_CHECKING:
    from rescore_music.io.musicxml.keys import Heading

Ints = npt.NDArray[np.int64]
WrittenPitch = tuple[str, int, int, int]  # XML, staff step (-1 for drums), alter, octave
_ONE_LINE = ((), ("E4",), ("D4", "F4"))  # one drum on the only line of a staff, two below and above it
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def pitches_of(score: Score, number: int, spelling: tuple[Ints, Ints], heading: Heading) -> dict[int, WrittenPitch]:
    """Per note of a part, under its own keys: its pitch as XML, and (staff step, alter, octave) for accidentals."""
    part = score.parts[number]
    index = score.part_notes(number)
    if part.percussion:
        keys = np.unique(score.notes["pitch"][index]).tolist()
        one = _ONE_LINE[min(len(keys), 2)] if part.lines == 1 else ()
        places = {key: one[min(k, len(one) - 1)] if one else "" for k, key in enumerate(keys)}
        return {
            int(i): (_drum_xml(int(p), places[int(p)]), -1, 0, 0)
            for i, p in zip(index, score.notes["pitch"][index], strict=True)
        }
    pitch = score.notes["pitch"][index].astype(np.int64)
    step, alter = spelling[0][index], spelling[1][index]
    natural = (pitch - alter) % 12
    safe = np.where(np.isin(natural, (0, 2, 4, 5, 7, 9, 11)) & (step >= 0), step, 0)
    fifths = line_of_fifths(pitch, safe)
    onset = score.notes["onset"][index]
    chromatic, diatonic = heading.transposed(onset)
    w_step, w_alter = named(fifths - (7 * chromatic - 12 * diatonic) + heading.respelled(onset))
    written = pitch - chromatic
    octave = (written - w_alter) // 12 - 1
    rows = np.stack([index, w_step, w_alter, octave], axis=1).tolist()
    return {i: (_pitch_xml(s, a, o), s, a, o) for i, s, a, o in rows}


def accidentals_of(
    line: list[tuple[int, int, int, int, int]], pitches: dict[int, WrittenPitch], bases: list[tuple[int, ...]]
) -> dict[int, str]:
    """The accidental of each note of a bar that needs one, in the order of time.

    `line` holds (place, 0 for grace notes and 1 for others, note, tie bits, staff); `bases` tells what the key in
    force does to each step, staff by staff.
    """
    state: dict[tuple[int, int, int], int] = {}
    out: dict[int, str] = {}
    for _, _, note, ties, staff in sorted(line):
        _, step, alter, octave = pitches[note]
        place = (staff, step, octave)
        if ties & TIE_IN:
            continue
        if alter != state.get(place, bases[min(staff, len(bases) - 1)][step]):
            out[note] = f"<accidental>{_ACCIDENTALS[alter]}</accidental>"
            state[place] = alter
    return out


@lru_cache(maxsize=4096)
def _pitch_xml(step: int, alter: int, octave: int) -> str:
    change = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{STEPS[step]}</step>{change}<octave>{octave}</octave></pitch>"


@lru_cache(maxsize=256)
def _drum_xml(key: int, place: str) -> str:
    place = place or DRUMS.get(key, ("", "C5", ""))[1]
    step, octave = place[0], place[1:]
    return f"<unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"
