"""The report page: whole, self-contained, the same each time, and every figure that was measured is on it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import rescore_music as rm
from rescore_music.resources import samples_dir
from rescore_music.score import Articulation
from rescore_music.view.report import report_html, rolls
from rescore_music.view.report_blocks import figure, verdict, wanted

VOID = {"meta", "br", "link", "input"}


class Page(HTMLParser):
    """Open elements, what each is, and the headings in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.heads: list[tuple[int, str]] = []
        self.links: list[str] = []
        self.count: dict[str, int] = {}
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href", "data", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and re.fullmatch(r"h\d", self.open[-1]):
            self.heads.append((int(self.open[-1][1]), data))
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


def test_the_page_is_well_formed_and_asks_nobody(quintet):
    html = report_html(quintet)
    page = Page(html)
    assert page.open == []
    assert all(link.startswith("#") for link in page.links)
    assert "script" not in page.count
    assert not re.search(r"@import|url\((?!#|data:)", html)


def test_headings_go_down_one_level_at_a_time(quintet):
    levels = [level for level, _ in Page(report_html(quintet)).heads]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_both_rolls_and_the_first_page_are_there(quintet):
    html = report_html(quintet)
    assert html.count('class="roll"') == 2
    assert 'class="definition-scale"' in html
    before, after = rolls(quintet)
    assert before in html
    assert after in html


def test_every_measure_is_told_with_its_meaning(quintet):
    words = " ".join(Page(report_html(quintet)).words)
    for measure in quintet.quality:
        assert measure.meaning in words
        assert figure(measure.value, measure.unit) in words
        assert verdict(measure.ok) in words


def test_every_term_of_every_candidate_is_told(quintet):
    html = report_html(quintet)
    assert f"{quintet.candidates[0].cost:.2f}" in html
    for name, value in quintet.candidates[0].terms.items():
        if value:
            assert f">{name.replace('_', ' ').capitalize()}<" in html


def test_the_log_and_the_provenance_are_told(quintet):
    words = " ".join(Page(report_html(quintet)).words)
    assert quintet.provenance["source_digest"] in words
    for item in quintet.chosen.log[:20]:
        assert item.what in words


def test_hits_and_tempo_are_told_when_synced(synced):
    html = report_html(synced)
    words = " ".join(Page(html).words)
    assert 'class="tempo-curve"' in html
    for hit in synced.synced.hits:
        assert hit.timecode in words
        assert f"{hit.residual_frames:+.3f}" in words


def test_nothing_about_hits_without_picture(quintet):
    assert 'class="tempo-curve"' not in report_html(quintet)


def test_equal_results_give_equal_bytes_without_the_seconds(quintet):
    slower = replace(quintet, seconds={k: v + 1 for k, v in quintet.seconds.items()})
    assert report_html(quintet, seconds=False) == report_html(slower, seconds=False)
    assert report_html(quintet) != report_html(slower)
    assert "Time taken" not in report_html(quintet, seconds=False)


def test_titles_cannot_break_the_page(quintet):
    evil = replace(quintet.score.metadata, title="</style><script>alert(1)</script>")
    html = report_html(replace(quintet, score=quintet.score.replace(metadata=evil)))
    assert "script" not in Page(html).count


def test_the_second_pass_is_told_with_both_orders(quintet):
    heard = tuple(
        replace(c, features={"balance": 0.5 + i / 10, "mud": 1.5}, rescored=-float(i))
        for i, c in enumerate(reversed(quintet.candidates))
    )
    told = replace(
        quintet, candidates=heard, first_order=tuple(c.rank for c in heard), chosen=heard[0], score=heard[0].score
    )
    words = " ".join(Page(report_html(told)).words)
    assert "Second pass: what was heard" in words
    assert "evenness of the families" in words
    assert f"The best {len(heard)} were written out" in words


def test_figures_read_as_musicians_write_them():
    assert figure(1.0, "share") == "100\N{NO-BREAK SPACE}%"
    assert figure(0.945, "share") == "94.5\N{NO-BREAK SPACE}%"
    assert figure(-23.04, "LUFS") == "-23.04 LUFS"
    assert figure(None) == "–"
    assert wanted((1.0, None), "share") == "at least 100\N{NO-BREAK SPACE}%"
    assert wanted((None, 10.0), "frames") == "at most 10 frames"
    assert wanted((-24.0, -22.0), "LUFS") == "-24 LUFS to -22 LUFS"
    assert wanted(None, "") == ""


def test_the_second_pass_of_the_pipeline_fits(tmp_path):
    from rescore_music.resources import samples_dir

    settings = rm.Settings(n=3, top=2, sample_rate=22050)
    score = rm.read_score(samples_dir() / "pixel_loop.mid")
    short = score.slice(0, int(score.bars[8]))
    result = rm.rescore(short, template="chiptune/eight-bit", settings=settings)
    words = " ".join(Page(report_html(result)).words)
    assert "The sound" in words
    for term in ("Melody audible", "Seconds spent"):
        assert term in words
    untimed = " ".join(Page(report_html(result, seconds=False)).words)
    assert "Melody audible" in untimed
    assert "Seconds" not in untimed


def test_a_cue_with_cue_notes_has_its_report() -> None:
    """Notes that stand in a part for its player's eyes are no part of what is orchestrated, nor of what is coloured."""
    read = rm.read_score(samples_dir() / "pixel_loop.mid")
    notes = read.notes.copy()
    notes["articulation"][:3] |= int(Articulation.CUE)
    result = rm.rescore(
        read.replace(notes=notes), template="chiptune/eight-bit", settings=rm.Settings(n=1, audio=False)
    )
    assert len(result.music.notes) == len(read.notes) - 3
    assert "<svg" in report_html(result)
