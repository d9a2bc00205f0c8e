"""From a part's notes to the voices that sound them: one row a note and SoundFont zone, everything resolved to frames.

Conventions: times are output frames from the start of the piece, slopes are log2 of amplitude a frame, pitch is a
ratio of sample frames to output frames, gains are amplitudes.

Decisions, where the specification and practice differ:
- initial attenuation counts 0.4 of its centibels, as the E-mu hardware did and FluidSynth does: fonts are made by ear
  on those;
- envelope times at the default of -12000 timecents (1 ms) count as none, so that an attack stands on its frame;
- a release lasts at least 16 ms (-7200 timecents), which spares clicks, as in FluidSynth;
- panning (CC 10) spans hard left to hard right over its whole range and adds to a zone's pan; the specification's
  amount of 100 % would clip at half of the range;
- a struck exclusive class (closed hi-hat over open) fades at 100 dB in 0.25 s instead of stopping dead.

References: SoundFont 2.04, 8.1.3 (generators), 9.1.7 (envelopes), 9.5 (default modulators).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.rendering import soundfont as sf
from rescore_music.rendering.modulators import Modulators, effects, wheel_depths
from rescore_music.rendering.soundfont import Piece, SoundFont

Rows = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEVER = 1 << 62
GAIN = 0.2  # of one voice at full scale: room for some twenty loud ones, and FluidSynth's default
ATTENUATION_SHARE = 0.4
_FULL_SCALE_OCTAVES = 100.0 / (20.0 * np.log10(2.0))  # 100 dB as log2 of amplitude
_CHOKE_SECONDS = 0.25
_SHORTEST, _RELEASE_SHORTEST, _LONGEST = -11950, -7200, 8000  # timecents

VOICE = np.dtype(
    [
        *((name, "<i8") for name in ("note", "start", "off", "cut", "choke", "base", "length", "loop_start")),
        *((name, "<i8") for name in ("loop_end", "looped", "tail", "tail_length")),
        *((name, "<i8") for name in ("delay_end", "attack_end", "hold_end", "decay_end")),
        *((name, "<f8") for name in ("decay", "sustain", "release", "cut_slope")),
        *((name, "<i8") for name in ("mod_delay_end", "mod_attack_end", "mod_hold_end", "mod_decay_end")),
        *((name, "<f8") for name in ("mod_sustain", "mod_release", "mod_to_pitch", "mod_to_fc")),
        *((name, "<i8") for name in ("tremolo_start", "vibrato_start")),
        *((name, "<f8") for name in ("tremolo_step", "tremolo_to_pitch", "tremolo_to_fc", "tremolo_to_gain")),
        *((name, "<f8") for name in ("vibrato_step", "vibrato_to_pitch", "wheel_to_pitch", "fc", "q")),
        *((name, "<f8") for name in ("ratio", "gain", "pan")),
    ]
)


def nearest_keys(zones: Rows, keys: Ints) -> Ints:
    """The keys, those in a hole between the zones replaced by the nearest key that has one (the lower of two).

    A preset's zones should leave none, but some do: the alto saxophone of TimGM6mb has none at E4.
    """
    if not len(zones) or not len(keys):
        return keys
    covered = np.zeros(129, np.int64)
    np.add.at(covered, zones["key_low"].astype(np.int64), 1)
    np.add.at(covered, np.minimum(zones["key_high"].astype(np.int64), 127) + 1, -1)
    has = np.flatnonzero(np.cumsum(covered)[:128] > 0)
    if not len(has):
        return keys
    inside = (keys > has[0]) & (keys < has[-1])
    nearest = has[np.abs(has[None, :] - keys[:, None]).argmin(axis=1)]
    return np.where(inside, nearest, keys)


def match_zones(zones: Rows, keys: Ints, velocities: Ints) -> tuple[Ints, Ints]:
    """(note, zone) index pairs of every zone that a note sounds, by note then zone."""
    if not len(zones) or not len(keys):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pairs = []
    for at in range(0, len(keys), 8192):
        key, velocity = keys[at : at + 8192, None], velocities[at : at + 8192, None]
        fits = (zones["key_low"] <= key) & (key <= zones["key_high"]) & (velocity > 0)
        fits &= (zones["velocity_low"] <= velocity) & (velocity <= zones["velocity_high"])
        note, zone = np.nonzero(fits)
        pairs.append((note + at, zone))
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def _seconds(timecents: npt.ArrayLike, shortest: int = -12000) -> Floats:
    cents = np.asarray(timecents, np.float64)
    known = 2.0 ** (np.clip(cents, shortest, _LONGEST) / 1200.0)
    return known if shortest > -12000 else np.where(cents <= _SHORTEST, 0.0, known)


def _frames(timecents: npt.ArrayLike, rate: int) -> Ints:
    return np.rint(_seconds(timecents) * rate).astype(np.int64)


def build_voices(
    font: SoundFont,
    zones: Rows,
    modulators: tuple[Modulators, ...],
    note: Ints,
    zone: Ints,
    notes: dict[str, Ints],
    rate: int,
) -> tuple[Rows, list[Piece]]:
    """The voices of (note, zone) pairs.

    Parameters
    ----------
    zones : ZONES array
    modulators : tuple of Modulators
        One a zone.
    note, zone : int64 arrays, shape (voices,)
    notes : mapping with int64 arrays "index", "start", "off", "key", "velocity"
        `start` and `off` in frames; `index` is the note's index in the score.
    rate : int

    Returns
    -------
    voices : VOICE array
        `base` and `tail` hold indices into the pieces until `pooled` gives them their places.
    pieces : list of Piece
    """
    chosen = zones[zone]
    fixed = chosen["generators"]
    voices = np.zeros(len(note), VOICE)
    key = np.where(fixed[:, sf.FIXED_KEY] >= 0, fixed[:, sf.FIXED_KEY], notes["key"][note])
    velocity = np.where(fixed[:, sf.FIXED_VELOCITY] > 0, fixed[:, sf.FIXED_VELOCITY], notes["velocity"][note])
    added = effects(modulators, zone, key.astype(np.float64), velocity.astype(np.float64))
    g = fixed + added
    voices["note"], voices["start"], voices["off"] = notes["index"][note], notes["start"][note], notes["off"][note]
    voices["off"] = np.maximum(voices["off"], voices["start"] + 1)
    _set_pitch(voices, font, chosen, g, key, rate)
    _set_volume(voices, g, key, rate)
    # what modulators attenuate counts whole, what the zone itself does only in part; fonts lift zones below 0 (which
    # the specification does not know), and that holds as far as velocity leaves room
    attenuation = fixed[:, sf.ATTENUATION] * ATTENUATION_SHARE + added[:, sf.ATTENUATION]
    voices["gain"] = GAIN * 10.0 ** (-np.clip(attenuation, 0, 1440) / 200.0)
    voices["wheel_to_pitch"] = wheel_depths(modulators)[zone]
    _set_modulation(voices, g, key, rate)
    _set_choke(voices, fixed[:, sf.EXCLUSIVE_CLASS], rate)
    return voices, _set_sound(voices, font, chosen, fixed)


def _set_pitch(voices: Rows, font: SoundFont, chosen: Rows, g: Any, key: Ints, rate: int) -> None:
    header = font.samples[chosen["sample"]]
    own = np.where(header["key"] <= 127, header["key"], 60).astype(np.int64)
    root = np.where(g[:, sf.ROOT_KEY] >= 0, g[:, sf.ROOT_KEY], own)
    cents = (key - root) * g[:, sf.SCALE_TUNING].astype(np.float64) + 100.0 * g[:, sf.COARSE_TUNE]
    cents += g[:, sf.FINE_TUNE] + header["correction"]
    voices["ratio"] = header["rate"] / rate * 2.0 ** (cents / 1200.0)


def _set_volume(voices: Rows, g: Any, key: Ints, rate: int) -> None:
    voices["pan"] = np.clip(g[:, sf.PAN], -500, 500)
    sustain_db = np.clip(g[:, sf.VOL_SUSTAIN], 0, 1000) / 10.0
    hold = _frames(g[:, sf.VOL_HOLD] + g[:, sf.KEY_TO_VOL_HOLD] * (60 - key), rate)
    decay_s = _seconds(g[:, sf.VOL_DECAY] + g[:, sf.KEY_TO_VOL_DECAY] * (60 - key))  # for 100 dB
    decay = np.rint(decay_s * rate * sustain_db / 100.0).astype(np.int64)
    voices["delay_end"] = voices["start"] + _frames(g[:, sf.VOL_DELAY], rate)
    voices["attack_end"] = voices["delay_end"] + _frames(g[:, sf.VOL_ATTACK], rate)
    voices["hold_end"] = voices["attack_end"] + hold
    voices["decay_end"] = voices["hold_end"] + decay
    voices["decay"] = np.where(decay > 0, -_FULL_SCALE_OCTAVES / np.maximum(decay_s * rate, 1.0), 0.0)
    voices["sustain"] = 10.0 ** (-sustain_db / 20.0)
    voices["release"] = -_FULL_SCALE_OCTAVES / (_seconds(g[:, sf.VOL_RELEASE], _RELEASE_SHORTEST) * rate)


def _set_modulation(voices: Rows, g: Any, key: Ints, rate: int) -> None:
    hold = _frames(g[:, sf.MOD_HOLD] + g[:, sf.KEY_TO_MOD_HOLD] * (60 - key), rate)
    sustain = 1.0 - np.clip(g[:, sf.MOD_SUSTAIN], 0, 1000) / 1000.0
    decay = _seconds(g[:, sf.MOD_DECAY] + g[:, sf.KEY_TO_MOD_DECAY] * (60 - key)) * rate * (1.0 - sustain)
    voices["mod_delay_end"] = voices["start"] + _frames(g[:, sf.MOD_DELAY], rate)
    voices["mod_attack_end"] = voices["mod_delay_end"] + _frames(g[:, sf.MOD_ATTACK], rate)
    voices["mod_hold_end"] = voices["mod_attack_end"] + hold
    voices["mod_decay_end"] = voices["mod_hold_end"] + np.rint(decay).astype(np.int64)
    voices["mod_sustain"] = sustain
    voices["mod_release"] = 1.0 / np.maximum(_seconds(g[:, sf.MOD_RELEASE]) * rate, 1.0)
    voices["mod_to_pitch"], voices["mod_to_fc"] = g[:, sf.MOD_ENV_TO_PITCH], g[:, sf.MOD_ENV_TO_FC]
    for name, delay, speed in (
        ("tremolo", sf.MOD_LFO_DELAY, sf.MOD_LFO_FREQ),
        ("vibrato", sf.VIB_LFO_DELAY, sf.VIB_LFO_FREQ),
    ):
        voices[f"{name}_start"] = voices["start"] + _frames(g[:, delay], rate)
        voices[f"{name}_step"] = 8.176 * 2.0 ** (np.clip(g[:, speed], -16000, 4500) / 1200.0) / rate
    voices["tremolo_to_pitch"], voices["tremolo_to_fc"] = g[:, sf.MOD_LFO_TO_PITCH], g[:, sf.MOD_LFO_TO_FC]
    voices["tremolo_to_gain"] = g[:, sf.MOD_LFO_TO_VOLUME] / 20.0 / 10.0 / np.log10(2.0)  # centibels to log2
    voices["vibrato_to_pitch"] = g[:, sf.VIB_LFO_TO_PITCH]
    voices["fc"], voices["q"] = np.clip(g[:, sf.FILTER_FC], 1500, 13500), np.clip(g[:, sf.FILTER_Q], 0, 960) / 10.0


def _set_choke(voices: Rows, classes: Ints, rate: int) -> None:
    """A voice of an exclusive class ends where the next note of that class starts."""
    voices["cut"], voices["choke"] = NEVER, classes
    voices["cut_slope"] = -_FULL_SCALE_OCTAVES / (_CHOKE_SECONDS * rate)


def choked(voices: Rows) -> Rows:
    """The voices of one part with the ends that its exclusive classes set."""
    out = voices.copy()
    for kind in np.unique(out["choke"][out["choke"] > 0]):
        members = np.flatnonzero(out["choke"] == kind)
        starts = np.unique(out["start"][members])
        later = np.searchsorted(starts, out["start"][members], side="right")
        out["cut"][members] = np.append(starts, NEVER)[later]
    return out


def _set_sound(voices: Rows, font: SoundFont, chosen: Rows, g: Any) -> list[Piece]:
    """Cut the sounds the voices need, each once, and note which voice plays which."""
    places = [sf.START, sf.END, sf.LOOP_START, sf.LOOP_END, sf.START_COARSE, sf.END_COARSE]
    places += [sf.LOOP_START_COARSE, sf.LOOP_END_COARSE, sf.SAMPLE_MODES]
    distinct = np.column_stack([chosen["sample"], g[:, places]])
    rows, first, which = np.unique(distinct, axis=0, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    pieces: list[Piece] = []
    columns = np.zeros((len(rows), 7), np.int64)
    for i, row in enumerate(rows):
        generators, mode = g[first[i]], int(row[-1]) & 3
        looped = mode in (1, 3)
        piece = font.piece(int(row[0]), generators, looped)
        columns[i, :5] = len(pieces), piece.length, piece.loop_start, piece.loop_end, looped and piece.length > 0
        pieces.append(piece)
        columns[i, 5] = -1
        if mode == 3:
            rest = font.piece(int(row[0]), generators, False)
            columns[i, 5:] = len(pieces), rest.length
            pieces.append(rest)
    for i, name in enumerate(("base", "length", "loop_start", "loop_end", "looped", "tail", "tail_length")):
        voices[name] = columns[which, i]
    return pieces


def pooled(groups: list[tuple[Rows, list[Piece]]]) -> tuple[Rows, npt.NDArray[np.float32]]:
    """All voices of a part, by note, and one array that holds the sounds they play."""
    sounds: list[npt.NDArray[np.float32]] = [np.zeros(1, np.float32)]
    place, done = 1, []
    for voices, pieces in groups:
        bases = np.zeros(len(pieces) + 1, np.int64)
        for i, piece in enumerate(pieces):
            bases[i] = place + Piece.FRONT
            place += len(piece.sound)
            sounds.append(piece.sound)
        bases[-1] = -1
        moved = voices.copy()
        moved["base"], moved["tail"] = bases[voices["base"]], bases[voices["tail"]]
        done.append(moved)
    rows = np.concatenate(done) if done else np.zeros(0, VOICE)
    return rows[np.argsort(rows["note"], kind="stable")], np.concatenate(sounds)


def last_frames(voices: Rows) -> Ints:
    """A frame by which each voice is over at the latest, channel pitch bends aside."""
    octaves = np.log2(np.maximum(voices["gain"], 1e-9)) + 17.7  # down to the level at which the engine stops
    ringing = np.maximum(octaves, 0.0) / -voices["release"]
    faded = voices["off"] + np.ceil(ringing).astype(np.int64)
    left = np.where(voices["looped"] > 0, np.inf, voices["length"] / voices["ratio"])
    over = voices["delay_end"] + np.minimum(left, NEVER / 4).astype(np.int64) + 1
    return np.asarray(np.minimum(faded, np.where(voices["looped"] > 0, NEVER, over)), np.int64)
