"""Sound files, both ways: WAV, AIFF and FLAC through libsndfile.

Conventions: samples are float32 with full scale at 1.0, frames by channels. The same sound always gives the same
bytes: no time stamp is left in a file.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np

from rescore_music.audio import Audio, Rendering
from rescore_music.errors import ReadError, WriteError
from rescore_music.io.broadcast import Broadcast, broadcast_wave
from rescore_music.io.files import atomic_write

SUFFIXES = {".wav": "WAV", ".wave": "WAV", ".aif": "AIFF", ".aiff": "AIFF", ".flac": "FLAC"}
_WAV_LIMIT = (1 << 32) - (1 << 20)  # bytes: a RIFF length is 32 bits
_READ_LIMIT = 1 << 31  # bytes of float32 samples

_log = logging.getLogger(__name__)


def write_audio(
    sound: Audio | Rendering, path: str | Path, *, subtype: str = "PCM_24", broadcast: Broadcast | None = None
) -> Path:
    """Write a sound, or a rendering's mix, whole or not at all.

    Parameters
    ----------
    sound : Audio or Rendering
    path : path
        Its suffix decides: .wav, .aiff or .flac. The folder must exist.
    subtype : str
        libsndfile's name of the sample format: PCM_16, PCM_24, FLOAT (not in FLAC) ...
    broadcast : Broadcast, optional
        Where on the reel it lies, and its markers: makes the WAV file a broadcast wave.

    Returns
    -------
    Path
        What was written. Peaks over full scale are clipped in the PCM formats, and logged.

    Raises
    ------
    WriteError
        If the suffix or sample format is unknown, the sound is too long for the format, or the folder is not writable.
    """
    import soundfile

    path = Path(path)
    audio = sound.audio if isinstance(sound, Rendering) else sound
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise WriteError("is no kind of sound file known here", file=path, cure=f"name it {', '.join(SUFFIXES)}")
    if not soundfile.check_format(kind, subtype):
        raise WriteError(f"{kind} files cannot hold {subtype} samples", file=path, cure="use PCM_24")
    if broadcast is not None and kind != "WAV":
        raise WriteError(f"{kind} files cannot tell their place on a reel", file=path, cure="name it .wav")
    if audio.samples.nbytes > _WAV_LIMIT:
        raise WriteError(f"{audio.duration:.0f} s are too long for one {kind} file", file=path, cure="write slices")
    peak = float(np.max(np.abs(audio.samples))) if audio.samples.size else 0.0
    if not np.isfinite(peak):
        raise WriteError("the sound holds values that are no numbers", file=path)
    if peak > 1.0 and subtype.startswith("PCM"):
        _log.warning("%s: peaks %.1f dB over full scale are clipped", path, 20 * np.log10(peak))
    out = io.BytesIO()
    try:
        soundfile.write(out, audio.samples, audio.rate, format=kind, subtype=subtype)
    except soundfile.SoundFileError as error:
        raise WriteError(f"cannot be written as {kind} {subtype}: {error}", file=path) from error
    data = _without_time_stamp(out.getvalue()) if kind == "WAV" else out.getvalue()
    return atomic_write(path, data if broadcast is None else broadcast_wave(data, broadcast, audio.rate))


def _without_time_stamp(data: bytes) -> bytes:
    """A WAV file whose PEAK chunk, which libsndfile adds to float samples, tells no time of writing."""
    at = 12
    while at + 16 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"PEAK":
            return data[: at + 12] + bytes(4) + data[at + 16 :]
        if name == b"data":
            break
        at += 8 + size + size % 2
    return data


def read_audio(path: str | Path) -> Audio:
    """Read a sound file of any kind that libsndfile knows.

    Raises
    ------
    ReadError
        If it is absent, no sound, or larger than 2 GiB of samples.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise ReadError("there is no such file", file=path, cure="check the name")
    try:
        with soundfile.SoundFile(str(path)) as file:
            if file.frames * file.channels * 4 > _READ_LIMIT:
                raise ReadError("is longer than 2 GiB of samples", file=path, cure="cut it into pieces")
            return Audio(file.read(dtype="float32", always_2d=True), file.samplerate)
    except (soundfile.SoundFileError, OSError) as error:
        reason = str(error).rsplit(":", 1)[-1].strip().rstrip(".")
        raise ReadError(f"cannot be read as sound: {reason}", file=path, cure="use WAV, AIFF or FLAC") from error
