"""Which channel and port each part is written on.

A channel has one program, one volume, one pedal, so two parts may share one only if they sound alike in all of that.
Percussion stands where a player will take it for percussion: channel 10, unless the score's own system exclusive
messages declare another drum channel. Beyond 16 channels come ports; a player without ports lays them on top of each
other, so channels are shared between like sounds before a second port is opened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from rescore_music.io.midi.chunks import Repairs
from rescore_music.io.midi.drums import DrumChannels
from rescore_music.io.midi.events import SystemMessage
from rescore_music.io.midi.meta import read_system
from rescore_music.io.midi.programs import first_onsets, wanted_programs
from rescore_music.score import Score

log = logging.getLogger(__name__)

Place = tuple[int, int]  # port, channel
_PORTS = 16


def assign_channels(score: Score) -> list[Place]:
    """(port, channel) per part, both from 0.

    A part keeps its own channel where it can. Parts of a score that was read from MIDI keep sharing a channel if they
    sound alike; others get channels of their own as long as one port has enough.
    """
    from_midi = score.metadata.source_format.startswith("midi")
    # notation names ports freely; a player without ports would lay those channels on top of each other
    wanted = [(p.port % _PORTS if from_midi else 0, p.channel % 16) for p in score.parts]
    drums, sounds, first = _declared(score, wanted), _sounds(score), first_onsets(score)

    def fits(part: int, place: Place) -> bool:
        row = score.parts[part]
        return drums.is_drums(first[part], place[0] * 16 + place[1], row.bank) == row.percussion

    shares = from_midi and _agree(wanted, sounds)
    taken: dict[Place, int] = {}  # place -> the sound on it
    places: list[Place | None] = [None] * len(wanted)
    for part, place in enumerate(wanted):
        free = place not in taken or (shares and taken[place] == sounds[part])
        if free and fits(part, place):
            places[part] = place
            taken[place] = sounds[part]
    crowded = sum(not p.percussion for p in score.parts) > 15
    found = [
        place if place is not None else _found(part, sounds[part], taken, fits, crowded)
        for part, place in enumerate(places)
    ]
    if silent := sum(taken.get(place, sounds[part]) != sounds[part] for part, place in enumerate(found)):
        log.warning("%d parts sound as others do: MIDI has %d channels", silent, 16 * _PORTS)
    return found


def _found(part: int, sound: int, taken: dict[Place, int], fits: Callable[[int, Place], bool], crowded: bool) -> Place:
    alike = [place for place, other in taken.items() if other == sound and fits(part, place)]
    if alike and crowded:
        return min(alike)
    for port in range(_PORTS):
        for channel in range(16):
            if (port, channel) not in taken and fits(part, (port, channel)):
                taken[port, channel] = sound
                return port, channel
    return min(alike) if alike else next((_PORTS - 1, c) for c in range(16) if fits(part, (_PORTS - 1, c)) or c == 15)


def _agree(wanted: Sequence[Place], sounds: Sequence[int]) -> bool:
    """Whether parts on one channel sound alike: then the channels were meant."""
    seen: dict[Place, int] = {}
    return all(seen.setdefault(place, sound) == sound for place, sound in zip(wanted, sounds, strict=True))


def _declared(score: Score, wanted: Sequence[Place]) -> DrumChannels:
    """Drum channels that the score's own system exclusive messages declare, each on the port of its part."""
    raws = [raw for raw in score.raw if raw.data[:1] in (b"\xf0", b"\xf7")]
    messages = [SystemMessage(0, raw.tick, i, raw.data[0], 0, raw.data[1:], False) for i, raw in enumerate(raws)]
    ports = [(i, wanted[raw.part][0] if raw.part >= 0 else 0) for i, raw in enumerate(raws)]
    return read_system(messages, Repairs(), ports=ports).drums


def _sounds(score: Score) -> list[int]:
    """A number per part; equal numbers share programs, controllers and bends throughout."""
    numbers: dict[tuple[object, ...], int] = {}
    spans: list[list[bytes]] = []
    for rows in (score.controls, score.bends):
        packed = np.zeros(len(rows), [(name, rows.dtype[name]) for name in rows.dtype.names or () if name != "part"])
        for name in packed.dtype.names or ():
            packed[name] = rows[name]
        spans.append([packed[rows["part"] == i].tobytes() for i in range(len(score.parts))])
    return [
        numbers.setdefault((tuple(programs), *(span[i] for span in spans)), len(numbers))
        for i, programs in enumerate(wanted_programs(score))
    ]
