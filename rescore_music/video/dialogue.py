"""Dialogue and silence in the sound of a picture.

Speech is told from music and noise by what makes it speech: syllables follow each other three to seven times a second,
so the loudness of its middle band swings at about 4 Hz and falls back between them; vowels alternate with consonants,
so its spectrum swings between low and high; vowels have a pitch that glides. Over each second and a half these are
measured and weighed together; what is likely for long enough is a span.

Conventions: mono float32 at SOUND_RATE, features every 10 ms, measures every 0.1 s, spans in seconds. Silence is below
SILENCE dBFS, and 45 dB below what is loud in the whole.

References: Houtgast and Steeneken (1985), the modulation spectrum of speech (its peak at 4 Hz); Scheirer and Slaney
(1997), features of speech and music: 4 Hz modulation, share of low-energy frames, variance of the spectral centroid.
WEIGHTS come from benchmarks/bench_dialogue.py --fit --seeds 2, on synthesised speech, music and noise; the same script
measures on other seeds, and on recorded speech, which is harder.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rescore_music.video.reading import SOUND_RATE

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Seconds = list[tuple[float, float]]

HOP = SOUND_RATE // 100
FRAME = 512  # samples of a spectrum
EDGES = (100, 300, 500, 800, 1200, 1800, 2700, 4000, 7000)  # Hz, of the bands
VOICE = slice(1, 6)  # bands with most of speech: 300 to 2700 Hz
WINDOW, STEP = 150, 10  # hops: a second and a half, measured every 0.1 s
PITCHES = (70.0, 350.0)  # Hz of voices
NAMES = ("modulation", "low share", "alternation", "voicing", "glide", "flux")
WEIGHTS = (-5.01, 1.29, -0.73, 6.81, 0.08, 6.92, -3.90)  # the first stands alone
LIKELY = 0.5
SHORTEST, GAP = 0.6, 0.8  # seconds of dialogue; of a pause that belongs to it
SILENCE, BELOW = -60.0, 45.0  # dBFS; dB below the loud parts
SHORTEST_SILENCE = 1.0  # seconds


@dataclass
class Listener:
    """Features of a sound that comes in blocks."""

    bands: list[Floats] = field(default_factory=list)
    level: list[Floats] = field(default_factory=list)
    voicing: list[Floats] = field(default_factory=list)
    pitch: list[Floats] = field(default_factory=list)
    _rest: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def hear(self, block: Floats) -> None:
        """Take the next samples."""
        samples = np.concatenate([self._rest, block])
        count = (len(samples) - FRAME) // HOP + 1 if len(samples) >= FRAME else 0
        self._rest = samples[count * HOP :]
        for start in range(0, count, 2000):  # some MB at a time
            n = min(2000, count - start)
            part = samples[start * HOP : (start + n - 1) * HOP + FRAME]
            frames = np.lib.stride_tricks.sliding_window_view(part, FRAME)[::HOP][:n]
            self.level.append((10 * np.log10(np.square(frames).mean(1) + 1e-12)).astype(np.float32))
            power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), 2 * FRAME))).astype(
                np.float32
            )
            places = (np.array(EDGES) * 2 * FRAME // SOUND_RATE).astype(int)
            sums = np.add.reduceat(power[:, : places[-1]], places[:-1], axis=1)
            self.bands.append((sums + 1e-6).astype(np.float32))
            self._pitches(power)

    def _pitches(self, power: Floats) -> None:
        """Autocorrelation of each frame below 1 kHz: its peak among voices' pitches, and where."""
        low = power.copy()
        low[:, 1000 * 2 * FRAME // SOUND_RATE :] = 0
        again = np.fft.irfft(low, axis=1)[:, :FRAME]
        shortest, longest = int(SOUND_RATE / PITCHES[1]), int(SOUND_RATE / PITCHES[0])
        taper = np.correlate(np.hanning(FRAME), np.hanning(FRAME), "full")[FRAME - 1 :]
        ratio = again[:, shortest:longest] / np.maximum(again[:, :1], 1e-9) / (taper[shortest:longest] / taper[0])
        best = ratio.argmax(1)
        self.voicing.append(np.clip(ratio[np.arange(len(ratio)), best], 0, 1).astype(np.float32))
        self.pitch.append(np.log2(SOUND_RATE / (best + shortest)).astype(np.float32))

    def finish(self) -> tuple[Seconds, Seconds]:
        """Spans of dialogue and of silence, in seconds after the first sample."""
        if not self.level:
            return [], []
        level = np.concatenate(self.level).astype(np.float64)
        silent = _silent(level)
        chance = likelihood(self.measures())
        heard = np.repeat(chance > LIKELY, STEP)[: len(level)]
        heard = np.pad(heard, (0, len(level) - len(heard))) & ~silent
        speech = _joined(_runs(heard), GAP, SHORTEST)
        return speech, [s for s in _runs(silent) if s[1] - s[0] >= SHORTEST_SILENCE]

    def measures(self) -> Numbers:
        """What is weighed: NAMES, every 0.1 s, each of the window around; shape (n, 6)."""
        level = np.concatenate(self.level).astype(np.float64)
        bands = np.concatenate(self.bands).astype(np.float64)
        voicing, pitch = np.concatenate(self.voicing), np.concatenate(self.pitch)
        voice = bands[:, VOICE].sum(1)
        envelope = np.sqrt(voice)
        mean = _windowed(envelope)
        swing = np.sqrt(_windowed(np.square(_band_passed(envelope))))
        low = _windowed((envelope < 0.5 * np.repeat(mean, STEP)[: len(envelope)]).astype(np.float64))
        tilt = np.log(bands[:, 5:].sum(1)) - np.log(bands[:, :3].sum(1))
        alternation = np.sqrt(np.maximum(_windowed(np.square(_band_passed(tilt))), 0))
        voiced = (voicing > 0.6) & (level > SILENCE)
        steps = np.abs(np.diff(pitch, prepend=pitch[:1]))
        glides = voiced & (steps > 0.004) & (steps < 0.08)
        share = _windowed(voiced.astype(np.float64))
        flux = np.abs(np.diff(np.log(bands), axis=0, prepend=np.log(bands[:1]))).mean(1)
        return np.stack(
            [
                swing / (mean + 1e-9),
                low,
                alternation,
                share,
                _windowed(glides.astype(np.float64)) / (share + 0.1),
                _windowed(flux),
            ],
            axis=1,
        )


def likelihood(measures: Numbers) -> Numbers:
    """How likely speech is, 0 to 1, from `Listener.measures`."""
    return np.asarray(1 / (1 + np.exp(-np.clip(WEIGHTS[0] + spread(measures) @ np.array(WEIGHTS[1:]), -30, 30))))


def spread(measures: Numbers) -> Numbers:
    """Measures as they are weighed: bounded, so that none outweighs the rest."""
    return np.asarray(np.tanh(measures * np.array([1.5, 1.5, 0.7, 1.5, 1.5, 1.5])))


def _windowed(values: npt.NDArray[np.floating]) -> Numbers:
    """Means over the window around every STEPth hop."""
    half = WINDOW // 2
    added = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    middle = np.arange(STEP // 2, len(values) + STEP // 2, STEP)
    first, last = np.clip(middle - half, 0, len(values)), np.clip(middle + half, 1, len(values))
    return np.asarray((added[last] - added[first]) / np.maximum(last - first, 1))


def _band_passed(values: npt.NDArray[np.floating]) -> Numbers:
    """What of an envelope swings at 2.5 to 8 Hz."""
    from scipy.signal import butter, sosfiltfilt

    if len(values) < 50:
        return np.zeros(len(values))
    return np.asarray(sosfiltfilt(butter(2, [2.5, 8.0], "bandpass", fs=100, output="sos"), values))


def _silent(level: Numbers) -> npt.NDArray[np.bool_]:
    smooth = np.convolve(10 ** (level / 10), np.full(10, 0.1), "same")
    loud = np.percentile(level, 95)
    return np.asarray(10 * np.log10(smooth + 1e-12) < max(SILENCE, min(loud - BELOW, -50.0)))


def _runs(flags: npt.NDArray[np.bool_]) -> Seconds:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(a / 100, b / 100) for a, b in edges.reshape(-1, 2).tolist()]


def _joined(runs: Seconds, gap: float, shortest: float) -> Seconds:
    out: Seconds = []
    for start, end in runs:
        if out and start - out[-1][1] < gap:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return [(a, b) for a, b in out if b - a >= shortest]
