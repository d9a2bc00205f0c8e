"""What is written and read again is the same list, to the frame, at every rate; and writing that gives the same file.

Markers, dissolves, wipes, retimes, reverse shots, freeze frames, black, holes, sources at other rates and counts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from picture_lists import edit_lists

from rescore_music.cues import SOFT
from rescore_music.edits import EditList
from rescore_music.io.picture import read_edits, write_edits
from rescore_music.io.spotting import read_cues, write_cues
from rescore_music.timecode import RATES

QUICK = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def through(edits: EditList, path: Path) -> EditList:
    write_edits(edits, path)
    again = read_edits(path, edits.rate)
    twin = path.with_name(f"twin{path.suffix}")
    write_edits(again, twin)
    assert twin.read_bytes() == path.read_bytes()
    return again


def sorted_equal(one: EditList, other: EditList) -> None:
    assert one.title == other.title
    assert one.rate == other.rate
    assert one.markers == other.markers
    for a, b in zip(one.edits, other.edits, strict=True):
        assert a == b


@QUICK
@given(edits=edit_lists(lengths=False))
def test_edl(tmp_path: Path, edits: EditList) -> None:
    sorted_equal(through(edits, tmp_path / "cut.edl"), edits)


@QUICK
@given(edits=edit_lists(colors=False))
def test_fcpxml(tmp_path: Path, edits: EditList) -> None:
    again = through(edits, tmp_path / "cut.fcpxml")
    sorted_equal(again, edits)
    assert read_edits(tmp_path / "cut.fcpxml") == edits  # it tells its own rate and count


@QUICK
@given(edits=edit_lists())
def test_otio(tmp_path: Path, edits: EditList) -> None:
    pytest.importorskip("opentimelineio")
    sorted_equal(through(edits, tmp_path / "cut.otio"), edits)
    assert read_edits(tmp_path / "cut.otio").rate == edits.rate


@QUICK
@given(edits=edit_lists(shots=False))
def test_reaper_list(tmp_path: Path, edits: EditList) -> None:
    sorted_equal(through(edits, tmp_path / "markers.csv"), replace(edits, title=""))


@QUICK
@given(edits=edit_lists(shots=False, colors=False, lengths=False))
def test_session_text(tmp_path: Path, edits: EditList) -> None:
    sorted_equal(through(edits, tmp_path / "session.txt"), edits)
    assert read_edits(tmp_path / "session.txt").rate == edits.rate


@QUICK
@given(edits=edit_lists())
def test_cues_of_a_list_as_spotting_notes(tmp_path: Path, edits: EditList) -> None:
    cues = edits.cues()
    write_cues(cues, tmp_path / "hits.csv")
    again = read_cues(tmp_path / "hits.csv", edits.rate)
    assert again.hits == cues.hits
    assert all(hit.kind == SOFT for hit in again.hits)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_every_label_round_the_drops_survives_every_format(tmp_path: Path, rate) -> None:
    """Markers on each frame of two seconds round the minutes 1, 2 and 10, where labels drop or do not."""
    from rescore_music.edits import Edit, PictureMarker
    from rescore_music.timecode import Timecode

    mark = ";" if rate.drop else ":"
    last = rate.nominal - 1
    turns = [Timecode.parse(f"01:{m:02d}:59{mark}{last:02d}", rate).frame + 1 for m in (0, 1, 9)]
    frames = [turn + k for turn in turns for k in range(-rate.nominal, rate.nominal)]
    shots = tuple(Edit(f, f + 1, f, f + 1, "A001") for f in frames)
    whole = EditList("drops", rate, shots, tuple(PictureMarker(f, "x") for f in frames))
    for name in ("a.edl", "a.fcpxml", "a.otio"):
        if name.endswith("otio"):
            pytest.importorskip("opentimelineio")
        write_edits(whole, tmp_path / name)
        assert read_edits(tmp_path / name, rate) == whole
    for name in ("a.csv", "a.txt"):
        write_edits(whole, tmp_path / name)
        assert read_edits(tmp_path / name, rate).markers == whole.markers
