"""Whether people can play it: notes outside their instrument, and every other rule of `playability`.

Conventions: rates are per 1,000 notes of the score. Percussion parts have drum keys, not pitches, and are judged by
the rules only.
"""

from __future__ import annotations

from collections import Counter

from rescore_music.playability import violations
from rescore_music.quality.report import Measure, first_few, per_thousand
from rescore_music.score import Score

RANGE = "range"


def playing(score: Score) -> list[Measure]:
    """Range violations, and all others together, with the rules in the detail."""
    found = violations(score)
    outside = [v for v in found if v.rule == RANGE]
    others = [v for v in found if v.rule != RANGE]
    notes = len(score.notes)
    rules = Counter(v.rule for v in others)
    told = [f"{count} x {rule}" for rule, count in sorted(rules.items(), key=lambda item: (-item[1], item[0]))]
    places = [f"{score.parts[v.part].name or v.part}, bar {score.bar_number(v.tick)}: {v.what}" for v in others]
    first = [f"{score.parts[v.part].name or v.part}, bar {score.bar_number(v.tick)}: {v.what}" for v in outside]
    return [
        Measure(
            "range_violations",
            per_thousand(len(outside), notes),
            "per 1000 notes",
            "Notes that the instrument does not have.",
            (None, 0),
            first_few(first),
        ),
        Measure(
            "playability_violations",
            per_thousand(len(others), notes),
            "per 1000 notes",
            "Places that break a rule of playing: speed, leaps, breath, stops, spans.",
            (None, 10),
            first_few(told) + first_few(places),
        ),
    ]
