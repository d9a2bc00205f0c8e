"""Loudness and true peak of sound.

Conventions: LUFS (absolute), LU (differences), dBTP; a mono signal counts as one centre channel, so it measures 3 LU
below the same signal on both channels of a stereo pair.

References: ITU-R BS.1770-4 (loudness, true peak), EBU R 128, EBU Tech 3341 (momentary, integrated) and 3342 (range);
measured by libebur128.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SHORTEST = 0.4  # seconds: one gating block


@dataclass(frozen=True)
class Loudness:
    """What a loudness meter shows.

    Attributes
    ----------
    integrated : float
        Gated loudness of the whole (LUFS); -inf for silence and for sound shorter than 0.4 s.
    range : float
        Loudness range (LU); 0 below 3 s.
    momentary_max : float
        Loudest 400 ms (LUFS); -inf as above.
    true_peak : float
        Highest peak between the samples (dBTP); -inf for silence.
    """

    integrated: float
    range: float
    momentary_max: float
    true_peak: float


def loudness(samples: npt.ArrayLike, rate: int) -> Loudness:
    """Measure loudness, loudness range and true peak.

    Parameters
    ----------
    samples : array, shape (frames,) or (frames, channels)
        One or two channels, full scale at 1.0.
    rate : int
        Frames a second (Hz).

    Raises
    ------
    ValueError
        If there are more than two channels.
    """
    import pyebur128 as r128

    sound = np.asarray(samples, np.float32)
    sound = sound[:, None] if sound.ndim == 1 else sound
    channels = sound.shape[1]
    if not 1 <= channels <= 2:
        raise ValueError(f"loudness is measured on one or two channels, not {channels}")
    if not len(sound):
        return Loudness(-np.inf, 0.0, -np.inf, -np.inf)
    modes = r128.MeasurementMode
    state = r128.R128State(channels, rate, modes.MODE_I | modes.MODE_LRA | modes.MODE_TRUE_PEAK | modes.MODE_M)
    momentary = -np.inf
    step = max(rate // 10, 1)  # Tech 3341: at least 10 readings a second
    flat = np.ascontiguousarray(sound).reshape(-1)
    for at in range(0, len(sound), step):
        block = flat[at * channels : (at + step) * channels]
        state.add_frames(block, len(block) // channels)
        if at + step >= SHORTEST * rate:
            momentary = max(momentary, r128.get_loudness_momentary(state))
    peak = max(r128.get_true_peak(state, c) for c in range(channels))
    long_enough = len(sound) >= SHORTEST * rate
    return Loudness(
        float(r128.get_loudness_global(state)) if long_enough else -np.inf,
        float(r128.get_loudness_range(state)) if long_enough else 0.0,
        float(momentary),
        float(20.0 * np.log10(peak)) if peak > 0 else -np.inf,
    )
