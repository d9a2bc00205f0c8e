"""Decisions as a musician reads them."""

from __future__ import annotations

from rescore_music.view.decisions import decisions, explanation, who, why

ROW = {
    "phrase": 0,
    "line": 0,
    "role": "melody",
    "seat": "Oboe <1>",
    "octaves": 1,
    "doubled": [{"seat": "Flute", "octaves": 2}, {"seat": "Violins", "octaves": 1}],
    "terms": {"wish": -0.5},
    "runner_up": "Horns",
    "extra": 0.87,
    "differences": {"continuity": 2.77, "contrast": -1.9},
}
REPORT = {"lines": ["Tune"], "phrases": ["A, bars 1–8", "B, bars 9–16"], "decisions": [ROW]}


def test_a_decision_in_words() -> None:
    assert who(ROW) == "Oboe <1> an octave higher, doubled by Flute an octave higher, Violins"
    assert why(ROW) == "Next best: Horns, dearer by 0.87: continuity +2.77; for it: contrast -1.90."
    assert why(ROW | {"runner_up": None}) == "No other way was left among the best."
    assert "cheaper by 0.50 on paper" in why(ROW | {"extra": -0.5})


def test_phrases_head_their_decisions_and_names_are_escaped() -> None:
    lines = explanation(REPORT).splitlines()
    assert lines[0] == "A, bars 1–8"
    assert lines[1].startswith("  Melody (Tune): Oboe <1> an octave higher")
    assert lines[2] == "B, bars 9–16"
    page = decisions(REPORT)
    assert "Oboe &lt;1&gt;" in page
    assert "<1>" not in page
