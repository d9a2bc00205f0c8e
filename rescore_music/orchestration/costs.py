"""The costs of the first pass, named, weighted and explained in one table.

Conventions: each raw cost is about 0 for "as a good orchestrator would" and about 1 for "clearly wrong"; it may be
larger, and a wish met is negative. A candidate's term is weight x style's factor x raw cost, summed over
the cue; the terms sum to its cost.

Sources: Rimsky-Korsakov, Principles of Orchestration (register, power and balance of families, doublings); Adler, The
Study of Orchestration (tessitura, breath, agility); Piston, Orchestration (texture types: melody, secondary melody,
part writing, background).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rescore_music.structure import Role


@dataclass(frozen=True)
class Cost:
    """One named cost: its default weight and what it means."""

    name: str
    weight: float
    meaning: str


TABLE: tuple[Cost, ...] = (
    # one line on one seat
    Cost("range", 6.0, "share of the line's notes outside the seat's range (they must be moved by octaves)"),
    Cost("tessitura", 2.2, "half octaves by which the notes lie outside the comfortable register"),
    Cost("register", 1.6, "octaves, to the power 1.8, between where the line goes and where source and style want it"),
    Cost("power", 1.4, "dynamic power: tens of dB missing for the role, or too many even at the softest"),
    Cost("agility", 2.0, "notes a second beyond what is comfortable"),
    Cost("breath", 1.0, "stretches without a rest beyond one breath"),
    Cost("wish", 2.0, "the style's wish for this family or instrument in this role (negative: met)"),
    Cost("idiom", 1.8, "how far the family is from what tradition gives this role to"),
    # the ensemble within a phrase
    Cost("masking", 1.6, "accompaniment that cannot be played softly enough below the melody in its register"),
    Cost("crossing", 1.2, "accompaniment above the melody or below the bass; chords with the low instrument on top"),
    Cost("polyphony", 4.0, "several lines on one seat: notes beyond its divisi, and the untidiness of sharing"),
    Cost("dropped", 9.0, "lines that nobody plays"),
    Cost("blend", 1.0, "harmony spread over more families than one chord needs"),
    Cost("doubling", 1.0, "doublings the style and tradition wish for (negative: met)"),
    Cost("density", 1.2, "seats playing beside the number that the intensity asks for"),
    # from phrase to phrase
    Cost("continuity", 2.0, "a line changes its seat although the form goes on"),
    Cost("contrast", 6.0, "the melody keeps its colour although the form has moved on"),
    Cost("leap", 1.2, "the same line on the same seat jumps by octaves"),
    Cost("workload", 1.0, "wind and brass players without rest, in breaths"),
    Cost("asked", 25.0, "in these bars the user asked for other players"),
    Cost("chance", 0.15, "a small preference drawn from the seed: breaks ties, another seed gives other takes"),
)
NAMES = tuple(cost.name for cost in TABLE)

# how much a line matters, by role: multiplies its costs, decides who is dropped last
IMPORTANCE: Mapping[Role, float] = {
    Role.MELODY: 1.6,
    Role.BASS: 1.3,
    Role.COUNTER_MELODY: 0.9,
    Role.HARMONY: 0.6,
    Role.FIGURATION: 0.5,
    Role.PERCUSSION: 0.4,
}
DOUBLE_IMPORTANCE = 0.25  # a line of the source that only doubles another

# dB against the melody before the style speaks (Rimsky-Korsakov ch. II-III: background a shade below the theme)
ROLE_LEVEL: Mapping[Role, float] = {
    Role.MELODY: 0.0,
    Role.COUNTER_MELODY: -3.0,
    Role.BASS: -3.0,
    Role.HARMONY: -6.0,
    Role.FIGURATION: -5.0,
    Role.PERCUSSION: -4.0,
}


def weights(style_weights: Mapping[str, float]) -> dict[str, float]:
    """Weight of every cost: the table's times the style's factor.

    Unknown names in the style are ignored here; the template's reader refuses them.
    """
    return {cost.name: cost.weight * float(style_weights.get(cost.name, 1.0)) for cost in TABLE}
