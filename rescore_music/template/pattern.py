"""Figuration patterns: which note of a chord comes when, and how hard. The language of templates/.../patterns/*.yaml.

A *figure* is a row of tokens that share a span evenly ("1 3 2 3" in two beats: quavers). Tokens:

    .          silence                    -          the step before goes on
    x          the whole chord            u          the chord without its lowest voice
    1 2 3 ..   voices of the chord as it is laid out, from the lowest; beyond the top they go on an octave higher
    -1 -2 ..   from the highest;  1+3  several at once
    R T F S    root, third, fifth, seventh of the harmony, nearest above the note that is played (for basses)
    A          a step towards the next note (for basses)
    ' ,        after a token: an octave higher, lower;   ! ?  stressed, light

A pattern is laid on the bar (`bars`: a figure for a named meter; `groups`: figures for two and three beats and for one
dotted beat, out of which every other meter is built: 5/4 is 3 + 2) or goes round from each new chord on (`cycle`, one
token a `unit`, by number of voices; "up", "down" and "up-down" run through all voices).

Conventions: units quarters, spread seconds, intensity 0..1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from rescore_music.structure import Role

MAX_VOICES = 8  # of a chord that figures tell apart
MAX_TOKENS = 96


class Play(IntEnum):
    """What a token asks for."""

    REST = 0
    HOLD = 1
    ALL = 2
    UPPER = 3
    VOICES = 4
    ROOT = 5
    THIRD = 6
    FIFTH = 7
    SEVENTH = 8
    APPROACH = 9


DEGREES = (Play.ROOT, Play.THIRD, Play.FIFTH, Play.SEVENTH)  # in the order of a chord's tones
_LETTERS = {"x": Play.ALL, "u": Play.UPPER, "R": Play.ROOT, "T": Play.THIRD, "F": Play.FIFTH, "S": Play.SEVENTH}
_LETTERS |= {"A": Play.APPROACH}
_VOICES = r"-?[1-8](?:\+-?[1-8])*"
TOKEN = rf"(?:\.|-|(?:[xuRTFSA]|{_VOICES})[',]*[!?]?)"
FIGURE = rf"^\s*{TOKEN}(?:[\s|]+{TOKEN})*\s*$"  # bar lines are for the eye
DRUM_FIGURE = r"^\s*(?:\.|x[!?]?)(?:[\s|]+(?:\.|x[!?]?))*\s*$"
RUNS = ("up", "down", "up-down")

# names of drums -> General MIDI percussion keys
DRUMS: dict[str, int] = {
    "bass-drum": 35, "kick": 36, "side-stick": 37, "snare": 38, "clap": 39, "low-tom": 41, "mid-tom": 47,
    "high-tom": 50, "closed-hat": 42, "pedal-hat": 44, "open-hat": 46, "crash": 49, "ride": 51, "cymbals": 57,
    "ride-bell": 53, "tambourine": 54, "cowbell": 56, "shaker": 82, "wood-block": 76, "triangle": 81, "taiko": 41,
    "castanets": 85, "sleigh-bells": 83,
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One token of a figure: what is played, octaves higher, stress (1 stressed, -1 light)."""

    play: Play
    voices: tuple[int, ...] = ()  # 1 = lowest, -1 = highest
    octave: int = 0
    stress: int = 0


Figure = tuple[Step, ...]


def parse(text: str, voices: int = MAX_VOICES) -> Figure:
    """A figure from its tokens; `voices` is how many a run ("up") goes through.

    Raises
    ------
    ValueError
        If a token is none of the language's.
    """
    if text in RUNS:
        up = list(range(1, voices + 1))
        order = {"up": up, "down": up[::-1], "up-down": up + up[-2:0:-1]}[text]
        return tuple(Step(Play.VOICES, (voice,)) for voice in order)
    return tuple(_step(word) for word in re.split(r"[\s|]+", text.strip()))


def _step(word: str) -> Step:
    if word in (".", "-"):
        return Step(Play.REST if word == "." else Play.HOLD)
    if re.fullmatch(TOKEN, word) is None:
        raise ValueError(f"'{word}' is no token of a figure")
    core = word.rstrip("!?")
    stress = {"!": 1, "?": -1}.get(word[len(core) :], 0)
    body = core.rstrip("',")
    octave = core.count("'") - core.count(",")
    if body in _LETTERS:
        return Step(_LETTERS[body], (), octave, stress)
    return Step(Play.VOICES, tuple(int(voice) for voice in body.split("+")), octave, stress)


@dataclass(frozen=True)
class DrumLevel:
    """What the drums play from an intensity on: drum key -> figure, by meter, and by group of beats."""

    from_intensity: float = 0.0
    bars: Mapping[tuple[int, int], Mapping[int, Figure]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[int, Figure]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pattern:
    """One way to set a role in motion.

    Attributes
    ----------
    texture : str
        "held" (notes sound on to the next change of harmony), "struck" (chords or single notes in a rhythm), "broken"
        (a chord's voices in turn; a voice alone borrows the analysed harmony's) or "drums".
    roles : tuple of Role
        Which roles it suits.
    cycle : mapping of int to str
        Figure by number of voices; 0 for any other.
    unit : float
        Quarters a step of the cycle, unless the style says otherwise.
    bars : mapping of (numerator, denominator) to Figure
    groups : mapping of "two", "three", "compound" to Figure
    gather : bool
        Chords that the source strikes again and again are one chord before the figure is laid on them.
    tremolo : bool
        Long notes tremble, on instruments that can.
    articulation : str
        Written at each note the figure makes: "", "staccato", "accent", "tenuto".
    spread : float
        Seconds between the strings of a strummed chord, down on a beat, up off it.
    levels : tuple of DrumLevel
        The quietest first.
    fill : DrumLevel or None
        The last bar of a phrase.
    opening : tuple of (int, float) or None
        Drum key struck at the start of a phrase, and the intensity from which on.
    """

    id: str
    title: str = ""
    description: str = ""
    texture: str = "struck"
    roles: tuple[Role, ...] = (Role.HARMONY, Role.FIGURATION)
    cycle: Mapping[int, str] = field(default_factory=dict)
    unit: float = 0.5
    bars: Mapping[tuple[int, int], Figure] = field(default_factory=dict)
    groups: Mapping[str, Figure] = field(default_factory=dict)
    gather: bool = False
    tremolo: bool = False
    articulation: str = ""
    spread: float = 0.0
    levels: tuple[DrumLevel, ...] = ()
    fill: DrumLevel | None = None
    opening: tuple[int, float] | None = None

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The cycle's figure for each number of voices, 1 .. `MAX_VOICES`; empty where the pattern goes by the bar."""
        if not self.cycle:
            return ()
        counts = range(1, MAX_VOICES + 1)
        return tuple(parse(self.cycle.get(n, self.cycle.get(0, "x")), n) for n in counts)


KEEP = Pattern("keep", "As in the source", texture="keep", roles=tuple(Role))
