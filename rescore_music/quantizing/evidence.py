"""What the file says already: whether a part is notated as it stands, and whether the file's grid is real.

A grid is real where onsets keep to it. The measure is the mean resultant length of the onsets' phases (Mardia and Jupp,
Directional Statistics, 2000, ch. 2) on the grids of the quarter from eighths to thirty-seconds: 1 for a sequencer's
step entry, near 0 for a performance that ignores the grid, however steady. It is taken in windows of some bars, so that
a performance that drifts through the grid is not believed, and its mean phase has to be the grid's own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EXACT = (32, 24, 20, 28, 9, 11, 13, 15, 18)  # divisions of a quarter that a notated source may use
_PLAIN = (8, 6)
ENGRAVED = ("musicxml", "abc", "humdrum")  # source formats that say themselves what is printed
_GRIDS = (2, 3, 4, 6, 8)  # a coarser one needs more, for fewer places can be met by chance
_WINDOW = 32  # attacks
_REAL = 0.38  # mean projection on the grid; chance is 0 with a standard error of 0.07 over 100 attacks


def performed_parts(score: Score) -> Flags:
    """Per part: whether its notes need snapping, because they stand on no notational grid.

    A part counts as notated when its source numbered its voices and is a notation file or keeps to exact divisions of
    the quarter, when it carries its performance beside its notation already, or when nearly all its times lie on plain
    thirty-seconds and triplets.
    """
    notes, quarter = score.notes, score.ticks_per_quarter
    out = np.zeros(len(score.parts), bool)
    if not len(notes):
        return out
    bar = score.bar_of(notes["onset"])
    start = notes["onset"] - score.bars[bar]
    stop = score.ends - score.bars[score.bar_of(np.maximum(score.ends - 1, 0))]
    exact = on_divisions(start, quarter, _EXACT) & on_divisions(stop, quarter, _EXACT)
    plain = on_divisions(start, quarter, _PLAIN) & on_divisions(stop, quarter, _PLAIN)
    engraved = score.metadata.source_format in ENGRAVED
    shifted = (notes["onset_shift"] != 0) | (notes["end_shift"] != 0)
    for part in range(len(score.parts)):
        mine = notes["part"] == part
        if not mine.any() or (engraved and np.all(notes["voice"][mine] > 0)):
            continue
        numbered = bool(np.all(notes["voice"][mine] > 0)) or bool(shifted[mine].any())
        out[part] = not exact[mine].all() or not (numbered or plain[mine].mean() >= 0.98)
    return out


def on_divisions(places: Ints, quarter: int, divisions: tuple[int, ...]) -> Flags:
    """Which places are whole multiples of one of these divisions of the quarter."""
    out = np.zeros(len(places), bool)
    for n in divisions:
        out |= places * n % quarter == 0
    return out


def grid_strength(score: Score) -> float:
    """How well played onsets keep to a grid of the file's own beats: about -0.3 to 1."""
    notes = score.sounding()
    if len(notes) < 4:
        return 1.0
    onset = notes["onset"]
    bar = score.bars[score.bar_of(onset)]
    place = (onset - bar) / score.ticks_per_quarter
    time = np.round(score.seconds(onset) / 0.03)  # a chord is one attack
    _, first = np.unique(time, return_index=True)
    place = place[first]
    count = max(1, round(len(place) / _WINDOW))
    window = np.minimum(np.arange(len(place)) * count // len(place), count - 1)
    size = np.bincount(window)
    best = np.full(count, -1.0)
    for divisions in _GRIDS:
        mean = np.bincount(window, weights=np.cos(2 * np.pi * divisions * place)) / size
        best = np.maximum(best, mean - 0.05 * max(4 - divisions, 0))
    # windows without any order speak against the grid, a few free bars in a good one do not
    return float(np.average(best, weights=size))


def grid_is_real(score: Score) -> bool:
    """Whether the file's beats are the music's."""
    return grid_strength(score) > _REAL
