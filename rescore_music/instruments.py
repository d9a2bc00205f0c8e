"""The instrument table: what each instrument can do. The data are in instruments.csv beside this module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Instrument:
    """One row of the table. Pitches are sounding MIDI numbers.

    Attributes
    ----------
    id : str
        Key: "violin", "horn-f", "clarinet-bb", "timpani", "pulse-lead".
    name, abbreviation : str
        As printed in a score ("Horn in F", "Hn.").
    family : str
        woodwind, brass, strings, plucked, keyboard, voice, percussion, electronic or folk.
    score_order : int
        Place in a full score, low numbers on top.
    lowest, highest : int
        Playable range of a professional.
    comfortable_low, comfortable_high : int
        Tessitura: where long passages sit well.
    power : tuple of (pitch, pp dB, ff dB)
        Dynamic power by register at a few pitches, rising: the sound power level at softest and loudest playing,
        relative to a violin section's mf at A4 = 0 dB; interpolated between.
    transposition, diatonic : int
        Sounding minus written pitch in semitones and in staff steps.
    clefs : tuple of str
        One a staff from the top: "G2", "F4", "C3", "G2-8", "percussion".
    agility : float
        Comfortable fastest notes a second.
    polyphony : int
        Notes one player can sound at once.
    breath : float
        Seconds one breath lasts at mf; 0 = none needed.
    articulations : tuple of str
        What it can do beyond plain notes: legato, staccato, pizzicato, tremolo, trill, mute, harmonic, glissando, roll.
    program, bank : int
        General MIDI program 0..127 and bank.
    percussion : bool
        Unpitched: plays General MIDI drum keys, listed in `keys`.
    keys : tuple of int
        Drum keys this instrument answers to; empty for pitched instruments.
    """

    id: str
    name: str
    abbreviation: str
    family: str
    score_order: int
    lowest: int
    highest: int
    comfortable_low: int
    comfortable_high: int
    power: tuple[tuple[int, float, float], ...]
    transposition: int
    diatonic: int
    clefs: tuple[str, ...]
    agility: float
    polyphony: int
    breath: float
    articulations: tuple[str, ...]
    program: int
    bank: int = 0
    percussion: bool = False
    keys: tuple[int, ...] = ()
