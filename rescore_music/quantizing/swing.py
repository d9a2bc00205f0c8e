"""Swing: beats played long-short whose eighths are written even.

The sign of swing is a single attack inside the beat, again and again at the same place between five ninths and five
sevenths of it, while attacks at a third of the beat, which triplets would have, are rare. (Friberg and Sundström, Music
Perception 19(3), 2002: swing ratios of jazz drummers run from 1:1 at fast tempi to 3.5:1 at slow ones; their mean over
common tempi is near 2:1.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.onsets import attack_groups
from rescore_music.quantizing.played import BeatGrid, Played

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LOW, _HIGH = 0.555, 0.715  # share of the beat that the first eighth takes
_FEWEST = 6  # long-short beats
_TRIPLETS = 0.25  # most beats with an attack at their first third, for each long-short beat
_LONG, _SHORT = 1.2, 0.18  # seconds a beat may last


@dataclass(frozen=True, eq=False)
class Swing:
    """Beats that swing (bool, one a beat) and the share of the beat that the first eighth takes."""

    beats: Flags
    share: float

    def straightened(self, places: Floats, beats: BeatGrid) -> Floats:
        """Played places with the eighths of swung beats made even."""
        return self._bent(places, beats, self.share, 0.5)

    def swung(self, places: Floats, beats: BeatGrid) -> Floats:
        """Written places as they are played: the inverse of `straightened`."""
        return self._bent(places, beats, 0.5, self.share)

    def _bent(self, places: Floats, beats: BeatGrid, old: float, new: float) -> Floats:
        beat = beats.beat_of(places)
        into = (places - beats.start[beat]) / beats.length[beat]
        bent = np.where(into < old, into * new / old, new + (into - old) * (1 - new) / (1 - old))
        inside = self.beats[beat] & (into > 0) & (into < 1)
        return np.asarray(np.where(inside, beats.start[beat] + bent * beats.length[beat], places), np.float64)


def find_swing(played: Played, beats: BeatGrid, wanted: bool | None = None) -> Swing | None:
    """The swing of a performance, or None; `wanted` True asks for less evidence, False for none to be found."""
    if wanted is False or not len(played.onset):
        return None
    one = Played(played.onset, played.end, played.pitch, np.zeros_like(played.part), np.zeros(1, bool))
    group = attack_groups(one, beats)
    place = np.bincount(group, weights=played.onset) / np.bincount(group)
    beat = beats.beat_of(place)
    into = (place - beats.start[beat]) / beats.length[beat]
    inner = (into > 0.12) & (into < 0.88)
    number = np.bincount(beat[inner], minlength=len(beats.start))
    single = inner & (number[beat] == 1)
    usable = ~beats.compound[beat] & (beats.seconds[beat] < _LONG) & (beats.seconds[beat] > _SHORT)
    at = into[single & usable]
    late = at[(at > 0.53) & (at < 0.74)]
    third = np.unique(beat[inner & usable & (np.abs(into - 1 / 3) < 0.07)])
    fewest = 2 if wanted else _FEWEST
    if len(late) < fewest:
        return None
    share = float(np.median(late))
    steady = float(np.median(np.abs(late - share))) < 0.045
    usual = len(late) >= (0.3 if wanted else 0.6) * len(at)
    rare = wanted or len(third) <= _TRIPLETS * len(late)
    if not (_LOW <= share <= _HIGH and steady and usual and rare):
        return None
    swings = ~beats.compound.copy()
    swings[third] = False
    return Swing(swings, share)
