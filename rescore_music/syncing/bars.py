"""Bar edits at phrase seams: bars left out, played again or held, and odd meters, where tempo alone would be heard.

A change is made before a seam, a bar line at which a phrase begins: bars at the end of the phrase before are left out
or played again; where its end is held or silent, a bar of the same is inserted; or its last bar becomes shorter (its
end left out) or longer (its end held). Notes that sound over a seam are mended (`splice`).

Conventions: ticks of the source; `ticks` is what the music gains. Prices are in units of the arcs' costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.errors import SyncError
from rescore_music.score import METER, Mark, Score
from rescore_music.syncing.arcs import Change
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.splice import spliced
from rescore_music.tempo import TempoMap

Ticks = npt.NDArray[np.int64]

MODES = ("none", "meters", "bars")
WHOLE = (1, 2, 3, 4, 6, 8, 12, 16)  # bars that may be gained or lost between two hits
BAR, MORE_BARS, ODD, EIGHTHS, UNEVEN = 60.0, 10.0, 40.0, 5.0, 20.0  # prices; UNEVEN: of an odd number of eighths


@dataclass(frozen=True)
class BarEdit:
    """One change of the music's length.

    Attributes
    ----------
    kind : str
        "delete", "repeat", "insert" (a held bar) or "meter" (an odd bar).
    tick : int
        The seam, in ticks of the source: what follows it moves.
    ticks : int
        Gained; negative where music is left out.
    bar : int
        Bar of the source that begins at the seam, from 1.
    text : str
        What was done, with bar numbers of the source.
    """

    kind: str
    tick: int
    ticks: int
    bar: int
    text: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Option:
    """A change that the solver may make, and the seams (ticks) and phrases it may be made at."""

    change: Change
    ticks: int
    whole: int  # bars; 0 for an odd meter
    seams: Ticks
    most: Ticks  # ticks that each seam can give


def options_of(grid: Grid, mode: str) -> tuple[Option, ...]:
    """What may be changed.

    Parameters
    ----------
    grid : Grid
    mode : str
        "none", "meters" (odd bars) or "bars" (also whole bars).

    Raises
    ------
    SyncError
        If the mode is unknown, or there is no analysis to tell the phrases.
    """
    if mode not in MODES:
        raise SyncError(f"there are no bar edits '{mode}'", cure=", ".join(MODES))
    if mode == "none":
        return ()
    if grid.analysis is None:
        raise SyncError("bars are edited at phrase seams, which only an analysis tells", cure="sync with an analysis")
    groups: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (bar, beat) in ticks -> (phrase start, seam)
    bars = set(grid.downbeats.tolist())
    starts = [0, *(p.start for p in grid.analysis.phrases if p.start > 0 and p.start in bars)]
    for phrase, seam in pairwise(starts):
        bar = int(grid.downbeats[np.searchsorted(grid.downbeats, seam) - 1])
        if seam < grid.end:
            groups.setdefault((seam - bar, grid.score.beat_ticks(bar)), []).append((phrase, seam))
    out: list[Option] = []
    for (bar, beat), seams in sorted(groups.items()):
        eighth = max(1, grid.score.ticks_per_quarter // 2)
        for n in range(1, bar // eighth // 2 + 1):
            price = ODD + EIGHTHS * n + UNEVEN * (n % 2)
            out += [_option(grid, sign * n * eighth, 0, bar, beat, seams, price) for sign in (-1, 1)]
        if mode == "bars":
            for n in WHOLE:
                price = BAR + MORE_BARS * (n - 1)
                out += [_option(grid, sign * n * bar, sign * n, bar, beat, seams, price) for sign in (-1, 1)]
    return tuple(o for o in out if len(o.seams))


def _option(
    grid: Grid, ticks: int, whole: int, bar: int, beat: int, seams: Sequence[tuple[int, int]], price: float
) -> Option:
    most = []
    for phrase, seam in seams:
        bars = (seam - phrase) // bar
        most.append(min((bars // 2 if whole < 0 else bars), abs(whole)) * bar if whole else abs(ticks))
    can = np.array(most, np.int64)
    at = np.array([seam for _, seam in seams], np.int64)
    at, can = at[can > 0], can[can > 0]
    second = grid.score.seconds(at)
    room = grid.score.seconds(at - can) if ticks < 0 else second
    change = Change(ticks / beat, price, second, room - 1e-6, can / beat)
    return Option(change, ticks, whole, at, can)


def edits_of(grid: Grid, option: Option, after: int, until: int) -> list[BarEdit]:
    """How a change between two landing places is made: at the seams where least is played."""
    lost = option.most if option.ticks < 0 else np.zeros(len(option.most), np.int64)
    inside = np.flatnonzero((option.seams - lost > after) & (option.seams > after) & (option.seams <= until))
    onsets = grid.score.notes["onset"]
    played = [
        np.count_nonzero((onsets >= option.seams[k] - abs(option.ticks)) & (onsets < option.seams[k])) for k in inside
    ]
    # as few seams as can be: the most generous first, of equals the quietest
    order = sorted(range(len(inside)), key=lambda i: (-int(option.most[inside[i]]), played[i], inside[i]))
    left, out = abs(option.ticks), []
    for i in order:
        take = min(left, int(option.most[inside[i]]))
        if take:
            sign = 1 if option.ticks > 0 else -1
            out.append(_edit(grid, int(option.seams[inside[i]]), sign * take, bool(option.whole)))
        left -= take
    return out


def _edit(grid: Grid, seam: int, ticks: int, whole: bool) -> BarEdit:
    score = grid.score
    bar = int(score.bar_of(seam))
    start = int(score.bars[bar - 1])
    number, before = int(score.numbered.number[bar]), int(score.numbered.number[bar - 1])
    if not whole:
        old, new = (_meter_name(n, score.ticks_per_quarter) for n in (seam - start, seam - start + ticks))
        what = "its end left out" if ticks < 0 else "its end held"
        return BarEdit("meter", seam, ticks, number, f"bar {before}: {new} for {old}, {what}")
    bars = int(np.searchsorted(score.bars, seam) - np.searchsorted(score.bars, seam - abs(ticks)))
    named = f"bar {before}" if bars == 1 else f"bars {int(score.numbered.number[bar - bars])} to {before}"
    if ticks < 0:
        return BarEdit("delete", seam, ticks, number, f"{named} left out")
    notes = score.notes
    half = (seam - start) // 2
    still = not np.any((notes["onset"] >= seam - half) & (notes["onset"] < seam))
    if still and bars == 1:
        return BarEdit("insert", seam, ticks, number, f"a bar inserted before bar {number}: the end of {named} held")
    return BarEdit("repeat", seam, ticks, number, f"{named} played again")


def _meter_name(length: int, ticks_per_quarter: int) -> str:
    return "{}/{}".format(*_meter(length, ticks_per_quarter))


def _meter(length: int, ticks_per_quarter: int) -> tuple[int, int]:
    for unit in (4, 8, 16, 32, 64):
        count, rest = divmod(length * unit, ticks_per_quarter * 4)
        if not rest:
            return int(count), unit
    return max(1, length * 64 // (ticks_per_quarter * 4)), 64


def moved(ticks: npt.ArrayLike, edits: Sequence[BarEdit]) -> Ticks:
    """Ticks of the source as ticks of the edited score."""
    t = np.asarray(ticks, np.int64)
    return np.asarray(t + sum((np.where(t >= e.tick, e.ticks, 0) for e in edits), np.zeros_like(t)), np.int64)


def edited(score: Score, edits: Sequence[BarEdit]) -> Score:
    """The score with its bars changed; notes over seams are mended, and everything else moves with its bar."""
    spans, at = [], 0
    joins = sorted((e for e in edits if e.ticks < 0 or e.kind == "repeat"), key=lambda e: e.tick)
    for edit in joins:
        spans.append((at, edit.tick + min(edit.ticks, 0)))
        at = edit.tick - max(edit.ticks, 0)
    made = spliced(score, [*spans, (at, int(max(score.bars[-1], score.length)))]).score if joins else score
    for edit in sorted((e for e in edits if e not in joins), key=lambda e: -e.tick):
        made = opened(made, int(moved(edit.tick, joins)), edit.ticks, new_bar=edit.kind == "insert")
    return made


def opened(score: Score, at: int, length: int, *, new_bar: bool = False) -> Score:
    """The score with time let in before a bar line: what sounds up to it sounds on.

    Parameters
    ----------
    score : Score
    at : int
        Bar line.
    length : int
        Ticks let in.
    new_bar : bool
        Whether they are a bar of their own; otherwise the bar before becomes longer.
    """
    notes = score.notes.copy()
    near = score.ticks_per_quarter // 8  # a note that ends so near the bar line was meant to fill its bar
    sounding = (notes["onset"] < at) & (score.ends >= at - near)
    notes["duration"][sounding] += length
    notes["onset"][notes["onset"] >= at] += length
    columns = {}
    for name in ("controls", "bends", "programs", "meters", "keys"):
        rows = getattr(score, name).copy()
        rows["tick"][rows["tick"] >= at] += length
        columns[name] = rows
    bars = score.bars
    bars = np.concatenate([bars[bars < at], [at] if new_bar else [], bars[bars >= at] + length]).astype(np.int64)
    if not new_bar:
        columns["meters"] = _odd_meter(score, columns["meters"], bars, at, length)

    def shift(mark: Mark) -> Mark:
        end = mark.end + length if mark.end >= at else mark.end
        return replace(mark, tick=mark.tick + length if mark.tick >= at else mark.tick, end=end)

    made = score.replace(
        notes=notes,
        tempo=_opened_tempo(score.tempo, at, length),
        marks=tuple(shift(m) for m in score.marks),
        markers=tuple(replace(m, tick=m.tick + length) if m.tick >= at else m for m in score.markers),
        raw=tuple(replace(r, tick=r.tick + length) if r.tick >= at else r for r in score.raw),
        barlines=np.zeros(0, np.int64),
        length=score.length + length,
        **columns,
    )
    return made if np.array_equal(made.bars, bars) else made.replace(barlines=bars)


def _odd_meter(score: Score, meters: npt.NDArray[np.void], bars: Ticks, at: int, length: int) -> npt.NDArray[np.void]:
    """Meters with one for the bar made longer, and the old one again behind it."""
    start, end = int(bars[bars < at][-1]), at + length
    rows = {int(row["tick"]): (int(row["numerator"]), int(row["denominator"])) for row in meters}
    rows.setdefault(end, score.meter_at(at))
    rows[start] = _meter(end - start, score.ticks_per_quarter)
    return np.array([(tick, *meter) for tick, meter in sorted(rows.items())], METER)


def _opened_tempo(tempo: TempoMap, at: int, length: int) -> TempoMap:
    """The tempo just before the opening goes on through it."""
    before = tempo.slice(0, at)
    keep = before.ticks < at
    after = tempo.slice(at, max(at + 1, int(tempo.ticks[-1]) + 1))
    held = float(before.us_end[keep][-1])
    return TempoMap(
        np.concatenate([before.ticks[keep], [at], after.ticks + at + length]),
        np.concatenate([before.us[keep], [held], after.us]),
        np.concatenate([before.us_end[keep], [held], after.us_end]),
        tempo.ticks_per_quarter,
    )
