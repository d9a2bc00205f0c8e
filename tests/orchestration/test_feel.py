"""Grooves, swing and ornaments: added where the style wants them, and nothing written moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orchestration_builders as builders
import pytest
from orchestration_invariants import assert_sound, missing_leads

from rescore_music.candidate import Realization
from rescore_music.orchestration import orchestrate
from rescore_music.orchestration.feel import swung
from rescore_music.score import GRACE, METER, Articulation, Part, Score, note_rows
from rescore_music.structure import Analysis, Cadence, Role
from rescore_music.template import RoleStyle, load_template, templates
from rescore_music.template.pattern_file import shipped_pattern
from rescore_music.tempo import TempoMap

TPQ, BAR, PHRASE = builders.TPQ, builders.BAR, builders.PHRASE
PLAIN = {role: RoleStyle() for role in Role if role >= 0}
BAND = (("electric-guitar", 1, 6), ("piano", 1, 8), ("electric-bass", 1, 1), ("drum-kit", 1, 4))
GROOVES = [name for name in templates().patterns if shipped_pattern(name).texture == "drums"]
Cue = tuple[Score, Analysis]


@pytest.fixture(scope="module")
def quiet_cue() -> Cue:
    """The small cue without its drums."""
    score, analysis = builders.cue()
    keep = score.notes["part"] < 5
    lines = tuple(
        replace(line, notes=np.flatnonzero(score.notes["part"][keep] == line.part)) for line in analysis.lines
    )
    return score.replace(notes=score.notes[keep]), replace(
        analysis, line_of=analysis.line_of[keep], voices=analysis.voices[keep], lines=lines
    )


def grooving(cue: Cue, name: str, rows: tuple[tuple[str, int, int], ...] = BAND, **style: object) -> Realization:
    roles = PLAIN | {Role.PERCUSSION: RoleStyle(pattern=name)}
    return orchestrate(cue[0], builders.template(rows, roles=roles, **style), analysis=cue[1], n=1)[0].realization


def drums(one: Realization) -> list[tuple[int, int]]:
    """(tick, drum key) of what the drums play."""
    notes = one.score.notes[~one.score.pitched]
    return list(zip(notes["onset"].tolist(), notes["pitch"].tolist(), strict=True))


@pytest.mark.parametrize("name", GROOVES)
def test_every_groove_keeps_the_promises(name: str, quiet_cue: Cue) -> None:
    one = grooving(quiet_cue, name)
    roles = PLAIN | {Role.PERCUSSION: RoleStyle(pattern=name)}
    assert_sound(*quiet_cue, builders.template(BAND, roles=roles), one)
    assert not missing_leads(*quiet_cue, one, chords=False)
    assert drums(one)
    assert np.all(one.origin[~one.score.pitched] == -1)


def test_bass_drum_on_one_and_three_snare_on_two_and_four(quiet_cue: Cue) -> None:
    played = set(drums(grooving(quiet_cue, "rock-beat")))
    bar = PHRASE  # the second phrase, of middling intensity
    assert {(bar, 36), (bar + TPQ, 38), (bar + 2 * TPQ, 36), (bar + 3 * TPQ, 38)} <= played
    assert (bar + TPQ, 36) not in played
    assert all((bar + i * TPQ // 2, 42) in played for i in range(8))


def test_louder_phrases_are_fuller_end_in_a_fill_and_open_with_a_crash(quiet_cue: Cue) -> None:
    played = drums(grooving(quiet_cue, "rock-beat"))
    in_phrase = [{key for tick, key in played if tick // PHRASE == p} for p in range(4)]
    assert 37 in in_phrase[0]  # side stick where it is soft
    assert 51 in in_phrase[3]  # ride where it is loud
    assert 42 not in {key for tick, key in played if 3 * PHRASE <= tick < 3 * PHRASE + 3 * BAR}
    crashes = [tick for tick, key in played if key == 49]
    assert crashes == [2 * PHRASE, 3 * PHRASE]
    last = [key for tick, key in played if 2 * PHRASE - BAR <= tick < 2 * PHRASE]
    assert 41 in last  # toms lead on
    assert 41 not in [key for tick, key in played if PHRASE <= tick < 2 * PHRASE - BAR]


@pytest.mark.parametrize(("meter", "kicks"), [((3, 4), [0.0]), ((6, 8), [0.0, 2.5]), ((5, 4), [0.0, 3.0])])
def test_a_groove_knows_the_meter(meter: tuple[int, int], kicks: list[float], quiet_cue: Cue) -> None:
    score, analysis = quiet_cue
    one = grooving((score.replace(meters=np.array([(0, *meter)], METER)), analysis), "rock-beat")
    bars = one.score.bars
    number = int(one.score.bar_of(PHRASE)) + 1
    first = [
        (tick - int(bars[number])) / TPQ for tick, key in drums(one) if key == 36 and one.score.bar_of(tick) == number
    ]
    assert first == kicks


def test_a_cue_with_drums_keeps_its_own_and_a_band_without_a_drummer_has_none(small_cue: Cue, quiet_cue: Cue) -> None:
    kept = grooving(small_cue, "rock-beat")
    assert np.all(kept.origin[~kept.score.pitched] >= 0)
    replaced = grooving(small_cue, "rock-beat", percussion="drop")
    assert np.all(replaced.origin[~replaced.score.pitched] == -1)
    assert not drums(grooving(quiet_cue, "rock-beat", builders.STRINGS))


def test_chip_drums_share_one_channel(quiet_cue: Cue) -> None:
    one = grooving(quiet_cue, "chip-drums", builders.CHIPTUNE)
    onsets = [tick for tick, _ in drums(one)]
    assert len(onsets) == len(set(onsets)) > 50


def eighths(tempo: float = 120.0, meter: tuple[int, int] = (4, 4), step: int = TPQ // 2) -> Score:
    rows = [(i * step, step, 60 + i % 5, 80, 0) for i in range(16)]
    return Score(
        notes=note_rows(rows),
        parts=(Part("Sax"),),
        meters=np.array([(0, *meter)], METER),
        tempo=TempoMap.constant(tempo, TPQ),
    )


def test_swing_is_played_and_not_written() -> None:
    straight = eighths()
    made = swung(straight, 2 / 3)
    assert np.array_equal(made.notes["onset"], straight.notes["onset"])
    assert np.array_equal(made.notes["duration"], straight.notes["duration"])
    played = made.sounding()
    assert played["onset"][:4].tolist() == [0, 320, 480, 800]
    assert played["duration"][:4].tolist() == [320, 160, 320, 160]
    assert [m.text for m in made.marks] == ["Swing"]
    assert swung(straight, 0.5) is straight


def test_what_is_swung_already_or_not_in_beats_of_a_quarter_stays_straight() -> None:
    triplets = eighths(step=TPQ // 3)
    assert np.array_equal(swung(triplets, 2 / 3).sounding()["onset"], triplets.notes["onset"])
    jig = eighths(meter=(6, 8))
    assert np.array_equal(swung(jig, 2 / 3).sounding()["onset"], jig.notes["onset"])


def test_swing_flattens_where_the_music_is_fast() -> None:
    late = [int(swung(eighths(bpm), 2 / 3).sounding()["onset"][1]) for bpm in (100, 200, 250, 300)]
    assert late == [320, 320, 280, 240]


def test_jazz_swings_in_the_band(quiet_cue: Cue) -> None:
    score, analysis = quiet_cue
    made = orchestrate(score, load_template("big-band/jazz"), analysis=analysis, n=1)[0].realization
    late = made.score.notes["onset"] % TPQ == TPQ // 2
    assert late.any()
    assert np.all(made.score.notes["onset_shift"][late] == round(0.14 * TPQ))
    assert not missing_leads(score, analysis, made, chords=False)
    kept = replace(load_template("big-band/jazz"), keep=("Tune",))
    assert not orchestrate(score, kept, analysis=analysis, n=1)[0].score.notes["onset_shift"].any()


def test_the_note_before_a_close_is_trilled_once_and_only_by_step() -> None:
    score, analysis = builders.cue(2)
    close = Cadence(PHRASE, "perfect authentic", 0, "major", start=PHRASE - BAR)
    style = {"ornaments": ("cadential-trill",)}
    known = replace(analysis, cadences=(close,))
    one = orchestrate(score, builders.template(builders.STRINGS, **style), analysis=known, n=1)[0].score
    trilled = one.notes[(one.notes["articulation"] & int(Articulation.TRILL)) != 0]
    assert not len(trilled)  # A to C is no step
    notes = score.notes.copy()
    notes["pitch"][(notes["part"] == 0) & (notes["onset"] == PHRASE - TPQ)] = 71
    one = orchestrate(score.replace(notes=notes), builders.template(builders.STRINGS, **style), analysis=known, n=1)[0]
    trilled = one.score.notes[(one.score.notes["articulation"] & int(Articulation.TRILL)) != 0]
    assert trilled["onset"].tolist() == [PHRASE - TPQ]
    assert trilled["pitch"].tolist() == [71]


def test_grace_notes_are_added_before_long_notes_and_take_no_time() -> None:
    score, analysis = builders.cue(2)
    keep = (score.notes["part"] != 0) | (score.notes["onset"] % BAR == 0)
    notes = score.notes[keep].copy()
    notes["duration"][notes["part"] == 0] = BAR
    thin = score.replace(notes=notes)
    known = replace(analysis, line_of=analysis.line_of[keep], voices=analysis.voices[keep])
    template = builders.template(builders.QUINTET, ornaments=("grace-notes",))
    made = orchestrate(thin, template, analysis=known, n=1)[0].realization
    grace = (made.score.notes["articulation"] & GRACE) != 0
    assert grace.any()
    assert np.all(made.score.notes["duration"][grace] == 0)
    assert np.all(made.origin[grace] == -1)
    assert_sound(thin, known, template, made)
