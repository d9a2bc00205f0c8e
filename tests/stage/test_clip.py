"""The film that samples/make_clip.py draws: the same every time, its cuts on the hits, its timecode its own."""

from __future__ import annotations

import sys

import av
import numpy as np
import pytest

from rescore_music.io.spotting import read_cues
from rescore_music.resources import samples_dir
from rescore_music.stage.containers import picture_facts
from rescore_music.timecode import Timecode


@pytest.fixture(scope="module")
def make_clip():
    sys.path.insert(0, str(samples_dir()))
    import make_clip

    return make_clip


def test_the_hits_are_the_chases_an_hour_later_and_the_film_cuts_on_them(tmp_path, make_clip):
    cues = read_cues(make_clip.write_hits(tmp_path / "hits.csv"), "24", "01:00:00:00")
    chase = read_cues(samples_dir() / "chase_hits.csv", "24")
    assert [hit.frame - cues.start.frame for hit in cues.hits] == [hit.frame for hit in chase.hits]
    assert [hit.label for hit in cues.hits] == [hit.label for hit in chase.hits]
    first = Timecode.parse(make_clip.START, "24").frame
    cuts = {start + make_clip.MUSIC + first for start, _ in make_clip.SHOTS}
    assert {hit.frame for hit in cues.hits} <= cuts
    assert cues.start.frame == first + make_clip.MUSIC


def test_pictures_change_at_cuts_and_hardly_elsewhere(make_clip):
    for start, _ in make_clip.SHOTS[1:]:
        at = start + make_clip.MUSIC
        before, last, new, after = (make_clip.picture(k).astype(int) for k in (at - 2, at - 1, at, at + 1))
        inside = max(np.abs(last - before).mean(), np.abs(after - new).mean())
        assert np.abs(new - last).mean() > 2 * inside
        assert new.shape == (360, 640, 3)


def test_the_clip_has_its_timecode_and_the_same_bytes_twice(tmp_path, make_clip):
    path = make_clip.write_clip(tmp_path / "a.mp4", 12)
    facts = picture_facts(path)
    assert (facts.timecode, facts.rate, facts.seconds, facts.sounds) == ("00:59:55:00", 24, 0.5, 0)
    with av.open(str(path)) as file:
        assert [f.pts * f.time_base for f in file.decode(video=0)] == [k / make_clip.RATE for k in range(12)]
    assert make_clip.write_clip(tmp_path / "b.mp4", 12).read_bytes() == path.read_bytes()
