"""What the inspect page draws, as one compact JSON value: notes in columns, everything aligned with them in lanes.

Conventions: places are in *units*, the largest whole number of ticks that divides every onset and duration, so that
the numbers stay short. Columns are lists of equal length; onsets are differences. Lanes hold short lists whose fields
are told at each function. Text is raw: the page writes it as text, never as markup.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from rescore_music.cues import Cues
from rescore_music.elements import STEP_SEMITONES
from rescore_music.instruments import instruments
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.view import inspect_lanes as lane
from rescore_music.view.harmony_names import note_names
from rescore_music.view.inspect_lanes import Places
from rescore_music.view.inspect_names import (
    instrument_name,
    key_at,
    key_text,
    line_name,
    meters,
    named_chords,
    part_name,
    spelled_keys,
)
from rescore_music.view.inspect_roles import GROUPS, PATTERN_NAMES, display_groups, doubling, interval_words

_STEP_FIFTHS = np.array([0, 2, 4, -1, 1, 3, 5])  # C D E F G A B on the line of fifths


def page_data(score: Score, analysis: Analysis, cues: Cues | None = None) -> dict[str, Any]:
    """Everything that is drawn.

    Parameters
    ----------
    score : Score
    analysis : Analysis
        Of this score.
    cues : Cues, optional
        Hits, spans and cuts, shown where the score's tempo map puts them.

    Returns
    -------
    dict of str to plain values
    """
    places = Places.of(score)
    keys = spelled_keys(score, analysis)
    return {
        "quarter": places.at(score.ticks_per_quarter),
        "length": places.at(int(score.bars[-1])),
        "bars": np.diff(score.bars // places.unit, prepend=0).tolist(),
        "numbers": score.numbered.number.tolist(),
        "before": {str(k): places.at(int(score.numbered.before[k])) for k in np.flatnonzero(score.numbered.before)},
        "meters": [[places.at(t), n, d, places.at(score.beat_ticks(t))] for t, n, d in meters(score)],
        "seconds": [round(float(s), 2) for s in score.seconds(score.bars)],
        "timecodes": lane.timecodes(score, cues),
        "groups": [[g.sign, g.name, g.colour] for g in GROUPS],
        "parts": [
            [part_name(score, i), instrument_name(score, i), int(p.percussion)] for i, p in enumerate(score.parts)
        ],
        "lines": _lines(score, analysis),
        "intervals": _interval_table(analysis),
        "patterns": {str(int(k)): name for k, name in PATTERN_NAMES.items()},
        "drums": _drums(score),
        "notes": _notes(score, analysis, places),
        "form": [[places.at(s.start), places.at(s.end), s.label] for s in analysis.sections],
        "phrases": [[places.at(p.start), places.at(p.end), p.label] for p in analysis.phrases],
        "hyper": [[places.at(h.start), places.at(h.end), h.bars] for h in analysis.hypermeter],
        "keys": [
            [places.at(k.start), places.at(k.end), key_text(k, f), f, note_names(f, k.mode)]
            for k, f in zip(analysis.keys, keys, strict=True)
        ],
        "chords": [
            [places.at(a), places.at(b), numeral, name] for a, b, numeral, name in named_chords(score, analysis)
        ],
        "cadences": [
            [places.at(c.tick), places.at(c.start), c.kind, key_at(analysis, keys, c.tick)] for c in analysis.cadences
        ],
        "motifs": lane.motifs(score, analysis, places),
        "intensity": [round(100 * float(v)) for v in analysis.intensity],
        "terms": lane.terms(analysis),
        "tempo": lane.tempo(score, places),
        "dynamics": lane.dynamics(score, places),
        "hairpins": lane.hairpins(score, places),
        "loudness": lane.loudness(score),
        "marks": lane.marks(score, places),
        "hits": lane.hits(score, cues, places),
        "spans": lane.spans(score, cues, places),
        "cuts": [] if cues is None else [lane.picture(score, cues, cut, places) for cut in cues.cuts],
    }


def script_json(data: Any) -> str:
    """JSON that may stand inside a script element: no character in it can end the element or start a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _notes(score: Score, analysis: Analysis, places: Places) -> dict[str, list[int]]:
    """Columns: onset differences, durations, pitches, velocities, lines, and spellings where the source has them."""
    notes = score.notes
    columns = {
        "on": np.diff(notes["onset"] // places.unit, prepend=0),
        "dur": notes["duration"] // places.unit,
        "pitch": notes["pitch"],
        "vel": notes["velocity"],
        "line": analysis.line_of if len(analysis.line_of) == len(notes) else notes["part"],
    }
    known = notes["step"] >= 0
    if known.any():
        step = np.clip(notes["step"], 0, 6)
        fits = (STEP_SEMITONES[step] + notes["alter"] - notes["pitch"]) % 12 == 0
        fifth = _STEP_FIFTHS[step] + 7 * notes["alter"].astype(np.int64)
        columns["fifth"] = np.where(known & fits, fifth, 99)
    return {name: np.asarray(column, np.int64).tolist() for name, column in columns.items()}


def _lines(score: Score, analysis: Analysis) -> list[dict[str, Any]]:
    """Per line: part, voice, and one sign a phrase of its group, its confidence in tenths, and whether it doubles.

    `told` is what else is known of a phrase: [phrase, line doubled or followed or -1, interval, pattern, ...] in fours.
    """
    groups, doubled = display_groups(analysis), doubling(analysis)
    sure = analysis.confidence if analysis.confidence.shape == groups.shape else np.zeros(groups.shape)
    digits = np.clip(np.rint(sure * 10), 0, 9).astype(int)
    return [
        {
            "part": line.part,
            "voice": line.voice,
            "name": line_name(score, analysis, i),
            "role": "".join("." if g < 0 else str(g) for g in groups[i].tolist()),
            "sure": "".join(map(str, digits[i].tolist())),
            "twice": "".join("1" if d else "0" for d in doubled[i].tolist()),
            "told": _told(analysis, i),
        }
        for i, line in enumerate(analysis.lines)
    ]


def _told(analysis: Analysis, line: int) -> list[int]:
    shape, out = analysis.roles.shape, list[int]()
    for p in np.flatnonzero(analysis.roles[line] >= 0).tolist():
        other, interval, pattern = -1, 0, 0
        if analysis.doubles.shape == shape:
            other = int(analysis.doubles[line, p])
        if other < 0 and analysis.parallels.shape == shape:
            other = int(analysis.parallels[line, p])
        if other >= 0 and analysis.intervals.shape == shape:
            interval = int(analysis.intervals[line, p])
        if analysis.patterns.shape == shape:
            pattern = int(analysis.patterns[line, p])
        if other >= 0 or pattern:
            out += [p, other, interval, pattern]
    return out


def _interval_table(analysis: Analysis) -> dict[str, str]:
    """The intervals in use, in words."""
    return {str(int(i)): interval_words(int(i)) for i in np.unique(analysis.intervals)}


def _drums(score: Score) -> dict[str, str]:
    """Names of the drum keys in use."""
    unpitched = [i for i in instruments().values() if i.percussion]
    names: dict[int, str] = {}
    for instrument in unpitched:
        for rank, key in enumerate(instrument.keys):
            if key not in names and len(instrument.keys) < 6:
                names[key] = instrument.name if not rank else f"{instrument.name} {rank + 1}"
    used = sorted({int(k) for k in score.notes["pitch"][~score.pitched]})
    return {str(k): names.get(k, f"drum key {k}") for k in used}
