"""A MusicXML score that is read, written and read again is the same score: every column, mark, part and bar line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from test_musicxml_read import document, note, suite_file

from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.signs import sign_text, sign_xml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.resources import samples_dir
from rescore_music.score import Articulation, Mark, Part, Score, note_rows

COLUMNS = ("notes", "meters", "keys", "controls", "bends", "programs", "barlines")


def differences(a: Score, b: Score) -> list[str]:
    """What two scores differ in, each with its count."""
    out = []
    for name in COLUMNS:
        left, right = getattr(a, name), getattr(b, name)
        if len(left) != len(right):
            out.append(f"{name}: {len(left)} became {len(right)}")
        elif left.dtype.names:
            out += [f"{name}.{f}: {n}" for f in left.dtype.names if (n := int(np.sum(left[f] != right[f])))]
        elif not np.array_equal(left, right):
            out.append(name)
    before, after = Counter(a.marks), Counter(b.marks)
    for word, found in (("lost", before - after), ("added", after - before)):
        kinds = Counter(m.kind for m in found.elements())
        out += [f"{kind} {word}: {n}" for kind, n in sorted(kinds.items())]
    for name in ("parts", "tempo", "length", "ticks_per_quarter", "markers"):
        if getattr(a, name) != getattr(b, name):
            out.append(name)
    if not out and a.digest() != b.digest():
        out.append("order of the marks")
    return out


def again(score: Score) -> Score:
    return read_musicxml(musicxml_bytes(score))


# what the writer adds on purpose: notes louder or softer than any mark says get one
KNOWN = {
    "99a-Sibelius5-IgnoreBeaming.xml": ["dynamic added: 1"],
}


def test_the_whole_conformance_suite_comes_back_equal():
    files = sorted(suite_file("").glob("*.[xm][mx]l"))
    assert len(files) == 143
    found = {}
    for path in files:
        score = read_musicxml(path)
        if different := differences(score, again(score)):
            found[path.name] = different
    assert found == KNOWN


@pytest.mark.parametrize(
    "name",
    [
        "Bach_BWV.1048_2",
        "Beethoven_Op.21_3",
        "Beethoven_Op.93_3",
        "Beethoven_Op.92_2",
        "Beethoven_Op.60_4",
        "Beethoven_Op.125_3",
    ],
)
def test_orchestral_movements_come_back_equal(name, shared_data):
    score = read_musicxml(shared_data / "openscore_orchestra" / f"{name}.mxl")
    assert differences(score, again(score)) == []


def test_the_samples_come_back_equal():
    files = sorted(samples_dir().glob("*.musicxml"))
    assert files
    for path in files:
        score = read_musicxml(path)
        found = differences(score, again(score))
        assert [d for d in found if not d.startswith("tempo ")] == [], path.name  # a tempo that sounds is printed


def notation(body: str) -> str:
    return f"<notations>{body}</notations>"


SIGNS = [
    ("<technical><fingering>3</fingering></technical>", "fingering=3"),
    ("<technical><string>2</string><fret>5</fret></technical>", "string=2"),
    ("<technical><bend><bend-alter>2</bend-alter></bend></technical>", "bend(bend-alter=2)"),
    ("<articulations><scoop/></articulations>", "scoop"),
    ("<ornaments><inverted-turn/></ornaments>", "inverted-turn"),
    ('<ornaments><wavy-line type="start" number="1"/></ornaments>', "wavy-line[type start,number 1]"),
    ('<slide type="start" number="1"/>', "slide[type start,number 1]"),
    ('<non-arpeggiate type="bottom"/>', "non-arpeggiate[type bottom]"),
]


@pytest.mark.parametrize(("body", "text"), SIGNS)
def test_what_stands_at_a_note_is_kept_with_it(body, text):
    score = read_musicxml(document(note(more=notation(body)) + note("D") + note("E", duration=2)))
    assert [(m.tick, m.kind, m.value) for m in score.marks if m.text == text] == [(0, "sign", 60.0)]
    data = musicxml_bytes(score)
    assert etree.tostring(etree.fromstring(body)) in data.replace(b"\n", b"") or sign_xml(text).encode() in data
    assert differences(score, read_musicxml(data)) == []


def test_a_fingering_stays_with_its_note_of_the_chord():
    upper = "<note><chord/><pitch><step>E</step><octave>4</octave></pitch><duration>4</duration><voice>1</voice>"
    upper += notation("<technical><fingering>4</fingering></technical>") + "</note>"
    lower = note(duration=4, more=notation("<technical><fingering>1</fingering></technical>"))
    score = read_musicxml(document(lower + upper))
    assert [(m.text, m.value) for m in score.marks] == [("fingering=1", 60.0), ("fingering=4", 64.0)]
    root = etree.fromstring(musicxml_bytes(score))
    assert [(n.findtext("pitch/step"), n.findtext(".//fingering")) for n in root.iter("note")] == [
        ("C", "1"),
        ("E", "4"),
    ]


def test_an_inverted_turn_sounds_as_a_turn_and_is_not_written_twice():
    score = read_musicxml(document(note(duration=4, more=notation("<ornaments><inverted-turn/></ornaments>"))))
    assert score.notes["articulation"].tolist() == [int(Articulation.TURN)]
    root = etree.fromstring(musicxml_bytes(score))
    assert [child.tag for child in root.find(".//ornaments")] == ["inverted-turn"]


def test_grace_notes_of_a_chord_stay_one_chord():
    def grace(step, chord=""):
        pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
        return f"<note><grace/>{chord}{pitch}<voice>1</voice><type>eighth</type></note>"

    score = read_musicxml(document(grace("C") + grace("E", "<chord/>") + grace("D") + note("F", duration=4)))
    assert [m.text for m in score.marks] == ["eighth 60+64 62"]
    root = etree.fromstring(musicxml_bytes(score))
    assert [n.find("chord") is not None for n in root.iter("note")] == [False, True, False, False]
    assert differences(score, again(score)) == []


def test_words_at_rests_and_inside_ties_stay_where_they_are():
    def lyric(text):
        return f"<lyric><text>{text}</text></lyric>"

    tied = note(duration=2, extra='<tie type="start"/>', more=lyric("held"))
    tied += note(duration=1, extra='<tie type="stop"/>', more=lyric("on"))
    rest = f"<note><rest/><duration>1</duration><voice>1</voice>{lyric('rest')}</note>"
    score = read_musicxml(document(tied + rest))
    quarter = score.ticks_per_quarter
    assert [(m.tick // quarter, m.text) for m in score.marks] == [(0, "held"), (2, "on"), (3, "rest")]
    assert len(score.notes) == 1
    assert differences(score, again(score)) == []


def test_an_extender_ends_where_it_ended():
    start = '<lyric><text>Ah</text><extend type="start"/></lyric>'
    stop = '<lyric><extend type="stop"/></lyric>'
    score = read_musicxml(document(note(more=start) + note("D") + note("E", more=stop) + note("F")))
    (mark,) = score.marks
    assert (mark.text, mark.end) == ("Ah", 3 * score.ticks_per_quarter)
    root = etree.fromstring(musicxml_bytes(score))
    assert [e.get("type") for e in root.iter("extend")] == ["start", "stop"]


@pytest.mark.parametrize(
    ("name", "mode"), [("dorian", 2), ("phrygian", 3), ("lydian", 4), ("mixolydian", 5), ("locrian", 6), ("minor", 1)]
)
def test_church_modes_keep_their_names(name, mode):
    key = f"<key><fifths>1</fifths><mode>{name}</mode></key>"
    score = read_musicxml(document(note(duration=4), attributes=key))
    assert score.keys[["fifths", "mode"]].tolist() == [(1, mode)]
    assert f"<mode>{name}</mode>".encode() in musicxml_bytes(score)


def test_horns_keep_their_empty_signature():
    key = "<key><fifths>{}</fifths></key>"
    horn = "<transpose><diatonic>-4</diatonic><chromatic>-7</chromatic></transpose>"
    start = '<measure number="1"><attributes><divisions>1</divisions>{}</attributes>' + note(duration=4) + "</measure>"
    parts = [[start.format(key.format(0) + horn)], [start.format(key.format(-3))], [start.format(key.format(-3))]]
    score = read_musicxml(document(parts=parts))
    assert [(m.part, m.text) for m in score.marks] == [(0, "key(fifths=0)")]
    root = etree.fromstring(musicxml_bytes(score))
    assert [e.text for e in root.iter("fifths")] == ["0", "-3", "-3"]
    assert differences(score, again(score)) == []


def test_a_clarinettist_who_changes_instruments_reads_the_new_transposition():
    score = read_musicxml(suite_file("72c-TransposingInstruments-Change.xml"))
    assert [m.text for m in score.marks if m.text.startswith("transpose")] == ["transpose(diatonic=-1;chromatic=-2)"]
    root = etree.fromstring(musicxml_bytes(score))
    assert [e.text for e in root.iter("chromatic")] == ["3", "-2"]
    source = etree.parse(suite_file("72c-TransposingInstruments-Change.xml")).getroot()
    pitches = [[p.findtext("step") for p in tree.iter("pitch")] for tree in (source, root)]
    assert pitches[0] == pitches[1]


def test_figured_bass_stands_under_its_note():
    figures = "<figured-bass><figure><figure-number>6</figure-number></figure><duration>2</duration></figured-bass>"
    figures += "<figured-bass><figure><prefix>sharp</prefix></figure><duration>2</duration></figured-bass>"
    score = read_musicxml(document(figures + note(duration=4)))
    half = 2 * score.ticks_per_quarter
    assert [(m.tick, m.end, m.text) for m in score.marks] == [
        (0, half, "figure(figure-number=6)"),
        (half, 2 * half, "figure(prefix=sharp)"),
    ]
    assert differences(score, again(score)) == []


def test_compound_and_signed_meters_are_printed_as_they_were():
    time = "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>8</beat-type></time>"
    score = read_musicxml(document(note(duration=2), attributes=time))
    assert score.meters[["numerator", "denominator"]].tolist() == [(5, 8)]
    assert time.encode() in musicxml_bytes(score)
    changed = score.replace(meters=np.array([(0, 4, 4)], score.meters.dtype))
    assert b"<beats>4</beats>" in musicxml_bytes(changed)  # a mark that contradicts the meter is not believed


def test_a_score_of_rests_is_a_score():
    score = read_musicxml(suite_file("02a-Rests-Durations.xml"))
    assert len(score.notes) == 0
    assert len(score.parts) == 1
    assert len(score.bars) == 7
    assert differences(score, again(score)) == []


def test_signs_that_are_none_are_not_written():
    marks = (Mark(0, "sign", "script(x)", 0, value=60), Mark(0, "sign", "fingering=<&{staff}", 0, value=60))
    marks += (Mark(0, "direction", "damp(", 0), Mark(0, "attribute", "key(fifths=99;evil", 0))
    score = Score(notes=note_rows([(0, 1920, 60, 80, 0)]), parts=(Part(),), marks=marks)
    root = etree.fromstring(musicxml_bytes(score))
    assert [e.text for e in root.iter("fingering")] == ["<&(staff)"]
    assert not list(root.iter("script"))


def test_the_text_of_an_element_gives_the_element_back():
    dot = '<frame-note><string>5</string><fret text="x;(y)">3</fret></frame-note>'
    xml = f"<frame><frame-strings>6</frame-strings>{dot}</frame>"
    assert sign_xml(sign_text(etree.fromstring(xml)), ("frame",)) == xml
    deep = "<other-technical>" + "<other-technical>" * 9 + "</other-technical>" * 10
    assert sign_xml(sign_text(etree.fromstring(deep))).count("<") < 20
    assert sign_text(etree.fromstring(f"<fingering>{'9' * 5000}</fingering>")) == ""


def test_orchestral_suite_files_hold_what_the_source_holds(shared_data: Path):
    """Slurs, articulations, dynamics and syllables of a movement, counted in the file and in what is written."""
    from rescore_music.io.musicxml.archive import root_element

    path = shared_data / "openscore_orchestra" / "Beethoven_Op.93_3.mxl"
    source = root_element(path.read_bytes(), path.name)
    written = etree.fromstring(musicxml_bytes(read_musicxml(path)))
    for tag in ("staccato", "accent", "trill-mark", "dynamics", "wedge", "words", "grace"):
        marks = [[*tree.iter(tag)] for tree in (source, written)]
        counts = [sum(len(m) if tag == "dynamics" else 1 for m in found) for found in marks]
        assert counts[0] == counts[1], tag
