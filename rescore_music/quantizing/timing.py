"""From tracked beats to a tempo map: when each beat falls, and a score moved onto it without changing its sound.

`beat_times` draws the smoothest curve of beats through the attacks (a penalized regression on second differences,
reweighted so that slips and pauses bend it only where they are). `retimed` then gives the score a tempo map that puts
its ticks on those beats: every event keeps its time in seconds, to the nearest tick.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rescore_music.elements import METER
from rescore_music.quantizing.priors import PER_QUARTER, levels
from rescore_music.quantizing.tracking import Tracked
from rescore_music.score import Score
from rescore_music.tempo import US_MAX, US_MIN, TempoMap

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NOISE, _DRIFT = 0.016, 0.025  # seconds an attack is off; share of a beat that the next differs by
_SLIP = 0.05  # seconds beyond which an attack counts less


@dataclass(frozen=True, eq=False)
class Beats:
    """Tracked beats in seconds.

    Attributes
    ----------
    time : float64 array, shape (beats,)
        Seconds, rising; the last one is the end of the last beat with an attack.
    first : int
        Place of `time[0]` in its bar, in beats.
    meter : tuple of int
    """

    time: Floats
    first: int
    meter: tuple[int, int]

    @property
    def quarters(self) -> float:
        """Quarters a beat."""
        return levels(*self.meter)[1] / PER_QUARTER

    @property
    def per_bar(self) -> int:
        """Beats a bar."""
        size, beat = len(levels(*self.meter)[0]), levels(*self.meter)[1]
        return size // beat


def beat_times(time: Floats, tracked: Tracked) -> Beats:
    """When the beats fall, from when attacks sounded and where in which bar they stand."""
    _, beat = levels(*tracked.meter)
    first = int(tracked.place[0]) // beat
    place = tracked.place / beat - first
    count = int(np.floor(place[-1])) + 2
    x = _smooth(time, place, count)
    typical = float(np.median(np.diff(x))) if count > 2 else float(x[1] - x[0])
    steps = np.maximum(np.diff(x), 0.15 * max(typical, 0.02))
    return Beats(np.concatenate([x[:1], x[0] + np.cumsum(steps)]), first, tracked.meter)


def _smooth(time: Floats, place: Floats, count: int) -> Floats:
    """The beats' times: `count` unknowns."""
    from scipy.linalg import solveh_banded

    at = np.minimum(place.astype(np.int64), count - 2)
    into = place - at
    pace = max((time[-1] - time[0]) / max(place[-1] - place[0], 1.0), 0.05) if len(time) > 1 else 0.5
    if count == 2:
        return np.asarray(time[0] + (np.arange(2) - into[0]) * pace, np.float64)
    x = np.interp(np.arange(count), place, time)
    x[np.arange(count) > place[-1]] = time[-1] + (count - 1 - place[-1]) * pace
    weight = np.ones(len(time))
    for turn in range(4):
        # where the beat changes at once (a pause, a new tempo) the curve may bend
        bent = np.abs(np.diff(x, 2)) / (3 * _DRIFT * pace)
        stiff = (_NOISE / (_DRIFT * pace)) ** 2 / np.maximum(bent, 1.0) ** 2
        if turn:
            off = np.abs(time - (x[at] * (1 - into) + x[at + 1] * into))
            weight = 1 / np.maximum(off / _SLIP, 1.0)
        band = np.zeros((3, count))
        band[2] = np.bincount(at, weight * (1 - into) ** 2, count) + np.bincount(at + 1, weight * into**2, count)
        band[1, 1:] = np.bincount(at, weight * into * (1 - into), count)[: count - 1]
        band[2] += 1e-9
        for i, a in enumerate((1.0, -2.0, 1.0)):
            band[2, i : count - 2 + i] += stiff * a * a
        band[1, 1 : count - 1] += -2.0 * stiff
        band[1, 2:count] += -2.0 * stiff
        band[0, 2:] += stiff
        right = np.bincount(at, weight * (1 - into) * time, count) + np.bincount(at + 1, weight * into * time, count)
        x = np.asarray(solveh_banded(band, right), np.float64)
    return x


def retimed(score: Score, beats: Beats, ticks_per_quarter: int = 480) -> Score:
    """The score over a tempo map whose beats are these; all events keep their seconds, to the nearest tick.

    Silence before the first beat becomes rests: in the first bar where they fit, else whole bars. Notes are where they
    are played, not yet where they are written.
    """
    lead = _lead(beats)
    beat_ticks = round(beats.quarters * ticks_per_quarter)
    start = float(beats.time[0])
    silence = np.arange(lead) * (start / max(lead, 1))
    time = np.concatenate([silence, beats.time] if lead else [[0.0], beats.time[1:]])
    us = np.clip(np.diff(time) * 1e6 / beats.quarters, US_MIN, US_MAX)
    tempo = TempoMap(np.arange(len(us)) * beat_ticks, us, ticks_per_quarter=ticks_per_quarter)
    bar = beats.per_bar * beat_ticks
    pickup = (lead - beats.first) % beats.per_bar * beat_ticks  # beats before the first whole bar, when reckoned back
    out = moved(score, tempo, np.array([(0, *beats.meter)], METER))
    if not pickup:
        return out
    count = max(1, -(-(out.length - pickup) // bar))
    return out.replace(barlines=np.concatenate([[0], pickup + np.arange(count + 1) * bar]))


def _lead(beats: Beats) -> int:
    """Beats of silence before the first tracked beat."""
    start, beat = float(beats.time[0]), float(np.median(np.diff(beats.time)[:8]))
    if start <= 0.06 * beat:
        return 0
    lead = max(1, round(start / beat))
    before, per_bar = beats.first, beats.per_bar
    if lead <= before:
        return lead
    rest = lead - before
    if rest >= per_bar / 2:
        return before + max(1, round(rest / per_bar)) * per_bar
    return before or lead


def moved(score: Score, tempo: TempoMap, meters: npt.NDArray[np.void]) -> Score:
    """The score as played over another tempo map: same seconds, other ticks. Bars follow the given meters."""

    def at(ticks: npt.ArrayLike) -> Ints:
        new = np.rint(tempo.ticks_at(score.seconds(ticks))).astype(np.int64)
        return np.asarray(np.maximum(new, 0), np.int64)

    notes = score.sounding()
    onset = at(notes["onset"])
    end = at(notes["onset"] + notes["duration"])
    notes["onset"], notes["duration"] = onset, np.maximum(end - onset, 1)
    columns = {}
    for name in ("controls", "bends", "programs", "keys"):
        rows = getattr(score, name).copy()
        rows["tick"] = at(rows["tick"])
        columns[name] = rows
    marks = [replace(m, tick=int(at(m.tick)), end=int(at(m.end)) if m.end >= 0 else -1) for m in score.marks]
    return score.replace(
        notes=notes,
        tempo=tempo,
        ticks_per_quarter=tempo.ticks_per_quarter,
        meters=meters,
        marks=tuple(marks),
        markers=tuple(replace(m, tick=int(at(m.tick))) for m in score.markers),
        raw=tuple(replace(r, tick=int(at(r.tick))) for r in score.raw),
        barlines=np.zeros(0, np.int64),
        length=int(at(score.length)),
        **columns,
    )
