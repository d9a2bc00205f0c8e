"""Figuration: a style's patterns for harmony, figuration and bass. Their language stands in template/pattern.py.

What a pattern may not do: melody and counter-melody have none; a bass keeps every onset with its pitch and is only
filled in between; a note sounds where its source sounds, so the harmonic rhythm stands, and where the source moves
faster than the figure needs, the source stands. Every source note is either one of the figure's or told as merged.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.figures import Chords, by_bar, by_cycle
from rescore_music.orchestration.held import held_on
from rescore_music.orchestration.material import phrase_dynamics
from rescore_music.orchestration.sounded import sounded
from rescore_music.score import GRACE, Articulation, Score
from rescore_music.structure import CHORD_TONES, Analysis, Chord, Role
from rescore_music.template import RoleStyle, Style
from rescore_music.template.pattern import KEEP, Pattern

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FIGURED = (Role.HARMONY, Role.FIGURATION, Role.BASS)


def pattern_named(style: Style, name: str) -> Pattern:
    """A pattern that a style may name: its own, or a shipped one."""
    if name == "keep":
        return KEEP
    own = style.patterns.get(name)
    if own is not None:
        return own
    from rescore_music.template.pattern_file import shipped_pattern

    return shipped_pattern(name)


def in_turn(style: Style, role: Role) -> bool:
    """Whether a style plays the chords of a role note after note, so that one player can have a whole one."""
    own = style.roles.get(role)
    return own is not None and pattern_named(style, own.pattern).texture == "broken"


def chosen(own: RoleStyle, intensity: npt.NDArray[np.float64]) -> list[tuple[str, float | None]]:
    """Per phrase the name of the pattern and its unit, by the phrase's intensity."""
    out = []
    for level in intensity.tolist():
        name, unit = own.pattern, own.pattern_unit
        for louder in own.louder:
            if level >= louder.from_intensity:
                name, unit = louder.pattern, louder.pattern_unit
        out.append((name, unit))
    return out


def apply_patterns(
    draft: Rows, score: Score, analysis: Analysis, style: Style, seats: Ensemble, ledger: Ledger
) -> Rows:
    """The draft with each role's pattern written out."""
    intensity = phrase_dynamics(score, analysis)[1] if analysis.phrases else np.zeros(1)
    kettles = np.array([seat.instrument.id == "timpani" for seat in seats.seats], bool)  # they have the source's rhythm
    grounded = np.zeros(max(len(analysis.phrases), 1), bool)
    grounded[draft["phrase"][draft["role"] == int(Role.BASS)]] = True
    for role in _FIGURED:
        own = style.roles.get(role)
        if own is None:
            continue
        wanted = chosen(own, intensity)
        mine = (draft["role"] == int(role)) & (draft["articulation"] & GRACE == 0) & (draft["duration"] > 0)
        mine &= (seats.pitched & ~kettles)[draft["seat"]]
        for name, unit in dict.fromkeys(wanted):
            pattern = pattern_named(style, name)
            if pattern.texture in ("keep", "drums") or role not in pattern.roles:
                continue
            here = np.array([other == (name, unit) for other in wanted], bool)
            these = mine & here[draft["phrase"]]
            if not these.any():
                continue
            made = _figured(draft[these], pattern, unit, role, score, analysis, seats, grounded, ledger)
            ledger.change(f"notes added by the pattern {name}", made[made["source"] < 0])
            draft = np.concatenate([draft[~these], made])
            mine = np.concatenate([mine[~these], np.zeros(len(made), bool)])
    return draft


def _figured(
    rows: Rows,
    pattern: Pattern,
    unit: float | None,
    role: Role,
    score: Score,
    analysis: Analysis,
    seats: Ensemble,
    grounded: Bools,
    ledger: Ledger,
) -> Rows:
    bass = role is Role.BASS
    if pattern.gather or pattern.texture == "held":
        held = pattern.texture == "held"
        rows = held_on(rows, score, analysis, ledger, merge=not bass, extend=held)
    if pattern.tremolo:
        able = np.array(["tremolo" in seat.instrument.articulations for seat in seats.seats], bool)
        long = able[rows["seat"]] & (rows["duration"] >= score.ticks_per_quarter)
        rows["articulation"] |= np.where(long, np.uint32(Articulation.TREMOLO), np.uint32(0))
    if pattern.texture == "held":
        return rows
    broken = pattern.texture == "broken"
    chords = Chords(borrowed(rows, analysis, seats) if broken else rows, broken=broken)
    if pattern.cycle:
        pieces = by_cycle(chords, pattern, unit or pattern.unit, score, seats)
    else:
        pieces = by_bar(chords, pattern, score, seats, grounded)
    made, gone = sounded(chords, pieces, pattern, score, analysis, seats, bass=bass)
    ledger.lose(gone["source"], Loss.FIGURED)
    return made


def borrowed(rows: Rows, analysis: Analysis, seats: Ensemble) -> Rows:
    """The rows, with chord tones of the harmony above the lone notes of one line and seat a phrase.

    One figure is texture, three are mud: of the lines that have a single note on a seat only the busiest borrows.
    Borrowed tones have no source; a note is divided where the harmony changes under it.
    """
    key = np.stack([rows[name].astype(np.int64) for name in ("seat", "doubling", "onset")])
    _, chord, size = np.unique(key, axis=1, return_inverse=True, return_counts=True)
    lone = (size[chord.reshape(-1)] == 1) & ~rows["doubling"]
    index = np.flatnonzero(lone)
    if not len(index) or not analysis.chords:
        return rows
    who = np.stack([rows[name][index].astype(np.int64) for name in ("phrase", "line", "seat")])
    players, inverse, count = np.unique(who, axis=1, return_inverse=True, return_counts=True)
    order = np.lexsort((players[2], players[1], -count, players[0]))
    leads = np.zeros(len(count), bool)
    leads[order[np.append(True, np.diff(players[0][order]) != 0)]] = True
    starts = np.array([c.start for c in analysis.chords], np.int64)
    keep = np.ones(len(rows), bool)
    made: list[Rows] = []
    for i in index[leads[inverse.reshape(-1)]].tolist():
        keep[i] = False
        made += _ladders(rows[i : i + 1], analysis, starts, seats)
    return np.concatenate([rows[keep], *made])


def _ladders(note: Rows, analysis: Analysis, starts: Ints, seats: Ensemble) -> list[Rows]:
    """A note, divided where the harmony changes, each part with two tones of its chord where it belongs to it."""
    onset, end = int(note["onset"][0]), int(note["onset"][0] + note["duration"][0])
    inside = starts[(starts > onset) & (starts < end)].tolist()
    out: list[Rows] = []
    for a, b in pairwise([onset, *inside, end]):
        row = int(np.searchsorted(starts, a, side="right")) - 1
        pitches = _ladder(
            int(note["pitch"][0]), int(note["seat"][0]), analysis.chords[row] if row >= 0 else None, seats
        )
        part = np.repeat(note, len(pitches))
        part["onset"], part["duration"], part["pitch"] = a, b - a, pitches
        own = part["pitch"] == note["pitch"]
        part["source"] = np.where(own & (a == onset), note["source"], -1)
        part["step"], part["alter"] = np.where(own, part["step"], -1), np.where(own, part["alter"], 0)
        out.append(part)
    return out


def _ladder(pitch: int, seat: int, chord: Chord | None, seats: Ensemble) -> list[int]:
    """The note and the next two chord tones above it, or below where the range ends."""
    tones = {(chord.root + t) % 12 for t in CHORD_TONES.get(chord.quality, ())} if chord else set()
    if pitch % 12 not in tones:
        return [pitch]
    above = [p for p in range(pitch + 1, pitch + 13) if p % 12 in tones][:2]
    if above and above[-1] > int(seats.high[seat]):
        above = [p - 12 for p in above if p - 12 >= int(seats.low[seat])]
    return sorted([pitch, *above])
