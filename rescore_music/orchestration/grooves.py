"""Drum grooves: what a style's drummer plays where the cue brings no percussion of its own.

Conventions: drum keys are General MIDI's; a key goes to the seat that has it or a relative (drums.py). A groove is the
role percussion's pattern. It stays out of cues that have percussion, unless the style drops that, and out of phrases
in which nothing else sounds; louder phrases take a fuller level, a phrase's last bar a fill.
"""

from __future__ import annotations

import numpy as np

from rescore_music.orchestration.draft import DRAFT, Ledger, Rows
from rescore_music.orchestration.drums import drum_map
from rescore_music.orchestration.ensemble import Ensemble
from rescore_music.orchestration.grid import Bar, bar_list, spans
from rescore_music.orchestration.material import phrase_dynamics
from rescore_music.orchestration.patterns import chosen, pattern_named
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role
from rescore_music.template import Style
from rescore_music.template.pattern import DrumLevel, Figure, Pattern, Play

Strokes = list[tuple[int, int, int]]  # tick, drum key, velocity

_STROKE, _STRESS, _LIGHT = 76, 96, 52  # velocities before the balance
_FILLED = 4  # bars a phrase has at least whose last one is a fill


def with_groove(draft: Rows, score: Score, analysis: Analysis, style: Style, seats: Ensemble, ledger: Ledger) -> Rows:
    """The draft with the style's groove, if these forces have a drummer and the cue leaves the drums to the style."""
    own = style.roles.get(Role.PERCUSSION)
    if own is None or own.pattern == "keep" or not score.pitched.any() or not analysis.phrases:
        return draft
    if style.percussion != "drop" and not score.pitched.all():
        return draft
    seat_of, key_of = drum_map(seats.seats)
    intensity = phrase_dynamics(score, analysis)[1]
    wanted = chosen(own, intensity)
    bars = bar_list(score)
    sounding = np.bincount(draft["phrase"], minlength=len(analysis.phrases)) > 0
    rows: list[tuple[int, int, int, int, int, int]] = []
    for p, phrase in enumerate(analysis.phrases):
        pattern = pattern_named(style, wanted[p][0])
        if pattern.texture != "drums" or not sounding[p]:
            continue
        inside = [bar for bar in bars if phrase.start <= bar.start < phrase.end]
        for tick, key, velocity in _phrase(inside, pattern, float(intensity[p])):
            if seat_of[key] >= 0 and phrase.start <= tick < phrase.end:
                rows.append((tick, int(key_of[key]), velocity, int(seat_of[key]), p, phrase.end))
    if not rows:
        return draft
    made = _written(rows, score, seats)
    ledger.change(f"notes added by the groove {own.pattern}", made)
    return np.concatenate([draft, made])


def _phrase(bars: list[Bar], pattern: Pattern, intensity: float) -> Strokes:
    """The strokes of one phrase."""
    levels = [level for level in pattern.levels if intensity >= level.from_intensity]
    if not levels:
        return []
    out: Strokes = []
    fill = pattern.fill
    for number, bar in enumerate(bars):
        last = number == len(bars) - 1 and len(bars) >= _FILLED
        ends = fill is not None and last and intensity >= fill.from_intensity
        out += _bar(bar, fill if ends and fill is not None else levels[-1])
    if pattern.opening is not None and bars and intensity >= pattern.opening[1]:
        out.append((bars[0].start, pattern.opening[0], _STRESS))
    return out


def _bar(bar: Bar, level: DrumLevel) -> Strokes:
    out: Strokes = []
    start = bar.nominal
    while start < bar.end:
        for at, length, drums in spans(bar, level.bars, level.groups):
            for key, figure in drums.items():
                out += _strokes(figure, start + at, length, key)
        start += bar.length
    return [stroke for stroke in out if bar.start <= stroke[0] < bar.end]


def _strokes(figure: Figure, start: float, length: float, key: int) -> Strokes:
    step = length / len(figure)
    loud = {1: _STRESS, 0: _STROKE, -1: _LIGHT}
    return [
        (round(start + step * i), key, loud[token.stress])
        for i, token in enumerate(figure)
        if token.play is not Play.REST
    ]


def _written(rows: list[tuple[int, int, int, int, int, int]], score: Score, seats: Ensemble) -> Rows:
    """Strokes as draft rows, one a seat, tick and key; each lasts to the next on its seat, a beat at most."""
    table = np.unique(np.array(rows, np.int64), axis=0)
    order = np.lexsort((-table[:, 2], table[:, 1], table[:, 0], table[:, 3]))
    table = table[order]
    twice = np.append(False, (np.diff(table[:, [3, 0, 1]], axis=0) == 0).all(axis=1))
    table = table[~twice]
    out = np.zeros(len(table), DRAFT)
    out["onset"], out["pitch"], out["velocity"], out["seat"], out["phrase"] = table[:, :5].T
    following = out["onset"].copy()
    # every voice of a seat stops at the seat's next stroke, so that a kit reads as one rhythm
    for seat in np.unique(out["seat"]).tolist():
        own = out["seat"] == seat
        places = np.unique(out["onset"][own])
        following[own] = np.append(places[1:], score.length)[np.searchsorted(places, out["onset"][own])]
    out["duration"] = np.clip(following - out["onset"], 1, score.ticks_per_quarter)
    out["source"], out["line"], out["step"] = -1, -1, -1
    out["role"], out["priority"] = int(Role.PERCUSSION), 10 + (out["velocity"] > _STROKE) - (out["velocity"] < _STROKE)
    return out[np.lexsort((out["pitch"], out["onset"]))]
