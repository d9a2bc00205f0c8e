"""What a copyist adds to a score for those who work with it: rehearsal marks, hits and timecode over the top staff.

Conventions: ticks of the score; timecodes are labels at a frame rate, the score's first tick at `start`. Every function
gives a new score; notes are never touched. Marks of part -1 stand over the system.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rescore_music.cues import Cues, Hit
from rescore_music.errors import RescoreError
from rescore_music.score import Mark, Score
from rescore_music.structure import Analysis
from rescore_music.syncing.result import Landing, Synced
from rescore_music.timecode import FrameRate, Timecode

NEAR = 4  # bars: closer than this no two rehearsal marks help
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def with_rehearsal_marks(
    score: Score, analysis: Analysis | None = None, *, style: str = "letters", nearest: int = NEAR
) -> Score:
    """Rehearsal marks where the score has none: at its sections, else its phrases, else its markers.

    Parameters
    ----------
    score : Score
        One that has a rehearsal mark already is given back as it is.
    analysis : Analysis, optional
        Of the score. Without one, double bars and markers say where sections begin.
    style : str
        "letters" (A to Z, then AA) or "bars" (the number of the bar).
    nearest : int
        Fewest bars between two marks, and from the beginning.

    Returns
    -------
    Score

    Raises
    ------
    RescoreError
        If there is no such style.

    References
    ----------
    Gould, E. (2011). Behind Bars, "Layout": rehearsal marks.
    """
    if style not in ("letters", "bars"):
        raise RescoreError(f"rehearsal marks are letters or bars, not {style!r}")
    if any(m.kind == "rehearsal" and m.text for m in score.marks):
        return score
    bars = score.bars
    chosen: list[int] = []
    for tick in _seams(score, analysis):
        bar = int(np.abs(bars[:-1] - tick).argmin())
        if bar >= (chosen[-1] if chosen else 0) + nearest and bar < len(bars) - 1:
            chosen.append(bar)
    names = [_letters(k) if style == "letters" else str(score.numbered.number[bar]) for k, bar in enumerate(chosen)]
    marks = (Mark(int(bars[bar]), "rehearsal", name) for bar, name in zip(chosen, names, strict=True))
    return score.replace(marks=(*score.marks, *marks))


def _seams(score: Score, analysis: Analysis | None) -> list[int]:
    """Where sections begin, in ticks."""
    if analysis is not None:
        if len(analysis.sections) > 1:
            return [s.start for s in analysis.sections]
        if len(analysis.phrases) > 1:
            return [p.start for p in analysis.phrases]
    doubles = {m.tick for m in score.marks if m.kind == "barline" and m.text == "double"}
    return sorted(doubles | {m.tick for m in score.markers if m.kind == "marker"})


def _letters(k: int) -> str:
    """A to Z, AA to ZZ, AAA ..."""
    return LETTERS[k % 26] * (k // 26 + 1)


def with_hits(
    score: Score,
    hits: Synced | Cues | Iterable[Landing | Hit],
    *,
    rate: FrameRate | str | None = None,
    start: Timecode | str = "00:00:00:00",
    every: int = 4,
) -> Score:
    """Hits and timecode over the system: "HIT 3: door 01:00:12:05" in a box at its place, timecode at bars.

    Parameters
    ----------
    score : Score
        Under the tempo map that was synced.
    hits : Synced, Cues, or landings or hits
        In the order of time; they are numbered from 1.
    rate : FrameRate or str, optional
        Frame rate of the timecode; that of `Cues` where they are given. Without one bars get no timecode.
    start : Timecode or str
        Of the score's first tick; that of `Cues` where they are given.
    every : int
        Timecode at every so many bars (1: at each); 0 for none.

    Returns
    -------
    Score

    Raises
    ------
    TimecodeError
        If rate or start do not exist.
    RescoreError
        If hits are given as frames without a rate.
    """
    if isinstance(hits, Cues):
        rate, start = rate or hits.rate, hits.start
    speed = FrameRate.parse(rate) if rate is not None else None
    first = start if isinstance(start, Timecode) or speed is None else Timecode.parse(start, speed)
    found = hits.hits if isinstance(hits, Synced | Cues) else tuple(hits)
    marks = [_said(score, hit, number, speed, first) for number, hit in enumerate(found, 1)]
    if every > 0 and speed is not None and isinstance(first, Timecode):
        taken = {m.tick for m in marks}
        starts = [int(t) for t in score.bars[:-1:every] if int(t) not in taken]
        seconds = score.seconds(np.array(starts, np.int64)).tolist()
        marks += [Mark(t, "text", (first + speed.frame_at(s)).label) for t, s in zip(starts, seconds, strict=True)]
    return score.replace(marks=(*score.marks, *marks))


def _said(score: Score, hit: Landing | Hit, number: int, rate: FrameRate | None, start: Timecode | str) -> Mark:
    if isinstance(hit, Landing):
        tick, code = hit.tick, hit.timecode
    else:
        if rate is None or not isinstance(start, Timecode):
            raise RescoreError("hits in frames need a frame rate", cure="give rate=, or Cues")
        seconds = float(rate.seconds(hit.frame - start.frame))
        tick = int(np.clip(np.rint(score.tempo.ticks_at(seconds)), 0, score.length))
        code = (start + (hit.frame - start.frame)).label
    return Mark(tick, "text", " ".join(f"HIT {number}: {hit.label} {code}".split()), value=1.0)
