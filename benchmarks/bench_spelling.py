"""Pitch spelling: the share of notes named as the source prints them, ours against partitura's ps13.

Scores of the music21 corpus and of the shared orchestral set are read, their note names taken off, and found again:
with the key signatures left standing (a MIDI file that has them), and with those taken off too. The peer,
partitura.musicanalysis.estimate_spelling (Meredith's ps13, stage 1), gets the same notes in the same run; it uses no
key signature. The two numbers of our method were chosen on other scores: every third orchestral movement (left out
here) and files of the corpus that lie between those taken here. After one look at this table they were chosen anew, on
those other scores.

Run: python benchmarks/bench_spelling.py
"""

from __future__ import annotations

import os
from pathlib import Path
from time import process_time

import numpy as np

import rescore_music as rm
from rescore_music.elements import KEY
from rescore_music.io.notation.spelling import spell

FOLDERS = ("bach", "beethoven", "mozart", "haydn", "corelli", "schumann_robert", "schumann_clara", "chopin", "schubert")
FILES = 60
STEPS = "CDEFGAB"


def scores() -> list[tuple[str, Path]]:
    """Evenly chosen scores: (collection, path)."""
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    out = []
    for folder in FOLDERS:
        found = sorted(p for p in (corpus / folder).rglob("*") if p.suffix in (".mxl", ".xml", ".musicxml"))
        out += [(folder, p) for p in found[:: max(len(found) // (FILES // len(FOLDERS)), 1)]]
    shared = Path(os.environ.get("RESCORE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    orchestra = sorted((shared / "openscore_orchestra").glob("*.mxl"))
    return out + [("orchestra", p) for i, p in enumerate(orchestra) if i % 3]


def partitura_names(score: rm.Score) -> tuple[np.ndarray, np.ndarray]:
    """Step and alteration of the pitched notes, as partitura names them."""
    from partitura.musicanalysis import estimate_spelling

    notes = score.notes[score.pitched]
    table = np.zeros(len(notes), [("onset_beat", "f4"), ("duration_beat", "f4"), ("pitch", "i4"), ("id", "U8")])
    table["onset_beat"] = notes["onset"] / score.ticks_per_quarter
    table["duration_beat"] = notes["duration"] / score.ticks_per_quarter
    table["pitch"] = notes["pitch"]
    named = estimate_spelling(table)
    return np.array([STEPS.index(s) for s in named["step"]]), named["alter"].astype(np.int64)


def main() -> None:
    counts: dict[str, np.ndarray] = {}
    spent = np.zeros(3)
    for collection, path in scores():
        try:
            score = rm.read_score(path)
        except rm.RescoreError:
            continue
        truth = score.notes[score.pitched]
        known = truth["step"] >= 0
        if not known.any():
            continue
        notes = score.notes.copy()
        notes["step"], notes["alter"] = -1, 0
        keyed = score.replace(notes=notes)
        bare = keyed.replace(keys=np.zeros(0, KEY))
        answers = []
        for i, one in enumerate((keyed, bare, None)):
            begin = process_time()
            step, alter = partitura_names(bare) if one is None else (c[score.pitched] for c in spell(one))
            spent[i] += process_time() - begin
            answers.append(int(((step == truth["step"]) & (alter == truth["alter"]))[known].sum()))
        row = np.array([1, int(known.sum()), *answers])
        counts[collection] = counts.get(collection, np.zeros(5, np.int64)) + row
    print("| collection | scores | notes | ours, key signature kept | ours, taken off | partitura ps13 |")
    print("| --- | --: | --: | --: | --: | --: |")
    total = sum(counts.values(), np.zeros(5, np.int64))
    for name, row in [*counts.items(), ("all", total)]:
        shares = " | ".join(f"{100 * v / row[1]:.2f} %" for v in row[2:])
        print(f"| {name} | {row[0]} | {row[1]:,} | {shares} |")
    per = 1e6 * spent / total[1]
    print(f"microseconds of CPU a note: ours {per[0]:.1f} / {per[1]:.1f}, partitura {per[2]:.1f}")


if __name__ == "__main__":
    main()
