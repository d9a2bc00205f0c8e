"""What cannot be played is mended, in one order: reach, tuning, speed, leaps.

Each step is a module of its own: chords within the reach of hands (`reach`), notes that timpani and harp are tuned to
(`tuning`), lines no faster than their players (`haste`), leaps no wider than their speed allows (`leaps`). What cannot
be mended stays, and the rules of `playability` tell where.
"""

from __future__ import annotations

from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.haste import unhurried
from rescore_music.orchestration.leaps import nearer
from rescore_music.orchestration.reach import within_reach
from rescore_music.orchestration.tuning import tuned
from rescore_music.score import Score
from rescore_music.structure import Analysis


def mended(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft as its players can play it, before articulation and breath."""
    draft = within_reach(draft, score, seats, ledger)
    draft = tuned(draft, score, analysis, seats, ledger)
    draft = unhurried(draft, score, analysis, seats, ledger)
    return nearer(draft, score, seats, ledger)
