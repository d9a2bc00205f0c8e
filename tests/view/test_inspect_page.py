"""The inspect page: it tells known music rightly, escapes what it is given, stays small and asks for nothing."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.cues import Cues, Hit, Span
from rescore_music.score import NOTE, Mark, Marker, Metadata, Part, Score, note_rows
from rescore_music.structure import (
    Analysis,
    Cadence,
    Chord,
    Hypermeter,
    IntensityTerms,
    KeySpan,
    Line,
    Pattern,
    Phrase,
    Role,
    Section,
)
from rescore_music.timecode import FrameRate, Timecode
from rescore_music.view.inspect_data import page_data
from rescore_music.view.inspect_names import part_name
from rescore_music.view.inspect_page import inspect_page
from rescore_music.view.inspect_roles import GROUPS, HELD, STRUCK, interval_words
from rescore_music.view.inspect_words import summary
from rescore_music.view.inspection import inspection

QUARTER = 480
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u2028"


class Reader(HTMLParser):
    """Tags with their attributes, and the text of everything but scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = (dict(attrs).get("type") or tag) if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "application/json":
            self.data += data
        elif not self._inside:
            self.texts.append(data)


def read(html: str) -> tuple[Reader, str, dict[str, Any]]:
    reader = Reader()
    reader.feed(html)
    return reader, " ".join(" ".join(reader.texts).split()), json.loads(reader.data)


def four_parts() -> tuple[Score, Analysis]:
    """Four bars of a chorale in G minor: i iv6 V7 i, and what is known of them."""
    chords = ((67, 62, 58, 43), (67, 63, 60, 51), (66, 60, 57, 50), (67, 62, 58, 43))
    rows = [(1920 * bar, 1920, p, 80, part) for bar, chord in enumerate(chords) for part, p in enumerate(chord)]
    score = Score(
        notes=note_rows(rows),
        parts=tuple(Part(name=n) for n in ("Soprano", "Alto", "Tenor", "Bass")),
        tempo=rm.TempoMap.constant(60, QUARTER),
        ticks_per_quarter=QUARTER,
        keys=np.array([(0, -2, 1)], [("tick", "<i8"), ("fifths", "i1"), ("mode", "i1")]),
    )
    lines = tuple(Line(p, 0, score.part_notes(p)) for p in range(4))
    roles = np.array([[0, 0], [3, 3], [3, 0], [2, 2]], np.int8)
    analysis = Analysis(
        voices=np.zeros(16, np.int16),
        line_of=score.notes["part"].astype(np.int32),
        lines=lines,
        phrases=(Phrase(0, 3840, "A"), Phrase(3840, 7680, "A'")),
        roles=roles,
        confidence=np.full((4, 2), 0.7, np.float32),
        doubles=np.array([[-1, -1], [-1, -1], [-1, 0], [-1, -1]], np.int32),
        keys=(KeySpan(0, 7680, 7, "minor"),),
        chords=(
            Chord(0, 1920, 7, "min", 7),
            Chord(1920, 3840, 0, "min", 3),
            Chord(3840, 5760, 2, "7", 2),
            Chord(5760, 7680, 7, "min", 7),
        ),
        intensity=np.array([0.2, 0.4, 0.9, 0.3]),
        cadences=(Cadence(5760, "perfect authentic", 7, "minor", 3840),),
        sections=(Section(0, 7680, "A"),),
        patterns=np.array([[0, 0], [1, 2], [1, 0], [0, 0]], np.int8),
        parallels=np.full((4, 2), -1, np.int32),
        intervals=np.array([[0, 0], [0, 0], [0, -12], [0, 0]], np.int16),
    )
    return score, analysis


def test_the_page_states_what_is_known_of_a_chorale() -> None:
    score, analysis = four_parts()
    _, text, data = read(inspect_page(score, analysis))
    assert [(numeral, name) for *_, numeral, name in data["chords"]] == [
        ("i", "Gm"),
        ("iv⁶", "Cm/E♭"),
        ("V⁷", "D7"),
        ("i", "Gm"),
    ]
    assert "It is in G minor throughout." in text
    assert "G minor key" in text
    assert inspection(score, analysis)["key"] == "G minor"
    assert "Cadences: perfect authentic at bar 4 in G minor." in text
    assert "Melody: Soprano (bars 1–2); Soprano" not in text
    assert "Melody: Soprano throughout." in text
    assert "Bass: Bass throughout." in text
    assert "4 bars in 4/4, 0:16 long, for 4 parts; 16 notes." in text
    assert data["cadences"] == [[5760 // 1920, 2, "perfect authentic", "G minor"]]
    assert "E♭" in data["keys"][0][4]
    assert "D♯" not in data["keys"][0][4]


def test_roles_colour_the_notes_and_fill_the_matrix() -> None:
    score, analysis = four_parts()
    reader, text, data = read(inspect_page(score, analysis))
    roles = {line["name"]: line["role"] for line in data["lines"]}
    assert roles == {"Soprano": "00", "Alto": f"{HELD}{STRUCK}", "Tenor": f"{HELD}0", "Bass": "22"}
    tenor = data["lines"][2]
    assert tenor["twice"] == "01"
    assert tenor["told"] == [0, -1, 0, int(Pattern.SUSTAINED), 1, 0, -12, 0]
    assert data["intervals"]["-12"] == "an octave below"
    cells = [attrs["title"] for tag, attrs in reader.tags if tag == "td" and attrs.get("title")]
    assert cells == [
        "melody", "melody", "harmony, sustained", "harmony, repeated",
        "harmony, sustained", "doubles the melody", "bass", "bass",
    ]  # fmt: skip
    assert "with Tenor an octave below" not in text, "it doubles in one phrase of two, but the tune is one run"


def test_who_doubles_the_tune_is_told_in_words() -> None:
    score, analysis = four_parts()
    analysis.doubles[2, 0], analysis.roles[2, 0], analysis.intervals[2, 0] = 0, Role.MELODY, -12
    assert "Melody: Soprano throughout with Tenor an octave below." in summary(score, analysis)
    assert interval_words(0) == "in unison"
    assert interval_words(-3) == interval_words(-4) == "in thirds below"
    assert interval_words(24) == "two octaves above"
    assert interval_words(-16) == "in tenths below"


def test_a_real_chorale_begins_and_ends_where_bach_put_it() -> None:
    """BWV 66.6 in F sharp minor: an upbeat, three sharps, the bass's last note F sharp."""
    from music21 import corpus

    score = rm.read_score(corpus.getWork("bach/bwv66.6"))
    _, text, data = read(inspect_page(score, rm.analyze(score)))
    assert "It begins with an upbeat, bar 0." in text
    assert [part[0] for part in data["parts"]] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert any(key[2] == "F♯ minor" and key[3] == 3 for key in data["keys"])
    assert "Melody: Soprano throughout" in text
    assert "Bass: Bass throughout" in text
    fifths = data["notes"]["fifth"]
    assert 99 not in fifths
    assert fifths[-1] == 6 or data["notes"]["pitch"][-1] % 12 != 6
    names = {c[3] for c in data["chords"]}
    assert names & {"C♯7", "C♯", "F♯m", "A", "E/G♯"}


def test_bars_bear_their_printed_numbers(chase: Score) -> None:
    short = chase.bars.copy()
    short[1:] -= int(short[1] * 3 // 4)  # the first bar is its own last beat
    shifted = chase.replace(barlines=short)
    data = page_data(shifted, rm.analyze(shifted))
    assert data["numbers"] == list(range(len(short) - 1))
    full = data["bars"][2]
    assert data["before"] == {"0": full - data["bars"][1]}
    assert page_data(chase, rm.analyze(chase))["numbers"][:2] == [1, 2]


def test_every_note_is_in_the_data_where_it_is_in_the_score(chase: Score) -> None:
    data = page_data(chase, rm.analyze(chase))
    onset = np.cumsum(data["notes"]["on"])
    unit = chase.ticks_per_quarter / data["quarter"]
    assert np.array_equal(onset * unit, chase.notes["onset"])
    assert np.array_equal(np.array(data["notes"]["dur"]) * unit, chase.notes["duration"])
    assert data["notes"]["pitch"] == chase.notes["pitch"].tolist()
    bars = np.cumsum(data["bars"])
    assert np.array_equal(bars * unit, chase.bars)
    assert data["seconds"][-1] == pytest.approx(float(chase.seconds(chase.bars[-1])), abs=0.01)
    assert [row[1:3] for row in data["meters"]] == [[int(n), int(d)] for _, n, d in chase.meters.tolist()]


def test_hits_stand_where_the_tempo_map_puts_them() -> None:
    score, analysis = four_parts()
    rate = FrameRate.parse("24")
    hit = Hit(24 * 5, "She turns", lands="downbeat")
    cues = Cues(rate, Timecode(0, rate), (hit,), (Span(24, 72, "dialogue", "Anna"),), (48,))
    data = page_data(score, analysis, cues)
    unit = QUARTER / data["quarter"]
    # a quarter a second: five seconds are five quarters
    assert data["hits"][0][0] * unit == pytest.approx(5 * QUARTER)
    assert data["hits"][0][1:] == ["00:00:05:00", "She turns", "hard", "downbeat", 1]
    assert [v * unit for v in data["spans"][0][:2]] == pytest.approx([QUARTER, 3 * QUARTER])
    assert data["timecodes"][:2] == ["00:00:00:00", "00:00:04:00"]


def test_form_hypermeter_and_what_intensity_is_made_of_are_told() -> None:
    score, analysis = four_parts()
    form = (Section(0, 3840, "A"), Section(3840, 7680, "B"))
    terms = IntensityTerms(density=np.array([0.1, 0.2, 0.3, 0.4]))
    told = replace(analysis, sections=form, hypermeter=(Hypermeter(0, 7680, 2),), intensity_terms=terms)
    reader, text, data = read(inspect_page(score, told))
    assert "Its form: A (1–2), B (3–4) (bars in brackets)." in text
    assert [row[2] for row in data["form"]] == ["A", "B"]
    assert data["hyper"] == [[0, data["length"], 2]]
    assert data["terms"] == {"density": [10, 20, 30, 40]}
    heads = [attrs.get("colspan") for tag, attrs in reader.tags if tag == "th" and attrs.get("scope") == "colgroup"]
    assert heads == ["1", "1"]


def hostile() -> Score:
    score, _ = four_parts()
    return score.replace(
        parts=tuple(Part(name=EVIL) for _ in range(4)),
        metadata=rm.Score().metadata.__class__(
            title=EVIL, composer=EVIL, rights=EVIL, source=EVIL, extra=(("movement-title", EVIL),)
        ),
        marks=(Mark(0, "tempo", EVIL), Mark(0, "dynamic", EVIL)),
        markers=(Marker(0, EVIL),),
    )


def test_hostile_names_stay_text() -> None:
    score, analysis = hostile(), four_parts()[1]
    rate = FrameRate.parse("24")
    cues = Cues(rate, Timecode(0, rate), (Hit(24, EVIL),), (Span(0, 9, "dialogue", EVIL),))
    html = inspect_page(score, analysis, cues=cues)
    reader, _, data = read(html)
    assert [attrs.get("type") for tag, attrs in reader.tags if tag == "script"] == ["application/json", None]
    assert not [tag for tag, _ in reader.tags if tag == "img"]
    assert not [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]
    assert EVIL.split("\u2028")[0] in data["hits"][0][2]
    assert "\u2028" not in html


def test_the_page_asks_for_nothing(chase: Score) -> None:
    html = inspect_page(chase, rm.analyze(chase))
    reader, _, _ = read(html)
    outside = [attrs for _, attrs in reader.tags if {"src", "href", "srcset", "action"} & set(attrs)]
    assert not outside
    assert not re.findall(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", html)
    policy = next(a["content"] for tag, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_fifty_thousand_notes_stay_below_a_million_and_a_half_bytes() -> None:
    rng = np.random.default_rng(3)
    count = 50_000
    notes = np.zeros(count, NOTE)
    notes["onset"] = np.sort(rng.integers(0, 480 * 4 * 1200, count))
    notes["duration"], notes["pitch"] = rng.integers(30, 1900, count), rng.integers(30, 100, count)
    notes["velocity"], notes["part"] = rng.integers(20, 120, count), rng.integers(0, 24, count)
    notes["step"] = -1
    parts = tuple(Part(name=f"Player {i}") for i in range(24))
    score = Score(notes=notes, parts=parts, tempo=rm.TempoMap.constant(120, 480), ticks_per_quarter=480)
    phrases = tuple(Phrase(a, a + 7680, "A") for a in range(0, score.length, 7680))
    shape = (24, len(phrases))
    analysis = Analysis(
        voices=np.zeros(count, np.int16),
        line_of=score.notes["part"].astype(np.int32),
        lines=tuple(Line(p, 0, score.part_notes(p)) for p in range(24)),
        phrases=phrases,
        roles=rng.integers(0, 5, shape).astype(np.int8),
        confidence=np.full(shape, 0.5, np.float32),
        doubles=np.full(shape, -1, np.int32),
        patterns=np.full(shape, int(Pattern.REPEATED), np.int8),
    )
    html = inspect_page(score, analysis)
    assert len(html.encode()) < 1_500_000
    assert len(read(html)[2]["notes"]["on"]) == count


def test_an_empty_cue_has_a_page() -> None:
    score = Score()
    _, text, data = read(inspect_page(score, rm.analyze(score)))
    assert "There is no note in this cue." in text
    assert data["notes"]["on"] == []


def test_same_cue_same_bytes(hero: Score) -> None:
    assert inspect_page(hero, rm.analyze(hero)) == inspect_page(hero, rm.analyze(hero))


def test_parts_that_share_a_name_are_told_apart_by_what_plays() -> None:
    rows = note_rows([(0, 480, 60, 80, part) for part in range(3)])

    def names(*parts: tuple[str, int]) -> list[str]:
        score = Score(
            notes=rows,
            parts=tuple(Part(name, program=program) for name, program in parts),
            metadata=Metadata(source_format="midi1"),
        )
        return [part_name(score, i) for i in range(len(parts))]

    bank = "Some Bank 1.0"
    assert names((bank, 34), (f"{bank} #2", 40), (f"{bank} #3", 40)) == [
        "Picked Electric Bass",
        "Violin (1)",
        "Violin (2)",
    ]
    assert names(("Lead", 34), ("Lead #2", 40), ("Violin 3", 40)) == [
        "Lead: Picked Electric Bass",
        "Lead #2: Violin",
        "Violin 3",
    ]
    assert names(("Violin 1", 40), ("Violin 2", 40), ("Viola", 41)) == ["Violin 1", "Violin 2", "Viola"]


def test_drums_have_their_names(chase: Score) -> None:
    drums = page_data(chase, rm.analyze(chase))["drums"]
    assert drums["38"] == "Snare Drum"
    assert all(name for name in drums.values())


def test_groups_have_colours_and_signs_of_their_own() -> None:
    assert len({g.colour for g in GROUPS}) == len({g.sign for g in GROUPS}) == len(GROUPS)


# -- in a browser ------------------------------------------------------------------------------------------------

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Any:
    import os

    found = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if found is None:
        message = "no Chromium on this machine: the page was not seen in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield running
        running.close()


INKED = """() => {
  const view = document.getElementById('view'), ctx = view.getContext('2d');
  const data = ctx.getImageData(0, 0, view.width, view.height).data, seen = {};
  for (let i = 0; i < data.length; i += 4) {
    const key = data[i] + ',' + data[i + 1] + ',' + data[i + 2];
    seen[key] = (seen[key] || 0) + 1;
  }
  return seen;
}"""


def opened(browser: Any, html: str, folder: Path, **options: Any) -> tuple[Any, list[str]]:
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 900}, **options)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: failures.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: failures.append(request.url) if not request.url.startswith("file:") else None)
    page.on("dialog", lambda dialog: (failures.append("a dialog"), dialog.dismiss()))
    page.goto(path.as_uri())
    page.wait_for_function("document.documentElement.dataset.drawn === '1'")
    return page, failures


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_roll_is_drawn_in_the_roles_colours(browser: Any, tmp_path: Path, scheme: str, hero: Score) -> None:
    page, failures = opened(browser, inspect_page(hero, rm.analyze(hero)), tmp_path, color_scheme=scheme)
    seen = page.evaluate(INKED)
    paper = max(seen, key=lambda key: seen[key])
    assert (sum(map(int, paper.split(","))) > 600) == (scheme == "light")

    def orange(key: str) -> bool:
        red, green, blue = map(int, key.split(","))
        return red > 1.3 * green and green > 1.2 * blue and red > 150

    before = sum(n for key, n in seen.items() if orange(key))
    assert before > 500, "no melody to be seen"
    page.get_by_role("button", name="Melody", exact=True).click()
    page.wait_for_timeout(200)
    after = sum(n for key, n in page.evaluate(INKED).items() if orange(key))
    assert after < before / 3, "the melody was hidden"
    page.close()
    assert not failures


@pytest.mark.browser
def test_a_note_and_a_chord_are_read_under_the_pointer(browser: Any, tmp_path: Path) -> None:
    score, analysis = four_parts()
    page, failures = opened(browser, inspect_page(score, analysis), tmp_path)
    place = """(note) => {
      const row = layoutNow.rows.find((r) => r.id === 'roll'), [y, h] = noteBox(row, note);
      const box = canvas.getBoundingClientRect();
      return [box.left + GUTTER + (ON[note] - field.scrollLeft / state.scale) * state.scale + 20, box.top + y + h / 2];
    }"""
    page.locator("#field").scroll_into_view_if_needed()
    x, y = page.evaluate(place, 0)
    page.mouse.move(x, y)
    told = page.locator("#tip").inner_text()
    assert told.startswith("G4")
    assert "Soprano" in told
    assert "Melody" in told
    assert "bar 1, beat 1" in told
    y = page.evaluate("canvas.getBoundingClientRect().top + layoutNow.rows.find((r) => r.id === 'numerals').y + 8")
    page.mouse.move(x, y)
    assert "Gm" in page.locator("#tip").inner_text()
    assert "G minor" in page.locator("#tip").inner_text()
    page.close()
    assert not failures


@pytest.mark.browser
def test_a_phrase_of_the_table_and_a_bar_number_lead_to_the_music(browser: Any, tmp_path: Path, chase: Score) -> None:
    analysis = rm.analyze(chase)
    page, failures = opened(browser, inspect_page(chase, analysis), tmp_path)
    page.get_by_role("spinbutton", name="Go to bar").fill("20")
    page.get_by_role("spinbutton", name="Go to bar").press("Enter")
    page.wait_for_timeout(200)
    left = "Math.round(field.scrollLeft / state.scale + 2 / state.scale)"
    assert page.evaluate(left) == pytest.approx(page.evaluate("BARS[19]"), abs=page.evaluate("2 / state.scale"))
    bars = page.locator(".columns .wide table tbody tr").first.locator("td").last  # where the first motif returns
    assert bars.bounding_box()["height"] < 70  # two lines: a column too narrow for its numbers makes a tower of them
    page.locator(".matrix thead tr:last-child th").nth(2).click()
    page.wait_for_timeout(200)
    assert page.evaluate(left) == pytest.approx(page.evaluate("D.phrases[1][0]"), abs=page.evaluate("2 / state.scale"))
    assert page.evaluate("field.scrollLeft") > 0
    page.close()
    assert not failures


@pytest.mark.browser
def test_on_paper_the_cue_runs_in_systems_and_hostile_names_do_nothing(browser: Any, tmp_path: Path) -> None:
    page, failures = opened(browser, inspect_page(hostile(), four_parts()[1]), tmp_path)
    page.get_by_role("button", name="in score order").click()
    page.get_by_role("button", name="Whole cue").click()
    paper = tmp_path / "page.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    assert paper.read_bytes().startswith(b"%PDF")
    assert paper.stat().st_size > 20_000
    page.evaluate("paper()")
    assert page.locator("#print canvas").count() >= 1
    page.close()
    assert not failures
