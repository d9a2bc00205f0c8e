"""The instrument table: each row makes sense, known answers hold, names are understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from rescore_music.errors import RescoreError
from rescore_music.instrument_names import _PROGRAMS
from rescore_music.instruments import (
    CLEFS,
    FAMILIES,
    Instrument,
    guess_instrument,
    instrument,
    instruments,
    pitch_name,
    pitch_number,
    power_db,
    velocity_for,
)

TABLE: Mapping[str, Instrument] = instruments()
ROWS = pytest.mark.parametrize("row", TABLE.values(), ids=list(TABLE))


def db(name: str, pitch: str, velocity: int = 80, players: int = 1) -> float:
    return float(power_db(TABLE[name], pitch_number(pitch), velocity, players=players))


# -- every row ----------------------------------------------------------------------------------------------------


@ROWS
def test_the_tessitura_lies_in_the_range(row: Instrument) -> None:
    assert 0 <= row.lowest <= row.comfortable_low <= row.comfortable_high <= row.highest <= 127
    if not row.percussion:
        assert row.comfortable_low + 5 <= row.comfortable_high, "less than a fourth is no tessitura"
    assert all(row.plays(p) for p in (row.keys or (row.lowest, row.highest)))


@ROWS
def test_power_rises_in_pitch_and_from_pp_to_ff(row: Instrument) -> None:
    pitches = [pitch for pitch, _, _ in row.power]
    assert pitches == sorted(set(pitches))
    assert row.lowest <= pitches[0]
    assert pitches[-1] <= row.highest
    assert row.percussion or len(pitches) >= 2
    for _, soft, loud in row.power:
        assert -40 <= soft < loud <= 20


@ROWS
def test_transposition_agrees_with_staff_steps(row: Instrument) -> None:
    # every interval in use is a perfect or major/minor one: 7 steps to 12 semitones, within half a step
    assert abs(row.diatonic - row.transposition * 7 / 12) <= 0.5
    assert -26 <= row.transposition <= 24


@ROWS
def test_the_written_range_can_be_read(row: Instrument) -> None:
    """No more than five ledger lines on the outer staves for the tessitura (percussion has no pitch)."""
    assert row.clefs
    assert set(row.clefs) <= set(CLEFS)
    assert (row.clefs == ("percussion",)) == row.percussion
    if row.percussion:
        return
    bottom = {"G2": 64, "G2-8": 52, "G2+8": 76, "F4": 43, "F4-8": 31, "C3": 53, "C4": 50}
    low, high = bottom[row.clefs[-1]], bottom[row.clefs[0]] + 13  # lowest and highest staff line
    # a clef with an 8 already tells the octave; the transposition does so otherwise
    assert row.comfortable_low - row.transposition >= low - 18
    assert row.comfortable_high - row.transposition <= high + 18


@ROWS
def test_general_midi_numbers(row: Instrument) -> None:
    assert 0 <= row.program <= 127
    assert 0 <= row.bank <= 16383
    assert row.percussion == bool(row.keys)
    assert all(27 <= key <= 87 for key in row.keys)
    assert len(set(row.keys)) == len(row.keys)
    if row.percussion:
        assert (row.lowest, row.highest) == (min(row.keys), max(row.keys))
        assert row.program == 0, "other kits move the drum keys"


@ROWS
def test_players_are_human_unless_electronic(row: Instrument) -> None:
    assert row.family in FAMILIES
    assert 1 <= row.polyphony <= 12
    assert 1 <= row.agility <= (60 if row.family == "electronic" else 16)
    blown = row.family in ("woodwind", "brass", "voice")
    assert (5 <= row.breath <= 20) if blown else (row.breath == 0 or row.family == "folk")
    if blown and row.id != "choir":
        assert row.polyphony == 1
    assert "pizzicato" not in row.articulations or row.family in ("strings", "folk")
    assert len(set(row.articulations)) == len(row.articulations)
    assert row.name
    assert row.abbreviation


def test_ids_and_names_are_unique_and_there_are_enough() -> None:
    assert len(TABLE) >= 65
    assert len({row.name for row in TABLE.values()}) == len(TABLE)
    assert {row.family for row in TABLE.values()} == set(FAMILIES)
    assert all(id == row.id == id.lower() and " " not in id for id, row in TABLE.items())


def test_the_table_is_read_once_and_cannot_be_changed() -> None:
    assert instruments() is TABLE
    with pytest.raises(TypeError):
        TABLE["violin"] = TABLE["viola"]  # type: ignore[index]


# -- known answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "lowest"),
    [
        ("violin", "G3"),
        ("viola", "C3"),
        ("cello", "C2"),
        ("double-bass", "E1"),
        ("flute", "C4"),
        ("piccolo", "D5"),
        ("oboe", "Bb3"),
        ("clarinet-bb", "D3"),
        ("clarinet-a", "C#3"),
        ("bassoon", "Bb1"),
        ("alto-sax", "Db3"),
        ("horn-f", "B1"),
        ("trumpet-bb", "E3"),
        ("trombone", "E2"),
        ("piano", "A0"),
        ("guitar", "E2"),
        ("pulse-1", "A1"),  # 1.789773 MHz / (16 * 2048) = 54.6 Hz
        ("chip-triangle", "A0"),
    ],
)
def test_lowest_notes(id: str, lowest: str) -> None:
    assert instrument(id).lowest == pitch_number(lowest)


@pytest.mark.parametrize(
    ("id", "semitones", "steps"),
    [
        ("flute", 0, 0),
        ("piccolo", 12, 7),
        ("clarinet-bb", -2, -1),
        ("clarinet-a", -3, -2),
        ("clarinet-eb", 3, 2),
        ("bass-clarinet", -14, -8),
        ("cor-anglais", -7, -4),
        ("horn-f", -7, -4),
        ("trumpet-bb", -2, -1),
        ("alto-sax", -9, -5),
        ("baritone-sax", -21, -12),
        ("tenor-horn", -9, -5),
        ("bb-bass", -26, -15),
        ("eb-bass", -21, -12),
        ("glockenspiel", 24, 14),
        ("celesta", 12, 7),
        ("double-bass", -12, -7),
        ("guitar", -12, -7),
    ],
)
def test_transpositions(id: str, semitones: int, steps: int) -> None:
    assert (instrument(id).transposition, instrument(id).diatonic) == (semitones, steps)


@pytest.mark.parametrize(
    ("id", "semitones", "steps"), [("trumpet", -2, -1), ("horn", -7, -4), ("alto-saxophone", -9, -5)]
)
def test_transpositions_agree_with_music21(id: str, semitones: int, steps: int) -> None:
    from music21 import instrument as m21

    peer = {"trumpet": m21.Trumpet, "horn": m21.Horn, "alto-saxophone": m21.AltoSaxophone}[id]().transposition
    own = guess_instrument(id.replace("-", " "))
    assert (own.transposition, own.diatonic) == (semitones, steps)
    assert own.transposition == peer.semitones


# -- power --------------------------------------------------------------------------------------------------------


def test_zero_decibels_is_a_violin_section_at_mf() -> None:
    assert db("violin", "A4", 80, players=14) == pytest.approx(0.0, abs=0.5)


def test_what_orchestrators_know_about_registers() -> None:
    assert db("flute", "C4", 112) < db("flute", "C7", 112) - 10, "the flute is weak below and bright above"
    assert db("oboe", "Bb3", 40) > db("oboe", "C5", 40), "low oboe notes do not come softly"
    assert db("clarinet-bb", "D4", 33) < db("oboe", "D4", 33) - 8, "no wind plays as softly as the clarinet"
    assert db("trumpet-c", "C5", 112) > db("flute", "C5", 112) + 8, "a flute does not balance a trumpet"
    assert db("horn-f", "C4", 96) > db("bassoon", "C4", 96) + 3, "one horn, two bassoons (Rimsky-Korsakov)"
    assert db("trombone", "Bb3", 112) > db("cello", "Bb3", 112, players=10)
    assert db("piccolo", "C8", 100) > db("piccolo", "D5", 100) + 10


def test_power_is_linear_between_points_and_flat_beyond() -> None:
    flute = instrument("flute")
    (low, _, first), (high, _, second) = flute.power[0], flute.power[1]
    middle = (low + high) / 2
    assert power_db(flute, middle, 112) == pytest.approx((first + second) / 2)
    assert power_db(flute, low - 12, 112) == pytest.approx(first)
    assert flute.power_at(low, 33) == flute.power[0][1]


def test_power_broadcasts_and_grows_with_velocity_and_players() -> None:
    pitches, velocities = np.arange(60, 90), np.arange(1, 128)
    levels = power_db(instrument("flute"), pitches[:, None], velocities)
    assert levels.shape == (30, 127)
    assert np.all(np.diff(levels, axis=1) > 0)
    two = power_db(instrument("flute"), pitches[:, None], velocities, players=2)
    np.testing.assert_allclose(two - levels, 10 * np.log10(2))


@ROWS
def test_velocity_for_is_the_inverse_of_power(row: Instrument) -> None:
    velocities = np.arange(1, 128)
    levels = power_db(row, row.comfortable_low, velocities)
    np.testing.assert_array_equal(velocity_for(row, row.comfortable_low, levels), velocities)


# -- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Vl. I", "violin"),
        ("Violino II", "violin"),
        ("1. Violinen", "violin"),
        ("Violin1", "violin"),
        ("Bratschen", "viola"),
        ("Violoncello e Contrabasso", "cello"),
        ("Kontrabässe", "double-bass"),
        ("Corni in F", "horn-f"),
        ("Cor en fa", "horn-f"),
        ("Hörner 1.2", "horn-f"),
        ("Cor anglais", "cor-anglais"),
        ("Corno inglese", "cor-anglais"),
        ("Klarinette in A", "clarinet-a"),
        ("Klarinette in B", "clarinet-bb"),
        ("Clarinetti in Sib", "clarinet-bb"),
        ("Clarinet in E♭", "clarinet-eb"),
        ("E flat Clarinet", "clarinet-eb"),
        ("clarinets a 2", "clarinet-bb"),
        ("Bass Clarinet in B♭", "bass-clarinet"),
        ("Trombe in Do", "trumpet-c"),
        ("Bb Trumpet 2", "trumpet-bb"),
        ("Posaunen", "trombone"),
        ("Flöten", "flute"),
        ("Floete", "flute"),
        ("Ottavino", "piccolo"),
        ("Hautbois", "oboe"),
        ("Fagotti", "bassoon"),
        ("Controfagotto", "contrabassoon"),
        ("Pauken", "timpani"),
        ("Timpani", "timpani"),
        ("Arpa", "harp"),
        ("Clavecin", "harpsichord"),
        ("Grand Piano, Right", "piano"),
        ("Sopran", "soprano"),
        ("Contralto", "alto"),
        ("Streicher", "string-ensemble"),
        ("Alto Sax", "alto-sax"),
        ("Pulse 2", "pulse-2"),
        ("Röhrenglocken", "tubular-bells"),
        ("Bb (basso) Horn 3", "horn-f"),
        ("D Trumpet 1", "trumpet-bb"),
        ("Continuo", "harpsichord"),
        ("C, G Timpani", "timpani"),
    ],
)
def test_names_in_four_languages(name: str, id: str) -> None:
    assert guess_instrument(name).id == id


@pytest.mark.parametrize(
    ("name", "program", "id"),
    [
        ("Bass", 33, "electric-bass"),
        ("Bass", 32, "double-bass"),
        ("Bass", 38, "synth-bass"),
        ("Bass", None, "bass"),
        ("Alto", 65, "alto-sax"),
        ("Alto", 41, "viola"),
        ("Alto", None, "alto"),
        ("track 3", 48, "string-ensemble"),
        ("", 73, "flute"),
        ("", None, "piano"),
        ("Bass2", 80, "square-lead"),
        ("Bass Drum", 117, "melodic-toms"),  # pitched by its part: not the voice in its name
        ("Voice 1 (Melody)", 0, "piano"),
        ("Lead", 81, "saw-lead"),
        ("Timpani", 0, "timpani"),  # a track's name says more than a program left at 0
    ],
)
def test_the_program_decides_what_the_name_leaves_open(name: str, program: int | None, id: str) -> None:
    assert guess_instrument(name, program).id == id


@pytest.mark.parametrize(
    ("name", "id"), [("Snare", "snare-drum"), ("Gran Cassa", "bass-drum"), ("Triangel", "triangle"), ("", "drum-kit")]
)
def test_unpitched_parts_get_unpitched_instruments(name: str, id: str) -> None:
    assert guess_instrument(name, 0, percussion=True).id == id


def test_triangle_is_a_wave_or_a_bar_by_its_part() -> None:
    assert guess_instrument("Triangle", 0, percussion=True).id == "triangle"
    assert not guess_instrument("Triangle", 80).percussion


@ROWS
def test_every_printed_name_leads_back_to_its_instrument(row: Instrument) -> None:
    guessed = guess_instrument(row.name, row.program, row.percussion)
    # a treble-clef twin is the same instrument on paper
    assert guessed.id == row.id or row.id == f"{guessed.id}-bb"


def test_every_program_has_an_instrument() -> None:
    assert len(_PROGRAMS) == 128
    for program in range(128):
        row = guess_instrument("", program)
        assert not row.percussion
    for row in TABLE.values():  # a row's own program leads to its family, or to what General MIDI calls it
        assert TABLE[_PROGRAMS[row.program]].program // 8 == row.program // 8 or row.percussion


def test_parts_of_real_scores_are_recognised() -> None:
    from music21 import corpus

    score = corpus.parse("beethoven/opus18no1/movement1.mxl")
    names = [part.partName for part in score.parts]
    assert [guess_instrument(name).id for name in names] == ["violin", "violin", "viola", "cello"]


def test_part_names_of_nine_symphonies_and_two_concertos(shared_data: Path) -> None:
    import re
    import zipfile

    names: set[str] = set()
    for path in sorted((shared_data / "openscore_orchestra").glob("*.mxl")):
        with zipfile.ZipFile(path) as packed:
            inside = next(n for n in packed.namelist() if n.endswith("xml") and "META" not in n)
            names |= set(re.findall(r"<part-name[^>]*>([^<]+)</part-name>", packed.read(inside).decode()))
    assert len(names) > 50
    struck = {"Triangle", "Cymbals", "Bass Drum"}
    for name in names:
        found = guess_instrument(name, percussion=name in struck)
        assert found.percussion == (name in struck)
        # a key, a number and a remark aside, the instrument's own word is in the part's name
        own = {"double-bass": r"contrabass|violone", "cello": "violoncello", "harpsichord": "continuo|harpsichord"}
        assert re.search(own.get(found.id, found.id.split("-")[0]), name.lower().replace(" ", "-")), (name, found.id)


def test_masters_write_within_the_ranges(shared_data: Path) -> None:
    """Notes of human scores outside the table's ranges: rare, and only where older basses and horns went lower."""
    from rescore_music.io import read_score

    notes = outside = 0
    for name in ("Bach_BWV.1049_1", "Beethoven_Op.36_2", "Beethoven_Op.67_4", "Beethoven_Op.92_2"):
        score = read_score(shared_data / "openscore_orchestra" / f"{name}.mxl")
        for i, part in enumerate(score.parts):
            row = guess_instrument(part.name, percussion=part.percussion)
            pitches = score.notes["pitch"][score.part_notes(i)]
            off = (pitches < row.lowest) | (pitches > row.highest)
            if row.percussion or not len(pitches):
                continue
            notes, outside = notes + len(pitches), outside + int(off.sum())
            if row.id not in ("double-bass", "horn-f"):
                assert off.mean() < 0.002, (name, part.name)
    assert notes > 20_000
    assert outside / notes < 0.003


# -- errors -------------------------------------------------------------------------------------------------------


def test_a_misspelt_instrument_lists_near_ones() -> None:
    with pytest.raises(RescoreError, match=r"unknown instrument 'vioiln' \(did you mean 'violin'"):
        instrument("vioiln")


@pytest.mark.parametrize("pitch", range(128))
def test_pitch_names_round_trip(pitch: int) -> None:
    assert pitch_number(pitch_name(pitch)) == pitch


@pytest.mark.parametrize("text", ["", "H4", "C", "4", "C#", "Cx4", "C4.5"])
def test_what_is_no_pitch_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no pitch"):
        pitch_number(text)
