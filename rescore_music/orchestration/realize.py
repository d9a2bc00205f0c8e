"""Realization: assignments written out as a score, one part a seat that plays.

Steps: expand (draft), octaves (folding), figuration (patterns), unisons, divisi and thinning (polyphony), what cannot
be played (mending), articulation, techniques, breaths, balance, then notation and events. Every source note is in
the result or counted, with its reason, in the log.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.candidate import Assignment, Realization
from rescore_music.orchestration.articulate import articulate
from rescore_music.orchestration.asked import tell
from rescore_music.orchestration.balance import dynamics
from rescore_music.orchestration.draft import DRAFT, LOSS_TEXT, Ledger, Loss, Rows, bar_span, cells, expand, note_ranks
from rescore_music.orchestration.drums import drum_map
from rescore_music.orchestration.easing import breathe, ground
from rescore_music.orchestration.ensemble import Ensemble, ensemble
from rescore_music.orchestration.events import follow_bends, follow_controls
from rescore_music.orchestration.feel import ornamented, swung
from rescore_music.orchestration.folding import fold
from rescore_music.orchestration.graces import with_their_notes
from rescore_music.orchestration.grooves import with_groove
from rescore_music.orchestration.kept import kept_parts, with_kept, without_kept
from rescore_music.orchestration.mending import mended
from rescore_music.orchestration.notation import (
    carried_marks,
    derived_dynamics,
    slur_marks,
    technique_marks,
    without_clashes,
)
from rescore_music.orchestration.patterns import apply_patterns
from rescore_music.orchestration.polyphony import limit, merge_unisons, rescue
from rescore_music.orchestration.staves import in_one_hand, staves
from rescore_music.orchestration.techniques import steady
from rescore_music.score import CONTROL, NOTE, Articulation, LogItem, Part, Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Seat, Template

Ints = npt.NDArray[np.int64]

_GRID = 12  # slots a quarter when looking for a free player


def realize(score: Score, analysis: Analysis, template: Template, assignments: tuple[Assignment, ...]) -> Realization:
    """Write out an orchestration.

    Parameters
    ----------
    score, analysis, template
        The source, what was found in it, and the forces and style.
    assignments : tuple of Assignment
        Who plays which line in which phrase. The k-th carrier of a line in a phrase takes its k-th chord note from
        the outside (the last one the rest); doublings reinforce it.

    Returns
    -------
    Realization
    """
    seats, style = ensemble(template), template.style
    kept = kept_parts(score, template)
    analysis = without_kept(analysis, kept)
    ledger = Ledger(np.zeros(len(score.notes), np.int8), [], score, template.forces.seats)
    draft = expand(score, analysis, template, seats, assignments)
    draft = _style_percussion(draft, score, seats, style.percussion, ledger)
    draft = ground(draft, score, seats, ledger)
    draft = fold(draft, seats, score.ticks_per_quarter, ledger)
    draft = apply_patterns(draft, score, analysis, style, seats, ledger)
    draft = with_groove(draft, score, analysis, style, seats, ledger)
    grid = max(score.ticks_per_quarter // _GRID, 1)
    draft = limit(merge_unisons(draft, ledger), seats, score.length, grid, ledger)
    draft = rescue(draft, _missing(draft, score, analysis, ledger), seats, ledger)
    left = _missing(draft, score, analysis, ledger)
    left = left[_yielding(left, analysis)["rank"] == 0]
    if len(left):
        draft = rescue(_yielding(draft, analysis), left, seats, ledger)
    draft = with_their_notes(mended(draft, score, analysis, seats, ledger), score, seats, ledger)
    draft = articulate(draft, score, style, seats, ledger)
    draft = ornamented(draft, score, analysis, style, seats, ledger)
    draft = breathe(steady(draft, score, seats, ledger), score, seats, ledger)
    draft, velocity = dynamics(draft, score, analysis, seats, style, ledger)
    _explain(draft, score, analysis, template, ledger, kept)
    tell(score, analysis, template, assignments, ledger)
    made = with_kept(_written(draft, velocity, score, analysis, seats, ledger), score, kept)
    # a part that stays as it is plays straight, and so do those who play with it
    return made if len(kept) else replace(made, score=swung(made.score, style.swing))


def _style_percussion(draft: Rows, score: Score, seats: Ensemble, style: str, ledger: Ledger) -> Rows:
    """Percussion as the style wants it: all, on the beats only, or none. A cue of percussion alone keeps all of it."""
    drum = ~seats.pitched[draft["seat"]]
    if style == "keep" or not drum.any() or not score.pitched.any():
        return draft
    if style == "drop":
        gone = drum
    else:
        onset = draft["onset"]
        bar = score.bars[score.bar_of(onset)]
        beat = np.array([score.beat_ticks(int(t)) for t in score.bars[:-1]], np.int64)[score.bar_of(onset)]
        gone = drum & ((onset - bar) % beat != 0)
    ledger.lose(draft["source"][gone], Loss.LIGHTENED)
    return np.asarray(draft[~gone])


def _missing(draft: Rows, score: Score, analysis: Analysis, ledger: Ledger) -> Rows:
    """Melody and bass notes of the source that no row realizes, as rows on the seat nearest by range."""
    line, phrase, role = cells(score, analysis)
    need = np.isin(role, (int(Role.MELODY), int(Role.BASS))) & score.pitched
    need[draft["source"][draft["source"] >= 0]] = False
    index = np.flatnonzero(need & (ledger.reason != int(Loss.UNREACHABLE)))
    out = np.zeros(len(index), DRAFT)
    out["source"] = index
    for name in ("onset", "duration", "pitch", "velocity", "step", "alter", "articulation"):
        out[name] = score.notes[name][index]
    out["line"], out["phrase"], out["role"] = line[index], phrase[index], role[index]
    rank = note_ranks(score, analysis)[index]
    out["rank"] = np.minimum(rank, 100)
    out["priority"] = np.where(role[index] == int(Role.MELODY), 60, 50) - np.minimum(2 * rank, 8)
    # beside the line's other notes of the phrase, if it has a seat
    key = draft["line"].astype(np.int64) * (len(analysis.phrases) + 1) + draft["phrase"]
    order = np.argsort(key, kind="stable")
    wanted = line[index] * (len(analysis.phrases) + 1) + phrase[index]
    at = np.minimum(np.searchsorted(key[order], wanted), max(len(order) - 1, 0))
    if len(order):
        out["seat"] = np.where(key[order][at] == wanted, draft["seat"][order][at], 0)
    return out


def _yielding(rows: Rows, analysis: Analysis) -> Rows:
    """The rows, those of lines that only double another ranked behind it: they yield where players lack."""
    if not analysis.doubles.size or not len(rows):
        return rows
    out = rows.copy()
    doubling = (rows["source"] >= 0) & (analysis.doubles[rows["line"], rows["phrase"]] >= 0)
    out["rank"] = np.where(doubling, np.maximum(rows["rank"], 1), rows["rank"])
    return np.asarray(out)


def _explain(draft: Rows, score: Score, analysis: Analysis, template: Template, ledger: Ledger, kept: Ints) -> None:
    """Count what is not in the result, by part and reason, into the log."""
    lost = np.ones(len(score.notes), bool)
    lost[draft["source"][draft["source"] >= 0]] = False
    lost &= ~np.isin(score.notes["part"], kept)
    line, phrase, _ = cells(score, analysis)
    reason = ledger.reason.copy()
    drums = lost & ~score.pitched & (reason == int(Loss.UNASSIGNED))
    nobody = drum_map(template.forces.seats)[0][score.notes["pitch"]] < 0
    reason[drums] = int(Loss.DROPPED_DRUMS) if template.style.percussion == "drop" else int(Loss.UNASSIGNED)
    reason[drums & nobody] = int(Loss.PERCUSSION)
    if analysis.doubles.size:
        reason[lost & (reason == int(Loss.UNASSIGNED)) & (analysis.doubles[line, phrase] >= 0)] = int(Loss.DOUBLED)
    for part in range(len(score.parts)):
        of_part = lost & (score.notes["part"] == part)
        for why in np.unique(reason[of_part]).tolist():
            index = np.flatnonzero(of_part & (reason == why))
            span = bar_span(score, score.notes["onset"][index])
            name = score.parts[part].name or f"part {part + 1}"
            ledger.changes.append(LogItem(f"{name}, {span}", LOSS_TEXT[Loss(why)], len(index), lost=True))


def _written(
    draft: Rows, velocity: Ints, score: Score, analysis: Analysis, seats: Ensemble, ledger: Ledger
) -> Realization:
    """Draft and marks as a Score, parts in score order."""
    # where nothing of the cue can be played, all seats stand in the score with rests, and the log says why
    playing = np.unique(draft["seat"]).astype(np.int64) if len(draft) else np.arange(len(seats.seats))
    number = np.full(max(len(seats.seats), 1), -1, np.int64)
    number[playing] = np.arange(len(playing))
    order = np.lexsort((draft["source"], draft["pitch"], number[draft["seat"]], draft["onset"]))
    draft, velocity = draft[order], velocity[order]
    notes = np.zeros(len(draft), NOTE)
    for name in ("onset", "duration", "pitch", "step", "alter", "articulation"):
        notes[name] = draft[name]
    notes["velocity"], notes["part"] = velocity, number[draft["seat"]]
    notes["onset_shift"] = draft["shift"]
    # a shift is measured from the notated place: a strummed chord's dots shorten it here
    dotted = (draft["shift"] != 0) & ((draft["articulation"] & int(Articulation.STACCATO)) != 0)
    notes["end_shift"] = -np.rint(draft["duration"] * np.where(dotted, 50, draft["cut"]) / 100.0)
    staff = staves(draft, seats)
    notes["staff"] = staff
    unspelled = np.flatnonzero(~seats.pitched[draft["seat"]])
    notes["step"][unspelled], notes["alter"][unspelled] = -1, 0
    marks = carried_marks(draft, score, seats, ledger)
    has_slurs = any(m.kind == "slur" for m in score.marks)
    if not has_slurs:
        marks += slur_marks(draft)
    hairpins = not any(m.kind == "hairpin" for m in score.marks)
    marks = in_one_hand(marks, draft, staff, seats)
    marks += without_clashes(derived_dynamics(draft, velocity, score, analysis, hairpins), marks, score)
    marks += technique_marks(draft, seats)
    bends, rpn = follow_bends(draft, score, analysis, seats, ledger)
    controls = follow_controls(draft, score, analysis, seats, ledger)
    if rpn:
        controls = np.concatenate([np.array(rpn, CONTROL), controls])
    controls["part"], bends["part"] = number[controls["part"]], number[bends["part"]]
    result = Score(
        notes=notes,
        parts=_parts([seats.seats[i] for i in playing]),
        tempo=score.tempo,
        ticks_per_quarter=score.ticks_per_quarter,
        meters=score.meters,
        keys=score.keys,
        controls=controls,
        bends=bends,
        marks=tuple(m if m.part < 0 else replace(m, part=int(number[m.part])) for m in marks),
        markers=score.markers,
        barlines=score.barlines,
        length=score.length,
        first_bar=score.first_bar,
        metadata=score.metadata,
    )
    return Realization(result, draft["source"].astype(np.int64), tuple(ledger.changes))


def _parts(seats: list[Seat]) -> tuple[Part, ...]:
    """Parts of the seats that play: channels around the drum channel, a new port for every sixteen."""
    out = []
    pitched = drums = 0
    for seat in seats:
        row = seat.instrument
        if row.percussion:
            channel, port, drums = 9, drums, drums + 1
        else:
            channel, port = [c for c in range(16) if c != 9][pitched % 15], pitched // 15
            pitched += 1
        out.append(
            Part(
                name=seat.name,
                abbreviation=seat.abbreviation,
                instrument=row.id,
                program=row.program if seat.program is None else seat.program,
                bank=row.bank if seat.bank is None else seat.bank,
                channel=channel,
                port=port,
                percussion=row.percussion,
                transposition=row.transposition,
                diatonic=row.diatonic,
                staves=max(len(row.clefs), 1),
                clefs=row.clefs,
                lines=1 if row.percussion and len(row.keys) == 1 else 5,
                players=seat.players,
                group=row.family,
            )
        )
    return tuple(out)
