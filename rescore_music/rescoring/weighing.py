"""Features to one score: linear, with weights from a file. The seam where calibration on human scores will come in.

A weights file is JSON: {"version": 1, "features": {name: {"mean": m, "scale": s, "weight": w}}}. A candidate's score
is the sum of w * (x - m) / s over the features it has; a feature that could not be taken counts as the mean. Positive
weights say that more is better.

The shipped means and scales are those of benchmarks/survey_features.py (scale: the spread among one cue's candidates,
or what can just be heard, whichever is larger); the weights are a musician's first guess, not yet calibrated.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rescore_music.errors import ReadError

SHIPPED = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class Weight:
    """How one feature counts: (x - mean) / scale * weight."""

    mean: float
    scale: float
    weight: float


@dataclass(frozen=True)
class Weights:
    """The whole linear model."""

    features: Mapping[str, Weight]
    source: str = ""

    def terms(self, features: Mapping[str, float]) -> dict[str, float]:
        """What each known feature adds to the score, in the file's order."""
        return {
            name: w.weight * (features[name] - w.mean) / w.scale
            for name, w in self.features.items()
            if name in features
        }

    def score(self, features: Mapping[str, float]) -> float:
        """Higher is better."""
        return math.fsum(self.terms(features).values())


def read_weights(path: str | Path | None = None) -> Weights:
    """Weights from a file; the shipped ones unless told.

    Raises
    ------
    ReadError
        If the file cannot be read, or a feature lacks a finite mean, a positive scale or a finite weight.
    """
    file = SHIPPED if path is None else Path(path)
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ReadError(problem.strerror or str(problem), file=file) from problem
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise ReadError(f"not JSON: {problem}", file=file) from problem
    if not isinstance(told, dict) or told.get("version") != 1 or not isinstance(told.get("features"), dict):
        cure = '{"version": 1, "features": {...}}'
        raise ReadError("not a weights file of version 1", file=file, cure=cure)
    return Weights(
        MappingProxyType({name: _weight(file, name, row) for name, row in told["features"].items()}), str(file.name)
    )


def _weight(file: Path, name: str, row: object) -> Weight:
    keys = ("mean", "scale", "weight")
    if not isinstance(row, dict) or set(row) != set(keys):
        raise ReadError("needs mean, scale and weight, nothing else", file=file, where=f"features.{name}")
    values = [row[key] for key in keys]
    for key, value in zip(keys, values, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ReadError(f"{key} is not a number", file=file, where=f"features.{name}")
    if values[1] <= 0:
        raise ReadError("scale must be positive", file=file, where=f"features.{name}")
    return Weight(*(float(v) for v in values))
