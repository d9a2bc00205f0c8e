"""A score as a sample library wants to be played: `SoundMap` applied before MIDI is written.

Each onset of a part takes the patch that names most of its articulations. Where the patch changes, its program,
controllers and keyswitch notes come `switch_lead` before the first note that needs it, after every note of the patch
before. Notes are sent early by the patch's latency. One controller follows loudness, if the map says so and the part
does not move it already.

Keyswitch notes are no music: they are raw messages of their part, and a text event in its track
("keyswitches: 12 13; ...") names their keys, so that the reader sets them apart again (`keyswitches`).
"""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rescore_music.errors import WriteError
from rescore_music.instruments import pitch_name
from rescore_music.io.midi.keyswitches import keyswitch_line
from rescore_music.io.midi.sound_map import Dynamics, Patch, Player, SoundMap
from rescore_music.score import CONTROL, PROGRAM, Mark, Part, RawEvent, Rows, Score

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

_HAIRPIN_STEP = 16  # velocities from one dynamic sign to the next: what a hairpin over a last note moves


def switched(score: Score, sound_map: SoundMap) -> Score:
    """The score as played through a sound map: notes as they sound, with all that chooses their sound.

    Parameters
    ----------
    score : Score
    sound_map : SoundMap

    Returns
    -------
    Score
        The same parts. Notes have lost their articulation flags (what they mean is done); programs, controls and raw
        events are added.

    Raises
    ------
    WriteError
        If a part plays a key that its map uses as a keyswitch.
    """
    notes = score.sounding()
    controls, programs, raw = [score.controls], [score.programs], list(score.raw)
    for number, part in enumerate(score.parts):
        player = sound_map.player(part)
        own = np.flatnonzero(notes["part"] == number)
        if player is None or not len(own):
            continue
        playing = _Playing(score, sound_map, player, number, part)
        notes[own] = playing.played(score.notes[own], notes[own])
        controls.append(np.array(playing.controls, CONTROL))
        programs.append(np.array(playing.programs, PROGRAM))
        raw += playing.raw
    notes["articulation"] = 0
    return score.replace(
        notes=notes,
        controls=np.concatenate(controls),
        programs=np.concatenate(programs),
        raw=tuple(sorted(raw, key=lambda event: event.tick)),
    )


class _Playing:
    """One part on its way through its player's patches."""

    def __init__(self, score: Score, sound_map: SoundMap, player: Player, number: int, part: Part) -> None:
        self.score, self.map, self.player, self.number, self.part = score, sound_map, player, number, part
        self.controls: list[tuple[int, int, int, int]] = []
        self.programs: list[tuple[int, int, int, int]] = []
        self.raw: list[RawEvent] = []

    def early(self, ticks: Ints, milliseconds: npt.ArrayLike) -> Ints:
        """Ticks so much earlier, none before 0."""
        if not np.any(np.asarray(milliseconds)):
            return ticks
        seconds = self.score.tempo.seconds(ticks) - np.asarray(milliseconds) / 1000
        moved = np.rint(self.score.tempo.ticks_at(np.maximum(seconds, 0.0))).astype(np.int64)
        return np.asarray(np.clip(moved, 0, ticks), np.int64)

    def played(self, written: Rows, notes: Rows) -> Rows:
        """The part's notes as sent; fills `controls`, `programs` and `raw`.

        Parameters
        ----------
        written, notes : NOTE arrays, shape (n,)
            The same notes as written and as they sound, by written onset.
        """
        patches = self.player.patches
        signs, inverse = np.unique(written["articulation"], return_inverse=True)
        patch = np.array([self.player.patch(int(s)) for s in signs])[inverse]
        patch = self._one_at_a_time(notes["onset"], patch)
        latency = np.array([p.latency for p in patches])[patch]
        length = np.array([p.length for p in patches])[patch]
        end = np.where(length > 0, notes["onset"] + np.rint(written["duration"] * length), 0).astype(np.int64)
        end = np.where((length > 0) & (written["duration"] > 0), end, notes["onset"] + notes["duration"])
        onset = self.early(notes["onset"].astype(np.int64), latency)
        end = _before_the_next_stroke(notes, onset, end)
        out = notes.copy()
        out["onset"], out["duration"] = onset, np.maximum(end - onset, np.minimum(notes["duration"], 1))
        scale, add = np.array([p.scale for p in patches])[patch], np.array([p.add for p in patches])[patch]
        out["velocity"] = np.clip(np.rint(notes["velocity"] * scale) + add, 1, 127).astype(np.uint8)
        self._check_keys(notes)
        self._switches(onset, patch)
        if self.player.dynamics is not None:
            self._follow(self.player.dynamics, notes, onset)
        return out

    def _one_at_a_time(self, onset: Ints, patch: Ints) -> Ints:
        """A channel has one patch: notes struck together take that of the most signs among them."""
        _, group = np.unique(onset, return_inverse=True)
        first = np.full(int(group.max()) + 1, len(self.player.patches))
        np.minimum.at(first, group, patch)  # patches are sorted by their number of signs
        together = first[group]
        if mixed := int(np.sum(together != patch)):
            log.warning(
                "%s: %d notes take the articulation of the notes struck with them: one channel has one patch",
                self.part.name or f"part {self.number + 1}",
                mixed,
            )
        return np.asarray(together, np.int64)

    def _check_keys(self, notes: Rows) -> None:
        keys = sorted({key for patch in self.player.patches for key in patch.keyswitches})
        struck = np.isin(notes["pitch"], keys)
        if np.any(struck):
            note = notes[struck][0]
            bar = int(self.score.bar_number(int(note["onset"])))
            what = f"plays {pitch_name(int(note['pitch']))} in bar {bar}, a keyswitch of sound map {self.map.name!r}"
            where = self.part.name or f"part {self.number + 1}"
            raise WriteError(what, where=where, cure="choose keyswitches that the music does not reach")
        if keys:
            self.raw.append(RawEvent(0, b"\xff\x01" + keyswitch_line(keys, self.map.title), self.number))

    def _switches(self, onset: Ints, patch: Ints) -> None:
        """What calls each patch, before its first note and after the last note of the one before."""
        order = np.argsort(onset, kind="stable")
        ticks, patch = onset[order], patch[order]
        starts = np.flatnonzero(np.append(True, patch[1:] != patch[:-1]))
        places = self.early(ticks[starts], self.map.switch_lead)
        earlier = np.append(-1, ticks[starts[1:] - 1])
        places = np.minimum(np.maximum(places, earlier + 1), ticks[starts])
        numbers = sorted({n for p in self.player.patches for n, _ in p.controls})
        state = dict.fromkeys(numbers, -1)
        keys: tuple[int, ...] = ()
        sends_programs = any(p.program >= 0 for p in self.player.patches)
        sound = (-1, -1)
        for tick, start in zip(places.tolist(), starts.tolist(), strict=True):
            chosen = self.player.patches[patch[start]]
            for number in numbers:
                value = dict(chosen.controls).get(number, 0)
                if value != state[number]:
                    self.controls.append((tick, self.number, number, value))
                    state[number] = value
            if sends_programs and (wanted := self._sound(chosen, tick)) != sound:
                self.programs.append((tick, self.number, *wanted))
                sound = wanted
            if chosen.keyswitches and chosen.keyswitches != keys:
                self._strike(chosen, tick, int(ticks[start]))
                keys = chosen.keyswitches

    def _sound(self, patch: Patch, tick: int) -> tuple[int, int]:
        """Program and bank of a patch; its part's own where it names none."""
        if patch.program >= 0:
            return patch.program, patch.bank
        rows = self.score.programs
        own = rows[(rows["part"] == self.number) & (rows["tick"] <= tick)]
        return (int(own[-1]["program"]), int(own[-1]["bank"])) if len(own) else (self.part.program, self.part.bank)

    def _strike(self, patch: Patch, tick: int, onset: int) -> None:
        for key in patch.keyswitches:
            self.raw.append(RawEvent(tick, bytes((0x90, key, self.map.keyswitch_velocity)), self.number))
        for key in patch.keyswitches:
            self.raw.append(RawEvent(max(onset, tick + 1), bytes((0x80, key, 64)), self.number))

    def _follow(self, dynamics: Dynamics, notes: Rows, sent: Ints) -> None:
        """A controller after the loudest note of each onset, in ramps under hairpins; sent as early as the notes."""
        controls = self.score.controls
        if np.any((controls["part"] == self.number) & (controls["number"] == dynamics.controller)):
            return  # the part's own curve is better
        ticks, group = np.unique(notes["onset"], return_inverse=True)
        loud, places = np.zeros(len(ticks), np.int64), ticks.copy()
        np.maximum.at(loud, group, notes["velocity"].astype(np.int64))
        np.minimum.at(places, group, sent)
        places = np.maximum.accumulate(places)
        points = dict(zip(ticks.tolist(), loud.astype(float).tolist(), strict=True))
        for mark in self.score.marks:
            if mark.kind == "hairpin" and mark.part == self.number and mark.end > mark.tick:
                points |= _ramp(mark, ticks, loud, max(1, self.score.ticks_per_quarter // 8))
        before = -1
        for tick, value in sorted(points.items()):
            place = int(np.interp(tick, ticks, places))
            share = (np.clip(value, 1, 127) - 1) / 126
            level = round(dynamics.softest + (dynamics.loudest - dynamics.softest) * float(share))
            if level != before:
                self.controls.append((place, self.number, dynamics.controller, level))
            before = level


def _ramp(mark: Mark, ticks: Ints, loud: Ints, step: int) -> dict[int, float]:
    """Loudness between the onsets under a hairpin, every `step` ticks: straight from each onset to the next."""
    first = max(int(np.searchsorted(ticks, mark.tick, side="right")) - 1, 0)
    places, values = ticks[first:].tolist(), loud[first:].astype(float).tolist()
    last = next((i for i, place in enumerate(places) if place >= mark.end), len(places))
    if last == len(places):  # nothing follows: one sign louder or softer
        places.append(mark.end)
        values.append(values[-1] + (_HAIRPIN_STEP if mark.text == "<" else -_HAIRPIN_STEP))
    out: dict[int, float] = {}
    points = list(zip(places, values, strict=True))[: last + 1]
    for (start, low), (stop, high) in pairwise(points):
        begin, end = max(start, mark.tick), min(stop, mark.end)
        if end <= begin or low == high:
            continue
        for tick in range(begin, end, step):
            out[tick] = low + (high - low) * (tick - begin) / (end - begin)
    return out


def _before_the_next_stroke(notes: Rows, onset: Ints, end: Ints) -> Ints:
    """Ends of notes, no later than their pitch is struck again, where it was so before notes were moved."""
    order = np.lexsort((onset, notes["pitch"]))
    same = notes["pitch"][order][1:] == notes["pitch"][order][:-1]
    apart = (notes["onset"] + notes["duration"])[order][:-1] <= notes["onset"][order][1:]
    out = end.copy()
    cut = order[:-1][same & apart]
    following = onset[order][1:][same & apart]
    out[cut] = np.minimum(out[cut], np.maximum(following, onset[cut] + 1))
    return out
