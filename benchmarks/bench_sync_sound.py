"""The loop closed in sound: are the onsets at hits heard on the frame?

    python benchmarks/bench_sync_sound.py [--quick]

Cues are synced to random hits (a beat or more apart from each other's sound: at least 1.5 s), orchestrated for several
forces and rendered by the engine, once as written and once with `on_time` (notes of slow attack at hits begun early).
Each row of the plan has a frame rate of its own. What is measured is the audio alone:

- The notes at one hit are rendered by themselves, part by part, out of the same score. The engine only adds, so these
  sounds are what the mix contains: mix = the rest + the hits' notes, which is checked to the last bit of 24.
- Onset of a part at a hit: the first sample at which the level (energy of the last 10 ms) is within 15 dB of its
  highest in the first half second (Rasch 1979 takes 15 to 20 dB). Resolution: one sample. Its distance from the hit's
  frame counts; a part that plays no note at a hit is not counted.
- The same of all parts together: what the hit adds to the mix.
- The same of the parts with 10 and 20 dB, which are not compensated for: how far the answer hangs on the definition.
- The mix itself, with everything else sounding, at hits that stand 12 dB above what sounds around them: its strongest
  rise (spectral flux of third octaves, 10 ms window, 1 ms apart) within 60 ms of the hit.

No published peer: sequencers offer one hand-set delay a track.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues, Hit
from rescore_music.errors import SyncError
from rescore_music.instruments import instruments
from rescore_music.io import read_score
from rescore_music.pipeline import orchestrate
from rescore_music.rendering import render
from rescore_music.resources import samples_dir
from rescore_music.score import Score
from rescore_music.syncing import Synced, sync

PLAN = (
    ("chase.mid", "symphony/romantic-film", "23.976"),
    ("hero_theme.mid", "string-orchestra/baroque", "24"),
    ("love_theme.musicxml", "wind-quintet/baroque", "25"),
    ("hero_theme.mid", "symphonic-band/march", "29.97df"),
    ("love_theme.musicxml", "choir-organ/baroque", "30"),
    ("pixel_loop.mid", "synth-ensemble/romantic-film", "60"),
    ("chase.mid", "rock-band/epic-hybrid", "59.94df"),
    ("love_theme.musicxml", "theatre-orchestra/romantic-film", "48"),
)
RATE = 48000
WINDOW, REACH, SEARCH = 0.01, 0.5, 0.7  # seconds
LEVELS = (15.0, 10.0, 20.0)
Floats = npt.NDArray[np.float64]


@dataclass
class Found:
    """Milliseconds late, by family and by level."""

    before: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    after: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    other: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))
    whole_before: list[float] = field(default_factory=list)
    whole_after: list[float] = field(default_factory=list)
    mix_before: list[float] = field(default_factory=list)
    mix_after: list[float] = field(default_factory=list)


def spotted(score: Score, rate: str, rng: np.random.Generator) -> tuple[Cues, Synced]:
    """Random hits that the cue can meet, at places where notes begin."""
    while True:
        hits, at = [], float(rng.uniform(2, 4))
        while at < score.duration - 3:
            hits.append(at)
            at += float(rng.uniform(1.5, 7))
        cues = Cues.from_hits([], rate, "00:00:00:00")
        cues = Cues(cues.rate, cues.start, tuple(Hit(cues.rate.frame_at(s)) for s in hits))
        try:
            return cues, sync(score, cues)
        except SyncError:
            continue


def onset(sound: npt.NDArray[np.float32], start: int, below: float) -> float | None:
    """Sample of the onset in a stretch of sound that begins in silence; `start` is the stretch's first sample."""
    energy = np.sum(sound.astype(np.float64) ** 2, axis=1)
    size = round(WINDOW * RATE)
    level = np.convolve(energy, np.ones(size))[: len(energy)]  # of the last 10 ms
    sounding = np.flatnonzero(energy > 0)
    if not len(sounding) or level.max() < 1e-9:
        return None
    first = int(sounding[0])
    top = float(level[first : first + round(REACH * RATE)].max())
    return start + first + int(np.argmax(level[first:] >= top * 10 ** (-below / 10)))


def flux_onset(mix: npt.NDArray[np.float32], place: int) -> float:
    """Milliseconds from a sample to the mix's strongest rise within 60 ms of it."""
    size, hop, reach = round(WINDOW * RATE), RATE // 1000, round(0.06 * RATE)
    starts = np.arange(place - reach, place + reach, hop)
    window = np.hanning(size)
    mono = np.pad(mix.sum(axis=1).astype(np.float64), (reach + size, reach + size))
    frames = np.stack([mono[reach + size + s - size // 2 :][:size] for s in starts]) * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.rint(2 ** np.arange(0, np.log2(size / 2), 1 / 3)).astype(int))
    bands = np.log10(1e-7 + np.add.reduceat(power, edges, axis=1))
    rise = np.maximum(bands[4:] - bands[:-4], 0).sum(axis=1)  # over 4 ms
    return float((starts[int(rise.argmax()) + 2] - place) * 1000 / RATE)


def only(score: Score, keep: npt.NDArray[np.bool_]) -> Score:
    """Some of the notes; the score ends with them, which saves silence."""
    return score.replace(notes=score.notes[keep], length=0, barlines=np.zeros(0, np.int64))


def measured(score: Score, cues: Cues, synced: Synced, found: Found) -> str:
    """Render and measure one orchestrated cue."""
    ticks = np.array(sorted({h.tick for h in synced.hits}))
    at_hits = np.isin(score.notes["onset"], ticks)
    families = family_names(score)
    early = render(score, on_time=ticks, sample_rate=RATE)
    plain = render(score, sample_rate=RATE)
    rest = render(score.replace(notes=score.notes[~at_hits]), sample_rate=RATE, tail=8.0)
    added = np.zeros_like(early.mix)
    for hit in synced.hits:
        frame = float(cues.seconds_of(cues.rate.frame_at(hit.target_s)))  # whole frames, exactly
        place = round(frame * RATE)
        here = score.notes["onset"] == hit.tick
        if not here.any():
            continue
        alone = only(score, here)
        low, high = max(place - round(SEARCH * RATE), 0), place + round(SEARCH * RATE)
        for told, options in ((found.before, {}), (found.after, {"on_time": ticks})):
            sounds = render(alone, sample_rate=RATE, tail=8.0, **options)
            if options:
                many = min(len(sounds.mix), len(added))
                added[:many] += sounds.mix[:many]
            together = onset(sounds.mix[low:high], low, LEVELS[0])
            if together is not None:
                whole = found.whole_after if options else found.whole_before
                whole.append((together - frame * RATE) * 1000 / RATE)
            for part, (name, stem) in zip(alone.parts, sounds.stems.items(), strict=True):
                heard = onset(stem[low:high], low, LEVELS[0])
                if heard is None:
                    continue
                family = families[name]
                told[family].append((heard - frame * RATE) * 1000 / RATE)
                if options and not part.percussion:
                    for level in LEVELS[1:]:
                        other = onset(stem[low:high], low, level)
                        found.other[level].append((float(other or heard) - frame * RATE) * 1000 / RATE)
        near = slice(max(place - RATE // 10, 0), place + RATE // 10)
        if np.sum(sounds.mix[near] ** 2) > 16 * np.sum(rest.mix[near] ** 2):  # 12 dB
            found.mix_before.append(flux_onset(plain.mix, place))
            found.mix_after.append(flux_onset(early.mix, place))
    length = min(len(early.mix), len(rest.mix), len(added))
    off = np.abs(early.mix[:length] - rest.mix[:length] - added[:length])
    left = 20 * np.log10(max(float(off.max()), 1e-12))
    notices = [n for n in early.notices if "begin early" in n]
    return f"mix less its pieces {left:.0f} dB; " + (notices[0] if notices else "nothing begins early")


def family_names(score: Score) -> dict[str, str]:
    from rescore_music.rendering import stem_names

    table = instruments()
    names = {}
    for name, part in zip(stem_names(score), score.parts, strict=True):
        known = table.get(part.instrument)
        names[name] = "drums" if part.percussion else known.family if known else "other"
    return names


def row(name: str, values: list[float]) -> str:
    off = np.abs(np.array(values))
    return (
        f"{len(off):5d}  {np.median(off):6.1f} {np.percentile(off, 95):7.1f} {off.max():7.1f} {np.mean(off <= 5):8.1%}"
    )


def main() -> None:
    rng = np.random.default_rng(20240701)
    found = Found()
    for number, (cue, template, rate) in enumerate(PLAN[:2] if "--quick" in sys.argv else PLAN):
        source = read_score(Path(samples_dir()) / cue)
        cues, synced = spotted(source, rate, rng)
        score = orchestrate(synced.score, template, 4, number)[0].score
        print(f"{cue} for {template} at {rate}: {len(synced.hits)} hits, {len(score.parts)} parts")
        print(f"    {measured(score, cues, synced, found)}")
    print(f"\nmilliseconds from the frame, {'':14}as written                    | begun early")
    print(f"{'family':22} onsets  median  95th %     max  <= 5 ms | onsets  median  95th %     max  <= 5 ms")
    for family in sorted(found.before):
        print(f"{family:22} {row(family, found.before[family])} | {row(family, found.after[family])}")
    everything = [[x for values in told.values() for x in values] for told in (found.before, found.after)]
    print(f"{'all':22} {row('', everything[0])} | {row('', everything[1])}")
    for level, values in found.other.items():
        print(f"by a threshold of {level:.0f} dB {'':42} | {row('', values)}")
    print(f"{'hit as a whole':22} {row('', found.whole_before)} | {row('', found.whole_after)}")
    if found.mix_before:
        print(f"{'strongest rise of mix':22} {row('', found.mix_before)} | {row('', found.mix_after)}")


if __name__ == "__main__":
    main()
