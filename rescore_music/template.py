"""Template = forces x style: who plays, and how. Read from YAML, validated with located errors.

A template is named "forces/style" ("symphony/romantic-film"), by a preset's name, or by the path of a file that names
or holds both. The shipped ones are in templates/orchestration; docs/templates.md lists them, docs/template.schema.json
tells what a file may say. Conventions: pitches sounding, levels and dynamics dB, registers octaves, pan -1 (left) .. 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rescore_music.instruments import Instrument
from rescore_music.structure import Role
from rescore_music.template_pattern import Pattern


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

    `first` and `last` are bar numbers from 1, both included; `give` names families, instruments or seats.
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


@dataclass(frozen=True)
class Catalogue:
    """What is shipped: id -> `About` of the forces, styles, presets and patterns, in alphabetical order."""

    forces: Mapping[str, About]
    styles: Mapping[str, About]
    presets: Mapping[str, About]
    patterns: Mapping[str, About] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Every "forces/style" pair."""
        return tuple(f"{forces}/{style}" for forces in self.forces for style in self.styles)


class About(dict[str, str]):
    """Title and description of a catalogue entry; a dict, so that it prints as JSON."""

    @property
    def title(self) -> str:
        """Name for people."""
        return self["title"]

    @property
    def description(self) -> str:
        """What makes it so."""
        return self["description"]


def load_template(name_or_path: str | Path | Template, overrides: Mapping[str, Any] | None = None) -> Template:
    """A template by name or path.

    Parameters
    ----------
    name_or_path : str, path or Template
        "forces/style" (either may be a preset's name: "swing/march" is the swing band playing a march), a preset's
        name, or the path of a YAML file that holds or names both; a Template is returned as it is, or read again by
        its name where there are overrides.
    overrides : mapping, optional
        Changes in the shape of a preset's `overrides`: {"style": {"density": 0.9}}, {"forces": {"seats": {"tuba":
        None}}}; dotted keys ("style.density") do as well.

    Raises
    ------
    TemplateError
        If it is unknown or says something it may not: file, line, column, key and cure.
    """
    if isinstance(name_or_path, Template):
        if overrides:
            return load_template(name_or_path.name, overrides)
        return name_or_path
    from rescore_music.template_file import resolve

    return resolve(name_or_path, overrides or {})


template = load_template


def recast(given: Template, *, forces: str = "", style: str = "") -> Template:
    """The same style with other forces, the same forces in another style; what was asked for in some bars stays.

    Parameters
    ----------
    given : Template
    forces, style : str
        An id, or a preset whose forces or style are meant; "" leaves it as it is.

    Returns
    -------
    Template
        Named by both ("swing/march"), so that it can be loaded again by its name.

    Raises
    ------
    TemplateError
        If there are no such forces or style.
    """
    if not forces and not style:
        return given
    before, slash, after = given.name.rpartition("/")
    if not slash or given.name.casefold().endswith((".yaml", ".yml")):
        before = after = given.name  # a preset, or a file that names both
    shipped = templates()
    who = load_template(f"{forces}/{next(iter(shipped.styles))}").forces if forces else given.forces
    how = load_template(f"{next(iter(shipped.forces))}/{style}").style if style else given.style
    return replace(given, name=f"{forces or before}/{style or after}", forces=who, style=how)


def templates() -> Catalogue:
    """All shipped forces, styles, presets and patterns.

    Raises
    ------
    TemplateError
        If a shipped file cannot be read.
    """
    from rescore_music.resources import templates_dir
    from rescore_music.template_yaml import read

    def kind(folder: str) -> Mapping[str, About]:
        found = {}
        for path in sorted((templates_dir() / folder).glob("*.yaml")):
            data = read(path).data
            texts = {key: str(data.get(key, "")).strip() for key in ("title", "description")}
            names = {key: data[key] for key in ("forces", "style") if isinstance(data.get(key), str)}
            found[path.stem] = About(texts | names)
        return MappingProxyType(found)

    return Catalogue(kind("forces"), kind("styles"), kind("presets"), kind("patterns"))
