"""What a template is, as frozen values: seats, forces, roles, styles.

Conventions: pitches sounding, levels and dynamics dB, registers octaves, pan -1 (left) .. 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rescore_music.instruments import Instrument
from rescore_music.structure import Role
from rescore_music.template.pattern import Pattern


@dataclass(frozen=True)
class Seat:
    """One staff group of the score: an instrument and who plays it.

    `players` share the seat (a section of 16 first violins, one flute). `divisi` is how many different notes the seat
    may sound at once: 1 for a solo wind, 2 or 3 for a string section that may divide, the instrument's polyphony for
    a keyboard or harp. `pan` is -1 (left) .. 1, `gain` dB. `program`/`bank` override the table's sound.
    """

    id: str
    instrument: Instrument
    name: str
    abbreviation: str
    players: int = 1
    divisi: int = 1
    pan: float = 0.0
    gain: float = 0.0
    program: int | None = None
    bank: int | None = None
    lowest: int | None = None  # narrower than the instrument's own range, e.g. by hardware
    highest: int | None = None

    @property
    def low(self) -> int:
        """Lowest sounding pitch this seat may play."""
        return self.instrument.lowest if self.lowest is None else max(self.lowest, self.instrument.lowest)

    @property
    def high(self) -> int:
        """Highest sounding pitch this seat may play."""
        return self.instrument.highest if self.highest is None else min(self.highest, self.instrument.highest)


@dataclass(frozen=True)
class Forces:
    """Who plays. Seats are in score order."""

    id: str
    title: str
    description: str
    seats: tuple[Seat, ...]


@dataclass(frozen=True)
class Doubling:
    """A style's wish: reinforce a role at `interval` semitones (0, 12, -12) on seats of these families or
    instruments, with this eagerness (0..1), once the phrase's intensity (0..1) reaches `from_intensity`.
    """

    interval: int = 0
    prefer: tuple[str, ...] = ()
    weight: float = 0.5
    from_intensity: float = 0.0


@dataclass(frozen=True)
class Louder:
    """Another pattern once the phrase's intensity (0..1) reaches `from_intensity`."""

    from_intensity: float
    pattern: str
    pattern_unit: float | None = None


@dataclass(frozen=True)
class RoleStyle:
    """How a style treats one role.

    `prefer` maps a family name, an instrument id, the first word of several ids ("trumpet") or a seat id to a wish from
    -1 (avoid) to 1 (seek); the most particular counts. `register` is the wished octave shift of the line.
    `articulation` is "", "legato", "staccato", "tenuto", "accent", "marcato", "pizzicato", "tremolo" or "spiccato":
    used where the source says nothing. `dynamics` is dB relative to the melody's level in the source.
    `pattern` names a figuration: "keep" (as in the source), a shipped one or one of the style's own; `louder` names
    others from an intensity on, the quietest first. `duration` scales note lengths (0.5 = detached).
    """

    prefer: Mapping[str, float] = field(default_factory=dict)
    register: int = 0
    articulation: str = ""
    dynamics: float = 0.0
    pattern: str = "keep"
    pattern_unit: float | None = None  # quarters a step, for patterns that go round; None: the pattern's own
    duration: float = 1.0
    doublings: tuple[Doubling, ...] = ()
    louder: tuple[Louder, ...] = ()


@dataclass(frozen=True)
class Style:
    """How they play.

    `weights` multiply the first pass's named costs; `targets` are the second pass's wishes (e.g. "brightness" as the
    spectral centroid in Hz, "melody_margin" in dB); `percussion` is "keep", "drop" or "light"; `contrast` (0..1) is
    the wish to change colours between differently labelled phrases, `density` (0..1) how many seats play at full
    intensity; `dynamics_span` scales the source's dynamic range; `swing` is where in the beat the second of two even
    quavers falls (0.5 = straight); `ornaments` are "cadential-trill" and "grace-notes"; `patterns` holds every pattern
    that the roles name, shipped or the style's own.
    """

    id: str
    title: str
    description: str
    roles: Mapping[Role, RoleStyle]
    weights: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    percussion: str = "keep"
    contrast: float = 0.5
    density: float = 0.7
    dynamics_span: float = 1.0
    swing: float = 0.5
    ornaments: tuple[str, ...] = ()
    patterns: Mapping[str, Pattern] = field(default_factory=dict)


@dataclass(frozen=True)
class SectionWish:
    """What is asked for in some bars of one cue: that these seats have this role.

    `first` and `last` are printed bar numbers (an upbeat is 0), both included; `give` names families, instruments or
    seats.
    """

    first: int
    last: int
    role: Role
    give: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """One of each, with a preset's overrides applied. `name` is "forces/style" or the preset's name; `keep` names parts
    of the source that stay as they are.
    """

    name: str
    forces: Forces
    style: Style
    source: str = ""
    sections: tuple[SectionWish, ...] = ()
    keep: tuple[str, ...] = ()
