"""A video file opened and decoded within limits: small pictures with their times, sound as one channel.

Everything is streamed: what lies in memory is one batch of thumbnails and one block of sound, whatever the length.
Only plain files are opened, only by the demuxers of common containers, and none of them may follow a name to another
file or address. What a decoder cannot read is left out and counted.

Conventions: a picture's time is an integer of `Media.tick` (an exact fraction of a second); thumbnails are uint8
(n, HIGH, WIDE, 3), luma and two colour differences; sound is float32 in -1..1 at SOUND_RATE, its first sample at the
first picture's time.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.errors import MissingExtra, ReadError
from rescore_music.video.motion import HIGH, WIDE

BATCH = 64  # pictures
SOUND_RATE = 16000  # Hz
SOUND_BLOCK = 10 * SOUND_RATE

# how much of a file is believed
PIXELS = 4096 * 4096  # of a picture: UHD and DCI 4K; decoders hold some twenty pictures, so 0.5 GB
PICTURES = 1_500_000  # 17 hours at 24 a second
PICTURES_FREE = 100_000  # an hour of nothing at all packs into some bytes a picture ...
BYTES_A_PICTURE = 12  # ... but not into fewer than these
WORK_FREE = 2 * 10**11  # pixels decoded: 40 minutes of 1080p
WORK_A_BYTE = 20_000  # pixels: a still picture of 4K takes some 500 bytes
HOLE = 3600  # seconds between two pictures: more is a wrong number in a file
SOUND_RATES = (4000, 400_000)  # Hz
CHANNELS = 64
SOUND_HOLE = 300  # seconds without sound inside of it that are filled with silence
SOUND_LONGEST = 8 * 3600  # seconds that are listened to

_FORMATS = "mov,matroska,webm,avi,mxf,mpegts,mpeg,mpegvideo,asf,flv,ogg,dv"


@dataclass
class Media:
    """An open file: what it says of itself, and what came to light while it was read."""

    path: Path
    container: Any
    video: Any
    audio: Any
    tick: Fraction
    damaged: int = 0
    times: list[int] = field(default_factory=list)
    last_length: int = 0  # ticks that the last picture is shown, 0 where untold
    sound_note: str = ""
    end_reached: bool = True
    observer: Callable[[Any, list[int]], None] | None = None  # sees every picture, with the times up to its own


@contextmanager
def opened(path: str | Path, *, sound: bool = False) -> Iterator[Media]:
    """Open a video.

    Raises
    ------
    ReadError
        If it is no plain file, no video, or larger than is believed.
    MissingExtra
        If PyAV is not installed.
    """
    path = Path(path)
    try:
        import av
    except ImportError:
        cure = "pip install 'rescore-music[picture]'"
        raise MissingExtra("reading video needs PyAV, which is not installed", file=path, cure=cure) from None
    _check(path)
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS, "max_streams": "64"}
    try:
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise ReadError("this is no video that can be read", file=path, cure=f"{CURE}; {_reason(error)}") from None
    with container:
        pictures = [s for s in container.streams.video if not _is_cover(s)]
        if not pictures:
            raise ReadError("there is no picture in it", file=path, cure="give a video, not a sound file")
        video = pictures[0]
        if video.codec_context is None:
            raise ReadError("its picture is coded in a way that cannot be read", file=path, cure=CURE)
        if not 0 < video.width * video.height <= PIXELS:
            what = f"pictures of {video.width} x {video.height} are too large"
            raise ReadError(what, file=path, cure="make a smaller copy; cuts are found as well in a proxy")
        video.thread_type = "AUTO"
        video.codec_context.options = {"max_pixels": str(PIXELS)}
        tick = Fraction(video.time_base or Fraction(1, 1000))
        audio = next((s for s in container.streams.audio if s.codec_context is not None), None) if sound else None
        yield Media(path, container, video, audio, tick)


CURE = "convert it to .mp4, .mov or .mkv"


def _check(path: Path) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ReadError("there is no such file", file=path, cure="check the name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(
            f"the file cannot be read: {reason}", file=path, cure="check its name and permissions"
        ) from None
    if path.is_dir():
        raise ReadError("this is a folder, not a file", file=path, cure="name one file in it")
    if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for, a device has no end
        raise ReadError("this is a pipe or a device, not a file", file=path, cure="name a file")
    if status.st_size == 0:
        raise ReadError("the file is empty", file=path)


def _is_cover(stream: Any) -> bool:
    """Whether a stream is a still beside sound."""
    return "attached_pic" in str(getattr(stream, "disposition", "")).lower()


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__).lower()


def watched(media: Media) -> Iterator[tuple[str, Any]]:
    """("pictures", uint8 array (n, HIGH, WIDE, 3)) and ("sound", float32 array), as they come from the file.

    `media.times` grows with the pictures.

    Raises
    ------
    ReadError
        If no picture can be decoded, or more than is believed.
    """
    import av

    budget = _Budget(media)
    ear = _Ear(media) if media.audio is not None else None
    batch: list[npt.NDArray[np.uint8]] = []
    streams = [media.video] if ear is None else [media.video, media.audio]
    try:
        for packet in media.container.demux(streams):
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                media.damaged += 1
                continue
            for frame in frames:
                if packet.stream.type == "audio":
                    assert ear is not None
                    yield from (("sound", block) for block in ear.hear(frame))
                    continue
                budget.spend(frame)
                batch.append(_thumbnail(frame))
                _note_time(media, frame)
                if media.observer is not None:
                    media.observer(frame, media.times)
                if len(batch) == BATCH:
                    yield "pictures", np.stack(batch)
                    batch = []
    except av.error.FFmpegError:
        media.end_reached = False  # the file breaks off: what came before counts
    if batch:
        yield "pictures", np.stack(batch)
    if not media.times:
        raise ReadError("no picture of it can be decoded", file=media.path, cure=CURE)
    if ear is not None:
        yield from (("sound", block) for block in ear.rest())


class _Budget:
    """Pictures and pixels that may still be decoded; grows with the bytes of the file."""

    def __init__(self, media: Media) -> None:
        size = media.path.stat().st_size
        self.path = media.path
        self.pictures = min(PICTURES, PICTURES_FREE + size // BYTES_A_PICTURE)
        self.pixels = WORK_FREE + size * WORK_A_BYTE

    def spend(self, frame: Any) -> None:
        self.pictures -= 1
        self.pixels -= frame.width * frame.height
        if frame.width * frame.height > PIXELS or self.pictures < 0 or self.pixels < 0:
            what = "more or larger pictures than a film of its size can have"
            raise ReadError(what, file=self.path, cure="cut the reel into scenes, or make a smaller copy")


def _thumbnail(frame: Any) -> npt.NDArray[np.uint8]:
    small = frame.reformat(WIDE, HIGH, format="yuv444p", interpolation="AREA").to_ndarray()
    return np.asarray(small if small.shape[-1] == 3 else np.moveaxis(small, 0, -1), np.uint8)


def _note_time(media: Media, frame: Any) -> None:
    """The picture's time: its own where it comes after the one before, else one picture's length later."""
    before = media.times[-1] if media.times else None
    told = int(frame.duration or 0)
    step = max(media.last_length, 1)
    time = frame.pts if frame.pts is not None else frame.dts
    if before is not None and (time is None or time <= before or (time - before) * media.tick > HOLE):
        time = before + step
    media.times.append(int(time or 0))
    if told > 0 and told * media.tick < HOLE:
        media.last_length = told
    elif before is not None:
        media.last_length = media.times[-1] - before


class _Ear:
    """Sound as blocks of one channel that begin with the first picture."""

    def __init__(self, media: Media) -> None:
        import av

        self.media = media
        self.resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
        self.held: list[npt.NDArray[np.float32]] = []
        self.count = 0  # samples held or given
        self.early: list[tuple[float, npt.NDArray[np.float32]]] = []
        self.deaf = False

    def hear(self, frame: Any) -> Iterator[npt.NDArray[np.float32]]:
        import av

        if self.deaf:
            return
        channels = frame.layout.nb_channels
        if not SOUND_RATES[0] <= frame.sample_rate <= SOUND_RATES[1] or not 0 < channels <= CHANNELS:
            self.deaf, self.media.sound_note = (
                True,
                f"sound of {channels} channels at {frame.sample_rate} Hz is left out",
            )
            return
        time = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
        try:
            parts = [f.to_ndarray().reshape(-1) for f in self.resampler.resample(frame)]
        except (av.error.FFmpegError, ValueError):
            self.media.damaged += 1
            return
        samples = np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)
        if not self.media.times:  # not known yet where the picture begins
            if len(self.early) < 4096:
                self.early.append((time or 0.0, samples))
            return
        for early_time, early in self.early:
            self._place(early_time, early)
        self.early = []
        self._place(time, samples)
        yield from self._blocks(SOUND_BLOCK)

    def _place(self, time: float | None, samples: npt.NDArray[np.float32]) -> None:
        """Where the samples' own time says, if that differs by more than clocks do."""
        samples = np.nan_to_num(np.clip(samples, -1, 1))
        zero = float(self.media.times[0] * self.media.tick)
        at = self.count if time is None else round((time - zero) * SOUND_RATE)
        if at < 0 and self.count == 0:
            samples, at = samples[-at:], 0
        hole = at - self.count
        if hole > SOUND_HOLE * SOUND_RATE or self.count > SOUND_LONGEST * SOUND_RATE:
            self.deaf, self.media.sound_note = True, f"is left out after {self.count / SOUND_RATE:.0f} s"
            return
        if hole > SOUND_RATE // 20:
            self.held.append(np.zeros(hole, np.float32))
            self.count += hole
        self.held.append(samples)
        self.count += len(samples)

    def _blocks(self, least: int) -> Iterator[npt.NDArray[np.float32]]:
        if sum(map(len, self.held)) >= max(least, 1):
            block = np.concatenate(self.held)
            self.held = []
            yield block

    def rest(self) -> Iterator[npt.NDArray[np.float32]]:
        for time, samples in self.early:
            self._place(time, samples)
        self.early = []
        yield from self._blocks(1)
