"""Time as MIDI can write it: a meter for every bar, and a resolution that fits the header.

MIDI has no pickups and no bars split at a repeat: a bar follows from the meter alone. A bar of another length than its
meter is written with a meter of its own, so that the bars of the file are the bars of the score.

A time signature also says how often a sequencer's metronome clicks (in MIDI clocks, 24 to the quarter) and how many
written 32nd notes a quarter has. The usual is a click on every beat and eight; a source that says otherwise keeps its
message as a raw event, which is written where the score still has that meter at that tick.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.score import RawEvent, Rows, Score
from rescore_music.tempo import TempoMap

log = logging.getLogger(__name__)

RESOLUTION = 0x7FFF  # the most ticks a quarter that the header can say
_FINEST = 128  # denominators
METER_STATUS = b"\xff\x58"
_COMPOSITE = 30_240  # divides by 2 to 10 and 12: rounds least where the score's own resolution has no use


def meter_message(numerator: int, denominator: int) -> bytes:
    """The body of a time signature: numerator, power of two, clocks a click (a beat, dotted in compound meters), 8."""
    beat = 3 if denominator >= 8 and numerator > 3 and numerator % 3 == 0 else 1
    return bytes((numerator, denominator.bit_length() - 1, max(1, 96 * beat // denominator), 8))


def unusual_meter(tick: int, data: bytes) -> RawEvent | None:
    """The raw event that keeps a time signature's click and 32nd notes, where they are not the usual ones."""
    if len(data) < 4 or data[:4] == meter_message(data[0], 1 << data[1]):
        return None
    return RawEvent(tick, METER_STATUS + data[:4])


def meter_messages(score: Score) -> list[tuple[int, bytes]]:
    """(tick, body) of every time signature to write."""
    kept = {(r.tick, r.data[2:4]): r.data[2:] for r in score.raw if r.part < 0 and is_kept_meter(r)}
    out = []
    for tick, numerator, denominator in written_meters(score):
        usual = meter_message(numerator, denominator)
        out.append((tick, kept.get((tick, usual[:2]), usual)))
    return out


def is_kept_meter(raw: RawEvent) -> bool:
    """Whether a raw event is a time signature that `unusual_meter` made."""
    return raw.data[:2] == METER_STATUS and len(raw.data) == 6


def written_meters(score: Score) -> list[tuple[int, int, int]]:
    """(tick, numerator, denominator) of every time signature to write."""
    rows = [(int(r["tick"]), int(r["numerator"]), int(r["denominator"])) for r in score.meters]
    if len(score.barlines) > 1:
        rows = _of_bars(score)
    out = []
    for tick, numerator, denominator in rows:
        if 0 < numerator < 256 and 0 < denominator <= _FINEST and denominator & (denominator - 1) == 0:
            out.append((tick, numerator, denominator))
        else:
            log.warning("tick %d: MIDI has no meter %d/%d", tick, numerator, denominator)
    return out


def _of_bars(score: Score) -> list[tuple[int, int, int]]:
    bars = score.bars
    out: list[tuple[int, int, int]] = []
    for start, length in zip(bars[:-1].tolist(), np.diff(bars).tolist(), strict=True):
        meter = _fitting(length, score.meter_at(start), score.ticks_per_quarter)
        if not out or out[-1][1:] != meter:
            out.append((start, *meter))
    return out


def _fitting(length: int, nominal: tuple[int, int], ticks_per_quarter: int) -> tuple[int, int]:
    """The meter itself if it has this length, else the one with the nearest denominator that has."""
    denominator = nominal[1]
    while denominator <= _FINEST:
        numerator, rest = divmod(length * denominator, 4 * ticks_per_quarter)
        if rest == 0 and 0 < numerator < 256:
            return numerator, denominator
        denominator *= 2
    return nominal


def fitted(score: Score) -> Score:
    """The score at a resolution that MIDI can say; ticks are rounded if need be."""
    old = score.ticks_per_quarter
    if old <= RESOLUTION:
        return score
    new = next(d for d in range(RESOLUTION, 0, -1) if old % d == 0)
    if new < 480:
        new = _COMPOSITE

    def scaled(ticks: npt.ArrayLike) -> npt.NDArray[np.int64]:
        return (2 * np.asarray(ticks, np.int64) * new + old) // (2 * old)

    def moved(rows: Rows) -> Rows:
        rows = rows.copy()
        rows["tick"] = scaled(rows["tick"])
        return rows

    notes = score.notes.copy()
    notes["onset"] = scaled(score.notes["onset"])
    notes["duration"] = scaled(score.ends) - notes["onset"]
    notes["onset_shift"] = scaled(score.notes["onset"] + score.notes["onset_shift"]) - notes["onset"]
    notes["end_shift"] = scaled(score.ends + score.notes["end_shift"]) - notes["onset"] - notes["duration"]
    exact = (notes["onset"] * old == score.notes["onset"] * new).all() and (
        scaled(score.ends) * old // new == score.ends
    ).all()
    if not exact:
        log.warning("%d ticks a quarter are more than MIDI can say: rounded to %d", old, new)
    steps = score.tempo.stepped(until=score.length)
    tempo = dict(zip(scaled(steps.ticks).tolist(), steps.us.tolist(), strict=True))
    return score.replace(
        notes=notes,
        tempo=TempoMap.from_events(tempo.items(), new),
        ticks_per_quarter=new,
        **{name: moved(getattr(score, name)) for name in ("meters", "keys", "controls", "bends", "programs")},
        marks=tuple(
            replace(m, tick=int(scaled(m.tick)), end=int(scaled(m.end)) if m.end >= 0 else -1) for m in score.marks
        ),
        markers=tuple(replace(m, tick=int(scaled(m.tick))) for m in score.markers),
        raw=tuple(replace(r, tick=int(scaled(r.tick))) for r in score.raw),
        barlines=scaled(score.barlines),
        length=int(scaled(score.length)),
    )
