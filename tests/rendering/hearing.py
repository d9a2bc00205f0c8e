"""Small ears for tests: scores made of rows, levels, and the exact pitch of a steady tone."""

from __future__ import annotations

import numpy as np

from rescore_music.score import CONTROL, Part, Score, note_rows

RATE = 48000
GAIN = 0.2 * (100 / 127) ** 2  # one voice at full velocity, channel volume at its default


def controls(*rows):
    return np.array(list(rows), CONTROL)


def score(rows, *, parts=1, **more):
    """(onset, duration, key, velocity, part) rows to a score at 480 ticks a quarter, half a second each."""
    who = more.pop("who", tuple(Part(f"P{i}") for i in range(parts)))
    return Score(notes=note_rows(rows), parts=who, **more)


def db(ratio):
    return 20 * np.log10(ratio)


def level(sound, start, stop, channel=0):
    """RMS of a channel between two times (s)."""
    return np.sqrt(np.mean(sound[round(start * RATE) : round(stop * RATE), channel].astype(float) ** 2))


def pitch(sound, start, stop):
    """Frequency (Hz) of a steady tone between two times (s): the spectrum's peak, refined by the phase it gains."""
    x = sound[round(start * RATE) : round(stop * RATE), 0].astype(float)
    half = len(x) // 2
    n, window = np.arange(2 * half), np.hanning(half)
    f = np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x))))) * RATE / len(x)
    for _ in range(3):
        turned = x[: 2 * half] * np.exp(-2j * np.pi * f * n / RATE)
        gained = np.angle(np.sum(turned[half:] * window) / np.sum(turned[:half] * window))
        f += gained * RATE / (2 * np.pi * half)
    return f


def cents(a, b):
    return 1200 * np.log2(a / b)


def envelope(sound, milliseconds=100):
    """RMS of both channels in successive stretches."""
    n = RATE * milliseconds // 1000
    whole = sound[: len(sound) // n * n].astype(float).reshape(-1, n * 2)
    return np.sqrt(np.mean(whole**2, axis=1))
