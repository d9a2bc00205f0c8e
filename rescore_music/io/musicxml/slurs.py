"""Slurs: over which notes each goes, and the number that tells it from others in MusicXML.

Where notes are flagged as slurred and no slur is marked, slurs are drawn over each run of such notes and the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rescore_music.io.notation.draft import ENDS_ON_GRACE, STARTS_ON_GRACE
from rescore_music.io.notation.snap import Snapped
from rescore_music.score import GRACE, Articulation, Mark, Score

MOST_NUMBERS = 16  # MusicXML's limit on slurs or lines open at once


class Slurs:
    """The slurs of one part: numbers by first note (`starts`) and last note (`stops`), and how many found no notes.

    Parameters
    ----------
    score : Score
    snapped : Snapped
    part : int
    marks : list of Mark
        Its slurs; drawn from the notes' flags where there are none.
    grace_order : dict
        Rank of a grace note in its group, for groups that do not rise.
    """

    def __init__(
        self, score: Score, snapped: Snapped, part: int, marks: list[Mark], grace_order: dict[int, list[int]]
    ) -> None:
        self.score, self.snapped, self.part, self.grace_order = score, snapped, part, grace_order
        self.index = score.part_notes(part)
        notes = score.notes[self.index]
        self._onset, self._voice, self._staff = notes["onset"], notes["voice"], notes["staff"]
        self._flags = notes["articulation"]
        self.starts: dict[int, list[int]] = defaultdict(list)
        self.stops: dict[int, list[int]] = defaultdict(list)
        self.lost = 0
        self._number(marks or self._derived())

    def _derived(self) -> list[Mark]:
        """Slurs over runs of notes flagged SLURRED and the note after each run, voice by voice."""
        flags = self._flags
        if not np.any(flags & int(Articulation.SLURRED)):
            return []
        ends = self._onset + self.score.notes["duration"][self.index]
        out = []
        for key in np.unique(self._voice.astype(np.int64) * 256 + self._staff):
            mine = np.flatnonzero((self._voice.astype(np.int64) * 256 + self._staff == key) & (flags & GRACE == 0))
            onsets, first = np.unique(self._onset[mine], return_index=True)
            joined = [bool(f & int(Articulation.SLURRED)) for f in np.bitwise_or.reduceat(flags[mine], first)]
            start = -1
            for i, tick in enumerate(onsets):
                if joined[i] and start < 0:
                    start = int(tick)
                elif not joined[i] and start >= 0:
                    end = int(ends[mine[first[i]]])
                    out.append(Mark(start, "slur", "", self.part, end, int(key % 256), int(key // 256)))
                    start = -1
        return out

    def _number(self, slurs: list[Mark]) -> None:
        usable = []
        for m in slurs:
            first, last = self._ends(m)
            if first is None or last is None or first == last:
                self.lost += 1
            else:
                usable.append((m, first, last))
        for number, (_, first, last) in self._numbers(usable):
            self.starts[first].append(number)
            self.stops[last].append(number)

    def _numbers(self, usable: list[tuple[Mark, int, int]]) -> Iterable[tuple[int, tuple[Mark, int, int]]]:
        """A number for each slur: free for its own voice when it has ended, for the others from the next bar on.

        Voices are written one after the other, bar by bar: a reader meets a slur of another voice out of time.
        """
        edges = self.score.bars
        holders: list[tuple[int, int, int]] = []  # voice, end, end of its last bar
        for item in sorted(usable, key=lambda u: (u[0].tick, u[0].end)):
            m = item[0]
            free = (
                k
                for k, (voice, end, bar) in enumerate(holders)
                if bar <= m.tick or (voice == m.voice and end <= m.tick)
            )
            number = next(free, len(holders))
            if number >= MOST_NUMBERS:
                self.lost += 1
                continue
            bar = int(edges[min(int(np.searchsorted(edges, m.end)), len(edges) - 1)])
            holders[number : number + 1] = [(m.voice, m.end, max(bar, m.tick + 1))]
            yield number + 1, item

    def _ends(self, m: Mark) -> tuple[int | None, int | None]:
        """First and last note under a slur."""
        a, b = np.searchsorted(self._onset, [m.tick, max(m.end, m.tick) + 1])
        span = np.arange(a, b)
        span = span[~self.snapped.dropped[self.index[span]]]
        mine = span[self._voice[span] == m.voice]
        if len(mine) < 2:
            mine = span[self._staff[span] == m.staff]
        if len(mine) < 2:
            mine = span
        grace = (self._flags[mine] & GRACE) != 0
        value = int(m.value)
        heads = mine[grace == bool(value & STARTS_ON_GRACE)]
        if value & ENDS_ON_GRACE:
            tails = mine[grace & (self._onset[mine] <= m.end)]
        else:
            tails = mine[~grace & (self._onset[mine] < m.end)]
        if not len(heads) or not len(tails):
            return None, None
        head = self._first_grace(heads) if value & STARTS_ON_GRACE else int(heads[0])
        tail = int(tails[-1])
        if value & ENDS_ON_GRACE:
            tail = self._last_grace(tails)
        if self._onset[head] == self._onset[tail] and not value:
            return None, None
        return int(self.index[head]), int(self.index[tail])

    def _first_grace(self, heads: npt.NDArray[np.int64]) -> int:
        same = heads[self._onset[heads] == self._onset[heads[0]]]
        return int(min(same, key=lambda i: (self.grace_order.get(int(self.index[i]), [99])[0], i)))

    def _last_grace(self, tails: npt.NDArray[np.int64]) -> int:
        same = tails[self._onset[tails] == self._onset[tails[-1]]]
        return int(max(same, key=lambda i: (self.grace_order.get(int(self.index[i]), [-1])[0], i)))
