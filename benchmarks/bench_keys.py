"""The key of the whole piece, every key signature taken away, against what score and tune books say; music21 as peer.

    python benchmarks/bench_keys.py

Data, all inside the music21 package: every fourth chorale of Bach; movements of quartets, sonatas and songs from
Corelli to Verdi; and, one line alone, every twelfth folk song of the Essen collection whose file names its key.
Convention: a piece's key is the one of the two with its signature whose tonic is the last bass note (pieces that change
their signature, or end on another note, are left out); a song's is what its file says. Score: MIREX's (mir_eval.key): 1
for the key, 0.5 a fifth above, 0.3 the relative, 0.2 the parallel key. `first` and `last`: whether our first and last
local keys are the key of the whole, as they mostly are. The key model was learned from the odd-numbered of the first
twenty Riemenschneider chorales, some of which are here; the two weights of `home_key` were set by hand after looking at
these very figures, so they are no blind test.

Peers are given the same notes: music21's Aarden-Essen (its default), Krumhansl-Schmuckler and Temperley-Kostka-Payne.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from bench_form import FIFTHS, corpus, songs

from rescore_music.analysis.harmony import key_spans
from rescore_music.errors import RescoreError
from rescore_music.io import read_score
from rescore_music.score import KEY, Score
from rescore_music.structure import KeySpan, home_key

MOVEMENTS = ("haydn", "mozart", "beethoven", "schumann_robert", "schumann_clara", "corelli", "cpebach", "verdi")
MOVEMENTS += ("weber", "schubert", "joplin", "handel", "chopin")
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PEERS = {"AardenEssen": "Aarden-Essen", "KrumhanslSchmuckler": "Krumhansl", "TemperleyKostkaPayne": "Temperley"}
Piece = tuple[Score, int]  # without key signatures; 0..11 the major keys, 12..23 the minor ones


def said(score: Score) -> int:
    """The key that signature and last bass note tell, -1 where they do not."""
    pitched = score.pitched
    if len(np.unique(score.keys["fifths"])) != 1 or np.count_nonzero(pitched) < 40:
        return -1
    end = int(score.ends[pitched].max())
    bass = int(score.notes["pitch"][pitched & (score.ends >= end)].min()) % 12
    major = 7 * int(score.keys["fifths"][0]) % 12
    return {major: major, (major + 9) % 12: 12 + (major + 9) % 12}.get(bass, -1)


def written(paths: list[Path]) -> list[Piece]:
    """Pieces of score files."""
    out = []
    for path in paths:
        try:
            score = read_score(path)
        except RescoreError:
            continue
        key = said(score)
        if key >= 0:
            out.append((score.replace(keys=np.zeros(0, KEY)), key))
    return out


def essen() -> list[Piece]:
    """Songs of one line whose file names a major or minor key."""
    out = []
    for path in sorted((corpus() / "essenFolksong").glob("*.abc")):
        if path.stem.startswith(("test", "han", "lux")):
            continue
        named = {}
        for text in path.read_text(encoding="latin-1").split("\nX:")[1:]:
            key = re.search(r"^K: ?([A-G][b#]?)(m?)$", text, re.MULTILINE)
            if key and key[1] in FIFTHS:
                named[text.split("\n", 1)[0]] = 7 * FIFTHS[key[1]] % 12 + 12 * bool(key[2])
        for name, score, _ in songs(path)[::12]:
            number = name.split(":", 1)[1]
            if number in named:
                out.append((score, named[number]))
    return out


def worth(found: int, truth: int) -> float:
    """MIREX's score of a key."""
    from mir_eval.key import weighted_score

    names = [f"{tonic} {mode}" for mode in ("major", "minor") for tonic in NAMES]
    return float(weighted_score(names[truth], names[found]))


def number(key: KeySpan | None) -> int:
    return -1 if key is None else key.tonic + 12 * (key.mode == "minor")


def peers(score: Score) -> dict[str, int]:
    """What music21's key finders say of the same notes."""
    import music21

    stream: Any = music21.stream.Stream()
    for row in score.notes[score.pitched]:
        length = row["duration"] / score.ticks_per_quarter
        stream.insert(
            row["onset"] / score.ticks_per_quarter, music21.note.Note(int(row["pitch"]), quarterLength=length)
        )
    out = {}
    for name, label in PEERS.items():
        key = getattr(music21.analysis.discrete, name)(stream).getSolution(stream)
        out["music21, " + label] = key.tonic.pitchClass + 12 * (key.mode == "minor")
    return out


def table(name: str, pieces: list[Piece]) -> None:
    rows: dict[str, list[tuple[bool, float]]] = {}
    ends = np.zeros(2)
    for score, truth in pieces:
        spans = key_spans(score)
        ends += number(spans[0]) == truth, number(spans[-1]) == truth
        for who, found in {"ours": number(home_key(spans)), **peers(score)}.items():
            rows.setdefault(who, []).append((found == truth, worth(found, truth)))
    print(f"{name}: {len(pieces)} pieces; our first local key right {ends[0] / len(pieces):.3f}, ", end="")
    print(f"our last {ends[1] / len(pieces):.3f}")
    for who, values in rows.items():
        right, score_ = np.mean(values, axis=0)
        print(f"    {who:24s} right {right:.3f}   MIREX {score_:.3f}", flush=True)


def main() -> None:
    folder = corpus()
    print("key of the whole, signatures taken away")
    table("chorales", written(sorted((folder / "bach").glob("*.mxl"))[::4]))
    table("movements", written([p for name in MOVEMENTS for p in sorted((folder / name).rglob("*.mxl"))]))
    table("folk songs, one line", essen())


if __name__ == "__main__":
    main()
