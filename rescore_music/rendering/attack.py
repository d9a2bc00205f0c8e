"""Attack times: how long after its start a tone is heard, and notes begun early so that they are heard in time.

A bowed or blown note grows for 10 to 200 ms before it is heard as begun; on a hit of the picture that is up to five
frames late. What a part plays on a hit, a note or a chord, is played alone, with its own sounds, velocities, lengths
and controllers, and begun as much earlier as it takes to be heard; then all parts together are looked at.

Conventions: frames of sound. *Heard* is the first moment at which the level, the energy of the last `WINDOW` seconds,
is within `BELOW` dB of its highest in the first `REACH` seconds.

References: Rasch, "Synchronization in performed ensemble music", Acustica 43 (1979), takes 15 to 20 dB below the
maximum for the onset of a tone; Vos and Rasch, "The perceptual onset of musical tones", Perception & Psychophysics 29
(1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rescore_music.rendering.channel import BLOCK, Curves, curves
from rescore_music.rendering.engine import PartPlan
from rescore_music.rendering.voices import NEVER, VOICE, last_frames
from rescore_music.score import GRACE, Score

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
Samples = npt.NDArray[np.float32]

WINDOW = 0.01  # seconds: a period of the lowest tones that have one in this time
BELOW = 15.0  # dB
REACH = 0.5  # seconds in which a note is at its loudest
ROUNDS = 10  # looks at one chord, most need two
WHOLE = 0.004  # seconds that all parts together may be off
LEAST = 0.002  # seconds: less is not worth a shift
_MOVING = (
    *("start", "delay_end", "attack_end", "hold_end", "decay_end"),
    *("mod_delay_end", "mod_attack_end", "mod_hold_end", "mod_decay_end", "tremolo_start", "vibrato_start"),
)


@dataclass(frozen=True)
class Early:
    """What one part does at hits: how often it begins early, and the most that it does (seconds).

    `late` counts hits for which it would have to begin before the sound does.
    """

    part: int
    entries: int
    most: float
    late: int = 0


def heard_after(sound: Samples, rate: int) -> int:
    """Frames from the start of a sound to where it is heard.

    Parameters
    ----------
    sound : float32 array, shape (frames, channels)
    rate : int
    """
    level = np.sum(sound.astype(np.float64) ** 2, axis=1)
    total = np.concatenate([[0.0], np.cumsum(level)])
    size = max(1, round(WINDOW * rate))
    ends = np.arange(1, len(total))
    energy = total[ends] - total[np.maximum(ends - size, 0)]
    top = float(energy.max(initial=0.0))
    return 0 if top <= 0.0 else int(np.argmax(energy >= top * 10.0 ** (-BELOW / 10.0)))


@dataclass
class _Chord:
    """What one part plays at one tick: its voices, copied, and how much earlier than `place` they begin."""

    part: int
    rows: Ints
    voices: Rows
    pool: Samples
    control: Curves
    place: int
    early: int = 0
    off: int = 0  # frames by which it is still heard late

    def sound(self, frames: int, until: int, rate: int) -> Samples:
        """Its sound from `frames` before its place."""
        lead = frames - self.early
        alone = _alone(self.voices, self.pool, self.control, self.place - self.early, rate)
        out = np.zeros((until, 2), np.float32)
        out[lead : lead + len(alone)] = alone[: max(until - lead, 0)]
        return out


def on_time(
    score: Score, plans: Sequence[PartPlan], ticks: npt.ArrayLike, rate: int
) -> tuple[list[PartPlan], list[Early]]:
    """The plans of all parts with what falls on some ticks begun so early that it is heard there.

    Parameters
    ----------
    score : Score
    plans : sequence of PartPlan
    ticks : int array
    rate : int

    Returns
    -------
    plans : list of PartPlan
    done : list of Early
        Of the parts of which something begins early.
    """
    at: dict[int, list[_Chord]] = {}
    chords: dict[int, list[_Chord]] = {}
    for number, plan in enumerate(plans):
        for tick, chord in _chords(score, plan, ticks, rate):
            chord.early, chord.off = _attack(chord.voices, chord.pool, chord.control, chord.place, rate)
            at.setdefault(tick, []).append(chord)
            chords.setdefault(number, []).append(chord)
    for together in at.values():
        _agree(together, rate)
    made, done = list(plans), []
    for number, own in chords.items():
        moved = [c for c in own if abs(c.early) >= LEAST * rate or int(c.voices["start"].min()) != c.place]
        if moved:
            voices = plans[number].voices.copy()
            for chord in moved:
                _begin(voices, chord.rows, max(chord.place - chord.early, 0))
            end = max(plans[number].end, int(last_frames(voices).max()))
            made[number] = replace(plans[number], voices=voices, end=end)
            late = sum(c.early > c.place for c in moved)
            done.append(Early(plans[number].part, len(moved), max(c.early for c in moved) / rate, late))
    return made, done


def _chords(score: Score, plan: PartPlan, ticks: npt.ArrayLike, rate: int) -> list[tuple[int, _Chord]]:
    """(tick, chord) of what a part plays at the ticks; grace notes before them are left alone."""
    if not len(plan.voices):
        return []
    notes = score.notes[plan.voices["note"]]
    rows = np.flatnonzero(np.isin(notes["onset"], ticks) & ((notes["articulation"] & GRACE) == 0))
    if not len(rows):
        return []
    onsets = notes["onset"][rows]
    control = curves(score, plan.part, int(plan.voices["off"][rows].max()) + round(REACH * rate) + 2 * BLOCK, rate)
    found = []
    for tick in np.unique(onsets).tolist():
        own = rows[onsets == tick]
        place = int(np.rint(score.seconds(tick) * rate))
        found.append((tick, _Chord(plan.part, own, plan.voices[own], plan.pool, control, place)))
    return found


def _agree(chords: Sequence[_Chord], rate: int) -> None:
    """Parts that are each in time may together be heard a little off: what is over `WHOLE` is taken from all."""
    frames = max(max(c.early for c in chords), 0)
    place = chords[0].place
    if len(chords) < 2 or frames > place:
        return
    until = frames + round(REACH * rate)
    whole = np.sum([c.sound(frames, until, rate) for c in chords if c.early <= frames], axis=0)
    off = heard_after(whole, rate) - frames
    over = abs(off) - round(WHOLE * rate)
    if over > 0:
        for chord in chords:
            # one that is off already goes no further that way
            room = max(round(WHOLE * rate) + (chord.off if off > 0 else -chord.off), 0)
            chord.early = min(chord.early + (1 if off > 0 else -1) * min(over, room), place)


def _begin(voices: Rows, rows: Ints, frame: int) -> None:
    """Let voices start together at a frame, as far apart as they are; where they end is left alone."""
    shift = frame - int(voices["start"][rows].min())
    for name in _MOVING:
        voices[name][rows] += shift


def _attack(voices: Rows, pool: Samples, control: Curves, place: int, rate: int) -> tuple[int, int]:
    """How many frames before `place` a chord's voices must start to be heard there, and how late they still are.

    What is heard follows the start, but not quite: a chord begun earlier is longer, and its controllers stand
    elsewhere. So the start is corrected by what is still missing, and where that jumps over the place, halved.
    """
    best, least, early = 0, 1 << 40, 0
    bounds: dict[bool, int] = {}
    for _ in range(ROUNDS):
        start = max(place - early, 0)
        off = start + heard_after(_alone(voices, pool, control, start, rate), rate) - place
        if abs(off) < abs(least):
            best, least = early, off
        if off == 0 or (start == 0 and off > 0):
            break
        bounds[off > 0] = early
        early = max(early + off, 0)
        if len(bounds) == 2 and not min(bounds.values()) < early < max(bounds.values()):
            early = sum(bounds.values()) // 2
    return (best, least) if place > 0 else (0, 0)


def _alone(voices: Rows, pool: Samples, control: Curves, start: int, rate: int) -> Samples:
    """The first `REACH` seconds of some voices when they start at a frame, up to their release."""
    from rescore_music.rendering.kernel import mix_voices

    rows = np.ascontiguousarray(voices.copy(), VOICE)
    _begin(rows, np.arange(len(rows)), start)
    first = start // BLOCK
    for name in (*_MOVING, "off"):
        rows[name] -= first * BLOCK
    rows["cut"] = np.where(rows["cut"] < NEVER, rows["cut"] - first * BLOCK, NEVER)
    inside = start - first * BLOCK
    frames = inside + max(min(round(REACH * rate), int(rows["off"].max()) - inside), 1)
    out = np.zeros((frames, 2), np.float32)
    blocks = slice(first, first + frames // BLOCK + 3)
    parts = (control.gain[blocks], control.pan[blocks], control.cents[blocks], control.vibrato[blocks])
    mix_voices(out, pool, rows, *parts, rate, np.zeros(len(rows), np.uint8))
    return out[inside:]


def told(score: Score, done: Sequence[Early], hits: int) -> tuple[str, ...]:
    """What a listener should know of notes begun early."""
    if not done:
        return ()
    names = [
        f"{score.parts[e.part].name or f'part {e.part + 1}'} {1000 * e.most:.0f} ms"
        for e in sorted(done, key=lambda e: -e.most)
        if e.most >= 0.005
    ]
    count = sum(e.entries for e in done)
    text = f"{count} entries of parts at {hits} hits begin early, so that they are heard on the frame"
    notices = [f"{text}: {', '.join(names)}" if names else f"{text}, none by as much as 5 ms"]
    late = sum(e.late for e in done)
    if late:
        notices.append(f"{late} entries at the very beginning cannot begin early enough to be heard on their frame")
    return tuple(notices)
