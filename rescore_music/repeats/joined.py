"""The music in playing order: stretches of a score one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rescore_music.elements import KEY, METER, LogItem, Mark, Rows, Ticks
from rescore_music.errors import ScoreError
from rescore_music.repeats.order import MOST_BARS, order_of, spans_of
from rescore_music.repeats.signs import is_repeat
from rescore_music.score import Score
from rescore_music.tempo import TempoMap

MOST_NOTES = 1_000_000
_PEDALS = (64, 66, 67)
_CLOSING = ("double", "dashed", "dotted", "heavy", "heavy-heavy", "final", "tick", "short", "none")
Floats = npt.NDArray[np.float64]


def unfold(score: Score, *, most_bars: int = MOST_BARS, most_notes: int = MOST_NOTES) -> Score:
    """The score as it is played, repeats written out.

    Parameters
    ----------
    score : Score
    most_bars, most_notes : int
        How long the result may be.

    Returns
    -------
    Score
        Without repeat signs, endings and jumps; the score itself where it has none. Tempo, meters, keys, controllers
        (as they stand at each jump), marks and markers follow the music; `import_log` tells what made no sense.

    Raises
    ------
    ScoreError
        If the result would be longer than the limits.

    Examples
    --------
    >>> from rescore_music.score import Mark, Part, Score, note_rows
    >>> bars = note_rows([(i * 1920, 1920, 60 + i, 80, 0) for i in range(3)])
    >>> marks = (Mark(3840, "barline", "repeat-end"),)
    >>> unfold(Score(notes=bars, parts=(Part(),), marks=marks)).notes["pitch"].tolist()
    [60, 61, 60, 61, 62]
    """
    if not any(m.kind == "jump" or (m.kind == "barline" and is_repeat(m.text)) for m in score.marks):
        return score
    edges, order, log = order_of(score, most_bars)
    spans = spans_of(edges, order)
    counted = sum(int(np.diff(np.searchsorted(score.notes["onset"], span))[0]) for span in spans)
    if counted > most_notes:
        raise ScoreError(
            f"unfolded, the score has {counted:,} notes, more than {most_notes:,}", cure="unfold less of it"
        )
    return _joined(score, spans, edges, order, log)


def played(score: Score, spans: Sequence[tuple[int, int]]) -> Score:
    """Stretches of a score one after the other, whatever its repeat signs say; the signs are left out.

    Parameters
    ----------
    score : Score
    spans : sequence of (start, end)
        In ticks, none empty.

    Returns
    -------
    Score
        As `unfold` gives it: notes end where their stretch ends, and those that began before it are left out.
    """
    stops = max(int(score.bars[-1]), score.length)
    edges = sorted({0, stops, *score.bars.tolist(), *(place for span in spans for place in span)})
    number = {edge: i for i, edge in enumerate(edges)}
    order = [segment for start, end in spans for segment in range(number[start], number[end])]
    return _joined(score, list(spans), edges, order, Counter())


def _joined(score: Score, spans: list[tuple[int, int]], edges: list[int], order: list[int], log: Counter[str]) -> Score:
    """The stretches of a score one after the other."""
    pieces: dict[tuple[int, int], Score] = {}
    columns: dict[str, list[Rows]] = {name: [] for name in ("notes", "controls", "bends", "programs", "meters", "keys")}
    tempo: list[tuple[Ticks, Floats, Floats]] = []
    marks: list[Mark] = []
    raw, markers, barlines = [], [], [np.zeros(1, np.int64)]
    at, before = 0, -1
    bare = score.replace(marks=(), markers=(), raw=(), import_log=())
    for start, end in spans:
        piece = pieces.get((start, end))
        if piece is None:
            piece = pieces[start, end] = bare.slice(start, end)
        if before >= 0:
            columns["controls"].append(_lifted(score.controls, before, start, at))
        for name, gathered in columns.items():
            rows = getattr(piece, name)
            if len(rows):
                rows = rows.copy()
                rows["onset" if name == "notes" else "tick"] += at
                gathered.append(rows)
        tempo.append((piece.tempo.ticks + at, piece.tempo.us, piece.tempo.us_end))
        barlines.append(piece.barlines[1:] + at)
        last = end >= edges[-1]
        marks += _marks_of(score.marks, start, end, at, last)
        markers += [replace(m, tick=m.tick - start + at) for m in score.markers if start <= m.tick < end + last]
        raw += [replace(r, tick=r.tick - start + at) for r in score.raw if start <= r.tick < end + last]
        at += end - start
        before = end
    marks += _sung(score.marks, edges, order)
    cut = sum(int(np.count_nonzero((score.notes["onset"] < end) & (score.ends > end))) for _, end in spans[:-1])
    if cut:
        log["notes held over a jump, ended at it"] += cut
    told = tuple(LogItem("repeats", what, count) for what, count in sorted(log.items()) if count)
    made = score.replace(
        **{name: np.concatenate([getattr(score, name)[:0], *rows]) for name, rows in columns.items()},
        tempo=_tempo(tempo, score.ticks_per_quarter),
        marks=tuple(marks),
        markers=tuple(markers),
        raw=tuple(raw),
        barlines=np.zeros(0, np.int64),
        length=at,
        import_log=(*score.import_log, *told),
    )
    made = made.replace(meters=_changes(made.meters, METER), keys=_changes(made.keys, KEY))
    bars = np.concatenate(barlines)
    return made if np.array_equal(made.bars, bars) else made.replace(barlines=bars)


def _marks_of(marks: tuple[Mark, ...], start: int, end: int, at: int, last: bool) -> list[Mark]:
    """Marks of one stretch but words sung; those that close a bar belong to what is before them."""
    out = []
    for m in marks:
        if m.kind in ("lyric", "jump") or (m.kind == "barline" and is_repeat(m.text)):
            continue
        closes = (m.kind == "barline" and m.text in _CLOSING) or (m.kind == "fermata" and m.text == "barline")
        inside = start < m.tick <= end if closes else start <= m.tick < end + last
        if inside:
            until = min(m.end, end) - start + at if m.end >= 0 else -1
            out.append(replace(m, tick=m.tick - start + at, end=until))
    return out


def _sung(marks: tuple[Mark, ...], edges: list[int], order: list[int]) -> list[Mark]:
    """Syllables by segment: the n-th time those of verse n, where their part has such, else those of verse 1."""
    by_segment: dict[int, list[Mark]] = {}
    ticks = np.array(edges)
    for m in marks:
        if m.kind == "lyric":
            segment = min(int(np.searchsorted(ticks, m.tick, side="right")) - 1, len(edges) - 2)
            by_segment.setdefault(segment, []).append(m)
    if not by_segment:
        return []
    times = Counter(order)
    visit: Counter[int] = Counter()
    out = []
    at = 0
    for segment in order:
        visit[segment] += 1
        here = by_segment.get(segment, [])
        for m in here:
            own = {int(o.value) for o in here if (o.part, o.voice) == (m.part, m.voice)}
            verse = visit[segment] if visit[segment] in own else min(own)
            if times[segment] == 1 or int(m.value) == verse:
                shift = at - edges[segment]
                value = m.value if times[segment] == 1 else 1.0
                out.append(replace(m, tick=m.tick + shift, end=m.end + shift if m.end >= 0 else -1, value=value))
        at += edges[segment + 1] - edges[segment]
    return out


def _lifted(controls: Rows, before: int, start: int, at: int) -> Rows:
    """Pedals that are down where a jump leaves and up where it lands: their releases, at the joint."""

    def down(until: int) -> set[tuple[int, int]]:
        held: dict[tuple[int, int], int] = {}
        rows = controls[(controls["tick"] <= until) & np.isin(controls["number"], _PEDALS)]
        for part, number, value in zip(rows["part"], rows["number"], rows["value"], strict=True):
            held[int(part), int(number)] = int(value)
        return {key for key, value in held.items() if value >= 64}

    rows = [(at, part, number, 0) for part, number in sorted(down(before - 1) - down(start))]
    return np.array(rows, controls.dtype)


def _tempo(pieces: list[tuple[Ticks, Floats, Floats]], resolution: int) -> TempoMap:
    """One tempo map; a piece that begins at the tempo before it adds nothing."""
    ticks, us, us_end = (np.concatenate([piece[i] for piece in pieces]) for i in range(3))
    last = np.append(ticks[1:] > ticks[:-1], True)  # a cut ramp ends on a row of its own, where the next begins
    ticks, us, us_end = ticks[last], us[last], us_end[last]
    steady = us == us_end
    same = np.concatenate([[False], steady[1:] & steady[:-1] & (us[1:] == us[:-1])])
    return TempoMap(ticks[~same], us[~same], us_end[~same], resolution)


def _changes(rows: Rows, kind: np.dtype[np.void]) -> Rows:
    """Rows without those that repeat what is in force."""
    if len(rows) < 2:
        return rows
    names = [name for name in kind.names or () if name != "tick"]
    same = np.all([rows[name][1:] == rows[name][:-1] for name in names], axis=0)
    return np.asarray(rows[np.concatenate([[True], ~same])])
