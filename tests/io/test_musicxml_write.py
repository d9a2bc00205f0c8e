"""Writing MusicXML: what comes back is what was there, and what stands on paper can be played from."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from rescore_music.errors import WriteError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.musicxml.read import read_musicxml
from rescore_music.io.musicxml.write import musicxml_bytes, write_musicxml, written
from rescore_music.score import KEY, METER, Articulation, Mark, Part, Score, note_rows
from rescore_music.tempo import TempoMap

COLUMNS = ("onset", "duration", "pitch", "velocity", "part", "voice", "staff", "step", "alter", "articulation")


def simple(rows, parts=None, **fields) -> Score:
    """A score from (onset, duration, pitch, velocity, part) in quarters."""
    ticks = [(round(a * 480), round(b * 480), p, v, i) for a, b, p, v, i in rows]
    parts = parts or (Part(name="Flute", program=73),)
    return Score(notes=note_rows(ticks), parts=parts, **fields)


def tree(score: Score):
    return etree.fromstring(musicxml_bytes(score))


def bars_sum(root) -> bool:
    """Whether every measure's cursor ends at the same place in all parts, and no voice leaves its bar."""
    lengths: dict[int, set[int]] = {}
    for part in root.iter("part"):
        for number, measure in enumerate(part.iter("measure")):
            cursor = reach = 0
            for element in measure:
                step = int(element.findtext("duration") or 0)
                if element.tag == "backup":
                    cursor -= step
                elif element.tag == "forward" or (
                    element.tag == "note" and element.find("chord") is None and element.find("grace") is None
                ):
                    cursor += step
                assert cursor >= 0
                reach = max(reach, cursor)
            if cursor != reach:
                return False
            lengths.setdefault(number, set()).add(reach)
    return all(len(found) == 1 for found in lengths.values())


def same_notes(a: Score, b: Score) -> bool:
    return len(a.notes) == len(b.notes) and all(np.array_equal(a.notes[c], b.notes[c]) for c in COLUMNS)


def suite() -> list[Path]:
    import music21

    return sorted((Path(music21.__file__).parent / "musicxml" / "lilypondTestSuite").glob("*.[xm][mx]l"))


def test_the_conformance_suite_survives_the_round_trip():
    read = 0
    for path in suite():
        score = read_musicxml(path)
        read += 1
        data = musicxml_bytes(score)
        assert bars_sum(etree.fromstring(data)), path.name
        again = read_musicxml(data)
        assert same_notes(score, again), path.name
        np.testing.assert_array_equal(score.meters, again.meters, path.name)
        np.testing.assert_array_equal(score.keys, again.keys, path.name)
        np.testing.assert_array_equal(score.bars, again.bars, path.name)
        assert score.tempo == again.tempo, path.name
        assert [p.name for p in score.parts] == [p.name for p in again.parts]
        assert [p.transposition for p in score.parts] == [p.transposition for p in again.parts]
        assert not set(score.marks) - set(again.marks), path.name
    assert read == 143


def test_a_quartet_movement_comes_back_whole():
    from music21 import corpus

    paths = corpus.getWork("beethoven/opus18no1", 1)
    path = next(p for p in (paths if isinstance(paths, list) else [paths]) if str(p).endswith("mxl"))
    score = read_musicxml(path)
    result = written(score)
    again = read_musicxml(result.data)
    assert same_notes(score, again)
    assert set(score.marks) == set(again.marks)
    assert score.parts == again.parts
    assert score.tempo == again.tempo
    assert result.moved_max == 0


def test_a_symphony_movement_comes_back_whole(shared_data):
    score = read_musicxml(shared_data / "openscore_orchestra" / "Beethoven_Op.21_3.mxl")
    again = read_musicxml(musicxml_bytes(score))
    assert same_notes(score, again)
    assert set(score.marks) == set(again.marks)
    np.testing.assert_array_equal(score.bars, again.bars)
    assert [p.transposition for p in score.parts] == [p.transposition for p in again.parts]


def test_clarinet_in_b_flat_in_c_major_is_written_in_d_major():
    part = Part(name="Clarinet", program=71, transposition=-2, diatonic=-1)
    score = simple([(0, 4, 60, 80, 0)], (part,), keys=np.array([(0, 0, 0)], KEY))
    root = tree(score)
    assert root.findtext(".//key/fifths") == "2"
    assert root.findtext(".//pitch/step") == "D"
    assert root.findtext(".//transpose/chromatic") == "-2"
    assert root.findtext(".//transpose/diatonic") == "-1"
    assert read_musicxml(musicxml_bytes(score)).notes["pitch"].tolist() == [60]


@pytest.mark.parametrize("fifths", [-6, -5, 0, 5, 6, 7])
@pytest.mark.parametrize(("chromatic", "diatonic"), [(-2, -1), (-7, -4), (3, 2), (-9, -5), (-14, -8), (12, 7)])
def test_transposed_keys_stay_within_seven_accidentals_and_notes_sound_right(fifths, chromatic, diatonic):
    part = Part(name="x", program=60, transposition=chromatic, diatonic=diatonic)
    scale = [(i, 1, 60 + p, 80, 0) for i, p in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
    score = simple(scale, (part,), keys=np.array([(0, fifths, 0)], KEY))
    root = tree(score)
    assert abs(int(root.findtext(".//key/fifths"))) <= 7
    again = read_musicxml(musicxml_bytes(score))
    assert again.notes["pitch"].tolist() == score.notes["pitch"].tolist()
    assert again.keys["fifths"][0] % 12 == fifths % 12


def test_percussion_stands_on_a_percussion_staff():
    part = Part(name="Drums", percussion=True, channel=9)
    score = simple([(0, 1, 36, 100, 0), (1, 1, 38, 100, 0), (2, 1, 42, 90, 0), (3, 1, 49, 100, 0)], (part,))
    root = tree(score)
    assert root.findtext(".//clef/sign") == "percussion"
    assert len(root.findall(".//unpitched")) == 4
    assert root.find(".//pitch") is None
    assert {e.text for e in root.findall(".//midi-unpitched")} == {"37", "39", "43", "50"}
    again = read_musicxml(musicxml_bytes(score))
    assert again.parts[0].percussion
    assert again.notes["pitch"].tolist() == [36, 38, 42, 49]


def test_grand_staff_has_two_clefs_and_both_hands():
    rows = [(i, 1, p, 80, 0) for i in range(4) for p in (40, 47, 72, 76)]
    root = tree(simple(rows, (Part(name="Piano", staves=2),)))
    assert [c.findtext("sign") for c in root.iter("clef")] == ["G", "F"]
    by_staff = {n.findtext("staff") for n in root.iter("note") if n.find("pitch") is not None}
    assert by_staff == {"1", "2"}
    assert all(n.findtext("staff") == "2" for n in root.iter("note") if (n.findtext("pitch/octave") or "9") < "4")


def test_held_bass_under_moving_notes_takes_a_second_voice():
    rows = [(0, 4, 48, 80, 0)] + [(i, 1, 60 + i, 80, 0) for i in range(4)]
    root = tree(simple(rows))
    notes = [n for n in root.iter("note") if n.find("pitch") is not None]
    assert {n.findtext("voice") for n in notes} == {"1", "2"}
    assert [n.findtext("type") for n in notes if n.findtext("voice") == "2"] == ["whole"]
    assert not list(root.iter("tie"))


def test_chords_share_one_voice():
    root = tree(simple([(i, 1, p, 80, 0) for i in range(4) for p in (60, 64, 67)]))
    assert {n.findtext("voice") for n in root.iter("note")} == {"1"}
    assert len(root.findall(".//chord")) == 8


def test_pickup_bar_is_implicit_and_numbered_nought():
    rows = [(0, 1, 60, 80, 0), (1, 4, 62, 80, 0)]
    score = simple(rows, meters=np.array([(0, 4, 4)], METER), barlines=np.array([0, 480, 2400]))
    first, second = tree(score).findall(".//measure")
    assert (first.get("number"), first.get("implicit"), second.get("number")) == ("0", "yes", "1")
    np.testing.assert_array_equal(read_musicxml(musicxml_bytes(score)).bars, score.bars)


def test_a_dense_tempo_map_is_kept_but_not_printed():
    ticks = np.arange(0, 16 * 480, 240)
    rng = np.random.default_rng(1)
    us = np.rint(500_000 * (1 + 0.008 * rng.standard_normal(len(ticks))))
    score = simple([(i, 1, 60, 80, 0) for i in range(16)], tempo=TempoMap(ticks, us))
    root = tree(score)
    assert len(root.findall(".//metronome")) == 1
    assert len(root.findall(".//sound[@tempo]")) == len(ticks)
    assert read_musicxml(musicxml_bytes(score)).tempo == score.tempo


def test_an_audible_tempo_change_is_printed_once():
    tempo = TempoMap(np.array([0, 4 * 480]), np.array([500_000.0, 400_000.0]))
    root = tree(simple([(i, 1, 60, 80, 0) for i in range(12)], tempo=tempo))
    assert [e.text for e in root.iter("per-minute")] == ["120", "150"]


def test_dynamics_come_from_velocities_at_changes_not_at_every_note():
    rows = [(i / 2, 0.5, 60, 50 + i % 3, 0) for i in range(64)] + [
        (32 + i / 2, 0.5, 60, 110 + i % 3, 0) for i in range(64)
    ]
    score = simple(rows)
    root = tree(score)
    assert [e[0].tag for e in root.iter("dynamics")] == ["p", "ff"]
    assert read_musicxml(musicxml_bytes(score)).notes["velocity"].tolist() == score.notes["velocity"].tolist()


def test_techniques_and_slurs_are_written_from_flags():
    notes = note_rows([(i * 480, 480, 60 + i, 80, 0) for i in range(8)])
    notes["articulation"][:3] |= int(Articulation.SLURRED)
    notes["articulation"][4:6] |= int(Articulation.PIZZICATO)
    root = tree(Score(notes=notes, parts=(Part(name="Violin", program=40),)))
    assert [s.get("type") for s in root.iter("slur")] == ["start", "stop"]
    assert [w.text for w in root.iter("words")] == ["pizz.", "arco"]


def test_group_name_bracket_and_title_come_back():
    parts = (Part("Violin", group="strings"), Part("Viola", group="strings"), Part("Harp"))
    score = simple([(0, 4, 60, 80, i) for i in range(3)], parts)
    root = tree(score)
    assert [g.get("type") for g in root.iter("part-group")] == ["start", "stop"]
    assert [p.group for p in read_musicxml(musicxml_bytes(score)).parts] == ["strings", "strings", ""]


def test_accidentals_are_printed_once_a_bar():
    rows = [(0, 1, 61, 80, 0), (1, 1, 61, 80, 0), (2, 1, 60, 80, 0), (3, 1, 61, 80, 0), (4, 1, 61, 80, 0)]
    notes = note_rows([(a * 480, b * 480, p, v, i) for a, b, p, v, i in rows])
    notes["step"], notes["alter"] = 0, [1, 1, 0, 1, 1]
    root = tree(Score(notes=notes, parts=(Part(),), keys=np.array([(0, 0, 0)], KEY)))
    shown = [n.findtext("accidental") for n in root.iter("note") if n.find("pitch") is not None]
    assert shown == ["sharp", None, "natural", "sharp", "sharp"]


def test_marks_with_awkward_text_are_escaped():
    marks = (
        Mark(0, "text", "a < b & {staff} \x01", 0),
        Mark(0, "lyric", "l'<e>-", 0, value=1),
        Mark(0, "rehearsal", "A&B"),
    )
    score = simple([(0, 4, 60, 80, 0)], marks=(*marks, Mark(0, "tempo", "Slow")))
    again = read_musicxml(musicxml_bytes(score))
    assert {m.kind for m in again.marks} == {"text", "lyric", "rehearsal", "tempo"}
    assert next(m.text for m in again.marks if m.kind == "rehearsal") == "A&B"


def test_bytes_do_not_depend_on_the_process(tmp_path):
    score = simple([(i / 3, 1 / 3, 60 + i % 12, 50 + i, 0) for i in range(48)])
    path = write_musicxml(score, tmp_path / "a.mxl")
    code = (
        "import sys, pickle\nfrom rescore_music.io.musicxml.write import write_musicxml\n"
        "write_musicxml(pickle.load(open(sys.argv[1], 'rb')), sys.argv[2])"
    )
    import pickle

    (tmp_path / "score.pickle").write_bytes(pickle.dumps(score))
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "score.pickle"), str(tmp_path / "b.mxl")],
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert path.read_bytes() == (tmp_path / "b.mxl").read_bytes()
    assert read_musicxml(path).notes["pitch"].tolist() == score.notes["pitch"].tolist()


def test_a_score_without_parts_is_refused():
    with pytest.raises(WriteError):
        musicxml_bytes(Score())


GAME = ["freedoom__d_dm2ttl.mid", "freedoom__d_e1m2.mid", "freedoom__d_dm32.mid"]


@pytest.mark.parametrize("name", GAME)
def test_game_music_becomes_readable_notation(shared_data, name):
    """Bars sum, no note is lost, music21 reads it without a warning, verovio engraves it."""
    import verovio
    from music21 import converter

    score = read_midi(shared_data / "game_midi" / name)
    result = written(score)
    root = etree.fromstring(result.data)
    assert bars_sum(root)
    heads = sum(
        1
        for n in root.iter("note")
        if n.find("rest") is None and 'type="stop"' not in "".join(etree.tostring(t).decode() for t in n.iter("tie"))
    )
    dropped = sum(item.count for item in result.log if item.lost)
    assert heads == len(score.notes) - dropped
    assert dropped < 0.01 * len(score.notes)
    assert result.moved_mean < 0.02
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream = converter.parse(result.data.decode(), format="musicxml", forceSource=True)
    assert len(stream.parts) >= len(score.parts)
    kit = verovio.toolkit(False)
    kit.setResourcePath(str(files("verovio") / "data"))
    assert kit.loadData(result.data.decode())
    assert kit.getPageCount() >= 1


def test_every_game_file_has_bars_that_sum(shared_data):
    folder = shared_data / "game_midi"
    for path in sorted(folder.glob("*.mid"))[::40]:
        score = read_midi(path)
        if len(score.notes):
            assert bars_sum(etree.fromstring(musicxml_bytes(score))), path.name


@pytest.mark.parametrize(("fifths", "horn", "clarinet"), [(6, -5, -4), (0, 1, 2), (-6, -5, -4), (5, 6, -5)])
def test_transposing_players_are_spared_seven_accidentals(fifths: int, horn: int, clarinet: int) -> None:
    from rescore_music.io.musicxml.staff import written_key

    assert written_key(fifths, Part("Horn in F", transposition=-7, diatonic=-4)) == horn
    assert written_key(fifths, Part("Clarinet in B flat", transposition=-2, diatonic=-1)) == clarinet
    assert written_key(fifths, Part("Flute")) == fifths


def test_a_tremolo_between_two_notes_prints_the_value_of_the_pair_twice():
    """Two quarters that alternate fill a half note: both are printed as halves, two in the time of one."""

    def half(step: str, kind: str) -> str:
        ratio = "<time-modification><actual-notes>2</actual-notes><normal-notes>1</normal-notes></time-modification>"
        tremolo = f'<notations><ornaments><tremolo type="{kind}">2</tremolo></ornaments></notations>'
        pitch = f"<pitch><step>{step}</step><octave>3</octave></pitch>"
        return f"<note>{pitch}<duration>1</duration><voice>1</voice><type>half</type>{ratio}{tremolo}</note>"

    head = "<attributes><divisions>1</divisions><time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
    names = '<part-list><score-part id="P1"><part-name>Violoncello</part-name></score-part></part-list>'
    bar = f'<measure number="1">{head}{half("F", "start")}{half("A", "stop")}</measure>'
    score = read_musicxml(f'<score-partwise>{names}<part id="P1">{bar}</part></score-partwise>'.encode())
    data = musicxml_bytes(score)
    notes = list(etree.fromstring(data).iter("note"))
    assert [n.findtext("type") for n in notes] == ["half", "half"]
    assert [n.findtext("time-modification/actual-notes") for n in notes] == ["2", "2"]
    assert [n.find("notations/tuplet") for n in notes] == [None, None]
    assert read_musicxml(data).digest() == score.digest()


def test_a_dynamic_and_the_words_below_it_are_one_direction():
    """Apart they would be printed on one another: "p cresc." """
    marks = (Mark(0, "dynamic", "p", 0), Mark(0, "text", "cresc.", 0), Mark(480, "text", "dolce", 0))
    score = Score(note_rows([(0, 480, 60, 49, 0), (480, 480, 62, 49, 0)]), (Part("Violin"),), marks=marks)
    root = etree.fromstring(musicxml_bytes(score))
    found = [[child[0].tag for child in d.iter("direction-type")] for d in root.iter("direction")]
    assert [kinds for kinds in found if kinds != ["metronome"]] == [["dynamics", "words"], ["words"]]
    back = read_musicxml(musicxml_bytes(score))
    assert {(m.tick, m.kind, m.text) for m in marks} <= {(m.tick, m.kind, m.text) for m in back.marks}


@pytest.mark.parametrize("words", [("cresc.", "dolce"), ("dolce", "cresc."), ("cresc.", "dim.")])
def test_several_words_beside_a_dynamic_keep_their_order(words):
    marks = (Mark(0, "dynamic", "p", 0), *(Mark(0, "text", text, 0) for text in words))
    score = Score(note_rows([(0, 480, 60, 49, 0)]), (Part("Violin"),), marks=marks)
    back = read_musicxml(musicxml_bytes(score))
    assert tuple(m.text for m in back.marks if m.kind == "text") == words
