"""Spans of the picture in a new cut: where each is seen now, which of them hold the music, and what is told of them.

A span is followed frame by frame: what of it is still in the picture are its *pieces*. Dialogue only asks that the
tempo be steady where it is seen now. Frozen spans and holds are anchors like hits: a frozen span's music stays with its
picture, beat for beat, from the beat before it to the beat behind it; a hold's beat begins and ends with it. Where the
cut goes through one, only its outer ends are held. Hits have the first say: a span that they leave no room is told.

Conventions: as in `situation`; frames are absolute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from rescore_music.cues import Cues, Span
from rescore_music.score import Score
from rescore_music.syncing.conforming.edits import free, without
from rescore_music.syncing.conforming.picture import PictureMap
from rescore_music.syncing.conforming.situation import SAME, Anchor, Situation
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Skipped
from rescore_music.syncing.spans import STEADY
from rescore_music.timecode import Timecode

NEAR = 0.6  # frames between a hold's ends and the beats that wait for it
LEAST = 0.15  # of its length that a stretch beside a span must keep
GONE = "no longer in the picture"
MOVED = "its shot was put elsewhere: the music there is as it was"
THROUGH = "the cut goes through it: its music changes there"
NO_ROOM = "the hits beside it leave no room for it"
UNHELD = "the music did not wait there in the old cut"


@dataclass(frozen=True)
class Piece:
    """What of a span stays together: [start, end) of the old cut, seen from `new` to `new_end`; `kept` or moved."""

    start: int
    end: int
    new: int
    new_end: int
    kept: bool


def pieces(picture: PictureMap, span: Span) -> list[Piece]:
    """What of a span is still in the picture, by old place."""
    left, found = [(span.start, span.end)], []
    for kept in picture.kept:
        found += [Piece(a, b, a + kept.offset, b + kept.offset, True) for a, b in free(left, kept.start, kept.end)]
        left = without(left, kept.start, kept.end)
    for moved in picture.moved:
        found += [Piece(a, b, moved.image(a), moved.image(b), False) for a, b in free(left, moved.start, moved.end)]
        left = without(left, moved.start, moved.end)
    out: list[Piece] = []
    for piece in sorted((p for p in found if p.new_end > p.new), key=lambda p: p.start):
        if out and (out[-1].end, out[-1].new_end) == (piece.start, piece.new):
            out[-1] = replace(out[-1], end=piece.end, new_end=piece.new_end, kept=out[-1].kept and piece.kept)
        else:
            out.append(piece)
    return out


def new_spans(cues: Cues, picture: PictureMap) -> tuple[Span, ...]:
    """The spans of the new cut; a hold is one, from its first frame left to its last."""
    out: list[Span] = []
    for span in cues.spans:
        found = sorted((p.new, p.new_end) for p in pieces(picture, span) if p.new_end > 0)
        kept = [p for p in pieces(picture, span) if p.kept]
        if span.kind == "hold" and kept:
            found = [(kept[0].new, kept[-1].new_end)]
        joined: list[tuple[int, int]] = []
        for start, end in found:
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((max(start, 0), end))
        out += [replace(span, start=start, end=end) for start, end in joined]
    return tuple(out)


def steady_seconds(spans: Iterable[Span], first: int, fps: Fraction) -> tuple[tuple[float, float], ...]:
    """Seconds of the new music in which no tempo may change."""
    found = ((float((s.start - first) / fps), float((s.end - first) / fps)) for s in spans if s.kind in STEADY)
    return tuple((max(a, 0.0), b) for a, b in found if b > 0)


def held_beats(score: Score, cues: Cues) -> dict[Span, tuple[int, int]]:
    """The beat that waits for each hold, as (tick, end), where the music has one."""
    grid = Grid(score)
    beats = np.append(grid.beats, score.bars[-1])
    seconds = score.seconds(beats)
    out: dict[Span, tuple[int, int]] = {}
    for span in (s for s in cues.spans if s.kind == "hold"):
        ends = [float(cues.seconds_of(frame)) for frame in (span.start, span.end)]
        near = [int(np.abs(seconds - end).argmin()) for end in ends]
        off = max(abs(float(seconds[k]) - end) for k, end in zip(near, ends, strict=True))
        if near[1] > near[0] and off * float(cues.rate.fps) <= NEAR:
            out[span] = int(beats[near[0]]), int(beats[near[1]])
    return out


def with_spans(
    known: Situation, chain: Sequence[Anchor], first: int, held: dict[Span, tuple[int, int]]
) -> tuple[list[Anchor], list[Skipped]]:
    """The anchors with the ends of frozen spans and holds among them, and what could not be held.

    Parameters
    ----------
    known : Situation
    chain : sequence of Anchor
        By tick.
    first : int
        Frame of the new cue's first sample.
    held : dict
        See `held_beats`.
    """
    out, told = list(chain), list[Skipped]()
    for span in known.cues.spans:
        old = [float(known.cues.seconds_of(frame)) for frame in (span.start, span.end)]
        if old[1] <= 0 or old[0] >= chain[-1].old or not (found := _told(known, span, told)):
            continue
        if span.kind not in ("frozen", "hold"):
            continue
        kept = [p for p in found if p.kept]
        if span.kind == "hold" and span not in held:
            told.append(_skip(known.cues, span, UNHELD))
            continue
        ends = _ends(known, span, kept, first, held.get(span))
        joined = _joined(out, [a for a in ends if 0 < a.tick < chain[-1].tick], float(1 / known.cues.rate.fps))
        if joined is None:
            told.append(_skip(known.cues, span, NO_ROOM))
        else:
            out = joined
    return out, told


def _told(known: Situation, span: Span, told: list[Skipped]) -> list[Piece]:
    """The pieces of a span that may hold music; what is lost of it is told."""
    found = pieces(known.picture, span)
    kept = [p for p in found if p.kept]
    if not found:
        told.append(_skip(known.cues, span, GONE))
    elif span.kind in ("frozen", "hold") and not kept:
        told.append(_skip(known.cues, span, MOVED))
        return []
    elif span.kind == "frozen" and (len(found) > 1 or found[0].end - found[0].start < span.end - span.start):
        told.append(_skip(known.cues, span, THROUGH))
    return found


def _skip(cues: Cues, span: Span, reason: str) -> Skipped:
    return Skipped(f"{span.label} ({span.kind})".strip(), Timecode(span.start, cues.rate).label, reason)


def _ends(
    known: Situation, span: Span, kept: Sequence[Piece], first: int, held: tuple[int, int] | None
) -> tuple[Anchor, Anchor]:
    """The two anchors of a frozen span or a hold."""
    name = f"{span.kind} '{span.label}'" if span.label else f"the {span.kind} span"
    inner = kept[0].start, kept[-1].end
    ticks = held or (_whole_beat(known, inner[0], -1), _whole_beat(known, inner[1], 1))
    anchors = []
    for tick, frame, last, whole in (
        (ticks[0], inner[0], 0, inner[0] == span.start),
        (ticks[1], inner[1], 1, inner[1] == span.end),
    ):
        stay = known.picture.kept_at(frame - last)
        assert stay is not None
        old = float(known.score.seconds(tick))
        new = old + float(Fraction(stay.offset - (first - known.cues.start.frame)) / known.cues.rate.fps)
        if held is not None and not whole:  # what is left of the picture that waits begins or ends at the seam
            new = float(Fraction(frame + stay.offset - first) / known.cues.rate.fps)
        anchors.append(Anchor(tick, old, new, known.kept_number(frame - last), name=name))
    return anchors[0], anchors[1]


def _whole_beat(known: Situation, frame: int, side: int) -> int:
    """The beat before (-1) or behind (1) a frame, if no cut lies between; else the frame's own place."""
    score, cues, beats = known.score, known.cues, np.append(known.grid.beats, known.score.bars[-1])
    place = float(score.tempo.ticks_at(max(float(cues.seconds_of(frame)), 0.0)))
    k = int(np.searchsorted(beats, place + 1, side="right")) - 1 if side < 0 else int(np.searchsorted(beats, place - 1))
    if 0 <= k < len(beats):
        there = cues.start.frame + float(score.seconds(beats[k])) * float(cues.rate.fps)
        stay = known.picture.kept_at(frame - (side > 0))
        if stay is not None and stay.start <= there <= stay.end:
            return int(beats[k])
    return round(place)


def _joined(chain: Sequence[Anchor], ends: Sequence[Anchor], frame: float) -> list[Anchor] | None:
    """The chain with two more anchors; None where those already there leave no room for them."""
    there = {a.tick: a for a in chain}
    if any(end.tick in there and abs(there[end.tick].new - end.new) > frame / 2 for end in ends):
        return None
    fresh = {end.tick for end in ends} - set(there)
    out = sorted([*chain, *(end for end in ends if end.tick in fresh)], key=lambda a: a.tick)
    for a, b in pairwise(out):
        own = 0.0 if a.name and b.name else LEAST * (b.old - a.old)  # a hold may become as short as it is seen
        if (a.tick in fresh or b.tick in fresh) and b.new - a.new <= max(SAME, own):
            return None
    return out
