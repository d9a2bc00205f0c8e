"""What exports of notation programs hold: repeat signs over silence, jumps in any language, odd bytes."""

from __future__ import annotations

import time

import pytest
from test_musicxml_equal import differences
from test_musicxml_read import document, note

from rescore_music.errors import ReadError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes
from rescore_music.repeats import unfold
from rescore_music.score import Articulation, Score

METER = "<time><beats>4</beats><beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef>"
REST = '<note><rest measure="yes"/><duration>4</duration><voice>1</voice></note>'


def read(*measures: str) -> Score:
    """A score in 4/4 that comes back from the writer as it is."""
    score = read_musicxml(document(*measures, attributes=METER))
    assert differences(score, read_musicxml(musicxml_bytes(score))) == []
    return score


def said(score: Score) -> list[str]:
    return [item.what for item in score.import_log]


def texts(score: Score, kind: str) -> list[str]:
    return [m.text for m in score.marks if m.kind == kind]


def direction(*kinds: str, more: str = "") -> str:
    return "<direction>" + "".join(f"<direction-type>{k}</direction-type>" for k in kinds) + more + "</direction>"


def said_of_staff(inside: str) -> str:
    return f"<attributes>{inside}</attributes>"


def style(inside: str, staff: str = "") -> str:
    return f"<attributes><measure-style{staff}>{inside}</measure-style></attributes>"


# -- repeat signs --------------------------------------------------------------------------------------------------


def test_a_bar_under_a_repeat_sign_sounds_as_the_bar_it_repeats() -> None:
    figure = note("C", 4, 2) + note("E", 4, 2, more="<notations><articulations><staccato/></articulations></notations>")
    start, stop = style('<measure-repeat type="start">1</measure-repeat>'), style('<measure-repeat type="stop"/>')
    score = read(figure, start + REST, REST, stop + note("G", 4, 4))
    bar = score.ticks_per_quarter * 4
    assert score.notes["pitch"].tolist() == [60, 64] * 3 + [67]
    assert score.notes["onset"].tolist() == [0, bar // 2, bar, bar * 3 // 2, 2 * bar, bar * 5 // 2, 3 * bar]
    assert len(set(score.notes["articulation"][[1, 3, 5]].tolist())) == 1
    assert said(score) == ["bars under a repeat sign, filled with the music they repeat"]


def test_two_bars_are_repeated_two_by_two_to_the_end_of_the_part() -> None:
    start = style('<measure-repeat type="start">2</measure-repeat>')
    score = read(note("C", 4, 4), note("D", 4, 4), start + REST, REST, REST, REST)
    assert score.notes["pitch"].tolist() == [60, 62] * 3


def test_a_repeat_sign_over_written_music_adds_nothing() -> None:
    start = style('<measure-repeat type="start">1</measure-repeat>')
    score = read(note("C", 4, 4), start + note("C", 4, 4))
    assert score.notes["pitch"].tolist() == [60, 60]
    assert said(score) == []


def test_one_hand_repeats_while_the_other_plays_on() -> None:
    def hands(right: str, left: str) -> str:
        return f"{right}<backup><duration>4</duration></backup>{left}"

    low = note("C", 3, 4, voice=5, more="<staff>2</staff>")
    empty = REST.replace("<voice>1</voice>", "<voice>5</voice><staff>2</staff>")
    start = style('<measure-repeat type="start">1</measure-repeat>', ' number="2"')
    upper = [note(step, 5, 4, more="<staff>1</staff>") for step in "CD"]
    score = read("<attributes><staves>2</staves></attributes>" + hands(upper[0], low), start + hands(upper[1], empty))
    assert score.notes["pitch"].tolist() == [48, 72, 48, 74]


def test_a_tie_into_the_next_bar_is_not_repeated_but_a_tie_inside_is() -> None:
    tied = note("C", 4, 2, extra='<tie type="start"/>') + note("C", 4, 2, extra='<tie type="stop"/>')
    score = read(tied, style('<measure-repeat type="start">1</measure-repeat>') + REST)
    assert score.notes["duration"].tolist() == [4 * score.ticks_per_quarter] * 2


# -- jumps ---------------------------------------------------------------------------------------------------------

SCALE = [note(step, 4, 4) for step in "CDEFG"]


@pytest.mark.parametrize(
    ("fine", "capo"),
    [
        (direction("<words>Ende</words>", more='<sound fine="yes"/>'), "<words>von vorn bis Ende</words>"),
        ('<sound fine="yes"/>', "<words>D.C. al Fine</words>"),
        (direction("<words>Fine</words>"), '<words font-style="italic"/>'),
    ],
)
def test_what_a_jump_does_is_told_by_its_sound_where_its_words_are_not_understood(fine: str, capo: str) -> None:
    back = direction(capo, more='<sound dacapo="yes"/>')
    score = read(SCALE[0] + fine, SCALE[1] + back)
    assert unfold(score).notes["pitch"].tolist() == [60, 62, 60]


def test_signs_that_only_sound_says_are_jumped_to() -> None:
    segno, to_coda = '<sound segno="1"/>', '<sound tocoda="2"/>'
    back, coda = (
        direction("<words/>", more='<sound dalsegno="1"/>'),
        direction("<words>CODA</words>", more='<sound coda="2"/>'),
    )
    score = read(SCALE[0], segno + SCALE[1], SCALE[2] + to_coda, SCALE[3] + back, coda + SCALE[4])
    assert unfold(score).notes["pitch"].tolist() == [60, 62, 64, 65, 62, 64, 67]


# -- directions and signs ------------------------------------------------------------------------------------------


def metronome(number: str, unit: str = "quarter") -> str:
    return f"<metronome><beat-unit>{unit}</beat-unit><per-minute>{number}</per-minute></metronome>"


@pytest.mark.parametrize(
    ("kinds", "text", "bpm"),
    [
        ([metronome("c. 100-104", "half")], "𝅗𝅥 = c. 100-104", 200),
        ([metronome("72,5")], "♩ = 72,5", 72.5),
        (["<words>Allegro (</words>", metronome("120"), "<words>)</words>"], "Allegro (♩ = 120)", 120),
        (["<words>(</words>", metronome("120"), "<words>) rubato</words>"], "rubato (♩ = 120)", 120),
    ],
)
def test_metronome_marks_say_what_they_said(kinds: list[str], text: str, bpm: float) -> None:
    score = read(direction(*kinds) + SCALE[0])
    assert texts(score, "tempo") == [text]
    assert score.tempo.bpm(0) == pytest.approx(bpm)


def test_a_hairpin_from_or_to_nothing_keeps_its_circle() -> None:
    up = direction('<wedge type="crescendo" niente="yes"/>') + note("C", 4, 2) + direction('<wedge type="stop"/>')
    down = direction('<wedge type="diminuendo"/>') + note("D", 4, 2) + direction('<wedge type="stop" niente="yes"/>')
    plain = direction('<wedge type="crescendo"/>') + SCALE[0] + direction('<wedge type="stop"/>')
    score = read(up + down, plain)
    assert [(m.text, m.value) for m in score.marks if m.kind == "hairpin"] == [("<", 1), (">", 1), ("<", 0)]


@pytest.mark.parametrize(
    "inside", ["{}", "<direction><direction-type><words>To Piccolo</words></direction-type>{}</direction>"]
)
def test_a_change_of_instrument_is_a_change_of_sound_wherever_it_is_said(inside: str) -> None:
    flute = "<midi-bank>3</midi-bank><midi-program>73</midi-program>"
    change = f'<sound><midi-instrument id="P0">{flute}</midi-instrument></sound>'
    score = read(SCALE[0], note("D", 4, 2) + inside.format(change) + note("E", 4, 2), SCALE[3] + inside.format(change))
    assert score.programs.tolist() == [(6 * score.ticks_per_quarter, 0, 72, 2)]


def test_strings_are_plucked_where_only_the_sound_says_so() -> None:
    plucked = direction("<words>gezupft</words>", more='<sound pizzicato="yes"/>')
    bowed = direction("<words>gestrichen</words>", more='<sound pizzicato="no"/>')
    score = read(plucked + SCALE[0], SCALE[1], bowed + SCALE[2])
    assert (score.notes["articulation"] & int(Articulation.PIZZICATO) > 0).tolist() == [True, True, False]
    said_twice = read(direction("<words>pizz.</words>", more='<sound pizzicato="yes"/>') + SCALE[0])
    assert texts(said_twice, "technique") == ["pizz."]


def test_a_sostenuto_pedal_is_not_the_damper() -> None:
    score = read(
        direction('<pedal type="sostenuto"/>') + note("C", 4, 2) + direction('<pedal type="stop"/>') + note("C", 4, 2)
    )
    assert [(int(r["number"]), int(r["value"])) for r in score.controls] == [(66, 127), (66, 0)]
    drawn = score.replace(controls=score.controls[:0])  # printed, and not yet played
    assert read_midi(midi_bytes(drawn)).controls["number"].tolist() == [66, 66]


def test_a_note_that_rings_on_is_tied_to_nothing_and_keeps_its_tie() -> None:
    ringing = note("C", 4, 4, extra='<tie type="let-ring"/>', more='<notations><tied type="let-ring"/></notations>')
    score = read(ringing, SCALE[0])
    assert score.notes["duration"].tolist() == [4 * score.ticks_per_quarter] * 2
    assert texts(score, "sign") == ["tied[type let-ring]"]
    assert said(score) == []


def test_a_chord_symbol_keeps_added_notes_and_bass() -> None:
    chord = (
        "<harmony><root><root-step>F</root-step><root-alter>1</root-alter></root><kind>half-diminished</kind>"
        "<bass><bass-step>A</bass-step></bass><degree><degree-value>9</degree-value><degree-alter>-1</degree-alter>"
        "<degree-type>add</degree-type></degree></harmony>"
    )
    assert texts(read(chord + SCALE[0]), "chord") == ["F#m7b5(addb9)/A"]


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        (said_of_staff('<transpose number="2"><chromatic>-12</chromatic></transpose>'), "a transposition of one staff"),
        (said_of_staff("<transpose><chromatic>0</chromatic><double/></transpose>"), "a doubling at the octave"),
        (said_of_staff('<time number="2"><beats>3</beats><beat-type>4</beat-type></time>'), "a meter of one staff"),
        (said_of_staff("<for-part><part-transpose><chromatic>-2</chromatic></part-transpose></for-part>"), "how a"),
        ("<sound><swing><first>2</first><second>1</second></swing></sound>", "swing"),
        (style('<beat-repeat type="start"/>'), "beats that only a repeat sign"),
        (note(more="<lyric><humming/></lyric>"), "<humming> under notes"),
        (note(more='<notations><slur type="stop"/></notations>'), "a slur that ends without"),
        (note().replace("<note>", '<note print-object="no">'), "notes that the page does not show"),
    ],
)  # fmt: skip
def test_what_the_score_cannot_hold_is_told(inside: str, what: str) -> None:
    assert [text for text in said(read_musicxml(document(inside + SCALE[0]))) if text.startswith(what)]


def test_a_second_meter_in_a_bar_and_a_part_without_bars_are_told() -> None:
    late = said_of_staff("<time><beats>3</beats><beat-type>4</beat-type></time>")
    score = read_musicxml(document(note(duration=2) + late + note(duration=2), attributes=METER))
    assert score.meters.tolist() == [(0, 4, 4)]
    assert said(score) == ["a second meter in a bar, ignored"]
    more = b'<score-part id="P9"><part-name>Gong</part-name></score-part></part-list>'
    assert said(read_musicxml(PLAIN.replace(b"</part-list>", more))) == [
        "parts of which the score has no bar, left out"
    ]


def test_a_part_under_another_name_is_the_one_that_the_list_misses() -> None:
    score = read_musicxml(PLAIN.replace(b'<part id="P0">', b"<part>"))
    assert [part.name for part in score.parts] == ["TITLE"]
    assert said(score) == ["parts that the part list calls otherwise, taken in its order"]


def test_hidden_rests_and_usual_numbers_are_not_worth_a_word() -> None:
    assert said(read(REST.replace("<note>", '<note print-object="no">'), SCALE[0])) == []
    excerpt = document(SCALE[0], attributes=METER).replace(b'measure number="1"', b'measure number="57"')
    assert said(read_musicxml(excerpt)) == []


# -- odd bytes -----------------------------------------------------------------------------------------------------

PLAIN = document(SCALE[0], attributes=METER, names={0: "TITLE"})


@pytest.mark.parametrize(
    ("data", "name", "what"),
    [
        (PLAIN.replace(b"TITLE", b"Fl\xf6te"), "Flöte", "bytes that are not UTF-8, read as Windows Latin"),
        (PLAIN.replace(b"TITLE", b"Fl&#11;ute"), "Fl ute", "characters that XML has no room for, left out"),
        (PLAIN.replace(b"TITLE", b"Fl\x0cute\x00"), "Fl ute", "characters that XML has no room for, left out"),
        (PLAIN.replace(b"TITLE", b"&#xB;&#x1F;Flute"), "Flute", "characters that XML has no room for, left out"),
        (PLAIN.replace(b"TITLE", b"Horns 1 & 2"), "Horns 1 & 2", "ampersands that begin nothing, taken as written"),
        (b"\r\n " + PLAIN, "TITLE", "bytes before or after the document, skipped"),
        (PLAIN + b"\0\0\0\0", "TITLE", "bytes before or after the document, skipped"),
    ],
)
def test_xml_that_is_a_little_wrong_is_mended_and_told(data: bytes, name: str, what: str) -> None:
    score = read_musicxml(data)
    assert score.parts[0].name == name
    assert [(item.where, item.what) for item in score.import_log] == [("file", what)]


def test_a_document_too_large_to_be_held_five_times_is_not_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rescore_music.io.musicxml.mending.XML_MENDED", len(PLAIN))
    read_musicxml(PLAIN.replace(b"TITLE", b"Fl\xf6e"))
    with pytest.raises(ReadError, match="malformed XML"):
        read_musicxml(PLAIN.replace(b"TITLE", b"Fl\xf6tes"))


def test_what_cannot_be_mended_says_where_the_file_itself_is_wrong() -> None:
    broken = PLAIN.replace(b"TITLE", b"Horns & Fl\xf6te").replace(b"</score-partwise>", b"</score>")
    with pytest.raises(ReadError, match="line 2, column"):
        read_musicxml(broken)


def test_mending_opens_no_way_for_entities() -> None:
    for hidden in (b"<!ENT\x01ITY", b"<!\x0bENTITY"):
        bomb = (
            b"<!DOCTYPE score-partwise ["
            + hidden
            + b' a "aaaa">]>'
            + PLAIN.partition(b"\n")[2].replace(b"TITLE", b"&a;")
        )
        with pytest.raises(ReadError):
            read_musicxml(bomb)


def test_lines_that_never_end_cost_no_more_than_those_that_do() -> None:
    start, stop = direction('<wedge type="crescendo"/>'), direction('<wedge type="stop"/>')
    words = direction("<dynamics><f/></dynamics>") * 15_000

    def seconds(line: str, told: int) -> float:
        data = document(words + line * 15_000 + SCALE[0])
        began = time.process_time()
        score = read_musicxml(data)
        assert sum(item.count for item in score.import_log if "never ends" in item.what) == told
        return time.process_time() - began

    # each was searched for among the marks before it, and a hostile file took minutes
    assert seconds(start, 15_000) < 2 * seconds(start + stop, 0)
