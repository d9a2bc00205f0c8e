"""Dynamics to velocities and back: how loud the printed marks say each note is.

Levels are MIDI velocities, a step of the scale about 16: pppp 8, ppp 16, pp 33, p 49, mp 64, mf 80, f 96, ff 112,
fff 120, ffff 127. Without any mark a part plays mf.

- A mark holds from its tick on, for the whole part (both staves of a piano).
- A hairpin moves linearly from the level in force to the mark that stands at its end (within a quarter after it), or,
  where none stands, by one step. "cresc." and "dim." as words do the same up to the next mark, at most four bars.
- sf, sfz, fz, rf, rfz touch the notes at their tick only (a step and a half louder, at least f); fp, sfp and the like
  start loud and leave the second level in force.
- An accent adds 12, a strong accent 20, a ghost note takes 24 away.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rescore_music.score import Articulation, Mark, Rows

LEVELS = {
    "pppppp": 2, "ppppp": 4, "pppp": 8, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112,
    "fff": 120, "ffff": 127, "fffff": 127, "ffffff": 127, "n": 1,
}  # fmt: skip
SCALE = ("ppp", "pp", "p", "mp", "mf", "f", "ff", "fff")
DEFAULT = 80
STEP = 16
_SUDDEN = re.compile(r"^(s|r)?f+z?$|^sff+z$|^rfz?$")  # sf sfz fz sffz rf rfz; plain f and ff are levels
_FALLING = re.compile(r"^s?f+z?(p+|mp|mf)$|^pf$")
_CRESC = re.compile(r"\bcresc", re.IGNORECASE)
_DIM = re.compile(r"\b(decresc|dim(in)?\b|dimin)", re.IGNORECASE)


def velocities(
    notes: Rows, marks: Sequence[Mark], parts: int, quarter: int, bars: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Velocity of each note as dynamics, hairpins and accents ask for it.

    Parameters
    ----------
    notes : NOTE array, shape (n,)
    marks : sequence of Mark
        Dynamics, hairpins and words; others are passed over. Part -1 holds for all.
    parts : int
        How many parts there are.
    quarter : int
        Ticks per quarter.
    bars : int64 array
        Bar starts, for the reach of "cresc.".

    Returns
    -------
    uint8 array, shape (n,)
    """
    level = np.full(len(notes), float(DEFAULT))
    general = [m for m in marks if m.part < 0 and m.kind in ("dynamic", "hairpin")]
    own: list[list[Mark]] = [list(general) for _ in range(parts)]
    for m in marks:
        if 0 <= m.part < parts and m.kind in ("dynamic", "hairpin", "text"):
            own[m.part].append(m)
    order = np.argsort(notes["part"], kind="stable")
    cuts = np.searchsorted(notes["part"][order], np.arange(parts + 1))
    for part in range(parts):
        index = order[cuts[part] : cuts[part + 1]]
        if own[part] and len(index):
            level[index] = _part_levels(notes["onset"][index], own[part], quarter, bars)
    flags = notes["articulation"]
    for flag, change in ((Articulation.ACCENT, 12), (Articulation.MARCATO, 20), (Articulation.GHOST, -24)):
        level += np.where(flags & int(flag), change, 0)
    return np.asarray(np.clip(np.rint(level), 1, 127), np.uint8)


def _part_levels(
    onsets: npt.NDArray[np.int64], marks: list[Mark], quarter: int, bars: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Level of each note of one part: a piecewise linear curve of the marks, then the sudden accents."""
    points, sudden = _events(marks)
    ramps = _ramps(marks, points, quarter, bars)
    # the curve: (tick, level from here on); a ramp adds its two ends
    ticks = sorted({0, *points, *(a for a, _, _ in ramps), *(b for _, b, _ in ramps)})
    levels = sorted(points)
    start_level: dict[int, float] = {}
    slopes: list[tuple[int, int, float, float]] = []
    current = float(DEFAULT)
    by_start = {a: (b, direction) for a, b, direction in ramps}
    pending: tuple[int, float] | None = None
    for tick in ticks:
        if pending and tick >= pending[0]:
            current = pending[1]
            pending = None
        if tick in points:
            current = points[tick]
        start_level[tick] = current
        if tick in by_start:
            end, direction = by_start[tick]
            goal = _goal(points, levels, end, quarter, current, direction)
            slopes.append((tick, end, current, goal))
            pending = (end, goal)
    edge = np.array(ticks, np.int64)
    held = np.array([start_level[t] for t in ticks])
    out = held[np.maximum(np.searchsorted(edge, onsets, side="right") - 1, 0)]
    # onsets rise: what a slope or an accent touches is a slice
    for (a, b, low, high), (i, j) in zip(
        slopes, np.searchsorted(onsets, [s[:2] for s in slopes]).tolist(), strict=True
    ):
        out[i:j] = low + (high - low) * (onsets[i:j] - a) / max(b - a, 1)
    struck = np.array([tick for tick, _ in sudden], np.int64)
    reach = zip(*(np.searchsorted(onsets, struck, side).tolist() for side in ("left", "right")), strict=True)
    for (_, value), (i, j) in zip(sudden, reach, strict=True):
        out[i:j] = np.maximum(out[i:j] + 1.5 * STEP, LEVELS["f"]) if value < 0 else value
    return np.asarray(out, np.float64)


def _events(marks: list[Mark]) -> tuple[dict[int, float], list[tuple[int, float]]]:
    """Levels from their tick on, and what touches one tick only (-1: relative)."""
    points: dict[int, float] = {}
    sudden: list[tuple[int, float]] = []
    for m in marks:
        if m.kind != "dynamic":
            continue
        text = m.text.strip().lower()
        if text in LEVELS:
            points[m.tick] = float(LEVELS[text])
        elif _FALLING.match(text):
            tail = re.sub(r"^s?f+z?", "", text) if text != "pf" else "f"
            head = LEVELS["p"] if text == "pf" else LEVELS["f"] if "ff" not in text else LEVELS["ff"]
            points[m.tick] = float(LEVELS.get(tail, DEFAULT))
            sudden.append((m.tick, float(head)))
        elif _SUDDEN.match(text):
            sudden.append((m.tick, -1.0))
        else:  # "sempre ff", "più p"
            word = next((w for w in text.replace(".", " ").split() if w in LEVELS), "")
            if word:
                points[m.tick] = float(LEVELS[word])
    return points, sudden


def _ramps(
    marks: list[Mark], points: dict[int, float], quarter: int, bars: npt.NDArray[np.int64]
) -> list[tuple[int, int, int]]:
    """(start, end, direction) of hairpins and of cresc./dim. words, none overlapping the one before."""
    stops = sorted({*points, *(m.tick for m in marks if m.kind == "hairpin")})
    found: list[tuple[int, int, int]] = []
    for m in marks:
        if m.kind == "hairpin" and m.end > m.tick and m.text[:1] in ("<", ">"):
            found.append((m.tick, m.end, 1 if m.text[0] == "<" else -1))
        elif m.kind == "text" and (_CRESC.search(m.text) or _DIM.search(m.text)):
            direction = -1 if _DIM.search(m.text) else 1
            after = bisect_right(stops, m.tick)
            bar = int(np.searchsorted(bars, m.tick, side="right")) - 1
            reach = int(bars[min(bar + 4, len(bars) - 1)])
            end = m.end if m.end > m.tick else min(stops[after] if after < len(stops) else reach, reach)
            if end > m.tick:
                found.append((m.tick, end, direction))
    found.sort()
    out: list[tuple[int, int, int]] = []
    for a, b, direction in found:
        if out and out[-1][1] > a:
            out[-1] = (out[-1][0], a, out[-1][2])
            if out[-1][0] == a:
                out.pop()
        out.append((a, b, direction))
    return out


def _goal(points: dict[int, float], levels: list[int], end: int, quarter: int, current: float, direction: int) -> float:
    """Where a hairpin leads: the level that stands at its end, or a step further; `levels` are the points' ticks."""
    at = bisect_left(levels, end)
    if at < len(levels) and levels[at] <= end + quarter:
        goal = points[levels[at]]
        if (goal - current) * direction > 0:
            return goal
    return min(max(current + direction * STEP, 10.0), 126.0)


def nearest_level(velocity: float) -> str:
    """The dynamic mark of the scale ppp to fff that is nearest a velocity."""
    return min(SCALE, key=lambda name: abs(LEVELS[name] - velocity))


def derived_dynamics(
    onsets: npt.NDArray[np.int64], loud: npt.NDArray[np.uint8], bars: npt.NDArray[np.int64], part: int
) -> list[Mark]:
    """Dynamic marks for a part that has none, from its velocities: where the playing changes for good.

    A part that plays at the default throughout gets none. The first note gets a mark. A later bar gets one where its
    median velocity and that of the next played bar both lie more than three quarters of a step to one side of the mark
    in force, or its own two steps; and where the part comes in again after bars of rest on another level.
    """
    if not len(onsets) or np.all(loud == DEFAULT):
        return []
    bar = np.clip(np.searchsorted(bars, onsets, side="right") - 1, 0, max(len(bars) - 2, 0))
    played, first = np.unique(bar, return_index=True)
    medians = np.array([np.median(chunk) for chunk in np.split(loud, first[1:])])
    out: list[Mark] = []
    for k, at in enumerate(first):
        now = float(medians[k])
        name = nearest_level(now)
        if out:
            away = now - LEVELS[out[-1].text]
            later = float(medians[min(k + 1, len(medians) - 1)]) - LEVELS[out[-1].text]
            lasting = min(abs(away), abs(later)) > 0.75 * STEP and (away > 0) == (later > 0)
            entry = played[k] - played[k - 1] > 2
            if name == out[-1].text or not (lasting or entry or abs(away) > 2 * STEP):
                continue
        out.append(Mark(int(onsets[at]), "dynamic", name, part))
    return out
