"""The network that reads a line in its context: what the line plays before and after, and what the others play.

Every line of every bar goes through the same small network. It makes features of the line's own clues; then of these
with those of the same line in the bars around, and with the mean and the maximum over the lines of the bar; from that
it guesses who leads; and it scores the line once more knowing the guess: its own, its neighbours', and the features of
who seems to lead now, in the bar before and in the bar after.

The weights are made by `benchmarks/fit_melody.py`, which has the gradients; inference is numpy alone.

Conventions: a *row* is a line in a bar in which it plays, bar by bar; arrays of shape (rows, numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float32]

NEAR = (-2, -1, 1, 2)  # bars around whose features a line is read with


class Network(NamedTuple):
    """The weights, by what they read and what they make.

    Attributes
    ----------
    clues, clues_bias : of a row's inputs, features: shapes (inputs, f), (f,)
    own, own_bias, bar : of these and of mean and maximum over the bar, features in context: (f, c), (c,), (2 f, c)
    before_2, before_1, after_1, after_2 : of the same line in the bars of `NEAR`: (f, c)
    guess : of a row in context, who leads: (c, 1)
    again, again_bias : of a row in context, its chance to lead and those in the bars of `NEAR`: (c + 5, g), (g,)
    lead : of who leads now, before and after, and of the maximum over the bar: (4 c, g)
    score : (g, 1)
    """

    clues: Reals
    clues_bias: Reals
    own: Reals
    own_bias: Reals
    bar: Reals
    before_2: Reals
    before_1: Reals
    after_1: Reals
    after_2: Reals
    guess: Reals
    again: Reals
    again_bias: Reals
    lead: Reals
    score: Reals

    @property
    def near(self) -> tuple[Reals, ...]:
        """The weights of the bars of `NEAR`."""
        return (self.before_2, self.before_1, self.after_1, self.after_2)


@dataclass(frozen=True, eq=False)
class Places:
    """How rows lie: the first row of each bar that has any; the bar of each row among those; neighbours.

    Attributes
    ----------
    starts : shape (bars,)
    bar : shape (rows,)
    near : for each of `NEAR`, the row of the same line, -1 where it does not play: shape (rows,)
    """

    starts: Ints
    bar: Ints
    near: tuple[Ints, ...]


def places_of(active: npt.NDArray[np.bool_]) -> Places:
    """The places of the rows `x[active]` of an array over bars and lines."""
    bar, line = np.nonzero(active)
    row = np.full((len(active) + 2 * max(NEAR), active.shape[1]), -1, np.int64)
    row[max(NEAR) : max(NEAR) + len(active)][active] = np.arange(len(bar))
    starts = np.flatnonzero(np.diff(bar, prepend=-1))
    here = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(bar))))
    return Places(starts, here, tuple(row[bar + max(NEAR) + d, line] for d in NEAR))


def context_scores(network: Network, x: Reals, places: Places) -> Reals:
    """Score of each row: shape (rows,).

    Parameters
    ----------
    network : Network
    x : float32 array, shape (rows, inputs)
        Inputs in standard deviations.
    places : Places
    """
    w, starts, bar = network, places.starts, places.bar
    if not len(x):
        return np.zeros(0, np.float32)
    h = np.maximum(x @ w.clues + w.clues_bias, 0)
    many = np.bincount(bar).astype(np.float32)[:, None]
    around = np.concatenate([np.add.reduceat(h, starts) / many, np.maximum.reduceat(h, starts)], axis=1)
    context = h @ w.own + (around @ w.bar)[bar] + w.own_bias
    for rows, weight in zip(places.near, w.near, strict=True):
        context[rows >= 0] += (h @ weight)[rows[rows >= 0]]
    context = np.maximum(context, 0)
    chance = softmax((context @ w.guess)[:, 0], places)[:, None]
    leader = np.add.reduceat(chance * context, starts)
    before, after = np.zeros_like(leader), np.zeros_like(leader)
    before[1:], after[:-1] = leader[:-1], leader[1:]
    around = np.concatenate([leader, before, after, np.maximum.reduceat(context, starts)], axis=1)
    chances = [np.where(rows >= 0, chance[rows, 0], 0)[:, None] for rows in places.near]
    again = np.concatenate([context, chance, *chances], axis=1) @ w.again
    last = np.maximum(again + (around @ w.lead)[bar] + w.again_bias, 0)
    return np.asarray((last @ w.score)[:, 0], np.float32)


def softmax(scores: Reals, places: Places) -> Reals:
    """Chance of each row among those of its bar."""
    value = np.exp(scores - np.maximum.reduceat(scores, places.starts)[places.bar])
    return np.asarray(value / np.add.reduceat(value, places.starts)[places.bar], np.float32)
