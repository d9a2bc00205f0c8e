"""master: bring a rendering to a loudness, by one static gain for the mix and every stem.

Conventions: LUFS and dBTP as in `rescore_music.loudness`. A static gain keeps the balance and the dynamics as they are
and the stems' sum the mix; where the peaks leave no room, the loudness gives way and a notice tells how far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from rescore_music.audio import Rendering
from rescore_music.errors import RenderError
from rescore_music.loudness import loudness


@dataclass(frozen=True)
class Profile:
    """A delivery target: integrated loudness (LUFS), highest true peak (dBTP), and whose figure it is."""

    integrated: float
    true_peak: float
    source: str


PROFILES = MappingProxyType(
    {
        "film": Profile(-23.0, -1.0, "EBU R 128: programme loudness -23 LUFS, true peak -1 dBTP"),
        "broadcast-us": Profile(-24.0, -2.0, "as customary under ATSC A/85"),
        "streaming": Profile(-16.0, -1.0, "as customary for music streaming"),
        "game": Profile(-18.0, -1.0, "as customary for portable games"),
        "console": Profile(-24.0, -1.0, "as customary for console games"),
    }
)


def master(rendering: Rendering, profile: str | Profile = "film") -> Rendering:
    """Scale a rendering to a profile's loudness, less where its true peak would be passed.

    Parameters
    ----------
    rendering : Rendering
    profile : str or Profile
        A name of `PROFILES`, or a target of one's own.

    Returns
    -------
    Rendering
        Mix and stems scaled alike; a notice more, which tells the gain. Silence comes back as it is.

    Raises
    ------
    RenderError
        If the profile is unknown.
    """
    if isinstance(profile, str) and profile not in PROFILES:
        raise RenderError(f"there is no loudness profile {profile!r}", cure=f"choose from {', '.join(PROFILES)}")
    name, goal = (profile, PROFILES[profile]) if isinstance(profile, str) else ("own", profile)
    before = loudness(rendering.mix, rendering.rate)
    if not np.isfinite(before.true_peak):
        return replace(rendering, notices=(*rendering.notices, "silence: loudness left as it is"))
    room = goal.true_peak - before.true_peak
    if np.isfinite(before.integrated):
        gain = min(goal.integrated - before.integrated, room)
        held = goal.integrated - before.integrated > room
        reached = f"{before.integrated + gain:.1f} LUFS"
    else:  # too short or too quiet to gate: nothing but its peak can be set
        gain, held, reached = min(0.0, room), False, "loudness not measurable"
    notice = f"gain {gain:+.1f} dB for {name}: {reached}, true peak {before.true_peak + gain:.1f} dBTP"
    if held:
        notice += f", {goal.integrated - before.integrated - gain:.1f} LU under {goal.integrated:g} LUFS for the peaks"
    factor = np.float32(10.0 ** (gain / 20.0))
    return replace(
        rendering,
        mix=rendering.mix * factor,
        stems={name: stem * factor for name, stem in rendering.stems.items()},
        notices=(*rendering.notices, notice),
    )
