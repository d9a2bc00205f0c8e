"""The picture with its new score: the video stream copied bit for bit, the sound written beside it, sample-exact.

Conventions: seconds run from the first picture that is shown; the sound's first sample falls `at` seconds after it.
Timestamps are rebased so that the first picture is at 0, and are otherwise kept as they are (also at a varying frame
rate). The start timecode is kept as a timecode track. What the containers hold is told in `containers`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import WriteError
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
from rescore_music.timecode import Timecode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

REORDERED = 64  # packets among which the first picture is: no codec moves one by more than 16
_log = logging.getLogger(__name__)


def mux(
    video: str | Path,
    audio: Audio | Rendering | str | Path,
    out: str | Path,
    *,
    at: Fraction | float = 0,
    timecode: Timecode | None = None,
    own: float | None = None,
) -> Path:
    """Put a score under a video; the picture is copied, not encoded anew.

    Parameters
    ----------
    video : path
        Any file whose first video stream the goal's container can hold.
    audio : Audio, Rendering or path
        The score; a path is read as a sound file. What is longer than the picture is kept.
    out : path
        .mov (24-bit PCM), .mp4 or .m4v (AAC).
    at : Fraction or float
        Seconds from the first picture to the sound's first sample, rounded to the nearest sample. Below 0 the sound's
        beginning is cut off, which is logged.
    timecode : Timecode, optional
        Of the first picture; the video's own unless given.
    own : float, optional
        Gain in dB of the video's own sound (dialogue, effects), mixed with the score. Left out unless given, which is
        logged.

    Returns
    -------
    Path
        What was written, whole or not at all.

    Raises
    ------
    ReadError
        If the video holds no picture or is damaged.
    WriteError
        If the container cannot hold the picture or the sound, or the file cannot be written.
    MissingExtra
        If PyAV is not installed.
    """
    av = need_av()
    out = Path(out)
    codec = codec_of(out)
    sound = placed(sound_of(audio), at, out, codec)
    if own is not None:
        sound = mixed(sound, own_sound(Path(video), sound.rate), own)
    with opened(Path(video)) as source, beside(out) as temporary:
        picture = source.streams.video[0]
        if source.streams.audio and own is None:
            _log.info("%s: its own sound is left out", video)
        try:
            with av.open(
                str(temporary), "w", format=container_of(out), options=clock(sound.rate, picture.time_base)
            ) as goal:
                shown = goal.add_stream_from_template(picture, opaque=True)
                label = timecode.label if timecode else picture.metadata.get("timecode")
                if label:
                    shown.metadata["timecode"] = goal.metadata["timecode"] = label
                heard = add_sound(goal, codec, sound)
                interleave(goal, copied(source, picture, shown), encoded(heard, sound, codec))
        except (av.FFmpegError, ValueError) as error:
            what = f"the picture ({picture.codec_context.name}) cannot be written into it: {reason(error)}"
            raise WriteError(what, file=out, cure="name it .mov or .mp4") from error
    return out


def copied(source: InputContainer, stream: Stream, goal: Stream) -> Iterator[tuple[Fraction, Packet[Any]]]:
    """A stream's packets as they are, each with its time in seconds; the first that is shown is at 0."""
    base = stream.time_base or Fraction(1, 1000)
    packets = (packet for packet in source.demux(stream) if packet.dts is not None or packet.pts is not None)
    begin = list(itertools.islice(packets, REORDERED))
    first = first_shown(begin)
    for packet in itertools.chain(begin, packets):
        if packet.pts is not None:
            packet.pts -= first
        if packet.dts is not None:
            packet.dts -= first
        packet.stream = goal
        yield (packet.dts if packet.dts is not None else packet.pts or 0) * base, packet


def first_shown(packets: Iterable[Packet[Any]]) -> int:
    """Time of the first picture that is shown, in the stream's time base: neither a lead-in nor the first in the file.

    Pictures are stored in the order in which they are decoded, and an edit list may hide those at the beginning.
    """
    return min((p.pts for p in packets if p.pts is not None and not p.is_discard), default=0)
