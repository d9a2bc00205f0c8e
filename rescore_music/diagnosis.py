"""What `rescore-music doctor` checks: each check is one small function that returns what it found or raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One finding: what was checked, whether it is well, and the detail."""

    name: str
    ok: bool
    detail: str


def checks() -> tuple[Check, ...]:
    """Check packages, templates, samples, sounds, engraving and the page."""
    return tuple(_run(name, check) for name, check in _CHECKS.items())


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except Exception as error:  # a doctor must survive any illness to tell the next one
        log.debug("check %s failed", name, exc_info=True)
        return Check(name, False, f"{type(error).__name__}: {error}")


def _packages() -> str:
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    needed = [r for r in map(Requirement, requires("rescore-music") or []) if not r.marker]
    wrong = [f"{r.name} {version(r.name)} (needs {r.specifier})" for r in needed if version(r.name) not in r.specifier]
    if wrong:
        raise RuntimeError(f"outdated: {', '.join(wrong)}")
    return f"{len(needed)} required packages present"


def _templates() -> str:
    from rescore_music.template import load_template, templates

    found = templates()
    for forces in found.forces:
        for style in found.styles:
            load_template(f"{forces}/{style}")
    for preset in found.presets:
        load_template(preset)
    return f"{len(found.forces)} forces x {len(found.styles)} styles, {len(found.presets)} presets, all valid"


def _samples() -> str:
    from rescore_music.io import read_score, suffixes
    from rescore_music.resources import samples_dir

    cues = [p for p in sorted(samples_dir().iterdir()) if p.suffix in suffixes()]
    notes = [len(read_score(p).notes) for p in cues]
    if not cues or not all(notes):
        raise RuntimeError(f"no readable cue in {samples_dir()}")
    return f"{len(cues)} cues, {sum(notes)} notes"


def _sounds() -> str:
    import numpy as np

    from rescore_music.rendering import render
    from rescore_music.score import Part, Score, note_rows

    rendering = render(Score(notes=note_rows([(0, 240, 60, 80, 0)]), parts=(Part("piano"),)))
    peak = float(np.abs(rendering.mix).max())
    if not peak > 0:
        raise RuntimeError("a piano note is silent")
    return rendering.backend


def _engraving() -> str:
    from rescore_music.score import Part, Score, note_rows
    from rescore_music.view.engraving import engrave

    svg = engrave(Score(notes=note_rows([(0, 1920, 60, 80, 0)]), parts=(Part("piano"),)))
    if "<svg" not in svg:
        raise RuntimeError("verovio engraved nothing")
    return "verovio engraves"


def _page() -> str:
    from importlib.metadata import version

    from rescore_music.resources import app_file

    if not app_file().is_file():
        raise RuntimeError("app.py is missing")
    return f"streamlit {version('streamlit')}"


_CHECKS: dict[str, Callable[[], str]] = {
    "packages": _packages,
    "templates": _templates,
    "samples": _samples,
    "sounds": _sounds,
    "engraving": _engraving,
    "page": _page,
}
