"""Training of the links between notes: a small network, by gradient descent in numpy.

    python benchmarks/fit_links.py DATA         writes rescore_music/analysis/link_weights.npz

DATA and what is learned from are those of `fit_voices.py`: no chorale, madrigal or trecento work, and no quartet of
Haydn, Mozart or Beethoven, so that `bench_voices.py` may be run on them. The loss is that of two choices with several
right answers: minus the log of the chance given to the notes of the same part that come last before a note, and to
those that come first after it; or to none, where they are out of reach. With --held, every eighth work is kept out and
its figure printed, with no file written.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from fit_voices import Work, figure, true_places, works

from rescore_music.analysis import links
from rescore_music.analysis.links import AFTER, BEFORE, REACH, Net
from rescore_music.analysis.passages import passage
from rescore_music.analysis.stream_prices import Weights

Array = np.ndarray[Any, Any]
HIDDEN, EPOCHS, BATCH, RATE, DECAY = 32, 5, 1024, 3e-3, 1e-3


class Rows:
    """Clues of all links of all works, and the right answers of both choices; rows of notes in the order of works."""

    def __init__(self, learned: list[Work]) -> None:
        clues, self.choices = [], []
        index: list[list[Array]] = [[], []]
        known: list[list[Array]] = [[], []]
        right: list[list[Array]] = [[], []]
        total = 0
        for _, pile, truth, voices in learned:
            heard = passage(pile.notes, pile.ticks_per_quarter, voices)
            notes = links.notes_of(heard)
            voice = true_places(heard, truth, pile.notes["duration"] > 0)[notes.group, notes.place]
            here = np.arange(len(voice))
            before, exists = links.earlier(notes, here)
            clues.append(links.clues(notes, here, before).transpose(1, 2, 0).astype(np.float16))
            after, column, may = links.later(notes, here)
            flat = (here[:, None] + total) * REACH + np.arange(REACH), (after + total) * REACH + column
            followed, following = right_answers(notes, voice)
            for way, cells, real, answer in ((BEFORE, flat[0], exists, followed), (AFTER, flat[1], may, following)):
                use = answer.any(axis=1)
                index[way].append(cells[use].astype(np.int32))
                known[way].append(real[use])
                right[way].append(answer[use])
            total += len(voice)
        self.clues = np.concatenate(clues).reshape(total * REACH, -1)
        self.choices = [tuple(np.concatenate(a[way]) for a in (index, known, right)) for way in (BEFORE, AFTER)]


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


def gradients(net: Net, x: Array, known: Array, right: Array, way: int) -> tuple[Net, float]:
    """Slopes of minus the mean log of the chance given to the right answers; and that loss. x (clues, rows * REACH)."""
    first = np.maximum(net["w1"] @ x + net["b1"], 0)
    second = np.maximum(net["w2"] @ first + net["b2"], 0)
    log = links.compared((net["w3"][way] @ second).reshape(known.shape), known, net["none"][way])
    chance = np.exp(log)
    sure = chance * right
    mass = np.maximum(sure.sum(axis=1, keepdims=True), 1e-9)
    slope = (chance - sure / mass) / len(chance)
    none = np.zeros(2, np.float32)
    none[way] = slope[:, -1].sum()
    flat = (slope[:, :-1] * known).reshape(-1).astype(np.float32)
    back2 = net["w3"][way][:, None] * flat * (second > 0)
    back1 = (net["w2"].T @ back2) * (first > 0)
    w3 = np.zeros_like(net["w3"])
    w3[way] = second @ flat
    slopes = {"w3": w3, "none": none, "w2": back2 @ first.T, "b2": back2.sum(axis=1, keepdims=True)}
    slopes |= {"w1": back1 @ x.T, "b1": back1.sum(axis=1, keepdims=True)}
    return slopes, -float(np.log(mass).mean())


def fit(rows: Rows, seed: int = 0) -> Net:
    """The network, by Adam with weight decay and a rate that falls to nothing."""
    random = np.random.default_rng(seed)
    clues = rows.clues.shape[1]
    shapes = {"w1": (HIDDEN, clues), "b1": (HIDDEN, 1), "w2": (HIDDEN, HIDDEN), "b2": (HIDDEN, 1), "w3": (2, HIDDEN)}
    scale = {"w1": np.sqrt(2 / clues), "b1": 0.0, "w2": np.sqrt(2 / HIDDEN), "b2": 0.0, "w3": 0.1, "none": 0.0}
    shapes["none"] = (2,)
    net = {k: (random.standard_normal(shape) * scale[k]).astype(np.float32) for k, shape in shapes.items()}
    mean, power = {k: np.zeros_like(v) for k, v in net.items()}, {k: np.zeros_like(v) for k, v in net.items()}
    step = 0
    for epoch in range(EPOCHS):
        batches = []
        for way in (BEFORE, AFTER):
            order = random.permutation(len(rows.choices[way][0]))
            batches += [(way, np.sort(part)) for part in np.array_split(order, max(1, len(order) // BATCH))]
        total = 0.0
        for b in random.permutation(len(batches)):
            way, part = batches[int(b)]
            cells, known, right = (column[part] for column in rows.choices[way])
            x = np.ascontiguousarray(rows.clues[cells.reshape(-1)].T).astype(np.float32)
            slopes, loss = gradients(net, x, known, right, way)
            step, total = step + 1, total + loss
            rate = RATE * (1 + np.cos(np.pi * (step - 1) / (EPOCHS * len(batches)))) / 2
            for k, slope in slopes.items():
                mean[k] += 0.1 * (slope - mean[k])
                power[k] += 0.001 * (slope * slope - power[k])
                moved = mean[k] / (1 - 0.9**step) / (np.sqrt(power[k] / (1 - 0.999**step)) + 1e-8)
                net[k] -= (rate * (moved + DECAY * net[k])).astype(np.float32)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(batches):.4f}", flush=True)
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the network of the links between notes.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--held", action="store_true", help="keep every eighth work out and print its figure")
    wanted = parser.parse_args()
    learned = list(works(wanted.data))
    print(f"{len(learned)} piles, {sum(len(truth) for _, _, truth, _ in learned)} notes")
    if not wanted.held:
        net = fit(Rows(learned))
        np.savez_compressed(links.WEIGHTS_FILE, **{k: v.astype(np.float16) for k, v in net.items()})
        return
    names = sorted({name.split(" ")[0] for name, *_ in learned})[3::8]
    net = fit(Rows([w for w in learned if w[0].split(" ")[0] not in names]))
    kept = [w for w in learned if w[0] in names]
    for price in (0.0, Weights().link):
        good, total = figure(kept, None, Weights(link=price), net)
        print(f"kept out, price of the links {price:4.1f}: {good / total:.4f} of {total} notes")


if __name__ == "__main__":
    main()
