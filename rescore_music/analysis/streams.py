"""Streams: notes that sound together, sorted into voices by the best joint path.

At every onset the new notes are handed to voices (`hand_outs`) so that, over the whole passage, what listeners go by
speaks best for the lines (`stream_prices`, priced by `voice_net`). The joint choice is a beam search: a few hypotheses,
each with what its voices played last, are extended by all hand-outs.

Passages are cut into blocks that overlap by a warm-up, and all blocks of all parts are extended in lockstep, so the
cost is that of array arithmetic and grows linearly with the notes. Voices are numbered from the top, in blocks too,
so blocks join without re-numbering.

Conventions: time in quarters, pitch in semitones, voice 0 the highest. Only the ratios of costs count.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.analysis import stream_prices
from rescore_music.analysis.hand_outs import hand_outs
from rescore_music.analysis.passages import NOTE_END, Passage
from rescore_music.analysis.stream_prices import END, PITCH, Group, Weights

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BEAM = 12
BLOCK = 128  # onset groups a block keeps
WARM = 16  # onset groups a block hears before and after the ones it keeps
FAR = np.float32(1e6)
CACHED = 60_000  # hypotheses x voices x voices of the blocks extended together: their arrays stay in the cache
PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53], np.float64)
Block = tuple[int, int, int, int, int]  # passage; first group heard, first kept, end of the kept, end of the heard


def assign(
    passages: list[Passage],
    unlikely: list[Floats],
    links: list[Floats],
    voices: int,
    weights: Weights | None = None,
) -> list[Ints]:
    """Voice of every note of every passage.

    Parameters
    ----------
    passages : list of Passage
        All made for `voices` voices, 2 or more.
    unlikely : list of float32 arrays, shape (groups, most notes, voices)
        What `surroundings.unlikely` says of each passage.
    links : list of float32 arrays, shape (notes, reach + 1)
        What `links.unlikely_links` says of each passage.
    voices : int
    weights : Weights, optional

    Returns
    -------
    list of int64 arrays, shape (groups, most notes)
        Voice per note, -1 past a group's count.
    """
    weights = weights or Weights()
    blocks: list[Block] = []
    for p, passage in enumerate(passages):
        groups = len(passage.onset)
        pieces = max(1, round(groups / BLOCK))
        cuts = np.linspace(0, groups, pieces + 1).astype(int)
        for a, b in pairwise(cuts.tolist()):
            blocks.append((p, max(0, a - WARM), a, b, min(groups, b + WARM)))
    blocks.sort(key=lambda block: block[4] - block[1], reverse=True)  # so that the live blocks are always a prefix
    out = [np.full(p.note.shape[:2], -1, np.int64) for p in passages]
    chunk = max(1, CACHED // (BEAM * voices * voices))
    for i in range(0, len(blocks), chunk):
        some = blocks[i : i + chunk]
        _assign_blocks(_side_by_side(passages, unlikely, links, some), some, weights, out)
    return out


@dataclass(frozen=True, eq=False)
class _Grid:
    """The groups of all blocks side by side; shapes (blocks, steps) and more, steps past a block's end empty; time
    and numbers of notes from each block's first.
    """

    length: Ints
    count: Ints
    onset: Floats
    number: Floats
    note: Floats
    unlikely: Floats
    link: Floats
    register: Floats

    def group(self, rows: Ints, t: int, notes: int) -> Group:
        """Group t of some blocks that all have so many notes there."""
        return Group(
            onset=self.onset[rows, t],
            number=self.number[rows, t],
            note=self.note[rows, t, :notes],
            unlikely=self.unlikely[rows, t, :notes],
            link=self.link[rows, t, :notes],
            register=self.register[rows],
        )


@dataclass(eq=False)
class _Beam:
    """The hypotheses of every block: `state`, shape (blocks, BEAM, voices, STATES); `cost`, shape (blocks, BEAM)."""

    state: Floats
    cost: Floats


def _side_by_side(passages: list[Passage], unlikely: list[Floats], links: list[Floats], blocks: list[Block]) -> _Grid:
    length = np.array([last - first for _, first, _, _, last in blocks])
    shape = (len(blocks), int(length.max()))
    onset, number, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.int64)
    note = np.zeros((*shape, *passages[0].note.shape[1:]), np.float32)
    places = np.zeros((*shape, *unlikely[0].shape[1:]), np.float32)
    link = np.zeros((*note.shape[:3], links[0].shape[1]), np.float32)
    starts = {p: np.concatenate([[0], np.cumsum(passages[p].count)]) for p in {p for p, *_ in blocks}}
    for row, (p, first, _, _, last) in enumerate(blocks):
        n, passage, start = last - first, passages[p], starts[p]
        onset[row, :n], count[row, :n] = passage.onset[first:last] - passage.onset[first], passage.count[first:last]
        number[row, :n] = start[first:last] - start[first]
        note[row, :n], places[row, :n] = passage.note[first:last], unlikely[p][first:last]
        note[row, :n, :, NOTE_END] -= passage.onset[first]
        filled = np.arange(note.shape[2]) < count[row, :n, None]
        link[row, :n][filled] = links[p][start[first] : start[last]]
    register = np.stack([passages[p].register for p, *_ in blocks])
    return _Grid(length, count, onset, number, note, places, link, register)


def _assign_blocks(side: _Grid, blocks: list[Block], weights: Weights, out: list[Ints]) -> None:
    """Extends the hypotheses of all blocks group by group, then writes what the best of each says."""
    size, steps = side.count.shape
    state = np.repeat(stream_prices.start(side.register)[:, None], BEAM, axis=1)
    beam = _Beam(state, np.full((size, BEAM), FAR, np.float32))
    beam.cost[:, 0] = 0
    came = np.tile(np.arange(BEAM), (steps, size, 1))
    given = np.full((steps, size, BEAM, side.note.shape[2]), -1, np.int64)
    for t in range(steps):
        live = side.length > t
        for notes in np.unique(side.count[live, t]).tolist():
            if notes:
                rows = np.flatnonzero(live & (side.count[:, t] == notes))
                came[t, rows], given[t, rows, :, :notes] = _extend(side.group(rows, t, notes), beam, rows, weights)
    _trace(blocks, side.length, beam.cost, came, given, out)


def _extend(group: Group, beam: _Beam, rows: Ints, weights: Weights) -> tuple[Ints, Ints]:
    """Hands out one group in some blocks; returns the hypothesis each new one comes from and the voice of each note."""
    state = beam.state[rows]
    ways = hand_outs(group.note.shape[:2][1], state.shape[2])
    total = _costs(state, group, weights) + beam.cost[rows][:, :, None]
    many = total.shape[2]
    total = total.reshape(len(rows), -1)
    best = np.argsort(total, axis=1, kind="stable")[:, :BEAM]  # stable: the same choice among equals everywhere
    value = np.take_along_axis(total, best, axis=1)
    source, given = best // many, ways.voice[best % many]
    state = stream_prices.stepped(np.take_along_axis(state, source[:, :, None, None], axis=1), group, given)
    beam.cost[rows] = _distinct(value, state[..., PITCH], state[..., END]) - value[:, :1]
    beam.state[rows] = state
    return source, given


def _costs(state: Floats, group: Group, weights: Weights) -> Floats:
    """What each way to hand out a group costs: shape (rows, hypotheses, ways)."""
    ways = hand_outs(group.note.shape[:2][1], state.shape[2])
    rows, beam = state.shape[:2]
    total = stream_prices.single(state, group, weights).reshape(rows, beam, -1) @ ways.single
    if group.note.shape[1] > 1:
        total += stream_prices.chord(state, group, weights).reshape(rows, beam, -1) @ ways.chord
        total += (stream_prices.exchange(group, weights) @ ways.exchange)[:, None, :]
    return np.asarray(np.round(total, 3), np.float32)  # the same choice whatever the order of summation


def _distinct(value: Floats, pitch: Floats, end: Floats) -> Floats:
    """Costs with all but the cheapest of equal states made hopeless: equal last pitches and ends have equal futures
    (nearly: lengths and earlier pitches weigh little beside them).
    """
    mark = np.sqrt(PRIMES[: 2 * pitch.shape[2]])  # no small whole multiples of these sum to the same
    name = pitch @ mark[::2] + end @ mark[1::2]
    same = name[:, :, None] == name[:, None, :]
    twin = np.tril(same, -1).any(axis=2)
    return np.where(twin, FAR * 2, value).astype(np.float32)


def _trace(blocks: list[Block], length: Ints, cost: Floats, came: Ints, given: Ints, out: list[Ints]) -> None:
    """Follows the best path of every block back and writes the voices of the groups it keeps."""
    steps, size, _, notes = given.shape
    rows, at = np.arange(size), np.argmin(cost, axis=1)
    voice = np.full((size, steps, notes), -1, np.int64)
    for t in range(steps - 1, -1, -1):
        r = rows[length > t]
        voice[r, t] = given[t, r, at[r]]
        at[r] = came[t, r, at[r]]
    for row, (p, first, kept, until, _) in enumerate(blocks):
        out[p][kept:until] = voice[row, kept - first : until - first]
