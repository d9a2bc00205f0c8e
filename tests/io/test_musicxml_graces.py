"""Grace notes keep what a player reads: order, chords, note values, and the side of the bar line they stand on."""

from __future__ import annotations

import random

import pytest
from lxml import etree
from test_musicxml_equal import again, differences
from test_musicxml_read import document, note

from rescore_music.io.musicxml.graces import Grace, group_of, group_text
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes

COMMON_TIME = "<time><beats>4</beats><beat-type>4</beat-type></time>"
REST = "<note><rest/><duration>2</duration><voice>1</voice></note>"


def grace(step, kind="16th", octave=5, attribute=""):
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note><grace{attribute}/>{pitch}<voice>1</voice><type>{kind}</type></note>"


def written(*measures):
    """(number of the measure, step, note value, beams) of each note as written, graces' steps in small letters."""
    score = read_musicxml(document(*measures, attributes=COMMON_TIME))
    assert differences(score, again(score)) == []
    found = []
    for n in etree.fromstring(musicxml_bytes(score)).iter("note"):
        step = n.findtext("pitch/step") or "rest"
        small = n.find("grace") is not None
        beams = " ".join(b.text for b in n.iter("beam"))
        found.append((n.getparent().get("number"), step.lower() if small else step, n.findtext("type"), beams))
    return found


def test_the_two_notes_that_end_a_trill_stay_before_the_bar_line():
    notes = written(note("D", 5, 4) + grace("C", "32nd") + grace("D", "32nd"), note("E", 5, 4))
    assert notes == [
        ("1", "D", "whole", ""),
        ("1", "c", "32nd", "begin begin begin"),
        ("1", "d", "32nd", "end end end"),
        ("2", "E", "whole", ""),
    ]


def test_grace_notes_on_both_sides_of_a_bar_line_keep_their_sides():
    after = grace("C") + grace("D")
    before = grace("D", "eighth", attribute=' slash="yes"')
    notes = written(note("D", 5, 4) + after, before + note("C", 5, 4))
    assert [(bar, step) for bar, step, _, _ in notes] == [("1", "D"), ("1", "c"), ("1", "d"), ("2", "d"), ("2", "C")]


def test_grace_notes_before_the_beat_stand_behind_the_bar_line():
    notes = written(note("D", 5, 4), grace("E", "eighth") + note("C", 5, 4))
    assert notes[1] == ("2", "e", "eighth", "")


@pytest.mark.parametrize(
    ("kinds", "beams"),
    [
        (("eighth", "eighth"), ["begin", "end"]),
        (("eighth", "16th", "16th"), ["begin", "continue begin", "end end"]),
        (("quarter",), [""]),
        (("quarter", "16th"), ["", ""]),
    ],
)
def test_note_values_of_grace_notes_are_kept(kinds, beams):
    notes = written("".join(grace(step, kind) for step, kind in zip("CDE", kinds, strict=False)) + note("F", 5, 4))
    assert [kind for _, step, kind, _ in notes if step.islower()] == list(kinds)
    assert [b for _, step, _, b in notes if step.islower()] == beams


def test_grace_notes_that_end_a_note_before_a_rest_come_back_there():
    notes = written(note("D", 5, 2) + grace("C") + grace("D") + REST, note("E", 5, 4))
    assert [step for _, step, _, _ in notes] == ["D", "c", "d", "rest", "E"]


def test_grace_notes_in_a_bar_that_is_filled_up_come_back_equal():
    short = note("D", 5, 2) + grace("C") + grace("D")
    long = note("C", 4, 4)
    score = read_musicxml(document(parts=[[short, long], [long, long]], attributes=COMMON_TIME))
    assert differences(score, again(score)) == []


def test_a_group_as_usual_needs_no_mark():
    assert group_text([Grace(71, "16th", False), Grace(73, "16th", False)]) == ""
    assert group_text([Grace(71, "eighth", False)]) == ""
    assert group_text([Grace(71, "", False)]) == ""
    assert group_text([Grace(73, "16th", False), Grace(71, "16th", False)]) == "73 71"
    assert group_text([Grace(71, "nonsense", False)]) == ""


def test_what_a_mark_says_is_read_whatever_it_says():
    assert group_of("32nd 71 72+74 eighth 76") == [("32nd", [71]), ("32nd", [72, 74]), ("eighth", [76])]
    assert group_of("²³ 1234 sausage 71+x") == [("", [71])]


KINDS = ("eighth", "16th", "32nd", "quarter")


def line(chance: random.Random, voice: int, staff: int) -> str:
    """A bar of one voice: notes, chords and rests with groups of grace notes before and after."""

    def element(length: int, *, small: bool = False, chord: bool = False, rest: bool = False) -> str:
        what = "<rest/>" if rest else f"<pitch><step>{chance.choice('CDEFGAB')}</step><octave>4</octave></pitch>"
        kind = f"<type>{chance.choice(KINDS)}</type>" if small else ""
        head = ("<grace/>" if small else "") + ("<chord/>" if chord else "")
        time = "" if small else f"<duration>{length}</duration>"
        return f"<note>{head}{what}{time}<voice>{voice}</voice>{kind}<staff>{staff}</staff></note>"

    def group() -> str:
        size = chance.choice((0, 0, 1, 2, 3))
        return "".join(element(0, small=True, chord=k > 0 and chance.random() < 0.2) for k in range(size))

    out, left = "", 4
    while left:
        length = chance.choice([n for n in (1, 2, 4) if n <= left])
        rest = left < 4 and chance.random() < 0.3
        out += group() + element(length, rest=rest)
        out += "" if rest or chance.random() < 0.8 else element(length, chord=True)
        left -= length
    return out + group()


@pytest.mark.parametrize("seed", range(40))
def test_whatever_stands_where_comes_back_equal(seed):
    chance = random.Random(seed)
    bars = []
    for _ in range(4):
        bar = line(chance, 1, 1)
        if chance.random() < 0.5:
            bar += f"<backup><duration>4</duration></backup>{line(chance, 2, chance.choice((1, 2)))}"
        bars.append(bar)
    score = read_musicxml(document(*bars, attributes=f"{COMMON_TIME}<staves>2</staves>"))
    assert differences(score, again(score)) == []
