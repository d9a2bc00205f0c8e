"""Phrases and sections against what scores and editors say, with peers in the same tables.

    python benchmarks/bench_form.py --phrases     phrase ends: chorale fermatas, Essen folk songs, analysts' marks
    python benchmarks/bench_form.py --sections    sections against repeat signs and known forms
    python benchmarks/bench_form.py --tuned       phrases on the halves that parameters were chosen on

Phrase data, all inside the music21 package: chorales of Bach, whose phrases end under fermatas (taken out of the score
before it is analysed); folk songs of the Essen collection, whose files break the line at each phrase end; Monteverdi's
madrigals with the seams (||) of their Roman-numeral analyses. Parameters were chosen on every second chorale and on
songs of the files that are not Erk's; the figures are for the other chorales, Erk's songs, and the madrigals.

Convention: the first note of a phrase is its boundary; the first of a piece does not count. A boundary counts as found
if one of ours lies at the same place (chorales and madrigals: within a beat); precision, recall and F1 are means over
pieces. Peers, on the top voice: rests only; Cambouropoulos' Local Boundary Detection Model with the threshold that is
best on the tuning half; a Grouper after Temperley (gap, eight notes, metrical parallelism); a seam every four bars.
Published on 1705 songs of the Essen collection (Pearce, Muellensiefen and Wiggins 2010): Grouper .66, LBDM .63, rests
.58, IDyOM .58; their selection is not ours.

Section data: movements of quartets, piano and orchestral music with repeat signs, played through with their repeats.
Parameters were chosen on every second of them, the figures are for the others.
"""

from __future__ import annotations

import argparse
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from rescore_music.analysis.chords import pitch_classes
from rescore_music.analysis.form import find_sections
from rescore_music.analysis.harmony import find_harmony, key_spans
from rescore_music.analysis.phrases import find_phrases
from rescore_music.io import read_score
from rescore_music.repeats import playing_order, unfold
from rescore_music.score import METER, Articulation, Part, Score, note_rows

Row = np.ndarray[Any, Any]
Q = 48  # ticks a quarter of the songs
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = "FCGDAEB"
FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "F": -1, "Bb": -2, "Eb": -3, "Ab": -4, "Db": -5}
TOKEN = re.compile(r"([_^=]*)([A-Ga-gz])([,']*)(\d*)(/?)(\d*)|(\|)|(-)|(\s+)|(.)")


def corpus() -> Path:
    from importlib.util import find_spec

    found = find_spec("music21")
    if found is None or found.origin is None:
        raise SystemExit("bench_form needs music21 for its corpus")
    return Path(found.origin).parent / "corpus"


# -- data ------------------------------------------------------------------------------------------------------------


def songs(path: Path) -> list[tuple[str, Score, Row]]:
    """(title, score, phrase starts in ticks) of the songs of one Essen file that have a meter and plain notation."""
    out = []
    for text in path.read_text(encoding="latin-1").split("\nX:")[1:]:
        song = _song(text)
        if song is not None and len(song[1]) >= 1:
            out.append((path.stem + ":" + text.split("\n", 1)[0], *song))
    return out


def _song(text: str) -> tuple[Score, Row] | None:
    head = dict(re.findall(r"^([A-Z]): ?(.*)$", text, re.MULTILINE))
    meter = re.fullmatch(r"(\d+)/(\d+)", head.get("M", "").strip())
    unit = re.fullmatch(r"1/(\d+)", head.get("L", "").strip())
    key = head.get("K", "").strip()
    tonic = key.removesuffix("m")
    if not meter or not unit or tonic not in FIFTHS:
        return None
    fifths = FIFTHS[tonic] - 3 * key.endswith("m")
    flats = dict.fromkeys(SHARPS[::-1][: max(-fifths, 0)], -1)
    signature = dict.fromkeys(SHARPS[: max(fifths, 0)], 1) | flats
    lines = [line for line in text.split("\n")[1:] if line.strip() and not re.match(r"^[A-Za-z]:", line)]
    now, tied = 0, False
    here: dict[str, int] = {}
    rows: list[list[int]] = []
    bars, starts = [0], []
    for line in lines:
        begun = False
        for accidental, letter, octave, number, slash, under, bar, tie, _, other in TOKEN.findall(line):
            if other:
                return None
            if bar:
                here = {}
                if now > bars[-1]:
                    bars.append(now)
            elif tie:
                tied = True
            elif letter:
                long = 4 * Q // int(unit[1]) * int(number or 1)
                long = long // int(under or 2) if slash else long
                if letter != "z":
                    name = letter.upper()
                    if accidental:
                        here[name] = accidental.count("^") - accidental.count("_")
                    pitch = 60 + STEPS[name] + 12 * letter.islower() + here.get(name, signature.get(name, 0))
                    pitch += 12 * octave.count("'") - 12 * octave.count(",")
                    if tied and rows and rows[-1][2] == pitch:
                        rows[-1][1] += long
                    else:
                        rows.append([now, long, pitch, 80, 0])
                        if not begun:
                            starts.append(now)
                    begun = True
                    tied = False
                now += long
    if now > bars[-1]:
        bars.append(now)
    if len(rows) < 8 or len(bars) < 3:
        return None
    meters = np.array([(0, int(meter[1]), int(meter[2]))], METER)
    score = Score(
        notes=note_rows([tuple(r) for r in rows]),
        parts=(Part("voice"),),
        meters=meters,
        barlines=np.array(bars),
        length=now,
        ticks_per_quarter=Q,
        tempo=_tempo(),
    )
    return score, np.array(starts[1:], np.int64)


def _tempo() -> Any:
    from rescore_music.tempo import TempoMap

    return TempoMap.constant(ticks_per_quarter=Q)


def chorales(half: int) -> list[tuple[str, Score, Row]]:
    """Every second chorale: the score without fermatas, and where the phrases after them begin."""
    out = []
    for path in sorted((corpus() / "bach").glob("*.mxl"))[half::2]:
        score = read_score(path)
        if len(score.parts) != 4:
            continue
        top = score.part_notes(0)
        marked = (score.notes["articulation"][top] & int(Articulation.FERMATA)) != 0
        if np.count_nonzero(marked) < 2:
            continue
        onset, ends = score.notes["onset"][top], score.ends[top][marked]
        after = onset[np.searchsorted(onset, ends)[np.searchsorted(onset, ends) < len(onset)]]
        rows = score.notes.copy()
        rows["articulation"] &= ~np.uint32(int(Articulation.FERMATA))
        marks = tuple(m for m in score.marks if m.kind not in ("fermata", "barline", "jump"))
        out.append((path.stem, score.replace(notes=rows, marks=marks), np.unique(after)))
    return out


def madrigals() -> list[tuple[str, Score, Row]]:
    """Madrigals and the seams of their analyses: the chord after each ||."""
    from bench_harmony import references

    out = []
    for ref in references("4") + references("5"):
        score = read_score(ref.source)
        seams = np.unique(np.rint(ref.chords[list(ref.seams), 0] * score.ticks_per_quarter)).astype(np.int64)
        seams = seams[(seams > 0) & (seams < score.length)]
        if len(seams) >= 2:
            out.append((ref.name, score.replace(marks=()), seams))
    return out


# -- peers -----------------------------------------------------------------------------------------------------------


def top_voice(score: Score) -> tuple[Row, Row, Row]:
    """Onset, end and pitch of the first part's notes, the upper ones where it has chords."""
    rows = score.notes[score.part_notes(0)]
    rows = rows[np.lexsort((-rows["pitch"].astype(int), rows["onset"]))]
    rows = rows[np.concatenate([[True], np.diff(rows["onset"]) > 0])]
    return rows["onset"], rows["onset"] + rows["duration"], rows["pitch"].astype(np.int64)


def rests(score: Score) -> Row:
    onset, end, _ = top_voice(score)
    return onset[1:][onset[1:] > end[:-1]]


def lbdm(score: Score, threshold: float) -> Row:
    """Local boundaries: change of interval, wait and rest, weighed 1 : 2 : 1, peaks over the threshold."""
    onset, end, pitch = top_voice(score)
    if len(onset) < 4:
        return onset[:0]
    profile = np.zeros(len(onset) - 1)
    for weight, x in (
        (0.25, np.abs(np.diff(pitch)).astype(float)),
        (0.5, np.diff(onset).astype(float)),
        (0.25, np.maximum(onset[1:] - end[:-1], 0).astype(float)),
    ):
        change = np.abs(np.diff(x)) / np.maximum(x[1:] + x[:-1], 1e-9)
        around = np.concatenate([[0.0], change]) + np.concatenate([change, [0.0]])
        strength = x * around
        profile += weight * strength / max(strength.max(), 1e-9)
    left, right = np.concatenate([[0.0], profile[:-1]]), np.concatenate([profile[1:], [0.0]])
    return onset[1:][(profile > threshold) & (profile >= left) & (profile > right)]


def grouper(score: Score) -> Row:
    """Temperley's rules: the gap (wait + rest, over the mean wait), about eight notes, parallel places in the bar."""
    onset, end, _ = top_voice(score)
    wait = np.diff(onset)
    n = len(onset)
    if n < 4:
        return onset[:0]
    gap = np.concatenate([[0.0], (wait + np.maximum(onset[1:] - end[:-1], 0)) / wait.mean()])
    bars = score.bars
    place = onset - bars[score.bar_of(onset)]
    best = np.full(n + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(n + 1, int)
    for j in range(2, n + 1):
        i = np.arange(max(0, j - 24), j - 1)
        value = best[i] + np.append(gap, 0.0)[j] - 1.0 - np.abs(np.log2((j - i) / 8.0)) * 1.2
        if j < n:
            value += 0.4 * (place[j] == place[i])
        pick = int(value.argmax())
        best[j], back[j] = value[pick], i[pick]
    cuts = []
    j = int(back[n])
    while j > 0:
        cuts.append(j)
        j = int(back[j])
    return onset[np.array(cuts[::-1], int)]


def four_bars(score: Score) -> Row:
    bars = score.bars
    pickup = int(bars[1] - bars[0]) if len(bars) > 2 and bars[1] - bars[0] < bars[2] - bars[1] else 0
    return bars[(1 if pickup else 0) :: 4][1:] - pickup


def ours(score: Score) -> Row:
    return np.array([p.start for p in find_phrases(score, key_spans(score))][1:], np.int64)


# -- tables ----------------------------------------------------------------------------------------------------------


def measure(truth: Row, found: Row, tolerance: int) -> Row:
    """Precision, recall and F1 of one piece; each boundary pairs at most once."""
    free = list(np.asarray(found).tolist())
    hits = 0
    for t in truth.tolist():
        near = [f for f in free if abs(f - t) <= tolerance]
        if near:
            free.remove(min(near, key=lambda f: abs(f - t)))
            hits += 1
    p, r = hits / max(len(found), 1), hits / max(len(truth), 1)
    return np.array([p, r, 2 * p * r / max(p + r, 1e-9)])


def best_threshold(pieces: list[tuple[str, Score, Row]]) -> float:
    grid = np.linspace(0.1, 0.7, 13)
    return float(grid[int(np.argmax([np.mean([measure(t, lbdm(s, x), 0)[2] for _, s, t in pieces]) for x in grid]))])


def essen(erk: bool) -> list[tuple[str, Score, Row]]:
    paths = sorted((corpus() / "essenFolksong").glob("*.abc"))
    chosen = [p for p in paths if p.stem.startswith("erk") == erk and not p.stem.startswith(("test", "han", "lux"))]
    found = [song for path in chosen for song in songs(path)]
    return found if erk else found[::8]


def phrases(tuned: bool) -> None:
    threshold = best_threshold(essen(False))
    sets = {"chorales, fermatas": (chorales(0 if tuned else 1), 1.0), "Essen songs": (essen(not tuned), 0.0)}
    if not tuned:
        sets["madrigals, ||"] = (madrigals(), 1.0)
    print("phrase boundaries: precision / recall / F1, means over pieces")
    print(f"(LBDM's threshold {threshold:.2f}, chosen on other songs)")
    for name, (pieces, beats) in sets.items():
        print(f"{name}: {len(pieces)} pieces, {sum(len(t) for _, _, t in pieces)} boundaries, within {beats:g} beats")
        for who, method in {
            "ours": ours,
            "rests only": rests,
            "LBDM": lambda s: lbdm(s, threshold),
            "Grouper": grouper,
            "every four bars": four_bars,
        }.items():
            rows = [measure(t, method(s), round(beats * s.ticks_per_quarter)) for _, s, t in pieces]
            p, r, f = np.mean(rows, axis=0)
            print(f"    {who:18s} {p:.3f} / {r:.3f} / {f:.3f}")


# -- sections --------------------------------------------------------------------------------------------------------


def played_forms(tuned: bool) -> list[tuple[str, Score, list[tuple[int, int, int]]]]:
    """Movements with repeats, played through: the score, and (start, end, passage) of each passage as it is heard.

    Passages are what lies between repeat signs, double bars and endings; a passage heard again has its number again.
    Passages under four bars are joined to the one before.
    """
    folders = ("haydn", "mozart", "beethoven", "joplin", "schumann_clara", "schumann_robert", "handel")
    paths = [p for f in folders for p in sorted((corpus() / f).rglob("*.mxl")) if not re.search(r"opus1\d\d", p.stem)]
    out = []
    for path in paths[0 if tuned else 1 :: 2]:
        score = read_score(path)
        order = playing_order(score)
        if len(order) < 2:
            continue
        cuts = np.unique([m.tick for m in score.marks if m.kind == "barline" and "ending" not in m.text])
        heard: list[tuple[int, int, int]] = []
        at = 0
        for a, b in order:
            inner = [a, *[int(c) for c in cuts if a < c < b], b]
            for x, y in pairwise(inner):
                bars = int(score.bar_of(y - 1) - score.bar_of(x)) + 1
                if heard and bars < 4:
                    heard[-1] = (heard[-1][0], at + y - a, heard[-1][2])
                else:
                    heard.append((at + x - a, at + y - a, x))
            at += b - a
        if 3 <= len(heard) <= 40:
            played = unfold(score)
            out.append((path.parent.name + "/" + path.stem, played.replace(marks=()), heard))
    return out


def foote(score: Score) -> Row:
    """Foote's novelty on bars' pitch classes, kernel of eight bars, peaks over the mean by a standard deviation."""
    bars = score.bars
    classes = pitch_classes(score, bars)
    unit = classes / np.maximum(np.linalg.norm(classes, axis=1, keepdims=True), 1e-9)
    alike = unit @ unit.T
    out = np.zeros(len(alike))
    for i in range(2, len(alike) - 2):
        k = min(8, i, len(alike) - i)
        w = alike[i - k : i + k, i - k : i + k]
        out[i] = (w[:k, :k].mean() + w[k:, k:].mean()) / 2 - w[:k, k:].mean()
    peaks = [i for i in range(1, len(out) - 1) if out[i] == out[max(0, i - 4) : i + 5].max()]
    return bars[[i for i in peaks if out[i] > out.mean() + out.std()]]


def pairs_right(truth: list[tuple[int, int, int]], found: list[tuple[int, int, str]], bars: Row) -> Row:
    """Pairwise label agreement over bars: (pairs alike in both, alike in ours, alike in truth)."""
    middle = (bars[:-1] + bars[1:]) // 2
    a = np.array([t[2] for t in truth])[np.clip(np.searchsorted([t[0] for t in truth], middle, "right") - 1, 0, None)]
    names = sorted({f[2] for f in found})
    number = np.array([names.index(f[2]) for f in found])
    b = number[np.clip(np.searchsorted([f[0] for f in found], middle, "right") - 1, 0, None)]
    same_a, same_b = a[:, None] == a, b[:, None] == b
    off = ~np.eye(len(a), dtype=bool)
    return np.array([(same_a & same_b & off).sum(), (same_b & off).sum(), (same_a & off).sum()], float)


def sections(tuned: bool) -> None:
    forms = played_forms(tuned)
    print(f"sections of {len(forms)} movements played with their repeats, the signs taken out; boundaries within a bar")
    print("(precision / recall / F1, means a piece), and pairs of bars with one label (F1; primes count as the letter)")
    rows: dict[str, list[Row]] = {}
    labels: list[float] = []
    for _, score, heard in forms:
        truth = np.array([h[0] for h in heard][1:])
        bar = int(np.median(np.diff(score.bars)))
        harmony = find_harmony(score)
        mine = find_sections(score, find_phrases(score, harmony.keys), harmony.keys)
        guesses = {
            "ours": np.array([m.start for m in mine][1:]),
            "Foote's novelty": foote(score),
            "every 8 bars": score.bars[8:-1:8],
            "every 16 bars": score.bars[16:-1:16],
        }
        for who, guess in guesses.items():
            rows.setdefault(who, []).append(measure(truth, guess, bar))
        hits, ours_, theirs = pairs_right(heard, [(m.start, m.end, m.label.rstrip("'")) for m in mine], score.bars)
        p, r = hits / max(ours_, 1), hits / max(theirs, 1)
        labels.append(2 * p * r / max(p + r, 1e-9))
    for who, values in rows.items():
        p, r, f = np.mean(values, axis=0)
        told = f"   labels {np.mean(labels):.3f}" if who == "ours" else ""
        print(f"    {who:18s} {p:.3f} / {r:.3f} / {f:.3f}{told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("phrases", "sections", "tuned"):
        parser.add_argument(f"--{name}", action="store_true")
    chosen = parser.parse_args()
    if chosen.phrases or not chosen.sections:
        phrases(chosen.tuned)
    if chosen.sections or not chosen.phrases:
        sections(chosen.tuned)


if __name__ == "__main__":
    main()
