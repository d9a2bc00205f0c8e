"""From what a notation file says, bar by bar, to a Score: where bars begin, ties, keys, tempo, velocities.

Readers of notation fill a `Draft`: everything is placed by (bar index, ticks into the bar). Only when all parts are
read is it known how long each bar is; `assemble` then gives every row its tick. Bars follow the meters unless the
music says otherwise (pickups, bars split at a repeat, overfull bars): only then `Score.barlines` is set.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from rescore_music.errors import ReadError
from rescore_music.io.limits import BAR_QUARTERS, BARS, NOTES
from rescore_music.io.notation.dynamics import velocities
from rescore_music.score import (
    CONTROL,
    GRACE,
    KEY,
    METER,
    NOTE,
    PROGRAM,
    Articulation,
    LogItem,
    Mark,
    Metadata,
    Part,
    Rows,
    Score,
)
from rescore_music.tempo import US_MAX, US_MIN, TempoMap

TIE_START, TIE_STOP = 1, 2
BAR_END = -1  # MarkDraft.at: where the bar ends, wherever that will be
STARTS_ON_GRACE, ENDS_ON_GRACE = 1, 2  # Mark.value of a slur

_REACHES = 16  # notes of one voice that reach over the next, in a chain: no music has more
Ints = npt.NDArray[np.int64]

ROW = np.dtype(
    [
        ("bar", "<i8"),
        ("at", "<i8"),
        ("duration", "<i8"),
        ("pitch", "<i8"),
        ("part", "<i8"),
        ("voice", "<i8"),
        ("staff", "<i8"),
        ("step", "<i8"),
        ("alter", "<i8"),
        ("flags", "<i8"),
        ("tie", "<i8"),
        ("velocity", "<i8"),  # -1: as the dynamics say
    ]
)


class MarkDraft:
    """A mark whose place is known by bar only; `end_bar` -1 while open or at a point."""

    __slots__ = ("at", "bar", "end_at", "end_bar", "kind", "part", "staff", "text", "value", "voice")

    def __init__(
        self, bar: int, at: int, kind: str, text: str, part: int, staff: int = 0, voice: int = 0, value: float = 0.0
    ) -> None:
        self.bar, self.at, self.kind, self.text, self.part = bar, at, kind, text, part
        self.staff, self.voice, self.value = staff, voice, value
        self.end_bar, self.end_at = -1, 0

    def drop(self) -> None:
        """Take it out of the draft: searching it there would take as long as there are marks."""
        self.kind = ""


@dataclass
class Draft:
    """What a notation file says. Tuples are (bar, ticks into it, ...)."""

    ticks_per_quarter: int
    file: str
    rows: array[int] = field(default_factory=lambda: array("q"))  # of ROW, one after the other
    marks: list[MarkDraft] = field(default_factory=list)
    keys: list[tuple[int, int, int, int, int]] = field(default_factory=list)  # bar, at, part, concert fifths, mode
    meters: dict[int, tuple[int, int]] = field(default_factory=dict)
    tempi: list[tuple[int, int, float, int]] = field(default_factory=list)  # bar, at, quarters a minute, rank
    programs: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    filled: dict[int, int] = field(default_factory=dict)  # how far notes and rests reach into each bar
    sounded: dict[int, int] = field(default_factory=dict)  # how far notes alone do
    rested: dict[int, int] = field(default_factory=dict)  # how long whole-bar rests say the bar is
    bars: int = 0
    log: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, where: str, what: str, count: int = 1) -> None:
        """Count a repair or loss."""
        self.log[(where, what)] += count


def assemble(draft: Draft, parts: list[Part], metadata: Metadata) -> Score:
    """The score a draft describes.

    Raises
    ------
    ReadError
        If there are no bars, too many bars or notes, or a bar is impossibly long. A score of rests is a score.
    """
    if not draft.bars:
        raise ReadError("the score has no bars, so no notes", file=draft.file, cure="export a score with music in it")
    if len(draft.rows) > NOTES * len(ROW.names or ()) or draft.bars > BARS:
        raise ReadError(f"more than {NOTES:,} notes or {BARS:,} bars", file=draft.file, cure="split the file")
    lengths, nominal = _bar_lengths(draft)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    notes, percent = _notes(draft, starts, lengths)
    marks = _marks(draft, starts)
    marks = _settled_slurs(draft, notes, marks)
    written = velocities(notes, marks, len(parts), draft.ticks_per_quarter, starts)
    notes["velocity"] = np.where(percent >= 0, np.clip(percent, 1, 127), written)
    draft.meters.setdefault(0, (4, 4))  # what a score without a meter is counted in
    meters = np.array([(starts[bar], *draft.meters[bar]) for bar in sorted(draft.meters)], METER)
    program_rows = _programs(draft, starts, parts)
    score = Score(
        notes=notes,
        parts=tuple(parts),
        tempo=_tempo(draft, starts),
        ticks_per_quarter=draft.ticks_per_quarter,
        meters=_changes(meters, ("numerator", "denominator")),
        keys=_keys(draft, starts, parts),
        controls=_pedals(marks),
        programs=np.array(program_rows, PROGRAM),
        marks=tuple(marks),
        length=int(starts[-1]),
        metadata=metadata,
    )
    barlines = starts if not np.array_equal(score.bars, starts) else starts[:0]
    if len(barlines) and (irregular := int(np.count_nonzero(lengths != nominal))):
        draft.note("bars", "bars shorter or longer than their meter, kept", irregular)
    log = tuple(
        LogItem(where, what, count, what.startswith("notes") and what.endswith("dropped"))
        for (where, what), count in sorted(draft.log.items())
    )
    return score.replace(barlines=barlines, import_log=log) if len(barlines) or log else score


def _bar_lengths(draft: Draft) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How long each bar is, and how long its meter says it should be."""
    quarter = draft.ticks_per_quarter
    nominal = np.zeros(draft.bars, np.int64)
    lengths = np.zeros(draft.bars, np.int64)
    meter = (4, 4)
    for bar in range(draft.bars):
        meter = draft.meters.get(bar, meter)
        nominal[bar] = max(1, quarter * 4 * meter[0] // meter[1])
        length = draft.filled.get(bar, 0)
        if not length:
            rest = draft.rested.get(bar, 0)
            length = int(min(rest, nominal[bar])) if rest else int(nominal[bar])
        elif length > nominal[bar]:  # rests do not make a bar too long, nor do durations that were rounded
            length = max(draft.sounded.get(bar, 0), int(nominal[bar]))
            if length < nominal[bar] + quarter / 10:
                length = int(nominal[bar])
                draft.note("bars", "rests or rounded durations that overfill a bar, cut at its end")
        if length > BAR_QUARTERS * quarter:
            what = f"the bar lasts {length // quarter} quarters, which cannot be"
            raise ReadError(what, file=draft.file, where=f"bar {bar + 1}", cure="mend its durations")
        lengths[bar] = length
    return lengths, nominal


def _notes(
    draft: Draft, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """The NOTE array with ties merged, and the velocity each note's own attribute asks for (-1: none)."""
    rows = np.frombuffer(draft.rows, ROW).copy()
    room = np.maximum(lengths[rows["bar"]] - rows["at"], np.minimum(rows["duration"], 1))
    rows["duration"] = np.minimum(rows["duration"], room)
    onset = starts[rows["bar"]] + rows["at"]
    late = onset < 0
    if late.any():
        draft.note("notes", "notes before the beginning, moved to it", int(late.sum()))
        onset = np.maximum(onset, 0)
    keep = np.ones(len(rows), bool)
    tied = np.flatnonzero((rows["tie"] > 0) & (rows["flags"] & GRACE == 0))
    if len(tied):
        _merge_ties(draft, rows, onset, tied, keep)
    rows, onset = rows[keep], onset[keep]
    notes = np.zeros(len(rows), NOTE)
    notes["onset"] = onset
    for name in ("duration", "pitch", "part", "voice", "staff", "step", "alter"):
        notes[name] = rows[name]
    notes["articulation"] = rows["flags"]
    order = np.lexsort((notes["pitch"], notes["part"], notes["onset"]))
    return notes[order], rows["velocity"][order]


def _merge_ties(
    draft: Draft,
    rows: Rows,
    onset: npt.NDArray[np.int64],
    tied: npt.NDArray[np.int64],
    keep: npt.NDArray[np.bool_],
) -> None:
    """Join tied notes into their first one (in place): same part and pitch, the next beginning where one ends."""
    tied = tied[np.argsort(onset[tied], kind="stable")]
    columns = (onset, rows["duration"], rows["part"], rows["pitch"], rows["voice"], rows["tie"], rows["flags"])
    table = np.stack([column[tied] for column in columns], axis=1).tolist()
    waiting: dict[tuple[int, int, int], list[tuple[int, int]]] = {}  # (part, pitch, end) -> (voice, head)
    lone_stop = joined = heads = 0
    for index, (start, duration, part, pitch, voice, tie, flags) in zip(tied.tolist(), table, strict=True):
        head = index
        if tie & TIE_STOP:
            here = waiting.get((part, pitch, start))
            if here:
                choice = next((k for k, (v, _) in enumerate(here) if v == voice), 0)
                head = here.pop(choice)[1]
                joined += 1
                rows["duration"][head] += duration
                rows["flags"][head] |= flags
                keep[index] = False
            else:
                lone_stop += 1
        if tie & TIE_START:
            heads += 1
            waiting.setdefault((part, pitch, start + duration), []).append((voice, head))
    if lone_stop:
        draft.note("ties", "ties that end on a note without beginning, ignored", lone_stop)
    if heads > joined:
        draft.note("ties", "ties that begin on a note and lead nowhere, ignored", heads - joined)


def mark_order(mark: Mark) -> tuple[int, int, str, int, int, float]:
    """An order of their own for marks of one place, so that a score written and read again is equal."""
    return mark.tick, mark.part, mark.kind, mark.staff, mark.voice, mark.value


def _marks(draft: Draft, starts: npt.NDArray[np.int64]) -> list[Mark]:
    seen: set[tuple[int, str, str]] = set()
    out = []
    for m in draft.marks:
        if not m.kind:
            continue
        tick = int(starts[m.bar + 1]) if m.at == BAR_END else int(starts[m.bar]) + m.at
        if m.part < 0:  # what every part repeats is said once
            if (tick, m.kind, m.text) in seen:
                continue
            seen.add((tick, m.kind, m.text))
        if m.kind == "barline" and m.text == "final" and tick == starts[-1]:
            continue  # every score ends so
        end = int(starts[m.end_bar]) + m.end_at if m.end_bar >= 0 else -1
        if 0 <= end < tick:
            draft.note("marks", f"a {m.kind} that ends before it starts, dropped")
            continue
        out.append(Mark(tick, m.kind, m.text, m.part, end, m.staff, m.voice, m.value))
    return sorted(out, key=mark_order)


def _settled_slurs(draft: Draft, notes: Rows, marks: list[Mark]) -> list[Mark]:
    """Slurs from the first tick of their first note to the last of their last (in place: SLURRED on all but the last).

    A slur may begin or end on a later note of a tie, which is no note of its own here.
    """
    slurs = [m for m in marks if m.kind == "slur" and m.end >= 0]
    if not slurs or not len(notes):
        return marks
    key = notes["part"].astype(np.int64) * 256 + notes["voice"]
    order = np.lexsort((notes["onset"], key))
    ends = notes["onset"] + notes["duration"]
    part, voice, tick, end, value = np.array([(m.part, m.voice, m.tick, m.end, int(m.value)) for m in slurs]).T
    width = int(max(ends.max(), end.max())) + 2  # ticks fit below it, so (part, voice, tick) is one sortable number
    base = (part * 256 + voice) * width
    wide = key * width + notes["onset"]
    tick, end, first, tail, lone = _slurred(wide[order], ends[order] - notes["onset"][order], base, tick, end, value)
    if lone.any():
        draft.note("slurs", "slurs over one tied note, dropped", int(lone.sum()))
    joined = (tail > first) & ~lone
    change = np.bincount(first[joined], minlength=len(wide) + 1) - np.bincount(tail[joined], minlength=len(wide) + 1)
    notes["articulation"][order[np.cumsum(change)[:-1] > 0]] |= int(Articulation.SLURRED)
    settled = iter(zip(tick.tolist(), end.tolist(), lone.tolist(), strict=True))
    out = []
    for m in marks:
        if m.kind != "slur" or m.end < 0:
            out.append(m)
            continue
        at, until, alone = next(settled)
        if not alone:
            out.append(m if (at, until) == (m.tick, m.end) else replace(m, tick=at, end=until))
    return sorted(out, key=mark_order)


def _slurred(wide: Ints, length: Ints, base: Ints, tick: Ints, end: Ints, value: Ints) -> tuple[Ints, ...]:
    """Tick, end, first note and last chord of each slur, and whether it lies over one tied note alone.

    `wide` are the notes' places, `base` where a slur's part and voice begin among them. Where a voice overlaps itself
    the end of the last note may reach over a later one, which then is the last: so a slur read again is the same.
    """
    first, behind = np.searchsorted(wide, [base + tick, base + np.maximum(end, tick + 1)])
    before = np.maximum(first - 1, 0)  # a slur may begin on a later note of the tie that starts here
    begun = (first == behind) | (wide[np.minimum(first, len(wide) - 1)] != base + tick)
    begun &= (first > 0) & (wide[before] >= base) & (wide[before] + length[before] > base + tick)
    tick = np.where(begun, wide[before] - base, tick)
    first = np.where(begun, np.searchsorted(wide, base + tick), first)
    reaches = np.append(wide + length, (0, 0))
    lone = (behind > first) & (wide[np.minimum(first, len(wide) - 1)] == wide[behind - 1]) & (value == 0)
    for _ in range(_REACHES):
        some = behind > first
        tail = np.where(some, np.searchsorted(wide, wide[behind - 1]), first)  # where the chord that it ends on begins
        chords = np.stack([tail, np.maximum(behind, tail + 1)], axis=1).ravel()
        reach = np.maximum.reduceat(reaches, chords)[::2] - base
        longer = some & (value & ENDS_ON_GRACE == 0) & (reach > end)
        if not longer.any():
            break
        end = np.where(longer, reach, end)
        behind = np.searchsorted(wide, base + np.maximum(end, tick + 1))
    return tick, end, first, tail, lone


def _changes(rows: Rows, names: tuple[str, ...]) -> Rows:
    """Rows without those that repeat what is in force."""
    if len(rows) < 2:
        return rows
    same = np.ones(len(rows) - 1, bool)
    for name in names:
        same &= rows[name][1:] == rows[name][:-1]
    return np.asarray(rows[np.concatenate([[True], ~same])])


def _keys(draft: Draft, starts: npt.NDArray[np.int64], parts: list[Part]) -> Rows:
    """One concert key for the score: at each place what most pitched parts say.

    A part without a key signature by custom (horns, timpani) is outvoted; the first part decides a draw.
    """
    votes: dict[int, dict[tuple[int, int], list[int]]] = {}
    for bar, at, part, fifths, mode in draft.keys:
        if not parts[part].percussion:
            votes.setdefault(int(starts[bar]) + at, {}).setdefault((fifths, mode), []).append(part)
    rows = []
    for tick in sorted(votes):
        ballots = votes[tick]
        fifths, mode = max(ballots, key=lambda choice: (len(ballots[choice]), -min(ballots[choice])))
        rows.append((tick, fifths, mode))
        others = sum(len(p) for choice, p in ballots.items() if choice[0] != fifths)
        if others:
            draft.note("keys", "parts with a key signature of their own (by custom or error), outvoted", others)
    return _changes(np.array(rows, KEY), ("fifths", "mode"))


def _programs(draft: Draft, starts: npt.NDArray[np.int64], parts: list[Part]) -> list[tuple[int, int, int, int]]:
    """Changes of sound: rows of PROGRAM that differ from what is in force."""
    now = [(part.program, part.bank) for part in parts]
    rows = []
    for bar, at, part, program, bank in sorted(draft.programs, key=lambda p: p[:2]):
        if now[part] != (program, bank):
            rows.append((int(starts[bar]) + at, part, program, bank))
            now[part] = program, bank
    return rows


def _tempo(draft: Draft, starts: npt.NDArray[np.int64]) -> TempoMap:
    best: dict[int, tuple[int, float]] = {}
    for bar, at, bpm, rank in draft.tempi:
        us = 6e7 / bpm if bpm > 0 else 0.0
        if not US_MIN <= us <= US_MAX:
            draft.note("tempo", "impossible tempi, ignored")
            continue
        if abs(us - round(us)) < 1e-5 * max(1.0, us / 1e6):
            us = float(round(us))  # a MIDI tempo printed with twelve digits
        tick = max(int(starts[bar]) + at, 0)
        if tick not in best or rank < best[tick][0]:
            best[tick] = (rank, us)
    return TempoMap.from_events([(tick, us) for tick, (_, us) in best.items()], draft.ticks_per_quarter)


def _pedals(marks: list[Mark]) -> Rows:
    rows = []
    for m in marks:
        if m.kind == "pedal" and m.end > m.tick and m.part >= 0:
            number = 66 if m.text == "sostenuto" else 64
            rows += [(m.tick, m.part, number, 127), (m.end, m.part, number, 0)]
    # a pedal lifted and pressed at one tick lifts first
    return np.array(sorted(rows, key=lambda r: (r[0], r[1], r[3])), CONTROL)
