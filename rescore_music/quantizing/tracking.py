"""Beats and bars of a performance without a grid: where in which bar each attack stands.

A hidden Markov model over attacks. A state is a tempo and a place in the bar (twelfths of a quarter); from one attack
to the next the place advances by some twelfths, which take as long as the tempo says, but for noise. How likely an
advance is, is counted from notated scores (priors.py); so is how likely an attack of this length, bass, harmony and
size is at that place. The best path (Viterbi) gives every attack its place; the meter is the one whose model explains
the music best. Long performances are decoded in blocks, so cost and memory are linear in the number of attacks.

Times are seconds; tempi are quarters a minute (a compound meter's beat is a dotted quarter).

Sources: Raphael, Artificial Intelligence 137, 2002; Nakamura, Yoshii and Sagayama, IEEE TASLP 25(4), 2017; Whiteley,
Cemgil and Godsill, ISMIR 2006 (the bar pointer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.quantizing.clusters import Attacks
from rescore_music.quantizing.priors import METERS, PER_QUARTER, MeterModel, meter_model

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TEMPI = np.exp(np.arange(np.log(32.0), np.log(300.0), 0.035))
USUAL, SPREAD = 104.0, 0.36  # quarters a minute; natural logarithm
_WEIGHT = 6  # attacks whose rhythm and harmony may say as much about the level of the beat as tempo does once
_NOISE, _RUBATO = 0.024, 0.025  # seconds; share of the time between attacks
_OUTLIER = 0.02  # share of attacks that come at any time: a pause, a slip
_ADVANCES = np.array([-1, 0, 1, 2])
_SHIFTS = np.array([0, -1, 1], np.int8)  # of the tempo before, against the tempo after
_ORNAMENT = -3.5  # log probability of an attack that is an ornament of the one before
_CHORD = 0.09  # seconds within which an attack may be an ornament of the one before
_TOLD = 1.0  # weight of the observations, which depend on each other
_SEGMENT = 128  # attacks between which the range of tempi follows the music
_REACH = 10  # tempi either side of the likeliest that are kept: a third faster or slower
_HELD = 8  # segments whose decisions stay open until later attacks have confirmed them
_PERIODIC = 1.5  # nats a beat for bars that are alike
_CREDIBLE = 0.25  # nats an attack that a meter may stand behind the likeliest and still be chosen for its bars
_TRIAL = 500  # attacks that a meter is chosen on


@dataclass(frozen=True, eq=False)
class Tracked:
    """Where the attacks stand: twelfths of a quarter since the bar line before the first attack."""

    meter: tuple[int, int]
    place: Ints
    score: float


@dataclass(frozen=True, eq=False)
class _Segment:
    """How states were reached, attack by attack: shape (attacks, tempi, places); `low`: the first tempo's index."""

    low: int
    advance: npt.NDArray[np.int16]
    shift: npt.NDArray[np.int8]


class _Decoder:
    """The model of one meter, run over attacks."""

    def __init__(self, model: MeterModel, attacks: int) -> None:
        self.model = model
        here = np.arange(model.size)
        self.origin = (here[None, :] - here[:, None]) % model.size  # [advance, place] -> place before
        self.step = model.step[self.origin, here[None, :]]  # [advance, place]
        pace = TEMPI * (PER_QUARTER * 1.5 / model.beat if model.beat > PER_QUARTER else 1.0)
        # attacks depend on each other, so that together they speak too loud: usual tempi speak as often
        tempo = -0.5 * (np.log(pace / USUAL) / SPREAD) ** 2 * max(1.0, min(attacks, _TRIAL) / _WEIGHT)
        self.value: Floats = tempo[:, None] + model.start[None, :]
        self.low = 0

    def narrow(self) -> None:
        """Keep the tempi near the likeliest."""
        best = self.low + int(self.value.max(axis=1).argmax())
        low, high = max(0, best - _REACH), min(len(TEMPI), best + _REACH + 1)
        wide = np.full((len(TEMPI), self.model.size), -np.inf)
        wide[self.low : self.low + len(self.value)] = self.value
        self.value, self.low = wide[low:high], low

    def run(self, gaps: Floats, told: Floats) -> _Segment:
        """Advance over attacks."""
        tempi, size = self.value.shape
        unit = 60.0 / TEMPI[self.low : self.low + tempi] / PER_QUARTER  # seconds a twelfth
        advance = np.floor(gaps[:, None, None] / unit)[:, :, :] + _ADVANCES[None, :, None]
        advance = np.maximum(advance, 0).astype(np.int64)
        fit = _fit(gaps, advance, unit) - 3.0 * (advance > size)
        moved = np.log(np.minimum(0.22, 0.06 + 0.22 * gaps))
        stayed = np.log1p(-2 * np.exp(moved))
        taken = np.zeros((len(gaps), tempi, size), np.int16)
        shifted = np.zeros((len(gaps), tempi, size), np.int8)
        rows, columns = np.arange(tempi)[:, None], np.arange(size)[None, :]
        value = self.value
        for n in range(len(gaps)):
            before = np.full((tempi + 2, size), -np.inf)
            before[1:-1] = value
            ways = np.stack([before[1:-1] + stayed[n], before[:-2] + moved[n], before[2:] + moved[n]])
            shift = ways.argmax(axis=0)
            best = np.take_along_axis(ways, shift[None], axis=0)[0]
            turn = advance[n] % size
            source = rows[None] * size + self.origin[turn]
            step = np.where((advance[n] == 0)[:, :, None], _ORNAMENT, self.step[turn])
            reached = best.ravel().take(source) + step + fit[n][:, :, None]
            choice = reached.argmax(axis=0)
            value = np.take_along_axis(reached, choice[None], axis=0)[0] + told[n][None, :]
            taken[n] = advance[n][choice, rows]
            shifted[n] = _SHIFTS[shift.ravel().take(source[choice, rows, columns])]
        self.value = value
        return _Segment(self.low, taken, shifted)

    def best(self) -> tuple[int, int]:
        """The likeliest state: index of the tempo, place."""
        tempo, place = np.unravel_index(int(self.value.argmax()), self.value.shape)
        return self.low + int(tempo), int(place)


def _fit(gaps: Floats, advance: Ints, unit: Floats) -> Floats:
    """Log likelihood of gaps, given the twelfths they are said to be, shape (attacks, advances, tempi)."""
    gap = gaps[:, None, None]
    off = gap - advance * unit
    width = np.hypot(_NOISE, _RUBATO * gap)
    near = np.exp(-0.5 * (off / width) ** 2) / (width * 2.5066)
    far = np.exp(-np.abs(off) / (0.1 + 0.5 * gap)) / (0.2 + gap)
    out = np.log((1 - _OUTLIER) * near + _OUTLIER * far)
    return np.asarray(np.where((advance > 0) | (gap < _CHORD), out, -np.inf), np.float64)


def _told(model: MeterModel, classes: Ints) -> Floats:
    """Log likelihood of each attack's observations at each place of a bar, shape (attacks, size)."""
    total = np.zeros((len(classes), int(model.level.max()) + 1))
    for k, table in enumerate(model.seen):
        total += table[:, classes[:, k]].T[:, : total.shape[1]]
    return np.asarray(_TOLD * total[:, model.level], np.float64)


def track(attacks: Attacks, meters: Sequence[tuple[int, int]] = METERS) -> Tracked:
    """Places of all attacks in the meter that fits best.

    Parameters
    ----------
    attacks : Attacks
        At least two.
    meters : tuples of (numerator, denominator)
        The meters to choose from, all of `priors.METERS` by default.
    """
    n = min(len(attacks.time), _TRIAL)
    trial = Attacks(attacks.time[:n], attacks.of_note[:0], attacks.classes[:n])
    models = [meter_model(*m) for m in meters]
    results = [_decoded(model, trial) for model in models]
    score = np.array([r.score for r in results])
    alike = np.array([_periodicity(r, model, trial) for r, model in zip(results, models, strict=True)])
    likely = score > score.max() - _CREDIBLE * n
    best = int(np.argmax(np.where(likely, score + _PERIODIC * alike, -np.inf)))
    return results[best] if n == len(attacks.time) else _decoded(models[best], attacks)


def _periodicity(tracked: Tracked, model: MeterModel, attacks: Attacks) -> float:
    """How much more alike music is a bar apart than other numbers of beats apart, times the number of beats.

    The autocorrelation of what each half beat (third of a compound one) holds: an attack, its size, a bass note, a new
    harmony (Brown, JASA 94(4), 1993).
    """
    unit = model.beat // (3 if model.beat > PER_QUARTER else 2)
    slot = (tracked.place - tracked.place[0]) // unit
    count = int(slot[-1]) + 1
    beat, bar = model.beat // unit, model.size // unit
    if count < 3 * bar or count > 50 * len(slot):
        return 0.0
    values = np.zeros((count, 4))
    columns = (np.ones(len(slot)), attacks.classes[:, 2] == 2, attacks.classes[:, 1] >= 2, attacks.classes[:, 3] == 0)
    for k, column in enumerate(columns):
        np.maximum.at(values[:, k], slot, np.asarray(column, np.float64))
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 0.1)
    lags = range(beat, min(6 * beat, count // 2) + 1, beat)
    alike = {lag: float((values[lag:] * values[:-lag]).mean()) for lag in lags}
    others = [a for lag, a in alike.items() if lag % bar]
    return (alike.get(bar, 0.0) - float(np.mean(others)) if others else 0.0) * count / beat


def _decoded(model: MeterModel, attacks: Attacks) -> Tracked:
    """The best path through one meter's model."""
    gaps = np.diff(attacks.time)
    told = _told(model, attacks.classes)
    decoder = _Decoder(model, len(attacks.time))
    decoder.value = decoder.value + told[0][None, :]
    steps = np.zeros(len(attacks.time), np.int64)
    held: list[_Segment] = []
    done = 0  # attacks whose segments are closed
    start = 0
    for at in range(0, len(gaps), _SEGMENT):
        stop = min(at + _SEGMENT, len(gaps))
        held.append(decoder.run(gaps[at:stop], told[at + 1 : stop + 1]))
        decoder.narrow()
        last = stop == len(gaps)
        if last or len(held) == _HELD:
            path, first = _traced(held, decoder.best(), model.size)
            start = first if done == 0 else start
            closed = len(held) if last else _HELD // 2
            count = sum(len(segment.advance) for segment in held[:closed])
            steps[done + 1 : done + count + 1] = path[:count]
            done += count
            held = held[closed:]
    if not len(gaps):
        start = decoder.best()[1]
    return Tracked((model.numerator, model.denominator), start + np.cumsum(steps), float(decoder.value.max()))


def _traced(held: list[_Segment], state: tuple[int, int], size: int) -> tuple[Ints, int]:
    """The advances that led to a state, and the place it all began at."""
    tempo, place = state
    out: list[int] = []
    for segment in reversed(held):
        for n in range(len(segment.advance) - 1, -1, -1):
            row = tempo - segment.low
            advance = int(segment.advance[n, row, place])
            tempo += int(segment.shift[n, row, place])
            place = (place - advance) % size
            out.append(advance)
    return np.array(out[::-1], np.int64), place
