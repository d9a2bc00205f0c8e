"""From performance to notation: scores played by a simulated musician, notated again and compared with the original.

    python benchmarks/bench_quantize.py [--works tested|tuning] [--no-peers] [--seconds 45] [--only WORD] [--each]

Each score's opening is performed (benchmarks/humanize.py) and written as MIDI twice: (a) over the true tempo map and
meters, (b) at a nominal 120, 4/4, as a recording without a click. Each system reads the file and notates it:
rescore_music's `quantize`, music21's `converter.parse` as it is, partitura's `load_score_midi` with a grid of twelfths
of a quarter (without one it writes every tick down).

Measures, each an F1 over notes or lines, 0 to 100:

- onset: notes at their true place in quarters, against the shift that most notes of the surrounding 16 quarters share;
- level: the same, where the whole notation may be in doubled or halved values, or in three for two (a tempo taken at
  another level of the beat);
- value: notes with exactly their true note value, in quarters;
- value/level: the same, in the scale that `level` found;
- bars: bar lines within 70 ms;
- voice, meter, val, MV2H: see benchmarks/mv2h.py.

What a system did with each played note is found through pitch and time (within 0.3 s); grace notes of the original are
no part of onset and value.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import humanize
import numpy as np
from mv2h import Music, f1, matched, mv2h

import rescore_music as rm
from rescore_music.elements import GRACE
from rescore_music.io.notation.snap import snap
from rescore_music.io.notation.voices import fragments, staves_of
from rescore_music.quantizing import quantize
from rescore_music.score import Score

COLUMNS = ("onset", "level", "value", "value/level", "bars", "voice", "meter", "val", "MV2H", "s")
SCALES = (1.0, 2.0, 0.5, 1.5, 2 / 3, 3.0, 1 / 3)


@dataclass(frozen=True)
class Notated:
    """A notation: per note, place and value in quarters and how it was played; bars in quarters; seconds of places."""

    pitch: np.ndarray
    played: np.ndarray
    place: np.ndarray
    value: np.ndarray
    voice: np.ndarray
    grace: np.ndarray
    bars: np.ndarray
    meters: list[tuple[int, int]]
    clock: object  # quarters -> seconds

    def seconds(self, quarters: np.ndarray) -> np.ndarray:
        return self.clock(quarters)  # type: ignore[operator]


def truth_of(score: Score, curve, lead: float, onset: np.ndarray) -> Notated:
    notes, quarter = score.notes, score.ticks_per_quarter
    voice = notes["part"].astype(int) * 10000 + notes["staff"].astype(int) * 100 + notes["voice"]
    return Notated(
        notes["pitch"].astype(int),
        onset + lead,
        notes["onset"] / quarter,
        notes["duration"] / quarter,
        voice,
        (notes["articulation"] & GRACE) != 0,
        score.bars / quarter,
        [score.meter_at(int(b)) for b in score.bars[:-1]],
        lambda q: curve.seconds(np.asarray(q) * quarter) + lead,
    )


def ours(score: Score) -> Notated:
    """What `quantize` makes of a performance; voices as they would be printed."""
    notes, quarter = score.notes, score.ticks_per_quarter
    snapped = snap(score)
    voice = np.zeros(len(notes), int)
    for part in range(len(score.parts)):
        _, staff = staves_of(score, snapped, part)
        found = fragments(score, snapped, part, staff)
        voice[found.note[::-1]] = (part * 10000 + found.staff * 100 + found.voice)[::-1]
    return Notated(
        notes["pitch"].astype(int),
        score.seconds(score.sounding()["onset"]),
        notes["onset"] / quarter,
        notes["duration"] / quarter,
        voice,
        (notes["articulation"] & GRACE) != 0,
        score.bars / quarter,
        [score.meter_at(int(b)) for b in score.bars[:-1]],
        lambda q: score.seconds(np.asarray(q) * quarter),
    )


def by_music21(path: Path, played: Score) -> Notated:
    from music21 import chord, converter, stream

    parsed = converter.parse(path)
    rows, waiting = [], {}
    bars: dict[float, tuple[int, int]] = {}
    for number, part in enumerate(parsed.parts):
        meter = (4, 4)
        for measure in part.getElementsByClass(stream.Measure):
            signature = measure.timeSignature
            meter = (signature.numerator, signature.denominator) if signature else meter
            if number == 0:
                bars[float(measure.offset)] = meter
            for element in measure.recurse().notes:
                inside = element.activeSite
                voice = str(inside.id) if isinstance(inside, stream.Voice) else "0"
                place = float(element.getOffsetInHierarchy(part))
                for note in element.notes if isinstance(element, chord.Chord) else [element]:
                    length = float(element.duration.quarterLength)
                    key = (number, note.pitch.midi, round(place, 4))
                    tie = note.tie.type if note.tie else ""
                    if tie in ("stop", "continue") and key in waiting:
                        row = waiting.pop(key)
                        rows[row][2] += length
                    else:
                        row = len(rows)
                        rows.append([note.pitch.midi, place, length, number * 1000 + hash(voice) % 997])
                    if tie in ("start", "continue"):
                        waiting[(number, note.pitch.midi, round(place + length, 4))] = row
    return _peer(np.array(rows, float), bars, played)


def by_partitura(path: Path, played: Score) -> Notated:
    import partitura
    from partitura.score import Measure

    # its default keeps every tick; told to, it rounds to twelfths of a quarter (sixteenths and triplets)
    loaded = partitura.load_score_midi(str(path), quantization_unit=played.ticks_per_quarter // 12)
    rows, bars = [], {}
    for number, part in enumerate(loaded.parts):
        for note in part.note_array(include_grace_notes=True):
            rows.append([note["pitch"], note["onset_quarter"], note["duration_quarter"], number * 1000 + note["voice"]])
        if number == 0:
            for measure in part.iter_all(Measure):
                beats, kind, *_ = part.time_signature_map(measure.start.t)
                bars[float(part.quarter_map(measure.start.t))] = (int(beats), int(kind))
    return _peer(np.array(rows, float), bars, played)


def _peer(rows: np.ndarray, bars: dict[float, tuple[int, int]], played: Score) -> Notated:
    starts = sorted(bars)
    meters = [bars[b] for b in starts]
    last = starts[-1] + 4 * meters[-1][0] / meters[-1][1] if starts else 0.0
    quarter = played.ticks_per_quarter

    def clock(q):
        return played.seconds(np.asarray(q) * quarter)

    place = rows[:, 1]
    return Notated(
        rows[:, 0].astype(int),
        clock(place),
        place,
        rows[:, 2],
        rows[:, 3].astype(int),
        rows[:, 2] == 0,
        np.array([*starts, last]),
        meters,
        clock,
    )


def identified(found: Notated, played_pitch: np.ndarray, played_onset: np.ndarray) -> np.ndarray:
    """When the notes a system wrote were played, as far as pitch and time within 0.3 s tell."""
    nothing = np.zeros((0, 2))
    a = Music(played_pitch, played_onset, played_onset, played_onset, played_pitch, nothing)
    b = Music(found.pitch, found.played, found.played, found.played, found.pitch, nothing)
    out = found.played.copy()
    for i, j in matched(a, b, 0.3):
        out[j] = played_onset[i]
    return out


def spans(music: Notated, low: float, high: float) -> np.ndarray:
    """Bars, beats and sub-beats in seconds, between two times."""
    rows = []
    for i, (numerator, denominator) in enumerate(music.meters):
        start, stop = float(music.bars[i]), float(music.bars[i + 1])
        compound = denominator >= 8 and numerator % 3 == 0
        beat = 12 / denominator if compound else 4 / denominator
        size = numerator * 4 / denominator
        if abs(stop - start - size) < 1e-6:
            rows.append((start, stop))
        for length in (beat, beat / (3 if compound else 2)):
            edge = stop - np.arange(int((stop - start) / length + 1e-6) + 1)[::-1] * length
            rows += list(zip(edge[:-1].tolist(), edge[1:].tolist(), strict=True))
    out = music.seconds(np.array(rows).reshape(-1, 2))
    return out[(out[:, 1] > low) & (out[:, 0] < high)]


def scores(truth: Notated, found: Notated) -> dict[str, float]:
    onset = identified(found, truth.pitch, truth.played)
    low, high = float(truth.played.min()) - 0.1, float(truth.played.max()) + 0.1
    music = [
        Music(m.pitch, when, m.seconds(m.place), m.seconds(m.place + m.value), m.voice, spans(m, low, high))
        for m, when in ((truth, truth.played), (found, onset))
    ]
    pairs = [(a, b) for a, b in matched(*music) if not truth.grace[a]]
    total = int((~truth.grace).sum()) + int((~found.grace).sum())
    a = np.array([p[0] for p in pairs], int)
    b = np.array([p[1] for p in pairs], int)
    right = {s: _right_places(truth.place[a], found.place[b] / s) if len(a) else np.zeros(0, bool) for s in SCALES}
    best = max(SCALES, key=lambda s: (int(right[s].sum()), s == 1.0))
    out = {
        "onset": 2 * right[1.0].sum() / total,
        "level": 2 * right[best].sum() / total,
        "value": 2 * np.sum(np.abs(truth.value[a] - found.value[b]) < 0.01) / total,
        "value/level": 2 * np.sum(np.abs(truth.value[a] - found.value[b] / best) < 0.01) / total,
        "bars": _bar_lines(truth, found, low, high),
    }
    measured = mv2h(*music)
    return {**out, **{k: measured[k] for k in ("voice", "meter")}, "val": measured["value"], "MV2H": measured["MV2H"]}


def _right_places(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Which notes stand where they should, against the commonest shift of their 16 quarters."""
    shift = np.round((found - true) * 48).astype(int)
    out = np.zeros(len(true), bool)
    window = (true // 16).astype(int)
    for w in np.unique(window):
        here = window == w
        values, count = np.unique(shift[here], return_counts=True)
        out[here] = np.abs(shift[here] - values[count.argmax()]) < 1
    return out


def _bar_lines(truth: Notated, found: Notated, low: float, high: float) -> float:
    a, b = (np.sort(m.seconds(m.bars)) for m in (truth, found))
    a, b = a[(a > low - 0.1) & (a < high)], b[(b > low - 0.1) & (b < high)]
    right = sum(bool(np.any(np.abs(b - x) <= 0.07)) for x in a)
    return f1(right, max(len(b) - right, 0), len(a) - right)


def measure(name: str, seconds: float, peers: bool, folder: Path) -> list[tuple[str, str, dict[str, float]]]:
    """(way, system, measures) for one score."""
    score, tempo = humanize.excerpt(name, seconds)
    seed = humanize.seed_of(name)
    curve, onset, _, _, lead = humanize.perform(score, tempo, seed)
    out = []
    for way in ("a", "b"):
        if way == "a":
            played, truth = humanize.with_grid(score, tempo, seed), truth_of(score, curve, 0.0, onset)
        else:
            played, curve_, lead = humanize.without_grid(score, tempo, seed)
            truth = truth_of(score, curve_, lead, onset)
        path = folder / f"{way}.mid"
        rm.write_score(played, path)
        read = rm.read_score(path)
        systems = {"rescore_music": lambda r=read: ours(quantize(r))}
        if peers:
            systems["music21"] = lambda p=path, r=read: by_music21(p, r)
            systems["partitura"] = lambda p=path, r=read: by_partitura(p, r)
        for system, run in systems.items():
            began = time.process_time()
            try:
                found = run()
            except Exception as error:  # a peer that fails on a file scores nothing on it
                if system == "rescore_music":
                    raise
                print(f"{name}: {system} failed: {type(error).__name__}: {error}"[:150])
                out.append((way, system, dict.fromkeys(COLUMNS, 0.0)))
                continue
            spent = time.process_time() - began
            out.append((way, system, {**scores(truth, found), "s": spent}))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", choices=("tested", "tuning"), default="tested")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each score's opening")
    parser.add_argument("--only", default="", help="works whose name holds this")
    parser.add_argument("--each", action="store_true", help="one line a score too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = [n for n in getattr(humanize, options.works.upper()) if options.only in n]
    print(f"{len(names)} works ({options.works}): {', '.join(names)}")
    print(f"fitted and tuned on {len(humanize.TUNING)} other works and counts of benchmarks/fit_rhythm.py\n")
    table: dict[tuple[str, str], list[dict[str, float]]] = {}
    head = f"{'':28}" + "".join(f"{c:>12}" for c in COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for way, system, row in measure(name, options.seconds, not options.no_peers, Path(folder)):
                table.setdefault((way, system), []).append(row)
                if options.each:
                    print(
                        f"({way}) {system[:8]:8} {name[-30:]:30}"
                        + "".join(f" {c}={row[c] * 100:.0f}" for c in COLUMNS[:-1])
                    )
    for way, what in (("a", "the true tempo map and meters in the file"), ("b", "no grid: a nominal 120, 4/4")):
        print(f"\n({way}) {what}; mean of {len(names)} works\n{head}")
        for (w, system), rows in table.items():
            if w == way:
                cells = [f"{np.mean([r[c] for r in rows]) * 100:12.1f}" for c in COLUMNS[:-1]]
                print(f"{system:28}{''.join(cells)}{sum(r['s'] for r in rows):12.1f}")


if __name__ == "__main__":
    main()
