"""Colours and names of what the pictures show: one colour a role, one a part, told apart by colour-blind eyes too.

The roles' colours are Okabe and Ito's palette, which keeps its contrast on white and on near black.

References
----------
Okabe, M. and Ito, K. (2008), "Color Universal Design", jfly.uni-koeln.de/color.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

ROLE_COLOURS = {
    Role.MELODY: "#d55e00",
    Role.COUNTER_MELODY: "#cc79a7",
    Role.BASS: "#0072b2",
    Role.HARMONY: "#009e73",
    Role.FIGURATION: "#e69f00",
    Role.PERCUSSION: "#8a8a8a",
}
ROLE_NAMES = {role: role.name.capitalize().replace("_", "-").replace("-M", "-m") for role in Role}
REPEATED_COLOUR = "#6bc9a8"  # harmony that is struck again: the held one's hue, lighter
ADDED_COLOUR = "#56b4e9"
ADDED_NAME = "Added by the style"


@dataclass(frozen=True, eq=False)
class Colouring:
    """Which colour each note has.

    Attributes
    ----------
    groups : int array, one a note
        Index into `names` and `colours`.
    names, colours : tuple of str
    """

    groups: npt.NDArray[np.int64]
    names: tuple[str, ...]
    colours: tuple[str, ...]


def by_role(score: Score, analysis: Analysis) -> Colouring:
    """Colour a source's notes by the role that its analysis gives them."""
    return _roles(analysis.note_roles(score.notes["onset"]))


def by_origin(source: Score, analysis: Analysis, origin: npt.NDArray[np.int64]) -> Colouring:
    """Colour an orchestration's notes by the role of the source note that each realizes.

    Parameters
    ----------
    source : Score
    analysis : Analysis
        Of the source.
    origin : int array, one a note of the orchestration
        Index of the source note, -1 for notes the style added.
    """
    roles = analysis.note_roles(source.notes["onset"])
    if not len(roles):
        return _roles(np.full(len(origin), len(ROLE_COLOURS), np.int64))
    return _roles(np.where(origin >= 0, roles[np.maximum(origin, 0)], len(ROLE_COLOURS)))


def by_part(score: Score) -> Colouring:
    """Colour notes by part, hues spread evenly in score order."""
    count = max(len(score.parts), 1)
    colours = tuple(f"hsl({round(360 * i / count)},60%,{48 if i % 2 else 40}%)" for i in range(count))
    names = tuple(p.name or f"Part {i + 1}" for i, p in enumerate(score.parts)) or ("",)
    return Colouring(score.notes["part"].astype(np.int64), names, colours)


def _roles(roles: npt.ArrayLike) -> Colouring:
    names = (*(ROLE_NAMES[role] for role in ROLE_COLOURS), ADDED_NAME)
    groups = np.clip(np.asarray(roles, np.int64), 0, len(ROLE_COLOURS))
    return Colouring(groups, names, (*ROLE_COLOURS.values(), ADDED_COLOUR))
