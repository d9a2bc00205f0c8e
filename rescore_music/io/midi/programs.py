"""Program changes among the bank selects that they need.

A program change takes the bank that the last bank select controllers (0 and 32) before it chose, so at a tick that has
both their order matters; the score keeps them apart. Here they are put together again: each program where its bank is
in force, with selects added only where the score's own never choose that bank.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np

from rescore_music.io.midi.columns import Columns, Phase
from rescore_music.score import Rows, Score

Select = tuple[int, int]  # controller, value
Program = tuple[int, int, int]  # tick, program, bank


def first_onsets(score: Score) -> list[int]:
    """The tick of each part's first sounding note, 0 for a part without notes."""
    notes = score.sounding()
    onsets = np.full(len(score.parts), np.iinfo(np.int64).max)
    np.minimum.at(onsets, notes["part"].astype(np.int64), notes["onset"])
    return [int(tick) if tick < np.iinfo(np.int64).max else 0 for tick in onsets]


def wanted_programs(score: Score) -> list[list[Program]]:
    """Per part the score's program rows; a part without one up to its first note starts with its own program."""
    wanted: list[list[Program]] = [[] for _ in score.parts]
    for row in score.programs.tolist():
        wanted[row[1]].append((row[0], row[2], row[3]))
    from_midi = score.metadata.source_format.startswith("midi")
    for part, rows, first in zip(score.parts, wanted, first_onsets(score), strict=True):
        # a MIDI source that leaves General MIDI's default sound unsaid is left so
        unsaid = from_midi and part.program == 0 and part.bank == 0
        if not unsaid and not any(tick <= first for tick, _, _ in rows):
            rows.insert(0, (0, part.program, part.bank))
    return wanted


def add_programs(track: Columns, wanted: list[Program], controls: Rows, channel: int) -> Rows:
    """Write program changes, and the bank selects at their ticks; returns the controls left to write.

    Parameters
    ----------
    track : Columns
    wanted : list of (tick, program, bank)
        By tick.
    controls : CONTROL array
        Of the same channel, by tick.
    channel : int
        From 0.
    """
    banks = np.isin(controls["number"], (0, 32))
    here = banks & np.isin(controls["tick"], np.array([tick for tick, _, _ in wanted], np.int64))
    selects = [(int(r["tick"]), int(r["number"]), int(r["value"])) for r in controls[banks]]
    at, bank = 0, 0
    for tick, group in groupby(wanted, key=lambda w: w[0]):
        while at < len(selects) and selects[at][0] < tick:
            bank = _after(bank, selects[at][1:])
            at += 1
        own: list[Select] = []
        while at < len(selects) and selects[at][0] == tick:
            own.append(selects[at][1:])
            at += 1
        for number, value in _ordered([(p, b) for _, p, b in group], own, bank):
            if number < 0:
                track.add(tick, Phase.PROGRAM, 0xC0 | channel, value)
            else:
                track.add(tick, Phase.PROGRAM, 0xB0 | channel, number, value)
                bank = _after(bank, (number, value))
    left: Rows = controls[~here]
    return left


def _after(bank: int, select: Select) -> int:
    number, value = select
    return value << 7 | bank & 0x7F if number == 0 else bank & ~0x7F | value


def _ordered(programs: list[tuple[int, int]], selects: list[Select], bank: int) -> list[Select]:
    """One tick's selects and programs in order; a program is (-1, program)."""
    out: list[Select] = []
    for i, (program, wanted) in enumerate(programs):
        states = [bank]
        for select in selects:
            states.append(_after(states[-1], select))
        fitting = [k for k, state in enumerate(states) if state == wanted]
        # the last program of a tick mostly follows all selects; one before it must leave selects to those after
        k = (fitting[-1] if i == len(programs) - 1 else fitting[0]) if fitting else len(selects)
        out += selects[:k]
        bank, selects = states[k], selects[k:]
        if bank != wanted:
            bank = wanted & 0x3FFF
            out += [(0, bank >> 7), (32, bank & 0x7F)]
        out.append((-1, program))
    return out + selects
