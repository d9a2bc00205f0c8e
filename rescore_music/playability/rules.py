"""The rules by name, and the count of what a score breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from rescore_music.playability import changes, drums, fingerboard, hands, harp, lines, registers, slide
from rescore_music.playability.player import Found, Player, Violation, player_of
from rescore_music.score import Score

if TYPE_CHECKING:
    from rescore_music.template import Seat

RULES: Mapping[str, Callable[[Player], Found]] = MappingProxyType(
    {
        "range": lines.in_range,
        "gap": slide.gaps,
        "polyphony": lines.polyphony,
        "agility": lines.agility,
        "breath": lines.breath,
        "endurance": lines.endurance,
        "leap": lines.leaps,
        "repeated-notes": lines.repeated_notes,
        "stops": fingerboard.stops,
        "held-stops": fingerboard.held_stops,
        "pizzicato-speed": fingerboard.plucked,
        "hand-span": hands.spans,
        "mallets": hands.mallets,
        "harp-hands": harp.hands,
        "harp-pedals": harp.pedals,
        "slide": slide.positions,
        "slide-glissando": slide.glissandi,
        "timpani-tuning": drums.tuning,
        "technique-change": changes.techniques,
        "mute-change": changes.mutes,
        "instrument-change": changes.instruments,
        "trill": changes.trills,
        "weak-register": registers.weak,
        "loud-register": registers.loud,
    }
)


def violations(
    score: Score, seats: Sequence[Seat] | None = None, *, rules: Sequence[str] | None = None
) -> tuple[Violation, ...]:
    """Where a score breaks the rules of playability.

    Parameters
    ----------
    score : Score
        `Part.instrument` names the instruments; one that is not known, by id or by the part's name, is not judged.
    seats : sequence of Seat, optional
        One a part, in order, where forces narrow a range or say how far a seat divides; else a part may sound as many
        notes as its players and their instrument's polyphony allow.
    rules : sequence of str, optional
        Names of `RULES`; all by default.

    Returns
    -------
    tuple of Violation
        By part, rule and tick.

    Raises
    ------
    KeyError
        If a rule does not exist.
    """
    chosen = list(RULES) if rules is None else list(rules)
    out: list[Violation] = []
    for part in range(len(score.parts)):
        player = player_of(score, part, None if seats is None else seats[part])
        if player is None:
            continue
        for rule in chosen:
            out += [Violation(rule, part, tick, what) for tick, what in RULES[rule](player)]
    return tuple(out)
