"""Two hands found again: the share of keyboard notes put on the staff that the source prints them on.

Keyboard parts of the music21 corpus on two staves are laid on one, and parted again: by `notation.hands` and, in the
same run, at middle C, as programs do that split at a fixed pitch. Nothing was tuned on these scores.

Run: python benchmarks/bench_hands.py
"""

from __future__ import annotations

from pathlib import Path
from time import process_time

import numpy as np

import rescore_music as rm
from rescore_music.io.notation.hands import hands

FOLDERS = ("schumann_robert", "schumann_clara", "chopin", "joplin", "mozart", "beethoven", "schubert", "weber")
FEWEST = 60  # notes


def main() -> None:
    import music21

    corpus = Path(music21.__file__).parent / "corpus"
    paths = [p for f in FOLDERS for p in sorted((corpus / f).rglob("*")) if p.suffix in (".mxl", ".xml", ".musicxml")]
    total = np.zeros(3)
    spent = 0.0
    print("| score | notes | ours | split at middle C |")
    print("| --- | --: | --: | --: |")
    for path in paths:
        try:
            score = rm.read_score(path)
        except rm.RescoreError:
            continue
        for number, part in enumerate(score.parts):
            notes = score.notes[score.part_notes(number)]
            if part.staves != 2 or len(notes) < FEWEST:
                continue
            pitch = notes["pitch"].astype(np.int64)
            begin = process_time()
            found = hands(notes["onset"], notes["onset"] + notes["duration"], pitch, score.ticks_per_quarter)
            spent += process_time() - begin
            right = [len(notes), (found == notes["staff"]).sum(), ((pitch < 60) == (notes["staff"] == 1)).sum()]
            total += right
            print(f"| {path.name} | {right[0]:,} | {right[1] / right[0]:.1%} | {right[2] / right[0]:.1%} |")
    print(f"| all | {int(total[0]):,} | {total[1] / total[0]:.1%} | {total[2] / total[0]:.1%} |")
    print(f"microseconds of CPU a note: {1e6 * spent / total[0]:.1f}")


if __name__ == "__main__":
    main()
