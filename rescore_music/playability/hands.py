"""Two hands at a keyboard, two hands with mallets: spans and fingers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from rescore_music.playability.player import Found, Player
from rescore_music.score import Articulation

_KEYBOARDS = frozenset(
    ("piano", "celesta", "harpsichord", "clavinet", "electric-piano", "harmonium", "rock-organ", "organ")
)
_SPAN = 16  # semitones of a tenth, the widest that is written unrolled for most hands
_FINGERS = 5
_PEDALBOARD = (36, 67)  # C2..G4: what an organist's feet may take over
_FOUR_MALLETS = frozenset(("vibraphone", "marimba"))
HARP_FINGERS = 4  # the little finger does not play
_MALLET_SPAN = 14  # semitones between the two mallets of one hand


def spans(p: Player) -> Found:
    """Chords struck at once that two hands cannot take (Gould, Behind Bars, "Keyboard": a tenth for each hand).

    Arpeggiated chords are rolled and do not count; an organist's feet may take the lowest note.
    """
    if p.instrument.id not in _KEYBOARDS or p.players > 1:
        return
    for tick, _, rows in p.chords:
        if len(rows) < 2 or (rows["articulation"] & int(Articulation.ARPEGGIO)).any():
            continue
        pitches = tuple(sorted(set(rows["pitch"].tolist())))
        if not _keys(pitches, p.instrument.id == "organ"):
            yield tick, f"{len(pitches)} notes from {p.name(pitches[0])} to {p.name(pitches[-1])} are not in two hands"


def mallets(p: Player) -> Found:
    """Chords wider than two mallets in each hand (Adler, percussion; Blatter, "Mallet instruments")."""
    if p.instrument.id not in _FOUR_MALLETS or p.players > 1:
        return
    for tick, _, rows in p.chords:
        pitches = tuple(sorted(set(rows["pitch"].tolist())))
        if len(pitches) > 2 and not two_hands(pitches, _MALLET_SPAN, 2):
            yield tick, f"{', '.join(map(p.name, pitches))} lie too far apart for four mallets"


def two_hands(pitches: Sequence[int], span: int, fingers: int) -> bool:
    """Whether rising pitches fall into a low and a high hand of so many fingers and so wide a span."""

    def one(hand: Sequence[int]) -> bool:
        return not hand or (len(hand) <= fingers and hand[-1] - hand[0] <= span)

    return any(one(pitches[:cut]) and one(pitches[cut:]) for cut in range(len(pitches) + 1))


@lru_cache(maxsize=8192)
def _keys(pitches: tuple[int, ...], organ: bool) -> bool:
    if organ and _PEDALBOARD[0] <= pitches[0] <= _PEDALBOARD[1]:
        pitches = pitches[1:]
    return two_hands(pitches, _SPAN, _FINGERS)


def takes_chord(instrument: str) -> Callable[[tuple[int, ...]], bool] | None:
    """What judges whether two hands can strike rising pitches together on this instrument; None where nothing does."""
    if instrument in _KEYBOARDS:
        return lambda pitches: _keys(pitches, instrument == "organ")
    if instrument == "harp":
        return lambda pitches: two_hands(pitches, _SPAN, HARP_FINGERS)
    if instrument in _FOUR_MALLETS:
        return lambda pitches: two_hands(pitches, _MALLET_SPAN, 2)
    return None
