"""The click track: where it clicks, its sound, and its MIDI.

Conventions: ticks of the score, seconds from its beginning (with free bars, from theirs: see `lead`). A click is heard
at the sample nearest to its time, and is loudest there: it has no attack to be late by. Downbeats are accented. Where
beats are slow, the halves (or, in compound meters, the thirds) are clicked too, softer; whether, is settled once a
stretch of one meter, so that the players do not meet it bar by bar.

Pitches: General MIDI's wood blocks and side stick. In /8 and /16 meters that are not compound (5/8, 7/8) every written
unit is a beat, as `Score.beat_ticks` counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Audio
from rescore_music.elements import NOTE, Part, RawEvent
from rescore_music.errors import SyncError
from rescore_music.score import Score

CLICK = np.dtype([("tick", "<i8"), ("seconds", "<f8"), ("level", "u1")])
DOWNBEAT, BEAT, SUBDIVISION = 0, 1, 2  # CLICK.level
SLOW = 1.0  # seconds: players subdivide beats longer than this (under 60 a minute) by themselves
PITCH_HZ = (1760.0, 1320.0, 880.0)  # by level
GAIN = (0.9, 0.6, 0.3)
DECAY = 0.006  # seconds to 1/e: short enough not to blur, long enough to be heard through headphones
LENGTH = 0.04  # seconds
KEYS = (76, 77, 37)  # hi wood block, low wood block, side stick
VELOCITY = (120, 96, 56)
SUBDIVIDE = ("auto", "off", "2", "3", "4")

Clicks = npt.NDArray[np.void]


def clicks(score: Score, *, start: int = 0, subdivide: str = "auto") -> Clicks:
    """Where a score's click falls, from `start` to the end of its last bar.

    Parameters
    ----------
    score : Score
    start : int
        First tick that may click.
    subdivide : str
        "auto" (slow beats are divided), "off", or clicks a beat: "2", "3", "4".

    Returns
    -------
    CLICK array, shape (n,)
        By time.

    Raises
    ------
    SyncError
        If there is no such subdivision.
    """
    if subdivide not in SUBDIVIDE:
        raise SyncError(f"beats are subdivided {', '.join(SUBDIVIDE)}, not {subdivide!r}")
    bars = score.bars
    beats = np.array([score.beat_ticks(int(bar)) for bar in bars[:-1]], np.int64)
    parts = _parts(score, beats, subdivide)
    ticks: list[npt.NDArray[np.int64]] = []
    levels: list[npt.NDArray[np.uint8]] = []
    inside = score.numbered.before.tolist()
    rows = zip(bars[:-1].tolist(), bars[1:].tolist(), beats.tolist(), parts, inside, strict=True)
    for bar, end, beat, divided, before in rows:
        count = -(-(end - bar) // beat) * divided
        places = bar + beat * np.arange(count, dtype=np.int64) // divided
        level = np.where(np.arange(count) % divided == 0, BEAT, SUBDIVISION).astype(np.uint8)
        if not before:  # neither an upbeat nor the second half of a bar
            level[0] = DOWNBEAT
        ticks.append(places[places < end])
        levels.append(level[places < end])
    out = np.zeros(sum(map(len, ticks)), CLICK)
    out["tick"], out["level"] = np.concatenate(ticks), np.concatenate(levels)
    out["seconds"] = score.seconds(out["tick"])
    return out[out["tick"] >= start]


def _parts(score: Score, beats: npt.NDArray[np.int64], subdivide: str) -> list[int]:
    """Clicks a beat, for each bar."""
    if subdivide != "auto":
        return [1 if subdivide == "off" else int(subdivide)] * len(beats)
    bars = score.bars[:-1]
    meters = [score.meter_at(int(bar)) for bar in bars]
    length = (score.seconds(score.bars[1:]) - score.seconds(bars)) * beats / np.diff(score.bars)
    parts: list[int] = []
    first = 0
    for k in range(1, len(bars) + 1):
        if k < len(bars) and meters[k] == meters[first]:
            continue
        compound = beats[first] * meters[first][1] // 4 == 3 * score.ticks_per_quarter
        slow = float(np.median(length[first:k])) > SLOW
        parts += [(3 if compound else 2) if slow else 1] * (k - first)
        first = k
    return parts


def click_audio(places: Clicks, seconds: float, sample_rate: int = 48000) -> Audio:
    """The click as sound.

    Parameters
    ----------
    places : CLICK array
    seconds : float
        Length of the sound; at least that of the last click.
    sample_rate : int
        Hz.

    Returns
    -------
    Audio, one channel
    """
    sounds = [_sound(level, sample_rate) for level in range(3)]
    first = np.rint(places["seconds"] * sample_rate).astype(np.int64)
    last = int(first.max(initial=0)) + len(sounds[0]) if len(first) else 0
    samples = np.zeros(max(round(seconds * sample_rate), last), np.float32)
    for at, level in zip(first.tolist(), places["level"].tolist(), strict=True):
        samples[at : at + len(sounds[level])] += sounds[level]
    return Audio(samples, sample_rate)


def _sound(level: int, sample_rate: int) -> npt.NDArray[np.float32]:
    """A struck tone that is loudest at its first sample."""
    time = np.arange(round(LENGTH * sample_rate)) / sample_rate
    tone = GAIN[level] * np.cos(2 * np.pi * PITCH_HZ[level] * time) * np.exp(-time / DECAY)
    return np.asarray(tone, np.float32)


def click_score(score: Score, places: Clicks) -> Score:
    """The click as a part of its own, under the score's tempo map, meters and markers."""
    notes = np.zeros(len(places), NOTE)
    notes["onset"], notes["duration"] = places["tick"], max(score.ticks_per_quarter // 8, 1)
    notes["pitch"], notes["velocity"] = np.array(KEYS)[places["level"]], np.array(VELOCITY)[places["level"]]
    notes["step"] = -1
    part = Part(name="Click", instrument="", percussion=True, channel=9)
    nothing = {name: getattr(score, name)[:0] for name in ("controls", "bends", "programs")}
    marks = tuple(m for m in score.marks if m.part < 0 and m.kind in ("tempo", "rehearsal"))
    return score.replace(notes=notes, parts=(part,), marks=marks, raw=_conducting(score), **nothing)


def _conducting(score: Score) -> tuple[RawEvent, ...]:
    return tuple(r for r in score.raw if r.part < 0 and r.data[:2] == b"\xff\x54")  # the SMPTE offset
