"""The signs of repetition as values: endings, what is repeated, and jumps, by segments of the score."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from rescore_music.elements import Mark

_CAPO = re.compile(r"\bd\.?\s*c\b|\bda\s*capo\b", re.IGNORECASE)
_SEGNO = re.compile(r"\bd\.?\s*s\b|\bd[ae]l\s*segno\b", re.IGNORECASE)
_TO_CODA = re.compile(r"\bto\]?\s*coda\b", re.IGNORECASE)
_FINE = re.compile(r"\bfine\b", re.IGNORECASE)


@dataclass
class Ending:
    """A volta bracket over segments first..last, played in the passes of these numbers."""

    first: int
    last: int
    numbers: frozenset[int]


@dataclass
class Region:
    """What is repeated: segments start..stop-1, `total` times, going back at the end of each segment of `ends`."""

    start: int
    stop: int
    total: int
    ends: frozenset[int]
    endings: tuple[Ending, ...]


def is_repeat(text: str) -> bool:
    """Whether a bar line's text is a repeat sign or an ending."""
    return text.startswith(("repeat-", "ending-"))


def _numbers(text: str) -> frozenset[int]:
    """Passes an ending is played in: "1, 2", "1-3", "2."; the empty set where it says none."""
    out: set[int] = set()
    for first, last in re.findall(r"(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?", text):
        out.update(range(int(first), int(last or first) + 1))
    return frozenset(out - {0})


def _endings(signs: list[Mark], index: dict[int, int], last: int, log: Counter[str]) -> list[Ending]:
    """Volta brackets in score order; one that is not closed ends where the next begins, or with its bar."""
    starts = sorted({(index[m.tick], m.text.partition(":")[2]) for m in signs if m.text.startswith("ending-start")})
    stops = sorted({index[m.tick] - 1 for m in signs if m.text.startswith(("ending-stop", "ending-discontinue"))})
    out: list[Ending] = []
    for k, (first, text) in enumerate(starts):
        numbers = _numbers(text)
        if not numbers:
            log["endings without a number, ignored"] += 1
            continue
        following = starts[k + 1][0] if k + 1 < len(starts) else last + 1
        stop = next((s for s in stops if s >= first), -1)
        if stop < 0 or stop >= following > first:
            log["endings that are not closed, taken as one bar"] += 1
            stop = min(first, last)
        if out and first <= out[-1].last:
            log["endings that overlap, the later ignored"] += 1
            continue
        out.append(Ending(first, min(stop, last), numbers))
    opened = {first for first, _ in starts}
    log["endings that end without beginning, ignored"] += sum(
        1 for s in stops if not any(e.first <= s <= e.last for e in out) and s not in opened
    )
    return out


def regions_of(signs: list[Mark], edges: list[int], log: Counter[str]) -> list[Region]:
    """What is repeated, each region after those inside it."""
    index = {tick: i for i, tick in enumerate(edges)}
    signs = [m for m in signs if m.tick in index]
    last = len(edges) - 2
    begins = {index[m.tick] for m in signs if m.text == "repeat-start" and index[m.tick] <= last}
    ends = {index[m.tick] - 1: max(int(m.value), 2) for m in signs if m.text == "repeat-end" and index[m.tick] > 0}
    endings = _endings(signs, index, last, log)
    out: list[Region] = []
    stack: list[int] = []
    base = segment = 0
    while segment <= last:
        if segment in begins:
            stack.append(segment)
        group = _group(endings, segment, ends)
        if group and min(group[0].numbers) > 1:
            log["endings whose numbers make no sense, played straight"] += len(group)
            ends.pop(group[-1].last, None)
        elif group and not any(e.last in ends for e in group):
            log["endings without a repeat, played straight"] += len(group)
        elif group:
            start = stack.pop() if stack else base
            out.append(_with_endings(start, group, ends))
            if not stack:
                base = out[-1].stop
            segment = out[-1].stop
            continue
        if segment in ends:
            start = stack.pop() if stack else base
            out.append(Region(start, segment + 1, ends[segment], frozenset({segment}), ()))
            if not stack:
                base = segment + 1
        segment += 1
    if stack:
        log["repeats that begin and never end, played once"] += len(stack)
    return out


def _group(endings: list[Ending], segment: int, ends: dict[int, int]) -> list[Ending]:
    """The endings that follow each other from this segment on, with rising numbers."""
    group: list[Ending] = []
    for e in endings:
        if e.first == (group[-1].last + 1 if group else segment) and (
            not group or (min(e.numbers) > max(group[-1].numbers) and group[-1].last in ends)
        ):
            group.append(e)
    return group


def _with_endings(start: int, group: list[Ending], ends: dict[int, int]) -> Region:
    most = max(max(e.numbers) for e in group)
    if len(group) == 1 and group[0].last in ends:  # what follows the only bracket is the last ending
        most = max(most + 1, ends[group[0].last])
    backs = frozenset(e.last for e in group if e.last in ends)
    return Region(start, group[-1].last + 1, most, backs, tuple(group))


class Jumps:
    """D.C., D.S., Fine and codas by segment: what acts at its end, and where the signs are."""

    def __init__(self, marks: list[Mark], edges: list[int], log: Counter[str]) -> None:
        self.fine: set[int] = set()
        self.to_coda: set[int] = set()
        self.back: dict[int, tuple[int, str]] = {}  # segment -> target, text
        self.used: set[int] = set()
        ticks = np.array(edges)
        # a sign stands where its segment begins, a word where it ends
        at = {m: min(int(np.searchsorted(ticks, m.tick, side="right")) - 1, len(edges) - 2) for m in marks}
        closing = {m: max(int(np.searchsorted(ticks, m.tick, side="left")) - 1, 0) for m in marks}
        segni = sorted(at[m] for m in marks if m.text == "segno")
        codas = sorted(at[m] for m in marks if m.text == "coda")
        for m in marks:
            if _CAPO.search(m.text) or _SEGNO.search(m.text):
                here = closing[m]
                before = [s for s in segni if s <= here]
                if _SEGNO.search(m.text) and not before:
                    log["a D.S. without a segno, ignored"] += 1
                    continue
                self.back[here] = (before[-1] if _SEGNO.search(m.text) else 0, m.text)
            elif _TO_CODA.search(m.text):
                self.to_coda.add(closing[m])
            elif _FINE.search(m.text):
                self.fine.add(closing[m])
        if len(codas) > 1 and not self.to_coda:
            self.to_coda = {max(codas[0] - 1, 0)}
        self.coda = codas[-1] if codas else -1
        if self.to_coda and self.coda < 0:
            log["a jump to a coda that is not there, ignored"] += 1
            self.to_coda = set()
        if self.back and not self.fine and self.coda < 0:
            log["a D.C. or D.S. without Fine, played to the end"] += 1

    def unused(self) -> int:
        """How many jumps back were never taken."""
        return len(self.back) - len(self.used)

    def goes_to_coda(self, text: str) -> bool:
        """Whether the reading after a jump with this text leaves for the coda."""
        return "coda" in text.lower() or (not _FINE.search(text) and not self.fine)

    def passes_fine(self, text: str) -> bool:
        """Whether the reading after a jump with this text goes on at Fine: it is bound for the coda."""
        return "coda" in text.lower() and not _FINE.search(text)
