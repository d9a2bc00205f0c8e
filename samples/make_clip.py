"""Draw the film that chase.mid was written for: python samples/make_clip.py OUT.

Ten shots of a chase over night roofs, 640 x 360 at 24 frames a second, from 00:59:55:00 (five seconds before the music
starts at 01:00:00:00) to 01:01:08:00; its hits are those of chase_hits.csv, an hour later. Writes clip.mp4 (H.264, with
a timecode track, no sound) and hits.csv. All is drawn here, at twice the size and reduced, so that edges are smooth.
Needs the extra `picture`.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

RATE = Fraction(24)
START = "00:59:55:00"
MUSIC = 120  # the frame on which the music starts
FRAMES = 73 * 24
WIDTH, HEIGHT = 1280, 720
NIGHT, ROOF, WALL = (22, 28, 52), (10, 12, 24), (34, 36, 62)
COAT, LEGS, SKIN, HAIR, LAMP = (196, 44, 40), (70, 74, 110), (232, 190, 160), (40, 26, 22), (255, 214, 130)
HOUR = "01"
HERE = Path(__file__).resolve().parent

Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]
Point = tuple[float, float]
Shot = Callable[[Draw, float, int], None]  # what to draw on, how far through the shot (0 to 1), frame of the clip


def sky(draw: Draw, top: Colour = NIGHT) -> None:
    """Night, lighter towards the roofs, with a moon."""
    for band in range(24):
        light = band / 24
        colour = tuple(int(c + light * 34) for c in top)
        draw.rectangle((0, band * 30, WIDTH, band * 30 + 30), fill=colour)
    draw.ellipse((1010, 60, 1110, 160), fill=(226, 226, 206))
    draw.ellipse((985, 50, 1085, 150), fill=tuple(int(c + 5) for c in top))


def town(draw: Draw, shift: float, base: int, seed: int, tall: int, colour: Colour) -> None:
    """A row of houses that scrolls by."""
    rng = random.Random(seed)
    x = -600.0 - shift
    while x < WIDTH:
        width, height = rng.randint(130, 260), rng.randint(tall // 2, tall)
        top = base - height
        draw.rectangle((x, top, x + width, HEIGHT), fill=colour)
        if rng.random() < 0.5:
            draw.polygon(((x - 8, top), (x + width / 2, top - 60), (x + width + 8, top)), fill=colour)
        for window in range(rng.randint(1, 4)):
            row, left = rng.randint(0, 2), window * 52 + 22
            pane = (x + left, top + row * 62 + 30, x + left + 24, top + row * 62 + 64)
            light = LAMP if rng.random() < 0.6 else (52, 54, 84)
            if left + 26 < width and row * 62 + 66 < height:
                draw.rectangle(pane, fill=light)
        x += width + rng.randint(0, 26)


def limb(draw: Draw, start: Point, angles: Point, length: float, width: float, colour: Colour) -> None:
    """An arm or leg: two straight pieces with round joints."""
    at = start
    for angle in angles:
        end = (at[0] + math.sin(angle) * length, at[1] + math.cos(angle) * length)
        draw.line((*at, *end), fill=colour, width=round(width))
        half = 0.48 * width
        draw.ellipse((end[0] - half, end[1] - half, end[0] + half, end[1] + half), fill=colour)
        at = end


def figure(draw: Draw, x: float, y: float, size: float, frame: float, pose: str = "run") -> None:
    """She runs, leaps, crouches or climbs; (x, y) is the ground under her, size her height."""
    unit, swing = size / 8, math.sin(frame * math.pi / 6)
    low = 2.6 if pose == "crouch" else 0.0
    hip = (x, y - (3.7 - low / 1.4 + 0.25 * abs(swing)) * unit)
    neck = (x + 0.9 * unit, hip[1] - (2.5 - low / 5) * unit)
    spread = {"run": 1.0, "leap": 1.5, "crouch": 0.3, "climb": 0.6}[pose]
    turn = {"leap": 1.0, "crouch": 0.4}.get(pose, swing)
    for side in (1, -1):
        thigh = side * turn * spread * 0.85 + (0.9 if low else 0.1)
        shin = thigh - (0.9 if side * turn < 0 else 0.35) * (2.2 if low else 1)
        limb(draw, hip, (thigh, shin), (1.85 - low / 4) * unit, 0.75 * unit, LEGS)
    hem = 0.9 + 0.5 * abs(turn) * spread
    outline = ((-0.7, 0.0, neck), (0.6, 0.1, neck), (0.7, 0.4, hip), (-hem, 0.9, hip))
    draw.polygon([(at[0] + dx * unit, at[1] + dy * unit) for dx, dy, at in outline], fill=COAT)
    up = math.pi * 0.85 if pose == "climb" else 0.2
    sleeve = (157, 35, 32)
    for side in (1, -1):
        angle = up - side * turn * spread * 0.9
        elbow = angle + (0.2 if pose == "climb" else 0.5)
        limb(draw, (neck[0], neck[1] + 0.3 * unit), (angle, elbow), 1.15 * unit, 0.75 * unit, sleeve)
    left, top = neck[0] + 0.25 * unit, neck[1] - 0.75 * unit
    draw.ellipse((left - 0.7 * unit, top - 0.8 * unit, left + 0.7 * unit, top + 0.7 * unit), fill=SKIN)
    draw.pieslice((left - 0.8 * unit, top - 0.9 * unit, left + 0.7 * unit, top + 0.7 * unit), 150, 330, fill=HAIR)


def street(draw: Draw, share: float, frame: int) -> None:
    """She runs along a street towards a door."""
    sky(draw)
    town(draw, share * 900, 600, 3, 420, WALL)
    draw.rectangle((0, 600, WIDTH, HEIGHT), fill=(28, 28, 40))
    figure(draw, 300 + 500 * share, 650, 240, frame)


def door(draw: Draw, share: float, frame: int) -> None:
    """The door bursts open: light falls through it, she is in it."""
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=(18, 16, 22))
    wide = min(share * 14, 1.0)
    draw.polygon(((500, 640), (780, 640), (780 + 420 * wide, HEIGHT), (500 - 420 * wide, HEIGHT)), fill=(120, 98, 60))
    draw.rectangle((500, 120, 780, 640), fill=LAMP)
    edge, out = 500 + 330 * wide, 70 * wide
    if wide > 0.4:  # until then the door hides her
        figure(draw, 600 + 120 * share, 650 + 60 * share, 300 + 160 * share, frame)
    draw.polygon(((edge, 120 - out), (780, 120), (780, 640), (edge, 640 + out)), fill=(70, 44, 30))


def feet(draw: Draw, share: float, frame: int) -> None:
    """Close on running legs over wet cobbles."""
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=(20, 20, 30))
    for row in range(5):
        for column in range(-1, 12):
            x = column * 130 + (row % 2) * 65 - frame * 26 % 130
            stone = (x, 470 + row * 52, x + 118, 512 + row * 52)
            draw.rounded_rectangle(stone, 16, fill=(40 + 8 * row, 42 + 8 * row, 66))
    figure(draw, 600 + 40 * share, 640, 900, frame)


def roofs(draw: Draw, share: float, frame: int) -> None:
    """Across the rooftops: three rows of them go by at their distances."""
    sky(draw)
    town(draw, share * 500 + 300, 560, 7, 330, (44, 46, 78))
    town(draw, share * 1300 + 800, 660, 11, 300, WALL)
    draw.polygon(((0, 600), (WIDTH, 570), (WIDTH, HEIGHT), (0, HEIGHT)), fill=ROOF)
    figure(draw, 420 + 260 * share, 592, 200, frame)


def river(draw: Draw, share: float, frame: int) -> None:
    """The river, wide and still; she is small on the bridge."""
    sky(draw, (18, 30, 62))
    town(draw, 400 + share * 60, 420, 19, 150, (30, 34, 60))
    draw.rectangle((0, 420, WIDTH, HEIGHT), fill=(20, 38, 74))
    for k in range(26):
        wide = 30 + 46 * abs(math.sin(k * 1.7 + frame / 14))
        x, y = 1050 + 26 * math.sin(k * 2.3 + frame / 20), 432 + k * 11
        draw.line((x - wide, y, x + wide, y), fill=(190, 196, 200), width=4)
    draw.rectangle((0, 380, WIDTH, 398), fill=ROOF)
    for pier in range(0, WIDTH, 210):
        draw.rectangle((pier, 398, pier + 22, 470), fill=ROOF)
    figure(draw, 180 + 520 * share, 382, 74, frame)


def chimney(draw: Draw, share: float, frame: int) -> None:
    """She ducks behind a chimney; a beam of light looks for her."""
    sky(draw, (14, 18, 34))
    aim = 300 + 500 * (0.5 - 0.5 * math.cos(share * math.pi * 3))
    draw.polygon(((1240, 0), (1280, 0), (aim + 130, HEIGHT), (aim - 130, HEIGHT)), fill=(116, 116, 108))
    draw.polygon(((0, 610), (WIDTH, 580), (WIDTH, HEIGHT), (0, HEIGHT)), fill=ROOF)
    draw.rectangle((640, 260, 820, 610), fill=(58, 34, 34))
    draw.rectangle((620, 236, 840, 270), fill=(74, 44, 42))
    figure(draw, 590, 606, 210, 0 if share > 0.05 else frame, "crouch")


def found(draw: Draw, share: float, frame: int) -> None:
    """Found: the light is on her, and she runs."""
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=(12, 12, 20))
    x = 500 + 420 * max(share - 0.15, 0)
    draw.polygon(((600, 0), (700, 0), (x + 300, HEIGHT), (x - 260, HEIGHT)), fill=(240, 236, 206))
    draw.ellipse((x - 260, 610, x + 300, 740), fill=(255, 252, 230))
    figure(draw, x, 660, 330, frame if share > 0.15 else 0, "run")


def leap(draw: Draw, share: float, frame: int) -> None:
    """The leap over the gap, slower than it was."""
    sky(draw, (26, 24, 56))
    town(draw, 1500 + share * 160, 700, 23, 260, (44, 46, 78))
    draw.polygon(((0, 470), (430, 470), (430, HEIGHT), (0, HEIGHT)), fill=ROOF)
    draw.polygon(((900, 510), (WIDTH, 510), (WIDTH, HEIGHT), (900, HEIGHT)), fill=ROOF)
    flight = min(share / 0.55, 1.0)
    height = 4 * flight * (1 - flight) * 130
    ground = 470 + 40 * flight
    x = 380 + 640 * flight + max(share - 0.55, 0) * 420
    figure(draw, x, ground - height, 200, frame, "leap" if flight < 1 else "run")


def ladder(draw: Draw, share: float, frame: int) -> None:
    """A hand on the ladder, and up."""
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=(40, 38, 56))
    for brick in range(90):
        x, y = brick % 9 * 160 + (brick // 9 % 2) * 80 - 80, brick // 9 * 74 + (share * 220) % 148 - 74
        draw.rectangle((x, y, x + 152, y + 66), fill=(54, 50, 70))
    for rung in range(-1, 7):
        y = rung * 120 + (share * 220) % 120
        draw.line((520, y, 760, y), fill=(150, 150, 158), width=16)
    for rail in (520, 760):
        draw.line((rail, 0, rail, HEIGHT), fill=(170, 170, 178), width=20)
    figure(draw, 630, 720 - 70 * share, 420, frame * 0.6, "climb")


def hatch(draw: Draw, share: float, frame: int) -> None:
    """The hatch slams shut: a square of sky above, gone; then black."""
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=(6, 6, 10))
    left = max(0.0, 0.35 - share) / 0.35
    glow = int(90 * max(0.0, 1 - share * 1.4))
    draw.rectangle((430, 150, 850, 570), fill=(glow // 2 + 10, glow // 2 + 8, glow // 2 + 12))
    if share < 0.5:
        shake = 8 * math.sin(frame * 2.4) * left
        lid = (436 + shake, 156 + shake, 844 + shake, 564 + shake)
        draw.rectangle(lid, fill=(48, 40, 36), outline=(120, 104, 84), width=10)
        draw.ellipse((610 + shake, 330 + shake, 670 + shake, 390 + shake), outline=(150, 132, 100), width=12)
    for mote in range(40):
        angle, far = mote * 2.4, 240 + (mote * 37 % 60) + 420 * share
        x, y = 640 + math.cos(angle) * far, 360 + math.sin(angle) * far * 0.7
        if left > 0:
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=tuple(int(c * left) for c in (180, 166, 140)))


SHOTS: tuple[tuple[int, Shot], ...] = (  # frames after the music's start
    (-MUSIC, street),
    (149, door),
    (300, feet),
    (446, roofs),
    (574, river),
    (872, chimney),
    (1022, found),
    (1152, leap),
    (1446, ladder),
    (1512, hatch),
)


def picture(frame: int) -> np.ndarray:
    """One frame of the clip as drawn, shape (360, 640, 3)."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    ends = [start for start, _ in SHOTS[1:]] + [FRAMES - MUSIC]
    for (start, shot), end in zip(SHOTS, ends, strict=True):
        if start <= frame - MUSIC < end:
            shot(ImageDraw.Draw(image), (frame - MUSIC - start) / (end - start), frame)
    return np.asarray(image.reduce(2))


def write_clip(path: Path, frames: int = FRAMES) -> Path:
    """The clip, or its beginning."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(
            "libx264", rate=RATE, options={"crf": "24", "preset": "veryfast", "x264-params": "mbtree=0"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH // 2, HEIGHT // 2, "yuv420p"
        stream.metadata["timecode"] = file.metadata["timecode"] = START
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = number, 1 / RATE
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def write_hits(path: Path) -> Path:
    """The hits of chase_hits.csv, an hour later."""
    with (HERE / "chase_hits.csv").open(encoding="utf-8", newline="") as source:
        head, *rows = csv.reader(source)
    with path.open("w", encoding="utf-8", newline="") as goal:
        table = csv.writer(goal, lineterminator="\n")
        table.writerow(head)
        table.writerows([HOUR + row[0][2:], *row[1:]] for row in rows)
    return path


def main() -> None:
    """Write clip.mp4 and hits.csv into a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write into")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    print(write_clip(folder / "clip.mp4"))
    print(write_hits(folder / "hits.csv"))


if __name__ == "__main__":
    main()
