"""Voice separation inside polyphonic parts, and the lines of the score.

A part that never sounds two notes at once is one voice. What the source notates is evidence: staves are separated on
their own, and several notated voices that hold no chords are taken as they stand. Everything else is given to
`streams`: the number of voices is read from how many notes sound together for most of the time, notes beyond that
number form chords, and voices that would hold only a few notes are absorbed by their neighbour.

Conventions: voice 0 is the highest of its part; percussion parts have voice -1; ticks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.analysis import streams, surroundings
from rescore_music.analysis.links import unlikely_links
from rescore_music.analysis.passages import TOGETHER, passage
from rescore_music.errors import ScoreError
from rescore_music.score import GRACE, Score
from rescore_music.structure import Line

Ints = npt.NDArray[np.int64]

MOST_VOICES = 8  # that may be asked for
FOUND_VOICES = 4  # that are looked for when the number is not given, unless more lines are heard
SELDOM = 0.001  # share of the time in which more notes sound than there are voices
HELD_OF_LINES = 0.3  # share of sounding notes that are held when others begin, at least, where lines move freely
MOST_LINES = 6  # that are heard as such
BESIDE_OTHERS = 3  # that are looked for in a part of an ensemble
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
        number = voices or min(_number_of_voices(score, here), MOST_LINES if alone else BESIDE_OTHERS)
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
    """How many notes sound together for all but a seventh of the time that anything sounds.

    More than `FOUND_VOICES` only of lines: hardly ever more at once, and notes that begin while others are held.
    """
    rows = score.notes[notes]
    rows = rows[rows["duration"] > 0]
    if not len(rows):
        return 1
    times = np.concatenate([rows["onset"], rows["onset"] + rows["duration"]])
    change = np.concatenate([np.ones(len(rows)), -np.ones(len(rows))])
    order = np.lexsort((change, times))
    sounding = np.maximum(np.cumsum(change[order])[:-1], 0).astype(np.int64)
    weight = np.bincount(sounding, np.diff(times[order]))
    weight[0] = 0
    if not weight.sum():
        return 1
    share = np.cumsum(weight) / weight.sum()
    number = max(int(np.searchsorted(share, 6 / 7)), 1)
    if number <= FOUND_VOICES:
        return number
    often = int(np.searchsorted(share, 1 - SELDOM))
    moments, begun = np.unique(rows["onset"], return_counts=True)
    then = sounding[np.searchsorted(times[order], moments, side="right") - 1]
    thick = then > FOUND_VOICES
    held = 1 - begun[thick].sum() / max(then[thick].sum(), 1)
    return often if often <= MOST_LINES and held >= HELD_OF_LINES else FOUND_VOICES


def _run(score: Score, jobs: list[tuple[Ints, int, int]], out: npt.NDArray[np.int16]) -> None:
    """Separates every job's notes, all jobs with the same number of voices together."""
    for number in sorted({n for _, n, _ in jobs}):
        chosen = [(notes, first) for notes, n, first in jobs if n == number]
        prepared = [passage(score.notes[notes], score.ticks_per_quarter, number) for notes, _ in chosen]
        places, links = [surroundings.unlikely(p) for p in prepared], [unlikely_links(p) for p in prepared]
        found = streams.assign(prepared, places, links, number)
        for (notes, first), heard, voice in zip(chosen, prepared, found, strict=True):
            label = np.maximum(voice[heard.group, heard.place], 0)
            out[notes] = first + np.unique(label, return_inverse=True)[1]  # a voice without notes is no voice
            _place_grace_notes(score, notes, out)


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
