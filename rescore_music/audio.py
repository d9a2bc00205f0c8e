"""Sound as values: float32 samples, frames by channels, full scale at 1.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rescore_music.errors import RenderError

Samples = npt.NDArray[np.float32]


def _frozen(samples: npt.ArrayLike) -> Samples:
    array = np.asarray(samples, dtype=np.float32)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise RenderError(f"sound must be frames by channels, not {array.ndim}-dimensional")
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False)
class Audio:
    """One stretch of sound.

    Attributes
    ----------
    samples : float32 array, shape (frames, channels)
    rate : int
        Frames a second (Hz).
    """

    samples: Samples
    rate: int = 48000

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", _frozen(self.samples))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, eq=False)
class Rendering:
    """A score's sound: the mix and one stem a part.

    Attributes
    ----------
    mix : float32 array, shape (frames, 2)
    stems : mapping of part name to float32 array, shape (frames, 2)
        In score order. Their sum is the mix.
    rate : int
        Frames a second (Hz).
    silent : int array
        Indices of the score's notes that made no sound.
    backend : str
        Which synthesizer and which sounds made it.
    notices : tuple of str
        What a listener should know: sounds replaced, gain lowered.
    """

    mix: Samples
    stems: Mapping[str, Samples]
    rate: int = 48000
    silent: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    backend: str = ""
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mix", _frozen(self.mix))
        object.__setattr__(self, "stems", MappingProxyType({k: _frozen(v) for k, v in self.stems.items()}))

    def __reduce__(self) -> tuple[object, ...]:
        # a mapping proxy cannot be pickled, and numpy drops the read-only flag in unpickling
        return (Rendering, (self.mix, dict(self.stems), self.rate, self.silent, self.backend, self.notices))

    @property
    def audio(self) -> Audio:
        """The mix as `Audio`."""
        return Audio(self.mix, self.rate)
