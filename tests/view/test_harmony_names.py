"""Names of harmony: keys spelled as people write them, chords with their bass, numerals with their figures."""

from __future__ import annotations

import pytest

from rescore_music.structure import Chord, KeySpan
from rescore_music.view.harmony_names import chord_name, key_name, name_of_fifth, note_names, roman, signature

C = KeySpan(0, 1, 0, "major")
A_MINOR = KeySpan(0, 1, 9, "minor")


def chord(root: int, quality: str, bass: int | None = None) -> Chord:
    return Chord(0, 1, root, quality, root if bass is None else bass)


def test_the_line_of_fifths_has_the_usual_names() -> None:
    assert [name_of_fifth(f) for f in range(-8, 13)] == [
        "F♭", "C♭", "G♭", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B",
        "F♯", "C♯", "G♯", "D♯", "A♯", "E♯", "B♯",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tonic", "mode", "notated", "name"),
    [
        (0, "major", 0, "C major"),
        (6, "minor", 3, "F♯ minor"),
        (3, "minor", -3, "E♭ minor"),
        (8, "major", 0, "A♭ major"),
        (8, "minor", 4, "G♯ minor"),
        (1, "major", 5, "C♯ major"),
        (1, "major", -3, "D♭ major"),
        (10, "minor", 0, "B♭ minor"),
    ],
)
def test_keys_are_spelled_near_the_signature(tonic: int, mode: str, notated: int, name: str) -> None:
    assert key_name(tonic, mode, notated) == name


def test_every_key_has_a_signature_of_seven_at_most_and_twelve_different_notes() -> None:
    for tonic in range(12):
        for mode in ("major", "minor"):
            fifths = signature(tonic, mode)
            assert -7 <= fifths <= 7
            names = note_names(fifths, mode)
            assert len(set(names)) == 12
            assert names[tonic] == key_name(tonic, mode).split()[0]


def test_minor_has_its_leading_note() -> None:
    assert note_names(0, "minor")[8] == "G♯"
    assert note_names(-2, "minor")[6] == "F♯"
    assert note_names(-3, "minor")[3] == "E♭"


@pytest.mark.parametrize(
    ("given", "fifths", "mode", "name"),
    [
        (chord(7, "7", 11), 0, "major", "G7/B"),
        (chord(0, "min", 3), -2, "minor", "Cm/E♭"),
        (chord(1, "maj", 5), 0, "major", "D♭/F"),
        (chord(1, "dim7"), 0, "major", "C♯°7"),
        (chord(11, "hdim7", 9), 0, "major", "Bø7/A"),
        (chord(1, "dim"), -1, "major", "C♯dim"),
        (chord(6, "dim7", 0), -2, "major", "F♯°7/C"),
        (chord(6, "dim7", 3), 0, "minor", "F♯°7/E♭"),
        (chord(1, "dim7"), 0, "minor", "C♯°7"),
        (chord(8, "dim7"), 0, "major", "G♯°7"),
        (chord(0, "aug"), 0, "major", "Caug"),
        (chord(8, "dim7", 5), 0, "minor", "G♯°7/F"),
        (chord(0, "maj", 2), 0, "major", "C/D"),
        (chord(0, "", 0), 0, "major", ""),
    ],
)
def test_chords_are_named_with_their_bass(given: Chord, fifths: int, mode: str, name: str) -> None:
    assert chord_name(given, fifths, mode) == name


@pytest.mark.parametrize(
    ("given", "key", "numeral"),
    [
        (chord(0, "maj"), C, "I"),
        (chord(0, "maj", 4), C, "I⁶"),
        (chord(0, "maj", 7), C, "I⁶₄"),
        (chord(2, "min7", 5), C, "ii⁶₅"),
        (chord(7, "7", 2), C, "V⁴₃"),
        (chord(7, "7", 5), C, "V⁴₂"),
        (chord(11, "dim", 2), C, "vii°⁶"),
        (chord(11, "hdim7"), C, "viiø⁷"),
        (chord(1, "maj", 5), C, "♭II⁶"),
        (chord(2, "7"), C, "V⁷/V"),
        (chord(0, "7"), C, "V⁷/IV"),
        (chord(6, "dim7"), C, "vii°⁷/V"),
        (chord(5, "min"), C, "iv"),
        (chord(10, "maj"), C, "♭VII"),
        (chord(9, "min"), A_MINOR, "i"),
        (chord(4, "7", 8), A_MINOR, "V⁶₅"),
        (chord(8, "dim7"), A_MINOR, "vii°⁷"),
        (chord(11, "hdim7", 2), A_MINOR, "iiø⁶₅"),
        (chord(7, "7"), A_MINOR, "V⁷/III"),
        (chord(0, "maj"), A_MINOR, "III"),
        (chord(7, "sus4", 2), C, "Vsus⁴"),
        (chord(9, "maj"), A_MINOR, "I"),  # the Picardy third
    ],
)
def test_numerals_in_the_local_key(given: Chord, key: KeySpan, numeral: str) -> None:
    assert roman(given, key) == numeral


def test_a_foreign_triad_is_an_applied_dominant_where_it_resolves() -> None:
    assert roman(chord(2, "maj"), C) == "II"
    assert roman(chord(2, "maj"), C, chord(7, "maj")) == "V/V"
    assert roman(chord(9, "maj"), A_MINOR, chord(2, "min")) == "V/iv"


def test_a_seventh_on_the_lowered_sixth_that_goes_to_the_dominant_is_german() -> None:
    assert roman(chord(5, "7"), A_MINOR, chord(4, "maj")) == "Ger⁺⁶"
    assert roman(chord(8, "7"), C, chord(0, "maj", 7)) == "Ger⁺⁶"
    assert roman(chord(8, "7"), C, chord(7, "sus4")) == "Ger⁺⁶"
    assert roman(chord(5, "7"), A_MINOR, chord(10, "maj")) != "Ger⁺⁶"
