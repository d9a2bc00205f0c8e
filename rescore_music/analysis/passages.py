"""Passages: the notes of one stream as groups of one onset, with what sounds at each and the registers of the voices.

A group tells at most `most_notes` notes apart; where more begin at once, inner ones are taken together and the top and
the bottom note stay alone. Where exactly as many notes sound as there are voices, each is taken for a voice: from those
moments come the usual pitch and the range of every voice.

Conventions: time in quarters, pitch in semitones, the highest note and voice first.

Source: E. Chew and X. Wu, "Separating Voices in Polyphonic Music: A Contig Mapping Approach" (2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.hand_outs import most_notes

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

TOGETHER = 24  # onsets within a quarter over this are one chord, as a hand plays it
HELD = 64  # groups that a note is followed through, for what sounds
NOTE_PITCH, NOTE_END = range(2)


@dataclass(frozen=True, eq=False)
class Passage:
    """The onset groups of one stream of notes.

    Shapes: onset, count (groups,); note (groups, most notes, 2), pitch and end of each note, the highest first;
    register, low, high (voices,), the usual pitch and the range of each voice; of, height (cases,), group and pitch of
    every note that sounds at a group's onset, by group, the highest first; group, place (notes,), where each note of
    the source went. Notes without duration are in a group, but have no say.
    """

    onset: Floats
    count: Ints
    note: Floats
    register: Floats
    low: Floats
    high: Floats
    of: Ints
    height: Floats
    group: Ints
    place: Ints


def passage(rows: npt.NDArray[np.void], ticks_per_quarter: int, voices: int) -> Passage:
    """The passage of a NOTE array sorted by onset."""
    quarter, most = float(ticks_per_quarter), most_notes(voices)
    near = max(1, ticks_per_quarter // TOGETHER)
    bucket = np.concatenate([[0], np.cumsum(np.diff(rows["onset"].astype(np.int64)) > near)])
    falling = [-rows[name].astype(np.int64) for name in ("duration", "pitch")]
    order = np.lexsort((*falling, rows["duration"] == 0, bucket))
    bucket, rows = bucket[order], rows[order]
    real = rows["duration"] > 0
    starts = np.flatnonzero(np.concatenate([[True], np.diff(bucket) > 0]))
    groups, many = len(starts), np.add.reduceat(real.astype(np.int64), starts)
    places = _places(np.arange(len(rows)) - starts[bucket], many[bucket], most)
    first = np.minimum.reduceat(rows["onset"], starts)
    of, height = _sounding(rows[real], bucket[real], first, near)
    register, low, high = _registers(of, height, groups, voices)
    group_of, place_of = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    group_of[order], place_of[order] = bucket, places
    cell = (bucket * most + places)[real]
    return Passage(
        onset=(first / quarter).astype(np.float32),
        count=np.minimum(many, most),
        note=_notes(rows[real], cell, groups * most, quarter).reshape(groups, most, 2),
        register=register,
        low=low,
        high=high,
        of=of,
        height=height,
        group=group_of,
        place=place_of,
    )


def boxed(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Mean of each column over `reach` rows to each side: shape of `values`."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at = np.arange(len(values))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None], np.float64)


def _notes(rows: npt.NDArray[np.void], cell: Ints, cells: int, quarter: float) -> Floats:
    """Pitch and end of each cell, the mean of the notes taken together: shape (cells, 2)."""
    size = np.maximum(np.bincount(cell, minlength=cells), 1)
    columns = rows["pitch"], (rows["onset"] + rows["duration"]) / quarter
    return np.stack([np.bincount(cell, c, minlength=cells) / size for c in columns], axis=1).astype(np.float32)


def _places(rank: Ints, many: Ints, most: int) -> Ints:
    """Place of the note of each rank in a group of so many: its rank, or inner notes taken together."""
    many = np.maximum(many, 1)
    rank = np.minimum(rank, many - 1)  # grace notes: anywhere, placed later
    inner = np.minimum(1 + (rank - 1) * max(most - 2, 1) // np.maximum(many - 2, 1), max(most - 2, 1))
    squeezed = np.where(rank == 0, 0, np.where(rank == many - 1, most - 1, inner))
    return np.where(many > most, np.minimum(squeezed, most - 1), rank)


def _sounding(rows: npt.NDArray[np.void], bucket: Ints, first: Ints, near: int) -> tuple[Ints, Floats]:
    """Which notes sound at each group's onset: group and pitch of every case, by group, the highest first."""
    last = np.searchsorted(first, rows["onset"] + rows["duration"] - near)
    through = np.clip(last - bucket, 1, HELD)
    note = np.repeat(np.arange(len(rows)), through)
    of = bucket[note] + np.arange(len(note)) - np.repeat(np.cumsum(through) - through, through)
    key = np.sort(of * 256 + (255 - rows["pitch"][note].astype(np.int64)))
    return key >> 8, (255 - (key & 255)).astype(np.float32)


def _registers(of: Ints, height: Floats, groups: int, voices: int) -> tuple[Floats, Floats, Floats]:
    """Usual pitch, lowest and highest of each voice: the notes by height where as many sound as there are voices; where
    that is rare, the range is divided evenly.
    """
    counts = np.bincount(of, minlength=groups)
    starts = np.cumsum(counts) - counts
    full = starts[counts == voices]
    if len(full) >= 4:
        ranked = height[full[:, None] + np.arange(voices)]
        register, (low, high) = ranked.mean(axis=0), np.quantile(ranked, (0.01, 0.99), axis=0)
    else:
        shares = 1 - (np.arange(voices) + 0.5) / voices
        register = np.quantile(height, shares) if len(height) else np.full(voices, 60.0)
        low, high = register - 12, register + 12
    return register.astype(np.float32), low.astype(np.float32), high.astype(np.float32)
