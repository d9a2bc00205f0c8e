"""Scores of the music21 corpus, rendered without expression, come back as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rescore_music as rm
from rescore_music.elements import METER
from rescore_music.quantizing import quantize
from rescore_music.score import Part, Score
from rescore_music.tempo import TempoMap

from .played import heard, jittered, places, values

SCORES = ("bach/bwv66.6.mxl", "mozart/k155/movement2.mxl", "joplin/maple_leaf_rag.mxl", "haydn/opus74no1/movement3.mxl")


def opening(name: str, bars: int = 24) -> Score:
    """Notes, meters and bar lines of the first bars, nothing else."""
    import music21

    score = rm.read_score(Path(music21.__file__).parent / "corpus" / name)
    score = score.slice(0, int(score.bars[min(bars, len(score.bars) - 1)]))
    notes = score.notes.copy()
    notes["articulation"], notes["voice"], notes["staff"] = 0, 0, 0
    notes = notes[notes["duration"] > 0]
    _, first = np.unique(notes[["onset", "part", "pitch"]], return_index=True)
    parts = tuple(Part(program=p.program, channel=i) for i, p in enumerate(score.parts))
    return score.replace(notes=notes[np.sort(first)], parts=parts, marks=(), markers=(), raw=(), import_log=())


@pytest.mark.parametrize("name", SCORES)
def test_a_mechanical_rendering_is_its_own_notation(name, tmp_path):
    written = opening(name)
    rm.write_score(written, tmp_path / "m.mid")
    played = rm.read_score(tmp_path / "m.mid")
    found = quantize(played, strength=1.0)
    np.testing.assert_array_equal(places(found), places(written))
    np.testing.assert_array_equal(values(found), values(written))
    assert quantize(found) == found


@pytest.mark.parametrize("name", SCORES)
def test_quantizing_twice_is_quantizing_once(name):
    found = quantize(jittered(opening(name), 0.012, 1))
    again = quantize(found)
    np.testing.assert_array_equal(again.notes, found.notes)


@pytest.mark.parametrize("name", SCORES[:2])
def test_a_mechanical_rendering_at_another_tempo_is_found_again(name):
    written = opening(name)
    nominal = TempoMap.constant(120.0, written.ticks_per_quarter)
    stretched = written.notes.copy()
    scale = 120.0 / 97.0
    stretched["onset"] = np.rint(written.notes["onset"] * scale)
    stretched["duration"] = np.maximum(np.rint(written.ends * scale) - stretched["onset"], 1)
    bare = {"barlines": np.zeros(0, np.int64), "length": 0, "meters": np.array([(0, 4, 4)], METER)}
    played = written.replace(notes=stretched, tempo=nominal, **bare)
    found = quantize(played)
    order = [np.lexsort((s.notes["onset"], s.notes["pitch"], s.notes["part"])) for s in (found, written)]
    distance = places(found)[order[0]] - places(written)[order[1]]
    assert np.mean(np.abs(distance - np.median(distance)) < 1e-6) > 0.98
    np.testing.assert_allclose(heard(found)[1], heard(played)[1], atol=0.0015)


@pytest.mark.parametrize("name", SCORES)
def test_a_humanized_rendering_is_mostly_read_right(name):
    written = opening(name)
    found = quantize(jittered(written, 0.015, 2))
    order = [np.lexsort((s.sounding()["onset"], s.notes["pitch"], s.notes["part"])) for s in (found, written)]
    right = np.abs(places(found)[order[0]] - places(written)[order[1]]) < 1e-6
    assert right.mean() > 0.97
    assert np.mean(np.abs(values(found)[order[0]] - values(written)[order[1]]) < 1e-6) > 0.8


def test_what_was_quantized_is_printed_as_it_is():
    from rescore_music.io.notation.snap import snap

    found = quantize(jittered(opening(SCORES[1]), 0.015, 3))
    snapped = snap(found)
    assert not snapped.performed.any()
    np.testing.assert_array_equal(snapped.onset * found.ticks_per_quarter, found.notes["onset"] * snapped.resolution)
