"""`quantize`: a performance becomes a score that can be printed, and keeps how it was played.

    performance ─ is its grid real? ─ no ─▶ attacks ─ track ─▶ beats, bars, meter ─▶ the same sound over a new tempo map
                        └ yes ────────────────────────────────────────────────────┐
    onsets per beat and part ─▶ grace notes, rolled chords, swing, note values ◀──┘

Written places are `onset` and `duration`; `onset_shift` and `end_shift` say how the note was played. Ticks throughout.
"""

from __future__ import annotations

from collections import Counter
from math import lcm
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rescore_music.elements import GRACE, Articulation, LogItem, Mark
from rescore_music.errors import ScoreError
from rescore_music.quantizing.clusters import Attacks, attacks
from rescore_music.quantizing.evidence import grid_is_real, performed_parts
from rescore_music.quantizing.played import BeatGrid, Played, beat_grid
from rescore_music.quantizing.priors import METERS
from rescore_music.quantizing.snapping import Placed, place
from rescore_music.quantizing.swing import find_swing
from rescore_music.quantizing.timing import Beats, beat_times, moved, retimed
from rescore_music.quantizing.tracking import track
from rescore_music.score import Score
from rescore_music.sounding import sounding
from rescore_music.tempo import TempoMap

Ints = npt.NDArray[np.int64]

GRID = 96  # 32nds, triplet sixteenths, and both in dotted beats
_FINEST = 15360
_FEWEST = 8  # attacks that beats can be tracked on
_SPARSEST = 20.0  # seconds an attack, on the whole


def quantize(
    score: Score,
    *,
    strength: float = 0.0,
    beats: Literal["auto", "file", "find"] = "auto",
    swing: Literal["auto", "on", "off"] = "auto",
    meter: tuple[int, int] | None = None,
) -> Score:
    """Notate a performance: written places in whole grid steps, the performed timing beside them.

    Parts that stand on a notational grid already are left as they are; a score of such parts comes back unchanged.

    Parameters
    ----------
    score : Score
    strength : float
        How much of the performed timing gives way to the written: at 0 the result sounds as the performance did, at 1
        it plays what is written (swung eighths stay swung, evenly), between it moves that share of the way. The tempo
        map is not touched by it.
    beats : {"auto", "file", "find"}
        Where beats and bars come from: the file's tempo map and meters where onsets keep to them and tracking
        elsewhere, always the file's, or always tracking.
    swing : {"auto", "on", "off"}
        Whether long-short eighths are written as even ones under the text "Swing"; found by itself by default.
    meter : tuple of (numerator, denominator), optional
        The meter to track; one of 2/4, 3/4, 4/4, 6/8, 9/8. Chosen by itself unless told.

    Returns
    -------
    Score
        With a log of what was found appended to `import_log`.

    Raises
    ------
    ScoreError
        If strength is not in 0..1, or an option has a value it may not have.

    References
    ----------
    Cemgil, Desain and Kappen, "Rhythm quantization for transcription", Computer Music Journal 24(2), 2000; Nakamura,
    Yoshii and Sagayama, IEEE TASLP 25(4), 2017; and the modules this one calls.
    """
    _check(strength, beats, swing, meter)
    if not len(score.notes):
        return score
    wanted = {"auto": None, "on": True, "off": False}[swing]
    log: Counter[str] = Counter()
    loose = performed_parts(score)
    find = beats == "find" or (beats == "auto" and bool(loose.any()) and not grid_is_real(score))
    if find and _trackable(score):
        score = _with_beats(score, meter, wanted, log)
        loose = np.ones(len(score.parts), bool)
    if not loose.any():
        return score
    score = _on_fine_grid(score)
    index = np.flatnonzero(loose[score.notes["part"]])
    grid = beat_grid(score, score.bars, score.bars, score.ticks_per_quarter)
    sound = score.sounding()[index]
    played = Played(
        sound["onset"].astype(np.float64),
        (sound["onset"] + sound["duration"]).astype(np.float64),
        sound["pitch"].astype(np.int64),
        sound["part"].astype(np.int64),
        np.array([p.percussion for p in score.parts], bool),
    )
    placed = place(played, grid, wanted)
    out = _written(score, index, played, placed, grid, strength)
    _tell(placed, log, strength)
    items = tuple(
        LogItem("quantize", what, count, what.startswith("notes") and "merged" in what) for what, count in log.items()
    )
    return out.replace(import_log=(*out.import_log, *items))


def _check(strength: float, beats: str, swing: str, meter: tuple[int, int] | None) -> None:
    if not 0.0 <= strength <= 1.0:
        raise ScoreError(f"a quantizing strength of {strength} is not between 0 and 1")
    if beats not in ("auto", "file", "find"):
        raise ScoreError(f"beats come from 'auto', 'file' or 'find', not {beats!r}")
    if swing not in ("auto", "on", "off"):
        raise ScoreError(f"swing is 'auto', 'on' or 'off', not {swing!r}")
    if meter is not None and tuple(meter) not in METERS:
        known = ", ".join(f"{a}/{b}" for a, b in METERS)
        raise ScoreError(f"beats in {meter[0]}/{meter[1]} cannot be tracked", cure=f"one of {known}")


def _attacks(score: Score) -> Attacks:
    notes = score.sounding()
    return attacks(
        score.seconds(notes["onset"]),
        notes["pitch"].astype(np.int64),
        notes["part"].astype(np.int64),
        notes["velocity"].astype(np.int64),
    )


def _trackable(score: Score) -> bool:
    """Whether there is enough to track beats on, and not hours of silence between."""
    time = score.seconds(score.sounding()["onset"])
    count = len(np.unique(np.round(time / 0.05)))
    return count >= _FEWEST and bool(score.duration < _SPARSEST * count)


def _with_beats(score: Score, meter: tuple[int, int] | None, swing: bool | None, log: Counter[str]) -> Score:
    """The same sound over tracked beats."""
    heard = _attacks(score)
    meters = METERS if meter is None else (meter,)
    tracked = track(heard, meters)
    found = beat_times(heard.time, tracked)
    if tracked.meter[1] == 8 and swing is not False and meter is None:
        found = _simple_if_swung(heard, found)
    out = retimed(score, found)
    tempo = 60.0 / float(np.median(np.diff(found.time)))
    unit = "dotted quarters" if found.meter[1] == 8 else "quarters"
    log[f"beats found where the file has none (about {tempo:.0f} {unit} a minute)"] += len(found.time)
    log[f"bars found in {found.meter[0]}/{found.meter[1]}"] += len(out.bars) - 1
    if len(score.meters) > 1:
        log["meters of the file that its notes do not keep to, replaced"] += len(score.meters)
    return out


def _simple_if_swung(heard: Attacks, found: Beats) -> Beats:
    """Long-short beats without triplets are swung eighths: track the straightened music in a simple meter."""
    count = len(found.time) - 1
    step = 960
    grid = BeatGrid(
        np.arange(count) * step,
        np.full(count, step),
        np.zeros(count, bool),
        np.diff(found.time),
        count * step,
        step,
    )
    ticks = np.interp(heard.time, found.time, np.arange(count + 1) * step)
    zeros = np.zeros(len(ticks), np.int64)
    swing = find_swing(Played(ticks, ticks + 1, zeros, zeros, np.zeros(1, bool)), grid)
    inner = (ticks % step > 0.12 * step) & (ticks % step < 0.88 * step)
    if swing is None or np.bincount(ticks.astype(np.int64)[inner] // step, minlength=1).astype(bool).sum() < 12:
        return found
    even = np.interp(swing.straightened(ticks, grid), np.arange(count + 1) * step, found.time)
    straight = Attacks(even, heard.of_note, heard.classes)
    again = track(straight, [m for m in METERS if m[1] == 4])
    return beat_times(even, again)


def _on_fine_grid(score: Score) -> Score:
    """The score at a resolution that 32nds and triplets fit."""
    quarter = score.ticks_per_quarter
    fine = lcm(quarter, GRID)
    if fine == quarter:
        return score
    if fine <= _FINEST:
        return score.rescaled(fine)
    fine = 960
    ticks = np.rint(score.tempo.ticks * (fine / quarter)).astype(np.int64)
    keep = np.concatenate([np.diff(ticks) > 0, [True]])
    tempo = TempoMap(ticks[keep], score.tempo.us[keep], score.tempo.us_end[keep], fine)
    meters = score.meters.copy()
    meters["tick"] = np.rint(meters["tick"] * (fine / quarter))
    return moved(score, tempo, meters)


def _written(score: Score, index: Ints, played: Played, placed: Placed, grid: BeatGrid, strength: float) -> Score:
    """The score with its performed notes written where they were placed, and their shifts."""
    notes = score.notes.copy()
    rows = notes[index]
    rows["onset"], rows["duration"] = placed.onset, placed.end - placed.onset
    rows["onset_shift"], rows["end_shift"] = 0, 0
    flags = rows["articulation"] & ~np.uint32(GRACE)
    flags[placed.grace] |= int(Articulation.ACCIACCATURA)
    flags[placed.rolled] |= int(Articulation.ARPEGGIO)
    flags[placed.staccato] |= int(Articulation.STACCATO)
    rows["articulation"] = flags
    notes[index] = rows
    plain = _sounding(notes, score.ticks_per_quarter)[index]
    onset, end = plain["onset"].astype(np.float64), (plain["onset"] + plain["duration"]).astype(np.float64)
    if placed.swing is not None:
        onset, end = placed.swing.swung(onset, grid), placed.swing.swung(end, grid)
    onset = np.rint(played.onset + strength * (onset - played.onset))
    end = np.rint(played.end + strength * (end - played.end))
    as_written = (onset == plain["onset"]) & (end == plain["onset"] + plain["duration"])
    rows["onset_shift"] = np.where(as_written, 0, onset - placed.onset)
    rows["end_shift"] = np.where(as_written, 0, end - placed.end)
    notes[index] = rows
    gone = np.zeros(len(notes), bool)
    gone[index] = placed.dropped
    changes: dict[str, Any] = {"notes": notes[~gone], "length": max(score.length, int(placed.end.max()))}
    if len(score.barlines):
        changes["barlines"] = _long_enough(score.barlines, changes["length"])
    if placed.swing is not None and placed.swing.beats.any():
        first = int(grid.start[int(np.argmax(placed.swing.beats))])
        changes["marks"] = (*score.marks, Mark(first, "text", "Swing"))
    return score.replace(**changes)


def _long_enough(barlines: Ints, length: int) -> Ints:
    """Bar lines up to the end of the music, the last bar repeated where they fall short."""
    short = length - int(barlines[-1])
    if short <= 0 or len(barlines) < 2:
        return barlines
    bar = int(barlines[-1] - barlines[-2])
    return np.concatenate([barlines, barlines[-1] + bar * np.arange(1, -(-short // bar) + 1)])


def _sounding(notes: npt.NDArray[np.void], quarter: int) -> npt.NDArray[np.void]:
    """`sounding` of notes in any order, in that order."""
    order = np.lexsort((notes["pitch"], notes["part"], notes["onset"]))
    out = np.empty_like(notes)
    out[order] = sounding(notes[order], quarter)
    return out


def _tell(placed: Placed, log: Counter[str], strength: float) -> None:
    found = (
        ("short notes before others, written as grace notes", placed.grace),
        ("notes struck twice at once on one pitch, merged", placed.dropped),
        ("notes of rolled chords, written together", placed.rolled),
        ("notes played short in a row, written staccato", placed.staccato),
    )
    log["notes written on a grid"] += int((~placed.dropped).sum())
    for what, flags in found:
        if flags.any():
            log[what] += int(flags.sum())
    if placed.swing is not None:
        log[f"beats in swing ({placed.swing.share:.0%} long), written even"] += int(placed.swing.beats.sum())
    if strength:
        log[f"performed timing moved {strength:.0%} of the way to the written"] += len(placed.onset)
