"""Parts of the source that are kept as they are: nobody else plays them, and they stand in the result note for note."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Realization
from rescore_music.errors import TemplateError
from rescore_music.instruments import near
from rescore_music.score import LogItem, Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Template

Ints = npt.NDArray[np.int64]


def kept_parts(score: Score, template: Template) -> Ints:
    """Which parts of the source the template keeps, by name or by number from 1.

    Raises
    ------
    TemplateError
        If the cue has no such part.
    """
    file = template.source or template.name
    names = [part.name.casefold() for part in score.parts]
    out: set[int] = set()
    for word in template.keep:
        found = [i for i, name in enumerate(names) if name == word.casefold() or str(i + 1) == word]
        if not found:
            cure = near(word, [part.name for part in score.parts if part.name]) or f"a number from 1 to {len(names)}"
            raise TemplateError(f"the cue has no part '{word}' to keep", file=file, cure=cure)
        out.update(found)
    if out and len(out) == len(score.parts):
        raise TemplateError("every part is kept: there is nothing to orchestrate", file=file, cure="keep fewer")
    return np.array(sorted(out), np.int64)


def without_kept(analysis: Analysis, kept: Ints) -> Analysis:
    """The analysis with the kept parts' lines at rest: there is nothing to give away."""
    if not len(kept):
        return analysis
    mine = np.isin([line.part for line in analysis.lines], kept)
    roles = np.where(mine[:, None], np.int8(Role.REST), analysis.roles).astype(np.int8)
    return replace(analysis, roles=roles)


def with_kept(made: Realization, score: Score, kept: Ints) -> Realization:
    """The orchestration with the kept parts below it, their controllers, programs and marks with them."""
    if not len(kept):
        return made
    index = np.flatnonzero(np.isin(score.notes["part"], kept))
    own = score.slice(0, max(score.length, 1), parts=kept.tolist())
    own = own.replace(import_log=(), notes=_renumbered(score, index, kept))
    joined = made.score.merged(own)
    notes = np.concatenate([made.score.notes, own.notes])
    part = notes["part"].astype(np.int64)
    part[len(made.score.notes) :] += len(made.score.parts)
    order = np.lexsort((notes["pitch"], part, notes["onset"]))  # as the score sorts its notes
    origin = np.concatenate([made.origin, index])[order]
    told = tuple(
        LogItem(score.parts[k].name or f"part {k + 1}", "kept as it is", int((score.notes["part"] == k).sum()))
        for k in kept.tolist()
    )
    return Realization(joined, origin, (*made.log, *told))


def _renumbered(score: Score, index: Ints, kept: Ints) -> npt.NDArray[np.void]:
    """The kept notes whole (a slice would cut one that outlasts the last bar), parts numbered anew."""
    notes = score.notes[index].copy()
    notes["part"] = np.searchsorted(kept, notes["part"])
    return notes
