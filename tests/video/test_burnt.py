"""Timecode burnt into the picture: read in any font, told where it is certain, and never where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import pan

import rescore_music as rm
from rescore_music.timecode import RATES, FrameRate, Timecode, labels
from rescore_music.video.burnt_rows import Row, rows_of

ImageFont = pytest.importorskip("PIL.ImageFont")
Film = Callable[..., Path]
WIDE, HIGH = 256, 144


def fonts() -> dict[str, str]:
    """Fonts of other makers than the one that the project draws with; the reader knows none of them."""
    matplotlib = pytest.importorskip("matplotlib")
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = ("DejaVuSans", "DejaVuSansMono-Bold", "DejaVuSerif", "STIXGeneral", "cmtt10", "cmss10")
    return {name: str(folder / f"{name}.ttf") for name in names}


def scenery(count: int, seed: int = 3) -> list[np.ndarray]:
    """A camera that pans over a place."""
    return [np.kron(picture, np.ones((2, 2, 1), np.uint8)) for picture in pan(seed, count)]


def written(
    pictures: list[np.ndarray], texts: list[str], font: str = "", size: int = 18, style: str = "box", at: float = 0.9
) -> Iterator[np.ndarray]:
    """Each picture with its text."""
    from PIL import Image, ImageDraw

    letters = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    ink, ground = {"box": ("white", (0, 0, 0, 255)), "half": ("yellow", (0, 0, 0, 150)), "page": ("black", (255,) * 4),
                   "line": ("white", None)}[style]  # fmt: skip
    for picture, text in zip(pictures, texts, strict=True):
        image = Image.fromarray(picture)
        draw = ImageDraw.Draw(image, "RGBA")
        left, top, right, bottom = draw.textbbox((0, 0), text, font=letters)
        x, y = (WIDE - right) // 2, round((HIGH - bottom - 6) * at)
        if ground:
            draw.rectangle((x + left - 5, y + top - 5, x + right + 5, y + bottom + 5), fill=ground)
        edge = {} if ground else {"stroke_width": 2, "stroke_fill": "black"}
        draw.text((x, y), text, font=letters, fill=ink, **edge)
        yield np.asarray(image)


def counted(start: int, count: int, rate: FrameRate) -> list[str]:
    return [str(label) for label in labels(start + np.arange(count), rate)]


def seen(film: Film, pictures: list[np.ndarray], texts: list[str], fps: Fraction, **more: object) -> rm.Footage:
    crf, name = more.pop("crf", 24), more.pop("name", "film.mp4")
    timecode = more.pop("timecode", "")
    made = list(written(pictures, texts, **more))  # type: ignore[arg-type]
    return rm.watch(film(made, fps, crf=crf, name=name, timecode=timecode), sound=False)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_start_at_every_rate(film: Film, rate: FrameRate) -> None:
    """Sixteen labels before a minute is full: its digits and the count of its last second change in what is seen."""
    start = Timecode.parse("10:19:59:08", rate).frame
    count = round(1.4 * rate.nominal)
    font = list(fonts().values())[RATES.index(rate) % 6]
    footage = seen(film, scenery(count), counted(start, count, rate), rate.fps, font=font, size=22)
    assert (footage.start, footage.rate) == (Timecode(start, rate), rate)
    assert [item.where for item in footage.log] == ["timecode"]
    assert "10:19:59" in footage.log[0].what


@pytest.mark.parametrize("style", ["box", "half", "page", "line"])
@pytest.mark.parametrize("name", ["DejaVuSans", "cmtt10"])
def test_colours_grounds_and_compression(film: Film, name: str, style: str) -> None:
    rate, start = FrameRate.parse(25), 1_234_567
    texts = counted(start, 36, rate)
    footage = seen(film, scenery(36), texts, rate.fps, font=fonts()[name], style=style, crf=30, size=24, at=0.1)
    assert footage.start == Timecode(start, rate)


def test_what_the_project_itself_burns_in(film: Film, tmp_path: Path) -> None:
    """Bar, beat and timecode as `stage` draws them over a moving picture, whose own timecode is then taken away."""
    import av

    from rescore_music.stage.burn import burn
    from rescore_music.stage.streamers import Overlay, Streamer

    rate = FrameRate.parse(24)
    beats = 86_400 + np.arange(0, 60, 12)
    overlay = Overlay(rate, (Streamer(86_430, 30),), (), beats, ("1|1", "1|2", "1|3", "1|4", "2|1"))
    path = burn(film(scenery(60), 24), overlay, tmp_path / "burnt.mp4", first=Timecode(86_400, rate))
    bare = tmp_path / "bare.mkv"
    with av.open(str(path)) as source, av.open(str(bare), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        stream.metadata.clear()
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    assert rm.watch(bare, sound=False).start.label == "01:00:00:00"


# -- drop frame ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign", "drop"), [(";", True), (":", False)])
def test_the_sign_before_the_frames_tells_the_count(film: Film, sign: str, drop: bool) -> None:
    rate = FrameRate(Fraction(30000, 1001), drop)
    texts = [text[:8] + sign + text[9:] for text in counted(100_000, 45, rate)]
    footage = seen(film, scenery(45), texts, rate.fps, font=fonts()["DejaVuSans"], size=24)
    assert (footage.start, footage.rate) == (Timecode(100_000, rate), rate)
    assert len(footage.log) == 1


@pytest.mark.parametrize("drop", [True, False])
def test_a_minute_that_passes_tells_the_count(film: Film, drop: bool) -> None:
    """Written with colons throughout, as many do: labels 00 and 01 of the minute are there, or are not."""
    rate = FrameRate(Fraction(30000, 1001), drop)
    start = Timecode.parse("01:00:58:05", rate).frame
    texts = [text.replace(";", ":") for text in counted(start, 130, rate)]
    footage = seen(film, scenery(130), texts, rate.fps, font=fonts()["DejaVuSerif"])
    assert (footage.start, footage.rate) == (Timecode(start, rate), rate)
    assert len(footage.log) == 1


def test_a_count_that_the_picture_does_not_tell_is_said(film: Film) -> None:
    """No signs at all between the pairs, and no minute."""
    rate = FrameRate.parse("29.97ndf")
    texts = [text.replace(":", " ") for text in counted(5000, 45, rate)]
    footage = seen(film, scenery(45), texts, rate.fps, font=fonts()["DejaVuSansMono-Bold"], size=14)
    assert footage.start == Timecode(5000, rate)
    assert "does not tell whether it drops frames" in footage.log[1].what


# -- beside what the file says ----------------------------------------------------------------------------------------


def test_the_file_comes_first_and_a_difference_is_told(film: Film) -> None:
    rate = FrameRate.parse(24)
    for timecode, said in (
        ("01:00:00:00", ()),
        ("02:00:00:00", ("the file says 02:00:00:00, the picture 01:00:00:00",)),
    ):
        footage = seen(film, scenery(36), counted(86_400, 36, rate), rate.fps, name="film.mov", timecode=timecode)
        assert footage.start.label == timecode
        assert len(footage.log) == len(said)
        assert all(item.what.startswith(words) for item, words in zip(footage.log, said, strict=True))


def test_every_number_twice_is_half_the_rate(film: Film) -> None:
    half = FrameRate.parse(25)
    texts = [text for text in counted(90_010, 45, half) for _ in range(2)][1:]
    footage = seen(film, scenery(len(texts)), texts, Fraction(50), font=fonts()["DejaVuSans"])
    assert footage.start == Timecode(2 * 90_010 + 1, FrameRate.parse(50))
    assert "each number for two pictures" in footage.log[0].what


def test_a_timecode_that_begins_late_is_counted_back(film: Film) -> None:
    """Four seconds of leader first, and past midnight in between."""
    rate = FrameRate.parse(24)
    pictures = scenery(40 + 96)
    texts = [" "] * 96 + counted(24 * rate.frames_per_hour - 20 + 96, 40, rate)
    footage = seen(film, pictures, texts, rate.fps)
    assert footage.start.label == "23:59:59:04"


# -- what is none -----------------------------------------------------------------------------------------------------


def test_tapes_that_change_at_a_cut_are_not_believed(film: Film) -> None:
    rate = FrameRate.parse(24)
    texts = [*counted(86_400, 40, rate), *counted(172_800, 100, rate)]
    footage = seen(film, scenery(140), texts, rate.fps)
    assert footage.start.label == "00:00:00:00"
    assert "does not run on" in footage.log[0].what


def test_numbers_that_are_no_timecode(film: Film) -> None:
    rate, count = FrameRate.parse(24), 48
    still = ["01:02:03:04"] * count
    clock = [f"12:30:{k // rate.nominal:02d}:00" for k in range(count)]
    plain = [f"{10_203_040 + k:08d}" for k in range(count)]
    slow = counted(86_400, count, FrameRate.parse(30))  # thirty labels a second in a picture of twenty-four
    rng = np.random.default_rng(5)
    noise = ["{:02d}:{:02d}:{:02d}:{:02d}".format(*rng.integers(0, 24, 4)) for _ in range(count)]
    for texts in (still, clock, plain, slow, noise):
        assert seen(film, scenery(count), texts, rate.fps).start.label == "00:00:00:00"


def test_too_few_pictures_say_nothing(film: Film) -> None:
    footage = seen(film, scenery(19), counted(86_400, 19, FrameRate.parse(24)), Fraction(24))
    assert (footage.start.label, footage.log) == ("00:00:00:00", ())


def test_rows_are_eight_of_one_height_in_pairs() -> None:
    row = Row(50.0, 12.0, 20.0, 100.0, 118.0)
    boxes = np.array([(x - 5, 100, x + 5, 118) for x in row.middles()])
    (found,) = rows_of(boxes)
    assert (found.x, found.step, found.leap) == pytest.approx((50, 12, 20))
    assert rows_of(boxes[:7]) == []
    even = boxes.copy()
    even[:, [0, 2]] = 12 * np.arange(8)[:, None] + [45, 55]  # no pairs
    assert rows_of(even) == []
    stairs = boxes + np.arange(8)[:, None] * [0, 6, 0, 6]
    assert rows_of(stairs) == []
