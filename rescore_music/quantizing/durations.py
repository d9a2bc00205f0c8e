"""Note values: where a played note is written to end.

Players rarely hold a note for its written value. A note is written to the next onset of its part where it sounded for
a good share of the way (staccato playing does not make rests), back to an onset that it overlaps by a little (legato
does not make ties), or else to the nearest simple place of the beat, divided as the onsets divide it. Values that a
single note head can say cost less than those that need a tie. Notes struck together end together when they nearly do;
no note outlasts the next stroke of its own pitch; a part that plays one note at a time is written so. A percussion
note lasts to the next one, at most to the end of its beat.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.played import BeatGrid, Played

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_SHORTENED = 0.62  # cost of a note that sounds none of the way to the next onset; its square counts
_DETACHED = 0.42  # the least share of the way it has to sound
_OVERLAP = 1.6  # cost of a beat of overlap that is cut
_PLACES = ((1, 0.12), (2, 0.25), (4, 0.42), (3, 0.42), (6, 0.55))  # divisions of the beat, cost
_TIED, _DOTTED = 0.12, 0.05  # a value that takes a tie, a dot
_BAND, _REACH = 4, 11  # semitones: notes are compared in bands of pitch; how near a note of the same voice may be
_LINE = 0.03  # share of overlaps up to which a part plays one note at a time


def written_ends(played: Played, onset: Ints, unit: Ints, beats: BeatGrid) -> Ints:
    """Notated end of each note, given notated onsets and the division (ticks) each stands on."""
    out = onset + 1
    ternary = np.zeros(len(beats.start), bool)
    for part in np.unique(played.part):
        mine = np.flatnonzero(played.part == part)
        one = played.take(mine)
        if played.drums[part]:
            out[mine] = _drum_ends(onset[mine], beats)
            continue
        ternary[:] = beats.compound
        beat = beats.beat_of(onset[mine])
        ternary[beat] = beats.length[beat] // np.maximum(unit[mine], 1) % 3 == 0
        ends = _nearest_ends(one, onset[mine], unit[mine], beats, ternary)
        ends = _together(onset[mine], ends, beats.quarter)
        out[mine] = _no_overlap(one.pitch, onset[mine], ends)
    return out


def _drum_ends(onset: Ints, beats: BeatGrid) -> Ints:
    following = _following(onset, beats.end)
    beat = beats.beat_of(onset)
    return np.asarray(np.maximum(np.minimum(following, beats.start[beat] + beats.length[beat]), onset + 1), np.int64)


def _following(onset: Ints, end: int) -> Ints:
    """The part's next onset after each note's."""
    unique = np.unique(onset)
    return np.asarray(np.append(unique, max(end, int(unique[-1]) + 1))[np.searchsorted(unique, onset, side="right")])


def _nearest_ends(played: Played, onset: Ints, unit: Ints, beats: BeatGrid, ternary: Flags) -> Ints:
    following = _following(onset, beats.end)
    late = np.maximum(played.end, onset + 1.0)
    single = _single_line(late, following, onset)
    late = np.where(single, np.minimum(late, following), late)
    home = beats.beat_of(late)
    base, beat = beats.start[home], beats.length[home].astype(np.float64)
    before, after = _neighbours(onset, late, np.zeros_like(onset) if single else played.pitch, beats.end)
    share = (late - onset) / np.maximum(after - onset, 1)
    near = (after - late <= 0.5 * beat) | (share >= _DETACHED)
    candidates = [
        (after, _SHORTENED * (1 - np.minimum(share, 1.0)) ** 1.5, near),
        (before, _OVERLAP * (late - before) / beat, late - before <= 0.3 * beat),
    ]
    into = (late - base) / beat
    for divisions, cost in _PLACES:
        place = base + np.rint(np.rint(into * divisions) / divisions * beat).astype(np.int64)
        allowed = np.full(len(late), True) if divisions == 1 else ternary[home] == (divisions % 3 == 0)
        candidates.append((place, np.abs(place - late) / beat + cost, allowed))
    places = np.stack([c[0] for c in candidates])
    costs = np.stack([np.where(c[2] & (c[0] > onset), c[1], np.inf) for c in candidates])
    costs = costs + _value_cost(places - onset, beats.quarter)
    best = costs.argmin(axis=0)
    rows = np.arange(len(onset))
    chosen = np.where(np.isfinite(costs[best, rows]), places[best, rows], np.minimum(onset + unit, following))
    return np.asarray(np.minimum(np.maximum(chosen, onset + 1), beats.end), np.int64)


def _neighbours(onset: Ints, late: Floats, pitch: Ints, end: int) -> tuple[Ints, Ints]:
    """The last onset before each end and the first one after it, among notes near in pitch: those of its own voice."""
    before, after = onset.copy(), np.full(len(onset), end, np.int64)
    band = pitch // _BAND
    for number in np.unique(band):
        mine = np.flatnonzero(band == number)
        centre = number * _BAND + _BAND // 2
        edge = np.append(np.unique(onset[np.abs(pitch - centre) <= _REACH]), end)
        after[mine] = edge[np.minimum(np.searchsorted(edge, late[mine], side="left"), len(edge) - 1)]
        before[mine] = edge[np.maximum(np.searchsorted(edge, late[mine], side="right") - 1, 0)]
    return before, after


def _value_cost(ticks: Ints, quarter: int) -> Floats:
    """What a length costs: nothing for a plain value or a member of a triplet, a little dotted, more with a tie."""
    out = np.full(ticks.shape, _TIED)
    for power in range(-3, 3):
        value = quarter * 2.0**power
        for factor, cost in ((1.75, _DOTTED), (1.5, _DOTTED), (2 / 3, 0.0), (1.0, 0.0)):
            out[np.abs(ticks - value * factor) < 0.5] = cost
    return out


def _single_line(late: Floats, following: Ints, onset: Ints) -> bool:
    """Whether a part plays one note at a time, but for legato overlaps."""
    over = late - following > 0.3 * np.maximum(following - onset, 1)
    chords = len(onset) - len(np.unique(onset))
    return bool(over.mean() < _LINE) and chords < 0.1 * len(onset)


def _together(onset: Ints, ends: Ints, quarter: int) -> Ints:
    """Notes struck together that end within half a quarter of their upper median end there."""
    order = np.lexsort((ends, onset))
    _, first, count = np.unique(onset[order], return_index=True, return_counts=True)
    median = ends[order][first + count // 2]
    goal = np.empty(len(onset), np.int64)
    goal[order] = np.repeat(median, count)
    return np.where(np.abs(goal - ends) <= quarter // 2, goal, ends)


def _no_overlap(pitch: Ints, onset: Ints, ends: Ints) -> Ints:
    """A note ends, at the latest, where its own pitch is struck again."""
    order = np.lexsort((onset, pitch))
    out = ends.copy()
    a, b = order[:-1], order[1:]
    cut = (pitch[a] == pitch[b]) & (onset[b] > onset[a]) & (out[a] > onset[b])
    out[a[cut]] = onset[b[cut]]
    return out
