"""An earlier result as the start of another: the same cue and wishes for other forces or in another style.

A folder that `rescore` wrote tells in report.json which cue it was made from, of which bytes, and what was asked for.
The cue is looked for where it was, then beside the folder; a file that has changed since is not taken for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rescore_music.delivery import REPORT
from rescore_music.errors import ReadError, RescoreError
from rescore_music.score import Score
from rescore_music.structure import Role
from rescore_music.template import SectionWish, Template, load_template

_CURE = "give a folder that rescore wrote, or a cue"


@dataclass(frozen=True, eq=False)
class Earlier:
    """What a folder was made from: the cue as read now, where it is, the template with its wishes, and whether hits on
    picture had moved its tempo (their list is not kept).
    """

    cue: Score
    path: Path
    template: Template
    synced: bool


def read_earlier(folder: str | Path, *, template: str | Template | None = None, salvage: bool = False) -> Earlier:
    """Read the request that a folder answers.

    Parameters
    ----------
    folder : path
        With report.json in it.
    template : str or Template, optional
        Instead of the earlier one; the wishes for bars and kept parts stay.
    salvage : bool
        As in `read_score`.

    Raises
    ------
    ReadError
        If it is no such folder, or the cue is not to be found or has changed.
    TemplateError
        If the earlier template is not there any more.
    """
    path = Path(folder) / REPORT
    from rescore_music.io import read_bytes

    try:
        told = json.loads(read_bytes(path))
        provenance, request = told["provenance"], told["request"]
        sections = tuple(_wish(row) for row in request["sections"])
        keep = tuple(str(word) for word in request["keep"])
        name, digest = str(provenance["template"]), str(provenance["source_digest"])
        places = _places(Path(folder), str(request["cue"]), str(provenance["source"]))
        synced = bool(provenance.get("cues_digest"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReadError("this is no report of an orchestration", file=path, cure=_CURE) from error
    found = _cue(places, digest, path, salvage)
    # a file's own wishes stand in the report too
    asked = replace(load_template(name if template is None else template), sections=sections, keep=keep)
    return Earlier(*found, asked, synced)


def _wish(row: Mapping[str, Any]) -> SectionWish:
    """A wish as the report holds it. Its players need not be among these forces: the log tells what cannot be met."""
    first, _, last = str(row["bars"]).partition("-")
    role = Role[str(row["role"]).upper().replace("-", "_")]
    return SectionWish(int(first), int(last), role, tuple(str(word) for word in row["give"]))


def _places(folder: Path, path: str, name: str) -> list[Path]:
    beside = [folder / name, folder.resolve().parent / name, Path(name)] if name else []
    return [Path(path)] * bool(path) + beside


def _cue(places: list[Path], digest: str, report: Path, salvage: bool) -> tuple[Score, Path]:
    """The cue of these bytes at the first place that has it."""
    from rescore_music.io import read_score

    changed: Path | None = None
    for place in places:
        if not place.is_file():
            continue
        try:
            score = read_score(place, salvage=salvage)
        except RescoreError:
            changed = changed or place
            continue
        if digest in (score.metadata.source_digest, score.digest()):
            return score, place
        changed = changed or place
    name = places[0].name if places else "its cue"
    if changed is not None:
        raise ReadError(f"{changed} has changed since", file=report, cure="give the cue itself, with --template")
    raise ReadError(f"{name} is not where it was", file=report, cure="give the cue itself, with --template")
