"""Printed pages: PDF and PNG of score and parts; a part is what its player needs, no more and no less."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from lxml import etree
from PIL import Image

import rescore_music as rm
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.resources import samples_dir
from rescore_music.score import Articulation, Mark, Part, Score, note_rows
from rescore_music.view.counting import counted, without_multiple_rests
from rescore_music.view.engraving import engraved
from rescore_music.view.paper import PAPERS, paper
from rescore_music.view.parts import concert_pitch, part_of
from rescore_music.view.typesetting import printable

Q = 480
BAR = 4 * Q


@pytest.fixture(scope="module")
def love() -> Score:
    return rm.read_score(samples_dir() / "love_theme.musicxml")


def inflated(pdf: bytes) -> bytes:
    """A PDF with its compressed streams opened."""
    out = [pdf]
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            out.append(zlib.decompress(found.group(1)))
        except zlib.error:
            continue
    return b"\n".join(out)


def media_boxes(pdf: bytes) -> list[tuple[float, float]]:
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", inflated(pdf))
    return [(float(w), float(h)) for w, h in boxes]


def test_a_score_becomes_a_pdf_with_its_letters_inside_and_the_same_bytes_again(love, tmp_path):
    first = rm.write_score(love, tmp_path / "a.pdf").read_bytes()
    assert first.startswith(b"%PDF-")
    assert first == rm.write_score(love, tmp_path / "b.pdf").read_bytes()
    whole = inflated(first)
    assert b"STIXGeneral" in whole
    assert whole.count(b"/FontFile") >= 1
    width, height = media_boxes(first)[0]
    assert (width, height) == pytest.approx((210 / 25.4 * 72, 297 / 25.4 * 72), abs=0.1)


def test_a_png_has_the_paper_s_size_and_ink_on_it(love, tmp_path):
    path = rm.write_score(love, tmp_path / "page.png", paper="letter landscape", ppi=60)
    with Image.open(path) as image:
        assert image.size == pytest.approx((11 * 60, 8.5 * 60), abs=1)
        dark = float((np.asarray(image.convert("L")) < 128).mean())
    assert 0.003 < dark < 0.2
    assert list(tmp_path.glob("page-2.png"))


def test_formats_still_go_where_they_went(love, tmp_path):
    assert rm.read_score(rm.write_score(love, tmp_path / "love.mid")).parts
    with pytest.raises(rm.RescoreError, match=r"cannot be written as \.docx .*\.pdf"):
        rm.write_score(love, tmp_path / "love.docx")
    with pytest.raises(rm.RescoreError, match="no paper 'a9'"):
        rm.write_score(love, tmp_path / "love.pdf", paper="a9")


def test_every_player_gets_a_part(love, tmp_path):
    paths = rm.write_parts(love, tmp_path / "parts", suffix=".musicxml")
    assert len(paths) == len(love.parts)
    assert [p.name[:3] for p in paths] == [f"{i + 1:02d}-" for i in range(len(paths))]
    notes = [len(rm.read_score(path).notes) for path in paths]
    assert notes == [len(love.part_notes(i)) for i in range(len(love.parts))]


def resting(bars: int, marks: tuple[Mark, ...] = ()) -> Score:
    """A part that plays the first and the last bar only."""
    rows = [(0, BAR, 60, 80, 0), ((bars - 1) * BAR, BAR, 62, 80, 0)]
    return Score(note_rows(rows), (Part("Horn", clefs=("G2",)),), marks=marks)


def rests_counted(score: Score) -> list[int]:
    """What a player of this part counts: bars of each drawn rest of several bars."""
    from rescore_music.view.engraving import _loaded

    root = etree.fromstring(counted(str(_loaded(score).getMEI({}))).encode())
    return [int(e.get("num")) for e in root.iter("{*}multiRest")]


def test_empty_bars_are_counted_together_and_stop_at_what_a_player_must_see():
    assert rests_counted(resting(9)) == [7]
    assert rests_counted(resting(9, (Mark(4 * BAR, "rehearsal", "A"),))) == [3, 4]
    assert rests_counted(resting(9, (Mark(3 * BAR, "barline", "double"),))) == [2, 5]
    assert rests_counted(resting(9, (Mark(2 * BAR, "tempo", "Più mosso"),))) == [6]
    assert rests_counted(resting(3)) == []


def test_a_rehearsal_mark_over_counted_rests_is_drawn():
    score = resting(9, (Mark(4 * BAR, "rehearsal", "K"),))
    drawn = "".join(engraved(score, paper(1), part=True))
    assert re.search(r">K<", drawn)
    assert len(re.findall('class="multiRest"', drawn)) == 2


def test_the_written_part_says_its_rests_and_reads_back_as_it_was():
    score = resting(9, (Mark(4 * BAR, "rehearsal", "A"),))
    data = musicxml_bytes(score)
    assert re.findall(rb"<multiple-rest>(\d+)", data) == [b"3", b"4"]
    text = data.decode()
    assert "multiple-rest" not in without_multiple_rests(text)
    assert etree.fromstring(without_multiple_rests(text).encode()) is not None


def test_parts_tile_the_score(love):
    parts = [part_of(love, i) for i in range(len(love.parts))]
    assert sum(len(p.notes) for p in parts) == len(love.notes)
    assert all(np.array_equal(p.bars, love.bars) for p in parts)
    rehearsals = [m.text for m in love.marks if m.kind == "rehearsal"]
    assert all([m.text for m in p.marks if m.kind == "rehearsal"] == rehearsals for p in parts)
    with pytest.raises(rm.RescoreError, match="there is no part"):
        part_of(love, len(love.parts))


def test_a_concert_score_sounds_the_same_and_is_written_as_it_sounds(tmp_path):
    parts = (
        Part("Clarinet", transposition=-2, diatonic=-1, clefs=("G2",)),
        Part("Double Bass", transposition=-12, diatonic=-7, clefs=("F4",)),
    )
    score = Score(note_rows([(0, BAR, 70, 80, 0), (0, BAR, 40, 80, 1)]), parts)
    concert = concert_pitch(score)
    assert [p.transposition for p in concert.parts] == [0, -12]  # octaves stay
    back = rm.read_score(rm.write_score(concert, tmp_path / "c.musicxml"))
    assert back.notes["pitch"].tolist() == [70, 40]
    assert b"<step>B</step><alter>-1</alter><octave>4</octave>" in musicxml_bytes(concert)
    assert b"<step>C</step><octave>5</octave>" in musicxml_bytes(score)
    assert rm.write_score(score, tmp_path / "d.musicxml", concert=True).read_bytes() == musicxml_bytes(concert)


def test_more_staves_never_make_larger_ones():
    for name in ("", *PAPERS):
        sizes = [paper(n, name).staff for n in range(1, 40)]
        if name:
            assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) >= 3.5
    a3 = paper(20)
    assert a3.width > a3.height
    assert paper(2).width < paper(2).height


def test_text_is_flat_and_music_symbols_have_their_own_font():
    rows = [(i * BAR, BAR, 60, 80, 0) for i in range(2)]
    score = Score(note_rows(rows), (Part("Flute"),), marks=(Mark(0, "tempo", "Allegro ♩ = 88"),))
    root = etree.fromstring(printable(engraved(score, paper(1))[0]).encode())
    texts = list(root.iter("{*}text"))
    assert texts
    assert all(len(span) == 0 for text in texts for span in text)
    assert all(span.get("font-size") != "0px" for text in texts for span in text)
    fonts = {span.get("font-family") for text in texts for span in text if re.search("[\ue000-\uf8ff]", span.text)}
    assert fonts == {"Music Symbols"}


def test_a_family_is_bracketed_and_one_instrument_is_not():
    parts = (Part("Oboe", group="woodwind"), Part("Bassoon", group="woodwind"), Part("Harp", group="plucked"))
    score = Score(note_rows([(0, BAR, 60, 80, i) for i in range(3)]), parts)
    data = musicxml_bytes(score)
    assert re.findall(rb"<group-symbol>(\w+)<", data) == [b"bracket", b"none"]


def test_the_group_of_one_instrument_comes_back(tmp_path):
    score = Score(note_rows([(0, BAR, 60, 80, 0)]), (replace(Part("Harp"), group="plucked"),))
    assert rm.read_score(rm.write_score(score, tmp_path / "s.musicxml")).parts[0].group == "plucked"


def staves_by_system(score: Score) -> list[list[int]]:
    """Staves of each system, page by page."""
    pages = engraved(score, paper(len(score.parts)))
    systems = (page.split('class="system"')[1:] for page in pages)
    return [[s.count('class="staff"') // s.count('class="measure"') for s in page] for page in systems]


@pytest.mark.parametrize(("parts", "hidden"), [(8, True), (4, False)])
def test_staves_that_rest_are_left_out_of_large_scores_but_never_of_the_first_system(parts, hidden):
    rows = [(i * Q, Q, 60 + i % 5, 80, 0) for i in range(4 * 60)] + [(0, Q, 60, 80, p) for p in range(1, parts)]
    found = [n for page in staves_by_system(Score(note_rows(rows), (Part("Flute"),) * parts)) for n in page]
    assert found[0] == parts
    assert (min(found[1:]) < parts) == hidden


def test_cue_notes_are_smaller():
    notes = note_rows([(0, BAR // 2, 60, 80, 0), (BAR // 2, BAR // 2, 60, 80, 0)])
    notes["articulation"][1] = int(Articulation.CUE)
    drawn = engraved(Score(notes, (Part("Horn"),)), paper(1))[0]
    sizes = [float(s) for s in re.findall(r'class="notehead">\s*<use[^>]*scale\(([\d.]+)', drawn)]
    assert len(sizes) == 2
    assert sizes[1] < sizes[0]
