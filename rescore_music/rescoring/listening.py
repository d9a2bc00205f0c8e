"""What can only be heard: features of rendered sound.

Conventions: power spectra of 64 ms every 32 ms, summed into the 24 critical bands (Bark); both channels' power is
added, so that seats panned apart do not cancel. Levels are dB, relative. Excitation is a band's power spread to its
neighbours by -27 dB a band downwards and -12 dB a band upwards; specific loudness is excitation to the power 0.23.

    melody_margin    dB     how far the melody stands above the rest, band by band, weighted by the mix's loudness
    melody_audible   share  partial loudness of the melody in the mix over its loudness alone
    balance          0..1   evenness of the families' loudness (entropy over its maximum; 1 where one family plays)
    brightness       Hz     spectral centroid of the mix
    mud              dB     200-500 Hz against 1-4 kHz
    crest            dB     true peak over root mean square
    harmony_heard    0..1   likeness of the mix's chroma and the source's sounding notes

References: Zwicker & Fastl, Psychoacoustics (critical bands, table 6.1; loudness, ch. 8; masking slopes, ch. 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

# upper edges of the critical bands in Hz
BARK = (0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300,
        6400, 7700, 9500, 12000, 15500)  # fmt: skip
WINDOW_S, HOP_S = 0.064, 0.032
LOUDNESS_POWER = 0.23
QUIET = 1e-7  # power under the loudest band that counts as nothing (-70 dB)
ACTIVE = 1e-4  # frames of the melody this far under its loudest are not melody (-40 dB)
CHROMA_HZ = (180.0, 4000.0)  # below, a window does not tell semitones apart; above, partials tell little of the harmony
MARGIN_LIMIT = 30.0  # dB either way: beyond, a band is simply alone, or simply masked


def spectrogram(samples: Samples, rate: int) -> tuple[Floats, Floats]:
    """Power spectra of both channels together.

    Parameters
    ----------
    samples : float32 array, shape (frames, channels)
    rate : int
        Hz.

    Returns
    -------
    power : float64 array, shape (bins, times)
    frequencies : float64 array, shape (bins,)
        Hz.
    """
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    size = max(16, round(WINDOW_S * rate))
    if len(samples) < size:
        samples = np.pad(samples, ((0, size - len(samples)), (0, 0)))
    transform = ShortTimeFFT(hann(size, sym=False), max(1, round(HOP_S * rate)), rate, scale_to="magnitude")
    power = transform.spectrogram(np.asarray(samples.T, np.float64), p0=0).sum(axis=0)
    return np.asarray(power, np.float64), np.asarray(transform.f, np.float64)


def band_powers(power: Floats, frequencies: Floats) -> Floats:
    """Spectra summed into critical bands: shape (24, times)."""
    band = np.clip(np.searchsorted(BARK, frequencies, side="right") - 1, 0, len(BARK) - 1)
    inside = band < len(BARK) - 1
    out = np.zeros((len(BARK) - 1, power.shape[1]))
    np.add.at(out, band[inside], power[inside])
    return out


@cache
def _spread() -> Floats:
    place = np.arange(len(BARK) - 1)
    apart = place[:, None] - place[None, :]  # to minus from
    matrix = 10.0 ** (np.where(apart < 0, 27.0 * apart, -12.0 * apart) / 10)
    matrix.flags.writeable = False
    return np.asarray(matrix, np.float64)


def melody_against_rest(melody: Floats, rest: Floats) -> dict[str, float]:
    """How well the melody is heard.

    Parameters
    ----------
    melody, rest : float64 arrays, shape (24, times)
        Band powers.

    Returns
    -------
    dict
        melody_margin (dB) and melody_audible (share); empty where there is no melody.
    """
    loudest = float(max(melody.max(initial=0.0), rest.max(initial=0.0)))
    active = melody.sum(axis=0)
    frames = active > ACTIVE * active.max(initial=0.0)
    if loudest <= 0 or not frames.any():
        return {}
    floor = QUIET * loudest
    own, other = _spread() @ melody[:, frames], _spread() @ rest[:, frames] + floor
    weight = (own + other) ** LOUDNESS_POWER  # loudness of the mix: bands that the rest fills count against the melody
    apart = np.clip(10 * np.log10(np.maximum(own, 1e-30) / other), -MARGIN_LIMIT, MARGIN_LIMIT)
    partial = (own + other) ** LOUDNESS_POWER - other**LOUDNESS_POWER
    alone = (own + floor) ** LOUDNESS_POWER - floor**LOUDNESS_POWER
    return {
        "melody_margin": float((weight * apart).sum() / weight.sum()),
        "melody_audible": float(min(partial.sum() / max(alone.sum(), 1e-30), 1.0)),
    }


def family_balance(families: Mapping[str, Floats]) -> dict[str, float]:
    """Evenness of the families' loudness, from their band powers."""
    loud = np.array([((_spread() @ bands) ** LOUDNESS_POWER).sum() for bands in families.values()])
    loud = loud[loud > 0]
    if len(loud) < 2:
        return {"balance": 1.0}
    share = loud / loud.sum()
    return {"balance": float(-(share * np.log(share)).sum() / np.log(len(share)))}


def colour(power: Floats, frequencies: Floats) -> dict[str, float]:
    """Brightness (Hz) and mud (dB) of the mix; empty for silence."""
    magnitude = np.sqrt(power)
    total = magnitude.sum()
    if total <= 0:
        return {}
    low = power[(frequencies >= 200) & (frequencies < 500)].sum()
    mid = power[(frequencies >= 1000) & (frequencies < 4000)].sum()
    floor = 1e-9 * power.sum()
    return {
        "brightness": float((magnitude.sum(axis=1) * frequencies).sum() / total),
        "mud": float(10 * np.log10((low + floor) / (mid + floor))),
    }


def dynamics(samples: Samples, rate: int) -> dict[str, float]:
    """Crest factor (dB) of the mix; empty for silence."""
    from rescore_music.loudness import loudness

    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    if rms <= 0:
        return {}
    return {"crest": loudness(samples, rate).true_peak - 20 * float(np.log10(rms))}


@cache
def _chroma_filter(rate: int, size: int) -> Floats:
    """Pitch classes (from C) of FFT bins, shape (12, bins). A bin tells of the classes that its width covers.

    librosa has this filter, but importing it compiles for 17 s of processor time where numba's cache is cold, more
    than the whole second pass takes.
    """
    frequencies = np.maximum(np.arange(size // 2 + 1) * rate / size, 1e-6)
    pitch = 69 + 12 * np.log2(frequencies / 440.0)
    width = np.maximum(12 * rate / size / frequencies / np.log(2), 0.5)  # semitones a bin spans, half a tone at least
    apart = (pitch - np.arange(12)[:, None] + 6) % 12 - 6
    weight = np.exp(-0.5 * (2 * apart / width) ** 2)
    weight /= weight.sum(axis=0)
    weight *= (frequencies >= CHROMA_HZ[0]) & (frequencies <= CHROMA_HZ[1])
    weight.flags.writeable = False
    return np.asarray(weight, np.float64)


def harmony_heard(power: Floats, rate: int, excerpt: Score) -> dict[str, float]:
    """Likeness of the mix's chroma and the notes that should sound.

    Parameters
    ----------
    power : float64 array, shape (bins, times)
        Spectrogram of the mix.
    excerpt : Score
        The source's music of the same stretch.
    """
    times = np.arange(power.shape[1]) * HOP_S
    notes = excerpt.notes[excerpt.pitched]
    if not len(notes):
        return {}
    begin = np.searchsorted(times, excerpt.seconds(notes["onset"]))
    end = np.searchsorted(times, excerpt.seconds(notes["onset"] + notes["duration"]))
    change = np.zeros((12, len(times) + 1))
    weight = notes["velocity"].astype(np.float64)
    np.add.at(change, (notes["pitch"] % 12, begin), weight)
    np.add.at(change, (notes["pitch"] % 12, end), -weight)
    wanted = np.sqrt(np.maximum(np.cumsum(change, axis=1)[:, :-1], 0.0))
    heard = np.sqrt(_chroma_filter(rate, 2 * (len(power) - 1)) @ power)
    lengths = np.linalg.norm(wanted, axis=0) * np.linalg.norm(heard, axis=0)
    sounding = lengths > 1e-9 * lengths.max(initial=0.0)
    if not sounding.any():
        return {}
    return {"harmony_heard": float(((wanted * heard).sum(axis=0)[sounding] / lengths[sounding]).mean())}
