"""The shipped cues: whole pieces of music, the same bytes every time, with what the other rooms need in them."""

from __future__ import annotations

import csv
import itertools
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

import mido
import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
CUES = ("hero_theme.mid", "chase.mid", "love_theme.musicxml", "pixel_loop.mid")
Row = tuple[Fraction, Fraction, int, int]  # onset and end in quarters, pitch, velocity


def tracks(name: str) -> dict[str, list[Row]]:
    """Notes of each track of a MIDI cue, by an independent reader."""
    out: dict[str, list[Row]] = {}
    file = mido.MidiFile(SAMPLES / name)
    for track in file.tracks:
        now, held, rows, title = 0, {}, [], ""
        for message in track:
            now += message.time
            if message.type == "track_name":
                title = message.name
            elif message.type == "note_on" and message.velocity:
                held[message.note] = (now, message.velocity)
            elif message.type in ("note_on", "note_off"):
                start, velocity = held.pop(message.note)
                quarter = file.ticks_per_beat
                rows.append((Fraction(start, quarter), Fraction(now, quarter), message.note, velocity))
        assert not held, f"{title}: hanging notes"
        if rows:
            out[title] = sorted(rows)
    return out


def statements(rows: list[Row], intervals: tuple[int, ...], rhythm: tuple[float, ...]) -> list[tuple[Fraction, int]]:
    """(onset, first pitch) of each statement of a motif, whatever else sounds with it."""
    at = {(row[0], row[2]) for row in rows}
    found = []
    for onset, pitch in sorted(at):
        now, note, whole = onset, pitch, True
        for interval, length in zip(intervals, rhythm, strict=True):
            now, note = now + Fraction(length), note + interval
            whole = whole and (now, note) in at
        if whole:
            found.append((onset, pitch))
    return found


def xml() -> ET.Element:
    return ET.parse(SAMPLES / "love_theme.musicxml").getroot()


def test_the_script_writes_the_same_bytes_again(tmp_path):
    subprocess.run([sys.executable, SAMPLES / "make_samples.py", "--out", tmp_path], check=True, capture_output=True)
    for name in (*CUES, "chase_hits.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


@pytest.mark.parametrize("name", [n for n in CUES if n.endswith(".mid")])
def test_midi_cues_last_half_a_minute_to_two(name):
    assert 30 <= mido.MidiFile(SAMPLES / name).length <= 120


def test_the_love_theme_lasts_half_a_minute_to_two():
    bars = len(xml().findall("part")[0].findall("measure"))
    tempi = [float(sound.get("tempo")) for sound in xml().iter("sound") if sound.get("tempo")]
    assert 30 <= bars * 3 * 60 / max(tempi) <= bars * 3 * 60 / min(tempi) <= 140
    assert bars * 3 * 60 / tempi[0] <= 120


@pytest.mark.parametrize(
    ("name", "intervals", "rhythm", "least"),
    [
        ("hero_theme.mid", (-5, 7, 2, 5, -2), (1.5, 0.5, 1, 1, 2), 3),
        ("chase.mid", (3, 4, 1, -1, -1), (0.5, 0.5, 1.5, 0.5, 0.5), 4),
        ("pixel_loop.mid", (3, 2, 2, -2, -2, -3, -2, -3), (0.5, 0.25, 0.25, 0.75, 0.25, 0.5, 0.5, 0.5), 3),
    ],
)
def test_the_motif_returns_and_is_transposed(name, intervals, rhythm, least):
    rows = [row for part in tracks(name).values() for row in part]
    found = statements(rows, intervals, rhythm)
    classes = {pitch % 12 for _, pitch in found}
    assert len(classes) >= least, (found, classes)
    first = found[0][1] % 12
    assert max(onset for onset, pitch in found if pitch % 12 == first) > found[0][0], "it comes home"


def test_the_love_theme_returns_and_is_transposed():
    voice = next(p for p in xml().findall("part") if p.find(".//lyric") is not None)
    pitches = []
    for note in voice.iter("note"):
        if note.find("pitch") is not None and not any(t.get("type") == "stop" for t in note.findall("tie")):
            step, octave = note.findtext("pitch/step"), int(note.findtext("pitch/octave"))
            alter = int(note.findtext("pitch/alter") or 0)
            pitches.append(12 * (octave + 1) + dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))[step] + alter)
    found = [p for i, p in enumerate(pitches) if [b - p for b in pitches[i : i + 4]] == [0, -3, 2, 0]]
    assert found == [72, 77, 72, 77, 75, 72], "C, then a fourth higher, twice; a minor third higher; home"


def test_the_hero_theme_is_a_piano_sketch_in_one_track_with_melody_over_bass():
    file = mido.MidiFile(SAMPLES / "hero_theme.mid")
    assert (file.type, len(file.tracks)) == (0, 1)
    (rows,) = tracks("hero_theme.mid").values()
    bars = range(2, 37)
    for bar in bars:
        sounding = [p for onset, end, p, _ in rows if onset < 4 * bar + 4 and end > 4 * bar]
        assert min(sounding) <= 50, f"bar {bar + 1} lacks a bass"
        assert max(sounding) >= 62, f"bar {bar + 1} lacks a melody"
    assert len({p % 12 for _, _, p, _ in rows}) >= 10, "harmony beyond the scale"


def test_the_chase_has_percussion_seven_eight_and_an_ostinato():
    file = mido.MidiFile(SAMPLES / "chase.mid")
    messages = [m for track in file.tracks for m in track]
    assert sum(m.type == "note_on" and m.channel == 9 for m in messages) > 100
    meters = [(m.numerator, m.denominator) for m in messages if m.type == "time_signature"]
    assert (4, 4) in meters
    assert (7, 8) in meters
    parts = tracks("chase.mid")
    assert len(parts) == 11
    assert {"Basses", "Horns", "Violins", "Percussion"} <= set(parts)
    cellos = [row for row in parts["Cellos"] if row[0] < 16]
    assert len(cellos) == 32
    assert len({b - a for (a, *_), (b, *_) in itertools.pairwise(cellos)}) == 1


def test_no_part_of_the_chase_leaves_its_instrument():
    compass = {
        "Flute": (60, 98), "Clarinet": (50, 91), "Horns": (41, 77), "Trumpets": (54, 82), "Trombones": (40, 72),
        "Timpani": (40, 55), "Violins": (55, 100), "Violas": (48, 88), "Cellos": (36, 76), "Basses": (28, 60),
    }  # fmt: skip
    for name, rows in tracks("chase.mid").items():
        if name in compass:
            low, high = compass[name]
            assert low <= min(r[2] for r in rows), name
            assert max(r[2] for r in rows) <= high, name


def test_dynamics_move():
    for name in (n for n in CUES if n.endswith(".mid")):
        loud = [row[3] for rows in tracks(name).values() for row in rows]
        assert max(loud) - min(loud) >= 25, name


def test_the_love_theme_has_lyrics_slurs_dynamics_and_hairpins():
    root = xml()
    assert root.get("version") == "4.0"
    text = " ".join(e.text for e in root.iter("text"))
    assert text.startswith("Stay a while, the lamps are low,")
    assert text.endswith("so I will know.")
    assert (
        sum(e.get("type") == "start" for e in root.iter("slur"))
        == sum(e.get("type") == "stop" for e in root.iter("slur"))
        >= 30
    )
    assert {"p", "mp", "mf", "f", "ff"} <= {mark.tag for e in root.iter("dynamics") for mark in e}
    kinds = [e.get("type") for e in root.iter("wedge")]
    assert "crescendo" in kinds
    assert "diminuendo" in kinds
    assert kinds.count("stop") * 2 == len(kinds)


def test_every_bar_of_the_love_theme_is_full():
    for part in xml().findall("part"):
        for measure in part.findall("measure"):
            voices: dict[str, int] = {}
            for note in measure.findall("note"):
                if note.find("chord") is None:
                    voice = note.findtext("voice")
                    voices[voice] = voices.get(voice, 0) + int(note.findtext("duration"))
            assert set(voices.values()) == {36}, (part.get("id"), measure.get("number"), voices)


def test_music21_and_verovio_read_the_love_theme_without_a_warning(recwarn):
    import verovio
    from music21 import converter

    score = converter.parse(SAMPLES / "love_theme.musicxml", forceSource=True)
    assert [p.partName for p in score.parts][:2] == ["Flute", "Voice"]
    assert score.duration.quarterLength == 120
    assert not [w for w in recwarn if "music21" in str(w.category)]
    toolkit = verovio.toolkit()
    assert toolkit.loadFile(str(SAMPLES / "love_theme.musicxml"))
    assert toolkit.getPageCount() >= 1
    assert toolkit.getLog().strip() == ""


def test_the_loop_has_four_channels_and_marks_its_loop():
    file = mido.MidiFile(SAMPLES / "pixel_loop.mid")
    now, marks = 0, {}
    for message in file.tracks[0]:
        now += message.time
        if message.type == "marker":
            marks[message.text] = Fraction(now, file.ticks_per_beat)
    assert marks == {"loopStart": 8, "loopEnd": 136}
    parts = tracks("pixel_loop.mid")
    assert list(parts) == ["Pulse 1", "Pulse 2", "Triangle", "Noise"]
    assert max(end for rows in parts.values() for _, end, _, _ in rows) <= marks["loopEnd"], (
        "nothing hangs over the seam"
    )


def test_the_spotting_list_fits_the_chase():
    rows = list(csv.DictReader((SAMPLES / "chase_hits.csv").open(encoding="utf-8")))
    assert list(rows[0]) == ["timecode", "label", "weight", "kind", "tolerance", "lands"]
    assert 5 <= len(rows) <= 8
    seconds = []
    for row in rows:
        hours, minutes, whole, frames = (int(v) for v in row["timecode"].split(":"))
        assert frames < 24
        assert row["kind"] in ("hard", "soft")
        seconds.append(3600 * hours + 60 * minutes + whole + frames / 24)
    assert seconds == sorted(seconds)
    assert seconds[-1] < mido.MidiFile(SAMPLES / "chase.mid").length
