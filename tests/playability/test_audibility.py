"""Masking: what must be true of any ear."""

from __future__ import annotations

import numpy as np

from rescore_music.playability.audibility import BANDS, NOISE, bark, heard, spectra
from rescore_music.score import Part, Score, note_rows

TUNE, REST = 0, -1


def two(tune: tuple[int, int], other: tuple[int, int], names: tuple[str, str] = ("violin", "violin")) -> Score:
    """Two notes of two seconds, (pitch, velocity) each."""
    notes = note_rows([(0, 1920, *tune, 0), (0, 1920, *other, 1)])
    return Score(notes=notes, parts=tuple(Part(name, instrument=name) for name in names))


def share(score: Score) -> float:
    sounding, told = heard(score, np.where(score.notes["part"] == 0, TUNE, REST))
    return float(told.sum() / sounding.sum())


def test_bark_scale() -> None:
    # the critical bands' edges of Zwicker (1961)
    edges = np.array([100, 510, 1080, 2000, 4400, 9500])
    assert np.allclose(bark(edges), [1, 5, 9, 13, 18, 22], atol=0.35)


def test_a_notes_power_is_shared_out_whole() -> None:
    spectrum, raised = spectra()
    assert np.allclose(spectrum.sum(axis=1), 1.0)
    assert spectrum.shape == raised.shape == (NOISE + 1, BANDS)
    assert (raised.max(axis=1) < spectrum.max(axis=1)).all()  # a masker raises the threshold to less than itself


def test_a_line_alone_is_heard_and_a_whisper_under_a_shout_is_not() -> None:
    alone = Score(notes=note_rows([(0, 1920, 72, 30, 0)]), parts=(Part("violin", instrument="violin"),))
    assert share(alone) == 1.0
    assert share(two((60, 33), (61, 112), ("flute", "trombone"))) == 0.0
    assert share(two((84, 80), (48, 80))) == 1.0


def test_louder_is_never_less_heard() -> None:
    shares = [share(two((60, velocity), (61, 90), ("flute", "horn-f"))) for velocity in range(20, 128, 12)]
    assert shares == sorted(shares)
    softer = [share(two((64, 60), (65, velocity), ("flute", "horn-f"))) for velocity in range(20, 128, 12)]
    assert softer == sorted(softer, reverse=True)


def test_masking_reaches_upward_more_than_downward() -> None:
    _, raised = spectra()
    share_of, _ = spectra()
    band = int(share_of[60].argmax())
    assert raised[60, band + 2] > raised[60, band - 2]


def test_what_is_plucked_dies_away() -> None:
    held = two((72, 30), (71, 112), ("violin", "harp"))
    sounding, told = heard(held, np.where(held.notes["part"] == 0, TUNE, REST))
    assert sounding[0] > told[0] > 0  # the harp's stroke masks it, its ringing does not
