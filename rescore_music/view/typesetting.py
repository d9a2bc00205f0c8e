"""Engraved pages as PDF and PNG, through typst: vectors and embedded text, no system library.

The engraver's SVG places text in nested spans and takes its music symbols inside text (the note of a metronome mark)
from a font that only browsers load. So text is rewritten flat, and those symbols are drawn into a small font of their
own from the outlines that the engraver ships. Letters are STIX (which has the widths of Times that the engraver
reckons with); fonts of the system are asked only for characters that it lacks. The same pages give the same bytes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rescore_music.errors import MissingExtra, WriteError
from rescore_music.view.paper import MARGIN, Paper

if TYPE_CHECKING:
    from lxml.etree import _Element

MUSIC_FONT = "Leipzig"  # the engraver's own
SYMBOLS = "Music Symbols"
LETTERS = "STIXGeneral"
_SVG = "{http://www.w3.org/2000/svg}"
_EPOCH = 2082844800  # 1970 as fonts count seconds
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_INHERITED = ("font-family", "font-size", "font-style", "font-weight")
_STYLED = {  # what the engraver says in a style sheet by class
    "ending": ("font-weight", "bold"), "fing": ("font-weight", "bold"), "reh": ("font-weight", "bold"),
    "tempo": ("font-weight", "bold"), "dir": ("font-style", "italic"), "dynam": ("font-style", "italic"),
    "mNum": ("font-style", "italic"), "label": ("font-weight", "normal"),
}  # fmt: skip


def typeset(
    pages: Sequence[str], paper: Paper, kind: str, *, corner: str = "", name: str = "", ppi: float = 150.0
) -> list[bytes]:
    """Set engraved pages on paper.

    Parameters
    ----------
    pages : sequence of str
        SVG of whole pages.
    paper : Paper
    kind : str
        "pdf" or "png".
    corner : str
        What stands at the top left of the first page: the player, or what kind of score it is.
    name : str
        The running head of all pages but the first, beside their number.
    ppi : float
        Pixels an inch of a PNG.

    Returns
    -------
    list of bytes
        One document, or one image a page.

    Raises
    ------
    MissingExtra
        If typst is not installed.
    WriteError
        If it refuses the pages.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingExtra("pages cannot be set without the package typst", cure="pip install typst") from error
    drawn = [printable(page, head=not i) for i, page in enumerate(pages)]
    with tempfile.TemporaryDirectory(prefix="rescore-pages-") as folder:
        place = Path(folder)
        (place / "symbols.otf").write_bytes(_symbols(frozenset(_PRIVATE.findall("".join(drawn)))))
        for i, page in enumerate(drawn):
            (place / f"{i + 1}.svg").write_text(page, encoding="utf-8")
        (place / "pages.typ").write_text(_document(len(drawn), paper, corner, name), encoding="utf-8")
        for font in _letters():  # their folder holds a font of last resort too, which draws boxes
            shutil.copyfile(font, place / font.name)
        try:
            made: bytes | list[bytes] = typst.compile(
                str(place / "pages.typ"),
                root=folder,
                font_paths=[folder],
                ignore_system_fonts=not _foreign("".join([*drawn, corner, name])),
                format="png" if kind == "png" else "pdf",
                ppi=ppi if kind == "png" else None,
                timestamp=0,
            )
        except RuntimeError as error:
            raise WriteError(f"the pages cannot be set: {error}") from error
    return list(made) if isinstance(made, list) else [made]


def _document(count: int, paper: Paper, corner: str, name: str) -> str:
    """The typst source: one image a page, from the second on a running head with the page's number."""
    lines = [
        f"#set page(width: {paper.width}mm, height: {paper.height}mm, margin: 0mm)",
        f'#set text(font: ("{LETTERS}", "Libertinus Serif"), size: 9pt)',
    ]
    for i in range(count):
        if i:
            lines.append(
                f"#pagebreak()\n#place(top + center, dy: {MARGIN - 6}mm, [{i + 1}])\n"
                f'#place(top + left, dx: {MARGIN}mm, dy: {MARGIN - 6}mm, text(style: "italic", {_quoted(name)}))'
            )
        elif corner:
            text = f"text(size: {round(paper.staff * 1.6, 1)}pt, {_quoted(corner)})"
            lines.append(f"#place(top + left, dx: {MARGIN}mm, dy: {MARGIN}mm, {text})")
        lines.append(f'#place(top + left, image("{i + 1}.svg", width: {paper.width}mm, height: {paper.height}mm))')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -- text --------------------------------------------------------------------------------------------------------------


def printable(svg: str, *, head: bool = True) -> str:
    """An engraved page with its text flat: one `text` for each placed run, its style said on the spot.

    Without `head` the page number that the engraver puts above the music is taken away.
    """
    from lxml import etree

    root = etree.fromstring(svg.encode())
    if not head:
        for group in [g for g in root.iter(f"{_SVG}g") if (g.get("class") or "").startswith("pgHead")]:
            group.getparent().remove(group)  # type: ignore[union-attr]
    for text in list(root.iter(f"{_SVG}text")):
        style = {"font-family": LETTERS}
        for above in reversed(list(text.iterancestors())):
            for word in (above.get("class") or "").split():
                if word in _STYLED:
                    style.update([_STYLED[word]])
        runs: list[tuple[dict[str, str], list[tuple[dict[str, str], str]]]] = []
        _runs(text, style, {}, runs)
        parent = text.getparent()
        if parent is None:
            continue
        at = parent.index(text)
        parent.remove(text)
        for where, spans in reversed(runs):
            parent.insert(at, _text(where, spans))
    return etree.tostring(root, encoding="unicode")


def _runs(
    element: _Element,
    style: dict[str, str],
    where: dict[str, str],
    runs: list[tuple[dict[str, str], list[tuple[dict[str, str], str]]]],
) -> None:
    """Gather the placed runs of text below an element: where each stands, and its spans with their style."""
    style = {**style, **{key: element.get(key, "") for key in _INHERITED if element.get(key)}}
    where = {**where, **({"text-anchor": element.get("text-anchor", "")} if element.get("text-anchor") else {})}
    if element.get("x") is not None:
        where = {**where, "x": element.get("x", ""), "y": element.get("y", where.get("y", "0"))}
        runs.append((where, []))
    if element.text and element.text.strip("\n\t ") and runs:
        family = SYMBOLS if MUSIC_FONT in style["font-family"] else LETTERS
        runs[-1][1].append(({**style, "font-family": family}, element.text))
    for child in element:
        if child.tag == f"{_SVG}tspan":
            _runs(child, style, where, runs)


def _text(where: dict[str, str], spans: list[tuple[dict[str, str], str]]) -> _Element:
    from lxml import etree

    out = etree.Element(f"{_SVG}text", where)
    for i, (style, words) in enumerate(spans):
        if i + 1 < len(spans) and spans[i + 1][0]["font-family"] == SYMBOLS and not words[-1:].isspace():
            words += "\u2002"  # between "Andante" and its metronome mark
        plain = {**style, "font-weight": "normal"} if style["font-family"] == SYMBOLS else style
        span = etree.SubElement(out, f"{_SVG}tspan", plain)
        span.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        span.text = words
    return out


# -- fonts -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _letters() -> tuple[Path, ...]:
    """The files of the STIX letters, which come with matplotlib (a dependency of music21); the first is upright."""
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return ()
    folder = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    return tuple(sorted(folder.glob(f"{LETTERS}*.ttf")))


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    fonts = _letters()
    return frozenset(TTFont(fonts[0]).getBestCmap()) if fonts else frozenset(range(0x250))


def _foreign(text: str) -> bool:
    """Whether the text has letters that only a font of the system can draw."""
    return any(ord(c) not in _known() for c in set(text) if ord(c) > 0x7F and not _PRIVATE.match(c))


@lru_cache(maxsize=16)
def _symbols(characters: frozenset[str]) -> bytes:
    """A font of these music symbols (private-use characters), drawn from the engraver's own outlines."""
    import io

    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.t2CharStringPen import T2CharStringPen

    folder = files("verovio") / "data" / MUSIC_FONT
    widths = _widths()
    shapes: dict[str, Any] = {}
    metrics: dict[str, tuple[int, int]] = {}
    for name, code in [(".notdef", ""), ("space", "0020"), *((f"u{ord(c):X}", f"{ord(c):04X}") for c in characters)]:
        outline = folder / f"{code}.xml"
        pen = T2CharStringPen(widths.get(code, 250), None)
        if code and outline.is_file():
            _draw(outline.read_text(encoding="utf-8"), pen)
        shapes[name], metrics[name] = pen.getCharString(), (widths.get(code, 250), 0)
    order = [".notdef", "space", *sorted(n for n in shapes if n.startswith("u"))]
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({0x20: "space", **{int(n[1:], 16): n for n in order[2:]}})
    builder.setupCFF(SYMBOLS.replace(" ", ""), {}, {name: shapes[name] for name in order}, {})
    builder.setupHorizontalMetrics({name: metrics[name] for name in order})
    builder.setupHorizontalHeader(ascent=1000, descent=-500)
    plain = SYMBOLS.replace(" ", "")
    names = {"familyName": SYMBOLS, "styleName": "Regular", "fullName": SYMBOLS, "psName": plain}
    builder.setupNameTable(names)
    builder.setupOS2(sTypoAscender=1000, sTypoDescender=-500, usWinAscent=1000, usWinDescent=500)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = _EPOCH
    builder.font.recalcTimestamp = False
    buffer = io.BytesIO()
    builder.save(buffer)
    return buffer.getvalue()


def _draw(glyph: str, pen: Any) -> None:
    from fontTools.svgLib.path import parse_path

    for path in re.findall(r'<path[^>]* d="([^"]+)"', glyph):
        parse_path(path, pen)


@lru_cache(maxsize=1)
def _widths() -> dict[str, int]:
    table = (files("verovio") / "data" / f"{MUSIC_FONT}.xml").read_text(encoding="utf-8")
    return {code: round(float(w)) for code, w in re.findall(r'<g c="([0-9A-F]+)"[^>]* h-a-x="([\d.]+)"', table)}
