"""A player's part out of a score, and a score as it sounds.

Parts are numbered from 0, ticks are the score's. What concerns everyone (tempo, rehearsal marks, jumps, bar lines) goes
with every part.
"""

from __future__ import annotations

from dataclasses import replace

from rescore_music.errors import ScoreError
from rescore_music.score import Score


def part_of(score: Score, part: int) -> Score:
    """One part alone, bars and marks for everyone with it.

    Parameters
    ----------
    score : Score
    part : int
        From 0, in score order.

    Raises
    ------
    ScoreError
        If the score has no such part.
    """
    if not 0 <= part < len(score.parts):
        raise ScoreError(f"there is no part {part + 1}: the score has {len(score.parts)}")
    columns = {}
    for name in ("notes", "controls", "bends", "programs"):
        rows = getattr(score, name)
        rows = rows[rows["part"] == part].copy()
        rows["part"] = 0
        columns[name] = rows
    return score.replace(
        parts=(replace(score.parts[part], group=""),),
        marks=tuple(replace(m, part=min(m.part, 0)) for m in score.marks if m.part in (part, -1)),
        raw=tuple(replace(r, part=min(r.part, 0)) for r in score.raw if r.part in (part, -1)),
        barlines=score.bars,
        **columns,
    )


def concert_pitch(score: Score) -> Score:
    """The score written as it sounds: no part transposes, save by octaves (piccolo, double bass, glockenspiel, guitar).

    The clefs of parts that did transpose are chosen anew. Nothing sounds otherwise.
    """
    moved = {i for i, part in enumerate(score.parts) if part.transposition % 12}
    parts = (
        replace(part, transposition=0, diatonic=0, clefs=()) if i in moved else part
        for i, part in enumerate(score.parts)
    )
    marks = tuple(m for m in score.marks if m.kind != "clef" or m.part not in moved)
    return score.replace(parts=tuple(parts), marks=marks)
