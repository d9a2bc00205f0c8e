"""Sound maps: how a sample library (or a General MIDI device) is told to play an articulation, read from YAML.

The shipped ones lie in templates/sound_maps; a user's own file works like a shipped one and is checked like a template,
with file, line and column. `switching` writes by them. Pitches are MIDI numbers (C4 = 60), times milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rescore_music.elements import Articulation
from rescore_music.errors import TemplateError
from rescore_music.instruments import FAMILIES, guess_instrument, instruments, pitch_name
from rescore_music.resources import templates_dir
from rescore_music.score import Part
from rescore_music.template.located import Document, read

if TYPE_CHECKING:
    from rescore_music.io.midi.sound_map_schema import Technique, UseOf

PLAIN = "sustain"


@dataclass(frozen=True)
class Patch:
    """How one articulation is called. `signs` are the `Articulation` bits it is for."""

    signs: int
    program: int = -1  # -1: the part's own
    bank: int = 0
    keyswitches: tuple[int, ...] = ()
    controls: tuple[tuple[int, int], ...] = ()
    scale: float = 1.0
    add: int = 0
    length: float = 0.0  # share of the written length; 0: as it usually sounds
    latency: float = 0.0  # milliseconds


@dataclass(frozen=True)
class Dynamics:
    """A controller that follows loudness: its values at velocities 1 and 127."""

    controller: int
    softest: int
    loudest: int


@dataclass(frozen=True)
class Player:
    """The patches of some instruments, those with most signs first."""

    instruments: tuple[str, ...]  # ids, families or "*"
    patches: tuple[Patch, ...]
    dynamics: Dynamics | None = None

    def patch(self, signs: int) -> int:
        """The patch for a note with these articulation bits: that which names most of them."""
        return next(i for i, patch in enumerate(self.patches) if patch.signs & ~signs == 0)


@dataclass(frozen=True)
class SoundMap:
    """A sound map; `players` in the order of the file."""

    name: str
    title: str
    about: str
    players: tuple[Player, ...]
    switch_lead: float = 20.0  # milliseconds
    keyswitch_velocity: int = 100

    def player(self, part: Part) -> Player | None:
        """Who plays a part, or None: then it is written as without a map."""
        known = instruments().get(part.instrument) or guess_instrument(part.name, part.program, part.percussion)
        names = {known.id, known.family, "*"}
        return next((p for p in self.players if names & set(p.instruments)), None)


def sound_maps() -> dict[str, str]:
    """Name and one line about each shipped sound map."""
    return {path.stem: load_sound_map(path.stem).about for path in sorted(_folder().glob("*.yaml"))}


def load_sound_map(name_or_path: str | Path | SoundMap) -> SoundMap:
    """Read a sound map.

    Parameters
    ----------
    name_or_path : str or path
        The name of a shipped map ("general-midi"), or a path to a file that ends in .yaml or .yml.

    Raises
    ------
    TemplateError
        If there is none of this name, or the file says something it may not: with line and column.
    """
    if isinstance(name_or_path, SoundMap):
        return name_or_path
    path = Path(name_or_path)
    if not isinstance(name_or_path, Path) and path.suffix.casefold() not in (".yaml", ".yml"):
        known = sorted(shipped.stem for shipped in _folder().glob("*.yaml"))
        if str(name_or_path) not in known:
            cure = f"there are {', '.join(known)}; or name a .yaml file"
            raise TemplateError(f"no sound map is called {str(name_or_path)!r}", cure=cure)
        path = _folder() / f"{name_or_path}.yaml"
    return _built(read(path))


def _folder() -> Path:
    return templates_dir().parent / "sound_maps"


@lru_cache(maxsize=32)
def _built(document: Document) -> SoundMap:
    from pydantic import ValidationError

    from rescore_music.io.midi.sound_map_schema import SoundMapFile

    try:
        file = SoundMapFile.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        keys = tuple(key for key in first["loc"] if key != "[key]")
        raise document.error(_said(first["msg"]), keys, key=first["type"] == "extra_forbidden") from None
    players = []
    for i, use in enumerate(file.instruments):
        for k, name in enumerate(use.plays):
            if name not in (*FAMILIES, *instruments(), "*"):
                raise document.error(f"{name!r} is no instrument and no family", ("instruments", i, "for", k))
        players.append(_player(document, i, use))
    return SoundMap(
        document.path.stem, file.title, file.about, tuple(players), file.switch_lead, file.keyswitch_velocity
    )


def _said(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return "this key is not known" if text.startswith("Extra inputs") else text[:1].lower() + text[1:]


def _player(document: Document, number: int, use: UseOf) -> Player:
    patches: list[Patch] = []
    where = ("instruments", number, "articulations")
    for name, technique in use.articulations.items():
        signs = 0
        for word in name.split("+"):
            sign = _SIGNS.get(word.strip())
            if sign is None:
                raise document.error(f"{word.strip()!r} is no articulation", (*where, name), key=True, cure=_CURE)
            signs |= sign
        if any(patch.signs == signs for patch in patches):
            raise document.error(f"{name!r} is given twice in other words", (*where, name), key=True)
        patches.append(_patch(signs, technique, use.latency))
    if not any(patch.signs == 0 for patch in patches):
        patches.append(Patch(0, latency=use.latency))
    _check_range(document, number, use, patches)
    patches.sort(key=lambda patch: -patch.signs.bit_count())  # stable: of two that name as many, the file's first
    dynamics = use.dynamics and Dynamics(use.dynamics.controller, use.dynamics.softest, use.dynamics.loudest)
    return Player(tuple(use.plays), tuple(patches), dynamics or None)


def _patch(signs: int, technique: Technique, latency: float) -> Patch:
    return Patch(
        signs,
        program=-1 if technique.program is None else technique.program,
        bank=technique.bank,
        keyswitches=tuple(technique.keyswitch),
        controls=tuple(sorted(technique.controls.items())),
        scale=technique.velocity.scale,
        add=technique.velocity.add,
        length=technique.length or 0.0,
        latency=latency if technique.latency is None else technique.latency,
    )


def _check_range(document: Document, number: int, use: UseOf, patches: Sequence[Patch]) -> None:
    """A keyswitch inside the range of an instrument would be played as music, or music as a keyswitch."""
    for key in sorted({key for patch in patches for key in patch.keyswitches}):
        for instrument in instruments().values():
            named = {instrument.id, instrument.family} & set(use.plays)
            if named and not instrument.percussion and instrument.plays(key):
                what = f"keyswitch {pitch_name(key)} is a note of the {instrument.name}"
                cure = "choose keys below or above its range"
                raise document.error(what, ("instruments", number, "articulations"), cure=cure)


_SIGNS = {sign.name.lower(): int(sign) for sign in Articulation if sign.name}
_SIGNS |= {PLAIN: 0, "legato": int(Articulation.SLURRED)}
_CURE = f"known: {', '.join(sorted(_SIGNS))}; join several with +"
