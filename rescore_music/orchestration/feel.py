"""Feel and ornaments: swung quavers, trills at cadences, grace notes. Nothing written moves and no note goes.

Conventions: `swing` is where in a beat the second of two even quavers falls, 0.5 straight, 0.67 as in a triplet. It is
played, not written: the notes keep their places and carry the shift (`onset_shift`, `end_shift`). Only beats of a
quarter in simple meters swing, and none in which something stands on a third of the beat: that is swung already.
Above 200 beats a minute swing flattens, to nothing at 300.

Sources: Friberg & Sundström, Swing ratios and ensemble timing in jazz performance (2002): the ratio falls with tempo;
Quantz, Versuch (1752), ch. 9: the trill belongs to the penultimate note of a close.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.orchestration.draft import DRAFT, Ledger, Rows
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.score import GRACE, Articulation, Mark, Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Style

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_STRAIGHT_FROM, _STRAIGHT = 200.0, 300.0  # beats a minute
_THIRD = 0.05  # of a beat, around its thirds
_SAID = int(
    Articulation.TRILL | Articulation.TREMOLO | Articulation.MORDENT | Articulation.TURN | Articulation.FERMATA | GRACE
)
_TRILLED_S = 0.35  # seconds a note lasts at least that is trilled
_GRACED_S = 0.3  # seconds between a graced note and the one before it
_EVERY = 4  # bars between grace notes of a line


def swung(score: Score, ratio: float) -> Score:
    """The score played with swing, written as it was."""
    if ratio <= 0.5 or not len(score.notes):
        return score
    played = score.sounding()
    start, length, share = _beats(score, ratio)
    shares = share.copy()
    row = np.clip(np.searchsorted(start, played["onset"], side="right") - 1, 0, len(start) - 1)
    into = (played["onset"] - start[row]) / length[row]
    thirds = (np.abs(into - 1 / 3) < _THIRD) | (np.abs(into - 2 / 3) < _THIRD)
    shares[np.unique(row[thirds])] = 0.5
    onset = _warped(played["onset"], start, length, shares)
    end = np.maximum(_warped(played["onset"] + played["duration"], start, length, shares), onset + 1)
    notes = score.notes.copy()
    moved = (onset != played["onset"]) | (end != played["onset"] + played["duration"])
    moved &= (notes["articulation"] & GRACE) == 0
    notes["onset_shift"] = np.where(moved, onset - notes["onset"], notes["onset_shift"])
    notes["end_shift"] = np.where(moved, end - notes["onset"] - notes["duration"], notes["end_shift"])
    if not moved.any():
        return score
    word = Mark(0, "text", "Swing", 0)
    return score.replace(notes=notes, marks=(*score.marks, word))


def _beats(score: Score, ratio: float) -> tuple[Ints, Ints, Floats]:
    """Every beat of the score: where it begins, how long it is, where its second half begins as played."""
    starts: list[Ints] = []
    lengths: list[Ints] = []
    able: list[npt.NDArray[np.bool_]] = []
    quarter = score.ticks_per_quarter
    for a, b in pairwise(score.bars.tolist()):
        beat = score.beat_ticks(a)
        own = np.arange(a, b, max(beat, 1), dtype=np.int64)
        starts.append(own)
        lengths.append(np.diff(np.append(own, b)))
        able.append((lengths[-1] == beat) & (beat == quarter))
    start, length = np.concatenate(starts), np.concatenate(lengths)
    per_minute = 60e6 / np.maximum(score.tempo.us_at(start), 1.0)
    strength = np.clip((_STRAIGHT - per_minute) / (_STRAIGHT - _STRAIGHT_FROM), 0.0, 1.0)
    return start, length, np.where(np.concatenate(able), 0.5 + (ratio - 0.5) * strength, 0.5)


def _warped(ticks: Ints, start: Ints, length: Ints, share: Floats) -> Ints:
    """Each half of a beat stretched to its share, the beats where they are."""
    row = np.clip(np.searchsorted(start, ticks, side="right") - 1, 0, len(start) - 1)
    into = (ticks - start[row]) / length[row]
    r = share[row]
    inside = np.where(into < 0.5, into * 2 * r, r + (into - 0.5) * 2 * (1 - r))
    moved = start[row] + np.rint(inside * length[row]).astype(np.int64)
    return np.where((into >= 0) & (into < 1) & (r != 0.5), moved, ticks)


def ornamented(draft: Rows, score: Score, analysis: Analysis, style: Style, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with the style's ornaments in the tune."""
    out = draft
    if "cadential-trill" in style.ornaments:
        out = _trills(out, score, analysis, seats, ledger)
    if "grace-notes" in style.ornaments:
        out = _graces(out, score, analysis, seats, ledger)
    return out


def _tune(draft: Rows, seat: int) -> Ints:
    own = (draft["seat"] == seat) & (draft["role"] == int(Role.MELODY)) & (draft["source"] >= 0) & (draft["rank"] == 0)
    own &= ~draft["doubling"] & (draft["duration"] > 0)
    index = np.flatnonzero(own)
    return index[np.argsort(draft["onset"][index], kind="stable")]


def _trills(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """The penultimate note of the tune at each close on the tonic, where it falls or rises by step."""
    out = draft.copy()
    closes = [c for c in analysis.cadences if "authentic" in c.kind]
    trilled: list[int] = []
    for seat in np.unique(draft["seat"]).tolist():
        if "trill" not in seats.seats[seat].instrument.articulations:
            continue
        own = _tune(draft, seat)
        onset, pitch = draft["onset"][own], draft["pitch"][own].astype(np.int64)
        for close in closes:
            goal = int(np.searchsorted(onset, close.tick))
            if not 0 < goal < len(own) or onset[goal] != close.tick or onset[goal - 1] < close.start:
                continue
            row = int(own[goal - 1])
            lasts = score.seconds(onset[goal - 1] + draft["duration"][row]) - score.seconds(onset[goal - 1])
            step = 1 <= abs(int(pitch[goal]) - int(pitch[goal - 1])) <= 2
            if step and lasts >= _TRILLED_S and not draft["articulation"][row] & _SAID:
                trilled.append(row)
    out["articulation"][trilled] |= np.uint32(Articulation.TRILL)
    ledger.change("trill at a close, as the style has it", out[np.array(trilled, np.int64)])
    return out


def _graces(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger) -> Rows:
    """A short note from a step below before accented long notes of the tune, every few bars, on agile instruments."""
    made: list[Rows] = []
    for seat in np.unique(draft["seat"]).tolist():
        able = seats.agility[seat] >= 8 and seats.divisi[seat] <= 4 and seats.pitched[seat]
        own = _tune(draft, seat) if able else np.zeros(0, np.int64)
        bar = score.bar_of(draft["onset"][own])
        last = -_EVERY
        for k in range(1, len(own)):
            row, before = int(own[k]), int(own[k - 1])
            at = int(draft["onset"][row])
            rises = int(draft["pitch"][row]) - int(draft["pitch"][before])
            gap = float(score.seconds(at) - score.seconds(draft["onset"][before]))
            long = int(draft["duration"][row]) >= score.ticks_per_quarter
            if bar[k] - last < _EVERY or at != score.bars[bar[k]] or not long or gap < _GRACED_S or abs(rises) < 3:
                continue
            if draft["articulation"][row] & _SAID:
                continue
            grace = _grace(draft[row : row + 1], analysis)
            if int(grace["pitch"][0]) >= seats.low[seat]:
                last = int(bar[k])
                made.append(grace)
    if not made:
        return draft
    added = np.concatenate(made)
    ledger.change("grace note before a long note, as the style has it", added)
    return np.concatenate([draft, added])


def _grace(note: Rows, analysis: Analysis) -> Rows:
    at, pitch = int(note["onset"][0]), int(note["pitch"][0])
    key = next((k for k in analysis.keys if k.start <= at < k.end), None)
    steps = (0, 2, 4, 5, 7, 9, 11) if key is None or key.mode == "major" else (0, 2, 3, 5, 7, 8, 11)
    scale = {((key.tonic if key else 0) + step) % 12 for step in steps}
    out = np.zeros(1, DRAFT)
    out[:] = note
    out["pitch"] = next((pitch - d for d in (1, 2) if (pitch - d) % 12 in scale), pitch - 1)
    out["duration"], out["source"], out["step"], out["alter"] = 0, -1, -1, 0
    out["articulation"] = np.uint32(Articulation.ACCIACCATURA)
    out["velocity"] = np.maximum(note["velocity"].astype(int) - 8, 1)
    return out
