"""In which order the segments of a score are played: its repeat signs read as a performer reads them."""

from __future__ import annotations

import re
from collections import Counter

from rescore_music.errors import ScoreError
from rescore_music.repeats.signs import Jumps, Region, is_repeat, regions_of
from rescore_music.score import Score

MOST_BARS = 100_000
_AGAIN = re.compile(r"\bcon\s+(rep|rip)|\bwith\s+repeats?\b", re.IGNORECASE)


def playing_order(score: Score, *, most_bars: int = MOST_BARS) -> tuple[tuple[int, int], ...]:
    """What is played, one stretch after the other.

    Parameters
    ----------
    score : Score
    most_bars : int
        How many bars may be played.

    Returns
    -------
    tuple of (start, end)
        In ticks of the score; what follows without a jump is one stretch.

    Raises
    ------
    ScoreError
        If more bars than `most_bars` are played.
    """
    edges, order, _ = order_of(score, most_bars)
    return tuple(spans_of(edges, order))


def spans_of(edges: list[int], order: list[int]) -> list[tuple[int, int]]:
    """Segments in playing order as (start, end), those that follow each other joined."""
    spans: list[tuple[int, int]] = []
    for segment in order:
        start, end = edges[segment], edges[segment + 1]
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def order_of(score: Score, most: int) -> tuple[list[int], list[int], Counter[str]]:
    """Edges of the segments, the segments in playing order, and what made no sense.

    Raises
    ------
    ScoreError
        If more segments than `most` are played.
    """
    log: Counter[str] = Counter()
    signs = [m for m in score.marks if m.kind == "barline" and is_repeat(m.text)]
    bars = score.bars
    end = max(int(bars[-1]), score.length)
    edges = sorted({0, *bars.tolist(), *(m.tick for m in signs if 0 < m.tick < end), end})
    regions = regions_of(signs, edges, log)
    jumps = Jumps([m for m in score.marks if m.kind == "jump"], edges, log)
    order = _Walk(regions, jumps, len(edges) - 1, most).order()
    if jumps.unused():
        log["a D.C. or D.S. that is never reached, ignored"] += jumps.unused()
    return edges, order, log


class _Walk:
    """A reading of the score from its first segment on: `passes` counts the passes of the repeats it is in."""

    def __init__(self, regions: list[Region], jumps: Jumps, count: int, most: int) -> None:
        self.regions, self.jumps, self.count, self.most = regions, jumps, count, most
        self.passes: dict[int, int] = {}
        self.played: set[int] = set()  # repeats that are not taken again after a jump
        self.text = ""  # of the jump after which it reads
        outer_first = sorted(range(len(regions)), key=lambda r: (regions[r].start, -regions[r].stop))
        self.opening: dict[int, list[int]] = {}
        for r in outer_first:
            self.opening.setdefault(regions[r].start, []).append(r)
        self.endings = {ending.first: (r, ending) for r in outer_first for ending in regions[r].endings}
        self.leaving = {ending.last: regions[r].stop for r in outer_first for ending in regions[r].endings}
        self.closing = {segment: r for r in outer_first for segment in regions[r].ends}

    def order(self) -> list[int]:
        """The segments as they are played."""
        order: list[int] = []
        segment = 0
        while 0 <= segment < self.count:
            for r in self.opening.get(segment, ()):
                self.passes.setdefault(r, self.regions[r].total if self.text and r in self.played else 1)
            if segment in self.endings:
                r, ending = self.endings[segment]
                if self._pass(r) not in ending.numbers:
                    segment = ending.last + 1
                    continue
            order.append(segment)
            if len(order) > self.most:
                raise ScoreError(f"unfolded, the score has more than {self.most:,} bars", cure="unfold less of it")
            segment = self._after(segment)
        return order

    def _pass(self, r: int) -> int:
        """The pass a repeat is in; its last where the reading came into its middle by a jump."""
        return self.passes.get(r, self.regions[r].total)

    def _after(self, segment: int) -> int:
        """The segment played after this one; -1 at Fine."""
        closed = self.closing.get(segment, -1)
        if closed >= 0 and self._pass(closed) < self.regions[closed].total:
            return self._again(closed)
        inside = any(number < self.regions[r].total for r, number in self.passes.items())
        after = max(segment + 1, self.leaving.get(segment, 0))
        for r in [r for r in self.passes if not self.regions[r].start <= after < self.regions[r].stop]:
            self.played.add(r)
            del self.passes[r]
        jumps = self.jumps
        if self.text and segment in jumps.fine and not jumps.passes_fine(self.text):
            return -1
        if self.text and segment in jumps.to_coda and jumps.goes_to_coda(self.text):
            self.text, self.passes = "", {}
            return jumps.coda
        if segment in jumps.back and segment not in jumps.used and not inside:
            jumps.used.add(segment)
            after, self.text = jumps.back[segment]
            self.passes = {}
            if _AGAIN.search(self.text):
                self.played.clear()
        return after

    def _again(self, closed: int) -> int:
        """Back to the beginning of a repeat; those inside it begin anew."""
        region = self.regions[closed]
        self.passes[closed] += 1
        for r in [r for r in self.passes if r != closed]:
            if region.start <= self.regions[r].start and self.regions[r].stop <= region.stop:
                del self.passes[r]
        return region.start
