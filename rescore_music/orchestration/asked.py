"""What the user asks for in some bars: phrases end at those bars, and other seats cost dearly there.

Conventions: bars from 1, both ends included; bars beyond the cue are told, not refused.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Assignment
from rescore_music.orchestration.draft import Ledger
from rescore_music.orchestration.ensemble import matches
from rescore_music.orchestration.material import Material
from rescore_music.score import Score
from rescore_music.structure import Analysis, Phrase, Role
from rescore_music.template import SectionWish, Template

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_TABLES = ("roles", "confidence", "doubles", "patterns", "parallels", "intervals")


def with_seams(analysis: Analysis, score: Score, wishes: tuple[SectionWish, ...]) -> Analysis:
    """The analysis with phrases that also begin and end where the wishes do; equal where they already did.

    A line without an onset in its piece of a phrase rests there.
    """
    cuts = {tick for wish in wishes for tick in span(score, wish)}
    phrases: list[Phrase] = []
    origin: list[int] = []
    for number, phrase in enumerate(analysis.phrases):
        edges = [phrase.start, *sorted(c for c in cuts if phrase.start < c < phrase.end), phrase.end]
        for start, end in pairwise(edges):
            phrases.append(replace(phrase, start=start, end=end))
            origin.append(number)
    if len(phrases) == len(analysis.phrases):
        return analysis
    tables = {name: getattr(analysis, name) for name in _TABLES}
    out = replace(
        analysis,
        phrases=tuple(phrases),
        **{name: table[:, origin] if table.size else table for name, table in tables.items()},
    )
    sounds = np.zeros(out.roles.shape, bool)
    sounds[out.line_of, out.phrase_of(score.notes["onset"])] = True
    roles = np.where(sounds, out.roles, np.int8(Role.REST)).astype(np.int8)
    doubles = np.where(sounds, out.doubles, np.int32(-1)).astype(np.int32) if out.doubles.size else out.doubles
    return replace(out, roles=roles, doubles=doubles)


def span(score: Score, wish: SectionWish) -> tuple[int, int]:
    """Ticks of a wish: where its first bar begins and its last one ends, as far as the cue goes."""
    return score.bar_span(wish.first, wish.last)


def asked(m: Material, score: Score, analysis: Analysis, template: Template) -> Floats:
    """Raw cost (strands, seats): 1 where the bars' players are asked for and the seat is none of them."""
    seats = template.forces.seats
    out = np.zeros((len(m.phrase), len(seats)))
    for wish in template.sections:
        wanted = np.array([any(matches(seat, word) for word in wish.give) for seat in seats], bool)
        inside = np.isin(m.phrase, _phrases(score, analysis, wish)) & (m.role == int(wish.role))
        if wanted.any():
            out[np.ix_(inside, ~wanted)] = 1.0
    return out


def _phrases(score: Score, analysis: Analysis, wish: SectionWish) -> Ints:
    start, end = span(score, wish)
    return np.array([p for p, phrase in enumerate(analysis.phrases) if start <= phrase.start < end], np.int64)


def tell(
    score: Score, analysis: Analysis, template: Template, assignments: tuple[Assignment, ...], ledger: Ledger
) -> None:
    """Wishes that could not be met, into the log."""
    seats = template.forces.seats
    for wish in template.sections:
        bars = f"bars {wish.first}-{wish.last}"
        words, role = ", ".join(wish.give), wish.role.name.lower().replace("_", "-")
        wanted = {i for i, seat in enumerate(seats) if any(matches(seat, word) for word in wish.give)}
        phrases = _phrases(score, analysis, wish)
        lines = {
            (p, line)
            for p in phrases.tolist()
            for line in np.flatnonzero(analysis.roles[:, p] == int(wish.role)).tolist()
            if not analysis.doubles.size or analysis.doubles[line, p] < 0
        }
        met = {(a.phrase, a.line) for a in assignments if a.seat in wanted and not a.doubling}
        if not len(phrases) or not lines:
            ledger.say(f"{bars}: there is no {role} to give to {words}")
        elif not wanted:
            ledger.say(f"{bars}: {words} asked for, but these forces have none")
        elif lines - met:
            ledger.say(f"{bars}: {words} asked for, but cannot play all of the {role}: others have it")
