"""What the inspect page draws beside the notes: motifs, dynamics, intensity, tempo, marks, and the picture.

Conventions: places are units of the page (see `Places`), one short list an item; its fields are told at each function.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rescore_music.cues import Cues
from rescore_music.score import Score
from rescore_music.structure import Analysis
from rescore_music.timecode import Timecode

MOTIFS = 8  # most motifs that get a lane of their own
# note values beyond the basic plane, longest sign first
NOTE_SIGNS = {"𝅘𝅥𝅰": "32nd", "𝅘𝅥𝅯": "16th", "𝅘𝅥𝅮": "eighth", "𝅘𝅥": "quarter", "𝅗𝅥": "half", "𝅝": "whole", "𝅜": "breve"}
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


def motifs(score: Score, analysis: Analysis, places: Places) -> list[dict[str, Any]]:
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


def terms(analysis: Analysis) -> dict[str, list[int]]:
    """What intensity is made of, in hundredths a bar, where it is known."""
    columns = {f.name: getattr(analysis.intensity_terms, f.name) for f in fields(analysis.intensity_terms)}
    known = {name: c for name, c in columns.items() if len(c) == len(analysis.intensity)}
    return {name: np.rint(100 * column).astype(int).tolist() for name, column in known.items()}


def tempo(score: Score, places: Places) -> list[list[float]]:
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


def dynamics(score: Score, places: Places) -> list[list[Any]]:
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


def hairpins(score: Score, places: Places) -> list[list[Any]]:
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


def loudness(score: Score) -> list[int]:
    """Mean velocity of each bar's onsets, 0 where there are none."""
    bars = score.bar_of(score.notes["onset"])
    count = len(score.bars) - 1
    total = np.bincount(bars, weights=score.notes["velocity"], minlength=count)
    return np.rint(total / np.maximum(np.bincount(bars, minlength=count), 1)).astype(int).tolist()  # type: ignore[no-any-return]


def marks(score: Score, places: Places) -> list[list[Any]]:
    """(place, text): tempo words, rehearsal marks, jumps, markers; equal ones once."""
    found: dict[tuple[int, str], None] = {}
    for mark in score.marks:
        if mark.kind in ("tempo", "rehearsal", "jump") and mark.text.strip():
            found[(mark.tick, _plain(mark.text))] = None
    for marker in score.markers:
        if marker.text.strip():
            found[(marker.tick, _plain(marker.text))] = None
    return [[places.at(tick), text] for tick, text in sorted(found)][:2000]


def _plain(text: str) -> str:
    """One line, with note values that few fonts have in words: "half = 88"."""
    for sign, name in NOTE_SIGNS.items():
        text = text.replace(sign, name)
    return " ".join(text.split())[:60]


def timecodes(score: Score, cues: Cues | None) -> list[str]:
    """The timecode of every bar line; empty without a picture."""
    if cues is None:
        return []
    first, rate = cues.start.frame, cues.rate
    frames = np.rint(score.seconds(score.bars) * float(rate.fps)).astype(int) + first
    return [Timecode(max(int(f), 0), rate).label for f in frames]


def picture(score: Score, cues: Cues, frame: int, places: Places) -> float | int:
    """Where an absolute frame falls in the music, kept inside it."""
    tick = float(np.asarray(score.tempo.ticks_at(float(cues.seconds_of(frame)))))
    return places.at(min(max(tick, 0.0), float(score.bars[-1])))


def hits(score: Score, cues: Cues | None, places: Places) -> list[list[Any]]:
    """(place, timecode, label, hard or soft, where it lands, 1 if it lies in the music)."""
    if cues is None:
        return []
    return [
        [
            picture(score, cues, h.frame, places),
            cues.timecode(h),
            h.label,
            h.kind,
            h.lands,
            int(0 <= float(cues.seconds_of(h.frame)) <= score.duration + 1),
        ]
        for h in cues.hits
    ]


def spans(score: Score, cues: Cues | None, places: Places) -> list[list[Any]]:
    """(start, end, kind, label)."""
    if cues is None:
        return []
    return [
        [picture(score, cues, s.start, places), picture(score, cues, s.end, places), s.kind, s.label]
        for s in cues.spans
    ]
