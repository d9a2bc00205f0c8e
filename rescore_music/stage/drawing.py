"""Drawing onto pictures: lines, discs and text blended into the planes of a YUV picture, in place.

Conventions: a picture is three arrays of bytes, luma and two chroma planes of half its width and height (4:2:0), in
the range that video uses (black 16, white 235) or the full one; colours are given as red, green and blue, 0 to 255
(BT.709). Only the pixels under a mark are touched, so a frame without marks is the frame that was decoded, and drawing
costs a small part of what encoding does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rescore_music.stage.streamers import Colour, Overlay

Plane = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]
BOX = 0.7  # how dark the ground of text is
INK: Colour = (255, 255, 255)
SYMBOLS = "0123456789:;|-ABR "


@dataclass(frozen=True)
class Picture:
    """The planes of one picture; writable views."""

    y: Plane
    u: Plane
    v: Plane
    full: bool = False  # range


def picture_of(buffer: npt.NDArray[np.uint8], width: int, height: int, *, full: bool = False) -> Picture:
    """The planes inside a contiguous buffer of width * height * 3 / 2 bytes."""
    flat, size = buffer.reshape(-1), width * height
    u, v = flat[size : size + size // 4], flat[size + size // 4 : size + size // 2]
    half = (height // 2, width // 2)
    return Picture(flat[:size].reshape(height, width), u.reshape(half), v.reshape(half), full)


def yuv(colour: Colour, full: bool) -> tuple[int, int, int]:
    """A colour as BT.709 luma and chroma, in video range or the full one."""
    red, green, blue = (channel / 255 for channel in colour)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    scale, chroma, black = (255, 255, 0) if full else (219, 224, 16)
    u, v = (blue - luma) / 1.8556, (red - luma) / 1.5748
    return round(black + scale * luma), round(128 + chroma * u), round(128 + chroma * v)


def blend(picture: Picture, x: int, y: int, mask: Mask, colour: Colour) -> None:
    """Lay a colour over the picture where a mask says, its upper left corner at (x, y); both even; clipped."""
    height, width = picture.y.shape
    mask = mask[max(-y, 0) : max(height - y, 0), max(-x, 0) : max(width - x, 0)]
    x, y = max(x, 0), max(y, 0)
    rows, columns = mask.shape[0] // 2 * 2, mask.shape[1] // 2 * 2
    if not rows or not columns:
        return
    mask = mask[:rows, :columns]
    quarter = mask.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    values = yuv(colour, picture.full)
    _mix(picture.y[y : y + rows, x : x + columns], mask, values[0])
    for plane, value in ((picture.u, values[1]), (picture.v, values[2])):
        _mix(plane[y // 2 : (y + rows) // 2, x // 2 : (x + columns) // 2], quarter, value)


def _mix(region: Plane, mask: Mask, value: int) -> None:
    region[...] = np.rint(region + (value - region.astype(np.float32)) * mask).astype(np.uint8)


def _even(value: float) -> int:
    return int(value) // 2 * 2


@dataclass(frozen=True)
class Pen:
    """Draws an overlay onto pictures of one size."""

    width: int
    height: int
    _texts: dict[str, tuple[Mask, Mask]] = field(default_factory=dict, repr=False)

    def draw(self, picture: Picture, overlay: Overlay, frame: int) -> None:
        """Draw what belongs on a frame, in place."""
        for across, colour in overlay.lines(frame):
            thick = max(2, _even(self.width / 120))
            x = min(_even(across * self.width - thick / 2), self.width - thick)
            blend(picture, max(x, 0), 0, _line(thick, self.height), colour)
        for flash in overlay.discs(frame):
            radius = max(2, round(self.height / (14 if flash.small else 8)))
            mask = _disc(radius)
            left, top = _even((self.width - mask.shape[1]) / 2), _even((self.height - mask.shape[0]) / 2)
            blend(picture, left, top, mask, flash.colour)
        margin = _even(self.height / 30)
        self._text(picture, overlay.label(frame), margin)
        count = overlay.count(frame)
        if count:
            self._text(picture, f"BAR {count}", -margin)

    def _text(self, picture: Picture, text: str, margin: int) -> None:
        """Text at the foot of the picture: from the left, or with a margin below 0 from the right."""
        if not text:
            return
        ground, ink = self._masks(text)
        x = margin if margin >= 0 else self.width - ink.shape[1] + margin
        y = self.height - ink.shape[0] - abs(margin)
        blend(picture, _even(x), _even(y), ground, (0, 0, 0))
        blend(picture, _even(x), _even(y), ink, INK)

    def _masks(self, text: str) -> tuple[Mask, Mask]:
        glyphs = _glyphs(max(12, round(self.height / 17)))
        ink = np.concatenate([glyphs[c] for c in f" {text} " if c in glyphs], axis=1)
        return np.full(ink.shape, BOX, np.float32), ink


@lru_cache(maxsize=8)
def _line(thick: int, height: int) -> Mask:
    return np.full((height, thick), 0.9, np.float32)


@lru_cache(maxsize=8)
def _disc(radius: int) -> Mask:
    """A disc with a soft edge of one pixel."""
    size = 2 * radius + 2
    y, x = np.ogrid[:size, :size]
    distance = np.hypot(x - (size - 1) / 2, y - (size - 1) / 2)
    return np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)


@lru_cache(maxsize=4)
def _glyphs(size: int) -> dict[str, Mask]:
    """Masks of the symbols; figures are all of one width, so that running numbers stand still."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    boxes = {c: font.getbbox(c, anchor="ls") for c in SYMBOLS}
    digit = max(boxes[c][2] for c in "0123456789")
    above, below = -min(box[1] for box in boxes.values()), max(box[3] for box in boxes.values())
    pad = max(2, size // 5)
    out = {}
    for c, box in boxes.items():
        width = digit if c.isdigit() else max(box[2], size // 4)
        image = Image.new("L", (_even(width + size / 8 + 1), _even(above + below + 2 * pad + 1)))
        place = ((image.width - box[0] - box[2]) / 2, pad + above)
        ImageDraw.Draw(image).text(place, c, font=font, fill=255, anchor="ls")
        out[c] = np.asarray(image, np.float32) * np.float32(1 / 255)
    return out
