"""The voice engine's inner loop: sampled sound, filter, envelopes and LFOs of many voices, added into one stem.

Conventions: positions in the sound are 32.32 fixed point, so pitch and loops are exact and every run gives the same
bytes; gains are linear inside a control block of `BLOCK` frames. Compiled by numba for one signature, kept on disk.

References: SoundFont 2.04, section 9 (synthesis model); four-point cubic (Catmull-Rom) interpolation: Niemitalo,
"Polynomial interpolators for high-quality resampling of oversampled audio", 2001; low-pass: Bristow-Johnson, "Cookbook
formulae for audio equalizer biquad filter coefficients".
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from rescore_music.rendering.channel import BLOCK

_ONE = 1 << 32
_FRACTION = np.uint64(_ONE - 1)
_SHIFT = np.uint64(32)
_BIT = np.uint64(1)
_TO_UNIT = np.float32(2.0**-31)
_HALF, _ONE_AND_HALF, _TWO, _TWO_AND_HALF = (np.float32(x) for x in (0.5, 1.5, 2.0, 2.5))
_SILENT = 5e-6  # below -106 dB of full scale a falling voice is over
_ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE = 1, 2, 3, 4, 5


def _compiled(function: Any) -> Any:
    """Compile without the interpreter's lock; keep the result on disk where a folder can be written."""
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}  # a * b + c in one rounding: a third faster
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)


@_compiled
def _fill(buf, n, pool, base, position, step, stop, loop):  # type: ignore[no-untyped-def]
    """Interpolate n frames into buf; returns the new position and how many frames there were before the end."""
    done = 0
    end = np.uint64(stop) << _SHIFT
    span = np.uint64(loop) << _SHIFT
    while done < n:
        if position >= end:
            if loop == 0:
                break
            position -= ((position - end) // span + np.uint64(1)) * span
        many = min(n - done, np.int64((end - position + step - np.uint64(1)) // step))
        start = np.uint64(base)
        for i in range(many):
            at = position + np.uint64(i) * step
            k = start + (at >> _SHIFT)
            f = np.float32(np.int32((at & _FRACTION) >> _BIT)) * _TO_UNIT
            a, b, c, d = pool[k - np.uint64(1)], pool[k], pool[k + np.uint64(1)], pool[k + np.uint64(2)]
            c1 = _HALF * (c - a)
            c2 = a - _TWO_AND_HALF * b + _TWO * c - _HALF * d
            c3 = _HALF * (d - a) + _ONE_AND_HALF * (b - c)
            buf[done + i] = ((c3 * f + c2) * f + c1) * f + b
        position += np.uint64(many) * step
        done += many
    return position, done


@_compiled
def _envelope(frame, off, delay, attack, hold, decay, sustain, release):  # type: ignore[no-untyped-def]
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
def _triangle(frame, start, step):  # type: ignore[no-untyped-def]
    """A low-frequency oscillator: 0 until `start`, then a triangle from 0 upwards between -1 and 1."""
    if frame < start:
        return 0.0
    phase = ((frame - start) * step + 0.25) % 1.0
    return 4.0 * phase - 1.0 if phase < 0.5 else 3.0 - 4.0 * phase


@_compiled
def mix_voices(out, pool, voices, gain, pan, cents, vibrato, rate, heard):  # type: ignore[no-untyped-def]
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
    total = out.shape[0]
    buf = np.zeros(BLOCK, np.float32)
    highest = math.log2(min(0.45 * rate, 20000.0) / 8.176) * 1200.0
    for v in range(voices.shape[0]):
        s = voices[v]
        frame, stage, level, slope = s.delay_end, _ATTACK, 0.0, 0.0
        if frame >= min(s.off, s.cut):
            continue
        base, looped, cutting = s.base, s.looped != 0, False
        stop, loop = (s.loop_end + 1, s.loop_end - s.loop_start) if looped else (s.length, 0)
        position, step, pitch = np.uint64(0), np.uint64(0), math.inf
        shift = s.mod_to_pitch != 0.0 or s.tremolo_to_pitch != 0.0 or s.vibrato_to_pitch != 0.0
        filtered = s.fc < 13500.0 or s.q > 0.0 or s.tremolo_to_fc != 0.0 or s.mod_to_fc != 0.0
        moving = s.mod_to_fc != 0.0 or s.tremolo_to_fc != 0.0
        cutoff, x1, x2, y1, y2, b0, a1, a2 = math.inf, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0
        place, left, right = math.inf, 0.0, 0.0
        if s.attack_end > s.delay_end:
            level = 1.0 / (s.attack_end - s.delay_end)
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
            block = frame // BLOCK
            edge = min((block + 1) * BLOCK, total)
            if frame < s.cut:
                edge = min(edge, s.cut)
            if frame < s.off:
                edge = min(edge, s.off)
            if stage == _ATTACK:
                edge = min(edge, s.attack_end)
            elif stage == _HOLD:
                edge = min(edge, s.hold_end)
            elif stage == _DECAY:
                edge = min(edge, s.decay_end)
            n = edge - frame
            if stage == _ATTACK:
                later = min(level + n / (s.attack_end - s.delay_end), 1.0)
            elif stage == _DECAY:
                later = level * 2.0 ** (s.decay * n)
            elif stage == _RELEASE:
                later = level * 2.0 ** (slope * n)
            else:
                later = level

            # pitch
            swing = _triangle(frame, s.tremolo_start, s.tremolo_step)
            envelope = 0.0
            if s.mod_to_pitch != 0.0 or s.mod_to_fc != 0.0:
                envelope = _envelope(
                    frame,
                    s.off,
                    s.mod_delay_end,
                    s.mod_attack_end,
                    s.mod_hold_end,
                    s.mod_decay_end,
                    s.mod_sustain,
                    s.mod_release,
                )
            offset = float(cents[block])
            depth = s.vibrato_to_pitch + 50.0 * vibrato[block]
            if depth != 0.0:
                offset += depth * _triangle(frame, s.vibrato_start, s.vibrato_step)
            if shift:
                offset += s.mod_to_pitch * envelope + s.tremolo_to_pitch * swing
            if offset != pitch:
                pitch = offset
                ratio = min(max(s.ratio * 2.0 ** (offset / 1200.0), 2.0**-20), 256.0)
                step = np.uint64(ratio * _ONE + 0.5)
            position, many = _fill(buf, n, pool, base, position, step, stop, loop)

            # low-pass
            if filtered:
                goal = s.fc + (s.mod_to_fc * envelope + s.tremolo_to_fc * swing if moving else 0.0)
                goal = min(max(goal, 1500.0), highest)
                if goal != cutoff:
                    cutoff = goal
                    w = 2.0 * math.pi * 8.176 * 2.0 ** (goal / 1200.0) / rate
                    alpha = math.sin(w) / (2.0 * 10.0 ** ((s.q - 3.01) / 20.0))
                    norm = 1.0 / (1.0 + alpha)
                    b0 = 0.5 * (1.0 - math.cos(w)) * norm * 10.0 ** (-s.q / 40.0)
                    a1, a2 = -2.0 * math.cos(w) * norm, (1.0 - alpha) * norm
                for i in range(many):
                    x = float(buf[i])
                    y = (b0 * (x + 2.0 * x1 + x2) - a2 * y2) - a1 * y1  # the newest last: the shortest chain
                    x2, x1, y2, y1 = x1, x, y1, y
                    buf[i] = y

            # level and place, linear over these frames
            t0, t1 = (frame - block * BLOCK) / BLOCK, (edge - block * BLOCK) / BLOCK
            g0, g1 = float(gain[block]), float(gain[block + 1])
            now, then = s.gain * level * (g0 + (g1 - g0) * t0), s.gain * later * (g0 + (g1 - g0) * t1)
            if s.tremolo_to_gain != 0.0:
                now *= 2.0 ** (s.tremolo_to_gain * swing)
                then *= 2.0 ** (s.tremolo_to_gain * _triangle(edge, s.tremolo_start, s.tremolo_step))
            p0, p1 = float(pan[block]), float(pan[block + 1])
            if s.pan + p0 + (p1 - p0) * t0 != place:
                place = s.pan + p0 + (p1 - p0) * t0
                angle = (min(max(place, -500.0), 500.0) + 500.0) * (math.pi / 2000.0)
                left, right = math.cos(angle), math.sin(angle)
            l0, r0 = now * left, now * right
            if s.pan + p0 + (p1 - p0) * t1 != place:
                place = s.pan + p0 + (p1 - p0) * t1
                angle = (min(max(place, -500.0), 500.0) + 500.0) * (math.pi / 2000.0)
                left, right = math.cos(angle), math.sin(angle)
            l1, r1 = then * left, then * right
            if heard[v] == 0:
                loudest = max(l0, r0, l1, r1)
                for i in range(many):
                    if abs(buf[i]) * loudest > 1e-6:
                        heard[v] = 1
                        break
            gl, gr = np.float32(l0), np.float32(r0)
            dl, dr = np.float32((l1 - l0) / n), np.float32((r1 - r0) / n)
            target = out[frame:edge]
            for i in range(many):
                x, t = buf[i], np.float32(i)
                target[i, 0] += x * (gl + dl * t)
                target[i, 1] += x * (gr + dr * t)
            if many < n:
                break
            level, frame = later, edge
