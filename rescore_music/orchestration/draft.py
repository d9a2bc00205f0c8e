"""The draft of a realization: every source note on every seat that plays it, as one structured array.

Conventions: ticks, sounding MIDI pitches. `source` is the note's index in the source score, -1 for a note the style
added. A draft is passed from step to step; each step returns a new one and tells the ledger what it took away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Assignment
from rescore_music.orchestration.drums import drum_map
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.material import chord_ranks
from rescore_music.orchestration.pedal import pedalled_ends
from rescore_music.score import LogItem, Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Seat, Template

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]

DRAFT = np.dtype(
    [
        ("source", "<i8"),
        ("onset", "<i8"),
        ("duration", "<i8"),
        ("pitch", "<i2"),
        ("velocity", "u1"),
        ("seat", "<i2"),
        ("line", "<i4"),
        ("phrase", "<i4"),
        ("role", "i1"),
        ("rank", "i1"),
        ("priority", "<i2"),
        ("doubling", "?"),
        ("step", "i1"),
        ("alter", "i1"),
        ("articulation", "<u4"),
        ("shift", "<i4"),  # played later than written, as the strings of a strummed chord
        ("cut", "u1"),  # percent of the written length that is not held
    ]
)

_PRIORITY = {
    Role.MELODY: 60,
    Role.BASS: 50,
    Role.COUNTER_MELODY: 40,
    Role.HARMONY: 30,
    Role.FIGURATION: 20,
    Role.PERCUSSION: 10,
}
DOUBLES = -35  # a reinforcement yields to any line


class Loss(IntEnum):
    """Why a source note is not in the result."""

    UNASSIGNED = 0
    UNISON = 1
    THINNED = 2
    PERCUSSION = 3
    LIGHTENED = 4
    DROPPED_DRUMS = 5
    SUSTAINED = 6
    UNREACHABLE = 7
    DOUBLED = 8
    FIGURED = 9
    REACH = 10
    HASTE = 11
    KETTLES = 12
    PEDALS = 13
    GRACE = 14


LOSS_TEXT = {
    Loss.UNASSIGNED: "left out: more lines than players",
    Loss.UNISON: "merged with the same pitch on the same seat",
    Loss.THINNED: "thinned: more notes at once than players",
    Loss.PERCUSSION: "left out: nobody has this drum",
    Loss.LIGHTENED: "left out: the style wants light percussion",
    Loss.DROPPED_DRUMS: "left out: the style wants no percussion",
    Loss.SUSTAINED: "merged into a sustained note",
    Loss.UNREACHABLE: "left out: not on this instrument in any octave",
    Loss.DOUBLED: "merged: the same line is played by its main voice",
    Loss.FIGURED: "merged into a figuration of the same chord",
    Loss.REACH: "thinned: not within the reach of the hands",
    Loss.HASTE: "thinned: faster than its player can go, and nobody free to share it",
    Loss.PEDALS: "thinned: no time for the harp's pedals",
    Loss.KETTLES: "left out: no drum tuned in time, and nobody free to take it over",
    Loss.GRACE: "left out: a grace note whose note is not played either",
}


@dataclass(eq=False)
class Ledger:
    """What happened to the notes: a reason for each source note that some step took away, and counted changes."""

    reason: npt.NDArray[np.int8]
    changes: list[LogItem]
    score: Score
    seats: tuple[Seat, ...]

    def lose(self, source: Ints, why: Loss) -> None:
        """A step takes notes away; the last reason stands if no other seat plays them."""
        self.reason[source[source >= 0]] = int(why)

    def change(self, what: str, rows: Rows) -> None:
        """A step changes notes of the draft without losing them: one item a seat, with its bars."""
        for seat in np.unique(rows["seat"]).tolist():
            onset = rows["onset"][rows["seat"] == seat]
            where = f"{self.seats[seat].name}, {bar_span(self.score, onset)}"
            self.changes.append(LogItem(where, what, len(onset)))

    def say(self, what: str) -> None:
        """Something about the whole, with its place in its words."""
        self.changes.append(LogItem("", what))

    def tell(self, what: str, count: int) -> None:
        """Something that concerns no note of the draft."""
        if count:
            self.changes.append(LogItem("", what, count))


def bar_span(score: Score, onset: Ints) -> str:
    """The bars of some ticks in words: "bar 3" or "bars 3-17"."""
    first, last = score.bar_number([onset.min(), onset.max()])
    return f"bar {first}" if first == last else f"bars {first}-{last}"


def cells(score: Score, analysis: Analysis) -> tuple[Ints, Ints, Ints]:
    """Per source note its line, phrase and role."""
    phrase = analysis.phrase_of(score.notes["onset"])
    line = analysis.line_of.astype(np.int64)
    return line, phrase, analysis.roles[line, phrase].astype(np.int64)


def note_ranks(score: Score, analysis: Analysis) -> Ints:
    """Per source note its place in its line's chord: 0 the note the line is heard by."""
    line, phrase, role = cells(score, analysis)
    cell = line * max(len(analysis.phrases), 1) + phrase
    return chord_ranks(score.notes, cell, role == int(Role.BASS))


def expand(
    score: Score, analysis: Analysis, template: Template, seats: Ensemble, assignments: tuple[Assignment, ...]
) -> Rows:
    """Every assigned line written out on its seats, moved by the assigned octaves, not yet folded into range."""
    notes = score.notes
    line, phrase, role = cells(score, analysis)
    phrases = max(len(analysis.phrases), 1)
    cell = line * phrases + phrase
    rank = note_ranks(score, analysis)
    order = np.argsort(cell, kind="stable")
    known, start = np.unique(cell[order], return_index=True)
    stop = np.append(start[1:], len(order))
    table = np.array([(a.phrase, a.line, a.seat, a.octaves, a.doubling) for a in assignments], np.int64).reshape(-1, 5)
    wanted = table[:, 1] * phrases + table[:, 0]
    at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    there = known[at] == wanted if len(known) else np.zeros(len(wanted), bool)
    table, at, wanted = table[there], at[there], wanted[there]
    nth, many = _nth_carrier(wanted, table[:, 4] > 0)
    length = stop[at] - start[at]
    row = np.repeat(np.arange(len(table)), length)
    offset = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    source = order[start[at][row] + offset]
    seat, doubling = table[row, 2], table[row, 4] > 0
    drum = ~score.pitched[source]
    mine = np.where(doubling, rank[source] < seats.divisi[seat], np.minimum(rank[source], many[row] - 1) == nth[row])
    drum_seat, drum_key = drum_map(template.forces.seats)
    key = notes["pitch"][source].astype(np.int64)
    mine = np.where(drum, drum_seat[key] == seat, mine & seats.pitched[seat])
    row, source, seat, doubling, drum, key = (x[mine] for x in (row, source, seat, doubling, drum, key))
    draft = np.zeros(len(source), DRAFT)
    draft["source"], draft["seat"], draft["doubling"] = source, seat, doubling
    draft["pitch"] = np.where(drum, drum_key[key], key + 12 * table[row, 3])
    ends = np.where(seats.sustains_pedal[seat], score.ends[source], pedalled_ends(score)[source])
    draft["onset"], draft["duration"] = notes["onset"][source], ends - notes["onset"][source]
    for name in ("velocity", "step", "alter", "articulation"):
        draft[name] = notes[name][source]
    draft["line"], draft["phrase"], draft["role"] = line[source], phrase[source], role[source]
    draft["rank"] = np.minimum(rank[source], 100)
    draft["priority"] = _priorities(rank[source], cell[source], notes["onset"][source], role[source], doubling)
    return draft


def _nth_carrier(cell: Ints, doubling: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Per assignment: its place among the carriers of its line and phrase, and how many there are."""
    nth, many = np.zeros(len(cell), np.int64), np.ones(len(cell), np.int64)
    carriers = np.flatnonzero(~doubling)
    order = carriers[np.argsort(cell[carriers], kind="stable")]
    if len(order):
        _, first, inverse, count = np.unique(cell[order], return_index=True, return_inverse=True, return_counts=True)
        nth[order] = np.arange(len(order)) - first[inverse]
        many[order] = count[inverse]
    return nth, many


def _priorities(rank: Ints, cell: Ints, onset: Ints, role: Ints, doubling: npt.NDArray[np.bool_]) -> Ints:
    """Who yields when a seat has too many notes: doublings, then background, then the inner notes of chords."""
    base = np.array([_PRIORITY[Role(r)] for r in range(6)])[np.clip(role, 0, 5)]
    key = np.stack([cell, onset])
    order = np.lexsort(key[::-1])
    new = np.ones(len(order), bool)
    new[1:] = np.any(np.diff(key[:, order]) != 0, axis=0)
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new) - 1
    largest = np.zeros(int(group.max()) + 1 if len(group) else 0, np.int64)
    np.maximum.at(largest, group, rank)
    outer = np.where(rank == 0, 0, np.where(rank == largest[group], 1, 2 + np.minimum(rank, 4)))
    return np.asarray(base - outer + np.where(doubling, DOUBLES, 0), np.int64)
