"""Time to note values: how one voice of one bar is written. Tied values, tuplets, beams.

`layout` takes the events of a bar (notes and rests that tile it) and returns the pieces to print. Conventions: times
are ticks from the start of the bar, events are (start, end, is_rest).

The rules are those of printed music: a note may hide a metrical boundary only if it begins or ends on one at least as
strong, or is a plain value placed symmetrically about it (eighth, quarter, eighth); rests hide less than notes do;
compound beats are never bridged by undotted values, nor is the seam between the groups of an uneven meter (5/4 as 3+2,
7/8 as 4+3); a tuplet fills the smallest metrical span that no note with an
end off the binary grid crosses. Positions are ranked 0 bar line, 1 middle of the bar, 2 beat, 3 and on by division.

References
----------
Gould, E. (2011). Behind Bars, "Rhythm" and "Tuplets". Faber.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

KINDS = ("long", "breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th", "256th")
FINE = 256  # inner ticks per tick: every value down to the 256th is whole at any resolution from 1 up
OFF_GRID = 99
_ODD = (3, 5, 7, 9, 11, 13, 15, 17, 19, 21)
_FLAGS = {kind: i for i, kind in enumerate(KINDS[5:], 1)}

Event = tuple[int, int, bool]


class Piece(NamedTuple):
    """One printed note value or rest.

    `event` is the index of the event it writes (several pieces of one note are tied); `actual`:`normal` the tuplet
    ratio with `unit` its note kind; `bracket` "start", "stop" or ""; `beams` one entry a beam level.
    """

    event: int
    start: int
    ticks: int
    kind: str
    dots: int
    actual: int = 1
    normal: int = 1
    unit: str = ""
    bracket: str = ""
    beams: tuple[str, ...] = ()


def note_value(ticks: int, quarter: int) -> tuple[str, int] | None:
    """(kind, dots) of a duration with up to two dots, or None where no single value lasts so long."""
    return _value(ticks * FINE, quarter * FINE)


@lru_cache(maxsize=4096)
def _value(ticks: int, quarter: int) -> tuple[str, int] | None:
    for i, kind in enumerate(KINDS):
        base_numerator = 16 * quarter  # a long; halved i times
        for dots, (up, down) in enumerate(((1, 1), (3, 2), (7, 4))):
            if ticks * down << i == base_numerator * up:
                return kind, dots
    return None


class Meter:
    """The ranks of positions in a bar. All times in inner ticks."""

    def __init__(self, numerator: int, denominator: int, quarter: int, length: int, shift: int) -> None:
        self.length, self.shift, self.quarter = length, shift, quarter
        unit = 4 * quarter // denominator
        self.compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0
        self.beat = 3 * unit if self.compound else unit
        beats = numerator // 3 if self.compound else numerator
        self.middles = [self.beat * m for m in _middles(beats)]
        self.uneven = beats in (5, 7)  # 3+2, 4+3: the seam between the groups is always seen
        self.full = self.beat * beats
        self.division = unit if self.compound else self.beat // 2
        self.denominator, self.numerator, self.unit = denominator, numerator, unit

    def level(self, at: int) -> int:
        """Rank of a position; OFF_GRID where it is no binary (in compound beats: ternary, then binary) division."""
        if at in (0, self.length):
            return 0
        place = at + self.shift
        if place % self.full == 0:
            return 0
        if place % self.full in self.middles:
            return 1
        if place % self.beat == 0:
            return 2
        step = self.division
        for rank in range(3, 12):
            if step and place % step == 0:
                return rank
            if step % 2:
                break
            step //= 2
        return OFF_GRID

    def inner(self, start: int, end: int) -> tuple[int, list[int]]:
        """The strongest boundaries strictly inside a span: their rank and places."""
        low, high = start + self.shift, end + self.shift
        places = list(range((low // self.full + 1) * self.full, high, self.full))
        if places:
            return 0, [p - self.shift for p in places]
        base = low // self.full * self.full
        places = [base + m for m in self.middles if low < base + m < high]
        if places:
            return 1, [p - self.shift for p in places]
        step, rank = self.beat, 2
        while rank < 12 and step:
            first = (low // step + 1) * step
            if first < high:
                return rank, [p - self.shift for p in range(first, high, step)]
            if rank >= 3 and step % 2:
                break
            step = self.division if rank == 2 else step // 2
            rank += 1
        return OFF_GRID, []


def _middles(beats: int) -> tuple[int, ...]:
    if beats in (2, 3):
        return ()
    if beats % 2 == 0:
        return (beats // 2,) if beats > 2 else ()
    if beats == 5:
        return (3,)
    if beats == 7:
        return (4,)
    return tuple(range(3, beats, 3)) if beats % 3 == 0 else ()


@lru_cache(maxsize=32768)
def layout(
    events: tuple[Event, ...], length: int, numerator: int, denominator: int, quarter: int, shift: int = 0
) -> tuple[Piece, ...] | None:
    """How the events of one voice are written.

    Parameters
    ----------
    events : tuple of (start, end, is_rest)
        In ticks, tiling [0, length).
    length : int
        Ticks of the bar.
    numerator, denominator : int
        The meter.
    quarter : int
        Ticks per quarter.
    shift : int
        Where in a full bar this one begins (a pickup of one quarter in 4/4: three quarters).

    Returns
    -------
    tuple of Piece, or None
        None where some duration cannot be written at all; snap the events first (see `notation.snap`).
    """
    meter = Meter(numerator, denominator, quarter * FINE, length * FINE, shift * FINE)
    fine = [(a * FINE, b * FINE, rest) for a, b, rest in events]
    pieces: list[Piece] = []
    for start, end, tuplet in _regions(meter, fine):
        more = _write_tuplet(meter, fine, start, end) if tuplet else _write_plain(meter, fine, start, end)
        if more is None:
            return None
        pieces += more
    rests = [rest for _, _, rest in events]
    return tuple(_beamed(pieces, rests, meter))


# -- tuplet spans ------------------------------------------------------------------------------------------------------


def _regions(meter: Meter, events: list[Event]) -> list[tuple[int, int, bool]]:
    """The bar cut into plain regions and tuplet spans."""
    if all(meter.level(a) < OFF_GRID and meter.level(b) < OFF_GRID for a, b, _ in events):
        return [(0, meter.length, False)]
    out: list[tuple[int, int, bool]] = []
    for span in _spans(meter, events, 0, meter.length):
        if out and not span[2] and not out[-1][2]:
            out[-1] = (out[-1][0], span[1], False)
        else:
            out.append(span)
    return out


def _spans(meter: Meter, events: list[Event], start: int, end: int) -> list[tuple[int, int, bool]]:
    inside = [e for e in events if e[0] < end and e[1] > start]
    points = [p for e in inside for p in e[:2] if start < p < end]
    if all(meter.level(p) < OFF_GRID for p in points):
        return [(start, end, False)]
    rank, bounds = meter.inner(start, end)
    third = (end - start) // 3
    thirds = {start + third, end - third}
    if rank >= 3 and ((len(inside) < 6 and thirds <= set(points)) or set(points) <= thirds):
        return [(start, end, True)]  # a triplet with divided or joined members, not two shorter triplets
    blocked = [
        any(
            a < c < b and (meter.level(a) == OFF_GRID or meter.level(b) == OFF_GRID)
            for a, b, rest in inside
            if not rest
        )
        for c in bounds
    ]
    if not bounds:
        return [(start, end, True)]
    out: list[tuple[int, int, bool]] = []
    cells: list[tuple[int, int]] = []
    edge = start
    for c, shut in zip([*bounds, end], [*blocked, False], strict=True):
        cells.append((edge, c))
        edge = c
        if shut:
            continue
        first, last = cells[0][0], cells[-1][1]
        if len(cells) > 1 and _joins(meter, events, first, last):
            out.append((first, last, True))
        else:  # no tuplet holds these cells together: a note that crosses from one to the next is tied
            out += [span for cell in cells for span in _spans(meter, events, *cell)]
        cells = []
    return out


def _joins(meter: Meter, events: list[Event], start: int, end: int) -> bool:
    """Whether several cells make one tuplet: 3, 5 or 7 whose members stand undivided; else ties read better."""
    ratio = _ratio(meter, events, start, end, 1)
    return ratio is not None and ratio[0] <= 7


def _ratio(meter: Meter, events: list[Event], start: int, end: int, divided: int = 8) -> tuple[int, int] | None:
    """actual:normal of a tuplet that fills the span: the smallest whose members, divided, all points fit."""
    span = end - start
    value = _value(span, meter.quarter)
    if value is None or value[1] > 1:
        return None
    points = [min(max(p, start), end) - start for e in events if e[0] < end and e[1] > start for p in e[:2]]
    for odd in _ODD:
        if value[1] and odd == 3:
            continue  # three in a dotted span is no tuplet
        if all(p * odd * divided % span == 0 for p in points):
            base = 3 if value[1] else 1
            while base * 2 < odd:
                base *= 2
            return odd, base
    return None


def _write_tuplet(meter: Meter, events: list[Event], start: int, end: int) -> list[Piece] | None:
    ratio = _ratio(meter, events, start, end)
    if ratio is None:
        return None
    actual, normal = ratio
    unit = _value((end - start) // normal, meter.quarter)
    if unit is None:
        return None
    out: list[Piece] = []
    for index, (a, b, _) in enumerate(events):
        a, b = max(a, start), min(b, end)
        while a < b:
            written = (b - a) * actual // normal
            value = _value(written, meter.quarter)
            ticks = b - a
            if value is None or value[1] > 1:
                value, written = _largest(written, meter.quarter)
                ticks = written * normal // actual
                if value is None or not ticks:
                    return None
            out.append(Piece(index, a // FINE, ticks // FINE, value[0], value[1], actual, normal, unit[0]))
            a += ticks
    if out:
        out[0] = out[0]._replace(bracket="start")
        out[-1] = out[-1]._replace(bracket="stop" if len(out) > 1 else "")
    return out


def _largest(ticks: int, quarter: int) -> tuple[tuple[str, int] | None, int]:
    """The longest undotted value that fits."""
    for i, kind in enumerate(KINDS):
        base = 16 * quarter >> i
        if base and base <= ticks and (16 * quarter) % (1 << i) == 0:
            return (kind, 0), base
    return None, 0


# -- plain values ------------------------------------------------------------------------------------------------------


def _write_plain(meter: Meter, events: list[Event], start: int, end: int) -> list[Piece] | None:
    out: list[Piece] = []
    for index, (a, b, rest) in enumerate(events):
        a, b = max(a, start), min(b, end)
        if a >= b:
            continue
        pieces = _split(meter, a, b, rest)
        if pieces is None:
            return None
        for p, q, (kind, dots) in pieces:
            out.append(Piece(index, p // FINE, (q - p) // FINE, kind, dots))
    return out


def _split(meter: Meter, a: int, b: int, rest: bool) -> list[tuple[int, int, tuple[str, int]]] | None:
    out: list[tuple[int, int, tuple[str, int]]] = []
    todo = [(a, b)]  # a stack, not recursion: a damaged file's bar may hold thousands of beats
    while todo:
        a, b = todo.pop()
        value = _value(b - a, meter.quarter)
        rank, places = meter.inner(a, b)
        if value is not None and (not places or _may_bridge(meter, a, b, rank, value[1], rest)):
            out.append((a, b, value))
        elif not places:
            return None
        else:
            cut = places[-1] if meter.level(a) <= rank else places[0]
            todo += [(cut, b), (a, cut)]
    return out


def _may_bridge(meter: Meter, a: int, b: int, rank: int, dots: int, rest: bool) -> bool:
    """Whether one value may hide the inner boundaries of this rank."""
    begins, ends = meter.level(a), meter.level(b)
    if meter.uneven and rank == 1:
        return False
    if rest:
        if dots and not (dots == 1 and meter.compound and begins <= 2 and ends <= 2):
            return False
        return begins < rank and (ends < rank or (meter.compound and rank == 3 and begins <= 2))
    if meter.compound and rank <= 2:
        return begins <= 2 and ends <= 2
    if dots == 2:
        return begins <= min(rank, 2)
    if begins <= rank or ends <= rank:
        return True
    return dots == 0 and begins == ends == rank + 1


# -- beams -------------------------------------------------------------------------------------------------------------


def _groups(meter: Meter) -> list[int]:
    """Where beams break, before pairs of beats are joined."""
    if meter.denominator <= 4:
        return list(range(0, meter.full, meter.quarter))
    if meter.compound:
        return list(range(0, meter.full, meter.beat))
    return [0, *meter.middles]


def _joinable(meter: Meter, beats: int) -> list[tuple[int, ...]]:
    """Beats (from 1) whose eighths share a beam where they are nothing but eighths: halves of a bar, a bar of three."""
    if meter.denominator > 4:
        return []
    if meter.numerator == 3 and beats == 3:
        return [(2, 3), (1, 2), (1, 2, 3)]
    if meter.numerator % 2 == 0:
        return [(first, first + 1) for first in range(1, beats, 2)]
    return []


def _beamed(pieces: list[Piece], rests: list[bool], meter: Meter) -> list[Piece]:
    """The pieces with their beams: within a beat, eighths of a half bar (in 3/4 of the bar) together."""
    edges = _groups(meter)
    home: list[tuple[int, int]] = []
    span = 0
    for piece in pieces:
        place = (piece.start * FINE + meter.shift) % meter.full if meter.full else 0
        home.append((sum(1 for e in edges if e <= place), 0))
        if piece.actual > 1:
            span += piece.bracket == "start"
            home[-1] = (-span, 0)
    for beats in _joinable(meter, len(edges)):
        members = [i for i, h in enumerate(home) if h[0] in beats]
        whole = sum(pieces[i].ticks for i in members) * FINE == len(beats) * meter.beat
        plain = [pieces[i].kind == "eighth" and not pieces[i].dots and not rests[pieces[i].event] for i in members]
        if whole and all(plain):
            for i in members:
                home[i] = (beats[0], 0)
    out = list(pieces)
    i = 0
    while i < len(out):
        j = i
        while j < len(out) and home[j] == home[i] and out[j].kind in _FLAGS and not rests[out[j].event]:
            j += 1
        if j - i > 1:
            flags = [_FLAGS[p.kind] for p in out[i:j]]
            for k in range(i, j):
                out[k] = out[k]._replace(beams=beam_types(flags, k - i))
        i = max(j, i + 1)
    return out


def beam_types(flags: list[int], k: int) -> tuple[str, ...]:
    """Beam types of note k in a group whose notes have so many flags, from the primary beam on."""
    out = []
    for rank in range(1, flags[k] + 1):
        before = k > 0 and flags[k - 1] >= rank
        after = k + 1 < len(flags) and flags[k + 1] >= rank
        if before and after:
            out.append("continue")
        elif before:
            out.append("end")
        elif after:
            out.append("begin")
        else:
            out.append("forward hook" if k == 0 else "backward hook")
    return tuple(out)
