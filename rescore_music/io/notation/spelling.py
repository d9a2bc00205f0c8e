"""Note names for pitches that have none: Meredith's ps13, stage 1, then the key's choice, then the harmony around.

For each note every pitch class heard around it (10 notes before, 42 after) votes, as a supposed tonic, for the name
the note would have in that tonic's scale; the most heard name wins. The method fixes names only up to an enharmonic
shift of everything; the key signature in force decides that, or the fewest accidentals where none is known. Then each
note takes, of its enharmonic names, the one nearest to the centre of the notes within four bars or so (`REACH`) on the
line of fifths, a little to its sharp side (`SHARPWARD`: leading tones are raised more often than sixths are lowered).
That brings back what ps13 leaves wrong where the music modulates; both numbers were chosen on scores that
benchmarks/bench_spelling.py does not count.

References
----------
Meredith, D. (2006). The ps13 pitch spelling algorithm. Journal of New Music Research, 35(2), 121-159.
Temperley, D. (2001). The Cognition of Basic Musical Structures, ch. 5: pitch variance on the line of fifths. MIT Press.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import STEP_SEMITONES, Score

Ints = npt.NDArray[np.int64]

BEFORE, AFTER = 10, 42
REACH = 16  # quarters to either side
SHARPWARD = 0.5
_SWEEPS = 4
_FEWEST = 7
_FIRST_NAME = np.array([0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6])  # of the first note's chroma, A = 0
_IN_SCALE = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6])  # staff steps above a tonic, by semitones
_FIFTHS_OF_STEP = np.array([0, 2, 4, -1, 1, 3, 5])  # C D E F G A B on the line of fifths, C = 0


def spell(score: Score) -> tuple[Ints, Ints]:
    """Sounding spelling of every note: kept where the score has it.

    Returns
    -------
    step, alter : int64 arrays, one a note
        0..6 = C..B and -2..2; percussion notes keep step -1.
    """
    notes = score.notes
    step, alter = notes["step"].astype(np.int64), notes["alter"].astype(np.int64)
    unknown = np.flatnonzero((step < 0) & score.pitched)
    if not len(unknown):
        return step, alter
    index = np.flatnonzero(score.pitched)  # known notes are context too
    names = _ps13(notes["pitch"][index].astype(np.int64))
    fifths = line_of_fifths(notes["pitch"][index].astype(np.int64), names)
    fifths = _toward_key(fifths, notes["onset"][index], score)
    fifths = _toward_centre(fifths, notes["onset"][index], REACH * score.ticks_per_quarter)
    found_step, found_alter = named(fifths)
    chosen = np.isin(index, unknown)
    step[index[chosen]], alter[index[chosen]] = found_step[chosen], found_alter[chosen]
    return step, alter


def _ps13(pitch: Ints) -> Ints:
    """Staff step 0..6 (C..B) of pitches in the order of onset and height."""
    chroma = (pitch - 9) % 12  # A = 0
    n = len(chroma)
    heard = np.zeros((n + 1, 12), np.int64)
    heard[np.arange(1, n + 1), chroma] = 1
    heard = heard.cumsum(axis=0)
    at = np.arange(n)
    window = heard[np.minimum(at + AFTER, n)] - heard[np.maximum(at - BEFORE, 0)]
    tonic = np.arange(12)
    tonic_name = (_FIRST_NAME[chroma[0]] - _IN_SCALE[(chroma[0] - tonic) % 12]) % 7
    strength = np.zeros((n, 7), np.int64)
    for c in range(12):
        name = (_IN_SCALE[(chroma - c) % 12] + tonic_name[c]) % 7
        strength[at, name] += window[:, c]
    return np.asarray((strength.argmax(axis=1) + 5) % 7, np.int64)  # from A = 0 to C = 0


def line_of_fifths(pitch: Ints, step: Ints) -> Ints:
    """Place on the line of fifths (C = 0, G = 1, F = -1) of a pitch with a name."""
    alter = (pitch - STEP_SEMITONES[step] + 6) % 12 - 6
    return np.asarray(_FIFTHS_OF_STEP[step] + 7 * alter, np.int64)


def _toward_key(fifths: Ints, onset: Ints, score: Score) -> Ints:
    """Shift everything, key by key, by whole enharmonic turns to where the key signature is."""
    out = fifths.copy()
    keys = score.keys
    edges = [0, *(int(t) for t in keys["tick"] if t > 0)]
    for i, start in enumerate(edges):
        stop = edges[i + 1] if i + 1 < len(edges) else np.iinfo(np.int64).max
        mine = (onset >= start) & (onset < stop)
        if not mine.any():
            continue
        row = int(np.searchsorted(keys["tick"], start, side="right")) - 1
        centre = 2 + (int(keys["fifths"][row]) if row >= 0 else 0)
        out[mine] -= 12 * round((float(np.mean(out[mine])) - centre) / 12)
        # single notes beyond two flats or sharps of the key's reach come back by one turn
        far = out[mine] - centre
        out[mine] -= np.where(far > 11, 12, np.where(far < -11, -12, 0))
    return out


def _toward_centre(fifths: Ints, onset: Ints, reach: int) -> Ints:
    """Each note's enharmonic name nearest to the mean of the notes around it, over and over until that rests.

    Every other note moves at a time, so that two neighbours do not change places for ever.
    """
    out = fifths.copy()
    first = np.searchsorted(onset, onset - reach)
    last = np.searchsorted(onset, onset + reach, side="right")
    others = np.maximum(last - first - 1, 1)
    turn = np.arange(len(out))
    for sweep in range(_SWEEPS):
        total = np.concatenate([[0], np.cumsum(out)])
        away = out - (total[last] - total[first] - out) / others - SHARPWARD
        step = np.where(away > 6.0, -12, np.where(away < -6.0, 12, 0))
        step[(turn + sweep) % 2 == 1] = 0
        step[others < _FEWEST] = 0  # a few notes are no harmony
        out += step
    return out


def named(fifths: Ints) -> tuple[Ints, Ints]:
    """Step and alteration of places on the line of fifths, at most doubly altered (further out: enharmonic turns)."""
    turns = np.maximum(-((19 - fifths) // 12), 0) - np.maximum(-((fifths + 15) // 12), 0)
    fifths = fifths - 12 * turns
    step = np.array([0, 4, 1, 5, 2, 6, 3])[(fifths) % 7]  # C G D A E B F
    alter = (fifths + 1) // 7
    return step.astype(np.int64), np.asarray(alter, np.int64)
