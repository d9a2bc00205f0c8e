"""Clips with known cuts: textured scenes drawn with numpy and Pillow, filmed by a moving camera, encoded with PyAV.

Written apart from the detector in `rescore_music/video/`: nothing here knows how cuts are looked for. A clip is a row
of shots; each has a scene (noise of several octaves, shapes, lettering, moving things before it), a camera (still, pan,
zoom, whip, handheld shake, roll) and a seam to the next shot (cut, dissolve, fade through black or white). Over the
shots lie what disturbs a detector: grain, flashes, lamps switched on and off, drifting exposure, strong compression,
and pictures left out (variable frame rate).

Conventions: frames count from the clip's first picture on the constant grid `rate`; picture k of that grid shows the
latest picture whose time has come. A cut is the first frame of the new shot; black that begins or ends at once is a
cut too; dissolves and fades are spans [start, end) and never cuts. Shots last at least 8 frames, flashes 1 to 5, and a
flash keeps 6 frames from a cut. Cuts inside one scene ("angle") change the picture's size by at least a quarter or
move by at least a fifth of its width. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDE, HIGH = 320, 180
ROOM = 3  # how many pictures wide and high a scene is
KINDS = ("plain", "moving", "shake", "grain", "flash", "fade", "lamp", "angle", "crushed", "vfr", "crowd", "dark")
RATES = tuple(
    Fraction(n, d)
    for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)


@dataclass(frozen=True)
class Truth:
    """What happens in a clip, in frames of its grid."""

    rate: Fraction
    frames: int
    cuts: tuple[int, ...] = ()
    flashes: tuple[tuple[int, int], ...] = ()
    fades: tuple[tuple[int, int], ...] = ()
    dissolves: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Look:
    """How a clip is disturbed."""

    kind: str
    grain: float = 1.5
    shake: float = 0.0
    cameras: tuple[str, ...] = ("still", "pan", "zoom", "still", "roll")
    flashes: float = 0.0  # chance a shot
    lamps: float = 0.0
    seams: tuple[float, float, float] = (1.0, 0.0, 0.0)  # cut, dissolve, fade
    angle: float = 0.0  # chance that a cut stays in the scene
    things: int = 1
    gain: float = 1.0
    crf: tuple[int, ...] = (18, 23, 28)
    drop: float = 0.0  # share of pictures left out


LOOKS = {
    "plain": Look("plain"),
    "moving": Look("moving", cameras=("pan", "zoom", "whip", "roll"), things=2),
    "shake": Look("shake", shake=0.018, cameras=("still", "pan", "zoom")),
    "grain": Look("grain", grain=14.0),
    "flash": Look("flash", flashes=0.8, cameras=("still", "pan", "zoom")),
    "fade": Look("fade", seams=(0.5, 0.25, 0.25)),
    "lamp": Look("lamp", lamps=0.7, flashes=0.2),
    "angle": Look("angle", angle=0.7),
    "crushed": Look("crushed", crf=(36, 40, 44), cameras=("pan", "zoom", "still"), grain=4.0),
    "vfr": Look("vfr", drop=0.25, cameras=("pan", "zoom", "still")),
    "crowd": Look("crowd", things=7, shake=0.006),
    "dark": Look("dark", gain=0.16, grain=3.0, cameras=("still", "pan", "zoom", "still")),
}


@dataclass
class Shot:
    """One shot while the clip is made."""

    scene: Any
    length: int
    camera: Any
    things: list[Any]
    seam: str = "cut"
    overlap: int = 0
    light: Any = field(default_factory=list)


# -- scenes ----------------------------------------------------------------------------------------------------------


def colours(rng: np.random.Generator) -> np.ndarray:
    """Four colours of a place, from nearly grey to garish, (4, 3)."""
    full = rng.uniform(20, 236, (4, 3))
    grey = full.mean(axis=1, keepdims=True)
    return np.asarray(grey + (full - grey) * rng.choice([0.08, 0.3, 1.0]), np.float32)


def scene(rng: np.random.Generator, palette: np.ndarray) -> Image.Image:
    """A place: three pictures wide and high."""
    wide, high = WIDE * ROOM, HIGH * ROOM
    field_ = np.zeros((high, wide), np.float32)
    for octave in range(2, int(rng.integers(6, 8))):
        cells = rng.standard_normal((2**octave * 9 // 16 + 2, 2**octave + 2)).astype(np.float32)
        field_ += np.asarray(Image.fromarray(cells).resize((wide, high), Image.Resampling.BICUBIC)) / octave**1.2
    level = np.clip((field_ - field_.min()) / np.ptp(field_), 0, 0.999) * 3
    low, share = level.astype(int), (level % 1)[..., None]
    mix = palette[low] * (1 - share) + palette[low + 1] * share
    mix *= 1 + 0.25 * np.linspace(-1, 1, high, dtype=np.float32)[:, None, None] * rng.choice([-1, 1])
    image = Image.fromarray(np.clip(mix, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(6, 60))):
        x, y = rng.uniform(0, wide), rng.uniform(0, high)
        w, h = rng.uniform(10, 190), rng.uniform(8, 150)
        own = palette[rng.integers(4)] + rng.uniform(-90, 90) + rng.uniform(-1, 1, 3) * np.ptp(palette, axis=1).max()
        colour = tuple(int(v) for v in np.clip(own, 0, 255))
        kind = rng.integers(4)
        if kind == 0:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        elif kind == 1:
            draw.ellipse((x, y, x + w, y + h), fill=colour)
        elif kind == 2:
            draw.line((x, y, x + w - 60, y + h - 60), fill=colour, width=int(rng.integers(2, 12)))
        else:  # lettering, windows, fences
            step = int(rng.integers(6, 20))
            for k in range(int(w // step)):
                draw.rectangle((x + k * step, y, x + k * step + step // 2, y + h / 2), fill=colour)
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 2.5))))


def thing(rng: np.random.Generator) -> tuple[Image.Image, Image.Image, np.ndarray]:
    """Somebody passing: picture, outline, and path (x, y, dx, dy, sway) in pictures and pictures a second."""
    size = (int(rng.integers(20, 90)), int(rng.integers(30, 120)))
    small = rng.integers(0, 256, (5, 4, 3)).astype(np.uint8)
    body = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    outline = Image.new("L", size, 0)
    ImageDraw.Draw(outline).ellipse((0, 0, size[0] - 1, size[1] - 1), fill=255)
    path = np.array(
        [rng.uniform(-0.2, 1), rng.uniform(0.1, 0.8), rng.normal(0, 0.35), rng.normal(0, 0.08), rng.random()]
    )
    return body, outline, path


def camera(rng: np.random.Generator, kind: str, length: int, fps: float, shake: float) -> np.ndarray:
    """(length, 4): centre x, y in pictures from the scene's middle, size of the view, roll in radians."""
    t = np.arange(length) / fps
    way = np.zeros((length, 4))
    way[:, :2], way[:, 2] = rng.uniform(-0.45, 0.45, 2), rng.uniform(0.8, 1.15)
    angle = rng.uniform(0, 2 * np.pi)
    aim = np.array([np.cos(angle), 0.5 * np.sin(angle)])
    if kind == "pan":
        way[:, :2] += (t - t.mean())[:, None] * aim * rng.uniform(0.1, 0.7)
    elif kind == "zoom":
        way[:, 2] *= np.exp((t - t.mean()) * rng.choice([-1, 1]) * rng.uniform(0.1, 0.5))
    elif kind == "roll":
        way[:, 3] = (t - t.mean()) * rng.uniform(-0.3, 0.3)
    elif kind == "whip":  # rest, a fast swing over a picture's width, rest
        middle, spread = rng.uniform(0.4, 0.6) * t[-1], rng.uniform(0.06, 0.12)
        way[:, :2] += aim * rng.uniform(0.6, 1.1) * np.tanh((t - middle) / spread)[:, None] / 2
    if shake:
        steps = rng.standard_normal((length, 2)) * shake
        way[:, :2] += steps + np.cumsum(rng.standard_normal((length, 2)) * shake * 0.3, axis=0)
        way[:, 3] += rng.standard_normal(length) * shake * 0.3
    way[:, 2] = np.clip(way[:, 2], 0.45, 1.3)
    way[:, :2] = np.clip(way[:, :2], -0.8, 0.8)
    return way


def view(place: Image.Image, at: np.ndarray) -> Image.Image:
    """What the camera sees of a scene."""
    x, y, size, roll = at
    cos, sin = np.cos(roll) * size, np.sin(roll) * size
    centre_x, centre_y = (ROOM / 2 + x) * WIDE, (ROOM / 2 + y) * HIGH
    a = (cos, -sin, centre_x - cos * WIDE / 2 + sin * HIGH / 2, sin, cos, centre_y - sin * WIDE / 2 - cos * HIGH / 2)
    return place.transform((WIDE, HIGH), Image.Transform.AFFINE, a, Image.Resampling.BILINEAR)


def exposed(shot: Shot, k: int, fps: float) -> np.ndarray:
    """Picture k of a shot as float32 (HIGH, WIDE, 3), with motion blur and what passes before it."""
    way = shot.camera
    if shot.scene is None:
        return np.zeros((HIGH, WIDE, 3), np.float32)
    move = np.abs(way[k, :2] - way[max(k - 1, 0), :2]).max()
    if move > 0.03:
        steps = np.linspace(0, 0.5, 4)[:, None]
        ways = way[k] + (way[max(k - 1, 0)] - way[k]) * steps
        picture = np.mean([np.asarray(view(shot.scene, w), np.float32) for w in ways], axis=0)
        image = Image.fromarray(picture.astype(np.uint8))
    else:
        image = view(shot.scene, way[k])
    for body, outline, (x, y, dx, dy, sway) in shot.things:
        t = k / fps
        place = (int((x + dx * t) * WIDE), int((y + dy * t + 0.03 * np.sin(8 * t + 6 * sway)) * HIGH))
        image.paste(body, place, outline)
    return np.asarray(image, np.float32)


# -- a clip ----------------------------------------------------------------------------------------------------------


def shots_of(rng: np.random.Generator, look: Look, count: int, fps: float) -> list[Shot]:
    """The shots of a clip, seams included."""
    out: list[Shot] = []
    palette = colours(rng)
    for n in range(count):
        length = int(np.clip(rng.lognormal(np.log(1.1 * fps), 0.6), max(8, 0.3 * fps), 4 * fps))
        seam = str(rng.choice(["cut", "dissolve", "fade"], p=look.seams)) if n else "cut"
        overlap = int(rng.integers(max(8, int(0.4 * fps)), int(1.4 * fps))) if seam != "cut" else 0
        length += 2 * overlap + (8 if overlap else 0)
        if out and overlap and out[-1].length < out[-1].overlap + overlap + 8:
            seam, overlap = "cut", 0
        kind = str(rng.choice(look.cameras))
        way = camera(rng, kind, length, fps, look.shake)
        if out and seam == "cut" and out[-1].scene is not None and rng.random() < look.angle:
            place = out[-1].scene
            last = out[-1].camera[-1]
            if rng.random() < 0.5:  # nearer or farther
                way[:, 2] *= np.clip(last[2] * rng.choice([0.55, 0.7, 1.4, 1.7]), 0.45, 1.4) / way[0, 2]
                way[:, :2] += last[:2] - way[0, :2]
                if 0.8 <= way[0, 2] / last[2] <= 1.25:
                    way[:, 0] += 0.35
            else:
                way[:, :2] += last[:2] - way[0, :2]
                way[:, 0] += rng.choice([-1, 1]) * rng.uniform(0.2, 0.6)
        elif look.kind == "fade" and seam == "cut" and out and out[-1].scene is not None and rng.random() < 0.2:
            place = None
        else:
            palette = palette if rng.random() < 0.4 else colours(rng)  # another place of the same look, or of another
            place = scene(rng, palette)
        things = [thing(rng) for _ in range(int(rng.integers(0, look.things + 1)))]
        out.append(Shot(place, length, way, things, seam, overlap))
    return out


def lit(rng: np.random.Generator, look: Look, shot: Shot, tail: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """(length, 2) gain and added white of a shot, and its flashes [start, end) inside it."""
    light = np.zeros((shot.length, 2))
    light[:, 0] = look.gain * (1 + 0.05 * np.sin(np.arange(shot.length) / 17 + rng.uniform(0, 6)))
    flashes = []
    first, last = shot.overlap + 6, shot.length - tail - 12
    if shot.scene is None or last <= first:
        return light, flashes
    if rng.random() < look.lamps:
        at = int(rng.integers(first, last))
        lamp = float(rng.choice([0.35, 0.5, 1.7]))
        brightest = float(np.percentile(exposed(shot, at, 24.0), 90)) * look.gain
        light[at:, 0] *= min(lamp, max(235 / max(brightest, 1.0), 1.0)) if lamp > 1 else lamp  # nothing burns out
    if rng.random() < look.flashes:
        at, long = int(rng.integers(first, last)), int(rng.integers(1, 6))
        fall = np.ones(long) if rng.random() < 0.5 else np.exp(-np.arange(long) / 2.0)
        light[at : at + long, 1] = fall * rng.uniform(0.5, 1.0)
        flashes.append((at, at + long))
    return light, flashes


def pictures(seed: int, look: Look, rate: Fraction, count: int) -> tuple[Iterator[np.ndarray], Truth]:
    """The pictures of a clip, uint8 (HIGH, WIDE, 3), and what happens in it."""
    rng = np.random.default_rng([seed, KINDS.index(look.kind)])
    fps = float(rate)
    shots = shots_of(rng, look, count, fps)
    starts, cuts, flashes, fades, dissolves = [0], [], [], [], []
    for before, shot in pairwise(shots):
        at = starts[-1] + before.length
        if shot.seam == "cut":
            cuts.append(at)
        elif shot.seam == "dissolve":
            at -= shot.overlap
            dissolves.append((at, at + shot.overlap))
        else:  # out, six frames of black or white, in
            fades += [(at - shot.overlap, at), (at + 6, at + 6 + shot.overlap)]
            at += 6
        starts.append(at)
    frames = starts[-1] + shots[-1].length
    whites = [rng.random() < 0.25 for _ in shots]
    for n, shot in enumerate(shots):
        tail = shots[n + 1].overlap if n + 1 < len(shots) else 0
        shot.light, found = lit(rng, look, shot, tail)
        flashes += [(starts[n] + a, starts[n] + b) for a, b in found]

    def draw() -> Iterator[np.ndarray]:
        for k in range(frames):
            total = np.zeros((HIGH, WIDE, 3), np.float32)
            for n, shot in enumerate(shots):
                i = k - starts[n]
                if not 0 <= i < shot.length:
                    continue
                gain, white = shot.light[i]
                picture = exposed(shot, i, fps) * gain
                picture += (255 - picture) * white
                share, ground = 1.0, 0.0
                if i < shot.overlap:
                    share = (i + 1) / (shot.overlap + 1)
                    ground = 255.0 if whites[n] and shot.seam == "fade" else 0.0
                follower = shots[n + 1] if n + 1 < len(shots) else None
                if follower is not None and follower.overlap and i >= shot.length - follower.overlap:
                    share = (shot.length - i) / (follower.overlap + 1)
                    ground = 255.0 if whites[n + 1] and follower.seam == "fade" else 0.0
                total += picture * share + ground * (1 - share)
            if any(whites[n] and s.seam == "fade" and starts[n] - 6 <= k < starts[n] for n, s in enumerate(shots)):
                total += 255.0
            if look.grain:
                total += rng.standard_normal((HIGH, WIDE, 1), np.float32) * look.grain
            yield np.clip(total, 0, 255).astype(np.uint8)

    return draw(), Truth(rate, frames, tuple(cuts), tuple(flashes), tuple(fades), tuple(dissolves))


def write_clip(
    path: Path, seed: int, kind: str, *, rate: Fraction | None = None, count: int = 12, timecode: str = ""
) -> Truth:
    """Draw and encode a clip (.mp4, .mov or .mkv), and return what happens in it."""
    rng = np.random.default_rng([seed, 99])
    look = LOOKS[kind]
    chosen = rate or RATES[int(rng.integers(len(RATES)))]
    drawn, truth = pictures(seed, look, chosen, count)
    shown = np.ones(truth.frames, bool)
    if look.drop:
        shown = rng.random(truth.frames) >= look.drop
        shown[0] = True
    late = rng.uniform(0, 0.3, truth.frames) * (look.drop > 0)  # of a frame: a telephone's clock
    late[0] = 0.0
    clock = Fraction(1, 1000) if path.suffix == ".mkv" else Fraction(1, 90000)
    base = clock if look.drop else 1 / chosen
    times = [round((k + Fraction(float(late[k]))) / chosen / base) for k in range(truth.frames)]
    crf = int(rng.choice(look.crf))
    preset = str(rng.choice(["ultrafast", "veryfast", "medium"]))
    encode(
        path, drawn, [t if s else None for t, s in zip(times, shown, strict=True)], base, chosen, crf, preset, timecode
    )
    seen = [k for k in range(truth.frames) if shown[k]]
    return (
        replace(truth, cuts=tuple(first_seen(c, seen, times, base, chosen) for c in truth.cuts)) if look.drop else truth
    )


def first_seen(cut: int, seen: list[int], times: list[int], base: Fraction, rate: Fraction) -> int:
    """The first frame of the grid that shows the new shot; a stored time is right to one tick of the container."""
    first = next(k for k in seen if k >= cut)
    return -((-(times[first] - 1) * base * rate) // 1)


def encode(
    path: Path,
    drawn: Iterator[np.ndarray],
    times: list[int | None],
    base: Fraction,
    rate: Fraction,
    crf: int,
    preset: str,
    timecode: str = "",
) -> None:
    """H.264, 4:2:0; a time of None leaves its picture out."""
    import av

    with av.open(str(path), "w") as out:
        if timecode:
            out.metadata["timecode"] = timecode
        stream = out.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": preset})
        stream.width, stream.height, stream.pix_fmt = WIDE, HIGH, "yuv420p"
        stream.codec_context.time_base = base
        stream.thread_count = 1
        for picture, time in zip(drawn, times, strict=True):
            if time is None:
                continue
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
