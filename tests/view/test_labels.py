"""Names beside the staves."""

from __future__ import annotations

from rescore_music.score import Part, Score
from rescore_music.view.labels import WIDEST, with_labels


def labels(*parts: Part) -> list[tuple[str, str]]:
    return [(p.name, p.abbreviation) for p in with_labels(Score(parts=parts)).parts]


def test_parts_without_abbreviation_get_the_instrument_s_with_their_number():
    assert labels(Part("Violin II", program=40)) == [("Violin II", "Vln. II")]
    assert labels(Part("Clarinet in B♭", "Cl.", "clarinet-bb")) == [("Clarinet in B♭", "Cl.")]


def test_long_names_are_cut_at_a_seam_or_at_the_margin():
    ((name, short),) = labels(Part("Honky-tonk Piano: Bright Acoustic Piano", program=3))
    assert name == "Bright Acoustic Piano"
    assert len(short) < len(name)
    assert labels(Part("Solo Violin (left, second take)", program=40))[0][0] == "Solo Violin"
    ((name, _),) = labels(Part("x" * 80))
    assert len(name) == WIDEST


def test_nameless_parts_are_named_by_their_sound_and_equal_names_numbered():
    assert labels(Part(program=73))[0][0] == "Flute"
    assert [name for name, _ in labels(Part("Piano"), Part("Piano"), Part("Bass", program=33))] == [
        "Piano 1",
        "Piano 2",
        "Bass",
    ]
