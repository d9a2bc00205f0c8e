"""The tune is heard: accompaniment that masks it comes down, and only there."""

from __future__ import annotations

import numpy as np
import orchestration_builders as builders

from rescore_music.instruments import velocity_for
from rescore_music.orchestration.draft import DRAFT
from rescore_music.orchestration.ensemble import ensemble
from rescore_music.orchestration.foreground import SOFTEST, brought_out, melody_lines
from rescore_music.playability.audibility import heard
from rescore_music.score import Part, Score, note_rows
from rescore_music.structure import Analysis, Phrase, Role

TPQ, BAR = builders.TPQ, builders.BAR
SEATS = (("flute", 1, 1), ("trombone", 3, 3))


def texture(accompaniment: int) -> tuple[np.ndarray, Score, Analysis]:
    """A flute's tune in two phrases of two bars; in the second, trombones at that velocity a semitone below it."""
    rows = [(i * TPQ, TPQ, 64 + i % 3, 70, 0) for i in range(16)]
    rows += [(2 * BAR + i * TPQ, TPQ, 63 + (8 + i) % 3, accompaniment, 1) for i in range(8)]
    score = Score(notes=note_rows(rows), parts=(Part("a"), Part("b")), length=4 * BAR)
    phrases = (Phrase(0, 2 * BAR, "A"), Phrase(2 * BAR, 4 * BAR, "B"))
    analysis = Analysis(voices=np.zeros(0, np.int16), line_of=np.zeros(0, np.int32), lines=(), phrases=phrases)
    draft = np.zeros(len(rows), DRAFT)
    for name in ("onset", "duration", "pitch", "velocity"):
        draft[name] = score.notes[name]
    draft["seat"] = draft["line"] = score.notes["part"]
    draft["source"] = np.arange(len(rows))
    draft["phrase"] = draft["onset"] >= 2 * BAR
    draft["role"] = np.where(draft["seat"] == 0, int(Role.MELODY), int(Role.HARMONY))
    return draft, score, analysis


def share(draft: np.ndarray, velocity: np.ndarray) -> float:
    score = Score(
        notes=note_rows(
            list(
                zip(
                    draft["onset"].tolist(),
                    draft["duration"].tolist(),
                    draft["pitch"].tolist(),
                    velocity.tolist(),
                    draft["seat"].tolist(),
                    strict=True,
                )
            )
        ),
        parts=tuple(Part(name, instrument=name, players=players) for name, players, _ in SEATS),
    )
    sounding, told = heard(score, np.where(score.notes["part"] == 0, 0, -1))
    return float(told[0] / sounding[0])


def test_what_masks_the_tune_comes_down_in_its_phrase_only() -> None:
    draft, score, analysis = texture(112)
    seats = ensemble(builders.template(SEATS))
    before = draft["velocity"].astype(np.int64)
    after = brought_out(draft, before, score, analysis, seats)
    assert share(draft, after) > share(draft, before)
    first, tune = draft["phrase"] == 0, draft["seat"] == 0
    assert np.array_equal(after[first], before[first])
    assert np.all(after[~tune] < before[~tune])
    assert np.all(after[tune & ~first] >= before[tune & ~first])
    assert after.min() >= SOFTEST
    assert len(np.unique(after[~tune])) == 1  # one dynamic for the phrase


def test_what_masks_nothing_stays() -> None:
    draft, score, analysis = texture(112)
    draft["pitch"][draft["seat"] == 1] -= 24
    draft["velocity"][draft["seat"] == 1] = velocity_for(builders.instrument("trombone"), 40, -12.0)
    seats = ensemble(builders.template(SEATS))
    before = draft["velocity"].astype(np.int64)
    assert np.array_equal(brought_out(draft, before, score, analysis, seats), before)


def test_a_doubling_is_the_tune_and_not_its_mask() -> None:
    draft, score, analysis = texture(112)
    draft["pitch"][draft["seat"] == 1] -= 11  # an octave below the tune
    seats = ensemble(builders.template(SEATS))
    assert np.array_equal(melody_lines(draft, seats), np.zeros(len(draft)))
    before = draft["velocity"].astype(np.int64)
    assert np.array_equal(brought_out(draft, before, score, analysis, seats), before)
