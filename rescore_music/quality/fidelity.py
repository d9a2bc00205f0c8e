"""What of the source is still there: notes by role, motifs, and how much was added.

Conventions: a source note is *kept* if some part of the result has a note of the same pitch class that begins at the
same musical time; octave and instrument may change. Melody and bass are the notes they are heard by: of a chord the
top one, in the bass the lowest; the rest of the chord is counted among all notes. Percussion is kept if any percussion
part strikes then. Harmony may also be held on instead of struck again. Roles, lines and motifs are those that the
analysis of the *source* found.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.quality.report import Measure, first_few
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

Flags = npt.NDArray[np.bool_]
_PERCUSSION = 12  # in place of a pitch class

ROLES = {
    Role.MELODY: ("melody_kept", "melody", 1.0),
    Role.BASS: ("bass_kept", "bass line", 1.0),
    Role.COUNTER_MELODY: ("counter_melody_kept", "counter-melody", 0.98),
    Role.HARMONY: ("harmony_kept", "harmony", 0.9),
    Role.FIGURATION: ("figuration_kept", "figuration", 0.8),
    Role.PERCUSSION: ("percussion_kept", "percussion", None),
}


def _common(score: Score, source: Score) -> tuple[int, int]:
    """Factors that bring both onsets to one resolution."""
    resolution = int(np.lcm(score.ticks_per_quarter, source.ticks_per_quarter))
    return resolution // score.ticks_per_quarter, resolution // source.ticks_per_quarter


def _keys(score: Score, factor: int) -> npt.NDArray[np.int64]:
    """Onset and pitch class (or percussion) of every note as one number."""
    kind = np.where(score.pitched, score.notes["pitch"].astype(np.int64) % 12, _PERCUSSION)
    return np.asarray(score.notes["onset"] * factor * 13 + kind, np.int64)


def kept(score: Score, source: Score) -> Flags:
    """Which source notes the result has.

    Returns
    -------
    bool array, one a note of `source`
    """
    ours, theirs = _common(score, source)
    return np.asarray(np.isin(_keys(source, theirs), _keys(score, ours)), bool)


def sounding(score: Score, source: Score) -> Flags:
    """Which source notes have their pitch class sounding in the result when they begin, struck then or held on.

    Returns
    -------
    bool array, one a note of `source`
    """
    ours, theirs = _common(score, source)
    out = kept(score, source)
    onset = source.notes["onset"] * theirs
    tone, played = source.notes["pitch"] % 12, score.notes[score.pitched]
    for pitch_class in range(12):
        mine = played[played["pitch"] % 12 == pitch_class]
        asked = source.pitched & (tone == pitch_class)
        begun = np.searchsorted(np.sort(mine["onset"]) * ours, onset[asked], side="right")
        ended = np.searchsorted(np.sort(mine["onset"] + mine["duration"]) * ours, onset[asked], side="right")
        out[asked] |= begun > ended
    return out


def in_source(score: Score, source: Score) -> Flags:
    """Which notes of the result the source has.

    Returns
    -------
    bool array, one a note of `score`
    """
    return kept(source, score)


def note_roles(source: Score, analysis: Analysis) -> npt.NDArray[np.int8]:
    """Role of every source note."""
    return analysis.note_roles(source.notes["onset"])


def motifs_whole(score: Score, source: Score, analysis: Analysis, octaves: int = 3) -> Flags:
    """Which motif statements one part of the result plays whole, at one octave displacement.

    Returns
    -------
    bool array, one a motif occurrence, motif by motif
    """
    occurrences = [o for motif in analysis.motifs for o in motif.occurrences if len(o.notes)]
    if not occurrences:
        return np.zeros(0, bool)
    ours, theirs = _common(score, source)
    starts = np.cumsum([0] + [len(o.notes) for o in occurrences[:-1]])
    notes = source.notes[np.concatenate([o.notes for o in occurrences])]
    wanted = notes["onset"] * theirs * 512 + notes["pitch"]
    whole = np.zeros(len(occurrences), bool)
    for part in range(len(score.parts)):
        played = score.notes[score.notes["part"] == part]
        have = played["onset"] * ours * 512 + played["pitch"]
        for shift in range(-octaves, octaves + 1):
            whole |= np.logical_and.reduceat(np.isin(wanted + 12 * shift, have), starts)
    return whole


def fidelity(
    score: Score,
    source: Score,
    analysis: Analysis | None = None,
    origin: npt.NDArray[np.int64] | None = None,
) -> list[Measure]:
    """Notes, roles and motifs kept; notes added; doublings."""
    have, held = kept(score, source), sounding(score, source)
    measures = []
    if analysis is not None:
        roles = note_roles(source, analysis)
        for role, (name, words, least) in ROLES.items():
            leads = role in (Role.MELODY, Role.BASS)
            of_role = analysis.leading(source.notes, role) if leads else roles == role
            if of_role.any():
                there = held if role == Role.HARMONY else have
                share = float(there[of_role].mean())
                meaning = f"Source notes of the {words} that sound at their time with their pitch class."
                if leads:
                    meaning += f" Of a chord its {'lowest' if role == Role.BASS else 'top'} note."
                good = None if least is None else (least, None)
                if role == Role.HARMONY:
                    meaning += " Struck again or held on."
                lost = np.flatnonzero(of_role & ~there)
                measures.append(Measure(name, share, "share", meaning, good, _places(source, lost)))
        whole = motifs_whole(score, source, analysis)
        if len(whole):
            meaning = "Motif statements that one part plays whole, without changing octave inside."
            measures.append(Measure("motifs_kept", float(whole.mean()), "share", meaning, (0.9, None)))
    if len(have):
        meaning = "All source notes whose pitch class sounds at their time, whatever their role."
        measures.append(Measure("notes_kept", float(held.mean()), "share", meaning, (0.9, None)))
    if len(score.notes):
        foreign = float(1 - in_source(score, source).mean())
        meaning = (
            "Notes of the result whose pitch class the source does not begin at that time: figuration and additions."
        )
        measures.append(Measure("notes_added", foreign, "share", meaning))
    if origin is not None and len(have):
        traced = np.bincount(origin[origin >= 0], minlength=len(have))
        meaning = "Notes of the result per source note: 1 is no doubling."
        measures.append(Measure("doubling", float(traced[traced > 0].mean()) if traced.any() else 0.0, "", meaning))
    return measures


def _places(source: Score, lost: npt.NDArray[np.int64]) -> tuple[str, ...]:
    rows = source.notes[lost]
    bars = source.bar_number(rows["onset"])
    told = [
        f"bar {bar}, {source.parts[part].name or f'part {part + 1}'}"
        for bar, part in zip(bars.tolist(), rows["part"].tolist(), strict=True)
    ]
    return first_few(list(dict.fromkeys(told)))
