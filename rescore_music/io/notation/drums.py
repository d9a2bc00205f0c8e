"""Drum parts on paper: two voices, hands with stems up and feet with stems down, and values that leave few rests.

In a bar where hands and feet never strike together one voice holds both.

A drum sounds as long as it likes; what is written is when it is struck. So a stroke's value lasts to the next stroke of
its voice, at most to the end of its beat, unless the part itself holds it longer (a cymbal left ringing) or rolls.

References
----------
Weinberg, N. (1998). Guidelines for drumset notation. Percussive Notes, 36(3), 15-26.
Gould, E. (2011). Behind Bars, "Percussion": two-voice notation, values of struck instruments.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.io.notation.snap import Snapped
from rescore_music.io.notation.voices import TIE_IN, Fragments
from rescore_music.score import Articulation, Score

Ints = npt.NDArray[np.int64]

FEET = (35, 36, 44)  # bass drums and the hi-hat's pedal, General MIDI
HANDS_VOICE, FEET_VOICE = 1, 2
STEMS = {HANDS_VOICE: "up", FEET_VOICE: "down"}
KIT = 3  # different drums from which on a part is a kit, its feet apart


def drum_fragments(score: Score, snapped: Snapped, columns: Fragments) -> Fragments:
    """The strokes of an unpitched part in their voices, each in the bar it is struck in.

    Parameters
    ----------
    score : Score
    snapped : Snapped
    columns : Fragments
        Of that part, as `voices.fragments` gives them.

    Returns
    -------
    Fragments
        Rolls keep their tied values; every other stroke is one fragment.
    """
    if not len(columns.note):
        return columns
    rolls = (score.notes["articulation"][columns.note] & int(Articulation.TREMOLO)) != 0
    kept = np.flatnonzero(rolls | (columns.ties & TIE_IN == 0))
    note, bar, start, end = (c[kept] for c in (columns.note, columns.bar, columns.start, columns.end))
    ties = np.where(rolls[kept], columns.ties[kept], 0)
    pitch = score.notes["pitch"][note].astype(np.int64)
    voice = np.full(len(note), HANDS_VOICE)
    if len(np.unique(pitch)) >= KIT:
        voice[np.isin(pitch, FEET) & np.isin(bar, _together(bar, start, np.isin(pitch, FEET)))] = FEET_VOICE
    for v in (HANDS_VOICE, FEET_VOICE):
        own = np.flatnonzero((voice == v) & ~rolls[kept])
        if len(own):
            every = np.flatnonzero(voice == v)
            end[own] = _ends(score, snapped, bar[own], start[own], end[own], (bar[every], start[every]))
    order = np.lexsort((pitch, start, voice, bar))
    staff = columns.staff[kept]
    return Fragments(*(np.asarray(c[order], np.int64) for c in (note, bar, start, end, ties, voice, staff)))


def _together(bar: Ints, start: Ints, feet: npt.NDArray[np.bool_]) -> Ints:
    """Bars in which hands and feet strike at once: elsewhere one voice shows the rhythm that they make together."""
    wide = int(start.max()) + 1
    places = bar * wide + start
    return np.unique(np.intersect1d(places[feet], places[~feet]) // wide)


def _ends(score: Score, snapped: Snapped, bar: Ints, start: Ints, end: Ints, strokes: tuple[Ints, Ints]) -> Ints:
    """Ends in ticks into the bar of one voice's strokes: the next stroke, the beat's end, or the shortest held one."""
    length = np.diff(snapped.bars)
    wide = int(length.max()) + 1
    places, group = np.unique(bar * wide + start, return_inverse=True)
    held = np.full(len(places), np.iinfo(np.int64).max)
    np.minimum.at(held, group, end)
    all_places = np.unique(strokes[0] * wide + strokes[1])
    after = np.append(all_places, np.iinfo(np.int64).max // 2)[np.searchsorted(all_places, places, side="right")]
    home, at = places // wide, places % wide
    following = np.where(after // wide == home, after % wide, length[home])
    ratio = snapped.resolution / score.ticks_per_quarter
    beat = np.array([max(round(score.beat_ticks(int(t)) * ratio), 1) for t in snapped.source[home]], np.int64)
    beat_end = np.minimum((at // beat + 1) * beat, length[home])
    return np.asarray(np.minimum(following, np.maximum(held, beat_end))[group], np.int64)
