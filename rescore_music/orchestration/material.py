"""What there is to play, phrase by phrase: the lines' strands as columns.

A *strand* is one voice of a chordal line in one phrase: rank 0 is the note the line is heard by (the top one, in a
bass line the lowest), rank 1 the next, and so on; a single-voiced line has one strand. The k-th strand is given to a
seat by the k-th carrier of the line in that phrase, and the last carrier takes the rest of the chord.

Conventions: ticks, sounding MIDI pitches, seconds where a name says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.costs import DOUBLE_IMPORTANCE, IMPORTANCE
from rescore_music.score import GRACE, Rows, Score
from rescore_music.structure import Analysis, Role

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_STRANDS = 4  # of one line; closer chords are left to divisi and thinning
_COMMON = 0.15  # a chord size counts if that share of the line's onsets has it
_SLOTS = 32  # time slots a phrase in which sounding together is counted
_TIMPANI = 47  # General MIDI program
_QUICK_S, _THIRD = 0.5, 3  # seconds, semitones: a note reached like this belongs to a broken chord
_BREAK_S = 0.12  # a gap this long lets a player breathe
_ORDER = (Role.MELODY, Role.BASS, Role.COUNTER_MELODY, Role.HARMONY, Role.FIGURATION)


@dataclass(frozen=True, eq=False)
class Material:
    """Strands (rows) and phrases, as columns.

    Attributes
    ----------
    phrase, line, rank, role : int64 arrays, shape (strands,)
    doubled : int64 array
        The line of the source that this one doubles, else -1.
    importance : float64 array
    rate, run_s, repeated : float64 arrays
        Notes a second while active; the longest stretch without a rest in seconds; share of notes that repeat the
        pitch before.
    broken : float64 array
        Share of the notes that are reached quickly by a third or more: near 1 for a broken chord, 0 for a scale.
    histogram : float64 array, shape (strands, 128)
        Share of the strand's weight on each pitch.
    mean : float64 array
        Mean pitch.
    activity : float64 array, shape (strands, slots)
        Share of each time slot of the phrase in which the strand sounds.
    kettle : bool array
        Whether the source gives the line to timpani.
    level : float64 array
        Loudness of the strand's notes in dB against the cue's mean.
    table : int64 array, shape (phrases, most strands)
        Strands of each phrase, most important first; -1 beyond.
    overlap : float64 array, shape (phrases, most, most)
        [p, k, j]: share of strand k's time in which strand j sounds too.
    dynamic : float64 array, shape (phrases,)
        How loud the phrase wants to be, 0 = pp .. 1 = ff.
    intensity, seconds : float64 arrays, shape (phrases,)
    label, form : int64 arrays, shape (phrases,)
        Codes of the label as it stands ("A'") and of its letter ("A").
    """

    phrase: Ints
    line: Ints
    rank: Ints
    role: Ints
    doubled: Ints
    importance: Floats
    rate: Floats
    run_s: Floats
    repeated: Floats
    broken: Floats
    histogram: Floats
    mean: Floats
    activity: Floats
    kettle: npt.NDArray[np.bool_]
    level: Floats
    table: Ints
    overlap: Floats
    dynamic: Floats
    intensity: Floats
    seconds: Floats
    label: Ints
    form: Ints


def chord_ranks(notes: Rows, group: Ints, from_below: npt.NDArray[np.bool_]) -> Ints:
    """Place of each note in its chord: 0 for the outer note (top, or lowest where `from_below`), then inwards.

    Notes of one `group` with one onset are a chord. Grace notes are none of it: all are 0, so that whoever plays the
    outer note plays its grace notes too, and none of these pushes it inwards.
    """
    onset, pitch = notes["onset"], notes["pitch"].astype(np.int64)
    grace = (notes["articulation"] & GRACE) != 0
    group = 2 * group + grace
    order = np.lexsort((np.where(from_below, pitch, -pitch), onset, group))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(onset[order]) != 0) | (np.diff(group[order]) != 0)
    place = np.arange(len(order))
    start = np.maximum.accumulate(np.where(new, place, 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = place - start
    rank[grace] = 0
    return rank


def phrase_dynamics(score: Score, analysis: Analysis) -> tuple[Floats, Floats]:
    """Per phrase: the wished dynamic and the mean intensity, both 0..1.

    The dynamic is half the source's velocities, half the intensity curve; where a source plays everything at one
    velocity the curve alone speaks.
    """
    phrases = len(analysis.phrases)
    starts = np.array([p.start for p in analysis.phrases], np.int64)
    ends = np.array([p.end for p in analysis.phrases], np.int64)
    if len(analysis.intensity):
        first = score.bar_of(starts)
        last = np.maximum(score.bar_of(np.maximum(ends - 1, starts)), first)
        sums = np.concatenate([[0.0], np.cumsum(analysis.intensity)])
        top = len(analysis.intensity)
        first, last = np.minimum(first, top - 1), np.minimum(last, top - 1)
        intensity = (sums[last + 1] - sums[first]) / (last + 1 - first)
    else:
        intensity = np.full(phrases, 0.5)
    notes = score.notes
    phrase = analysis.phrase_of(notes["onset"])
    weight = np.maximum(notes["duration"], 1).astype(np.float64)
    total = np.bincount(phrase, weight, phrases)
    mean = np.bincount(phrase, weight * notes["velocity"], phrases) / np.maximum(total, 1e-9)
    velocity = np.where(total > 0, mean, 64.0)
    spread = float(notes["velocity"].std()) if len(notes) else 0.0
    share = 0.6 * min(1.0, spread / 8.0)
    asked = np.clip((velocity - 30.0) / 85.0, 0.0, 1.0)
    return np.clip(share * asked + (1 - share) * (0.15 + 0.7 * intensity), 0.0, 1.0), np.clip(intensity, 0.0, 1.0)


def material(score: Score, analysis: Analysis) -> Material:
    """The pitched lines of a cue as strands."""
    notes = score.notes
    chosen = np.flatnonzero(score.pitched)
    phrase = analysis.phrase_of(notes["onset"][chosen])
    line = analysis.line_of[chosen].astype(np.int64)
    phrases, lines = len(analysis.phrases), max(len(analysis.lines), 1)
    role = analysis.roles[line, phrase].astype(np.int64)
    kept = (role != int(Role.REST)) & (role != int(Role.PERCUSSION))
    chosen, phrase, line, role = chosen[kept], phrase[kept], line[kept], role[kept]
    cell = phrase * lines + line
    rank = chord_ranks(notes[chosen], cell, role == int(Role.BASS))
    rank = np.minimum(rank, _chord_sizes(cell, rank, phrases * lines)[cell] - 1)
    key, strand = np.unique(cell * MAX_STRANDS + rank, return_inverse=True)
    cell_of = key // MAX_STRANDS
    return _columns(score, analysis, chosen, strand, cell_of // lines, cell_of % lines, key % MAX_STRANDS)


def _chord_sizes(cell: Ints, rank: Ints, cells: int) -> Ints:
    """Strands of each (phrase, line): the largest chord size that is common enough."""
    onsets = np.maximum(np.bincount(cell[rank == 0], minlength=cells), 1)
    sizes = np.ones(cells, np.int64)
    for k in range(1, MAX_STRANDS):
        sizes = np.where(np.bincount(cell[rank == k], minlength=cells) >= _COMMON * onsets, k + 1, sizes)
    return sizes


def _columns(
    score: Score, analysis: Analysis, chosen: Ints, strand: Ints, phrase: Ints, line: Ints, rank: Ints
) -> Material:
    notes = score.notes[chosen]
    n, phrases = len(phrase), len(analysis.phrases)
    starts = np.array([p.start for p in analysis.phrases], np.int64)
    ends = np.array([p.end for p in analysis.phrases], np.int64)
    pitch = notes["pitch"].astype(np.int64)
    weight = notes["duration"] / score.ticks_per_quarter + 0.25
    weighed = np.asarray(np.bincount(strand * 128 + pitch, weight, n * 128), np.float64).reshape(n, 128)
    histogram = weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-9)
    role = analysis.roles[line, phrase].astype(np.int64)
    doubled = analysis.doubles[line, phrase].astype(np.int64) if analysis.doubles.size else np.full(n, -1, np.int64)
    rate, run_s = _motion(score, notes["onset"], score.ends[chosen], strand, n)
    activity = _activity(notes["onset"], score.ends[chosen], strand, starts[phrase], ends[phrase])
    velocity = np.bincount(strand, notes["velocity"], n) / np.maximum(np.bincount(strand, minlength=n), 1)
    overall = float(notes["velocity"].mean()) if len(notes) else 64.0
    importance = np.array([IMPORTANCE[Role(r)] for r in role]) * np.where(rank == 0, 1.0, 0.6)
    importance = np.where(doubled >= 0, DOUBLE_IMPORTANCE * importance, importance)
    importance *= 0.4 + 0.6 * np.minimum(1.0, activity.mean(axis=1) * 2)
    mean = histogram @ np.arange(128.0)
    table = _table(phrase, line, rank, role, doubled, importance, phrases, analysis)
    dynamic, intensity = phrase_dynamics(score, analysis)
    labels = [p.label for p in analysis.phrases]
    forms = [(label.rstrip("'′0123456789*") or label) for label in labels]
    return Material(
        phrase=phrase,
        line=line,
        rank=rank,
        role=role,
        doubled=doubled,
        importance=importance,
        rate=rate,
        run_s=run_s,
        repeated=_repeated(notes["onset"], pitch, strand, n),
        broken=broken_share(score.seconds(notes["onset"]), pitch, strand, n),
        histogram=histogram,
        mean=mean,
        activity=activity,
        kettle=_kettledrums(score)[np.array([x.part for x in analysis.lines] or [0], np.int64)[line]],
        level=0.28 * (velocity - overall),
        table=table,
        overlap=_overlap(activity, table),
        dynamic=dynamic,
        intensity=intensity,
        seconds=np.asarray(score.seconds(ends) - score.seconds(starts), np.float64),
        label=np.array([labels.index(x) for x in labels], np.int64),
        form=np.array([forms.index(x) for x in forms], np.int64),
    )


def _kettledrums(score: Score) -> npt.NDArray[np.bool_]:
    """Per part of the source whether timpani play it, by instrument or General MIDI program."""
    known = [p.instrument == "timpani" or (not p.instrument and p.program == _TIMPANI) for p in score.parts]
    return np.array(known or [False], bool)


def _motion(score: Score, onset: Ints, end: Ints, strand: Ints, n: int) -> tuple[Floats, Floats]:
    """Notes a second while active, and the longest run without a rest in seconds, per strand."""
    order = np.lexsort((onset, strand))
    who, at, off = strand[order], score.seconds(onset[order]), score.seconds(end[order])
    same = np.zeros(len(order), bool)
    same[1:] = who[1:] == who[:-1]
    step = np.zeros(len(order))
    step[1:] = np.where(same[1:], np.diff(at), 0.0)
    distinct = ~same | (step > 1e-6)
    count = np.bincount(who[distinct], minlength=n)
    active = np.bincount(who, np.minimum(step, 0.75), n)
    rate = np.where(active > 0, np.maximum(count - 1, 0) / np.maximum(active, 1e-3), 0.0)
    reached = np.empty(len(order))
    if len(order):
        # running latest end inside each strand: offset strands so that one accumulate serves all
        lift = who * (float(off.max()) + 1.0)
        reached = np.maximum.accumulate(off + lift) - lift
    fresh = ~same
    fresh[1:] |= at[1:] - reached[:-1] > _BREAK_S
    starts = np.flatnonzero(fresh)
    spans = np.maximum.reduceat(reached, starts) - at[starts] if len(starts) else np.zeros(0)
    longest = np.zeros(n)
    np.maximum.at(longest, who[starts], spans)
    return rate, longest


def _repeated(onset: Ints, pitch: Ints, strand: Ints, n: int) -> Floats:
    """Share of each strand's notes that repeat the pitch before."""
    order = np.lexsort((onset, strand))
    again = np.zeros(len(order), bool)
    again[1:] = (np.diff(strand[order]) == 0) & (np.diff(pitch[order]) == 0)
    count = np.maximum(np.bincount(strand, minlength=n), 1)
    return np.asarray(np.bincount(strand[order][again], minlength=n) / count, np.float64)


def broken_share(at: Floats, pitch: Ints, group: Ints, n: int) -> Floats:
    """Share of each group's notes that lie a third or more from the note less than half a second before.

    Octave leaps on the beat (boom-chick basses) are slower than that at usual tempi, or one note in two.

    Parameters
    ----------
    at : float64 array, shape (notes,)
        Onsets in seconds.
    pitch, group : int64 arrays, shape (notes,)
    n : int
        How many groups there are.
    """
    order = np.lexsort((at, group))
    gap = np.diff(at[order])
    wide = (np.diff(group[order]) == 0) & (gap > 1e-6) & (gap < _QUICK_S)
    wide &= np.abs(np.diff(pitch[order])) >= _THIRD
    count = np.bincount(group, minlength=n)
    return np.asarray(np.bincount(group[order][1:][wide], minlength=n) / np.maximum(count, 1), np.float64)


def _activity(onset: Ints, end: Ints, strand: Ints, start: Ints, stop: Ints) -> Floats:
    """Per strand and time slot of its phrase whether it sounds, shape (strands, slots)."""
    n = len(start)
    length = np.maximum(stop - start, 1)[strand]
    first = np.clip((onset - start[strand]) * _SLOTS // length, 0, _SLOTS - 1)
    last = np.clip(-((-(end - start[strand]) * _SLOTS) // length), first + 1, _SLOTS)
    edges = np.zeros((n, _SLOTS + 1))
    np.add.at(edges, (strand, first), 1.0)
    np.add.at(edges, (strand, last), -1.0)
    return np.asarray(np.cumsum(edges[:, :_SLOTS], axis=1) > 0, np.float64)


def _table(
    phrase: Ints, line: Ints, rank: Ints, role: Ints, doubled: Ints, importance: Floats, phrases: int, a: Analysis
) -> Ints:
    """Strands of each phrase in the order in which they are handed out."""
    place = {int(r): i for i, r in enumerate(_ORDER)}
    rows = np.array([place[int(r)] for r in role], np.int64) if len(role) else role
    sure = a.confidence[line, phrase] if a.confidence.size else np.ones(len(line))
    # main lines first: outer strands by role, then the chords' inner strands, then the source's own doublings
    late = np.where(doubled >= 0, 3, np.where(rank > 0, 2, (rows > 1).astype(np.int64)))
    order = np.lexsort((rank, line, -importance, -sure, rows, late, phrase))
    # one melody and one bass lead; a second melody waits until the bass is seated
    leads = np.zeros(len(order), bool)
    main = order[late[order] == 0]
    _, first = np.unique(phrase[main] * 2 + rows[main], return_index=True)
    leads[main[first]] = True
    order = order[np.lexsort((np.arange(len(order)), np.where(leads, -1, late)[order], phrase[order]))]
    counts = np.bincount(phrase, minlength=phrases)
    table = np.full((phrases, int(counts.max()) if len(phrase) else 0), -1, np.int64)
    column = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    table[phrase[order], column] = order
    return table


def _overlap(activity: Floats, table: Ints) -> Floats:
    if not table.size:
        return np.zeros((*table.shape, table.shape[1]))
    active = np.where((table >= 0)[:, :, None], activity[np.maximum(table, 0)], 0.0)
    together = active @ active.transpose(0, 2, 1)
    return np.asarray(together / np.maximum(active.sum(axis=2)[:, :, None], 1.0), np.float64)
