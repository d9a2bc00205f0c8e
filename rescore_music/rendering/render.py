"""render: a score to its sound, one stem a part and the mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Rendering
from rescore_music.errors import RenderError
from rescore_music.rendering import attack, engine
from rescore_music.rendering.soundfont import open_soundfont
from rescore_music.rendering.sounds import default_sounds
from rescore_music.score import Score

RATES = (8000, 192000)
MAX_SECONDS = 3600.0
MAX_BYTES = 8 << 30  # of all stems together
MAX_TAIL = 8.0  # seconds a release may ring on unless told otherwise
_FADE = 0.01  # seconds, where a tail is cut


def render(
    score: Score,
    *,
    sample_rate: int = 48000,
    sounds: str | Path | None = None,
    tail: float | None = None,
    threads: int | None = None,
    backend: str = "soundfont",
    on_time: npt.ArrayLike = (),
) -> Rendering:
    """Play a score.

    Parameters
    ----------
    score : Score
    sample_rate : int
        Frames a second (Hz), 8000 to 192000.
    sounds : path, optional
        A SoundFont (.sf2, .sf3); the General MIDI sounds of the installation unless told.
    tail : float, optional
        Seconds after the score's end. Unless told, until the last note has died away, at most 8 s.
    threads : int, optional
        Parts rendered at a time; one a processor core unless told. Never changes the result.
    backend : str
        "soundfont", the embedded voice engine, or "fluidsynth", the installed FluidSynth command.
    on_time : int array, optional
        Ticks (hits of the picture) at which notes are to be heard exactly: those of slow attack begin as much earlier,
        which a notice tells. Not done by FluidSynth.

    Returns
    -------
    Rendering
        Stems in score order, named as the parts (a number is added to names that occur twice); their sum is the mix.

    Raises
    ------
    RenderError
        If the sounds cannot be read, an option is out of range, or the sound would not fit into memory.
    """
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise RenderError(f"a sample rate of {sample_rate} Hz is outside {RATES[0]} to {RATES[1]}")
    if tail is not None and not 0.0 <= tail <= 60.0:
        raise RenderError(f"a tail of {tail} s is outside 0 to 60")
    score = score.played
    _check_size(score, sample_rate, tail)
    path = default_sounds() if sounds is None else Path(sounds)
    if backend == "fluidsynth":
        from rescore_music.rendering.fluidsynth import render_fluidsynth

        return render_fluidsynth(score, path, sample_rate, MAX_TAIL if tail is None else tail)
    if backend != "soundfont":
        raise RenderError(f"there is no back end {backend!r}", cure="choose soundfont or fluidsynth")
    font = open_soundfont(path)
    played = score.sounding()
    plans = [engine.plan_part(score, i, played, font, sample_rate) for i in range(len(score.parts))]
    early: list[attack.Early] = []
    if np.size(on_time):
        plans, early = attack.on_time(score, plans, on_time, sample_rate)
    rings = max((plan.end for plan in plans), default=0)
    frames, cut = _frames(score, sample_rate, tail, rings)
    stems, heard = engine.play(score, plans, frames, sample_rate, engine.thread_count(threads))
    if cut:
        ramp = np.linspace(1.0, 0.0, min(frames, round(_FADE * sample_rate)), dtype=np.float32)[:, None]
        for stem in stems:
            stem[frames - len(ramp) :] *= ramp
    return Rendering(
        engine.mixed(stems, frames),
        dict(zip(stem_names(score), stems, strict=True)),
        sample_rate,
        np.flatnonzero(~heard),
        f"soundfont engine, {font.path.name}",
        (
            *dict.fromkeys(notice for plan in plans for notice in plan.notices),
            *attack.told(score, early, len(np.unique(on_time))),
        ),
    )


def _check_size(score: Score, rate: int, tail: float | None) -> None:
    seconds = score.duration + (MAX_TAIL if tail is None else tail)
    if seconds > MAX_SECONDS:
        raise RenderError(f"{seconds / 60:.0f} minutes of sound are over the limit of 60", cure="render it in slices")
    size = seconds * rate * 8 * max(len(score.parts), 1)
    if size > MAX_BYTES:
        raise RenderError(
            f"{len(score.parts)} stems of {seconds:.0f} s need {size / 2**30:.1f} GiB of memory, over the limit of 8",
            cure="render it in slices, or at a lower sample rate",
        )


def _frames(score: Score, rate: int, tail: float | None, rings: int) -> tuple[int, bool]:
    """(length in frames, whether sound is cut off at the end)."""
    last = int(np.ceil(score.duration * rate))
    if tail is not None:
        frames = last + round(tail * rate)
        return frames, rings > frames
    longest = last + round(MAX_TAIL * rate)
    return min(max(last, rings), longest), rings > longest


def stem_names(score: Score) -> list[str]:
    """One name a part, in score order; names that occur twice get a number."""
    names: list[str] = []
    for i, part in enumerate(score.parts):
        plain = part.name.strip() or f"Part {i + 1}"
        name, number = plain, 2
        while name in names:
            name, number = f"{plain} {number}", number + 1
        names.append(name)
    return names
