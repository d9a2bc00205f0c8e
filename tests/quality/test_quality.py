"""The report: known answers for every measure."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from rescore_music.audio import Audio, Rendering
from rescore_music.cues import Cues, Hit
from rescore_music.quality import Measure, Quality, measure
from rescore_music.quality.fidelity import kept, motifs_whole
from rescore_music.quality.voicing import chord_roughness, dissonance, pair_roughness
from rescore_music.score import Marker, Part, Score, note_rows
from rescore_music.structure import Analysis, Line, Motif, Occurrence, Phrase, Role

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "quality.schema.json"


@pytest.fixture
def source():
    """Violin melody (part 0) over a cello bass (part 1), 8 quarters; the motif is heard twice, a fifth apart."""
    melody = [72, 74, 76, 77, 79, 81, 83, 84]
    rows = [(480 * i, 480, p, 90, 0) for i, p in enumerate(melody)]
    rows += [(960 * i, 960, 48 - i, 70, 1) for i in range(4)]
    parts = (Part("Violin", instrument="violin"), Part("Cello", instrument="cello"))
    return Score(notes=note_rows(rows), parts=parts)


@pytest.fixture
def analysis(source):
    part = source.notes["part"].astype(np.int32)
    motif = Motif(
        "A",
        (
            Occurrence(np.flatnonzero((part == 0) & (source.notes["onset"] < 1920)), 0, 1920),
            Occurrence(np.flatnonzero((part == 0) & (source.notes["onset"] >= 1920)), 1920, 3840),
        ),
    )
    return Analysis(
        np.zeros(len(part), np.int16),
        part,
        tuple(Line(i, 0, np.flatnonzero(part == i)) for i in (0, 1)),
        (Phrase(0, 3840, "A"),),
        np.array([[Role.MELODY], [Role.BASS]], np.int8),
        motifs=(motif,),
    )


def changed(score, **columns):
    notes = score.notes.copy()
    for name, value in columns.items():
        notes[name] = value
    return score.replace(notes=notes)


def test_a_score_keeps_all_of_itself(source, analysis):
    quality = measure(source, source, analysis=analysis, origin=np.arange(len(source.notes)))
    for name in ("melody_kept", "bass_kept", "motifs_kept", "notes_kept", "doubling"):
        assert quality[name].value == 1
        assert quality[name].ok in (True, None)
    assert quality["notes_added"].value == 0


def test_octaves_may_change_pitch_classes_may_not(source, analysis):
    up = changed(source, pitch=source.notes["pitch"] + 12)
    assert measure(up, source, analysis=analysis)["melody_kept"].value == 1
    assert measure(up, source, analysis=analysis)["motifs_kept"].value == 1
    assert not kept(source.transposed(1), source)[source.notes["pitch"] == 84].any()
    late = changed(source, onset=source.notes["onset"] + 10)
    assert measure(late, source, analysis=analysis)["melody_kept"].value == 0
    assert measure(late, source, analysis=analysis)["bass_kept"].value == 0


def test_harmony_may_be_held_on_instead_of_struck_again():
    chords = [(480 * beat, 480, pitch, 64, 0) for beat in range(4) for pitch in (60, 64, 67)]
    repeated = Score(notes=note_rows(chords), parts=(Part("Piano"),))
    held = Score(notes=note_rows([(0, 1920, pitch, 64, 0) for pitch in (72, 64, 67)]), parts=(Part("Strings"),))
    assert measure(held, repeated)["notes_kept"].value == 1
    short = Score(notes=note_rows([(0, 960, pitch, 64, 0) for pitch in (72, 64, 67)]), parts=(Part("Strings"),))
    assert measure(short, repeated)["notes_kept"].value == 0.5


def test_resolution_does_not_matter(source, analysis):
    quality = measure(source.rescaled(960), source, analysis=analysis)
    assert quality["notes_kept"].value == 1
    assert quality["motifs_kept"].value == 1


def test_a_lost_bass_note_is_told_with_its_bar(source, analysis):
    gone = source.replace(notes=source.notes[~((source.notes["part"] == 1) & (source.notes["onset"] == 2880))])
    quality = measure(gone, source, analysis=analysis)
    assert quality["bass_kept"].value == 0.75
    assert quality["bass_kept"].ok is False
    assert quality["bass_kept"].detail == ("bar 2, Cello",)
    assert quality["melody_kept"].value == 1


def test_a_motif_handed_over_in_its_middle_is_not_whole(source, analysis):
    notes = source.notes.copy()
    notes["part"][(notes["part"] == 0) & (notes["onset"] >= 2880)] = 1
    split = source.replace(notes=notes)
    assert motifs_whole(split, source, analysis).tolist() == [True, False]
    assert measure(split, source, analysis=analysis)["melody_kept"].value == 1


def test_percussion_is_kept_by_any_stroke_at_its_time(source):
    drums = Score(notes=note_rows([(0, 1, 36, 90, 0), (480, 1, 38, 90, 0)]), parts=(Part("Kit", percussion=True),))
    taps = Score(notes=note_rows([(0, 1, 42, 90, 0)]), parts=(Part("Hat", percussion=True),))
    assert kept(taps, drums).tolist() == [True, False]
    assert not kept(source, drums).any()


def test_range_violations(source):
    assert measure(source)["range_violations"].value == 0
    low = changed(source, pitch=np.where(source.notes["part"] == 0, 50, source.notes["pitch"]))
    quality = measure(low)
    assert quality["range_violations"].value == pytest.approx(1000 * 8 / 12)
    assert quality["range_violations"].ok is False
    assert "Violin, bar 1" in quality["range_violations"].detail[0]


def test_dissonance_of_known_chords():
    close, low, cluster = (chord_roughness(c) for c in ([60, 64, 67], [36, 40, 43], [60, 61, 62, 63]))
    assert close == pytest.approx(1)
    assert low > 1.5
    assert cluster > 3
    assert chord_roughness([60, 72]) < 0.3
    assert chord_roughness([60]) == 0
    table = pair_roughness()
    assert np.allclose(table, table.T, rtol=1e-9, atol=1e-12)
    # consonance of intervals over middle C: octave, fifth, fourth, major third, tritone, minor second
    order = [table[60, 60 + i] for i in (12, 7, 5, 4, 1)]
    assert order == sorted(order)


def test_dissonance_counts_held_notes():
    held = Score(notes=note_rows([(0, 960, 60, 80, 0), (480, 480, 61, 80, 0)]), parts=(Part(),))
    values = dissonance(held)
    assert values[0] == 0
    assert values[1] == pytest.approx(chord_roughness([60, 61]))


def test_hits_from_bare_cues(source):
    marked = source.replace(markers=(Marker(960, "A", "hit"), Marker(1920, "B", "hit")))
    cues = Cues.from_hits([Hit(24, "A"), Hit(50, "B", kind="soft")], 24)
    quality = measure(marked, cues=cues)
    assert quality["hits_landed"].value == 0.5
    assert quality["hard_hits_landed"].value == 1
    assert quality["hits_max_off"].value == pytest.approx(2)
    assert quality["hits_landed"].detail == ("B: -2.00 frames",)
    onsets = measure(source, cues=cues)
    assert onsets["hits_mean_off"].value == pytest.approx(1)


def test_hits_from_syncing(source):
    from rescore_music.syncing import sync

    synced = sync(source, Cues.from_hits([Hit(25), Hit(900)], 24))
    quality = measure(synced.score, cues=synced)
    assert quality["hits_landed"].value == 1
    assert quality["hits_skipped"].value == 1
    assert quality["hits_max_off"].value < 1e-4


def tone(level, rate=48000, seconds=4.0, frequency=997.0):
    t = np.arange(round(seconds * rate)) / rate
    wave = (level * np.sin(2 * np.pi * frequency * t)).astype(np.float32)
    return np.stack([wave, wave], axis=-1)


def test_levels(source):
    # a 997 Hz sine at -18 dBFS peak on both channels reads -18 LUFS (BS.1770)
    quality = measure(source, audio=Audio(tone(10 ** (-18 / 20))))
    assert quality["loudness"].value == pytest.approx(-18, abs=0.1)
    assert quality["true_peak"].value == pytest.approx(-18, abs=0.1)
    assert quality["clipped_samples"].value == 0
    assert "silent_notes" not in quality
    loud = measure(source, audio=Audio(np.clip(tone(1.5), -1, 1)))
    assert loud["clipped_samples"].value > 1000
    assert loud["true_peak"].ok is False


def test_silent_notes_and_silence(source):
    sound = tone(0.0)
    rendering = Rendering(sound, {"Violin": sound}, silent=np.array([0, 11]))
    quality = measure(source, audio=rendering)
    assert quality["silent_notes"].value == 2
    assert quality["silent_notes"].ok is False
    assert quality["silent_notes"].detail == ("Violin, bar 1", "Violin, bar 2")
    assert quality["loudness"].value is None
    assert quality["loudness"].ok is None
    json.loads(quality.to_json())


def test_the_report_follows_its_schema(source, analysis):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    cues = Cues.from_hits([Hit(24)], 24)
    rendering = Rendering(tone(0.1), {"Violin": tone(0.1)})
    full = measure(source, source, cues, rendering, analysis=analysis, origin=np.arange(len(source.notes)))
    jsonschema.validate(json.loads(full.to_json()), schema)
    jsonschema.validate(measure(Score()).as_dict(), schema)
    assert len({m.name for m in full}) == len(full.measures) > 15


def test_names_and_judgement():
    quality = Quality((Measure("loudness", float("-inf"), "LUFS", "x"), Measure("doubling", 2.0, "", "x", (1, None))))
    assert quality.value("loudness") is None
    assert quality["doubling"].ok is True
    assert quality.value("true_peak") is None
    with pytest.raises(KeyError):
        quality["true_peak"]


def test_real_music_keeps_itself(shared_data):
    """A symphony movement measured against itself, with its parts as lines."""
    pytest.importorskip("rescore_music.io.musicxml.read")
    from rescore_music.io import read_score

    path = sorted((shared_data / "openscore_orchestra").rglob("*.mxl"))[0]
    score = read_score(path)
    assert kept(score, score).all()
    assert not kept(score.transposed(1), score).all()
