"""Voices and staves on paper: who shares a stem, who goes to which staff.

In a notated part the source's voices stand. Elsewhere the notes of each staff and bar are packed into as few voices as
their overlaps need: notes with one onset and one end form a chord; each chord goes to a free voice, the one whose last
pitch is nearest; voices are then ranked by pitch, so the first is the upper one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.io.notation.hands import hands
from rescore_music.io.notation.snap import Snapped
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]

KEYBOARDS = frozenset({*range(0, 8), *range(16, 24), 46, 8, 9, 10, 11, 12, 13, 88, 89})
MOST_VOICES = 4  # a staff with more is tied together instead
TIE_IN, TIE_OUT = 1, 2


@dataclass(frozen=True, eq=False)
class Fragments:
    """The part of each note that lies in one bar. Columns of equal length, sorted by bar, voice, start, pitch.

    `note` indexes score.notes; `start` and `end` are ticks into the bar; `ties` has TIE_IN and TIE_OUT.
    """

    note: Ints
    bar: Ints
    start: Ints
    end: Ints
    ties: Ints
    voice: Ints
    staff: Ints


def staves_of(score: Score, snapped: Snapped, part: int) -> tuple[int, Ints]:
    """How many staves a part is written on, and each of its notes' staff.

    A keyboard part whose notes all stand on one staff, though they spread over both clefs, is divided between two
    where nobody has numbered its voices, as two hands would play it (`notation.hands`).
    """
    index = score.part_notes(part)
    staff = score.notes["staff"][index].astype(np.int64)
    p = score.parts[part]
    staves = max(p.staves, int(staff.max()) + 1 if len(staff) else 1)
    pitch = score.notes["pitch"][index].astype(np.int64)
    wide = len(pitch) > 1 and np.quantile(pitch, 0.1) < 58 and np.quantile(pitch, 0.9) > 64
    # where nobody numbered voices, two staves were only a split at a pitch
    unsplit = len(staff) > 0 and (int(staff.max()) == 0 or not score.notes["voice"][index].any())
    free = bool(snapped.performed[part]) or not score.notes["voice"][index].any()
    loose = free and not p.clefs and p.program in KEYBOARDS
    if p.percussion or not (unsplit and free) or not (staves == 2 or (staves == 1 and wide and loose)):
        return staves, staff
    return 2, hands(snapped.onset[index], snapped.end[index], pitch, snapped.resolution)


def fragments(score: Score, snapped: Snapped, part: int, staff: Ints) -> Fragments:
    """The written notes of a part, cut at bar lines, with voices; grace notes are not among them."""
    index = score.part_notes(part)
    keep = ~(snapped.grace[index] | snapped.dropped[index])
    index, staff = index[keep], staff[keep]
    onset, end, bars = snapped.onset[index], snapped.end[index], snapped.bars
    first = np.clip(np.searchsorted(bars, onset, side="right") - 1, 0, len(bars) - 2)
    last = np.clip(np.searchsorted(bars, end, side="left") - 1, first, len(bars) - 2)
    count = last - first + 1
    note = np.repeat(np.arange(len(index)), count)
    step = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count)
    bar = first[note] + step
    start = np.maximum(onset[note] - bars[bar], 0)
    stop = np.minimum(end[note], bars[bar + 1]) - bars[bar]
    ties = np.where(step > 0, TIE_IN, 0) | np.where(bar < last[note], TIE_OUT, 0)
    voice = score.notes["voice"][index].astype(np.int64)
    pitch = score.notes["pitch"][index].astype(np.int64)
    if _source_voices_stand(voice[note], bar, start, stop, bool(snapped.performed[part])):
        found = voice[note]
    else:
        found = _packed(bar, staff[note], start, stop, pitch[note])
    order = np.lexsort((pitch[note], start, found, bar))
    columns = (index[note], bar, start, stop, ties, found, staff[note])
    return Fragments(*(np.asarray(c[order], np.int64) for c in columns))


def _source_voices_stand(voice: Ints, bar: Ints, start: Ints, end: Ints, performed: bool) -> bool:
    """Whether the notes of each voice make chords in a row, but for a few that in-bar ties can write."""
    if performed or not len(voice) or voice.min() == 0:
        return False
    order = np.lexsort((end, start, voice, bar))
    a, b = order[:-1], order[1:]
    same = (bar[a] == bar[b]) & (voice[a] == voice[b])
    clash = same & (((start[b] == start[a]) & (end[b] != end[a])) | ((start[b] > start[a]) & (start[b] < end[a])))
    return int(clash.sum()) <= max(2, len(voice) // 20)


def _packed(bar: Ints, staff: Ints, start: Ints, end: Ints, pitch: Ints) -> Ints:
    """Voice numbers 1.. for staff 0, 5.. for staff 1 and so on, as few a bar as overlaps allow."""
    out = np.zeros(len(bar), np.int64)
    order = np.lexsort((-pitch, end, start, bar, staff))
    rows = np.stack([staff, bar, start, end, pitch], axis=1)[order].tolist()
    i = 0
    while i < len(rows):
        j = i
        while j < len(rows) and rows[j][:2] == rows[i][:2]:
            j += 1
        for k, voice in enumerate(_pack_bar(rows[i:j])):
            out[order[i + k]] = rows[i][0] * MOST_VOICES + 1 + voice
        i = j
    return out


def _pack_bar(rows: list[list[int]]) -> list[int]:
    """Voice 0.. of each (_, _, start, end, pitch) of one staff and bar, sorted by start, end, falling pitch."""
    free: list[int] = []
    height: list[float] = []
    total: list[list[int]] = []
    out: list[int] = []
    chord: tuple[int, int] | None = None
    for _, _, start, end, pitch in rows:
        if chord != (start, end):
            open_voices = [v for v in range(len(free)) if free[v] <= start]
            if open_voices:
                voice = min(open_voices, key=lambda v: (abs(height[v] - pitch), v))
            elif len(free) < MOST_VOICES:
                voice = len(free)
                free.append(0)
                height.append(0.0)
                total.append([])
            else:
                voice = MOST_VOICES - 1
            free[voice] = max(end, free[voice])
            chord = (start, end)
        height[voice] = float(pitch)
        total[voice].append(pitch)
        out.append(voice)
    if len(free) == 1:
        return out
    ranked = sorted(range(len(free)), key=lambda v: -sum(total[v]) / len(total[v]))
    rank = {v: i for i, v in enumerate(ranked)}
    return [rank[v] for v in out]
