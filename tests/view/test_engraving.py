"""Engraving: pages of real notation, from any thread, the same bytes each time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest

import rescore_music as rm
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.resources import samples_dir
from rescore_music.view.engraving import engrave, pages

SVG = "{http://www.w3.org/2000/svg}"


def classes(svg: str, name: str) -> int:
    return sum(name in (e.get("class") or "").split() for e in ET.fromstring(svg).iter(f"{SVG}g"))


@pytest.fixture(scope="module")
def love() -> bytes:
    return (samples_dir() / "love_theme.musicxml").read_bytes()


def test_all_pages_hold_all_notes(love):
    count = pages(love)
    assert count >= 2
    notes = sum(classes(engrave(love, page), "note") for page in range(1, count + 1))
    assert notes == love.count(b"<note>") - love.count(b"<rest")


def test_lyrics_slurs_and_dynamics_are_engraved(love):
    svg = "".join(ET.tostring(ET.fromstring(engrave(love)), encoding="unicode"))
    assert all(classes(svg, kind) for kind in ("syl", "slur", "dynam", "hairpin", "clef", "tempo"))


def test_other_threads_engrave_too(love):
    here = engrave(love)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: engrave(love), range(3))) == [here] * 3


def test_a_score_is_engraved_as_its_musicxml(hero):
    assert engrave(hero) == engrave(musicxml_bytes(hero))


def test_a_full_orchestra_fits_its_page(synced):
    root = ET.fromstring(engrave(synced.score))
    staves = classes(ET.tostring(root, encoding="unicode"), "staff")
    measures = classes(ET.tostring(root, encoding="unicode"), "measure")
    assert staves >= len(synced.score.parts) * measures
    wide, high = (float(v) for v in root.get("viewBox").split()[2:])
    assert 0.5 < wide / high < 2.5


def test_there_is_no_page_beyond_the_last(love):
    with pytest.raises(rm.RescoreError, match="there is no page 99"):
        engrave(love, 99)


def test_what_is_no_notation_is_refused():
    with pytest.raises(rm.RescoreError, match="cannot be engraved"):
        engrave("no score at all")


def test_names_of_groups_do_not_overprint_parts(synced):
    assert b"<group-name>" in musicxml_bytes(synced.score) or "woodwind" not in engrave(synced.score)
    assert ">woodwind<" not in engrave(synced.score)


def test_notes_are_black_on_white_whatever_the_page_around(love):
    root = ET.fromstring(engrave(love))
    paper = next(root.iter(f"{SVG}rect"))
    assert paper.get("fill") == "#fff"
    assert next(root.iter(f"{SVG}svg")) is root
    assert [e.get("color") for e in root.iter(f"{SVG}svg")][1] == "black"
