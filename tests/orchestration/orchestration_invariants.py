"""What must hold for every realization, whatever the cue, forces and style."""

from __future__ import annotations

import numpy as np

from rescore_music.candidate import Realization
from rescore_music.orchestration.draft import note_ranks
from rescore_music.playability import violations
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Template

LEADING = (int(Role.MELODY), int(Role.BASS))


def sounding_classes(score: Score) -> set[tuple[int, int]]:
    """(tick, pitch class) of every pitched onset."""
    own = score.notes[score.pitched]
    return set(zip(own["onset"].tolist(), (own["pitch"] % 12).tolist(), strict=True))


def missing_leads(source: Score, analysis: Analysis, made: Realization, *, chords: bool) -> list[int]:
    """Melody and bass notes of the source without an onset of their pitch class; with `chords` inner notes too."""
    have = sounding_classes(made.score)
    leads = np.isin(analysis.note_roles(source.notes["onset"]), LEADING) & source.pitched
    if not chords:
        leads &= note_ranks(source, analysis) == 0
    notes = source.notes
    return [i for i in np.flatnonzero(leads) if (int(notes["onset"][i]), int(notes["pitch"][i]) % 12) not in have]


def avoidable(source: Score, analysis: Analysis, template: Template, missing: list[int]) -> list[int]:
    """Those of the missing notes for which there were voices enough: the outer lead notes that start together."""
    voices = sum(seat.divisi for seat in template.forces.seats if not seat.instrument.percussion)
    leads = np.isin(analysis.note_roles(source.notes["onset"]), LEADING) & source.pitched
    leads &= note_ranks(source, analysis) == 0
    together = {
        i: np.unique(source.notes["pitch"][leads & (source.notes["onset"] == source.notes["onset"][i])] % 12)
        for i in missing
    }
    return [i for i in missing if len(together[i]) <= voices]


def assert_sound(source: Score, analysis: Analysis, template: Template, made: Realization) -> None:
    """Every invariant at once."""
    score = made.score
    seats = {seat.name: seat for seat in template.forces.seats}
    assert len(made.origin) == len(score.notes)
    assert not violations(score, [seats[p.name] for p in score.parts], rules=("range", "polyphony"))
    assert not avoidable(source, analysis, template, missing_leads(source, analysis, made, chords=False))
    kept = np.unique(made.origin[made.origin >= 0])
    assert len(source.notes) - len(kept) == sum(item.count for item in made.log if item.lost)
    assert all(item.where and item.count > 0 for item in made.log if item.lost)
    known = np.flatnonzero(made.origin >= 0)
    origin = source.notes[made.origin[known]]
    pitched = score.pitched[known]
    assert np.array_equal(score.notes["onset"][known], origin["onset"]) or _only_figures_moved(made, source, analysis)
    assert np.all((score.notes["pitch"][known] % 12 == origin["pitch"] % 12)[pitched])
    assert [p.name for p in score.parts] == [
        s.name for s in template.forces.seats if s.name in {q.name for q in score.parts}
    ]
    assert np.array_equal(score.bars, source.bars)
    assert score.tempo == source.tempo


def _struck(made: Realization, source: Score) -> np.ndarray:
    """Which traced notes are no later stroke of a dying note: those at their source's tick, or of a broken chord."""
    known = np.flatnonzero(made.origin >= 0)
    origin = made.origin[known]
    onset = made.score.notes["onset"][known]
    first = np.full(len(source.notes), np.iinfo(np.int64).max)
    np.minimum.at(first, origin, onset)
    return np.asarray(onset == first[origin])


def _only_figures_moved(made: Realization, source: Score, analysis: Analysis) -> bool:
    """Broken chords may start inner notes later, a dying note of the tune is struck again; nothing else moves."""
    known = np.flatnonzero(made.origin >= 0)
    origin = made.origin[known]
    moved = made.score.notes["onset"][known] != source.notes["onset"][origin]
    again = (made.score.notes["onset"][known] < source.ends[origin]) & ~_struck(made, source)
    dying = np.array([p.group in ("plucked", "keyboard") for p in made.score.parts], bool)
    moved &= ~(again & dying[made.score.notes["part"][known]])
    roles = analysis.note_roles(source.notes["onset"])[origin[moved]]
    return bool(np.all(np.isin(roles, (int(Role.HARMONY), int(Role.FIGURATION)))))
