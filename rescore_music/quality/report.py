"""What a measure is, and the report that holds them.

Conventions: shares are 0..1, rates are per 1,000 notes, levels LUFS, LU and dBTP, picture in frames. A measure that
cannot be taken (no audio, nothing to compare) is left out; one without a finite value holds None and says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

VERSION = 1


@dataclass(frozen=True)
class Measure:
    """One figure, and what it means.

    Attributes
    ----------
    name : str
        Key, stable between versions.
    value : float or int or None
        None where there is no finite value.
    unit : str
        "share", "per 1000 notes", "frames", "LUFS", "LU", "dBTP", "notes", "samples" or "".
    meaning : str
        One sentence for a musician.
    good : tuple of (low, high), or None
        The range in which nothing needs a look; an end may be None (open). None: no judgement is made.
    detail : tuple of str
        The places it comes from, the first few.
    """

    name: str
    value: float | int | None
    unit: str
    meaning: str
    good: tuple[float | None, float | None] | None = None
    detail: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)
        elif isinstance(self.value, float):
            object.__setattr__(self, "value", round(self.value, 6))

    @property
    def ok(self) -> bool | None:
        """Whether the value lies in the good range; None where no judgement is made."""
        if self.good is None or self.value is None:
            return None
        low, high = self.good
        return (low is None or self.value >= low) and (high is None or self.value <= high)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "meaning": self.meaning,
            "good": None if self.good is None else list(self.good),
            "ok": self.ok,
            "detail": list(self.detail),
        }


@dataclass(frozen=True)
class Quality:
    """All measures of one result, in reading order."""

    measures: tuple[Measure, ...]

    def __getitem__(self, name: str) -> Measure:
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(measure.name == name for measure in self.measures)

    def __iter__(self) -> Iterator[Measure]:
        return iter(self.measures)

    def value(self, name: str) -> float | int | None:
        """A measure's value; None where it was not taken."""
        return self[name].value if name in self else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as docs/quality.schema.json describes them."""
        return {"version": VERSION, "measures": [measure.as_dict() for measure in self.measures]}

    def to_json(self) -> str:
        """`as_dict` as text."""
        import json

        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)


def per_thousand(count: int, notes: int) -> float:
    """A rate per 1,000 notes; 0 where there are none."""
    return 1000.0 * count / notes if notes else 0.0


def first_few(items: list[str], limit: int = 8) -> tuple[str, ...]:
    """The first of many places, and how many more there are."""
    return tuple(items[:limit]) + ((f"and {len(items) - limit} more",) if len(items) > limit else ())
