"""Speeds, wipes and colours of AAF: what operations say in their parameters, and markers in their attributes.

Conventions: a speed is source frames a frame shown; an offset is where the shot is entered, in frames after the clip's
own beginning (for a reverse shot the position after the first frame shown, as in `edits.source_span`).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from rescore_music.edits import FASTEST
from rescore_music.io.limits import TEXT
from rescore_music.io.picture.aaf_source import fraction, kind, text

SPEED_CONTROL = "9d2ea890-0968-11d3-8a38-0050040ef7d2"  # the standard's own operation
POINTS = 10_000  # of a curve
FINEST = 10_000  # denominators: offsets are stored as rounded decimals
_COLORS = ("black", "blue", "green", "cyan", "red", "magenta", "yellow", "white")  # bits: red, green, blue
CHANGING = "changing speed taken as its mean"


def is_time_warp(group: Any) -> bool:
    """Whether an operation group changes speed."""
    operation = group.operation
    return bool(operation.getvalue("IsTimeWarp")) or str(operation.auid) == SPEED_CONTROL


def speed_of(group: Any) -> tuple[Fraction, Fraction, str]:
    """(speed, offset, remark) of a time warp."""
    said = _parameters(group)
    points = _curve(said.get("PARAM_SPEED_OFFSET_MAP_U"))
    if len(points) > 1 and points[-1][0] > points[0][0]:
        (first, begin), (last, end) = points[0], points[-1]
        speed = _bounded((end - begin) / (last - first))
        return speed, begin + 1 if speed < 0 else begin, CHANGING if len(points) > 2 else ""
    speed, offset = _by_ratio(group, said)  # also where a curve goes from 0 to 1: the ratio fits the clip to its place
    return speed, offset, CHANGING if len(_curve(said.get("PARAM_OFFSET_MAP_U"))) > 2 else ""


def _by_ratio(group: Any, said: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """(speed, offset) as `SpeedRatio` says: length shown over length used, or the group's length for a freeze."""
    shown = int(group.length or 0)
    used = sum(int(segment.length or 0) for segment in list(group.getvalue("InputSegments") or ())[:1])
    ratio = said.get("SpeedRatio")
    if ratio is None or kind(ratio) != "ConstantValue":
        speed = Fraction(0) if used == 1 < shown else Fraction(used, max(shown, 1)) or Fraction(1)
    else:
        number = fraction(ratio.value)
        speed = Fraction(0) if used <= 1 < shown == number else 1 / number if number else Fraction(1)
    speed = _bounded(speed)
    return speed, Fraction(used) if speed < 0 else Fraction(0)


def _bounded(speed: Fraction) -> Fraction:
    return max(min(speed, Fraction(FASTEST)), Fraction(-FASTEST)).limit_denominator(FINEST)


def _parameters(group: Any) -> dict[str, Any]:
    found = list(group.getvalue("Parameters") or ())[:POINTS]
    return {text(parameter.name): parameter for parameter in found}


def _curve(parameter: Any) -> list[tuple[Fraction, Fraction]]:
    """(time, value) of the points of a varying value."""
    if parameter is None or kind(parameter) != "VaryingValue":
        return []
    points = list(parameter.getvalue("PointList") or ())[:POINTS]
    return [(_number(point.time), _number(point.value)) for point in points]


def _number(value: Any) -> Fraction:
    exact = fraction(value) if hasattr(value, "numerator") else Fraction(value)
    return exact.limit_denominator(FINEST)


def wipe_of(transition: Any) -> str | None:
    """None for a dissolve or fade, otherwise the wipe's number (three digits) or name."""
    group = transition.getvalue("OperationGroup")
    if group is None:
        return None
    name = text(group.operation.getvalue("Name"))
    if not name or re.search("dissolve|fade|dip|cross", name, re.IGNORECASE):
        return None
    for parameter in _parameters(group).values():
        if "WIPENUMBER" in text(parameter.name).upper().replace("_", "") and kind(parameter) == "ConstantValue":
            return f"{int(parameter.value) % 1000:03d}"
    return name


def color_of(event: Any) -> str:
    """A marker's colour by name, or the corner of the colour cube that is nearest to its red, green and blue."""
    for value in event.getvalue("CommentMarkerAttributeList") or ():
        if value.getvalue("Name") == "_ATN_CRM_COLOR":
            return re.sub(r"\W", "", text(value.getvalue("Value")))[:TEXT]
    rgb = event.getvalue("CommentMarkerColor")
    if not isinstance(rgb, dict):
        return ""
    parts = [int(rgb.get(name, 0)) for name in ("red", "green", "blue")]
    half = max(*parts, 0x3333) / 2
    return _COLORS[sum(bit for bit, part in zip((4, 2, 1), parts, strict=True) if part > half)]
