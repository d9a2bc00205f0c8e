"""Shots of two cuts matched by their sources: what stays, and what is found again elsewhere.

Shots are told apart by their source (reel, else file, else clip name) and matched frame by frame through their source
time: the heaviest chain of matching stretches that keep their order is what stays; whatever else of the old cut is
found in the new one is moved, or retimed where its speed differs.

Conventions: as in `picture`. Speeds are source frames a record frame.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from rescore_music.edits import Edit
from rescore_music.errors import SyncError
from rescore_music.syncing.conforming.edits import Shot, changes, free, shots_of, without
from rescore_music.syncing.conforming.picture import FAR, Kept, Moved, PictureMap
from rescore_music.timecode import FrameRate

MOST_MATCHES = 200_000
_ROUNDS = 8  # of matching again inside gaps


def _same_source(a: Shot, b: Shot) -> bool:
    if a.edit.black or b.edit.black:
        return a.edit.black and b.edit.black
    for one, other in zip(a.names, b.names, strict=True):
        if one and other:
            return one == other
    return False


def _matches(old: Sequence[Shot], new: Sequence[Shot]) -> tuple[list[Kept], list[Moved]]:
    """All stretches of old picture found in the new cut: at one speed, and at another. Black and holes are left out."""
    index: dict[str, list[Shot]] = {}
    for shot in new:
        for name in set(shot.names) - {""}:
            index.setdefault(name, []).append(shot)
    longest: dict[str, Fraction] = {}
    for name, shots in index.items():
        shots.sort(key=lambda s: s.low)
        longest[name] = max(s.high - s.low for s in shots)
    same: set[Kept] = set()
    other: set[Moved] = set()
    for shot in old:
        if shot.edit.black:
            continue
        for name in sorted(set(shot.names) - {""}):
            found = index.get(name, [])
            first = bisect_left(found, shot.low - longest.get(name, Fraction(0)), key=lambda s: s.low)
            for k in range(first, len(found)):
                if found[k].low >= shot.high:
                    break
                if found[k].high > shot.low and _same_source(shot, found[k]):
                    _add_match(shot, found[k], same, other)
            if len(same) + len(other) > MOST_MATCHES:
                raise SyncError("the cuts repeat their shots too often to be told apart", cure="conform reel by reel")
    return sorted(same), sorted(other, key=lambda m: (m.start, m.new))


def _add_match(a: Shot, b: Shot, same: set[Kept], other: set[Moved]) -> None:
    if a.speed == b.speed:
        offset = b.start - a.start
        if not a.still:
            offset += round((a.entry - b.entry) / a.speed)
        elif a.entry != b.entry:
            return
        start, end = max(a.start, b.start - offset), min(a.end, b.end - offset)
        if end > start:
            same.add(Kept(start, end, start + offset))
    elif a.speed != 0 and b.speed != 0 and (a.speed > 0) == (b.speed > 0):
        scale = a.speed / b.speed
        # old frame f shows source a.entry + (f - a.start) * a.speed: b shows it at b.start + (that - b.entry) / b.speed
        origin = b.start + (a.entry - b.entry) / b.speed
        start = max(a.start, a.start + ((b.start - origin) / scale).__ceil__())
        end = min(a.end, a.start + ((b.end - origin) / scale).__floor__())
        if end > start:
            other.add(Moved(start, end, round(origin + (start - a.start) * scale), scale))


def heaviest_chain(matches: Sequence[Kept]) -> list[Kept]:
    """The matches that keep their order in both cuts and hold the most frames."""
    order = sorted(range(len(matches)), key=lambda i: (matches[i].start, matches[i].new))
    ends = sorted(range(len(matches)), key=lambda i: matches[i].end)
    places = sorted({m.new_end for m in matches})
    tree: list[tuple[int, int]] = [(0, -1)] * (len(places) + 1)  # prefix maxima of (frames, match), a Fenwick tree
    best, before, waiting = [0] * len(matches), [-1] * len(matches), 0
    for i in order:
        while waiting < len(ends) and matches[ends[waiting]].end <= matches[i].start:
            done = ends[waiting]
            place = bisect_left(places, matches[done].new_end) + 1
            while place < len(tree):
                tree[place] = max(tree[place], (best[done], done))
                place += place & -place
            waiting += 1
        top, place = (0, -1), bisect_right(places, matches[i].new)
        while place > 0:
            top = max(top, tree[place])
            place -= place & -place
        best[i], before[i] = top[0] + matches[i].end - matches[i].start, top[1]
    chain: list[Kept] = []
    at = max(range(len(matches)), key=lambda i: best[i], default=-1)
    while at >= 0:
        chain.append(matches[at])
        at = before[at]
    return chain[::-1]


def _clipped(match: Kept, before: Kept, after: Kept) -> Kept | None:
    """What of a match lies in the gap between two kept stretches, in both cuts."""
    start = max(match.start, before.end, before.new_end - match.offset)
    end = min(match.end, after.start, after.new - match.offset)
    return Kept(start, end, start + match.offset) if end > start else None


def by_shots(old_edits: Sequence[Edit], new_edits: Sequence[Edit], rate: FrameRate) -> PictureMap:
    """What stays and what moved between two lists of shots of one track, by time."""
    old, new = shots_of(old_edits, rate), shots_of(new_edits, rate)
    head, tail = _alike(old, new)
    inner, outer = old[head : len(old) - tail], new[head : len(new) - tail]
    same, other = _matches(inner, outer)
    ends = [shots[head].start if head < len(shots) else shots[-1].end for shots in (old, new)]
    starts = [shots[len(shots) - tail].start if tail else shots[-1].end for shots in (old, new)]
    first = Kept(old[0].start - FAR, ends[0], ends[1] - ends[0] + old[0].start - FAR)
    last = Kept(starts[0], old[-1].end + FAR, starts[1])
    kept = [first, *heaviest_chain(same), last]
    for _ in range(_ROUNDS):  # a stretch whose edge lost against a neighbour is found again inside its gap
        more = _inside_gaps(kept, same)
        if not more:
            break
        kept = sorted([*kept, *more])
    kept = _joined(_with_black(kept, old, new))
    moved = _moved(kept, same, other)
    return PictureMap(tuple(kept), tuple(moved), tuple(changes(kept, moved, old, new)), rate)


def _alike(old: Sequence[Shot], new: Sequence[Shot]) -> tuple[int, int]:
    """How many shots at the head and at the tail are the same in both cuts; a chain loses nothing by keeping them."""

    def key(shot: Shot) -> tuple[object, ...]:
        return shot.names, shot.entry, shot.speed, shot.end - shot.start, shot.edit.black

    most = min(len(old), len(new))
    head = next((k for k in range(most) if key(old[k]) != key(new[k])), most)
    rest = most - head
    return head, next((k for k in range(rest) if key(old[-1 - k]) != key(new[-1 - k])), rest)


def _inside_gaps(kept: Sequence[Kept], same: Sequence[Kept]) -> list[Kept]:
    found: list[Kept] = []
    starts, longest = [m.start for m in same], max((m.end - m.start for m in same), default=0)
    for before, after in pairwise(kept):
        if before.end < after.start and before.new_end < after.new:
            near = same[bisect_left(starts, before.end - longest) : bisect_left(starts, after.start)]
            clipped = [c for m in near if (c := _clipped(m, before, after)) is not None]
            found += heaviest_chain(clipped)
    return found


def _with_black(kept: Sequence[Kept], old: Sequence[Shot], new: Sequence[Shot]) -> list[Kept]:
    """Black is black: in each gap black stretches are paired in turn, from their starts."""
    out = list(kept)
    dark = [s for s in old if s.edit.black]
    light = [s for s in new if s.edit.black]
    if not dark or not light:
        return out
    for before, after in pairwise(kept):
        ours = [s for s in dark if before.end <= s.start and s.end <= after.start]
        theirs = [s for s in light if before.new_end <= s.start and s.end <= after.new]
        for a, b in zip(ours, theirs, strict=False):
            length = min(a.end - a.start, b.end - b.start)
            out.append(Kept(a.start, a.start + length, b.start))
    return sorted(out)


def _joined(kept: Sequence[Kept]) -> list[Kept]:
    """Neighbours that moved alike, as one."""
    out: list[Kept] = []
    for piece in kept:
        if out and out[-1].end == piece.start and out[-1].new_end == piece.new:
            out[-1] = Kept(out[-1].start, piece.end, out[-1].new)
        else:
            out.append(piece)
    return out


def _moved(kept: Sequence[Kept], same: Sequence[Kept], other: Sequence[Moved]) -> list[Moved]:
    """What is in a gap of the old cut and in another gap of the new one, longest first; every frame once."""
    old_free = [(a.end, b.start) for a, b in pairwise(kept) if a.end < b.start]
    new_free = [(a.new_end, b.new) for a, b in pairwise(kept) if a.new_end < b.new]
    tried = [Moved(m.start, m.end, m.new) for m in same] + list(other)
    moved: list[Moved] = []
    for match in sorted(tried, key=lambda m: (-(m.end - m.start), m.start)):
        for start, end in free(old_free, match.start, match.end):
            for low, high in free(new_free, match.image(start), match.image(end)):
                first = start + ((low - match.image(start)) / match.scale).__ceil__()
                final = end - ((match.image(end) - high) / match.scale).__ceil__()
                if final > first:
                    moved.append(Moved(first, final, match.image(first), match.scale))
                    old_free = without(old_free, first, final)
                    new_free = without(new_free, moved[-1].new, moved[-1].new_end)
    return sorted(moved, key=lambda m: m.start)
