"""Dynamics: velocities re-balanced by the instruments' power in their register, so that the melody stands out.

Conventions: levels in dB as in `ensemble`; a velocity is the player's effort between the instrument's pp and ff at
that pitch (`instruments.PIANISSIMO`, `FORTISSIMO`).

Method: a phrase has a melody level (its wished dynamic on the style's span). Over the bar before a seam the level
leads on to the next phrase; where the form changes abruptly and far, it steps. A line sits at that level plus its
role's offset plus what its own notes and faders in the source do; if the melody's players cannot reach their level,
everybody else comes down with them. Effort follows that level mostly and the plain dynamic of the page a little:
players are asked to help the balance, not to fight their register; reinforcement helps less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rescore_music.instruments import FORTISSIMO, PIANISSIMO
from rescore_music.orchestration.draft import Ledger, Rows
from rescore_music.orchestration.ensemble import ROLES, Ensemble
from rescore_music.orchestration.foreground import LOUDEST, SOFTEST, brought_out
from rescore_music.orchestration.material import phrase_dynamics
from rescore_music.orchestration.placement import LEVEL_SPAN, phrase_level, role_level
from rescore_music.orchestration.restriking import struck_again
from rescore_music.playability.registers import FAMILIES, FORTE, PIANO, without
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Style

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_DB_PER_VELOCITY = 0.28  # about 22 dB from pp (33) to ff (112)
_DOUBLING_DB = -2.5
_LEAD_TRUST = 0.5
_FARTHEST = 8.0  # dB a note may stand out of its line
_SUBITO_DB = 7.0
_VOLUME = 7


def level_curve(score: Score, analysis: Analysis, seats: Ensemble, style: Style) -> tuple[Ints, Floats]:
    """The melody's level over time as points to interpolate between: ticks, dB."""
    dynamic, _ = phrase_dynamics(score, analysis)
    level = phrase_level(dynamic, seats.reference, style.dynamics_span)
    ticks: list[int] = []
    points: list[float] = []
    for p, phrase in enumerate(analysis.phrases):
        bars = score.bars[(score.bars > phrase.start) & (score.bars < phrase.end)]
        turn = int(bars[-1]) if len(bars) else phrase.start
        following = float(level[p + 1]) if p + 1 < len(level) else float(level[p])
        if abs(following - float(level[p])) > _SUBITO_DB:
            turn, following = max(phrase.end - 1, phrase.start), float(level[p])
        ticks += [phrase.start, turn, max(phrase.end - 1, turn)]
        points += [float(level[p]), float(level[p]), following]
    return np.array(ticks or [0], np.int64), np.array(points or [seats.reference])


def fader_db(score: Score) -> Floats:
    """Per source note the fader (controller 7) against its part's usual place, 40 log10 as General MIDI has it."""
    out = np.zeros(len(score.notes))
    volume = score.controls[score.controls["number"] == _VOLUME]
    for part in np.unique(volume["part"]):
        own = volume[volume["part"] == part]
        notes = score.part_notes(int(part))
        row = np.searchsorted(own["tick"], score.notes["onset"][notes], side="right") - 1
        value = np.where(row >= 0, own["value"][np.maximum(row, 0)], 100).astype(np.float64)
        usual = max(float(np.median(value)), 1.0) if len(value) else 100.0
        out[notes] = np.clip(40 * np.log10(np.maximum(value, 1.0) / usual), -30.0, 6.0)
    return out


def dynamics(
    draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, style: Style, ledger: Ledger
) -> tuple[Rows, Ints]:
    """The draft, its reinforcement out of registers too weak for what is asked there, and every note's velocity.

    Where accompaniment masks the melody, it comes down (`foreground`); long notes that die away under it nevertheless
    are struck again (`restriking`).
    What a register does not have is not asked of a wind player (`playability.registers`): no fortissimo where the
    instrument is weak, no pianissimo where it cannot be soft.
    """
    velocity = balance(draft, score, analysis, seats, style)
    weak, loud = _without(draft, seats)
    raised = _raised(draft, weak & (velocity >= FORTE), seats)
    if raised.any():
        draft = draft.copy()
        draft["pitch"][raised] += 12
        ledger.change("reinforcement an octave higher: too weak a register for its dynamic", draft[raised])
        velocity = balance(draft, score, analysis, seats, style)
        weak, loud = _without(draft, seats)
    velocity = brought_out(draft, velocity, score, analysis, seats)
    draft, velocity = struck_again(draft, velocity, score, analysis, seats, ledger)
    weak, loud = _without(draft, seats)
    velocity = np.where(weak, np.minimum(velocity, FORTE - 1), velocity)
    return draft, np.where(loud, np.maximum(velocity, PIANO + 1), velocity)


def _without(draft: Rows, seats: Ensemble) -> tuple[Bools, Bools]:
    """Per note whether its instrument has no fortissimo, no pianissimo there."""
    none = np.zeros(128, bool)
    table = [without(s.instrument) if s.instrument.family in FAMILIES else (none, none) for s in seats.seats]
    pitch = np.clip(draft["pitch"].astype(np.int64), 0, 127)
    weak, loud = (np.array([row[i] for row in table])[draft["seat"], pitch] for i in (0, 1))
    return weak, loud


def _raised(draft: Rows, wrong: Bools, seats: Ensemble) -> Bools:
    """Reinforcement of a melody that may go an octave up as a whole, phrase by phrase."""
    tunes = draft["doubling"] & np.isin(draft["role"], (int(Role.MELODY), int(Role.COUNTER_MELODY)))
    out = np.zeros(len(draft), bool)
    key = (draft["seat"].astype(np.int64) * (int(draft["phrase"].max(initial=0)) + 1) + draft["phrase"]) * 2 + tunes
    for one in np.unique(key[wrong & tunes]).tolist():
        own = np.flatnonzero(key == one)
        others = (key == one - 1).any()  # the seat has something else to play there
        seat = int(draft["seat"][own[0]])
        if not others and int(draft["pitch"][own].max()) + 12 <= min(
            seats.high[seat], seats.comfortable_high[seat] + 3
        ):
            out[own] = True
    return out


def balance(draft: Rows, score: Score, analysis: Analysis, seats: Ensemble, style: Style) -> Ints:
    """Velocity of every note of the draft."""
    if not len(draft):
        return np.zeros(0, np.int64)
    ticks, points = level_curve(score, analysis, seats, style)
    melody = np.interp(draft["onset"], ticks, points)
    role = np.clip(draft["role"].astype(np.int64), 0, 5)
    offset = np.array([role_level(style, r) for r in ROLES])[role] + np.where(draft["doubling"], _DOUBLING_DB, 0.0)
    own = _deviation(draft, score, style)
    pitch = np.clip(draft["pitch"].astype(np.int64), 0, 127)
    soft, loud = seats.soft[draft["seat"], pitch], seats.loud[draft["seat"], pitch]
    leads = (role == int(Role.MELODY)) & ~draft["doubling"]
    short = _shortfall(draft, leads, melody + own - np.maximum(loud, soft + 1) + 1.0, len(analysis.phrases))
    target = melody + offset + own - np.where(leads, 0.0, short[draft["phrase"]])
    reach = (target - soft) / np.maximum(loud - soft, 1.0)
    # what the page would say: the same dynamic for all, roles a shade apart
    page = 0.55 + (target - seats.reference) / (LEVEL_SPAN * max(style.dynamics_span, 0.5))
    trust = np.where(draft["doubling"], 0.4, 0.85)
    share = trust * reach + (1 - trust) * page
    # a strong voice with the tune is not marked far below those who reinforce it; nobody with the tune plays softer
    share = np.where(leads, np.maximum(share, _LEAD_TRUST * reach + (1 - _LEAD_TRUST) * page), share)
    velocity = np.rint(PIANISSIMO + share * (FORTISSIMO - PIANISSIMO))
    return np.asarray(np.clip(velocity, SOFTEST, LOUDEST), np.int64)


def _deviation(draft: Rows, score: Score, style: Style) -> Floats:
    """How far each note stands out of its line's mean in the phrase, in dB."""
    known = draft["source"] >= 0
    fader = np.where(known, fader_db(score)[np.maximum(draft["source"], 0)], 0.0) if len(score.notes) else 0.0
    raw = _DB_PER_VELOCITY * draft["velocity"].astype(np.float64)
    key = np.stack([draft["line"].astype(np.int64), draft["phrase"].astype(np.int64)])
    _, group = np.unique(key[0] * (int(key[1].max()) + 1) + key[1], return_inverse=True)
    mean = np.bincount(group, raw) / np.bincount(group)
    return np.asarray(np.clip((raw - mean[group]) * style.dynamics_span, -_FARTHEST, _FARTHEST) + fader)


def _shortfall(draft: Rows, leads: npt.NDArray[np.bool_], missing: Floats, phrases: int) -> Floats:
    """How many dB the melody's players fall short of their level, per phrase, at most 8."""
    phrase = draft["phrase"][leads].astype(np.int64)
    weight = np.maximum(draft["duration"][leads], 1).astype(np.float64)
    total = np.bincount(phrase, weight, max(phrases, 1))
    lack = np.bincount(phrase, weight * np.maximum(missing[leads], 0.0), max(phrases, 1))
    return np.asarray(np.clip(lack / np.maximum(total, 1e-9), 0.0, 8.0))
