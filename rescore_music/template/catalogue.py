"""Templates by name, and what is shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rescore_music.template.values import Template


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
    from rescore_music.template.resolving import resolve

    return resolve(name_or_path, overrides or {})


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
    from rescore_music.template.located import read

    def kind(folder: str) -> Mapping[str, About]:
        found = {}
        for path in sorted((templates_dir() / folder).glob("*.yaml")):
            data = read(path).data
            texts = {key: str(data.get(key, "")).strip() for key in ("title", "description")}
            names = {key: data[key] for key in ("forces", "style") if isinstance(data.get(key), str)}
            found[path.stem] = About(texts | names)
        return MappingProxyType(found)

    return Catalogue(kind("forces"), kind("styles"), kind("presets"), kind("patterns"))
