"""Repeats played out: known answers by hand, and the measure order of music21's expander."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.errors import ScoreError
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.repeats import playing_order, unfold
from rescore_music.score import CONTROL, Mark, Marker, Part, Score, note_rows
from rescore_music.tempo import TempoMap

BAR = 1920


def piece(bars: int, *signs: tuple[int, str], **fields) -> Score:
    """One whole note a bar, its pitch 60 plus the bar's number; signs are (bar line, text), jumps by their names."""
    marks = []
    for line, text in signs:
        text, _, times = text.partition(" x")
        kind = "barline" if text.startswith(("repeat", "ending", "double")) else "jump"
        marks.append(Mark(line * BAR, kind, text, value=float(times or 0)))
    notes = note_rows([(i * BAR, BAR, 60 + i % 60, 80, 0) for i in range(bars)])
    return Score(notes=notes, parts=(Part("Flute"),), marks=(*marks, *fields.pop("marks", ())), **fields)


def played(score: Score) -> str:
    """Bars in playing order as letters, from the pitches of the unfolded score."""
    return "".join(chr(ord("A") + p - 60) for p in unfold(score).notes["pitch"].tolist())


@pytest.mark.parametrize(
    ("bars", "signs", "answer"),
    [
        (3, [], "ABC"),
        (3, [(2, "repeat-end")], "ABABC"),
        (3, [(1, "repeat-start"), (2, "repeat-end")], "ABBC"),
        (2, [(1, "repeat-end x5")], "AAAAAB"),
        (4, [(2, "repeat-end"), (4, "repeat-end")], "ABABCDCD"),
        (4, [(1, "repeat-start"), (2, "repeat-start"), (3, "repeat-end"), (4, "repeat-end")], "ABCCDBCCD"),
        (
            4,
            [
                (1, "ending-start:1"),
                (2, "ending-stop:1"),
                (2, "repeat-end"),
                (2, "ending-start:2"),
                (3, "ending-discontinue:2"),
            ],
            "ABACD",
        ),
        (
            4,
            [
                (1, "ending-start:1, 2"),
                (2, "ending-stop:1, 2"),
                (2, "repeat-end"),
                (2, "ending-start:3"),
                (3, "ending-stop:3"),
            ],
            "ABABACD",
        ),
        (3, [(1, "ending-start:1"), (2, "ending-stop:1"), (2, "repeat-end")], "ABAC"),
        (
            3,
            [
                (1, "ending-start:1"),
                (2, "ending-stop:1"),
                (2, "repeat-end"),
                (2, "ending-start:2"),
                (3, "ending-stop:2"),
                (3, "repeat-end"),
            ],
            "ABAC",
        ),
        (3, [(3, "D.C.")], "ABCABC"),
        (4, [(2, "Fine"), (4, "D.C. al Fine")], "ABCDAB"),
        (4, [(2, "repeat-end"), (2, "Fine"), (4, "repeat-end"), (4, "Menuetto da Capo")], "ABABCDCDAB"),
        (4, [(1, "segno"), (3, "Fine"), (4, "D.S. al Fine")], "ABCDBC"),
        (5, [(2, "To Coda"), (4, "D.C. al Coda"), (4, "coda")], "ABCDABE"),
        (6, [(1, "segno"), (3, "To Coda"), (5, "D.S. al Coda"), (5, "coda")], "ABCDEBCF"),
        (6, [(1, "segno"), (3, "coda"), (5, "D.S. al Coda"), (5, "coda")], "ABCDEBCF"),
        (3, [(1, "repeat-end"), (3, "D.C. con repetizione")], "AABCAABC"),
        (
            5,
            [
                (2, "ending-start:1"),
                (3, "ending-stop:1"),
                (3, "repeat-end"),
                (3, "ending-start:2"),
                (4, "ending-stop:2"),
                (4, "Fine"),
                (5, "D.C. al Fine"),
            ],
            "ABCABDEABD",
        ),
        # what makes no sense is played straight
        (3, [(1, "repeat-start")], "ABC"),
        (3, [(3, "D.S. al Fine")], "ABC"),
        (3, [(2, "ending-stop:1")], "ABC"),
        (3, [(1, "ending-start:5"), (2, "ending-stop:5"), (2, "repeat-end")], "ABC"),
    ],
)
def test_bars_come_in_the_order_a_player_takes_them(bars, signs, answer):
    assert played(piece(bars, *signs)) == answer


def test_what_makes_no_sense_is_told():
    coda = [(2, "To Coda"), (2, "Fine"), (3, "D.C.")]
    for signs in ([(1, "repeat-start")], [(3, "D.S.")], [(3, "D.C.")], [(2, "ending-stop:1")], coda):
        log = unfold(piece(3, *signs)).import_log
        assert [item.where for item in log] == ["repeats"], signs


def test_a_score_without_repeats_is_itself():
    score = piece(3, (2, "double"))
    assert unfold(score) is score
    assert playing_order(score) == ((0, 3 * BAR),)


def test_unfolding_twice_changes_nothing_more():
    once = unfold(piece(4, (1, "repeat-start"), (3, "repeat-end")))
    assert unfold(once) is once
    assert not [m for m in once.marks if m.kind == "jump" or "repeat" in m.text]


def test_tempo_meters_and_seconds_follow_the_music():
    tempo = TempoMap(np.array([0, BAR]), np.array([500_000.0, 250_000.0]))
    score = piece(3, (2, "repeat-end"), tempo=tempo)
    whole = unfold(score)
    assert whole.duration == pytest.approx(2 + 1 + 2 + 1 + 1)
    assert whole.length == 5 * BAR
    np.testing.assert_array_equal(whole.bars, np.arange(6) * BAR)


def test_syllables_of_the_second_verse_are_sung_the_second_time():
    words = [
        Mark(0, "lyric", "one", 0, value=1),
        Mark(0, "lyric", "two", 0, value=2),
        Mark(BAR, "lyric", "all", 0, value=1),
    ]
    whole = unfold(piece(3, (2, "repeat-end"), marks=tuple(words)))
    sung = [(m.tick // BAR, m.text, m.value) for m in whole.marks if m.kind == "lyric"]
    assert sung == [(0, "one", 1), (1, "all", 1), (2, "two", 1), (3, "all", 1)]


def test_marks_markers_and_pedals_are_carried():
    marks = (Mark(0, "dynamic", "p", 0), Mark(0, "hairpin", "<", 0, 3 * BAR), Mark(2 * BAR, "barline", "double"))
    pedal = np.array([(BAR, 0, 64, 127), (2 * BAR + 9, 0, 64, 0)], CONTROL)
    score = piece(3, (2, "repeat-end"), marks=marks, markers=(Marker(BAR, "hit"),), controls=pedal)
    whole = unfold(score)
    assert [m.tick // BAR for m in whole.marks if m.kind == "dynamic"] == [0, 2]
    assert [(m.tick // BAR, m.end // BAR) for m in whole.marks if m.kind == "hairpin"] == [(0, 2), (2, 5)]
    assert [m.tick // BAR for m in whole.marks if m.text == "double"] == [2, 4]
    assert [m.tick // BAR for m in whole.markers] == [1, 3]
    down = [(int(c["tick"]), int(c["value"])) for c in whole.controls]
    assert down == [(BAR, 127), (2 * BAR, 0), (3 * BAR, 127), (4 * BAR, 127), (4 * BAR + 9, 0)] or down == [
        (BAR, 127), (2 * BAR, 0), (3 * BAR, 127), (4 * BAR + 9, 0)
    ]  # fmt: skip


def test_a_note_held_into_the_first_ending_ends_where_the_music_jumps():
    score = piece(4, (1, "ending-start:1"), (2, "ending-stop:1"), (2, "repeat-end"), (2, "ending-start:2"))
    notes = score.notes.copy()
    notes["duration"][0] = 2 * BAR
    whole = unfold(score.replace(notes=notes))
    first = whole.notes[whole.notes["pitch"] == 60]
    assert first["duration"].tolist() == [2 * BAR, BAR]
    assert any("held over a jump" in item.what for item in whole.import_log)


def test_pickup_and_last_bar_make_one_bar_in_time():
    ticks = note_rows([(0, 480, 60, 80, 0), (480, BAR, 62, 80, 0), (480 + BAR, 1440, 64, 80, 0)])
    bars = np.array([0, 480, 480 + BAR, 480 + BAR + 1440])
    score = Score(notes=ticks, parts=(Part(),), barlines=bars, marks=(Mark(int(bars[-1]), "barline", "repeat-end"),))
    whole = unfold(score)
    assert whole.notes["pitch"].tolist() == [60, 62, 64] * 2
    assert np.diff(whole.bars).tolist() == [480, BAR, 1440] * 2


def test_repeats_without_end_are_refused_in_one_line():
    nested = [(i, "repeat-start") for i in range(40)] + [(41 + i, "repeat-end") for i in range(40)]
    with pytest.raises(ScoreError, match="more than 1,000 bars"):
        unfold(piece(90, *nested[:40], *nested[40:]), most_bars=1000)
    with pytest.raises(ScoreError, match="more than 100,000 bars"):
        unfold(piece(2, (1, "repeat-end x999999999")))
    with pytest.raises(ScoreError, match="notes"):
        unfold(piece(2, (1, "repeat-end x50")), most_notes=20)


def bars_played(score: Score) -> list[int]:
    starts = score.bars[:-1]
    return [i for a, b in playing_order(score) for i in np.flatnonzero((starts >= a) & (starts < b)).tolist()]


def suite_file(name: str) -> Path:
    import music21

    return next((Path(music21.__file__).parent / "musicxml" / "lilypondTestSuite").glob(f"{name}*"))


# played by hand from the printed bars; music21 plays 45a and 45b alike, repeats 45c's bar 1, drops a repeat of 45e
# and refuses the others
SUITE = {
    "45a": [1, 1, 1, 1, 1, 2],
    "45b": [1, 2, 1, 3, 4],
    "45c": [1, *[2, 3] * 5, *[4, 5, 6, 7] * 3, 8],
    "45d": [1, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    "45e": [1, 2, 1, 3, 4, 5, 5, 6, 7, 6, 8, 9, 8, 9, 10],
    "45f": [1, 2, 3, 4, 1, 2, 3, 4, 5],
    "45g": [1, 2],
}


@pytest.mark.parametrize("name", SUITE)
def test_the_conformance_suites_repeats(name):
    assert [bar + 1 for bar in bars_played(read_musicxml(suite_file(name)))] == SUITE[name]


CORPUS = (
    "bach/bwv8.6.mxl",
    "bach/bwv101.7.mxl",
    "leadSheet/berlinAlexandersRagtime.mxl",
    "leadSheet/fosterBrownHair.mxl",
    "mozart/k155/movement3.mxl",
    "schumann_robert/opus41no1/movement3.mxl",
)


@pytest.mark.parametrize("name", CORPUS)
def test_real_scores_are_played_in_the_order_music21_finds(name):
    from music21 import converter, corpus, stream

    paths = [p for p in corpus.getCorePaths() if str(p).endswith(name)]
    assert paths, f"the corpus of music21 has no {name}"
    score = read_musicxml(paths[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = converter.parse(paths[0], forceSource=True).parts[0]
        for i, measure in enumerate(part.getElementsByClass(stream.Measure)):
            measure.number = i
        expanded = part.expandRepeats()
    assert bars_played(score) == [m.number for m in expanded.getElementsByClass(stream.Measure)]


def test_a_polonaise_ends_at_fine():
    """Op. 1 no. 4: three repeated strains, the middle one before D.C. al Fine; music21 leaves the da capo out."""
    from music21 import corpus

    path = next((p for p in corpus.getCorePaths() if str(p).endswith("schumann_clara/polonaise_op1n4.mxl")), None)
    assert path is not None, "the corpus of music21 has no polonaise"
    strains = [range(0, 8), range(0, 8), range(8, 16), range(8, 16), range(16, 32), range(16, 32)]
    strains += [range(32, 40), range(32, 40), range(0, 16)]
    assert bars_played(read_musicxml(path)) == [bar for strain in strains for bar in strain]


def test_a_menuet_is_played_with_its_da_capo(shared_data):
    """Op. 21, third movement: menuet and trio in two repeated halves each, then the menuet without repeats."""
    score = read_musicxml(shared_data / "openscore_orchestra" / "Beethoven_Op.21_3.mxl")
    quarter = score.ticks_per_quarter
    quarters = [(a / quarter, b / quarter) for a, b in playing_order(score)]
    assert quarters == [(0, 24), (0, 237), (24, 309), (237, 411), (309, 411), (0, 237)]
    whole = unfold(score)
    assert whole.length == sum(b - a for a, b in playing_order(score))
    again = read_musicxml(musicxml_bytes(score))
    assert playing_order(again) == playing_order(score)


def test_the_public_name():
    assert rm.unfold is unfold
