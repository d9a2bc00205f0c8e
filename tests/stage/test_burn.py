"""Streamers, punches, flutters and counts: measured on the decoded picture, at every rate."""

from __future__ import annotations

from fractions import Fraction

import av
import clips
import numpy as np
import pytest
from cues_and_scores import bending, cue, spotting

from rescore_music.audio import Audio
from rescore_music.cues import Cues, Hit
from rescore_music.errors import ReadError, SyncError, WriteError
from rescore_music.stage.burn import burn
from rescore_music.stage.drawing import Pen, blend, picture_of, yuv
from rescore_music.stage.landings import landings
from rescore_music.stage.lead import lead_in
from rescore_music.stage.mux import mux
from rescore_music.stage.streamers import GREEN, RED, YELLOW, Overlay, Streamer, flash_frames, overlay
from rescore_music.tempo import TempoMap
from rescore_music.timecode import RATES, FrameRate, Timecode

FILM = FrameRate.parse("23.976")


def luma(path) -> list[tuple[Fraction, np.ndarray]]:
    """(seconds, luma plane) of every picture, as decoded."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    return [(f.pts * f.time_base, f.to_ndarray(format="yuv420p")[: f.height].astype(int)) for f in frames]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_punch_is_on_the_frame_of_the_hit(tmp_path, rate):
    frames = 3 * rate.nominal // 2
    hit = rate.nominal + 3
    first = Timecode.parse("01:00:00:00", rate)
    cues = Cues(rate, first, (Hit(first.frame + hit, "door"), Hit(first.frame + frames - 4, "leaves", kind="soft")))
    score = cue()
    marks = overlay(lead_in(score, rate), cues, landings(score, cues), seconds=0.5, bars=False, timecode=False)
    video = clips.draw(tmp_path / "in.mp4", rate.fps, frames)
    plain, drawn = luma(video), luma(burn(video, marks, tmp_path / "out.mp4", first=first))
    assert [time for time, _ in drawn] == [time for time, _ in plain] == [k / rate.fps for k in range(frames)]
    height, width = plain[0][1].shape
    changes = [b - a for (_, a), (_, b) in zip(plain, drawn, strict=True)]
    middle = [int(change[height // 2, width // 2]) for change in changes]
    lit = [k for k, change in enumerate(middle) if change > 60]
    unit = flash_frames(rate)
    punch = list(range(hit, hit + 2 * unit))
    start = list(range(2 * unit))
    soft = frames - 4
    flutter = [k for n in (-4, -2, 0, 2, 4) for k in range(soft + n * unit, soft + (n + 1) * unit) if k < frames]
    across = {k for k in lit if abs((hit - k) / round(0.5 * rate.fps) - 0.5) < 0.06}  # the line itself, passing
    assert sorted(set(lit) - across) == sorted({*start, *punch, *flutter} - across)
    assert punch[0] in lit
    line = [int(change[: height // 3].mean(axis=0).argmax()) for change in changes]
    length = round(0.5 * rate.fps)
    for k in range(hit - length + 1, hit + 1):
        assert line[k] == pytest.approx((1 - (hit - k) / length) * width, abs=4)


def test_every_picture_shows_its_own_timecode_and_count(tmp_path):
    score, rate = cue(tempo=bending()), FILM
    cues = spotting(rate, ())
    led = lead_in(score, rate)
    marks = overlay(led, cues, (), streamers="off")
    video = clips.draw(tmp_path / "in.mp4", rate.fps, 60, size=(640, 360))
    first = cues.start + -30
    drawn = luma(burn(video, marks, tmp_path / "out.mp4", first=first))
    pen = Pen(640, 360)
    for k, (_, picture) in enumerate(drawn):
        scores = []
        for near in range(k - 2, k + 3):
            buffer = np.full(640 * 360 * 3 // 2, 40, np.uint8)
            expected = picture_of(buffer, 640, 360)
            pen.draw(expected, marks, first.frame + near)
            scores.append(float(np.corrcoef(expected.y[320:].ravel(), picture[320:].ravel())[0, 1]))
        assert int(np.argmax(scores)) == 2, (k, scores)
    counts = [marks.count(first.frame + k) for k in range(60)]
    assert counts[29] == "-1|4"
    assert counts[30] == "1|1"
    beat = float(led.score.seconds(led.ticks + 480)) - float(led.frames / rate.fps)
    assert counts.index("1|2") == 30 + round(beat * rate.fps)


@pytest.mark.parametrize("bars", [0, 2])
def test_an_upbeat_is_counted_as_the_end_of_bar_0(bars):
    score = cue(meter=(3, 4), pickup=480)
    rate = FILM
    led = lead_in(score, rate, bars)
    names = overlay(led, spotting(rate, ()), (), streamers="off").counts
    upbeat = ("0|1", "0|2", "0|3") if bars else ("0|3",)
    assert names[3 * bars :][: len(upbeat) + 3] == (*upbeat, "1|1", "1|2", "1|3")
    assert names[: 3 * bars] == tuple(f"{bar}|{beat}" for bar in range(-bars, 0) for beat in (1, 2, 3))


def test_a_varying_frame_rate_keeps_its_times_and_gets_its_frames(tmp_path):
    rate = FrameRate.parse("30")
    steps = [0, 1, 2, 6, 7, 15, 16, 17, 30, 31, 33]
    video = clips.draw(tmp_path / "in.mp4", rate.fps, len(steps), steps=steps, timecode="01:00:00:00")
    first = Timecode.parse("01:00:00:00", rate)
    marks = Overlay(rate, (Streamer(first.frame + 17, 10),), timecode=False)
    out = burn(video, marks, tmp_path / "out.mov", first=first)
    drawn, plain = luma(out), luma(video)
    assert [time for time, _ in drawn] == [Fraction(step, 30) for step in steps]
    seen = [step for step, (_, a), (_, b) in zip(steps, plain, drawn, strict=True) if (b - a).max() > 60]
    assert seen == [7, 15, 16, 17]


def test_pictures_without_marks_stay_as_they_are(tmp_path):
    video = clips.draw(tmp_path / "in.mp4", Fraction(25), 20)
    marks = Overlay(FrameRate.parse("25"), timecode=False)
    for (_, a), (_, b) in zip(
        luma(video), luma(burn(video, marks, tmp_path / "o.mp4", first=Timecode(0, marks.rate))), strict=True
    ):
        assert np.abs(a - b).mean() < 1.0


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_sound_is_on_its_sample(tmp_path, suffix):
    video = clips.draw(tmp_path / "in.mp4", FILM.fps, 30, timecode="01:00:00:00")
    samples = clips.bursts(48000, 1.0, (0.1, 0.6))
    marks = Overlay(FILM)
    out = burn(
        video, marks, tmp_path / f"o{suffix}", first=Timecode.parse("01:00:00:00", FILM), audio=Audio(samples), at=0.125
    )
    back, _ = clips.heard(out)
    assert clips.lag(back[:, 0], samples[:, 0]) == 6000
    with av.open(str(out)) as file:
        assert file.streams.video[0].metadata["timecode"] == "01:00:00:00"
        assert file.streams.video[0].average_rate == FILM.fps


def test_odd_sizes_and_ten_bits_are_drawn_upon(tmp_path):
    video = clips.draw(tmp_path / "in.mov", Fraction(24), 4, size=(162, 98), codec="prores_ks", pix_fmt="yuv422p10le")
    marks = Overlay(FrameRate.parse("24"))
    drawn = luma(burn(video, marks, tmp_path / "o.mp4", first=Timecode(0, marks.rate)))
    assert drawn[0][1].shape == (98, 162)
    assert len(drawn) == 4


def test_what_cannot_be_drawn_upon_is_one_line(tmp_path):
    marks = Overlay(FILM)
    first = Timecode(0, FILM)
    video = clips.draw(tmp_path / "in.mp4", FILM.fps, 5)
    turned = tmp_path / "turned.mp4"
    with av.open(str(video)) as source, av.open(str(turned), "w") as goal:
        stream = goal.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(90)
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                goal.mux(packet)
    (tmp_path / "text.mp4").write_text("no video")
    kept = sorted(tmp_path.iterdir())
    for source, out, error in (
        (turned, "o.mp4", ReadError),
        (tmp_path / "text.mp4", "o.mp4", ReadError),
        (video, "o.gif", WriteError),
        (video, "nowhere/o.mp4", WriteError),
    ):
        with pytest.raises(error) as caught:
            burn(source, marks, tmp_path / out, first=first)
        assert len(str(caught.value).splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == kept
    out = mux(turned, Audio(clips.bursts(48000, 0.2, (0.1,))), tmp_path / "o.mov")
    with av.open(str(out)) as file:  # a copied picture stays turned
        assert abs(next(file.decode(video=0)).rotation) == 90


def test_hard_hits_get_streamers_soft_ones_flutters():
    rate = FrameRate.parse("24")
    first = Timecode.parse("01:00:00:00", rate)
    cues = Cues(
        rate,
        first,
        (
            Hit(first.frame, "start"),
            Hit(first.frame + 96, "hard", lands="eighth"),
            Hit(first.frame + 120, "soft", kind="soft", lands="eighth"),
            Hit(first.frame + 200, "end", lands="end"),
        ),
    )
    score = cue(tempo=TempoMap.constant(120))
    led, found = lead_in(score, rate), landings(score, cues)
    plain = overlay(led, cues, found)
    assert [(s.frame - first.frame, s.length, s.colour) for s in plain.streamers] == [
        (0, 72, GREEN),
        (96, 72, YELLOW),
        (200, 72, RED),
    ]
    assert [f.start - first.frame for f in plain.flashes if f.small] == [116, 118, 120, 122, 124]
    everything = overlay(led, cues, found, streamers="all", flutters="downbeats")
    assert len(everything.streamers) == 4
    downbeats = {f.start - first.frame for f in everything.flashes if f.small}
    assert {48 - 4, 48, 48 + 4} <= downbeats
    assert not overlay(led, cues, found, streamers="off", flutters="off").flashes
    for wrong in ({"streamers": "some"}, {"flutters": "hard"}, {"seconds": 20.0}):
        with pytest.raises(SyncError):
            overlay(led, cues, found, **wrong)


def test_marks_at_the_edge_are_clipped_and_colours_are_video_colours():
    buffer = np.full(16 * 8 * 3 // 2, 128, np.uint8)
    picture = picture_of(buffer, 16, 8)
    blend(picture, -4, -4, np.ones((8, 8), np.float32), (255, 255, 255))
    blend(picture, 14, 6, np.ones((8, 8), np.float32), (0, 0, 0))
    blend(picture, 40, 40, np.ones((8, 8), np.float32), (0, 0, 0))
    assert picture.y[:4, :4].tolist() == [[235] * 4] * 4
    assert picture.y[6:, 14:].tolist() == [[16, 16]] * 2
    assert (picture.y == 128).sum() == 16 * 8 - 16 - 4
    assert yuv((255, 0, 0), False) == (63, 102, 240)  # BT.709's red
    assert yuv((255, 255, 255), True) == (255, 128, 128)
