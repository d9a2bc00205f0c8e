"""Timpani: which drum has which note, and the time its pedal needs."""

from __future__ import annotations

import numpy as np

from rescore_music.playability.player import Found, Player

# sounding ranges of the drums of 32, 29, 26 and 23 inches (Adler, The Study of Orchestration, "Timpani")
DRUMS = ((36, 45), (41, 48), (46, 53), (50, 57))
_RETUNE_S = 1.0  # a pedal drum, by a player who counts on while he tunes


def tuning(p: Player) -> Found:
    """Notes for which no drum can be tuned in time (Adler, "Timpani"; Del Mar, Anatomy of the Orchestra)."""
    if p.instrument.id != "timpani" or not len(p.notes):
        return
    for i in untunable(p.notes["pitch"].tolist(), p.at.tolist(), p.players):
        yield int(p.notes["onset"][i]), f"no drum is free to be tuned to {p.name(int(p.notes['pitch'][i]))}"


def untunable(pitches: list[int], at: list[float], players: int = 1) -> list[int]:
    """Which of a timpanist's notes (by time, in seconds) come too soon for the pedals.

    A drum is retuned when its present note is next wanted latest of those that are free; before the piece all are.
    A note that cannot be had tunes no drum.
    """
    drums = DRUMS * max(players, 1)
    tuned, used = [-1] * len(drums), [-np.inf] * len(drums)
    out: list[int] = []
    for i, (pitch, second) in enumerate(zip(pitches, at, strict=True)):
        drum = next((d for d, note in enumerate(tuned) if note == pitch), -1)
        if drum < 0:
            drum = _free(pitches, i, second, drums, tuned, used)
        if drum < 0:
            out.append(i)
        else:
            tuned[drum], used[drum] = pitch, second
    return out


def _free(
    pitches: list[int], i: int, second: float, drums: tuple[tuple[int, int], ...], tuned: list[int], used: list[float]
) -> int:
    able = [
        d
        for d, (low, high) in enumerate(drums)
        if low <= pitches[i] <= high and (tuned[d] < 0 or second - used[d] >= _RETUNE_S)
    ]
    rest = pitches[i + 1 :]

    def next_use(d: int) -> int:
        return rest.index(tuned[d]) if tuned[d] in rest else len(pitches)

    return max(able, key=lambda d: (tuned[d] < 0, next_use(d), -d), default=-1)
