"""Which music a new cut touches, and what is done to each stretch of it.

The music is held to the picture at *anchors*: its start, every hit that it lands on and that is still in the picture,
its end. Between two neighbours it is touched only if the picture between them has another length now, or a hit has come
in. A soft hit beside a stretch that would have to bend too far gives way to the next anchor, if that helps; and where
two changes cancel out (swapped shots), the hits between them may find other places, so that no bar has to go.

Conventions: ticks of the source, seconds of the old and of the new music.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from rescore_music.cues import Cues, Hit
from rescore_music.errors import SyncError
from rescore_music.syncing.conforming.bend import Bend, Target, bend
from rescore_music.syncing.conforming.picture import PictureMap
from rescore_music.syncing.conforming.seams import BarEdit, bar_edits
from rescore_music.syncing.conforming.situation import SAME, Anchor, Situation, Stretch
from rescore_music.syncing.splice import spliced

LONGER = 10.0  # seconds of music that a hit behind the end, or before the start, may ask for
MOST_LOOSE = 6  # stretches between two changes that cancel out
HELPS = 0.8  # share of its price that a stretch must fall to, for a soft hit to give way


def new_start(cues: Cues, picture: PictureMap) -> int:
    """Frame of the cue's first sample in the new cut.

    Raises
    ------
    SyncError
        If it would lie before 00:00:00:00.
    """
    start = round(picture.carried(cues.start.frame))
    for hit in cues.hits:  # a shot with a hard hit that came shortly before the start takes the start with it
        moved = picture.moved_at(hit.frame) if hit.hard and picture.kept_at(hit.frame) is None else None
        if moved is not None and not moved.guessed and moved.image(hit.frame) < start:
            near = (start - moved.new) / cues.rate.fps <= LONGER
            start = moved.new if near else start
    if start < 0:
        raise SyncError("in the new cut the cue would start before 00:00:00:00", cure="start the new cut's count later")
    return start


def anchors(known: Situation, landed: Sequence[tuple[Hit, int]]) -> tuple[list[Anchor], list[Hit]]:
    """The anchors by tick, and hits that cannot be one for their place is another's.

    Parameters
    ----------
    landed : sequence of (Hit, tick)
        Hits whose picture is kept, and where the music has them.
    """
    cues, picture, score = known.cues, known.picture, known.score
    fps, first = cues.rate.fps, new_start(cues, picture)
    found = [Anchor(0, 0.0, 0.0, known.kept_number(cues.start.frame))]
    for hit, tick in sorted(landed, key=lambda pair: (pair[1], not pair[0].hard)):
        kept = picture.kept_at(hit.frame)
        assert kept is not None
        old = float(score.seconds(tick))
        shift = float(Fraction(kept.offset - (first - cues.start.frame)) / fps)
        found.append(Anchor(tick, old, old + shift, known.kept_number(hit.frame), hit))
    end = float(score.seconds(known.grid.end))
    last = cues.start.frame + end * float(fps)
    found.append(
        Anchor(known.grid.end, end, (picture.carried(last) - first) / float(fps), known.kept_number(int(last)))
    )
    chain: list[Anchor] = []
    left_out: list[Hit] = []
    for anchor in found:
        if chain and (anchor.tick <= chain[-1].tick or anchor.new <= chain[-1].new + SAME):
            if anchor.hit is not None and not (
                anchor.tick == chain[-1].tick and abs(anchor.new - chain[-1].new) < SAME
            ):
                left_out.append(anchor.hit)
            continue
        chain.append(anchor)
    return chain, left_out


def reaching(known: Situation, chain: Sequence[Anchor], targets: Sequence[Target]) -> list[Anchor]:
    """The anchors, the end late enough for hard hits that came to lie shortly behind it, and for a beat after them."""
    last = chain[-1]
    beat = float(
        known.score.seconds(last.tick) - known.score.seconds(last.tick - known.score.beat_ticks(last.tick - 1))
    )
    times = [t.time + beat for t in targets if t.hit.hard and t.time <= last.new + LONGER]
    return [*chain[:-1], replace(last, new=max([last.new, *times]))]


def planned(known: Situation, chain: Sequence[Anchor], targets: Sequence[Target]) -> list[Stretch]:
    """The stretches between anchors, each touched one with its bar edit.

    Raises
    ------
    SyncError
        If hard hits that came into a stretch find no place in it, however it is edited.
    """
    held, settled = list(chain), set[tuple[int, int]]()
    prices: dict[tuple[int, int], tuple[Stretch, float]] = {}

    def price_of(left: Anchor, right: Anchor, given: tuple[Anchor, ...]) -> tuple[Stretch, float]:
        key = (left.tick, right.tick)
        if key not in prices:
            prices[key] = _plan(known, _stretch(known, left, right, targets, given))
        return prices[key]

    given: dict[int, Anchor] = {}
    while True:
        inside = tuple(given.values())
        pairs = [price_of(a, b, inside) for a, b in pairwise(held)]
        trial = next((span for span in _trials(pairs) if _key(pairs, span) not in settled), None)
        if trial is None:
            _refuse(known, [s for s, price in pairs if price == np.inf])
            return [s for s, _ in pairs]
        low, high = trial
        loose = held[low + 1 : high]
        merged = price_of(held[low], held[high], (*inside, *loose))
        if merged[1] < HELPS * sum(price for _, price in pairs[low:high]):
            held = held[: low + 1] + held[high:]
            given |= {a.tick: a for a in loose}
        else:
            settled.add(_key(pairs, trial))
            del prices[held[low].tick, held[high].tick]


def _key(pairs: Sequence[tuple[Stretch, float]], span: tuple[int, int]) -> tuple[int, int]:
    return pairs[span[0]][0].left.tick, pairs[span[1] - 1][0].right.tick


def _trials(pairs: Sequence[tuple[Stretch, float]]) -> list[tuple[int, int]]:
    """Runs of stretches [low, high) that might better be one.

    A strained stretch with the soft hits beside it; and two whose changes cancel out, as where shots were swapped, with
    what lies between them.
    """
    found: list[tuple[int, int]] = []
    touched = [k for k, (s, _) in enumerate(pairs) if s.touched]
    for number, k in enumerate(touched):
        stretch, price = pairs[k]
        if price <= 1:
            continue
        if stretch.left.soft or stretch.right.soft:
            found.append((k - stretch.left.soft, k + 1 + stretch.right.soft))
        for m in touched[number + 1 : number + 2]:
            one, other = stretch.longer, pairs[m][0].longer
            named = any(s.right.name for s, _ in pairs[k:m])  # frozen spans and holds keep their place
            if (
                not named
                and one * other < 0
                and 2 * abs(one + other) < min(abs(one), abs(other))
                and m - k <= MOST_LOOSE
            ):
                found.append((k, m + 1))
    return found


def _stretch(
    known: Situation, left: Anchor, right: Anchor, targets: Sequence[Target], given: Sequence[Anchor]
) -> Stretch:
    inside = [t for t in targets if left.new < t.time < right.new]
    for anchor in given:
        if anchor.hit is not None and left.tick < anchor.tick < right.tick:
            place = anchor.tick if anchor.soft else -1  # a hard one looks for its place anew
            time = anchor.new - anchor.old + float(known.cues.seconds_of(anchor.hit.frame))  # the picture's, exactly
            inside.append(Target(moved_hit(known.picture, anchor.hit), time, place))
    return Stretch(left, right, tuple(sorted(inside, key=lambda t: t.time)))


def moved_hit(picture: PictureMap, hit: Hit) -> Hit:
    """A hit of the old cut in the new one, where its picture is kept."""
    kept = picture.kept_at(hit.frame)
    return hit if kept is None else replace(hit, frame=hit.frame + kept.offset)


def _plan(known: Situation, stretch: Stretch) -> tuple[Stretch, float]:
    if not stretch.touched:
        return stretch, 0.0
    wanted = stretch.right.new - stretch.left.new
    asks = known.asks(stretch)
    if asks and (plain := _tried(known, stretch, BarEdit())) is not None and plain.burden <= 1:
        return stretch, plain.burden
    span = stretch.left.tick, stretch.right.tick
    edits = bar_edits(known.grid, *span, wanted, known.analysis, strained=asks)
    if not stretch.targets and not asks:
        return replace(stretch, edit=edits[0]), edits[0].price
    best: tuple[float, BarEdit] | None = None
    for edit in edits:
        if best is not None and edit.seam >= best[0]:
            continue
        solved = _tried(known, stretch, edit)
        if solved is not None and (best is None or edit.seam + solved.burden < best[0]):
            best = edit.seam + solved.burden, edit
    if best is None:
        return stretch, np.inf
    return replace(stretch, edit=best[1]), best[0]


def _refuse(known: Situation, stuck: Sequence[Stretch]) -> None:
    for stretch in stuck[:1]:
        names = ", ".join(f"'{t.hit.label}'" for t in stretch.targets if t.hit.hard)
        raise SyncError(
            f"{names}: no place in bars {_bars(known, stretch)} for what the new cut brings there",
            cure="make some of these hits soft, or let them land on eighths",
        )


def _tried(known: Situation, stretch: Stretch, edit: BarEdit) -> Bend | None:
    """The stretch solved with one edit alone."""
    end = max(int(known.score.bars[-1]), known.score.length)
    made = spliced(known.score, edit.spans(0, end))
    a, b = made.new_tick(stretch.left.tick), made.new_tick(stretch.right.tick)
    if a is None or b is None:
        return None
    times = stretch.left.new, stretch.right.new
    targets = carried(stretch.targets, made.new_tick)
    return bend(made.score, a, b, times, targets, known.frame, known.spliced_grid(made), known.steady)


def carried(targets: Sequence[Target], new_tick: object) -> list[Target]:
    """Targets with their places in a spliced score; one whose bars are gone looks for another."""
    assert callable(new_tick)
    out = []
    for target in targets:
        tick = new_tick(target.tick) if target.tick >= 0 else None
        out.append(replace(target, tick=-1 if tick is None else tick))
    return out


def _bars(known: Situation, stretch: Stretch) -> str:
    first, last = known.score.bar_number([stretch.left.tick, stretch.right.tick - 1])
    return f"{first}-{last}" if last > first else str(first)


def nearest_tick(known: Situation, hit: Hit) -> int | None:
    """Where the music has a hit now: a place of its kind, else any eighth or note, within its tolerance."""
    time = float(known.cues.seconds_of(hit.frame))
    slack = (max(hit.tolerance, 0.5) + 1e-6) * known.frame
    kinds = [known.grid.eighths, np.unique(known.score.notes["onset"]), np.array([known.grid.end])]
    with suppress(SyncError):  # a motif that the score as given does not name
        kinds.insert(0, known.grid.places(hit.lands))
    for ticks in kinds:
        if len(ticks):
            off = np.abs(known.score.seconds(ticks) - time)
            k = int(off.argmin())
            if off[k] <= slack:
                return int(ticks[k])
    return None
