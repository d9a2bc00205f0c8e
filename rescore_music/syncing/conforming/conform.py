"""conform(): music that met the old cut to music that meets the new one, with as little changed as can be.

Method: (1) `cuts` tells what of the picture stays and what moved; (2) the hits that the music lands on and that
stay in the picture hold the two together, and only between neighbours whose distance changed is anything done
(`plan`); (3) there the tempo bends within what it bears, or whole beats or bars are taken out or played again
where the seam is heard least (`seams`, `splice`); (4) the tempo of the stretch is solved anew, and
flows into the untouched tempo on both sides (`bend`). Everything else keeps its notes and its tempo: relative
to the picture it moves by the cut's own offset, to the microsecond that MIDI can hold.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from rescore_music.cues import Cues, Hit, Span
from rescore_music.edits import EditList
from rescore_music.errors import SyncError
from rescore_music.score import Marker, Score
from rescore_music.structure import Analysis
from rescore_music.syncing.conforming.bend import Bend, Target, bend
from rescore_music.syncing.conforming.cuts import inserted_hits, picture_map
from rescore_music.syncing.conforming.picture import PictureMap
from rescore_music.syncing.conforming.plan import (
    anchors,
    carried,
    moved_hit,
    nearest_tick,
    new_start,
    planned,
    reaching,
)
from rescore_music.syncing.conforming.report import change_rows
from rescore_music.syncing.conforming.result import Conformed, Touched
from rescore_music.syncing.conforming.situation import Situation, Stretch
from rescore_music.syncing.conforming.spans import held_beats, new_spans, steady_seconds, with_spans
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.result import Landing, Passage, Skipped, Synced
from rescore_music.syncing.spans import passages_of
from rescore_music.syncing.splice import Spliced, spliced
from rescore_music.tempo import TempoMap
from rescore_music.timecode import Timecode

log = logging.getLogger(__name__)

GONE = "no longer in the picture"
GUESSED = "between markers that moved apart: its new frame is an estimate"


def conform(
    music: Score | Synced,
    cues: Cues,
    old_cut: EditList | Cues,
    new_cut: EditList | Cues,
    *,
    analysis: Analysis | None = None,
    track: str = "V1",
) -> Conformed:
    """Fit music to a new cut of its picture.

    Parameters
    ----------
    music : Score or Synced
        As it meets the old cut.
    cues : Cues
        The hits it met, in the old cut.
    old_cut, new_cut : EditList or Cues
        Matched by their shots, or where one has none by the names of their markers or hits. Hits that only the new
        one has are to be met too.
    analysis : Analysis, optional
        Of the score: where its phrases end and which chords it has, so that bars are cut where it is heard least.
    track : str
        The picture track whose shots count.

    Returns
    -------
    Conformed

    Raises
    ------
    SyncError
        If the cuts cannot be compared, differ in rate from the cues, or bring a hard hit where no music can meet it.
    """
    score = music.score if isinstance(music, Synced) else music
    if cues.rate.fps != old_cut.rate.fps:
        what = f"the hits are at {cues.rate} frames a second, the cuts at {old_cut.rate}"
        raise SyncError(what, file=cues.source or None, cure="give the cuts' rate")
    if not len(score.notes):
        raise SyncError("no notes to conform", cure="give it a score with music in it")
    picture = picture_map(old_cut, new_cut, track=track)
    first, held = new_start(cues, picture), held_beats(score, cues)
    spans = new_spans(cues, picture)
    grid = Grid(score, analysis, tuple(held.values()))
    known = Situation(score, grid, cues, picture, analysis, steady_seconds(spans, first, cues.rate.fps))
    landed, targets, skipped = _sorted_hits(known, music, first, inserted_hits(old_cut, new_cut))
    chain, left_out = anchors(known, landed)
    skipped += [_skip(cues, hit, "another hit has its place in the music") for hit in left_out]
    unmet = [moved_hit(picture, h) for h in cues.hits if any(s.timecode == cues.timecode(h) for s in skipped)]
    chain, told_spans = with_spans(known, chain, first, held)
    stretches = planned(known, reaching(known, chain, targets), targets)
    made = _splice(score, stretches)
    tempo, bends = _bent(known, made, stretches)
    new = made.score.replace(tempo=tempo)
    asked = _new_cues(cues, picture, first, targets, spans)
    hits = _landings(known, new, asked, made, landed, bends)
    told = {(hit.label, hit.timecode) for hit in hits} | {(h.label, cues.timecode(h)) for h in unmet}
    skipped += [
        _skip(asked, hit, "the music does not reach it")
        for hit in asked.hits
        if (hit.label, asked.timecode(hit)) not in told
    ]
    markers = [Marker(h.tick, h.label or f"Hit {h.timecode}", "hit") for h in hits]
    names = {m.text for m in markers}
    others = [m for m in new.markers if m.kind != "hit" and m.text not in names]
    new = new.replace(markers=(*others, *markers))
    touched = _touched(stretches, made, bends)
    changes = change_rows(known, new, stretches, touched, made)
    title = " -> ".join(cut.source or getattr(cut, "title", "") or "cut" for cut in (old_cut, new_cut))
    passages = _passages(known, music, made, tempo, asked)
    log.info("conformed: %d changes of the picture, %d stretches of music touched", len(changes), len(touched))
    skipped += told_spans
    parts = tuple(hits), changes, touched, made.spans, tuple(skipped), made.log
    return Conformed(new, asked, *parts, picture, title, passages)


# -- hits ----------------------------------------------------------------------------------------------------------


def _skip(cues: Cues, hit: Hit, reason: str) -> Skipped:
    return Skipped(hit.label, cues.timecode(hit), reason)


def _sorted_hits(
    known: Situation, music: Score | Synced, first: int, inserted: Sequence[Hit]
) -> tuple[list[tuple[Hit, int]], list[Target], list[Skipped]]:
    """Hits that hold music and picture together, hits that come into other music, and those that are gone."""
    cues, picture = known.cues, known.picture
    landed: list[tuple[Hit, int]] = []
    targets: list[Target] = []
    skipped: list[Skipped] = []
    places = {(h.timecode, h.label): h.tick for h in music.hits if h.landed} if isinstance(music, Synced) else {}
    for hit in cues.hits:
        image = picture.image(hit.frame)
        if image is None:
            skipped.append(_skip(cues, hit, GONE))
        elif picture.kept_at(hit.frame) is not None:
            tick = places.get((cues.timecode(hit), hit.label))
            tick = nearest_tick(known, hit) if tick is None else tick
            if tick is None:
                skipped.append(_skip(cues, hit, "the music did not meet it in the old cut"))
            else:
                landed.append((hit, tick))
        else:
            if picture.guessed(hit.frame):
                skipped.append(_skip(cues, hit, GUESSED))
            targets.append(Target(replace(hit, frame=image), float(Fraction(image - first) / cues.rate.fps)))
    have = {(" ".join(h.label.casefold().split()), picture.image(h.frame)) for h in cues.hits}
    for hit in inserted:
        if (" ".join(hit.label.casefold().split()), hit.frame) not in have:
            targets.append(Target(hit, float(Fraction(hit.frame - first) / cues.rate.fps)))
    return landed, targets, skipped


def _new_cues(cues: Cues, picture: PictureMap, first: int, targets: Sequence[Target], spans: tuple[Span, ...]) -> Cues:
    """The cues of the new cut: hits and spans at their images, cuts left to the new list."""
    kept = [moved_hit(picture, hit) for hit in cues.hits if picture.kept_at(hit.frame) is not None]
    start = Timecode(first, cues.rate)
    hits = [h for h in (*kept, *(t.hit for t in targets)) if h.frame >= 0]
    return Cues(cues.rate, start, tuple(hits), spans, source=cues.source)


def _landings(
    known: Situation,
    new: Score,
    asked: Cues,
    made: Spliced,
    landed: Sequence[tuple[Hit, int]],
    bends: Sequence[Bend],
) -> list[Landing]:
    """Every hit with the place it has now, measured on the new tempo map."""
    places = [(t.hit, tick) for b in bends for t, tick in b.places]
    given = {(hit.label, hit.frame) for hit, _ in places}
    for old, tick in landed:
        hit, now = moved_hit(known.picture, old), made.new_tick(tick)
        if (hit.label, hit.frame) not in given and now is not None:
            places.append((hit, now))
    grid = Grid(new, known.analysis)
    out = []
    for hit, tick in sorted(places, key=lambda pair: (pair[0].frame, pair[1])):
        time = float(asked.seconds_of(hit.frame))
        off = (float(new.seconds(tick)) - time) * float(asked.rate.fps)
        bar, beat = grid.bar_beat(tick)
        fine = abs(off) <= max(hit.tolerance, 0.5)
        out.append(
            Landing(hit.label, asked.timecode(hit), time, tick, bar, beat, off, hit.kind, fine, hit.lands, hit.weight)
        )
    return out


def _passages(
    known: Situation, music: Score | Synced, made: Spliced, tempo: TempoMap, asked: Cues
) -> tuple[Passage, ...]:
    """What became of the spans; beside the score's own tempo where that is known, else beside the old cut's."""
    own = music.base if isinstance(music, Synced) and music.base is not None else known.score
    before = made.score if own is known.score else spliced(own, made.spans).score
    holds = list(known.spliced_grid(made).holds)
    return passages_of(Grid(before), asked, tempo, holds, before.notes)


# -- music ---------------------------------------------------------------------------------------------------------


def _splice(score: Score, stretches: Sequence[Stretch]) -> Spliced:
    """All bar edits at once."""
    end = max(int(score.bars[-1]), score.length)
    spans: list[tuple[int, int]] = []
    at = 0
    for stretch in stretches:
        if stretch.edit.times:
            spans += stretch.edit.spans(at, stretch.right.tick)
            at = stretch.right.tick
    return spliced(score, [*spans, (at, end)])


def _new_ticks(stretch: Stretch, made: Spliced) -> tuple[int, int]:
    a, b = made.new_tick(stretch.left.tick), made.new_tick(stretch.right.tick)
    if a is None or b is None:
        raise SyncError(f"the place of a hit at tick {stretch.left.tick} was cut")
    return a, b


def _bent(known: Situation, made: Spliced, stretches: Sequence[Stretch]) -> tuple[TempoMap, list[Bend]]:
    """The tempo map with every touched stretch solved; each starts where the rounding of those before has led."""
    score = made.score
    grid = known.spliced_grid(made)
    rows: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
    bends: list[Bend] = []
    at, clock = 0, 0.0

    def put(tempo: TempoMap, start: int, end: int | None) -> None:
        keep = tempo.ticks + start < (np.iinfo(np.int64).max if end is None else end)
        rows.append((tempo.ticks[keep] + start, tempo.us[keep], tempo.us_end[keep]))

    for stretch in (s for s in stretches if s.touched):
        start, end = _new_ticks(stretch, made)
        if start > at:
            put(score.tempo.slice(at, start), at, start)
            clock += float(score.seconds(start) - score.seconds(at))
        times, targets = (clock, stretch.right.new), carried(stretch.targets, made.new_tick)
        solved = bend(score, start, end, times, targets, known.frame, grid, known.steady)
        if solved is None:
            raise SyncError(f"no tempo meets the hits between ticks {start} and {end}", cure="make some soft")
        put(solved.tempo, start, end)
        bends.append(solved)
        clock += float(solved.tempo.seconds(end - start))
        at = end
    rest = score.tempo.slice(at, max(score.length, int(score.bars[-1]), at) + 1)
    put(rest, at, None)
    ticks, us, us_end = (np.concatenate([row[i] for row in rows]) for i in range(3))
    steady = us == us_end
    same = np.concatenate([[False], steady[1:] & steady[:-1] & (us[1:] == us[:-1])])
    return TempoMap(ticks[~same], us[~same], us_end[~same], score.ticks_per_quarter), bends


def _touched(stretches: Sequence[Stretch], made: Spliced, bends: Sequence[Bend]) -> tuple[Touched, ...]:
    return tuple(
        Touched(
            s.left.tick,
            s.right.tick,
            b.start,
            b.end,
            (s.edit.start, s.edit.end, s.edit.times),
            b.step,
            b.deviation,
            tuple((t.hit.label, tick) for t, tick in b.places if t.tick < 0),
            b.waits,
        )
        for s, b in zip((s for s in stretches if s.touched), bends, strict=True)
    )
