"""Where a phrase changes hands: the seams inside it at which another line takes the melody.

Roles hold for a phrase, so one in which two lines share the tune would give it to one of them and call the other a
counter-melody. It is cut where telling both gains enough of the tune: among all cuts on bar lines the one with the
greatest sum, over its pieces, of what one line has of the melody (in bars), less a cost for each cut. A seam is moved
to where the new line comes in, as in `melody.main_melody`.

Conventions: ticks; chances of shape (bars, lines).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.melody import entry
from rescore_music.score import Score
from rescore_music.structure import Line, Phrase

Floats = npt.NDArray[np.float64]

CUT = 0.8  # bars of the melody that a cut must gain
LONGEST = 64  # bars of a phrase that is cut at all


def hand_overs(score: Score, lines: tuple[Line, ...], phrases: tuple[Phrase, ...], shared: Floats) -> tuple[int, ...]:
    """Ticks inside the phrases at which the melody changes hands, rising.

    Parameters
    ----------
    score : Score
    lines : tuple of Line
    phrases : tuple of Phrase
    shared : float64 array, shape (bars, lines)
        `melody.Odds.shared`.
    """
    bars = score.bars
    middle = (bars[:-1] + bars[1:]) // 2
    chance = np.where(np.isfinite(shared), np.exp(np.clip(shared, -30, 0)), 0.0)
    out: list[int] = []
    for phrase in phrases:
        lo, hi = np.searchsorted(middle, [phrase.start, phrase.end]).tolist()
        here = chance[lo:hi]
        if not 2 <= hi - lo <= LONGEST or here.max(axis=1).sum() - here.sum(axis=0).max() <= CUT:
            continue
        for bar, line in _cuts(here):
            at = entry(score, lines[line].notes, lo + bar)
            if max(phrase.start, out[-1] if out else 0) < at < phrase.end:
                out.append(at)
    return tuple(out)


def _cuts(chance: Floats) -> list[tuple[int, int]]:
    """Bars of a phrase where another line takes over, and the lines, of the best cut."""
    count = len(chance)
    total = np.concatenate([np.zeros((1, chance.shape[1])), np.cumsum(chance, axis=0)])
    best, back = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    for stop in range(1, count + 1):
        value = best[:stop] + (total[stop] - total[:stop]).max(axis=1) - CUT * (np.arange(stop) > 0)
        back[stop] = int(value.argmax())
        best[stop] = value[back[stop]]
    out: list[tuple[int, int]] = []
    stop = count
    while back[stop] > 0:
        start = int(back[stop])
        out.append((start, int((total[stop] - total[start]).argmax())))
        stop = start
    return out[::-1]
