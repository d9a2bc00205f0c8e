"""Cadences: how each phrase closes.

The chords of a phrase are gathered into harmonies (repetitions, inversions and added sevenths of one root); the last
two tell the cadence by their degrees in the key in force. Only where a phrase ends does a progression close anything,
so there is at most one cadence a phrase; a last harmony that passes by (shorter than half a beat) is not taken for a
goal. A phrase that ends on a dominant seventh has not closed yet: where the next one begins with the tonic, that is
its goal too (elision), if the tune reaches the tonic as well.

Conventions: ticks; degrees in semitones above the tonic. `Cadence.tick` is where the goal begins, which may be before
the phrase's last bar.

Source: W. Caplin, "Classical Form" (1998), chapter 3, for the kinds; "deceptive" is any goal but the tonic after a
dominant in root position, and a half cadence closes on a dominant triad in root position, not on a seventh chord.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import Score
from rescore_music.structure import CHORD_TONES, Cadence, Chord, KeySpan, Phrase

Ints = npt.NDArray[np.int64]

FULL = {"maj", "min", "5", ""}  # qualities a tonic may have; "" a bare octave
SUSPENDED = {"sus4", "sus2", "maj7", "minmaj7"}  # tonics that may become full ones
DOMINANTS = {"maj", "7", "5", "sus4", "aug"}
RESTING = DOMINANTS - {"7"}  # dominants that a phrase may rest on
LEADING = {"dim", "dim7", "hdim7"}
PERFECT = "perfect authentic"
LEAST = 0.5  # beats that a goal lasts
STEP = 2  # semitones by which a suspension or an appoggiatura resolves, at most


@dataclass(frozen=True)
class _Harmony:
    """Chords of one root in a row: the first and last of them."""

    first: Chord
    last: Chord

    @property
    def end(self) -> int:
        return self.last.end


def find_cadences(
    score: Score, phrases: tuple[Phrase, ...], keys: tuple[KeySpan, ...], chords: tuple[Chord, ...]
) -> tuple[Cadence, ...]:
    """The cadences of a score, at most one a phrase, by tick.

    Parameters
    ----------
    score : Score
    phrases : tuple of Phrase
    keys : tuple of KeySpan
    chords : tuple of Chord
    """
    if not keys or not chords:
        return ()
    chord_starts = np.array([c.start for c in chords])
    key_starts = np.array([k.start for k in keys])
    pitched = np.flatnonzero(score.pitched)
    out: list[Cadence] = []
    for phrase in phrases:
        lo = max(int(np.searchsorted(chord_starts, phrase.start, side="right")) - 1, 0)
        hi = int(np.searchsorted(chord_starts, phrase.end, side="left"))
        harmonies = _harmonies(chords[lo:hi], phrase)
        while len(harmonies) > 1 and _passing(score, harmonies[-1], phrase):
            harmonies.pop()
        elided = bool(harmonies) and hi < len(chords) and _leads_on(harmonies[-1].last, chords[hi])
        if elided:
            harmonies.append(_Harmony(chords[hi], chords[hi]))
        if len(harmonies) < 2:
            continue
        goal = harmonies[-1].first
        if out and goal.start <= out[-1].tick:  # the goal of the phrase before is no second close
            continue
        key = keys[max(int(np.searchsorted(key_starts, goal.start, side="right")) - 1, 0)]
        kind = _kind(score, pitched, harmonies[-2], harmonies[-1], key)
        if kind and (not elided or kind == PERFECT):
            sure = key.confidence * np.clip((harmonies[-2].last.confidence + goal.confidence) / 2, 0, 1)
            out.append(Cadence(goal.start, kind, key.tonic, key.mode, harmonies[-2].first.start, float(sure)))
    return tuple(out)


def _harmonies(chords: tuple[Chord, ...], phrase: Phrase) -> list[_Harmony]:
    """Chords of one root gathered; what is no chord is left out, but for a bare tone to which a dominant falls."""
    out: list[_Harmony] = []
    for chord in chords:
        if min(chord.end, phrase.end) <= max(chord.start, phrase.start):
            continue
        if not chord.quality and not (out and _falls(out[-1].last, chord)):
            continue
        if out and out[-1].last.root == chord.root and _alike(out[-1].last, chord):
            out[-1] = _Harmony(out[-1].first, chord)
        else:
            out.append(_Harmony(chord, chord))
    return out


def _alike(a: Chord, b: Chord) -> bool:
    """Not major against minor, nor triad against diminished: those are two harmonies."""
    return not (("min" in a.quality) != ("min" in b.quality) or ("dim" in a.quality) != ("dim" in b.quality))


def _falls(dominant: Chord, to: Chord) -> bool:
    """Whether a dominant in root position goes on, a fifth lower, at once."""
    fifth = (dominant.root - to.root) % 12 == 7 and to.root >= 0
    return fifth and dominant.quality in DOMINANTS and dominant.inversion == 0 and dominant.end == to.start


def _leads_on(last: Chord, following: Chord) -> bool:
    """Whether a seventh chord goes on over the end of its phrase."""
    return last.quality == "7" and _falls(last, following)


def _passing(score: Score, harmony: _Harmony, phrase: Phrase) -> bool:
    length = min(harmony.end, phrase.end) - max(harmony.first.start, phrase.start)
    return length < LEAST * score.beat_ticks(harmony.first.start)


def _kind(score: Score, pitched: Ints, before: _Harmony, goal: _Harmony, key: KeySpan) -> str:
    """The name of the cadence, or "" where the two harmonies make none."""
    to, source = (goal.first.root - key.tonic) % 12, (before.last.root - key.tonic) % 12
    last = before.last
    dominant = source == 7 and last.quality in DOMINANTS
    if to == 0 and _tonic(goal):
        if dominant and last.inversion == 0 and goal.first.bass == goal.first.root:
            return PERFECT if _arrival(score, pitched, goal) % 12 == key.tonic else "imperfect authentic"
        if dominant or (source == 11 and last.quality in LEADING):
            return "imperfect authentic"
        return "plagal" if source == 5 else ""
    if to == 7 and goal.first.quality in RESTING and goal.first.inversion == 0:
        return "half"
    if dominant and last.inversion == 0 and to in (5, 8, 9):
        return "deceptive"
    return ""


def _tonic(goal: _Harmony) -> bool:
    """Whether a harmony may be a tonic: a triad, or a suspension that becomes one."""
    first = goal.first.quality
    return first in FULL or (first in SUSPENDED and goal.last.quality in FULL)


def _arrival(score: Score, pitched: Ints, goal: _Harmony) -> int:
    """The highest pitch at a goal; of a suspension or an appoggiatura the tone that it resolves to."""
    start, root, tones = goal.first.start, goal.first.root, CHORD_TONES.get(goal.last.quality, (0,))
    onset = score.notes["onset"][pitched]
    lo, hi = np.searchsorted(onset, [start, goal.end], side="right")
    top = first = _top(score, pitched, start)
    for tick in np.unique(onset[lo:hi]).tolist():
        if (top - root) % 12 in tones:
            return top
        before, top = top, _top(score, pitched, tick)
        if abs(top - before) > STEP:
            return first
    return top if (top - root) % 12 in tones else first


def _top(score: Score, pitched: Ints, tick: int) -> int:
    """The highest pitch that sounds at a tick; -1 for none."""
    onset = score.notes["onset"][pitched]
    hi = int(np.searchsorted(onset, tick, side="right"))
    lo = int(np.searchsorted(onset, tick - 16 * score.ticks_per_quarter))
    rows = pitched[lo:hi]
    rows = rows[score.ends[rows] > tick]
    return int(score.notes["pitch"][rows].max()) if len(rows) else -1
