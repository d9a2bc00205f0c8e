"""Start timecode read from digits burnt into the picture: right, wrong, not found; and false alarms without any.

    python benchmarks/bench_burnt.py                       # ten rates x seven fonts x three compressions, 80 without
    python benchmarks/bench_burnt.py --rates 24 29.97df --fonts cmtt10 --plain 0

Each clip is drawn from a seed: 1.6 s of a panning, grainy place with something moving over it, 480 x 270; the size (11
to 24 pixels a figure), the place and the ground of the digits are drawn by lot: on a black or white box, in yellow,
green or on a half transparent box, or white with a dark outline straight on the moving picture. H.264 at crf 18, 28
and 35. Fonts are those of the packages matplotlib and Pillow. The reader learns the figures from each clip; Pillow's
are weighed in a little where compression has blurred them, so the other six fonts are the proof. Its constants were
set on other clips (tests and seeds below 1000).

"untold" is a right label at 29.97 or 59.94 where nothing in the picture tells whether the count drops frames, which
the log then says. The peer reads the same rows of digits picture by picture, each digit by the nearest of templates
drawn from Pillow's font in four sizes, and takes the start that most pictures agree on, told when half of them do.

Clips without timecode hold nothing, or a label that stands still, a clock of seconds, a plain counter, thirty labels a
second in a picture of 24, numbers by lot, a title, or a countdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import rescore_music as rm
from rescore_music.timecode import RATES, FrameRate, Timecode, fields_from_frames, frames_from_fields, labels
from rescore_music.video.burnt_count import HIGH, WIDE, alike, window
from rescore_music.video.burnt_rows import rows

SIZE = (480, 270)
FONTS = ("Pillow", "DejaVuSans", "DejaVuSansMono-Bold", "DejaVuSerif", "STIXGeneral", "cmtt10", "cmss10")
GROUNDS = ("box", "page", "half", "colour", "outline")
CRFS = (18, 28, 35)
PLAIN = ("nothing", "frozen", "clock", "counter", "other rate", "random", "title", "countdown")


def font_of(name: str, size: int) -> Any:
    from PIL import ImageFont

    if name == "Pillow":
        return ImageFont.load_default(size)
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def place(rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """A camera that pans over patches of several sizes; a block wanders, the film has grain."""
    wide, high = SIZE
    ground = np.zeros((2 * high, 2 * wide, 3), np.float32)
    for cell in (60, 20, 7, 3):
        patches = rng.uniform(0, 64, (-(-2 * high // cell), -(-2 * wide // cell), 3)).astype(np.float32)
        ground += np.kron(patches, np.ones((cell, cell, 1), np.float32))[: 2 * high, : 2 * wide]
    step, colour, turn = rng.uniform(-4, 4, 2), rng.uniform(0, 255, 3), rng.uniform(0.05, 0.2)
    for k in range(count):
        x, y = (int(abs(v * k) % limit) for v, limit in zip(step, (wide, high), strict=True))
        picture = ground[y : y + high, x : x + wide] + rng.normal(0, 4, (high, wide, 1)).astype(np.float32)
        cx, cy = int(wide / 2 + wide / 3 * np.sin(turn * k)), int(high / 2 + high / 3 * np.cos(turn * k))
        picture[max(cy - 25, 0) : cy + 25, max(cx - 25, 0) : cx + 25] = colour
        yield np.clip(picture, 0, 255).astype(np.uint8)


def written(picture: np.ndarray, text: str, font: Any, ground: str, at: tuple[float, float]) -> np.ndarray:
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image, "RGBA")
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    x, y = int(8 + (image.width - right - 16) * at[0]), int(8 + (image.height - bottom - 16) * at[1])
    box = (x + left - 5, y + top - 5, x + right + 5, y + bottom + 5)
    if ground != "outline":
        draw.rectangle(box, fill={"page": (250, 250, 250, 255), "half": (0, 0, 0, 150)}.get(ground, (0, 0, 0, 255)))
    ink = {"page": (10, 10, 10), "colour": (60, 230, 80), "half": (255, 230, 60)}.get(ground, (255, 255, 255))
    edge = {"stroke_width": 2, "stroke_fill": (0, 0, 0)} if ground == "outline" else {}
    draw.text((x, y), text, font=font, fill=ink, **edge)
    return np.asarray(image)


def film(path: Path, fps: Fraction, pictures: Iterator[np.ndarray], crf: int) -> Path:
    import av

    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = k, 1 / fps
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def clip(path: Path, seed: int, rate: FrameRate, font: str, crf: int) -> tuple[int, str]:
    """A clip with timecode; its first frame and the ground of the digits."""
    rng = np.random.default_rng([seed, 11])
    start, ground = int(rng.integers(0, 24 * rate.frames_per_hour)), str(rng.choice(GROUNDS))
    letters, at = font_of(font, int(rng.integers(15, 34))), tuple(rng.choice([0.0, 0.5, 1.0], 2))
    texts = [str(label) for label in labels(start + np.arange(round(1.6 * rate.nominal)), rate)]
    pictures = (written(p, t, letters, ground, at) for p, t in zip(place(rng, len(texts)), texts, strict=True))
    film(path, rate.fps, pictures, crf)
    return start, ground


def plain(path: Path, seed: int) -> str:
    """A clip without timecode, and of which kind."""
    rng = np.random.default_rng([seed, 12])
    kind, rate = PLAIN[seed % len(PLAIN)], RATES[int(rng.integers(len(RATES)))]
    rate = FrameRate.parse(24) if kind == "other rate" else rate
    count = round(1.6 * rate.nominal)
    start = int(rng.integers(0, 10**6))
    number: dict[str, Callable[[int], str]] = {
        "nothing": lambda k: "",
        "frozen": lambda k: str(labels(start, rate)),
        "clock": lambda k: f"{start % 24:02d}:{start % 60:02d}:{k // rate.nominal:02d}:00",
        "counter": lambda k: f"{start + k:08d}",
        "other rate": lambda k: str(labels(start + k, FrameRate.parse(30))),
        "random": lambda k: "{:02d}:{:02d}:{:02d}:{:02d}".format(*rng.integers(0, 24, 4)),
        "title": lambda k: "THE LAST REEL 01:02",
        "countdown": lambda k: str(labels(start + count - k, rate)),
    }
    letters = font_of(FONTS[int(rng.integers(len(FONTS)))], int(rng.integers(15, 34)))
    ground, at = str(rng.choice(GROUNDS)), tuple(rng.choice([0.0, 0.5, 1.0], 2))
    texts = [number[kind](k) for k in range(count)]
    pictures = (written(p, t, letters, ground, at) if t else p for p, t in zip(place(rng, count), texts, strict=True))
    film(path, rate.fps, pictures, int(rng.choice(CRFS)))
    return kind


def ours(path: Path) -> tuple[Timecode | None, bool]:
    """The start, and whether its count is told."""
    footage = rm.watch(path, sound=False)
    said = " ".join(item.what for item in footage.log)
    return (footage.start if "burnt into the picture;" in said else None), "does not tell" not in said


def templates() -> np.ndarray:
    """The peer's digits, (40, HIGH, WIDE): each from 0 to 9 in four sizes."""
    from PIL import Image, ImageDraw

    out = []
    for size in (14, 20, 28, 40):
        letters = font_of("Pillow", size)
        _, top, _, bottom = letters.getbbox("0")
        edge = 0.14 * (bottom - top)
        for digit in "0123456789":
            image = Image.new("L", (round(size * 0.62), round(bottom - top + 2 * edge)))
            middle = (image.width - letters.getlength(digit)) / 2
            ImageDraw.Draw(image).text((middle, edge - top), digit, font=letters, fill=255)
            out.append(np.asarray(image.resize((WIDE, HIGH)), np.float32))
    return np.stack(out)


def peer(path: Path, shapes: np.ndarray, rate: FrameRate) -> Timecode | None:
    """The start that most pictures agree on, each read by the nearest template."""
    import av

    with av.open(str(path)) as source:
        pictures = [np.asarray(f.reformat(format="gray").to_ndarray(), np.uint8) for f in source.decode(video=0)]
    found: Counter[int] = Counter()
    for row in rows(pictures[:: len(pictures) // 3])[:1]:
        figures = window(pictures, row)
        for sign in (1, -1):  # bright or dark digits
            for k, picture in enumerate(figures):
                digits = alike(np.asarray(sign * picture, np.float32), shapes).argmax(1) % 10
                try:
                    found[int(frames_from_fields(digits[::2] * 10 + digits[1::2], rate)) - k] += 1
                except rm.RescoreError:
                    continue
    best = found.most_common(1)
    return Timecode(best[0][0], rate) if best and best[0][1] >= len(pictures) / 2 and best[0][0] >= 0 else None


def verdict(found: Timecode | None, told: bool, start: int, rate: FrameRate) -> str:
    if found is None:
        return "none"
    if found == Timecode(start, rate):
        return "right"
    same = np.array_equal(fields_from_frames(found.frame, found.rate), fields_from_frames(start, rate))
    return "untold" if same and not told else "wrong"


def table(title: str, tallies: dict[str, Counter[str]]) -> None:
    print(f"\n| {title} | clips | right | untold | wrong | none | peer: right | wrong | none |")
    print("| --- " + "| --: " * 8 + "|")
    for name, tally in tallies.items():
        own = [tally[kind] for kind in ("right", "untold", "wrong", "none")]
        others = [tally[f"peer {kind}"] for kind in ("right", "wrong", "none")]
        print("| " + " | ".join(str(value) for value in (name, sum(own), *own, *others)) + " |")


def main() -> None:
    """Run it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rates", nargs="+", default=[rate.name for rate in RATES])
    options.add_argument("--fonts", nargs="+", default=FONTS, choices=FONTS)
    options.add_argument("--crfs", nargs="+", type=int, default=CRFS)
    options.add_argument("--plain", type=int, default=80, help="clips without timecode (default %(default)s)")
    options.add_argument("--first", type=int, default=1000, help="first seed (default %(default)s)")
    options.add_argument("--verbose", action="store_true", help="name each clip that is not right")
    given = options.parse_args()
    names = ("all", "font", "crf", "ground", "rate")
    tallies: dict[str, dict[str, Counter[str]]] = {name: {} for name in names}
    shapes, seed = templates(), given.first
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        for rate in map(FrameRate.parse, given.rates):
            for font in given.fonts:
                for crf in given.crfs:
                    seed += 1
                    start, ground = clip(path, seed, rate, font, crf)
                    found, told = ours(path)
                    words = (
                        verdict(found, told, start, rate),
                        f"peer {verdict(peer(path, shapes, rate), True, start, rate)}",
                    )
                    for name, value in zip(names, ("timecode", font, f"crf {crf}", ground, rate.name), strict=True):
                        tallies[name].setdefault(value, Counter()).update(words)
                    if given.verbose and words[0] != "right":
                        print(
                            f"seed {seed}: {words[0]}, {rate} {font} {ground} crf {crf}: {labels(start, rate)} {found}"
                        )
        for name in names:
            table(name, tallies[name])
        alarms, seconds = Counter[str](), Counter[str]()
        for seed in range(given.first, given.first + given.plain):
            kind = plain(path, seed)
            alarms[kind] += ours(path)[0] is not None
            for name, start_at in (("reading", None), ("not", "00:00:00:00")):
                begin = time.process_time()
                rm.watch(path, sound=False, start=start_at)
                seconds[name] += time.process_time() - begin
        if given.plain:
            print(f"\nfalse alarms in {given.plain} clips without timecode: {sum(alarms.values())}", dict(+alarms))
            ratio = seconds["reading"] / seconds["not"]
            print(f"processor time of watching these 1.6 s, with and without looking for timecode: {ratio:.2f} to 1")


if __name__ == "__main__":
    main()
