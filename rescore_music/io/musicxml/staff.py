"""What stands at the head of a part's staves: its clefs, key signatures and transposition, as chosen and as XML."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.elements import MODES
from rescore_music.io.musicxml.tables import DIATONIC_OF_CHROMATIC, transposition_fifths
from rescore_music.score import Part, Score

Ints = npt.NDArray[np.int64]

# clefs with an 8 for instruments that are printed an octave from where they sound, by General MIDI program
_OCTAVE_CLEFS = {
    **dict.fromkeys(range(24, 32), (("G2-8", 48, 69),)),
    **dict.fromkeys((*range(32, 40), 43), (("F4-8", 28, 48),)),
    **dict.fromkeys((9, 72, 78), (("G2+8", 72, 93),)),
}


def diatonic_of(part: Part) -> int:
    """A part's transposition in staff steps, derived from the semitones where it is not said."""
    if part.diatonic or not part.transposition:
        return part.diatonic
    sign = 1 if part.transposition > 0 else -1
    size = abs(part.transposition)
    return sign * (DIATONIC_OF_CHROMATIC[size % 12] + 7 * (size // 12))


def written_key(fifths: int, part: Part) -> int:
    """The key signature a part is given.

    A transposing part is spared seven accidentals where five do (a horn in concert F sharp reads D flat, not C sharp).
    """
    away = transposition_fifths(part.transposition, diatonic_of(part))
    own, most = fifths - away, 6 if away else 7
    while own > most:
        own -= 12
    while own < -most:
        own += 12
    return own


def clefs_of(score: Score, number: int, staves: int, staff: Ints) -> tuple[str, ...]:
    """A part's own clefs, or those that need the fewest ledger lines; `staff` of each of its notes."""
    part = score.parts[number]
    if len(part.clefs) >= staves:
        return part.clefs[:staves]
    if part.percussion:
        return ("percussion",) * staves
    if staves == 2:
        return ("G2", "F4")
    index = score.part_notes(number)
    pitch = score.notes["pitch"][index].astype(np.int64) - part.transposition
    out = []
    for s in range(staves):
        mine = pitch[staff == s]
        if part.program == 41:
            out.append("C3")
            continue
        choices = [("G2", 60, 81), ("F4", 40, 60), *_OCTAVE_CLEFS.get(part.program, ())]
        ledger = {
            clef: float(np.mean(np.maximum(low - mine, 0) + np.maximum(mine - high, 0))) if len(mine) else 0.0
            for clef, low, high in choices
        }
        out.append(min(ledger, key=lambda c: (ledger[c], c != "G2")))
    return tuple(out)


def key_xml(fifths: int, mode: int, percussion: bool) -> str:
    """A key signature; drums have none."""
    name = "" if percussion or not 0 <= mode < len(MODES) else f"<mode>{MODES[mode]}</mode>"
    return f"<key><fifths>{0 if percussion else fifths}</fifths>{name}</key>"


def clef_xml(clef: str, staff: int, staves: int) -> str:
    """A clef by its name ("F4", "G2-8"); numbered where there are more staves than one."""
    number = f' number="{staff + 1}"' if staves > 1 else ""
    if clef[:1] in ("G", "F", "C") and clef[1:2].isdigit():
        octaves = {"8": 1, "15": 2, "22": 3}.get(clef[3:], 0) * (-1 if clef[2:3] == "-" else 1)
        change = f"<clef-octave-change>{octaves}</clef-octave-change>" if octaves else ""
        return f"<clef{number}><sign>{clef[0]}</sign><line>{clef[1]}</line>{change}</clef>"
    sign = {"percussion": "percussion", "tab": "TAB", "jianpu": "jianpu", "none": "none"}.get(clef.lower())
    line = "<line>5</line>" if sign == "TAB" else ""
    return f"<clef{number}><sign>{sign or 'G'}</sign>{line if sign else '<line>2</line>'}</clef>"


def transpose_xml(chromatic: int, diatonic: int) -> str:
    """The transposition in semitones and staff steps, octaves apart."""
    octaves = int(chromatic / 12)
    change = f"<octave-change>{octaves}</octave-change>" if octaves else ""
    rest = f"<diatonic>{diatonic - 7 * octaves}</diatonic><chromatic>{chromatic - 12 * octaves}</chromatic>"
    return f"<transpose>{rest}{change}</transpose>"
