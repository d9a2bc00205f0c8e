"""All features of one candidate: what its excerpt sounds like, what its whole score keeps, what the first pass said.

Besides the features of `listening`:

    melody_short     dB       how far melody_margin stays under the style's target (0 where it does not)
    brightness_off   octaves  distance of brightness from the style's target (0 without one)
    melody_kept, bass_kept, motifs_kept, doubling    as in `quality.fidelity`, of the whole score
    first_pass       share    cost above the best candidate's, relative to it, at most 2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rescore_music.audio import Rendering
from rescore_music.candidate import Candidate
from rescore_music.instruments import instruments
from rescore_music.quality.fidelity import fidelity
from rescore_music.rescoring import listening
from rescore_music.rescoring.excerpt import Excerpt
from rescore_music.score import Score
from rescore_music.structure import Analysis, Role

Renderer = Callable[[Score], Rendering]
MELODY_MARGIN = 3.0  # dB, where the style names no target
FAR = 2.0  # a cost three times the best's is as bad as any
_SYMBOLIC = ("melody_kept", "bass_kept", "motifs_kept", "doubling")


def melody_notes(candidate: Candidate, source: Score, analysis: Analysis) -> npt.NDArray[np.bool_]:
    """Which notes of a candidate's score realize a melody note of the source, doublings included."""
    origin = candidate.origin
    if not len(source.notes) or not len(analysis.roles):
        return np.zeros(len(origin), bool)
    roles = analysis.note_roles(source.notes["onset"])
    return np.asarray((origin >= 0) & (roles[np.maximum(origin, 0)] == Role.MELODY), bool)


def split_excerpt(
    score: Score, melody: npt.NDArray[np.bool_], start: int, end: int
) -> tuple[Score, tuple[bool, ...], tuple[str, ...]]:
    """An excerpt with every part taken apart into what it plays of the melody and the rest.

    Parts that play nothing are left out. Rendered, the stems still sum to the mix, but the melody can be heard alone
    even where an instrument plays it for two bars only.

    Returns
    -------
    score : Score
    is_melody : tuple of bool, one a part
    family : tuple of str, one a part
    """
    onset = score.notes["onset"]
    inside = melody[(onset >= start) & (onset < end)]
    whole = score.slice(start, end)
    layers, flags, families = [], [], []
    for wanted in (False, True):
        layer = whole.replace(notes=whole.notes[inside == wanted])
        playing = np.unique(layer.notes["part"]).tolist()
        if playing:
            layers.append(layer.slice(0, end - start, playing))
            flags += [wanted] * len(playing)
            families += [_family(score, part) for part in playing]
    if not layers:
        return whole.slice(0, end - start, []), (), ()
    return layers[0].merged(*layers[1:]), tuple(flags), tuple(families)


def _family(score: Score, part: int) -> str:
    known = instruments()
    name = score.parts[part].instrument
    return known[name].family if name in known else score.parts[part].group or "other"


def heard(
    candidate: Candidate, source: Score, analysis: Analysis, excerpt: Excerpt, play: Renderer
) -> dict[str, float]:
    """Render a candidate's excerpt and listen to it."""
    score = candidate.score
    scale = score.ticks_per_quarter / source.ticks_per_quarter
    start, end = round(excerpt.start * scale), round(excerpt.end * scale)
    split, is_melody, families = split_excerpt(score, melody_notes(candidate, source, analysis), start, end)
    if not is_melody:
        return {}
    rendering = play(split)
    stems = list(rendering.stems.values())
    return listen(rendering.mix, stems, is_melody, families, rendering.rate, source.slice(excerpt.start, excerpt.end))


def listen(
    mix: listening.Samples,
    stems: Sequence[listening.Samples],
    is_melody: Sequence[bool],
    families: Sequence[str],
    rate: int,
    excerpt: Score,
) -> dict[str, float]:
    """Every feature of rendered sound.

    Parameters
    ----------
    mix : float32 array, shape (frames, channels)
    stems : sequence of such arrays
    is_melody : sequence of bool, one a stem
    families : sequence of str, one a stem
    rate : int
        Hz.
    excerpt : Score
        The source's music of this stretch.
    """
    power, frequencies = listening.spectrogram(mix, rate)

    def bands(chosen: Sequence[int]) -> listening.Floats:
        total = np.sum([stems[k] for k in chosen], axis=0) if chosen else np.zeros_like(mix)
        return listening.band_powers(*listening.spectrogram(total, rate))

    numbers = range(len(stems))
    by_family = {name: bands([k for k in numbers if families[k] == name]) for name in dict.fromkeys(families)}
    features = listening.melody_against_rest(
        bands([k for k in numbers if is_melody[k]]), bands([k for k in numbers if not is_melody[k]])
    )
    features |= listening.family_balance(by_family)
    features |= listening.colour(power, frequencies)
    features |= listening.dynamics(mix, rate)
    features |= listening.harmony_heard(power, rate, excerpt)
    return features


def against_targets(features: Mapping[str, float], targets: Mapping[str, float]) -> dict[str, float]:
    """Distances from the style's wishes."""
    out = {}
    if "melody_margin" in features:
        out["melody_short"] = max(0.0, targets.get("melody_margin", MELODY_MARGIN) - features["melody_margin"])
    if "brightness" in features:
        target = targets.get("brightness", 0.0)
        out["brightness_off"] = abs(float(np.log2(features["brightness"] / target))) if target > 0 else 0.0
    return out


def written(candidate: Candidate, source: Score, analysis: Analysis, best_cost: float) -> dict[str, float]:
    """What needs no sound: fidelity of the whole score, and the first pass's cost."""
    measures = {m.name: m.value for m in fidelity(candidate.score, source, analysis, candidate.origin)}
    out = {name: float(value) for name in _SYMBOLIC if (value := measures.get(name)) is not None}
    out["first_pass"] = min((candidate.cost - best_cost) / max(abs(best_cost), 1e-9), FAR)
    return out
