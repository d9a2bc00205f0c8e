"""Cuts: where one picture's texture cannot have come from the one before, though its neighbours' can.

Method. (1) For each picture, `motion.unexplained` against the one before it, both ways, the larger of the two. (2) What
the two transitions on either side leave unexplained too (grain, shake, a fast pan) is no evidence: the rest, as a share
of what could be, must reach ENOUGH. (3) A transition after which the picture comes back within a fifth of a second is a
flash, a lamp or something passing the lens, not a cut; a brightness that changes while the order of light and dark
stays is a lamp; a picture that grows out of black step by step is a fade. (4) Between flat pictures (titles, black),
which have no texture, the colour itself must change.

Conventions: transition k lies between picture k - 1 and picture k; a cut at k is the first picture of the new shot.
Pictures here are counted as decoded; `grid` turns them into frames. ENOUGH and the other constants were set on seeds 1
to 3 of benchmarks/clips.py; benchmarks/bench_cuts.py measures on others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rescore_music.video.gradual import COARSE, EVERY
from rescore_music.video.motion import FAR, HIGH, WIDE, Floats, unexplained

Thumbs = npt.NDArray[np.uint8]  # (n, HIGH, WIDE, 3)
Numbers = npt.NDArray[np.float64]

ENOUGH = (0.14, 0.22, 0.3)  # share of texture that must be new: after stillness, usually, in fast motion ...
RISE = (5.0, 2.0)  # ... that is where levels change more than so many times as much as around
STILL = 0.5  # levels of mean change below which nothing moves
LEAST = 1.2  # levels of mean change below which nothing can have been cut
AROUND = 2  # transitions on either side that tell what is usual
BACK = 0.2  # seconds within which a flash is over
SHORTEST_BACK = 6  # pictures
SAME = 0.55  # of the novelty: a picture that leaves less unexplained is the one from before
ORDER, CLIPPED_ORDER = 0.93, 0.85  # rank correlation of two pictures that differ by their light; where it clips
LITTLE = 0.4  # novelty that clipped light can make
FLAT = 3.0  # spread of luma in a picture without texture
COLOUR = 18.0  # levels by which a flat picture must change
GROWS = 1.3  # contrast a picture later, relative: a fade
SPARK = 14.0  # levels of mean luma that a flash adds
CORE, MARGIN = 192, 32  # pictures judged at once, and known on either side of them


@dataclass
class CutFinder:
    """Judges pictures as they come.

    Attributes
    ----------
    fps : float
        Pictures a second, as far as the container knows.
    cuts : list of int
    flashes : list of (int, int)
        [first bright (or dark) picture, first picture after it).
    level, spread : list of float
        Mean and spread of the luma of each picture.
    coarse : list of float32 array, shape (n, 9, 16)
        Their luma for `gradual.dissolves`.
    kept : list of uint8 array, shape (n, HIGH, WIDE)
        Luma of every `gradual.EVERY`th picture.
    """

    fps: float
    cuts: list[int] = field(default_factory=list)
    flashes: list[tuple[int, int]] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    coarse: list[Floats] = field(default_factory=list)
    kept: list[Thumbs] = field(default_factory=list)
    _held: list[Thumbs] = field(default_factory=list)
    _novelty: list[Floats] = field(default_factory=list)
    _from: int = 0  # number of the first picture held
    _judged: int = 0

    def feed(self, batch: Thumbs) -> None:
        """Take the next pictures."""
        last = self._held[-1][-1:] if self._held else batch[:1]
        luma = np.concatenate([last, batch])[..., 0].astype(np.float32)
        self.level += luma[1:].mean((1, 2)).tolist()
        self.spread += luma[1:].std((1, 2)).tolist()
        tall, wide = COARSE
        self.coarse.append(luma[1:].reshape(-1, tall, HIGH // tall, wide, WIDE // wide).mean((2, 4)))
        first = -(len(self.level) - len(batch)) % EVERY
        self.kept.append(batch[first::EVERY, :, :, 0].copy())
        self._novelty.append(_novelty(luma))
        self._held.append(batch)
        if len(self.level) - self._judged >= CORE + MARGIN:
            self._judge(len(self.level) - MARGIN)

    def finish(self) -> None:
        """Judge what is left."""
        self._judge(len(self.level))

    def _judge(self, end: int) -> None:
        pictures, novelty = np.concatenate(self._held), np.concatenate(self._novelty)
        window = _Window(pictures, novelty, max(SHORTEST_BACK, round(BACK * self.fps)))
        cuts, flashes = window.judged(self._judged - self._from, end - self._from)
        self.cuts += [k + self._from for k in cuts]
        self.flashes += [(a + self._from, b + self._from) for a, b in flashes]
        keep = max(end - self._from - MARGIN, 0)
        self._held, self._novelty = [pictures[keep:]], [novelty[keep:]]
        self._from += keep
        self._judged = end


def _novelty(luma: Floats) -> Floats:
    """What each picture but the first shows that the one before it does not, or the other way round."""
    before, after = luma[:-1], luma[1:]
    moved = np.abs(after - before).mean((1, 2)) > STILL
    out = np.zeros(len(after), np.float32)
    if moved.any():
        out[moved] = np.maximum(unexplained(after[moved], before[moved]), unexplained(before[moved], after[moved]))
    return out


class _Window:
    """Some seconds of pictures, of which the middle is judged."""

    def __init__(self, pictures: Thumbs, novelty: Floats, back: int) -> None:
        self.luma = pictures[..., 0].astype(np.float32)
        self.blocks = pictures.reshape(-1, 4, HIGH // 4, 8, WIDE // 8, 3).mean((2, 4)).astype(np.float32)
        self.back = back
        self.spread = self.luma.std((1, 2))
        self.level = self.luma.mean((1, 2))
        around = np.pad(novelty, AROUND)
        shifts = [s for s in range(2 * AROUND + 1) if s != AROUND]
        usual = np.max([around[s : s + len(novelty)] for s in shifts], axis=0)
        self.excess = (novelty - usual) / np.maximum(1 - usual, 0.05)

    def judged(self, start: int, end: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Cuts and flashes that begin in [start, end)."""
        cuts: list[int] = []
        flashes: list[tuple[int, int]] = []
        for k in range(max(start, 1), end):
            sudden = (self.excess[k] > ENOUGH[0] and self._novel(k)) or self._recoloured(k)
            if sudden and not self._comes_back(k) and not self._same_in_other_light(k) and not self._fades(k):
                cuts.append(k)
            flash = self._flash(k)
            if flash and (not flashes or flash[0] >= flashes[-1][1]):
                flashes.append(flash)
        return cuts, flashes

    def _novel(self, k: int) -> bool:
        """Whether the novelty stands out from what is usual around; the more, the more moves there."""
        places = np.arange(max(k - AROUND, 1), min(k + AROUND + 1, len(self.luma)))
        one, other = self.luma[places], self.luma[places - 1]
        here = places == k
        change = np.abs(one - other).mean((1, 2))
        if change[here][0] < LEAST:
            return False
        lost = np.maximum(unexplained(one, other), unexplained(other, one))  # of still pictures too
        usual = float(lost[~here].max(initial=0))
        rise = float(change[here][0] / max(change[~here].max(initial=0), 0.1))
        enough = ENOUGH[sum(rise < limit for limit in RISE)]
        return (float(lost[here][0]) - usual) / max(1 - usual, 0.05) > enough

    def _recoloured(self, k: int) -> bool:
        """Whether one flat picture replaces another of a different colour, at once."""
        if max(self.spread[k - 1], self.spread[k]) > FLAT:
            return False
        change = float(np.abs(self.blocks[k] - self.blocks[k - 1]).mean((0, 1)).max())
        others = [j for j in (k - 1, k + 1) if 1 <= j < len(self.luma)]
        usual = max((float(np.abs(self.blocks[j] - self.blocks[j - 1]).mean((0, 1)).max()) for j in others), default=0)
        return change > COLOUR and change > 3 * usual

    def _comes_back(self, k: int) -> bool:
        """Whether the picture before is seen again soon, or this one was seen just before."""
        n = len(self.luma)
        after = [(k - 1, j) for j in range(k + 1, min(k + self.back + 1, n))]
        before = [(k, i) for i in range(max(k - 1 - self.back, 0), k - 1)]
        pairs = np.array([(k - 1, k), *after, *before])
        one, other = self.luma[pairs[:, 0]], self.luma[pairs[:, 1]]
        lost = np.maximum(unexplained(one, other, FAR), unexplained(other, one, FAR))
        if len(lost) < 2:
            return False
        colour = np.abs(self.blocks[pairs[:, 0]] - self.blocks[pairs[:, 1]]).mean((1, 2, 3))
        flat = max(self.spread[k - 1], self.spread[k]) < FLAT
        if flat:
            return bool((colour[1:] < SAME * colour[0]).any())
        alike = lost[1:] < SAME * lost[0]
        if (alike & (colour[1:] < SAME * colour[0])).any():
            return True
        return any(self._order(*pair) > ORDER for pair in pairs[1:][alike])

    def _same_in_other_light(self, k: int) -> bool:
        """Whether light and dark keep their order while the brightness changes."""
        if min(self.spread[k - 1], self.spread[k]) < FLAT / 3:
            return False
        return self._order(k - 1, k) > (CLIPPED_ORDER if self.excess[k] < LITTLE else ORDER)

    def _order(self, one: int, other: int) -> float:
        """Rank correlation of two pictures."""
        a, b = (np.argsort(np.argsort(self.luma[j].ravel(), kind="stable")).astype(np.float64) for j in (one, other))
        middle = (a.size - 1) / 2
        return float(((a - middle) * (b - middle)).mean() / ((a.size**2 - 1) / 12))

    def _fades(self, k: int) -> bool:
        """Whether the picture grows out of a flat one, or shrinks into it, by steps."""
        n = len(self.luma)
        grown = self.spread[k - 1] < FLAT and k + 2 < n and self.spread[k + 1 : k + 3].min() > GROWS * self.spread[k]
        shrunk = self.spread[k] < FLAT and k >= 3 and self.spread[k - 3 : k - 1].min() > GROWS * self.spread[k - 1]
        return bool(grown or shrunk)

    def _flash(self, k: int) -> tuple[int, int] | None:
        """A flash whose first picture is k: much brighter at once, and as before soon after."""
        rise = self.level[k] - self.level[k - 1]
        if rise < SPARK:
            return None
        after = self.level[k + 1 : k + self.back + 1] - self.level[k - 1]
        over = np.flatnonzero(after < rise / 4)
        if not len(over):
            return None
        end = k + 1 + int(over[0])
        lost = unexplained(self.luma[k - 1 : k], self.luma[end : end + 1], FAR)
        return (k, end) if lost[0] < 0.5 else None
