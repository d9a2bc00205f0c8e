"""The written-out score: nothing out of range, nothing unaccounted for, melody and bass whole."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders
import pytest
from orchestration_invariants import assert_sound, missing_leads

import rescore_music as rm
from rescore_music.candidate import Assignment
from rescore_music.orchestration import orchestrate, realize
from rescore_music.playability import violations
from rescore_music.score import BEND, CONTROL, Articulation, Mark, Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Phrase, Role
from rescore_music.template import RoleStyle, Template, load_template, templates

Cue = tuple[Score, Analysis]
FORCES = ("symphony", "string-orchestra", "wind-quintet", "brass-band", "chamber-nine", "chiptune")
STYLES = ("romantic-film", "baroque", "minimalist", "epic-hybrid", "eight-bit")


def one_line(rows: list[tuple[int, int, int, int, int]], role: Role = Role.MELODY, **fields: object) -> Cue:
    """A cue of one part, one line, one phrase."""
    score = Score(notes=note_rows(rows), parts=(Part("Solo"),), length=8 * builders.BAR, **fields)  # type: ignore[arg-type]
    count = len(score.notes)
    analysis = Analysis(
        voices=np.zeros(count, np.int16),
        line_of=np.zeros(count, np.int32),
        lines=(Line(0, 0, np.arange(count)),),
        phrases=(Phrase(0, score.length, "A"),),
        roles=np.full((1, 1), int(role), np.int8),
        confidence=np.ones((1, 1), np.float32),
        doubles=np.full((1, 1), -1, np.int32),
        intensity=np.full(8, 0.5),
    )
    return score, analysis


def take(cue: Cue, template: Template) -> Score:
    return orchestrate(cue[0], template, analysis=cue[1], n=1)[0].score


def test_catalogue_has_the_thirty() -> None:
    names = templates()
    assert set(FORCES) <= set(names.forces)
    assert set(STYLES) <= set(names.styles)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("forces", FORCES)
def test_thirty_combinations_on_the_small_cue(forces: str, style: str, small_cue: Cue) -> None:
    score, analysis = small_cue
    template = load_template(f"{forces}/{style}")
    for one in orchestrate(score, template, analysis=analysis, n=3):
        assert_sound(score, analysis, template, one.realization)
        if template.style.percussion == "drop":
            assert not any(p.percussion for p in one.score.parts)


@pytest.mark.parametrize(
    "name", ["symphony/romantic-film", "wind-quintet/baroque", "chiptune/eight-bit", "brass-band/epic-hybrid"]
)
def test_real_cues(name: str, game_cue: Cue) -> None:
    score, analysis = game_cue
    template = load_template(name)
    for one in orchestrate(score, template, analysis=analysis, n=2):
        assert_sound(score, analysis, template, one.realization)


@pytest.mark.parametrize("forces", FORCES)
@pytest.mark.parametrize("style", ["romantic-film", "minimalist"])
def test_beethoven_keeps_every_melody_and_bass_note(forces: str, style: str, beethoven: Cue) -> None:
    score, analysis = beethoven
    template = load_template(f"{forces}/{style}")
    made = orchestrate(score, template, analysis=analysis, n=1)[0].realization
    assert_sound(score, analysis, template, made)
    if forces != "chiptune":  # three pitched voices cannot hold the quartet's double stops
        assert not missing_leads(score, analysis, made, chords=True)


def test_a_low_tune_for_flute_goes_up_whole_phrases_not_single_notes() -> None:
    tune = [55, 57, 59, 60, 62, 64, 65, 67]
    rows = [(i * 480, 480, p, 80, 0) for i, p in enumerate(tune)]
    template = builders.template((("flute", 1, 1),))
    made = take(one_line(rows), template)
    moved = made.notes["pitch"].astype(int) - tune
    assert set(moved.tolist()) == {12}


def test_a_tune_wider_than_the_instrument_folds_at_its_leaps() -> None:
    tune = [40, 43, 47, 84, 86, 88, 41, 45]
    rows = [(i * 480, 480, p, 80, 0) for i, p in enumerate(tune)]
    made = take(one_line(rows), builders.template((("clarinet-bb", 1, 1),)))
    moved = (made.notes["pitch"].astype(int) - tune).tolist()
    assert made.notes["pitch"].min() >= 50
    assert moved[0] == moved[1] == moved[2]
    assert moved[3] == moved[4] == moved[5]
    assert moved[6] == moved[7]


def test_legato_overlap_is_trimmed_on_one_player_and_counted() -> None:
    rows = [(i * 480, 600, 72 + i, 80, 0) for i in range(8)]
    cue = one_line(rows)
    made = orchestrate(cue[0], builders.template((("oboe", 1, 1),)), analysis=cue[1], n=1)[0].realization
    assert made.score.notes["duration"].tolist() == [480] * 7 + [600]
    assert sum(i.count for i in made.log if i.what.startswith("shortened") and not i.lost) == 7


def test_a_chordal_tune_is_divided_among_players_from_the_top() -> None:
    rows = [(i * 480, 480, p, 80, 0) for i in range(8) for p in (67, 72, 76)]
    cue = one_line(rows)
    made = take(cue, builders.template((("flute", 1, 1), ("oboe", 1, 1), ("clarinet-bb", 1, 1))))
    assert sorted({(int(n["part"]), int(n["pitch"])) for n in made.notes})
    assert len(made.notes) == 24
    tops = {int(n["pitch"]) for n in made.notes if n["part"] == made.notes["part"][made.notes["pitch"] == 76][0]}
    assert tops == {76}


def test_harmony_is_thinned_from_the_inside_and_told() -> None:
    rows = [(i * 480, 480, p, 80, 0) for i in range(8) for p in (60, 64, 67, 72)]
    cue = one_line(rows, Role.HARMONY)
    made = orchestrate(cue[0], builders.template((("flute", 1, 1), ("oboe", 1, 1))), analysis=cue[1], n=1)[
        0
    ].realization
    assert {int(p) for p in made.score.notes["pitch"]} >= {72}
    assert sum(i.count for i in made.log if i.lost) == 16


def test_pedal_becomes_length_for_strings_and_stays_pedal_for_piano() -> None:
    rows = [(i * 480, 240, 60 + 2 * i, 80, 0) for i in range(4)]
    controls = np.array([(0, 0, 64, 127), (1900, 0, 64, 0)], CONTROL)
    cue = one_line(rows, controls=controls)
    strings = take(cue, builders.template((("violin", 8, 1),)))
    assert strings.notes["duration"].tolist() == [480, 480, 480, 460]
    assert not np.any(strings.controls["number"] == 64)
    piano = take(cue, builders.template(builders.PIANO))
    assert piano.notes["duration"].tolist() == [240] * 4
    assert piano.controls[piano.controls["number"] == 64]["value"].tolist() == [127, 0]


def test_bends_and_expression_follow_a_line_that_a_seat_plays_alone() -> None:
    rows = [(i * 480, 480, 72, 80, 0) for i in range(8)]
    controls = np.array([(0, 0, 101, 0), (0, 0, 100, 0), (0, 0, 6, 12), (960, 0, 11, 90)], CONTROL)
    bends = np.array([(480, 0, 4096), (960, 0, 0)], BEND)
    cue = one_line(rows, controls=controls, bends=bends)
    violin = take(cue, builders.template((("violin", 8, 2),)))
    assert violin.bends["value"].tolist() == [4096, 0]
    assert (6, 12) in zip(violin.controls["number"].tolist(), violin.controls["value"].tolist(), strict=True)
    assert 90 in violin.controls["value"][violin.controls["number"] == 11]
    made = orchestrate(cue[0], builders.template(builders.PIANO), analysis=cue[1], n=1)[0].realization
    assert not len(made.score.bends)
    assert any("bend" in item.what for item in made.log)


def test_slurs_go_with_the_line_and_lyrics_only_to_singers() -> None:
    rows = [(i * 480, 480, 72 + i, 80, 0) for i in range(4)]
    marks = (Mark(0, "slur", part=0, end=960), Mark(0, "lyric", "Ah", part=0), Mark(0, "tempo", "Adagio"))
    cue = one_line(rows, marks=marks)
    made = orchestrate(cue[0], builders.template((("oboe", 1, 1),)), analysis=cue[1], n=1)[0].realization
    kinds = {(m.kind, m.part) for m in made.score.marks}
    assert {("slur", 0), ("tempo", -1), ("dynamic", 0)} <= kinds
    assert "lyric" not in {m.kind for m in made.score.marks}
    assert any("syllables" in item.what for item in made.log)
    sung = take(cue, builders.template((("soprano", 1, 1),)))
    assert [m.text for m in sung.marks if m.kind == "lyric"] == ["Ah"]


def test_melody_stands_out_of_its_accompaniment(small_cue: Cue) -> None:
    from rescore_music.instruments import instrument, power_db

    score, analysis = small_cue
    one = orchestrate(score, builders.template(), analysis=analysis, n=1)[0]
    notes, roles = one.score.notes, np.full(len(one.origin), -1)
    known = one.origin >= 0
    roles[known] = analysis.note_roles(score.notes["onset"])[one.origin[known]]
    level = np.array(
        [
            power_db(
                instrument(one.score.parts[n["part"]].instrument),
                n["pitch"],
                n["velocity"],
                players=one.score.parts[n["part"]].players,
            )
            for n in notes
        ]
    )
    phrase = notes["onset"] // builders.PHRASE
    for p in range(6):
        tune = level[(roles == int(Role.MELODY)) & (phrase == p)].mean()
        for role in (Role.HARMONY, Role.FIGURATION):
            other = level[(roles == int(role)) & (phrase == p)]
            assert not len(other) or tune - other.mean() > 2.0


def test_louder_phrases_are_played_louder_and_marked_so(small_cue: Cue) -> None:
    made = take(small_cue, builders.template(builders.STRINGS, contrast=0.0))
    phrase = made.notes["onset"] // builders.PHRASE
    mean = [float(made.notes["velocity"][phrase == p].mean()) for p in range(6)]
    assert mean[0] < mean[1] < mean[3]
    assert mean[4] < mean[3]
    assert {m.kind for m in made.marks} >= {"dynamic", "hairpin"}


@pytest.mark.parametrize("pattern", ["sustain", "repeat", "tremolo", "arpeggio", "alberti", "octaves", "pulse"])
def test_patterns_leave_melody_and_bass_alone(pattern: str, small_cue: Cue) -> None:
    score, analysis = small_cue
    plain = {role: RoleStyle() for role in Role if role >= 0}
    styled = plain | {Role.HARMONY: RoleStyle(pattern=pattern), Role.FIGURATION: RoleStyle(pattern=pattern)}
    template = builders.template(builders.STRINGS, roles=styled)
    made = orchestrate(score, template, analysis=analysis, n=1)[0].realization
    assert_sound(score, analysis, template, made)
    assert not missing_leads(score, analysis, made, chords=True)
    before = orchestrate(score, builders.template(builders.STRINGS), analysis=analysis, n=1)[0].score
    if pattern == "tremolo":
        assert np.any(made.score.notes["articulation"] & int(Articulation.TREMOLO))
    elif pattern != "sustain":
        assert len(made.score.notes) > len(before.notes)
        assert np.any(made.origin < 0)


def test_arpeggio_keeps_to_the_chord(small_cue: Cue) -> None:
    score, analysis = small_cue
    roles = {role: RoleStyle() for role in Role if role >= 0} | {
        Role.HARMONY: RoleStyle(pattern="arpeggio", pattern_unit=0.25)
    }
    made = orchestrate(score, builders.template(builders.PIANO, roles=roles), analysis=analysis, n=1)[0].realization
    for note in made.score.notes[made.origin < 0]:
        bar = int(note["onset"]) // builders.BAR % 4
        assert int(note["pitch"]) % 12 in {
            p % 12 for p in ((60, 64, 67), (60, 64, 69), (60, 65, 69), (59, 62, 67))[bar]
        }


def test_staccato_keeps_its_written_length(small_cue: Cue) -> None:
    rows = [(i * 480, 480, 72 + i % 3, 80, 0) for i in range(8)]
    cue = one_line(rows)
    roles = {role: RoleStyle(articulation="staccato", duration=0.5) for role in Role if role >= 0}
    made = take(cue, builders.template((("oboe", 1, 1),), roles=roles))
    assert np.all(made.notes["articulation"] & int(Articulation.STACCATO))
    assert made.notes["duration"].tolist() == [480] * 8
    assert made.sounding()["duration"].tolist() == [240] * 8


def test_light_percussion_keeps_the_beats_only(small_cue: Cue) -> None:
    score, analysis = small_cue
    made = take(small_cue, builders.template(percussion="light"))
    drums = made.notes[~made.pitched]
    assert len(drums)
    assert np.all(drums["onset"] % builders.TPQ == 0)
    assert not (~take((score, analysis), builders.template(percussion="drop")).pitched).any()


def test_parts_are_written_as_players_read_them(small_cue: Cue) -> None:
    made = take(small_cue, builders.template())
    horn = next(p for p in made.parts if p.instrument == "horn-f")
    assert (horn.transposition, horn.diatonic, horn.group) == (-7, -4, "brass")
    harp = next((p for p in made.parts if p.instrument == "harp"), None)
    assert harp is None or harp.staves == 2
    assert len({(p.channel, p.port) for p in made.parts}) == len(made.parts)
    assert all((p.channel == 9) == p.percussion for p in made.parts)


def test_realize_takes_edited_assignments(small_cue: Cue) -> None:
    """Bars 17-24: horns take the tune. An override is a change of assignments."""
    from dataclasses import replace

    score, analysis = small_cue
    template = builders.template()
    seats = [s.instrument.id for s in template.forces.seats]
    one = orchestrate(score, template, analysis=analysis, n=1)[0]
    edited = tuple(
        replace(a, seat=seats.index("horn-f"), octaves=-1) if (a.line, a.phrase, a.doubling) == (0, 4, False) else a
        for a in one.assignments
    )
    made = realize(score, analysis, template, edited)
    assert_sound(score, analysis, template, made)
    horn = next(i for i, p in enumerate(made.score.parts) if p.instrument == "horn-f")
    played = {int(o) for o in made.origin[made.score.notes["part"] == horn]}
    tune = np.flatnonzero((score.notes["part"] == 0) & (score.notes["onset"] // builders.PHRASE == 4))
    assert set(tune.tolist()) <= played


@pytest.mark.parametrize("name", ["symphony/epic-hybrid", "string-orchestra/baroque", "chiptune/eight-bit"])
def test_a_full_score_for_other_forces(name: str, symphony_movement: Cue) -> None:
    score, analysis = symphony_movement
    template = load_template(name)
    assert_sound(score, analysis, template, orchestrate(score, template, analysis=analysis, n=1)[0].realization)


def test_results_break_the_rules_of_playability_more_rarely_than_masters_do(symphony_movement: Cue) -> None:
    score, analysis = symphony_movement

    def per_thousand(one: Score) -> float:
        rules = ("range", "agility", "breath", "leap", "repeated-notes")
        return 1000 * len(violations(one, rules=rules)) / len(one.notes)

    human = per_thousand(score)
    assert 0 < human < 15
    assert per_thousand(take((score, analysis), load_template("symphony/romantic-film"))) < max(human, 2.0)


def test_a_strong_voice_with_the_tune_is_not_marked_far_below_those_who_reinforce_it(small_cue: Cue) -> None:
    score, analysis = small_cue
    band = builders.template((("trombone", 3, 1), ("clarinet-bb", 2, 1), ("cello", 4, 1)))
    lead, bass = (tuple(Assignment(p, line, seat) for p in range(6)) for line, seat in ((0, 0), (2, 2)))
    reinforced = tuple(Assignment(p, 0, 1, doubling=True) for p in range(6))
    made = realize(score, analysis, band, (*lead, *reinforced, *bass))
    part = np.array([p.instrument for p in made.score.parts])[made.score.notes["part"]]
    velocity = made.score.notes["velocity"].astype(float)
    assert velocity[part == "trombone"].mean() > velocity[part == "clarinet-bb"].mean() - 12


@pytest.mark.parametrize("forces", ["string-quartet", "wind-quintet", "symphony", "brass-band"])
def test_a_group_of_grace_notes_stays_with_the_player_of_its_note(forces: str) -> None:
    """Turned upwards and above its note, as a shake before it; in the octave of the part, in its own order."""
    tune = [(i * builders.BAR, builders.BAR, 72 + i % 3, 80, 0) for i in range(8)]
    graces = [(i * builders.BAR, 0, 72 + i % 3 + step, 80, 0) for i in range(1, 8) for step in (2, 3)]
    score, analysis = one_line([*tune, *graces])
    notes = score.notes.copy()
    notes["articulation"][notes["duration"] == 0] = int(Articulation.APPOGGIATURA)
    marks = [Mark(i * builders.BAR, "grace", f"32nd {75 + i % 3} {74 + i % 3}", part=0) for i in range(1, 8)]
    out = take((score.replace(notes=notes, marks=tuple(marks)), analysis), load_template(f"{forces}/classical"))
    small = out.notes[out.notes["duration"] == 0]
    assert len(small) >= len(graces)
    for part in np.unique(small["part"]).tolist():
        own = out.notes[out.notes["part"] == part]
        for tick in np.unique(small["onset"][small["part"] == part]).tolist():
            here = own[own["onset"] == tick]
            steps = sorted((here["pitch"][here["duration"] == 0].astype(int) - here["pitch"].min()).tolist())
            assert steps == [2, 3]
            low = int(here["pitch"].min())
            assert [m.text for m in out.marks if (m.kind, m.part, m.tick) == ("grace", part, tick)] == [
                f"32nd {low + 3} {low + 2}"
            ]


def test_words_of_two_source_parts_stand_once() -> None:
    """Both oboes say "dolce" and "pizz." is told by the strings' notes, not by what stood in the source as well."""
    rows = [(i * 480, 480, p, 80, part) for i in range(32) for part, p in enumerate((72, 60))]
    notes = note_rows(sorted(rows))
    notes["articulation"][notes["onset"] >= 8 * 480] = int(Articulation.PIZZICATO)
    marks = [Mark(8 * 480, "technique", "pizz.", part) for part in range(2)]
    marks += [Mark(240 * part, "text", "dolce", part) for part in range(2)]
    score = Score(notes, (Part("Violin", instrument="violin"), Part("Cello", instrument="cello")), marks=tuple(marks))
    out = rm.orchestrate(score, load_template("string-quartet/classical"))[0].score
    for part in range(len(out.parts)):
        said = [m.text for m in out.marks if m.part == part and m.kind in ("text", "technique")]
        assert len(said) == len(set(said))
    assert {m.text for m in out.marks} >= {"dolce", "pizz."}
    alone = rm.orchestrate(score, load_template("piano-solo/classical"))[0]
    assert [m.tick for m in alone.score.marks if m.text == "dolce"] == [0]
    assert [item.count for item in alone.log if "said once" in item.what] == [1]  # and that is told
