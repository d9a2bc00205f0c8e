"""Sound maps: what is written for a sample library comes in time, and is no music when read again."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import numpy as np
import pytest

from rescore_music.elements import Articulation
from rescore_music.errors import RescoreError, TemplateError, WriteError
from rescore_music.io import read_score, write_score
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.sound_map import load_sound_map, sound_maps
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import CONTROL, Mark, Part, Score, note_rows
from rescore_music.tempo import TempoMap

QUARTER = 480
EXAMPLE = "keyswitch-example"


def line(*signs: Articulation, part: Part | None = None, length: int = QUARTER, **changes: object) -> Score:
    """Quarters of one part, each with its articulation."""
    notes = note_rows([(i * QUARTER, length, 60 + i, 80, 0) for i in range(len(signs))])
    notes["articulation"] = [int(s) for s in signs]
    return Score(notes, (part or Part("Violins", instrument="violin", program=48),), **changes)


def heard(data: bytes) -> list[tuple[int, str, int, int]]:
    """(tick, kind, first, second) of every channel message, in the order of the file, as mido reads it."""
    out = []
    for messages in mido.MidiFile(file=io.BytesIO(data)).tracks[1:]:
        tick = 0
        for m in messages:
            tick += m.time
            if m.type in ("note_on", "note_off"):
                out.append((tick, m.type, m.note, m.velocity))
            elif m.type == "control_change":
                out.append((tick, "cc", m.control, m.value))
            elif m.type == "program_change":
                out.append((tick, "program", m.program, 0))
    return out


PLAIN, PIZZ, TREMOLO, SLUR = Articulation(0), Articulation.PIZZICATO, Articulation.TREMOLO, Articulation.SLURRED


def test_every_shipped_map_reads_and_says_what_it_is() -> None:
    maps = sound_maps()
    assert set(maps) >= {"general-midi", EXAMPLE}
    for name, about in maps.items():
        assert about
        assert load_sound_map(name).players


def test_general_midi_plays_pizzicato_and_tremolo_with_their_programs_and_goes_back() -> None:
    data = midi_bytes(line(PLAIN, PIZZ, PIZZ, TREMOLO, PLAIN), sound_map="general-midi")
    programs = [(tick, program) for tick, kind, program, _ in heard(data) if kind == "program"]
    assert [p for _, p in programs] == [48, 45, 44, 48]
    strokes = [0, 480, 1440, 1920]
    assert all(stroke - 10 <= tick <= stroke for (tick, _), stroke in zip(programs, strokes, strict=True))
    back = read_midi(data)
    assert len(back.parts) == 1  # one player, several techniques
    assert back.notes["pitch"].tolist() == [60, 61, 62, 63, 64]
    assert back.notes["duration"].tolist() == [480, 240, 240, 480, 480]


def test_a_muted_trumpet_is_the_muted_program_and_a_slur_holds_the_legato_switch() -> None:
    trumpet = Part("Trumpet", instrument="trumpet-bb", program=56)
    played = heard(midi_bytes(line(PLAIN, Articulation.MUTED, PLAIN, part=trumpet), sound_map="general-midi"))
    assert [m[2] for m in played if m[1] == "program"] == [56, 59, 56]
    played = heard(midi_bytes(line(PLAIN, SLUR, SLUR, PLAIN), sound_map="general-midi"))
    assert [m[3] for m in played if m[1:3] == ("cc", 68)] == [0, 127, 0]


def test_keyswitches_come_before_their_notes_and_after_the_notes_before() -> None:
    data = midi_bytes(line(PLAIN, PIZZ, PIZZ, PLAIN), sound_map=EXAMPLE)
    played = heard(data)
    struck = [(i, m) for i, m in enumerate(played) if m[1] == "note_on" and m[2] < 24]
    music = [(i, m) for i, m in enumerate(played) if m[1] == "note_on" and m[2] >= 24]
    assert [m[2] for _, m in struck] == [12, 19, 12]
    for (at, switch), following in zip(struck, (0, 1, 3), strict=True):
        assert at < music[following][0]
        assert switch[0] <= music[following][1][0]
        if following:
            assert at > music[following - 1][0]
            assert switch[0] > music[following - 1][1][0]
    # 20 ms at 120 quarters a minute and 480 ticks are 19.2 ticks; the notes themselves are early by their latency
    assert [m[0] for _, m in music] == [0, 480 - 10, 960 - 10, 1440 - 77]
    assert [m[0] for _, m in struck] == [0, 470 - 19, 1363 - 19]


def test_keyswitches_are_no_music_when_read_again_and_are_not_lost() -> None:
    data = midi_bytes(line(PLAIN, PIZZ, PLAIN), sound_map=EXAMPLE)
    back = read_midi(data)
    assert back.notes["pitch"].tolist() == [60, 61, 62]
    assert ("keyswitch notes kept apart from the music", 3) in [(i.what, i.count) for i in back.import_log]
    assert not back.marks
    assert heard(midi_bytes(back)) == heard(data)
    other = read_midi(midi_bytes(back))
    assert other.raw == back.raw
    assert np.array_equal(other.notes, back.notes)


def test_woodwinds_and_brass_are_switched_by_controllers() -> None:
    flute, horn = Part("Flute", instrument="flute", program=73), Part("Horn", instrument="horn-f", program=60)
    played = heard(midi_bytes(line(PLAIN, Articulation.STACCATO, PLAIN, part=flute), sound_map=EXAMPLE))
    assert [m[3] for m in played if m[1:3] == ("cc", 32)] == [1, 3, 1]
    played = heard(midi_bytes(line(PLAIN, Articulation.MARCATO, part=horn), sound_map=EXAMPLE))
    assert [m[3] for m in played if m[1:3] == ("cc", 58)] == [1, 4]
    # a marked note is louder, and as long as marked notes are
    assert [m[3] for m in played if m[1] == "note_on"] == [80, 88]


def test_latency_is_seconds_whatever_the_tempo() -> None:
    tempo = TempoMap(np.array([0, 4 * QUARTER]), np.array([5e5, 1e6]), ticks_per_quarter=QUARTER)
    score = line(*[PIZZ] * 8, tempo=tempo)
    back = read_midi(midi_bytes(score, sound_map=EXAMPLE))
    early = score.seconds(score.notes["onset"]) - back.seconds(back.notes["onset"])
    assert early[0] == 0  # nothing comes before the beginning
    assert np.allclose(early[1:], 0.010, atol=0.0011)


def test_dynamics_follow_loudness_and_hairpins() -> None:
    notes = note_rows([(0, 4 * QUARTER, 60, 33, 0), (4 * QUARTER, QUARTER, 62, 112, 0)])
    part = Part("Violins", instrument="violin", program=48)
    score = Score(notes, (part,), marks=(Mark(0, "hairpin", "<", 0, end=4 * QUARTER),))
    curve = [(m[0], m[3]) for m in heard(midi_bytes(score, sound_map=EXAMPLE)) if m[1:3] == ("cc", 1)]
    values = [value for _, value in curve]
    assert values == sorted(values)
    assert len(values) > 25
    assert (values[0], values[-1]) == (10 + round(117 * 32 / 126), 10 + round(117 * 111 / 126))
    last = Score(notes[:1], (part,), marks=(Mark(0, "hairpin", ">", 0, end=4 * QUARTER),))
    falling = [m[3] for m in heard(midi_bytes(last, sound_map=EXAMPLE)) if m[1:3] == ("cc", 1)]
    assert falling == sorted(falling, reverse=True)
    assert len(falling) > 5


def test_a_part_s_own_curve_is_left_alone() -> None:
    own = np.array([(0, 0, 1, 64), (240, 0, 1, 70)], CONTROL)
    played = heard(midi_bytes(line(PLAIN, PLAIN, controls=own), sound_map=EXAMPLE))
    assert [(m[0], m[3]) for m in played if m[1:3] == ("cc", 1)] == [(0, 64), (240, 70)]


def test_notes_struck_together_have_one_articulation() -> None:
    notes = note_rows([(0, 480, 60, 80, 0), (0, 480, 64, 80, 0), (480, 480, 62, 80, 0)])
    notes["articulation"] = [0, int(PIZZ), 0]
    score = Score(notes, (Part("Violas", instrument="viola", program=41),))
    played = heard(midi_bytes(score, sound_map=EXAMPLE))
    assert [m[2] for m in played if m[1] == "note_on" and m[2] < 24] == [19, 12]


def test_repeated_notes_sent_early_do_not_overlap() -> None:
    notes = note_rows([(i * 240, 240, 60, 80, 0) for i in range(8)])
    notes["articulation"][4:] = int(SLUR)
    back = read_midi(midi_bytes(Score(notes, (Part("Violins", instrument="violin"),)), sound_map=EXAMPLE))
    assert np.all(back.ends[:-1] <= back.notes["onset"][1:])
    assert not [i for i in back.import_log if "struck" in i.what]


def test_parts_that_switch_differently_get_channels_of_their_own_beyond_sixteen() -> None:
    notes = note_rows([(i * 7 + 480 * k, 240, 60, 80, i) for i in range(40) for k in range(3)])
    notes["articulation"] = np.where(notes["onset"] // 480 == notes["part"] % 3, int(PIZZ), 0)
    score = Score(notes, tuple(Part(f"Violin {i + 1}", instrument="violin", program=40) for i in range(40)))
    data = midi_bytes(score, sound_map=EXAMPLE)
    ports, places = 0, set()
    for messages in mido.MidiFile(file=io.BytesIO(data)).tracks[1:]:
        ports = next((m.port for m in messages if m.type == "midi_port"), 0)
        places |= {(ports, m.channel) for m in messages if m.type == "note_on"}
    back = read_midi(data)
    assert len(back.parts) == 40
    assert len(back.notes) == len(notes)
    assert len(places) >= 15
    for i in range(40):
        own = [r for r in back.raw if r.part == i and r.data[0] & 0xF0 == 0x90]
        assert own, i


def test_unmapped_parts_and_plain_writing_are_as_without_a_map(tmp_path: Path) -> None:
    organ = Part("Organ", instrument="organ", program=19)
    score = line(PLAIN, Articulation.STACCATO, part=organ)
    assert heard(midi_bytes(score, sound_map=EXAMPLE)) == heard(midi_bytes(score))
    path = write_score(line(PLAIN, PIZZ), tmp_path / "a.mid", sound_map="general-midi")
    assert read_score(path).programs["program"].tolist() == [48, 45]


def test_music_on_a_keyswitch_is_refused_with_its_place() -> None:
    notes = note_rows([(0, 480, 60, 80, 0), (1920, 480, 12, 80, 0)])
    with pytest.raises(WriteError, match=r"Violins: plays C0 in bar 2, a keyswitch"):
        midi_bytes(Score(notes, (Part("Violins", instrument="violin"),)), sound_map=EXAMPLE)


HEAD = "version: 1\ntitle: Mine\ninstruments:\n  - for: [violin]\n    articulations:\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            HEAD + "      spicato: {}\n",
            "line 6, column 7, instruments[0].articulations.spicato: 'spicato' is no articulation",
        ),
        (HEAD + "      sustain: {keyswitch: H0}\n", "line 6, column 28"),
        (HEAD + "      sustain: {keyswitch: A4}\n", "keyswitch A4 is a note of the Violin"),
        (HEAD + "      sustain: {program: 128}\n", "instruments[0].articulations.sustain.program"),
        (HEAD + "      sustain: {controls: {123: 1}}\n", "controls"),
        (HEAD + "      sustain: {progam: 1}\n", "this key is not known"),
        (HEAD + "      muted+tremolo: {}\n      tremolo+muted: {}\n", "given twice in other words"),
        (HEAD.replace("violin", "violine") + "      sustain: {}\n", "'violine' is no instrument and no family"),
        (HEAD.replace("version: 1", "version: 2") + "      sustain: {}\n", "version"),
        ("title: x\n", "version"),
        ("- 1\n", "no keys"),
        ("a: [\n", "no YAML"),
    ],
)
def test_a_wrong_map_is_refused_in_one_line_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError) as caught:
        load_sound_map(path)
    assert told in str(caught.value)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_map_names_those_there_are() -> None:
    with pytest.raises(RescoreError, match="general-midi"):
        load_sound_map("general midi")


def test_a_map_of_one_s_own_works_like_a_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD + "      tremolo: {keyswitch: [C-1, 1], velocity: {add: 10}}\n")
    played = heard(midi_bytes(line(PLAIN, TREMOLO), sound_map=path))
    assert [m[2:] for m in played if m[1] == "note_on"] == [(60, 80), (0, 100), (1, 100), (61, 90)]
