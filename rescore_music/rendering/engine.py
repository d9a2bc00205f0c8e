"""The embedded SoundFont voice engine: a score's parts to stems.

Conventions: every event stands at round(seconds * rate), so onsets are exact to the sample whatever the tempo does; one
part is one channel with its own controllers; the sound is dry. Parts are independent, so threads change nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rescore_music.rendering.channel import BLOCK, curves, held_ends
from rescore_music.rendering.soundfont import Piece, SoundFont
from rescore_music.rendering.sounds import find_preset
from rescore_music.rendering.voices import VOICE, build_voices, choked, last_frames, match_zones, nearest_keys, pooled
from rescore_music.score import Score

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
Samples = npt.NDArray[np.float32]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PartPlan:
    """All that one part will sound.

    Attributes
    ----------
    part : int
    voices : VOICE array
    pool : float32 array
        The sounds the voices play.
    end : int
        Frame by which the last voice is over.
    notices : tuple of str
    """

    part: int
    voices: Rows
    pool: Samples
    end: int
    notices: tuple[str, ...]


def plan_part(score: Score, part: int, played: Rows, font: SoundFont, rate: int) -> PartPlan:
    """Notes of one part to voices.

    Parameters
    ----------
    played : NOTE array
        `score.sounding()`.
    """
    index = score.part_notes(part)
    notes = played[index]
    onsets, keys = notes["onset"].astype(np.int64), notes["pitch"].astype(np.int64)
    ends = held_ends(score, part, onsets, onsets + notes["duration"].astype(np.int64), keys)
    columns = {
        "index": index,
        "start": np.rint(score.seconds(onsets) * rate).astype(np.int64),
        "off": np.rint(score.seconds(ends) * rate).astype(np.int64),
        "key": keys,
        "velocity": notes["velocity"].astype(np.int64),
    }
    groups: list[tuple[Rows, list[Piece]]] = []
    notices: list[str] = []
    for chosen, program, bank in _programs(score, part, score.notes["onset"][index].astype(np.int64)):
        preset = _preset(score, part, font, program, bank, notices)
        if preset is None:
            continue
        zones = font.zones(*preset)
        asked = keys[chosen] if score.parts[part].percussion else nearest_keys(zones, keys[chosen])
        note, zone = match_zones(zones, asked, columns["velocity"][chosen])
        if len(note):
            own = {name: column[chosen] for name, column in columns.items()}
            groups.append(build_voices(font, zones, font.modulators(*preset), note, zone, own, rate))
    voices, pool = pooled(groups)
    voices = choked(voices)
    return PartPlan(part, voices, pool, int(last_frames(voices).max()) if len(voices) else 0, tuple(notices))


def _programs(score: Score, part: int, onsets: Ints) -> list[tuple[Ints, int, int]]:
    """(notes, program, bank) for each program that notes of the part stand under."""
    who = score.parts[part]
    events = score.programs[score.programs["part"] == part]
    in_force = np.searchsorted(events["tick"], onsets, side="right")  # 0 = the part's own
    programs = np.concatenate([[who.program], events["program"]]).astype(np.int64)[in_force]
    banks = np.concatenate([[who.bank], events["bank"]]).astype(np.int64)[in_force]
    both = banks * 128 + programs
    return [(np.flatnonzero(both == kind), int(kind % 128), int(kind // 128)) for kind in np.unique(both)]


def _preset(
    score: Score, part: int, font: SoundFont, program: int, bank: int, notices: list[str]
) -> tuple[int, int] | None:
    who = score.parts[part]
    name = who.name or f"part {part + 1}"
    preset = find_preset(font, program, bank, who.percussion)
    if preset is None:
        kind = "drum kit" if who.percussion else "instrument"
        notices.append(f"{name}: {font.path.name} has no {kind}, so the part is silent")
        return None
    asked = 0 if who.percussion else bank
    banks = {128} if who.percussion else {asked >> 7, asked & 127 or asked >> 7}
    if preset[1] != program or preset[0] not in banks:
        wanted = f"program {program + 1}" + (f" of bank {bank >> 7}/{bank & 127}" if asked else "")
        notices.append(f"{name}: {font.path.name} has no {wanted}; {font.preset_name(*preset)} plays instead")
    return preset


def play(
    score: Score, plans: Sequence[PartPlan], frames: int, rate: int, threads: int
) -> tuple[list[Samples], npt.NDArray[np.bool_]]:
    """Stems of the plans, shape (frames, 2) each, and per note of the score whether it was heard."""
    from rescore_music.rendering.kernel import mix_voices

    stems: list[Samples] = [np.zeros((frames, 2), np.float32) for _ in plans]

    def run(i: int) -> npt.NDArray[np.uint8]:
        plan = plans[i]
        heard = np.zeros(len(plan.voices), np.uint8)
        if len(plan.voices):
            c = curves(score, plan.part, frames, rate)
            rows = np.ascontiguousarray(plan.voices, VOICE)
            mix_voices(stems[i], plan.pool, rows, c.gain, c.pan, c.cents, c.vibrato, rate, heard)
        return heard

    # the parts with most to do first, so that threads end together
    order = sorted(range(len(plans)), key=lambda i: -_work(plans[i].voices))
    heard: dict[int, npt.NDArray[np.uint8]] = {}
    if threads <= 1 or len(plans) <= 1:
        heard = {i: run(i) for i in order}
    else:
        with ThreadPoolExecutor(min(threads, len(plans))) as pool:
            heard = dict(zip(order, pool.map(run, order), strict=True))
    told = np.zeros(len(score.notes), bool)
    for i, plan in enumerate(plans):
        told[plan.voices["note"][heard[i] > 0]] = True
    return stems, told


def _work(voices: Rows) -> int:
    return int(np.sum(voices["off"] - voices["start"])) if len(voices) else 0


def mixed(stems: Sequence[Samples], frames: int) -> Samples:
    """The sum of the stems, in order."""
    mix = np.zeros((frames, 2), np.float32)
    step = 1 << 15  # a stretch of mix that stays in the processor's cache
    for at in range(0, frames, step):
        for stem in stems:
            mix[at : at + step] += stem[at : at + step]
    return mix


def thread_count(threads: int | None) -> int:
    """How many threads to use: as told, or one a core this process may run on."""
    if threads is not None:
        return max(1, threads)
    allowed: Any = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


__all__ = ["BLOCK", "PartPlan", "mixed", "plan_part", "play", "thread_count"]
