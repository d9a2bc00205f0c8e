"""Gradients of a small network, in numpy: values remember what they were made of, and slopes go back along that.

Conventions: float32 arrays of shape (rows, numbers); rows of one bar lie together, `Places` says how (melody_context).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rescore_music.analysis.melody_context import Places, softmax

Array = np.ndarray[Any, Any]


class Value:
    """An array, the slope of the loss by it, and what it was made of."""

    def __init__(self, array: Array, made_of: tuple[Value, ...] = (), back: Callable[[Array], None] | None = None):
        self.array, self.made_of, self.back = array, made_of, back
        self.slope: Array | None = None

    def gain(self, slope: Array) -> None:
        self.slope = slope if self.slope is None else self.slope + slope


def backward(*outputs: tuple[Value, Array]) -> None:
    """Gives every value that the outputs were made of its slope, from the slopes of the outputs."""
    order: list[Value] = []
    seen: set[int] = set()

    def visit(value: Value) -> None:
        if id(value) not in seen:
            seen.add(id(value))
            for other in value.made_of:
                visit(other)
            order.append(value)

    for value, slope in outputs:
        visit(value)
        value.gain(slope)
    for value in reversed(order):
        if value.back is not None and value.slope is not None:
            value.back(value.slope)


def times(x: Value, weight: Value) -> Value:
    def back(slope: Array) -> None:
        weight.gain(x.array.T @ slope)
        if x.made_of:
            x.gain(slope @ weight.array.T)

    return Value(x.array @ weight.array, (x, weight), back)


def plus(*values: Value) -> Value:
    """Sum; a value of one row counts for every row."""

    def back(slope: Array) -> None:
        for value in values:
            value.gain(slope if value.array.shape == slope.shape else slope.sum(axis=0))

    total = values[0].array
    for value in values[1:]:
        total = total + value.array
    return Value(total, values, back)


def scaled(x: Value, factor: Array) -> Value:
    return Value(x.array * factor, (x,), lambda slope: x.gain(slope * factor))


def positive(x: Value) -> Value:
    return scaled(x, (x.array > 0).astype(np.float32))


def beside(*values: Value) -> Value:
    """Values side by side."""
    ends = np.cumsum([value.array.shape[1] for value in values])

    def back(slope: Array) -> None:
        for value, end in zip(values, ends, strict=True):
            value.gain(slope[:, end - value.array.shape[1] : end])

    return Value(np.concatenate([value.array for value in values], axis=1), values, back)


def taken(x: Value, rows: Array) -> Value:
    """The given rows, each at most once; 0 where the row is -1."""
    there = rows >= 0
    out = np.zeros((len(rows), x.array.shape[1]), np.float32)
    out[there] = x.array[rows[there]]

    def back(slope: Array) -> None:
        whole = np.zeros_like(x.array)
        whole[rows[there]] = slope[there]
        x.gain(whole)

    return Value(out, (x,), back)


def bar_mean(x: Value, places: Places) -> Value:
    many = np.bincount(places.bar).astype(np.float32)[:, None]
    mean = np.add.reduceat(x.array, places.starts) / many
    return Value(mean, (x,), lambda slope: x.gain((slope / many)[places.bar]))


def bar_max(x: Value, places: Places) -> Value:
    most = np.maximum.reduceat(x.array, places.starts)
    holds = (x.array == most[places.bar]).astype(np.float32)
    return Value(most, (x,), lambda slope: x.gain(slope[places.bar] * holds))


def to_rows(x: Value, places: Places) -> Value:
    """What holds for a bar, for each of its rows."""
    return Value(x.array[places.bar], (x,), lambda slope: x.gain(np.add.reduceat(slope, places.starts)))


def chances(x: Value, places: Places) -> Value:
    """Softmax over the rows of each bar."""
    chance = softmax(x.array[:, 0], places)[:, None]

    def back(slope: Array) -> None:
        x.gain(chance * (slope - np.add.reduceat(chance * slope, places.starts)[places.bar]))

    return Value(chance, (x,), back)


def weighted_sum(weight: Value, x: Value, places: Places) -> Value:
    """Sum over the rows of each bar."""

    def back(slope: Array) -> None:
        x.gain(slope[places.bar] * weight.array)
        weight.gain((slope[places.bar] * x.array).sum(axis=1, keepdims=True))

    return Value(np.add.reduceat(weight.array * x.array, places.starts), (weight, x), back)


def moved(x: Value, by: int) -> Value:
    """Bars moved by one, later (1) or earlier (-1)."""
    out = np.zeros_like(x.array)
    to, source = (slice(1, None), slice(None, -1)) if by > 0 else (slice(None, -1), slice(1, None))
    out[to] = x.array[source]

    def back(slope: Array) -> None:
        whole = np.zeros_like(slope)
        whole[source] = slope[to]
        x.gain(whole)

    return Value(out, (x,), back)
