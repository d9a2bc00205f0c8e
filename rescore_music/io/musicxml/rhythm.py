"""A voice of one bar as events: chords and rests in a row, cut where notes overlap or grace notes stand inside them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import pairwise

from rescore_music.io.notation.values import Piece, note_value
from rescore_music.io.notation.voices import TIE_IN, TIE_OUT

Event = tuple[int, int, list[tuple[int, int]]]  # start, end, (note, tie bits); an empty list is a rest
# durations that no metrical layout holds: tuplet ratios tried on the single note
_RATIOS = (
    (1, 1),
    (3, 2),
    (5, 4),
    (7, 4),
    (9, 8),
    (6, 4),
    (7, 8),
    (5, 6),
    (11, 8),
    (13, 8),
    (15, 8),
    (9, 4),
    (5, 2),
    (9, 2),
)


def events_of(rows: list[list[int]], length: int) -> list[Event]:
    """A voice's notes as chords in a row, rests between; notes that overlap are cut and tied."""
    out: list[Event] = []
    cursor = 0
    i, n = 0, len(rows)
    while i < n:
        start, end = rows[i][1], rows[i][2]
        j = i
        members = []
        while j < n and rows[j][1] == start:
            if rows[j][2] != end:
                return _cut_events(rows, length)
            members.append((rows[j][3], rows[j][4]))
            j += 1
        if start < cursor:
            return _cut_events(rows, length)
        if start > cursor:
            out.append((cursor, start, []))
        out.append((start, end, members))
        cursor = end
        i = j
    if cursor < length:
        out.append((cursor, length, []))
    return out


def opened(events: list[Event], places: Iterable[int], rests: Container[int] = ()) -> list[Event]:
    """Long notes cut (and tied) where grace notes, words or signs stand inside them; rests cut at `rests`."""
    places = sorted(places)
    out: list[Event] = []
    for start, end, members in events:
        cuts = [p for p in places if start < p < end and (members or p in rests)]
        for a, b in pairwise([start, *cuts, end]):
            ties = [
                (note, (tie if a == start else tie | TIE_IN) if b == end else (tie if a == start else TIE_IN) | TIE_OUT)
                for note, tie in members
            ]
            out.append((a, b, ties))
    return out


def _cut_events(rows: list[list[int]], length: int) -> list[Event]:
    """Overlapping notes cut at every onset and end inside them, the pieces tied."""
    edges = sorted({0, length, *(r[1] for r in rows), *(r[2] for r in rows)})
    out: list[Event] = []
    for a, b in pairwise(edges):
        members = []
        for _, start, end, note, ties, _ in rows:
            if start < b and end > a:
                tie = (ties & TIE_IN if start == a else TIE_IN) | (ties & TIE_OUT if end == b else TIE_OUT)
                members.append((note, tie))
        out.append((a, b, members))
    return out


def single_values(events: list[Event], resolution: int) -> tuple[Piece, ...]:
    """Each event as one note value, in a tuplet of its own where need be: for what no layout of the bar holds."""
    out = []
    for i, (a, b, _) in enumerate(events):
        piece = Piece(i, a, b - a, "", 0)
        for actual, normal in _RATIOS:
            written = (b - a) * actual
            value = note_value(written // normal, resolution) if written % normal == 0 else None
            if value is not None and value[1] < 2:
                piece = Piece(i, a, b - a, *value, actual, normal)
                break
        out.append(piece)
    return tuple(out)
