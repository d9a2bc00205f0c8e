"""Figuration from data: the language, its places in the bar, and what no pattern may do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orchestration_builders as builders
import pytest
from orchestration_invariants import assert_sound, missing_leads

from rescore_music.candidate import Realization
from rescore_music.errors import TemplateError
from rescore_music.orchestration import orchestrate
from rescore_music.orchestration.grid import bar_list, beat_groups, laid
from rescore_music.score import METER, Part, Score, note_rows
from rescore_music.structure import Analysis, Chord, KeySpan, Line, Phrase, Role
from rescore_music.template import Louder, RoleStyle, load_template, templates
from rescore_music.template.pattern import Play, parse
from rescore_music.template.pattern_file import shipped_pattern

TPQ = builders.TPQ
PITCHED = [name for name in templates().patterns if shipped_pattern(name).texture != "drums"]
PLAIN = {role: RoleStyle() for role in Role if role >= 0}


def cue(
    meter: tuple[int, int], rows: list[tuple[float, float, int, int]], roles: list[Role], bars: int = 2
) -> tuple[Score, Analysis]:
    """One part a role; rows are (onset, duration) in quarters, pitch, part; C major throughout."""
    length = bars * TPQ * 4 * meter[0] // meter[1]
    notes = note_rows([(int(a * TPQ), int(d * TPQ), pitch, 80, part) for a, d, pitch, part in rows])
    parts = tuple(Part(role.name.title()) for role in roles)
    score = Score(notes=notes, parts=parts, length=length, meters=np.array([(0, *meter)], METER))
    line = score.notes["part"].astype(np.int32)
    return score, Analysis(
        voices=np.zeros(len(line), np.int16),
        line_of=line,
        lines=tuple(Line(i, 0, np.flatnonzero(line == i)) for i in range(len(roles))),
        phrases=(Phrase(0, length, "A"),),
        roles=np.array([[int(role)] for role in roles], np.int8),
        confidence=np.ones((len(roles), 1), np.float32),
        doubles=np.full((len(roles), 1), -1, np.int32),
        chords=(Chord(0, length, 0, "maj", 0),),
        keys=(KeySpan(0, length, 0, "major"),),
        intensity=np.full(bars, 0.5),
    )


def made(source: tuple[Score, Analysis], role: Role, pattern: str, **more: object) -> Realization:
    roles = PLAIN | {role: RoleStyle(pattern=pattern, **more)}  # type: ignore[arg-type]
    template = builders.template(builders.PIANO, roles=roles)
    return orchestrate(source[0], template, analysis=source[1], n=1)[0].realization


def struck(one: Realization, low: int = 0, high: int = 127) -> list[tuple[float, int]]:
    """(onset in quarters, pitch) of the notes between two pitches."""
    notes = one.score.notes[(one.score.notes["pitch"] >= low) & (one.score.notes["pitch"] <= high)]
    return [(onset / TPQ, pitch) for onset, pitch in zip(notes["onset"].tolist(), notes["pitch"].tolist(), strict=True)]


def test_a_figure_is_read_token_by_token() -> None:
    rest, hold, chord, low, high, both, root = parse(". | - x! 1, -1' 1+3? R")
    assert (rest.play, hold.play, chord.play, root.play) == (Play.REST, Play.HOLD, Play.ALL, Play.ROOT)
    assert (chord.stress, both.stress) == (1, -1)
    assert (low.voices, low.octave, high.voices, high.octave, both.voices) == ((1,), -1, (-1,), 1, (1, 3))
    assert [step.voices for step in parse("up-down", 4)] == [(1,), (2,), (3,), (4,), (3,), (2,)]
    with pytest.raises(ValueError, match="'y' is no token"):
        parse("x y")


@pytest.mark.parametrize(
    ("meter", "groups"),
    [
        ((4, 4), "two two"), ((3, 4), "three"), ((2, 4), "two"), ((5, 4), "three two"), ((7, 8), "two two three"),
        ((6, 8), "compound compound"), ((9, 8), "compound compound compound"), ((3, 8), "three"), ((2, 2), "two two"),
        ((6, 4), "three three"), ((5, 8), "three two"), ((1, 4), "two"),
    ],
)  # fmt: skip
def test_meters_are_built_of_twos_and_threes(meter: tuple[int, int], groups: str) -> None:
    found = beat_groups(meter)
    assert " ".join(name for name, _ in found) == groups
    assert sum(share for _, share in found) == pytest.approx(1.0)


def test_a_pickup_is_the_end_of_a_bar() -> None:
    score = Score(
        length=5 * TPQ, barlines=np.array([0, TPQ, 5 * TPQ]), parts=(Part(),), notes=note_rows([(0, TPQ, 60, 80, 0)])
    )
    grid = laid(bar_list(score), {}, {"two": parse("1 2"), "three": parse("1 2 3"), "compound": parse("1")})
    assert (grid.onset // TPQ).tolist() == [0, 1, 2, 3, 4]
    assert [token.voices[0] for token in grid.tokens] == [2, 1, 2, 1, 2]


@pytest.mark.parametrize(
    ("meter", "beats"),
    [((4, 4), [1, 3]), ((3, 4), [1, 2]), ((5, 4), [1, 2, 4]), ((6, 8), [1.0, 2.5]), ((2, 2), [1, 3])],
)
def test_chords_come_after_the_beat_in_every_meter(meter: tuple[int, int], beats: list[float]) -> None:
    quarters = 4 * meter[0] / meter[1]
    rows = [(0, quarters, 36, 0), *[(0, quarters, pitch, 1) for pitch in (60, 64, 67)]]
    one = made(cue(meter, rows, [Role.BASS, Role.HARMONY]), Role.HARMONY, "oompah")
    assert sorted({onset for onset, _ in struck(one, 48)}) == beats
    assert struck(one, 0, 47) == [(0.0, 36)]
    assert len(struck(one, 48)) == 3 * len(beats)


def test_without_a_bass_the_bar_begins_with_the_chord() -> None:
    one = made(cue((3, 4), [(0, 3, p, 0) for p in (60, 64, 67)], [Role.HARMONY]), Role.HARMONY, "oompah")
    assert sorted({onset for onset, _ in struck(one)}) == [0, 1, 2]


def test_chords_struck_again_and_again_become_one_before_the_figure() -> None:
    rows = [(0, 4, 36, 0), *[(beat / 2, 0.5, pitch, 1) for beat in range(8) for pitch in (60, 64, 67)]]
    one = made(cue((4, 4), rows, [Role.BASS, Role.HARMONY]), Role.HARMONY, "oompah")
    assert sorted({onset for onset, _ in struck(one, 48)}) == [1, 3]
    assert sum(item.count for item in one.log if item.lost) == 24 - 3


def test_where_the_source_is_quicker_than_the_figure_the_source_stands() -> None:
    quick = [(0, 4, 36, 0), *[(beat / 2, 0.5, 60 + 2 * beat, 1) for beat in range(8)]]
    one = made(cue((4, 4), quick, [Role.BASS, Role.HARMONY]), Role.HARMONY, "oompah")
    assert len(struck(one, 48)) == 8


def test_a_bass_walks_between_its_own_notes() -> None:
    rows = [(0, 4, 36, 0), (4, 2, 41, 0), (6, 2, 43, 0)]
    one = made(cue((4, 4), rows, [Role.BASS]), Role.BASS, "walking-bass")
    # root, third, fifth, and the step below the F that follows; under the F, on three, its own G
    assert struck(one)[:4] == [(0, 36), (1, 40), (2, 43), (3, 40)]
    assert [place for place in struck(one) if place[0] in (4, 6)] == [(4, 41), (6, 43)]
    assert one.origin[one.origin >= 0].tolist() == [0, 1, 2]


def test_two_beat_bass_answers_with_the_fifth() -> None:
    one = made(cue((4, 4), [(0, 4, 36, 0), (4, 4, 36, 0)], [Role.BASS]), Role.BASS, "two-beat-bass")
    assert struck(one) == [(0, 36), (2, 43), (4, 36), (6, 43)]


def test_a_broken_chord_takes_its_voices_in_turn() -> None:
    rows = [(0, 4, pitch, 0) for pitch in (60, 64, 67)]
    alberti = made(cue((4, 4), rows, [Role.HARMONY]), Role.HARMONY, "alberti")
    assert [pitch for _, pitch in struck(alberti)] == [60, 67, 64, 67] * 2
    sweep = made(cue((4, 4), rows, [Role.HARMONY]), Role.HARMONY, "wave")
    assert [pitch for _, pitch in struck(sweep)][:5] == [60, 64, 67, 64, 60]


def test_a_lone_voice_borrows_the_chord_and_changes_with_it() -> None:
    score, analysis = cue((4, 4), [(0, 4, 60, 0)], [Role.HARMONY])
    chords = (Chord(0, 2 * TPQ, 0, "maj", 0), Chord(2 * TPQ, 8 * TPQ, 5, "maj", 5))
    from dataclasses import replace

    one = made((score, replace(analysis, chords=chords)), Role.HARMONY, "arpeggio")
    first, second = (
        {p % 12 for at, p in struck(one) if at < 2},
        {p % 12 for at, p in struck(one) if at >= 2},
    )
    assert first == {0, 4, 7}
    assert second == {0, 5, 9}


@pytest.mark.parametrize("name", PITCHED)
def test_no_pattern_touches_melody_or_bass_or_leaves_the_harmony(name: str, small_cue: tuple[Score, Analysis]) -> None:
    score, analysis = small_cue
    pattern = shipped_pattern(name)
    for role in pattern.roles:
        for forces in (builders.PIANO, builders.STRINGS):
            template = builders.template(forces, roles=PLAIN | {role: RoleStyle(pattern=name)})
            one = orchestrate(score, template, analysis=analysis, n=1)[0].realization
            assert_sound(score, analysis, template, one)
            assert not missing_leads(score, analysis, one, chords=role is Role.BASS)
            if role is Role.BASS or "x'" in str(pattern.cycle):
                continue
            added = one.score.notes[one.origin < 0]
            starts = np.array([c.start for c in analysis.chords])
            chord = np.searchsorted(starts, added["onset"], side="right") - 1
            tones = [
                {(c.root + t) % 12 for t in {"maj": (0, 4, 7), "min": (0, 3, 7)}[c.quality]} for c in analysis.chords
            ]
            pcs, loud = (added["pitch"] % 12).tolist(), [score.notes["onset"].min(), score.length]
            assert all(pc in tones[c] for pc, c in zip(pcs, chord.tolist(), strict=True)), name
            assert np.all((added["onset"] >= loud[0]) & (added["onset"] + added["duration"] <= loud[1]))


def test_a_quick_figure_is_slowed_to_what_the_player_can_play() -> None:
    score, analysis = cue((4, 4), [(0, 4, p, 0) for p in (60, 64, 67)], [Role.HARMONY])
    template = builders.template(
        (("tubular-bells", 1, 4),), roles=PLAIN | {Role.HARMONY: RoleStyle(pattern="chip-arpeggio")}
    )
    one = orchestrate(score, template, analysis=analysis, n=1)[0].realization
    assert np.diff(np.unique(one.score.notes["onset"])).min() >= TPQ // 2  # four notes a second, at 120 to the minute


def test_louder_phrases_may_have_another_pattern(small_cue: tuple[Score, Analysis]) -> None:
    score, analysis = small_cue
    roles = PLAIN | {Role.HARMONY: RoleStyle(pattern="sustain", louder=(Louder(0.6, "pulse", 0.5),))}
    one = orchestrate(score, builders.template(builders.STRINGS, roles=roles), analysis=analysis, n=1)[0].realization
    added = one.score.notes["onset"][one.origin < 0] // builders.PHRASE
    assert set(added.tolist()) == {2, 3}  # intensities .2 .45 .7 .95 .2 .45


def test_strummed_strings_follow_each_other_and_stand_together_on_paper() -> None:
    score, analysis = cue((4, 4), [(0, 4, p, 0) for p in (52, 55, 60, 64)], [Role.HARMONY])
    template = builders.template((("guitar", 1, 6),), roles=PLAIN | {Role.HARMONY: RoleStyle(pattern="strum")})
    one = orchestrate(score, template, analysis=analysis, n=1)[0].score
    first = one.notes[one.notes["onset"] == 0]
    assert np.all(np.diff(first["onset_shift"][np.argsort(first["pitch"])]) > 0)
    up = one.notes[one.notes["onset"] == 3 * TPQ // 2]
    assert np.all(np.diff(up["onset_shift"][np.argsort(up["pitch"])]) < 0)
    assert np.array_equal(one.sounding()["onset"], one.notes["onset"] + one.notes["onset_shift"])


# -- a user's own ---------------------------------------------------------------------------------------------------

OWN = """version: 1
forces: string-quartet
style: classical
overrides:
  style:
    patterns:
      cradle: {cradle}
    roles:
      harmony: {{pattern: cradle}}
"""
CRADLE = 'texture: struck\ngroups: {two: "1 u", three: "1 u u", compound: "1 - u"}\n'

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_a_users_own_pattern_works_like_a_shipped_one(write: Write) -> None:
    inline = "{" + CRADLE.strip().replace("\n", ", ") + "}"
    here = load_template(write("inline.yaml", OWN.format(cradle=inline)))
    head = "version: 1\ntitle: Cradle\ndescription: Two lines, in truth one.\n"
    write("cradle.yaml", head + CRADLE)
    beside = load_template(write("beside.yaml", OWN.format(cradle="cradle.yaml")))
    assert here.style.patterns["cradle"].groups == beside.style.patterns["cradle"].groups
    assert here.style.patterns["cradle"].groups["two"] == parse("1 u")
    asked = load_template("symphony/march", {"style": {"roles": {"harmony": {"pattern": "stabs"}}}})
    assert asked.style.patterns["stabs"] == shipped_pattern("stabs")


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ('{texture: struck, cycle: "x q"}', "'q' is no token"),
        ("{texture: struck}", "neither 'cycle' nor 'bars'"),
        ('{texture: struck, bars: {4/4: "x"}}', "'groups' are missing"),
        ('{texture: struck, bars: {4/5: "x"}, groups: {two: x, three: x, compound: x}}', "'4/5' is no meter"),
        ("{texture: drums, levels: [{groups: {two: {gong: x}}}]}", "unknown drum 'gong'"),
        ('{texture: struck, roles: [bass], cycle: "x"}', "is for bass, not for harmony"),
        ("missing.yaml", "missing.yaml"),
    ],
)
def test_a_wrong_pattern_is_told_where_it_stands(pattern: str, told: str, write: Write) -> None:
    with pytest.raises(TemplateError) as caught:
        load_template(write("mine.yaml", OWN.format(cradle=pattern)))
    assert told in str(caught.value)
    assert "mine.yaml: line" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_melody_has_no_pattern_and_unknown_names_have_a_cure() -> None:
    with pytest.raises(TemplateError, match="melody keeps its own notes"):
        load_template("symphony/march", {"style": {"roles": {"melody": {"pattern": "pulse"}}}})
    with pytest.raises(TemplateError, match="unknown pattern 'arpegio'") as caught:
        load_template("symphony/march", {"style": {"roles": {"harmony": {"pattern": "arpegio"}}}})
    assert "arpeggio" in str(caught.value)


def test_a_file_of_its_own_that_is_wrong_is_told_by_its_own_lines(write: Write) -> None:
    write("cradle.yaml", "version: 1\ntitle: Cradle\ndescription: One.\ntexture: stuck\n")
    with pytest.raises(TemplateError, match=r"cradle\.yaml: line 4, column 10, texture: 'stuck'"):
        load_template(write("mine.yaml", OWN.format(cradle="cradle.yaml")))
