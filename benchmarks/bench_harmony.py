"""Keys, chords, modulations and cadences against published Roman-numeral analyses, and music21 on the same scores.

    python benchmarks/bench_harmony.py            the figures
    python benchmarks/bench_harmony.py --tuned    the same on the pieces that parameters were chosen on

Data: the romanText analyses inside the music21 package: the first chorales of the Riemenschneider edition (analysts A.
Jones and others) and Monteverdi's madrigals. Parameters were chosen, and weights learned (`fit_keys.py`), on the
odd-numbered chorales and on the third book of madrigals; figures are for the even-numbered chorales and for books four
and five. A score in another key than its analysis is transposed; pieces whose score and analysis do not lie alike
(repeats written out in one of the two, other bar lines) are left out.

Convention: score and analysis are sampled together at every eighth of the analysis, so that long chords count longer.
Key: tonic and mode. Quality: of the numerals whose chord is one of `CHORD_TONES`. Inversion: root and bass right. A
modulation is a change of local key; one of ours and one of theirs pair if they lie within the tolerance and go to the
same key. Cadences: the analyst's seams (||), each with the kind that the two numerals before it make by the same rules
(authentic, half, plagal, deceptive); ours pairs if its phrase ends within a beat of the seam.
"""

from __future__ import annotations

import argparse
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis.cadences import find_cadences
from rescore_music.analysis.harmony import find_harmony
from rescore_music.analysis.phrases import find_phrases
from rescore_music.io import read_score
from rescore_music.score import Articulation, Score
from rescore_music.structure import CHORD_TONES

SAME = 0.6  # share of the notes that must be chord tones, if score and analysis are to count as one piece
TOLERANCES = (("a beat", 1.0), ("a bar", 4.0))  # quarters


@dataclass(frozen=True, eq=False)
class Reference:
    """One analysed piece; `chords` has start and end in quarters, tonic, minor, root, quality index or -1, bass."""

    name: str
    source: Path
    chords: np.ndarray[Any, Any]
    seams: tuple[int, ...]  # numbers of the chords that begin a phrase
    shift: int = 0  # semitones from the score up to the analysis

    def score(self) -> Score:
        """The score, in the key of the analysis."""
        return read_score(self.source).transposed(self.shift)


def corpus() -> Path:
    import music21

    return Path(music21.__file__).parent / "corpus"


def references(which: str) -> list[Reference]:
    """The chorales "odd" or "even", or a book of madrigals ("3" to "5"), as far as score and analysis lie alike."""
    folder = corpus()
    found = []
    if which.isdigit():
        for path in sorted((folder / "monteverdi").glob(f"madrigal.{which}.*.rntxt")):
            found.append(read_reference(path, path.with_suffix(".mxl")))
    else:
        for path in sorted((folder / "bach" / "choraleAnalyses").glob("*.rntxt")):
            if int(path.stem[-3:]) % 2 == (which == "odd"):
                found.append(read_reference(path, folder / "bach" / f"bwv{chorale_number(path)}.mxl"))
    return [ref for ref in found if ref is not None]


def chorale_number(path: Path) -> str:
    """The chorale's BWV number as the corpus names its file: "248(2).12" is 248.12-2."""
    found = re.search(r"^BWV: *(\d+)(?:\((\d)\))?(?:\.(\d+))?", path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        return ""
    work, cantata, movement = found.groups()
    return work + (f".{movement}" if movement else "") + (f"-{cantata}" if cantata else "")


def read_reference(path: Path, source: Path) -> Reference | None:
    """The analysis as rows, or None where there is no score or the two do not lie alike (repeats)."""
    import music21

    if not source.exists():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = music21.converter.parse(path)
    names = list(CHORD_TONES)
    kinds = {tuple(sorted(tones)): names.index(name) for name, tones in CHORD_TONES.items()}
    rows = []
    numerals = list(stream.flatten().getElementsByClass("RomanNumeral"))
    for n in numerals:
        root = n.root().pitchClass
        shape = tuple(sorted({(pc - root) % 12 for pc in n.pitchClasses}))
        start = float(n.offset)
        key = (n.key.tonic.pitchClass, n.key.mode == "minor")
        rows.append((start, start + float(n.quarterLength), *key, root, kinds.get(shape, -1), n.bass().pitchClass))
    chords = np.array(rows)
    tones = np.zeros((len(rows), 12), bool)
    for row, n in zip(tones, numerals, strict=True):
        row[list(n.pitchClasses)] = True
    score = read_score(source)
    at = np.searchsorted(chords[:, 0] * score.ticks_per_quarter, score.notes["onset"], side="right") - 1
    pitch = score.notes["pitch"].astype(int)
    shares = {t: tones[np.maximum(at, 0), (pitch + t) % 12].mean() for t in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, 6)}
    shift = max(shares, key=lambda t: shares[t])
    if shares[shift] <= SAME:
        return None
    return Reference(path.stem, source, chords, seams_of(path, stream, chords), shift)


def seams_of(path: Path, stream: Any, chords: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Numbers of the chords before which the analyst put a phrase mark (||)."""
    measures = list(stream.recurse().getElementsByClass("Measure"))
    start = {m.number: float(m.offset) - float(m.paddingLeft) for m in reversed(measures)}
    after = {m.number: float(m.offset) + float(m.quarterLength) for m in reversed(measures)}
    unit = {m.number: 4 / (m.timeSignature or m.getContextByClass("TimeSignature")).denominator for m in measures}
    seams = []
    for line in path.read_text(encoding="utf-8").splitlines():
        bar = re.match(r"m(\d+) ", line)
        if not bar or int(bar[1]) not in start:
            continue
        number, tokens = int(bar[1]), line.split()[1:]
        for i in np.flatnonzero([t == "||" for t in tokens]):
            beat = next((t for t in tokens[i:] if re.fullmatch(r"b[\d.]+", t)), None)
            seams.append(start[number] + (float(beat[1:]) - 1) * unit[number] if beat else after[number])
    rows = np.searchsorted(chords[:, 0], np.array(seams) - 1e-3)
    return tuple(sorted({int(r) for r in rows if 0 < r < len(chords)}))


def samples(chords: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Places in quarters, every eighth, and the chord row at each."""
    places = np.arange(chords[0, 0], chords[-1, 1], 0.5) + 1e-6
    row = np.searchsorted(chords[:, 0], places, side="right") - 1
    return places, chords[row]


def ours(score: Score, places: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Key, root, quality and bass of our analysis at each place."""
    harmony = find_harmony(score)
    keys, chords = harmony.keys, harmony.chords
    tick = places * score.ticks_per_quarter
    key = [keys[i] for i in np.maximum(np.searchsorted([k.start for k in keys], tick, side="right") - 1, 0)]
    chord = [chords[i] for i in np.maximum(np.searchsorted([c.start for c in chords], tick, side="right") - 1, 0)]
    names = list(CHORD_TONES)
    return {
        "tonic": np.array([k.tonic for k in key]),
        "minor": np.array([k.mode == "minor" for k in key]),
        "root": np.array([c.root for c in chord]),
        "quality": np.array([names.index(c.quality) if c.quality else -2 for c in chord]),
        "bass": np.array([c.bass for c in chord]),
    }


def theirs(source: Path, shift: int, places: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """What music21 says: chordify, then root, quality and bass of each slice; floating key of each measure."""
    import music21

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = music21.converter.parse(source)
        whole = stream.analyze("key")
        slices = list(stream.chordify().flatten().getElementsByClass("Chord"))
        analyzer = music21.analysis.floatingKey.KeyAnalyzer(stream)
        try:
            floating = analyzer.run()
            bars = [float(m.offset) for m in stream.parts[0].getElementsByClass("Measure")]
        except Exception:  # a peer that fails on a score is given its one key a piece
            floating, bars = [whole], [0.0]
    starts = [float(c.offset) for c in slices]
    names = list(CHORD_TONES)
    kinds = {tuple(sorted(tones)): names.index(name) for name, tones in CHORD_TONES.items()}
    columns: dict[str, list[Any]] = {k: [] for k in ("tonic", "minor", "root", "quality", "bass", "one_t", "one_m")}
    told = []
    for c in slices:
        root = c.root().pitchClass
        told.append(
            (root, kinds.get(tuple(sorted({(pc - root) % 12 for pc in c.pitchClasses})), -2), c.bass().pitchClass)
        )
    for place in places:
        root, quality, bass = told[max(int(np.searchsorted(starts, place, side="right")) - 1, 0)]
        key = floating[min(max(int(np.searchsorted(bars, place, side="right")) - 1, 0), len(floating) - 1)]
        values = (key.tonic.pitchClass, key.mode == "minor", root, quality, bass)
        for name, value in zip(columns, (*values, whole.tonic.pitchClass, whole.mode == "minor"), strict=True):
            columns[name].append(value)
    found = {name: np.array(column) for name, column in columns.items()}
    return found | {name: (found[name] + shift) % 12 for name in ("tonic", "root", "bass", "one_t")}


def agreement(truth: np.ndarray[Any, Any], found: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Sums of right samples in the columns of `HEAD`, then of all samples."""
    tonic = truth[:, 2] == found["tonic"]
    key = tonic & (truth[:, 3] == found["minor"])
    root, bass = truth[:, 4] == found["root"], truth[:, 6] == found["bass"]
    known = truth[:, 5] >= 0
    quality = known & (truth[:, 5] == found["quality"])
    right = (key, tonic, root, root & quality, root & bass, root & quality & bass)
    many = (len(truth),) * 3 + (known.sum(), len(truth), known.sum())
    return np.array([[np.count_nonzero(r) for r in right], many], float)


def changes(places: np.ndarray[Any, Any], tonic: np.ndarray[Any, Any], minor: np.ndarray[Any, Any]) -> list[Any]:
    key = tonic.astype(int) + 12 * minor.astype(int)
    at = np.flatnonzero(np.diff(key)) + 1
    return [(float(places[i]), int(key[i])) for i in at]


def paired(truth: list[Any], found: list[Any], tolerance: float) -> np.ndarray[Any, Any]:
    """(pairs, theirs, ours): each modulation pairs at most once, the nearest first."""
    free = list(found)
    hits = 0
    for place, key in truth:
        near = [f for f in free if abs(f[0] - place) <= tolerance + 1e-6 and f[1] == key]
        if near:
            free.remove(min(near, key=lambda f: abs(f[0] - place)))
            hits += 1
    return np.array([hits, len(truth), len(found)], float)


HEAD = ("local key", "tonic", "root", "quality", "inversion", "whole chord")


def kind_of(before: np.ndarray[Any, Any], goal: np.ndarray[Any, Any]) -> str:
    """The kind of cadence that two rows of an analysis make."""
    tonic = goal[2]
    to, source = (goal[4] - tonic) % 12, (before[4] - tonic) % 12
    quality = list(CHORD_TONES)[int(before[5])] if before[5] >= 0 else ""
    dominant = source == 7 and quality in ("maj", "7", "5", "sus4", "aug")
    if to == 0 and (dominant or (source == 11 and "dim" in quality)):
        return "authentic"
    if to == 0:
        return "plagal" if source == 5 else ""
    if to == 7 and goal[5] >= 0 and list(CHORD_TONES)[int(goal[5])] in ("maj", "7", "5", "sus4", "aug"):
        return "half"
    return "deceptive" if dominant and to in (5, 8, 9) else ""


def analysts_cadences(ref: Reference) -> list[tuple[float, str]]:
    """(place of the seam in quarters, kind) of the analyst's phrase ends that make a cadence, and of the last chord."""
    chords = ref.chords
    out = []
    for seam in [*ref.seams, len(chords)] if ref.seams else []:
        goal = seam - 1
        before = goal - 1
        while before > 0 and chords[before, 4] == chords[goal, 4]:
            before -= 1
        if before >= 0:
            out.append((float(chords[goal, 1]), kind_of(chords[before], chords[goal])))
    return [c for c in out if c[1]]


def cadences(name: str, refs: list[Reference]) -> None:
    """Places and kinds of cadences."""
    hits = right = wanted = made = 0
    confused: dict[tuple[str, str], int] = {}
    for ref in refs:
        truth = analysts_cadences(ref)
        if not truth:
            continue
        score = ref.score()
        score = score.replace(marks=(), notes=without_fermatas(score))
        found = analyze_cadences(score)
        wanted, made = wanted + len(truth), made + len(found)
        for place, kind in truth:
            near = [f for f in found if abs(f[0] - place) <= 1.0]
            if near:
                best = min(near, key=lambda f: abs(f[0] - place))
                found.remove(best)
                hits += 1
                right += best[1] == kind
                confused[(kind, best[1])] = confused.get((kind, best[1]), 0) + 1
    p, r = hits / max(made, 1), hits / max(wanted, 1)
    f = 2 * p * r / max(p + r, 1e-9)
    print(f"{name}: {wanted} cadences; placed: P {p:.3f} R {r:.3f} F1 {f:.3f}; kind right: {right / max(hits, 1):.3f}")
    print("    " + ", ".join(f"{a} as {b} {n}" for (a, b), n in sorted(confused.items(), key=lambda x: -x[1])))


def without_fermatas(score: Score) -> np.ndarray[Any, Any]:
    rows = score.notes.copy()
    rows["articulation"] &= ~np.uint32(int(Articulation.FERMATA))
    return rows


def analyze_cadences(score: Score) -> list[tuple[float, str]]:
    """(end of the phrase in quarters, kind) of our cadences; where the next phrase begins with the goal, that place."""
    harmony = find_harmony(score)
    phrases = find_phrases(score, harmony.keys)
    ends = np.array([p.end for p in phrases])
    return [
        (float(ends[np.searchsorted(ends, c.tick, side="left")]) / score.ticks_per_quarter, c.kind.split()[-1])
        for c in find_cadences(score, phrases, harmony.keys, harmony.chords)
    ]


def table(name: str, refs: list[Reference]) -> None:
    sums: dict[str, Any] = {}
    turns: dict[str, Any] = {}
    for ref in refs:
        score = ref.score()
        places, truth = samples(ref.chords)
        inside = places * score.ticks_per_quarter < score.length
        places, truth = places[inside], truth[inside]
        other = theirs(ref.source, ref.shift, places)
        rows = {
            "ours": ours(score, places),
            "music21, floating key": other,
            "music21, one key": {**other, "tonic": other["one_t"], "minor": other["one_m"]},
        }
        wanted = changes(places, truth[:, 2], truth[:, 3])
        for who, row in rows.items():
            sums[who] = sums.get(who, 0) + agreement(truth, row)
            made = changes(places, row["tonic"], row["minor"])
            turns[who] = turns.get(who, 0) + np.stack([paired(wanted, made, t) for _, t in TOLERANCES])
    print(f"{name}: {len(refs)} pieces, {int(sums['ours'][1, 0])} eighths, share right")
    tolerances = " | ".join(t for t, _ in TOLERANCES)
    print(f"{'':24s}" + "".join(f"{h:>12s}" for h in HEAD) + f"   modulations: P / R / F1 within {tolerances}")
    for who, (right, many) in sums.items():
        line = f"{who:24s}" + "".join(f"{v:12.3f}" for v in right / many)
        for hits, theirs_, ours_ in turns[who]:
            p, r = hits / max(ours_, 1), hits / max(theirs_, 1)
            line += f"   {p:.2f} / {r:.2f} / {2 * p * r / max(p + r, 1e-9):.2f}"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuned", action="store_true")
    tuned = parser.parse_args().tuned
    print("keys and chords against Roman numerals" + ("" if tuned else "; no parameter was chosen on these pieces"))
    chorales = references("odd" if tuned else "even")
    madrigals = references("3") if tuned else references("4") + references("5")
    for name, refs in (("chorales", chorales), ("madrigals", madrigals)):
        table(name, refs)
        cadences(name, refs)


if __name__ == "__main__":
    main()
