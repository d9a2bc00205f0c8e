"""Small videos for tests: drawn, encoded and read back with PyAV, apart from the code under test."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (160, 96)


def draw(
    path: Path,
    fps: Fraction,
    pictures: int = 40,
    *,
    codec: str = "libx264",
    timecode: str = "",
    steps: list[int] | None = None,
    sound: bool = False,
    size: tuple[int, int] = SIZE,
    pix_fmt: str = "yuv420p",
) -> Path:
    """A wiping grey field; `steps` are the pictures' times in frames, where they are not 0, 1, 2 ..."""
    width, height = size
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if timecode:
            stream.metadata["timecode"] = file.metadata["timecode"] = timecode
        heard = file.add_stream("aac", rate=48000, layout="stereo") if sound else None
        for k in range(pictures):
            field = np.full((height, width, 3), 40, np.uint8)
            field[:, : 4 * k % width] = 120
            frame = av.VideoFrame.from_ndarray(field, format="rgb24")
            frame.pts, frame.time_base = (steps[k] if steps else k), 1 / fps
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if heard is not None:
            for k in range(40):
                tone = np.sin(np.arange(k * 1024, (k + 1) * 1024) / 20).astype(np.float32) * 0.25
                block = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
                block.sample_rate, block.pts, block.time_base = 48000, k * 1024, Fraction(1, 48000)
                file.mux(heard.encode(block))
            file.mux(heard.encode(None))
    return path


def packets(path: Path) -> list[tuple[bytes, Fraction]]:
    """The video's packets in file order, each with the time it is shown at in seconds."""
    with av.open(str(path), options={"fflags": "+genpts"}) as file:
        stream = file.streams.video[0]
        return [(bytes(p), p.pts * stream.time_base) for p in file.demux(stream) if p.pts is not None]


def heard(path: Path, track: int = 0) -> tuple[np.ndarray, int]:
    """A file's sound as a player hears it from the first picture on: float64, frames by channels, and its rate."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[track]
        blocks, first = [], None
        for frame in file.decode(stream):
            first = frame.pts * frame.time_base if first is None else first
            block, channels = frame.to_ndarray(), frame.layout.nb_channels
            blocks.append(block.T if frame.format.is_planar else block.reshape(-1, channels))
        samples = np.concatenate(blocks)
        scale = 1.0 if samples.dtype.kind == "f" else float(1 << 31)
        assert first == 0, first
        return samples.astype(np.float64) / scale, stream.rate


def lag(heard: np.ndarray, meant: np.ndarray) -> int:
    """How many samples late a sound is, by cross-correlation."""
    size = 2 * max(len(heard), len(meant))
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(meant, size))
    best = int(np.argmax(np.fft.irfft(product, size)))
    return best if best <= size // 2 else best - size


def bursts(rate: int, seconds: float, places: tuple[float, ...], channels: int = 2) -> np.ndarray:
    """Silence with short bursts of noise: a sound whose place can be told to the sample."""
    samples = np.zeros((round(rate * seconds), channels), np.float32)
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (rate // 100, channels)).astype(np.float32)
    for place in places:
        first = round(place * rate)
        samples[first : first + len(noise)] = noise[: len(samples) - first]
    return samples
