"""What the inspect page draws, as one compact JSON value: notes in columns, everything aligned with them in lanes.

Conventions: places are in *units*, the largest whole number of ticks that divides every onset and duration, so that
the numbers stay short. Columns are lists of equal length; onsets are differences. Lanes hold short lists whose fields
are told at each function. Text is raw: the page writes it as text, never as markup.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from rescore_music.cues import Cues
from rescore_music.elements import STEP_SEMITONES, Part
from rescore_music.instruments import guess_instrument, instruments
from rescore_music.score import Score
from rescore_music.structure import Analysis, Chord, KeySpan
from rescore_music.timecode import Timecode
from rescore_music.view.harmony_names import (
    chord_name,
    name_of_fifth,
    note_names,
    roman,
    signature,
    tonic_fifth,
)
from rescore_music.view.inspect_roles import GROUPS, PATTERN_NAMES, display_groups, doubling, interval_words

MOTIFS = 8  # most motifs that get a lane of their own
_STEP_FIFTHS = np.array([0, 2, 4, -1, 1, 3, 5])  # C D E F G A B on the line of fifths
_DYNAMICS = ("pppp", "ppp", "pp", "p", "mp", "mf", "f", "ff", "fff", "ffff")


@dataclass(frozen=True, eq=False)
class Places:
    """Ticks as the page counts them."""

    unit: int

    @classmethod
    def of(cls, score: Score) -> Places:
        """The largest unit that every note and bar line falls on."""
        columns = (score.notes["onset"], score.notes["duration"], score.bars)
        unit = int(np.gcd.reduce(np.concatenate([np.asarray(c, np.int64) for c in columns])))
        return cls(max(unit, 1))

    def at(self, tick: float) -> float | int:
        """A tick in units."""
        place = round(float(tick) / self.unit, 2)
        return int(place) if place == int(place) else place


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
        "meters": [[places.at(t), n, d, places.at(score.beat_ticks(t))] for t, n, d in meters(score)],
        "seconds": [round(float(s), 2) for s in score.seconds(score.bars)],
        "timecodes": _timecodes(score, cues),
        "groups": [[g.sign, g.name, g.colour] for g in GROUPS],
        "parts": [
            [part_name(score, i), instrument_name(score, i), int(p.percussion)] for i, p in enumerate(score.parts)
        ],
        "lines": _lines(score, analysis),
        "drums": _drums(score),
        "notes": _notes(score, analysis, places),
        "form": [[places.at(s.start), places.at(s.end), s.label] for s in analysis.sections],
        "phrases": [[places.at(p.start), places.at(p.end), p.label] for p in analysis.phrases],
        "hyper": [[places.at(h.start), places.at(h.end), h.bars] for h in analysis.hypermeter],
        "keys": [
            [places.at(k.start), places.at(k.end), _key(k, f), f, note_names(f, k.mode)]
            for k, f in zip(analysis.keys, keys, strict=True)
        ],
        "chords": [
            [places.at(a), places.at(b), numeral, name] for a, b, numeral, name in named_chords(score, analysis)
        ],
        "cadences": [
            [places.at(c.tick), places.at(c.start), c.kind, key_at(analysis, keys, c.tick)] for c in analysis.cadences
        ],
        "motifs": _motifs(score, analysis, places),
        "intensity": [round(100 * float(v)) for v in analysis.intensity],
        "terms": _terms(analysis),
        "tempo": _tempo(score, places),
        "dynamics": _dynamics(score, places),
        "hairpins": _hairpins(score, places),
        "loudness": _loudness(score),
        "marks": _marks(score, places),
        "hits": _hits(score, cues, places),
        "spans": _spans(score, cues, places),
        "cuts": [] if cues is None else [_picture(score, cues, cut, places) for cut in cues.cuts],
    }


def script_json(data: Any) -> str:
    """JSON that may stand inside a script element: no character in it can end the element or start a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


# -- names -------------------------------------------------------------------------------------------------------


def part_name(score: Score, index: int) -> str:
    """A part's name; parts of one name are told apart by what they are played on, then by number."""
    return _part_names(score.parts, score.metadata.source_format)[index]


@lru_cache(maxsize=8)
def _part_names(parts: tuple[Part, ...], source_format: str) -> tuple[str, ...]:
    own = [" ".join(p.name.split()) for p in parts]
    played = [_played_on(p, source_format) for p in parts]
    names = [
        (f"{name}: {sound}" if own.count(name) > 1 and sound.lower() not in name.lower() else name) or sound
        for name, sound in zip(own, played, strict=True)
    ]
    return tuple(
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    )


def instrument_name(score: Score, index: int) -> str:
    """What a part is played on: its instrument, its General MIDI sound, or what its name points to."""
    return _played_on(score.parts[index], score.metadata.source_format)


def _played_on(part: Part, source_format: str) -> str:
    from rescore_music.io.midi.names import sound_name

    if part.instrument in instruments():
        return instruments()[part.instrument].name
    if source_format.startswith("midi"):
        return sound_name(part.program, part.percussion)
    # a guess knows the instrument, not the key it is built in
    return re.sub(r" in \w+♭?$", "", guess_instrument(part.name, part.program, part.percussion).name)


def line_name(score: Score, analysis: Analysis, line: int) -> str:
    """A line's name: its part's, with the voice where the part has several."""
    own = analysis.lines[line]
    several = sum(other.part == own.part for other in analysis.lines) > 1
    return part_name(score, own.part) + (f", voice {own.voice + 1}" if several else "")


def meters(score: Score) -> list[tuple[int, int, int]]:
    """(tick, numerator, denominator) of every meter, from tick 0."""
    rows = [(int(t), int(n), int(d)) for t, n, d in score.meters.tolist()]
    return rows if rows and rows[0][0] <= 0 else [(0, 4, 4), *rows]


# -- harmony -----------------------------------------------------------------------------------------------------


def spelled_keys(score: Score, analysis: Analysis) -> list[int]:
    """The signature of each key span, spelled on the side of the notated one."""
    out = []
    for key in analysis.keys:
        row = int(np.searchsorted(score.keys["tick"], key.start, side="right")) - 1
        notated = int(score.keys["fifths"][row]) if row >= 0 else 0
        out.append(signature(key.tonic, key.mode, notated))
    return out


def _key(key: KeySpan, fifths: int) -> str:
    return f"{name_of_fifth(tonic_fifth(fifths, key.mode))} {key.mode}"


def key_at(analysis: Analysis, keys: Sequence[int], tick: int) -> str:
    """Name of the local key at a tick."""
    index = key_index(analysis, tick)
    return _key(analysis.keys[index], keys[index]) if index >= 0 else ""


def key_index(analysis: Analysis, tick: int) -> int:
    """Which key span holds a tick; -1 where there is none."""
    return max((i for i, k in enumerate(analysis.keys) if k.start <= tick), default=-1 if not analysis.keys else 0)


def named_chords(score: Score, analysis: Analysis) -> list[tuple[int, int, str, str]]:
    """(start, end, Roman numeral, name) of each chord in its local key; equal neighbours are one."""
    keys, out = spelled_keys(score, analysis), list[tuple[int, int, str, str]]()
    starts = np.array([k.start for k in analysis.keys], np.int64)
    last = len(analysis.keys) - 1
    for i, chord in enumerate(analysis.chords):
        place = int(np.searchsorted(starts, chord.start, side="right")) - 1
        numeral, name = "", ""
        if last >= 0:
            k = min(max(place, 0), last)
            following = _following(analysis.chords, i)
            numeral = roman(chord, analysis.keys[k], following)
            name = chord_name(chord, keys[k], analysis.keys[k].mode)
        if out and out[-1][2:] == (numeral, name) and out[-1][1] == chord.start:
            out[-1] = (out[-1][0], chord.end, numeral, name)
        else:
            out.append((chord.start, chord.end, numeral, name))
    return [row for row in out if row[3]]


def _following(chords: Sequence[Chord], index: int) -> Chord | None:
    """The next chord of another root."""
    root = chords[index].root
    return next((c for c in chords[index + 1 : index + 4] if c.quality and c.root != root), None)


# -- notes and lines ---------------------------------------------------------------------------------------------


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
    """Per line: part, voice, one sign a phrase of its group, one digit of its confidence, and what it doubles."""
    groups, doubled = display_groups(analysis), doubling(analysis)
    sure = analysis.confidence if analysis.confidence.shape == groups.shape else np.zeros(groups.shape)
    digits = np.clip(np.rint(sure * 10), 0, 9).astype(int)
    out = []
    for i, line in enumerate(analysis.lines):
        out.append(
            {
                "part": line.part,
                "voice": line.voice,
                "name": line_name(score, analysis, i),
                "role": "".join("." if g < 0 else str(g) for g in groups[i].tolist()),
                "sure": "".join(map(str, digits[i].tolist())),
                "twice": "".join("1" if d else "0" for d in doubled[i].tolist()),
                "told": _told(analysis, i),
            }
        )
    return out


def _told(analysis: Analysis, line: int) -> dict[str, list[Any]]:
    """Phrase -> [line doubled or followed or -1, how far in words, how it moves in words], where there is any."""
    shape, out = analysis.roles.shape, {}
    for p in range(shape[1]):
        if analysis.roles[line, p] < 0:
            continue
        other, words, moves = -1, "", ""
        if analysis.doubles.shape == shape and analysis.doubles[line, p] >= 0:
            other, words = int(analysis.doubles[line, p]), "doubles"
        elif analysis.parallels.shape == shape and analysis.parallels[line, p] >= 0:
            other, words = int(analysis.parallels[line, p]), "goes with"
        if other >= 0 and analysis.intervals.shape == shape:
            words += " " + interval_words(int(analysis.intervals[line, p]))
        if analysis.patterns.shape == shape:
            moves = next((n for k, n in PATTERN_NAMES.items() if k == analysis.patterns[line, p]), "")
        if other >= 0 or moves:
            out[str(p)] = [other, words, moves]
    return out


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


# -- lanes -------------------------------------------------------------------------------------------------------


def _motifs(score: Score, analysis: Analysis, places: Places) -> list[dict[str, Any]]:
    """The weightiest motifs: name, and per statement start, end, relation, transposition, part."""
    chosen = sorted(analysis.motifs, key=lambda m: -m.weight)[:MOTIFS]
    return [
        {
            "name": m.name,
            "notes": len(m.occurrences[0].notes),
            "at": [
                [
                    places.at(o.start),
                    places.at(o.end),
                    o.relation,
                    int(o.interval),
                    int(score.notes["part"][o.notes[0]]) if len(o.notes) else 0,
                ]
                for o in m.occurrences
            ],
        }
        for m in chosen
        if m.occurrences
    ]


def _terms(analysis: Analysis) -> dict[str, list[int]]:
    """What intensity is made of, in hundredths a bar, where it is known."""
    columns = {f.name: getattr(analysis.intensity_terms, f.name) for f in fields(analysis.intensity_terms)}
    known = {name: c for name, c in columns.items() if len(c) == len(analysis.intensity)}
    return {name: np.rint(100 * column).astype(int).tolist() for name, column in known.items()}


def _tempo(score: Score, places: Places) -> list[list[float]]:
    """(place, quarters a minute there, quarters a minute at the segment's end)."""
    tempo, end = score.tempo, int(score.bars[-1])
    rows = [i for i in range(len(tempo.ticks)) if int(tempo.ticks[i]) < end] or [0]
    if len(rows) > 4000:  # a curve recorded tick by tick: a picture needs no more than its bars
        ticks = score.bars[:-1]
        return [
            [places.at(t), round(float(b), 2), round(float(b), 2)] for t, b in zip(ticks, tempo.bpm(ticks), strict=True)
        ]
    return [
        [places.at(int(tempo.ticks[i])), round(6e7 / float(tempo.us[i]), 2), round(6e7 / float(tempo.us_end[i]), 2)]
        for i in rows
    ]


def _dynamics(score: Score, places: Places) -> list[list[Any]]:
    """(place, the dynamic that most parts have there, how many of them, all of them in words)."""
    at: dict[int, Counter[str]] = {}
    for mark in score.marks:
        if mark.kind == "dynamic" and mark.text:
            at.setdefault(mark.tick, Counter())[mark.text[:12]] += 1
    out: list[list[Any]] = []
    for tick, counts in sorted(at.items()):
        text, many = max(counts.items(), key=lambda item: (item[1], item[0] in _DYNAMICS, item[0]))
        out.append([places.at(tick), text, many, ", ".join(f"{t} in {n}" for t, n in counts.most_common(6))])
    return out


def _hairpins(score: Score, places: Places) -> list[list[Any]]:
    """(start, end, "<" or ">"): where parts differ, the hairpin that most of them have."""
    counts = Counter(
        (m.tick, m.end, m.text) for m in score.marks if m.kind == "hairpin" and m.end > m.tick and m.text in ("<", ">")
    )
    chosen: list[tuple[int, int, str]] = []
    starts: list[int] = []
    for start, end, text in sorted(counts, key=lambda pin: (-counts[pin], pin)):
        k = bisect(starts, start)
        if (k and chosen[k - 1][1] > start) or (k < len(chosen) and chosen[k][0] < end):
            continue
        chosen.insert(k, (start, end, text))
        starts.insert(k, start)
    return [[places.at(a), places.at(b), text] for a, b, text in chosen]


def _loudness(score: Score) -> list[int]:
    """Mean velocity of each bar's onsets, 0 where there are none."""
    bars = score.bar_of(score.notes["onset"])
    count = len(score.bars) - 1
    total = np.bincount(bars, weights=score.notes["velocity"], minlength=count)
    return np.rint(total / np.maximum(np.bincount(bars, minlength=count), 1)).astype(int).tolist()  # type: ignore[no-any-return]


def _marks(score: Score, places: Places) -> list[list[Any]]:
    """(place, text): tempo words, rehearsal marks, jumps, markers; equal ones once."""
    found: dict[tuple[int, str], None] = {}
    for mark in score.marks:
        if mark.kind in ("tempo", "rehearsal", "jump") and mark.text.strip():
            found[(mark.tick, " ".join(mark.text.split())[:60])] = None
    for marker in score.markers:
        if marker.text.strip():
            found[(marker.tick, " ".join(marker.text.split())[:60])] = None
    return [[places.at(tick), text] for tick, text in sorted(found)][:2000]


# -- picture -----------------------------------------------------------------------------------------------------


def _timecodes(score: Score, cues: Cues | None) -> list[str]:
    if cues is None:
        return []
    first, rate = cues.start.frame, cues.rate
    frames = np.rint(score.seconds(score.bars) * float(rate.fps)).astype(int) + first
    return [Timecode(max(int(f), 0), rate).label for f in frames]


def _picture(score: Score, cues: Cues, frame: int, places: Places) -> float | int:
    tick = float(np.asarray(score.tempo.ticks_at(float(cues.seconds_of(frame)))))
    return places.at(min(max(tick, 0.0), float(score.bars[-1])))


def _hits(score: Score, cues: Cues | None, places: Places) -> list[list[Any]]:
    """(place, timecode, label, hard or soft, where it lands, 1 if it lies in the music)."""
    if cues is None:
        return []
    return [
        [
            _picture(score, cues, h.frame, places),
            cues.timecode(h),
            h.label,
            h.kind,
            h.lands,
            int(0 <= float(cues.seconds_of(h.frame)) <= score.duration + 1),
        ]
        for h in cues.hits
    ]


def _spans(score: Score, cues: Cues | None, places: Places) -> list[list[Any]]:
    """(start, end, kind, label)."""
    if cues is None:
        return []
    return [
        [_picture(score, cues, s.start, places), _picture(score, cues, s.end, places), s.kind, s.label]
        for s in cues.spans
    ]
