"""Long notes of a tune struck again before they die away under the others: guitars, keyboards.

Conventions: ticks; seconds where a name says so. Only notes that the masking model of `playability.audibility` loses
after the accompaniment has come down (`foreground`) are struck again, on beats, no sooner than they would be lost and
never where another seat holds the same note. A note struck again is still the source's note: its rows share `source`.

Sources: Gould, Behind Bars, "Keyboard" (long notes of reductions repeated where the piano cannot sustain them);
Adler, The Study of Orchestration, "Guitar", "Piano" (decay).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.foreground import SOFTEST, Stage
from rescore_music.playability.audibility import ENOUGH, FRAME_S
from rescore_music.playability.hands import takes_chord
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import Analysis

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_FAMILIES = ("plucked", "keyboard")
_SOONEST_S = 0.5  # after the stroke before
_LAST_S = 0.3  # before the note's end
_SOFTER = 6  # velocity: the note goes on, it does not begin
_BEFORE = np.uint32(Articulation.SLURRED)
_ONCE = np.uint32(Articulation.ARPEGGIO | Articulation.ACCENT | Articulation.MARCATO | Articulation.TRILL)


def struck_again(
    draft: Rows, velocity: Ints, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger
) -> tuple[Rows, Ints]:
    """The draft and its velocities with the tune's dying notes struck again where they would be masked.

    Parameters
    ----------
    draft : DRAFT array, shape (n,)
    velocity : int64 array, shape (n,)
    """
    able = np.array([s.instrument.family in _FAMILIES and s.instrument.id != "harp" for s in seats.seats], bool)
    stage = Stage(draft, score, analysis, seats)
    long = able[draft["seat"]] & (stage.line >= 0) & (stage.decay > 0) & (stage.end - stage.start > 2 * _SOONEST_S)
    long &= (draft["articulation"] & np.uint32(GRACE)) == 0
    if not long.any():
        return draft, velocity
    lines = np.unique(stage.line[long]).tolist()
    pieces: list[tuple[int, Ints]] = []
    for one, free in zip(lines, stage.audible(velocity, lines), strict=True):
        masked = np.append(np.flatnonzero(free < ENOUGH), len(free) + 1)
        mine = np.flatnonzero(long & (stage.line == one))
        first = masked[np.searchsorted(masked, ((stage.start[mine] + _SOONEST_S) / FRAME_S).astype(np.int64))]
        for i, frame in zip(mine.tolist(), (first * FRAME_S).tolist(), strict=True):
            if frame < stage.end[i]:
                again = _strokes(draft, i, float(frame - stage.start[i]), score, seats)
                pieces += [(i, again)] if len(again) else []
    return _cut(draft, velocity, pieces, ledger)


def _strokes(draft: Rows, i: int, lasts: float, score: Score, seats: Ensemble) -> Ints:
    """Ticks at which a note is struck again that is heard for `lasts` seconds."""
    onset, end = int(draft["onset"][i]), int(draft["onset"][i] + draft["duration"][i])
    beats = np.array(list(_beats(score, onset, end)), np.int64)
    at = score.seconds(beats)
    last, stop = float(score.seconds(np.array([onset]))[0]), float(score.seconds(np.array([end]))[0])
    out: list[int] = []
    for k, tick in enumerate(beats.tolist()):
        following = float(at[k + 1]) if k + 1 < len(at) else stop
        late = following - last > lasts and at[k] - last >= _SOONEST_S and stop - at[k] >= _LAST_S
        if late and _within_hand(draft, i, tick, seats):
            out.append(tick)
            last = float(at[k])
    return np.array(out, np.int64)


def _beats(score: Score, start: int, end: int) -> Iterator[int]:
    """Beats after `start` and before `end`."""
    bar = int(score.bar_of(start))
    tick = int(score.bars[bar])
    while tick < end:
        if tick > start:
            yield tick
        following = int(score.bars[bar + 1]) if bar + 1 < len(score.bars) else end
        tick += max(int(score.beat_ticks(tick)), 1)
        if tick >= following:
            bar, tick = bar + 1, following


def _within_hand(draft: Rows, i: int, tick: int, seats: Ensemble) -> bool:
    """Whether a keyboard's hands take the note with what they strike there."""
    seat = int(draft["seat"][i])
    feasible = takes_chord(seats.seats[seat].instrument.id)
    struck = draft["pitch"][(draft["seat"] == seat) & (draft["onset"] == tick)].tolist()
    if int(draft["pitch"][i]) in struck:
        return False
    return feasible is None or feasible(tuple(sorted({*struck, int(draft["pitch"][i])})))


def _cut(draft: Rows, velocity: Ints, pieces: list[tuple[int, Ints]], ledger: Ledger) -> tuple[Rows, Ints]:
    """Rows cut into pieces at their strokes."""
    if not pieces:
        return draft, velocity
    index = np.repeat([i for i, _ in pieces], [len(again) for _, again in pieces])
    added, out = draft[index], draft.copy()
    added["onset"] = np.concatenate([again for _, again in pieces])
    added["shift"] = 0
    added["articulation"] &= ~_ONCE
    end = (draft["onset"] + draft["duration"])[index]
    same = np.append(index[1:] == index[:-1], False)
    until = np.where(same, np.roll(added["onset"], -1), end)
    added["duration"] = until - added["onset"]
    added["articulation"][same] &= ~_BEFORE
    for i, again in pieces:
        out["duration"][i] = again[0] - out["onset"][i]
        out["articulation"][i] &= ~_BEFORE
    ledger.change(
        "a long note of the tune struck again: it would die away under the others", out[[i for i, _ in pieces]]
    )
    softer = np.minimum(velocity[index], np.maximum(velocity[index] - _SOFTER, SOFTEST))
    return np.concatenate([out, added]), np.concatenate([velocity, softer])
