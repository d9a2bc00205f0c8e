"""Training of the voices' surroundings: a small network, by gradient descent in numpy.

    python benchmarks/fit_voices.py DATA         writes rescore_music/analysis/voice_weights.npz

DATA is the folder of the OpenScore orchestra files (Hauptstimme corpus). Learned from: the string sections (two
violins, viola, violoncello) of its symphonies and concertos, Robert Schumann's quartet movements and every thirteenth
Palestrina file of the music21 corpus; of all of them also pairs and triples of parts. Not learned from, so that
`bench_voices.py` may be run on them: chorales, madrigals, trecento works, and the quartets of Haydn, Mozart and
Beethoven. With --held, every eighth work is kept out and its figure printed, with no file written.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench_voices import corpus, piled, same_labels

from rescore_music.analysis import links, streams, surroundings
from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH, Passage, passage
from rescore_music.analysis.stream_prices import Weights
from rescore_music.errors import RescoreError
from rescore_music.io import read_score
from rescore_music.score import Part, Score

Array = np.ndarray[Any, Any]
Net = surroundings.Net
Work = tuple[str, Score, Array, int]  # name, pile, part of each note, number of parts
Bundle = tuple[Array, Array]  # clues (notes, clues, voices), voice of each note

STRINGS = (("Violin 1",), ("Violin 2",), ("Viola",), ("Violoncello", "Violoncello 1"))
SUBSETS = {4: ((0, 1), (0, 3), (1, 2), (2, 3), (0, 1, 3), (1, 2, 3)), 3: ((0, 1), (1, 2))}
SUBSET_EVERY = 3  # each work gives one pair or triple of its parts in so many
HIDDEN, EPOCHS, BATCH, RATE, DECAY = 40, 6, 1024, 3e-3, 1e-4
SCHUMANN_TIMES = 3  # a quartet weighs so many times an orchestra's strings
SHORT = 100  # notes of a work that is left out


def chosen_parts(score: Score, parts: list[int], name: str) -> Work:
    """Some parts of a score in one pile."""
    rows = score.notes[np.isin(score.notes["part"], parts)].copy()
    number = np.zeros(len(score.parts), int)
    number[parts] = np.arange(len(parts))
    rows["part"] = number[rows["part"]]
    pile, truth = piled(score.replace(notes=rows, parts=tuple(Part(str(p)) for p in parts), marks=(), markers=()))
    return name, pile, truth, len(parts)


def works(folder: Path) -> Iterator[Work]:
    """What is learned from."""
    for path in sorted(folder.rglob("*.mxl")):
        score = read_score(path)
        names = [part.name for part in score.parts]
        found = [next((names.index(n) for n in wanted if n in names), -1) for wanted in STRINGS]
        if min(found) >= 0:
            yield from with_subsets(score, found, f"orchestra/{path.stem}")
    for path in corpus("schumann_robert"):
        score = read_score(path)
        if len(score.parts) == len(STRINGS):
            for _ in range(SCHUMANN_TIMES):
                yield from with_subsets(score, [0, 1, 2, 3], f"schumann/{path.stem}")
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


def with_subsets(score: Score, parts: list[int], name: str) -> Iterator[Work]:
    """All the parts; and, now and then, a pair or triple of them."""
    whole = chosen_parts(score, parts, name)
    if len(whole[2]) < SHORT:
        return
    yield whole
    subsets = SUBSETS.get(len(parts), ())
    for k, subset in enumerate(subsets):
        if (k + len(whole[2])) % SUBSET_EVERY == 0:
            yield chosen_parts(score, [parts[p] for p in subset], f"{name} {subset}")


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


def bundles(learned: list[Work]) -> dict[int, Bundle]:
    """Clues and voices of all notes, by number of voices."""
    found: dict[int, list[Bundle]] = {}
    for _, pile, truth, voices in learned:
        heard = passage(pile.notes, pile.ticks_per_quarter, voices)
        clues, group, place = surroundings.clues(heard)
        voice = true_places(heard, truth, pile.notes["duration"] > 0)[group, place]
        known = voice >= 0
        found.setdefault(voices, []).append((clues[:, known].transpose(1, 0, 2).astype(np.float16), voice[known]))
    return {
        v: (np.concatenate([a for a, _ in some]), np.concatenate([b for _, b in some])) for v, some in found.items()
    }


def gradients(net: Net, clues: Array, voice: Array) -> tuple[Net, float]:
    """Slopes of minus the mean log of the chance given to the right voices; and that loss."""
    x = np.ascontiguousarray(clues.transpose(1, 0, 2)).reshape(clues.shape[1], -1).astype(np.float32)
    first = np.maximum(net["w1"] @ x + net["b1"], 0)
    second = np.maximum(net["w2"] @ first + net["b2"], 0)
    score = (net["w3"] @ second).reshape(len(voice), -1)
    chance = np.exp(score - score.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    rows = np.arange(len(voice))
    loss = -float(np.log(chance[rows, voice] + 1e-9).mean())
    chance[rows, voice] -= 1
    slope = (chance / len(voice)).reshape(-1)
    back2 = net["w3"][:, None] * slope * (second > 0)
    back1 = (net["w2"].T @ back2) * (first > 0)
    out = {"w3": second @ slope, "w2": back2 @ first.T, "b2": back2.sum(axis=1, keepdims=True)}
    return {**out, "w1": back1 @ x.T, "b1": back1.sum(axis=1, keepdims=True)}, loss


def fit(found: dict[int, Bundle], seed: int = 0) -> Net:
    """The network, by Adam with weight decay and a rate that falls to nothing."""
    random = np.random.default_rng(seed)
    clues = next(iter(found.values()))[0].shape[1]
    shapes = {"w1": (HIDDEN, clues), "b1": (HIDDEN, 1), "w2": (HIDDEN, HIDDEN), "b2": (HIDDEN, 1), "w3": (HIDDEN,)}
    scale = {"w1": np.sqrt(2 / clues), "b1": 0.0, "w2": np.sqrt(2 / HIDDEN), "b2": 0.0, "w3": 0.1}
    net = {k: (random.standard_normal(shape) * scale[k]).astype(np.float32) for k, shape in shapes.items()}
    mean, power = {k: np.zeros_like(v) for k, v in net.items()}, {k: np.zeros_like(v) for k, v in net.items()}
    step = 0
    for epoch in range(EPOCHS):
        batches = [(v, part) for v, (_, voice) in found.items() for part in cut(random.permutation(len(voice)))]
        total = 0.0
        for i in random.permutation(len(batches)):
            voices, rows = batches[int(i)]
            slopes, loss = gradients(net, found[voices][0][rows], found[voices][1][rows])
            step, total = step + 1, total + loss
            rate = RATE * (1 - (step - 1) / (EPOCHS * len(batches)))
            for k, slope in slopes.items():
                mean[k] += 0.1 * (slope - mean[k])
                power[k] += 0.001 * (slope * slope - power[k])
                moved = mean[k] / (1 - 0.9**step) / (np.sqrt(power[k] / (1 - 0.999**step)) + 1e-8)
                net[k] -= (rate * (moved + DECAY * net[k])).astype(np.float32)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {total / len(batches):.4f}", flush=True)
    return net


def cut(order: Array) -> list[Array]:
    return np.array_split(order, max(1, round(len(order) / BATCH)))


def figure(tested: list[Work], net: Net | None, weights: Weights, link_net: links.Net | None = None) -> tuple[int, int]:
    """Notes with the right label; notes."""
    good = total = 0
    for voices in sorted({v for *_, v in tested}):
        some = [(pile, truth) for _, pile, truth, v in tested if v == voices]
        heard = [passage(pile.notes, pile.ticks_per_quarter, voices) for pile, _ in some]
        places, joins = (
            [surroundings.unlikely(h, net) for h in heard],
            [links.unlikely_links(h, link_net) for h in heard],
        )
        labels = streams.assign(heard, places, joins, voices, weights)
        for (pile, truth), h, voice in zip(some, heard, labels, strict=True):
            sounding = pile.notes["duration"] > 0
            good += int(np.count_nonzero(same_labels(pile, voice[h.group, h.place], truth)[sounding]))
            total += int(np.count_nonzero(sounding))
    return good, total


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the network of the voices' surroundings.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--held", action="store_true", help="keep every eighth work out and print its figure")
    wanted = parser.parse_args()
    learned = list(works(wanted.data))
    print(f"{len(learned)} piles, {sum(len(truth) for _, _, truth, _ in learned)} notes")
    if not wanted.held:
        net = fit(bundles(learned))
        np.savez_compressed(surroundings.WEIGHTS_FILE, **{k: v.astype(np.float16) for k, v in net.items()})
        return
    names = sorted({name.split(" ")[0] for name, *_ in learned})[3::8]
    net = fit(bundles([w for w in learned if w[0].split(" ")[0] not in names]))
    kept = [w for w in learned if w[0] in names]
    for place in (0.0, Weights().place):
        good, total = figure(kept, net, Weights(place=place))
        print(f"kept out, price of the place {place:4.1f}: {good / total:.4f} of {total} notes")


if __name__ == "__main__":
    main()
