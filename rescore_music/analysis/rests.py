"""Long rests: silence in all parts, of which `analyze` reads only the beginning and the end.

What is read of a bar of silence is the same whatever its number, and costs as much as a bar of music; a file with one
wrong time in it, or a game's cue that waits for its event, holds thousands of them. So the middle of a long rest is
taken out before a score is analysed and put back into what was found: no note begins or sounds in it, so notes keep
their numbers.

Conventions: ticks; bars taken out come in eights, so that groups of 2, 4 and 8 bars stay groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import Analysis, Chord, IntensityTerms
from rescore_music.tempo import TempoMap

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BEFORE, AFTER = 16, 16  # bars of a rest that are read after what was before it, and before what comes after it
GROUP = 8


@dataclass(frozen=True, eq=False)
class Rests:
    """What was taken out.

    Attributes
    ----------
    start, end : int64 arrays, shape (rests,)
        The ticks [start, end) that are gone, of the whole score.
    bars : int64 array, shape (bars kept,)
        Numbers of the bars that are left.
    """

    start: Ints
    end: Ints
    bars: Ints

    def shortened(self, ticks: npt.ArrayLike) -> Ints:
        """Places of the whole score as places of the shortened one; all of a rest is where it was taken out."""
        at = np.asarray(ticks, np.int64)
        gone = np.append(0, np.cumsum(self.end - self.start))
        after = np.searchsorted(self.end, at, side="right")  # rests wholly before each place
        inside = np.append(self.start, np.iinfo(np.int64).max)[after]
        return np.asarray(np.minimum(at, inside) - gone[after], np.int64)

    def restored(self, ticks: npt.ArrayLike, *, ends: bool = True) -> Ints:
        """Places of the shortened score as places of the whole one: before a rest that begins there, or after it."""
        at = np.asarray(ticks, np.int64)
        gone = np.append(0, np.cumsum(self.end - self.start))
        where = self.start - gone[:-1]
        return np.asarray(at + gone[np.searchsorted(where, at, side="left" if ends else "right")], np.int64)


def long_rests(score: Score) -> Rests | None:
    """The stretches of whole silent bars that need not be read; None where there are none."""
    bars = score.bars
    count = len(bars) - 1
    if count <= BEFORE + AFTER + GROUP or not len(score.notes):
        return None
    first = np.searchsorted(bars, score.notes["onset"], side="right") - 1
    last = np.maximum(np.searchsorted(bars, score.ends, side="left") - 1, first)
    depth = np.zeros(count + 1, np.int64)
    np.add.at(depth, np.minimum(first, count), 1)
    np.add.at(depth, np.minimum(last + 1, count), -1)
    silent = np.concatenate([[0], (np.cumsum(depth)[:count] == 0).astype(np.int64), [0]])
    begin, stop = np.flatnonzero(np.diff(silent) == 1), np.flatnonzero(np.diff(silent) == -1)
    many = np.maximum(stop - begin - BEFORE - AFTER, 0) // GROUP * GROUP
    begin, many = begin[many > 0] + BEFORE, many[many > 0]
    if not len(many):
        return None
    gone = np.zeros(count + 1, np.int64)
    gone[begin] += 1
    gone[begin + many] -= 1
    return Rests(bars[begin], bars[begin + many], np.flatnonzero(np.cumsum(gone)[:count] == 0))


def without(score: Score, rests: Rests) -> Score:
    """The score without these stretches: what analysis reads of it, that is without messages."""
    notes = score.notes.copy()
    notes["onset"] = rests.shortened(notes["onset"])
    meters, keys = score.meters.copy(), score.keys.copy()
    meters["tick"], keys["tick"] = rests.shortened(meters["tick"]), rests.shortened(keys["tick"])
    at = rests.shortened(score.tempo.ticks)
    stays = np.append(np.diff(at) > 0, True)  # of tempi that fall on one place the last
    tempo = score.tempo
    bars = score.bars
    marks = [m for m in score.marks if not bool(_inside(rests, m.tick))]
    places = rests.shortened([m.tick for m in marks]).tolist()
    ends = rests.shortened([max(m.end, 0) for m in marks]).tolist()
    return Score(
        notes=notes,
        parts=score.parts,
        tempo=TempoMap(at[stays], tempo.us[stays], tempo.us_end[stays], score.ticks_per_quarter),
        ticks_per_quarter=score.ticks_per_quarter,
        meters=_last_at_each(meters),
        keys=keys,
        marks=tuple(
            replace(m, tick=t, end=e if m.end >= 0 else -1) for m, t, e in zip(marks, places, ends, strict=True)
        ),
        barlines=rests.shortened(np.append(bars[rests.bars], bars[-1])) if len(score.barlines) > 1 else score.barlines,
        length=int(rests.shortened(score.length)),
        metadata=score.metadata,
    )


def _inside(rests: Rests, tick: int) -> np.bool_:
    after = np.searchsorted(rests.end, tick, side="right")
    return np.bool_(after < len(rests.start) and rests.start[after] < tick)


def _last_at_each(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    return np.asarray(rows[np.append(np.diff(rows["tick"]) > 0, np.ones(min(len(rows), 1), bool))])


def put_back(found: Analysis, rests: Rests, score: Score) -> Analysis:
    """What was found in the shortened score, as said of the whole one."""

    def moved(spans: tuple[Any, ...]) -> tuple[Any, ...]:
        if not spans:
            return ()
        starts = rests.restored([s.start for s in spans]).tolist()
        ends = rests.restored([s.end for s in spans]).tolist()
        return tuple(replace(s, start=a, end=b) for s, a, b in zip(spans, starts, ends, strict=True))

    count = len(score.bars) - 1

    def spread(values: Floats) -> Floats:
        whole = np.zeros(count)
        whole[rests.bars] = values
        return whole

    terms = found.intensity_terms
    return replace(
        found,
        phrases=moved(found.phrases),
        keys=moved(found.keys),
        sections=moved(found.sections),
        hypermeter=moved(found.hypermeter),
        chords=_chords(found.chords, rests, score.bars),
        cadences=tuple(
            replace(c, tick=int(rests.restored(c.tick)), start=int(rests.restored(c.start))) for c in found.cadences
        ),
        motifs=_motifs(found, rests.restored),
        intensity=spread(found.intensity),
        intensity_terms=IntensityTerms(**{name: spread(values) for name, values in vars(terms).items()}),
    )


def _chords(chords: tuple[Chord, ...], rests: Rests, bars: Ints) -> tuple[Chord, ...]:
    """Chords at their places, and one of silence in each bar put back."""
    if not chords:
        return ()
    starts = rests.restored([c.start for c in chords], ends=False).tolist()
    ends = rests.restored([c.end for c in chords]).tolist()
    out = [replace(c, start=a, end=b) for c, a, b in zip(chords, starts, ends, strict=True)]
    kept = np.zeros(len(bars) - 1, bool)
    kept[rests.bars] = True
    out += [Chord(int(bars[b]), int(bars[b + 1]), 0, "", 0, 0.0) for b in np.flatnonzero(~kept).tolist()]
    return tuple(sorted(out, key=lambda c: c.start))


def _motifs(found: Analysis, restored: Callable[[int], Ints]) -> tuple[Any, ...]:
    return tuple(
        replace(
            motif,
            occurrences=tuple(
                replace(o, start=int(restored(o.start)), end=int(restored(o.end))) for o in motif.occurrences
            ),
        )
        for motif in found.motifs
    )
