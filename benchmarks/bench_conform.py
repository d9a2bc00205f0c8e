"""Random picture changes: does only the music around them change, and do the hits still land?

    python benchmarks/bench_conform.py [CHANGES] [--seed N] [--real] [--plain] [--spans]

Each change (200 unless told, drawn from the seed) lengthens, shortens, removes, inserts or swaps shots of a cut drawn
at random over a shipped cue that was synced to random hits, at a random one of six frame rates. The cut's own map of
frames is kept by this script and not asked of `conform`. Old and new music are written as MIDI and read by mido, which
knows nothing of us:

- outside: every message up to the last hard hit before the change, and from the first hard hit after it on, lies where
  it lay, but for the cut's own offset (largest difference in microseconds);
- hits: every hard hit that is still in the picture, at its frame in mido's time.

A second class of as many changes (`--plain` and `--spans` leave one of the two out) has spans and fermatas: two
dialogues of 2 to 6 s, a frozen span of 3 to 6 s and a hold of 1.5 to 3 s at random places, and a fermata on about every
eighth bar's longest note. Told of it, again from MIDI read by mido and the cut's own map of frames:

- frozen: of the spans whose picture is whole, how many sound as they did, message for message, at the picture's offset;
  of those that the cut goes through or takes away, how many are told;
- dialogue: of those whose picture is whole, that had no tempo change and have no hit inside: how many have none now;
- holds whose picture is whole and that were met before: how many begin and end within half a frame of it;
- fermatas: bars edited and the deviation of the tempo, beside the same change of the same music without fermatas.

With --real the cues are published game files (every ninth that lasts 40 to 240 s) where they lie beside the checkout.

Peers: no published tool conforms notes to a new cut. Compared with syncing the cue to the new frames from scratch: how
many bars outside the change move against the picture by more than a millisecond.
"""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import mido
import numpy as np

from rescore_music.analysis import analyze
from rescore_music.cues import Cues, Hit, Span
from rescore_music.edits import Edit, EditList
from rescore_music.errors import RescoreError, SyncError
from rescore_music.io import read_score
from rescore_music.io.midi.write import midi_bytes
from rescore_music.resources import samples_dir
from rescore_music.score import Articulation, Score
from rescore_music.structure import Analysis
from rescore_music.syncing import Conformed, Synced, conform, sync
from rescore_music.timecode import FrameRate, Timecode

CUES = ("chase.mid", "hero_theme.mid", "love_theme.musicxml", "pixel_loop.mid")
RATES = ("23.976", "24", "25", "29.97df", "30", "60")
KINDS = ("lengthen", "shorten", "remove", "insert", "swap")
EACH = 5  # changes of every kind on one cut
SAME = 2e-6  # seconds: what the rounding of tempi to microseconds may move
Shot = tuple[str, int, int]  # source, its first frame, its end


@dataclass(frozen=True)
class Setting:
    """A cue synced to hits under a cut."""

    score: Score
    analysis: Analysis
    synced: Synced
    cues: Cues
    shots: tuple[Shot, ...]
    name: str


def real_cues() -> dict[str, Score]:
    here = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("RESCORE_SHARED_DATA", here.parent / "shared" / "data")) / "game_midi"
    found: dict[str, Score] = {}
    for path in sorted(folder.rglob("*.mid"))[::9]:
        try:
            score = read_score(path)
        except RescoreError:
            continue
        if 40 <= score.duration <= 240:
            found[path.name] = score
    return found


def draw_setting(
    rng: np.random.Generator, scores: dict[str, tuple[Score, Analysis]], *, spans: bool = False
) -> Setting:
    name = str(rng.choice(list(scores)))
    score, analysis = scores[name]
    score = with_fermatas(rng, score) if spans else score
    rate = FrameRate.parse(str(rng.choice(RATES)))
    fps, start = float(rate.fps), Timecode.parse("01:00:00:00", rate)
    while True:
        hits, at = [], float(rng.uniform(2, 6))
        while at < score.duration - 1:
            kind = "soft" if rng.random() < 0.25 else "hard"
            tolerance = float(rng.choice([0.0, 0.5])) if kind == "hard" else 3.0
            lands = str(rng.choice(["downbeat", "beat", "eighth"], p=[0.15, 0.65, 0.2]))
            frame = start.frame + round(at * fps)
            hits.append(Hit(frame, f"hit {len(hits) + 1}", float(rng.uniform(0.3, 1)), kind, tolerance, lands))
            at += float(rng.uniform(2.5, 9))
        asked = draw_spans(rng, score.duration, rate, start.frame) if spans else ()
        cues = Cues(rate, start, tuple(hits), asked)
        try:
            synced = sync(score, cues)
        except SyncError:
            continue
        shots, total = [], 0
        while total < (synced.score.duration + 2) * fps:
            length, first = round(float(rng.uniform(1, 7)) * fps), int(rng.integers(1000, 90000))
            shots.append((f"A{len(shots) + 1:03d}", first, first + length))
            total += length
        return Setting(score, analysis, synced, cues, tuple(shots), f"{name} at {rate}")


def draw_change(rng: np.random.Generator, kind: str, shots: tuple[Shot, ...], fps: float) -> tuple[str, list[Shot]]:
    """What is done, and the new cut."""
    new, k = list(shots), int(rng.integers(0, len(shots) - 1))
    name, first, end = new[k]
    if kind == "lengthen":
        more = int(rng.integers(1, round(3 * fps)))
        at_start = rng.random() < 0.3
        new[k] = (name, first - more, end) if at_start else (name, first, end + more)
        return f"{name} {more} frames longer at its {'start' if at_start else 'end'}", new
    if kind == "shorten":
        less = int(rng.integers(1, end - first))
        at_start = rng.random() < 0.3
        new[k] = (name, first + less, end) if at_start else (name, first, end - less)
        return f"{name} {less} frames shorter at its {'start' if at_start else 'end'}", new
    if kind == "remove":
        del new[k]
        return f"{name} removed, {end - first} frames", new
    if kind == "insert":
        length = int(rng.integers(round(fps / 2), round(6 * fps)))
        new.insert(k, ("NEW", 500, 500 + length))
        return f"a shot of {length} frames inserted before {name}", new
    new[k], new[k + 1] = new[k + 1], new[k]
    return f"{name} and {new[k][0]} swapped", new


def with_fermatas(rng: np.random.Generator, score: Score) -> Score:
    """A fermata on the longest note of about every eighth bar, none in the first and the last."""
    notes = score.notes.copy()
    for bar in range(1, len(score.bars) - 2):
        inside = np.flatnonzero((notes["onset"] >= score.bars[bar]) & (notes["onset"] < score.bars[bar + 1]))
        if len(inside) and rng.random() < 1 / 8:
            onset = notes["onset"][inside[notes["duration"][inside].argmax()]]
            notes["articulation"][notes["onset"] == onset] |= int(Articulation.FERMATA)
    return score.replace(notes=notes)


def draw_spans(rng: np.random.Generator, seconds: float, rate: FrameRate, start: int) -> tuple[Span, ...]:
    made = []
    for kind, low, high in (("dialogue", 2, 6), ("dialogue", 2, 6), ("frozen", 3, 6), ("hold", 1.5, 3)):
        length, at = float(rng.uniform(low, high)), float(rng.uniform(2, seconds - high - 2))
        edges = [start + round(x * float(rate.fps)) for x in (at, at + length)]
        made.append(Span(edges[0], edges[1], kind, f"{kind} {len(made)}"))
    return tuple(made)


def edit_list(shots: list[Shot] | tuple[Shot, ...], cues: Cues) -> EditList:
    edits, at = [], cues.start.frame
    for name, first, end in shots:
        edits.append(Edit(at, at + end - first, first, end, name))
        at += end - first
    return EditList("", cues.rate, tuple(edits))


def frame_images(old: tuple[Shot, ...], new: list[Shot], start: int) -> tuple[dict[int, int], int, int, int]:
    """Old frame -> new frame, the changed span of the old cut, and the offset behind it."""
    where, at = {}, start
    for name, first, end in new:
        where.update({(name, f): at + f - first for f in range(first, end)})
        at += end - first
    shown = [(name, f) for name, first, end in old for f in range(first, end)]
    images = {start + k: where[frame] for k, frame in enumerate(shown) if frame in where}
    offset = at - start - len(shown)
    low = next((k for k in range(len(shown)) if images.get(start + k) != start + k), len(shown))
    high = len(shown)
    while high > low and images.get(start + high - 1) == start + high - 1 + offset:
        high -= 1
    return images, start + low, start + high, offset


class Heard:
    """A MIDI file as mido reads it: seconds of ticks, and messages with their seconds."""

    def __init__(self, score: Score) -> None:
        file = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
        tempi, rows = [(0, 500_000)], []
        for number, track in enumerate(file.tracks):
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo":
                    tempi.append((tick, message.tempo))
                elif not (
                    message.is_meta or message.type in ("note_off", "sysex") or message.dict().get("velocity") == 0
                ):
                    rows.append((tick, number, tuple(message.bytes())))
        steps = dict(sorted(tempi, key=lambda t: t[0]))
        self.ticks = np.array(list(steps))
        self.us = np.array(list(steps.values()), np.int64)
        self.before = np.concatenate([[0], np.cumsum(np.diff(self.ticks) * self.us[:-1])])
        self.division = file.ticks_per_beat
        self.messages = [row[1:] for row in sorted(rows)]
        self.times = self.seconds(np.array([row[0] for row in sorted(rows)]))

    def seconds(self, ticks: np.ndarray | int) -> np.ndarray:
        i = np.searchsorted(self.ticks, ticks, side="right") - 1
        return (self.before[i] + (ticks - self.ticks[i]) * self.us[i]) / (self.division * 1e6)

    def steady(self, low: float, high: float) -> bool:
        """Whether the tempo changes by no more than a hundredth of a percent in [low, high)."""
        at = np.concatenate([self.before / (self.division * 1e6), [np.inf]])
        tempi = self.us[(at[1:] > low + 1e-3) & (at[:-1] < high - 1e-3)]
        return bool(tempi.max() / tempi.min() - 1 <= 1e-4)

    def between(self, low: float, high: float) -> tuple[list[tuple[object, ...]], np.ndarray]:
        """Messages of [low, high], in an order that does not hang on microseconds: by message, then by time."""
        inside = np.flatnonzero((self.times >= low - SAME) & (self.times <= high + SAME))
        order = sorted(inside.tolist(), key=lambda k: (self.messages[k], self.times[k]))
        return [self.messages[k] for k in order], self.times[order]


def notes_only(found: tuple[list[tuple[object, ...]], np.ndarray]) -> tuple[list[tuple[object, ...]], np.ndarray]:
    keep = [k for k, (_, data) in enumerate(found[0]) if data[0] & 0xF0 == 0x90]  # type: ignore[index]
    return [found[0][k] for k in keep], found[1][keep]


def moved_outside(old: Heard, new: Heard, left: float, right: float, shift: float) -> float:
    """Largest difference in seconds outside (left, right); infinite where messages differ."""
    worst = 0.0
    for low, high, by, pick in (
        (0.0, left, 0.0, notes_only),  # up to the note on the hit
        (0.0, left - 1e-3, 0.0, tuple),
        (right, 1e9, shift, notes_only),
        (right + 1e-3, 1e9, shift, tuple),
    ):
        a, b = pick(old.between(low, high)), pick(new.between(low + by, high + by))
        if a[0] != b[0]:
            return np.inf
        if len(a[1]):
            worst = max(worst, float(np.abs(b[1] - a[1] - by).max()))
    return worst


def bars_moved(setting: Setting, other: Score, left: int, right: int, shift: float) -> int:
    """Bars outside the change that lie elsewhere against the picture, where both scores have the same bars."""
    bars = setting.score.bars
    outside = np.concatenate([bars[bars < left], bars[bars >= right]])
    by = np.where(outside >= right, shift, 0.0)
    return int(np.sum(np.abs(other.seconds(outside) - setting.synced.score.seconds(outside) - by) > 1e-3))


@dataclass
class SpanTally:
    """What became of spans and fermatas: kept and asked."""

    frozen: int = 0
    frozen_asked: int = 0
    told: int = 0
    told_asked: int = 0
    dialogue: int = 0
    dialogue_asked: int = 0
    holds: int = 0
    holds_asked: int = 0
    bars: int = 0
    bars_bare: int = 0
    deviation: float = 0.0
    deviation_bare: float = 0.0

    def add(self, setting: Setting, got: Conformed, images: dict[int, int], old: Heard, new: Heard) -> None:
        cues, fps = setting.cues, float(setting.cues.rate.fps)
        first = got.cues.start.frame
        lost = {s.timecode for s in got.skipped}
        for span in cues.spans:
            if span.start < cues.start.frame or cues.seconds_of(span.end) > setting.synced.score.duration:
                continue
            seen = [images.get(f) for f in range(span.start, span.end)]
            whole = None not in seen and seen[-1] - seen[0] == len(seen) - 1  # type: ignore[operator]
            before = float(cues.seconds_of(span.start)), float(cues.seconds_of(span.end))
            if not whole:
                if span.kind == "frozen":
                    self.told_asked += 1
                    self.told += Timecode(span.start, cues.rate).label in lost
                continue
            begin = (seen[0] - first) / fps  # type: ignore[operator]
            if begin < 0:
                continue
            if span.kind == "frozen" and Timecode(span.start, cues.rate).label not in lost:
                self.frozen_asked += 1
                by = begin - before[0]
                a = notes_only(old.between(before[0] + SAME, before[1] - SAME))
                b = notes_only(new.between(before[0] + by + SAME, before[1] + by - SAME))
                self.frozen += a[0] == b[0] and bool(np.all(np.abs(b[1] - a[1] - by) <= 2 * SAME))
            elif span.kind == "dialogue":
                now = begin, begin + before[1] - before[0]
                hit = any(span.start < h.frame < span.end for h in cues.hits)
                hit = hit or any(now[0] < h.target_s < now[1] for h in got.hits)
                if not hit and old.steady(*before):
                    self.dialogue_asked += 1
                    self.dialogue += new.steady(*now)
            elif span.kind == "hold":
                mine = [p for p in got.passages if p.kind == "hold" and p.label == span.label]
                if any(p.kind == "hold" and p.label == span.label for p in setting.synced.passages):
                    self.holds_asked += 1
                    ends = [float(new.seconds(t)) for p in mine for t in (p.tick, p.end_tick)]
                    wanted = [begin, begin + before[1] - before[0]]
                    self.holds += bool(ends) and bool(np.all(np.abs(np.subtract(ends, wanted)) * fps <= 0.5))

    def compare(self, got: Conformed, bare: Conformed) -> None:
        self.bars += sum(t.edit[2] != 0 for t in got.touched)
        self.bars_bare += sum(t.edit[2] != 0 for t in bare.touched)
        self.deviation += got.max_deviation_percent
        self.deviation_bare += bare.max_deviation_percent


@dataclass
class Tally:
    """Counts of one kind of change."""

    changes: int = 0
    still: int = 0
    refused: int = 0
    hard: int = 0
    landed: int = 0
    worst_us: float = 0.0
    worst_frames: float = 0.0
    bars_resynced: int = 0
    bars_outside: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            mine = getattr(self, name)
            setattr(self, name, max(mine, value) if name.startswith("worst") else mine + value)


def run(
    setting: Setting,
    new_shots: list[Shot],
    music: Counter[str],
    steps: list[tuple[float, float]],
    spans: SpanTally | None = None,
) -> Tally:
    cues, synced = setting.cues, setting.synced
    images, low, high, offset = frame_images(setting.shots, new_shots, cues.start.frame)
    tally = Tally(changes=1)
    begin = perf_counter()
    try:
        old_cut, new_cut = edit_list(setting.shots, cues), edit_list(new_shots, cues)
        got = conform(synced, cues, old_cut, new_cut, analysis=setting.analysis)
    except SyncError as refusal:
        print(f"    refused: {refusal.message}")
        tally.refused = 1
        return tally
    tally.seconds = perf_counter() - begin
    old, new = Heard(synced.score), Heard(got.score)
    if spans is not None:
        spans.add(setting, got, images, old, new)
        notes = synced.score.notes.copy()
        notes["articulation"] &= ~np.uint32(int(Articulation.FERMATA))
        bare = replace(synced, score=synced.score.replace(notes=notes), base=None)
        with suppress(SyncError):
            spans.compare(got, conform(bare, cues, old_cut, new_cut, analysis=setting.analysis))
    places = {h.label: h.tick for h in synced.hits if h.landed}
    hard = [h for h in cues.hits if h.hard and h.label in places]
    before = max((places[h.label] for h in hard if h.frame < low), default=-(10**6))
    after = min((places[h.label] for h in hard if h.frame >= high), default=synced.score.length + 10**6)
    later = got.cues.start.frame - cues.start.frame  # music is counted from the cue's start, which may have moved too
    shift = float((offset - later) / cues.rate.fps)
    left, right = (float(old.seconds(t)) for t in (before, after))
    off = moved_outside(old, new, left, right, shift)
    tally.still, tally.worst_us = int(off <= SAME), off * 1e6
    now = {h.label: h for h in got.hits}
    for hit in hard:
        image = images.get(hit.frame)
        if image is None or image < cues.start.frame:
            continue
        tally.hard += 1
        if hit.label in now:
            time = float(new.seconds(now[hit.label].tick))
            frames = abs(time * float(cues.rate.fps) - (image - got.cues.start.frame))
            tally.landed += frames <= 0.5
            excess = max(frames - hit.tolerance, 0.0)
            tally.worst_frames = max(tally.worst_frames, excess)
    for stretch in got.touched:
        times = stretch.edit[2]
        music["tempo alone" if not times else "bars taken out" if times < 0 else "bars played again"] += 1
        steps.append((stretch.step_percent, stretch.deviation_percent))
    bars = setting.score.bars
    tally.bars_outside = int(np.sum((bars < before) | (bars >= after)))
    try:
        anew = sync(setting.score, got.cues)
        tally.bars_resynced = bars_moved(setting, anew.score, before, after, shift)
    except SyncError:
        tally.bars_resynced = tally.bars_outside  # the list has no solution without bar edits
    return tally


def main() -> None:
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 20240601
    words = [w for w in words if w != str(seed)] if "--seed" in sys.argv else words
    wanted = int(words[0]) if words else 200
    rng = np.random.default_rng(seed)
    scores = real_cues() if "--real" in sys.argv else {name: read_score(samples_dir() / name) for name in CUES}
    known = {name: (score, analyze(score)) for name, score in scores.items()}
    classes = [None] * ("--spans" not in sys.argv) + [SpanTally()] * ("--plain" not in sys.argv)
    for spans in classes:
        print("\nwith spans and fermatas:" if spans else "hits alone:")
        changes(rng, known, wanted, spans)


def changes(
    rng: np.random.Generator, known: dict[str, tuple[Score, Analysis]], wanted: int, spans: SpanTally | None
) -> None:
    tallies = {kind: Tally() for kind in KINDS}
    music: Counter[str] = Counter()
    steps: list[tuple[float, float]] = []
    done = 0
    while done < wanted:
        setting = draw_setting(rng, known, spans=spans is not None)
        print(f"{setting.name}: {len(setting.cues.hits)} hits, {len(setting.shots)} shots")
        for kind in KINDS * EACH:
            if done == wanted:
                break
            what, new_shots = draw_change(rng, kind, setting.shots, float(setting.cues.rate.fps))
            tally = run(setting, new_shots, music, steps, spans)
            if not tally.still:
                print(f"    {what}: outside moved by {tally.worst_us:.1f} us")
            if tally.landed < tally.hard:
                print(f"    {what}: {tally.hard - tally.landed} of {tally.hard} hard hits missed")
            tallies[kind].add(tally)
            done += 1
    report(tallies, music, steps)
    if spans is not None:
        print(
            f"frozen spans still: {spans.frozen} of {spans.frozen_asked}; cut or gone, and told: {spans.told} "
            f"of {spans.told_asked}; dialogues still steady: {spans.dialogue} of {spans.dialogue_asked}; "
            f"holds on their picture: {spans.holds} of {spans.holds_asked}"
        )
        print(
            f"stretches whose bars were edited: {spans.bars} with fermatas, {spans.bars_bare} without; deviation on "
            f"average {spans.deviation / wanted:.2f} % and {spans.deviation_bare / wanted:.2f} %"
        )


def report(tallies: dict[str, Tally], music: Counter[str], steps: list[tuple[float, float]]) -> None:
    total = Tally()
    print(f"\n{'kind':10} changes  outside still  worst us  hard hits landed  worst frames  refused  | bars outside")
    print(f"{'':82} | moved: conform  sync anew")
    for kind, tally in [*tallies.items(), ("all", total)]:
        if tally is not total:
            total.add(tally)
        print(
            f"{kind:10} {tally.changes:7d}  {tally.still:7d}/{tally.changes:<5d} {tally.worst_us:9.3f}"
            f"  {tally.landed:8d}/{tally.hard:<7d} {tally.worst_frames:12.6f}  {tally.refused:7d}"
            f"  | {0 if tally.still == tally.changes else 'some':>6}  {tally.bars_resynced:9d} of {tally.bars_outside}"
        )
    if steps:
        table = np.array(steps)
        mid, high = np.percentile(table, 50, axis=0), np.percentile(table, 95, axis=0)
        print(f"touched stretches: {dict(music)}")
        print(
            f"tempo change in them, median / 95th percentile: {mid[0]:.2f} / {high[0]:.2f} % a beat, "
            f"{mid[1]:.2f} / {high[1]:.2f} % in all"
        )
    print(f"{1000 * total.seconds / max(total.changes, 1):.0f} ms a change")


if __name__ == "__main__":
    main()
