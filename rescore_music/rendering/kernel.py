"""The voice engine's inner loop: sampled sound, filter, envelopes and LFOs of many voices, added into one stem.

Conventions: positions in the sound are 32.32 fixed point, so pitch and loops are exact and every run gives the same
bytes. A voice is played in stretches that end at control blocks (`BLOCK` frames) and at its own events; inside a
stretch pitch and filter stand still and gains move linearly. Compiled by numba for one signature and kept on disk.

References: SoundFont 2.04, section 9 (synthesis model); four-point cubic (Catmull-Rom) interpolation: Niemitalo,
"Polynomial interpolators for high-quality resampling of oversampled audio", 2001; low-pass: Bristow-Johnson, "Cookbook
formulae for audio equalizer biquad filter coefficients".
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

BLOCK = 64  # as in `channel`; written here too, because the compiled loop on disk is renewed with this file alone

_ONE = 1 << 32
_FRACTION = np.uint64(_ONE - 1)
_SHIFT, _BIT, _UNIT, _NEXT = np.uint64(32), np.uint64(1), np.uint64(1), np.uint64(2)
_TO_UNIT = np.float32(2.0**-31)
_HALF, _ONE_AND_HALF, _TWO, _TWO_AND_HALF = (np.float32(x) for x in (0.5, 1.5, 2.0, 2.5))
_SILENT = 5e-6  # below -106 dB of full scale a falling voice is over
_HEARD = 1e-6  # -120 dB
_ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 1, 2, 3, 4, 5
_LOWEST_FC, _OPEN_FC = 1500.0, 13500.0  # cents above 8.176 Hz


def _compiled(function: Any) -> Any:
    """Compile without the interpreter's lock; keep the result on disk where a folder can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}  # a * b + c in one rounding: a third faster
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)


@_compiled
def _fill(buf, n, pool, base, position, step, stop, loop):
    """Interpolate n frames into buf; returns the new position and how many frames there were before the end."""
    done = 0
    end = np.uint64(stop) << _SHIFT
    span = np.uint64(loop) << _SHIFT
    while done < n:
        if position >= end:
            if loop == 0:
                break
            position -= ((position - end) // span + _UNIT) * span
        many = min(n - done, np.int64((end - position + step - _UNIT) // step))
        start = np.uint64(base)
        for i in range(many):
            at = position + np.uint64(i) * step
            k = start + (at >> _SHIFT)
            f = np.float32(np.int32((at & _FRACTION) >> _BIT)) * _TO_UNIT
            a, b, c, d = pool[k - _UNIT], pool[k], pool[k + _UNIT], pool[k + _NEXT]
            c1 = _HALF * (c - a)
            c2 = a - _TWO_AND_HALF * b + _TWO * c - _HALF * d
            c3 = _HALF * (d - a) + _ONE_AND_HALF * (b - c)
            buf[done + i] = ((c3 * f + c2) * f + c1) * f + b
        position += np.uint64(many) * step
        done += many
    return position, done


@_compiled
def _envelope(frame, off, delay, attack, hold, decay, sustain, release):
    """Modulation envelope, 0 to 1: convex attack, all else linear."""
    at = min(frame, off)
    if at < delay:
        value = 0.0
    elif at < attack:
        value = max(1.0 + 40.0 / 96.0 * math.log10((at - delay + 1.0) / (attack - delay)), 0.0)
    elif at < hold:
        value = 1.0
    elif at < decay:
        value = 1.0 - (1.0 - sustain) * (at - hold) / (decay - hold)
    else:
        value = sustain
    return max(value - (frame - off) * release, 0.0) if frame > off else value


@_compiled
def _triangle(frame, start, step):
    """A low-frequency oscillator: 0 until `start`, then a triangle from 0 upwards between -1 and 1."""
    if frame < start:
        return 0.0
    phase = ((frame - start) * step + 0.25) % 1.0
    return 4.0 * phase - 1.0 if phase < 0.5 else 3.0 - 4.0 * phase


@_compiled
def _coefficients(cents, resonance, rate):
    """Low-pass of second order, its gain lowered by half the resonance (dB): specification 8.1.3, generator 9."""
    w = 2.0 * math.pi * 8.176 * 2.0 ** (cents / 1200.0) / rate
    alpha = math.sin(w) / (2.0 * 10.0 ** ((resonance - 3.01) / 20.0))
    norm = 1.0 / (1.0 + alpha)
    b0 = 0.5 * (1.0 - math.cos(w)) * norm * 10.0 ** (-resonance / 40.0)
    return b0, -2.0 * math.cos(w) * norm, (1.0 - alpha) * norm


@_compiled
def _low_pass(buf, n, b0, a1, a2, x1, x2, y1, y2):
    """Filter buf in place; the last four are the filter's memory, in and out."""
    for i in range(n):
        x = float(buf[i])
        y = (b0 * (x + 2.0 * x1 + x2) - a2 * y2) - a1 * y1  # the newest last: the shortest chain
        x2, x1, y2, y1 = x1, x, y1, y
        buf[i] = y
    return x1, x2, y1, y2


@_compiled
def _stretch_end(frame, total, stage, s):
    """Where the stretch that starts at `frame` ends: the block's end or the voice's next event."""
    edge = min((frame // BLOCK + 1) * BLOCK, total)
    if frame < s.cut:
        edge = min(edge, s.cut)
    if frame < s.off:
        edge = min(edge, s.off)
    if stage == _ATTACK:
        return min(edge, s.attack_end)
    if stage == _HOLD:
        return min(edge, s.hold_end)
    return min(edge, s.decay_end) if stage == _DECAY else edge


@_compiled
def _level_after(level, n, stage, slope, s):
    """The volume envelope n frames on: linear in the attack, linear in dB in decay and release."""
    if stage == _ATTACK:
        return min(level + n / (s.attack_end - s.delay_end), 1.0)
    if stage == _DECAY:
        return level * 2.0 ** (s.decay * n)
    return level * 2.0 ** (slope * n) if stage == _RELEASE else level


@_compiled
def _modulation(frame, block, s, cents, vibrato):
    """(pitch offset in cents, filter offset in cents, tremolo LFO) at a frame."""
    swing, envelope = 0.0, 0.0
    if s.mod_to_pitch != 0.0 or s.mod_to_fc != 0.0:
        ends = (s.mod_delay_end, s.mod_attack_end, s.mod_hold_end, s.mod_decay_end)
        envelope = _envelope(frame, s.off, ends[0], ends[1], ends[2], ends[3], s.mod_sustain, s.mod_release)
    if s.tremolo_to_pitch != 0.0 or s.tremolo_to_fc != 0.0 or s.tremolo_to_gain != 0.0:
        swing = _triangle(frame, s.tremolo_start, s.tremolo_step)
    pitch = float(cents[block]) + s.mod_to_pitch * envelope + s.tremolo_to_pitch * swing
    depth = s.vibrato_to_pitch + s.wheel_to_pitch * vibrato[block]
    if depth != 0.0:
        pitch += depth * _triangle(frame, s.vibrato_start, s.vibrato_step)
    return pitch, s.mod_to_fc * envelope + s.tremolo_to_fc * swing, swing


@_compiled
def _along(curve, frame, block):
    """A control curve at a frame of a block, or at the block's end."""
    a, b = float(curve[block]), float(curve[block + 1])
    return a + (b - a) * ((frame - block * BLOCK) / BLOCK)


@_compiled
def _add(target, buf, n, whole, l0, r0, l1, r1):
    """Add n frames to the left and right of target, at gains that move to l1, r1 over `whole` frames."""
    gl, gr = np.float32(l0), np.float32(r0)
    dl, dr = np.float32((l1 - l0) / whole), np.float32((r1 - r0) / whole)
    for i in range(n):
        x, t = buf[i], np.float32(i)
        target[i, 0] += x * (gl + dl * t)
        target[i, 1] += x * (gr + dr * t)


@_compiled
def _peak(buf, n):
    highest = np.float32(0.0)
    for i in range(n):
        highest = max(highest, abs(buf[i]))
    return highest


@_compiled
def _play(out, pool, s, gain, pan, cents, vibrato, rate, buf):
    """Add one voice to a stem; whether it was over -120 dB of full scale for a moment."""
    total, frame, stage, level, slope = out.shape[0], s.delay_end, _ATTACK, 0.0, 0.0
    if frame >= min(s.off, s.cut):
        return False
    base, cutting, heard = s.base, False, False
    stop, loop = (s.loop_end + 1, s.loop_end - s.loop_start) if s.looped else (s.length, 0)
    position, step, pitch = np.uint64(0), np.uint64(0), math.inf
    filtered = s.fc < _OPEN_FC or s.q > 0.0 or s.tremolo_to_fc != 0.0 or s.mod_to_fc != 0.0
    highest = math.log2(min(0.45 * rate, 20000.0) / 8.176) * 1200.0
    cutoff, x1, x2, y1, y2, b0, a1, a2 = math.inf, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0
    place, left, right = math.inf, 0.0, 0.0
    if s.attack_end > s.delay_end:
        level = 1.0 / (s.attack_end - s.delay_end)  # not 0: the first frame is to be heard
    while frame < total:
        if frame >= s.cut and not cutting:
            cutting, stage, slope = True, _RELEASE, min(s.cut_slope, s.release)
        elif frame >= s.off and stage < _RELEASE:
            stage, slope = _RELEASE, s.release
            if s.tail >= 0:  # the loop is left: play on to the sound's own end
                if position >= np.uint64(s.loop_end) << _SHIFT:
                    position -= np.uint64(loop) << _SHIFT
                base, stop, loop = s.tail, s.tail_length, 0
        if stage == _ATTACK and frame >= s.attack_end:
            level, stage = 1.0, _HOLD
        if stage == _HOLD and frame >= s.hold_end:
            stage = _DECAY
        if stage == _DECAY and frame >= s.decay_end:
            level, stage = s.sustain, _SUSTAIN
        if stage >= _DECAY and level * s.gain < _SILENT:
            break
        block, edge = frame // BLOCK, _stretch_end(frame, total, stage, s)
        n = edge - frame
        later = _level_after(level, n, stage, slope, s)
        shift, opening, swing = _modulation(frame, block, s, cents, vibrato)
        if shift != pitch:
            pitch = shift
            step = np.uint64(min(max(s.ratio * 2.0 ** (shift / 1200.0), 2.0**-20), 256.0) * _ONE + 0.5)
        position, many = _fill(buf, n, pool, base, position, step, stop, loop)
        if filtered:
            goal = min(max(s.fc + opening, _LOWEST_FC), highest)
            if goal != cutoff:
                cutoff = goal
                b0, a1, a2 = _coefficients(cutoff, s.q, rate)
            x1, x2, y1, y2 = _low_pass(buf, many, b0, a1, a2, x1, x2, y1, y2)
        now, then = s.gain * level * _along(gain, frame, block), s.gain * later * _along(gain, edge, block)
        if s.tremolo_to_gain != 0.0:
            now *= 2.0 ** (s.tremolo_to_gain * swing)
            then *= 2.0 ** (s.tremolo_to_gain * _triangle(edge, s.tremolo_start, s.tremolo_step))
        l0, r0 = now * left, now * right
        for end in range(2):  # left and right at the start, then at the end; mostly both stand still
            goal = s.pan + _along(pan, edge if end else frame, block)
            if goal != place:
                place = goal
                angle = (min(max(place, -500.0), 500.0) + 500.0) * (math.pi / 2000.0)
                left, right = math.cos(angle), math.sin(angle)
            if not end:
                l0, r0 = now * left, now * right
        l1, r1 = then * left, then * right
        heard = heard or _peak(buf, many) * max(l0, r0, l1, r1) > _HEARD
        _add(out[frame:edge], buf, many, n, l0, r0, l1, r1)
        if many < n:
            break
        level, frame = later, edge
    return heard


@_compiled
def mix_voices(out, pool, voices, gain, pan, cents, vibrato, rate, heard):
    """Add voices to a stem.

    Parameters
    ----------
    out : float32 array, shape (frames, 2), added to
    pool : float32 array
        All sounds, one after another.
    voices : VOICE array
    gain, pan, cents, vibrato : float32 arrays, at least frames // BLOCK + 2 entries
        The part's control curves.
    rate : int
    heard : uint8 array, shape (voices,)
        Set to 1 for each voice that was over -120 dB of full scale for a moment.
    """
    buf = np.zeros(BLOCK, np.float32)
    for v in range(voices.shape[0]):
        heard[v] = _play(out, pool, voices[v], gain, pan, cents, vibrato, rate, buf)
