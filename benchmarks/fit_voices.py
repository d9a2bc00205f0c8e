"""Training of the voices' surroundings: a small network, by gradient descent in numpy (`descent`).

    python benchmarks/fit_voices.py DATA         writes rescore_music/analysis/voice_weights.npz

DATA is the folder of the OpenScore orchestra files (Hauptstimme corpus). Learned from: the string sections (two
violins, viola, violoncello) of its symphonies and concertos, the quartet movements of Haydn, Mozart, Beethoven and
Robert Schumann and every thirteenth Palestrina file of the music21 corpus; of all of them also pairs and triples of
parts. Never learned from: chorales, madrigals, trecento works. What is reached on quartets that were not learned from
is printed by `bench_voices.py --held DATA`; what prices do on other works that were not, by `fit_links.py --held DATA`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_voices import QUARTETS, corpus, piled, same_labels
from descent import Seen, Shapes, descend, pictures, sparse

from rescore_music.analysis import links, neighbours, streams, surroundings
from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH, Passage, passage
from rescore_music.analysis.stream_prices import Weights
from rescore_music.errors import RescoreError
from rescore_music.io import read_score
from rescore_music.score import Part, Score

Array = np.ndarray[Any, Any]
Net = surroundings.Net

STRINGS = (("Violin 1",), ("Violin 2",), ("Viola",), ("Violoncello", "Violoncello 1"))
SUBSETS = {4: ((0, 1), (0, 3), (1, 2), (2, 3), (0, 1, 3), (1, 2, 3)), 3: ((0, 1), (1, 2))}
SUBSET_EVERY = 3  # each work gives one pair or triple of its parts in so many
HIDDEN, NUMBERS, EPOCHS, BATCH = 48, 24, 4, 1024
SCHUMANN_TIMES, QUARTET_TIMES = 3, 2  # a quartet weighs so many times an orchestra's strings
SHORT = 100  # notes of a work that is left out


@dataclass(frozen=True, eq=False)
class Work:
    """A pile of notes, the part of each, the number of parts; how often it is learned from."""

    name: str
    pile: Score
    truth: Array
    voices: int
    times: int = 1

    def heard(self) -> Passage:
        return passage(self.pile.notes, self.pile.ticks_per_quarter, self.voices)


def chosen_parts(score: Score, parts: list[int], name: str, times: int) -> Work:
    """Some parts of a score in one pile."""
    rows = score.notes[np.isin(score.notes["part"], parts)].copy()
    number = np.zeros(len(score.parts), int)
    number[parts] = np.arange(len(parts))
    rows["part"] = number[rows["part"]]
    pile, truth = piled(score.replace(notes=rows, parts=tuple(Part(str(p)) for p in parts), marks=(), markers=()))
    return Work(name, pile, truth, len(parts), times)


def works(folder: Path) -> Iterator[Work]:
    """What is learned from, but for the quartets of Haydn, Mozart and Beethoven."""
    for path in sorted(folder.rglob("*.mxl")):
        score = read_score(path)
        names = [part.name for part in score.parts]
        found = [next((names.index(n) for n in wanted if n in names), -1) for wanted in STRINGS]
        if min(found) >= 0:
            yield from with_subsets(score, found, f"orchestra/{path.stem}")
    yield from quartets(("schumann_robert",), SCHUMANN_TIMES)
    for path in corpus("palestrina", "*.krn")[::13]:
        try:
            score = read_score(path)
        except RescoreError as error:
            print(f"left out: {error}")
            continue
        heights = [float(score.notes["pitch"][score.notes["part"] == p].mean()) for p in np.unique(score.notes["part"])]
        if 3 <= len(heights) == len(score.parts) <= 6:
            order = np.argsort(-np.array(heights), kind="stable").tolist()
            yield from with_subsets(score, order, f"palestrina/{path.stem}")


def quartets(composers: tuple[str, ...] = QUARTETS, times: int = QUARTET_TIMES) -> Iterator[Work]:
    """The quartet movements of some composers, named composer/opus/movement or composer/opus."""
    for name in composers:
        for path in corpus(name):
            score = read_score(path)
            if len(score.parts) == len(STRINGS) and len(score.notes):
                work = path.relative_to(next(p for p in path.parents if p.name == name)).with_suffix("")
                yield from with_subsets(score, [0, 1, 2, 3], f"{name}/{work.as_posix()}", times)


def with_subsets(score: Score, parts: list[int], name: str, times: int = 1) -> Iterator[Work]:
    """All the parts; and, now and then, a pair or triple of them."""
    whole = chosen_parts(score, parts, name, times)
    if len(whole.truth) < SHORT:
        return
    yield whole
    for k, subset in enumerate(SUBSETS.get(len(parts), ())):
        if (k + len(whole.truth)) % SUBSET_EVERY == 0:
            yield chosen_parts(score, [parts[p] for p in subset], f"{name} {subset}", times)


def true_places(heard: Passage, truth: Array, real: Array) -> Array:
    """Voice of each place of each group: -1 for none, -2 for several; unisons of one length in order of voices."""
    shape = heard.note.shape[:2]
    low, high = np.full(shape, 99), np.full(shape, -1)
    np.minimum.at(low, (heard.group[real], heard.place[real]), truth[real])
    np.maximum.at(high, (heard.group[real], heard.place[real]), truth[real])
    out = np.where(high < 0, -1, np.where(low == high, high, -2))
    pitch, end = heard.note[..., NOTE_PITCH], heard.note[..., NOTE_END]
    for last in range(shape[1] - 1, 0, -1):
        for i in range(last):
            same = (pitch[:, i] == pitch[:, i + 1]) & (end[:, i] == end[:, i + 1]) & (out[:, i + 1] >= 0)
            turned = same & (out[:, i] > out[:, i + 1])
            out[turned, i], out[turned, i + 1] = out[turned, i + 1], out[turned, i]
    return np.asarray(out)


@dataclass(frozen=True, eq=False)
class Bundle:
    """Clues (notes, clues, voices) and pictures of a work's notes, their voices, and how often each is learned from."""

    clues: Array
    pictures: tuple[Array, Array]
    voice: Array
    times: int


def bundle(work: Work) -> Bundle:
    heard = work.heard()
    clues, group, place = surroundings.clues(heard)
    voice = true_places(heard, work.truth, work.pile.notes["duration"] > 0)[group, place]
    return Bundle(clues.transpose(1, 0, 2).astype(np.float16), pictures(heard), voice, work.times)


class Notes:
    """The notes of all works with so many voices, and which of them are learned from, some of them often."""

    def __init__(self, some: list[Bundle]) -> None:
        self.clues = np.concatenate([b.clues for b in some])
        self.pictures = sparse([b.pictures for b in some])
        self.voice = np.concatenate([b.voice for b in some])
        times = np.concatenate([np.full(len(b.voice), b.times) for b in some])
        self.use = np.repeat(np.arange(len(self.voice)), np.where(self.voice >= 0, times, 0))


def fit(some: Iterable[Bundle]) -> Net:
    """The network, learned from some works."""
    by_voices: dict[int, list[Bundle]] = {}
    for one in some:
        by_voices.setdefault(one.clues.shape[2], []).append(one)
    found = {v: Notes(bundles) for v, bundles in by_voices.items()}
    clues = next(iter(found.values())).clues.shape[1]
    shapes: Shapes = {
        "table": ((neighbours.CELLS, NUMBERS), 0.08),
        "lift": ((NUMBERS,), 0.0),
        "seen": ((HIDDEN, NUMBERS), NUMBERS**-0.5),
        "w1": ((HIDDEN, clues), (2 / clues) ** 0.5),
        "b1": ((HIDDEN, 1), 0.0),
        "w2": ((HIDDEN, HIDDEN), (2 / HIDDEN) ** 0.5),
        "b2": ((HIDDEN, 1), 0.0),
        "w3": ((HIDDEN,), 0.1),
    }

    def batches(random: np.random.Generator) -> list[tuple[int, Array]]:
        parts = [
            (v, np.sort(rows))
            for v, notes in found.items()
            for rows in np.array_split(random.permutation(notes.use), len(notes.use) // BATCH + 1)
        ]
        return [parts[i] for i in random.permutation(len(parts)).tolist()]

    return descend(shapes, batches, partial(gradients, found), EPOCHS)


def gradients(found: dict[int, Notes], net: Net, batch: tuple[int, Array], random: np.random.Generator) -> Any:
    """Slopes of minus the mean log of the chance given to the right voices; and that loss."""
    notes, rows = found[batch[0]], batch[1]
    clues, voice = notes.clues[rows], notes.voice[rows]
    x = np.ascontiguousarray(clues.transpose(1, 0, 2)).reshape(clues.shape[1], -1).astype(np.float32)
    around = Seen(net, notes.pictures[rows], random)
    first = (net["w1"] @ x + net["b1"]).reshape(HIDDEN, len(rows), -1) + (net["seen"] @ around.numbers.T)[:, :, None]
    first = np.maximum(first, 0).reshape(HIDDEN, -1)
    second = np.maximum(net["w2"] @ first + net["b2"], 0)
    score = (net["w3"] @ second).reshape(len(rows), -1)
    chance = np.exp(score - score.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    each = np.arange(len(rows))
    loss = -float(np.log(chance[each, voice] + 1e-9).mean())
    chance[each, voice] -= 1
    slope = (chance / len(rows)).reshape(-1)
    back2 = net["w3"][:, None] * slope * (second > 0)
    back1 = (net["w2"].T @ back2) * (first > 0)
    of_note = back1.reshape(HIDDEN, len(rows), -1).sum(axis=2)
    out = {"w3": second @ slope, "w2": back2 @ first.T, "b2": back2.sum(axis=1, keepdims=True)}
    out |= {"w1": back1 @ x.T, "b1": back1.sum(axis=1, keepdims=True), "seen": of_note @ around.numbers}
    return {**out, **around.back((net["seen"].T @ of_note).T)}, loss


def figure(tested: list[Work], net: Net | None, weights: Weights, link_net: links.Net | None = None) -> tuple[int, int]:
    """Notes with the right label; notes."""
    good = total = 0
    for voices in sorted({w.voices for w in tested}):
        some = [w for w in tested if w.voices == voices]
        heard = [w.heard() for w in some]
        places = [surroundings.unlikely(h, net) for h in heard]
        joins = [links.unlikely_links(h, link_net) for h in heard]
        labels = streams.assign(heard, places, joins, voices, weights)
        for work, h, voice in zip(some, heard, labels, strict=True):
            sounding = work.pile.notes["duration"] > 0
            good += int(np.count_nonzero(same_labels(work.pile, voice[h.group, h.place], work.truth)[sounding]))
            total += int(np.count_nonzero(sounding))
    return good, total


def kept_out(learned: list[Work]) -> set[str]:
    """Names of what `fit_links.py --held` keeps out."""
    names = sorted({w.name.split(" ")[0] for w in learned})
    orchestra = [n for n in names if n.startswith("orchestra")]
    return {*orchestra[3::8], *(n for n in names if n.startswith("schumann"))}


def shipped(net: Net, path: Path) -> None:
    """Writes a network in half precision."""
    np.savez_compressed(path, **{k: v.astype(np.float16) for k, v in net.items()})  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the network of the voices' surroundings.")
    parser.add_argument("data", type=Path)
    learned = [*works(parser.parse_args().data), *quartets()]
    shipped(fit(bundle(w) for w in learned), surroundings.WEIGHTS_FILE)


if __name__ == "__main__":
    main()
