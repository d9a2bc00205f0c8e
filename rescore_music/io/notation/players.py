"""How many play: "a 2" where the wind players of one staff share a line, "div." and "unis." where a section divides.

Parts that several play and nobody has notated (no numbered voices) say it where it changes: winds and brass of two to
four where all have one line after the beginning or after having had a chord, or come in again after long rests; larger
sections where chords begin and where, after a bar or more without any, they have ended. Times are ticks of the score.

References
----------
Gould, E. (2011). Behind Bars, "Woodwind and brass": two players on a staff; "Strings": divisi.
"""

from __future__ import annotations

import numpy as np

from rescore_music.instruments import instruments
from rescore_music.score import GRACE, Mark, Score

SECTION = 5  # players from which on a part is a section that divides
LONG_REST = 8  # bars after which winds are told again
SETTLED = 2  # bars without a chord after which a section is together again


def player_texts(score: Score, part: int) -> list[Mark]:
    """The texts that tell a part's players how many of them play.

    Parameters
    ----------
    score : Score
    part : int

    Returns
    -------
    list of Mark
        Kind "text"; none for one player, for drums, for instruments that play chords alone, or where the source has
        numbered the voices.
    """
    p = score.parts[part]
    if p.players < 2 or p.percussion or p.staves > 1:
        return []
    row = instruments().get(p.instrument)
    if row is not None and row.polyphony > 2 and row.family != "strings":
        return []
    index = score.part_notes(part)
    notes = score.notes[index]
    notes = notes[(notes["articulation"] & GRACE) == 0]
    if not len(notes) or np.all(notes["voice"] > 0):
        return []
    onsets, first = np.unique(notes["onset"], return_index=True)
    ends = np.maximum.accumulate(notes["onset"] + notes["duration"])
    lines = np.array([len(set(chunk.tolist())) for chunk in np.split(notes["pitch"], first[1:])])
    held = np.append(0, ends)[first] > onsets  # another note still sounds: two lines, whatever their onsets
    divided = (lines > 1) | held
    bars = score.bar_of(onsets)
    words = _sections(divided, bars) if p.players >= SECTION else _pairs(divided, bars, p.players)
    return [Mark(int(onsets[i]), "text", word, part) for i, word in words]


def _pairs(divided: np.ndarray, bars: np.ndarray, players: int) -> list[tuple[int, str]]:
    """Places (of the onsets) and words of a few winds on one staff."""
    out = []
    before, last = True, -LONG_REST
    for i, (two, bar) in enumerate(zip(divided.tolist(), bars.tolist(), strict=True)):
        if not two and (before or bar - last > LONG_REST):
            out.append((i, f"a {players}"))
        before, last = two, bar
    return out


def _sections(divided: np.ndarray, bars: np.ndarray) -> list[tuple[int, str]]:
    """Places (of the onsets) and words of a section."""
    chords = np.flatnonzero(divided)
    out: list[tuple[int, str]] = []
    for k, i in enumerate(chords.tolist()):
        if not k or bars[i] - bars[chords[k - 1]] > SETTLED:
            out.append((i, "div."))
        following = int(chords[k + 1]) if k + 1 < len(chords) else len(divided)
        apart = following == len(divided) or bars[following] - bars[i] > SETTLED
        if apart and following > i + 1:
            out.append((i + 1, "unis."))
    return out
