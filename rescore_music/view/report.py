"""The report page: one self-contained HTML file that tells a musician what became of a cue, and how well.

No script, no request to anywhere: pictures are inline SVG, the style is inline. The same input gives the same bytes;
the seconds that the work took are a block of their own that the caller may leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rescore_music.candidate import Candidate
from rescore_music.errors import RescoreError
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.template import Template
from rescore_music.view import report_blocks as block
from rescore_music.view import solutions
from rescore_music.view.choice import choice
from rescore_music.view.decisions import decisions, rows_of
from rescore_music.view.engraving import engrave
from rescore_music.view.palette import by_origin, by_role
from rescore_music.view.pianoroll import RollScale, piano_roll
from rescore_music.view.report_style import css


class ReportInput(Protocol):
    """What the report tells of: the pipeline's result, or anything of its shape."""

    @property
    def source(self) -> Score:
        """The cue as read."""

    @property
    def music(self) -> Score:
        """What was orchestrated."""

    @property
    def analysis(self) -> Analysis:
        """Of the music."""

    @property
    def template(self) -> Template:
        """Forces and style."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Best first, after the second pass."""

    @property
    def first_order(self) -> tuple[int, ...]:
        """First-pass ranks, in the order of `candidates`."""

    @property
    def chosen(self) -> Candidate:
        """The one that was written."""

    @property
    def score(self) -> Score:
        """The result."""

    @property
    def quality(self) -> Any:
        """Measures: an iterable of name, value, unit, meaning, good, ok, detail."""

    @property
    def second_pass(self) -> Any:
        """What the second pass heard, or None."""

    @property
    def synced(self) -> Any:
        """What syncing did, or None."""

    @property
    def rendering(self) -> Any:
        """The sound, or None."""

    @property
    def decisions(self) -> Any:
        """Who got which line, why, and who was next."""

    @property
    def provenance(self) -> Mapping[str, str]:
        """What decides the bytes."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """What each stage took."""


def report_html(result: ReportInput, *, seconds: bool = True) -> str:
    """Tell a result as HTML.

    Parameters
    ----------
    result : ReportInput
        A pipeline `Result`, or anything of its shape.
    seconds : bool
        Whether to tell what each stage took; without, equal results give equal bytes.

    Returns
    -------
    str, a whole HTML document
    """
    title = result.score.metadata.title or result.source.metadata.title or "Untitled cue"
    template = result.template
    sections = [
        _section("rolls", "Before and after", _rolls(result)),
        _section("page", "The first page", _page(result.score), note="The whole score is in score.musicxml."),
        _section("measures", "How good it is", block.measures(result.quality)),
        _section("casting", "Who plays what", block.casting_table(result), wide=True),
        _section("decisions", "Who got it, and why", decisions(rows_of(result)), wide=True),
        _section("picture", "Hits on picture", _picture(result)) if result.synced is not None else "",
        _section("candidates", "The choice", choice(result, seconds=seconds), wide=True),
        _section("sound", "The sound", block.sound(result.rendering)) if result.rendering is not None else "",
        _section("logs", "What was mended, moved or dropped", block.logs(result), wide=True),
        _section("provenance", "Where it comes from", block.provenance(result.provenance)),
        _section("seconds", "Time taken", block.seconds(result.seconds)) if seconds and result.seconds else "",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{block.text(title)}: re-orchestrated</title>\n<style>{css()}</style>\n</head>\n<body>\n"
        f"<header><h1>{block.text(title)}</h1>\n"
        f'<p class="lead">For {block.text(_lower(template.forces.title))}, {block.text(_lower(template.style.title))}.'
        f" {block.text(template.style.description)}</p>\n{block.facts(result)}</header>\n"
        f'<main class="rescore">\n{"".join(sections)}</main>\n'
        f"<footer>rescore-music {block.text(result.provenance.get('rescore-music', ''))}</footer>\n</body>\n</html>\n"
    )


def _lower(title: str) -> str:
    """A title inside a sentence."""
    return title[:1].lower() + title[1:]


def _section(name: str, title: str, body: str, *, note: str = "", wide: bool = False) -> str:
    more = f'<p class="note">{block.text(note)}</p>' if note else ""
    kind = ' class="long"' if wide else ""
    head = f'<h2 id="{name}-h">{title}</h2>'
    return f'<section id="{name}"{kind} aria-labelledby="{name}-h">{head}\n{body}{more}</section>\n'


def rolls(result: ReportInput) -> tuple[str, str]:
    """Piano rolls of the source and of the result on shared scales, coloured by role.

    Returns
    -------
    (before, after), SVG elements
    """
    before = result.music
    scale = RollScale.of(before, result.score)
    colours = by_origin(before, result.analysis, result.chosen.origin)
    return (
        piano_roll(before, by_role(before, result.analysis), analysis=result.analysis, scale=scale, title="Source"),
        piano_roll(result.score, colours, analysis=result.analysis, scale=scale, title="Result"),
    )


def _rolls(result: ReportInput) -> str:
    before, after = rolls(result)
    return (
        "<p>Every note, coloured by what it does; louder notes are stronger. Letters name the phrases: equal letters,"
        " equal music. Both pictures share their scales.</p>"
        f"<h3>The cue as it came</h3>{before}<h3>Re-orchestrated</h3>{after}"
    )


def _picture(result: ReportInput) -> str:
    """The curve, three ways to meet the hits, the hits, what changed for them, and what else was found."""
    told = (solutions.ways(result.synced), block.hits(result.synced), solutions.changes(result.synced))
    return block.curve(result) + "".join(told) + solutions.others(result.synced)


def _page(score: Score) -> str:
    try:
        return f'<div class="sheet">{engrave(score)}</div>'
    except RescoreError as error:
        return f"<p>{block.text(error.what)}</p>"
