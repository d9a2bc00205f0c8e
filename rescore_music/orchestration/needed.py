"""Which notes of a draft may go when players are eased, and which may not.

Conventions: rows are those of a draft, pitched or not; a row is *spare* while every pitch class that melody or bass
begins at its tick is begun by another row too. A note of a leading line itself (of one that doubles no other) is spare
only while another seat plays the same source note: then that seat leads.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from rescore_music.orchestration.draft import DOUBLES, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

LEADING = (int(Role.MELODY), int(Role.BASS))


class Needed:
    """Counts who provides what melody and bass need; `drop` takes a row out of the counts."""

    def __init__(self, rows: Rows, score: Score, analysis: Analysis, seats: Ensemble) -> None:
        self._rows = rows
        lead = analysis.leading(score.notes, Role.MELODY) | analysis.leading(score.notes, Role.BASS)
        lead &= score.pitched
        wanted = score.notes["onset"][lead] * 12 + score.notes["pitch"][lead] % 12
        key = np.where(seats.pitched[rows["seat"]], rows["onset"] * 12 + rows["pitch"] % 12, -1)
        self._key = np.where(np.isin(key, wanted), key, -1).tolist()
        self._begun = Counter(self._key)
        self._source = rows["source"].tolist()
        self._same: defaultdict[int, list[int]] = defaultdict(list)
        for i, source in enumerate(self._source):
            if source >= 0:
                self._same[source].append(i)
        main = np.isin(rows["role"], LEADING) & (rows["rank"] == 0)
        if analysis.doubles.size:  # a line that only doubles another is not asked for twice
            main &= analysis.doubles[rows["line"], rows["phrase"]] < 0
        self._main = main.tolist()

    def spare(self, i: int) -> bool:
        """Whether row i may go."""
        if self._main[i] and not self._rows["doubling"][i]:
            return len(self._same[self._source[i]]) > 1
        return self._key[i] < 0 or self._begun[self._key[i]] > 1

    def drop(self, i: int) -> None:
        """Row i goes; where it led, another seat with the same note leads now."""
        self._begun[self._key[i]] -= 1
        rest = self._same[self._source[i]]
        if i in rest:
            rest.remove(i)
        if rest and not self._rows["doubling"][i] and self._rows["doubling"][rest].all():
            self._rows["doubling"][rest[0]] = False
            self._rows["priority"][rest[0]] -= DOUBLES
