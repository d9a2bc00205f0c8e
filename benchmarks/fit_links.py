"""Training of the links between notes: a small network, by gradient descent in numpy (`descent`).

    python benchmarks/fit_links.py DATA         writes rescore_music/analysis/link_weights.npz

DATA and what is learned from are those of `fit_voices.py`: no chorale, madrigal or trecento work. The loss is that of
two choices with several right answers: minus the log of the chance given to the notes of the same part that come last
before a note, and to those that come first after it; or to none, where they are out of reach. With --held, every eighth
symphony movement and Schumann's quartets are kept out of both networks, and what is made of them is printed for some
prices of place and link, with no file written. `bench_voices.py --held DATA` prints what is reached on the quartets of
Haydn, Mozart and Beethoven when they were not learned from.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import fit_voices
import numpy as np
from descent import Seen, Shapes, descend, pictures, sparse
from fit_voices import Work, figure, kept_out, quartets, shipped, true_places, works

from rescore_music.analysis import links, neighbours
from rescore_music.analysis.links import AFTER, BEFORE, REACH, Net
from rescore_music.analysis.stream_prices import Weights

Array = np.ndarray[Any, Any]
HIDDEN, NUMBERS, EPOCHS = 32, 16, 4
CHUNK, TOGETHER = 256, 2  # notes in a row, and so many such rows, are a batch
PAST = 32  # notes before and after a chunk that its links reach: REACH and the largest group


@dataclass(frozen=True, eq=False)
class Bundle:
    """Clues (notes, REACH, clues) of a work's links and pictures of its notes; the first note of each one's group and
    of the next; what each follows and what follows it (notes, REACH + 1); how often the work is learned from.
    """

    clues: Array
    pictures: tuple[Array, Array]
    first: Array
    following: Array
    followed: Array
    follows: Array
    times: int


def bundle(work: Work) -> Bundle:
    heard = work.heard()
    notes = links.notes_of(heard)
    voice = true_places(heard, work.truth, work.pile.notes["duration"] > 0)[notes.group, notes.place]
    here = np.arange(len(voice))
    clues = links.clues(notes, here, links.earlier(notes, here)[0]).transpose(1, 2, 0).astype(np.float16)
    answers = right_answers(notes, voice)
    return Bundle(clues, pictures(heard), notes.first, notes.following, *answers, work.times)


def right_answers(notes: links.Notes, voice: Array) -> tuple[Array, Array]:
    """Of each note: the notes of its part that come last before it and first after it, shapes (notes, REACH + 1)."""
    out = np.zeros((2, len(voice), REACH + 1), bool)
    for v in range(int(voice.max()) + 1):
        own = np.flatnonzero(voice == v)
        group = notes.group[own]
        opens = np.searchsorted(group, group)
        ends = np.searchsorted(group, group, side="right")
        for a, note in enumerate(own):
            last = own[np.searchsorted(group, group[opens[a] - 1]) : opens[a]] if opens[a] else own[:0]
            first = (
                own[ends[a] : np.searchsorted(group, group[ends[a]], side="right")] if ends[a] < len(own) else own[:0]
            )
            for way, steps in ((BEFORE, notes.first[note] - 1 - last), (AFTER, first - notes.following[note])):
                near = steps[steps < REACH]
                out[way, note, near if len(near) else REACH] = True
    return out[BEFORE], out[AFTER]


class Notes:
    """The notes of all works in a row; each work from `low` to `high`; what is learned from, in chunks."""

    def __init__(self, some: list[Bundle]) -> None:
        sizes = [len(b.clues) for b in some]
        start = np.cumsum([0, *sizes])
        self.clues = np.concatenate([b.clues for b in some])
        self.pictures = sparse([b.pictures for b in some])
        self.first = np.concatenate([b.first + s for b, s in zip(some, start, strict=False)])
        self.following = np.concatenate([b.following + s for b, s in zip(some, start, strict=False)])
        self.followed = np.concatenate([b.followed for b in some])
        self.follows = np.concatenate([b.follows for b in some])
        self.low, self.high = np.repeat(start[:-1], sizes), np.repeat(start[1:], sizes)
        ends = [
            (a, min(a + CHUNK, start[i + 1]), b.times)
            for i, b in enumerate(some)
            for a in range(start[i], start[i + 1], CHUNK)
        ]
        self.chunks = [(int(a), int(b)) for a, b, times in ends for _ in range(times)]

    def later(self, a: int, b: int, until: int) -> tuple[Array, Array, Array]:
        """Rows (from a) and columns of the links from notes a to b on to those after them, and whether they exist."""
        after = self.following[a:b, None] + np.arange(REACH)
        real = after < np.minimum(self.high[a:b, None], until)
        after = np.where(real, after, a)
        column = self.first[after] - 1 - np.arange(a, b)[:, None]
        real &= (column >= 0) & (column < REACH)
        return np.where(real, after - a, 0), np.where(real, column, 0), real


def fit(some: Iterable[Bundle]) -> Net:
    """The network, learned from some works."""
    notes = Notes(list(some))
    clues = notes.clues.shape[2]
    shapes: Shapes = {
        "table": ((neighbours.CELLS, NUMBERS), 0.08),
        "lift": ((NUMBERS,), 0.0),
        "later": ((HIDDEN, NUMBERS), (0.5 / NUMBERS) ** 0.5),
        "earlier": ((HIDDEN, NUMBERS), (0.5 / NUMBERS) ** 0.5),
        "w1": ((HIDDEN, clues), (2 / clues) ** 0.5),
        "b1": ((HIDDEN, 1), 0.0),
        "w2": ((HIDDEN, HIDDEN), (2 / HIDDEN) ** 0.5),
        "b2": ((HIDDEN, 1), 0.0),
        "w3": ((2, HIDDEN), 0.1),
        "none": ((2,), 0.0),
    }

    def batches(random: np.random.Generator) -> list[list[tuple[int, int]]]:
        order = [notes.chunks[i] for i in random.permutation(len(notes.chunks)).tolist()]
        return [order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER)]

    return descend(shapes, batches, partial(gradients, notes), EPOCHS)


def gradients(notes: Notes, net: Net, batch: list[tuple[int, int]], random: np.random.Generator) -> tuple[Net, float]:
    """Slopes of the mean loss of some chunks; and that loss."""
    found = [of_chunk(notes, net, a, b, random) for a, b in batch]
    slopes: Net = {k: np.mean([slopes[k] for slopes, _ in found], axis=0) for k in net}
    return slopes, sum(loss for _, loss in found) / len(found)


def of_chunk(notes: Notes, net: Net, a: int, b: int, random: np.random.Generator) -> tuple[Net, float]:
    """Slopes of the mean loss of both choices of notes a to b; and that loss."""
    from scipy.sparse import csr_matrix

    start, until = max(a - PAST, 0), min(b + PAST, len(notes.clues))
    size = until - a
    around = Seen(net, notes.pictures[start:until], random)
    x = (
        np.ascontiguousarray(notes.clues[a:until].transpose(2, 0, 1))
        .reshape(notes.clues.shape[2], -1)
        .astype(np.float32)
    )
    before = notes.first[a:until, None] - 1 - np.arange(REACH)
    real = before >= notes.low[a:until, None]
    before = np.maximum(np.where(real, before, 0) - start, 0)
    own = around.numbers[a - start :]
    first = (net["w1"] @ x + net["b1"]).reshape(HIDDEN, size, REACH) + (net["later"] @ own.T)[:, :, None]
    first += (net["earlier"] @ around.numbers.T)[:, before]
    first = np.maximum(first, 0).reshape(HIDDEN, -1)
    second = np.maximum(net["w2"] @ first + net["b2"], 0)
    score = (net["w3"] @ second).reshape(2, size, REACH)
    slope = np.zeros_like(score)
    back, loss = choice(score[BEFORE, : b - a], real[: b - a], net["none"][BEFORE], notes.followed[a:b])
    slope[BEFORE, : b - a] = back[:, :-1]
    row, column, exists = notes.later(a, b, until)
    ahead, other = choice(score[AFTER][row, column], exists, net["none"][AFTER], notes.follows[a:b])
    slope[AFTER, row[exists], column[exists]] = ahead[:, :-1][exists]
    flat = slope.reshape(2, -1) / (2 * (b - a))
    back2 = (net["w3"].T @ flat) * (second > 0)
    back1 = (net["w2"].T @ back2) * (first > 0)
    out = {"w3": flat @ second.T, "w2": back2 @ first.T, "b2": back2.sum(axis=1, keepdims=True)}
    out |= {"w1": back1 @ x.T, "b1": back1.sum(axis=1, keepdims=True)}
    out["none"] = np.array([back[:, -1].sum(), ahead[:, -1].sum()], np.float32) / (2 * (b - a))
    of_later = back1.reshape(HIDDEN, size, REACH).sum(axis=2)
    to = csr_matrix(
        (np.ones(before.size, np.float32), (before.ravel(), np.arange(before.size))), (until - start, before.size)
    )
    of_earlier = (to @ back1.T).T
    out |= {"later": of_later @ own, "earlier": of_earlier @ around.numbers}
    numbers = (net["earlier"].T @ of_earlier).T
    numbers[a - start :] += (net["later"].T @ of_later).T
    return {**out, **around.back(numbers)}, (loss + other) / (2 * (b - a))


def choice(score: Array, known: Array, none: np.floating, right: Array) -> tuple[Array, float]:
    """Slopes of the sum of minus the logs of the chance given to the right answers, (notes, REACH + 1); and that sum.

    Notes without an answer count for nothing.
    """
    chance = np.exp(links.compared(score, known, none))
    sure = chance * right
    mass = np.maximum(sure.sum(axis=1, keepdims=True), 1e-9)
    asked = right.any(axis=1, keepdims=True)
    return (chance - sure / mass) * asked, -float(np.log(mass[asked]).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the network of the links between notes.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--held", action="store_true", help="keep some works out and print their figure")
    wanted = parser.parse_args()
    learned = [*works(wanted.data), *quartets()]
    if not wanted.held:
        shipped(fit(bundle(w) for w in learned), links.WEIGHTS_FILE)
        return
    names = kept_out(learned)
    rest = [w for w in learned if w.name.split(" ")[0] not in names]
    place_net, link_net = fit_voices.fit(fit_voices.bundle(w) for w in rest), fit(bundle(w) for w in rest)
    tested = [w for w in learned if w.name in names]
    for place, link in ((9.0, 0.0), (0.0, 7.0), (6.0, 5.0), (6.0, 7.0), (9.0, 5.0), (9.0, 7.0), (9.0, 10.0)):
        good, total = figure(tested, place_net, Weights(place=place, link=link), link_net)
        print(f"kept out, price of place {place:4.1f}, of link {link:4.1f}: {good / total:.4f} of {total} notes")


if __name__ == "__main__":
    main()
