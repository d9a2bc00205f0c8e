"""Is a line heard among the others? A model of masking by the instruments' power in their registers.

Conventions: levels in dB as in the instrument table (0 dB = a section of 14 violins, mf, A4), taken for 70 dB at the
listener; frequencies in Hz, critical bands in Bark; time in frames of a tenth of a second, as sounded. A line is heard
in a frame if half of its power or more lies in critical bands where it stands above the masked threshold of all that is
not the line: in effect its fundamental. (One audible partial would be a weaker wish: human scores and ours meet it
more than 99 % of the time.)

Method: a note is ten partials falling by 6 dB an octave, its power that of its players (`instruments.power_db`); what
is struck or plucked dies away. Maskers spread over the bands as in the first psychoacoustic model of ISO/IEC 11172-3
(Annex D: spreading function at 70 dB, masking index of tonal maskers). Drums are flat noise.

Sources: ISO/IEC 11172-3, Annex D.1; Zwicker and Fastl, Psychoacoustics (Bark scale); Meyer, Acoustics and the
Performance of Music, ch. 3 (spectra, decay).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import Instrument, power_db
from rescore_music.playability.player import instrument_of
from rescore_music.score import Articulation, Score

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FRAME_S = 0.1
BANDS = 24
NOISE = 128  # in place of a pitch: a drum's sound
ENOUGH = 0.5
_PARTIALS = 10
_FALL = 6.0  # dB an octave
_LISTENING = 70.0  # dB
# dB a second
_DECAY = {"plucked": 15.0, "percussion": 20.0, "keyboard": 9.0}
_HELD = ("organ", "harmonium", "accordion", "rock-organ")
_PIZZICATO = 40.0
_DRUM = 60.0
_LONGEST_S = 20.0  # a note is looked at for so long: what is left of it then is constant or gone
MOST_FRAMES = 60_000  # a hundred minutes


def bark(frequency: npt.ArrayLike) -> Floats:
    """Critical-band rate (Zwicker and Terhardt 1980) of frequencies in Hz."""
    f = np.asarray(frequency, np.float64)
    return np.asarray(13.0 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500.0) ** 2))


@lru_cache(maxsize=1)
def spectra() -> tuple[Floats, Floats]:
    """Per MIDI pitch (and `NOISE`): share of the power in each band, and the threshold it raises there.

    Returns
    -------
    float64 arrays, shape (129, BANDS)
        Powers for a note of power 1.
    """
    pitch = np.arange(128)[:, None]
    k = np.arange(1, _PARTIALS + 1)[None, :]
    frequency = 440.0 * 2.0 ** ((pitch - 69) / 12.0) * k
    power = 10.0 ** (-_FALL * np.log2(k) / 10.0) * (frequency < 15000.0)
    power = power / power.sum(axis=1, keepdims=True)
    z = bark(np.minimum(frequency, 15000.0))
    share = np.zeros((129, BANDS))
    np.add.at(share, (np.broadcast_to(pitch, z.shape), np.minimum(z.astype(np.int64), BANDS - 1)), power)
    share[NOISE] = 1.0 / BANDS
    centres = np.arange(BANDS) + 0.5
    raised = np.zeros((129, BANDS))
    for partial in range(_PARTIALS):  # from where a partial is, not from the middle of its band
        away = centres[None, :] - z[:, partial, None]
        raised[:128] += power[:, partial, None] * 10.0 ** (_spread(away, z[:, partial, None]) / 10.0)
    own = centres[None, :] - centres[:, None]
    raised[NOISE] = (10.0 ** (_spread(own, centres[:, None]) / 10.0)).sum(axis=0) / BANDS
    return share, raised


def _spread(away: npt.NDArray[np.floating[Any]], z: npt.NDArray[np.floating[Any]]) -> Floats:
    """Masked threshold in dB under the masker's level, `away` Bark above it; -200 beyond its reach."""
    x = _LISTENING
    out = np.select(
        [away < -3, away < -1, away < 0, away < 1, away < 8],
        [-200.0, 17 * (away + 1) - (0.4 * x + 6), (0.4 * x + 6) * away, -17 * away, -(away - 1) * (17 - 0.15 * x) - 17],
        -200.0,
    )
    return np.asarray(out - 6.025 - 0.275 * z)


def note_power(score: Score) -> tuple[Floats, Floats, Ints]:
    """Per note its level in dB, how fast it dies away in dB a second, and its row of `spectra`.

    Parts that name no instrument are what their General MIDI program says.
    """
    notes = score.notes
    known = [instrument_of(part) for part in score.parts]
    level = np.zeros(len(notes))
    for part in np.unique(notes["part"]).tolist():
        own, players = score.part_notes(part), score.parts[part].players
        level[own] = power_db(known[part], notes["pitch"][own], notes["velocity"][own], players=players)
    drums = np.array([row.percussion for row in known] or [False], bool)
    row = np.where(drums[notes["part"]], NOISE, notes["pitch"].astype(np.int64))
    return level, dying(known, notes["part"], notes["articulation"]), row


def dying(
    known: Sequence[Instrument], player: npt.NDArray[np.generic], articulation: npt.NDArray[np.generic]
) -> Floats:
    """How fast notes die away, in dB a second, by who plays them (an index of `known`) and how."""
    rates = [_DRUM if row.percussion else _DECAY.get(row.family, 0.0) * (row.id not in _HELD) for row in known]
    decay = np.array(rates or [0.0])[player.astype(np.int64)]
    plucked = (articulation.astype(np.int64) & int(Articulation.PIZZICATO)) != 0
    return np.where(plucked, np.maximum(decay, _PIZZICATO), decay)


def frames(start: Floats, end: Floats, level: Floats, decay: Floats, row: Ints, length: int) -> Floats:
    """Power by frame and row of `spectra`.

    Parameters
    ----------
    start, end : float64 arrays, shape (n,)
        Seconds.
    level, decay, row : arrays, shape (n,)
        As `note_power` has them.
    length : int
        Frames.

    Returns
    -------
    float64 array, shape (length, 129)
    """
    first = np.clip((start / FRAME_S).astype(np.int64), 0, length - 1)
    last = np.clip(np.ceil(np.minimum(end, start + _LONGEST_S) / FRAME_S).astype(np.int64), first + 1, length)
    last = np.maximum(last, np.minimum(first + 1, length))
    count = last - first
    note = np.repeat(np.arange(len(start)), count)
    since = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count)
    power = 10.0 ** ((level[note] - decay[note] * since * FRAME_S) / 10.0)
    place = (first[note] + since) * (NOISE + 1) + row[note]
    filled = np.bincount(place, power, length * (NOISE + 1))
    return np.asarray(filled, np.float64).reshape(length, NOISE + 1)


def audible_share(line: Floats, rest: Floats) -> Floats:
    """How much of a line's power lies in bands where it is not masked.

    Parameters
    ----------
    line, rest : float64 arrays, shape (frames, 129)
        As `frames` makes them.

    Returns
    -------
    float64 array, shape (frames,)
        0..1; NaN where the line is silent.
    """
    share, raised = spectra()
    signal, threshold = line @ share, np.maximum(rest, 0.0) @ raised
    total = signal.sum(axis=1)
    free = np.where(signal >= threshold, signal, 0.0).sum(axis=1)
    return np.where(total > 0, free / np.maximum(total, 1e-12), np.nan)


def heard(score: Score, lines: npt.ArrayLike) -> tuple[Floats, Floats]:
    """For how long lines sound, and for how long they are heard.

    Parameters
    ----------
    score : Score
    lines : int array, one a note of `score.notes`
        The line each note belongs to, doublings with what they double; -1 for none.

    Returns
    -------
    float64 arrays, one entry a line
        Seconds sounding, seconds heard.
    """
    group = np.asarray(lines, np.int64)
    known = int(group.max(initial=-1)) + 1
    if not known:
        return np.zeros(0), np.zeros(0)
    played = score.sounding()
    start = score.seconds(played["onset"])
    end = score.seconds(played["onset"] + played["duration"])
    level, decay, row = note_power(score)
    length = min(int(end.max() / FRAME_S) + 1, MOST_FRAMES)
    everything = frames(start, end, level, decay, row, length)
    sounding, told = np.zeros(known), np.zeros(known)
    for line in np.unique(group[group >= 0]).tolist():
        own = group == line
        mine = frames(start[own], end[own], level[own], decay[own], row[own], length)
        free = audible_share(mine, everything - mine)
        sounding[line] = FRAME_S * np.count_nonzero(np.isfinite(free))
        told[line] = FRAME_S * np.count_nonzero(free >= ENOUGH)
    return sounding, told
