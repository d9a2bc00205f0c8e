"""What all parts of a written score share: bar numbers, meters, keys, bar lines, tempo, rehearsal marks, loudness.

A metronome mark is printed where the score has one, at the beginning, and where the tempo changes audibly for at least
a bar (by 4 percent); inside a changing stretch at bar lines where it has drifted by 10 percent. Every other tempo
change is there for players (programs) only, as `sound` elements that print nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from rescore_music.bar_numbers import numbered
from rescore_music.io.musicxml.signs import sign_xml
from rescore_music.io.musicxml.tables import TEMPO_WORDS
from rescore_music.io.musicxml.wording import JUMP, REHEARSAL, TEMPO, clean, tempo_direction
from rescore_music.io.notation.dynamics import velocities
from rescore_music.io.notation.snap import Snapped
from rescore_music.quantizing.evidence import ENGRAVED
from rescore_music.score import Mark, Score
from rescore_music.tempo import DEFAULT_US

STEADY, DRIFT = 0.04, 0.10
_JUMP_SOUNDS = (("d.c", 'dacapo="yes"'), ("da capo", 'dacapo="yes"'), ("d.s", 'dalsegno="segno"'),
                ("dal segno", 'dalsegno="segno"'), ("fine", 'fine="yes"'), ("to coda", 'tocoda="coda"'))  # fmt: skip
GRADUAL_TEMPO = re.compile(
    r"\b(rit(\.|en|ard|\b)|rall|accel|string(\.|end)|allarg|calando|slarg|smorz|stretto|poco a poco)", re.IGNORECASE
)
_STYLES = {"double": "light-light", "final": "light-heavy"}


@dataclass
class BarPlan:
    """One bar as every part writes it; `shift` is where in a full bar it begins, `directions` go to the top part."""

    length: int
    number: str
    implicit: bool
    in_force: tuple[int, int]
    shift: int = 0
    meter: tuple[int, int] | None = None
    time: str = ""  # the meter as a mark asks for it
    left: str = ""
    right: str = ""
    middle: list[tuple[int, str]] = field(default_factory=list)
    directions: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass
class Plan:
    """The frame of the score. `keys` are (tick, concert fifths, mode); `loud` the note attributes that say velocity."""

    bars: list[BarPlan]
    keys: list[tuple[int, int, int]]
    key_places: list[int]
    loud: dict[int, str] = field(default_factory=dict)


def plan_score(score: Score, snapped: Snapped) -> Plan:
    """The frame of a written score."""
    bars = _bars(score, snapped)
    last = {int(k["tick"]): (int(k["fifths"]), int(k["mode"])) for k in score.keys}  # of several at a tick
    keys = [(tick, fifths, mode) for tick, (fifths, mode) in last.items()]
    places = snapped.place([k[0] for k in keys], score).tolist() if keys else []
    plan = Plan(bars, keys, places)
    _printed_meters(score, snapped, bars)
    _barlines(score, snapped, bars)
    _global_directions(score, snapped, bars)
    return plan


def _bars(score: Score, snapped: Snapped) -> list[BarPlan]:
    lengths = np.diff(snapped.bars)
    meters = [score.meter_at(start) for start in snapped.source[: len(lengths)].tolist()]
    numbers, shifts = (column.tolist() for column in numbered(lengths, meters, 4 * snapped.resolution, score.first_bar))
    out: list[BarPlan] = []
    for i, (length, meter) in enumerate(zip(lengths.tolist(), meters, strict=True)):
        rest_of = i > 0 and numbers[i] == numbers[i - 1]
        label = f"X{i}" if rest_of else str(numbers[i])
        shown = meter if i == 0 or meter != meters[i - 1] else None
        out.append(BarPlan(length, label, shifts[i] > 0, meter, shifts[i], shown))
    return out


def _printed_meters(score: Score, snapped: Snapped, bars: list[BarPlan]) -> None:
    """Meters as marks ask for them (compound, as a sign, none), where they agree with the score's."""
    starts = {int(tick): i for i, tick in enumerate(snapped.source[:-1])}
    for m in score.marks:
        if m.kind != "attribute" or m.tick not in starts or not m.text.startswith("time"):
            continue
        counts = re.findall(r"beats=(\d+(?:\+\d+)*);beat-type=(\d+)", m.text)
        length = sum(Fraction(int(n), max(int(kind), 1)) for beats, kind in counts for n in beats.split("+"))
        if not counts or length == Fraction(*score.meter_at(m.tick)):
            bars[starts[m.tick]].time = sign_xml(m.text, ("time",))


def _barlines(score: Score, snapped: Snapped, bars: list[BarPlan]) -> None:
    """Bar line elements, as marks ask for them; the last is final."""
    left: dict[int, list[Mark]] = defaultdict(list)
    right: dict[int, list[Mark]] = defaultdict(list)
    edges = snapped.bars
    for m in score.marks:
        if m.kind != "barline":
            continue
        at = int(snapped.place(m.tick, score))
        inside = int(np.searchsorted(edges, at, side="right")) - 1
        if 0 <= inside < len(bars) and edges[inside] < at < edges[inside + 1]:
            bars[inside].middle.append((at - int(edges[inside]), _barline("middle", [m], False)))
            continue
        opening = m.text == "repeat-start" or m.text.startswith("ending-start") or m.text == "heavy-light"
        bar = min(int(np.searchsorted(edges, at, side="right" if opening or at == 0 else "left")) - 1, len(bars) - 1)
        (left if opening or at == 0 else right)[max(bar, 0)].append(m)
    for i, plan in enumerate(bars):
        plan.left = _barline("left", left[i], False)
        plan.right = _barline("right", right[i], i == len(bars) - 1)


def _barline(side: str, marks: list[Mark], last: bool) -> str:
    style = ending = repeat = ""
    for m in marks:
        if m.text in ("repeat-start", "repeat-end"):
            forward = m.text == "repeat-start"
            style = "heavy-light" if forward else "light-heavy"
            times = f' times="{int(m.value)}"' if m.value >= 1 and not forward else ""
            repeat = f'<repeat direction="{"forward" if forward else "backward"}"{times}/>'
        elif m.text.startswith("ending-"):
            kind, _, number = m.text.removeprefix("ending-").partition(":")
            label = clean(number).replace('"', "") or "1"
            ending = f'<ending number="{label}" type="{kind}">{label + "." if kind == "start" else ""}</ending>'
        elif not repeat:
            style = _STYLES.get(m.text, m.text)
    if last and not style:
        style = "light-heavy"
    body = f"<bar-style>{style}</bar-style>" if style else ""
    if side == "left":
        return f'<barline location="left">{body}{ending}{repeat}</barline>' if body or ending else ""
    if not body and not ending:
        return "{fermata}"
    if side == "middle":
        return f'<barline location="middle">{body}{ending}{repeat}</barline>'
    return f'<barline location="right">{body}{{fermata}}{ending}{repeat}</barline>'


def _global_directions(score: Score, snapped: Snapped, bars: list[BarPlan]) -> None:
    """Tempo, rehearsal marks and jumps, to the top part."""
    tempo = score.tempo if score.tempo.is_stepped else score.tempo.stepped(max(score.ticks_per_quarter // 2, 1))
    sounds = {int(t): f"{6e7 / us:.12g}" for t, us in zip(tempo.ticks, tempo.us, strict=True) if t <= score.length}
    marks: list[tuple[int, str]] = [(m.tick, m.text) for m in score.marks if m.kind == "tempo"]
    marks = _with_metronomes(score, marks)
    edges = snapped.bars

    def put(tick: int, order: int, xml: str, *, closing: bool = False) -> None:
        at = int(snapped.place(tick, score))
        bar = min(max(int(np.searchsorted(edges, at, side="left" if closing else "right")) - 1, 0), len(bars) - 1)
        bars[bar].directions.append((at - int(edges[bar]), order, xml))

    for tick, text in sorted(marks):
        tempo_value = sounds.pop(tick, "")
        if not tempo_value and "=" not in text and not TEMPO_WORDS.match(text):
            tempo_value = f"{float(tempo.bpm(tick)):.12g}"  # what makes other words a tempo mark to a reader
        sound = f'<sound tempo="{tempo_value}"/>' if tempo_value else ""
        if xml := tempo_direction(text, sound):
            put(tick, TEMPO, xml)
        elif sound:
            sounds[tick] = tempo_value
    for tick, value in sounds.items():
        at = int(snapped.place(tick, score))
        bar = min(max(int(np.searchsorted(edges, at, side="right")) - 1, 0), len(bars) - 1)
        bars[bar].directions.append((at - int(edges[bar]), TEMPO, f'<sound tempo="{value}">{{offset}}</sound>'))
    for m in score.marks:
        if m.kind == "rehearsal" and m.text:
            body = f"<rehearsal>{clean(m.text)}</rehearsal>"
            head = '<direction placement="above" system="only-top"><direction-type>'
            put(m.tick, REHEARSAL, f"{head}{body}</direction-type>{{offset}}</direction>")
        elif m.kind == "jump":
            put(m.tick, JUMP, _jump(m.text), closing=m.text not in ("segno", "coda"))


def _with_metronomes(score: Score, marks: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The tempo marks, with metronome marks where the tempo changes: beside the words that stand there, if any do.

    Words for a gradual change ("rit.") get none, nor does a tempo that was the last one printed. A source that was
    printed says itself what stands there, unless its tempo was bent to hits.
    """
    if score.metadata.source_format in ENGRAVED and not any(m.kind == "hit" for m in score.markers):
        return marks
    quarter = score.ticks_per_quarter
    out = dict(sorted(marks, reverse=True))  # the first of several at one tick is the one a number joins
    others = [m for m in marks if out[m[0]] != m[1]]
    spoken = [tick for tick, text in marks if "=" in text]
    last = ""
    for tick in _printed(score):
        if any(abs(tick - t) < quarter for t in spoken):
            last = ""
            continue
        near = min((t for t, _ in marks if abs(t - tick) < quarter), key=lambda t: abs(t - tick), default=tick)
        unit, length = ("♩.", 1.5) if score.beat_ticks(tick) * 2 == 3 * quarter else ("♩", 1.0)
        number = f"{unit} = {max(1, round(float(score.tempo.bpm(tick)) / length))}"
        if GRADUAL_TEMPO.search(out.get(near, "")) or number == last:
            continue
        out[near] = f"{out[near]} {number}" if near in out else number
        last = number
    return [*out.items(), *others]


def _jump(text: str) -> str:
    if text in ("segno", "coda"):
        body, sound = f"<{text}/>", f'<sound {text}="{text}"/>'
    else:
        body = f"<words>{clean(text)}</words>"
        found = next((attribute for word, attribute in _JUMP_SOUNDS if word in text.lower()), "")
        found = found or ('tocoda="coda"' if "coda" in text.lower() else "")
        sound = f"<sound {found}/>" if found else ""
    head = '<direction placement="above" system="only-top"><direction-type>'
    return f"{head}{body}</direction-type>{{offset}}{sound}</direction>"


def _printed(score: Score) -> list[int]:
    """Ticks where a metronome mark is printed although the score has none."""
    tempo, bars = score.tempo, score.bars
    if not any(m.kind == "tempo" for m in score.marks) or len(tempo.ticks) > 1:
        unsaid = tempo.us[0] == DEFAULT_US and score.metadata.source_format in ENGRAVED
        out = [] if unsaid or any(m.kind == "tempo" and m.tick == 0 for m in score.marks) else [0]
    else:
        return []
    if len(tempo.ticks) == 1 and tempo.us[0] == DEFAULT_US and score.metadata.source_format in ENGRAVED:
        return []  # the source said no tempo
    shown = float(tempo.bpm(0))
    candidates = np.unique(np.concatenate([tempo.ticks, bars[:-1]]))
    candidates = candidates[(candidates > 0) & (candidates < score.length)]
    if not len(candidates):
        return out
    bar = score.bar_of(candidates)
    reach = candidates + (bars[bar + 1] - bars[bar])
    mean = 6e7 * (reach - candidates) / score.ticks_per_quarter
    mean = mean / ((tempo.seconds(reach) - tempo.seconds(candidates)) * 1e6)
    here, later = tempo.bpm(candidates), tempo.bpm(np.maximum(reach - 1, candidates))
    changes = np.searchsorted(tempo.ticks, reach, side="left") - np.searchsorted(tempo.ticks, candidates, side="right")
    steady = (changes <= 0) | (np.abs(later / here - 1) < 0.02) & (np.abs(mean / here - 1) < 0.02)
    is_bar = np.isin(candidates, bars)
    for tick, calm, average, at_bar in zip(candidates.tolist(), steady, mean, is_bar, strict=True):
        away = abs(float(average) / shown - 1)
        if (calm and away >= STEADY) or (at_bar and away >= DRIFT):
            out.append(int(tick))
            shown = float(average)
    return out


def loudness(score: Score, marks: list[Mark]) -> dict[int, str]:
    """The `dynamics` attribute of each note whose velocity is not what the printed dynamics say."""
    said = velocities(score.notes, marks, len(score.parts), score.ticks_per_quarter, score.bars)
    velocity = score.notes["velocity"]
    differ = np.flatnonzero((said != velocity) & (velocity > 0))
    return {int(i): f' dynamics="{int(velocity[i]) / 0.9:.2f}"' for i in differ}
