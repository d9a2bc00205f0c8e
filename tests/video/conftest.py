"""Small videos made here, with what happens in them known to the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes pictures (and sound) as a video."""

    def write(
        pictures: Sequence[np.ndarray],
        rate: Fraction | int = 24,
        *,
        name: str = "film.mp4",
        timecode: str = "",
        times: Sequence[int] | None = None,
        tick: Fraction | None = None,
        sound: np.ndarray | None = None,
        crf: int = 20,
    ) -> Path:
        import av

        path = tmp_path / name
        with av.open(str(path), "w") as out:
            if timecode:
                out.metadata["timecode"] = timecode
            codec = "mpeg2video" if path.suffix == ".mxf" else "libx264"
            stream: Any = out.add_stream(codec, rate=Fraction(rate))
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            if codec == "libx264":
                stream.options = {"crf": str(crf), "preset": "ultrafast"}
            base = tick or 1 / Fraction(rate)
            stream.codec_context.time_base = base
            track: Any = (
                out.add_stream("pcm_s16le" if path.suffix == ".mov" else "aac", rate=48000, layout="mono")
                if sound is not None
                else None
            )
            for k, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.pts, frame.time_base = (times[k] if times else k), base
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if track is not None and sound is not None:
                samples = (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
                block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                block.sample_rate, block.pts = 48000, 0
                out.mux(track.encode(block))
                out.mux(track.encode(None))
        return path

    return write
