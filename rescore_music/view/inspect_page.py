"""The inspect page: one self-contained HTML file in which a composer reads a cue and what analysis hears in it.

A piano roll on a ruler of bars and time, coloured by role, with form, keys, chords, cadences, motifs, dynamics,
intensity, tempo and the picture's hits in lanes that move with it; who does what in each phrase; a summary in words;
what the import mended. The roll is drawn by the script beside this module from data inside the page. Nothing is
fetched: a content security policy in the page forbids it. The same score gives the same bytes.
"""

from __future__ import annotations

from importlib.resources import files

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.view import inspect_tables as block
from rescore_music.view.inspect_data import page_data, script_json
from rescore_music.view.inspect_roles import GROUPS
from rescore_music.view.inspect_words import summary
from rescore_music.view.report_style import css

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
SCRIPTS = ("inspect_model.js", "inspect_draw.js", "inspect_lanes.js", "inspect_page.js")


def inspect_page(score: Score, analysis: Analysis, *, cues: Cues | None = None) -> str:
    """A cue and its analysis as one HTML document.

    Parameters
    ----------
    score : Score
    analysis : Analysis
        Of this score.
    cues : Cues, optional
        Hits, spans and cuts of the picture, drawn where the score's tempo map puts them.

    Returns
    -------
    str, a whole HTML document; about 20 bytes a note
    """
    from rescore_music import __version__

    title = score.metadata.title or score.metadata.source or "Untitled cue"
    movement = dict(score.metadata.extra).get("movement-title", "")
    names = [name for name in (score.metadata.composer, movement) if name and name != title]
    by = f'<p class="lead">{block.safe(" · ".join(names))}</p>' if names else ""
    told = "".join(f"<li>{block.safe(sentence)}</li>" for sentence in summary(score, analysis))
    key = f'<div class="paper">{block.key_of_groups()}</div>'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{block.safe(title)}: inspected</title>\n<style>{css()}{_style()}</style>\n</head>\n<body>\n"
        f"<header><h1>{block.safe(title)}</h1>{by}{block.facts(score, analysis, cues)}</header>\n"
        f'<main class="rescore">\n<section id="words" aria-label="Summary"><ul class="words">{told}</ul></section>\n'
        f"{_section('roll', 'The music', key + _ROLL)}"
        f"{_section('roles', 'Who does what', block.matrix(score, analysis))}"
        f"{_section('lists', 'Keys, form, cadences, motifs', block.harmony_lists(score, analysis))}"
        f"{_section('parts', 'Parts', block.parts_table(score, analysis))}"
        f"{_section('mended', 'What the import mended', block.mended(score))}"
        f"{_section('provenance', 'Where it comes from', block.provenance(score, __version__))}"
        f"</main>\n<footer>rescore-music {__version__}</footer>\n"
        f'<script type="application/json" id="cue">{script_json(page_data(score, analysis, cues))}</script>\n'
        f"<script>{_script()}</script>\n</body>\n</html>\n"
    )


_ROLL = """<noscript><p>The piano roll needs JavaScript; everything below does not.</p></noscript>
<div class="tools" id="tools"></div>
<canvas id="map" role="img" aria-label="The whole cue in small; drag to move"></canvas>
<div id="field" tabindex="0" role="application" aria-label="Piano roll; arrow keys move, plus and minus zoom">
<div id="wide"><canvas id="view" role="img"></canvas></div></div>
<div id="tip" hidden></div><div id="print"></div>
<p class="note">Drag or scroll to move, hold Ctrl and turn the wheel to zoom, point at anything to read it. Click a
role or a part to hide it, double-click to see it alone. Outlined notes double another part.</p>
"""


def _section(name: str, title: str, body: str) -> str:
    head = f'<section id="{name}" class="long" aria-labelledby="{name}-h"><h2 id="{name}-h">{title}</h2>'
    return f"{head}\n{body}</section>\n"


def _style() -> str:
    colours = "".join(f".rescore .g{i}{{--c:{group.colour}}}" for i, group in enumerate(GROUPS))
    return "".join(line.strip() for line in _file("inspect_page.css").splitlines()) + colours


def _script() -> str:
    return "\n".join(_file(name) for name in SCRIPTS)


def _file(name: str) -> str:
    return files("rescore_music.view").joinpath(name).read_text(encoding="utf-8")
