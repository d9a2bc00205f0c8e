"""Figuration: a style's patterns for harmony and figuration. Melody keeps its notes, the bass all its onsets.

Conventions: a pattern's unit is in quarters, lengthened by octaves of speed until the instrument can play it with ease.
Patterns: "keep", "sustain" (notes held to the next change of harmony), "repeat", "pulse" (detached repeats),
"tremolo" (flag), "octaves" (alternating), "arpeggio" and "alberti" (the chord's notes in turn: those that the seat
has together, else the analysed chord's above the note).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import DRAFT, Ledger, Loss, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import Articulation, Score
from rescore_music.structure import CHORD_TONES, Analysis, Role
from rescore_music.template import RoleStyle, Style

Ints = npt.NDArray[np.int64]

# patterns that leave every source note at its onset with its pitch: safe for a bass
_KEEPS_ONSETS = ("octaves", "repeat", "pulse")
BROKEN = ("arpeggio", "alberti")
_CYCLE: dict[str, Callable[[int], list[int]]] = {
    "arpeggio": lambda n: list(range(n)) if n != 3 else [0, 1, 2, 1],
    "alberti": lambda n: [0, n - 1, max(n - 2, 0), n - 1] if n > 2 else list(range(n)),
}


def apply_patterns(
    draft: Rows, score: Score, analysis: Analysis, style: Style, seats: Ensemble, ledger: Ledger
) -> Rows:
    """The draft with each role's pattern written out."""
    for role in (Role.HARMONY, Role.FIGURATION, Role.BASS):
        own = style.roles.get(role)
        if own is None or own.pattern == "keep" or (role is Role.BASS and own.pattern not in _KEEPS_ONSETS):
            continue
        chosen = (draft["role"] == int(role)) & (draft["articulation"] & 0x3000 == 0)
        chosen &= seats.pitched[draft["seat"]]
        if not chosen.any():
            continue
        rows, rest = draft[chosen], draft[~chosen]
        made = _figured(rows, score, analysis, own, seats, ledger)
        ledger.change(f"notes added by the pattern {own.pattern}", made[made["source"] < 0])
        draft = np.concatenate([rest, made])
    return draft


def _figured(rows: Rows, score: Score, analysis: Analysis, own: RoleStyle, seats: Ensemble, ledger: Ledger) -> Rows:
    if own.pattern == "sustain":
        return _sustained(rows, score, analysis, ledger)
    if own.pattern == "tremolo":
        able = np.array(["tremolo" in seat.instrument.articulations for seat in seats.seats], bool)
        rows = _sustained(rows, score, analysis, ledger)
        long = able[rows["seat"]] & (rows["duration"] >= score.ticks_per_quarter)
        rows["articulation"] |= np.where(long, np.uint32(Articulation.TREMOLO), np.uint32(0))
        return rows
    unit = _units(rows, score, own, seats)
    if own.pattern in BROKEN:
        return _broken(rows, unit, score, analysis, own.pattern, seats, ledger)
    return _repeated(rows, unit, _first_lengths(rows, unit, score), own.pattern, seats)


def _units(rows: Rows, score: Score, own: RoleStyle, seats: Ensemble) -> Ints:
    """Ticks of the pattern's unit at each note, doubled until the instrument plays it with ease."""
    unit = max(1, round(own.pattern_unit * score.ticks_per_quarter))
    seconds = score.tempo.us_at(rows["onset"]) * 1e-6 * unit / score.ticks_per_quarter
    need = 1.25 / seats.agility[rows["seat"]]
    octaves = np.ceil(np.log2(np.maximum(need / np.maximum(seconds, 1e-6), 1.0)) - 1e-9)
    return np.asarray(unit * 2 ** octaves.astype(np.int64), np.int64)


def _chord_bounds(analysis: Analysis, onset: Ints, pitch: Ints) -> Ints:
    """Where the harmony moves to one that does not hold the note's pitch class: it may sound until there."""
    chords = analysis.chords
    if not chords:
        return np.full(len(onset), np.iinfo(np.int64).max)
    starts = np.array([c.start for c in chords], np.int64)
    members = [{(c.root + t) % 12 for t in CHORD_TONES.get(c.quality, ())} for c in chords]
    holds = np.array([[not c.quality or pc in own for pc in range(12)] for c, own in zip(chords, members, strict=True)])
    limit = np.full((len(chords) + 1, 12), np.iinfo(np.int64).max)
    for i in range(len(chords) - 1, -1, -1):
        limit[i] = np.where(holds[i], limit[i + 1], starts[i])
    row = np.searchsorted(starts, onset, side="right")
    return limit[row, pitch % 12]


def _sustained(rows: Rows, score: Score, analysis: Analysis, ledger: Ledger) -> Rows:
    """Notes held to the line's next onset while the harmony allows; repeats of a pitch become one note."""
    rows = rows[np.lexsort((rows["onset"], rows["line"], rows["doubling"], rows["seat"]))]
    group = np.zeros(len(rows), np.int64)
    same = np.ones(max(len(rows) - 1, 0), bool)
    for name in ("seat", "doubling", "line", "phrase"):
        same &= rows[name][1:] == rows[name][:-1]
    group[1:] = np.cumsum(~same)
    fresh = np.ones(len(rows), bool)
    fresh[1:] = ~(same & (np.diff(rows["onset"]) == 0))
    at = np.flatnonzero(fresh)
    which = np.cumsum(fresh) - 1
    ends = np.array([p.end for p in analysis.phrases], np.int64)[rows["phrase"]]
    following = np.append(rows["onset"][at][1:], 0)
    alone = np.append(group[at][1:] != group[at][:-1], True)
    limit = np.where(alone[which], ends, following[which])
    end = rows["onset"] + rows["duration"]
    limit = np.minimum(limit, _chord_bounds(analysis, rows["onset"], rows["pitch"].astype(np.int64)))
    limit = np.minimum(limit, end + 2 * score.ticks_per_quarter)
    end = np.maximum(end, np.minimum(limit, score.length))
    keep = np.ones(len(rows), bool)
    running: dict[tuple[int, int], int] = {}
    onset = rows["onset"]
    for i, key in enumerate(zip(group.tolist(), rows["pitch"].tolist(), strict=True)):
        j = running.get(key)
        if j is not None and end[j] >= onset[i] > onset[j] and limit[j] >= onset[i]:
            end[j] = max(end[j], end[i])
            limit[j] = limit[i]
            keep[i] = False
        else:
            running[key] = i
    out = rows.copy()
    out["duration"] = end - onset
    ledger.lose(out["source"][~keep], Loss.SUSTAINED)
    return out[keep]


def _first_lengths(rows: Rows, unit: Ints, score: Score) -> Ints:
    """Length of each note's first piece: up to the bar's grid of units, so that late notes do not shift a pattern."""
    into = rows["onset"] - score.bars[score.bar_of(rows["onset"])]
    left = -into % unit
    return np.asarray(np.where(left == 0, unit, np.where(left * 2 < unit, left + unit, left)), np.int64)


def _pieces(rows: Rows, unit: Ints, first: Ints) -> tuple[Rows, Ints, Ints]:
    """Each note cut into units (the last takes the rest): pieces, the row each came from, its place in the row."""
    count = 1 + np.maximum((rows["duration"] - first) // unit, 0)
    origin = np.repeat(np.arange(len(rows)), count)
    nth = np.arange(len(origin)) - np.repeat(np.cumsum(count) - count, count)
    out = rows[origin].copy()
    out["onset"] = rows["onset"][origin] + np.where(nth > 0, first[origin] + (nth - 1) * unit[origin], 0)
    last = nth == count[origin] - 1
    stop = (rows["onset"] + rows["duration"])[origin]
    out["duration"] = np.where(last, stop - out["onset"], np.where(nth > 0, unit[origin], first[origin]))
    out["source"][nth > 0] = -1
    return out, origin, nth


def _repeated(rows: Rows, unit: Ints, first: Ints, pattern: str, seats: Ensemble) -> Rows:
    out, origin, nth = _pieces(rows, unit, first)
    many = np.bincount(origin, minlength=len(rows))[origin] > 1
    if pattern == "pulse":
        out["articulation"] |= np.where(many, np.uint32(Articulation.STACCATO), np.uint32(0))
    if pattern == "octaves":
        up = out["pitch"] + 12 <= np.minimum(seats.high, seats.comfortable_high + 5)[out["seat"]]
        down = out["pitch"] - 12 >= seats.low[out["seat"]]
        out["pitch"] += np.where(nth % 2 == 1, np.where(up, 12, np.where(down, -12, 0)), 0).astype(np.int16)
    out["articulation"][nth > 0] &= ~np.uint32(Articulation.FERMATA | Articulation.ACCENT | Articulation.SLURRED)
    return out


def _broken(
    rows: Rows, unit: Ints, score: Score, analysis: Analysis, pattern: str, seats: Ensemble, ledger: Ledger
) -> Rows:
    """Chords in turn. Notes that a seat has together are the chord; a lone note borrows the analysed chord's."""
    order = np.lexsort((rows["pitch"], rows["onset"], rows["doubling"], rows["seat"]))
    rows, unit = rows[order], unit[order]
    first = _first_lengths(rows, unit, score)
    new = np.ones(len(rows), bool)
    same = np.ones(max(len(rows) - 1, 0), bool)
    for name in ("seat", "doubling", "onset"):
        same &= rows[name][1:] == rows[name][:-1]
    new[1:] = ~same
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(rows))
    leader = _first_lone(rows, starts, stops)
    chord_starts = np.array([c.start for c in analysis.chords], np.int64)
    made: list[Rows] = []
    for a, b in zip(starts.tolist(), stops.tolist(), strict=True):
        group = rows[a:b]
        if b - a > 1:
            tones = [int(p) for p in np.unique(group["pitch"])]
        elif (int(group["phrase"][0]), int(group["line"][0])) in leader:
            tones = _ladder(group[0], analysis, chord_starts, seats)
        else:
            tones = [int(group["pitch"][0])]
        made.append(_turns(group, tones, int(unit[a]), int(first[a]), pattern, ledger) if len(tones) > 1 else group)
    return np.concatenate(made) if made else rows


def _first_lone(rows: Rows, starts: Ints, stops: Ints) -> set[tuple[int, int]]:
    """(phrase, line) of the one single-voiced line a phrase that arpeggiates: one figure is texture, three are mud."""
    lone = rows[starts[stops - starts == 1]]
    best: dict[int, tuple[int, int]] = {}
    key = np.stack([lone["phrase"].astype(np.int64), lone["line"]], axis=1)
    lines, counts = np.unique(key, axis=0, return_counts=True)
    for (phrase, line), count in zip(lines.tolist(), counts.tolist(), strict=True):
        if phrase not in best or count > best[phrase][0]:
            best[phrase] = (count, line)
    return {(phrase, line) for phrase, (_, line) in best.items()}


def _ladder(note: np.void, analysis: Analysis, starts: Ints, seats: Ensemble) -> list[int]:
    """The note and the next two chord tones above it, or below where the range ends."""
    pitch, seat = int(note["pitch"]), int(note["seat"])
    row = int(np.searchsorted(starts, int(note["onset"]), side="right")) - 1
    if row < 0:
        return [pitch]
    chord = analysis.chords[row]
    tones = {(chord.root + t) % 12 for t in CHORD_TONES.get(chord.quality, ())}
    if pitch % 12 not in tones:
        return [pitch]
    above = [p for p in range(pitch + 1, pitch + 13) if p % 12 in tones][:2]
    if above and above[-1] > int(seats.high[seat]):
        above = [p - 12 for p in above if p - 12 >= int(seats.low[seat])]
    return sorted([pitch, *above])


def _turns(group: Rows, tones: list[int], unit: int, first: int, pattern: str, ledger: Ledger) -> Rows:
    """One chord broken into turns of a unit each; every source note is the first turn of its pitch."""
    onset, length = int(group["onset"][0]), int(group["duration"].max())
    count = 1 + max((length - first) // unit, 0)
    if count < len(tones):
        return group
    own = {int(p): i for i, p in reversed(list(enumerate(group["pitch"].tolist())))}
    cycle = _CYCLE[pattern](len(tones))
    # begin with the note that stands there in the source, so that the downbeat keeps its pitch
    lead = 0 if len(group) > 1 else next(i for i, tone in enumerate(cycle) if tones[tone] == int(group["pitch"][0]))
    pitches = [tones[cycle[(i + lead) % len(cycle)]] for i in range(count)]
    out = np.zeros(count, DRAFT)
    out[:] = group[0]
    out["source"] = -1
    out["pitch"] = pitches
    out["step"], out["alter"] = -1, 0
    out["articulation"] = 0
    out["onset"][1:] = onset + first + unit * np.arange(count - 1)
    out["duration"][0], out["duration"][1:] = first, unit
    out["duration"][-1] = onset + length - int(out["onset"][-1])
    out["velocity"][1:] = np.maximum(out["velocity"][1:].astype(int) - 4, 1)
    used: set[int] = set()
    for i, pitch in enumerate(pitches):
        if pitch in own and pitch not in used:
            used.add(pitch)
            for name in ("source", "step", "alter", "articulation", "line"):
                out[name][i] = group[name][own[pitch]]
    pitch_of = group["pitch"].tolist()
    left = [s for i, s in enumerate(group["source"].tolist()) if own[pitch_of[i]] != i or pitch_of[i] not in used]
    ledger.lose(np.array(left, np.int64), Loss.FIGURED)
    return out
