"""Voice separation inside polyphonic parts, and the lines of the score.

A part that never sounds two notes at once is one voice. What the source notates is evidence: staves are separated on
their own, and several notated voices that hold no chords are taken as they stand. Everything else is given to
`streams`: the number of voices is read from how many notes sound together for most of the time, notes beyond that
number form chords in the inner voices (the top and the bottom note stay alone), and voices that would hold only a few
notes are absorbed by their neighbour.

Conventions: voice 0 is the highest of its part; percussion parts have voice -1; ticks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis import streams
from rescore_music.errors import ScoreError
from rescore_music.score import GRACE, Score
from rescore_music.structure import Line

Ints = npt.NDArray[np.int64]

MOST_VOICES = 8  # that may be asked for
FOUND_VOICES = 4  # that are looked for when the number is not given
BESIDE_OTHERS = 3  # that are looked for in a part of an ensemble
TOGETHER = 24  # onsets within a quarter over this are one chord, as a hand plays it
UNEVEN = 0.06  # share of a chordal part's notes that may not move with their chord
FEW_NOTES, FEW_SHARE = 8, 0.06  # a voice below either is a fragment


def separate_voices(score: Score, part: int | None = None, voices: int | None = None) -> npt.NDArray[np.int16]:
    """Voice of every note inside its part.

    Parameters
    ----------
    score : Score
    part : int, optional
        Look at this part only.
    voices : int, optional
        Number of voices of each part looked at; found from the texture where it is not given.

    Returns
    -------
    int16 array, shape (notes,)
        0 = highest voice; -1 on percussion parts and on parts not looked at.

    Raises
    ------
    ScoreError
        If `voices` is not 1 to 8, or there is no such part.
    """
    if voices is not None and not 1 <= voices <= MOST_VOICES:
        raise ScoreError(f"{voices} voices asked for", cure=f"ask for 1 to {MOST_VOICES}")
    if part is not None and not 0 <= part < len(score.parts):
        raise ScoreError(f"there is no part {part}", cure=f"the score has {len(score.parts)} parts, numbered from 0")
    out = np.full(len(score.notes), -1, np.int16)
    order = np.argsort(score.notes["part"], kind="stable")
    cuts = np.searchsorted(score.notes["part"][order], np.arange(len(score.parts) + 1))
    alone = sum(not p.percussion for p in score.parts) <= 2
    jobs: list[tuple[Ints, int, int]] = []  # notes, number of voices, first voice number
    for number, described in enumerate(score.parts):
        if described.percussion or (part is not None and number != part):
            continue
        notes = order[cuts[number] : cuts[number + 1]]
        if len(notes):
            _plan(score, notes, voices, alone, out, jobs)
    _run(score, jobs, out)
    if voices is None:
        _tidy(score, out)
    return out


def lines_of(score: Score, voices: npt.NDArray[np.int16]) -> tuple[tuple[Line, ...], npt.NDArray[np.int32]]:
    """The lines of a score, by part then voice, and the line of every note."""
    key = score.notes["part"].astype(np.int64) * 1000 + np.maximum(voices.astype(np.int64), 0)
    names, line_of = np.unique(key, return_inverse=True)
    order = np.argsort(line_of, kind="stable")
    cuts = np.searchsorted(line_of[order], np.arange(len(names) + 1))
    lines = tuple(
        Line(int(name // 1000), int(name % 1000), order[cuts[i] : cuts[i + 1]].astype(np.int64))
        for i, name in enumerate(names)
    )
    return lines, line_of.astype(np.int32)


def _plan(
    score: Score,
    notes: Ints,
    voices: int | None,
    alone: bool,
    out: npt.NDArray[np.int16],
    jobs: list[tuple[Ints, int, int]],
) -> None:
    """Settles the simple cases of one part in `out`, puts the others on the list."""
    rows = score.notes[notes]
    out[notes] = 0
    if voices == 1 or (voices is None and _is_single(score, rows, chords=not alone)):
        return
    staves = np.unique(rows["staff"]) if voices is None else rows["staff"][:1]
    first = 0
    for staff in staves:
        here = notes if len(staves) == 1 else notes[rows["staff"] == staff]
        notated = _notated(score, here)
        if notated is not None and (voices is None or notated.max() + 1 == voices):
            out[here] = first + notated
            first += int(notated.max()) + 1
            continue
        number = voices or min(_number_of_voices(score, here), FOUND_VOICES if alone else BESIDE_OTHERS)
        out[here] = first
        if number > 1:
            jobs.append((here, number, first))
        first += number


def _is_single(score: Score, rows: npt.NDArray[np.void], *, chords: bool) -> bool:
    """Whether notes never sound together but for short overlaps (and, with `chords`, chords that move as one)."""
    near = max(1, score.ticks_per_quarter // TOGETHER)
    onset, duration = rows["onset"], rows["duration"]
    new = np.diff(onset) > near
    if not chords and not np.all(new | (duration[:-1] == 0)):
        return False
    group = np.concatenate([[0], np.cumsum(new)])
    starts = np.flatnonzero(np.concatenate([[True], new]))
    ends = onset + duration
    latest = np.maximum.reduceat(ends, starts)
    until = onset[starts[1:]]
    held = latest[:-1] - until
    late = np.count_nonzero(held > np.maximum(near, (latest[:-1] - onset[starts[:-1]]) // 2))
    if late > (UNEVEN if chords else 0.02) * len(starts):
        return False
    uneven = np.abs(ends - latest[group]) > np.maximum(near, duration // 2)
    return bool(np.count_nonzero(uneven) <= (UNEVEN if chords else 0.02) * len(rows))


def _notated(score: Score, notes: Ints) -> npt.NDArray[np.int64] | None:
    """The notated voices of a staff, the highest first, if there are several and none of them holds chords."""
    rows = score.notes[notes]
    names, voice = np.unique(rows["voice"], return_inverse=True)
    if not 1 < len(names) <= FOUND_VOICES:
        return None
    for v in range(len(names)):
        onset = rows["onset"][(voice == v) & (rows["duration"] > 0)]
        if np.count_nonzero(np.diff(onset) == 0) > 0.02 * len(onset):
            return None
    height = np.bincount(voice, rows["pitch"]) / np.bincount(voice)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(-height, kind="stable")] = np.arange(len(names))
    return np.asarray(rank[voice], np.int64)


def _number_of_voices(score: Score, notes: Ints) -> int:
    """How many notes sound together for all but a seventh of the time that anything sounds."""
    rows = score.notes[notes]
    rows = rows[rows["duration"] > 0]
    if not len(rows):
        return 1
    times = np.concatenate([rows["onset"], rows["onset"] + rows["duration"]])
    change = np.concatenate([np.ones(len(rows)), -np.ones(len(rows))])
    order = np.lexsort((change, times))
    sounding = np.cumsum(change[order])[:-1]
    length = np.diff(times[order])
    weight = np.bincount(np.maximum(sounding, 0).astype(int), length)
    weight[0] = 0
    if not weight.sum():
        return 1
    return int(np.clip(np.searchsorted(np.cumsum(weight) / weight.sum(), 6 / 7), 1, FOUND_VOICES))


def _run(score: Score, jobs: list[tuple[Ints, int, int]], out: npt.NDArray[np.int16]) -> None:
    """Separates every job's notes, all jobs with the same number of voices together."""
    for number in sorted({n for _, n, _ in jobs}):
        chosen = [(notes, first) for notes, n, first in jobs if n == number]
        prepared = [_passage(score, notes, number) for notes, _ in chosen]
        found = streams.assign([passage for passage, _, _ in prepared], number)
        for (notes, first), (_, group, slot), voice in zip(chosen, prepared, found, strict=True):
            out[notes] = first + np.maximum(voice[group, slot], 0)
            _place_grace_notes(score, notes, out)


def _passage(score: Score, notes: Ints, voices: int) -> tuple[streams.Passage, Ints, Ints]:
    """Onset groups of at most `voices` notes; and the group and the place in it of every note."""
    rows, quarter = score.notes[notes], float(score.ticks_per_quarter)
    near = max(1, score.ticks_per_quarter // TOGETHER)
    onset = rows["onset"].astype(np.int64)
    bucket = np.concatenate([[0], np.cumsum(np.diff(onset) > near)])
    order = np.lexsort((-rows["pitch"].astype(np.int64), rows["duration"] == 0, bucket))
    bucket, rows = bucket[order], rows[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(bucket) > 0]))
    real = np.maximum(np.add.reduceat((rows["duration"] > 0).astype(np.int64), starts), 1)
    rank = np.minimum(np.arange(len(rows)) - starts[bucket], real[bucket] - 1)  # grace notes: anywhere, placed later
    many = real[bucket]
    inner = 1 + (rank - 1) * max(voices - 2, 1) // np.maximum(many - 2, 1)
    squeezed = np.where(rank == 0, 0, np.where(rank == many - 1, voices - 1, np.minimum(inner, max(voices - 2, 1))))
    slot = np.where(many > voices, np.minimum(squeezed, voices - 1), rank)
    groups = len(starts)
    cell = bucket * voices + slot
    size = np.maximum(np.bincount(cell, minlength=groups * voices), 1)
    pitch = np.bincount(cell, rows["pitch"], minlength=groups * voices) / size
    end = np.bincount(cell, rows["onset"] + rows["duration"], minlength=groups * voices) / size
    first = np.minimum.reduceat(rows["onset"], starts)
    passage = streams.Passage(
        onset=(first / quarter).astype(np.float32),
        count=np.minimum(real, voices),
        pitch=pitch.reshape(groups, voices).astype(np.float32),
        end=(end / quarter).reshape(groups, voices).astype(np.float32),
        register=_registers(rows, voices),
    )
    group_of, slot_of = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    group_of[order], slot_of[order] = bucket, slot
    return passage, group_of, slot_of


def _registers(rows: npt.NDArray[np.void], voices: int) -> npt.NDArray[np.float32]:
    """The usual pitch of each voice: the notes by height where `voices` or more sound, else evenly over the range."""
    ranked = np.quantile(rows["pitch"], 1 - (np.arange(voices) + 0.5) / voices)
    onset, end = rows["onset"], rows["onset"] + rows["duration"]
    times = np.unique(onset)
    times = times[:: max(1, len(times) // 400)]
    sums, full = np.zeros(voices), 0
    longest = int((end - onset).max(initial=0))
    order = np.argsort(onset, kind="stable")
    sorted_onset = onset[order]
    lo = np.searchsorted(sorted_onset, times - longest)
    hi = np.searchsorted(sorted_onset, times, side="right")
    for t, a, b in zip(times, lo, hi, strict=True):
        near = order[a:b]
        sounding = np.sort(rows["pitch"][near[end[near] > t]])[::-1]
        if len(sounding) == voices:
            sums += sounding
            full += 1
    return (sums / full if full >= 4 else ranked).astype(np.float32)


def _place_grace_notes(score: Score, notes: Ints, out: npt.NDArray[np.int16]) -> None:
    """Gives each grace note the voice of the nearest note that it leads to."""
    rows = score.notes[notes]
    grace = (rows["duration"] == 0) | (rows["articulation"] & GRACE > 0)
    main = np.flatnonzero(~grace)
    if not len(main):
        return
    for i in np.flatnonzero(grace):
        at = rows["onset"][main]
        a, b = np.searchsorted(at, rows["onset"][i]), np.searchsorted(at, rows["onset"][i], side="right")
        near = main[a:b] if b > a else main[max(a - 1, 0) : a + 1]
        distance = np.abs(rows["pitch"][near].astype(int) - int(rows["pitch"][i]))
        out[notes[i]] = out[notes[near[int(np.argmin(distance))]]]


def _tidy(score: Score, out: npt.NDArray[np.int16]) -> None:
    """Absorbs fragments into the neighbouring voice and numbers the voices of each part without gaps."""
    part = score.notes["part"]
    for number in np.unique(part[out > 0]):
        here = np.flatnonzero(part == number)
        while True:
            names, counts = np.unique(out[here], return_counts=True)
            small = int(np.argmin(counts))
            if len(names) < 2 or counts[small] >= max(min(FEW_NOTES, len(here) // 4), FEW_SHARE * len(here)):
                break
            means = [float(score.notes["pitch"][here[out[here] == name]].mean()) for name in names]
            beside = [i for i in (small - 1, small + 1) if 0 <= i < len(names)]
            target = min(beside, key=lambda i: (abs(means[i] - means[small]), i))
            out[here[out[here] == names[small]]] = names[target]
        names, dense = np.unique(out[here], return_inverse=True)
        out[here] = dense
