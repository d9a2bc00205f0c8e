"""Template = forces x style: who plays, and how. Its values, and how they are read from YAML with located errors.

A template is named "forces/style" ("symphony/romantic-film"), by a preset's name, or by the path of a file that names
or holds both. The shipped ones are in templates/orchestration; docs/templates.md lists them, docs/template.schema.json
tells what a file may say.
"""

from rescore_music.template.catalogue import About, Catalogue, load_template, recast, templates
from rescore_music.template.values import (
    Doubling,
    Forces,
    Louder,
    RoleStyle,
    Seat,
    SectionWish,
    Style,
    Template,
)

__all__ = [
    "About",
    "Catalogue",
    "Doubling",
    "Forces",
    "Louder",
    "RoleStyle",
    "Seat",
    "SectionWish",
    "Style",
    "Template",
    "load_template",
    "recast",
    "templates",
]
