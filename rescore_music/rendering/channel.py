"""What a part's controllers, bends and pedals do over time, as curves on a fixed grid of `BLOCK` frames.

Conventions: the grid starts at frame 0; entry k of a curve already knows every event before the end of block k, and
the voice engine ramps from entry k to entry k + 1 inside block k. So a note hears all that was sent with it, and a
controller may be heard up to two blocks (2.7 ms at 48 kHz) early, which spares the steps their clicks.

References: MIDI 1.0 Detailed Specification (RPN 0 to 2, reset all controllers: RP-015); SoundFont 2.04, 8.4
(default modulators: volume and expression are concave over 96 dB, so amplitude goes with the square).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rescore_music.score import CHANNEL_PRESSURE, Score

BLOCK = 64  # frames between the points of a control curve

Floats = npt.NDArray[np.float32]
Ticks = npt.NDArray[np.int64]

MODULATION, DATA_MSB, VOLUME, PANNING, EXPRESSION, DATA_LSB = 1, 6, 7, 10, 11, 38
SUSTAIN, SOSTENUTO, RESET = 64, 66, 121
_PARAMETER = {101: "msb", 100: "lsb", 99: "nrpn", 98: "nrpn"}
_DEFAULTS = {MODULATION: 0, VOLUME: 100, PANNING: 64, EXPRESSION: 127, CHANNEL_PRESSURE: 0}
_ON_RESET = {MODULATION: 0, EXPRESSION: 127, CHANNEL_PRESSURE: 0}


@dataclass(frozen=True)
class Curves:
    """Control curves of one part, one entry a block.

    Attributes
    ----------
    gain : float32 array
        Volume and expression as an amplitude factor.
    pan : float32 array
        -500 (left) to 500 (right), in 0.1 %.
    cents : float32 array
        Pitch bend and channel tuning.
    vibrato : float32 array
        Modulation wheel and channel pressure: 0 to 1.
    """

    gain: Floats
    pan: Floats
    cents: Floats
    vibrato: Floats


def curves(score: Score, part: int, frames: int, rate: int) -> Curves:
    """The control curves of a part over `frames` frames."""
    blocks = frames // BLOCK + 3
    events = score.controls[score.controls["part"] == part]
    values = {number: _steps(events, number) for number in _DEFAULTS}

    def on_grid(ticks: Ticks, levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if len(ticks) == 1:
            return np.full(blocks, levels[0])
        at = np.rint(score.seconds(ticks) * rate).astype(np.int64)
        at[0] = -1
        known = np.searchsorted(at, (np.arange(blocks) + 1) * BLOCK - 1, side="right") - 1
        return levels[known]

    volume, expression = on_grid(*values[VOLUME]), on_grid(*values[EXPRESSION])
    pan = np.clip((on_grid(*values[PANNING]) - 64.0) * (500.0 / 63.0), -500.0, 500.0)
    wheel = on_grid(*values[MODULATION]) + on_grid(*values[CHANNEL_PRESSURE])
    return Curves(
        ((volume / 127.0) ** 2 * (expression / 127.0) ** 2).astype(np.float32),
        pan.astype(np.float32),
        on_grid(*_tuning(score, part, events)).astype(np.float32),
        np.clip(wheel / 127.0, 0.0, 2.0).astype(np.float32),
    )


def _steps(events: npt.NDArray[np.void], number: int) -> tuple[Ticks, npt.NDArray[np.float64]]:
    """(ticks, values) of one controller, led by its default."""
    chosen = events["number"] == number
    if number in _ON_RESET:
        chosen = chosen | (events["number"] == RESET)
    rows = events[chosen]
    values = np.where(rows["number"] == RESET, _ON_RESET.get(number, 0), rows["value"]).astype(np.float64)
    ticks = np.concatenate([[-1], rows["tick"]]).astype(np.int64)
    return ticks, np.concatenate([[float(_DEFAULTS[number])], values])


def _tuning(score: Score, part: int, events: npt.NDArray[np.void]) -> tuple[Ticks, npt.NDArray[np.float64]]:
    """(ticks, cents) of bends, their range (RPN 0) and channel tuning (RPN 1, 2)."""
    bends = score.bends[score.bends["part"] == part]
    parameters = events[np.isin(events["number"], [DATA_MSB, DATA_LSB, RESET, *_PARAMETER])]
    # at one tick the parameters come first: a range is set before it is used
    todo = [(int(e["tick"]), 0, i) for i, e in enumerate(parameters)]
    todo += [(int(e["tick"]), 1, i) for i, e in enumerate(bends)]
    bend, select, data = 0, {"msb": 127, "lsb": 127}, {0: [2, 0], 1: [64, 0], 2: [64, 0]}
    ticks, cents = [-1], [0.0]
    for tick, is_bend, i in sorted(todo):
        if is_bend:
            bend = int(bends["value"][i])
        else:
            number, value = int(parameters["number"][i]), int(parameters["value"][i])
            chosen = select["lsb"] if select["msb"] == 0 else -1
            if number == RESET:
                bend, select = 0, {"msb": 127, "lsb": 127}
            elif number in _PARAMETER:
                kind = _PARAMETER[number]
                select = select | {kind: value} if kind != "nrpn" else {"msb": 127, "lsb": 127}
            elif chosen in data:
                if number == DATA_MSB:
                    data[chosen] = [value, 0 if chosen == 0 else data[chosen][1]]
                else:
                    data[chosen][1] = value
        reach = data[0][0] * 100 + data[0][1]
        fine = ((data[1][0] << 7 | data[1][1]) - 8192) / 8192 * 100
        coarse = (data[2][0] - 64) * 100
        ticks.append(tick)
        cents.append(bend / 8192 * reach + fine + coarse)
    return np.array(ticks, np.int64), np.array(cents)


def held_ends(score: Score, part: int, onsets: Ticks, ends: Ticks, keys: npt.NDArray[np.int64]) -> Ticks:
    """Where the notes of a part are let go, pedals counted.

    The sustain pedal holds a note that ends while it is down until it rises; the sostenuto pedal only the notes whose
    keys were down as it went down. A note held by pedal alone is also let go when its key is struck again.

    Parameters
    ----------
    onsets, ends, keys : int64 arrays, shape (notes,)

    Returns
    -------
    int64 array of ticks, at least `ends`
    """
    events = score.controls[score.controls["part"] == part]
    held = ends.copy()
    for down, up in _pressed(events, SOSTENUTO, score.length):
        caught = (onsets <= down) & (ends > down) & (ends < up)
        held[caught] = np.maximum(held[caught], up)
    spans = _pressed(events, SUSTAIN, score.length)
    if spans:
        downs, ups = (np.array(column, np.int64) for column in zip(*spans, strict=True))
        span = np.searchsorted(downs, held, side="right") - 1
        under = (span >= 0) & (held < ups[span])
        held[under] = ups[span[under]]
    lengthened = held > ends
    if not np.any(lengthened):
        return held
    order = np.lexsort([onsets, keys])
    again = np.full(len(ends), np.iinfo(np.int64).max)
    same = (keys[order][1:] == keys[order][:-1]) & (onsets[order][1:] > onsets[order][:-1])
    again[order[:-1][same]] = onsets[order[1:][same]]
    return np.where(lengthened, np.minimum(held, np.maximum(again, ends)), held)


def _pressed(events: npt.NDArray[np.void], number: int, length: int) -> list[tuple[int, int]]:
    """(down, up) ticks of a pedal; one that is never lifted ends with the music."""
    down: int | None = None
    spans: list[tuple[int, int]] = []
    for event in events[np.isin(events["number"], [number, RESET])]:
        tick, pressed = int(event["tick"]), event["number"] == number and event["value"] >= 64
        if pressed and down is None:
            down = tick
        elif not pressed and down is not None:
            spans.append((down, tick))
            down = None
    if down is not None:
        spans.append((down, max(length, down)))
    return spans
