"""What a voice pays for a note: the cues of stream segregation.

A voice moves by small steps, keeps to its rhythm, its register and its last pitches, seldom rests, does not overlap
itself and seldom crosses its neighbours; it seldom holds chords, and then of notes of one length. To this comes how
unlikely the voice is where the note stands (`surroundings`), and how unlikely it is that the note follows the one that
the voice played last (`links`).

Conventions: time in quarters, pitch in semitones, voice 0 the highest. Only the ratios of prices count.

Source: D. Huron, "Tone and Voice", Music Perception 19 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.analysis.hand_outs import pairs
from rescore_music.analysis.passages import NOTE_END, NOTE_PITCH

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PITCH, END, LENGTH, BACK, SIZE, LAST = range(6)  # of a voice's state
STATES = 6
GAP_MOST, RHYTHM_MOST, BACK_MOST = 4.0, 2.0, 12.0
UNHEARD, NEVER, SHORTEST = -9.0, -1e4, 1 / 16
JOINED = 0.05  # quarters of rest or overlap under which a note follows at once
FIFTH, OCTAVE, SIXTEENTH = 7.0, 12.0, 0.25


@dataclass(frozen=True)
class Weights:
    """Prices, chosen on the works that `benchmarks/fit_voices.py` learns from."""

    link: float = 7.0  # per unit of minus the log of the chance that the note follows the voice's last one
    place: float = 9.0  # per unit of minus the log of the voice's chance where the note stands
    step: float = 0.4  # per semitone moved
    leap: float = 0.065  # more per semitone beyond a fifth
    register: float = 0.0  # per semitone away from the voice's usual height
    gap: float = 4.0  # per quarter of rest, at most GAP_MOST
    overlap: float = 40.0  # for still sounding when the next note starts, in full from a sixteenth on
    crossing: float = 2.0  # for each voice crossed while it sounds
    exchange: float = 4.8  # for two notes of one onset in crossed voices
    rhythm: float = 1.25  # per doubling or halving of the note length, at most RHYTHM_MOST
    back: float = 0.0  # per semitone away from the voice's last but one pitch
    chord: float = 40.0  # for a further note at once
    chord_again: float = 10.0  # less where the voice's last note was a chord
    chord_wide: float = 0.5  # per semitone beyond an octave
    chord_uneven: float = 12.0  # per doubling of the length between the notes of a chord


@dataclass(frozen=True, eq=False)
class Group:
    """The notes of one onset, in each of `rows` passages at once, all with the same number of notes.

    Shapes: onset (rows,); number (rows,), that of the first note; note (rows, notes, 2), see `Passage`; unlikely (rows,
    notes, voices), see `surroundings`; link (rows, notes, reach + 1), see `links`; register (rows, voices).
    """

    onset: Floats
    number: Floats
    note: Floats
    unlikely: Floats
    link: Floats
    register: Floats


def start(register: Floats) -> Floats:
    """State of voices that have played nothing: shape of `register` and the states of a voice."""
    state = np.zeros((*register.shape, STATES), np.float32)
    state[..., PITCH] = state[..., BACK] = register
    state[..., END], state[..., LENGTH], state[..., SIZE], state[..., LAST] = -GAP_MOST, UNHEARD, 1, NEVER
    return state


def lengths(group: Group) -> Floats:
    """Length of the notes, log2 of quarters: shape (rows, notes)."""
    return np.asarray(np.log2(np.maximum(group.note[..., NOTE_END] - group.onset[:, None], SHORTEST)), np.float32)


def single(state: Floats, group: Group, w: Weights) -> Floats:
    """Price of each note for each voice: shape (rows, hypotheses, voices, notes)."""
    new = group.note[:, None, None, :, NOTE_PITCH]
    last_pitch, last_length = state[..., PITCH, None], state[..., LENGTH, None]
    moved = np.abs(new - last_pitch)
    price = w.step * moved + w.leap * np.maximum(moved - FIFTH, 0)
    price += w.back * np.minimum(np.abs(new - state[..., BACK, None]), BACK_MOST)
    price += w.rhythm * np.where(
        last_length > UNHEARD, np.minimum(np.abs(lengths(group)[:, None, None, :] - last_length), RHYTHM_MOST), 0
    )
    price += w.register * np.abs(new - group.register[:, None, :, None])
    price += w.place * np.moveaxis(group.unlikely, 2, 1)[:, None]
    rest = group.onset[:, None, None] - state[..., END]
    # a short overlap is how legato is played; from a sixteenth on it is a second voice
    time = w.gap * np.clip(rest, 0, GAP_MOST) + w.overlap * np.clip(-rest / SIXTEENTH, 0, 1)
    price += time[..., None]
    held = (rest < -JOINED)[..., None]
    higher, lower = (new > last_pitch) & held, (new < last_pitch) & held
    over: npt.NDArray[np.int64] = np.cumsum(higher, axis=2) - higher  # sounding voices above v that the note would top
    under = lower.sum(axis=2, keepdims=True) - np.cumsum(lower, axis=2)
    price += w.crossing * (over + under) + w.link * links(state, group)
    return np.asarray(price, np.float32)


def links(state: Floats, group: Group) -> Floats:
    """How unlikely each note follows the last of each voice: shape (rows, hypotheses, voices, notes)."""
    rows, hypotheses, voices = state.shape[:3]
    back = np.minimum(group.number[:, None, None] - 1 - state[..., LAST], group.link.shape[2] - 1).astype(np.int64)
    found = np.take_along_axis(np.swapaxes(group.link, 1, 2), back.reshape(rows, -1, 1), axis=1)
    return found.reshape(rows, hypotheses, voices, -1)


def chord(state: Floats, group: Group, w: Weights) -> Floats:
    """Price of each pair of notes in one voice: shape (rows, hypotheses, voices, pairs)."""
    pitch, length = group.note[..., NOTE_PITCH], lengths(group)
    upper, lower = pairs(pitch.shape[1])
    wide = np.maximum(pitch[:, upper] - pitch[:, lower] - OCTAVE, 0)
    uneven = np.minimum(np.abs(length[:, upper] - length[:, lower]), 2)
    price = (w.chord + w.chord_wide * wide + w.chord_uneven * uneven)[:, None, None, :]
    out = price - w.chord_again * (state[..., SIZE, None] > 1)
    return np.asarray(out, np.float32)


def exchange(group: Group, w: Weights) -> Floats:
    """Price of each pair of notes in crossed voices: shape (rows, pairs); nothing crosses in a unison."""
    pitch = group.note[..., NOTE_PITCH]
    upper, lower = pairs(pitch.shape[1])
    return np.asarray(w.exchange * (pitch[:, upper] != pitch[:, lower]), np.float32)


def stepped(state: Floats, group: Group, given: Ints) -> Floats:
    """The states after each note went to its voice; given (rows, hypotheses, notes) holds the voice of each note."""
    voices = state.shape[2]
    took = given[:, :, None, :] == np.arange(voices)[:, None]  # (rows, hypotheses, voices, notes)
    count = took.sum(axis=3)
    share = (took / np.maximum(count, 1)[..., None]).astype(np.float32)
    new = np.empty_like(state)
    new[..., PITCH] = (share * group.note[:, None, None, :, NOTE_PITCH]).sum(axis=3)
    new[..., LENGTH] = (share * lengths(group)[:, None, None, :]).sum(axis=3)
    new[..., END] = np.where(took, group.note[:, None, None, :, NOTE_END], -np.inf).max(axis=3)
    new[..., BACK], new[..., SIZE] = state[..., PITCH], count
    new[..., LAST] = group.number[:, None, None] + took.argmax(axis=3)  # of a chord its highest note
    return np.where(count[..., None] > 0, new, state)
