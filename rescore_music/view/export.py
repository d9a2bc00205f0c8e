"""Scores and parts as printed pages: PDF, PNG and SVG, and the door through which every score is written.

`write_score` takes the suffixes of the formats (MIDI, MusicXML) and those of pages. A PNG or SVG holds one page: page 1
goes to the name given, page n beside it as name-n. The same score gives the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.errors import WriteError
from rescore_music.io import atomic_write
from rescore_music.io import write_score as write_format
from rescore_music.score import Score
from rescore_music.view.engraving import engraved
from rescore_music.view.labels import with_labels
from rescore_music.view.paper import Paper
from rescore_music.view.paper import paper as paper_for
from rescore_music.view.parts import concert_pitch, part_of
from rescore_music.view.typesetting import typeset

if TYPE_CHECKING:
    from rescore_music.io.midi.sound_map import SoundMap

PAGES = (".pdf", ".png", ".svg")
_UNFIT = re.compile(r"[^\w.♭♯-]+")  # for a file's name


def write_score(
    score: Score,
    path: str | Path,
    *,
    concert: bool = False,
    paper: str = "",
    ppi: float = 150.0,
    sound_map: SoundMap | str | Path | None = None,
) -> Path:
    """Write a score as the suffix says: .mid .midi, .musicxml .xml .mxl, or pages: .pdf, .png, .svg.

    Parameters
    ----------
    score : Score
    path : path
    concert : bool
        Written as it sounds, save for instruments that transpose by octaves.
    paper : str
        For pages: "a4", "a3", "letter", "tabloid", with " landscape" where it lies; "" chooses by the staves.
    ppi : float
        Pixels an inch of a PNG.
    sound_map : SoundMap, str or path, optional
        For MIDI: how a sound library is told of articulations, by name or from a YAML file.

    Returns
    -------
    path
        What was written; of several pages in files of their own the first.

    Raises
    ------
    WriteError
        If the suffix names no format that can be written, there is no such paper, or the file cannot be written.
    RenderError
        If the score cannot be engraved.
    """
    path = Path(path)
    if concert:
        score = concert_pitch(score)
    if path.suffix.lower() in PAGES:
        transposed = any(part.transposition % 12 for part in score.parts)
        corner = "Score in C" if concert else "Transposed score" if transposed else ""
        return _write_pages(score, path, paper_for(_staves(score), paper), corner, ppi, player=False)
    try:
        return write_format(score, path, sound_map=sound_map)
    except WriteError as error:
        if "cannot be written as" not in error.what:
            raise
        raise WriteError(error.what, file=path, cure="write .mid, .musicxml, .mxl, .pdf, .png or .svg") from error


def write_parts(
    score: Score, folder: str | Path, *, suffix: str = ".pdf", paper: str = "a4", ppi: float = 150.0
) -> list[Path]:
    """Write each player's part: transposed, empty bars counted together, the title over it.

    Parameters
    ----------
    score : Score
    folder : path
        Made if it is not there.
    suffix : str
        ".pdf", ".png", ".svg", ".musicxml", ".mxl" or ".mid".
    paper, ppi
        As for `write_score`.

    Returns
    -------
    list of path
        In score order, each named by its number and part: "03-Clarinets-in-B♭.pdf".

    Raises
    ------
    WriteError
        If the folder or a file cannot be written, or there is no such paper or format.
    RenderError
        If a part cannot be engraved.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write into this folder: {error.strerror or error}", file=folder) from error
    out = []
    for number, part in enumerate(score.parts):
        name = part.name or f"Part {number + 1}"
        path = folder / f"{number + 1:02d}-{_UNFIT.sub('-', name).strip('-.') or 'part'}{suffix}"
        own = part_of(score, number)
        if suffix.lower() in PAGES:
            out.append(_write_pages(own, path, paper_for(_staves(own), paper), name, ppi, player=True))
        else:
            out.append(write_score(own, path))
    return out


def _write_pages(score: Score, path: Path, page: Paper, corner: str, ppi: float, *, player: bool) -> Path:
    title = score.metadata.title or (corner if player else "")
    headed = with_labels(score.replace(metadata=replace(score.metadata, title=title)))
    drawn = engraved(headed, page, part=player)
    kind = path.suffix.lower()
    if kind == ".svg":
        made = [svg.encode() for svg in drawn]
    else:
        head = " · ".join(text for text in (score.metadata.title, corner if player else "") if text)
        made = typeset(drawn, page, kind[1:], corner=corner if corner != title else "", name=head, ppi=ppi)
    for number, data in enumerate(made, 1):
        atomic_write(path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}"), data)
    return path


def _staves(score: Score) -> int:
    return sum(max(part.staves, 1) for part in score.parts)
