"""A video with an overlay burnt in: decoded, drawn upon, encoded as H.264; every picture keeps its time.

Conventions: which frame a picture is follows from its time, not from its number in the file, so a varying frame rate
is no matter. Pictures are drawn in 8-bit 4:2:0 (others are converted); an odd last row or column is given up. The
sound is written beside it as in `mux`. A picture that a display matrix turns is refused, not burnt on its side.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import MissingExtra, ReadError, WriteError
from rescore_music.stage.containers import (
    add_sound,
    beside,
    clock,
    codec_of,
    container_of,
    encoded,
    interleave,
    mixed,
    need_av,
    opened,
    own_sound,
    placed,
    reason,
    sound_of,
)
from rescore_music.stage.drawing import Pen, picture_of
from rescore_music.stage.streamers import Overlay
from rescore_music.timecode import Timecode

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

LARGEST = 8192 * 4320  # pixels
# x264's macroblock tree gives other bytes each time (its vector code reads what nobody wrote); without it, the same
QUALITY = {"crf": "20", "preset": "veryfast", "x264-params": "mbtree=0"}
_FULL_RANGE = 2


def burn(
    video: str | Path,
    drawn: Overlay,
    out: str | Path,
    *,
    first: Timecode,
    audio: Audio | Rendering | str | Path | None = None,
    at: Fraction | float = 0,
    own: float | None = None,
) -> Path:
    """Draw an overlay onto a video.

    Parameters
    ----------
    video : path
    drawn : Overlay
    out : path
        .mp4, .m4v or .mov.
    first : Timecode
        Of the first picture, at the overlay's rate.
    audio : Audio, Rendering or path, optional
        Sound, as for `mux`.
    at : Fraction or float
        Seconds from the first picture to the sound's first sample.
    own : float, optional
        Gain in dB of the video's own sound, mixed with `audio`, or alone; left out unless given.

    Returns
    -------
    Path

    Raises
    ------
    ReadError
        If the video holds no picture, is damaged, turned or too large.
    WriteError
        If the file cannot be written.
    MissingExtra
        If PyAV or Pillow is not installed.
    """
    av = need_av()
    _need_pillow()
    out, video = Path(out), Path(video)
    codec = codec_of(out)
    sound = None if audio is None else placed(sound_of(audio), at, out, codec)
    if own is not None:
        kept = own_sound(video, sound.rate if sound else 48000)
        sound = mixed(sound or Audio(np.zeros((0, 2), np.float32), kept.rate), kept, own) if kept else sound
    with opened(video) as source, beside(out) as temporary:
        picture = source.streams.video[0]
        options = clock(sound.rate if sound else 48000, picture.time_base)
        try:
            with av.open(str(temporary), "w", format=container_of(out), options=options) as goal:
                stream = _picture_stream(goal, picture, video)
                stream.metadata["timecode"] = goal.metadata["timecode"] = first.label
                tracks = [_drawn(source, stream, drawn, first, video)]
                if sound is not None:
                    tracks.append(encoded(add_sound(goal, codec, sound), sound, codec))
                interleave(goal, *tracks)
        except (av.FFmpegError, ValueError) as error:
            raise WriteError(f"the video cannot be written: {reason(error)}", file=out) from error
    return out


def _need_pillow() -> None:
    try:
        import PIL.ImageFont  # noqa: F401
    except ImportError as error:
        raise MissingExtra("drawing needs the package pillow", cure="pip install 'rescore-music[picture]'") from error


def _picture_stream(goal: OutputContainer, picture: VideoStream, video: Path) -> VideoStream:
    """The H.264 stream: the size, shape of pixels, colours and clock of the source."""
    context = picture.codec_context
    width, height = context.width // 2 * 2, context.height // 2 * 2
    if not 0 < width * height <= LARGEST:
        raise ReadError(f"pictures of {context.width} x {context.height} are not drawn upon", file=video)
    rate = picture.average_rate or picture.guessed_rate or Fraction(25)
    stream: VideoStream = goal.add_stream("libx264", rate=rate, options=QUALITY)
    made: Any = stream.codec_context
    made.width, made.height, made.pix_fmt = width, height, "yuv420p"
    made.time_base = picture.time_base
    if picture.sample_aspect_ratio:
        made.sample_aspect_ratio = picture.sample_aspect_ratio
    for name in ("color_range", "color_primaries", "color_trc", "colorspace"):
        setattr(made, name, getattr(context, name))
    return stream


def _drawn(
    source: InputContainer, stream: VideoStream, drawn: Overlay, first: Timecode, video: Path
) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """The encoded pictures, each with its time in seconds."""
    picture = source.streams.video[0]
    picture.thread_type = "AUTO"
    width, height = stream.codec_context.width, stream.codec_context.height
    pen, begin = Pen(width, height), None
    base = picture.time_base or Fraction(1, 1000)
    for frame in source.decode(picture):
        if frame.pts is None:
            continue
        if begin is None and frame.rotation:
            cure = "export it upright"
            raise ReadError(f"the picture is turned by {frame.rotation} degrees when shown", file=video, cure=cure)
        begin = frame.pts if begin is None else begin
        time = (frame.pts - begin) * base
        made = _with_marks(frame, pen, drawn, first.frame + round(time * drawn.rate.fps))
        made.pts, made.time_base = frame.pts - begin, base
        for packet in stream.encode(made):
            yield time, packet
    if begin is None:
        raise ReadError("holds no picture that can be decoded", file=video)
    for packet in stream.encode(None):
        yield time, packet


def _with_marks(frame: VideoFrame, pen: Pen, drawn: Overlay, number: int) -> VideoFrame:
    import av

    plain = frame.reformat(pen.width, pen.height, "yuv420p")
    buffer = np.ascontiguousarray(plain.to_ndarray(), np.uint8)
    full = int(frame.color_range) == _FULL_RANGE
    pen.draw(picture_of(buffer, pen.width, pen.height, full=full), drawn, number)
    made = av.VideoFrame.from_ndarray(buffer, format="yuv420p")
    made.color_range, made.colorspace = frame.color_range, frame.colorspace
    return made
