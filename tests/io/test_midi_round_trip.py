"""MIDI in and out again, judged by mido, which knows nothing of us: the comparison of benchmarks/midi_round_trip.py."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import mido
import numpy as np
import pytest

from rescore_music.errors import ReadError
from rescore_music.io.midi.read import read_midi
from rescore_music.io.midi.write import midi_bytes
from rescore_music.score import Part, Score, note_rows
from rescore_music.tempo import TempoMap

QUARTER = 480
FRAME = 1 / 24


@pytest.fixture(scope="module")
def round_trip() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "midi_round_trip.py"
    spec = importlib.util.spec_from_file_location("midi_round_trip", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("folder", "every"), [("game_midi", 5), ("midi_conformance", 1)])
def test_what_mido_finds_in_a_source_it_finds_in_our_file(
    shared_data: Path, round_trip: ModuleType, folder: str, every: int
) -> None:
    compared, wrong = 0, {}
    for path in sorted((shared_data / folder).glob("*.mid"))[::every]:
        try:
            found = round_trip.differences(path.read_bytes())
        except ReadError:
            continue
        if found is None:
            continue
        score, _, kinds = found
        compared += 1
        if round_trip.unexplained(score, kinds):
            wrong[path.name] = kinds
    assert wrong == {}
    assert compared > 30


def test_a_lost_controller_would_be_seen(round_trip: ModuleType) -> None:
    score = Score(note_rows([(0, 480, 60, 80, 0)]), (Part("A", program=5),))
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(score)))
    whole = round_trip.told(file)
    file.tracks[1] = mido.MidiTrack(m for m in file.tracks[1] if m.type != "program_change")
    assert "programs" not in round_trip.told(file)
    assert whole["programs"].total() == 1


def mido_seconds(data: bytes) -> list[float]:
    """When mido says each note begins, by its own arithmetic on tempo messages."""
    now, onsets = 0.0, []
    for message in mido.MidiFile(file=io.BytesIO(data)):
        now += message.time
        if message.type == "note_on" and message.velocity:
            onsets.append(now)
    return onsets


@pytest.mark.parametrize(("slow", "fast", "quarters"), [(40.0, 200.0, 4), (59.94, 61.3, 64), (120.0, 30.0, 1)])
def test_notes_under_a_tempo_ramp_stay_within_a_ten_thousandth_of_a_frame(
    slow: float, fast: float, quarters: int
) -> None:
    us = 6e7 / np.array([slow, slow, fast, 66.0])
    ends = 6e7 / np.array([slow, fast, fast, 66.0])
    tempo = TempoMap(np.array([0, 3, 3 + quarters, 40 + quarters]) * QUARTER, us, ends, QUARTER)
    score = Score(note_rows([(i * 37, 30, 60, 80, 0) for i in range(1500)]), (Part("A"),), tempo=tempo)
    heard = np.array(mido_seconds(midi_bytes(score)))
    exact = score.seconds(score.notes["onset"])
    assert float(np.abs(heard - exact).max()) < 1e-4 * FRAME
    back = read_midi(midi_bytes(score))
    assert float(np.abs(back.seconds(back.notes["onset"]) - exact).max()) < 1e-4 * FRAME


def test_two_keys_at_one_tick_both_come_back_and_the_first_track_counts(tmp_path: Path) -> None:
    file = mido.MidiFile(type=1)
    for name, key in (("Horns", "C"), ("Strings", "F")):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name), mido.MetaMessage("key_signature", key=key)])
        track += [mido.Message("note_on", note=60, velocity=64), mido.Message("note_off", note=60, time=480)]
        file.tracks.append(track)
    path = tmp_path / "keys.mid"
    file.save(path)
    score = read_midi(path)
    assert score.keys["fifths"].tolist() == [-1, 0]
    (tmp_path / "again.mid").write_bytes(midi_bytes(score))
    again = mido.MidiFile(tmp_path / "again.mid")
    assert sorted(m.key for track in again.tracks for m in track if m.type == "key_signature") == ["C", "F"]
    assert read_midi(tmp_path / "again.mid").keys.tolist() == score.keys.tolist()
