"""How small the largest step and deviation of a hit list can be at all: an exact search, none of the solver's code.

For a *burden* b (1: steps of 0.75 % a beat and deviations of 5.5 %) it is decided whether any landing places and any
tempo curve meet all hits: depth first over the eighths that each hit may fall on, and for every beginning of the list a
linear program in the times of the beats, by HiGHS:

    tempo of neighbouring beats at most 1 + 0.0075 b apart, that of every beat within 1 +- 0.055 b of the music's own,
    every hit within its tolerance; in the middle of a beat the tempo may change as much as between beats.

(Of a beginning only its last hits are looked at, which can only make it seem possible; of the list all are.)
A beginning that cannot be met ends its branch, so "no" is a proof (as far as the program's tolerance of 1e-7 goes); the
search gives up after so many programs and then says nothing. Music: a constant tempo; hits by time, on eighths.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

STEP, DEVIATION = 0.0075, 0.055
WINDOW = 7  # hits of a beginning that are looked at


def possible(times: np.ndarray, tolerance: float, beat: float, burden: float, most: int = 1500) -> bool | None:
    """Whether hits on eighths can be met within a burden; None where the search gave up.

    Parameters
    ----------
    times : float array
        Seconds, rising.
    tolerance, beat : float
        Seconds.
    burden : float
    most : int
        Linear programs.
    """
    slow, fast = 1 / (1 - min(DEVIATION * burden, 0.9)), 1 / (1 + DEVIATION * burden)
    tried = 0
    stack: list[tuple[int, ...]] = [()]
    while stack:
        places = stack.pop()
        whole = len(places) in (len(times), *range(WINDOW + 1))
        first = 0 if whole else len(places) - WINDOW
        seen = times[first : len(places)]
        if places and not _meets(np.array(places[first:]), seen, tolerance, beat, burden, anchored=whole):
            continue
        if len(places) == len(times):
            return True
        before, at = (places[-1], times[len(places) - 1] - tolerance) if places else (0, 0.0)
        gap, give = times[len(places)] - at - tolerance * bool(places), tolerance * (1 + bool(places))
        low = int(np.ceil(2 * (gap - give) / beat / slow - 1e-9))
        high = int(np.floor(2 * (gap + give) / beat / fast + 1e-9))
        middle = 2 * gap / beat
        # an eighth inside a beat may lie aside by what the tempo changes in it
        options = sorted(range(max(low - 1, 1), high + 2), key=lambda n: -abs(n - middle))
        stack += [(*places, before + n) for n in options]
        tried += 1
        if tried > most:
            return None
    return False


def _meets(
    places: np.ndarray, times: np.ndarray, tolerance: float, beat: float, burden: float, *, anchored: bool = True
) -> bool:
    """Whether some curve has these eighths at these times, with music from time 0 or (not anchored) from anywhere."""
    places = places if anchored else places - places[0] // 2 * 2
    count = int(places[-1] + 1) // 2 + 1  # edges of beats
    q = STEP * burden
    slow, fast = beat / (1 - min(DEVIATION * burden, 0.9)), beat / (1 + DEVIATION * burden)
    rows: list[tuple[int, int, float]] = []
    limits: list[float] = []

    def at_most(pairs: list[tuple[int, float]], limit: float) -> None:
        rows.extend((len(limits), column, value) for column, value in pairs)
        limits.append(limit)

    for i in range(count - 1):
        at_most([(i + 1, 1.0), (i, -1.0)], slow)
        at_most([(i + 1, -1.0), (i, 1.0)], -fast)
    for i in range(count - 2):
        at_most([(i + 2, 1.0), (i + 1, -2.0 - q), (i, 1.0 + q)], 0.0)
        at_most([(i + 2, -1.0 - q), (i + 1, 2.0 + q), (i, -1.0)], 0.0)
    for place, time in zip(places.tolist(), times.tolist(), strict=False):
        i, half = divmod(place, 2)
        early, late = (1 / (2 + q), (1 + q) / (2 + q)) if half else (0.0, 0.0)
        at_most([(i, 1 - early), (i + half, early)] if half else [(i, 1.0)], time + tolerance)
        at_most([(i, late - 1), (i + half, -late)] if half else [(i, -1.0)], tolerance - time)
    r, c, v = zip(*rows, strict=True)
    matrix = coo_matrix((v, (r, c)), (len(limits), count)).tocsr()
    bounds = [(0.0, 0.0 if anchored else None)] + [(0.0, None)] * (count - 1)
    found = linprog(np.zeros(count), A_ub=matrix, b_ub=limits, bounds=bounds, method="highs")
    return found.status == 0


def least_burden(times: np.ndarray, tolerance: float, beat: float, reached: float, finest: float = 0.02) -> float:
    """A burden below which no curve meets the hits, within `finest` of the least there is, but for searches given up.

    Parameters
    ----------
    reached : float
        A burden at which they are met.
    """
    low, high = 0.0, reached
    while high - low > finest * reached:
        middle = (low + high) / 2
        answer = possible(times, tolerance, beat, middle)
        if answer is None:
            break
        low, high = (low, middle) if answer else (middle, high)
    return low
