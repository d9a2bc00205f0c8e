"""The tune brought out: accompaniment comes down in the phrases in which it masks the melody.

Conventions: velocities are effort as in `balance`; masking is that of `playability.audibility`, frame by frame; a
phrase is mended as a whole, so that no line changes its dynamic inside it.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. II (the background a shade below the theme); Piston,
Orchestration, part II (balance of texture types).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import FORTISSIMO, PIANISSIMO
from rescore_music.orchestration.draft import Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.playability.audibility import ENOUGH, FRAME_S, MOST_FRAMES, NOISE, audible_share, dying, frames
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SOFTEST, LOUDEST = 28, 122  # a shade beyond pp and ff: what can still be asked for with a tone
_ROUNDS = 4
_MASKED = 0.04  # share of a phrase's melody from which it is mended
_DOWN, _UP = 12, 4  # velocity, a round


class Stage:
    """A draft on the stage of the masking model: when its notes sound, how loud they can be, which belong to a tune.

    Attributes
    ----------
    line : int64 array, one a row
        The melody a row plays or doubles, else -1.
    start, end, decay : float64 arrays, one a row
        Seconds, and how fast the note dies away in dB a second.
    phrase : int64 array, one a frame
    """

    def __init__(self, draft: Rows, score: Score, analysis: Analysis, seats: Ensemble) -> None:
        self.line = melody_lines(draft, seats)
        self.start, self.end = score.seconds(draft["onset"]), score.seconds(draft["onset"] + draft["duration"])
        pitch = np.clip(draft["pitch"].astype(np.int64), 0, 127)
        self.decay = dying([seat.instrument for seat in seats.seats], draft["seat"], draft["articulation"])
        self._row = np.where(seats.pitched[draft["seat"]], pitch, NOISE)
        self._soft, self._loud = seats.soft[draft["seat"], pitch], seats.loud[draft["seat"], pitch]
        self._length = min(int(self.end.max(initial=0.0) / FRAME_S) + 1, MOST_FRAMES)
        begins = score.seconds(np.array([phrase.start for phrase in analysis.phrases], np.int64))
        at = np.arange(self._length) * FRAME_S
        self.phrase = np.maximum(np.searchsorted(begins, at, side="right") - 1, 0)

    def lines(self) -> list[int]:
        """The melodies there are."""
        return [int(one) for one in np.unique(self.line[self.line >= 0])]

    def audible(self, velocity: Ints, lines: list[int]) -> Iterator[Floats]:
        """Per melody its audible share by frames, NaN where it is silent."""
        share = (velocity - PIANISSIMO) / (FORTISSIMO - PIANISSIMO)
        level = self._soft + (self._loud - self._soft) * share
        everything = frames(self.start, self.end, level, self.decay, self._row, self._length)
        for one in lines:
            own = self.line == one
            mine = frames(self.start[own], self.end[own], level[own], self.decay[own], self._row[own], self._length)
            yield audible_share(mine, everything - mine)


def brought_out(draft: Rows, velocity: Ints, score: Score, analysis: Analysis, seats: Ensemble) -> Ints:
    """Velocities with which the melody's lines are heard, as far as players can give way.

    Parameters
    ----------
    draft : DRAFT array, shape (n,)
    velocity : int64 array, shape (n,)

    Returns
    -------
    int64 array, shape (n,)
    """
    stage = Stage(draft, score, analysis, seats)
    lines = stage.lines()
    # background that happens to meet the tune's pitch keeps to its own line's dynamic
    tune = (draft["role"] == int(Role.MELODY)) & (draft["rank"] == 0)
    for _ in range(_ROUNDS if lines else 0):
        masked = np.array([_hidden(free, stage.phrase) for free in stage.audible(velocity, lines)])
        lines = [one for one, hidden in zip(lines, masked, strict=True) if hidden.any()]
        give_way = np.append(masked.any(axis=0), np.zeros(len(analysis.phrases), bool))[draft["phrase"]]
        louder = np.where(give_way, velocity + np.where(tune, _UP, -_DOWN), velocity)
        louder = np.clip(louder, np.minimum(velocity, SOFTEST), np.maximum(velocity, LOUDEST))
        if (louder == velocity).all():
            break
        velocity = louder
    return velocity


def melody_lines(draft: Rows, seats: Ensemble) -> Ints:
    """Per row the melody it plays or doubles (same onset, same pitch class), else -1."""
    pitched = seats.pitched[draft["seat"]]
    lead = (draft["role"] == int(Role.MELODY)) & (draft["rank"] == 0) & pitched
    key = draft["onset"] * 12 + draft["pitch"] % 12
    known, first = np.unique(key[lead], return_index=True)
    out = np.where(lead, draft["line"].astype(np.int64), -1)
    if len(known):
        at = np.minimum(np.searchsorted(known, key), len(known) - 1)
        same = pitched & (known[at] == key) & ~lead
        out[same] = draft["line"][lead][first[at[same]]]
    return out


def _hidden(free: Floats, phrase: Ints) -> npt.NDArray[np.bool_]:
    """In which phrases a line is masked for more than a moment, by its audible share and the phrase of each frame."""
    sounding = np.bincount(phrase, np.isfinite(free))
    return np.asarray(np.bincount(phrase, free < ENOUGH) > _MASKED * np.maximum(sounding, 1))
