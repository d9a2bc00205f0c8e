"""What is neither note nor mark: faders, pan, pedal, expression and pitch bends on the new parts.

Conventions: controller 7 is the seat's gain on the General MIDI law (40 log10), 10 its pan. Modulation (1) and
expression (11) follow a line to the seat that plays it alone in a phrase, and return to rest where it does not. Bends
likewise, rescaled to one range a part, set by RPN 0 at the start.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.pedal import SUSTAIN
from rescore_music.score import BEND, CONTROL, Score
from rescore_music.structure import Analysis

Ints = npt.NDArray[np.int64]
Rows_ = npt.NDArray[np.void]

_FOLLOW = {1: 0, 11: 127}  # controller: value at rest
_VOLUME_MIDDLE = 100
_NO_BEND = ("keyboard", "percussion", "plucked")


def seat_controls(seat: int, seats: Ensemble) -> list[tuple[int, int, int, int]]:
    """Fader and pan of a seat at the start: (tick, seat, number, value)."""
    own = seats.seats[seat]
    volume = round(min(127.0, max(1.0, _VOLUME_MIDDLE * 10 ** (own.gain / 40))))
    pan = round(min(127.0, max(0.0, 64 + 63 * own.pan)))
    return [(0, seat, 7, volume), (0, seat, 10, pan)]


def _sole_parts(draft: Rows, score: Score, phrases: int, seats: int) -> Ints:
    """Per (seat, phrase) the one source part it plays, -1 if none, -2 if several; reinforcement counts too."""
    out = np.full((seats, phrases), -1, np.int64)
    known = draft[draft["source"] >= 0]
    part = score.notes["part"][known["source"]].astype(np.int64)
    low = np.full((seats, phrases), np.iinfo(np.int64).max)
    high = np.full((seats, phrases), -1, np.int64)
    np.minimum.at(low, (known["seat"], known["phrase"]), part)
    np.maximum.at(high, (known["seat"], known["phrase"]), part)
    return np.where(high < 0, out, np.where(low == high, high, -2))


def follow_controls(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows_:
    """All controllers of the new parts, with `part` the seat's index."""
    phrases = analysis.phrases
    sole = _sole_parts(draft, score, len(phrases), len(seats.seats))
    rows: list[tuple[int, int, int, int]] = []
    carried = 0
    moving = score.controls[np.isin(score.controls["number"], list(_FOLLOW))]
    for seat in np.unique(draft["seat"]).tolist():
        rows += seat_controls(seat, seats)
        if seats.sustains_pedal[seat]:
            rows += _pedal(draft[draft["seat"] == seat], score, seat)
        for number, rest in _FOLLOW.items():
            own = moving[moving["number"] == number]
            if not len(own):
                continue
            value = rest
            for p, phrase in enumerate(phrases):
                part = int(sole[seat, p])
                if part == -1:
                    continue
                mine = own[own["part"] == part]
                before = mine[mine["tick"] <= phrase.start]
                start = int(before["value"][-1]) if len(before) else rest
                if start != value:
                    rows.append((phrase.start, seat, number, start))
                    value = start
                inside = mine[(mine["tick"] > phrase.start) & (mine["tick"] < phrase.end)]
                rows += [(int(r["tick"]), seat, number, int(r["value"])) for r in inside]
                carried += len(inside)
                value = int(inside["value"][-1]) if len(inside) else value
    if len(moving) and not carried:
        ledger.tell("expression and modulation not carried: no seat plays the line alone", len(moving))
    return np.array(rows, CONTROL) if rows else np.zeros(0, CONTROL)


def _pedal(own: Rows, score: Score, seat: int) -> list[tuple[int, int, int, int]]:
    """The pedal of the source part that a keyboard plays most of."""
    known = own["source"][own["source"] >= 0]
    if not len(known):
        return []
    part = int(np.bincount(score.notes["part"][known]).argmax())
    pedal = score.controls[(score.controls["number"] == SUSTAIN) & (score.controls["part"] == part)]
    return [(int(r["tick"]), seat, SUSTAIN, int(r["value"])) for r in pedal]


def _set_bend_range(semitones: int) -> tuple[tuple[int, int], ...]:
    """Controllers that set a bend range by RPN 0 and close the RPN again."""
    return ((101, 0), (100, 0), (6, semitones), (38, 0), (101, 127), (100, 127))


def bend_ranges(score: Score) -> Ints:
    """Per source part the widest bend range in semitones that RPN 0 sets, 2 where it sets none."""
    out = np.full(max(len(score.parts), 1), 0, np.int64)
    for part in range(len(score.parts)):
        own = score.controls[score.controls["part"] == part]
        msb = lsb = 127
        for number, value in zip(own["number"].tolist(), own["value"].tolist(), strict=True):
            if number == 101:
                msb = value
            elif number == 100:
                lsb = value
            elif number == 6 and msb == 0 and lsb == 0:
                out[part] = max(out[part], min(int(value), 24))
    return np.where(out > 0, out, 2)


def follow_bends(
    draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger
) -> tuple[Rows_, list[tuple[int, int, int, int]]]:
    """Bends of the new parts and the RPN messages they need."""
    if not len(score.bends):
        return np.zeros(0, BEND), []
    ranges = bend_ranges(score)
    sole = _sole_parts(draft, score, len(analysis.phrases), len(seats.seats))
    rows: list[tuple[int, int, int]] = []
    rpn: list[tuple[int, int, int, int]] = []
    taken: set[tuple[int, int]] = set()
    for seat in np.unique(draft["seat"]).tolist():
        if seats.seats[seat].instrument.family in _NO_BEND:
            continue
        made: list[tuple[int, int, int]] = []
        wide = max(
            [int(ranges[p]) for p in sole[seat].tolist() if p >= 0 and np.any(score.bends["part"] == p)], default=2
        )
        value = 0
        for p, phrase in enumerate(analysis.phrases):
            part = int(sole[seat, p])
            own = score.bends[score.bends["part"] == part] if part >= 0 else score.bends[:0]
            before = own[own["tick"] <= phrase.start]
            scale = float(ranges[part]) / wide if part >= 0 else 1.0
            start = round(int(before["value"][-1]) * scale) if len(before) else 0
            if start != value:
                made.append((phrase.start, seat, start))
            inside = own[(own["tick"] > phrase.start) & (own["tick"] < phrase.end)]
            made += [(int(r["tick"]), seat, round(int(r["value"]) * scale)) for r in inside]
            taken |= {(int(r["tick"]), part) for r in inside}
            value = made[-1][2] if made else 0
        rows += made
        if made and wide != 2:
            rpn += [(0, seat, *message) for message in _set_bend_range(wide)]
    every = {(int(r["tick"]), int(r["part"])) for r in score.bends if r["value"]}
    ledger.tell("pitch bends not carried: no seat that can bend plays the line alone", len(every - taken))
    return (np.array(rows, BEND) if rows else np.zeros(0, BEND)), rpn
