"""Lines faster than their players: dovetailed between two, taken over by a nimbler one, or lightened.

Method, stretch by stretch (`passages`): quick repeats that a bow or a roll can make are written as tremolo; what a
free or merely reinforcing player of the same instrument (or family) can share is dovetailed beat by beat; a leading
line whose seat cannot go so fast goes to the nearest player who can, and the seat keeps every second note below it;
accompaniment and reinforcement keep every second, third ... note of the beat, held on. Where that is not enough,
players of the background leave it for the leading line: they share it, or take it over, a bass an octave higher if
its seat goes on with the beats below. No tick loses a pitch class that melody or bass begins there; what of a leading
line nobody can ease is left to its player and told.

Sources: Rimsky-Korsakov, Principles of Orchestration, ch. III (distribution of rapid passages); Adler, The Study of
Orchestration ("dovetailing"); Piston, Orchestration (simplified doublings, measured and unmeasured tremolo).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import DOUBLES, Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.passages import LIGHTER, SHORT, SLURRED, STRIDES, TREMOLO, Passages
from rescore_music.playability.lines import quick_repeats
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

Ints = npt.NDArray[np.int64]

_ROUNDS = 2
_OCTAVE = 12
_SHARED = "dovetailed with another player: too fast for one"
_TAKEN = "taken over by a nimbler player: too fast where it was"
_HALVED = "every second note or fewer of a line that a nimbler player has whole"
_BOWED = "quick repeats written as tremolo"
_LEFT = "faster than is comfortable: a leading line, and no other player is free"


def unhurried(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with lines eased that are faster than their players."""
    if not len(draft):
        return draft
    return _Haste(draft, score, analysis, seats, ledger).eased()


class _Haste(Passages):
    """What can be done about passages too fast."""

    def eased(self) -> Rows:
        """What is left of the draft, and what was added; the ledger is told."""
        for _ in range(_ROUNDS):  # who has taken over may have something to pass on
            for seat in np.unique(self.rows["seat"]).tolist():
                for stretch in list(self.stretches(seat)):
                    self._ease(seat, stretch)
        for seat in np.unique(self.rows["seat"][self.keep]).tolist():
            own = self.own(seat)
            self.tell(_LEFT, own[self.trouble(own, seat)])
        for what, rows in self.told.items():
            self.ledger.change(what, self.rows[np.concatenate(rows)])
        return np.concatenate([self.rows[self.keep], *self.added])

    def _ease(self, seat: int, stretch: Ints) -> None:
        if self.rolls[seat]:
            self._tremolo(seat, stretch)
        self._try(seat, stretch, ousting=False)
        self._try(seat, stretch, ousting=True)

    def _try(self, seat: int, stretch: Ints, *, ousting: bool) -> None:
        """Each remedy in its turn while there is trouble."""
        for step in (self._dovetail, self._take_over, self._above if ousting else self._lighten):
            stretch = stretch[self.keep[stretch] & (self.rows["seat"][stretch] == seat)]
            if not self.trouble(stretch, seat).any():
                return
            step(seat, stretch, ousting)

    def _tremolo(self, seat: int, stretch: Ints) -> None:
        """Quick repeats of a beat, none of them leading, as one note with strokes."""
        at, pitch = self.at[stretch], self.rows["pitch"][stretch]
        fast = quick_repeats(at, pitch, min(float(self.fastest[seat]), float(self.most[seat])))[1]
        key = self.beat[stretch[fast]] * 128 + pitch[fast]
        for one in np.unique(key).tolist():
            run = stretch[fast][key == one]
            if len(run) > 1 and all(self.needed.spare(i) for i in run[1:].tolist()):
                until = int(self.end[run].max())
                self.drop(run[1:], _BOWED)
                self.hold(run[0], until)
                self.rows["articulation"][run[0]] = (self.rows["articulation"][run[0]] & ~np.uint32(SHORT)) | TREMOLO

    def _dovetail(self, seat: int, stretch: Ints, ousting: bool) -> None:
        """Every second beat to a player of the same instrument or family who is free."""
        if self.rows["doubling"][stretch].all():
            return
        beat, pitch = self.beat[stretch], self.rows["pitch"][stretch]
        for other in self.partners(seat, stretch, family=True):
            outside = (pitch < self.seats.low[other]) | (pitch > self.seats.high[other])
            for side in (1, 0):
                theirs = stretch[(beat % 2 == side) & ~np.isin(beat, beat[outside])]
                rest = np.setdiff1d(stretch, theirs)
                if len(theirs) and not self.trouble(rest, seat).any() and self.clear(other, theirs, ousting=ousting):
                    self.rows["seat"][theirs] = other
                    self.tell(_SHARED, theirs)
                    return

    def _take_over(self, seat: int, stretch: Ints, ousting: bool) -> None:
        """The whole stretch of a leading line to whoever can play it; what the seat can keep of it stays below."""
        whole = self._leading(seat, stretch)
        if not len(whole):
            return
        for other in self.partners(seat, whole, family=False):
            if self.within(other, whole) and self.clear(other, whole, ousting=ousting):
                self._echo(whole, seat)
                self.rows["seat"][whole] = other
                self.tell(_TAKEN, whole)
                return

    def _above(self, seat: int, stretch: Ints, ousting: bool) -> None:
        """A bass to whoever can play it an octave higher, if its seat goes on with the beats."""
        whole = self._leading(seat, stretch)
        if not (self.rows["role"][whole] == int(Role.BASS)).all() or not len(self.thinnest(whole, seat)):
            return
        low = self.rows["pitch"][whole].copy()
        self.rows["pitch"][whole] = low + _OCTAVE
        for other in self.partners(seat, whole, family=False):
            if self.within(other, whole) and self.clear(other, whole, ousting=ousting):
                self._echo(whole, seat, down=_OCTAVE)
                self.rows["seat"][whole] = other
                self.tell(_TAKEN, whole)
                return
        self.rows["pitch"][whole] = low

    def _leading(self, seat: int, stretch: Ints) -> Ints:
        """What of a stretch goes to another with its leading line; nothing if that is not what is too fast."""
        leads = stretch[self.leads(stretch)]
        if not len(leads) or not self.trouble(leads, seat).any():
            return leads[:0]
        return leads if self.hands[seat] else stretch

    def _echo(self, rows: Ints, seat: int, down: int = 0) -> None:
        """What its seat can play of a passage that another takes over stays with it."""
        echo = self.rows[self.thinnest(rows, seat)].copy()
        if len(echo):
            echo["pitch"] -= down
            echo["priority"] += np.where(echo["doubling"], 0, DOUBLES).astype(np.int16)
            echo["doubling"] = True
            echo["articulation"] &= ~SLURRED
            self.added.append(echo)
            self.ledger.change(_HALVED, echo)

    def _lighten(self, seat: int, stretch: Ints, ousting: bool) -> None:
        """Every second onset of the beat, or every third ..., of what is not a leading line's only statement."""
        for stride in STRIDES:
            gone = self.off_stride(stretch, stride)
            gone = gone[[self.needed.spare(i) for i in gone.tolist()]] if len(gone) else gone
            rest = np.setdiff1d(stretch, gone)
            # two notes of one pitch class may each be spare, but not both
            if len(gone) and (not self.trouble(rest, seat).any() or stride == STRIDES[-1]):
                self.drop(gone, LIGHTER)
                self.hold_on(stretch[self.keep[stretch]], stretch)
                return
