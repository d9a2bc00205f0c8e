"""Video files for reading and writing: what a container holds, sound as packets, packets in the order of time.

Conventions: .mov carries 24-bit PCM, so the samples are those of the WAV; .mp4 and .m4v carry AAC, whose encoder delay
stands in the edit list, so a decoder starts at the first sample. The movie's own clock, in which edit lists are
counted, is set to one that both the samples and the pictures divide: at its usual millisecond the last packet's end
would be cut off in the wrong place. Files are written beside their goal and moved over it when they are whole.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import math
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import MissingExtra, ReadError, WriteError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

SOUND = {".mov": "pcm_s24le", ".mp4": "aac", ".m4v": "aac"}
AAC_BITS = 320_000  # a second, of a stereo track
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
BLOCK = 1024  # samples of an AAC packet; PCM is written in the same blocks
LONGEST = 1 << 28  # samples of a video's own sound, 1.5 hours at 48 kHz and 2 GiB
_CLOCK = 1 << 31  # a movie's clock is a 32-bit number
_log = logging.getLogger(__name__)


def need_av() -> Any:
    """PyAV, or the line that says how to get it."""
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video needs the package av", cure="pip install 'rescore-music[picture]'") from error
    return av


def codec_of(out: Path) -> str:
    """Name of the sound codec that a file of this suffix holds.

    Raises
    ------
    WriteError
        If no video is written under this suffix.
    """
    codec = SOUND.get(out.suffix.lower())
    if codec is None:
        raise WriteError("is no kind of video file known here", file=out, cure=f"name it {', '.join(SOUND)}")
    return codec


def container_of(out: Path) -> str:
    """The container's name: "m4v" would be a bare stream without one."""
    return "mov" if out.suffix.lower() == ".mov" else "mp4"


def sound_of(audio: Audio | Rendering | str | Path) -> Audio:
    """A sound that is given as itself, as a rendering or as a file."""
    if isinstance(audio, Rendering):
        return audio.audio
    if isinstance(audio, Audio):
        return audio
    from rescore_music.io.wav import read_audio

    return read_audio(audio)


def placed(sound: Audio, at: Fraction | float, out: Path, codec: str) -> Audio:
    """The sound with silence before it, or without its beginning, so that it starts at 0."""
    channels = sound.samples.shape[1]
    if channels not in (1, 2) or not len(sound.samples):
        raise WriteError(f"{len(sound.samples)} samples of {channels} channels cannot be written", file=out)
    if codec == "aac" and sound.rate not in AAC_RATES:
        raise WriteError(f"AAC knows no {sound.rate} Hz", file=out, cure="render at 48000 Hz, or name it .mov")
    first = round(Fraction(at) * sound.rate)
    if first < 0:
        _log.warning("%s: %.3f s before the first picture are cut off", out, -first / sound.rate)
        return Audio(sound.samples[-first:], sound.rate)
    silence = np.zeros((first, channels), np.float32)
    return Audio(np.concatenate([silence, sound.samples]), sound.rate) if first else sound


@contextlib.contextmanager
def opened(video: Path) -> Iterator[InputContainer]:
    """A video file that holds a picture.

    Raises
    ------
    ReadError
        If it is absent, or no video.
    """
    av = need_av()
    if not video.is_file():
        raise ReadError("there is no such file", file=video, cure="check the name")
    try:
        container = av.open(str(video), options={"fflags": "+genpts"})  # AVI tells no time of a picture
    except (av.FFmpegError, ValueError) as error:
        raise ReadError(f"cannot be read as video: {reason(error)}", file=video, cure="use .mp4 or .mov") from error
    with container:
        if not container.streams.video:
            raise ReadError("there is no picture in this file", file=video, cure="name a video")
        yield container


@dataclass(frozen=True)
class PictureFacts:
    """Pictures a second (on average), length in seconds, the timecode that the file tells of its first picture.

    `sounds` counts its sound tracks.
    """

    rate: Fraction
    seconds: Fraction
    timecode: str = ""
    sounds: int = 0


def picture_facts(video: Path) -> PictureFacts:
    """What a video file tells of its picture.

    Raises
    ------
    ReadError
        If it is absent, or no video.
    """
    with opened(video) as source:
        stream = source.streams.video[0]
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        length = Fraction(source.duration or 0, 1_000_000)
        if stream.duration is not None and stream.time_base is not None:
            length = stream.duration * stream.time_base
        label = stream.metadata.get("timecode") or source.metadata.get("timecode") or ""
        return PictureFacts(rate, length, label, len(source.streams.audio))


def reason(error: Exception) -> str:
    """What a library says went wrong, without its file names."""
    return str(getattr(error, "strerror", None) or error)


@contextlib.contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A temporary file beside the goal, moved over it when all is written."""
    temporary = out.with_name(f".{out.stem[:60]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        temporary.touch()
        yield temporary
        temporary.replace(out)
    except FileNotFoundError:
        raise WriteError("the folder does not exist", file=out, cure=f"make {out.parent} first") from None
    except OSError as error:
        raise WriteError(f"the file cannot be written: {reason(error)}", file=out) from error
    finally:
        temporary.unlink(missing_ok=True)


def clock(rate: int, base: Fraction | None) -> dict[str, str]:
    """The muxer's option for a movie's clock that samples and pictures divide."""
    both = math.lcm(rate, (base or Fraction(1, 1000)).denominator)
    return {"movie_timescale": str(both if both < _CLOCK else rate)}


def own_sound(video: Path, rate: int) -> Audio | None:
    """The video's own first sound track from its first picture on, as stereo at a sample rate; None if it has none.

    Raises
    ------
    ReadError
        If it is longer than `LONGEST` samples, or damaged.
    """
    av = need_av()
    with opened(video) as source:
        if not source.streams.audio:
            return None
        picture, stream = source.streams.video[0], source.streams.audio[0]
        zero = (picture.start_time or 0) * (picture.time_base or Fraction(0))
        change = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
        blocks: list[npt.NDArray[np.float32]] = []
        first: int | None = None
        count = 0
        try:
            for frame in itertools.chain(source.decode(stream), (None,)):
                if first is None and frame is not None:
                    first = round(((frame.pts or 0) * (frame.time_base or Fraction(0)) - zero) * rate)
                made = [piece.to_ndarray().T for piece in change.resample(frame)]
                blocks += made
                count += sum(len(block) for block in made)
                if count > LONGEST:
                    raise ReadError("has more sound than is read at once", file=video, cure="cut it into reels")
        except av.FFmpegError as error:
            raise ReadError(f"its sound cannot be decoded: {reason(error)}", file=video) from error
    start = first or 0
    samples = np.concatenate([np.zeros((max(start, 0), 2), np.float32), *blocks])
    return Audio(samples[max(-start, 0) :], rate)


def mixed(score: Audio, own: Audio | None, decibels: float) -> Audio:
    """A score and a video's own sound together, both from the first picture on; as long as the longer."""
    if own is None:
        return score
    out = np.zeros((max(len(score.samples), len(own.samples)), 2), np.float32)
    out[: len(score.samples)] = score.samples  # one channel is both
    out[: len(own.samples)] += own.samples * np.float32(10 ** (decibels / 20))
    peak = float(np.abs(out).max(initial=0.0))
    if peak > 1:
        _log.warning("score and the video's own sound together are %.1f dB over full scale", 20 * math.log10(peak))
    return Audio(out, score.rate)


def add_sound(goal: OutputContainer, codec: str, sound: Audio) -> AudioStream:
    """A sound track for `encoded`."""
    channels = sound.samples.shape[1]
    stream: AudioStream = goal.add_stream(codec, rate=sound.rate)  # type: ignore[assignment]
    stream.codec_context.layout = "mono" if channels == 1 else "stereo"
    stream.codec_context.format = "fltp" if codec == "aac" else "s32"
    if codec == "aac":
        stream.codec_context.bit_rate = AAC_BITS * channels // 2
    return stream


def encoded(stream: AudioStream, sound: Audio, codec: str) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """Packets of a sound, each with its time in seconds."""
    import av

    rate, layout = sound.rate, "mono" if sound.samples.shape[1] == 1 else "stereo"
    for first in range(0, len(sound.samples), BLOCK):
        block = sound.samples[first : first + BLOCK]
        values = np.ascontiguousarray(block.T) if codec == "aac" else _whole(block)
        frame = av.AudioFrame.from_ndarray(values, format="fltp" if codec == "aac" else "s32", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        for packet in stream.encode(frame):
            yield Fraction(first, rate), packet
    for packet in stream.encode(None):
        yield Fraction(len(sound.samples), rate), packet


def _whole(block: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """24-bit samples, as sound files hold them, in the upper bits of 32; interleaved, shape (1, samples x channels)."""
    scaled = np.rint(block.astype(np.float64) * (1 << 23))
    return (np.clip(scaled, -(1 << 23), (1 << 23) - 1).astype(np.int32) << 8).reshape(1, -1)


def interleave(goal: OutputContainer, *streams: Iterator[tuple[Fraction, Packet[Any]]]) -> None:
    """Write packets of several streams in the order of time, so that none waits in memory for another."""
    for _, packet in heapq.merge(*streams, key=lambda pair: pair[0]):
        goal.mux_one(packet)
