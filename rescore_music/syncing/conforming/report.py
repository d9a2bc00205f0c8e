"""The change report: every change of the picture with what the music does about it, in an editor's words.

Conventions: as in `result`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rescore_music.score import Score
from rescore_music.syncing.conforming.picture import FAR, PictureChange
from rescore_music.syncing.conforming.result import Change, Touched
from rescore_music.syncing.conforming.situation import Anchor, Situation, Stretch
from rescore_music.syncing.landing import Grid
from rescore_music.syncing.splice import Spliced
from rescore_music.timecode import Timecode

VAMP = 4  # repetitions of the same bars that are no longer music
HEARD = 0.05  # percent of tempo below which nothing changes


def change_rows(
    known: Situation, new: Score, stretches: Sequence[Stretch], touched: Sequence[Touched], made: Spliced
) -> tuple[Change, ...]:
    """One row a change of the picture, by old place."""
    done = dict(zip([id(s) for s in stretches if s.touched], touched, strict=True))
    order = sorted(known.picture.changes, key=lambda c: (c.old_start if c.old_start >= 0 else FAR, c.new_start))
    return tuple(_row(known, new, stretches, done, change, n) for n, change in enumerate(order, 1))


def _row(
    known: Situation,
    new: Score,
    stretches: Sequence[Stretch],
    done: dict[int, Touched],
    change: PictureChange,
    number: int,
) -> Change:
    around = _around(known, stretches, change)
    edited = [(s, done[id(s)]) for s in around if id(s) in done]
    if edited:
        music = "; ".join(dict.fromkeys(_music(known, new, s, t) for s, t in edited))
        after, before = _name(known, edited[0][0].left, "start"), _name(known, edited[-1][0].right, "end")
        old_bars = _bars(known.score, edited[0][1].start, edited[-1][1].end)
        new_bars = _bars(new, edited[0][1].new_start, edited[-1][1].new_end)
    else:
        after = before = old_bars = new_bars = ""
        music = "stays as it is" if around else _outside(known, change)
    return Change(
        number,
        change.kind,
        change.what,
        *_labels(known, change.old_start, change.old_end, change.kind in ("inserted", "lengthened")),
        *_labels(known, change.new_start, change.new_end, change.kind in ("removed", "shortened")),
        change.frames,
        after,
        before,
        old_bars,
        new_bars,
        music,
    )


def _around(known: Situation, stretches: Sequence[Stretch], change: PictureChange) -> list[Stretch]:
    """The stretches of music over a change; of what moved, at both its places."""
    gaps = {change.gap} if change.gap >= 0 else set()
    if change.kind in ("moved", "retimed") or change.gap < 0:
        kept = known.picture.kept
        gaps |= {k for k in range(len(kept) - 1) if kept[k].new_end <= change.new_start <= kept[k + 1].new}
    return [s for s in stretches if any(s.left.kept <= gap < s.right.kept for gap in gaps) or _inside(s, change)]


def _inside(stretch: Stretch, change: PictureChange) -> bool:
    return any(change.new_start <= t.hit.frame <= change.new_end for t in stretch.targets if t.tick < 0)


def _outside(known: Situation, change: PictureChange) -> str:
    frame = change.old_start if change.old_start >= 0 else change.new_start
    if frame > known.cues.start.frame:
        return "none here: the cue is over"
    return "none here: the cue starts later"


def _labels(known: Situation, start: int, end: int, point: bool) -> tuple[str, str]:
    """Timecodes of a span; of one that is not there, of the seam where it would be."""
    if start < 0 or end < 0:
        return "", ""
    rate = known.cues.rate
    return Timecode(start, rate).label, Timecode(start if point and start == end else end, rate).label


def _name(known: Situation, anchor: Anchor, plain: str) -> str:
    if anchor.hit is None:
        return anchor.name or plain
    return f"'{anchor.hit.label}'" if anchor.hit.label else f"the hit at {known.cues.timecode(anchor.hit)}"


def _bars(score: Score, start: int, end: int) -> str:
    first, last = score.bar_number([start, max(end - 1, start)])
    return str(first) if first == last else f"{first}-{last}"


def _place(known: Situation, start: int, end: int) -> str:
    """Bars, or beats of a bar, in words."""
    score = known.score
    if start in score.bars and end in score.bars:
        bars = _bars(score, start, end)
        return f"bars {bars}" if "-" in bars else f"bar {bars}"
    (bar, beat), (last, until) = known.grid.bar_beat(start), known.grid.bar_beat(end)
    return f"bar {bar} beat {beat:g} to bar {last} beat {until:g}"


def _music(known: Situation, new: Score, stretch: Stretch, touched: Touched) -> str:
    start, end, times = touched.edit
    said = []
    if times < 0:
        said.append(f"{_place(known, start, end)} taken out")
    elif times > 0:
        said.append(f"{_place(known, start, end)} played {'once' if times == 1 else f'{times} times'} more")
    if times >= VAMP:
        said.append("which asks for new music")
    for tick, before, now in touched.waits:
        said.append(f"what waits in bar {Grid(new).bar_beat(tick)[0]} of the result lasts {now:.2f} s for {before:.2f}")
    if touched.deviation_percent < HEARD:
        said.append("the tempo stays" if said or touched.came else "stays as it is")
    else:
        score = known.score
        own = float(score.seconds(touched.end) - score.seconds(touched.start))
        own += times * float(score.seconds(end) - score.seconds(start))
        way = "slower" if stretch.right.new - stretch.left.new > own else "faster"
        way = f"up to {touched.deviation_percent:.1f} % {way}"
        said.append(f"tempo {way}, {touched.step_percent:.1f} % a beat at most")
    for label, tick in touched.came:
        bar, beat = Grid(new).bar_beat(tick)
        said.append(f"'{label}' falls on bar {bar} beat {beat:g} of the result")
    return ", ".join(said)
