"""MV2H: how good a transcription is as notation, in one number (McLeod and Steedman, ISMIR 2018).

The mean of an F1 of detected notes, of voice separation, of metrical alignment and of note values. (The published mean
has a fifth term, harmony; like other work on performances that are given as MIDI, this one leaves it out: key and
chords are not asked for here.)

- Multi-pitch: a note is right if pitch and performed onset (within 50 ms) are.
- Voice: over the notes found, the links from each note to the next notes of its voice, those of one note together
  weighing as one, shared among the notes of its chord.
- Meter: bars, beats and sub-beats as spans; one is right if its beginning and end are (within 50 ms), at whichever
  level it stands.
- Value: over found notes whose voice goes on to a right note (or rightly ends), one minus the relative error of the
  notated duration in seconds; errors up to 100 ms are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ONSET, VALUE, SPAN = 0.05, 0.1, 0.05  # seconds


@dataclass(frozen=True)
class Music:
    """Notes as columns (seconds; `onset` as performed, `start` and `end` as notated) and spans, shape (n, 2)."""

    pitch: np.ndarray
    onset: np.ndarray
    start: np.ndarray
    end: np.ndarray
    voice: np.ndarray
    spans: np.ndarray


def f1(right: float, wrong: float, missed: float) -> float:
    total = 2 * right + wrong + missed
    return 2 * right / total if total else 0.0


def matched(truth: Music, found: Music, tolerance: float = ONSET) -> list[tuple[int, int]]:
    """Pairs (true note, found note) of one pitch and nearly one onset, the earliest first."""
    pairs = []
    for pitch in np.intersect1d(truth.pitch, found.pitch):
        a = np.flatnonzero(truth.pitch == pitch)
        b = np.flatnonzero(found.pitch == pitch)
        a, b = a[np.argsort(truth.onset[a], kind="stable")], b[np.argsort(found.onset[b], kind="stable")]
        i = j = 0
        while i < len(a) and j < len(b):
            gap = found.onset[b[j]] - truth.onset[a[i]]
            if abs(gap) <= tolerance + 1e-9:
                pairs.append((int(a[i]), int(b[j])))
                i, j = i + 1, j + 1
            elif gap < 0:
                j += 1
            else:
                i += 1
    return pairs


def _links(music: Music, notes: np.ndarray) -> tuple[dict[int, list[int]], dict[int, int]]:
    """The notes that follow each note in its voice, and how many notes its chord has."""
    following: dict[int, list[int]] = {}
    size: dict[int, int] = {}
    for voice in np.unique(music.voice[notes]):
        mine = notes[music.voice[notes] == voice]
        starts = np.unique(np.round(music.start[mine], 4))
        chords = [mine[np.round(music.start[mine], 4) == t].tolist() for t in starts]
        for chord, after in zip(chords, [*chords[1:], []], strict=True):
            for note in chord:
                following[note], size[note] = after, len(chord)
    return following, size


def mv2h(truth: Music, found: Music) -> dict[str, float]:
    """The four scores and their mean, each 0..1."""
    pairs = matched(truth, found)
    to_truth = {b: a for a, b in pairs}
    right = len(pairs)
    pitch = f1(right, len(found.pitch) - right, len(truth.pitch) - right)
    true_next, _ = _links(truth, np.array([a for a, _ in pairs], int))
    whole_next, _ = _links(truth, np.arange(len(truth.pitch)))
    found_next, size = _links(found, np.array([b for _, b in pairs], int))
    yes = no = missed = 0.0
    values = []
    for a, b in pairs:
        here = {to_truth[n] for n in found_next[b]}
        there = set(true_next[a])
        weight = (len(here) + len(there)) / 2 * size[b]
        if weight:
            yes += len(here & there) / weight
            no += len(here - there) / weight
            missed += len(there - here) / weight
        whole = set(whole_next[a])
        if here & whole or not (here or whole):
            values.append(_value(truth, found, a, b))
    spans = _span_matches(truth.spans, found.spans)
    out = {
        "pitch": pitch,
        "voice": f1(yes, no, missed),
        "meter": f1(spans, len(found.spans) - spans, len(truth.spans) - spans),
        "value": float(np.mean(values)) if values else 0.0,
    }
    return {**out, "MV2H": float(np.mean(list(out.values())))}


def _value(truth: Music, found: Music, a: int, b: int) -> float:
    true = truth.end[a] - truth.start[a]
    off = abs((found.end[b] - found.start[b]) - true)
    return 1.0 if off <= VALUE + 1e-9 else max(0.0, 1.0 - off / max(true, 1e-9))


def _span_matches(truth: np.ndarray, found: np.ndarray) -> int:
    """How many spans of one list have their own partner in the other."""
    order = np.lexsort((truth[:, 1], truth[:, 0])) if len(truth) else np.zeros(0, int)
    truth = truth[order] if len(truth) else truth
    free = np.ones(len(truth), bool)
    count = 0
    for start, end in found:
        low, high = np.searchsorted(truth[:, 0], [start - SPAN - 1e-9, start + SPAN + 1e-9]) if len(truth) else (0, 0)
        for k in range(int(low), int(high)):
            if free[k] and abs(truth[k, 1] - end) <= SPAN + 1e-9:
                free[k] = False
                count += 1
                break
    return count
