"""Roles as the pictures show them: one display group a role, harmony told apart as held or struck again.

Conventions: arrays have the shape (lines, phrases) of `Analysis`; -1 where a line rests. A line that doubles another
has the group of what it doubles and is marked as doubling beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.structure import Analysis, Pattern, Role
from rescore_music.view.palette import REPEATED_COLOUR, ROLE_COLOURS, ROLE_NAMES


@dataclass(frozen=True)
class Group:
    """One colour of the picture: its short sign in tables, its name, its colour."""

    sign: str
    name: str
    colour: str


MELODY, COUNTER, BASS, HELD, STRUCK, FIGURE, DRUMS = range(7)
GROUPS = (
    Group("M", ROLE_NAMES[Role.MELODY], ROLE_COLOURS[Role.MELODY]),
    Group("C", ROLE_NAMES[Role.COUNTER_MELODY], ROLE_COLOURS[Role.COUNTER_MELODY]),
    Group("B", ROLE_NAMES[Role.BASS], ROLE_COLOURS[Role.BASS]),
    Group("H", "Harmony, sustained", ROLE_COLOURS[Role.HARMONY]),
    Group("R", "Harmony, repeated", REPEATED_COLOUR),
    Group("F", ROLE_NAMES[Role.FIGURATION], ROLE_COLOURS[Role.FIGURATION]),
    Group("P", ROLE_NAMES[Role.PERCUSSION], ROLE_COLOURS[Role.PERCUSSION]),
)
_OF_ROLE = {
    Role.MELODY: MELODY,
    Role.COUNTER_MELODY: COUNTER,
    Role.BASS: BASS,
    Role.HARMONY: HELD,
    Role.FIGURATION: FIGURE,
    Role.PERCUSSION: DRUMS,
}
_STRUCK = (Pattern.REPEATED, Pattern.TREMOLO, Pattern.ARPEGGIO, Pattern.OSTINATO, Pattern.RUNNING)
PATTERN_NAMES = {
    Pattern.SUSTAINED: "sustained",
    Pattern.REPEATED: "repeated",
    Pattern.ARPEGGIO: "broken chords",
    Pattern.OSTINATO: "ostinato",
    Pattern.TREMOLO: "tremolo",
    Pattern.RUNNING: "runs",
}


def display_groups(analysis: Analysis) -> npt.NDArray[np.int8]:
    """Index into `GROUPS` of every line in every phrase, -1 where it rests."""
    groups = np.full(analysis.roles.shape, -1, np.int8)
    for role, group in _OF_ROLE.items():
        groups[analysis.roles == role] = group
    if analysis.patterns.shape == groups.shape:
        groups[(groups == HELD) & np.isin(analysis.patterns, _STRUCK)] = STRUCK
    return groups


def doubling(analysis: Analysis) -> npt.NDArray[np.bool_]:
    """Which lines double another at the unison or octave, by phrase."""
    if analysis.doubles.shape == analysis.roles.shape:
        return np.asarray(analysis.doubles >= 0, np.bool_)
    return np.zeros(analysis.roles.shape, np.bool_)


def interval_words(semitones: int) -> str:
    """How far a line is from the one it doubles or follows: "an octave below"."""
    if semitones == 0:
        return "in unison"
    octaves, rest = divmod(abs(semitones), 12)
    side = "above" if semitones > 0 else "below"
    if rest == 0:
        count = ("an octave", "two octaves", "three octaves", "four octaves")
        return f"{count[min(octaves, len(count)) - 1]} {side}" if octaves <= len(count) else f"{octaves} octaves {side}"
    names = {1: "seconds", 2: "seconds", 3: "thirds", 4: "thirds", 5: "fourths", 6: "tritones", 7: "fifths"}
    names |= {8: "sixths", 9: "sixths", 10: "sevenths", 11: "sevenths"}
    wide = {3: "tenths", 4: "tenths"} if octaves else {}
    return f"in {wide.get(rest, names[rest])} {side}"
