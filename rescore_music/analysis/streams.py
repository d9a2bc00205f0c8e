"""Streams: notes that sound together, sorted into voices by the best joint path.

At every onset the new notes are handed to voices so that, over the whole passage, each voice moves by small steps,
keeps to its rhythm, seldom rests, does not overlap itself and does not cross its neighbours (the cues of stream
segregation that Huron collects under voice leading). The joint choice is a beam search: a few hypotheses, each with
the last pitch and end of every voice, are extended by all hand-outs that keep the order of pitch up to one exchange of
neighbours.

Passages are cut into blocks that overlap by a warm-up, and all blocks of all parts are extended in lockstep, so the
cost is that of array arithmetic and grows linearly with the notes. Voices are numbered from the top, in blocks too,
so blocks join without re-numbering.

Conventions: time in quarters, pitch in semitones, voice 0 the highest. Costs are in semitones: 1.0 is what a voice pays
for moving by one.

Sources: D. Huron, "Tone and Voice", Music Perception 19 (2001); E. Chew and X. Wu, "Separating Voices in Polyphonic
Music: A Contig Mapping Approach" (2004), for the register of voices read where all of them sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BEAM = 12
BLOCK = 96  # onset groups a block keeps
WARM = 10  # onset groups a block hears before and after the ones it keeps
FAR = np.float32(1e6)
PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53], np.float64)
Block = tuple[int, int, int, int, int]  # passage; first group heard, first kept, end of the kept, end of the heard


@dataclass(frozen=True)
class Weights:
    """What a voice pays, in semitones. Tuned on Haydn's and Mozart's quartets; Beethoven's and chorales had no say."""

    step: float = 1.0  # per semitone moved
    leap: float = 0.05  # more per semitone beyond a fifth
    register: float = 0.15  # per semitone away from the voice's usual height
    gap: float = 4.0  # per quarter of rest, at most GAP_MOST
    overlap: float = 40.0  # for still sounding when the next note starts, in full from a sixteenth on
    crossing: float = 9.0  # for each voice crossed while it sounds
    exchange: float = 10.0  # for two notes of one onset in crossed voices
    rhythm: float = 4.0  # per doubling or halving of the note length, at most RHYTHM_MOST
    back: float = 0.7  # per semitone away from the voice's last but one pitch


GAP_MOST = 4.0
RHYTHM_MOST = 2.0
BACK_MOST = 12.0
UNHEARD, SHORTEST = -9.0, 1 / 16
PITCH, END, LENGTH, BACK = range(4)  # of a voice's state
FIFTH = 7.0
SIXTEENTH = 0.25


@dataclass(frozen=True, eq=False)
class Passage:
    """The onset groups of one stream of notes, reduced to at most `voices` notes a group.

    Shapes: onset (groups,), count (groups,), pitch and end (groups, voices), the highest note first; register
    (voices,), the usual pitch of each voice.
    """

    onset: Floats
    count: Ints
    pitch: Floats
    end: Floats
    register: Floats


@cache
def _hand_outs(voices: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All ways to hand n = 0..voices notes (highest first) to voices, in order up to one exchange of neighbours.

    Returns voice per note, shape (voices + 1, ways, voices), -1 past the last note; and the upper of the two notes
    exchanged, shape (voices + 1, ways): `voices` for none, `voices` + 1 where there is no such way.
    """
    per_count: list[list[tuple[tuple[int, ...], int]]] = []
    for n in range(voices + 1):
        ways: list[tuple[tuple[int, ...], int]] = []
        for chosen in combinations(range(voices), n):
            ways.append((chosen, voices))
            for i in range(n - 1):
                swapped = list(chosen)
                swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
                ways.append((tuple(swapped), i))
        per_count.append(ways)
    most = max(len(ways) for ways in per_count)
    table = np.full((voices + 1, most, voices), -1, np.int64)
    exchanged = np.full((voices + 1, most), voices + 1, np.int64)
    for n, ways in enumerate(per_count):
        for a, (way, upper) in enumerate(ways):
            table[n, a, :n] = way
            exchanged[n, a] = upper
    return table, exchanged


def assign(passages: list[Passage], voices: int, weights: Weights | None = None) -> list[Ints]:
    """Voice of every note of every passage.

    Parameters
    ----------
    passages : list of Passage
        All with arrays of width `voices`.
    voices : int
    weights : Weights, optional

    Returns
    -------
    list of int64 arrays, shape (groups, voices)
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
    out = [np.full((len(p.onset), voices), -1, np.int64) for p in passages]
    chunk = max(1, 40_000 // (BEAM * voices * voices))  # keep the working arrays in the cache
    for i in range(0, len(blocks), chunk):
        _assign_blocks(passages, blocks[i : i + chunk], voices, weights, out)
    return out


@dataclass(frozen=True, eq=False)
class _Grid:
    """The groups of all blocks side by side; shapes (blocks, steps) and (blocks, steps, voices), steps past a block's
    end empty; time from each block's first onset.
    """

    length: Ints
    count: Ints
    onset: Floats
    pitch: Floats
    end: Floats
    register: Floats


@dataclass(eq=False)
class _Beam:
    """The hypotheses of every block: `state`, shape (blocks, BEAM, voices, 4), holds of each voice its last pitch, the
    end and the length (log2 of quarters, `UNHEARD` before its first note) of that note, and the pitch before; `cost`,
    shape (blocks, BEAM).
    """

    state: Floats
    cost: Floats


def _grid(passages: list[Passage], blocks: list[Block], voices: int) -> _Grid:
    length = np.array([last - first for _, first, _, _, last in blocks])
    shape = (len(blocks), int(length.max()))
    count, onset = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    pitch, end = np.zeros((*shape, voices), np.float32), np.zeros((*shape, voices), np.float32)
    for row, (p, first, _, _, last) in enumerate(blocks):
        n, passage = last - first, passages[p]
        count[row, :n], onset[row, :n] = passage.count[first:last], passage.onset[first:last] - passage.onset[first]
        pitch[row, :n], end[row, :n] = passage.pitch[first:last], passage.end[first:last] - passage.onset[first]
    return _Grid(length, count, onset, pitch, end, np.stack([passages[p].register for p, *_ in blocks]))


def _assign_blocks(
    passages: list[Passage], blocks: list[Block], voices: int, weights: Weights, out: list[Ints]
) -> None:
    """Extends the hypotheses of all blocks group by group, then writes what the best of each says."""
    grid = _grid(passages, blocks, voices)
    size, steps = grid.count.shape
    state = np.empty((size, BEAM, voices, 4), np.float32)
    state[..., PITCH] = state[..., BACK] = grid.register[:, None, :]
    state[..., END], state[..., LENGTH] = -GAP_MOST, UNHEARD
    beam = _Beam(state, np.full((size, BEAM), FAR, np.float32))
    beam.cost[:, 0] = 0
    came, way = np.zeros((steps, size, BEAM), np.int64), np.zeros((steps, size, BEAM), np.int64)
    for t in range(steps):
        live = int(np.count_nonzero(grid.length > t))
        came[t, :live], way[t, :live] = _extend(grid, beam, t, live, weights)
    _trace(blocks, grid, beam.cost, came, way, out)


def _extend(grid: _Grid, beam: _Beam, t: int, live: int, weights: Weights) -> tuple[Ints, Ints]:
    """Hands out group t in the first `live` blocks; returns the hypothesis and the way each new one comes from."""
    voices = grid.pitch.shape[2]
    table, exchanged = _hand_outs(voices)
    columns = np.where(table >= 0, table * voices + np.arange(voices), voices * voices)  # the last column is free
    many, pitch, onset = grid.count[:live, t], grid.pitch[:live, t], grid.onset[:live, t]
    length = np.log2(np.maximum(grid.end[:live, t] - onset[:, None], SHORTEST))
    price = _prices(beam.state[:live], pitch, length, onset, grid.register[:live], weights)
    flat = np.concatenate([price.reshape(live, BEAM, -1), np.zeros((live, BEAM, 1), np.float32)], axis=2)
    total = np.take_along_axis(flat, columns[many].reshape(live, 1, -1), axis=2)
    total = total.reshape(live, BEAM, -1, voices).sum(axis=3)
    crossing = np.zeros((live, voices + 2), np.float32)
    crossing[:, voices + 1] = FAR
    crossing[:, : voices - 1] = weights.exchange * (pitch[:, :-1] != pitch[:, 1:])  # nothing crosses in a unison
    total += beam.cost[:live, :, None] + np.take_along_axis(crossing, exchanged[many], axis=1)[:, None, :]
    ways = total.shape[2]
    total = total.reshape(live, -1)
    best = np.argsort(total, axis=1, kind="stable")[:, :BEAM]  # stable: the same choice among equals everywhere
    value = np.take_along_axis(total, best, axis=1)
    source, chosen = best // ways, best % ways
    state = np.take_along_axis(beam.state[:live], source[:, :, None, None], axis=1)
    given = table[many[:, None], chosen]  # (live, BEAM, voices): voice of each note
    notes = np.stack([pitch, grid.end[:live, t], length], axis=-1)
    for j in range(voices):
        rows, ks = np.nonzero(given[:, :, j] >= 0)
        where = given[rows, ks, j]
        state[rows, ks, where, BACK] = state[rows, ks, where, PITCH]
        state[rows, ks, where, : LENGTH + 1] = notes[rows, j]
    beam.cost[:live] = _distinct(value, state[..., PITCH], state[..., END]) - value[:, :1]
    beam.state[:live] = state
    return source, chosen


def _prices(state: Floats, pitch: Floats, length: Floats, onset: Floats, register: Floats, w: Weights) -> Floats:
    """What voice v would pay for note j: shape (blocks, BEAM, voices, notes)."""
    new, last_pitch, last_end = pitch[:, None, None, :], state[..., PITCH], state[..., END]
    moved = np.abs(new - last_pitch[..., None])
    price = w.step * moved + w.leap * np.maximum(moved - FIFTH, 0)
    price += w.register * np.abs(new - register[:, None, :, None])
    price += w.back * np.minimum(np.abs(new - state[..., BACK, None]), BACK_MOST)
    last_length = state[..., LENGTH, None]
    other = np.minimum(np.abs(length[:, None, None, :] - last_length), RHYTHM_MOST)
    price += w.rhythm * np.where(last_length > UNHEARD, other, 0)
    rest = onset[:, None, None] - last_end
    sounding = rest < -0.05
    # a short overlap is how legato is played; from a sixteenth on it is a second voice
    price += (w.gap * np.clip(rest, 0, GAP_MOST) + w.overlap * np.clip(-rest / SIXTEENTH, 0, 1))[..., None]
    higher = (new > last_pitch[..., None]) & sounding[..., None]  # above a sounding voice
    lower = (new < last_pitch[..., None]) & sounding[..., None]
    over: npt.NDArray[np.int64] = np.cumsum(higher, axis=2) - higher  # sounding voices above v that the note would top
    under = lower.sum(axis=2, keepdims=True) - np.cumsum(lower, axis=2)
    price += w.crossing * (over + under)
    return np.asarray(price, np.float32)


def _distinct(value: Floats, pitch: Floats, end: Floats) -> Floats:
    """Costs with all but the cheapest of equal states made hopeless: equal last pitches and ends have equal futures
    (nearly: lengths and earlier pitches weigh little beside them).
    """
    mark = np.sqrt(PRIMES[: 2 * pitch.shape[2]])  # no small whole multiples of these sum to the same
    name = pitch @ mark[::2] + end @ mark[1::2]
    same = name[:, :, None] == name[:, None, :]
    twin = np.tril(same, -1).any(axis=2)
    return np.where(twin, FAR * 2, value).astype(np.float32)


def _trace(blocks: list[Block], grid: _Grid, cost: Floats, came: Ints, way: Ints, out: list[Ints]) -> None:
    """Follows the best path of every block back and writes the voices of the groups it keeps."""
    steps, size, _ = came.shape
    table, _ = _hand_outs(grid.pitch.shape[2])
    rows, at = np.arange(size), np.zeros(size, np.int64)
    voice = np.full((size, steps, table.shape[2]), -1, np.int64)
    for t in range(steps - 1, -1, -1):
        live = int(np.count_nonzero(grid.length > t))
        r = rows[:live]
        k = np.where(grid.length[:live] == t + 1, np.argmin(cost[:live], axis=1), at[:live])
        voice[:live, t] = table[grid.count[:live, t], way[t, r, k]]
        at[:live] = came[t, r, k]
    for row, (p, first, kept, until, _) in enumerate(blocks):
        out[p][kept:until] = voice[row, kept - first : until - first]
